// SPDX-License-Identifier: MIT
/* What people type: durations, sizes, numbers. Nothing is accepted by half. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits only, no sign, no space, at most max. */
bool parse_number(const char *text, uint64_t max, uint64_t *out);

/* "90", "90s", "5m", "1h30m", "2d", "250ms": at least one digit, units descending, each once.
   The result is in nanoseconds and at most 100 years. */
bool parse_duration(const char *text, int64_t *ns);

/* "4096", "64k", "10M", "2G" (powers of 1024; an optional "B" or "iB" may follow the letter). */
bool parse_size(const char *text, uint64_t *bytes);

#endif
