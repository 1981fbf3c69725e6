// SPDX-License-Identifier: MIT
/*
 * A thread that does a part of a stream's work while the caller does another: of a command that
 * prints faster than it can be recorded, one of the two then costs no time. Of a pipe it is the
 * next read and its redaction, while the caller passes on what the read before gave; of a terminal
 * it is the log's record of what was read, while the caller reads on and shows what came before.
 *
 *     IDLE ──ahead_begin──▶ READY ──the thread──▶ RUNNING ──the thread──▶ DONE
 *       ▲                     └─ahead_end does it itself─▶ IDLE             │
 *       └────────────────────────────────────ahead_end─────────────────────┘
 *
 * Invariants: between begin and end what the job is given belongs to the thread (of a read the
 * descriptor, the redactor with its set, and the read), all else, the reads before it included, to
 * the caller. Otherwise the thread sleeps and touches nothing. A thread that has not been scheduled
 * is not waited for.
 * The thread blocks all signals, is made once a stream needs it and ended by ahead_release.
 * Called by stream.c, which never returns between begin and end; owned by the session.
 */
#ifndef RUN_AHEAD_H
#define RUN_AHEAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "redact/redact.h"

enum ahead_state { AHEAD_IDLE, AHEAD_READY, AHEAD_RUNNING, AHEAD_DONE, AHEAD_ENDED };

/* What became of a read. */
struct ahead_read {
    char *data;       /* where it goes, STREAM_READ_SIZE bytes */
    ssize_t len;      /* as read(2) returned it */
    int sys_errno;    /* of a read that failed */
    int64_t ts_ms;    /* when it came */
    enum err_code rc; /* redactor_feed's: if not ERR_NONE, nothing of the bytes was taken */
    bool holding;     /* redactor_holding, then */
    struct clean_vec spans;
};

/* Work for the thread, which touches nothing that the caller does meanwhile. */
typedef void ahead_job(void *ctx);

struct ahead {
    bool tried; /* to make the thread; it is made once or never */
    bool works;
    pthread_t thread;
    pthread_mutex_t mutex; /* over the state */
    pthread_cond_t changed; /* never two waiters: one waits for READY, the other for DONE */
    enum ahead_state state;
    ahead_job *job; /* what is under way */
    void *ctx;
    int fd; /* of a read */
    struct redactor *redactor;
    struct ahead_read *read;
    char *buffer; /* the second one beside the caller's */
    struct ahead_read reads[2]; /* for the caller, in turn */
};

/* Zero-initialised is valid. With nothing under way. */
void ahead_release(struct ahead *a);

/*
 * Makes the thread and the buffer at the first call. False: do without, now and later (there is
 * one processor, or no memory, or no thread to be had).
 */
bool ahead_ready(struct ahead *a);

/* Has job(ctx) done. Not waited for. */
void ahead_begin(struct ahead *a, ahead_job *job, void *ctx);

/* Reads once from fd, which does not block, into read->data, and feeds r. Not waited for. */
void ahead_begin_read(struct ahead *a, int fd, struct redactor *r, struct ahead_read *read);

/* Waits until that is done: what the job was given is the caller's. */
void ahead_end(struct ahead *a);

/* The redactor's part of it, here and now: len bytes are in read->data. */
void ahead_redact(struct redactor *r, struct ahead_read *read);

#endif
