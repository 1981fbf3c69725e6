// SPDX-License-Identifier: MIT
/* What `buildlog errors` prints for machines: json, github and junit. Private to errors*.c. */
#ifndef CMD_ERRORS_FORMAT_H
#define CMD_ERRORS_FORMAT_H

#include "base/attr.h"
#include "base/err.h"
#include "cmd/findings.h"
#include "cmd/out.h"

/* One object, the members as buildlog-errors(1) has them. */
enum err_code put_errors_json(const struct findings *f, struct out *out, struct err *e) MUST_USE;

/* Workflow commands, escaped as in "Workflow commands for GitHub Actions" and the runner's own
   ActionCommand.cs: % CR LF in the message, and : and , in properties, too. */
enum err_code put_errors_github(const struct findings *f, struct out *out,
                                struct err *e) MUST_USE;

/* JUnit's XML as Jenkins and GitLab read it: a test case for each error. */
enum err_code put_errors_junit(const struct findings *f, struct out *out, struct err *e) MUST_USE;

/* The records around an error, and the last ones, as numbered lines. */
enum err_code put_around(const struct sink *s, const struct findings *f,
                         const struct error_finding *error, struct err *e) MUST_USE;
enum err_code put_last(const struct sink *s, const struct findings *f, struct err *e) MUST_USE;

#endif
