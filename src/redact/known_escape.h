// SPDX-License-Identifier: MIT
/* Escape sequences, which known values are found across. Called by known.c and known_scan.c. */
#ifndef REDACT_KNOWN_ESCAPE_H
#define REDACT_KNOWN_ESCAPE_H

#include <stdbool.h>
#include <stdint.h>

enum { KNOWN_ESC = 0x1b, KNOWN_ESC_PARAMS_MAX = 32 /* more: it is text after all */ };

struct known_escape {
    uint8_t state;
    uint8_t params;
};

enum known_escape_state { KNOWN_ESC_NONE, KNOWN_ESC_BEGUN, KNOWN_ESC_CSI };

/* True if the byte is part of an escape sequence: ESC, and "[" to the final byte after it
   (ECMA-48 5.4: parameters and intermediates 0x20-0x3f, final byte 0x40-0x7e). */
static inline bool known_escape_takes(struct known_escape *s, uint8_t byte)
{
    if (byte == KNOWN_ESC) {
        *s = (struct known_escape){KNOWN_ESC_BEGUN, 0};
        return true;
    }
    if (s->state == KNOWN_ESC_BEGUN && byte == '[') {
        s->state = KNOWN_ESC_CSI;
        return true;
    }
    if (s->state == KNOWN_ESC_CSI && byte >= 0x20 && byte < 0x40 &&
        s->params < KNOWN_ESC_PARAMS_MAX) {
        s->params++;
        return true;
    }
    if (s->state == KNOWN_ESC_CSI && byte >= 0x40 && byte <= 0x7e) {
        s->state = KNOWN_ESC_NONE;
        return true;
    }
    s->state = KNOWN_ESC_NONE;
    return false;
}

#endif
