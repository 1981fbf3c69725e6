// SPDX-License-Identifier: MIT
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#undef err_set
#undef err_system

static void copy_text(char *dst, size_t size, const char *src)
{
    size_t len = src != NULL ? strlen(src) : 0;

    if (len >= size)
        len = size - 1;
    if (len > 0)
        memcpy(dst, src, len);
    dst[len] = '\0';
}

enum err_code err_system(struct err *e, const char *what, const char *subject)
{
    int saved = errno;

    if (e != NULL) {
        e->code = ERR_SYSTEM;
        e->sys_errno = saved;
        copy_text(e->what, sizeof(e->what), what);
        copy_text(e->subject, sizeof(e->subject), subject);
        e->why[0] = '\0';
    }
    errno = saved;
    return ERR_SYSTEM;
}

enum err_code err_set(struct err *e, enum err_code code, const char *what, const char *subject,
                      const char *why, ...)
{
    va_list args;

    if (e == NULL)
        return code;
    e->code = code;
    e->sys_errno = 0;
    copy_text(e->what, sizeof(e->what), what);
    copy_text(e->subject, sizeof(e->subject), subject);
    va_start(args, why);
    vsnprintf(e->why, sizeof(e->why), why, args);
    va_end(args);
    return code;
}

/* Appends the subject, made visible where it could act on a terminal, as far as it fits. */
static size_t put_visible(char *dst, size_t size, size_t at, const char *text)
{
    static const char hex[] = "0123456789abcdef";

    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = byte >= 0x20 && byte < 0x7f;

        if (at + (plain ? 1 : 4) >= size)
            break;
        if (plain) {
            dst[at++] = (char)byte;
            continue;
        }
        dst[at++] = '\\';
        dst[at++] = 'x';
        dst[at++] = hex[byte >> 4];
        dst[at++] = hex[byte & 15];
    }
    return at;
}

static size_t put_plain(char *dst, size_t size, size_t at, const char *text)
{
    while (*text != '\0' && at + 1 < size)
        dst[at++] = *text++;
    return at;
}

size_t err_format(const struct err *e, char *dst, size_t size)
{
    const char *why = e->sys_errno != 0 ? strerror(e->sys_errno) : e->why;
    size_t at = put_plain(dst, size, 0, e->what);

    if (e->subject[0] != '\0') {
        at = put_plain(dst, size, at, " '");
        at = put_visible(dst, size, at, e->subject);
        at = put_plain(dst, size, at, "'");
    }
    if (why[0] != '\0') {
        at = put_plain(dst, size, at, ": ");
        at = put_plain(dst, size, at, why);
    }
    dst[at] = '\0';
    return at;
}
