// SPDX-License-Identifier: MIT
/* The builds of a store, newest first: a survey (store/survey.h), one summary at a time. */
#include <stdlib.h>

#include "base/buf.h"
#include "lib/handle.h"
#include "store/survey.h"

struct buildlog_builds {
    struct survey *survey;
    char id[ULID_SIZE];
    struct buf title;
    struct buildlog_summary summary;
    bool told_unreadable;
};

int buildlog_builds_open(struct buildlog_builds **out, const struct buildlog *store,
                         int64_t from_ms, int64_t to_ms, struct buildlog_error *error)
{
    struct buildlog_builds *b = calloc(1, sizeof(*b));
    struct err e = {0};
    enum err_code rc;

    *out = NULL;
    if (b == NULL)
        return lib_result(err_set(&e, ERR_MEMORY, "cannot list builds", "", "no memory"), &e,
                          error);
    buf_init(&b->title, DIGEST_TITLE_MAX + 1);
    rc = survey_open(&b->survey, store->root_fd, from_ms, to_ms, &e);
    if (rc == ERR_NONE)
        *out = b;
    else
        buildlog_builds_close(b);
    return lib_result(rc, &e, error);
}

void buildlog_builds_close(struct buildlog_builds *b)
{
    if (b == NULL)
        return;
    survey_free(b->survey);
    buf_release(&b->title);
    free(b);
}

static enum buildlog_state state_of(enum outcome outcome)
{
    if (outcome == OUTCOME_RUNNING)
        return BUILDLOG_STATE_RUNNING;
    return outcome == OUTCOME_LOST ? BUILDLOG_STATE_LOST : BUILDLOG_STATE_ENDED;
}

static enum err_code set_summary(struct buildlog_builds *b, const struct digest *d)
{
    enum err_code rc;

    b->title.len = 0;
    rc = buf_put(&b->title, d->title.ptr, d->title.len);
    if (rc == ERR_NONE)
        rc = buf_put(&b->title, "", 1);
    b->summary = (struct buildlog_summary){
        .id = b->id, .created_ms = ulid_time_ms(b->id), .state = state_of(d->outcome),
        .status = outcome_name(d->outcome), .duration_ms = d->duration_ms, .lines = d->lines,
        .bytes = d->bytes, .title = b->title.data, .title_len = d->title.len};
    return rc;
}

/* At the end: what days could not be read is told once. */
static int end(struct buildlog_builds *b, struct buildlog_error *error)
{
    struct err first = {0};

    if (b->told_unreadable || survey_unreadable(b->survey, &first) == 0)
        return BUILDLOG_END;
    b->told_unreadable = true;
    return lib_result(first.code != ERR_NONE ? first.code : ERR_SYSTEM, &first, error);
}

int buildlog_builds_next(struct buildlog_builds *b, const struct buildlog_summary **out,
                         struct buildlog_error *error)
{
    locale_t before = lib_enter();
    struct err e = {0};
    struct digest d;
    bool have;
    enum err_code rc = survey_next(b->survey, b->id, &d, &have, &e);

    *out = NULL;
    if (rc == ERR_NONE && have) {
        rc = set_summary(b, &d);
        if (rc != ERR_NONE)
            err_set(&e, rc, "cannot list build", b->id, "no memory");
    }
    lib_leave(before);
    if (rc == ERR_NONE && !have)
        return end(b, error);
    if (rc == ERR_NONE)
        *out = &b->summary;
    return lib_result(rc, &e, error);
}
