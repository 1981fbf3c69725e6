// SPDX-License-Identifier: MIT
#include "cmd/findings.h"

#include <inttypes.h>
#include <string.h>

#include "cmd/options.h"
#include "commands.gen.h"
#include "lib/causes.h"
#include "text/utf8.h"

enum err_code findings_read(struct findings *f, const struct cmd_args *args, struct err *e)
{
    struct causes causes;
    enum err_code rc;

    *f = (struct findings){.args = args, .build = {.root_fd = -1}};
    rc = open_build(args, &f->build, e);
    if (rc == ERR_NONE)
        rc = causes_read(&causes, f->build.reader, e);
    if (rc != ERR_NONE)
        return rc;
    f->report = causes.report;
    f->errors = causes.errors;
    f->first = errors_first(causes.errors);
    f->last_seq = causes.last_seq;
    f->left_out = causes.left_out;
    return ERR_NONE;
}

void findings_release(struct findings *f)
{
    errors_free(f->errors);
    build_report_release(&f->report);
    close_build(&f->build);
}

bool findings_further(const struct findings *f, const struct error_finding *error)
{
    enum error_rank floor = RANK_GENERAL;

    if (f->first == NULL || error == f->first)
        return false;
    if (f->first->rank < floor)
        floor = f->first->rank;
    return error->rank >= floor;
}

/* ---- telling -------------------------------------------------------------------------------- */

static enum err_code put_safe(const struct sink *s, const char *text, size_t max)
{
    size_t len = strlen(text);
    size_t n = len > max ? utf8_cut(text, max) : len;
    enum err_code rc = visible_put(s, (struct raw_span){text, n},
                                   (struct visible){.colour = COLOUR_VISIBLE});

    return rc == ERR_NONE && n < len ? sink_puts(s, "…") : rc;
}

enum err_code put_finding(const struct sink *s, const struct error_finding *error, size_t max)
{
    enum err_code rc = ERR_NONE;

    if (error->tool[0] != '\0')
        rc = sink_printf(s, "%s: ", error->tool);
    if (rc == ERR_NONE && error->file[0] != '\0') {
        rc = put_safe(s, error->file, max);
        if (rc == ERR_NONE && error->line > 0)
            rc = sink_printf(s, ":%" PRIu32, error->line);
        if (rc == ERR_NONE && error->line > 0 && error->column > 0)
            rc = sink_printf(s, ":%" PRIu32, error->column);
        if (rc == ERR_NONE)
            rc = sink_puts(s, ": ");
    }
    return rc == ERR_NONE ? put_safe(s, error->message, max) : rc;
}

enum err_code put_dir_option(const struct sink *s, const struct cmd_args *args)
{
    const struct parsed_option *dir = options_find(args, OPT_DIR);
    enum err_code rc;

    if (dir == NULL)
        return ERR_NONE;
    rc = sink_puts(s, " --dir ");
    return rc == ERR_NONE ? put_word(s, dir->text, strlen(dir->text)) : rc;
}

enum err_code put_show_hint(const struct sink *s, const struct findings *f, uint64_t from,
                            uint64_t to)
{
    enum err_code rc = sink_printf(s, "buildlog show %s", f->build.id);

    if (rc == ERR_NONE)
        rc = put_dir_option(s, f->args);
    if (rc == ERR_NONE)
        rc = sink_printf(s, " --seq %" PRIu64, from);
    return rc == ERR_NONE && to != from ? sink_printf(s, "-%" PRIu64, to) : rc;
}
