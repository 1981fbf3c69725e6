// SPDX-License-Identifier: MIT
#include "run/splitter.h"

#include <string.h>

#include "text/utf8.h"

void splitter_init(struct splitter *s, struct build_log *log, enum build_log_src src,
                   size_t max_line, bool split, bool is_terminal)
{
    *s = (struct splitter){.log = log, .src = src, .max_line = max_line, .split = split,
                           .is_terminal = is_terminal};
    clean_buf_init(&s->line, max_line);
}

void splitter_release(struct splitter *s)
{
    clean_buf_release(&s->line);
}

void splitter_expect(struct splitter *s, int64_t ts_ms)
{
    if (s->begun)
        return;
    s->begun = true;
    s->ts_ms = ts_ms;
}

static void start_next(struct splitter *s)
{
    s->total = 0;
    s->redacted = 0;
    clean_buf_consume(&s->line, s->line.bytes.len);
    s->begun = false;
}

/* Hands a record over. msg may be longer than a record may be, and total longer still; end_len
   bytes ended the line. */
static void put_record(struct splitter *s, struct clean_span msg, size_t end_len, bool partial,
                       bool cont)
{
    uint64_t whole = s->total;
    struct line_fields f = {.redacted = s->redacted, .partial = partial, .cont = cont};

    if (whole > s->max_line || whole > msg.len) {
        size_t most = msg.len < s->max_line ? msg.len : s->max_line;

        msg = clean_sub(msg, 0, utf8_cut(msg.ptr, most));
        f.truncated = whole - msg.len;
    }
    if (s->watch != NULL)
        line_watch_take(s->watch, msg);
    build_log_line(s->log, s->src, s->ts_ms, msg, whole + end_len, &f);
}

/* A full record's worth of an unfinished line goes out; a cut character stays for the next. */
static void put_piece(struct splitter *s, int64_t ts_ms)
{
    struct clean_span piece = clean_buf_span(&s->line);

    piece = clean_sub(piece, 0, utf8_cut(piece.ptr, piece.len));
    s->total = piece.len;
    put_record(s, piece, 0, false, true);
    clean_buf_consume(&s->line, piece.len);
    s->total = s->line.bytes.len;
    s->redacted = 0;
    s->ts_ms = ts_ms;
}

/* Adds bytes without a newline to the current line. */
static void gather(struct splitter *s, struct clean_span bytes, int64_t ts_ms)
{
    while (bytes.len > 0) {
        size_t room = s->max_line - s->line.bytes.len;
        size_t take = bytes.len < room ? bytes.len : room;

        if (room == 0 && s->split) {
            put_piece(s, ts_ms);
            continue;
        }
        /* Bytes beyond the ceiling, or without memory for them, are counted and dropped. */
        if (s->total != s->line.bytes.len || take == 0 ||
            clean_buf_put(&s->line, clean_sub(bytes, 0, take)) != ERR_NONE) {
            s->total += bytes.len;
            return;
        }
        s->total += take;
        bytes = clean_sub(bytes, take, bytes.len - take);
    }
}

static void begin(struct splitter *s, uint32_t marks, int64_t ts_ms)
{
    splitter_expect(s, ts_ms);
    if (marks > 0 && s->split && s->line.bytes.len == s->max_line)
        put_piece(s, ts_ms); /* the mark begins in the next record */
    s->redacted += marks;
}

/* Takes the CR of a terminal's line end off msg; how many bytes the line end has. */
static size_t take_line_end(const struct splitter *s, struct clean_span *msg)
{
    if (!s->is_terminal || msg->len == 0 || msg->ptr[msg->len - 1] != '\r')
        return 1;
    *msg = clean_sub(*msg, 0, msg->len - 1);
    return 2;
}

/* A line that lies whole in this span, newline at ptr[n]. */
static void whole_line(struct splitter *s, struct clean_span msg, int64_t ts_ms)
{
    size_t end_len = take_line_end(s, &msg);

    if (!s->begun)
        s->ts_ms = ts_ms;
    if (s->split && msg.len > s->max_line) {
        s->begun = true;
        gather(s, msg, ts_ms);
        msg = clean_buf_span(&s->line);
    } else {
        s->total = msg.len;
    }
    put_record(s, msg, end_len, false, false);
    start_next(s);
}

/* The rest of a line that was begun by an earlier span. */
static void end_line(struct splitter *s, struct clean_span part, int64_t ts_ms)
{
    size_t end_len = s->cr_waits ? 2 : take_line_end(s, &part);

    s->cr_waits = false;
    gather(s, part, ts_ms);
    put_record(s, clean_buf_span(&s->line), end_len, false, false);
    start_next(s);
}

/* Part of a line whose end is not in sight. */
static void add_part(struct splitter *s, struct clean_span part, int64_t ts_ms)
{
    if (part.len == 0)
        return;
    begin(s, 0, ts_ms);
    if (s->is_terminal && part.ptr[part.len - 1] == '\r') {
        s->cr_waits = true;
        part = clean_sub(part, 0, part.len - 1);
    }
    gather(s, part, ts_ms);
}

/* What follows a CR is no LF: it was a byte like others. */
static void release_cr(struct splitter *s, int64_t ts_ms)
{
    s->cr_waits = false;
    gather(s, clean_constant("\r"), ts_ms);
}

static void feed_span(struct splitter *s, struct clean_span span, int64_t ts_ms)
{
    size_t at = 0;

    if (s->cr_waits && span.len > 0 && span.ptr[0] != '\n')
        release_cr(s, ts_ms);
    if (span.len > 0 && span.marks > 0)
        begin(s, span.marks, ts_ms);
    while (at < span.len) {
        const char *newline = memchr(span.ptr + at, '\n', span.len - at);
        size_t end = newline != NULL ? (size_t)(newline - span.ptr) : span.len;
        struct clean_span part = clean_sub(span, at, end - at);

        if (newline == NULL)
            add_part(s, part, ts_ms);
        else if (s->total == 0 && !s->cr_waits)
            whole_line(s, part, ts_ms);
        else
            end_line(s, part, ts_ms);
        at = end + 1;
    }
}

void splitter_feed(struct splitter *s, const struct clean_vec *spans, int64_t ts_ms)
{
    for (size_t i = 0; i < spans->len; i++)
        feed_span(s, spans->items[i], ts_ms);
}

void splitter_finish(struct splitter *s)
{
    if (s->cr_waits)
        release_cr(s, s->ts_ms);
    if (s->total > 0)
        put_record(s, clean_buf_span(&s->line), 0, true, false);
    start_next(s);
}
