// SPDX-License-Identifier: MIT
/*
 * The search is Hyperscan's "Teddy" (Wang et al., NSDI 2019): for each of the four bytes of a
 * print, two 16-entry tables (low and high nibble) give the buckets that fit, eight in each of
 * two halves; all of a half ANDed leave the places worth a look; a hash of three bytes sorts out
 * most of these. Its price does not depend on the number of anchors, as long
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
        if (finder_is_place(t, data + e - ANCHOR_PRINT))
            return e;
    }
    return SIZE_MAX;
}

#if defined(FINDER_X86) || defined(FINDER_ARM)
/* What a block of places came to: a bit for each that fits a bucket, those that fit one of
   the last two apart. */
struct hits {
    uint32_t hashed;
    uint32_t broad;
};

/* The first true place in a block that begins at base. */
static inline size_t first_true(const struct finder_tables *t, const uint8_t *data, size_t base,
                                struct hits hits)
{
    for (; hits.hashed != 0; hits.hashed &= hits.hashed - 1) {
        size_t at = (size_t)__builtin_ctz(hits.hashed);

        if (finder_is_hashed(t, data + base + at)) {
            hits.broad &= (uint32_t)((UINT64_C(1) << at) - 1);
            break;
        }
    }
    for (; hits.broad != 0; hits.broad &= hits.broad - 1) {
        size_t at = (size_t)__builtin_ctz(hits.broad);

        if (finder_is_broad(t, data + base + at))
            return base + at + ANCHOR_PRINT;
    }
    return hits.hashed != 0 ? base + (size_t)__builtin_ctz(hits.hashed) + ANCHOR_PRINT : SIZE_MAX;
}
#endif

#ifdef FINDER_X86
#define AVX2 __attribute__((target("avx2"), always_inline)) static inline
#define SSSE3 __attribute__((target("ssse3"), always_inline)) static inline

/* The buckets that fit 16 bytes at one position, by their nibbles. */
SSSE3 __m128i look16(__m128i lo, __m128i hi, const uint8_t table[2][16])
{
    return _mm_and_si128(_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)table[0]), lo),
                         _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)table[1]), hi));
}

SSSE3 uint32_t not_zero16(__m128i v)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) ^ 0xffffU;
}

SSSE3 struct hits block16(const struct finder_tables *t, const uint8_t *data)
{
    const __m128i low = _mm_set1_epi8(15);
    __m128i a = _mm_set1_epi8(-1);
    __m128i b = a;
    __m128i c;

    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(data + i));
        __m128i lo = _mm_and_si128(bytes, low);
        __m128i hi = _mm_and_si128(_mm_srli_epi16(bytes, 4), low);

        a = _mm_and_si128(a, look16(lo, hi, t->nibbles[0][i]));
        b = _mm_and_si128(b, look16(lo, hi, t->nibbles[1][i]));
    }
    c = _mm_and_si128(b, _mm_set1_epi8((char)(BROAD_BUCKET | ESCAPE_BUCKET)));
    return (struct hits){not_zero16(_mm_or_si128(a, _mm_andnot_si128(c, b))), not_zero16(c)};
}

__attribute__((target("ssse3"))) static size_t find_ssse3(const struct finder_tables *t,
                                                          const uint8_t *data, size_t len,
                                                          size_t from)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;

    for (; at + 16 + 3 <= len; at += 16) {
        struct hits hits = block16(t, data + at);
        size_t found;

        if ((hits.hashed | hits.broad) != 0 &&
            (found = first_true(t, data, at, hits)) != SIZE_MAX)
            return found;
    }
    return find_portable(t, data, len, at + ANCHOR_PRINT);
}

AVX2 __m256i twice(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

AVX2 __m256i look32(__m256i lo, __m256i hi, const uint8_t table[2][16])
{
    return _mm256_and_si256(_mm256_shuffle_epi8(twice(table[0]), lo),
                            _mm256_shuffle_epi8(twice(table[1]), hi));
}

AVX2 uint32_t not_zero32(__m256i v)
{
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
}

AVX2 struct hits block32(const struct finder_tables *t, const uint8_t *data)
{
    const __m256i low = _mm256_set1_epi8(15);
    __m256i a = _mm256_set1_epi8(-1);
    __m256i b = a;
    __m256i c;

    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(data + i));
        __m256i lo = _mm256_and_si256(bytes, low);
        __m256i hi = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low);

        a = _mm256_and_si256(a, look32(lo, hi, t->nibbles[0][i]));
        b = _mm256_and_si256(b, look32(lo, hi, t->nibbles[1][i]));
    }
    c = _mm256_and_si256(b, _mm256_set1_epi8((char)(BROAD_BUCKET | ESCAPE_BUCKET)));
    return (struct hits){not_zero32(_mm256_or_si256(a, _mm256_andnot_si256(c, b))),
                         not_zero32(c)};
}

__attribute__((target("avx2"))) static size_t find_avx2(const struct finder_tables *t,
                                                        const uint8_t *data, size_t len,
                                                        size_t from)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;

    for (; at + 32 + 3 <= len; at += 32) {
        struct hits hits = block32(t, data + at);
        size_t found;

        if ((hits.hashed | hits.broad) != 0 &&
            (found = first_true(t, data, at, hits)) != SIZE_MAX)
            return found;
    }
    return find_portable(t, data, len, at + ANCHOR_PRINT);
}
#endif

#ifdef FINDER_ARM
static inline uint8x16_t look16(uint8x16_t lo, uint8x16_t hi, const uint8_t table[2][16])
{
    return vandq_u8(vqtbl1q_u8(vld1q_u8(table[0]), lo), vqtbl1q_u8(vld1q_u8(table[1]), hi));
}

/* There is no movemask. */
static inline uint32_t not_zero16(uint8x16_t v)
{
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                        1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vandq_u8(vtstq_u8(v, v), vld1q_u8(weights));

    return (uint32_t)vaddv_u8(vget_low_u8(bits)) |
           (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static inline struct hits block16(const struct finder_tables *t, const uint8_t *data)
{
    uint8x16_t a = vdupq_n_u8(255);
    uint8x16_t b = a;
    uint8x16_t c;

    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        uint8x16_t bytes = vld1q_u8(data + i);
        uint8x16_t lo = vandq_u8(bytes, vdupq_n_u8(15));
        uint8x16_t hi = vshrq_n_u8(bytes, 4);

        a = vandq_u8(a, look16(lo, hi, t->nibbles[0][i]));
        b = vandq_u8(b, look16(lo, hi, t->nibbles[1][i]));
    }
    c = vandq_u8(b, vdupq_n_u8(BROAD_BUCKET | ESCAPE_BUCKET));
    return (struct hits){not_zero16(vorrq_u8(a, vbicq_u8(b, c))), not_zero16(c)};
}

static size_t find_neon(const struct finder_tables *t, const uint8_t *data, size_t len,
                        size_t from)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;

    for (; at + 16 + 3 <= len; at += 16) {
        struct hits hits = block16(t, data + at);
        size_t found;

        if ((hits.hashed | hits.broad) != 0 &&
            (found = first_true(t, data, at, hits)) != SIZE_MAX)
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
