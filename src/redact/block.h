// SPDX-License-Identifier: MIT
/*
 * Secrets that are known by the lines before them: the private lines of a PuTTY key file, and
 * the values under data: and stringData: of a Kubernetes Secret in YAML.
 *
 *   OFF ──"Private-Lines:"──▶ COUNT ──number, line end──▶ LINES ──that many lines──▶ OFF
 *                                 └──number, key──▶ LINES, flat ──that many characters──▶ OFF
 *   OFF ──"kind: Secret"────▶ FIELDS ◀──a line less indented──┐
 *                               │ └──"data:", "stringData:"──▶ VALUES
 *                               └──"---", another kind, too many lines──▶ OFF
 *
 * The lines of a Secret may bear the signs of a diff, or a prefix as long as that of the line
 * with its kind (a time, a container's name), or stand in a JSON string with "\n" written out.
 */
#ifndef REDACT_BLOCK_H
#define REDACT_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact/early.h"

struct anchor;
struct redactor;

enum block_kind { BLOCK_OFF, BLOCK_COUNT, BLOCK_LINES, BLOCK_FIELDS, BLOCK_VALUES };

enum { BLOCK_UNKNOWN = 65535 };

struct block {
    enum block_kind kind;
    uint32_t lines;     /* COUNT: as read; LINES: to come; else: seen */
    uint64_t start;     /* of what may be a secret on this line; NO_POS: nothing yet */
    uint64_t trail;     /* quotes and the like that it may end before; NO_POS: none */
    uint64_t again;     /* LINES: signs behind the trail; NO_POS: none */
    uint32_t match;     /* its open match */
    uint32_t left;      /* LINES: base64 characters to come, if all lines are full */
    uint32_t len;       /* bytes of it */
    uint16_t indent;    /* of this line */
    uint16_t owner;     /* VALUES: indent of the line that says data: */
    uint16_t scalar;    /* VALUES: indent of a key whose text is on the lines below it, + 1 */
    uint8_t key_len;
    char key[16];       /* of this line */
    char last;          /* byte before this one, of this line */
    bool in_key;        /* nothing but blanks and the key so far */
    bool skip;          /* nothing more of interest on this line */
    bool read;          /* LINES: this line has a run that ended */
    bool flat;          /* LINES: all of them stand on this line */
    uint8_t escape;     /* LINES: bytes to come of one written out */
    bool dash;          /* the line begins with the '-' of a diff, or of a list */
    uint16_t base;      /* blanks before kind: on its line */
    uint16_t width;     /* bytes of the prefix before these, */
    uint16_t column;    /* of which so many of this line were seen */
    uint16_t slashes;   /* backslashes in a row that were read last */
    struct early early; /* works beside all of this */
    uint16_t written;   /* so many before an n end a line; BLOCK_UNKNOWN: not known yet */
};

void block_init(struct block *b);
void block_begin(struct redactor *r, const struct anchor *a); /* which ends at s.pos */
bool block_step(struct redactor *r, uint8_t byte); /* one byte at s.pos; true: decided */

/* How many of the n bytes at s.pos are nothing to it, and that they were. */
size_t block_quiet(const struct block *b, const uint8_t *bytes, size_t n);
void block_take(struct block *b, const uint8_t *bytes, size_t n); /* n > 0 */

/* What stands at s.pos passes up to the end of its line, which the machine will not see; it goes on
   behind that. */
void block_pass_line(struct redactor *r);

void block_finish(struct redactor *r);
uint64_t block_hold(const struct block *b);

static inline bool block_live(const struct block *b)
{
    return b->kind != BLOCK_OFF || early_live(&b->early);
}

#endif
