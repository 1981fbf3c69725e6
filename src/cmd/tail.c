// SPDX-License-Identifier: MIT
/*
 * buildlog tail: the last lines of a build, or all of it as it comes.
 *
 * Following ends with the end record, or when the log is no longer locked though there is none:
 * then the writer was killed and the build is lost. The lock is asked only when a writer has
 * closed the log, and what was written before that is read after it. When the path names
 * another file (the log was removed under its writer, who made it anew, or it was compressed),
 * reading goes on there, behind the last number seen.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/sys.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "commands.gen.h"
#include "read/render.h"
#include "store/follow.h"
#include "store/layout.h"
#include "store/log_reader.h"
#include "store/state.h"

enum {
    TAIL_LINES = 20,  /* shown without -n */
    GONE_POLL_MS = 1000 /* how often a log that was removed is looked for */
};

struct tail {
    const struct command *command;
    const char *src; /* NULL: every source */
    bool follow;
    bool exit_status;
    bool from_first; /* -n +N */
    uint64_t n;

    struct opened_build build;
    struct build_report report; /* `end` always is the last end record read, if nothing followed */
    struct out out;
    struct renderer renderer;
    struct follow *wake;
    uint64_t last_seq; /* of the records read so far */
    uint64_t skip_upto; /* numbers seen before, in a file that another one replaced */
    bool live;         /* the first reading is over */
    bool ended;        /* the end record came while we were looking */
    bool reader_gone;  /* nobody reads stdout */
};

/* ---- what is shown -------------------------------------------------------------------------- */

static bool shown(void *arg, const struct log_item *item)
{
    const struct tail *t = arg;
    struct raw_span src;

    if (item->kind == RECORD_GAP)
        return t->renderer.format != RENDER_RAW;
    if (item->kind == RECORD_EVENT)
        return t->renderer.format != RENDER_RAW && t->src == NULL;
    if (item->kind != RECORD_LINE || t->src == NULL)
        return item->kind == RECORD_LINE;
    src = render_source(item);
    return src.len == strlen(t->src) && memcmp(src.ptr, t->src, src.len) == 0;
}

static void keep_record(struct record *slot, bool *has, const struct log_item *item)
{
    if (*has)
        record_release(slot);
    *has = log_item_decode(item, slot, NULL) == ERR_NONE;
}

/* Start and end records tell where the build stands. */
static void note(struct tail *t, const struct log_item *item)
{
    if (item->kind == RECORD_END) {
        keep_record(&t->report.end, &t->report.has_end, item);
        t->ended = t->live && t->report.has_end;
        return;
    }
    if (item->kind == RECORD_START)
        keep_record(&t->report.start, &t->report.has_start, item);
    if (t->report.has_end && item->kind != RECORD_FOREIGN) {
        record_release(&t->report.end);
        t->report.has_end = false;
        t->ended = false;
    }
}

static enum err_code take(struct tail *t, const struct log_item *item, struct err *e)
{
    enum err_code rc;

    note(t, item);
    if (item->kind != RECORD_START && !shown(t, item))
        return ERR_NONE;
    rc = render_item(&t->renderer, item, e);
    if (rc != ERR_FORMAT)
        return rc;
    log_reader_damaged(t->build.reader);
    return ERR_NONE;
}

/* Shows all there is now. */
static enum err_code pump(struct tail *t, struct err *e)
{
    struct log_item item;
    bool have;

    for (;;) {
        enum err_code rc = log_reader_next(t->build.reader, &item, &have, e);
        bool numbered;

        if (rc != ERR_NONE || !have)
            return rc;
        numbered = item.kind == RECORD_LINE || item.kind == RECORD_EVENT ||
                   item.kind == RECORD_GAP;
        if (numbered && item.seq <= t->skip_upto)
            continue;
        rc = take(t, &item, e);
        if (rc != ERR_NONE)
            return rc;
        if (numbered)
            t->last_seq = item.seq;
    }
}

/* ---- following ------------------------------------------------------------------------------- */

static const struct record *last_start(const struct tail *t)
{
    return t->report.has_start ? &t->report.start : NULL;
}

/* The path names another file, or none. *limit_ms: how soon to look again. The whole store may
   have been removed and made anew, so that the way begins at its name. */
static enum err_code switch_file(struct tail *t, int *limit_ms, struct err *e)
{
    struct log_reader *fresh;
    int root_fd;
    enum err_code rc = layout_open_root(t->build.root, false, &root_fd, e);

    if (rc == ERR_NONE) {
        sys.close(t->build.root_fd);
        t->build.root_fd = root_fd;
        rc = log_reader_open(&fresh, root_fd, t->build.id, e);
    }
    if (rc == ERR_NOT_FOUND) {
        *limit_ms = GONE_POLL_MS;
        return ERR_NONE;
    }
    if (rc != ERR_NONE)
        return rc;
    log_reader_free(t->build.reader);
    t->build.reader = fresh;
    t->skip_upto = t->last_seq;
    follow_file(t->wake, log_reader_fd(fresh));
    return pump(t, e);
}

/*
 * Finds out whether the build is over. *over is set with t->report.state; the lock is asked
 * before the rest is read, so that a free lock means that the rest is all.
 */
static enum err_code settle(struct tail *t, bool *over, int *limit_ms, struct err *e)
{
    bool lives = build_writer_lives(t->build.reader, last_start(t));
    enum err_code rc = pump(t, e);

    *limit_ms = -1;
    if (rc == ERR_NONE && !t->ended && !log_reader_current(t->build.reader, t->build.root_fd)) {
        rc = switch_file(t, limit_ms, e);
        if (*limit_ms < 0) /* what was asked was another file's lock */
            lives = build_writer_lives(t->build.reader, last_start(t));
        if (rc == ERR_NONE && *limit_ms < 0)
            rc = pump(t, e);
    }
    if (rc != ERR_NONE)
        return rc;
    *over = t->ended || !lives;
    if (*over)
        t->report.state = t->report.has_end ? STATE_ENDED : STATE_LOST;
    return ERR_NONE;
}

static enum err_code follow(struct tail *t, struct err *e)
{
    unsigned events = FOLLOW_CLOSED;
    int limit_ms = -1;
    bool over = false;

    t->live = true;
    while (!over) {
        enum err_code rc;

        if (events & FOLLOW_OUTPUT) {
            t->reader_gone = true;
            return ERR_NONE;
        }
        rc = events & (FOLLOW_CLOSED | FOLLOW_MOVED) || limit_ms >= 0
                 ? settle(t, &over, &limit_ms, e)
                 : pump(t, e);
        if (rc == ERR_NONE && t->ended)
            rc = settle(t, &over, &limit_ms, e);
        if (rc == ERR_NONE)
            rc = out_flush(&t->out);
        if (rc == ERR_NONE && !over)
            rc = follow_wait(t->wake, STDOUT_FILENO, limit_ms, &events, e);
        if (rc != ERR_NONE)
            return rc;
    }
    return ERR_NONE;
}

/* ---- the command -------------------------------------------------------------------- */

static bool parse_lines(struct tail *t, const struct parsed_option *lines)
{
    const char *text = lines->text;

    t->from_first = text[0] == '+';
    if (text[0] == '+' || text[0] == '-')
        text++;
    return parse_number(text, INT64_MAX, &t->n);
}

static enum err_code parse(struct tail *t, const struct cmd_args *args, struct err *e)
{
    static const char *const sources[] = {[CHOICE_TAIL_SRC_STDOUT] = "stdout",
                                          [CHOICE_TAIL_SRC_STDERR] = "stderr",
                                          [CHOICE_TAIL_SRC_MERGED] = "merged"};
    static const enum render_format formats[] = {[CHOICE_TAIL_OUTPUT_PRETTY] = RENDER_PRETTY,
                                                 [CHOICE_TAIL_OUTPUT_RAW] = RENDER_RAW,
                                                 [CHOICE_TAIL_OUTPUT_JSONL] = RENDER_JSONL};
    const struct parsed_option *output = options_find(args, OPT_OUTPUT);
    const struct parsed_option *src = options_find(args, OPT_SRC);
    const struct parsed_option *lines = options_find(args, OPT_LINES);

    t->command = args->command;
    t->n = TAIL_LINES;
    t->src = src != NULL ? sources[src->number] : NULL;
    t->follow = options_find(args, OPT_FOLLOW) != NULL;
    t->exit_status = options_find(args, OPT_EXIT_STATUS) != NULL;
    t->renderer.format = output != NULL ? formats[output->number] : RENDER_PRETTY;
    if (lines != NULL && !parse_lines(t, lines))
        return err_set(e, ERR_USAGE, "bad value for --lines", lines->text, "want N or +N");
    return ERR_NONE;
}

/* Goes to where showing begins: the last n, or from the n-th on. */
static enum err_code seek(struct tail *t, struct err *e)
{
    enum err_code rc;
    uint64_t skip;
    struct log_item item;
    bool have = true;

    if (!t->from_first)
        return log_reader_seek_tail(t->build.reader, t->n, shown, t, e);
    rc = log_reader_rewind(t->build.reader, e);
    for (skip = t->n > 0 ? t->n - 1 : 0; rc == ERR_NONE && have && skip > 0;) {
        rc = log_reader_next(t->build.reader, &item, &have, e);
        if (rc != ERR_NONE || !have)
            break;
        note(t, &item);
        skip -= shown(t, &item) ? 1 : 0;
    }
    return rc;
}

static enum err_code run_tail(struct tail *t, const struct cmd_args *args, struct err *e)
{
    enum err_code rc = open_build(args, &t->build, e);

    if (rc == ERR_NONE && t->follow) /* a store that is made anew is another one */
        confine_to_reading(args);
    else if (rc == ERR_NONE)
        confine_to_store(args, t->build.root_fd, false);
    if (rc == ERR_NONE)
        rc = build_report_read(t->build.reader, &t->report, e);
    if (rc == ERR_NONE && t->follow)
        rc = follow_new(&t->wake, e);
    if (rc != ERR_NONE)
        return rc;
    if (t->follow) /* before the first reading, so that nothing happens unseen */
        follow_file(t->wake, log_reader_fd(t->build.reader));
    rc = seek(t, e);
    if (rc == ERR_NONE)
        rc = pump(t, e);
    if (rc == ERR_NONE && t->follow && t->report.state == STATE_RUNNING) {
        follow_soon(t->wake);
        rc = follow(t, e);
    }
    return rc;
}

static int exit_status(const struct tail *t)
{
    bool ended = t->report.state == STATE_ENDED && t->report.has_end;
    int status = ended ? build_exit_status(&t->report.end) : -1;

    if (!t->exit_status)
        return EXIT_FOUND;
    return status >= 0 ? status : EXIT_REFUSED;
}

/* What a person wants to know at the end, and what nobody must miss. */
static void say_how(const struct tail *t)
{
    char outcome[OUTCOME_TEXT];
    char duration[DURATION_TEXT];
    char left_out[LEFT_OUT_TEXT];
    struct log_left_out l;
    bool running = t->report.state == STATE_RUNNING;
    int64_t ms = t->report.has_end ? record_number(&t->report.end, "durationMs", -1) : -1;
    int64_t lines = t->report.has_end ? record_number(&t->report.end, "lines", 0) : 0;

    log_reader_left_out(t->build.reader, &l);
    if (left_out_text(&l, running, left_out)[0] != '\0')
        cmd_warn(t->command, "build %s: left out: %s", t->build.id, left_out);
    if (t->report.state == STATE_LOST) {
        cmd_warn(t->command, "build %s: lost (its writer died without an end record)",
                 t->build.id);
        return;
    }
    if (t->renderer.format != RENDER_PRETTY)
        return;
    outcome_text(&t->report, outcome);
    if (running || ms < 0)
        cmd_warn(t->command, "build %s: %s", t->build.id, outcome);
    else
        cmd_warn(t->command, "build %s: %s, %s, %" PRId64 " line%s", t->build.id, outcome,
                 duration_text(ms, duration), lines, lines == 1 ? "" : "s");
}

static int finish(struct tail *t, enum err_code rc, const struct err *e)
{
    if (t->reader_gone || t->out.failed != 0)
        return out_finish(&t->out, t->command, EXIT_SIGNAL_BASE + SIGPIPE);
    if (rc != ERR_NONE) {
        cmd_warn_err(t->command, e);
        return out_finish(&t->out, t->command, EXIT_TROUBLE);
    }
    if (out_flush(&t->out) == ERR_NONE)
        say_how(t);
    return out_finish(&t->out, t->command, exit_status(t));
}

int cmd_tail(const struct cmd_args *args)
{
    struct tail t = {.build = {.root_fd = -1}};
    struct err e = {0};
    enum err_code rc = parse(&t, args, &e);
    int status;

    out_init(&t.out);
    t.renderer.sink = out_sink(&t.out);
    t.renderer.terminal = t.out.terminal;
    t.renderer.colour = t.out.colour;
    if (rc == ERR_NONE)
        rc = run_tail(&t, args, &e);
    status = finish(&t, rc, &e);
    follow_free(t.wake);
    build_report_release(&t.report);
    close_build(&t.build);
    render_release(&t.renderer);
    out_release(&t.out);
    return status;
}
