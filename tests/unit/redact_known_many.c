// SPDX-License-Identifier: MIT
/*
 * Thousands of known values, whose tables are large ones: each is found in every form, nothing else
 * is, and memory that runs out costs none that was taken.
 */
#include <stdlib.h>

#include "lib/nomem.h"
#include "redact/known.h"

enum { MANY = 12000, FEW = 3000, LEN = 40, SAMPLE = 37, MEMORY_MAX = 8 << 10 };

static uint64_t seed = 9;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

static void make_value(char value[LEN])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    for (size_t i = 0; i < LEN; i++)
        value[i] = letters[next_random() % (sizeof(letters) - 1)];
}

static struct known *new_set(void)
{
    struct known *k;

    if (known_new(&k, NULL) != ERR_NONE)
        abort();
    return k;
}

static struct known *set_of(char (*values)[LEN], size_t n)
{
    struct known *k = new_set();

    for (size_t i = 0; i < n; i++) {
        make_value(values[i]);
        if (known_add(k, values[i], LEN, 0, NULL) != ERR_NONE)
            abort();
    }
    return k;
}

/* ---- what is found ----------------------------------------------------------------- */

struct found {
    size_t n;
    uint64_t start;
    uint64_t end;
};

static void take(void *ctx, const struct known_match *m)
{
    struct found *f = ctx;

    f->n++;
    f->start = m->pieces[0].start;
    f->end = m->pieces[m->n - 1].end;
}

static struct found scan(struct known *k, const char *text, size_t len)
{
    static struct known_scan s;
    const uint8_t *data = (const uint8_t *)text;
    struct found f = {0, 0, 0};
    size_t at = 0;

    known_scan_init(&s, k);
    while (at < len) {
        size_t next = known_next(&s, data, len, at);

        known_skip(&s, data, at, next);
        for (at = next; at < len; at++) {
            known_step(&s, data[at], at, take, &f);
            if (!known_live(&s))
                break;
        }
        at += at < len;
    }
    known_finish(&s, take, &f);
    return f;
}

/* Lines with the n bytes in the middle of one: exactly they are found. */
static bool is_found(struct known *k, const char *value, size_t n)
{
    char text[1024];
    size_t at = (size_t)snprintf(text, sizeof(text), "%*s\nCompiling src/main.c (%u of %u)\nkey: ",
                                 (int)(next_random() % 300), "x", next_random(), next_random());
    size_t len;
    struct found f;

    memcpy(text + at, value, n);
    len = at + n;
    len += (size_t)snprintf(text + len, sizeof(text) - len, ". Linking: %*s\n",
                            (int)(next_random() % 300), "done");
    f = scan(k, text, len);
    return f.n == 1 && f.start == at && f.end == at + n;
}

struct forms {
    struct known *known;
    size_t n;
    size_t found;
    size_t looked_for;
};

/* One form of some. */
static void look_for(void *ctx, struct form_iter *form, uint16_t id)
{
    struct forms *f = ctx;
    char text[256];
    size_t n = 0;

    (void)id;
    if (f->n++ % SAMPLE != 0)
        return;
    for (int byte = form_iter_next(form); byte >= 0; byte = form_iter_next(form))
        text[n++] = (char)byte;
    f->looked_for++;
    f->found += is_found(f->known, text, n);
}

/* ---- tests ------------------------------------------------------------------------- */

static void check_many(void)
{
    static char values[MANY][LEN];
    struct known *k = set_of(values, MANY);
    struct forms f = {.known = k};
    bool wrong = false;

    known_each_form(k, look_for, &f);
    is_int((int64_t)f.n, (int64_t)known_form_count(k), "every form is told");
    ok(f.n >= (size_t)MANY * 6 && f.found == f.looked_for, "%zu of %zu forms are found", f.found,
       f.looked_for);
    for (int i = 0; i < 200; i++) {
        char value[LEN];

        make_value(value);
        wrong |= is_found(k, value, LEN);
    }
    ok(!wrong, "no other value is");
    ok(known_memory(k) / MANY <= MEMORY_MAX, "a value takes %zu bytes", known_memory(k) / MANY);
    for (size_t i = 0; i < MANY; i++) {
        if (known_add(k, values[i], LEN, 0, NULL) != ERR_NONE)
            abort();
    }
    is_int((int64_t)known_form_count(k), (int64_t)f.n, "each form is kept once");
    known_free(k);
}

static bool all_found(struct known *k, char (*values)[LEN], size_t n)
{
    for (size_t i = 0; i < n; i += SAMPLE) {
        if (!is_found(k, values[i], LEN))
            return false;
    }
    return true;
}

/* Under the limit until there is no memory. Returns how many were taken. */
static size_t add_until(struct known *k, char (*values)[LEN], size_t n, const struct rlimit *limit)
{
    struct err e;

    setrlimit(RLIMIT_AS, limit);
    for (; n < MANY; n++) {
        make_value(values[n]);
        if (known_add(k, values[n], LEN, 0, &e) != ERR_NONE)
            break;
    }
    return n;
}

/*
 * In a process of its own: address space runs out, at whatever table. Exit status 0: what was
 * taken is found, with or without a filter, and later more is taken.
 */
/* filtered: a bool, the set is large enough for a filter before. */
static int without_memory(void *filtered)
{
    static char values[MANY][LEN];
    struct known *k = set_of(values, FEW);
    struct rlimit before;
    struct rlimit none;
    size_t n;

    getrlimit(RLIMIT_AS, &before);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    if (*(bool *)filtered && !all_found(k, values, FEW))
        return 1;
    n = add_until(k, values, FEW, &none);
    if (n == MANY)
        return 2;
    if (!all_found(k, values, n))
        return 3;
    setrlimit(RLIMIT_AS, &before);
    if (add_until(k, values, n, &before) != MANY || !all_found(k, values, MANY))
        return 4;
    known_free(k);
    return 0;
}

int main(void)
{
    check_many();
    ok_alone(without_memory, &(bool){true}, "without memory, with a filter");
    ok_alone(without_memory, &(bool){false}, "without memory, without a filter");
    return done();
}
