// SPDX-License-Identifier: MIT
/* What errors.tab becomes, and the search for the row that describes a line. Private to
   errors*.c. */
#ifndef READ_ERRORS_TABLE_H
#define READ_ERRORS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "read/errors.h"
#include "read/shape.h"

enum { /* what a line of a state does to the error that is being put together */
    DOES_PLACE = 1,
    DOES_SAY = 2,
    DOES_RESAY = 4,
    DOES_APPEND = 8,
    DOES_AGAIN = 16,
    DOES_DEMOTE = 32,
    DOES_STAY = 64,
    DOES_END = 128
};

enum error_place { PLACE_NOTE, PLACE_FIRST, PLACE_LAST };

struct error_row {
    const char *pattern;
    const char *tool; /* "" unknown, "@" by the file's suffix */
    uint8_t rank;     /* RANK_NONE: only `does` */
    uint8_t does;
    uint8_t next; /* the state that follows; 0: none */
};

struct error_state {
    uint16_t first_row, n_rows;
    uint8_t patience;
    uint8_t place;    /* enum error_place */
    uint8_t at_least; /* the rank of an error whose place is known */
};

struct error_anchor {
    uint8_t bytes[3];
    uint16_t row;
};

struct error_suffix {
    const char *suffix;
    const char *tool;
};

extern const struct error_state error_states[];

/* The first row of a state (0: of those that begin anywhere) that has the text's shape; NULL. */
const struct error_row *error_row_find(unsigned state, struct raw_span text, struct shape *out);

/* Whether the place that a line names is a library's. */
bool error_place_foreign(struct raw_span text);

/* The tool that a file of this name belongs to; NULL: not known. */
const char *error_tool_of(struct raw_span file);

#endif
