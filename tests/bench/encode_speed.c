// SPDX-License-Identifier: MIT
/*
 * How fast lines become JSON: json_escape by variant and kind of text, and line_encode whole.
 * The best of several rounds, next to memcpy of the same lines in the same run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "record/record.h"
#include "text/json.h"

enum { LINES = 4096, ROUNDS = 60, PASSES = 4 };

/* Lines one after the other, as a read brings them. */
struct text {
    const char *name;
    char *data;
    size_t at[LINES + 1];
};

static uint64_t random_next(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static char letter(void)
{
    return "abcdefghijklmnopqrstuvwxyz     /._-=:()0123456789"[random_next() % 49];
}

enum kind { PLAIN, CI, WORDS, UNICODE, BINARY };

/* One byte or sequence of a line; CI: an escape about every 50 bytes, as colours come. */
static size_t put_piece(char *dst, enum kind kind)
{
    static const char *const special[] = {"\x1b[32m", "\x1b[0m", "\r", "\"", "\t"};
    const char *text = special[random_next() % 5];

    if (kind == CI && random_next() % 50 == 0)
        return (size_t)(stpcpy(dst, text) - dst);
    if (kind == WORDS && random_next() % 12 == 0)
        return (size_t)(stpcpy(dst, "\xc3\xa9") - dst);
    if (kind == UNICODE)
        return (size_t)(stpcpy(dst, "\xe2\x94\x81") - dst);
    dst[0] = kind == BINARY ? (char)random_next() : letter();
    return 1;
}

static void make(struct text *t, const char *name, enum kind kind, size_t min, size_t max)
{
    size_t at = 0;

    t->name = name;
    t->data = malloc(LINES * (max + 8));
    if (t->data == NULL)
        abort();
    for (size_t i = 0; i < LINES; i++) {
        size_t end = at + min + random_next() % (max - min + 1);

        t->at[i] = at;
        while (at < end)
            at += put_piece(t->data + at, kind);
    }
    t->at[LINES] = at;
}

static char *copy(char *dst, const char *src, size_t n, uint64_t *bad)
{
    (void)bad;
    memcpy(dst, src, n);
    return dst + n;
}

typedef char *escape_fn(char *dst, const char *src, size_t n, uint64_t *bad);

/* Into a buffer that stays in the cache, as the write queue does. */
static double escape_gbps(escape_fn *escape, const struct text *t, char *dst, size_t size)
{
    int64_t best = INT64_MAX;
    uint64_t bad = 0;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = clock_monotonic_ns();
        int64_t took;

        for (int pass = 0; pass < PASSES; pass++) {
            char *at = dst;

            for (size_t i = 0; i < LINES; i++) {
                if ((size_t)(at - dst) + json_escape_room(512) > size)
                    at = dst;
                at = escape(at, t->data + t->at[i], t->at[i + 1] - t->at[i], &bad);
            }
        }
        took = clock_monotonic_ns() - start;
        best = took < best ? took : best;
    }
    return (double)t->at[LINES] * PASSES / (double)best;
}

static double encode_mlps(const struct text *t, char *dst, size_t size, bool payload, double *gbps)
{
    struct line_encoder e;
    struct line_fields f = {.ts_ms = 1700000000000};
    int64_t best = INT64_MAX;

    line_encoder_init(&e, "stdout", "01ARZ3NDEKTSV4RRFFQ69G5FAV", payload);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = clock_monotonic_ns();
        int64_t took;

        f.seq = 1000000;
        for (int pass = 0; pass < PASSES; pass++) {
            char *at = dst;

            for (size_t i = 0; i < LINES; i++) {
                struct clean_span msg = {.ptr = t->data + t->at[i], .len = t->at[i + 1] - t->at[i]};

                if ((size_t)(at - dst) + line_encode_room(msg.len) > size)
                    at = dst;
                f.seq++;
                at = line_encode(&e, at, msg, &f);
            }
        }
        took = clock_monotonic_ns() - start;
        best = took < best ? took : best;
    }
    *gbps = (double)t->at[LINES] * PASSES / (double)best;
    return (double)LINES * PASSES * 1e3 / (double)best;
}

enum { OUT_SIZE = 256 << 10 };

static void measure(const struct text *t, char *dst)
{
    struct json_escape_variant v[JSON_ESCAPE_VARIANTS_MAX];
    size_t n = json_escape_variants(v);
    double gbps;
    double mlps = encode_mlps(t, dst, OUT_SIZE, true, &gbps);

    printf("%-24s memcpy %5.2f", t->name, escape_gbps(copy, t, dst, OUT_SIZE));
    for (size_t i = 0; i < n; i++)
        if (v[i].usable)
            printf("  %s %5.2f", v[i].name, escape_gbps(v[i].escape, t, dst, OUT_SIZE));
    printf("  chosen %5.2f GB/s | line_encode %5.1f M lines/s %5.2f GB/s",
           escape_gbps(json_escape, t, dst, OUT_SIZE), mlps, gbps);
    mlps = encode_mlps(t, dst, OUT_SIZE, false, &gbps);
    printf(" | len only %5.1f M lines/s\n", mlps);
}

int main(void)
{
    static const struct {
        const char *name;
        enum kind kind;
        size_t min, max;
    } texts[] = {
        {"plain, 80 bytes", PLAIN, 80, 80},         {"plain, 79 bytes", PLAIN, 79, 79},
        {"plain, 0 to 160 bytes", PLAIN, 0, 160},   {"plain, 20 bytes", PLAIN, 20, 20},
        {"CI log, 20 to 140 bytes", CI, 20, 140},   {"French, 80 bytes", WORDS, 80, 80},
        {"box drawing, 80 bytes", UNICODE, 80, 80}, {"binary, 80 bytes", BINARY, 80, 80},
    };
    static struct text t;
    char *dst = malloc(OUT_SIZE);

    if (dst == NULL)
        abort();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        make(&t, texts[i].name, texts[i].kind, texts[i].min, texts[i].max);
        measure(&t, dst);
        free(t.data);
    }
    free(dst);
    return 0;
}
