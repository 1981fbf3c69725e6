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
                            size_t from, struct finder_block *b)
{
    size_t e = from < ANCHOR_PRINT ? ANCHOR_PRINT : from;

    (void)b;
    for (; e <= len; e++) {
        if (finder_is_place(t, data + e - ANCHOR_PRINT))
            return e;
    }
    return SIZE_MAX;
}

#if defined(FINDER_X86) || defined(FINDER_ARM)
/* The first true place of a block; what comes before it, and it, are taken off. */
static inline size_t first_true(const struct finder_tables *t, const uint8_t *data,
                                struct finder_block *b)
{
    const uint8_t *block = data + b->base;

    while ((b->hashed | b->broad) != 0) {
        uint32_t bit = (b->hashed | b->broad) & -(b->hashed | b->broad);
        size_t at = (size_t)__builtin_ctz(bit);
        bool is_true = ((b->hashed & bit) != 0 && finder_is_hashed(t, block + at)) ||
                       ((b->broad & bit) != 0 && finder_is_broad(t, block + at));

        b->hashed &= ~bit;
        b->broad &= ~bit;
        if (is_true)
            return b->base + at + ANCHOR_PRINT;
    }
    return SIZE_MAX;
}

/* The first true place from index `at` on within the block at hand; *at is then the index
   behind the block, if there was none. */
static inline size_t rest_of_block(const struct finder_tables *t, const uint8_t *data,
                                   struct finder_block *b, size_t *at)
{
    uint32_t passed;

    if (*at < b->base || *at >= b->base + b->places)
        return SIZE_MAX;
    passed = ((uint32_t)1 << (*at - b->base)) - 1;
    b->hashed &= ~passed;
    b->broad &= ~passed;
    *at = b->base + b->places;
    return first_true(t, data, b);
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

SSSE3 struct finder_block block16(const struct finder_tables *t, const uint8_t *data)
{
    const __m128i low = _mm_set1_epi8(15);
    __m128i a = _mm_set1_epi8(-1);
    __m128i b = a;
    __m128i c;

#pragma GCC unroll 4
    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(data + i));
        __m128i lo = _mm_and_si128(bytes, low);
        __m128i hi = _mm_and_si128(_mm_srli_epi16(bytes, 4), low);

        a = _mm_and_si128(a, look16(lo, hi, t->nibbles[0][i]));
        b = _mm_and_si128(b, look16(lo, hi, t->nibbles[1][i]));
    }
    c = _mm_and_si128(b, _mm_set1_epi8((char)(BROAD_BUCKET | ESCAPE_BUCKET)));
    b = _mm_andnot_si128(c, b);
    return (struct finder_block){.hashed = not_zero16(_mm_or_si128(a, b)),
                                 .broad = not_zero16(c)};
}

__attribute__((target("ssse3"))) static size_t find_ssse3(const struct finder_tables *t,
                                                          const uint8_t *data, size_t len,
                                                          size_t from, struct finder_block *b)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;
    size_t found = rest_of_block(t, data, b, &at);

    if (found != SIZE_MAX)
        return found;
    for (; at + 16 + 3 <= len; at += 16) {
        struct finder_block here = block16(t, data + at);

        if ((here.hashed | here.broad) == 0)
            continue;
        *b = here;
        b->base = at;
        b->places = 16;
        found = first_true(t, data, b);
        if (found != SIZE_MAX)
            return found;
    }
    return find_portable(t, data, len, at + ANCHOR_PRINT, b);
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

AVX2 struct finder_block block32(const struct finder_tables *t, const uint8_t *data)
{
    const __m256i low = _mm256_set1_epi8(15);
    __m256i a = _mm256_set1_epi8(-1);
    __m256i b = a;
    __m256i c;

#pragma GCC unroll 4
    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(data + i));
        __m256i lo = _mm256_and_si256(bytes, low);
        __m256i hi = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low);

        a = _mm256_and_si256(a, look32(lo, hi, t->nibbles[0][i]));
        b = _mm256_and_si256(b, look32(lo, hi, t->nibbles[1][i]));
    }
    c = _mm256_and_si256(b, _mm256_set1_epi8((char)(BROAD_BUCKET | ESCAPE_BUCKET)));
    b = _mm256_andnot_si256(c, b);
    return (struct finder_block){.hashed = not_zero32(_mm256_or_si256(a, b)),
                                 .broad = not_zero32(c)};
}

__attribute__((target("avx2"))) static size_t find_avx2(const struct finder_tables *t,
                                                        const uint8_t *data, size_t len,
                                                        size_t from, struct finder_block *b)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;
    size_t found = rest_of_block(t, data, b, &at);

    if (found != SIZE_MAX)
        return found;
    for (; at + 32 + 3 <= len; at += 32) {
        struct finder_block here = block32(t, data + at);

        if ((here.hashed | here.broad) == 0)
            continue;
        *b = here;
        b->base = at;
        b->places = 32;
        found = first_true(t, data, b);
        if (found != SIZE_MAX)
            return found;
    }
    return find_portable(t, data, len, at + ANCHOR_PRINT, b);
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

static inline struct finder_block block16(const struct finder_tables *t, const uint8_t *data)
{
    uint8x16_t a = vdupq_n_u8(255);
    uint8x16_t b = a;
    uint8x16_t c;

#pragma GCC unroll 4
    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        uint8x16_t bytes = vld1q_u8(data + i);
        uint8x16_t lo = vandq_u8(bytes, vdupq_n_u8(15));
        uint8x16_t hi = vshrq_n_u8(bytes, 4);

        a = vandq_u8(a, look16(lo, hi, t->nibbles[0][i]));
        b = vandq_u8(b, look16(lo, hi, t->nibbles[1][i]));
    }
    c = vandq_u8(b, vdupq_n_u8(BROAD_BUCKET | ESCAPE_BUCKET));
    return (struct finder_block){.hashed = not_zero16(vorrq_u8(a, vbicq_u8(b, c))),
                                 .broad = not_zero16(c)};
}

static size_t find_neon(const struct finder_tables *t, const uint8_t *data, size_t len,
                        size_t from, struct finder_block *b)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;
    size_t found = rest_of_block(t, data, b, &at);

    if (found != SIZE_MAX)
        return found;
    for (; at + 16 + 3 <= len; at += 16) {
        struct finder_block here = block16(t, data + at);

        if ((here.hashed | here.broad) == 0)
            continue;
        *b = here;
        b->base = at;
        b->places = 16;
        found = first_true(t, data, b);
        if (found != SIZE_MAX)
            return found;
    }
    return find_portable(t, data, len, at + ANCHOR_PRINT, b);
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
