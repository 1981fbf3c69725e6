// SPDX-License-Identifier: MIT
/*
 * Configuration files: JSON with // and block comments. The system's file is read first, then
 * the user's, whose keys win. A file that does not exist is fine. buildlog(5) has the keys.
 */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

#include "base/attr.h"
#include "base/err.h"
#include "cmd/config_redact.h"

/* What is set; a member is NULL or empty when no file sets it. */
struct config {
    char *dir; /* "dir": the store, an absolute path */
    struct redact_config redact;
};

/*
 * Reads the system's file and ${XDG_CONFIG_HOME:-~/.config}/buildlog/config.json.
 * ERR_FORMAT: a file is not valid (which one, where and why is in e); ERR_SYSTEM: it cannot
 * be read. *c is empty then.
 */
enum err_code config_load(struct config *c, struct err *e) MUST_USE;

/* The same for one file: its keys replace those of *c. */
enum err_code config_load_file(struct config *c, const char *path, struct err *e) MUST_USE;

void config_release(struct config *c);

#endif
