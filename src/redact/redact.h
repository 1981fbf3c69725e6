// SPDX-License-Identifier: MIT
/*
 * Raw bytes in, clean bytes out.  One struct redactor per stream, a push parser that knows
 * no descriptor and no clock: any split of the input gives the same clean bytes and the same
 * marks in the same places.
 *
 * What comes out: every byte that cannot be part of a secret, at once.  What is held: exactly
 * the bytes of a live partial match that the mark would replace (never a public prefix).  A
 * candidate is armed once what was read is a secret by itself; then its mark comes out at
 * once and the rest of it is swallowed.  redactor_finish gives an armed candidate's mark and
 * an unarmed one's bytes.
 */
#ifndef REDACT_REDACT_H
#define REDACT_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* The spans that one call produced, in order. Zero-initialised is valid. */
struct clean_vec {
    struct clean_span *items;
    size_t len;
    size_t cap;
    size_t bytes; /* sum of the lengths */
};

void clean_vec_release(struct clean_vec *v);

enum { REDACT_PREVIEW_MAX = 7 }; /* bytes of a secret that an early look may have shown */

/*
 * What is looked for: the shipped rules that are switched on, known values, the user's own
 * rules. One set serves all redactors of a process and must outlive them; known values may
 * be added while they run.
 */
struct redact_set;

struct redact_options {
    bool generic;           /* tier 3, too: a keyword and a value that looks random */
    const char *const *on;  /* rules or groups switched on beyond the default, by name */
    size_t n_on;
    const char *const *off; /* and off; counts after on */
    size_t n_off;
};

/* o NULL: tiers 1 and 2. ERR_USAGE: an unknown name, which e quotes. */
enum err_code redact_set_new(struct redact_set **out, const struct redact_options *o,
                             struct err *e) MUST_USE;
void redact_set_free(struct redact_set *set); /* values are zeroed; NULL is fine */

/* The rules of a set by number, as the end record counts them. */
size_t redact_set_rules(const struct redact_set *set);
const char *redact_set_rule_name(const struct redact_set *set, size_t rule);

struct redact_rule_info {
    const char *name;
    const char *group; /* tier1 tier2 generic email phone card iban home own */
    const char *description;
    bool on;
};

void redact_set_rule_info(const struct redact_set *set, size_t rule,
                          struct redact_rule_info *info);

/*
 * An example of what the rule finds, made up on the spot (the same one each time): never a
 * real secret, and nowhere written down. Returns its length; 0 if the rule has none or dst is
 * too small.
 */
size_t redact_set_rule_example(const struct redact_set *set, size_t rule, char *dst, size_t size);

/*
 * Switches on the rule add-mask: a line "::add-mask::VALUE" hands its value, as it was
 * written, to fn once the line is complete. fn may add it to the set: it then counts from the
 * next byte of its own stream and the next call of the others. NULL switches it off.
 */
typedef void redact_mask_fn(void *ctx, const char *value, size_t len);
void redact_set_on_mask(struct redact_set *set, redact_mask_fn *fn, void *ctx);

/*
 * A thread other than the one that delivers may feed redactors of this set: they call nobody
 * (redact_set_on_mask), and REDACT_STACK bytes of stack do for them, which rules of the user's
 * own, whose expressions take what they need, may exceed. Only one thread at a time uses a set.
 */
enum { REDACT_STACK = 512 << 10 };
bool redact_set_suits_thread(const struct redact_set *set);

/*
 * A value to be removed wherever it appears, with its derived forms; also while redactors run.
 * name: for reports (the variable's name), may be NULL. The value is copied, and zeroed when the
 * set is freed. ERR_REFUSED: not a value to look for, e says why; ERR_MEMORY.
 */
enum err_code redact_set_add_value(struct redact_set *set, const char *name, const char *value,
                                   size_t len, struct err *e) MUST_USE;

/*
 * A rule of the user's own. name: [A-Za-z0-9_-]{1,64}, not that of a shipped rule or of a group;
 * pattern: an extended regular expression; group: the parenthesis that is the secret, 0 for all
 * of the match; literal: what a line must hold to be looked at, or NULL. ERR_USAGE: e says which
 * rule, where in it, and why. Before the set's first redactor is made, like fields.
 */
enum err_code redact_set_add_rule(struct redact_set *set, const char *name, const char *pattern,
                                  unsigned group, const char *literal, struct err *e) MUST_USE;

/* A field whose value is a secret: "password", "db.secret". ERR_USAGE: no such path. */
enum err_code redact_set_add_field(struct redact_set *set, const char *path,
                                   struct err *e) MUST_USE;

struct redactor;

/* set NULL makes the stage that --redact off and --forward raw are: everything comes out. */
enum err_code redactor_new(struct redactor **out, struct redact_set *set,
                           struct err *e) MUST_USE;
void redactor_free(struct redactor *r); /* held bytes are zeroed; NULL is fine */

/* From here on lines that register a value pass this redactor byte for byte, and register
   nothing: for a reader that acts on them. */
void redactor_pass_mask_lines(struct redactor *r);

/*
 * Takes the next bytes of the stream and replaces the contents of out by what may come out
 * now. Spans point into `in`, into the redactor or into constants: valid until the call after
 * the next for this redactor (the next one may be under way in another thread while they are
 * used) and as long as `in` is. ERR_MEMORY: nothing of `in` was taken.
 */
enum err_code redactor_feed(struct redactor *r, struct raw_span in,
                            struct clean_vec *out) MUST_USE;

/* End of the stream: what is held comes out as the header says. */
enum err_code redactor_finish(struct redactor *r, struct clean_vec *out) MUST_USE;

/*
 * For the terminal only, after a pause: the held bytes that may be shown early, at most
 * REDACT_PREVIEW_MAX of any secret. They stay held; when they come out later, the span's
 * `shown` says how many leading bytes the terminal has already. The span is valid until the
 * next call. len 0: nothing to show.
 */
struct clean_span redactor_preview(struct redactor *r);

/* True while bytes that may be shown early are held: the caller runs the timer. */
bool redactor_wants_preview(const struct redactor *r);

/* True while bytes of a secret or of a live candidate are held back, shown early or not. */
bool redactor_holding(const struct redactor *r);

/* Marks made so far, per rule of the set (0 everywhere without one) and together. */
uint64_t redactor_marks(const struct redactor *r, size_t rule);
uint64_t redactor_marks_total(const struct redactor *r);

/*
 * One whole text (an argument, a directory, a label) through a fresh redactor of the set,
 * appended to b. *out points into b's storage, so it is valid until b next grows;
 * b is bounded by its own ceiling.
 */
enum err_code redact_text(struct raw_span in, struct redact_set *set, struct buf *b,
                          struct clean_span *out) MUST_USE;

/* Text that buildlog itself made (numbers, names of its own tables). Never for input. */
struct clean_span clean_constant(const char *text);

#endif
