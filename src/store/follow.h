// SPDX-License-Identifier: MIT
/*
 * Waits for something to happen to a log that is open, at no cost while nothing does.
 *
 * inotify watches the inode, not the path. A writer that is killed cannot say so, but its last
 * close is an event. That event comes before the kernel lets go of the lock, so after a close
 * the caller is woken a few more times, at growing distances, until it has seen the lock free.
 * Polling each second takes inotify's place only where there is none, and joins it on network
 * and user-space file systems, where writes of others go unnoticed.
 */
#ifndef STORE_FOLLOW_H
#define STORE_FOLLOW_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

enum follow_event {
    FOLLOW_DATA = 1,   /* there may be more to read */
    FOLLOW_CLOSED = 2, /* a writer may be gone: ask for the state */
    FOLLOW_MOVED = 4,  /* the path may no longer name this file */
    FOLLOW_OUTPUT = 8  /* nobody reads out_fd any more */
};

struct follow;

enum err_code follow_new(struct follow **out, struct err *e) MUST_USE;
void follow_free(struct follow *f); /* NULL is fine */

/* From now on this file instead of the one before. */
void follow_file(struct follow *f, int log_fd);

/* Wakes the next follow_wait calls at short, growing distances (as after a close). */
void follow_soon(struct follow *f);

/*
 * Blocks until something happens; *events is a set of enum follow_event, never empty.
 * out_fd -1: not watched. limit_ms -1: none; else *events is FOLLOW_DATA after that long.
 */
enum err_code follow_wait(struct follow *f, int out_fd, int limit_ms, unsigned *events,
                          struct err *e) MUST_USE;

/* For who waits by other means: what is readable when something happened (-1: nothing tells, or
   no file yet; the next follow_file makes another), and what did happen, 0: nothing. Then
   follow_soon and follow_polls are the caller's to obey. */
int follow_fd(const struct follow *f);
unsigned follow_take(struct follow *f);

bool follow_polls(const struct follow *f); /* true where it must wake up each second */

#endif
