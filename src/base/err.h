// SPDX-License-Identifier: MIT
/*
 * Errors as values.  Functions below cmd/ never print and never exit: they return an
 * enum err_code that must be looked at, and fill a struct err that says what could not
 * be done, to which subject, and why.  cmd/ turns it into one line of the form
 *
 *     buildlog run: cannot open 'path': Permission denied
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

#include "base/attr.h"

enum err_code {
    ERR_NONE = 0,  /* success */
    ERR_SYSTEM,    /* a system call failed; sys_errno says how */
    ERR_MEMORY,    /* no memory, or a ceiling was reached */
    ERR_USAGE,     /* what the user typed is not valid */
    ERR_REFUSED,   /* valid, but not to be done: locked id, planted file */
    ERR_NOT_FOUND, /* the thing named does not exist */
    ERR_FORMAT     /* stored or received data is not sound */
};

enum { ERR_WHAT_MAX = 48, ERR_SUBJECT_MAX = 512, ERR_WHY_MAX = 256 };

struct err {
    enum err_code code;
    int sys_errno;                 /* 0 unless code is ERR_SYSTEM */
    char what[ERR_WHAT_MAX];       /* verb and object class: "cannot open" */
    char subject[ERR_SUBJECT_MAX]; /* as the user knows it, not escaped; "" if none */
    char why[ERR_WHY_MAX];         /* "" when sys_errno says it */
};

/* Records a failed system call from errno and returns ERR_SYSTEM. e may be NULL. */
enum err_code err_system(struct err *e, const char *what, const char *subject);

/* Records any other failure, why in printf form, and returns code. e may be NULL. */
enum err_code err_set(struct err *e, enum err_code code, const char *what, const char *subject,
                      const char *why, ...) PRINTF_LIKE(5, 6);

/* The analyzer sees one file at a time; this tells it what the two return. */
#ifdef __clang_analyzer__
static inline enum err_code err_known(enum err_code told UNUSED, enum err_code known)
{
    return known;
}
#define err_set(e, code, ...) err_known((err_set)(e, code, __VA_ARGS__), code)
#define err_system(e, what, subject) err_known((err_system)(e, what, subject), ERR_SYSTEM)
#endif

/*
 * Writes "what 'subject': why" to dst, always NUL-terminated, and returns its length.
 * Control bytes and invalid UTF-8 of the subject come out as \xNN, so that a hostile name
 * cannot drive the terminal or forge a second line.
 */
size_t err_format(const struct err *e, char *dst, size_t size);

#endif
