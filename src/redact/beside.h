// SPDX-License-Identifier: MIT
/* See beside.c. Included by src/redact only. */
#ifndef REDACT_BESIDE_H
#define REDACT_BESIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "redact/fields.h"
#include "redact/user_rules.h"

struct redactor;

/* What the user's own rules and fields need; only where there are any. */
struct own {
    struct own_state {
        struct user_lines lines;
        struct field_scan fields;
    } now, before; /* before: when the call began */
};

bool beside_init(struct redactor *r); /* false: no memory */
void beside_free(struct redactor *r);

void beside_begin(struct redactor *r); /* a call */
void beside_undo(struct redactor *r);  /* and back to where it began */

/* The byte at s.pos, which one of them wants to see. True if something was found. */
bool beside_step(struct redactor *r, uint8_t byte);

/* The same for up to `stop`, where nothing but known values wants to see the bytes; as far as
   that goes, in one go: s.pos moves on. False: it does not go. */
bool beside_run(struct redactor *r, size_t stop);

void beside_finish(struct redactor *r);
uint64_t beside_hold(const struct redactor *r);
uint64_t beside_armed(const struct redactor *r); /* where what is held is secret by itself */

#endif
