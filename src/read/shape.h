// SPDX-License-Identifier: MIT
/*
 * Patterns for the lines that tools print, the last column of errors.tab. A pattern describes a
 * whole line; what is not listed here stands for itself.
 *
 *   %f      a path without blanks: not only digits, no quotes, brackets < > | * ? ` and controls
 *   %F      a path that may have blanks, but no ": "
 *   %{.go}  a path like %f that ends so
 *   %l %c   line and column; %n any other number
 *   %k      a compiler's code: capitals and digits, "TS2304"
 *   %i      a name: letters, digits, _ . $ - +
 *   %m      the message: the rest of the line
 *   %< %>   around what is the message otherwise
 *   %b      blanks or none
 *   %*      anything or nothing
 *   %%      a percent sign
 *
 * Matching tries the shortest first; it gives up after a fixed number of steps, so that no line
 * can make it slow.
 */
#ifndef READ_SHAPE_H
#define READ_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Spans point into the text; of length 0 where the pattern has no such part. */
struct shape {
    struct raw_span file, code, message;
    uint32_t line, column; /* 0: none */
};

/* *out is filled only if the whole text has that shape. */
bool shape_match(const char *pattern, struct raw_span text, struct shape *out);

#endif
