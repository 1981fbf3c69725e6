// SPDX-License-Identifier: MIT
/*
 * A build as an asciicast, the recordings of asciinema, version 2 or 3: JSON, a header and then one
 * event a line, "o" for output; version 3 has the time since the event before and an "x" event with
 * the exit status. docs.asciinema.org/manual/asciicast/v2 and /v3.
 *
 * Lines end in CR LF, as on a terminal. Of escape sequences those pass that colour, or move within
 * the line; all others are made visible (visible.h), so that a recording can do no more to a
 * terminal than show text. A new size of the command's terminal is an "r" event. Places where
 * records are missing are shown as text. No memory but the renderer's. Called by cmd/export.
 */
#ifndef READ_CAST_H
#define READ_CAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "read/render.h"

enum { CAST_V2 = 2, CAST_V3 = 3 };

struct cast_header {
    unsigned columns, rows;
    int64_t started_ms; /* since 1970; -1: not known */
    const char *title;   /* any text; NULL: none */
    const char *command; /* likewise */
};

struct cast {
    struct sink sink;
    int version;
    struct renderer renderer;
    int64_t at_ms;   /* of the event at hand */
    int64_t last_ms; /* of the event before */
    bool open;       /* that event is begun */
    bool one_size;   /* the caller's wish: no "r" events */
};

/* The size that a start record or a resize event gives, if it gives one. */
bool cast_size(const struct record *r, unsigned *columns, unsigned *rows);
enum { CAST_CELLS_MAX = 10000 }; /* more is no terminal */

void cast_init(struct cast *c, struct sink sink, int version);
void cast_release(struct cast *c);

enum err_code cast_begin(struct cast *c, const struct cast_header *h) MUST_USE;

/* The next record, at_ms after the beginning. ERR_FORMAT: no record after all, nothing came out. */
enum err_code cast_item(struct cast *c, const struct log_item *item, int64_t at_ms,
                        struct err *e) MUST_USE;

/* exit_status -1: not known. */
enum err_code cast_end(struct cast *c, int64_t at_ms, int exit_status) MUST_USE;

#endif
