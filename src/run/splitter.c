// SPDX-License-Identifier: MIT
#include "run/splitter.h"

#include <string.h>

#include "text/utf8.h"

void splitter_init(struct splitter *s, const struct splitter_options *o)
{
    *s = (struct splitter){.o = *o, .plain = !o->last_frame};
    clean_buf_init(&s->line, o->max_line);
    frames_init(&s->frames, o->max_line);
}

void splitter_release(struct splitter *s)
{
    clean_buf_release(&s->line);
    frames_release(&s->frames);
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
    s->left_out = 0;
    s->redacted = 0;
    s->dropped = 0;
    clean_buf_consume(&s->line, s->line.bytes.len);
    s->begun = false;
    if (!s->o.last_frame)
        return;
    s->plain = false;
    if (s->framed > 0)
        frames_clear(&s->frames);
    s->framed = 0;
}

/* Hands a record over. msg may be longer than a record may be, and total longer still; end_len
   bytes ended the line. */
static void put_record(struct splitter *s, struct clean_span msg, size_t end_len, bool partial,
                       bool cont)
{
    uint64_t whole = s->total;
    struct line_fields f = {.redacted = s->redacted, .partial = partial, .cont = cont,
                            .frames = s->dropped};

    if (whole > s->o.max_line || whole > msg.len) {
        size_t most = msg.len < s->o.max_line ? msg.len : s->o.max_line;

        msg = clean_sub(msg, 0, utf8_cut(msg.ptr, most));
        f.truncated = whole - msg.len;
    }
    if (s->watch != NULL)
        line_watch_take(s->watch, msg);
    whole += s->left_out + end_len;
    build_log_line(s->o.log, s->o.src, s->ts_ms, msg, whole, &f);
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
    s->dropped = 0;
    s->left_out = 0;
    s->ts_ms = ts_ms;
}

/* Adds bytes without a newline to the current line. */
static void gather(struct splitter *s, struct clean_span bytes, int64_t ts_ms)
{
    while (bytes.len > 0) {
        size_t room = s->o.max_line - s->line.bytes.len;
        size_t take = bytes.len < room ? bytes.len : room;

        if (room == 0 && s->o.split) {
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
    if (marks > 0 && s->o.split && s->line.bytes.len == s->o.max_line)
        put_piece(s, ts_ms); /* the mark begins in the next record */
    s->redacted += marks;
}

/* ---- frames -------------------------------------------------------------------------------- */

/* What is kept of the frames is the line's text so far. */
static struct clean_span end_frames(struct splitter *s)
{
    struct clean_span kept = frames_kept(&s->frames);

    s->left_out += s->framed - kept.len;
    s->dropped += frames_dropped(&s->frames);
    return kept;
}

/* The next bytes of a line of which only the last frame is wanted, as far as that can be told. */
static void take(struct splitter *s, struct clean_span bytes, int64_t ts_ms)
{
    size_t n;

    if (!s->plain) {
        n = frames_feed(&s->frames, bytes);
        s->framed += n;
        if (n == bytes.len)
            return;
        s->plain = true;
        gather(s, end_frames(s), ts_ms);
        frames_release(&s->frames); /* its memory; it is cleared for the next line */
        bytes = clean_sub(bytes, n, bytes.len - n);
    }
    gather(s, bytes, ts_ms);
}

/* The line is complete; what came of it is here, not in one span of the input. */
static void end_line(struct splitter *s, size_t end_len, int64_t ts_ms)
{
    struct clean_span msg = clean_buf_span(&s->line);

    if (!s->plain) {
        frames_finish(&s->frames);
        msg = end_frames(s);
        s->total = msg.len;
        if (msg.len > s->o.max_line && s->o.split) {
            s->total = 0;
            gather(s, msg, ts_ms);
            msg = clean_buf_span(&s->line);
        }
    }
    put_record(s, msg, end_len, end_len == 0, false);
    start_next(s);
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* A line that lies whole in this span, end_len bytes at ptr[n] end it. */
static void whole_line(struct splitter *s, struct clean_span msg, size_t end_len, int64_t ts_ms)
{
    if (!s->begun)
        s->ts_ms = ts_ms;
    if (s->o.split && msg.len > s->o.max_line) {
        s->begun = true;
        gather(s, msg, ts_ms);
        msg = clean_buf_span(&s->line);
    } else {
        s->total = msg.len;
    }
    put_record(s, msg, end_len, false, false);
    start_next(s);
}

/* Nothing of the line has come before, and it need not be followed to tell what is left out. */
static bool goes_whole(const struct splitter *s, struct clean_span part, struct frames_ended *ended)
{
    *ended = (struct frames_ended){0};
    return s->total == 0 && s->framed == 0 &&
           (s->plain || frames_end(part, s->o.max_line, ended));
}

/* How many bytes of CR a terminal put before the newline, which are no part of the line: 0 or 1. */
static size_t cr_at_end(const struct splitter *s, struct clean_span part)
{
    return s->o.is_terminal && part.len > 0 && part.ptr[part.len - 1] == '\r' ? 1 : 0;
}

/* The one that was held back; `ends`: a newline follows. */
static void release_cr(struct splitter *s, bool ends, int64_t ts_ms)
{
    s->cr_waits = false;
    if (ends)
        s->left_out++;
    else
        take(s, clean_constant("\r"), ts_ms);
}

/* Part of a line, up to its newline or to the end of the span. */
static void feed_part(struct splitter *s, struct clean_span part, bool newline, int64_t ts_ms)
{
    size_t cr = cr_at_end(s, part);
    struct frames_ended ended;

    part = clean_sub(part, 0, part.len - cr);
    if (newline && goes_whole(s, part, &ended)) {
        s->left_out += ended.left_out;
        s->dropped = ended.dropped;
        whole_line(s, clean_sub(part, ended.left_out, part.len - ended.left_out), cr + 1, ts_ms);
        return;
    }
    begin(s, 0, ts_ms);
    take(s, part, ts_ms);
    if (newline)
        end_line(s, cr + 1, ts_ms);
    else
        s->cr_waits = cr > 0;
}

static void feed_span(struct splitter *s, struct clean_span span, int64_t ts_ms)
{
    size_t at = 0;

    if (s->cr_waits && span.len > 0)
        release_cr(s, span.ptr[0] == '\n', ts_ms);
    if (span.len > 0 && span.marks > 0)
        begin(s, span.marks, ts_ms);
    while (at < span.len) {
        const char *newline = memchr(span.ptr + at, '\n', span.len - at);
        size_t end = newline != NULL ? (size_t)(newline - span.ptr) : span.len;

        feed_part(s, clean_sub(span, at, end - at), newline != NULL, ts_ms);
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
        release_cr(s, false, s->ts_ms);
    if (s->total > 0 || s->framed > 0)
        end_line(s, 0, s->ts_ms);
    start_next(s);
}
