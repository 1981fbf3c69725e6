// SPDX-License-Identifier: MIT
/*
 * The commands that read give up what they do not need before they look at a log: base/sandbox.
 * With --verbose they say on stderr what is in force.
 */
#ifndef CMD_CONFINE_H
#define CMD_CONFINE_H

#include <stdbool.h>

#include "cmd/cmd.h"

/* Nothing but the store is read from here on, its /proc and configuration aside; index: its index
   may be written. After the pager has been started. */
void confine_to_store(const struct cmd_args *args, int root_fd, bool index);

/* Any file may be read, none written. */
void confine_to_reading(const struct cmd_args *args);

#endif
