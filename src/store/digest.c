// SPDX-License-Identifier: MIT
#include "store/digest.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "base/ulid.h"
#include "record/record.h"
#include "store/layout.h"
#include "store/log_reader.h"
#include "store/state.h"
#include "text/json.h"
#include "text/json_scan.h"
#include "text/utf8.h"

enum {
    HEAD_MAX = 4096,
    TAIL_FIRST = 1024, /* holds the end record of most builds */
    TAIL_MAX = RECORD_END_MAX + 1,
    TEXT_MAX = DIGEST_TITLE_MAX + DIGEST_LABELS_MAX
};

static const char *const names[N_OUTCOMES] = {
    [OUTCOME_OK] = "ok",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_SIGNALED] = "signaled",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_INTERRUPTED] = "interrupted",
    [OUTCOME_EXEC_FAILED] = "exec_failed",
    [OUTCOME_OTHER] = "unknown",
    [OUTCOME_RUNNING] = "running",
    [OUTCOME_LOST] = "lost",
};

const char *outcome_name(enum outcome outcome)
{
    return names[outcome];
}

bool outcome_failed(enum outcome outcome)
{
    return outcome != OUTCOME_OK && outcome < OUTCOME_RUNNING;
}

static enum outcome outcome_of(struct raw_span status)
{
    for (int i = 0; i < OUTCOME_OTHER; i++)
        if (json_is(status, names[i]))
            return (enum outcome)i;
    return OUTCOME_OTHER;
}

bool digest_has_label(const struct digest *d, const char *label)
{
    const char *at = d->labels.ptr;
    const char *end = d->labels.len > 0 ? at + d->labels.len : at;
    size_t len = strlen(label);

    while (at < end) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        size_t n = stop != NULL ? (size_t)(stop - at) : (size_t)(end - at);

        if (n == len && memcmp(at, label, n) == 0)
            return true;
        at += n + 1;
    }
    return false;
}

static enum err_code make_buffers(struct digester *d, struct err *e)
{
    if (d->head == NULL)
        d->head = malloc(HEAD_MAX);
    if (d->tail == NULL)
        d->tail = malloc(TAIL_MAX);
    if (d->text == NULL)
        d->text = malloc(TEXT_MAX);
    if (d->head != NULL && d->tail != NULL && d->text != NULL)
        return ERR_NONE;
    return err_set(e, ERR_MEMORY, "cannot list builds", "", "no memory");
}

void digester_release(struct digester *d)
{
    free(d->head);
    free(d->tail);
    free(d->text);
    *d = (struct digester){.root_fd = d->root_fd};
}

/* ---- title and labels --------------------------------------------------------------------- */

/* Appends to a title that is being made; a character that does not fit whole is left out. */
static void add_title(struct digester *d, struct digest *out, const char *text, size_t n)
{
    size_t room = DIGEST_TITLE_MAX - d->text_len;

    if (n > room) {
        n = room;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(d->text + d->text_len, text, n);
    d->text_len += n;
    out->title = (struct raw_span){d->text, d->text_len};
}

static void add_label(struct digester *d, struct digest *out, struct raw_span key,
                      struct raw_span value)
{
    size_t need = key.len + 1 + value.len + 1;

    if (out->labels.len + need > DIGEST_LABELS_MAX || d->text_len + need > TEXT_MAX) {
        out->labels_cut = true;
        return;
    }
    if (out->labels.ptr == NULL)
        out->labels.ptr = d->text + d->text_len;
    memcpy(d->text + d->text_len, key.ptr, key.len);
    d->text_len += key.len;
    d->text[d->text_len++] = '=';
    memcpy(d->text + d->text_len, value.ptr, value.len);
    d->text_len += value.len;
    d->text[d->text_len++] = '\0';
    out->labels.len += need;
}

static struct raw_span span_of(const char *text)
{
    return (struct raw_span){text, strlen(text)};
}

static void take_words(struct digester *d, const struct record *start, struct digest *out)
{
    const cJSON *words = cJSON_GetObjectItemCaseSensitive(start->json, "cmd");
    const cJSON *word;

    cJSON_ArrayForEach(word, words) {
        if (d->text_len > 0)
            add_title(d, out, " ", 1);
        if (cJSON_IsString(word))
            add_title(d, out, word->valuestring, strlen(word->valuestring));
    }
}

static void take_start(struct digester *d, const struct record *start, struct digest *out)
{
    const char *name = record_text(start, "name", "");
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(start->json, "labels");
    const cJSON *label;

    out->named = name[0] != '\0';
    if (out->named)
        add_title(d, out, name, strlen(name));
    else
        take_words(d, start, out);
    cJSON_ArrayForEach(label, labels) {
        if (label->string != NULL && cJSON_IsString(label))
            add_label(d, out, span_of(label->string), span_of(label->valuestring));
    }
}

/* ---- the plain case ------------------------------------------------------------------------ */

/* The end record in our own shape; the first of several members of one key counts. */
struct end_scan {
    bool has_status, bad;
    struct digest *out;
};

static void see_end(void *arg, struct raw_span key, struct raw_span value)
{
    struct end_scan *s = arg;
    int64_t *number = NULL;

    if (json_is(key, "status") && !s->has_status) {
        s->has_status = true;
        s->bad |= value.len < 2 || value.ptr[0] != '"' ||
                  memchr(value.ptr, '\\', value.len) != NULL;
        if (!s->bad)
            s->out->outcome = outcome_of((struct raw_span){value.ptr + 1, value.len - 2});
        return;
    }
    if (json_is(key, "durationMs"))
        number = &s->out->duration_ms;
    else if (json_is(key, "lines"))
        number = &s->out->lines;
    else if (json_is(key, "bytes"))
        number = &s->out->bytes;
    if (number != NULL)
        s->bad |= *number != -1 || !json_integer(value, number);
}

/* The start record in our own shape. */
struct start_scan {
    bool unlocked, bad;
    struct raw_span name, cmd, labels;
};

static void see_start(void *arg, struct raw_span key, struct raw_span value)
{
    struct start_scan *s = arg;
    struct raw_span *slot = NULL;

    if (json_is(key, "lock"))
        s->unlocked |= !json_is(value, "true");
    else if (json_is(key, "name"))
        slot = &s->name;
    else if (json_is(key, "cmd"))
        slot = &s->cmd;
    else if (json_is(key, "labels"))
        slot = &s->labels;
    if (slot == NULL)
        return;
    s->bad |= slot->ptr != NULL;
    *slot = value;
}

/* A string without escapes and NUL, between its quotes. */
static bool plain_text(struct raw_span value, struct raw_span *out)
{
    if (value.len < 2 || value.ptr[0] != '"' || memchr(value.ptr, '\\', value.len) != NULL)
        return false;
    *out = (struct raw_span){value.ptr + 1, value.len - 2};
    return true;
}

/* ["make","-j4"] */
static bool scan_words(struct digester *d, struct raw_span cmd, struct digest *out)
{
    const char *at = cmd.ptr;
    const char *end;

    if (at == NULL || *at != '[' || memchr(at, '\\', cmd.len) != NULL)
        return false;
    end = at + cmd.len;
    for (at++; at < end && *at == '"'; at++) {
        const char *stop = memchr(at + 1, '"', (size_t)(end - at - 1));

        if (stop == NULL)
            return false;
        if (d->text_len > 0)
            add_title(d, out, " ", 1);
        add_title(d, out, at + 1, (size_t)(stop - at - 1));
        at = stop + 1;
        if (at >= end || *at != ',')
            break;
    }
    return at + 1 == end;
}

struct label_scan {
    struct digester *d;
    struct digest *out;
    bool bad;
};

static void see_label(void *arg, struct raw_span key, struct raw_span value)
{
    struct label_scan *s = arg;
    struct raw_span text;

    if (memchr(key.ptr, '\\', key.len) == NULL && plain_text(value, &text))
        add_label(s->d, s->out, key, text);
    else
        s->bad = true;
}

static bool scan_start(struct digester *d, struct raw_span line, struct digest *out)
{
    struct start_scan s = {0};
    struct label_scan labels = {.d = d, .out = out};
    struct raw_span name;
    enum record_kind kind;
    uint64_t from;
    uint64_t seq;

    if (!record_peek(line.ptr, line.len, &kind, &from, &seq) || kind != RECORD_START ||
        !utf8_valid(line.ptr, line.len) || !json_scan_object(line, see_start, &s) || s.bad ||
        s.unlocked)
        return false;
    if (s.name.ptr != NULL && !plain_text(s.name, &name))
        return false;
    out->named = s.name.ptr != NULL && name.len > 0;
    if (out->named)
        add_title(d, out, name.ptr, name.len);
    else if (!scan_words(d, s.cmd, out))
        return false;
    if (s.labels.ptr != NULL && !json_scan_object(s.labels, see_label, &labels))
        return false;
    return !labels.bad;
}

static bool scan_end(struct raw_span line, struct digest *out)
{
    struct end_scan s = {.out = out};
    enum record_kind kind;
    uint64_t from;
    uint64_t seq;

    return record_peek(line.ptr, line.len, &kind, &from, &seq) && kind == RECORD_END &&
           utf8_valid(line.ptr, line.len) && json_scan_object(line, see_end, &s) && !s.bad &&
           s.has_status;
}

static bool read_at(int fd, char *dst, size_t n, off_t at)
{
    ssize_t got;

    do
        got = sys.pread(fd, dst, n, at);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)n;
}

static bool head_line(struct digester *d, int fd, size_t size, struct raw_span *line)
{
    size_t n = size < HEAD_MAX ? size : HEAD_MAX;
    const char *newline;

    if (!read_at(fd, d->head, n, 0))
        return false;
    newline = memchr(d->head, '\n', n);
    *line = (struct raw_span){d->head, newline != NULL ? (size_t)(newline - d->head) : 0};
    return newline != NULL;
}

/* The last line, if the file ends with a newline and another one is near enough before it. */
static bool tail_line(struct digester *d, int fd, size_t size, size_t max, struct raw_span *line)
{
    size_t n = size < max ? size : max;
    const char *newline;

    if (n < 2 || !read_at(fd, d->tail, n, (off_t)(size - n)) || d->tail[n - 1] != '\n')
        return false;
    newline = memrchr(d->tail, '\n', n - 1);
    if (newline == NULL)
        return false;
    *line = (struct raw_span){newline + 1, (size_t)(d->tail + n - 1 - (newline + 1))};
    return true;
}

static void clear(struct digester *d, struct digest *out)
{
    *out = (struct digest){.duration_ms = -1, .lines = -1, .bytes = -1};
    d->text_len = 0;
}

/* False: not the plain case. The lock is asked before anything else: what a free one leaves
   behind is final. */
static bool read_plain(struct digester *d, int fd, struct stat *st, struct digest *out)
{
    struct raw_span line;
    size_t size;

    clear(d, out);
    if (!build_lock_free(fd) || sys.fstat(fd, st) != 0 || !S_ISREG(st->st_mode) ||
        st->st_nlink != 1)
        return false;
    size = (size_t)st->st_size;
    if (!head_line(d, fd, size, &line) || !scan_start(d, line, out))
        return false;
    return (tail_line(d, fd, size, TAIL_FIRST, &line) ||
            tail_line(d, fd, size, TAIL_MAX, &line)) &&
           scan_end(line, out);
}

static void drop_absurd(struct digest *out)
{
    int64_t *const numbers[] = {&out->duration_ms, &out->lines, &out->bytes};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (*numbers[i] < 0)
            *numbers[i] = -1;
}

/* ---- any case ------------------------------------------------------------------------------ */

static void from_report(struct digester *d, const struct build_report *b, struct digest *out)
{
    clear(d, out);
    out->outcome = b->state == STATE_RUNNING ? OUTCOME_RUNNING : OUTCOME_LOST;
    if (b->state == STATE_ENDED) {
        out->outcome = outcome_of(span_of(record_text(&b->end, "status", "")));
        out->duration_ms = record_number(&b->end, "durationMs", -1);
        out->lines = record_number(&b->end, "lines", -1);
        out->bytes = record_number(&b->end, "bytes", -1);
    }
    if (b->has_start)
        take_start(d, &b->start, out);
}

static enum err_code read_any(struct digester *d, const char *id, struct digest *out,
                              struct stat *st, struct err *e)
{
    struct log_reader *reader;
    struct build_report report;
    enum err_code rc = log_reader_open(&reader, d->root_fd, id, e);

    if (rc != ERR_NONE)
        return rc;
    /* Before it is read: what is written meanwhile makes it another one. */
    if (sys.fstat(log_reader_fd(reader), st) != 0)
        rc = err_system(e, "cannot look at", log_reader_path(reader));
    if (rc == ERR_NONE)
        rc = build_report_read(reader, &report, e);
    if (rc == ERR_NONE) {
        from_report(d, &report, out);
        out->compressed = log_reader_compressed(reader);
        build_report_release(&report);
    }
    log_reader_free(reader);
    return rc;
}

enum err_code digest_read(struct digester *d, int day_fd, const char *id, struct digest *out,
                          struct stat *st, struct err *e)
{
    char name[ULID_SIZE + sizeof(".log")];
    enum err_code rc = make_buffers(d, e);
    bool plain = false;
    int fd;

    if (rc != ERR_NONE)
        return rc;
    snprintf(name, sizeof(name), "%.*s.log", (int)ULID_LEN, id);
    rc = layout_open(day_fd, name, O_RDONLY, &fd, NULL);
    if (rc == ERR_NONE) {
        plain = read_plain(d, fd, st, out);
        sys.close(fd);
    }
    rc = rc == ERR_NONE && plain ? ERR_NONE : read_any(d, id, out, st, e);
    if (rc == ERR_NONE)
        drop_absurd(out);
    return rc;
}
