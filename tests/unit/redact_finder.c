// SPDX-License-Identifier: MIT
/* The search for anchors: every variant gives the same places, and finds every anchor. */
#include "lib/tap.h"

#include <stdlib.h>

#include "redact/escape.h"
#include "redact/finder.h"
#include "redact/rules.h"

static uint64_t seed = 7;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

static bool same(uint8_t c, uint8_t want, bool fold)
{
    return c == want || (fold && want >= 'a' && want <= 'z' && c == want - 32);
}

/* The next place by definition: a spelt-out anchor of four bytes or more ends there. */
static size_t find_plain(const uint8_t *data, size_t len, size_t from)
{
    for (size_t e = from < ANCHOR_PRINT ? ANCHOR_PRINT : from; e <= len; e++) {
        for (size_t i = 0; i < anchor_count; i++) {
            const struct anchor *a = &anchors[i];
            size_t k = 0;

            if (a->sets != NULL || a->len < ANCHOR_PRINT || a->len > e || a->level > 0)
                continue;
            while (k < a->len && same(data[e - a->len + k], (uint8_t)a->text[k],
                                      (a->flags & ANCHOR_FOLD) != 0))
                k++;
            if (k == a->len)
                return e;
        }
    }
    return SIZE_MAX;
}

/* Bytes of which many are those of anchors, at the end of a block of exactly that size. */
static uint8_t *make_block(size_t len)
{
    static const char likely[] = "ghp_bearerREaws_sauthorizIZ--B\x1b";
    uint8_t *data = malloc(len + 1);

    if (data == NULL)
        abort();
    for (size_t i = 0; i < len; i++)
        data[i] = next_random() % 8 > 0 ? (uint8_t)likely[next_random() % (sizeof(likely) - 1)]
                                        : (uint8_t)next_random();
    return data;
}

/* A place too many is allowed, if it looks like one; one left out never. */
static void check(enum finder_kind kind, const char *name)
{
    const struct finder_tables *t = &finder_tables[0];
    bool good = true;

    for (int round = 0; round < 3000 && good; round++) {
        size_t len = next_random() % (round % 16 > 0 ? 200 : 3000);
        uint8_t *data = make_block(len);
        size_t from = next_random() % (len + 2);
        size_t plain = 0;
        struct finder_map map = {0};

        while (from <= len && good) {
            size_t got = finder_next(finder_get(kind), t, data, len, from, &map);

            if (plain < from || plain == 0)
                plain = find_plain(data, len, from);
            good = got <= plain &&
                   (got == SIZE_MAX || (got >= from && (finder_is_place(t, data + got - 4) ||
                                                        data[got - 1] == ESC)));
            /* mostly the next place, as the redactor asks, sometimes further on */
            from = got == SIZE_MAX ? SIZE_MAX : got + 1 + (next_random() % 8 == 0 ? 5 : 0);
        }
        free(data);
    }
    ok(good, "%s", name);
}

/* Escape sequences that nobody wants to know of are no places, all others are. */
static void check_escape(const char *text, bool wanted)
{
    const uint8_t *data = (const uint8_t *)text;
    size_t len = strlen(text);
    size_t esc = (size_t)(strchr(text, ESC) - text);

    for (int kind = 0; kind < N_FINDERS; kind++) {
        struct finder_map map = {0};
        size_t e = 3;
        bool found = false;

        if (!finder_available((enum finder_kind)kind))
            continue;
        do {
            e = finder_next(finder_get((enum finder_kind)kind), &finder_tables[0], data, len, e + 1,
                            &map);
            found |= e == esc + 1;
        } while (e != SIZE_MAX);
        if (found != wanted) {
            ok(false, "'%s' is %sa place", text + esc + 1, found ? "" : "no ");
            return;
        }
        if (finder_escape(&map, esc) != 0 || finder_escape(&map, esc + 1) != esc + 1) {
            ok(false, "the map knows the ESC of '%s'", text + esc + 1);
            return;
        }
    }
    ok(true, "'%s' is %sa place", text + esc + 1, wanted ? "" : "no ");
}

static void check_escapes(void)
{
    check_escape("hello \x1b[1;31mred and more", false);
    check_escape("hello \x1b(B\x1b[mred and more", false);
    check_escape("hello \x1b[1m:\x1b[0m red and more", false);
    check_escape("hello \x1b[0mre", true);                /* what follows is not known */
    check_escape("hello \x1b[1;3", true);                 /* nor here */
    check_escape("hello \x1bXred and more", true);        /* no sequence */
    check_escape("hello \x1b[0mred\x1b[1mred", false);
    check_escape("hello gh\x1b[1mp" "_xyz and more", true);  /* across it */
    check_escape("hello g\x1b[1mh\x1b[0mp" "_x and more", true);
    check_escape("hello x\x1b[1msk" "-abc and more", true);  /* behind it */
    check_escape("hello x\x1b[1mn\x1b[2msk" "-abc and more", true);
}

int main(void)
{
    static const char *const names[N_FINDERS] = {"portable", "NEON", "SSSE3", "AVX2", "AVX-512"};

    for (int kind = 0; kind < N_FINDERS; kind++) {
        if (finder_available((enum finder_kind)kind))
            check((enum finder_kind)kind, names[kind]);
        else
            ok(true, "%s # skip not on this machine", names[kind]);
    }
    check_escapes();
    ok(finder_available(FINDER_PORTABLE) && finder_best() != NULL, "one is always there");
    return done();
}
