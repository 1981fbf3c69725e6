// SPDX-License-Identifier: MIT
/*
 * Subcommands and their options as tables. src/commands.tab is the single source; the build
 * makes the tables (commands.gen.h, commands.gen.c) from it. Only cmd/ prints and chooses
 * exit codes.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

enum exit_code {
    EXIT_FOUND = 0,
    EXIT_NOTHING = 1,  /* query, errors: nothing found; verify: damaged */
    EXIT_TROUBLE = 2,  /* trouble and usage errors everywhere but in run */
    EXIT_TIMEOUT = 124,
    EXIT_REFUSED = 125, /* run: buildlog itself refused */
    EXIT_CANNOT_EXEC = 126,
    EXIT_COMMAND_MISSING = 127,
    EXIT_SIGNAL_BASE = 128
};

enum option_type {
    OPTION_FLAG,
    OPTION_TEXT,     /* any text */
    OPTION_ID,       /* a whole ULID */
    OPTION_DURATION, /* number: nanoseconds; -1 for "inf" where the table allows it */
    OPTION_SIZE,     /* number: bytes */
    OPTION_NUMBER,   /* number, with the table's bounds */
    OPTION_CHOICE,   /* number: index into choices */
    OPTION_LABEL     /* text "key=value", key [A-Za-z_][A-Za-z0-9_.-]{0,63} */
};

struct option_spec {
    int id;            /* OPT_TIMEOUT … from commands.gen.h */
    const char *name;  /* "timeout", without dashes */
    char letter;       /* 'f' for -f, 0 for none */
    enum option_type type;
    const char *value_name;     /* "DURATION"; NULL for flags */
    const char *const *choices; /* NULL-terminated, for OPTION_CHOICE */
    uint32_t pending_choices;   /* bit i: choices[i] is refused as not supported yet */
    uint64_t min, max;          /* for numbers, sizes and durations (ns); of a text its length */
    bool allow_inf;
    bool repeatable;
    const char *pending; /* not NULL: refused with this text ("… is not supported yet") */
    const char *help;
};

struct parsed_option {
    const struct option_spec *spec;
    const char *text; /* as typed; NULL for flags */
    int64_t number;
};

struct cmd_args {
    const struct command *command;
    struct parsed_option *options; /* in the order typed */
    size_t n_options;
    char **operands; /* NULL-terminated */
    int n_operands;
};

struct command {
    const char *name;
    const char *synopsis; /* what follows the name */
    const char *summary;
    int (*main)(const struct cmd_args *args); /* returns the exit code */
    const struct option_spec *options;
    size_t n_options;
    int usage_status;      /* 125 or 2 */
    bool stop_at_operand;  /* option parsing ends at the first operand */
    bool numeric_operands; /* -1, -2 … are operands ("the last", "the one before") */
    int min_operands, max_operands; /* max -1: any number */
};

/* Prints "buildlog NAME: MESSAGE" on stderr, one line in one write. */
void cmd_warn(const struct command *c, const char *format, ...) PRINTF_LIKE(2, 3);
void cmd_warn_err(const struct command *c, const struct err *e);

/*
 * The store's root for a command: --dir's value (may be NULL), environment, configuration
 * file, default. malloc'ed. Errors as layout_root and config_load.
 */
enum err_code cmd_root(const char *dir, char **root, struct err *e) MUST_USE;

#endif
