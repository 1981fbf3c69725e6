// SPDX-License-Identifier: MIT
#include "cmd/out.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/sys.h"
#include "cmd/options.h"
#include "commands.gen.h"

enum { OUT_PIECE = 64 << 10 };

void out_init(struct out *o)
{
    out_init_fd(o, STDOUT_FILENO);
}

void out_init_fd(struct out *o, int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    struct winsize size = {0};

    *o = (struct out){.fd = fd, .terminal = isatty(fd) == 1};
    buf_init(&o->buf, OUT_PIECE);
    o->colour = o->terminal && (no_color == NULL || no_color[0] == '\0') &&
                (term == NULL || strcmp(term, "dumb") != 0);
    if (o->terminal && sys.ioctl(fd, TIOCGWINSZ, &size) == 0)
        o->columns = size.ws_col;
}

void out_init_for(struct out *o, const struct cmd_args *args)
{
    const struct parsed_option *color = options_find(args, OPT_COLOR);

    out_init(o);
    if (color != NULL && strcmp(color->text, "auto") != 0)
        o->colour = strcmp(color->text, "always") == 0;
}

void out_release(struct out *o)
{
    buf_release(&o->buf);
}

/* An inherited descriptor may be non-blocking; then there is room to wait for. */
static bool may_go_on(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};

    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    return sys.poll(&wait, 1, -1) >= 0 || errno == EINTR;
}

enum err_code out_flush(struct out *o)
{
    size_t done = 0;

    while (o->failed == 0 && done < o->buf.len) {
        ssize_t n = sys.write(o->fd, o->buf.data + done, o->buf.len - done);

        if (n >= 0)
            done += (size_t)n;
        else if (!may_go_on(o->fd))
            o->failed = errno;
    }
    o->buf.len = 0;
    return o->failed == 0 ? ERR_NONE : ERR_SYSTEM;
}

static enum err_code put(void *arg, const char *text, size_t n)
{
    struct out *o = arg;

    while (n > 0) {
        size_t room = OUT_PIECE - o->buf.len;
        size_t now = n < room ? n : room;
        enum err_code rc = buf_put(&o->buf, text, now);

        if (rc != ERR_NONE)
            return rc;
        text += now;
        n -= now;
        if (o->buf.len == OUT_PIECE && out_flush(o) != ERR_NONE)
            return ERR_SYSTEM;
    }
    return ERR_NONE;
}

bool out_obeyed(void)
{
    const char *actions = getenv("GITHUB_ACTIONS");

    return actions != NULL && strcmp(actions, "true") == 0;
}

struct sink out_sink(struct out *o)
{
    return (struct sink){put, o};
}

int out_finish(struct out *o, const struct command *c, int status)
{
    struct err e;

    if (out_flush(o) == ERR_NONE)
        return status;
    if (o->failed == EPIPE)
        return EXIT_SIGNAL_BASE + SIGPIPE;
    errno = o->failed;
    err_system(&e, "cannot write to", o->fd == STDOUT_FILENO ? "stdout" : "stderr");
    cmd_warn_err(c, &e);
    return EXIT_TROUBLE;
}
