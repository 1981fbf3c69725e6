// SPDX-License-Identifier: MIT
/*
 * The search is Hyperscan's "Teddy" (Wang et al., NSDI 2019): for each of the four bytes of a
 * print, two 16-entry tables (low and high nibble) give the buckets that fit, eight in each of
 * two halves; all of a half ANDed leave the places worth a look; a hash sorts out most of
 * these. Its price does not depend on the number of anchors, as long as the prints stay rare
 * in ordinary output. The variants are one loop each: intrinsics differ by type.
 *
 * A window is done in two steps, vectors first, then the hashes of all that they left: how
 * many these are is what a processor guesses wrong, and so it has to guess once for a window.
 */
#include "redact/finder.h"

#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#define FINDER_X86 1
#elif defined(__aarch64__)
#include <arm_neon.h>
#define FINDER_ARM 1
#endif

/* ---- windows --------------------------------------------------------------------------- */

static size_t window_len(const struct finder_map *m, size_t len)
{
    size_t places = len >= m->base + ANCHOR_PRINT ? len - m->base - (ANCHOR_PRINT - 1) : 0;

    return places < FINDER_WINDOW ? places : FINDER_WINDOW;
}

static inline void mark(struct finder_map *m, size_t place, bool is_true)
{
    m->bits[place / 64] |= (uint64_t)is_true << place % 64;
}

/* The places from `from` on, one by one. */
static void plain_places(const struct finder_tables *t, const uint8_t *data, struct finder_map *m,
                         size_t from)
{
    for (size_t i = from; i < m->len; i++)
        mark(m, i, finder_is_place(t, data + m->base + i));
}

static void find_portable(const struct finder_tables *t, const uint8_t *data, size_t len,
                          struct finder_map *m)
{
    memset(m->bits, 0, sizeof(m->bits));
    m->len = window_len(m, len);
    plain_places(t, data, m, 0);
}

static size_t first_bit(const struct finder_map *m, size_t from)
{
    uint64_t word;

    if (from >= m->len)
        return SIZE_MAX;
    word = m->bits[from / 64] >> from % 64;
    if (word != 0)
        return from + (size_t)__builtin_ctzll(word);
    for (size_t i = from / 64 + 1; i < FINDER_WINDOW / 64; i++) {
        if (m->bits[i] != 0)
            return i * 64 + (size_t)__builtin_ctzll(m->bits[i]);
    }
    return SIZE_MAX;
}

size_t finder_next(finder_fn *find, const struct finder_tables *t, const uint8_t *data,
                   size_t len, size_t from, struct finder_map *m)
{
    size_t at = from < ANCHOR_PRINT ? 0 : from - ANCHOR_PRINT;

    while (at + ANCHOR_PRINT <= len) {
        size_t place;

        if (at < m->base || at >= m->base + m->len) {
            m->base = at;
            find(t, data, len, m);
        }
        place = first_bit(m, at - m->base);
        if (place != SIZE_MAX)
            return m->base + place + ANCHOR_PRINT;
        at = m->base + m->len;
    }
    return SIZE_MAX;
}

#if defined(FINDER_X86) || defined(FINDER_ARM)
enum { SPARE = 64 }; /* room behind a list for what is written but does not count */

/* Places of a window that fit a bucket, in no particular order of the two kinds. */
struct hits {
    size_t n_hashed;
    size_t n_broad;
    uint16_t hashed[FINDER_WINDOW + SPARE];
    uint16_t broad[FINDER_WINDOW + SPARE];
};

/* Appends the places whose bits are set. Four at a time whether they are there or not: a loop
   that ends after as many as there are would be guessed wrong each time. */
static inline size_t put_places(uint16_t *list, size_t n, size_t base, uint32_t bits)
{
    size_t end = n + (size_t)__builtin_popcount(bits);

    do {
        for (size_t i = 0; i < 4; i++) {
            list[n + i] = (uint16_t)(base + (size_t)__builtin_ctzll(bits | UINT64_C(1) << 32));
            bits &= bits - 1;
        }
        n += 4;
    } while (n < end);
    return end;
}

static inline void keep_true(const struct finder_tables *t, const uint8_t *data,
                             const struct hits *h, struct finder_map *m)
{
    const uint8_t *window = data + m->base;
    uint16_t found[FINDER_WINDOW + 1];
    size_t n = 0;

    /* Listed first: setting a bit waits for the one before it in the same word. */
    for (size_t i = 0; i < h->n_hashed; i++) {
        found[n] = h->hashed[i];
        n += finder_has_bit(t->three, print_hash(finder_word(window + h->hashed[i]) >> 8));
    }
    for (size_t i = 0; i < n; i++)
        mark(m, found[i], finder_is_hashed(t, window + found[i]));
    for (size_t i = 0; i < h->n_broad; i++)
        mark(m, h->broad[i], finder_is_broad(t, window + h->broad[i]));
}
#endif

/* ---- vectors --------------------------------------------------------------------------- */

#ifdef FINDER_X86
#define AVX2 __attribute__((target("avx2,bmi,popcnt"), always_inline)) static inline
#define SSSE3 __attribute__((target("ssse3"), always_inline)) static inline

SSSE3 uint32_t not_zero16(__m128i v)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) ^ 0xffffU;
}

/* The buckets that fit 16 bytes at one position, by their nibbles. */
SSSE3 __m128i look16(__m128i lo, __m128i hi, const uint8_t table[2][16])
{
    return _mm_and_si128(_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)table[0]), lo),
                         _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)table[1]), hi));
}

SSSE3 void block16(const struct finder_tables *t, const uint8_t *data, uint32_t *hashed,
                   uint32_t *broad)
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
    *hashed = not_zero16(_mm_or_si128(a, _mm_andnot_si128(c, b)));
    *broad = not_zero16(c);
}

__attribute__((target("ssse3"))) static void find_ssse3(const struct finder_tables *t,
                                                        const uint8_t *data, size_t len,
                                                        struct finder_map *m)
{
    struct hits h;
    size_t at = 0;

    h.n_hashed = h.n_broad = 0;
    memset(m->bits, 0, sizeof(m->bits));
    m->len = window_len(m, len);
    for (; at + 16 <= m->len; at += 16) {
        uint32_t hashed;
        uint32_t broad;

        block16(t, data + m->base + at, &hashed, &broad);
        h.n_hashed = put_places(h.hashed, h.n_hashed, at, hashed);
        if (broad != 0)
            h.n_broad = put_places(h.broad, h.n_broad, at, broad);
    }
    keep_true(t, data, &h, m);
    plain_places(t, data, m, at);
}

AVX2 uint32_t not_zero32(__m256i v)
{
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
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

AVX2 void block32(const struct finder_tables *t, const uint8_t *data, uint32_t *hashed,
                  uint32_t *broad)
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
    *hashed = not_zero32(_mm256_or_si256(a, _mm256_andnot_si256(c, b)));
    *broad = not_zero32(c);
}

__attribute__((target("avx2,bmi,popcnt"))) static void find_avx2(const struct finder_tables *t,
                                                                 const uint8_t *data, size_t len,
                                                                 struct finder_map *m)
{
    struct hits h;
    size_t at = 0;

    h.n_hashed = h.n_broad = 0;
    memset(m->bits, 0, sizeof(m->bits));
    m->len = window_len(m, len);
    for (; at + 32 <= m->len; at += 32) {
        uint32_t hashed;
        uint32_t broad;

        block32(t, data + m->base + at, &hashed, &broad);
        h.n_hashed = put_places(h.hashed, h.n_hashed, at, hashed);
        if (broad != 0)
            h.n_broad = put_places(h.broad, h.n_broad, at, broad);
    }
    keep_true(t, data, &h, m);
    plain_places(t, data, m, at);
}
#endif

#ifdef FINDER_X86
#define AVX512_ISA "avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,popcnt"
#define AVX512 __attribute__((target(AVX512_ISA), always_inline)) static inline

/* The tables, each four times over; they fit the registers. */
struct wide {
    __m512i lo[2][ANCHOR_PRINT];
    __m512i hi[2][ANCHOR_PRINT];
};

AVX512 __m512i four_times(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table));
}

AVX512 void block64(const struct wide *w, const uint8_t *data, uint64_t *hashed, uint64_t *broad)
{
    const __m512i low = _mm512_set1_epi8(15);
    __m512i a = _mm512_set1_epi8(-1);
    __m512i b = a;
    __m512i c;

#pragma GCC unroll 4
    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        __m512i bytes = _mm512_loadu_si512(data + i);
        __m512i lo = _mm512_and_si512(bytes, low);
        __m512i hi = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), low);

        a = _mm512_and_si512(a, _mm512_and_si512(_mm512_shuffle_epi8(w->lo[0][i], lo),
                                                 _mm512_shuffle_epi8(w->hi[0][i], hi)));
        b = _mm512_and_si512(b, _mm512_and_si512(_mm512_shuffle_epi8(w->lo[1][i], lo),
                                                 _mm512_shuffle_epi8(w->hi[1][i], hi)));
    }
    c = _mm512_and_si512(b, _mm512_set1_epi8((char)(BROAD_BUCKET | ESCAPE_BUCKET)));
    b = _mm512_or_si512(a, _mm512_andnot_si512(c, b));
    *hashed = _mm512_test_epi8_mask(b, b);
    *broad = _mm512_test_epi8_mask(c, c);
}

/* Appends the places whose bits are set. */
AVX512 size_t put_places64(uint16_t *list, size_t n, size_t base, uint64_t bits)
{
    static const uint8_t counting[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i at = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(counting));
    __m512i first = _mm512_set1_epi16((short)base);

    _mm512_storeu_si512(list + n, _mm512_add_epi16(
                                      first, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(at))));
    if (_mm_popcnt_u64(bits) > 32)
        _mm512_storeu_si512(list + n + 32,
                            _mm512_add_epi16(first, _mm512_cvtepu8_epi16(
                                                        _mm512_extracti64x4_epi64(at, 1))));
    return n + (size_t)_mm_popcnt_u64(bits);
}

__attribute__((target(AVX512_ISA))) static void find_avx512(const struct finder_tables *t,
                                                            const uint8_t *data, size_t len,
                                                            struct finder_map *m)
{
    struct hits h;
    struct wide w;
    size_t at = 0;

    for (size_t i = 0; i < 2 * ANCHOR_PRINT; i++) {
        w.lo[i / ANCHOR_PRINT][i % ANCHOR_PRINT] =
            four_times(t->nibbles[i / ANCHOR_PRINT][i % ANCHOR_PRINT][0]);
        w.hi[i / ANCHOR_PRINT][i % ANCHOR_PRINT] =
            four_times(t->nibbles[i / ANCHOR_PRINT][i % ANCHOR_PRINT][1]);
    }
    h.n_hashed = h.n_broad = 0;
    memset(m->bits, 0, sizeof(m->bits));
    m->len = window_len(m, len);
    for (; at + 64 <= m->len; at += 64) {
        uint64_t hashed;
        uint64_t broad;

        block64(&w, data + m->base + at, &hashed, &broad);
        h.n_hashed = put_places64(h.hashed, h.n_hashed, at, hashed);
        h.n_broad = put_places64(h.broad, h.n_broad, at, broad);
    }
    keep_true(t, data, &h, m);
    plain_places(t, data, m, at);
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

static inline void block16(const struct finder_tables *t, const uint8_t *data, uint32_t *hashed,
                           uint32_t *broad)
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
    *hashed = not_zero16(vorrq_u8(a, vbicq_u8(b, c)));
    *broad = not_zero16(c);
}

static void find_neon(const struct finder_tables *t, const uint8_t *data, size_t len,
                      struct finder_map *m)
{
    struct hits h;
    size_t at = 0;

    h.n_hashed = h.n_broad = 0;
    memset(m->bits, 0, sizeof(m->bits));
    m->len = window_len(m, len);
    for (; at + 16 <= m->len; at += 16) {
        uint32_t hashed;
        uint32_t broad;

        block16(t, data + m->base + at, &hashed, &broad);
        h.n_hashed = put_places(h.hashed, h.n_hashed, at, hashed);
        if (broad != 0)
            h.n_broad = put_places(h.broad, h.n_broad, at, broad);
    }
    keep_true(t, data, &h, m);
    plain_places(t, data, m, at);
}
#endif

/* ---- which ----------------------------------------------------------------------------- */

bool finder_available(enum finder_kind kind)
{
#ifdef FINDER_X86
    if (kind == FINDER_AVX512)
        return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
               __builtin_cpu_supports("avx512vl") != 0 &&
               __builtin_cpu_supports("avx512vbmi2") != 0 && __builtin_cpu_supports("bmi") != 0;
    if (kind == FINDER_AVX2)
        return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0;
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
        [FINDER_AVX512] = find_avx512,
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
