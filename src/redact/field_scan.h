// SPDX-License-Identifier: MIT
/*
 * Inside of a field scan: a machine of one state for each place around a value. A handler gets
 * one byte; true: it took it; false: it changed the state, which gets the byte again.
 *
 *   IDLE ─first byte of a name─▶ NAME ─▶ KEY ─quote or blank─▶ KEY_DONE ─▶ SEPARATOR ─▶ GAP
 *   GAP ─▶ PENDING (a placeholder?) ─▶ QUOTED | PLAIN ─▶ IDLE, or AFTER inside a whole value
 *   GAP ─▶ WHOLE_KEY ─▶ WHOLE_STRING ─▶ WHOLE_COLON ─▶ GAP … AFTER ─▶ WHOLE_KEY | GAP | IDLE
 *   KEY ─">"─▶ ELEMENT ─"</"─▶ IDLE
 *   GAP ─"|"─▶ BLOCK_INDENT ─▶ BLOCK_LINE ─▶ BLOCK_INDENT … IDLE
 */
#ifndef REDACT_FIELD_SCAN_H
#define REDACT_FIELD_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/escape.h"
#include "redact/field_set.h"
#include "redact/fields.h"

enum field_state {
    FIELD_IDLE,
    FIELD_NAME,
    FIELD_KEY,
    FIELD_KEY_DONE,
    FIELD_SEPARATOR,
    FIELD_GAP,
    FIELD_PENDING,
    FIELD_QUOTED,
    FIELD_PLAIN,
    FIELD_ELEMENT,
    FIELD_BLOCK_INDENT,
    FIELD_BLOCK_LINE,
    FIELD_WHOLE_KEY,
    FIELD_WHOLE_STRING,
    FIELD_WHOLE_COLON,
    FIELD_WHOLE_AFTER,
    N_FIELD_STATES
};

/* Where a value without quotes ends. */
enum field_mode {
    MODE_WORD, /* at a blank */
    MODE_LINE, /* at the line's end */
    MODE_JSON  /* at a blank or punctuation */
};

enum { ESCAPE_WRITTEN = ESCAPE_BROKEN + 1 /* its ESC, up to the bracket */ };

enum { FIELD_RUN_MAX = 255 /* backslashes in a row that may belong to a quote */ };

static inline bool is_line_end(uint8_t c)
{
    return c == '\n' || c == '\r';
}

static inline bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static inline bool is_quote(uint8_t c)
{
    return c == '"' || c == '\'';
}

static inline bool is_word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* ---- field_scan.c ------------------------------------------------------------------------ */

/* One byte through the machine. in_scope: the scope has it already. */
void field_machine(struct field_scan *f, uint8_t byte, uint64_t pos, bool in_scope);

/* What a byte is between key and value, where colour sequences and line ends written out as
   "\n" may stand. */
enum field_gap {
    GAP_PART, /* of something longer */
    GAP_BLANK,
    GAP_LINE_END,
    GAP_BYTE /* with f->run backslashes before it, which begin at f->run_start */
};

enum field_gap field_gap(struct field_scan *f, uint8_t byte, uint64_t pos);

/* True if the byte is part of a colour sequence. */
bool field_csi(struct field_scan *f, uint8_t byte);

/* ---- field_code.c ------------------------------------------------------------------------ */

/* A key begins behind the n bytes b. */
void field_code_begin(struct field_scan *f, const uint8_t *b, size_t n);

/* Only while f->code is set and the machine is not idle. True: the machine has the byte, or gets
   it later. */
bool field_code_takes(struct field_scan *f, uint8_t byte, uint64_t pos);
void field_code_finish(struct field_scan *f);

/* ---- field_value.c ----------------------------------------------------------------------- */

/* The first byte of a value. */
bool field_value_begin(struct field_scan *f, uint8_t byte, uint64_t pos);

/* From start on the value is a secret. */
void field_arm(struct field_scan *f);

bool field_pending(struct field_scan *f, uint8_t byte, uint64_t pos);
bool field_quoted(struct field_scan *f, uint8_t byte, uint64_t pos);
bool field_plain(struct field_scan *f, uint8_t byte, uint64_t pos);
bool field_element(struct field_scan *f, uint8_t byte, uint64_t pos);
bool field_block_indent(struct field_scan *f, uint8_t byte, uint64_t pos);
bool field_block_line(struct field_scan *f, uint8_t byte, uint64_t pos);
void field_value_finish(struct field_scan *f, uint64_t pos);

/* What a quote after `run` backslashes is to a string that opened with one after `level`. */
enum field_close { CLOSE_NOT, CLOSE_STRING, CLOSE_OUTER };

enum field_close field_close(uint32_t run, uint32_t level);

/* ---- field_word.c: placeholders ---------------------------------------------------------- */

enum field_word { WORD_MORE, WORD_PLACEHOLDER, WORD_NONE };

/* A value that begins with byte may be a placeholder. */
bool field_word_begins(const struct field_scan *f, uint8_t byte);

/* What f->pending is, once byte follows. */
enum field_word field_word(const struct field_scan *f, uint8_t byte);

/* What f->pending is, if nothing follows. */
bool field_word_complete(const struct field_scan *f);

/* ---- field_nest.c: objects and arrays ---------------------------------------------------- */

/* One byte; may begin a whole value, which then has taken the byte: true. */
bool field_scope_feed(struct field_scan *f, uint8_t byte, uint64_t pos);

/* The value of the key f->name begins here, an object or array: paths go on in it. */
void field_scope_enter(struct field_scan *f, uint64_t pos, bool object);

/* Paths that end with the key f->name here. */
uint64_t field_scope_leaves(const struct field_scan *f);

void field_whole_open(struct field_scan *f, bool object);
bool field_whole_close(struct field_scan *f);
void field_whole_end(struct field_scan *f);

bool field_whole_key(struct field_scan *f, uint8_t byte, uint64_t pos);
bool field_whole_string(struct field_scan *f, uint8_t byte, uint64_t pos);
bool field_whole_colon(struct field_scan *f, uint8_t byte, uint64_t pos);
bool field_whole_after(struct field_scan *f, uint8_t byte, uint64_t pos);

#endif
