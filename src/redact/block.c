// SPDX-License-Identifier: MIT
#include "redact/block.h"

#include <string.h>

#include "redact/rules.h"
#include "redact/stream.h"

enum {
    KEY_LINES_MAX = 1024, /* private lines of one key file */
    RUN_KEY = 16,         /* base64 characters that make a line of a key */
    RUN_TAIL = 4,         /* fewer, if the line ends behind them */
    RUN_GROUP = 4,        /* characters of a group of base64 */
    RUN_NOISE = 4,        /* so many between the lines of a flat key are none of it */
    KEY_LINE = 64,        /* base64 characters on each line but the last */
    ENTITY_MAX = 8,       /* bytes of one of XML behind its ampersand */
    SECRET_LINES_MAX = 1000, /* lines of one Secret */
    VALUE_MIN = 4,
    TRAIL_MAX = 64, /* bytes held that may or may not belong to a value */
    INDENT_MAX = 200,
    PREFIX_MAX = 128 /* bytes before a line of a Secret */
};

static void line_begin(struct block *b)
{
    b->start = NO_POS;
    b->trail = NO_POS;
    b->again = NO_POS;
    b->match = 0;
    b->len = 0;
    b->escape = 0;
    b->indent = 0;
    b->key_len = 0;
    b->last = '\n';
    b->in_key = true;
    b->skip = false;
    b->read = false;
    b->dash = false;
    b->column = 0;
}

void block_init(struct block *b)
{
    *b = (struct block){.kind = BLOCK_OFF};
    early_init(&b->early);
    line_begin(b);
}

/* All but what works beside it. */
static void block_off(struct block *b)
{
    struct early early = b->early;

    block_init(b);
    b->early = early;
}

/* What stands on its line before the "kind: Secret" that ends at s.pos. */
static void prefix_measure(const struct redactor *r, struct block *b)
{
    static const char kind[] = "kind: Secret";
    uint8_t before[PREFIX_MAX + INDENT_MAX + sizeof(kind)];
    size_t n = stream_before(r, r->s.pos, before, sizeof(before));
    size_t len = sizeof(kind) - 1;
    const uint8_t *lf = memrchr(before, '\n', n);
    size_t from = lf != NULL ? (size_t)(lf - before) + 1 : 0;

    if (n < from + len || memcmp(before + n - len, kind, len) != 0 ||
        (lf == NULL && n == sizeof(before)))
        return;
    for (n -= len; n > from && before[n - 1] == ' '; n--)
        b->base++;
    b->width = n - from <= PREFIX_MAX ? (uint16_t)(n - from) : 0;
}

/* The private lines of a key file follow, or the fields of a Secret. */
static void lines_follow(struct redactor *r, bool key_file)
{
    struct block *b = &r->s.block;

    if (b->match != 0)
        cover_close(r, b->match, r->s.pos);
    block_off(b);
    b->kind = key_file ? BLOCK_COUNT : BLOCK_FIELDS;
    b->skip = !key_file; /* what is left of its own line */
    b->written = BLOCK_UNKNOWN;
    if (!key_file)
        prefix_measure(r, b);
}

/* "apiVersion: v1" ends at s.pos: a key of the Secret that is being read, or something else
   begins. */
static void version_follows(struct redactor *r, const struct anchor *a)
{
    struct block *b = &r->s.block;
    bool within = b->kind == BLOCK_VALUES ? b->indent > b->owner
                                          : b->indent > b->base || b->lines <= 1;

    if (b->kind == BLOCK_FIELDS && !within)
        block_off(b);
    if ((b->kind != BLOCK_FIELDS && b->kind != BLOCK_VALUES) || !within)
        early_begin(r, a->len, false);
}

void block_begin(struct redactor *r, const struct anchor *a)
{
    bool json = a->text[a->len - 1] == '"';

    if (rules[a->first].name == RULE_NAME_PRIVATE_KEY) {
        lines_follow(r, true);
    } else if (a->text[0] != 'k') {
        if (json)
            early_begin(r, a->len, true);
        else
            version_follows(r, a);
    } else if (json) {
        early_json_kind(r, a->len);
    } else {
        early_yaml_kind(r);
        lines_follow(r, false);
    }
}

static bool is_base64(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '+' ||
           c == '/' || c == '=';
}

/* ---- key files ----------------------------------------------------------------------- */

/* The number was read: so many lines follow, or if flat, all of them on this one. */
static void lines_begin(struct block *b, bool flat)
{
    line_begin(b);
    b->kind = BLOCK_LINES;
    b->flat = flat;
    b->left = b->lines * KEY_LINE;
}

/* True if the byte belongs to an escape written out (what a backslash has behind it but a slash,
   as in JSON; ^M), of a URL or of XML: no bytes of a key. */
static bool in_written(struct block *b, uint8_t c)
{
    bool behind = (b->last == '\\' && c != '/' && c != '\\') || b->last == '^';

    if (b->escape > 0)
        b->escape = c == ';' ? 0 : (uint8_t)(b->escape - 1);
    else if (behind)
        b->escape = c == 'u' ? 4 : c == 'x' || c == '0' ? 2 : 0;
    else if (c == '&' || c == '%')
        b->escape = c == '&' ? ENTITY_MAX : 2;
    else
        return false;
    return true;
}

static void run_forget(struct block *b)
{
    b->start = NO_POS;
    b->trail = NO_POS;
    b->again = NO_POS;
    b->match = 0;
    b->len = 0;
}

/* The run ends here, or did before the trail. Short ones are of the key only where a line ends,
   or among others of the key: "\\/" is a slash in JSON. */
static void run_close(struct redactor *r, struct block *b, uint64_t end, uint32_t least)
{
    bool taken = b->match != 0;

    if (taken)
        cover_close(r, b->match, end);
    else if (b->start != NO_POS && b->len >= least) {
        cover_add(r, b->start, b->trail != NO_POS ? b->trail : end, MARK_PEM_LINE,
                  RULE_NAME_PRIVATE_KEY, 1);
        taken = true;
    }
    if (taken) {
        b->left -= b->len < b->left ? b->len : b->left;
        b->read = true;
    }
    run_forget(b);
    if (taken && b->flat && b->left < KEY_LINE && (b->left == 0 || least == RUN_TAIL))
        b->kind = BLOCK_OFF;
}

/* At the end of a line. With quotes and the like behind it a short run is rather the end of a
   prefix than of a key, whose last line has whole groups of base64; a '+' of a diff may stand
   before them. */
static void line_close(struct redactor *r, struct block *b)
{
    bool may_be = b->trail == NO_POS || (b->lines == 1 && b->len % RUN_GROUP <= 1);

    run_close(r, b, r->s.pos, may_be ? RUN_TAIL : UINT32_MAX);
}

static void line_over(struct redactor *r, struct block *b)
{
    line_close(r, b);
    if (b->read && (b->flat || --b->lines == 0))
        b->kind = BLOCK_OFF;
    b->flat = false; /* what the number had behind it was only the end of its line */
    line_begin(b);
}

/* The key's lines are over: "Private-MAC:" follows. */
static bool is_mac(const struct redactor *r)
{
    static const char word[] = "Private";
    uint8_t before[sizeof(word) - 1];

    return stream_before(r, r->s.pos, before, sizeof(before)) == sizeof(before) &&
           memcmp(before, word, sizeof(before)) == 0;
}

/* What comes before c was a run: of the key, of a prefix, or what may be the last one with a
   comma or a quote behind it. */
static void run_stops(struct redactor *r, struct block *b, uint8_t c)
{
    bool word = c == '_' || c == ']'; /* of one of our own marks */
    bool last = b->flat && b->left <= KEY_LINE && b->len >= RUN_TAIL && !word;

    if (c == '-' && is_mac(r)) {
        if (b->match != 0)
            cover_close(r, b->match, r->s.pos);
        run_forget(b);
        b->kind = BLOCK_OFF;
    } else if (b->match != 0 || last) {
        run_close(r, b, r->s.pos, RUN_TAIL);
    } else if (b->flat) {
        if (!b->read && b->len > RUN_NOISE)
            b->kind = BLOCK_OFF; /* a word: it is mentioned */
        run_forget(b);
    } else if (word) {
        run_forget(b);
    } else if (b->start != NO_POS) {
        b->again = NO_POS;
        if (b->trail == NO_POS)
            b->trail = r->s.pos;
    }
}

static bool is_sign(uint8_t c)
{
    return c == '+' || c == '/' || c == '=';
}

/* Another run behind one that was none of the key, but for signs: what strings are joined with. */
static void run_begins(struct redactor *r, struct block *b)
{
    uint64_t at = b->again != NO_POS ? b->again : r->s.pos;

    run_forget(b);
    b->start = at;
    b->len = (uint32_t)(r->s.pos - at);
}

static void run_byte(struct redactor *r, struct block *b, uint8_t c)
{
    if (b->trail != NO_POS && is_sign(c) && r->s.pos - b->start < TRAIL_MAX) {
        if (b->again == NO_POS)
            b->again = r->s.pos;
        return;
    }
    if (b->start == NO_POS || b->trail != NO_POS)
        run_begins(r, b);
    if (++b->len >= RUN_KEY && b->match == 0)
        b->match = cover_add(r, b->start, NO_POS, MARK_PEM_LINE, RULE_NAME_PRIVATE_KEY, 1);
}

static void key_line_byte(struct redactor *r, struct block *b, uint8_t c)
{
    if (c == '\n' || (c == 'n' && b->last == '\\')) {
        line_over(r, b);
        return;
    }
    if (c == '\r')
        line_close(r, b);
    else if (c == '\\')
        run_close(r, b, r->s.pos, b->read ? 1 : RUN_TAIL); /* a line end, or as good as one */
    else if (in_written(b, c) || !is_base64(c))
        run_stops(r, b, c);
    else
        run_byte(r, b, c);
    if (b->match == 0 && b->trail != NO_POS && r->s.pos - b->start >= TRAIL_MAX)
        run_forget(b);
    b->last = (char)c;
}

/* Behind "Private-Lines:": blanks, a number, and what stands between it and the key. */
static void count_byte(struct redactor *r, struct block *b, uint8_t c)
{
    if (c >= '0' && c <= '9' && b->len == 0 && b->lines < KEY_LINES_MAX) {
        b->lines = b->lines * 10 + (uint32_t)(c - '0');
    } else if (b->lines == 0) {
        b->kind = c == ' ' || c == '\t' ? BLOCK_COUNT : BLOCK_OFF;
    } else if (c == '\n' || (c == 'n' && b->last == '\\')) {
        lines_begin(b, false);
        return;
    } else if (!in_written(b, c) && is_base64(c) && !is_sign(c)) {
        lines_begin(b, true);
        key_line_byte(r, b, c);
    } else if (++b->len > TRAIL_MAX) {
        b->kind = BLOCK_OFF;
    }
    b->last = (char)c;
}

/* ---- Secrets ------------------------------------------------------------------------- */

static bool key_is(const struct block *b, const char *name)
{
    return b->key_len == strlen(name) && memcmp(b->key, name, b->key_len) == 0;
}

/* The line's key is read up to its colon. */
static void key_ends(struct block *b)
{
    b->in_key = false;
    if (b->kind == BLOCK_VALUES && b->indent <= b->owner)
        b->kind = BLOCK_FIELDS;
    if (b->kind == BLOCK_VALUES)
        return;
    b->skip = true;
    if (key_is(b, "kind") && b->indent <= b->base)
        b->kind = BLOCK_OFF;
    if (key_is(b, "data") || key_is(b, "stringData")) {
        b->kind = BLOCK_VALUES;
        b->owner = b->indent;
        b->scalar = 0;
    }
}

static void key_byte(struct block *b, uint8_t c)
{
    if (b->key_len == 0 && c == ' ') {
        b->indent = (uint16_t)(b->indent + (b->indent < INDENT_MAX));
        return;
    }
    if (c == ':') {
        key_ends(b);
        return;
    }
    if (b->key_len < sizeof(b->key))
        b->key[b->key_len++] = (char)c;
    if (b->indent <= b->base + b->dash && key_is(b, b->dash ? "--" : "---"))
        b->kind = BLOCK_OFF;
}

/* Where a value begins, and whether it is one. */
static void value_byte(struct redactor *r, struct block *b, uint8_t c)
{
    if (b->start == NO_POS) {
        if (c == ' ' || c == '"' || c == '\'' || (c == '\\' && b->written > 0))
            return;
        if (c == '|' || c == '>') {
            b->scalar = (uint16_t)(b->indent + 1);
            b->skip = true;
            return;
        }
        b->skip = c == '$' || c == '<' || c == '{' || c == '*' || c == '[';
        if (b->skip)
            return;
        b->start = r->s.pos;
    }
    if (b->match == 0 && ++b->len == VALUE_MIN)
        b->match = cover_add(r, b->start, NO_POS, MARK_TOKEN, RULE_NAME_KUBERNETES, 1);
}

/* A line that begins with blanks and the name of a field; returns which one. */
static const char *field_of(const uint8_t *line, size_t n, uint16_t *indent)
{
    static const char *const names[] = {"metadata:", "type:",       "data:",
                                        "immutable:", "stringData:", "apiVersion:"};
    size_t at = 0;

    while (at < n && at < INDENT_MAX && line[at] == ' ')
        at++;
    *indent = (uint16_t)at;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);

        if (n - at >= len && memcmp(line + at, names[i], len) == 0)
            return names[i];
    }
    return NULL;
}

/* What stands before the kind may stand there alone: the line behind it, which ends at s.pos,
   tells. */
static void prefix_check(const struct redactor *r, struct block *b)
{
    uint8_t line[INDENT_MAX + 16];
    size_t n = look_line(r, line, sizeof(line));
    const char *name = n < sizeof(line) ? field_of(line, n, &b->indent) : NULL;

    if (name == NULL)
        return;
    b->width = 0;
    b->base = b->indent;
    if (strcmp(name, "data:") == 0 || strcmp(name, "stringData:") == 0) {
        b->kind = BLOCK_VALUES;
        b->owner = b->indent;
        b->scalar = 0;
    }
}

/* In a text below its key every line is part of it. */
static bool in_scalar(const struct block *b)
{
    return b->kind == BLOCK_VALUES && b->scalar > 0 && b->indent >= b->scalar;
}

static void secret_line_ends(struct redactor *r, struct block *b)
{
    if (b->match != 0)
        cover_close(r, b->match, b->trail != NO_POS ? b->trail : r->s.pos);
    if (b->key_len > 0 && b->scalar > 0 && b->indent < b->scalar && !b->in_key)
        b->scalar = b->skip && b->scalar == b->indent + 1 ? b->scalar : 0;
    if (b->lines == 1 && b->width > 0)
        prefix_check(r, b);
    line_begin(b);
    if (++b->lines > SECRET_LINES_MAX)
        b->kind = BLOCK_OFF;
}

/* Backslashes, as far as they tell line ends and the end of a JSON string, in which each level
   doubles them. True if the byte ends the line. */
static bool written_byte(struct redactor *r, struct block *b, uint8_t c)
{
    uint16_t slashes = b->slashes;

    b->slashes = c == '\\' ? (uint16_t)(slashes + (slashes < BLOCK_UNKNOWN / 4)) : 0;
    if (b->written == BLOCK_UNKNOWN && c != '\\' && (slashes == 0 || c != 'r'))
        b->written = c == 'n' ? slashes : 0; /* right behind the kind */
    if (b->written == 0)
        return c == '\n';
    b->width = 0;
    if (c == '\n' || (c == '"' && slashes < 2 * b->written - 1)) {
        secret_line_ends(r, b);
        b->kind = BLOCK_OFF;
        return false;
    }
    return c == 'n' && slashes == b->written;
}

/* In front of what YAML sees: a prefix, the sign of a diff. */
static bool in_prefix(struct block *b, uint8_t c)
{
    bool first = b->column == 0;

    if (b->column < b->width) {
        b->column++;
        return true;
    }
    b->column = (uint16_t)(b->column + first);
    if (!first || b->width > 0 || (c != '+' && c != '-') || b->written != 0 || b->skip)
        return false;
    b->dash = c == '-';
    b->indent = 1;
    return true;
}

static bool may_trail(const struct block *b, uint8_t c)
{
    return c == '\r' || c == '"' || c == '\'' || (c == '\\' && b->written > 0);
}

static void secret_byte(struct redactor *r, struct block *b, uint8_t c)
{
    bool ends = written_byte(r, b, c);

    if (ends)
        secret_line_ends(r, b);
    if (ends || b->kind == BLOCK_OFF || in_prefix(b, c))
        return;
    if (!b->skip && b->in_key && in_scalar(b) && c != ' ')
        b->in_key = false;
    if (!b->skip && b->in_key)
        key_byte(b, c);
    else if (!b->skip && b->kind == BLOCK_VALUES && c != '\r')
        value_byte(r, b, c);
    if (b->match == 0 && b->start != NO_POS && r->s.pos - b->start >= TRAIL_MAX) {
        b->skip = true; /* a few bytes among CR without end */
        b->start = NO_POS;
    }
    if (b->match == 0 || !may_trail(b, c))
        b->trail = NO_POS;
    else if (b->trail != NO_POS && r->s.pos - b->trail >= TRAIL_MAX)
        b->trail = r->s.pos; /* what came before is part of the value */
    else if (b->trail == NO_POS)
        b->trail = r->s.pos;
    b->last = (char)c;
}

/* ---- outside ------------------------------------------------------------------------- */

bool block_step(struct redactor *r, uint8_t byte)
{
    struct block *b = &r->s.block;
    uint32_t was = b->match;
    bool decided = early_live(&b->early) && early_step(r, byte);

    if (b->kind == BLOCK_OFF)
        return decided;
    if ((b->kind == BLOCK_LINES || b->kind == BLOCK_COUNT) &&
        (r->s.escape != ESCAPE_NONE || r->s.escape_end == r->s.pos + 1) && byte != ESC)
        return decided; /* of a colour in front of the line */
    if (b->kind == BLOCK_COUNT)
        count_byte(r, b, byte);
    else if (b->kind == BLOCK_LINES)
        key_line_byte(r, b, byte);
    else
        secret_byte(r, b, byte);
    return decided || was != b->match || byte == '\n';
}

void block_pass_line(struct redactor *r)
{
    struct block *b = &r->s.block;

    if (b->match != 0)
        cover_close(r, b->match, b->trail != NO_POS ? b->trail : r->s.pos);
    early_drop(r);
    line_begin(b);
}

/* What the machine waits for where it is: it takes any other byte without a decision. */
enum { WAITS_ALWAYS = 1, WAITS_IN_KEY = 2, WAITS_IN_VALUE = 4, WAITS_IN_STRING = 8 };

static const uint8_t waits[256] = {['\n'] = WAITS_ALWAYS,
                                   [ESC] = WAITS_ALWAYS,
                                   ['\\'] = WAITS_ALWAYS,
                                   [':'] = WAITS_IN_KEY,
                                   ['"'] = WAITS_IN_VALUE | WAITS_IN_STRING,
                                   ['\''] = WAITS_IN_VALUE,
                                   ['\r'] = WAITS_IN_VALUE};

/* 0: each byte is of interest. */
static uint8_t waits_on_line(const struct block *b)
{
    if (b->skip)
        return b->match == 0 && b->start == NO_POS ? WAITS_ALWAYS : 0;
    if (b->in_key) /* a dash may begin "---" */
        return b->key_len > 0 && b->key[0] != '-' && !in_scalar(b) ? WAITS_ALWAYS | WAITS_IN_KEY
                                                                   : 0;
    return b->match != 0 && b->trail == NO_POS ? WAITS_ALWAYS | WAITS_IN_VALUE : 0;
}

static uint8_t waits_for(const struct block *b)
{
    bool secret = b->kind == BLOCK_FIELDS || b->kind == BLOCK_VALUES;
    uint8_t wanted = secret && b->slashes == 0 && b->written != BLOCK_UNKNOWN &&
                             b->column > 0 && b->column >= b->width
                         ? waits_on_line(b)
                         : 0;

    return wanted != 0 && b->written > 0 ? wanted | WAITS_IN_STRING : wanted;
}

size_t block_quiet(const struct block *b, const uint8_t *bytes, size_t n)
{
    uint8_t wanted = waits_for(b);
    size_t run = 0;

    if (early_live(&b->early))
        return 0; /* each byte is of interest */
    if (b->kind == BLOCK_LINES && b->match != 0 && b->last != '\\' && b->escape == 0) {
        while (run < n && is_base64(bytes[run]))
            run++;
    }
    while (wanted != 0 && run < n && (waits[bytes[run]] & wanted) == 0)
        run++;
    return run;
}

void block_take(struct block *b, const uint8_t *bytes, size_t n)
{
    if (!b->skip && b->in_key && b->kind != BLOCK_LINES) {
        size_t room = sizeof(b->key) - b->key_len;

        memcpy(b->key + b->key_len, bytes, n < room ? n : room);
        b->key_len = (uint8_t)(b->key_len + (n < room ? n : room));
    }
    if (b->kind == BLOCK_LINES)
        b->len += (uint32_t)n;
    b->last = (char)bytes[n - 1];
}

void block_finish(struct redactor *r)
{
    struct block *b = &r->s.block;

    early_finish(r);
    if (b->kind == BLOCK_LINES)
        run_close(r, b, r->s.pos, RUN_TAIL);
    else if (b->match != 0)
        cover_close(r, b->match, b->trail != NO_POS ? b->trail : r->s.pos);
    block_init(b);
}

uint64_t block_hold(const struct block *b)
{
    uint64_t early = early_hold(&b->early);
    uint64_t hold = b->match != 0 ? b->trail : b->start;

    return b->kind == BLOCK_OFF || early < hold ? early : hold;
}
