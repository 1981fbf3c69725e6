// SPDX-License-Identifier: MIT
/* Live candidates: rows of rules.tab walked byte by byte, all in step. */
#include <string.h>

#include "redact/escape.h"
#include "redact/evidence.h"
#include "redact/needless.h"
#include "redact/rules.h"
#include "redact/stream.h"

enum step { STEP_LIVE, STEP_DEAD, STEP_DONE };
enum { MARK_MAX = 80 };

/* ---- evidence ------------------------------------------------------------------------ */

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
    uint8_t kind = evidence_kinds[byte];

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

static inline bool evidence_shown(const struct candidate *c, const struct rule *rule)
{
    bool none = (rule->mix | rule->digits | rule->piece) == 0;

    return (none || (rule->mix > 0 && c->mix >= rule->mix) ||
            (rule->digits > 0 && c->digits >= rule->digits) ||
            (rule->piece > 0 && c->longest >= rule->piece)) &&
           (c->has & rule->has) == rule->has;
}

/* The item has what it needs. */
static inline bool item_ready(const struct candidate *c, const struct rule_item *it)
{
    return c->count >= it->min &&
           ((it->flags & ITEM_EVIDENCE) == 0 || evidence_shown(c, &rules[c->rule]));
}

/* ---- one byte ------------------------------------------------------------------------ */

static inline bool item_takes(const struct candidate *c, const struct rule_item *it, uint8_t byte)
{
    return (it->max == ITEM_UNBOUNDED || c->count < it->max) && rule_item_has(it, byte);
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

/* Unarmed for too long: what was held comes out. Within an endless item the secret may still be
   to come, its evidence or that of a later anchor (row_under_way); like one that begins there
   it need not go on if another hides it. */
static enum step overflow(struct redactor *r, struct candidate *c, const struct rule_item *it)
{
    if (it->max != ITEM_UNBOUNDED)
        return STEP_DEAD;
    c->start = r->s.pos + 1;
    c->overflowed = true;
    c->count = 0;
    c->has = 0;
    evidence_reset(c);
    return row_under_way(r, c, it, c->start) ? STEP_DEAD : STEP_LIVE;
}

static const char *mark_of(const struct rule *rule)
{
    return rule->opens == OPENS_RIGHT ? MARK_TOKEN : rule_names[rule->name].mark;
}

static void arm(struct redactor *r, struct candidate *c)
{
    const struct rule *rule = &rules[c->rule];

    c->match = cover_add(r, c->start, NO_POS, mark_of(rule), rule->name, 1);
}

/* What precedes the secret is the bracket of what may be a mark. */
static bool is_bracketed(const struct redactor *r, const struct candidate *c)
{
    uint8_t before;

    return stream_before(r, c->start, &before, 1) == 1 && before == '[';
}

/* What was read of the secret may turn out to be one of our own marks. */
static bool may_be_mark(const struct redactor *r, const struct candidate *c)
{
    static const char open[] = "[REDACTED";
    uint64_t len = r->s.pos + 1 - c->start;
    size_t skip;

    if (len > MARK_MAX || cover_hides(r, c->start))
        return false;
    skip = stream_byte(r, c->start) != '[';
    if (skip > 0 && (stream_byte(r, c->start) != 'R' || !is_bracketed(r, c)))
        return false;
    for (uint64_t i = 0; i < len; i++) {
        uint8_t byte = stream_byte(r, c->start + i);

        if (i + skip < sizeof(open) - 1 ? byte != (uint8_t)open[i + skip]
                                        : stream_byte(r, c->start + i - 1) == ']')
            return false;
    }
    return true;
}

/* The whole secret is one, or stands in the brackets of one that `byte` closes. */
static bool is_mark(const struct redactor *r, const struct candidate *c, int byte)
{
    return stream_is_mark(r, c->start, c->end, false) || look_marked(r, c->start, c->end) ||
           (byte == ']' && is_bracketed(r, c) && stream_is_mark(r, c->start, c->end, true));
}

/* The item's first byte. False if the candidate need not go on. */
static bool item_first(struct redactor *r, struct candidate *c, const struct rule_item *it)
{
    if ((it->flags & ITEM_COMMIT) != 0)
        kill_siblings(r, c);
    if ((it->flags & ITEM_OPEN) != 0)
        c->start = r->s.pos;
    return c->match != 0 || it->max != ITEM_UNBOUNDED || !row_under_way(r, c, it, c->start);
}

/* On to the next item. */
static inline void item_leave(struct candidate *c, const struct rule_item *it)
{
    if ((it->flags & ITEM_CLOSE) != 0)
        c->end = c->last;
    c->item++;
    c->count = 0;
    c->overflowed = false;
    if ((it[1].flags & ITEM_EVIDENCE) != 0)
        evidence_reset(c);
}

/* The item takes the byte. */
static inline enum step item_take(struct redactor *r, struct candidate *c,
                                  const struct rule_item *it, uint8_t byte)
{
    unsigned flags = it->flags;

    if (c->count == 0 && !c->overflowed &&
        ((flags & (ITEM_OPEN | ITEM_COMMIT)) != 0 || it->max == ITEM_UNBOUNDED) &&
        !item_first(r, c, it))
        return STEP_DEAD;
    c->count = (uint16_t)(c->count + (c->count < ITEM_UNBOUNDED - 1));
    c->last = r->s.pos + 1;
    if (c->match == 0) {
        if ((flags & ITEM_EVIDENCE) != 0)
            evidence_note(c, byte);
        if ((flags & ITEM_SECRET) != 0)
            c->has |= evidence_has[byte];
        if ((flags & ITEM_ARM) != 0 && item_ready(c, it) &&
            (c->has & rules[c->rule].has) == rules[c->rule].has && !may_be_mark(r, c))
            arm(r, c);
        else if (c->start != NO_POS && r->s.pos - c->start >= CANDIDATE_WINDOW)
            return overflow(r, c, it);
    }
    if (c->count != it->max || (flags & ITEM_EXACT) != 0)
        return STEP_LIVE;
    if ((flags & (ITEM_LAST | ITEM_EVIDENCE)) == 0)
        item_leave(c, it);
    /* Done with this byte if nothing can follow, not at the next one. */
    return (flags & ITEM_LAST) != 0 && c->match == 0 && c->end != NO_POS ? STEP_DONE : STEP_LIVE;
}

static enum step candidate_step(struct redactor *r, struct candidate *c, uint8_t byte)
{
    /* More of the same, the common case. */
    if (c->match != 0 && c->count > 0 && c->count + 1U < c->item->max &&
        rule_item_has(c->item, byte)) {
        c->count = (uint16_t)(c->count + (c->count < ITEM_UNBOUNDED - 2));
        c->last = r->s.pos + 1;
        return STEP_LIVE;
    }
    for (;;) {
        const struct rule_item *it = c->item;

        if (item_takes(c, it, byte))
            return item_take(r, c, it, byte);
        if (!item_ready(c, it) ||
            ((it->flags & ITEM_EXACT) != 0 && rule_item_has(it, byte)))
            return STEP_DEAD;
        if ((it->flags & ITEM_LAST) != 0) {
            if ((it->flags & ITEM_CLOSE) != 0)
                c->end = c->last;
            return STEP_DONE;
        }
        item_leave(c, it);
    }
}

/* ---- the list ------------------------------------------------------------------------ */

/* The row cannot begin with the byte behind its anchor, if that is at hand. */
static inline bool is_refused(const struct redactor *r, const struct rule *rule,
                              const struct before_row *b)
{
    size_t at = (size_t)(b->end - r->base);

    return b->end >= r->base && at < r->in_len && row_refuses(rule, r->in[at]);
}

/* The row comes to nothing, or to nothing of its own, as its first byte or those at hand tell. */
static inline bool is_needless(struct redactor *r, const struct rule *rule,
                               const struct before_row *b)
{
    return is_refused(r, rule, b) || row_needless(r, rule, b);
}

/* The rule cannot begin with this byte. */
static bool is_hopeless(const struct rule *rule, int byte)
{
    const struct rule_item *it = &rule_items[rule->first];

    return byte != NO_BYTE && rule->len > 0 && it->min > 0 &&
           !rule_item_has(it, (uint8_t)byte);
}

/* Too many live ones, which no honest text has. The oldest gives way: rather redacted than
   let out. Returns its place. */
static struct candidate *evict(struct redactor *r)
{
    struct candidate *oldest = &r->live[0];

    if (oldest->match == 0 && oldest->start < r->s.pos)
        arm(r, oldest);
    if (oldest->match != 0)
        cover_close(r, oldest->match, r->s.pos);
    memmove(r->live, r->live + 1, (CANDIDATES_MAX - 1) * sizeof(r->live[0]));
    return &r->live[CANDIDATES_MAX - 1];
}

/* A longer public prefix of the same beginning: the secret of the shorter one begins here. */
static void prefix_grows(struct redactor *r, uint64_t anchor)
{
    for (size_t i = 0; i < r->s.n_live; i++) {
        struct candidate *c = &r->live[i];

        if (c->anchor != anchor || c->match != 0 || c->start == NO_POS || c->dead ||
            c->origin == r->s.pos || rules[c->rule].opens != OPENS_RIGHT ||
            (c->item->flags & ITEM_OPEN) == 0)
            continue;
        c->start = r->s.pos;
        c->count = 0;
        c->has = 0;
        evidence_reset(c);
        r->quiet.upto = 0;
    }
}

/* A live candidate whose anchor begins there, too, waits for its secret to be one. */
static bool has_shorter_prefix(const struct redactor *r, uint64_t anchor)
{
    for (size_t i = 0; i < r->s.n_live; i++) {
        if (r->live[i].anchor == anchor && r->live[i].match == 0)
            return true;
    }
    return false;
}

static void candidate_add(struct redactor *r, uint16_t number, uint64_t anchor, uint64_t start)
{
    const struct rule *rule = &rules[number];
    struct candidate *c =
        r->s.n_live < CANDIDATES_MAX ? &r->live[r->s.n_live++] : evict(r);

    r->quiet.upto = 0;
    *c = (struct candidate){.anchor = anchor,
                            .origin = r->s.pos,
                            .start = start,
                            .end = NO_POS,
                            .last = r->s.pos,
                            .rule = number,
                            .item = &rule_items[rule->first]};
    if (rule->arms)
        arm(r, c);
}

/* Where the secret of a row begins whose anchor begins at `anchor`. False: its left side,
   its boundary or its context is missing. */
static bool find_start(struct redactor *r, const struct anchor *a, const struct rule *rule,
                       uint64_t anchor, uint64_t *start)
{
    uint64_t left = anchor;
    uint64_t secret = anchor;

    if (rule->n_left > 0) {
        struct look l;

        look_from(&l, r, anchor);
        if (!look_left(&l, rule, &secret))
            return false;
        left = l.pos;
    }
    if (((a->flags & ANCHOR_WORD) != 0 && a->len > 0 && !look_boundary(r, left)) ||
        !look_context(r, rule, anchor, r->s.pos))
        return false;
    *start = rule->opens == OPENS_RIGHT ? NO_POS : look_behind_prefix(r, secret);
    return true;
}

/* What must precede the anchor does not. */
static __attribute__((noinline)) bool lacks_context(struct redactor *r, const struct rule *rule,
                                                    const struct before_row *b)
{
    struct look l;
    uint64_t secret;

    if (!look_context(r, rule, b->anchor, b->end))
        return true;
    if (rule->n_left == 0)
        return false;
    look_from(&l, r, b->anchor);
    return !look_left(&l, rule, &secret);
}

/* A candidate of the row would come to nothing. Among others that live, the look at the bytes
   ahead takes longer than to ask whether what must be near is, which may be known already. */
static inline bool is_idle_row(struct redactor *r, const struct rule *rule,
                               const struct before_row *b)
{
    return is_refused(r, rule, b) ||
           (rule->near != NULL && r->s.n_live > 0
                ? lacks_context(r, rule, b) || row_needless(r, rule, b)
                : row_needless(r, rule, b) || lacks_context(r, rule, b));
}

/* The anchor is a public prefix that may grow one of the same beginning. */
static bool may_grow(const struct redactor *r, const struct anchor *a, uint64_t start)
{
    return (a->flags & (ANCHOR_WORD | ANCHOR_INNER)) == ANCHOR_WORD &&
           rules[a->first].opens == OPENS_RIGHT && has_shorter_prefix(r, start);
}

bool candidates_needless(struct redactor *r, size_t anchor, uint64_t start, uint64_t end)
{
    enum { OTHERWISE = ANCHOR_PEM | ANCHOR_BLOCK | ANCHOR_MASK,
           AROUND = ANCHOR_SCHEME | ANCHOR_LINE /* what look_around asks of */ };
    const struct anchor *a = &anchors[anchor];
    const struct before_row b = {start, end};

    if ((a->flags & AROUND) != 0 && !look_around(r, a, start, end))
        return true;
    if ((a->flags & OTHERWISE) != 0 || may_grow(r, a, start))
        return false;
    if (anchor_refuses(r, a, end))
        return true;
    for (uint16_t i = 0; i < a->n_rules; i++) {
        const struct rule *rule = &rules[a->first + i];

        if (!r->set->off[rule->name] && !is_idle_row(r, rule, &b))
            return false;
    }
    return true;
}

bool candidates_spawn(struct redactor *r, size_t anchor, uint64_t start, int byte)
{
    bool any = false;
    const struct anchor *a = &anchors[anchor];
    const struct before_row b = {start, r->s.pos};
    bool grows = may_grow(r, a, start);

    if (!grows && anchor_refuses(r, a, r->s.pos))
        return false;
    for (uint16_t i = 0; i < a->n_rules; i++) {
        uint16_t number = (uint16_t)(a->first + i);
        const struct rule *rule = &rules[number];
        uint64_t secret;
        bool comes;

        if (r->set->off[rule->name])
            continue;
        /* The cheap questions first, except where the shorter prefix wants an answer. */
        comes = !is_hopeless(rule, byte) && !is_needless(r, rule, &b);
        if ((!comes && !grows) || !find_start(r, a, rule, start, &secret))
            continue;
        if (!comes)
            ;
        else if (rule->len == 0)
            cover_add(r, secret, r->s.pos, mark_of(rule), rule->name, 1);
        else
            candidate_add(r, number, start, secret);
        any |= comes;
        if (grows)
            prefix_grows(r, start);
        grows = false;
    }
    return any;
}

/* The candidate reached its end: close its match, make one, or go on with other rows. */
static void candidate_done(struct redactor *r, struct candidate *c, int byte)
{
    const struct rule *rule = &rules[c->rule];

    c->dead = true;
    if (rule->chain != 0)
        (void)candidates_spawn(r, rule->chain, c->anchor, byte);
    else if (c->match != 0)
        cover_close(r, c->match, c->end != NO_POS ? c->end : c->last);
    else if ((c->has & rule->has) == rule->has &&
             (cover_hides(r, c->start) ||
              (!is_mark(r, c, byte) &&
               check_secret(r, (enum rule_check)rule->check, c->start, c->end))))
        cover_add(r, c->start, c->end, mark_of(rule), rule->name, 1);
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

bool candidates_step(struct redactor *r, uint8_t byte, uint64_t anchor, uint64_t origin)
{
    bool decided = false;

    r->quiet.upto = 0;
    /* The list may grow at its end while it is walked: those begin with this byte, too. */
    for (size_t i = 0; i < r->s.n_live; i++) {
        struct candidate *c = &r->live[i];
        bool idle = c->dead || (origin != NO_POS && (c->origin != origin || c->anchor != anchor));
        enum step step = idle ? STEP_LIVE : candidate_step(r, c, byte);

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

/* Evidence or a kind of byte is missing. */
static bool needs_more(const struct candidate *c, const struct rule_item *it)
{
    const struct rule *rule = &rules[c->rule];

    return (c->has & rule->has) != rule->has ||
           ((it->flags & ITEM_EVIDENCE) != 0 && !evidence_shown(c, rule));
}

/* How many bytes the item takes without anything being decided by them. */
static size_t quiet_bytes(const struct redactor *r, const struct candidate *c)
{
    const struct rule_item *it = c->item;
    size_t n = it->max == ITEM_UNBOUNDED ? SIZE_MAX : (size_t)it->max - c->count;

    if (c->count == 0 || c->dead)
        return 0;
    if (c->match == 0) {
        size_t room = c->start == NO_POS ? SIZE_MAX
                                         : CANDIDATE_WINDOW - (size_t)(r->s.pos - c->start);

        if ((it->flags & ITEM_ARM) != 0 && c->count >= it->min && !needs_more(c, it))
            return 0;
        if ((it->flags & ITEM_ARM) != 0 && c->count < it->min)
            n = (size_t)it->min - c->count;
        n = n < room ? n : room;
    }
    return n > 0 ? n - 1 : 0; /* the last one may decide something */
}

static inline uint8_t saturated(size_t n)
{
    return n < UINT8_MAX ? (uint8_t)n : UINT8_MAX;
}

/* What evidence_note makes of the bytes one by one. */
static void evidence_add(struct candidate *c, const struct evidence_sum *sum)
{
    bool change = sum->first != c->kind && sum->first != KIND_OTHER && c->kind != KIND_OTHER &&
                  !(c->kind == KIND_UPPER && sum->first == KIND_LOWER);
    size_t piece = c->piece + sum->head;

    c->mix = saturated(c->mix + sum->mix + change);
    c->digits = saturated(c->digits + sum->digits);
    if (piece > c->longest)
        c->longest = saturated(piece);
    if (sum->longest > c->longest)
        c->longest = saturated(sum->longest);
    c->piece = saturated(sum->head == sum->n ? piece : sum->tail);
    c->kind = sum->last;
}

/* The candidate's bytes are of interest beyond their number. */
static bool is_noted(const struct candidate *c)
{
    unsigned noted = ITEM_EVIDENCE | (rules[c->rule].has != 0 ? ITEM_SECRET : 0);

    return c->match == 0 && (c->item->flags & noted) != 0;
}

static void note_sum(struct candidate *c, const struct evidence_sum *sum)
{
    if ((c->item->flags & ITEM_EVIDENCE) != 0)
        evidence_add(c, sum);
    c->has |= sum->has;
}

/* With these bytes the evidence may be there: they show it but for one change. */
static bool may_show(const struct candidate *c, const struct evidence_sum *sum)
{
    const struct rule *rule = &rules[c->rule];
    size_t piece = c->piece + sum->head;

    piece = piece > sum->longest ? piece : sum->longest;
    piece = piece > c->longest ? piece : c->longest;
    return (rule->mix | rule->digits | rule->piece) == 0 ||
           (rule->mix > 0 && c->mix + sum->mix + 1 >= rule->mix) ||
           (rule->digits > 0 && c->digits + sum->digits >= rule->digits) ||
           (rule->piece > 0 && piece >= rule->piece);
}

/* True if one of these bytes arms it: the one that brings what was missing. */
static bool arms_within(const struct candidate *c, const struct evidence_sum *sum)
{
    struct candidate seen;

    if ((c->item->flags & ITEM_ARM) == 0 || c->count < c->item->min ||
        ((c->item->flags & ITEM_EVIDENCE) != 0 && !may_show(c, sum)))
        return false;
    seen = *c;
    note_sum(&seen, sum);
    return !needs_more(&seen, c->item);
}

/* The bytes up to the one that arms it; the step that takes this one does. */
static size_t quiet_noted(const struct candidate *c, const uint8_t *bytes, size_t n)
{
    struct candidate seen = *c;

    for (size_t i = 0; i < n; i++) {
        if ((c->item->flags & ITEM_EVIDENCE) != 0)
            evidence_note(&seen, bytes[i]);
        seen.has |= evidence_has[bytes[i]];
        if (!needs_more(&seen, c->item))
            return i;
    }
    return n;
}

/* How many of the next n bytes all live candidates take without anything being decided. */
static size_t quiet_run(struct redactor *r, const uint8_t *bytes, size_t n)
{
    uint16_t class = RULE_CLASSES_MAX; /* none */
    size_t at = (size_t)(bytes - r->in);

    for (size_t i = 0; i < r->s.n_live && n > 0; i++) {
        size_t quiet = quiet_bytes(r, &r->live[i]);

        n = quiet < n ? quiet : n;
        if (r->live[i].item->class != class && n > 0) /* else it took these already */
            n = row_class_run(r, r->live[i].item->class, at, n);
        class = r->live[i].item->class;
    }
    return n;
}

/* Cut to where none of them arms. The sum is that of all n bytes, if one of them is noted. */
static size_t unarmed_run(const struct redactor *r, const uint8_t *bytes, size_t n,
                          struct evidence_sum *sum)
{
    sum->n = 0;
    for (size_t i = 0; i < r->s.n_live && n > 0; i++) {
        if (!is_noted(&r->live[i]))
            continue;
        if (sum->n != n)
            evidence_sum_up(sum, bytes, n);
        if (arms_within(&r->live[i], sum))
            n = quiet_noted(&r->live[i], bytes, n);
    }
    if (n > 0 && sum->n != 0 && sum->n != n)
        evidence_sum_up(sum, bytes, n);
    return n;
}

size_t candidates_quiet(struct redactor *r, const uint8_t *bytes, size_t n)
{
    n = unarmed_run(r, bytes, quiet_run(r, bytes, n), &r->quiet.sum);
    r->quiet.from = r->s.pos;
    r->quiet.upto = r->s.pos + n;
    return n;
}

/* How many of the next n bytes decide nothing, and their sum if one of the candidates wants it. */
static size_t quiet_next(struct redactor *r, const uint8_t *bytes, size_t n)
{
    size_t known = r->quiet.upto > r->s.pos ? (size_t)(r->quiet.upto - r->s.pos) : 0;

    if (known == 0)
        return candidates_quiet(r, bytes, n);
    if (n >= known && r->quiet.from == r->s.pos)
        return known;
    n = n < known ? n : known;
    for (size_t i = 0; i < r->s.n_live; i++) {
        if (is_noted(&r->live[i])) {
            evidence_sum_up(&r->quiet.sum, bytes, n);
            break;
        }
    }
    return n;
}

/* So many bytes are a run that is worth to be taken as one. */
enum { RUN_MIN = 3 };

static bool is_run(const struct redactor *r, const uint8_t *bytes)
{
    for (size_t i = 0; i < r->s.n_live; i++) {
        const struct candidate *c = &r->live[i];

        for (size_t k = 0; k < RUN_MIN; k++) {
            if (!rule_item_has(c->item, bytes[k]))
                return false;
        }
        if (quiet_bytes(r, c) < RUN_MIN)
            return false;
    }
    return true;
}

bool candidates_steps(struct redactor *r, size_t stop)
{
    uint64_t end = r->base + stop;
    bool decided = false;

    while (r->s.pos < end && !decided && r->s.n_live > 0) {
        const uint8_t *bytes = r->in + (r->s.pos - r->base);

        if (*bytes == ESC || (end - r->s.pos >= RUN_MIN && is_run(r, bytes)))
            break;
        decided = candidates_step(r, *bytes, NO_POS, NO_POS);
        r->s.pos++;
    }
    return decided;
}

size_t candidates_run(struct redactor *r, const uint8_t *bytes, size_t n)
{
    n = quiet_next(r, bytes, n);
    for (size_t i = 0; i < r->s.n_live && n > 0; i++) {
        struct candidate *c = &r->live[i];

        if (is_noted(c))
            note_sum(c, &r->quiet.sum);
        c->count = c->count + n < ITEM_UNBOUNDED - 1 ? (uint16_t)(c->count + n)
                                                     : ITEM_UNBOUNDED - 1;
        c->last = r->s.pos + n;
    }
    return n;
}

/* At the end of the stream an exact run is as long as it will be, and what may follow but need
   not does not. */
static bool is_complete(const struct candidate *c)
{
    const struct rule_item *last = c->item;

    if (c->match != 0 || c->start == NO_POS || !item_ready(c, c->item))
        return false;
    while ((last->flags & ITEM_LAST) == 0) {
        if ((++last)->min > 0)
            return false;
    }
    return (last->flags & ITEM_EXACT) != 0 || rules[c->rule].check != CHECK_NONE;
}

void candidates_finish(struct redactor *r)
{
    for (size_t i = 0; i < r->s.n_live; i++) {
        struct candidate *c = &r->live[i];

        if (c->match == 0 && !is_complete(c))
            continue;
        if (c->end == NO_POS)
            c->end = c->last;
        candidate_done(r, c, NO_BYTE);
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
