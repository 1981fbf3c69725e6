// SPDX-License-Identifier: MIT
/* "Did you mean …?" for a word that is not in a list. */
#ifndef CMD_NEAREST_H
#define CMD_NEAREST_H

#include <stddef.h>

enum { NEAREST_MAX = 3 }; /* more suggestions than that help nobody */

/* The candidates seen so far that are nearest to word. */
struct nearest {
    const char *word;
    size_t distance; /* of those kept; the largest one that still counts at first */
    size_t n;        /* nearest ones seen; only the first NEAREST_MAX are kept */
    const char *found[NEAREST_MAX];
};

/* Starts a search; word must outlive it. */
void nearest_init(struct nearest *s, const char *word);

/* Offers one candidate, which must outlive the search. */
void nearest_offer(struct nearest *s, const char *candidate);

/*
 * Writes "did you mean '--a', '--b' or '--c'?", each word after prefix, to dst and returns
 * it; "" when nothing was near.
 */
const char *nearest_text(const struct nearest *s, const char *prefix, char *dst, size_t size);

#endif
