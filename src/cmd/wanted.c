// SPDX-License-Identifier: MIT
#include "cmd/wanted.h"

#include <string.h>

#include "commands.gen.h"
#include "lib/pick.h"

bool status_wanted(const struct cmd_args *args, const char *status)
{
    bool any = false;

    for (size_t i = 0; i < args->n_options; i++) {
        const struct parsed_option *option = &args->options[i];

        if (option->spec->id != OPT_STATUS)
            continue;
        any = true;
        if (strcmp(option->text, status) == 0)
            return true;
    }
    return !any;
}

bool report_has_label(const void *report, const char *label)
{
    return pick_has_label(report, label);
}

static bool same_key(const char *a, const char *b)
{
    size_t len = strcspn(a, "=") + 1;

    return strncmp(a, b, len) == 0;
}

bool labels_wanted(const struct cmd_args *args, has_label *has, const void *build)
{
    for (size_t i = 0; i < args->n_options; i++) {
        bool found = args->options[i].spec->id != OPT_LABEL;

        for (size_t k = 0; !found && k < args->n_options; k++)
            found = args->options[k].spec->id == OPT_LABEL &&
                    same_key(args->options[i].text, args->options[k].text) &&
                    has(build, args->options[k].text);
        if (!found)
            return false;
    }
    return true;
}
