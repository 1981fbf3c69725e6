// SPDX-License-Identifier: MIT
#include "store/select.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/sys.h"
#include "store/layout.h"
#include "store/survey.h"

/* The first millisecond of the year 10000, where days wrap. */
#define DAY_9999_MS INT64_C(253402300800000)

enum { MS_PER_DAY = 86400000 };

/* Names of one kind, of fixed size, sorted the newest first. */
struct names {
    char (*items)[ULID_SIZE];
    size_t len;
    size_t cap;
};

struct builds {
    int root_fd; /* the caller's */
    struct names days;
    size_t next_day;
    struct names ids; /* of the day before next_day */
    size_t next_id;
    const char *prefix; /* NULL, or only ids that begin with it; the caller's */
    int64_t from_ms;    /* only ids of a time from here … */
    int64_t to_ms;      /* … up to, but not including, here */
    uint64_t unreadable;
    struct err first;
    const char *asked_day; /* what day_of was asked last, and what it said */
    int64_t asked_number;
    bool asked_answer;
};

static enum err_code names_add(struct names *names, const char *text, size_t len)
{
    if (names->len == names->cap) {
        size_t cap = names->cap > 0 ? names->cap * 2 : 64;
        void *items = reallocarray(names->items, cap, sizeof(*names->items));

        if (items == NULL)
            return ERR_MEMORY;
        names->items = items;
        names->cap = cap;
    }
    memcpy(names->items[names->len], text, len);
    names->items[names->len][len] = '\0';
    names->len++;
    return ERR_NONE;
}

/* The 48 bits of a ULID's time reach beyond the year 9999; such days wrap to 0000 in the
   layout and are still the newest. */
static bool wrapped(const char *day)
{
    return day[0] == '0';
}

static int newest_day_first(const void *a, const void *b)
{
    if (wrapped(a) != wrapped(b))
        return wrapped(a) ? -1 : 1;
    return strcmp(b, a);
}

static int newest_id_first(const void *a, const void *b)
{
    return memcmp(b, a, ULID_LEN);
}

/* ---- reading directories --------------------------------------------------------------------- */

/* Length of the id or day that a directory entry stands for, 0 for none. */
typedef size_t accept_name(struct builds *b, const char *day, const char *name);

static bool is_day(const char *name)
{
    static const char shape[] = "dddd-dd-dd";

    for (size_t i = 0; i < sizeof(shape); i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';

        if (shape[i] == 'd' ? !digit : name[i] != shape[i])
            return false;
    }
    return true;
}

/* Ids that begin with the prefix lie between the days of its least and greatest extension. */
static bool day_may_hold(const char *prefix, const char *day)
{
    char low[ULID_SIZE];
    char high[ULID_SIZE];
    char text[UTC_DAY_SIZE];
    size_t len = strlen(prefix);

    memset(low, '0', ULID_LEN);
    memset(high, 'Z', ULID_LEN);
    memcpy(low, prefix, len);
    memcpy(high, prefix, len);
    if (prefix[0] != '0') /* from the year 3084 on: days may wrap, look everywhere */
        return true;
    return strcmp(day, clock_utc_day(ulid_time_ms(low), text)) >= 0 &&
           strcmp(day, clock_utc_day(ulid_time_ms(high), text)) <= 0;
}

/* A wrapped day is beyond any range that a clock of today gives, but for one without an end. */
static bool day_in_range(const struct builds *b, const char *day)
{
    char text[UTC_DAY_SIZE];

    if (wrapped(day))
        return b->to_ms > DAY_9999_MS;
    return strcmp(day, clock_utc_day(b->from_ms, text)) >= 0 &&
           (b->to_ms > DAY_9999_MS || strcmp(day, clock_utc_day(b->to_ms, text)) <= 0);
}

static size_t accept_day(struct builds *b, const char *day, const char *name)
{
    (void)day;
    if (!is_day(name) || !day_in_range(b, name) ||
        (b->prefix != NULL && !day_may_hold(b->prefix, name)))
        return 0;
    return UTC_DAY_SIZE - 1;
}

static bool id_in_range(const struct builds *b, const char *id)
{
    int64_t ms = ulid_time_ms(id);

    return ms >= b->from_ms && ms < b->to_ms;
}

/* Whether the day directory is that of the id. One day's ids ask again and again. */
static bool day_of(struct builds *b, const char *day, const char *id)
{
    int64_t number = ulid_time_ms(id) / MS_PER_DAY;
    char text[UTC_DAY_SIZE];

    if (b->asked_day != day || b->asked_number != number) {
        b->asked_day = day;
        b->asked_number = number;
        b->asked_answer = strcmp(clock_utc_day(number * MS_PER_DAY, text), day) == 0;
    }
    return b->asked_answer;
}

static size_t accept_build(struct builds *b, const char *day, const char *name)
{
    char id[ULID_SIZE];
    const char *dot = strchr(name, '.');

    if (dot == NULL || dot - name != ULID_LEN ||
        (strcmp(dot, ".log") != 0 && strcmp(dot, ".log.gz") != 0))
        return 0;
    memcpy(id, name, ULID_LEN);
    id[ULID_LEN] = '\0';
    if (!ulid_valid(id) || !day_of(b, day, id))
        return 0;
    if (!id_in_range(b, id) ||
        (b->prefix != NULL && strncmp(id, b->prefix, strlen(b->prefix)) != 0))
        return 0;
    return ULID_LEN;
}

/* A log and its compressed copy are one build. */
static void drop_doubles(struct names *names)
{
    size_t kept = 0;

    for (size_t i = 0; i < names->len; i++)
        if (kept == 0 || strcmp(names->items[kept - 1], names->items[i]) != 0)
            memmove(names->items[kept++], names->items[i], ULID_SIZE);
    names->len = kept;
}

static enum err_code read_names(struct builds *b, const char *rel, const char *day,
                                accept_name *accept, struct names *out, struct err *e)
{
    const struct dirent *entry;
    enum err_code rc;
    DIR *dir;
    int fd;

    out->len = 0;
    rc = layout_open(b->root_fd, rel, O_RDONLY | O_DIRECTORY, &fd, e);
    if (rc != ERR_NONE)
        return rc;
    dir = fdopendir(fd);
    if (dir == NULL) {
        rc = err_system(e, "cannot read directory", rel);
        sys.close(fd);
        return rc;
    }
    while (rc == ERR_NONE && (entry = readdir(dir)) != NULL) {
        size_t len = accept(b, day, entry->d_name);

        if (len > 0 && names_add(out, entry->d_name, len) != ERR_NONE)
            rc = err_set(e, ERR_MEMORY, "cannot read directory", rel, "no memory");
    }
    closedir(dir);
    if (out->len > 0)
        qsort(out->items, out->len, sizeof(*out->items),
              day == NULL ? newest_day_first : newest_id_first);
    drop_doubles(out);
    return rc;
}

/* which: root, prefix and range. */
static enum err_code open_such(struct builds **out, struct builds which, struct err *e)
{
    struct builds *b = calloc(1, sizeof(*b));
    enum err_code rc;

    *out = NULL;
    if (b == NULL) {
        err_set(e, ERR_MEMORY, "cannot list builds", "", "no memory");
        return ERR_MEMORY;
    }
    *b = which;
    rc = read_names(b, "builds", NULL, accept_day, &b->days, e);
    if (rc == ERR_NONE || rc == ERR_NOT_FOUND) {
        *out = b;
        return ERR_NONE;
    }
    builds_free(b);
    return rc;
}

static enum err_code open_prefix(struct builds **out, int root_fd, const char *prefix,
                                 struct err *e)
{
    return open_such(
        out, (struct builds){.root_fd = root_fd, .prefix = prefix, .to_ms = INT64_MAX}, e);
}

enum err_code builds_open(struct builds **out, int root_fd, struct err *e)
{
    return open_prefix(out, root_fd, NULL, e);
}

enum err_code builds_open_range(struct builds **out, int root_fd, int64_t from_ms, int64_t to_ms,
                                struct err *e)
{
    return open_such(
        out, (struct builds){.root_fd = root_fd, .from_ms = from_ms, .to_ms = to_ms}, e);
}

void builds_free(struct builds *b)
{
    if (b == NULL)
        return;
    free(b->days.items);
    free(b->ids.items);
    free(b);
}

bool builds_next(struct builds *b, char id[ULID_SIZE])
{
    while (b->next_id >= b->ids.len) {
        char rel[LAYOUT_REL_SIZE];
        struct err e = {0};
        enum err_code rc;

        if (b->next_day >= b->days.len)
            return false;
        snprintf(rel, sizeof(rel), "builds/%s", b->days.items[b->next_day]);
        b->next_id = 0;
        rc = read_names(b, rel, b->days.items[b->next_day], accept_build, &b->ids, &e);
        b->next_day++;
        /* A day that has gone meanwhile was emptied; anything else is worth a word. */
        if (rc != ERR_NONE && rc != ERR_NOT_FOUND && b->unreadable++ == 0)
            b->first = e;
    }
    memcpy(id, b->ids.items[b->next_id++], ULID_SIZE);
    return true;
}

uint64_t builds_unreadable(const struct builds *b, struct err *first)
{
    if (first != NULL)
        *first = b->first;
    return b->unreadable;
}

/* ---- words -------------------------------------------------------------------------- */

static const char what[] = "cannot find build";

/* Whether a build that stands so is meant. One that cannot be read never is. */
typedef bool judge_outcome(enum outcome outcome);

static bool judge_running(enum outcome outcome)
{
    return outcome == OUTCOME_RUNNING;
}

static bool judge_passed(enum outcome outcome)
{
    return outcome == OUTCOME_OK;
}

/* The newest that is meant among the first `within` builds, and among those whose logs can be
   looked into before patience ends: what an index knows costs none. */
static enum err_code newest_such(int root_fd, judge_outcome *meant, uint64_t within,
                                 const char *word, char id[ULID_SIZE], struct err *e)
{
    struct survey *survey;
    bool have = true;
    bool found = false;
    uint64_t seen = 0;
    enum err_code rc = survey_open(&survey, root_fd, 0, INT64_MAX, e);

    if (rc != ERR_NONE)
        return rc;
    while (!found && have && seen < within && survey_logs_read(survey) < SELECT_LOGS_MAX) {
        struct digest digest;

        rc = survey_next(survey, id, &digest, &have, NULL);
        if (rc == ERR_NONE && have)
            found = meant(digest.outcome);
        seen += have ? 1 : 0;
    }
    survey_free(survey);
    if (found)
        return ERR_NONE;
    if (have)
        return err_set(e, ERR_NOT_FOUND, what, word, "none among the newest %llu builds",
                       (unsigned long long)seen);
    return err_set(e, ERR_NOT_FOUND, what, word, "no such build in this store");
}

static enum err_code nth_newest(int root_fd, uint64_t n, const char *word, char id[ULID_SIZE],
                                struct err *e)
{
    struct builds *b;
    uint64_t found = 0;
    enum err_code rc = builds_open(&b, root_fd, e);

    if (rc != ERR_NONE)
        return rc;
    while (found < n && builds_next(b, id))
        found++;
    builds_free(b);
    if (found == n)
        return ERR_NONE;
    if (found == 0)
        return err_set(e, ERR_NOT_FOUND, what, word, "this store has no build");
    return err_set(e, ERR_NOT_FOUND, what, word, "this store has only %llu",
                   (unsigned long long)found);
}

static enum err_code default_build(int root_fd, char id[ULID_SIZE], struct err *e)
{
    if (newest_such(root_fd, judge_running, SELECT_RUNNING_WITHIN, "", id, NULL) == ERR_NONE)
        return ERR_NONE;
    return nth_newest(root_fd, 1, "last", id, e);
}

enum { CANDIDATES_NAMED = 4 };

/* Everything an id's beginning or end matches, the newest few kept. */
struct matches {
    uint64_t n;
    char ids[CANDIDATES_NAMED][ULID_SIZE];
};

static bool is_suffix(const char *id, const char *word, size_t len)
{
    return len >= SELECT_SUFFIX_MIN && strcmp(id + ULID_LEN - len, word) == 0;
}

static enum err_code find_matches(int root_fd, const char *word, const char *prefix,
                                  struct matches *m, struct err *e)
{
    size_t len = strlen(word);
    char id[ULID_SIZE];
    struct builds *b;
    enum err_code rc = open_prefix(&b, root_fd, prefix, e);

    if (rc != ERR_NONE)
        return rc;
    while (builds_next(b, id)) {
        if (strncmp(id, word, len) != 0 && !is_suffix(id, word, len))
            continue;
        if (m->n < CANDIDATES_NAMED)
            memcpy(m->ids[m->n], id, ULID_SIZE);
        m->n++;
    }
    builds_free(b);
    return ERR_NONE;
}

static enum err_code ambiguous(const char *word, const struct matches *m, struct err *e)
{
    char list[CANDIDATES_NAMED * (ULID_SIZE + 2) + 8] = "";
    size_t at = 0;

    for (uint64_t i = 0; i < m->n && i < CANDIDATES_NAMED; i++)
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i > 0 ? ", " : "",
                               m->ids[i]);
    if (m->n > CANDIDATES_NAMED)
        snprintf(list + at, sizeof(list) - at, ", ...");
    return err_set(e, ERR_REFUSED, what, word, "it stands for %llu builds: %s",
                   (unsigned long long)m->n, list);
}

/*
 * Ten characters are a whole time: as a prefix they need one directory. Shorter words, and
 * words that begin no id, are compared with every name in the store.
 */
static enum err_code by_part(int root_fd, const char *word, char id[ULID_SIZE], struct err *e)
{
    enum { TIME_CHARS = 10 };
    struct matches m = {0};
    enum err_code rc = ERR_NONE;

    if (strlen(word) >= TIME_CHARS && word[0] <= '7')
        rc = find_matches(root_fd, word, word, &m, e);
    if (rc == ERR_NONE && m.n == 0)
        rc = find_matches(root_fd, word, NULL, &m, e);
    if (rc != ERR_NONE)
        return rc;
    if (m.n == 0)
        return err_set(e, ERR_NOT_FOUND, what, word, "no id in this store begins or ends so");
    if (m.n > 1)
        return ambiguous(word, &m, e);
    memcpy(id, m.ids[0], ULID_SIZE);
    return ERR_NONE;
}

static bool id_characters(const char *word)
{
    size_t len = 0;

    while (ulid_char(word[len]))
        len++;
    return len > 0 && len <= ULID_LEN && word[len] == '\0' &&
           (len < ULID_LEN || ulid_valid(word));
}

enum err_code select_build(int root_fd, const char *word, char id[ULID_SIZE], struct err *e)
{
    uint64_t n;

    if (word == NULL)
        return default_build(root_fd, id, e);
    if (strcmp(word, "last") == 0)
        return nth_newest(root_fd, 1, word, id, e);
    if (strcmp(word, "last-failed") == 0)
        return newest_such(root_fd, outcome_failed, UINT64_MAX, word, id, e);
    if (strcmp(word, "last-passed") == 0)
        return newest_such(root_fd, judge_passed, UINT64_MAX, word, id, e);
    if (word[0] == '-' && parse_number(word + 1, INT64_MAX, &n) && n > 0)
        return nth_newest(root_fd, n, word, id, e);
    if (!id_characters(word))
        return err_set(e, ERR_USAGE, what, word,
                       "not an id, its beginning or end, last, last-failed, last-passed or -N");
    if (strlen(word) == ULID_LEN) {
        memcpy(id, word, ULID_SIZE);
        return ERR_NONE;
    }
    return by_part(root_fd, word, id, e);
}
