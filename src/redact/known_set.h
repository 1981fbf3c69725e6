// SPDX-License-Identifier: MIT
/*
 * Inside of a set of known values: the trie of the first KNOWN_HEAD bytes of every form, the
 * forms, and the filter that tells where one may begin.
 *
 * Called by known.c (which builds it) and known_scan.c (which walks it).
 */
#ifndef REDACT_KNOWN_SET_H
#define REDACT_KNOWN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "redact/known.h"

/* ---- trie (known_trie.c) ----------------------------------------------------------- */

enum node_flag {
    NODE_CHAIN = 1,  /* node + 1 is a child */
    NODE_BRANCH = 2, /* there are children among the links */
    NODE_FORM = 4,   /* a form ends here: trie_end of END_FORM */
    NODE_TAIL = 8,   /* the head of longer forms ends here: trie_end of END_TAIL */
    NODE_JOIN = 16,  /* a value has a line end here */
    NODE_ARMED = 32, /* of some form through here enough is read */
    NODE_OWN = 64,   /* what ends here stands behind it, in the room of two nodes */
    NODE_LATE = 128  /* more goes on here than is in the trie: known_late_put_in comes first */
};

struct trie_node {
    uint8_t byte; /* that leads here */
    uint8_t flags;
};

/*
 * Two bytes a node, 4 for each end and 8 for each branch: most nodes are on the way of one form,
 * and lie one after the other. Nodes never move in number. Node 0 is none.
 *
 * A link is from node (27 bits), what (9 bits: a byte, or an enum trie_what where a form ends that
 * did not bring its last node), to (27 bits), in one word, so that the table needs no second
 * access.
 */
struct trie {
    struct trie_node *nodes;
    uint32_t n_nodes;
    size_t nodes_cap;
    uint64_t *links; /* open addressing; 0: free */
    uint32_t n_links;
    uint32_t links_cap; /* a power of 2 */
    unsigned links_shift;
    uint32_t spare; /* heads that there is room for beside those that are in */
    bool joins; /* some node has NODE_JOIN */
    uint32_t root[256];
};

enum trie_what { END_FORM = 256, END_TAIL, END_LATE };
enum { LINK_BITS = 27, TRIE_FETCH_MAX = 8 };

/* The head of a form. */
struct head_bytes {
    uint8_t bytes[KNOWN_HEAD + FORM_UNIT_MAX]; /* len of them */
    uint32_t len;
    uint32_t armed;  /* depth from which it is armed */
    uint64_t joins;  /* bit n: a line end after n bytes */
};

enum err_code trie_init(struct trie *t) MUST_USE;
void trie_release(struct trie *t);

/* Fetches into the cache what the insertion of these heads will look at, of all at a time.
   At most TRIE_FETCH_MAX. */
void trie_fetch(const struct trie *t, const struct head_bytes *heads, size_t n);

/* Puts a head in; *node is its end, with room for one link. ERR_MEMORY: nothing changed. */
enum err_code trie_insert(struct trie *t, const struct head_bytes *head, uint32_t *node) MUST_USE;

/* Keeps room for n more heads: to take it, `spare` is lowered. ERR_MEMORY: nothing changed. */
enum err_code trie_spare(struct trie *t, uint32_t n) MUST_USE;

/* Where the link leads, 0: nowhere. */
uint32_t trie_link(const struct trie *t, uint32_t node, unsigned what);

/* The form that ends in the node, or the first with this head; 0: none. */
uint32_t trie_end(const struct trie *t, uint32_t node, enum trie_what what);

/* Some form whose head leads through the node. */
uint32_t trie_form_below(const struct trie *t, uint32_t node);

/* Adds an end that is not there, out of the reserve. */
void trie_add_end(struct trie *t, uint32_t node, enum trie_what what, uint32_t form);

static inline uint32_t trie_child(const struct trie *t, uint32_t node, uint8_t byte)
{
    uint8_t flags = t->nodes[node].flags;

    if (node == 0)
        return t->root[byte];
    if ((flags & NODE_CHAIN) != 0 && t->nodes[node + 1].byte == byte)
        return node + 1;
    return (flags & NODE_BRANCH) != 0 ? trie_link(t, node, byte) : 0;
}

/* ---- filter (known_filter.c) ------------------------------------------------------- */

enum {
    FILTER_PRINT = 15, /* leading bytes of a form that the filter looks at, at most */
    FILTER_RANGES = 4
};

struct byte_range {
    uint8_t first;
    uint8_t last;
};

/*
 * A Bloom filter over grams of `gram` bytes at the offsets 0 .. stride - 1 of each form: of the
 * grams at every stride-th logical position one lies in the beginning of every form. All bits
 * of a gram are in one word. n_words 0: no memory; every position is told.
 */
struct known_filter {
    uint64_t *words;
    size_t n_words; /* a power of 2, or 0 */
    unsigned shift;
    uint64_t *near; /* a bit for each gram, in less memory; NULL: there is none */
    size_t near_words;
    unsigned near_shift;
    bool near_weak; /* there are too many: only for weak ones (gram_is_weak) */
    uint32_t gram;
    uint32_t stride;
    size_t n_grams;
    uint64_t bytes[4]; /* a bit for each byte that is in some gram */
    uint8_t nibbles[16]; /* the same of ASCII: [low half of a byte], bit n: the high half is n */
    struct byte_range ranges[FILTER_RANGES]; /* all of these lie in them */
    uint32_t n_ranges; /* 0: they would rule out next to nothing */
};

/* Makes an empty filter for n prints of forms of at least `shortest` bytes. */
enum err_code known_filter_init(struct known_filter *f, size_t n, size_t shortest) MUST_USE;
void known_filter_release(struct known_filter *f);

/* Puts in a form by its first bytes, FILTER_PRINT of them. False: it is full, or cannot tell
   forms as short as that. */
bool known_filter_fits(const struct known_filter *f, size_t shortest, size_t n_more);
void known_filter_add(struct known_filter *f, const uint8_t print[FILTER_PRINT]);

/* Fetches into the cache what that will change. */
void known_filter_fetch(const struct known_filter *f, const uint8_t print[FILTER_PRINT]);

/* To be called after the last of them. */
void known_filter_added(struct known_filter *f);

/* The first position of data[from..len) where a form may begin that cannot be ruled out. */
size_t known_filter_find(const struct known_filter *f, const uint8_t *data, size_t len,
                         size_t from);

/* ---- the set (known.c) ------------------------------------------------------------- */

struct form {
    const uint8_t *text; /* within a value */
    uint32_t text_len;
    uint32_t len;  /* of the form */
    uint32_t next; /* with the same head, 0: none */
    uint32_t hash; /* of what is behind the head: many values may have that in common */
    uint16_t id;
    uint8_t encoding;
};

/* How forms begin: zeros behind one that is shorter. Most legible forms of a value share one. */
struct form_print {
    uint8_t bytes[FILTER_PRINT];
};

/* A copy of a value, in the spelling that its forms read. */
struct value {
    struct value *next;
    size_t len;
    uint8_t bytes[];
};

/* Which forms are wanted. */
enum known_which { FORMS_ALL, FORMS_LINES_SHOWN, FORMS_LEGIBLE };

/* A value or a line of one. */
struct known_text {
    const uint8_t *bytes; /* within a value */
    uint32_t len;
    uint16_t id;
    uint16_t classes; /* form_classes of it */
    uint8_t which;    /* enum known_which */
    uint8_t n_forms;  /* at most so many are still to be put into the trie */
};

/* A text behind a stub (known_late.c). */
struct known_late {
    uint32_t next; /* behind the same, 0: none */
    uint32_t text;
};

enum {
    FAILS = 2048,
    FAIL_MIN = 6, /* shorter heads are soon walked again */
    FAIL_FOUND_MAX = 4
};

/*
 * Where a scan goes on when the head at a node comes to nothing more: at the first start behind it
 * from which the same bytes lead to a node that has children. Kept for the nodes last asked for.
 */
struct known_fail {
    uint32_t of;   /* 0: free */
    uint32_t node; /* there; 0: none, all starts within are decided */
    uint32_t form; /* one that was found */
    uint8_t depth; /* of node */
    uint8_t n_found;
    struct {
        uint8_t begin; /* from the head's start */
        uint8_t end;
    } found[FAIL_FOUND_MAX]; /* what matches from the starts up to that one cover */
};

struct known {
    struct trie trie;
    struct known_fail *fails; /* FAILS of them, or NULL; that of a node is at its number % FAILS */
    uint32_t fails_changes;   /* what `changes` was then */
    uint32_t changes; /* texts added */
    struct value *values;
    size_t value_bytes;
    size_t n_values;
    struct form *forms; /* [0] is none */
    uint32_t n_forms; /* that are in the trie */
    size_t forms_cap;
    uint32_t shortest;   /* of the forms, or less */
    struct known_text *texts; /* whose forms come late */
    uint32_t n_texts;
    size_t texts_cap;
    struct known_late *late; /* [0] is none */
    uint32_t n_late;
    size_t late_cap;
    struct form_print *prints;
    size_t n_prints;
    size_t prints_cap;
    struct known_filter filter;
    size_t filtered;     /* prints that the filter knows */
    bool unfiltered;     /* no memory for a filter: go without */
};

/* ---- what is added (known_draft.c, known_late.c) ------------------------------------- */

/* False: the encoding makes no form of the text, or none that is wanted. (A variant may make the
   same form as the one before it.) */
bool known_text_takes(const struct known_text *t, size_t encoding);

/* Puts all forms of the text into the trie, and what they begin with, if that is asked, into the
   prints. ERR_MEMORY: some of them. */
enum err_code known_forms_add(struct known *k, const struct known_text *t, bool prints) MUST_USE;

/* Room for n more forms beside those that it is kept for. */
enum err_code known_forms_reserve(struct known *k, uint32_t n) MUST_USE;

/* Room for n more prints. */
enum err_code known_prints_reserve(struct known *k, size_t n) MUST_USE;

/* How a form begins, unless another one of the same text, whose prints are those from `first` on,
   begins so. There is room. */
void known_print_add(struct known *k, const uint8_t *bytes, size_t len, size_t first);

/* The text's forms may be put in later. */
bool known_late_suits(const struct known_text *t);

/* Has them put in when a scan comes near. ERR_MEMORY: some of them may be. */
enum err_code known_late_add(struct known *k, const struct known_text *t) MUST_USE;

/* Puts in what goes on behind the node, which has NODE_LATE. Nodes keep their numbers. */
void known_late_put_in(struct known *k, uint32_t node);

/* Puts in all that is left. */
void known_late_all(struct known *k);

/* Brings the filter up to date. */
void known_prepare(struct known *k);

/* Sees to the fails, after forms were added as well. False: there is no memory for them. */
bool known_fails_ready(struct known *k);

static inline uint32_t form_armed_at(uint32_t len)
{
    uint32_t half = len - len / 2;

    return half < KNOWN_FLOOR ? KNOWN_FLOOR : half > KNOWN_ARM_MAX ? KNOWN_ARM_MAX : half;
}

#endif
