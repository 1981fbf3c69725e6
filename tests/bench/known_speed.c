// SPDX-License-Identifier: MIT
/*
 * How fast known values are looked for, by how many there are: build/tests/bench/known_speed
 * Lines as a CI job prints them, made up here; none of the values is in them. Then streams that
 * are made to be slow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "redact/known.h"

enum {
    TEXT_LEN = 128 << 20,
    WORST_LEN = 8 << 20,
    CHUNK = 64 << 10,
    VALUE_LEN = 40,
    ROUNDS = 5,
    VALUES_FEW = 10,
    VALUES_MANY = 10000
};

static uint64_t seed = 3;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

static const char *pick(const char *const *words, size_t n)
{
    return words[next_random() % n];
}

/* One line of a job's log. */
static int make_line(char *dst, size_t size)
{
    static const char *const files[] = {"src/core/engine.c",          "lib/net/http_client.go",
                                        "packages/ui/components.tsx", "tests/test_parser.py",
                                        "com/example/service/Handler.java"};
    static const char *const words[] = {"Compiling", "Linking", "Downloading", "Checking",
                                        "Installing", "Resolving", "Unpacking", "warning:"};
    const char *file = pick(files, sizeof(files) / sizeof(files[0]));
    const char *word = pick(words, sizeof(words) / sizeof(words[0]));

    switch (next_random() % 6) {
    case 0:
        return snprintf(dst, size, "2026-03-14T09:26:%02u.%06uZ \033[32mINFO\033[0m %s %s\n",
                        next_random() % 60, next_random() % 1000000, word, file);
    case 1:
        return snprintf(dst, size, "[%3u/%u] %s %s\n", next_random() % 999, 999U, word, file);
    case 2:
        return snprintf(dst, size, "gcc -O2 -g -Wall -Iinclude -DNDEBUG -MMD -c -o build/%s.o %s\n",
                        file, file);
    case 3:
        return snprintf(dst, size, "    at %s:%u:%u (commit %08x%08x)\n", file,
                        next_random() % 2000, next_random() % 90, next_random(), next_random());
    case 4:
        return snprintf(dst, size, "%s %s@%u.%u.%u integrity sha512-%08x%08x%08x\n", word, file,
                        next_random() % 20, next_random() % 20, next_random() % 99,
                        next_random(), next_random(), next_random());
    default:
        return snprintf(dst, size, "%s: %s: the quick brown fox took %u ms to jump over it\n", file,
                        word, next_random() % 5000);
    }
}

static void make_text(char *dst, size_t n)
{
    char line[256];

    for (size_t at = 0; at < n;) {
        size_t len = (size_t)make_line(line, sizeof(line));

        len = len < n - at ? len : n - at;
        memcpy(dst + at, line, len);
        at += len;
    }
}

static char values[VALUES_MANY][VALUE_LEN];

static void make_values(const char *alphabet)
{
    size_t n = strlen(alphabet);

    for (size_t i = 0; i < VALUES_MANY; i++) {
        for (size_t j = 0; j < VALUE_LEN; j++)
            values[i][j] = alphabet[next_random() % n];
    }
}

static struct known *make_set(size_t n)
{
    struct known *k;

    if (known_new(&k, NULL) != ERR_NONE)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (known_add(k, values[i], VALUE_LEN, 0, NULL) != ERR_NONE)
            abort();
    }
    return k;
}

static void count(void *ctx, const struct known_match *m)
{
    (void)m;
    ++*(size_t *)ctx;
}

static size_t scan(struct known *k, const char *text, size_t n)
{
    static struct known_scan s;
    size_t found = 0;

    known_scan_init(&s, k);
    for (size_t base = 0; base < n; base += CHUNK) {
        const uint8_t *data = (const uint8_t *)text + base;
        size_t len = CHUNK < n - base ? CHUNK : n - base;

        for (size_t at = 0; at < len; at++) {
            if (!known_live(&s)) {
                size_t next = known_next(&s, data, len, at);

                known_skip(&s, data, at, next);
                at = next;
                if (at == len)
                    break;
                known_step(&s, data[at], base + at, count, &found);
                continue;
            }
            at += known_run(&s, data + at, len - at, base + at, count, &found) - 1;
        }
    }
    known_finish(&s, count, &found);
    return found;
}

/* Not the wall clock: the machine may be busy. */
static int64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double ms_since(int64_t begun)
{
    return (double)(cpu_ns() - begun) / 1e6;
}

/* Best of some rounds: building the set, and that with the scan. */
static double measure(const char *name, size_t n, const char *text)
{
    double build = 1e9;
    double all = 1e9;
    size_t forms = 0;
    size_t found = 0;
    size_t memory = 0;

    for (int i = 0; i < ROUNDS; i++) {
        int64_t begun = cpu_ns();
        struct known *k = make_set(n);
        double built = ms_since(begun);
        double scanned;

        found = scan(k, text, TEXT_LEN);
        scanned = ms_since(begun);
        memory = known_memory(k);
        forms = known_form_count(k);
        known_free(k);
        build = built < build ? built : build;
        all = scanned < all ? scanned : all;
    }
    printf("%-8s %6zu values, %6zu forms, %5zu bytes a value: set %6.2f ms, with %d MiB %7.1f ms, "
           "%.2f GB/s, %zu found\n",
           name, n, forms, memory / n, build, TEXT_LEN >> 20, all,
           TEXT_LEN / (all - build) / 1e6, found);
    return all;
}

static void compare(const char *name, const char *alphabet, const char *text)
{
    double few;

    make_values(alphabet);
    few = measure(name, VALUES_FEW, text);
    printf("10,000 take %.2f times as long as 10\n", measure(name, VALUES_MANY, text) / few);
}

/* The piece over and over. */
static void measure_worst(const char *name, const char *value, size_t len, const char *piece,
                          size_t piece_len)
{
    char *text = malloc(WORST_LEN);
    struct known *k;
    int64_t begun;
    size_t found;

    if (text == NULL || known_new(&k, NULL) != ERR_NONE ||
        known_add(k, value, len, 0, NULL) != ERR_NONE)
        abort();
    for (size_t i = 0; i < WORST_LEN; i++)
        text[i] = piece[i % piece_len];
    begun = cpu_ns();
    found = scan(k, text, WORST_LEN);
    printf("%-40s %6.1f MB/s, %zu found\n", name, WORST_LEN / ms_since(begun) / 1e3, found);
    known_free(k);
    free(text);
}

/* Values of every period up to a few, of lengths around what is compared in which way. */
static void measure_periods(void)
{
    static const size_t lens[] = {40, 60, 400, 4096};
    static char value[4096];
    char name[64];

    for (size_t period = 1; period <= 8; period *= 2) {
        for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
            for (size_t j = 0; j < lens[i]; j++)
                value[j] = (char)('a' + j % period);
            snprintf(name, sizeof(name), "%zu bytes that repeat %zu, only those", lens[i], period);
            measure_worst(name, value, lens[i], value, period);
            value[lens[i] - 1] = '!';
            snprintf(name, sizeof(name), "the same with another last byte");
            measure_worst(name, value, lens[i], value, period);
        }
    }
}

/* A value without repetition, over and over: itself, in colours and lines, nearly itself. */
static void measure_again(size_t len)
{
    static char value[400];
    static char piece[400 * 5];
    char name[64];
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        value[i] = (char)('a' + next_random() % 26);
    snprintf(name, sizeof(name), "%zu bytes again and again", len);
    measure_worst(name, value, len, value, len);
    for (size_t i = 0; i < len; i++)
        n += (size_t)sprintf(piece + n, "%c\033[1m", value[i]);
    measure_worst("the same, coloured byte by byte", value, len, piece, n);
    n = 0;
    for (size_t i = 0; i < len; i++)
        n += (size_t)sprintf(piece + n, i % 4 == 3 ? "%c\n" : "%c", value[i]);
    measure_worst("the same, in lines of four", value, len, piece, n);
    memcpy(piece, value, len);
    piece[len - 1] = '!';
    measure_worst("the same, but for its last byte", value, len, piece, len);
    measure_worst("half of it", value, len, value, len / 2);
}

int main(void)
{
    static const char simple[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    static const char rich[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+=%$!";
    char *text = malloc(TEXT_LEN);

    if (text == NULL)
        return 1;
    make_text(text, TEXT_LEN);
    compare("simple", simple, text);
    compare("rich", rich, text);
    measure_periods();
    measure_again(40);
    measure_again(400);
    free(text);
    return 0;
}
