// SPDX-License-Identifier: MIT
/*
 * Where showing the end of a log begins: so many of the last records, so many of the last bytes
 * of output, what comes after a number; all that is asked holds.
 *
 * A plain log is read backwards in blocks, as far as that takes. A compressed one is read
 * forwards once, with the last records in a ring; where they do not fit into HISTORY_RING_MAX it
 * is read a second time. Which records count, and how much they weigh, is the caller's to say.
 *
 * Memory: the longest line and HISTORY_RING_MAX, however much is asked for.
 * Called by cmd/tail.
 */
#ifndef READ_HISTORY_H
#define READ_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "store/log_reader.h"

enum { HISTORY_RING_MAX = 4 << 20 };

struct history_want {
    uint64_t last;      /* records that count; UINT64_MAX: any number */
    uint64_t bytes;     /* that they weigh together; UINT64_MAX: not asked, nothing is weighed */
    bool part;          /* the first of them may be shown in part, to make up the bytes */
    uint64_t after_seq; /* only what is numbered above */
};

struct history_eye {
    void *arg;
    bool (*counts)(void *arg, const struct log_item *item);
    uint64_t (*weigh)(void *arg, const struct log_item *item);
    void (*pass)(void *arg, const struct log_item *item); /* compressed: each record, in order */
    /* Before anything is shown: of the output so many bytes at its beginning are not to be shown,
       and what the reader had counted before the first record. Not called: none, nothing. */
    void (*begin)(void *arg, uint64_t cut, const struct log_left_out *before);
    enum err_code (*show)(void *arg, const struct log_item *item, struct err *e);
};

/*
 * Leaves r where showing goes on with log_reader_next. Of a compressed log some of it, or all,
 * is shown then (eye->show).
 */
enum err_code history_seek(struct log_reader *r, const struct history_want *want,
                           const struct history_eye *eye, struct err *e) MUST_USE;

#endif
