// SPDX-License-Identifier: MIT
#include "text/json_member.h"

#include <string.h>

size_t json_behind_string(const char *json, size_t n, size_t at)
{
    for (at++; at < n && json[at] != '"'; at++)
        at += json[at] == '\\' ? 1 : 0;
    return at < n ? at + 1 : n + 1;
}

static size_t behind_blanks(const char *json, size_t n, size_t at)
{
    while (at < n && (json[at] == ' ' || json[at] == '\t'))
        at++;
    return at;
}

/* True if the string at `at` is this key, not a value; then *value is where its value begins. */
static bool value_of(const char *json, size_t n, size_t at, const char *key, size_t *value)
{
    size_t end = json_behind_string(json, n, at);
    size_t colon = behind_blanks(json, n, end);

    if (colon >= n || json[colon] != ':')
        return false;
    *value = behind_blanks(json, n, colon + 1);
    return end - at == strlen(key) + 2 && memcmp(json + at + 1, key, strlen(key)) == 0;
}

bool json_member_string(const char *json, size_t n, const char *key, struct raw_span *out)
{
    size_t depth = 0;
    size_t at = 0;

    while (at < n) {
        char c = json[at];
        size_t value;

        depth += c == '{' || c == '[' ? 1 : 0;
        depth -= c == '}' || c == ']' ? 1 : 0;
        if (c == '"' && depth == 1 && value_of(json, n, at, key, &value)) {
            if (value >= n || json[value] != '"')
                return false;
            *out = (struct raw_span){json + value + 1, n - value - 1};
            return true;
        }
        at = c == '"' ? json_behind_string(json, n, at) : at + 1;
    }
    return false;
}
