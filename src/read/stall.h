// SPDX-License-Identifier: MIT
/*
 * The event of a stall (buildlog(5)) as a person wants to read it: how long nothing came, what was
 * said last, and what each process was at. Called by render.c and errors.c.
 */
#ifndef READ_STALL_H
#define READ_STALL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "read/visible.h"
#include "record/record.h"

/* Has the record what this version writes? Other events may bear the name. */
bool stall_known(const struct record *record);

/* Did buildlog stop the command? */
bool stall_killed(const struct record *record);

/* On one line, without a newline, harmless for a terminal. */
enum err_code stall_put(const struct sink *sink, const struct record *record) MUST_USE;

/* "no output for 300 s; cat (pid 12) waits in pipe_read": in short, as the log has it. */
void stall_message(const struct record *record, char *dst, size_t size);

#endif
