// SPDX-License-Identifier: MIT
/* A record of the inside as the library hands it out. Private to src/lib. */
#ifndef LIB_RECORD_H
#define LIB_RECORD_H

#include "base/attr.h"
#include "base/buf.h"
#include "lib/buildlog.h"
#include "read/filter.h"

enum { LIB_SRC_MAX = 4096 }; /* bytes of a stream's name, which is hostile, too */

struct lib_record {
    struct buildlog_record record;
    struct buf src; /* NUL-terminated */
};

void lib_record_init(struct lib_record *r);
void lib_record_release(struct lib_record *r);

/* Valid as long as v and id. ERR_MEMORY. */
enum err_code lib_record_set(struct lib_record *r, const char *id, const struct view *v) MUST_USE;

#endif
