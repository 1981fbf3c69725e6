// SPDX-License-Identifier: MIT
#include "text/required.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text/regex.h"

enum { DEPTH_MAX = 32 };

/* Recursive descent over the pattern. `odd` is set by what is not understood, and sticks. */
struct parser {
    const char *at;
    const char *end;
    bool icase;
    bool odd;
};

/* One branch of an alternation on the way: the best so far, and the run that is growing. */
struct branch {
    struct required best;
    struct required_text run;
};

enum atom_kind { ATOM_CHAR, ATOM_GROUP, ATOM_OTHER };

enum times { TIMES_ONCE, TIMES_MORE, TIMES_MAYBE };

/* ---- which is better ------------------------------------------------------------------------ */

/* Longer is rarer; each alternative costs a pass over the text. */
static size_t worth(const struct required *r)
{
    size_t shortest = REQUIRED_TEXT_MAX;

    for (size_t i = 0; i < r->n; i++)
        if (r->any[i].len < shortest)
            shortest = r->any[i].len;
    return r->n == 0 ? 0 : 2 * shortest + REQUIRED_MAX - r->n;
}

static void offer(struct branch *b, const struct required *r)
{
    if (worth(r) > worth(&b->best))
        b->best = *r;
}

static void end_run(struct branch *b)
{
    struct required one = {.n = 1};

    if (b->run.len == 0)
        return;
    one.any[0] = b->run;
    offer(b, &one);
    b->run.len = 0;
}

static void add_char(struct branch *b, char c)
{
    if (b->run.len == REQUIRED_TEXT_MAX)
        end_run(b);
    b->run.text[b->run.len++] = c;
}

/* ---- atoms ---------------------------------------------------------------------------------- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A backslash and what follows it. Only what is sure to be itself, or sure to be one class or
   assertion, is taken. */
static enum atom_kind take_escape(struct parser *p, char *c)
{
    static const char plain[] = ".[](){}*+?^$|\\/-:,\"'=@#%&!~;_ ";
    static const char other[] = "wWsSdDbBnrtfae123456789";

    *c = p->end - p->at > 1 ? p->at[1] : '\0';
    p->at += p->end - p->at > 1 ? 2 : 1;
    if (*c != '\0' && strchr(plain, *c) != NULL)
        return ATOM_CHAR;
    p->odd |= *c == '\0' || strchr(other, *c) == NULL;
    return ATOM_OTHER;
}

static void skip_bracket(struct parser *p)
{
    p->at++;
    if (p->at < p->end && *p->at == '^')
        p->at++;
    if (p->at < p->end && *p->at == ']')
        p->at++;
    for (; p->at < p->end && *p->at != ']'; p->at++) {
        const char kind = p->end - p->at > 1 ? p->at[1] : '\0';
        const char close[] = {kind, ']'};
        const char *stop;

        if (*p->at != '[' || (kind != ':' && kind != '.' && kind != '='))
            continue;
        stop = memmem(p->at + 2, (size_t)(p->end - p->at) - 2, close, sizeof(close));
        p->odd |= stop == NULL;
        p->at = stop != NULL ? stop + 1 : p->end - 1;
    }
    p->odd |= p->at >= p->end;
    p->at += p->at < p->end ? 1 : 0;
}

static void take_alternatives(struct parser *p, size_t depth, struct required *out);

static void take_group(struct parser *p, size_t depth, struct required *out)
{
    p->at++;
    out->n = 0;
    p->odd |= depth == DEPTH_MAX || (p->at < p->end && *p->at == '?');
    if (p->odd)
        return;
    take_alternatives(p, depth + 1, out);
    p->odd |= p->at >= p->end;
    p->at += p->at < p->end ? 1 : 0;
}

static enum atom_kind take_atom(struct parser *p, size_t depth, char *c, struct required *group)
{
    *c = *p->at;
    switch (*c) {
    case '(':
        take_group(p, depth, group);
        return ATOM_GROUP;
    case '[':
        skip_bracket(p);
        return ATOM_OTHER;
    case '\\':
        return take_escape(p, c);
    case '*':
    case '+':
    case '?':
    case '{':
    case ')':
        p->odd = true; /* nothing before it to repeat, or to close */
        return ATOM_OTHER;
    case '.':
    case '^':
    case '$':
        p->at++;
        return ATOM_OTHER;
    default:
        p->at++;
        return ATOM_CHAR;
    }
}

/* ---- repetitions ---------------------------------------------------------------------------- */

static uint64_t take_number(struct parser *p)
{
    uint64_t n = 0;

    for (; p->at < p->end && digit(*p->at); p->at++)
        n = n < 1000 ? n * 10 + (uint64_t)(*p->at - '0') : n;
    return n;
}

/* "{n}", "{n,}", "{n,m}" and nothing else. */
static enum times take_bound(struct parser *p)
{
    uint64_t least = 0;

    p->at++;
    p->odd |= p->at >= p->end || !digit(*p->at);
    least = take_number(p);
    if (p->at < p->end && *p->at == ',') {
        p->at++;
        (void)take_number(p);
    }
    p->odd |= p->at >= p->end || *p->at != '}';
    p->at += p->at < p->end ? 1 : 0;
    return least > 0 ? TIMES_MORE : TIMES_MAYBE;
}

static enum times take_one_repetition(struct parser *p)
{
    if (*p->at == '{')
        return take_bound(p);
    return *p->at++ == '+' ? TIMES_MORE : TIMES_MAYBE;
}

static bool repeats(const struct parser *p)
{
    return !p->odd && p->at < p->end && memchr("*+?{", *p->at, 4) != NULL;
}

/* Of several in a row ("+?", "{2}{0}") nothing is claimed. */
static enum times take_times(struct parser *p)
{
    enum times times;

    if (!repeats(p))
        return TIMES_ONCE;
    times = take_one_repetition(p);
    while (repeats(p)) {
        (void)take_one_repetition(p);
        times = TIMES_MAYBE;
    }
    return times;
}

/* ---- branches ------------------------------------------------------------------------------- */

static void add_atom(struct branch *b, enum atom_kind kind, char c, enum times times,
                     const struct required *group)
{
    if (kind == ATOM_CHAR && times != TIMES_MAYBE)
        add_char(b, c);
    if (kind == ATOM_CHAR && times == TIMES_ONCE)
        return;
    end_run(b);
    if (kind == ATOM_CHAR && times == TIMES_MORE)
        add_char(b, c); /* the last one, next to what follows */
    if (kind == ATOM_GROUP && times != TIMES_MAYBE)
        offer(b, group);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static void take_branch(struct parser *p, size_t depth, struct required *out)
{
    struct branch b = {0};
    struct required group;

    while (!p->odd && p->at < p->end && *p->at != '|' && !(*p->at == ')' && depth > 0)) {
        char c;
        enum atom_kind kind = take_atom(p, depth, &c, &group);
        enum times times = take_times(p);

        add_atom(&b, kind, p->icase ? lower(c) : c, times, &group);
    }
    end_run(&b);
    *out = b.best;
}

/* Either: all of both, or nothing. */
static void unite(struct required *a, const struct required *b)
{
    if (a->n == 0 || b->n == 0 || a->n + b->n > REQUIRED_MAX) {
        a->n = 0;
        return;
    }
    memcpy(a->any + a->n, b->any, b->n * sizeof(b->any[0]));
    a->n += b->n;
}

static void take_alternatives(struct parser *p, size_t depth, struct required *out)
{
    struct required other;

    take_branch(p, depth, out);
    while (!p->odd && p->at < p->end && *p->at == '|') {
        p->at++;
        take_branch(p, depth, &other);
        unite(out, &other);
    }
}

static void literal(const char *pattern, size_t n, bool icase, struct required *out)
{
    struct required_text *text = &out->any[0];

    text->len = n < REQUIRED_TEXT_MAX ? n : REQUIRED_TEXT_MAX;
    for (size_t i = 0; i < text->len; i++)
        text->text[i] = icase ? lower(pattern[i]) : pattern[i];
    out->n = n > 0 ? 1 : 0;
}

void regex_required(const char *pattern, size_t n, unsigned flags, struct required *out)
{
    struct parser p = {.at = pattern, .end = pattern + n, .icase = (flags & REGEX_ICASE) != 0};

    *out = (struct required){0};
    if ((flags & REGEX_LITERAL) != 0) {
        literal(pattern, n, p.icase, out);
        return;
    }
    take_alternatives(&p, 0, out);
    if (p.odd || p.at < p.end)
        out->n = 0;
}
