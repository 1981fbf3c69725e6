// SPDX-License-Identifier: MIT
/*
 * The file of one build's log: opened safely, locked, appended to in whole records.
 *
 * Invariants: size is the end of the last whole record and the hash covers the committed
 * bytes since log_file_restart_hash. `torn` says that bytes beyond size could not be cut off
 * yet; nothing is appended while it is set. Blocks up to `reserved` are allocated beyond the
 * end, so that BUILD_LOG_RESERVE bytes are left for the last words on a full disk.
 * Called by the write side only.
 */
#ifndef STORE_LOG_FILE_H
#define STORE_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <xxhash.h>

#include "base/attr.h"
#include "base/err.h"
#include "store/log_recover.h"

struct log_file {
    int fd; /* -1: not open */
    dev_t dev;
    ino_t ino;
    bool locked;
    bool torn;
    bool reserving; /* reserve ahead of the end; off until the build proves to say something */
    bool no_reserve; /* the file system cannot */
    off_t size;
    off_t reserved;
    off_t limit; /* of the size; 0: not asked for yet */
    off_t chunk;        /* how much to reserve next time */
    XXH3_state_t *hash; /* apart: it wants an alignment of its own */
};

/* Where it is to be: root and path absolute, id valid. */
struct log_place {
    const char *root;
    const char *path;
    const char *id;
};

enum err_code log_file_init(struct log_file *f) MUST_USE; /* ERR_MEMORY */
void log_file_release(struct log_file *f);

/*
 * Opens, checks and locks the file and cuts back a torn tail. ERR_REFUSED: planted,
 * compressed or locked by another. On failure f is not open.
 */
enum err_code log_file_open(struct log_file *f, const struct log_place *where,
                            struct log_past *past, struct err *e) MUST_USE;

/* Closes without a word: what the path names now is another's. */
void log_file_forget(struct log_file *f);

/* Whether the path still names the file. When that cannot be told, it is taken to. */
bool log_file_in_place(const struct log_file *f, const char *path);

/*
 * Appends whole records. *done says how many bytes, up to a record's end, are in the file,
 * also on failure; the rest left no trace unless f->torn. The last reserve is not touched.
 */
enum err_code log_file_append(struct log_file *f, const char *data, size_t n, size_t *done,
                              struct err *e) MUST_USE;

/* Cuts what lies beyond size. */
enum err_code log_file_cut(struct log_file *f, struct err *e) MUST_USE;

/* Bytes of n that may be written beyond size while `spare` bytes stay reserved behind them;
   where that is less than n, errno says why. */
size_t log_file_reserve(struct log_file *f, size_t n, size_t spare);

/* write(2) until all is written or an error comes; returns how much. Leaves size alone. */
size_t log_file_write(struct log_file *f, const char *data, size_t n);

/* Counts n bytes, whole records, as written. */
void log_file_commit(struct log_file *f, const char *data, size_t n);

enum err_code log_file_sync(struct log_file *f, struct err *e) MUST_USE;

/* Gives unused blocks back and closes. f is not open any more, whatever it returns. */
enum err_code log_file_close(struct log_file *f, struct err *e) MUST_USE;

/* Removes the file if nothing ever got into it: an empty log says nothing to anyone. */
void log_file_discard_empty(const struct log_file *f, const char *path);

void log_file_restart_hash(struct log_file *f);

#endif
