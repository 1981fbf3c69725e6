// SPDX-License-Identifier: MIT
#include "read/level.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "read/level_word.h"

/* ---- words ---------------------------------------------------------------------------------- */

enum { WORD_LOG = WORD_COLON | WORD_ALONE | WORD_BOXED, WORD_LEN_MIN = 3, WORD_LEN_MAX = 11 };

#define WORD(text, level, flags) {text, sizeof(text) - 1, level, flags}

/* In the order of the levels; level_word_find looks at those of the right length. */
static const struct level_word words[] = {
    WORD("trace", LEVEL_TRACE, WORD_LOG),
    WORD("trce", LEVEL_TRACE, WORD_LOG),
    WORD("trc", LEVEL_TRACE, WORD_ALONE | WORD_BOXED),
    WORD("finer", LEVEL_TRACE, 0),
    WORD("finest", LEVEL_TRACE, 0),
    WORD("silly", LEVEL_TRACE, 0),
    WORD("debug", LEVEL_DEBUG, WORD_LOG),
    WORD("dbug", LEVEL_DEBUG, WORD_LOG),
    WORD("dbg", LEVEL_DEBUG, WORD_ALONE | WORD_BOXED),
    WORD("verbose", LEVEL_DEBUG, WORD_BOXED),
    WORD("vrb", LEVEL_DEBUG, WORD_BOXED),
    WORD("fine", LEVEL_DEBUG, 0),
    WORD("config", LEVEL_DEBUG, 0),
    WORD("info", LEVEL_INFO, WORD_LOG),
    WORD("inf", LEVEL_INFO, WORD_ALONE | WORD_BOXED),
    WORD("information", LEVEL_INFO, WORD_BOXED),
    WORD("notice", LEVEL_INFO, WORD_LOG),
    WORD("note", LEVEL_INFO, WORD_COLON),
    WORD("success", LEVEL_INFO, 0),
    WORD("default", LEVEL_INFO, 0),
    WORD("http", LEVEL_INFO, 0),
    WORD("warn", LEVEL_WARN, WORD_LOG),
    WORD("warning", LEVEL_WARN, WORD_LOG),
    WORD("wrn", LEVEL_WARN, WORD_ALONE | WORD_BOXED),
    WORD("error", LEVEL_ERROR, WORD_LOG),
    WORD("err", LEVEL_ERROR, WORD_LOG),
    WORD("eror", LEVEL_ERROR, WORD_ALONE | WORD_BOXED),
    WORD("severe", LEVEL_ERROR, WORD_LOG),
    WORD("fail", LEVEL_ERROR, WORD_LOG | WORD_ENDS),
    WORD("failed", LEVEL_ERROR, WORD_LOG | WORD_ENDS | WORD_NO_VALUE),
    WORD("failure", LEVEL_ERROR, WORD_LOG | WORD_ENDS | WORD_NO_VALUE),
    WORD("fatal", LEVEL_FATAL, WORD_LOG),
    WORD("fatl", LEVEL_FATAL, WORD_ALONE | WORD_BOXED),
    WORD("ftl", LEVEL_FATAL, WORD_ALONE | WORD_BOXED),
    WORD("critical", LEVEL_FATAL, WORD_LOG),
    WORD("crit", LEVEL_FATAL, WORD_LOG),
    WORD("alert", LEVEL_FATAL, WORD_BOXED),
    WORD("emerg", LEVEL_FATAL, WORD_LOG),
    WORD("emergency", LEVEL_FATAL, WORD_LOG),
    WORD("panic", LEVEL_FATAL, WORD_LOG),
    WORD("pnc", LEVEL_FATAL, WORD_ALONE | WORD_BOXED),
    WORD("dpanic", LEVEL_FATAL, WORD_LOG),
};

#undef WORD

#define FITS(letter, lengths) [letter - 'a'] = lengths
#define LEN(n) (1U << (n))

/* The lengths of the words by first letter, so that almost every word of a line costs one look.
   A test finds every word of the table. */
static const uint16_t lengths[26] = {
    FITS('a', LEN(5)),
    FITS('c', LEN(4) | LEN(6) | LEN(8)),
    FITS('d', LEN(3) | LEN(4) | LEN(5) | LEN(6) | LEN(7)),
    FITS('e', LEN(3) | LEN(4) | LEN(5) | LEN(9)),
    FITS('f', LEN(3) | LEN(4) | LEN(5) | LEN(6) | LEN(7)),
    FITS('h', LEN(4)),
    FITS('i', LEN(3) | LEN(4) | LEN(11)),
    FITS('n', LEN(4) | LEN(6)),
    FITS('p', LEN(3) | LEN(5)),
    FITS('s', LEN(5) | LEN(6) | LEN(7)),
    FITS('t', LEN(3) | LEN(4) | LEN(5)),
    FITS('v', LEN(3) | LEN(7)),
    FITS('w', LEN(3) | LEN(4) | LEN(7)),
};

#undef FITS
#undef LEN

const struct level_word *level_word_find(const char *text, size_t n)
{
    char first = n > 0 ? (char)(text[0] | 0x20) : '\0';

    if (n < WORD_LEN_MIN || n > WORD_LEN_MAX || first < 'a' || first > 'z' ||
        (lengths[first - 'a'] >> n & 1) == 0)
        return NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].len == n && words[i].text[0] == first &&
            strncasecmp(words[i].text, text, n) == 0)
            return &words[i];
    return NULL;
}

const struct level_word *level_word_at(size_t i)
{
    return i < sizeof(words) / sizeof(words[0]) ? &words[i] : NULL;
}

enum level level_parse(const char *name)
{
    const struct level_word *word = level_word_find(name, strlen(name));

    return word != NULL && (word->flags & WORD_NO_VALUE) == 0 ? (enum level)word->level
                                                              : LEVEL_NONE;
}

const char *level_name(enum level level)
{
    static const char *const names[] = {
        [LEVEL_NONE] = "",     [LEVEL_TRACE] = "trace", [LEVEL_DEBUG] = "debug",
        [LEVEL_INFO] = "info", [LEVEL_WARN] = "warn",   [LEVEL_ERROR] = "error",
        [LEVEL_FATAL] = "fatal",
    };

    return names[level];
}

/* ---- records -------------------------------------------------------------------------------- */

/* Events of buildlog's own that a writer left without a level. */
static enum level event_level(const char *name)
{
    static const struct {
        const char *name;
        enum level level;
    } events[] = {
        {"exec_failed", LEVEL_ERROR}, {"timeout", LEVEL_ERROR},     {"signal", LEVEL_WARN},
        {"stall", LEVEL_WARN},        {"orphan", LEVEL_WARN},       {"restart", LEVEL_WARN},
        {"backoff", LEVEL_WARN},      {"log_degraded", LEVEL_WARN},
    };

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (strcmp(events[i].name, name) == 0)
            return events[i].level;
    return LEVEL_INFO;
}

/* Within a text of a record the quotes would be escaped: where these bytes stand, it is a key. */
static bool has_level_key(struct raw_span text)
{
    static const char key[] = "\"level\"";

    return memmem(text.ptr, text.len, key, sizeof(key) - 1) != NULL;
}

static enum level recorded_level(enum record_kind kind, const struct record *record)
{
    enum level level = level_parse(record_text(record, "level", ""));

    if (level == LEVEL_NONE && kind == RECORD_EVENT)
        level = event_level(record_text(record, "event", ""));
    return level;
}

enum level level_of_record(enum record_kind kind, const struct record *record,
                           struct raw_span msg)
{
    enum level level = LEVEL_NONE;

    if (kind == RECORD_GAP)
        return LEVEL_WARN;
    if (kind != RECORD_LINE && kind != RECORD_EVENT)
        return LEVEL_NONE;
    if (record != NULL)
        level = recorded_level(kind, record);
    if (level == LEVEL_NONE && kind == RECORD_LINE)
        level = level_of_text(msg);
    return level != LEVEL_NONE ? level : LEVEL_INFO;
}

enum level level_of(const struct log_item *item, struct raw_span msg)
{
    bool says = item->kind == RECORD_EVENT ||
                (item->kind == RECORD_LINE && has_level_key(item->text));
    struct record record;
    enum level level;

    if (!says || log_item_decode(item, &record, NULL) != ERR_NONE)
        return level_of_record(item->kind, NULL, msg);
    level = level_of_record(item->kind, &record, msg);
    record_release(&record);
    return level;
}
