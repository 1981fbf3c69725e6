// SPDX-License-Identifier: MIT
/* What only the whole secret can tell: check digits, and whether it looks random at all. */
#include <string.h>

#include "redact/stream.h"

enum {
    SECRET_MAX = 256,
    ENTROPY_HEX = 3 * 256,  /* in 1/256 bit a character; hex has 4 bits at most, */
    ENTROPY_SHORT = 768,    /* and a short string no more than log2 of its length */
    ENTROPY_MIN = 7 * 256 / 2, /* the floor of gitleaks' generic rule */
    SHORT = 24
};

/* The logical characters of the secret, escape sequences left out; 0 if it is too long. */
static size_t gather(const struct redactor *r, uint64_t start, uint64_t end, char *dst)
{
    struct look l;
    size_t n = 0;

    look_from(&l, r, end);
    while (l.pos > start) {
        int c = look_back(&l);

        if (c < 0 || n == SECRET_MAX)
            return 0;
        dst[SECRET_MAX - ++n] = (char)c;
    }
    memmove(dst, dst + SECRET_MAX - n, n);
    return n;
}

/* ISO/IEC 7812-1, annex B. */
static bool is_luhn(const char *text, size_t n)
{
    unsigned sum = 0;
    unsigned digits = 0;

    while (n-- > 0) {
        unsigned d = (unsigned)text[n] - '0';

        if (d > 9)
            continue;
        if (digits++ % 2 == 1)
            d = d < 5 ? 2 * d : 2 * d - 9;
        sum += d;
    }
    return sum % 10 == 0 && sum > 0 && digits >= 13 && digits <= 19;
}

static unsigned iban_add(unsigned rest, char c)
{
    if (c >= '0' && c <= '9')
        return (rest * 10 + (unsigned)(c - '0')) % 97;
    if (c >= 'A' && c <= 'Z')
        return (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
    return rest; /* blanks between the groups */
}

/* ISO 13616: the first four characters behind the others, letters as numbers, modulo 97. */
static bool is_iban(const char *text, size_t n)
{
    unsigned rest = 0;

    for (size_t i = 4; i < n; i++)
        rest = iban_add(rest, text[i]);
    for (size_t i = 0; i < 4 && i < n; i++)
        rest = iban_add(rest, text[i]);
    return n >= 15 && rest == 1;
}

/* log2(n) in 1/256, by repeated squaring; n > 0. */
static unsigned log2_256(unsigned n)
{
    unsigned whole = 31U - (unsigned)__builtin_clz(n);
    uint64_t x = ((uint64_t)n << 16) >> whole; /* 1.0 to 2.0, 16 bits behind the point */
    unsigned part = 0;

    for (int i = 0; i < 8; i++) {
        x = x * x >> 16;
        part = part * 2 + (x >= (uint64_t)2 << 16);
        if (x >= (uint64_t)2 << 16)
            x >>= 1;
    }
    return whole * 256 + part;
}

/* Shannon's, in 1/256 bit a character: log2(n) - sum(c log2(c)) / n. */
static unsigned entropy(const char *text, size_t n)
{
    unsigned counts[256] = {0};
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++)
        counts[(uint8_t)text[i]]++;
    for (size_t c = 0; c < 256; c++)
        sum += counts[c] > 1 ? counts[c] * log2_256(counts[c]) : 0;
    return log2_256((unsigned)n) - sum / (unsigned)n;
}

/* Words that stand where a secret would: part of a longer value they show that it is none. */
static bool has_stop_word(const char *text, size_t n)
{
    static const char *const words[] = {
        "example",  "sample",   "changeme", "change_me", "placeholder", "your",      "xxxx",
        "dummy",    "fake",     "redacted", "password",  "secret",      "localhost", "undefined",
        "disabled", "enabled",  "required", "optional",  "default",     "none",      "null",
        "true",     "false",    "test",     "000000",    "123456",      "abcdef",    "token",
        "config",   "provider", "function", "string",    "value",       "getenv",    "environ",
        "process",  "request",  "response", "service",   "manager",     "module",    "package"};
    char lower[SECRET_MAX];

    for (size_t i = 0; i < n; i++)
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (memmem(lower, n, words[i], strlen(words[i])) != NULL)
            return true;
    }
    return false;
}

static bool looks_random(const char *text, size_t n)
{
    bool digit = false;
    bool letter = false;
    bool hex = true;
    unsigned floor;

    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        digit |= c >= '0' && c <= '9';
        letter |= (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        hex &= (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') || c == '-';
    }
    floor = hex ? ENTROPY_HEX : n < SHORT ? ENTROPY_SHORT : ENTROPY_MIN;
    return digit && letter && !has_stop_word(text, n) && entropy(text, n) >= floor;
}

bool check_secret(const struct redactor *r, enum rule_check check, uint64_t start, uint64_t end)
{
    char text[SECRET_MAX];
    size_t n;

    if (check == CHECK_NONE)
        return true;
    n = gather(r, start, end, text);
    if (n == 0)
        return false;
    switch (check) {
    case CHECK_LUHN:
        return is_luhn(text, n);
    case CHECK_IBAN:
        return is_iban(text, n);
    default:
        return looks_random(text, n);
    }
}
