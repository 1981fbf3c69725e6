// SPDX-License-Identifier: MIT
/*
 * buildlog query: records of many builds, by what they are and say.
 *
 * Builds come in the order of their ids, which is that of their start, or the newest first with
 * --reverse; records in the order of their logs. A build that cannot be read is complained about
 * and passed over, and the exit status tells.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/when.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "cmd/pager.h"
#include "cmd/query_suggest.h"
#include "cmd/wanted.h"
#include "commands.gen.h"
#include "lib/pick.h"
#include "read/query.h"
#include "read/query_screen.h"
#include "read/query_show.h"
#include "read/runner.h"

enum {
    COMPLAINTS_MAX = 3,
    HEADING_MAX = 200 /* bytes of a command that head the records of its build */
};

struct query_cmd {
    const struct cmd_args *args;
    const struct command *command;
    struct filter_spec spec;
    const char **words; /* what spec's lists point into */
    size_t n_words;
    bool count;
    bool named; /* the builds were */
    struct filter *filter;
    struct query query;
    struct query_show show;
    struct runner_guard guard; /* before out, where a runner reads it */
    struct out out;
    int root_fd;
    struct id_list builds;
    uint64_t unreadable;
    bool again; /* not the first search: what is told is told */
    bool best;
    uint64_t costs[FILTER_COSTS]; /* with --best: how many matches of each */
    struct suggest *suggest;
    struct pager pager;
};

/* ---- options -------------------------------------------------------------------------------- */

/* What all occurrences of an option say. */
static struct filter_words words_of(struct query_cmd *q, int id)
{
    struct filter_words list = {q->words + q->n_words, 0};

    for (size_t i = 0; i < q->args->n_options; i++)
        if (q->args->options[i].spec->id == id) {
            q->words[q->n_words++] = q->args->options[i].text;
            list.n++;
        }
    return list;
}

static bool has(const struct query_cmd *q, int id)
{
    return options_find(q->args, id) != NULL;
}

static uint64_t number_of(const struct query_cmd *q, int id, uint64_t absent)
{
    const struct parsed_option *option = options_find(q->args, id);

    return option != NULL ? (uint64_t)option->number : absent;
}

static const char *text_of(const struct query_cmd *q, int id)
{
    const struct parsed_option *option = options_find(q->args, id);

    return option != NULL ? option->text : NULL;
}

/* --date, --since and --until are all obeyed: what is in every one of them. */
static enum err_code parse_times(struct query_cmd *q, struct err *e)
{
    int64_t now_ms = clock_realtime_ms();
    const char *date = text_of(q, OPT_DATE);
    const char *since = text_of(q, OPT_SINCE);
    const char *until = text_of(q, OPT_UNTIL);
    int64_t ms;
    enum err_code rc = ERR_NONE;

    q->spec.since_ms = INT64_MIN;
    q->spec.until_ms = INT64_MAX;
    if (date != NULL)
        rc = when_day(date, now_ms, &q->spec.since_ms, &q->spec.until_ms, e);
    if (rc == ERR_NONE && since != NULL) {
        rc = when_parse(since, now_ms, &ms, e);
        if (rc == ERR_NONE && ms > q->spec.since_ms)
            q->spec.since_ms = ms;
    }
    if (rc == ERR_NONE && until != NULL) {
        rc = when_parse(until, now_ms, &ms, e);
        if (rc == ERR_NONE && ms < q->spec.until_ms)
            q->spec.until_ms = ms;
    }
    return rc;
}

static enum level level_option(const struct query_cmd *q)
{
    const char *text = text_of(q, OPT_LEVEL);

    return text != NULL ? level_parse(text) : LEVEL_NONE;
}

static enum err_code parse_spec(struct query_cmd *q, struct err *e)
{
    q->words = calloc(q->args->n_options + 1, sizeof(*q->words));
    if (q->words == NULL)
        return err_set(e, ERR_MEMORY, "cannot make filter", "", "no memory");
    q->spec.srcs = words_of(q, OPT_SRC);
    q->spec.events = words_of(q, OPT_EVENT);
    q->spec.words = words_of(q, OPT_WORD);
    q->spec.regexes = words_of(q, OPT_GREP);
    q->spec.tools = words_of(q, OPT_TOOL);
    q->spec.sessions = words_of(q, OPT_SESSION);
    q->spec.level = level_option(q);
    q->spec.icase = has(q, OPT_IGNORE_CASE);
    q->spec.fuzzy = (int)number_of(q, OPT_FUZZY, 0);
    return parse_times(q, e);
}

static enum err_code show_record(void *arg, const struct view *v, struct query_shown how)
{
    struct query_cmd *q = arg;

    return query_show_record(&q->show, v, how);
}

/* The first search of --best: what there is to be shown. */
static enum err_code count_cost(void *arg, const struct view *v, struct query_shown how)
{
    struct query_cmd *q = arg;

    (void)how;
    q->costs[v->cost]++;
    return ERR_NONE;
}

static void parse_query(struct query_cmd *q)
{
    uint64_t around = number_of(q, OPT_CONTEXT, 0);

    q->query = (struct query){.visit = show_record, .arg = q,
                              .before = number_of(q, OPT_BEFORE_CONTEXT, around),
                              .after = number_of(q, OPT_AFTER_CONTEXT, around),
                              .reverse = has(q, OPT_REVERSE),
                              .left = number_of(q, OPT_LIMIT, UINT64_MAX),
                              .cost = QUERY_COST_ANY};
    q->count = q->query.count_only = has(q, OPT_COUNT);
    q->best = has(q, OPT_BEST) && q->spec.fuzzy > 0 && !q->count;
    if (q->count)
        q->query.before = q->query.after = 0;
}

static void parse_show(struct query_cmd *q)
{
    static const enum query_format formats[] = {
        [CHOICE_QUERY_OUTPUT_TABLE] = QUERY_TABLE, [CHOICE_QUERY_OUTPUT_TEXT] = QUERY_TEXT,
        [CHOICE_QUERY_OUTPUT_JSON] = QUERY_JSON,   [CHOICE_QUERY_OUTPUT_JSONL] = QUERY_JSONL,
        [CHOICE_QUERY_OUTPUT_SUMMARY] = QUERY_SUMMARY};
    const struct parsed_option *output = options_find(q->args, OPT_OUTPUT);

    q->show.sink = out_sink(&q->out);
    q->show.format = output != NULL ? formats[output->number] : QUERY_TABLE;
    if (has(q, OPT_JSON))
        q->show.format = QUERY_JSON;
    q->show.terminal = q->out.terminal;
    q->show.colour = q->out.colour;
    q->show.columns = q->out.columns;
    if (q->show.format == QUERY_TEXT && out_obeyed()) { /* in the others no text begins a line */
        q->guard.sink = q->show.sink;
        q->show.sink = runner_sink(&q->guard);
    }
    query_show_init(&q->show);
}

static enum err_code parse(struct query_cmd *q, struct err *e)
{
    enum err_code rc = parse_spec(q, e);
    bool around = has(q, OPT_CONTEXT) || has(q, OPT_BEFORE_CONTEXT) || has(q, OPT_AFTER_CONTEXT);

    if (rc == ERR_NONE && has(q, OPT_BEST) && around)
        rc = err_set(e, ERR_USAGE, "cannot use", "--best",
                     "records that are sorted have no context");
    if (rc == ERR_NONE && has(q, OPT_BEST) && q->spec.fuzzy == 0)
        rc = err_set(e, ERR_USAGE, "cannot use", "--best", "it sorts what --fuzzy finds");
    if (rc == ERR_NONE)
        rc = filter_new(&q->filter, &q->spec, e);
    parse_query(q);
    parse_show(q);
    q->query.filter = q->filter;
    return rc;
}

/* ---- which builds --------------------------------------------------------------------------- */

static void complain(struct query_cmd *q, const struct err *e)
{
    if (q->unreadable++ < COMPLAINTS_MAX)
        cmd_warn_err(q->command, e);
}

static enum err_code named_builds(struct query_cmd *q, struct err *e)
{
    enum err_code rc = ERR_NONE;

    for (int i = 0; i < q->args->n_operands && rc == ERR_NONE; i++)
        rc = pick_named(&q->builds, q->root_fd, q->args->operands[i], e);
    return rc;
}

static enum err_code all_builds(struct query_cmd *q, struct err *e)
{
    struct pick_trouble trouble;
    enum err_code rc = pick_all(&q->builds, q->root_fd, q->spec.until_ms, &trouble, e);

    if (trouble.days > 0)
        complain(q, &trouble.first);
    if (trouble.days > 1)
        q->unreadable += trouble.days - 1;
    return rc;
}

/* In order, each once. */
static enum err_code select_builds(struct query_cmd *q, struct err *e)
{
    enum err_code rc = q->named ? named_builds(q, e) : all_builds(q, e);

    if (rc == ERR_NONE)
        pick_order(&q->builds, q->query.reverse);
    return rc;
}

/* ---- one build ------------------------------------------------------------------------------ */

static enum err_code put_into_buf(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

/* "2026-01-02 03:04  make -j2", harmless; malloc'ed, "" if memory is short. */
static char *make_heading(const char *id, const struct build_report *report)
{
    char started[DURATION_TEXT];
    struct buf buf;
    struct sink sink = {put_into_buf, &buf};
    int64_t ms = report->has_start ? record_time_ms(&report->start, "startedAt") : -1;
    enum err_code rc;

    local_time_text(ms >= 0 ? ms : ulid_time_ms(id), false, started);
    buf_init(&buf, (size_t)64 * HEADING_MAX);
    rc = sink_printf(&sink, "%s  ", started);
    if (rc == ERR_NONE && report->has_start)
        rc = put_command(&sink, &report->start, HEADING_MAX);
    if (rc == ERR_NONE)
        rc = buf_put(&buf, "", 1);
    if (rc == ERR_NONE)
        return buf.data;
    buf_release(&buf);
    return strdup("");
}

/* What the reader came across, unless the search ended before it had seen all. */
static void say_left_out(struct query_cmd *q, const char *id, struct log_reader *reader,
                         const struct build_report *report)
{
    const struct record *start = report->has_start ? &report->start : NULL;
    struct log_left_out l;
    char text[LEFT_OUT_TEXT];
    bool running;

    if (q->again)
        return;
    log_reader_left_out(reader, &l);
    if (q->query.reverse && !log_reader_compressed(reader))
        l.torn_bytes = pick_torn_bytes(reader); /* not read on the way back */
    l.newer = start != NULL && record_number(start, "v", RECORD_VERSION) > RECORD_VERSION;
    running = l.torn_bytes > 0 && build_writer_lives(reader, start);
    if (left_out_text(&l, running, text)[0] != '\0')
        cmd_warn(q->command, "build %s: left out: %s", id, text);
}

static enum err_code search_build(struct query_cmd *q, const char *id, struct log_reader *reader,
                                  const struct build_report *report, struct err *e)
{
    char *heading = NULL;
    enum err_code rc;

    if (q->show.headings && !q->count)
        heading = make_heading(id, report);
    query_show_build(&q->show, id, heading != NULL ? heading : "");
    rc = query_log(&q->query, reader, report->has_start ? &report->start : NULL, e);
    if (rc == ERR_NONE)
        say_left_out(q, id, reader, report);
    free(heading);
    return rc;
}

/* False: trouble with this build alone, which *trouble tells. */
static enum err_code take_opened(struct query_cmd *q, const char *id, struct log_reader *reader,
                                 struct err *trouble)
{
    struct build_report report;
    enum err_code rc;

    if (!q->named && pick_ended_before(reader, q->spec.since_ms))
        return ERR_NONE;
    rc = has(q, OPT_STATUS) ? build_report_read(reader, &report, trouble)
                            : pick_read_start(reader, &report, trouble);
    if (rc != ERR_NONE)
        return rc;
    if (status_wanted(q->args, build_report_status(&report)) &&
        labels_wanted(q->args, report_has_label, &report))
        rc = search_build(q, id, reader, &report, trouble);
    build_report_release(&report);
    return rc;
}

static enum err_code take_build(struct query_cmd *q, const char *id, struct err *e)
{
    struct log_reader *reader;
    struct err trouble = {0};
    enum err_code rc = log_reader_open(&reader, q->root_fd, id, &trouble);

    if (rc == ERR_NONE) {
        log_reader_hold(reader); /* the build may write faster than this is shown */
        rc = take_opened(q, id, reader, &trouble);
        log_reader_free(reader);
    }
    if (rc == ERR_NOT_FOUND && !q->named)
        return ERR_NONE; /* removed meanwhile */
    if (rc == ERR_REFUSED && q->suggest != NULL)
        return rc; /* enough was seen */
    if (rc == ERR_MEMORY || q->out.failed != 0) {
        *e = trouble;
        return rc;
    }
    if (rc != ERR_NONE && !q->again)
        complain(q, &trouble);
    return ERR_NONE;
}

/* ---- the command ---------------------------------------------------------------------------- */

static bool unwanted(const void *arg, const struct log_reader *reader)
{
    const struct query_cmd *q = arg;

    return !q->named && pick_ended_before(reader, q->spec.since_ms);
}

static enum err_code search_builds(struct query_cmd *q, struct err *e)
{
    const struct query_screen_job job = {.filter = q->query.filter, .root_fd = q->root_fd,
                                         .ids = q->builds.ids, .n = q->builds.n,
                                         .unwanted = unwanted, .arg = q};
    struct query_screen *screen = filter_takes_all(q->query.filter) ? NULL : query_screen_new(&job);
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < q->builds.n && rc == ERR_NONE && q->query.left > 0; i++)
        if (screen == NULL || !query_screen_nothing(screen, i))
            rc = take_build(q, q->builds.ids[i], e);
    query_screen_free(screen);
    return rc;
}

/* Once to see what costs there are, then once for each of them: no matter how many matches there
   are, none has to be kept. */
static enum err_code search_best(struct query_cmd *q, struct err *e)
{
    struct query query = q->query;
    enum err_code rc;

    q->query.visit = count_cost;
    q->query.left = UINT64_MAX;
    rc = search_builds(q, e);
    q->query = query;
    q->again = true;
    for (int cost = 0; cost < FILTER_COSTS && rc == ERR_NONE; cost++) {
        q->query.cost = cost;
        if (q->costs[cost] > 0)
            rc = search_builds(q, e);
    }
    return rc;
}

static enum err_code look_for_near(void *arg, const struct view *v, struct query_shown how)
{
    struct query_cmd *q = arg;

    (void)how;
    return suggest_look(q->suggest, v->msg) ? ERR_NONE : ERR_REFUSED;
}

/* One word that was not found, in all that the other filters pass. */
static enum err_code suggest_word(struct query_cmd *q, const char *word, struct err *e)
{
    struct filter_spec spec = q->spec;
    struct filter *filter;
    enum err_code rc;

    spec.words.n = spec.regexes.n = 0;
    rc = filter_new(&filter, &spec, e);
    if (rc != ERR_NONE)
        return rc;
    rc = suggest_new(&q->suggest, word, spec.fuzzy, e);
    q->query.filter = filter;
    q->query.visit = look_for_near;
    q->query.count_only = false;
    if (rc == ERR_NONE)
        rc = search_builds(q, e);
    if (rc == ERR_NONE || rc == ERR_REFUSED) {
        const char *text = suggest_text(q->suggest);

        if (text[0] != '\0') {
            err_set(e, ERR_NOT_FOUND, "nothing is near", word, "%s", text);
            cmd_warn_err(q->command, e);
        }
        rc = ERR_NONE;
    }
    suggest_free(q->suggest);
    q->suggest = NULL;
    filter_free(filter);
    return rc;
}

static enum err_code suggest(struct query_cmd *q, struct err *e)
{
    struct query query = q->query;
    enum err_code rc = ERR_NONE;

    q->again = true;
    for (size_t i = 0; i < q->spec.words.n && rc == ERR_NONE; i++)
        rc = suggest_word(q, q->spec.words.items[i], e);
    q->query = query;
    return rc;
}

static enum err_code search_all(struct query_cmd *q, struct err *e)
{
    enum err_code rc = select_builds(q, e);

    q->show.headings = q->builds.n > 1;
    if (rc == ERR_NONE) /* naming a build may have written the index */
        confine_to_store(q->args, q->root_fd, false);
    if (rc == ERR_NONE)
        rc = q->best ? search_best(q, e) : search_builds(q, e);
    if (rc == ERR_NONE && q->query.matches == 0 && q->spec.fuzzy > 0 && q->query.left > 0)
        rc = suggest(q, e);
    return rc;
}

static enum err_code run_query(struct query_cmd *q, struct err *e)
{
    char *root;
    enum err_code rc = open_store(q->args, &root, &q->root_fd, e);
    bool none = store_missing(rc, e);

    if (rc == ERR_NONE) {
        rc = search_all(q, e);
        sys.close(q->root_fd);
        free(root);
    } else if (none && !q->named) {
        rc = ERR_NONE; /* no store yet: no builds */
    }
    if (rc != ERR_NONE)
        return rc;
    if (q->count)
        return sink_printf(&q->show.sink, "%" PRIu64 "\n", q->query.matches);
    rc = query_show_end(&q->show);
    return rc == ERR_NONE ? runner_finish(&q->guard) : rc;
}

static int finish(struct query_cmd *q, enum err_code rc, const struct err *e)
{
    int status = q->query.matches > 0 ? EXIT_FOUND : EXIT_NOTHING;

    if (q->unreadable > COMPLAINTS_MAX)
        cmd_warn(q->command, "and %" PRIu64 " more", q->unreadable - COMPLAINTS_MAX);
    if (q->unreadable > 0 || rc != ERR_NONE)
        status = EXIT_TROUBLE;
    if (rc != ERR_NONE && q->out.failed == 0)
        cmd_warn_err(q->command, e);
    if (q->pager.pid == 0)
        return out_finish(&q->out, q->command, status);
    if (out_flush(&q->out) != ERR_NONE && q->out.failed != EPIPE)
        status = out_finish(&q->out, q->command, status);
    (void)pager_finish(&q->pager);
    return status;
}

/* For people, at a terminal. */
static void start_pager(struct query_cmd *q)
{
    if (q->out.terminal && !q->count && q->show.format != QUERY_SUMMARY)
        pager_start(&q->pager);
}

int cmd_query(const struct cmd_args *args)
{
    struct query_cmd q = {.args = args, .command = args->command, .named = args->n_operands > 0};
    struct err e = {0};
    enum err_code rc;
    int status;

    out_init_for(&q.out, args);
    rc = parse(&q, &e);
    if (rc == ERR_NONE) {
        start_pager(&q);
        rc = run_query(&q, &e);
    }
    status = finish(&q, rc, &e);
    filter_free(q.filter);
    query_show_release(&q.show);
    id_list_release(&q.builds);
    free(q.words);
    out_release(&q.out);
    return status;
}
