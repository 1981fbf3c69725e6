// SPDX-License-Identifier: MIT
/*
 * One stream. Positions within the scan are logical; what goes out is raw, through ring.
 *
 *   byte ──escape, line end, indentation──▶ (nothing)
 *     └──logical──▶ ring ──▶ tails, one comparison each
 *                       └──▶ head: walks the trie from its start over the ring; at its end the
 *                            next start is walked, up to the last byte
 *
 * Where the stream repeats one byte the next start has walked the same nodes as the one before,
 * less one: it is taken there at once (known_row). So such a stream costs what any other does,
 * however much of a value repeats the byte.
 *
 * Invariants between steps:
 *   1. end - KNOWN_HEAD <= head.from <= end, and head.depth = end - head.from: the head has
 *      walked over all bytes; at from = end there is none, and node and depth are 0;
 *   2. every start before head.from is decided, or is a tail's;
 *   3. nothing live spans more than KNOWN_SPAN_MAX raw bytes.
 */
#include <assert.h>
#include <string.h>

#include "redact/known_set.h"

enum { ROW_MIN = 4 }; /* shorter rows are walked */
enum { RING = sizeof(((struct known_scan *)0)->ring) / sizeof(((struct known_scan *)0)->ring[0]) };

_Static_assert((RING & (RING - 1)) == 0 && (int)RING > (int)KNOWN_HEAD, "the ring holds a head");

/* A line end before a byte, and who may match across. */
enum known_break { BREAK_NONE, BREAK_LINE, BREAK_WRAP };

/* Where matches go. */
struct sink {
    known_found_fn *found;
    void *ctx;
};

static const bool is_base64[256] = {
    ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['+'] = true,
    ['/'] = true,         ['='] = true,         ['_'] = true,         ['-'] = true};

void known_scan_init(struct known_scan *s, struct known *k)
{
    memset(s, 0, sizeof(*s));
    s->known = k;
}

static inline uint64_t raw_pos(const struct known_scan *s, uint64_t logical)
{
    return s->ring[logical % RING].pos;
}

/* ---- matches ----------------------------------------------------------------------- */

/* The raw bytes [start, end), without the line ends in it. */
static void report(const struct known_scan *s, const struct sink *sink, uint64_t start,
                   uint64_t end, uint16_t id, bool continues)
{
    struct known_piece pieces[KNOWN_PIECES_MAX];
    struct known_match match = {.id = id, .continues = continues, .pieces = pieces};
    uint64_t oldest = s->n_breaks > KNOWN_BREAKS_MAX ? s->n_breaks - KNOWN_BREAKS_MAX : 0;
    uint64_t i = s->n_breaks;

    while (i > oldest && s->breaks[(i - 1) % KNOWN_BREAKS_MAX].start >= start)
        i--;
    for (; i < s->n_breaks; i++) {
        const struct known_piece *gap = &s->breaks[i % KNOWN_BREAKS_MAX];

        if (gap->end >= end)
            break;
        if (gap->start > start)
            pieces[match.n++] = (struct known_piece){start, gap->start};
        start = gap->end;
    }
    pieces[match.n++] = (struct known_piece){start, end};
    sink->found(sink->ctx, &match);
}

/* ---- tails ------------------------------------------------------------------------- */

static bool tail_is_armed(const struct known_scan *s, const struct known_tail *t)
{
    return t->committed || t->matched >= form_armed_at(s->known->forms[t->form].len);
}

/* What is not reported of the tail, up to the raw position end. */
static void tail_report(const struct known_scan *s, const struct sink *sink, struct known_tail *t,
                        uint64_t end)
{
    if (t->start < end)
        report(s, sink, t->start, end, s->known->forms[t->form].id, t->committed);
    t->start = end;
    t->committed = true;
}

/* The byte at end - 1. True if the tail goes on. */
static bool tail_step(const struct known_scan *s, const struct sink *sink, struct known_tail *t,
                      uint8_t byte)
{
    if (form_iter_next(&t->rest) != byte) {
        if (t->committed)
            tail_report(s, sink, t, raw_pos(s, s->end - 2) + 1);
        return false;
    }
    t->matched++;
    if (t->matched < s->known->forms[t->form].len)
        return true;
    tail_report(s, sink, t, raw_pos(s, s->end - 1) + 1);
    return false;
}

static void tails_step(struct known_scan *s, const struct sink *sink, uint8_t byte)
{
    uint16_t kept = 0;

    for (uint16_t i = 0; i < s->n_tails; i++) {
        if (!tail_step(s, sink, &s->tails[i], byte))
            continue;
        if (kept != i)
            s->tails[kept] = s->tails[i];
        kept++;
    }
    s->n_tails = kept;
}

/* More than so many at once happens where a value repeats itself; redact rather than leak. */
static void oldest_is_found(struct known_scan *s, const struct sink *sink)
{
    tail_report(s, sink, &s->tails[0], raw_pos(s, s->end - 1) + 1);
    s->n_tails--;
    memmove(&s->tails[0], &s->tails[1], s->n_tails * sizeof(s->tails[0]));
}

/* The form behind its head; of the last one asked for it is kept. */
static const struct form_iter *behind_head(struct known_scan *s, uint32_t form)
{
    const struct form *f = &s->known->forms[form];

    if (s->begun_form == form)
        return &s->begun;
    form_iter_init(&s->begun, f->encoding, f->text, f->text_len);
    for (int n = 0; n < KNOWN_HEAD; n++)
        (void)form_iter_next(&s->begun);
    s->begun_form = form;
    return &s->begun;
}

/* The head is complete: all forms that begin so go on. */
static void tails_add(struct known_scan *s, const struct sink *sink, uint32_t node, uint64_t start)
{
    const struct known *k = s->known;

    for (uint32_t i = trie_link(&k->trie, node, LINK_TAIL); i != 0; i = k->forms[i].next) {
        if (s->n_tails == KNOWN_TAILS_MAX)
            oldest_is_found(s, sink);
        s->tails[s->n_tails++] = (struct known_tail){
            .start = start, .matched = KNOWN_HEAD, .form = i, .rest = *behind_head(s, i)};
    }
}

/* ---- the head ---------------------------------------------------------------------- */

static inline uint8_t head_flags(const struct known_scan *s, const struct known_head *h)
{
    return s->known->trie.nodes[h->node].flags;
}

static inline void head_from_next(struct known_head *h)
{
    *h = (struct known_head){.from = h->from + 1};
}

/* The next byte of the ring; the flags of the node it leads to, or -1: no match from here. */
static inline int head_walk(const struct known_scan *s, struct known_head *h)
{
    uint64_t at = h->from + h->depth;
    uint32_t child;

    if (h->depth > 0) {
        if (s->ring[at % RING].line_end == BREAK_LINE && h->depth < KNOWN_BREAK_MIN &&
            (head_flags(s, h) & NODE_JOIN) == 0)
            return -1;
        if (raw_pos(s, at) - raw_pos(s, h->from) >= KNOWN_SPAN_MAX)
            return -1;
    }
    child = trie_child(&s->known->trie, h->node, s->ring[at % RING].byte);
    if (child == 0)
        return -1;
    h->node = child;
    h->depth++;
    return s->known->trie.nodes[child].flags;
}

/* What was walked from the head's start, as a match of the form. */
static void head_report(const struct known_scan *s, const struct sink *sink,
                        const struct known_head *h, uint32_t form)
{
    report(s, sink, raw_pos(s, h->from), raw_pos(s, h->from + h->depth - 1) + 1,
           s->known->forms[form].id, false);
}

static bool head_is_armed(const struct known_scan *s, const struct known_head *h)
{
    return h->depth > 0 && (head_flags(s, h) & NODE_ARMED) != 0;
}

/* It spans too much, or the stream is at its end: an armed one is taken as found. */
static void head_give_up(const struct known_scan *s, const struct sink *sink,
                         const struct known_head *h)
{
    if (head_is_armed(s, h))
        head_report(s, sink, h, trie_form_below(&s->known->trie, h->node));
}

static bool head_spans(const struct known_scan *s, const struct known_head *h, uint64_t pos)
{
    return pos - raw_pos(s, h->from) >= KNOWN_SPAN_MAX;
}

/* It must not run over the line end that has just come: its bytes need not be held. */
static bool head_is_broken(const struct known_scan *s, const struct known_head *h)
{
    return s->line_end == BREAK_LINE && h->depth < KNOWN_BREAK_MIN &&
           (head_flags(s, h) & NODE_JOIN) == 0;
}

static void row_fill(const struct known_scan *s, struct known_row *row)
{
    const struct trie *t = &s->known->trie;
    uint8_t byte = s->ring[(s->end - 1) % RING].byte;
    uint32_t node = 0;

    row->depth = 0;
    row->ends = 0;
    row->forms = s->known->n_forms;
    while (row->depth < KNOWN_HEAD && (node = trie_child(t, node, byte)) != 0) {
        row->nodes[++row->depth] = node;
        if ((t->nodes[node].flags & (NODE_FORM | NODE_TAIL)) != 0)
            row->ends |= UINT64_C(1) << row->depth;
    }
}

/* What ends in the node that the head has come to. */
static void head_ends(struct known_scan *s, const struct sink *sink, const struct known_head *h)
{
    uint8_t flags = head_flags(s, h);

    if ((flags & NODE_FORM) != 0)
        head_report(s, sink, h, trie_link(&s->known->trie, h->node, LINK_FORM));
    if ((flags & NODE_TAIL) != 0)
        tails_add(s, sink, h->node, raw_pos(s, h->from));
}

/* A start from which there is but the row: goes along it as far as there are nodes. False: it
   comes to nothing more. */
static bool head_slide(struct known_scan *s, const struct sink *sink, struct known_head *h)
{
    struct known_row *row = &s->row;
    uint64_t there = s->end - h->from;
    uint64_t ends;

    if (row->forms != s->known->n_forms)
        row_fill(s, row);
    if (there > row->depth)
        there = row->depth;
    ends = row->ends & ((UINT64_C(2) << there) - 1);
    for (; ends != 0; ends &= ends - 1) {
        h->depth = (uint32_t)__builtin_ctzll(ends);
        h->node = row->nodes[h->depth];
        head_ends(s, sink, h);
    }
    h->depth = (uint32_t)there;
    h->node = there > 0 ? row->nodes[there] : 0;
    return (head_flags(s, h) & (NODE_CHAIN | NODE_BRANCH)) != 0;
}

/* The next start that may come to something. */
static void head_next(struct known_scan *s, const struct sink *sink, struct known_head *h)
{
    head_from_next(h);
    while (s->row.len >= ROW_MIN && h->from < s->end && s->end - h->from <= s->row.len &&
           !head_slide(s, sink, h))
        head_from_next(h);
}

/* One byte further, or on to the next start. */
static void head_advance(struct known_scan *s, const struct sink *sink, struct known_head *h)
{
    int flags = head_walk(s, h);

    if (flags < 0) {
        if (head_spans(s, h, raw_pos(s, h->from + h->depth)))
            head_give_up(s, sink, h);
        head_next(s, sink, h);
        return;
    }
    if ((flags & (NODE_FORM | NODE_TAIL)) != 0)
        head_ends(s, sink, h);
    if ((flags & (NODE_CHAIN | NODE_BRANCH)) == 0)
        head_next(s, sink, h);
}

/* Walks over the ring to its end, with the first start that gets there and may stay. */
static void head_follow(struct known_scan *s, const struct sink *sink)
{
    struct known_head *h = &s->head;

    while (h->from < s->end) {
        if (h->from + h->depth == s->end) {
            if (!head_is_broken(s, h))
                return;
            head_next(s, sink, h);
            continue;
        }
        head_advance(s, sink, h);
    }
}

/* ---- a raw byte -------------------------------------------------------------------- */

static void row_step(struct known_scan *s, uint8_t byte, uint64_t pos)
{
    uint64_t last = s->end - 1;

    if (s->row.len > 0 && s->ring[last % RING].byte == byte && raw_pos(s, last) + 1 == pos) {
        s->row.len += s->row.len < UINT32_MAX;
        return;
    }
    s->row.len = 1;
    s->row.forms = 0;
}

static void logical_byte(struct known_scan *s, const struct sink *sink, uint8_t byte, uint64_t pos)
{
    row_step(s, byte, pos);
    if (s->line_end != BREAK_NONE && known_live(s))
        s->breaks[s->n_breaks++ % KNOWN_BREAKS_MAX] =
            (struct known_piece){raw_pos(s, s->end - 1) + 1, pos};
    s->ring[s->end % RING].pos = pos;
    s->ring[s->end % RING].byte = byte;
    s->ring[s->end % RING].line_end = s->line_end;
    s->line_end = BREAK_NONE;
    s->end++;
    if (s->n_tails > 0)
        tails_step(s, sink, byte);
    head_follow(s, sink);
}

static void line_end_byte(struct known_scan *s, const struct sink *sink)
{
    s->indent = 0;
    if (s->line_end == BREAK_NONE)
        s->line_end = s->run >= KNOWN_WRAP_MIN ? BREAK_WRAP : BREAK_LINE;
    head_follow(s, sink);
}

/* Gives up, or reports in part, what spans too much with the byte at pos. */
static void expire(struct known_scan *s, const struct sink *sink, uint64_t pos)
{
    struct known_head *h = &s->head;
    uint16_t kept = 0;

    while (h->depth > 0 && head_spans(s, h, pos)) {
        head_give_up(s, sink, h);
        head_next(s, sink, h);
        head_follow(s, sink);
    }
    for (uint16_t i = 0; i < s->n_tails; i++) {
        struct known_tail *t = &s->tails[i];

        if (pos >= t->start && pos - t->start >= KNOWN_SPAN_MAX) {
            uint64_t end = raw_pos(s, s->end - 1) + 1;

            if (!tail_is_armed(s, t) || t->start == end) /* or nothing of it came since */
                continue;
            tail_report(s, sink, t, end);
        }
        if (kept != i)
            s->tails[kept] = *t;
        kept++;
    }
    s->n_tails = kept;
}

static inline bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

static inline bool is_indent(const struct known_scan *s, uint8_t byte)
{
    return s->line_end != BREAK_NONE && (byte == ' ' || byte == '\t') &&
           s->indent < KNOWN_INDENT_MAX;
}

void known_step(struct known_scan *s, uint8_t byte, uint64_t pos, known_found_fn *found, void *ctx)
{
    const struct sink sink = {found, ctx};

    if (!known_escape_takes(&s->escape, byte)) {
        if (is_line_end(byte))
            line_end_byte(s, &sink);
        else if (is_indent(s, byte))
            s->indent++;
        else
            logical_byte(s, &sink, byte, pos);
    }
    s->run = is_base64[byte] ? (uint8_t)(s->run + (s->run < KNOWN_WRAP_MIN)) : 0;
    if (known_live(s))
        expire(s, &sink, pos);
    assert(s->head.from + s->head.depth == s->end && s->head.depth <= KNOWN_HEAD);
}

/* ---- what is held ------------------------------------------------------------------ */

uint64_t known_hold(const struct known_scan *s)
{
    uint64_t hold = s->head.depth > 0 ? raw_pos(s, s->head.from) : KNOWN_NO_POS;

    for (uint16_t i = 0; i < s->n_tails; i++) {
        if (s->tails[i].start < hold)
            hold = s->tails[i].start;
    }
    return hold;
}

/* The first start that is armed, or whose match is complete but not yet come to. */
static uint64_t heads_armed(const struct known_scan *s)
{
    struct known_head h = s->head;

    while (h.from < s->end) {
        int flags = 0;

        if (head_is_armed(s, &h))
            return raw_pos(s, h.from);
        head_from_next(&h);
        while (flags >= 0 && h.from + h.depth < s->end) {
            flags = head_walk(s, &h);
            if (flags >= 0 && (flags & NODE_FORM) != 0)
                return raw_pos(s, h.from);
        }
        if (flags < 0)
            h.depth = 0;
    }
    return KNOWN_NO_POS;
}

uint64_t known_armed(const struct known_scan *s)
{
    uint64_t armed = s->head.depth > 0 ? heads_armed(s) : KNOWN_NO_POS;

    for (uint16_t i = 0; i < s->n_tails; i++) {
        if (tail_is_armed(s, &s->tails[i]) && s->tails[i].start < armed)
            armed = s->tails[i].start;
    }
    return armed;
}

void known_finish(struct known_scan *s, known_found_fn *found, void *ctx)
{
    const struct sink sink = {found, ctx};

    for (uint16_t i = 0; i < s->n_tails; i++) {
        if (tail_is_armed(s, &s->tails[i]))
            tail_report(s, &sink, &s->tails[i], raw_pos(s, s->end - 1) + 1);
    }
    s->n_tails = 0;
    while (s->head.depth > 0) {
        head_give_up(s, &sink, &s->head);
        head_next(s, &sink, &s->head);
        head_follow(s, &sink);
    }
}

/* ---- passing over ------------------------------------------------------------------ */

size_t known_next(const struct known_scan *s, const uint8_t *data, size_t len, size_t from)
{
    if (s->known->n_forms == 1)
        return len;
    known_prepare(s->known);
    return known_filter_find(&s->known->filter, data, len, from);
}

static uint8_t run_before(const struct known_scan *s, const uint8_t *data, size_t from, size_t to)
{
    size_t at = to;

    while (at > from && to - at < KNOWN_WRAP_MIN && is_base64[data[at - 1]])
        at--;
    if (at > from || to - at >= KNOWN_WRAP_MIN)
        return (uint8_t)(to - at);
    return s->run + (to - at) < KNOWN_WRAP_MIN ? (uint8_t)(s->run + (to - at)) : KNOWN_WRAP_MIN;
}

void known_skip(struct known_scan *s, const uint8_t *data, size_t from, size_t to)
{
    enum { REACH = 2 + KNOWN_ESC_PARAMS_MAX }; /* no escape sequence is longer, less its end */
    const uint8_t *escape;
    size_t at = to - from > REACH ? to - REACH : from;

    assert(!known_live(s));
    if (from == to)
        return;
    s->run = run_before(s, data, from, to);
    s->line_end = BREAK_NONE; /* of no interest without a match that began before it */
    escape = memrchr(data + at, KNOWN_ESC, to - at);
    if (escape != NULL)
        at = (size_t)(escape - data);
    else if (at > from)
        s->escape = (struct known_escape){0, 0};
    for (; at < to; at++)
        (void)known_escape_takes(&s->escape, data[at]);
}
