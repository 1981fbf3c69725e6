// SPDX-License-Identifier: MIT
/*
 * buildlog ls: the builds of a store, newest first. Of each log only the head and the tail are
 * read, and with filters only of those that may pass: digests, from an index where there is one,
 * say which (store/survey.h). As a table it fits the terminal, and an id is shortened to an end
 * of it that names one build of the table; on a terminal the newest LS_ON_TERMINAL are shown
 * unless -n says else.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "cmd/table.h"
#include "cmd/wanted.h"
#include "commands.gen.h"
#include "store/select.h"
#include "store/survey.h"

enum {
    LS_ON_TERMINAL = 20,
    SHORT_ID_MIN = 8,
    STATUS_SIZE = 20,
    TITLE_MAX = 1024, /* bytes of a name or command that are kept */
    LABELS_MAX = 1000, /* of -o labels */
    COMPLAINTS_MAX = 3
};

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_IDS, FORMAT_LABELS };

struct row {
    char id[ULID_SIZE];
    char started[DURATION_TEXT];
    char duration[DURATION_TEXT];
    char status[STATUS_SIZE];
    char lines[24];
    char *title;
    const char *colour; /* of the status */
};

struct ls {
    const struct cmd_args *args;
    const struct command *command;
    enum format format;
    uint64_t limit;
    int64_t from_ms;
    struct out out;
    struct sink sink;
    struct row *rows; /* of the table */
    size_t n_rows;
    size_t cap;
    char **labels; /* of -o labels */
    size_t n_labels;
    uint64_t shown;
    uint64_t unreadable;
};

/* ---- one build ---------------------------------------------------------------------- */

static int64_t started_ms(const char *id, const struct build_report *b)
{
    int64_t ms = b->has_start ? record_time_ms(&b->start, "startedAt") : -1;

    return ms >= 0 ? ms : ulid_time_ms(id);
}

/* -1: not known. */
static int64_t duration_ms(const char *id, const struct build_report *b)
{
    if (b->state == STATE_RUNNING)
        return clock_realtime_ms() - started_ms(id, b);
    return b->state == STATE_ENDED ? record_number(&b->end, "durationMs", -1) : -1;
}

/* A status that is none of ours may be anything. */
static const char *status_word(const struct build_report *b)
{
    const char *status = build_report_status(b);
    size_t len = strspn(status, "abcdefghijklmnopqrstuvwxyz_");

    return len > 0 && status[len] == '\0' && len < STATUS_SIZE ? status : "unknown";
}

static bool digest_label(const void *build, const char *label)
{
    return digest_has_label(build, label);
}

static bool wanted(const struct ls *ls, const struct build_report *b)
{
    return status_wanted(ls->args, build_report_status(b)) &&
           labels_wanted(ls->args, report_has_label, b);
}

/* Whether it is worth while to look into the log. */
static bool may_be_wanted(const struct ls *ls, const struct digest *d)
{
    return (d->outcome == OUTCOME_OTHER || status_wanted(ls->args, outcome_name(d->outcome))) &&
           (d->labels_cut || labels_wanted(ls->args, digest_label, d));
}

static enum err_code put_into_buf(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

/* The name, else the command; malloc'ed, harmless, one line. */
static char *make_title(const struct build_report *b)
{
    struct buf buf;
    struct sink sink = {put_into_buf, &buf};
    const char *name = b->has_start ? record_text(&b->start, "name", "") : "";
    enum err_code rc = ERR_NONE;

    buf_init(&buf, (size_t)64 * TITLE_MAX);
    if (name[0] != '\0')
        rc = visible_put(&sink, (struct raw_span){name, strnlen(name, TITLE_MAX)},
                         (struct visible){.colour = COLOUR_VISIBLE});
    else if (b->has_start)
        rc = put_command(&sink, &b->start, TITLE_MAX);
    if (rc == ERR_NONE)
        rc = buf_put(&buf, "", 1);
    if (rc == ERR_NONE)
        return buf.data;
    buf_release(&buf);
    return NULL;
}

static enum err_code add_row(struct ls *ls, const char *id, const struct build_report *b,
                             struct err *e)
{
    int64_t ms = duration_ms(id, b);
    int64_t lines = b->state == STATE_ENDED ? record_number(&b->end, "lines", -1) : -1;
    struct row *row;

    if (ls->n_rows == ls->cap) {
        size_t cap = ls->cap > 0 ? ls->cap * 2 : 32;
        struct row *rows = reallocarray(ls->rows, cap, sizeof(*rows));

        if (rows == NULL)
            return err_set(e, ERR_MEMORY, "cannot list builds", "", "no memory");
        ls->rows = rows;
        ls->cap = cap;
    }
    row = &ls->rows[ls->n_rows];
    *row = (struct row){.colour = report_colour(b)};
    memcpy(row->id, id, ULID_SIZE);
    local_time_text(started_ms(id, b), false, row->started);
    if (ms >= 0)
        duration_text(ms, row->duration);
    snprintf(row->status, sizeof(row->status), "%s", status_word(b));
    if (lines >= 0)
        snprintf(row->lines, sizeof(row->lines), "%" PRId64, lines);
    row->title = make_title(b);
    if (row->title == NULL)
        return err_set(e, ERR_MEMORY, "cannot list builds", "", "no memory");
    ls->n_rows++;
    return ERR_NONE;
}

/* ---- json --------------------------------------------------------------------------- */

static void copy_members(cJSON *to, const struct record *from, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        const cJSON *member = cJSON_GetObjectItemCaseSensitive(from->json, *keys);

        if (member != NULL)
            cJSON_AddItemToObject(to, *keys, cJSON_Duplicate(member, true));
    }
}

static enum err_code put_json(struct ls *ls, const char *id, const struct build_report *b,
                              struct err *e)
{
    static const char *const of_start[] = {"startedAt", "name",   "cmd",    "cwd",  "host",
                                           "userId",    "projectId", "parentId", "labels", NULL};
    static const char *const of_end[] = {"endedAt", "durationMs", "exitCode", "signal",
                                         "lines",   "bytes",      "complete", NULL};
    cJSON *object = cJSON_CreateObject();
    char *text;
    enum err_code rc;

    cJSON_AddNumberToObject(object, "v", 1);
    cJSON_AddStringToObject(object, "id", id);
    cJSON_AddStringToObject(object, "status", build_report_status(b));
    if (b->has_start)
        copy_members(object, &b->start, of_start);
    if (b->state == STATE_ENDED)
        copy_members(object, &b->end, of_end);
    text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (text == NULL)
        return err_set(e, ERR_MEMORY, "cannot list builds", "", "no memory");
    rc = sink_puts(&ls->sink, ls->shown > 0 ? ",\n" : "\n");
    if (rc == ERR_NONE && ls->out.terminal)
        rc = visible_put_json(&ls->sink, (struct raw_span){text, strlen(text)});
    else if (rc == ERR_NONE)
        rc = sink_puts(&ls->sink, text);
    cJSON_free(text);
    return rc;
}

/* ---- ids and labels ------------------------------------------------------------------- */

static enum err_code no_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "cannot list builds", "", "no memory");
}

/* Tabs stand between the cells, so there are none within. */
static enum err_code put_id(struct ls *ls, const char *id, const struct build_report *b,
                            struct err *e)
{
    char *title = make_title(b);
    enum err_code rc;

    if (title == NULL)
        return no_memory(e);
    for (char *at = strchr(title, '\t'); at != NULL; at = strchr(at, '\t'))
        *at = ' ';
    rc = sink_printf(&ls->sink, "%s\t%s\t", id, status_word(b));
    if (rc == ERR_NONE)
        rc = sink_puts(&ls->sink, title);
    free(title);
    return rc == ERR_NONE ? sink_put(&ls->sink, "\n", 1) : rc;
}

static bool one_line(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static bool label_seen(const struct ls *ls, const char *label)
{
    for (size_t i = 0; i < ls->n_labels; i++)
        if (ls->labels[i] != NULL && strcmp(ls->labels[i], label) == 0)
            return true;
    return false;
}

/* Each label once. One that would not be one line cannot be typed either, and is left out. */
static enum err_code put_label(struct ls *ls, const char *key, const char *value, struct err *e)
{
    char *label = NULL;
    char *shown;
    enum err_code rc;

    if (ls->labels == NULL)
        ls->labels = calloc(LABELS_MAX, sizeof(*ls->labels));
    if (asprintf(&label, "%s=%s", key, value) < 0)
        label = NULL;
    if (ls->labels == NULL || label == NULL) {
        free(label);
        return no_memory(e);
    }
    if (ls->n_labels >= LABELS_MAX || !one_line(label) || label_seen(ls, label)) {
        free(label);
        return ERR_NONE;
    }
    ls->labels[ls->n_labels++] = label;
    shown = table_text(label, strlen(label));
    if (shown == NULL)
        return no_memory(e);
    rc = sink_puts(&ls->sink, shown);
    free(shown);
    return rc == ERR_NONE ? sink_put(&ls->sink, "\n", 1) : rc;
}

static enum err_code put_labels(struct ls *ls, const struct build_report *b, struct err *e)
{
    const cJSON *labels =
        b->has_start ? cJSON_GetObjectItemCaseSensitive(b->start.json, "labels") : NULL;
    const cJSON *at;
    enum err_code rc = ERR_NONE;

    cJSON_ArrayForEach(at, labels) {
        if (rc == ERR_NONE && at->string != NULL && cJSON_IsString(at))
            rc = put_label(ls, at->string, at->valuestring, e);
    }
    return rc;
}

/* ---- the table ---------------------------------------------------------------------- */

static int by_end_of_id(const void *a, const void *b)
{
    const char *x = a;
    const char *y = b;

    for (int i = ULID_LEN - 1; i >= 0; i--)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* How long an end of an id has to be to name one row. */
static size_t short_id_len(const struct ls *ls)
{
    char (*ids)[ULID_SIZE] = calloc(ls->n_rows + 1, sizeof(*ids));
    size_t len = SHORT_ID_MIN;

    if (ids == NULL)
        return ULID_LEN;
    for (size_t i = 0; i < ls->n_rows; i++)
        memcpy(ids[i], ls->rows[i].id, ULID_SIZE);
    qsort(ids, ls->n_rows, sizeof(*ids), by_end_of_id);
    for (size_t i = 1; i < ls->n_rows; i++)
        while (len < ULID_LEN && memcmp(ids[i - 1] + ULID_LEN - len, ids[i] + ULID_LEN - len,
                                        len) == 0)
            len++;
    free(ids);
    return len;
}

struct widths {
    int id, started, duration, status, lines;
};

/* row NULL: the headings. */
static enum err_code put_row(struct ls *ls, const struct row *row, const struct widths *w)
{
    const char *colour = row != NULL && ls->out.colour ? row->colour : NULL;
    size_t left = ls->out.columns > 0 ? ls->out.columns : SIZE_MAX / 2;
    const struct {
        const char *text;
        int width;
    } cells[] = {
        {row != NULL ? row->id + ULID_LEN - w->id : "ID", w->id},
        {row != NULL ? row->started : "STARTED", w->started},
        {row != NULL ? row->duration : "TIME", -w->duration},
        {row != NULL ? row->status : "STATUS", w->status},
        {row != NULL ? row->lines : "LINES", -w->lines},
        {row != NULL ? row->title : "COMMAND", 0},
    };
    enum { STATUS_CELL = 3, N_CELLS = sizeof(cells) / sizeof(cells[0]) };
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < N_CELLS && rc == ERR_NONE; i++) {
        bool coloured = i == STATUS_CELL && colour != NULL;

        if (i > 0)
            rc = table_cell(&ls->sink, "  ", 0, &left);
        if (rc == ERR_NONE && coloured)
            rc = sink_puts(&ls->sink, colour);
        if (rc == ERR_NONE)
            rc = table_cell(&ls->sink, cells[i].text, cells[i].width, &left);
        if (rc == ERR_NONE && coloured)
            rc = sink_puts(&ls->sink, "\x1b[0m");
    }
    return rc == ERR_NONE ? sink_put(&ls->sink, "\n", 1) : rc;
}

static enum err_code put_table(struct ls *ls)
{
    struct widths w = {.id = (int)short_id_len(ls), .started = 16, .duration = 4, .status = 6,
                       .lines = 5};
    enum err_code rc;

    if (ls->n_rows == 0)
        return ERR_NONE;
    for (size_t i = 0; i < ls->n_rows; i++) {
        w.duration = table_wider(w.duration, ls->rows[i].duration);
        w.status = table_wider(w.status, ls->rows[i].status);
        w.lines = table_wider(w.lines, ls->rows[i].lines);
    }
    rc = put_row(ls, NULL, &w);
    for (size_t i = 0; i < ls->n_rows && rc == ERR_NONE; i++)
        rc = put_row(ls, &ls->rows[i], &w);
    return rc;
}

/* ---- the store ---------------------------------------------------------------------- */

static void complain(struct ls *ls, const struct err *e)
{
    if (ls->unreadable++ < COMPLAINTS_MAX)
        cmd_warn_err(ls->command, e);
}

static enum err_code show(struct ls *ls, const char *id, const struct build_report *b,
                          struct err *e)
{
    switch (ls->format) {
    case FORMAT_JSON:
        return put_json(ls, id, b, e);
    case FORMAT_IDS:
        return put_id(ls, id, b, e);
    case FORMAT_LABELS:
        return put_labels(ls, b, e);
    case FORMAT_TABLE:
    default:
        return add_row(ls, id, b, e);
    }
}

/* A build that cannot be read is complained about and passed over. */
static enum err_code take(struct ls *ls, int root_fd, const char *id, struct err *e)
{
    struct log_reader *reader;
    struct build_report report;
    struct err trouble = {0};
    enum err_code rc = log_reader_open(&reader, root_fd, id, &trouble);

    if (rc == ERR_NONE) {
        rc = build_report_read(reader, &report, &trouble);
        log_reader_free(reader);
    }
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE; /* removed meanwhile */
    if (rc != ERR_NONE) {
        complain(ls, &trouble);
        return ERR_NONE;
    }
    if (wanted(ls, &report)) {
        rc = show(ls, id, &report, e);
        ls->shown++;
    }
    build_report_release(&report);
    return rc;
}

static void complain_days(struct ls *ls, uint64_t days, const struct err *first)
{
    if (days > 0)
        complain(ls, first);
    if (days > 1)
        ls->unreadable += days - 1;
}

static enum err_code list_all(struct ls *ls, int root_fd, struct err *e)
{
    char id[ULID_SIZE];
    struct builds *builds;
    struct err first;
    uint64_t days;
    enum err_code rc = builds_open_range(&builds, root_fd, ls->from_ms, INT64_MAX, e);

    if (rc != ERR_NONE)
        return rc;
    while (rc == ERR_NONE && ls->shown < ls->limit && builds_next(builds, id))
        rc = take(ls, root_fd, id, e);
    days = builds_unreadable(builds, &first);
    builds_free(builds);
    complain_days(ls, days, &first);
    return rc;
}

static enum err_code list_such(struct ls *ls, int root_fd, struct err *e)
{
    char id[ULID_SIZE];
    struct survey *survey;
    struct err first;
    uint64_t days;
    bool have = true;
    enum err_code rc = survey_open(&survey, root_fd, ls->from_ms, INT64_MAX, e);

    if (rc != ERR_NONE)
        return rc;
    while (rc == ERR_NONE && have && ls->shown < ls->limit) {
        struct digest d;
        struct err trouble;
        enum err_code read = survey_next(survey, id, &d, &have, &trouble);

        if (read != ERR_NONE)
            complain(ls, &trouble);
        else if (have && may_be_wanted(ls, &d))
            rc = take(ls, root_fd, id, e);
    }
    days = survey_unreadable(survey, &first);
    survey_free(survey);
    complain_days(ls, days, &first);
    return rc;
}

static enum err_code list(struct ls *ls, int root_fd, struct err *e)
{
    bool filters =
        options_find(ls->args, OPT_STATUS) != NULL || options_find(ls->args, OPT_LABEL) != NULL;

    confine_to_store(ls->args, root_fd, filters);
    return filters ? list_such(ls, root_fd, e) : list_all(ls, root_fd, e);
}

/* What comes behind the builds. */
static enum err_code put_rest(struct ls *ls)
{
    switch (ls->format) {
    case FORMAT_JSON:
        return sink_puts(&ls->sink, ls->shown > 0 ? "\n]\n" : "]\n");
    case FORMAT_TABLE:
        return put_table(ls);
    case FORMAT_IDS:
    case FORMAT_LABELS:
    default:
        return ERR_NONE;
    }
}

static enum err_code run_ls(struct ls *ls, struct err *e)
{
    char *root;
    int root_fd;
    enum err_code rc = option_time(ls->args, OPT_SINCE, 0, &ls->from_ms, e);
    bool none;

    if (rc != ERR_NONE)
        return rc;
    rc = open_store(ls->args, &root, &root_fd, e);
    none = store_missing(rc, e);
    if (rc != ERR_NONE && !none)
        return rc;
    rc = ls->format == FORMAT_JSON ? sink_puts(&ls->sink, "[") : ERR_NONE;
    if (rc == ERR_NONE && !none)
        rc = list(ls, root_fd, e);
    if (!none) {
        sys.close(root_fd);
        free(root);
    }
    if (rc != ERR_NONE)
        return rc;
    return put_rest(ls);
}

static int finish(struct ls *ls, enum err_code rc, const struct err *e)
{
    int status = EXIT_FOUND;

    if (ls->unreadable > COMPLAINTS_MAX)
        cmd_warn(ls->command, "and %" PRIu64 " more", ls->unreadable - COMPLAINTS_MAX);
    if (ls->unreadable > 0 || rc != ERR_NONE)
        status = EXIT_TROUBLE;
    if (rc != ERR_NONE && ls->out.failed == 0)
        cmd_warn_err(ls->command, e);
    status = out_finish(&ls->out, ls->command, status);
    if (status == EXIT_FOUND && ls->shown == 0 && ls->out.terminal &&
        ls->format == FORMAT_TABLE)
        cmd_warn(ls->command, "no builds");
    return status;
}

int cmd_ls(const struct cmd_args *args)
{
    const struct parsed_option *limit = options_find(args, OPT_LIMIT);
    const struct parsed_option *output = options_find(args, OPT_OUTPUT);
    struct ls ls = {.args = args, .command = args->command, .limit = UINT64_MAX};
    struct err e = {0};
    int status;

    out_init_for(&ls.out, args);
    ls.sink = out_sink(&ls.out);
    if (output != NULL) /* the formats are in the order of the choices */
        ls.format = (enum format)output->number;
    if (options_find(args, OPT_JSON) != NULL)
        ls.format = FORMAT_JSON;
    if (limit != NULL)
        ls.limit = (uint64_t)limit->number;
    else if (ls.out.terminal && ls.format == FORMAT_TABLE)
        ls.limit = LS_ON_TERMINAL;
    status = finish(&ls, run_ls(&ls, &e), &e);
    for (size_t i = 0; i < ls.n_rows; i++)
        free(ls.rows[i].title);
    free(ls.rows);
    for (size_t i = 0; i < ls.n_labels; i++)
        free(ls.labels[i]);
    free(ls.labels);
    out_release(&ls.out);
    return status;
}
