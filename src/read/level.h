// SPDX-License-Identifier: MIT
/*
 * How bad a record is. Decided when reading, so that logs of any age have levels: from what the
 * record itself says, else from the shape of the text.
 *
 *   the record's "level"; events by it, or by their name; gaps are warnings
 *   JSON lines      level, lvl, severity, levelname, log.level … as names or as numbers of pino and
 *                   bunyan (10 to 60), syslog and GELF (0 to 7), OpenTelemetry (severityNumber)
 *   logfmt          level=error lvl=eror severity=ERROR
 *   annotations     ::error file=…  ##[warning]
 *   log lines       ERROR, [error], <3>, E0412 12:00:00.1 (glog), WARN in a log line's head
 *   compilers       x.c:1:2: error: …  error[E0382]: …  error TS2304: …
 *   the rest        Traceback, panic:, FAILED …, SomeError: …
 *
 * The first shape of a line decides. Words in prose ("0 errors", "error-prone", "error.c",
 * "-Werror") are no shapes.
 */
#ifndef READ_LEVEL_H
#define READ_LEVEL_H

#include "base/span.h"
#include "store/log_reader.h"

enum level {
    LEVEL_NONE, /* not a level, or nothing says one */
    LEVEL_TRACE,
    LEVEL_DEBUG,
    LEVEL_INFO,
    LEVEL_WARN,
    LEVEL_ERROR,
    LEVEL_FATAL
};

/*
 * The level of a line, event or gap record; what says nothing is LEVEL_INFO, so that every such
 * record has one. msg is the decoded text of a line (any bytes), and not looked at for others.
 * Start, end and foreign records: LEVEL_NONE.
 */
enum level level_of(const struct log_item *item, struct raw_span msg);

/* The same of a record that is decoded already; NULL: it says no level, or could not be. */
enum level level_of_record(enum record_kind kind, const struct record *record,
                           struct raw_span msg);

/* What the text of a line says by itself; LEVEL_NONE: nothing. */
enum level level_of_text(struct raw_span msg);

/* Any spelling that loggers use ("warning", "ERR", "eror", "SEVERE"); LEVEL_NONE: no such. */
enum level level_parse(const char *name);

/* "trace", "debug", "info", "warn", "error", "fatal"; "" for LEVEL_NONE. */
const char *level_name(enum level level);

#endif
