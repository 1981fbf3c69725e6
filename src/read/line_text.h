// SPDX-License-Identifier: MIT
/*
 * Where the text of a line record begins, for those who look at a log's bytes before they look at
 * its records. What stands before it, two thirds of a log, is the same from line to line but for
 * digits: a line whose head is like one that was seen is told from others by a few vectors.
 *
 * Called by level_hint beside it.
 */
#ifndef READ_LINE_TEXT_H
#define READ_LINE_TEXT_H

#include <stddef.h>

#include "base/attr.h"

enum {
    LINE_HEAD_MAX = 192, /* bytes of a head; longer ones are not known */
    LINE_HEADS = 2       /* of the two streams */
};

/* A head that was seen, every digit a '0'. */
struct line_head {
    size_t len; /* 0: none yet */
    char bytes[LINE_HEAD_MAX];
};

/* Zero-initialised it knows none. */
struct line_text {
    struct line_head heads[LINE_HEADS]; /* the latest first */
};

/*
 * The first byte of the text of the line that begins at `at`, behind its opening quote, if the
 * record has the shape our encoder writes up to there: kind, ts, seq, src, buildId, msg and no
 * escape sequence. NULL otherwise, and where the line is too near to end.
 */
const char *line_text_find(struct line_text *t, const char *at, const char *end);

/* The same without vectors, for tests. */
const char *line_text_find_portable(struct line_text *t, const char *at, const char *end);

#endif
