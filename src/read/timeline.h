// SPDX-License-Identifier: MIT
/*
 * When the records of a build came, in milliseconds from its beginning. Attempts follow each other
 * without the time that lay between them, and no record comes before the one it follows. Called
 * by cmd/replay and cmd/export.
 */
#ifndef READ_TIMELINE_H
#define READ_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/log_reader.h"

/* Zero-initialised is the beginning. */
struct timeline {
    bool begun;         /* attempt_ms is known */
    int64_t attempt_ms; /* when this attempt began, since 1970 */
    int64_t base_ms;    /* and where that is on the line */
    int64_t at_ms;      /* of the last record */
};

/* Where the item is, which is the next one of its log. */
int64_t timeline_next(struct timeline *t, const struct log_item *item);

#endif
