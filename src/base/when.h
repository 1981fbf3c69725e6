// SPDX-License-Identifier: MIT
/*
 * Points in time as people type them.
 *
 *   2026-01-02                    the beginning of that local day
 *   2026-01-02T03:04:05.678Z      RFC 3339; a space for the T, no seconds, and no zone (then
 *   2026-01-02 03:04              it is local time) are fine as well
 *   now  today  yesterday         the latter two: the beginning of that local day
 *   2h ago  -1h30m  5 minutes ago before now; a day is 24 hours, a week seven of them
 *   @1767323045                   seconds since 1970, a fraction may follow
 *
 * Local is what TZ and localtime(3) say.  A local time that a change of the clocks leaves out
 * is taken as mktime(3) takes it; of one that comes twice, either.
 */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* *out_ms: milliseconds since 1970, never negative. ERR_USAGE: none of the above. */
enum err_code when_parse(const char *text, int64_t now_ms, int64_t *out_ms,
                         struct err *e) MUST_USE;

/*
 * The local day that text names (a date) or that the time it names lies in: from *from_ms up
 * to, but not including, *to_ms. 23, 24 or 25 hours; none at all for a date that a move of the
 * date line left out. ERR_USAGE as when_parse.
 */
enum err_code when_day(const char *text, int64_t now_ms, int64_t *from_ms, int64_t *to_ms,
                       struct err *e) MUST_USE;

#endif
