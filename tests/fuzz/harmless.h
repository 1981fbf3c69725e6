// SPDX-License-Identifier: MIT
/*
 * What must never reach a terminal, written down a second time and apart from read/visible.c:
 * control bytes, C1, characters that turn the direction of text, bytes that are no UTF-8.
 */
#ifndef TESTS_FUZZ_HARMLESS_H
#define TESTS_FUZZ_HARMLESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of "ESC [ digits ; : m" at text, else 0. */
static inline size_t harmless_colour(const char *text, size_t n)
{
    size_t i = 2;

    if (n < 3 || text[0] != 0x1b || text[1] != '[')
        return 0;
    while (i < n && ((text[i] >= '0' && text[i] <= '9') || text[i] == ';' || text[i] == ':'))
        i++;
    return i < n && text[i] == 'm' ? i + 1 : 0;
}

/* A character of two bytes or more at text; 0: not well-formed (RFC 3629). */
static inline size_t harmless_wide(const unsigned char *text, size_t n, uint32_t *c)
{
    size_t len = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    if (text[0] < 0xc2 || text[0] > 0xf4 || len > n)
        return 0;
    *c = text[0] & (0xffU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (text[i] & 0x3fU);
    }
    return *c >= least[len] && *c <= 0x10ffff && (*c < 0xd800 || *c > 0xdfff) ? len : 0;
}

static inline bool harmless_char(uint32_t c)
{
    return c > 0x9f && c != 0x61c && c != 0x200e && c != 0x200f && !(c >= 0x202a && c <= 0x202e) &&
           !(c >= 0x2066 && c <= 0x2069) && c != 0x2028 && c != 0x2029;
}

/* lf, colours: what may be in it besides printable text and TAB. */
static inline bool is_harmless(const char *text, size_t n, bool lf, bool colours)
{
    for (size_t at = 0; at < n;) {
        unsigned char byte = (unsigned char)text[at];
        size_t colour = colours ? harmless_colour(text + at, n - at) : 0;
        uint32_t c = 0;
        size_t wide;

        if (colour > 0) {
            at += colour;
        } else if (byte < 0x80) {
            if (byte == 0x7f || (byte < 0x20 && byte != '\t' && !(byte == '\n' && lf)))
                return false;
            at++;
        } else {
            wide = harmless_wide((const unsigned char *)text + at, n - at, &c);
            if (wide == 0 || !harmless_char(c))
                return false;
            at += wide;
        }
    }
    return true;
}

#endif
