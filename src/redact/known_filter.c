// SPDX-License-Identifier: MIT
/*
 * Where may a form begin? Every stride-th gram of the logical stream is looked up; a form whose
 * first byte lies behind the last gram that was not there cannot be ruled out when one is.
 * The price for a byte is the same for one value and for thousands, as long as the words of
 * the filter stay in a near cache.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "redact/known_set.h"

enum {
    GRAM_LONG = 8,
    STRIDE_LONG = 8,
    GRAM_SHORT = 5, /* forms too short for the long ones */
    STRIDE_SHORT = 4,
    WORD_BITS = 64,
    PROBES = 3,
    BITS_PER_GRAM = 16, /* at most a fifth of the bits set: one gram in 120 is told wrongly, and
                           one in some thousands after a look at its neighbours */
    WORDS_MIN = 16,
    ESCAPE_MAX = 2 + KNOWN_ESC_PARAMS_MAX + 1
};

_Static_assert(FILTER_PRINT == GRAM_LONG + STRIDE_LONG - 1, "a form is told by its print");
_Static_assert(KNOWN_FLOOR == GRAM_SHORT + STRIDE_SHORT - 1, "the shortest form has a print");

enum err_code known_filter_init(struct known_filter *f, size_t n, size_t shortest)
{
    bool is_long = shortest >= FILTER_PRINT;
    size_t words = WORDS_MIN;

    *f = (struct known_filter){.gram = is_long ? GRAM_LONG : GRAM_SHORT,
                         .stride = is_long ? STRIDE_LONG : STRIDE_SHORT};
    while (words * WORD_BITS < n * f->stride * BITS_PER_GRAM)
        words *= 2;
    f->words = calloc(words, sizeof(*f->words));
    if (f->words == NULL)
        return ERR_MEMORY;
    f->n_words = words;
    f->shift = WORD_BITS - (unsigned)__builtin_ctzll(words);
    return ERR_NONE;
}

void known_filter_release(struct known_filter *f)
{
    if (f->words != NULL)
        explicit_bzero(f->words, f->n_words * sizeof(*f->words));
    free(f->words);
    *f = (struct known_filter){.n_words = 0};
}

bool known_filter_fits(const struct known_filter *f, size_t shortest, size_t n_more)
{
    return f->n_words > 0 && (shortest >= FILTER_PRINT || f->gram == GRAM_SHORT) &&
           (f->n_grams + n_more * f->stride) * BITS_PER_GRAM <= f->n_words * WORD_BITS;
}

/* ---- grams ------------------------------------------------------------------------- */

static inline uint64_t load(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

static inline uint64_t gram_hash(uint64_t gram)
{
    return gram * UINT64_C(0x9e3779b97f4a7c15);
}

/* The word by the highest bits of the product; the bits in it by those just below. */
static inline size_t gram_word(const struct known_filter *f, uint64_t hash)
{
    return (size_t)(hash >> f->shift);
}

static inline uint64_t gram_bits(const struct known_filter *f, uint64_t hash)
{
    uint64_t low = hash >> (f->shift - 6 * PROBES);

    return UINT64_C(1) << (low & 63) | UINT64_C(1) << (low >> 6 & 63) |
           UINT64_C(1) << (low >> 12 & 63);
}

static inline bool gram_there(const struct known_filter *f, uint64_t gram)
{
    uint64_t hash = gram_hash(gram);
    uint64_t bits = gram_bits(f, hash);

    return (f->words[gram_word(f, hash)] & bits) == bits;
}

static inline uint64_t gram_mask(uint32_t gram)
{
    return gram == GRAM_LONG ? UINT64_MAX : (UINT64_C(1) << 8 * GRAM_SHORT) - 1;
}

void known_filter_add(struct known_filter *f, const uint8_t print[FILTER_PRINT])
{
    uint8_t padded[FILTER_PRINT + sizeof(uint64_t)] = {0};

    memcpy(padded, print, FILTER_PRINT);
    for (uint32_t i = 0; i < f->stride; i++) {
        uint64_t hash = gram_hash(load(padded + i) & gram_mask(f->gram));

        f->words[gram_word(f, hash)] |= gram_bits(f, hash);
    }
    f->n_grams += f->stride;
    explicit_bzero(padded, sizeof(padded));
}

/* ---- search ------------------------------------------------------------------------ */

/* A gram where line ends or escape sequences are about: its bytes, one by one. */
struct gather {
    uint64_t gram;
    size_t first; /* where its first byte is */
    size_t next;  /* where the stride ends */
};

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

/* Passes over line ends, indentation and escape sequences from `at` on. */
static size_t skip_unseen(const uint8_t *data, size_t len, size_t at)
{
    struct known_escape escape = {0, 0};
    bool begun = false;
    unsigned indent = 0;

    for (; at < len; at++) {
        if (known_escape_takes(&escape, data[at]))
            continue;
        if (is_line_end(data[at])) {
            begun = true;
            indent = 0;
        } else if (!begun || (data[at] != ' ' && data[at] != '\t') ||
                   indent++ >= KNOWN_INDENT_MAX) {
            break;
        }
    }
    return at;
}

/* False if the input ends within the gram. */
static bool gather(const struct known_filter *f, const uint8_t *data, size_t len, size_t at,
                   struct gather *g)
{
    g->gram = 0;
    for (uint32_t n = 0; n < f->gram; n++) {
        if (at < len && data[at] < 0x20)
            at = skip_unseen(data, len, at);
        if (n == f->stride)
            g->next = at;
        if (at >= len)
            return false;
        if (n == 0)
            g->first = at;
        g->gram |= (uint64_t)data[at++] << 8 * n;
    }
    if (f->gram == f->stride)
        g->next = at;
    return true;
}

/* Bytes below 0x20 among the eight, Mycroft's test: the lowest bit set is that of the first
   one, the higher ones may be wrong. */
static inline uint64_t controls(uint64_t v)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);

    return (v - ones * 0x20) & ~v & ones * 0x80;
}

/*
 * The usual way of a gram over a line end: one LF in it, text up to it and after it. at is
 * where the gram's eight bytes v begin; there must be nine. False: not that simple.
 */
static inline bool join_line(const uint8_t *at, uint64_t v, uint64_t *gram)
{
    unsigned bit = (unsigned)__builtin_ctzll(controls(v)) & ~7U; /* of the LF in v */
    uint64_t low = (UINT64_C(1) << bit) - 1;
    uint64_t after = load(at + 1);
    uint8_t first = at[bit / 8 + 1];

    *gram = (v & low) | (after & ~low);
    return at[bit / 8] == '\n' && first != ' ' && controls(after | low) == 0;
}

/* True if the byte before `at` may not be the logical one before it. */
static bool unseen_before(const uint8_t *data, size_t from, size_t at)
{
    size_t reach = at - from < ESCAPE_MAX ? at - from : ESCAPE_MAX;

    return data[at - 1] <= ' ' || memrchr(data + at - reach, KNOWN_ESC, reach) != NULL;
}

/*
 * A second look at a gram that was there. It is the o-th of a form; the form's gram o - 1 or
 * o + 1 is there as well, one byte before or after. True where that cannot be told.
 */
static bool confirmed(const struct known_filter *f, const uint8_t *data, size_t len, size_t from,
                      size_t at)
{
    uint64_t mask = gram_mask(f->gram);
    uint64_t after;

    if (len - at <= sizeof(after))
        return true;
    after = load(data + at + 1);
    if (controls(after) != 0 || gram_there(f, after & mask))
        return true;
    return at > from &&
           (unseen_before(data, from, at) || gram_there(f, load(data + at - 1) & mask));
}

/* inline, with constants: the loop that most bytes of most streams go through. */
static inline __attribute__((always_inline)) size_t find(const struct known_filter *f,
                                                         const uint8_t *data, size_t len,
                                                         size_t from, uint32_t gram,
                                                         uint32_t stride)
{
    size_t begin = from; /* forms before are ruled out */
    size_t at = from;

    while (at < len && len - at > sizeof(uint64_t)) {
        uint64_t v = load(data + at);
        struct gather g = {.gram = v & gram_mask(gram), .first = at, .next = at + stride};
        bool plain = controls(v) == 0;

        if (__builtin_expect(!plain, 0)) {
            if (gram == GRAM_LONG && join_line(data + at, v, &g.gram))
                g.next++;
            else if (!gather(f, data, len, at, &g))
                return begin;
        }
        if (__builtin_expect(gram_there(f, g.gram), 0) &&
            (!plain || confirmed(f, data, len, from, at)))
            return begin;
        begin = g.first + 1;
        at = g.next;
    }
    return begin;
}

size_t known_filter_find(const struct known_filter *f, const uint8_t *data, size_t len, size_t from)
{
    if (f->n_words == 0)
        return from;
    if (f->gram == GRAM_LONG)
        return find(f, data, len, from, GRAM_LONG, STRIDE_LONG);
    return find(f, data, len, from, GRAM_SHORT, STRIDE_SHORT);
}
