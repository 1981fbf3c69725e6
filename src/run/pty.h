// SPDX-License-Identifier: MIT
/*
 * Pseudo-terminals for the command (pty(7)), one for each of stdout and stderr that is to have
 * one, and what they take over from the terminal outside: its settings and its size.
 *
 * A program that looks at the terminal's settings and changes them sees a terminal's answer, but
 * changes the pty.
 *
 * Invariants: masters are close-on-exec and do not block, slaves are close-on-exec; nothing here
 * changes the terminal outside.
 *
 * Two kinds. In a session (stdout is the controlling terminal) the pty of stdout becomes the
 * command's controlling terminal; it has the settings of the one outside, which itself is raw
 * meanwhile (relay.h). If stdin is something else, the session is held back: see
 * session_terminal.c. Otherwise the pty does not touch output (OPOST is off): the program's bytes
 * come through as they are, and CR is added once, by the terminal they go to, or, with --tty
 * always and a file or a pipe, not at all, as that reader expects.
 *
 * Opened by cmd/run.c, because the start record says whether there is one; used by session.c.
 */
#ifndef RUN_PTY_H
#define RUN_PTY_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/attr.h"
#include "base/err.h"

enum tty_mode { TTY_AUTO, TTY_ALWAYS, TTY_NEVER };

enum { PTY_OUT, PTY_ERR, N_PTYS };

struct pty {
    int master_fd; /* -1: a pipe is to do */
    int slave_fd;
};

struct ptys {
    struct pty items[N_PTYS];
    bool shared;  /* stderr is to share what stdout has */
    bool behind;  /* in a session: made while we were in the background */
    bool session; /* the one of stdout becomes the controlling terminal of a session of its own */
    bool held;    /* in a session: stdin is not that terminal and stays what it is */
    tcflag_t given[N_PTYS]; /* c_lflag as they were made */
    struct winsize size;    /* likewise */
};

/* None open; ptys_release is fine at any time. */
void ptys_init(struct ptys *p);
void ptys_release(struct ptys *p);
bool ptys_any(const struct ptys *p);

/*
 * Opens what mode asks for the command argv. merge: stderr shares what stdout has. closed[n]:
 * descriptor n was closed when buildlog started. On an error none is open, and pipes do.
 */
enum err_code ptys_open(struct ptys *p, enum tty_mode mode, char *const *argv, bool merge,
                        const bool *closed, struct err *e) MUST_USE;

/*
 * In a session: GPG_TTY (gpg-agent(1)) of the environment, where it names the terminal outside, is
 * to name the command's. By its name gpg-agent asks for a passphrase there; it would share the keys
 * with us at the one outside, and what we get of them would be echoed, and be in the log.
 */
void ptys_rename(const struct ptys *p);

/*
 * Does this program take it for granted that stdin and stderr are the same terminal, so that it
 * needs one for both streams? bash and tcsh, interactive, have no job control where stderr is not
 * their controlling terminal; more waits for keys at the one and reads them at the other. (Others
 * open /dev/tty, or take stdin's.)
 */
bool pty_shared_by(char *const *argv);

/* tcgetattr(3), tcsetattr(3) with TCSANOW: later ones would wait for a terminal that stands. */
bool tty_get(int fd, struct termios *t);
bool tty_set(int fd, const struct termios *t);

/* Gives a pty (either end) the size of the terminal outside: stdout's, stderr's or stdin's. False
   if there is none. The pty's foreground group gets WINCH if the size is another one. */
bool pty_resize(int fd);

#endif
