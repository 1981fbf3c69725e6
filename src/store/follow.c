// SPDX-License-Identifier: MIT
#include "store/follow.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/vfs.h>

#include "base/sys.h"

enum {
    POLL_MS = 1000,
    SOON_FIRST_MS = 1, /* after a close: 1, 2, 4 … ms */
    SOON_LAST_MS = 1024
};

struct follow {
    int inotify_fd; /* -1: there is no inotify */
    bool watching;  /* the kernel tells of writes by this machine */
    bool remote;    /* others' writes go unnoticed */
    int soon_ms;    /* 0, or the next short distance */
};

static const unsigned remote_magics[] = {
    0x6969,     /* NFS */
    0xff534d42, /* CIFS */
    0xfe534d42, /* SMB2 */
    0x65735546, /* FUSE */
    0x01021997, /* 9P */
    0x00c36400, /* CEPH */
    0x5346414f, /* AFS */
    0x0bd00bd0, /* LUSTRE */
    0x47504653, /* GPFS */
    0x786f4256, /* VBOXSF */
};

static bool is_remote(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) != 0)
        return false;
    for (size_t i = 0; i < sizeof(remote_magics) / sizeof(remote_magics[0]); i++)
        if ((unsigned)fs.f_type == remote_magics[i])
            return true;
    return false;
}

enum err_code follow_new(struct follow **out, struct err *e)
{
    struct follow *f = calloc(1, sizeof(*f));

    *out = f;
    if (f == NULL)
        return err_set(e, ERR_MEMORY, "cannot follow", "", "no memory");
    f->inotify_fd = -1;
    return ERR_NONE;
}

static void stop_watching(struct follow *f)
{
    if (f->inotify_fd >= 0)
        sys.close(f->inotify_fd);
    f->inotify_fd = -1;
    f->watching = false;
}

void follow_free(struct follow *f)
{
    if (f == NULL)
        return;
    stop_watching(f);
    free(f);
}

void follow_file(struct follow *f, int log_fd)
{
    const uint32_t mask = IN_MODIFY | IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB;
    char path[64];

    stop_watching(f); /* with it go the events of the file before */
    f->soon_ms = 0;
    f->remote = is_remote(log_fd);
    f->inotify_fd = sys.inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (f->inotify_fd < 0)
        return;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", log_fd);
    f->watching = sys.inotify_add_watch(f->inotify_fd, path, mask) >= 0;
    if (!f->watching)
        stop_watching(f);
}

void follow_soon(struct follow *f)
{
    f->soon_ms = SOON_FIRST_MS;
}

bool follow_polls(const struct follow *f)
{
    return !f->watching || f->remote;
}

/* Turns what the kernel has to say into a set of follow_event. */
static unsigned drain(struct follow *f)
{
    _Alignas(struct inotify_event) char data[4096];
    unsigned events = 0;

    for (;;) {
        ssize_t n = sys.read(f->inotify_fd, data, sizeof(data));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return events;
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(data + at);

            if (event->mask & (IN_MODIFY | IN_Q_OVERFLOW))
                events |= FOLLOW_DATA;
            if (event->mask & (IN_CLOSE_WRITE | IN_Q_OVERFLOW))
                events |= FOLLOW_DATA | FOLLOW_CLOSED;
            if (event->mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB | IN_IGNORED |
                               IN_UNMOUNT | IN_Q_OVERFLOW))
                events |= FOLLOW_MOVED;
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
}

int follow_fd(const struct follow *f)
{
    return f->inotify_fd;
}

unsigned follow_take(struct follow *f)
{
    return f->inotify_fd >= 0 ? drain(f) : 0;
}

/* How long the next wait may last, -1 for ever, and what it means when that time is over. */
static int next_timeout(const struct follow *f, int limit_ms, unsigned *meaning)
{
    int timeout = limit_ms;

    *meaning = FOLLOW_DATA;
    if (follow_polls(f) && (timeout < 0 || timeout > POLL_MS)) {
        timeout = POLL_MS;
        *meaning = FOLLOW_DATA | FOLLOW_CLOSED | FOLLOW_MOVED;
    }
    if (f->soon_ms > 0 && (timeout < 0 || timeout > f->soon_ms)) {
        timeout = f->soon_ms;
        *meaning = FOLLOW_DATA | FOLLOW_CLOSED | FOLLOW_MOVED;
    }
    return timeout;
}

enum err_code follow_wait(struct follow *f, int out_fd, int limit_ms, unsigned *events,
                          struct err *e)
{
    struct pollfd fds[2] = {{.fd = f->inotify_fd, .events = POLLIN}, {.fd = out_fd}};

    for (*events = 0; *events == 0;) {
        unsigned meaning;
        int n = sys.poll(fds, 2, next_timeout(f, limit_ms, &meaning));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_system(e, "cannot wait", "");
        if (n == 0) {
            *events = meaning;
            f->soon_ms = f->soon_ms < SOON_LAST_MS ? f->soon_ms * 2 : 0;
            return ERR_NONE;
        }
        if (fds[0].revents != 0)
            *events |= drain(f);
        if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
            *events |= FOLLOW_OUTPUT;
        if (*events & (FOLLOW_CLOSED | FOLLOW_MOVED))
            follow_soon(f);
    }
    return ERR_NONE;
}
