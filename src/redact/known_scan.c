// SPDX-License-Identifier: MIT
/*
 * One stream. Positions within the scan are logical; what goes out is raw, through ring.
 *
 *   byte ──escape, line end, indentation──▶ (nothing)
 *     └──logical──▶ ring ──▶ tails, one comparison each
 *                       └──▶ head: walks the trie from its start over the ring; at its end the
 *                            next start is looked up, or walked, up to the last byte
 *
 * In a stream that repeats the beginning of a value, with whatever period, a byte costs what it
 * costs elsewhere: many starts are one tail (known_tail), and the next start of a head is known
 * from the last time (known_fail).
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

_Static_assert((KNOWN_RING & (KNOWN_RING - 1)) == 0, "positions in it are cheap");
_Static_assert((int)KNOWN_RING > (int)KNOWN_SPAN_MAX, "the ring holds what may be held");
_Static_assert(KNOWN_HEAD < 64, "line_ends holds a head");

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

void known_scan_copy(struct known_scan *dst, const struct known_scan *src)
{
    size_t all = offsetof(struct known_scan, tails) + src->n_tails * sizeof(src->tails[0]);

    memcpy(dst, src, known_live(src) ? all : offsetof(struct known_scan, line_ends));
}

/* Of one of the last KNOWN_RING logical bytes. */
static inline uint64_t raw_pos(const struct known_scan *s, uint64_t logical)
{
    return s->last - ((uint32_t)s->last - s->pos[logical % KNOWN_RING]);
}

static inline uint8_t logical_at(const struct known_scan *s, uint64_t logical)
{
    return s->bytes[logical % KNOWN_RING];
}

/* A line end before this one of the last bytes ends a match that has hardly begun. */
static inline bool breaks_at(const struct known_scan *s, uint64_t logical)
{
    return (s->line_ends >> (s->end - 1 - logical) & 1) != 0;
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
    return t->committed || t->form == 0 ||
           t->matched >= form_armed_at(s->known->forms[t->form].len);
}

/* What is not reported of the tail, up to the raw position end. */
static void tail_report(const struct known_scan *s, const struct sink *sink, struct known_tail *t,
                        uint64_t end)
{
    if (t->start < end)
        report(s, sink, t->start, end, t->id, t->committed);
    t->start = end;
    t->committed = true;
}

/*
 * On to the next start of the tail that was not given up by now; false if there is none. What was
 * reported of the one before is reported of this one, where it spans as much.
 */
static bool tail_next(struct known_scan *s, struct known_tail *t)
{
    while (t->count > 1) {
        t->from += t->period;
        t->matched -= t->period;
        t->count--;
        if (!t->committed || s->end - t->from < KNOWN_SPAN_MAX) {
            uint64_t raw = raw_pos(s, t->from);

            if (s->last - raw < KNOWN_SPAN_MAX) {
                t->start = raw;
                t->committed = false;
                s->expires = raw + KNOWN_SPAN_MAX < s->expires ? raw + KNOWN_SPAN_MAX : s->expires;
                return true;
            }
        }
        if (t->matched >= form_armed_at(s->known->forms[t->form].len))
            return true;
    }
    return false;
}

/* The byte at end - 1 is none of the first start's. True if another one goes on. */
static bool tail_breaks(struct known_scan *s, const struct sink *sink, struct known_tail *t,
                        bool others)
{
    if (t->committed)
        tail_report(s, sink, t, raw_pos(s, s->end - 2) + 1);
    if (!others || !tail_next(s, t))
        return false;
    t->matched++;
    return true;
}

/* The byte at end - 1. True if the tail goes on. */
static bool tail_step(struct known_scan *s, const struct sink *sink, struct known_tail *t,
                      uint8_t byte)
{
    bool repeats;

    if (t->form == 0) {
        if (s->end < t->crowd_end)
            return true;
        tail_report(s, sink, t, raw_pos(s, s->end - 1) + 1);
        return false;
    }
    repeats = t->period > 0 && logical_at(s, s->end - 1 - t->period) == byte;
    if (t->matched < t->read) {
        if (!repeats)
            return tail_breaks(s, sink, t, false);
    } else {
        if (t->want != byte)
            return tail_breaks(s, sink, t, repeats);
        if (!repeats)
            t->count = 1;
        t->read++;
        t->want = (int16_t)form_iter_next(&t->rest);
    }
    t->matched++;
    if (t->matched < s->known->forms[t->form].len)
        return true;
    tail_report(s, sink, t, raw_pos(s, s->end - 1) + 1);
    return tail_next(s, t);
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

/*
 * More values than are followed begin alike. Rather than leak one, all is found up to where the
 * longest of them would end: the oldest tail stands for them, with no form to compare.
 */
static void tails_crowd(struct known_scan *s, uint32_t form, uint64_t from)
{
    struct known_tail *t = &s->tails[0];
    uint64_t end = from + s->known->forms[form].len;

    for (uint16_t i = 0; i < s->n_tails; i++) {
        if (s->tails[i].form == 0)
            t = &s->tails[i];
    }
    if (t->form != 0) {
        t->crowd_end = t->from + s->known->forms[t->form].len +
                       (uint64_t)(t->count - 1) * t->period;
        t->form = 0;
        t->count = 1;
    }
    if (end > t->crowd_end)
        t->crowd_end = end;
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

/* The start at `from`, with its head, is one of the tail's. */
static bool tail_takes(struct known_tail *t, uint32_t form, uint64_t from)
{
    uint64_t distance = from - t->from - (uint64_t)(t->count - 1) * t->period;

    if (t->form != form || distance >= KNOWN_SPAN_MAX)
        return false;
    if (t->count == 1 && t->matched == t->read)
        t->period = (uint32_t)distance;
    if (t->period != distance)
        return false;
    t->count++;
    return true;
}

static void tail_add(struct known_scan *s, uint32_t form, uint64_t from)
{
    struct known_tail *t;

    for (uint16_t i = 0; i < s->n_tails; i++) {
        if (tail_takes(&s->tails[i], form, from))
            return;
    }
    if (s->n_tails == KNOWN_TAILS_MAX) {
        tails_crowd(s, form, from);
        return;
    }
    t = &s->tails[s->n_tails++];
    *t = (struct known_tail){.start = raw_pos(s, from),
                             .from = from,
                             .form = form,
                             .id = s->known->forms[form].id,
                             .matched = KNOWN_HEAD,
                             .read = KNOWN_HEAD,
                             .count = 1,
                             .rest = *behind_head(s, form)};
    t->want = (int16_t)form_iter_next(&t->rest);
}

/* The head is complete: all forms that begin so go on. */
static void tails_add(struct known_scan *s, uint32_t node, uint64_t from)
{
    const struct known *k = s->known;

    for (uint32_t i = trie_end(&k->trie, node, END_TAIL); i != 0; i = k->forms[i].next)
        tail_add(s, i, from);
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

/* As trie_child, with all that goes on behind the child put in. */
static inline uint32_t child_of(struct known *k, uint32_t node, uint8_t byte)
{
    uint32_t child = trie_child(&k->trie, node, byte);

    if (__builtin_expect((k->trie.nodes[child].flags & NODE_LATE) != 0, 0))
        known_late_put_in(k, child);
    return child;
}

/* The next byte of the ring; the flags of the node it leads to, or -1: no match from here. */
static inline int head_walk(const struct known_scan *s, struct known_head *h)
{
    uint64_t at = h->from + h->depth;
    uint32_t child;

    if (h->depth > 0) {
        if (h->depth < KNOWN_BREAK_MIN && breaks_at(s, at) &&
            (head_flags(s, h) & NODE_JOIN) == 0)
            return -1;
        if (raw_pos(s, at) - raw_pos(s, h->from) >= KNOWN_SPAN_MAX)
            return -1;
    }
    child = child_of(s->known, h->node, logical_at(s, at));
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

/* What ends in the node that the head has come to. */
static void head_ends(struct known_scan *s, const struct sink *sink, const struct known_head *h)
{
    uint8_t flags = head_flags(s, h);

    if ((flags & NODE_FORM) != 0)
        head_report(s, sink, h, trie_end(&s->known->trie, h->node, END_FORM));
    if ((flags & NODE_TAIL) != 0)
        tails_add(s, h->node, h->from);
}

/* Some form is found within the head, from the start `skip` bytes behind it, up to `end`. False:
   too much is. */
static bool fail_finds(struct known_fail *f, uint32_t skip, uint32_t end, uint32_t form)
{
    if (f->n_found > 0 && skip < f->found[f->n_found - 1].end) {
        if (end > f->found[f->n_found - 1].end)
            f->found[f->n_found - 1].end = (uint8_t)end;
        return true;
    }
    if (f->n_found == FAIL_FOUND_MAX)
        return false;
    f->found[f->n_found].begin = (uint8_t)skip;
    f->found[f->n_found].end = (uint8_t)end;
    f->form = form;
    f->n_found++;
    return true;
}

/* Walks what the head walked, from `skip` bytes behind its start on. Returns how far. */
static uint32_t fail_walk(const struct known_scan *s, const struct known_head *h, uint32_t skip,
                          struct known_fail *f)
{
    const struct trie *t = &s->known->trie;
    uint32_t form = 0;
    uint32_t end = skip;
    uint32_t at = skip;
    uint32_t child;

    f->node = 0;
    for (; at < h->depth; f->node = child) {
        child = child_of(s->known, f->node, logical_at(s, h->from + at));
        if (child == 0)
            break;
        at++;
        if ((t->nodes[child].flags & NODE_FORM) != 0) {
            form = trie_end(t, child, END_FORM);
            end = at;
        }
    }
    if (form != 0 && !fail_finds(f, skip, end, form))
        return UINT32_MAX;
    return at;
}

/* Fills in where a head at this node goes on. False: that cannot be told so briefly. */
static bool fail_fill(const struct known_scan *s, const struct known_head *h, struct known_fail *f)
{
    *f = (struct known_fail){.of = h->node};
    for (uint32_t skip = 1; skip < h->depth; skip++) {
        uint32_t end = fail_walk(s, h, skip, f);

        if (end == UINT32_MAX)
            break;
        if (end == h->depth &&
            (s->known->trie.nodes[f->node].flags & (NODE_CHAIN | NODE_BRANCH)) != 0) {
            f->depth = (uint8_t)(h->depth - skip);
            return true;
        }
        f->node = 0;
        if (skip + 1 == h->depth)
            return true;
    }
    f->of = 0;
    return false;
}

/* NULL: try every start. */
static const struct known_fail *fail_of(const struct known_scan *s, const struct known_head *h)
{
    struct known_fail *f;

    if (h->depth < FAIL_MIN || !known_fails_ready(s->known))
        return NULL;
    f = &s->known->fails[h->node % FAILS];
    return f->of == h->node || fail_fill(s, h, f) ? f : NULL;
}

/* Line ends before bytes that the head walked, but for its first, may end matches. */
static bool head_has_breaks(const struct known_scan *s, const struct known_head *h, uint32_t depth)
{
    uint64_t bits = s->line_ends >> (s->end - h->from - depth);

    return (bits & ((UINT64_C(1) << (depth - 1)) - 1)) != 0;
}

/* A line end too near to its start ended this one, unless a value has one there. */
static bool head_is_cut(const struct known_scan *s, const struct known_head *h)
{
    uint32_t near = h->depth < KNOWN_BREAK_MIN ? h->depth : KNOWN_BREAK_MIN;

    return near > 1 && head_has_breaks(s, h, near);
}

/* What was found within the head. */
static void fail_report(const struct known_scan *s, const struct sink *sink,
                        const struct known_head *h, const struct known_fail *f)
{
    for (uint8_t i = 0; i < f->n_found; i++)
        report(s, sink, raw_pos(s, h->from + f->found[i].begin),
               raw_pos(s, h->from + f->found[i].end - 1) + 1, s->known->forms[f->form].id, false);
}

/*
 * The next start that may come to something, as far as is known without a look at the bytes
 * again. all: the head itself was reported, and so was what is found within.
 */
static void head_next(struct known_scan *s, const struct sink *sink, struct known_head *h,
                      bool all)
{
    const struct known_fail *f;

    do {
        f = fail_of(s, h);
        if (f == NULL || (f->n_found > 0 && !all && head_has_breaks(s, h, h->depth))) {
            head_from_next(h);
            return;
        }
        if (!all)
            fail_report(s, sink, h, f);
        h->from += h->depth - f->depth;
        h->depth = f->depth;
        h->node = f->node;
    } while (head_is_cut(s, h) && !s->known->trie.joins);
    if (head_is_cut(s, h)) /* or perhaps not: walks again */
        *h = (struct known_head){.from = h->from};
}

/* One byte further, or on to the next start. */
static void head_advance(struct known_scan *s, const struct sink *sink, struct known_head *h)
{
    int flags = head_walk(s, h);

    if (flags < 0) {
        if (head_spans(s, h, raw_pos(s, h->from + h->depth)))
            head_give_up(s, sink, h);
        head_next(s, sink, h, false);
        return;
    }
    if ((flags & (NODE_FORM | NODE_TAIL)) != 0)
        head_ends(s, sink, h);
    if ((flags & (NODE_CHAIN | NODE_BRANCH)) == 0)
        head_next(s, sink, h, (flags & NODE_FORM) != 0);
}

/* Walks over the ring to its end, with the first start that gets there and may stay. */
static inline void head_follow(struct known_scan *s, const struct sink *sink)
{
    struct known_head *h = &s->head;

    while (h->from < s->end) {
        if (h->from + h->depth == s->end) {
            if (!head_is_broken(s, h))
                return;
            head_next(s, sink, h, false);
            continue;
        }
        head_advance(s, sink, h);
    }
}

/* ---- a raw byte -------------------------------------------------------------------- */

static void logical_byte(struct known_scan *s, const struct sink *sink, uint8_t byte, uint64_t pos)
{
    if (s->line_end != BREAK_NONE && known_live(s))
        s->breaks[s->n_breaks++ % KNOWN_BREAKS_MAX] =
            (struct known_piece){raw_pos(s, s->end - 1) + 1, pos};
    s->pos[s->end % KNOWN_RING] = (uint32_t)pos;
    s->bytes[s->end % KNOWN_RING] = byte;
    s->line_ends = s->line_ends << 1 | (s->line_end == BREAK_LINE);
    s->line_end = BREAK_NONE;
    s->last = pos;
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

/* The tail may span too much with the byte at pos. True if it goes on. */
static bool tail_expire(struct known_scan *s, const struct sink *sink, struct known_tail *t,
                        uint64_t pos)
{
    uint64_t end = s->last + 1;

    while (pos >= t->start && pos - t->start >= KNOWN_SPAN_MAX) {
        if (t->start == end) /* nothing of it came since */
            return false;
        if (tail_is_armed(s, t)) {
            tail_report(s, sink, t, end);
        } else if (!tail_next(s, t)) {
            return false;
        }
    }
    return true;
}

/* Gives up, or reports in part, what spans too much with the byte at pos. */
static void expire(struct known_scan *s, const struct sink *sink, uint64_t pos)
{
    struct known_head *h = &s->head;
    uint64_t first = pos + 1;
    uint16_t kept = 0;

    while (h->depth > 0 && head_spans(s, h, pos)) {
        head_give_up(s, sink, h);
        head_next(s, sink, h, false);
        head_follow(s, sink);
    }
    for (uint16_t i = 0; i < s->n_tails; i++) {
        struct known_tail *t = &s->tails[i];

        if (!tail_expire(s, sink, t, pos))
            continue;
        first = t->start < first ? t->start : first;
        if (kept != i)
            s->tails[kept] = *t;
        kept++;
    }
    s->n_tails = kept;
    if (h->depth > 0 && raw_pos(s, h->from) < first)
        first = raw_pos(s, h->from);
    s->expires = first + KNOWN_SPAN_MAX;
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

/* inline, as most of its time goes into calls. */
static inline __attribute__((always_inline)) void step(struct known_scan *s,
                                                       const struct sink *sink, uint8_t byte,
                                                       uint64_t pos)
{
    if (byte >= ' ' && s->escape.state == KNOWN_ESC_NONE && s->line_end == BREAK_NONE) {
        logical_byte(s, sink, byte, pos);
    } else if (!known_escape_takes(&s->escape, byte)) {
        if (is_line_end(byte))
            line_end_byte(s, sink);
        else if (is_indent(s, byte))
            s->indent++;
        else
            logical_byte(s, sink, byte, pos);
    }
    s->run = is_base64[byte] ? (uint8_t)(s->run + (s->run < KNOWN_WRAP_MIN)) : 0;
    if (pos >= s->expires && known_live(s))
        expire(s, sink, pos);
    assert(s->head.from + s->head.depth == s->end && s->head.depth <= KNOWN_HEAD);
}

void known_step(struct known_scan *s, uint8_t byte, uint64_t pos, known_found_fn *found, void *ctx)
{
    const struct sink sink = {found, ctx};

    step(s, &sink, byte, pos);
}

/* ---- many bytes ---------------------------------------------------------------------- */

static uint8_t run_before(const struct known_scan *s, const uint8_t *data, size_t from, size_t to)
{
    size_t at = to;

    while (at > from && to - at < KNOWN_WRAP_MIN && is_base64[data[at - 1]])
        at--;
    if (at > from || to - at >= KNOWN_WRAP_MIN)
        return (uint8_t)(to - at);
    return s->run + (to - at) < KNOWN_WRAP_MIN ? (uint8_t)(s->run + (to - at)) : KNOWN_WRAP_MIN;
}

/* How many of the n bytes take the head one further each, to a node where nothing ends and only
   one form goes on or more of its bytes are the same. */
static size_t chain_len(const struct trie *t, uint32_t node, const uint8_t *data, size_t n)
{
    size_t len = 0;

    while (len < n && data[len] >= ' ' && (t->nodes[node + len].flags & NODE_CHAIN) != 0) {
        const struct trie_node *next = &t->nodes[node + len + 1];

        if (next->byte != data[len] || (next->flags & NODE_CHAIN) == 0 ||
            (next->flags & (NODE_FORM | NODE_TAIL | NODE_LATE)) != 0)
            break;
        len++;
    }
    return len;
}

/* As many of the n bytes as that goes for, in one go. */
static size_t head_run(struct known_scan *s, const uint8_t *data, size_t n, uint64_t pos)
{
    uint64_t room = s->expires > pos ? s->expires - pos : 0;
    size_t len;

    if (s->n_tails > 0 || s->head.depth == 0 || s->escape.state != KNOWN_ESC_NONE ||
        s->line_end != BREAK_NONE)
        return 0;
    len = chain_len(&s->known->trie, s->head.node, data, n < room ? n : (size_t)room);
    if (len == 0)
        return 0;
    for (size_t i = 0; i < len; i++) {
        s->bytes[(s->end + i) % KNOWN_RING] = data[i];
        s->pos[(s->end + i) % KNOWN_RING] = (uint32_t)(pos + i);
    }
    s->run = run_before(s, data, 0, len);
    s->line_ends <<= len; /* less than KNOWN_HEAD */
    s->end += len;
    s->last = pos + len - 1;
    s->head.node += (uint32_t)len;
    s->head.depth += (uint32_t)len;
    return len;
}

size_t known_run(struct known_scan *s, const uint8_t *data, size_t n, uint64_t pos,
                 known_found_fn *found, void *ctx)
{
    const struct sink sink = {found, ctx};
    size_t at = 0;

    while (at < n && known_live(s)) {
        at += head_run(s, data + at, n - at, pos + at);
        if (at == n)
            break;
        step(s, &sink, data[at], pos + at);
        at++;
    }
    return at;
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
        head_next(s, &sink, &s->head, false);
        head_follow(s, &sink);
    }
}

/* ---- passing over ------------------------------------------------------------------ */

size_t known_next(const struct known_scan *s, const uint8_t *data, size_t len, size_t from)
{
    if (s->known->n_prints == 0)
        return len;
    known_prepare(s->known);
    return known_filter_find(&s->known->filter, data, len, from);
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
