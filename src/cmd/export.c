// SPDX-License-Identifier: MIT
/*
 * buildlog export: a build in a form that other programs know: a recording for asciinema
 * (read/cast.h), a page for a browser (read/page.h), or its text alone. Standard output gets it.
 */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "commands.gen.h"
#include "read/cast.h"
#include "read/page.h"
#include "read/render.h"
#include "read/runner.h"
#include "read/timeline.h"

enum {
    DEFAULT_COLUMNS = 80, /* the size of a terminal where nothing says another */
    DEFAULT_ROWS = 24,
    COMMAND_MAX = 4096, /* bytes of the command in a header */
    TEXT_MAX = 64 << 10
};

struct export {
    const struct command *command;
    int64_t format;
    unsigned columns, rows; /* 0: what the log says */
    struct opened_build build;
    struct build_report report;
    struct out out;
    struct timeline timeline;
    struct buf command_line;
    struct cast cast;
    struct page page;
    struct renderer plain;
    struct runner_guard guard; /* before out, for plain, where a runner reads it */
};

/* ---- options -------------------------------------------------------------------------------- */

static bool parse_side(const char *text, size_t n, unsigned *out)
{
    char digits[8];
    uint64_t value;

    if (n == 0 || n >= sizeof(digits))
        return false;
    memcpy(digits, text, n);
    digits[n] = '\0';
    if (!parse_number(digits, CAST_CELLS_MAX, &value) || value == 0)
        return false;
    *out = (unsigned)value;
    return true;
}

static enum err_code parse(struct export *x, const struct cmd_args *args, struct err *e)
{
    const struct parsed_option *output = options_find(args, OPT_OUTPUT);
    const struct parsed_option *size = options_find(args, OPT_SIZE);
    const char *by = size != NULL ? strchr(size->text, 'x') : NULL;

    x->command = args->command;
    x->format = output != NULL ? output->number : CHOICE_EXPORT_OUTPUT_ASCIICAST;
    if (size != NULL &&
        (by == NULL || !parse_side(size->text, (size_t)(by - size->text), &x->columns) ||
         !parse_side(by + 1, strlen(by + 1), &x->rows)))
        return err_set(e, ERR_USAGE, "bad value for --size", size->text,
                       "want COLUMNSxROWS, such as 80x24");
    return ERR_NONE;
}

/* ---- the formats ---------------------------------------------------------------------------- */

static bool is_cast(const struct export *x)
{
    return x->format == CHOICE_EXPORT_OUTPUT_ASCIICAST ||
           x->format == CHOICE_EXPORT_OUTPUT_ASCIICAST_V3;
}

static enum err_code put_into_buf(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

/* The command as a shell would read it, in x->command_line, or NULL if the log does not say. */
static const char *command_text(struct export *x)
{
    struct sink sink = {put_into_buf, &x->command_line};

    buf_init(&x->command_line, TEXT_MAX);
    if (!x->report.has_start || put_command(&sink, &x->report.start, COMMAND_MAX) != ERR_NONE ||
        buf_put(&x->command_line, "", 1) != ERR_NONE)
        return NULL;
    return x->command_line.data;
}

static void choose_size(struct export *x)
{
    x->cast.one_size = x->columns > 0;
    if (x->columns > 0 || (x->report.has_start &&
                           cast_size(&x->report.start, &x->columns, &x->rows)))
        return;
    x->columns = DEFAULT_COLUMNS;
    x->rows = DEFAULT_ROWS;
}

static enum err_code begin(struct export *x)
{
    const char *command = command_text(x);
    const char *name = x->report.has_start ? record_text(&x->report.start, "name", NULL) : NULL;
    int64_t started = x->report.has_start ? record_time_ms(&x->report.start, "startedAt") : -1;
    char outcome[OUTCOME_TEXT];

    choose_size(x);
    if (is_cast(x)) {
        const struct cast_header header = {.columns = x->columns,
                                           .rows = x->rows,
                                           .started_ms = started,
                                           .title = name != NULL ? name : command,
                                           .command = command};

        return cast_begin(&x->cast, &header);
    }
    if (x->format == CHOICE_EXPORT_OUTPUT_HTML) {
        const struct page_header header = {.id = x->build.id,
                                           .started_ms = started,
                                           .title = name != NULL ? name : command,
                                           .command = command,
                                           .outcome = outcome_text(&x->report, outcome)};

        return page_begin(&x->page, &header);
    }
    return ERR_NONE;
}

static enum err_code put_item(struct export *x, const struct log_item *item, struct err *e)
{
    int64_t at_ms = timeline_next(&x->timeline, item);

    if (is_cast(x))
        return cast_item(&x->cast, item, at_ms, e);
    if (x->format == CHOICE_EXPORT_OUTPUT_HTML)
        return page_item(&x->page, item, at_ms, e);
    if (item->kind != RECORD_LINE && item->kind != RECORD_GAP)
        return ERR_NONE;
    x->plain.format = item->kind == RECORD_LINE ? RENDER_RAW : RENDER_PRETTY;
    return render_item(&x->plain, item, e);
}

static enum err_code end(struct export *x)
{
    bool ended = x->report.state == STATE_ENDED && x->report.has_end;

    if (is_cast(x))
        return cast_end(&x->cast, x->timeline.at_ms,
                        ended ? build_exit_status(&x->report.end) : -1);
    return x->format == CHOICE_EXPORT_OUTPUT_HTML ? page_end(&x->page)
                                                  : runner_finish(&x->guard);
}

/* ---- the command ---------------------------------------------------------------------------- */

static enum err_code put_items(struct export *x, struct err *e)
{
    struct log_item item;
    bool have;

    for (;;) {
        enum err_code rc = log_reader_next(x->build.reader, &item, &have, e);

        if (rc != ERR_NONE || !have)
            return rc;
        rc = put_item(x, &item, e);
        if (rc == ERR_FORMAT)
            log_reader_damaged(x->build.reader);
        else if (rc != ERR_NONE)
            return rc;
    }
}

static enum err_code run_export(struct export *x, const struct cmd_args *args, struct err *e)
{
    enum err_code rc = open_build(args, &x->build, e);

    if (rc == ERR_NONE)
        rc = build_report_read(x->build.reader, &x->report, e);
    if (rc != ERR_NONE)
        return rc;
    if (begin(x) != ERR_NONE)
        return err_set(e, ERR_MEMORY, "cannot export", x->build.id, "no memory");
    rc = put_items(x, e);
    return rc == ERR_NONE ? end(x) : rc;
}

/* What is not in the export, and no end record said so. */
static void say_what_is_missing(const struct export *x)
{
    char left_out[LEFT_OUT_TEXT];
    char outcome[OUTCOME_TEXT];
    struct log_left_out l;

    log_reader_left_out(x->build.reader, &l);
    if (left_out_text(&l, x->report.state == STATE_RUNNING, left_out)[0] != '\0')
        cmd_warn(x->command, "build %s: left out: %s", x->build.id, left_out);
    if (x->report.state != STATE_ENDED)
        cmd_warn(x->command, "build %s: %s", x->build.id, outcome_text(&x->report, outcome));
}

static void init_formats(struct export *x)
{
    struct sink sink = out_sink(&x->out);

    cast_init(&x->cast, sink,
              x->format == CHOICE_EXPORT_OUTPUT_ASCIICAST_V3 ? CAST_V3 : CAST_V2);
    page_init(&x->page, sink);
    x->guard.sink = sink;
    x->plain = (struct renderer){.sink = out_obeyed() ? runner_sink(&x->guard) : sink,
                                 .terminal = true};
}

int cmd_export(const struct cmd_args *args)
{
    struct export x = {.build = {.root_fd = -1}};
    struct err e = {0};
    enum err_code rc = parse(&x, args, &e);
    int status = EXIT_FOUND;

    out_init(&x.out);
    init_formats(&x);
    if (rc == ERR_NONE)
        rc = run_export(&x, args, &e);
    if (rc != ERR_NONE && x.out.failed == 0) {
        cmd_warn_err(args->command, &e);
        status = EXIT_TROUBLE;
    } else if (rc == ERR_NONE && out_flush(&x.out) == ERR_NONE) {
        say_what_is_missing(&x);
    }
    status = out_finish(&x.out, args->command, status);
    cast_release(&x.cast);
    page_release(&x.page);
    render_release(&x.plain);
    buf_release(&x.command_line);
    build_report_release(&x.report);
    close_build(&x.build);
    out_release(&x.out);
    return status;
}
