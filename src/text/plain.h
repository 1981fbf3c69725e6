// SPDX-License-Identifier: MIT
/*
 * The text of a line as the tool that wrote it meant it, for what looks for shapes in it: no
 * escape sequences, of a line that was written over (CR) only the last state, no blanks at the
 * end. Nothing here is fit for a terminal as it is:
 * control bytes are gone, but C1 and bidirectional controls are not; visible.h sees to that.
 */
#ifndef TEXT_PLAIN_H
#define TEXT_PLAIN_H

#include <stddef.h>

#include "base/span.h"

/*
 * Points into msg where there is nothing to take out, else into dst. Gives size bytes at most: what
 * is longer is cut off.
 */
struct raw_span plain_text(struct raw_span msg, char *dst, size_t size);

/* Without its escape sequences and the CRs at its end, other control bytes in place. dst has
   text.len bytes and may be text itself. */
struct raw_span plain_escapes(struct raw_span text, char *dst);

/* The bytes that others put in front of a tool's line: "2026-01-02T03:04:05.678Z ",
   "[03:04:05] " (CI systems), "#12 3.456 " (docker build). 0: none. */
size_t plain_prefix_len(struct raw_span text);

#endif
