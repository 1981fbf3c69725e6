// SPDX-License-Identifier: MIT
/* base/sandbox: what it takes away is gone, what readers need is left, and a kernel that has less
   of it takes away less, in silence. Each case in a process of its own: there is no way back. */
#include "lib/tap.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/sys.h"

static struct sys_table real;
static char dir[64];
static int dir_fd;
static char outside[80]; /* a file beside dir */

enum { ALL = SANDBOX_NO_NEW_PRIVS | SANDBOX_LANDLOCK | SANDBOX_SECCOMP };

/* ---- one process a case ------------------------------------------------------------- */

/* The status of body in a child: a bit for each thing that went wrong, 100 if it died. */
static int in_child(int (*body)(void))
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(body());
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static unsigned enter(bool write, bool read_all)
{
    struct sandbox_place place = {.fd = dir_fd, .write = write};
    struct sandbox box = {.places = &place, .n_places = read_all ? 0 : 1, .read_all = read_all};

    return sandbox_enter(&box);
}

static bool opens(int at_fd, const char *path, int flags)
{
    int fd = openat(at_fd, path, flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The same by way of the call whose flags no filter sees. */
static bool opens2(const char *path, int flags)
{
    int fd = sys.openat2(dir_fd, path, flags | O_CLOEXEC, (flags & O_CREAT) != 0 ? 0600 : 0, 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool connects(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};

    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ||
           connect(0, (struct sockaddr *)&address, sizeof(address)) == 0 || errno != EPERM;
}

static bool executes(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};

    execve("/bin/true", argv, argv + 1);
    return errno != EPERM && errno != EACCES;
}

/* The search for leaks of sanitizers is done by another process. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

#ifdef UNDER_SANITIZER
static bool forks(void)
{
    return false;
}
#else
static bool forks(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return pid >= 0;
}
#endif

static void *nothing(void *arg)
{
    return arg;
}

static bool has_threads(void)
{
    pthread_t thread;
    void *got = NULL;

    return pthread_create(&thread, NULL, nothing, dir) == 0 && pthread_join(thread, &got) == 0 &&
           got == dir;
}

/* What every reader still can. */
static int lacks(void)
{
    struct stat st;

    return (!opens(dir_fd, "log", O_RDONLY) ? 1 : 0) | (fstat(dir_fd, &st) != 0 ? 2 : 0) |
           (write(STDOUT_FILENO, "", 0) != 0 ? 4 : 0) | (!has_threads() ? 8 : 0);
}

/* What none can, seccomp alone given. */
static int has_too_much(void)
{
    return (connects() ? 1 : 0) | (executes() ? 2 : 0) | (kill(getpid(), 0) == 0 ? 4 : 0) |
           (symlinkat("x", dir_fd, "link") == 0 ? 8 : 0) |
           (forks() ? 16 : 0) | (fchmod(dir_fd, 0777) == 0 ? 32 : 0);
}

static int writes_somewhere(void)
{
    return (opens(dir_fd, "log", O_WRONLY) ? 1 : 0) |
           (opens(dir_fd, "new", O_RDWR | O_CREAT) ? 2 : 0) |
           (opens(AT_FDCWD, outside, O_WRONLY | O_TRUNC) ? 4 : 0) |
           (opens2("log", O_WRONLY) || opens2("new2", O_WRONLY | O_CREAT) ? 8 : 0) |
           (unlinkat(dir_fd, "log", 0) == 0 ? 16 : 0) | (mkdirat(dir_fd, "d", 0700) == 0 ? 32 : 0) |
           (renameat(dir_fd, "log", dir_fd, "gol") == 0 ? 64 : 0);
}

/* ---- cases -------------------------------------------------------------------------- */

static unsigned parts;

static int what_is_there(void)
{
    return (int)enter(false, false);
}

static int reader_lacks(void)
{
    (void)enter(false, false);
    return lacks();
}

static int reader_has(void)
{
    (void)enter(false, false);
    return has_too_much();
}

static int reader_writes(void)
{
    (void)enter(false, false);
    return writes_somewhere();
}

static int reader_looks_elsewhere(void)
{
    (void)enter(false, false);
    return opens(AT_FDCWD, outside, O_RDONLY) ? 1 : 0;
}

static int filter_lacks(void)
{
    (void)enter(false, true);
    return lacks() | (!opens(AT_FDCWD, outside, O_RDONLY) ? 16 : 0);
}

static int filter_writes(void)
{
    (void)enter(false, true);
    return writes_somewhere();
}

static int indexer(void)
{
    (void)enter(true, false);
    return lacks() | (!opens(dir_fd, "new", O_RDWR | O_CREAT) ? 16 : 0) |
           (renameat(dir_fd, "new", dir_fd, "index") != 0 ? 32 : 0) |
           ((parts & SANDBOX_LANDLOCK) != 0 && opens(AT_FDCWD, outside, O_WRONLY) ? 64 : 0);
}

/* ---- kernels that have less --------------------------------------------------------- */

static int no_seccomp(unsigned operation, unsigned flags, void *args)
{
    (void)operation;
    (void)flags;
    (void)args;
    return errno = ENOSYS, -1;
}

static int no_ruleset(const void *attr, size_t size, uint32_t flags)
{
    (void)attr;
    (void)size;
    (void)flags;
    return errno = EOPNOTSUPP, -1;
}

static int old_ruleset(const void *attr, size_t size, uint32_t flags)
{
    return attr == NULL ? 1 : real.landlock_create_ruleset(attr, size, flags);
}

static int no_rule(int ruleset_fd, int type, const void *attr, uint32_t flags)
{
    (void)ruleset_fd;
    (void)type;
    (void)attr;
    (void)flags;
    return errno = ENOMEM, -1;
}

static int no_prctl(int option, unsigned long value)
{
    (void)option;
    (void)value;
    return errno = EINVAL, -1;
}

static int without_seccomp(void)
{
    sys.seccomp = no_seccomp;
    return enter(false, false) == (parts & ~(unsigned)SANDBOX_SECCOMP) ? lacks() : 128;
}

static int without_landlock(void)
{
    sys.landlock_create_ruleset = no_ruleset;
    return enter(false, false) == (parts & ~(unsigned)SANDBOX_LANDLOCK) ? lacks() : 128;
}

/* The filter alone keeps writers out, whatever they call. */
static int without_landlock_writes(void)
{
    sys.landlock_create_ruleset = no_ruleset;
    (void)enter(false, false);
    return writes_somewhere();
}

static int with_old_landlock(void)
{
    sys.landlock_create_ruleset = old_ruleset;
    return enter(false, false) == parts ? lacks() : 128;
}

/* A rule that cannot be made: better none than one that locks the reader out. */
static int without_rules(void)
{
    sys.landlock_add_rule = no_rule;
    return enter(false, false) == (parts & ~(unsigned)SANDBOX_LANDLOCK) ? lacks() : 128;
}

static int without_anything(void)
{
    sys.prctl = no_prctl;
    return enter(false, false) == 0 ? lacks() | (!opens(AT_FDCWD, outside, O_RDWR) ? 16 : 0) : 128;
}

static void make_files(void)
{
    const char *top = getenv("TMPDIR");

    snprintf(dir, sizeof(dir), "%.30s/buildlog-sandbox-XXXXXX", top != NULL ? top : "/tmp");
    if (mkdtemp(dir) == NULL)
        exit(99);
    snprintf(outside, sizeof(outside), "%s.out", dir);
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0 || !opens(dir_fd, "log", O_RDWR | O_CREAT) ||
        !opens(AT_FDCWD, outside, O_RDWR | O_CREAT))
        exit(99);
}

static void remove_files(void)
{
    static const char *const names[] = {"log", "new", "new2", "index", "link", "gol"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)!unlinkat(dir_fd, names[i], 0);
    (void)!rmdir(dir);
    (void)!unlink(outside);
}

static void judge(int (*body)(void), unsigned needs, const char *name)
{
    if ((parts & needs) != needs)
        ok(true, "%s # SKIP the kernel has no such", name);
    else
        is_int(in_child(body), 0, name);
}

int main(void)
{
    real = sys;
    make_files();
    parts = (unsigned)in_child(what_is_there);
    ok(parts <= ALL && (parts == 0 || (parts & SANDBOX_NO_NEW_PRIVS) != 0), "it is entered");
    judge(reader_lacks, 0, "a reader has what it needs");
    judge(reader_has, SANDBOX_SECCOMP, "no sockets, programs, signals, processes, links, modes");
    judge(reader_writes, SANDBOX_SECCOMP, "and writes nowhere");
    judge(reader_looks_elsewhere, SANDBOX_LANDLOCK, "nor does it read elsewhere");
    judge(filter_lacks, 0, "a filter reads everywhere");
    judge(filter_writes, SANDBOX_SECCOMP, "and writes nowhere");
    judge(indexer, 0, "who may write writes there, and nowhere else");
    judge(without_seccomp, 0, "a kernel without seccomp is no trouble");
    judge(without_landlock, 0, "nor is one without Landlock");
    judge(without_landlock_writes, SANDBOX_SECCOMP, "where nothing is written all the same");
    judge(with_old_landlock, 0, "nor an old one");
    judge(without_rules, 0, "nor one that runs out of memory");
    judge(without_anything, 0, "nor one that has nothing");
    remove_files();
    return done();
}
