// SPDX-License-Identifier: MIT
#include "redact/user_pattern.h"

#include <stdbool.h>
#include <string.h>

/* Behind the atom at p: a bracket expression, an escape, any other byte. */
static const char *behind(const char *p)
{
    if (*p == '\\')
        return p[1] != '\0' ? p + 2 : p + 1;
    if (*p != '[')
        return p + 1;
    p += p[1] == '^' ? 2 : 1;
    p += *p == ']' ? 1 : 0;
    while (*p != '\0' && *p != ']') {
        if (*p == '[' && p[1] != '\0' && strchr(":.=", p[1]) != NULL) {
            const char close[] = {p[1], ']', '\0'};
            const char *end = strstr(p + 2, close);

            p = end != NULL ? end + 1 : p;
        }
        p++;
    }
    return *p == ']' ? p + 1 : p;
}

size_t pattern_backref(const char *pattern)
{
    for (const char *p = pattern; *p != '\0'; p = behind(p)) {
        if (*p == '\\' && p[1] >= '1' && p[1] <= '9')
            return (size_t)(p - pattern) + 1;
    }
    return 0;
}

static bool is_repeat(char c)
{
    return c == '*' || c == '?' || c == '{' || c == '+';
}

struct shape {
    bool top_choice;  /* an alternative outside every group */
    bool choice;      /* or anywhere */
    bool group_again; /* a group that may be left out or repeated */
};

static struct shape shape_of(const char *pattern)
{
    struct shape s = {false, false, false};
    size_t depth = 0;

    for (const char *p = pattern; *p != '\0'; p = behind(p)) {
        if (*p == '(')
            depth++;
        if (*p == ')' && depth > 0)
            depth--;
        s.group_again |= *p == ')' && is_repeat(p[1]);
        s.choice |= *p == '|';
        s.top_choice |= *p == '|' && depth == 0;
    }
    return s;
}

/* Assertions that take no byte, and the beginnings of groups where those change nothing. */
static const char *behind_assertions(const char *p, const struct shape *s)
{
    for (;;) {
        if (*p == '^')
            p++;
        else if (*p == '\\' && (p[1] == 'b' || p[1] == '<'))
            p += 2;
        else if (*p == '(' && p[1] != '?' && !s->choice && !s->group_again)
            p++;
        else
            return p;
    }
}

/* The byte that the atom at p stands for; -1: it is more than a byte. */
static int ordinary(const char *p)
{
    bool escaped = *p == '\\';
    unsigned char c = (unsigned char)p[escaped ? 1 : 0];
    bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

    if (c == '\0' || (escaped && (alnum || c >= 0x80 || c == '<' || c == '>')))
        return -1;
    return !escaped && strchr(".[]$()|*+?{}^\\", c) != NULL ? -1 : c;
}

size_t pattern_prefix(const char *pattern, char *dst, size_t size)
{
    struct shape s = shape_of(pattern);
    const char *p = behind_assertions(pattern, &s);
    size_t n = 0;

    while (!s.top_choice && n + 1 < size && ordinary(p) >= 0) {
        const char *next = behind(p);

        if (is_repeat(*next))
            break;
        dst[n++] = (char)ordinary(p);
        p = next;
    }
    dst[n] = '\0';
    return n;
}
