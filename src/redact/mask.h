// SPDX-License-Identifier: MIT
/*
 * Lines that register a value: "::add-mask::VALUE" (GitHub's workflow commands). The value is
 * replaced like any other and handed to the set's owner when its line is complete.
 *
 * Where the line has to reach its reader as it is (the runner that acts on it), a redactor is
 * told to pass such lines: then nothing on them is touched.
 */
#ifndef REDACT_MASK_H
#define REDACT_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redactor;

enum { MASK_VALUE_MAX = 64 << 10 }; /* longer values are replaced but not handed on */

enum mask_state { MASK_OFF, MASK_VALUE, MASK_PASS };

struct mask {
    enum mask_state state;
    uint32_t match; /* open, over the value */
    size_t len;     /* bytes of the value so far; MASK_VALUE_MAX + 1: too long */
    bool cr;        /* the byte before was CR */
};

void mask_begin(struct redactor *r); /* the anchor ended at s.pos */
bool mask_step(struct redactor *r, uint8_t byte); /* one byte at s.pos; true: decided */
void mask_finish(struct redactor *r);

static inline bool mask_live(const struct mask *m)
{
    return m->state != MASK_OFF;
}

#endif
