// SPDX-License-Identifier: MIT
/* What `buildlog redact --list` prints: every rule, and what becomes of secret variables. */
#ifndef CMD_REDACT_LIST_H
#define CMD_REDACT_LIST_H

#include <stdbool.h>

#include "base/attr.h"
#include "cmd/cmd.h"
#include "cmd/redaction.h"

/* Returns the exit code. */
int redact_list(const struct command *c, const struct redaction *r, bool json) MUST_USE;

#endif
