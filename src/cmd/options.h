// SPDX-License-Identifier: MIT
/*
 * The option parser, driven by the table of a command (src/commands.tab).
 *
 *   --opt value   --opt=value   -o value   -ovalue   -fo value   --  ends the options
 *
 * The word after an option that wants a value is the value, whatever it looks like. Names
 * are not abbreviated. Of an option that is not repeatable the last one wins; the earlier
 * ones must be well-formed all the same.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/attr.h"
#include "base/err.h"
#include "cmd/cmd.h"

/*
 * Parses the words after the command's name (argv, NULL-terminated). ERR_USAGE names the
 * word that is wrong and why; args is then empty. When --help is met, parsing stops: args
 * holds it as its only option and operands are not counted.
 */
enum err_code options_parse(const struct command *c, char **argv, struct cmd_args *args,
                            struct err *e) MUST_USE;

void options_release(struct cmd_args *args);

/* The one that counts (the last) of option id, or NULL. */
const struct parsed_option *options_find(const struct cmd_args *args, int id);

#endif
