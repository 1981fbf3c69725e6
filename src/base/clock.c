// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/sys.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };
#define NS_PER_S INT64_C(1000000000)

int64_t clock_realtime_ms(void)
{
    struct timespec now = {0};

    (void)sys.clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

int64_t clock_monotonic_ns(void)
{
    struct timespec now = {0};

    (void)sys.clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Civil date from days since 1970-01-01, the proleptic Gregorian calendar in 400-year eras. */
static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    int64_t shifted = days + 719468; /* days from 0000-03-01 to 1970-01-01 */
    int64_t era = shifted / 146097;
    int64_t doe = shifted % 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

enum { MS_PER_DAY = 86400 * MS_PER_S };

static void split_ms(int64_t realtime_ms, int *year, int *month, int *day, int64_t *ms_of_day)
{
    if (realtime_ms < 0)
        realtime_ms = 0;
    civil_from_days(realtime_ms / MS_PER_DAY, year, month, day);
    *ms_of_day = realtime_ms % MS_PER_DAY;
}

char *clock_rfc3339(int64_t realtime_ms, char dst[RFC3339_SIZE])
{
    int year, month, day;
    int64_t ms;

    split_ms(realtime_ms, &year, &month, &day, &ms);
    snprintf(dst, RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day % 100, (unsigned)(ms / 3600000) % 24,
             (unsigned)(ms / 60000 % 60), (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
    return dst;
}

char *clock_utc_day(int64_t realtime_ms, char dst[UTC_DAY_SIZE])
{
    int year, month, day;
    int64_t ms;

    split_ms(realtime_ms, &year, &month, &day, &ms);
    snprintf(dst, UTC_DAY_SIZE, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100,
             (unsigned)day % 100);
    return dst;
}
