// SPDX-License-Identifier: MIT
/*
 * What is typed at the terminal outside, on its way to the command's terminal; and the settings of
 * the terminal outside while that goes on.
 *
 * While buildlog is in the foreground of its terminal and the command runs, the terminal outside
 * is raw: every byte is passed on as it is typed, and the command's terminal does what a terminal
 * does (echo, line editing, signals), by the settings that the command itself makes there. Output
 * is finished by that terminal, too, so OPOST is off outside.
 *
 *   BEHIND   in the background: the terminal outside is as the shell has it and is not touched; as
 *            it makes the line ends then, OPOST of the command's terminals is off meanwhile
 *   RAW      in the foreground, the command runs
 *   OUTPUT   in the foreground, the command has exited: what is typed is for whoever reads next;
 *            OPOST stays off until the last output is out
 *
 * Invariants: the terminal outside is changed by nobody but relay_*; in BEHIND it is as it was
 * found; at most RELAY_MAX bytes are held, and nothing more is read until they are gone. What is
 * typed is never logged; its echo is the command's output.
 *
 * Used by session_terminal.c.
 */
#ifndef RUN_RELAY_H
#define RUN_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "run/monitor.h"
#include "run/pty.h"

enum { RELAY_MAX = 4096 }; /* as much as a terminal itself holds (N_TTY_BUF_SIZE) */

enum relay_state { RELAY_BEHIND, RELAY_RAW, RELAY_OUTPUT };

struct relay {
    int outside_fd; /* not owned: the controlling terminal, a non-blocking description of our own */
    const struct monitor *monitor; /* not owned: what guards the settings should we be killed */
    enum relay_state state;
    bool unsettled; /* made behind: the command's terminals have yet to get what they should have */
    bool hung_up; /* nothing more will be typed */
    bool quoted;  /* the next byte is taken literally (VLNEXT) */
    bool opost[N_PTYS];    /* was taken from these masters in BEHIND */
    struct termios before; /* of the terminal outside; in RAW and OUTPUT */
    char input[RELAY_MAX];
    size_t len;
    size_t at;
    int to; /* PTY_OUT or PTY_ERR: whose master gets what is in input */
};

/* State BEHIND. unsettled: the command's terminals were made behind (struct ptys). */
void relay_init(struct relay *r, int outside_fd, const struct monitor *m, bool unsettled);

/* BEHIND → RAW, or OUTPUT where the command is gone. masters, here and below: of the command's
   terminals, -1 where there is none. */
void relay_enter(struct relay *r, const int *masters, bool command_gone);

/* → BEHIND: the terminal outside gets its settings back. */
void relay_leave(struct relay *r, const int *masters);

/* → BEHIND, but somebody else has the terminal outside, and its settings are theirs now. */
void relay_lose(struct relay *r, const int *masters);

/* RAW → OUTPUT. What was typed and not read, `unread` first, goes back to the terminal outside,
   where the system allows that (TIOCSTI). */
void relay_end_input(struct relay *r, const char *unread, size_t len);

bool relay_wants_input(const struct relay *r);
bool relay_wants_output(const struct relay *r);

/* What the bytes just read mean to the command's terminal. */
struct relay_keys {
    bool interrupt; /* the interrupt character, whether or not it makes a signal there */
    int signal;     /* SIGINT or SIGQUIT: the last one that the terminal makes of them, or 0 */
};

/* Reads once and passes on what goes; for RELAY_RAW in the foreground. */
struct relay_keys relay_read(struct relay *r, const int *masters);

/* Passes on what is left. */
void relay_flush(struct relay *r, const int *masters);

#endif
