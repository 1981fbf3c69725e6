// SPDX-License-Identifier: MIT
/*
 * What people write into configuration files, rules files and options of redaction, for a
 * fuzzer. The first byte of an input chooses what is tried, the others make the text
 * (pieces.h). What must hold for every input:
 *
 *   a file    is taken, or refused in one harmless line that names it; the same with a comment
 *             before it; what is taken makes a redactor, or is refused when it does
 *   a rule    that is taken hides what it matches, for every split of the text
 *   a field   that is taken hides the value of the keys that it names, wherever they stand
 *
 * Files are made up in memory: no path that an input names is opened.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sys.h"
#include "cmd/config.h"
#include "cmd/redaction.h"
#include "fuzz/must.h"
#include "fuzz/pieces.h"
#include "fuzz/target.h"
#include "redact/fields.h"
#include "redact/redact.h"
#include "redact/user_rules.h"
#include "text/regex.h"

enum { OUT_MAX = 1 << 20, HEAD = 2 };

static const char *const config_pieces[] = {
    "{", "}", "[", "]", ",", ":", "\"", "\\\"", "\\u0041", "\\", "//", "/*", "*/", "\n", " ", "\t",
    "{\"dir\": \"/var/log/x\"", "\"dir\": ", "\"redact\": {", "\"generic\": true", "\"on\": [",
    "\"off\": [", "\"rules\": [", "\"rules_file\": \"/rules\"", "\"fields\": [", "\"env\": {",
    "\"add\": [", "\"except\": [", "\"pii\": [", "\"email\"", "\"phone\"", "\"card\"", "\"github-pat\"",
    "\"tier2\"", "\"pii\"", "{\"name\": \"", "\", \"pattern\": \"", "\"}", "\", \"group\": 1}",
    "\", \"literal\": \"", "\", \"description\": \"", "{\"name\": \"a\", \"pattern\": \"K-[0-9]{4}\"}",
    "{\"name\": \"b\", \"pattern\": \"key=(.*)\", \"group\": 1, \"literal\": \"key=\"}", "\"group\": ",
    "99", "1e9", "-1", "null", "true", "false", "\"password\"", "\"db.secret\"", "\"*.token\"", "\"a..b\"",
    "\"*_MINE\"", "\"generc\": 1", "\xef\xbb\xbf", "\xff", "{\"redact\": {\"rules\": [",
    "{\"name\": \"a\", \"pattern\": \"x\"}", "]}}", "]}", "/rules", "\"", "'", "#"};

static const char *const rule_pieces[] = {
    "a", "b", "key", "key=", "[0-9]", "{2}", "{1,3}", "+", "*", "?", "(", ")", "|", "^", "$", ".", "\\b",
    "\\w", "\\d", "[^ ]", "(key", "K-", "K-[0-9]{4}", "\\", "[", "]", "(a|b)", "\n", "K-1234 ",
    "key=abc ", "ab", "ba", "12", "\x1b[1m", "\x1b[0m", "\r", "\xc3\xa9", "--", "[REDACTED:own]", "z?",
    "\\<", "*?", "(?i)", "x", " ", "[[:digit:]]", "...", ".*", ".+", "$a"};

static const char *const field_pieces[] = {
    ".", "*", "*.", "password", "db", "secret", "pass-word", "pass_word", "a", "B", "-", "_", "token",
    "\xc3\xa9", "..", "a.b", "x.*.y", "AccessKey", "0", "9", " ", "\"", "$"};

/* ---- redaction -------------------------------------------------------------------------- */

static void put_spans(struct buf *b, const struct clean_vec *v)
{
    for (size_t i = 0; i < v->len; i++)
        must(buf_put(b, v->items[i].ptr, v->items[i].len) == ERR_NONE);
}

/* The text, piece by piece; returns the marks made. */
static uint64_t redact(struct redact_set *set, const char *text, size_t n, size_t piece,
                       struct buf *out)
{
    struct clean_vec v = {0};
    struct redactor *r;
    uint64_t marks;

    out->len = 0;
    must(buf_reserve(out, 1) == ERR_NONE && redactor_new(&r, set, NULL) == ERR_NONE);
    for (size_t at = 0; at < n; at += piece) {
        must(redactor_feed(r, (struct raw_span){text + at, piece < n - at ? piece : n - at}, &v) ==
             ERR_NONE);
        put_spans(out, &v);
    }
    must(redactor_finish(r, &v) == ERR_NONE);
    put_spans(out, &v);
    marks = redactor_marks_total(r);
    clean_vec_release(&v);
    redactor_free(r);
    return marks;
}

/* The same for every split; *marks and whole are what it gives. */
static const char *check_splits(struct redact_set *set, const char *text, size_t n,
                                struct buf *whole, uint64_t *marks)
{
    static const size_t pieces[] = {1, 7};
    const char *reason = NULL;
    struct buf other;

    buf_init(&other, OUT_MAX);
    *marks = redact(set, text, n, n > 0 ? n : 1, whole);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]) && reason == NULL; i++) {
        if (redact(set, text, n, pieces[i], &other) != *marks || other.len != whole->len ||
            memcmp(other.data, whole->data, whole->len) != 0)
            reason = "another split gives something else";
    }
    buf_release(&other);
    return reason;
}

/* ---- files ------------------------------------------------------------------------------ */

static int files[2] = {-1, -1}; /* "/config" and "/rules" */

static int open_made_up(int dir_fd, const char *path, int flags, mode_t mode)
{
    static const char *const names[] = {"/config", "/rules"};

    (void)dir_fd;
    (void)flags;
    (void)mode;
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(path, names[i]) == 0) {
            must(lseek(files[i], 0, SEEK_SET) == 0);
            return dup(files[i]);
        }
    }
    errno = ENOENT;
    return -1;
}

static void write_file(int which, const char *before, const char *data, size_t n)
{
    if (files[which] < 0)
        files[which] = memfd_create("fuzz", MFD_CLOEXEC);
    must(files[which] >= 0 && ftruncate(files[which], 0) == 0);
    must(pwrite(files[which], before, strlen(before), 0) == (ssize_t)strlen(before));
    must(pwrite(files[which], data, n, (off_t)strlen(before)) == (ssize_t)n);
}

static enum err_code load(struct config *c, bool rules, struct err *e)
{
    *c = (struct config){0};
    return rules ? redact_config_load_file(&c->redact, "/config", e)
                 : config_load_file(c, "/config", e);
}

/* The set of what was taken; it is released. */
static const char *check_taken(struct config *c)
{
    static const char text[] = "key=abcd K-1234 \"password\": \"hunter22\" x\nme@example.org\n";
    struct redaction r;
    struct err e = {0};
    const char *reason;
    struct buf out;
    uint64_t marks;

    if (redaction_make(&r, NULL, &c->redact, &e) != ERR_NONE)
        return check_message(&e);
    buf_init(&out, OUT_MAX);
    reason = check_splits(r.set, text, sizeof(text) - 1, &out, &marks);
    buf_release(&out);
    redaction_release(&r);
    return reason;
}

static const char *check_file(const struct pieces_text *t, bool rules)
{
    static const char more[] = "{\"rules\": [{\"name\": \"other\", \"pattern\": \"x[0-9]\"}]}";
    struct config c;
    struct config again;
    struct err e = {0};
    const char *reason = NULL;
    enum err_code rc;

    sys.openat = open_made_up;
    write_file(1, "", more, sizeof(more) - 1);
    write_file(0, "", t->data, t->len);
    rc = load(&c, rules, &e);
    if (rc != ERR_NONE)
        reason = check_message(&e);
    else if (c.dir != NULL && c.dir[0] != '/')
        reason = "the store is no absolute path";
    write_file(0, "/* \" */ // {\n", t->data, t->len);
    if (reason == NULL && load(&again, rules, NULL) != rc)
        reason = "a comment makes a difference";
    if (rc == ERR_NONE && reason == NULL &&
        (again.redact.n_rules != c.redact.n_rules || again.redact.fields.n != c.redact.fields.n))
        reason = "a comment makes other rules";
    if (rc == ERR_NONE && reason == NULL)
        reason = check_taken(&c);
    config_release(&again);
    config_release(&c);
    return reason;
}

/* ---- rules ------------------------------------------------------------------------------ */

/* The line, which no escape sequence is in, has something that the rule hides. */
static bool is_hit(const struct regex *r, unsigned group, const char *line, size_t n)
{
    struct regex_span spans[2];

    return regex_search(r, line, n, 0, spans, group + 1) == ERR_NONE &&
           spans[group].begin != REGEX_UNSET && spans[group].end > spans[group].begin;
}

static bool any_hit(const struct regex *r, unsigned group, const char *text, size_t n)
{
    bool hit = false;

    for (size_t at = 0; at < n && !hit;) {
        size_t len = 0;

        while (at + len < n && text[at + len] != '\n' && text[at + len] != '\r')
            len++;
        hit = len > 0 && len < USER_OVERLAP && is_hit(r, group, text + at, len);
        at += len + 1;
    }
    return hit;
}

static const char *check_hits(struct redact_set *set, const char *pattern, unsigned group,
                              const char *text, size_t n)
{
    struct regex *r;
    struct buf out;
    uint64_t marks;
    const char *reason;

    must(regex_compile(&r, pattern, strlen(pattern), 0, NULL) == ERR_NONE);
    buf_init(&out, OUT_MAX);
    reason = check_splits(set, text, n, &out, &marks);
    if (reason == NULL && marks == 0 &&
        (out.len != n || memcmp(out.data, text, n) != 0))
        reason = "without a mark the text is changed";
    if (reason == NULL && marks == 0 && memchr(text, 0x1b, n) == NULL &&
        any_hit(r, group, text, n))
        reason = "what a rule matches passes";
    buf_release(&out);
    regex_free(r);
    return reason;
}

/* Up to the first NUL the pattern, behind it the text. */
static const char *check_rule(const struct pieces_text *t, unsigned bits)
{
    size_t len = strlen(t->data);
    const char *text = t->data + (len < t->len ? len + 1 : len);
    size_t n = t->len - (size_t)(text - t->data);
    unsigned group = bits & 1;
    struct redact_set *set;
    struct err e = {0};
    const char *reason;

    must(redact_set_new(&set, NULL, NULL) == ERR_NONE);
    if (redact_set_add_rule(set, "own", t->data, group, NULL, &e) != ERR_NONE)
        reason = check_message(&e);
    else
        reason = check_hits(set, t->data, group, text, n);
    redact_set_free(set);
    return reason;
}

/* ---- fields ----------------------------------------------------------------------------- */

/* No key: "+" is in none. */
static const char field_value[] = "Zq7+vWx4kJ2";

/* {"a": {"b": "VALUE"}} of the path a.b, a `*` as some key. */
static void put_nested(struct buf *b, const char *path)
{
    size_t depth = 0;

    for (const char *at = path; *at != '\0';) {
        size_t len = strcspn(at, ".");
        bool star = len == 1 && *at == '*';

        must(buf_printf(b, "%s{\"%.*s\": ", depth > 0 ? "" : "x ", star ? 3 : (int)len,
                        star ? "any" : at) == ERR_NONE);
        depth++;
        at += len + (at[len] == '.');
    }
    must(buf_printf(b, "\"%s\"", field_value) == ERR_NONE);
    while (depth-- > 0)
        must(buf_puts(b, "}") == ERR_NONE);
    must(buf_puts(b, "\n") == ERR_NONE);
}

static const char *check_hidden(struct redact_set *set, const char *path)
{
    const char *reason;
    struct buf text;
    struct buf out;
    uint64_t marks;

    buf_init(&text, OUT_MAX);
    buf_init(&out, OUT_MAX);
    put_nested(&text, path);
    if (strpbrk(path, ".*") == NULL)
        must(buf_printf(&text, "%s=%s\n%s: '%s'\n", path, field_value, path, field_value) ==
             ERR_NONE);
    reason = check_splits(set, text.data, text.len, &out, &marks);
    if (reason == NULL && memmem(out.data, out.len, field_value, sizeof(field_value) - 1) != NULL)
        reason = "the value of a field passes";
    buf_release(&text);
    buf_release(&out);
    return reason;
}

static const char *check_field(const char *path)
{
    struct redact_set *set;
    struct err e = {0};
    const char *reason;

    must(redact_set_new(&set, NULL, NULL) == ERR_NONE);
    if (redact_set_add_field(set, path, &e) != ERR_NONE)
        reason = check_message(&e);
    else
        reason = check_hidden(set, path);
    redact_set_free(set);
    return reason;
}

/* ---- inputs ----------------------------------------------------------------------------- */

enum { TRY_CONFIG, TRY_RULES, TRY_RULE, TRY_FIELD, N_TRIES };

static void make(struct pieces_text *t, unsigned what, struct pieces_in in)
{
    if (what == TRY_RULE)
        pieces_expand(t, in, PIECES(rule_pieces));
    else if (what == TRY_FIELD)
        pieces_expand(t, in, PIECES(field_pieces));
    else
        pieces_expand(t, in, PIECES(config_pieces));
}

const char *fuzz_one(const uint8_t *data, size_t len)
{
    static struct pieces_text text;
    struct pieces_in in = {data, len};
    unsigned what = pieces_byte(&in) % N_TRIES;
    unsigned bits = pieces_byte(&in);

    if (len < HEAD)
        return NULL;
    make(&text, what, in);
    if (what == TRY_RULE)
        return check_rule(&text, bits);
    if (what == TRY_FIELD)
        return check_field(text.data);
    return check_file(&text, what == TRY_RULES);
}

void fuzz_explain(const uint8_t *data, size_t len)
{
    static struct pieces_text text;
    struct pieces_in in = {data, len};
    unsigned what = pieces_byte(&in) % N_TRIES;

    printf("# try %u bits %02x\n", what, pieces_byte(&in));
    make(&text, what, in);
    fuzz_print("in", text.data, text.len);
}
