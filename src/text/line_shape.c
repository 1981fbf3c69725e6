// SPDX-License-Identifier: MIT
#include "text/line_shape.h"

#include <stdbool.h>
#include <string.h>

#include "text/plain.h"

/* FNV-1a, 64 bits. */
#define HASH_BASIS UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

enum { HEX_WORD_MIN = 7 }; /* git abbreviates to seven */

struct shaping {
    uint64_t hash;
    char last; /* the last mark that was put, 0 after a word */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Letters, digits, and all that is not ASCII. */
static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void add(struct shaping *s, char c)
{
    s->hash = (s->hash ^ (unsigned char)c) * HASH_PRIME;
}

/* A mark counts once, however often it stands there in a row. */
static void add_mark(struct shaping *s, char c)
{
    if (s->last != c)
        add(s, c);
    s->last = c;
}

static size_t word_len(const char *p, size_t n)
{
    size_t len = 0;

    while (len < n && is_word(p[len]))
        len++;
    return len;
}

static bool is_hex_word(const char *p, size_t n)
{
    const bool marked = n > 2 && p[0] == '0' && (p[1] | 0x20) == 'x';
    bool digits = marked;

    for (size_t i = marked ? 2 : 0; i < n; i++) {
        if (!is_hex(p[i]))
            return false;
        digits = digits || is_digit(p[i]);
    }
    return marked || (digits && n >= HEX_WORD_MIN);
}

/* A word of Braille patterns, U+2800 to U+28FF: modern spinners. */
static bool is_braille(const char *p, size_t n)
{
    for (size_t i = 0; i + 2 < n; i += 3)
        if (p[i] != '\xe2' || (unsigned char)(p[i + 1] - '\xa0') > 3)
            return false;
    return n >= 3 && n % 3 == 0;
}

static void add_word(struct shaping *s, const char *p, size_t n)
{
    if (is_braille(p, n)) {
        add_mark(s, '|');
        return;
    }
    if (is_hex_word(p, n)) {
        add_mark(s, '0');
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_digit(p[i])) {
            add_mark(s, '0');
        } else {
            add(s, p[i]);
            s->last = 0;
        }
    }
}

/* One of | / - \ that stands alone. */
static bool is_spinner(struct raw_span text, size_t at)
{
    return memchr("|/-\\", text.ptr[at], 4) != NULL && (at == 0 || is_blank(text.ptr[at - 1])) &&
           (at + 1 == text.len || is_blank(text.ptr[at + 1]));
}

static void add_other(struct shaping *s, struct raw_span text, size_t at)
{
    if (is_blank(text.ptr[at]))
        add_mark(s, ' ');
    else if (is_spinner(text, at))
        add_mark(s, '|');
    else
        add_mark(s, text.ptr[at]);
}

uint64_t line_shape(struct raw_span line)
{
    char plain[LINE_SHAPE_MAX];
    struct raw_span text = plain_text(line, plain, sizeof(plain));
    struct shaping s = {.hash = HASH_BASIS};

    for (size_t at = plain_prefix_len(text); at < text.len;) {
        size_t n = word_len(text.ptr + at, text.len - at);

        if (n > 0)
            add_word(&s, text.ptr + at, n);
        else
            add_other(&s, text, at);
        at += n > 0 ? n : 1;
    }
    return s.hash;
}
