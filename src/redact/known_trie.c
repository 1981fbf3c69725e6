// SPDX-License-Identifier: MIT
/* The trie of the heads of all forms. It spells out secrets: memory given up is zeroed. */
#include <stdlib.h>
#include <string.h>

#include "redact/known_set.h"

enum { NODES_FIRST = 1024, LINKS_FIRST = 128, LINKS_RESERVE = 3, NODE_ROOT = 0 };

#define NODES_MAX (UINT32_C(1) << LINK_BITS)

/* ---- links ------------------------------------------------------------------------- */

static uint64_t link_key(uint32_t node, unsigned what)
{
    return (uint64_t)node << 9 | what;
}

static uint32_t link_slot(const struct trie *t, uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> t->links_shift);
}

uint32_t trie_link(const struct trie *t, uint32_t node, unsigned what)
{
    uint64_t key = link_key(node, what);
    uint32_t mask = t->links_cap - 1;

    for (uint32_t i = link_slot(t, key);; i = (i + 1) & mask) {
        uint64_t entry = t->links[i];

        if (entry >> LINK_BITS == key && entry != 0)
            return (uint32_t)(entry & (NODES_MAX - 1));
        if (entry == 0)
            return 0;
    }
}

static void link_put(struct trie *t, uint64_t entry)
{
    uint32_t mask = t->links_cap - 1;
    uint32_t i = link_slot(t, entry >> LINK_BITS);

    while (t->links[i] != 0)
        i = (i + 1) & mask;
    t->links[i] = entry;
}

void trie_add_link(struct trie *t, uint32_t node, unsigned what, uint32_t to)
{
    link_put(t, link_key(node, what) << LINK_BITS | to);
    t->n_links++;
}

static void wipe_free(void *data, size_t len)
{
    if (data == NULL)
        return;
    explicit_bzero(data, len);
    free(data);
}

static enum err_code links_grow(struct trie *t, uint32_t cap)
{
    uint64_t *old = t->links;
    uint32_t old_cap = t->links_cap;
    uint64_t *links = calloc(cap, sizeof(*links));

    if (links == NULL)
        return ERR_MEMORY;
    t->links = links;
    t->links_cap = cap;
    t->links_shift = 64U - (unsigned)__builtin_ctz(cap);
    for (uint32_t i = 0; i < old_cap; i++) {
        if (old[i] != 0)
            link_put(t, old[i]);
    }
    wipe_free(old, old_cap * sizeof(*old));
    return ERR_NONE;
}

/* ---- nodes ------------------------------------------------------------------------- */

/* Not realloc, which would leave the old bytes behind. */
static enum err_code nodes_grow(struct trie *t, uint32_t cap)
{
    struct trie_node *nodes = calloc(cap, sizeof(*nodes));

    if (nodes == NULL)
        return ERR_MEMORY;
    if (t->n_nodes > 0)
        memcpy(nodes, t->nodes, t->n_nodes * sizeof(*nodes));
    wipe_free(t->nodes, t->nodes_cap * sizeof(*nodes));
    t->nodes = nodes;
    t->nodes_cap = cap;
    return ERR_NONE;
}

static enum err_code reserve(struct trie *t)
{
    enum err_code rc = ERR_NONE;

    if (t->n_nodes + KNOWN_HEAD >= NODES_MAX)
        return ERR_MEMORY;
    if (t->n_nodes + KNOWN_HEAD > t->nodes_cap)
        rc = nodes_grow(t, t->nodes_cap * 2);
    /* At most 3 of 4 slots in use: linear probing stays short. */
    if (rc == ERR_NONE && (t->n_links + LINKS_RESERVE) * UINT64_C(4) > t->links_cap * UINT64_C(3))
        rc = links_grow(t, t->links_cap * 2);
    return rc;
}

enum err_code trie_init(struct trie *t)
{
    enum err_code rc;

    *t = (struct trie){.nodes_cap = 0};
    rc = nodes_grow(t, NODES_FIRST);
    if (rc == ERR_NONE)
        rc = links_grow(t, LINKS_FIRST);
    if (rc != ERR_NONE) {
        trie_release(t);
        return rc;
    }
    t->nodes[NODE_ROOT] = (struct trie_node){0, 0};
    t->n_nodes = 1;
    return ERR_NONE;
}

void trie_release(struct trie *t)
{
    wipe_free(t->nodes, t->nodes_cap * sizeof(*t->nodes));
    wipe_free(t->links, t->links_cap * sizeof(*t->links));
    explicit_bzero(t, sizeof(*t));
}

uint32_t trie_form_below(const struct trie *t, uint32_t node)
{
    while ((t->nodes[node].flags & (NODE_FORM | NODE_TAIL)) == 0)
        node++; /* one with neither is followed by its child */
    return trie_link(t, node, (t->nodes[node].flags & NODE_FORM) != 0 ? LINK_FORM : LINK_TAIL);
}

static void mark(struct trie *t, const struct head_bytes *head, uint32_t node, uint32_t depth)
{
    if (head->joins >> depth & 1) {
        t->nodes[node].flags |= NODE_JOIN;
        t->joins = true;
    }
    if (depth >= head->armed)
        t->nodes[node].flags |= NODE_ARMED;
}

/* The rest of the head from depth on, as a chain whose first node hangs on `node`. */
static uint32_t add_chain(struct trie *t, const struct head_bytes *head, uint32_t node,
                          uint32_t depth)
{
    uint32_t first = t->n_nodes;

    if (node == NODE_ROOT) {
        t->root[head->bytes[0]] = first;
    } else {
        trie_add_link(t, node, head->bytes[depth], first);
        t->nodes[node].flags |= NODE_BRANCH;
    }
    while (depth < head->len) {
        bool last = depth + 1 == head->len;

        node = t->n_nodes++;
        t->nodes[node] = (struct trie_node){head->bytes[depth], last ? 0 : NODE_CHAIN};
        mark(t, head, node, ++depth);
    }
    return node;
}

enum err_code trie_insert(struct trie *t, const struct head_bytes *head, uint32_t *node)
{
    uint32_t at = NODE_ROOT;
    uint32_t depth = 0;
    enum err_code rc = reserve(t);

    if (rc != ERR_NONE)
        return rc;
    while (depth < head->len) {
        uint32_t child = trie_child(t, at, head->bytes[depth]);

        if (child == 0)
            break;
        at = child;
        mark(t, head, at, ++depth);
    }
    *node = depth < head->len ? add_chain(t, head, at, depth) : at;
    return ERR_NONE;
}
