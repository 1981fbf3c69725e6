// SPDX-License-Identifier: MIT
/*
 * What is told of a row by the bytes ahead of it (needless.c), of a context by more than one
 * anchor asked for (look.c), and of a boundary by the end of all matches (cover.c) must not show:
 * a text that comes byte by byte has no bytes ahead, and the same has to come out of it as of
 * the whole.
 */
#include "lib/tap.h"

#include <stdlib.h>

#include "redact/escape.h"
#include "redact/redact.h"
#include "redact/rules.h"
#include "redact/stream.h"

#ifndef SOUPS
#define SOUPS 400 /* random texts */
#endif

enum { OUT_MAX = 1 << 16, SOUP_MAX = 3000, LIMIT = 1024 /* bytes held of what is no secret yet */ };

struct text {
    char data[OUT_MAX];
    size_t len;
};

static struct redact_set *set;
static uint64_t seed = 1;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

static void put(struct text *t, const char *data, size_t n)
{
    if (n > OUT_MAX - t->len)
        abort();
    memcpy(t->data + t->len, data, n);
    t->len += n;
}

static void puts_to(struct text *t, const char *data)
{
    put(t, data, strlen(data));
}

static void fill(struct text *t, const char *with, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(t, with + i % strlen(with), 1);
}

static void take(struct text *out, const struct clean_vec *v)
{
    for (size_t i = 0; i < v->len; i++)
        put(out, v->items[i].ptr, v->items[i].len);
}

static void feed(struct text *out, const struct text *in, size_t piece)
{
    struct redactor *r;
    struct clean_vec v = {0};

    out->len = 0;
    if (redactor_new(&r, set, NULL) != ERR_NONE)
        abort();
    for (size_t at = 0; at < in->len; at += piece) {
        size_t n = piece < in->len - at ? piece : in->len - at;

        if (redactor_feed(r, (struct raw_span){in->data + at, n}, &v) != ERR_NONE)
            abort();
        take(out, &v);
    }
    if (redactor_finish(r, &v) != ERR_NONE)
        abort();
    take(out, &v);
    clean_vec_release(&v);
    redactor_free(r);
}

/* What comes out of the whole, in *out, does so of its single bytes and of a few at a time. */
static bool is_same(struct text *out, const struct text *in)
{
    static const size_t pieces[] = {1, 3, 61};
    static struct text other;
    bool good = true;

    feed(out, in, OUT_MAX);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]) && good; i++) {
        feed(&other, in, pieces[i]);
        good = other.len == out->len && memcmp(other.data, out->data, out->len) == 0;
        if (!good)
            printf("#   pieces of %zu\n#   %.*s\n#   %.*s\n#   %.*s\n", pieces[i], (int)in->len,
                   in->data, (int)out->len, out->data, (int)other.len, other.data);
    }
    return good;
}

static bool has(const struct text *t, const char *what)
{
    return memmem(t->data, t->len, what, strlen(what)) != NULL;
}

/* ---- under way ------------------------------------------------------------------------- */

/* One password that goes on without evidence, and another in it: where the first has been held
   for too long and begins anew, before, at and behind the beginning of the second. */
static void test_begins_anew(void)
{
    static struct text in;
    static struct text out;
    bool good = true;
    bool hidden = true;

    for (size_t n = LIMIT - 40; n < LIMIT + 10 && good; n++) {
        in.len = 0;
        puts_to(&in, "--password=");
        fill(&in, "a", n);
        puts_to(&in, "--password=bcdefghijk1LmN0pq rest\n");
        good = is_same(&out, &in);
        hidden &= !has(&out, "bcd") && !has(&out, "0pq");
    }
    ok(good, "a password within one that begins anew");
    ok(hidden, "is hidden from its first byte on, wherever the first begins anew");
}

/* How many candidates live behind OUT_MAX bytes of the text, again and again. */
static size_t live_behind(const char *flood)
{
    static struct text in;
    struct redactor *r;
    struct clean_vec v = {0};
    size_t live;

    in.len = 0;
    fill(&in, flood, OUT_MAX);
    if (redactor_new(&r, set, NULL) != ERR_NONE ||
        redactor_feed(r, (struct raw_span){in.data, in.len}, &v) != ERR_NONE)
        abort();
    live = r->s.n_live;
    clean_vec_release(&v);
    redactor_free(r);
    return live;
}

/* A flood of what begins in each other: those that begin anew give way to those in which they do,
   so that no more live than begin within the window, HIDES_MAX apart, for a row each. */
static void test_few_live(void)
{
    static const char *const floods[] = {"--password=", "password=", "sk" "-", "glpat" "-"};
    enum { FEW = 24 };
    bool good = true;

    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        size_t live = live_behind(floods[i]);

        if (live > FEW)
            printf("#   %s: %zu\n", floods[i], live);
        good &= live <= FEW;
    }
    ok(good, "a flood of options does not keep each of them");
}

/* The first password ends between the anchor of the second and where that would go on in it. */
static void test_ends(void)
{
    static const char *const between[] = {"'", "\"", "\\\\'", "=", "\\"};
    static struct text in;
    static struct text out;
    bool good = true;

    for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
        for (size_t n = 0; n < 200 && good; n += 9) {
            in.len = 0;
            puts_to(&in, "--password=");
            fill(&in, "a", n);
            puts_to(&in, "--password=");
            puts_to(&in, between[i]);
            puts_to(&in, "S3cretPassw9rd of mine\n");
            good = is_same(&out, &in) && !has(&out, "S3cretP") && has(&out, "of mine");
        }
    }
    ok(good, "a password behind one that ends where it begins");
}

/* A header within what may be another one's secret; the rows of its chain. */
static void test_chains(void)
{
    static const char *const values[] = {
        "authorization: ",  "bearer abcdefgh1", "basic QWxhZGRpbjpvcGVu", "Abcdefgh12345 ",
        "abcdefgh ",        "token abcdefgh12", "apikey 0123456789abc",   "Xyz abcdEFGH0123 ",
        "abc abcdefghijk ", "aws4-hmac-sha256 Credential=AB01cd23 "};
    static struct text in;
    static struct text out;
    bool good = true;

    for (size_t i = 0; i < 400 && good; i++) {
        in.len = 0;
        for (size_t k = 0; k < 6; k++) {
            puts_to(&in, "Authorization: ");
            puts_to(&in, values[next_random() % 10]);
            puts_to(&in, next_random() % 2 == 0 ? "\n" : "");
        }
        good = is_same(&out, &in);
    }
    ok(good, "headers in a row");
    in.len = 0;
    fill(&in, "authorization: ", 900);
    puts_to(&in, "abcdefgh1i2j3\n");
    ok(is_same(&out, &in) && !has(&out, "abcdefgh1"), "a secret behind a flood of headers");
}

/* ---- beginnings ------------------------------------------------------------------------ */

/* The row takes the byte as its first one, or needs none, as its items have it. */
static bool begins_with(const struct rule *rule, uint8_t byte)
{
    const struct rule_item *it = &rule_items[rule->first];

    if (byte == ESC)
        return true; /* left out: what is behind it tells */
    for (size_t i = 0; i < rule->len; i++, it++) {
        if (rule_item_has(it, byte) || (it->min == 0 && (it->flags & ITEM_ARM) != 0))
            return true;
        if (it->min > 0)
            return false;
    }
    return true;
}

/* What the table says of an anchor's rows, and of the anchor for those of tiers 1 and 2 alone and
   for all, is so. */
static bool tells_begins(const struct anchor *a, uint8_t byte)
{
    bool some[2] = {false, false};
    bool good = true;

    for (size_t i = a->first; i < (size_t)a->first + a->n_rules; i++) {
        bool begins = begins_with(&rules[i], byte);

        good &= begins == rule_class_has(rule_classes[rules[i].begins], byte);
        some[0] |= begins && rule_names[rules[i].name].group < GROUP_TIER3;
        some[1] |= begins;
    }
    for (size_t i = 0; i < 2; i++)
        good &= some[i] == rule_class_has(rule_classes[a->begins[i]], byte);
    return good;
}

static void test_begins(void)
{
    bool good = true;

    for (size_t a = 0; a < anchor_count; a++) {
        for (unsigned byte = 0; byte < 256; byte++)
            good &= tells_begins(&anchors[a], (uint8_t)byte);
    }
    ok(good, "each row and each anchor knows what it may begin with");
}

/* Both tables of classes say the same. */
static void test_classes(void)
{
    bool good = true;

    for (size_t i = 0; i < rule_count; i++) {
        for (size_t k = rules[i].first; k < (size_t)rules[i].first + rules[i].len; k++) {
            uint16_t class = rule_items[k].class;

            for (unsigned byte = 0; byte < 256; byte++)
                good &= (rule_class_bits[class / 8][byte] >> class % 8 & 1) ==
                        (rule_class_has(rule_classes[class], (uint8_t)byte) ? 1 : 0);
        }
    }
    ok(good, "the tables of classes agree");
}

/* ---- contexts -------------------------------------------------------------------------- */

/* "docker login" stands at most 200 bytes before the anchor, on its line; also twice, also
   behind it, for another one. */
static void test_near(void)
{
    static struct text in;
    static struct text out;
    bool good = true;
    bool hidden = true;

    for (size_t n = 1; n < 230 && good; n++) {
        in.len = 0;
        fill(&in, "some words before. ", 300 + n % 5);
        puts_to(&in, n % 7 == 0 ? "docker login\nx " : "DOCKER login ");
        fill(&in, "n ", n);
        puts_to(&in, " --password hunter --password other");
        fill(&in, " n", n % 90);
        puts_to(&in, n % 3 == 0 ? "\ndocker login" : " docker login");
        puts_to(&in, " --password third\n --password fourth\n");
        good = is_same(&out, &in);
        hidden &= !has(&out, "third") && has(&out, "fourth") &&
                  (n % 7 == 0 || n > 160 || (!has(&out, "hunter") && !has(&out, "other"))) &&
                  (n % 7 != 0 || (has(&out, "hunter") && has(&out, "other")));
    }
    ok(good, "a context that is near, or not");
    ok(hidden, "the passwords of a login, no others");
}

/* ---- boundaries ------------------------------------------------------------------------ */

/* A token starts right behind a mark, also behind one that grew. */
static void test_touching(void)
{
    static struct text in;
    static struct text out;

    if (redact_set_add_value(set, "VALUE", "xyzzyxyzzy", 10, NULL) != ERR_NONE)
        abort();
    in.len = 0;
    puts_to(&in, "begin xyzzyxyzzyxyzzyghp" "_");
    fill(&in, "Ab1", 36);
    puts_to(&in, " xyzzyxyzzy.ghp" "_");
    fill(&in, "Ab1", 36);
    puts_to(&in, " end\n");
    ok(is_same(&out, &in) && !has(&out, "Ab1Ab1") && !has(&out, "xyzzy"),
       "a token that touches a mark that grew");
}

/* ---- soups ----------------------------------------------------------------------------- */

static const struct anchor *any_anchor(void)
{
    const struct anchor *a;

    do {
        a = &anchors[next_random() % anchor_count];
    } while (a->len == 0 || a->sets != NULL);
    return a;
}

static void put_random(struct text *t, size_t n)
{
    static const char bytes[] = "abcXYZ012-_./+=";

    for (size_t i = 0; i < n; i++)
        put(t, &bytes[next_random() % (sizeof(bytes) - 1)], 1);
}

/* Anchors, one or all of them, with one or all of these between them, and what may be secret. */
static void make_soup(struct text *t)
{
    static const char *const between[] = {
        "", " ", "\n", "x", "=", "\":\"", ", ", "/", " 1a2B ", "'", "@", "\x1b[31m", "\x1b[0m", "-",
        "_", ":", "\\n", "A1", "%3d", "==", "\t", "[REDACTED]", "\r\n", "curl ", "docker login ",
        "host=", "server=", "u:abc@h", "<", "\""};
    enum { N = sizeof(between) / sizeof(between[0]) };
    const struct anchor *one = any_anchor();
    const char *sep = between[next_random() % N];
    uint32_t mode = next_random() % 4;

    t->len = 0;
    while (t->len < SOUP_MAX) {
        const struct anchor *a = mode == 0 ? one : any_anchor();

        put(t, a->text, next_random() % 16 == 0 ? 1 + next_random() % a->len : a->len);
        if (next_random() % 8 == 0)
            put_random(t, 1 + next_random() % 60);
        puts_to(t, mode < 2 ? sep : between[next_random() % N]);
    }
}

static void test_soup(void)
{
    static struct text in;
    static struct text out;
    bool good = true;

    for (int i = 0; i < SOUPS && good; i++) {
        make_soup(&in);
        good = is_same(&out, &in);
    }
    ok(good, "floods of anchors");
}

int main(void)
{
    if (redact_set_new(&set, NULL, NULL) != ERR_NONE)
        abort();
    test_begins();
    test_classes();
    test_begins_anew();
    test_few_live();
    test_ends();
    test_chains();
    test_near();
    test_soup();
    test_touching();
    redact_set_free(set);
    return done();
}
