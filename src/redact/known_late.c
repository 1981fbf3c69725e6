// SPDX-License-Identifier: MIT
/*
 * Forms that are put into the trie only when a scan comes near. Of thousands of values, hardly any
 * are in a log; what is asked of the others is how their forms begin. That is all that is made of
 * them at first: their prints for the filter, and their first LATE_DEPTH bytes in the trie, where
 * the last node (a stub) says which texts go on behind it. A scan that comes to a stub has the
 * texts put in before it goes on, so that it never sees more or less than the whole.
 *
 * All forms of a text are put in at once: behind a stub that has been come to, nothing is added
 * but by known_add. Room for all of them is kept from the first on: it cannot fail.
 *
 * Called by known.c, and known_scan.c through known_set.h.
 */
#include <assert.h>
#include <string.h>

#include "redact/known_room.h"
#include "redact/known_set.h"

enum {
    LATE_DEPTH = 4, /* few values share as many bytes with a log */
    LATE_FORMS_MAX = 32 /* more take too much room, should they never be needed */
};

_Static_assert((int)LATE_DEPTH < (int)KNOWN_FLOOR, "nothing ends at a stub, or is armed there");
_Static_assert((int)LATE_FORMS_MAX < UINT8_MAX, "they are counted in a byte");

enum err_code known_prints_reserve(struct known *k, size_t n)
{
    void *room = known_room_grown(k->prints, &k->prints_cap, sizeof(*k->prints), k->n_prints,
                                  k->n_prints + n);

    if (room == NULL)
        return ERR_MEMORY;
    k->prints = room;
    return ERR_NONE;
}

enum err_code known_forms_reserve(struct known *k, uint32_t n)
{
    void *room = known_room_grown(k->forms, &k->forms_cap, sizeof(*k->forms), k->n_forms,
                                  (uint64_t)k->n_forms + k->trie.spare + n);

    if (room == NULL)
        return ERR_MEMORY;
    k->forms = room;
    return ERR_NONE;
}

void known_print_add(struct known *k, const uint8_t *bytes, size_t len, size_t first)
{
    struct form_print print = {{0}};

    memcpy(print.bytes, bytes, len < FILTER_PRINT ? len : FILTER_PRINT);
    for (size_t i = first; i < k->n_prints; i++) {
        if (memcmp(&k->prints[i], &print, sizeof(print)) == 0)
            return;
    }
    k->prints[k->n_prints++] = print;
}

/* ---- what is made at first --------------------------------------------------------- */

/* How the forms of a text begin. */
struct begins {
    size_t n; /* different ones: heads, of LATE_DEPTH bytes */
    size_t n_forms;
    size_t first_print;
    struct head_bytes heads[LATE_FORMS_MAX];
};

bool known_late_suits(const struct known_text *t)
{
    return t->len >= FILTER_PRINT && (t->classes & (HAS_NEWLINE | HAS_CONTROL | HAS_HIGH)) == 0;
}

static void begin_add(struct begins *b, const uint8_t *bytes)
{
    struct head_bytes *head = &b->heads[b->n];

    b->n_forms++;
    for (size_t i = 0; i < b->n; i++) {
        if (memcmp(b->heads[i].bytes, bytes, LATE_DEPTH) == 0)
            return;
    }
    memcpy(head->bytes, bytes, LATE_DEPTH);
    head->len = LATE_DEPTH;
    head->armed = UINT32_MAX;
    head->joins = 0;
    b->n++;
}

/* Reads the form's first bytes, FILTER_PRINT or more. */
static void form_begin(struct form_iter *it, const struct known_text *t, size_t encoding,
                       uint8_t bytes[FILTER_PRINT + FORM_UNIT_MAX])
{
    size_t n = 0;

    form_iter_init(it, encoding, t->bytes, t->len);
    for (; n < FILTER_PRINT && form_iter_refill(it); n += it->n)
        memcpy(bytes + n, it->unit, FORM_UNIT_MAX);
    assert(n >= FILTER_PRINT);
}

/* False: the text has too many forms. There is room for as many prints. */
static bool begins_read(struct known *k, const struct known_text *t, struct begins *b)
{
    uint8_t bytes[FILTER_PRINT + FORM_UNIT_MAX];
    bool alike = form_classes(t->bytes, FILTER_PRINT) == 0;
    struct form_iter it = {.split = false};

    b->n = b->n_forms = 0;
    b->first_print = k->n_prints;
    for (size_t i = 0; i < form_encoding_count(); i++) {
        if (!known_text_takes(t, i))
            continue;
        if (b->n_forms == LATE_FORMS_MAX)
            return false;
        if (alike && form_is_legible(i)) {
            begin_add(b, t->bytes);
            known_print_add(k, t->bytes, t->len, b->first_print);
        } else if (form_is_variant(i) && !it.split) {
            b->n_forms++; /* begins as the one before */
        } else {
            form_begin(&it, t, i, bytes);
            begin_add(b, bytes);
            known_print_add(k, bytes, FILTER_PRINT, b->first_print);
        }
    }
    explicit_bzero(bytes, sizeof(bytes));
    explicit_bzero(&it, sizeof(it));
    return true;
}

/* The text goes on behind the stub. There is room. */
static void stub_hang(struct known *k, uint32_t node, uint32_t text)
{
    uint32_t first = trie_end(&k->trie, node, END_LATE);
    uint32_t id = k->n_late++;

    k->late[id] = (struct known_late){.next = 0, .text = text};
    if (first != 0) {
        k->late[id].next = k->late[first].next;
        k->late[first].next = id;
    } else {
        trie_add_end(&k->trie, node, END_LATE, id);
    }
    k->trie.nodes[node].flags |= NODE_LATE;
}

static enum err_code stubs_add(struct known *k, const struct begins *b, uint32_t text)
{
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < b->n && rc == ERR_NONE; i++) {
        uint32_t node;

        if (i % TRIE_FETCH_MAX == 0)
            trie_fetch(&k->trie, b->heads + i,
                       b->n - i < TRIE_FETCH_MAX ? b->n - i : TRIE_FETCH_MAX);
        rc = trie_insert(&k->trie, &b->heads[i], &node);
        if (rc == ERR_NONE)
            stub_hang(k, node, text);
    }
    return rc;
}

/* For the text itself, and what is made of it at first. */
static enum err_code texts_reserve(struct known *k, size_t n_begins)
{
    void *room = known_room_grown(k->texts, &k->texts_cap, sizeof(*k->texts), k->n_texts,
                                  k->n_texts + UINT64_C(1));

    if (room == NULL)
        return ERR_MEMORY;
    k->texts = room;
    room = known_room_grown(k->late, &k->late_cap, sizeof(*k->late), k->n_late,
                            (uint64_t)k->n_late + n_begins);
    if (room == NULL)
        return ERR_MEMORY;
    k->late = room;
    return ERR_NONE;
}

static enum err_code late_reserve(struct known *k, const struct begins *b)
{
    enum err_code rc = texts_reserve(k, b->n);

    if (rc == ERR_NONE)
        rc = known_forms_reserve(k, (uint32_t)b->n_forms);
    return rc == ERR_NONE ? trie_spare(&k->trie, (uint32_t)b->n_forms) : rc;
}

enum err_code known_late_add(struct known *k, const struct known_text *t)
{
    struct begins b;
    enum err_code rc = known_prints_reserve(k, LATE_FORMS_MAX);

    if (rc != ERR_NONE)
        return rc;
    if (!begins_read(k, t, &b)) {
        k->n_prints = b.first_print;
        rc = known_forms_add(k, t, true);
    } else {
        rc = late_reserve(k, &b);
        if (rc == ERR_NONE) {
            k->texts[k->n_texts] = *t;
            k->texts[k->n_texts].n_forms = (uint8_t)b.n_forms;
            k->shortest = t->len < k->shortest ? t->len : k->shortest;
            rc = stubs_add(k, &b, k->n_texts++);
        }
    }
    explicit_bzero(b.heads, b.n * sizeof(b.heads[0]));
    return rc;
}

/* ---- what is made when a scan comes by ----------------------------------------------- */

static void text_put_in(struct known *k, struct known_text *t)
{
    enum err_code rc;

    if (t->n_forms == 0)
        return;
    k->trie.spare -= t->n_forms;
    t->n_forms = 0;
    rc = known_forms_add(k, t, false);
    assert(rc == ERR_NONE); /* there is room */
    (void)rc;
}

void known_late_put_in(struct known *k, uint32_t node)
{
    k->trie.nodes[node].flags &= (uint8_t)~NODE_LATE;
    for (uint32_t i = trie_end(&k->trie, node, END_LATE); i != 0; i = k->late[i].next)
        text_put_in(k, &k->texts[k->late[i].text]);
}

void known_late_all(struct known *k)
{
    for (uint32_t i = 0; i < k->n_texts; i++)
        text_put_in(k, &k->texts[i]);
}
