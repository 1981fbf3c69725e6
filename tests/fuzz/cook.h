// SPDX-License-Identifier: MIT
/*
 * From a fuzzer's bytes to a text worth redacting. A byte above 0x7f is a plain one less 0x80,
 * the others are pieces: anchors and whole rows of the rules' own tables, forms of known values,
 * keys, escape sequences. So short inputs are dense with what rules look for, and no file of
 * the corpus ever looks like a secret.
 */
#ifndef TESTS_FUZZ_COOK_H
#define TESTS_FUZZ_COOK_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "redact/known.h"
#include "redact/rules.h"
#include "redact/set.h"

enum { COOK_TEXT_MAX = 20000, COOK_PLANT_MAX = 2048, COOK_OPEN_END = 5,
       COOK_ESCAPE_MAX = 80 };

struct cook_text {
    size_t len;
    char data[COOK_TEXT_MAX];
};

/* A secret with delimiters around it. len 0: none. */
struct cook_plant {
    size_t at;  /* of its first delimiter in the text */
    size_t len;
    char data[COOK_PLANT_MAX];
};

struct cook {
    const uint8_t *in;
    size_t left;
    struct cook_text *text;
    struct cook_plant *plant;
    const struct redact_set *set;
    uint32_t seed;
    size_t piece; /* where the last piece begins */
};

static const char *const cook_pieces[] = {
    "\n", "\r\n", "\r\r\n", "\\n", "\\\\n", "\\r\\n", " ", "    ", "\t", "\"", "'", "\\", "\\\"",
    "=", ": ", ":", "-", "-----", "[", "]", "@", "/", "%20", "%0A", "<", ">", "{", "}", ",",
    "\x1b", "\x1b[", "\x1b[1;31m", "\x1b[0m", "\x1b[m\x1b[K", "\x1b(B", "\x1b(", "\x1b]0;t\x07",
    "\x9b" "1m", "\\x1b[0m", "\\u001b[1m", "\\033[m", "\\e[", "^[[0m", "word ", "Two words\n",
    "-----BEGIN ", "-----END ", "PRIVATE KEY", "RSA PRIVATE " "KEY-----", "---- BEGIN ", "BEGIN ",
    "CERTIFICATE-----\n", "SSH2 ENCRYPTED PRIVATE " "KEY ----\n", "PGP PRIVATE " "KEY BLOCK-----",
    "Proc-Type: 4,ENCRYPTED\n", "[REDACTED]", "[REDACTED_PEM_LINE]", "[REDACTED:known-value]",
    "[REDACTED", "kind: Secret\n", "data:\n", "stringData:\n", "  key: ", "|\n", "---\n",
    "Private-Lines: 2\n", "\n::add-mask::", "http", "://", "https://u:", "@h ", "Bearer ",
    "authorization: ", "Basic ", "token ", "sk-", "password", "\"password\": \"", "db", "secret",
    "{\"db\": {\"secret\": ", "--password ", "key: ", "z", "ABC-123", "2024-01-01T00:00:00Z ",
    "$", "${X}", "***", "{{ x }}", "<x>", "apiVersion: v1\n", "  a: QUJDREVG\n",
    "\"apiVersion\":\"v1\",", "\"data\": {", "\"a\":\"QUJDREVG\"", "\"kind\": \"Secret\"",
    "\"stringData\":{", "immutable: true\n"};

enum { COOK_PIECES = sizeof(cook_pieces) / sizeof(cook_pieces[0]) };

/* Each with operands; the pieces follow. The corpus uses these numbers, and those of the
   pieces: add behind. */
enum cook_op {
    COOK_RAW,   /* the next byte as it is */
    COOK_AGAIN, /* the last piece: how often */
    COOK_MIXED, /* made-up characters: how many */
    COOK_BASE64,
    COOK_HEX,
    COOK_LOWER,
    COOK_DIGITS,
    COOK_SAME,    /* the next byte, so many times */
    COOK_ANCHOR,  /* which, two bytes */
    COOK_ROW,     /* a rule's whole pattern: which, two bytes; cut off after so many */
    COOK_FORM,    /* of a known value: which; cut off after so many */
    COOK_ESCAPED, /* the last piece with an escape sequence in it: where */
    COOK_PLANT,   /* a secret: delimiter, which, two bytes */
    COOK_VALUE,   /* a known value as a secret: which */
    COOK_OPS = 16
};

_Static_assert(COOK_OPS + COOK_PIECES <= 0x80, "pieces and operations share seven bits");

static uint32_t cook_random(struct cook *c)
{
    c->seed = c->seed * 1664525U + 1013904223U;
    return c->seed >> 8;
}

static unsigned cook_next(struct cook *c)
{
    if (c->left == 0)
        return 0;
    c->left--;
    return *c->in++;
}

static void cook_put(struct cook *c, const char *data, size_t n)
{
    n = n < COOK_TEXT_MAX - c->text->len ? n : COOK_TEXT_MAX - c->text->len;
    memcpy(c->text->data + c->text->len, data, n);
    c->text->len += n;
}

static void cook_byte(struct cook *c, uint8_t byte)
{
    char plain = (char)byte;

    cook_put(c, &plain, 1);
}

static void cook_chars(struct cook *c, const char *from, size_t n)
{
    size_t len = strlen(from);

    while (n-- > 0)
        cook_put(c, from + cook_random(c) % len, 1);
}

/* ---- rows of the tables -------------------------------------------------------------- */

/* A letter or digit of the class if one is found, else any byte. */
static void cook_class(struct cook *c, const uint32_t *class)
{
    unsigned first = cook_random(c);
    unsigned found = 256;

    for (unsigned i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)(first + i);
        bool plain = (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');

        if (!rule_class_has(class, byte))
            continue;
        found = byte;
        if (plain)
            break;
    }
    if (found < 256)
        cook_byte(c, (uint8_t)found);
}

static void cook_item(struct cook *c, const struct rule_item *it)
{
    size_t n = it->min;

    if (it->max == ITEM_UNBOUNDED && it->min > 0)
        n += cook_random(c) % COOK_OPEN_END;
    else if (it->max > it->min && it->max != ITEM_UNBOUNDED)
        n += cook_random(c) % 2;
    while (n-- > 0)
        cook_class(c, rule_classes[it->class]);
}

static void cook_anchor(struct cook *c, const struct anchor *a)
{
    for (size_t i = 0; i < a->len; i++) {
        if (a->sets != NULL)
            cook_class(c, a->sets[i]);
        else
            cook_byte(c, (uint8_t)a->text[i]);
    }
}

static void cook_row(struct cook *c, const struct anchor *a, const struct rule *rule)
{
    if (rule->near != NULL) {
        cook_put(c, rule->near, strlen(rule->near));
        cook_byte(c, ' ');
    }
    if (rule->word != NULL)
        cook_put(c, rule->word, strlen(rule->word));
    if ((a->flags & ANCHOR_SCHEME) != 0)
        cook_put(c, "https", 5);
    for (size_t i = rule->n_left; i-- > 0;)
        cook_item(c, &rule_items[rule->left + i]);
    cook_anchor(c, a);
    for (size_t i = 0; i < rule->len; i++)
        cook_item(c, &rule_items[rule->first + i]);
    if (rule->chain != 0) {
        const struct anchor *inner = &anchors[rule->chain];

        cook_row(c, inner, &rules[inner->first + cook_random(c) % inner->n_rules]);
    }
}

static const struct anchor *cook_choose(struct cook *c)
{
    unsigned which = cook_next(c) << 8;

    which |= cook_next(c);
    return &anchors[1 + which % (anchor_count - 1)];
}

static void cook_row_op(struct cook *c)
{
    const struct anchor *a = cook_choose(c);
    size_t from = c->text->len;
    size_t cut = cook_next(c);

    if (a->n_rules > 0)
        cook_row(c, a, &rules[a->first + cook_random(c) % a->n_rules]);
    else
        cook_anchor(c, a);
    if (cut < 0x80 && cut < c->text->len - from)
        c->text->len = from + cut;
}

/* ---- known values -------------------------------------------------------------------- */

struct cook_form {
    struct cook *c;
    size_t wanted;
    size_t seen;
    size_t cut;
};

static void cook_one_form(void *ctx, struct form_iter *form, uint16_t id)
{
    struct cook_form *f = ctx;
    int byte;

    (void)id;
    if (f->seen++ != f->wanted)
        return;
    for (size_t n = 0; n < f->cut && (byte = form_iter_next(form)) >= 0; n++)
        cook_byte(f->c, (uint8_t)byte);
}

static void cook_form(struct cook *c)
{
    struct cook_form f = {.c = c, .wanted = cook_next(c)};

    f.cut = cook_next(c);
    f.cut = f.cut < 0x80 ? f.cut : SIZE_MAX;
    if (c->set->known == NULL)
        return;
    f.wanted = (f.wanted * 7) % (known_form_count(c->set->known) + 1);
    known_each_form(c->set->known, cook_one_form, &f);
}

/* ---- the rest ------------------------------------------------------------------------- */

static void cook_again(struct cook *c)
{
    size_t len = c->text->len - c->piece;
    size_t from = c->piece;
    size_t times = cook_next(c);

    if (c->plant->len > 0 && c->piece <= c->plant->at)
        return;
    times = times < 0x80 ? times % 16 : times * times;
    for (; times > 0 && c->text->len + len <= COOK_TEXT_MAX; times--)
        cook_put(c, c->text->data + from, len);
}

/* A colour within the last piece. */
static void cook_escaped(struct cook *c)
{
    static const char colour[] = "\x1b[1m";
    size_t len = c->text->len - c->piece;
    size_t at = len > 0 ? c->piece + cook_next(c) % len : c->text->len;
    size_t n = sizeof(colour) - 1;

    if (c->text->len + n > COOK_TEXT_MAX || (c->plant->len > 0 && c->piece <= c->plant->at))
        return;
    memmove(c->text->data + at + n, c->text->data + at, c->text->len - at);
    memcpy(c->text->data + at, colour, n);
    c->text->len += n;
}

/* Between delimiters, once in a text. */
static void cook_plant(struct cook *c, bool value)
{
    static const char around[] = "\n\n\"'= ,";
    char delimiter = around[cook_next(c) % (sizeof(around) - 1)];
    size_t from = c->text->len;
    size_t near = from < COOK_ESCAPE_MAX ? from : COOK_ESCAPE_MAX;

    if (c->plant->len > 0)
        return;
    /* The end of an escape sequence is no beginning of a secret. */
    if (memchr(c->text->data + from - near, 0x1b, near) != NULL)
        delimiter = '\n';
    cook_byte(c, (uint8_t)delimiter);
    if (value) {
        struct cook_form f = {.c = c, .wanted = cook_next(c) * 3U, .cut = SIZE_MAX};

        if (c->set->known != NULL)
            known_each_form(c->set->known, cook_one_form, &f);
    } else {
        const struct anchor *a = cook_choose(c);

        if (a->n_rules > 0)
            cook_row(c, a, &rules[a->first + cook_random(c) % a->n_rules]);
    }
    cook_byte(c, (uint8_t)delimiter);
    if (c->text->len == COOK_TEXT_MAX || c->text->len - from > COOK_PLANT_MAX) {
        c->text->len = from;
        return;
    }
    c->plant->at = from;
    c->plant->len = c->text->len - from;
    memcpy(c->plant->data, c->text->data + from, c->plant->len);
}

static void cook_run(struct cook *c, unsigned op)
{
    static const char *const chars[] = {
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", "0123456789abcdef",
        "abcdefghijklmnopqrstuvwxyz", "0123456789"};

    cook_chars(c, chars[op - COOK_MIXED], cook_next(c));
}

static void cook_op(struct cook *c, unsigned op)
{
    size_t piece = c->text->len;

    switch (op) {
    case COOK_MIXED: case COOK_BASE64: case COOK_HEX: case COOK_LOWER: case COOK_DIGITS:
        cook_run(c, op);
        break;
    case COOK_SAME: {
        uint8_t byte = (uint8_t)cook_next(c);

        for (size_t n = cook_next(c); n > 0; n--)
            cook_byte(c, byte);
        break;
    }
    case COOK_ANCHOR: cook_anchor(c, cook_choose(c)); break;
    case COOK_ROW: cook_row_op(c); break;
    case COOK_FORM: cook_form(c); break;
    case COOK_AGAIN: cook_again(c); return;
    case COOK_ESCAPED: cook_escaped(c); return;
    case COOK_PLANT: cook_plant(c, false); piece = c->text->len; break;
    case COOK_VALUE: cook_plant(c, true); piece = c->text->len; break;
    default: cook_byte(c, (uint8_t)cook_next(c)); break;
    }
    c->piece = piece;
}

/* Makes text of data[0..len). */
static void cook(struct cook *c)
{
    c->text->len = c->piece = c->plant->len = 0;
    while (c->left > 0 && c->text->len < COOK_TEXT_MAX) {
        unsigned op = cook_next(c);

        if (op >= 0x80) {
            c->piece = c->text->len;
            cook_byte(c, (uint8_t)(op & 0x7f));
        } else if (op < COOK_OPS) {
            cook_op(c, op);
        } else {
            const char *text = cook_pieces[(op - COOK_OPS) % COOK_PIECES];

            c->piece = c->text->len;
            cook_put(c, text, strlen(text));
        }
    }
}

#endif
