// SPDX-License-Identifier: MIT
#include "store/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/sys.h"
#include "store/layout.h"

enum { READ_CHUNK = 256 << 10, BACK_CHUNK = 64 << 10, BACK_TRIES = 8 };
enum { BACK_MAX = LOG_LINE_MAX + 2 }; /* the longest line and a newline on both sides */

struct log_reader {
    int fd;    /* stays open beside gz, which has a duplicate */
    gzFile gz; /* NULL: not compressed */
    char path[LAYOUT_REL_SIZE];
    char *data; /* data[0 .. len) was read from offset `at` and not yet handed out */
    size_t len;
    size_t cap;
    size_t start;   /* of the current line within data */
    size_t scanned; /* bytes after start known to hold no newline */
    uint64_t at;    /* offset of data[0] */
    bool skipping;  /* inside a line over LOG_LINE_MAX */
    bool joined;    /* the current line came with more than one read */
    bool know_seq;
    uint64_t last_seq;
    struct log_left_out left_out;
};

/* ---- opening ----------------------------------------------------------------------- */

static enum err_code check_file(int fd, const char *path, struct err *e)
{
    struct stat st;

    if (sys.fstat(fd, &st) != 0)
        return err_system(e, "cannot look at", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_REFUSED, "cannot read", path, "not a regular file");
    if (st.st_nlink > 1)
        return err_set(e, ERR_REFUSED, "cannot read", path, "a file with several links");
    return ERR_NONE;
}

static enum err_code open_gz(struct log_reader *r, struct err *e)
{
    int copy_fd = sys.fcntl(r->fd, F_DUPFD_CLOEXEC, 0);

    if (copy_fd < 0)
        return err_system(e, "cannot open", r->path);
    r->gz = gzdopen(copy_fd, "rb");
    if (r->gz == NULL) {
        sys.close(copy_fd);
        return err_set(e, ERR_MEMORY, "cannot open", r->path, "no memory");
    }
    return ERR_NONE;
}

static enum err_code open_file(struct log_reader *r, int root_fd, const char *id, struct err *e)
{
    bool compressed = false;
    enum err_code rc;

    layout_rel_path(id, r->path);
    rc = layout_open(root_fd, r->path, O_RDONLY, &r->fd, e);
    if (rc == ERR_NOT_FOUND) {
        size_t len = strlen(r->path);

        snprintf(r->path + len, sizeof(r->path) - len, ".gz");
        rc = layout_open(root_fd, r->path, O_RDONLY, &r->fd, e);
        compressed = true;
    }
    if (rc == ERR_NOT_FOUND)
        return err_set(e, ERR_NOT_FOUND, "cannot find build", id, "not in this store");
    if (rc == ERR_NONE)
        rc = check_file(r->fd, r->path, e);
    if (rc == ERR_NONE && compressed)
        rc = open_gz(r, e);
    return rc;
}

enum err_code log_reader_open(struct log_reader **out, int root_fd, const char *id,
                              struct err *e)
{
    struct log_reader *r = calloc(1, sizeof(*r));
    enum err_code rc;

    *out = NULL;
    if (r == NULL)
        return err_set(e, ERR_MEMORY, "cannot read build", id, "no memory");
    r->fd = -1;
    r->know_seq = true; /* numbering begins with 1 */
    rc = open_file(r, root_fd, id, e);
    if (rc != ERR_NONE) {
        log_reader_free(r);
        return rc;
    }
    *out = r;
    return ERR_NONE;
}

void log_reader_free(struct log_reader *r)
{
    if (r == NULL)
        return;
    if (r->gz != NULL)
        (void)gzclose_r(r->gz);
    if (r->fd >= 0)
        sys.close(r->fd);
    free(r->data);
    free(r);
}

/* ---- what a line is ------------------------------------------------------------------ */

/* An upper bound, found without building anything: values follow a comma or open a level. */
static bool too_many_values(struct raw_span text)
{
    size_t n = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '\\')
            i += quoted ? 1 : 0;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == ',' || c == '[' || c == '{'))
            n++;
    }
    return n > LOG_VALUES_MAX;
}

enum err_code log_item_decode(const struct log_item *item, struct record *out, struct err *e)
{
    if (too_many_values(item->text))
        return err_set(e, ERR_FORMAT, "cannot read record", "", "too many values");
    return record_decode(item->text.ptr, item->text.len, out, e);
}

enum err_code log_item_classify(struct log_item *item)
{
    struct raw_span text = item->text;
    struct record record;
    enum err_code rc;

    item->from = item->seq = 0;
    if (text.len < 2 || text.ptr[0] != '{' || text.ptr[text.len - 1] != '}')
        return ERR_FORMAT;
    if (record_peek(text.ptr, text.len, &item->kind, &item->from, &item->seq))
        return ERR_NONE;
    rc = log_item_decode(item, &record, NULL);
    if (rc != ERR_NONE)
        return rc;
    item->kind = record.kind;
    item->from = record.from;
    item->seq = record.seq;
    record_release(&record);
    return ERR_NONE;
}

static void count_start(struct log_reader *r, const struct log_item *item)
{
    struct record record;

    if (log_item_decode(item, &record, NULL) != ERR_NONE)
        return;
    if (record_number(&record, "v", RECORD_VERSION) > RECORD_VERSION)
        r->left_out.newer = true;
    record_release(&record);
}

static void count_item(struct log_reader *r, const struct log_item *item)
{
    switch (item->kind) {
    case RECORD_START:
        count_start(r, item);
        break;
    case RECORD_LINE:
    case RECORD_EVENT:
    case RECORD_GAP:
        if (r->know_seq && item->from != r->last_seq + 1)
            r->left_out.breaks++;
        r->know_seq = true;
        r->last_seq = item->seq;
        break;
    case RECORD_FOREIGN:
        r->left_out.foreign++;
        break;
    case RECORD_END:
    default:
        break;
    }
}

/* ---- forward --------------------------------------------------------------------------- */

/* Drops what was handed out and makes room for a chunk. */
static enum err_code make_room(struct log_reader *r, struct err *e)
{
    size_t cap = r->cap;
    char *data;

    if (r->start > 0) {
        memmove(r->data, r->data + r->start, r->len - r->start);
        r->at += r->start;
        r->len -= r->start;
        r->start = 0;
    }
    while (cap < r->len + READ_CHUNK)
        cap = cap == 0 ? READ_CHUNK : cap * 2;
    if (cap > LOG_LINE_MAX + READ_CHUNK)
        cap = LOG_LINE_MAX + READ_CHUNK;
    if (cap == r->cap)
        return ERR_NONE;
    data = realloc(r->data, cap);
    if (data == NULL)
        return err_set(e, ERR_MEMORY, "cannot read", r->path, "no memory");
    r->data = data;
    r->cap = cap;
    return ERR_NONE;
}

static ssize_t read_plain(const struct log_reader *r, void *dst, size_t n, uint64_t at)
{
    ssize_t got;

    do
        got = sys.pread(r->fd, dst, n, (off_t)at);
    while (got < 0 && errno == EINTR);
    return got;
}

/* A damaged stream is the end of what can be read, not an error. */
static ssize_t read_gz(struct log_reader *r, void *dst, size_t n)
{
    int got = gzread(r->gz, dst, (unsigned)n);
    int state = Z_OK;

    if (got <= 0) {
        (void)gzerror(r->gz, &state);
        r->left_out.cut |= state != Z_OK && state != Z_STREAM_END;
        got = 0;
    }
    return got;
}

/* Reads on behind what is there. *n 0: nothing more now. */
static enum err_code fill(struct log_reader *r, size_t *n, struct err *e)
{
    enum err_code rc = make_room(r, e);
    ssize_t got;

    *n = 0;
    if (rc != ERR_NONE)
        return rc;
    got = r->gz != NULL ? read_gz(r, r->data + r->len, READ_CHUNK)
                        : read_plain(r, r->data + r->len, READ_CHUNK, r->at + r->len);
    if (got < 0)
        return err_system(e, "cannot read", r->path);
    r->joined = r->len > 0;
    r->len += (size_t)got;
    *n = (size_t)got;
    return ERR_NONE;
}

/* At the end: a tail without newline is counted and read again next time. */
static void stop_at_end(struct log_reader *r)
{
    r->left_out.torn_bytes = r->len - r->start;
    if (r->gz != NULL)
        return; /* does not grow, and cannot be read again cheaply */
    r->at += r->start;
    r->start = r->len = r->scanned = 0;
}

/* A line that is over the ceiling is passed over as it comes. */
static void skip_long(struct log_reader *r)
{
    if (!r->skipping && r->len - r->start <= LOG_LINE_MAX)
        return;
    r->skipping = true;
    r->at += r->len;
    r->start = r->len = r->scanned = 0;
}

/*
 * A line that came with several reads may begin with a torn record that the writer has cut
 * back in between. It counts if the file still says the same, for what stands in the file up
 * to a newline stays. ERR_REFUSED: it does not, and the buffer was emptied.
 */
static enum err_code confirm(struct log_reader *r, size_t end, struct err *e)
{
    char data[4096];

    for (size_t at = r->start; at <= end;) {
        size_t want = end + 1 - at < sizeof(data) ? end + 1 - at : sizeof(data);
        ssize_t got = read_plain(r, data, want, r->at + at);

        if (got < 0)
            return err_system(e, "cannot read", r->path);
        if (got == 0 || memcmp(data, r->data + at, (size_t)got) != 0) {
            r->at += r->start;
            r->start = r->len = r->scanned = 0;
            return ERR_REFUSED;
        }
        at += (size_t)got;
    }
    return ERR_NONE;
}

/* Takes the line that ends before `end` out of the buffer. ERR_FORMAT: it counts as damaged;
   ERR_REFUSED: look again. */
static enum err_code take_line(struct log_reader *r, size_t end, struct log_item *item,
                               struct err *e)
{
    bool skipped = r->skipping || end - r->start > LOG_LINE_MAX;
    enum err_code rc = ERR_NONE;

    if (r->joined && !r->skipping && r->gz == NULL)
        rc = confirm(r, end, e);
    if (rc != ERR_NONE)
        return rc;
    item->text = (struct raw_span){r->data + r->start, end - r->start};
    item->at = r->at + r->start;
    rc = skipped ? ERR_FORMAT : log_item_classify(item);
    r->start = end + 1;
    r->scanned = 0;
    r->skipping = false;
    r->joined = false;
    return rc;
}

enum err_code log_reader_next(struct log_reader *r, struct log_item *item, bool *have,
                              struct err *e)
{
    *have = false;
    for (;;) {
        size_t from = r->start + r->scanned;
        const char *newline = r->len > from ? memchr(r->data + from, '\n', r->len - from) : NULL;
        enum err_code rc;
        size_t n;

        if (newline == NULL) {
            r->scanned = r->len - r->start;
            skip_long(r);
            rc = fill(r, &n, e);
            if (rc != ERR_NONE)
                return rc;
            if (n > 0)
                continue;
            stop_at_end(r);
            return ERR_NONE;
        }
        rc = take_line(r, (size_t)(newline - r->data), item, e);
        if (rc == ERR_NONE) {
            count_item(r, item);
            *have = true;
            return ERR_NONE;
        }
        if (rc == ERR_MEMORY)
            return err_set(e, ERR_MEMORY, "cannot read", r->path, "no memory");
        if (rc == ERR_SYSTEM)
            return rc;
        r->left_out.damaged += rc == ERR_FORMAT ? 1 : 0;
    }
}

/* Passes over the end of a line that was over the ceiling. */
static void end_skipping(struct log_reader *r, const char *newline)
{
    r->start = (size_t)(newline - r->data) + 1;
    r->skipping = r->joined = false;
    r->left_out.damaged++;
}

/* All whole lines in the buffer. ERR_NOT_FOUND: none, read on; ERR_REFUSED: the file has
   changed, look again. */
static enum err_code take_piece(struct log_reader *r, struct log_piece *piece, struct err *e)
{
    size_t from = r->start + r->scanned;
    const char *first = r->len > from ? memchr(r->data + from, '\n', r->len - from) : NULL;
    const char *last;
    enum err_code rc = ERR_NONE;

    if (first == NULL)
        return ERR_NOT_FOUND;
    r->scanned = 0;
    if (r->skipping) {
        end_skipping(r, first);
        return ERR_REFUSED;
    }
    if (r->joined && r->gz == NULL)
        rc = confirm(r, (size_t)(first - r->data), e);
    if (rc != ERR_NONE)
        return rc;
    last = memrchr(first, '\n', (size_t)(r->data + r->len - first));
    piece->text = (struct raw_span){r->data + r->start,
                                    (size_t)(last + 1 - r->data) - r->start};
    piece->at = r->at + r->start;
    r->start += piece->text.len;
    r->joined = false;
    return ERR_NONE;
}

enum err_code log_reader_next_piece(struct log_reader *r, struct log_piece *piece, bool *have,
                                    struct err *e)
{
    *have = false;
    for (;;) {
        enum err_code rc = take_piece(r, piece, e);
        size_t n;

        if (rc == ERR_NONE) {
            *have = true;
            return ERR_NONE;
        }
        if (rc == ERR_REFUSED)
            continue;
        if (rc != ERR_NOT_FOUND)
            return rc;
        r->scanned = r->len - r->start;
        skip_long(r);
        rc = fill(r, &n, e);
        if (rc != ERR_NONE)
            return rc;
        if (n == 0) {
            stop_at_end(r);
            return ERR_NONE;
        }
    }
}

void log_reader_damaged(struct log_reader *r)
{
    r->left_out.damaged++;
}

static void start_at(struct log_reader *r, uint64_t at)
{
    r->at = at;
    r->start = r->len = r->scanned = 0;
    r->skipping = r->joined = false;
    r->know_seq = at == 0;
    r->last_seq = 0;
    r->left_out = (struct log_left_out){0};
}

enum err_code log_reader_rewind(struct log_reader *r, struct err *e)
{
    if (r->gz != NULL && gzrewind(r->gz) != 0)
        return err_set(e, ERR_SYSTEM, "cannot read", r->path, "cannot rewind");
    start_at(r, 0);
    return ERR_NONE;
}

void log_reader_seek(struct log_reader *r, uint64_t at)
{
    start_at(r, at);
}

ssize_t log_reader_read_at(const struct log_reader *r, char *dst, size_t n, uint64_t at)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = read_plain(r, dst + done, n - done, at + done);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* ---- backward -------------------------------------------------------------------------- */

/* A window [lo, lo + len) of the file that moves towards its beginning. */
struct back {
    char *data;
    size_t cap;
    size_t len;
    uint64_t lo;
};

/* Reads the at most `want` bytes before `end`. A file that has shrunk meanwhile gives fewer. */
static enum err_code back_read(struct log_reader *r, struct back *b, uint64_t end, size_t want,
                               struct err *e)
{
    ssize_t got = 0;

    if (want > end)
        want = (size_t)end;
    if (want > b->cap) {
        char *data = realloc(b->data, want);

        if (data == NULL)
            return err_set(e, ERR_MEMORY, "cannot read", r->path, "no memory");
        b->data = data;
        b->cap = want;
    }
    b->lo = end - want;
    for (b->len = 0; b->len < want; b->len += (size_t)got) {
        got = read_plain(r, b->data + b->len, want - b->len, b->lo + b->len);
        if (got < 0)
            return err_system(e, "cannot read", r->path);
        if (got == 0)
            break;
    }
    return ERR_NONE;
}

/*
 * Finds the beginning of the line that ends before offset `end`, and leaves the whole line in
 * the window unless it is over the ceiling (*whole false).
 */
static enum err_code back_line(struct log_reader *r, struct back *b, uint64_t end,
                               uint64_t *begin, bool *whole, struct err *e)
{
    size_t want = BACK_CHUNK;
    uint64_t upto = end;

    *whole = true;
    for (;;) {
        const char *newline = NULL;
        enum err_code rc;

        if (upto > b->lo && upto <= b->lo + b->len)
            newline = memrchr(b->data, '\n', (size_t)(upto - b->lo));
        if (newline != NULL) {
            *begin = b->lo + (uint64_t)(newline - b->data) + 1;
            return ERR_NONE;
        }
        if (b->lo == 0 && upto <= b->len) {
            *begin = 0;
            return ERR_NONE;
        }
        if (*whole && b->lo + b->len == end && b->len == BACK_MAX) {
            *whole = false; /* only the newline is looked for from here on */
            want = BACK_CHUNK;
        }
        if (!*whole)
            upto = b->lo;
        rc = back_read(r, b, upto, want, e);
        if (rc != ERR_NONE)
            return rc;
        if (b->lo + b->len < upto)
            return err_set(e, ERR_FORMAT, "cannot read", r->path, "it shrank while being read");
        want *= *whole ? 2 : 1;
        if (want > BACK_MAX)
            want = BACK_MAX;
    }
}

static uint64_t file_size(const struct log_reader *r)
{
    struct stat st;

    return sys.fstat(r->fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static enum err_code back_all(struct log_reader *r, struct back *b, uint64_t size,
                              log_visit *visit, void *arg, struct err *e)
{
    uint64_t end = size; /* everything from here on is done with */
    bool torn = true;    /* what follows the last newline is no record */
    int tries = 0;

    while (end > 0) {
        struct log_item item = {.kind = RECORD_FOREIGN};
        uint64_t begin = 0;
        bool whole;
        enum err_code rc = back_line(r, b, torn ? end : end - 1, &begin, &whole, e);

        if (rc == ERR_FORMAT && torn && tries++ < BACK_TRIES) {
            end = file_size(r); /* the writer has cut a torn tail back */
            b->lo = b->len = 0;
            continue;
        }
        if (rc != ERR_NONE)
            return rc;
        item.at = begin;
        if (!torn && whole && end - 1 > begin && end - 1 - begin <= LOG_LINE_MAX) {
            item.text = (struct raw_span){b->data + (begin - b->lo), (size_t)(end - 1 - begin)};
            rc = log_item_classify(&item);
            if (rc == ERR_MEMORY)
                return err_set(e, rc, "cannot read", r->path, "no memory");
            if (rc == ERR_NONE && !visit(arg, &item))
                return ERR_NONE;
        }
        torn = false;
        end = begin;
    }
    return ERR_NONE;
}

enum err_code log_reader_backward_from(struct log_reader *r, uint64_t end, log_visit *visit,
                                       void *arg, struct err *e)
{
    struct back b = {0};
    struct stat st;
    enum err_code rc;

    if (r->gz != NULL)
        return err_set(e, ERR_REFUSED, "cannot read", r->path, "compressed, only forwards");
    if (sys.fstat(r->fd, &st) != 0)
        return err_system(e, "cannot look at", r->path);
    if (end > (uint64_t)st.st_size)
        end = (uint64_t)st.st_size;
    rc = back_all(r, &b, end, visit, arg, e);
    free(b.data);
    return rc;
}

enum err_code log_reader_backward(struct log_reader *r, log_visit *visit, void *arg,
                                  struct err *e)
{
    return log_reader_backward_from(r, UINT64_MAX, visit, arg, e);
}

/* ---- the last n ------------------------------------------------------------------------- */

struct tail_search {
    log_visit *wants;
    void *arg;
    uint64_t left;
    uint64_t at;
};

static bool tail_visit(void *arg, const struct log_item *item)
{
    struct tail_search *t = arg;

    if (!t->wants(t->arg, item))
        return true;
    t->at = item->at;
    t->left--;
    return t->left > 0;
}

/* Forwards twice: how many there are, then past all but n of them. */
static enum err_code seek_tail_forward(struct log_reader *r, struct tail_search *t, struct err *e)
{
    uint64_t found = 0;

    for (int pass = 0; pass < 2; pass++) {
        uint64_t skip = pass == 0 || found <= t->left ? UINT64_MAX : found - t->left;
        struct log_item item;
        bool have = true;
        enum err_code rc = log_reader_rewind(r, e);

        if (pass == 1 && skip == UINT64_MAX)
            return rc;
        while (rc == ERR_NONE && skip > 0) {
            rc = log_reader_next(r, &item, &have, e);
            if (rc != ERR_NONE || !have)
                break;
            if (!t->wants(t->arg, &item))
                continue;
            found += pass == 0 ? 1 : 0;
            skip--;
        }
        if (rc != ERR_NONE)
            return rc;
    }
    r->left_out = (struct log_left_out){0};
    return ERR_NONE;
}

enum err_code log_reader_seek_tail(struct log_reader *r, uint64_t n, log_visit *wants, void *arg,
                                   struct err *e)
{
    struct tail_search t = {.wants = wants, .arg = arg, .left = n};
    enum err_code rc = ERR_NONE;

    if (r->gz != NULL)
        return seek_tail_forward(r, &t, e);
    if (n > 0) {
        rc = log_reader_backward(r, tail_visit, &t, e);
        if (rc == ERR_NONE)
            start_at(r, t.left > 0 ? 0 : t.at);
        return rc;
    }
    start_at(r, 0);
    t.at = file_size(r);
    /* Nothing of the past: from behind the last newline, where the next record begins. */
    struct back b = {0};
    bool whole;
    uint64_t begin = 0;

    if (t.at > 0)
        rc = back_line(r, &b, t.at, &begin, &whole, e);
    free(b.data);
    if (rc == ERR_NONE)
        start_at(r, begin);
    return rc;
}

/* ---- what else there is to know ---------------------------------------------------------- */

int log_reader_fd(const struct log_reader *r)
{
    return r->fd;
}

bool log_reader_compressed(const struct log_reader *r)
{
    return r->gz != NULL;
}

const char *log_reader_path(const struct log_reader *r)
{
    return r->path;
}

void log_reader_left_out(const struct log_reader *r, struct log_left_out *out)
{
    *out = r->left_out;
}

bool log_reader_current(const struct log_reader *r, int root_fd)
{
    struct stat mine;
    struct stat there;

    return sys.fstat(r->fd, &mine) == 0 &&
           sys.fstatat(root_fd, r->path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}
