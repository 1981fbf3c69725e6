// SPDX-License-Identifier: MIT
/*
 * One JSON object appended to a buffer, member by member: what the encoders of the records
 * other than lines are made of.  An error sticks: later calls do nothing, and put_close
 * takes back what was written.  Private to record/.
 */
#ifndef RECORD_PUT_H
#define RECORD_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct put {
    struct buf *b;
    size_t start;      /* b->len before the record */
    bool first;        /* no comma before the next member or element */
    enum err_code err; /* the first failure */
};

struct put put_open(struct buf *b, const char *kind); /* {"kind":"…" */
enum err_code put_close(struct put *p, size_t max) MUST_USE; /* }\n; ERR_MEMORY above max */

/* Members; with key NULL elements of an array. Absent values (ptr NULL, string NULL) are left out.
   Keys are escaped as well. */
void put_text(struct put *p, const char *key, struct clean_span value);
void put_string(struct put *p, const char *key, const char *value);
void put_unsigned(struct put *p, const char *key, uint64_t value);
void put_signed(struct put *p, const char *key, int64_t value);
void put_bool(struct put *p, const char *key, bool value);
void put_time(struct put *p, const char *key, int64_t realtime_ms); /* RFC 3339 */

/* Nested: put_begin writes the key and the bracket, put_end the closing one. */
void put_begin(struct put *p, const char *key, char bracket);
void put_end(struct put *p, char bracket);
void put_element(struct put *p, struct clean_span text); /* of an array */

#endif
