// SPDX-License-Identifier: MIT
/* What a session says: messages on stderr, events and the end in the log. See session.h. */
#include "run/session_state.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "run/procs.h"

enum { MESSAGE_MAX = 1024, SCANS_MAX = 10 };

/* ---- messages ------------------------------------------------------------------------ */

/* One line on stderr, behind what the command wrote there. What it names may hold a secret,
   whatever --redact says of the command's output. */
void session_say(struct session *s, const char *text)
{
    char line[MESSAGE_MAX];
    struct buf b;
    struct clean_span clean;
    int n;

    buf_init(&b, 8 * sizeof(line));
    if (redact_text((struct raw_span){text, strlen(text)}, s->o->rules, &b, &clean) != ERR_NONE)
        clean = clean_constant("out of memory");
    n = snprintf(line, sizeof(line), "buildlog run: %.*s\n", (int)clean.len, clean.ptr);
    buf_release(&b);
    if (n >= (int)sizeof(line)) {
        n = (int)sizeof(line) - 1;
        line[n - 1] = '\n';
    }
    terminal_message(&s->channels[ERR].terminal, line, (size_t)n);
}

void session_say_err(struct session *s, const struct err *e, const char *after)
{
    char text[MESSAGE_MAX];
    size_t n = err_format(e, text, sizeof(text));

    snprintf(text + n, sizeof(text) - n, "%s", after);
    session_say(s, text);
}

/* What the log has to tell, once. */
void session_say_log_notice(struct session *s)
{
    struct err e = {0};

    if (!build_log_notice(s->o->log, &e))
        return;
    if (e.code != ERR_NONE)
        session_say_err(s, &e, "; the command runs on, recording is retried");
    else if (!s->o->quiet)
        session_say(s, "the log is written again");
}

/* ---- events in the log --------------------------------------------------------------- */

void session_put_event(struct session *s, const char *level, const char *event,
                      const struct record_field *fields, size_t n)
{
    struct record_event r = {.level = level, .component = "run", .event = event,
                             .fields = fields, .n_fields = n};

    build_log_event(s->o->log, &r);
}

struct record_field session_number(const char *key, int64_t number)
{
    return (struct record_field){.key = key, .type = FIELD_NUMBER, .number = number};
}

struct record_field session_text(const char *key, struct clean_span text)
{
    return (struct record_field){.key = key, .type = FIELD_TEXT, .text = text};
}
void session_report_exec_failure(struct session *s, const struct err *e)
{
    char text[MESSAGE_MAX];
    struct buf b;
    struct clean_span why;

    err_format(e, text, sizeof(text));
    buf_init(&b, 4 * sizeof(text));
    if (redact_text((struct raw_span){text, strlen(text)}, s->o->redact ? s->o->rules : NULL, &b,
                    &why) == ERR_NONE) {
        const struct record_field fields[] = {session_text("error", why),
                                              session_number("exitCode", s->exec_exit_code)};

        session_put_event(s, "error", "exec_failed", fields, 2);
    }
    buf_release(&b);
}

/* ---- the end ------------------------------------------------------------------------- */

/* Names one process that keeps the command's output open. */
static void report_orphan(struct session *s, pid_t pid)
{
    char command[PROC_COMMAND_MAX];
    size_t n = procs_command(pid, command);
    struct buf b;
    struct clean_span clean;
    struct err e;

    buf_init(&b, 8 * sizeof(command));
    /* Both sides see the redacted form, whatever --redact says of the command's output. */
    if (redact_text((struct raw_span){command, n}, s->o->rules, &b, &clean) == ERR_NONE) {
        const struct record_field fields[] = {session_number("pid", pid),
                                              session_text("cmd", clean)};
        char name[PROC_COMMAND_MAX];

        session_put_event(s, "warn", "orphan", fields, 2);
        snprintf(name, sizeof(name), "%.*s", (int)clean.len, clean.ptr);
        (void)err_set(&e, ERR_REFUSED, "no longer recording", name,
                      "pid %d still holds the command's output; its further output will fail",
                      (int)pid);
        session_say_err(s, &e, "");
    }
    buf_release(&b);
}

/* Nobody in sight holds the output, and yet it is held: hidden in /proc, or in another
   namespace. */
static void report_hidden_orphan(struct session *s)
{
    session_put_event(s, "warn", "orphan", NULL, 0);
    session_say(s, "a process out of sight still holds the command's output; its further output "
                   "will fail");
}

/* Pipes that ended with someone holding them, less those that were let go in the meantime. */
static size_t held_keys(struct session *s, uint64_t keys[N_STREAMS])
{
    size_t n = 0;

    for (int i = 0; i < N_STREAMS; i++) {
        struct stream *stream = &s->channels[i].stream;

        if (stream->orphaned && !stream_let_go(stream))
            keys[n++] = stream->hold;
    }
    return n;
}

/* Drops those that were about to exit: what they forked is the one to name. */
static void keep_holders(struct proc_list *holders, const uint64_t *keys, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < holders->len; i++)
        if (procs_hold(holders->pids[i], keys, n))
            holders->pids[kept++] = holders->pids[i];
    holders->len = kept;
}

/*
 * A look at /proc is no snapshot: a holder may fork and exit while it is taken. So an empty
 * one is taken again, a bounded number of times.
 */
static void report_orphans(struct session *s)
{
    uint64_t keys[N_STREAMS];
    struct proc_list holders = {0};
    size_t n = held_keys(s, keys);

    for (int scan = 0; n > 0 && holders.len == 0 && scan < SCANS_MAX; scan++) {
        proc_list_release(&holders);
        procs_holders(keys, n, &holders);
        keep_holders(&holders, keys, n);
        if (holders.len == 0)
            n = held_keys(s, keys);
    }
    for (size_t i = 0; i < holders.len; i++)
        report_orphan(s, holders.pids[i]);
    if (n > 0 && holders.len == 0)
        report_hidden_orphan(s);
    proc_list_release(&holders);
    for (int i = 0; i < N_STREAMS; i++)
        stream_close(&s->channels[i].stream);
}

static void report_marks(struct session *s)
{
    static const char *const names[] = {"stdout", "stderr"};
    char text[MESSAGE_MAX];

    if (s->o->quiet || s->o->forward != FORWARD_REDACTED)
        return;
    for (int i = 0; i < N_STREAMS; i++) {
        uint64_t marks = s->channels[i].stream.marks_shown;

        if (marks == 0 || s->channels[i].terminal.is_tty)
            continue;
        snprintf(text, sizeof(text),
                 "%llu secret%s replaced on %s; --forward raw passes the output unchanged",
                 (unsigned long long)marks, marks == 1 ? " was" : "s were", names[i]);
        session_say(s, text);
    }
}

static enum build_status final_status(const struct session *s)
{
    bool by_signal = WIFSIGNALED(s->wait_status);

    if (s->exec_failed)
        return BUILD_EXEC_FAILED;
    if (s->timed_out)
        return BUILD_TIMEOUT;
    if (s->interrupted)
        return BUILD_INTERRUPTED;
    if (s->ctrl_c && (by_signal ? WTERMSIG(s->wait_status) == SIGINT
                                : WEXITSTATUS(s->wait_status) == 128 + SIGINT))
        return BUILD_INTERRUPTED;
    if (by_signal)
        return BUILD_SIGNALED;
    return WEXITSTATUS(s->wait_status) == 0 ? BUILD_OK : BUILD_FAILED;
}

void session_fill_result(const struct session *s, struct session_result *result)
{
    result->status = final_status(s);
    result->signal = WIFSIGNALED(s->wait_status) ? WTERMSIG(s->wait_status) : 0;
    result->exit_code = WIFSIGNALED(s->wait_status) ? -1 : WEXITSTATUS(s->wait_status);
    if (s->exec_failed) {
        result->signal = 0;
        result->exit_code = s->exec_exit_code;
    }
}

static int64_t timeval_ms(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

enum { RULES_MAX = 1024 };

/* Marks per rule over both streams. */
static size_t count_marks(const struct session *s, struct record_count *counts, size_t max)
{
    size_t n = redact_set_rules(s->o->rules) < max ? redact_set_rules(s->o->rules) : max;

    for (size_t rule = 0; rule < n; rule++) {
        counts[rule] = (struct record_count){.rule = redact_set_rule_name(s->o->rules, rule)};
        for (int i = 0; i < N_STREAMS; i++)
            if (s->channels[i].stream.for_log != NULL)
                counts[rule].n += redactor_marks(s->channels[i].stream.for_log, rule);
    }
    return n;
}

static void seal(struct session *s)
{
    struct session_result result;
    struct record_count counts[RULES_MAX];
    struct record_end r = {.ended_ms = clock_realtime_ms(), .complete = true};
    struct err e = {0};

    mask_socket_close(&s->mask_socket);
    report_orphans(s);
    report_marks(s);
    session_fill_result(s, &result);
    r.status = result.status;
    r.exit_code = result.exit_code;
    r.signal = result.signal;
    r.shutdown = result.status == BUILD_INTERRUPTED;
    r.duration_ms = (clock_monotonic_ns() - s->started_ns) / 1000000;
    for (int i = 0; i < N_STREAMS; i++) {
        r.bytes += s->channels[i].stream.bytes;
        r.complete = r.complete && !s->channels[i].stream.orphaned && !s->channels[i].stream.lost;
    }
    r.redactions = counts;
    r.n_redactions = count_marks(s, counts, RULES_MAX);
    r.max_rss_kb = s->usage.ru_maxrss;
    r.user_ms = timeval_ms(s->usage.ru_utime);
    r.sys_ms = timeval_ms(s->usage.ru_stime);
    if (build_log_seal(s->o->log, &r, &e) == ERR_NONE)
        session_say_log_notice(s);
    else if (build_log_begun(s->o->log)) /* else there is no log, and stderr heard of it */
        session_say_err(s, &e, "; the log has no end");
    session_set_state(s, SEALED);
}

/* DRAINING → SEALING → SEALED once no stream is open. */
void session_seal_if_drained(struct session *s)
{
    if (s->state != DRAINING || session_any_open(s))
        return;
    ev_timer_stop(s->loop, &s->linger);
    ev_timer_stop(s->loop, &s->grace);
    session_set_state(s, SEALING);
    if (s->in_session)
        session_terminal_drained(s);
    seal(s);
    ev_timer_stop(s->loop, &s->tick);
}
