// SPDX-License-Identifier: MIT
/*
 * Finds the places that are worth a look: where the print of some anchor ends, and behind
 * every ESC. The caller looks at the rest. Every variant gives the same places; they differ
 * in speed.
 */
#ifndef REDACT_FINDER_H
#define REDACT_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/rules.h"

/*
 * The smallest e >= from (and >= 4) such that data[e-4..e) may be the print of an anchor or
 * ends in ESC; SIZE_MAX if there is none up to len.
 */
typedef size_t finder_fn(const struct finder_tables *t, const uint8_t *data, size_t len,
                         size_t from);

enum finder_kind { FINDER_PORTABLE, FINDER_NEON, FINDER_SSSE3, FINDER_AVX2, N_FINDERS };

bool finder_available(enum finder_kind kind);
finder_fn *finder_get(enum finder_kind kind); /* of an available kind */
finder_fn *finder_best(void);

/* The buckets whose prints may be these four bytes. */
static inline uint8_t finder_buckets(const struct finder_tables *t, const uint8_t *p)
{
    return t->bytes[0][p[0]] & t->bytes[1][p[1]] & t->bytes[2][p[2]] & t->bytes[3][p[3]];
}

#endif
