// SPDX-License-Identifier: MIT
/*
 * Hundreds of patterns and millions of lines: every pattern has three bytes in a row that a line
 * must have (errors.awk chooses them), and one pass over the line with a bit mask for each of the
 * three finds the few patterns that are worth trying.
 */
#include "read/errors_table.h"

#include <string.h>

#include "read_errors.gen.h"

enum { BITS = 64, WORDS = (N_ENTRY_ROWS + BITS - 1) / BITS };

static void note_bucket(unsigned bucket, const uint8_t *at, uint64_t candidates[WORDS])
{
    for (unsigned i = error_buckets[bucket]; i < error_buckets[bucket + 1]; i++)
        if (memcmp(error_anchors[i].bytes, at, sizeof(error_anchors[i].bytes)) == 0)
            candidates[error_anchors[i].row / BITS] |= UINT64_C(1)
                                                       << error_anchors[i].row % BITS;
}

/* False: no row is worth trying. */
static bool find_candidates(struct raw_span text, uint64_t candidates[WORDS])
{
    const uint8_t *p = (const uint8_t *)text.ptr;
    bool any = false;

    for (size_t i = 0; i + 2 < text.len; i++) {
        uint32_t buckets =
            error_masks[0][p[i]] & error_masks[1][p[i + 1]] & error_masks[2][p[i + 2]];

        for (; buckets != 0; buckets &= buckets - 1) {
            note_bucket((unsigned)__builtin_ctz(buckets), p + i, candidates);
            any = true;
        }
    }
    return any;
}

static const struct error_row *find_entry(struct raw_span text, struct shape *out)
{
    uint64_t candidates[WORDS] = {0};

    if (!find_candidates(text, candidates))
        return NULL;
    for (unsigned word = 0; word < WORDS; word++)
        for (uint64_t left = candidates[word]; left != 0; left &= left - 1) {
            const struct error_row *row =
                &error_rows[word * BITS + (unsigned)__builtin_ctzll(left)];

            if (shape_match(row->pattern, text, out))
                return row;
        }
    return NULL;
}

const struct error_row *error_row_find(unsigned state, struct raw_span text, struct shape *out)
{
    const struct error_state *s = &error_states[state];

    if (state == 0)
        return find_entry(text, out);
    for (unsigned i = 0; i < s->n_rows; i++)
        if (shape_match(error_rows[s->first_row + i].pattern, text, out))
            return &error_rows[s->first_row + i];
    return NULL;
}

bool error_place_foreign(struct raw_span text)
{
    for (const char *const *foreign = error_foreign; *foreign != NULL; foreign++)
        if (memmem(text.ptr, text.len, *foreign, strlen(*foreign)) != NULL)
            return true;
    return false;
}

const char *error_tool_of(struct raw_span file)
{
    for (const struct error_suffix *s = error_suffixes; s->suffix != NULL; s++) {
        size_t n = strlen(s->suffix);

        if (file.len > n && memcmp(file.ptr + file.len - n, s->suffix, n) == 0)
            return s->tool;
    }
    return NULL;
}
