// SPDX-License-Identifier: MIT
/*
 * One file of configuration: JSON with // and block comments, read whole, and what can be wrong
 * with it said in one way. Used by where.c and cmd/'s config.c and config_redact.c.
 */
#ifndef LIB_CONFIG_FILE_H
#define LIB_CONFIG_FILE_H

#include "base/attr.h"
#include "base/err.h"

enum { CONFIG_FILE_MAX = 1 << 20 }; /* bytes of one file */

struct cJSON;

/* Which file, and how messages speak of it. */
struct config_place {
    const char *what;    /* "cannot use configuration" */
    const char *path;
    const char *example; /* of what the file should hold */
};

/*
 * Reads the file into *out, an object that the caller deletes. ERR_NOT_FOUND: there is no such
 * file; ERR_FORMAT: it is no regular file, too large, or not one JSON object; ERR_SYSTEM. *out
 * is NULL then.
 */
enum err_code config_read_json(const struct config_place *at, struct cJSON **out,
                               struct err *e) MUST_USE;

/* Fills e with "WHAT 'PATH': WHY" and returns ERR_FORMAT. */
enum err_code config_bad(struct err *e, const struct config_place *at, const char *why, ...)
    PRINTF_LIKE(3, 4);

#endif
