// SPDX-License-Identifier: MIT
/* The forms of a text, put into the trie. Called by known.c, or, when a scan comes by, by
   known_late.c. */
#include <string.h>

#include "redact/known_room.h"
#include "redact/known_set.h"

/* FNV-1a of 32 bits. */
#define HASH_BEGIN UINT32_C(0x811c9dc5)
#define HASH_PRIME UINT32_C(0x01000193)

/* Forms as they are about to be added. */
struct drafts {
    struct known *known;
    size_t n;
    size_t first_print; /* of this text */
    bool prints;
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

static enum err_code form_add(struct drafts *d, struct form *form, const struct head_bytes *head)
{
    struct known *k = d->known;
    uint32_t node;
    enum err_code rc = known_forms_reserve(k, 1);

    if (rc == ERR_NONE && d->prints)
        rc = known_prints_reserve(k, 1);
    if (rc == ERR_NONE)
        rc = trie_insert(&k->trie, head, &node);
    if (rc == ERR_NONE && form_hang(k, form, node) && d->prints)
        known_print_add(k, head->bytes, head->len, d->first_print);
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

bool known_text_takes(const struct known_text *t, size_t encoding)
{
    return form_applies(encoding, t->classes, t->len) &&
           (t->which != FORMS_LINES_SHOWN || form_shows_lines(encoding)) &&
           (t->which != FORMS_LEGIBLE || form_is_legible(encoding));
}

enum err_code known_forms_add(struct known *k, const struct known_text *t, bool prints)
{
    struct form form = {.text = t->bytes, .text_len = t->len, .id = t->id};
    struct drafts d;
    enum err_code rc = ERR_NONE;

    d.known = k;
    d.n = 0;
    d.first_print = k->n_prints;
    d.prints = prints;
    d.split = false;
    for (size_t i = 0; i < form_encoding_count() && rc == ERR_NONE; i++) {
        if (!known_text_takes(t, i) || (form_is_variant(i) && !d.split))
            continue;
        form.encoding = (uint8_t)i;
        rc = draft_add(&d, &form);
    }
    if (rc == ERR_NONE)
        rc = drafts_add(&d);
    explicit_bzero(&d, sizeof(d));
    return rc;
}
