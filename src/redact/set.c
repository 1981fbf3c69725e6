// SPDX-License-Identifier: MIT
#include "redact/set.h"

#include <stdlib.h>
#include <string.h>

static enum err_code switch_names(struct redact_set *set, const char *const *names, size_t n,
                                  bool off, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        size_t rule = 0;

        while (rule < rule_name_count && strcmp(rule_names[rule], names[i]) != 0)
            rule++;
        if (rule == rule_name_count)
            return err_set(e, ERR_USAGE, "cannot switch", names[i], "no such rule or group");
        set->off[rule] = off;
    }
    return ERR_NONE;
}

enum err_code redact_set_new(struct redact_set **out, const struct redact_options *o,
                             struct err *e)
{
    static const struct redact_options none;
    struct redact_set *set = calloc(1, sizeof(*set));
    enum err_code rc;

    *out = NULL;
    if (set == NULL)
        return err_set(e, ERR_MEMORY, "cannot make redaction rules", "", "out of memory");
    if (o == NULL)
        o = &none;
    rc = switch_names(set, o->on, o->n_on, false, e);
    if (rc == ERR_NONE)
        rc = switch_names(set, o->off, o->n_off, true, e);
    if (rc == ERR_NONE)
        *out = set;
    else
        redact_set_free(set);
    return rc;
}

void redact_set_free(struct redact_set *set)
{
    free(set);
}

size_t redact_set_rules(const struct redact_set *set)
{
    (void)set;
    return rule_name_count;
}

const char *redact_set_rule_name(const struct redact_set *set, size_t rule)
{
    (void)set;
    return rule_names[rule];
}
