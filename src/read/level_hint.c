// SPDX-License-Identifier: MIT
#include "read/level_hint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "read/level_word.h"

/* Words share the first buckets; the others are each of one kind. */
enum { WORD_BUCKETS = 5, BUCKET_JSON = 5, BUCKET_SHAPE = 6, BUCKET_ESCAPE = 7 };

/* What is enough of a reason by itself. NULL: any byte. */
static const struct shape {
    unsigned bucket;
    const char *sets[TRIPLE_LEN];
} shapes[] = {
    {BUCKET_SHAPE, {"EW", ":", " \\"}},                    /* "E: x" */
    {BUCKET_SHAPE, {"EFW", " ,", " \\["}},                 /* "E   x", "E, [2026" */
    {BUCKET_SHAPE, {"EFW", "0123456789", "0123456789\\"}}, /* "E0412 12:00" */
    {BUCKET_SHAPE, {"EFW<", "\\", "ubfn"}},                /* something is taken out */
    {BUCKET_SHAPE, {"<", "0123456789", "0123456789>\\"}},  /* "<3>" */
    {BUCKET_JSON, {"{", "\\", NULL}},                      /* JSON in JSON: "{\"level" */
    {BUCKET_JSON, {"\"", "{", " \\"}},
};

/* ---- making --------------------------------------------------------------------------------- */

static char other_case(char c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    return letter ? (char)(c ^ 0x20) : c;
}

static bool add_word(struct level_hint *h, const char *text, size_t len, bool icase)
{
    if (len < TRIPLE_LEN || h->n_words == HINT_WORDS_MAX)
        return false;
    h->words[h->n_words++] = (struct hint_word){text, len, icase};
    return true;
}

static unsigned char first_byte(const struct hint_word *word)
{
    return (unsigned char)(word->text[0] | 0x20);
}

static int by_first_byte(const void *a, const void *b)
{
    return first_byte(a) - first_byte(b);
}

/* Neighbours share a bucket: the fewer different bytes one has, the less it mixes up. */
static void index_words(struct level_hint *h)
{
    qsort(h->words, h->n_words, sizeof(h->words[0]), by_first_byte);
    for (size_t i = h->n_words; i > 0; i--) {
        const struct hint_word *word = &h->words[i - 1];
        unsigned bucket = (unsigned)((i - 1) * WORD_BUCKETS / h->n_words);

        h->begin[first_byte(word)] = (uint8_t)(i - 1);
        h->count[first_byte(word)]++;
        for (size_t k = 0; k < TRIPLE_LEN; k++) {
            triples_allow(&h->triples, bucket, k, (unsigned char)word->text[k]);
            if (word->icase)
                triples_allow(&h->triples, bucket, k, (unsigned char)other_case(word->text[k]));
        }
    }
}

/* What begins a line may be coloured word by word: its longest word is looked for. Those that
   are too short for that are among the shapes. */
static bool add_beginning(struct level_hint *h, const char *text)
{
    const char *best = text;
    size_t best_len = 0;

    while (*text != '\0') {
        size_t len = strcspn(text, " \t");

        if (len > best_len) {
            best = text;
            best_len = len;
        }
        text += len + strspn(text + len, " \t");
    }
    return best_len < TRIPLE_LEN || add_word(h, best, best_len, false);
}

static bool add_tables(struct level_hint *h, enum level least)
{
    static const char *const always[] = {"\"event\"", "\"gap\"", "\"level\"", "Exception", "Error"};
    const struct level_word *word;
    const char *text;
    enum level level;
    bool good = true;

    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        good = good && add_word(h, always[i], strlen(always[i]), false);
    for (size_t i = 0; (word = level_word_at(i)) != NULL; i++)
        if ((enum level)word->level >= least)
            good = good && add_word(h, word->text, strlen(word->text), true);
    for (size_t i = 0; (text = level_beginning_at(i, &level)) != NULL; i++)
        if (level >= least)
            good = good && add_beginning(h, text);
    return good;
}

/* A control character in the midst of something: ESC, BS and the like are taken out before text
   is looked at. Not behind a backslash, which would make it none. */
static void add_escapes(struct level_hint *h)
{
    for (unsigned byte = 0x21; byte < 256; byte++)
        if (byte != '"' && byte != '\\')
            triples_allow(&h->triples, BUCKET_ESCAPE, 0, (unsigned char)byte);
    triples_allow(&h->triples, BUCKET_ESCAPE, 1, '\\');
    for (const char *at = "ubfn"; *at != '\0'; at++)
        triples_allow(&h->triples, BUCKET_ESCAPE, 2, (unsigned char)*at);
}

bool level_hint_init(struct level_hint *h, enum level least)
{
    *h = (struct level_hint){0};
    if (least < LEVEL_WARN)
        return false; /* what says nothing is "info" */
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        triples_add(&h->triples, shapes[i].bucket, shapes[i].sets);
    add_escapes(h);
    if (!add_tables(h, least))
        return false;
    index_words(h);
    return true;
}

/* ---- looking -------------------------------------------------------------------------------- */

static bool is_gap(const char *at, const char *end)
{
    return at < end && (*at == ' ' || *at == '"' || *at == '\n');
}

/* at: a character before an escape. False if a blank or the end of the text comes behind it. */
static bool joins(const char *at, const char *end)
{
    static const char csi[] = "\\u001b[";
    const size_t escape = 1;
    const char *p = at + escape;

    if (p[1] != 'u')
        return !is_gap(p + 2, end);
    if ((size_t)(end - p) < sizeof(csi) || memcmp(p, csi, sizeof(csi) - 2) != 0)
        return end - p < 6 || !is_gap(p + 6, end);
    if (p[6] != '[')
        return true;
    for (p += sizeof(csi) - 1; p < end && *p > 0x20 && *p < 0x40 && *p != '"';)
        p++;
    return p >= end || *p <= 0x20 || *p == '"' || *p == '\\' || !is_gap(p + 1, end);
}

static bool is_in(const char *set, char c)
{
    return set == NULL || (c != '\0' && strchr(set, c) != NULL);
}

static bool shape_stands(const char *at)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (is_in(shapes[i].sets[0], at[0]) && is_in(shapes[i].sets[1], at[1]) &&
            is_in(shapes[i].sets[2], at[2]))
            return true;
    return false;
}

static bool word_stands(const struct level_hint *h, const char *at, const char *end)
{
    unsigned char first = (unsigned char)(*at | 0x20);
    const struct hint_word *word = h->words + h->begin[first];

    for (size_t i = 0; i < h->count[first]; i++, word++) {
        if ((at[1] | 0x20) != (word->text[1] | 0x20) || (size_t)(end - at) < word->len)
            continue;
        if (word->icase ? strncasecmp(at, word->text, word->len) == 0
                        : memcmp(at, word->text, word->len) == 0)
            return true;
    }
    return false;
}

const char *level_hint_next(const struct level_hint *h, const char *from, const char *end)
{
    while ((from = triples_next(&h->triples, from, end)) != NULL) {
        unsigned buckets = triples_at(&h->triples, from);

        if (((buckets & (1U << BUCKET_SHAPE | 1U << BUCKET_JSON)) != 0 && shape_stands(from)) ||
            word_stands(h, from, end) ||
            ((buckets >> BUCKET_ESCAPE & 1) != 0 && joins(from, end)))
            return from;
        from++;
    }
    return NULL;
}
