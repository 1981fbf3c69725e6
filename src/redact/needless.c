// SPDX-License-Identifier: MIT
#include "redact/needless.h"

#include "redact/evidence.h"

enum { LOOK_AHEAD = 48 };

/* One that is unarmed may let out what it holds (CANDIDATE_WINDOW); what it hides then is that
   much too long for a secret that shows none of its evidence. */
enum { HIDES_MAX = 256 };

/* ---- bytes of a class ---------------------------------------------------------------- */

/* How many of the n bytes are of the class. */
static size_t class_run(uint16_t number, const uint8_t *bytes, size_t n)
{
    const uint8_t *bits = rule_class_bits[number / 8];
    unsigned bit = 1U << number % 8;
    size_t run = 0;

    while (n - run >= 4 && (bits[bytes[run]] & bits[bytes[run + 1]] & bits[bytes[run + 2]] &
                            bits[bytes[run + 3]] & bit) != 0)
        run += 4;
    while (run < n && (bits[bytes[run]] & bit) != 0)
        run++;
    return run;
}

size_t row_class_look(struct redactor *r, uint16_t number, size_t at, size_t n)
{
    struct class_memo *m = &r->runs[number];
    uint64_t pos = r->base + at;
    size_t known;

    if (pos < m->from || pos > m->upto)
        *m = (struct class_memo){.from = pos, .upto = pos};
    known = (size_t)(m->upto - pos);
    if (known >= n)
        return n;
    known += class_run(number, r->in + at + known, n - known);
    m->upto = pos + known;
    return known;
}

/* ---- under way ----------------------------------------------------------------------- */

/* What begins at `start` would be hidden by the candidate. */
static bool hides(const struct candidate *c, uint64_t start)
{
    return c->start == NO_POS ||
           (c->start <= start && (c->match != 0 || start - c->start < HIDES_MAX));
}

/* A candidate is within the endless item: nothing was counted yet where it overflowed just now.
   One that overflowed begins where it did so. */
static bool is_ahead(const struct candidate *c, const struct rule_item *it, uint64_t start)
{
    return c->item == it && (c->count > 0 || c->overflowed) && !c->dead && hides(c, start);
}

bool row_under_way(const struct redactor *r, const struct candidate *self,
                   const struct rule_item *it, uint64_t start)
{
    for (size_t i = r->s.n_live; i-- > 0;) { /* the last one is the most likely */
        if (&r->live[i] != self && is_ahead(&r->live[i], it, start))
            return true;
    }
    return false;
}

/* Where the secret of a row begins at the earliest whose anchor is [anchor, end). What begins
   to the left of its anchor is known to begin before it, no more. */
static uint64_t earliest_start(const struct rule *rule, uint64_t anchor, uint64_t end)
{
    switch ((enum rule_opens)rule->opens) {
    case OPENS_RIGHT:
        return end;
    case OPENS_ANCHOR:
        return anchor;
    default:
        return anchor > INNER_MAX ? anchor - INNER_MAX : 0;
    }
}

/* It may yet end those that began with it. */
static bool may_commit(const struct candidate *c)
{
    const struct rule *rule = &rules[c->rule];
    const struct rule_item *it = c->item + (c->count > 0 || c->overflowed);

    for (; it < &rule_items[rule->first] + rule->len; it++) {
        if ((it->flags & ITEM_COMMIT) != 0)
            return true;
    }
    return false;
}

/* All anchors that end where its own does are known; also those that begin there, of which a
   longer one may have it begin anew (prefix_grows). */
static bool is_grown(const struct candidate *c)
{
    unsigned may_grow = c->match == 0 ? c->item->flags & ITEM_OPEN : 0;

    return c->overflowed ||
           c->count > (may_grow != 0 ? ANCHOR_MAX + ANCHOR_LATE_MAX : ANCHOR_LATE_MAX);
}

/* Nothing but its own bytes will end it or have it begin anew: no other candidate of the same
   anchor's end will end it (ITEM_COMMIT), and so few live that none gives way (evict). */
static bool is_settled(const struct redactor *r, const struct candidate *c)
{
    if (r->s.n_live > CANDIDATES_MAX / 2 || !is_grown(c))
        return false;
    for (size_t i = 0; i < r->s.n_live; i++) {
        const struct candidate *other = &r->live[i];

        if (other != c && other->origin == c->origin && may_commit(other))
            return false;
    }
    return true;
}

/* It does not begin anew up to the byte at pos, and that one. */
static bool stays_whole(const struct candidate *c, uint64_t pos)
{
    return c->match != 0 || c->start == NO_POS || pos - c->start < CANDIDATE_WINDOW;
}

/* ---- the bytes at hand --------------------------------------------------------------- */

/*
 * A row whose anchor is [anchor, end) gets to the endless item at index `at`, where another will
 * be that began no later than the row's secret: that takes all bytes up to there, and nothing
 * else ends it. A candidate of the row would die there (row_under_way).
 */
static __attribute__((noinline)) bool will_be_under_way(struct redactor *r, const struct rule *rule,
                              const struct rule_item *it, const struct before_row *b, size_t at)
{
    uint64_t least = earliest_start(rule, b->anchor, b->end);
    size_t end = (size_t)(b->end - r->base);

    for (size_t i = r->s.n_live; i-- > 0;) {
        const struct candidate *c = &r->live[i];

        if (is_ahead(c, it, least) && stays_whole(c, r->base + at) && is_settled(r, c))
            return row_class_run(r, it->class, end, at - end) == at - end;
    }
    return false;
}

/* The n bytes from index `at` on, which are all that the item takes, show the row's evidence. */
static __attribute__((noinline)) bool shows_evidence(const struct redactor *r,
                                                     const struct rule *rule, size_t at, size_t n)
{
    struct evidence_sum sum;

    if ((rule->mix | rule->digits | rule->piece) == 0)
        return true;
    evidence_sum_up(&sum, r->in + at, n);
    return (rule->mix > 0 && sum.mix >= rule->mix) ||
           (rule->digits > 0 && sum.digits >= rule->digits) ||
           (rule->piece > 0 && sum.longest >= rule->piece);
}

/* How many bytes from index `at` on the item takes, which takes the first of them if any; not
   looked at beyond `stop`. */
static inline size_t count_ahead(struct redactor *r, const struct rule_item *it, size_t at,
                                 size_t stop)
{
    size_t most = it->max < stop - at ? it->max : stop - at;

    if (most > 1 && !rule_item_has(it, r->in[at + 1]))
        return 1; /* a blank, most often */
    return most > 1 ? row_class_run(r, it->class, at, most) : most;
}

/* The item took so few bytes before this one, or would take this one, too, that the row ends. */
static inline bool is_broken_off(const struct rule_item *it, size_t count, uint8_t byte)
{
    return count < it->min ||
           ((it->flags & ITEM_EXACT) != 0 && count == it->max && rule_item_has(it, byte));
}

/* It takes one byte, of which nothing more comes. */
static inline bool is_byte(const struct rule_item *it)
{
    return it->min == 1 && it->max == 1 &&
           (it->flags & (ITEM_COMMIT | ITEM_ARM | ITEM_EXACT)) == 0;
}

/* What a look along a row tells if not where others go on. */
#define AHEAD_MAYBE SIZE_MAX
#define AHEAD_NOTHING (SIZE_MAX - 1)

/*
 * NOTHING if the bytes from index `at` on show that the row, which begins there, comes to nothing:
 * no candidate is made then, which is what most anchors in ordinary text come to. Bounded, so
 * that floods of anchors cost no more than that. What ends others (ITEM_COMMIT) is not nothing.
 * Else the index where the rows of a chain go on, or MAYBE.
 */
static inline size_t look_ahead(struct redactor *r, const struct rule *rule,
                                const struct before_row *b, size_t at, size_t stop)
{
    const struct rule_item *it = &rule_items[rule->first];
    const struct rule_item *last = it + rule->len;

    for (; it < last && at < stop; it++) {
        size_t count;

        if (!rule_item_has(it, r->in[at])) {
            if (r->in[at] == ESC || (it->min == 0 && (it->flags & ITEM_ARM) != 0))
                return AHEAD_MAYBE;
            if (it->min > 0)
                return AHEAD_NOTHING;
            continue;
        }
        if (is_byte(it)) { /* of a word, most often */
            if (++at == stop)
                return AHEAD_MAYBE;
            continue;
        }
        if ((it->flags & ITEM_COMMIT) != 0)
            return AHEAD_MAYBE;
        if (it->max == ITEM_UNBOUNDED && r->s.n_live > 0 && will_be_under_way(r, rule, it, b, at))
            return AHEAD_NOTHING;
        count = count_ahead(r, it, at, stop);
        at += count;
        if (at == stop || r->in[at] == ESC)
            return AHEAD_MAYBE;
        if (is_broken_off(it, count, r->in[at]))
            return AHEAD_NOTHING;
        if ((it->flags & ITEM_ARM) != 0)
            return (it->flags & ITEM_EVIDENCE) == 0 || shows_evidence(r, rule, at - count, count)
                       ? AHEAD_MAYBE
                       : AHEAD_NOTHING;
    }
    return it == last && rule->chain != 0 ? at : AHEAD_MAYBE;
}

/* The rows that the row goes on with at index `at` come to nothing. */
static bool is_needless_chain(struct redactor *r, const struct rule *rule,
                              const struct before_row *b, size_t at, size_t stop)
{
    const struct anchor *inner = &anchors[rule->chain];

    for (size_t i = inner->first; i < (size_t)inner->first + inner->n_rules; i++) {
        if (!row_refuses(&rules[i], r->in[at]) && !r->set->off[rules[i].name] &&
            look_ahead(r, &rules[i], b, at, stop) != AHEAD_NOTHING)
            return false;
    }
    return true;
}

bool row_needless(struct redactor *r, const struct rule *rule, const struct before_row *b)
{
    const struct rule_item *it = &rule_items[rule->first];
    size_t at = (size_t)(b->end - r->base);
    size_t stop = at + LOOK_AHEAD < r->in_len ? at + LOOK_AHEAD : r->in_len;

    if (rule->len == 0)
        return false;
    if (it->max == ITEM_UNBOUNDED && r->s.n_live > 0 &&
        row_under_way(r, NULL, it, earliest_start(rule, b->anchor, b->end)))
        return true;
    if (b->end < r->base)
        return false;
    at = look_ahead(r, rule, b, at, stop);
    return at == AHEAD_NOTHING ||
           (at != AHEAD_MAYBE && is_needless_chain(r, rule, b, at, stop));
}
