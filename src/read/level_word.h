// SPDX-License-Identifier: MIT
/* The words that name levels, one table for values ("level":"warn") and for shapes of text. Private
   to level*.c. */
#ifndef READ_LEVEL_WORD_H
#define READ_LEVEL_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "read/level.h"

/* Bytes of a line's text that are looked at: what claims a level does so early. JSON is looked at
   whole. */
enum { LEVEL_HEAD_MAX = 512 };

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

/* Of a key and a value as level_of_json finds them ("level", "50"; the value ends in a NUL): the
   worst that it may take them for, whatever else the line has. LEVEL_NONE: no such key or value. */
enum level level_json_worst(struct raw_span key, const char *value);
bool level_json_key(struct raw_span key);

enum { LEVEL_VALUE_MAX = 15 }; /* bytes of a value that level_of_json looks at */

#endif
