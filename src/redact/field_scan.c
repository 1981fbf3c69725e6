// SPDX-License-Identifier: MIT
/* Keys: found by their first bytes, read to their separator. */
#include "redact/field_scan.h"

#include <string.h>

enum {
    ESCAPE_BEFORE_MAX = 40,
    FIELD_DOTTED_MAX = 64 /* bytes before the last part of a path that is written as one key */
};

/* ---- looking back ------------------------------------------------------------------------ */

/* Copies up to n bytes that precede pos; returns how many. */
static size_t before(const struct field_scan *f, uint64_t pos, uint8_t *dst, size_t n)
{
    if (f->first == POS_NONE || pos <= f->first)
        return 0;
    if (n > pos - f->first)
        n = (size_t)(pos - f->first);
    for (size_t i = 0; i < n; i++)
        dst[i] = f->tail[(pos - n + i) % FIELD_TAIL];
    return n;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (field_fold(c) >= 'a' && field_fold(c) <= 'f');
}

/* A colour sequence ends b, the ESC also written out. */
static bool ends_with_csi(const uint8_t *b, size_t n)
{
    static const char *const introducers[] = {"\x1b", "u001b", "x1b", "033", "\\e"};

    if (n >= 3 && b[n - 3] == ESC && b[n - 2] >= 0x20 && b[n - 2] <= 0x2f)
        return true;
    if (n < 2 || b[n - 1] < 0x40 || b[n - 1] > 0x7e)
        return false;
    for (n--; n > 0 && b[n - 1] >= 0x20 && b[n - 1] <= 0x3f;)
        n--;
    if (n == 0 || b[--n] != '[')
        return false;
    for (size_t i = 0; i < sizeof(introducers) / sizeof(introducers[0]); i++) {
        size_t len = strlen(introducers[i]);
        size_t same = 0;

        while (same < len && n >= len &&
               field_fold(b[n - len + same]) == (uint8_t)introducers[i][same])
            same++;
        if (same == len)
            return true;
    }
    return false;
}

/* \n \t \r %XX \uXXXX end b. */
static bool ends_with_escape(const uint8_t *b, size_t n)
{
    size_t digits = 0;

    if (n >= 2 && b[n - 2] == '\\' && strchr("nrt", b[n - 1]) != NULL)
        return true;
    while (digits < 4 && digits < n && is_hex(b[n - 1 - digits]))
        digits++;
    if (digits >= 2 && n >= 3 && b[n - 3] == '%')
        return true;
    return digits == 4 && n >= 6 && b[n - 5] == 'u' && b[n - 6] == '\\';
}

/* The byte before pos is part of a longer word. */
static bool within_word(const struct field_scan *f, uint64_t pos)
{
    uint8_t b[ESCAPE_BEFORE_MAX];
    size_t n = before(f, pos, b, sizeof(b));

    if (n == 0 || !is_word_byte(b[n - 1]))
        return false;
    return !ends_with_escape(b, n) && !ends_with_csi(b, n);
}

/* True: a key may begin at pos, after "--" at most. */
static bool key_may_begin(struct field_scan *f, uint64_t pos)
{
    uint8_t b[6];
    size_t dashes = 0;
    size_t n = before(f, pos, b, sizeof(b));

    while (dashes < n && dashes < 3 && b[n - 1 - dashes] == '-')
        dashes++;
    if (dashes > 2 || within_word(f, pos - dashes))
        return false;
    n -= dashes;
    f->option = dashes > 0;
    f->key_quote = n > 0 && is_quote(b[n - 1]) ? b[n - 1] : 0;
    f->parameter = n > 0 && (b[n - 1] == '?' || b[n - 1] == '&');
    f->element = n > 0 && b[n - 1] == '<';
    f->index = f->key_quote != 0 && n > 1 && b[n - 2] == '[';
    if (n >= 6 && memcmp(b + n - 6, "\\u0026", 6) == 0) /* "&" as some write it in JSON */
        f->parameter = true;
    field_code_begin(f, b, n);
    return true;
}

/* ---- between key and value --------------------------------------------------------------- */

bool field_csi(struct field_scan *f, uint8_t byte)
{
    enum escape_state next = byte == ESC ? ESCAPE_BEGUN : escape_next(f->escape, byte);

    f->escape = next < ESCAPE_WHOLE ? (uint8_t)next : ESCAPE_NONE;
    return next != ESCAPE_BROKEN;
}

/* What follows the backslash of an ESC that is written out. */
static const char *introducer(uint8_t first)
{
    switch (first) {
    case 'u':
        return "u001b[";
    case 'x':
        return "x1b[";
    case '0':
        return "033[";
    case 'e':
        return "e[";
    default:
        return NULL;
    }
}

static enum field_gap gap_written(struct field_scan *f, uint8_t byte)
{
    const char *text = introducer(f->written);

    if (field_fold(byte) != (uint8_t)text[f->written_at]) {
        f->escape = ESCAPE_NONE;
        return GAP_BYTE;
    }
    if (text[++f->written_at] == '\0') {
        f->escape = ESCAPE_CSI;
        f->run = 0;
    }
    return GAP_PART;
}

/* After backslashes. */
static enum field_gap gap_escaped(struct field_scan *f, uint8_t byte)
{
    if (byte == 'n' || byte == 'r' || byte == 't') {
        f->run = 0;
        return byte == 't' ? GAP_BLANK : GAP_LINE_END;
    }
    if (introducer(byte) == NULL)
        return GAP_BYTE;
    f->escape = ESCAPE_WRITTEN;
    f->written = byte;
    f->written_at = 1;
    return GAP_PART;
}

enum field_gap field_gap(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    if (f->escape == ESCAPE_WRITTEN)
        return gap_written(f, byte);
    if (f->run == 0 && field_csi(f, byte))
        return GAP_PART;
    if (byte == '\\') {
        if (f->run == 0)
            f->run_start = pos;
        return f->run++ < FIELD_RUN_MAX ? GAP_PART : GAP_BYTE;
    }
    if (f->run > 0)
        return gap_escaped(f, byte);
    if (is_line_end(byte))
        return GAP_LINE_END;
    return is_blank(byte) ? GAP_BLANK : GAP_BYTE;
}

/* ---- keys -------------------------------------------------------------------------------- */

static bool idle(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    uint64_t names = f->set->first[field_fold(byte)];

    if (names == 0 || !key_may_begin(f, pos))
        return true;
    f->names = names;
    f->name_len = 1;
    f->key_quoted = f->blank_before = f->blank_after = f->no_word = false;
    f->separator = 0;
    f->level = f->run = 0;
    f->escape = ESCAPE_NONE;
    f->inner = 0;
    f->state = FIELD_NAME;
    return true;
}

static bool no_key(struct field_scan *f)
{
    f->run = 0;
    f->state = FIELD_IDLE;
    return false;
}

/* The parts of a path before its last, with a dot behind each: 0 if they do not fit or may be
   any key. */
static size_t path_written(const struct fields *set, unsigned field, uint8_t *dst, size_t max)
{
    size_t len = 0;

    for (size_t i = 0; i + 1 < set->n_parts[field]; i++) {
        uint8_t part = set->parts[field][i];

        if (part == PART_ANY || len + set->names[part].len + 1U > max)
            return 0;
        memcpy(dst + len, set->names[part].text, set->names[part].len);
        len += set->names[part].len;
        dst[len++] = '.';
    }
    return len;
}

/* The key that begins at pos is the last part of that path, all of it written as one key: a.b.
   What precedes the path is then what precedes the key. */
static bool is_dotted(struct field_scan *f, unsigned field, uint64_t pos)
{
    uint8_t want[FIELD_DOTTED_MAX];
    uint8_t b[FIELD_DOTTED_MAX];
    size_t len = path_written(f->set, field, want, sizeof(want));

    if (len == 0 || before(f, pos, b, len) != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (field_fold(b[i]) != want[i])
            return false;
    }
    return key_may_begin(f, pos - len);
}

/* The paths that are written out so before the key's name that begins at pos. */
static uint64_t dotted_paths(struct field_scan *f, uint64_t pos)
{
    uint64_t paths = f->set->names[f->name].last;
    uint64_t found = 0;
    uint8_t dot;

    if (paths == 0 || before(f, pos, &dot, 1) != 1 || dot != '.')
        return 0;
    for (; paths != 0; paths &= paths - 1) {
        unsigned i = (unsigned)__builtin_ctzll(paths);

        if (is_dotted(f, i, pos))
            found |= UINT64_C(1) << i;
    }
    return found;
}

static bool name(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    uint64_t longer = 0;

    for (uint64_t left = f->names; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct field_name *n = &f->set->names[i];

        if (n->len > f->name_len && n->text[f->name_len] == field_fold(byte))
            longer |= UINT64_C(1) << i;
        else if (n->len == f->name_len)
            f->name = (uint8_t)i;
    }
    if (longer != 0) {
        f->names = longer;
        f->name_len++;
        return true;
    }
    if ((f->names >> f->name & 1) == 0 || f->set->names[f->name].len != f->name_len)
        return no_key(f);
    f->dotted = dotted_paths(f, pos - f->name_len);
    f->state = FIELD_KEY;
    return false;
}

static bool await_value(struct field_scan *f, uint8_t separator)
{
    bool json = f->key_quoted && (separator == ':' || separator == ',');
    const struct field_name *n = &f->set->names[f->name];
    uint64_t fields = n->plain | f->dotted;

    for (uint64_t left = fields; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);

        if (f->set->json_only[i] && !json)
            fields &= ~(UINT64_C(1) << i);
    }
    if (json)
        fields |= field_scope_leaves(f);
    f->leaf = fields != 0;
    f->field = (uint8_t)(fields != 0 ? __builtin_ctzll(fields) : 0);
    f->separator = separator;
    f->run = 0;
    f->state = fields != 0 || (json && n->inner != 0) ? FIELD_GAP : FIELD_IDLE;
    return true;
}

static bool take_separator(struct field_scan *f, uint8_t byte)
{
    f->separator = byte;
    f->run = 0;
    f->state = FIELD_SEPARATOR;
    return true;
}

/* "<key>" */
static bool element_begins(struct field_scan *f, uint64_t pos)
{
    (void)await_value(f, '>');
    f->state = f->leaf ? FIELD_ELEMENT : FIELD_IDLE;
    f->start = pos + 1;
    f->quote = f->n_pending = 0;
    return true;
}

static bool key(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    switch (field_gap(f, byte, pos)) {
    case GAP_PART:
        return true;
    case GAP_BLANK:
        f->blank_before = true;
        f->state = FIELD_KEY_DONE;
        return true;
    case GAP_LINE_END:
        return no_key(f);
    case GAP_BYTE:
        break;
    }
    if (byte == f->key_quote && f->key_quote != 0) {
        f->key_quoted = true;
        f->level = f->run;
        f->run = 0;
        f->state = FIELD_KEY_DONE;
        return true;
    }
    if (f->run == 0 && (byte == ':' || byte == '='))
        return take_separator(f, byte);
    if (byte == '>' && f->element && f->run == 0)
        return element_begins(f, pos);
    return no_key(f);
}

static bool key_done(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    switch (field_gap(f, byte, pos)) {
    case GAP_PART:
        return true;
    case GAP_BLANK:
        f->blank_before = true;
        return true;
    case GAP_LINE_END:
        return no_key(f);
    case GAP_BYTE:
        break;
    }
    if (f->run == 0 && (byte == ':' || byte == '='))
        return take_separator(f, byte);
    if (f->run == 0 && byte == ']' && f->index) {
        f->index = f->key_quoted = false; /* x['key'] is no JSON */
        return true;
    }
    if (f->run == 0 && byte == ',' && f->option && f->key_quoted)
        return await_value(f, ',');
    if (f->option && f->blank_before) {
        uint32_t run = f->run;

        (void)await_value(f, 0);
        f->run = run;
        return f->state == FIELD_IDLE ? false : field_value_begin(f, byte, pos);
    }
    return no_key(f);
}

/* The second byte of ":=", "==" or "=>", or what follows the separator. */
static bool separator(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    (void)pos;
    if (f->separator == ':' && byte == ':')
        return no_key(f);
    if (f->separator == ':')
        return await_value(f, byte == '=' ? '=' : ':') && byte == '=';
    return await_value(f, byte == '>' ? ':' : '=') && (byte == '=' || byte == '>' || byte == '~');
}

static bool gap(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    enum field_gap gap_kind = field_gap(f, byte, pos);

    if (gap_kind == GAP_PART)
        return true;
    if (gap_kind == GAP_BLANK) {
        f->blank_after = true;
        return true;
    }
    if (gap_kind == GAP_LINE_END) {
        f->whole.fresh_line = true;
        return f->whole.depth > 0 || (f->key_quoted && f->separator != '=') ? true : no_key(f);
    }
    return field_value_begin(f, byte, pos);
}

/* ---- the machine ------------------------------------------------------------------------- */

typedef bool handler(struct field_scan *, uint8_t, uint64_t);

static handler *const handlers[N_FIELD_STATES] = {
    [FIELD_IDLE] = idle,
    [FIELD_NAME] = name,
    [FIELD_KEY] = key,
    [FIELD_KEY_DONE] = key_done,
    [FIELD_SEPARATOR] = separator,
    [FIELD_GAP] = gap,
    [FIELD_PENDING] = field_pending,
    [FIELD_QUOTED] = field_quoted,
    [FIELD_PLAIN] = field_plain,
    [FIELD_ELEMENT] = field_element,
    [FIELD_BLOCK_INDENT] = field_block_indent,
    [FIELD_BLOCK_LINE] = field_block_line,
    [FIELD_WHOLE_KEY] = field_whole_key,
    [FIELD_WHOLE_STRING] = field_whole_string,
    [FIELD_WHOLE_COLON] = field_whole_colon,
    [FIELD_WHOLE_AFTER] = field_whole_after,
};

void field_machine(struct field_scan *f, uint8_t byte, uint64_t pos, bool in_scope)
{
    for (;;) {
        /* The scope hears of pending bytes when it is known what they are. */
        if (f->state != FIELD_PENDING && !in_scope) {
            in_scope = true;
            if (field_scope_feed(f, byte, pos))
                return;
        }
        if (handlers[f->state](f, byte, pos))
            return;
    }
}

void field_scan_init(struct field_scan *f, const struct fields *set,
                     const struct match_sink *sink)
{
    *f = (struct field_scan){.set = set,
                             .sink = *sink,
                             .first = POS_NONE,
                             .edge = POS_NONE,
                             .broken = POS_NONE};
}

bool field_scan_live(const struct field_scan *f)
{
    return f->state != FIELD_IDLE || f->scope.depth > 0;
}

static void note_first(struct field_scan *f, uint64_t pos)
{
    if (f->first == POS_NONE)
        f->first = pos;
}

size_t field_scan_skip(struct field_scan *f, const uint8_t *data, size_t len, size_t from,
                       uint64_t pos)
{
    size_t at = prints_next(&f->set->prints, data, len, from);
    size_t n = at - from < FIELD_TAIL ? at - from : FIELD_TAIL;

    note_first(f, pos);
    for (size_t i = at - n; i < at; i++)
        f->tail[(pos + (i - from)) % FIELD_TAIL] = data[i];
    return at;
}

void field_scan_step(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    note_first(f, pos);
    f->tail[pos % FIELD_TAIL] = byte;
    if (f->state == FIELD_IDLE)
        f->code = 0;
    if (f->code == 0 || !field_code_takes(f, byte, pos))
        field_machine(f, byte, pos, false);
}

void field_scan_finish(struct field_scan *f, uint64_t pos)
{
    field_code_finish(f);
    field_value_finish(f, pos);
    f->state = FIELD_IDLE;
    f->whole = (struct field_whole){0};
    f->scope = (struct field_scope){0};
}

/* Where what may be the value's last quote began, with its backslashes. */
static uint64_t quoted_hold(const struct field_scan *f)
{
    uint32_t tail = f->run < f->level ? f->run : f->level;

    if (!f->armed)
        return f->run > 0 ? f->start : POS_NONE;
    return tail > 0 ? f->run_start + (f->run - tail) : POS_NONE;
}

static uint64_t machine_hold(const struct field_scan *f)
{
    switch (f->state) {
    case FIELD_PENDING:
        return f->start;
    case FIELD_QUOTED:
        return quoted_hold(f);
    case FIELD_ELEMENT:
        return f->armed ? f->edge : f->start;
    case FIELD_PLAIN:
        if (!f->armed)
            return f->edge != POS_NONE ? f->start : POS_NONE;
        return f->edge;
    case FIELD_KEY_DONE: /* the value of an option needs no separator */
        return f->option && f->blank_before && f->run > 0 ? f->run_start : POS_NONE;
    case FIELD_GAP:
        return f->leaf && f->run > 0 ? f->run_start : POS_NONE;
    case FIELD_WHOLE_KEY:
    case FIELD_WHOLE_COLON:
    case FIELD_WHOLE_AFTER:
        return f->run > 0 ? f->run_start : POS_NONE;
    default:
        return POS_NONE;
    }
}

uint64_t field_scan_hold(const struct field_scan *f)
{
    uint64_t hold = machine_hold(f);

    if (f->n_code == 0 || f->state == FIELD_NAME || f->state == FIELD_KEY)
        return hold;
    return f->code_at < hold ? f->code_at : hold; /* it may be part of a value */
}
