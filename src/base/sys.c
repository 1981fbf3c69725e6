// SPDX-License-Identifier: MIT
#include "base/sys.h"

#include <errno.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int real_openat(int dir_fd, const char *path, int flags, mode_t mode)
{
    return openat(dir_fd, path, flags, mode);
}

/* openat2(2), Linux 5.6. glibc has no wrapper. */
static int real_openat2(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags, .mode = mode, .resolve = resolve};

    return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

static int real_lock(int fd, int command, struct flock *lock)
{
    return fcntl(fd, command, lock);
}

static int real_fcntl(int fd, int command, long arg)
{
    return fcntl(fd, command, arg);
}

static int real_ioctl(int fd, unsigned long request, void *arg)
{
    return ioctl(fd, request, arg);
}

/* glibc declares these with a transparent union of all kinds of addresses. */
static int real_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    return bind(fd, address, len);
}

static int real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    return accept4(fd, address, len, flags);
}

static int real_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return connect(fd, address, len);
}

static int real_prctl(int option, unsigned long value)
{
    return prctl(option, value, 0UL, 0UL, 0UL);
}

/* No libc has wrappers for these. */
static int real_seccomp(unsigned operation, unsigned flags, void *args)
{
    return (int)syscall(SYS_seccomp, operation, flags, args);
}

/* Landlock's numbers are the same everywhere, and newer than some headers. */
enum { NR_LANDLOCK_CREATE_RULESET = 444, NR_LANDLOCK_ADD_RULE, NR_LANDLOCK_RESTRICT_SELF };

static int real_landlock_create_ruleset(const void *attr, size_t size, uint32_t flags)
{
    return (int)syscall(NR_LANDLOCK_CREATE_RULESET, attr, size, flags);
}

static int real_landlock_add_rule(int ruleset_fd, int type, const void *attr, uint32_t flags)
{
    return (int)syscall(NR_LANDLOCK_ADD_RULE, ruleset_fd, type, attr, flags);
}

static int real_landlock_restrict_self(int ruleset_fd, uint32_t flags)
{
    return (int)syscall(NR_LANDLOCK_RESTRICT_SELF, ruleset_fd, flags);
}

#ifndef SYS_FIXED
static int real_thread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                              void *ctx)
{
    int rc = pthread_create(thread, attr, run, ctx);

    errno = rc != 0 ? rc : errno;
    return rc != 0 ? -1 : 0;
}

/* The system's own has the fifth parameter that glibc's leaves out (waitid(2), C library
   differences); of one process only. */
static int real_waitid(pid_t pid, siginfo_t *info, int options, struct rusage *usage)
{
    return (int)syscall(SYS_waitid, P_PID, pid, info, options, usage);
}

/* A stack apart: what the child leaves on it must not lie where our own frames will be. */
static pid_t real_vfork_run(int (*run)(void *), void *ctx)
{
    char *stack = mmap(NULL, SYS_VFORK_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    pid_t pid;
    int saved;

    if (stack == MAP_FAILED)
        return -1;
    pid = clone(run, stack + SYS_VFORK_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, ctx);
    saved = errno;
    munmap(stack, SYS_VFORK_STACK);
    errno = saved;
    return pid;
}
#endif

#ifdef SYS_FIXED
const struct sys_table sys = {
#else
struct sys_table sys = {
#endif
    .openat = real_openat,
    .openat2 = real_openat2,
    .mkdirat = mkdirat,
    .unlinkat = unlinkat,
    .renameat = renameat,
    .fstat = fstat,
    .fstatat = fstatat,
    .fstatfs = fstatfs,
    .close = close,
    .read = read,
    .pread = pread,
    .write = write,
    .writev = writev,
    .sendmsg = sendmsg,
    .recv = recv,
    .recvmsg = recvmsg,
    .socket = socket,
    .socketpair = socketpair,
    .bind = real_bind,
    .listen = listen,
    .accept4 = real_accept4,
    .connect = real_connect,
    .getsockopt = getsockopt,
    .setsockopt = setsockopt,
    .ftruncate = ftruncate,
    .fallocate = fallocate,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .lock = real_lock,
    .fcntl = real_fcntl,
    .ioctl = real_ioctl,
    .pipe2 = pipe2,
    .dup = dup,
    .dup2 = dup2,
    .poll = poll,
    .inotify_init1 = inotify_init1,
    .inotify_add_watch = inotify_add_watch,
    .epoll_create1 = epoll_create1,
    .epoll_ctl = epoll_ctl,
    .timerfd_create = timerfd_create,
    .timerfd_settime = timerfd_settime,
#ifndef SYS_FIXED /* not for a library to do to its host */
    .fork = fork,
    .vfork_run = real_vfork_run,
    .wait4 = wait4,
    .waitid = real_waitid,
    .kill = kill,
    .signalfd = signalfd,
    .thread_create = real_thread_create,
#endif
    .sched_getaffinity = sched_getaffinity,
    .clock_gettime = clock_gettime,
    .getrandom = getrandom,
    .readlinkat = readlinkat,
    .prctl = real_prctl,
    .seccomp = real_seccomp,
    .landlock_create_ruleset = real_landlock_create_ruleset,
    .landlock_add_rule = real_landlock_add_rule,
    .landlock_restrict_self = real_landlock_restrict_self,
};
