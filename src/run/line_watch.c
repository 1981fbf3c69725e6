// SPDX-License-Identifier: MIT
#include "run/line_watch.h"

#include <stdlib.h>
#include <string.h>

#include "text/line_shape.h"
#include "text/utf8.h"

enum err_code line_watch_init(struct line_watch *w, bool shapes)
{
    *w = (struct line_watch){.on = true};
    clean_buf_init(&w->last, WATCH_LAST_MAX);
    if (!shapes)
        return ERR_NONE;
    w->shapes = calloc((size_t)WATCH_SETS * WATCH_WAYS, sizeof(*w->shapes));
    return w->shapes != NULL ? ERR_NONE : ERR_MEMORY;
}

void line_watch_release(struct line_watch *w)
{
    clean_buf_release(&w->last);
    free(w->shapes);
    *w = (struct line_watch){0};
}

/* True if it was not there. It is the youngest of its set now. */
static bool note_shape(struct line_watch *w, uint64_t shape)
{
    uint64_t *set = w->shapes + (shape % WATCH_SETS) * WATCH_WAYS;
    size_t at = 0;
    bool known;

    shape = shape != 0 ? shape : 1;
    while (at < WATCH_WAYS - 1 && set[at] != shape)
        at++;
    known = set[at] == shape;
    memmove(set + 1, set, at * sizeof(*set));
    set[0] = shape;
    return !known;
}

void line_watch_take(struct line_watch *w, struct clean_span line)
{
    if (line.len == 0)
        return;
    if (w->shapes != NULL && note_shape(w, line_shape((struct raw_span){line.ptr, line.len})))
        w->fresh = true;
    if (line.len > WATCH_LAST_MAX)
        line = clean_sub(line, 0, utf8_cut(line.ptr, WATCH_LAST_MAX));
    clean_buf_consume(&w->last, w->last.bytes.len);
    (void)!clean_buf_put(&w->last, line); /* without memory: none */
}
