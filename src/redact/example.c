// SPDX-License-Identifier: MIT
/* Examples for `redact --list`, drawn from the rows themselves. */
#include <stdlib.h>
#include <string.h>

#include "redact/stream.h"

enum {
    TRIES = 40, /* the rarest of those that can be found at all needs half of them */
    OPEN_END = 6,
    CLASS_MAX = 256,
    WORD_BITS = 32
};

struct maker {
    uint32_t seed;
    char *dst;
    size_t size;
    size_t len;
};

static uint32_t next_random(struct maker *m)
{
    m->seed = m->seed * 1664525U + 1013904223U;
    return m->seed >> 8;
}

static void put(struct maker *m, uint8_t byte)
{
    if (m->len + 1 < m->size)
        m->dst[m->len] = (char)byte;
    m->len++;
}

static void put_text(struct maker *m, const char *text)
{
    for (; *text != '\0'; text++)
        put(m, (uint8_t)*text);
}

/* Which of 32 bytes, from `word` * 32 on, are letters or digits. */
static const uint32_t plain_bytes[CLASS_MAX / WORD_BITS] = {0, 0x03ff0000, 0x07fffffe, 0x07fffffe};

/* The n-th byte (from 0) of those that both sets have, or CLASS_MAX. */
static unsigned nth_byte(const uint32_t *class, const uint32_t *among, unsigned n)
{
    for (unsigned word = 0; word < CLASS_MAX / WORD_BITS; word++) {
        uint32_t bits = class[word] & among[word];
        unsigned has = (unsigned)__builtin_popcount(bits);

        if (n >= has) {
            n -= has;
            continue;
        }
        while (n-- > 0)
            bits &= bits - 1;
        return word * WORD_BITS + (unsigned)__builtin_ctz(bits);
    }
    return CLASS_MAX;
}

/* One byte of a class: a letter or digit if it has any, else the first one it has. */
static void put_class(struct maker *m, const uint32_t *class)
{
    unsigned n = 0;

    for (size_t word = 0; word < CLASS_MAX / WORD_BITS; word++)
        n += (unsigned)__builtin_popcount(class[word] & plain_bytes[word]);
    if (n > 0)
        put(m, (uint8_t)nth_byte(class, plain_bytes, next_random(m) % n));
    else
        put(m, (uint8_t)nth_byte(class, class, 0));
}

static void put_item(struct maker *m, const struct rule_item *it)
{
    size_t n = it->max == ITEM_UNBOUNDED && it->min > 0 ? it->min + OPEN_END : it->min;

    for (size_t i = 0; i < n; i++)
        put_class(m, rule_classes[it->class]);
}

static void put_anchor(struct maker *m, const struct anchor *a)
{
    for (size_t i = 0; i < a->len; i++) {
        if (a->sets != NULL)
            put_class(m, a->sets[i]);
        else
            put(m, (uint8_t)a->text[i]);
    }
}

static void put_row(struct maker *m, const struct anchor *a, const struct rule *rule)
{
    if (rule->near != NULL) {
        put_text(m, rule->near);
        put(m, ' ');
    }
    if (rule->word != NULL)
        put_text(m, rule->word);
    if ((a->flags & ANCHOR_SCHEME) != 0)
        put_text(m, "https");
    for (size_t i = rule->n_left; i-- > 0;)
        put_item(m, &rule_items[rule->left + i]);
    put_anchor(m, a);
    for (size_t i = 0; i < rule->len; i++)
        put_item(m, &rule_items[rule->first + i]);
    if (rule->chain != 0)
        put_row(m, &anchors[rule->chain], &rules[anchors[rule->chain].first]);
}

/* What becomes of an example. */
enum verdict { NOT_FOUND, FOUND_BY_OTHERS, FOUND };

static enum verdict judge(struct redact_set *set, size_t rule, const char *text, size_t len)
{
    struct redactor *r;
    struct clean_vec v = {0};
    enum verdict verdict = NOT_FOUND;

    if (redactor_new(&r, set, NULL) != ERR_NONE)
        return NOT_FOUND;
    if (redactor_feed(r, (struct raw_span){text, len}, &v) == ERR_NONE &&
        redactor_finish(r, &v) == ERR_NONE && redactor_marks_total(r) > 0)
        verdict = redactor_marks(r, rule) > 0 ? FOUND : FOUND_BY_OTHERS;
    clean_vec_release(&v);
    redactor_free(r);
    return verdict;
}

/* False: it does not fit. */
static bool make(struct maker *m, const struct anchor *a, const struct rule *row)
{
    m->len = 0;
    put_row(m, a, row);
    if (m->len >= m->size)
        return false;
    m->dst[m->len] = '\0';
    return true;
}

/* One that the rule finds. What a shorter row of the same anchor always finds first (a token
   that another one begins like) is an example all the same. */
static size_t from_row(struct redact_set *set, const struct anchor *a, const struct rule *row,
                       char *dst, size_t size)
{
    struct maker m = {.seed = row->name, .dst = dst, .size = size};
    uint32_t seed_of_others = 0;
    bool others = false;

    for (int i = 0; i < TRIES; i++) {
        uint32_t seed = m.seed;
        enum verdict verdict = make(&m, a, row) ? judge(set, row->name, dst, m.len) : NOT_FOUND;

        if (verdict == FOUND)
            return m.len;
        if (verdict == FOUND_BY_OTHERS && !others) {
            seed_of_others = seed;
            others = true;
        }
    }
    m.seed = seed_of_others;
    return others && make(&m, a, row) ? m.len : 0;
}

static size_t key_example(char *dst, size_t size)
{
    struct maker m = {.seed = 1, .dst = dst, .size = size};
    static const uint32_t base64[8] = {0, 0x03ff8800, 0x07fffffe, 0x07fffffe};

    put_text(&m, "-----BEGIN ");
    put_text(&m, "PRIVATE KEY-----\n");
    for (int i = 0; i < 64; i++)
        put_class(&m, base64);
    put_text(&m, "\n-----END ");
    put_text(&m, "PRIVATE KEY-----");
    return m.len < size ? m.len : 0;
}

static size_t block_example(char *dst, size_t size)
{
    struct maker m = {.seed = 2, .dst = dst, .size = size};
    static const uint32_t letters[8] = {0, 0, 0, 0x07fffffe};

    put_text(&m, "kind: Secret\ndata:\n  password: ");
    for (int i = 0; i < 12; i++)
        put_class(&m, letters);
    return m.len < size ? m.len : 0;
}

/* The rule's first row that an anchor leads to. */
static size_t row_example(struct redact_set *set, size_t rule, char *dst, size_t size)
{
    for (size_t a = 0; a < anchor_count; a++) {
        const struct anchor *anchor = &anchors[a];

        for (size_t i = anchor->first; i < (size_t)anchor->first + anchor->n_rules; i++) {
            if (rules[i].name == rule && (anchor->flags & ANCHOR_INNER) == 0)
                return from_row(set, anchor, &rules[i], dst, size);
        }
    }
    return 0;
}

size_t redact_set_rule_example(const struct redact_set *set, size_t rule, char *dst, size_t size)
{
    const char *name = redact_set_rule_name(set, rule);
    struct redact_options o = {.on = &name, .n_on = 1};
    struct redact_set *alone;
    size_t n;

    if (rule == RULE_NAME_PRIVATE_KEY)
        return key_example(dst, size);
    if (rule == RULE_NAME_KUBERNETES)
        return block_example(dst, size);
    if (rule >= rule_name_count || redact_set_new(&alone, &o, NULL) != ERR_NONE)
        return 0;
    n = row_example(alone, rule, dst, size);
    redact_set_free(alone);
    return n;
}
