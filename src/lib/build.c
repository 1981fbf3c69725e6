// SPDX-License-Identifier: MIT
/* One build: what its start record and its end record say. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/handle.h"
#include "lib/pick.h"

struct buildlog_build {
    char id[ULID_SIZE];
    char *path;
    struct build_report report;
};

static enum err_code read_build(struct buildlog_build *b, const struct buildlog *store,
                                const char *word, struct err *e)
{
    struct log_reader *reader;
    enum err_code rc = pick_open(store->root_fd, word, b->id, &reader, e);

    if (rc != ERR_NONE)
        return rc;
    if (asprintf(&b->path, "%s/%s", store->root, log_reader_path(reader)) < 0) {
        b->path = NULL;
        rc = err_set(e, ERR_MEMORY, "cannot read build", b->id, "no memory");
    }
    if (rc == ERR_NONE)
        rc = build_report_read(reader, &b->report, e);
    log_reader_free(reader);
    return rc;
}

int buildlog_build_open(struct buildlog_build **out, const struct buildlog *store,
                        const char *word, struct buildlog_error *error)
{
    locale_t before = lib_enter();
    struct buildlog_build *b = calloc(1, sizeof(*b));
    struct err e = {0};
    enum err_code rc = b != NULL ? read_build(b, store, word, &e)
                                 : err_set(&e, ERR_MEMORY, "cannot read build", "", "no memory");

    if (rc != ERR_NONE) {
        buildlog_build_close(b);
        b = NULL;
    }
    *out = b;
    lib_leave(before);
    return lib_result(rc, &e, error);
}

void buildlog_build_close(struct buildlog_build *b)
{
    if (b == NULL)
        return;
    build_report_release(&b->report);
    free(b->path);
    free(b);
}

const char *buildlog_build_id(const struct buildlog_build *b)
{
    return b->id;
}

const char *buildlog_build_path(const struct buildlog_build *b)
{
    return b->path;
}

enum buildlog_state buildlog_build_state(const struct buildlog_build *b)
{
    return lib_state(b->report.state);
}

const char *buildlog_build_status(const struct buildlog_build *b)
{
    return build_report_status(&b->report);
}

/* The end record, if it counts: behind one of an attempt that is over another may be running. */
static const struct record *end_of(const struct buildlog_build *b)
{
    return b->report.has_end && b->report.state == STATE_ENDED ? &b->report.end : NULL;
}

static const struct record *start_of(const struct buildlog_build *b)
{
    return b->report.has_start ? &b->report.start : NULL;
}

int64_t buildlog_build_started_ms(const struct buildlog_build *b)
{
    return start_of(b) != NULL ? record_time_ms(start_of(b), "startedAt") : -1;
}

int64_t buildlog_build_ended_ms(const struct buildlog_build *b)
{
    return end_of(b) != NULL ? record_time_ms(end_of(b), "endedAt") : -1;
}

int buildlog_build_exit_status(const struct buildlog_build *b)
{
    return end_of(b) != NULL ? build_exit_status(end_of(b)) : -1;
}

/* ---- members -------------------------------------------------------------------------------- */

static const cJSON *member(const struct record *r, const char *key)
{
    return r != NULL ? cJSON_GetObjectItemCaseSensitive(r->json, key) : NULL;
}

/* The record that has this member. */
static const struct record *holder(const struct buildlog_build *b, const char *key)
{
    return member(start_of(b), key) != NULL ? start_of(b) : end_of(b);
}

const char *buildlog_build_text(const struct buildlog_build *b, const char *key)
{
    const struct record *r = holder(b, key);

    return r != NULL ? record_text(r, key, NULL) : NULL;
}

int64_t buildlog_build_number(const struct buildlog_build *b, const char *key, int64_t absent)
{
    const struct record *r = holder(b, key);

    return r != NULL ? record_number(r, key, absent) : absent;
}

int buildlog_build_bool(const struct buildlog_build *b, const char *key, int absent)
{
    const cJSON *value = member(holder(b, key), key);

    return cJSON_IsBool(value) ? cJSON_IsTrue(value) : absent;
}

/* The i-th text of a list or an object; what is none is passed over. Linear, and the list of a
   record has LOG_VALUES_MAX members at most. */
static const cJSON *text_at(const cJSON *list, size_t i)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
        if (cJSON_IsString(item) && i-- == 0)
            return item;
    return NULL;
}

const char *buildlog_build_command(const struct buildlog_build *b, size_t i)
{
    const cJSON *word = text_at(member(start_of(b), "cmd"), i);

    return word != NULL ? word->valuestring : NULL;
}

const char *buildlog_build_label(const struct buildlog_build *b, size_t i, const char **value)
{
    const cJSON *labels = member(start_of(b), "labels");
    const cJSON *label = cJSON_IsObject(labels) ? text_at(labels, i) : NULL;

    if (label == NULL)
        return NULL;
    if (value != NULL)
        *value = label->valuestring;
    return label->string;
}
