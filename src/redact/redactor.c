// SPDX-License-Identifier: MIT
/* The push parser: anchors found in whole reads, bytes stepped over only while something lives. */
#include "redact/redact.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "redact/escape.h"
#include "redact/rules.h"
#include "redact/stream.h"

enum {
    GAP_MAX = 512,    /* bytes of escape sequences in a row that a candidate goes on behind */
    PENDING_MAX = 64  /* matches that may wait before the covered bytes are let go */
};

/* ---- anchors ----------------------------------------------------------------------- */

/* Where the bytes begin that something live may yet turn into a secret. */
static uint64_t machines_hold(const struct redactor *r)
{
    const struct stream *s = &r->s;
    const uint64_t holds[] = {candidates_hold(r), pem_hold(r), block_hold(&s->block),
                              beside_hold(r)};
    uint64_t limit = s->pos;

    for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++)
        limit = holds[i] < limit ? holds[i] : limit;
    if (s->mask.state == MASK_VALUE && s->mask.cr && s->pos - 1 < limit)
        limit = s->pos - 1; /* of its line end, if one follows */
    /* Whether a candidate goes on behind it is not known yet. */
    return s->n_live > 0 && s->gap < limit ? s->gap : limit;
}

static uint64_t hold_limit(const struct redactor *r)
{
    const struct stream *s = &r->s;
    uint64_t machines = machines_hold(r);
    uint64_t limit = s->inner < machines ? s->inner : machines;

    /* Each of them bounds what it holds; should one not, memory is safe all the same. */
    return s->pos - limit > REDACT_WINDOW ? s->pos - REDACT_WINDOW : limit;
}

/* The limit without the look at what may belong to an anchor to come, which takes longer. */
static uint64_t hold_limit_within(struct redactor *r)
{
    uint64_t far = r->s.pos > TAIL_MAX ? r->s.pos - TAIL_MAX : 0;
    uint64_t limit = hold_limit(r);

    return limit < far ? limit : far;
}

/* The new candidates catch up on the bytes that their anchor's print took in. */
static void late_steps(struct redactor *r, struct look *l, uint8_t late, uint64_t anchor,
                       uint64_t origin)
{
    int byte = look_back(l);

    r->s.pos = l->pos;
    if (late > 1) {
        struct look before = *l;
        uint64_t at = l->pos;

        late_steps(r, &before, (uint8_t)(late - 1), anchor, origin);
        r->s.pos = at;
    }
    (void)candidates_step(r, (uint8_t)byte, anchor, origin);
}

/* The anchor begins at `start`; behind it `late` logical bytes were read up to s.pos. */
static void anchor_found(struct redactor *r, size_t number, uint64_t start, uint64_t end)
{
    const struct anchor *a = &anchors[number];
    uint64_t stop = r->s.pos;
    struct look l;

    if (!look_around(r, a, start, end))
        return;
    if ((a->flags & ANCHOR_PEM) != 0) {
        if (!r->set->off[RULE_NAME_PRIVATE_KEY])
            pem_anchor(r, a->text[a->len - 2] == ' ');
        return;
    }
    if ((a->flags & ANCHOR_BLOCK) != 0) {
        if (!r->set->off[rules[a->first].name])
            block_begin(r, a);
        return;
    }
    if ((a->flags & ANCHOR_MASK) != 0) {
        if (!r->set->off[RULE_NAME_MASK] && !mask_live(&r->s.mask))
            mask_begin(r);
        return;
    }
    r->s.pos = end;
    if (candidates_spawn(r, number, start, NO_BYTE) && a->late > 0) {
        look_from(&l, r, stop);
        late_steps(r, &l, a->late, start, end);
    }
    r->s.pos = stop;
}

/* So many bytes before pos are in the input as they are, without an escape sequence. */
static inline size_t plain_before(const struct redactor *r, uint64_t pos)
{
    uint64_t from = r->s.escape_end > r->base ? r->s.escape_end : r->base;

    return pos > from ? (size_t)(pos - from) : 0;
}

/* One of the eight bytes at p is c (Mycroft's test; it may say so of one more than there are). */
static inline bool has_byte(const uint8_t *p, uint8_t c)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    x ^= ones * c;
    return ((x - ones) & ~x & (ones << 7)) != 0;
}

/*
 * No token starts at pos, as a quick look at the bytes before it tells: it is within a word, and
 * what precedes it ends no escape written out, for which a backslash or a percent sign would be
 * near, and no colour, whose last letter no other letter precedes.
 */
static inline bool is_inside_word(const struct redactor *r, uint64_t pos)
{
    enum { LETTER = 1, DIGIT = 2 };
    static const uint8_t kinds[256] = {['a' ... 'z'] = LETTER, ['A' ... 'Z'] = LETTER,
                                       ['_'] = LETTER, ['0' ... '9'] = DIGIT};
    const uint8_t *before = r->in + (pos - r->base);

    return pos >= r->base + sizeof(uint64_t) && kinds[before[-1]] != 0 &&
           (kinds[before[-2]] == LETTER ||
            (kinds[before[-2]] == DIGIT && kinds[before[-1]] == DIGIT)) &&
           !has_byte(before - sizeof(uint64_t), '\\') &&
           !has_byte(before - sizeof(uint64_t), '%') && r->s.escape_end != pos &&
           !cover_touches(r, pos);
}

/* What stands before a place. */
struct before {
    uint64_t text; /* the last eight bytes, or logical ones, the first the lowest */
    uint64_t seen; /* bits of them that are known: of the last four, at least */
    const uint8_t *print;
    size_t plain; /* plain_before */
};

/* The anchors whose print this may be, those of lower levels first. */
struct entries {
    const struct anchor_entry *at;
    const struct anchor_entry *end;
};

static inline struct entries hashed_entries(const struct before *b)
{
    unsigned key = anchor_key((uint32_t)(b->text >> 40));

    return (struct entries){anchor_list + anchor_index[key], anchor_list + anchor_index[key + 1]};
}

static struct entries broad_entries(void)
{
    return (struct entries){anchor_list + anchor_index[ANCHOR_KEYS],
                            anchor_list + anchor_list_len};
}

static inline bool fits_entry(const struct anchor_entry *e, const struct before *b)
{
    return ((b->text ^ e->text) & e->mask & b->seen) == 0;
}

/* An anchor that fits stands in the input as it is, from start on. */
static inline bool is_anchor(const struct redactor *r, const struct anchor_entry *e,
                             const struct before *b, uint64_t start)
{
    bool word = (e->flags & ENTRY_WORD) != 0;

    return (!word || !is_inside_word(r, start)) &&
           (((e->flags & ENTRY_WHOLE) != 0 && (b->seen & 1) != 0) ||
            look_takes(&anchors[e->anchor], r->in + (start - r->base))) &&
           (!word || look_boundary(r, start));
}

/* It fits: is it the anchor itself that ends `late` bytes before s.pos? */
static void anchor_look(struct redactor *r, const struct anchor_entry *e, const struct before *b)
{
    const struct anchor *a = &anchors[e->anchor];
    uint64_t end = r->s.pos - e->late;
    struct look l;

    if (b->plain >= e->len) {
        if (is_anchor(r, e, b, end - a->len))
            anchor_found(r, e->anchor, end - a->len, end);
        return;
    }
    look_from(&l, r, r->s.pos);
    for (uint8_t i = 0; i < e->late; i++)
        (void)look_back(&l);
    end = l.pos;
    if (look_anchor(&l, a))
        anchor_found(r, e->anchor, l.pos, end);
}

/* What stands before this place in the input, where no escape sequence is near. */
static inline struct before before_place(const struct redactor *r, size_t place)
{
    const uint8_t *print = r->in + place - ANCHOR_PRINT;
    size_t plain = plain_before(r, r->base + place);

    if (plain >= sizeof(uint64_t))
        return (struct before){finder_long(print - ANCHOR_PRINT), UINT64_MAX, print, plain};
    return (struct before){(uint64_t)finder_word(print) << 32, UINT64_MAX << 32, print, plain};
}

static void look_among(struct redactor *r, struct entries list, const struct before *b)
{
    for (; list.at < list.end && list.at->level <= r->set->level; list.at++) {
        if (fits_entry(list.at, b))
            anchor_look(r, list.at, b);
    }
}

/* The bytes before s.pos, escape sequences left out, may be the print of an anchor: which? */
static void anchors_look(struct redactor *r, const struct before *b)
{
    look_among(r, hashed_entries(b), b);
    if (finder_is_broad(r->tables, b->print))
        look_among(r, broad_entries(), b);
}

/* No escape sequence was passed over that looks back from pos would have to know of. */
static inline bool escapes_noted(const struct redactor *r, uint64_t pos)
{
    size_t behind = finder_escape(&r->map, (size_t)(pos - r->base));

    return behind == 0 || r->base + behind <= r->s.escape_at;
}

/* What fits the entry at pos is no anchor, or one that comes to nothing. */
static inline bool is_idle_anchor(struct redactor *r, const struct anchor_entry *e,
                                  const struct before *b, uint64_t pos)
{
    return b->plain >= e->len &&
           (!is_anchor(r, e, b, pos - e->len) ||
            candidates_needless(r, e->anchor, pos - e->len, pos - e->late));
}

static inline bool is_idle_among(struct redactor *r, struct entries list, const struct before *b,
                                 uint64_t pos)
{
    for (; list.at < list.end && list.at->level <= r->set->level; list.at++) {
        if (fits_entry(list.at, b) && !is_idle_anchor(r, list.at, b, pos))
            return false;
    }
    return true;
}

/* Nothing begins at this place, as far as that can be told before the candidates get there,
   if they get there without a decision. */
static inline bool is_idle_place(struct redactor *r, size_t place)
{
    struct before b = before_place(r, place);
    uint64_t pos = r->base + place;

    if (!escapes_noted(r, pos)) { /* one may stand among the others */
        b.seen = UINT64_MAX << 32;
        b.plain = 0;
    }
    return r->in[place - 1] != ESC && is_idle_among(r, hashed_entries(&b), &b, pos) &&
           (!finder_is_broad(r->tables, b.print) || is_idle_among(r, broad_entries(), &b, pos));
}

/* The four logical bytes before s.pos; what is missing before the stream's begin is a
   line end. */
static struct before print_here(const struct redactor *r, uint8_t *print)
{
    struct look l;

    look_from(&l, r, r->s.pos);
    for (size_t i = ANCHOR_PRINT; i-- > 0;) {
        int c = look_back(&l);

        print[i] = c < 0 ? '\n' : (uint8_t)c;
    }
    return (struct before){(uint64_t)finder_word(print) << 32, UINT64_MAX << 32, print,
                           plain_before(r, r->s.pos)};
}

/* Anchors that an escape sequence cuts in two. */
static void look_behind_escape(struct redactor *r)
{
    uint8_t print[ANCHOR_PRINT];
    struct before b;

    r->s.watch--;
    r->s.looked = r->s.pos;
    b = print_here(r, print);
    if (!finder_is_place(r->tables, print)) {
        print[0] = '\n'; /* a token may start behind the sequence, whatever stands before it */
        b.text = (uint64_t)finder_word(print) << 32;
    }
    if (finder_is_place(r->tables, print))
        anchors_look(r, &b);
}

/* ---- escape sequences -------------------------------------------------------------- */

static void escape_begin(struct stream *s, uint64_t pos)
{
    if (s->gap == NO_POS)
        s->gap = pos;
    s->escape = ESCAPE_BEGUN;
    s->escape_at = pos + 1;
}

static void escape_end(struct stream *s)
{
    s->escape = ESCAPE_NONE;
    s->escape_end = s->pos + 1;
    s->watch = ANCHOR_PRINT - 1;
}

/* Takes a byte of a sequence that has begun; false if it breaks off here. */
static bool escape_takes(struct stream *s, uint8_t byte)
{
    if (s->pos + 2 - s->escape_at > ESCAPE_LONGEST)
        return false;
    s->escape = escape_next(s->escape, byte);
    if (s->escape == ESCAPE_WHOLE)
        escape_end(s);
    return s->escape != ESCAPE_BROKEN;
}

/* It was no sequence: its ESC ends whatever lives. */
static bool escape_breaks(struct redactor *r)
{
    uint64_t pos = r->s.pos;
    bool decided;

    r->s.pos = r->s.gap;
    decided = candidates_step(r, ESC, NO_POS, NO_POS);
    r->s.pos = pos;
    r->s.gap = NO_POS;
    r->s.escape = ESCAPE_NONE;
    return decided;
}

/* ---- stepping ---------------------------------------------------------------------- */

/* One byte at s.pos for the candidates. True if something was decided. */
static bool logical_step(struct redactor *r, uint8_t byte)
{
    struct stream *s = &r->s;
    bool decided = false;

    if (s->escape != ESCAPE_NONE) {
        if (escape_takes(s, byte))
            return false;
        decided = escape_breaks(r);
    }
    if (byte == ESC) {
        if (s->n_live > 0 && s->gap != NO_POS && s->pos - s->gap >= GAP_MAX)
            decided |= escape_breaks(r); /* else a flood of them would be held */
        escape_begin(s, s->pos);
        return decided;
    }
    if (s->n_live > 0)
        decided |= candidates_step(r, byte, NO_POS, NO_POS);
    s->gap = NO_POS;
    return decided;
}

/* Nothing lives but what takes many bytes in one go, if anything. */
static bool is_quiet_but_pem(const struct redactor *r, size_t stop)
{
    const struct stream *s = &r->s;

    return r->wake >= stop && s->escape == ESCAPE_NONE && s->gap == NO_POS && s->watch == 0 &&
           !mask_live(&s->mask);
}

static bool is_quiet(const struct redactor *r, size_t stop)
{
    return is_quiet_but_pem(r, stop) && !pem_live(&r->s.pem);
}

/* Takes the bytes up to `stop` that decide nothing; returns how many these are. */
static size_t run(struct redactor *r, size_t stop)
{
    size_t from = (size_t)(r->s.pos - r->base);
    const uint8_t *bytes = r->in + from;
    size_t n = stop - from;

    if (!is_quiet(r, stop))
        return 0;
    if (block_live(&r->s.block))
        n = block_quiet(&r->s.block, bytes, n);
    if (r->s.n_live > 0 && n > 0)
        n = candidates_run(r, bytes, n);
    if (block_live(&r->s.block) && n > 0)
        block_take(&r->s.block, bytes, n);
    r->s.pos += n;
    return n;
}

/* The same one by one, where they are so few that no run of them is taken: what does not live
   need not be asked at each. False if none was taken. */
static bool step(struct redactor *r, size_t stop)
{
    uint64_t from = r->s.pos;

    if (r->s.n_live == 0 || block_live(&r->s.block) || !is_quiet(r, stop))
        return false;
    if (candidates_steps(r, stop) && r->s.n_matches >= PENDING_MAX)
        cover_advance(r, hold_limit_within(r));
    return r->s.pos > from;
}

/* Steps over bytes in which nothing but what may be a key lives, up to an ESC; else false. */
static bool pem_steps(struct redactor *r, size_t stop)
{
    struct stream *s = &r->s;
    uint64_t from = s->pos;
    bool decided = false;

    if (s->n_live > 0 || block_live(&s->block) || !is_quiet_but_pem(r, stop))
        return false;
    for (; pem_live(&s->pem) && !decided && s->pos < r->base + stop; s->pos++) {
        uint8_t byte = r->in[s->pos - r->base];

        if (byte == ESC)
            break;
        decided = pem_step(r, byte);
    }
    if (decided && s->n_matches >= PENDING_MAX)
        cover_advance(r, hold_limit_within(r));
    return s->pos > from;
}

/* Something other than what runs beside the rows. */
static bool is_live_besides(const struct redactor *r)
{
    return r->s.n_live > 0 || r->s.escape != ESCAPE_NONE || r->s.watch > 0 ||
           pem_live(&r->s.pem) || block_live(&r->s.block) || mask_live(&r->s.mask);
}

static bool is_live(const struct redactor *r)
{
    return r->wake == r->s.pos - r->base || is_live_besides(r);
}

/* Steps to `stop` in the input, fast where nothing lives. */
static void walk(struct redactor *r, size_t stop)
{
    uint64_t end = r->base + stop;

    while (r->s.pos < end && is_live(r)) {
        uint8_t byte = r->in[r->s.pos - r->base];
        bool in_escape = r->s.escape != ESCAPE_NONE;
        bool decided;

        if (pem_live(&r->s.pem) ? pem_steps(r, stop) : run(r, stop) > 0 || step(r, stop))
            continue;
        if (r->s.mask.state == MASK_PASS) {
            if (r->wake == r->s.pos - r->base)
                (void)beside_step(r, byte); /* goes on behind the line */
            (void)mask_step(r, byte);
            r->s.pos++;
            continue;
        }
        decided = logical_step(r, byte);
        /* First, since beside_step passes over bytes that a new value may stand in. */
        if (mask_live(&r->s.mask))
            decided |= mask_step(r, byte);
        if (r->wake == r->s.pos - r->base)
            decided |= beside_step(r, byte);
        if (pem_live(&r->s.pem))
            decided |= pem_step(r, byte);
        if (block_live(&r->s.block))
            decided |= block_step(r, byte);
        r->s.pos++;
        if (r->s.watch > 0 && !in_escape && r->s.escape == ESCAPE_NONE)
            look_behind_escape(r);
        if (decided && r->s.n_matches >= PENDING_MAX)
            cover_advance(r, hold_limit_within(r));
    }
    r->s.pos = end;
}

/* ---- scanning ---------------------------------------------------------------------- */

/* The next place in this input, from `from` on, where anchors may end or behind an ESC;
   in_len + 1: none. */
static inline size_t next_place(struct redactor *r, size_t from)
{
    size_t found = finder_near(&r->map, from);

    if (found != 0)
        return found;
    if (from < ANCHOR_PRINT) /* begins before the input: always worth a look */
        return from;
    found = finder_next(r->find, r->tables, r->in, r->in_len, from, &r->map);
    return found == SIZE_MAX ? r->in_len + 1 : found;
}

/* Takes note of the last escape sequence before `index` that was passed over. */
static void note_escape(struct redactor *r, size_t index)
{
    size_t behind = finder_escape(&r->map, index);

    if (behind == 0 || r->base + behind <= r->s.escape_at)
        return;
    r->s.escape_at = r->base + behind;
    r->s.escape_end =
        r->base + behind - 1 + escape_length(r->in + behind - 1, r->in_len - behind + 1);
}

/* What stands at a place that is worth a look; returns where to search on. */
static size_t at_place(struct redactor *r, size_t place)
{
    uint8_t print[ANCHOR_PRINT];
    struct before b;

    if (r->s.mask.state == MASK_PASS)
        return place + 1;
    if (r->in[place - 1] == ESC) {
        if (r->s.escape != ESCAPE_BEGUN)
            escape_begin(&r->s, r->s.pos - 1);
        return place + 1;
    }
    note_escape(r, place);
    /* Within and right behind an escape sequence the last bytes were looked at before it. */
    if (r->s.looked == r->s.pos || r->s.escape != ESCAPE_NONE || r->s.pos <= r->s.escape_end)
        return place + 1;
    if (place >= ANCHOR_PRINT && r->s.watch == 0) {
        b = before_place(r, place);
        anchors_look(r, &b);
        return place + 1;
    }
    b = print_here(r, print);
    if (finder_is_place(r->tables, print))
        anchors_look(r, &b);
    return place + 1;
}

/* How far the search may go past idle places, this one and perhaps more, before what lives is
   walked up to them. Not looked at further than is worth it: the first time up to this place. */
static size_t idle_reach(struct redactor *r, size_t place, bool further)
{
    size_t from = (size_t)(r->s.pos - r->base);
    size_t stop = r->wake < r->in_len ? r->wake : r->in_len;
    size_t n;

    if (!is_quiet(r, stop))
        return 0;
    if (r->s.n_live == 0 && !block_live(&r->s.block))
        return stop;
    n = (further ? 4 : 1) * (place - from);
    n = stop - from < n ? stop - from : n;
    if (block_live(&r->s.block))
        n = block_quiet(&r->s.block, r->in + from, n);
    return from + (r->s.n_live > 0 ? candidates_quiet(r, r->in + from, n) : n);
}

/* Of the places from this one on, the first that is worth that the candidates are walked up to
   it: in floods of anchors within words hardly one is. */
static size_t busy_place(struct redactor *r, size_t place)
{
    size_t reach = 0;

    if (place < ANCHOR_PRINT)
        return place;
    while (place <= r->in_len && is_idle_place(r, place)) {
        if (place > reach)
            reach = idle_reach(r, place, reach > 0);
        if (place > reach)
            return place;
        place = next_place(r, place + 1);
    }
    return place;
}

static void scan(struct redactor *r)
{
    size_t place = next_place(r, 1);

    while (place <= r->in_len || r->wake < r->in_len) {
        if (r->wake < place) {
            walk(r, r->wake); /* then a byte that must be seen */
            if (is_live_besides(r) || !beside_run(r, place < r->in_len ? place : r->in_len))
                walk(r, r->wake + 1);
            else if (r->s.n_matches >= PENDING_MAX)
                cover_advance(r, hold_limit_within(r));
            continue;
        }
        place = busy_place(r, place);
        if (r->wake < place)
            continue;
        walk(r, place <= r->in_len ? place : r->in_len);
        if (place <= r->in_len)
            place = next_place(r, at_place(r, place));
    }
    walk(r, r->in_len);
    note_escape(r, r->in_len);
}

/* ---- between calls ----------------------------------------------------------------- */

static unsigned next_hold(const struct redactor *r)
{
    return (r->s.hold + 1) % REDACT_HOLDS;
}

/* Copies what is still held to the next buffer, so that spans of this call, and of the one
   before it, stay valid. */
static void keep_held(struct redactor *r)
{
    struct stream *s = &r->s;
    size_t n = (size_t)(s->pos - s->frontier);
    uint8_t *dst = r->holds[next_hold(r)];

    assert(n <= REDACT_WINDOW); /* hold_limit sees to it */
    if (n == 0 && s->held == 0)
        return;
    for (size_t i = 0; i < n; i++)
        dst[i] = stream_byte(r, s->frontier + i);
    s->hold = next_hold(r);
    s->held = n;
    r->hold_used[s->hold] = n;
}

static void keep_tail(struct redactor *r)
{
    uint8_t tail[TAIL_MAX];
    size_t n = stream_before(r, r->s.pos, tail, sizeof(tail));

    memcpy(r->s.tail, tail, n);
    r->s.tail_len = n;
    explicit_bzero(tail, sizeof(tail));
}

struct saved {
    struct stream s;
    struct candidate live[CANDIDATES_MAX];
    struct match matches[MATCHES_MAX];
};

static void call_begin(struct redactor *r, struct raw_span in, struct clean_vec *out,
                       struct saved *saved)
{
    unsigned oldest = next_hold(r);

    out->len = 0;
    out->bytes = 0;
    explicit_bzero(r->holds[oldest], r->hold_used[oldest]);
    r->hold_used[oldest] = 0;
    r->in = (const uint8_t *)in.ptr;
    r->in_len = in.len;
    r->base = r->s.pos;
    r->out = out;
    r->quiet.upto = 0;
    r->map = (struct finder_map){0};
    memset(r->near, 0, sizeof(r->near));
    r->failed = false;
    r->counts_kept = false;
    saved->s = r->s;
    r->s.inner = NO_POS;
    beside_begin(r);
    memcpy(saved->live, r->live, r->s.n_live * sizeof(r->live[0]));
    memcpy(saved->matches, r->matches, r->s.n_matches * sizeof(r->matches[0]));
}

static enum err_code call_end(struct redactor *r, const struct saved *saved)
{
    if (!r->failed) {
        keep_held(r);
        keep_tail(r);
        return ERR_NONE;
    }
    r->s = saved->s;
    memset(r->runs, 0, sizeof(r->runs));
    beside_undo(r);
    memcpy(r->live, saved->live, r->s.n_live * sizeof(r->live[0]));
    memcpy(r->matches, saved->matches, r->s.n_matches * sizeof(r->matches[0]));
    if (r->counts_kept)
        memcpy(r->counts, r->counts_before, r->n_counts * sizeof(*r->counts));
    r->out->len = 0;
    r->out->bytes = 0;
    return ERR_MEMORY;
}

/* ---- what redact.h promises -------------------------------------------------------- */

static size_t size_with(size_t n_counts)
{
    return sizeof(struct redactor) + 2 * n_counts * sizeof(uint64_t);
}

/*
 * Pages of its own rather than malloc's: most of it is for what hardly any text has, and what is
 * never touched costs nothing, neither to be zero at first nor to be wiped in the end. The kernel
 * wipes what it is given back before anybody gets it.
 */
static struct redactor *redactor_alloc(size_t n_counts)
{
    void *pages = mmap(NULL, size_with(n_counts), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return pages != MAP_FAILED ? pages : NULL;
}

enum err_code redactor_new(struct redactor **out, struct redact_set *set, struct err *e)
{
    size_t n = set != NULL ? redact_set_rules(set) : 0;
    struct redactor *r = redactor_alloc(n);

    *out = r;
    if (r == NULL)
        return err_set(e, ERR_MEMORY, "cannot make a redactor", "", "out of memory");
    r->counts = (uint64_t *)(r + 1);
    r->counts_before = r->counts + n;
    r->n_counts = n;
    r->set = set;
    r->find = finder_best();
    r->tables = &finder_tables[set != NULL ? set->level : 0];
    r->s.gap = r->s.inner = r->s.looked = NO_POS;
    pem_init(&r->s.pem);
    block_init(&r->s.block);
    if (!beside_init(r)) {
        redactor_free(r);
        *out = NULL;
        return err_set(e, ERR_MEMORY, "cannot make a redactor", "", "out of memory");
    }
    return ERR_NONE;
}

void redactor_free(struct redactor *r)
{
    if (r == NULL)
        return;
    if (r->mask_value != NULL)
        explicit_bzero(r->mask_value, MASK_VALUE_MAX);
    free(r->mask_value);
    beside_free(r);
    munmap(r, size_with(r->n_counts));
}

void redactor_pass_mask_lines(struct redactor *r)
{
    r->pass_masks = true;
}

enum err_code redactor_feed(struct redactor *r, struct raw_span in, struct clean_vec *out)
{
    struct saved saved;

    call_begin(r, in, out, &saved);
    if (r->set == NULL)
        r->s.pos += in.len;
    else
        scan(r);
    if (r->set != NULL)
        r->s.inner = look_inner(r, &r->s.inner_prose);
    cover_advance(r, hold_limit(r));
    return call_end(r, &saved);
}

enum err_code redactor_finish(struct redactor *r, struct clean_vec *out)
{
    struct saved saved;

    call_begin(r, (struct raw_span){NULL, 0}, out, &saved);
    candidates_finish(r);
    pem_finish(r);
    block_finish(r);
    beside_finish(r);
    mask_finish(r);
    cover_advance(r, r->s.pos);
    return call_end(r, &saved);
}

/* The held bytes that may be shown early: [from, to). */
static bool previewable(const struct redactor *r, uint64_t *from, uint64_t *to)
{
    const struct stream *s = &r->s;

    /* Counted from where the candidate begins, of which a mark may have covered a part. */
    *from = s->shown > s->frontier ? s->shown : s->frontier;
    *to = machines_hold(r);
    /* Letters as in prose are a word, not the beginning of a random string. */
    if (!s->inner_prose && s->inner < *to)
        *to = s->inner;
    *to += REDACT_PREVIEW_MAX;
    if (*to > s->pos)
        *to = s->pos;
    if (beside_armed(r) < *to)
        *to = beside_armed(r);
    if (s->n_matches > 0 && r->matches[0].start < *to)
        *to = r->matches[0].start;
    return pem_may_show(&s->pem) && *from < *to;
}

struct clean_span redactor_preview(struct redactor *r)
{
    uint64_t from;
    uint64_t to;
    struct clean_span span = {0};

    if (!previewable(r, &from, &to))
        return span;
    span.ptr = (const char *)r->holds[r->s.hold] + (from - r->s.frontier);
    span.len = (size_t)(to - from);
    r->s.shown = to;
    return span;
}

bool redactor_wants_preview(const struct redactor *r)
{
    uint64_t from;
    uint64_t to;

    return previewable(r, &from, &to);
}

bool redactor_holding(const struct redactor *r)
{
    return r->s.held > 0 || r->s.n_matches > 0 || r->s.pem.block == PEM_ARMED;
}

uint64_t redactor_marks(const struct redactor *r, size_t rule)
{
    return rule < r->n_counts ? r->counts[rule] : 0;
}

uint64_t redactor_marks_total(const struct redactor *r)
{
    return r->s.total;
}

static enum err_code put_spans(struct buf *b, const struct clean_vec *v)
{
    enum err_code rc = buf_reserve(b, v->bytes);

    for (size_t i = 0; i < v->len && rc == ERR_NONE; i++)
        rc = buf_put(b, v->items[i].ptr, v->items[i].len);
    return rc;
}

enum err_code redact_text(struct raw_span in, struct redact_set *set, struct buf *b,
                          struct clean_span *out)
{
    struct redactor *r;
    struct clean_vec v = {0};
    size_t before = b->len;
    enum err_code rc = redactor_new(&r, set, NULL);

    *out = (struct clean_span){0};
    if (rc == ERR_NONE)
        rc = redactor_feed(r, in, &v);
    if (rc == ERR_NONE)
        rc = put_spans(b, &v);
    if (rc == ERR_NONE)
        rc = redactor_finish(r, &v);
    if (rc == ERR_NONE)
        rc = put_spans(b, &v);
    if (rc == ERR_NONE) {
        out->len = b->len - before;
        out->ptr = out->len > 0 ? b->data + before : ""; /* empty, which is not absent */
        out->marks = (uint32_t)redactor_marks_total(r);
    } else {
        b->len = before;
    }
    clean_vec_release(&v);
    redactor_free(r);
    return rc;
}

struct clean_span clean_constant(const char *text)
{
    return (struct clean_span){.ptr = text, .len = strlen(text)};
}

void clean_vec_release(struct clean_vec *v)
{
    free(v->items);
    *v = (struct clean_vec){0};
}
