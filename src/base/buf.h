// SPDX-License-Identifier: MIT
/* A growing byte buffer with a hard ceiling. Zero-initialised is valid but has ceiling 0. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* len never exceeds this */
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b); /* frees; the buffer may be used again */

/* Makes room for n more bytes. ERR_MEMORY (and nothing changed) above the ceiling. */
enum err_code buf_reserve(struct buf *b, size_t n) MUST_USE;

/* Append. ERR_MEMORY leaves the buffer as it was. */
enum err_code buf_put(struct buf *b, const void *data, size_t n) MUST_USE;
enum err_code buf_puts(struct buf *b, const char *text) MUST_USE;
enum err_code buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3) MUST_USE;

/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);

#endif
