// SPDX-License-Identifier: MIT
/*
 * Finds the places that are worth a look: where the print of some anchor ends, and behind an
 * ESC that may matter. The caller looks at the rest. The variants differ in speed, and in how
 * many of the places they give are nothing; none leaves one out.
 *
 * Most escape sequences colour a word and are nothing to anybody: whole, and no print stands
 * across them. These are no places; the map remembers where they are.
 */
#ifndef REDACT_FINDER_H
#define REDACT_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/rules.h"

enum {
    FINDER_WINDOW = 2048, /* places that are looked at in one go, a multiple of 64 */
    FINDER_SPARE = 64     /* room behind a list for what is written but does not count */
};

/* What the vectors of a window leave: places that fit a bucket. */
struct finder_hits {
    size_t n_hashed;
    size_t n_broad;
    uint16_t hashed[FINDER_WINDOW + FINDER_SPARE];
    uint16_t broad[FINDER_WINDOW + FINDER_SPARE];
    uint64_t any_escape; /* all of escapes */
    uint64_t escapes[FINDER_WINDOW / 64];
};

/* The places of a window: bit p stands for the place where data[base + p, base + p + 4) ends. */
struct finder_map {
    size_t base;
    size_t len;     /* places; 0: there is no window */
    size_t skimmed; /* behind the last escape sequence that is no place, or was one */
    size_t last;    /* behind the last ESC before this window; 0: none */
    bool any_escape;
    uint64_t bits[FINDER_WINDOW / 64];
    uint64_t escapes[FINDER_WINDOW / 64]; /* if any_escape: places that end in ESC */
};

/*
 * Lists the places that begin at data, in blocks of 64, as many as n takes; returns how many
 * places these are. Three bytes behind the last place can be read.
 */
typedef size_t finder_fn(const struct finder_tables *t, const uint8_t *data, size_t n,
                         struct finder_hits *h);

/*
 * The smallest e >= from (and >= 4) such that data[e-4..e) is a place; SIZE_MAX if there is
 * none up to len. The map is kept between calls, which go forward, and zeroed when data is
 * other data.
 */
size_t finder_next(finder_fn *find, const struct finder_tables *t, const uint8_t *data,
                   size_t len, size_t from, struct finder_map *m);

/* The same if it is among the 64 places from `from` on, and these in the map; else 0. */
static inline size_t finder_near(const struct finder_map *m, size_t from)
{
    size_t at = from - ANCHOR_PRINT - m->base;
    uint64_t word = from >= ANCHOR_PRINT && at < m->len ? m->bits[at / 64] >> at % 64 : 0;

    return word != 0 ? from + (size_t)__builtin_ctzll(word) : 0;
}

/* Behind the last ESC in data[3, upto) as far as the map's windows went; 0: none. */
size_t finder_escape_in(const struct finder_map *m, size_t upto);

static inline size_t finder_escape(const struct finder_map *m, size_t upto)
{
    return m->any_escape ? finder_escape_in(m, upto) : m->last;
}

enum finder_kind { FINDER_PORTABLE, FINDER_NEON, FINDER_SSSE3, FINDER_AVX2, FINDER_AVX512,
                   N_FINDERS };

bool finder_available(enum finder_kind kind);
finder_fn *finder_get(enum finder_kind kind); /* of an available kind */
finder_fn *finder_best(void);

static inline bool finder_has_bit(const uint32_t *table, uint32_t hash)
{
    return (table[hash >> 5] >> (hash & 31) & 1) != 0;
}

static inline uint32_t finder_word(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t finder_long(const uint8_t *p)
{
    return (uint64_t)finder_word(p) | (uint64_t)finder_word(p + 4) << 32;
}

static inline bool finder_is_hashed(const struct finder_tables *t, const uint8_t *p)
{
    uint32_t word = finder_word(p);
    uint32_t three = print_hash(word >> 8);

    return finder_has_bit(t->three, three) &&
           (finder_has_bit(t->whole, print_hash(word)) || finder_has_bit(t->most, three));
}

/* These four bytes may be a print of the bucket that no hash tells of. */
static inline bool finder_is_broad(const struct finder_tables *t, const uint8_t *p)
{
    return (t->bytes[0][p[0]] & t->bytes[1][p[1]] & t->bytes[2][p[2]] & t->bytes[3][p[3]]) != 0;
}

/* These four bytes may be a print. */
static inline bool finder_is_place(const struct finder_tables *t, const uint8_t *p)
{
    return finder_is_hashed(t, p) || finder_is_broad(t, p);
}

#endif
