// SPDX-License-Identifier: MIT
/*
 * Clean bytes kept for later: what goes in is a clean span, what comes out is one, so that
 * gathering the pieces of a line is no way round the redactor.
 */
#ifndef REDACT_CLEAN_BUF_H
#define REDACT_CLEAN_BUF_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"

struct clean_buf {
    struct buf bytes;
};

void clean_buf_init(struct clean_buf *b, size_t max);
void clean_buf_release(struct clean_buf *b);

/* Appends a copy. ERR_MEMORY leaves the buffer as it was. */
enum err_code clean_buf_put(struct clean_buf *b, struct clean_span span) MUST_USE;

/* All of it; valid until the buffer changes. */
struct clean_span clean_buf_span(const struct clean_buf *b);

/* Drops the first n bytes. */
void clean_buf_consume(struct clean_buf *b, size_t n);

/* Takes out n bytes, from byte `at` on. What then stands side by side must be parted by a control
   byte, or it might spell what the redactor never saw. */
void clean_buf_cut(struct clean_buf *b, size_t at, size_t n);

/* n bytes of span, from byte `at` on. Inline: called for every line. */
static inline struct clean_span clean_sub(struct clean_span span, size_t at, size_t n)
{
    return (struct clean_span){.ptr = span.ptr + at, .len = n};
}

#endif
