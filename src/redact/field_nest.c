// SPDX-License-Identifier: MIT
/* Objects and arrays: those that paths go through, and those that are hidden as a whole. */
#include <string.h>

#include "redact/field_scan.h"

enum { SCOPE_MAX = 1 << 20 /* bytes after which an object that never closes is given up */ };

/* ---- the scope of paths ------------------------------------------------------------------ */

static void scope_end(struct field_scan *f)
{
    f->scope = (struct field_scope){0};
}

/* Paths with a part to come that is `part`. */
static uint64_t waiting_for(const struct field_scan *f, uint64_t among, uint8_t part)
{
    uint64_t found = 0;

    for (uint64_t left = among; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint8_t at = f->scope.reached[i];

        if (at < f->set->n_parts[i] && f->set->parts[i][at] == part)
            found |= UINT64_C(1) << i;
    }
    return found;
}

/* These paths met a part. True: one of them ends with any key, in what begins here. */
static bool advance(struct field_scan *f, uint64_t paths)
{
    struct field_scope *s = &f->scope;
    bool all = false;

    if (s->n_steps > 0 && s->steps[s->n_steps - 1].depth == s->depth)
        paths &= ~s->steps[s->n_steps - 1].fields; /* one part for each level */
    if (paths == 0 || s->n_steps == FIELDS_MAX)
        return false;
    s->steps[s->n_steps++] = (struct field_step){.fields = paths, .depth = s->depth};
    for (uint64_t left = paths; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint8_t at = ++s->reached[i];

        if (at + 1 == f->set->n_parts[i] && f->set->parts[i][at] == PART_ANY) {
            f->field = (uint8_t)i;
            all = true;
        }
    }
    return all;
}

static void retreat(struct field_scope *s)
{
    while (s->n_steps > 0 && s->steps[s->n_steps - 1].depth > s->depth) {
        uint64_t left = s->steps[--s->n_steps].fields;

        for (; left != 0; left &= left - 1)
            s->reached[__builtin_ctzll(left)]--;
    }
}

/* Paths whose next part, not their last, may be any key. */
static uint64_t any_key_next(const struct field_scan *f)
{
    uint64_t found = waiting_for(f, f->set->starry, PART_ANY);

    for (uint64_t left = found; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);

        if (f->scope.reached[i] + 1 == f->set->n_parts[i])
            found &= ~(UINT64_C(1) << i);
    }
    return found;
}

static bool may_begin_whole(const struct field_scan *f)
{
    return !f->armed && f->whole.depth == 0 && f->n_pending == 0;
}

static bool scope_bracket(struct field_scan *f, uint8_t byte)
{
    struct field_scope *s = &f->scope;
    bool colon = s->colon;

    s->colon = false;
    if (byte == '{' || byte == '[') {
        s->depth++;
        if (colon && advance(f, any_key_next(f)) && may_begin_whole(f)) {
            field_whole_open(f, byte == '{');
            return true;
        }
        return false;
    }
    s->depth--;
    if (s->depth == 0)
        scope_end(f);
    else
        retreat(s);
    return false;
}

static void scope_quote(struct field_scan *f, uint8_t byte)
{
    struct field_scope *s = &f->scope;
    uint32_t run = s->run;

    s->run = 0;
    s->colon = false;
    if (s->quote == 0) {
        if (run < s->level)
            scope_end(f);
        else if (run == s->level)
            s->quote = byte;
        return;
    }
    if (byte != s->quote)
        return;
    switch (field_close(run, s->level)) {
    case CLOSE_STRING:
        s->quote = 0;
        break;
    case CLOSE_OUTER:
        scope_end(f);
        break;
    case CLOSE_NOT:
        break;
    }
}

bool field_scope_feed(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    struct field_scope *s = &f->scope;

    if (s->depth == 0)
        return false;
    if (pos - s->since > SCOPE_MAX || (byte == '\n' && s->quote != 0)) {
        scope_end(f);
    } else if (byte == '\\') {
        s->run += s->run < FIELD_RUN_MAX ? 1 : 0;
    } else if (is_quote(byte)) {
        scope_quote(f, byte);
    } else {
        s->run = 0;
        if (s->quote != 0)
            return false;
        if (byte == '{' || byte == '[' || byte == '}' || byte == ']')
            return scope_bracket(f, byte);
        if (!is_blank(byte) && !is_line_end(byte))
            s->colon = byte == ':';
    }
    return false;
}

void field_scope_enter(struct field_scan *f, uint64_t pos, bool object)
{
    struct field_scope *s = &f->scope;

    if (s->depth == 0) {
        s->depth = 1;
        s->since = pos;
        s->level = f->level;
    }
    if (advance(f, waiting_for(f, f->set->names[f->name].inner, f->name)))
        field_whole_open(f, object);
}

uint64_t field_scope_leaves(const struct field_scan *f)
{
    uint64_t paths = waiting_for(f, f->set->names[f->name].last, f->name);
    uint64_t leaves = 0;

    for (; paths != 0; paths &= paths - 1) {
        unsigned i = (unsigned)__builtin_ctzll(paths);

        if (f->scope.reached[i] + 1 == f->set->n_parts[i])
            leaves |= UINT64_C(1) << i;
    }
    return leaves;
}

/* ---- hidden as a whole ------------------------------------------------------------------- */

static bool is_object(const struct field_whole *w)
{
    return w->depth <= FIELD_DEPTH_MAX && (w->objects >> (w->depth - 1) & 1) != 0;
}

static void await_member(struct field_scan *f)
{
    f->run = 0;
    f->escape = ESCAPE_NONE;
    f->state = is_object(&f->whole) ? FIELD_WHOLE_KEY : FIELD_GAP;
}

void field_whole_open(struct field_scan *f, bool object)
{
    struct field_whole *w = &f->whole;

    if (w->depth == 0)
        w->level = f->scope.depth > 0 && f->state != FIELD_GAP ? f->scope.level : f->level;
    w->depth++;
    w->fresh_line = false;
    if (w->depth <= FIELD_DEPTH_MAX) {
        uint64_t bit = UINT64_C(1) << (w->depth - 1);

        w->objects = object ? w->objects | bit : w->objects & ~bit;
    }
    f->leaf = true;
    await_member(f);
}

bool field_whole_close(struct field_scan *f)
{
    f->whole.depth--;
    f->whole.fresh_line = false;
    f->run = 0;
    f->state = f->whole.depth > 0 ? FIELD_WHOLE_AFTER : FIELD_IDLE;
    return true;
}

void field_whole_end(struct field_scan *f)
{
    f->whole = (struct field_whole){0};
    f->run = 0;
    f->escape = ESCAPE_NONE;
    f->state = FIELD_IDLE;
}

/* No JSON. On the line of the value what follows may still be part of it; a line that
   begins like this is another. */
static bool whole_broken(struct field_scan *f, uint64_t pos)
{
    bool fresh = f->whole.fresh_line;
    uint64_t start = f->run > 0 ? f->run_start : pos;

    field_whole_end(f);
    if (fresh)
        return false;
    f->start = start;
    f->mode = MODE_LINE;
    f->quote = 0;
    field_arm(f);
    f->state = FIELD_PLAIN;
    return false;
}

/* True: the byte is between two tokens. */
static bool whole_gap(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    enum field_gap gap = field_gap(f, byte, pos);

    if (gap == GAP_LINE_END)
        f->whole.fresh_line = true;
    return gap != GAP_BYTE;
}

bool field_whole_key(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    if (whole_gap(f, byte, pos))
        return true;
    if (is_quote(byte)) {
        f->level = f->run;
        f->quote = byte;
        f->run = 0;
        f->whole.fresh_line = false;
        f->state = FIELD_WHOLE_STRING;
        return true;
    }
    if (f->run == 0 && (byte == '}' || byte == ']'))
        return field_whole_close(f);
    return f->run == 0 && byte == ',' ? true : whole_broken(f, pos);
}

bool field_whole_string(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    enum field_close close;
    uint32_t run = f->run;

    if (byte == '\n') {
        f->run = 0;
        return whole_broken(f, pos);
    }
    if (byte == '\\') {
        f->run += f->run < FIELD_RUN_MAX ? 1 : 0;
        return true;
    }
    f->run = 0;
    if (byte != f->quote)
        return true;
    close = field_close(run, f->level);
    if (close == CLOSE_OUTER) {
        field_whole_end(f);
        return false;
    }
    if (close == CLOSE_STRING)
        f->state = FIELD_WHOLE_COLON;
    return true;
}

bool field_whole_colon(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    if (whole_gap(f, byte, pos))
        return true;
    if (f->run > 0 || (byte != ':' && byte != '=' && byte != '>'))
        return whole_broken(f, pos);
    if (byte != '=') /* "=>" */
        f->state = FIELD_GAP;
    f->whole.fresh_line = false;
    return true;
}

bool field_whole_after(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    if (whole_gap(f, byte, pos))
        return true;
    if (is_quote(byte) && f->run < f->whole.level) { /* the string around it has ended */
        field_whole_end(f);
        return false;
    }
    if (f->run > 0 || byte == '\0' || strchr(",:}]", byte) == NULL)
        return whole_broken(f, pos);
    if (byte == '}' || byte == ']')
        return field_whole_close(f);
    f->whole.fresh_line = false;
    if (byte == ':') /* a key so deep that it was taken for an array's string */
        f->state = FIELD_GAP;
    else
        await_member(f);
    return true;
}
