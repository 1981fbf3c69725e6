// SPDX-License-Identifier: MIT
/*
 * Finds where one of a few texts that are known at run time only may begin: places whose next
 * PRINT_LEN bytes fit one of them. The caller looks at the rest. The search is the one of
 * finder.h, over the first bytes instead of the last; every variant gives the same places.
 */
#ifndef REDACT_PRINTS_H
#define REDACT_PRINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PRINT_LEN = 3, PRINT_BUCKETS = 8 };

/* Bit b of bytes[i][c]: a text of bucket b may have c there; nibbles say the same of the low
   and high half of c. Zero-initialised finds nothing. */
struct prints {
    uint8_t bytes[PRINT_LEN][256];
    uint8_t nibbles[PRINT_LEN][2][16];
};

/* A text of this bucket may have byte at place at. */
void prints_allow(struct prints *p, unsigned bucket, size_t at, uint8_t byte);
void prints_allow_any(struct prints *p, unsigned bucket, size_t at);

enum prints_kind { PRINTS_PORTABLE, PRINTS_SSSE3, PRINTS_AVX2, N_PRINTS };

bool prints_available(enum prints_kind kind);

/*
 * The smallest i >= from at which a text may begin in data[0, len), also one that data cuts
 * off; len if there is none.
 */
size_t prints_find(enum prints_kind kind, const struct prints *p, const uint8_t *data,
                   size_t len, size_t from);
size_t prints_next(const struct prints *p, const uint8_t *data, size_t len, size_t from);

#endif
