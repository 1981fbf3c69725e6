// SPDX-License-Identifier: MIT
/*
 * How a build stands: running, lost, or what its end record says.
 *
 * A build runs while its log is locked (asked with F_OFD_GETLK, never taken). Where locks do
 * not work the start record says "lock":false; then it runs if the record's host is this one
 * and its pid is a process that began before the record was written. The lock is asked before
 * the tail is read: a free lock means that the tail is final.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "record/record.h"
#include "store/log_reader.h"

enum build_state { STATE_RUNNING, STATE_LOST, STATE_ENDED };

struct build_report {
    enum build_state state;
    bool has_start, has_end;
    struct record start; /* the first of the log; of the last attempt where locks fail */
    struct record end;   /* the last record of the log, if that is an end record */
};

/* Fills *out from the head and the tail of the log alone (a compressed one is read whole), and
   rewinds r. */
enum err_code build_report_read(struct log_reader *r, struct build_report *out,
                                struct err *e) MUST_USE;
void build_report_release(struct build_report *b);

/* "running", "lost", or the status of the end record; valid as long as b. */
const char *build_report_status(const struct build_report *b);

/* Failed in the sense of `last-failed`: ended, and not "ok". A lost build has no outcome. */
bool build_report_failed(const struct build_report *b);

/* Whether nobody holds the lock of the log that fd has open, as far as locks work. */
bool build_lock_free(int log_fd);

/* Whether the writer lives, without looking for an end record. `start` is the last start
   record or NULL; it counts only where locks do not work. */
bool build_writer_lives(const struct log_reader *r, const struct record *start);

/*
 * What the process table says of the writer that a start record names. A writer whose log went
 * away holds no lock until it has made the log anew, but it lives.
 */
enum writer_process { WRITER_UNKNOWN, WRITER_GONE, WRITER_LIVES };

/* WRITER_UNKNOWN: it is on another host, or nothing is recorded. */
enum writer_process build_writer_process(const struct record *start);

/*
 * What `buildlog run` exited with: the command's status, 128+n for a signal, 124 for a timeout;
 * -1 if the record does not say.
 */
int build_exit_status(const struct record *end);

/* "startedAt" or "endedAt" of a record in milliseconds since the epoch; -1 if there is none. */
int64_t record_time_ms(const struct record *r, const char *key);

/* The number of "SIGTERM" and the like, 0 if there is no such signal. */
int signal_number(const char *name);

#endif
