// SPDX-License-Identifier: MIT
/*
 * What lists and figures need of a build, read from a few KiB at the head and the tail of its
 * log and without a tree: a hundred thousand of them a second.  Whatever is not the plain case
 * (running, lost, compressed, not in our encoder's shape, a command of many KiB) takes the way of
 * build_report_read, so that both say the same.
 *
 * Called by survey beside it.
 */
#ifndef STORE_DIGEST_H
#define STORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"

enum outcome {
    OUTCOME_OK,
    OUTCOME_FAILED,
    OUTCOME_SIGNALED,
    OUTCOME_TIMEOUT,
    OUTCOME_INTERRUPTED,
    OUTCOME_EXEC_FAILED,
    OUTCOME_OTHER, /* ended with a status that this version does not know */
    OUTCOME_RUNNING,
    OUTCOME_LOST,
    N_OUTCOMES
};

enum {
    DIGEST_TITLE_MAX = 200, /* bytes that are kept */
    DIGEST_LABELS_MAX = 2048
};

struct digest {
    enum outcome outcome;
    bool compressed;
    bool labels_cut; /* there are more labels than fit: look into the log */
    bool named;      /* the title is the build's name */
    /* Of the end record, -1 where it does not say and for a build that has not ended. */
    int64_t duration_ms, lines, bytes;
    /* The name, else the words of the command with spaces between them, cut at a character's
       end. Raw: not fit for a terminal. */
    struct raw_span title;
    /* "key=value\0key=value\0". */
    struct raw_span labels;
};

/* Reads digests; one at a time is valid. Zero-initialised is valid. */
struct digester {
    int root_fd; /* the caller's */
    char *head;  /* private from here on */
    char *tail;
    char *text;
    size_t text_len;
};

void digester_release(struct digester *d);

/*
 * The digest of a valid id whose day directory is day_fd, valid until the next call; *st is the
 * log's. ERR_NOT_FOUND: it has gone. Errors otherwise as log_reader_open and
 * build_report_read.
 */
enum err_code digest_read(struct digester *d, int day_fd, const char *id, struct digest *out,
                          struct stat *st, struct err *e) MUST_USE;

/* "ok" … "running", "lost"; "unknown" for OUTCOME_OTHER. */
const char *outcome_name(enum outcome outcome);

/* Ended, and not well. */
bool outcome_failed(enum outcome outcome);

/* Whether there is this "key=value" among the labels. */
bool digest_has_label(const struct digest *d, const char *label);

#endif
