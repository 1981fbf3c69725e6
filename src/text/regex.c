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

/* A walk over a pattern that knows just enough of the syntax to tell atoms from repetitions. */
struct walk {
    const char *at;
    const char *end;
    uint64_t sum[NESTING_MAX + 1]; /* of each open group */
    uint64_t last;                 /* of the last atom, contained in its sum */
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

/* The largest number in the braces that begin at w->at, which is moved behind them. TRE's
   approximate ones are refused: repeated ones crash TRE 0.8. */
static uint64_t largest_bound(struct walk *w)
{
    uint64_t largest = 1;
    uint64_t number = 0;

    for (w->at++; w->at < w->end && *w->at != '}'; w->at++) {
        bool digit = *w->at >= '0' && *w->at <= '9';

        if (!digit && *w->at != ',')
            w->why = "Invalid contents of {}";
        number = digit ? number * 10 + (uint64_t)(*w->at - '0') : 0;
        if (number > REGEX_EXPANDED_MAX)
            number = REGEX_EXPANDED_MAX + 1;
        if (number > largest)
            largest = number;
    }
    w->at += w->at < w->end ? 1 : 0;
    return largest;
}

static void atom(struct walk *w, uint64_t size)
{
    w->last = size;
    w->sum[w->depth] += size;
}

static void close_group(struct walk *w)
{
    uint64_t size = w->sum[w->depth];

    w->depth--;
    atom(w, size);
}

static void repeat(struct walk *w)
{
    uint64_t more = w->last * (largest_bound(w) - 1);

    w->last += more;
    w->sum[w->depth] += more;
}

/* \Q…\E is literal text; any other escape is one atom of two bytes. Of \0 TRE makes a back
   reference to the whole, and loops or crashes. */
static void escape(struct walk *w)
{
    size_t left = (size_t)(w->end - w->at);
    const char *end;

    atom(w, 1);
    if (left >= 2 && w->at[1] == '0')
        w->why = "Invalid back reference";
    if (left < 2 || w->at[1] != 'Q') {
        w->at += left < 2 ? left : 2;
        return;
    }
    end = memmem(w->at, left, "\\E", 2);
    atom(w, left);
    w->at = end != NULL ? end + 2 : w->end;
}

static void open_group(struct walk *w)
{
    if (w->depth == NESTING_MAX) {
        w->why = "its parentheses nest too deep";
        return;
    }
    w->sum[++w->depth] = 0;
    w->last = 0;
    w->at++;
}

static void bracket(struct walk *w)
{
    const char *next = behind_bracket(w->at, w->end);

    if (next == NULL)
        w->why = "Missing ']', or a class name that is none";
    w->at = next != NULL ? next : w->at + 1; /* the place named is the bracket's */
    atom(w, 1);
}

/* One atom, parenthesis or bound. */
static void step(struct walk *w)
{
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
    default:
        atom(w, 1);
        w->at++;
    }
    if (w->sum[w->depth] > REGEX_EXPANDED_MAX)
        w->why = "with its repetitions written out it is too large";
}

/* What TRE must not be given, in words; NULL: nothing. *place: the byte, from 1. */
static const char *refusal(const char *pattern, size_t n, size_t *place)
{
    struct walk w = {.at = pattern, .end = pattern + n};

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
