// SPDX-License-Identifier: MIT
/*
 * Searching for many beginnings at once: four bytes in a row, each out of a set. For each bucket
 * of such starts two looks into tables of 16 entries tell 32 bytes at a time which may belong to
 * it (the "Teddy" of Hyperscan, https://github.com/intel/hyperscan). Starts of one bucket get
 * mixed up ("abcd" and "wxyz" also find "abyz"): what is found is worth a look, no more.
 */
#ifndef TEXT_STARTS_H
#define TEXT_STARTS_H

#include <stddef.h>
#include <stdint.h>

enum { START_LEN = 4, STARTS_BUCKETS = 8 };

struct starts {
    uint8_t exact[START_LEN][256]; /* the buckets that take this byte at this place */
    uint8_t low[START_LEN][16];    /* those that take a byte with these lower four bits … */
    uint8_t high[START_LEN][16];   /* … and these upper ones */
};

/* Zero-initialised starts find nothing. bucket: below STARTS_BUCKETS. */
void starts_allow(struct starts *t, unsigned bucket, size_t place, unsigned char byte);

/* The same for all bytes of a string; NULL: any byte. */
void starts_add(struct starts *t, unsigned bucket, const char *const sets[START_LEN]);

/* A walk over [at, end): set these three, and the rest to 0. */
struct starts_walk {
    const char *at;
    const char *end;
    const char *room; /* up to here there are bytes that may be read: end or more */
    uint32_t mask; /* places before `at` that are still to be looked at */
};

/* The next place where such a start is, all of it inside; NULL: none. */
const char *starts_next(const struct starts *t, struct starts_walk *walk);

/* The buckets that the bytes at `at` belong to. */
static inline unsigned starts_at(const struct starts *t, const char *at)
{
    return (unsigned)(t->exact[0][(unsigned char)at[0]] & t->exact[1][(unsigned char)at[1]] &
                      t->exact[2][(unsigned char)at[2]] & t->exact[3][(unsigned char)at[3]]);
}

/* Byte by byte, for tests. */
const char *starts_next_portable(const struct starts *t, struct starts_walk *walk);

#endif
