// SPDX-License-Identifier: MIT
#include "store/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>
#include <zlib.h>

#include "base/sys.h"
#include "base/ulid.h"
#include "record/record.h"
#include "store/layout.h"
#include "store/log_reader.h"
#include "store/state.h"
#include "text/json_scan.h"
#include "text/utf8.h"

enum {
    CHUNK = 256 << 10,
    HASH_TEXT = sizeof("xxh3:0123456789abcdef0123456789abcdef"),
    BACK = 4096
};

struct verifier {
    const char *id;
    int fd;    /* the reader's; plain logs */
    gzFile gz; /* NULL: not compressed */
    uint64_t end; /* of a plain log: nothing behind it is looked at */
    struct verify_result *out;
    XXH3_state_t *hash; /* of the attempt so far */
    bool open;          /* within an attempt: its start record was seen, its end was not */
    bool gap;           /* within this attempt */
    bool ended;         /* the last known record is an end record */
    bool lost_count;    /* damaged lines lie between here and the last number */
    int64_t attempt;    /* what the last start record says it is */
    uint64_t next;      /* the number that comes next */
    uint64_t line;      /* the current one, from 1 */
    uint64_t at;        /* its offset */
};

static void problem(struct verifier *v, const char *format, ...) PRINTF_LIKE(2, 3);

static void problem(struct verifier *v, const char *format, ...)
{
    struct verify_problem *p;
    va_list args;

    if (v->out->problems++ >= VERIFY_PROBLEMS_KEPT)
        return;
    p = &v->out->problem[v->out->problems - 1];
    p->line = v->line;
    p->at = v->at;
    va_start(args, format);
    vsnprintf(p->what, sizeof(p->what), format, args);
    va_end(args);
}

/* ---- one record --------------------------------------------------------------------------- */

enum member {
    KIND, BUILD_ID, SEQ, FROM, TS, LINES, STARTED_AT, ENDED_AT, LAST_SEQ, COMPLETE, HASH, VERSION,
    ATTEMPT, N_MEMBERS
};

static const char *const keys[N_MEMBERS] = {
    [KIND] = "kind", [BUILD_ID] = "buildId", [SEQ] = "seq", [FROM] = "from", [TS] = "ts",
    [LINES] = "lines", [STARTED_AT] = "startedAt", [ENDED_AT] = "endedAt",
    [LAST_SEQ] = "lastSeq", [COMPLETE] = "complete", [HASH] = "hash", [VERSION] = "v",
    [ATTEMPT] = "attempt",
};

struct members {
    struct raw_span at[N_MEMBERS]; /* of several with one key the first; ptr NULL: absent */
};

static void see(void *arg, struct raw_span key, struct raw_span value)
{
    struct members *m = arg;

    for (int i = 0; i < N_MEMBERS; i++)
        if (m->at[i].ptr == NULL && json_is(key, keys[i])) {
            m->at[i] = value;
            return;
        }
}

static int64_t number(const struct members *m, enum member which, int64_t absent)
{
    int64_t value;

    return m->at[which].ptr != NULL && json_integer(m->at[which], &value) ? value : absent;
}

static bool is_text(const struct members *m, enum member which)
{
    return m->at[which].ptr != NULL && m->at[which].ptr[0] == '"';
}

/* Which kind of record it is; false if it is none after all. */
static bool classify(const struct members *m, enum record_kind *kind)
{
    struct raw_span name = m->at[KIND];

    if (!is_text(m, KIND))
        return false;
    *kind = RECORD_FOREIGN;
    if (json_is(name, "\"meta\"")) {
        bool start = is_text(m, STARTED_AT);
        bool end = is_text(m, ENDED_AT);

        if (start && (!end || m->at[STARTED_AT].ptr < m->at[ENDED_AT].ptr))
            *kind = RECORD_START;
        else if (end)
            *kind = RECORD_END;
        return true;
    }
    if (json_is(name, "\"line\""))
        *kind = RECORD_LINE;
    else if (json_is(name, "\"event\""))
        *kind = RECORD_EVENT;
    else if (json_is(name, "\"gap\""))
        *kind = RECORD_GAP;
    else
        return true;
    return number(m, TS, -1) >= 0 && number(m, SEQ, 0) >= 1 &&
           (*kind != RECORD_GAP ||
            (number(m, FROM, 0) >= 1 && number(m, FROM, 0) <= number(m, SEQ, 0)));
}

static bool of_this_build(const struct verifier *v, const struct members *m)
{
    struct raw_span id = m->at[BUILD_ID];

    return id.len == ULID_LEN + 2 && memcmp(id.ptr + 1, v->id, ULID_LEN) == 0;
}

/* ---- the order of records -------------------------------------------------------------------- */

static void check_number(struct verifier *v, uint64_t from, uint64_t seq)
{
    if (from == v->next + 1 && !v->lost_count)
        problem(v, "record %" PRIu64 " is missing", v->next);
    else if (from > v->next && !v->lost_count)
        problem(v, "records %" PRIu64 " to %" PRIu64 " are missing", v->next, from - 1);
    else if (from < v->next)
        problem(v, "record %" PRIu64 " where %" PRIu64 " should be", from, v->next);
    v->lost_count = false;
    v->next = seq + 1;
}

static void check_start(struct verifier *v, const struct members *m)
{
    int64_t attempt = number(m, ATTEMPT, 1);

    if (v->out->attempts > 0 && attempt != v->attempt + 1 &&
        (attempt <= v->attempt || !v->lost_count))
        problem(v, "attempt %" PRId64 " follows attempt %" PRId64, attempt, v->attempt);
    if (v->open)
        v->out->unsealed++;
    v->attempt = attempt;
    v->out->attempts++;
    v->out->newer |= number(m, VERSION, RECORD_VERSION) > RECORD_VERSION;
    v->open = true;
    v->gap = false;
    (void)XXH3_128bits_reset(v->hash);
}

static void check_hash(struct verifier *v, const struct members *m)
{
    struct raw_span told = m->at[HASH];
    XXH128_hash_t sum = XXH3_128bits_digest(v->hash);
    char want[HASH_TEXT + 2];

    snprintf(want, sizeof(want), "\"xxh3:%016" PRIx64 "%016" PRIx64 "\"", sum.high64, sum.low64);
    if (told.ptr == NULL)
        problem(v, "the end record has no hash");
    else if (!json_is(told, want))
        problem(v, "the hash of attempt %" PRIu64 " is not that of its bytes",
                v->out->attempts > 0 ? v->out->attempts : 1);
    else
        v->out->sealed++;
}

/* Said once, not for every record that follows; and not where the start record may be the
   damaged line before. */
static void check_open(struct verifier *v)
{
    if (!v->open && !v->lost_count)
        problem(v, v->out->attempts == 0 ? "no start record before this one"
                                         : "a record behind the end record");
    v->open = true;
}

static void check_end(struct verifier *v, const struct members *m)
{
    int64_t last = number(m, LAST_SEQ, -1);

    check_open(v);
    if (last < 0)
        problem(v, "the end record does not say how many records there are");
    else if (!v->lost_count && last != (int64_t)v->next - 1)
        problem(v, "the end record speaks of %" PRId64 " records, there are %" PRIu64, last,
                v->next - 1);
    if (v->gap && m->at[COMPLETE].ptr != NULL && json_is(m->at[COMPLETE], "true"))
        problem(v, "the end record says complete, but there is a gap");
    check_hash(v, m);
    v->open = false;
}

static void check_gap(struct verifier *v, const struct members *m)
{
    int64_t lines = number(m, LINES, 0);

    v->out->gaps++;
    v->out->missing_lines += lines > 0 ? (uint64_t)lines : 0;
    v->gap = true;
}

static void check_record(struct verifier *v, enum record_kind kind, const struct members *m)
{
    v->ended = kind == RECORD_END || (kind == RECORD_FOREIGN && v->ended);
    switch (kind) {
    case RECORD_START:
        check_start(v, m);
        return;
    case RECORD_END:
        check_end(v, m);
        return;
    case RECORD_FOREIGN: /* a newer version may number such, too */
        v->out->foreign++;
        if (number(m, SEQ, 0) == (int64_t)v->next)
            v->next++;
        return;
    case RECORD_GAP:
        check_gap(v, m);
        break;
    case RECORD_LINE:
    case RECORD_EVENT:
    default:
        break;
    }
    check_open(v);
    check_number(v, (uint64_t)number(m, kind == RECORD_GAP ? FROM : SEQ, 0),
                 (uint64_t)number(m, SEQ, 0));
}

/* ---- lines -------------------------------------------------------------------------------- */

static void damaged_line(struct verifier *v, const char *why)
{
    problem(v, "%s", why);
    v->lost_count = true; /* its number is not known */
    v->ended = false;
}

/* A whole line without its newline. */
static void check_line(struct verifier *v, struct raw_span line)
{
    struct members m = {0};
    enum record_kind kind = RECORD_FOREIGN;

    v->line++;
    if (line.len > LOG_LINE_MAX)
        damaged_line(v, "longer than any record");
    else if (!json_scan_object(line, see, &m))
        damaged_line(v, "not a JSON object");
    else if (!utf8_valid(line.ptr, line.len))
        damaged_line(v, "not UTF-8");
    else if (!classify(&m, &kind))
        damaged_line(v, "not a record");
    else if (!of_this_build(v, &m))
        damaged_line(v, "a record of another build");
    else {
        v->out->records++;
        check_record(v, kind, &m);
    }
    if (kind != RECORD_END)
        (void)XXH3_128bits_update(v->hash, line.ptr, line.len);
    if (kind != RECORD_END)
        (void)XXH3_128bits_update(v->hash, "\n", 1);
    v->at += line.len + 1;
}

/* What came so far of a line that is over the ceiling: hashed and forgotten, counted once. */
static void drop_long(struct verifier *v, const char *data, size_t n, bool first)
{
    if (first) {
        v->line++;
        damaged_line(v, "longer than any record");
    }
    (void)XXH3_128bits_update(v->hash, data, n);
    v->at += n;
}

/* ---- bytes -------------------------------------------------------------------------------- */

/* *n 0: the end. */
static enum err_code read_some(struct verifier *v, char *dst, size_t *n, struct err *e)
{
    uint64_t left = v->end - v->out->bytes;
    int state = Z_OK;
    ssize_t got;

    if (v->gz != NULL) {
        got = gzread(v->gz, dst, CHUNK);
        if (got <= 0)
            (void)gzerror(v->gz, &state);
        if (got <= 0 && state != Z_OK && state != Z_STREAM_END)
            problem(v, "the compressed stream is damaged behind here, or ends early");
        *n = got > 0 ? (size_t)got : 0;
        return ERR_NONE;
    }
    do
        got = sys.pread(v->fd, dst, left < CHUNK ? (size_t)left : CHUNK, (off_t)v->out->bytes);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_system(e, "cannot read build", v->id);
    *n = (size_t)got;
    return ERR_NONE;
}

/* data[0 .. len) are bytes whose newline has not come yet. */
struct pending {
    char *data;
    size_t len, cap;
    bool dropping; /* inside a line over the ceiling */
};

static enum err_code make_room(struct pending *p, const char *id, struct err *e)
{
    size_t cap = p->cap > 0 ? p->cap * 2 : 2 * (size_t)CHUNK;
    char *data;

    if (p->len + CHUNK <= p->cap)
        return ERR_NONE;
    data = realloc(p->data, cap);
    if (data == NULL)
        return err_set(e, ERR_MEMORY, "cannot read build", id, "no memory");
    p->data = data;
    p->cap = cap;
    return ERR_NONE;
}

/* Takes the whole lines out of what there is; only behind `fresh` can there be a newline. */
static void take_lines(struct verifier *v, struct pending *p, size_t fresh)
{
    size_t start = 0;
    const char *newline;

    while ((newline = memchr(p->data + fresh, '\n', p->len - fresh)) != NULL) {
        size_t stop = (size_t)(newline - p->data);

        if (p->dropping)
            drop_long(v, p->data + start, stop + 1 - start, false);
        else
            check_line(v, (struct raw_span){p->data + start, stop - start});
        p->dropping = false;
        start = fresh = stop + 1;
    }
    p->len -= start;
    memmove(p->data, p->data + start, p->len);
    if (p->dropping || p->len > LOG_LINE_MAX) {
        drop_long(v, p->data, p->len, !p->dropping);
        p->dropping = true;
        p->len = 0;
    }
}

static enum err_code read_lines(struct verifier *v, struct err *e)
{
    struct pending p = {0};
    enum err_code rc = ERR_NONE;
    size_t n = 1;

    while (rc == ERR_NONE && n > 0) {
        rc = make_room(&p, v->id, e);
        if (rc == ERR_NONE)
            rc = read_some(v, p.data + p.len, &n, e);
        if (rc != ERR_NONE || n == 0)
            continue;
        v->out->bytes += n;
        p.len += n;
        take_lines(v, &p, p.len - n);
    }
    v->out->torn_bytes = p.dropping && p.len == 0 ? 1 : p.len;
    free(p.data);
    return rc;
}

/* ---- a log ---------------------------------------------------------------------------------- */

/* Where the last whole line ends: up to there a log that is being written stays as it is. */
static enum err_code find_end(struct verifier *v, bool running, struct err *e)
{
    struct stat st;
    char data[BACK];

    if (sys.fstat(v->fd, &st) != 0)
        return err_system(e, "cannot look at build", v->id);
    v->end = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    while (running && v->end > 0) {
        size_t want = v->end < BACK ? (size_t)v->end : BACK;
        ssize_t got = sys.pread(v->fd, data, want, (off_t)(v->end - want));
        const char *newline;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_system(e, "cannot read build", v->id);
        newline = memrchr(data, '\n', (size_t)got);
        if (newline != NULL) {
            v->end -= want - (size_t)(newline + 1 - data);
            return ERR_NONE;
        }
        v->end -= want;
    }
    return ERR_NONE;
}

static enum err_code open_gz(struct verifier *v, int root_fd, const char *rel, struct err *e)
{
    int fd;
    enum err_code rc = layout_open(root_fd, rel, O_RDONLY, &fd, e);

    if (rc != ERR_NONE)
        return rc;
    v->gz = gzdopen(fd, "rb");
    if (v->gz != NULL)
        return ERR_NONE;
    sys.close(fd);
    return err_set(e, ERR_MEMORY, "cannot read build", v->id, "no memory");
}

/* How the log stands, asked before it is read: a free lock means that its end is final. */
static enum err_code ask_state(struct log_reader *reader, enum build_state *state, struct err *e)
{
    struct build_report report;
    enum err_code rc;

    *state = STATE_ENDED; /* of a compressed one; its records will tell */
    if (log_reader_compressed(reader))
        return ERR_NONE;
    rc = build_report_read(reader, &report, e);
    if (rc != ERR_NONE)
        return rc;
    *state = report.state;
    build_report_release(&report);
    return ERR_NONE;
}

static void conclude(struct verifier *v, enum build_state state)
{
    struct verify_result *out = v->out;

    v->line++; /* what is said now is about the end */
    if (state == STATE_RUNNING)
        out->torn_bytes = 0;
    if (out->torn_bytes > 0 && v->ended)
        problem(v, "bytes behind the end record");
    if (out->records > 0 && out->attempts == 0 && out->problems == 0 && state != STATE_RUNNING)
        problem(v, "no start record");
    if (out->problems > 0)
        out->verdict = VERIFY_DAMAGED;
    else if (state == STATE_RUNNING)
        out->verdict = VERIFY_RUNNING;
    else
        out->verdict = v->ended ? VERIFY_INTACT : VERIFY_LOST;
}

static enum err_code verify_opened(struct verifier *v, struct log_reader *reader, int root_fd,
                                   struct err *e)
{
    enum build_state state;
    enum err_code rc = ask_state(reader, &state, e);

    v->fd = log_reader_fd(reader);
    if (rc == ERR_NONE && log_reader_compressed(reader))
        rc = open_gz(v, root_fd, log_reader_path(reader), e);
    else if (rc == ERR_NONE)
        rc = find_end(v, state == STATE_RUNNING, e);
    if (rc == ERR_NONE)
        rc = read_lines(v, e);
    if (rc == ERR_NONE)
        conclude(v, state);
    if (v->gz != NULL)
        (void)gzclose_r(v->gz);
    return rc;
}

enum err_code verify_log(int root_fd, const char *id, struct verify_result *out, struct err *e)
{
    struct verifier v = {.id = id, .fd = -1, .out = out, .next = 1};
    struct log_reader *reader;
    enum err_code rc = log_reader_open(&reader, root_fd, id, e);

    *out = (struct verify_result){.verdict = VERIFY_DAMAGED};
    if (rc != ERR_NONE)
        return rc;
    v.hash = XXH3_createState();
    if (v.hash != NULL) {
        (void)XXH3_128bits_reset(v.hash);
        rc = verify_opened(&v, reader, root_fd, e);
    } else {
        rc = err_set(e, ERR_MEMORY, "cannot read build", id, "no memory");
    }
    XXH3_freeState(v.hash);
    log_reader_free(reader);
    return rc;
}
