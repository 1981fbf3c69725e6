// SPDX-License-Identifier: MIT
#include "run/stage.h"

#include <stdlib.h>

enum { STAGE_MAX = 4 << 20, FIRST_PIECES = 64 }; /* far above one turn's output */

void stage_init(struct stage *s)
{
    *s = (struct stage){0};
    clean_buf_init(&s->bytes, STAGE_MAX);
}

void stage_release(struct stage *s)
{
    clean_buf_release(&s->bytes);
    free(s->pieces);
    stage_init(s);
}

static enum err_code room_for_piece(struct stage *s)
{
    size_t cap = s->cap > 0 ? s->cap * 2 : FIRST_PIECES;
    struct stage_piece *grown;

    if (s->n < s->cap)
        return ERR_NONE;
    grown = realloc(s->pieces, cap * sizeof(*grown));
    if (grown == NULL)
        return ERR_MEMORY;
    s->pieces = grown;
    s->cap = cap;
    return ERR_NONE;
}

static enum err_code put_all(struct stage *s, const struct clean_vec *spans)
{
    for (size_t i = 0; i < spans->len; i++) {
        struct clean_span span = spans->items[i];

        if (span.len > span.shown &&
            clean_buf_put(&s->bytes, clean_sub(span, span.shown, span.len - span.shown)) !=
                ERR_NONE)
            return ERR_MEMORY;
    }
    return ERR_NONE;
}

enum err_code stage_put(struct stage *s, struct terminal *terminal,
                        const struct clean_vec *spans)
{
    const size_t before = s->bytes.bytes.len;
    size_t len;

    if (terminal->way == TERMINAL_CLOSED)
        return ERR_NONE;
    if (room_for_piece(s) != ERR_NONE)
        return ERR_MEMORY;
    if (put_all(s, spans) != ERR_NONE) {
        s->bytes.bytes.len = before;
        return ERR_MEMORY;
    }
    len = s->bytes.bytes.len - before;
    if (s->n > s->first && s->pieces[s->n - 1].terminal == terminal)
        s->pieces[s->n - 1].len += len; /* one write for what came in two reads */
    else if (len > 0)
        s->pieces[s->n++] = (struct stage_piece){.terminal = terminal, .len = len};
    return ERR_NONE;
}

static void show_first(struct stage *s)
{
    const struct stage_piece *piece = &s->pieces[s->first++];
    struct clean_span span = clean_sub(clean_buf_span(&s->bytes), s->at, piece->len);
    struct clean_vec one = {.items = &span, .len = 1, .cap = 1, .bytes = span.len};

    s->at += piece->len;
    terminal_put(piece->terminal, &one);
    if (s->first < s->n)
        return;
    clean_buf_consume(&s->bytes, s->at);
    s->at = s->first = s->n = 0;
}

void stage_show(struct stage *s)
{
    bool blocked = false;

    while (stage_pending(s) && !blocked) {
        const struct terminal *terminal = s->pieces[s->first].terminal;

        show_first(s);
        blocked = terminal_blocked(terminal);
    }
}

void stage_hand_over(struct stage *s)
{
    while (stage_pending(s))
        show_first(s);
}

bool stage_pending(const struct stage *s)
{
    return s->first < s->n;
}
