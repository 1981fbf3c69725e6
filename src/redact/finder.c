// SPDX-License-Identifier: MIT
/*
 * The search is Hyperscan's "Teddy" (Wang et al., NSDI 2019): for each of the four bytes of a
 * print, two 16-entry tables (low and high nibble) give the buckets that fit; all eight ANDed
 * leave the places worth a look. Its price does not depend on the number of anchors, as long
 * as the prints stay rare in ordinary output. The variants are one loop each: intrinsics
 * differ by type.
 */
#include "redact/finder.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#define FINDER_X86 1
#elif defined(__aarch64__)
#include <arm_neon.h>
#define FINDER_ARM 1
#endif

static size_t find_portable(const struct finder_tables *t, const uint8_t *data, size_t len,
                            size_t from)
{
    size_t e = from < ANCHOR_PRINT ? ANCHOR_PRINT : from;

    for (; e <= len; e++) {
        if (finder_buckets(t, data + e - ANCHOR_PRINT) != 0)
            return e;
    }
    return SIZE_MAX;
}

#if defined(FINDER_X86) || defined(FINDER_ARM)
/* The first true place among the candidate bits of a block that begins at base. */
static size_t first_true(const struct finder_tables *t, const uint8_t *data, size_t base,
                         uint32_t bits)
{
    for (; bits != 0; bits &= bits - 1) {
        size_t at = base + (size_t)__builtin_ctz(bits);

        if (finder_buckets(t, data + at) != 0)
            return at + ANCHOR_PRINT;
    }
    return SIZE_MAX;
}
#endif

#ifdef FINDER_X86
#define AVX2 __attribute__((target("avx2"), always_inline)) static inline
#define SSSE3 __attribute__((target("ssse3"), always_inline)) static inline

SSSE3 __m128i look16(const uint8_t *data, const uint8_t table[2][16])
{
    const __m128i low = _mm_set1_epi8(15);
    __m128i bytes = _mm_loadu_si128((const __m128i *)data);
    __m128i lo = _mm_loadu_si128((const __m128i *)table[0]);
    __m128i hi = _mm_loadu_si128((const __m128i *)table[1]);

    return _mm_and_si128(_mm_shuffle_epi8(lo, _mm_and_si128(bytes, low)),
                         _mm_shuffle_epi8(hi, _mm_and_si128(_mm_srli_epi16(bytes, 4), low)));
}

__attribute__((target("ssse3"))) static size_t find_ssse3(const struct finder_tables *t,
                                                          const uint8_t *data, size_t len,
                                                          size_t from)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;

    for (; at + 16 + 3 <= len; at += 16) {
        __m128i hit = _mm_and_si128(look16(data + at, t->nibbles[0]),
                                    look16(data + at + 1, t->nibbles[1]));
        uint32_t bits;
        size_t found;

        hit = _mm_and_si128(hit, look16(data + at + 2, t->nibbles[2]));
        hit = _mm_and_si128(hit, look16(data + at + 3, t->nibbles[3]));
        bits = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(hit, _mm_setzero_si128())) ^ 0xffffU;
        if (__builtin_expect(bits != 0, 0) &&
            (found = first_true(t, data, at, bits)) != SIZE_MAX)
            return found;
    }
    return find_portable(t, data, len, at + ANCHOR_PRINT);
}

AVX2 __m256i look32(const uint8_t *data, const uint8_t table[2][16])
{
    const __m256i low = _mm256_set1_epi8(15);
    __m256i bytes = _mm256_loadu_si256((const __m256i *)data);
    __m256i lo = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table[0]));
    __m256i hi = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table[1]));

    return _mm256_and_si256(
        _mm256_shuffle_epi8(lo, _mm256_and_si256(bytes, low)),
        _mm256_shuffle_epi8(hi, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low)));
}

__attribute__((target("avx2"))) static size_t find_avx2(const struct finder_tables *t,
                                                        const uint8_t *data, size_t len,
                                                        size_t from)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;

    for (; at + 32 + 3 <= len; at += 32) {
        __m256i hit = _mm256_and_si256(look32(data + at, t->nibbles[0]),
                                       look32(data + at + 1, t->nibbles[1]));
        uint32_t bits;
        size_t found;

        hit = _mm256_and_si256(hit, look32(data + at + 2, t->nibbles[2]));
        hit = _mm256_and_si256(hit, look32(data + at + 3, t->nibbles[3]));
        bits = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hit, _mm256_setzero_si256()));
        if (__builtin_expect(bits != 0, 0) &&
            (found = first_true(t, data, at, bits)) != SIZE_MAX)
            return found;
    }
    return find_portable(t, data, len, at + ANCHOR_PRINT);
}
#endif

#ifdef FINDER_ARM
static inline uint8x16_t look16(const uint8_t *data, const uint8_t table[2][16])
{
    uint8x16_t bytes = vld1q_u8(data);

    return vandq_u8(vqtbl1q_u8(vld1q_u8(table[0]), vandq_u8(bytes, vdupq_n_u8(15))),
                    vqtbl1q_u8(vld1q_u8(table[1]), vshrq_n_u8(bytes, 4)));
}

/* One bit for each byte that is not zero; there is no movemask. */
static inline uint32_t bits_of(uint8x16_t hit)
{
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                        1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vandq_u8(vtstq_u8(hit, hit), vld1q_u8(weights));

    return (uint32_t)vaddv_u8(vget_low_u8(bits)) |
           (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static size_t find_neon(const struct finder_tables *t, const uint8_t *data, size_t len,
                        size_t from)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;

    for (; at + 16 + 3 <= len; at += 16) {
        uint8x16_t hit = vandq_u8(vandq_u8(look16(data + at, t->nibbles[0]),
                                           look16(data + at + 1, t->nibbles[1])),
                                  vandq_u8(look16(data + at + 2, t->nibbles[2]),
                                           look16(data + at + 3, t->nibbles[3])));
        size_t found;

        if (vmaxvq_u8(hit) != 0 &&
            (found = first_true(t, data, at, bits_of(hit))) != SIZE_MAX)
            return found;
    }
    return find_portable(t, data, len, at + ANCHOR_PRINT);
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
#ifdef FINDER_ARM
    if (kind == FINDER_NEON)
        return true; /* part of the architecture */
#endif
    return kind == FINDER_PORTABLE;
}

finder_fn *finder_get(enum finder_kind kind)
{
    static finder_fn *const table[N_FINDERS] = {
        [FINDER_PORTABLE] = find_portable,
#ifdef FINDER_X86
        [FINDER_SSSE3] = find_ssse3,
        [FINDER_AVX2] = find_avx2,
#endif
#ifdef FINDER_ARM
        [FINDER_NEON] = find_neon,
#endif
    };

    return table[kind];
}

finder_fn *finder_best(void)
{
    int kind = N_FINDERS - 1;

    while (!finder_available((enum finder_kind)kind))
        kind--;
    return finder_get((enum finder_kind)kind);
}
