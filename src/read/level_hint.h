// SPDX-License-Identifier: MIT
/*
 * Which lines of a log may be a warning or worse, by their bytes alone: for a search by level,
 * so that what cannot be one is not decoded.
 *
 * Made from the very tables that level_of goes by. Conservative: records other than lines and
 * records with a level of their own always may be; so may be a line where a word, a beginning or
 * a JSON key that says so stands, unless the characters around it rule out every shape it could
 * be part of; and whatever an escape sequence leaves open counts as possible. What spells
 * characters in an odd way is for the caller to look for (find_odd_escape). Held against level_of
 * in tests/unit/level_hint.c.
 */
#ifndef READ_LEVEL_HINT_H
#define READ_LEVEL_HINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "read/level.h"
#include "read/line_text.h"
#include "text/starts.h"

enum { HINT_WORDS_MAX = 128, HINT_KNOWN_SIZE = 1 << 12 };

enum hint_kind {
    HINT_MEMBER,    /* of the record itself, in quotes as it stands */
    HINT_LEVEL,     /* names a level: in any case, a word of its own */
    HINT_BEGINNING, /* the longest word of what a line begins with, as it stands */
    HINT_EXCEPTION  /* ends the name of an exception, as it stands */
};

struct hint_word {
    const char *text;
    size_t len;
    enum hint_kind kind;
    uint32_t first; /* bytes, in lower case; see fold */
    const char *beginning; /* that it is a word of, … */
    size_t offset;         /* … and where in there */
};

struct level_hint {
    enum level least;
    struct starts starts;
    struct hint_word words[HINT_WORDS_MAX]; /* sorted by their first byte, in lower case */
    size_t n_words;
    uint8_t known[HINT_KNOWN_SIZE]; /* a bit for each beginning of a word */
    uint8_t begin[256]; /* of the words that a byte begins, and … */
    uint8_t count[256]; /* … how many those are */
};

/* For this level or worse. False: there is no such hint, every line may be. */
bool level_hint_init(struct level_hint *h, enum level least) MUST_USE;

/*
 * A place in the next line that may be, as it stands in the log; NULL: none. from: where a line
 * begins. seen: what the caller keeps from call to call, zero-initialised; each thread its own.
 */
const char *level_hint_next(const struct level_hint *h, struct line_text *seen, const char *from,
                            const char *end);

#endif
