// SPDX-License-Identifier: MIT
/* What the reading commands share: the store, the build that a word names, and how to say things
   about a build. */
#ifndef CMD_BUILDS_H
#define CMD_BUILDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/ulid.h"
#include "cmd/cmd.h"
#include "read/visible.h"
#include "store/log_reader.h"
#include "store/state.h"

/* Opens the store after --dir and so on; *root is malloc'ed. ERR_NOT_FOUND: there is none. */
enum err_code open_store(const struct cmd_args *args, char **root, int *root_fd,
                         struct err *e) MUST_USE;

/* Whether that is what open_store said because there is no store yet. */
bool store_missing(enum err_code rc, const struct err *e);

/* The time that option id names (base/when.h) in milliseconds, or absent_ms. ERR_USAGE. */
enum err_code option_time(const struct cmd_args *args, int id, int64_t absent_ms, int64_t *ms,
                          struct err *e) MUST_USE;

/* One build of a store. */
struct opened_build {
    char *root;
    int root_fd;
    char id[ULID_SIZE];
    struct log_reader *reader;
};

/* The build that the operand names, or the default. On an error nothing stays open. */
enum err_code open_build(const struct cmd_args *args, struct opened_build *b,
                         struct err *e) MUST_USE;
void close_build(struct opened_build *b);

enum { DURATION_TEXT = 24, OUTCOME_TEXT = 96, LEFT_OUT_TEXT = 320 };

/* "0.3s", "12s", "3m05s", "1h02m", "2d03h"; returns dst. */
char *duration_text(int64_t ms, char dst[DURATION_TEXT]);

/* "2026-01-02 03:04" (or with seconds), local time; returns dst. */
char *local_time_text(int64_t ms, bool seconds, char dst[DURATION_TEXT]);

/* "ok", "failed (exit 2)", "signaled (SIGTERM)", "timeout" …; may hold hostile text. */
char *outcome_text(const struct build_report *report, char dst[OUTCOME_TEXT]);

/* The escape sequence for how the build stands: green, red, cyan (running), magenta (lost). */
const char *report_colour(const struct build_report *report);

/* What could not be read, in words, or ""; `running`: an unfinished record is no news. */
char *left_out_text(const struct log_left_out *l, bool running, char dst[LEFT_OUT_TEXT]);

/* One word, len bytes of it, as a shell would read it back, harmless. */
enum err_code put_word(const struct sink *s, const char *word, size_t len) MUST_USE;

/* The command of a start record as a shell would read it back, on one line, harmless, cut
   after about max bytes. */
enum err_code put_command(const struct sink *s, const struct record *start,
                          size_t max) MUST_USE;

#endif
