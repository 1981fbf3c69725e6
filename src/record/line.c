// SPDX-License-Identifier: MIT
/* Line records: the one kind that is written by the million, so by hand. */
#include <stdio.h>
#include <string.h>

#include "record/record.h"
#include "base/ulid.h"
#include "text/base64.h"
#include "text/decimal.h"
#include "text/json.h"

static const char head[] = "{\"kind\":\"line\",\"ts\":";
static const char seq_key[] = ",\"seq\":";
static const char truncated_mark[] = "\xe2\x80\xa6[TRUNCATED]";

/* What may follow msg, with the longest values. */
#define LONGEST_END                                                                      \
    "\",\"redacted\":4294967295,\"truncated\":18446744073709551615,\"partial\":true,"       \
    "\"cont\":true,\"bad\":18446744073709551615,\"raw\":\"\",\"len\":18446744073709551615,"  \
    "\"frames\":4294967295}\n"

void line_encoder_init(struct line_encoder *e, const char *src, const char *build_id,
                       bool payload)
{
    int len = snprintf(e->tail, sizeof(e->tail), ",\"src\":\"%.*s\",\"buildId\":\"%.*s\"%s",
                       RECORD_SRC_MAX, src, ULID_LEN, build_id, payload ? ",\"msg\":\"" : "");

    e->tail_len = (size_t)len;
    e->payload = payload;
}

size_t line_encode_room(size_t n)
{
    return sizeof(head) + DECIMAL_MAX + sizeof(seq_key) + DECIMAL_MAX + RECORD_HEAD_MAX +
           json_escape_room(n) + sizeof(truncated_mark) + base64_len(n) + sizeof(LONGEST_END);
}

/* A literal of constant size: the compiler makes it one or two stores. */
#define APPEND(dst, literal)                          \
    do {                                              \
        memcpy((dst), (literal), sizeof(literal) - 1); \
        (dst) += sizeof(literal) - 1;                 \
    } while (0)

enum { TAIL_USUAL = 64 }; /* covers every id with "stdout", "stderr" and "merged" */

static char *put_tail(char *dst, const struct line_encoder *e)
{
    memcpy(dst, e->tail, TAIL_USUAL);
    if (e->tail_len > TAIL_USUAL)
        memcpy(dst + TAIL_USUAL, e->tail + TAIL_USUAL, e->tail_len - TAIL_USUAL);
    return dst + e->tail_len;
}

static char *put_optional(char *dst, const struct line_fields *f)
{
    if (f->redacted > 0) {
        APPEND(dst, ",\"redacted\":");
        dst = decimal_put(dst, f->redacted);
    }
    if (f->truncated > 0) {
        APPEND(dst, ",\"truncated\":");
        dst = decimal_put(dst, f->truncated);
    }
    if (f->partial)
        APPEND(dst, ",\"partial\":true");
    if (f->cont)
        APPEND(dst, ",\"cont\":true");
    return dst;
}

static char *put_raw(char *dst, struct clean_span msg, uint64_t bad)
{
    APPEND(dst, ",\"bad\":");
    dst = decimal_put(dst, bad);
    APPEND(dst, ",\"raw\":\"");
    dst = base64_encode(dst, msg.ptr, msg.len);
    *dst++ = '"';
    return dst;
}

/* From the closing quote of msg on. */
static char *finish_full(char *dst, struct clean_span msg, const struct line_fields *f,
                         uint64_t bad)
{
    if (f->truncated > 0)
        APPEND(dst, truncated_mark);
    *dst++ = '"';
    dst = put_optional(dst, f);
    return bad > 0 ? put_raw(dst, msg, bad) : dst;
}

static char *finish_bare(char *dst, struct clean_span msg, const struct line_fields *f)
{
    dst = put_optional(dst, f);
    APPEND(dst, ",\"len\":");
    return decimal_put(dst, msg.len);
}

char *line_encode(const struct line_encoder *e, char *dst, struct clean_span msg,
                  const struct line_fields *f)
{
    uint64_t bad = 0;

    APPEND(dst, head);
    dst = decimal_put(dst, (uint64_t)f->ts_ms);
    APPEND(dst, seq_key);
    dst = decimal_put(dst, f->seq);
    dst = put_tail(dst, e);
    if (e->payload) {
        dst = json_escape(dst, msg.ptr, msg.len, &bad);
        dst = finish_full(dst, msg, f, bad);
    } else {
        dst = finish_bare(dst, msg, f);
    }
    if (f->frames > 0) {
        APPEND(dst, ",\"frames\":");
        dst = decimal_put(dst, f->frames);
    }
    APPEND(dst, "}\n");
    return dst;
}
