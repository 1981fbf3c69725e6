// SPDX-License-Identifier: MIT
/*
 * Every different word of near enough a length is compared once; a table of hashes keeps those
 * that come again from being compared again. What is looked at is bounded: a suggestion is not
 * worth reading a gigabyte for.
 */
#include "cmd/query_suggest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MAX = 32 << 20, /* bytes of text */
    SEEN_SLOTS = 1 << 16,
    TOKEN_MIN = 3,
    TOKEN_MAX = 32, /* nearest_offer takes no longer ones */
    KEPT_MAX = 256,
    TEXT_SIZE = 256
};

struct suggest {
    struct nearest nearest;
    size_t looked;
    uint64_t seen[SEEN_SLOTS]; /* hashes; a word that loses its slot is compared again */
    char kept[KEPT_MAX][TOKEN_MAX + 1];
    size_t n_kept;
    char text[TEXT_SIZE];
};

enum err_code suggest_new(struct suggest **out, const char *word, int changes, struct err *e)
{
    *out = calloc(1, sizeof(**out));
    if (*out == NULL)
        return err_set(e, ERR_MEMORY, "cannot look for near words", "", "no memory");
    nearest_init(&(*out)->nearest, word);
    (*out)->nearest.distance += (size_t)changes;
    return ERR_NONE;
}

void suggest_free(struct suggest *s)
{
    free(s);
}

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c == '.';
}

/* FNV-1a. */
static uint64_t hash_of(const char *text, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void offer(struct suggest *s, const char *token, size_t n)
{
    uint64_t hash = hash_of(token, n);
    uint64_t *slot = &s->seen[hash % SEEN_SLOTS];
    char *kept = s->kept[s->n_kept];
    size_t before = s->nearest.n;
    size_t distance = s->nearest.distance;

    if (*slot == hash || s->n_kept == KEPT_MAX - 1)
        return;
    *slot = hash;
    memcpy(kept, token, n);
    kept[n] = '\0';
    for (size_t i = 0; i < s->n_kept; i++)
        if (strcmp(s->kept[i], kept) == 0)
            return;
    nearest_offer(&s->nearest, kept);
    if (s->nearest.n != before || s->nearest.distance != distance)
        s->n_kept++;
}

bool suggest_look(struct suggest *s, struct raw_span text)
{
    size_t len = strlen(s->nearest.word);

    for (size_t at = 0; at < text.len;) {
        size_t from = at;

        while (at < text.len && word_char(text.ptr[at]))
            at++;
        if (at - from >= TOKEN_MIN && at - from <= TOKEN_MAX &&
            at - from + s->nearest.distance >= len)
            offer(s, text.ptr + from, at - from);
        at += at == from ? 1 : 0;
    }
    s->looked += text.len;
    return s->looked < LOOK_MAX;
}

const char *suggest_text(struct suggest *s)
{
    return nearest_text(&s->nearest, "", s->text, sizeof(s->text));
}
