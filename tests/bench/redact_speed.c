// SPDX-License-Identifier: MIT
/*
 * How fast the redactor is: build/tests/bench/redact_speed [FILE...]
 * Files (real logs, read as one) are fed in chunks of 64 and 256 KiB, then made-up worst cases.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "redact/redact.h"
#include "redact/rules.h"

enum { TEXT_MAX = 64 << 20, MADE = 16 << 20, ROUNDS = 5 };

static double feed_once(struct redact_set *set, const char *data, size_t n, size_t chunk, struct clean_vec *v, size_t *spans)
{
    struct redactor *r;
    int64_t begun = clock_monotonic_ns();

    if (redactor_new(&r, set, NULL) != ERR_NONE)
        abort();
    *spans = 0;
    for (size_t at = 0; at < n; at += chunk) {
        size_t len = chunk < n - at ? chunk : n - at;

        if (redactor_feed(r, (struct raw_span){data + at, len}, v) != ERR_NONE)
            abort();
        *spans += v->len;
    }
    if (redactor_finish(r, v) != ERR_NONE)
        abort();
    redactor_free(r);
    return (double)n / (double)(clock_monotonic_ns() - begun);
}

static void measure(const char *name, const char *data, size_t n, size_t chunk)
{
    struct redact_set *set;
    struct clean_vec v = {0};
    double best = 0;
    size_t spans = 0;

    if (redact_set_new(&set, NULL, NULL) != ERR_NONE)
        abort();
    for (int i = 0; i < ROUNDS; i++) {
        double speed = feed_once(set, data, n, chunk, &v, &spans);

        best = speed > best ? speed : best;
    }
    printf("%-28s %4zu KiB chunks  %8.3f GB/s  %zu spans\n", name, chunk >> 10, best, spans);
    clean_vec_release(&v);
    redact_set_free(set);
}

static size_t read_files(char *data, int n, char **names)
{
    size_t len = 0;

    for (int i = 0; i < n; i++) {
        FILE *f = fopen(names[i], "rb");

        if (f == NULL) {
            perror(names[i]);
            exit(1);
        }
        len += fread(data + len, 1, TEXT_MAX - len, f);
        fclose(f);
    }
    return len;
}

/* Every anchor of the rules, in random order. */
static void measure_anchors(char *data, const char *name, const char *between)
{
    uint32_t state = 1;
    size_t n = 0;

    while (n < MADE) {
        const struct anchor *a;

        state = state * 1664525U + 1013904223U; /* Knuth, TAOCP 2, 3.3.4 */
        a = &anchors[(state >> 8) % anchor_count];
        if (a->level == 0 && a->sets == NULL && a->len > 0)
            n += (size_t)sprintf(data + n, "%s%s", a->text, between);
    }
    measure(name, data, n, 64 << 10);
}

static void measure_flood(char *data, const char *name, const char *piece)
{
    size_t len = strlen(piece);

    for (size_t at = 0; at + len <= MADE; at += len)
        memcpy(data + at, piece, len);
    measure(name, data, MADE / len * len, 64 << 10);
}

int main(int argc, char **argv)
{
    char *data = malloc(TEXT_MAX);
    size_t n;

    if (data == NULL)
        return 1;
    n = read_files(data, argc - 1, argv + 1);
    if (n > 0) {
        measure("files", data, n, 64 << 10);
        measure("files", data, n, 256 << 10);
    }
    memset(data, 'x', MADE);
    measure("nothing like an anchor", data, MADE, 64 << 10);
    measure_flood(data, "80-byte lines", "The quick brown fox jumps over the lazy dog and runs on "
                                         "and on, up to column 80.\n");
    measure_anchors(data, "anchors", "");
    measure_anchors(data, "anchors, blanks", " ");
    measure_anchors(data, "anchors, lines", "\n");
    measure_anchors(data, "anchors, JSON", "\":\"");
    measure_flood(data, "eyJ", "eyJ");
    measure_flood(data, "AKIA", "AKIA");
    measure_flood(data, "token=", "token=");
    measure_flood(data, "password=", "password=");
    measure_flood(data, "://", "://");
    measure_flood(data, "ab://", "ab://");
    measure_flood(data, "ab://u:", "ab://u:");
    measure_flood(data, "ab://u:abc@h", "ab://u:abc@h ");
    measure_flood(data, "sk-", "sk-");
    measure_flood(data, "sk- ", "sk-abcdefghijklmnop ");
    measure_flood(data, "ghp_", "ghp" "_");
    measure_flood(data, "bearer", "bearer ");
    measure_flood(data, "aws_s", "aws_secret_access_key=");
    measure_flood(data, "authorization", "authorization: ");
    measure_flood(data, "authorization a", "authorization:a");
    measure_flood(data, "--password", "--password=");
    measure_flood(data, "A", "A");
    measure_flood(data, "-----BEGIN", "-----BEGIN ");
    measure_flood(data, "-----B", "-----B");
    measure_flood(data, "dashes", "-");
    measure_flood(data, "headers", "-----BEGIN PRIVATE KEY-----\n");
    measure_flood(data, "key", "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7x1qN3v0uW9d\n"
                               "b2hE9kQ0mZ7xY3LwP5rT1vN8cJ4gH6sD2aF0\n");
    free(data);
    return 0;
}
