// SPDX-License-Identifier: MIT
/*
 * Which lines of a log may be a warning or worse, by their bytes alone: for a search by level,
 * so that what cannot be one is not decoded.
 *
 * Made from the very tables that level_of goes by. Conservative: records other than lines,
 * records with a level of their own, text that is JSON, and text where an escape sequence may
 * stand within a word always may be. What spells characters in an odd way is for the caller to
 * look for (find_odd_escape). Held against level_of in tests/unit/level_hint.c.
 */
#ifndef READ_LEVEL_HINT_H
#define READ_LEVEL_HINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "read/level.h"
#include "text/triples.h"

enum { HINT_WORDS_MAX = 128 };

enum hint_kind {
    WORD_LEVEL,   /* in any case, and a word of its own */
    WORD_BEGINS,  /* as it stands, not within a word */
    WORD_ANYWHERE /* as it stands */
};

struct hint_word {
    const char *text;
    size_t len;
    enum hint_kind kind;
};

struct level_hint {
    struct triples triples;
    struct hint_word words[HINT_WORDS_MAX]; /* sorted by their first byte, in lower case */
    size_t n_words;
    uint8_t begin[256]; /* of the words that a byte begins, and … */
    uint8_t count[256]; /* … how many those are */
};

/* For this level or worse. False: there is no such hint, every line may be. */
bool level_hint_init(struct level_hint *h, enum level least) MUST_USE;

/* A place in the next line that may be, as it stands in the log; NULL: none. */
const char *level_hint_next(const struct level_hint *h, const char *from, const char *end);

#endif
