// SPDX-License-Identifier: MIT
/*
 * The search is Hyperscan's "Teddy": for each of the last three bytes of the anchors, two
 * 16-entry tables (low and high nibble) give the buckets that fit; all six ANDed leave the
 * places worth a look. Its price does not depend on the number of anchors, as long as the
 * prints stay rare in ordinary output.
 */
#include "redact/finder.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#define FINDER_X86 1
#endif

static size_t find_portable(const uint8_t *data, size_t len, size_t from)
{
    size_t e = from < ANCHOR_PRINT ? ANCHOR_PRINT : from;

    for (; e <= len; e++) {
        if (finder_buckets(data[e - 3], data[e - 2], data[e - 1]) != 0)
            return e;
    }
    return SIZE_MAX;
}

#ifdef FINDER_X86
/* The first true place among the candidate bits of a block that begins at base. */
static size_t first_true(const uint8_t *data, size_t base, uint32_t bits)
{
    for (; bits != 0; bits &= bits - 1) {
        size_t at = base + (size_t)__builtin_ctz(bits);

        if (finder_buckets(data[at], data[at + 1], data[at + 2]) != 0)
            return at + ANCHOR_PRINT;
    }
    return SIZE_MAX;
}

__attribute__((target("ssse3"))) static __m128i look16(__m128i bytes, const uint8_t table[2][16])
{
    const __m128i low = _mm_set1_epi8(15);
    __m128i lo = _mm_loadu_si128((const __m128i *)table[0]);
    __m128i hi = _mm_loadu_si128((const __m128i *)table[1]);

    return _mm_and_si128(_mm_shuffle_epi8(lo, _mm_and_si128(bytes, low)),
                         _mm_shuffle_epi8(hi, _mm_and_si128(_mm_srli_epi16(bytes, 4), low)));
}

__attribute__((target("ssse3"))) static size_t find_ssse3(const uint8_t *data, size_t len,
                                                          size_t from)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;

    for (; at + 16 + 2 <= len; at += 16) {
        const __m128i zero = _mm_setzero_si128();
        __m128i hit = look16(_mm_loadu_si128((const __m128i *)(data + at)), anchor_nibbles[0]);
        uint32_t bits;
        size_t found;

        hit = _mm_and_si128(hit, look16(_mm_loadu_si128((const __m128i *)(data + at + 1)),
                                        anchor_nibbles[1]));
        hit = _mm_and_si128(hit, look16(_mm_loadu_si128((const __m128i *)(data + at + 2)),
                                        anchor_nibbles[2]));
        bits = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(hit, zero)) ^ 0xffffU;
        if (__builtin_expect(bits != 0, 0) && (found = first_true(data, at, bits)) != SIZE_MAX)
            return found;
    }
    return find_portable(data, len, at + ANCHOR_PRINT);
}

__attribute__((target("avx2"))) static __m256i look32(__m256i bytes, const uint8_t table[2][16])
{
    const __m256i low = _mm256_set1_epi8(15);
    __m256i lo = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table[0]));
    __m256i hi = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table[1]));

    return _mm256_and_si256(
        _mm256_shuffle_epi8(lo, _mm256_and_si256(bytes, low)),
        _mm256_shuffle_epi8(hi, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low)));
}

__attribute__((target("avx2"))) static size_t find_avx2(const uint8_t *data, size_t len,
                                                        size_t from)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;

    for (; at + 32 + 2 <= len; at += 32) {
        const __m256i zero = _mm256_setzero_si256();
        __m256i hit = look32(_mm256_loadu_si256((const __m256i *)(data + at)), anchor_nibbles[0]);
        uint32_t bits;
        size_t found;

        hit = _mm256_and_si256(hit, look32(_mm256_loadu_si256((const __m256i *)(data + at + 1)),
                                           anchor_nibbles[1]));
        hit = _mm256_and_si256(hit, look32(_mm256_loadu_si256((const __m256i *)(data + at + 2)),
                                           anchor_nibbles[2]));
        bits = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hit, zero));
        if (__builtin_expect(bits != 0, 0) && (found = first_true(data, at, bits)) != SIZE_MAX)
            return found;
    }
    return find_portable(data, len, at + ANCHOR_PRINT);
}
#endif

bool finder_available(enum finder_kind kind)
{
#ifdef FINDER_X86
    if (kind == FINDER_AVX2)
        return __builtin_cpu_supports("avx2") != 0;
    if (kind == FINDER_SSSE3)
        return __builtin_cpu_supports("ssse3") != 0;
#endif
    return kind == FINDER_PORTABLE;
}

finder_fn *finder_get(enum finder_kind kind)
{
#ifdef FINDER_X86
    static finder_fn *const table[N_FINDERS] = {find_portable, find_ssse3, find_avx2};

    return table[kind];
#else
    (void)kind;
    return find_portable;
#endif
}

finder_fn *finder_best(void)
{
    int kind = N_FINDERS - 1;

    while (!finder_available((enum finder_kind)kind))
        kind--;
    return finder_get((enum finder_kind)kind);
}
