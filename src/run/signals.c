// SPDX-License-Identifier: MIT
#include "run/signals.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/sys.h"

static const int passed_on[] = {SIGTERM, SIGINT,   SIGHUP,  SIGQUIT, SIGUSR1,
                                SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP};
enum { N_PASSED_ON = sizeof(passed_on) / sizeof(passed_on[0]) };

static bool ignored(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* What we wait for: the list less what the caller had ignored or blocked, and SIGCHLD. */
static void wanted_set(const sigset_t *inherited, sigset_t *wanted)
{
    sigemptyset(wanted);
    for (int i = 0; i < N_PASSED_ON; i++)
        if (!ignored(passed_on[i]) && sigismember(inherited, passed_on[i]) == 0)
            sigaddset(wanted, passed_on[i]);
    sigaddset(wanted, SIGCHLD);
}

enum err_code signals_start(struct signals *s, struct err *e)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t wanted;

    sigprocmask(SIG_SETMASK, NULL, &s->inherited_mask);
    wanted_set(&s->inherited_mask, &wanted);
    s->fd = sys.signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->fd < 0)
        return err_system(e, "cannot make a signal descriptor", "");
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    sigaction(SIGPIPE, &ignore, &s->sigpipe);
    /* A log that reached `ulimit -f` is a full disk, not the end of the build. */
    sigaction(SIGXFSZ, &ignore, &s->sigxfsz);
    /* With SIGCHLD ignored the kernel would throw the command's status away. */
    sigaction(SIGCHLD, &by_default, &s->sigchld);
    return ERR_NONE;
}

void signals_release(struct signals *s)
{
    sys.close(s->fd);
    s->fd = -1;
}

bool signals_next(struct signals *s, struct signal_event *event)
{
    struct signalfd_siginfo info;
    ssize_t n;

    do
        n = sys.read(s->fd, &info, sizeof(info));
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(info))
        return false;
    event->signal = (int)info.ssi_signo;
    event->from_process = info.ssi_code <= 0; /* SI_USER is 0, SI_QUEUE, SI_TKILL … below */
    event->sender_pid = event->from_process ? (int64_t)info.ssi_pid : 0;
    return true;
}

void signals_restore(const struct signals *s)
{
    sigaction(SIGPIPE, &s->sigpipe, NULL);
    sigaction(SIGXFSZ, &s->sigxfsz, NULL);
    sigaction(SIGCHLD, &s->sigchld, NULL);
    sigprocmask(SIG_SETMASK, &s->inherited_mask, NULL);
}

bool signals_continue_pending(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

/* whom as kill(2) has it. */
static void stop(pid_t whom, int signal)
{
    sigset_t one;
    sigset_t before;

    /* A stop signal takes back a SIGCONT that waits (signal(7)): its sender would be ignored. */
    if (signals_continue_pending())
        return;
    if (signal == SIGSTOP) {
        sys.kill(getpid(), SIGSTOP);
        return;
    }
    sigemptyset(&one);
    sigaddset(&one, signal);
    sys.kill(whom, signal);
    sigprocmask(SIG_UNBLOCK, &one, &before); /* delivered here, by default: stop */
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void signals_stop_self(int signal)
{
    stop(getpid(), signal);
}

void signals_stop_group(int signal)
{
    stop(0, signal);
}

void signals_die(int signal)
{
    const struct rlimit no_core = {0};
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t one;

    /* The limit does not hold where cores are piped to a program (core(5)): not dumpable. */
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_DUMPABLE, 0);
    sigaction(signal, &by_default, NULL);
    sigemptyset(&one);
    sigaddset(&one, signal);
    sys.kill(getpid(), signal);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

bool signal_means_stop(int signal)
{
    return signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}
