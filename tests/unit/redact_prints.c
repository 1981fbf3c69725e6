// SPDX-License-Identifier: MIT
/* The search for beginnings: every variant gives the same places, and misses none. */
#include "lib/tap.h"

#include <stdlib.h>

#include "redact/prints.h"

static uint64_t seed = 3;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

static const char *const texts[] = {"password", "pin", "Zz9", "ab", "\xc3\xa4x", "#"};

enum { N_TEXTS = sizeof(texts) / sizeof(texts[0]) };

static void fill(struct prints *p)
{
    for (unsigned i = 0; i < N_TEXTS; i++) {
        for (size_t at = 0; at < PRINT_LEN; at++) {
            if (at < strlen(texts[i]))
                prints_allow(p, i, at, (uint8_t)texts[i][at]);
            else
                prints_allow_any(p, i, at);
        }
    }
}

/* The next place by definition: as much of a text's first bytes as there is room for. */
static size_t find_plain(const uint8_t *data, size_t len, size_t from)
{
    for (; from < len; from++) {
        for (unsigned i = 0; i < N_TEXTS; i++) {
            size_t n = strlen(texts[i]) < PRINT_LEN ? strlen(texts[i]) : PRINT_LEN;

            if (memcmp(data + from, texts[i], n < len - from ? n : len - from) == 0)
                return from;
        }
    }
    return len;
}

static void check(const struct prints *p, enum prints_kind kind, const char *title)
{
    static const char likely[] = "pasinZz9ab\xc3\xa4x#  ";
    bool good = true;

    for (int round = 0; round < 20000 && good; round++) {
        size_t len = next_random() % 150;
        uint8_t *data = malloc(len > 0 ? len : 1); /* its end is guarded */
        size_t from = next_random() % (len + 1);

        if (data == NULL)
            abort();
        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)likely[next_random() % (sizeof(likely) - 1)];
        for (size_t i = 0; i < len; i++)
            data[i] = next_random() % 20 > 0 ? (uint8_t)'.' : data[i];
        good = prints_find(kind, p, data, len, from) == find_plain(data, len, from) &&
               prints_next(p, data, len, from) == find_plain(data, len, from);
        free(data);
    }
    ok(good, "%s", title);
}

int main(void)
{
    static const char *const titles[] = {"portable", "SSSE3", "AVX2"};
    struct prints p = {0};

    is_int((int64_t)prints_next(&p, (const uint8_t *)"abc", 3, 0), 3, "nothing to find");
    fill(&p);
    for (int kind = 0; kind < N_PRINTS; kind++) {
        if (prints_available((enum prints_kind)kind))
            check(&p, (enum prints_kind)kind, titles[kind]);
    }
    return done();
}
