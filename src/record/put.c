// SPDX-License-Identifier: MIT
#include "record/put.h"

#include <string.h>

#include "base/clock.h"
#include "text/decimal.h"
#include "text/json.h"
#include "text/utf8.h"

static void put_bytes(struct put *p, const char *data, size_t n)
{
    if (p->err == ERR_NONE)
        p->err = buf_put(p->b, data, n);
}

static void put_literal(struct put *p, const char *text)
{
    put_bytes(p, text, strlen(text));
}

enum { PIECE = 256 };

/* Escapes piece by piece through the stack, so that the buffer has to hold what is written
   and not what the worst case could have been: a ceiling may be exact. */
static void put_quoted(struct put *p, const char *text, size_t n)
{
    char escaped[6 * PIECE + JSON_ESCAPE_SLACK];
    uint64_t bad = 0;

    put_literal(p, "\"");
    while (n > 0 && p->err == ERR_NONE) {
        size_t piece = n <= PIECE ? n : utf8_cut(text, PIECE);
        char *end = json_escape(escaped, text, piece, &bad);

        put_bytes(p, escaped, (size_t)(end - escaped));
        text += piece;
        n -= piece;
    }
    put_literal(p, "\"");
}

static void put_comma(struct put *p)
{
    if (!p->first)
        put_literal(p, ",");
    p->first = false;
}

static void put_key(struct put *p, const char *key)
{
    put_comma(p);
    if (key == NULL)
        return;
    put_quoted(p, key, strlen(key));
    put_literal(p, ":");
}

struct put put_open(struct buf *b, const char *kind)
{
    struct put p = {.b = b, .start = b->len, .first = true, .err = ERR_NONE};

    put_literal(&p, "{");
    put_string(&p, "kind", kind);
    return p;
}

enum err_code put_close(struct put *p, size_t max)
{
    put_literal(p, "}\n");
    if (p->err == ERR_NONE && p->b->len - p->start > max)
        p->err = ERR_MEMORY;
    if (p->err != ERR_NONE)
        p->b->len = p->start;
    return p->err;
}

void put_text(struct put *p, const char *key, struct clean_span value)
{
    if (value.ptr == NULL)
        return;
    put_key(p, key);
    put_quoted(p, value.ptr, value.len);
}

void put_string(struct put *p, const char *key, const char *value)
{
    if (value == NULL)
        return;
    put_key(p, key);
    put_quoted(p, value, strlen(value));
}

static void put_digits(struct put *p, uint64_t value)
{
    char digits[DECIMAL_MAX];

    put_bytes(p, digits, (size_t)(decimal_put(digits, value) - digits));
}

void put_unsigned(struct put *p, const char *key, uint64_t value)
{
    put_key(p, key);
    put_digits(p, value);
}

void put_signed(struct put *p, const char *key, int64_t value)
{
    put_key(p, key);
    if (value < 0)
        put_literal(p, "-");
    put_digits(p, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void put_bool(struct put *p, const char *key, bool value)
{
    put_key(p, key);
    put_literal(p, value ? "true" : "false");
}

void put_time(struct put *p, const char *key, int64_t realtime_ms)
{
    char text[RFC3339_SIZE];

    put_string(p, key, clock_rfc3339(realtime_ms, text));
}

void put_begin(struct put *p, const char *key, char bracket)
{
    put_key(p, key);
    put_bytes(p, &bracket, 1);
    p->first = true;
}

void put_end(struct put *p, char bracket)
{
    put_bytes(p, &bracket, 1);
    p->first = false;
}

void put_element(struct put *p, struct clean_span text)
{
    put_comma(p);
    put_quoted(p, text.ptr, text.len);
}
