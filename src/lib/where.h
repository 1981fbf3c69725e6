// SPDX-License-Identifier: MIT
/* Where the configuration puts the store: its files, and the one key of them that readers need.
   Used by store.c; by cmd/ for the files' names. */
#ifndef LIB_WHERE_H
#define LIB_WHERE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

#define WHERE_SYSTEM_FILE "/etc/buildlog/config.json"

/* ${XDG_CONFIG_HOME:-~/.config}/buildlog/config.json, malloc'ed; NULL when there is no home
   directory (or no memory). */
char *where_user_file(void);

/* Whether the files are asked at all: what wins over them makes reading them a waste of time.
   dir: the caller's directory, or NULL. */
bool where_asks_files(const char *dir);

/*
 * "dir" of the user's file, else of the system's, malloc'ed; NULL: neither sets it. Other keys
 * are not looked at. ERR_FORMAT: a file is not valid, or "dir" no absolute path; ERR_SYSTEM.
 */
enum err_code where_configured(char **dir, struct err *e) MUST_USE;

#endif
