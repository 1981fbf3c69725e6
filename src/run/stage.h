// SPDX-License-Identifier: MIT
/*
 * What is to be shown, in order, once the log has it: clean bytes for several terminals.
 *
 * With two pipes each stream is logged and shown by turns. With --order exact the streams
 * alternate from line to line; logging each line by itself would be a write for each. So a turn
 * is gathered here, logged with one write, and then shown in its order. Invariant: nothing is
 * shown before what stands before it, whichever terminal is blocked.
 */
#ifndef RUN_STAGE_H
#define RUN_STAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "redact/clean_buf.h"
#include "redact/redact.h"
#include "run/terminal.h"

struct stage_piece {
    struct terminal *terminal; /* not owned */
    size_t len;
};

struct stage {
    struct clean_buf bytes;
    size_t at; /* of bytes already shown */
    struct stage_piece *pieces;
    size_t first;
    size_t n;
    size_t cap;
};

void stage_init(struct stage *s);
void stage_release(struct stage *s);

/* Takes a copy of what terminal has not shown early. ERR_MEMORY: nothing was taken. */
enum err_code stage_put(struct stage *s, struct terminal *terminal,
                        const struct clean_vec *spans) MUST_USE;

/* Shows what is here until a terminal is blocked. Not to be called while one is. */
void stage_show(struct stage *s);

/* Gives all of it to the terminals, which keep what they cannot show now. */
void stage_hand_over(struct stage *s);

bool stage_pending(const struct stage *s);

#endif
