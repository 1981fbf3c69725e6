// SPDX-License-Identifier: MIT
#include "store/log_recover.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "record/record.h"

enum {
    WINDOW = 64 << 10,
    /* A line above this is no record of ours: the longest line with every byte escaped and
       kept as base64 as well is shorter. */
    LINE_MAX_BYTES = 9 << 20,
    EINTR_MAX = 100
};

static const char meta_head[] = "{\"kind\":\"meta\"";

/* A window on the file that moves backwards. */
struct back {
    int fd;
    off_t at; /* offset of data[0] */
    size_t len;
    char *data; /* WINDOW bytes */
};

/* ---- reading -------------------------------------------------------------------------- */

/* Reads up to n bytes, fewer only at the end of the file. -1 and errno on failure, which is 0
   on success. */
static ssize_t read_at(int fd, char *dst, size_t n, off_t at)
{
    size_t have = 0;

    for (int interrupted = 0; have < n;) {
        ssize_t got = sys.pread(fd, dst + have, n - have, at + (off_t)have);

        if (got < 0 && errno == EINTR && ++interrupted < EINTR_MAX)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    errno = 0; /* an interruption is over */
    return (ssize_t)have;
}

/* Moves the window so that it ends at pos or later and holds pos - 1. */
static bool back_load(struct back *b, off_t pos)
{
    ssize_t got;

    if (pos > b->at && pos <= b->at + (off_t)b->len)
        return true;
    b->at = pos > WINDOW ? pos - WINDOW : 0;
    b->len = 0;
    got = read_at(b->fd, b->data, (size_t)(pos - b->at), b->at);
    if (got >= 0 && got < pos - b->at) {
        errno = EIO; /* somebody makes the file shorter */
        return false;
    }
    b->len = got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* The start of the line that holds the byte before pos; -1 and errno on failure. */
static off_t line_start(struct back *b, off_t pos)
{
    while (pos > 0) {
        const char *newline;

        if (!back_load(b, pos))
            return -1;
        newline = memrchr(b->data, '\n', (size_t)(pos - b->at));
        if (newline != NULL)
            return b->at + (newline - b->data) + 1;
        pos = b->at;
    }
    return 0;
}

/* The line [start, end) in memory of its own; NULL with errno 0 when it is too long. */
static char *read_line(int fd, off_t start, off_t end)
{
    size_t n = (size_t)(end - start);
    char *line;

    errno = 0;
    if (n > LINE_MAX_BYTES)
        return NULL;
    line = malloc(n + 1);
    if (line == NULL || read_at(fd, line, n, start) != (ssize_t)n) {
        free(line);
        if (errno == 0)
            errno = EIO;
        return NULL;
    }
    line[n] = '\0';
    return line;
}

/* ---- numbers -------------------------------------------------------------------------- */

struct seen {
    bool sound;    /* it is a record */
    bool numbered; /* line, event, gap */
    uint64_t seq;  /* its number, or an end record's lastSeq */
    int64_t ts;
};

/* false and errno: the file cannot be read. */
static bool look_at(int fd, off_t start, off_t end, struct seen *s)
{
    char *line = read_line(fd, start, end);
    struct record r;

    *s = (struct seen){0};
    if (line == NULL)
        return errno == 0;
    if (record_decode(line, (size_t)(end - start), &r, NULL) == ERR_NONE) {
        s->sound = true;
        s->numbered = r.kind == RECORD_LINE || r.kind == RECORD_EVENT || r.kind == RECORD_GAP;
        s->seq = s->numbered ? r.seq : 0;
        s->ts = s->numbered ? r.ts_ms : 0;
        if (r.kind == RECORD_END)
            s->seq = (uint64_t)record_number(&r, "lastSeq", 0);
        record_release(&r);
    }
    free(line);
    return true;
}

/* Walks back to the last record with a number. What is not sound at the very end is a torn
   tail; damage further up is left for `verify` to tell. */
static bool find_numbers(struct back *b, off_t size, struct log_past *p)
{
    bool tail = true;
    off_t end = size > 0 ? line_start(b, size) : 0;

    /* A file that ends in a newline: line_start then gives its size back. */
    p->end = end;
    while (end > 0) {
        off_t start = line_start(b, end - 1);
        struct seen s;

        if (start < 0 || !look_at(b->fd, start, end - 1, &s))
            return false;
        if (tail && !s.sound)
            p->end = start;
        tail = tail && !s.sound;
        if (s.seq > p->last_seq)
            p->last_seq = s.seq;
        p->last_ts = s.ts;
        if (s.numbered)
            break;
        end = start;
    }
    return end >= 0;
}

/* ---- start records -------------------------------------------------------------------- */

/* True if the line at start begins like a start or end record; errno tells a failure. */
static bool is_meta(const struct back *b, off_t start, off_t end)
{
    const size_t n = sizeof(meta_head) - 1;
    char head[sizeof(meta_head)];

    if (end - start < (off_t)n)
        return false;
    if (start >= b->at && start + (off_t)n <= b->at + (off_t)b->len)
        return memcmp(b->data + (start - b->at), meta_head, n) == 0;
    return read_at(b->fd, head, n, start) == (ssize_t)n && memcmp(head, meta_head, n) == 0;
}

/*
 * The number after key in a start record. No parser is needed: an unescaped quote cannot
 * occur within a JSON string, so `,"key":` followed by a digit is a member, and of our
 * objects' members only the record's own have bare numbers.
 */
static int64_t member_number(const char *line, const char *key, int64_t fallback)
{
    const char *p = strstr(line, key);

    p = p != NULL ? p + strlen(key) : "";
    return *p >= '0' && *p <= '9' ? strtoll(p, NULL, 10) : fallback;
}

/* The last start record before `end`, or NULL: none where errno is 0. free() it. */
static char *last_start(struct back *b, off_t end)
{
    errno = 0;
    while (end > 0) {
        off_t start = line_start(b, end - 1);
        char *line;

        if (start < 0)
            return NULL;
        if (is_meta(b, start, end)) {
            line = read_line(b->fd, start, end - 1);
            if (line != NULL && strstr(line, ",\"startedAt\":") != NULL)
                return line;
            free(line);
        }
        if (errno != 0)
            return NULL;
        end = start;
    }
    return NULL;
}

/* false and errno: the file cannot be read. A number made up would be worse than no log. */
static bool last_attempt(struct back *b, off_t end, uint32_t *attempt)
{
    char *start = last_start(b, end);
    int64_t n = start != NULL ? member_number(start, ",\"attempt\":", 1) : 0;
    bool good = start != NULL || errno == 0;

    free(start);
    *attempt = n > 0 && n < UINT32_MAX ? (uint32_t)n : 0;
    return good;
}

enum err_code log_past_read(int fd, off_t size, struct log_past *p, struct err *e)
{
    struct back b = {.fd = fd};
    enum err_code rc = ERR_NONE;

    *p = (struct log_past){0};
    if (size == 0)
        return ERR_NONE;
    b.data = malloc(WINDOW);
    if (b.data == NULL)
        return err_set(e, ERR_MEMORY, "cannot read", "", "out of memory");
    errno = 0;
    if (!find_numbers(&b, size, p) || !last_attempt(&b, p->end, &p->attempt))
        rc = err_system(e, "cannot read", "");
    free(b.data);
    return rc;
}

int64_t log_past_pid(int fd, off_t size)
{
    struct back b = {.fd = fd, .data = malloc(WINDOW)};
    char *start = NULL;
    int64_t pid = 0;
    off_t end = b.data != NULL && size > 0 ? line_start(&b, size) : 0;

    if (end > 0)
        start = last_start(&b, end);
    if (start != NULL)
        pid = member_number(start, ",\"pid\":", 0);
    free(start);
    free(b.data);
    return pid;
}
