// SPDX-License-Identifier: MIT
/*
 * What a text must contain before a regular expression can match it: found without running
 * the expression, so that a search for plain bytes can pass over most of a log.
 *
 * Conservative: where the syntax is anything but plain (inline flags, \Q, approximate groups),
 * nothing is claimed.  Held against TRE with random expressions in tests/unit/required.c.
 */
#ifndef TEXT_REQUIRED_H
#define TEXT_REQUIRED_H

#include <stddef.h>

enum {
    REQUIRED_MAX = 8,      /* alternatives */
    REQUIRED_TEXT_MAX = 64 /* bytes of each that are looked at */
};

struct required_text {
    size_t len;
    char text[REQUIRED_TEXT_MAX];
};

/* Every match contains at least one of the first n texts, none of them empty. n 0: nothing is
   known. */
struct required {
    size_t n;
    struct required_text any[REQUIRED_MAX];
};

/*
 * For a pattern that regex_compile takes with these flags. With REGEX_ICASE the texts are in
 * lower case, and to be looked for in either.
 */
void regex_required(const char *pattern, size_t n, unsigned flags, struct required *out);

#endif
