// SPDX-License-Identifier: MIT
/* Signals in, signals out, timeouts, job control, the command's exit. See session.h. */
#include "run/session_state.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "run/procs.h"

/* ---- signalling the command ---------------------------------------------------------- */

size_t session_open_keys(const struct session *s, uint64_t keys[N_STREAMS])
{
    size_t n = 0;

    for (int i = 0; i < N_STREAMS; i++)
        if (s->channels[i].open)
            keys[n++] = s->channels[i].stream.hold;
    return n;
}

static void signal_holders(struct session *s, int signal)
{
    uint64_t keys[N_STREAMS];
    struct proc_list holders;

    procs_holders(keys, session_open_keys(s, keys), &holders);
    for (size_t i = 0; i < holders.len; i++)
        sys.kill(holders.pids[i], signal);
    proc_list_release(&holders);
}

/*
 * To the command's group where it has one, else to the command and its descendants, never to
 * buildlog's own group. Once the command is gone, to what still holds its output.
 */
static void signal_command(struct session *s, int signal)
{
    if (s->own_group)
        sys.kill(-s->child.pid, signal);
    else if (!s->reaped)
        procs_signal(s->child.pid, signal);
    else
        signal_holders(s, signal);
}

/* KILL reaches what left the group, too. */
static void kill_all(struct session *s)
{
    if (!s->reaped)
        procs_signal(s->child.pid, SIGKILL);
    signal_command(s, SIGKILL);
}

/* ---- stopping ------------------------------------------------------------------------ */

static void give_up_forwarding(struct session *s)
{
    for (int i = 0; i < N_STREAMS; i++)
        if (terminal_blocked(&s->channels[i].terminal))
            terminal_close(&s->channels[i].terminal, 0);
}

static void limit_streams(struct session *s)
{
    for (int i = 0; i < N_STREAMS; i++)
        if (s->channels[i].open)
            stream_limit(&s->channels[i].stream);
}

/* STOPPING → KILLING; while draining, the end of the line for what holds the pipes. */
static void kill_rest(struct session *s)
{
    ev_timer_stop(s->loop, &s->grace);
    if (s->state >= SEALING)
        return;
    kill_all(s);
    if (s->state < DRAINING)
        session_set_state(s, KILLING);
    else
        session_start_timer(s, &s->linger, AFTER_KILL_S);
}

/* RUNNING → STOPPING, and the same for orphans while draining. */
static void begin_stop(struct session *s)
{
    s->stopping = true;
    if (s->state >= SEALING)
        return;
    session_start_timer(s, &s->grace, (double)s->o->grace_ns / NS_PER_S);
    if (s->state < STOPPING)
        session_set_state(s, STOPPING);
    ev_timer_stop(s->loop, &s->linger);
}

/* A stop signal: the first one begins, a second one means now. */
static void stop_requested(struct session *s)
{
    if (!s->stopping) {
        begin_stop(s);
        return;
    }
    give_up_forwarding(s);
    if (s->state == STOPPING || s->state == DRAINING)
        kill_rest(s);
}

void session_on_grace(struct ev_loop *loop, ev_timer *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    kill_rest(s);
    session_settle(s);
}

/* Once stopping, a terminal side that has not moved for the grace time is given up. */
void session_on_give_up(struct ev_loop *loop, ev_timer *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    for (int i = 0; i < N_STREAMS; i++) {
        struct terminal *terminal = &s->channels[i].terminal;

        if (terminal_blocked(terminal) && terminal->moved == s->moved[i])
            terminal_close(terminal, 0);
    }
    session_settle(s);
}

/* ---- timeouts ------------------------------------------------------------------------ */

void session_time_is_up(struct session *s, const char *which, int64_t after_ns)
{
    const struct record_field fields[] = {
        session_text("reason", clean_constant(which)),
        session_number("afterMs", after_ns / 1000000),
    };

    if (s->state > RUNNING)
        return;
    s->timed_out = true;
    session_put_event(s, "error", "timeout", fields, 2);
    begin_stop(s);
    signal_command(s, SIGTERM);
    signal_command(s, SIGCONT); /* a stopped one could not act on it */
}

void session_on_timeout(struct ev_loop *loop, ev_timer *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    session_time_is_up(s, "timeout", s->o->timeout_ns);
    session_settle(s);
}

/* Stops the clocks; the timeout's has what is left, for resume_timeouts. */
static void pause_timeouts(struct session *s)
{
    if (ev_is_active(&s->timeout)) {
        double left = ev_timer_remaining(s->loop, &s->timeout);

        ev_timer_stop(s->loop, &s->timeout);
        ev_timer_set(&s->timeout, left > 0 ? left : 0., 0.);
    }
    session_stall_stop(s);
    s->stopped_ns = clock_monotonic_ns();
}

static void resume_timeouts(struct session *s)
{
    if (s->state > RUNNING)
        return;
    ev_now_update(s->loop);
    if (s->o->timeout_ns > 0)
        ev_timer_start(s->loop, &s->timeout);
    session_stall_resume(s, clock_monotonic_ns() - s->stopped_ns);
}

/* ---- job control ---------------------------------------------------------------------- */

/* tcsetpgrp(3) from the background would stop us with TTOU: block it meanwhile. */
static void give_terminal_to(struct session *s, pid_t group)
{
    sigset_t ttou;
    sigset_t before;

    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    sigprocmask(SIG_BLOCK, &ttou, &before);
    (void)sys.ioctl(s->tty_fd, TIOCSPGRP, &group);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

bool session_in_foreground(int tty_fd)
{
    pid_t group = 0;

    return tty_fd >= 0 && sys.ioctl(tty_fd, TIOCGPGRP, &group) == 0 && group == getpgrp();
}

/* A command with its own group that was started in the background and is now brought to the
   foreground needs the terminal itself. */
static void lend_terminal(struct session *s)
{
    if (!s->own_group || s->in_session || s->reaped || !session_in_foreground(s->tty_fd))
        return;
    give_terminal_to(s, s->child.pid);
    s->hand_terminal = true;
}

static void take_terminal_back(struct session *s)
{
    if (!s->hand_terminal)
        return;
    give_terminal_to(s, getpgrp());
    s->hand_terminal = false;
}

/* Does the shell above have to see us stop, too? */
static bool mirrors_stop(const struct session *s, int signal)
{
    if (!s->own_group || s->in_session)
        return true;
    return s->stop_passed_on || (s->tty_fd >= 0 && signal != SIGSTOP);
}

/*
 * In the background of its terminal, where the command has a group of its own, and nobody above who
 * could continue us, so we were not stopped. The kernel would not have stopped the command either
 * but made its call fail (an orphaned group, setpgid(2)); that is past, and it would stop again at
 * once. Such groups are told to hang up.
 */
static void hang_up_unstopped(struct session *s, int signal)
{
    if ((signal != SIGTTIN && signal != SIGTTOU) || !s->own_group || signals_continue_pending() ||
        session_in_foreground(s->tty_fd))
        return;
    session_say(s, "the command was stopped because it is in the background of its terminal, and "
                   "nobody could continue it; it is told to hang up");
    signal_command(s, SIGHUP);
    signal_command(s, SIGCONT);
}

static void on_child_stopped(struct session *s, int signal)
{
    if (!mirrors_stop(s, signal))
        return; /* nobody can continue us both: the timeouts go on, they are the way out */
    s->stopped = true;
    pause_timeouts(s);
    s->stop_passed_on = false;
    take_terminal_back(s);
    (void)build_log_flush(s->o->log);
    if (s->in_session) {
        session_terminal_stopped(s, signal);
    } else {
        signals_stop_self(signal);
        hang_up_unstopped(s, signal);
    }
    ev_now_update(s->loop);
    lend_terminal(s);
}

static void on_child_continued(struct session *s)
{
    if (s->in_session)
        monitor_answer(&s->child.monitor);
    if (!s->stopped)
        return;
    s->stopped = false;
    resume_timeouts(s);
}

/* ---- the command's end ---------------------------------------------------------------- */

static void start_linger(struct session *s)
{
    if (s->stopping) {
        /* TERM means stop: what is left has until the grace is over, then gets KILL. After a
           KILL nothing is waited for but the kernel's tidying up. */
        if (!ev_is_active(&s->grace))
            session_start_timer(s, &s->linger, AFTER_KILL_S);
    } else if (s->o->linger_ns == 0) {
        limit_streams(s);
    } else if (s->o->linger_ns > 0) {
        session_start_timer(s, &s->linger, (double)s->o->linger_ns / NS_PER_S);
    }
}

static void on_child_exit(struct session *s, int wait_status)
{
    if (s->state == SPAWN)
        session_take_exec_result(s);
    s->reaped = true;
    s->wait_status = wait_status;
    take_terminal_back(s);
    ev_timer_stop(s->loop, &s->timeout);
    session_stall_stop(s);
    session_set_state(s, DRAINING);
    start_linger(s);
}

static void take_child_status(struct session *s, int status, const struct rusage *usage)
{
    if (WIFSTOPPED(status)) {
        on_child_stopped(s, WSTOPSIG(status));
    } else if (WIFCONTINUED(status)) {
        on_child_continued(s);
    } else {
        s->usage = *usage;
        on_child_exit(s, status);
    }
}

static void take_report(struct session *s, const struct monitor_report *report)
{
    take_child_status(s, report->wait_status, &report->usage);
    if (s->reaped)
        session_terminal_command_gone(s, report);
}

/* It was killed, or cannot be reached; nobody else can wait for the command. */
static void monitor_gone(struct session *s)
{
    const struct monitor_report killed = {.wait_status = W_EXITCODE(0, SIGKILL)};

    session_say(s, "the process that watches the command was killed; how the command ended is not "
                   "known");
    kill_all(s);
    take_report(s, &killed);
}

static void look_through_monitor(struct session *s)
{
    struct monitor_report report;

    while (!s->reaped) {
        switch (monitor_next(&s->child.monitor, &report)) {
        case MONITOR_SILENT:
            return;
        case MONITOR_CHANGED:
            take_report(s, &report);
            break;
        case MONITOR_GONE:
            monitor_gone(s);
            return;
        }
    }
}

/* Everything the kernel has to tell of the command; as PID 1 adopted processes are reaped, too. */
void session_look_at_child(struct session *s)
{
    const pid_t whom = getpid() == 1 ? -1 : s->child.pid;
    int status;
    struct rusage usage;

    if (s->in_session)
        look_through_monitor(s);
    while (whom == -1 || (!s->reaped && !s->in_session)) {
        pid_t pid = sys.wait4(whom, &status, WNOHANG | WUNTRACED | WCONTINUED, &usage);

        if (pid < 0 && errno == EINTR)
            continue;
        if (pid <= 0)
            break;
        if (pid == s->child.pid && !s->reaped && !s->in_session)
            take_child_status(s, status, &usage);
    }
}

void session_on_linger(struct ev_loop *loop, ev_timer *w, int events)
{
    struct session *s = w->data;

    (void)loop, (void)events;
    limit_streams(s);
    session_settle(s);
}

/* ---- signals ------------------------------------------------------------------------- */

static void note_signal(struct session *s, const struct signal_event *event)
{
    char name[16];
    const struct record_field fields[] = {
        session_text("signal", clean_constant(signal_name(event->signal, name))),
        session_number("sender", event->sender_pid),
    };

    session_put_event(s, "warn", "signal", fields, 2);
}

/* While the command runs, a Ctrl-C is its own affair. Once it is gone, whoever presses it has
   had enough of waiting for orphans or for a reader that does not read. */
static void on_ctrl_c(struct session *s)
{
    if (!s->reaped) {
        s->ctrl_c = true;
        s->group_told = true; /* by the terminal outside: it was not raw */
        return;
    }
    limit_streams(s);
    give_up_forwarding(s);
}

/*
 * What a process sent is passed on. What the terminal sent has reached the command already,
 * unless the command has a group of its own, or the terminal hung up on us as the leader of its
 * session: then the kernel told us alone (tty_ioctl(4), credentials(7)).
 */
static bool reached_command(const struct session *s, const struct signal_event *event)
{
    if (event->from_process || s->own_group)
        return false;
    return event->signal != SIGHUP || getsid(0) != getpid();
}

/* The terminal outside has another size. The kernel tells a session's foreground when its own
   terminal gets it, but not one that is held back; without a session the command may have looked
   too early. */
static void on_resize(struct session *s, const struct signal_event *event)
{
    session_resize_ptys(s);
    session_note_size(s);
    if (s->state < DRAINING && (event->from_process || !s->in_session || s->held) &&
        (event->from_process || s->own_group || s->channels[OUT].stream.is_pty ||
         s->channels[ERR].stream.is_pty))
        signal_command(s, SIGWINCH);
}

/* True: it was for our terminal side only, or is dealt with. */
static bool taken_by_terminal(struct session *s, const struct signal_event *event)
{
    if (event->signal == SIGWINCH) {
        on_resize(s, event);
        return true;
    }
    if (!s->in_session)
        return false;
    if (event->signal == SIGCONT && !s->reaped) {
        session_terminal_continue(s);
        return true;
    }
    /* What a key made, passed on to those around us. */
    return event->from_process && event->sender_pid == getpid();
}

static void on_signal(struct session *s, const struct signal_event *event)
{
    bool stops = event->from_process && signal_means_stop(event->signal);
    bool ends = stops || (event->from_process && event->signal == SIGQUIT);

    if (event->signal == SIGCHLD) {
        session_look_at_child(s);
        return;
    }
    if (taken_by_terminal(s, event))
        return;
    if (event->signal == SIGINT && !event->from_process)
        on_ctrl_c(s);
    if (ends && !s->reaped)
        s->interrupted = true;
    if (ends && s->state < SEALING)
        note_signal(s, event);
    if (event->signal == SIGTSTP && event->from_process)
        s->stop_passed_on = true;
    if (event->signal == SIGCONT)
        lend_terminal(s);
    if (s->state < SEALING && !reached_command(s, event) && (s->state < DRAINING || ends))
        signal_command(s, event->signal);
    if (stops)
        stop_requested(s);
}

void session_on_signal_ready(struct ev_loop *loop, ev_io *w, int events)
{
    struct session *s = w->data;
    struct signal_event event;

    (void)loop, (void)events;
    while (signals_next(&s->signals, &event))
        on_signal(s, &event);
    session_settle(s);
}
