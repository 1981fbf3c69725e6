// SPDX-License-Identifier: MIT
/* How many columns of a terminal characters take (Unicode 15, UAX 11: W and F are wide). */
#ifndef TEXT_COLUMNS_H
#define TEXT_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

/* 0 for combining marks, 2 for wide characters, else 1. */
size_t columns_of(uint32_t c);

#endif
