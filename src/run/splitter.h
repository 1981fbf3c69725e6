// SPDX-License-Identifier: MIT
/*
 * Clean bytes of one stream to line records. A push parser: any split of the input gives the
 * same records but for ts. A line that lies whole in one span goes to the log without a copy;
 * only lines cut by a read or by a mark are gathered, at most max_line bytes of them, and lines
 * of which only the last frame is wanted (frames.h), at most twice that.
 *
 * A terminal makes CR LF of a program's newline (ONLCR in termios(3)): there one CR before LF is
 * part of the line's end, counted in its bytes and in no msg. A CR at the end of what was fed waits
 * for what follows.
 */
#ifndef RUN_SPLITTER_H
#define RUN_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/clean_buf.h"
#include "redact/redact.h"
#include "run/frames.h"
#include "run/line_watch.h"
#include "store/build_log.h"

struct splitter_options {
    struct build_log *log; /* not owned */
    enum build_log_src src;
    size_t max_line; /* bytes of clean input a record holds */
    bool split;      /* a longer line becomes several records instead of losing its tail */
    bool is_terminal; /* the bytes come from a pseudo-terminal: CR LF is one line end */
    bool last_frame;  /* frames that others were drawn over are left out */
};

struct splitter {
    struct splitter_options o;
    struct line_watch *watch; /* not owned; NULL: nobody asks */
    struct clean_buf line; /* the current line, its first max_line bytes */
    struct frames frames;  /* or its frames, unless `plain` */
    bool plain;            /* the frames of this line cannot be followed, or are all wanted */
    bool cr_waits;         /* a CR that may be the first half of CR LF */
    uint64_t framed; /* bytes given to frames */
    uint64_t total;  /* bytes of the current record's line, cut ones included */
    uint64_t left_out; /* and those that belong to it, but not to its text */
    uint32_t redacted;
    uint32_t dropped; /* frames */
    bool begun;
    int64_t ts_ms; /* of the read that brought the current line's first byte */
};

void splitter_init(struct splitter *s, const struct splitter_options *o);
void splitter_release(struct splitter *s);

/* Takes the next clean bytes, read at ts_ms. */
void splitter_feed(struct splitter *s, const struct clean_vec *spans, int64_t ts_ms);

/* The redactor holds back the first bytes of what comes next: they were read at ts_ms. */
void splitter_expect(struct splitter *s, int64_t ts_ms);

/* End of the stream: what has no newline becomes a record marked partial. */
void splitter_finish(struct splitter *s);

#endif
