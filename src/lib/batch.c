// SPDX-License-Identifier: MIT
#include "lib/batch.h"

#include <string.h>

struct batch_item {
    size_t at;
    size_t len;
    uint64_t begin; /* in the log */
    int cost;
};

void batch_init(struct batch *b, uint64_t after_seq)
{
    *b = (struct batch){.after_seq = after_seq};
    buf_init(&b->text, (size_t)2 * BATCH_COMPRESSED + LOG_LINE_MAX);
    buf_init(&b->items, BATCH_ITEMS_MAX);
    batch_restart(b);
}

void batch_release(struct batch *b)
{
    buf_release(&b->text);
    buf_release(&b->items);
}

void batch_restart(struct batch *b)
{
    b->end = UINT64_MAX;
    b->left = 0;
    b->last = false;
}

static struct batch_item *items_of(const struct batch *b)
{
    return (struct batch_item *)(void *)b->items.data;
}

static bool full(const struct batch *b, size_t bytes)
{
    return b->text.len >= bytes || b->items.len >= BATCH_ITEMS_MAX / 2;
}

/* The line that run->view holds. */
static enum err_code add(struct batch *b, uint64_t begin)
{
    const struct view *v = &b->run->view;
    struct batch_item item = {.at = b->text.len, .len = v->json.len, .begin = begin,
                              .cost = v->cost};
    enum err_code rc = buf_put(&b->text, v->json.ptr, v->json.len);

    return rc == ERR_NONE ? buf_put(&b->items, &item, sizeof(item)) : rc;
}

/* ---- a log that can be read backwards -------------------------------------------------------- */

/* Items are in the order of reading here: the last record of the log comes first. */
static bool visit(void *arg, const struct log_item *item)
{
    struct batch *b = arg;
    const char *line = item->text.ptr;
    bool numbered = item->kind == RECORD_LINE || item->kind == RECORD_EVENT ||
                    item->kind == RECORD_GAP;

    b->end = item->at;
    if (numbered && item->seq <= b->after_seq) {
        b->last = true;
        return false;
    }
    filter_run_piece(b->run);
    if (!numbered || filter_next(b->run, line, line + item->text.len) == NULL)
        return true;
    b->rc = filter_check(b->run, line, item->text.len);
    if (b->rc == ERR_NONE)
        b->rc = add(b, item->at);
    else if (b->rc != ERR_MEMORY)
        b->rc = ERR_NONE; /* no match, or no record after all */
    return b->rc == ERR_NONE && !full(b, BATCH_BYTES);
}

static enum err_code fill_backwards(struct batch *b, struct log_reader *r, struct err *e)
{
    enum err_code rc = log_reader_backward_from(r, b->end, visit, b, e);

    if (rc == ERR_NONE && b->rc == ERR_NONE && !full(b, BATCH_BYTES))
        b->last = true; /* nothing but the beginning of the log stops a batch that is not full */
    return rc == ERR_NONE ? b->rc : rc;
}

/* ---- one that cannot ------------------------------------------------------------------------- */

/* Forgets the older half. */
static void drop_older(struct batch *b)
{
    struct batch_item *items = items_of(b);
    size_t n = b->items.len / sizeof(*items);
    size_t drop = n / 2;
    size_t bytes = items[drop].at;

    buf_consume(&b->text, bytes);
    buf_consume(&b->items, drop * sizeof(*items));
    items = items_of(b);
    for (size_t i = 0; i < n - drop; i++)
        items[i].at -= bytes;
    b->last = false;
}

static enum err_code take_piece(struct batch *b, const struct log_piece *piece)
{
    const char *from = piece->text.ptr;
    const char *end = from + piece->text.len;
    enum err_code rc = ERR_NONE;

    filter_run_piece(b->run);
    while (rc == ERR_NONE && (from = filter_next(b->run, from, end)) != NULL) {
        const char *stop = memchr(from, '\n', (size_t)(end - from));
        uint64_t begin = piece->at + (uint64_t)(from - piece->text.ptr);

        if (begin >= b->end)
            return ERR_NONE;
        rc = filter_check(b->run, from, (size_t)(stop - from));
        if (rc == ERR_NONE && b->run->view.seq > b->after_seq)
            rc = add(b, begin);
        rc = rc == ERR_MEMORY ? rc : ERR_NONE;
        if (rc == ERR_NONE && full(b, (size_t)2 * BATCH_COMPRESSED))
            drop_older(b);
        from = stop + 1;
    }
    return rc;
}

/* Items are in the order of the log here. */
static enum err_code fill_compressed(struct batch *b, struct log_reader *r, struct err *e)
{
    struct log_piece piece;
    bool have = true;
    enum err_code rc = log_reader_rewind(r, e);

    b->last = true;
    while (rc == ERR_NONE && have) {
        rc = log_reader_next_piece(r, &piece, &have, e);
        if (rc == ERR_NONE && have && piece.at >= b->end)
            break;
        if (rc == ERR_NONE && have)
            rc = take_piece(b, &piece);
    }
    if (rc == ERR_NONE && b->items.len > 0)
        b->end = items_of(b)[0].begin;
    return rc;
}

/* ---- both ----------------------------------------------------------------------------------- */

static enum err_code fill(struct batch *b, struct log_reader *r, struct err *e)
{
    enum err_code rc;

    b->text.len = b->items.len = 0;
    b->rc = ERR_NONE;
    rc = log_reader_compressed(r) ? fill_compressed(b, r, e) : fill_backwards(b, r, e);
    b->left = b->items.len / sizeof(struct batch_item);
    if (rc == ERR_MEMORY)
        return err_set(e, rc, "cannot search", log_reader_path(r), "no memory");
    return rc;
}

enum err_code batch_next(struct batch *b, struct log_reader *r, struct filter_run *run, bool *have,
                         struct err *e)
{
    const struct batch_item *item;
    size_t n;
    enum err_code rc = ERR_NONE;

    *have = false;
    b->run = run;
    while (rc == ERR_NONE && b->left == 0 && !b->last)
        rc = fill(b, r, e);
    if (rc != ERR_NONE || b->left == 0)
        return rc;
    n = b->items.len / sizeof(*item);
    item = &items_of(b)[log_reader_compressed(r) ? b->left - 1 : n - b->left];
    b->left--;
    rc = filter_view(run, b->text.data + item->at, item->len);
    if (rc != ERR_NONE)
        return err_set(e, ERR_MEMORY, "cannot search", log_reader_path(r), "no memory");
    run->view.cost = item->cost;
    *have = true;
    return ERR_NONE;
}
