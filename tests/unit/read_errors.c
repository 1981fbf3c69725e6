// SPDX-License-Identifier: MIT
/* read/shape, read/plain and read/errors below the command: patterns match what they say and
   nothing else, memory is bounded, and no bytes, in no pieces, lead beyond them. */
#include "lib/tap.h"

#include <stdlib.h>

#include "read/errors.h"
#include "read/shape.h"
#include "text/plain.h"

/* ---- shapes --------------------------------------------------------------------------------- */

/* "file|line|column|code|message", or "-" if it does not match. */
static void is_shape(const char *pattern, const char *text, const char *want)
{
    struct shape s = {{0}, {0}, {0}, 0, 0};
    char got[512] = "-";

    if (shape_match(pattern, (struct raw_span){text, strlen(text)}, &s))
        snprintf(got, sizeof(got), "%.*s|%u|%u|%.*s|%.*s", (int)s.file.len,
                 s.file.ptr != NULL ? s.file.ptr : "", s.line, s.column, (int)s.code.len,
                 s.code.ptr != NULL ? s.code.ptr : "", (int)s.message.len,
                 s.message.ptr != NULL ? s.message.ptr : "");
    if (!ok(strcmp(got, want) == 0, "%s", pattern))
        printf("#   %s: got %s, want %s\n", text, got, want);
}

static void test_shapes(void)
{
    is_shape("abc", "abc", "|0|0||");
    is_shape("abc", "abcd", "-");
    is_shape("abc", "ab", "-");
    is_shape("a%*", "a", "|0|0||");
    is_shape("a%*", "abc", "|0|0||");
    is_shape("%*c", "abc", "|0|0||");
    is_shape("%*c", "abcd", "-");
    is_shape("100%%", "100%", "|0|0||");
    is_shape("%f:%l:%c: error: %m", "a.c:1:2: error: x y", "a.c|1|2||x y");
    is_shape("%f:%l:%c: error: %m", "C:\\a.c:1:2: error: x", "C:\\a.c|1|2||x");
    is_shape("%f:%l:%c: error: %m", "a b.c:1:2: error: x", "-");
    is_shape("%F:%l:%c: error: %m", "a b.c:1:2: error: x", "a b.c|1|2||x");
    is_shape("%F:%l: %m", "x: a.c:1: y", "-");
    is_shape("%f:%l:%c: error: %m", "12:34:56: error: x", "-");
    is_shape("%f:%l:%c: error: %m", "a.c:1:2: error: ", "-");
    is_shape("%f:%l:%c: error: %m", ":1:2: error: x", "-");
    is_shape("%f:%l: %m", "a.c:1234567890: x", "-");
    is_shape("%{.go}:%l: %m", "a.go:1: x", "a.go|1|0||x");
    is_shape("%{.go}:%l: %m", ".go:1: x", "-");
    is_shape("%{.go}:%l: %m", "a.gone:1: x", "-");
    is_shape("error %k: %m", "error TS2304: x", "|0|0|TS2304|x");
    is_shape("error %k: %m", "error TS: x", "-");
    is_shape("error %k: %m", "error 23: x", "-");
    is_shape("%b%i: %m", "  a.b-c+$_1: x", "|0|0||x");
    is_shape("%i: %m", "1a: x", "-");
    is_shape("%i: %m", ": x", "-");
    is_shape("%n x", "12 x", "|0|0||");
    is_shape("%n x", " x", "-");
    is_shape("x %<a%*c%> z", "x abc z", "|0|0||abc");
    is_shape("%*:%*:%*:%*:%*:%*:x", "::::::::::::::::::::::::::::::::::::::::::::::::y", "-");
}

static void test_steps(void)
{
    enum { LONG = 200000 };
    char *text = malloc(LONG);
    struct shape s;

    if (text == NULL)
        exit(99);
    memset(text, ':', LONG);
    for (int i = 0; i < 200; i++)
        if (shape_match("%*:%*:%*:%*:%*:%*:%*:%*:x", (struct raw_span){text, LONG}, &s))
            break;
    ok(true, "a text made to be slow is given up soon");
    free(text);
}

/* ---- plain text ----------------------------------------------------------------------------- */

static void is_plain(const char *text, size_t n, const char *want)
{
    char dst[32];
    struct raw_span got = plain_text((struct raw_span){text, n}, dst, sizeof(dst));

    is_bytes(got.ptr, got.len, want, strlen(want), "plain text");
}

static void test_plain(void)
{
#define PLAIN(text, want) is_plain(text, sizeof(text) - 1, want)
    PLAIN("", "");
    PLAIN("abc", "abc");
    PLAIN("abc \t\r\r", "abc");
    PLAIN("\x1b[1;31merror\x1b[0m: x", "error: x");
    PLAIN("\x1b[01;31m\x1b[Kx\x1b[m\x1b[K", "x");
    PLAIN("10%\r\x1b[K20%\rdone", "done");
    PLAIN("\x1b]0;title\ax\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "xlink");
    PLAIN("\x1b]0;no end", "0;no end");
    PLAIN("a\0b\x01" "c", "abc");
    PLAIN("\x1b(Bx\x1b=y", "xy");
    PLAIN("\x1b", "");
    PLAIN("\x1b[", "");
    PLAIN("\x1b[31", "");
    PLAIN("0123456789012345678901234567890123456789", "01234567890123456789012345678901");
#undef PLAIN
}

static void is_prefix(const char *text, size_t want)
{
    is_int((int64_t)plain_prefix_len((struct raw_span){text, strlen(text)}), (int64_t)want, text);
}

static void test_prefixes(void)
{
    is_prefix("2026-01-02T03:04:05.1234567Z x", 29);
    is_prefix("2026-01-02 03:04:05,678 x", 24);
    is_prefix("2026-01-02T03:04:05+01:00 x", 26);
    is_prefix("2026-01-02T03:04:05", 19);
    is_prefix("2026-01-02T03:04:0x", 0);
    is_prefix("2026-01-02T03:04:05/x", 0);
    is_prefix("2026-01-02", 0);
    is_prefix("[2026-01-02T03:04:05.678Z] x", 27);
    is_prefix("[2026-01-02T03:04:05.678Z x", 0);
    is_prefix("[2026-01-02T03:04:05", 0);
    is_prefix("03:04:05 x", 9);
    is_prefix("[03:04:05] x", 11);
    is_prefix("03:04:05: x", 10);
    is_prefix("03:04:05x", 0);
    is_prefix("[", 0);
    is_prefix("", 0);
    is_prefix("#12 3.456 x", 10);
    is_prefix("#12 x", 0);
    is_prefix("#", 0);
    is_prefix("#1", 0);
    is_prefix("#1 2", 0);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void feed(struct errors *f, uint64_t seq, const char *text, size_t n)
{
    static const char record[] = "{\"src\":\"stdout\"}";
    struct log_item item = {.text = {record, sizeof(record) - 1}, .kind = RECORD_LINE,
                            .from = seq, .seq = seq};

    errors_record(f, &item, (struct raw_span){text, n});
}

static struct errors *fresh(void)
{
    struct errors *f;

    if (errors_new(&f, NULL) != ERR_NONE)
        exit(99);
    return f;
}

/* What is kept is bounded, and what is worse takes the place of what is not. */
static void test_bounds(void)
{
    enum { MANY = 3000 };
    struct build_report report = {.state = STATE_LOST};
    struct errors *f = fresh();
    char text[64];

    for (uint64_t i = 1; i <= MANY; i++) {
        snprintf(text, sizeof(text), i % 2 ? "ERROR: number %d" : "f%d.c:1:1: error: x", (int)i);
        feed(f, i, text, strlen(text));
    }
    errors_finish(f, &report);
    is_int((int64_t)errors_count(f), ERRORS_MAX, "no more than the maximum is kept");
    is_int((int64_t)errors_dropped(f), MANY - ERRORS_MAX, "the rest is counted");
    is_int((int64_t)errors_first(f)->seq, 2, "the first of the worst");
    ok(errors_at(f, ERRORS_MAX - 1)->rank == RANK_CAUSE, "worse ones stay");
    for (size_t i = 1; i < errors_count(f); i++)
        if (errors_at(f, i - 1)->seq > errors_at(f, i)->seq)
            ok(false, "in the order of the log");
    errors_free(f);
}

static void test_long(void)
{
    enum { LONG = 100000 };
    struct build_report report = {.state = STATE_LOST};
    struct errors *f = fresh();
    char *text = malloc(LONG);

    if (text == NULL)
        exit(99);
    memset(text, 'x', LONG);
    memcpy(text, "a.c:1:1: error: \xc3\xa9", 18);
    for (size_t i = 18; i + 1 < LONG; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    feed(f, 1, text, LONG);
    errors_finish(f, &report);
    is_int((int64_t)strlen(errors_first(f)->message), ERROR_MESSAGE_MAX - 2,
           "a long message is cut at a whole character");
    errors_free(f);
    free(text);
}

static const char *const lines[] = {
    "Traceback (most recent call last):", "  File \"a.py\", line 3, in f", "    x = 1",
    "ValueError: x", "error[E0308]: x", "  --> a.rs:1:2", "a.c:1:2: error: x", "panic: x",
    "goroutine 1 [running]:", "\t/a.go:3 +0x1", "--- FAIL: TestX (0.00s)", "    a_test.go:3: x",
    "E       assert 1", "a.py:3: AssertionError", "/a.js:3", "Error: x", "    at f (/a.js:3:1)",
    "CMake Error at a.txt:3 (x):", "  y", "* What went wrong:", "> z", "[ERROR] a  <<< FAILURE!",
    "java.lang.Error: x", "\tat a.B.c(B.java:3)", "Caused by: y", "npm ERR! code E1", "npm ERR! 4 x",
    "  \xe2\x97\x8f a", "make: *** [x] Error 1", "2026-01-02T03:04:05Z ##[error]a.c:1:1: x",
    "=== RUN   TestX", "During handling of the above exception, another exception occurred:", "",
    "/src/a.js", "  1:2  error  x  y", "\x1b[31mERROR\x1b[0m x", "#1 2.3 x: not found",
};
enum { N_LINES = sizeof(lines) / sizeof(lines[0]) };

/* The same numbers in every run. */
static size_t random_below(size_t n)
{
    static uint64_t state = 11;

    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % n;
}

static bool sound(const struct errors *f, uint64_t last)
{
    for (size_t i = 0; i < errors_count(f); i++) {
        const struct error_finding *e = errors_at(f, i);

        if (e->rank < RANK_CASCADE || e->rank > RANK_DECISIVE || e->seq == 0 || e->seq > e->last_seq ||
            e->last_seq > last || e->tool == NULL || e->message[0] == '\0' || e->times == 0 ||
            memchr(e->message, '\0', sizeof(e->message)) == NULL ||
            memchr(e->file, '\0', sizeof(e->file)) == NULL)
            return false;
    }
    return true;
}

/* Lines in any order and spoilt, each in a buffer of exactly its size: a sanitizer sees any step
   over the end, and whatever is put together is sound. */
static void test_any_order(void)
{
    enum { ROUNDS = 600, LENGTH = 60 };
    static const char spice[] = "\x1b[]\\\"{}:=<>|\r\x9b\0E %";
    struct build_report report = {.state = STATE_LOST};
    int good = 0;

    for (int round = 0; round < ROUNDS; round++) {
        struct errors *f = fresh();

        for (uint64_t seq = 1; seq <= LENGTH; seq++) {
            const char *line = lines[random_below(N_LINES)];
            size_t n = strlen(line);
            char *text = malloc(n > 0 ? n : 1);

            if (text == NULL)
                exit(99);
            memcpy(text, line, n);
            for (size_t i = random_below(8) == 0 ? 2 : 0; i > 0 && n > 0; i--)
                text[random_below(n)] = spice[random_below(sizeof(spice) - 1)];
            n -= random_below(8) == 0 && n > 0 ? random_below(n) : 0;
            feed(f, seq, text, n);
            free(text);
        }
        errors_finish(f, &report);
        good += sound(f, LENGTH) ? 1 : 0;
        errors_free(f);
    }
    is_int(good, ROUNDS, "lines in any order");
}

int main(void)
{
    test_shapes();
    test_steps();
    test_plain();
    test_prefixes();
    test_bounds();
    test_long();
    test_any_order();
    for (int rank = RANK_NONE; rank <= RANK_DECISIVE; rank++)
        ok(error_rank_name((enum error_rank)rank)[0] != '\0', "rank %d has a name", rank);
    return done();
}
