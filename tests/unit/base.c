// SPDX-License-Identifier: MIT
/* base/: durations, sizes, numbers, dates, ULIDs, error lines, buffers. */
#include "lib/tap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/parse.h"
#include "base/sys.h"
#include "base/ulid.h"

static void duration_is(const char *text, int64_t want_ms)
{
    int64_t ns = -1;
    bool good = parse_duration(text, &ns);

    ok(good == (want_ms >= 0) && (!good || ns == want_ms * 1000000), "duration '%s'", text);
}

static void test_durations(void)
{
    duration_is("0", 0);
    duration_is("90", 90000);
    duration_is("90s", 90000);
    duration_is("5m", 300000);
    duration_is("1h30m", 5400000);
    duration_is("1d2h3m4s5ms", 93784005);
    duration_is("250ms", 250);
    static const char *const bad[] = {"", "s", "-1", "+1", " 1", "1 ", "1x", "1m1h", "1m1m", "1h30",
                                      "1.5h", "0x10", "99999999999999999999", "1e9",
                                      "9223372036854775807d", "36601d", "1hm", "1S", NULL};
    for (size_t i = 0; bad[i] != NULL; i++)
        duration_is(bad[i], -1);
}

static void size_is(const char *text, int64_t want)
{
    uint64_t bytes = 0;
    bool good = parse_size(text, &bytes);

    ok(good == (want >= 0) && (!good || bytes == (uint64_t)want), "size '%s'", text);
}

static void test_sizes(void)
{
    size_is("0", 0);
    size_is("4096", 4096);
    size_is("64k", 65536);
    size_is("64KiB", 65536);
    size_is("10MB", 10485760);
    size_is("2G", INT64_C(2) << 30);
    static const char *const bad[] = {"", "k", "-1", "1kk", "1.5M", "1 k", "10Q", "9999999999999T",
                                      "1Mx", NULL};
    for (size_t i = 0; bad[i] != NULL; i++)
        size_is(bad[i], -1);
}

static void test_dates(void)
{
    char text[RFC3339_SIZE];

    is_str(clock_rfc3339(0, text), "1970-01-01T00:00:00.000Z", "the epoch");
    is_str(clock_rfc3339(INT64_C(1709210096789), text), "2024-02-29T12:34:56.789Z", "a leap day");
    is_str(clock_rfc3339(INT64_C(4102444799999), text), "2099-12-31T23:59:59.999Z", "a year's end");
    is_str(clock_utc_day(INT64_C(1709164800000), text), "2024-02-29", "midnight belongs to the day");
}

static void test_ulids(void)
{
    struct ulid_source source = {0};
    struct err e;
    char last[ULID_SIZE] = "";
    char id[ULID_SIZE];
    bool ascending = true;
    bool valid = true;

    for (int i = 0; i < 10000; i++) {
        if (ulid_next(&source, 1700000000000 + i / 5000 - (i % 7 == 0), id, &e) != ERR_NONE)
            valid = false;
        valid = valid && ulid_valid(id);
        ascending = ascending && strcmp(id, last) > 0;
        memcpy(last, id, sizeof(id));
    }
    ok(valid, "10,000 ids are valid");
    ok(ascending, "and ascend within a millisecond and when the clock goes back");
    is_int(ulid_time_ms("01ARZ3NDEKTSV4RRFFQ69G5FAV"), INT64_C(1469922850259), "the time of a known id");
    source = (struct ulid_source){.last_ms = 5};
    memset(source.random, 0xff, sizeof(source.random));
    ok(ulid_next(&source, 5, id, &e) == ERR_NONE && ulid_time_ms(id) == 6,
       "a random part that wraps moves the time on");
    static const char *const bad[] = {"", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVX",
                                      "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fav",
                                      "01ARZ3NDEKTSV4RRFFQ69G5FAI", "01ARZ3NDEKTSV4RRFFQ69G5FAL",
                                      "01ARZ3NDEKTSV4RRFFQ69G5FAO", "01ARZ3NDEKTSV4RRFFQ69G5FAU",
                                      "../../../../../../etc/pass", "01ARZ3NDEKTSV4RRFFQ69G5F/V", NULL};
    for (size_t i = 0; bad[i] != NULL; i++)
        ok(!ulid_valid(bad[i]), "not an id: '%s'", bad[i]);
}

static ssize_t no_random(void *data, size_t n, unsigned flags)
{
    (void)data, (void)n, (void)flags;
    errno = ENOSYS;
    return -1;
}

static ssize_t one_random_byte(void *data, size_t n, unsigned flags)
{
    static int calls;

    (void)n, (void)flags;
    if (calls++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    *(uint8_t *)data = 1;
    return 1;
}

static void test_ulid_failure(void)
{
    ssize_t (*saved)(void *, size_t, unsigned) = sys.getrandom;
    struct ulid_source source = {0};
    struct err e;
    char id[ULID_SIZE];
    char line[128];

    sys.getrandom = no_random;
    ok(ulid_next(&source, 1, id, &e) == ERR_SYSTEM, "no randomness is an error");
    err_format(&e, line, sizeof(line));
    is_str(line, "cannot get random bytes: Function not implemented", "and says so");
    sys.getrandom = one_random_byte;
    ok(ulid_next(&source, 1, id, &e) == ERR_NONE && ulid_valid(id), "short reads and EINTR are not");
    sys.getrandom = saved;
}

static void test_errors(void)
{
    struct err e;
    char line[256];
    char tiny[12];

    errno = EACCES;
    ok(err_system(&e, "cannot open", "/a/b") == ERR_SYSTEM && errno == EACCES, "errno is kept");
    err_format(&e, line, sizeof(line));
    is_str(line, "cannot open '/a/b': Permission denied", "what, subject, why");
    ok(err_set(&e, ERR_USAGE, "invalid", "a\n\x1b[2Jb\xff", "%d of %d", 1, 2) == ERR_USAGE, "code");
    err_format(&e, line, sizeof(line));
    is_str(line, "invalid 'a\\x0a\\x1b[2Jb\\xff': 1 of 2", "hostile subjects are made visible");
    size_t len = err_format(&e, tiny, sizeof(tiny));
    is_str(tiny, "invalid 'a'", "cut to the space");
    is_int((int64_t)len, (int64_t)strlen(tiny), "and its length told");
    ok(err_set(NULL, ERR_FORMAT, "x", "y", "z") == ERR_FORMAT, "nobody needs to listen");
}

static void test_buffers(void)
{
    struct buf b;

    buf_init(&b, 300);
    ok(buf_puts(&b, "hello ") == ERR_NONE && buf_printf(&b, "%d", 42) == ERR_NONE, "append");
    is_bytes(b.data, b.len, "hello 42", 8, "contents");
    ok(buf_reserve(&b, 293) == ERR_MEMORY && b.len == 8, "the ceiling holds");
    ok(buf_reserve(&b, 292) == ERR_NONE, "up to the ceiling");
    buf_consume(&b, 6);
    is_bytes(b.data, b.len, "42", 2, "consume");
    buf_consume(&b, 100);
    is_int((int64_t)b.len, 0, "consume more than there is");
    buf_release(&b);
}

int main(void)
{
    test_durations();
    test_sizes();
    test_dates();
    test_ulids();
    test_ulid_failure();
    test_errors();
    test_buffers();
    return done();
}
