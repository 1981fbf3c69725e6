// SPDX-License-Identifier: MIT
/*
 * What this process looks for: shipped rules, the user's rules and fields, and the values of its
 * own environment, put together from options, configuration and environment. Used by run, by
 * redact, and for every message on stderr.
 */
#ifndef CMD_REDACTION_H
#define CMD_REDACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/config_redact.h"
#include "redact/redact.h"

/* A variable of the environment whose name says that its value is secret, or whose value has a
   password in it. */
struct redaction_var {
    const char *name; /* not NUL-terminated: points into the environment */
    size_t name_len;
    bool part;        /* it is about the password in its value */
    const char *refused; /* why it is not removed; NULL: it is */
};

struct redaction {
    struct redact_set *set;
    struct redact_config config;
    struct redaction_var *vars;
    size_t n_vars;
};

/*
 * Makes the set. *config is taken over, also on an error, and extended by the options of args
 * (may be NULL: no options). ERR_USAGE, ERR_FORMAT …: something the user said cannot be used;
 * e names it and the file it stands in. r is released then.
 */
enum err_code redaction_make(struct redaction *r, const struct cmd_args *args,
                             struct redact_config *config, struct err *e) MUST_USE;
void redaction_release(struct redaction *r); /* zero-initialised is fine */

/*
 * A set for one message, made from configuration and environment. What is wrong with the
 * configuration is not said here: the shipped rules and the environment count then. NULL: no
 * memory; then nothing of the message may be shown.
 */
struct redact_set *redaction_for_message(void);

#endif
