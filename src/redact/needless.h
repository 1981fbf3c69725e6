// SPDX-License-Identifier: MIT
/*
 * What the bytes at hand tell of a row before a candidate is made of it: most anchors come to
 * nothing, above all in floods of them, and are told so by fewer steps than a candidate takes.
 * Nothing here changes what comes out: a row is needless only if a candidate of it would die
 * without a trace.
 */
#ifndef REDACT_NEEDLESS_H
#define REDACT_NEEDLESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/escape.h"
#include "redact/rules.h"
#include "redact/stream.h"

__attribute__((noinline)) size_t row_class_look(struct redactor *r, uint16_t class, size_t at,
                                                size_t n);

/* How many of the n bytes from index `at` of the input on are of the class. Looked at once,
   however many candidates, live or to come, ask. */
static inline size_t row_class_run(struct redactor *r, uint16_t class, size_t at, size_t n)
{
    const struct class_memo *m = &r->runs[class];
    uint64_t pos = r->base + at;

    return m->from <= pos && pos + n <= m->upto ? n : row_class_look(r, class, at, n);
}

/* What began earlier in the same endless item, other than self, ends where one would that has
   its secret begin at `start`, and comes to whatever that would: it has taken the same bytes,
   and more; but not many more, or it may give up before. */
bool row_under_way(const struct redactor *r, const struct candidate *self,
                   const struct rule_item *it, uint64_t start);

/* Nothing can begin with the byte. Most rows end here, */
static inline bool row_refuses(const struct rule *rule, uint8_t byte)
{
    return !rule_class_has(rule_classes[rule->begins], byte);
}

/* and most anchors with them: the byte at pos tells, if it is at hand. One row is asked itself. */
static inline bool anchor_refuses(const struct redactor *r, const struct anchor *a, uint64_t pos)
{
    const uint32_t *begins = rule_classes[a->begins[r->set->level > 0]];

    return a->n_rules > 1 && pos >= r->base && pos - r->base < r->in_len &&
           !rule_class_has(begins, r->in[pos - r->base]);
}

/* An anchor that a row may begin behind. */
struct before_row {
    uint64_t anchor; /* where it begins */
    uint64_t end;
};

/* The bytes at hand show that no secret begins with the row, or that it is under way. If the
   anchor's end is ahead of what lives: as long as that takes the bytes up to there without a
   decision. */
__attribute__((noinline)) bool row_needless(struct redactor *r, const struct rule *rule,
                                            const struct before_row *b);

#endif
