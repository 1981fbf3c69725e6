// SPDX-License-Identifier: MIT
#include "read/cast.h"

#include <inttypes.h>
#include <string.h>

#include "text/json.h"
#include "text/utf8.h"

enum { PIECE = 1024, MS_PER_S = 1000 };

/* ---- JSON ------------------------------------------------------------------------------------ */

/* Text within a JSON string. Every call has whole characters. */
static enum err_code put_escaped(const struct sink *s, const char *text, size_t n)
{
    char escaped[6 * PIECE + JSON_ESCAPE_SLACK];
    enum err_code rc = ERR_NONE;

    while (n > 0 && rc == ERR_NONE) {
        size_t now = n <= PIECE ? n : utf8_cut(text, PIECE);
        uint64_t bad = 0;
        char *end = json_escape(escaped, text, now, &bad);

        rc = sink_put(s, escaped, (size_t)(end - escaped));
        text += now;
        n -= now;
    }
    return rc;
}

static enum err_code put_member(struct cast *c, const char *key, const char *text)
{
    enum err_code rc;

    if (text == NULL || text[0] == '\0')
        return ERR_NONE;
    rc = sink_printf(&c->sink, ", \"%s\": \"", key);
    if (rc == ERR_NONE)
        rc = put_escaped(&c->sink, text, strlen(text));
    return rc == ERR_NONE ? sink_puts(&c->sink, "\"") : rc;
}

static enum err_code put_seconds(struct cast *c, int64_t ms)
{
    return sink_printf(&c->sink, "%" PRId64 ".%03d", ms / MS_PER_S, (int)(ms % MS_PER_S));
}

/* ---- events ---------------------------------------------------------------------------------- */

/* `[TIME, "CODE", "`: version 2 counts from the beginning, version 3 from the event before. */
static enum err_code begin_event(struct cast *c, char code)
{
    int64_t since = c->version == CAST_V3 ? c->last_ms : 0;
    enum err_code rc = sink_puts(&c->sink, "[");

    if (rc == ERR_NONE)
        rc = put_seconds(c, c->at_ms - since);
    c->last_ms = c->at_ms;
    return rc == ERR_NONE ? sink_printf(&c->sink, ", \"%c\", \"", code) : rc;
}

/* What the renderer makes of a record. An event is begun once there is anything for it. */
static enum err_code put_output(void *arg, const char *text, size_t n)
{
    struct cast *c = arg;
    enum err_code rc = c->open ? ERR_NONE : begin_event(c, 'o');

    c->open = true;
    while (n > 0 && rc == ERR_NONE) {
        const char *newline = memchr(text, '\n', n);
        size_t now = newline != NULL ? (size_t)(newline - text) : n;

        rc = put_escaped(&c->sink, text, now);
        if (rc == ERR_NONE && newline != NULL)
            rc = sink_puts(&c->sink, "\\r\\n");
        now += newline != NULL ? 1 : 0;
        text += now;
        n -= now;
    }
    return rc;
}

bool cast_size(const struct record *r, unsigned *columns, unsigned *rows)
{
    int64_t width = record_number(r, "columns", 0);
    int64_t height = record_number(r, "rows", 0);

    if (width < 1 || width > CAST_CELLS_MAX || height < 1 || height > CAST_CELLS_MAX)
        return false;
    *columns = (unsigned)width;
    *rows = (unsigned)height;
    return true;
}

static enum err_code put_resize(struct cast *c, const struct log_item *item, struct err *e)
{
    struct record r;
    unsigned columns;
    unsigned rows;
    enum err_code rc = log_item_decode(item, &r, e);

    if (rc != ERR_NONE)
        return rc;
    if (strcmp(record_text(&r, "event", ""), "resize") == 0 && cast_size(&r, &columns, &rows)) {
        rc = begin_event(c, 'r');
        if (rc == ERR_NONE)
            rc = sink_printf(&c->sink, "%ux%u\"]\n", columns, rows);
    }
    record_release(&r);
    return rc;
}

enum err_code cast_item(struct cast *c, const struct log_item *item, int64_t at_ms, struct err *e)
{
    enum err_code rc;

    c->at_ms = at_ms;
    if (item->kind == RECORD_EVENT && !c->one_size)
        return put_resize(c, item, e);
    if (item->kind != RECORD_LINE && item->kind != RECORD_GAP)
        return ERR_NONE;
    c->open = false;
    c->renderer.format = item->kind == RECORD_LINE ? RENDER_RAW : RENDER_PRETTY;
    rc = render_item(&c->renderer, item, e);
    return rc == ERR_NONE && c->open ? sink_puts(&c->sink, "\"]\n") : rc;
}

/* ---- the whole ------------------------------------------------------------------------------- */

void cast_init(struct cast *c, struct sink sink, int version)
{
    *c = (struct cast){.sink = sink, .version = version};
    c->renderer = (struct renderer){
        .sink = {put_output, c}, .terminal = true, .colour = true, .moves = true};
}

void cast_release(struct cast *c)
{
    render_release(&c->renderer);
}

enum err_code cast_begin(struct cast *c, const struct cast_header *h)
{
    enum err_code rc;

    if (c->version == CAST_V3)
        rc = sink_printf(&c->sink, "{\"version\": 3, \"term\": {\"cols\": %u, \"rows\": %u}",
                         h->columns, h->rows);
    else
        rc = sink_printf(&c->sink, "{\"version\": 2, \"width\": %u, \"height\": %u", h->columns,
                         h->rows);
    if (rc == ERR_NONE && h->started_ms >= 0)
        rc = sink_printf(&c->sink, ", \"timestamp\": %" PRId64, h->started_ms / MS_PER_S);
    if (rc == ERR_NONE)
        rc = put_member(c, "command", h->command);
    if (rc == ERR_NONE)
        rc = put_member(c, "title", h->title);
    return rc == ERR_NONE ? sink_puts(&c->sink, "}\n") : rc;
}

enum err_code cast_end(struct cast *c, int64_t at_ms, int exit_status)
{
    enum err_code rc;

    if (c->version != CAST_V3 || exit_status < 0)
        return ERR_NONE;
    c->at_ms = at_ms;
    rc = begin_event(c, 'x');
    return rc == ERR_NONE ? sink_printf(&c->sink, "%d\"]\n", exit_status) : rc;
}
