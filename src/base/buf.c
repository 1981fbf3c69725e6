// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

enum err_code buf_reserve(struct buf *b, size_t n)
{
    size_t cap = b->cap > 0 ? b->cap : BUF_FIRST;
    char *data;

    if (n > b->max - b->len)
        return ERR_MEMORY;
    if (b->len + n <= b->cap)
        return ERR_NONE;
    while (cap < b->len + n)
        cap *= 2;
    if (cap > b->max)
        cap = b->max;
    data = realloc(b->data, cap);
    if (data == NULL)
        return ERR_MEMORY;
    b->data = data;
    b->cap = cap;
    return ERR_NONE;
}

enum err_code buf_put(struct buf *b, const void *data, size_t n)
{
    enum err_code rc = buf_reserve(b, n);

    if (rc != ERR_NONE)
        return rc;
    if (n > 0)
        memcpy(b->data + b->len, data, n);
    b->len += n;
    return ERR_NONE;
}

enum err_code buf_puts(struct buf *b, const char *text)
{
    return buf_put(b, text, strlen(text));
}

enum err_code buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_list again;
    int n;
    enum err_code rc;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    rc = n < 0 ? ERR_MEMORY : buf_reserve(b, (size_t)n + 1);
    if (rc == ERR_NONE) {
        vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return rc;
}

void buf_consume(struct buf *b, size_t n)
{
    if (n < b->len)
        memmove(b->data, b->data + n, b->len - n);
    b->len = n < b->len ? b->len - n : 0;
}
