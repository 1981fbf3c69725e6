// SPDX-License-Identifier: MIT
/*
 * Escape sequences as terminals take them: CSI (ECMA-48, 5.4) and those with intermediate
 * bytes, such as "ESC ( B" (ECMA-35, 13). Anything else behind an ESC is none.
 */
#ifndef REDACT_ESCAPE_H
#define REDACT_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

enum {
    ESC = 0x1b,
    ESCAPE_MAX = 64 /* bytes of the longest that is one, its ESC included */
};

/* How long the sequence is whose ESC is data[0]; 0 if it is none or not whole. */
static inline size_t escape_length(const uint8_t *data, size_t len)
{
    size_t stop = len < ESCAPE_MAX ? len : ESCAPE_MAX;
    size_t at = 2;
    uint8_t final;

    if (stop < 3 || (data[1] != '[' && (data[1] < 0x20 || data[1] > 0x2f)))
        return 0;
    final = data[1] == '[' ? 0x40 : 0x30;
    while (at < stop && data[at] >= 0x20 && data[at] < final)
        at++;
    return at < stop && data[at] >= final && data[at] <= 0x7e ? at + 1 : 0;
}

#endif
