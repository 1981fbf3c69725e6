// SPDX-License-Identifier: MIT
/*
 * The builds of a store with what lists and figures need of each, newest first: names from
 * directories, digests from the index of the day where it counts (day_index.h), else from the
 * logs. A day that is over, was walked as a whole and had to be read from its logs gets an index
 * on the way, if the store belongs to the caller; that this fails is nobody's trouble.
 *
 * Called by select beside it, by read/ and by cmd/.
 */
#ifndef STORE_SURVEY_H
#define STORE_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/ulid.h"
#include "store/digest.h"

struct survey;

/* Of the ids of a time from from_ms up to, but not including, to_ms. */
enum err_code survey_open(struct survey **out, int root_fd, int64_t from_ms, int64_t to_ms,
                          struct err *e) MUST_USE;
void survey_free(struct survey *s); /* NULL is fine */

/*
 * The next older build; *have false: there is none. The digest is valid until the next call.
 * On an error id is set and that build cannot be read; the next call goes on behind it. What
 * was removed meanwhile is passed over.
 */
enum err_code survey_next(struct survey *s, char id[ULID_SIZE], struct digest *out, bool *have,
                          struct err *e) MUST_USE;

/* Days that could not be read so far, and why the first of them (may be NULL). */
uint64_t survey_unreadable(const struct survey *s, struct err *first);

/* Logs that had to be looked into so far. */
uint64_t survey_logs_read(const struct survey *s);

#endif
