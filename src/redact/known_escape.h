// SPDX-License-Identifier: MIT
/* Escape sequences, which known values are found across. Called by known.c and known_*.c. */
#ifndef REDACT_KNOWN_ESCAPE_H
#define REDACT_KNOWN_ESCAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "redact/escape.h"

enum { KNOWN_ESC = ESC, KNOWN_ESC_PARAMS_MAX = 32 /* more: it is text after all */ };
enum { KNOWN_ESC_NONE = ESCAPE_NONE };

struct known_escape {
    uint8_t state; /* enum escape_state, as far as escape_next takes it */
    uint8_t params;
};

/* True if the byte is part of an escape sequence: ESC, or what escape_next takes behind it. */
static inline bool known_escape_takes(struct known_escape *s, uint8_t byte)
{
    enum escape_state next;

    if (byte == KNOWN_ESC) {
        *s = (struct known_escape){ESCAPE_BEGUN, 0};
        return true;
    }
    next = escape_next(s->state, byte);
    if (s->state == ESCAPE_CSI && next < ESCAPE_WHOLE && s->params++ == KNOWN_ESC_PARAMS_MAX)
        next = ESCAPE_BROKEN;
    s->state = next < ESCAPE_WHOLE ? (uint8_t)next : ESCAPE_NONE;
    return next != ESCAPE_BROKEN;
}

#endif
