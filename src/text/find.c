// SPDX-License-Identifier: MIT
/*
 * Invariants: nothing outside [from, end) is read; the time is linear in the text, because the
 * places looked at in vain are counted, and a search that looks at too many goes on as one that
 * cannot (memmem(3) of glibc and Knuth, Morris and Pratt).
 *
 * Rejected: Boyer and Moore. A skip is a branch that is hard to foresee, and a vector at a time
 * is faster than memory anyway.
 */
#include "text/find.h"

#include <string.h>

#include "base/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_X86 1
#endif

/* Places looked at in vain that are fine: some, and one in so many bytes. */
enum { VAIN_FREE = 256, VAIN_BYTES = 16 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* True if the word stands at `at`, where there is room for it. For what is found by vectors. */
UNUSED static bool stands(const struct find *f, const char *at)
{
    if (!f->icase)
        return memcmp(at, f->word, f->len) == 0;
    for (size_t i = 0; i < f->len; i++)
        if (lower(at[i]) != f->word[i])
            return false;
    return true;
}

/* ---- linear time ---------------------------------------------------------------------------- */

static const char *search_folded(const struct find *f, const char *from, const char *end)
{
    size_t same = 0;

    for (; from < end; from++) {
        char c = lower(*from);

        while (same > 0 && f->word[same] != c)
            same = f->back[same - 1];
        same += f->word[same] == c ? 1 : 0;
        if (same == f->len)
            return from + 1 - f->len;
    }
    return NULL;
}

static const char *search_portable(const struct find *f, const char *from, const char *end)
{
    if (f->icase)
        return search_folded(f, from, end);
    return from < end ? memmem(from, (size_t)(end - from), f->word, f->len) : NULL;
}

/* True for "/" and for "u" with a number that is no control character's; `at` is behind the
   backslash. A number that is cut off or none counts. */
static bool odd_behind(const char *at, const char *end)
{
    if (*at == '/')
        return true;
    if (*at != 'u')
        return false;
    return end - at < 5 || at[1] != '0' || at[2] != '0' ||
           !(at[3] == '0' || at[3] == '1' || (at[3] == '7' && (at[4] | 0x20) == 'f'));
}

static const char *odd_portable(const char *from, const char *end)
{
    while (from < end && (from = memchr(from, '\\', (size_t)(end - from))) != NULL) {
        if (end - from > 1 && odd_behind(from + 1, end))
            return from;
        from++; /* not two: which of several backslashes belong together is not known here */
    }
    return NULL;
}

/* ---- a vector at a time -------------------------------------------------------------- */

#ifdef HAVE_X86

/* How a search of VECTOR bytes at a time goes, whatever the vectors are: `places` gives a bit
   for each of the places from `at` on where both rare bytes fit. */
#define DEFINE_SEARCH(name, machine, VECTOR, places)                                           \
    __attribute__((target(machine))) static const char *name(const struct find *f,            \
                                                            const char *from, const char *end) \
    {                                                                                          \
        const char *last = end - f->len; /* where it may still begin */                        \
        const char *at = from;                                                                 \
        size_t vain = 0;                                                                       \
                                                                                               \
        if (end - from < (ptrdiff_t)(f->len + (VECTOR) - 1))                                   \
            return search_portable(f, from, end);                                              \
        while (at <= last) {                                                                   \
            uint64_t mask;                                                                     \
                                                                                               \
            if (last - at < (VECTOR) - 1)                                                      \
                at = last - ((VECTOR) - 1); /* once more over what was in vain */              \
            for (mask = places(f, at); mask != 0; mask &= mask - 1) {                          \
                const char *here = at + __builtin_ctzll(mask);                                 \
                                                                                               \
                if (stands(f, here))                                                           \
                    return here;                                                               \
                if (++vain > VAIN_FREE + (size_t)(at - from) / VAIN_BYTES)                     \
                    return search_portable(f, here, end);                                      \
            }                                                                                  \
            at += (VECTOR);                                                                    \
        }                                                                                      \
        return NULL;                                                                           \
    }

#define DEFINE_ODD(name, machine, VECTOR, places)                                             \
    __attribute__((target(machine))) static const char *name(const char *from,                 \
                                                             const char *end)                  \
    {                                                                                          \
        for (; end - from > (VECTOR); from += (VECTOR))                                        \
            for (uint64_t mask = places(from); mask != 0; mask &= mask - 1) {                  \
                const char *here = from + __builtin_ctzll(mask);                               \
                                                                                               \
                if (odd_behind(here + 1, end))                                                 \
                    return here;                                                               \
            }                                                                                  \
        return odd_portable(from, end);                                                        \
    }

static inline __m128i load_16(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline uint64_t places_16(const struct find *f, const char *at)
{
    __m128i a = _mm_or_si128(load_16(at + f->rare[0]), _mm_set1_epi8(f->fold[0]));
    __m128i b = _mm_or_si128(load_16(at + f->rare[1]), _mm_set1_epi8(f->fold[1]));
    __m128i fits = _mm_and_si128(_mm_cmpeq_epi8(a, _mm_set1_epi8(f->word[f->rare[0]])),
                                 _mm_cmpeq_epi8(b, _mm_set1_epi8(f->word[f->rare[1]])));

    return (uint32_t)_mm_movemask_epi8(fits);
}

static inline uint64_t odd_16(const char *at)
{
    __m128i behind = load_16(at + 1);
    __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(behind, _mm_set1_epi8('u')),
                               _mm_cmpeq_epi8(behind, _mm_set1_epi8('/')));

    odd = _mm_and_si128(odd, _mm_cmpeq_epi8(load_16(at), _mm_set1_epi8('\\')));
    return (uint32_t)_mm_movemask_epi8(odd);
}

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i load_32(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static inline uint64_t places_32(const struct find *f, const char *at)
{
    __m256i a = _mm256_or_si256(load_32(at + f->rare[0]), _mm256_set1_epi8(f->fold[0]));
    __m256i b = _mm256_or_si256(load_32(at + f->rare[1]), _mm256_set1_epi8(f->fold[1]));
    __m256i fits = _mm256_and_si256(_mm256_cmpeq_epi8(a, _mm256_set1_epi8(f->word[f->rare[0]])),
                                    _mm256_cmpeq_epi8(b, _mm256_set1_epi8(f->word[f->rare[1]])));

    return (uint32_t)_mm256_movemask_epi8(fits);
}

AVX2 static inline uint64_t places_64(const struct find *f, const char *at)
{
    return places_32(f, at) | places_32(f, at + 32) << 32;
}

AVX2 static inline uint64_t odd_32(const char *at)
{
    __m256i behind = load_32(at + 1);
    __m256i odd = _mm256_or_si256(_mm256_cmpeq_epi8(behind, _mm256_set1_epi8('u')),
                                  _mm256_cmpeq_epi8(behind, _mm256_set1_epi8('/')));

    odd = _mm256_and_si256(odd, _mm256_cmpeq_epi8(load_32(at), _mm256_set1_epi8('\\')));
    return (uint32_t)_mm256_movemask_epi8(odd);
}

AVX2 static inline uint64_t odd_64(const char *at)
{
    return odd_32(at) | odd_32(at + 32) << 32;
}

DEFINE_SEARCH(search_sse2, "sse2", 16, places_16)
DEFINE_SEARCH(search_avx2, "avx2", 64, places_64)
DEFINE_ODD(odd_sse2, "sse2", 16, odd_16)
DEFINE_ODD(odd_avx2, "avx2", 64, odd_64)

#endif

size_t find_variants(struct find_variant out[FIND_VARIANTS_MAX])
{
    size_t n = 0;

#ifdef HAVE_X86
    if (cpu_has_avx2())
        out[n++] = (struct find_variant){"avx2", search_avx2, odd_avx2};
    out[n++] = (struct find_variant){"sse2", search_sse2, odd_sse2};
#endif
    out[n++] = (struct find_variant){"portable", search_portable, odd_portable};
    return n;
}

const char *find_odd_escape(const char *from, const char *end)
{
#ifdef HAVE_X86
    return cpu_has_avx2() ? odd_avx2(from, end) : odd_sse2(from, end);
#else
    return odd_portable(from, end);
#endif
}

/* ---- the word ----------------------------------------------------------------------- */

/* How often a byte is met in logs kept as JSON, roughly: the place in this list from the end,
   and rarest what is not in it. */
static size_t commonness(char c)
{
    static const char common[] = "zqjQZJXKVYWUHBGxkMFOvDLNPRSCTIAE&;!%@#$+*?<>{}|~^`"
                                 "[])(='_/\\wbyfguhpcmdlrsnoiat9876543210-.:, e\"";
    const char *at = c != '\0' ? strchr(common, c) : NULL;

    return at != NULL ? (size_t)(at - common) + 1 : 0;
}

static void choose_rare(struct find *f)
{
    size_t first = 0;
    size_t second = f->len - 1;

    for (size_t i = 0; i < f->len; i++)
        if (commonness(f->word[i]) < commonness(f->word[first]))
            first = i;
    if (second == first)
        second = 0;
    for (size_t i = 0; i < f->len; i++)
        if (i != first && commonness(f->word[i]) < commonness(f->word[second]))
            second = i;
    f->rare[0] = (uint8_t)(first < second ? first : second);
    f->rare[1] = (uint8_t)(first < second ? second : first);
    for (int i = 0; i < 2; i++)
        f->fold[i] = f->icase && is_letter(f->word[f->rare[i]]) ? 0x20 : 0;
}

static void make_back(struct find *f)
{
    size_t same = 0;

    f->back[0] = 0;
    for (size_t i = 1; i < f->len; i++) {
        while (same > 0 && f->word[same] != f->word[i])
            same = f->back[same - 1];
        same += f->word[same] == f->word[i] ? 1 : 0;
        f->back[i] = (uint8_t)same;
    }
}

bool find_init(struct find *f, const char *word, size_t n, bool icase)
{
    struct find_variant variants[FIND_VARIANTS_MAX];

    if (n == 0 || n > FIND_MAX)
        return false;
    *f = (struct find){.len = n, .icase = icase};
    for (size_t i = 0; i < n; i++)
        f->word[i] = icase ? lower(word[i]) : word[i];
    choose_rare(f);
    make_back(f);
    (void)find_variants(variants);
    f->search = variants[0].search;
    return true;
}
