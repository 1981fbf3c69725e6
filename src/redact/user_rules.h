// SPDX-License-Identifier: MIT
/*
 * Rules of the user's own: extended regular expressions (text/regex.h) with a name.
 *
 * They are matched line by line; "\n" and "\r" end a line. Escape sequences (CSI, character
 * sets) are left out before a rule sees the line. Every match of every rule counts; after one
 * the search goes on behind it.
 *
 *   anchored  every match begins with a literal that stands at the pattern's beginning: bytes
 *             are held from that literal to the end of the line, other lines not at all.
 *   others    hold every line until it is complete. They are run on lines that contain their
 *             literal, or without one a text that the pattern requires; where there is none
 *             such either, on every line, at a few ten megabytes a second.
 *
 * A line of more than USER_WINDOW held bytes is decided window by window: a match of up to
 * USER_OVERLAP bytes is found wherever it lies; one that is longer and still open where a
 * window ends hides the rest of its line.
 */
#ifndef REDACT_USER_RULES_H
#define REDACT_USER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "redact/sink.h"

enum {
    USER_RULES_MAX = 64,
    USER_NAME_MAX = 64,
    USER_LITERAL_MAX = 64,
    USER_WINDOW = 4096,  /* bytes held at most */
    USER_OVERLAP = 1024, /* bytes of a window that the next one sees again */
    USER_MATCHES_MAX = 512 /* of one rule in one window: beyond, the rest of it is hidden */
};

/* The rules, the same for all streams; not changed once streams use them. */
struct user_rules;

enum err_code user_rules_new(struct user_rules **out, struct err *e) MUST_USE;
void user_rules_free(struct user_rules *set); /* NULL is fine */

/*
 * Adds a rule. name: 1 to 64 of [A-Za-z0-9_-], neither a shipped rule's nor one of this set.
 * group: which parenthesis is the secret, 0 the whole match; where it took no part in a match,
 * nothing is hidden. literal: NULL, or a text without which a line is not looked at.
 * ERR_USAGE says which rule and why (no regular expression, a back reference, matches nothing
 * everywhere, no such group, a rule too many); ERR_MEMORY. The set is unchanged then.
 */
enum err_code user_rules_add(struct user_rules *set, const char *name, const char *pattern,
                             unsigned group, const char *literal, struct err *e) MUST_USE;

size_t user_rules_count(const struct user_rules *set);
const char *user_rules_name(const struct user_rules *set, size_t rule);
const char *user_rules_mark(const struct user_rules *set, size_t rule); /* "[REDACTED:name]" */

/* The literal that the rule's matches begin with; NULL: the rule holds every line. */
const char *user_rules_anchor(const struct user_rules *set, size_t rule);

/* One stream. Its inside is user_rules.c's own. */
struct user_lines {
    const struct user_rules *set;
    struct match_sink sink;
    uint64_t start;   /* of what is held; offsets[] count from here; POS_NONE: nothing is */
    uint64_t seen;    /* rules whose required text occurred on this line */
    uint32_t open;    /* match that hides the rest of the line, if `hiding` */
    uint32_t len;     /* of text, the context not counted */
    int16_t context;  /* the byte before text; NO_CONTEXT: the line begins with it */
    uint8_t escape;   /* within an escape sequence */
    bool certain;     /* an anchor was found: hold to the end of the line */
    bool hiding;
    uint16_t resume[USER_RULES_MAX]; /* where each rule goes on in text */
    uint16_t offsets[USER_WINDOW];   /* of each byte of text */
    uint8_t text[USER_WINDOW + 1];   /* [0] is the context */
};

void user_lines_init(struct user_lines *l, const struct user_rules *set,
                     const struct match_sink *sink);

/* True while every byte must be stepped over. */
static inline bool user_lines_live(const struct user_lines *l)
{
    return l->start != POS_NONE || l->hiding || l->escape != 0;
}

/* Not live: the first byte of data[from, len) that must be stepped over; len: none. What lies
   before it is done with. */
size_t user_lines_skip(struct user_lines *l, const uint8_t *data, size_t len, size_t from);

void user_lines_step(struct user_lines *l, uint8_t byte, uint64_t pos);

/* The stream ends at pos. */
void user_lines_finish(struct user_lines *l, uint64_t pos);

/* Bytes from here on are held. */
static inline uint64_t user_lines_hold(const struct user_lines *l)
{
    return l->start;
}

#endif
