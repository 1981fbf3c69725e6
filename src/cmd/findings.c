// SPDX-License-Identifier: MIT
#include "cmd/findings.h"

#include <inttypes.h>
#include <string.h>

#include "cmd/options.h"
#include "commands.gen.h"
#include "read/render.h"
#include "text/utf8.h"

/* ---- reading -------------------------------------------------------------------------------- */

static void note_start(struct findings *f, const struct log_item *item)
{
    struct record start;

    if (log_item_decode(item, &start, NULL) != ERR_NONE)
        return;
    if (f->report.has_start)
        record_release(&f->report.start);
    f->report.start = start;
    f->report.has_start = true;
}

static enum err_code take(struct findings *f, struct renderer *r, const struct log_item *item,
                          struct err *e)
{
    struct raw_span text = {NULL, 0};
    enum err_code rc = ERR_NONE;

    if (item->kind == RECORD_START)
        note_start(f, item);
    if (item->kind == RECORD_LINE)
        rc = render_text(r, item, &text, e);
    if (rc == ERR_FORMAT) {
        log_reader_damaged(f->build.reader);
        return ERR_NONE;
    }
    if (rc == ERR_NONE)
        errors_record(f->errors, item, text);
    if (item->kind != RECORD_FOREIGN && item->seq > f->last_seq)
        f->last_seq = item->seq;
    return rc;
}

static enum err_code read_all(struct findings *f, struct err *e)
{
    struct renderer renderer = {.format = RENDER_PRETTY};
    struct log_item item;
    bool have = true;
    enum err_code rc = ERR_NONE;

    log_reader_hold(f->build.reader);
    while (rc == ERR_NONE && have) {
        rc = log_reader_next(f->build.reader, &item, &have, e);
        if (rc == ERR_NONE && have)
            rc = take(f, &renderer, &item, e);
    }
    render_release(&renderer);
    log_reader_left_out(f->build.reader, &f->left_out);
    return rc;
}

enum err_code findings_read(struct findings *f, const struct cmd_args *args, struct err *e)
{
    enum err_code rc;

    *f = (struct findings){.args = args, .build = {.root_fd = -1}};
    rc = open_build(args, &f->build, e);
    if (rc == ERR_NONE)
        rc = errors_new(&f->errors, e);
    if (rc == ERR_NONE)
        rc = build_report_read(f->build.reader, &f->report, e);
    if (rc == ERR_NONE)
        rc = read_all(f, e);
    if (rc != ERR_NONE)
        return rc;
    errors_finish(f->errors, &f->report);
    f->first = errors_first(f->errors);
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
