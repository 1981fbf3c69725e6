// SPDX-License-Identifier: MIT
/* The parts of a set that the scanner does not look at yet. */
#include "redact/set.h"

enum err_code redact_set_add_value(struct redact_set *set, const char *name, const char *value,
                                   size_t len, struct err *e)
{
    (void)set, (void)name, (void)value, (void)len, (void)e;
    return ERR_NONE;
}

enum err_code redact_set_add_rule(struct redact_set *set, const char *name, const char *pattern,
                                  unsigned group, const char *literal, struct err *e)
{
    (void)set, (void)pattern, (void)group, (void)literal;
    return err_set(e, ERR_REFUSED, "cannot use rule", name, "not supported yet");
}

enum err_code redact_set_add_field(struct redact_set *set, const char *path, struct err *e)
{
    (void)set;
    return err_set(e, ERR_REFUSED, "cannot use field", path, "not supported yet");
}
