// SPDX-License-Identifier: MIT
#include "text/base64.h"

#include <stdbool.h>
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

/* -1 for what is no digit. */
static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Up to four digits, padded; the number of bytes they stand for, 0 if ill-formed. */
static size_t decode_quad(char *dst, const char *src, bool last)
{
    uint32_t bits = 0;
    size_t padding = 0;

    for (int i = 0; i < 4; i++) {
        int value = digit_value(src[i]);

        if (value < 0 && !(last && src[i] == '=' && i >= 2))
            return 0;
        if (value >= 0 && padding > 0)
            return 0;
        padding += value < 0 ? 1 : 0;
        bits = bits << 6 | (uint32_t)(value < 0 ? 0 : value);
    }
    if ((padding == 1 && (bits & 0xff) != 0) || (padding == 2 && (bits & 0xffff) != 0))
        return 0;
    for (size_t i = 0; i < 3 - padding; i++)
        dst[i] = (char)(bits >> (16 - 8 * i) & 0xff);
    return 3 - padding;
}

char *base64_decode(char *dst, const char *src, size_t n)
{
    if (n % 4 != 0)
        return NULL;
    for (size_t at = 0; at < n; at += 4) {
        size_t wrote = decode_quad(dst, src + at, at + 4 == n);

        if (wrote == 0)
            return NULL;
        dst += wrote;
    }
    return dst;
}
