// SPDX-License-Identifier: MIT
/*
 * The matches of one log from the last one back, taken one at a time: a batch of them is copied,
 * and when it is used up the next one is looked for where it ended. A compressed log is read
 * forwards for each batch, from which the last matches are kept. Private to src/lib.
 */
#ifndef LIB_BATCH_H
#define LIB_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "read/filter.h"
#include "store/log_reader.h"

enum {
    BATCH_BYTES = 256 << 10,     /* of the matches that are copied at once */
    BATCH_COMPRESSED = 4 << 20, /* the same, where each batch costs reading the whole log */
    BATCH_ITEMS_MAX = 1 << 20   /* bytes of what is noted of them */
};

struct batch {
    struct buf text;
    struct buf items;   /* private: of each match where it is */
    size_t left;        /* of the items that have not been taken */
    uint64_t end;       /* what begins here or behind it was looked at */
    uint64_t after_seq; /* smaller numbers are not wanted */
    bool last;          /* there are none before this batch */
    enum err_code rc;   /* private */
    struct filter_run *run; /* private */
};

void batch_init(struct batch *b, uint64_t after_seq);
void batch_release(struct batch *b);

/* Begins with the end of another log. */
void batch_restart(struct batch *b);

/* The match before; run->view holds it. *have false: there are no more. */
enum err_code batch_next(struct batch *b, struct log_reader *r, struct filter_run *run, bool *have,
                         struct err *e) MUST_USE;

#endif
