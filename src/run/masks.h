// SPDX-License-Identifier: MIT
/*
 * Values that are registered while a build runs, from wherever they come: checks the bounds, adds
 * them to the set, writes the events. The values themselves are kept, zeroed at the end, so that
 * one that comes again does not count twice.
 *
 * Invariants: at most MASKS_MAX values and MASKS_BYTES_MAX bytes of them; one event for each value
 * taken, one for each reason to refuse, however often it occurs.
 */
#ifndef RUN_MASKS_H
#define RUN_MASKS_H

#include <stddef.h>

#include "redact/redact.h"
#include "store/build_log.h"

enum {
    MASK_MIN = 8, /* a shorter value would be found everywhere */
    MASK_MAX = 64 << 10,
    MASKS_MAX = 1000,
    MASKS_BYTES_MAX = 1 << 20
};

struct mask_value {
    char *ptr;
    size_t len;
};

struct masks {
    struct redact_set *set;
    struct build_log *log;
    struct mask_value *items;
    size_t n;
    size_t bytes;
    unsigned refused; /* bit set: of these reasons the log has heard */
};

/* set and log are not owned. */
void masks_init(struct masks *m, struct redact_set *set, struct build_log *log);
void masks_release(struct masks *m);

/* source: "redact-add" or "add-mask". NULL: the value counts from now on; else why not. */
const char *masks_add(struct masks *m, const char *source, const char *value, size_t len);

/*
 * What follows ::add-mask::, a redact_mask_fn for ctx a struct masks: %25, %0D and %0A are
 * decoded first, as the runner of GitHub Actions does (actions/runner, ActionCommand.cs).
 */
void masks_add_line(void *ctx, const char *value, size_t len);

#endif
