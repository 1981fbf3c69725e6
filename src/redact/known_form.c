// SPDX-License-Identifier: MIT
#include "redact/known_form.h"

#include <endian.h>
#include <string.h>

#include "redact/known.h"
#include "text/utf8.h"

enum kind {
    KIND_PLAIN,
    KIND_BASE64,
    KIND_HEX,
    KIND_PERCENT,
    KIND_JSON,
    KIND_QUOTED,    /* a text in front of each byte of a set, or in its place */
    KIND_ANSI_C,
    KIND_XML
};

/* What stands for a line end of the value. */
enum lines {
    LINES_JOIN,  /* nothing: the stream's line ends are left out, too */
    LINES_BLANK, /* one blank; what indents the next line stays: tr '\n' ' ' */
    LINES_WORD,  /* one blank for all of it: an unquoted $X */
    LINES_SHOW   /* what the encoding makes of the byte */
};

enum option {
    UPPER = 1,       /* hexadecimal digits */
    URL = 2,         /* base 64: - and _ */
    WRAP_64 = 4,     /* base 64: lines of so many characters, their ends written out as "\n" */
    WRAP_76 = 8,
    PLUS_BLANK = 2,  /* percent: '+' for a blank */
    SLASH = 2,       /* JSON: \/ */
    HEX = 2,         /* ANSI C: \xHH, and letters for tab and line ends alone */
    HTML = 4,        /* JSON: < > & as \u00XX, and no \b and \f: Go's encoding/json */
    ASCII = 8,       /* JSON: \uXXXX for what is not ASCII; ANSI C: octal */
    DOTNET = 16,     /* JSON: System.Text.Json's default, which escapes " ' + ` < > & so */
    TWICE = 32       /* JSON: escaped once more */
};

struct encoding {
    const char *name;
    uint8_t kind;
    uint8_t lines;
    uint8_t options;
    uint8_t align;    /* base 64: bytes before the value in its group of three */
    uint16_t when;    /* classes of which one must be there; 0: always */
    const char *set;  /* percent: bytes left alone beside letters and digits; quoted: the set;
                         ANSI C: the quotes, NULL: those of a shell */
    const char *with; /* quoted: put before the byte; XML: '"' and '\'' and line end */
    bool instead;     /* quoted: `with` replaces the byte */
};

#define ANY UINT16_MAX
#define MARKS                                                                                   \
    (HAS_BLANK | HAS_QUOTE | HAS_APOSTROPHE | HAS_BACKSLASH | HAS_ANGLE | HAS_AMPERSAND |       \
     HAS_BACKTICK | HAS_DOLLAR | HAS_DELIMITER | HAS_OTHER)
#define JSON_PLAIN (HAS_NEWLINE | HAS_CONTROL | HAS_QUOTE | HAS_BACKSLASH)
#define JSON_HTML (HAS_ANGLE | HAS_AMPERSAND | HAS_CONTROL)
#define JSON_DOTNET                                                                             \
    (HAS_APOSTROPHE | HAS_PLUS | HAS_BACKTICK | HAS_ANGLE | HAS_AMPERSAND | HAS_QUOTE | HAS_HIGH)

#define PERCENT(name, options, when, set)                                                       \
    {"percent-" name, KIND_PERCENT, LINES_SHOW, options, 0, when, set, NULL, false},            \
    {                                                                                           \
        "percent-" name "-upper", KIND_PERCENT, LINES_SHOW, (options) | UPPER, 0, when, set,    \
            NULL, false                                                                         \
    }
#define JSON(name, options, when)                                                               \
    {"json" name, KIND_JSON, LINES_SHOW, options, 0, when, NULL, NULL, false},                  \
    {                                                                                           \
        "json-twice" name, KIND_JSON, LINES_SHOW, (options) | TWICE, 0, when, NULL, NULL, false \
    }
#define QUOTED(name, when, set, with, instead)                                                  \
    {                                                                                           \
        name, KIND_QUOTED, LINES_JOIN, 0, 0, when, set, with, instead                           \
    }
#define XML(name, lines, when, quote)                                                           \
    {                                                                                           \
        name, KIND_XML, lines, 0, 0, when, NULL, quote, false                                   \
    }
#define BASE64(name, options, align)                                                            \
    {                                                                                           \
        name, KIND_BASE64, LINES_SHOW, options, align, 0, NULL, NULL, false                     \
    }

static const struct encoding encodings[] = {
    {"plain", KIND_PLAIN, LINES_JOIN, 0, 0, 0, NULL, NULL, false},
    {"lines-blank", KIND_PLAIN, LINES_BLANK, 0, 0, HAS_NEWLINE, NULL, NULL, false},
    {"lines-word", KIND_PLAIN, LINES_WORD, 0, 0, HAS_NEWLINE, NULL, NULL, false},
    BASE64("base64-0", 0, 0), /* each followed by its variant: form_is_variant */
    BASE64("base64url-0", URL, 0),
    BASE64("base64-1", 0, 1),
    BASE64("base64url-1", URL, 1),
    BASE64("base64-2", 0, 2),
    BASE64("base64url-2", URL, 2),
    BASE64("base64-wrapped-64", WRAP_64, 0),
    BASE64("base64-wrapped-76", WRAP_76, 0),
    {"hex", KIND_HEX, LINES_SHOW, 0, 0, 0, NULL, NULL, false},
    {"hex-upper", KIND_HEX, LINES_SHOW, UPPER, 0, 0, NULL, NULL, false},
    /* Everything but RFC 3986's unreserved: curl, JavaScript's strict helpers, Go, Java. */
    PERCENT("strict", 0, ANY & ~HAS_TILDE, "-._~"),
    PERCENT("path", 0, HAS_SLASH, "-._~/"),                           /* Python's quote */
    PERCENT("component", 0, HAS_APOSTROPHE | HAS_DELIMITER, "-._~!*'()"), /* JavaScript */
    PERCENT("uri", 0, ANY & ~HAS_TILDE, "-._~;,/?:@&=+$!*'()#"),      /* its encodeURI */
    PERCENT("pchar", 0, HAS_AMPERSAND | HAS_PLUS | HAS_DOLLAR | HAS_DELIMITER, "-._~$&+=:@"),
    PERCENT("user", 0, HAS_AMPERSAND | HAS_PLUS | HAS_DOLLAR | HAS_DELIMITER, "-._~$&+,;="),
    PERCENT("form", PLUS_BLANK, HAS_BLANK, "-._~"),
    PERCENT("form-web", PLUS_BLANK, HAS_BLANK | HAS_TILDE | HAS_DELIMITER, "-._*"), /* WHATWG */
    JSON("", 0, JSON_PLAIN),
    JSON("-slash", SLASH, HAS_SLASH),
    JSON("-html", HTML, JSON_HTML),
    JSON("-ascii", ASCII, HAS_HIGH),              /* Python's default */
    JSON("-ascii-upper", ASCII | UPPER, HAS_HIGH), /* Jackson */
    JSON("-ascii-slash", ASCII | SLASH, HAS_HIGH), /* PHP's default */
    JSON("-dotnet", DOTNET | ASCII | HTML | UPPER, JSON_DOTNET),
    JSON("-control-upper", UPPER, HAS_CONTROL),
    QUOTED("shell-single", HAS_APOSTROPHE, "'", "'\\''", true),
    QUOTED("shell-single-double", HAS_APOSTROPHE, "'", "'\"'\"'", true), /* shlex.quote */
    QUOTED("shell-double", HAS_QUOTE | HAS_BACKSLASH | HAS_BACKTICK | HAS_DOLLAR, "\"\\`$", "\\",
           false),
    /* bash's printf %q (sh_backslash_quote) and ksh's, which leaves ',' and '^'. */
    QUOTED("shell-backslash", MARKS, " \t!\"$&'()*,;<>?[\\]^`{|}", "\\", false),
    QUOTED("shell-backslash-few", MARKS, " \t!\"$&'()*;<>?[\\]`{|}", "\\", false),
    QUOTED("shell-backslash-zsh", MARKS, " \"#$&'()*;<>?[\\]^`{|}", "\\", false), /* ${(q)X} */
    {"ansi-c", KIND_ANSI_C, LINES_SHOW, 0, 0,
     HAS_NEWLINE | HAS_CONTROL | HAS_APOSTROPHE | HAS_BACKSLASH, NULL, NULL, false},
    {"ansi-c-octal", KIND_ANSI_C, LINES_SHOW, ASCII, 0, HAS_HIGH | HAS_CONTROL, NULL, NULL, false},
    /* C and git: as above, with the double quote escaped. */
    {"c-octal", KIND_ANSI_C, LINES_SHOW, ASCII, 0, HAS_HIGH | HAS_CONTROL, "\"", NULL, false},
    /* Python's bytes, and what else shows them so. */
    {"c-hex", KIND_ANSI_C, LINES_SHOW, ASCII | HEX, 0, HAS_HIGH | HAS_CONTROL, "", NULL, false},
    XML("xml", LINES_JOIN, HAS_ANGLE | HAS_AMPERSAND, NULL),
    XML("xml-quote", LINES_JOIN, HAS_QUOTE, "&quot;\0'\0\n"),
    XML("xml-apos", LINES_JOIN, HAS_APOSTROPHE, "&quot;\0&apos;\0\n"),
    XML("xml-39", LINES_JOIN, HAS_APOSTROPHE, "&quot;\0&#39;\0\n"),
    XML("xml-x27", LINES_JOIN, HAS_APOSTROPHE, "&quot;\0&#x27;\0\n"), /* Python's html.escape */
    XML("xml-039", LINES_JOIN, HAS_APOSTROPHE, "&quot;\0&#039;\0\n"), /* PHP */
    XML("xml-34", LINES_JOIN, HAS_QUOTE | HAS_APOSTROPHE, "&#34;\0&#39;\0\n"), /* Go */
    XML("xml-attribute", LINES_SHOW, HAS_NEWLINE, "&quot;\0&apos;\0&#10;"),
    XML("xml-attribute-hex", LINES_SHOW, HAS_NEWLINE, "&#34;\0&#39;\0&#xA;"),
};

enum { N_ENCODINGS = sizeof(encodings) / sizeof(encodings[0]) };

_Static_assert(N_ENCODINGS <= UINT8_MAX, "an encoding is kept in a byte");

static const uint16_t byte_classes[256] = {
    [0 ... '\t'] = HAS_CONTROL,
    ['\n'] = HAS_NEWLINE,
    ['\v' ... '\f'] = HAS_CONTROL,
    ['\r'] = HAS_NEWLINE,
    [0x0e ... 0x1f] = HAS_CONTROL,
    [' '] = HAS_BLANK,
    ['!'] = HAS_DELIMITER,
    ['"'] = HAS_QUOTE,
    ['#'] = HAS_DELIMITER,
    ['$'] = HAS_DOLLAR,
    ['%'] = HAS_DELIMITER,
    ['&'] = HAS_AMPERSAND,
    ['\''] = HAS_APOSTROPHE,
    ['(' ... '*'] = HAS_DELIMITER,
    ['+'] = HAS_PLUS,
    [','] = HAS_DELIMITER,
    ['/'] = HAS_SLASH,
    [':' ... ';'] = HAS_DELIMITER,
    ['<'] = HAS_ANGLE,
    ['='] = HAS_DELIMITER,
    ['>'] = HAS_ANGLE,
    ['?' ... '@'] = HAS_DELIMITER,
    ['['] = HAS_DELIMITER,
    ['\\'] = HAS_BACKSLASH,
    [']'] = HAS_DELIMITER,
    ['^'] = HAS_OTHER,
    ['`'] = HAS_BACKTICK,
    ['{' ... '}'] = HAS_OTHER,
    ['~'] = HAS_TILDE,
    [0x7f] = HAS_CONTROL,
    [0x80 ... 0xff] = HAS_HIGH,
};

static const char hex_digits[2][17] = {"0123456789abcdef", "0123456789ABCDEF"};

uint16_t form_classes(const uint8_t *text, size_t len)
{
    uint16_t classes = 0;

    for (size_t i = 0; i < len; i++)
        classes |= byte_classes[text[i]];
    return classes;
}

size_t form_encoding_count(void)
{
    return N_ENCODINGS;
}

const char *form_encoding_name(size_t encoding)
{
    return encodings[encoding].name;
}

/* Characters to a line, 0: all in one. */
static uint32_t base64_wrap(const struct encoding *e)
{
    return (e->options & WRAP_64) != 0 ? 64 : (e->options & WRAP_76) != 0 ? 76 : 0;
}

bool form_applies(size_t encoding, uint16_t classes, size_t len)
{
    const struct encoding *e = &encodings[encoding];

    if (e->kind == KIND_BASE64)
        return len * 8 / 6 > base64_wrap(e);
    return e->when == 0 || (e->when & classes) != 0;
}

bool form_shows_lines(size_t encoding)
{
    return encodings[encoding].lines == LINES_SHOW;
}

bool form_is_variant(size_t encoding)
{
    return encodings[encoding].kind == KIND_BASE64 && (encodings[encoding].options & URL) != 0;
}

bool form_is_legible(size_t encoding)
{
    return encodings[encoding].kind != KIND_BASE64 && encodings[encoding].kind != KIND_HEX;
}

/* ---- line ends --------------------------------------------------------------------- */

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

/* Passes over line ends and what indents the next line, as the scanner does in the stream. */
static void skip_lines(struct form_iter *it)
{
    uint32_t indent = 0;
    bool skipped = false;

    for (; it->at < it->len; it->at++) {
        uint8_t byte = it->text[it->at];

        if (is_line_end(byte)) {
            skipped = true;
            indent = 0;
        } else if (!skipped || !is_blank(byte) || indent++ >= KNOWN_INDENT_MAX) {
            break;
        }
    }
}

/* True if unit was filled with what stands for a line end. */
static bool take_lines(struct form_iter *it, enum lines lines)
{
    if (lines == LINES_SHOW || !is_line_end(it->text[it->at]))
        return false;
    if (lines == LINES_BLANK)
        it->at++;
    else
        skip_lines(it);
    if (lines == LINES_JOIN) {
        it->joined = true;
        return false;
    }
    it->unit[0] = ' ';
    it->n = 1;
    return true;
}

/* ---- encodings: the next unit ------------------------------------------------------ */

static void put(struct form_iter *it, const char *text, size_t n)
{
    memcpy(it->unit + it->n, text, n);
    it->n = (uint8_t)(it->n + n);
}

static void put_byte(struct form_iter *it, uint8_t byte)
{
    it->unit[it->n++] = byte;
}

/* Letters, digits and "-._" are the same in every legible encoding. */
static bool inert_unit(struct form_iter *it)
{
    while (it->at < it->len && it->n < FORM_UNIT_MAX && byte_classes[it->text[it->at]] == 0)
        put_byte(it, it->text[it->at++]);
    return it->n > 0;
}

static void plain_unit(struct form_iter *it)
{
    while (it->at < it->len && it->n < FORM_UNIT_MAX && !is_line_end(it->text[it->at]))
        put_byte(it, it->text[it->at++]);
}

static void hex_unit(struct form_iter *it, const struct encoding *e)
{
    const char *digits = hex_digits[(e->options & UPPER) != 0];

    while (it->at < it->len && it->n + 2 <= FORM_UNIT_MAX) {
        uint8_t byte = it->text[it->at++];

        put_byte(it, (uint8_t)digits[byte >> 4]);
        put_byte(it, (uint8_t)digits[byte & 15]);
    }
}

/* Bits of the value before the first sextet that is its alone. */
static uint32_t base64_offset(const struct encoding *e)
{
    static const uint8_t bits[3] = {0, 4, 2};

    return bits[e->align];
}

static uint64_t base64_count(const struct form_iter *it, const struct encoding *e)
{
    return (8 * (uint64_t)it->len - base64_offset(e)) / 6;
}

#define BASE64_COMMON "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* RFC 4648 sections 4 and 5. */
static const char base64_digits[2][65] = {BASE64_COMMON "+/", BASE64_COMMON "-_"};

enum { BASE64_COMMON_MAX = 61 }; /* sextets above differ between the two */

/* Bits 8 * at + skip to 8 * at + skip + 24 of the text, as far as there are some. */
static uint32_t base64_bits(const struct form_iter *it, size_t at, unsigned skip)
{
    uint32_t v = 0;

    if (it->len - at >= sizeof(v)) {
        memcpy(&v, it->text + at, sizeof(v));
        return be32toh(v) << skip >> 8;
    }
    for (size_t i = 0; i < sizeof(v); i++)
        v = v << 8 | (at + i < it->len ? it->text[at + i] : 0U);
    return v << skip >> 8;
}

static void base64_unit(struct form_iter *it, const struct encoding *e)
{
    enum { GROUP = 4 }; /* characters of three bytes; a line has a multiple of them */
    const char *digits = base64_digits[(e->options & URL) != 0];
    uint64_t count = base64_count(it, e);
    uint32_t wrap = base64_wrap(e);

    if (wrap > 0 && it->at > 0 && it->at % wrap == 0 && it->at < count)
        put(it, "\\n", 2);
    /* at is a multiple of GROUP here. */
    while (it->at < count && it->n + GROUP <= FORM_UNIT_MAX) {
        uint32_t bits = base64_bits(it, (size_t)it->at / GROUP * 3, base64_offset(e));

        for (int shift = 18; shift >= 0 && it->at < count; shift -= 6, it->at++) {
            uint32_t sextet = bits >> shift & 63;

            it->split |= sextet > BASE64_COMMON_MAX;
            it->unit[it->n++] = (uint8_t)digits[sextet];
        }
        if (wrap > 0 && it->at % wrap == 0)
            break;
    }
}

static bool in_set(const char *set, uint8_t byte)
{
    return byte != 0 && strchr(set, byte) != NULL;
}

static void percent_unit(struct form_iter *it, const struct encoding *e)
{
    const char *digits = hex_digits[(e->options & UPPER) != 0];
    uint8_t byte = it->text[it->at++];

    if (in_set(e->set, byte)) {
        put_byte(it, byte);
    } else if (byte == ' ' && (e->options & PLUS_BLANK) != 0) {
        put_byte(it, '+');
    } else {
        put_byte(it, '%');
        put_byte(it, (uint8_t)digits[byte >> 4]);
        put_byte(it, (uint8_t)digits[byte & 15]);
    }
}

static void put_u(struct form_iter *it, uint32_t unit, bool upper)
{
    const char *digits = hex_digits[upper];

    put(it, "\\u", 2);
    for (int shift = 12; shift >= 0; shift -= 4)
        put_byte(it, (uint8_t)digits[unit >> shift & 15]);
}

/* One character outside ASCII: \uXXXX, two of them above U+FFFF (RFC 8259 section 7). */
static void json_wide(struct form_iter *it, bool upper)
{
    const uint8_t *p = it->text + it->at;
    bool valid;
    size_t n = utf8_sequence((const char *)p, it->len - it->at, &valid);
    uint32_t point;

    if (!valid) { /* each encoder has its own way here; the byte is kept */
        put_byte(it, *p);
        it->at++;
        return;
    }
    point = *p & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++)
        point = point << 6 | (p[i] & 0x3fU);
    it->at += (uint32_t)n;
    if (point >= 0x10000) {
        put_u(it, 0xd800 + ((point - 0x10000) >> 10), upper);
        point = 0xdc00 + ((point - 0x10000) & 0x3ff);
    }
    put_u(it, point, upper);
}

/* The letter of a short escape, or 0. */
static char json_letter(uint8_t byte, unsigned options)
{
    static const char letters[][2] = {{'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\\', '\\'}};

    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (letters[i][0] == (char)byte)
            return letters[i][1];
    }
    if (byte == '"')
        return (options & DOTNET) != 0 ? 0 : '"';
    if (byte == '/')
        return (options & SLASH) != 0 ? '/' : 0;
    if ((options & HTML) != 0 && (options & DOTNET) == 0)
        return 0;
    return byte == '\b' ? 'b' : byte == '\f' ? 'f' : 0;
}

static bool json_spells(uint8_t byte, unsigned options)
{
    return byte < 0x20 || ((options & HTML) != 0 && in_set("<>&", byte)) ||
           ((options & DOTNET) != 0 && (in_set("\"'+`", byte) || byte == 0x7f));
}

static void json_once(struct form_iter *it, unsigned options)
{
    uint8_t byte = it->text[it->at];
    char letter = json_letter(byte, options);

    if (byte >= 0x80 && (options & ASCII) != 0) {
        json_wide(it, (options & UPPER) != 0);
        return;
    }
    it->at++;
    if (letter != 0) {
        put_byte(it, '\\');
        put_byte(it, (uint8_t)letter);
    } else if (json_spells(byte, options)) {
        put_u(it, byte, (options & UPPER) != 0);
    } else {
        put_byte(it, byte);
    }
}

/* What the second pass makes of the first one's bytes, which are no control bytes. */
static void json_again(struct form_iter *it, unsigned options)
{
    uint8_t once[FORM_UNIT_MAX];
    uint8_t n = it->n;

    memcpy(once, it->unit, n);
    it->n = 0;
    for (uint8_t i = 0; i < n; i++) {
        char letter = json_letter(once[i], options);

        if (letter != 0)
            put_byte(it, '\\');
        put_byte(it, letter != 0 ? (uint8_t)letter : once[i]);
    }
}

static void json_unit(struct form_iter *it, const struct encoding *e)
{
    json_once(it, e->options);
    if ((e->options & TWICE) != 0)
        json_again(it, e->options);
}

static void quoted_unit(struct form_iter *it, const struct encoding *e)
{
    uint8_t byte = it->text[it->at++];
    bool special = in_set(e->set, byte);

    if (special)
        put(it, e->with, strlen(e->with));
    if (!special || !e->instead)
        put_byte(it, byte);
}

static char ansi_letter(uint8_t byte, const struct encoding *e)
{
    static const char letters[] = "abtnvfr"; /* 7 to 13 */

    if ((e->options & HEX) != 0 && byte != '\t' && byte != '\n' && byte != '\r' && byte != '\\')
        return 0;
    if (byte >= 7 && byte <= 13)
        return letters[byte - 7];
    if (byte == 0x1b && e->set == NULL) /* not in C */
        return 'E';
    return byte == '\\' ? '\\' : 0;
}

static void ansi_number(struct form_iter *it, uint8_t byte, bool hex)
{
    put_byte(it, '\\');
    if (hex) {
        put_byte(it, 'x');
        put_byte(it, (uint8_t)hex_digits[0][byte >> 4]);
        put_byte(it, (uint8_t)hex_digits[0][byte & 15]);
        return;
    }
    for (int shift = 6; shift >= 0; shift -= 3)
        put_byte(it, (uint8_t)('0' + (byte >> shift & 7)));
}

/* $'…' of bash and ksh. */
static void ansi_unit(struct form_iter *it, const struct encoding *e)
{
    uint8_t byte = it->text[it->at++];
    char letter = ansi_letter(byte, e);

    if (letter != 0 || in_set(e->set != NULL ? e->set : "'", byte)) {
        put_byte(it, '\\');
        put_byte(it, letter != 0 ? (uint8_t)letter : byte);
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && (e->options & ASCII) != 0)) {
        ansi_number(it, byte, (e->options & HEX) != 0);
    } else {
        put_byte(it, byte);
    }
}

/* The n-th of the texts in `with`. */
static const char *nth(const char *texts, int n)
{
    while (n-- > 0)
        texts += strlen(texts) + 1;
    return texts;
}

static void xml_unit(struct form_iter *it, const struct encoding *e)
{
    uint8_t byte = it->text[it->at++];
    const char *text = NULL;

    if (byte == '&')
        text = "&amp;";
    else if (byte == '<')
        text = "&lt;";
    else if (byte == '>')
        text = "&gt;";
    else if (e->with != NULL && in_set("\"'\n", byte))
        text = nth(e->with, byte == '"' ? 0 : byte == '\'' ? 1 : 2);
    if (text != NULL)
        put(it, text, strlen(text));
    else
        put_byte(it, byte);
}

/* ---- iterator ---------------------------------------------------------------------- */

void form_iter_init(struct form_iter *it, size_t encoding, const uint8_t *text, uint32_t len)
{
    *it = (struct form_iter){.text = text, .len = len, .encoding = (uint8_t)encoding};
}

bool form_iter_refill(struct form_iter *it)
{
    const struct encoding *e = &encodings[it->encoding];

    it->n = it->i = 0;
    it->joined = false;
    if (e->kind == KIND_BASE64) {
        base64_unit(it, e);
        return it->n > 0;
    }
    if (it->at >= it->len)
        return false;
    if (take_lines(it, (enum lines)e->lines))
        return true;
    if (it->at >= it->len)
        return false;
    if (e->kind != KIND_HEX && inert_unit(it))
        return true;
    switch ((enum kind)e->kind) {
    case KIND_PLAIN:
        plain_unit(it);
        break;
    case KIND_HEX:
        hex_unit(it, e);
        break;
    case KIND_PERCENT:
        percent_unit(it, e);
        break;
    case KIND_JSON:
        json_unit(it, e);
        break;
    case KIND_QUOTED:
        quoted_unit(it, e);
        break;
    case KIND_ANSI_C:
        ansi_unit(it, e);
        break;
    case KIND_XML:
        xml_unit(it, e);
        break;
    case KIND_BASE64:
        break;
    }
    return true;
}
