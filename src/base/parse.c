// SPDX-License-Identifier: MIT
#include "base/parse.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Reads digits at *p, stops at the first other byte; false if none or above max. */
static bool read_digits(const char **p, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    const char *at = *p;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (value > (max - digit) / 10 || digit > max)
            return false;
        value = value * 10 + digit;
    }
    if (at == *p)
        return false;
    *p = at;
    *out = value;
    return true;
}

bool parse_number(const char *text, uint64_t max, uint64_t *out)
{
    return read_digits(&text, max, out) && *text == '\0';
}

struct unit {
    const char *name;
    int64_t ns;
};

/* Descending, so that an index that does not grow means a unit out of order. */
static const struct unit units[] = {
    {"d", INT64_C(86400000000000)}, {"h", INT64_C(3600000000000)}, {"m", INT64_C(60000000000)},
    {"s", INT64_C(1000000000)},     {"ms", INT64_C(1000000)},
};
enum { N_UNITS = sizeof(units) / sizeof(units[0]), UNIT_SECONDS = 3 };

static const int64_t DURATION_MAX_NS = INT64_C(100) * 366 * 86400 * 1000000000;

/* The index of the unit whose name is the letters at p, N_UNITS if there is none. */
static size_t unit_at(const char *p, size_t *len)
{
    size_t n = strspn(p, "dhms");

    *len = n;
    for (size_t i = 0; i < N_UNITS; i++)
        if (strlen(units[i].name) == n && memcmp(units[i].name, p, n) == 0)
            return i;
    return N_UNITS;
}

bool parse_duration(const char *text, int64_t *ns)
{
    int64_t total = 0;
    size_t next = 0; /* the first unit still allowed */

    do {
        uint64_t value;
        size_t unit = UNIT_SECONDS;
        size_t len = 0;

        if (!read_digits(&text, INT64_MAX, &value))
            return false;
        if (*text != '\0')
            unit = unit_at(text, &len);
        else if (next > 0)
            return false; /* "1h30": minutes or seconds? */
        if (unit >= N_UNITS || unit < next)
            return false;
        text += len;
        next = unit + 1;
        if ((int64_t)value > (DURATION_MAX_NS - total) / units[unit].ns)
            return false;
        total += (int64_t)value * units[unit].ns;
    } while (*text != '\0');
    *ns = total;
    return true;
}

bool parse_size(const char *text, uint64_t *bytes)
{
    static const char letters[] = "kmgt";
    unsigned shift = 0;
    uint64_t value;

    if (!read_digits(&text, INT64_MAX, &value))
        return false;
    if (*text != '\0') {
        char lower = (char)(*text | 0x20);
        const char *letter = strchr(letters, lower);

        if (letter == NULL || lower == '\0')
            return false;
        shift = 10 * (unsigned)(letter - letters + 1);
        text++;
        if (*text != '\0' && strcasecmp(text, "b") != 0 && strcasecmp(text, "ib") != 0)
            return false;
    }
    if (value > (uint64_t)INT64_MAX >> shift)
        return false;
    *bytes = value << shift;
    return true;
}
