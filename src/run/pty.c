// SPDX-License-Identifier: MIT
#include "run/pty.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

enum { DEFAULT_ROWS = 24, DEFAULT_COLUMNS = 80, MOST_CELLS = 65535 }; /* struct winsize */

void ptys_init(struct ptys *p)
{
    *p = (struct ptys){.items = {{-1, -1}, {-1, -1}}};
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        sys.close(*fd);
    *fd = -1;
}

void ptys_release(struct ptys *p)
{
    for (int i = 0; i < N_PTYS; i++) {
        close_one(&p->items[i].master_fd);
        close_one(&p->items[i].slave_fd);
    }
    p->session = false;
}

bool ptys_any(const struct ptys *p)
{
    return p->items[PTY_OUT].master_fd >= 0 || p->items[PTY_ERR].master_fd >= 0;
}

bool tty_get(int fd, struct termios *t)
{
    /* glibc's structure is not the kernel's, so not through sys.ioctl. */
    return fd >= 0 && tcgetattr(fd, t) == 0;
}

bool tty_set(int fd, const struct termios *t)
{
    return fd >= 0 && tcsetattr(fd, TCSANOW, t) == 0;
}

bool pty_resize(int fd)
{
    static const int outside[] = {STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO};
    struct winsize size;

    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
        if (sys.ioctl(outside[i], TIOCGWINSZ, &size) == 0)
            return sys.ioctl(fd, TIOCSWINSZ, &size) == 0;
    return false;
}

/* COLUMNS or LINES of the environment, as far as it is a size. */
static unsigned short cells(const char *variable, unsigned short otherwise)
{
    const char *text = getenv(variable);
    char *end;
    long n = text != NULL && *text != '\0' ? strtol(text, &end, 10) : 0;

    return n > 0 && n <= MOST_CELLS && *end == '\0' ? (unsigned short)n : otherwise;
}

struct pty_looks {
    int outside_fd;  /* has the settings to copy */
    bool ends_lines; /* makes CR LF of LF */
    bool behind;     /* somebody else is in the foreground outside */
};

static void choose_size(int slave_fd, struct winsize *size)
{
    *size = (struct winsize){.ws_row = cells("LINES", DEFAULT_ROWS),
                             .ws_col = cells("COLUMNS", DEFAULT_COLUMNS)};
    if (!pty_resize(slave_fd))
        (void)sys.ioctl(slave_fd, TIOCSWINSZ, size);
    (void)sys.ioctl(slave_fd, TIOCGWINSZ, size);
}

/* What a shell that edits its line has switched off in the meantime. */
static void undo_line_editing(struct termios *t)
{
    t->c_iflag |= ICRNL;
    t->c_lflag |= ICANON | ECHO | ISIG | IEXTEN;
}

/* Settings of the terminal outside, or of any there is, else the kernel's for a new one. */
static void choose_settings(int slave_fd, const struct pty_looks *looks)
{
    struct termios t;

    if (!tty_get(looks->outside_fd, &t) && !tty_get(STDIN_FILENO, &t) && !tty_get(slave_fd, &t))
        return;
    if (!looks->ends_lines)
        t.c_oflag &= ~(tcflag_t)OPOST;
    if (looks->behind)
        undo_line_editing(&t);
    (void)tty_set(slave_fd, &t);
}

static enum err_code open_one(struct ptys *ptys, int i, const struct pty_looks *looks,
                              struct err *e)
{
    struct pty *p = &ptys->items[i];
    struct termios t;
    int unlocked = 0;

    p->master_fd =
        sys.openat(AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
    if (p->master_fd < 0)
        return err_system(e, "cannot open", "/dev/ptmx");
    if (sys.ioctl(p->master_fd, TIOCSPTLCK, &unlocked) != 0)
        return err_system(e, "cannot unlock the terminal of", "/dev/ptmx");
    /* ioctl_tty(2), Linux 4.13: needs no path, so no /dev/pts in this mount namespace either. */
    p->slave_fd = sys.ioctl(p->master_fd, TIOCGPTPEER,
                            (void *)(uintptr_t)(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (p->slave_fd < 0)
        return err_system(e, "cannot open the terminal of", "/dev/ptmx");
    choose_settings(p->slave_fd, looks);
    choose_size(p->slave_fd, &ptys->size);
    ptys->given[i] = tty_get(p->slave_fd, &t) ? t.c_lflag : 0;
    return ERR_NONE;
}

static bool named(const char *path, const char *const *names)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;

    while (*names != NULL && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

/* "-c" or "-xc": what follows is a script. */
static bool is_short_option(const char *word, char letter)
{
    return word[0] == '-' && word[1] != '-' && strchr(word, letter) != NULL;
}

bool pty_shared_by(char *const *argv)
{
    static const char *const shells[] = {"bash", "rbash", "sh", "tcsh", "csh", NULL};
    static const char *const with_value[] = {"--rcfile", "--init-file", "-o",
                                             "+o",       "-O",          "+O", NULL};
    static const char *const pagers[] = {"more", NULL};
    bool interactive = true;

    if (named(argv[0], pagers))
        return true;
    if (!named(argv[0], shells))
        return false;
    for (size_t i = 1; argv[i] != NULL && interactive; i++) {
        if (is_short_option(argv[i], 'i'))
            return true;
        if (named(argv[i], with_value) && argv[i + 1] != NULL)
            i++;
        else
            interactive = (argv[i][0] == '-' || argv[i][0] == '+') &&
                          !is_short_option(argv[i], 'c') && argv[i][1] != '\0';
    }
    return interactive;
}

static bool is_terminal(int fd)
{
    struct termios t;

    return tty_get(fd, &t);
}

/* Only of the controlling terminal does TIOCGPGRP tell (ioctl_tty(2)). */
static bool controls_us(int fd)
{
    pid_t group;

    return sys.ioctl(fd, TIOCGPGRP, &group) == 0;
}

static bool in_front(int fd)
{
    pid_t group;

    return sys.ioctl(fd, TIOCGPGRP, &group) == 0 && group == getpgrp();
}

/* Then stderr is a terminal of its own for no other reason than that a build around us made it. */
static bool nested(void)
{
    return getenv("BUILDLOG_ID") != NULL;
}

enum err_code ptys_open(struct ptys *p, enum tty_mode mode, char *const *argv, bool merge,
                        const bool *closed, struct err *e)
{
    enum err_code rc = ERR_NONE;

    ptys_init(p);
    p->session = mode != TTY_NEVER && !closed[STDOUT_FILENO] && controls_us(STDOUT_FILENO);
    p->held = p->session && (closed[STDIN_FILENO] || !controls_us(STDIN_FILENO));
    p->behind = p->session && !in_front(STDOUT_FILENO);
    p->shared = merge || (p->session && !closed[STDERR_FILENO] && pty_shared_by(argv) &&
                          (controls_us(STDERR_FILENO) || (nested() && is_terminal(STDERR_FILENO))));
    for (int i = 0; rc == ERR_NONE && i < (p->shared ? 1 : N_PTYS); i++) {
        int fd = i == PTY_OUT ? STDOUT_FILENO : STDERR_FILENO;
        bool outside = mode != TTY_NEVER && !closed[fd] && is_terminal(fd);
        const struct pty_looks looks = {.outside_fd = fd,
                                        .ends_lines = p->session && controls_us(fd),
                                        .behind = p->behind};

        /* What is no part of that terminal is not raw meanwhile, and makes its own line ends. */
        if (outside || (mode == TTY_ALWAYS && !closed[fd]))
            rc = open_one(p, i, &looks, e);
    }
    if (rc != ERR_NONE)
        ptys_release(p);
    return rc;
}

static bool names_outside(const char *path)
{
    struct stat named;
    struct stat outside;

    return sys.fstatat(AT_FDCWD, path, &named, 0) == 0 && sys.fstat(STDOUT_FILENO, &outside) == 0 &&
           S_ISCHR(named.st_mode) && named.st_rdev == outside.st_rdev;
}

void ptys_rename(const struct ptys *p)
{
    const char *named = getenv("GPG_TTY");
    char path[32];
    unsigned number;

    if (!p->session || named == NULL || !names_outside(named) ||
        sys.ioctl(p->items[PTY_OUT].master_fd, TIOCGPTN, &number) != 0)
        return;
    snprintf(path, sizeof(path), "/dev/pts/%u", number);
    (void)setenv("GPG_TTY", path, 1);
}
