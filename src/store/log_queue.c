// SPDX-License-Identifier: MIT
#include "store/log_queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "text/decimal.h"

enum {
    PAGE = 4096,
    BLOCK_HEAD = sizeof(struct log_block),
    ROOM_SLACK = 2 << 20 /* what one record's room may add to the ceiling */
};

/* ---- blocks --------------------------------------------------------------------------- */

/* Pages of their own rather than malloc's: what is never touched costs nothing (the room an
   encoder asks for is far more than it uses), and what is freed goes back. */
static struct log_block *block_new(size_t room)
{
    size_t size = LOG_BLOCK_SIZE;
    struct log_block *b;

    if (room > SIZE_MAX / 2)
        return NULL;
    if (room + LOG_NOTE_SIZE + BLOCK_HEAD > size)
        size = (room + LOG_NOTE_SIZE + BLOCK_HEAD + PAGE - 1) / PAGE * PAGE;
    b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED)
        return NULL;
    b->cap = size - BLOCK_HEAD;
    b->top = b->cap;
    return b;
}

static void block_free(struct log_block *b)
{
    munmap(b, b->cap + BLOCK_HEAD);
}

static void block_clear(struct log_block *b)
{
    b->head = 0;
    b->len = 0;
    b->gone = 0;
    b->top = b->cap;
}

static uint64_t block_records(const struct log_block *b)
{
    return (b->cap - b->top) / LOG_NOTE_SIZE - b->gone;
}

static uint64_t block_note(const struct log_block *b, size_t i)
{
    uint64_t note;

    memcpy(&note, b->data + b->cap - (i + 1) * LOG_NOTE_SIZE, sizeof(note));
    return note;
}

/* Length of the record at p, newline included; n bytes are whole records. */
static size_t record_len(const char *p, size_t n)
{
    const char *end = memchr(p, '\n', n);

    return end != NULL ? (size_t)(end - p) + 1 : n;
}

/* ---- the queue ------------------------------------------------------------------------ */

void log_queue_init(struct log_queue *q, size_t ceiling)
{
    *q = (struct log_queue){.ceiling = ceiling};
}

void log_queue_release(struct log_queue *q)
{
    while (q->first != NULL) {
        struct log_block *next = q->first->next;

        block_free(q->first);
        q->first = next;
    }
    log_queue_init(q, q->ceiling);
}

static void append_block(struct log_queue *q, struct log_block *b)
{
    b->next = NULL;
    if (q->last != NULL)
        q->last->next = b;
    else
        q->first = b;
    q->last = b;
}

/* Unlinks the first block, which holds no waiting record. The last one stays, for reuse. */
static void retire_first(struct log_queue *q)
{
    struct log_block *b = q->first;

    block_clear(b);
    if (b == q->last)
        return;
    q->first = b->next;
    block_free(b);
}

void log_loss_add(struct log_loss *l, uint64_t seq, bool line, uint64_t input, int64_t ts_ms)
{
    if (l->records == 0)
        l->from = seq;
    l->records++;
    l->lines += line ? 1 : 0;
    l->bytes += input;
    if (ts_ms > l->ts_ms)
        l->ts_ms = ts_ms;
}

/* The number after key in the head of one of our own records, 0 if it is not there. *at is
   the offset of its digits. */
static uint64_t head_number(const char *rec, size_t len, const char *key, size_t *at)
{
    size_t window = len < 128 ? len : 128;
    const char *p = memmem(rec, window, key, strlen(key));
    uint64_t value = 0;

    *at = 0;
    if (p == NULL)
        return 0;
    p += strlen(key);
    *at = (size_t)(p - rec);
    for (; p < rec + len && *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (uint64_t)(*p - '0');
    return value;
}

int64_t log_queue_front_ts(const struct log_queue *q)
{
    const struct log_block *b = q->first;
    size_t at;

    if (q->records == 0)
        return 0;
    return (int64_t)head_number(b->data + b->head, b->len - b->head, "\"ts\":", &at);
}

/* Takes the oldest record off and returns its length. */
static size_t drop_one(struct log_queue *q, struct log_loss *loss)
{
    struct log_block *b = q->first;
    const char *rec = b->data + b->head;
    size_t len = record_len(rec, b->len - b->head);
    uint64_t note = block_note(b, b->gone);
    size_t at;

    log_loss_add(loss, q->first_seq, (note & 1) != 0, note >> 1,
                 (int64_t)head_number(rec, len, "\"ts\":", &at));
    b->head += len;
    b->gone++;
    q->bytes -= len;
    q->records--;
    q->first_seq++;
    if (b->head == b->len)
        retire_first(q);
    return len;
}

struct log_block *log_queue_front(const struct log_queue *q)
{
    return q->records > 0 ? q->first : NULL;
}

void log_queue_drop(struct log_queue *q, size_t n, struct log_loss *loss)
{
    size_t gone = 0;

    while (q->records > 0 && gone < n)
        gone += drop_one(q, loss);
}

void log_queue_trim(struct log_queue *q, struct log_loss *loss)
{
    if (q->bytes > q->ceiling)
        log_queue_drop(q, q->bytes - q->ceiling, loss);
}

/* The oldest block's records give way at once: dropping them one by one for every new one
   would find the same loss later and slower. */
static void drop_first_block(struct log_queue *q, struct log_loss *loss)
{
    const struct log_block *b = q->first;

    log_queue_drop(q, b->len - b->head, loss);
}

enum err_code log_queue_make_room(struct log_queue *q, size_t room, struct log_loss *loss)
{
    struct log_block *b;

    while (q->records > 0 && (q->bytes + LOG_BLOCK_SIZE > q->ceiling ||
                              q->bytes + room > q->ceiling + ROOM_SLACK))
        drop_first_block(q, loss);
    if (log_queue_fits(q, room))
        return ERR_NONE;
    if (q->records == 0)
        log_queue_release(q); /* a block too small for this record */
    while ((b = block_new(room)) == NULL) {
        if (q->records == 0)
            return ERR_MEMORY;
        drop_first_block(q, loss);
        if (q->records == 0)
            log_queue_release(q);
    }
    append_block(q, b);
    return ERR_NONE;
}

void log_queue_push(struct log_queue *q, size_t n, uint64_t seq, bool line, uint64_t input)
{
    struct log_block *b = q->last;
    uint64_t note = (input << 1) | (line ? 1 : 0);

    b->len += n;
    b->top -= LOG_NOTE_SIZE;
    memcpy(b->data + b->top, &note, sizeof(note));
    if (q->records++ == 0)
        q->first_seq = seq;
    q->bytes += n;
}

uint64_t log_queue_commit(struct log_queue *q, size_t n)
{
    struct log_block *b = q->first;
    uint64_t count = 0;

    if (n == b->len - b->head) {
        count = block_records(b);
    } else {
        for (size_t at = b->head; at < b->head + n; count++)
            at += record_len(b->data + at, b->head + n - at);
    }
    b->head += n;
    b->gone += count;
    q->bytes -= n;
    q->records -= count;
    q->first_seq += count;
    if (b->head == b->len)
        retire_first(q);
    return count;
}

void log_queue_count(const struct log_queue *q, uint64_t *lines, uint64_t *bytes)
{
    *lines = 0;
    *bytes = 0;
    if (q->records == 0)
        return;
    for (const struct log_block *b = q->first; b != NULL; b = b->next)
        for (size_t i = b->gone; i < (b->cap - b->top) / LOG_NOTE_SIZE; i++) {
            *lines += block_note(b, i) & 1;
            *bytes += block_note(b, i) >> 1;
        }
}

/* Copies one record to q's end with another number. */
static void push_renumbered(struct log_queue *q, const char *rec, size_t len, uint64_t seq,
                            uint64_t note)
{
    char *dst = log_queue_end(q);
    char *out = dst;
    size_t at;
    size_t digits = 0;

    (void)head_number(rec, len, "\"seq\":", &at);
    while (rec[at + digits] >= '0' && rec[at + digits] <= '9')
        digits++;
    memcpy(out, rec, at);
    out = decimal_put(out + at, seq);
    memcpy(out, rec + at + digits, len - at - digits);
    out += len - at - digits;
    log_queue_push(q, (size_t)(out - dst), seq, (note & 1) != 0, note >> 1);
}

enum err_code log_queue_renumber(struct log_queue *q, uint64_t delta, struct log_loss *loss)
{
    struct log_queue fresh;

    log_queue_init(&fresh, SIZE_MAX);
    while (q->records > 0) {
        struct log_block *b = q->first;
        size_t len = record_len(b->data + b->head, b->len - b->head);

        if (!log_queue_fits(&fresh, len + DECIMAL_MAX)) {
            struct log_block *room = block_new(len + DECIMAL_MAX);

            if (room == NULL)
                break;
            append_block(&fresh, room);
        }
        push_renumbered(&fresh, b->data + b->head, len, q->first_seq + delta,
                        block_note(b, b->gone));
        log_queue_commit(q, len);
    }
    if (q->records > 0) {
        log_queue_drop(&fresh, SIZE_MAX, loss);
        q->first_seq += delta;
        log_queue_drop(q, SIZE_MAX, loss);
        log_queue_release(&fresh);
        return ERR_MEMORY;
    }
    fresh.ceiling = q->ceiling;
    log_queue_release(q);
    *q = fresh;
    return ERR_NONE;
}
