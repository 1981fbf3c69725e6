// SPDX-License-Identifier: MIT
/* The place in a log behind a number, found by halving: what asks again and again for what is new
   must not read all that is old. Private to src/lib. */
#ifndef LIB_SEEK_H
#define LIB_SEEK_H

#include <stdint.h>

#include "store/log_reader.h"

/*
 * Goes to a line before which there is no record with a number above seq, not far from the first
 * one that has: where that cannot be told (a compressed log, long lines, damage), to the
 * beginning or as far as it can.
 */
void seek_behind(struct log_reader *r, uint64_t seq);

#endif
