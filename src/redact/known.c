// SPDX-License-Identifier: MIT
/* The set of known values: what is added, and in which forms. */
#include "redact/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "redact/known_room.h"
#include "redact/known_set.h"

enum { FORMS_FIRST = 16 };

/* FNV-1a of 32 bits. */
#define HASH_BEGIN UINT32_C(0x811c9dc5)
#define HASH_PRIME UINT32_C(0x01000193)

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
    known_room_free(k->forms, k->forms_cap * sizeof(*k->forms));
    free(k);
}

/* ---- forms ------------------------------------------------------------------------- */

/* Forms as they are about to be added. */
struct drafts {
    struct known *known;
    size_t n;
    size_t first_print; /* of this text */
    bool split; /* of form_iter, after the last one */
    struct form forms[TRIE_FETCH_MAX];
    struct head_bytes heads[TRIE_FETCH_MAX];
};

/* Reads the form through: its head, its length and what the rest is told by. */
static void draft_read(struct drafts *d, struct form *form, struct head_bytes *head)
{
    struct form_iter it;
    uint32_t len = 0;
    uint32_t hash = HASH_BEGIN;

    form_iter_init(&it, form->encoding, form->text, form->text_len);
    head->joins = 0;
    for (; form_iter_refill(&it); len += it.n) {
        uint32_t of_head = len < KNOWN_HEAD ? KNOWN_HEAD - len : 0;

        if (of_head > 0) {
            head->joins |= (uint64_t)it.joined << len;
            memcpy(head->bytes + len, it.unit, FORM_UNIT_MAX);
        }
        for (uint32_t i = of_head; i < it.n; i++)
            hash = (hash ^ it.unit[i]) * HASH_PRIME;
    }
    form->len = len;
    form->hash = hash;
    head->len = len < KNOWN_HEAD ? len : KNOWN_HEAD;
    head->armed = form_armed_at(len);
    d->split = it.split;
    explicit_bzero(&it, sizeof(it));
}

static bool same_form(const struct form *a, const struct form *b)
{
    struct form_iter x;
    struct form_iter y;
    int byte;

    if (a->len != b->len || a->hash != b->hash)
        return false;
    form_iter_init(&x, a->encoding, a->text, a->text_len);
    form_iter_init(&y, b->encoding, b->text, b->text_len);
    do {
        byte = form_iter_next(&x);
        if (byte != form_iter_next(&y))
            return false;
    } while (byte >= 0);
    return true;
}

/* Not realloc, which would leave the first bytes of secrets behind. */
static enum err_code forms_reserve(struct known *k)
{
    uint32_t cap = k->forms_cap > 0 ? k->forms_cap * 2 : FORMS_FIRST;
    struct form *forms;

    if (k->n_forms < k->forms_cap)
        return ERR_NONE;
    forms = malloc(cap * sizeof(*forms));
    if (forms == NULL)
        return ERR_MEMORY;
    if (k->forms != NULL) {
        memcpy(forms, k->forms, k->n_forms * sizeof(*forms));
        explicit_bzero(k->forms, k->forms_cap * sizeof(*forms));
        free(k->forms);
    }
    k->forms = forms;
    k->forms_cap = cap;
    return ERR_NONE;
}

/* The form hangs on its node, after those that hang there already. False: it is one of them. */
static bool form_hang(struct known *k, const struct form *form, uint32_t node)
{
    bool whole = form->len <= KNOWN_HEAD;
    uint8_t flag = whole ? NODE_FORM : NODE_TAIL;
    enum trie_what end = whole ? END_FORM : END_TAIL;
    uint32_t id = k->n_forms;
    uint32_t first = 0;

    if ((k->trie.nodes[node].flags & flag) != 0)
        first = trie_end(&k->trie, node, end);
    if (whole && first != 0)
        return false;
    for (uint32_t i = first; i != 0; i = k->forms[i].next) {
        if (same_form(&k->forms[i], form))
            return false;
    }
    k->forms[id] = *form;
    k->forms[id].next = 0;
    if (first != 0) {
        k->forms[id].next = k->forms[first].next;
        k->forms[first].next = id;
    } else {
        trie_add_end(&k->trie, node, end, id);
        k->trie.nodes[node].flags |= flag;
    }
    k->n_forms++;
    if (form->len < k->shortest)
        k->shortest = form->len;
    return true;
}

/* Not realloc, either. */
static enum err_code prints_reserve(struct known *k)
{
    size_t cap = k->prints_cap > 0 ? k->prints_cap * 2 : FORMS_FIRST;
    struct form_print *prints;

    if (k->n_prints < k->prints_cap)
        return ERR_NONE;
    prints = known_room_new(cap * sizeof(*prints));
    if (prints == NULL)
        return ERR_MEMORY;
    if (k->n_prints > 0)
        memcpy(prints, k->prints, k->n_prints * sizeof(*prints));
    known_room_free(k->prints, k->prints_cap * sizeof(*k->prints));
    k->prints = prints;
    k->prints_cap = cap;
    return ERR_NONE;
}

/* How a form begins, unless another one of the same text, whose prints are those from `first` on,
   begins so. There is room. */
static void print_add(struct known *k, const uint8_t *bytes, size_t len, size_t first)
{
    struct form_print print = {{0}};

    memcpy(print.bytes, bytes, len < FILTER_PRINT ? len : FILTER_PRINT);
    for (size_t i = first; i < k->n_prints; i++) {
        if (memcmp(&k->prints[i], &print, sizeof(print)) == 0)
            return;
    }
    k->prints[k->n_prints++] = print;
}

static enum err_code form_add(struct drafts *d, struct form *form, const struct head_bytes *head)
{
    struct known *k = d->known;
    uint32_t node;
    enum err_code rc = forms_reserve(k);

    if (rc == ERR_NONE)
        rc = prints_reserve(k);
    if (rc == ERR_NONE)
        rc = trie_insert(&k->trie, head, &node);
    if (rc == ERR_NONE && form_hang(k, form, node))
        print_add(k, head->bytes, head->len, d->first_print);
    return rc;
}

static enum err_code drafts_add(struct drafts *d)
{
    enum err_code rc = ERR_NONE;

    trie_fetch(&d->known->trie, d->heads, d->n);
    for (size_t i = 0; i < d->n && rc == ERR_NONE; i++)
        rc = form_add(d, &d->forms[i], &d->heads[i]);
    d->n = 0;
    return rc;
}

static enum err_code draft_add(struct drafts *d, const struct form *form)
{
    size_t i = d->n;

    d->forms[i] = *form;
    draft_read(d, &d->forms[i], &d->heads[i]);
    if (d->forms[i].len >= KNOWN_FLOOR)
        d->n++;
    return d->n == TRIE_FETCH_MAX ? drafts_add(d) : ERR_NONE;
}

/* ---- values ------------------------------------------------------------------------ */

enum which { FORMS_ALL, FORMS_LINES_SHOWN, FORMS_LEGIBLE };

static enum err_code forms_add(struct known *k, const uint8_t *text, size_t len, uint16_t id,
                               enum which which)
{
    uint16_t classes = form_classes(text, len);
    struct form form = {.text = text, .text_len = (uint32_t)len, .id = id};
    struct drafts d;
    enum err_code rc = ERR_NONE;

    if (len < KNOWN_FLOOR)
        return ERR_NONE;
    d.known = k;
    d.n = 0;
    d.first_print = k->n_prints;
    d.split = false;
    for (size_t i = 0; i < form_encoding_count() && rc == ERR_NONE; i++) {
        if (!form_applies(i, classes, len) ||
            (which == FORMS_LINES_SHOWN && !form_shows_lines(i)) ||
            (which == FORMS_LEGIBLE && !form_is_legible(i)) || (form_is_variant(i) && !d.split))
            continue;
        form.encoding = (uint8_t)i;
        rc = draft_add(&d, &form);
    }
    if (rc == ERR_NONE)
        rc = drafts_add(&d);
    explicit_bzero(&d, sizeof(d));
    return rc;
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

size_t known_form_count(const struct known *k)
{
    return k->n_forms - 1;
}

size_t known_memory(const struct known *k)
{
    return sizeof(*k) + k->value_bytes + known_room_size(k->forms_cap * sizeof(*k->forms)) +
           known_room_size(k->trie.nodes_cap * sizeof(*k->trie.nodes)) +
           known_room_size(k->trie.links_cap * sizeof(*k->trie.links)) +
           known_room_size(k->prints_cap * sizeof(*k->prints)) +
           (k->fails != NULL ? FAILS * sizeof(*k->fails) : 0) +
           known_room_size(k->filter.n_words * sizeof(*k->filter.words)) +
           known_room_size(k->filter.near_words * sizeof(*k->filter.near));
}

void known_each_form(const struct known *k, known_form_fn *fn, void *ctx)
{
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
    for (; k->filtered < k->n_prints && !k->unfiltered; k->filtered++)
        known_filter_add(&k->filter, k->prints[k->filtered].bytes);
    known_filter_added(&k->filter);
}

bool known_fails_ready(struct known *k)
{
    if (k->fails != NULL && k->fails_forms == k->n_forms)
        return true;
    if (k->fails == NULL)
        k->fails = malloc(FAILS * sizeof(*k->fails));
    if (k->fails == NULL)
        return false;
    memset(k->fails, 0, FAILS * sizeof(*k->fails));
    k->fails_forms = k->n_forms;
    return true;
}
