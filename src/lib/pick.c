// SPDX-License-Identifier: MIT
#include "lib/pick.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "store/select.h"

enum {
    LIST_FIRST = 64,
    DAY_MS = 24 * 3600 * 1000 /* how far a clock may be wrong before builds are passed over */
};

/* ---- ids ------------------------------------------------------------------------------------ */

void id_list_release(struct id_list *list)
{
    free(list->ids);
    *list = (struct id_list){0};
}

static enum err_code add_id(struct id_list *list, const char *id, struct err *e)
{
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? LIST_FIRST : list->cap * 2;
        void *ids = realloc(list->ids, cap * sizeof(*list->ids));

        if (ids == NULL)
            return err_set(e, ERR_MEMORY, "cannot list builds", "", "no memory");
        list->ids = ids;
        list->cap = cap;
    }
    memcpy(list->ids[list->n++], id, ULID_SIZE);
    return ERR_NONE;
}

enum err_code pick_open(int root_fd, const char *word, char id[ULID_SIZE],
                        struct log_reader **reader, struct err *e)
{
    enum err_code rc = select_build(root_fd, word, id, e);

    *reader = NULL;
    return rc == ERR_NONE ? log_reader_open(reader, root_fd, id, e) : rc;
}

enum err_code pick_named(struct id_list *list, int root_fd, const char *word, struct err *e)
{
    char id[ULID_SIZE];
    enum err_code rc = select_build(root_fd, word, id, e);

    return rc == ERR_NONE ? add_id(list, id, e) : rc;
}

/* What began after the range holds nothing of it, be its clock wrong by a day. */
static bool began_after(const char *id, int64_t until_ms)
{
    return until_ms < INT64_MAX - DAY_MS && ulid_time_ms(id) > until_ms + DAY_MS;
}

enum err_code pick_all(struct id_list *list, int root_fd, int64_t until_ms,
                       struct pick_trouble *trouble, struct err *e)
{
    char id[ULID_SIZE];
    struct builds *builds;
    enum err_code rc = builds_open(&builds, root_fd, e);

    *trouble = (struct pick_trouble){0};
    if (rc != ERR_NONE)
        return rc;
    while (rc == ERR_NONE && builds_next(builds, id))
        if (!began_after(id, until_ms))
            rc = add_id(list, id, e);
    trouble->days = builds_unreadable(builds, &trouble->first);
    builds_free(builds);
    return rc;
}

static int oldest_first(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(b, a);
}

void pick_order(struct id_list *list, bool reverse)
{
    size_t kept = 0;

    if (list->n == 0)
        return;
    qsort(list->ids, list->n, sizeof(*list->ids), reverse ? newest_first : oldest_first);
    for (size_t i = 0; i < list->n; i++)
        if (kept == 0 || strcmp(list->ids[kept - 1], list->ids[i]) != 0)
            memmove(list->ids[kept++], list->ids[i], ULID_SIZE);
    list->n = kept;
}

/* ---- one log -------------------------------------------------------------------------------- */

/* A log that nobody wrote to since before the range holds nothing of it, be its clock wrong by a
   day. */
bool pick_ended_before(const struct log_reader *r, int64_t since_ms)
{
    struct stat st;

    if (since_ms < INT64_MIN + DAY_MS || sys.fstat(log_reader_fd(r), &st) != 0)
        return false;
    return (int64_t)st.st_mtim.tv_sec * 1000 < since_ms - DAY_MS;
}

bool pick_has_label(const struct build_report *report, const char *label)
{
    const cJSON *labels = report->has_start
                              ? cJSON_GetObjectItemCaseSensitive(report->start.json, "labels")
                              : NULL;
    size_t key_len = strcspn(label, "=");
    const cJSON *at;

    cJSON_ArrayForEach(at, labels) {
        if (at->string != NULL && cJSON_IsString(at) && strlen(at->string) == key_len &&
            strncmp(at->string, label, key_len) == 0 && label[key_len] == '=' &&
            strcmp(at->valuestring, label + key_len + 1) == 0)
            return true;
    }
    return false;
}

enum err_code pick_read_start(struct log_reader *r, struct build_report *report, struct err *e)
{
    struct log_item item;
    bool have;
    enum err_code rc = log_reader_next(r, &item, &have, e);

    *report = (struct build_report){0};
    if (rc == ERR_NONE && have && item.kind == RECORD_START)
        report->has_start = log_item_decode(&item, &report->start, NULL) == ERR_NONE;
    return rc;
}

uint64_t pick_torn_bytes(struct log_reader *r)
{
    struct log_left_out l;
    struct log_piece piece;
    bool have;

    if (log_reader_seek_tail(r, 0, NULL, NULL, NULL) != ERR_NONE ||
        log_reader_next_piece(r, &piece, &have, NULL) != ERR_NONE || have)
        return 0;
    log_reader_left_out(r, &l);
    return l.torn_bytes;
}
