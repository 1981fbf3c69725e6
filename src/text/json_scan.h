// SPDX-License-Identifier: MIT
/*
 * One JSON object checked against RFC 8259 to the letter, and its members pointed out where
 * they stand, without a tree and without memory of its own.
 *
 * Stricter than the grammar where record_decode is: half a surrogate pair in an escape is
 * refused, and so is nesting deeper than JSON_DEPTH_MAX. UTF-8 is not looked at (utf8_valid).
 */
#ifndef TEXT_JSON_SCAN_H
#define TEXT_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum { JSON_DEPTH_MAX = 1000 };

/* A member of the outermost object as it is spelt: the key between its quotes, the value with
   whatever begins and ends it. */
typedef void json_visit(void *arg, struct raw_span key, struct raw_span value);

/* Whether text is one object and nothing else but white space around it. Members are shown as
   they are met, before it is known whether what follows is sound; visit NULL: none are. */
bool json_scan_object(struct raw_span text, json_visit *visit, void *arg);

/* Whether the span says exactly this; for keys and, with their quotes, plain values. */
bool json_is(struct raw_span span, const char *text);

/* A whole number of at most 15 digits, with a minus or not: those a double holds exactly. */
bool json_integer(struct raw_span value, int64_t *out);

#endif
