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

/*
 * An e >= from (and >= 4) such that data[e-4..e) may be the print of an anchor or ends in ESC,
 * none that is one left out before it; SIZE_MAX if there is none up to len.
 */
struct finder_block;
typedef size_t finder_fn(const struct finder_tables *t, const uint8_t *data, size_t len,
                         size_t from, struct finder_block *b);

/* What a block of places came to: a bit for each that fits a bucket, those that fit one of the
   last two apart. Kept between calls, so that the next place of a block costs no new search.
   Zeroed when data is other data. */
struct finder_block {
    size_t base;   /* of the block's first place, whose print begins there */
    size_t places; /* how many it has; 0: there is none */
    uint32_t hashed;
    uint32_t broad;
};

enum finder_kind { FINDER_PORTABLE, FINDER_NEON, FINDER_SSSE3, FINDER_AVX2, N_FINDERS };

bool finder_available(enum finder_kind kind);
finder_fn *finder_get(enum finder_kind kind); /* of an available kind */
finder_fn *finder_best(void);

/* These four bytes may be a print of one of the two buckets that no hash tells of. */
static inline bool finder_is_broad(const struct finder_tables *t, const uint8_t *p)
{
    return (t->bytes[0][p[0]] & t->bytes[1][p[1]] & t->bytes[2][p[2]] & t->bytes[3][p[3]]) != 0;
}

static inline bool finder_is_hashed(const struct finder_tables *t, const uint8_t *p)
{
    uint32_t bytes = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                     (uint32_t)p[3] << 24;
    uint32_t whole = print_hash(bytes);
    uint32_t most = print_hash(bytes >> 8);

    return ((t->whole[whole >> 5] >> (whole & 31) | t->most[most >> 5] >> (most & 31)) & 1) != 0;
}

/* These four bytes may be a print, or end in ESC. */
static inline bool finder_is_place(const struct finder_tables *t, const uint8_t *p)
{
    return finder_is_hashed(t, p) || finder_is_broad(t, p);
}

#endif
