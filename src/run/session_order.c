// SPDX-License-Identifier: MIT
/*
 * --order exact in a session: the loop's side of order.h. See session.h.
 *
 * Both streams are one: whichever is readable, both are looked at, and what comes out goes
 * through the redactors in the order of writing, then to the log with one write, then to the
 * terminals. While one of those is blocked nothing is received, for either stream.
 */
#include "run/session_state.h"

#include "base/sys.h"

/* Looks a turn may take to tell which of two streams was first; then others get theirs. */
enum { LOOKS_MAX = 16, TURN_BYTES_MAX = 256 << 10 };

enum err_code session_order_add(struct session *s, int i, int read_fd, struct err *e)
{
    return order_add(&s->order, i, read_fd, e);
}

static void take_next(struct session *s, int i, struct raw_span span)
{
    ev_timer_stop(s->loop, &s->channels[i].preview); /* counted from the last byte read */
    stream_take(&s->channels[i].stream, span);
}

/* What one turn takes of both queues, in order; false: nothing came. */
static bool take_in_order(struct session *s)
{
    size_t bytes = 0;
    int looks = ORDER_QUEUES;

    for (int i = 0; i < ORDER_QUEUES; i++)
        order_look(&s->order, i);
    while (bytes < TURN_BYTES_MAX) {
        struct raw_span span;
        int i = 0;

        switch (order_next(&s->order, &i, &span)) {
        case ORDER_BYTES:
            take_next(s, i, span);
            bytes += span.len;
            break;
        case ORDER_LOOK:
            if (++looks > LOOKS_MAX)
                return bytes > 0;
            order_look(&s->order, i);
            break;
        case ORDER_EMPTY:
            return bytes > 0;
        }
    }
    return true;
}

static void end_if_over(struct session *s, int i)
{
    struct channel *c = &s->channels[i];
    const struct order_queue *q = &s->order.queues[i];

    if (!c->open || !order_ended(&s->order, i))
        return;
    c->stream.orphaned = q->held;
    c->stream.lost = c->stream.lost || q->lost;
    session_end_channel(c);
}

/* Once: the reader of the log is to know that the order is not what it should be. */
static void tell_set_back(struct session *s)
{
    if (!s->order.set_back || s->told_set_back)
        return;
    s->told_set_back = true;
    session_put_event(s, "warn", "order_uncertain", NULL, 0);
}

void session_order_turn(struct session *s)
{
    ev_timer_stop(s->loop, &s->order_again);
    stage_show(&s->stage);
    if (stage_pending(&s->stage))
        return;
    for (int i = 0; i < N_STREAMS; i++)
        if (s->channels[i].stream.limited)
            order_limit(&s->order, i);
    if (take_in_order(s))
        session_note_output(s);
    tell_set_back(s);
    (void)build_log_flush(s->o->log);
    stage_show(&s->stage);
    if (stage_pending(&s->stage))
        return;
    for (int i = 0; i < N_STREAMS; i++)
        end_if_over(s, i);
    stage_hand_over(&s->stage); /* what the ends brought */
}

static void on_order_again(struct ev_loop *loop, ev_timer *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    session_order_turn(s);
    session_look_at_closed(s, &s->channels[OUT]);
    session_look_at_closed(s, &s->channels[ERR]);
    session_say_log_notice(s);
    session_settle(s);
}

void session_order_init(struct session *s)
{
    order_init(&s->order);
    stage_init(&s->stage);
    ev_timer_init(&s->order_again, on_order_again, 0., 0.);
    s->order_again.data = s;
}

void session_order_release(struct session *s)
{
    order_release(&s->order);
    stage_release(&s->stage);
}

/* Something is to be done of which no descriptor will tell. */
static bool has_rest(const struct session *s)
{
    if (stage_pending(&s->stage) || order_pending(&s->order))
        return true;
    for (int i = 0; i < N_STREAMS; i++)
        if (s->channels[i].open &&
            (s->channels[i].stream.limited || order_ended(&s->order, i)))
            return true;
    return false;
}

void session_order_settle(struct session *s)
{
    bool blocked = terminal_blocked(&s->channels[OUT].terminal) ||
                   terminal_blocked(&s->channels[ERR].terminal);

    if (!has_rest(s) || blocked)
        ev_timer_stop(s->loop, &s->order_again);
    else if (!ev_is_active(&s->order_again))
        session_start_timer(s, &s->order_again, 0.);
}
