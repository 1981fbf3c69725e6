// SPDX-License-Identifier: MIT
/*
 * The session's dealings with terminals of the command's own: what is typed, who is in the
 * foreground, sizes, stopping and continuing. See session.h, relay.h and monitor.h.
 *
 * Who is in the foreground is asked when something happens: at the start, when continued, before
 * every read, and, while behind, five times a second, because nobody is told when a shell brings
 * a running job to the front.
 *
 * Where stdin is a pipe or a file (`git log | buildlog run -- less`), the session is held back:
 * the command starts in the background of its terminal, and the terminal outside is left alone,
 * because others may read from it (`sudo cat f | buildlog run -- wc`) and what is typed may be for
 * later. As soon as the command reads from its terminal or changes its settings, the kernel stops
 * it with TTIN or TTOU; then it is brought to the front and goes on as if nothing had been
 * (sudo(8) does the same). The terminal of stderr controls no session, so of its settings nobody
 * tells: they are looked at before its output is shown, and five times a second.
 */
#include "run/session_state.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "run/procs.h"

#define LOOK_FOR_FRONT_S 0.2

#define SIZE_PAUSE_NS INT64_C(1000000000)

enum { STRAGGLER_LOOKS = 5 }; /* a second: it takes them microseconds */

enum { LAST_TURNS_MAX = 64 }; /* reads before stopping: more than a pseudo-terminal holds */

static void list_masters(const struct session *s, int masters[N_PTYS])
{
    for (int i = 0; i < N_PTYS; i++) {
        const struct stream *stream = &s->channels[i].stream;

        masters[i] = stream->is_pty ? stream->fd : -1;
    }
}

static bool in_front(const struct session *s)
{
    return s->relay.state != RELAY_BEHIND;
}

/* Who does not tell is gone, or ours. */
static bool taken_by_others(const struct session *s)
{
    pid_t group;

    return sys.ioctl(s->tty_fd, TIOCGPGRP, &group) == 0 && group != getpgrp();
}

/* Nobody else of that session is in front, so the command is not either. */
static bool monitor_in_front(const struct session *s)
{
    pid_t front;

    return sys.ioctl(s->channels[OUT].stream.fd, TIOCGPGRP, &front) == 0 &&
           front == s->child.monitor.pid;
}

static bool ends_lines(int fd)
{
    struct termios t;

    return tty_get(fd, &t) && (t.c_oflag & OPOST) != 0 && (t.c_oflag & ONLCR) != 0;
}

/* Messages to a terminal that is raw bring their own line ends. One that is not makes those of the
   command as well, whose own terminal has made them. */
static void tell_terminals(struct session *s)
{
    for (int i = 0; i < N_STREAMS; i++) {
        struct channel *c = &s->channels[i];

        c->terminal.raw = c->terminal.is_tty && in_front(s);
        c->terminal.drop_cr = c->terminal.is_tty && !in_front(s) && c->stream.is_pty &&
                              ends_lines(c->stream.fd);
    }
}

/* To the front or behind, whichever it is now. */
static void take_ground(struct session *s)
{
    int masters[N_PTYS];

    list_masters(s, masters);
    if (!session_in_foreground(s->tty_fd)) {
        relay_lose(&s->relay, masters);
    } else {
        if (!s->held)
            relay_enter(&s->relay, masters, s->reaped);
        session_resize_ptys(s);
    }
    tell_terminals(s);
}

/* ---- from behind to the front --------------------------------------------------------------- */

/* Another buildlog may have the terminal now; then it is tried again five times a second. */
static void come_forward(struct session *s)
{
    s->held = false;
    take_ground(s);
    if (!in_front(s))
        return;
    s->ground_due = true;
    if (s->stopped)
        monitor_continue(&s->child.monitor, true);
    else
        monitor_set_ground(&s->child.monitor, true);
}

/*
 * Who catches TTIN or TTOU to tidy up before it stops itself (ssh does, before it asks for a
 * password) may do so after the others have been continued.
 */
static void continue_stragglers(struct session *s)
{
    struct proc_list all;
    struct proc_status status;

    s->stragglers_left--;
    /* A Ctrl-Z stops the first process, too. */
    if (s->stopped || !procs_status(s->child.pid, &status) || status.state == 'T')
        return;
    procs_descendants(s->child.pid, &all);
    for (size_t i = 0; i < all.len; i++)
        if (procs_status(all.pids[i], &status) && status.state == 'T' &&
            getpgid(all.pids[i]) == s->child.pid)
            sys.kill(all.pids[i], SIGCONT);
    proc_list_release(&all);
}

/* The command waits for keys, or is about to, and the kernel has not told: its terminal of stderr
   does not control its session. */
static bool wants_keys(const struct session *s)
{
    int masters[N_PTYS];

    list_masters(s, masters);
    return relay_changed_behind(&s->relay, masters, PTY_ERR) ||
           (s->held && relay_changed_behind(&s->relay, masters, PTY_OUT));
}

/* What the terminal would have done with one in the background. */
static void stop_as_reader(struct session *s)
{
    int masters[N_PTYS];

    list_masters(s, masters);
    relay_note_settings(&s->relay, masters);
    sys.kill(-s->child.pid, SIGTTOU);
}

static void look_from_behind(struct session *s)
{
    bool foreground = session_in_foreground(s->tty_fd);
    bool wanted = wants_keys(s);

    if (foreground && (!s->held || wanted))
        come_forward(s);
    else if (wanted && !s->reaped)
        stop_as_reader(s);
}

/* Full-screen programs and progress bars set modes of the terminal: the alternate screen, whether
   the cursor shows. */
static bool sets_modes(struct raw_span in)
{
    static const char set_or_reset[] = "\033[?";

    return memmem(in.ptr, in.len, set_or_reset, sizeof(set_or_reset) - 1) != NULL;
}

/* A sequence that clears the line or more of the screen ends here: [K, [0K, [2K, and with J. */
static bool is_erasure(const char *begin, const char *final)
{
    const char *at = final;

    if (*final != 'K' && *final != 'J')
        return false;
    if (at > begin && (at[-1] == '0' || at[-1] == '2'))
        at--;
    return at - begin >= 2 && at[-1] == '[' && at[-2] == '\033';
}

/* How much of what came is drawn on a line that was begun, or wiped, there. */
static size_t drawn_last(struct raw_span in)
{
    const char *end = in.ptr + in.len;
    const char *at = end;

    while (at > in.ptr && at[-1] != '\n' && !is_erasure(in.ptr, at - 1))
        at--;
    return (size_t)(end - at);
}

static bool is_ready(const struct channel *c, int wait_ms)
{
    struct pollfd waiting = {.fd = c->stream.fd, .events = POLLIN};

    return c->open && !terminal_blocked(&c->terminal) && sys.poll(&waiting, 1, wait_ms) == 1;
}

/*
 * The kernel carries each of two terminals in its own time: what is on its way is waited for, up to
 * 2 ms at once and a fifth of the time on the whole.
 */
static bool is_ready_soon(struct session *s, const struct channel *c)
{
    enum { WAIT_MS = 2, NS_IN_MS = 1000000, SHARE = 5, MOST_MS = 10 };
    struct wait_credit *p = &s->credit;
    int64_t began_ns = clock_monotonic_ns();
    int64_t now_ns;
    bool worth_it = c == &s->channels[OUT] || c->stream.bytes > 0; /* most never use stderr */
    bool ready;

    p->left_ns += (began_ns - p->at_ns) / SHARE;
    if (p->left_ns > MOST_MS * NS_IN_MS)
        p->left_ns = MOST_MS * NS_IN_MS;
    ready = is_ready(c, worth_it && p->left_ns >= WAIT_MS * NS_IN_MS ? WAIT_MS : 0);
    now_ns = clock_monotonic_ns();
    p->left_ns -= now_ns - began_ns;
    p->at_ns = now_ns;
    return ready;
}

/*
 * Which of two ready streams was written first, nobody can tell. But a line without an end, on
 * stdout, is a prompt, and the last thing a program writes before it waits: what there is on stderr
 * at that moment came before it (the error message of a REPL, then its next prompt). And what wipes
 * a line (a spinner, a progress bar) makes room for what comes on the other stream; what it draws
 * after that comes below.
 */
static size_t comes_after_other(struct session *s, struct channel *c, struct raw_span in)
{
    const struct channel *other = &s->channels[c == &s->channels[OUT] ? ERR : OUT];
    size_t last = drawn_last(in);
    bool wiped = last < in.len ? in.ptr[in.len - last - 1] != '\n' : c->wiped;

    c->wiped = wiped && last == 0;
    if (last == 0 || s->between || s->second_scratch == NULL)
        return 0;
    if (wiped)
        return is_ready_soon(s, other) ? last : 0;
    return c == &s->channels[OUT] && is_ready(other, 0) ? last : 0;
}

bool session_unfinished_first(struct session *s, const struct channel *c)
{
    const struct channel *other = &s->channels[c == &s->channels[OUT] ? ERR : OUT];

    return s->in_session && s->unfinished == other && is_ready_soon(s, other);
}

static void other_first(void *ctx)
{
    const struct channel *c = ctx;
    struct session *s = c->session;
    struct channel *other = &s->channels[c == &s->channels[OUT] ? ERR : OUT];
    enum stream_turn turn;

    s->between = true;
    turn = stream_turn(&other->stream, s->second_scratch);
    s->between = false;
    if (turn != STREAM_IDLE)
        session_note_output(s);
    if (turn == STREAM_ENDED)
        session_end_channel(other);
}

/* Before output is passed on: it may be what the command draws when it has set up its terminal. */
static size_t on_output(void *ctx, struct raw_span in)
{
    struct channel *c = ctx;
    struct session *s = c->session;

    if (c == &s->channels[ERR] && !s->stderr_draws)
        s->stderr_draws = sets_modes(in);
    if (!in_front(s)) {
        if (!s->reaped && !s->stopped && wants_keys(s))
            look_from_behind(s);
        tell_terminals(s);
    }
    return comes_after_other(s, c, in);
}

/* ---- what is typed ---------------------------------------------------------------------- */

/*
 * A key that makes a signal would have made it for everyone in the foreground outside: for the
 * make or the loop that buildlog runs in as well. The command has got it from its own terminal.
 */
static void on_keys(struct session *s, const struct relay_keys *keys)
{
    if (keys->interrupt && !s->reaped)
        s->ctrl_c = true;
    if (keys->signal == 0)
        return;
    s->group_told = keys->signal == SIGINT;
    sys.kill(0, keys->signal);
}

static void on_input(struct ev_loop *loop, ev_io *w, int events)
{
    struct session *s = w->data;
    struct relay_keys keys;
    int masters[N_PTYS];

    (void)loop, (void)events;
    list_masters(s, masters);
    if (!session_in_foreground(s->tty_fd)) {
        take_ground(s);
    } else {
        keys = relay_read(&s->relay, masters);
        on_keys(s, &keys);
    }
    session_settle(s);
}

static void on_master_writable(struct ev_loop *loop, ev_io *w, int events)
{
    struct session *s = w->data;
    int masters[N_PTYS];

    (void)loop, (void)events;
    list_masters(s, masters);
    relay_flush(&s->relay, masters);
    session_settle(s);
}

static void on_look_for_front(struct ev_loop *loop, ev_timer *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    monitor_retry(&s->child.monitor);
    session_look_at_child(s); /* it may be given up */
    if (s->stragglers_left > 0 && !s->reaped)
        continue_stragglers(s);
    if (!in_front(s) && !s->reaped && s->tty_fd >= 0)
        look_from_behind(s);
    session_settle(s);
}

static void on_monitor_news(struct ev_loop *loop, ev_io *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    session_look_at_child(s);
    session_settle(s);
}

/* ---- set-up, watching, the end ------------------------------------------------------------ */

void session_terminal_start(struct session *s)
{
    const struct relay_options o = {.outside_fd = s->tty_fd,
                                    .lock_fd = s->channels[OUT].terminal.fd,
                                    .monitor = &s->child.monitor,
                                    .ptys = s->o->ptys};
    int masters[N_PTYS];

    list_masters(s, masters);
    relay_init(&s->relay, &o);
    s->second_scratch = malloc(STREAM_READ_SIZE); /* without it the order is a worse guess */
    for (int i = 0; i < N_STREAMS; i++) {
        s->channels[i].stream.on_output = on_output;
        s->channels[i].stream.other_first = other_first;
        s->channels[i].stream.ctx = &s->channels[i];
    }
    if (s->spawn.foreground)
        relay_enter(&s->relay, masters, false);
    tell_terminals(s);
    ev_io_init(&s->input, on_input, s->tty_fd, EV_READ);
    /* Output first: at a Ctrl-C the kernel throws away what has not been read of it yet. */
    ev_set_priority(&s->input, EV_MINPRI);
    ev_io_init(&s->master_writable, on_master_writable, masters[PTY_OUT], EV_WRITE);
    ev_io_init(&s->monitor_news, on_monitor_news, s->child.monitor.fd, EV_READ);
    ev_timer_init(&s->look_for_front, on_look_for_front, LOOK_FOR_FRONT_S, LOOK_FOR_FRONT_S);
    s->input.data = s->master_writable.data = s->monitor_news.data = s->look_for_front.data = s;
    ev_io_start(s->loop, &s->monitor_news);
}

static void watch_master(struct session *s)
{
    int masters[N_PTYS];
    bool wanted = relay_wants_output(&s->relay) && !s->reaped;

    list_masters(s, masters);
    wanted = wanted && masters[s->relay.to] >= 0;
    if (ev_is_active(&s->master_writable) == (int)wanted)
        return;
    ev_io_stop(s->loop, &s->master_writable);
    if (wanted) {
        ev_io_set(&s->master_writable, masters[s->relay.to], EV_WRITE);
        ev_io_start(s->loop, &s->master_writable);
    }
}

/* The monitor has yet to bring the command to the front of its terminal: a Ctrl-C would reach
   nobody. */
static bool ground_due(struct session *s)
{
    s->ground_due = s->ground_due && monitor_in_front(s);
    return s->ground_due;
}

void session_terminal_watch(struct session *s)
{
    bool due = ground_due(s);
    bool looking = (!in_front(s) || s->stragglers_left > 0 || due) && !s->reaped && s->tty_fd >= 0;

    looking = looking || monitor_due(&s->child.monitor);
    session_watch_io(s, &s->input, relay_wants_input(&s->relay) && !due);
    /* After the command's end nothing comes any more, but that the monitor was killed. */
    session_watch_io(s, &s->monitor_news, s->child.monitor.fd >= 0 && !s->reaped);
    watch_master(s);
    if (!looking)
        ev_timer_stop(s->loop, &s->look_for_front);
    else if (!ev_is_active(&s->look_for_front))
        ev_timer_again(s->loop, &s->look_for_front);
}

void session_terminal_command_gone(struct session *s, const struct monitor_report *report)
{
    relay_end_input(&s->relay, report->unread, report->unread_len);
}

static void give_terminal_back(struct session *s)
{
    int masters[N_PTYS];

    list_masters(s, masters);
    if (taken_by_others(s))
        relay_lose(&s->relay, masters);
    else
        relay_leave(&s->relay, masters);
    tell_terminals(s);
}

void session_terminal_drained(struct session *s)
{
    ev_io_stop(s->loop, &s->monitor_news);
    if (session_unfinished_output(s))
        return; /* OPOST stays as it is until all is out */
    give_terminal_back(s);
    monitor_end(&s->child.monitor); /* it ends while the log is sealed */
}

void session_terminal_release(struct session *s)
{
    free(s->second_scratch);
    s->second_scratch = NULL;
    if (s->child.monitor.pid == 0)
        return;
    give_terminal_back(s);
    monitor_end(&s->child.monitor);
    monitor_reap(&s->child.monitor);
}

void session_terminal_die_together(const struct session *s)
{
    if (s->relay.monitor != NULL && s->ctrl_c && !s->group_told &&
        WIFSIGNALED(s->wait_status) && WTERMSIG(s->wait_status) == SIGINT)
        sys.kill(0, SIGINT);
}

/* ---- sizes ---------------------------------------------------------------------------------- */

/* stderr's first: who is told of the change (stdout's foreground) may look at both. */
void session_resize_ptys(struct session *s)
{
    for (int i = N_PTYS - 1; i >= 0; i--)
        if (s->channels[i].stream.is_pty && s->channels[i].stream.fd >= 0)
            (void)pty_resize(s->channels[i].stream.fd);
}

/* A window that is dragged has a hundred sizes a second. */
void session_note_size(struct session *s)
{
    const struct stream *out = &s->channels[OUT].stream;
    const struct stream *terminal = out->is_pty ? out : &s->channels[ERR].stream;
    int64_t now_ns = clock_monotonic_ns();
    struct winsize size;

    if (!terminal->is_pty || terminal->fd < 0 || s->state >= SEALING ||
        now_ns - s->size_noted_ns < SIZE_PAUSE_NS ||
        sys.ioctl(terminal->fd, TIOCGWINSZ, &size) != 0 ||
        (size.ws_col == s->size.ws_col && size.ws_row == s->size.ws_row))
        return;
    session_put_event(s, "info", "resize",
                      (const struct record_field[]){session_number("columns", size.ws_col),
                                                    session_number("rows", size.ws_row)},
                      2);
    (void)build_log_flush(s->o->log); /* output may be long in coming */
    s->size = size;
    s->size_noted_ns = now_ns;
}

/* ---- stopping and continuing  */

/* What the command said before it was stopped is shown before we are. */
static void show_the_rest(struct session *s)
{
    for (int i = 0; i < N_STREAMS; i++) {
        struct channel *c = &s->channels[i];

        for (int n = 0; n < LAST_TURNS_MAX && c->open && !terminal_blocked(&c->terminal); n++)
            if (stream_turn(&c->stream, s->scratch) != STREAM_READ)
                break;
    }
}

/*
 * Who changes the settings is, as a rule, about to ask for a password, and throws away what was
 * typed before the question (TCSAFLUSH); but that is outside still, and would be taken for the
 * answer.
 */
static void forget_typed_ahead(const struct session *s)
{
    (void)sys.ioctl(s->tty_fd, TCFLSH, (void *)(intptr_t)TCIFLUSH);
}

static bool means_behind(int signal)
{
    return signal == SIGTTIN || signal == SIGTTOU;
}

/* TTIN and TTOU would come again at once if the command went on behind. */
static bool would_stop_again(const struct session *s, int signal)
{
    return means_behind(signal) && !in_front(s);
}

/* It was behind inside only, and that is over. False: we are in the background ourselves. */
static bool stopped_inside_only(struct session *s, int signal)
{
    if (!means_behind(signal) || !session_in_foreground(s->tty_fd) ||
        (in_front(s) && s->stragglers_left == 0 && !monitor_in_front(s)))
        return false;
    if (!in_front(s))
        s->stragglers_left = STRAGGLER_LOOKS;
    if (s->held && signal == SIGTTOU)
        forget_typed_ahead(s);
    come_forward(s);
    return in_front(s) || session_in_foreground(s->tty_fd);
}

void session_terminal_stopped(struct session *s, int signal)
{
    if (stopped_inside_only(s, signal))
        return;
    if (!procs_stopped(s->child.pid))
        return; /* somebody has continued it since, or killed it: we would stop for good */
    show_the_rest(s);
    if (means_behind(signal))
        s->held = false;
    give_terminal_back(s);
    if (signal == SIGSTOP)
        signals_stop_self(signal);
    else
        signals_stop_group(signal);
    if (signals_continue_pending())
        return; /* it comes as an event, session_terminal_continue is due there */
    take_ground(s);
    /* Nobody could continue us, so we were not stopped. The kernel tells such groups to hang up
       (setpgid(2)). */
    if (would_stop_again(s, signal))
        sys.kill(-s->child.pid, SIGHUP);
    s->ground_due = in_front(s);
    monitor_continue(&s->child.monitor, in_front(s));
}

void session_terminal_continue(struct session *s)
{
    take_ground(s);
    s->ground_due = in_front(s);
    monitor_continue(&s->child.monitor, in_front(s));
}
