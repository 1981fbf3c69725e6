// SPDX-License-Identifier: MIT
/* text/required: by example, and with random expressions against TRE itself. */
#include "lib/tap.h"

#include <stdlib.h>

#include "text/regex.h"
#include "text/required.h"

/* The alternatives joined by '|'. */
static const char *joined(const char *pattern, unsigned flags)
{
    static char text[REQUIRED_MAX * (REQUIRED_TEXT_MAX + 1) + 1];
    struct required r;
    size_t at = 0;

    regex_required(pattern, strlen(pattern), flags, &r);
    for (size_t i = 0; i < r.n; i++) {
        if (i > 0)
            text[at++] = '|';
        memcpy(text + at, r.any[i].text, r.any[i].len);
        at += r.any[i].len;
    }
    text[at] = '\0';
    return text;
}

static void requires(const char *pattern, const char *want)
{
    is_str(joined(pattern, 0), want, pattern);
}

static void test_examples(void)
{
    requires("connection refused", "connection refused");
    requires("^error: .*file", "error: ");
    requires("[0-9]+ms", "ms");
    requires("ab+cd", "bcd");
    requires("ab*cd", "cd");
    requires("ab?", "a");
    requires("ab{0,2}cde", "cde");
    requires("xab{2}", "xab");
    requires("(error|warning): x", "error|warning");
    requires("(error|x)? failed", " failed");
    requires("(abc|def)+", "abc|def");
    requires("foo|bar|", "");
    requires("foo|[a-z]", "");
    requires("a\\.b\\)c\\\\", "a.b)c\\");
    requires("[]a]bc[[:alpha:]]d", "bc");
    requires("a|b|c|d|e|f|g|h|i", "");
    requires("((((deep))))", "deep");
    requires("a\\dbc", "bc");
    requires("", "");
    puts("# what is not understood claims nothing");
    requires("(?i)abc", "");
    requires("\\Qabc\\E", "");
    requires("abcd{~1}", "");
    requires("abc)", "");
    requires("abc[", "");
    requires("abc\\<def", "");
    requires("*abc", "");
    is_str(joined("Error FOO", REGEX_ICASE), "error foo", "in lower case");
    is_str(joined("a.b*", REGEX_LITERAL), "a.b*", "a literal is itself");
}

/* ---- against TRE -------------------------------------------------------------------------- */

enum { ROUNDS = 6000, TEXTS = 30, PATTERN_PIECES = 8, TEXT_LEN = 12 };

static uint64_t seed = 42;

static unsigned below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

/* Pieces rather than bytes, so that most of them compile. */
static size_t random_pattern(char *dst)
{
    static const char *const pieces[] = {
        "a", "b", "A", "ab", "ba", "aB", "(a", "(", ")", "b)", "(ab)", "|", "*", "+", "?", "{2}",
        "{0,1}", "{1,}", "{0}", "{2,3}", "{,2}", ".", "^", "$", "[ab]", "[^a]", "[]b]", "\\.",
        "\\w", "\\b", "\\1", "(?:", "(?i)", "*?", "+?", "\\Q", "\\E", "\\<", "\\x61",
        "[[:alpha:]]", "()", "[a", "\\", "x", "]", "}", "\\(", "\\)"};
    size_t at = 0;

    for (unsigned n = 1 + below(PATTERN_PIECES); n > 0; n--) {
        const char *piece = pieces[below(sizeof(pieces) / sizeof(pieces[0]))];

        memcpy(dst + at, piece, strlen(piece));
        at += strlen(piece);
    }
    return at;
}

static size_t random_text(char *dst)
{
    size_t n = below(TEXT_LEN);

    for (size_t i = 0; i < n; i++)
        dst[i] = "ababABx.()"[below(10)];
    return n;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool contains(const char *text, size_t n, const struct required_text *want, bool icase)
{
    for (size_t at = 0; at + want->len <= n; at++) {
        size_t same = 0;

        while (same < want->len &&
               (icase ? lower(text[at + same]) : text[at + same]) == want->text[same])
            same++;
        if (same == want->len)
            return true;
    }
    return false;
}

static bool holds(const struct required *r, const char *text, size_t n, bool icase)
{
    for (size_t i = 0; i < r->n; i++)
        if (contains(text, n, &r->any[i], icase))
            return true;
    return r->n == 0;
}

struct tally {
    unsigned compiled, claimed, matched, wrong;
};

static void one_pattern(struct tally *t)
{
    unsigned flags = below(2) == 0 ? REGEX_ICASE : 0;
    struct required required;
    struct regex *r;
    char pattern[256];
    char text[TEXT_LEN];
    size_t n = random_pattern(pattern);

    if (regex_compile(&r, pattern, n, flags | REGEX_NO_GROUPS, NULL) != ERR_NONE)
        return;
    t->compiled++;
    regex_required(pattern, n, flags, &required);
    t->claimed += required.n > 0 ? 1 : 0;
    for (int i = 0; i < TEXTS && required.n > 0; i++) {
        size_t len = random_text(text);

        if (regex_search(r, text, len, 0, NULL, 0) != ERR_NONE)
            continue;
        t->matched++;
        if (!holds(&required, text, len, flags != 0) && t->wrong++ < 10)
            printf("# /%.*s/ matches '%.*s'\n", (int)n, pattern, (int)len, text);
    }
    regex_free(r);
}

static void test_random(void)
{
    struct tally t = {0};

    for (int i = 0; i < ROUNDS; i++)
        one_pattern(&t);
    printf("# %u compiled, %u with a claim, %u matches\n", t.compiled, t.claimed, t.matched);
    ok(t.wrong == 0, "no match without a required text");
    ok(t.claimed > ROUNDS / 20 && t.matched > ROUNDS / 2, "and there was something to see");
}

int main(void)
{
    test_examples();
    test_random();
    return done();
}
