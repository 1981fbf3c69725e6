// SPDX-License-Identifier: MIT
#include "read/render.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "read/stall.h"
#include "text/base64.h"
#include "text/json.h"
#include "text/json_member.h"

void render_release(struct renderer *r)
{
    free(r->scratch);
    r->scratch = NULL;
    r->scratch_size = 0;
}

static enum err_code need_scratch(struct renderer *r, size_t n)
{
    char *scratch;

    if (n <= r->scratch_size)
        return ERR_NONE;
    scratch = realloc(r->scratch, n);
    if (scratch == NULL)
        return ERR_MEMORY;
    r->scratch = scratch;
    r->scratch_size = n;
    return ERR_NONE;
}

static bool span_is(struct raw_span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.ptr, text, span.len) == 0;
}

/* ---- finding things in a record -------------------------------------------------------------- */

/* True if the bytes "key": occur: then the record has to be decoded to be sure. */
static bool may_have(struct raw_span text, const char *quoted_key)
{
    return memmem(text.ptr, text.len, quoted_key, strlen(quoted_key)) != NULL;
}

struct raw_span render_source(const struct log_item *item)
{
    struct raw_span src;

    if (item->kind != RECORD_LINE ||
        !json_member_string(item->text.ptr, item->text.len, "src", &src))
        return (struct raw_span){"", 0};
    src.len = json_behind_string(src.ptr - 1, src.len + 1, 0) - 2;
    return src;
}

/* ---- lines -------------------------------------------------------------------------- */

struct line {
    struct raw_span msg; /* in the renderer's scratch, or in the decoded record */
    struct raw_span src;
    bool has_msg;
    bool no_newline; /* partial, or it goes on in the next record */
    int64_t len;     /* of a line without payload, else -1 */
    struct record record;
    bool decoded;
};

static void line_release(struct line *line)
{
    if (line->decoded)
        record_release(&line->record);
}

/* The exact bytes of `msg` or, where bytes had to be repaired, of `raw`. */
static enum err_code exact_bytes(struct renderer *r, const struct log_item *item,
                                 struct line *line)
{
    const char *raw = record_text(&line->record, "raw", NULL);
    struct raw_span quoted;
    char *end = NULL;
    size_t used;

    if (r->format == RENDER_RAW && raw != NULL)
        end = base64_decode(r->scratch, raw, strlen(raw));
    if (end == NULL && json_member_string(item->text.ptr, item->text.len, "msg", &quoted))
        end = json_unescape(r->scratch, quoted.ptr, quoted.len, &used);
    if (end == NULL)
        return ERR_FORMAT;
    line->msg = (struct raw_span){r->scratch, (size_t)(end - r->scratch)};
    line->has_msg = true;
    return ERR_NONE;
}

/* Any spelling of a line record, by way of cJSON. */
static enum err_code decode_line(struct renderer *r, const struct log_item *item,
                                 struct line *line, struct err *e)
{
    enum err_code rc = log_item_decode(item, &line->record, e);
    const char *msg;

    if (rc != ERR_NONE)
        return rc;
    line->decoded = true;
    line->src.ptr = record_text(&line->record, "src", "");
    line->src.len = strlen(line->src.ptr);
    line->no_newline = record_bool(&line->record, "partial", false) ||
                       record_bool(&line->record, "cont", false);
    line->len = record_number(&line->record, "len", -1);
    msg = record_text(&line->record, "msg", NULL);
    if (msg == NULL || exact_bytes(r, item, line) == ERR_NONE)
        return ERR_NONE;
    line->msg = (struct raw_span){msg, strlen(msg)}; /* not UTF-8: as far as cJSON takes it */
    line->has_msg = true;
    return ERR_NONE;
}

/* Most lines are in our encoder's shape and have nothing behind msg that matters. */
static enum err_code read_line(struct renderer *r, const struct log_item *item,
                               struct line *line, struct err *e)
{
    size_t len;

    *line = (struct line){.len = -1};
    if (need_scratch(r, item->text.len) != ERR_NONE)
        return err_set(e, ERR_MEMORY, "cannot show record", "", "no memory");
    if ((r->format == RENDER_RAW && (may_have(item->text, "\"partial\":") ||
                                     may_have(item->text, "\"cont\":") ||
                                     may_have(item->text, "\"raw\":"))) ||
        !record_line_msg(item->text.ptr, item->text.len, r->scratch, &len, &line->src))
        return decode_line(r, item, line, e);
    line->msg = (struct raw_span){r->scratch, len};
    line->has_msg = true;
    return ERR_NONE;
}

enum err_code render_text(struct renderer *r, const struct log_item *item, struct raw_span *text,
                          struct err *e)
{
    struct line line;
    enum err_code rc = read_line(r, item, &line, e);

    *text = (struct raw_span){NULL, 0};
    if (rc == ERR_NONE && line.has_msg) {
        if (line.msg.ptr != r->scratch) /* it goes with the decoded record */
            memcpy(r->scratch, line.msg.ptr, line.msg.len);
        *text = (struct raw_span){r->scratch, line.msg.len};
    }
    line_release(&line);
    return rc;
}

static struct visible how(const struct renderer *r, bool lf)
{
    return (struct visible){.colour = r->colour ? COLOUR_PASS : COLOUR_STRIP,
                            .lf = lf,
                            .last_frame = r->terminal && !r->moves,
                            .moves = r->moves};
}

static enum err_code put_msg(struct renderer *r, struct raw_span msg)
{
    if (r->format != RENDER_RAW || r->terminal)
        return visible_put(&r->sink, msg, how(r, true));
    return sink_put(&r->sink, msg.ptr, msg.len);
}

static enum err_code put_pretty_line(struct renderer *r, const struct line *line)
{
    enum err_code rc = ERR_NONE;

    if (span_is(line->src, "stderr"))
        rc = sink_puts(&r->sink, r->colour ? "\x1b[31m!\x1b[0m " : "! ");
    if (rc == ERR_NONE && line->has_msg)
        rc = put_msg(r, line->msg);
    else if (rc == ERR_NONE && line->len >= 0)
        rc = sink_printf(&r->sink, "(%" PRId64 " bytes)", line->len);
    return rc == ERR_NONE ? sink_put(&r->sink, "\n", 1) : rc;
}

static enum err_code put_raw_line(struct renderer *r, const struct line *line)
{
    enum err_code rc;

    if (!line->has_msg)
        return ERR_NONE; /* recorded without payload */
    rc = put_msg(r, line->msg);
    return rc == ERR_NONE && !line->no_newline ? sink_put(&r->sink, "\n", 1) : rc;
}

static enum err_code put_line(struct renderer *r, const struct log_item *item, struct err *e)
{
    struct line line;
    enum err_code rc = read_line(r, item, &line, e);

    if (rc == ERR_NONE)
        rc = r->format == RENDER_RAW ? put_raw_line(r, &line) : put_pretty_line(r, &line);
    line_release(&line);
    return rc;
}

/* ---- the others ---------------------------------------------------------------------------- */

static enum err_code put_text(const struct renderer *r, const char *text)
{
    return visible_put(&r->sink, (struct raw_span){text, strlen(text)},
                       (struct visible){.colour = COLOUR_STRIP});
}

static enum err_code put_gap(const struct renderer *r, const struct log_item *item,
                             const struct record *record)
{
    int64_t lines = record_number(record, "lines", 0);
    uint64_t records = item->seq - item->from + 1;
    enum err_code rc;

    if (lines > 0)
        rc = sink_printf(&r->sink, "… %" PRId64 " line%s missing (", lines, lines == 1 ? "" : "s");
    else
        rc = sink_printf(&r->sink, "… %" PRIu64 " record%s missing (", records,
                         records == 1 ? "" : "s");
    if (rc == ERR_NONE)
        rc = put_text(r, record_text(record, "reason", "no reason given"));
    return rc == ERR_NONE ? sink_puts(&r->sink, ") …\n") : rc;
}

/* What every event has; the rest are its own fields. */
static bool common_key(const char *key)
{
    static const char *const keys[] = {"kind", "ts", "seq", "buildId", "level", "component",
                                       "event"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

/* at_most: bytes of JSON that the whole record takes. Given room enough from the beginning, cJSON
   does not double its buffer for a large field. */
static enum err_code put_field(const struct renderer *r, const cJSON *field, size_t at_most)
{
    enum { SPARE = 64, ESCAPED_LEN = 6 };
    size_t room = cJSON_IsString(field) ? strlen(field->valuestring) * ESCAPED_LEN : at_most;
    char *text = cJSON_PrintBuffered(field, (int)(room < at_most ? room : at_most) + SPARE, false);
    enum err_code rc;

    if (text == NULL)
        return ERR_MEMORY;
    rc = sink_puts(&r->sink, " ");
    if (rc == ERR_NONE)
        rc = put_text(r, field->string);
    if (rc == ERR_NONE)
        rc = sink_puts(&r->sink, "=");
    if (rc == ERR_NONE)
        rc = put_text(r, text);
    cJSON_free(text);
    return rc;
}

static enum err_code put_event(const struct renderer *r, const struct log_item *item,
                               const struct record *record)
{
    const cJSON *field;
    enum err_code rc = sink_puts(&r->sink, "-- ");

    if (rc == ERR_NONE && stall_known(record)) {
        rc = stall_put(&r->sink, record);
        return rc == ERR_NONE ? sink_put(&r->sink, "\n", 1) : rc;
    }
    if (rc == ERR_NONE)
        rc = put_text(r, record_text(record, "event", "event"));
    cJSON_ArrayForEach(field, record->json)
        if (rc == ERR_NONE && field->string != NULL && !common_key(field->string))
            rc = put_field(r, field, item->text.len);
    return rc == ERR_NONE ? sink_put(&r->sink, "\n", 1) : rc;
}

static enum err_code put_start(const struct renderer *r, const struct record *record)
{
    int64_t attempt = record_number(record, "attempt", 1);
    enum err_code rc;

    if (attempt < 2)
        return ERR_NONE;
    rc = sink_printf(&r->sink, "-- attempt %" PRId64 ", ", attempt);
    if (rc == ERR_NONE)
        rc = put_text(r, record_text(record, "startedAt", ""));
    return rc == ERR_NONE ? sink_put(&r->sink, "\n", 1) : rc;
}

static enum err_code put_decoded(struct renderer *r, const struct log_item *item, struct err *e)
{
    struct record record;
    enum err_code rc = log_item_decode(item, &record, e);

    if (rc != ERR_NONE)
        return rc;
    if (item->kind == RECORD_GAP)
        rc = put_gap(r, item, &record);
    else if (item->kind == RECORD_EVENT)
        rc = put_event(r, item, &record);
    else
        rc = put_start(r, &record);
    record_release(&record);
    return rc;
}

static enum err_code put_json(struct renderer *r, const struct log_item *item, struct err *e)
{
    struct record record;
    enum err_code rc = log_item_decode(item, &record, e);

    if (rc != ERR_NONE)
        return rc; /* what comes out is JSON, whatever the file holds */
    record_release(&record);
    rc = r->terminal ? visible_put_json(&r->sink, item->text)
                     : sink_put(&r->sink, item->text.ptr, item->text.len);
    return rc == ERR_NONE ? sink_put(&r->sink, "\n", 1) : rc;
}

enum err_code render_item(struct renderer *r, const struct log_item *item, struct err *e)
{
    bool numbered = item->kind == RECORD_LINE || item->kind == RECORD_EVENT ||
                    item->kind == RECORD_GAP;

    if (r->format == RENDER_JSONL)
        return numbered ? put_json(r, item, e) : ERR_NONE;
    if (item->kind == RECORD_LINE)
        return put_line(r, item, e);
    if (r->format == RENDER_RAW || (!numbered && item->kind != RECORD_START))
        return ERR_NONE;
    return put_decoded(r, item, e);
}
