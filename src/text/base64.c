// SPDX-License-Identifier: MIT
#include "text/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char digit(uint32_t bits, int shift)
{
    return digits[(bits >> shift) & 63];
}

char *base64_encode(char *dst, const char *src, size_t n)
{
    const uint8_t *s = (const uint8_t *)src;
    uint32_t bits;

    for (; n >= 3; n -= 3, s += 3) {
        bits = (uint32_t)s[0] << 16 | (uint32_t)s[1] << 8 | s[2];
        *dst++ = digit(bits, 18);
        *dst++ = digit(bits, 12);
        *dst++ = digit(bits, 6);
        *dst++ = digit(bits, 0);
    }
    if (n == 0)
        return dst;
    bits = (uint32_t)s[0] << 16 | (n == 2 ? (uint32_t)s[1] << 8 : 0);
    *dst++ = digit(bits, 18);
    *dst++ = digit(bits, 12);
    *dst++ = n == 2 ? digit(bits, 6) : '=';
    *dst++ = '=';
    return dst;
}
