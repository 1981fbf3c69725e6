// SPDX-License-Identifier: MIT
#include "base/when.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"

enum {
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
    YEAR_MIN = 1970,
    ZONE_HOURS_MAX = 23,
    /* No zone is further from UTC than 15:59:59 west or 15:13:42 east (tz database). */
    ZONE_SECONDS_MAX = 16 * 3600
};

/* ---- calendar ------------------------------------------------------------------------- */

struct date {
    int year, month, day;
};

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static struct date next_date(struct date d)
{
    if (++d.day > days_in_month(d.year, d.month)) {
        d.day = 1;
        d.month++;
    }
    if (d.month > 12) {
        d.month = 1;
        d.year++;
    }
    return d;
}

static struct tm to_tm(struct date d)
{
    return (struct tm){.tm_year = d.year - 1900, .tm_mon = d.month - 1, .tm_mday = d.day};
}

static struct date local_date(time_t when)
{
    struct tm tm = {0};

    (void)localtime_r(&when, &tm);
    return (struct date){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday};
}

static bool before(struct date a, struct date b)
{
    if (a.year != b.year)
        return a.year < b.year;
    return a.month != b.month ? a.month < b.month : a.day < b.day;
}

/*
 * The first second whose local date is d or later. Not mktime of midnight: there are zones
 * whose clocks change at midnight, and then there is none, or two.
 */
static time_t day_start(struct date d)
{
    struct tm tm = to_tm(d);
    time_t utc = timegm(&tm);
    time_t low = utc - ZONE_SECONDS_MAX; /* there it is the day before, at the latest */
    time_t high = utc + ZONE_SECONDS_MAX;

    while (high - low > 1) {
        time_t middle = low + (high - low) / 2;

        if (before(local_date(middle), d))
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* ---- pieces --------------------------------------------------------------------------- */

/* Exactly n digits at *p. */
static bool take_digits(const char **p, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (**p < '0' || **p > '9')
            return false;
        *out = *out * 10 + (*(*p)++ - '0');
    }
    return true;
}

static bool take_char(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

static bool take_date(const char **p, struct date *d)
{
    return take_digits(p, 4, &d->year) && take_char(p, '-') && take_digits(p, 2, &d->month) &&
           take_char(p, '-') && take_digits(p, 2, &d->day) && d->year >= YEAR_MIN &&
           d->month >= 1 && d->month <= 12 && d->day >= 1 &&
           d->day <= days_in_month(d->year, d->month);
}

/* ".5", ".678901": any number of digits, of which three count. True without any. */
static bool take_fraction(const char **p, int *ms)
{
    int scale = 100;

    *ms = 0;
    if (**p != '.')
        return true;
    (*p)++;
    if (**p < '0' || **p > '9')
        return false;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        *ms += (**p - '0') * scale;
        scale /= 10;
    }
    return true;
}

/* "03:04", "03:04:05", "03:04:05.678". A leap second is the first of the next minute. */
static bool take_clock(const char **p, struct tm *tm, int *ms)
{
    *ms = 0;
    if (!take_digits(p, 2, &tm->tm_hour) || !take_char(p, ':') ||
        !take_digits(p, 2, &tm->tm_min) || tm->tm_hour > 23 || tm->tm_min > 59)
        return false;
    if (!take_char(p, ':'))
        return true;
    return take_digits(p, 2, &tm->tm_sec) && tm->tm_sec <= 60 && take_fraction(p, ms);
}

/* "Z", "+02:00", "-0330"; *local true where there is nothing. */
static bool take_zone(const char **p, bool *local, int *seconds_east)
{
    int hours;
    int minutes;
    int sign;

    *local = **p == '\0';
    *seconds_east = 0;
    if (*local || take_char(p, 'Z') || take_char(p, 'z'))
        return true;
    sign = **p == '-' ? -1 : 1;
    if (!take_char(p, '+') && !take_char(p, '-'))
        return false;
    if (!take_digits(p, 2, &hours))
        return false;
    (void)take_char(p, ':');
    if (!take_digits(p, 2, &minutes) || hours > ZONE_HOURS_MAX || minutes > 59)
        return false;
    *seconds_east = sign * (hours * 3600 + minutes * 60);
    return true;
}

/* ---- the forms -------------------------------------------------------------------------- */

/* A date, or a date and a time. */
static bool parse_stamp(const char *text, int64_t *out_ms)
{
    struct date d;
    struct tm tm;
    bool local;
    int east;
    int ms;

    if (!take_date(&text, &d))
        return false;
    if (*text == '\0') {
        *out_ms = (int64_t)day_start(d) * MS_PER_S;
        return true;
    }
    tm = to_tm(d);
    if ((!take_char(&text, 'T') && !take_char(&text, 't') && !take_char(&text, ' ')) ||
        !take_clock(&text, &tm, &ms) || !take_zone(&text, &local, &east) || *text != '\0')
        return false;
    tm.tm_isdst = -1;
    *out_ms = ((int64_t)(local ? mktime(&tm) : timegm(&tm)) - east) * MS_PER_S + ms;
    return true;
}

static bool parse_epoch(const char *text, int64_t *out_ms)
{
    const char *dot = strchr(text, '.');
    char digits[16];
    size_t len = dot != NULL ? (size_t)(dot - text) : strlen(text);
    uint64_t seconds;
    int ms = 0;

    if (len >= sizeof(digits))
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    if (!parse_number(digits, INT64_MAX / MS_PER_S - 1, &seconds) ||
        (dot != NULL && (!take_fraction(&dot, &ms) || *dot != '\0')))
        return false;
    *out_ms = (int64_t)seconds * MS_PER_S + ms;
    return true;
}

struct unit {
    const char *names[5];
    int64_t ms;
};

static const struct unit units[] = {
    {{"s", "sec", "secs", "second", "seconds"}, MS_PER_S},
    {{"m", "min", "mins", "minute", "minutes"}, INT64_C(60) * MS_PER_S},
    {{"h", "hour", "hours"}, INT64_C(3600) * MS_PER_S},
    {{"d", "day", "days"}, INT64_C(86400) * MS_PER_S},
    {{"w", "week", "weeks"}, INT64_C(604800) * MS_PER_S},
    {{"ms"}, 1},
};
enum { N_UNITS = sizeof(units) / sizeof(units[0]), NUMBER_DIGITS = 12, NAMES_MAX = 5 };

/* Milliseconds of the unit of this name, 0 if there is none. */
static int64_t unit_ms(const char *name, size_t len)
{
    for (size_t i = 0; i < N_UNITS; i++)
        for (size_t k = 0; k < NAMES_MAX && units[i].names[k] != NULL; k++)
            if (strlen(units[i].names[k]) == len && memcmp(units[i].names[k], name, len) == 0)
                return units[i].ms;
    return 0;
}

static const char *skip_spaces(const char *p)
{
    return p + strspn(p, " ");
}

/* "2h", "1h30m", "5 minutes", "1 hour 30 minutes" up to end. */
static bool take_span(const char *p, const char *end, int64_t *ms)
{
    bool any = false;

    *ms = 0;
    for (p = skip_spaces(p); p < end; p = skip_spaces(p)) {
        size_t digits = strspn(p, "0123456789");
        int64_t value = 0;
        size_t letters;
        int64_t unit;

        if (digits == 0 || digits > NUMBER_DIGITS)
            return false;
        for (; digits > 0; digits--)
            value = value * 10 + (*p++ - '0');
        p = skip_spaces(p);
        letters = strspn(p, "abcdefghijklmnopqrstuvwxyz");
        unit = p + letters <= end ? unit_ms(p, letters) : 0;
        if (unit == 0 || value > (INT64_MAX - *ms) / unit)
            return false;
        *ms += value * unit;
        p += letters;
        any = true;
    }
    return any;
}

/* Whether text is a span before now, and how long it is. */
static bool parse_ago(const char *text, int64_t *span_ms)
{
    static const char ago[] = " ago";
    size_t len = strlen(text);
    int64_t ns;

    if (text[0] == '-') {
        if (parse_duration(text + 1, &ns)) {
            *span_ms = ns / NS_PER_MS;
            return true;
        }
        return len > 1 && take_span(text + 1, text + len, span_ms);
    }
    if (len <= sizeof(ago) - 1 || strcmp(text + len - (sizeof(ago) - 1), ago) != 0)
        return false;
    return take_span(text, text + len - (sizeof(ago) - 1), span_ms);
}

static struct date date_at(int64_t now_ms)
{
    return local_date((time_t)(now_ms / MS_PER_S));
}

/* The day that the second before today lies in: dates that were left out do not count. */
static struct date yesterday(int64_t now_ms)
{
    time_t today = day_start(date_at(now_ms));

    return local_date(today - 1);
}

static enum err_code not_a_time(const char *text, struct err *e)
{
    return err_set(e, ERR_USAGE, "bad time", text,
                   "expected 2026-01-02, 2026-01-02T03:04:05Z, today, yesterday, 2h ago, -30m or "
                   "@SECONDS");
}

enum err_code when_parse(const char *text, int64_t now_ms, int64_t *out_ms, struct err *e)
{
    int64_t span;

    *out_ms = 0;
    if (strcmp(text, "now") == 0)
        *out_ms = now_ms;
    else if (strcmp(text, "today") == 0)
        *out_ms = (int64_t)day_start(date_at(now_ms)) * MS_PER_S;
    else if (strcmp(text, "yesterday") == 0)
        *out_ms = (int64_t)day_start(yesterday(now_ms)) * MS_PER_S;
    else if (parse_ago(text, &span))
        *out_ms = span < now_ms ? now_ms - span : 0;
    else if (!(text[0] == '@' ? parse_epoch(text + 1, out_ms) : parse_stamp(text, out_ms)))
        return not_a_time(text, e);
    if (*out_ms < 0)
        *out_ms = 0; /* the first hours of 1970, east of Greenwich */
    return ERR_NONE;
}

enum err_code when_day(const char *text, int64_t now_ms, int64_t *from_ms, int64_t *to_ms,
                       struct err *e)
{
    const char *p = text;
    struct date d;
    int64_t ms;

    if (!take_date(&p, &d) || *p != '\0') {
        enum err_code rc = when_parse(text, now_ms, &ms, e);

        if (rc != ERR_NONE)
            return rc;
        d = date_at(ms);
    }
    *from_ms = (int64_t)day_start(d) * MS_PER_S;
    *to_ms = (int64_t)day_start(next_date(d)) * MS_PER_S;
    if (*from_ms < 0)
        *from_ms = 0;
    return ERR_NONE;
}
