// SPDX-License-Identifier: MIT
/*
 * The frames of one line: a progress bar is drawn over itself ten thousand times and then ended
 * by a newline; the log keeps what is to be seen then.
 *
 * A frame is what is written from one move of the cursor back (a carriage return, CHA, backspaces)
 * to the next, or in one excursion to other rows and back (what docker pull does). A frame is
 * dropped once another one that shows something has taken its place: written over all columns in
 * which it showed something, or behind an erasure of them. So
 *
 *   - nothing that can still be seen is dropped: of "loading\rok" both frames stay, for the
 *     screen says "okading";
 *   - the last frame that showed something stays though it be erased behind: of "100%\r" and of
 *     "100%\r\x1b[K" it is "100%".
 *
 * The screen is taken to be large enough that nothing wraps or scrolls. What cannot be followed
 * (another screen, scroll regions, insertions) ends it for the line: the rest of it is kept as
 * it comes. Bytes are dropped only so that what then stands side by side is parted by a control
 * byte: no secret can come to be that the redactor never saw.
 *
 * A push parser: any split of the input drops the same frames. Memory: at most two times max_line.
 * Called by run/splitter.
 */
#ifndef RUN_FRAMES_H
#define RUN_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/clean_buf.h"
#include "text/motion.h"

enum { FRAMES_MAX = 64 }; /* kept at a time: rows that are drawn, frames that stick out */

struct frame {
    size_t at;   /* where its bytes begin */
    size_t lead; /* how many of them, at its beginning, only move and erase */
    uint32_t row;
    uint32_t from_col, start_col, end_col; /* the cursor's column before, after its lead, behind */
    uint32_t show_from, show_to;   /* the columns in which it shows something, none if equal */
    uint32_t cover_from, cover_to; /* written or erased without a hole */
    bool absolute;  /* begins where it begins wherever the cursor was before */
    bool acts;      /* writes or erases */
    bool writes;
    bool styles;    /* has colours before its first character */
    bool in_lead;   /* nothing but moves and erasures so far */
    bool erased;    /* by a later one: gives way to whatever shows something */
    bool roams;     /* an excursion: where it ends may depend on where it began */
    bool scattered; /* writes in several rows: kept as it is */
};

struct frames {
    struct clean_buf bytes;
    size_t max_line;
    struct motion_parser parser;
    struct frame kept[FRAMES_MAX];
    size_t n; /* the last one is being written */
    uint32_t row, col, saved_row, saved_col;
    size_t unit;   /* where the motion that is not complete begins in bytes */
    bool away;     /* on an excursion */
    bool saved;
    bool lost;     /* what came cannot be followed */
    bool styled;   /* colours are on: a space shows, too */
    uint32_t dropped;
};

void frames_init(struct frames *f, size_t max_line);
void frames_release(struct frames *f); /* after frames_clear it may be used again */

/* The next line begins. */
void frames_clear(struct frames *f);

/* What is to be left out of a line's beginning, and how many frames that is. */
struct frames_ended {
    size_t left_out;
    uint32_t dropped;
};

/*
 * A quick look at a whole line: what frames_feed and frames_finish would make of it. False: that
 * takes them to tell. (Most lines have nothing that draws over something, but may be coloured.)
 */
bool frames_end(struct clean_span line, size_t max_line, struct frames_ended *out);

/*
 * Takes the next bytes of the line and returns how many; if that is not all, this line can be
 * followed no longer: what is kept is its beginning, and the rest is to be kept as it comes.
 * (That may show only when more is to be taken than there was.)
 */
size_t frames_feed(struct frames *f, struct clean_span bytes);

/* The end of the line. frames_kept is then what is to be seen, of at most max_line bytes unless
   several frames that stay are longer together. */
void frames_finish(struct frames *f);

/* Valid until the next call. */
struct clean_span frames_kept(const struct frames *f);

/* Frames dropped from this line that showed something. */
uint32_t frames_dropped(const struct frames *f);

#endif
