// SPDX-License-Identifier: MIT
#include "text/regex.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tre/tre.h>

struct regex {
    regex_t tre;
    bool no_groups;
};

/* ---- how large it becomes ------------------------------------------------------------------- */

enum { NESTING_MAX = 256 };

/*
 * What TRE makes of a part of a pattern, or more: characters and sets with every repetition
 * written out; those that a match of it may begin and end with; links from one that a match may
 * go on from to one that it may go on to, of which "((a?){99}){99}" has 48 million.
 */
struct size {
    uint64_t places;
    uint64_t first;
    uint64_t last;
    uint64_t links;
    bool nullable; /* it may match nothing */
};

#define NOTHING ((struct size){.nullable = true})

/* A group that is open: its alternatives, the last one but for its last atom, and that. */
struct group {
    struct size choice;
    struct size row;
    struct size atom;
    bool has_choice;
};

/* A walk over a pattern that knows just enough of the syntax to tell atoms from repetitions. */
struct walk {
    const char *at;
    const char *end;
    struct group groups[NESTING_MAX + 1];
    size_t depth;
    const char *why; /* what is wrong, in words */
};

/* Behind the name in [:name:] and the like that begins at `at`, if it is of letters: TRE 0.8
   reads memory that was never set where it is not. */
static const char *behind_name(const char *at, const char *end, char kind)
{
    while (at < end && ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z')))
        at++;
    return end - at >= 2 && at[0] == kind && at[1] == ']' ? at + 2 : NULL;
}

/* Behind a bracket expression whose "[" is at `at`; NULL if it does not end. */
static const char *behind_bracket(const char *at, const char *end)
{
    at++;
    if (at < end && *at == '^')
        at++;
    if (at < end && *at == ']')
        at++;
    while (at < end && *at != ']') {
        const char kind = at + 1 < end ? at[1] : '\0';

        if (*at == '[' && (kind == ':' || kind == '.' || kind == '='))
            at = behind_name(at + 2, end, kind);
        else
            at++;
        if (at == NULL)
            return NULL;
    }
    return at < end ? at + 1 : NULL;
}

static uint64_t at_most(uint64_t n)
{
    return n < REGEX_LINKS_MAX ? n : REGEX_LINKS_MAX + 1;
}

static struct size behind_each_other(struct size a, struct size b)
{
    return (struct size){.places = at_most(a.places + b.places),
                         .first = at_most(a.first + (a.nullable ? b.first : 0)),
                         .last = at_most(b.last + (b.nullable ? a.last : 0)),
                         .links = at_most(a.links + b.links + a.last * b.first),
                         .nullable = a.nullable && b.nullable};
}

static struct size either(struct size a, struct size b)
{
    return (struct size){.places = at_most(a.places + b.places),
                         .first = at_most(a.first + b.first),
                         .last = at_most(a.last + b.last),
                         .links = at_most(a.links + b.links),
                         .nullable = a.nullable || b.nullable};
}

/* One that may begin anew where it ends. */
static struct size again(struct size a)
{
    a.links = at_most(a.links + a.last * a.first);
    return a;
}

/* a{least,most}: TRE writes out `most` copies, those beyond `least` one within the other. */
static struct size copies(struct size a, uint64_t least, uint64_t most)
{
    struct size sum = NOTHING;

    for (uint64_t i = 0; i < most && sum.places <= REGEX_EXPANDED_MAX; i++) {
        struct size copy = a;

        copy.nullable |= i >= least;
        sum = behind_each_other(sum, copy);
    }
    return sum;
}

static void atom(struct walk *w, struct size size)
{
    struct group *g = &w->groups[w->depth];

    g->row = behind_each_other(g->row, g->atom);
    g->atom = size;
}

static void one_byte(struct walk *w, bool nullable)
{
    atom(w, (struct size){1, 1, 1, 0, nullable});
}

static struct size whole(const struct group *g)
{
    struct size row = behind_each_other(g->row, g->atom);

    return g->has_choice ? either(g->choice, row) : row;
}

static void alternative(struct walk *w)
{
    struct group *g = &w->groups[w->depth];

    *g = (struct group){.choice = whole(g), .row = NOTHING, .atom = NOTHING, .has_choice = true};
    w->at++;
}

/* An empty group is copied like any other. */
static void close_group(struct walk *w)
{
    struct size size = whole(&w->groups[w->depth]);

    size.places += size.places == 0 ? 1 : 0;
    w->depth--;
    atom(w, size);
}

static void star(struct walk *w)
{
    struct size *a = &w->groups[w->depth].atom;

    if (*w->at != '?')
        *a = again(*a);
    a->nullable |= *w->at != '+';
    w->at++;
}

/* The numbers in the braces that begin at w->at, which is moved behind them; *most is *least
   where there is no comma. TRE's approximate ones are refused: repeated ones crash TRE 0.8; and
   so is "{,2}", of which it makes three. */
static void bounds(struct walk *w, uint64_t *least, uint64_t *most)
{
    uint64_t numbers[2] = {0, 0};
    unsigned which = 0;

    if (w->end - w->at > 1 && w->at[1] == ',')
        w->why = "a repetition of at most n is written {0,n}";
    for (w->at++; w->at < w->end && *w->at != '}'; w->at++) {
        bool digit = *w->at >= '0' && *w->at <= '9';

        if (!digit && *w->at != ',')
            w->why = "Invalid contents of {}";
        else if (!digit)
            which = 1;
        else
            numbers[which] = at_most(numbers[which] * 10 + (uint64_t)(*w->at - '0'));
    }
    *least = numbers[0];
    *most = which == 0 || numbers[1] < numbers[0] ? numbers[0] : numbers[1];
    w->at += w->at < w->end ? 1 : 0;
}

/* Where no atom stands before it, TRE repeats an empty one. */
static void repeat(struct walk *w)
{
    struct group *g = &w->groups[w->depth];
    const char *from = w->at;
    uint64_t least;
    uint64_t most;

    bounds(w, &least, &most);
    if (g->atom.places == 0)
        one_byte(w, true);
    /* "{n,}" is n copies and one more, which begins anew. */
    if (w->at - from >= 2 && w->at[-2] == ',')
        g->atom = behind_each_other(copies(g->atom, least, least),
                                    again(copies(g->atom, 0, 1)));
    else
        g->atom = copies(g->atom, least, most > 0 ? most : 1);
}

/* Behind the braces of \x{…}, whose "{" may be at w->at. TRE 0.8 writes the digits between them
   to an array of 32 bytes on its stack, as many as there are. */
static void braced_number(struct walk *w)
{
    enum { DIGITS_MAX = 8 };
    size_t left = (size_t)(w->end - w->at);
    const char *close = left > 0 && *w->at == '{' ? memchr(w->at, '}', left) : NULL;

    if (left == 0 || *w->at != '{')
        return;
    if (close == NULL)
        w->why = "Missing '}'";
    else if (close - w->at - 1 > DIGITS_MAX)
        w->why = "Invalid contents of {}";
    w->at = close != NULL ? close + 1 : w->at + 1;
}

/* \Q…\E is literal text; any other escape is one atom of two bytes. Of \0 TRE makes a back
   reference to the whole, and loops or crashes. */
static void escape(struct walk *w)
{
    size_t left = (size_t)(w->end - w->at);
    char kind = left >= 2 ? w->at[1] : '\0';
    const char *end;

    if (kind == '0' && left >= 2)
        w->why = "Invalid back reference";
    if (kind != 'Q') {
        one_byte(w, kind != '\0' && strchr("bB<>", kind) != NULL);
        w->at += left < 2 ? left : 2;
        if (kind == 'x')
            braced_number(w);
        return;
    }
    end = memmem(w->at, left, "\\E", 2);
    atom(w, (struct size){left, 1, 1, left, false});
    w->at = end != NULL ? end + 2 : w->end;
}

/* What "(?" says before ":" or ")" is no part of the group. */
static void open_group(struct walk *w)
{
    if (w->depth == NESTING_MAX) {
        w->why = "its parentheses nest too deep";
        return;
    }
    w->groups[++w->depth] = (struct group){.row = NOTHING, .atom = NOTHING};
    w->at++;
    if (w->at == w->end || *w->at != '?')
        return;
    while (w->at < w->end && *w->at != ':' && *w->at != ')')
        w->at++;
    w->at += w->at < w->end && *w->at == ':' ? 1 : 0;
}

static void bracket(struct walk *w)
{
    const char *next = behind_bracket(w->at, w->end);

    if (next == NULL)
        w->why = "Missing ']', or a class name that is none";
    w->at = next != NULL ? next : w->at + 1; /* the place named is the bracket's */
    one_byte(w, false);
}

/* One atom, parenthesis or bound. */
static void step(struct walk *w)
{
    struct size size;

    switch (*w->at) {
    case '\\':
        escape(w);
        break;
    case '[':
        bracket(w);
        break;
    case '{':
        repeat(w);
        break;
    case '*':
    case '+':
    case '?':
        star(w);
        break;
    case '(':
        open_group(w);
        break;
    case ')':
        /* POSIX leaves it undefined, and after a backslash TRE would never return. */
        if (w->depth == 0)
            w->why = "Missing '('";
        else
            close_group(w);
        w->at++;
        break;
    case '|':
        alternative(w);
        break;
    default:
        one_byte(w, *w->at == '^' || *w->at == '$');
        w->at++;
    }
    size = whole(&w->groups[w->depth]);
    if (w->why == NULL && (size.places > REGEX_EXPANDED_MAX || size.links > REGEX_LINKS_MAX))
        w->why = "with its repetitions written out it is too large";
}

/* What TRE must not be given, in words; NULL: nothing. *place: the byte, from 1. */
static const char *refusal(const char *pattern, size_t n, size_t *place)
{
    struct walk w = {.at = pattern, .end = pattern + n};

    w.groups[0] = (struct group){.row = NOTHING, .atom = NOTHING};
    while (w.at < w.end && w.why == NULL)
        step(&w);
    *place = (size_t)(w.at - pattern);
    return w.why;
}

/* ---- where it is wrong ---------------------------------------------------------------------- */

/* The byte, from 1, where the innermost bracket or parenthesis opens that is never closed; 0:
   there is none. */
static size_t never_closed(const char *pattern, size_t n, char what)
{
    const char *end = pattern + n;
    size_t open[NESTING_MAX] = {0};
    size_t depth = 0;

    for (const char *at = pattern; at < end;) {
        const char *next = *at == '[' ? behind_bracket(at, end) : at + (*at == '\\' ? 2 : 1);
        size_t place = (size_t)(at - pattern) + 1;

        if (next == NULL)
            return 0;
        if (*at == '{' && what == '{' && memchr(at, '}', (size_t)(end - at)) == NULL)
            return place;
        if (*at == '(' && depth < NESTING_MAX)
            open[depth++] = place;
        else if (*at == ')' && depth > 0)
            depth--;
        at = next;
    }
    return what == '(' && depth > 0 ? open[depth - 1] : 0;
}

static enum err_code refuse(const char *pattern, size_t n, const char *why, size_t place,
                            struct err *e)
{
    char shown[ERR_SUBJECT_MAX];

    snprintf(shown, sizeof(shown), "%.*s", (int)n, pattern);
    if (place == 0)
        return err_set(e, ERR_USAGE, "bad regular expression", shown, "%s", why);
    return err_set(e, ERR_USAGE, "bad regular expression", shown, "%s (byte %zu)", why, place);
}

static enum err_code explain(int code, const regex_t *tre, const char *pattern, size_t n,
                             struct err *e)
{
    char why[ERR_WHY_MAX / 2];
    size_t place = 0;

    if (code == REG_ESPACE)
        return err_set(e, ERR_MEMORY, "cannot compile regular expression", "", "no memory");
    tre_regerror(code, tre, why, sizeof(why));
    if (code == REG_EPAREN)
        place = never_closed(pattern, n, '(');
    else if (code == REG_EBRACE)
        place = never_closed(pattern, n, '{');
    else if (code == REG_EESCAPE)
        place = n;
    return refuse(pattern, n, why, place, e);
}

/* ---- compiling ------------------------------------------------------------------------------ */

static enum err_code check(const char *pattern, size_t n, unsigned flags, struct err *e)
{
    const char *why = NULL;
    size_t place = 0;

    if (n > REGEX_PATTERN_MAX)
        return err_set(e, ERR_USAGE, "bad regular expression", "",
                       "it has %zu bytes, at most %d are taken", n, REGEX_PATTERN_MAX);
    if ((flags & REGEX_LITERAL) == 0)
        why = refusal(pattern, n, &place);
    if (why == NULL)
        return ERR_NONE;
    return refuse(pattern, n, why, place, e);
}

enum err_code regex_compile(struct regex **out, const char *pattern, size_t n, unsigned flags,
                            struct err *e)
{
    enum err_code rc = check(pattern, n, flags, e);
    int compile = REG_EXTENDED;
    struct regex *r;
    int code;

    *out = NULL;
    if (rc != ERR_NONE)
        return rc;
    r = calloc(1, sizeof(*r));
    if (r == NULL)
        return err_set(e, ERR_MEMORY, "cannot compile regular expression", "", "no memory");
    compile |= (flags & REGEX_ICASE) != 0 ? REG_ICASE : 0;
    compile |= (flags & REGEX_LITERAL) != 0 ? REG_LITERAL : 0;
    compile |= (flags & REGEX_NO_GROUPS) != 0 ? REG_NOSUB : 0;
    code = tre_regncomp(&r->tre, pattern, n, compile);
    if (code != REG_OK) {
        rc = explain(code, &r->tre, pattern, n, e);
        free(r); /* TRE has released what was in it */
        return rc;
    }
    r->no_groups = (flags & REGEX_NO_GROUPS) != 0;
    *out = r;
    return ERR_NONE;
}

void regex_free(struct regex *r)
{
    if (r == NULL)
        return;
    tre_regfree(&r->tre);
    free(r);
}

size_t regex_groups(const struct regex *r)
{
    return r->tre.re_nsub;
}

bool regex_backrefs(const struct regex *r)
{
    return tre_have_backrefs(&r->tre) != 0;
}

/* ---- searching ------------------------------------------------------------------------------ */

static enum err_code answer(int code)
{
    if (code == REG_OK)
        return ERR_NONE;
    return code == REG_NOMATCH ? ERR_NOT_FOUND : ERR_MEMORY;
}

static int search_flags(unsigned flags)
{
    return ((flags & REGEX_NOT_BEGIN) != 0 ? REG_NOTBOL : 0) |
           ((flags & REGEX_NOT_END) != 0 ? REG_NOTEOL : 0);
}

enum err_code regex_search(const struct regex *r, const char *text, size_t n, unsigned flags,
                           struct regex_span *spans, size_t n_spans)
{
    regmatch_t found[REGEX_GROUPS_MAX];
    enum err_code rc;

    if (n > INT_MAX)
        return ERR_MEMORY;
    if (n_spans > REGEX_GROUPS_MAX)
        n_spans = REGEX_GROUPS_MAX;
    if (r->no_groups)
        n_spans = 0;
    rc = answer(tre_regnexec(&r->tre, text, n, n_spans, found, search_flags(flags)));
    for (size_t i = 0; rc == ERR_NONE && i < n_spans; i++) {
        bool set = found[i].rm_so >= 0;

        spans[i] = (struct regex_span){set ? (size_t)found[i].rm_so : REGEX_UNSET,
                                       set ? (size_t)found[i].rm_eo : REGEX_UNSET};
    }
    return rc;
}

enum err_code regex_search_near(const struct regex *r, const char *text, size_t n, int max_cost,
                                int *cost)
{
    regaparams_t params = {.cost_ins = 1, .cost_del = 1, .cost_subst = 1, .max_cost = max_cost,
                           .max_ins = INT_MAX, .max_del = INT_MAX, .max_subst = INT_MAX,
                           .max_err = INT_MAX};
    regamatch_t match = {0};
    enum err_code rc;

    if (n > INT_MAX)
        return ERR_MEMORY;
    rc = answer(tre_reganexec(&r->tre, text, n, &match, params, 0));
    if (rc == ERR_NONE)
        *cost = match.cost;
    return rc;
}
