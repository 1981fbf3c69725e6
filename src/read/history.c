// SPDX-License-Identifier: MIT
#include "read/history.h"

#include <string.h>

#include "base/buf.h"

enum { CONSUME_FROM = 1 << 20 }; /* a ring moves up once so many bytes of it are dead */

struct search {
    struct log_reader *reader;
    const struct history_want *want;
    const struct history_eye *eye;
};

static bool is_numbered(const struct log_item *item)
{
    return item->kind == RECORD_LINE || item->kind == RECORD_EVENT || item->kind == RECORD_GAP;
}

/* Start records do not count, but something of them may be shown. */
static uint64_t weight_of(const struct search *s, const struct log_item *item)
{
    return s->want->bytes != UINT64_MAX ? s->eye->weigh(s->eye->arg, item) : 0;
}

/* ---- backwards ------------------------------------------------------------------------------ */

struct backwards {
    struct search *search;
    uint64_t left;  /* of want->last */
    uint64_t bytes; /* of want->bytes */
    uint64_t at;    /* where showing begins */
    bool found;
    bool stopped; /* before the beginning of the log */
};

static bool stop(struct backwards *b)
{
    b->stopped = true;
    return false;
}

/* False: the item does not fit whole; what can be shown of it begins at b->at. */
static bool fits(struct backwards *b, const struct log_item *item, bool counts)
{
    const struct search *s = b->search;
    const struct log_left_out none = {0};
    uint64_t weight = weight_of(s, item);

    if (weight <= b->bytes) {
        b->bytes -= s->want->bytes != UINT64_MAX ? weight : 0;
        return true;
    }
    if (s->want->part && counts && b->bytes > 0) {
        s->eye->begin(s->eye->arg, weight - b->bytes, &none);
        b->at = item->at;
        b->found = true;
    }
    return false;
}

static bool visit(void *arg, const struct log_item *item)
{
    struct backwards *b = arg;
    const struct search *s = b->search;
    bool seen = is_numbered(item) && item->seq <= s->want->after_seq;
    bool counts;

    if (!b->found || seen) /* what is damaged right behind it is to be told */
        b->at = item->at + item->text.len + 1;
    if (seen)
        return stop(b);
    counts = s->eye->counts(s->eye->arg, item);
    if (!counts && item->kind != RECORD_START)
        return true;
    if (!fits(b, item, counts))
        return stop(b);
    if (!counts)
        return true;
    b->at = item->at;
    b->found = true;
    return --b->left > 0 || stop(b);
}

static enum err_code seek_backwards(struct search *s, struct err *e)
{
    struct backwards b = {.search = s, .left = s->want->last, .bytes = s->want->bytes};
    enum err_code rc = log_reader_backward(s->reader, visit, &b, e);

    if (rc == ERR_NONE)
        log_reader_seek(s->reader, b.stopped ? b.at : 0);
    return rc;
}

/* ---- forwards, with a ring ------------------------------------------------------------------ */

/* A record, and what came before it in the whole log. */
struct kept {
    struct log_item item; /* its text is in the ring */
    size_t at;
    bool counts;
    uint64_t weight;
    uint64_t before;       /* records that count */
    uint64_t bytes_before; /* what they weigh, with start records */
    struct log_left_out left_out;
};

struct ring {
    struct buf text;
    struct buf items; /* struct kept */
    size_t first;     /* the oldest of them */
    uint64_t moved;   /* bytes that were taken from the beginning of text */
    uint64_t records; /* in the whole log so far, as in struct kept */
    uint64_t bytes;
    bool dropped;     /* one had to go for want of room */
    struct kept last_dropped;
};

static const struct kept *ring_at(const struct ring *ring, size_t i)
{
    return (const struct kept *)(const void *)ring->items.data + i;
}

static size_t ring_len(const struct ring *ring)
{
    return ring->items.len / sizeof(struct kept);
}

/* True if it is to be shown, by what is known of the log so far. Once it is not it never is. */
static bool needed(const struct history_want *want, const struct ring *ring, const struct kept *k)
{
    if (ring->records - k->before > want->last)
        return false;
    if (want->bytes == UINT64_MAX || ring->bytes - k->bytes_before <= want->bytes)
        return true;
    return want->part && k->counts && ring->bytes - k->bytes_before - k->weight < want->bytes;
}

static size_t ring_size(const struct ring *ring)
{
    size_t n = ring_len(ring) - ring->first;
    size_t text = n > 0 ? ring->text.len - (size_t)(ring_at(ring, ring->first)->at - ring->moved)
                        : 0;

    return text + n * sizeof(struct kept);
}

/* Takes what is dead from the beginning of the buffers. */
static void ring_tidy(struct ring *ring)
{
    size_t dead_text = ring->text.len;

    if (ring->first < ring_len(ring))
        dead_text = (size_t)(ring_at(ring, ring->first)->at - ring->moved);
    if (ring->first * sizeof(struct kept) > CONSUME_FROM) {
        buf_consume(&ring->items, ring->first * sizeof(struct kept));
        ring->first = 0;
    }
    if (dead_text > CONSUME_FROM) {
        buf_consume(&ring->text, dead_text);
        ring->moved += dead_text;
    }
}

static enum err_code ring_put(struct ring *ring, const struct history_want *want,
                              const struct kept *k)
{
    struct kept copy = *k;
    size_t size = k->item.text.len + sizeof(copy);
    enum err_code rc = ERR_NONE;

    while (ring->first < ring_len(ring) && !needed(want, ring, ring_at(ring, ring->first)))
        ring->first++;
    while (ring->first < ring_len(ring) && ring_size(ring) + size > HISTORY_RING_MAX) {
        ring->last_dropped = *ring_at(ring, ring->first++);
        ring->dropped = true;
    }
    ring_tidy(ring);
    if (size > HISTORY_RING_MAX) {
        ring->last_dropped = copy;
        ring->dropped = true;
        return ERR_NONE;
    }
    copy.at = (size_t)(ring->moved + ring->text.len);
    rc = buf_put(&ring->text, k->item.text.ptr, k->item.text.len);
    return rc == ERR_NONE ? buf_put(&ring->items, &copy, sizeof(copy)) : rc;
}

/* The next record that counts, or a start record. *have false: the end. */
static enum err_code next_kept(struct search *s, struct ring *ring, bool pass, struct kept *k,
                               bool *have, struct err *e)
{
    for (;;) {
        enum err_code rc;

        *k = (struct kept){.before = ring->records, .bytes_before = ring->bytes};
        rc = log_reader_next(s->reader, &k->item, have, e);
        if (rc != ERR_NONE || !*have)
            return rc;
        log_reader_left_out(s->reader, &k->left_out);
        if (pass)
            s->eye->pass(s->eye->arg, &k->item);
        if (is_numbered(&k->item) && k->item.seq <= s->want->after_seq)
            continue;
        k->counts = s->eye->counts(s->eye->arg, &k->item);
        if (!k->counts && k->item.kind != RECORD_START)
            continue;
        k->weight = weight_of(s, &k->item);
        ring->records += k->counts ? 1 : 0;
        ring->bytes += k->weight;
        return ERR_NONE;
    }
}

static enum err_code fill_ring(struct search *s, struct ring *ring, struct err *e)
{
    enum err_code rc = log_reader_rewind(s->reader, e);
    struct kept k;
    bool have = true;

    while (rc == ERR_NONE) {
        rc = next_kept(s, ring, true, &k, &have, e);
        if (rc != ERR_NONE || !have)
            break;
        rc = ring_put(ring, s->want, &k);
        if (rc != ERR_NONE)
            return err_set(e, rc, "cannot read", log_reader_path(s->reader), "no memory");
    }
    return rc;
}

/* What of the first record is not to be shown, and what was left out before it. */
static void tell_begin(const struct search *s, const struct ring *all, const struct kept *first)
{
    uint64_t bytes = all->bytes - first->bytes_before;

    s->eye->begin(s->eye->arg, s->want->bytes < bytes ? bytes - s->want->bytes : 0,
                  &first->left_out);
}

static enum err_code show_ring(struct search *s, struct ring *ring, struct err *e)
{
    enum err_code rc = ERR_NONE;
    size_t i = ring->first;

    while (i < ring_len(ring) && !(ring_at(ring, i)->counts &&
                                   needed(s->want, ring, ring_at(ring, i))))
        i++;
    if (i < ring_len(ring))
        tell_begin(s, ring, ring_at(ring, i));
    for (; i < ring_len(ring) && rc == ERR_NONE; i++) {
        struct kept k = *ring_at(ring, i);

        k.item.text.ptr = ring->text.data + (k.at - ring->moved);
        rc = s->eye->show(s->eye->arg, &k.item, e);
    }
    return rc;
}

/* Once more, up to the first that is needed. */
static enum err_code show_again(struct search *s, const struct ring *all, struct err *e)
{
    struct ring at = {0};
    enum err_code rc = log_reader_rewind(s->reader, e);
    struct kept k;
    bool have = true;

    while (rc == ERR_NONE) {
        rc = next_kept(s, &at, false, &k, &have, e);
        if (rc != ERR_NONE || !have)
            return rc;
        if (k.counts && needed(s->want, all, &k))
            break;
    }
    if (rc != ERR_NONE)
        return rc;
    tell_begin(s, all, &k);
    return s->eye->show(s->eye->arg, &k.item, e);
}

static enum err_code seek_forwards(struct search *s, struct err *e)
{
    struct ring ring = {0};
    enum err_code rc;

    buf_init(&ring.text, HISTORY_RING_MAX + CONSUME_FROM + 1);
    buf_init(&ring.items, HISTORY_RING_MAX + CONSUME_FROM + 2 * sizeof(struct kept));
    rc = fill_ring(s, &ring, e);
    if (rc == ERR_NONE)
        rc = ring.dropped && needed(s->want, &ring, &ring.last_dropped) ? show_again(s, &ring, e)
                                                                        : show_ring(s, &ring, e);
    buf_release(&ring.text);
    buf_release(&ring.items);
    return rc;
}

/* ---- either --------------------------------------------------------------------------------- */

enum err_code history_seek(struct log_reader *r, const struct history_want *want,
                           const struct history_eye *eye, struct err *e)
{
    struct search s = {.reader = r, .want = want, .eye = eye};

    if (log_reader_compressed(r)) {
        bool all = want->last == UINT64_MAX && want->bytes == UINT64_MAX;

        return all ? log_reader_rewind(r, e) : seek_forwards(&s, e);
    }
    if (want->last == 0 || want->bytes == 0)
        return log_reader_seek_tail(r, 0, eye->counts, eye->arg, e);
    return seek_backwards(&s, e);
}
