// SPDX-License-Identifier: MIT
#include "lib/record.h"

void lib_record_init(struct lib_record *r)
{
    *r = (struct lib_record){0};
    buf_init(&r->src, LIB_SRC_MAX);
}

void lib_record_release(struct lib_record *r)
{
    buf_release(&r->src);
}

static enum err_code set_line(struct lib_record *r, const struct view *v)
{
    struct buildlog_record *out = &r->record;
    size_t n = v->src.len < LIB_SRC_MAX ? v->src.len : LIB_SRC_MAX - 1;
    enum err_code rc;

    out->kind = BUILDLOG_KIND_LINE;
    out->msg = v->has_msg ? v->msg.ptr : NULL;
    out->msg_len = v->has_msg ? v->msg.len : v->len > 0 ? (size_t)v->len : 0;
    r->src.len = 0;
    rc = buf_put(&r->src, v->src.ptr, n);
    if (rc == ERR_NONE)
        rc = buf_put(&r->src, "", 1);
    out->src = r->src.data;
    return rc;
}

enum err_code lib_record_set(struct lib_record *r, const char *id, const struct view *v)
{
    r->record = (struct buildlog_record){
        .build_id = id, .level = (enum buildlog_level)view_level(v), .seq = v->seq,
        .from = v->from, .ts_ms = v->ts_ms, .changes = v->cost, .json = v->json.ptr,
        .json_len = v->json.len};
    if (v->kind == RECORD_LINE)
        return set_line(r, v);
    if (v->kind == RECORD_EVENT) {
        r->record.kind = BUILDLOG_KIND_EVENT;
        r->record.event = record_text(&v->record, "event", "");
        return ERR_NONE;
    }
    r->record.kind = BUILDLOG_KIND_GAP;
    r->record.missing = (uint64_t)record_number(&v->record, "lines", 0);
    return ERR_NONE;
}
