// SPDX-License-Identifier: MIT
/*
 * What bytes of a stream are: a bit for each. By two tables of 16, of what the halves of a byte
 * say, where the machine looks up many at once; else by ranges of bytes. Called by known_block.c.
 */
#include "redact/known_gram.h"

#include "base/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define KINDS_X86
#endif

#ifdef KINDS_X86

#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,popcnt")))

/* By the high half of a byte: its bit. None for what is not ASCII. */
static const uint8_t high_bits[16] = {1, 2, 4, 8, 16, 32, 64, 128};

/* Digits and capital letters, as known_filter's nibbles. */
static const uint8_t strong_bits[16] = {
    1 << 3 | 1 << 5, /* 0 P */
    1 << 3 | 1 << 4 | 1 << 5, 1 << 3 | 1 << 4 | 1 << 5, 1 << 3 | 1 << 4 | 1 << 5, /* 1 A Q ... */
    1 << 3 | 1 << 4 | 1 << 5, 1 << 3 | 1 << 4 | 1 << 5, 1 << 3 | 1 << 4 | 1 << 5,
    1 << 3 | 1 << 4 | 1 << 5, 1 << 3 | 1 << 4 | 1 << 5, 1 << 3 | 1 << 4 | 1 << 5,
    1 << 4 | 1 << 5, /* J Z */
    1 << 4, 1 << 4, 1 << 4, 1 << 4, 1 << 4 /* K ... O */
};

/* All bits if some gram has a byte beyond ASCII: then all of those are told to be of grams. */
static uint64_t high_own(const struct known_filter *f)
{
    return (f->bytes[2] | f->bytes[3]) != 0 ? UINT64_MAX : 0;
}

/* ---- grams ------------------------------------------------------------------------- */

/* Where grams begin that have no foreign byte. */
static inline uint64_t grams_own(uint64_t foreign, uint32_t gram)
{
    foreign |= foreign >> 1;
    foreign |= foreign >> 2;
    if (gram == GRAM_LONG)
        return ~(foreign | foreign >> 4) & UINT64_C(0x0101010101010101);
    return ~foreign & UINT64_C(0x1111111111111111);
}

/* Those of them that have a strong byte, of the four or eight looked at. */
static inline uint64_t grams_strong(uint64_t own, uint64_t strong, uint32_t gram)
{
    strong |= strong >> 1;
    strong |= strong >> 2;
    return own & (gram == GRAM_LONG ? strong | strong >> 4 : strong);
}

static void grams_list(const struct known_kinds *kinds, size_t n, uint32_t gram,
                       struct known_grams *grams)
{
    enum { SPARE = 3 };

    grams->n_strong = grams->n_weak = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t all = grams_own(kinds->foreign[i], gram);
        uint64_t strong = grams_strong(all, kinds->strong[i], gram);

        grams->n_strong = places_list(grams->strong, grams->n_strong, strong, i * KNOWN_BLOCK,
                                      SPARE);
        grams->n_weak = places_list(grams->weak, grams->n_weak, all ^ strong, i * KNOWN_BLOCK,
                                    SPARE);
    }
}

/* ---- kinds ------------------------------------------------------------------------- */

static void kinds_sse2(const struct known_filter *f, const uint8_t *p, size_t n,
                       struct known_kinds *kinds)
{
    const __m128i most = _mm_set1_epi8(0x1f);

    memset(kinds->controls, 0, n * sizeof(kinds->controls[0]));
    memset(kinds->foreign, 0, n * sizeof(kinds->foreign[0]));
    memset(kinds->strong, 0xff, n * sizeof(kinds->strong[0]));
    for (size_t i = 0; i < n * KNOWN_BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i outside = _mm_set1_epi8(-1); /* of all ranges: not 0 */
        int controls = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(v, most), most));
        int own;

        for (uint32_t r = 0; r < f->n_ranges; r++) {
            __m128i first = _mm_set1_epi8((char)f->ranges[r].first);
            __m128i size = _mm_set1_epi8((char)(f->ranges[r].last - f->ranges[r].first));

            outside = _mm_min_epu8(outside, _mm_subs_epu8(_mm_sub_epi8(v, first), size));
        }
        own = _mm_movemask_epi8(_mm_cmpeq_epi8(outside, _mm_setzero_si128()));
        kinds->controls[i / KNOWN_BLOCK] |= (uint64_t)(unsigned)controls << i % KNOWN_BLOCK;
        kinds->foreign[i / KNOWN_BLOCK] |= (uint64_t)(uint16_t)~own << i % KNOWN_BLOCK;
    }
}

AVX2 static inline __m256i table32(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

AVX2 static inline uint32_t zeros32(__m256i v)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
}

AVX2 static void kinds_avx2(const struct known_filter *f, const uint8_t *p, size_t n,
                            struct known_kinds *kinds)
{
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i space = _mm256_set1_epi8(' ');
    const __m256i highs = table32(high_bits);
    const __m256i own = table32(f->nibbles);
    const __m256i strong = table32(strong_bits);
    uint32_t others = (uint32_t)high_own(f);

    memset(kinds->controls, 0, n * sizeof(kinds->controls[0]));
    memset(kinds->foreign, 0, n * sizeof(kinds->foreign[0]));
    memset(kinds->strong, 0, n * sizeof(kinds->strong[0]));
    for (size_t i = 0; i < n * KNOWN_BLOCK; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i low = _mm256_and_si256(v, half);
        __m256i bit = _mm256_shuffle_epi8(highs, _mm256_and_si256(_mm256_srli_epi16(v, 4), half));
        uint32_t text = zeros32(_mm256_subs_epu8(space, v));
        uint32_t foreign = zeros32(_mm256_and_si256(_mm256_shuffle_epi8(own, low), bit)) &
                           ~(others & (uint32_t)_mm256_movemask_epi8(v));
        uint32_t weak = zeros32(_mm256_and_si256(_mm256_shuffle_epi8(strong, low), bit));

        kinds->controls[i / KNOWN_BLOCK] |= (uint64_t)~text << i % KNOWN_BLOCK;
        kinds->foreign[i / KNOWN_BLOCK] |= (uint64_t)foreign << i % KNOWN_BLOCK;
        kinds->strong[i / KNOWN_BLOCK] |= (uint64_t)~weak << i % KNOWN_BLOCK;
    }
}

AVX512 static inline __m512i table64(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)table));
}

AVX512 static void kinds_avx512(const struct known_filter *f, const uint8_t *p, size_t n,
                                struct known_kinds *kinds)
{
    const __m512i half = _mm512_set1_epi8(15);
    const __m512i highs = table64(high_bits);
    const __m512i own = table64(f->nibbles);
    const __m512i strong = table64(strong_bits);
    uint64_t others = high_own(f);

    for (size_t i = 0; i < n; i++) {
        __m512i v = _mm512_loadu_si512(p + i * KNOWN_BLOCK);
        __m512i low = _mm512_and_si512(v, half);
        __m512i bit = _mm512_shuffle_epi8(highs, _mm512_and_si512(_mm512_srli_epi16(v, 4), half));

        kinds->controls[i] = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20));
        kinds->foreign[i] = _mm512_testn_epi8_mask(_mm512_shuffle_epi8(own, low), bit) &
                            ~(others & _mm512_movepi8_mask(v));
        kinds->strong[i] = _mm512_test_epi8_mask(_mm512_shuffle_epi8(strong, low), bit);
    }
}

/* Bit n: the n-th eight of the block's bits are zeros. */
AVX512 static inline uint32_t eights_none(uint64_t bits)
{
    __m512i v = _mm512_movm_epi8(bits);

    return _mm512_testn_epi64_mask(v, v);
}

/* Appends the places among the sixteen that the bits tell. */
AVX512 static inline size_t places_put(uint16_t *places, size_t n, uint32_t bits, __m512i all)
{
    __m256i some = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32((__mmask16)bits, all));

    _mm256_storeu_si256((__m256i *)(void *)(places + n), some);
    return n + (unsigned)__builtin_popcount(bits);
}

/* Of long grams, two blocks at a time: without a branch. */
AVX512 static void grams_list_avx512(const struct known_kinds *kinds, size_t n, uint32_t gram,
                                     struct known_grams *grams)
{
    __m512i places = _mm512_mullo_epi32(_mm512_set1_epi32(STRIDE_LONG),
                                        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
                                                          12, 13, 14, 15));
    size_t n_strong = 0;
    size_t n_weak = 0;

    if (gram != GRAM_LONG) {
        grams_list(kinds, n, gram, grams);
        return;
    }
    for (size_t i = 0; i < n; i += 2) {
        bool two = i + 1 < n;
        uint32_t own = eights_none(kinds->foreign[i]) |
                       (two ? eights_none(kinds->foreign[i + 1]) << 8 : 0);
        uint32_t weak = eights_none(kinds->strong[i]) |
                        (two ? eights_none(kinds->strong[i + 1]) << 8 : 0);

        n_strong = places_put(grams->strong, n_strong, own & ~weak, places);
        n_weak = places_put(grams->weak, n_weak, own & weak, places);
        places = _mm512_add_epi32(places, _mm512_set1_epi32(2 * KNOWN_BLOCK));
    }
    grams->n_strong = n_strong;
    grams->n_weak = n_weak;
}

const struct known_teller *known_teller_get(enum known_telling telling)
{
    static const struct known_teller tellers[N_TELLINGS] = {
        [TELL_SSE2] = {kinds_sse2, grams_list},
        [TELL_AVX2] = {kinds_avx2, grams_list},
        [TELL_AVX512] = {kinds_avx512, grams_list_avx512}};

    if (telling == TELL_AVX512 && !(cpu_has_avx512f() && cpu_has_avx512bw()))
        return NULL;
    if (telling == TELL_AVX2 && !cpu_has_avx2())
        return NULL;
    return &tellers[telling];
}

#else

const struct known_teller *known_teller_get(enum known_telling telling)
{
    (void)telling;
    return NULL;
}

#endif

const struct known_teller *known_teller_best(const struct known_filter *f)
{
    int telling = f->near != NULL ? N_TELLINGS - 1 : TELL_SSE2;

    while (telling > TELL_SSE2 && known_teller_get((enum known_telling)telling) == NULL)
        telling--;
    if (telling == TELL_SSE2 && f->n_ranges == 0)
        return NULL;
    return known_teller_get((enum known_telling)telling);
}
