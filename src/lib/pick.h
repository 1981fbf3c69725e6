// SPDX-License-Identifier: MIT
/*
 * Which builds are meant, and in which order. Used by the library beside it and by cmd/, so that
 * both read the same logs.
 */
#ifndef LIB_PICK_H
#define LIB_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/ulid.h"
#include "store/log_reader.h"
#include "store/state.h"

/* Ids. Zero-initialised is valid: none. */
struct id_list {
    char (*ids)[ULID_SIZE];
    size_t n;
    size_t cap;
};

void id_list_release(struct id_list *list);

/* Days that could not be read, and why the first of them. */
struct pick_trouble {
    uint64_t days;
    struct err first;
};

/* The build that a word means (select_build), and its log. */
enum err_code pick_open(int root_fd, const char *word, char id[ULID_SIZE],
                        struct log_reader **reader, struct err *e) MUST_USE;

/* Adds the build that a word means. */
enum err_code pick_named(struct id_list *list, int root_fd, const char *word,
                         struct err *e) MUST_USE;

/* Adds every build that may have records before until_ms (INT64_MAX: every one). */
enum err_code pick_all(struct id_list *list, int root_fd, int64_t until_ms,
                       struct pick_trouble *trouble, struct err *e) MUST_USE;

/* Brings them into the order of their ids, or its reverse, each once. */
void pick_order(struct id_list *list, bool reverse);

/* Whether the log cannot have records of since_ms (INT64_MIN: any time) or later. */
bool pick_ended_before(const struct log_reader *r, int64_t since_ms);

/* Whether a start record has the label "key=value". */
bool pick_has_label(const struct build_report *report, const char *label);

/* The first record, if it is a start record, is all of the report. */
enum err_code pick_read_start(struct log_reader *r, struct build_report *report,
                              struct err *e) MUST_USE;

/* What a search that did not reach the end of a log leaves uncounted: the bytes behind its last
   newline. Moves r. */
uint64_t pick_torn_bytes(struct log_reader *r);

#endif
