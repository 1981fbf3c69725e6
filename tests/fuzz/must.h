// SPDX-License-Identifier: MIT
/* What the targets of records, queries and configuration expect of what they stand on. */
#ifndef TESTS_FUZZ_MUST_H
#define TESTS_FUZZ_MUST_H

#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"

/* Not what is tried, but what it takes to try: memory, a file. */
static inline void must(bool good)
{
    if (!good)
        abort();
}

/* The one line that a person would see says something, and nothing to the terminal. NULL: good. */
static inline const char *check_message(const struct err *e)
{
    char line[2 * (ERR_SUBJECT_MAX + ERR_WHY_MAX)];
    size_t n = err_format(e, line, sizeof(line));

    if (e->code == ERR_NONE || e->what[0] == '\0')
        return "an error says nothing";
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            return "a message is not harmless";
    }
    return NULL;
}

#endif
