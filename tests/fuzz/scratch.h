// SPDX-License-Identifier: MIT
/* A store of the target's own, in memory where there is some for files; removed at exit. */
#ifndef TESTS_FUZZ_SCRATCH_H
#define TESTS_FUZZ_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz/must.h"
#include "store/layout.h"

static char scratch_dir[64];
static int scratch_fd = -1; /* the store */

static int scratch_remove(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void scratch_leave(void)
{
    (void)nftw(scratch_dir, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* True the first time, when it is made. */
static inline bool scratch_enter(void)
{
    if (scratch_fd >= 0)
        return false;
    snprintf(scratch_dir, sizeof(scratch_dir), "%s/blfuzz.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(scratch_dir) != NULL);
    atexit(scratch_leave);
    must(layout_open_root(scratch_dir, true, &scratch_fd, NULL) == ERR_NONE);
    return true;
}

#endif
