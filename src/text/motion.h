// SPDX-License-Identifier: MIT
/*
 * What bytes do to the cursor of a terminal. A push parser: any split of the input gives the same
 * motions, but that a run of text or blanks may come in several pieces.
 *
 * Follows ECMA-48, and for what that leaves open xterm ("XTerm Control Sequences"). What it does
 * not follow it says so (MOTION_UNKNOWN): then nobody knows where the cursor is. Lines are the
 * caller's affair: no LF comes in. Called by run/frames and read/screen.
 */
#ifndef TEXT_MOTION_H
#define TEXT_MOTION_H

#include <stddef.h>
#include <stdint.h>

enum motion_kind {
    MOTION_MORE,    /* a sequence or character that is not complete yet */
    MOTION_NONE,    /* nothing to the cursor or the text: a mode, a title, a bell */
    MOTION_TEXT,    /* n columns of characters that show */
    MOTION_BLANK,   /* n spaces */
    MOTION_BAD,     /* bytes that are no character: may show as one or as several */
    MOTION_STYLE,   /* colours and the like; n is 0 if all are back to the default */
    MOTION_TAB,     /* to the next column that is a multiple of TAB_COLUMNS */
    MOTION_COLUMN,  /* to column n, from 0: a carriage return, CHA */
    MOTION_LEFT,    /* n columns */
    MOTION_RIGHT,
    MOTION_UP,      /* n rows, in the same column */
    MOTION_DOWN,
    MOTION_UP_LINE, /* n rows, to column 0 */
    MOTION_DOWN_LINE,
    MOTION_PLACE,   /* to row `row` of the screen, from 0, and column n */
    MOTION_SAVE,    /* keeps where the cursor is */
    MOTION_RESTORE,
    MOTION_ERASE_RIGHT, /* from the cursor to the end of the line, and maybe what is below */
    MOTION_ERASE_LINE,
    MOTION_UNKNOWN
};

enum {
    TAB_COLUMNS = 8,
    MOTION_NUMBER_MAX = 9999, /* larger parameters are cut down to this */
    MOTION_UTF8_MAX = 4
};

struct motion {
    enum motion_kind kind;
    uint32_t n;
    uint32_t row;
};

/* Zero-initialised is the start of a line. */
struct motion_parser {
    uint8_t state;
    char prefix;        /* of a control sequence: '?' and so on; 0: none */
    char between;       /* its intermediate byte */
    uint8_t n_numbers;  /* parameters begun */
    uint32_t numbers[2];
    uint32_t last;      /* the parameter being read, whichever it is */
    uint8_t utf8_len;
    char utf8[MOTION_UTF8_MAX];
};

/*
 * The next motion; returns how many of the n > 0 bytes it took, which may be none. All that
 * were taken before without a motion (MOTION_MORE) belong to it, too.
 */
size_t motion_next(struct motion_parser *p, const char *text, size_t n, struct motion *m);

/* Where a sequence or character is not complete: its bytes have been taken. */
static inline int motion_unfinished(const struct motion_parser *p)
{
    return p->state != 0;
}

#endif
