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
#include "run/procs.h"
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

/* What failed is tried again after this; so often in a row, then it is given up. */
enum { RETRY_MS = 100, FAILURES_MAX = 25 };

enum { WAKINGS_MAX = 100 }; /* it may stand still for seconds, or have SIGCONT blocked */

/* A message is whole or not there: SOCK_SEQPACKET (unix(7)). */
static bool put_message(int fd, void *message, size_t len, int flags)
{
    struct iovec iov = {.iov_base = message, .iov_len = len};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    do
        n = sys.sendmsg(fd, &header, MSG_NOSIGNAL | flags);
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
    bool look_again; /* a look at the command failed */
    int wakings;     /* how often buildlog is still to be woken */
    int failures;    /* turns in a row that left something to be done */
    struct monitor_order order;
    unsigned grounds; /* how much of the order has been done */
    unsigned continues;
    struct report report; /* of the last change */
    bool unsent;
};

static void on_signal(int signal)
{
    (void)signal; /* it only has to end a wait */
}

static void report_failure(int fd)
{
    struct report r = {.kind = REPORT_FAILED, .sys_errno = errno};

    (void)put_message(fd, &r, REPORT_SIZE, 0);
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
static bool bring_to_front(pid_t group)
{
    return sys.ioctl(TTY_FD, TIOCSPGRP, &group) == 0;
}

/* False: it could not be done. */
static bool set_ground(struct watch *w, bool foreground)
{
    pid_t front = 0;

    if (sys.ioctl(TTY_FD, TIOCGPGRP, &front) != 0)
        return false;
    w->behind = !foreground;
    if (foreground && front == getpgrp())
        return bring_to_front(w->front) || bring_to_front(w->command); /* the other one is gone */
    if (foreground || front == getpgrp())
        return true;
    w->front = front;
    return bring_to_front(getpgrp());
}

/* As far as it has not been carried out. In front first: behind, the command would stop again. */
static bool carry_out(struct watch *w)
{
    if (!w->ended && w->grounds != w->order.grounds && !set_ground(w, w->order.foreground))
        return false;
    w->grounds = w->order.grounds;
    if (w->continues == w->order.continues)
        return true;
    w->continuing = true;
    if (sys.kill(-w->command, SIGCONT) != 0)
        return false;
    w->continues = w->order.continues;
    return true;
}

/* Only if they are still buildlog's: a shell may have set its own in the meantime. */
static void restore_outside(const struct watch *w)
{
    struct termios t;

    if (w->order.guarding && tty_get(OUTSIDE_FD, &t) && t.c_iflag == w->order.now.c_iflag &&
        t.c_oflag == w->order.now.c_oflag && t.c_lflag == w->order.now.c_lflag)
        (void)tty_set(OUTSIDE_FD, &w->order.before);
}

/* One order, if there is one. ECONNRESET tells that buildlog has died with something unread, not
   that there is nothing left of what it said. */
static ssize_t next_order(struct watch *w)
{
    struct monitor_order order;
    ssize_t n = sys.recv(SOCKET_FD, &order, sizeof(order), MSG_DONTWAIT);

    if (n != (ssize_t)sizeof(order))
        return n;
    w->order = order;
    w->wakings = 0;
    return n;
}

/* What buildlog said last, of the settings above all. */
static void hear_the_rest(struct watch *w)
{
    ssize_t n;

    do
        n = next_order(w);
    while (n > 0 || (n < 0 && errno == ECONNRESET));
}

static _Noreturn void end(struct watch *w)
{
    int status;

    hear_the_rest(w);
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

/* Somebody who stopped the command alone continues it alone; but buildlog has stopped with it, or
   is just about to, which would take back a SIGCONT that waits. It answers with an order. Woken
   only while it is stopped: a second SIGCONT would continue what is stopped after the first. */
static void note_continue(struct watch *w, int status)
{
    w->wakings = WIFCONTINUED(status) && !w->continuing ? WAKINGS_MAX : 0;
    w->continuing = false;
}

static void wake(struct watch *w)
{
    if (w->wakings == 0)
        return;
    w->wakings--;
    if (procs_stopped(getppid()))
        sys.kill(getppid(), SIGCONT);
}

/* The last change, if buildlog does not know it yet. */
static void tell(struct watch *w)
{
    size_t len = REPORT_SIZE + w->report.change.unread_len;

    w->unsent = w->unsent && !put_message(SOCKET_FD, &w->report, len, 0);
    if (w->unsent && errno == EPIPE)
        end(w);
}

/* Asks once; true if there was a change, which has been reported. */
static bool look(struct watch *w, int options)
{
    siginfo_t info = {0};
    struct monitor_report *r = &w->report.change;

    if (sys.waitid(w->command, &info, options | WNOHANG, &r->usage) != 0)
        w->look_again = w->look_again || errno != ECHILD; /* that is: no change of this kind */
    if (info.si_pid == 0)
        return false;
    r->wait_status = wait_status(&info);
    if ((options & WEXITED) != 0)
        let_go(w, r);
    w->unsent = true;
    tell(w);
    if (!w->ended)
        note_continue(w, r->wait_status);
    return true;
}

/* One change after the other, each when the one before it has been told. */
static void look_at_command(struct watch *w)
{
    w->look_again = false;
    tell(w);
    while (!w->unsent && !w->ended && look(w, WSTOPPED | WCONTINUED))
        ;
    if (!w->unsent && !w->ended)
        (void)look(w, WEXITED | WNOWAIT);
}

/* False: that failed. */
static bool hear(struct watch *w)
{
    ssize_t n = next_order(w);

    if (n == 0)
        end(w);
    return n > 0 || errno == ECONNRESET;
}

/* The kernel gives no reason to fail that lasts, other than that the other one is gone. */
static void count_failure(struct watch *w, bool failed)
{
    w->failures = failed ? w->failures + 1 : 0;
    if (w->failures > FAILURES_MAX)
        end(w);
}

static _Noreturn void watch(struct watch *w)
{
    static const struct timespec retry = {.tv_nsec = RETRY_MS * 1000000L};
    struct pollfd orders = {.fd = SOCKET_FD, .events = POLLIN};
    sigset_t all_but_child;
    bool heard = true;

    sigfillset(&all_but_child);
    sigdelset(&all_but_child, SIGCHLD);
    for (;;) {
        bool done = carry_out(w);
        bool due;

        look_at_command(w);
        wake(w);
        due = !done || !heard || w->unsent || w->look_again;
        count_failure(w, due);
        heard = true;
        due = due || w->wakings > 0;
        if (ppoll(&orders, 1, due ? &retry : NULL, &all_but_child) > 0)
            heard = hear(w);
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
   the monitor only goes on after the exec, which may take its time. What buildlog does not hear of
   does not start. */
static int start_command(void *ctx)
{
    const struct starting *s = ctx;
    struct report r = {.kind = REPORT_STARTED, .command = getpid()};

    if (setpgid(0, 0) == 0 && s->o->foreground)
        (void)sys.ioctl(s->o->tty_fd, TIOCSPGRP, &r.command);
    if (!put_message(s->socket_fd, &r, REPORT_SIZE, 0))
        return 1;
    swallow_stops();
    s->o->become(s->o->ctx);
    return 1;
}

static _Noreturn void monitor(const struct monitor_options *o, int socket_fd)
{
    const struct sigaction action = {.sa_handler = on_signal};
    struct starting s = {.o = o, .socket_fd = socket_fd};
    struct watch w = {.behind = !o->foreground, .report.kind = REPORT_CHANGED};
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
    while (n < 0 && ++m->failures < FAILURES_MAX);
    m->failures = 0;
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

enum monitor_news monitor_next(struct monitor *m, struct monitor_report *report)
{
    struct report r;
    ssize_t n = sys.recv(m->fd, &r, sizeof(r), MSG_DONTWAIT);

    if (n >= REPORT_SIZE) {
        *report = r.change;
        m->failures = 0;
        return MONITOR_CHANGED;
    }
    if (n < 0 && errno != EAGAIN)
        m->failures++; /* one that has gone, too, may have left a message */
    return n < 0 && m->failures < FAILURES_MAX ? MONITOR_SILENT : MONITOR_GONE;
}

bool monitor_due(const struct monitor *m)
{
    return m->due && m->fd >= 0;
}

/* If it is gone, or does not answer, monitor_next tells. */
void monitor_retry(struct monitor *m)
{
    if (!monitor_due(m))
        return;
    m->due = !put_message(m->fd, &m->order, sizeof(m->order), MSG_DONTWAIT);
    if (!m->due)
        m->failures = 0;
    else if (errno != EAGAIN) /* it stands still, and has not read the ones before */
        m->failures++;
}

static void put_order(struct monitor *m)
{
    m->due = true;
    monitor_retry(m);
}

void monitor_set_ground(struct monitor *m, bool foreground)
{
    m->order.grounds++;
    m->order.foreground = foreground;
    put_order(m);
}

void monitor_continue(struct monitor *m, bool foreground)
{
    m->order.continues++;
    monitor_set_ground(m, foreground);
}

void monitor_guard(struct monitor *m, const struct termios *before, const struct termios *now)
{
    m->order.guarding = true;
    m->order.before = *before;
    m->order.now = *now;
    put_order(m);
}

void monitor_answer(struct monitor *m)
{
    put_order(m);
}

void monitor_unguard(struct monitor *m)
{
    m->order.guarding = false;
    put_order(m);
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
