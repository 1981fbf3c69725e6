// SPDX-License-Identifier: MIT
/*
 * buildlog ls: the builds of a store, newest first. Of each log only the head and the tail are
 * read. As a table it fits the terminal, and an id is shortened to an end of it that names one
 * build of the table; on a terminal the newest LS_ON_TERMINAL are shown unless -n says else.
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
#include "cmd/options.h"
#include "cmd/out.h"
#include "commands.gen.h"
#include "store/select.h"

enum {
    LS_ON_TERMINAL = 20,
    SHORT_ID_MIN = 8,
    TITLE_MAX = 1024, /* bytes of a name or command that are kept */
    COMPLAINTS_MAX = 3
};

struct row {
    char id[ULID_SIZE];
    char started[DURATION_TEXT];
    char duration[DURATION_TEXT];
    char status[20];
    char lines[24];
    char *title;
    enum build_state state;
    bool failed;
};

struct ls {
    const struct cmd_args *args;
    const struct command *command;
    bool json;
    uint64_t limit;
    struct out out;
    struct sink sink;
    struct row *rows; /* of the table */
    size_t n_rows;
    size_t cap;
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

static bool wanted(const struct ls *ls, const struct build_report *b)
{
    bool any = false;

    for (size_t i = 0; i < ls->args->n_options; i++) {
        const struct parsed_option *option = &ls->args->options[i];

        if (option->spec->id != OPT_STATUS)
            continue;
        any = true;
        if (strcmp(option->text, build_report_status(b)) == 0)
            return true;
    }
    return !any;
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
    *row = (struct row){.state = b->state, .failed = build_report_failed(b)};
    memcpy(row->id, id, ULID_SIZE);
    local_time_text(started_ms(id, b), false, row->started);
    if (ms >= 0)
        duration_text(ms, row->duration);
    snprintf(row->status, sizeof(row->status), "%.16s", build_report_status(b));
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

/* Text padded to a width (right-aligned if negative) and cut where the line is full. */
static enum err_code put_cell(struct ls *ls, const char *text, int width, size_t *left)
{
    size_t want = (size_t)abs(width);
    size_t len = visible_fit(text, strlen(text), *left);
    size_t used = visible_columns(text, len);
    size_t pad = used < want ? want - used : 0;
    enum err_code rc = ERR_NONE;

    if (pad > *left - used)
        pad = *left - used;
    *left -= used + pad;
    if (width < 0)
        rc = pad > 0 ? sink_printf(&ls->sink, "%*s", (int)pad, "") : ERR_NONE;
    if (rc == ERR_NONE)
        rc = sink_put(&ls->sink, text, len);
    if (rc == ERR_NONE && width > 0)
        rc = pad > 0 ? sink_printf(&ls->sink, "%*s", (int)pad, "") : ERR_NONE;
    return rc;
}

static const char *colour_of(const struct ls *ls, const struct row *row)
{
    if (!ls->out.colour || row == NULL)
        return NULL;
    if (row->state == STATE_RUNNING)
        return "\x1b[36m";
    if (row->state == STATE_LOST)
        return "\x1b[35m";
    return row->failed ? "\x1b[31m" : "\x1b[32m";
}

struct widths {
    int id, started, duration, status, lines;
};

/* row NULL: the headings. */
static enum err_code put_row(struct ls *ls, const struct row *row, const struct widths *w)
{
    const char *colour = colour_of(ls, row);
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
            rc = put_cell(ls, "  ", 0, &left);
        if (rc == ERR_NONE && coloured)
            rc = sink_puts(&ls->sink, colour);
        if (rc == ERR_NONE)
            rc = put_cell(ls, cells[i].text, cells[i].width, &left);
        if (rc == ERR_NONE && coloured)
            rc = sink_puts(&ls->sink, "\x1b[0m");
    }
    return rc == ERR_NONE ? sink_put(&ls->sink, "\n", 1) : rc;
}

static int wider(int width, const char *text)
{
    size_t columns = visible_columns(text, strlen(text));

    return (int)columns > width ? (int)columns : width;
}

static enum err_code put_table(struct ls *ls)
{
    struct widths w = {.id = (int)short_id_len(ls), .started = 16, .duration = 4, .status = 6,
                       .lines = 5};
    enum err_code rc;

    if (ls->n_rows == 0)
        return ERR_NONE;
    for (size_t i = 0; i < ls->n_rows; i++) {
        w.duration = wider(w.duration, ls->rows[i].duration);
        w.status = wider(w.status, ls->rows[i].status);
        w.lines = wider(w.lines, ls->rows[i].lines);
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
        rc = ls->json ? put_json(ls, id, &report, e) : add_row(ls, id, &report, e);
        ls->shown++;
    }
    build_report_release(&report);
    return rc;
}

static enum err_code list(struct ls *ls, int root_fd, struct err *e)
{
    char id[ULID_SIZE];
    struct builds *builds;
    struct err first;
    uint64_t days;
    enum err_code rc = builds_open(&builds, root_fd, e);

    if (rc != ERR_NONE)
        return rc;
    while (rc == ERR_NONE && ls->shown < ls->limit && builds_next(builds, id))
        rc = take(ls, root_fd, id, e);
    days = builds_unreadable(builds, &first);
    builds_free(builds);
    if (days > 0)
        complain(ls, &first);
    if (days > 1)
        ls->unreadable += days - 1;
    return rc;
}

static enum err_code run_ls(struct ls *ls, struct err *e)
{
    char *root;
    int root_fd;
    enum err_code rc = open_store(ls->args, &root, &root_fd, e);
    bool none = rc == ERR_NOT_FOUND && root == NULL && e->sys_errno != 0;

    if (rc != ERR_NONE && !none)
        return rc;
    rc = ls->json ? sink_puts(&ls->sink, "[") : ERR_NONE;
    if (rc == ERR_NONE && !none)
        rc = list(ls, root_fd, e);
    if (!none) {
        sys.close(root_fd);
        free(root);
    }
    if (rc != ERR_NONE)
        return rc;
    return ls->json ? sink_puts(&ls->sink, ls->shown > 0 ? "\n]\n" : "]\n") : put_table(ls);
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
    if (status == EXIT_FOUND && ls->shown == 0 && ls->out.terminal && !ls->json)
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

    out_init(&ls.out);
    ls.sink = out_sink(&ls.out);
    ls.json = options_find(args, OPT_JSON) != NULL ||
              (output != NULL && output->number == CHOICE_LS_OUTPUT_JSON);
    if (limit != NULL)
        ls.limit = (uint64_t)limit->number;
    else if (ls.out.terminal && !ls.json)
        ls.limit = LS_ON_TERMINAL;
    status = finish(&ls, run_ls(&ls, &e), &e);
    for (size_t i = 0; i < ls.n_rows; i++)
        free(ls.rows[i].title);
    free(ls.rows);
    out_release(&ls.out);
    return status;
}
