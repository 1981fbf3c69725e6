// SPDX-License-Identifier: MIT
/* The words that name levels, one table for values ("level":"warn") and for shapes of text. Private
   to level*.c. */
#ifndef READ_LEVEL_WORD_H
#define READ_LEVEL_WORD_H

#include <stdint.h>

#include "base/span.h"
#include "read/level.h"

enum {
    WORD_COLON = 1, /* counts in any case before a colon: "error:" */
    WORD_ALONE = 2, /* counts in capitals between blanks: "12:00 ERROR x" */
    WORD_BOXED = 4, /* counts in brackets: "[error]" */
    WORD_ENDS = 8,  /* counts in capitals at the end of a line: "> Task :test FAILED" */
    WORD_NO_VALUE = 16 /* not a level's name */
};

struct level_word {
    const char *text; /* lower case */
    uint8_t len;
    uint8_t level;    /* enum level */
    uint8_t flags;
};

/* Any case; NULL: no such word. */
const struct level_word *level_word_find(const char *text, size_t n);

/* The tables one by one, for level_hint.c; NULL behind the last one. */
const struct level_word *level_word_at(size_t i);
const char *level_beginning_at(size_t i, enum level *level);

/* The level that a line of JSON claims. */
enum level level_of_json(struct raw_span json);

#endif
