// SPDX-License-Identifier: MIT
/*
 * What the parts of the library share: the store, and how an error leaves it. Private to
 * src/lib.
 *
 * A host may have called setlocale(3). TRE then takes UTF-8 sequences for characters, and printf
 * may write numbers its way: so the calling thread is in the "C" locale (uselocale(3), of this
 * thread alone) from lib_enter to lib_leave, around whatever compiles, searches or formats.
 */
#ifndef LIB_HANDLE_H
#define LIB_HANDLE_H

#include <locale.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/ulid.h"
#include "lib/buildlog.h"
#include "store/state.h"

struct buildlog {
    char *root; /* absolute */
    int root_fd;
};

/* Gives the result for rc; if it is an error, what e says goes to *error (may be NULL). */
int lib_result(enum err_code rc, const struct err *e, struct buildlog_error *error) MUST_USE;

/* The same for an argument that makes no sense. */
int lib_usage(struct buildlog_error *error, const char *what, const char *subject,
              const char *why) MUST_USE;

enum buildlog_state lib_state(enum build_state state);

locale_t lib_enter(void);
void lib_leave(locale_t before);

#endif
