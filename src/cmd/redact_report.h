// SPDX-License-Identifier: MIT
/*
 * Where secrets were found: turns offsets in a stream into lines and columns, and prints one
 * finding each; never a byte of a secret. One report for all files of a run of redact.
 *
 * A mark may come out some time after its secret began, so the last REPORT_HISTORY bytes of the
 * input are kept; whoever reads gets room behind them from report_room.
 */
#ifndef CMD_REDACT_REPORT_H
#define CMD_REDACT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "cmd/out.h"
#include "redact/redact.h"

enum { REPORT_HISTORY = 64 << 10 }; /* far more than a redactor holds back */

/* A place in the stream: line and column count from 1, columns in bytes. */
struct place {
    uint64_t offset;
    uint64_t line;
    uint64_t line_start; /* offset of the line's first byte */
};

struct report {
    const struct redact_set *set;
    struct out *out;
    bool json;
    bool any;
    char *file; /* as shown */
    char *data; /* the end of the input: kept bytes and those being looked at */
    size_t size;
    size_t len;
    struct place first; /* of data[0] */
    struct place last;  /* of the last finding */
};

/* room: the most bytes that are read at once. ERR_MEMORY. */
enum err_code report_init(struct report *r, const struct redact_set *set, struct out *out,
                          bool json, size_t room) MUST_USE;
void report_release(struct report *r);

/* A file begins. name: how to call it, harmless already. */
enum err_code report_file(struct report *r, const char *name) MUST_USE;

/* Where the next bytes are to be read to: room for as many as report_init was told. */
char *report_room(struct report *r);

/* n bytes were read there; then what the redactor made of them. */
void report_read(struct report *r, size_t n);
enum err_code report_marks(struct report *r, const struct clean_vec *spans) MUST_USE;

/* After the last file. */
enum err_code report_end(struct report *r) MUST_USE;

#endif
