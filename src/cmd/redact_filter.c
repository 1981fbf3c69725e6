// SPDX-License-Identifier: MIT
#include "cmd/redact_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

enum {
    FILTER_IOV = 256,
    FULL_PIPE = 64 << 10, /* pipe(7): what one holds if nobody says otherwise */
    PREVIEW_MS = 100 /* of silence, before held bytes are shown early */
};

enum err_code redact_filter_init(struct redact_filter *f)
{
    f->terminal = !f->discard && isatty(STDOUT_FILENO) == 1;
    f->counts = calloc(redact_set_rules(f->set) + 1, sizeof(*f->counts));
    f->scratch = f->report == NULL ? malloc(FILTER_READ_SIZE) : NULL;
    return f->counts != NULL && (f->scratch != NULL || f->report != NULL) ? ERR_NONE : ERR_MEMORY;
}

void redact_filter_release(struct redact_filter *f)
{
    if (f->scratch != NULL)
        explicit_bzero(f->scratch, FILTER_READ_SIZE);
    free(f->scratch);
    free(f->counts);
    clean_vec_release(&f->spans);
    *f = (struct redact_filter){0};
}

/* ---- writing ----------------------------------------------------------------------- */

/* The descriptor is inherited, and may be somebody's non-blocking one. */
static bool may_go_on(void)
{
    struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};

    if (errno == EINTR)
        return true;
    return errno == EAGAIN && (sys.poll(&wait, 1, -1) >= 0 || errno == EINTR);
}

static void skip(struct iovec **iov, int *n, size_t done)
{
    while (*n > 0 && done >= (*iov)->iov_len) {
        done -= (*iov)->iov_len;
        (*iov)++;
        (*n)--;
    }
    if (*n > 0) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + done;
        (*iov)->iov_len -= done;
    }
}

static void write_all(struct redact_filter *f, struct iovec *iov, int n)
{
    while (f->out_errno == 0 && n > 0) {
        ssize_t done = n == 1 ? sys.write(STDOUT_FILENO, iov->iov_base, iov->iov_len)
                              : sys.writev(STDOUT_FILENO, iov, n);

        if (done >= 0)
            skip(&iov, &n, (size_t)done);
        else if (!may_go_on())
            f->out_errno = errno;
    }
}

static void write_spans(struct redact_filter *f, const struct clean_vec *spans)
{
    struct iovec iov[FILTER_IOV];
    int n = 0;

    for (size_t i = 0; i < spans->len; i++) {
        const struct clean_span *span = &spans->items[i];

        if (span->len <= span->shown)
            continue;
        iov[n].iov_base = (char *)(uintptr_t)(span->ptr + span->shown);
        iov[n++].iov_len = span->len - span->shown;
        if (n == FILTER_IOV) {
            write_all(f, iov, n);
            n = 0;
        }
    }
    write_all(f, iov, n);
}

/* ---- one input --------------------------------------------------------------------- */

static enum err_code put(struct redact_filter *f)
{
    enum err_code rc = ERR_NONE;

    if (f->report != NULL)
        rc = report_marks(f->report, &f->spans);
    if (!f->discard)
        write_spans(f, &f->spans);
    return f->out_errno == 0 ? rc : ERR_SYSTEM;
}

/* Without memory for a whole read, smaller pieces may still do. */
static enum err_code feed(struct redact_filter *f, struct redactor *r, struct raw_span in)
{
    size_t piece = in.len;

    while (in.len > 0) {
        struct raw_span next = {in.ptr, piece < in.len ? piece : in.len};
        enum err_code rc = redactor_feed(r, next, &f->spans);

        if (rc == ERR_NONE) {
            in.ptr += next.len;
            in.len -= next.len;
            rc = put(f);
        } else if (piece > 1) {
            piece /= 2;
            continue;
        }
        if (rc != ERR_NONE)
            return rc;
    }
    return ERR_NONE;
}

/* Nothing came for a while: a prompt must not wait for what follows it. */
static void show_early(struct redact_filter *f, struct redactor *r, int in_fd)
{
    struct pollfd ready = {.fd = in_fd, .events = POLLIN};
    struct clean_span early;
    struct iovec iov;

    if (!f->terminal || !redactor_wants_preview(r) || sys.poll(&ready, 1, PREVIEW_MS) != 0)
        return;
    early = redactor_preview(r);
    iov = (struct iovec){(char *)(uintptr_t)early.ptr, early.len};
    if (early.len > 0)
        write_all(f, &iov, 1);
}

static ssize_t read_some(int fd, char *dst)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    for (;;) {
        ssize_t n = sys.read(fd, dst, FILTER_READ_SIZE);

        if (n >= 0 || (errno != EINTR && errno != EAGAIN))
            return n;
        /* Somebody's non-blocking descriptor: waits here, too. */
        if (errno == EAGAIN && sys.poll(&wait, 1, -1) < 0 && errno != EINTR)
            return -1;
    }
}

static enum err_code pass(struct redact_filter *f, struct redactor *r, int in_fd, const char *name,
                          struct err *e)
{
    bool enlarged = false;

    for (;;) {
        char *dst = f->report != NULL ? report_room(f->report) : f->scratch;
        enum err_code rc;
        ssize_t n;

        show_early(f, r, in_fd);
        n = read_some(in_fd, dst);
        if (n <= 0)
            return n == 0 ? ERR_NONE : err_system(e, "cannot read", name);
        if (f->report != NULL)
            report_read(f->report, (size_t)n);
        if (n >= FULL_PIPE && !enlarged) { /* fewer turns for the same bytes; best effort */
            (void)sys.fcntl(in_fd, F_SETPIPE_SZ, FILTER_READ_SIZE);
            enlarged = true;
        }
        rc = feed(f, r, (struct raw_span){dst, (size_t)n});
        if (rc != ERR_NONE)
            return rc;
    }
}

/* Appending to what is being read would never end. */
static bool reads_own_output(const struct redact_filter *f, int in_fd)
{
    struct stat in;
    struct stat out;

    if (f->discard || sys.fstat(in_fd, &in) != 0 || sys.fstat(STDOUT_FILENO, &out) != 0)
        return false;
    return S_ISREG(in.st_mode) && in.st_ino == out.st_ino && in.st_dev == out.st_dev &&
           in.st_size > 0;
}

static enum err_code end(struct redact_filter *f, struct redactor *r)
{
    enum err_code rc = redactor_finish(r, &f->spans);

    if (rc == ERR_NONE)
        rc = put(f);
    f->marks = redactor_marks_total(r);
    for (size_t i = 0; i < redact_set_rules(f->set); i++)
        f->counts[i] = redactor_marks(r, i);
    return rc;
}

enum err_code redact_filter_run(struct redact_filter *f, int in_fd, const char *name, struct err *e)
{
    struct redactor *r;
    enum err_code rc;
    enum err_code last;

    f->marks = 0;
    if (reads_own_output(f, in_fd))
        return err_set(e, ERR_REFUSED, "cannot read", name, "it is the output");
    rc = redactor_new(&r, f->set, e);
    if (rc != ERR_NONE)
        return rc;
    rc = pass(f, r, in_fd, name, e);
    if (rc == ERR_NONE || f->out_errno == 0) {
        last = end(f, r); /* also what was held when reading failed */
        rc = rc == ERR_NONE ? last : rc;
    }
    redactor_free(r);
    if (rc == ERR_MEMORY)
        return err_set(e, ERR_MEMORY, "cannot go on with", name, "out of memory");
    if (f->out_errno != 0) {
        errno = f->out_errno;
        return err_system(e, "cannot write to", "stdout");
    }
    return rc;
}
