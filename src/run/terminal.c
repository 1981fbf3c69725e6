// SPDX-License-Identifier: MIT
#include "run/terminal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/sys.h"

enum { TERMINAL_IOV_MAX = 64, MEM_DEVICE_MAJOR = 1 }; /* Linux devices.txt: /dev/null, full, zero */

/* A description of our own, so that O_NONBLOCK stays our own affair; -1 if there is none. */
static int reopen(int fd)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return sys.openat(AT_FDCWD, path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
}

static enum terminal_way choose_way(struct terminal *s, const struct stat *st)
{
    int fd;

    if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode) ||
        (S_ISCHR(st->st_mode) && major(st->st_rdev) == MEM_DEVICE_MAJOR))
        return TERMINAL_DIRECT;
    if (S_ISSOCK(st->st_mode))
        return TERMINAL_SOCKET;
    fd = reopen(s->fd);
    if (fd < 0)
        return TERMINAL_CAREFUL;
    s->fd = fd;
    s->owned = true;
    return TERMINAL_REOPENED;
}

static bool is_terminal(int fd)
{
    struct termios attributes;

    return sys.ioctl(fd, TCGETS, &attributes) == 0;
}

void terminal_init(struct terminal *s, int fd, bool closed)
{
    struct stat st;

    *s = (struct terminal){.fd = fd, .way = TERMINAL_CLOSED};
    buf_init(&s->queue, TERMINAL_QUEUE_MAX);
    if (closed)
        return;
    if (sys.fstat(fd, &st) != 0) {
        s->way = TERMINAL_CAREFUL;
        return;
    }
    s->is_tty = S_ISCHR(st.st_mode) && is_terminal(fd);
    s->way = choose_way(s, &st);
}

void terminal_release(struct terminal *s)
{
    if (s->owned)
        sys.close(s->fd);
    buf_release(&s->queue);
    *s = (struct terminal){.fd = -1};
}

void terminal_close(struct terminal *s, int why)
{
    s->way = TERMINAL_CLOSED;
    s->sys_errno = why;
    s->queue.len = 0;
    s->queue_at = 0;
}

size_t terminal_kept(const struct terminal *s)
{
    return s->queue.len - s->queue_at;
}

bool terminal_blocked(const struct terminal *s)
{
    return terminal_kept(s) > 0;
}

/* ---- one write, the way this descriptor wants it ----------------------------------- */

static ssize_t write_socket(int fd, struct iovec *iov, int n)
{
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)n};

    return sys.sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t write_careful(int fd, const struct iovec *iov)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int n = sys.poll(&ready, 1, 0);

    if (n < 0)
        return -1;
    if (n == 0) {
        errno = EAGAIN;
        return -1;
    }
    return sys.write(fd, iov->iov_base, iov->iov_len < PIPE_BUF ? iov->iov_len : PIPE_BUF);
}

static ssize_t write_some(const struct terminal *s, struct iovec *iov, int n)
{
    switch (s->way) {
    case TERMINAL_SOCKET:
        return write_socket(s->fd, iov, n);
    case TERMINAL_CAREFUL:
        return write_careful(s->fd, iov);
    default:
        return n == 1 ? sys.write(s->fd, iov->iov_base, iov->iov_len)
                      : sys.writev(s->fd, iov, n);
    }
}

/* Takes `done` bytes off the front of the vector; returns how many entries are used up. */
static int advance(struct iovec *iov, int n, size_t done)
{
    int used = 0;

    while (used < n && done >= iov[used].iov_len)
        done -= iov[used++].iov_len;
    if (used < n) {
        iov[used].iov_base = (char *)iov[used].iov_base + done;
        iov[used].iov_len -= done;
    }
    return used;
}

/* A terminal that took a part is full. It says when it has room again, and until then there is more
   to write at once; to ask it again and again would bring it a little each time. */
static bool says_when(const struct terminal *s)
{
    return s->is_tty && s->way == TERMINAL_REOPENED;
}

/* Writes until all is out, it would block, or it failed; returns the entries used up. */
static int write_all(struct terminal *s, struct iovec *iov, int n)
{
    int at = 0;

    while (at < n) {
        ssize_t done = write_some(s, iov + at, n - at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (done < 0) {
            terminal_close(s, errno);
            return n;
        }
        s->moved += (uint64_t)done;
        at += advance(iov + at, n - at, (size_t)done);
        if (says_when(s))
            break; /* all is out, or it is full */
    }
    return at;
}

/* ---- spans --------------------------------------------------------------------------- */

static void keep(struct terminal *s, const struct iovec *iov, int n)
{
    buf_consume(&s->queue, s->queue_at);
    s->queue_at = 0;
    for (int i = 0; i < n; i++)
        if (buf_put(&s->queue, iov[i].iov_base, iov[i].iov_len) != ERR_NONE) {
            /* More than the ceiling cannot happen in a turn; without memory the terminal
               loses, never the log. */
            terminal_close(s, ENOMEM);
            return;
        }
}

static void put_batch(struct terminal *s, struct iovec *iov, int n)
{
    int at = 0;

    if (n == 0)
        return;
    s->mid_line = ((const char *)iov[n - 1].iov_base)[iov[n - 1].iov_len - 1] != '\n';
    if (!terminal_blocked(s))
        at = write_all(s, iov, n);
    if (s->way != TERMINAL_CLOSED)
        keep(s, iov + at, n - at);
}

/* The first byte of the spans from i on that the terminal does not have yet, or NUL. */
static char first_byte(const struct clean_vec *spans, size_t i)
{
    for (; i < spans->len; i++)
        if (spans->items[i].len > spans->items[i].shown)
            return spans->items[i].ptr[spans->items[i].shown];
    return '\0';
}

/* The bytes at p up to a CR that an LF follows; next: what follows these len bytes. */
static size_t until_line_end(const char *p, size_t len, char next)
{
    const char *cr = p;

    while ((cr = memchr(cr, '\r', len - (size_t)(cr - p))) != NULL) {
        size_t behind = len - (size_t)(cr - p) - 1;

        if ((behind > 0 ? cr[1] : next) == '\n')
            return (size_t)(cr - p);
        cr++;
    }
    return len;
}

struct pieces {
    struct iovec iov[TERMINAL_IOV_MAX];
    int n;
};

static void add_piece(struct terminal *s, struct pieces *out, const char *p, size_t len)
{
    if (len == 0 || s->way == TERMINAL_CLOSED)
        return;
    out->iov[out->n++] = (struct iovec){.iov_base = (char *)(uintptr_t)p, .iov_len = len};
    if (out->n < TERMINAL_IOV_MAX)
        return;
    put_batch(s, out->iov, out->n);
    out->n = 0;
}

static void add_span(struct terminal *s, struct pieces *out, const char *p, size_t len, char next)
{
    while (len > 0 && s->drop_cr) {
        size_t n = until_line_end(p, len, next);

        add_piece(s, out, p, n);
        if (n == len)
            return;
        p += n + 1;
        len -= n + 1;
    }
    add_piece(s, out, p, len);
}

void terminal_put(struct terminal *s, const struct clean_vec *spans)
{
    struct pieces pieces;

    pieces.n = 0;
    if (s->way == TERMINAL_CLOSED)
        return;
    for (size_t i = 0; i < spans->len; i++) {
        const struct clean_span *span = &spans->items[i];

        if (span->len > span->shown)
            add_span(s, &pieces, span->ptr + span->shown, span->len - span->shown,
                     s->drop_cr ? first_byte(spans, i + 1) : '\0');
    }
    if (s->way != TERMINAL_CLOSED)
        put_batch(s, pieces.iov, pieces.n);
}

void terminal_flush(struct terminal *s)
{
    struct iovec rest = {.iov_base = s->queue.data + s->queue_at,
                         .iov_len = s->queue.len - s->queue_at};

    if (!terminal_blocked(s))
        return;
    if (write_all(s, &rest, 1) == 1)
        s->queue.len = s->queue_at = 0;
    else
        s->queue_at = (size_t)((char *)rest.iov_base - s->queue.data);
}

void terminal_message(struct terminal *s, const char *line, size_t len)
{
    const char *line_end = s->raw ? "\r\n" : "\n";
    const struct iovec end = {.iov_base = (char *)(uintptr_t)line_end, .iov_len = strlen(line_end)};
    struct iovec iov[3];
    int n = 0;

    if (s->way == TERMINAL_CLOSED)
        return;
    if (s->mid_line)
        iov[n++] = end;
    iov[n++] = (struct iovec){.iov_base = (char *)(uintptr_t)line, .iov_len = len - 1};
    iov[n++] = end;
    put_batch(s, iov, n);
}
