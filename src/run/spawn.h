// SPDX-License-Identifier: MIT
/*
 * Starting the command: fork, exec, and an errno pipe. The pipe is close-on-exec: end of file
 * on it means that the exec succeeded, a record on it says what failed.
 */
#ifndef RUN_SPAWN_H
#define RUN_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "run/monitor.h"
#include "run/signals.h"

struct spawn_options {
    char *const *argv; /* NULL-terminated, at least one word */
    int stdout_fd;     /* the command's descriptor 1 */
    int stderr_fd;     /* and 2; may be the same */
    bool close_stdin;  /* it was closed when buildlog started */
    bool own_group;    /* the command leads a process group */
    bool session;      /* stdout_fd is a terminal that is to control a session of its own */
    bool keep_stdin;   /* but is not to be stdin */
    bool foreground;   /* of that terminal */
    int outside_fd;    /* the terminal outside, for the monitor */
    const struct signals *signals;
};

struct spawned {
    pid_t pid;
    int errno_fd; /* non-blocking; watch it, then call spawn_result */
    struct monitor monitor; /* in a session: the command's parent; its pid is 0 otherwise */
};

enum err_code spawn_start(const struct spawn_options *o, struct spawned *out,
                          struct err *e) MUST_USE;

enum spawn_outcome { SPAWN_PENDING, SPAWN_STARTED, SPAWN_FAILED };

/*
 * Reads errno_fd. SPAWN_FAILED fills *e and sets *exit_code to 127 (not found) or 126 (found
 * but cannot be run).
 */
enum spawn_outcome spawn_result(const struct spawn_options *o, int errno_fd, int *exit_code,
                                struct err *e);

#endif
