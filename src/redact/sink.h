// SPDX-License-Identifier: MIT
/*
 * Where the machines that look for secrets report them, and what they have in common.
 *
 * Each is a push parser beside the stream: every byte passes through it exactly once and in
 * order, by step() or, while it is not live, by skip(), which runs over bytes that cannot
 * begin anything. State is a function of the bytes alone, never of how they were split. It is
 * plain memory without pointers into itself: copying the struct saves it, copying it back
 * undoes what was done since.
 *
 *     while (at < len)
 *         if (!S_live(&s)) at = S_skip(&s, data, len, at, ...), and if at < len:
 *         S_step(&s, data[at], base + at); at++;
 *     hold = S_hold(&s);  bytes from there on must not come out, but where a match covers them
 *
 * Positions are offsets in the stream.
 */
#ifndef REDACT_SINK_H
#define REDACT_SINK_H

#include <stdint.h>

#define POS_NONE UINT64_MAX

struct match_sink {
    void *ctx;
    /*
     * [start, end) is a secret that rule (a number of the set that reports) found; end
     * POS_NONE: it goes on until close. start is never before what hold() last said, and
     * not in order: a match of another rule may begin before one that was reported earlier.
     * Returns a number for close.
     */
    uint32_t (*add)(void *ctx, uint64_t start, uint64_t end, unsigned rule);
    /* The open match `id` ends at end, which is not before what hold() last said. */
    void (*close)(void *ctx, uint32_t id, uint64_t end);
};

#endif
