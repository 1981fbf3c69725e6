// SPDX-License-Identifier: MIT
/*
 * Searching for many beginnings at once: three bytes in a row, each out of a set. For each bucket
 * of such triples two looks into tables of 16 entries tell 32 bytes at a time which may belong to
 * it (the "Teddy" of Hyperscan, https://github.com/intel/hyperscan). Triples of one bucket get
 * mixed up ("abc" and "xyz" also find "abz"): what is found is worth a look, no more.
 */
#ifndef TEXT_TRIPLES_H
#define TEXT_TRIPLES_H

#include <stddef.h>
#include <stdint.h>

enum { TRIPLE_LEN = 3, TRIPLES_BUCKETS = 8 };

struct triples {
    uint8_t exact[TRIPLE_LEN][256]; /* the buckets that take this byte at this place */
    uint8_t low[TRIPLE_LEN][16];    /* those that take a byte with these lower four bits … */
    uint8_t high[TRIPLE_LEN][16];   /* … and these upper ones */
};

/* Zero-initialised triples find nothing. bucket: below TRIPLES_BUCKETS. */
void triples_allow(struct triples *t, unsigned bucket, size_t place, unsigned char byte);

/* The same for all bytes of a string; NULL: any byte. */
void triples_add(struct triples *t, unsigned bucket, const char *const sets[TRIPLE_LEN]);

/* A walk over [at, end): set those two, and the rest to 0. */
struct triples_walk {
    const char *at;
    const char *end;
    uint32_t mask; /* places before `at` that are still to be looked at */
};

/* The next place where a triple begins, all of it inside; NULL: none. */
const char *triples_next(const struct triples *t, struct triples_walk *walk);

/* The buckets that the three bytes at `at` belong to. */
static inline unsigned triples_at(const struct triples *t, const char *at)
{
    return (unsigned)(t->exact[0][(unsigned char)at[0]] & t->exact[1][(unsigned char)at[1]] &
                      t->exact[2][(unsigned char)at[2]]);
}

/* Byte by byte, for tests. */
const char *triples_next_portable(const struct triples *t, struct triples_walk *walk);

#endif
