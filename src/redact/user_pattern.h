// SPDX-License-Identifier: MIT
/* What can be told from a pattern without matching it. Every answer is on the safe side. */
#ifndef REDACT_USER_PATTERN_H
#define REDACT_USER_PATTERN_H

#include <stddef.h>

/* The text that every match begins with, after assertions like ^ and \b; at most size - 1 bytes,
   NUL-terminated. Returns its length; 0 where that cannot be told. */
size_t pattern_prefix(const char *pattern, char *dst, size_t size);

/* The byte, counted from 1, of the first back reference; 0: there is none. */
size_t pattern_backref(const char *pattern);

#endif
