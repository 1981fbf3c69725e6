// SPDX-License-Identifier: MIT
/*
 * Makes system calls fail. Linked into buildlog-fault beside the objects of the release, its
 * constructor puts a wrapper into every entry of `sys` (base/sys.h) and reads
 *
 *   BUILDLOG_FAULT   "CALL[@log|@other]:N:WHAT[:persist|:xK]", several with commas.
 *                    The N-th CALL (from 1) gives the errno WHAT (EIO …) or is "short";
 *                    "aged": a message (recvmsg) whose time stamp is an hour older;
 *                    "bare": one that has none; "killed", "stopped": whoever makes the call
 *                    is, with SIGKILL or SIGSTOP, right before it.
 *                    persist: it and all after it, xK: K of them. @log counts only calls on
 *                    regular files beyond 0 to 2 (the log), @other only the rest.
 *   BUILDLOG_SPACE   bytes that may still be written to logs; then ENOSPC, until the file
 *                    named by BUILDLOG_SPACE_BACK is there.
 *   BUILDLOG_COUNTS  a file that ends up holding "CALL COUNT COUNT_LOG FIRED" lines' worth of
 *                    counters: struct counter[] in the order of SYS_TABLE.
 *
 * The counters live in shared memory, so that the N-th call is the N-th of buildlog and its
 * forked child together and each fault strikes as often as it says, no more.
 */
#include "base/sys.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define AS_INDEX(type, name, params) CALL_##name,
enum call { SYS_TABLE(AS_INDEX) N_CALLS };
#undef AS_INDEX

#define AS_NAME(type, name, params) #name,
static const char *const CALL_NAMES[] = {SYS_TABLE(AS_NAME)};
#undef AS_NAME

enum target { ANY, LOG_FILE, OTHER };
enum { MAX_FAULTS = 8, SHORT = -1, AGED = -2, BARE = -3, KILLED = -4, STOPPED = -5, AGED_S = 3600 };

struct counter {
    _Atomic uint64_t all;
    _Atomic uint64_t log;
    _Atomic uint64_t fired;
};

struct fault {
    enum call call;
    enum target target;
    uint64_t from;
    uint64_t times;
    int what; /* errno, or SHORT */
};

struct shared {
    struct counter counters[N_CALLS];
    _Atomic int64_t space;
};

static struct sys_table real;
static struct fault faults[MAX_FAULTS];
static size_t n_faults;
static struct shared *shared;
static const char *space_back;
static bool space_bounded;

static const struct {
    const char *name;
    int number;
} ERRNOS[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},   {"EMFILE", EMFILE},
              {"ENOMEM", ENOMEM}, {"EAGAIN", EAGAIN}, {"EACCES", EACCES}, {"EROFS", EROFS},
              {"EPERM", EPERM},   {"ENOSYS", ENOSYS}, {"ENOLCK", ENOLCK}, {"EDQUOT", EDQUOT},
              {"EOPNOTSUPP", EOPNOTSUPP}, {"EFBIG", EFBIG}, {"short", SHORT},
              {"aged", AGED},
              {"bare", BARE},
              {"killed", KILLED}, {"stopped", STOPPED}};

static void broken(const char *what)
{
    dprintf(2, "fault: cannot understand '%s'\n", what);
    _exit(97);
}

/* ---- deciding ---------------------------------------------------------------------- */

static bool is_log(int fd)
{
    struct stat st;

    return fd > 2 && real.fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* What befalls this call: 0 nothing, SHORT, or an errno. */
static int strike(enum call call, bool log)
{
    struct counter *c = &shared->counters[call];
    uint64_t all = atomic_fetch_add(&c->all, 1) + 1;
    uint64_t of_log = log ? atomic_fetch_add(&c->log, 1) + 1 : atomic_load(&c->log);

    for (size_t i = 0; i < n_faults; i++) {
        const struct fault *f = &faults[i];
        uint64_t n = f->target == ANY ? all : f->target == LOG_FILE ? of_log : all - of_log;

        if (f->call != call || (f->target != ANY && (f->target == LOG_FILE) != log))
            continue;
        if (n < f->from || n - f->from >= f->times)
            continue;
        atomic_fetch_add(&c->fired, 1);
        if (f->what != KILLED && f->what != STOPPED)
            return f->what;
        real.kill(getpid(), f->what == KILLED ? SIGKILL : SIGSTOP);
    }
    return 0;
}

static int strike_fd(enum call call, int fd)
{
    int saved = errno;
    int what = strike(call, is_log(fd));

    errno = saved;
    return what;
}

/* How much of n bytes a log may still take; takes it. */
static size_t take_space(int fd, size_t n)
{
    int64_t left;

    if (!space_bounded || !is_log(fd) || (space_back && access(space_back, F_OK) == 0))
        return n;
    left = atomic_load(&shared->space);
    if (left < (int64_t)n)
        n = left > 0 ? (size_t)left : 0;
    atomic_fetch_sub(&shared->space, (int64_t)n);
    return n;
}

#define FAIL_IF(what_expr)             \
    do {                               \
        int what_ = (what_expr);       \
        if (what_ > 0) {               \
            errno = what_;             \
            return -1;                 \
        }                              \
    } while (0)

/* ---- the wrappers ------------------------------------------------------------------ */

#define PLAIN(type, name, params, args, hit)  \
    static type fault_##name params           \
    {                                         \
        FAIL_IF(hit);                         \
        return real.name args;                \
    }

PLAIN(int, openat, (int dir_fd, const char *path, int flags, mode_t mode),
      (dir_fd, path, flags, mode), strike(CALL_openat, false))
PLAIN(int, openat2, (int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve),
      (dir_fd, path, flags, mode, resolve), strike(CALL_openat2, false))
PLAIN(int, mkdirat, (int dir_fd, const char *path, mode_t mode), (dir_fd, path, mode),
      strike(CALL_mkdirat, false))
PLAIN(int, unlinkat, (int dir_fd, const char *path, int flags), (dir_fd, path, flags),
      strike(CALL_unlinkat, false))
PLAIN(int, renameat, (int from_fd, const char *from, int to_fd, const char *to),
      (from_fd, from, to_fd, to), strike(CALL_renameat, false))
PLAIN(int, fstat, (int fd, struct stat *st), (fd, st), strike_fd(CALL_fstat, fd))
PLAIN(int, fstatat, (int dir_fd, const char *path, struct stat *st, int flags),
      (dir_fd, path, st, flags), strike(CALL_fstatat, false))
PLAIN(int, fstatfs, (int fd, struct statfs *fs), (fd, fs), strike_fd(CALL_fstatfs, fd))
PLAIN(int, ftruncate, (int fd, off_t size), (fd, size), strike_fd(CALL_ftruncate, fd))
PLAIN(int, fdatasync, (int fd), (fd), strike_fd(CALL_fdatasync, fd))
PLAIN(int, fsync, (int fd), (fd), strike_fd(CALL_fsync, fd))
PLAIN(int, lock, (int fd, int command, struct flock *lock), (fd, command, lock),
      strike_fd(CALL_lock, fd))
PLAIN(int, fcntl, (int fd, int command, long arg), (fd, command, arg),
      strike_fd(CALL_fcntl, fd))
PLAIN(int, ioctl, (int fd, unsigned long request, void *arg), (fd, request, arg),
      strike_fd(CALL_ioctl, fd))
PLAIN(int, pipe2, (int fds[2], int flags), (fds, flags), strike(CALL_pipe2, false))
PLAIN(int, dup, (int fd), (fd), strike_fd(CALL_dup, fd))
PLAIN(int, dup2, (int fd, int to), (fd, to), strike_fd(CALL_dup2, fd))
PLAIN(int, poll, (struct pollfd *fds, nfds_t n, int timeout_ms), (fds, n, timeout_ms),
      strike(CALL_poll, false))
PLAIN(int, socket, (int domain, int type, int protocol), (domain, type, protocol),
      strike(CALL_socket, false))
PLAIN(int, socketpair, (int domain, int type, int protocol, int fds[2]),
      (domain, type, protocol, fds), strike(CALL_socketpair, false))
PLAIN(int, bind, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len),
      strike_fd(CALL_bind, fd))
PLAIN(int, listen, (int fd, int backlog), (fd, backlog), strike_fd(CALL_listen, fd))
PLAIN(int, accept4, (int fd, struct sockaddr *address, socklen_t *len, int flags),
      (fd, address, len, flags), strike_fd(CALL_accept4, fd))
PLAIN(int, connect, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len),
      strike_fd(CALL_connect, fd))
PLAIN(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
      (fd, level, name, value, len), strike_fd(CALL_getsockopt, fd))
PLAIN(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
      (fd, level, name, value, len), strike_fd(CALL_setsockopt, fd))
PLAIN(pid_t, fork, (void), (), strike(CALL_fork, false))
PLAIN(pid_t, vfork_run, (int (*run)(void *), void *ctx), (run, ctx),
      strike(CALL_vfork_run, false))
PLAIN(pid_t, wait4, (pid_t pid, int *status, int options, struct rusage *usage),
      (pid, status, options, usage), strike(CALL_wait4, false))
PLAIN(int, waitid, (pid_t pid, siginfo_t *info, int options, struct rusage *usage),
      (pid, info, options, usage), strike(CALL_waitid, false))
PLAIN(int, kill, (pid_t pid, int signal), (pid, signal), strike(CALL_kill, false))
PLAIN(int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags),
      strike(CALL_signalfd, false))
PLAIN(int, thread_create,
      (pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *ctx),
      (thread, attr, run, ctx), strike(CALL_thread_create, false))
PLAIN(int, sched_getaffinity, (pid_t pid, size_t n, cpu_set_t *set), (pid, n, set),
      strike(CALL_sched_getaffinity, false))
PLAIN(int, clock_gettime, (clockid_t clock, struct timespec *now), (clock, now),
      strike(CALL_clock_gettime, false))
PLAIN(int, inotify_init1, (int flags), (flags), strike(CALL_inotify_init1, false))
PLAIN(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask),
      strike_fd(CALL_inotify_add_watch, fd))
PLAIN(int, epoll_create1, (int flags), (flags), strike(CALL_epoll_create1, false))
PLAIN(int, epoll_ctl, (int epoll_fd, int op, int fd, struct epoll_event *event),
      (epoll_fd, op, fd, event), strike(CALL_epoll_ctl, false))
PLAIN(int, timerfd_create, (clockid_t clock, int flags), (clock, flags),
      strike(CALL_timerfd_create, false))
PLAIN(int, timerfd_settime,
      (int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value),
      (fd, flags, new_value, old_value), strike(CALL_timerfd_settime, false))

PLAIN(int, prctl, (int option, unsigned long value), (option, value), strike(CALL_prctl, false))
PLAIN(int, seccomp, (unsigned operation, unsigned flags, void *args), (operation, flags, args),
      strike(CALL_seccomp, false))
PLAIN(int, landlock_create_ruleset, (const void *attr, size_t size, uint32_t flags),
      (attr, size, flags), strike(CALL_landlock_create_ruleset, false))
PLAIN(int, landlock_add_rule, (int ruleset_fd, int type, const void *attr, uint32_t flags),
      (ruleset_fd, type, attr, flags), strike(CALL_landlock_add_rule, false))
PLAIN(int, landlock_restrict_self, (int ruleset_fd, uint32_t flags), (ruleset_fd, flags),
      strike(CALL_landlock_restrict_self, false))

/* The descriptor is gone also when close fails, as on Linux. */
static int fault_close(int fd)
{
    int what = strike_fd(CALL_close, fd);
    int result = real.close(fd);

    FAIL_IF(what);
    return result;
}

static int fault_fallocate(int fd, int mode, off_t at, off_t n)
{
    FAIL_IF(strike_fd(CALL_fallocate, fd));
    if (space_bounded && !(space_back && access(space_back, F_OK) == 0) &&
        atomic_load(&shared->space) < (int64_t)n) {
        errno = ENOSPC;
        return -1;
    }
    return real.fallocate(fd, mode, at, n);
}

/* What reads whole records or nothing, a signalfd for one, is never short. */
static bool may_be_short(int fd)
{
    struct stat st;

    return real.fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode));
}

static size_t half(int what, size_t n)
{
    return what == SHORT && n > 1 ? n / 2 : n;
}

static ssize_t fault_read(int fd, void *data, size_t n)
{
    int what = strike_fd(CALL_read, fd);

    FAIL_IF(what);
    return real.read(fd, data, may_be_short(fd) ? half(what, n) : n);
}

static ssize_t fault_pread(int fd, void *data, size_t n, off_t at)
{
    int what = strike_fd(CALL_pread, fd);

    FAIL_IF(what);
    return real.pread(fd, data, half(what, n), at);
}

static ssize_t fault_write(int fd, const void *data, size_t n)
{
    int what = strike_fd(CALL_write, fd);
    size_t room;

    FAIL_IF(what);
    room = take_space(fd, half(what, n));
    FAIL_IF(n > 0 && room == 0 ? ENOSPC : 0);
    return real.write(fd, data, room);
}

/* Gathers into one buffer when it must be cut, so that the cut may fall anywhere. */
static ssize_t fault_writev(int fd, const struct iovec *iov, int n)
{
    int what = strike_fd(CALL_writev, fd);
    size_t total = 0, room;
    char *joined;
    ssize_t done;

    FAIL_IF(what);
    for (int i = 0; i < n; i++)
        total += iov[i].iov_len;
    room = take_space(fd, half(what, total));
    FAIL_IF(total > 0 && room == 0 ? ENOSPC : 0);
    if (room == total)
        return real.writev(fd, iov, n);
    joined = malloc(total);
    FAIL_IF(joined ? 0 : ENOMEM);
    total = 0;
    for (int i = 0; i < n; i++) {
        memcpy(joined + total, iov[i].iov_base, iov[i].iov_len);
        total += iov[i].iov_len;
    }
    done = real.write(fd, joined, room);
    free(joined);
    return done;
}

static ssize_t fault_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    int what = strike_fd(CALL_sendmsg, fd);
    struct msghdr cut = *msg;

    FAIL_IF(what);
    if (what == SHORT && cut.msg_iovlen > 1)
        cut.msg_iovlen = 1;
    return real.sendmsg(fd, &cut, flags);
}

static ssize_t fault_recv(int fd, void *data, size_t n, int flags)
{
    FAIL_IF(strike_fd(CALL_recv, fd));
    return real.recv(fd, data, n, flags);
}

/* As if the clock had been set back before the message was written. */
static void age(struct msghdr *msg)
{
    struct cmsghdr *stamp = CMSG_FIRSTHDR(msg);
    struct timespec at;

    if (!stamp || stamp->cmsg_type != SO_TIMESTAMPNS)
        return;
    memcpy(&at, CMSG_DATA(stamp), sizeof(at));
    at.tv_sec -= AGED_S;
    memcpy(CMSG_DATA(stamp), &at, sizeof(at));
}

static ssize_t fault_recvmsg(int fd, struct msghdr *msg, int flags)
{
    int what = strike_fd(CALL_recvmsg, fd);
    ssize_t n;

    FAIL_IF(what);
    n = real.recvmsg(fd, msg, flags);
    if (n >= 0 && what == AGED)
        age(msg);
    if (n >= 0 && what == BARE)
        msg->msg_controllen = 0;
    return n;
}

static ssize_t fault_getrandom(void *data, size_t n, unsigned flags)
{
    int what = strike(CALL_getrandom, false);

    FAIL_IF(what);
    return real.getrandom(data, half(what, n), flags);
}

static ssize_t fault_readlinkat(int dir_fd, const char *path, char *data, size_t n)
{
    int what = strike(CALL_readlinkat, false);

    FAIL_IF(what);
    return real.readlinkat(dir_fd, path, data, half(what, n));
}

/* Every entry of the table has its wrapper, or this does not compile. */
#define AS_WRAPPER(type, name, params) .name = fault_##name,
static const struct sys_table WRAPPED = {SYS_TABLE(AS_WRAPPER)};
#undef AS_WRAPPER

/* ---- reading the orders ------------------------------------------------------------ */

static enum call call_named(const char *name)
{
    for (int i = 0; i < N_CALLS; i++)
        if (strcmp(CALL_NAMES[i], name) == 0)
            return (enum call)i;
    broken(name);
    return N_CALLS;
}

static int errno_named(const char *name)
{
    for (size_t i = 0; i < sizeof(ERRNOS) / sizeof(ERRNOS[0]); i++)
        if (strcmp(ERRNOS[i].name, name) == 0)
            return ERRNOS[i].number;
    broken(name);
    return 0;
}

static uint64_t times_named(const char *name)
{
    if (!name)
        return 1;
    if (name[0] == 'x')
        return strtoull(name + 1, NULL, 10);
    if (strcmp(name, "persist") != 0)
        broken(name);
    return UINT64_MAX;
}

static enum target target_named(const char *name)
{
    if (!name)
        return ANY;
    if (strcmp(name, "log") != 0 && strcmp(name, "other") != 0)
        broken(name);
    return name[0] == 'l' ? LOG_FILE : OTHER;
}

static void parse_fault(char *text)
{
    char *save = NULL, *call = strtok_r(text, ":", &save), *n = strtok_r(NULL, ":", &save);
    char *what = strtok_r(NULL, ":", &save), *times = strtok_r(NULL, ":", &save);
    char *target = call ? strchr(call, '@') : NULL;
    struct fault *f = &faults[n_faults++];

    if (!what || n_faults > MAX_FAULTS)
        broken(text);
    if (target)
        *target++ = 0;
    f->target = target_named(target);
    f->call = call_named(call);
    f->from = strtoull(n, NULL, 10);
    f->what = errno_named(what);
    f->times = times_named(times);
}

static void map_counters(const char *path)
{
    int flags = MAP_SHARED, fd = -1;

    if (path) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, sizeof(*shared)) != 0)
            broken(path);
    } else {
        flags |= MAP_ANONYMOUS;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, flags, fd, 0);
    if (shared == MAP_FAILED)
        broken("mmap");
    if (fd >= 0)
        close(fd);
}

__attribute__((constructor)) static void fault_setup(void)
{
    const char *orders = getenv("BUILDLOG_FAULT"), *space = getenv("BUILDLOG_SPACE");
    char *copy = strdup(orders ? orders : ""), *save = NULL;

    real = sys;
    map_counters(getenv("BUILDLOG_COUNTS"));
    for (char *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save))
        parse_fault(one);
    free(copy);
    space_bounded = space != NULL;
    space_back = getenv("BUILDLOG_SPACE_BACK");
    atomic_store(&shared->space, space ? strtoll(space, NULL, 10) : 0);
    sys = WRAPPED;
}
