// SPDX-License-Identifier: MIT
/*
 * Which records a query wants, asked twice: first of the bytes of a log, cheaply, then of the
 * few lines that may match, exactly.
 *
 *   filter_next    the next line in a piece of a log that may match: one that holds some bytes
 *                  without which no record can match, or that spells characters in a way of
 *                  which that cannot be said. Where no such bytes are known it is every line.
 *   filter_check   whether it does, by the decoded record.
 *
 * Invariant: filter_next passes over no line that filter_check would take (tests/unit/filter.c).
 * Both say the same whatever the output is, so that every format shows the same records.
 *
 * A filter is not changed once it is made. What one worker needs to search one build is a
 * struct filter_run; memory: as much as the longest line, and what decoding it takes.
 */
#ifndef READ_FILTER_H
#define READ_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"
#include "read/level.h"
#include "read/line_text.h"
#include "record/record.h"
#include "store/log_reader.h"
#include "text/find.h"
#include "text/regex.h"

enum {
    FILTER_NEEDLES_MAX = 16, /* byte strings looked for at once */
    FILTER_COSTS = 2 * REGEX_COST_MAX + 1 /* of a view: words and regexes together */
};

/* Any of these will do; n 0: not asked. */
struct filter_words {
    const char *const *items;
    size_t n;
};

struct filter_spec {
    int64_t since_ms; /* ts at least this … */
    int64_t until_ms; /* … and below that; INT64_MIN and INT64_MAX: not asked */
    struct filter_words srcs;
    struct filter_words events;
    struct filter_words words;    /* substrings of msg */
    struct filter_words regexes;  /* that match somewhere in msg */
    struct filter_words tools;    /* label or key "tool", of the build or of an event */
    struct filter_words sessions; /* the same with "session" */
    enum level level;             /* this or worse; LEVEL_NONE: not asked */
    bool icase;                   /* of the regexes */
    int fuzzy;                    /* words and regexes within so many changes; 0: exactly */
};

struct filter;

/* What spec points to must outlive the filter. ERR_USAGE: a regular expression is none. */
enum err_code filter_new(struct filter **out, const struct filter_spec *spec,
                         struct err *e) MUST_USE;
void filter_free(struct filter *f); /* NULL is fine */

/* A record as filters and formats see it; valid until the next one, or the run's release. */
struct view {
    struct raw_span json; /* as it stands in the log, without its newline */
    enum record_kind kind; /* RECORD_LINE, RECORD_EVENT or RECORD_GAP */
    uint64_t from, seq;
    int64_t ts_ms;
    struct raw_span src; /* of a line, else "" */
    struct raw_span msg; /* decoded */
    bool has_msg;
    int64_t len;          /* of a line that was recorded without payload; else -1 */
    int cost;             /* of an approximate match, below FILTER_COSTS; 0 otherwise */
    bool decoded;
    struct record record; /* if decoded: always for events and gaps */
};

enum level view_level(const struct view *v);

struct level_hint;

struct filter_run {
    const struct filter *filter;
    bool tool_fits;    /* by the build's labels, so that every record does */
    bool session_fits;
    const struct find *needles;
    size_t n_needles;
    const struct level_hint *hint; /* in place of needles; may be NULL */
    struct line_text seen; /* for the hint */
    const char *hinted;
    const char *next[FILTER_NEEDLES_MAX + 1]; /* where each needle, and an odd escape, is next */
    char *scratch;
    size_t scratch_size;
    struct view view;
};

/* For one build; start (its first start record, may be NULL) is not kept. */
void filter_run_init(struct filter_run *run, const struct filter *f, const struct record *start);
void filter_run_release(struct filter_run *run);

/* Begins a new piece: what filter_next remembered is forgotten. */
void filter_run_piece(struct filter_run *run);

/*
 * The beginning of the next line in [from, end) that may match; NULL: none. The bytes are whole
 * lines, from is where one begins and never decreases within a piece.
 */
const char *filter_next(struct filter_run *run, const char *from, const char *end);

/*
 * Whether a line (without its newline) matches: ERR_NONE, and run->view holds it;
 * ERR_NOT_FOUND; ERR_FORMAT: it is no record; ERR_MEMORY.
 */
enum err_code filter_check(struct filter_run *run, const char *line, size_t n) MUST_USE;

/* The same without asking the filter: ERR_NOT_FOUND for start, end and foreign records. */
enum err_code filter_view(struct filter_run *run, const char *line, size_t n) MUST_USE;

/* True if no record is refused. */
bool filter_takes_all(const struct filter *f);

/* True if every line is looked at one by one (tests, explanations). */
bool filter_needs_all(const struct filter_run *run);

#endif
