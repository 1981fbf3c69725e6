// SPDX-License-Identifier: MIT
/*
 * The system-call table.  Every call that can fail in an interesting way goes through
 * `sys`, so that a test can make the N-th one fail, be short or be interrupted
 * (tests/fault).  The release binary never changes the table.  Signatures are those of
 * the system, with the variadic ones made definite.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>

/* X(return type, name, parameters) */
#define SYS_TABLE(X)                                                                        \
    X(int, openat, (int dir_fd, const char *path, int flags, mode_t mode))                  \
    X(int, openat2, (int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)) \
    X(int, mkdirat, (int dir_fd, const char *path, mode_t mode))                            \
    X(int, unlinkat, (int dir_fd, const char *path, int flags))                             \
    X(int, renameat, (int from_fd, const char *from, int to_fd, const char *to))            \
    X(int, fstat, (int fd, struct stat *st))                                                \
    X(int, fstatat, (int dir_fd, const char *path, struct stat *st, int flags))             \
    X(int, fstatfs, (int fd, struct statfs *fs))                                            \
    X(int, close, (int fd))                                                                 \
    X(ssize_t, read, (int fd, void *data, size_t n))                                        \
    X(ssize_t, pread, (int fd, void *data, size_t n, off_t at))                             \
    X(ssize_t, write, (int fd, const void *data, size_t n))                                 \
    X(ssize_t, writev, (int fd, const struct iovec *iov, int n))                            \
    X(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags))                      \
    X(ssize_t, recv, (int fd, void *data, size_t n, int flags))                             \
    X(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags))                            \
    X(int, socket, (int domain, int type, int protocol))                                    \
    X(int, socketpair, (int domain, int type, int protocol, int fds[2]))                    \
    X(int, bind, (int fd, const struct sockaddr *address, socklen_t len))                   \
    X(int, listen, (int fd, int backlog))                                                   \
    X(int, accept4, (int fd, struct sockaddr *address, socklen_t *len, int flags))          \
    X(int, connect, (int fd, const struct sockaddr *address, socklen_t len))                \
    X(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len))          \
    X(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len))     \
    X(int, ftruncate, (int fd, off_t size))                                                 \
    X(int, fallocate, (int fd, int mode, off_t at, off_t n))                                \
    X(int, fdatasync, (int fd))                                                             \
    X(int, fsync, (int fd))                                                                 \
    X(int, lock, (int fd, int command, struct flock *lock)) /* F_OFD_SETLK, F_OFD_GETLK */  \
    X(int, fcntl, (int fd, int command, long arg))                                          \
    X(int, ioctl, (int fd, unsigned long request, void *arg))                               \
    X(int, pipe2, (int fds[2], int flags))                                                  \
    X(int, dup, (int fd))                                                                   \
    X(int, dup2, (int fd, int to))                                                          \
    X(int, poll, (struct pollfd *fds, nfds_t n, int timeout_ms))                            \
    X(int, inotify_init1, (int flags))                                                      \
    X(int, inotify_add_watch, (int fd, const char *path, uint32_t mask))                    \
    X(int, epoll_create1, (int flags))                                                      \
    X(int, epoll_ctl, (int epoll_fd, int op, int fd, struct epoll_event *event))            \
    X(int, timerfd_create, (clockid_t clock, int flags))                                    \
    X(int, timerfd_settime, (int fd, int flags, const struct itimerspec *new_value,         \
                             struct itimerspec *old_value))                                 \
    X(pid_t, fork, (void))                                                                  \
    X(pid_t, vfork_run, (int (*run)(void *), void *ctx))                                    \
    X(pid_t, wait4, (pid_t pid, int *status, int options, struct rusage *usage))            \
    X(int, waitid, (pid_t pid, siginfo_t *info, int options, struct rusage *usage))         \
    X(int, kill, (pid_t pid, int signal))                                                   \
    X(int, signalfd, (int fd, const sigset_t *mask, int flags))                             \
    X(int, thread_create, (pthread_t *thread, const pthread_attr_t *attr,                   \
                           void *(*run)(void *), void *ctx))                                \
    X(int, sched_getaffinity, (pid_t pid, size_t n, cpu_set_t *set))                        \
    X(int, clock_gettime, (clockid_t clock, struct timespec *now))                          \
    X(ssize_t, getrandom, (void *data, size_t n, unsigned flags))                           \
    X(ssize_t, readlinkat, (int dir_fd, const char *path, char *data, size_t n))            \
    X(int, prctl, (int option, unsigned long value))                                        \
    X(int, seccomp, (unsigned operation, unsigned flags, void *args))                       \
    X(int, landlock_create_ruleset, (const void *attr, size_t size, uint32_t flags))        \
    X(int, landlock_add_rule, (int ruleset_fd, int type, const void *attr, uint32_t flags)) \
    X(int, landlock_restrict_self, (int ruleset_fd, uint32_t flags))

/*
 * vfork_run: run(ctx) in a child that has our memory and SYS_VFORK_STACK bytes of stack, while we
 * wait until it execs or exits; clone(2), CLONE_VM and CLONE_VFORK, as posix_spawn(3) does it.
 *
 * thread_create: pthread_create(3), but -1 and errno as the others.
 */

enum { SYS_VFORK_STACK = 64 << 10 };

#define SYS_MEMBER(type, name, params) type(*name) params;
struct sys_table {
    SYS_TABLE(SYS_MEMBER)
};
#undef SYS_MEMBER

/* The shared library's is constant: it has no state at all. */
#ifdef SYS_FIXED
extern const struct sys_table sys;
#else
extern struct sys_table sys;
#endif

#endif
