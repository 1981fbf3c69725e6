// SPDX-License-Identifier: MIT
/*
 * The forms that a value takes on its way into a log: as it is, in base 64, in hexadecimal,
 * percent-encoded, escaped for JSON, shells and XML. A form is never spelled out in memory: it
 * is read off the value, a few bytes at a time, so that a long value costs no more than its
 * own length.
 *
 * The text of a form is what known_scan.c compares with: line ends are not in it, nor blanks
 * after them, where the form has real line ends (see known.h, "logical").
 *
 * Called by known.c (which forms there are) and known_scan.c (the rest of a long form).
 */
#ifndef REDACT_KNOWN_FORM_H
#define REDACT_KNOWN_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FORM_UNIT_MAX = 16 };

/* The kinds of bytes that make an encoding differ from the value: text_classes() of it. */
enum form_class {
    HAS_NEWLINE = 1 << 0,
    HAS_CONTROL = 1 << 1,
    HAS_HIGH = 1 << 2, /* outside ASCII */
    HAS_BLANK = 1 << 3,
    HAS_QUOTE = 1 << 4,
    HAS_APOSTROPHE = 1 << 5,
    HAS_BACKSLASH = 1 << 6,
    HAS_SLASH = 1 << 7,
    HAS_ANGLE = 1 << 8,
    HAS_AMPERSAND = 1 << 9,
    HAS_PLUS = 1 << 10,
    HAS_BACKTICK = 1 << 11,
    HAS_DOLLAR = 1 << 12,
    HAS_DELIMITER = 1 << 13, /* the rest of what RFC 3986 reserves */
    HAS_TILDE = 1 << 14,
    HAS_OTHER = 1 << 15 /* other punctuation; letters, digits and "-._" have no class */
};

uint16_t form_classes(const uint8_t *text, size_t len);

/* The encodings, a const table in known_form.c; an encoding is its index. */
size_t form_encoding_count(void);
const char *form_encoding_name(size_t encoding);

/* False if the encoding of such a text would be that of another row, or makes no sense for a
   text without line ends or of that length. */
bool form_applies(size_t encoding, uint16_t classes, size_t len);

/* True if the encoding shows the line ends (and so differs for LF and CRLF). */
bool form_shows_lines(size_t encoding);

/* True if a person could read the value off the encoding: not base 64, nor hexadecimal. */
bool form_is_legible(size_t encoding);

/* True if it differs from the encoding before it only where form_iter's split says so. */
bool form_is_variant(size_t encoding);

struct form_iter {
    const uint8_t *text; /* not owned; must outlive the iterator */
    uint32_t len;
    uint32_t at;      /* next byte of text, or next character for base 64 */
    uint8_t encoding;
    uint8_t n;        /* bytes in unit */
    uint8_t i;        /* next of them */
    bool joined;      /* a line end of the text was left out before unit[0] */
    bool split;       /* so far there was a character that the two base 64 alphabets differ in */
    uint8_t unit[FORM_UNIT_MAX];
};

/* text neither begins nor ends in a blank or line end; its line ends are LF or CR LF. */
void form_iter_init(struct form_iter *it, size_t encoding, const uint8_t *text, uint32_t len);

/* Fills unit anew. False at the end of the form. */
bool form_iter_refill(struct form_iter *it);

/* The next byte of the form, or -1 at its end. */
static inline int form_iter_next(struct form_iter *it)
{
    if (it->i == it->n && !form_iter_refill(it))
        return -1;
    return it->unit[it->i++];
}

#endif
