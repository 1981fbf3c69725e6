// SPDX-License-Identifier: MIT
/*
 * Drives a machine of redact/sink.h over a text in pieces and makes of its matches what would
 * come out, "#" for each match. Also looks that nothing came out that a match covers later.
 */
#ifndef TESTS_MATCHES_H
#define TESTS_MATCHES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "redact/sink.h"

enum { CATCH_MAX = 20000 };

struct caught {
    uint64_t start, end;
    size_t covered; /* bytes before here are known to be its */
    unsigned rule;
};

struct catcher {
    struct caught list[CATCH_MAX];
    uint32_t n;
    uint8_t *out;     /* 1: the byte has come out */
    size_t len;       /* of the text */
    size_t released;  /* bytes before here have come out, or are covered */
    uint32_t done;    /* matches before this one lie before there */
    size_t held_most;
    bool bad;
};

__attribute__((unused)) static void catch_begin(struct catcher *c, size_t len)
{
    c->n = c->done = 0;
    c->len = len;
    c->released = c->held_most = 0;
    c->bad = false;
    c->out = calloc(len + 1, 1);
    if (c->out == NULL)
        abort();
}

__attribute__((unused)) static uint32_t catch_add(void *ctx, uint64_t start, uint64_t end,
                                                  unsigned rule)
{
    struct catcher *c = ctx;

    if (start > end || (end != POS_NONE && end > c->len) || c->n == CATCH_MAX)
        abort();
    c->list[c->n] = (struct caught){start, end, (size_t)start, rule};
    return ++c->n;
}

__attribute__((unused)) static void catch_close(void *ctx, uint32_t id, uint64_t end)
{
    struct catcher *c = ctx;

    if (id == 0 || id > c->n || c->list[id - 1].end != POS_NONE || end < c->list[id - 1].start)
        abort();
    c->list[id - 1].end = end;
}

/* Between pieces: everything before hold comes out, but for what matches cover. */
__attribute__((unused)) static void catch_release(struct catcher *c, size_t pos, uint64_t hold)
{
    size_t limit = hold < pos ? (size_t)hold : pos;

    if (pos - limit > c->held_most)
        c->held_most = pos - limit;
    for (uint32_t i = c->done; i < c->n; i++) {
        struct caught *m = &c->list[i];
        size_t end = m->end < limit ? (size_t)m->end : limit;

        for (size_t k = m->covered; k < end; k++) {
            c->bad |= c->out[k] == 1;
            c->out[k] = 2;
        }
        m->covered = end > m->covered ? end : m->covered;
        if (i == c->done && m->end <= limit)
            c->done++;
    }
    for (; c->released < limit; c->released++) {
        if (c->out[c->released] == 0)
            c->out[c->released] = 1;
    }
}

/* What came out in all; the caller frees it. Call when the stream is finished. */
__attribute__((unused)) static char *catch_text(struct catcher *c, const char *text)
{
    uint8_t *kind = calloc(c->len + 1, 1); /* 1 covered, 2 and first of a match */
    char *result = malloc(2 * c->len + 1);
    size_t n = 0;

    if (kind == NULL || result == NULL)
        abort();
    catch_release(c, c->len, POS_NONE);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct caught *m = &c->list[i];

        c->bad |= m->end == POS_NONE || m->end > c->len;
        for (uint64_t k = m->start; k < m->end && k < c->len; k++) {
            c->bad |= c->out[k] == 1;
            kind[k] |= k == m->start ? 3 : 1;
        }
    }
    for (size_t k = 0; k < c->len; k++) {
        if (kind[k] == 0)
            result[n++] = text[k];
        else if (kind[k] == 3 && (k == 0 || kind[k - 1] == 0))
            result[n++] = '#';
    }
    result[n] = '\0';
    free(kind);
    free(c->out);
    c->out = NULL;
    return result;
}

#endif
