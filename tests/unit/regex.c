// SPDX-License-Identifier: MIT
/* text/regex: what compiles, what matches where, what is refused and how that is said. */
#include "lib/tap.h"

#include <stdlib.h>

#include "text/regex.h"

static struct regex *must_compile(const char *pattern, unsigned flags)
{
    struct regex *r = NULL;
    struct err e = {0};

    if (regex_compile(&r, pattern, strlen(pattern), flags, &e) != ERR_NONE) {
        printf("# %s: %s\n", pattern, e.why);
        exit(1);
    }
    return r;
}

static bool matches(const char *pattern, unsigned flags, const char *text, size_t n)
{
    struct regex *r = must_compile(pattern, flags);
    bool found = regex_search(r, text, n, 0, NULL, 0) == ERR_NONE;

    regex_free(r);
    return found;
}

static void test_matching(void)
{
    struct regex_span spans[4];
    struct regex *r = must_compile("(b+)(x)?(c)", 0);

    is_int((int64_t)regex_groups(r), 3, "groups are counted");
    ok(regex_search(r, "aabbc", 5, 0, spans, 4) == ERR_NONE, "a match is found");
    ok(spans[0].begin == 2 && spans[0].end == 5 && spans[1].begin == 2 && spans[1].end == 4,
       "where it and its group are");
    ok(spans[2].begin == REGEX_UNSET && spans[3].begin == 4, "a group without part is unset");
    ok(regex_search(r, "aab", 3, 0, spans, 4) == ERR_NOT_FOUND, "no match is no match");
    regex_free(r);
    ok(matches("a.c", 0, "xa\0cx", 5), "NUL is a byte like any other");
    ok(matches("^\xc3.$", 0, "\xc3\xa9", 2), "bytes are characters");
    ok(matches("ERROR", REGEX_ICASE, "an error", 8), "ASCII letters in either case");
    ok(!matches("\xc3\x89", REGEX_ICASE, "\xc3\xa9", 2), "but no others");
    ok(matches("a+b", REGEX_LITERAL, "a+b", 3) && !matches("a+b", REGEX_LITERAL, "aab", 3),
       "a literal pattern");
    ok(!matches("^b", 0, "a\nb", 3), "lines in the text have no beginning of their own");
    ok(matches("", 0, "", 0), "the empty pattern matches the empty text");
}

static void test_ends(void)
{
    struct regex *r = must_compile("^a|b$", 0);

    ok(regex_search(r, "ac", 2, REGEX_NOT_BEGIN, NULL, 0) == ERR_NOT_FOUND, "not the beginning");
    ok(regex_search(r, "cb", 2, REGEX_NOT_END, NULL, 0) == ERR_NOT_FOUND, "not the end");
    ok(regex_search(r, "cb", 2, REGEX_NOT_BEGIN, NULL, 0) == ERR_NONE, "only one of them");
    ok(!regex_backrefs(r), "no back reference");
    regex_free(r);
    r = must_compile("(a)\\1", 0);
    ok(regex_backrefs(r), "a back reference");
    regex_free(r);
}

static void test_near(void)
{
    struct regex *r = must_compile("connection", REGEX_NO_GROUPS);
    int cost = -1;

    ok(regex_search_near(r, "a conection", 11, 2, &cost) == ERR_NONE && cost == 1,
       "one letter is missing");
    ok(regex_search_near(r, "connection", 10, 0, &cost) == ERR_NONE && cost == 0, "exact");
    ok(regex_search_near(r, "a conection", 11, 0, &cost) == ERR_NOT_FOUND, "not exact");
    ok(regex_search_near(r, "konetion", 8, 2, &cost) == ERR_NOT_FOUND, "too far");
    regex_free(r);
}

static void refused(const char *pattern, size_t n, const char *why)
{
    struct regex *r;
    struct err e = {0};
    enum err_code rc = regex_compile(&r, pattern, n, 0, &e);

    ok(rc == ERR_USAGE && r == NULL && strstr(e.why, why) != NULL, "refused: %s", why);
    if (rc == ERR_USAGE && strstr(e.why, why) == NULL)
        printf("#   %s\n", e.why);
}

static void test_refused(void)
{
    char *big = malloc(REGEX_PATTERN_MAX + 1);
    char deep[600];

    refused("a(b(c)", 6, "Missing ')' (byte 2)");
    refused("[(]a[b", 6, "Missing ']', or a class name that is none (byte 5)");
    refused("[[:a\xc3:]]", 9, "(byte 1)");
    refused("[[:foo:]]", 9, "Unknown character class name");
    refused("a\\", 2, "Trailing backslash (byte 2)");
    refused("\\(a{1", 5, "Missing '}' (byte 4)");
    refused("[z-a]", 5, "Invalid character range");
    refused("(a{255}){255}", 13, "too large");
    refused("((a{9})(b{8}|c){9}){255}{9}", 27, "too large");
    refused("{255}{255}", 10, "too large");
    refused("x|(){255}{255}", 14, "too large");
    refused("a{200}*{200}", 12, "too large");
    refused("((a?){99}){20}", 14, "too large");
    refused("(?:(?:a?){99}){20}", 18, "too large");
    refused("a{0,9}{0,9}{0,9}{0,9}", 21, "too large");
    refused("(a|^|$|\\b|()|c*){250}", 21, "too large");
    refused("\\x{0000000000000000000000000000000000000000061}", 47, "Invalid contents");
    refused("a\\x{61", 6, "Missing '}' (byte 4)");
    ok(matches("\\x{61}{2}", 0, "aa", 2), "a byte by its number, twice");
    refused("a{,2}", 5, "is written {0,n}");
    refused("(a{200}+?){200}", 15, "too large");
    memset(deep, '(', sizeof(deep));
    refused(deep, sizeof(deep), "nest too deep");
    refused("a\\\\)", 4, "Missing '(' (byte 4)");
    refused("(a))", 4, "Missing '(' (byte 4)");
    refused("a{~1}{2}", 8, "Invalid contents of {}");
    refused("(a)\\0", 5, "Invalid back reference");
    memset(big, 'a', REGEX_PATTERN_MAX + 1);
    refused(big, REGEX_PATTERN_MAX + 1, "at most 4096");
    ok(matches("(a{100}){100}", REGEX_NO_GROUPS, "b", 1) == false, "what is large but bounded");
    ok(!matches("a{255}{255}", REGEX_LITERAL, "b", 1), "a literal has no repetitions");
    free(big);
}

int main(void)
{
    test_matching();
    test_ends();
    test_near();
    test_refused();
    return done();
}
