// SPDX-License-Identifier: MIT
/*
 * Finding a member of a JSON object in its text, without building a tree. For texts that a
 * parser has taken: on others nothing is promised but that no byte outside is read.
 */
#ifndef TEXT_JSON_MEMBER_H
#define TEXT_JSON_MEMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* A quoted string begins at json[at]; the offset behind its closing quote, at most n + 1. */
size_t json_behind_string(const char *json, size_t n, size_t at);

/*
 * What is behind the opening quote of the string that is the value of the outermost object's
 * `key`, to the end of the text (json_unescape finds the end of the string). The key is
 * compared as it is spelled. False: there is none, or it is no string.
 */
bool json_member_string(const char *json, size_t n, const char *key, struct raw_span *out);

#endif
