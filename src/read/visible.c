// SPDX-License-Identifier: MIT
#include "read/visible.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "text/columns.h"
#include "text/motion.h"
#include "text/utf8.h"

/* ---- sinks ---------------------------------------------------------------------------------- */

enum err_code sink_put(const struct sink *s, const char *text, size_t n)
{
    return n > 0 ? s->put(s->arg, text, n) : ERR_NONE;
}

enum err_code sink_puts(const struct sink *s, const char *text)
{
    return sink_put(s, text, strlen(text));
}

enum err_code sink_printf(const struct sink *s, const char *format, ...)
{
    char text[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(text))
        return ERR_MEMORY;
    return sink_put(s, text, (size_t)n);
}

/* ---- characters ------------------------------------------------------------------------------ */

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* C1, the bidirectional controls of Unicode 15 (Bidi_Control), the line and paragraph
   separators, and the invisible characters of the language tags, which can hide text. */
static const struct range hostile[] = {
    {0x80, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},   {0x2028, 0x202e},
    {0x2066, 0x2069}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool is_hostile(uint32_t c)
{
    return c >= 0x80 && in_ranges(c, hostile, sizeof(hostile) / sizeof(hostile[0]));
}

/* The length of the control sequence that begins here, ESC [ digits ; : … and one of these at its
   end. 0: there is none. */
static size_t sequence_len(const char *text, size_t n, const char *finals)
{
    enum { SEQUENCE_MAX = 128 };
    size_t i = 2;

    if (n < 3 || text[0] != '\x1b' || text[1] != '[')
        return 0;
    while (i < n && i < SEQUENCE_MAX &&
           ((text[i] >= '0' && text[i] <= '9') || text[i] == ';' || text[i] == ':'))
        i++;
    return i < n && text[i] != '\0' && strchr(finals, text[i]) != NULL ? i + 1 : 0;
}

/* CR, BS, CHA, CUF, CUB, EL: within its line. */
static size_t move_len(const char *text, size_t n)
{
    return *text == '\r' || *text == '\b' ? 1 : sequence_len(text, n, "GCDK");
}

/* ---- frames ------------------------------------------------------------------------------ */

/* Columns of one frame, from the beginning of its line on. */
struct extent {
    uint32_t written; /* without a hole */
    uint32_t shown;   /* up to the last one that shows something */
    bool erases;      /* what is behind them */
};

/* False: what this motion does to the line is not that simple. */
static bool add_motion(struct extent *x, const struct motion *m)
{
    switch (m->kind) {
    case MOTION_TEXT:
        x->written += m->n;
        x->shown = x->written;
        return true;
    case MOTION_BLANK:
        x->written += m->n;
        return true;
    case MOTION_ERASE_RIGHT:
        x->erases = true;
        return true;
    default:
        return m->kind == MOTION_NONE || m->kind == MOTION_STYLE || m->kind == MOTION_MORE;
    }
}

/* Where the last frame begins that shows something, if it leaves nothing to be seen of those
   before it; else 0. */
static size_t last_frame(struct raw_span text)
{
    struct motion_parser parser = {0};
    struct extent x = {0};
    uint32_t most = 0; /* shown by the frames before */
    size_t start = 0, found = 0;

    for (size_t at = 0; at <= text.len;) {
        bool end = at == text.len;
        struct motion m = {.kind = MOTION_COLUMN};

        at += end ? 1 : motion_next(&parser, text.ptr + at, text.len - at, &m);
        if (m.kind != MOTION_COLUMN || m.n > 0) {
            if (!add_motion(&x, &m))
                return 0;
            continue;
        }
        if (x.shown > 0)
            found = x.erases || x.written >= most ? start : 0;
        most = x.shown > most ? x.shown : most;
        x = (struct extent){0};
        start = at;
    }
    return found;
}

/* ---- text --------------------------------------------------------------------------- */

static bool plain_byte(char c)
{
    return (c >= 0x20 && c < 0x7f) || c == '\t';
}

static size_t plain_run(const char *text, size_t n)
{
    size_t i = 0;

    while (i < n && plain_byte(text[i]))
        i++;
    return i;
}

/* One character of more than one byte. */
static enum err_code put_wide(const struct sink *s, const char *text, size_t n, size_t *len)
{
    bool valid;
    uint32_t c;

    *len = utf8_sequence(text, n, &valid);
    if (!valid)
        return sink_puts(s, "\xef\xbf\xbd");
    c = utf8_decode(text, *len);
    if (is_hostile(c))
        return sink_printf(s, "<U+%04X>", (unsigned)c);
    return sink_put(s, text, *len);
}

static enum err_code put_control(const struct sink *s, char c)
{
    char text[2] = {'^', (char)(c == 0x7f ? '?' : c + '@')};

    return sink_put(s, text, sizeof(text));
}

enum err_code visible_put(const struct sink *s, struct raw_span text, struct visible how)
{
    size_t from = how.last_frame ? last_frame(text) : 0;
    bool coloured = false;
    enum err_code rc = from > 0 ? put_control(s, '\r') : ERR_NONE;

    for (size_t at = from; at < text.len && rc == ERR_NONE;) {
        const char *p = text.ptr + at;
        size_t rest = text.len - at;
        size_t len = plain_run(p, rest);
        size_t sgr = 0;

        if (len == 0 && how.colour != COLOUR_VISIBLE)
            sgr = sequence_len(p, rest, "m");
        if (len == 0 && sgr == 0 && how.moves)
            len = move_len(p, rest);
        if (len > 0) {
            rc = sink_put(s, p, len);
        } else if (sgr > 0) {
            len = sgr;
            coloured |= how.colour == COLOUR_PASS;
            rc = how.colour == COLOUR_PASS ? sink_put(s, p, len) : ERR_NONE;
        } else if (how.colour != COLOUR_VISIBLE && sequence_len(p, rest, "K") > 0) {
            len = sequence_len(p, rest, "K");
        } else if ((*p & 0x80) != 0) {
            rc = put_wide(s, p, rest, &len);
        } else {
            len = 1;
            rc = *p == '\n' && how.lf ? sink_put(s, p, 1) : put_control(s, *p);
        }
        at += len;
    }
    if (coloured && rc == ERR_NONE)
        rc = sink_puts(s, "\x1b[0m");
    return rc;
}

enum err_code visible_put_json(const struct sink *s, struct raw_span text)
{
    enum err_code rc = ERR_NONE;

    for (size_t at = 0; at < text.len && rc == ERR_NONE;) {
        const char *p = text.ptr + at;
        size_t len = plain_run(p, text.len - at);
        bool valid = true;
        uint32_t c;

        if (len > 0 || *p == '\n') {
            len = len > 0 ? len : 1;
            rc = sink_put(s, p, len);
            at += len;
            continue;
        }
        len = utf8_sequence(p, text.len - at, &valid);
        c = valid ? utf8_decode(p, len) : 0xfffd;
        if (c > 0xffff && is_hostile(c))
            rc = sink_printf(s, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
                             (unsigned)(0xdc00 + (c & 0x3ff)));
        else if (c < 0x20 || c == 0x7f || !valid || is_hostile(c))
            rc = sink_printf(s, "\\u%04x", (unsigned)c);
        else
            rc = sink_put(s, p, len);
        at += len;
    }
    return rc;
}

/* ---- columns ------------------------------------------------------------------------ */

size_t visible_fit(const char *text, size_t n, size_t columns)
{
    size_t at = 0;

    while (at < n) {
        bool valid;
        size_t len = utf8_sequence(text + at, n - at, &valid);
        size_t wide = valid ? columns_of(utf8_decode(text + at, len)) : 1;

        if (wide > columns)
            break;
        columns -= wide;
        at += len;
    }
    return at;
}

size_t visible_columns(const char *text, size_t n)
{
    size_t columns = 0;

    for (size_t at = 0; at < n;) {
        bool valid;
        size_t len = utf8_sequence(text + at, n - at, &valid);

        columns += valid ? columns_of(utf8_decode(text + at, len)) : 1;
        at += len;
    }
    return columns;
}
