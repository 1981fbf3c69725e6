// SPDX-License-Identifier: MIT
/*
 * Known values: every form is found wherever it is, however the stream is split, and nothing
 * else. The plain search here is written from the header's words alone: it lays out the
 * logical stream and tries every form at every byte.
 */
#include "lib/tap.h"

#include <stdlib.h>

#include "redact/known.h"
#include "text/base64.h"

#ifndef ROUNDS
#define ROUNDS 4000 /* of each random test */
#endif

enum { TEXT_MAX = 1 << 16, FORMS_MAX = 512, FOUND_MAX = 1 << 14, FORM_MAX = 4096 };

static uint64_t seed = 5;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

static struct known *new_set(void)
{
    struct known *k;

    if (known_new(&k, NULL) != ERR_NONE)
        abort();
    return k;
}

static void add(struct known *k, const char *value, size_t len)
{
    if (known_add(k, value, len, 7, NULL) != ERR_NONE)
        abort();
}

/* ---- what was found ---------------------------------------------------------------- */

struct found {
    size_t n;
    struct {
        uint64_t start;
        uint64_t end;
        bool continues;
    } at[FOUND_MAX];
    char text[TEXT_MAX]; /* of the stream, with every covered byte as '#' */
    bool sound;          /* pieces in order, none empty */
};

static void note(struct found *f, uint64_t start, uint64_t end, bool continues)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].start == start && f->at[i].end == end)
            return;
    }
    if (f->n == FOUND_MAX)
        abort();
    f->at[f->n].start = start;
    f->at[f->n].end = end;
    f->at[f->n++].continues = continues;
}

static void take(void *ctx, const struct known_match *m)
{
    struct found *f = ctx;

    for (size_t i = 0; i < m->n; i++) {
        const struct known_piece *p = &m->pieces[i];

        f->sound &= p->start < p->end && (i == 0 || m->pieces[i - 1].end < p->start);
        memset(f->text + p->start, '#', (size_t)(p->end - p->start));
    }
    f->sound &= m->n > 0 && m->id == 7;
    note(f, m->pieces[0].start, m->pieces[m->n - 1].end, m->continues);
}

static int by_place(const void *a, const void *b)
{
    uint64_t x[2];
    uint64_t y[2];

    memcpy(x, a, sizeof(x));
    memcpy(y, b, sizeof(y));
    if (x[0] != y[0])
        return x[0] < y[0] ? -1 : 1;
    return x[1] < y[1] ? -1 : x[1] > y[1];
}

/* Matches that overlap as one: the scanner may tell of any that cover the same. */
static void merge(struct found *f)
{
    size_t n = 0;

    qsort(f->at, f->n, sizeof(f->at[0]), by_place);
    for (size_t i = 0; i < f->n; i++) {
        if (n == 0 || f->at[i].start >= f->at[n - 1].end)
            f->at[n++] = f->at[i];
        else if (f->at[i].end > f->at[n - 1].end)
            f->at[n - 1].end = f->at[i].end;
    }
    f->n = n;
}

static bool same_found(struct found *a, struct found *b)
{
    merge(a);
    merge(b);
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (a->at[i].start != b->at[i].start || a->at[i].end != b->at[i].end)
            return false;
    }
    return true;
}

/* ---- the scanner ------------------------------------------------------------------- */

/* One call of a caller: some bytes, copied to a block of their own size. */
static void feed(struct known_scan *s, const char *data, size_t n, uint64_t base, struct found *f)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    size_t at = 0;

    if (copy == NULL)
        abort();
    memcpy(copy, data, n);
    while (at < n) {
        if (!known_live(s)) {
            size_t next = known_next(s, copy, n, at);

            known_skip(s, copy, at, next);
            at = next;
        }
        if (at < n) {
            known_step(s, copy[at], base + at, take, f);
            at++;
        }
    }
    free(copy);
}

static void found_begin(struct found *f, const char *text, size_t n)
{
    f->n = 0;
    f->sound = true;
    memcpy(f->text, text, n);
    f->text[n] = '\0';
}

static void scan_all(struct known *k, const char *text, size_t n, size_t piece, struct found *f)
{
    static struct known_scan s;

    found_begin(f, text, n);
    known_scan_init(&s, k);
    for (size_t at = 0; at < n;) {
        size_t len = piece > 0 ? piece : 1 + next_random() % 40;

        len = len < n - at ? len : n - at;
        feed(&s, text + at, len, at, f);
        at += len;
    }
    known_finish(&s, take, f);
    f->sound &= !known_live(&s) && known_hold(&s) == KNOWN_NO_POS;
}

/* ---- the plain search -------------------------------------------------------------- */

struct plain_form {
    char text[FORM_MAX];
    size_t len;
    uint64_t joins; /* a line end of the value after so many bytes */
};

struct plain {
    struct plain_form forms[FORMS_MAX];
    size_t n_forms;
    struct plain_form joined[4]; /* the values, of which an equal form may have gone before */
    size_t n_joined;
    char text[TEXT_MAX]; /* the logical stream */
    size_t pos[TEXT_MAX];
    char line_end[TEXT_MAX]; /* before the byte: 'l' a line's, 'w' that of wrapped text */
    size_t n;
    char last; /* the same after all */
};

static void plain_form(void *ctx, struct form_iter *form, uint16_t id)
{
    struct plain *p = ctx;
    struct plain_form *f = &p->forms[p->n_forms++];
    int byte;

    (void)id;
    if (p->n_forms == FORMS_MAX)
        abort();
    f->len = 0;
    f->joins = 0;
    while ((byte = form_iter_next(form)) >= 0) {
        if (form->joined && form->i == 1 && f->len < 64)
            f->joins |= UINT64_C(1) << f->len;
        f->text[f->len++] = (char)byte;
        if (f->len == FORM_MAX)
            abort();
    }
}

/* The value without its line ends. */
static void plain_joined(struct plain *p, const char *value, size_t len)
{
    struct plain_form *f = &p->joined[p->n_joined++];

    f->len = 0;
    f->joins = 0;
    for (size_t i = 0; i < len; i++) {
        if (value[i] != '\n')
            f->text[f->len++] = value[i];
        else if (f->len < 64)
            f->joins |= UINT64_C(1) << f->len;
    }
}

static size_t escape_len(const char *text, size_t n)
{
    size_t i = 2;

    if (n < 2 || text[1] != '[') {
        if (n < 2 || text[1] == '\0' || strchr("()*+-./#%", text[1]) == NULL)
            return 1;
        return n > 2 && text[2] >= 0x30 && text[2] <= 0x5f ? 3 : 2;
    }
    while (i < n && i < 34 && text[i] >= 0x30 && text[i] < 0x40)
        i++;
    if (i < n && text[i] >= 0x40 && text[i] <= 0x7e)
        return i + 1;
    if (i == n || i == 34 || text[i] == '\0' || strchr(" !$", text[i]) == NULL)
        return i;
    return i + 1 < n && text[i + 1] == (text[i] == ' ' ? 'q' : 'p') ? i + 2 : i + 1;
}

static bool wrapped(const char *text, size_t at)
{
    size_t i = at;

    while (i > 0 && text[i - 1] != '\0' &&
           strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-",
                  text[i - 1]) != NULL)
        i--;
    return at - i >= KNOWN_WRAP_MIN;
}

static void lay_out(struct plain *p, const char *text, size_t n)
{
    char line_end = 0;
    size_t indent = 0;

    p->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\033') {
            i += escape_len(text + i, n - i) - 1;
        } else if (text[i] == '\n' || text[i] == '\r') {
            if (line_end == 0)
                line_end = wrapped(text, i) ? 'w' : 'l';
            indent = 0;
        } else if (line_end != 0 && (text[i] == ' ' || text[i] == '\t') && indent < 64) {
            indent++;
        } else {
            p->text[p->n] = text[i];
            p->pos[p->n] = i;
            p->line_end[p->n++] = line_end;
            line_end = 0;
        }
    }
    p->last = line_end;
}

/* A line end that ends the match of n bytes of f. */
static bool breaks(const struct plain *p, const struct plain_form *f, char line_end, size_t n)
{
    if (line_end != 'l' || n >= KNOWN_BREAK_MIN)
        return false;
    for (size_t i = 0; i < p->n_forms + p->n_joined; i++) {
        const struct plain_form *g =
            i < p->n_forms ? &p->forms[i] : &p->joined[i - p->n_forms];

        if (g->len >= n && g->len >= KNOWN_FLOOR && memcmp(f->text, g->text, n) == 0 &&
            (g->joins >> n & 1))
            return false;
    }
    return true;
}

/* Bytes of f that are there from `at` on. */
static size_t matched(const struct plain *p, const struct plain_form *f, size_t at)
{
    size_t n = 0;

    while (n < f->len && at + n < p->n && p->text[at + n] == f->text[n] &&
           (n == 0 || !breaks(p, f, p->line_end[at + n], n)))
        n++;
    return n;
}

static bool alive(const struct plain *p, const struct plain_form *f, size_t at)
{
    size_t n = matched(p, f, at);

    return n > 0 && n < f->len && at + n == p->n && !breaks(p, f, p->last, n);
}

static size_t armed_at(const struct plain_form *f)
{
    size_t half = (f->len + 1) / 2;

    return half < 8 ? 8 : half;
}

static void plain_search(struct plain *p, const char *text, size_t n, struct found *f)
{
    lay_out(p, text, n);
    f->n = 0;
    for (size_t at = 0; at < p->n; at++) {
        for (size_t i = 0; i < p->n_forms; i++) {
            const struct plain_form *form = &p->forms[i];
            size_t len = matched(p, form, at);

            if (len == form->len || (alive(p, form, at) && len >= armed_at(form)))
                note(f, p->pos[at], p->pos[at + len - 1] + 1, false);
        }
    }
}

/* What must be held, and what is armed of it, after n bytes. */
static void plain_hold(struct plain *p, const char *text, size_t n, uint64_t *hold,
                       uint64_t *armed)
{
    lay_out(p, text, n);
    *hold = *armed = KNOWN_NO_POS;
    for (size_t at = p->n; at-- > 0;) {
        for (size_t i = 0; i < p->n_forms; i++) {
            const struct plain_form *form = &p->forms[i];

            if (!alive(p, form, at))
                continue;
            *hold = p->pos[at];
            if (p->n - at >= armed_at(form))
                *armed = p->pos[at];
        }
    }
}

/* ---- random ------------------------------------------------------------------------ */

static size_t put(char *dst, size_t at, const char *text)
{
    size_t n = strlen(text);

    memcpy(dst + at, text, n);
    return at + n;
}

static size_t random_value(char *dst, const char *alphabet, size_t longest)
{
    size_t n = 8 + next_random() % (longest - 7);
    size_t period = next_random() % 3 == 0   ? 1 + next_random() % 4
                    : next_random() % 3 == 0 ? 1 + next_random() % 60
                                             : n;

    for (size_t i = 0; i < n; i++)
        dst[i] = i < period ? alphabet[next_random() % strlen(alphabet)] : dst[i - period];
    dst[0] = dst[n - 1] = 'a';
    return n;
}

/* Parts of values, with what may be within them, and other bytes. */
static size_t random_text(char *dst, size_t max, char values[][128], const size_t *lens, size_t n)
{
    static const char *const between[] = {"\033[1m", "\n", "\r\n", "\n  ", "\033", "\033[", "\r",
                                          "\n\n\t ", " ", "b"};
    size_t at = 0;

    while (at + 140 < max) {
        size_t v = next_random() % n;
        size_t len = next_random() % 2 > 0 ? lens[v] : next_random() % (lens[v] + 1);
        size_t from = next_random() % 3 == 0 ? next_random() % (len + 1) : 0;
        unsigned noise = next_random() % 3 == 0 ? 3 + next_random() % 10 : 1000;

        for (size_t i = from; i < len && at + 16 < max; i++) {
            if (next_random() % noise == 0)
                at = put(dst, at, between[next_random() % 8]);
            dst[at++] = values[v][i];
        }
        for (unsigned i = next_random() % 2 * (next_random() % 5); i > 0; i--)
            at = put(dst, at, between[next_random() % 10]);
        if (next_random() % 8 == 0) /* a long run: wrapped text */
            for (unsigned i = 40 + next_random() % 30; i > 0 && at + 80 < max; i--)
                dst[at++] = 'a';
    }
    return at;
}

struct mismatch {
    int round;
    const char *what;
};

/* The same matches as the plain search, the same bytes held after every call. */
static const char *one_round(const char *alphabet, size_t longest, size_t text_max)
{
    static struct plain p;
    static struct found want;
    static struct found got;
    static struct known_scan s;
    static char text[TEXT_MAX];
    char values[4][128];
    size_t lens[4];
    size_t n_values = 1 + next_random() % 4;
    struct known *k = new_set();
    const char *wrong = NULL;
    size_t n;

    p.n_joined = p.n_forms = 0;
    for (size_t i = 0; i < n_values; i++) {
        lens[i] = random_value(values[i], alphabet, longest);
        add(k, values[i], lens[i]);
        plain_joined(&p, values[i], lens[i]);
    }
    n = random_text(text, 160 + next_random() % text_max, values, lens, n_values);
    known_each_form(k, plain_form, &p);
    plain_search(&p, text, n, &want);
    found_begin(&got, text, n);
    known_scan_init(&s, k);
    for (size_t at = 0; at < n && wrong == NULL;) {
        size_t len = 1 + next_random() % 50;
        uint64_t hold;
        uint64_t armed;

        len = len < n - at ? len : n - at;
        feed(&s, text + at, len, at, &got);
        at += len;
        plain_hold(&p, text, at, &hold, &armed);
        if (known_hold(&s) != hold)
            wrong = "held";
        if (known_armed(&s) > armed || (armed == hold && known_armed(&s) != armed))
            wrong = "armed";
    }
    known_finish(&s, take, &got);
    if (wrong == NULL && !same_found(&got, &want))
        wrong = "found";
    if (wrong == NULL && !got.sound)
        wrong = "pieces";
    known_free(k);
    return wrong;
}

static void check_random(const char *name, const char *alphabet, size_t longest, size_t text_max)
{
    const char *wrong = NULL;
    int round = 0;

    for (; round < ROUNDS && wrong == NULL; round++)
        wrong = one_round(alphabet, longest, text_max);
    if (!ok(wrong == NULL, "%s", name))
        printf("#   round %d: %s\n", round, wrong);
}

/* ---- forms ------------------------------------------------------------------------- */

/* The stream with what is found as '#', the same for every split. */
static void check_len(const char *value, size_t value_len, const char *stream, size_t n,
                      const char *want, const char *name)
{
    static struct found f;
    struct known *k = new_set();
    bool same = true;

    add(k, value, value_len);
    for (size_t piece = 1; piece <= 9 && same; piece++) {
        scan_all(k, stream, n, piece, &f);
        same = strcmp(f.text, want) == 0 && f.sound;
    }
    if (same)
        scan_all(k, stream, n, n, &f);
    is_str(f.text, want, name);
    known_free(k);
}

static void check(const char *value, const char *stream, const char *want, const char *name)
{
    check_len(value, strlen(value), stream, strlen(stream), want, name);
}

/* What encoders made of two values: Python's json, urllib, html and shlex, bash, Go, PHP. */
static void check_forms(void)
{
    static const char *const forms[][3] = {
        {"quote", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa%27ss%20%22w/rd%22%2B%3C%26%3E%241%60x%60%5C%C3%A9%21~%2A%2C%5E%C3%BC%F0%9F%98%80"},
        {"quote, all", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa%27ss%20%22w%2Frd%22%2B%3C%26%3E%241%60x%60%5C%C3%A9%21~%2A%2C%5E%C3%BC%F0%9F%98%80"},
        {"quote_plus", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa%27ss+%22w%2Frd%22%2B%3C%26%3E%241%60x%60%5C%C3%A9%21~%2A%2C%5E%C3%BC%F0%9F%98%80"},
        {"quote in lower case", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa%27ss%20%22w%2frd%22%2b%3c%26%3e%241%60x%60%5c%c3%a9%21~%2a%2c%5e%c3%bc%f0%9f%98%80"},
        {"encodeURIComponent", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss%20%22w%2Frd%22%2B%3C%26%3E%241%60x%60%5C%C3%A9!~*%2C%5E%C3%BC%F0%9F%98%80"},
        {"encodeURI", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss%20%22w/rd%22+%3C&%3E$1%60x%60%5C%C3%A9!~*,%5E%C3%BC%F0%9F%98%80"},
        {"JSON", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \\\"w/rd\\\"+<&>$1`x`\\\\\303\251!~*,^\303\274\360\237\230\200"},
        {"JSON, ASCII", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \\\"w/rd\\\"+<&>$1`x`\\\\\\u00e9!~*,^\\u00fc\\ud83d\\ude00"},
        {"JSON, slashes", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \\\"w\\/rd\\\"+<&>$1`x`\\\\\303\251!~*,^\303\274\360\237\230\200"},
        {"PHP's JSON", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \\\"w\\/rd\\\"+<&>$1`x`\\\\\\u00e9!~*,^\\u00fc\\ud83d\\ude00"},
        {"JSON in JSON", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \\\\\\\"w/rd\\\\\\\"+<&>$1`x`\\\\\\\\\303\251!~*,^\303\274\360\237\230\200"},
        {"JSON in JSON, ASCII", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \\\\\\\"w/rd\\\\\\\"+<&>$1`x`\\\\\\\\\\\\u00e9!~*,^\\\\u00fc\\\\ud83d\\\\ude00"},
        {"Go's JSON", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \\\"w/rd\\\"+\\u003c\\u0026\\u003e$1`x`\\\\\303\251!~*,^\303\274\360\237\230\200"},
        {"Go's JSON in JSON", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \\\\\\\"w/rd\\\\\\\"+\\\\u003c\\\\u0026\\\\u003e$1`x`\\\\\\\\\303\251!~*,^"
          "\303\274\360\237\230\200"},
        {"shlex.quote", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'\"'\"'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200"},
        {"single quotes", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'\\''ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200"},
        {"double quotes", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \\\"w/rd\\\"+<&>\\$1\\`x\\`\\\\\303\251!~*,^\303\274\360\237\230\200"},
        {"html.escape", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa&#x27;ss &quot;w/rd&quot;+&lt;&amp;&gt;$1`x`\\\303\251!~*,^\303\274\360\237\230\200"},
        {"XML text", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss \"w/rd\"+&lt;&amp;&gt;$1`x`\\\303\251!~*,^\303\274\360\237\230\200"},
        {"XML attribute", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa'ss &quot;w/rd&quot;+&lt;&amp;&gt;$1`x`\\\303\251!~*,^\303\274\360\237\230\200"},
        {"XML, apostrophe", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa&apos;ss &quot;w/rd&quot;+&lt;&amp;&gt;$1`x`\\\303\251!~*,^\303\274\360\237\230\200"},
        {"Go's html", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa&#39;ss &#34;w/rd&#34;+&lt;&amp;&gt;$1`x`\\\303\251!~*,^\303\274\360\237\230\200"},
        {"printf %q", "pa'ss \"w/rd\"+<&>$1`x`\\!*,^{z}[q]",
         "pa\\'ss\\ \\\"w/rd\\\"+\\<\\&\\>\\$1\\`x\\`\\\\\\!\\*\\,\\^\\{z\\}\\[q\\]"},
        {"zsh's ${(q)X}", "pa'ss \"w/rd\"+<&>$1`x`\\!*,^{z}[q]#",
         "pa\\'ss\\ \\\"w/rd\\\"+\\<\\&\\>\\$1\\`x\\`\\\\!\\*,\\^\\{z\\}\\[q\\]\\#"},
        {"Python's bytes", "pa'ss\303\251\011w\033\177rd\012!",
         "pa'ss\\xc3\\xa9\\tw\\x1b\\x7frd\\n!"},
        {"printf %q, $''", "tab\011here's\012new\033[1m\007",
         "tab\\there\\'s\\nnew\\E[1m\\a"},
        {"printf %q, octal", "pa'ss \"w/rd\"+<&>$1`x`\\\303\251!~*,^\303\274\360\237\230\200",
         "pa\\'ss \"w/rd\"+<&>$1`x`\\\\\\303\\251!~*,^\\303\\274\\360\\237\\230\\200"},
        {"JSON, lines", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "{\\n  \\\"key\\\": \\\"ab/cd+ef\\\",\\n  \\\"id\\\": 12\\n}"},
        {"JSON in JSON, lines", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "{\\\\n  \\\\\\\"key\\\\\\\": \\\\\\\"ab/cd+ef\\\\\\\",\\\\n  \\\\\\\"id\\\\\\\":"
          " 12\\\\n}"},
        {"JSON, CR LF", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "{\\r\\n  \\\"key\\\": \\\"ab/cd+ef\\\",\\r\\n  \\\"id\\\": 12\\r\\n}"},
        {"JSON in JSON, CR LF", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "{\\\\r\\\\n  \\\\\\\"key\\\\\\\": \\\\\\\"ab/cd+ef\\\\\\\",\\\\r\\\\n  \\\\\\\"i"
          "d\\\\\\\": 12\\\\r\\\\n}"},
        {"one line", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "{   \"key\": \"ab/cd+ef\",   \"id\": 12 }"},
        {"words", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "{ \"key\": \"ab/cd+ef\", \"id\": 12 }"},
        {"percent, lines", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "%7B%0A%20%20%22key%22%3A%20%22ab/cd%2Bef%22%2C%0A%20%20%22id%22%3A%2012%0A%7D"},
        {"percent, CR LF", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "%7B%0D%0A%20%20%22key%22%3A%20%22ab/cd%2Bef%22%2C%0D%0A%20%20%22id%22%3A%2012%0D%0A%7D"},
        {"hex, lines", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "7b0a2020226b6579223a202261622f63642b6566222c0a2020226964223a2031320a7d"},
        {"hex, CR LF", "{\012  \"key\": \"ab/cd+ef\",\012  \"id\": 12\012}",
         "7B0D0A2020226B6579223A202261622F63642B6566222C0D0A2020226964223A2031320D0A7D"},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        static char stream[1024];
        static char want[1024];
        int n = snprintf(stream, sizeof(stream), "x=%s; y", forms[i][2]);

        memcpy(want, stream, (size_t)n + 1);
        memset(want + 2, '#', (size_t)n - 5);
        check(forms[i][1], stream, want, forms[i][0]);
    }
}

/* Base 64 in lines whose ends are written out, as in a JSON string. */
static void check_wrapped(size_t len, size_t columns)
{
    char value[256];
    char encoded[512];
    char stream[600] = "\"";
    char want[600];
    char name[64];
    size_t n = 1;
    size_t chars;

    for (size_t i = 0; i < len; i++)
        value[i] = (char)('a' + next_random() % 26);
    value[len] = '\0';
    chars = (size_t)(base64_encode(encoded, value, len) - encoded);
    for (size_t i = 0; i < chars; i++) {
        if (i > 0 && i % columns == 0)
            n = put(stream, n, "\\n");
        stream[n++] = encoded[i];
    }
    strcpy(stream + n, "\\n\"");
    strcpy(want, stream);
    /* Not the padding, nor the sextet before it. */
    for (size_t i = 1; i < n - (len % 3 != 0 ? 4 - len % 3 : 0); i++)
        want[i] = '#';
    snprintf(name, sizeof(name), "%zu bytes in base 64, %zu characters to a line", len, columns);
    check(value, stream, want, name);
}

/* The characters of base 64 that are the value's alone, wherever it stands in what was encoded. */
static void check_base64(const char *name, const char *value, bool url)
{
    size_t len = strlen(value);

    for (size_t before = 0; before < 6; before++) {
        char bytes[256] = "";
        char stream[512];
        char want[512];
        size_t n = before + len + next_random() % 4;

        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)next_random();
        memcpy(bytes + before, value, len);
        n = (size_t)(base64_encode(stream, bytes, n) - stream);
        for (size_t i = 0; i < n && url; i++)
            stream[i] = (char)(stream[i] == '+' ? '-' : stream[i] == '/' ? '_' : stream[i]);
        stream[n] = '\0';
        memcpy(want, stream, n + 1);
        for (size_t i = (8 * before + 5) / 6; 6 * (i + 1) <= 8 * (before + len); i++)
            want[i] = '#';
        check(value, stream, want, name);
    }
}

static void check_lines(void)
{
    static const char key[] = "{\n  \"key\": \"0123abcd\",\n  \"x\": 1\n}\n";

    check("one-line\nand another", "one-line\nand another.", "########\n###########.", "LF");
    check("one-line\nand another", "one-line\r\nand another.", "########\r\n###########.", "CR LF");
    check("one-line\nand another", "one-line\r\r\nand another.", "########\r\r\n###########.",
          "CR CR LF");
    check("one-line\r\nand another\r\n", "one-line\nand another\n", "########\n###########\n",
          "CR LF in the value");
    check("one-line\nand another", "and another time, one-line", "########### time, ########",
          "each line");
    check(key, "  {\r\n\t\"key\": \"0123abcd\",\r\n\t\"x\": 1\r\n\t}\r\n",
          "  #\r\n\t##################\r\n\t######\r\n\t#\r\n",
          "short first line, other indentation");
    check("ab\ncd\nef\ngh\nij", "ab\ncd\nef\ngh\nij\n", "##\n##\n##\n##\n##\n", "short lines");
    check("abcdefgh", "abc\ndefgh abcd\nefgh", "abc\ndefgh ####\n####", "a wrapped line");
    check("-----BEGIN X-----\nsecret-words\n-----END X-----",
          "-----BEGIN X-----\nother words\nsecret-words",
          "-----BEGIN X-----\nother words\n############",
          "PEM's boundaries are no value");
    check("AAAAhunter2-pass",
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAhunter2-pass",
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA###\n#############",
          "wrapped text");
}

static void check_escapes(void)
{
    check("hunter2-pass", "\033[1mhun\033[0;31mter2-pa\033\033[Kss\033[0m!",
          "\033[1m#######################\033[0m!", "colours");
    check("hunter2-pass", "hunter2\033[0m\r\n\033[1m-pass\033[0m",
          "#######\033[0m\r\n\033[1m#####\033[0m", "colours around a line end");
    check("hunter2-pass", "hunt\033[11111111111111111111111111111111111er2-pass",
          "hunt\033[11111111111111111111111111111111111er2-pass", "no escape sequence is so long");
    check("hunter2-pass", "\033(Bhun\033(B\033[mter2\033[2 q-pa\033[!pss\033[?12$p!",
          "\033(B###########################\033[?12$p!", "character sets, the cursor's style");
    check("hunter2-pass", "\033[22 hunter2-pass \033(hunter2-pass \033\"hunter2-pass\"",
          "\033[22 ############ \033(############ \033\"############\"", "sequences cut off");
    check("hunter\033[1m2-pass", "hunter2-pass hunter\033[2m2-pass \\u001b[1m",
          "############ ################ \\u001b[1m", "colours in the value");
}

/* ---- limits ------------------------------------------------------------------------ */

/* Lines, and the value with something in it at a random place; after "0m" at times. */
static size_t busy_text(char *dst, size_t max, const char *value)
{
    static const char *const lines[] = {
        "gcc -O2 -c -o build/x.o x.c\n", "\033[32m ok\033[0m 12 - x\n", "\n\n", "  wxyz1234",
        "hunt", "\tat com.example.Foo(Foo.java:12)\r\n", "\033[38;2;255;100;100m", "er2-pass\n"};
    static const char *const within[] = {"", "", "\n", "\r\n  ", "\n \t\n   ", "\033[1m",
                                         "\033[38;2;255;100;100m", "\033", "\n\033[0m  "};
    size_t n = 0;

    while (n < max) {
        size_t cut = next_random() % strlen(value);

        for (unsigned i = next_random() % 4; i > 0; i--)
            n = put(dst, n, lines[next_random() % (sizeof(lines) / sizeof(lines[0]))]);
        if (next_random() % 2 == 0) {
            memcpy(dst + n, value, cut);
            n = put(dst, n + cut, within[next_random() % (sizeof(within) / sizeof(within[0]))]);
        } else {
            cut = next_random() % 2 > 0 ? 2 : cut;
        }
        n = put(dst, n, value + cut);
    }
    return n;
}

/* A stream longer than the ring, the filter's strides and the calls: as stepped byte by byte. */
static void check_skipping(const char *value, const char *name)
{
    static char text[TEXT_MAX];
    static struct found want;
    static struct found got;
    static struct plain p;
    bool same = true;

    for (int round = 0; round < 400 && same; round++) {
        struct known *k = new_set();
        size_t n = busy_text(text, 1500, value);

        add(k, value, strlen(value));
        p.n_forms = p.n_joined = 0;
        plain_joined(&p, value, strlen(value));
        known_each_form(k, plain_form, &p);
        plain_search(&p, text, n, &want);
        scan_all(k, text, n, round % 3 > 0 ? n : 0, &got);
        same = got.n > 0 && same_found(&want, &got);
        known_free(k);
    }
    ok(same, "nothing is passed over: %s", name);
}

/* A gap of any kind: what the logical stream leaves out. */
static size_t random_gap(char *dst, size_t n)
{
    static const char *const gaps[] = {"\n", "\n", "\r\n", "\033[0m", "\033[1;32m", "\n  ", "\n\n",
                                       "\033[0m\n\033[K", "\r\n\t\t", "\n           ", "\t\n"};

    return put(dst, n, gaps[next_random() % (sizeof(gaps) / sizeof(gaps[0]))]);
}

/* Text that is like no value, in lines or coloured words of up to `longest` bytes. */
static size_t plain_text(char *dst, size_t n, size_t len, size_t longest)
{
    size_t stop = n + len;

    while (n < stop) {
        for (size_t i = next_random() % longest; i > 0; i--)
            dst[n++] = next_random() % 40 == 0 ? '\t' : (char)('A' + next_random() % 26);
        n = random_gap(dst, n);
    }
    return n;
}

/*
 * Values in text of which most is passed over in blocks, with gaps anywhere in and around them.
 * n_more: values besides, none of which is there, so that the filter's tables differ, made of the
 * bytes of `more`.
 */
static void check_blocks(const char *name, size_t shortest, size_t longest, size_t n_more,
                         const char *more)
{
    static char text[TEXT_MAX];
    static struct found want;
    static struct found got;
    static struct plain p;
    struct known *k = NULL;
    char value[64];
    bool same = true;
    size_t found = 0;

    for (int round = 0; round < ROUNDS && same; round++) {
        size_t len = shortest + next_random() % (longest - shortest + 1);
        size_t n = plain_text(text, 0, next_random() % 700, 1 + next_random() % 90);

        if (k == NULL || round % 50 == 0) { /* the last one stays in, with its forms */
            known_free(k);
            k = new_set();
            p.n_forms = p.n_joined = 0;
            for (size_t i = 0; i < len; i++)
                value[i] = (char)('a' + next_random() % 26);
            add(k, value, len);
            known_each_form(k, plain_form, &p);
            for (size_t i = 0; i < n_more; i++) {
                char other[64];

                for (size_t j = 0; j < longest; j++)
                    other[j] = more[next_random() % strlen(more)];
                other[0] = other[longest - 1] = '0';
                add(k, other, longest);
            }
        }
        for (unsigned times = 1 + next_random() % 3; times > 0; times--) {
            const struct plain_form *f = &p.forms[next_random() % p.n_forms];

            for (size_t i = 0; i < f->len; i++) {
                if (i > 3 && next_random() % 6 == 0)
                    n = random_gap(text, n);
                text[n++] = f->text[i];
            }
            n = plain_text(text, n, next_random() % 300, 1 + next_random() % 90);
        }
        plain_search(&p, text, n, &want);
        scan_all(k, text, n, round % 4 > 0 ? n : 0, &got);
        same = got.sound && same_found(&want, &got);
        found += got.n;
    }
    ok(same && found > ROUNDS / 2, "blocks: %s", name);
    known_free(k);
}

/* A value of n bytes that never repeats itself for long, in lines of so many. */
static size_t long_value(char *dst, size_t n, size_t line)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = line > 0 && i % (line + 1) == line ? '\n' : (char)('a' + next_random() % 26);
    return n;
}

/* All but the first n_cut bytes of a long value, in calls of any size. */
static void check_long(const char *name, size_t len, size_t line, size_t cut, bool found)
{
    static char value[TEXT_MAX / 2];
    static char stream[TEXT_MAX];
    static struct found got;
    static struct known_scan s;
    struct known *k = new_set();
    bool good = true;
    size_t n = put(stream, 0, "before\n");
    size_t begin = n;
    uint64_t most = 0;

    long_value(value, len, line);
    add(k, value, len);
    memcpy(stream + n, value, len - cut);
    n = put(stream, n + len - cut, "\nafter");
    found_begin(&got, stream, n);
    known_scan_init(&s, k);
    for (size_t at = 0, step; at < n; at += step) {
        step = 1 + next_random() % 500;
        step = step < n - at ? step : n - at;
        feed(&s, stream + at, step, at, &got);
        if (known_hold(&s) != KNOWN_NO_POS && at + step - known_hold(&s) > most)
            most = at + step - known_hold(&s);
    }
    known_finish(&s, take, &got);
    good = got.sound && most <= KNOWN_SPAN_MAX + 1;
    for (size_t i = begin; i < begin + len - cut; i++)
        good &= got.text[i] == (stream[i] == '\n' ? '\n' : found ? '#' : stream[i]);
    good &= memcmp(got.text, "before\n", begin) == 0 && strcmp(got.text + n - 6, "\nafter") == 0;
    for (size_t i = 0; i < got.n && line == 0; i++) /* else its lines are found, too */
        good &= got.at[i].continues == (got.at[i].start != begin);
    if (!ok(good, "%s", name))
        printf("#   %zu matches, %u held\n", got.n, (unsigned)most);
    known_free(k);
}

/* Nothing is held for longer because of line ends that could be within a value. */
static void check_stale(void)
{
    static char text[TEXT_MAX];
    static struct found f;
    static struct known_scan s;
    struct known *k = new_set();
    bool good = true;

    for (int value = 0; value < 2; value++) {
        size_t len = value == 0 ? 20 : 10000;

        long_value(text, len, 0);
        add(k, text, len);
        memset(text + len / 2, '\n', 3 * (size_t)KNOWN_SPAN_MAX);
        found_begin(&f, text, len / 2 + 3 * KNOWN_SPAN_MAX);
        known_scan_init(&s, k);
        feed(&s, text, len / 2 + 3 * KNOWN_SPAN_MAX, 0, &f);
        good &= !known_live(&s) && known_hold(&s) == KNOWN_NO_POS && f.sound && f.n > 0;
    }
    ok(good, "line ends without end");
    known_free(k);
}

static void check_limits(void)
{
    static char text[TEXT_MAX];
    static struct found f;
    struct known *k = new_set();
    size_t n = put(text, 0, "hunter2-");

    check_long("longer than what is held", 30000, 0, 0, true);
    check_long("longer than what is held, in lines", 20000, 1000, 0, true);
    check_long("a line that ends where a part is reported", 20000, KNOWN_SPAN_MAX, 0, true);
    check_long("lines of 64", 2900, 64, 0, true);
    check_long("cut off after more than is held", 20000, 0, 10000, true);
    check_long("cut off before it is armed", 20000, 0, 19000, false);

    check_stale();

    /* Half of it, then line ends for longer than anything is held. */
    add(k, "hunter2-pass", 12);
    memset(text + n, '\n', KNOWN_SPAN_MAX);
    put(text, n + KNOWN_SPAN_MAX, "pass");
    scan_all(k, text, n + KNOWN_SPAN_MAX + 4, 0, &f);
    ok(f.n == 1 && f.at[0].end == 8 && f.sound, "armed and spread too far");
    memset(text + 6, '\n', KNOWN_SPAN_MAX);
    put(text, 6 + KNOWN_SPAN_MAX, "2-pass");
    scan_all(k, text, 6 + KNOWN_SPAN_MAX + 6, 0, &f);
    ok(f.n == 0, "not armed and spread too far");
    known_free(k);
}

/* Values that have their first bytes in common, as tokens of one issuer have: no more of another
   token is found than must be, no less of one of them. */
static void check_crowd(size_t n_values, bool exact)
{
    enum { COMMON = 60, LEN = 100 };
    static char values[400][LEN];
    static char text[2 * LEN + 8];
    static struct found f;
    struct known *k = new_set();
    bool all = true;
    size_t n = sizeof(text) - 1;

    for (size_t i = 0; i < n_values; i++) {
        for (size_t j = 0; j < LEN; j++)
            values[i][j] = j < COMMON ? (char)('a' + j % 26) : (char)('A' + next_random() % 26);
        add(k, values[i], LEN);
    }
    for (size_t i = 0; i < n_values; i++) {
        memset(text, ' ', sizeof(text));
        memcpy(text + 4, values[i], LEN);
        scan_all(k, text, n, i % 2 > 0 ? n : 0, &f);
        for (size_t j = 0; j < n; j++)
            all &= (f.text[j] == '#') == (j >= 4 && j < 4 + LEN);
        text[4 + LEN - 1] = '!';
        scan_all(k, text, n, 0, &f);
        all &= f.sound && (!exact || f.n == 0);
    }
    ok(all, "%zu values begin alike", n_values);
    known_free(k);
}

/* More tails than are followed: the oldest are taken for found, nothing is let through. */
static void check_tails(void)
{
    static char text[TEXT_MAX];
    static struct found f;
    struct known *k = new_set();
    bool all = true;

    memset(text, 'a', 400);
    add(k, text, 300);
    for (int round = 0; round < 20; round++) {
        scan_all(k, text, 400, 0, &f);
        for (size_t i = 0; i < 400; i++)
            all &= f.text[i] == '#';
    }
    ok(all && f.sound, "a long value that repeats itself");
    known_free(k);
}

/* A value counts from the next byte, whatever the calls before were. */
static void check_added(void)
{
    static const char text[] = "a hunter2-pass hunter2-pass hunter3-word secret-a-b hunter2-word";
    static const char want[] = "a hunter2-pass hunter2-pass ############ ########## hunter2-word";
    static struct known_scan s;
    static struct found f;
    bool good = true;

    for (size_t piece = 1; piece < 30; piece++) {
        struct known *k = new_set();
        size_t at = 20; /* within the second one */

        add(k, "secret-a-b", 10);
        found_begin(&f, text, strlen(text));
        known_scan_init(&s, k);
        for (size_t i = 0, len; i < at; i += len) {
            len = piece < at - i ? piece : at - i;
            feed(&s, text + i, len, i, &f);
        }
        add(k, "hunter2-pass", 12);
        add(k, "hunter3-word", 12);
        for (size_t len; at < strlen(text); at += len) {
            len = piece < strlen(text) - at ? piece : strlen(text) - at;
            feed(&s, text + at, len, at, &f);
        }
        known_finish(&s, take, &f);
        good &= strcmp(f.text, want) == 0;
        good &= known_count(k) == 3;
        known_free(k);
    }
    ok(good, "values added while the stream runs");
}

static void check_set(void)
{
    static char big[KNOWN_VALUE_MAX + 1];
    char text[512];
    struct known *k = new_set();
    struct err e = {0};
    size_t forms;

    ok(known_add(k, "  8bytes!!  ", 12, 7, &e) == ERR_NONE, "eight bytes");
    ok(known_add(k, " 7bytes \n", 9, 7, &e) == ERR_REFUSED, "seven bytes");
    err_format(&e, text, sizeof(text));
    is_str(text, "cannot hide a value: it has less than 8 bytes", "says why");
    memset(big, 'b', sizeof(big));
    ok(known_add(k, big, sizeof(big), 7, &e) == ERR_REFUSED, "too long");
    err_format(&e, text, sizeof(text));
    is_str(text, "cannot hide a value: it has more than 1048576 bytes", "says why");
    ok(known_add(k, big, KNOWN_VALUE_MAX, 7, &e) == ERR_NONE, "the longest");
    add(k, "hunter2-pass", 12);
    forms = known_form_count(k);
    add(k, "hunter2-pass", 12);
    is_int((int64_t)known_form_count(k), (int64_t)forms, "a form is kept once");
    add(k, big, KNOWN_VALUE_MAX);
    is_int((int64_t)known_form_count(k), (int64_t)forms, "a long one, too");
    known_free(k);
    known_free(NULL);

    k = new_set();
    forms = known_memory(k);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "%08x%08x%08x_abcdefghijklmno", next_random(), next_random(),
                 next_random());
        add(k, text, 40);
    }
    ok(known_memory(k) / 1000 < 3072, "a value of 40 bytes takes no more than 3 KiB");
    known_free(k);
}

int main(void)
{
    check("hunter2-pass", "x hunter2-pass hunter2-pas y", "x ############ hunter2-pas y", "plain");
    check("hunter2-pass", "hunter2-pas", "###########", "armed at the end");
    check("hunter2-pass", "hunter2", "hunter2", "not armed at the end");
    check("  hunter2-pass \n", "hunter2-pass", "############", "blanks around a value");
    check_forms();
    check_base64("base 64", "hunter2-pass?>~~", false);
    check_base64("base 64 for URLs", "hunter2-pass?>~~", true);
    check_base64("base 64 of a long one",
                 "hunter2-pass?>~~ and then some more of it, so that it is longer than a head is",
                 true);
    for (size_t len = 57; len < 61; len++) {
        check_wrapped(len, 64);
        check_wrapped(len + 100, 64);
        check_wrapped(len + 100, 76);
    }
    check_lines();
    check_escapes();
    check_skipping("0mhunter2-pass-wxyz1234-and", "long grams");
    check_skipping("0mhunter2", "short grams");
    check_skipping("0mh\nunter2", "a line end in it");
    check_blocks("long grams", 15, 40, 0, "");
    check_blocks("short grams", 8, 14, 0, "");
    check_blocks("long grams, many values", 30, 40, 300, "0123456789");
    check_blocks("short grams, many values", 9, 12, 1500, "0123456789");
    check_blocks("long grams, many values of many bytes", 30, 40, 300, "0123 .\t\xc3+=-/");
    check_blocks("short grams, many values of many bytes", 9, 12, 1500, "01234 .\t+=-/");
    check_limits();
    check_tails();
    check_crowd(200, true);
    check_crowd(400, false);
    check_added();
    check_set();
    check_random("two letters", "ab", 14, 100);
    check_random("two letters and line ends", "abab\n", 20, 100);
    check_random("long ones", "ab", 70, 300);
    check_random("very long ones", "ab", 126, 600);
    check_random("hardly more than one letter", "aaaaaaab", 126, 500);
    check_random("many letters", "abcdefghijklmnop-. /", 60, 300);
    return done();
}
