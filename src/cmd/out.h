// SPDX-License-Identifier: MIT
/*
 * What a command prints on stdout: gathered, written in large pieces, whole even where
 * the descriptor is someone's non-blocking pipe. The first failure ends it; `status` tells
 * which exit code that means.
 */
#ifndef CMD_OUT_H
#define CMD_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "read/visible.h"

struct out {
    int fd;
    struct buf buf;
    bool terminal;
    bool colour;    /* a terminal, NO_COLOR unset, TERM not "dumb"; or --color */
    size_t columns; /* of the terminal; 0: not limited */
    int failed;     /* errno of the first failure, 0: none */
};

void out_init(struct out *o);
void out_init_fd(struct out *o, int fd); /* stderr instead of stdout */

/* The same after the options: --color says more than NO_COLOR, TERM and what stdout is. */
void out_init_for(struct out *o, const struct cmd_args *args);
void out_release(struct out *o);
struct sink out_sink(struct out *o);
enum err_code out_flush(struct out *o) MUST_USE;

/* True where a runner of GitHub Actions reads what commands print, and obeys some of it. */
bool out_obeyed(void);

/* Writes what is left. `status`, or what a failure to write means: EXIT_TROUBLE with a message,
   or what the shell sees of a SIGPIPE, silently, when nobody reads any more. */
int out_finish(struct out *o, const struct command *c, int status) MUST_USE;

#endif
