// SPDX-License-Identifier: MIT
/*
 * Where logs live: ROOT/builds/YYYY-MM-DD/ULID.log, the day being the UTC day of the id's
 * own timestamp. Below ROOT no symlink is followed (openat2 RESOLVE_BENEATH |
 * RESOLVE_NO_SYMLINKS, else component by component with O_NOFOLLOW).
 */
#ifndef STORE_LAYOUT_H
#define STORE_LAYOUT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/ulid.h"

enum { LAYOUT_REL_SIZE = 64 }; /* "builds/2026-01-02/01ARZ3NDEKTSV4RRFFQ69G5FAV.log.gz" */

#define LAYOUT_DIR_MODE 0750
#define LAYOUT_FILE_MODE 0640

/* "builds/YYYY-MM-DD/ID.log" below the root; returns dst. id must be valid. */
char *layout_rel_path(const char *id, char dst[LAYOUT_REL_SIZE]);

/* The day directory alone: "builds/YYYY-MM-DD". */
char *layout_rel_day(const char *id, char dst[LAYOUT_REL_SIZE]);

/* Opens ROOT itself (a symlink there is the user's own choice), made with its parents if
   create. Close-on-exec. */
enum err_code layout_open_root(const char *root, bool create, int *fd, struct err *e) MUST_USE;

/*
 * Opens rel below root_fd with flags (O_CLOEXEC | O_NONBLOCK | O_NOCTTY added), following no
 * symlink in any component. ERR_REFUSED when a symlink or a non-directory stands in the way
 * (ELOOP, ENOTDIR), ERR_NOT_FOUND on ENOENT.
 */
enum err_code layout_open(int root_fd, const char *rel, int flags, int *fd,
                          struct err *e) MUST_USE;

/* Makes every missing directory of rel below root_fd, 0750 less umask, following no symlink. */
enum err_code layout_make_dirs(int root_fd, const char *rel, struct err *e) MUST_USE;

/* The store's root after the contract's precedence: dir (may be NULL), $BUILDLOG_DIR,
   configured (may be NULL), first of $LOGS_DIRECTORY, state directory. Made absolute,
   malloc'ed. ERR_NOT_FOUND when there is no home directory. */
enum err_code layout_root(const char *dir, const char *configured, char **root,
                          struct err *e) MUST_USE;

#endif
