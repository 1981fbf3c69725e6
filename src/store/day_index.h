// SPDX-License-Identifier: MIT
/*
 * A cache of digests: ROOT/index/YYYY-MM-DD, one file for the builds of one UTC day that have
 * ended. Never trusted over the logs: an entry counts only while its log has the inode, size,
 * mtime and ctime that it had when it was read, so that whatever is changed, added, removed or
 * restored is seen; and the whole may be deleted at any time.
 *
 * A file is used only if it is a regular one with a single link that belongs to the caller, and
 * its checksum (XXH3-64) is right; a torn, foreign or future one is as good as none. The format
 * is that of the machine, which the header tells, and no promise to anyone.
 *
 * Called by survey beside it.
 */
#ifndef STORE_DAY_INDEX_H
#define STORE_DAY_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ulid.h"
#include "store/digest.h"

struct day_index;
struct index_entry;

/* The index of this day ("2026-01-02"), NULL when there is none that counts. */
struct day_index *day_index_load(int root_fd, const char *day);
void day_index_free(struct day_index *x); /* NULL is fine */

/* The entry for a valid id, NULL when there is none. */
const struct index_entry *day_index_find(const struct day_index *x, const char *id);

/* Fills *out, valid as long as x, if the entry is of the log that *st describes. */
bool index_entry_digest(const struct day_index *x, const struct index_entry *entry,
                        const struct stat *st, struct digest *out);

bool index_entry_compressed(const struct index_entry *entry);

/* A new index, made an entry at a time. */
struct index_maker {
    struct buf entries;
    struct buf texts;
    bool failed;
};

void index_maker_init(struct index_maker *m);
void index_maker_release(struct index_maker *m);
void index_maker_clear(struct index_maker *m);

/* Builds that have not ended are left out, and so are logs that are in question. */
void index_maker_add(struct index_maker *m, const char *id, const struct stat *st,
                     const struct digest *d);

/* Puts it in place of the day's index. Failure is told and changes nothing. */
enum err_code index_maker_save(struct index_maker *m, int root_fd, const char *day,
                               struct err *e) MUST_USE;

#endif
