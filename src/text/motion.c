// SPDX-License-Identifier: MIT
#include "text/motion.h"

#include <stdbool.h>
#include <string.h>

#include "text/columns.h"
#include "text/utf8.h"

enum state {
    GROUND,
    ESCAPE,        /* ESC */
    ESCAPE_BETWEEN, /* ESC, intermediate bytes */
    CONTROL,       /* ESC [ */
    STRING,        /* ESC ] and the like, up to BEL or ESC \ */
    STRING_ESCAPE, /* ESC within one */
    CHARACTER      /* the beginning of a UTF-8 sequence */
};

static void is(struct motion *m, enum motion_kind kind, uint32_t n)
{
    *m = (struct motion){.kind = kind, .n = n};
}

/* ---- control sequences ------------------------------------------------------------------- */

/* Parameter i; where it is left out or 0, that is the same to most. */
static uint32_t number(const struct motion_parser *p, size_t i, uint32_t least)
{
    uint32_t n = i < p->n_numbers ? p->numbers[i] : 0;

    return n > least ? n : least;
}

static void begin_numbers(struct motion_parser *p)
{
    p->prefix = p->between = 0;
    p->n_numbers = 0;
    p->last = 0;
    p->numbers[0] = p->numbers[1] = 0;
}

static void add_digit(struct motion_parser *p, char digit)
{
    if (p->n_numbers == 0)
        p->n_numbers = 1;
    p->last = p->last * 10 + (uint32_t)(digit - '0');
    if (p->last > MOTION_NUMBER_MAX)
        p->last = MOTION_NUMBER_MAX;
    if (p->n_numbers <= 2)
        p->numbers[p->n_numbers - 1] = p->last;
}

static void next_number(struct motion_parser *p)
{
    if (p->n_numbers == 0)
        p->n_numbers = 1;
    if (p->n_numbers < UINT8_MAX)
        p->n_numbers++;
    p->last = 0;
}

static void erase_in_line(const struct motion_parser *p, struct motion *m)
{
    uint32_t what = number(p, 0, 0);

    /* To the left: what it takes away is still there for the caller, which loses nothing. */
    is(m, what == 0 ? MOTION_ERASE_RIGHT : what == 2 ? MOTION_ERASE_LINE : MOTION_NONE, 0);
}

/* The other screen: what is written there is not on this one. */
static bool switches_screen(const struct motion_parser *p)
{
    uint32_t mode = number(p, 0, 0);

    return mode == 47 || mode == 1047 || mode == 1049;
}

static void private_sequence(const struct motion_parser *p, char final, struct motion *m)
{
    bool sets_mode = final == 'h' || final == 'l';

    is(m, sets_mode && switches_screen(p) ? MOTION_UNKNOWN : MOTION_NONE, 0);
}

/* Those that move the cursor by n, or to n: the final byte says how. */
static const struct {
    char final;
    enum motion_kind kind;
    uint8_t less; /* than what the sequence says, which counts from 1 */
} moves[] = {
    {'A', MOTION_UP, 0},    {'B', MOTION_DOWN, 0},      {'C', MOTION_RIGHT, 0},
    {'D', MOTION_LEFT, 0},  {'E', MOTION_DOWN_LINE, 0}, {'F', MOTION_UP_LINE, 0},
    {'G', MOTION_COLUMN, 1}, {'`', MOTION_COLUMN, 1},
};

static bool move(const struct motion_parser *p, char final, struct motion *m)
{
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
        if (moves[i].final == final) {
            is(m, moves[i].kind, number(p, 0, 1) - moves[i].less);
            return true;
        }
    return false;
}

static void sequence(const struct motion_parser *p, char final, struct motion *m)
{
    static const char harmless[] = "chlnqtg"; /* reports, modes, the cursor's shape, tab stops */

    if (p->prefix != 0)
        private_sequence(p, final, m);
    else if (p->between != 0)
        is(m, final == 'q' ? MOTION_NONE : MOTION_UNKNOWN, 0);
    else if (move(p, final, m))
        return;
    else if (final == 'm')
        is(m, MOTION_STYLE, p->n_numbers > 1 || number(p, 0, 0) > 0);
    else if (final == 'K')
        erase_in_line(p, m);
    else if (final == 'J')
        is(m, number(p, 0, 0) == 0 ? MOTION_ERASE_RIGHT : MOTION_UNKNOWN, 0);
    else if ((final == 's' || final == 'u') && p->n_numbers == 0)
        is(m, final == 's' ? MOTION_SAVE : MOTION_RESTORE, 0);
    else if (final == 'H' || final == 'f')
        *m = (struct motion){MOTION_PLACE, number(p, 1, 1) - 1, number(p, 0, 1) - 1};
    else
        is(m, strchr(harmless, final) != NULL ? MOTION_NONE : MOTION_UNKNOWN, 0);
}

static void in_control(struct motion_parser *p, char c, struct motion *m)
{
    is(m, MOTION_MORE, 0);
    if (c >= '0' && c <= '9') {
        add_digit(p, c);
    } else if (c == ';' || c == ':') {
        next_number(p);
    } else if (c >= '<' && c <= '?') {
        p->prefix = c;
    } else if (c >= ' ' && c <= '/') {
        p->between = c;
    } else {
        p->state = GROUND;
        if (c >= '@' && c <= '~')
            sequence(p, c, m);
        else
            is(m, MOTION_UNKNOWN, 0);
    }
}

/* ---- escape sequences ------------------------------------------------------------------------ */

static void in_escape(struct motion_parser *p, char c, struct motion *m)
{
    is(m, MOTION_MORE, 0);
    p->state = GROUND;
    if (c == '[') {
        p->state = CONTROL;
        begin_numbers(p);
    } else if (c == ']' || c == 'P' || c == '^' || c == '_' || c == 'X') {
        p->state = STRING;
    } else if (c >= ' ' && c <= '/') {
        p->state = ESCAPE_BETWEEN;
        p->between = c;
    } else if (c == '7' || c == '8') {
        is(m, c == '7' ? MOTION_SAVE : MOTION_RESTORE, 0);
    } else if (c == '=' || c == '>' || c == '\\') {
        is(m, MOTION_NONE, 0);
    } else {
        is(m, MOTION_UNKNOWN, 0);
    }
}

static void in_escape_between(struct motion_parser *p, char c, struct motion *m)
{
    static const char character_sets[] = "()*+";

    is(m, MOTION_MORE, 0);
    if (c >= ' ' && c <= '/') {
        p->between = '#'; /* two of them: nothing we know */
        return;
    }
    p->state = GROUND;
    is(m, strchr(character_sets, p->between) != NULL && c >= '0' && c <= '~' ? MOTION_NONE
                                                                             : MOTION_UNKNOWN, 0);
}

static void in_string(struct motion_parser *p, char c, struct motion *m)
{
    is(m, MOTION_MORE, 0);
    if (p->state == STRING_ESCAPE) {
        p->state = GROUND;
        is(m, c == '\\' ? MOTION_NONE : MOTION_UNKNOWN, 0);
    } else if (c == '\x1b') {
        p->state = STRING_ESCAPE;
    } else if (c == '\a') {
        p->state = GROUND;
        is(m, MOTION_NONE, 0);
    } else if ((uint8_t)c < ' ') {
        p->state = GROUND;
        is(m, MOTION_UNKNOWN, 0);
    }
}

/* ---- characters ------------------------------------------------------------------------------ */

static void character(const char *text, size_t len, struct motion *m)
{
    uint32_t c = utf8_decode(text, len);

    if (c >= 0x80 && c < 0xa0) /* C1: terminals differ */
        is(m, MOTION_UNKNOWN, 0);
    else
        is(m, MOTION_TEXT, (uint32_t)columns_of(c));
}

/* One byte of a sequence of several. False: it is not part of it, but what came before is all. */
static bool in_character(struct motion_parser *p, char c, struct motion *m)
{
    bool valid;
    size_t len;

    p->utf8[p->utf8_len] = c;
    len = p->utf8_len + 1u;
    if (utf8_cut(p->utf8, len) == 0) { /* may still become one, all of it; 3 bytes at most */
        p->utf8_len = (uint8_t)len;
        p->state = CHARACTER;
        is(m, MOTION_MORE, 0);
        return true;
    }
    if (utf8_sequence(p->utf8, len, &valid) == len && valid) {
        character(p->utf8, len, m);
    } else {
        is(m, MOTION_BAD, 1);
        valid = len == 1; /* a byte alone is taken, else the one that did not fit is not */
    }
    p->utf8_len = 0;
    p->state = GROUND;
    return valid;
}

static size_t run_of(const char *text, size_t n, bool blank)
{
    size_t i = 0;

    while (i < n && (blank ? text[i] == ' ' : text[i] > ' ' && text[i] < 0x7f))
        i++;
    return i;
}

static void control_byte(struct motion_parser *p, char c, struct motion *m)
{
    switch (c) {
    case '\x1b':
        p->state = ESCAPE;
        is(m, MOTION_MORE, 0);
        break;
    case '\r':
        is(m, MOTION_COLUMN, 0);
        break;
    case '\b':
        is(m, MOTION_LEFT, 1);
        break;
    case '\t':
        is(m, MOTION_TAB, 0);
        break;
    case '\n':
    case '\v':
    case '\f':
        is(m, MOTION_UNKNOWN, 0);
        break;
    default:
        is(m, MOTION_NONE, 0);
    }
}

static size_t in_ground(struct motion_parser *p, const char *text, size_t n, struct motion *m)
{
    if (*text == ' ') {
        is(m, MOTION_BLANK, (uint32_t)run_of(text, n, true));
        return m->n;
    }
    if (*text > ' ' && *text < 0x7f) {
        is(m, MOTION_TEXT, (uint32_t)run_of(text, n, false));
        return m->n;
    }
    if ((*text & 0x80) != 0)
        return in_character(p, *text, m);
    control_byte(p, *text, m);
    return 1;
}

size_t motion_next(struct motion_parser *p, const char *text, size_t n, struct motion *m)
{
    switch ((enum state)p->state) {
    case ESCAPE:
        in_escape(p, *text, m);
        return 1;
    case ESCAPE_BETWEEN:
        in_escape_between(p, *text, m);
        return 1;
    case CONTROL:
        in_control(p, *text, m);
        return 1;
    case STRING:
    case STRING_ESCAPE:
        in_string(p, *text, m);
        return 1;
    case CHARACTER:
        return in_character(p, *text, m);
    default:
        return in_ground(p, text, n, m);
    }
}
