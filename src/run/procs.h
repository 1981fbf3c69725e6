// SPDX-License-Identifier: MIT
/*
 * Other processes, through /proc (proc(5)): the command's descendants, and who holds a pipe.
 * Everything here is a snapshot of something that moves; a process that is gone is skipped.
 */
#ifndef RUN_PROCS_H
#define RUN_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCS_MAX = 4096, PROC_COMMAND_MAX = 256, PROC_WAIT_MAX = 64, PROC_PATH_MAX = 256 };

struct proc_list {
    pid_t *pids; /* malloc'ed */
    size_t len;
};

void proc_list_release(struct proc_list *l);

/* root and all its descendants, root first; just root where /proc cannot be read. */
void procs_descendants(pid_t root, struct proc_list *out);

/* Sends signal to root and its descendants. */
void procs_signal(pid_t root, int signal);

/* What tells the pipe, socket or terminal behind fd from all others; 0: nothing to be found. */
uint64_t procs_hold_key(int fd);

/* Processes other than this one with a descriptor on one of these (procs_hold_key of each). */
void procs_holders(const uint64_t *keys, size_t n, struct proc_list *out);

/* Does pid (still) have one? */
bool procs_hold(pid_t pid, const uint64_t *keys, size_t n);

/* The command line of pid, spaces between the words, cut to PROC_COMMAND_MAX; its short name
   in brackets where there is none; "" when it is gone. Returns its length. Raw bytes. */
size_t procs_command(pid_t pid, char dst[PROC_COMMAND_MAX]);

/* The same, but where the process is in state D only its short name: that never waits. */
size_t procs_name(pid_t pid, char state, char dst[PROC_COMMAND_MAX]);

struct proc_status {
    pid_t parent;
    char state;               /* R, S, D, Z, T … of proc(5) */
    int64_t cpu_ms;           /* user and system */
    char wait[PROC_WAIT_MAX]; /* where in the kernel it sleeps; "" if it does not, or is hidden */
};

/* False when it is gone. */
bool procs_status(pid_t pid, struct proc_status *out);

/* It is stopped, or that cannot be told. */
bool procs_stopped(pid_t pid);

struct proc_file {
    int fd;
    size_t len;
    char path[PROC_PATH_MAX]; /* len raw bytes; longer ones are cut */
};

/* What pid has open, the first max of them; returns how many there are. */
size_t procs_files(pid_t pid, struct proc_file *files, size_t max);

#endif
