// SPDX-License-Identifier: MIT
/*
 * buildlog redact-add: hands values from standard input to the build that this runs in. Success
 * means that the build said of each that it counts. run/mask_socket.h has the other side.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "commands.gen.h"
#include "run/mask_socket.h"

enum {
    INPUT_MAX = 2 * MASKS_BYTES_MAX, /* more than any build takes */
    INPUT_PIECE = 64 << 10,
    ANSWER_MAX = 256,
    RETRY_MS = 10,
    ANSWER_MS = 10000 /* a build that is busy or stopped for longer does not answer */
};

#define CONNECT_NS INT64_C(1000000000) /* how long a build may take to make its socket */

static const char cannot_add[] = "cannot add a value";

/* ---- the build --------------------------------------------------------------------- */

static bool worth_a_retry(int64_t deadline)
{
    bool soon = errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN || errno == EINTR;

    if (!soon || clock_monotonic_ns() >= deadline)
        return false;
    (void)sys.poll(NULL, 0, RETRY_MS);
    return true;
}

/* The build may have been started this very moment, or have many at its door. */
static enum err_code connect_build(const char *path, int *fd, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int64_t deadline = clock_monotonic_ns() + CONNECT_NS;

    if (strlen(path) >= sizeof(address.sun_path))
        return err_set(e, ERR_USAGE, cannot_add, "", "%s is no path of a socket",
                       MASK_SOCKET_VARIABLE);
    memcpy(address.sun_path, path, strlen(path) + 1);
    for (;;) {
        *fd = sys.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (*fd < 0)
            return err_system(e, cannot_add, "");
        if (sys.connect(*fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
            return ERR_NONE;
        (void)err_system(e, "cannot reach the build at", path);
        sys.close(*fd);
        *fd = -1;
        errno = e->sys_errno;
        if (!worth_a_retry(deadline))
            return ERR_SYSTEM;
    }
}

static bool wait_for(int fd, short events)
{
    struct pollfd wait = {.fd = fd, .events = events};
    int n;

    do
        n = sys.poll(&wait, 1, ANSWER_MS);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0;
}

static bool send_value(int fd, const char *value, size_t len)
{
    struct iovec iov = {(char *)(uintptr_t)value, len};
    const struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

    for (;;) {
        if (sys.sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return true;
        if (errno == EINTR || (errno == EAGAIN && wait_for(fd, POLLOUT)))
            continue;
        return false;
    }
}

/* -1: no answer; errno says why. */
static ssize_t get_answer(int fd, char *answer, size_t size)
{
    for (;;) {
        ssize_t n = sys.recv(fd, answer, size, MSG_DONTWAIT);

        if (n > 0)
            return n;
        if (n == 0)
            errno = ECONNRESET;
        if (n == 0 || (errno != EINTR && (errno != EAGAIN || !wait_for(fd, POLLIN))))
            return -1;
    }
}

static enum err_code add_value(int fd, const char *value, size_t len, struct err *e)
{
    char answer[ANSWER_MAX];
    ssize_t n;

    /* The build is to judge, and to note, what is too long; it need not see all of it for that. */
    if (len > MASK_MAX)
        len = MASK_MAX + 1;
    n = send_value(fd, value, len) ? get_answer(fd, answer, sizeof(answer)) : -1;
    if (n < 0)
        return err_system(e, "cannot add a value, the build does not answer", "");
    if (answer[0] == '+')
        return ERR_NONE;
    return err_set(e, ERR_REFUSED, "the build refused a value", "", "%.*s", (int)n - 1,
                   answer + 1);
}

/* ---- standard input ---------------------------------------------------------------- */

static enum err_code read_input(struct buf *b, struct err *e)
{
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};

    for (;;) {
        ssize_t n;

        if (buf_reserve(b, INPUT_PIECE) != ERR_NONE)
            return err_set(e, ERR_MEMORY, cannot_add, "", "there is more than a build takes");
        n = sys.read(STDIN_FILENO, b->data + b->len, INPUT_PIECE);
        if (n == 0)
            return ERR_NONE;
        if (n > 0)
            b->len += (size_t)n;
        else if (errno == EAGAIN)
            (void)sys.poll(&wait, 1, -1);
        else if (errno != EINTR)
            return err_system(e, "cannot read", "standard input");
    }
}

/* Without a line end, LF or CR LF. */
static size_t chomped(const char *text, size_t len)
{
    if (len == 0 || text[len - 1] != '\n')
        return len;
    len--;
    return len > 0 && text[len - 1] == '\r' ? len - 1 : len;
}

static enum err_code add_lines(int fd, const struct buf *b, struct err *e)
{
    enum err_code rc = ERR_NONE;
    bool any = false;

    for (size_t at = 0; rc == ERR_NONE && at < b->len;) {
        const char *end = memchr(b->data + at, '\n', b->len - at);
        size_t len = (end != NULL ? (size_t)(end - b->data) + 1 : b->len) - at;
        size_t bare = chomped(b->data + at, len);

        if (bare > 0) {
            any = true;
            rc = add_value(fd, b->data + at, bare, e);
        }
        at += len;
    }
    if (rc == ERR_NONE && !any)
        rc = err_set(e, ERR_REFUSED, cannot_add, "", "standard input has none");
    return rc;
}

static enum err_code add_input(int fd, const struct buf *b, bool lines, struct err *e)
{
    size_t len = chomped(b->data, b->len);

    if (lines)
        return add_lines(fd, b, e);
    if (len == 0)
        return err_set(e, ERR_REFUSED, cannot_add, "", "standard input has none");
    return add_value(fd, b->data, len, e);
}

int cmd_redact_add(const struct cmd_args *args)
{
    const char *path = getenv(MASK_SOCKET_VARIABLE);
    struct buf input;
    struct err e;
    int fd = -1;
    enum err_code rc;

    buf_init(&input, INPUT_MAX);
    if (path == NULL || path[0] == '\0')
        rc = err_set(&e, ERR_NOT_FOUND, cannot_add, "",
                     "no build around this (%s is not set)", MASK_SOCKET_VARIABLE);
    else
        rc = read_input(&input, &e);
    if (rc == ERR_NONE)
        rc = connect_build(path, &fd, &e);
    if (rc == ERR_NONE)
        rc = add_input(fd, &input, options_find(args, OPT_LINES) != NULL, &e);
    if (rc != ERR_NONE)
        cmd_warn_err(args->command, &e);
    if (fd >= 0)
        sys.close(fd);
    if (input.data != NULL)
        explicit_bzero(input.data, input.cap);
    buf_release(&input);
    return rc == ERR_NONE ? EXIT_FOUND : EXIT_TROUBLE;
}
