// SPDX-License-Identifier: MIT
/*
 * buildlog tail: the last lines of a build, or all of it as it comes.
 *
 * Following ends with the end record, or when the log is no longer locked though there is none:
 * then the writer was killed and the build is lost. The lock is asked only when a writer has
 * closed the log, and what was written before that is read after it.
 *
 * When the path names another file (the log was removed under its writer, who made it anew, or
 * it was compressed), or the file was emptied, reading begins anew there, behind the last number
 * seen. A writer lets go of the old file before it makes the new one; so a free lock means
 * nothing as long as its process lives.
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/sys.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "cmd/tail_show.h"
#include "commands.gen.h"
#include "read/history.h"
#include "store/follow.h"
#include "store/layout.h"
#include "store/log_reader.h"
#include "store/state.h"

enum {
    TAIL_LINES = 20, /* shown if nothing else says how much */
    GONE_POLL_MS = 1000, /* how often a log that was removed, or lost its writer, is looked for */
    BORN_POLL_MS = 20,   /* … one that is there but empty as yet */
    GONE_GRACE_MS = 5000, /* a writer of which nothing is known makes its log anew within it */
    NS_PER_MS = 1000000,
    MAPPED_FROM = 1 << 20 /* bytes */
};

/* One attempt at a build: what tells its log from that of another build with this id. */
struct attempt {
    bool known;
    char started[32];
    int64_t pid;
};

struct tail {
    const struct command *command;
    bool follow;
    bool exit_status;
    uint64_t first; /* -n +N; 0: as `want` says */
    struct history_want want;

    struct opened_build build;
    struct build_report report; /* `end` always is the last end record read, if nothing followed */
    struct attempt oldest, newest; /* of the start records read */
    int64_t attempt;               /* the highest number of one */
    struct buf held;               /* a start record that may belong to what is skipped */
    struct out out;
    struct tail_show show;
    struct follow *wake;
    uint64_t last_seq;  /* of the records shown or passed over so far */
    uint64_t file_seq;  /* the same of this file alone */
    uint64_t skip_upto; /* numbers seen before, in a file that another one replaced */
    uint64_t read_upto; /* where the last record read ends in the file */
    struct log_left_out before; /* what the reader counted before the first record shown */
    struct log_left_out past;   /* what is to be told of files that were replaced */
    int64_t gone_ms;   /* since when the log is neither there nor locked; 0: it is */
    struct err unreachable; /* why what the path names now cannot be read; code 0: it can */
    bool live;         /* the first reading is over */
    bool ended;        /* the end record came while we were looking */
    bool reader_gone;  /* nobody reads stdout */
};

/* ---- what is left out ----------------------------------------------------------------------- */

/* What this file has to be told of, onto `to`. */
static void add_left_out(const struct tail *t, struct log_left_out *to)
{
    struct log_left_out l;

    log_reader_left_out(t->build.reader, &l);
    to->damaged += l.damaged - t->before.damaged;
    to->foreign += l.foreign - t->before.foreign;
    to->breaks += l.breaks - t->before.breaks;
    to->torn_bytes = l.torn_bytes;
    to->newer |= l.newer;
    to->cut |= l.cut;
}

/* ---- records -------------------------------------------------------------------------------- */

static struct attempt attempt_of(const struct record *start)
{
    struct attempt a = {.known = true, .pid = record_number(start, "pid", 0)};

    snprintf(a.started, sizeof(a.started), "%s", record_text(start, "startedAt", ""));
    return a;
}

static bool same_attempt(const struct attempt *a, const struct attempt *b)
{
    return a->known && b->known && a->pid == b->pid && strcmp(a->started, b->started) == 0;
}

static void keep_record(struct record *slot, bool *has, const struct log_item *item)
{
    if (*has)
        record_release(slot);
    *has = log_item_decode(item, slot, NULL) == ERR_NONE;
}

static void note_start(struct tail *t, const struct log_item *item)
{
    keep_record(&t->report.start, &t->report.has_start, item);
    if (!t->report.has_start)
        return;
    t->newest = attempt_of(&t->report.start);
    if (!t->oldest.known)
        t->oldest = t->newest;
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
        note_start(t, item);
    if (t->report.has_end && item->kind != RECORD_FOREIGN) {
        record_release(&t->report.end);
        t->report.has_end = false;
        t->ended = false;
    }
}

static enum err_code show(struct tail *t, const struct log_item *item, struct err *e)
{
    enum err_code rc = tail_show_put(&t->show, item, e);

    if (rc != ERR_FORMAT)
        return rc;
    log_reader_damaged(t->build.reader);
    return ERR_NONE;
}

/* Each attempt is shown once. One that may be of records seen before waits for the next number. */
static enum err_code take_start(struct tail *t, const struct log_item *item, struct err *e)
{
    int64_t attempt = t->report.has_start ? record_number(&t->report.start, "attempt", 1) : 1;

    t->held.len = 0;
    if (attempt <= t->attempt)
        return ERR_NONE;
    t->attempt = attempt;
    if (t->file_seq >= t->skip_upto)
        return show(t, item, e);
    return buf_put(&t->held, item->text.ptr, item->text.len);
}

static enum err_code show_held(struct tail *t, struct err *e)
{
    struct log_item item = {.kind = RECORD_START, .text = {t->held.data, t->held.len}};
    enum err_code rc = t->held.len > 0 ? show(t, &item, e) : ERR_NONE;

    t->held.len = 0;
    return rc;
}

static enum err_code take_numbered(struct tail *t, const struct log_item *item, struct err *e)
{
    enum err_code rc;

    t->file_seq = item->seq;
    if (item->seq <= t->skip_upto) {
        t->held.len = 0;
        log_reader_left_out(t->build.reader, &t->before);
        return ERR_NONE;
    }
    rc = show_held(t, e);
    if (rc == ERR_NONE)
        rc = show(t, item, e);
    if (rc == ERR_NONE)
        t->last_seq = item->seq;
    return rc;
}

static enum err_code take(struct tail *t, const struct log_item *item, struct err *e)
{
    t->read_upto = item->at + item->text.len + 1;
    note(t, item);
    if (item->kind == RECORD_START)
        return take_start(t, item, e);
    if (item->kind == RECORD_LINE || item->kind == RECORD_EVENT || item->kind == RECORD_GAP)
        return take_numbered(t, item, e);
    return ERR_NONE;
}

/* Shows all there is now. */
static enum err_code pump(struct tail *t, struct err *e)
{
    struct log_item item;
    bool have = true;
    enum err_code rc = ERR_NONE;

    while (rc == ERR_NONE) {
        rc = log_reader_next(t->build.reader, &item, &have, e);
        if (rc != ERR_NONE || !have)
            return rc;
        rc = take(t, &item, e);
    }
    return rc;
}

/* ---- another file --------------------------------------------------------------------------- */

static const struct record *last_start(const struct tail *t)
{
    return t->report.has_start ? &t->report.start : NULL;
}

/* The store's directory and the log by their names: all of it may have been removed and made
   anew. */
static enum err_code reopen(struct tail *t, struct log_reader **fresh, struct err *e)
{
    int root_fd;
    enum err_code rc = layout_open_root(t->build.root, false, &root_fd, e);

    if (rc != ERR_NONE)
        return rc;
    sys.close(t->build.root_fd);
    t->build.root_fd = root_fd;
    return log_reader_open(fresh, root_fd, t->build.id, e);
}

/* Whether the path just names no log, rather than one that cannot be read now. */
static bool is_nothing(const struct err *e)
{
    return e->code == ERR_NOT_FOUND || e->code == ERR_REFUSED || e->sys_errno == ENOTDIR ||
           e->sys_errno == ELOOP || e->sys_errno == ESTALE;
}

/* Whose log it is, by its first record; *there false: nothing is written as yet. */
static enum err_code read_attempt(struct log_reader *r, struct attempt *a, bool *there,
                                  struct err *e)
{
    struct log_item item;
    struct record record;
    enum err_code rc = log_reader_next(r, &item, there, e);

    *a = (struct attempt){0};
    if (rc != ERR_NONE || !*there)
        return rc;
    if (item.kind == RECORD_START && log_item_decode(&item, &record, NULL) == ERR_NONE) {
        *a = attempt_of(&record);
        record_release(&record);
    }
    return log_reader_rewind(r, e);
}

/* A log that no attempt we know began is another build's, with numbers of its own. */
static void go_on_in(struct tail *t, struct log_reader *fresh, const struct attempt *a)
{
    bool ours = !a->known || same_attempt(a, &t->oldest) || same_attempt(a, &t->newest);

    add_left_out(t, &t->past);
    t->before = (struct log_left_out){0};
    log_reader_free(t->build.reader);
    t->build.reader = fresh;
    t->file_seq = t->read_upto = 0;
    if (!ours) {
        t->last_seq = 0;
        t->attempt = 1;
        t->oldest.known = false;
    }
    t->skip_upto = t->last_seq;
    follow_file(t->wake, log_reader_fd(fresh));
}

/* The path names another file, or none, or nothing that can be opened now. *limit_ms: how soon to
   look again, if at all. */
static enum err_code switch_file(struct tail *t, int *limit_ms, struct err *e)
{
    struct log_reader *fresh = NULL;
    struct attempt a;
    bool there = false;
    enum err_code rc = reopen(t, &fresh, e);

    t->unreachable.code = ERR_NONE;
    if (rc != ERR_NONE) {
        *limit_ms = GONE_POLL_MS;
        if (!is_nothing(e))
            t->unreachable = *e;
        return rc == ERR_MEMORY ? rc : ERR_NONE;
    }
    rc = read_attempt(fresh, &a, &there, e);
    if (rc == ERR_NONE && there) {
        go_on_in(t, fresh, &a);
        return pump(t, e);
    }
    *limit_ms = BORN_POLL_MS;
    log_reader_free(fresh);
    return rc;
}

/* Someone emptied the file: what is read next would not be what comes next. */
static bool was_cut(const struct tail *t)
{
    struct stat st;

    return !log_reader_compressed(t->build.reader) &&
           sys.fstat(log_reader_fd(t->build.reader), &st) == 0 &&
           (uint64_t)st.st_size < t->read_upto;
}

static bool in_place(const struct tail *t)
{
    return log_reader_current(t->build.reader, t->build.root_fd) && !was_cut(t);
}

/* ---- following ------------------------------------------------------------------------------ */

/* The log is not locked and has no end record. True: nobody will write one. */
static bool writer_is_gone(struct tail *t, bool there, int *limit_ms)
{
    enum writer_process process = build_writer_process(last_start(t));
    bool reachable = t->unreachable.code == ERR_NONE;
    int64_t now_ms = clock_monotonic_ns() / NS_PER_MS;

    if (log_reader_compressed(t->build.reader) || (process == WRITER_GONE && reachable) ||
        (process == WRITER_UNKNOWN && there))
        return true;
    if (t->gone_ms == 0)
        t->gone_ms = now_ms;
    if (process != WRITER_LIVES && now_ms - t->gone_ms >= GONE_GRACE_MS)
        return true;
    if (*limit_ms < 0)
        *limit_ms = GONE_POLL_MS;
    return false;
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
    if (rc == ERR_NONE && !t->ended && !in_place(t)) {
        rc = switch_file(t, limit_ms, e);
        if (*limit_ms < 0) /* what was asked was another file's lock */
            lives = build_writer_lives(t->build.reader, last_start(t));
        if (rc == ERR_NONE && *limit_ms < 0)
            rc = pump(t, e);
    }
    if (rc != ERR_NONE)
        return rc;
    if (lives)
        t->gone_ms = 0;
    *over = t->ended || (!lives && writer_is_gone(t, *limit_ms < 0, limit_ms));
    if (*over && !t->ended && t->unreachable.code != ERR_NONE) {
        *e = t->unreachable;
        return e->code;
    }
    if (*over)
        t->report.state = t->report.has_end ? STATE_ENDED : STATE_LOST;
    return ERR_NONE;
}

/* After something happened, or the time was over. */
static enum err_code look(struct tail *t, unsigned events, bool *over, int *limit_ms,
                          struct err *e)
{
    enum err_code rc = ERR_NONE;
    bool ask = (events & (FOLLOW_CLOSED | FOLLOW_MOVED)) != 0 || *limit_ms >= 0;

    if (!ask) {
        rc = pump(t, e);
        ask = rc == ERR_NONE && (t->ended || was_cut(t));
    }
    if (rc == ERR_NONE && ask)
        rc = settle(t, over, limit_ms, e);
    return rc == ERR_NONE ? out_flush(&t->out) : rc;
}

static enum err_code follow(struct tail *t, struct err *e)
{
    unsigned events = FOLLOW_CLOSED;
    int limit_ms = -1;
    bool over = false;
    enum err_code rc = ERR_NONE;

    t->live = true;
    while (rc == ERR_NONE && !t->reader_gone) {
        rc = look(t, events, &over, &limit_ms, e);
        if (over)
            break;
        if (rc == ERR_NONE)
            rc = follow_wait(t->wake, STDOUT_FILENO, limit_ms, &events, e);
        t->reader_gone = rc == ERR_NONE && (events & FOLLOW_OUTPUT) != 0;
    }
    return rc;
}

/* ---- the command ---------------------------------------------------------------------------- */

static enum err_code parse_lines(struct tail *t, const struct parsed_option *lines,
                                 struct err *e)
{
    const char *text = lines->text;
    bool from_first = text[0] == '+';
    uint64_t n;

    if (text[0] == '+' || text[0] == '-')
        text++;
    if (!parse_number(text, INT64_MAX, &n))
        return err_set(e, ERR_USAGE, "bad value for --lines", lines->text, "want N or +N");
    if (from_first)
        t->first = n > 0 ? n : 1;
    t->want.last = from_first ? UINT64_MAX : n;
    return ERR_NONE;
}

/* How much of the past is shown. */
static enum err_code parse_want(struct tail *t, const struct cmd_args *args, struct err *e)
{
    const struct parsed_option *lines = options_find(args, OPT_LINES);
    const struct parsed_option *bytes = options_find(args, OPT_BYTES);
    const struct parsed_option *after = options_find(args, OPT_AFTER_SEQ);
    enum err_code rc = ERR_NONE;

    t->want = (struct history_want){.last = TAIL_LINES, .bytes = UINT64_MAX};
    if (bytes != NULL || after != NULL)
        t->want.last = UINT64_MAX;
    if (lines != NULL)
        rc = parse_lines(t, lines, e);
    if (bytes != NULL)
        t->want.bytes = (uint64_t)bytes->number;
    if (after != NULL)
        t->want.after_seq = (uint64_t)after->number;
    if (rc == ERR_NONE && bytes != NULL && t->first > 0)
        rc = err_set(e, ERR_USAGE, "cannot use", "--bytes", "-n +N counts from the beginning");
    return rc;
}

static enum err_code parse(struct tail *t, const struct cmd_args *args, struct err *e)
{
    enum err_code rc;

    t->follow = options_find(args, OPT_FOLLOW) != NULL;
    t->exit_status = options_find(args, OPT_EXIT_STATUS) != NULL;
    rc = parse_want(t, args, e);
    if (rc == ERR_NONE)
        rc = tail_show_init(&t->show, &t->out, args, e);
    t->want.part = t->show.renderer.format == RENDER_RAW;
    t->skip_upto = t->last_seq = t->want.after_seq;
    return rc;
}

static bool eye_counts(void *arg, const struct log_item *item)
{
    struct tail *t = arg;

    return tail_show_wants(&t->show, item);
}

static uint64_t eye_weigh(void *arg, const struct log_item *item)
{
    struct tail *t = arg;

    return tail_show_weigh(&t->show, item);
}

static void eye_pass(void *arg, const struct log_item *item)
{
    note(arg, item);
}

static void eye_begin(void *arg, uint64_t cut, const struct log_left_out *before)
{
    struct tail *t = arg;

    t->show.cut = cut;
    t->before = *before;
}

static enum err_code eye_show(void *arg, const struct log_item *item, struct err *e)
{
    return show(arg, item, e);
}

/* From the n-th on of what is shown. */
static enum err_code seek_first(struct tail *t, struct err *e)
{
    enum err_code rc = log_reader_rewind(t->build.reader, e);
    struct log_item item;
    bool have = true;

    for (uint64_t skip = t->first - 1; rc == ERR_NONE && skip > 0;) {
        rc = log_reader_next(t->build.reader, &item, &have, e);
        if (rc != ERR_NONE || !have)
            break;
        note(t, &item);
        if (item.seq > t->skip_upto && tail_show_wants(&t->show, &item))
            skip--;
    }
    return rc;
}

static enum err_code seek_last(struct tail *t, struct err *e)
{
    const struct history_eye eye = {t, eye_counts, eye_weigh, eye_pass, eye_begin, eye_show};

    return history_seek(t->build.reader, &t->want, &eye, e);
}

/* A compressed log has no writer, and is read once: what is told of it comes with reading. */
static enum err_code read_report(struct tail *t, struct err *e)
{
    t->report.state = STATE_LOST;
    if (log_reader_compressed(t->build.reader))
        return ERR_NONE;
    return build_report_read(t->build.reader, &t->report, e);
}

static enum err_code show_history(struct tail *t, struct err *e)
{
    bool hold = !t->follow;
    enum err_code rc;

    if (hold && t->first > 0)
        log_reader_hold(t->build.reader);
    rc = t->first > 0 ? seek_first(t, e) : seek_last(t, e);
    if (rc == ERR_NONE && t->show.trouble != ERR_NONE)
        rc = err_set(e, t->show.trouble, "cannot read build", t->build.id, "no memory");
    if (hold && t->first == 0)
        log_reader_hold(t->build.reader);
    if (rc == ERR_NONE)
        rc = pump(t, e);
    if (rc == ERR_NONE && log_reader_compressed(t->build.reader) && t->report.has_end)
        t->report.state = STATE_ENDED;
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
        rc = read_report(t, e);
    if (rc == ERR_NONE && t->follow)
        rc = follow_new(&t->wake, e);
    if (rc != ERR_NONE)
        return rc;
    if (t->report.has_start)
        t->oldest = t->newest = attempt_of(&t->report.start);
    if (t->follow) /* before the first reading, so that nothing happens unseen */
        follow_file(t->wake, log_reader_fd(t->build.reader));
    rc = show_history(t, e);
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

/* What could not be read, and gaps that the form or a filter hides. */
static void say_left_out(const struct tail *t)
{
    char text[LEFT_OUT_TEXT];
    struct log_left_out l = t->past;
    const struct tail_show *s = &t->show;

    add_left_out(t, &l);
    if (left_out_text(&l, t->report.state == STATE_RUNNING, text)[0] != '\0')
        cmd_warn(t->command, "build %s: left out: %s", t->build.id, text);
    if (s->gaps > 0)
        cmd_warn(t->command,
                 "build %s: not shown: %" PRIu64 " gap%s, where %" PRIu64
                 " line%s could not be recorded", t->build.id, s->gaps, s->gaps == 1 ? "" : "s",
                 s->missing, s->missing == 1 ? "" : "s");
}

/* What a person wants to know at the end, and what nobody must miss. */
static void say_how(const struct tail *t)
{
    char outcome[OUTCOME_TEXT];
    char duration[DURATION_TEXT];
    bool running = t->report.state == STATE_RUNNING;
    int64_t ms = t->report.has_end ? record_number(&t->report.end, "durationMs", -1) : -1;
    int64_t lines = t->report.has_end ? record_number(&t->report.end, "lines", 0) : 0;

    say_left_out(t);
    if (t->report.state == STATE_LOST) {
        cmd_warn(t->command, "build %s: lost (its writer died without an end record)",
                 t->build.id);
        return;
    }
    if (t->show.renderer.format != RENDER_PRETTY && !(running && t->exit_status))
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
    if (tail_show_end(&t->show) == ERR_NONE && out_flush(&t->out) == ERR_NONE)
        say_how(t);
    return out_finish(&t->out, t->command, exit_status(t));
}

static void release(struct tail *t)
{
    follow_free(t->wake);
    build_report_release(&t->report);
    close_build(&t->build);
    tail_show_release(&t->show);
    buf_release(&t->held);
    out_release(&t->out);
}

/* Large blocks are mapped each by itself, so that memory is taken and given back as the records
   come: left to itself, the allocator keeps them in a heap where holes add up. */
static void keep_heap_small(void)
{
#ifdef M_MMAP_THRESHOLD
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
#endif
}

int cmd_tail(const struct cmd_args *args)
{
    struct tail t = {.command = args->command, .build = {.root_fd = -1}, .attempt = 1};
    struct err e = {0};
    enum err_code rc;
    int status;

    keep_heap_small();
    buf_init(&t.held, LOG_LINE_MAX);
    out_init_for(&t.out, args);
    rc = parse(&t, args, &e);
    if (rc == ERR_NONE)
        rc = run_tail(&t, args, &e);
    status = finish(&t, rc, &e);
    release(&t);
    return status;
}
