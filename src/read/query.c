// SPDX-License-Identifier: MIT
#include "read/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "read/query_parallel.h"

/* A line that may become context: a slot of the ring, or something in the stash. */
struct kept {
    char *text;
    size_t len;
    size_t cap;
};

struct ring {
    struct kept *slots;
    size_t cap;   /* slots */
    size_t first; /* the oldest */
    size_t n;
    size_t bytes; /* of all slots' caps */
};

/* One search of one log. */
struct search {
    struct query *q;
    struct log_reader *reader;
    const struct record *start;
    struct filter_run run;
    struct ring ring;
    uint64_t before, after; /* in the order of reading */
    uint64_t after_left;
    bool skipped; /* since the last record that came out */
    bool over;    /* nothing more is wanted */
};

/* ---- the ring ------------------------------------------------------------------------------- */

static void ring_release(struct ring *ring)
{
    for (size_t i = 0; i < ring->cap && ring->slots != NULL; i++)
        free(ring->slots[i].text);
    free(ring->slots);
    *ring = (struct ring){0};
}

static struct kept *ring_at(const struct ring *ring, size_t i)
{
    return &ring->slots[(ring->first + i) % ring->cap];
}

/* Forgets the oldest, and its memory where there is much of it. */
static void ring_drop(struct ring *ring)
{
    struct kept *oldest = ring_at(ring, 0);

    if (ring->bytes > QUERY_RING_MAX) {
        ring->bytes -= oldest->cap;
        free(oldest->text);
        *oldest = (struct kept){0};
    }
    ring->first = (ring->first + 1) % ring->cap;
    ring->n--;
}

static enum err_code kept_set(struct kept *kept, const char *text, size_t n, size_t *bytes)
{
    if (n > kept->cap) {
        char *grown = realloc(kept->text, n);

        if (grown == NULL)
            return ERR_MEMORY;
        *bytes += n - kept->cap;
        kept->text = grown;
        kept->cap = n;
    }
    if (n > 0)
        memcpy(kept->text, text, n);
    kept->len = n;
    return ERR_NONE;
}

static enum err_code ring_push(struct search *s, const char *line, size_t n)
{
    struct ring *ring = &s->ring;
    enum err_code rc;

    if (s->before == 0) {
        s->skipped = true;
        return ERR_NONE;
    }
    if (ring->slots == NULL) {
        ring->cap = (size_t)s->before;
        ring->slots = calloc(ring->cap, sizeof(*ring->slots));
        if (ring->slots == NULL)
            return ERR_MEMORY;
    }
    while (ring->n == ring->cap || (ring->n > 0 && ring->bytes > QUERY_RING_MAX)) {
        ring_drop(ring);
        s->skipped = true;
    }
    rc = kept_set(ring_at(ring, ring->n), line, n, &ring->bytes);
    ring->n += rc == ERR_NONE ? 1 : 0;
    return rc;
}

/* ---- what comes out ------------------------------------------------------------------------- */

static enum err_code show(struct search *s, bool context)
{
    struct query *q = s->q;
    bool around = q->before + q->after > 0;
    struct query_shown how = {.context = context, .apart = around && q->shown && s->skipped};

    s->skipped = false;
    q->shown = true;
    if (q->count_only)
        return ERR_NONE;
    return q->visit(q->arg, &s->run.view, how);
}

/* A line that is shown for its place; what is no record is not. */
static enum err_code show_context(struct search *s, const char *line, size_t n)
{
    enum err_code rc = filter_view(&s->run, line, n);

    if (rc == ERR_NONE)
        return show(s, true);
    return rc == ERR_MEMORY ? rc : ERR_NONE;
}

static enum err_code show_ring(struct search *s)
{
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < s->ring.n && rc == ERR_NONE; i++) {
        const struct kept *kept = ring_at(&s->ring, i);

        rc = show_context(s, kept->text, kept->len);
    }
    s->ring.first = s->ring.n = 0;
    if (s->ring.bytes > QUERY_RING_MAX / 2)
        ring_release(&s->ring);
    return rc;
}

/* The line that run.view holds matches. */
static enum err_code take_match(struct search *s, const char *line, size_t n)
{
    int cost = s->run.view.cost;
    enum err_code rc = ERR_NONE;

    s->q->matches++;
    s->q->left--;
    s->after_left = s->after;
    if (s->ring.n > 0) {
        rc = show_ring(s);
        if (rc == ERR_NONE)
            rc = filter_view(&s->run, line, n);
        s->run.view.cost = cost;
    }
    if (rc == ERR_NONE)
        rc = show(s, false);
    s->over = s->q->left == 0 && s->after_left == 0;
    return rc;
}

static enum err_code take_other(struct search *s, const char *line, size_t n)
{
    if (s->after_left == 0)
        return ring_push(s, line, n);
    s->after_left--;
    s->over = s->q->left == 0 && s->after_left == 0;
    return show_context(s, line, n);
}

/* The next line in the order of reading. Once all matches wanted have come, others are context. */
static enum err_code take_line(struct search *s, const char *line, size_t n, bool may_match)
{
    enum err_code rc = ERR_NOT_FOUND;

    if (may_match && s->q->left > 0)
        rc = filter_check(&s->run, line, n);
    if (rc == ERR_NONE && s->q->cost != QUERY_COST_ANY && s->q->cost != s->run.view.cost)
        rc = ERR_NOT_FOUND;
    switch (rc) {
    case ERR_NONE:
        return take_match(s, line, n);
    case ERR_NOT_FOUND:
        return s->before + s->after > 0 ? take_other(s, line, n) : ERR_NONE;
    case ERR_FORMAT:
        log_reader_damaged(s->reader);
        return ERR_NONE;
    default:
        return rc;
    }
}

/* ---- forwards ------------------------------------------------------------------------------- */

/* Where the line that begins at `from` ends; end is behind a newline. */
static const char *line_end(const char *from, const char *end)
{
    const char *newline = memchr(from, '\n', (size_t)(end - from));

    return newline != NULL ? newline : end - 1;
}

static enum err_code search_piece(struct search *s, const char *from, const char *end)
{
    enum err_code rc = ERR_NONE;
    const char *line;

    while (rc == ERR_NONE && !s->over && (line = filter_next(&s->run, from, end)) != NULL) {
        const char *stop = line_end(line, end);

        rc = take_line(s, line, (size_t)(stop - line), true);
        from = stop + 1;
    }
    return rc;
}

/* With context every line is cut out; only some are asked about. */
static enum err_code search_piece_around(struct search *s, const char *from, const char *end)
{
    const char *next = filter_next(&s->run, from, end);
    enum err_code rc = ERR_NONE;

    while (rc == ERR_NONE && !s->over && from < end) {
        const char *stop = line_end(from, end);

        rc = take_line(s, from, (size_t)(stop - from), from == next);
        if (from == next)
            next = filter_next(&s->run, stop + 1, end);
        from = stop + 1;
    }
    return rc;
}

/* A match that another thread has found. */
static enum err_code take_found(void *arg, const char *line, size_t n, int cost)
{
    struct search *s = arg;
    enum err_code rc = ERR_NONE;

    if (s->q->cost != QUERY_COST_ANY && s->q->cost != cost)
        return ERR_NONE;
    if (!s->q->count_only)
        rc = filter_view(&s->run, line, n);
    if (rc != ERR_NONE)
        return rc;
    s->run.view.cost = cost;
    rc = take_match(s, line, n);
    return rc == ERR_NONE && s->over ? ERR_REFUSED : rc; /* that is enough */
}

/* As much of the log as several threads can do; the rest begins where the reader then stands. */
static enum err_code search_in_parallel(struct search *s, struct err *e)
{
    struct parallel_taker taker = {take_found, s};
    uint64_t upto;
    uint64_t damaged;
    enum err_code rc =
        parallel_search(s->q->filter, s->start, s->reader, taker, &upto, &damaged, e);

    log_reader_seek(s->reader, upto);
    for (; damaged > 0; damaged--)
        log_reader_damaged(s->reader);
    return rc == ERR_REFUSED && s->over ? ERR_NONE : rc;
}

static enum err_code search_forwards(struct search *s, struct err *e)
{
    bool around = s->before + s->after > 0;
    enum err_code rc = log_reader_rewind(s->reader, e);

    if (rc == ERR_NONE && !around && !log_reader_compressed(s->reader))
        rc = search_in_parallel(s, e);
    while (rc == ERR_NONE && !s->over) {
        struct log_piece piece;
        bool have;
        const char *end;

        rc = log_reader_next_piece(s->reader, &piece, &have, e);
        if (rc != ERR_NONE || !have)
            break;
        end = piece.text.ptr + piece.text.len;
        filter_run_piece(&s->run);
        rc = around ? search_piece_around(s, piece.text.ptr, end)
                    : search_piece(s, piece.text.ptr, end);
    }
    return rc;
}

/* ---- backwards ------------------------------------------------------------------------------ */

struct backwards {
    struct search *search;
    enum err_code rc;
};

static bool visit_backwards(void *arg, const struct log_item *item)
{
    struct backwards *b = arg;
    struct search *s = b->search;
    const char *line = item->text.ptr;
    bool may_match;

    filter_run_piece(&s->run);
    may_match = filter_next(&s->run, line, line + item->text.len) != NULL;
    b->rc = take_line(s, line, item->text.len, may_match);
    return b->rc == ERR_NONE && !s->over;
}

static enum err_code search_backwards(struct search *s, struct err *e)
{
    struct backwards b = {.search = s};
    enum err_code rc = log_reader_backward(s->reader, visit_backwards, &b, e);

    return rc == ERR_NONE ? b.rc : rc;
}

/* ---- backwards through a compressed log ----------------------------------------------------- */

struct stashed {
    size_t at;
    size_t len;
    int cost;
    struct query_shown how;
};

/*
 * What a search forwards shows, cut into segments of about QUERY_STASH_MAX; one of them is
 * kept. While they are counted (`wanted` is SIZE_MAX) that is the last one so far.
 */
struct stash {
    struct buf text;
    struct buf items; /* struct stashed */
    size_t segment;   /* the one that comes now */
    size_t used;      /* bytes of it that came */
    size_t wanted;
    bool last_apart; /* of the record that follows the segment kept */
    bool next_seen;
};

static enum err_code stash_visit(void *arg, const struct view *v, struct query_shown how)
{
    struct stash *stash = arg;
    struct stashed item = {.len = v->json.len, .cost = v->cost, .how = how};
    enum err_code rc;

    if (stash->used > QUERY_STASH_MAX) {
        stash->segment++;
        stash->used = 0;
        if (stash->wanted == SIZE_MAX)
            stash->text.len = stash->items.len = 0;
    }
    stash->used += v->json.len + sizeof(item);
    if (stash->wanted != SIZE_MAX && stash->wanted + 1 == stash->segment && !stash->next_seen) {
        stash->next_seen = true;
        stash->last_apart = how.apart;
    }
    if (stash->wanted != SIZE_MAX && stash->wanted != stash->segment)
        return ERR_NONE;
    item.at = stash->text.len;
    rc = buf_put(&stash->text, v->json.ptr, v->json.len);
    return rc == ERR_NONE ? buf_put(&stash->items, &item, sizeof(item)) : rc;
}

/* One search forwards, for nothing but the stash. */
static enum err_code fill_stash(struct search *s, struct stash *stash, struct err *e)
{
    struct query q = *s->q;
    struct search forwards = {.q = &q, .reader = s->reader, .start = s->start, .run = s->run,
                              .before = q.before, .after = q.after};
    enum err_code rc;

    q.visit = stash_visit;
    q.arg = stash;
    q.left = UINT64_MAX;
    q.shown = false;
    stash->text.len = stash->items.len = 0;
    stash->segment = stash->used = 0;
    stash->next_seen = stash->last_apart = false;
    rc = search_forwards(&forwards, e);
    s->run = forwards.run;
    ring_release(&forwards.ring);
    return rc;
}

/* The record at `item` the way back: `apart` was noted with the one that follows it in the log.
   Beyond the last match wanted only its context comes. */
static enum err_code show_stashed(struct search *s, const char *text, const struct stashed *item,
                                  bool apart)
{
    bool context = item->how.context || s->q->left == 0;
    enum err_code rc;

    if (s->q->left == 0 && (apart || s->after_left == 0)) {
        s->over = true;
        return ERR_NONE;
    }
    rc = filter_view(&s->run, text, item->len);
    if (rc != ERR_NONE)
        return rc == ERR_MEMORY ? rc : ERR_NONE;
    s->run.view.cost = item->cost;
    s->after_left = !context ? s->after : s->after_left - (s->after_left > 0 ? 1 : 0);
    s->q->left -= context ? 0 : 1;
    s->q->matches += context ? 0 : 1;
    s->skipped = apart;
    return show(s, context);
}

static enum err_code show_stash(struct search *s, const struct stash *stash)
{
    const struct stashed *items = (const struct stashed *)(const void *)stash->items.data;
    size_t n = stash->items.len / sizeof(*items);
    bool apart = stash->next_seen ? stash->last_apart : s->q->shown;
    enum err_code rc = ERR_NONE;

    for (size_t i = n; i > 0 && rc == ERR_NONE && !s->over; i--) {
        rc = show_stashed(s, stash->text.data + items[i - 1].at, &items[i - 1], apart);
        apart = items[i - 1].how.apart;
    }
    return rc;
}

static enum err_code search_stashed(struct search *s, struct err *e)
{
    struct stash stash = {.wanted = SIZE_MAX};
    size_t segment;
    enum err_code rc;

    buf_init(&stash.text, (size_t)2 * QUERY_STASH_MAX + LOG_LINE_MAX);
    buf_init(&stash.items, (size_t)2 * QUERY_STASH_MAX);
    rc = fill_stash(s, &stash, e);
    segment = stash.segment;
    if (rc == ERR_NONE)
        rc = show_stash(s, &stash);
    while (rc == ERR_NONE && segment > 0 && !s->over) {
        stash.wanted = --segment;
        rc = fill_stash(s, &stash, e);
        if (rc == ERR_NONE)
            rc = show_stash(s, &stash);
    }
    buf_release(&stash.text);
    buf_release(&stash.items);
    return rc;
}

/* ---- one log -------------------------------------------------------------------------------- */

enum err_code query_log(struct query *q, struct log_reader *r, const struct record *start,
                        struct err *e)
{
    struct search s = {.q = q, .reader = r, .start = start, .skipped = true,
                       .before = q->reverse ? q->after : q->before,
                       .after = q->reverse ? q->before : q->after};
    enum err_code rc;

    if (q->left == 0)
        return ERR_NONE;
    filter_run_init(&s.run, q->filter, start);
    if (!q->reverse)
        rc = search_forwards(&s, e);
    else if (log_reader_compressed(r))
        rc = search_stashed(&s, e);
    else
        rc = search_backwards(&s, e);
    if (rc == ERR_MEMORY)
        err_set(e, rc, "cannot search", log_reader_path(r), "no memory");
    ring_release(&s.ring);
    filter_run_release(&s.run);
    return rc;
}
