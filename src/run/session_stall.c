// SPDX-License-Identifier: MIT
/*
 * A command that makes no progress: nothing printed for --idle-timeout, or nothing that was not
 * said before for --stall-timeout. See session.h.
 *
 * Armed lazily: output only notes the time, and the timer looks how long ago that was.
 */
#include "run/session_state.h"

#include "base/clock.h"
#include "redact/clean_buf.h"
#include "run/autopsy.h"
#include "text/utf8.h"

#define NS_PER_MS 1000000

/* ---- the event ------------------------------------------------------------------------------ */

/* What a stream has of a line that is not ended yet: a question, most likely. */
static struct clean_span unfinished(const struct session *s)
{
    for (int i = N_STREAMS - 1; i >= 0; i--) {
        const struct splitter *splitter = &s->channels[i].stream.splitter;

        struct clean_span line = clean_buf_span(&splitter->line);

        if (s->channels[i].open && line.len > WATCH_LAST_MAX)
            return clean_sub(line, 0, utf8_cut(line.ptr, WATCH_LAST_MAX));
        if (s->channels[i].open && line.len > 0)
            return line;
    }
    return (struct clean_span){0};
}

static void put_stall(struct session *s, const char *reason, int64_t after_ns,
                      const struct autopsy *a)
{
    struct record_field fields[7];
    struct clean_span last = clean_buf_span(&s->watch.last);
    struct clean_span rest = unfinished(s);
    size_t n = 0;

    fields[n++] = session_text("reason", clean_constant(reason));
    fields[n++] = session_number("afterMs", after_ns / NS_PER_MS);
    fields[n++] = session_text("action", clean_constant(s->o->stall_report ? "report" : "kill"));
    if (last.len > 0 && !s->o->no_payload)
        fields[n++] = session_text("last", last);
    if (rest.len > 0 && !s->o->no_payload)
        fields[n++] = session_text("unfinished", rest);
    if (a != NULL)
        fields[n++] = autopsy_field(a, "processes");
    if (a != NULL && a->omitted > 0)
        fields[n++] = session_number("omitted", (int64_t)a->omitted);
    session_put_event(s, s->o->stall_report ? "warn" : "error", "stall", fields, n);
    (void)build_log_flush(s->o->log);
}

static void report_stall(struct session *s, const char *reason, int64_t after_ns)
{
    uint64_t keys[N_STREAMS];
    struct autopsy a;

    if (autopsy_init(&a, s->o->rules) != ERR_NONE) {
        put_stall(s, reason, after_ns, NULL);
        return;
    }
    autopsy_look(&a, s->child.pid, keys, session_open_keys(s, keys));
    put_stall(s, reason, after_ns, &a);
    autopsy_release(&a);
}

/* ---- the timers ------------------------------------------------------------------------------ */

static void look(struct session *s, struct patience *p, const char *reason)
{
    int64_t now = clock_monotonic_ns();
    int64_t left;

    if (s->state > RUNNING)
        return;
    if (session_unfinished_output(s))
        p->since_ns = now; /* it is the reader that is idle, not the command */
    left = p->limit_ns - (now - p->since_ns);
    if (left > 0) {
        session_start_timer(s, &p->timer, (double)left / NS_PER_S);
        return;
    }
    if (p->told_ns != p->since_ns) /* once for each stall */
        report_stall(s, reason, p->limit_ns);
    p->told_ns = p->since_ns;
    if (s->o->stall_report)
        session_start_timer(s, &p->timer, (double)p->limit_ns / NS_PER_S);
    else
        session_time_is_up(s, reason, p->limit_ns);
}

static void on_idle(struct ev_loop *loop, ev_timer *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    look(s, &s->idle, "idle");
    session_settle(s);
}

static void on_stall(struct ev_loop *loop, ev_timer *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    look(s, &s->stall, "stall");
    session_settle(s);
}

static void init_patience(struct session *s, struct patience *p, int64_t limit_ns,
                          void (*on_timer)(struct ev_loop *, ev_timer *, int))
{
    *p = (struct patience){.limit_ns = limit_ns, .told_ns = -1};
    ev_timer_init(&p->timer, on_timer, (double)limit_ns / NS_PER_S, 0.);
    p->timer.data = s;
}

enum err_code session_stall_init(struct session *s, struct err *e)
{
    const bool wanted = s->o->idle_timeout_ns > 0 || s->o->stall_timeout_ns > 0;

    init_patience(s, &s->idle, s->o->idle_timeout_ns, on_idle);
    init_patience(s, &s->stall, s->o->stall_timeout_ns, on_stall);
    if (wanted && line_watch_init(&s->watch, s->o->stall_timeout_ns > 0) != ERR_NONE)
        return err_set(e, ERR_MEMORY, "cannot start", s->o->argv[0], "out of memory");
    return ERR_NONE;
}

void session_stall_start(struct session *s)
{
    s->idle.since_ns = s->stall.since_ns = s->started_ns;
    if (s->idle.limit_ns > 0)
        ev_timer_start(s->loop, &s->idle.timer);
    if (s->stall.limit_ns > 0)
        ev_timer_start(s->loop, &s->stall.timer);
}

void session_stall_stop(struct session *s)
{
    ev_timer_stop(s->loop, &s->idle.timer);
    ev_timer_stop(s->loop, &s->stall.timer);
}

static void resume(struct session *s, struct patience *p, int64_t paused_ns)
{
    if (p->limit_ns == 0)
        return;
    /* Said already or not: that the command was stopped is no news of it. */
    if (p->told_ns == p->since_ns)
        p->told_ns += paused_ns;
    p->since_ns += paused_ns;
    session_start_timer(s, &p->timer, 0.); /* looks how much is left */
}

void session_stall_resume(struct session *s, int64_t paused_ns)
{
    resume(s, &s->idle, paused_ns);
    resume(s, &s->stall, paused_ns);
}

void session_note_output(struct session *s)
{
    s->idle.since_ns = clock_monotonic_ns();
    if (s->watch.fresh)
        s->stall.since_ns = s->idle.since_ns;
    s->watch.fresh = false;
}
