// SPDX-License-Identifier: MIT
/*
 * The terminal side: never blocks, never loses, never touches the flags of the descriptor it
 * was given. Each way of writing is driven against a full, a slow and a closed reader.
 */
#include "lib/tap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/sys.h"
#include "run/terminal.h"

enum { BIG = 300000 };

static char big[BIG + 1];

static void put(struct terminal *s, const char *text)
{
    struct clean_span span = clean_constant(text);
    struct clean_vec one = {.items = &span, .len = 1, .cap = 1, .bytes = span.len};

    terminal_put(s, &one);
}

/* Reads until the writer side has nothing left; returns whether it was `big` and "tail". */
static bool read_all(struct terminal *s, int read_fd)
{
    static char got[BIG + 16];
    size_t len = 0;

    for (;;) {
        ssize_t n = read(read_fd, got + len, sizeof(got) - len < 5000 ? sizeof(got) - len : 5000);

        if (n <= 0)
            break;
        len += (size_t)n;
        terminal_flush(s);
        if (len == BIG + 4)
            break;
    }
    return len == BIG + 4 && memcmp(got, big, BIG) == 0 && memcmp(got + BIG, "tail", 4) == 0;
}

static void fill_and_drain(struct terminal *s, int read_fd, enum terminal_way way, const char *name)
{
    is_int((int64_t)s->way, (int64_t)way, name);
    put(s, big);
    ok(terminal_blocked(s), "%s: what does not fit is kept, and nothing blocked", name);
    put(s, "tail");
    ok(read_all(s, read_fd), "%s: everything arrives in order", name);
    ok(!terminal_blocked(s), "%s: and nothing is left", name);
    is_int((int64_t)s->moved, BIG + 4, "moved counts every byte");
}

static void test_pipe(void)
{
    int fds[2];
    struct terminal s;

    if (pipe(fds) != 0)
        exit(1);
    terminal_init(&s, fds[1], false);
    ok((fcntl(fds[1], F_GETFL) & O_NONBLOCK) == 0, "the inherited description is left alone");
    fill_and_drain(&s, fds[0], TERMINAL_REOPENED, "a pipe is reopened");
    close(fds[0]);
    put(&s, "x");
    ok(s.way == TERMINAL_CLOSED && s.sys_errno == EPIPE, "a closed reader closes the terminal");
    put(&s, "y");
    terminal_message(&s, "z\n", 2);
    ok(!terminal_blocked(&s), "and what follows is dropped");
    terminal_release(&s);
    close(fds[1]);
}

static int no_openat(int dir_fd, const char *path, int flags, mode_t mode)
{
    (void)dir_fd, (void)path, (void)flags, (void)mode;
    errno = EACCES;
    return -1;
}

static void test_careful(void)
{
    int (*saved)(int, const char *, int, mode_t) = sys.openat;
    int fds[2];
    struct terminal s;

    if (pipe(fds) != 0)
        exit(1);
    sys.openat = no_openat;
    terminal_init(&s, fds[1], false);
    sys.openat = saved;
    fill_and_drain(&s, fds[0], TERMINAL_CAREFUL, "a pipe that cannot be reopened");
    terminal_release(&s);
    close(fds[0]);
    close(fds[1]);
}

static void test_socket(void)
{
    int fds[2];
    struct terminal s;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        exit(1);
    terminal_init(&s, fds[1], false);
    fill_and_drain(&s, fds[0], TERMINAL_SOCKET, "a socket");
    ok((fcntl(fds[1], F_GETFL) & O_NONBLOCK) == 0, "stays blocking for others");
    close(fds[0]);
    put(&s, "x");
    ok(s.way == TERMINAL_CLOSED && s.sys_errno == EPIPE, "no SIGPIPE from a socket");
    terminal_release(&s);
    close(fds[1]);
}

static int writes;

static ssize_t count_write(int fd, const void *data, size_t n)
{
    writes++;
    return write(fd, data, n);
}

/* The slave of a pseudo-terminal that passes all as it is. */
static int open_raw(int master_fd)
{
    struct termios t;
    int fd = -1;

    if (grantpt(master_fd) == 0 && unlockpt(master_fd) == 0)
        fd = open(ptsname(master_fd), O_RDWR | O_NOCTTY);
    if (fd < 0 || tcgetattr(fd, &t) != 0)
        exit(1);
    cfmakeraw(&t);
    if (tcsetattr(fd, TCSANOW, &t) != 0)
        exit(1);
    return fd;
}

static void test_tty(void)
{
    ssize_t (*saved)(int, const void *, size_t) = sys.write;
    int master_fd = posix_openpt(O_RDWR | O_NOCTTY);
    int slave_fd = open_raw(master_fd);
    struct terminal s;

    terminal_init(&s, slave_fd, false);
    fill_and_drain(&s, master_fd, TERMINAL_REOPENED, "a terminal is reopened");
    sys.write = count_write;
    put(&s, big);
    sys.write = saved;
    ok(terminal_blocked(&s), "it is full again");
    is_int(writes, 1, "and was asked once");
    terminal_release(&s);
    close(slave_fd);
    close(master_fd);
}

static void test_file(void)
{
    char path[] = "/tmp/buildlog-terminal-XXXXXX";
    int fd = mkstemp(path);
    struct terminal s;
    char got[16] = "";

    unlink(path);
    terminal_init(&s, fd, false);
    is_int(s.way, TERMINAL_DIRECT, "a regular file is written directly");
    put(&s, "abc");
    terminal_message(&s, "m\n", 2);
    put(&s, "d\n");
    terminal_message(&s, "n\n", 2);
    ok(pread(fd, got, sizeof(got), 0) == 10, "all is there");
    is_str(got, "abc\nm\nd\nn\n", "a message begins on a line of its own");
    terminal_release(&s);
    close(fd);
}

static void test_full_device(void)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct terminal s;

    if (fd < 0) {
        ok(true, "no /dev/full here # SKIP");
        return;
    }
    terminal_init(&s, fd, false);
    put(&s, "x");
    ok(s.way == TERMINAL_CLOSED && s.sys_errno == ENOSPC, "a full device closes the terminal");
    terminal_release(&s);
    close(fd);
}

enum { ROUNDS = 400, PIECE = 4096 };

/* An owner that goes on before everything is out. */
static void test_never_empty(void)
{
    char got[PIECE];
    int fds[2];
    size_t at = 0;
    bool same = true;
    struct terminal s;

    if (pipe(fds) != 0)
        exit(1);
    terminal_init(&s, fds[1], false);
    put(&s, big);
    for (int i = 0; i < ROUNDS; i++) {
        struct clean_span span = {.ptr = big + (size_t)i % PIECE, .len = PIECE};
        struct clean_vec one = {.items = &span, .len = 1, .cap = 1, .bytes = PIECE};
        ssize_t n = read(fds[0], got, sizeof(got));

        same = same && n == PIECE && (at >= BIG || memcmp(got, big + at, PIECE) == 0);
        at += PIECE;
        if (at + PIECE > BIG)
            at = BIG; /* what follows is of many pieces */
        terminal_flush(&s);
        terminal_put(&s, &one);
    }
    ok(same, "the order is kept");
    is_int((int64_t)(s.moved + terminal_kept(&s)), BIG + (int64_t)ROUNDS * PIECE, "nothing is lost");
    ok(s.queue.cap < 2 * (BIG + PIECE), "and what is out takes no memory");
    terminal_release(&s);
    close(fds[0]);
    close(fds[1]);
}

static int calls;

static ssize_t faulty_write(int fd, const void *data, size_t n)
{
    if (++calls % 3 == 1) {
        errno = EINTR;
        return -1;
    }
    return write(fd, data, n < 7 ? n : 7);
}

static int no_fstat(int fd, struct stat *st)
{
    (void)fd, (void)st;
    errno = EIO;
    return -1;
}

static void test_faults(void)
{
    ssize_t (*saved)(int, const void *, size_t) = sys.write;
    int (*saved_fstat)(int, struct stat *) = sys.fstat;
    int fds[2];
    struct terminal s;
    char got[64];

    if (pipe(fds) != 0)
        exit(1);
    sys.fstat = no_fstat;
    terminal_init(&s, fds[1], false);
    sys.fstat = saved_fstat;
    is_int(s.way, TERMINAL_CAREFUL, "of an unknown kind: carefully");
    terminal_release(&s);
    terminal_init(&s, fds[1], false);
    sys.write = faulty_write;
    put(&s, "interrupted and short, again and again");
    sys.write = saved;
    ok(read(fds[0], got, sizeof(got)) == 38 && memcmp(got, "interrupted and short", 21) == 0,
       "EINTR and short writes lose nothing");
    terminal_release(&s);
    terminal_init(&s, fds[1], true);
    put(&s, "x");
    ok(s.way == TERMINAL_CLOSED && s.sys_errno == 0, "closed from the start is no error");
    terminal_release(&s);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    memset(big, 'b', BIG);
    for (size_t i = 0; i < BIG; i += 61)
        big[i] = (char)('a' + i % 26);
    signal(SIGPIPE, SIG_IGN);
    test_pipe();
    test_careful();
    test_socket();
    test_tty();
    test_file();
    test_full_device();
    test_never_empty();
    test_faults();
    return done();
}
