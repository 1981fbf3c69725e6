// SPDX-License-Identifier: MIT
#include "lib/record.h"

#include "read/level.h"

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
        .build_id = id, .seq = v->seq, .from = v->from, .ts_ms = v->ts_ms, .changes = v->cost,
        .json = v->json.ptr, .json_len = v->json.len};
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

static enum record_kind kind_of(const struct buildlog_record *r)
{
    switch (r->kind) {
    case BUILDLOG_KIND_EVENT:
        return RECORD_EVENT;
    case BUILDLOG_KIND_GAP:
        return RECORD_GAP;
    case BUILDLOG_KIND_LINE:
    default:
        return RECORD_LINE;
    }
}

enum buildlog_level buildlog_record_level(const struct buildlog_record *r)
{
    const struct log_item item = {
        .text = {r->json, r->json_len}, .kind = kind_of(r), .from = r->from, .seq = r->seq};
    struct raw_span msg = {r->msg != NULL ? r->msg : "", r->msg != NULL ? r->msg_len : 0};

    return (enum buildlog_level)level_of(&item, msg);
}
