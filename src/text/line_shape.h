// SPDX-License-Identifier: MIT
/*
 * The shape of a line: what it says less what changes from one turn of a loop to the next. Two
 * lines have the same shape if they differ in
 *
 *   numbers, and words of hexadecimal digits (addresses, checksums, ids)
 *   blanks, and how often a mark is repeated: "[===>   ]", "....."
 *   the hand of a spinner: | / - \ and the Braille patterns
 *   colours, what was written over (CR), a time in front: see plain.h
 *
 * So a command that says the same again and again is told from one that gets on.
 */
#ifndef TEXT_LINE_SHAPE_H
#define TEXT_LINE_SHAPE_H

#include <stdint.h>

#include "base/span.h"

enum { LINE_SHAPE_MAX = 1024 }; /* bytes that count */

/* A hash of the shape, the same on every machine. */
uint64_t line_shape(struct raw_span line);

#endif
