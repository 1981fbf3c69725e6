// SPDX-License-Identifier: MIT
/* Inside of a set of fields. Included by field*.c only. */
#ifndef REDACT_FIELD_SET_H
#define REDACT_FIELD_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "redact/fields.h"
#include "redact/prints.h"

enum { PART_ANY = 255, FIELD_PATH_MAX = FIELD_PARTS_MAX * (FIELD_NAME_MAX + 1) };

struct field_name {
    uint8_t text[FIELD_NAME_MAX]; /* folded */
    uint8_t len;
    uint64_t plain; /* fields that are this name alone */
    uint64_t last;  /* paths that end with it */
    uint64_t inner; /* paths that it is another part of */
};

struct fields {
    size_t count;
    size_t n_names;
    size_t n_inner;  /* parts before the last, of all fields */
    uint64_t starry; /* paths with a part that is any key */
    char paths[FIELDS_MAX][FIELD_PATH_MAX];
    uint8_t parts[FIELDS_MAX][FIELD_PARTS_MAX]; /* names by number, or PART_ANY */
    uint8_t n_parts[FIELDS_MAX];
    bool json_only[FIELDS_MAX];
    struct field_name names[FIELDS_MAX];
    uint64_t first[256]; /* names that begin with this byte, folded */
    struct prints prints;
};

/* How keys are compared. */
static inline uint8_t field_fold(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c | 0x20);
    return c == '-' ? '_' : c;
}

#endif
