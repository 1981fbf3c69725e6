// SPDX-License-Identifier: MIT
/* Which builds --status and --label ask for: what ls and query share. */
#ifndef CMD_WANTED_H
#define CMD_WANTED_H

#include <stdbool.h>

#include "cmd/cmd.h"
#include "store/state.h"

/* One of the states that --status names, or it names none. */
bool status_wanted(const struct cmd_args *args, const char *status);

/* Whether the build has the label "key=value". */
typedef bool has_label(const void *build, const char *label);

bool report_has_label(const void *report, const char *label); /* struct build_report */

/* Of each key that --label asks for one of the values. */
bool labels_wanted(const struct cmd_args *args, has_label *has, const void *build);

#endif
