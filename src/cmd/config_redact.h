// SPDX-License-Identifier: MIT
/*
 * The key "redact" of the configuration, and files of --redact-rules, which hold the same object.
 * Lists of several files add up; of a rule that is switched on and off the later word counts.
 * buildlog-redact(1) has the keys.
 */
#ifndef CMD_CONFIG_REDACT_H
#define CMD_CONFIG_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "lib/config_file.h"

struct redact_word {
    char *text;
    size_t file; /* of redact_config.files: where it stands */
};

struct redact_words {
    struct redact_word *items;
    size_t n;
};

/* A rule of the user's own; see redact_set_add_rule. */
struct redact_user_rule {
    char *name;
    char *pattern;
    char *literal;     /* NULL: none */
    char *description; /* NULL: none */
    unsigned group;
    size_t file;
};

/* Zero-initialised is valid: nothing said. */
struct redact_config {
    bool generic;
    struct redact_words on; /* rules and groups, "pii" ones included */
    struct redact_words off;
    struct redact_words fields;
    struct redact_words env_add; /* patterns of variable names */
    struct redact_words env_except;
    struct redact_user_rule *rules;
    size_t n_rules;
    char **files;
    size_t n_files;
};

enum { REDACT_USER_RULES_MAX = 1000, REDACT_WORDS_MAX = 1000 };

struct cJSON;

/*
 * Takes the object that stands at `at`; also reads its "rules_file". ERR_FORMAT, ERR_SYSTEM,
 * ERR_NOT_FOUND, ERR_MEMORY: e names the file, the key or rule, and why; c is to be released.
 */
enum err_code redact_config_take(struct redact_config *c, const struct cJSON *object,
                                 const struct config_place *at, struct err *e) MUST_USE;

/* The same from a file of its own (--redact-rules). */
enum err_code redact_config_load_file(struct redact_config *c, const char *path,
                                      struct err *e) MUST_USE;

/* A word of the command line: switches a rule or group on or off. */
enum err_code redact_config_switch(struct redact_config *c, const char *name, bool on,
                                   struct err *e) MUST_USE;

/* Where a word or a rule stands; NULL: the command line. */
const char *redact_config_file(const struct redact_config *c, size_t file);

void redact_config_release(struct redact_config *c);

struct nearest;

/* What config_bad says of a key that none of the words offered to near is; inside: "redact: "
   or "". */
enum err_code config_unknown_key(struct err *e, const struct config_place *at, const char *inside,
                                 const struct nearest *near);

#endif
