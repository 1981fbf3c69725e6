// SPDX-License-Identifier: MIT
/*
 * Encoded records that wait to be written, oldest first.
 *
 * Records lie back to back in blocks, so that in a normal turn everything is one block and
 * one write(2), and encoders write straight into it. What a record alone does not tell (how
 * many input bytes it stands for, whether it is a line) is one word per record, growing down
 * from the block's end: the memory of both is bounded by the blocks'. A record's length and
 * number need no note: it ends at the first newline byte, and numbers ascend by one.
 *
 * Invariants: every block but an empty last one holds whole records; bytes, records and
 * first_seq describe what waits; blocks are pages of their own, so that memory returns to
 * the system. Never larger than its ceiling plus one record. Called by build_log.c only.
 */
#ifndef STORE_LOG_QUEUE_H
#define STORE_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

enum {
    LOG_BLOCK_SIZE = 256 << 10, /* of an ordinary block: stays in the cache from turn to turn */
    LOG_NOTE_SIZE = 8
};

struct log_block {
    struct log_block *next;
    size_t cap;  /* bytes of data[] */
    size_t head; /* bytes already written or dropped */
    size_t len;  /* end of the last record */
    size_t top;  /* start of the notes: room is between len and top */
    size_t gone; /* notes of records already written or dropped */
    char data[]; /* records up, notes down from cap */
};

struct log_queue {
    struct log_block *first;
    struct log_block *last;
    size_t bytes;       /* that wait */
    uint64_t first_seq; /* number of the oldest record; meaningless when none waits */
    uint64_t records;   /* that wait */
    size_t ceiling;
};

/* Records that went: what a gap record says about them. records 0: nothing went. */
struct log_loss {
    uint64_t from;
    uint64_t records;
    uint64_t lines;
    uint64_t bytes; /* of input, as the notes say */
    int64_t ts_ms;  /* of the last one */
};

void log_queue_init(struct log_queue *q, size_t ceiling);
void log_queue_release(struct log_queue *q);

/* True if the last block has room for a record of at most room bytes. */
static inline bool log_queue_fits(const struct log_queue *q, size_t room)
{
    return q->last != NULL && q->last->top - q->last->len >= room + LOG_NOTE_SIZE;
}

/*
 * Makes the last block one with room, by a new block or by giving up the oldest ones, which
 * are added to *loss. ERR_MEMORY: there is no memory even so, and nothing waits any more.
 */
enum err_code log_queue_make_room(struct log_queue *q, size_t room,
                                  struct log_loss *loss) MUST_USE;

/* Where the next record goes; valid after log_queue_fits. */
static inline char *log_queue_end(const struct log_queue *q)
{
    return q->last->data + q->last->len;
}

/* Takes in the record of n bytes that was put at log_queue_end. */
void log_queue_push(struct log_queue *q, size_t n, uint64_t seq, bool line, uint64_t input);

/* Gives up the oldest records until the ceiling holds again. */
void log_queue_trim(struct log_queue *q, struct log_loss *loss);

/* Gives up the oldest records until at least n bytes went or nothing waits. */
void log_queue_drop(struct log_queue *q, size_t n, struct log_loss *loss);

/* The first n bytes, whole records of the first block, were written. Returns how many
   records that was. */
uint64_t log_queue_commit(struct log_queue *q, size_t n);

/* The first block's waiting bytes; NULL when nothing waits. */
struct log_block *log_queue_front(const struct log_queue *q);

/* ts of the oldest record; 0 when nothing waits. */
int64_t log_queue_front_ts(const struct log_queue *q);

/* Lines and input bytes of all that waits. */
void log_queue_count(const struct log_queue *q, uint64_t *lines, uint64_t *bytes);

/* Adds delta to the number of every waiting record. ERR_MEMORY: everything was given up,
   into *loss, under its new numbers. */
enum err_code log_queue_renumber(struct log_queue *q, uint64_t delta,
                                 struct log_loss *loss) MUST_USE;

/* Adds one record that never reached the queue. */
void log_loss_add(struct log_loss *l, uint64_t seq, bool line, uint64_t input, int64_t ts_ms);

#endif
