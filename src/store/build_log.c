// SPDX-License-Identifier: MIT
/*
 * Numbering, queueing and writing; see build_log.h for the states. The functions that change
 * state are degrade(), recover() and, in log_seal.c, build_log_seal().
 */
#include "store/build_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "redact/redact.h"
#include "store/layout.h"
#include "store/log_state.h"

enum {
    HEAD_MAX = 16 << 20, /* a start record of the longest command line, escaped */
    EVENT_MAX = 1 << 20,
    ERROR_TEXT_MAX = ERR_WHAT_MAX + ERR_WHY_MAX + 4
};

static const int64_t NOTICE_NS = INT64_C(60) * 1000000000; /* between two lines on stderr */

static const char *const src_names[N_SRC] = {"stdout", "stderr", "merged"};

/* ---- queueing ------------------------------------------------------------------------- */

static bool waits(const struct build_log *l)
{
    return l->queue.records > 0 || l->dropped.records > 0 || l->head.len > 0;
}

static void degrade(struct build_log *l, const struct err *e);

/* What goes beyond --max-log or finds no memory is counted. */
static void lose(struct build_log *l, uint64_t seq, bool line, uint64_t input)
{
    l->incomplete = true;
    log_loss_add(l->full ? &l->beyond : &l->dropped, seq, line, input, l->last_ts);
}

static void write_out(struct build_log *l)
{
    struct err e;

    if (l->state == LOG_WRITING && waits(l) && log_drain(l, &e) != ERR_NONE)
        degrade(l, &e);
}

/* Room for one record; may write. False: there is no memory, and nothing waits. */
static bool make_room(struct build_log *l, size_t room)
{
    if (log_queue_fits(&l->queue, room))
        return true;
    write_out(l);
    if (log_queue_fits(&l->queue, room))
        return true;
    if (log_queue_make_room(&l->queue, room, &l->dropped) != ERR_NONE)
        return false;
    l->incomplete = l->incomplete || l->dropped.records > 0;
    return true;
}

/* Takes in the record of n bytes at the queue's end, unless it is one too many. */
static void push(struct build_log *l, size_t n, uint64_t seq, bool line, uint64_t input)
{
    if ((uint64_t)l->file.size + l->queue.bytes + n > l->limit) {
        l->full = true;
        lose(l, seq, line, input);
        return;
    }
    log_queue_push(&l->queue, n, seq, line, input);
    if (l->queue.bytes > BUILD_LOG_CEILING) {
        log_queue_trim(&l->queue, &l->dropped);
        l->incomplete = true;
    }
}

void build_log_line(struct build_log *l, enum build_log_src src, int64_t ts_ms,
                    struct clean_span msg, uint64_t total_len, const struct line_fields *f)
{
    struct line_fields fields = *f;
    bool lost = l->full || !make_room(l, line_encode_room(msg.len));

    if (ts_ms > l->last_ts)
        l->last_ts = ts_ms;
    fields.ts_ms = l->last_ts;
    fields.seq = l->next_seq++;
    l->lines++;
    l->bytes += total_len;
    if (f->truncated > 0)
        l->incomplete = true;
    if (lost) {
        lose(l, fields.seq, true, total_len);
    } else {
        char *start = log_queue_end(&l->queue);
        char *end = line_encode(&l->line[src], start, msg, &fields);

        push(l, (size_t)(end - start), fields.seq, true, total_len);
    }
}

void build_log_event(struct build_log *l, struct record_event *r)
{
    struct buf b;
    bool put = false;

    buf_init(&b, EVENT_MAX);
    if (r->ts_ms == 0)
        r->ts_ms = clock_realtime_ms();
    if (r->ts_ms > l->last_ts)
        l->last_ts = r->ts_ms;
    r->ts_ms = l->last_ts;
    r->build_id = l->id;
    /* The number may only be taken once there is room: making room may queue an event. */
    r->seq = UINT64_MAX;
    if (!l->full && record_put_event(&b, r) == ERR_NONE)
        put = make_room(l, b.len);
    b.len = 0;
    r->seq = l->next_seq++;
    put = put && record_put_event(&b, r) == ERR_NONE;
    if (put) {
        memcpy(log_queue_end(&l->queue), b.data, b.len);
        push(l, b.len, r->seq, false, 0);
    } else {
        lose(l, r->seq, false, 0);
    }
    buf_release(&b);
}

/* ---- writing -------------------------------------------------------------------------- */

enum err_code log_put_gap(const struct build_log *l, struct buf *b, const struct log_loss *loss,
                          const char *reason)
{
    const struct record_gap gap = {
        .ts_ms = loss->ts_ms,
        .seq = loss->from + loss->records - 1,
        .build_id = l->id,
        .from = loss->from,
        .lines = loss->lines,
        .bytes = loss->bytes,
        .reason = reason,
    };

    return record_put_gap(b, &gap);
}

static enum err_code write_head(struct build_log *l, struct err *e)
{
    size_t done = 0;
    enum err_code rc = log_file_append(&l->file, l->head.data, l->head.len, &done, e);

    buf_consume(&l->head, done);
    if (l->head.len == 0)
        buf_release(&l->head);
    return rc;
}

static enum err_code write_dropped(struct build_log *l, struct err *e)
{
    struct buf b;
    size_t done = 0;
    enum err_code rc;

    buf_init(&b, RECORD_GAP_MAX);
    rc = log_put_gap(l, &b, &l->dropped, "log_unwritable");
    if (rc != ERR_NONE)
        rc = err_set(e, rc, "cannot write", "", "out of memory");
    else
        rc = log_file_append(&l->file, b.data, b.len, &done, e);
    if (rc == ERR_NONE)
        l->dropped = (struct log_loss){0};
    buf_release(&b);
    return rc;
}

static enum err_code write_queue(struct build_log *l, struct err *e)
{
    struct log_block *b;
    enum err_code rc = ERR_NONE;

    l->file.reserving = true; /* from the first output on: a silent build needs no reserve */
    while (rc == ERR_NONE && (b = log_queue_front(&l->queue)) != NULL) {
        size_t done = 0;

        rc = log_file_append(&l->file, b->data + b->head, b->len - b->head, &done, e);
        if (done > 0)
            (void)log_queue_commit(&l->queue, done);
    }
    return rc;
}

enum err_code log_drain(struct build_log *l, struct err *e)
{
    enum err_code rc = ERR_NONE;

    if (l->file.torn)
        rc = log_file_cut(&l->file, e);
    if (rc == ERR_NONE && l->head.len > 0)
        rc = write_head(l, e);
    if (rc == ERR_NONE && l->dropped.records > 0)
        rc = write_dropped(l, e);
    if (rc == ERR_NONE && l->queue.records > 0)
        rc = write_queue(l, e);
    if (rc == ERR_NONE && l->sync == SYNC_ALWAYS)
        rc = log_file_sync(&l->file, e);
    if (rc != ERR_NONE && e->subject[0] == '\0')
        snprintf(e->subject, sizeof(e->subject), "%s", l->path);
    return rc;
}

bool build_log_flush(struct build_log *l)
{
    write_out(l);
    return waits(l);
}

/* ---- opening -------------------------------------------------------------------------- */

/* Gives every number that has not reached a file another one. */
static void shift_numbers(struct build_log *l, uint64_t delta)
{
    if (delta == 0)
        return;
    l->first_seq += delta;
    l->next_seq += delta;
    l->dropped.from += delta;
    l->beyond.from += delta;
    if (log_queue_renumber(&l->queue, delta, &l->dropped) != ERR_NONE)
        l->incomplete = true;
}

/* Number of the last record that a file had when it was lost sight of. */
static uint64_t last_written(const struct build_log *l)
{
    uint64_t next = l->next_seq;

    if (l->beyond.records > 0)
        next = l->beyond.from;
    if (l->queue.records > 0)
        next = l->queue.first_seq;
    if (l->dropped.records > 0)
        next = l->dropped.from;
    return next - 1;
}

/* What went with a file that the path no longer names. */
static struct log_loss lost_with_file(const struct build_log *l)
{
    struct log_loss lost = {.from = l->first_seq, .ts_ms = l->last_ts};
    uint64_t lines;
    uint64_t bytes;

    /* Not later than what comes after it. */
    if (l->dropped.records > 0)
        lost.ts_ms = l->dropped.ts_ms;
    else if (l->queue.records > 0)
        lost.ts_ms = log_queue_front_ts(&l->queue);
    log_queue_count(&l->queue, &lines, &bytes);
    lost.records = last_written(l) + 1 - l->first_seq;
    lost.lines = l->lines - lines - l->dropped.lines - l->beyond.lines;
    lost.bytes = l->bytes - bytes - l->dropped.bytes - l->beyond.bytes;
    return lost;
}

/* The file has numbers up to last_seq already: an earlier attempt's, or a copy of our own. */
static void go_on_after(struct build_log *l, uint64_t last_seq, struct log_loss *lost)
{
    uint64_t last_lost = lost->from + lost->records - 1;

    if (last_seq < lost->from)
        return;
    if (last_seq > last_lost) {
        shift_numbers(l, last_seq + 1 - l->first_seq);
        lost->from = l->first_seq;
    } else {
        lost->records = last_lost - last_seq;
        lost->from = last_seq + 1;
        lost->lines = lost->lines < lost->records ? lost->lines : lost->records;
    }
}

/* Everything that waits comes after the limit when the file is longer than was thought. */
static void apply_limit(struct build_log *l)
{
    struct log_loss all = {0};

    if (l->limit == UINT64_MAX ||
        (uint64_t)l->file.size + l->head.len + l->queue.bytes <= l->limit)
        return;
    log_queue_drop(&l->queue, SIZE_MAX, &all);
    l->full = true;
    if (all.records == 0)
        return;
    l->incomplete = true;
    all.records += l->beyond.records;
    all.lines += l->beyond.lines;
    all.bytes += l->beyond.bytes;
    if (l->beyond.ts_ms > all.ts_ms)
        all.ts_ms = l->beyond.ts_ms;
    l->beyond = all;
}

/* What must come first in a file just opened. */
static enum err_code begin(struct build_log *l, const struct log_past *past, struct err *e)
{
    struct log_loss lost = lost_with_file(l);
    enum err_code rc;

    if (!l->numbered)
        l->start.attempt = past->attempt + 1;
    l->numbered = true;
    l->start.lock = l->file.locked;
    go_on_after(l, past->last_seq, &lost);
    if (past->last_ts > l->last_ts)
        l->last_ts = past->last_ts;
    log_file_restart_hash(&l->file);
    buf_release(&l->head);
    rc = record_put_start(&l->head, &l->start);
    if (rc == ERR_NONE && lost.records > 0) {
        l->incomplete = true;
        rc = log_put_gap(l, &l->head, &lost, "log_replaced");
    }
    if (rc != ERR_NONE) {
        log_file_forget(&l->file);
        return err_set(e, rc, "cannot write", l->path, "out of memory");
    }
    apply_limit(l);
    return ERR_NONE;
}

static enum err_code open_file(struct build_log *l, struct err *e)
{
    const struct log_place where = {l->root, l->path, l->id};
    struct log_past past;
    enum err_code rc = log_file_open(&l->file, &where, &past, e);

    return rc == ERR_NONE ? begin(l, &past, e) : rc;
}

/* ---- trouble and recovery ------------------------------------------------------------- */

/* An event of our own about the log; the text is made of our words and the system's. */
static void log_event(struct build_log *l, const char *level, const char *name,
                      const struct err *e)
{
    char text[ERROR_TEXT_MAX];
    struct record_field field = {.key = "error", .type = FIELD_TEXT};
    struct record_event event = {
        .level = level, .component = "log", .event = name, .fields = &field};

    if (e != NULL) {
        snprintf(text, sizeof(text), "%s: %s", e->what,
                 e->why[0] != '\0' ? e->why : strerror(e->sys_errno));
        field.text = clean_constant(text);
        event.n_fields = 1;
    }
    build_log_event(l, &event);
}

static void degrade(struct build_log *l, const struct err *e)
{
    bool first = l->state == LOG_WRITING;

    l->state = l->file.fd >= 0 ? LOG_DEGRADED : LOG_UNOPENED;
    l->trouble = *e;
    l->trouble_new = true;
    if (first)
        log_event(l, "warn", "log_degraded", e);
}

static void recover(struct build_log *l)
{
    l->state = LOG_WRITING;
    l->trouble_new = false; /* nobody heard of it, nobody needs to */
    log_event(l, "info", "log_recovered", NULL);
    write_out(l);
}

enum err_code log_reopen(struct build_log *l, struct err *e)
{
    if (l->file.fd >= 0 && !log_file_in_place(&l->file, l->path))
        log_file_forget(&l->file);
    return l->file.fd < 0 ? open_file(l, e) : ERR_NONE;
}

/* Opens, remakes or goes on, whatever is due, and writes all that waits. */
static enum err_code retry(struct build_log *l, struct err *e)
{
    enum err_code rc = log_reopen(l, e);

    if (rc == ERR_NONE)
        rc = log_drain(l, e);
    if (rc != ERR_NONE)
        degrade(l, e);
    else if (l->state != LOG_WRITING)
        recover(l);
    return rc;
}

void build_log_tick(struct build_log *l)
{
    struct err e;

    if (l->state == LOG_SEALED)
        return;
    if (l->state == LOG_WRITING && log_file_in_place(&l->file, l->path)) {
        l->file.reserving = true;
        (void)log_file_reserve(&l->file, 0, BUILD_LOG_RESERVE);
        return;
    }
    (void)!retry(l, &e);
}

bool build_log_notice(struct build_log *l, struct err *e)
{
    int64_t now;

    if (l->trouble_new) {
        now = clock_monotonic_ns();
        if (l->told_once && now - l->told_ns < NOTICE_NS)
            return false;
        l->trouble_new = false;
        l->told = true;
        l->told_once = true;
        l->told_ns = now;
        *e = l->trouble;
        return true;
    }
    if (!l->told || l->state != LOG_WRITING)
        return false;
    l->told = false;
    *e = (struct err){.code = ERR_NONE, .what = "writing again to"};
    snprintf(e->subject, sizeof(e->subject), "%s", l->path);
    return true;
}

/* ---- life ----------------------------------------------------------------------------- */

static struct build_log *make(const struct build_log_options *o)
{
    struct build_log *l = calloc(1, sizeof(*l));
    char rel[LAYOUT_REL_SIZE];

    if (l == NULL)
        return NULL;
    l->file.fd = -1;
    l->root = strdup(o->root);
    if (l->root == NULL || log_file_init(&l->file) != ERR_NONE ||
        asprintf(&l->path, "%s%s%s", o->root, strcmp(o->root, "/") == 0 ? "" : "/",
                 layout_rel_path(o->id, rel)) < 0) {
        l->path = NULL;
        build_log_free(l);
        return NULL;
    }
    return l;
}

static void set_up(struct build_log *l, const struct build_log_options *o)
{
    const uint64_t last_words = 2 * RECORD_GAP_MAX + RECORD_END_MAX;

    snprintf(l->id, sizeof(l->id), "%s", o->id);
    l->start = o->start;
    l->start.build_id = l->id;
    if (l->start.started_ms == 0)
        l->start.started_ms = clock_realtime_ms();
    l->sync = o->sync;
    l->limit = UINT64_MAX;
    if (o->max_log > 0)
        l->limit = o->max_log > last_words ? o->max_log - last_words : 0;
    l->next_seq = 1;
    l->first_seq = 1;
    buf_init(&l->head, HEAD_MAX);
    log_queue_init(&l->queue, BUILD_LOG_CEILING);
    for (int i = 0; i < N_SRC; i++)
        line_encoder_init(&l->line[i], src_names[i], l->id, o->payload);
}

enum err_code build_log_open(struct build_log **out, const struct build_log_options *o,
                             struct err *e)
{
    struct build_log *l = make(o);
    enum err_code rc;

    *out = NULL;
    if (l == NULL)
        return err_set(e, ERR_MEMORY, "cannot open", "", "out of memory");
    set_up(l, o);
    rc = open_file(l, e);
    if (rc == ERR_REFUSED) {
        build_log_free(l);
        return rc;
    }
    if (rc == ERR_NONE)
        rc = log_drain(l, e);
    l->state = LOG_WRITING;
    if (rc != ERR_NONE) {
        degrade(l, e);
        l->trouble_new = false; /* the caller says it */
        l->told = true;
        l->told_once = true;
        l->told_ns = clock_monotonic_ns();
    }
    *out = l;
    return rc;
}

void build_log_free(struct build_log *l)
{
    if (l == NULL)
        return;
    log_file_discard_empty(&l->file, l->path);
    log_file_release(&l->file);
    log_queue_release(&l->queue);
    buf_release(&l->head);
    free(l->root);
    free(l->path);
    free(l);
}

const char *build_log_path(const struct build_log *l)
{
    return l->path;
}

bool build_log_begun(const struct build_log *l)
{
    return l->numbered;
}

bool build_log_intact(const struct build_log *l)
{
    return !l->incomplete;
}
