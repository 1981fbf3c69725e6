// SPDX-License-Identifier: MIT
/*
 * Which builds a store has, newest first, and which one a word means. By directory names
 * alone, read a day at a time, as far as that goes: only `last-failed`, `last-passed` and the
 * default look into logs, from the newest back (survey.h).
 *
 * A file counts as a build if it is named ID.log or ID.log.gz and lies in the directory of the
 * id's own day; whatever else lies there is not looked at.
 */
#ifndef STORE_SELECT_H
#define STORE_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/ulid.h"

enum {
    SELECT_SUFFIX_MIN = 4,      /* a shorter end of an id does not name it */
    SELECT_RUNNING_WITHIN = 256, /* how far back the default looks for a running build */
    SELECT_LOGS_MAX = 20000      /* how many logs last-failed and last-passed look into */
};

struct builds;

/* A store that has no build yet is an empty list. */
enum err_code builds_open(struct builds **out, int root_fd, struct err *e) MUST_USE;

/* Only ids of a time from from_ms up to, but not including, to_ms. What they begin with is their
   time: days out of the range are not read. */
enum err_code builds_open_range(struct builds **out, int root_fd, int64_t from_ms, int64_t to_ms,
                                struct err *e) MUST_USE;
void builds_free(struct builds *b); /* NULL is fine */

/* The next older id; false at the end of the store. */
bool builds_next(struct builds *b, char id[ULID_SIZE]);

/* Days that could not be read so far, and why the first of them (may be NULL). */
uint64_t builds_unreadable(const struct builds *b, struct err *first);

/*
 * The id that a word means: a whole id, an unambiguous prefix, a suffix of at least
 * SELECT_SUFFIX_MIN characters, "last", "last-failed", "last-passed", "-1" (the last), "-2" …;
 * NULL means the newest running build, else the newest.
 * ERR_USAGE: nothing of that; ERR_NOT_FOUND; ERR_REFUSED: several, the error names them.
 * A whole id is not looked for.
 */
enum err_code select_build(int root_fd, const char *word, char id[ULID_SIZE],
                           struct err *e) MUST_USE;

#endif
