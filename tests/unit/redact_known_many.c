// SPDX-License-Identifier: MIT
/*
 * Thousands of known values, whose tables are large ones: each is found in every form, nothing else
 * is, and memory that runs out costs none that was taken.
 */
#include <stdlib.h>

#include "lib/nomem.h"
#include "redact/known.h"
#include "redact/known_gram.h"

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
        if (next < len)
            known_step(&s, data[next], next, take, &f);
        at = next + (next < len);
        at += known_run(&s, data + at, len - at, at, take, &f);
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

/* A set of which nothing is put in before it is looked for: each form of the values is found, be
   it the first that the set meets or one of many. */
static void check_late(void)
{
    static char values[FEW][LEN];
    static const char signs[] = "abcXYZ019+/=_-.%$&'\"<> ";
    struct known *spelled = new_set();
    struct forms f = {.known = new_set()};
    size_t before;

    for (size_t i = 0; i < FEW; i++) {
        for (size_t j = 0; j < LEN; j++)
            values[i][j] = signs[j % (LEN - 1) == 0 ? 0 : next_random() % (sizeof(signs) - 1)];
        if (known_add(spelled, values[i], LEN, 0, NULL) != ERR_NONE ||
            known_add(f.known, values[i], LEN, 0, NULL) != ERR_NONE)
            abort();
    }
    before = known_memory(f.known);
    known_each_form(spelled, look_for, &f);
    ok(f.found == f.looked_for && f.looked_for > FEW / 2, "%zu of %zu forms are found late",
       f.found, f.looked_for);
    ok(all_found(f.known, values, FEW), "and the values themselves");
    ok(known_memory(f.known) <= before + (4 << 20), "it takes the room that was kept");
    is_int((int64_t)known_form_count(f.known), (int64_t)known_form_count(spelled), "all are in");
    known_free(spelled);
    known_free(f.known);
}

static void add(struct known *k, const char *value)
{
    if (known_add(k, value, strlen(value), 0, NULL) != ERR_NONE)
        abort();
}

/* A value that is put in late begins as one that is in, whichever was added first, and the text
   goes on as either. */
static void check_late_branch(void)
{
    static const char in[] = "k4Zq9bT2xw";
    static const char *const late[] = {"k4Zq9bT2xv-Rn8cPj3Ly6", "k4Zq9b_0Hd7sWm5GfKa1e",
                                       "k4ZqXXXXXXXXXXXXXXXXX"};
    bool found = true;

    for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
        for (int first = 0; first < 2; first++) {
            struct known *k = new_set();

            add(k, first == 0 ? in : late[i]);
            add(k, first == 0 ? late[i] : in);
            found &= is_found(k, late[i], strlen(late[i])) && is_found(k, in, strlen(in));
            known_free(k);
        }
    }
    ok(found, "what goes on behind a node of another value is found");
}

/* ---- what blocks hold ---------------------------------------------------------------- */

static uint64_t bit_of(const uint64_t *bits, size_t at)
{
    return bits[at / KNOWN_BLOCK] >> at % KNOWN_BLOCK & 1;
}

static bool is_strong(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z');
}

/* precise: but for those beyond ASCII, of which all are told to be of grams if one is. */
static bool has_byte(const struct known_filter *f, uint8_t byte, bool precise)
{
    if (precise && byte >= 0x80)
        return (f->bytes[2] | f->bytes[3]) != 0;
    return (f->bytes[byte / 64] >> byte % 64 & 1) != 0;
}

/* Byte by byte. precise: as SSE2 is not. */
static bool kinds_right(const struct known_filter *f, const uint8_t *p, size_t n,
                        const struct known_kinds *k, bool precise)
{
    for (size_t i = 0; i < n * KNOWN_BLOCK; i++) {
        bool foreign = bit_of(k->foreign, i);
        bool strong = bit_of(k->strong, i);

        if (bit_of(k->controls, i) != (p[i] < 0x20) ||
            (foreign && has_byte(f, p[i], precise)) ||
            (precise && !foreign && !has_byte(f, p[i], true)) ||
            strong != (precise ? is_strong(p[i]) : true))
            return false;
    }
    return true;
}

/* The grams listed are those at every stride without a foreign byte, each in the right list. */
static bool grams_right(const struct known_kinds *k, size_t n, uint32_t gram, uint32_t stride,
                        const struct known_grams *g)
{
    size_t strong = 0;
    size_t weak = 0;

    for (size_t at = 0; at < n * KNOWN_BLOCK; at += stride) {
        bool any_strong = false;
        bool any_foreign = false;

        for (size_t i = 0; i < (gram & ~3U); i++) {
            any_foreign |= bit_of(k->foreign, at + i);
            any_strong |= bit_of(k->strong, at + i);
        }
        if (any_foreign)
            continue;
        if (any_strong ? strong == g->n_strong || g->strong[strong++] != at
                       : weak == g->n_weak || g->weak[weak++] != at)
            return false;
    }
    return strong == g->n_strong && weak == g->n_weak;
}

static void fill_blocks(uint8_t *p, size_t n, size_t round)
{
    static const char words[] = "abcdefghijklmnopqrstuvwxyz-_./=:+AZ09 \n\x1b";

    for (size_t i = 0; i < n; i++)
        p[i] = round % 2 == 0 ? (uint8_t)next_random()
                              : (uint8_t)words[next_random() % (round % 48 + 1) % sizeof(words)];
}

static bool teller_right(const struct known_teller *t, const struct known_filter *f, size_t round,
                         bool precise)
{
    static uint8_t blocks[KNOWN_LIST_BLOCKS * KNOWN_BLOCK];
    struct known_kinds kinds;
    struct known_grams grams;
    size_t n = round % KNOWN_LIST_BLOCKS + 1;

    fill_blocks(blocks, n * KNOWN_BLOCK, round);
    t->kinds(f, blocks, n, &kinds);
    if (!kinds_right(f, blocks, n, &kinds, precise))
        return false;
    t->grams(&kinds, n, GRAM_LONG, &grams);
    if (!grams_right(&kinds, n, GRAM_LONG, STRIDE_LONG, &grams))
        return false;
    t->grams(&kinds, n, GRAM_SHORT, &grams);
    return grams_right(&kinds, n, GRAM_SHORT, STRIDE_SHORT, &grams);
}

/* Every way to tell what blocks hold, for filters of letters, of signs and of bytes beyond
   ASCII. */
static void check_tellers(void)
{
    static const char *const prints[] = {"abcxyzABCXYZ019", "+/=_-.%abcXYZ01",
                                         "p\xc3\xa4ssw\xc3\xb6rd1234"};
    struct known_filter f;

    for (int way = 0; way < N_TELLINGS; way++) {
        const struct known_teller *t = known_teller_get((enum known_telling)way);
        bool right = true;

        for (size_t i = 0; t != NULL && i < sizeof(prints) / sizeof(prints[0]); i++) {
            if (known_filter_init(&f, 1, FILTER_PRINT) != ERR_NONE)
                abort();
            known_filter_add(&f, (const uint8_t *)prints[i]);
            known_filter_added(&f);
            if (way == TELL_SSE2 && f.n_ranges == 0)
                known_filter_release(&f); /* it is never asked then */
            for (size_t round = 0; f.n_words > 0 && round < 600; round++)
                right &= teller_right(t, &f, round, way != TELL_SSE2);
            known_filter_release(&f);
        }
        ok(right, "way %d tells what blocks hold", way);
    }
}

int main(void)
{
    check_tellers();
    check_many();
    check_late();
    check_late_branch();
    ok_alone(without_memory, &(bool){true}, "without memory, with a filter");
    ok_alone(without_memory, &(bool){false}, "without memory, without a filter");
    return done();
}
