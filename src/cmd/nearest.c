// SPDX-License-Identifier: MIT
#include "cmd/nearest.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 32 }; /* longer words are no slip of the finger */

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Edits (insert, delete, replace, swap of two neighbours) from a to b: the optimal string
   alignment distance. Neither word is longer than WORD_MAX. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX + 1]; /* of the matrix: i - 2, i - 1 and i, taken modulo 3 */

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above2 = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replace = above[j - 1] + (a[i - 1] != b[j - 1]);

            row[j] = min3(above[j] + 1, row[j - 1] + 1, replace);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[a_len % 3][b_len];
}

void nearest_init(struct nearest *s, const char *word)
{
    *s = (struct nearest){.word = word, .distance = 1 + strlen(word) / 4};
}

void nearest_offer(struct nearest *s, const char *candidate)
{
    size_t word_len = strlen(s->word);
    size_t len = strlen(candidate);
    size_t distance;

    if (word_len == 0 || word_len > WORD_MAX || len > WORD_MAX)
        return;
    /* Whoever stopped early ("--time") meant what begins that way. */
    if (word_len >= 2 && len > word_len && memcmp(s->word, candidate, word_len) == 0)
        distance = 1;
    else
        distance = edit_distance(s->word, word_len, candidate, len);
    if (distance > s->distance || distance >= len)
        return;
    if (distance < s->distance) {
        s->distance = distance;
        s->n = 0;
    }
    if (s->n < NEAREST_MAX)
        s->found[s->n] = candidate;
    s->n++;
}

const char *nearest_text(const struct nearest *s, const char *prefix, char *dst, size_t size)
{
    size_t n = s->n < NEAREST_MAX ? s->n : NEAREST_MAX;
    size_t at = 0;

    dst[0] = '\0';
    for (size_t i = 0; i < n && at < size; i++) {
        const char *before = i == 0 ? "did you mean " : i + 1 == n ? " or " : ", ";
        int len = snprintf(dst + at, size - at, "%s'%s%s'%s", before, prefix, s->found[i],
                           i + 1 == n ? "?" : "");

        at += len > 0 ? (size_t)len : 0;
    }
    return dst;
}
