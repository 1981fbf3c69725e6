// SPDX-License-Identifier: MIT
/*
 * Finds where an anchor may end: places whose last three bytes are those of some anchor.
 * The caller looks at the rest. Every variant gives the same places; they differ in speed.
 */
#ifndef REDACT_FINDER_H
#define REDACT_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/rules.h"

/*
 * The smallest e >= from (and >= 3) such that data[e-3..e) is the end of some anchor;
 * SIZE_MAX if there is none up to len.
 */
typedef size_t finder_fn(const uint8_t *data, size_t len, size_t from);

enum finder_kind { FINDER_PORTABLE, FINDER_SSSE3, FINDER_AVX2, N_FINDERS };

bool finder_available(enum finder_kind kind);
finder_fn *finder_get(enum finder_kind kind);
finder_fn *finder_best(void);

/* The buckets whose anchors may end in these three bytes. */
static inline uint8_t finder_buckets(uint8_t a, uint8_t b, uint8_t c)
{
    return anchor_bytes[0][a] & anchor_bytes[1][b] & anchor_bytes[2][c];
}

#endif
