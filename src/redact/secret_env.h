// SPDX-License-Identifier: MIT
/*
 * Which environment variables hold secrets, by their names and values.
 *
 * A name says secret if it fits a pattern of the shipped list or of the caller's, and no
 * exception: the caller's exceptions go before his names, his names before the shipped
 * exceptions. PWD and OLDPWD never do. Besides, the password within a URL is a value of its
 * own, whatever the name, also percent-decoded; where the name ends as that of a URL does, so
 * is the whole of it.
 *
 * Called by cmd/ before the command starts.
 */
#ifndef REDACT_SECRET_ENV_H
#define REDACT_SECRET_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Globs of '*' and '?', any case. Plain data, may be zeroed. */
struct secret_env_config {
    const char *const *names;
    size_t n_names;
    const char *const *exceptions;
    size_t n_exceptions;
};

/* Why a value is not to be looked for: it would be found in every log. */
enum secret_env_verdict {
    SECRET_ENV_TAKEN,
    SECRET_ENV_SHORT,  /* under KNOWN_FLOOR bytes */
    SECRET_ENV_LONG,   /* over KNOWN_VALUE_MAX bytes */
    SECRET_ENV_DIGITS, /* only digits */
    SECRET_ENV_COMMON, /* of the word list, in any case */
    SECRET_ENV_PATH,   /* an absolute path that exists */
    N_SECRET_ENV_VERDICTS
};

/* "only digits" and its like, for people. */
const char *secret_env_why(enum secret_env_verdict verdict);

/* What to think of a value; blanks and line ends around it do not count. */
enum secret_env_verdict secret_env_judge(struct raw_span value);

struct secret_env_value {
    struct raw_span name;
    struct raw_span value; /* valid during the call */
    bool part;             /* the password of the URL that the variable holds */
    enum secret_env_verdict verdict;
};

typedef void secret_env_fn(void *ctx, const struct secret_env_value *value);

/* Calls fn for every secret of env (NULL-terminated, "NAME=value"; others are passed over),
   the refused ones too; empty values are none. config may be NULL. */
void secret_env_scan(char *const *env, const struct secret_env_config *config, secret_env_fn *fn,
                     void *ctx);

#endif
