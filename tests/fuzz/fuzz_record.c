// SPDX-License-Identifier: MIT
/*
 * Records and logs that nobody of ours wrote, for a fuzzer. The first byte of an input chooses
 * what is tried, the others make the text (pieces.h). What must hold for every input:
 *
 *   a line     what reads it fast (peek, head, body, line_msg) says what the decoder says, or
 *              nothing; what comes out for a terminal is harmless, and as JSON means the same
 *   fields     what was encoded is decoded again, whatever the bytes
 *   text       visible text is harmless, stays as it is the second time, and fits its columns
 *   a log      read forwards, backwards, in pieces, from its tail and compressed it is the same
 *              records; what recovery says of its end is true, also when reads come short
 *   a gz file  that is none is read as far as it goes
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/sys.h"
#include "fuzz/harmless.h"
#include "fuzz/must.h"
#include "fuzz/pieces.h"
#include "fuzz/scratch.h"
#include "fuzz/target.h"
#include "read/level.h"
#include "read/render.h"
#include "read/visible.h"
#include "record/record.h"
#include "store/layout.h"
#include "store/log_recover.h"
#include "store/verify.h"
#include "text/base64.h"
#include "text/utf8.h"

#define ID "01JZ5X3T3GABCDEFGHJKMNPQRS" /* of 2025-07-02 */

enum {
    OUT_MAX = 1 << 20,
    LINES_MAX = PIECES_TEXT_MAX + 1,
    MEMORY_FD = 1 << 24 /* no descriptor: pread gives the image */
};

static const char *const record_pieces[] = {
    "{\"kind\":\"line\",\"ts\":1,\"seq\":", "\"kind\":\"line\"", ",\"ts\":", ",\"seq\":",
    ",\"src\":\"stdout\"", ",\"buildId\":\"" ID "\"", ",\"msg\":\"", "\"}", "{", "}", "[", "]",
    ",", ":", "\"", "{\"kind\":\"event\",\"ts\":2,\"seq\":2", ",\"level\":\"error\"",
    ",\"component\":\"run\",\"event\":\"signal\"", "{\"kind\":\"gap\",\"ts\":3,\"seq\":9",
    ",\"from\":4,\"lines\":6,\"bytes\":70", ",\"reason\":\"max_log\"", "{\"kind\":\"meta\"",
    ",\"startedAt\":\"2025-07-02T00:00:00.000Z\"", ",\"endedAt\":\"2025-07-02T00:00:00.000Z\"",
    ",\"status\":\"ok\"", ",\"exitCode\":0", ",\"lastSeq\":3", ",\"attempt\":2", ",\"v\":2",
    ",\"redacted\":1", ",\"truncated\":5", ",\"partial\":true", ",\"cont\":true", ",\"bad\":1",
    ",\"raw\":\"/w==\"", ",\"len\":4", "\\u", "\\u0000", "\\u001b", "\\ud83d", "\\ude00", "\\u00e9",
    "\\n", "\\r", "\\\"", "\\\\", "\\/", "9007199254740992", "9007199254740991", "-1", "1e3", "0",
    "1.5", "18446744073709551616", "null", "true", "\x1b[31m", "\x1b[0m", "\x1b]0;t\x07", "\x1b[2J",
    "\x1b[38:2::1:2:3m", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\xa8", "\xd8\x9c", "\xf3\xa0\x81\x81",
    "\xc3\xa9", "\xf0\x9f\x98\x80", "\xe2\x82", "\xff", "\xc0\xaf", "\xed\xa0\x80",
    "{\"kind\":\"new\",\"ts\":1,\"seq\":1}", "::error file=x.c,line=1::", "error: ", "WARN ",
    "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"src\":\"stdout\",\"buildId\":\"" ID "\",\"msg\":\"",
    "{\\\"level\\\":\\\"warn\\\"", "level=error ", "\n", "\t", "\x7f", "\r", "e\xcc\x81",
    "\xe4\xb8\xad", ",\"m\\u0073g\":\"", ",\"x\":{\"msg\":\"", ",\"labels\":{\"a\":\"b\"}"};

/* ---- where things go -------------------------------------------------------------------- */

static enum err_code put_buf(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

/* A copy of its exact size, so that a sanitizer sees what is read beyond. */
static char *exact(const char *data, size_t n)
{
    char *copy = malloc(n > 0 ? n : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, data, n);
    return copy;
}

/* ---- text ------------------------------------------------------------------------------- */

static const char *check_columns(const struct buf *b)
{
    for (size_t columns = 0; columns < 40; columns++) {
        size_t fit = visible_fit(b->data, b->len, columns);

        if (fit > b->len || visible_columns(b->data, fit) > columns)
            return "text does not fit its columns";
        if (fit < b->len && ((unsigned char)b->data[fit] & 0xc0) == 0x80)
            return "text is cut within a character";
    }
    return NULL;
}

static const char *check_visible(const char *text, size_t n, struct visible how)
{
    const char *reason = NULL;
    struct buf once;
    struct buf twice;
    struct sink to_once = {put_buf, &once};
    struct sink to_twice = {put_buf, &twice};

    buf_init(&once, OUT_MAX);
    buf_init(&twice, OUT_MAX);
    must(buf_reserve(&once, 1) == ERR_NONE && buf_reserve(&twice, 1) == ERR_NONE);
    must(visible_put(&to_once, (struct raw_span){text, n}, how) == ERR_NONE);
    must(visible_put(&to_twice, (struct raw_span){once.data, once.len}, how) == ERR_NONE);
    if (!is_harmless(once.data, once.len, how.lf, how.colour == COLOUR_PASS))
        reason = "visible text is not harmless";
    else if (how.colour != COLOUR_PASS &&
             (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0))
        reason = "visible text is changed the second time";
    else if (how.colour != COLOUR_PASS)
        reason = check_columns(&once);
    buf_release(&once);
    buf_release(&twice);
    return reason;
}

static const char *check_text(const char *text, size_t n)
{
    const char *reason = NULL;

    for (unsigned i = 0; i < 6 && reason == NULL; i++)
        reason = check_visible(text, n,
                               (struct visible){.colour = (enum visible_colour)(i / 2),
                                                .lf = i % 2 == 0});
    return reason;
}

/* ---- a line ----------------------------------------------------------------------------- */

/* What the tree of the decoder says, and the ways round it. */
struct told {
    bool sound;
    struct record r;
};

static bool same_text(struct raw_span msg, const char *want)
{
    size_t n = strnlen(msg.ptr, msg.len); /* cJSON ends there */

    return strlen(want) == n && memcmp(want, msg.ptr, n) == 0;
}

static const char *check_msg(const char *line, size_t n, const struct told *t, char *scratch)
{
    struct raw_span src = {0};
    size_t len = 0;

    if (!record_line_msg(line, n, scratch, &len, &src))
        return NULL;
    if (len > n || src.ptr < line || src.ptr + src.len > line + n || !utf8_valid(scratch, len))
        return "line_msg gives what is not there";
    if (t->sound && (t->r.kind != RECORD_LINE || !same_text((struct raw_span){scratch, len},
                                                            record_text(&t->r, "msg", ""))))
        return "line_msg is not what the decoder says";
    return NULL;
}

static const char *check_body(const char *line, size_t n, const struct told *t, char *scratch)
{
    struct record_line_head head;
    struct record_line_body body;

    if (!record_line_head(line, n, &head))
        return NULL;
    if (t->sound && (t->r.kind != RECORD_LINE || head.ts_ms != t->r.ts_ms || head.seq != t->r.seq))
        return "line_head is not what the decoder says";
    if (!record_line_body(line, n, &head, scratch, &body))
        return NULL;
    if (!t->sound)
        return "line_body takes what the decoder refuses";
    if (body.has_msg && !same_text(body.msg, record_text(&t->r, "msg", "")))
        return "line_body is not what the decoder says";
    return body.len == record_number(&t->r, "len", -1) ? NULL : "line_body has another len";
}

static const char *check_peek(const char *line, size_t n, const struct told *t)
{
    struct log_item item = {.text = {line, n}};
    enum record_kind kind;
    uint64_t from;
    uint64_t seq;

    if (record_peek(line, n, &kind, &from, &seq) && t->sound &&
        (kind != t->r.kind || from != t->r.from || seq != t->r.seq))
        return "peek is not what the decoder says";
    if (record_peek_ts(line, n) >= 0 && t->sound && record_peek_ts(line, n) != t->r.ts_ms)
        return "peek_ts is not what the decoder says";
    if (t->sound && line[0] == '{' && line[n - 1] == '}' &&
        (log_item_classify(&item) != ERR_NONE || item.kind != t->r.kind))
        return "the reader takes a record for none";
    return NULL;
}

/* Both parse, to the same. */
static bool same_json(const char *a, size_t a_len, const char *b, size_t b_len)
{
    cJSON *one = cJSON_ParseWithLength(a, a_len);
    cJSON *other = cJSON_ParseWithLength(b, b_len);
    char *one_text = one != NULL ? cJSON_PrintUnformatted(one) : NULL;
    char *other_text = other != NULL ? cJSON_PrintUnformatted(other) : NULL;
    bool same = one_text != NULL && other_text != NULL && strcmp(one_text, other_text) == 0;

    cJSON_free(one_text);
    cJSON_free(other_text);
    cJSON_Delete(one);
    cJSON_Delete(other);
    return same;
}

static const char *check_rendered(const struct log_item *item, const struct told *t,
                                  const struct renderer *how)
{
    const char *reason = NULL;
    struct renderer r = *how;
    struct buf out;
    enum err_code rc;

    buf_init(&out, OUT_MAX);
    must(buf_reserve(&out, 1) == ERR_NONE);
    r.sink = (struct sink){put_buf, &out};
    rc = render_item(&r, item, NULL);
    if (rc == ERR_FORMAT && out.len > 0)
        reason = "what is no record comes out";
    if (r.terminal && !is_harmless(out.data, out.len, true, r.colour))
        reason = "what is rendered for a terminal is not harmless";
    if (rc == ERR_NONE && r.format == RENDER_JSONL && t->sound && out.len > 0 &&
        !same_json(item->text.ptr, item->text.len, out.data, out.len))
        reason = "JSON for a terminal means something else";
    buf_release(&out);
    render_release(&r);
    return reason;
}

static const char *check_line(const char *text, size_t n)
{
    char *line = exact(text, n);
    char *scratch = exact(text, n);
    struct told t = {.sound = record_decode(line, n, &t.r, NULL) == ERR_NONE};
    struct log_item item = {.text = {line, n}};
    const char *reason = check_peek(line, n, &t);

    if (reason == NULL)
        reason = check_msg(line, n, &t, scratch);
    if (reason == NULL)
        reason = check_body(line, n, &t, scratch);
    if (reason == NULL && log_item_classify(&item) == ERR_NONE) {
        (void)level_of(&item, (struct raw_span){line, n});
        for (unsigned i = 0; i < 12 && reason == NULL; i++)
            reason = check_rendered(&item, &t,
                                    &(struct renderer){.format = (enum render_format)(i / 4),
                                                       .terminal = i % 2 == 0,
                                                       .colour = i / 2 % 2 == 0});
    }
    (void)level_of_text((struct raw_span){line, n});
    if (t.sound)
        record_release(&t.r);
    free(line);
    free(scratch);
    return reason;
}

/* ---- fields ----------------------------------------------------------------------------- */

/* With U+FFFD for what is no UTF-8; returns how many bytes that was. */
static uint64_t repair(const char *text, size_t n, struct buf *out)
{
    uint64_t bad = 0;

    for (size_t at = 0; at < n;) {
        bool valid;
        size_t len = utf8_sequence(text + at, n - at, &valid);

        must((valid ? buf_put(out, text + at, len) : buf_puts(out, "\xef\xbf\xbd")) == ERR_NONE);
        bad += valid ? 0 : len;
        at += len;
    }
    return bad;
}

/* One whole line in it that the decoder takes. */
static bool decodes(const char *line, size_t n, struct record *r)
{
    return n > 0 && memchr(line, '\n', n) == line + n - 1 &&
           record_decode(line, n - 1, r, NULL) == ERR_NONE;
}

static const char *check_raw(const struct record *r, const char *msg, size_t n, uint64_t bad)
{
    const char *raw = record_text(r, "raw", NULL);
    char *bytes;
    char *end;
    bool good;

    if ((uint64_t)record_number(r, "bad", 0) != bad || (raw != NULL) != (bad > 0))
        return "what was no UTF-8 is not told right";
    if (raw == NULL)
        return NULL;
    bytes = malloc(strlen(raw) / 4 * 3 + 1);
    must(bytes != NULL);
    end = base64_decode(bytes, raw, strlen(raw));
    good = end != NULL && (size_t)(end - bytes) == n && memcmp(bytes, msg, n) == 0;
    free(bytes);
    return good ? NULL : "the bytes as they were are not in it";
}

static const char *check_line_fields(const struct record *r, const char *msg, size_t n,
                                     const struct line_fields *f, bool payload)
{
    const char *reason = NULL;
    struct buf want;
    uint64_t bad;

    if (r->kind != RECORD_LINE || r->seq != f->seq || r->ts_ms != f->ts_ms ||
        record_bool(r, "partial", false) != f->partial || record_bool(r, "cont", false) != f->cont)
        return "a line's numbers are not what they were";
    if (!payload)
        return (size_t)record_number(r, "len", -1) == n ? NULL : "a line's length is not right";
    buf_init(&want, OUT_MAX);
    bad = repair(msg, n, &want);
    if (f->truncated > 0)
        must(buf_puts(&want, "\xe2\x80\xa6[TRUNCATED]") == ERR_NONE);
    must(buf_put(&want, "", 1) == ERR_NONE);
    if (!same_text((struct raw_span){want.data, want.len - 1}, record_text(r, "msg", "")))
        reason = "a line's text is not what it was";
    buf_release(&want);
    return reason != NULL ? reason : check_raw(r, msg, n, bad);
}

static const char *check_encoded_line(const char *msg, size_t n, unsigned flags)
{
    struct line_fields f = {.ts_ms = (int64_t)flags << 40, .seq = 1 + (uint64_t)flags * 77777,
                            .redacted = flags & 1, .truncated = flags >> 1 & 1,
                            .partial = (flags & 4) != 0, .cont = (flags & 8) != 0};
    bool payload = (flags & 16) == 0;
    char *line = malloc(line_encode_room(n));
    char *copy = exact(msg, n);
    const char *reason = "an encoded line is not decoded";
    struct line_encoder e;
    struct record r;
    size_t len;

    must(line != NULL);
    line_encoder_init(&e, (flags & 32) != 0 ? "merged" : "stderr", ID, payload);
    len = (size_t)(line_encode(&e, line, (struct clean_span){.ptr = copy, .len = n}, &f) - line);
    if (decodes(line, len, &r)) {
        reason = check_line_fields(&r, msg, n, &f, payload);
        record_release(&r);
    }
    if (reason == NULL)
        reason = check_line(line, len - 1);
    free(line);
    free(copy);
    return reason;
}

/* The text member of an event, a start record's command and directory. */
static const char *check_encoded_others(const char *text, size_t n)
{
    struct clean_span span = {.ptr = text, .len = n};
    const struct record_field field = {.key = "text", .type = FIELD_TEXT, .text = span};
    const struct record_event event = {.ts_ms = 5, .seq = 6, .build_id = ID, .level = "warn",
                                       .component = "run", .event = "emit", .fields = &field,
                                       .n_fields = 1};
    const struct record_label label = {"key", span};
    const struct record_start start = {.build_id = ID, .version = "1", .name = span, .cmd = &span,
                                       .cmd_len = 1, .cwd = span, .order = "arrival",
                                       .forward = "raw", .labels = &label, .n_labels = 1};
    const char *reason = NULL;
    struct record r;
    struct buf want;
    struct buf b;

    buf_init(&b, OUT_MAX);
    buf_init(&want, OUT_MAX);
    (void)repair(text, n, &want);
    must(buf_put(&want, "", 1) == ERR_NONE && record_put_event(&b, &event) == ERR_NONE);
    if (!decodes(b.data, b.len, &r))
        reason = "an encoded event is not decoded";
    else if (!same_text((struct raw_span){want.data, want.len - 1}, record_text(&r, "text", "")))
        reason = "an event's text is not what it was";
    record_release(&r);
    b.len = 0;
    must(record_put_start(&b, &start) == ERR_NONE);
    if (!decodes(b.data, b.len, &r))
        reason = "an encoded start record is not decoded";
    else if (!same_text((struct raw_span){want.data, want.len - 1}, record_text(&r, "cwd", "")))
        reason = "a start record's directory is not what it was";
    record_release(&r);
    buf_release(&b);
    buf_release(&want);
    return reason;
}

/* ---- a log ------------------------------------------------------------------------------ */

struct image {
    const char *data;
    size_t len;
    size_t whole; /* behind its last newline */
    unsigned trouble; /* how reads come short */
};

static struct image memory; /* what MEMORY_FD is */

static ssize_t pread_image(int fd, void *data, size_t n, off_t at)
{
    const struct sys_table *plain = &sys;

    (void)plain;
    if (fd != MEMORY_FD)
        return pread(fd, data, n, at);
    if (memory.trouble > 0 && ++memory.trouble % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    if (memory.trouble > 0 && n > 1)
        n = 1 + n / 3;
    if (at >= (off_t)memory.len)
        return 0;
    n = n < memory.len - (size_t)at ? n : memory.len - (size_t)at;
    memcpy(data, memory.data + at, n);
    return (ssize_t)n;
}

/* The line [from, to) is a record. */
static bool is_record(size_t from, size_t to, struct record *r)
{
    return record_decode(memory.data + from, to - from, r, NULL) == ERR_NONE;
}

static size_t line_end(size_t from)
{
    const char *lf = memchr(memory.data + from, '\n', memory.len - from);

    return lf != NULL ? (size_t)(lf - memory.data) : memory.len;
}

/* What the records up to `end` say, from the front. */
static bool numbers_hold(const struct log_past *p)
{
    uint64_t last = 0;
    uint64_t told = 0; /* by end records since */

    for (size_t at = 0; at < (size_t)p->end; at = line_end(at) + 1) {
        struct record r;

        if (!is_record(at, line_end(at), &r))
            continue;
        if (r.kind == RECORD_LINE || r.kind == RECORD_EVENT || r.kind == RECORD_GAP) {
            last = r.seq;
            told = 0;
        } else if (r.kind == RECORD_END && (uint64_t)record_number(&r, "lastSeq", 0) > told) {
            told = (uint64_t)record_number(&r, "lastSeq", 0);
        }
        record_release(&r);
    }
    return p->last_seq == (told > last ? told : last);
}

static const char *check_past(void)
{
    struct log_past p;
    struct log_past again;
    struct record r;
    const char *start;

    if (log_past_read(MEMORY_FD, (off_t)memory.len, &p, NULL) != ERR_NONE)
        return "the end of a log cannot be read";
    if (p.end < 0 || (size_t)p.end > memory.whole || (p.end > 0 && memory.data[p.end - 1] != '\n'))
        return "a log does not end behind a line";
    for (size_t at = (size_t)p.end; at < memory.whole; at = line_end(at) + 1) {
        if (is_record(at, line_end(at), &r)) {
            record_release(&r);
            return "a sound record is taken for a torn tail";
        }
    }
    if (p.end > 1) {
        start = memrchr(memory.data, '\n', (size_t)p.end - 1);
        if (!is_record(start != NULL ? (size_t)(start - memory.data) + 1 : 0, (size_t)p.end - 1,
                       &r))
            return "a log ends in what is no record";
        record_release(&r);
    }
    if (!numbers_hold(&p))
        return "the last number of a log is not right";
    if (log_past_read(MEMORY_FD, p.end, &again, NULL) != ERR_NONE || again.end != p.end ||
        again.last_seq != p.last_seq || again.attempt != p.attempt)
        return "the end of a log without its torn tail is another";
    (void)log_past_pid(MEMORY_FD, (off_t)memory.len);
    return NULL;
}

/* ---- a log file ------------------------------------------------------------------------- */

static void enter(void)
{
    char rel[LAYOUT_REL_SIZE];

    if (!scratch_enter())
        return;
    must(layout_make_dirs(scratch_fd, layout_rel_day(ID, rel), NULL) == ERR_NONE);
}

/* The log of ID has these bytes. */
static void write_log(const char *data, size_t n, bool compressed)
{
    char path[LAYOUT_REL_SIZE + 3];
    char rel[LAYOUT_REL_SIZE];
    int fd;

    layout_rel_path(ID, rel);
    snprintf(path, sizeof(path), "%s.gz", rel);
    (void)unlinkat(scratch_fd, compressed ? rel : path, 0);
    fd = openat(scratch_fd, compressed ? path : rel, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, data, n) == (ssize_t)n && close(fd) == 0);
}

/* Where the records begin, as one way of reading has it. */
struct seen {
    size_t n;
    uint64_t at[LINES_MAX];
    uint64_t left; /* records wanted of the rest */
};

static bool see(void *arg, const struct log_item *item)
{
    struct seen *s = arg;

    must(s->n < LINES_MAX);
    s->at[s->n++] = item->at;
    return true;
}

static bool is_line(const struct log_item *item)
{
    return item->at + item->text.len < memory.len &&
           memcmp(memory.data + item->at, item->text.ptr, item->text.len) == 0 &&
           memory.data[item->at + item->text.len] == '\n' &&
           (item->at == 0 || memory.data[item->at - 1] == '\n');
}

/* All that is to come; false: it is not what the file holds. */
static bool read_on(struct log_reader *r, struct seen *s)
{
    struct log_item item;
    bool have = true;

    s->n = 0;
    while (have) {
        must(log_reader_next(r, &item, &have, NULL) == ERR_NONE);
        if (have && !is_line(&item))
            return false;
        if (have)
            see(s, &item);
    }
    return true;
}

/* Each sound line is among what was seen, and every line is accounted for. */
static bool all_seen(const struct seen *s, const struct log_left_out *left)
{
    size_t i = 0;
    uint64_t damaged = 0;

    for (size_t at = 0; at < memory.whole; at = line_end(at) + 1) {
        struct record r;
        bool sound = is_record(at, line_end(at), &r);
        /* The reader knows a record by its braces. */
        bool braced = sound && memory.data[at] == '{' && memory.data[line_end(at) - 1] == '}';

        if (sound)
            record_release(&r);
        if (i < s->n && s->at[i] == at)
            i++;
        else if (braced)
            return false;
        else
            damaged++;
    }
    return i == s->n && damaged == left->damaged && left->torn_bytes == memory.len - memory.whole;
}

static bool pieces_are_all(struct log_reader *r)
{
    struct log_piece piece;
    bool have = true;
    size_t at = 0;

    must(log_reader_rewind(r, NULL) == ERR_NONE);
    for (;;) {
        must(log_reader_next_piece(r, &piece, &have, NULL) == ERR_NONE);
        if (!have)
            return at == memory.whole;
        if (piece.at != at || piece.text.len > memory.whole - at ||
            memcmp(piece.text.ptr, memory.data + at, piece.text.len) != 0)
            return false;
        at += piece.text.len;
    }
}

static bool any(void *arg, const struct log_item *item)
{
    (void)arg;
    (void)item;
    return true;
}

static const char *check_ways(struct log_reader *r, const struct seen *forward)
{
    static struct seen other;
    struct log_left_out left;
    size_t wanted = memory.len % 5;
    size_t first = forward->n > wanted ? forward->n - wanted : 0;

    log_reader_left_out(r, &left);
    if (!all_seen(forward, &left))
        return "reading a log leaves out a record, or does not count what it leaves out";
    if (!pieces_are_all(r))
        return "the pieces of a log are not the log";
    must(log_reader_seek_tail(r, wanted, any, NULL, NULL) == ERR_NONE);
    if (!read_on(r, &other) || other.n != forward->n - first ||
        memcmp(other.at, forward->at + first, other.n * sizeof(other.at[0])) != 0)
        return "the tail of a log is not its tail";
    if (log_reader_compressed(r))
        return NULL;
    other.n = 0;
    must(log_reader_backward(r, see, &other, NULL) == ERR_NONE);
    if (other.n != forward->n)
        return "backwards a log has other records";
    for (size_t i = 0; i < other.n; i++) {
        if (other.at[i] != forward->at[other.n - 1 - i])
            return "backwards a log has other records";
    }
    return NULL;
}

static const char *check_file(const struct seen *want, struct seen *got)
{
    const char *reason;
    struct log_reader *r;
    struct verify_result verified;

    must(log_reader_open(&r, scratch_fd, ID, NULL) == ERR_NONE);
    if (!read_on(r, got))
        reason = "what is read is not in the log";
    else
        reason = check_ways(r, got);
    log_reader_free(r);
    if (reason == NULL && want != NULL &&
        (want->n != got->n || memcmp(want->at, got->at, got->n * sizeof(got->at[0])) != 0))
        reason = "compressed, a log has other records";
    must(verify_log(scratch_fd, ID, &verified, NULL) == ERR_NONE);
    if (reason == NULL && verified.verdict == VERIFY_INTACT && memory.whole != memory.len)
        reason = "a torn log is called intact";
    return reason;
}

static size_t compress_image(char *dst, size_t size)
{
    enum { GZIP_BITS = 15 + 16 };
    z_stream z = {.next_in = (Bytef *)(uintptr_t)memory.data, .avail_in = (uInt)memory.len,
                  .next_out = (Bytef *)dst, .avail_out = (uInt)size};

    must(deflateInit2(&z, 1, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    must(deflate(&z, Z_FINISH) == Z_STREAM_END);
    must(deflateEnd(&z) == Z_OK);
    return size - z.avail_out;
}

static const char *check_log(const char *data, size_t n, unsigned trouble)
{
    static struct seen plain;
    static struct seen compressed;
    static char gz[2 * PIECES_TEXT_MAX];
    const char *last = memrchr(data, '\n', n);
    const char *reason;

    enter();
    memory = (struct image){.data = data, .len = n, .trouble = trouble,
                            .whole = last != NULL ? (size_t)(last - data) + 1 : 0};
    sys.pread = pread_image;
    reason = check_past();
    if (reason != NULL)
        return reason;
    write_log(data, n, false);
    reason = check_file(NULL, &plain);
    if (reason != NULL)
        return reason;
    write_log(gz, compress_image(gz, sizeof(gz)), true);
    return check_file(&plain, &compressed);
}

/* Bytes that say they are compressed. */
static const char *check_gz(const char *data, size_t n)
{
    struct log_left_out left;
    struct log_reader *r;
    struct log_item item;
    bool have = true;

    enter();
    write_log(data, n, true);
    if (log_reader_open(&r, scratch_fd, ID, NULL) != ERR_NONE)
        return NULL;
    while (have && log_reader_next(r, &item, &have, NULL) == ERR_NONE)
        ;
    log_reader_left_out(r, &left);
    log_reader_free(r);
    return NULL;
}

/* ---- inputs ----------------------------------------------------------------------------- */

enum { TRY_LINE, TRY_FIELDS, TRY_TEXT, TRY_LOG, TRY_GZ, N_TRIES };
enum { OWN_RECORDS = 6 }; /* in a log the first pieces are sound records */

/* A sound record, numbered on. */
static void put_record(struct pieces_text *t, unsigned kind, uint64_t *seq)
{
    struct buf b;
    const struct record_event event = {.ts_ms = 2, .seq = *seq + 1, .build_id = ID,
                                       .level = "warn", .component = "run", .event = "stall"};
    const struct record_gap gap = {.ts_ms = 3, .seq = *seq + 4, .from = *seq + 1, .build_id = ID,
                                   .lines = 4, .bytes = 40, .reason = "max_log"};
    const struct record_start start = {.build_id = ID, .version = "1", .order = "arrival",
                                       .attempt = 2, .forward = "raw"};
    const struct record_end end = {.build_id = ID, .last_seq = *seq, .complete = true};
    char line[128];

    buf_init(&b, OUT_MAX);
    if (kind == 0)
        must(record_put_start(&b, &start) == ERR_NONE);
    else if (kind == 1)
        must(record_put_event(&b, &event) == ERR_NONE);
    else if (kind == 2)
        must(record_put_gap(&b, &gap) == ERR_NONE);
    else if (kind == 3)
        must(record_put_end(&b, &end) == ERR_NONE);
    else
        must(buf_put(&b, line, (size_t)snprintf(line, sizeof(line), "{\"kind\":\"line\",\"ts\":1,"
                             "\"seq\":%llu,\"src\":\"stdout\",\"buildId\":\"" ID
                             "\",\"msg\":\"x\"}\n", (unsigned long long)*seq + 1)) == ERR_NONE);
    *seq += kind == 1 || kind > 3 ? 1 : kind == 2 ? 4 : 0;
    pieces_put(t, b.data, b.len);
    buf_release(&b);
}

static void make_log(struct pieces_text *t, struct pieces_in in)
{
    uint64_t seq = 0;

    t->len = 0;
    while (in.left > 0) {
        if (*in.at >= PIECE_FIRST && *in.at < PIECE_FIRST + OWN_RECORDS)
            put_record(t, pieces_byte(&in) - PIECE_FIRST, &seq);
        else
            pieces_next(t, &in, PIECES(record_pieces));
    }
}

const char *fuzz_one(const uint8_t *data, size_t len)
{
    static struct pieces_text text;
    struct pieces_in in = {data, len};
    unsigned what = pieces_byte(&in);
    unsigned flags = pieces_byte(&in);

    if (len < 2)
        return NULL;
    if (what % N_TRIES == TRY_LOG)
        make_log(&text, in);
    else
        pieces_expand(&text, in, PIECES(record_pieces));
    switch (what % N_TRIES) {
    case TRY_LINE:
        return check_line(text.data, text.len);
    case TRY_FIELDS: {
        const char *reason = check_encoded_line(text.data, text.len, flags);

        return reason != NULL ? reason : check_encoded_others(text.data, text.len);
    }
    case TRY_TEXT:
        return check_text(text.data, text.len);
    case TRY_LOG:
        return check_log(text.data, text.len, flags % 4);
    default:
        return check_gz((const char *)in.at, in.left);
    }
}

void fuzz_explain(const uint8_t *data, size_t len)
{
    static struct pieces_text text;
    struct pieces_in in = {data, len};
    unsigned what = pieces_byte(&in);

    printf("# try %u flags %02x\n", what % N_TRIES, pieces_byte(&in));
    if (what % N_TRIES == TRY_LOG)
        make_log(&text, in);
    else
        pieces_expand(&text, in, PIECES(record_pieces));
    fuzz_print("in", text.data, text.len);
}
