// SPDX-License-Identifier: MIT
/*
 * Searching for a few plain bytes, as fast as memory comes.
 *
 * Two bytes of the word that are rare in logs are compared 32 places at a time, and only where
 * both fit is the word looked at. Where that happens too often (a word like "aaaa" in a text of
 * a's) the rest is searched in linear time, so that hostile text costs no more than any other.
 */
#ifndef TEXT_FIND_H
#define TEXT_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { FIND_MAX = 255 }; /* bytes of a word */

struct find;

typedef const char *find_function(const struct find *f, const char *from, const char *end);

/* A word and what is known about it; may be copied, and used by several threads. */
struct find {
    size_t len;
    bool icase;
    uint8_t rare[2];  /* where in the word its rarest bytes stand, ascending */
    char fold[2];     /* or'ed to the text before it is compared with them: 0x20 or 0 */
    char word[FIND_MAX];
    uint8_t back[FIND_MAX]; /* of Knuth, Morris and Pratt */
    find_function *search;
};

/* word: 1 to FIND_MAX bytes, else false. icase: ASCII letters are found in either case. */
bool find_init(struct find *f, const char *word, size_t n, bool icase) MUST_USE;

/* The first place in [from, end) where the word begins, all of it inside; NULL: none. */
static inline const char *find_next(const struct find *f, const char *from, const char *end)
{
    return f->search(f, from, end);
}

/*
 * The first escape in JSON text by which a character could be spelled that our own encoder
 * leaves as it is: "\/", or "\u" and the number of anything but a control character. NULL:
 * every printable character of the text stands for itself. May name an escape that is none
 * (in "\\u0041" a backslash comes before the u).
 */
const char *find_odd_escape(const char *from, const char *end);

/* The ways to do both, for tests: the fastest is first, and what this machine cannot run is
   left out. */
enum { FIND_VARIANTS_MAX = 3 };

struct find_variant {
    const char *name;
    find_function *search;
    const char *(*odd_escape)(const char *from, const char *end);
};

size_t find_variants(struct find_variant out[FIND_VARIANTS_MAX]);

#endif
