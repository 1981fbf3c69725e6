// SPDX-License-Identifier: MIT
/* Live candidates: rows of rules.tab walked byte by byte, all in step. */
#include <string.h>

#include "redact/rules.h"
#include "redact/stream.h"

enum { ESC = 0x1b };
enum escape_state { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI };
enum byte_kind { KIND_OTHER, KIND_LOWER, KIND_UPPER, KIND_DIGIT };
enum step { STEP_LIVE, STEP_DEAD, STEP_DONE };

static const uint8_t byte_kinds[256] = {
    ['a' ... 'z'] = KIND_LOWER, ['A' ... 'Z'] = KIND_UPPER, ['0' ... '9'] = KIND_DIGIT};

static void evidence_reset(struct candidate *c)
{
    c->kind = KIND_OTHER;
    c->mix = c->digits = c->piece = c->longest = 0;
}

static inline void count_up(uint8_t *n)
{
    *n = (uint8_t)(*n + (*n < UINT8_MAX));
}

static inline void evidence_note(struct candidate *c, uint8_t byte)
{
    uint8_t kind = byte_kinds[byte];

    if (kind != c->kind && kind != KIND_OTHER && c->kind != KIND_OTHER &&
        !(c->kind == KIND_UPPER && kind == KIND_LOWER))
        count_up(&c->mix);
    if (kind == KIND_DIGIT)
        count_up(&c->digits);
    if (kind == KIND_OTHER)
        c->piece = 0;
    else
        count_up(&c->piece);
    if (c->piece > c->longest)
        c->longest = c->piece;
    c->kind = kind;
}

/* The item has what it needs. */
static inline bool item_ready(const struct candidate *c, const struct rule_item *it)
{
    const struct rule *rule = &rules[c->rule];

    if (c->count < it->min)
        return false;
    if ((it->flags & ITEM_EVIDENCE) == 0)
        return true;
    return (rule->mix > 0 && c->mix >= rule->mix) ||
           (rule->digits > 0 && c->digits >= rule->digits) ||
           (rule->piece > 0 && c->longest >= rule->piece);
}

/* Escape sequences within a gap; true if the byte is part of one. */
static bool gap_takes(struct candidate *c, uint8_t byte)
{
    switch (c->escape) {
    case ESCAPE_NONE:
        c->escape = byte == ESC ? ESCAPE_BEGUN : ESCAPE_NONE;
        return byte == ESC;
    case ESCAPE_BEGUN:
        c->escape = byte == '[' ? ESCAPE_CSI : ESCAPE_BEGUN;
        return byte == '[';
    default:
        if (byte >= 0x40 && byte <= 0x7e)
            c->escape = ESCAPE_NONE;
        return byte >= 0x20 && byte <= 0x7e;
    }
}

static inline bool item_takes(struct candidate *c, const struct rule_item *it, uint8_t byte)
{
    if (it->max != ITEM_UNBOUNDED && c->count >= it->max)
        return false;
    if ((it->flags & ITEM_GAP) != 0 && (c->escape != ESCAPE_NONE || byte == ESC))
        return gap_takes(c, byte);
    return rule_class_has(it->class, byte);
}

/* A match that began earlier in the same endless item ends where this one would. */
static bool is_covered(const struct redactor *r, const struct candidate *c)
{
    for (size_t i = 0; i < r->s.n_live; i++) {
        const struct candidate *other = &r->live[i];

        if (other != c && !other->dead && other->item == c->item && other->count > 0)
            return true;
    }
    return false;
}

static void kill_siblings(struct redactor *r, const struct candidate *c)
{
    for (size_t i = 0; i < r->s.n_live; i++) {
        struct candidate *other = &r->live[i];

        if (other == c || other->origin != c->origin || other->dead)
            continue;
        if (other->match != 0)
            cover_close(r, other->match, r->s.pos);
        other->dead = true;
    }
}

/* Unarmed for too long: what was held comes out. Evidence may still turn up later. */
static enum step overflow(struct redactor *r, struct candidate *c, const struct rule_item *it)
{
    if ((it->flags & ITEM_EVIDENCE) == 0 || (it->flags & ITEM_OPEN) == 0)
        return STEP_DEAD;
    c->start = r->s.pos + 1;
    c->count = 0;
    evidence_reset(c);
    return STEP_LIVE;
}

/* The item's first byte. False if the candidate need not go on. */
static bool item_first(struct redactor *r, struct candidate *c, const struct rule_item *it)
{
    if ((it->flags & ITEM_COMMIT) != 0)
        kill_siblings(r, c);
    if ((it->flags & ITEM_OPEN) != 0)
        c->start = r->s.pos;
    return c->match != 0 || it->max != ITEM_UNBOUNDED || (it->flags & ITEM_ARM) == 0 ||
           !is_covered(r, c);
}

/* On to the next item, which begins at pos. */
static inline void item_leave(struct candidate *c, const struct rule_item *it, uint64_t pos)
{
    if ((it->flags & ITEM_CLOSE) != 0)
        c->end = pos;
    c->item++;
    c->count = 0;
    if ((it[1].flags & ITEM_EVIDENCE) != 0)
        evidence_reset(c);
}

/* The item takes the byte. */
static inline enum step item_take(struct redactor *r, struct candidate *c,
                                  const struct rule_item *it, uint8_t byte)
{
    unsigned flags = it->flags;

    if (c->count == 0 && (flags & (ITEM_OPEN | ITEM_COMMIT | ITEM_ARM)) != 0 &&
        !item_first(r, c, it))
        return STEP_DEAD;
    c->count = (uint16_t)(c->count + (c->count < ITEM_UNBOUNDED - 1));
    if (c->match == 0) {
        if ((flags & ITEM_EVIDENCE) != 0)
            evidence_note(c, byte);
        if ((flags & ITEM_ARM) != 0 && item_ready(c, it))
            c->match = cover_add(r, c->start, NO_POS, MARK_TOKEN, rules[c->rule].name, 1);
        else if (c->start != NO_POS && r->s.pos - c->start >= CANDIDATE_WINDOW)
            return overflow(r, c, it);
    }
    if (c->count != it->max)
        return STEP_LIVE;
    if ((flags & (ITEM_LAST | ITEM_EVIDENCE)) == 0)
        item_leave(c, it, r->s.pos + 1);
    /* Done with this byte if nothing can follow, not at the next one. */
    return (flags & ITEM_LAST) != 0 && c->match == 0 && c->end != NO_POS ? STEP_DONE : STEP_LIVE;
}

static enum step candidate_step(struct redactor *r, struct candidate *c, uint8_t byte)
{
    for (;;) {
        const struct rule_item *it = c->item;

        if (item_takes(c, it, byte))
            return item_take(r, c, it, byte);
        if (!item_ready(c, it) || c->escape != ESCAPE_NONE)
            return STEP_DEAD;
        if ((it->flags & ITEM_LAST) != 0) {
            if ((it->flags & ITEM_CLOSE) != 0)
                c->end = r->s.pos;
            return STEP_DONE;
        }
        item_leave(c, it, r->s.pos);
    }
}

/* The rule cannot begin with this byte. */
static bool is_hopeless(uint16_t rule, int byte)
{
    const struct rule_item *it = &rule_items[rules[rule].first];

    return byte != NO_BYTE && it->min > 0 && !rule_class_has(it->class, (uint8_t)byte);
}

void candidates_spawn(struct redactor *r, size_t anchor, int byte)
{
    const struct anchor *a = &anchors[anchor];

    for (uint16_t i = 0; i < a->n_rules && r->s.n_live < CANDIDATES_MAX; i++) {
        uint16_t rule = (uint16_t)(a->first + i);

        if (r->set->off[rules[rule].name] || is_hopeless(rule, byte))
            continue;
        r->live[r->s.n_live++] = (struct candidate){.origin = r->s.pos,
                                                    .start = NO_POS,
                                                    .end = NO_POS,
                                                    .rule = rule,
                                                    .item = &rule_items[rules[rule].first]};
    }
}

/* The candidate reached its end: close its match, make one, or go on with other rows. */
static void candidate_done(struct redactor *r, struct candidate *c, uint8_t byte)
{
    const struct rule *rule = &rules[c->rule];

    c->dead = true;
    if (rule->chain != 0)
        candidates_spawn(r, rule->chain, byte);
    else if (c->match != 0)
        cover_close(r, c->match, c->end != NO_POS ? c->end : r->s.pos);
    else if (cover_hides(r, c->start) || !stream_is_mark(r, c->start, c->end))
        cover_add(r, c->start, c->end, MARK_TOKEN, rule->name, 1);
}

static void bury(struct redactor *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->s.n_live; i++) {
        if (r->live[i].dead)
            continue;
        if (kept != i)
            r->live[kept] = r->live[i];
        kept++;
    }
    r->s.n_live = kept;
}

bool candidates_step(struct redactor *r, uint8_t byte)
{
    bool decided = false;

    /* The list may grow at its end while it is walked: those begin with this byte, too. */
    for (size_t i = 0; i < r->s.n_live; i++) {
        struct candidate *c = &r->live[i];
        enum step step = c->dead ? STEP_LIVE : candidate_step(r, c, byte);

        if (step == STEP_DEAD)
            c->dead = true;
        else if (step == STEP_DONE)
            candidate_done(r, c, byte);
        decided |= c->dead;
    }
    if (decided)
        bury(r);
    return decided;
}

void candidates_finish(struct redactor *r)
{
    for (size_t i = 0; i < r->s.n_live; i++) {
        struct candidate *c = &r->live[i];

        if (c->match != 0)
            cover_close(r, c->match, c->end != NO_POS ? c->end : r->s.pos);
    }
    r->s.n_live = 0;
}

uint64_t candidates_hold(const struct redactor *r)
{
    uint64_t first = NO_POS;

    for (size_t i = 0; i < r->s.n_live; i++) {
        const struct candidate *c = &r->live[i];

        if (c->match == 0 && c->start < first)
            first = c->start;
    }
    return first;
}
