// SPDX-License-Identifier: MIT
#include "cmd/redact_report.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum err_code report_init(struct report *r, const struct redact_set *set, struct out *out,
                          bool json, size_t room)
{
    *r = (struct report){.set = set, .out = out, .json = json};
    /* Twice the room, so that keeping the history is not a copy for every small read. */
    r->size = REPORT_HISTORY + 2 * room;
    r->data = malloc(r->size);
    return r->data != NULL ? ERR_NONE : ERR_MEMORY;
}

void report_release(struct report *r)
{
    if (r->data != NULL)
        explicit_bzero(r->data, r->size);
    free(r->data);
    free(r->file);
    *r = (struct report){0};
}

enum err_code report_file(struct report *r, const char *name)
{
    free(r->file);
    r->file = strdup(name);
    r->len = 0;
    r->first = r->last = (struct place){.line = 1};
    return r->file != NULL ? ERR_NONE : ERR_MEMORY;
}

/* ---- lines ------------------------------------------------------------------------- */

/* Moves a place on to offset `to`; the bytes between are in data. */
static void move_on(const struct report *r, struct place *at, uint64_t to)
{
    const char *p = r->data + (at->offset - r->first.offset);
    const char *end = r->data + (to - r->first.offset);

    while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        p++;
        at->line++;
        at->line_start = r->first.offset + (uint64_t)(p - r->data);
    }
    at->offset = to;
}

/* Forgets all but the last REPORT_HISTORY bytes. */
static void forget(struct report *r)
{
    size_t drop = r->len > REPORT_HISTORY ? r->len - REPORT_HISTORY : 0;
    struct place first = r->first;

    move_on(r, &first, first.offset + drop);
    memmove(r->data, r->data + drop, r->len - drop);
    r->len -= drop;
    r->first = first;
    if (r->last.offset < first.offset)
        r->last = first;
}

char *report_room(struct report *r)
{
    if (r->size - r->len < (r->size - REPORT_HISTORY) / 2)
        forget(r);
    return r->data + r->len;
}

void report_read(struct report *r, size_t n)
{
    r->len += n;
}

/* ---- findings ---------------------------------------------------------------------- */

static enum err_code put_text(const struct report *r, const struct clean_span *mark,
                              uint64_t column)
{
    const struct sink sink = out_sink(r->out);
    enum err_code rc = sink_printf(&sink, "%s:%" PRIu64 ":%" PRIu64 ": %s", r->file, r->last.line,
                                   column, redact_set_rule_name(r->set, mark->rule));

    if (rc == ERR_NONE && mark->marks > 1)
        rc = sink_printf(&sink, " (%" PRIu32 ")", mark->marks);
    return rc == ERR_NONE ? sink_puts(&sink, "\n") : rc;
}

/* Numbers are written by hand: a double does not hold every offset. */
static enum err_code put_json(const struct report *r, const struct clean_span *mark,
                              uint64_t column)
{
    const struct sink sink = out_sink(r->out);
    cJSON *name = cJSON_CreateString(r->file);
    char *text = name != NULL ? cJSON_PrintUnformatted(name) : NULL;
    enum err_code rc = text != NULL ? ERR_NONE : ERR_MEMORY;

    if (rc == ERR_NONE)
        rc = sink_printf(&sink,
                         "%s{\"file\":%s,\"line\":%" PRIu64 ",\"column\":%" PRIu64
                         ",\"offset\":%" PRIu64 ",\"rule\":\"%s\",\"count\":%" PRIu32 "}",
                         r->any ? ",\n" : "[", text, r->last.line, column, mark->at,
                         redact_set_rule_name(r->set, mark->rule), mark->marks);
    cJSON_free(text);
    cJSON_Delete(name);
    return rc;
}

static enum err_code put_mark(struct report *r, const struct clean_span *mark)
{
    enum err_code rc;
    uint64_t end = r->first.offset + r->len;
    uint64_t at = mark->at > end ? end : mark->at;

    if (at < r->first.offset) /* it began longer ago than anything a redactor holds */
        at = r->first.offset;
    if (at < r->last.offset)
        r->last = r->first;
    move_on(r, &r->last, at);
    rc = (r->json ? put_json : put_text)(r, mark, at - r->last.line_start + 1);
    r->any = true;
    return rc;
}

enum err_code report_marks(struct report *r, const struct clean_vec *spans)
{
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; rc == ERR_NONE && i < spans->len; i++)
        if (spans->items[i].marks > 0)
            rc = put_mark(r, &spans->items[i]);
    return rc;
}

enum err_code report_end(struct report *r)
{
    const struct sink sink = out_sink(r->out);

    if (!r->json)
        return ERR_NONE;
    return sink_puts(&sink, r->any ? "]\n" : "[]\n");
}
