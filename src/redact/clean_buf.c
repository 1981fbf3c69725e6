// SPDX-License-Identifier: MIT
#include "redact/clean_buf.h"

#include <string.h>

void clean_buf_init(struct clean_buf *b, size_t max)
{
    buf_init(&b->bytes, max);
}

void clean_buf_release(struct clean_buf *b)
{
    buf_release(&b->bytes);
}

enum err_code clean_buf_put(struct clean_buf *b, struct clean_span span)
{
    return buf_put(&b->bytes, span.ptr, span.len);
}

struct clean_span clean_buf_span(const struct clean_buf *b)
{
    return (struct clean_span){.ptr = b->bytes.data != NULL ? b->bytes.data : "",
                               .len = b->bytes.len};
}

void clean_buf_consume(struct clean_buf *b, size_t n)
{
    buf_consume(&b->bytes, n);
}

void clean_buf_cut(struct clean_buf *b, size_t at, size_t n)
{
    if (n == 0)
        return;
    memmove(b->bytes.data + at, b->bytes.data + at + n, b->bytes.len - at - n);
    b->bytes.len -= n;
}
