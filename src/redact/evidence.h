// SPDX-License-Identifier: MIT
/*
 * What bytes look like: kinds of characters and how they change, by which a random string is
 * told from a word. Of many bytes at once: candidates that wait for evidence share the sum.
 */
#ifndef REDACT_EVIDENCE_H
#define REDACT_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "redact/rules.h"

extern const uint8_t evidence_kinds[256]; /* enum byte_kind, but KIND_SIGN */
extern const uint8_t evidence_has[256];

/* Of bytes in a row. */
struct evidence_sum {
    uint8_t first; /* kinds of the first byte and the last */
    uint8_t last;
    uint8_t has;
    size_t n;
    size_t mix;    /* changes of kind, but from a capital to a small letter */
    size_t digits;
    size_t head;   /* letters and digits before any other byte, */
    size_t tail;   /* and behind the last other byte */
    size_t longest;
};

/* n > 0. */
void evidence_sum_up(struct evidence_sum *sum, const uint8_t *bytes, size_t n);

#endif
