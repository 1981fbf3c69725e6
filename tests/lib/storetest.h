// SPDX-License-Identifier: MIT
/* What the store's tests share: a directory of their own, a log in it, lines that say which
   one they are, and system calls that fail. */
#ifndef TESTS_STORETEST_H
#define TESTS_STORETEST_H

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sys.h"
#include "lib/logcheck.h"
#include "lib/tap.h"
#include "redact/redact.h"
#include "store/build_log.h"

#define TEST_ID "01JZ5X3T3GABCDEFGHJKMNPQRS" /* of 2025-07-02 */

static char test_base[3072];
static char test_root[3200];
static char test_path[PATH_MAX];

/* The redactor's own definition wins where it is linked. */
struct clean_span __attribute__((weak)) clean_constant(const char *text)
{
    return (struct clean_span){.ptr = text, .len = strlen(text)};
}

__attribute__((unused)) static struct clean_span clean(const char *text)
{
    return (struct clean_span){.ptr = text, .len = strlen(text)};
}

__attribute__((unused)) static int remove_one(const char *path, const struct stat *st, int type,
                                              struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

__attribute__((unused)) static void wipe(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}



__attribute__((unused)) static void leave(void)
{
    wipe(test_base);
}

/* A fresh directory; the store is to be below it and does not exist yet. */
__attribute__((unused)) static void enter_test(void)
{
    const char *tmp = getenv("TMPDIR");

    if (tmp == NULL) /* thousands of files come and go */
        tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(test_base, sizeof(test_base), "%.2900s/blstore.XXXXXX", tmp);
    if (mkdtemp(test_base) == NULL)
        abort();
    atexit(leave);
    snprintf(test_root, sizeof(test_root), "%s/store", test_base);
    snprintf(test_path, sizeof(test_path), "%s/builds/2025-07-02/%s.log", test_root, TEST_ID);
}

__attribute__((unused)) static struct build_log_options test_options(void)
{
    static struct clean_span argv[1];

    argv[0] = clean("true");
    return (struct build_log_options){
        .root = test_root,
        .id = TEST_ID,
        .payload = true,
        .start = {.version = "0", .cmd = argv, .cmd_len = 1, .cwd = clean("/"),
                  .host = clean("host"), .pid = getpid(), .order = "arrival", .redact = true,
                  .forward = "redacted"},
    };
}

static int64_t test_clock_back; /* how far the clock was set back, in ms */

/* Line n: "n" and filling up to len bytes. */
__attribute__((unused)) static void put_line(struct build_log *l, uint64_t n, size_t len)
{
    static char text[4096];
    const struct line_fields f = {0};
    int digits = snprintf(text, sizeof(text), "%llu ", (unsigned long long)n);
    size_t have = (size_t)digits;

    if (len > have)
        memset(text + have, 'x', len - have);
    else
        len = have;
    build_log_line(l, n % 3 == 0 ? SRC_STDERR : SRC_STDOUT, (int64_t)(1700000000000 + n) - test_clock_back,
                   (struct clean_span){.ptr = text, .len = len}, len + 1, &f);
}

__attribute__((unused)) static enum err_code seal(struct build_log *l, struct err *e)
{
    struct record_end end = {.ended_ms = 1700000009000, .status = BUILD_OK, .complete = true};

    return build_log_seal(l, &end, e);
}

/* ---- failing calls -------------------------------------------------------------------- */

/* X(type, name, parameters, arguments, result) of the calls the store makes. */
#define FAULTY(X)                                                                           \
    X(int, openat, (int d, const char *p, int f, mode_t m), (d, p, f, m))                   \
    X(int, openat2, (int d, const char *p, int f, mode_t m, uint64_t r), (d, p, f, m, r))   \
    X(int, mkdirat, (int d, const char *p, mode_t m), (d, p, m))                            \
    X(int, fstat, (int fd, struct stat *st), (fd, st))                                      \
    X(int, fstatat, (int d, const char *p, struct stat *st, int f), (d, p, st, f))          \
    X(int, close, (int fd), (fd))                                                           \
    X(ssize_t, pread, (int fd, void *b, size_t n, off_t at), (fd, b, n, at))                \
    X(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))                        \
    X(int, ftruncate, (int fd, off_t n), (fd, n))                                           \
    X(int, fallocate, (int fd, int m, off_t at, off_t n), (fd, m, at, n))                   \
    X(int, fdatasync, (int fd), (fd))                                                       \
    X(int, lock, (int fd, int c, struct flock *k), (fd, c, k))

#define FAULT_ENUM(type, name, params, args) FAULT_##name,
enum fault_call { FAULTY(FAULT_ENUM) N_FAULTS };

#define FAULT_NAME(type, name, params, args) #name,
__attribute__((unused)) static const char *const fault_names[N_FAULTS] = {FAULTY(FAULT_NAME)};

enum { FAULT_SHORT = -1 }; /* instead of an errno: half of the bytes */

struct fault {
    enum fault_call call;
    int n; /* which call, from 1; 0: none */
    bool persistent;
    int error;
};

static struct fault fault;
static int fault_counts[N_FAULTS];
static struct sys_table real_sys;

static bool fault_due(enum fault_call call)
{
    int n = ++fault_counts[call];

    return fault.n > 0 && fault.call == call &&
           (n == fault.n || (fault.persistent && n > fault.n));
}

static ssize_t short_write(int fd, const void *b, size_t n)
{
    return real_sys.write(fd, b, n > 1 ? n / 2 : n);
}

#define FAULT_DEFINE(type, name, params, args)                                              \
    static type faulty_##name params                                                        \
    {                                                                                       \
        if (fault_due(FAULT_##name)) {                                                      \
            if (FAULT_##name == FAULT_close)                                                \
                (void)real_sys.name args; /* Linux closes it, whatever it says */           \
            if (FAULT_##name == FAULT_write && fault.error == FAULT_SHORT)                  \
                return (type)FAULT_WRITE_##name args;                                       \
            errno = fault.error;                                                            \
            return -1;                                                                      \
        }                                                                                   \
        return real_sys.name args;                                                          \
    }
/* Only write has a short form; the others must still compile. */
#define FAULT_WRITE_openat real_sys.openat
#define FAULT_WRITE_openat2 real_sys.openat2
#define FAULT_WRITE_mkdirat real_sys.mkdirat
#define FAULT_WRITE_fstat real_sys.fstat
#define FAULT_WRITE_fstatat real_sys.fstatat
#define FAULT_WRITE_close real_sys.close
#define FAULT_WRITE_pread real_sys.pread
#define FAULT_WRITE_write short_write
#define FAULT_WRITE_ftruncate real_sys.ftruncate
#define FAULT_WRITE_fallocate real_sys.fallocate
#define FAULT_WRITE_fdatasync real_sys.fdatasync
#define FAULT_WRITE_lock real_sys.lock
FAULTY(FAULT_DEFINE)

static int quick_sync(int fd)
{
    return fd >= 0 ? 0 : -1;
}

#define FAULT_INSTALL(type, name, params, args) sys.name = faulty_##name;

__attribute__((unused)) static void install_faults(void)
{
    sys.fdatasync = quick_sync; /* a real one takes its time and proves nothing here */
    real_sys = sys;
    FAULTY(FAULT_INSTALL)
}

__attribute__((unused)) static void set_fault(struct fault f)
{
    fault = f;
    memset(fault_counts, 0, sizeof(fault_counts));
}

#endif
