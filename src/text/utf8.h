// SPDX-License-Identifier: MIT
/* UTF-8 (RFC 3629): no overlong forms, no surrogates, at most U+10FFFF. */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Looks at the sequence that begins at src (n >= 1 bytes). Returns its length 1 to 4 and
 * *valid = true; or the length of the maximal subpart of an ill-formed one (1 to 3) and
 * *valid = false. An incomplete sequence at the end of the input is ill-formed, and its
 * length is then n.
 */
size_t utf8_sequence(const char *src, size_t n, bool *valid);

/* The code point of a valid sequence of len bytes. */
uint32_t utf8_decode(const char *src, size_t len);

/* The largest k <= n so that src[0..k) does not end inside a sequence that could still have
   become valid. k is at least n - 3. */
size_t utf8_cut(const char *src, size_t n);

/* True when the whole of src is well-formed. */
bool utf8_valid(const char *src, size_t n);

#endif
