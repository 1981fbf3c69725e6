// SPDX-License-Identifier: MIT
/* The trie of the heads of all forms. */
#include <string.h>

#include "redact/known_room.h"
#include "redact/known_set.h"

enum {
    NODES_FIRST = 20, /* heads */
    NODES_OWN = 2, /* behind a chain: struct own_end */
    LINKS_FIRST = 128,
    LINKS_RESERVE = 3,
    NODE_ROOT = 0
};

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

static void add_link(struct trie *t, uint32_t node, unsigned what, uint32_t to)
{
    link_put(t, link_key(node, what) << LINK_BITS | to);
    t->n_links++;
}

/* ---- ends -------------------------------------------------------------------------- */

/* What stands behind the last node of a chain: most forms end in one of their own, and each link
   would be a miss of the cache. */
struct own_end {
    uint32_t form : LINK_BITS; /* 0: none yet */
    uint32_t what : 2; /* enum trie_what, less END_FORM */
};

_Static_assert(sizeof(struct own_end) == NODES_OWN * sizeof(struct trie_node), "it has room");

static struct own_end own_end(const struct trie *t, uint32_t node)
{
    struct own_end own;

    memcpy(&own, &t->nodes[node + 1], sizeof(own));
    return own;
}

uint32_t trie_end(const struct trie *t, uint32_t node, enum trie_what what)
{
    if ((t->nodes[node].flags & NODE_OWN) != 0) {
        struct own_end own = own_end(t, node);

        if (own.form == 0 || own.what == what - END_FORM)
            return own.form; /* 0: nor is there a link, which only the second end gets */
    }
    return trie_link(t, node, what);
}

void trie_add_end(struct trie *t, uint32_t node, enum trie_what what, uint32_t form)
{
    struct own_end own = {.form = form & (NODES_MAX - 1), .what = (what - END_FORM) & 3};

    if ((t->nodes[node].flags & NODE_OWN) != 0 && own_end(t, node).form == 0)
        memcpy(&t->nodes[node + 1], &own, sizeof(own));
    else
        add_link(t, node, what, form);
}

static enum err_code links_grow(struct trie *t, uint32_t cap)
{
    uint64_t *old = t->links;
    uint32_t old_cap = t->links_cap;
    uint64_t *links = known_room_new(cap * sizeof(*links));

    if (links == NULL)
        return ERR_MEMORY;
    t->links = links;
    t->links_cap = cap;
    t->links_shift = 64U - (unsigned)__builtin_ctz(cap);
    for (uint32_t i = 0; i < old_cap; i++) {
        if (old[i] != 0)
            link_put(t, old[i]);
    }
    known_room_free(old, old_cap * sizeof(*old));
    return ERR_NONE;
}

/* ---- nodes ------------------------------------------------------------------------- */

/* Room for n more heads beside those that it is kept for. */
static enum err_code reserve(struct trie *t, uint32_t n)
{
    uint64_t heads = (uint64_t)t->spare + n;
    uint64_t nodes = t->n_nodes + heads * (KNOWN_HEAD + NODES_OWN);
    uint64_t links = t->n_links + heads + LINKS_RESERVE; /* each head brings one at most */
    uint32_t cap = t->links_cap;
    void *room;

    if (nodes >= NODES_MAX)
        return ERR_MEMORY;
    room = known_room_grown(t->nodes, &t->nodes_cap, sizeof(*t->nodes), t->n_nodes, nodes);
    if (room == NULL)
        return ERR_MEMORY;
    t->nodes = room;
    /* At most 3 of 4 slots in use: linear probing stays short. */
    while (links * 4 > cap * UINT64_C(3))
        cap *= 2;
    return cap > t->links_cap ? links_grow(t, cap) : ERR_NONE;
}

enum err_code trie_spare(struct trie *t, uint32_t n)
{
    enum err_code rc = reserve(t, n);

    if (rc == ERR_NONE)
        t->spare += n;
    return rc;
}

enum err_code trie_init(struct trie *t)
{
    enum err_code rc;

    *t = (struct trie){.nodes_cap = 0};
    rc = links_grow(t, LINKS_FIRST);
    if (rc == ERR_NONE)
        rc = reserve(t, NODES_FIRST);
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
    known_room_free(t->nodes, t->nodes_cap * sizeof(*t->nodes));
    known_room_free(t->links, t->links_cap * sizeof(*t->links));
    explicit_bzero(t, sizeof(*t));
}

uint32_t trie_form_below(const struct trie *t, uint32_t node)
{
    while ((t->nodes[node].flags & (NODE_FORM | NODE_TAIL)) == 0)
        node++; /* one with neither is followed by its child */
    return trie_end(t, node, (t->nodes[node].flags & NODE_FORM) != 0 ? END_FORM : END_TAIL);
}

/* Way that was there already. */
static void mark(struct trie *t, const struct head_bytes *head, uint32_t node, uint32_t depth)
{
    if (head->joins >> depth & 1) {
        t->nodes[node].flags |= NODE_JOIN;
        t->joins = true;
    }
    if (depth >= head->armed)
        t->nodes[node].flags |= NODE_ARMED;
}

/* The line ends in n nodes, the first of them `depth` bytes from the root. */
static void mark_joins(struct trie *t, const struct head_bytes *head, struct trie_node *nodes,
                       uint32_t n, uint32_t depth)
{
    for (uint32_t i = 0; i < n; i++) {
        if (head->joins >> (depth + i) & 1) {
            nodes[i].flags |= NODE_JOIN;
            t->joins = true;
        }
    }
}

/* The rest of the head from depth on, as a chain whose first node hangs on `node`. Most heads have
   little in common with others, so most of what is built is here. */
static uint32_t add_chain(struct trie *t, const struct head_bytes *head, uint32_t node,
                          uint32_t depth)
{
    uint32_t first = t->n_nodes;
    uint32_t n = head->len - depth;
    struct trie_node *nodes = &t->nodes[first];

    if (node == NODE_ROOT) {
        t->root[head->bytes[0]] = first;
    } else {
        add_link(t, node, head->bytes[depth], first);
        t->nodes[node].flags |= NODE_BRANCH;
    }
    for (uint32_t i = 0; i < n; i++) {
        bool armed = depth + 1 + i >= head->armed;

        nodes[i].byte = head->bytes[depth + i];
        nodes[i].flags = (uint8_t)(NODE_CHAIN | (armed ? NODE_ARMED : 0));
    }
    nodes[n - 1].flags ^= NODE_CHAIN | NODE_OWN; /* behind it are zeros */
    if (head->joins != 0)
        mark_joins(t, head, nodes, n, depth + 1);
    t->n_nodes += n + NODES_OWN;
    return first + n - 1;
}

void trie_fetch(const struct trie *t, const struct head_bytes *heads, size_t n)
{
    enum { DEPTH = 4 }; /* among many random values, few have more in common */
    uint32_t at[TRIE_FETCH_MAX];

    for (size_t i = 0; i < n; i++)
        at[i] = t->root[heads[i].bytes[0]];
    for (uint32_t depth = 1; depth < DEPTH; depth++) {
        for (size_t i = 0; i < n; i++) {
            __builtin_prefetch(&t->nodes[at[i]]);
            __builtin_prefetch(&t->links[link_slot(t, link_key(at[i], heads[i].bytes[depth]))]);
        }
        for (size_t i = 0; i < n; i++) {
            if (at[i] != NODE_ROOT)
                at[i] = trie_child(t, at[i], heads[i].bytes[depth]);
        }
    }
}

enum err_code trie_insert(struct trie *t, const struct head_bytes *head, uint32_t *node)
{
    uint32_t at = NODE_ROOT;
    uint32_t depth = 0;
    enum err_code rc = reserve(t, 1);

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
