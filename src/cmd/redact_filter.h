// SPDX-License-Identifier: MIT
/*
 * One input after the other through a redactor of its own, to standard output or to nobody.
 * What a read brought is written before the next read, so a slow input comes out as it comes;
 * a fast one goes in large pieces. On a terminal, after a pause, held bytes that are no secret
 * yet are shown early.
 */
#ifndef CMD_REDACT_FILTER_H
#define CMD_REDACT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cmd/redact_report.h"
#include "redact/redact.h"

struct redact_filter {
    struct redact_set *set;
    struct report *report; /* NULL: none */
    bool discard;          /* nothing is written */
    bool terminal;         /* standard output is one */
    char *scratch;         /* of a read, without a report */
    uint64_t *counts;      /* marks per rule in the last input */
    uint64_t marks;        /* and together */
    int out_errno;         /* standard output failed: nothing more is to be done */
    struct clean_vec spans;
};

/* f's set, report and discard are set by the caller. ERR_MEMORY. */
enum err_code redact_filter_init(struct redact_filter *f) MUST_USE;
void redact_filter_release(struct redact_filter *f);

enum { FILTER_READ_SIZE = 256 << 10 };

/*
 * All of in_fd. name: for messages. ERR_SYSTEM with f->out_errno 0: it cannot be read (what was
 * read has come out, all the same); else standard output failed. ERR_REFUSED: it is standard
 * output, which would never end. ERR_MEMORY.
 */
enum err_code redact_filter_run(struct redact_filter *f, int in_fd, const char *name,
                                struct err *e) MUST_USE;

#endif
