// SPDX-License-Identifier: MIT
/* Stores, results and versions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "lib/handle.h"
#include "lib/where.h"
#include "read/level.h"
#include "store/layout.h"
#include "store/select.h"

#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number
#define HEADER_VERSION                                                                           \
    TEXT_OF(BUILDLOG_VERSION_MAJOR)                                                              \
    "." TEXT_OF(BUILDLOG_VERSION_MINOR) "." TEXT_OF(BUILDLOG_VERSION_PATCH)

_Static_assert(sizeof(HEADER_VERSION) == sizeof(BUILDLOG_VERSION),
               "buildlog.h and the Makefile name different versions");
_Static_assert((int)BUILDLOG_ID_SIZE == (int)ULID_SIZE, "an id is a ULID");
_Static_assert((int)BUILDLOG_LEVEL_TRACE == (int)LEVEL_TRACE &&
                   (int)BUILDLOG_LEVEL_DEBUG == (int)LEVEL_DEBUG &&
                   (int)BUILDLOG_LEVEL_INFO == (int)LEVEL_INFO &&
                   (int)BUILDLOG_LEVEL_WARN == (int)LEVEL_WARN &&
                   (int)BUILDLOG_LEVEL_ERROR == (int)LEVEL_ERROR &&
                   (int)BUILDLOG_LEVEL_FATAL == (int)LEVEL_FATAL,
               "levels are numbered alike");

const char *buildlog_version(void)
{
    return HEADER_VERSION;
}

int buildlog_version_number(void)
{
    return BUILDLOG_VERSION_NUMBER;
}

/* ---- results -------------------------------------------------------------------------------- */

static int result_of(enum err_code rc)
{
    switch (rc) {
    case ERR_NONE:
        return BUILDLOG_OK;
    case ERR_MEMORY:
        return BUILDLOG_ERROR_MEMORY;
    case ERR_USAGE:
        return BUILDLOG_ERROR_USAGE;
    case ERR_REFUSED:
        return BUILDLOG_ERROR_REFUSED;
    case ERR_NOT_FOUND:
        return BUILDLOG_ERROR_NOT_FOUND;
    case ERR_FORMAT:
        return BUILDLOG_ERROR_FORMAT;
    case ERR_SYSTEM:
    default:
        return BUILDLOG_ERROR_SYSTEM;
    }
}

int lib_result(enum err_code rc, const struct err *e, struct buildlog_error *error)
{
    int result = result_of(rc);

    if (result < 0 && error != NULL) {
        error->code = result;
        error->system_errno = e->sys_errno;
        (void)err_format(e, error->text, sizeof(error->text));
        if (error->text[0] == '\0')
            snprintf(error->text, sizeof(error->text), "%s",
                     rc == ERR_MEMORY ? "no memory" : "unknown error");
    }
    return result;
}

int lib_usage(struct buildlog_error *error, const char *what, const char *subject,
              const char *why)
{
    struct err e = {0};

    return lib_result(err_set(&e, ERR_USAGE, what, subject, "%s", why), &e, error);
}

enum buildlog_state lib_state(enum build_state state)
{
    switch (state) {
    case STATE_RUNNING:
        return BUILDLOG_STATE_RUNNING;
    case STATE_ENDED:
        return BUILDLOG_STATE_ENDED;
    case STATE_LOST:
    default:
        return BUILDLOG_STATE_LOST;
    }
}

/* glibc has the "C" locale ready made: nothing is allocated, nothing can fail. */
locale_t lib_enter(void)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    return c != (locale_t)0 ? uselocale(c) : (locale_t)0;
}

void lib_leave(locale_t before)
{
    if (before != (locale_t)0)
        (void)uselocale(before);
}

/* ---- stores --------------------------------------------------------------------------------- */

static enum err_code open_root(struct buildlog *store, const char *dir, struct err *e)
{
    char *configured = NULL;
    enum err_code rc = ERR_NONE;

    if (where_asks_files(dir))
        rc = where_configured(&configured, e);
    if (rc == ERR_NONE)
        rc = layout_root(dir, configured, &store->root, e);
    free(configured);
    return rc == ERR_NONE ? layout_open_root(store->root, false, &store->root_fd, e) : rc;
}

int buildlog_open(struct buildlog **out, const char *dir, struct buildlog_error *error)
{
    locale_t before = lib_enter();
    struct buildlog *store = calloc(1, sizeof(*store));
    struct err e = {0};
    enum err_code rc;

    *out = NULL;
    if (store == NULL) {
        rc = err_set(&e, ERR_MEMORY, "cannot open the store", "", "no memory");
    } else {
        store->root_fd = -1;
        rc = open_root(store, dir, &e);
    }
    if (rc == ERR_NONE)
        *out = store;
    else
        buildlog_close(store);
    lib_leave(before);
    return lib_result(rc, &e, error);
}

void buildlog_close(struct buildlog *store)
{
    if (store == NULL)
        return;
    if (store->root_fd >= 0)
        sys.close(store->root_fd);
    free(store->root);
    free(store);
}

const char *buildlog_dir(const struct buildlog *store)
{
    return store->root;
}

int buildlog_resolve(const struct buildlog *store, const char *word, char id[BUILDLOG_ID_SIZE],
                     struct buildlog_error *error)
{
    locale_t before = lib_enter();
    struct err e = {0};
    enum err_code rc = select_build(store->root_fd, word, id, &e);

    lib_leave(before);
    return lib_result(rc, &e, error);
}

/* ---- levels --------------------------------------------------------------------------------- */

const char *buildlog_level_name(enum buildlog_level level)
{
    if (level < BUILDLOG_LEVEL_TRACE || level > BUILDLOG_LEVEL_FATAL)
        return NULL;
    return level_name((enum level)level);
}

int buildlog_level_parse(const char *name)
{
    return (int)level_parse(name);
}
