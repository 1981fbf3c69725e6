// SPDX-License-Identifier: MIT
/* Inside of a set: what redactors look for. Included by src/redact only. */
#ifndef REDACT_SET_H
#define REDACT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/fields.h"
#include "redact/known.h"
#include "redact/redact.h"
#include "redact/rules.h"
#include "redact/user_rules.h"

struct redact_set {
    bool off[RULE_NAMES_MAX]; /* by number of the rule's name */
    struct known *known;      /* NULL: no values yet */
    struct user_rules *rules; /* NULL: none; counted behind the shipped ones */
    struct fields *fields;    /* NULL: none */
    redact_mask_fn *on_mask;  /* gets the values of lines that register one */
    void *on_mask_ctx;
    uint8_t level;            /* of the finder's tables: no anchor in use is of a higher one */
};

#endif
