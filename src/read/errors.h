// SPDX-License-Identifier: MIT
/*
 * What went wrong in a build: the errors that its tools reported, and which of them came first.
 *
 * A push parser over the records of a log, in order. Line by line it looks for the shapes of
 * errors.tab, colours and time stamps stripped, and puts together what takes several lines (a
 * traceback, a compiler's arrow to the file) for each stream of its own. Only the last attempt of
 * a log counts.
 *
 *   rank      cascade < line < general < suspect < cause < decisive (errors.tab says what is what;
 *             "line": of a shape that is not known, but its level is error or worse)
 *   first     of the errors with the highest rank the one that came first
 *
 * Memory is bounded by ERRORS_MAX, whatever the log holds; an error that repeats is counted.
 * Called by cmd/.
 */
#ifndef READ_ERRORS_H
#define READ_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"
#include "store/log_reader.h"
#include "store/state.h"

enum {
    ERRORS_MAX = 200, /* distinct errors that are kept; of more the worst ones */
    ERROR_FILE_MAX = 512,
    ERROR_CODE_MAX = 24,
    ERROR_MESSAGE_MAX = 1024 /* longer ones are cut */
};

enum error_rank {
    RANK_NONE,
    RANK_DROP, /* these two are no errors */
    RANK_NOTE,
    RANK_CASCADE,
    RANK_LINE,
    RANK_GENERAL,
    RANK_SUSPECT,
    RANK_CAUSE,
    RANK_DECISIVE
};

/* Texts are UTF-8 as the log has it, not harmless. */
struct error_finding {
    enum error_rank rank;
    const char *tool; /* "" if not known */
    uint64_t seq;     /* the record that it begins with */
    uint64_t last_seq; /* the last one that belongs to it */
    uint64_t times;   /* how often the very same was reported */
    uint32_t line, column; /* 0: not known */
    char file[ERROR_FILE_MAX]; /* "" if not known */
    char code[ERROR_CODE_MAX];
    char message[ERROR_MESSAGE_MAX];
};

struct errors;

enum err_code errors_new(struct errors **out, struct err *e) MUST_USE;
void errors_free(struct errors *f); /* NULL is fine */

/* The next record; text is what render_text gives for a line, and not looked at for others. */
void errors_record(struct errors *f, const struct log_item *item, struct raw_span text);

/* No more records; how the build stands is a finding, too, where it says why it ended. */
void errors_finish(struct errors *f, const struct build_report *report);

/* In the order of the log. */
size_t errors_count(const struct errors *f);
const struct error_finding *errors_at(const struct errors *f, size_t i);

/* Distinct errors that were not kept. */
uint64_t errors_dropped(const struct errors *f);

/* What everything else follows from, NULL if nothing was found. */
const struct error_finding *errors_first(const struct errors *f);

/* "cascade", "line", … */
const char *error_rank_name(enum error_rank rank);

#endif
