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
 *   BEHIND   in the background, or nobody has asked for keys yet: the terminal outside is as it
 *            was found and is not touched; it makes the line ends then (struct terminal, drop_cr)
 *   RAW      in the foreground, the command runs
 *   OUTPUT   in the foreground, the command has exited: what is typed is for whoever reads next;
 *            OPOST stays off until the last output is out
 *
 * Several buildlogs may run in the same foreground, as in `buildlog run -- a & buildlog run -- b`
 * of a script. Only one at a time is not BEHIND: a lock on the terminal outside sees to that, or
 * the last one would restore what it found, which is raw.
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
    int lock_fd; /* not owned: a description of our own of the same terminal */
    struct monitor *monitor; /* not owned: what guards the settings should we be killed */
    enum relay_state state;
    bool unsettled; /* made behind: the command's terminals have yet to get what they should have */
    bool hung_up; /* nothing more will be typed */
    bool quoted;  /* the next byte is taken literally (VLNEXT) */
    tcflag_t given[N_PTYS]; /* c_lflag of these terminals as they were made */
    tcflag_t left[N_PTYS]; /* c_lflag of these terminals when we went behind */
    struct termios before; /* of the terminal outside; in RAW and OUTPUT */
    char input[RELAY_MAX];
    size_t len;
    size_t at;
    int to; /* PTY_OUT or PTY_ERR: whose master gets what is in input */
};

struct relay_options {
    int outside_fd;
    int lock_fd;
    struct monitor *monitor;
    const struct ptys *ptys; /* what it tells of how the command's terminals were made */
};

/* State BEHIND. */
void relay_init(struct relay *r, const struct relay_options *o);

/* BEHIND → RAW, or OUTPUT where the command is gone; stays BEHIND while another buildlog has the
   terminal outside. masters, here and below: of the command's terminals, -1 where there is none. */
void relay_enter(struct relay *r, const int *masters, bool command_gone);

/* → BEHIND: the terminal outside gets its settings back. */
void relay_leave(struct relay *r, const int *masters);

/* → BEHIND, but somebody else has the terminal outside, and its settings are theirs now. */
void relay_lose(struct relay *r, const int *masters);

/* RAW → OUTPUT. What was typed and not read, `unread` first, goes back to the terminal outside,
   where the system allows that (TIOCSTI). */
void relay_end_input(struct relay *r, const char *unread, size_t len);

/* In BEHIND: has the command switched echo or line editing of this terminal meanwhile? Then it
   waits for keys, or is about to. */
bool relay_changed_behind(const struct relay *r, const int *masters, int which);

/* Changes so far are known. */
void relay_note_settings(struct relay *r, const int *masters);

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
