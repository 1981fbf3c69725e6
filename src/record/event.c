// SPDX-License-Identifier: MIT
/* Event and gap records. */
#include "record/put.h"
#include "record/record.h"

static void put_field(struct put *p, const struct record_field *f)
{
    switch (f->type) {
    case FIELD_TEXT:
        put_text(p, f->key, f->text);
        break;
    case FIELD_NUMBER:
        put_signed(p, f->key, f->number);
        break;
    case FIELD_BOOL:
        put_bool(p, f->key, f->number != 0);
        break;
    case FIELD_LIST:
    case FIELD_OBJECT:
        put_begin(p, f->key, f->type == FIELD_LIST ? '[' : '{');
        for (size_t i = 0; i < f->n_items; i++) /* as deep as the caller built it */
            put_field(p, &f->items[i]);
        put_end(p, f->type == FIELD_LIST ? ']' : '}');
        break;
    }
}

enum err_code record_put_event(struct buf *b, const struct record_event *r)
{
    struct put p = put_open(b, "event");

    put_signed(&p, "ts", r->ts_ms);
    put_unsigned(&p, "seq", r->seq);
    put_string(&p, "buildId", r->build_id);
    put_string(&p, "level", r->level);
    put_string(&p, "component", r->component);
    put_string(&p, "event", r->event);
    for (size_t i = 0; i < r->n_fields; i++)
        put_field(&p, &r->fields[i]);
    return put_close(&p, SIZE_MAX);
}

enum err_code record_put_gap(struct buf *b, const struct record_gap *r)
{
    struct put p = put_open(b, "gap");

    put_signed(&p, "ts", r->ts_ms);
    put_unsigned(&p, "seq", r->seq);
    put_string(&p, "buildId", r->build_id);
    put_unsigned(&p, "from", r->from);
    put_unsigned(&p, "lines", r->lines);
    put_unsigned(&p, "bytes", r->bytes);
    put_string(&p, "reason", r->reason);
    return put_close(&p, RECORD_GAP_MAX);
}
