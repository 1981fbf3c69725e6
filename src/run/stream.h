// SPDX-License-Identifier: MIT
/*
 * The way of a byte, for one of the command's two streams:
 *
 *     pipe → redactor → line splitter → log        (written first)
 *                    └→ terminal                       (then shown)
 *
 * The order is a promise: a line's record is written before the line's last byte is
 * forwarded, so killing buildlog loses no finished line that anyone saw. Where log and
 * terminal differ (--redact off, --forward raw, lines that a CI runner has to see) each has a
 * redactor of its own. Knows no event loop: stream_turn does one read's worth, or a few reads'
 * of a pipe that is full, where a thread (ahead.h) reads and redacts what comes next while this
 * one passes on what came before:
 *
 *     pipe → redactor                  read n + 1    (the thread)
 *                    → log → terminal  read n        (this one)
 *
 * Nothing is under way between turns, so that nobody else need know of it.
 */
#ifndef RUN_STREAM_H
#define RUN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "redact/redact.h"
#include "run/splitter.h"
#include "run/stage.h"
#include "run/terminal.h"
#include "store/build_log.h"

enum { STREAM_READ_SIZE = 256 << 10 }; /* one read; the scratch buffer all streams share */

/*
 * What a command's terminal is read ahead of the one outside, so that the two are at work side by
 * side: each holds little, and the next is told late. Two batches: one being shown, one behind it.
 * A pipe is large enough by itself.
 */
enum { STREAM_PTY_AHEAD = 64 << 10 };

struct ahead;

enum forward_mode { FORWARD_REDACTED, FORWARD_RAW, FORWARD_NONE };

/* Which frames of a progress bar the log gets. FRAMES_AUTO: the last one of what is written to a
   terminal, all of what is written to a pipe. */
enum frame_mode { FRAMES_AUTO, FRAMES_ALL, FRAMES_LAST };

struct stream_options {
    struct build_log *log;
    struct terminal *terminal; /* NULL: not forwarded */
    struct stage *stage; /* what terminal gets waits there; NULL: at once */
    enum build_log_src src;
    enum forward_mode forward;
    struct redact_set *rules;
    bool redact; /* the log's side */
    struct ahead *ahead; /* outlives the stream; NULL: no thread */
    bool pass_masks; /* "::add-mask::" lines reach the terminal as they are */
    size_t max_line;
    bool split_long;
    bool is_pty;   /* read_fd is the master of a pseudo-terminal */
    uint64_t hold; /* procs_hold_key of the command's end */
    enum frame_mode frames;
};

struct stream {
    int fd;         /* our end of the pipe, non-blocking; -1 once closed */
    bool is_pty;    /* a pseudo-terminal's master: its end is EIO */
    uint64_t hold;  /* procs_hold_key of the command's end, to find who holds it */
    struct build_log *log;
    struct terminal *terminal;
    struct stage *stage;
    struct redactor *for_log;
    struct ahead *ahead; /* NULL: not for this stream */
    struct redactor *for_terminal; /* NULL: what the log gets */
    struct clean_vec log_spans;
    struct clean_vec terminal_spans;
    struct splitter splitter;
    bool passes_masks; /* for_terminal does that */
    bool mid_line;     /* the last byte taken was no newline */
    uint64_t bytes;      /* read so far */
    uint64_t marks_shown; /* marks that went to the terminal */
    bool large_pipe;     /* enlarging was tried */
    bool limited;        /* only `left` more bytes are read, then one last look */
    uint64_t left;
    bool orphaned; /* someone held the pipe when reading ended */
    bool lost;     /* a read failed or memory ran out: something is missing */
    /* Called before what was read is passed on; may be NULL. Returns how many of the last bytes are
       to come after what the other stream has; then other_first is called in between. */
    size_t (*on_output)(void *ctx, struct raw_span in);
    void (*other_first)(void *ctx);
    void *ctx;
};

/* Takes over read_fd. On an error s is released and read_fd closed. */
enum err_code stream_init(struct stream *s, int read_fd, const struct stream_options *o,
                          struct err *e) MUST_USE;
void stream_release(struct stream *s);

enum stream_turn {
    STREAM_IDLE, /* nothing to read now */
    STREAM_READ, /* bytes were read; there may be more */
    STREAM_ENDED /* end of file, or the limit: stream_finish is due */
};

/* One read and all that follows from it, or a bounded number of full ones. scratch has
   STREAM_READ_SIZE bytes. */
enum stream_turn stream_turn(struct stream *s, char *scratch);

/*
 * The same for bytes that came another way: with --order exact, where the caller flushes the log
 * and then shows the stage.
 */
void stream_take(struct stream *s, struct raw_span in);

/* From now on read only what is in the pipe at this moment. */
void stream_limit(struct stream *s);

/* All of that has been read: one more turn ends the stream, whatever it finds. */
bool stream_exhausted(const struct stream *s);

/* Nothing more may ever become readable: whoever wants the end has to take turns until then. */
bool stream_wants_turns(const struct stream *s);

/* Held bytes that may be shown early go to the terminal; true while there may be more. */
void stream_preview(struct stream *s);
bool stream_wants_preview(const struct stream *s);

/*
 * The stream has ended: what is held and what has no newline comes out. Closes the pipe, unless
 * someone still holds it: they are to be named first, and closing it may be the end of them.
 */
void stream_finish(struct stream *s);

/* After that: has the last holder let go meanwhile, without a further word? Then the stream
   ended as it should. */
bool stream_let_go(struct stream *s);

void stream_close(struct stream *s);

#endif
