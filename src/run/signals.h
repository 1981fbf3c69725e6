// SPDX-License-Identifier: MIT
/*
 * Signals as events with their sender. The signals of the list below are blocked and read
 * from a signalfd(2), because who sent one matters: what the terminal sent (si_code
 * SI_KERNEL) has reached the command already. What was ignored or blocked when buildlog
 * started is left as it was, for buildlog and for the command.
 */
#ifndef RUN_SIGNALS_H
#define RUN_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct signals {
    int fd;                   /* signalfd, close-on-exec, non-blocking */
    sigset_t inherited_mask;  /* what the command gets back */
    struct sigaction sigpipe; /* likewise */
    struct sigaction sigxfsz; /* likewise */
    struct sigaction sigchld;
};

struct signal_event {
    int signal;
    int64_t sender_pid; /* 0 when the kernel sent it */
    bool from_process;  /* kill(2), sigqueue(3), tgkill(2); else the kernel, so the terminal */
};

enum err_code signals_start(struct signals *s, struct err *e) MUST_USE;
void signals_release(struct signals *s);

/* The next pending signal; false when there is none. */
bool signals_next(struct signals *s, struct signal_event *event);

/* In the child between fork and exec (async-signal-safe): as it was when buildlog started. */
void signals_restore(const struct signals *s);

/* Stops this process as `signal` (TSTP, TTIN, TTOU, STOP) does, and returns when continued; at
   once when a SIGCONT has come already, or when nobody could continue it (an orphaned group). */
void signals_stop_self(int signal);

/* The same for the whole process group, as a terminal does it. */
void signals_stop_group(int signal);

/* A SIGCONT waits to be read: false after a stop that was none. */
bool signals_continue_pending(void);

/*
 * Dies of `signal` as the command did, without a core file of its own. Returns only where that
 * cannot be (PID 1).
 */
void signals_die(int signal);

/* TERM, INT, HUP: they mean stop. */
bool signal_means_stop(int signal);

#endif
