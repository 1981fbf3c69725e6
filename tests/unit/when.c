// SPDX-License-Identifier: MIT
/* base/when: points in time as people type them, and local days of 23, 24, 25 and 0 hours. Time
   zones are written out in TZ, so that no database is needed but for the date line. */
#include "lib/tap.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/when.h"

enum { HOUR = 3600 };

static const char berlin[] = "CET-1CEST,M3.5.0,M10.5.0/3";
/* Clocks change at midnight: on 2026-10-18 there is no 00:00, on 2026-02-15 23:00 comes twice. */
static const char midnight[] = "AAA3BBB,M10.3.0/0,M2.3.0/0";
static const char india[] = "IST-5:30";

static int64_t now; /* 2026-11-21T12:00:00Z */

static void zone(const char *tz)
{
    setenv("TZ", tz, 1);
    tzset();
}

/* What text means, as RFC 3339; the why of the error. */
static void means(const char *tz, const char *text, const char *want)
{
    char got[RFC3339_SIZE] = "";
    struct err e = {0};
    int64_t ms = 0;
    enum err_code rc;

    zone(tz);
    rc = when_parse(text, now, &ms, &e);
    if (rc == ERR_NONE)
        clock_rfc3339(ms, got);
    if (!ok(strcmp(got, want) == 0 && (rc == ERR_NONE || rc == ERR_USAGE), "%s '%s'", tz, text))
        printf("#   got  %s\n#   want %s\n", got, want);
}

static void test_stamps(void)
{
    means("UTC0", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z");
    means("UTC0", "2026-01-02t03:04:05.6789123z", "2026-01-02T03:04:05.678Z");
    means(berlin, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z");
    means(berlin, "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000Z");
    means(berlin, "2026-01-02T03:04:05.5-0330", "2026-01-02T06:34:05.500Z");
    means(berlin, "2026-01-02T03:04:05", "2026-01-02T02:04:05.000Z");
    means(berlin, "2026-07-02 03:04", "2026-07-02T01:04:00.000Z");
    means(india, "2026-07-02 03:04", "2026-07-01T21:34:00.000Z");
    means("UTC0", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z");
    means("UTC0", "2024-02-29", "2024-02-29T00:00:00.000Z");
    means(berlin, "2026-07-02", "2026-07-01T22:00:00.000Z");
    means(berlin, "1970-01-01", "1970-01-01T00:00:00.000Z");
    means(india, "9999-12-31", "9999-12-30T18:30:00.000Z");
    means("UTC0", "@1767323045", "2026-01-02T03:04:05.000Z");
    means("UTC0", "@1767323045.6785", "2026-01-02T03:04:05.678Z");
    means("UTC0", "@0", "1970-01-01T00:00:00.000Z");
}

static void test_words(void)
{
    means("UTC0", "now", "2026-11-21T12:00:00.000Z");
    means(berlin, "today", "2026-11-20T23:00:00.000Z");
    means(berlin, "yesterday", "2026-11-19T23:00:00.000Z");
    means("XYZ-14", "today", "2026-11-21T10:00:00.000Z");
    means("XYZ12", "today", "2026-11-21T12:00:00.000Z");
    means("XYZ12", "yesterday", "2026-11-20T12:00:00.000Z");
    means("UTC0", "2h ago", "2026-11-21T10:00:00.000Z");
    means("UTC0", "-30m", "2026-11-21T11:30:00.000Z");
    means("UTC0", "-1h30m", "2026-11-21T10:30:00.000Z");
    means("UTC0", "-90", "2026-11-21T11:58:30.000Z");
    means("UTC0", "5 minutes ago", "2026-11-21T11:55:00.000Z");
    means("UTC0", "1 hour 30 minutes ago", "2026-11-21T10:30:00.000Z");
    means("UTC0", "2 weeks ago", "2026-11-07T12:00:00.000Z");
    means("UTC0", "-1w", "2026-11-14T12:00:00.000Z");
    means("UTC0", "0s ago", "2026-11-21T12:00:00.000Z");
    means("UTC0", "36000 days ago", "1970-01-01T00:00:00.000Z");
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "", " ", "-", "@", "@-1", "@x", "@1.", "@1.2.3", "@99999999999999999", "2026", "2026-1-2",
        "2026-00-01", "2026-13-01", "2026-02-29", "2026-04-31", "1969-12-31", "2026-01-02T",
        "2026-01-02T24:00", "2026-01-02T03:60", "2026-01-02T03:04:61", "2026-01-02T03:04:05.",
        "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+02:60", "2026-01-02T03:04:05+2",
        "2026-01-02T03:04:05ZZ", "2026-01-02T03:04:05 Z", "2026-01-02x", "02.01.2026", "Today",
        "tomorrow", "2h", "ago", " ago", "   ago", "5 ago", "five minutes ago", "5 minutes ago ago",
        "-5x", "--5m", "5 fortnights ago", "1.5h ago", "9999999999999 s ago", "999999999999 w ago",
        "2h  agoo", "-2h ago", NULL};

    for (size_t i = 0; bad[i] != NULL; i++)
        means("UTC0", bad[i], "");
}

static void day(const char *tz, const char *text, const char *from, int64_t hours)
{
    char got[RFC3339_SIZE];
    struct err e;
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    enum err_code rc;

    zone(tz);
    rc = when_day(text, now, &from_ms, &to_ms, &e);
    clock_rfc3339(from_ms, got);
    if (!ok(rc == ERR_NONE && strcmp(got, from) == 0 && to_ms - from_ms == hours * HOUR * 1000,
            "%s: the day of '%s'", tz, text))
        printf("#   from %s, %" PRId64 " ms\n", got, to_ms - from_ms);
}

static void test_days(void)
{
    struct err e;
    int64_t from, to;

    day("UTC0", "2026-01-02", "2026-01-02T00:00:00.000Z", 24);
    day("UTC0", "2026-12-31", "2026-12-31T00:00:00.000Z", 24);
    day(berlin, "2026-03-29", "2026-03-28T23:00:00.000Z", 23);
    day(berlin, "2026-10-25", "2026-10-24T22:00:00.000Z", 25);
    day(berlin, "2026-10-26", "2026-10-25T23:00:00.000Z", 24);
    day(berlin, "2026-03-29T12:00", "2026-03-28T23:00:00.000Z", 23);
    day(berlin, "2026-03-28T22:59:59Z", "2026-03-27T23:00:00.000Z", 24);
    day(berlin, "yesterday", "2026-11-19T23:00:00.000Z", 24);
    day(berlin, "-13h1m", "2026-11-19T23:00:00.000Z", 24);
    day(midnight, "2026-10-18", "2026-10-18T03:00:00.000Z", 23);
    day(midnight, "2026-10-17", "2026-10-17T03:00:00.000Z", 24);
    day(midnight, "2026-02-14", "2026-02-14T02:00:00.000Z", 25);
    day(midnight, "2026-02-15", "2026-02-15T03:00:00.000Z", 24);
    ok(when_day("2026-02-30", now, &from, &to, &e) == ERR_USAGE, "no such day");
}

/* The date line was moved: Apia went from the 29th to the 31st of December 2011. */
static void test_date_line(void)
{
    struct tm tm;
    time_t noon = 1325196000; /* 2011-12-29T22:00:00Z */

    zone("Pacific/Apia");
    localtime_r(&noon, &tm);
    if (tm.tm_gmtoff == 0) {
        ok(true, "Pacific/Apia # skip no time zone database");
        return;
    }
    day("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00.000Z", 24);
    day("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z", 0);
    day("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z", 24);
}

int main(void)
{
    now = INT64_C(1795262400000);
    test_stamps();
    test_words();
    test_refused();
    test_days();
    test_date_line();
    return done();
}
