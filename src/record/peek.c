// SPDX-License-Identifier: MIT
/*
 * Records in the very shape our encoders write, read without building a tree.  Whatever is
 * not in that shape is left to record_decode: these functions may say no to a sound record,
 * and say yes only to what record_decode would read alike, as far as they look.
 */
#include <string.h>

#include "record/record.h"
#include "text/json.h"

struct cursor {
    const char *at;
    const char *end;
};

static bool skip(struct cursor *c, const char *text)
{
    size_t n = strlen(text);

    if ((size_t)(c->end - c->at) < n || memcmp(c->at, text, n) != 0)
        return false;
    c->at += n;
    return true;
}

/* Canonical digits, at most 15 of them: below 2^53, where record_decode is exact as well. */
static bool take_digits(struct cursor *c, uint64_t low, uint64_t *out)
{
    const char *start = c->at;
    uint64_t value = 0;

    while (c->at < c->end && c->at - start < 15 && *c->at >= '0' && *c->at <= '9')
        value = value * 10 + (uint64_t)(*c->at++ - '0');
    if (c->at == start || (*start == '0' && c->at - start > 1) || value < low)
        return false;
    *out = value;
    return true;
}

/* Up to the next quote, escapes refused: names and ids have none. */
static bool take_name(struct cursor *c, struct raw_span *out)
{
    const char *quote = memchr(c->at, '"', (size_t)(c->end - c->at));

    if (quote == NULL || memchr(c->at, '\\', (size_t)(quote - c->at)) != NULL)
        return false;
    *out = (struct raw_span){.ptr = c->at, .len = (size_t)(quote - c->at)};
    c->at = quote + 1;
    return true;
}

/* `"ts":…,"seq":…,`: what lines, events and gaps have behind their kind. */
static bool take_ts_seq(struct cursor *c, uint64_t *seq)
{
    uint64_t ts;

    return skip(c, "\"ts\":") && take_digits(c, 0, &ts) && skip(c, ",\"seq\":") &&
           take_digits(c, 1, seq) && skip(c, ",");
}

static bool peek_gap(struct cursor *c, uint64_t *from, uint64_t *seq)
{
    struct raw_span id;

    return take_ts_seq(c, seq) && skip(c, "\"buildId\":\"") && take_name(c, &id) &&
           skip(c, ",\"from\":") && take_digits(c, 1, from) && skip(c, ",") && *from <= *seq;
}

/* A start record may have "userId" and "projectId" before "startedAt". */
static bool peek_meta(struct cursor *c, enum record_kind *kind)
{
    struct raw_span name;

    if (!skip(c, "\"buildId\":\"") || !take_name(c, &name))
        return false;
    *kind = RECORD_END;
    if (skip(c, ",\"endedAt\":\""))
        return true;
    *kind = RECORD_START;
    if ((skip(c, ",\"userId\":\"") && !take_name(c, &name)) ||
        (skip(c, ",\"projectId\":\"") && !take_name(c, &name)))
        return false;
    return skip(c, ",\"startedAt\":\"");
}

bool record_peek(const char *line, size_t n, enum record_kind *kind, uint64_t *from,
                 uint64_t *seq)
{
    struct cursor c = {.at = line, .end = line + n};
    bool good;

    *from = *seq = 0;
    if (n == 0 || line[n - 1] != '}' || !skip(&c, "{\"kind\":\""))
        return false;
    if (skip(&c, "meta\","))
        return peek_meta(&c, kind);
    if (skip(&c, "gap\",")) {
        *kind = RECORD_GAP;
        return peek_gap(&c, from, seq);
    }
    *kind = skip(&c, "line\",") ? RECORD_LINE : RECORD_EVENT;
    good = (*kind == RECORD_LINE || skip(&c, "event\",")) && take_ts_seq(&c, seq);
    *from = *seq;
    return good;
}

bool record_line_msg(const char *line, size_t n, char *dst, size_t *msg_len,
                     struct raw_span *src)
{
    struct cursor c = {.at = line, .end = line + n};
    struct raw_span id;
    uint64_t seq;
    size_t used;
    char *end;

    if (n == 0 || line[n - 1] != '}' || !skip(&c, "{\"kind\":\"line\",") ||
        !take_ts_seq(&c, &seq) || !skip(&c, "\"src\":\"") || !take_name(&c, src) ||
        !skip(&c, ",\"buildId\":\"") || !take_name(&c, &id) || !skip(&c, ",\"msg\":\""))
        return false;
    end = json_unescape(dst, c.at, (size_t)(c.end - c.at), &used);
    if (end == NULL || c.at + used == c.end || (c.at[used] != ',' && c.at[used] != '}'))
        return false;
    *msg_len = (size_t)(end - dst);
    return c.at[used] == ',' || c.at + used + 1 == c.end;
}

/* ---- whole lines ---------------------------------------------------------------------------- */

/* Skips a constant: its length is known when compiled, so that this is a comparison or two. */
#define SKIP(c, text)                                                                        \
    ((size_t)((c)->end - (c)->at) >= sizeof(text) - 1 &&                                     \
     memcmp((c)->at, (text), sizeof(text) - 1) == 0 && ((c)->at += sizeof(text) - 1, true))

bool record_line_head(const char *line, size_t n, struct record_line_head *out)
{
    struct cursor c = {.at = line, .end = line + n};
    uint64_t ts;

    if (!SKIP(&c, "{\"kind\":\"line\",\"ts\":") || !take_digits(&c, 0, &ts) ||
        !SKIP(&c, ",\"seq\":") || !take_digits(&c, 1, &out->seq) || !SKIP(&c, ",\"src\":\"") ||
        !take_name(&c, &out->src) || !SKIP(&c, ",\"buildId\":\""))
        return false;
    out->ts_ms = (int64_t)ts;
    out->id = (size_t)(c.at - line);
    return true;
}

/* A string without escapes, in printable ASCII. */
static bool take_plain_string(struct cursor *c, struct raw_span *out)
{
    const char *start = c->at;

    while (c->at < c->end && *c->at >= 0x20 && *c->at < 0x7f && *c->at != '"' && *c->at != '\\')
        c->at++;
    *out = (struct raw_span){start, (size_t)(c->at - start)};
    return SKIP(c, "\"");
}

/* A string, true, false or a number as our encoder writes it. */
static bool take_value(struct cursor *c, uint64_t *number)
{
    struct raw_span text;

    if (SKIP(c, "\""))
        return take_plain_string(c, &text);
    return SKIP(c, "true") || SKIP(c, "false") || take_digits(c, 0, number);
}

static bool is_key(struct raw_span key, const char *name)
{
    return key.len == strlen(name) && memcmp(key.ptr, name, key.len) == 0;
}

/* `,"key":value` as often as it comes, then the closing brace and nothing more. */
static bool take_tail(struct cursor *c, struct record_line_body *out)
{
    while (SKIP(c, ",\"")) {
        struct raw_span key;
        uint64_t number = 0;

        if (!take_plain_string(c, &key) || !SKIP(c, ":") || !take_value(c, &number))
            return false;
        if (is_key(key, "msg"))
            return false; /* two of them: not ours */
        if (is_key(key, "len") && out->len < 0)
            out->len = (int64_t)number;
    }
    return c->end - c->at == 1 && *c->at == '}';
}

bool record_line_body(const char *line, size_t n, const struct record_line_head *head, char *dst,
                      struct record_line_body *out)
{
    struct cursor c = {.at = line + head->id, .end = line + n};
    struct raw_span id;

    *out = (struct record_line_body){.len = -1};
    for (size_t i = 0; i < head->src.len; i++)
        if (head->src.ptr[i] < 0x20 || head->src.ptr[i] >= 0x7f)
            return false;
    if (!take_plain_string(&c, &id))
        return false;
    if (SKIP(&c, ",\"msg\":\"")) {
        size_t used;
        const char *end = json_unescape(dst, c.at, (size_t)(c.end - c.at), &used);

        if (end == NULL)
            return false;
        c.at += used;
        out->has_msg = true;
        out->msg = (struct raw_span){dst, (size_t)(end - dst)};
    }
    return take_tail(&c, out);
}

int64_t record_peek_ts(const char *line, size_t n)
{
    struct cursor c = {.at = line, .end = line + n};
    uint64_t ts;

    if (!SKIP(&c, "{\"kind\":\"") ||
        !(SKIP(&c, "event\",\"ts\":") || SKIP(&c, "gap\",\"ts\":")) || !take_digits(&c, 0, &ts))
        return -1;
    return (int64_t)ts;
}
