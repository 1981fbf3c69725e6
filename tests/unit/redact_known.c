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
    return memcmp(a, b, 2 * sizeof(uint64_t)); /* any order will do */
}

static bool same_found(struct found *a, struct found *b)
{
    if (a->n != b->n)
        return false;
    qsort(a->at, a->n, sizeof(a->at[0]), by_place);
    qsort(b->at, b->n, sizeof(b->at[0]), by_place);
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

    if (n < 2 || text[1] != '[')
        return 1;
    while (i < n && i < 34 && text[i] >= 0x20 && text[i] < 0x40)
        i++;
    return i < n && text[i] >= 0x40 && text[i] <= 0x7e ? i + 1 : i;
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

        if (g->len >= n && g->len >= KNOWN_FLOOR && memcmp(f->text, g->text, n) == 0 && (g->joins >> n & 1))
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
    size_t period = next_random() % 3 == 0 ? 1 + next_random() % 4 : n;

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
        unsigned noise = next_random() % 3 == 0 ? 3 + next_random() % 10 : 1000;

        for (size_t i = 0; i < len && at + 16 < max; i++) {
            if (next_random() % noise == 0)
                at = put(dst, at, between[next_random() % 8]);
            dst[at++] = values[v][i];
        }
        for (unsigned i = next_random() % 5; i > 0; i--)
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

static void check_forms(void)
{
    check("hunter2-pass", "x hunter2-pass hunter2-pas y", "x ############ hunter2-pas y", "plain");
    check("hunter2-pass", "hunter2-pas", "###########", "armed at the end");
}

int main(void)
{
    check_forms();
    check_random("two letters", "ab", 14, 100);
    check_random("two letters and line ends", "abab\n", 20, 100);
    check_random("long ones", "ab", 70, 300);
    check_random("many letters", "abcdefghijklmnop-. /", 60, 300);
    return done();
}
