// SPDX-License-Identifier: MIT
/* The Test Anything Protocol for unit tests in C: ok(), is_*() and done(). */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

__attribute__((format(printf, 2, 3), unused)) static bool ok(bool good, const char *name, ...)
{
    va_list args;

    printf("%sok %d - ", good ? "" : "not ", ++tap_count);
    va_start(args, name);
    vprintf(name, args);
    va_end(args);
    printf("\n");
    tap_failed += good ? 0 : 1;
    return good;
}

__attribute__((unused)) static bool is_int(int64_t got, int64_t want, const char *name)
{
    bool good = ok(got == want, "%s", name);

    if (!good)
        printf("#   got %" PRId64 ", want %" PRId64 "\n", got, want);
    return good;
}

__attribute__((unused)) static bool is_bytes(const char *got, size_t got_len, const char *want,
                                             size_t want_len, const char *name)
{
    bool good = ok(got_len == want_len && memcmp(got, want, got_len) == 0, "%s", name);

    if (!good)
        printf("#   got  %.*s\n#   want %.*s\n", (int)got_len, got, (int)want_len, want);
    return good;
}

__attribute__((unused)) static bool is_str(const char *got, const char *want, const char *name)
{
    return is_bytes(got, strlen(got), want, strlen(want), name);
}

/* The last line of main: the plan and the exit status. */
__attribute__((unused)) static int done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed == 0 ? 0 : 1;
}

#endif
