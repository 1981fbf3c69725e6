// SPDX-License-Identifier: MIT
/* text/find: every variant finds what a search byte by byte finds, reads no byte too many, and
   takes its time even where a text is made to be slow. */
#include "lib/tap.h"

#include <stdlib.h>
#include <time.h>

#include "text/find.h"

static uint64_t seed = 7;

static unsigned below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static const char *by_hand(const char *word, size_t n, bool icase, const char *from,
                           const char *end)
{
    for (; (size_t)(end - from) >= n; from++) {
        size_t same = 0;

        while (same < n && (icase ? lower(from[same]) == lower(word[same])
                                  : from[same] == word[same]))
            same++;
        if (same == n)
            return from;
    }
    return NULL;
}

/* Of few different bytes, so that there is something to find; a block of its own for each, so
   that a sanitizer sees a byte read too many. */
static char *random_bytes(size_t n, const char *of)
{
    char *bytes = malloc(n > 0 ? n : 1);

    for (size_t i = 0; i < n; i++)
        bytes[i] = of[below((unsigned)strlen(of))];
    return bytes;
}

enum { ROUNDS = 30000, TEXT_MAX = 300, WORD_MAX = 6 };

static void test_random(const struct find_variant *v)
{
    int wrong = 0;
    int found = 0;

    for (int i = 0; i < ROUNDS; i++) {
        size_t n = below(TEXT_MAX);
        size_t len = 1 + below(WORD_MAX);
        const char *of = below(2) == 0 ? "ab" : "aAbB@`[{";
        char *text = random_bytes(n, of);
        char *word = random_bytes(len, of);
        bool icase = below(2) == 0;
        struct find f;
        const char *got;

        if (!find_init(&f, word, len, icase))
            wrong++;
        got = v->search(&f, text, text + n);
        wrong += got != by_hand(word, len, icase, text, text + n) ? 1 : 0;
        found += got != NULL ? 1 : 0;
        free(text);
        free(word);
    }
    ok(wrong == 0, "%s finds what there is", v->name);
    ok(found > ROUNDS / 10 && found < ROUNDS - ROUNDS / 100, "and there was something to see");
}

static void test_long_words(const struct find_variant *v)
{
    char word[FIND_MAX];
    char *text = malloc(2000);
    struct find f;
    bool good;

    for (size_t i = 0; i < FIND_MAX; i++)
        word[i] = (char)('a' + i % 7);
    memset(text, 'x', 2000);
    memcpy(text + 1700, word, FIND_MAX);
    good = find_init(&f, word, FIND_MAX, false);
    ok(good && v->search(&f, text, text + 2000) == text + 1700, "%s: a long word", v->name);
    good = find_init(&f, word, FIND_MAX, true);
    ok(good && v->search(&f, text, text + 1700 + FIND_MAX) == text + 1700, "at the very end");
    ok(v->search(&f, text, text + 1700 + FIND_MAX - 1) == NULL, "not beyond it");
    free(text);
}

/* True if it takes less than so many nanoseconds a byte; the best of three. */
static bool is_quick(const struct find_variant *v, const struct find *f, const char *text,
                     size_t n, double limit)
{
    for (int i = 0; i < 3; i++) {
        struct timespec a, b;
        double ns;

        clock_gettime(CLOCK_MONOTONIC, &a);
        if (v->search(f, text, text + n) != NULL)
            return false;
        clock_gettime(CLOCK_MONOTONIC, &b);
        ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
        if (ns / (double)n < limit)
            return true;
    }
    return false;
}

static void test_hostile(const struct find_variant *v)
{
    enum { N = 4 << 20 };
    const double limit = 100; /* quadratic would be some thousands */
    char word[FIND_MAX];
    char *text = malloc(N);
    struct find f;

    memset(word, 'a', sizeof(word));
    memset(text, 'a', N);
    word[100] = 'b';
    for (int icase = 0; icase < 2; icase++) {
        bool good = find_init(&f, word, sizeof(word), icase != 0);

        f.rare[0] = 0; /* as if 'b' were the more common one */
        f.rare[1] = 1;
        ok(good && is_quick(v, &f, text, N, limit), "%s stays linear, icase %d", v->name, icase);
    }
    free(text);
}

static const char *odd_by_hand(const char *from, const char *end)
{
    for (; end - from > 1; from++) {
        const char *p = from + 1;

        if (*from != '\\' || (*p != 'u' && *p != '/'))
            continue;
        if (*p == '/' || end - p < 5)
            return from;
        if (memcmp(p, "u000", 4) != 0 && memcmp(p, "u001", 4) != 0 &&
            memcmp(p, "u007f", 5) != 0 && memcmp(p, "u007F", 5) != 0)
            return from;
    }
    return NULL;
}

static void test_odd(const struct find_variant *v)
{
    static const char *const pieces[] = {"\\u00", "\\u001b", "\\u007f", "\\u007F", "\\u0041",
                                         "\\/", "\\\\", "\\\"", "0", "1", "7", "f", "u", "\\",
                                         "plain text of some length, plain text of some length"};
    int wrong = 0;
    int found = 0;

    for (int i = 0; i < ROUNDS; i++) {
        char made[512];
        size_t n = 0;
        char *text;
        const char *got;

        for (unsigned k = below(8); k > 0; k--) {
            const char *piece = pieces[below(sizeof(pieces) / sizeof(pieces[0]))];

            memcpy(made + n, piece, strlen(piece));
            n += strlen(piece);
        }
        text = malloc(n > 0 ? n : 1);
        memcpy(text, made, n);
        got = v->odd_escape(text, text + n);
        wrong += got != odd_by_hand(text, text + n) ? 1 : 0;
        found += got != NULL ? 1 : 0;
        free(text);
    }
    ok(wrong == 0, "%s finds odd escapes", v->name);
    ok(found > ROUNDS / 10 && found < ROUNDS - ROUNDS / 10, "and there was something to see");
}

int main(void)
{
    struct find_variant variants[FIND_VARIANTS_MAX];
    size_t n = find_variants(variants);
    struct find f;

    for (size_t i = 0; i < n; i++) {
        test_random(&variants[i]);
        test_long_words(&variants[i]);
        test_hostile(&variants[i]);
        test_odd(&variants[i]);
    }
    ok(!find_init(&f, "", 0, false) && !find_init(&f, "", FIND_MAX + 1, false),
       "no words without bytes, or with too many");
    return done();
}
