// SPDX-License-Identifier: MIT
/*
 * A pager between stdout and the terminal: $BUILDLOG_PAGER, else $PAGER, else less, run by the
 * shell; empty or "cat" means none. less gets LESS=FRX unless that is set, so that it shows
 * colours and goes away by itself when all fits on the screen.
 */
#ifndef CMD_PAGER_H
#define CMD_PAGER_H

#include <stdbool.h>
#include <sys/types.h>

struct pager {
    pid_t pid; /* 0: none */
};

/* Puts a pager before stdout, which is a terminal. Where that does not work there is none. */
void pager_start(struct pager *p);

/* Ends the output and waits for the pager. True if there was one: then a reader that went away
   is somebody who has seen enough. */
bool pager_finish(struct pager *p);

#endif
