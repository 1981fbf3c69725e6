// SPDX-License-Identifier: MIT
/* Tables for people: cells padded to a width and cut where the terminal's line is full. */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "read/visible.h"

/* Puts harmless text, padded to |width| columns (to the right if width is negative), and takes
   what it took off *left; what does not fit there is cut. width 0: not padded. */
enum err_code table_cell(const struct sink *s, const char *text, int width,
                         size_t *left) MUST_USE;

/* The larger of width and the columns of text. */
int table_wider(int width, const char *text);

/* Hostile text made harmless and one line, malloc'ed; NULL without memory. */
char *table_text(const char *text, size_t len);

#endif
