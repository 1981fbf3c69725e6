// SPDX-License-Identifier: MIT
/*
 * Whether a log is whole and as it was written: every line a sound record of this build, numbers
 * without a hole that no gap record covers, start and end records where they belong, and each
 * attempt's hash (XXH3-128 over its bytes, log_seal.c). A gap is what the writer told: no damage.
 *
 * The log is read once, in memory bounded by LOG_LINE_MAX; of one that is being written as far
 * as its last newline was when that began.
 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

enum verify_verdict {
    VERIFY_INTACT,
    VERIFY_RUNNING, /* sound as far as it is written */
    VERIFY_LOST,    /* sound as far as it goes, but it has no end: what is missing is not known */
    VERIFY_DAMAGED
};

enum { VERIFY_PROBLEMS_KEPT = 8, VERIFY_WHAT = 96 };

struct verify_problem {
    uint64_t line;         /* from 1 */
    uint64_t at;           /* where the line begins in the (uncompressed) log */
    char what[VERIFY_WHAT]; /* in words, nothing of the log in it but numbers */
};

struct verify_result {
    enum verify_verdict verdict;
    uint64_t bytes;    /* of the (uncompressed) log that were read */
    uint64_t records;  /* sound ones */
    uint64_t attempts; /* start records */
    uint64_t sealed;   /* attempts with an end record whose hash is right */
    uint64_t unsealed; /* attempts, but for the last one, that have no end */
    uint64_t gaps;
    uint64_t missing_lines; /* that the gap records tell of */
    uint64_t foreign;       /* records of a kind this version does not know */
    uint64_t torn_bytes;    /* of an unfinished record at the end of a lost log */
    bool newer;             /* a newer version wrote it */
    uint64_t problems;
    struct verify_problem problem[VERIFY_PROBLEMS_KEPT]; /* the first ones */
};

/* Errors, which are no verdict: as log_reader_open, and what reading meets. */
enum err_code verify_log(int root_fd, const char *id, struct verify_result *out,
                         struct err *e) MUST_USE;

#endif
