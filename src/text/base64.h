// SPDX-License-Identifier: MIT
/* Base 64 with padding (RFC 4648 section 4). */
#ifndef TEXT_BASE64_H
#define TEXT_BASE64_H

#include <stddef.h>

static inline size_t base64_len(size_t n)
{
    return (n + 2) / 3 * 4;
}

/* Writes exactly base64_len(n) bytes and returns their end. */
char *base64_encode(char *dst, const char *src, size_t n);

/* Decodes n bytes of padded base 64; dst has room for n / 4 * 3. Returns the end of what was
   written; NULL if it is not well-formed (length, characters, padding, unused bits). */
char *base64_decode(char *dst, const char *src, size_t n);

#endif
