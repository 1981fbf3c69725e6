// SPDX-License-Identifier: MIT
/*
 * Text for a terminal whose screen is read by a runner of GitHub Actions, which obeys lines that
 * begin with "::" or "##[": a backslash goes before those. A sink before another one, in pieces of
 * any size; at most two bytes are held back.
 *
 * The runner passes over blanks of any kind and, in its own way, over colours: so whatever is no
 * printable ASCII, and SGR, does not begin a line here.
 */
#ifndef READ_RUNNER_H
#define READ_RUNNER_H

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "read/visible.h"

enum runner_at { RUNNER_LINE_START, RUNNER_ESCAPE, RUNNER_COLOUR, RUNNER_IN_LINE };

/* RUNNER_LINE_START is 0. */
struct runner_guard {
    struct sink sink;
    enum runner_at at;
    char held[2]; /* ":", "#", "##": the beginning of a command, perhaps */
    size_t n_held;
};

/* The sink to write to; valid as long as g. */
struct sink runner_sink(struct runner_guard *g);

/* What is held back comes out. */
enum err_code runner_finish(struct runner_guard *g) MUST_USE;

#endif
