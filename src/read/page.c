// SPDX-License-Identifier: MIT
#include "read/page.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

#define COLOUR_NONE (UINT32_C(1) << 31)
#define COLOUR_RGB  (UINT32_C(1) << 30)

enum {
    MS_PER_S = 1000,
    NUMBERS_MAX = 32, /* of one SGR sequence; the rest are passed over */
    NUMBER_MAX = 9999,
    NAMED_COLOURS = 16
};

static const char HEAD[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n";

/* The palette is xterm's. */
static const char STYLE[] =
    "<style>\n"
    "body{background:#111;color:#ddd;font-family:sans-serif;margin:1em}\n"
    "pre{font:13px/1.4 monospace;white-space:pre-wrap;overflow-wrap:anywhere}\n"
    ".e{border-left:3px solid #c33;padding-left:4px}.g{color:#fa0}span:target{background:#333}\n"
    ".bo{font-weight:bold}.fa{opacity:.6}.it{font-style:italic}.un{text-decoration:underline}\n"
    ".st{text-decoration:line-through}.re{color:#111;background:#ddd}\n";

/* ---- text ------------------------------------------------------------------------------------ */

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

static enum err_code put_escaped(void *arg, const char *text, size_t n)
{
    const struct sink *s = arg;
    enum err_code rc = ERR_NONE;

    for (size_t at = 0; at < n && rc == ERR_NONE;) {
        size_t plain = 0;

        while (at + plain < n && entity(text[at + plain]) == NULL)
            plain++;
        rc = sink_put(s, text + at, plain);
        at += plain;
        if (rc == ERR_NONE && at < n)
            rc = sink_puts(s, entity(text[at++]));
    }
    return rc;
}

/* Any text, harmless and escaped. */
static enum err_code put_text(struct page *p, const char *text)
{
    const struct sink escaped = {put_escaped, &p->sink};

    return visible_put(&escaped, (struct raw_span){text, strlen(text)},
                       (struct visible){.colour = COLOUR_VISIBLE});
}

/* ---- SGR (ECMA-48 8.3.117, ISO 8613-6 for 38 and 48) ------------------------------------- */

static const struct page_style no_style = {.text = COLOUR_NONE, .back = COLOUR_NONE};

struct numbers {
    uint32_t value[NUMBERS_MAX];
    bool joined[NUMBERS_MAX]; /* to the one before, by a colon */
    size_t n;
};

/* text: what is between "ESC [" and "m". */
static void read_numbers(const char *text, size_t n, struct numbers *out)
{
    *out = (struct numbers){.n = 1};
    for (size_t i = 0; i < n; i++) {
        uint32_t *value = &out->value[out->n - 1];

        if (text[i] >= '0' && text[i] <= '9') {
            *value = *value * 10 + (uint32_t)(text[i] - '0');
            *value = *value < NUMBER_MAX ? *value : NUMBER_MAX;
        } else if (out->n == NUMBERS_MAX) {
            return;
        } else {
            out->joined[out->n++] = text[i] == ':';
        }
    }
}

static uint32_t rgb(const uint32_t *c)
{
    return COLOUR_RGB | (c[0] & 0xff) << 16 | (c[1] & 0xff) << 8 | (c[2] & 0xff);
}

/* A colour behind 38 or 48 at i; returns how many numbers belong to it. */
static size_t read_colour(const struct numbers *a, size_t i, uint32_t *out)
{
    size_t left = a->n - i - 1;
    size_t joined = 0;

    while (joined < left && a->joined[i + 1 + joined])
        joined++;
    if (left >= 2 && a->value[i + 1] == 5) {
        *out = a->value[i + 2] & 0xff;
        return joined > 2 ? joined : 2;
    }
    if (joined >= 5 && a->value[i + 1] == 2) { /* with a colour space */
        *out = rgb(&a->value[i + 3]);
        return joined;
    }
    if (left >= 4 && a->value[i + 1] == 2) {
        *out = rgb(&a->value[i + 2]);
        return joined > 4 ? joined : 4;
    }
    return joined > 0 ? joined : left; /* not all there: nobody knows what the rest is */
}

/* The attributes that are on or off; 0 is all off. */
static void apply_attribute(struct page_style *s, uint32_t code, bool off_by_part)
{
    if (code == 0)
        *s = no_style;
    else if (code == 1)
        s->bold = true;
    else if (code == 2)
        s->faint = true;
    else if (code == 22)
        s->bold = s->faint = false;
    else if (code == 3 || code == 23)
        s->italic = code == 3;
    else if (code == 4 || code == 24)
        s->underlined = code == 4 && !off_by_part;
    else if (code == 7 || code == 27)
        s->reversed = code == 7;
    else if (code == 9 || code == 29)
        s->struck = code == 9;
}

static void apply_colour(struct page_style *s, uint32_t code)
{
    if (code >= 30 && code <= 37)
        s->text = code - 30;
    else if (code >= 90 && code <= 97)
        s->text = code - 90 + 8;
    else if (code == 39)
        s->text = COLOUR_NONE;
    else if (code >= 40 && code <= 47)
        s->back = code - 40;
    else if (code >= 100 && code <= 107)
        s->back = code - 100 + 8;
    else if (code == 49)
        s->back = COLOUR_NONE;
}

static void apply_sgr(struct page_style *s, const char *text, size_t n)
{
    struct numbers a;

    read_numbers(text, n, &a);
    for (size_t i = 0; i < a.n; i++) {
        uint32_t code = a.value[i];
        bool parted = i + 1 < a.n && a.joined[i + 1];

        if (code == 38 || code == 48) {
            i += read_colour(&a, i, code == 38 ? &s->text : &s->back);
            continue;
        }
        apply_attribute(s, code, parted && a.value[i + 1] == 0);
        apply_colour(s, code);
        while (i + 1 < a.n && a.joined[i + 1])
            i++;
    }
}

/* ---- elements -------------------------------------------------------------------------------- */

/* Of the colours of the palette that have no name: a cube of 6 and a ramp of grey. */
static uint32_t palette(uint32_t colour)
{
    static const uint8_t level[] = {0, 95, 135, 175, 215, 255};
    uint32_t grey;

    if (colour >= 232) {
        grey = 8 + 10 * (colour - 232);
        return grey << 16 | grey << 8 | grey;
    }
    colour -= NAMED_COLOURS;
    return (uint32_t)level[colour / 36] << 16 | (uint32_t)level[colour / 6 % 6] << 8 |
           level[colour % 6];
}

static enum err_code put_class(struct page *p, bool on, const char *name)
{
    return on ? sink_puts(&p->sink, name) : ERR_NONE;
}

/* A colour that has a name is a class, any other one a declaration. */
static enum err_code put_colour(struct page *p, uint32_t colour, bool back, bool declare)
{
    bool named = colour < NAMED_COLOURS;

    if (colour == COLOUR_NONE || named == declare)
        return ERR_NONE;
    if (named)
        return sink_printf(&p->sink, " %c%u", back ? 'b' : 'f', (unsigned)colour);
    return sink_printf(&p->sink, "%s:#%06x;", back ? "background" : "color",
                       (unsigned)((colour & COLOUR_RGB) != 0 ? colour & 0xffffff
                                                             : palette(colour)));
}

static enum err_code open_style(struct page *p)
{
    struct page_style s = p->style;
    bool plain_reversed = s.reversed && s.text == COLOUR_NONE && s.back == COLOUR_NONE;
    uint32_t text = s.reversed ? s.back : s.text;
    uint32_t back = s.reversed ? s.text : s.back;
    enum err_code rc = sink_puts(&p->sink, "<span class=\"c");

    if (rc == ERR_NONE)
        rc = put_class(p, s.bold, " bo");
    if (rc == ERR_NONE)
        rc = put_class(p, s.faint, " fa");
    if (rc == ERR_NONE)
        rc = put_class(p, s.italic, " it");
    if (rc == ERR_NONE)
        rc = put_class(p, s.underlined, " un");
    if (rc == ERR_NONE)
        rc = put_class(p, s.struck, " st");
    if (rc == ERR_NONE)
        rc = put_class(p, plain_reversed, " re");
    if (rc == ERR_NONE)
        rc = put_colour(p, text, false, false);
    if (rc == ERR_NONE)
        rc = put_colour(p, back, true, false);
    if (rc == ERR_NONE)
        rc = sink_puts(&p->sink, "\" style=\"");
    if (rc == ERR_NONE)
        rc = put_colour(p, text, false, true);
    if (rc == ERR_NONE)
        rc = put_colour(p, back, true, true);
    p->styled = true;
    return rc == ERR_NONE ? sink_puts(&p->sink, "\">") : rc;
}

static enum err_code close_style(struct page *p)
{
    bool styled = p->styled;

    p->styled = false;
    return styled ? sink_puts(&p->sink, "</span>") : ERR_NONE;
}

static bool is_plain(const struct page_style *s)
{
    return s->text == COLOUR_NONE && s->back == COLOUR_NONE && !s->bold && !s->faint &&
           !s->italic && !s->underlined && !s->reversed && !s->struck;
}

/* What the renderer makes of a record. The only escape sequences in it are SGR, each one piece. */
static enum err_code put_rendered(void *arg, const char *text, size_t n)
{
    struct page *p = arg;
    enum err_code rc = ERR_NONE;

    if (n >= 3 && text[0] == '\x1b') {
        apply_sgr(&p->style, text + 2, n - 3);
        return close_style(p);
    }
    if (!p->styled && !is_plain(&p->style))
        rc = open_style(p);
    return rc == ERR_NONE ? put_escaped(&p->sink, text, n) : rc;
}

/* ---- the whole ------------------------------------------------------------------------------- */

void page_init(struct page *p, struct sink sink)
{
    *p = (struct page){.sink = sink, .style = no_style};
    p->renderer =
        (struct renderer){.sink = {put_rendered, p}, .terminal = true, .colour = true};
}

void page_release(struct page *p)
{
    render_release(&p->renderer);
}

static enum err_code put_colours(struct page *p)
{
    static const char *const named[NAMED_COLOURS] = {
        "000000", "cd0000", "00cd00", "cdcd00", "5c5cff", "cd00cd", "00cdcd", "e5e5e5",
        "7f7f7f", "ff0000", "00ff00", "ffff00", "8c8cff", "ff00ff", "00ffff", "ffffff"};
    enum err_code rc = ERR_NONE;

    for (int i = 0; i < NAMED_COLOURS && rc == ERR_NONE; i++)
        rc = sink_printf(&p->sink, ".f%d{color:#%s}.b%d{background:#%s}\n", i, named[i], i,
                         named[i]);
    return rc == ERR_NONE ? sink_puts(&p->sink, "</style>\n") : rc;
}

static enum err_code put_element(struct page *p, const char *open, const char *text,
                                 const char *close)
{
    enum err_code rc = sink_puts(&p->sink, open);

    if (rc == ERR_NONE)
        rc = put_text(p, text);
    return rc == ERR_NONE ? sink_puts(&p->sink, close) : rc;
}

enum err_code page_begin(struct page *p, const struct page_header *h)
{
    const char *title = h->title != NULL ? h->title : h->id;
    char started[RFC3339_SIZE];
    enum err_code rc = sink_puts(&p->sink, HEAD);

    if (rc == ERR_NONE)
        rc = put_element(p, "<title>", title, "</title>\n");
    if (rc == ERR_NONE)
        rc = sink_puts(&p->sink, STYLE);
    if (rc == ERR_NONE)
        rc = put_colours(p);
    if (rc == ERR_NONE)
        rc = put_element(p, "</head>\n<body>\n<h1>", title, "</h1>\n");
    if (rc == ERR_NONE && h->command != NULL && h->command != title)
        rc = put_element(p, "<p><code>", h->command, "</code></p>\n");
    if (rc == ERR_NONE)
        rc = put_element(p, "<p>build ", h->id, ": ");
    if (rc == ERR_NONE)
        rc = put_text(p, h->outcome);
    if (rc == ERR_NONE && h->started_ms >= 0)
        rc = put_element(p, ", ", clock_rfc3339(h->started_ms, started), "");
    return rc == ERR_NONE ? sink_puts(&p->sink, "</p>\n<pre>\n") : rc;
}

enum err_code page_item(struct page *p, const struct log_item *item, int64_t at_ms, struct err *e)
{
    struct raw_span src = render_source(item);
    bool gap = item->kind == RECORD_GAP;
    bool on_stderr = src.len == 6 && memcmp(src.ptr, "stderr", 6) == 0;
    enum err_code rc;

    if (item->kind != RECORD_LINE && !gap)
        return ERR_NONE;
    p->renderer.format = gap ? RENDER_PRETTY : RENDER_RAW;
    rc = sink_printf(&p->sink, "<span class=\"%s\" id=\"L%" PRIu64 "\" title=\"+%" PRId64
                               ".%03ds\">", gap ? "g" : on_stderr ? "e" : "l", item->seq,
                     at_ms / MS_PER_S, (int)(at_ms % MS_PER_S));
    if (rc != ERR_NONE)
        return rc;
    rc = render_item(&p->renderer, item, e);
    p->style = no_style;
    if (rc == ERR_NONE || rc == ERR_FORMAT) {
        enum err_code closed = close_style(p);

        if (closed == ERR_NONE)
            closed = sink_puts(&p->sink, "</span>");
        rc = closed != ERR_NONE ? closed : rc;
    }
    return rc;
}

enum err_code page_end(struct page *p)
{
    return sink_puts(&p->sink, "</pre>\n</body>\n</html>\n");
}
