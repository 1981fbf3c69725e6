// SPDX-License-Identifier: MIT
/* What --help and `buildlog help` print, all of it from src/commands.tab. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include <stdio.h>

#include "cmd/cmd.h"

void help_overview(FILE *to);
void help_command(FILE *to, const struct command *c);

/* The command of that name. NULL and ERR_USAGE with the nearest names when there is none. */
const struct command *command_find(const char *name, struct err *e);

/* Ends output to stdout: false, and a message, if not all of it could be written. */
bool help_flush(const struct command *c) MUST_USE;

#endif
