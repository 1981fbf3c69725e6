// SPDX-License-Identifier: MIT
/*
 * What a query found, for a person or a program.
 *
 *   table    time, number, source, level and text, a line each; under a heading where there are
 *            several builds; on a terminal it fits
 *   text     the text alone; events and gaps as tail shows them
 *   json     one array of the records as they stand
 *   jsonl    the records as they stand
 *   summary  how many there are of each level, source and event, the first and the last
 *
 * Hostile text is made harmless in table, text and summary wherever they go, in the others on a
 * terminal (visible.h).
 */
#ifndef READ_QUERY_SHOW_H
#define READ_QUERY_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ulid.h"
#include "read/query.h"
#include "read/render.h"
#include "read/visible.h"

enum query_format { QUERY_TABLE, QUERY_TEXT, QUERY_JSON, QUERY_JSONL, QUERY_SUMMARY };

enum {
    QUERY_NAMES_MAX = 64, /* different sources, and events, that a summary tells apart */
    QUERY_NAME_SIZE = 40
};

struct query_tally {
    char name[QUERY_NAME_SIZE];
    uint64_t n;
};

struct query_tallies {
    struct query_tally of[QUERY_NAMES_MAX];
    size_t n;
    uint64_t others;
};

/* A record that a summary names. */
struct query_place {
    int64_t ts_ms;
    uint64_t seq;
    char id[ULID_SIZE];
};

struct query_show {
    struct sink sink; /* set by the caller, down to columns */
    enum query_format format;
    bool terminal;
    bool colour;
    bool headings;  /* of builds */
    size_t columns; /* 0: not limited */

    const char *id; /* of the build at hand */
    const char *heading;
    bool headed;
    bool any;
    struct renderer renderer;
    struct buf text; /* of one line */
    int64_t minute;  /* that `clock` is about */
    char clock[32];

    uint64_t records, lines, events, gaps, missing;
    uint64_t levels[LEVEL_FATAL + 1];
    struct query_tallies srcs;
    struct query_tallies event_names;
    struct query_place first, last;
};

void query_show_init(struct query_show *s);
void query_show_release(struct query_show *s);

/* The records that follow are of this build; both must live until the next one. heading is
   harmless text of one line. */
void query_show_build(struct query_show *s, const char *id, const char *heading);

enum err_code query_show_record(struct query_show *s, const struct view *v,
                                struct query_shown how) MUST_USE;

/* What comes after the last record. */
enum err_code query_show_end(struct query_show *s) MUST_USE;

#endif
