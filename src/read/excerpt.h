// SPDX-License-Identifier: MIT
/*
 * Records of a log as numbered lines of bounded length, for output that must be short and from
 * which every record can be asked for again by its number:
 *
 *        123 ! src/main.c:12:5: error: 'x' undeclared
 *
 * One record is one line, harmless for a terminal and without colours, and begins with blanks and
 * a number, never with what the log says. Called by cmd/.
 */
#ifndef READ_EXCERPT_H
#define READ_EXCERPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "read/render.h"
#include "store/log_reader.h"

struct excerpt {
    struct renderer renderer; /* private */
    struct buf line;          /* the last record, without a newline */
    size_t line_max;          /* bytes of a record's text that are shown */
    uint64_t dropped;         /* bytes of the last record that are not */
};

void excerpt_init(struct excerpt *x, size_t line_max);
void excerpt_release(struct excerpt *x);

/* Fills x->line; of length 0 for a record that has nothing to show. mark stands before the number:
   ' ' or '>'. ERR_FORMAT: no record after all. */
enum err_code excerpt_render(struct excerpt *x, const struct log_item *item, char mark,
                             struct err *e) MUST_USE;

struct excerpt_visitor {
    /* *more false ends the walk. */
    enum err_code (*visit)(void *arg, const struct log_item *item, bool *more, struct err *e);
    void *arg;
};

/* Visits the records that stand for any of the numbers from to to, from the start of the log;
   start records among them, no end records. */
enum err_code excerpt_walk(struct log_reader *r, uint64_t from, uint64_t to,
                           struct excerpt_visitor visitor, struct err *e) MUST_USE;

#endif
