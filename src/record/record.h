// SPDX-License-Identifier: MIT
/*
 * The record format, version 1: one JSON object a line, UTF-8, "\n" after each, keys in the
 * order of the structs below (readers may use the order to be fast, never to be correct).
 * A record is valid iff it ends in a newline, parses as a JSON object, has a known "kind",
 * and (line, event, gap) its "seq" is the previous one plus 1; a gap's "from" is the
 * previous one plus 1 and its "seq" the last number it stands for. Unknown keys are kept
 * and ignored. Absent values are left out, never null.
 *
 * Encoders append one whole record, newline included, to a buffer or fail with ERR_MEMORY
 * leaving it as it was. Text arguments named clean_* went through a redactor.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum { RECORD_VERSION = 1 };

/* ---- start: {"kind":"meta","buildId",…} -------------------------------------------- */

struct record_label {
    const char *key;
    struct clean_span value;
};

/* Spans with ptr NULL and strings NULL are left out. */
struct record_start {
    const char *build_id;
    struct clean_span user_id;
    struct clean_span project_id;
    int64_t started_ms; /* "startedAt", RFC 3339 */
    const char *version;
    uint32_t attempt; /* from 1; left out when 1 */
    struct clean_span req_id;
    const char *trace_id; /* 32 hex digits */
    const char *span_id;  /* 16 hex digits */
    const char *parent_id;
    struct clean_span name;
    const struct clean_span *cmd; /* argv */
    size_t cmd_len;
    struct clean_span cwd;
    struct clean_span host;
    int64_t pid; /* buildlog's own, for readers where locks do not work */
    bool tty;
    const char *order;   /* "arrival", "exact", "merge" */
    bool redact;         /* "on" or "off" */
    const char *forward; /* "redacted", "raw", "none" */
    bool lock;
    const struct record_label *labels; /* "labels":{} left out when none */
    size_t n_labels;
    int64_t columns, rows; /* of the command's terminal; 0: not known, left out */
};

enum err_code record_put_start(struct buf *b, const struct record_start *r) MUST_USE;

/* ---- line ------------------------------------------------------------------------- */

enum { RECORD_SRC_MAX = 16, RECORD_HEAD_MAX = 192 };

/* What stays the same from line to line of one source, pre-encoded. */
struct line_encoder {
    char tail[RECORD_HEAD_MAX]; /* from after seq's digits up to the opening quote of msg */
    size_t tail_len;
    bool payload; /* false: "len" instead of "msg" */
};

struct line_fields {
    int64_t ts_ms;
    uint64_t seq;
    uint32_t redacted;  /* marks in the line */
    uint64_t truncated; /* bytes dropped; the mark is appended to msg when not 0 */
    bool partial;       /* no newline at the end of the stream */
    bool cont;          /* the line goes on in the next record of this source */
    uint32_t frames;    /* of a progress bar, drawn over by what msg holds */
};

void line_encoder_init(struct line_encoder *e, const char *src, const char *build_id,
                       bool payload);

/* Bytes that line_encode may touch for a msg of n bytes. */
size_t line_encode_room(size_t n);

/*
 * Writes one line record for msg (without its newline) to dst and returns its end. Invalid
 * UTF-8 is repaired, counted as "bad", and the line kept as "raw" in base64. The payload-less
 * form writes "len" and neither "msg" nor "raw".
 */
char *line_encode(const struct line_encoder *e, char *dst, struct clean_span msg,
                  const struct line_fields *f);

/* ---- event ------------------------------------------------------------------------ */

struct record_field {
    const char *key; /* NULL: an element of a list */
    enum { FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL, FIELD_LIST, FIELD_OBJECT } type;
    struct clean_span text;
    int64_t number; /* or 0/1 */
    const struct record_field *items; /* of a list or an object */
    size_t n_items;
};

struct record_event {
    int64_t ts_ms;
    uint64_t seq;
    const char *build_id;
    const char *level;     /* "info", "warn", "error" */
    const char *component; /* "run", "log", "redact" */
    const char *event;     /* see buildlog(5) */
    const struct record_field *fields;
    size_t n_fields;
};

enum err_code record_put_event(struct buf *b, const struct record_event *r) MUST_USE;

/* ---- gap -------------------------------------------------------------------------- */

struct record_gap {
    int64_t ts_ms;
    uint64_t seq;
    const char *build_id;
    uint64_t from;
    uint64_t lines; /* line records it stands for */
    uint64_t bytes; /* redacted input bytes of those lines, newlines included */
    const char *reason; /* "log_unwritable", "log_replaced", "max_log", "interrupted_log" … */
};

enum { RECORD_GAP_MAX = 320, RECORD_END_MAX = 4096 }; /* encoded sizes never exceed these */

enum err_code record_put_gap(struct buf *b, const struct record_gap *r) MUST_USE;

/* ---- end -------------------------------------------------------------------------- */

enum build_status {
    BUILD_OK,
    BUILD_FAILED,
    BUILD_SIGNALED,
    BUILD_TIMEOUT,
    BUILD_INTERRUPTED,
    BUILD_EXEC_FAILED
};

const char *build_status_name(enum build_status s);

struct record_count {
    const char *rule;
    uint64_t n;
};

struct record_end {
    const char *build_id;
    int64_t ended_ms;
    enum build_status status;
    int exit_code; /* -1: none */
    int signal;    /* 0: none; written as a name: "SIGTERM" */
    int64_t duration_ms;
    uint64_t lines;
    uint64_t bytes;
    uint64_t last_seq;
    bool complete;
    const struct record_count *redactions; /* only n > 0 are written; what would not fit
                                              RECORD_END_MAX is summed as "(others)" */
    size_t n_redactions;
    int64_t max_rss_kb;
    int64_t user_ms;
    int64_t sys_ms;
    uint64_t hash_high; /* XXH3-128 */
    uint64_t hash_low;
    bool shutdown;
};

enum err_code record_put_end(struct buf *b, const struct record_end *r) MUST_USE;

/* "SIGTERM" and so on; "SIG34" for one without a name. Returns dst. */
enum { SIGNAL_NAME_SIZE = 16 };

const char *signal_name(int signal, char dst[SIGNAL_NAME_SIZE]);

/* ---- decoding --------------------------------------------------------------------- */

enum record_kind {
    RECORD_START, /* "meta" with startedAt */
    RECORD_LINE,
    RECORD_EVENT,
    RECORD_GAP,
    RECORD_END,    /* "meta" with endedAt */
    RECORD_FOREIGN /* sound JSON, unknown kind: from a newer version */
};

struct cJSON;

struct record {
    enum record_kind kind;
    uint64_t seq;  /* line, event, gap, and a foreign record that has ts and seq; else 0 */
    uint64_t from; /* gap; else = seq */
    int64_t ts_ms;
    struct cJSON *json; /* owned: record_release */
};

/*
 * Decodes the line (without its newline, any bytes, any length). ERR_FORMAT if it is no
 * record: not one JSON object in UTF-8, no kind, or numbers that are missing or absurd (ts
 * below 0, seq or from below 1, from above seq, any not whole or not below 2^53). r holds
 * something only on ERR_NONE; releasing it is safe in either case.
 */
enum err_code record_decode(const char *line, size_t n, struct record *r, struct err *e) MUST_USE;
void record_release(struct record *r);

/* Members of a decoded record; the fallback when absent or of another type. A text ends at
   its first \u0000 (record_line_msg gives msg whole); a number is whole and below 2^53. */
const char *record_text(const struct record *r, const char *key, const char *fallback);
int64_t record_number(const struct record *r, const char *key, int64_t fallback);
bool record_bool(const struct record *r, const char *key, bool fallback);

/*
 * The kind and numbers of a record in the shape our encoder writes, without parsing the
 * whole of it; false when it is not in that shape (then use record_decode).
 */
bool record_peek(const char *line, size_t n, enum record_kind *kind, uint64_t *from,
                 uint64_t *seq);

/*
 * The decoded msg of a line record without building a tree: unescapes into dst (at least n
 * bytes) and sets *src to the source's name within the line. False when the record is not in
 * our encoder's shape.
 */
bool record_line_msg(const char *line, size_t n, char *dst, size_t *msg_len,
                     struct raw_span *src);

/* What stands before msg in a line record. */
struct record_line_head {
    int64_t ts_ms;
    uint64_t seq;
    struct raw_span src;
    size_t id; /* where the name of the build begins: what is behind it was not looked at */
};

/* The head alone, for the many lines of which no more is asked. False: not in our encoder's
   shape. */
bool record_line_head(const char *line, size_t n, struct record_line_head *out);

struct record_line_body {
    bool has_msg;
    struct raw_span msg;   /* decoded, in dst */
    int64_t len;           /* "len"; -1 if there is none */
};

/*
 * The rest of a line whose head was read. True only if the whole of it is sound JSON in our
 * encoder's shape, which record_decode would take, too; dst is of at least n bytes.
 */
bool record_line_body(const char *line, size_t n, const struct record_line_head *head, char *dst,
                      struct record_line_body *out);

/* ts of an event or gap in our encoder's shape; -1 otherwise. */
int64_t record_peek_ts(const char *line, size_t n);

#endif
