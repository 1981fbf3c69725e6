// SPDX-License-Identifier: MIT
/*
 * Values of a Kubernetes Secret that stand before what says that they are, as "kubectl get -o yaml"
 * and "-o json" have them, whose keys are sorted; and those of a Secret in JSON behind it.
 *
 *   OFF ──"apiVersion: v1"──▶ HEAD ──"data:" next──▶ VALUES ──"kind: Secret"──▶ hidden, OFF
 *    ▲                         │                       │ └──EARLY_HOLD bytes──▶ armed: hidden
 *    └──anything else──────────┴──no base64, other key─┘
 *   OFF ──"kind": "Secret"──▶ FIELDS ◀──"}"── "data": {, "stringData": {──▶ STRINGS
 *                               └──the end of its object──▶ OFF
 *
 * In a Secret each value is base64 without a line end; what is not tells that it is none. Until
 * that is settled the values and what stands between them are held. At the stream's end so much
 * base64 is a secret by itself.
 */
#ifndef REDACT_EARLY_H
#define REDACT_EARLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redactor;

enum { EARLY_HOLD = 4096, EARLY_VALUES = 32 };

struct early_value {
    uint16_t from; /* from the first one */
    uint16_t len;
};

struct early {
    uint8_t state; /* EARLY_OFF, or one of early.c's */
    bool armed;    /* what follows is hidden at once */
    bool quoted;   /* YAML: the value stands in quotes */
    uint8_t level; /* JSON: backslashes before its quotes */
    uint8_t run;   /* backslashes before this byte, saturating */
    uint8_t key_len;
    char key[12];
    uint8_t n;      /* values */
    uint8_t pads;   /* of this one */
    uint16_t width; /* bytes before the blanks of the first line */
    uint16_t base;  /* these blanks */
    uint16_t column; /* bytes read of what stands before a line's blanks */
    uint16_t indent;
    uint16_t lines;
    uint16_t depth;  /* JSON: objects and arrays, of its own */
    uint32_t match;  /* open one of this value */
    uint32_t len;    /* of this value */
    uint32_t sum;    /* of all values; FIELDS: bytes read */
    uint64_t start;  /* of this value */
    uint64_t first;  /* of the first one; NO_POS: none is held */
    struct early_value values[EARLY_VALUES];
};

enum { EARLY_OFF };

static inline bool early_live(const struct early *e)
{
    return e->state != EARLY_OFF;
}

void early_init(struct early *e);

/* "apiVersion: v1", or the same in JSON, `len` bytes, ends at s.pos. */
void early_begin(struct redactor *r, size_t len, bool json);

/* kind": "Secret", `len` bytes, ends at s.pos. */
void early_json_kind(struct redactor *r, size_t len);

/* "kind: Secret" ends at s.pos. */
void early_yaml_kind(struct redactor *r);

/* One byte at s.pos. True if something was decided. */
bool early_step(struct redactor *r, uint8_t byte);

/* What comes next is not seen: it is given up. */
void early_drop(struct redactor *r);

void early_finish(struct redactor *r);
uint64_t early_hold(const struct early *e); /* NO_POS: nothing */

#endif
