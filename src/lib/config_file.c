// SPDX-License-Identifier: MIT
#include "lib/config_file.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/sys.h"

enum err_code config_bad(struct err *e, const struct config_place *at, const char *why, ...)
{
    char text[ERR_WHY_MAX];
    va_list args;

    va_start(args, why);
    vsnprintf(text, sizeof(text), why, args);
    va_end(args);
    return err_set(e, ERR_FORMAT, at->what, at->path, "%s", text);
}

/* Reads all of fd into text. The file may grow meanwhile; the ceiling holds all the same. */
static enum err_code read_all(int fd, const struct config_place *at, struct buf *text,
                              struct err *e)
{
    enum { PIECE = 4096 };

    for (;;) {
        ssize_t n;

        if (buf_reserve(text, PIECE) != ERR_NONE)
            return config_bad(e, at, "larger than %d bytes, or out of memory", CONFIG_FILE_MAX);
        n = sys.read(fd, text->data + text->len, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_system(e, "cannot read", at->path);
        if (n == 0)
            return ERR_NONE;
        text->len += (size_t)n;
    }
}

/* ERR_NOT_FOUND when there is no such file. Anything but a regular file is refused: a FIFO
   would have us wait. */
static enum err_code read_file(const struct config_place *at, struct buf *text, struct err *e)
{
    int fd = sys.openat(AT_FDCWD, at->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    struct stat st;
    enum err_code rc;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(e, ERR_NOT_FOUND, "cannot open", at->path, "no such file");
    if (fd < 0)
        return err_system(e, "cannot open", at->path);
    if (sys.fstat(fd, &st) < 0)
        rc = err_system(e, "cannot read", at->path);
    else if (!S_ISREG(st.st_mode))
        rc = config_bad(e, at, "not a regular file");
    else
        rc = read_all(fd, at, text, e);
    sys.close(fd);
    return rc;
}

/* The end of the comment that begins at p ("//" or a slash and a star), or p. */
static char *comment_end(char *p, char *end)
{
    if (end - p < 2 || p[0] != '/')
        return p;
    if (p[1] == '/') {
        while (p < end && *p != '\n')
            p++;
        return p;
    }
    if (p[1] != '*')
        return p;
    for (char *q = p + 2; end - q >= 2; q++)
        if (q[0] == '*' && q[1] == '/')
            return q + 2;
    return p; /* never closed: the parser complains about the slash */
}

/* Blanks comments out instead of cJSON_Minify, so that lines keep their numbers. */
static void blank_comments(char *text, size_t len)
{
    char *end = text + len;
    bool in_string = false;

    for (char *p = text; p < end; p++) {
        char *over = in_string ? p : comment_end(p, end);

        for (; p < over; p++)
            if (*p != '\n')
                *p = ' ';
        if (p == end)
            return;
        if (*p == '"')
            in_string = !in_string;
        else if (*p == '\\' && in_string && p + 1 < end)
            p++;
    }
}

static size_t line_number(const char *text, const char *at)
{
    size_t line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static enum err_code parse(struct buf *text, const struct config_place *at, struct cJSON **out,
                           struct err *e)
{
    const char *stop = NULL;

    if (memchr(text->data, '\0', text->len) != NULL)
        return config_bad(e, at, "not text: it contains a NUL byte");
    if (buf_put(text, "", 1) != ERR_NONE)
        return config_bad(e, at, "larger than %d bytes, or out of memory", CONFIG_FILE_MAX);
    blank_comments(text->data, text->len - 1);
    *out = cJSON_ParseWithLengthOpts(text->data, text->len, &stop, 1);
    if (*out == NULL)
        return config_bad(e, at, "line %zu: not valid JSON", line_number(text->data, stop));
    if (cJSON_IsObject(*out))
        return ERR_NONE;
    cJSON_Delete(*out);
    *out = NULL;
    return config_bad(e, at, "expected a JSON object: %s", at->example);
}

enum err_code config_read_json(const struct config_place *at, struct cJSON **out, struct err *e)
{
    struct buf text;
    enum err_code rc;

    *out = NULL;
    buf_init(&text, CONFIG_FILE_MAX);
    rc = read_file(at, &text, e);
    if (rc == ERR_NONE)
        rc = parse(&text, at, out, e);
    buf_release(&text);
    return rc;
}
