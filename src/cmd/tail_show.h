// SPDX-License-Identifier: MIT
/*
 * Which records `buildlog tail` shows, and how: what the filters pass (read/filter.h, the same
 * records that query finds) in one of three forms. What a filter or a form hides although a
 * reader would want to know of it is counted.
 *
 * Memory: the longest line a few times; what it took is given back.
 */
#ifndef CMD_TAIL_SHOW_H
#define CMD_TAIL_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "read/filter.h"
#include "read/render.h"
#include "read/runner.h"
#include "store/log_reader.h"

struct tail_show {
    struct runner_guard guard; /* before the output, where a runner of GitHub Actions reads it */
    struct renderer renderer;
    struct renderer scale; /* counts what the same would take */
    uint64_t weight;
    uint64_t cut; /* bytes at the beginning of the output that are left out */
    const char **words; /* what spec points into */
    size_t n_words;
    struct filter_spec spec;
    struct filter *filter; /* NULL: everything passes */
    struct filter_run run;
    enum err_code trouble; /* ERR_MEMORY once there was none for a filter */
    bool damaged;          /* the last item asked about is no record after all */
    uint64_t gaps;         /* that were not shown */
    uint64_t missing;      /* lines that they stand for */
};

/* o is set up, and outlives s. ERR_USAGE: a regular expression is none. To be released in any
   case. */
enum err_code tail_show_init(struct tail_show *s, struct out *o, const struct cmd_args *args,
                             struct err *e) MUST_USE;
void tail_show_release(struct tail_show *s);

/* Nothing follows: what the guard holds back comes out. */
enum err_code tail_show_end(struct tail_show *s) MUST_USE;

/* Whether it is one of the records that are counted and shown. */
bool tail_show_wants(struct tail_show *s, const struct log_item *item);

/* Bytes that showing it takes, also where it is a start record. */
uint64_t tail_show_weigh(struct tail_show *s, const struct log_item *item);

/* Shows it if it is wanted, or a start record. ERR_FORMAT: it is no record; others are the
   output's, or memory's. */
enum err_code tail_show_put(struct tail_show *s, const struct log_item *item,
                            struct err *e) MUST_USE;

#endif
