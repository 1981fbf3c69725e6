// SPDX-License-Identifier: MIT
#include "text/json_scan.h"

#include <string.h>

enum { INTEGER_DIGITS = 15 };

struct scan {
    const char *at;
    const char *end;
};

static void skip_blank(struct scan *s)
{
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool take(struct scan *s, char c)
{
    if (s->at >= s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static bool take_word(struct scan *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return false;
    s->at += n;
    return true;
}

static bool digit(const struct scan *s)
{
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static bool take_digits(struct scan *s)
{
    if (!digit(s))
        return false;
    while (digit(s))
        s->at++;
    return true;
}

static bool take_number(struct scan *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !take_digits(s))
        return false;
    if (take(s, '.') && !take_digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        (void)(take(s, '+') || take(s, '-'));
        return take_digits(s);
    }
    return true;
}

/* ---- strings ---------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex4(struct scan *s, unsigned *out)
{
    *out = 0;
    if (s->end - s->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int value = hex_value(*s->at++);

        if (value < 0)
            return false;
        *out = *out << 4 | (unsigned)value;
    }
    return true;
}

/* Behind a backslash. */
static bool take_escape(struct scan *s)
{
    unsigned high;
    unsigned low;

    if (s->at >= s->end)
        return false;
    if (*s->at != 'u')
        return memchr("\"\\/bfnrt", *s->at++, 8) != NULL;
    s->at++;
    if (!take_hex4(s, &high) || (high >= 0xdc00 && high <= 0xdfff))
        return false;
    if (high < 0xd800 || high > 0xdbff)
        return true;
    return take_word(s, "\\u") && take_hex4(s, &low) && low >= 0xdc00 && low <= 0xdfff;
}

/* Behind the opening quote, up to and with the closing one. */
static bool take_rest_of_string(struct scan *s)
{
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at++;

        if (c == '"')
            return true;
        if (c < 0x20 || (c == '\\' && !take_escape(s)))
            return false;
    }
    return false;
}

/* ---- values ----------------------------------------------------------------------------- */

/* A value that holds no others. */
static bool take_scalar(struct scan *s)
{
    if (s->at >= s->end)
        return false;
    switch (*s->at) {
    case '"':
        s->at++;
        return take_rest_of_string(s);
    case 't':
        return take_word(s, "true");
    case 'f':
        return take_word(s, "false");
    case 'n':
        return take_word(s, "null");
    default:
        return take_number(s);
    }
}

static bool take_key(struct scan *s, struct raw_span *key)
{
    skip_blank(s);
    if (!take(s, '"'))
        return false;
    key->ptr = s->at;
    if (!take_rest_of_string(s))
        return false;
    key->len = (size_t)(s->at - 1 - key->ptr);
    skip_blank(s);
    if (!take(s, ':'))
        return false;
    skip_blank(s);
    return true;
}

/* What is open around the place that is being read, one bit each: 1 an object, 0 an array. */
struct nest {
    uint64_t bits[JSON_DEPTH_MAX / 64 + 1];
    size_t depth;
};

static bool enter(struct nest *n, bool object)
{
    uint64_t bit = UINT64_C(1) << (n->depth % 64);
    uint64_t *word = &n->bits[n->depth / 64];

    if (n->depth >= JSON_DEPTH_MAX)
        return false;
    if (n->depth % 64 == 0)
        *word = 0;
    *word = object ? *word | bit : *word & ~bit;
    n->depth++;
    return true;
}

static bool in_object(const struct nest *n)
{
    size_t at = n->depth - 1;

    return (n->bits[at / 64] >> (at % 64) & 1) != 0;
}

/* Behind a value: past all that ends here. *more: a comma, another one follows. */
static bool close_nest(struct scan *s, struct nest *n, bool *more)
{
    *more = false;
    while (n->depth > 0) {
        skip_blank(s);
        if (take(s, ',')) {
            *more = true;
            return true;
        }
        if (!take(s, in_object(n) ? '}' : ']'))
            return false;
        n->depth--;
    }
    return true;
}

/* The first value inside what was just opened, or past its end. *done: it is empty. */
static bool open_nest(struct scan *s, struct nest *n, bool *done)
{
    bool object = *s->at++ == '{';

    if (!enter(n, object))
        return false;
    skip_blank(s);
    *done = take(s, object ? '}' : ']');
    n->depth -= *done ? 1 : 0;
    return true;
}

/* Any value, nested ones without recursion. */
static bool take_value(struct scan *s)
{
    struct nest n;
    bool more = true;

    n.depth = 0; /* the bits are set as they are entered */
    while (more) {
        struct raw_span key;
        bool done = false;

        skip_blank(s);
        if (n.depth > 0 && in_object(&n) && !take_key(s, &key))
            return false;
        if (s->at < s->end && (*s->at == '{' || *s->at == '[')) {
            if (!open_nest(s, &n, &done))
                return false;
            if (!done)
                continue;
        } else if (!take_scalar(s)) {
            return false;
        }
        if (!close_nest(s, &n, &more))
            return false;
    }
    return true;
}

bool json_scan_object(struct raw_span text, json_visit *visit, void *arg)
{
    struct scan s = {.at = text.ptr, .end = text.ptr + text.len};
    bool more;

    skip_blank(&s);
    if (!take(&s, '{'))
        return false;
    skip_blank(&s);
    more = !take(&s, '}');
    while (more) {
        struct raw_span key;
        struct raw_span value;

        if (!take_key(&s, &key))
            return false;
        value.ptr = s.at;
        if (!take_value(&s))
            return false;
        value.len = (size_t)(s.at - value.ptr);
        if (visit != NULL)
            visit(arg, key, value);
        skip_blank(&s);
        more = take(&s, ',');
        if (!more && !take(&s, '}'))
            return false;
    }
    skip_blank(&s);
    return s.at == s.end;
}

bool json_is(struct raw_span span, const char *text)
{
    return strlen(text) == span.len && memcmp(span.ptr, text, span.len) == 0;
}

bool json_integer(struct raw_span value, int64_t *out)
{
    bool minus = value.len > 0 && value.ptr[0] == '-';
    size_t at = minus ? 1 : 0;
    int64_t number = 0;

    if (value.len == at || value.len - at > INTEGER_DIGITS)
        return false;
    for (; at < value.len; at++) {
        if (value.ptr[at] < '0' || value.ptr[at] > '9')
            return false;
        number = number * 10 + (value.ptr[at] - '0');
    }
    *out = minus ? -number : number;
    return true;
}
