// SPDX-License-Identifier: MIT
/*
 * Many small logs searched by several threads: they go ahead of the caller and tell of each log
 * whether anything at all would come of searching it, so that the caller, who shows things in
 * order, passes over most of them unopened. Those of which something would come, those that are
 * large, compressed, damaged or not to be read are left to the caller whole.
 *
 * Threads claim groups of logs and stay within SCREEN_AHEAD of the caller: a search that ends
 * early has not read everything for nothing.
 *
 * Memory: for each of the few threads what a log of SCREEN_LOG_MAX takes; a byte for each log.
 */
#ifndef READ_QUERY_SCREEN_H
#define READ_QUERY_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ulid.h"
#include "read/filter.h"
#include "store/log_reader.h"

enum {
    SCREEN_LOG_MAX = 256 << 10, /* bytes of a log; larger ones are left to the caller */
    SCREEN_THREADS_MAX = 2,
    SCREEN_WORTH = 32,        /* logs from which on threads pay */
    SCREEN_GROUP = 16,        /* logs claimed at once */
    SCREEN_AHEAD = 1024
};

/* What is to be searched; all of it must outlive the screen. Threads only read it. */
struct query_screen_job {
    const struct filter *filter;
    int root_fd;
    char (*ids)[ULID_SIZE];
    size_t n;
    /* True: nothing of this log is wanted, whatever it holds. Called by several threads. */
    bool (*unwanted)(const void *arg, const struct log_reader *r);
    const void *arg;
};

struct query_screen;

/* NULL where it is not worth it, or cannot be had. */
struct query_screen *query_screen_new(const struct query_screen_job *job);
void query_screen_free(struct query_screen *s); /* NULL is fine */

/* Whether nothing would come of searching the i-th log: no match, and nothing left out. i does not
   decrease from call to call. Waits. */
bool query_screen_nothing(struct query_screen *s, size_t i);

#endif
