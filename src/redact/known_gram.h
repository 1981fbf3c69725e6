// SPDX-License-Identifier: MIT
/* Grams of the known values' filter: how they are read and looked up. Called by known_filter.c
   and known_block.c alone. */
#ifndef REDACT_KNOWN_GRAM_H
#define REDACT_KNOWN_GRAM_H

#include <endian.h>
#include <string.h>

#include "redact/known_set.h"

enum {
    GRAM_LONG = 8,
    STRIDE_LONG = 8,
    GRAM_SHORT = 5, /* forms too short for the long ones */
    STRIDE_SHORT = 4,
    GRAM_PROBES = 3
};

static inline uint64_t gram_load(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

static inline uint64_t gram_mask(uint32_t gram)
{
    return gram == GRAM_LONG ? UINT64_MAX : (UINT64_C(1) << 8 * GRAM_SHORT) - 1;
}

static inline uint64_t gram_hash(uint64_t gram)
{
    return gram * UINT64_C(0x9e3779b97f4a7c15);
}

/* The word by the highest bits of the product; the bits in it by those just below. */
static inline size_t gram_word(const struct known_filter *f, uint64_t hash)
{
    return (size_t)(hash >> f->shift);
}

static inline uint64_t gram_bits(const struct known_filter *f, uint64_t hash)
{
    uint64_t low = hash >> (f->shift - 6 * GRAM_PROBES);

    return UINT64_C(1) << (low & 63) | UINT64_C(1) << (low >> 6 & 63) |
           UINT64_C(1) << (low >> 12 & 63);
}

static inline bool gram_there(const struct known_filter *f, uint64_t gram)
{
    uint64_t hash = gram_hash(gram);
    uint64_t bits = gram_bits(f, hash);

    return (f->words[gram_word(f, hash)] & bits) == bits;
}

/* To be asked soon: one that is told to be there by mistake ends what runs ahead of it, so that
   words would be waited for one by one. */
static inline void gram_fetch(const struct known_filter *f, uint64_t gram)
{
    __builtin_prefetch(&f->words[gram_word(f, gram_hash(gram))]);
}

/* The same by a single bit of a smaller table: the lowest one of what it gives; the others are
   anything. */
static inline uint64_t gram_near(const uint64_t *near, unsigned shift, uint64_t gram)
{
    uint64_t hash = gram_hash(gram);

    return near[hash >> shift] >> (hash >> (shift - 6) & 63);
}

/* Bytes below 0x20 among the eight, Mycroft's test: the lowest bit set is that of the first
   one, the higher ones may be wrong. */
static inline uint64_t gram_controls(uint64_t v)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);

    return (v - ones * 0x20) & ~v & ones * 0x80;
}

/* None of its first eight or four bytes is a digit or a capital letter: words of a log are so,
   random values are not. */
static inline bool gram_is_weak(const uint8_t *bytes, uint32_t gram)
{
    for (uint32_t i = 0; i < (gram & ~3U); i++) {
        if ((bytes[i] >= '0' && bytes[i] <= '9') || (bytes[i] >= 'A' && bytes[i] <= 'Z'))
            return false;
    }
    return true;
}

/* Passes over line ends, indentation and escape sequences from `at` on. */
size_t known_skip_unseen(const uint8_t *data, size_t len, size_t at);

/*
 * A second look at the gram at `at`, which was there. It is the o-th of a form; the form's gram
 * o - 1 or o + 1 is there as well, one byte before or after. True where that cannot be told. No
 * form begins before `from`.
 */
bool known_gram_confirmed(const struct known_filter *f, const uint8_t *data, size_t len,
                          size_t from, size_t at);

/*
 * How far the filter has come: no form begins before `begin` (that it could not rule out); what
 * comes next is the gram at `at`, no more than a stride behind the one at begin - 1.
 */
struct known_way {
    size_t begin;
    size_t at;
};

/* Passes over ordinary text, as far as that goes in whole blocks. Returns up to where a gram at
   a time must be taken then; way->at must be in the data. */
size_t known_blocks_pass(const struct known_filter *f, const uint8_t *data, size_t len,
                         struct known_way *way);

enum {
    KNOWN_BLOCK = 64,
    KNOWN_LIST_BLOCKS = 32, /* at most, in one go */
    KNOWN_GRAMS_SPARE = 16, /* places written in vain, at most */
    KNOWN_GRAMS_ROOM = KNOWN_LIST_BLOCKS * KNOWN_BLOCK / STRIDE_SHORT + KNOWN_GRAMS_SPARE
};

/* What bytes of blocks are; a bit for each, the first byte's lowest. */
struct known_kinds {
    uint64_t controls[KNOWN_LIST_BLOCKS]; /* below 0x20 */
    uint64_t foreign[KNOWN_LIST_BLOCKS + 1]; /* of no gram */
    uint64_t strong[KNOWN_LIST_BLOCKS + 1]; /* what makes a gram none that is weak */
};

/* Where grams begin of which no byte is foreign. Of short ones, four of the five bytes count. */
struct known_grams {
    size_t n_strong;
    size_t n_weak;
    uint16_t strong[KNOWN_GRAMS_ROOM]; /* offsets, in order */
    uint16_t weak[KNOWN_GRAMS_ROOM];
};

/* A way to tell what n blocks hold. All tell the same, but for SSE2, which knows ranges alone: it
   may leave out foreign bytes, and says that all are strong. */
struct known_teller {
    void (*kinds)(const struct known_filter *f, const uint8_t *p, size_t n,
                  struct known_kinds *kinds);
    void (*grams)(const struct known_kinds *kinds, size_t n, uint32_t gram,
                  struct known_grams *grams);
};

enum known_telling { TELL_SSE2, TELL_AVX2, TELL_AVX512, N_TELLINGS };

/* NULL: this machine has it not. */
const struct known_teller *known_teller_get(enum known_telling telling);

/* The best one for this filter; NULL: none. */
const struct known_teller *known_teller_best(const struct known_filter *f);

/*
 * Lists the places in the block at offset `at` that the bits tell. Branches that nobody can predict
 * cost more than `spare` places written in vain, for which there must be room.
 */
static inline __attribute__((always_inline)) size_t places_list(uint16_t *places, size_t n,
                                                                uint64_t bits, size_t at,
                                                                size_t spare)
{
#pragma GCC unroll 4
    for (size_t i = 0; i < spare; i++) {
        places[n] = (uint16_t)(at + (unsigned)__builtin_ctzll(bits | UINT64_C(1) << 63));
        n += bits != 0;
        bits &= bits - 1;
    }
    for (; bits != 0; bits &= bits - 1)
        places[n++] = (uint16_t)(at + (unsigned)__builtin_ctzll(bits));
    return n;
}

#endif
