// SPDX-License-Identifier: MIT
/*
 * Regular expressions over bytes: TRE behind one header, and nothing of TRE in it.
 *
 * The syntax is POSIX extended (re_format(7)) with TRE's additions: \d \w \s \b, non-greedy
 * *? +?, (?i) and back references (https://laurikari.net/tre/documentation/regex-syntax/), but
 * not its approximate groups: regex_search_near is for that.  Patterns and texts are bytes: the
 * program never calls setlocale(3), so that TRE takes every byte for a character, and only
 * ASCII letters have case.  "^" and "$" are the ends of the text, not of lines in it.
 *
 * A compiled expression is not changed by searching and may be used by several threads.
 * Time is linear in the text, except with back references (regex_backrefs).
 */
#ifndef TEXT_REGEX_H
#define TEXT_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

enum {
    REGEX_PATTERN_MAX = 4096, /* bytes */
    /* Characters and sets when every {n} is written out, as TRE does: "(a{255}){255}" would
       take a gigabyte. */
    REGEX_EXPANDED_MAX = 20000,
    /* Pairs of those of which one may follow the other: "((a?){99}){50}" would take some. */
    REGEX_LINKS_MAX = 400000,
    REGEX_GROUPS_MAX = 32, /* groups that can be asked for, the whole match included */
    REGEX_COST_MAX = 16    /* of an approximate match */
};

enum regex_flags {
    REGEX_ICASE = 1,   /* ASCII letters match in either case */
    REGEX_LITERAL = 2, /* the pattern stands for itself */
    REGEX_NO_GROUPS = 4, /* only whether it matches is asked: faster, and no positions */
    REGEX_NOT_BEGIN = 8, /* of a search: "^" does not match where the text begins */
    REGEX_NOT_END = 16   /* of a search: "$" does not match where it ends */
};

struct regex;

/* Where a group matched; begin is REGEX_UNSET when it took no part. */
struct regex_span {
    size_t begin;
    size_t end;
};

#define REGEX_UNSET ((size_t)-1)

/*
 * ERR_USAGE: not a regular expression (e says why and, where that is clear, at which byte,
 * counted from 1), or over one of the bounds above; ERR_MEMORY. Any bytes are fine, NUL too.
 */
enum err_code regex_compile(struct regex **out, const char *pattern, size_t n, unsigned flags,
                            struct err *e) MUST_USE;
void regex_free(struct regex *r); /* NULL is fine */

size_t regex_groups(const struct regex *r);  /* parentheses in the pattern */
bool regex_backrefs(const struct regex *r); /* then a search may take exponential time */

/*
 * The leftmost longest match. ERR_NONE: found, and the first n_spans groups are filled in, 0
 * being the whole (n_spans is 0 with REGEX_NO_GROUPS); ERR_NOT_FOUND; ERR_MEMORY, also when
 * the text is over 2 GiB.
 */
enum err_code regex_search(const struct regex *r, const char *text, size_t n, unsigned flags,
                           struct regex_span *spans, size_t n_spans) MUST_USE;

/*
 * The best match in which at most max_cost bytes (0 to REGEX_COST_MAX) are inserted, deleted
 * or replaced; *cost is how many. Errors as above.
 */
enum err_code regex_search_near(const struct regex *r, const char *text, size_t n, int max_cost,
                                int *cost) MUST_USE;

#endif
