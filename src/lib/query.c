// SPDX-License-Identifier: MIT
/*
 * Queries: the records of the builds picked, one at a time, by the filter that `buildlog query`
 * uses (read/filter.h).
 *
 *   ASKING ─first next→ between builds ─open_build→ in a build ─close_build→ between builds
 *
 * In a build forwards: q->from to q->end is what is left of a piece of the log; backwards a batch
 * (batch.h) has what comes next. An error closes the build, so that the next call is behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/batch.h"
#include "lib/handle.h"
#include "lib/pick.h"
#include "lib/record.h"
#include "lib/seek.h"
#include "read/filter.h"
#include "text/regex.h"

enum { N_FILTERS = BUILDLOG_FILTER_SESSION + 1 };

struct word_list {
    char **items;
    size_t n;
};

struct buildlog_query {
    const struct buildlog *store;
    struct word_list words[N_FILTERS];
    struct filter_spec spec;
    bool reverse;
    uint64_t left; /* records still wanted */
    uint64_t after_seq;
    struct filter *filter; /* NULL: nothing was asked for yet */
    struct id_list builds;
    size_t next_build;
    struct pick_trouble trouble; /* days: not told yet */

    struct log_reader *reader; /* of the build at hand; NULL: between builds */
    struct build_report report;
    struct filter_run run;
    const char *from, *end;
    struct batch batch;

    struct lib_record record;
    uint64_t damaged, torn_bytes;
};

static const char what[] = "cannot ask for records";

/* ---- asking --------------------------------------------------------------------------------- */

int buildlog_query_open(struct buildlog_query **out, const struct buildlog *store,
                        struct buildlog_error *error)
{
    struct buildlog_query *q = calloc(1, sizeof(*q));
    struct err e = {0};

    *out = q;
    if (q == NULL)
        return lib_result(err_set(&e, ERR_MEMORY, what, "", "no memory"), &e, error);
    q->store = store;
    q->spec = (struct filter_spec){.since_ms = INT64_MIN, .until_ms = INT64_MAX};
    q->left = UINT64_MAX;
    lib_record_init(&q->record);
    batch_init(&q->batch, 0);
    return BUILDLOG_OK;
}

/* A label without '=' would never be found, and an expression that is none is better refused
   where it is named. */
static enum err_code check_word(enum buildlog_filter kind, const char *text, struct err *e)
{
    struct regex *regex;
    enum err_code rc;

    if (text == NULL)
        return err_set(e, ERR_USAGE, what, "", "no text to look for");
    if (kind == BUILDLOG_FILTER_LABEL && strchr(text, '=') == NULL)
        return err_set(e, ERR_USAGE, what, text, "want key=value");
    if (kind != BUILDLOG_FILTER_REGEX)
        return ERR_NONE;
    rc = regex_compile(&regex, text, strlen(text), REGEX_NO_GROUPS, e);
    if (rc == ERR_NONE)
        regex_free(regex);
    return rc;
}

static enum err_code add_word(struct word_list *list, const char *text, struct err *e)
{
    char **grown = realloc(list->items, (list->n + 1) * sizeof(*grown));
    char *copy = strdup(text);

    if (grown != NULL)
        list->items = grown;
    if (grown == NULL || copy == NULL) {
        free(copy);
        return err_set(e, ERR_MEMORY, what, text, "no memory");
    }
    list->items[list->n++] = copy;
    return ERR_NONE;
}

int buildlog_query_add(struct buildlog_query *q, enum buildlog_filter kind, const char *text,
                       struct buildlog_error *error)
{
    locale_t before;
    struct err e = {0};
    enum err_code rc;

    if (q->filter != NULL)
        return lib_usage(error, what, text != NULL ? text : "", "the search has begun");
    if ((int)kind < BUILDLOG_FILTER_BUILD || kind > BUILDLOG_FILTER_SESSION)
        return lib_usage(error, what, text != NULL ? text : "", "no such filter");
    before = lib_enter();
    rc = check_word(kind, text, &e);
    if (rc == ERR_NONE)
        rc = add_word(&q->words[kind], text, &e);
    lib_leave(before);
    return lib_result(rc, &e, error);
}

static bool in_range(enum buildlog_option option, int64_t value)
{
    switch (option) {
    case BUILDLOG_OPTION_LEVEL:
        return value >= 0 && value <= BUILDLOG_LEVEL_FATAL;
    case BUILDLOG_OPTION_ICASE:
    case BUILDLOG_OPTION_REVERSE:
        return value == 0 || value == 1;
    case BUILDLOG_OPTION_FUZZY:
        return value >= 0 && value <= REGEX_COST_MAX;
    case BUILDLOG_OPTION_LIMIT:
    case BUILDLOG_OPTION_AFTER_SEQ:
        return value >= 0;
    case BUILDLOG_OPTION_SINCE_MS:
    case BUILDLOG_OPTION_UNTIL_MS:
    default:
        return true;
    }
}

int buildlog_query_set(struct buildlog_query *q, enum buildlog_option option, int64_t value,
                       struct buildlog_error *error)
{
    if (q->filter != NULL)
        return lib_usage(error, what, "", "the search has begun");
    if (!in_range(option, value))
        return lib_usage(error, what, "", "a value that this option cannot have");
    switch (option) {
    case BUILDLOG_OPTION_SINCE_MS:
        q->spec.since_ms = value;
        break;
    case BUILDLOG_OPTION_UNTIL_MS:
        q->spec.until_ms = value;
        break;
    case BUILDLOG_OPTION_LEVEL:
        q->spec.level = (enum level)value;
        break;
    case BUILDLOG_OPTION_ICASE:
        q->spec.icase = value != 0;
        break;
    case BUILDLOG_OPTION_FUZZY:
        q->spec.fuzzy = (int)value;
        break;
    case BUILDLOG_OPTION_LIMIT:
        q->left = (uint64_t)value;
        break;
    case BUILDLOG_OPTION_REVERSE:
        q->reverse = value != 0;
        break;
    case BUILDLOG_OPTION_AFTER_SEQ:
        q->after_seq = (uint64_t)value;
        break;
    default:
        return lib_usage(error, what, "", "no such option");
    }
    return BUILDLOG_OK;
}

/* ---- which builds --------------------------------------------------------------------------- */

static struct filter_words words_of(const struct buildlog_query *q, enum buildlog_filter kind)
{
    return (struct filter_words){(const char *const *)q->words[kind].items, q->words[kind].n};
}

static bool named(const struct buildlog_query *q)
{
    return q->words[BUILDLOG_FILTER_BUILD].n > 0;
}

static enum err_code pick_builds(struct buildlog_query *q, struct err *e)
{
    const struct word_list *list = &q->words[BUILDLOG_FILTER_BUILD];
    int root_fd = q->store->root_fd;
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < list->n && rc == ERR_NONE; i++)
        rc = pick_named(&q->builds, root_fd, list->items[i], e);
    if (!named(q))
        rc = pick_all(&q->builds, root_fd, q->spec.until_ms, &q->trouble, e);
    if (rc == ERR_NONE)
        pick_order(&q->builds, q->reverse);
    return rc;
}

/* From now on nothing more is asked. */
static enum err_code begin(struct buildlog_query *q, struct err *e)
{
    enum err_code rc;

    q->spec.srcs = words_of(q, BUILDLOG_FILTER_SRC);
    q->spec.events = words_of(q, BUILDLOG_FILTER_EVENT);
    q->spec.words = words_of(q, BUILDLOG_FILTER_WORD);
    q->spec.regexes = words_of(q, BUILDLOG_FILTER_REGEX);
    q->spec.tools = words_of(q, BUILDLOG_FILTER_TOOL);
    q->spec.sessions = words_of(q, BUILDLOG_FILTER_SESSION);
    q->batch.after_seq = q->after_seq;
    rc = filter_new(&q->filter, &q->spec, e);
    return rc == ERR_NONE ? pick_builds(q, e) : rc;
}

static bool status_fits(const struct buildlog_query *q)
{
    const struct word_list *list = &q->words[BUILDLOG_FILTER_STATUS];
    const char *status = build_report_status(&q->report);

    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], status) == 0)
            return true;
    return list->n == 0;
}

static bool same_key(const char *a, const char *b)
{
    size_t len = strcspn(a, "=") + 1;

    return strncmp(a, b, len) == 0;
}

/* For each key that is asked for one of the values asked for. */
static bool labels_fit(const struct buildlog_query *q)
{
    const struct word_list *list = &q->words[BUILDLOG_FILTER_LABEL];

    for (size_t i = 0; i < list->n; i++) {
        bool found = false;

        for (size_t k = 0; k < list->n && !found; k++)
            found = same_key(list->items[i], list->items[k]) &&
                    pick_has_label(&q->report, list->items[k]);
        if (!found)
            return false;
    }
    return true;
}

/* ---- one build ------------------------------------------------------------------------------ */

static void close_build(struct buildlog_query *q)
{
    build_report_release(&q->report);
    filter_run_release(&q->run);
    log_reader_free(q->reader);
    q->reader = NULL;
}

static void count_left_out(struct buildlog_query *q)
{
    struct log_left_out l;

    log_reader_left_out(q->reader, &l);
    q->damaged += l.damaged;
    if (q->reverse && !log_reader_compressed(q->reader))
        l.torn_bytes = pick_torn_bytes(q->reader);
    q->torn_bytes += l.torn_bytes;
}

static enum err_code look_at_build(struct buildlog_query *q, bool *wanted, struct err *e)
{
    bool by_status = q->words[BUILDLOG_FILTER_STATUS].n > 0;
    enum err_code rc;

    *wanted = named(q) || !pick_ended_before(q->reader, q->spec.since_ms);
    if (!*wanted)
        return ERR_NONE;
    rc = by_status ? build_report_read(q->reader, &q->report, e)
                   : pick_read_start(q->reader, &q->report, e);
    *wanted = rc == ERR_NONE && (!by_status || status_fits(q)) && labels_fit(q);
    if (rc == ERR_NONE)
        rc = log_reader_rewind(q->reader, e);
    if (rc == ERR_NONE && *wanted && !q->reverse)
        seek_behind(q->reader, q->after_seq);
    return rc;
}

/* Opens the next build that is wanted; q->reader stays NULL if there is none. */
static enum err_code open_build(struct buildlog_query *q, struct err *e)
{
    while (q->next_build < q->builds.n) {
        const char *id = q->builds.ids[q->next_build++];
        bool wanted = false;
        enum err_code rc = log_reader_open(&q->reader, q->store->root_fd, id, e);

        if (rc == ERR_NOT_FOUND && !named(q))
            continue; /* removed meanwhile */
        if (rc != ERR_NONE)
            return rc;
        log_reader_hold(q->reader); /* the build may write faster than the caller reads */
        filter_run_init(&q->run, q->filter, NULL);
        rc = look_at_build(q, &wanted, e);
        if (rc == ERR_NONE && wanted) {
            filter_run_init(&q->run, q->filter, q->report.has_start ? &q->report.start : NULL);
            q->from = q->end = NULL;
            batch_restart(&q->batch);
            return ERR_NONE;
        }
        close_build(q);
        if (rc != ERR_NONE)
            return rc;
    }
    return ERR_NONE;
}

/* ---- records -------------------------------------------------------------------------------- */

/* The next line of this piece that may match, if it does. */
static enum err_code take_line(struct buildlog_query *q, bool *have)
{
    const char *line = filter_next(&q->run, q->from, q->end);
    const char *stop;
    enum err_code rc;

    if (line == NULL) {
        q->from = q->end;
        return ERR_NONE;
    }
    stop = memchr(line, '\n', (size_t)(q->end - line));
    q->from = stop + 1;
    rc = filter_check(&q->run, line, (size_t)(stop - line));
    if (rc == ERR_FORMAT)
        log_reader_damaged(q->reader);
    *have = rc == ERR_NONE && q->run.view.seq > q->after_seq;
    return rc == ERR_MEMORY ? rc : ERR_NONE;
}

static enum err_code next_forwards(struct buildlog_query *q, bool *have, struct err *e)
{
    enum err_code rc = ERR_NONE;

    *have = false;
    while (rc == ERR_NONE && !*have) {
        struct log_piece piece;
        bool more;

        if (q->from != q->end) {
            rc = take_line(q, have);
            if (rc == ERR_MEMORY)
                err_set(e, rc, "cannot search", log_reader_path(q->reader), "no memory");
            continue;
        }
        rc = log_reader_next_piece(q->reader, &piece, &more, e);
        if (rc != ERR_NONE || !more)
            return rc;
        q->from = piece.text.ptr;
        q->end = q->from + piece.text.len;
        filter_run_piece(&q->run);
    }
    return rc;
}

static enum err_code next_in_build(struct buildlog_query *q, bool *have, struct err *e)
{
    const char *id = q->builds.ids[q->next_build - 1];
    enum err_code rc = q->reverse ? batch_next(&q->batch, q->reader, &q->run, have, e)
                                  : next_forwards(q, have, e);

    if (rc == ERR_NONE && *have) {
        rc = lib_record_set(&q->record, id, &q->run.view);
        if (rc != ERR_NONE)
            err_set(e, rc, "cannot search build", id, "no memory");
    }
    if (rc == ERR_NONE && *have)
        return ERR_NONE;
    if (rc == ERR_NONE)
        count_left_out(q);
    close_build(q);
    return rc;
}

static enum err_code next_record(struct buildlog_query *q, bool *have, struct err *e)
{
    enum err_code rc = ERR_NONE;

    *have = false;
    if (q->filter == NULL && q->left > 0) {
        rc = begin(q, e);
        if (rc != ERR_NONE)
            q->left = 0;
    }
    if (rc == ERR_NONE && q->trouble.days > 0) {
        q->trouble.days = 0;
        *e = q->trouble.first;
        return e->code;
    }
    while (rc == ERR_NONE && !*have && q->left > 0) {
        if (q->reader == NULL)
            rc = open_build(q, e);
        if (rc != ERR_NONE || q->reader == NULL)
            return rc;
        rc = next_in_build(q, have, e);
    }
    q->left -= rc == ERR_NONE && *have ? 1 : 0;
    return rc;
}

int buildlog_query_next(struct buildlog_query *q, const struct buildlog_record **out,
                        struct buildlog_error *error)
{
    locale_t before = lib_enter();
    struct err e = {0};
    bool have;
    enum err_code rc = next_record(q, &have, &e);

    lib_leave(before);
    *out = rc == ERR_NONE && have ? &q->record.record : NULL;
    if (rc != ERR_NONE)
        return lib_result(rc, &e, error);
    return have ? BUILDLOG_OK : BUILDLOG_END;
}

void buildlog_query_left_out(const struct buildlog_query *q, uint64_t *damaged,
                             uint64_t *torn_bytes)
{
    *damaged = q->damaged;
    *torn_bytes = q->torn_bytes;
}

void buildlog_query_close(struct buildlog_query *q)
{
    if (q == NULL)
        return;
    if (q->reader != NULL)
        close_build(q);
    for (size_t kind = 0; kind < N_FILTERS; kind++) {
        for (size_t i = 0; i < q->words[kind].n; i++)
            free(q->words[kind].items[i]);
        free(q->words[kind].items);
    }
    filter_free(q->filter);
    id_list_release(&q->builds);
    batch_release(&q->batch);
    lib_record_release(&q->record);
    free(q);
}
