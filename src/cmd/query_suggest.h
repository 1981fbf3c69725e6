// SPDX-License-Identifier: MIT
/* Words of the logs that are near to one that was not found. */
#ifndef CMD_QUERY_SUGGEST_H
#define CMD_QUERY_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"
#include "cmd/nearest.h"

struct suggest;

/* Words up to `changes` and a little more away from word, which must outlive it. */
enum err_code suggest_new(struct suggest **out, const char *word, int changes,
                          struct err *e) MUST_USE;
void suggest_free(struct suggest *s); /* NULL is fine */

/* Looks at the words of a text. False: enough was seen. */
bool suggest_look(struct suggest *s, struct raw_span text);

/* "did you mean 'a' or 'b'?", valid as long as s; "" when nothing was near. */
const char *suggest_text(struct suggest *s);

#endif
