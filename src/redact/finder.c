// SPDX-License-Identifier: MIT
/*
 * The search is Hyperscan's "Teddy" (Wang et al., NSDI 2019): for each of the four bytes of a
 * print, a table look-up gives the buckets that fit, eight in each of two halves; all of a half
 * ANDed leave the places worth a look; a hash sorts out most of these. Its price does not
 * depend on the number of anchors, as long as the prints stay rare in ordinary output. Where a
 * vector takes 16 entries only, a byte is looked up in two nibbles; AVX-512 VBMI takes 128.
 *
 * A window is done in steps, vectors first, then the hashes of all that they left: how many
 * these are is what a processor guesses wrong, and so it has to guess once for a window.
 */
#include "redact/finder.h"

#include <string.h>

#include "base/cpu.h"
#include "redact/escape.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#define FINDER_X86 1
#elif defined(__aarch64__)
#include <arm_neon.h>
#define FINDER_ARM 1
#endif

enum { BLOCK = 64 /* places whose bits are a word */ };

/* ---- windows --------------------------------------------------------------------------- */

static size_t window_len(const struct finder_map *m, size_t len)
{
    size_t places = len >= m->base + ANCHOR_PRINT ? len - m->base - (ANCHOR_PRINT - 1) : 0;

    return places < FINDER_WINDOW ? places : FINDER_WINDOW;
}

static inline void mark(uint64_t *bits, size_t place, bool is_true)
{
    bits[place / 64] |= (uint64_t)is_true << place % 64;
}

/* What stands behind the broad print at data, of which len bytes are there, goes with it; what
   stands behind an escape sequence is not known here. */
static bool goes_on(const struct finder_tables *t, const uint8_t *data, size_t len)
{
    size_t stop = len < ANCHOR_PRINT + FINDER_AHEAD ? len : ANCHOR_PRINT + FINDER_AHEAD;
    bool good = true;

    for (size_t i = ANCHOR_PRINT; i < stop && data[i] != ESC; i++)
        good &= t->broad_next[data[i]];
    return good;
}

static bool is_broad_place(const struct finder_tables *t, const uint8_t *data, size_t len)
{
    return finder_is_broad(t, data) && goes_on(t, data, len);
}

/* The places from `from` on, one by one. */
static void plain_places(const struct finder_tables *t, const uint8_t *data, size_t len,
                         struct finder_map *m, size_t from)
{
    for (size_t i = from; i < m->len; i++) {
        mark(m->bits, i, finder_is_hashed(t, data + i) || is_broad_place(t, data + i, len - i));
        mark(m->escapes, i, data[i + ANCHOR_PRINT - 1] == ESC);
    }
}

static void keep_true(const struct finder_tables *t, const uint8_t *data, size_t len,
                      const struct finder_hits *h, struct finder_map *m)
{
    uint16_t found[FINDER_WINDOW + 1];
    size_t n = 0;

    /* Listed first: setting a bit waits for the one before it in the same word. */
    for (size_t i = 0; i < h->n_hashed; i++) {
        found[n] = h->hashed[i];
        n += finder_has_bit(t->three, print_hash(finder_word(data + h->hashed[i]) >> 8));
    }
    for (size_t i = 0; i < n; i++)
        mark(m->bits, found[i], finder_is_hashed(t, data + found[i]));
    for (size_t i = 0; i < h->n_broad; i++)
        mark(m->bits, h->broad[i], is_broad_place(t, data + h->broad[i], len - h->broad[i]));
}

/* ---- escape sequences ------------------------------------------------------------------ */

enum { GROUP_MAX = 32, AROUND = ANCHOR_PRINT - 1 };

/*
 * Sequences with fewer bytes between them than a print has, and as many around them: what is
 * left of these bytes without the sequences.
 */
struct group {
    uint8_t text[GROUP_MAX];
    size_t n;
    size_t end; /* behind the last sequence */
};

/* The three bytes behind a sequence may begin a token, whatever stands before it. */
static bool may_begin(const struct finder_tables *t, const uint8_t *text)
{
    uint8_t print[ANCHOR_PRINT] = {'\n', text[0], text[1], text[2]};

    return finder_is_place(t, print);
}

/* Gathers the group whose first ESC is data[at]. False if it is not whole or too long. */
static bool group_gather(struct group *g, const uint8_t *data, size_t len, size_t at)
{
    size_t k = 0;

    memcpy(g->text, data + at - AROUND, AROUND);
    g->n = AROUND;
    while (k < AROUND) {
        size_t n = escape_length(data + at, len - at);

        g->end = at += n;
        if (n == 0 || at + AROUND > len || g->n + AROUND > GROUP_MAX)
            return false;
        for (k = 0; k < AROUND && data[at] != ESC; k++)
            g->text[g->n++] = data[at++];
    }
    return true;
}

/* Some print may stand across a sequence of the group, or begin behind one. */
static bool group_matters(const struct group *g, const struct finder_tables *t)
{
    bool place = may_begin(t, g->text + g->n - AROUND);

    for (size_t i = 0; i + ANCHOR_PRINT <= g->n; i++)
        place |= finder_is_place(t, g->text + i);
    for (size_t i = AROUND; g->n > 2 * AROUND && i + AROUND < g->n; i++)
        place |= may_begin(t, g->text + i);
    return place;
}

/* Nobody wants to know of the group that begins with the ESC at data[at]. Sets m->skimmed. */
static bool is_idle(const struct finder_tables *t, const uint8_t *data, size_t len, size_t at,
                    struct finder_map *m)
{
    struct group g;
    size_t n;

    if (at >= m->skimmed + AROUND && group_gather(&g, data, len, at)) {
        m->skimmed = g.end;
        return !group_matters(&g, t);
    }
    n = escape_length(data + at, len - at);
    m->skimmed = at + (n > 0 ? n : 1);
    return false;
}

/* Makes places of the escape sequences that matter. */
static void look_at_escapes(const struct finder_tables *t, const uint8_t *data, size_t len,
                            struct finder_map *m)
{
    for (size_t i = 0; i < FINDER_WINDOW / 64; i++) {
        for (uint64_t bits = m->escapes[i]; bits != 0; bits &= bits - 1) {
            size_t place = i * 64 + (size_t)__builtin_ctzll(bits);
            size_t at = m->base + place + ANCHOR_PRINT - 1;

            if (at >= m->skimmed)
                mark(m->bits, place, !is_idle(t, data, len, at, m));
        }
    }
}

/* The last bit before `end`, plus one; 0: none. */
static size_t last_bit(const uint64_t *bits, size_t end)
{
    size_t i = end / 64;
    uint64_t word = end % 64 > 0 ? bits[i] << (64 - end % 64) >> (64 - end % 64) : 0;

    while (word == 0 && i > 0)
        word = bits[--i];
    return word != 0 ? i * 64 + (size_t)(64 - __builtin_clzll(word)) : 0;
}

size_t finder_escape_in(const struct finder_map *m, size_t upto)
{
    size_t end = 0;

    if (upto >= m->base + ANCHOR_PRINT) {
        end = upto - m->base - AROUND;
        end = last_bit(m->escapes, end < m->len ? end : m->len);
    }
    return end > 0 ? m->base + end + AROUND : m->last;
}

/* ---- the next place -------------------------------------------------------------------- */

static void fill_map(finder_fn *find, const struct finder_tables *t, const uint8_t *data,
                     size_t len, size_t at, struct finder_map *m)
{
    struct finder_hits h;
    size_t n;

    if (m->len > 0)
        m->last = finder_escape(m, len);
    m->base = at;
    m->len = window_len(m, len);
    for (size_t i = 0; i < FINDER_WINDOW / 64; i++)
        m->bits[i] = 0;
    h.n_hashed = h.n_broad = 0;
    h.any_escape = 0;
    n = find(t, data + at, m->len, &h);
    keep_true(t, data + at, len - at, &h, m);
    m->any_escape = h.any_escape != 0 ||
                    memchr(data + at + n + AROUND, ESC, m->len - n) != NULL;
    if (m->any_escape) {
        memcpy(m->escapes, h.escapes, n / 8);
        memset((char *)m->escapes + n / 8, 0, sizeof(m->escapes) - n / 8);
    }
    plain_places(t, data + at, len - at, m, n);
    if (m->any_escape)
        look_at_escapes(t, data, len, m);
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

        if (at < m->base || at >= m->base + m->len)
            fill_map(find, t, data, len, at, m);
        place = first_bit(m, at - m->base);
        if (place != SIZE_MAX)
            return m->base + place + ANCHOR_PRINT;
        at = m->base + m->len;
    }
    return SIZE_MAX;
}

static size_t find_portable(const struct finder_tables *t, const uint8_t *data, size_t n,
                            struct finder_hits *h)
{
    (void)t;
    (void)data;
    (void)n;
    (void)h;
    return 0; /* each place is looked at by itself */
}

/* ---- vectors --------------------------------------------------------------------------- */

#if defined(FINDER_X86) || defined(FINDER_ARM)
/* What a block leaves. */
struct found {
    uint64_t hashed;
    uint64_t broad;
    uint64_t escapes;
};

/* Appends the places whose bits are set. Four at a time whether they are there or not: a loop
   that ends after as many as there are would be guessed wrong each time. */
static inline __attribute__((always_inline)) size_t put_places(uint16_t *list, size_t n,
                                                               size_t base, uint64_t bits)
{
    size_t end = n + (size_t)__builtin_popcountll(bits);

    do {
        for (size_t i = 0; i < 4; i++) {
            list[n + i] = (uint16_t)(base + (size_t)__builtin_ctzll(bits | UINT64_C(1) << 63));
            bits &= bits - 1;
        }
        n += 4;
    } while (n < end);
    return end;
}

static inline __attribute__((always_inline)) void put_found(struct finder_hits *h, size_t at,
                                                            const struct found *f)
{
    h->escapes[at / 64] = f->escapes;
    h->any_escape |= f->escapes;
    h->n_hashed = put_places(h->hashed, h->n_hashed, at, f->hashed);
    if (f->broad != 0)
        h->n_broad = put_places(h->broad, h->n_broad, at, f->broad);
}
#endif

#ifdef FINDER_X86
#define SSSE3 __attribute__((target("ssse3"), always_inline)) static inline
#define AVX2 __attribute__((target("avx2,bmi,popcnt"), always_inline)) static inline
#define AVX512_ISA "avx512f,avx512bw,avx512vbmi,bmi,bmi2,popcnt"
#define AVX512 __attribute__((target(AVX512_ISA), always_inline)) static inline

SSSE3 uint64_t bits16(__m128i is_true)
{
    return (uint16_t)_mm_movemask_epi8(is_true);
}

/* The buckets that fit 16 bytes at one position, by their nibbles. */
SSSE3 __m128i look16(__m128i lo, __m128i hi, const uint8_t table[2][16])
{
    return _mm_and_si128(_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)table[0]), lo),
                         _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)table[1]), hi));
}

SSSE3 void part16(const struct finder_tables *t, const uint8_t *data, unsigned shift,
                  struct found *f)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i low = _mm_set1_epi8(15);
    __m128i a = _mm_set1_epi8(-1);
    __m128i b = a;
    __m128i c;
    __m128i bytes = zero;

#pragma GCC unroll 4
    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        __m128i lo;
        __m128i hi;

        bytes = _mm_loadu_si128((const __m128i *)(data + i));
        lo = _mm_and_si128(bytes, low);
        hi = _mm_and_si128(_mm_srli_epi16(bytes, 4), low);
        a = _mm_and_si128(a, look16(lo, hi, t->nibbles[0][i]));
        b = _mm_and_si128(b, look16(lo, hi, t->nibbles[1][i]));
    }
    c = _mm_and_si128(b, _mm_set1_epi8((char)BROAD_BUCKET));
    a = _mm_or_si128(a, _mm_andnot_si128(c, b));
    f->hashed |= (bits16(_mm_cmpeq_epi8(a, zero)) ^ 0xffffU) << shift;
    f->broad |= (bits16(_mm_cmpeq_epi8(c, zero)) ^ 0xffffU) << shift;
    f->escapes |= bits16(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(ESC))) << shift;
}

__attribute__((target("ssse3"))) static size_t find_ssse3(const struct finder_tables *t,
                                                          const uint8_t *data, size_t n,
                                                          struct finder_hits *h)
{
    size_t at = 0;

    for (; at + BLOCK <= n; at += BLOCK) {
        struct found f = {0};

        for (unsigned part = 0; part < BLOCK; part += 16)
            part16(t, data + at + part, part, &f);
        put_found(h, at, &f);
    }
    return at;
}

AVX2 uint64_t bits32(__m256i is_true)
{
    return (uint32_t)_mm256_movemask_epi8(is_true);
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

AVX2 void part32(const struct finder_tables *t, const uint8_t *data, unsigned shift,
                 struct found *f)
{
    const __m256i zero = _mm256_setzero_si256();
    const __m256i low = _mm256_set1_epi8(15);
    __m256i a = _mm256_set1_epi8(-1);
    __m256i b = a;
    __m256i c;
    __m256i bytes = zero;

#pragma GCC unroll 4
    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        __m256i lo;
        __m256i hi;

        bytes = _mm256_loadu_si256((const __m256i *)(data + i));
        lo = _mm256_and_si256(bytes, low);
        hi = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low);
        a = _mm256_and_si256(a, look32(lo, hi, t->nibbles[0][i]));
        b = _mm256_and_si256(b, look32(lo, hi, t->nibbles[1][i]));
    }
    c = _mm256_and_si256(b, _mm256_set1_epi8((char)BROAD_BUCKET));
    a = _mm256_or_si256(a, _mm256_andnot_si256(c, b));
    f->hashed |= (bits32(_mm256_cmpeq_epi8(a, zero)) ^ UINT32_MAX) << shift;
    f->broad |= (bits32(_mm256_cmpeq_epi8(c, zero)) ^ UINT32_MAX) << shift;
    f->escapes |= bits32(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(ESC))) << shift;
}

__attribute__((target("avx2,bmi,popcnt"))) static size_t find_avx2(const struct finder_tables *t,
                                                                   const uint8_t *data, size_t n,
                                                                   struct finder_hits *h)
{
    size_t at = 0;

    for (; at + BLOCK <= n; at += BLOCK) {
        struct found f = {0};

        part32(t, data + at, 0, &f);
        part32(t, data + at + 32, 32, &f);
        put_found(h, at, &f);
    }
    return at;
}

/* The tables of whole bytes; they fit the registers. */
struct wide {
    __m512i lo[2][ANCHOR_PRINT]; /* bytes 0 to 63 */
    __m512i hi[2][ANCHOR_PRINT];
};

AVX512 void wide_load(struct wide *w, const struct finder_tables *t)
{
#pragma GCC unroll 8
    for (size_t i = 0; i < 2 * ANCHOR_PRINT; i++) {
        const uint8_t *table = t->whole_bytes[i / ANCHOR_PRINT][i % ANCHOR_PRINT];

        w->lo[i / ANCHOR_PRINT][i % ANCHOR_PRINT] = _mm512_loadu_si512(table);
        w->hi[i / ANCHOR_PRINT][i % ANCHOR_PRINT] = _mm512_loadu_si512(table + 64);
    }
}

AVX512 __m512i look64(const struct wide *w, size_t half, size_t i, __m512i bytes)
{
    return _mm512_permutex2var_epi8(w->lo[half][i], bytes, w->hi[half][i]);
}

/* The look-up leaves the high bit out: put right where it is set. */
AVX512 __m512i look_high(const struct finder_tables *t, size_t half, size_t i, __m512i bytes,
                         __m512i looked)
{
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), looked,
                                  _mm512_set1_epi8((char)t->high_bytes[half][i]));
}

AVX512 void part64(const struct finder_tables *t, const struct wide *w, const uint8_t *data,
                   struct found *f)
{
    __m512i bytes[ANCHOR_PRINT];
    __m512i a = _mm512_set1_epi8(-1);
    __m512i b = a;
    __m512i c;

#pragma GCC unroll 4
    for (size_t i = 0; i < ANCHOR_PRINT; i++)
        bytes[i] = _mm512_loadu_si512(data + i);
    if (_mm512_movepi8_mask(_mm512_or_si512(bytes[0], bytes[ANCHOR_PRINT - 1])) == 0) {
#pragma GCC unroll 4
        for (size_t i = 0; i < ANCHOR_PRINT; i++) {
            a = _mm512_and_si512(a, look64(w, 0, i, bytes[i]));
            b = _mm512_and_si512(b, look64(w, 1, i, bytes[i]));
        }
    } else {
#pragma GCC unroll 4
        for (size_t i = 0; i < ANCHOR_PRINT; i++) {
            a = _mm512_and_si512(a, look_high(t, 0, i, bytes[i], look64(w, 0, i, bytes[i])));
            b = _mm512_and_si512(b, look_high(t, 1, i, bytes[i], look64(w, 1, i, bytes[i])));
        }
    }
    c = _mm512_and_si512(b, _mm512_set1_epi8((char)BROAD_BUCKET));
    a = _mm512_or_si512(a, _mm512_andnot_si512(c, b));
    f->hashed = _mm512_test_epi8_mask(a, a);
    f->broad = _mm512_test_epi8_mask(c, c);
    f->escapes = _mm512_cmpeq_epi8_mask(bytes[ANCHOR_PRINT - 1], _mm512_set1_epi8(ESC));
}

__attribute__((target(AVX512_ISA))) static size_t find_avx512(const struct finder_tables *t,
                                                              const uint8_t *data, size_t n,
                                                              struct finder_hits *h)
{
    struct wide w;
    size_t at = 0;

    wide_load(&w, t);
    for (; at + BLOCK <= n; at += BLOCK) {
        struct found f;

        part64(t, &w, data + at, &f);
        put_found(h, at, &f);
    }
    return at;
}
#endif

#ifdef FINDER_ARM
static inline uint8x16_t look16(uint8x16_t lo, uint8x16_t hi, const uint8_t table[2][16])
{
    return vandq_u8(vqtbl1q_u8(vld1q_u8(table[0]), lo), vqtbl1q_u8(vld1q_u8(table[1]), hi));
}

/* There is no movemask. */
static inline uint64_t not_zero16(uint8x16_t v)
{
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                        1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vandq_u8(vtstq_u8(v, v), vld1q_u8(weights));

    return (uint64_t)vaddv_u8(vget_low_u8(bits)) | (uint64_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static inline void part16(const struct finder_tables *t, const uint8_t *data, unsigned shift,
                          struct found *f)
{
    uint8x16_t a = vdupq_n_u8(255);
    uint8x16_t b = a;
    uint8x16_t c;
    uint8x16_t bytes = a;

#pragma GCC unroll 4
    for (size_t i = 0; i < ANCHOR_PRINT; i++) {
        uint8x16_t lo;
        uint8x16_t hi;

        bytes = vld1q_u8(data + i);
        lo = vandq_u8(bytes, vdupq_n_u8(15));
        hi = vshrq_n_u8(bytes, 4);
        a = vandq_u8(a, look16(lo, hi, t->nibbles[0][i]));
        b = vandq_u8(b, look16(lo, hi, t->nibbles[1][i]));
    }
    c = vandq_u8(b, vdupq_n_u8(BROAD_BUCKET));
    f->hashed |= not_zero16(vorrq_u8(a, vbicq_u8(b, c))) << shift;
    f->broad |= not_zero16(c) << shift;
    f->escapes |= not_zero16(vceqq_u8(bytes, vdupq_n_u8(ESC))) << shift;
}

static size_t find_neon(const struct finder_tables *t, const uint8_t *data, size_t n,
                        struct finder_hits *h)
{
    size_t at = 0;

    for (; at + BLOCK <= n; at += BLOCK) {
        struct found f = {0};

        for (unsigned part = 0; part < BLOCK; part += 16)
            part16(t, data + at + part, part, &f);
        put_found(h, at, &f);
    }
    return at;
}
#endif

/* ---- which ----------------------------------------------------------------------------- */

bool finder_available(enum finder_kind kind)
{
#ifdef FINDER_X86
    if (kind == FINDER_AVX512)
        return cpu_has_avx512f() && cpu_has_avx512bw() && cpu_has_avx512vbmi() && cpu_has_bmi() &&
               cpu_has_bmi2();
    if (kind == FINDER_AVX2)
        return cpu_has_avx2() && cpu_has_bmi();
    if (kind == FINDER_SSSE3)
        return cpu_has_ssse3();
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
