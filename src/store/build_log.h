// SPDX-License-Identifier: MIT
/*
 * The write side of one build's log: an append-only file, a queue of records that wait, and
 * a promise: a record is in the file, or in the queue, or counted by a gap record.
 *
 *   UNOPENED ──open──▶ WRITING ◀──retry ok── DEGRADED        (write error, file replaced)
 *      ▲ retry            │  └────error────────▲
 *      └──────────────────┴──seal──▶ SEALED
 *
 * Duty: number records, encode them, write them with one write(2) a flush, keep the file
 * free of half-written records, notice when the path no longer names the file, and end it.
 * Invariants: the file always ends with a whole record after a call returns, or the write
 * side is degraded and the torn tail could not be cut back yet; seq has no hole that a gap
 * does not cover; the queue never exceeds its ceiling. No call blocks on anything but the
 * disk, none sleeps, none prints. Called by run/ only.
 */
#ifndef STORE_BUILD_LOG_H
#define STORE_BUILD_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/ulid.h"
#include "record/record.h"

enum build_log_sync { SYNC_NONE, SYNC_END, SYNC_ALWAYS };
enum build_log_src { SRC_STDOUT, SRC_STDERR, SRC_MERGED, N_SRC };

enum {
    BUILD_LOG_CEILING = 8 << 20, /* bytes of waiting records */
    BUILD_LOG_RESERVE = 8 << 10  /* kept free on the disk for the last gap and the end */
};

struct build_log_options {
    const char *root;          /* absolute; made (0750 less umask) if missing */
    const char *id;            /* valid ULID */
    struct record_start start; /* attempt, lock and started_ms of the first try are filled in
                                  by the log; its spans must outlive the log */
    bool payload;
    uint64_t max_log; /* 0: no limit */
    enum build_log_sync sync;
};

struct build_log;

/*
 * Makes the write side and tries to open the file and write the start record.
 * ERR_REFUSED: the id's log is locked (the error names the pid), is compressed, or something
 *   planted stands at or above its path; *out is NULL.
 * ERR_SYSTEM, ERR_FORMAT …: the store cannot be used now; *out is a working UNOPENED log that
 *   retries, unless memory ran out (then NULL).
 * The caller's descriptor numbers 0 to 2 are taken for granted to be open.
 */
enum err_code build_log_open(struct build_log **out, const struct build_log_options *o,
                             struct err *e) MUST_USE;
void build_log_free(struct build_log *l); /* closes without an end record; NULL is fine */

/* One line (without newline). total_len: redacted bytes of the line that this record stands
   for, dropped ones and the newline included. */
void build_log_line(struct build_log *l, enum build_log_src src, int64_t ts_ms,
                    struct clean_span msg, uint64_t total_len, const struct line_fields *f);

/* r->seq, ts_ms (if 0) and build_id are filled in. */
void build_log_event(struct build_log *l, struct record_event *r);

/* Writes what waits with one write(2). Returns true while records wait (degraded). */
bool build_log_flush(struct build_log *l);

/* Once a second: retry when degraded or unopened, see that the path still names the file. */
void build_log_tick(struct build_log *l);

/*
 * What stderr should be told, once: trouble (first, then at most once a minute), recovery.
 * Returns true and fills *e (trouble) or leaves e->code ERR_NONE (recovered).
 */
bool build_log_notice(struct build_log *l, struct err *e);

/* The path of the log, absolute. */
const char *build_log_path(const struct build_log *l);

bool build_log_begun(const struct build_log *l); /* the file was open once */

bool build_log_intact(const struct build_log *l); /* no gap, no truncated line so far */

/*
 * Flushes, makes room for the end record as the contract says, writes it, closes. r's
 * build_id, lines, last_seq, hash and complete (ANDed) are filled in. ERR_SYSTEM: the file
 * has no end record.
 */
enum err_code build_log_seal(struct build_log *l, struct record_end *r, struct err *e) MUST_USE;

#endif
