// SPDX-License-Identifier: MIT
/*
 * A build as a page of HTML that stands alone: no script, nothing from elsewhere, and a policy that
 * forbids both. Each line can be linked to by its number (#L12) and says when it came. Colours are
 * those of the log; text is escaped, other control sequences are made visible (visible.h), places
 * where records are missing are shown. No memory but the renderer's. Called by cmd/export.
 */
#ifndef READ_PAGE_H
#define READ_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "read/render.h"

struct page_header {
    const char *id;
    int64_t started_ms;  /* since 1970; -1: not known */
    const char *title;   /* any text; NULL: none */
    const char *command; /* likewise */
    const char *outcome; /* "failed (exit 2)", any text */
};

/* What SGR has switched on. A colour is 0 to 255 of the palette, or COLOUR_RGB and 24 bits. */
struct page_style {
    uint32_t text, back;
    bool bold, faint, italic, underlined, reversed, struck;
};

struct page {
    struct sink sink;
    struct renderer renderer;
    struct page_style style;
    bool styled; /* an element with that style is open */
};

void page_init(struct page *p, struct sink sink);
void page_release(struct page *p);

enum err_code page_begin(struct page *p, const struct page_header *h) MUST_USE;

/* The next record, at_ms after the beginning. ERR_FORMAT: no record after all. */
enum err_code page_item(struct page *p, const struct log_item *item, int64_t at_ms,
                        struct err *e) MUST_USE;

enum err_code page_end(struct page *p) MUST_USE;

#endif
