// SPDX-License-Identifier: MIT
#include "cmd/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { TABLE_TEXT_MAX = 64 << 10 }; /* a kilobyte that grows as visible text can */

enum err_code table_cell(const struct sink *s, const char *text, int width, size_t *left)
{
    size_t want = (size_t)abs(width);
    size_t len = visible_fit(text, strlen(text), *left);
    size_t used = visible_columns(text, len);
    size_t pad = used < want ? want - used : 0;
    enum err_code rc = ERR_NONE;

    if (pad > *left - used)
        pad = *left - used;
    *left -= used + pad;
    if (width < 0)
        rc = pad > 0 ? sink_printf(s, "%*s", (int)pad, "") : ERR_NONE;
    if (rc == ERR_NONE)
        rc = sink_put(s, text, len);
    if (rc == ERR_NONE && width > 0)
        rc = pad > 0 ? sink_printf(s, "%*s", (int)pad, "") : ERR_NONE;
    return rc;
}

int table_wider(int width, const char *text)
{
    size_t columns = visible_columns(text, strlen(text));

    return (int)columns > width ? (int)columns : width;
}

static enum err_code put_into_buf(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

char *table_text(const char *text, size_t len)
{
    struct buf buf;
    struct sink sink = {put_into_buf, &buf};
    enum err_code rc;

    buf_init(&buf, TABLE_TEXT_MAX);
    rc = visible_put(&sink, (struct raw_span){text, len},
                     (struct visible){.colour = COLOUR_VISIBLE});
    if (rc == ERR_NONE)
        rc = buf_put(&buf, "", 1);
    if (rc == ERR_NONE)
        return buf.data;
    buf_release(&buf);
    return NULL;
}
