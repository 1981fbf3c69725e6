// SPDX-License-Identifier: MIT
/*
 * redact/: what is found, what is left alone, and that neither depends on how the input is
 * split. Tokens are put together at run time: "@NAME:LENGTH@" in a case stands for that many
 * made-up characters, so that no scanner takes this file for a leak.
 */
#include "lib/tap.h"

#include <stdlib.h>

#include "redact/redact.h"

enum { TEXT_MAX = 65536 };

#ifndef SOUPS
#define SOUPS 1500 /* rounds of each random test */
#endif

struct text {
    char data[TEXT_MAX];
    size_t len;
};

static struct redact_set *shipped;
static uint64_t seed = 1;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

static void put(struct text *t, const char *data, size_t n)
{
    if (n > TEXT_MAX - t->len)
        abort();
    if (n > 0)
        memcpy(t->data + t->len, data, n);
    t->len += n;
}

/* ---- feeding ----------------------------------------------------------------------- */

struct result {
    struct text log;  /* what the log gets */
    struct text term; /* what the terminal gets, previews included */
    uint64_t marks;
    size_t shown;     /* most bytes ever shown early between two calls */
    bool sound;       /* marks counted = marks in spans, no span out of order */
};

static void take(struct result *out, const struct clean_vec *v, size_t *early)
{
    for (size_t i = 0; i < v->len; i++) {
        const struct clean_span *s = &v->items[i];

        put(&out->log, s->ptr, s->len);
        put(&out->term, s->ptr + s->shown, s->len - s->shown);
        out->marks += s->marks;
        out->sound &= s->shown <= s->len && (s->marks == 0 || s->shown == 0);
        *early -= s->shown <= *early ? s->shown : *early;
    }
}

static bool is_word(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == 0x1b)
            return true; /* colours behind it */
        if ((text[i] | 0x20) < 'a' || (text[i] | 0x20) > 'z')
            return false;
    }
    return true;
}

static void look(struct redactor *r, struct result *out, size_t *early)
{
    bool wants = redactor_wants_preview(r);
    struct clean_span s = redactor_preview(r);

    /* Beyond that only a word of prose is shown, which could begin an infix token. */
    out->sound &= wants == (s.len > 0) && (s.len <= REDACT_PREVIEW_MAX || is_word(s.ptr, s.len));
    put(&out->term, s.ptr, s.len);
    *early += s.len;
}

/* Feeds data in pieces (0: of random length), each copied to a block of its exact size. */
static void feed(struct result *out, const char *data, size_t n, size_t piece, bool preview)
{
    struct redactor *r;
    struct clean_vec v = {0};
    size_t early = 0;

    memset(out, 0, sizeof(*out));
    out->sound = true;
    if (redactor_new(&r, shipped, NULL) != ERR_NONE)
        abort();
    for (size_t at = 0; at < n;) {
        size_t len = piece > 0 ? piece : 1 + next_random() % 90;
        char *copy;

        len = len < n - at ? len : n - at;
        copy = malloc(len);
        if (copy == NULL)
            abort();
        memcpy(copy, data + at, len);
        if (redactor_feed(r, (struct raw_span){copy, len}, &v) != ERR_NONE)
            abort();
        take(out, &v, &early);
        free(copy);
        if (preview)
            look(r, out, &early);
        at += len;
    }
    if (redactor_finish(r, &v) != ERR_NONE)
        abort();
    take(out, &v, &early);
    out->sound &= !redactor_holding(r) && out->marks == redactor_marks_total(r);
    clean_vec_release(&v);
    redactor_free(r);
}

static void feed_split(struct result *out, const char *data, size_t n, size_t at)
{
    struct redactor *r;
    struct clean_vec v = {0};
    size_t early = 0;

    memset(out, 0, sizeof(*out));
    out->sound = true;
    if (redactor_new(&r, shipped, NULL) != ERR_NONE ||
        redactor_feed(r, (struct raw_span){data, at}, &v) != ERR_NONE)
        abort();
    take(out, &v, &early);
    if (redactor_feed(r, (struct raw_span){data + at, n - at}, &v) != ERR_NONE)
        abort();
    take(out, &v, &early);
    if (redactor_finish(r, &v) != ERR_NONE)
        abort();
    take(out, &v, &early);
    clean_vec_release(&v);
    redactor_free(r);
}

static bool same(const struct text *a, const struct text *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* The terminal shows what the log shows, but for at most so many bytes more per mark. */
static bool term_fits(const struct result *r)
{
    return r->term.len >= r->log.len &&
           r->term.len - r->log.len <= REDACT_PREVIEW_MAX * (size_t)r->marks;
}

/* Every split gives what the whole gave. */
static void check_splits(const char *name, const char *data, size_t n, const struct result *whole)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64, 0, 0, 0};
    static struct result got;
    bool good = true;

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]) && good; i++) {
        for (int preview = 0; preview < 2 && good; preview++) {
            feed(&got, data, n, pieces[i], preview != 0);
            good = got.sound && same(&got.log, &whole->log) && got.marks == whole->marks &&
                   term_fits(&got) && (preview != 0 || same(&got.log, &got.term));
            if (!good)
                printf("#   pieces of %zu, preview %d: %.*s\n", pieces[i], preview,
                       (int)got.log.len, got.log.data);
        }
    }
    for (size_t at = 1; at < n && good; at++) {
        feed_split(&got, data, n, at);
        good = same(&got.log, &whole->log) && got.marks == whole->marks;
        if (!good)
            printf("#   split at %zu: %.*s\n", at, (int)got.log.len, got.log.data);
    }
    ok(good, "%s: the same for every split", name);
}

/* Redacted text stays as it is, and counts for nothing. */
static void check_again(const char *name, const struct result *whole)
{
    static struct result again;

    feed(&again, whole->log.data, whole->log.len, 64, false);
    is_bytes(again.log.data, again.log.len, whole->log.data, whole->log.len, name);
    if (again.marks != 0)
        ok(false, "%s: %d marks in redacted text", name, (int)again.marks);
}

/* ---- cases ------------------------------------------------------------------------- */

static char made_up(char kind)
{
    static const char mixed[] = "aB3dE6gHi9KlMn0pQr5TuV2xYz1AbC4eFgH7jKlM8oPqR";
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
    static size_t at;

    at++;
    if (kind == 'm')
        return mixed[at % (sizeof(mixed) - 1)];
    if (kind == 'b') /* base 64 */
        return at % 19 == 0 ? '+' : at % 23 == 0 ? '/' : mixed[at % (sizeof(mixed) - 1)];
    if (kind == 'h')
        return "0123456789abcdef"[at * 7 % 16];
    return lower[at % 26];
}

/* Replaces @kind:length@ by made-up characters. */
static void expand(struct text *t, const char *text)
{
    t->len = 0;
    for (; *text != '\0'; text++) {
        char kind;
        int n;
        int used = 0;

        if (sscanf(text, "@%1[mbhl]:%d@%n", (char[2]){0}, &n, &used) != 2 || used == 0) {
            put(t, text, 1);
            continue;
        }
        kind = text[1];
        for (int i = 0; i < n; i++) {
            char c = made_up(kind);

            put(t, &c, 1);
        }
        text += used - 1;
    }
}

struct test_case {
    const char *name;
    const char *in;
    const char *want; /* NULL: unchanged */
};

static void run_case(const struct test_case *c)
{
    static struct text in;
    static struct result whole;
    const char *want;

    expand(&in, c->in);
    want = c->want != NULL ? c->want : c->in;
    feed(&whole, in.data, in.len, in.len > 0 ? in.len : 1, false);
    if (c->want == NULL)
        is_bytes(whole.log.data, whole.log.len, in.data, in.len, c->name);
    else
        is_bytes(whole.log.data, whole.log.len, want, strlen(want), c->name);
    ok(whole.sound && (c->want != NULL || whole.marks == 0), "%s: counted", c->name);
    check_splits(c->name, in.data, in.len, &whole);
    check_again(c->name, &whole);
}

static void run_cases(const struct test_case *cases)
{
    for (; cases->name != NULL; cases++)
        run_case(cases);
}

#define R "[REDACTED]"

static const struct test_case tokens[] = {
    {"a GitHub token", "x ghp" "_@m:36@ y", "x ghp_" R " y"},
    {"a longer one", "ghp" "_@m:90@", "ghp_" R},
    {"one too short", "ghp" "_@m:35@ ", NULL},
    {"inside a word", "php" "_xghp" "_@m:36@", NULL},
    {"after punctuation", "=ghp" "_@m:36@,\"ghp" "_@m:36@\"", "=ghp_" R ",\"ghp_" R "\""},
    {"tokens side by side", "ghp" "_@m:36@ghp" "_@m:36@", "ghp_" R "_" R},
    {"after a colour", "\033[32mghp" "_@m:36@\033[0m", "\033[32mghp_" R "\033[0m"},
    {"after a colour of 256", "\033[38;5;208mghp" "_@m:36@", "\033[38;5;208mghp_" R},
    {"after another sequence", "\033[Kghp" "_@m:36@", "\033[Kghp_" R},
    {"prefix coloured", "\033[1mghp" "_\033[m\033[K@m:36@", "\033[1mghp_\033[m\033[K" R},
    {"after a colour cut off", "\033[22 ghp" "_@m:36@ \033[1;3\"ghp" "_@m:36@\" \033[ ghp" "_@m:36@",
     "\033[22 ghp_" R " \033[1;3\"ghp_" R "\" \033[ ghp_" R},
    {"after an ESC alone", "\033 ghp" "_@m:36@ \033\"ghp" "_@m:36@ \033(ghp" "_@m:36@)",
     "\033 ghp_" R " \033\"ghp_" R " \033(ghp_" R ")"},
    {"across the cursor's style", "ghp" "_@m:9@\033[2 q@m:9@\033[!p@m:9@\033[?25$p@m:9@ x", "ghp_" R " x"},
    {"across character sets", "gh\033(Bp" "_@m:9@\033(B\033[m@m:9@\033%G@m:9@\033#8@m:9@ x",
     "gh\033(Bp_" R " x"},
    {"across what no program writes", "ghp" "_@m:9@\033[1 g@m:36@ ghp" "_@m:9@\033(\033)b@m:36@", NULL},
    {"behind what no program writes", "x\033[1 !pghp" "_@m:36@\033[1$!q", "x\033[1 !pghp_" R "\033[1$!q"},
    {"after a written escape", "\\nghp" "_@m:36@\\t\\tghp" "_@m:36@\\r",
     "\\nghp_" R "\\t\\tghp_" R "\\r"},
    {"after a written colour", "\\u001b[0mghp" "_@m:36@ \\x1b[1mghp" "_@m:36@ \\033[mghp" "_@m:36@",
     "\\u001b[0mghp_" R " \\x1b[1mghp_" R " \\033[mghp_" R},
    {"after %XX", "a%20ghp" "_@m:36@%0A", "a%20ghp_" R "%0A"},
    {"a letter before", "0mghp" "_@m:36@ [mghp" "_@m:36@", NULL},
    {"after a colour whose ESC is gone", "[0mghp" "_@m:36@ [1;31mghp" "_@m:36@",
     "[0mghp_" R " [1;31mghp_" R},
    {"at a carriage return", "10%\rghp" "_@m:36@\r20%", "10%\rghp_" R "\r20%"},
    {"a NUL on both sides", "ghp" "_@m:36@", "ghp_" R},
    {"an sk- key", "key sk-@m:48@.", "key sk-" R "."},
    {"an sk- key with parts", "sk-proj-@m:74@T3@m:74@", "sk-proj-" R},
    {"an sk- key of small letters", "sk-@l:40@", "sk-" R},
    {"sk- in words", "task-@m:40@ disk-@m:40@ risk-averse", NULL},
    {"sk- in prose", "sk-folding-cube-animation-delay-and-more-of-that", NULL},
    {"sk- and a date", "sk-2024-01-15-nightly-build-artifacts", NULL},
    {"a key after much prose", "sk-a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-@m:30@", "sk-" R},
    {"Bearer", "Bearer @m:20@", "Bearer " R},
    {"bearer, small", "bearer @h:32@ x", "bearer " R " x"},
    {"Bearer with a padded token", "Bearer @m:40@== x", "Bearer " R " x"},
    {"Bearer in prose", "Bearer authentication, bearer token, Bearer realm=\"x\", the bearer of "
                        "Bearer authorization_uri=\"https://login.example.com\"", NULL},
    {"Bearer and a reference", "Bearer $TOKEN Bearer ${TOKEN} Bearer <token> Bearer {{ token }} "
                               "Bearer ***", NULL},
    {"an AWS secret", "AWS_SECRET_ACCESS_KEY=@b:40@", "AWS_SECRET_ACCESS_KEY=" R},
    {"exported and quoted", "export AWS_SECRET_ACCESS_KEY='@b:40@'",
     "export AWS_SECRET_ACCESS_KEY='" R "'"},
    {"in JSON", "{\"AWS_SECRET_ACCESS_KEY\": \"@b:40@\", \"x\": 1}",
     "{\"AWS_SECRET_ACCESS_KEY\": \"" R "\", \"x\": 1}"},
    {"in JSON in JSON", "{\\\"AWS_SECRET_ACCESS_KEY\\\":\\\"@b:40@\\\"}",
     "{\\\"AWS_SECRET_ACCESS_KEY\\\":\\\"" R "\\\"}"},
    {"in YAML", "  AWS_SECRET_ACCESS_KEY: @b:40@\n", "  AWS_SECRET_ACCESS_KEY: " R "\n"},
    {"in ~/.aws/credentials", "aws_secret_access_key = @b:40@\n",
     "aws_secret_access_key = " R "\n"},
    {"coloured", "\033[36mAWS_SECRET_ACCESS_KEY\033[0m=\033[32m@b:40@\033[0m",
     "\033[36mAWS_SECRET_ACCESS_KEY\033[0m=\033[32m" R "\033[0m"},
    {"AWS references", "AWS_SECRET_ACCESS_KEY=$X AWS_SECRET_ACCESS_KEY=${SECRET_OF_THE_BUILD} "
                       "AWS_SECRET_ACCESS_KEY=*** AWS_SECRET_ACCESS_KEY: <your secret> "
                       "AWS_SECRET_ACCESS_KEY={{ aws_secret }} AWS_SECRET_ACCESS_KEY= "
                       "AWS_SECRET_ACCESS_KEY is not set, AWS_SECRET_ACCESS_KEY_FILE=/run/x/y", NULL},
    {"an option's value with a dash", "deploy --secret -" "aB3dE5gH7jK9 --dry-run",
     "deploy --secret " R " --dry-run"},
    {"an option behind an option", "deploy --secret -fno-omit-frame-pointer2 --token --no-v1-x2 "
                                   "--password -Xmx2048m", NULL},
    {"a public prefix of three bytes", "KEY" "0" "12345678901234567890ABCDEFABCDE_"
                                       "abcdefghijklmnopqrstuv", "KEY" R},
    {"a URL password", "git clone https://user:@m:12@@example.com/x.git",
     "git clone https://user:" R "@example.com/x.git"},
    {"without a user", "redis://:@m:20@@redis:6379/0", "redis://:" R "@redis:6379/0"},
    {"a scheme with signs", "mongodb+srv://u:@m:9@@h", "mongodb+srv://u:" R "@h"},
    {"an IPv6 host", "http://u:@m:9@@[::1]:80/", "http://u:" R "@[::1]:80/"},
    {"a colon in it", "amqp://u:@m:4@:@m:4@@h", "amqp://u:" R "@h"},
    {"a token in it", "https://x-access-token:ghp" "_@m:36@@github.com/a/b",
     "https://x-access-token:" R "@github.com/a/b"},
    {"URLs without one", "http://localhost:8080/ https://a@b.c/ ssh://git@h:22/x http://[::1]:80 "
                         "file:///a:b@c x://a:bcd@e ://a:bcd@e", NULL},
    {"URL references", "https://u:$PW@h https://u:${PW}@h https://u:***@h https://u:<pw>@h "
                       "https://u:{{ pw }}@h https://u:{{pw}}@h https://u:[REDACTED]@h", NULL},
    {"brackets of another", "https://u:[REDACTED2]@h https://u:[REDACTED]x@h",
     "https://u:" R "@h https://u:" R "@h"},
    {"a password too long", "https://u:@m:257@@h", NULL},
    {"a port and an end", "Listening on http://localhost:8080", NULL},
    {"Authorization: Bearer", "Authorization: Bearer @m:30@\r\n", "Authorization: Bearer " R "\r\n"},
    {"any case, short token", "authorization: bearer @m:8@", "authorization: bearer " R},
    {"in curl", "curl -H 'Authorization: Bearer @m:30@' https://h/",
     "curl -H 'Authorization: Bearer " R "' https://h/"},
    {"in JSON, Bearer", "{\"Authorization\":\"Bearer @m:30@\"}", "{\"Authorization\":\"Bearer " R "\"}"},
    {"in a Go map", "map[Authorization:[Bearer @m:30@]]", "map[Authorization:[Bearer " R "]]"},
    {"Basic", "> Authorization: Basic @m:22@==\n", "> Authorization: " R "\n"},
    {"token", "AUTHORIZATION: token @m:40@ x", "AUTHORIZATION: " R " x"},
    {"an unknown scheme", "Authorization: GenieKey @h:8@-@h:4@-@h:12@ x",
     "Authorization: " R " x"},
    {"Digest", "Authorization: Digest username=\"u\", response=\"@h:32@\"\n",
     "Authorization: " R "\n"},
    {"no scheme", "authorization: @m:24@\n", "authorization: " R "\n"},
    {"a token without scheme", "authorization=ghp" "_@m:36@;", "authorization=" R ";"},
    {"a proxy's", "Proxy-Authorization: Basic @m:20@=", "Proxy-Authorization: " R},
    {"Authorization in prose", "authorization: required for access. Authorization: basic *** "
                               "Authorization: Bearer $T, Authorization: Bearer ${T} and "
                               "Authorization: none, reauthorization is needed: TestAuthorization", NULL},
    {"last words", "token Bearer", NULL},
    {"last words of a header", "Authorization: Basic", NULL},
    {"last words of a key", "-----BEGIN", NULL},
    {"last words of a label", "-----BEGIN RSA PRIV", NULL},
    {"a token cut off", "ghp" "_@m:30@", NULL},
    {"our own marks", "Bearer [REDACTED] sk-[REDACTED] ghp_[REDACTED] https://u:[REDACTED]@h "
                      "AWS_SECRET_ACCESS_KEY=[REDACTED] Authorization: Bearer [REDACTED] "
                      "authorization: [REDACTED] authorization: \"[REDACTED]\"", NULL},
    {NULL, NULL, NULL}};

/* Held until the kind is there. */
static const struct test_case manifests[] = {
    {"a Secret as kubectl has it",
     "apiVersion: v1\ndata:\n  a: @b:8@\n  b.c: @b:40@\nkind: Secret\nmetadata:\n  name: x\n",
     "apiVersion: v1\ndata:\n  a: " R "\n  b.c: " R "\nkind: Secret\nmetadata:\n  name: x\n"},
    {"a ConfigMap", "apiVersion: v1\ndata:\n  a: @b:8@\n  b.c: @b:40@\nkind: ConfigMap\n", NULL},
    {"a Secret in JSON", "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"@b:40@\"},\"kind\":\"Secret\"}",
     "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"" R "\"},\"kind\":\"Secret\"}"},
    {"one whose kind comes first", "{\\\"kind\\\":\\\"Secret\\\",\\\"data\\\":{\\\"a\\\":\\\"@b:9@\\\\n\\\"}}",
     "{\\\"kind\\\":\\\"Secret\\\",\\\"data\\\":{\\\"a\\\":\\\"" R "\\\"}}"},
    {"one cut off", "apiVersion: v1\ndata:\n  a: @b:20@\n  b: @b:9@", "apiVersion: v1\ndata:\n  a: " R "\n  b: " R},
    {NULL, NULL, NULL}};

#define BEGIN "-----BEGIN RSA PRIVATE " "KEY-----"
#define END "-----END RSA PRIVATE " "KEY-----"
#define HEAD "-----BEGIN PRIVATE KEY-----" R
#define TAIL "-----END PRIVATE KEY-----"
#define LINE "[REDACTED_PEM_LINE]"
#define CERT "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQG"

static const struct test_case keys[] = {
    {"a key", "a\n" BEGIN "\n@b:64@\n@b:64@\n@b:18@==\n" END "\nb\n",
     "a\n" HEAD "\n" LINE "\n" LINE "\n" LINE "\n" TAIL "\nb\n"},
    {"its last line short", BEGIN "\n@b:64@\nQw==\n" END "\n", HEAD "\n" LINE "\n" LINE "\n" TAIL "\n"},
    {"short lines, hardly mixed", "a\n" BEGIN "\nAPRKhYSGbBAXhaNW\nBPRKhYSGbBAXhaNW\nAPRKhYSGbBAXhaNW\n" END "\nb\n",
     "a\n" HEAD "\n" LINE "\n" LINE "\n" LINE "\n" TAIL "\nb\n"},
    {"the same in JSON", "{\"k\":\"" BEGIN "\\nAPRKhYSGbBAXhaNW\\nBPRKhYSGbBAXhaNW\\n" END "\\n\"}",
     "{\"k\":\"" HEAD "\\n" LINE "\\n" LINE "\\n" TAIL "\\n\"}"},
    {"the same behind a time", "10:00 " BEGIN "\n10:01 APRKhYSGbBAXhaNW\n10:02 BPRKhYSGbBAXhaNW\n10:03 " END "\n",
     "10:00 " HEAD "\n" LINE "\n" LINE "\n10:03 " TAIL "\n"},
    {"no key: paths behind a header", BEGIN "\nShareDocPutty/Readme\nShare/Doc/Sources\nall\n", NULL},
    {"its last line a word", BEGIN "\n@b:64@\ndone\n" END "\n",
     HEAD "\n" LINE "\n" LINE "\n" TAIL "\n"},
    {"a key on one line", BEGIN "\n@b:64@\n" END, HEAD "\n" LINE "\n" TAIL},
    {"an OpenSSH key", "-----BEGIN OPENSSH PRIVATE " "KEY-----\n@b:70@\n@b:20@\n-----END OPENSSH "
                       "PRIVATE " "KEY-----\n", HEAD "\n" LINE "\n" LINE "\n" TAIL "\n"},
    {"an unnamed one", "-----BEGIN PRIVATE " "KEY-----\n@b:64@\n-----END PRIVATE " "KEY-----\n",
     HEAD "\n" LINE "\n" TAIL "\n"},
    {"an encrypted one", "-----BEGIN RSA PRIVATE " "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
                         "AES-128-CBC,@h:32@\n\n@b:64@\n@b:9@\n" END "\n",
     HEAD "\n" LINE "\n" LINE "\n\n" LINE "\n" LINE "\n" TAIL "\n"},
    {"a PGP key", "-----BEGIN PGP PRIVATE " "KEY BLOCK-----\nVersion: GnuPG v2\n\n@b:64@\n=aB3d\n"
                  "-----END PGP PRIVATE " "KEY BLOCK-----\nx",
     HEAD "\n" LINE "\n\n" LINE "\n" LINE "\n" TAIL "\nx"},
    {"an SSH2 key", "---- BEGIN SSH2 ENCRYPTED PRIVATE " "KEY ----\nComment: a\n@b:64@\n"
                    "---- END SSH2 ENCRYPTED PRIVATE " "KEY ----\nx",
     "---- BEGIN PRIVATE KEY ----" R "\n" LINE "\n" LINE "\n---- END PRIVATE KEY ----\nx"},
    {"CRLF", BEGIN "\r\n@b:64@\r\n@b:8@\r\n" END "\r\nx\r\n",
     HEAD "\r\n" LINE "\r\n" LINE "\r\n" TAIL "\r\nx\r\n"},
    {"CR CR LF", BEGIN "\r\r\n@b:64@\r\r\n@b:64@\r\r\n@b:8@\r\r\n" END "\r\r\nx",
     HEAD "\r\r\n" LINE "\r\r\n" LINE "\r\r\n" LINE "\r\r\n" TAIL "\r\r\nx"},
    {"indented", "k: |\n    " BEGIN "\n    @b:64@\n    @b:8@\n    " END "\nx: 1\n",
     "k: |\n    " HEAD "\n    " LINE "\n    " LINE "\n    " TAIL "\nx: 1\n"},
    {"timestamped", "2024-05-01T10:00:00Z " BEGIN "\n2024-05-01T10:00:01Z @b:64@\n"
                    "2024-05-01T10:00:02Z @b:6@==\n2024-05-01T10:00:03Z " END "\n"
                    "2024-05-01T10:00:04Z next\n",
     "2024-05-01T10:00:00Z " HEAD "\n" LINE "\n" LINE "\n2024-05-01T10:00:03Z " TAIL
     "\n2024-05-01T10:00:04Z next\n"},
    {"numbered", "     9\t" BEGIN "\n    10\t@b:64@\n    11\t" END "\n    12\tx\n",
     "     9\t" HEAD "\n    " LINE "\n    11\t" TAIL "\n    12\tx\n"},
    {"quoted in mail", "> " BEGIN "\n> @b:64@\n> " END "\n> x\n",
     "> " HEAD "\n" LINE "\n> " TAIL "\n> x\n"},
    {"prefixed by a name", "a.pem:" BEGIN "\na.pem:@b:64@\na.pem:" END "\nb.txt:x\n",
     "a.pem:" HEAD "\n" LINE "\na.pem:" TAIL "\nb.txt:x\n"},
    {"coloured", "\033[31m" BEGIN "\033[0m\n\033[31m@b:64@\033[0m\n\033[31m" END "\033[0m\nx",
     "\033[31m" HEAD "\033[0m\n" LINE "\n\033[31m" TAIL "\033[0m\nx"},
    {"in JSON", "{\"k\":\"" BEGIN "\\n@b:64@\\n@b:8@\\n" END "\\n\",\"z\":1}\n",
     "{\"k\":\"" HEAD "\\n" LINE "\\n" LINE "\\n" TAIL "\\n\",\"z\":1}\n"},
    {"in JSON in JSON", "{\\\"k\\\":\\\"" BEGIN "\\\\n@b:64@\\\\n@b:8@\\\\n" END "\\\\n\\\"}",
     "{\\\"k\\\":\\\"" HEAD "\\\\n" LINE "\\\\n" LINE "\\\\n" TAIL "\\\\n\\\"}"},
    {"with written CRLF", BEGIN "\\r\\n@b:64@\\r\\n" END "\\r\\n", HEAD "\\r\\n" LINE "\\r\\n" TAIL "\\r\\n"},
    {"in source code", "k = \"" BEGIN "\\n\"\n    \"@b:64@\\n\"\n    \"" END "\\n\";\nx\n",
     "k = \"" HEAD "\\n\"\n    " LINE "\\n\"\n    \"" TAIL "\\n\";\nx\n"},
    {"flattened", "K=" BEGIN " @b:64@ @b:64@ @b:8@ " END " x", "K=" HEAD TAIL " x"},
    {"flattened tight", BEGIN "@b:64@@b:64@" END "x", HEAD TAIL "x"},
    {"flattened and cut off", BEGIN " @b:64@ @b:20@", HEAD},
    {"cut off by prose", BEGIN "\n@b:64@\n@b:64@\nBuild failed, see above\nnext\n",
     HEAD "\n" LINE "\n" LINE "\nBuild failed, see above\nnext\n"},
    {"cut off within a line", BEGIN "\n@b:64@\n@m:7@", HEAD "\n" LINE "\n" LINE},
    {"cut off within the first line", BEGIN "\n@m:6@", HEAD "\n" LINE},
    {"cut off by a certificate", BEGIN "\n@b:64@\n-----BEGIN CERTIFICATE-----\n" CERT "\n",
     HEAD "\n" LINE "\n-----BEGIN CERTIFICATE-----\n" CERT "\n"},
    {"two keys", BEGIN "\n@b:64@\n" END "\n" BEGIN "\n@b:64@\n" END "\n",
     HEAD "\n" LINE "\n" TAIL "\n" HEAD "\n" LINE "\n" TAIL "\n"},
    {"a key without end, then another", BEGIN "\n@b:64@\n" BEGIN "\n@b:64@\n" END "\nx",
     HEAD "\n" LINE "\n" HEAD "\n" LINE "\n" TAIL "\nx"},
    {"a key after a mention", "use " BEGIN " as the header\n" BEGIN "\n@b:64@\n" END "\n",
     "use " BEGIN " as the header\n" HEAD "\n" LINE "\n" TAIL "\n"},
    {"an SSH2 key where a label was to end", "-----BEGIN X---- BEGIN SSH2 ENCRYPTED PRIVATE " "KEY ----\n"
                                             "@b:64@\n",
     "-----BEGIN X---- BEGIN PRIVATE KEY ----" R "\n" LINE "\n"},
    {"the same within a key", BEGIN "\n@b:64@\n-----BEGIN X---- BEGIN SSH2 ENCRYPTED PRIVATE " "KEY ----\n"
                              "@b:64@\n",
     HEAD "\n" LINE "\n-----BEGIN X---- BEGIN PRIVATE KEY ----" R "\n" LINE "\n"},
    {"a header alone", BEGIN "\n", NULL},
    {"a mention", "expected " BEGIN " at the start\nnext line\n", NULL},
    {"a mention at the line's end", "expected " BEGIN "\nnext line of the log\nand one more\n", NULL},
    {"a quoted mention", "if (!strstr(s, \"" BEGIN "\"))\n    return -1;\nfoo\n", NULL},
    {"both mentioned", "between " BEGIN " and " END " lines\nfoo\n", NULL},
    {"header and end alone", BEGIN "\n" END "\nfoo\n", NULL},
    {"an ellipsis", BEGIN "\n...\n" END "\nfoo\n", NULL},
    {"a secret in the line after a mention", BEGIN "\nsee https://u:@m:9@@h\nfoo bar\n",
     BEGIN "\nsee https://u:" R "@h\nfoo bar\n"},
    {"a certificate", "-----BEGIN CERTIFICATE-----\n@b:64@\n-----END CERTIFICATE-----\n", NULL},
    {"a public key", "-----BEGIN PUBLIC KEY-----\n@b:64@\n-----END PUBLIC KEY-----\n", NULL},
    {"parameters", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
     NULL},
    {"dashes", "-------- BEGIN --------\n-----B-----BEGIN\n---- B\n----- BEGIN X -----\n", NULL},
    {"our own key", HEAD "\n" LINE "\n" LINE "\n" TAIL "\nx\n", NULL},
    {NULL, NULL, NULL}};

/* ---- more than one line of a table -------------------------------------------------- */

static void test_nul(void)
{
    static struct text in;
    static struct result whole;

    expand(&in, "xghp" "_@m:36@x");
    in.data[0] = in.data[in.len - 1] = '\0';
    feed(&whole, in.data, in.len, in.len, false);
    is_bytes(whole.log.data, whole.log.len, "\0ghp_" R "\0", 16, "NUL before and after");
}

/* With nothing in it, input comes out as one span that points into it. */
static void test_no_copy(void)
{
    static char in[TEXT_MAX];
    struct redactor *r;
    struct clean_vec v = {0};

    memset(in, 'x', sizeof(in));
    memcpy(in + 999, " http://h/x sk- -----B bearer y\n", 32);
    if (redactor_new(&r, shipped, NULL) != ERR_NONE ||
        redactor_feed(r, (struct raw_span){in, sizeof(in)}, &v) != ERR_NONE)
        abort();
    ok(v.len == 1 && v.items[0].ptr == in && v.items[0].len == sizeof(in) &&
           v.bytes == sizeof(in), "one span, no copy");
    ok(!redactor_holding(r) && !redactor_wants_preview(r), "nothing held");
    redactor_free(r);
    if (redactor_new(&r, NULL, NULL) != ERR_NONE)
        abort();
    memcpy(in, " ghp" "_", 5);
    memset(in + 5, 'A', 50);
    if (redactor_feed(r, (struct raw_span){in, 80}, &v) != ERR_NONE)
        abort();
    ok(v.len == 1 && v.items[0].ptr == in && v.items[0].len == 80, "pass_all passes all");
    redactor_free(r);
    clean_vec_release(&v);
}

/* What comes out at once, what on a preview, what never. */
static void test_moments(void)
{
    static const char line[] = "Listening on http://localhost:8080";
    struct redactor *r;
    struct clean_vec v = {0};
    struct clean_span early;

    if (redactor_new(&r, shipped, NULL) != ERR_NONE ||
        redactor_feed(r, (struct raw_span){line, sizeof(line) - 1}, &v) != ERR_NONE)
        abort();
    is_int((int64_t)v.bytes, (int64_t)(sizeof(line) - 1 - 4), "all but the port at once");
    ok(redactor_holding(r) && redactor_wants_preview(r), "the port is held");
    early = redactor_preview(r);
    is_bytes(early.ptr, early.len, "8080", 4, "and shown after a pause");
    ok(!redactor_wants_preview(r) && redactor_preview(r).len == 0 && redactor_holding(r),
       "once");
    if (redactor_feed(r, (struct raw_span){"\n", 1}, &v) != ERR_NONE)
        abort();
    ok(v.len >= 1 && v.items[0].shown == 4, "and not again");
    if (redactor_feed(r, (struct raw_span){"https://u:abcdefghijkl", 22}, &v) != ERR_NONE)
        abort();
    early = redactor_preview(r);
    is_bytes(early.ptr, early.len, "abcdefg", 7, "seven bytes of a password at most");
    if (redactor_feed(r, (struct raw_span){"mnop", 4}, &v) != ERR_NONE)
        abort();
    ok(!redactor_wants_preview(r) && v.bytes == 0, "never more");
    if (redactor_feed(r, (struct raw_span){"@h", 2}, &v) != ERR_NONE)
        abort();
    ok(v.len == 2 && v.items[0].marks == 1 && v.items[0].shown == 0, "the mark is whole");
    clean_vec_release(&v);
    redactor_free(r);
}

/* Armed: the mark is out before the token ends. */
static void test_armed(void)
{
    static struct text in;
    struct redactor *r;
    struct clean_vec v = {0};

    expand(&in, "ghp" "_@m:40@");
    if (redactor_new(&r, shipped, NULL) != ERR_NONE ||
        redactor_feed(r, (struct raw_span){in.data, 39}, &v) != ERR_NONE)
        abort();
    is_int((int64_t)v.bytes, 4, "35 characters are no token yet");
    if (redactor_feed(r, (struct raw_span){in.data + 39, 1}, &v) != ERR_NONE)
        abort();
    ok(v.len == 1 && v.items[0].marks == 1, "the 36th brings the mark");
    if (redactor_feed(r, (struct raw_span){in.data + 40, 4}, &v) != ERR_NONE)
        abort();
    ok(v.bytes == 0 && redactor_holding(r), "the rest is swallowed");
    clean_vec_release(&v);
    redactor_free(r);
}

static void test_counts(void)
{
    static struct text in;
    struct redactor *r;
    struct clean_vec v = {0};
    uint64_t pat = 0;
    uint64_t url = 0;
    uint64_t sum = 0;

    expand(&in, "ghp" "_@m:36@ ghp" "_@m:36@ https://u:@m:9@@h ");
    if (redactor_new(&r, shipped, NULL) != ERR_NONE ||
        redactor_feed(r, (struct raw_span){in.data, in.len}, &v) != ERR_NONE)
        abort();
    for (size_t i = 0; i < redact_set_rules(shipped); i++) {
        sum += redactor_marks(r, i);
        if (strcmp(redact_set_rule_name(shipped, i), "github-pat") == 0)
            pat = redactor_marks(r, i);
        if (strcmp(redact_set_rule_name(shipped, i), "url-password") == 0)
            url = redactor_marks(r, i);
    }
    ok(pat == 2 && url == 1 && sum == 3 && redactor_marks_total(r) == 3, "marks per rule");
    clean_vec_release(&v);
    redactor_free(r);
}

static void test_text(void)
{
    static struct text in;
    struct buf b;
    struct clean_span span;

    buf_init(&b, 64);
    expand(&in, "--url=https://u:@m:9@@h");
    ok(redact_text((struct raw_span){in.data, in.len}, shipped, &b, &span) == ERR_NONE &&
           span.marks == 1, "an argument");
    is_bytes(span.ptr, span.len, "--url=https://u:" R "@h", 28, "is redacted");
    ok(redact_text((struct raw_span){in.data, in.len}, NULL, &b, &span) == ERR_NONE &&
           span.len == in.len, "or passed");
    ok(redact_text((struct raw_span){in.data, in.len}, shipped, &b, &span) == ERR_MEMORY &&
           b.len == 28 + in.len, "the ceiling holds");
    buf_release(&b);
    span = clean_constant("abc");
    is_bytes(span.ptr, span.len, "abc", 3, "a constant");
}

/* ---- random soup -------------------------------------------------------------------- */

static const char *const token_parts[] = {
    "ghp" "_", "sk-", "Bearer ", "authorization", ": ", "://", "http", "u:", "@h", "AWS_SECRET_",
    "ACCESS_KEY", "=", "\"", "\n", " ", "-----BEGIN ", "RSA PRIVATE " "KEY", "-----", "-----END ",
    "\\n", "\033[0m", "@m:20@", "@b:64@", "@b:7@", "@h:16@", "word ", "\r", "basic ", "[REDACTED]",
    "[REDACTED_PEM_LINE]", "---- BEGIN ", "-", "\\", "2024-01-01 ", "Authorization: ",
    "aws_secret_access_key = ", "https://u:", "@m:9@", "token ", "%20", "ghp" "_@m:36@", NULL};

static const char *const key_parts[] = {
    BEGIN, END, BEGIN "\n", END "\n", "-----BEGIN OPENSSH PRIVATE " "KEY-----\r\n", "\n", "\n", "\r\n",
    "\\n", "\\\\n", "@b:64@", "@b:64@\n", "@b:64@\\n", "@b:30@", "@b:9@", "Qw==", "word ", "word\n",
    "two words\n", "    ", "2024-01-01T00:00:00Z ", "> ", "\"", "\033[1m", "-----BEGIN CERTIFICATE-----\n",
    "---- BEGIN SSH2 ENCRYPTED PRIVATE " "KEY ----\n", "Proc-Type: 4,ENCRYPTED\n", "-", "-----", "-----BEGIN ",
    "-----END ", "PRIVATE " "KEY", "[REDACTED]", LINE, HEAD, "\\", NULL};

static const char *const mixed_parts[] = {
    BEGIN, END "\n", BEGIN "\n", "\n", "\\n", "@b:64@", "@b:64@\n", "Qw==", "word ", "two words\n", "    ",
    "-----BEGIN CERTIFICATE-----\n", "-----BEGIN ", "ghp" "_@m:36@", "https://u:@m:9@@h ", "Bearer @m:20@",
    "Authorization: Basic @m:20@==", "sk-", "https://u:", "authorization: ", "@m:9@", NULL};

static void cook(struct text *t, const char *const *parts, uint32_t most)
{
    static char text[8192];
    uint32_t n_parts = 0;

    while (parts[n_parts] != NULL)
        n_parts++;
    text[0] = '\0';
    for (uint32_t n = 2 + next_random() % most; n > 0; n--)
        strcat(text, parts[next_random() % n_parts]);
    expand(t, text);
}

/*
 * Every split gives the same, and what was redacted stays (not where tokens and keys mix: with
 * a token gone, what stands around it may look more or less like a key).
 */
static void test_soup(const char *name, const char *const *parts, bool again)
{
    static struct text in;
    static struct result whole;
    static struct result got;
    bool good = true;

    for (int round = 0; round < SOUPS && good; round++) {
        cook(&in, parts, 28);
        feed(&whole, in.data, in.len, in.len, false);
        for (size_t piece = 0; piece < 4 && good; piece++) {
            feed(&got, in.data, in.len, piece, piece != 3);
            good = got.sound && same(&got.log, &whole.log) && got.marks == whole.marks &&
                   term_fits(&got);
        }
        if (good && again) {
            feed(&got, whole.log.data, whole.log.len, 64, false);
            good = same(&got.log, &whole.log);
        }
        if (!good)
            printf("#   input %.*s\n#   whole %.*s\n#   then  %.*s\n", (int)in.len, in.data,
                   (int)whole.log.len, whole.log.data, (int)got.log.len, got.log.data);
    }
    ok(good, "random soup of %s: the same for every split%s", name,
       again ? " and when redacted again" : "");
}

enum { PLANT_SEEN = 8 }; /* so many bytes of a secret are a leak */

static bool leaks(const struct text *out, const char *secret, size_t n)
{
    for (size_t i = 0; i + PLANT_SEEN <= n; i++) {
        if (memmem(out->data, out->len, secret + i, PLANT_SEEN) != NULL)
            return true;
    }
    return false;
}

/* A secret on a line of its own, amid soup: no part of it comes out. */
static void test_planted(void)
{
    static const char *const before[] = {"\nghp" "_", "\n sk-", "\nBearer ", "\nAuthorization: Bearer ",
                                         "\nAWS_SECRET_ACCESS_KEY=", "\nhttps://u:",
                                         "\nauthorization: ", "\n\033[31mghp" "_", NULL};
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    static struct text in;
    static struct text soup;
    static struct result got;
    bool good = true;

    for (int round = 0; round < SOUPS && good; round++) {
        const char *prefix = before[next_random() % 8];
        char secret[41];

        for (size_t i = 0; i < sizeof(secret); i++)
            secret[i] = letters[next_random() % (sizeof(letters) - 1)];
        cook(&in, token_parts, 12);
        put(&in, prefix, strlen(prefix));
        put(&in, secret, sizeof(secret));
        put(&in, "@h\n", 3);
        cook(&soup, token_parts, 8);
        put(&in, soup.data, soup.len);
        feed(&got, in.data, in.len, 0, false);
        good = got.marks > 0 && !leaks(&got.log, secret, sizeof(secret));
        if (!good)
            printf("#   %.*s\n#   %.*s\n", (int)in.len, in.data, (int)got.log.len, got.log.data);
    }
    ok(good, "a planted secret never comes out");
}

/* The whole of a key of any size and line length, in any layout, amid anything: none comes out. */
static void test_planted_key(void)
{
    static const char *const line_ends[] = {"\n", "\r\n", "\r\r\n", "\\n", "\\\\n", " ", "\n  ", ""};
    static struct text in;
    static struct text key;
    static struct result got;
    bool good = true;

    for (int round = 0; round < SOUPS && good; round++) {
        const char *sep = line_ends[next_random() % 8];
        size_t width = 32 + next_random() % 60;

        expand(&key, "@b:64@@b:64@@b:64@@b:64@@b:64@@b:64@");
        key.len -= next_random() % 80;
        in.len = 0;
        put(&in, "text\n" BEGIN, 5 + strlen(BEGIN));
        for (size_t at = 0; at < key.len; at += width) {
            put(&in, sep, strlen(sep));
            put(&in, key.data + at, width < key.len - at ? width : key.len - at);
        }
        put(&in, sep, strlen(sep));
        if (next_random() % 3 > 0)
            put(&in, END, strlen(END));
        put(&in, "\nThe end of it all\nis near\n", 27);
        feed(&got, in.data, in.len, 0, false);
        good = !leaks(&got.log, key.data, key.len) &&
               memmem(got.log.data, got.log.len, "\nis near\n", 9) != NULL;
        if (!good)
            printf("#   %.*s\n#   %.*s\n", (int)in.len, in.data, (int)got.log.len, got.log.data);
    }
    ok(good, "a planted key never comes out, what follows does");
}

int main(void)
{
    if (redact_set_new(&shipped, NULL, NULL) != ERR_NONE)
        abort();
    run_cases(tokens);
    run_cases(keys);
    run_cases(manifests);
    test_nul();
    test_no_copy();
    test_moments();
    test_armed();
    test_counts();
    test_text();
    test_soup("tokens", token_parts, true);
    test_soup("keys", key_parts, true);
    test_soup("both", mixed_parts, false);
    test_planted();
    test_planted_key();
    redact_set_free(shipped);
    return done();
}
