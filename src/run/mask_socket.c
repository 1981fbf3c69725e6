// SPDX-License-Identifier: MIT
#include "run/mask_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"

enum { BACKLOG = 64, REPLY_MAX = 128, DIR_TRIES = 3, ACCEPTS_PER_TURN = 16 };

/* ---- the path ---------------------------------------------------------------------- */

static const char no_socket[] = "cannot make a socket for values";

/* A directory of ours that nobody else can enter. */
static bool private_dir(int fd)
{
    struct stat st;

    return sys.fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

static int open_dir(int at_fd, const char *path, int flags)
{
    return sys.openat(at_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC | flags, 0);
}

/* Takes over dir_fd. */
static bool take_path(struct mask_socket *s, const char *dir, const char *sub, int dir_fd)
{
    int n = snprintf(s->path, sizeof(s->path), "%s/%s/%s", dir, sub, s->name);

    if (n > 0 && n < (int)sizeof(s->path)) {
        s->dir_fd = dir_fd;
        return true;
    }
    s->path[0] = '\0';
    sys.close(dir_fd);
    return false;
}

/* $XDG_RUNTIME_DIR/buildlog, made if it is missing. */
static bool choose_runtime_dir(struct mask_socket *s)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int above_fd = runtime != NULL && runtime[0] == '/' ? open_dir(AT_FDCWD, runtime, 0) : -1;
    int fd = -1;

    if (above_fd < 0)
        return false;
    if (sys.mkdirat(above_fd, "buildlog", 0700) == 0 || errno == EEXIST)
        fd = open_dir(above_fd, "buildlog", O_NOFOLLOW);
    sys.close(above_fd);
    if (fd >= 0 && !private_dir(fd)) {
        sys.close(fd);
        fd = -1;
    }
    return fd >= 0 && take_path(s, runtime, "buildlog", fd);
}

/* A directory of its own: the name is random, so that nobody is there before us. */
static bool make_dir_below(struct mask_socket *s, const char *above)
{
    struct ulid_source source = {0};
    char id[ULID_SIZE];
    char sub[sizeof("buildlog-") + ULID_LEN];
    char path[MASK_SOCKET_PATH_SIZE];

    for (int i = 0; i < DIR_TRIES; i++) {
        int n;
        int fd;

        if (ulid_next(&source, clock_realtime_ms(), id, NULL) != ERR_NONE)
            return false;
        snprintf(sub, sizeof(sub), "buildlog-%s", id);
        n = snprintf(path, sizeof(path), "%s/%s", above, sub);
        if (n + 1 + (int)strlen(s->name) >= (int)sizeof(path))
            return false;
        if (sys.mkdirat(AT_FDCWD, path, 0700) != 0)
            continue;
        fd = open_dir(AT_FDCWD, path, O_NOFOLLOW);
        if (fd >= 0 && private_dir(fd) && take_path(s, above, sub, fd)) {
            s->own_dir = true;
            return true;
        }
        if (fd >= 0)
            sys.close(fd);
        (void)sys.unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
        return false;
    }
    return false;
}

static bool make_own_dir(struct mask_socket *s)
{
    const char *above = getenv("TMPDIR");

    /* The path has to be short: the build's id is not needed in a directory of its own. */
    snprintf(s->name, sizeof(s->name), "socket");
    if (above != NULL && above[0] == '/' && make_dir_below(s, above))
        return true;
    /* Memory first: on a disk, making and removing it takes longer than all else of a start. */
    return make_dir_below(s, "/dev/shm") || make_dir_below(s, "/tmp");
}

enum err_code mask_socket_choose(struct mask_socket *s, const char *id, struct err *e)
{
    *s = (struct mask_socket){.fd = -1, .dir_fd = -1};
    snprintf(s->name, sizeof(s->name), "%s", id);
    if (choose_runtime_dir(s) || make_own_dir(s))
        return ERR_NONE;
    return err_set(e, ERR_REFUSED, no_socket, "",
                   "no directory of our own in XDG_RUNTIME_DIR, TMPDIR, /dev/shm or /tmp");
}

/* ---- clients ----------------------------------------------------------------------- */

static void drop_client(struct mask_client *c)
{
    if (!ev_is_active(&c->readable))
        return;
    ev_io_stop(c->socket->loop, &c->readable);
    sys.close(c->readable.fd);
}

/* Whether the client got it is its own affair: a client that does not listen is dropped. */
static void reply(struct mask_client *c, const char *why)
{
    char text[REPLY_MAX];
    int n = snprintf(text, sizeof(text), "%s%s", why == NULL ? "+" : "-", why == NULL ? "" : why);
    struct iovec iov = {text, (size_t)n};
    const struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

    if (sys.sendmsg(c->readable.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        drop_client(c);
}

/* One message a turn: a client that never stops cannot keep the build from its work. */
static void on_message(struct ev_loop *loop, ev_io *w, int events)
{
    struct mask_client *c = w->data;
    struct mask_socket *s = c->socket;
    ssize_t n = sys.recv(w->fd, s->message, MASK_MAX, MSG_DONTWAIT | MSG_TRUNC);

    (void)loop, (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop_client(c);
        return;
    }
    c->spoke = ++s->turn;
    /* With MSG_TRUNC n is the length as sent; of what is too long only the length counts. */
    reply(c, masks_add(s->masks, "redact-add", s->message, (size_t)n));
    explicit_bzero(s->message, n < MASK_MAX ? (size_t)n : (size_t)MASK_MAX);
    (void)build_log_flush(s->masks->log);
}

static bool may_speak(int fd)
{
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);

    return sys.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static struct mask_client *free_client(struct mask_socket *s)
{
    struct mask_client *silent = &s->clients[0];

    for (size_t i = 0; i < MASK_CLIENTS_MAX; i++) {
        if (!ev_is_active(&s->clients[i].readable))
            return &s->clients[i];
        if (s->clients[i].spoke < silent->spoke)
            silent = &s->clients[i];
    }
    drop_client(silent);
    return silent;
}

static void add_client(struct mask_socket *s, int fd)
{
    struct mask_client *c = free_client(s);

    c->spoke = ++s->turn;
    ev_io_set(&c->readable, fd, EV_READ);
    ev_io_start(s->loop, &c->readable);
    if (!may_speak(fd)) {
        reply(c, "only the user of the build and root may add values");
        drop_client(c);
    }
}

static void on_connect(struct ev_loop *loop, ev_io *w, int events)
{
    struct mask_socket *s = w->data;

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = sys.accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            add_client(s, fd);
            continue;
        }
        /* Out of descriptors: it would be ready again at once, so it rests until the tick. */
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            ev_io_stop(loop, w);
        return;
    }
}

/* ---- open and close ---------------------------------------------------------------- */

static enum err_code bind_and_listen(struct mask_socket *s, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;

    memcpy(address.sun_path, s->path, sizeof(s->path));
    /* Left behind by an attempt of this id that was killed. */
    (void)sys.unlinkat(s->dir_fd, s->name, 0);
    s->fd = sys.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || sys.bind(s->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return err_system(e, no_socket, s->path);
    if (sys.fstatat(s->dir_fd, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        s->inode = st.st_ino;
    if (sys.listen(s->fd, BACKLOG) != 0)
        return err_system(e, no_socket, s->path);
    return ERR_NONE;
}

enum err_code mask_socket_open(struct mask_socket *s, struct ev_loop *loop, struct masks *masks,
                               struct err *e)
{
    enum err_code rc;

    s->loop = loop;
    s->masks = masks;
    for (size_t i = 0; i < MASK_CLIENTS_MAX; i++) {
        s->clients[i].socket = s;
        ev_init(&s->clients[i].readable, on_message);
        /* Before the streams: what is read in the same turn has the value removed already. */
        ev_set_priority(&s->clients[i].readable, EV_MAXPRI);
        s->clients[i].readable.data = &s->clients[i];
    }
    if (s->path[0] == '\0')
        return ERR_NONE;
    s->message = malloc(MASK_MAX);
    rc = s->message != NULL ? bind_and_listen(s, e)
                            : err_set(e, ERR_MEMORY, no_socket, s->path, "out of memory");
    if (rc != ERR_NONE) {
        mask_socket_close(s);
        return rc;
    }
    ev_io_init(&s->connecting, on_connect, s->fd, EV_READ);
    ev_set_priority(&s->connecting, EV_MAXPRI);
    s->connecting.data = s;
    ev_io_start(loop, &s->connecting);
    return ERR_NONE;
}

void mask_socket_tick(struct mask_socket *s)
{
    if (s->fd >= 0 && !ev_is_active(&s->connecting))
        ev_io_start(s->loop, &s->connecting);
}

/* Only what is ours: another attempt may have made its own at the path. */
static void remove_socket(struct mask_socket *s)
{
    char dir[MASK_SOCKET_PATH_SIZE];
    struct stat st;

    if (s->inode != 0 && sys.fstatat(s->dir_fd, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_ino == s->inode)
        (void)sys.unlinkat(s->dir_fd, s->name, 0);
    if (!s->own_dir)
        return;
    snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(s->path, '/') - s->path), s->path);
    (void)sys.unlinkat(AT_FDCWD, dir, AT_REMOVEDIR);
}

void mask_socket_close(struct mask_socket *s)
{
    if (s->loop != NULL) {
        for (size_t i = 0; i < MASK_CLIENTS_MAX; i++)
            drop_client(&s->clients[i]);
        if (ev_is_active(&s->connecting))
            ev_io_stop(s->loop, &s->connecting);
    }
    if (s->fd >= 0)
        sys.close(s->fd);
    if (s->path[0] != '\0')
        remove_socket(s);
    if (s->dir_fd >= 0)
        sys.close(s->dir_fd);
    free(s->message);
    *s = (struct mask_socket){.fd = -1, .dir_fd = -1};
}
