// SPDX-License-Identifier: MIT
#include "text/starts.h"

#include <string.h>

#include "base/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_X86 1
#endif

void starts_allow(struct starts *t, unsigned bucket, size_t place, unsigned char byte)
{
    uint8_t bit = (uint8_t)(1U << bucket);

    t->exact[place][byte] |= bit;
    t->low[place][byte & 15] |= bit;
    t->high[place][byte >> 4] |= bit;
}

void starts_add(struct starts *t, unsigned bucket, const char *const sets[START_LEN])
{
    for (size_t place = 0; place < START_LEN; place++) {
        for (unsigned byte = 0; sets[place] == NULL && byte < 256; byte++)
            starts_allow(t, bucket, place, (unsigned char)byte);
        for (const char *at = sets[place]; at != NULL && *at != '\0'; at++)
            starts_allow(t, bucket, place, (unsigned char)*at);
    }
}

const char *starts_next_portable(const struct starts *t, struct starts_walk *walk)
{
    while (walk->end - walk->at >= START_LEN)
        if (starts_at(t, walk->at++) != 0)
            return walk->at - 1;
    return NULL;
}

#ifdef HAVE_X86

#define AVX2 __attribute__((target("avx2")))

/* The buckets of 32 bytes at one of the places. */
AVX2 static inline __m256i buckets_32(const struct starts *t, size_t place, const char *at)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i low = _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)(const void *)t->low[place]));
    __m256i high = _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)(const void *)t->high[place]));

    low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble));
    high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
    return _mm256_and_si256(low, high);
}

enum { VECTOR = 32 };

/* A bit for each of the 32 places from `at` on where a start may be. */
AVX2 static inline uint32_t places_32(const struct starts *t, const char *at)
{
    __m256i in_all = _mm256_and_si256(buckets_32(t, 0, at), buckets_32(t, 1, at + 1));

    in_all = _mm256_and_si256(in_all, buckets_32(t, 2, at + 2));
    in_all = _mm256_and_si256(in_all, buckets_32(t, 3, at + 3));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(in_all, _mm256_setzero_si256()));
}

AVX2 static const char *next_avx2(const struct starts *t, struct starts_walk *walk)
{
    for (;;) {
        for (; walk->mask != 0; walk->mask &= walk->mask - 1) {
            const char *here = walk->at - VECTOR + __builtin_ctz(walk->mask);

            if (starts_at(t, here) == 0)
                continue;
            walk->mask &= walk->mask - 1;
            return here;
        }
        if (walk->end - walk->at < START_LEN)
            return NULL;
        if (walk->room - walk->at < VECTOR + START_LEN - 1)
            return starts_next_portable(t, walk);
        walk->mask = places_32(t, walk->at);
        if (walk->end - walk->at < VECTOR + START_LEN - 1)
            walk->mask &= (1U << (walk->end - walk->at - (START_LEN - 1))) - 1;
        walk->at += VECTOR;
    }
}

#endif

const char *starts_next(const struct starts *t, struct starts_walk *walk)
{
#ifdef HAVE_X86
    if (cpu_has_avx2())
        return next_avx2(t, walk);
#endif
    return starts_next_portable(t, walk);
}
