// SPDX-License-Identifier: MIT
#include "redact/early.h"

#include <string.h>

#include "redact/rules.h"
#include "redact/stream.h"

enum early_state {
    OFF = EARLY_OFF,
    YAML_REST,   /* of the line that begins it, */
    YAML_FIRST,  /* the one behind it, */
    YAML_PREFIX, /* what stands before the blanks of each other, */
    YAML_KEY,    /* these and the key, */
    YAML_OPEN,   /* the end of data:'s line, */
    YAML_GAP,    /* what stands before a value, */
    YAML_VALUE,
    YAML_END,    /* and behind it */
    YAML_SKIP,   /* a line of no interest */
    YAML_KIND,   /* the kind's line */
    JSON_COMMA,
    JSON_NAME,
    JSON_IN_NAME,
    JSON_COLON,
    JSON_OPEN,   /* the bracket behind data: */
    JSON_KEY,
    JSON_IN_KEY,
    JSON_KEY_COLON,
    JSON_GAP,
    JSON_VALUE,
    JSON_CLOSE, /* its quote */
    JSON_NEXT,
    JSON_WORD,   /* behind immutable: */
    JSON_KIND,
    JSON_IN_KIND,
    FIELDS,      /* of a Secret in JSON */
    FIELDS_STRING,
    FIELDS_COLON, /* behind a string that names the values */
    FIELDS_OPEN,
    STRINGS,      /* in the object of its values */
    STRINGS_KEY,
    STRINGS_COLON,
    STRINGS_GAP,
    STRINGS_FIRST, /* the first byte of a value */
    STRINGS_VALUE,
    STRINGS_PASS   /* a reference or a placeholder */
};

enum {
    VALUE_MIN = 4,    /* characters that are hidden */
    GROUP = 4,        /* characters of a group of base64 */
    ENOUGH = 16,      /* characters that are a secret if nothing follows */
    INDENT_MAX = 200, /* blanks that count */
    WIDTH_MAX = 128,  /* bytes of a prefix */
    FIRST_MAX = WIDTH_MAX + INDENT_MAX + 32,
    BARE_MAX = 32,    /* bytes of JSON that are neither marks nor in quotes, between two marks */
    LINES_MAX = 1000, /* of one Secret, */
    BYTES_MAX = 65536 /* bytes of one in JSON */
};

/* ---- values ---------------------------------------------------------------------------- */

static void hide(struct redactor *r, uint64_t from, uint64_t to)
{
    cover_add(r, from, to, MARK_TOKEN, RULE_NAME_KUBERNETES, 1);
}

/* What is held was a Secret's, and so is what follows. */
static void arm(struct redactor *r, struct early *e, bool in_value)
{
    for (size_t i = 0; i < e->n; i++) {
        uint64_t from = e->first + e->values[i].from;

        hide(r, from, from + e->values[i].len);
    }
    if (in_value)
        e->match = cover_add(r, e->start, NO_POS, MARK_TOKEN, RULE_NAME_KUBERNETES, 1);
    e->armed = true;
    e->first = NO_POS;
    e->n = 0;
}

static void value_begin(struct redactor *r, struct early *e)
{
    e->start = r->s.pos;
    e->len = 0;
    e->pads = 0;
    e->match = 0;
    if (e->armed)
        e->match = cover_add(r, e->start, NO_POS, MARK_TOKEN, RULE_NAME_KUBERNETES, 1);
    else if (e->first == NO_POS)
        e->first = e->start;
}

/* False if it is no value of a Secret. */
static bool value_end(struct redactor *r, struct early *e)
{
    if (e->match != 0)
        cover_close(r, e->match, r->s.pos);
    e->match = 0;
    if (e->len % GROUP != 0)
        return false;
    e->sum += e->len;
    if (e->armed || e->len < VALUE_MIN)
        return true;
    e->values[e->n++] =
        (struct early_value){(uint16_t)(e->start - e->first), (uint16_t)e->len};
    if (e->n == EARLY_VALUES)
        arm(r, e, false);
    return true;
}

/* One more of base64. */
static bool value_takes(struct early *e, uint8_t c)
{
    bool digit = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                 c == '+' || c == '/';

    if (c == '=')
        e->pads++;
    e->len++;
    return (c == '=' && e->pads <= 2) || (digit && e->pads == 0);
}

/* ---- YAML ------------------------------------------------------------------------------ */

static bool key_is(const struct early *e, const char *name)
{
    return e->key_len == strlen(name) && memcmp(e->key, name, e->key_len) == 0;
}

static void key_put(struct early *e, uint8_t c)
{
    if (e->key_len < sizeof(e->key))
        e->key[e->key_len++] = (char)c;
}

static bool is_key_byte(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' ||
           c == '_' || c == '-';
}

static uint8_t yaml_line(struct early *e)
{
    e->column = e->indent = 0;
    e->key_len = 0;
    return ++e->lines > LINES_MAX ? OFF : e->width > 0 ? YAML_PREFIX : YAML_KEY;
}

/* Only what ends the line. */
static uint8_t yaml_ends(struct early *e, uint8_t c)
{
    return c == '\n' ? yaml_line(e) : c == '\r' ? e->state : OFF;
}

static bool is_data(const uint8_t *text, size_t n)
{
    return n == 5 && memcmp(text, "data:", 5) == 0;
}

/* The line behind "apiVersion: v1" ends at s.pos. What stands before that may stand before this,
   too, or not. */
static uint8_t yaml_first_ends(const struct redactor *r, struct early *e)
{
    uint8_t line[FIRST_MAX];
    size_t n = look_line(r, line, sizeof(line));
    size_t skip = (size_t)e->width + e->base;

    while (n > 0 && line[n - 1] == '\r')
        n--;
    if (is_data(line, n))
        e->width = e->base = 0;
    else if (n < skip || !is_data(line + skip, n - skip) ||
             (e->base > 0 && line[e->width] != ' '))
        return OFF;
    return yaml_line(e);
}

/* The key is read up to its colon. */
static uint8_t yaml_key_ends(const struct early *e)
{
    if (e->indent != e->base)
        return e->indent > e->base ? YAML_GAP : OFF;
    return key_is(e, "kind") ? YAML_KIND : key_is(e, "immutable") ? YAML_SKIP : OFF;
}

static uint8_t yaml_key(struct early *e, uint8_t c)
{
    if (c == ' ' && e->key_len == 0) {
        e->indent = (uint16_t)(e->indent + (e->indent < INDENT_MAX));
        return YAML_KEY;
    }
    if (c == ':' && e->key_len > 0)
        return yaml_key_ends(e);
    key_put(e, c);
    return is_key_byte(c) ? YAML_KEY : OFF;
}

/* Blanks and a quote before a value. */
static uint8_t yaml_gap(struct redactor *r, struct early *e, uint8_t c)
{
    if (c == ' ' && !e->quoted)
        return YAML_GAP;
    if (c == '"') {
        e->quoted = !e->quoted;
        return e->quoted ? YAML_GAP : YAML_END; /* an empty one */
    }
    value_begin(r, e);
    return value_takes(e, c) ? YAML_VALUE : OFF;
}

static uint8_t yaml_value(struct redactor *r, struct early *e, uint8_t c)
{
    bool ends = e->quoted ? c == '"' : c == '\n' || c == '\r' || c == ESC;

    if (!ends)
        return value_takes(e, c) ? YAML_VALUE : OFF;
    e->quoted = false;
    if (!value_end(r, e))
        return OFF;
    return c == '\n' ? yaml_line(e) : YAML_END;
}

static uint8_t yaml_next(struct redactor *r, struct early *e, uint8_t c)
{
    switch (e->state) {
    case YAML_REST:
        return c == '\n' ? YAML_FIRST : c == '\r' ? YAML_REST : OFF;
    case YAML_FIRST:
        return c == '\n' ? yaml_first_ends(r, e) : ++e->column < FIRST_MAX ? YAML_FIRST : OFF;
    case YAML_PREFIX:
        return c == '\n' ? OFF : ++e->column < e->width ? YAML_PREFIX : YAML_KEY;
    case YAML_KEY:
        return yaml_key(e, c);
    case YAML_GAP:
        return yaml_gap(r, e, c);
    case YAML_VALUE:
        return yaml_value(r, e, c);
    case YAML_SKIP:
        return c == '\n' ? yaml_line(e) : YAML_SKIP;
    case YAML_KIND:
        return c == '\n' ? OFF : YAML_KIND;
    default:
        return yaml_ends(e, c);
    }
}

/* ---- JSON: before the kind ------------------------------------------------------------- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What stands between the strings of JSON: space, also written out, and the backslashes of
   quotes; a prefix. */
static bool json_between(struct early *e, uint8_t c)
{
    bool written = e->run > 0 && (c == 'n' || c == 't' || c == 'r');

    e->run = c == '\\';
    if (c == '\n')
        e->column = 0;
    else if (e->column < e->width)
        e->column++;
    else
        return is_space(c) || (e->level > 0 && (written || c == '\\'));
    return true;
}

/* A key of the object is read. */
static uint8_t json_name_ends(const struct early *e)
{
    return key_is(e, "data")        ? JSON_OPEN
           : key_is(e, "kind")      ? JSON_KIND
           : key_is(e, "immutable") ? JSON_WORD
                                    : OFF;
}

/* In a key, or in the kind. */
static uint8_t json_in_key(struct redactor *r, struct early *e, uint8_t c)
{
    if (c != '"') {
        if (c != '\\')
            key_put(e, c);
        return is_key_byte(c) || (c == '\\' && e->level > 0) ? e->state : OFF;
    }
    if (e->state != JSON_IN_KIND)
        return e->state == JSON_IN_NAME ? JSON_COLON : JSON_KEY_COLON;
    if (key_is(e, "Secret"))
        arm(r, e, false);
    return OFF;
}

/* Before the first byte of a value, or behind its last. */
static uint8_t json_gap(struct redactor *r, struct early *e, uint8_t c)
{
    if (!e->quoted) {
        e->quoted = c == '"';
        return json_between(e, c) || c == '"' ? JSON_GAP : OFF;
    }
    if (c == '"') {
        e->quoted = false;
        return JSON_NEXT;
    }
    if (c == '\\' && e->level > 0)
        return JSON_GAP;
    value_begin(r, e);
    return value_takes(e, c) ? JSON_VALUE : OFF;
}

static uint8_t json_value(struct redactor *r, struct early *e, uint8_t c)
{
    if (c != '"' && (c != '\\' || e->level == 0))
        return value_takes(e, c) ? JSON_VALUE : OFF;
    e->quoted = false;
    if (!value_end(r, e))
        return OFF;
    return c == '"' ? JSON_NEXT : JSON_CLOSE;
}

/* A byte of JSON that must be the one that the state waits for. */
static uint8_t json_wanted(struct early *e, uint8_t c)
{
    e->key_len = 0;
    switch (e->state) {
    case JSON_COMMA:
        return c == ',' ? JSON_NAME : OFF;
    case JSON_NAME:
        return c == '"' ? JSON_IN_NAME : OFF;
    case JSON_OPEN:
        return c == '{' ? JSON_KEY : OFF;
    case JSON_KEY:
        return c == '"' ? JSON_IN_KEY : OFF;
    case JSON_KEY_COLON:
        return c == ':' ? JSON_GAP : OFF;
    case JSON_CLOSE:
        return c == '"' ? JSON_NEXT : OFF;
    case JSON_NEXT:
        return c == ',' ? JSON_KEY : c == '}' ? JSON_COMMA : OFF;
    case JSON_KIND:
        return c == '"' ? JSON_IN_KIND : OFF;
    default:
        return OFF;
    }
}

static uint8_t json_next(struct redactor *r, struct early *e, uint8_t c)
{
    switch (e->state) {
    case JSON_IN_NAME:
    case JSON_IN_KEY:
    case JSON_IN_KIND:
        return json_in_key(r, e, c);
    case JSON_GAP:
        return json_gap(r, e, c);
    case JSON_VALUE:
        return json_value(r, e, c);
    case JSON_COLON:
        return c == ':' ? json_name_ends(e) : json_between(e, c) ? JSON_COLON : OFF;
    case JSON_WORD:
        return c == ',' ? JSON_NAME : is_key_byte(c) || json_between(e, c) ? JSON_WORD : OFF;
    default:
        return json_between(e, c) ? e->state : json_wanted(e, c);
    }
}

/* ---- JSON: behind the kind ------------------------------------------------------------- */

/* The quote behind so many backslashes ends a string: each level of JSON doubles them. */
static bool quote_closes(const struct early *e)
{
    unsigned step = 2U * (e->level + 1U);

    return e->run >= e->level && (e->run - e->level) % step == 0;
}

static void count_slashes(struct early *e, uint8_t c)
{
    e->run = c == '\\' ? (uint8_t)(e->run + (e->run < UINT8_MAX - 1)) : 0;
}

/* In a string. True if c is the quote that ends it. */
static bool string_ends(struct early *e, uint8_t c)
{
    bool ends = c == '"' && quote_closes(e);

    if ((c == '"' && e->run < e->level) || c == '\n')
        e->state = OFF; /* of the string that all of this stands in; no string */
    if (!ends && c != '\\')
        key_put(e, c);
    count_slashes(e, c);
    return ends;
}

/* Where the line may have something else in front of the JSON. */
static bool in_prefix(struct early *e, uint8_t c)
{
    bool inside = e->column < e->width;

    if (c == '\n')
        e->column = 0;
    else if (inside)
        e->column++;
    return inside;
}

/* Between strings: true, false, null and numbers, none of them long, and what is written out for
   the end of a line. What else stands there is no JSON, and not read on to no end. */
static bool is_bare(struct early *e, uint8_t c)
{
    bool between = is_space(c) || c == '\\' || c == '"';
    bool mark = c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']';

    e->len = mark || c == '"' ? 0 : e->len + !between;
    return between || mark || ((is_key_byte(c) || c == '+') && e->len <= BARE_MAX);
}

/* Of the object itself, and of those in it, which do not matter. */
static uint8_t fields_next(struct early *e, uint8_t c)
{
    bool outer = c == '"' && e->run < e->level; /* of the string that all of this stands in */

    count_slashes(e, c);
    e->key_len = 0;
    if (!in_prefix(e, c) && !is_bare(e, c))
        return OFF;
    if (c == '"')
        return outer ? OFF : FIELDS_STRING;
    if ((c == '}' || c == ']') && e->depth-- == 0)
        return OFF;
    if (c == '{' || c == '[')
        e->depth = (uint16_t)(e->depth + (e->depth < UINT16_MAX));
    return FIELDS;
}

/* A string of it ends. */
static uint8_t field_ends(const struct early *e)
{
    bool named = key_is(e, "data") || key_is(e, "stringData");

    return e->depth == 0 && named ? FIELDS_COLON : FIELDS;
}

/* Behind a string that names the values. */
static uint8_t field_opens(struct early *e, uint8_t c)
{
    if (c == ':' && e->state == FIELDS_COLON)
        return FIELDS_OPEN;
    if (c == '{' && e->state == FIELDS_OPEN)
        return STRINGS;
    return json_between(e, c) ? e->state : fields_next(e, c);
}

/* Between the strings of its values. */
static uint8_t strings_next(struct early *e, uint8_t c)
{
    if (json_between(e, c))
        return e->state;
    e->run = 0;
    if (c == '"' && e->state != STRINGS_COLON)
        return e->state == STRINGS_GAP ? STRINGS_FIRST : STRINGS_KEY;
    if (e->state == STRINGS_COLON)
        return c == ':' ? STRINGS_GAP : OFF;
    if (c == '}')
        return FIELDS;
    if (c == ',')
        return STRINGS;
    return e->state == STRINGS_GAP && is_key_byte(c) ? STRINGS_GAP : OFF; /* null */
}

/* So many of the backslashes read last may be of the quote that ends the value. */
static uint64_t closing(const struct early *e)
{
    return e->run < e->level ? e->run : e->level;
}

static uint8_t string_value(struct redactor *r, struct early *e, uint8_t c)
{
    uint64_t slashes = closing(e);
    bool ends = string_ends(e, c);

    e->first = NO_POS;
    if (!ends && c != '\n' && e->state != OFF) {
        if (closing(e) > 0)
            e->first = r->s.pos + 1 - closing(e);
        return STRINGS_VALUE;
    }
    cover_close(r, e->match, c == '"' ? r->s.pos - slashes : r->s.pos);
    e->match = 0;
    return ends ? STRINGS : OFF;
}

/* Behind the first quote of a value, or backslashes that may be of the second one. */
static uint8_t string_begins(struct redactor *r, struct early *e, uint8_t c)
{
    if (c == '"' && quote_closes(e))
        return STRINGS; /* an empty one */
    if (c == '\\' && e->run < e->level) {
        e->run++;
        return STRINGS_FIRST;
    }
    if (c == '$' || c == '<' || c == '{' || c == '*' || c == '[')
        return STRINGS_PASS;
    value_begin(r, e);
    return string_value(r, e, c);
}

static uint8_t fields_step(struct redactor *r, struct early *e, uint8_t c)
{
    if (e->match == 0 && ++e->sum > BYTES_MAX)
        return OFF;
    switch (e->state) {
    case FIELDS:
        return fields_next(e, c);
    case FIELDS_STRING:
        return string_ends(e, c) ? field_ends(e) : e->state;
    case FIELDS_COLON:
    case FIELDS_OPEN:
        return field_opens(e, c);
    case STRINGS_KEY:
        return string_ends(e, c) ? STRINGS_COLON : e->state;
    case STRINGS_PASS:
        return string_ends(e, c) ? STRINGS : e->state;
    case STRINGS_FIRST:
        return string_begins(r, e, c);
    case STRINGS_VALUE:
        return string_value(r, e, c);
    default:
        return strings_next(e, c);
    }
}

/* ---- outside --------------------------------------------------------------------------- */

static bool in_value(const struct early *e)
{
    return e->state == YAML_VALUE || e->state == JSON_VALUE;
}

/* What stands on its line before the anchor, of so many bytes, that ends at s.pos. In JSON that
   begins with a bracket all of it may stand on one line. */
static void measure(const struct redactor *r, struct early *e, size_t len)
{
    uint8_t line[FIRST_MAX];
    size_t n = look_line(r, line, sizeof(line));

    n = n > len ? n - len : 0;
    while (n > 0 && (line[n - 1] == '\\' || line[n - 1] == '"'))
        n--;
    for (; n > 0 && line[n - 1] == ' '; n--)
        e->base++;
    if (n > 0 && n <= WIDTH_MAX && line[n - 1] != '{' && line[n - 1] != ',')
        e->width = (uint16_t)n;
    e->column = e->width;
}

static void json_level(const struct redactor *r, struct early *e)
{
    struct look l;

    look_from(&l, r, r->s.pos);
    (void)look_back(&l);
    while (look_back(&l) == '\\' && e->level < UINT8_MAX)
        e->level++;
}

void early_init(struct early *e)
{
    *e = (struct early){.first = NO_POS};
}

void early_begin(struct redactor *r, size_t len, bool json)
{
    struct early *e = &r->s.block.early;

    if (json && e->state >= FIELDS)
        return; /* one more key of it */
    early_drop(r);
    if (json)
        json_level(r, e);
    measure(r, e, len);
    e->state = json ? JSON_COMMA : YAML_REST;
    if (!json)
        e->column = 0;
}

void early_json_kind(struct redactor *r, size_t len)
{
    struct early *e = &r->s.block.early;

    early_drop(r);
    json_level(r, e);
    measure(r, e, len);
    e->armed = true;
    e->state = FIELDS;
}

void early_yaml_kind(struct redactor *r)
{
    struct early *e = &r->s.block.early;

    if (e->state == YAML_KIND)
        arm(r, e, false);
    early_drop(r);
}

bool early_step(struct redactor *r, uint8_t byte)
{
    struct early *e = &r->s.block.early;
    size_t matches = r->s.n_matches;
    bool escape = r->s.escape != ESCAPE_NONE || r->s.escape_end == r->s.pos + 1;

    if (escape && (byte != ESC || e->state != YAML_VALUE))
        return false; /* colours */
    if (e->state >= FIELDS)
        e->state = fields_step(r, e, byte);
    else
        e->state = e->state >= JSON_COMMA ? json_next(r, e, byte) : yaml_next(r, e, byte);
    if (e->state == OFF)
        early_drop(r);
    else if (e->first != NO_POS && r->s.pos - e->first >= EARLY_HOLD)
        arm(r, e, in_value(e));
    return matches != r->s.n_matches || byte == '\n';
}

void early_drop(struct redactor *r)
{
    struct early *e = &r->s.block.early;

    if (e->match != 0)
        cover_close(r, e->match, r->s.pos);
    early_init(e);
}

void early_finish(struct redactor *r)
{
    struct early *e = &r->s.block.early;
    uint32_t last = in_value(e) && e->match == 0 ? e->len : 0;

    if (e->first != NO_POS && e->sum + last >= ENOUGH) {
        arm(r, e, false);
        if (last >= VALUE_MIN)
            hide(r, e->start, r->s.pos);
    }
    early_drop(r);
}

uint64_t early_hold(const struct early *e)
{
    return e->first;
}
