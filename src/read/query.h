// SPDX-License-Identifier: MIT
/*
 * One log searched by a filter, forwards or backwards, with the records around each match.
 *
 * Forwards the log comes in pieces of whole lines, and lines that cannot match are passed over
 * unread (filter.h); so what is damaged there, or numbered wrong, is not seen: that is for
 * verify. Backwards it comes line by line. A compressed log can only be read forwards; for the
 * way back it is read once, and once more for each QUERY_STASH_MAX of what it shows.
 *
 * Memory: the longest line twice, QUERY_RING_MAX for what may become context, and where a
 * compressed log is shown backwards QUERY_STASH_MAX.
 */
#ifndef READ_QUERY_H
#define READ_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "read/filter.h"
#include "store/log_reader.h"

enum {
    QUERY_RING_MAX = 8 << 20,  /* bytes of context before a match; what is older gives way */
    QUERY_STASH_MAX = 8 << 20,
    QUERY_COST_ANY = -1
};

/* How a record came out. */
struct query_shown {
    bool context; /* shown for its place, not for itself */
    bool apart;   /* records between it and the one before are not shown (with context only) */
};

/* The caller sets what is above the line; `left` and `shown` go on from log to log. */
struct query {
    const struct filter *filter;
    /* Anything but ERR_NONE ends the search and is what query_log returns. */
    enum err_code (*visit)(void *arg, const struct view *v, struct query_shown how);
    void *arg;
    uint64_t before, after; /* records shown around a match, as they stand in the log */
    bool reverse;
    bool count_only; /* visit is not called */
    uint64_t left; /* matches still wanted; UINT64_MAX: all */
    int cost;      /* only matches of this cost; QUERY_COST_ANY: of any */

    uint64_t matches;
    bool shown; /* something came out */
};

/* Searches r from its beginning (or its end); start is its first start record or NULL. */
enum err_code query_log(struct query *q, struct log_reader *r, const struct record *start,
                        struct err *e) MUST_USE;

#endif
