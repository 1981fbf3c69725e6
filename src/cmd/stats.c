// SPDX-License-Identifier: MIT
/*
 * buildlog stats: figures over the builds of a store. Of each log only the head and the tail are
 * read, and not even those where an index knows them (store/day_index.h).
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/sys.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "cmd/table.h"
#include "commands.gen.h"
#include "read/figures.h"
#include "store/survey.h"
#include "text/utf8.h"

enum {
    COMPLAINTS_MAX = 3,
    NAMES_SHOWN = 10, /* to people; JSON has all */
    BAR_COLUMNS = 40,
    CELL = 32,
    SHORT_ID = 10 /* of the slowest: enough for one to be found by its end */
};

struct stats {
    const struct command *command;
    const char *name; /* NULL: of any */
    int64_t from_ms;
    bool json;
    struct out out;
    struct sink sink;
    struct figures figures;
    uint64_t unreadable;
};

/* ---- gathering ---------------------------------------------------------------------------- */

static void complain(struct stats *s, const struct err *e)
{
    if (s->unreadable++ < COMPLAINTS_MAX)
        cmd_warn_err(s->command, e);
}

static bool wanted(const struct stats *s, const struct digest *d)
{
    size_t len;

    if (s->name == NULL)
        return true;
    len = strlen(s->name);
    return d->title.len == (len < DIGEST_TITLE_MAX ? len : DIGEST_TITLE_MAX) &&
           (d->title.len == 0 || memcmp(d->title.ptr, s->name, d->title.len) == 0);
}

static enum err_code add_all(struct stats *s, struct survey *survey, struct err *e)
{
    char id[ULID_SIZE];
    struct digest d;
    struct err trouble;
    bool have = true;
    enum err_code rc = ERR_NONE;

    while (rc == ERR_NONE && have) {
        enum err_code read = survey_next(survey, id, &d, &have, &trouble);

        if (read == ERR_MEMORY)
            *e = trouble;
        if (read == ERR_MEMORY)
            rc = read;
        else if (read != ERR_NONE)
            complain(s, &trouble);
        else if (have && wanted(s, &d))
            rc = figures_add(&s->figures, id, &d, e);
    }
    return rc;
}

static enum err_code gather(struct stats *s, int root_fd, struct err *e)
{
    struct survey *survey;
    struct err first;
    uint64_t days;
    enum err_code rc = survey_open(&survey, root_fd, s->from_ms, INT64_MAX, e);

    if (rc != ERR_NONE)
        return rc;
    rc = add_all(s, survey, e);
    days = survey_unreadable(survey, &first);
    survey_free(survey);
    if (days > 0)
        complain(s, &first);
    if (days > 1)
        s->unreadable += days - 1;
    figures_finish(&s->figures);
    return rc;
}

/* ---- json ----------------------------------------------------------------------------------- */

/* Four places: what follows is noise to a reader and to diff. */
static double rate(uint64_t part, uint64_t whole)
{
    uint64_t rounded = whole > 0 ? (part * 20000 + whole) / (2 * whole) : 0;

    return (double)rounded / 10000.0;
}

static void add_mean(cJSON *to, const char *key, double mean)
{
    if (mean >= 0)
        cJSON_AddNumberToObject(to, key, (double)(int64_t)(mean + 0.5));
}

static cJSON *json_samples(const struct samples *s)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "values", (double)s->seen);
    if (s->seen == 0)
        return object;
    cJSON_AddNumberToObject(object, "min", (double)s->min);
    cJSON_AddNumberToObject(object, "p50", (double)samples_quantile(s, 50));
    cJSON_AddNumberToObject(object, "p95", (double)samples_quantile(s, 95));
    cJSON_AddNumberToObject(object, "p99", (double)samples_quantile(s, 99));
    cJSON_AddNumberToObject(object, "max", (double)s->max);
    add_mean(object, "mean", samples_mean(s));
    cJSON_AddBoolToObject(object, "sampled", s->seen > s->len);
    return object;
}

/* What is cut or hostile must still be JSON. */
static void add_text(cJSON *to, const char *key, const char *text)
{
    char safe[3 * DIGEST_TITLE_MAX + 1];
    size_t at = 0;
    size_t len = strlen(text);

    for (size_t i = 0; i < len && at + 4 < sizeof(safe);) {
        bool valid;
        size_t n = utf8_sequence(text + i, len - i, &valid);

        memcpy(safe + at, valid ? text + i : "\xef\xbf\xbd", valid ? n : 3);
        at += valid ? n : 3;
        i += n;
    }
    safe[at] = '\0';
    cJSON_AddStringToObject(to, key, safe);
}

static cJSON *json_slowest(const struct figures *f)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < f->n_slowest; i++) {
        cJSON *object = cJSON_CreateObject();

        cJSON_AddStringToObject(object, "id", f->slowest[i].id);
        cJSON_AddStringToObject(object, "status", outcome_name(f->slowest[i].outcome));
        cJSON_AddNumberToObject(object, "durationMs", (double)f->slowest[i].duration_ms);
        add_text(object, "name", f->slowest[i].title);
        cJSON_AddItemToArray(list, object);
    }
    return list;
}

static cJSON *json_names(const struct figures *f)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < f->n_names; i++) {
        const struct name_figures *name = &f->names[i];
        cJSON *object = cJSON_CreateObject();

        add_text(object, "name", name->name);
        cJSON_AddNumberToObject(object, "builds", (double)name->builds);
        cJSON_AddNumberToObject(object, "ended", (double)name->ended);
        cJSON_AddNumberToObject(object, "failed", (double)name->failed);
        cJSON_AddNumberToObject(object, "failureRate", rate(name->failed, name->ended));
        cJSON_AddNumberToObject(object, "changes", (double)name->changes);
        if (name->timed > 0)
            add_mean(object, "meanMs", name->sum_ms / (double)name->timed);
        cJSON_AddItemToArray(list, object);
    }
    return list;
}

static cJSON *json_outcomes(const struct figures *f)
{
    cJSON *object = cJSON_CreateObject();

    for (int i = 0; i < N_OUTCOMES; i++)
        cJSON_AddNumberToObject(object, outcome_name((enum outcome)i), (double)f->outcomes[i]);
    return object;
}

static enum err_code put_json(struct stats *s, struct err *e)
{
    const struct figures *f = &s->figures;
    cJSON *object = cJSON_CreateObject();
    char since[RFC3339_SIZE];
    char *text;
    enum err_code rc;

    cJSON_AddNumberToObject(object, "v", 1);
    if (s->from_ms > 0)
        cJSON_AddStringToObject(object, "since", clock_rfc3339(s->from_ms, since));
    cJSON_AddNumberToObject(object, "builds", (double)f->builds);
    cJSON_AddNumberToObject(object, "ended", (double)f->ended);
    cJSON_AddNumberToObject(object, "failed", (double)f->failed);
    cJSON_AddNumberToObject(object, "failureRate", rate(f->failed, f->ended));
    cJSON_AddItemToObject(object, "outcomes", json_outcomes(f));
    cJSON_AddItemToObject(object, "durationMs", json_samples(&f->duration_ms));
    cJSON_AddItemToObject(object, "lines", json_samples(&f->lines));
    cJSON_AddItemToObject(object, "slowest", json_slowest(f));
    cJSON_AddItemToObject(object, "names", json_names(f));
    cJSON_AddNumberToObject(object, "unreadable", (double)s->unreadable);
    text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (text == NULL)
        return err_set(e, ERR_MEMORY, "cannot make figures", "", "no memory");
    rc = s->out.terminal ? visible_put_json(&s->sink, (struct raw_span){text, strlen(text)})
                         : sink_puts(&s->sink, text);
    cJSON_free(text);
    return rc == ERR_NONE ? sink_puts(&s->sink, "\n") : rc;
}

/* ---- text ----------------------------------------------------------------------------------- */

/* A row of cells, two spaces between them; a negative width is one to the right. */
static enum err_code put_row(struct stats *s, const char *const *cells, const int *widths,
                             size_t n)
{
    size_t left = s->out.columns > 0 ? s->out.columns : SIZE_MAX / 2;
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < n && rc == ERR_NONE; i++) {
        if (i > 0)
            rc = table_cell(&s->sink, "  ", 0, &left);
        if (rc == ERR_NONE)
            rc = table_cell(&s->sink, cells[i], widths[i], &left);
    }
    return rc == ERR_NONE ? sink_put(&s->sink, "\n", 1) : rc;
}

static char *count_text(uint64_t n, char dst[CELL])
{
    snprintf(dst, CELL, "%" PRIu64, n);
    return dst;
}

static char *rate_text(uint64_t part, uint64_t whole, char dst[CELL])
{
    snprintf(dst, CELL, "%.1f%%", whole > 0 ? 100.0 * (double)part / (double)whole : 0.0);
    return dst;
}

static enum err_code put_outcome(struct stats *s, const char *name, uint64_t n, uint64_t of)
{
    static const int widths[] = {12, -10, -6};
    char count[CELL];
    char share[CELL];
    const char *const cells[] = {name, count_text(n, count), rate_text(n, of, share)};

    return put_row(s, cells, widths, of > 0 ? 3 : 2);
}

static enum err_code put_outcomes(struct stats *s)
{
    const struct figures *f = &s->figures;
    enum err_code rc = put_outcome(s, "builds", f->builds, 0);

    for (int i = 0; i < N_OUTCOMES && rc == ERR_NONE; i++)
        if (f->outcomes[i] > 0)
            rc = put_outcome(s, outcome_name((enum outcome)i), f->outcomes[i],
                             i < OUTCOME_RUNNING ? f->ended : 0);
    if (rc == ERR_NONE && f->ended > 0)
        rc = put_outcome(s, "failure rate", f->failed, f->ended);
    return rc;
}

typedef char *value_text(int64_t value, char dst[CELL]);

static char *ms_text(int64_t value, char dst[CELL])
{
    return duration_text(value, dst);
}

static char *number_text(int64_t value, char dst[CELL])
{
    snprintf(dst, CELL, "%" PRId64, value);
    return dst;
}

enum { QUANTILE_CELLS = 6 };
static const int quantile_widths[QUANTILE_CELLS] = {12, -10, -10, -10, -10, -10};

static enum err_code put_samples(struct stats *s, const char *name, const struct samples *v,
                                 value_text *as_text)
{
    char text[QUANTILE_CELLS - 1][CELL];
    const char *const cells[] = {name,
                                 as_text(samples_quantile(v, 50), text[0]),
                                 as_text(samples_quantile(v, 95), text[1]),
                                 as_text(samples_quantile(v, 99), text[2]),
                                 as_text(v->max, text[3]),
                                 as_text((int64_t)(samples_mean(v) + 0.5), text[4])};

    return v->seen > 0 ? put_row(s, cells, quantile_widths, QUANTILE_CELLS) : ERR_NONE;
}

static enum err_code put_quantiles(struct stats *s)
{
    static const char *const head[] = {"", "P50", "P95", "P99", "MAX", "MEAN"};
    const struct figures *f = &s->figures;
    enum err_code rc;

    if (f->duration_ms.seen == 0 && f->lines.seen == 0)
        return ERR_NONE;
    rc = sink_puts(&s->sink, "\n");
    if (rc == ERR_NONE)
        rc = put_row(s, head, quantile_widths, QUANTILE_CELLS);
    if (rc == ERR_NONE)
        rc = put_samples(s, "time", &f->duration_ms, ms_text);
    if (rc == ERR_NONE)
        rc = put_samples(s, "lines", &f->lines, number_text);
    if (rc == ERR_NONE && f->duration_ms.seen > f->duration_ms.len)
        rc = sink_printf(&s->sink, "(quantiles of a sample of %zu)\n", f->duration_ms.len);
    return rc;
}

static bool utf8_terminal(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = getenv(variables[i]);

        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

/* What is there is seen: at least one block. */
static char *make_bar(uint64_t n, uint64_t most, bool blocks, char dst[3 * BAR_COLUMNS + 1])
{
    const char *block = blocks ? "█" : "#";
    size_t len = (size_t)(n * BAR_COLUMNS / most);
    size_t at = 0;

    if (n > 0 && len == 0)
        len = 1;
    for (size_t i = 0; i < len; i++) {
        memcpy(dst + at, block, strlen(block));
        at += strlen(block);
    }
    dst[at] = '\0';
    return dst;
}

static char *bucket_text(size_t bucket, char dst[CELL])
{
    static const char *const names[FIGURES_BUCKETS] = {"< 1s", "< 10s", "< 1m", "< 5m",
                                                       "< 30m", "< 2h", "< 24h", "longer"};

    snprintf(dst, CELL, "%s", names[bucket]);
    return dst;
}

/* The empty ends of the scale are left out. */
static enum err_code put_histogram(struct stats *s)
{
    static const int widths[] = {12, -10, 0};
    const uint64_t *n = s->figures.buckets;
    bool blocks = utf8_terminal();
    size_t first = 0;
    size_t last = FIGURES_BUCKETS - 1;
    uint64_t most = 0;
    enum err_code rc = sink_puts(&s->sink, "\n");

    while (first < last && n[first] == 0)
        first++;
    while (last > first && n[last] == 0)
        last--;
    for (size_t i = first; i <= last; i++)
        most = n[i] > most ? n[i] : most;
    for (size_t i = first; i <= last && most > 0 && rc == ERR_NONE; i++) {
        char name[CELL];
        char count[CELL];
        char bar[3 * BAR_COLUMNS + 1];
        const char *const cells[] = {bucket_text(i, name), count_text(n[i], count),
                                     make_bar(n[i], most, blocks, bar)};

        rc = put_row(s, cells, widths, 3);
    }
    return rc;
}

static enum err_code put_slowest(struct stats *s)
{
    static const char *const head[] = {"SLOWEST", "TIME", "STATUS", "COMMAND"};
    static const int widths[] = {SHORT_ID, -8, 11, 0};
    const struct figures *f = &s->figures;
    enum err_code rc;

    if (f->n_slowest == 0)
        return ERR_NONE;
    rc = sink_puts(&s->sink, "\n");
    if (rc == ERR_NONE)
        rc = put_row(s, head, widths, 4);
    for (size_t i = 0; i < f->n_slowest && rc == ERR_NONE; i++) {
        const struct slow_build *b = &f->slowest[i];
        char time[CELL];
        char *title = table_text(b->title, strlen(b->title));
        const char *const cells[] = {b->id + ULID_LEN - SHORT_ID, ms_text(b->duration_ms, time),
                                     outcome_name(b->outcome), title};

        rc = title != NULL ? put_row(s, cells, widths, 4) : ERR_MEMORY;
        free(title);
    }
    return rc;
}

static enum err_code put_name(struct stats *s, const struct name_figures *name, const int *widths,
                              size_t n_widths)
{
    char text[4][CELL];
    char mean[CELL] = "";
    char *title = table_text(name->name, strlen(name->name));
    const char *const cells[] = {count_text(name->builds, text[0]),
                                 count_text(name->failed, text[1]),
                                 rate_text(name->failed, name->ended, text[2]),
                                 count_text(name->changes, text[3]),
                                 name->timed > 0 ? ms_text((int64_t)(name->sum_ms /
                                                                     (double)name->timed), mean)
                                                 : mean,
                                 title != NULL && title[0] == '\0' ? "(others)" : title};
    enum err_code rc = title != NULL ? put_row(s, cells, widths, n_widths) : ERR_MEMORY;

    free(title);
    return rc;
}

static enum err_code put_names(struct stats *s)
{
    static const char *const head[] = {"BUILDS", "FAILED", "RATE", "CHANGES", "MEAN", "NAME"};
    static const int widths[] = {-8, -8, -6, -7, -8, 0};
    enum { N = sizeof(widths) / sizeof(widths[0]) };
    const struct figures *f = &s->figures;
    enum err_code rc;

    if (f->n_names < 2)
        return ERR_NONE;
    rc = sink_puts(&s->sink, "\n");
    if (rc == ERR_NONE)
        rc = put_row(s, head, widths, N);
    for (size_t i = 0; i < f->n_names && i < NAMES_SHOWN && rc == ERR_NONE; i++)
        rc = put_name(s, &f->names[i], widths, N);
    if (rc == ERR_NONE && f->n_names > NAMES_SHOWN)
        rc = sink_printf(&s->sink, "(and %zu more names)\n", f->n_names - NAMES_SHOWN);
    return rc;
}

static enum err_code put_text(struct stats *s, struct err *e)
{
    enum err_code rc = put_outcomes(s);

    if (rc == ERR_NONE)
        rc = put_quantiles(s);
    if (rc == ERR_NONE && s->out.terminal && s->figures.duration_ms.seen > 0)
        rc = put_histogram(s);
    if (rc == ERR_NONE)
        rc = put_slowest(s);
    if (rc == ERR_NONE)
        rc = put_names(s);
    if (rc == ERR_MEMORY)
        err_set(e, rc, "cannot make figures", "", "no memory");
    return rc;
}

/* ---- the command -------------------------------------------------------------------------- */

static enum err_code run_stats(struct stats *s, const struct cmd_args *args, struct err *e)
{
    char *root = NULL;
    int root_fd = -1;
    enum err_code rc = option_time(args, OPT_SINCE, 0, &s->from_ms, e);

    if (rc == ERR_NONE)
        rc = figures_init(&s->figures, e);
    if (rc == ERR_NONE)
        rc = open_store(args, &root, &root_fd, e);
    if (rc == ERR_NONE) {
        confine_to_store(args, root_fd, true);
        rc = gather(s, root_fd, e);
    } else if (store_missing(rc, e)) { /* no store: no builds */
        rc = ERR_NONE;
    }
    if (root_fd >= 0)
        sys.close(root_fd);
    free(root);
    if (rc != ERR_NONE)
        return rc;
    return s->json ? put_json(s, e) : put_text(s, e);
}

int cmd_stats(const struct cmd_args *args)
{
    const struct parsed_option *name = options_find(args, OPT_NAME);
    const struct parsed_option *output = options_find(args, OPT_OUTPUT);
    struct stats s = {.command = args->command};
    struct err e = {0};
    enum err_code rc;
    int status = EXIT_FOUND;

    out_init_for(&s.out, args);
    s.sink = out_sink(&s.out);
    s.name = name != NULL ? name->text : NULL;
    s.json = options_find(args, OPT_JSON) != NULL ||
             (output != NULL && output->number == CHOICE_STATS_OUTPUT_JSON);
    rc = run_stats(&s, args, &e);
    if (s.unreadable > COMPLAINTS_MAX)
        cmd_warn(args->command, "and %" PRIu64 " more", s.unreadable - COMPLAINTS_MAX);
    if (s.unreadable > 0 || rc != ERR_NONE)
        status = EXIT_TROUBLE;
    if (rc != ERR_NONE && s.out.failed == 0)
        cmd_warn_err(args->command, &e);
    status = out_finish(&s.out, args->command, status);
    figures_release(&s.figures);
    out_release(&s.out);
    return status;
}
