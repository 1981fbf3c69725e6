// SPDX-License-Identifier: MIT
/*
 * Escape sequences as terminals take them: CSI (ECMA-48, 5.4) and those that name a character
 * set, such as "ESC ( B" (ECMA-35, 13). Anything else behind an ESC is none.
 *
 * Of those with intermediate bytes only the ones that programs write are taken: by the standards
 * a blank or a quote would do, and of "ESC [ 22" that was cut off with a token behind it, the
 * token's first letter would be the end. They are "CSI ... SP q" (the cursor's style), "CSI ! p"
 * (soft reset), "CSI ... $ p" (asks for a mode) and character sets by capitals and digits.
 */
#ifndef REDACT_ESCAPE_H
#define REDACT_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ESC = 0x1b,
    ESCAPE_LONGEST = 64 /* bytes of the longest that is one, its ESC included */
};

enum escape_state {
    ESCAPE_NONE,
    ESCAPE_BEGUN,   /* behind the ESC */
    ESCAPE_CSI,     /* parameters */
    ESCAPE_CSI_Q,   /* only this one may follow */
    ESCAPE_CSI_P,
    ESCAPE_CHARSET, /* its final byte */
    ESCAPE_WHOLE,   /* with this byte */
    ESCAPE_BROKEN   /* before it: the byte is none of it */
};

static inline bool escape_is_parameter(uint8_t c)
{
    return c >= 0x30 && c <= 0x3f;
}

/* What "ESC [" and its parameters end with, if nothing stands between. */
static inline bool escape_is_final(uint8_t c)
{
    return c >= 0x40 && c <= 0x7e;
}

static inline bool escape_is_charset(uint8_t c)
{
    return c == '(' || c == ')' || (c >= '*' && c <= '/' && c != ',') || c == '#' || c == '%';
}

static inline bool escape_is_charset_final(uint8_t c)
{
    return c >= 0x30 && c <= 0x5f;
}

/* The state behind an intermediate byte of a CSI. */
static inline enum escape_state escape_intermediate(uint8_t c)
{
    return c == ' ' ? ESCAPE_CSI_Q : c == '!' || c == '$' ? ESCAPE_CSI_P : ESCAPE_BROKEN;
}

/* Within a sequence: the state behind the next byte. */
static inline enum escape_state escape_next(enum escape_state state, uint8_t byte)
{
    switch (state) {
    case ESCAPE_BEGUN:
        return byte == '[' ? ESCAPE_CSI : escape_is_charset(byte) ? ESCAPE_CHARSET : ESCAPE_BROKEN;
    case ESCAPE_CSI:
        if (escape_is_parameter(byte))
            return ESCAPE_CSI;
        return escape_is_final(byte) ? ESCAPE_WHOLE : escape_intermediate(byte);
    case ESCAPE_CSI_Q:
        return byte == 'q' ? ESCAPE_WHOLE : ESCAPE_BROKEN;
    case ESCAPE_CSI_P:
        return byte == 'p' ? ESCAPE_WHOLE : ESCAPE_BROKEN;
    case ESCAPE_CHARSET:
        return escape_is_charset_final(byte) ? ESCAPE_WHOLE : ESCAPE_BROKEN;
    default:
        return ESCAPE_BROKEN;
    }
}

/* How long the sequence is whose ESC is data[0]; 0 if it is none or not whole. */
static inline size_t escape_length(const uint8_t *data, size_t len)
{
    size_t stop = len < ESCAPE_LONGEST ? len : ESCAPE_LONGEST;
    enum escape_state state = ESCAPE_BEGUN;

    for (size_t at = 1; at < stop && state < ESCAPE_WHOLE; at++) {
        state = escape_next(state, data[at]);
        if (state == ESCAPE_WHOLE)
            return at + 1;
    }
    return 0;
}

#endif
