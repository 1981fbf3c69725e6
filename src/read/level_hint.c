// SPDX-License-Identifier: MIT
#include "read/level_hint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "read/level_word.h"

/* Words share the first buckets; the others are each of one kind. */
enum { WORD_BUCKETS = 5, BUCKET_KEY = 5, BUCKET_SHAPE = 6, BUCKET_ESCAPE = 7 };

enum { WORD_MIN = 3 };

#define DIGITS "0123456789"

/* What begins a line and has no word long enough. NULL: any byte. */
static const struct shape {
    unsigned bucket;
    const char *sets[START_LEN];
} shapes[] = {
    {BUCKET_SHAPE, {"EW", ":", " \\", NULL}},         /* "E: x" */
    {BUCKET_SHAPE, {"EFW", " ,", " \\[", NULL}},     /* "E   x", "E, [2026" */
    {BUCKET_SHAPE, {"EFW", DIGITS, DIGITS "\\", NULL}}, /* "E0412 12:"; see is_glog */
    {BUCKET_SHAPE, {"EFW<", "\\", "ubfn", NULL}},    /* something is taken out */
    {BUCKET_SHAPE, {"<", DIGITS, DIGITS ">\\", NULL}}, /* "<3>" */
};

/* What the keys of level_json.c begin with, in either case, behind an escaped quote. */
#define KEY_FIRST "lLsSpP@"

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

/* The first bytes of a word, letters in lower case; and a number for them, different for
   different letters. */
static inline uint32_t fold(const char *at)
{
    return ((uint32_t)(unsigned char)at[0] | (uint32_t)(unsigned char)at[1] << 8 |
            (uint32_t)(unsigned char)at[2] << 16) | 0x202020;
}

static inline uint32_t hash(uint32_t first)
{
    return (first & 31) << 10 | (first >> 8 & 31) << 5 | (first >> 16 & 31);
}

static bool add_word(struct level_hint *h, struct hint_word word)
{
    if (word.len < WORD_MIN || h->n_words == HINT_WORDS_MAX)
        return false;
    word.first = fold(word.text);
    h->known[hash(word.first) / 8] |= (uint8_t)(1U << hash(word.first) % 8);
    h->words[h->n_words++] = word;
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

/* What a word may have for its k-th byte: one or both cases of a letter, or what follows it. */
static bool may_be(const struct hint_word *word, size_t k, char c)
{
    if (k < word->len)
        return c == word->text[k] || (word->kind == HINT_LEVEL && c == other_case(word->text[k]));
    return word->kind != HINT_LEVEL || !is_letter(c);
}

/* Logs are mostly of small letters. */
static unsigned commonness(char c)
{
    return c >= 'a' && c <= 'z' ? 4 : 1;
}

/* How often a bucket with this word in it would find something, on a scale of its own. */
static double cost_with(const struct starts *starts, unsigned bucket, const struct hint_word *word)
{
    double cost = 1;

    for (size_t k = 0; k < START_LEN; k++) {
        unsigned sum = 0;

        for (unsigned byte = 0; byte < 256; byte++)
            if ((starts->exact[k][byte] >> bucket & 1) != 0 || may_be(word, k, (char)byte))
                sum += commonness((char)byte);
        cost *= sum;
    }
    return cost;
}

/* Into the bucket that it mixes up the least. */
static void choose_bucket(struct starts *starts, const struct hint_word *word,
                          double costs[WORD_BUCKETS])
{
    unsigned best = 0;
    double best_more = 0;

    for (unsigned bucket = 0; bucket < WORD_BUCKETS; bucket++) {
        double more = cost_with(starts, bucket, word) - costs[bucket];

        if (bucket == 0 || more < best_more) {
            best = bucket;
            best_more = more;
        }
    }
    costs[best] += best_more;
    for (size_t k = 0; k < START_LEN; k++)
        for (unsigned byte = 0; byte < 256; byte++)
            if (may_be(word, k, (char)byte))
                starts_allow(starts, best, k, (unsigned char)byte);
}

static void index_words(struct level_hint *h)
{
    double costs[WORD_BUCKETS] = {0};

    qsort(h->words, h->n_words, sizeof(h->words[0]), by_first_byte);
    for (size_t i = h->n_words; i > 0; i--) {
        const struct hint_word *word = &h->words[i - 1];

        h->begin[first_byte(word)] = (uint8_t)(i - 1);
        h->count[first_byte(word)]++;
        choose_bucket(&h->starts, word, costs);
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
        if (len >= WORD_MIN && len >= best_len) {
            best = at;
            best_len = len;
        }
        at += len > 0 ? len : 1;
    }
    if (best_len == 0 && (text[0] & 0x80) != 0)
        best_len = strcspn(text, " ");
    return best_len < WORD_MIN ||
           add_word(h, (struct hint_word){.text = best, .len = best_len, .kind = HINT_BEGINNING,
                                          .beginning = text, .offset = (size_t)(best - text)});
}

static bool add_list(struct level_hint *h, const char *const *list, enum hint_kind kind)
{
    for (; *list != NULL; list++)
        if (!add_word(h, (struct hint_word){.text = *list, .len = strlen(*list), .kind = kind}))
            return false;
    return true;
}

static bool add_tables(struct level_hint *h, enum level least)
{
    static const char *const members[] = {"\"event\"", "\"gap\"", "\"level\"", NULL};
    static const char *const exceptions[] = {"Exception", "Error", NULL};
    const struct level_word *word;
    const char *text;
    enum level level;
    bool good = add_list(h, members, HINT_MEMBER) && add_list(h, exceptions, HINT_EXCEPTION);

    for (size_t i = 0; (word = level_word_at(i)) != NULL; i++)
        if ((enum level)word->level >= least)
            good = good && add_word(h, (struct hint_word){.text = word->text, .len = word->len,
                                                          .kind = HINT_LEVEL});
    for (size_t i = 0; (text = level_beginning_at(i, &level)) != NULL; i++)
        if (level >= least)
            good = good && add_beginning(h, text);
    return good;
}

/* A control character in the midst of a word, or between a quote and a key: ESC, BS and the like
   are taken out before text is looked at. */
static void add_escapes(struct level_hint *h)
{
    for (unsigned byte = 0x21; byte < 0x7f; byte++)
        if (is_word((char)byte) || byte == '"')
            starts_allow(&h->starts, BUCKET_ESCAPE, 0, (unsigned char)byte);
    starts_allow(&h->starts, BUCKET_ESCAPE, 1, '\\');
    for (const char *at = "ubfn"; *at != '\0'; at++)
        starts_allow(&h->starts, BUCKET_ESCAPE, 2, (unsigned char)*at);
    for (unsigned byte = 0; byte < 256; byte++)
        starts_allow(&h->starts, BUCKET_ESCAPE, 3, (unsigned char)byte);
}

bool level_hint_init(struct level_hint *h, enum level least)
{
    *h = (struct level_hint){.least = least};
    if (least < LEVEL_WARN)
        return false; /* what says nothing is "info" */
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        starts_add(&h->starts, shapes[i].bucket, shapes[i].sets);
    starts_add(&h->starts, BUCKET_KEY, (const char *const[]){"\\", "\"", KEY_FIRST, NULL});
    add_escapes(h);
    if (!add_tables(h, least))
        return false;
    index_words(h);
    return true;
}

/* ---- escape sequences ----------------------------------------------------------------------- */

/* "\u001b", as JSON spells ESC. */
static bool is_esc(const char *p)
{
    return memcmp(p, "\\u001", 5) == 0 && (p[5] | 0x20) == 'b';
}

enum { ESC_LEN = 6, CSI_LEN = 7, SHORT_LEN = 2 };

/* True if a word may go on at p. */
static bool goes_on(const char *p, const char *end)
{
    return p >= end || is_word(*p) || *p == '\\';
}

/* Behind the control character at p, and the CSI sequences if it begins some. NULL: what is there
   is not as simple. */
static const char *behind_escape(const char *p, const char *end)
{
    if (p[1] != 'u')
        return p + SHORT_LEN;
    if (end - p < CSI_LEN || !is_esc(p))
        return p + ESC_LEN;
    if (p[ESC_LEN] != '[')
        return NULL;
    while (end - p >= CSI_LEN && is_esc(p) && p[ESC_LEN] == '[') {
        for (p += CSI_LEN; p < end && *p > 0x20 && *p < 0x40 && *p != '"';)
            p++;
        if (p >= end || *p <= 0x20 || *p == '"' || *p == '\\')
            return NULL;
        p++;
    }
    return p;
}

static bool in(char c, char low, char high)
{
    return c >= low && c <= high;
}

/* Where the parameters of a CSI sequence that ends before `at` would begin; NULL: none ends
   there. What is not ASCII cuts one off. */
static inline const char *parameters_before(const char *from, const char *at)
{
    bool whole = at > from && in(at[-1], 0x40, 0x7e);
    const char *p = whole ? at - 1 : at;

    if (!whole && (*at & 0x80) == 0)
        return NULL;
    while (p > from && in(p[-1], 0x20, 0x3f))
        p--;
    return p;
}

static inline bool begins_csi(const char *from, const char *p)
{
    return p - from >= CSI_LEN && p[-1] == '[' && is_esc(p - CSI_LEN);
}

/* True if an escape may end at `at`, which is behind its spelling: "\t", "\u0007", "\u001bM",
   "\u001b(B", "\u001b(\"", or a CSI sequence, looked at backwards. */
static inline bool after_escape(const char *from, const char *at)
{
    ptrdiff_t n = at - from;
    const char *p;

    if (n >= SHORT_LEN && at[-SHORT_LEN] == '\\' && at[-1] != '"')
        return true;
    for (ptrdiff_t len = ESC_LEN; len <= ESC_LEN + 1 + SHORT_LEN && len <= n; len++)
        if (at[-len] == '\\' && at[1 - len] == 'u')
            return true;
    p = parameters_before(from, at);
    return p != NULL && p > from && (p[-1] == '\\' /* a quote among them */ || begins_csi(from, p));
}

/* True if what ends before `at` is surely a CSI sequence: nothing before it takes its ESC. */
static bool surely_csi(const char *from, const char *at)
{
    const char *p = parameters_before(from, at);

    if (p == NULL || !begins_csi(from, p))
        return false;
    p -= CSI_LEN; /* to the ESC */
    if (p > from && in(p[-1], 0x20, 0x2f))
        p--;
    return p - from < ESC_LEN || !is_esc(p - ESC_LEN);
}

/* at: a character of a word, or a quote, before an escape. False if what is taken out there joins
   nothing. */
static bool joins(const char *from, const char *at, const char *end)
{
    const char *behind = behind_escape(at + 1, end);

    if (surely_csi(from, at + 1))
        return false;
    if (behind == NULL || behind >= end)
        return true;
    if (*at == '"')
        return *behind == '\\' || strchr(KEY_FIRST, *behind) != NULL;
    return goes_on(behind, end);
}

/* ---- looking -------------------------------------------------------------------------------- */

/* A line, and of its text what the hint may rely on. */
struct line {
    const char *text; /* or where the line begins */
    const char *end;
    bool json;
    const char *escape; /* the first backslash, or end; NULL: not looked for yet */
};

/* after_escape, for the many lines that have none. */
static bool is_after_escape(struct line *line, const char *at)
{
    if (line->escape == NULL) {
        line->escape = memchr(line->text, '\\', (size_t)(line->end - line->text));
        line->escape = line->escape != NULL ? line->escape : line->end;
    }
    return at > line->escape && after_escape(line->text, at);
}

/* Text is cut off in the midst of words: from here on nothing is said about what follows them. */
static bool near_cut(const struct line *line, const char *at)
{
    enum { LOOKED_AT = 64 }; /* as far as anything here looks */

    return at - line->text > LEVEL_HEAD_MAX - LOOKED_AT;
}

/* The quote that opens a text, or closes it. */
static bool is_bare_quote(struct line *line, const char *at)
{
    return *at == '"' && (at == line->text || at[-1] != '\\');
}

/* True if a text may begin at `at`, or something of its own behind a blank. */
static bool may_begin(struct line *line, const char *at)
{
    return at == line->text || at[-1] == ' ' || is_bare_quote(line, at - 1) ||
           is_after_escape(line, at);
}

static bool is_in(const char *set, char c)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* The whole of "E0412 12:", unless something in it is taken out. */
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

static bool shape_stands(struct line *line, const char *at)
{
    if (!may_begin(line, at))
        return false;
    if (at[1] >= '0' && at[1] <= '9' && *at != '<')
        return is_glog(at, line->end);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (is_in(shapes[i].sets[0], at[0]) && is_in(shapes[i].sets[1], at[1]) &&
            is_in(shapes[i].sets[2], at[2]))
            return true;
    return false;
}

static const char *behind_blanks(const char *p, const char *end)
{
    while (p < end && *p == ' ')
        p++;
    return p;
}

/* at: of `\"` and a letter. True if a key and a value follow that say so, or may. */
static bool key_stands(struct line *line, const char *at, enum level least)
{
    struct raw_span key = {at + 2, 0};
    char value[LEVEL_VALUE_MAX + 1];
    size_t n = 0;
    const char *p = at + 2;

    while (p < line->end && *p != '\\' && *p != '"')
        p++;
    key.len = (size_t)(p - key.ptr);
    if (line->end - p < 2 || *p == '"')
        return false;
    if (p[1] != '"')
        return true;
    if (!level_json_key(key))
        return false;
    if (!line->json && near_cut(line, at))
        return true;
    p = behind_blanks(p + 2, line->end);
    if (p >= line->end || *p != ':')
        return p < line->end && *p == '\\';
    p = behind_blanks(p + 1, line->end);
    p += line->end - p >= 2 && p[0] == '\\' && p[1] == '"' ? 2 : 0;
    while (p < line->end && n < LEVEL_VALUE_MAX && !is_in("\\\",} ", *p))
        value[n++] = *p++;
    value[n] = '\0';
    if (line->end - p >= 2 && p[0] == '\\' && p[1] != '"')
        return true;
    return level_json_worst(key, value) >= least;
}

/* ---- words ---------------------------------------------------------------------------------- */

static bool in_capitals(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (in(at[i], 'a', 'z'))
            return false;
    return true;
}

/* True if the word that begins at `at` is the value of a field: `level=error`, `="WARN"`. */
static bool is_value(struct line *line, const char *at)
{
    const char *equals = at - line->text > 2 && at[-1] == '"' ? at - 3 : at - 1;

    if (equals == at - 3 && is_after_escape(line, at - SHORT_LEN))
        return true;
    if (equals <= line->text || *equals != '=' || (equals == at - 3 && at[-2] != '\\'))
        return false;
    return is_in("lLyY", equals[-1]) || is_after_escape(line, equals);
}

/* What stands before a word in some shape: see before_colon, boxed, alone and ends in
   level_text.c. */
static bool fits_before(struct line *line, const char *at)
{
    return at == line->text || is_in(" ])>:.[|(<", at[-1]) || is_bare_quote(line, at - 1);
}

/* The same behind a blank: "ERROR x", "[error ]", "error TS2304:", "error Command failed". */
static bool fits_behind_blank(struct line *line, const char *at, size_t n)
{
    const char *p = at + n;

    if (in_capitals(at, n))
        return true;
    while (p < line->end && *p == ' ')
        p++;
    return p >= line->end || in(*p, 'A', 'Z') || in(*p, '0', '9') || *p == 'p' ||
           is_in("]|)>\\\"", *p);
}

/* Behind a word that names a level. An escaped quote or backslash is in no shape. */
static bool fits_behind(struct line *line, const char *at, size_t n)
{
    const char *behind = at + n;
    size_t left = (size_t)(line->end - behind);

    if (left == 0)
        return true;
    switch (*behind) {
    case '\\':
        return left < 2 || (behind[1] != '"' && behind[1] != '\\');
    case ':':
        return left < 2 || !is_in(":/", behind[1]);
    case ' ':
        return fits_behind_blank(line, at, n);
    default:
        return is_in("][|)>\"", *behind);
    }
}

static bool level_stands(struct line *line, const char *at, size_t n)
{
    if (at + n < line->end && is_letter(at[n]))
        return false;
    if (fits_before(line, at))
        return fits_behind(line, at, n) || is_after_escape(line, at);
    return is_value(line, at) || is_after_escape(line, at);
}

/* "TypeError: x", or the line ends there. */
static bool exception_stands(struct line *line, const char *at, size_t n)
{
    const char *p = at + n;

    if (at == line->text || !is_word(at[-1]))
        return false;
    if (p < line->end && *p == ':')
        return line->end - p < 2 || is_in(" \\\"", p[1]);
    while (p < line->end && *p == ' ')
        p++;
    return p >= line->end || *p == '\\' || *p == '"';
}

/* The rest of the beginning around its word. Where there is an escape sequence instead, anything
   may be. */
static bool beginning_stands(struct line *line, const char *at, const struct hint_word *word)
{
    const char *rest = word->beginning + word->offset + word->len;
    const char *p = at + word->len;

    for (; *rest != '\0'; rest++, p++) {
        if (p >= line->end)
            return false;
        if (*p != *rest)
            return *p == '\\';
    }
    p = at;
    for (size_t i = word->offset; i > 0; i--, p--) {
        if (p == line->text)
            return false;
        if (p[-1] != word->beginning[i - 1])
            return is_after_escape(line, p) || is_after_escape(line, p + 1) ||
                   is_after_escape(line, p + 2); /* its end may look like the beginning's */
    }
    return may_begin(line, p);
}

/* True if any word of the table but a member, or the end of an exception's name, may begin at
   `at`. */
static bool word_may_begin(struct line *line, const char *at)
{
    static const bool before[256] = {
        [' '] = true, [']'] = true, [')'] = true, ['>'] = true, [':'] = true, ['.'] = true,
        ['['] = true, ['|'] = true, ['('] = true, ['<'] = true, ['='] = true, ['"'] = true,
    };

    return at == line->text || before[(unsigned char)at[-1]] || is_after_escape(line, at);
}

static bool spelled_at(const struct hint_word *word, const char *at)
{
    char fold = word->kind == HINT_LEVEL ? 0x20 : 0;

    for (size_t i = fold != 0 ? WORD_MIN : 0; i < word->len; i++)
        if ((at[i] | fold) != word->text[i])
            return false;
    return true;
}

static bool word_stands(const struct level_hint *h, struct line *line, const char *at)
{
    uint32_t first = fold(at);
    const struct hint_word *word = h->words + h->begin[first & 0xff];

    if ((h->known[hash(first) / 8] >> hash(first) % 8 & 1) == 0)
        return false;
    if (*at != '"' && *at != 'E' && !word_may_begin(line, at))
        return false;
    for (size_t i = 0; i < h->count[first & 0xff]; i++, word++) {
        bool stands;

        if (word->first != first || (size_t)(line->end - at) < word->len ||
            !spelled_at(word, at))
            continue;
        if (word->kind == HINT_MEMBER)
            return true;
        if (line->json)
            continue; /* its keys say what it is */
        if (word->kind == HINT_LEVEL)
            stands = level_stands(line, at, word->len);
        else if (word->kind == HINT_EXCEPTION)
            stands = exception_stands(line, at, word->len);
        else
            stands = beginning_stands(line, at, word);
        if (stands || near_cut(line, at))
            return true;
    }
    return false;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static bool stands(const struct level_hint *h, struct line *line, const char *at)
{
    unsigned buckets = starts_at(&h->starts, at);

    if ((buckets & ((1U << WORD_BUCKETS) - 1)) != 0 && word_stands(h, line, at))
        return true;
    if ((buckets & (1U << BUCKET_KEY)) != 0 && key_stands(line, at, h->least))
        return true;
    if (line->json)
        return false;
    return ((buckets & (1U << BUCKET_SHAPE)) != 0 && shape_stands(line, at)) ||
           ((buckets & (1U << BUCKET_ESCAPE)) != 0 && joins(line->text, at, line->end));
}

const char *level_hint_next(const struct level_hint *h, struct line_text *seen, const char *from,
                            const char *end)
{
    while (from < end) {
        const char *text = line_text_find(seen, from, end);
        const char *start = text != NULL ? text : from;
        const char *newline = memchr(start, '\n', (size_t)(end - start));
        struct line line = {.text = start, .end = newline != NULL ? newline : end};
        struct starts_walk walk = {.at = start, .end = line.end, .room = end};
        const char *at;

        line.json = text != NULL && end - text > 3 && memcmp(text, "{\\\"", 3) == 0;
        while ((at = starts_next(&h->starts, &walk)) != NULL)
            if (stands(h, &line, at))
                return at;
        from = newline != NULL ? newline + 1 : end;
    }
    return NULL;
}
