// SPDX-License-Identifier: MIT
/*
 * A large log searched by several threads: each takes the next stretch of the file, reads it and
 * looks for matches; the caller gets them in the order of the log. Stretches wait in slots, of
 * which there are a few more than threads, so that memory is bounded and nobody runs far ahead.
 *
 *   slot: FREE ─claim [worker]→ TAKEN ─search [worker]→ DONE ─hand over [caller]→ FREE
 *
 * Stretch k is in slot k modulo their number. A line belongs to the stretch that it begins in.
 */
#ifndef READ_QUERY_PARALLEL_H
#define READ_QUERY_PARALLEL_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "read/filter.h"
#include "store/log_reader.h"

enum {
    STRETCH_SIZE = 1 << 20,
    STRETCH_TAIL_MAX = 1 << 20, /* a line that reaches further beyond its stretch is left alone */
    PARALLEL_THREADS_MAX = 4,
    PARALLEL_LOG_MIN = 4 << 20 /* smaller logs are not worth the threads */
};

/* A matching line, valid during the call. Anything but ERR_NONE ends the search. */
struct parallel_taker {
    enum err_code (*take)(void *arg, const char *line, size_t n, int cost);
    void *arg;
};

/* How many threads there are to be; below 2 the search is not worth it. */
unsigned parallel_threads(void);

/*
 * Searches r, which is not compressed, from its beginning, as far as it is safe: not the last
 * stretches of a log that may grow, nothing behind a line that is too long. *upto: the offset
 * where the first line begins that was not searched; *damaged: lines that are no records.
 */
enum err_code parallel_search(const struct filter *f, const struct record *start,
                              const struct log_reader *r, struct parallel_taker taker,
                              uint64_t *upto, uint64_t *damaged, struct err *e) MUST_USE;

#endif
