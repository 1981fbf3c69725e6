// SPDX-License-Identifier: MIT
/*
 * What a command's lines say of its progress, for --idle-timeout and --stall-timeout: the last
 * line, and whether a line came of a shape that was not there lately (text/line_shape.h).
 *
 * Invariant: memory is fixed. The shapes are kept in sets of a few, each in the order of last
 * use; a new one takes the place of the oldest of its set.
 */
#ifndef RUN_LINE_WATCH_H
#define RUN_LINE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "redact/clean_buf.h"

enum {
    WATCH_SETS = 512,
    WATCH_WAYS = 8, /* 4096 shapes together */
    WATCH_LAST_MAX = 512 /* bytes of the last line */
};

struct line_watch {
    bool on;
    uint64_t *shapes;      /* [WATCH_SETS][WATCH_WAYS]; NULL: not asked for; 0: none */
    bool fresh;            /* a new shape since this was last cleared */
    struct clean_buf last; /* its beginning */
};

/* ERR_MEMORY leaves it released. */
enum err_code line_watch_init(struct line_watch *w, bool shapes) MUST_USE;
void line_watch_release(struct line_watch *w);

void line_watch_take(struct line_watch *w, struct clean_span line);

#endif
