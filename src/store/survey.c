// SPDX-License-Identifier: MIT
#include "store/survey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "store/day_index.h"
#include "store/layout.h"
#include "store/select.h"

enum {
    MS_PER_DAY = 86400000,
    INDEX_WORTH = 16 /* logs read in a day from which on an index pays */
};

struct survey {
    int root_fd; /* the caller's */
    struct builds *builds;
    struct digester digester;
    int64_t from_ms, to_ms;
    bool may_write;
    int64_t today;
    uint64_t logs_read;
    /* The day that the last id is of. */
    int64_t day; /* since 1970; -1: none yet */
    char day_name[UTC_DAY_SIZE];
    int day_fd; /* -1: cannot be opened */
    struct day_index *index;
    struct index_maker maker;
    uint64_t day_logs_read;
};

/* An index in another one's store would be of no use to its owner, and no business of ours. */
static bool own_store(int root_fd)
{
    struct stat st;

    return sys.fstatat(root_fd, "builds", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_uid == geteuid();
}

enum err_code survey_open(struct survey **out, int root_fd, int64_t from_ms, int64_t to_ms,
                          struct err *e)
{
    struct survey *s = calloc(1, sizeof(*s));
    enum err_code rc;

    *out = NULL;
    if (s == NULL)
        return err_set(e, ERR_MEMORY, "cannot list builds", "", "no memory");
    s->root_fd = s->digester.root_fd = root_fd;
    s->from_ms = from_ms;
    s->to_ms = to_ms;
    s->today = clock_realtime_ms() / MS_PER_DAY;
    s->day = s->day_fd = -1;
    s->may_write = own_store(root_fd);
    index_maker_init(&s->maker);
    rc = builds_open_range(&s->builds, root_fd, from_ms, to_ms, e);
    if (rc == ERR_NONE)
        *out = s;
    else
        survey_free(s);
    return rc;
}

static void leave_day(struct survey *s)
{
    if (s->day_fd >= 0)
        sys.close(s->day_fd);
    s->day_fd = -1;
    day_index_free(s->index);
    s->index = NULL;
    index_maker_clear(&s->maker);
    s->day_logs_read = 0;
}

void survey_free(struct survey *s)
{
    if (s == NULL)
        return;
    leave_day(s);
    index_maker_release(&s->maker);
    digester_release(&s->digester);
    builds_free(s->builds);
    free(s);
}

/* The last id of the day has been seen. */
static void finish_day(struct survey *s)
{
    int64_t begin = s->day * MS_PER_DAY;
    bool whole = begin >= s->from_ms && begin + MS_PER_DAY <= s->to_ms;
    struct err ignored;

    if (s->day >= 0 && s->may_write && whole && s->day < s->today &&
        s->day_logs_read >= INDEX_WORTH && s->maker.entries.len > 0 &&
        index_maker_save(&s->maker, s->root_fd, s->day_name, &ignored) != ERR_NONE)
        s->may_write = false; /* as with this day, so with the others */
}

static void enter_day(struct survey *s, const char *id)
{
    int64_t day = ulid_time_ms(id) / MS_PER_DAY;
    char rel[LAYOUT_REL_SIZE];

    if (day == s->day)
        return;
    finish_day(s);
    leave_day(s);
    s->day = day;
    clock_utc_day(day * MS_PER_DAY, s->day_name);
    if (layout_open(s->root_fd, layout_rel_day(id, rel), O_RDONLY | O_DIRECTORY, &s->day_fd,
                    NULL) != ERR_NONE)
        s->day_fd = -1;
    s->index = day_index_load(s->root_fd, s->day_name);
}

static bool look_at(const struct survey *s, const char *id, const char *end, struct stat *st)
{
    char name[LAYOUT_REL_SIZE];

    memcpy(name, id, ULID_LEN);
    memcpy(name + ULID_LEN, end, strlen(end) + 1);
    return sys.fstatat(s->day_fd, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What the index says, if the log is still the one it speaks of. */
static bool from_index(const struct survey *s, const char *id, struct digest *out,
                       struct stat *st)
{
    const struct index_entry *entry;

    if (s->index == NULL || s->day_fd < 0)
        return false;
    entry = day_index_find(s->index, id);
    if (entry == NULL)
        return false;
    /* Where both stand, it is the log that is not compressed that is read. */
    if (index_entry_compressed(entry) && look_at(s, id, ".log", st))
        return false;
    return look_at(s, id, index_entry_compressed(entry) ? ".log.gz" : ".log", st) &&
           index_entry_digest(s->index, entry, st, out);
}

enum err_code survey_next(struct survey *s, char id[ULID_SIZE], struct digest *out, bool *have,
                          struct err *e)
{
    while ((*have = builds_next(s->builds, id))) {
        struct stat st;
        enum err_code rc = ERR_NONE;

        enter_day(s, id);
        if (!from_index(s, id, out, &st)) {
            s->logs_read++;
            s->day_logs_read++;
            rc = digest_read(&s->digester, s->day_fd, id, out, &st, e);
        }
        if (rc == ERR_NOT_FOUND)
            continue;
        if (rc == ERR_NONE && s->may_write)
            index_maker_add(&s->maker, id, &st, out);
        return rc;
    }
    finish_day(s);
    s->day = -1;
    leave_day(s);
    return ERR_NONE;
}

uint64_t survey_unreadable(const struct survey *s, struct err *first)
{
    return builds_unreadable(s->builds, first);
}

uint64_t survey_logs_read(const struct survey *s)
{
    return s->logs_read;
}
