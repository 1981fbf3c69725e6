// SPDX-License-Identifier: MIT
#include "read/excerpt.h"

#include <inttypes.h>
#include <string.h>

#include "text/plain.h"
#include "text/utf8.h"

/* What is rendered, as far as there is room; the rest is counted. */
static enum err_code put(void *arg, const char *text, size_t n)
{
    struct excerpt *x = arg;

    for (size_t i = 0; i < n; i++) {
        bool lf = text[i] == '\n'; /* within a record it would forge another line */
        const char *piece = lf ? "^J" : text + i;
        size_t len = lf ? 2 : 1;

        if (x->dropped > 0 || x->line.len + len > x->line.max)
            x->dropped += 1;
        else if (buf_put(&x->line, piece, len) != ERR_NONE)
            return ERR_MEMORY;
    }
    return ERR_NONE;
}

enum { NUMBER_MAX = 32, LF_SHOWN = 2 };

void excerpt_init(struct excerpt *x, size_t line_max)
{
    *x = (struct excerpt){.line_max = line_max};
    buf_init(&x->line, NUMBER_MAX + line_max + LF_SHOWN);
    x->renderer = (struct renderer){.sink = {put, x}, .format = RENDER_PRETTY, .terminal = true};
}

void excerpt_release(struct excerpt *x)
{
    render_release(&x->renderer);
    buf_release(&x->line);
}

/* The record's own newline came out as "^J"; what was cut ends with a whole character. */
static void trim(struct excerpt *x, size_t begin)
{
    if (x->dropped > 0) {
        x->dropped--; /* the newline */
        x->line.len = begin + utf8_cut(x->line.data + begin, x->line.len - begin);
    } else {
        x->line.len -= LF_SHOWN;
    }
    if (x->line.len - begin > x->line_max) { /* there was room for the newline only */
        size_t n = utf8_cut(x->line.data + begin, x->line_max);

        x->dropped += x->line.len - begin - n;
        x->line.len = begin + n;
    }
}

/* Colours and erasures of a tool that took its pipe for a terminal say nothing here. */
static enum err_code put_line(struct excerpt *x, struct raw_span text, bool on_stderr)
{
    enum err_code rc = on_stderr ? sink_puts(&x->renderer.sink, "! ") : ERR_NONE;

    text = plain_escapes(text, x->renderer.scratch);
    if (rc == ERR_NONE)
        rc = visible_put(&x->renderer.sink, text,
                         (struct visible){.colour = COLOUR_VISIBLE, .last_frame = true});
    return rc == ERR_NONE ? sink_puts(&x->renderer.sink, "\n") : rc;
}

static enum err_code put_record(struct excerpt *x, const struct log_item *item, struct err *e)
{
    struct raw_span text = {NULL, 0};
    struct raw_span src;
    enum err_code rc = ERR_NONE;

    if (item->kind == RECORD_LINE)
        rc = render_text(&x->renderer, item, &text, e);
    if (rc != ERR_NONE || text.ptr == NULL)
        return rc != ERR_NONE ? rc : render_item(&x->renderer, item, e);
    src = render_source(item);
    return put_line(x, text, src.len == 6 && memcmp(src.ptr, "stderr", 6) == 0);
}

enum err_code excerpt_render(struct excerpt *x, const struct log_item *item, char mark,
                             struct err *e)
{
    enum err_code rc;
    size_t begin;

    x->renderer.sink.arg = x;
    x->line.len = 0;
    x->dropped = 0;
    x->line.max = NUMBER_MAX;
    rc = item->seq > 0 ? buf_printf(&x->line, "%c%8" PRIu64 " ", mark, item->seq)
                       : buf_printf(&x->line, "%c%8s ", mark, "");
    if (rc != ERR_NONE)
        return rc;
    begin = x->line.len;
    x->line.max = begin + x->line_max + LF_SHOWN;
    rc = put_record(x, item, e);
    if (rc != ERR_NONE)
        return rc;
    if (x->line.len == begin)
        x->line.len = 0;
    else
        trim(x, begin);
    return ERR_NONE;
}

enum err_code excerpt_walk(struct log_reader *r, uint64_t from, uint64_t to,
                           struct excerpt_visitor visitor, struct err *e)
{
    struct log_item item;
    bool have = true;
    bool more = true;
    uint64_t last = 0; /* number seen */
    enum err_code rc = log_reader_rewind(r, e);

    while (rc == ERR_NONE && more && last < to) {
        rc = log_reader_next(r, &item, &have, e);
        if (rc != ERR_NONE || !have)
            break;
        if (item.kind == RECORD_END || item.kind == RECORD_FOREIGN)
            continue;
        if (item.kind == RECORD_START ? last > 0 && last + 1 >= from
                                      : item.seq >= from && item.from <= to)
            rc = visitor.visit(visitor.arg, &item, &more, e);
        if (item.kind != RECORD_START)
            last = item.seq;
    }
    return rc;
}
