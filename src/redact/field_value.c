// SPDX-License-Identifier: MIT
/* Values: where they begin, what passes, and where they end. */
#include <string.h>

#include "redact/field_scan.h"

enum { LINES_MAX = 4096 /* bytes that a quoted value may run on behind its first line */ };

void field_arm(struct field_scan *f)
{
    if (f->armed)
        return;
    f->match = f->sink.add(f->sink.ctx, f->start, POS_NONE, f->field);
    f->armed = true;
    f->no_word = false;
}

/* The value ends before at, if it was a secret. */
static void value_end(struct field_scan *f, uint64_t at)
{
    if (f->armed)
        f->sink.close(f->sink.ctx, f->match, at);
    f->armed = false;
    f->joined = false;
    f->no_word = false;
    f->quote = 0;
    f->inner = 0;
    f->edge = POS_NONE;
    f->edge_quote = 0;
    f->run = 0;
    f->escape = ESCAPE_NONE;
    f->broken = POS_NONE;
    f->n_pending = 0;
    f->state = f->whole.depth > 0 ? FIELD_WHOLE_AFTER : FIELD_IDLE;
}

/* The value ends, and what is around it as well. */
static void value_broken(struct field_scan *f, uint64_t at)
{
    value_end(f, at);
    field_whole_end(f);
}

/* ---- where it begins --------------------------------------------------------------------- */

static enum field_mode mode_of(const struct field_scan *f)
{
    if (f->whole.depth > 0 || f->separator == ',' || (f->separator == ':' && f->key_quoted))
        return MODE_JSON;
    if (f->separator == ':')
        return f->blank_after ? MODE_LINE : MODE_WORD;
    return f->separator == '=' && f->blank_before && f->blank_after ? MODE_LINE : MODE_WORD;
}

static bool pending_begin(struct field_scan *f, uint8_t byte)
{
    f->pending[0] = byte;
    f->n_pending = 1;
    f->state = FIELD_PENDING;
    return true;
}

static bool is_edge(const struct field_scan *f, uint8_t byte)
{
    if (f->mode == MODE_JSON)
        return false;
    if (byte == ',' || byte == ';')
        return true;
    return !f->opened && (byte == ')' || byte == '}' || byte == ']');
}

static bool plain_begin(struct field_scan *f, uint8_t byte)
{
    f->state = FIELD_PLAIN;
    f->opened = false;
    if (f->run > 0 || (!is_edge(f, byte) && byte != ESC))
        field_arm(f);
    f->run = 0;
    return false;
}

/* What ends an object or array instead of a value, or is no value. */
static bool no_value(struct field_scan *f, uint8_t byte)
{
    if (f->whole.depth > 0) {
        if (byte == '}' || byte == ']')
            return field_whole_close(f);
        return true; /* "," and ":" */
    }
    f->state = FIELD_IDLE;
    return false;
}

/* A path goes on inside this value, which itself is not hidden. */
static bool inner_begin(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    f->state = FIELD_IDLE;
    if (f->run > 0 || (byte != '{' && byte != '['))
        return false;
    field_scope_enter(f, pos, byte == '{');
    return true;
}

bool field_value_begin(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    f->mode = (uint8_t)mode_of(f);
    f->whole.fresh_line = false;
    if (!f->leaf)
        return inner_begin(f, byte, pos);
    f->start = f->run > 0 ? f->run_start : pos;
    f->quote = 0;
    if (is_quote(byte)) {
        f->level = f->run;
        f->quote = byte;
        f->start = pos + 1;
        f->run = 0;
        f->state = FIELD_QUOTED;
        return true;
    }
    if (f->run > 0)
        return plain_begin(f, byte);
    if (byte == '-' && f->option && f->separator == 0)
        return no_value(f, byte); /* the next option */
    if (!f->no_word && field_word_begins(f, byte))
        return pending_begin(f, byte);
    f->no_word = false;
    if (f->mode == MODE_JSON && (byte == '{' || byte == '[')) {
        field_whole_open(f, byte == '{');
        return true;
    }
    if (f->mode == MODE_JSON && byte != '\0' && strchr(",:}]", byte) != NULL)
        return no_value(f, byte);
    return plain_begin(f, byte);
}

/* ---- placeholders ------------------------------------------------------------------------ */

/* It is none: what is pending goes through the machine once more. */
static void replay(struct field_scan *f)
{
    uint8_t bytes[FIELD_PENDING_MAX];
    size_t n = f->n_pending;
    uint64_t start = f->start;

    memcpy(bytes, f->pending, n);
    f->n_pending = 0;
    f->run = 0;
    f->no_word = true;
    f->state = f->quote != 0 ? FIELD_QUOTED : FIELD_GAP;
    for (size_t i = 0; i < n; i++)
        field_machine(f, bytes[i], start + i, i == 0);
    explicit_bzero(bytes, sizeof(bytes));
}

/* It is one: only the scope hears of it. */
static void let_pass(struct field_scan *f)
{
    for (size_t i = 1; i < f->n_pending; i++)
        (void)field_scope_feed(f, f->pending[i], f->start + i);
    if (f->quote != 0) {
        f->n_pending = 0;
        f->state = FIELD_QUOTED; /* which the byte closes */
        return;
    }
    if (f->pending[0] == '|' || f->pending[0] == '>') {
        value_end(f, 0);
        f->indent = f->block = 0;
        f->state = FIELD_BLOCK_INDENT;
        return;
    }
    value_end(f, 0);
}

bool field_pending(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    (void)pos;
    switch (field_word(f, byte)) {
    case WORD_PLACEHOLDER:
        let_pass(f);
        return false;
    case WORD_MORE:
        if (f->n_pending < FIELD_PENDING_MAX) {
            f->run += f->quote != 0 && byte == '\\' && field_word_complete(f) ? 1 : 0;
            f->pending[f->n_pending++] = byte;
            return true;
        }
        break;
    case WORD_NONE:
        break;
    }
    replay(f);
    return false;
}

/* ---- within quotes ----------------------------------------------------------------------- */

enum field_close field_close(uint32_t run, uint32_t level)
{
    uint32_t step = level + 1;

    if (run < level)
        return CLOSE_OUTER;
    /* Each level of quoting turns n backslashes before a quote into 2n + 1. */
    if ((step & level) != 0 || level == 0)
        return level == 0 ? (run % 2 == 0 ? CLOSE_STRING : CLOSE_NOT)
                          : (run == level ? CLOSE_STRING : CLOSE_NOT);
    if ((run - level) % step != 0)
        return CLOSE_OUTER;
    return (run - level) / step % 2 == 0 ? CLOSE_STRING : CLOSE_NOT;
}

/* JSON and what is in it has no line ends in strings; elsewhere they may be part of one. */
static bool line_ends_quoted(struct field_scan *f, uint64_t pos)
{
    if (f->mode == MODE_JSON || f->level > 0)
        return true;
    if (f->broken == POS_NONE)
        f->broken = pos;
    return pos - f->broken >= LINES_MAX;
}

static bool quote_in_quoted(struct field_scan *f, uint64_t pos)
{
    uint64_t run = f->run;

    switch (field_close(f->run, f->level)) {
    case CLOSE_STRING:
        value_end(f, pos - f->level);
        if (f->level == 0 && f->mode == MODE_WORD) {
            f->state = FIELD_PLAIN;
            f->joined = true;
            f->opened = false;
            f->start = pos + 1;
        }
        return true;
    case CLOSE_OUTER:
        value_broken(f, pos - run);
        return false;
    default:
        field_arm(f);
        f->run = 0;
        return true;
    }
}

bool field_quoted(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    if (byte == '\n' && line_ends_quoted(f, pos)) {
        value_broken(f, pos);
        return false;
    }
    if (byte == '\\') {
        if (f->run == 0)
            f->run_start = pos;
        f->run++;
        if (f->level == 0 || f->run > f->level)
            field_arm(f);
        return true;
    }
    if (byte == f->quote)
        return quote_in_quoted(f, pos);
    if (!f->armed && f->run == 0 && !f->no_word && field_word_begins(f, byte))
        return pending_begin(f, byte);
    field_arm(f);
    f->run = 0;
    return true;
}

/* ---- without quotes ---------------------------------------------------------------------- */

static bool plain_end(struct field_scan *f, uint64_t pos)
{
    uint64_t at = f->edge != POS_NONE ? f->edge : pos;

    if (f->edge_quote != 0)
        value_broken(f, at); /* the string around it has ended */
    else
        value_end(f, at);
    return false;
}

/* The byte may be behind the value already: what follows tells. */
static void edge_begin(struct field_scan *f, uint64_t pos)
{
    if (f->edge != POS_NONE && pos - f->edge >= FIELD_PENDING_MAX) {
        field_arm(f);
        f->edge = POS_NONE;
    }
    if (f->edge == POS_NONE)
        f->edge = pos;
}

/* What may have been behind the value was part of it. */
static void edge_inside(struct field_scan *f)
{
    field_arm(f);
    f->edge = POS_NONE;
    f->edge_quote = 0;
    f->run = 0;
}

static bool ends_plain(const struct field_scan *f, uint8_t byte)
{
    if (is_line_end(byte) ||
        (f->edge_quote != 0 && byte != '\0' && strchr(",}])", byte) != NULL))
        return true;
    if (f->mode == MODE_LINE)
        return false;
    /* a backslash in JSON is a line end written out, or that of a quote */
    if (f->mode == MODE_JSON && (byte == ',' || byte == '}' || byte == ']' || byte == '\\'))
        return true;
    return is_blank(byte) || (byte == '&' && f->parameter);
}

/* The quote was part of the value, and may keep blanks together. */
static void quote_inside(struct field_scan *f)
{
    uint8_t quote = f->edge_escaped || f->mode == MODE_LINE ? 0 : f->edge_quote;

    edge_inside(f);
    f->inner = quote;
    f->escaped = false;
}

/* Within a quote that began inside the value: blanks belong to it. */
static void plain_inner(struct field_scan *f, uint8_t byte)
{
    if (f->escaped || byte == '\\')
        f->escaped = !f->escaped;
    else if (byte == f->inner)
        f->inner = 0;
}

/* Bytes that may be behind the value: quotes, punctuation, colour sequences. */
static bool plain_edge(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    bool csi = field_csi(f, byte);

    if (!csi && byte != '\\' && !is_quote(byte) && (!is_edge(f, byte) || f->run > 0))
        return false;
    edge_begin(f, pos);
    if (csi)
        return true;
    if (is_quote(byte)) {
        f->edge_quote = byte;
        f->edge_escaped = f->run > 0;
    }
    f->run = byte == '\\' ? f->run + 1 : 0;
    return true;
}

/* Only a quote, or one behind backslashes, goes on where a quoted value ended. */
static bool joins_nothing(const struct field_scan *f, uint8_t byte)
{
    return f->joined && !f->armed && f->edge == POS_NONE && byte != '\\' && !is_quote(byte);
}

bool field_plain(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    if (f->escape != ESCAPE_NONE && field_csi(f, byte)) {
        edge_begin(f, pos);
        return true;
    }
    if (f->inner != 0 && !is_line_end(byte)) {
        plain_inner(f, byte);
        return true;
    }
    if (ends_plain(f, byte) || joins_nothing(f, byte))
        return plain_end(f, pos);
    if (f->edge_quote != 0 && byte != ESC) {
        quote_inside(f);
        return false;
    }
    if (plain_edge(f, byte, pos))
        return true;
    if (f->joined && !f->armed)
        return plain_end(f, pos);
    edge_inside(f);
    f->opened |= byte == '(' || byte == '{' || byte == '[';
    return true;
}

/* ---- elements of XML ----------------------------------------------------------------------- */

/* All that is pending is one placeholder. */
static bool is_placeholder(struct field_scan *f)
{
    uint8_t n = f->n_pending;
    bool good = n > 0 && field_word_begins(f, f->pending[0]);

    f->mode = MODE_WORD;
    for (f->n_pending = 1; good && f->n_pending < n; f->n_pending++)
        good = field_word(f, f->pending[f->n_pending]) == WORD_MORE;
    f->n_pending = n;
    return good && field_word_complete(f);
}

/* "</" follows what was read, from f->edge on. */
static bool element_ends(struct field_scan *f)
{
    if (f->edge > f->start && (f->n_pending == FIELD_PENDING_MAX || !is_placeholder(f)))
        field_arm(f);
    value_end(f, f->edge);
    return true;
}

/* So many bytes without an end are a value if they are one word: "<key>" in prose has none. */
static bool element_is_long(const struct field_scan *f)
{
    return memchr(f->pending, ' ', f->n_pending) == NULL;
}

bool field_element(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    if (f->edge != POS_NONE && byte == '/')
        return element_ends(f);
    if (f->edge != POS_NONE || is_line_end(byte)) {
        value_end(f, f->edge != POS_NONE ? f->edge : pos);
        return false;
    }
    if (byte == '<') {
        f->edge = pos;
    } else if (f->n_pending < FIELD_PENDING_MAX) {
        f->pending[f->n_pending++] = byte;
    } else if (f->armed || element_is_long(f)) {
        field_arm(f);
    } else {
        value_end(f, pos);
        return false;
    }
    return true;
}

/* ---- blocks of YAML ---------------------------------------------------------------------- */

bool field_block_indent(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    if (is_line_end(byte)) {
        f->indent = 0;
        return true;
    }
    if (is_blank(byte)) {
        f->indent = (uint8_t)(f->indent + (f->indent < UINT8_MAX));
        return true;
    }
    if (f->indent == 0 || f->indent < f->block) {
        f->state = FIELD_IDLE;
        return false;
    }
    f->block = f->block == 0 ? f->indent : f->block;
    f->start = pos;
    field_arm(f);
    f->state = FIELD_BLOCK_LINE;
    return true;
}

bool field_block_line(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    if (!is_line_end(byte))
        return true;
    value_end(f, pos);
    f->indent = 0;
    f->state = FIELD_BLOCK_INDENT;
    return true;
}

/* ---- the end ----------------------------------------------------------------------------- */

void field_value_finish(struct field_scan *f, uint64_t pos)
{
    while (f->state == FIELD_PENDING && !field_word_complete(f))
        replay(f);
    if (f->state == FIELD_PLAIN)
        (void)plain_end(f, pos);
    else
        value_end(f, pos);
}
