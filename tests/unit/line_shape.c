// SPDX-License-Identifier: MIT
/* Which lines are of one shape, and what a watch on a command's lines makes of that. */
#include "lib/tap.h"

#include <stdlib.h>

#include "redact/redact.h"
#include "run/line_watch.h"
#include "text/line_shape.h"

static uint64_t shape(const char *text)
{
    return line_shape((struct raw_span){text, strlen(text)});
}

static const struct {
    const char *a, *b;
} same[] = {
    {"retry 1 of 20", "retry 19 of 20"},
    {"waiting for 10.0.0.7:5432", "waiting for 10.0.0.12:80"},
    {"commit 3f2a9c1d7be0", "commit 0011223344556677"},
    {"at 0x7ffd01", "at 0xdeadbeef01"},
    {"2026-01-02T03:04:05.678Z still locked", "2026-01-02T03:09:59.001Z still locked"},
    {"[03:04:05] still locked", "[03:04:06] still locked"},
    {"[=====>     ]", "[=========> ]"},
    {"progress ......", "progress ..."},
    {"| working", "\\ working"},
    {"\xe2\xa0\x8b working", "\xe2\xa0\xb8 working"},
    {"\x1b[31mno\x1b[0m", "no"},
    {"a\rb\rsame", "same"},
    {"two  blanks", "two\tblanks"},
    {"took 1.5s", "took 1234.56s"},
};

static const struct {
    const char *a, *b;
} different[] = {
    {"cc main.c", "cc list.c"},
    {"", "x"},
    {"deadbeef", "feedface"}, /* words without a digit are words */
    {"a1b", "a1c"},
    {"step one", "step two"},
    {"error: x", "warning: x"},
    {"\xc3\xa9", "\xc3\xa8"},
};

static void test_shapes(void)
{
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        ok(shape(same[i].a) == shape(same[i].b), "of one shape: pair %zu", i);
    for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++)
        ok(shape(different[i].a) != shape(different[i].b), "of two shapes: pair %zu", i);
}

static void test_any_bytes(void)
{
    char text[3 * LINE_SHAPE_MAX];
    unsigned random = 7;
    uint64_t sum = 0;

    for (int round = 0; round < 2000; round++) {
        char *exact;

        random = random * 1103515245 + 12345;
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = (char)((random = random * 1103515245 + 12345) >> 16);
        /* At the end of an allocation, where the sanitizer sees a byte too far. */
        exact = malloc(1 + random % sizeof(text));
        memcpy(exact, text, 1 + random % sizeof(text));
        sum ^= line_shape((struct raw_span){exact, 1 + random % sizeof(text)});
        free(exact);
    }
    ok(sum != 0, "any bytes have a shape");
}

static void take(struct line_watch *w, const char *text)
{
    line_watch_take(w, clean_constant(text));
}

static bool fresh(struct line_watch *w, const char *text)
{
    w->fresh = false;
    take(w, text);
    return w->fresh;
}

static void test_watch(void)
{
    struct line_watch w;
    char text[32];
    char long_line[2 * WATCH_LAST_MAX];

    ok(line_watch_init(&w, true) == ERR_NONE, "a watch");
    ok(fresh(&w, "retry 1"), "a first line is new");
    ok(!fresh(&w, "retry 2") && !fresh(&w, "retry 3"), "the same with other numbers is not");
    ok(!fresh(&w, ""), "nor is an empty one");
    is_bytes(w.last.bytes.data, w.last.bytes.len, "retry 3", 7, "the last line that says something");
    for (int i = 0; i < 100000; i++) {
        snprintf(text, sizeof(text), "%c%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26,
                 'a' + i / 676 % 26, 'a' + i / 17576);
        take(&w, text);
    }
    ok(fresh(&w, "retry 4"), "after many others it is new again: memory is bounded");
    memset(long_line, 'x', sizeof(long_line) - 1);
    long_line[sizeof(long_line) - 1] = '\0';
    take(&w, long_line);
    is_int((int64_t)w.last.bytes.len, WATCH_LAST_MAX, "a long line is cut");
    line_watch_release(&w);
}

int main(void)
{
    test_shapes();
    test_any_bytes();
    test_watch();
    return done();
}
