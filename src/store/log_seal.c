// SPDX-License-Identifier: MIT
/*
 * The end of a log. What waits, and the end record behind it, go into the file together or
 * not at all: records that left no room for the end record would be a log that looks as if
 * its writer had been killed. When the disk is full the oldest waiting records give way to a
 * gap record until the rest fits.
 */
#include <stdio.h>
#include <string.h>

#include "store/log_state.h"

enum {
    PATIENCE = 3, /* tries before records give way: an error may be gone at the next call */
    TRIES_MAX = 40
};

/* What is written besides the head and the queue. */
struct last_words {
    struct buf gap;  /* before the queue */
    struct buf tail; /* after it: the gap that --max-log left, and the end record */
};

static void hash_part(XXH3_state_t *hash, const char *data, size_t n)
{
    if (n > 0)
        (void)XXH3_128bits_update(hash, data, n);
}

/* The attempt's hash as it will be once everything is written. */
static enum err_code hash_all(const struct build_log *l, const struct last_words *w,
                              struct record_end *r)
{
    XXH3_state_t *hash = XXH3_createState();
    XXH128_hash_t sum;

    if (hash == NULL)
        return ERR_MEMORY;
    XXH3_copyState(hash, l->file.hash);
    hash_part(hash, l->head.data, l->head.len);
    hash_part(hash, w->gap.data, w->gap.len);
    if (l->queue.records > 0)
        for (const struct log_block *b = l->queue.first; b != NULL; b = b->next)
            hash_part(hash, b->data + b->head, b->len - b->head);
    hash_part(hash, w->tail.data, w->tail.len);
    sum = XXH3_128bits_digest(hash);
    XXH3_freeState(hash);
    r->hash_high = sum.high64;
    r->hash_low = sum.low64;
    return ERR_NONE;
}

static enum err_code compose(const struct build_log *l, struct last_words *w,
                             struct record_end *r, bool complete)
{
    enum err_code rc = ERR_NONE;

    w->gap.len = 0;
    w->tail.len = 0;
    if (l->dropped.records > 0)
        rc = log_put_gap(l, &w->gap, &l->dropped, "log_unwritable");
    if (rc == ERR_NONE && l->beyond.records > 0)
        rc = log_put_gap(l, &w->tail, &l->beyond, "max_log");
    if (rc == ERR_NONE)
        rc = hash_all(l, w, r);
    r->complete = complete && !l->incomplete;
    if (rc == ERR_NONE)
        rc = record_put_end(&w->tail, r);
    return rc;
}

static bool put_part(struct build_log *l, const char *data, size_t n, size_t *done)
{
    size_t put = n > 0 ? log_file_write(&l->file, data, n) : 0;

    *done += put;
    return put == n;
}

/* Returns how many bytes were written: all, or as many as the disk took. */
static size_t write_all(struct build_log *l, const struct last_words *w)
{
    size_t done = 0;
    bool good = put_part(l, l->head.data, l->head.len, &done) &&
                put_part(l, w->gap.data, w->gap.len, &done);

    if (l->queue.records > 0)
        for (const struct log_block *b = l->queue.first; good && b != NULL; b = b->next)
            good = put_part(l, b->data + b->head, b->len - b->head, &done);
    if (good)
        (void)put_part(l, w->tail.data, w->tail.len, &done);
    return done;
}

/* One try. On failure *room says how many bytes of *total there was room for. */
static enum err_code try_words(struct build_log *l, const struct last_words *w, size_t *total,
                               size_t *room, struct err *e)
{
    enum err_code rc;

    *room = 0;
    *total = l->head.len + w->gap.len + l->queue.bytes + w->tail.len;
    if (l->file.torn && log_file_cut(&l->file, e) != ERR_NONE)
        return ERR_SYSTEM;
    *room = log_file_reserve(&l->file, *total, 0);
    if (*room < *total)
        return err_system(e, "cannot write", "");
    *room = write_all(l, w);
    if (*room == *total) {
        l->file.size += (off_t)*total;
        return ERR_NONE;
    }
    rc = err_system(e, "cannot write", "");
    if (*room > 0) {
        l->file.torn = true;
        (void)!log_file_cut(&l->file, NULL);
    }
    return rc;
}

/* The oldest waiting records make room for a gap record and the rest. */
static void give_way(struct build_log *l, size_t total, size_t room)
{
    size_t excess = total - room + RECORD_GAP_MAX;

    if (l->queue.records == 0)
        return;
    if (room == 0) /* nothing is known about the room: approach it */
        excess = l->queue.bytes / 2 + 1;
    log_queue_drop(&l->queue, excess, &l->dropped);
    l->incomplete = true;
}

static enum err_code say_last_words(struct build_log *l, struct record_end *r, struct err *e)
{
    struct last_words w;
    const bool complete = r->complete;
    enum err_code rc = ERR_SYSTEM;

    buf_init(&w.gap, RECORD_GAP_MAX);
    buf_init(&w.tail, RECORD_GAP_MAX + RECORD_END_MAX);
    for (int tries = 0; rc == ERR_SYSTEM && tries < TRIES_MAX; tries++) {
        size_t total = 0;
        size_t room = 0;

        rc = compose(l, &w, r, complete);
        if (rc != ERR_NONE)
            err_set(e, rc, "cannot write", "", "out of memory");
        else
            rc = try_words(l, &w, &total, &room, e);
        if (rc != ERR_SYSTEM)
            break;
        if (l->queue.records == 0 && tries > 2 * PATIENCE)
            break;
        if (tries + 1 >= PATIENCE)
            give_way(l, total, room);
    }
    buf_release(&w.gap);
    buf_release(&w.tail);
    return rc;
}

/* Closes whatever way it ended. A log without an end keeps at least what fits. */
static enum err_code finish(struct build_log *l, enum err_code rc, struct err *e)
{
    struct err more;

    if (rc == ERR_NONE && l->sync != SYNC_NONE)
        rc = log_file_sync(&l->file, e);
    else if (rc != ERR_NONE)
        (void)!log_drain(l, &more);
    log_file_discard_empty(&l->file, l->path);
    if (log_file_close(&l->file, &more) != ERR_NONE && rc == ERR_NONE) {
        *e = more;
        rc = more.code;
    }
    return rc;
}

enum err_code build_log_seal(struct build_log *l, struct record_end *r, struct err *e)
{
    enum err_code rc = log_reopen(l, e);

    if (rc != ERR_NONE) /* an error may be gone at the next call */
        rc = log_reopen(l, e);
    if (rc == ERR_NONE) {
        r->build_id = l->id;
        r->lines = l->lines;
        r->last_seq = l->next_seq - 1;
        rc = finish(l, say_last_words(l, r, e), e);
    }
    l->state = LOG_SEALED;
    if (rc != ERR_NONE && e->subject[0] == '\0')
        snprintf(e->subject, sizeof(e->subject), "%s", l->path);
    return rc;
}
