// SPDX-License-Identifier: MIT
/* What errors and show share: one build read and searched, and how a finding is told. */
#ifndef CMD_FINDINGS_H
#define CMD_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "read/errors.h"
#include "read/visible.h"

struct findings {
    const struct cmd_args *args;
    struct opened_build build;
    struct build_report report; /* start: of the last attempt */
    struct errors *errors;
    const struct error_finding *first; /* NULL: nothing found */
    uint64_t last_seq;
    struct log_left_out left_out;
};

/* Opens the build that the operand names and reads all of it. */
enum err_code findings_read(struct findings *f, const struct cmd_args *args,
                            struct err *e) MUST_USE;
void findings_release(struct findings *f);

/* Whether an error is worth telling after the first one: what is no cascade of it, no worse
   known, and not the first one itself. */
bool findings_further(const struct findings *f, const struct error_finding *error);

/* "cc: src/main.c:12:5: message", one line without its end, harmless, the message cut after
   max bytes. */
enum err_code put_finding(const struct sink *s, const struct error_finding *error,
                          size_t max) MUST_USE;

/* "buildlog show ID --seq A-B", as a shell reads it, --dir included if it was given. */
enum err_code put_show_hint(const struct sink *s, const struct findings *f, uint64_t from,
                            uint64_t to) MUST_USE;

/* " --dir DIR", or nothing. */
enum err_code put_dir_option(const struct sink *s, const struct cmd_args *args) MUST_USE;

#endif
