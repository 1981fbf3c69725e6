// SPDX-License-Identifier: MIT
#include "read/level_hint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "read/level_word.h"

/* Words share the first buckets; the others are each of one kind. */
enum { WORD_BUCKETS = 5, BUCKET_JSON = 5, BUCKET_SHAPE = 6, BUCKET_ESCAPE = 7 };
enum { SHAPE_BUCKETS = 1 << BUCKET_SHAPE | 1 << BUCKET_JSON };

/* What is enough of a reason by itself. NULL: any byte. */
static const struct shape {
    unsigned bucket;
    const char *sets[TRIPLE_LEN];
} shapes[] = {
    {BUCKET_SHAPE, {"EW", ":", " \\"}},                    /* "E: x" */
    {BUCKET_SHAPE, {"EFW", " ,", " \\["}},                 /* "E   x", "E, [2026" */
    {BUCKET_SHAPE, {"EFW", "0123456789", "0123456789\\"}}, /* "E0412 12:00"; see is_glog */
    {BUCKET_SHAPE, {"EFW<", "\\", "ubfn"}},                /* something is taken out */
    {BUCKET_SHAPE, {"<", "0123456789", "0123456789>\\"}},  /* "<3>" */
    {BUCKET_JSON, {"{", "\\", NULL}},                      /* JSON in JSON: "{\"level" */
    {BUCKET_JSON, {"\"", "{", " \\"}},
};

/* ---- making --------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char other_case(char c)
{
    return is_letter(c) ? (char)(c ^ 0x20) : c;
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

static bool add_word(struct level_hint *h, const char *text, size_t len, enum hint_kind kind)
{
    if (len < TRIPLE_LEN || h->n_words == HINT_WORDS_MAX)
        return false;
    h->words[h->n_words++] = (struct hint_word){text, len, kind};
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
        unsigned bucket = word->text[0] == '"'
                              ? 0 /* every line is full of quotes */
                              : 1 + (unsigned)((i - 1) * (WORD_BUCKETS - 1) / h->n_words);

        h->begin[first_byte(word)] = (uint8_t)(i - 1);
        h->count[first_byte(word)]++;
        for (size_t k = 0; k < TRIPLE_LEN; k++) {
            triples_allow(&h->triples, bucket, k, (unsigned char)word->text[k]);
            if (word->kind == WORD_LEVEL)
                triples_allow(&h->triples, bucket, k, (unsigned char)other_case(word->text[k]));
        }
    }
}

/* What begins a line may be coloured piece by piece: its longest word is looked for, of several
   the last. Those that have none are among the shapes, or one character. */
static bool add_beginning(struct level_hint *h, const char *text)
{
    const char *best = text;
    size_t best_len = 0;

    for (const char *at = text; *at != '\0';) {
        size_t len = 0;

        while (is_word(at[len]))
            len++;
        if (len >= TRIPLE_LEN && len >= best_len) {
            best = at;
            best_len = len;
        }
        at += len > 0 ? len : 1;
    }
    if (best_len == 0 && (text[0] & 0x80) != 0)
        best_len = strcspn(text, " ");
    return best_len < TRIPLE_LEN || add_word(h, best, best_len, WORD_BEGINS);
}

static bool add_tables(struct level_hint *h, enum level least)
{
    static const char *const always[] = {"\"event\"", "\"gap\"", "\"level\"", "Exception", "Error"};
    const struct level_word *word;
    const char *text;
    enum level level;
    bool good = true;

    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        good = good && add_word(h, always[i], strlen(always[i]), WORD_ANYWHERE);
    for (size_t i = 0; (word = level_word_at(i)) != NULL; i++)
        if ((enum level)word->level >= least)
            good = good && add_word(h, word->text, strlen(word->text), WORD_LEVEL);
    for (size_t i = 0; (text = level_beginning_at(i, &level)) != NULL; i++)
        if (level >= least)
            good = good && add_beginning(h, text);
    return good;
}

/* A control character in the midst of a word: ESC, BS and the like are taken out before text is
   looked at. */
static void add_escapes(struct level_hint *h)
{
    for (unsigned byte = 0x21; byte < 0x7f; byte++)
        if (is_word((char)byte))
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

/* True if a word may go on at p. */
static bool goes_on(const char *p, const char *end)
{
    return p >= end || is_word(*p) || *p == '\\';
}

/* at: a character of a word before an escape. False if none comes behind it. */
static bool joins(const char *at, const char *end)
{
    static const char csi[] = "\\u001b[";
    enum { CSI_LEN = sizeof(csi) - 1, ESCAPE_LEN = CSI_LEN - 1, SHORT_LEN = 2 };
    const char *p = at + 1;

    if (p[1] != 'u')
        return goes_on(p + SHORT_LEN, end);
    if (end - p < CSI_LEN || memcmp(p, csi, ESCAPE_LEN) != 0)
        return goes_on(p + ESCAPE_LEN, end);
    while (end - p >= CSI_LEN && memcmp(p, csi, CSI_LEN) == 0) {
        for (p += CSI_LEN; p < end && *p > 0x20 && *p < 0x40 && *p != '"';)
            p++;
        if (p >= end || *p <= 0x20 || *p == '"' || *p == '\\')
            return true; /* not as simple as it looks */
        p++;
    }
    return goes_on(p, end);
}

/* True if a word may begin at `at`: what is before it is no part of one, or may be the end of
   an escape. */
static bool may_begin(const char *from, const char *at)
{
    enum { ESCAPE_MAX = 64 }; /* a longer one is not looked for, but taken for granted */
    const char *low = at - from > ESCAPE_MAX ? at - ESCAPE_MAX : from;

    if (at == from || !is_word(at[-1]))
        return true;
    for (at--; at > low && *at != '"' && *at != '\\';)
        at--;
    return *at != '"' || (at > from && at[-1] == '\\');
}

static bool is_in(const char *set, char c)
{
    return set == NULL || (c != '\0' && strchr(set, c) != NULL);
}

/* The whole of "E0412 12:", unless something in it is taken out: ids of builds are full of
   beginnings of that. */
static bool is_glog(const char *at, const char *end)
{
    static const char shape[] = "E0000 00:";

    for (size_t i = 1; i < sizeof(shape) - 1; i++) {
        if ((size_t)(end - at) <= i || at[i] == '\\')
            return true;
        if (shape[i] == '0' ? at[i] < '0' || at[i] > '9' : at[i] != shape[i])
            return false;
    }
    return true;
}

static bool shape_stands(const char *at, const char *end)
{
    if (at[1] >= '0' && at[1] <= '9' && *at != '<')
        return is_glog(at, end);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (is_in(shapes[i].sets[0], at[0]) && is_in(shapes[i].sets[1], at[1]) &&
            is_in(shapes[i].sets[2], at[2]))
            return true;
    return false;
}

/* from: the beginning of what may be looked at before it. */
static bool word_stands(const struct level_hint *h, const char *from, const char *at,
                        const char *end)
{
    unsigned char first = (unsigned char)(*at | 0x20);
    const struct hint_word *word = h->words + h->begin[first];

    for (size_t i = 0; i < h->count[first]; i++, word++) {
        const char *behind = at + word->len;

        if ((at[1] | 0x20) != (word->text[1] | 0x20) || (size_t)(end - at) < word->len)
            continue;
        if (word->kind == WORD_LEVEL ? strncasecmp(at, word->text, word->len) != 0
                                     : memcmp(at, word->text, word->len) != 0)
            continue;
        if (word->kind == WORD_LEVEL && behind < end && is_letter(*behind))
            continue;
        if (word->kind == WORD_ANYWHERE || may_begin(from, at))
            return true;
    }
    return false;
}

const char *level_hint_next(const struct level_hint *h, const char *from, const char *end)
{
    struct triples_walk walk = {.at = from, .end = end};
    const char *at;

    while ((at = triples_next(&h->triples, &walk)) != NULL) {
        unsigned buckets = triples_at(&h->triples, at);

        if ((buckets & SHAPE_BUCKETS) != 0 && shape_stands(at, end))
            return at;
        if ((buckets & (1U << BUCKET_ESCAPE)) != 0 && joins(at, end))
            return at;
        if ((buckets & ((1U << WORD_BUCKETS) - 1)) != 0 && word_stands(h, from, at, end))
            return at;
    }
    return NULL;
}
