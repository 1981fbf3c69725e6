// SPDX-License-Identifier: MIT
#include "read/line_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_X86 1
#endif

#include "record/record.h"

static char digit_or(char c)
{
    return c >= '0' && c <= '9' ? '0' : c;
}

static bool is_like_portable(const struct line_head *head, const char *at)
{
    for (size_t i = 0; i < head->len; i++)
        if (digit_or(at[i]) != head->bytes[i])
            return false;
    return true;
}

#ifdef HAVE_X86

enum { VECTOR = 32 };

__attribute__((target("avx2"))) static bool is_like_avx2(const struct line_head *head,
                                                         const char *at)
{
    const __m256i zero = _mm256_set1_epi8('0');
    const __m256i nine = _mm256_set1_epi8(9);

    for (size_t i = 0; i < head->len; i += VECTOR) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(at + i));
        __m256i seen = _mm256_loadu_si256((const __m256i *)(const void *)(head->bytes + i));
        __m256i value = _mm256_sub_epi8(bytes, zero);
        __m256i digit = _mm256_cmpeq_epi8(_mm256_min_epu8(value, nine), value);
        uint32_t other;

        bytes = _mm256_blendv_epi8(bytes, zero, digit);
        other = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, seen));
        if (head->len - i < VECTOR)
            other &= (1U << (head->len - i)) - 1;
        if (other != 0)
            return false;
    }
    return true;
}

_Static_assert(LINE_HEAD_MAX % VECTOR == 0, "a head is read in whole vectors");

#endif

/* The length of the head up to and with the quote before the text; 0: not in our shape. */
static size_t head_len(const char *at, const char *end)
{
    static const char msg[] = "\",\"msg\":\"";
    size_t n = end - at < LINE_HEAD_MAX ? (size_t)(end - at) : (size_t)LINE_HEAD_MAX;
    struct record_line_head head;
    const char *quote;
    size_t len;

    if (!record_line_head(at, n, &head))
        return 0;
    quote = memchr(at + head.id, '"', n - head.id);
    if (quote == NULL || memchr(at + head.id, '\\', (size_t)(quote - at) - head.id) != NULL)
        return 0;
    len = (size_t)(quote - at) + sizeof(msg) - 1;
    return len <= n && memcmp(quote, msg, sizeof(msg) - 1) == 0 ? len : 0;
}

/* In place of the older one. */
static const struct line_head *learn(struct line_text *t, const char *at, size_t len)
{
    t->heads[1] = t->heads[0];
    t->heads[0] = (struct line_head){.len = len};
    for (size_t i = 0; i < len; i++)
        t->heads[0].bytes[i] = digit_or(at[i]);
    return &t->heads[0];
}

typedef bool is_like(const struct line_head *head, const char *at);

static inline const char *find(struct line_text *t, const char *at, const char *end,
                               is_like *like)
{
    size_t len;

    if (end - at < LINE_HEAD_MAX)
        return NULL;
    for (size_t i = 0; i < LINE_HEADS; i++)
        if (t->heads[i].len > 0 && like(&t->heads[i], at))
            return at + t->heads[i].len;
    len = head_len(at, end);
    return len > 0 ? at + learn(t, at, len)->len : NULL;
}

const char *line_text_find_portable(struct line_text *t, const char *at, const char *end)
{
    return find(t, at, end, is_like_portable);
}

const char *line_text_find(struct line_text *t, const char *at, const char *end)
{
#ifdef HAVE_X86
    if (cpu_has_avx2())
        return find(t, at, end, is_like_avx2);
#endif
    return line_text_find_portable(t, at, end);
}
