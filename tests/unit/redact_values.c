// SPDX-License-Identifier: MIT
/*
 * redact/: known values, lines that register one, blocks and escape sequences in the whole
 * redactor: what comes out, for every split of the input.
 */
#include "lib/tap.h"

#include <stdlib.h>

#include "redact/redact.h"

enum { OUT_MAX = 1 << 16 };

#define K "[REDACTED:known-value]"

static char out[OUT_MAX];
static size_t out_len;
static uint64_t marks;

static struct redact_set *set_of(const char *const *values)
{
    struct redact_set *set;

    if (redact_set_new(&set, NULL, NULL) != ERR_NONE)
        abort();
    for (; *values != NULL; values++) {
        if (redact_set_add_value(set, NULL, *values, strlen(*values), NULL) != ERR_NONE)
            abort();
    }
    return set;
}

static void take(const struct clean_vec *v)
{
    for (size_t i = 0; i < v->len; i++) {
        if (v->items[i].len > OUT_MAX - out_len)
            abort();
        memcpy(out + out_len, v->items[i].ptr, v->items[i].len);
        out_len += v->items[i].len;
    }
}

/* Through a redactor of the set, in pieces of n bytes; the first one of `first` bytes. */
static void feed(struct redact_set *set, const char *data, size_t len, size_t first, size_t n)
{
    struct redactor *r;
    struct clean_vec v = {0};

    out_len = 0;
    if (redactor_new(&r, set, NULL) != ERR_NONE)
        abort();
    for (size_t at = 0; at < len;) {
        size_t piece = at == 0 && first > 0 ? first : n;
        char *copy;

        piece = piece < len - at ? piece : len - at;
        copy = malloc(piece);
        if (copy == NULL)
            abort();
        memcpy(copy, data + at, piece);
        if (redactor_feed(r, (struct raw_span){copy, piece}, &v) != ERR_NONE)
            abort();
        take(&v);
        free(copy);
        at += piece;
    }
    if (redactor_finish(r, &v) != ERR_NONE)
        abort();
    take(&v);
    marks = redactor_marks_total(r);
    clean_vec_release(&v);
    redactor_free(r);
}

static bool same(const char *want)
{
    return out_len == strlen(want) && memcmp(out, want, out_len) == 0;
}

/* The same for every split in two, byte by byte, in pieces of 3. */
static void gives(struct redact_set *set, const char *name, const char *in, const char *want)
{
    size_t len = strlen(in);
    bool good = true;

    for (size_t at = 0; at <= len && good; at++) {
        feed(set, in, len, at, len > 0 ? len : 1);
        good = same(want);
    }
    for (size_t n = 1; n <= 3 && good; n += 2) {
        feed(set, in, len, 0, n);
        good = same(want);
    }
    if (!good)
        printf("# got  %.*s\n# want %s\n", (int)out_len, out, want);
    ok(good, "%s", name);
}

/* ---- known values ---------------------------------------------------------------------- */

static void test_forms(void)
{
    static const char *const values[] = {"correct-horse/battery", "s3cr3t\nsecond line of it", NULL};
    struct redact_set *set = set_of(values);

    gives(set, "a value", "a correct-horse/battery b", "a " K " b");
    gives(set, "twice", "correct-horse/batterycorrect-horse/battery", K K);
    gives(set, "not the value", "a correct-horse/batterx b", "a correct-horse/batterx b");
    gives(set, "percent-encoded", "?k=correct-horse%2Fbattery&x", "?k=" K "&x");
    gives(set, "and in lower case", "?k=correct-horse%2fbattery&x", "?k=" K "&x");
    gives(set, "JSON with an escaped slash", "{\"k\":\"correct-horse\\/battery\"}", "{\"k\":\"" K "\"}");
    gives(set, "hexadecimal", "636f72726563742d686f7273652f62617474657279", K);
    gives(set, "base64", "Y29ycmVjdC1ob3JzZS9iYXR0ZXJ5", K);
    gives(set, "base64 of user:value", "dXNlcjpjb3JyZWN0LWhvcnNlL2JhdHRlcnk=",
          "dXNlcjp" K "k=");
    gives(set, "coloured inside", "a correct-\x1b[1mhorse\x1b[0m/battery\x1b[0m b",
          "a " K "\x1b[0m b");
    gives(set, "wrapped", "a correct-horse/\n  battery b", "a " K "\n  " K " b");
    gives(set, "two lines", "s3cr3t\nsecond line of it\nx", K "\n" K "\nx");
    gives(set, "the second alone", "x second line of it", "x " K);
    gives(set, "two lines written out", "\"s3cr3t\\nsecond line of it\"", "\"" K "\"");
    gives(set, "cut off at the end", "x correct-horse", "x " K);
    gives(set, "too early to tell", "x correct-", "x correct-");
    redact_set_free(set);
}

static void test_overlap(void)
{
    static const char *const values[] = {"abcdabcdabcd", "cdabcdabxyz", NULL};
    struct redact_set *set = set_of(values);

    gives(set, "self-overlap", "-abcdabcdabcdabcd-", "-" K "-");
    gives(set, "overlapping values", "-abcdabcdabcdabxyz-", "-" K "-");
    gives(set, "one within another's beginning", "-abcdabcdabxyz-", "-ab" K "-");
    redact_set_free(set);
}

static void test_within_token(void)
{
    static const char *const values[] = {"middle-of-it", NULL};
    struct redact_set *set = set_of(values);
    char in[128];
    char want[128];

    snprintf(in, sizeof(in), "x sk%saB3dE6gH9-middle-of-it-kL2mN5pQ8 y", "-");
    snprintf(want, sizeof(want), "x sk%s[REDACTED] y", "-");
    gives(set, "a value in a token", in, want);
    redact_set_free(set);
}

/* ---- registration ---------------------------------------------------------------------- */

static void add(void *ctx, const char *value, size_t len)
{
    if (redact_set_add_value(ctx, NULL, value, len, NULL) != ERR_NONE)
        printf("# refused %.*s\n", (int)len, value);
}

static void test_masks(void)
{
    static const char *const none[] = {NULL};
    static const char in[] = "early-secret\n::add-mask::early-secret\r\nnow early-secret\n";
    bool good = true;

    for (size_t n = 1; n < sizeof(in); n++) {
        struct redact_set *set = set_of(none);

        redact_set_on_mask(set, add, set);
        feed(set, in, sizeof(in) - 1, 0, n);
        if (!same("early-secret\n::add-mask::[REDACTED]\r\nnow " K "\n")) {
            printf("# pieces of %zu: %.*s\n", n, (int)out_len, out);
            good = false;
        }
        redact_set_free(set);
    }
    ok(good, "a registered value counts from the next byte on, for every split");
}

/* Others known: the search for those must not have passed over the next line already. */
static void test_mask_beside_values(void)
{
    static const char *const values[] = {"another-value", NULL};
    static const char in[] = "::add-mask::late-secret\nlate-secret\n";
    bool good = true;

    for (size_t n = 1; n < sizeof(in); n++) {
        struct redact_set *set = set_of(values);

        redact_set_on_mask(set, add, set);
        feed(set, in, sizeof(in) - 1, 0, n);
        good &= same("::add-mask::[REDACTED]\n" K "\n");
        redact_set_free(set);
    }
    ok(good, "a registered value is found beside known ones, for every split");
}

static void test_mask_only_at_line_start(void)
{
    static const char *const none[] = {NULL};
    struct redact_set *set = set_of(none);

    redact_set_on_mask(set, add, set);
    gives(set, "within a line it is text", "x ::add-mask::abcdefgh\nabcdefgh\n",
          "x ::add-mask::abcdefgh\nabcdefgh\n");
    redact_set_on_mask(set, NULL, NULL);
    gives(set, "switched off", "::add-mask::abcdefgh\n", "::add-mask::abcdefgh\n");
    redact_set_free(set);
}

/* For a reader that acts on the lines; what came out before the end already is `want`. */
static void passes(struct redact_set *set, const char *name, const char *in, const char *want)
{
    struct redactor *r;
    struct clean_vec v = {0};
    size_t len = strlen(in);

    out_len = 0;
    if (redactor_new(&r, set, NULL) != ERR_NONE)
        abort();
    redactor_pass_mask_lines(r);
    for (size_t at = 0; at < len; at += 5) {
        if (redactor_feed(r, (struct raw_span){in + at, len - at < 5 ? len - at : 5}, &v) !=
            ERR_NONE)
            abort();
        take(&v);
    }
    ok(same(want), "%s", name);
    if (redactor_finish(r, &v) != ERR_NONE)
        abort();
    clean_vec_release(&v);
    redactor_free(r);
}

static void test_mask_passes(void)
{
    static const char *const values[] = {"known-before", NULL};
    struct redact_set *set = set_of(values);

    redact_set_on_mask(set, add, set);
    passes(set, "for a runner the line passes as it is",
           "known-before\n::add-mask::known-before\nknown-before\n",
           K "\n::add-mask::known-before\n" K "\n");
    passes(set, "at once, within a key file, too",
           "Private-Lines: 2\n::add-mask::a, b, ", "Private-Lines: 2\n::add-mask::a, b, ");
    passes(set, "which goes on behind it",
           "Private-Lines: 2\n::add-mask::abcdefgh\nAAAABAQCkLkH0yW9z3Q4f\nAAAAgQ==\nrest\n",
           "Private-Lines: 2\n::add-mask::abcdefgh\n[REDACTED_PEM_LINE]\n[REDACTED_PEM_LINE]\n"
           "rest\n");
    passes(set, "as a Secret does",
           "kind: Secret\n::add-mask::abcdefgh\ndata:\n  key: c2VjcmV0\nrest:\n",
           "kind: Secret\n::add-mask::abcdefgh\ndata:\n  key: [REDACTED]\nrest:\n");
    redact_set_free(set);
}

/* ---- blocks ---------------------------------------------------------------------------- */

static void test_blocks(void)
{
    static const char *const none[] = {NULL};
    struct redact_set *set = set_of(none);

    gives(set, "a Secret",
          "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ntype: Opaque\ndata:\n"
          "  user: YWRtaW4=\n  key: \"c2VjcmV0\"\nstringData:\n  url: $URL\n  b: |\n    some text\n"
          "    more\n  c: d4e5\n---\nkind: ConfigMap\ndata:\n  user: admin\n",
          "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ntype: Opaque\ndata:\n"
          "  user: [REDACTED]\n  key: \"[REDACTED]\"\nstringData:\n  url: $URL\n  b: |\n"
          "    [REDACTED]\n    [REDACTED]\n  c: [REDACTED]\n---\nkind: ConfigMap\ndata:\n"
          "  user: admin\n");
    gives(set, "a PuTTY key",
          "PuTTY-User-Key-File-2: ssh-rsa\nPublic-Lines: 1\nAAAAB3NzaC1yc2EAAAABJQ\n"
          "Private-Lines: 2\nAAABAQCkLkH0yW9z3Q4fLmNoPqRsTuVwXyZ0123456789abcd\nAAAAgQ==\n"
          "Private-MAC: 0123456789abcdef0123456789abcdef01234567\nrest\n",
          "PuTTY-User-Key-File-2: ssh-rsa\nPublic-Lines: 1\nAAAAB3NzaC1yc2EAAAABJQ\n"
          "Private-Lines: 2\n[REDACTED_PEM_LINE]\n[REDACTED_PEM_LINE]\n"
          "Private-MAC: [REDACTED]\nrest\n");
    redact_set_free(set);
}

/* A line with an escaped slash, as in JSON, goes on behind it; so does one with two CR. */
static void test_key_lines(void)
{
    static const char *const none[] = {NULL};
    struct redact_set *set = set_of(none);

    gives(set, "a slash written out in a key line",
          "Private-Lines: 1\nAAAABAQCkLkH0yW9z3Q4f\\/LmNoPqRsTuVwXyZ0123456789\nrest\n",
          "Private-Lines: 1\n[REDACTED_PEM_LINE]\\[REDACTED_PEM_LINE]\nrest\n");
    gives(set, "two returns behind a key line",
          "Private-Lines: 1\nAAAABAQCkLkH0yW9z3Q4f\r\r\nrest\n",
          "Private-Lines: 1\n[REDACTED_PEM_LINE]\r\r\nrest\n");
    gives(set, "a colour before a key line",
          "Private-Lines: 1\n\x1b[0mAAAABAQCkLkH0yW9z3Q4f\nrest\n",
          "Private-Lines: 1\n\x1b[0m[REDACTED_PEM_LINE]\nrest\n");
    redact_set_free(set);
}

/* Held bytes have bounds, whatever follows a live candidate. */
static void test_floods(void)
{
    static const char *const begins[] = {"sk-A1b", "kind: Secret\ndata:\n a: YWJjZGVm",
                                         "kind: Secret\ndata:\n a: YW", "Private-Lines: 1\nAAA"};
    static const char *const floods[] = {"\x1b[m", "\"", "\r", "\\"};
    static const char *const none[] = {NULL};
    static char in[1 << 15];
    bool good = true;

    for (size_t b = 0; b < 4; b++) {
        for (size_t f = 0; f < 4; f++) {
            struct redact_set *set = set_of(none);
            size_t len = (size_t)snprintf(in, sizeof(in), "%s", begins[b]);

            while (len + 4 < sizeof(in))
                len += (size_t)snprintf(in + len, sizeof(in) - len, "%s", floods[f]);
            feed(set, in, len, 0, 1000);
            good &= out_len + 100 > len || marks > 0;
            redact_set_free(set);
        }
    }
    ok(good, "floods behind what may become a secret come out");
}

/* A bank account begins like the token, with two of the token's own letters. */
static void test_prefix_is_public(void)
{
    static const char *const on[] = {"iban"};
    static const struct redact_options options = {.on = on, .n_on = 1};
    struct redact_set *set;
    char in[64];

    if (redact_set_new(&set, &options, NULL) != ERR_NONE)
        abort();
    snprintf(in, sizeof(in), "Y%s%s", "C00", "00W000a00000000000a0000000900000yy00dp.");
    gives(set, "what begins a secret is no prefix of another", in, in);
    redact_set_free(set);
}

/* ---- escape sequences ------------------------------------------------------------------ */

static void test_escapes(void)
{
    static const char *const none[] = {NULL};
    struct redact_set *set = set_of(none);
    char token[64];
    char in[512];
    char want[512];

    snprintf(token, sizeof(token), "gh%s%s", "p_", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3gH6");
    snprintf(in, sizeof(in), "\x1b[31m%s\x1b[0m x", token);
    snprintf(want, sizeof(want), "\x1b[31m%.4s[REDACTED]\x1b[0m x", token);
    gives(set, "colours around a token", in, want);
    snprintf(in, sizeof(in), "x %.20s\x1b[1;31m%s\x1b[m\x1b[K", token, token + 20);
    snprintf(want, sizeof(want), "x %.4s[REDACTED]\x1b[m\x1b[K", token);
    gives(set, "and inside", in, want);
    snprintf(in, sizeof(in), "x %.2s\x1b[1m%s\x1b(B\x1b[m.", token, token + 2);
    snprintf(want, sizeof(want), "x %.2s\x1b[1m%.2s[REDACTED]\x1b(B\x1b[m.", token, token + 2);
    gives(set, "and inside its prefix", in, want);
    snprintf(in, sizeof(in), "x %s\x1b", token);
    snprintf(want, sizeof(want), "x %.4s[REDACTED]\x1b", token);
    gives(set, "a lone ESC behind it", in, want);
    snprintf(in, sizeof(in), "x %.20s\x1b]0;title\x07%s", token, token + 20);
    snprintf(in, sizeof(in), "\x1b(+<Bearer %s ", token + 4);
    snprintf(want, sizeof(want), "\x1b(+<Bearer [REDACTED] ");
    gives(set, "a sequence that ends in no letter", in, want);
    snprintf(in, sizeof(in), "x %.20s\x1b]0;title\x07%s", token, token + 20);
    gives(set, "another kind of sequence ends it", in, in);
    redact_set_free(set);
}

int main(void)
{
    test_forms();
    test_overlap();
    test_within_token();
    test_masks();
    test_mask_beside_values();
    test_mask_only_at_line_start();
    test_mask_passes();
    test_blocks();
    test_key_lines();
    test_floods();
    test_prefix_is_public();
    test_escapes();
    return done();
}
