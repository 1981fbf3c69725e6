// SPDX-License-Identifier: MIT
/* The inside of struct build_log, shared by build_log.c and log_seal.c alone. */
#ifndef STORE_LOG_STATE_H
#define STORE_LOG_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/build_log.h"
#include "store/log_file.h"
#include "store/log_queue.h"

enum log_state { LOG_UNOPENED, LOG_WRITING, LOG_DEGRADED, LOG_SEALED };

/*
 * Every number given out is in exactly one of these, in this order: the file, `dropped`, the
 * queue, `beyond`.
 */
struct build_log {
    enum log_state state;
    struct log_file file;
    struct buf head; /* start record, and the gap for a replaced file, not yet written */
    struct log_queue queue;
    struct log_loss dropped; /* gave way at the queue's front: the next gap record */
    struct log_loss beyond;  /* came after --max-log: the last gap record */
    uint64_t next_seq;
    uint64_t first_seq; /* of this attempt */
    int64_t last_ts;
    uint64_t limit; /* file size above which nothing is recorded */
    uint64_t lines; /* read in this attempt */
    uint64_t bytes;
    bool numbered;   /* the file was open once: attempt and first number stand */
    bool full;       /* the limit was reached */
    bool incomplete; /* a gap or a truncated line */
    struct line_encoder line[N_SRC];

    struct err trouble;
    bool trouble_new; /* not told yet */
    bool told;        /* trouble was told, its end was not */
    bool told_once;
    int64_t told_ns;

    struct record_start start;
    char *root;
    char *path;
    char id[ULID_SIZE];
    enum build_log_sync sync;
};

/* Sees that the file is open and is the one that the path names. */
enum err_code log_reopen(struct build_log *l, struct err *e) MUST_USE;

/* Writes all that waits, oldest first. */
enum err_code log_drain(struct build_log *l, struct err *e) MUST_USE;

/* Appends the gap record for the loss. */
enum err_code log_put_gap(const struct build_log *l, struct buf *b, const struct log_loss *loss,
                          const char *reason) MUST_USE;

#endif
