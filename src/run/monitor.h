// SPDX-License-Identifier: MIT
/*
 * The process between buildlog and a command that has a terminal of its own.
 *
 * Why there has to be one: the kernel stops a process at Ctrl-Z only if somebody could continue
 * it, that is, if some process of its session but of another group is the parent of one in its
 * group (POSIX, "orphaned process group"; setpgid(2)). buildlog is in the session outside. So
 * the leader of the session inside is this process; it starts the command in a group of its own
 * and tells buildlog of every change of its state.
 *
 *   buildlog (session outside) -> monitor (leader of the session inside) -> command (own group)
 *
 *   monitor to buildlog  started (pid); state changed (wait status, what it used)
 *   buildlog to monitor  continue it; in front or behind; the terminal outside is raw, or not
 *
 * A message of the monitor is kept until it could be sent. One of buildlog says all that holds at
 * that moment, not what is new in it: what one that could not be sent had to say, the next one
 * says, and the same one twice is the same as once. Who cannot send, or cannot do what it was told,
 * tries again some times a second; after some seconds it gives the other up, and that is the end
 * of the command.
 *
 * Duties beyond that:
 *   - the command's zombie stays until buildlog is through with it, so that its pid and its group
 *     stay what they were;
 *   - once the command is gone, the monitor takes the terminal's foreground, hands over what was
 *     typed ahead, and lets go of the terminal: what the command left behind is in the background,
 *     as it is after a command without buildlog, and the end of the output can be seen;
 *   - if buildlog dies without a word, the terminal outside is restored, unless somebody has
 *     changed its settings since. (The kernel hangs the terminal inside up, as its master is
 *     closed, so the command hears SIGHUP; one in the background hears it from the monitor.)
 *
 * The command's process borrows the monitor's memory until it execs: there would be a copy to make
 * and to take apart again, for nothing. The monitor is a fork of buildlog that never execs: only
 * async-signal-safe calls, no memory asked for, and no descriptor kept but the three it needs, so
 * that neither lock nor pipe outlives buildlog. All signals are blocked in it but SIGCHLD.
 */
#ifndef RUN_MONITOR_H
#define RUN_MONITOR_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <termios.h>

#include "base/attr.h"
#include "base/err.h"

enum { MONITOR_UNREAD_MAX = 4096 }; /* as much as a terminal holds (N_TTY_BUF_SIZE) */

struct monitor_options {
    int tty_fd;      /* the slave that becomes the session's controlling terminal */
    int outside_fd;  /* the terminal outside */
    bool foreground; /* the command starts in the foreground of its terminal */
    /* Becomes the command, in a process that leads its group and has the monitor's memory
       (sys.vfork_run); does not return. */
    void (*become)(const void *ctx);
    const void *ctx;
};

/* What the monitor is to see to. */
struct monitor_order {
    unsigned grounds;   /* how often `foreground` was ordered: another number, another order */
    unsigned continues; /* how often the command was to go on */
    bool foreground;
    bool guarding; /* the terminal outside got `now`; should buildlog die, it is to get `before` */
    struct termios before;
    struct termios now;
};

struct monitor {
    pid_t pid; /* 0: there is none */
    int fd;    /* our end of the socket, -1 after monitor_end */
    struct monitor_order order;
    bool due;     /* the monitor has not been sent the order yet */
    int failures; /* in a row, of the socket */
};

/* Starts the monitor and by it the command, whose pid goes to *command. */
enum err_code monitor_start(struct monitor *m, const struct monitor_options *o, pid_t *command,
                            struct err *e) MUST_USE;

enum monitor_news {
    MONITOR_SILENT,  /* nothing new */
    MONITOR_CHANGED, /* the report is filled */
    MONITOR_GONE     /* it died before the command's end was known, or cannot be reached */
};

struct monitor_report {
    int wait_status; /* as wait(2) has it, also for WIFSTOPPED and WIFCONTINUED */
    struct rusage usage;
    size_t unread_len; /* with the command's end: what was typed and nobody has read */
    char unread[MONITOR_UNREAD_MAX];
};

/* Does not block; watch m->fd. */
enum monitor_news monitor_next(struct monitor *m, struct monitor_report *report);

/* Orders do not block either. Where one could not be sent, monitor_due says so, and monitor_retry
   is to be called some times a second until it no longer does. */
bool monitor_due(const struct monitor *m);
void monitor_retry(struct monitor *m);

/* Brings what was in front to the front of the terminal, or takes it from there. */
void monitor_set_ground(struct monitor *m, bool foreground);

/* The same, then SIGCONT for the command's group. */
void monitor_continue(struct monitor *m, bool foreground);

/* That the command was continued is known here: nothing new is ordered. */
void monitor_answer(struct monitor *m);

/* The terminal outside is about to get `now`: should buildlog die, `before` is to be restored. */
void monitor_guard(struct monitor *m, const struct termios *before, const struct termios *now);
void monitor_unguard(struct monitor *m);

/* Lets it go; it ends by itself. Once more is fine. */
void monitor_end(struct monitor *m);

/* After that: waits for its end, which is near, so that no zombie is left. */
void monitor_reap(struct monitor *m);

#endif
