// SPDX-License-Identifier: MIT
/*
 * The rows of rules.tab by brute force. A plain recursive reading of the same tables tries every
 * anchor at every place of a random text and says which bytes must be hidden and which may be;
 * what the redactor hides has to lie between the two.
 *
 * Must: the secret of every row that takes the text from its left side to its last piece, between
 * boundaries that the text itself shows. Left out of it, each with its reason:
 *   - rows that ask for evidence, or for a check of the whole secret: tests/lib/rulemodel.py has
 *     both, here they would be the engine's own code again;
 *   - rows with a piece that commits: it ends the anchor's other rows where it begins;
 *   - a row whose public prefix is the beginning of a longer one that stands there, too: the
 *     secret then begins behind the longer one (prefix_grows);
 *   - what begins with the public prefix of a token: that stays (look_behind_prefix);
 *   - what may be one of our own marks (may_be_mark, is_mark), so texts with such a bracket;
 * Of rows under way in the same endless piece only the first is kept (row_under_way): its secret
 * takes in those of the others, so nothing is to be left out for them.
 *
 * May: the same without conditions on what stands around a row, and with what was read of it up
 * to where it fails, once the piece that arms it has its minimum (the mark is out by then).
 *
 * Escape sequences are left to tests/fuzz, where the same text is compared with itself in pieces.
 */
#include "lib/tap.h"

#include <stdlib.h>

#include "fuzz/cook.h"
#include "redact/redact.h"
#include "redact/stream.h"

#ifndef SOUPS
#define SOUPS 3000 /* texts; a few million take some minutes */
#endif

enum { RECIPE_MAX = 24, ORACLE_TEXT_MAX = 900, CHAIN_MAX = 8, NEAR_ESCAPE = 10 };

struct oracle {
    const struct redact_set *set;
    const uint8_t *text;
    size_t len;
    bool no_must; /* nothing is certain in this text */
    bool must[ORACLE_TEXT_MAX];
    bool may[ORACLE_TEXT_MAX];
    bool hidden[ORACLE_TEXT_MAX];
};

static uint64_t seed = 1;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

/* ---- the plain reading ------------------------------------------------------------------ */

static uint8_t fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (fold(c) >= 'a' && fold(c) <= 'z');
}

static bool anchor_at(const struct oracle *o, const struct anchor *a, size_t at)
{
    if (a->len == 0 || at + a->len > o->len)
        return false;
    for (size_t i = 0; i < a->len; i++) {
        uint8_t c = o->text[at + i];

        if (a->sets != NULL ? !rule_class_has(a->sets[i], c)
                            : ((a->flags & ANCHOR_FOLD) != 0 ? fold(c) : c) != (uint8_t)a->text[i])
            return false;
    }
    return true;
}

/* One row's way through the text. */
struct walk {
    size_t start; /* of the secret; SIZE_MAX: not yet */
    size_t end;   /* SIZE_MAX: not closed */
    size_t at;    /* behind the last byte taken */
    bool armed;
    uint8_t has;
};

static uint8_t has_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return HAS_DIGIT;
    if (!is_alnum(c))
        return 0;
    return (uint8_t)((c >= 'a' ? HAS_LOWER : HAS_UPPER) |
                     (fold(c) > 'f' ? HAS_BEYOND_HEX : 0));
}

/* False: the piece does not match at w->at. */
static bool take_item(const struct oracle *o, const struct rule_item *it, struct walk *w)
{
    size_t n = 0;

    if ((it->flags & ITEM_OPEN) != 0 && w->at < o->len && rule_item_has(it, o->text[w->at]))
        w->start = w->at;
    while (w->at < o->len && rule_item_has(it, o->text[w->at]) &&
           (it->max == ITEM_UNBOUNDED || n < it->max)) {
        if ((it->flags & ITEM_SECRET) != 0)
            w->has |= has_of(o->text[w->at]);
        w->at++;
        n++;
    }
    if (n < it->min)
        return false;
    w->armed |= (it->flags & ITEM_ARM) != 0;
    if ((it->flags & ITEM_CLOSE) != 0)
        w->end = w->at;
    return (it->flags & ITEM_EXACT) == 0 || w->at == o->len ||
           !rule_item_has(it, o->text[w->at]);
}

static void set_range(bool *map, size_t from, size_t to)
{
    for (; from < to; from++)
        map[from] = true;
}

/* The rows of an anchor whose pieces begin at w.at, in all their ways. */
static void walk_rows(struct oracle *o, const struct anchor *a, struct walk from, bool certain,
                      unsigned depth);

static bool is_certain(const struct anchor *a, const struct rule *rule)
{
    if ((rule->mix | rule->digits | rule->piece) != 0 || rule->check != CHECK_NONE)
        return false;
    for (size_t k = 0; k < a->n_rules; k++) {
        const struct rule *sibling = &rules[a->first + k];

        for (size_t i = 0; i < sibling->len; i++) {
            if ((rule_items[sibling->first + i].flags & ITEM_COMMIT) != 0)
                return false;
        }
    }
    return true;
}

static void walk_row(struct oracle *o, const struct anchor *a, const struct rule *rule,
                     struct walk w, bool certain, unsigned depth)
{
    bool good = true;

    certain &= is_certain(a, rule);
    for (size_t i = 0; i < rule->len && good; i++)
        good = take_item(o, &rule_items[rule->first + i], &w);
    if (good && rule->chain != 0) {
        walk_rows(o, &anchors[rule->chain], w, certain, depth + 1);
        return;
    }
    if (w.start == SIZE_MAX || (!good && !w.armed))
        return;
    set_range(o->may, w.start, w.end != SIZE_MAX ? w.end : w.at);
    if (good && certain && (w.has & rule->has) == rule->has)
        set_range(o->must, w.start, w.end != SIZE_MAX ? w.end : w.at);
}

static void walk_rows(struct oracle *o, const struct anchor *a, struct walk from, bool certain,
                      unsigned depth)
{
    for (size_t i = 0; i < a->n_rules && depth < CHAIN_MAX; i++) {
        const struct rule *rule = &rules[a->first + i];

        if (!o->set->off[rule->name])
            walk_row(o, a, rule, from, certain, depth);
    }
}

/* The left side of a row, its nearest piece first. False: it is missing. */
static bool take_left(const struct oracle *o, const struct rule *rule, size_t *left, size_t *secret)
{
    for (size_t i = 0; i < rule->n_left; i++) {
        const struct rule_item *it = &rule_items[rule->left + i];
        size_t n = 0;

        while (n < it->max && *left > 0 && rule_item_has(it, o->text[*left - 1])) {
            --*left;
            n++;
        }
        if (n < it->min)
            return false;
        if (i + 1 == rule->n_inside)
            *secret = *left;
    }
    return true;
}

static bool is_boundary(const struct oracle *o, size_t at)
{
    return at == 0 || (!is_alnum(o->text[at - 1]) && o->text[at - 1] != '_');
}

/* Near what a row has before its anchor stands what begins an escape written out, "\\000" or
   "%20": the row's bytes may begin behind that, or not. */
static bool is_near_escape(const struct oracle *o, size_t at)
{
    size_t from = at > NEAR_ESCAPE ? at - NEAR_ESCAPE : 0;

    for (size_t i = from; i < o->len && i < at + NEAR_ESCAPE; i++) {
        if (o->text[i] != '\0' && strchr("\\%=^", o->text[i]) != NULL)
            return true;
    }
    return false;
}

/* Another anchor begins there and is longer, or is the public prefix of what begins there. */
static bool has_other_prefix(const struct oracle *o, const struct anchor *a, size_t at)
{
    for (size_t k = 1; k < anchor_count; k++) {
        const struct anchor *other = &anchors[k];

        if (other != a && (other->flags & ANCHOR_WORD) != 0 && anchor_at(o, other, at) &&
            (a == NULL || other->len >= a->len))
            return true;
    }
    return false;
}

static void try_row(struct oracle *o, const struct anchor *a, const struct rule *rule, size_t at)
{
    struct walk w = {.start = SIZE_MAX, .end = SIZE_MAX, .at = at + a->len};
    size_t left = at;
    size_t secret = at;
    bool certain = !o->no_must && rule->near == NULL && rule->word == NULL &&
                   (a->flags & ANCHOR_SCHEME) == 0;

    if (o->set->off[rule->name] || !take_left(o, rule, &left, &secret))
        return;
    if (rule->n_left > 0)
        certain &= !is_near_escape(o, left);
    if ((a->flags & ANCHOR_WORD) != 0)
        certain &= is_boundary(o, left);
    if (rule->opens == OPENS_RIGHT) {
        certain &= !has_other_prefix(o, a, at);
    } else {
        w.start = secret;
        certain &= !has_other_prefix(o, NULL, secret);
    }
    w.armed = rule->arms;
    walk_row(o, a, rule, w, certain, 0);
}

static void try_all(struct oracle *o)
{
    const unsigned others = ANCHOR_PEM | ANCHOR_BLOCK | ANCHOR_MASK | ANCHOR_INNER;

    for (size_t k = 1; k < anchor_count; k++) {
        const struct anchor *a = &anchors[k];

        if ((a->flags & others) != 0 || a->level > o->set->level)
            continue;
        for (size_t at = 0; at < o->len; at++) {
            if (!anchor_at(o, a, at))
                continue;
            for (size_t i = 0; i < a->n_rules; i++)
                try_row(o, a, &rules[a->first + i], at);
        }
    }
}

/* ---- the redactor --------------------------------------------------------------------------- */

static void run_redactor(struct oracle *o, struct redact_set *set)
{
    struct redactor *r;
    struct clean_vec v = {0};

    memset(o->hidden, true, sizeof(o->hidden));
    if (redactor_new(&r, set, NULL) != ERR_NONE ||
        redactor_feed(r, (struct raw_span){(const char *)o->text, o->len}, &v) != ERR_NONE)
        abort();
    if (r->s.held > 0)
        abort(); /* the text ends in bytes that nothing goes on with */
    for (size_t i = 0; i < v.len; i++) {
        const uint8_t *p = (const uint8_t *)v.items[i].ptr;

        if (p >= o->text && p < o->text + o->len)
            memset(o->hidden + (p - o->text), false, v.items[i].len);
    }
    clean_vec_release(&v);
    redactor_free(r);
}

/* ---- texts ------------------------------------------------------------------------------------ */

static void make_text(struct oracle *o, struct cook_text *text)
{
    static const char end[] = "\n\n \n";
    static struct cook_plant plant;
    uint8_t recipe[RECIPE_MAX];
    struct cook c = {.in = recipe, .left = 1 + next_random() % RECIPE_MAX, .text = text,
                     .plant = &plant, .set = o->set, .seed = next_random()};

    for (size_t i = 0; i < RECIPE_MAX; i++)
        recipe[i] = next_random() % 4 == 0 ? COOK_ROW : (uint8_t)next_random();
    cook(&c);
    if (text->len > ORACLE_TEXT_MAX - sizeof(end))
        text->len = ORACLE_TEXT_MAX - sizeof(end);
    memcpy(text->data + text->len, end, sizeof(end) - 1);
    text->len += sizeof(end) - 1;
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] == 0x1b)
            text->data[i] = ' ';
    }
    o->text = (const uint8_t *)text->data;
    o->len = text->len;
    o->no_must = memmem(text->data, text->len, "[REDACTED", 9) != NULL;
}

static void explain(const struct oracle *o, size_t at, const char *what)
{
    printf("# byte %zu %s\n# ", at, what);
    for (size_t i = 0; i < o->len; i++)
        printf("%c", o->text[i] >= 0x20 && o->text[i] < 0x7f ? o->text[i] : '.');
    printf("\n# ");
    for (size_t i = 0; i < o->len; i++)
        printf("%c", o->must[i] ? 'M' : o->may[i] ? 'm' : ' ');
    printf("\n# ");
    for (size_t i = 0; i < o->len; i++)
        printf("%c", o->hidden[i] ? 'x' : ' ');
    printf("\n");
}

static bool agrees(const struct oracle *o)
{
    for (size_t i = 0; i < o->len; i++) {
        if (o->must[i] && !o->hidden[i]) {
            explain(o, i, "comes out");
            return false;
        }
        if (o->hidden[i] && !o->may[i]) {
            explain(o, i, "is hidden");
            return false;
        }
    }
    return true;
}

static void test_soup(const char *name, const char *const *on, size_t n_on)
{
    static const char *const off[] = {"private-key", "kubernetes-secret"};
    static struct cook_text text;
    static struct oracle o;
    struct redact_options options = {.on = on, .n_on = n_on, .off = off, .n_off = 2};
    struct redact_set *set;
    uint64_t hits = 0;
    bool good = true;

    if (redact_set_new(&set, &options, NULL) != ERR_NONE)
        abort();
    for (int round = 0; round < SOUPS && good; round++) {
        memset(&o, 0, sizeof(o));
        o.set = set;
        make_text(&o, &text);
        try_all(&o);
        run_redactor(&o, set);
        good = agrees(&o);
        for (size_t i = 0; i < o.len; i++)
            hits += o.must[i];
    }
    ok(good, "%s: every match of a plain reading is hidden, and nothing else", name);
    ok(hits > SOUPS, "%s: and there were such", name);
    redact_set_free(set);
}

int main(void)
{
    static const char *const more[] = {"generic", "pii"};

    test_soup("tiers 1 and 2", more, 0);
    test_soup("tier 3", more, 1);
    test_soup("tier 3 and personal data", more, 2);
    return done();
}
