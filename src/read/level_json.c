// SPDX-License-Identifier: MIT
/*
 * The level of a JSON line: the outermost object's "level" or one of its other names. A walk over
 * the bytes, for this is done for every such line; what is not JSON after all has no level.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "read/level_word.h"

enum level_scale {
    SCALE_PINO,   /* 10 to 60, pino and bunyan */
    SCALE_PYTHON, /* 10 to 50, Python's levelno */
    SCALE_SYSLOG, /* 0 to 7, the smaller the worse */
    SCALE_OTEL    /* 1 to 24, OpenTelemetry's SeverityNumber */
};

#define KEY(name, scale) {name, sizeof(name) - 1, scale}

static const struct level_key {
    const char *name; /* in any case */
    size_t len;
    enum level_scale scale;
} keys[] = {
    KEY("level", SCALE_PINO),       KEY("severity", SCALE_OTEL),
    KEY("lvl", SCALE_PINO),         KEY("levelname", SCALE_PINO),
    KEY("loglevel", SCALE_PINO),    KEY("log_level", SCALE_PINO),
    KEY("log.level", SCALE_PINO),   KEY("@level", SCALE_PINO),
    KEY("@l", SCALE_PINO),          KEY("levelno", SCALE_PYTHON),
    KEY("severitytext", SCALE_OTEL), KEY("severity_text", SCALE_OTEL),
    KEY("priority", SCALE_SYSLOG),  KEY("severitynumber", SCALE_OTEL),
    KEY("severity_number", SCALE_OTEL), KEY("level_name", SCALE_PINO),
    KEY("syslog_severity", SCALE_SYSLOG),
};

#undef KEY

static const struct level_key *find_key(struct raw_span name)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].len == name.len && strncasecmp(keys[i].name, name.ptr, name.len) == 0)
            return &keys[i];
    return NULL;
}

/* ---- numbers -------------------------------------------------------------------------------- */

struct step {
    long from; /* from here on */
    enum level level;
};

static enum level on_scale(long value, enum level_scale scale, bool gelf)
{
    static const struct step pino[] = {{60, LEVEL_FATAL}, {50, LEVEL_ERROR}, {40, LEVEL_WARN},
                                       {30, LEVEL_INFO},  {20, LEVEL_DEBUG}, {10, LEVEL_TRACE},
                                       {0, LEVEL_NONE}};
    static const struct step python[] = {{50, LEVEL_FATAL}, {40, LEVEL_ERROR}, {30, LEVEL_WARN},
                                         {20, LEVEL_INFO},  {10, LEVEL_DEBUG}, {1, LEVEL_TRACE},
                                         {0, LEVEL_NONE}};
    static const struct step syslog[] = {{8, LEVEL_NONE}, {7, LEVEL_DEBUG}, {5, LEVEL_INFO},
                                         {4, LEVEL_WARN}, {3, LEVEL_ERROR}, {0, LEVEL_FATAL}};
    static const struct step otel[] = {{25, LEVEL_NONE}, {21, LEVEL_FATAL}, {17, LEVEL_ERROR},
                                       {13, LEVEL_WARN}, {9, LEVEL_INFO},   {5, LEVEL_DEBUG},
                                       {1, LEVEL_TRACE}, {0, LEVEL_NONE}};
    static const struct step *const scales[] = {[SCALE_PINO] = pino, [SCALE_PYTHON] = python,
                                                [SCALE_SYSLOG] = syslog, [SCALE_OTEL] = otel};
    const struct step *at = scales[scale == SCALE_PINO && gelf ? SCALE_SYSLOG : scale];

    if (value < 0)
        return LEVEL_NONE;
    while (at->from > value)
        at++;
    return at->level;
}

/* ---- the object ----------------------------------------------------------------------------- */

/* at: of an opening quote. The offset of the closing one, or the length. */
static size_t string_end(struct raw_span json, size_t at)
{
    for (at++; at < json.len && json.ptr[at] != '"'; at++)
        at += json.ptr[at] == '\\' ? 1 : 0;
    return at < json.len ? at : json.len;
}

static size_t skip_blanks(struct raw_span json, size_t at)
{
    while (at < json.len && (json.ptr[at] == ' ' || json.ptr[at] == '\t'))
        at++;
    return at;
}

/* What a value says, a name or a number. gelf: the line is in Graylog's format. */
static enum level level_of_value(const char *value, const struct level_key *key, bool gelf)
{
    const struct level_word *word;
    char *end;
    long number = strtol(value, &end, 10);

    if (value[0] != '\0' && *end == '\0')
        return on_scale(number, key->scale, gelf);
    word = level_word_find(value, strlen(value));
    return word != NULL && (word->flags & WORD_NO_VALUE) == 0 ? (enum level)word->level
                                                              : LEVEL_NONE;
}

/* The value begins at `at`, in quotes or not. */
static enum level value_level(struct raw_span json, size_t at, const struct level_key *key)
{
    static const char gelf_key[] = "\"short_message\"";
    char value[LEVEL_VALUE_MAX + 1];
    size_t n = 0;

    if (at < json.len && json.ptr[at] == '"')
        at++;
    while (at < json.len && n < LEVEL_VALUE_MAX && strchr("\",} ", json.ptr[at]) == NULL)
        value[n++] = json.ptr[at++];
    value[n] = '\0';
    return level_of_value(value, key,
                          n > 0 && value[0] <= '9' &&
                              memmem(json.ptr, json.len, gelf_key, sizeof(gelf_key) - 1) != NULL);
}

bool level_json_key(struct raw_span key)
{
    return find_key(key) != NULL;
}

enum level level_json_worst(struct raw_span key, const char *value)
{
    const struct level_key *known = find_key(key);
    enum level one, other;

    if (known == NULL)
        return LEVEL_NONE;
    one = level_of_value(value, known, false);
    other = level_of_value(value, known, true);
    return one > other ? one : other;
}

enum level level_of_json(struct raw_span json)
{
    size_t depth = 0;

    for (size_t at = 0; at < json.len; at++) {
        char c = json.ptr[at];
        size_t end, colon;
        const struct level_key *key;
        enum level level;

        depth += c == '{' || c == '[' ? 1 : 0;
        depth -= (c == '}' || c == ']') && depth > 0 ? 1 : 0;
        if (c != '"')
            continue;
        end = string_end(json, at);
        colon = skip_blanks(json, end + 1);
        if (depth == 1 && colon < json.len && json.ptr[colon] == ':') {
            key = find_key((struct raw_span){json.ptr + at + 1, end - at - 1});
            level = key != NULL ? value_level(json, skip_blanks(json, colon + 1), key) : LEVEL_NONE;
            if (level != LEVEL_NONE)
                return level;
        }
        at = end;
    }
    return LEVEL_NONE;
}
