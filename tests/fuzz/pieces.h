// SPDX-License-Identifier: MIT
/*
 * From a fuzzer's bytes to text: a byte above 0x7f stands for a piece out of the target's own
 * list, PIECE_LITERAL for the byte behind it, any other for itself. So short inputs are dense
 * with what a parser looks for. The corpus uses the numbers: append only.
 */
#ifndef TESTS_FUZZ_PIECES_H
#define TESTS_FUZZ_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PIECE_FIRST = 0x80, PIECE_LITERAL = 0xff, PIECES_TEXT_MAX = 8192 };

struct pieces_text {
    size_t len;
    char data[PIECES_TEXT_MAX + 1]; /* NUL-terminated by pieces_expand */
};

/* What is left of a fuzzer's bytes. */
struct pieces_in {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t pieces_byte(struct pieces_in *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static inline void pieces_put(struct pieces_text *t, const char *data, size_t n)
{
    n = n < PIECES_TEXT_MAX - t->len ? n : PIECES_TEXT_MAX - t->len;
    memcpy(t->data + t->len, data, n);
    t->len += n;
}

/* Puts what the next byte stands for. */
static inline void pieces_next(struct pieces_text *t, struct pieces_in *in,
                               const char *const *list, size_t n_list)
{
    uint8_t byte = pieces_byte(in);
    char c = (char)byte;

    if (byte >= PIECE_FIRST && byte < PIECE_LITERAL) {
        const char *piece = list[(size_t)(byte - PIECE_FIRST) % n_list];

        pieces_put(t, piece, strlen(piece));
        return;
    }
    if (byte == PIECE_LITERAL)
        c = (char)pieces_byte(in);
    pieces_put(t, &c, 1);
}

static inline void pieces_expand(struct pieces_text *t, struct pieces_in in,
                                 const char *const *list, size_t n_list)
{
    t->len = 0;
    while (in.left > 0)
        pieces_next(t, &in, list, n_list);
    t->data[t->len] = '\0';
}

#define PIECES(list) list, sizeof(list) / sizeof((list)[0])

#endif
