// SPDX-License-Identifier: MIT
/* Rules of the user's own: any split, lines longer than the window, colours, bad rules. */
#include "lib/tap.h"

#include <stdlib.h>

#include "lib/matches.h"
#include "redact/user_pattern.h"
#include "redact/user_rules.h"
#include "text/regex.h"

static uint64_t seed = 11;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

/* ---- driving ------------------------------------------------------------------------- */

static struct catcher caught;
static bool step_all; /* never skip */

static void feed(struct user_lines *l, const uint8_t *data, size_t len, uint64_t base)
{
    for (size_t at = 0; at < len; at++) {
        if (!step_all && !user_lines_live(l))
            at = user_lines_skip(l, data, len, at);
        if (at < len)
            user_lines_step(l, data[at], base + at);
    }
}

/* In pieces of 1 to `piece` bytes; 0: in one; the caller frees what comes out. */
static char *run_text(const struct user_rules *set, const char *text, size_t len, size_t piece)
{
    static struct user_lines l;
    struct match_sink sink = {&caught, catch_add, catch_close};
    size_t at = 0;

    catch_begin(&caught, len);
    user_lines_init(&l, set, &sink);
    while (at < len) {
        size_t n = piece == 0 ? len : 1 + next_random() % piece;
        uint8_t *copy;

        n = n < len - at ? n : len - at;
        copy = malloc(n); /* its end is guarded */
        if (copy == NULL)
            abort();
        memcpy(copy, text + at, n);
        feed(&l, copy, n, at);
        free(copy);
        at += n;
        catch_release(&caught, at, user_lines_hold(&l));
    }
    user_lines_finish(&l, len);
    return catch_text(&caught, text);
}

struct rule {
    const char *name, *pattern;
    unsigned group;
    const char *literal;
};

static struct user_rules *make_set(const struct rule *rules, size_t n)
{
    struct user_rules *set;
    struct err e;

    if (user_rules_new(&set, &e) != ERR_NONE)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (user_rules_add(set, rules[i].name, rules[i].pattern, rules[i].group,
                           rules[i].literal, &e) != ERR_NONE) {
            printf("# %s: %s\n", rules[i].name, e.why);
            abort();
        }
    }
    return set;
}

static void check_len(const struct user_rules *set, const char *text, size_t len,
                      const char *want, const char *name)
{
    bool good = true;

    for (int round = 0; round < 12 && good; round++) {
        char *got;

        step_all = round % 3 == 2;
        got = run_text(set, text, len, round == 0 ? 0 : round < 4 ? 1 : (size_t)round * 3);
        good = strcmp(got, want) == 0 && !caught.bad && caught.held_most <= USER_WINDOW;
        if (!good)
            printf("#   round %d%s: %.300s\n#   want %.300s\n", round, caught.bad ? " LEAK" : "",
                   got, want);
        free(got);
    }
    step_all = false;
    ok(good, "%s", name);
}

static void check(const struct rule *rules, size_t n, const char *text, const char *want)
{
    static int number;
    struct user_rules *set = make_set(rules, n);
    char name[32];

    snprintf(name, sizeof(name), "example %d", ++number);
    check_len(set, text, strlen(text), want, name);
    user_rules_free(set);
}

/* ---- by example ---------------------------------------------------------------------- */

static void examples(void)
{
    static const struct rule acme[] = {{"acme", "ACME-[0-9]{4}", 0, NULL}};
    static const struct rule word[] = {{"acme", "\\bACME-[0-9]+\\b", 0, NULL}};
    static const struct rule group[] = {{"pin", "pin[=:] *([0-9]+)", 1, "pin"}};
    static const struct rule far[] = {{"far", "[a-z]+@corp\\.example", 0, "@corp"}};
    static const struct rule ends[] = {{"ends", "^id:.*$", 0, NULL}};
    static const struct rule two[] = {{"a", "aaa[bc]+", 0, NULL}, {"b", "[cd]+e", 0, NULL}};
    static const struct rule either[] = {{"or", "x(1)y|x(2)y", 2, NULL}};
    static const struct rule shared[] = {{"s1", "token1:[a-z]+", 0, NULL},
                                         {"s2", "token2:[a-z]+", 0, "token2"}};

    check(acme, 1, "a ACME-1234 b ACME-12 ACME-99999 AACME-0000\n", "a # b ACME-12 #9 A#\n");
    check(acme, 1, "ACME-1\n234 ACME-\r1234", "ACME-1\n234 ACME-\r1234");
    check(acme, 1, "ACACME-1234ACMACME-5678", "AC#ACM#");
    check(acme, 1, "\x1b[1mAC\x1b[0mME\x1b[31m-12\x1b[0m34\x1b[0m.", "\x1b[1m#\x1b[0m.");
    check(acme, 1, "A\x1b[31mACME-1234\x1b[0m", "A\x1b[31m#\x1b[0m");
    check(acme, 1, "ACME-1234", "#");
    check(acme, 1, "A\x1b(B\x1b[mCME-1\x1b(B2\x1b[m34\x1b(B", "#\x1b(B");
    check(word, 1, "ACME-12 xACME-34 ACME-56x \x1b[1mACME-78\x1b[0m ACME-9",
          "# xACME-34 ACME-56x \x1b[1m#\x1b[0m #");
    check(word, 1, "ACME-12ACME-34.", "ACME-12ACME-34.");
    check(group, 1, "pin=123 pin: 4 PIN=5 pin=x", "pin=# pin: # PIN=5 pin=x");
    check(far, 1, "to joe@corp.example, ann@corp.example\nbob@corp\n", "to #, #\nbob@corp\n");
    check(far, 1, "joe@\x1b[1mcorp.example\nx", "#\nx");
    check(ends, 1, "id:1 2\r\nx id:3\nid:\nid:4", "#\r\nx id:3\n#\n#");
    check(two, 2, "aaabcde aaac dde cd e", "# # # cd e");
    check(either, 1, "x1y x2y", "x1y x#y");
    check(shared, 2, "token1:abc token2:def token3:ghi", "# # token3:ghi");
    check(acme, 1, "", "");
}

/* ---- long lines ---------------------------------------------------------------------- */

static char *filled(size_t len)
{
    char *text = malloc(len + 1);

    if (text == NULL)
        abort();
    memset(text, '.', len);
    text[len] = '\0';
    return text;
}

/* A match of 1,000 bytes wherever it lies in a line of 20,000. */
static void across_windows(const struct rule *rule, const char *name)
{
    enum { LINE = 20000, MATCH = 1000 };
    struct user_rules *set = make_set(rule, 1);
    bool good = true;

    for (size_t at = 0; at + MATCH <= LINE && good; at += 331) {
        char *text = filled(LINE);
        char *got;

        memset(text + at, 'x', MATCH);
        memcpy(text + at, "key<", 4);
        text[at + MATCH - 1] = '>';
        got = run_text(set, text, LINE, 900);
        good = strlen(got) == LINE - MATCH + 1 && got[at] == '#' && !caught.bad;
        free(got);
        free(text);
    }
    ok(good, "%s", name);
    user_rules_free(set);
}

static void long_lines(void)
{
    static const struct rule anchored[] = {{"r", "key<x+>", 0, NULL}};
    static const struct rule whole[] = {{"r", "(k)ey<x+>", 0, "key<"}};
    static const struct rule required[] = {{"r", "[k]ey<x+>", 0, NULL}};
    static const struct rule blind[] = {{"r", "[kl][ef][yz][<=][xy]+[>?]", 0, NULL}};
    static const struct rule rest[] = {{"r", "key=.*", 0, NULL}};
    static const struct rule later[] = {{"r", "[ab]{4}", 0, "keyword"}};
    struct user_rules *set = make_set(rest, 1);
    char *text = filled(30000);

    across_windows(anchored, "a match across windows, anchored");
    across_windows(whole, "a match across windows, with a literal");
    across_windows(required, "a match across windows, with a text it requires");
    across_windows(blind, "a match across windows, without");
    memcpy(text + 100, "key=", 4);
    text[20000] = '\n';
    check_len(set, text, 20050,
              "...................................................................................."
              "................#\n.................................................",
              "a match longer than the window hides the rest of its line");
    user_rules_free(set);
    set = make_set(later, 1);
    check_len(set, "abab keyword abba\nabab\n", 23, "# keyword #\nabab\n",
              "a literal anywhere on the line");
    user_rules_free(set);
    free(text);
}

/* ---- against the definition ---------------------------------------------------------- */

/* Marks of one rule on one line, colours not considered. */
static void mark_line(struct regex *regex, unsigned group, const char *line, size_t len,
                      uint8_t *kind)
{
    struct regex_span spans[REGEX_GROUPS_MAX];
    size_t at = 0;

    while (at < len && regex_search(regex, line + at, len - at, at > 0 ? REGEX_NOT_BEGIN : 0,
                                    spans, group + 1) == ERR_NONE) {
        const struct regex_span *s = &spans[group];

        for (size_t k = s->begin; s->begin != REGEX_UNSET && k < s->end; k++)
            kind[at + k] |= k == s->begin ? 3 : 1;
        at += spans[0].end > spans[0].begin ? spans[0].end : spans[0].begin + 1;
    }
}

static char *expected(const struct rule *rules, size_t n, const char *text, size_t len)
{
    uint8_t *kind = calloc(len + 1, 1);
    char *result = malloc(len + 1);
    size_t out = 0;

    if (kind == NULL || result == NULL)
        abort();
    for (size_t i = 0; i < n; i++) {
        struct regex *regex;

        if (regex_compile(&regex, rules[i].pattern, strlen(rules[i].pattern), 0, NULL) !=
            ERR_NONE)
            abort();
        for (size_t at = 0; at < len;) {
            size_t end = at;

            while (end < len && text[end] != '\n' && text[end] != '\r')
                end++;
            if (rules[i].literal == NULL ||
                memmem(text + at, end - at, rules[i].literal, strlen(rules[i].literal)) != NULL)
                mark_line(regex, rules[i].group, text + at, end - at, kind + at);
            at = end + 1;
        }
        regex_free(regex);
    }
    for (size_t k = 0; k < len; k++) {
        if (kind[k] == 0)
            result[out++] = text[k];
        else if (kind[k] == 3 && (k == 0 || kind[k - 1] == 0))
            result[out++] = '#';
    }
    result[out] = '\0';
    free(kind);
    return result;
}

static void oracle(const struct rule *rules, size_t n, const char *alphabet, const char *name)
{
    struct user_rules *set = make_set(rules, n);
    bool good = true;

    for (int round = 0; round < 4000 && good; round++) {
        char text[160];
        size_t len = next_random() % sizeof(text);
        char *want;
        char *got;

        for (size_t i = 0; i < len; i++)
            text[i] = alphabet[next_random() % strlen(alphabet)];
        want = expected(rules, n, text, len);
        step_all = round % 4 == 3;
        got = run_text(set, text, len, (size_t)round % 5 * 4);
        good = strcmp(got, want) == 0 && !caught.bad;
        if (!good)
            printf("#   text %.*s\n#   got  %s\n#   want %s\n", (int)len, text, got, want);
        free(got);
        free(want);
    }
    step_all = false;
    ok(good, "%s", name);
    user_rules_free(set);
}

static void oracles(void)
{
    static const struct rule anchored[] = {
        {"a", "abc[a-z]+", 0, NULL}, {"b", "ab(c+)d", 1, "ab"}, {"c", "cab.*", 0, NULL}};
    static const struct rule gated[] = {{"a", "[ab]+c", 0, "bc"}, {"b", "abd+", 0, NULL}};
    static const struct rule required[] = {{"a", "[ab]+c", 0, NULL}, {"b", "(a|cd)+$", 0, "cd"}};
    static const struct rule blind[] = {{"a", "[ab]+[cd]", 0, NULL}, {"b", "[ad]+$", 0, NULL}};

    oracle(anchored, 3, "aabbccd \n", "as the definition says: anchored rules");
    oracle(gated, 2, "aabbccd \n\r", "as the definition says: rules with a literal");
    oracle(required, 2, "aabbccd \n", "as the definition says: rules that require a text");
    oracle(blind, 2, "aabbccd \n", "as the definition says: rules without");
}

/* Noise with escape sequences: the same for all splits, nothing covered comes out. */
static void any_split(const struct rule *rules, size_t n, const char *name)
{
    static const char alphabet[] = "aabbcd\x1b\x1b[[1;m(\n";
    struct user_rules *set = make_set(rules, n);
    bool good = true;

    for (int round = 0; round < 400 && good; round++) {
        static char text[9000];
        size_t len = round % 8 == 0 ? sizeof(text) : 200;
        char *first;

        for (size_t i = 0; i < len; i++)
            text[i] = alphabet[next_random() % (sizeof(alphabet) - 1 - (round % 2 == 0))];
        first = run_text(set, text, len, 0);
        for (int k = 0; k < 4 && good; k++) {
            char *got;

            step_all = k == 3;
            got = run_text(set, text, len, k == 0 ? 1 : 700);
            good = strcmp(got, first) == 0 && !caught.bad && caught.held_most <= USER_WINDOW;
            free(got);
        }
        step_all = false;
        free(first);
    }
    ok(good, "%s", name);
    user_rules_free(set);
}

static void splits(void)
{
    static const struct rule anchored[] = {{"a", "abc[a-d]+", 0, NULL}, {"b", "aab.*d", 0, "aa"}};
    static const struct rule gated[] = {{"a", "[ab]+c", 0, "bcd"}, {"b", "^b.*", 0, "bb"}};
    static const struct rule required[] = {{"a", "[ab]+cd", 0, NULL}, {"b", "[a]b.*d", 0, NULL}};
    static const struct rule blind[] = {{"a", "[ab]+[cd]", 0, NULL}, {"b", "[a-b].*[d-e]", 0, NULL}};

    any_split(anchored, 2, "all splits are alike: anchored rules");
    any_split(gated, 2, "all splits are alike: rules with a literal");
    any_split(required, 2, "all splits are alike: rules that require a text");
    any_split(blind, 2, "all splits are alike: rules without");
}

/* Many short matches, each of which looks far ahead, must not take for ever. */
static void floods(void)
{
    static const struct rule ahead[] = {{"a", "a|[ab]*c", 0, NULL}};
    struct user_rules *set = make_set(ahead, 1);
    char *text = filled(20000);
    char *got;

    memset(text, 'a', 20000);
    got = run_text(set, text, 20000, 4096);
    ok(strcmp(got, "#") == 0, "a flood of matches is hidden");
    free(got);
    free(text);
    user_rules_free(set);
}

/* ---- rules that are refused ---------------------------------------------------------- */

static void refused(const struct rule *rule, const char *why)
{
    static const struct rule other = {"other", "abc", 0, NULL};
    struct user_rules *set = make_set(&other, 1);
    struct err e = {0};
    enum err_code rc =
        user_rules_add(set, rule->name, rule->pattern, rule->group, rule->literal, &e);

    if (!ok(rc == ERR_USAGE && strcmp(e.subject, rule->name) == 0 &&
                strstr(e.why, why) != NULL && user_rules_count(set) == 1,
            "refused: %s", why))
        printf("#   %d '%s' %s\n", (int)rc, e.subject, e.why);
    user_rules_free(set);
}

static void refusals(void)
{
    struct user_rules *set;
    char name[16];
    struct err e;

    refused(&(struct rule){"", "abc", 0, NULL}, "1 to 64");
    refused(&(struct rule){"a b", "abc", 0, NULL}, "1 to 64");
    refused(&(struct rule){"private-key", "abc", 0, NULL}, "buildlog's own");
    refused(&(struct rule){"other", "abc", 0, NULL}, "another rule");
    refused(&(struct rule){"r", "ab(cd", 0, NULL}, "(byte 3)");
    refused(&(struct rule){"r", "a[b", 0, NULL}, "(byte 2)");
    refused(&(struct rule){"r", "(a)[\\1]b\\1", 0, NULL}, "(byte 9)");
    refused(&(struct rule){"r", "a*", 0, NULL}, "matches nothing");
    refused(&(struct rule){"r", "\\b", 0, NULL}, "matches nothing");
    refused(&(struct rule){"r", "a(b)", 2, NULL}, "no group 2");
    refused(&(struct rule){"r", "abc", 0, ""}, "1 to 64");
    refused(&(struct rule){"r", "abc", 0, "a\nb"}, "no line");
    if (user_rules_new(&set, &e) != ERR_NONE)
        abort();
    for (int i = 0; i < USER_RULES_MAX; i++) {
        snprintf(name, sizeof(name), "r%d", i);
        if (user_rules_add(set, name, "abc", 0, NULL, &e) != ERR_NONE)
            abort();
    }
    ok(user_rules_add(set, "more", "abc", 0, NULL, &e) == ERR_USAGE, "refused: a rule too many");
    is_str(user_rules_mark(set, 7), "[REDACTED:r7]", "the mark carries the rule's name");
    is_str(user_rules_name(set, 7), "r7", "and it has one");
    user_rules_free(set);
    user_rules_free(NULL);
}

static void prefix_is(const char *pattern, const char *want)
{
    char got[16];
    size_t n = pattern_prefix(pattern, got, sizeof(got));

    is_bytes(got, n, want, strlen(want), pattern);
}

static void prefixes(void)
{
    prefix_is("ACME-[0-9]+", "ACME-");
    prefix_is("\\bACME\\.x\\d", "ACME.x");
    prefix_is("^key=", "key=");
    prefix_is("(ACME)-1", "ACME");
    prefix_is("(ACME)?-1", "");
    prefix_is("abc|def", "");
    prefix_is("abc(d|e)", "abc");
    prefix_is("(abc(d|e))", "");
    prefix_is("abc*", "ab");
    prefix_is("abc+", "ab");
    prefix_is("abc{2}", "ab");
    prefix_is("[abc]d", "");
    prefix_is("(?i)abc", "");
    prefix_is("ab[|]c|d", "");
    prefix_is("\\x41BC", "");
    prefix_is("abc\\", "abc");
    prefix_is("0123456789abcdefg", "0123456789abcde");
}

int main(void)
{
    examples();
    long_lines();
    oracles();
    splits();
    floods();
    refusals();
    prefixes();
    return done();
}
