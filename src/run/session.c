// SPDX-License-Identifier: MIT
#include "run/session.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <errno.h>

#include "base/clock.h"
#include "base/sys.h"
#include "run/procs.h"
#include "run/session_state.h"

/* ---- the state ----------------------------------------------------------------------- */

bool session_any_open(const struct session *s)
{
    return s->channels[OUT].open || s->channels[ERR].open;
}

static void session_check(const struct session *s)
{
    (void)s; /* a release checks nothing */
    assert((s->state < DRAINING) == !s->reaped);
    assert(s->state != DRAINING || session_any_open(s));
    assert(s->state < SEALING || !session_any_open(s));
    assert(s->state != SPAWN || s->child.errno_fd >= 0);
    /* A timer that has fired is no longer active, and others of the same turn come first. */
    assert(s->state != STOPPING || ev_is_active(&s->grace) || ev_is_pending(&s->grace));
}

void session_set_state(struct session *s, enum state next)
{
    /* Never backwards: what the diagram shows are the only ways. */
    assert(next > s->state);
    s->state = next;
}

/* ---- watching ------------------------------------------------------------------------ */

void session_watch_io(struct session *s, ev_io *w, bool wanted)
{
    if (wanted && !ev_is_active(w))
        ev_io_start(s->loop, w);
    else if (!wanted && ev_is_active(w))
        ev_io_stop(s->loop, w);
}

/* Seconds of a timer; stopped and set again. 0 fires in the next turn. */
void session_start_timer(struct session *s, ev_timer *t, double after)
{
    ev_timer_stop(s->loop, t);
    ev_timer_set(t, after, 0.);
    ev_now_update(s->loop);
    ev_timer_start(s->loop, t);
}

bool session_unfinished_output(const struct session *s)
{
    return stage_pending(&s->stage) || terminal_blocked(&s->channels[OUT].terminal) ||
           terminal_blocked(&s->channels[ERR].terminal);
}

/* What was read has not been passed on yet: no more is read. This is the backpressure. */
static bool held_up(const struct channel *c)
{
    size_t most = c->stream.is_pty ? STREAM_PTY_AHEAD : 0;

    if (c->session->o->exact)
        return session_unfinished_output(c->session);
    return c->stream.terminal != NULL && terminal_kept(&c->terminal) > most;
}

static void update_channel(struct session *s, struct channel *c)
{
    bool blocked = terminal_blocked(&c->terminal);
    bool wants_preview = c->open && !held_up(c) && stream_wants_preview(&c->stream);

    session_watch_io(s, &c->readable, c->open && !held_up(c));
    session_watch_io(s, &c->writable, blocked);
    if (!wants_preview)
        ev_timer_stop(s->loop, &c->preview);
    else if (!ev_is_active(&c->preview))
        session_start_timer(s, &c->preview, PREVIEW_S);
}

static void update_give_up(struct session *s)
{
    bool ending = s->stopping || (s->ctrl_c && s->reaped);
    bool wanted = ending && session_unfinished_output(s);

    if (!wanted) {
        ev_timer_stop(s->loop, &s->give_up);
    } else if (!ev_is_active(&s->give_up)) {
        for (int i = 0; i < N_STREAMS; i++)
            s->moved[i] = s->channels[i].terminal.moved;
        session_start_timer(s, &s->give_up, (double)s->o->grace_ns / NS_PER_S);
    }
}

void session_end_channel(struct channel *c)
{
    struct session *s = c->session;

    ev_io_stop(s->loop, &c->readable);
    if (s->o->exact)
        order_drop(&s->order, (int)(c - s->channels));
    stream_finish(&c->stream);
    c->open = false;
}

/*
 * A stream that is to end with what was in its pipe: nothing more may ever become readable, so
 * the last look, which tells end of file from an orphan, is taken without waiting for it.
 */
static void take_last_looks(struct session *s)
{
    for (int i = 0; i < N_STREAMS; i++) {
        struct channel *c = &s->channels[i];

        enum stream_turn turn = STREAM_READ;

        while (turn == STREAM_READ && c->open && !s->o->exact &&
               stream_wants_turns(&c->stream) && !held_up(c))
            turn = stream_turn(&c->stream, s->scratch);
        if (turn == STREAM_ENDED)
            session_end_channel(c);
    }
}

/* Called at the end of every event: nothing else starts or stops the watchers. */
void session_settle(struct session *s)
{
    take_last_looks(s);
    session_seal_if_drained(s);
    for (int i = 0; i < N_STREAMS; i++)
        update_channel(s, &s->channels[i]);
    if (s->in_session)
        session_terminal_watch(s);
    if (s->o->exact)
        session_order_settle(s);
    update_give_up(s);
    session_check(s);
    if (s->state == SEALED && !session_unfinished_output(s))
        ev_break(s->loop, EVBREAK_ALL);
}

/* ---- the exec's outcome ---------------------------------------------------------------- */

void session_take_exec_result(struct session *s)
{
    struct err e;
    enum spawn_outcome outcome =
        spawn_result(&s->spawn, s->child.errno_fd, &s->exec_exit_code, &e);

    if (outcome == SPAWN_PENDING)
        return;
    ev_io_stop(s->loop, &s->exec_result);
    sys.close(s->child.errno_fd);
    s->child.errno_fd = -1;
    if (outcome == SPAWN_FAILED) {
        s->exec_failed = true;
        session_say_err(s, &e, "");
        session_report_exec_failure(s, &e);
    }
    if (s->state == SPAWN)
        session_set_state(s, RUNNING);
}

static void on_exec_result(struct ev_loop *loop, ev_io *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    session_take_exec_result(s);
    session_settle(s);
}

/* ---- bytes --------------------------------------------------------------------------- */

/* The reader of this stream is gone: with --on-closed stop the command is to notice. */
void session_look_at_closed(struct session *s, struct channel *c)
{
    struct err e;

    if (c->terminal.sys_errno == 0)
        return;
    if (c->terminal.sys_errno != EPIPE) {
        errno = c->terminal.sys_errno;
        (void)err_system(&e, "cannot write to", c == &s->channels[OUT] ? "stdout" : "stderr");
        session_say_err(s, &e, "; its output goes on to the log only");
    }
    c->terminal.sys_errno = 0;
    if (s->o->stop_on_closed && c->open) {
        c->stream.lost = true; /* its pipe did not reach its end */
        session_end_channel(c);
    }
}

static void take_turn(struct session *s, struct channel *c)
{
    enum stream_turn turn = stream_turn(&c->stream, s->scratch);

    if (turn != STREAM_IDLE) {
        session_note_output(s);
        s->unfinished = c->stream.mid_line ? c : NULL;
    }
    if (turn == STREAM_ENDED)
        session_end_channel(c);
    ev_timer_stop(s->loop, &c->preview); /* counted from the last byte read */
}

/*
 * Of two ready streams stdout goes first. But where stderr is what draws (fzf does), what comes to
 * stdout in the same turn is the result, and the screen has been tidied up before it. So has a line
 * of stderr's on which the cursor stands (a spinner's, npm has one).
 */
static void draw_first(struct session *s, const struct channel *c)
{
    struct channel *other = &s->channels[ERR];

    if (c == &s->channels[OUT] && other->open && !held_up(other) &&
        (session_unfinished_first(s, c) || s->stderr_draws))
        take_turn(s, other);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
    struct channel *c = w->data;
    struct session *s = c->session;

    (void)loop, (void)events;
    if (s->o->exact) {
        session_order_turn(s);
    } else {
        draw_first(s, c);
        take_turn(s, c);
    }
    for (int i = 0; i < N_STREAMS; i++)
        session_look_at_closed(s, &s->channels[i]);
    session_say_log_notice(s);
    session_settle(s);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int events)
{
    struct channel *c = w->data;

    (void)loop, (void)events;
    terminal_flush(&c->terminal);
    session_look_at_closed(c->session, c);
    session_settle(c->session);
}

static void on_preview(struct ev_loop *loop, ev_timer *w, int events)
{
    struct channel *c = w->data;

    (void)loop, (void)events;
    stream_preview(&c->stream);
    session_look_at_closed(c->session, c);
    session_settle(c->session);
}

static void on_tick(struct ev_loop *loop, ev_timer *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    if (s->state < SEALED)
        build_log_tick(s->o->log);
    mask_socket_tick(&s->mask_socket);
    session_note_size(s);
    session_look_at_child(s); /* SIGCHLD told of it, but a wait that failed was not repeated */
    session_say_log_notice(s);
    session_settle(s);
}

/* ---- setting up and tidying away ------------------------------------------------------ */

static void init_channel(struct session *s, int i)
{
    struct channel *c = &s->channels[i];

    c->session = s;
    c->stream.fd = -1;
    terminal_init(&c->terminal, i == OUT ? STDOUT_FILENO : STDERR_FILENO,
              s->o->closed[i == OUT ? STDOUT_FILENO : STDERR_FILENO]);
    ev_io_init(&c->writable, on_writable, c->terminal.fd, EV_WRITE);
    ev_timer_init(&c->preview, on_preview, 0., 0.);
    c->writable.data = c->preview.data = c;
}

/* Makes a pipe, or takes the pseudo-terminal that is there: fds[0] is ours and does not block,
   fds[1] the command's. */
static enum err_code open_ends(const struct session *s, struct pty *pty, int fds[2], struct err *e)
{
    enum err_code rc;

    if (s->o->exact)
        return order_pair(fds, e);
    if (pty->master_fd >= 0) {
        fds[0] = pty->master_fd;
        fds[1] = pty->slave_fd;
        *pty = (struct pty){-1, -1};
        return ERR_NONE;
    }
    if (sys.pipe2(fds, O_CLOEXEC) != 0)
        return err_system(e, "cannot make a pipe", "");
    /* Our end alone must not block: each end of a pipe has a description of its own. */
    if (sys.fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
        return ERR_NONE;
    rc = err_system(e, "cannot make a pipe", "");
    sys.close(fds[0]);
    sys.close(fds[1]);
    return rc;
}

/* What one stream is read from; *write_fd is the command's end. */
static enum err_code open_channel(struct session *s, int i, int *write_fd, struct err *e)
{
    struct channel *c = &s->channels[i];
    struct pty *pty = &s->o->ptys->items[i];
    enum build_log_src src = i == ERR ? SRC_STDERR : s->o->merge ? SRC_MERGED : SRC_STDOUT;
    struct stream_options o = {.log = s->o->log, .terminal = &c->terminal, .src = src,
                               .forward = s->o->forward, .rules = s->o->rules,
                               .redact = s->o->redact, .pass_masks = s->o->pass_masks,
                               .max_line = s->o->max_line, .split_long = s->o->split_long,
                               .frames = s->o->frames, .ahead = &s->ahead,
                               .stage = s->o->exact ? &s->stage : NULL,
                               .is_pty = pty->master_fd >= 0};
    int fds[2] = {-1, -1};
    enum err_code rc = open_ends(s, pty, fds, e);

    if (rc != ERR_NONE)
        return rc;
    *write_fd = fds[1];
    o.hold = procs_hold_key(fds[1]);
    rc = stream_init(&c->stream, fds[0], &o, e);
    if (rc != ERR_NONE)
        return rc;
    if (s->o->exact && session_order_add(s, i, fds[0], e) != ERR_NONE)
        return ERR_MEMORY;
    c->stream.splitter.watch = s->watch.on ? &s->watch : NULL;
    c->open = true;
    ev_io_init(&c->readable, on_readable, fds[0], EV_READ);
    /* Of two ready streams stdout goes first, as a person would read them. libev runs equal
       priorities last-in-first-out. */
    ev_set_priority(&c->readable, i == OUT ? 1 : 0);
    c->readable.data = c;
    return ERR_NONE;
}

static void open_terminal(struct session *s)
{
    s->tty_fd = sys.openat(AT_FDCWD, "/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
    for (int fd = 0; s->tty_fd < 0 && fd <= STDERR_FILENO; fd++)
        if (session_in_foreground(fd)) /* no /dev in here, but a terminal all the same */
            s->tty_fd = sys.fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    s->in_session = s->o->ptys->session && s->tty_fd >= 0;
    s->held = s->in_session && s->o->ptys->held;
    s->own_group = s->in_session || !session_in_foreground(s->tty_fd);
}

static void init_timers(struct session *s)
{
    ev_timer_init(&s->tick, on_tick, TICK_S, TICK_S);
    ev_timer_init(&s->timeout, session_on_timeout, (double)s->o->timeout_ns / NS_PER_S, 0.);
    ev_timer_init(&s->grace, session_on_grace, 0., 0.);
    ev_timer_init(&s->linger, session_on_linger, 0., 0.);
    ev_timer_init(&s->give_up, session_on_give_up, 0., 0.);
    s->tick.data = s->timeout.data = s;
    s->grace.data = s->linger.data = s->give_up.data = s;
}

static enum err_code init_session(struct session *s, const struct session_options *o,
                                  struct err *e)
{
    enum err_code rc;

    *s = (struct session){.o = o, .tty_fd = -1, .signals.fd = -1,
                          .child = {.errno_fd = -1, .monitor.fd = -1},
                          .mask_socket = {.fd = -1, .dir_fd = -1},
                          .size = o->ptys->size};
    s->channels[OUT].stream.fd = s->channels[ERR].stream.fd = -1;
    /* Not the default loop: that one would take over SIGCHLD. */
    s->loop = ev_loop_new(EVFLAG_NOENV | EVFLAG_NOINOTIFY | EVFLAG_NOSIGMASK);
    s->scratch = malloc(STREAM_READ_SIZE);
    if (s->loop == NULL || s->scratch == NULL)
        return err_set(e, ERR_MEMORY, "cannot start", o->argv[0], "no event loop");
    session_order_init(s);
    init_channel(s, OUT);
    init_channel(s, ERR);
    init_timers(s);
    open_terminal(s);
    rc = session_stall_init(s, e);
    if (rc == ERR_NONE)
        rc = signals_start(&s->signals, e);
    if (rc != ERR_NONE)
        return rc;
    ev_io_init(&s->signal_ready, session_on_signal_ready, s->signals.fd, EV_READ);
    s->signal_ready.data = s;
    return ERR_NONE;
}

static void release_session(struct session *s)
{
    if (s->in_session)
        session_terminal_release(s);
    mask_socket_close(&s->mask_socket);
    redact_set_on_mask(s->o->rules, NULL, NULL);
    masks_release(&s->masks);
    for (int i = 0; i < N_STREAMS; i++) {
        stream_release(&s->channels[i].stream);
        terminal_release(&s->channels[i].terminal);
    }
    ahead_release(&s->ahead);
    session_order_release(s);
    line_watch_release(&s->watch);
    if (s->signals.fd >= 0)
        signals_release(&s->signals);
    if (s->tty_fd >= 0)
        sys.close(s->tty_fd);
    if (s->loop != NULL)
        ev_loop_destroy(s->loop);
    free(s->scratch);
}

/* Pipes and process; the command's ends of the pipes are closed here again. */
static enum err_code spawn_command(struct session *s, struct err *e)
{
    int write_fds[N_STREAMS] = {-1, -1};
    enum err_code rc = open_channel(s, OUT, &write_fds[OUT], e);

    if (rc == ERR_NONE && !s->o->merge)
        rc = open_channel(s, ERR, &write_fds[ERR], e);
    if (rc == ERR_NONE) {
        s->spawn = (struct spawn_options){
            .argv = s->o->argv,
            .stdout_fd = write_fds[OUT],
            .stderr_fd = write_fds[s->o->merge ? OUT : ERR],
            .close_stdin = s->o->closed[STDIN_FILENO],
            .own_group = s->own_group,
            .session = s->in_session,
            .keep_stdin = s->held,
            .foreground = session_in_foreground(s->tty_fd) && !s->held,
            .outside_fd = s->tty_fd,
            .signals = &s->signals,
        };
        s->started_ns = clock_monotonic_ns();
        rc = spawn_start(&s->spawn, &s->child, e);
    }
    for (int i = 0; i < N_STREAMS; i++)
        if (write_fds[i] >= 0)
            sys.close(write_fds[i]);
    return rc;
}

/* ---- values added while running -------------------------------------------------------- */

static void no_mask_socket(struct session *s, const struct err *e)
{
    if (s->o->verbose)
        session_say_err(s, e, "; redact-add will not work");
}

/* Before the command is started: where it will find us stands in its environment. */
static void prepare_masks(struct session *s)
{
    struct err e;

    masks_init(&s->masks, s->o->rules, s->o->log);
    if (s->o->obey_masks)
        redact_set_on_mask(s->o->rules, masks_add_line, &s->masks);
    if (mask_socket_choose(&s->mask_socket, s->o->id, &e) != ERR_NONE)
        no_mask_socket(s, &e);
    /* Never that of a build around this one: what is added there would be in this log. */
    if (s->mask_socket.path[0] == '\0' ||
        setenv(MASK_SOCKET_VARIABLE, s->mask_socket.path, 1) != 0)
        unsetenv(MASK_SOCKET_VARIABLE);
}

static void open_mask_socket(struct session *s)
{
    struct err e;

    if (mask_socket_open(&s->mask_socket, s->loop, &s->masks, &e) != ERR_NONE)
        no_mask_socket(s, &e);
}

static void start_watching(struct session *s)
{
    ev_io_init(&s->exec_result, on_exec_result, s->child.errno_fd, EV_READ);
    s->exec_result.data = s;
    ev_set_priority(&s->exec_result, EV_MAXPRI);
    ev_io_start(s->loop, &s->exec_result);
    ev_io_start(s->loop, &s->signal_ready);
    if (s->in_session)
        session_terminal_start(s);
    ev_timer_start(s->loop, &s->tick);
    if (s->o->timeout_ns > 0)
        ev_timer_start(s->loop, &s->timeout);
    session_stall_start(s);
}

enum err_code session_run(const struct session_options *o, struct session_result *result,
                          struct err *e)
{
    struct session s;
    enum err_code rc = init_session(&s, o, e);

    if (rc == ERR_NONE) {
        prepare_masks(&s);
        rc = spawn_command(&s, e);
    }
    if (rc != ERR_NONE) {
        release_session(&s);
        return rc;
    }
    open_mask_socket(&s);
    start_watching(&s);
    session_settle(&s);
    ev_run(s.loop, 0);
    session_fill_result(&s, result);
    release_session(&s);
    session_terminal_die_together(&s);
    return ERR_NONE;
}
