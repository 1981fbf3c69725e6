// SPDX-License-Identifier: MIT
#include "run/monitor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "run/pty.h"

enum report_kind { REPORT_STARTED, REPORT_FAILED, REPORT_CHANGED };

struct report {
    enum report_kind kind;
    pid_t command; /* REPORT_STARTED */
    int sys_errno; /* REPORT_FAILED */
    struct monitor_report change;
};

/* What is sent of it, so much at least. */
enum { REPORT_SIZE = offsetof(struct report, change.unread) };

enum order_kind { ORDER_GROUND, ORDER_CONTINUE, ORDER_GUARD, ORDER_UNGUARD };

struct order {
    enum order_kind kind;
    bool foreground;
    struct termios before;
    struct termios now;
};

/* A message is whole or not there: SOCK_SEQPACKET (unix(7)). */
static bool put_message(int fd, void *message, size_t len)
{
    struct iovec iov = {.iov_base = message, .iov_len = len};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    do
        n = sys.sendmsg(fd, &header, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

/* ---- in the monitor ------------------------------------------------------------------ */

/* Where the monitor has its descriptors; nothing else is open in it. */
enum { TTY_FD = 0, SOCKET_FD = 1, OUTSIDE_FD = 2, FIRST_TO_CLOSE = 3 };

struct watch {
    pid_t command;
    pid_t front; /* the group to bring to the front again */
    bool ended;
    bool continuing; /* by order */
    bool behind; /* we are in front of the command's terminal ourselves */
    bool guarding;
    struct termios before;
    struct termios now;
};

static void on_signal(int signal)
{
    (void)signal; /* it only has to end a wait */
}

static void report_failure(int fd)
{
    struct report r = {.kind = REPORT_FAILED, .sys_errno = errno};

    (void)put_message(fd, &r, REPORT_SIZE);
    _exit(1);
}

static void close_from(unsigned first)
{
    struct rlimit limit;

    if (syscall(SYS_close_range, first, UINT32_MAX, 0) == 0) /* Linux 5.9 */
        return;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = 1024; /* the usual one */
    for (rlim_t fd = first; fd < limit.rlim_cur; fd++)
        close((int)fd);
}

/* Blocked TTOU: a process behind may then move the front (tcsetpgrp(3)). */
static void bring_to_front(pid_t group)
{
    (void)sys.ioctl(TTY_FD, TIOCSPGRP, &group);
}

static void set_ground(struct watch *w, bool foreground)
{
    pid_t front = 0;

    if (w->ended || sys.ioctl(TTY_FD, TIOCGPGRP, &front) != 0)
        return;
    w->behind = !foreground;
    if (foreground && front == getpgrp()) {
        bring_to_front(w->command); /* in case the other one is gone */
        bring_to_front(w->front);
    } else if (!foreground && front != getpgrp()) {
        w->front = front;
        bring_to_front(getpgrp());
    }
}

static void take_order(struct watch *w, const struct order *order)
{
    switch (order->kind) {
    case ORDER_CONTINUE:
        w->continuing = true;
        set_ground(w, order->foreground);
        sys.kill(-w->command, SIGCONT);
        break;
    case ORDER_GROUND:
        set_ground(w, order->foreground);
        break;
    case ORDER_GUARD:
        w->before = order->before;
        w->now = order->now;
        w->guarding = true;
        break;
    case ORDER_UNGUARD:
        w->guarding = false;
        break;
    }
}

/* Only if they are still buildlog's: a shell may have set its own in the meantime. */
static void restore_outside(const struct watch *w)
{
    struct termios t;

    if (w->guarding && tty_get(OUTSIDE_FD, &t) && t.c_iflag == w->now.c_iflag &&
        t.c_oflag == w->now.c_oflag && t.c_lflag == w->now.c_lflag)
        (void)tty_set(OUTSIDE_FD, &w->before);
}

static _Noreturn void end(const struct watch *w)
{
    int status;

    restore_outside(w);
    if (!w->ended && w->behind) { /* the kernel told the foreground alone, which is us */
        sys.kill(-w->command, SIGHUP);
        sys.kill(-w->command, SIGCONT);
    }
    if (w->ended)
        (void)sys.wait4(w->command, &status, WNOHANG, NULL);
    _exit(0);
}

/* waitid(2) as wait(2) says it. */
static int wait_status(const siginfo_t *info)
{
    switch (info->si_code) {
    case CLD_EXITED:
        return W_EXITCODE(info->si_status, 0);
    case CLD_DUMPED:
        return info->si_status | WCOREFLAG;
    case CLD_STOPPED:
    case CLD_TRAPPED:
        return W_STOPCODE(info->si_status);
    case CLD_CONTINUED:
        return __W_CONTINUED;
    default:
        return info->si_status;
    }
}

/* The line that is being typed, too. Without waiting, and without O_NONBLOCK, which the command's
   descendants share. */
static size_t read_unread(char *bytes)
{
    struct termios before;
    struct termios now;
    ssize_t n;

    if (!tty_get(TTY_FD, &before))
        return 0;
    now = before;
    now.c_lflag &= ~(tcflag_t)ICANON;
    now.c_cc[VMIN] = now.c_cc[VTIME] = 0;
    if (!tty_set(TTY_FD, &now))
        return 0;
    n = sys.read(TTY_FD, bytes, MONITOR_UNREAD_MAX);
    (void)tty_set(TTY_FD, &before);
    return n > 0 ? (size_t)n : 0;
}

static void let_go(struct watch *w, struct monitor_report *r)
{
    w->ended = true;
    bring_to_front(getpgrp());
    r->unread_len = read_unread(r->unread);
    close(TTY_FD);
}

/* Somebody who stopped the command alone continues it alone; but buildlog has stopped with it. */
static void note_continue(struct watch *w, int status)
{
    if (WIFCONTINUED(status) && !w->continuing)
        sys.kill(getppid(), SIGCONT);
    w->continuing = false;
}

/* Asks once; true if there was a change, which has been reported. */
static bool look(struct watch *w, int options)
{
    siginfo_t info = {0};
    struct report r = {.kind = REPORT_CHANGED};

    if (sys.waitid(w->command, &info, options | WNOHANG, &r.change.usage) != 0 || info.si_pid == 0)
        return false;
    r.change.wait_status = wait_status(&info);
    if ((options & WEXITED) != 0)
        let_go(w, &r.change);
    else
        note_continue(w, r.change.wait_status);
    if (!put_message(SOCKET_FD, &r, REPORT_SIZE + r.change.unread_len))
        end(w);
    return true;
}

static void look_at_command(struct watch *w)
{
    if (w->ended)
        return;
    while (look(w, WSTOPPED | WCONTINUED))
        ;
    (void)look(w, WEXITED | WNOWAIT);
}

static void hear(struct watch *w)
{
    struct order order;
    ssize_t n = sys.recv(SOCKET_FD, &order, sizeof(order), MSG_DONTWAIT);

    if (n == (ssize_t)sizeof(order))
        take_order(w, &order);
    else if (n >= 0 || (errno != EAGAIN && errno != EINTR))
        end(w);
}

static _Noreturn void watch(struct watch *w)
{
    struct pollfd orders = {.fd = SOCKET_FD, .events = POLLIN};
    sigset_t all_but_child;

    sigfillset(&all_but_child);
    sigdelset(&all_but_child, SIGCHLD);
    for (;;) {
        look_at_command(w);
        if (ppoll(&orders, 1, NULL, &all_but_child) > 0)
            hear(w);
    }
}

/* What the command's process starts with: in memory it shares with the monitor, which waits. */
struct starting {
    const struct monitor_options *o;
    int socket_fd;
};

/*
 * Between the command's own mask and its exec a Ctrl-Z would stop a process that the monitor waits
 * for, and nobody could continue it. So it does nothing there; the exec takes the handler away.
 */
static void swallow_stops(void)
{
    static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};
    const struct sigaction nothing = {.sa_handler = on_signal};
    struct sigaction before;

    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
        if (sigaction(stops[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(stops[i], &nothing, NULL);
}

/* The command's process: a group of its own, in front if it is to be. It tells of itself, because
   the monitor only goes on after the exec, which may take its time. */
static int start_command(void *ctx)
{
    const struct starting *s = ctx;
    struct report r = {.kind = REPORT_STARTED, .command = getpid()};

    if (setpgid(0, 0) == 0 && s->o->foreground)
        (void)sys.ioctl(s->o->tty_fd, TIOCSPGRP, &r.command);
    (void)put_message(s->socket_fd, &r, REPORT_SIZE); /* if nobody is there, hear tells */
    swallow_stops();
    s->o->become(s->o->ctx);
    return 1;
}

static _Noreturn void monitor(const struct monitor_options *o, int socket_fd)
{
    const struct sigaction action = {.sa_handler = on_signal};
    struct starting s = {.o = o, .socket_fd = socket_fd};
    struct watch w = {.behind = !o->foreground};
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigaction(SIGCHLD, &action, NULL);
    (void)prctl(PR_SET_NAME, "buildlog-tty");
    if (setsid() < 0 || sys.ioctl(o->tty_fd, TIOCSCTTY, NULL) != 0)
        report_failure(socket_fd);
    w.command = sys.vfork_run(start_command, &s);
    if (w.command < 0)
        report_failure(socket_fd);
    w.front = w.command;
    dup2(o->tty_fd, TTY_FD);
    dup2(socket_fd, SOCKET_FD);
    dup2(o->outside_fd, OUTSIDE_FD);
    close_from(FIRST_TO_CLOSE);
    watch(&w);
}

/* ---- in buildlog ---------------------------------------------------------------------- */

static enum err_code first_report(struct monitor *m, pid_t *command, struct err *e)
{
    struct report r;
    ssize_t n;

    do
        n = sys.recv(m->fd, &r, sizeof(r), 0);
    while (n < 0 && errno == EINTR);
    if (n >= REPORT_SIZE && r.kind == REPORT_STARTED) {
        *command = r.command;
        return ERR_NONE;
    }
    if (n >= REPORT_SIZE && r.kind == REPORT_FAILED)
        errno = r.sys_errno;
    else if (n >= 0)
        errno = ECHILD; /* it died at once */
    (void)err_system(e, "cannot start a session for the command", "");
    monitor_end(m);
    monitor_reap(m);
    return ERR_SYSTEM;
}

enum err_code monitor_start(struct monitor *m, const struct monitor_options *o, pid_t *command,
                            struct err *e)
{
    int fds[2];

    *m = (struct monitor){.fd = -1};
    if (sys.socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return err_system(e, "cannot make a socket", "");
    m->pid = sys.fork();
    if (m->pid == 0)
        monitor(o, fds[1]);
    sys.close(fds[1]);
    m->fd = fds[0];
    if (m->pid < 0) {
        (void)err_system(e, "cannot start a session for the command", "");
        m->pid = 0;
        monitor_end(m);
        return ERR_SYSTEM;
    }
    return first_report(m, command, e);
}

enum monitor_news monitor_next(const struct monitor *m, struct monitor_report *report)
{
    struct report r;
    ssize_t n;

    do
        n = sys.recv(m->fd, &r, sizeof(r), MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return MONITOR_SILENT;
    if (n < REPORT_SIZE)
        return MONITOR_GONE;
    *report = r.change;
    return MONITOR_CHANGED;
}

static void put_order(const struct monitor *m, struct order *order)
{
    /* If it is gone, monitor_next tells. */
    if (m->fd >= 0)
        (void)put_message(m->fd, order, sizeof(*order));
}

void monitor_set_ground(const struct monitor *m, bool foreground)
{
    struct order order = {.kind = ORDER_GROUND, .foreground = foreground};

    put_order(m, &order);
}

void monitor_continue(const struct monitor *m, bool foreground)
{
    struct order order = {.kind = ORDER_CONTINUE, .foreground = foreground};

    put_order(m, &order);
}

void monitor_guard(const struct monitor *m, const struct termios *before,
                   const struct termios *now)
{
    struct order order = {.kind = ORDER_GUARD, .before = *before, .now = *now};

    put_order(m, &order);
}

void monitor_unguard(const struct monitor *m)
{
    struct order order = {.kind = ORDER_UNGUARD};

    put_order(m, &order);
}

void monitor_end(struct monitor *m)
{
    if (m->fd >= 0)
        sys.close(m->fd);
    m->fd = -1;
}

void monitor_reap(struct monitor *m)
{
    int status;

    if (m->pid > 0)
        while (sys.wait4(m->pid, &status, 0, NULL) < 0 && errno == EINTR)
            ;
    m->pid = 0;
}
