// SPDX-License-Identifier: MIT
/*
 * The terminal side: where forwarded bytes go, one terminal for stdout and one for stderr.
 *
 * Duty: take clean bytes, write what can be written without ever blocking, keep the rest.
 * The inherited descriptor is shared with the caller's shell, so its O_NONBLOCK is never
 * touched: pipes and terminals are reopened through /proc/self/fd, sockets are written with
 * MSG_DONTWAIT, and what cannot be reopened gets PIPE_BUF bytes at a time after POLLOUT.
 * Regular files and the memory devices are always ready and written directly.
 *
 * Invariant: a terminal that is blocked holds little, because its owner looks at terminal_kept
 * before it reads more for it.
 */
#ifndef RUN_TERMINAL_H
#define RUN_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "redact/redact.h"

enum terminal_way {
    TERMINAL_CLOSED,  /* nobody reads: everything is dropped */
    TERMINAL_DIRECT,  /* never blocks */
    TERMINAL_REOPENED, /* our own non-blocking description of it */
    TERMINAL_SOCKET,
    TERMINAL_CAREFUL /* may block: only after POLLOUT, PIPE_BUF at a time */
};

struct terminal {
    int fd;
    enum terminal_way way;
    bool owned; /* fd is ours to close */
    bool is_tty;
    bool raw;          /* a terminal that makes no line ends now: messages bring theirs */
    bool drop_cr;      /* CR LF goes out as LF: the terminal makes CR LF of that again */
    bool mid_line;     /* the last byte written was no newline */
    struct buf queue;  /* what could not be written yet */
    size_t queue_at;   /* bytes of queue already written */
    uint64_t moved;    /* bytes written so far, to see progress */
    int sys_errno;     /* why it closed, 0 if it is open or was closed from the start */
};

enum { TERMINAL_QUEUE_MAX = 4 << 20 }; /* far above one turn's output */

/* closed: the descriptor was not open when buildlog started. */
void terminal_init(struct terminal *s, int fd, bool closed);
void terminal_release(struct terminal *s);

/*
 * Writes the spans, less the bytes the terminal already has, and keeps what is left. (With drop_cr
 * a CR that ends one call and whose LF begins the next stays: it would be one too many, which
 * nobody sees, and to wait for what follows would be seen.)
 */
void terminal_put(struct terminal *s, const struct clean_vec *spans);

/* Writes what is kept, as far as it goes. */
void terminal_flush(struct terminal *s);

/* Bytes are kept: watch fd for writing. */
bool terminal_blocked(const struct terminal *s);

/* How many. */
size_t terminal_kept(const struct terminal *s);

/* Gives up: drops what is kept and all that comes. */
void terminal_close(struct terminal *s, int why);

/* One message line of buildlog's own, newline included, on a line of its own. Kept if it cannot
   be written. */
void terminal_message(struct terminal *s, const char *line, size_t len);

#endif
