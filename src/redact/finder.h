// SPDX-License-Identifier: MIT
/*
 * Finds the places that are worth a look: where the print of some anchor ends, and behind
 * every ESC. The caller looks at the rest. The variants differ in speed, and in how many of
 * the places they give are nothing; none leaves one out.
 */
#ifndef REDACT_FINDER_H
#define REDACT_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/rules.h"

enum { FINDER_WINDOW = 2048 }; /* places that are looked at in one go, a multiple of 64 */

/* The places of a window: bit p stands for the place where data[base + p, base + p + 4) ends. */
struct finder_map {
    size_t base;
    size_t len; /* places; 0: there is no window */
    uint64_t bits[FINDER_WINDOW / 64];
};

/*
 * Fills the map for the places from m->base on, as many as data has and the window takes, and
 * sets m->len. A bit is set where data may hold the print of an anchor or ends in ESC; none of
 * these is left out.
 */
typedef void finder_fn(const struct finder_tables *t, const uint8_t *data, size_t len,
                       struct finder_map *m);

/*
 * The smallest e >= from (and >= 4) such that data[e-4..e) is such a place; SIZE_MAX if there
 * is none up to len. The map is kept between calls, and zeroed when data is other data.
 */
size_t finder_next(finder_fn *find, const struct finder_tables *t, const uint8_t *data,
                   size_t len, size_t from, struct finder_map *m);

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

static inline bool finder_is_hashed(const struct finder_tables *t, const uint8_t *p)
{
    uint32_t word = finder_word(p);
    uint32_t three = print_hash(word >> 8);

    return finder_has_bit(t->three, three) &&
           (finder_has_bit(t->whole, print_hash(word)) || finder_has_bit(t->most, three));
}

/* These four bytes may be a print of one of the two buckets that no hash tells of. */
static inline bool finder_is_broad(const struct finder_tables *t, const uint8_t *p)
{
    return (t->bytes[0][p[0]] & t->bytes[1][p[1]] & t->bytes[2][p[2]] & t->bytes[3][p[3]]) != 0;
}

/* These four bytes may be a print, or end in ESC. */
static inline bool finder_is_place(const struct finder_tables *t, const uint8_t *p)
{
    return finder_is_hashed(t, p) || finder_is_broad(t, p);
}

#endif
