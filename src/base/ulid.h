// SPDX-License-Identifier: MIT
/*
 * ULIDs: 48 bits of milliseconds since the Unix epoch, 80 random bits, written as 26
 * characters of Crockford's base 32 (https://github.com/ulid/spec). Upper case only; the
 * first character is 0 to 7, else the time would not fit 48 bits.
 */
#ifndef BASE_ULID_H
#define BASE_ULID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

enum { ULID_LEN = 26, ULID_SIZE = ULID_LEN + 1, ULID_RANDOM_BYTES = 10 };

/* State of a generator; zero-initialised is valid. */
struct ulid_source {
    int64_t last_ms;
    uint8_t random[ULID_RANDOM_BYTES];
};

/*
 * A fresh id for realtime_ms, NUL-terminated. Ids of one source ascend strictly, also
 * within a millisecond and when the clock is set back: the random part then counts up.
 * ERR_SYSTEM if there is no randomness.
 */
enum err_code ulid_next(struct ulid_source *s, int64_t realtime_ms, char dst[ULID_SIZE],
                        struct err *e) MUST_USE;

bool ulid_valid(const char *text); /* exactly 26 allowed characters, NUL-terminated */

bool ulid_char(char c); /* one character of the alphabet */

/* The milliseconds of a valid id. */
int64_t ulid_time_ms(const char *id);

#endif
