// SPDX-License-Identifier: MIT
#include "redact/prints.h"

#include "base/cpu.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#define PRINTS_X86 1
#endif

enum { NEAR = 8 /* bytes looked at one by one before the vector search */ };

void prints_allow(struct prints *p, unsigned bucket, size_t at, uint8_t byte)
{
    uint8_t bit = (uint8_t)(1U << bucket);

    p->bytes[at][byte] |= bit;
    p->nibbles[at][0][byte & 15] |= bit;
    p->nibbles[at][1][byte >> 4] |= bit;
}

void prints_allow_any(struct prints *p, unsigned bucket, size_t at)
{
    for (unsigned byte = 0; byte < 256; byte++)
        prints_allow(p, bucket, at, (uint8_t)byte);
}

/* As much as there is of data[at, at + PRINT_LEN) fits. */
static inline bool fits(const struct prints *p, const uint8_t *data, size_t len, size_t at)
{
    uint8_t hit = p->bytes[0][data[at]];

    if (len - at > 1)
        hit &= p->bytes[1][data[at + 1]];
    if (len - at > 2)
        hit &= p->bytes[2][data[at + 2]];
    return hit != 0;
}

static size_t find_portable(const struct prints *p, const uint8_t *data, size_t len,
                            size_t from)
{
    while (from < len && !fits(p, data, len, from))
        from++;
    return from < len ? from : len;
}

#ifdef PRINTS_X86
/* The first true place among the candidate bits of a block that begins at base; len: none. */
static size_t first_true(const struct prints *p, const uint8_t *data, size_t len, size_t base,
                         uint32_t bits)
{
    for (; bits != 0; bits &= bits - 1) {
        size_t at = base + (size_t)__builtin_ctz(bits);

        if (fits(p, data, len, at))
            return at;
    }
    return len;
}

__attribute__((target("ssse3"))) static inline __m128i look16(__m128i bytes,
                                                              const uint8_t table[2][16])
{
    const __m128i low = _mm_set1_epi8(15);
    __m128i lo = _mm_loadu_si128((const __m128i *)table[0]);
    __m128i hi = _mm_loadu_si128((const __m128i *)table[1]);

    return _mm_and_si128(_mm_shuffle_epi8(lo, _mm_and_si128(bytes, low)),
                         _mm_shuffle_epi8(hi, _mm_and_si128(_mm_srli_epi16(bytes, 4), low)));
}

__attribute__((target("ssse3"))) static size_t find_ssse3(const struct prints *p,
                                                          const uint8_t *data, size_t len,
                                                          size_t at)
{
    for (; at + 16 + 2 <= len; at += 16) {
        __m128i hit = look16(_mm_loadu_si128((const __m128i *)(data + at)), p->nibbles[0]);
        uint32_t bits;
        size_t found;

        hit = _mm_and_si128(
            hit, look16(_mm_loadu_si128((const __m128i *)(data + at + 1)), p->nibbles[1]));
        hit = _mm_and_si128(
            hit, look16(_mm_loadu_si128((const __m128i *)(data + at + 2)), p->nibbles[2]));
        bits = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(hit, _mm_setzero_si128())) ^ 0xffffU;
        found = bits != 0 ? first_true(p, data, len, at, bits) : len;
        if (found < len)
            return found;
    }
    return find_portable(p, data, len, at);
}

__attribute__((target("avx2"))) static inline __m256i look32(__m256i bytes,
                                                             const uint8_t table[2][16])
{
    const __m256i low = _mm256_set1_epi8(15);
    __m256i lo = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table[0]));
    __m256i hi = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table[1]));

    return _mm256_and_si256(
        _mm256_shuffle_epi8(lo, _mm256_and_si256(bytes, low)),
        _mm256_shuffle_epi8(hi, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low)));
}

__attribute__((target("avx2"))) static size_t find_avx2(const struct prints *p,
                                                        const uint8_t *data, size_t len,
                                                        size_t at)
{
    for (; at + 32 + 2 <= len; at += 32) {
        __m256i hit = look32(_mm256_loadu_si256((const __m256i *)(data + at)), p->nibbles[0]);
        uint32_t bits;
        size_t found;

        hit = _mm256_and_si256(
            hit, look32(_mm256_loadu_si256((const __m256i *)(data + at + 1)), p->nibbles[1]));
        hit = _mm256_and_si256(
            hit, look32(_mm256_loadu_si256((const __m256i *)(data + at + 2)), p->nibbles[2]));
        bits = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hit, _mm256_setzero_si256()));
        found = bits != 0 ? first_true(p, data, len, at, bits) : len;
        if (found < len)
            return found;
    }
    return find_portable(p, data, len, at);
}
#endif

bool prints_available(enum prints_kind kind)
{
#ifdef PRINTS_X86
    if (kind == PRINTS_AVX2)
        return cpu_has_avx2();
    if (kind == PRINTS_SSSE3)
        return cpu_has_ssse3();
#endif
    return kind == PRINTS_PORTABLE;
}

size_t prints_find(enum prints_kind kind, const struct prints *p, const uint8_t *data,
                   size_t len, size_t from)
{
#ifdef PRINTS_X86
    if (kind == PRINTS_AVX2)
        return find_avx2(p, data, len, from);
    if (kind == PRINTS_SSSE3)
        return find_ssse3(p, data, len, from);
#endif
    (void)kind;
    return find_portable(p, data, len, from);
}

size_t prints_next(const struct prints *p, const uint8_t *data, size_t len, size_t from)
{
    size_t near = len - from > NEAR ? from + NEAR : len;

    /* In a flood of hits the vector search costs more to begin than a few steps. */
    for (; from < near; from++) {
        if (fits(p, data, len, from))
            return from;
    }
    if (prints_available(PRINTS_AVX2))
        return prints_find(PRINTS_AVX2, p, data, len, from);
    if (prints_available(PRINTS_SSSE3))
        return prints_find(PRINTS_SSSE3, p, data, len, from);
    return find_portable(p, data, len, from);
}
