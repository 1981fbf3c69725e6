// SPDX-License-Identifier: MIT
/*
 * Messages on stderr: one line, one write(2), so that lines of several processes do not mix.
 * They quote what users typed and files contain: like all else they pass the redactor, which
 * knows the secret values of the environment too, and whatever could act on a terminal or forge a
 * second line is made visible.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/span.h"
#include "base/sys.h"
#include "cmd/cmd.h"
#include "cmd/redaction.h"
#include "redact/redact.h"

enum { WARN_MAX = 2048 }; /* below PIPE_BUF, so that the write is atomic on a pipe */

/* Appends text with every byte but printable ASCII as \xNN, one byte of room left. */
static size_t put_visible(char *dst, size_t size, size_t at, const char *text)
{
    static const char hex[] = "0123456789abcdef";

    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte >= 0x20 && byte < 0x7f) {
            if (at + 1 >= size)
                break;
            dst[at++] = (char)byte;
            continue;
        }
        if (at + 4 >= size)
            break;
        dst[at++] = '\\';
        dst[at++] = 'x';
        dst[at++] = hex[byte >> 4];
        dst[at++] = hex[byte & 15];
    }
    return at;
}

/* Appends message without its secrets; nothing of it when that cannot be made sure. */
static size_t put_redacted(char *dst, size_t size, size_t at, const char *message)
{
    struct raw_span raw = {message, strlen(message)};
    struct clean_span clean;
    struct redact_set *set = redaction_for_message();
    struct buf text;

    buf_init(&text, 2 * WARN_MAX); /* a mark may be longer than the secret */
    if (set == NULL ||
        redact_text(raw, set, &text, &clean) != ERR_NONE || buf_put(&text, "", 1) != ERR_NONE)
        at = put_visible(dst, size, at, "something went wrong, and memory ran out saying what");
    else
        at = put_visible(dst, size, at, text.data);
    buf_release(&text);
    redact_set_free(set);
    return at;
}

static void write_line(const struct command *c, const char *message)
{
    char line[WARN_MAX];
    size_t at = put_visible(line, sizeof(line), 0, "buildlog");
    int saved = errno;

    if (c != NULL) {
        at = put_visible(line, sizeof(line), at, " ");
        at = put_visible(line, sizeof(line), at, c->name);
    }
    at = put_visible(line, sizeof(line), at, ": ");
    at = put_redacted(line, sizeof(line), at, message);
    line[at++] = '\n';
    /* There is nowhere to report that stderr cannot be written. */
    while (sys.write(STDERR_FILENO, line, at) < 0 && errno == EINTR)
        ;
    errno = saved;
}

void cmd_warn(const struct command *c, const char *format, ...)
{
    char message[WARN_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    write_line(c, message);
}

void cmd_warn_err(const struct command *c, const struct err *e)
{
    char message[WARN_MAX];

    err_format(e, message, sizeof(message));
    write_line(c, message);
}
