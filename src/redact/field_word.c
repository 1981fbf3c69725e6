// SPDX-License-Identifier: MIT
/* References and placeholders: values that are no secrets. */
#include <string.h>

#include "redact/field_scan.h"

static const char mark[] = "[REDACTED]";

static bool is_reference_byte(uint8_t c)
{
    return is_word_byte(c) || c == '.' || c == '-';
}

/* The word that begins with this byte; NULL: none does. */
static const char *constant(uint8_t byte)
{
    switch (field_fold(byte)) {
    case 'n':
        return "null";
    case 't':
        return "true";
    case 'f':
        return "false";
    default:
        return NULL;
    }
}

static bool is_block(const struct field_scan *f, uint8_t byte)
{
    return (byte == '|' || byte == '>') && f->mode == MODE_LINE && f->separator == ':';
}

bool field_word_begins(const struct field_scan *f, uint8_t byte)
{
    if (byte != '\0' && strchr("$*<{[", byte) != NULL)
        return true;
    return f->quote == 0 && (constant(byte) != NULL || is_block(f, byte));
}

static bool is_constant(const uint8_t *p, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (field_fold(p[i]) != (uint8_t)text[i]) /* its NUL fits nothing that comes here */
            return false;
    }
    return text[n] == '\0';
}

static bool ends_twice(const uint8_t *p, size_t n, char c)
{
    return p[n - 1] == (uint8_t)c && p[n - 2] == (uint8_t)c;
}

static bool is_complete(const uint8_t *p, size_t n)
{
    switch (p[0]) {
    case '$':
        if (n < 2 || p[1] != '{')
            return n >= 2;
        if (n > 2 && p[2] == '{')
            return n >= 5 && ends_twice(p, n, '}');
        return n >= 4 && p[n - 1] == '}';
    case '*':
        return n >= 3;
    case '<':
        return n >= 3 && p[n - 1] == '>';
    case '{':
        return n >= 4 && ends_twice(p, n, '}');
    case '[':
        return n == sizeof(mark) - 1;
    case '|':
    case '>':
        return true;
    default:
        return is_constant(p, n, constant(p[0]));
    }
}

/* What stands in angle brackets or double braces. */
static bool is_free(const struct field_scan *f, uint8_t c)
{
    return !is_line_end(c) && (f->quote == 0 || c != f->quote);
}

static bool dollar_goes_on(const struct field_scan *f, uint8_t c)
{
    const uint8_t *p = f->pending;
    size_t n = f->n_pending;

    if (n == 1)
        return c == '{' || is_word_byte(c);
    if (p[1] != '{')
        return is_word_byte(c);
    if (n == 2)
        return c == '{' || is_word_byte(c);
    if (p[2] == '{')
        return is_free(f, c);
    return c == '}' || is_reference_byte(c);
}

static bool constant_goes_on(const uint8_t *p, size_t n, uint8_t c)
{
    const char *text = constant(p[0]);

    return n < strlen(text) && field_fold(c) == (uint8_t)text[n];
}

static bool goes_on(const struct field_scan *f, uint8_t c)
{
    size_t n = f->n_pending;

    switch (f->pending[0]) {
    case '$':
        return dollar_goes_on(f, c);
    case '*':
        return c == '*';
    case '<':
        return is_free(f, c) && !is_quote(c) && c != '<';
    case '{':
        return n == 1 ? c == '{' : is_free(f, c);
    case '[':
        return n < sizeof(mark) - 1 && c == (uint8_t)mark[n];
    case '|':
    case '>':
        return is_blank(c) || c == '+' || c == '-' || (c >= '0' && c <= '9');
    default:
        return constant_goes_on(f->pending, n, c);
    }
}

/* A value without quotes may end before c. */
static bool ends_plain(const struct field_scan *f, uint8_t c)
{
    uint8_t first = f->pending[0];

    if (is_line_end(c))
        return true;
    if (first == '|' || first == '>')
        return false;
    if (is_blank(c))
        return f->mode != MODE_LINE || constant(first) == NULL;
    if (c == '&' && f->parameter)
        return true;
    return c != '\0' && strchr("\"'\\,;)}]\x1b", c) != NULL;
}

/* Nothing of the placeholder may follow its last byte. */
static bool is_closed(const uint8_t *p, size_t n)
{
    return n > 1 && (p[n - 1] == '}' || p[n - 1] == ']' || (p[0] == '<' && p[n - 1] == '>'));
}

enum field_word field_word(const struct field_scan *f, uint8_t byte)
{
    bool quoted = f->quote != 0;
    size_t n = f->n_pending - (quoted ? f->run : 0U); /* less backslashes before its quote */

    if (is_complete(f->pending, n)) {
        if (quoted && byte == '\\')
            return f->run < f->level ? WORD_MORE : WORD_NONE;
        if (quoted ? byte == f->quote && f->run == f->level : ends_plain(f, byte))
            return WORD_PLACEHOLDER;
        if (is_closed(f->pending, n))
            return WORD_NONE;
    }
    return (!quoted || f->run == 0) && goes_on(f, byte) ? WORD_MORE : WORD_NONE;
}

bool field_word_complete(const struct field_scan *f)
{
    return is_complete(f->pending, f->n_pending - (f->quote != 0 ? f->run : 0U));
}
