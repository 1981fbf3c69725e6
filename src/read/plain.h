// SPDX-License-Identifier: MIT
/*
 * The text of a line as the tool that wrote it meant it, for what looks for shapes in it: no
 * escape sequences, of a line that was written over (CR) only the last state, no blanks at the
 * end, no time stamp that a CI system put in front. Nothing here is fit for a terminal as it is:
 * control bytes are gone, but C1 and bidirectional controls are not; visible.h sees to that.
 */
#ifndef READ_PLAIN_H
#define READ_PLAIN_H

#include <stddef.h>

#include "base/span.h"

/*
 * Points into msg where there is nothing to take out, else into dst, which has size bytes; what
 * does not fit is cut off. dst and msg may be the same bytes.
 */
struct raw_span plain_text(struct raw_span msg, char *dst, size_t size);

/* The bytes of "2026-01-02T03:04:05.678Z " or the like that text begins with, 0 if it does not. */
size_t plain_timestamp_len(struct raw_span text);

#endif
