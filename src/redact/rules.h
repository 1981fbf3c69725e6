// SPDX-License-Identifier: MIT
/*
 * The tables that rules.awk makes of rules.tab. A rule is a row of items that follow an
 * anchor; each item takes bytes of one class, as many as it can, and never gives back.
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
    ITEM_GAP = 32,      /* takes escape sequences as well */
    ITEM_LAST = 64      /* none follows in its rule */
};

enum { ITEM_UNBOUNDED = 65535 };

struct rule_item {
    const uint32_t *class; /* 256 bits */
    uint16_t min;
    uint16_t max;
    uint16_t flags;
};

struct rule {
    uint16_t first; /* of rule_items */
    uint16_t len;
    uint16_t name;
    uint16_t chain; /* 0, or the inner anchor whose rows go on where this one ends */
    uint8_t mix;    /* evidence: changes of kind, digits, longest piece; 0: does not count */
    uint8_t digits;
    uint8_t piece;
};

enum anchor_flag { ANCHOR_FOLD = 1, ANCHOR_WORD = 2, ANCHOR_SCHEME = 4, ANCHOR_PEM = 8,
                   ANCHOR_INNER = 16 };

enum { ANCHOR_MAX = 32, ANCHOR_PRINT = 3, ANCHOR_BUCKETS = 8 };

struct anchor {
    const char *text;
    uint8_t len;
    uint8_t flags;
    uint16_t first; /* of rules */
    uint16_t n_rules;
};

extern const char *const rule_names[];
extern const uint32_t rule_classes[][8];
extern const struct rule_item rule_items[];
extern const struct rule rules[];
extern const struct anchor anchors[];
extern const size_t rule_name_count;
extern const size_t anchor_count;

/* The last ANCHOR_PRINT bytes of every anchor, for the search: bit b of anchor_bytes[i][c]
   says that an anchor of bucket b (number modulo ANCHOR_BUCKETS) may have c there; the
   nibbles say the same of the low and high half of c. */
extern const uint8_t anchor_bytes[ANCHOR_PRINT][256];
extern const uint8_t anchor_nibbles[ANCHOR_PRINT][2][16];

enum { RULE_NAME_PRIVATE_KEY = 0, RULE_NAMES_MAX = 1024 }; /* the first row of rules.tab */

static inline bool rule_class_has(const uint32_t *class, uint8_t byte)
{
    return (class[byte >> 5] >> (byte & 31) & 1) != 0;
}

#endif
