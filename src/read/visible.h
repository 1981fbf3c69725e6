// SPDX-License-Identifier: MIT
/*
 * Hostile text for a person's terminal.  Passes: printable text, TAB, LF, and colours (SGR)
 * where asked for. Made visible: every other C0 byte and DEL (^M, ^[), C1 and the characters
 * that turn the direction of text or break lines (<U+202E>); so an escape sequence other than
 * SGR comes out as the text it is made of. Invalid UTF-8 comes out as U+FFFD. Erasing within
 * the line (EL), as grep and gcc do it behind every colour, goes with the colours: nothing is
 * erased, so that nothing can hide by it.
 */
#ifndef READ_VISIBLE_H
#define READ_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"

/* Where text goes, in pieces of any size. */
struct sink {
    enum err_code (*put)(void *arg, const char *text, size_t n);
    void *arg;
};

enum err_code sink_put(const struct sink *s, const char *text, size_t n) MUST_USE;
enum err_code sink_puts(const struct sink *s, const char *text) MUST_USE;
enum err_code sink_printf(const struct sink *s, const char *format, ...)
    PRINTF_LIKE(2, 3) MUST_USE;

enum visible_colour {
    COLOUR_STRIP,  /* SGR left out */
    COLOUR_PASS,   /* SGR passed, and reset at the end of the text */
    COLOUR_VISIBLE /* SGR shown like any other sequence */
};

/* lf false: LF is made visible too, for what must stay on one line. */
struct visible {
    enum visible_colour colour;
    bool lf;
    bool last_frame; /* what a later frame (behind CR) is written over, all of it, is left out:
                        "10%\r100%" is "^M100%", but "loading\rok" is "loading^Mok" */
    bool moves; /* what moves the cursor or erases within its line passes: for a recording that a
                   player shows on a terminal of its own */
};

enum err_code visible_put(const struct sink *s, struct raw_span text,
                          struct visible how) MUST_USE;

/*
 * JSON for a terminal: what could act on it inside strings becomes \u00xx, which means the
 * same to a parser.
 */
enum err_code visible_put_json(const struct sink *s, struct raw_span text) MUST_USE;

/* Columns that valid printable text takes: 0 for combining marks, 2 for wide characters. */
size_t visible_columns(const char *text, size_t n);

/* The longest beginning of valid text, whole characters, that fits into this many columns. */
size_t visible_fit(const char *text, size_t n, size_t columns);

#endif
