// SPDX-License-Identifier: MIT
/* The set of known values: what is added, and in which forms. */
#include "redact/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "redact/known_room.h"
#include "redact/known_set.h"

enum { PRINTS_AHEAD = 2 }; /* fetched into the cache before they are put into the filter */

static const char what[] = "cannot hide a value";

static enum err_code no_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, what, "", "out of memory");
}

enum err_code known_new(struct known **out, struct err *e)
{
    struct known *k = calloc(1, sizeof(*k));

    *out = NULL;
    if (k == NULL || trie_init(&k->trie) != ERR_NONE) {
        free(k);
        return no_memory(e);
    }
    k->n_forms = 1;
    k->n_late = 1;
    k->shortest = UINT32_MAX;
    *out = k;
    return ERR_NONE;
}

void known_free(struct known *k)
{
    if (k == NULL)
        return;
    while (k->values != NULL) {
        struct value *v = k->values;

        k->values = v->next;
        explicit_bzero(v, sizeof(*v) + v->len);
        free(v);
    }
    trie_release(&k->trie);
    known_filter_release(&k->filter);
    free(k->fails);
    known_room_free(k->prints, k->prints_cap * sizeof(*k->prints));
    known_room_free(k->texts, k->texts_cap * sizeof(*k->texts));
    known_room_free(k->late, k->late_cap * sizeof(*k->late));
    known_room_free(k->forms, k->forms_cap * sizeof(*k->forms));
    free(k);
}

/* ---- values ------------------------------------------------------------------------ */

static enum err_code forms_add(struct known *k, const uint8_t *bytes, size_t len, uint16_t id,
                               enum known_which which)
{
    const struct known_text text = {.bytes = bytes,
                                    .len = (uint32_t)len,
                                    .id = id,
                                    .classes = form_classes(bytes, len),
                                    .which = (uint8_t)which};

    if (len < KNOWN_FLOOR)
        return ERR_NONE;
    k->changes++;
    return known_late_suits(&text) ? known_late_add(k, &text) : known_forms_add(k, &text, true);
}

static struct value *value_new(struct known *k, size_t room)
{
    struct value *v = malloc(sizeof(*v) + room);

    if (v == NULL)
        return NULL;
    v->len = 0;
    v->next = k->values;
    k->values = v;
    k->value_bytes += sizeof(*v) + room;
    return v;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Without the blanks and line ends around it. */
static struct raw_span trim(const char *text, size_t len)
{
    while (len > 0 && is_space((uint8_t)text[len - 1]))
        len--;
    while (len > 0 && is_space((uint8_t)*text)) {
        text++;
        len--;
    }
    return (struct raw_span){text, len};
}

/* Copies with every line end (CR* LF) as LF or, wide, as CR LF. True if there was one. */
static bool copy_lines(struct value *v, struct raw_span text, bool wide)
{
    bool lines = false;

    for (size_t i = 0; i < text.len; i++) {
        size_t end = i;

        while (end < text.len && text.ptr[end] == '\r')
            end++;
        if (end < text.len && text.ptr[end] == '\n') {
            if (wide)
                v->bytes[v->len++] = '\r';
            i = end;
            lines = true;
        }
        v->bytes[v->len++] = (uint8_t)text.ptr[i];
    }
    return lines;
}

/* Leaves out escape sequences, as the scanner does in the stream. */
static void drop_escapes(struct value *v)
{
    size_t kept = 0;
    struct known_escape escape = {0, 0};

    for (size_t i = 0; i < v->len; i++) {
        if (!known_escape_takes(&escape, v->bytes[i]))
            v->bytes[kept++] = v->bytes[i];
    }
    explicit_bzero(v->bytes + kept, v->len - kept);
    v->len = kept;
}

/* "-----BEGIN X-----" and its END: no secret, and what other rules go by. */
static bool is_pem_boundary(struct raw_span line)
{
    static const char dashes[] = "-----";
    size_t n = sizeof(dashes) - 1;

    return line.len > 2 * n && memcmp(line.ptr, dashes, n) == 0 &&
           memcmp(line.ptr + line.len - n, dashes, n) == 0;
}

static enum err_code lines_add(struct known *k, const struct value *v, uint16_t id)
{
    enum err_code rc = ERR_NONE;
    size_t begin = 0;
    size_t n = 0;

    while (begin < v->len && rc == ERR_NONE) {
        const uint8_t *text = v->bytes + begin;
        const uint8_t *lf = memchr(text, '\n', v->len - begin);
        size_t len = lf != NULL ? (size_t)(lf - text) : v->len - begin;
        struct raw_span line = trim((const char *)text, len);

        if (!is_pem_boundary(line))
            rc = forms_add(k, (const uint8_t *)line.ptr, line.len, id,
                           n++ < KNOWN_LINES_FULL ? FORMS_ALL : FORMS_LEGIBLE);
        begin += len + 1;
    }
    return rc;
}

/* The forms of one spelling of a value. */
static enum err_code spelling_add(struct known *k, struct raw_span text, uint16_t id,
                                  bool no_escapes)
{
    struct value *v = value_new(k, text.len);
    struct value *wide;
    bool lines;
    enum err_code rc;

    if (v == NULL)
        return ERR_MEMORY;
    lines = copy_lines(v, text, false);
    if (no_escapes)
        drop_escapes(v);
    rc = forms_add(k, v->bytes, v->len, id, FORMS_ALL);
    if (rc != ERR_NONE || !lines)
        return rc;
    rc = lines_add(k, v, id);
    if (rc != ERR_NONE)
        return rc;
    wide = value_new(k, 2 * v->len);
    if (wide == NULL)
        return ERR_MEMORY;
    copy_lines(wide, (struct raw_span){(const char *)v->bytes, v->len}, true);
    return forms_add(k, wide->bytes, wide->len, id, FORMS_LINES_SHOWN);
}

enum err_code known_add(struct known *k, const char *value, size_t len, uint16_t id, struct err *e)
{
    struct raw_span text = trim(value, len);
    enum err_code rc;

    if (text.len < KNOWN_FLOOR)
        return err_set(e, ERR_REFUSED, what, "", "it has less than %d bytes", KNOWN_FLOOR);
    if (text.len > KNOWN_VALUE_MAX)
        return err_set(e, ERR_REFUSED, what, "", "it has more than %d bytes", KNOWN_VALUE_MAX);
    rc = spelling_add(k, text, id, false);
    if (rc == ERR_NONE && memchr(text.ptr, KNOWN_ESC, text.len) != NULL)
        rc = spelling_add(k, text, id, true);
    if (rc != ERR_NONE)
        return no_memory(e);
    k->n_values++;
    return ERR_NONE;
}

/* ---- the rest ---------------------------------------------------------------------- */

size_t known_count(const struct known *k)
{
    return k->n_values;
}

size_t known_form_count(struct known *k)
{
    known_late_all(k);
    return k->n_forms - 1;
}

size_t known_memory(const struct known *k)
{
    return sizeof(*k) + k->value_bytes + known_room_size(k->forms_cap * sizeof(*k->forms)) +
           known_room_size(k->trie.nodes_cap * sizeof(*k->trie.nodes)) +
           known_room_size(k->trie.links_cap * sizeof(*k->trie.links)) +
           known_room_size(k->prints_cap * sizeof(*k->prints)) +
           known_room_size(k->texts_cap * sizeof(*k->texts)) +
           known_room_size(k->late_cap * sizeof(*k->late)) +
           (k->fails != NULL ? FAILS * sizeof(*k->fails) : 0) +
           known_room_size(k->filter.n_words * sizeof(*k->filter.words)) +
           known_room_size(k->filter.near_words * sizeof(*k->filter.near));
}

void known_each_form(struct known *k, known_form_fn *fn, void *ctx)
{
    known_late_all(k);
    for (uint32_t i = 1; i < k->n_forms; i++) {
        const struct form *f = &k->forms[i];
        struct form_iter it;

        form_iter_init(&it, f->encoding, f->text, f->text_len);
        fn(ctx, &it, f->id);
    }
}

void known_prepare(struct known *k)
{
    size_t more = k->n_prints - k->filtered;

    if (more == 0 || k->unfiltered)
        return;
    if (!known_filter_fits(&k->filter, k->shortest, more)) {
        known_filter_release(&k->filter);
        k->filtered = 0;
        k->unfiltered = known_filter_init(&k->filter, k->n_prints, k->shortest) != ERR_NONE;
    }
    for (; k->filtered < k->n_prints && !k->unfiltered; k->filtered++) {
        if (k->filtered + PRINTS_AHEAD < k->n_prints)
            known_filter_fetch(&k->filter, k->prints[k->filtered + PRINTS_AHEAD].bytes);
        known_filter_add(&k->filter, k->prints[k->filtered].bytes);
    }
    known_filter_added(&k->filter);
}

bool known_fails_ready(struct known *k)
{
    if (k->fails != NULL && k->fails_changes == k->changes)
        return true;
    if (k->fails == NULL)
        k->fails = malloc(FAILS * sizeof(*k->fails));
    if (k->fails == NULL)
        return false;
    memset(k->fails, 0, FAILS * sizeof(*k->fails));
    k->fails_changes = k->changes;
    return true;
}
