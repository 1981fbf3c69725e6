// SPDX-License-Identifier: MIT
#include "read/timeline.h"

#include "store/state.h"

/* When a record came, since 1970; -1 if it does not say. */
static int64_t time_of(const struct log_item *item)
{
    struct record_line_head head;
    struct record record;
    int64_t ms;

    if (item->kind == RECORD_LINE && record_line_head(item->text.ptr, item->text.len, &head))
        return head.ts_ms;
    ms = record_peek_ts(item->text.ptr, item->text.len);
    if (ms >= 0 || log_item_decode(item, &record, NULL) != ERR_NONE)
        return ms;
    if (item->kind == RECORD_START)
        ms = record_time_ms(&record, "startedAt");
    else if (item->kind == RECORD_END)
        ms = record_time_ms(&record, "endedAt");
    else
        ms = record.ts_ms;
    record_release(&record);
    return ms;
}

int64_t timeline_next(struct timeline *t, const struct log_item *item)
{
    int64_t ms = time_of(item);

    if (item->kind == RECORD_START) {
        t->begun = false;
        t->base_ms = t->at_ms;
    }
    if (ms < 0 || item->kind == RECORD_FOREIGN)
        return t->at_ms;
    if (!t->begun) {
        t->begun = true;
        t->attempt_ms = ms;
    }
    if (t->base_ms + ms - t->attempt_ms > t->at_ms)
        t->at_ms = t->base_ms + ms - t->attempt_ms;
    return t->at_ms;
}
