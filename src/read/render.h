// SPDX-License-Identifier: MIT
/*
 * A record for a person or a program.  Line, event and gap records come out, start records
 * only from the second attempt on (pretty), end records never: how a build ended is for the
 * caller to say.
 *
 *   pretty   the text of a line, made harmless (visible.h); "! " before what came from stderr;
 *            gaps as "… 12 lines missing (log_unwritable) …", events as "-- name key=value"
 *   raw      the bytes that the command wrote, redacted; lines only
 *   jsonl    the records as they stand
 *
 * On a terminal raw text is made harmless too, of the frames of a progress bar only the last is
 * shown, and JSON spells what could act on it as escapes.
 * Memory: as much as the record is long, and what decoding takes (LOG_VALUES_MAX).
 */
#ifndef READ_RENDER_H
#define READ_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "read/visible.h"
#include "store/log_reader.h"

enum render_format { RENDER_PRETTY, RENDER_RAW, RENDER_JSONL };

struct renderer {
    struct sink sink;
    enum render_format format;
    bool terminal; /* what comes out may reach a terminal as it is */
    bool colour;   /* colours of the log, and our own, may be used */
    bool moves;    /* with `terminal`: moves within a line pass, see visible.h */
    char *scratch; /* private */
    size_t scratch_size;
};

void render_release(struct renderer *r);

/* ERR_FORMAT: no record after all, and nothing came out. Other errors are the sink's. */
enum err_code render_item(struct renderer *r, const struct log_item *item,
                          struct err *e) MUST_USE;

/*
 * The text of a line record, in r's scratch: valid until the next call. ptr is NULL if it was
 * recorded without payload. ERR_FORMAT: no record after all.
 */
enum err_code render_text(struct renderer *r, const struct log_item *item, struct raw_span *text,
                          struct err *e) MUST_USE;

/* The source ("stdout" …) of a line record; a span of length 0 if there is none. */
struct raw_span render_source(const struct log_item *item);

#endif
