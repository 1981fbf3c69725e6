// SPDX-License-Identifier: MIT
/*
 * The redactor as a filter for tests: standard input to standard output.
 *
 *   pipe [-g] [-o NAME] [-s N] [-r] [-0] [-c]
 *
 *   -g  tier 3, too      -o  a rule or group switched on     -s  fed in pieces of N bytes
 *   -r  in pieces of random length, 1 to N                   -c  marks per rule, on stderr
 *   -0  the input is texts with a NUL behind each, every one a stream of its own
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "redact/redact.h"

enum { ON_MAX = 16, INPUT_MAX = 1 << 30 };

struct filter {
    struct redact_set *set;
    size_t piece;
    bool random;
    uint32_t seed;
    uint64_t *counts;
};

static void put(const struct clean_vec *v)
{
    for (size_t i = 0; i < v->len; i++)
        fwrite(v->items[i].ptr, 1, v->items[i].len, stdout);
}

static size_t next_piece(struct filter *f, size_t left)
{
    size_t n = f->piece;

    if (f->random) {
        f->seed = f->seed * 1664525U + 1013904223U;
        n = 1 + (f->seed >> 8) % f->piece;
    }
    return n < left ? n : left;
}

static void stream(struct filter *f, const char *text, size_t len)
{
    struct redactor *r;
    struct clean_vec v = {0};
    struct err e = {0};

    if (redactor_new(&r, f->set, &e) != ERR_NONE)
        errx(2, "no redactor");
    for (size_t at = 0; at < len;) {
        size_t n = next_piece(f, len - at);

        if (redactor_feed(r, (struct raw_span){text + at, n}, &v) != ERR_NONE)
            errx(2, "no memory");
        put(&v);
        at += n;
    }
    if (redactor_finish(r, &v) != ERR_NONE)
        errx(2, "no memory");
    put(&v);
    for (size_t i = 0; i < redact_set_rules(f->set); i++)
        f->counts[i] += redactor_marks(r, i);
    clean_vec_release(&v);
    redactor_free(r);
}

static char *read_all(size_t *len)
{
    size_t cap = 1 << 16;
    char *text = malloc(cap);
    size_t n;

    *len = 0;
    while (text != NULL && (n = fread(text + *len, 1, cap - *len, stdin)) > 0) {
        *len += n;
        if (*len < cap)
            continue;
        cap *= 2;
        text = cap <= INPUT_MAX ? realloc(text, cap) : NULL;
    }
    if (text == NULL)
        errx(2, "no memory");
    return text;
}

static void each_text(struct filter *f, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *nul = memchr(text, '\0', (size_t)(end - text));
        size_t n = nul != NULL ? (size_t)(nul - text) : (size_t)(end - text);

        stream(f, text, n);
        putchar('\0');
        text += n + 1;
    }
}

int main(int argc, char **argv)
{
    const char *on[ON_MAX];
    struct redact_options o = {.on = on};
    struct filter f = {.piece = SIZE_MAX, .seed = 1};
    struct err e = {0};
    bool texts = false;
    bool counts = false;
    size_t len;
    char *text;
    int c;

    while ((c = getopt(argc, argv, "go:s:r0c")) != -1) {
        switch (c) {
        case 'g': o.generic = true; break;
        case 'o': on[o.n_on < ON_MAX ? o.n_on++ : 0] = optarg; break;
        case 's': f.piece = strtoul(optarg, NULL, 10); break;
        case 'r': f.random = true; break;
        case '0': texts = true; break;
        case 'c': counts = true; break;
        default: return 2;
        }
    }
    if (f.piece == 0 || redact_set_new(&f.set, &o, &e) != ERR_NONE)
        errx(2, "bad option");
    f.counts = calloc(redact_set_rules(f.set), sizeof(*f.counts));
    text = read_all(&len);
    if (f.counts == NULL)
        errx(2, "no memory");
    if (texts)
        each_text(&f, text, len);
    else
        stream(&f, text, len);
    for (size_t i = 0; counts && i < redact_set_rules(f.set); i++) {
        if (f.counts[i] > 0)
            fprintf(stderr, "%s %llu\n", redact_set_rule_name(f.set, i),
                    (unsigned long long)f.counts[i]);
    }
    free(text);
    free(f.counts);
    redact_set_free(f.set);
    return fflush(stdout) == 0 ? 0 : 2;
}
