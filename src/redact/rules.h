// SPDX-License-Identifier: MIT
/*
 * The tables that rules.awk makes of rules.tab. A rule is a row of items around an anchor;
 * each item takes bytes of one class, as many as it can, and never gives back.
 */
#ifndef REDACT_RULES_H
#define REDACT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum item_flag {
    ITEM_OPEN = 1,      /* the secret begins with this item's first byte */
    ITEM_CLOSE = 2,     /* and ends with this item's last */
    ITEM_ARM = 4,       /* once this item has its minimum, what was read is a secret */
    ITEM_EVIDENCE = 8,  /* if it also shows the rule's evidence */
    ITEM_COMMIT = 16,   /* its first byte rules out the anchor's other rows */
    ITEM_EXACT = 32,    /* a byte of the class beyond the maximum ends the candidate */
    ITEM_LAST = 64,     /* none follows in its rule */
    ITEM_SECRET = 128   /* within the secret */
};

enum { ITEM_UNBOUNDED = 65535 };

struct rule_item {
    uint16_t class; /* of rule_classes */
    uint16_t min;
    uint16_t max;
    uint16_t flags;
};

/* Kinds of bytes, for evidence and for `has`. */
enum byte_kind { KIND_OTHER, KIND_LOWER, KIND_UPPER, KIND_DIGIT, KIND_SIGN };
enum { HAS_DIGIT = 1, HAS_UPPER = 2, HAS_LOWER = 4, HAS_BEYOND_HEX = 8 };

enum rule_check { CHECK_NONE, CHECK_LUHN, CHECK_IBAN, CHECK_ENTROPY };

/* Where the secret begins. */
enum rule_opens { OPENS_RIGHT, OPENS_ANCHOR, OPENS_LEFT };

struct rule {
    uint16_t first; /* of rule_items: what follows the anchor */
    uint16_t len;
    uint16_t begins; /* class of the bytes that may stand first there, an ESC among them */
    uint16_t left;  /* what precedes it, the nearest first */
    uint16_t n_left;
    uint16_t n_inside; /* how many of these the secret takes in */
    uint16_t name;
    uint16_t chain; /* 0, or the inner anchor whose rows go on where this one ends */
    uint8_t mix;    /* evidence: changes of kind, digits, longest piece; 0: does not count */
    uint8_t digits;
    uint8_t piece;
    uint8_t has;
    uint8_t check;
    uint8_t opens;
    bool arms;      /* nothing but the anchor (and its left side) is needed */
    uint16_t near_max;
    const char *near; /* must occur on the line, at most near_max bytes before; NULL: nothing */
    const char *word; /* what the word that the anchor ends begins with; NULL: anything */
};

/* Groups, as `redact --list` names them. */
enum rule_group {
    GROUP_TIER1,
    GROUP_TIER2,
    GROUP_TIER3,
    GROUP_EMAIL,
    GROUP_PHONE,
    GROUP_CARD,
    GROUP_IBAN,
    GROUP_HOME,
    N_GROUPS
};

/* A rule as users know it: several rows may share its name. */
struct rule_name {
    const char *name;
    const char *mark; /* "[REDACTED:name]" */
    const char *description;
    uint8_t group;
};

enum anchor_flag { ANCHOR_FOLD = 1, ANCHOR_WORD = 2, ANCHOR_SCHEME = 4, ANCHOR_PEM = 8,
                   ANCHOR_INNER = 16, ANCHOR_LINE = 32, ANCHOR_BLOCK = 64,
                   ANCHOR_MASK = 128 };

enum { ANCHOR_MAX = 64, ANCHOR_PRINT = 4, ANCHOR_LATE_MAX = 3 };

struct anchor {
    const char *text;              /* lower case where case is ignored */
    const uint32_t *const *sets;   /* or a class for each byte; else NULL */
    uint8_t len;
    uint16_t flags;
    uint8_t late;    /* bytes behind it that its print takes in */
    uint8_t level;
    bool has_left;   /* some row has a left side: it is that which starts the token */
    uint16_t first;  /* of rules */
    uint16_t n_rules;
    uint16_t begins[2]; /* all that its rows may begin with: those of level 0, all of them */
};

/*
 * What the search compares: the print, four bytes in a row around the end of an anchor. Bit b
 * of the nibbles says that an anchor of bucket b may have a byte with this low or high half
 * there. Buckets share their bytes, so that most of what passes is nothing: `three` has a bit
 * for each hash of the last three bytes of a print, then `whole` for each of all four, or
 * `most` for each of the three where the first byte is a class. They are not asked of the last
 * bucket (BROAD_BUCKET of the second half), whose prints are classes; `bytes` knows these.
 * Processors that look up whole bytes have buckets of their own, which share less.
 * Level 0 knows the anchors of tiers 1 and 2, level 1 also those of tier 3, level 2 all.
 */
enum { BROAD_BUCKET = 0x80, N_LEVELS = 3, FINDER_AHEAD = 8 };

struct finder_tables {
    uint8_t bytes[ANCHOR_PRINT][256];
    uint8_t nibbles[2][ANCHOR_PRINT][2][16]; /* buckets 0 to 7, then 8 to 15 */
    uint8_t whole_bytes[2][ANCHOR_PRINT][128];
    uint8_t high_bytes[2][ANCHOR_PRINT]; /* all from 128 on */
    uint8_t broad_next[256]; /* may stand in the FINDER_AHEAD bytes behind a broad print */
    uint32_t three[2048];
    uint32_t whole[2048];
    uint32_t most[2048];
};

enum { PRINT_FACTOR = 648055 }; /* of 20 bits: rules.awk reckons in doubles */

/* Of four bytes, the first the lowest; of three: the others, shifted down. */
static inline uint32_t print_hash(uint32_t bytes)
{
    return bytes * PRINT_FACTOR >> 16;
}

extern const struct rule_name rule_names[];
enum { CLASS_WORDS = 8, RULE_CLASSES_MAX = 512 };
extern const uint32_t rule_classes[][CLASS_WORDS]; /* 256 bits each */
extern const uint8_t rule_class_bits[][256]; /* the same, eight to a table, for many bytes */
extern const struct rule_item rule_items[];
extern const struct rule rules[];
extern const struct anchor anchors[];
extern const size_t rule_name_count;
extern const size_t rule_count;
extern const size_t anchor_count;
extern const struct finder_tables finder_tables[N_LEVELS];

/* Anchors by the last three bytes of their prints: anchor_list[anchor_index[k]] up to
   anchor_index[k + 1] for k = anchor_key(these), those of lower levels first. Behind all these,
   up to anchor_list_len, the broad ones, which finder_is_broad tells of. */
enum { ANCHOR_KEYS = 8192 };
extern const uint16_t anchor_index[ANCHOR_KEYS + 1];
enum entry_flag {
    ENTRY_WHOLE = 1, /* what fits is the anchor */
    ENTRY_WORD = 2   /* a token begins with it */
};

struct anchor_entry {
    uint64_t text; /* the eight bytes up to the place differ from these, the first the lowest, */
    uint64_t mask; /* nowhere in the mask: else it is not the anchor. The last four: its print */
    uint16_t anchor;
    uint8_t len;   /* of the anchor, and what its print takes in behind it */
    uint8_t late;  /* that alone */
    uint8_t level;
    uint8_t flags;
};
extern const struct anchor_entry anchor_list[];
extern const uint16_t anchor_list_len;

/* Of three bytes, the first the lowest. */
static inline unsigned anchor_key(uint32_t three)
{
    return print_hash(three) % ANCHOR_KEYS;
}

/* Anchors of tokens whose first byte is c: prefix_list[prefix_index[c]] up to prefix_index[c + 1];
   their texts are public prefixes if the secret begins behind them. */
extern const uint16_t prefix_index[257];
extern const uint16_t prefix_list[];

/* Rows whose secret begins with or before their anchor (so that the beginning of one is held
   before the anchor is complete), anchors whose print ends behind them, and any byte that
   either may hold. */
struct inner_row {
    uint16_t rule;
    uint16_t anchor;
    const uint32_t *bytes; /* any of it, the anchor's included */
};
extern const struct inner_row inner_rows[];
extern const size_t inner_row_count;
extern const uint16_t late_anchors[];
extern const size_t late_anchor_count;
extern const uint32_t inner_bytes[8];

/* The first rows of rules.tab. */
enum {
    RULE_NAME_PRIVATE_KEY,
    RULE_NAME_KUBERNETES,
    RULE_NAME_KNOWN,
    RULE_NAME_MASK,
    RULE_NAME_FIELD,
    RULE_NAMES_MAX = 1024
};

static inline bool rule_class_has(const uint32_t *class, uint8_t byte)
{
    return (class[byte >> 5] >> (byte & 31) & 1) != 0;
}

static inline bool rule_item_has(const struct rule_item *it, uint8_t byte)
{
    return rule_class_has(rule_classes[it->class], byte);
}

#endif
