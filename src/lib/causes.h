// SPDX-License-Identifier: MIT
/* One log read as a whole for what went wrong in it (read/errors.h). Used by errors.c beside it
   and by cmd/. */
#ifndef LIB_CAUSES_H
#define LIB_CAUSES_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "read/errors.h"
#include "store/log_reader.h"
#include "store/state.h"

/* What the log says; the caller's, who ends errors and report in the usual ways. */
struct causes {
    struct build_report report; /* start: of the last attempt */
    struct errors *errors;
    uint64_t last_seq;
    struct log_left_out left_out;
};

/* On an error *c holds nothing. */
enum err_code causes_read(struct causes *c, struct log_reader *r, struct err *e) MUST_USE;

#endif
