// SPDX-License-Identifier: MIT
/* Time, through the system-call table so that tests can set it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_realtime_ms(void);  /* milliseconds since the Unix epoch */
int64_t clock_monotonic_ns(void); /* nanoseconds, arbitrary origin, never set back */

enum { RFC3339_SIZE = 32 };

/* Writes "2026-01-02T03:04:05.678Z" (RFC 3339, UTC, milliseconds) and returns dst. */
char *clock_rfc3339(int64_t realtime_ms, char dst[RFC3339_SIZE]);

enum { UTC_DAY_SIZE = 11 };

/* Writes "2026-01-02", the UTC day, and returns dst. Years 1970 to 9999. */
char *clock_utc_day(int64_t realtime_ms, char dst[UTC_DAY_SIZE]);

#endif
