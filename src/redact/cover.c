// SPDX-License-Identifier: MIT
/* What may come out: matches laid over the stream, merged, and turned into spans. */
#include <stdlib.h>
#include <string.h>

#include "redact/rules.h"
#include "redact/stream.h"

enum { SPANS_FIRST = 16 };

static void span_put(struct redactor *r, const char *ptr, size_t len, uint32_t shown,
                     uint32_t marks)
{
    struct clean_vec *v = r->out;
    struct clean_span *last = v->len > 0 ? &v->items[v->len - 1] : NULL;

    if (last != NULL && marks == 0 && last->marks == 0 && last->ptr + last->len == ptr &&
        (shown == 0 || last->shown == last->len)) {
        last->len += len;
        last->shown += shown;
        v->bytes += len;
        return;
    }
    if (v->items == NULL || v->len == v->cap) {
        size_t cap = v->cap > 0 ? v->cap * 2 : SPANS_FIRST;
        struct clean_span *items = realloc(v->items, cap * sizeof(*items));

        if (items == NULL) {
            r->failed = true;
            return;
        }
        v->items = items;
        v->cap = cap;
    }
    v->items[v->len++] =
        (struct clean_span){.ptr = ptr, .len = len, .shown = shown, .marks = marks};
    v->bytes += len;
}

static void pass_part(struct redactor *r, const uint8_t *ptr, uint64_t from, size_t len)
{
    uint64_t shown = r->s.shown > from ? r->s.shown - from : 0;

    if (len > 0)
        span_put(r, (const char *)ptr, len, (uint32_t)(shown < len ? shown : len), 0);
}

static const uint8_t *held_at(const struct redactor *r, uint64_t pos)
{
    return r->holds[r->s.hold] + (pos - (r->base - r->s.held));
}

static void pass(struct redactor *r, uint64_t from, uint64_t to)
{
    if (from < r->base) {
        uint64_t end = to < r->base ? to : r->base;

        pass_part(r, held_at(r, from), from, (size_t)(end - from));
        from = end;
    }
    if (from < to)
        pass_part(r, r->in + (from - r->base), from, (size_t)(to - from));
}

uint8_t stream_byte(const struct redactor *r, uint64_t pos)
{
    if (pos + r->s.held < r->base)
        return 0; /* out already */
    return pos < r->base ? *held_at(r, pos) : r->in[pos - r->base];
}

static bool stream_is(const struct redactor *r, uint64_t start, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (stream_byte(r, start + i) != (uint8_t)text[i])
            return false;
    }
    return true;
}

/* The n bytes from start on are those of the mark behind its first `skip` ones. */
static bool stream_is_part(const struct redactor *r, uint64_t start, size_t n, size_t skip,
                           const char *mark)
{
    return strlen(mark) == n + 2 * skip && stream_is(r, start, mark + skip, n);
}

bool stream_is_mark(const struct redactor *r, uint64_t start, uint64_t end, bool bare)
{
    size_t n = (size_t)(end - start);
    size_t skip = bare ? 1 : 0;

    if (stream_is_part(r, start, n, skip, MARK_TOKEN) ||
        stream_is_part(r, start, n, skip, MARK_PEM_LINE))
        return true;
    if (n <= strlen(MARK_TOKEN) || stream_byte(r, start) != (bare ? 'R' : '['))
        return false;
    for (size_t i = 0; i < rule_name_count; i++) {
        if (stream_is_part(r, start, n, skip, rule_names[i].mark))
            return true;
    }
    return false;
}

bool stream_is_mark_end(const struct redactor *r, uint64_t start, uint64_t end)
{
    static const char open[] = "[REDACTED:";

    for (size_t i = 0; i < rule_name_count; i++) {
        const char *rest = rule_names[i].mark + sizeof(open) - 1;

        if (strlen(rest) == end - start && stream_is(r, start, rest, (size_t)(end - start)))
            return true;
    }
    return false;
}

void cover_grow(struct redactor *r, struct match *m, uint64_t end)
{
    m->end = end > m->end ? end : m->end;
    r->s.reach = end > r->s.reach ? end : r->s.reach;
}

uint32_t cover_add(struct redactor *r, uint64_t start, uint64_t end, const char *text,
                   uint16_t name, uint8_t marks)
{
    size_t at = r->s.n_matches;
    struct match *m;

    if (at == MATCHES_MAX) {
        /* Too many wait behind one unarmed candidate: the last one grows over this one. */
        m = &r->matches[at - 1];
        if (start < m->start)
            m->start = start;
        cover_grow(r, m, end);
        return m->id;
    }
    while (at > 0 && r->matches[at - 1].start > start) {
        r->matches[at] = r->matches[at - 1];
        at--;
    }
    r->s.n_matches++;
    r->s.reach = end > r->s.reach ? end : r->s.reach;
    m = &r->matches[at];
    *m = (struct match){.start = start, .end = end, .text = text, .name = name, .marks = marks};
    m->id = ++r->s.next_id != 0 ? r->s.next_id : ++r->s.next_id;
    return m->id;
}

void cover_close(struct redactor *r, uint32_t id, uint64_t end)
{
    uint64_t reach = 0;

    for (size_t i = 0; i < r->s.n_matches; i++) {
        if (r->matches[i].id == id)
            r->matches[i].end = end;
        reach = r->matches[i].end > reach ? r->matches[i].end : reach;
    }
    r->s.reach = reach;
}

bool cover_touches(const struct redactor *r, uint64_t pos)
{
    if (r->s.covered != 0 && r->s.covered >= pos)
        return true;
    for (size_t i = 0; i < r->s.n_matches && r->s.reach >= pos; i++) {
        if (r->matches[i].start < pos && r->matches[i].end >= pos)
            return true;
    }
    return false;
}

bool cover_hides(const struct redactor *r, uint64_t pos)
{
    if (r->s.covered > pos)
        return true;
    for (size_t i = 0; i < r->s.n_matches && r->s.reach > pos; i++) {
        if (r->matches[i].start <= pos && r->matches[i].end > pos)
            return true;
    }
    return false;
}

static void mark_out(struct redactor *r, const struct match *m)
{
    if (m->marks > 0 && !r->counts_kept) {
        memcpy(r->counts_before, r->counts, r->n_counts * sizeof(*r->counts));
        r->counts_kept = true;
    }
    if (m->text[0] != '\0') {
        span_put(r, m->text, strlen(m->text), 0, m->marks);
        if (!r->failed) {
            r->out->items[r->out->len - 1].rule = m->name;
            r->out->items[r->out->len - 1].at = m->start;
        }
    }
    r->counts[m->name] += m->marks;
    r->s.total += m->marks;
}

/* One match that begins at or before the limit. False while it stays in the list. */
static bool match_out(struct redactor *r, struct match *m, uint64_t limit)
{
    struct stream *s = &r->s;
    /* An open match may yet turn out to end where something live begins. */
    uint64_t end = m->end == NO_POS ? limit : m->end;

    if (m->start > s->frontier) {
        pass(r, s->frontier, m->start);
        s->frontier = m->start;
    }
    if (!m->out && (m->start >= s->covered || s->covered == 0))
        mark_out(r, m);
    m->out = true;
    if (end > s->frontier)
        s->frontier = end;
    if (end > s->covered)
        s->covered = end;
    return m->end != NO_POS;
}

void cover_advance(struct redactor *r, uint64_t limit)
{
    struct stream *s = &r->s;
    size_t kept = 0;
    size_t i;

    for (i = 0; i < s->n_matches && r->matches[i].start <= limit; i++) {
        /* Whether an open one reaches over this one is not known yet. */
        if (kept > 0 && r->matches[i].start == limit)
            break;
        if (!match_out(r, &r->matches[i], limit))
            r->matches[kept++] = r->matches[i];
    }
    if (kept != i)
        memmove(r->matches + kept, r->matches + i, (s->n_matches - i) * sizeof(r->matches[0]));
    s->n_matches -= i - kept;
    if (limit > s->frontier) {
        pass(r, s->frontier, limit);
        s->frontier = limit;
    }
}
