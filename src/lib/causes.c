// SPDX-License-Identifier: MIT
#include "lib/causes.h"

#include "read/render.h"

static void note_start(struct causes *c, const struct log_item *item)
{
    struct record start;

    if (log_item_decode(item, &start, NULL) != ERR_NONE)
        return;
    if (c->report.has_start)
        record_release(&c->report.start);
    c->report.start = start;
    c->report.has_start = true;
}

static enum err_code take(struct causes *c, struct log_reader *reader, struct renderer *r,
                          const struct log_item *item, struct err *e)
{
    struct raw_span text = {NULL, 0};
    enum err_code rc = ERR_NONE;

    if (item->kind == RECORD_START)
        note_start(c, item);
    if (item->kind == RECORD_LINE)
        rc = render_text(r, item, &text, e);
    if (rc == ERR_FORMAT) {
        log_reader_damaged(reader);
        return ERR_NONE;
    }
    if (rc == ERR_NONE)
        errors_record(c->errors, item, text);
    if (item->kind != RECORD_FOREIGN && item->seq > c->last_seq)
        c->last_seq = item->seq;
    return rc;
}

static enum err_code read_all(struct causes *c, struct log_reader *reader, struct err *e)
{
    struct renderer renderer = {.format = RENDER_PRETTY};
    struct log_item item;
    bool have = true;
    enum err_code rc = ERR_NONE;

    while (rc == ERR_NONE && have) {
        rc = log_reader_next(reader, &item, &have, e);
        if (rc == ERR_NONE && have)
            rc = take(c, reader, &renderer, &item, e);
    }
    render_release(&renderer);
    log_reader_left_out(reader, &c->left_out);
    return rc;
}

enum err_code causes_read(struct causes *c, struct log_reader *r, struct err *e)
{
    enum err_code rc;

    *c = (struct causes){0};
    rc = errors_new(&c->errors, e);
    if (rc == ERR_NONE)
        rc = build_report_read(r, &c->report, e);
    if (rc == ERR_NONE)
        rc = read_all(c, r, e);
    if (rc == ERR_NONE) {
        errors_finish(c->errors, &c->report);
        return ERR_NONE;
    }
    errors_free(c->errors);
    build_report_release(&c->report);
    *c = (struct causes){0};
    return rc;
}
