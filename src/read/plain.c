// SPDX-License-Identifier: MIT
#include "read/plain.h"

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
        else if (c == '\r')
            out = 0; /* written over from here; a CR at the end is gone already */
        at++;
    }
    return (struct raw_span){dst, out};
}

struct raw_span plain_text(struct raw_span msg, char *dst, size_t size)
{
    msg = trim_end(msg);
    return trim_end(has_control(msg) ? strip(msg, dst, size) : msg);
}

/* ---- time stamps ---------------------------------------------------------------------------- */

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

size_t plain_timestamp_len(struct raw_span text)
{
    static const char date_time[] = "0000-00-00T00:00:00";
    size_t at = sizeof(date_time) - 1;

    if (text.len < at || !fits(text.ptr, date_time))
        return 0;
    while (at < text.len && (in((unsigned char)text.ptr[at], '+', ':') || text.ptr[at] == 'Z') &&
           text.ptr[at] != '/')
        at++;
    if (at < text.len && !is_blank(text.ptr[at]))
        return 0;
    while (at < text.len && is_blank(text.ptr[at]))
        at++;
    return at;
}
