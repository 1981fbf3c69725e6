// SPDX-License-Identifier: MIT
#include "text/plain.h"

#include <stdbool.h>
#include <string.h>

static bool in(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

/* ---- escape sequences ----------------------------------------------------------------------- */

/* From behind "ESC [": parameters, intermediates and the final byte (ECMA-48 5.4). */
static size_t csi_len(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && in((unsigned char)p[i], 0x20, 0x3f))
        i++;
    return i < n && in((unsigned char)p[i], 0x40, 0x7e) ? i + 1 : i;
}

/* From behind "ESC ]" and its like: up to BEL or ESC \. One without an end takes nothing more,
   lest it hides the rest of the line. */
static size_t string_len(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\a')
            return i + 1;
        if (p[i] == '\x1b')
            return i + 1 < n && p[i + 1] == '\\' ? i + 2 : i;
    }
    return 0;
}

/* p[0] is ESC. */
static size_t escape_len(const char *p, size_t n)
{
    if (n < 2)
        return 1;
    if (p[1] == '[')
        return 2 + csi_len(p + 2, n - 2);
    if (p[1] == ']' || p[1] == 'P' || p[1] == '_' || p[1] == '^' || p[1] == 'X')
        return 2 + string_len(p + 2, n - 2);
    return in((unsigned char)p[1], 0x20, 0x2f) && n > 2 ? 3 : 2;
}

/* ---- the text ------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool has_control(struct raw_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 && text.ptr[i] != '\t')
            return true;
    return false;
}

static struct raw_span trim_end(struct raw_span text)
{
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static struct raw_span strip(struct raw_span msg, char *dst, size_t size)
{
    size_t out = 0;

    for (size_t at = 0; at < msg.len && out < size;) {
        char c = msg.ptr[at];

        if (c == '\x1b') {
            at += escape_len(msg.ptr + at, msg.len - at);
            continue;
        }
        if ((unsigned char)c >= 0x20 || c == '\t')
            dst[out++] = c;
        at++;
    }
    return (struct raw_span){dst, out};
}

/* What a line was written over with, and of that no more than may be needed. */
static struct raw_span last_state(struct raw_span msg, size_t size)
{
    enum { ESCAPES_SHARE = 2 }; /* coloured text has fewer bytes of escapes than of itself */
    const char *cr;

    msg = trim_end(msg);
    cr = msg.len > 0 ? memrchr(msg.ptr, '\r', msg.len) : NULL;
    if (cr != NULL) {
        msg.len -= (size_t)(cr + 1 - msg.ptr);
        msg.ptr = cr + 1;
    }
    if (msg.len > ESCAPES_SHARE * size)
        msg.len = ESCAPES_SHARE * size;
    return msg;
}

struct raw_span plain_text(struct raw_span msg, char *dst, size_t size)
{
    msg = last_state(msg, size);
    if (has_control(msg))
        msg = strip(msg, dst, size);
    if (msg.len > size)
        msg.len = size;
    return trim_end(msg);
}

struct raw_span plain_escapes(struct raw_span text, char *dst)
{
    size_t out = 0;

    while (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    for (size_t at = 0; at < text.len;) {
        if (text.ptr[at] == '\x1b')
            at += escape_len(text.ptr + at, text.len - at);
        else
            dst[out++] = text.ptr[at++];
    }
    return (struct raw_span){dst, out};
}

/* ---- what others put in front -------------------------------------------------------------- */

/* '0' stands for a digit, all else for itself; 'T' for that or a blank. */
static bool fits(const char *p, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, p++) {
        if (*pattern == '0' ? !in((unsigned char)*p, '0', '9')
                            : *p != *pattern && !(*pattern == 'T' && *p == ' '))
            return false;
    }
    return true;
}

/* From here on: fractions of a second and the zone. */
static bool in_time(char c)
{
    return (in((unsigned char)c, '+', ':') || c == 'Z') && c != '/';
}

/* A date and a time, or a time alone; in brackets, too. */
static size_t timestamp_len(struct raw_span text)
{
    static const char date_time[] = "0000-00-00T00:00:00";
    static const char time[] = "00:00:00";
    size_t box = text.len > 0 && text.ptr[0] == '[' ? 1 : 0;
    const char *p = text.ptr + box;
    size_t rest = text.len - box;
    size_t at;

    if (rest >= sizeof(date_time) - 1 && fits(p, date_time))
        at = box + sizeof(date_time) - 1;
    else if (rest >= sizeof(time) - 1 && fits(p, time))
        at = box + sizeof(time) - 1;
    else
        return 0;
    while (at < text.len && in_time(text.ptr[at]))
        at++;
    if (box > 0 && (at == text.len || text.ptr[at++] != ']'))
        return 0;
    if (at < text.len && !is_blank(text.ptr[at]))
        return 0;
    while (at < text.len && is_blank(text.ptr[at]))
        at++;
    return at;
}

/* "#12 3.456 ": docker build's step and seconds. */
static size_t step_len(struct raw_span text)
{
    size_t at = 1;
    size_t blanks = 0;

    if (text.len < 2 || text.ptr[0] != '#' || !in((unsigned char)text.ptr[1], '0', '9'))
        return 0;
    for (; at < text.len && blanks < 2; at++) {
        unsigned char c = (unsigned char)text.ptr[at];

        if (c == ' ')
            blanks++;
        else if (!in(c, '0', '9') && !(c == '.' && blanks == 1))
            return 0;
    }
    return blanks == 2 ? at : 0;
}

size_t plain_prefix_len(struct raw_span text)
{
    size_t n = timestamp_len(text);

    return n > 0 ? n : step_len(text);
}
