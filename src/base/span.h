// SPDX-License-Identifier: MIT
/*
 * Two kinds of bytes.  A raw span may hold a secret; a clean span went through a redactor.
 * Only src/redact makes clean spans (tests/check-layers.sh enforces it), and the log and
 * the terminal accept nothing else, so that a way round the redactor does not compile.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stddef.h>
#include <stdint.h>

struct raw_span {
    const char *ptr;
    size_t len;
};

struct clean_span {
    const char *ptr;
    size_t len;
    uint32_t shown; /* leading bytes that the terminal has already got (redactor_preview) */
    uint32_t marks; /* secrets this span stands for: 1 on a mark, 0 on passed bytes */
    uint32_t rule;  /* on a mark: the rule's number in its set */
    uint64_t at;    /* on a mark: where in the raw stream the secret began */
};

#endif
