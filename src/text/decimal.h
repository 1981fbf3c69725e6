// SPDX-License-Identifier: MIT
/* Numbers to decimal digits without printf, for the hot path. */
#ifndef TEXT_DECIMAL_H
#define TEXT_DECIMAL_H

#include <stdint.h>

enum { DECIMAL_MAX = 20 };

/* Writes value (at most DECIMAL_MAX digits, no NUL) and returns the end. */
char *decimal_put(char *dst, uint64_t value);

#endif
