// SPDX-License-Identifier: MIT
#include "text/utf8.h"

#include <stdint.h>
#include <string.h>

/* What a first byte asks for: the length, and the range of the second byte (Unicode 15,
   table 3-7). The narrow ranges are what keeps out overlong forms, surrogates and what is
   above U+10FFFF; later bytes are always 80 to BF. Length 0: no sequence begins so. */
struct lead {
    uint8_t len;
    uint8_t low;
    uint8_t high;
};

static const struct lead leads[256] = {
    [0x00 ... 0x7f] = {1, 0, 0},       [0xc2 ... 0xdf] = {2, 0x80, 0xbf},
    [0xe0] = {3, 0xa0, 0xbf},          [0xe1 ... 0xec] = {3, 0x80, 0xbf},
    [0xed] = {3, 0x80, 0x9f},          [0xee ... 0xef] = {3, 0x80, 0xbf},
    [0xf0] = {4, 0x90, 0xbf},          [0xf1 ... 0xf3] = {4, 0x80, 0xbf},
    [0xf4] = {4, 0x80, 0x8f},
};

/* How many bytes at src match the sequence that its first byte asks for (at least 1), and
   how many it asks for. */
static size_t match(const char *src, size_t n, size_t *asked)
{
    const uint8_t *s = (const uint8_t *)src;
    struct lead lead = leads[s[0]];
    size_t i = 2;

    *asked = lead.len;
    if (lead.len < 2 || n < 2 || s[1] < lead.low || s[1] > lead.high)
        return 1;
    while (i < lead.len && i < n && (s[i] & 0xc0) == 0x80)
        i++;
    return i;
}

size_t utf8_sequence(const char *src, size_t n, bool *valid)
{
    size_t asked;
    size_t got = match(src, n, &asked);

    *valid = got == asked;
    return got;
}

uint32_t utf8_decode(const char *src, size_t len)
{
    static const uint8_t lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (uint8_t)src[0] & lead[len];

    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((uint8_t)src[i] & 0x3f);
    return c;
}

size_t utf8_cut(const char *src, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        const char *at = src + n - back;
        size_t asked;

        if (((uint8_t)*at & 0xc0) == 0x80)
            continue;
        return match(at, back, &asked) == back && asked > back ? n - back : n;
    }
    return n;
}

/* The length of the run of ASCII at src, a word at a time; may stop short of its end. */
static size_t skip_ascii(const char *src, size_t n)
{
    uint64_t word;
    size_t i = 0;

    for (; i + sizeof(word) <= n; i += sizeof(word)) {
        memcpy(&word, src + i, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return i;
}

bool utf8_valid(const char *src, size_t n)
{
    size_t i = 0;
    bool valid = true;

    while (valid && i < n) {
        i += skip_ascii(src + i, n - i);
        if (i < n)
            i += utf8_sequence(src + i, n - i, &valid);
    }
    return valid;
}
