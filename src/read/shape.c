// SPDX-License-Identifier: MIT
#include "read/shape.h"

#include <string.h>

enum {
    STEPS_MAX = 8192, /* of one match; a line of a log takes a few hundred */
    DIGITS_MAX = 9
};

struct match {
    struct raw_span text;
    struct shape got;
    size_t message_from;
    unsigned steps;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_name(char c)
{
    return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '.' ||
           c == '$' || c == '-' || c == '+';
}

static bool is_path(char c)
{
    static const bool no_path[256] = {
        [0 ... 0x20] = true, ['"'] = true, ['\''] = true, ['<'] = true, ['>'] = true,
        ['|'] = true,        ['*'] = true, ['?'] = true,  ['`'] = true, [0x7f] = true,
    };

    return !no_path[(unsigned char)c];
}

static bool has_non_digit(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_digit(p[i]))
            return true;
    return false;
}

/* ---- parts ---------------------------------------------------------------------------------- */

static bool match_from(struct match *m, const char *pattern, size_t at);

static size_t pattern_step(const char *pattern)
{
    if (pattern[1] == '{')
        return (size_t)(strchr(pattern, '}') + 1 - pattern);
    return 2;
}

/* Whether the part may reach over text[end], which is `done` bytes behind its beginning. */
static bool may_hold(const struct match *m, char part, size_t done, size_t end)
{
    char c = m->text.ptr[end];

    switch (part) {
    case 'f':
    case '{':
        return is_path(c);
    case 'F':
        return (unsigned char)c >= 0x20 && (done > 0 || !is_blank(c)) &&
               !(c == ':' && end + 1 < m->text.len && m->text.ptr[end + 1] == ' ');
    case 'i':
        return is_name(c) && (done > 0 || !(is_digit(c) || c == '-' || c == '+'));
    default:
        return true;
    }
}

/* Whether the part may end here; files are noted down. */
static bool may_end(struct match *m, const char *pattern, size_t at, size_t end)
{
    const char *text = m->text.ptr + at;
    size_t n = end - at;
    size_t suffix;

    switch (pattern[1]) {
    case '{':
        suffix = pattern_step(pattern) - 3;
        if (n <= suffix || memcmp(text + n - suffix, pattern + 2, suffix) != 0)
            return false;
        break;
    case 'f':
    case 'F':
        if (!has_non_digit(text, n))
            return false;
        break;
    case 'i':
        return n > 0;
    default:
        return true;
    }
    m->got.file = (struct raw_span){text, n};
    return true;
}

/* A part of any length, the shortest that lets the rest match. */
static bool match_lazy(struct match *m, const char *pattern, size_t at)
{
    const char *rest = pattern + pattern_step(pattern);

    for (size_t end = at;; end++) {
        bool here = *rest == '%' || (end < m->text.len ? m->text.ptr[end] == *rest : *rest == '\0');

        if (here && may_end(m, pattern, at, end) && match_from(m, rest, end))
            return true;
        if (end >= m->text.len || !may_hold(m, pattern[1], end - at, end) ||
            ++m->steps > STEPS_MAX)
            return false;
    }
}

static bool match_number(struct match *m, const char *pattern, size_t at)
{
    uint32_t value = 0;
    size_t end = at;

    while (end < m->text.len && end - at < DIGITS_MAX && is_digit(m->text.ptr[end]))
        value = value * 10 + (uint32_t)(m->text.ptr[end++] - '0');
    if (end == at)
        return false;
    if (pattern[1] == 'l')
        m->got.line = value;
    if (pattern[1] == 'c')
        m->got.column = value;
    return match_from(m, pattern + 2, end);
}

static bool match_code(struct match *m, const char *pattern, size_t at)
{
    size_t digits = at;
    size_t end;

    while (digits < m->text.len && is_upper(m->text.ptr[digits]))
        digits++;
    for (end = digits; end < m->text.len && is_digit(m->text.ptr[end]);)
        end++;
    if (digits == at || end == digits)
        return false;
    m->got.code = (struct raw_span){m->text.ptr + at, end - at};
    return match_from(m, pattern + 2, end);
}

static size_t skip_blanks(const struct match *m, size_t at)
{
    while (at < m->text.len && is_blank(m->text.ptr[at]))
        at++;
    return at;
}

static bool match_message(struct match *m, size_t at)
{
    at = skip_blanks(m, at);
    m->got.message = (struct raw_span){m->text.ptr + at, m->text.len - at};
    return at < m->text.len;
}

static bool match_part(struct match *m, const char *pattern, size_t at)
{
    switch (pattern[1]) {
    case 'l':
    case 'c':
    case 'n':
        return match_number(m, pattern, at);
    case 'k':
        return match_code(m, pattern, at);
    case 'b':
        return match_from(m, pattern + 2, skip_blanks(m, at));
    case 'm':
        return match_message(m, at);
    case '<':
        m->message_from = at;
        return match_from(m, pattern + 2, at);
    case '>':
        m->got.message =
            (struct raw_span){m->text.ptr + m->message_from, at - m->message_from};
        return match_from(m, pattern + 2, at);
    case '*':
        return pattern[2] == '\0' || match_lazy(m, pattern, at);
    case '%':
        return at < m->text.len && m->text.ptr[at] == '%' && match_from(m, pattern + 2, at + 1);
    default:
        return match_lazy(m, pattern, at);
    }
}

static bool match_from(struct match *m, const char *pattern, size_t at)
{
    if (++m->steps > STEPS_MAX)
        return false;
    while (*pattern != '\0' && *pattern != '%') {
        if (at >= m->text.len || m->text.ptr[at] != *pattern)
            return false;
        pattern++;
        at++;
    }
    return *pattern == '\0' ? at == m->text.len : match_part(m, pattern, at);
}

bool shape_match(const char *pattern, struct raw_span text, struct shape *out)
{
    struct match m = {.text = text};

    if (!match_from(&m, pattern, 0))
        return false;
    *out = m.got;
    return true;
}
