// SPDX-License-Identifier: MIT
/* buildlog info: all that one log says about its build. Reads the whole of it once. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "commands.gen.h"

struct info {
    struct opened_build build;
    struct build_report report; /* start: of the last attempt */
    struct out out;
    struct sink sink;
    uint64_t attempts, lines, events, gaps;
    uint64_t missing_lines;
    struct log_left_out left_out;
};

/* ---- reading ------------------------------------------------------------------------ */

static void count_gap(struct info *info, const struct log_item *item)
{
    struct record record;

    info->gaps++;
    if (log_item_decode(item, &record, NULL) != ERR_NONE)
        return;
    info->missing_lines += (uint64_t)record_number(&record, "lines", 0);
    record_release(&record);
}

static void count(struct info *info, const struct log_item *item)
{
    struct record start;

    switch (item->kind) {
    case RECORD_START:
        if (log_item_decode(item, &start, NULL) != ERR_NONE)
            break;
        if (info->report.has_start)
            record_release(&info->report.start);
        info->report.start = start;
        info->report.has_start = true;
        info->attempts++;
        break;
    case RECORD_LINE:
        info->lines++;
        break;
    case RECORD_EVENT:
        info->events++;
        break;
    case RECORD_GAP:
        count_gap(info, item);
        break;
    case RECORD_END:
    case RECORD_FOREIGN:
    default:
        break;
    }
}

static enum err_code read_all(struct info *info, struct err *e)
{
    struct log_item item;
    bool have = true;
    enum err_code rc = build_report_read(info->build.reader, &info->report, e);

    log_reader_hold(info->build.reader);
    while (rc == ERR_NONE && have) {
        rc = log_reader_next(info->build.reader, &item, &have, e);
        if (rc == ERR_NONE && have)
            count(info, &item);
    }
    log_reader_left_out(info->build.reader, &info->left_out);
    return rc;
}

/* ---- text --------------------------------------------------------------------------- */

static enum err_code put_name(struct info *info, const char *name)
{
    return sink_printf(&info->sink, "%-11s", name);
}

static enum err_code put_text(struct info *info, const char *name, const char *text)
{
    enum err_code rc;

    if (text == NULL || text[0] == '\0')
        return ERR_NONE;
    rc = put_name(info, name);
    if (rc == ERR_NONE)
        rc = visible_put(&info->sink, (struct raw_span){text, strlen(text)},
                         (struct visible){.colour = COLOUR_VISIBLE});
    return rc == ERR_NONE ? sink_put(&info->sink, "\n", 1) : rc;
}

static enum err_code put_number(struct info *info, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return put_text(info, name, value >= 0 ? text : NULL);
}

static enum err_code put_time(struct info *info, const char *name, const struct record *r,
                              const char *key)
{
    char text[DURATION_TEXT];
    int64_t ms = record_time_ms(r, key);

    return put_text(info, name, ms >= 0 ? local_time_text(ms, true, text) : NULL);
}

static enum err_code put_labels(struct info *info)
{
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(info->report.start.json, "labels");
    const cJSON *label;
    enum err_code rc = ERR_NONE;

    cJSON_ArrayForEach(label, labels) {
        char text[512];

        if (rc != ERR_NONE || label->string == NULL || !cJSON_IsString(label))
            continue;
        snprintf(text, sizeof(text), "%s=%s", label->string, label->valuestring);
        rc = put_text(info, "label", text);
    }
    return rc;
}

/* How it was recorded, as far as that is not as usual. */
static enum err_code put_settings(struct info *info)
{
    const struct record *start = &info->report.start;
    const char *forward = record_text(start, "forward", "redacted");
    const char *order = record_text(start, "order", "arrival");
    enum err_code rc = ERR_NONE;

    if (strcmp(record_text(start, "redact", "on"), "off") == 0)
        rc = put_text(info, "redaction", "off");
    if (rc == ERR_NONE && strcmp(forward, "redacted") != 0)
        rc = put_text(info, "forwarded", forward);
    if (rc == ERR_NONE && strcmp(order, "arrival") != 0)
        rc = put_text(info, "order", order);
    return rc;
}

static enum err_code put_start(struct info *info)
{
    enum { COMMAND_MAX = 64 << 10 };
    const struct record *start = &info->report.start;
    enum err_code rc = put_text(info, "name", record_text(start, "name", ""));

    if (rc == ERR_NONE)
        rc = put_name(info, "command");
    if (rc == ERR_NONE)
        rc = put_command(&info->sink, start, COMMAND_MAX);
    if (rc == ERR_NONE)
        rc = sink_puts(&info->sink, "\n");
    if (rc == ERR_NONE)
        rc = put_text(info, "directory", record_text(start, "cwd", ""));
    if (rc == ERR_NONE)
        rc = put_text(info, "host", record_text(start, "host", ""));
    if (rc == ERR_NONE)
        rc = put_text(info, "user", record_text(start, "userId", ""));
    if (rc == ERR_NONE)
        rc = put_text(info, "project", record_text(start, "projectId", ""));
    if (rc == ERR_NONE)
        rc = put_text(info, "request", record_text(start, "reqId", ""));
    if (rc == ERR_NONE)
        rc = put_text(info, "trace", record_text(start, "traceId", ""));
    if (rc == ERR_NONE)
        rc = put_text(info, "parent", record_text(start, "parentId", ""));
    if (rc == ERR_NONE)
        rc = put_labels(info);
    if (rc == ERR_NONE)
        rc = put_settings(info);
    if (rc == ERR_NONE)
        rc = put_time(info, "started", start, "startedAt");
    return rc;
}

/* Of a build that has not ended: as long as it has been running. */
static enum err_code put_so_far(struct info *info)
{
    char text[DURATION_TEXT + 16];
    char duration[DURATION_TEXT];
    int64_t started = info->report.has_start ? record_time_ms(&info->report.start, "startedAt")
                                             : -1;
    enum err_code rc = ERR_NONE;

    if (info->report.state == STATE_RUNNING && started >= 0) {
        snprintf(text, sizeof(text), "%s so far",
                 duration_text(clock_realtime_ms() - started, duration));
        rc = put_text(info, "duration", text);
    }
    return rc == ERR_NONE ? put_number(info, "lines", (int64_t)info->lines) : rc;
}

static enum err_code put_redactions(struct info *info)
{
    const cJSON *rules = cJSON_GetObjectItemCaseSensitive(info->report.end.json, "redactions");
    const cJSON *rule;
    enum err_code rc = ERR_NONE;

    cJSON_ArrayForEach(rule, rules) {
        char text[256];

        if (rc != ERR_NONE || rule->string == NULL || !cJSON_IsNumber(rule))
            continue;
        snprintf(text, sizeof(text), "%.0f %.200s", rule->valuedouble, rule->string);
        rc = put_text(info, "redacted", text);
    }
    return rc;
}

/* What the command needed. */
static enum err_code put_usage(struct info *info)
{
    const struct record *end = &info->report.end;
    int64_t user = record_number(end, "userMs", -1);
    int64_t system = record_number(end, "sysMs", -1);
    int64_t kb = record_number(end, "maxRssKb", -1);
    char text[2 * DURATION_TEXT + 32];
    char a[DURATION_TEXT];
    char b[DURATION_TEXT];
    enum err_code rc = ERR_NONE;

    if (user >= 0 && system >= 0) {
        snprintf(text, sizeof(text), "%s user, %s system", duration_text(user, a),
                 duration_text(system, b));
        rc = put_text(info, "cpu", text);
    }
    if (rc == ERR_NONE && kb >= 0) {
        snprintf(text, sizeof(text), "%" PRId64 ".%" PRId64 " MiB at most", kb / 1024,
                 kb % 1024 * 10 / 1024);
        rc = put_text(info, "memory", text);
    }
    return rc;
}

static enum err_code put_end(struct info *info)
{
    const struct record *end = &info->report.end;
    char text[DURATION_TEXT];
    int64_t ms = record_number(end, "durationMs", -1);
    enum err_code rc = put_time(info, "ended", end, "endedAt");

    if (rc == ERR_NONE)
        rc = put_text(info, "duration", ms >= 0 ? duration_text(ms, text) : NULL);
    if (rc == ERR_NONE)
        rc = put_number(info, "lines", record_number(end, "lines", -1));
    if (rc == ERR_NONE)
        rc = put_number(info, "bytes", record_number(end, "bytes", -1));
    if (rc == ERR_NONE)
        rc = put_text(info, "complete", record_bool(end, "complete", false) ? "yes" : "no");
    if (rc == ERR_NONE)
        rc = put_usage(info);
    if (rc == ERR_NONE)
        rc = put_text(info, "hash", record_text(end, "hash", ""));
    return rc == ERR_NONE ? put_redactions(info) : rc;
}

static enum err_code put_soundness(struct info *info)
{
    char text[LEFT_OUT_TEXT];
    enum err_code rc = ERR_NONE;

    if (info->attempts > 1)
        rc = put_number(info, "attempts", (int64_t)info->attempts);
    if (rc == ERR_NONE && info->gaps > 0) {
        snprintf(text, sizeof(text), "%" PRIu64 ", %" PRIu64 " lines missing", info->gaps,
                 info->missing_lines);
        rc = put_text(info, "gaps", text);
    }
    if (rc == ERR_NONE)
        rc = put_text(info, "left out",
                      left_out_text(&info->left_out, info->report.state == STATE_RUNNING, text));
    return rc;
}

static enum err_code put_all(struct info *info)
{
    char text[OUTCOME_TEXT];
    const char *colour = info->out.colour ? report_colour(&info->report) : "";
    enum err_code rc = put_text(info, "id", info->build.id);

    if (rc == ERR_NONE)
        rc = put_name(info, "status");
    if (rc == ERR_NONE)
        rc = sink_puts(&info->sink, colour);
    outcome_text(&info->report, text);
    if (rc == ERR_NONE)
        rc = visible_put(&info->sink, (struct raw_span){text, strlen(text)},
                         (struct visible){.colour = COLOUR_VISIBLE});
    if (rc == ERR_NONE)
        rc = sink_puts(&info->sink, colour[0] != '\0' ? "\x1b[0m\n" : "\n");
    if (rc == ERR_NONE && info->report.has_start)
        rc = put_start(info);
    if (rc == ERR_NONE && info->report.state == STATE_ENDED)
        rc = put_end(info);
    else if (rc == ERR_NONE)
        rc = put_so_far(info);
    if (rc == ERR_NONE)
        rc = put_soundness(info);
    if (rc == ERR_NONE)
        rc = put_name(info, "log");
    if (rc == ERR_NONE)
        rc = visible_put(&info->sink, (struct raw_span){info->build.root,
                         strlen(info->build.root)}, (struct visible){.colour = COLOUR_VISIBLE});
    return rc == ERR_NONE ? sink_printf(&info->sink, "/%s\n", log_reader_path(info->build.reader))
                          : rc;
}

/* ---- json --------------------------------------------------------------------------- */

static cJSON *make_counts(const struct info *info)
{
    cJSON *counts = cJSON_CreateObject();

    cJSON_AddNumberToObject(counts, "attempts", (double)info->attempts);
    cJSON_AddNumberToObject(counts, "lines", (double)info->lines);
    cJSON_AddNumberToObject(counts, "events", (double)info->events);
    cJSON_AddNumberToObject(counts, "gaps", (double)info->gaps);
    cJSON_AddNumberToObject(counts, "missingLines", (double)info->missing_lines);
    return counts;
}

static cJSON *make_left_out(const struct log_left_out *l)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "damagedLines", (double)l->damaged);
    cJSON_AddNumberToObject(object, "unknownRecords", (double)l->foreign);
    cJSON_AddNumberToObject(object, "numberingBreaks", (double)l->breaks);
    cJSON_AddNumberToObject(object, "tornBytes", (double)l->torn_bytes);
    cJSON_AddBoolToObject(object, "newerVersion", l->newer);
    cJSON_AddBoolToObject(object, "cutShort", l->cut);
    return object;
}

static enum err_code put_json(struct info *info)
{
    const struct build_report *b = &info->report;
    cJSON *object = cJSON_CreateObject();
    struct buf path;
    char *text = NULL;
    enum err_code rc;

    buf_init(&path, 64 << 10);
    rc = buf_printf(&path, "%s/%s", info->build.root, log_reader_path(info->build.reader));
    cJSON_AddNumberToObject(object, "v", 1);
    cJSON_AddStringToObject(object, "id", info->build.id);
    cJSON_AddStringToObject(object, "status", build_report_status(b));
    cJSON_AddStringToObject(object, "path", rc == ERR_NONE ? path.data : "");
    cJSON_AddItemToObject(object, "records", make_counts(info));
    cJSON_AddItemToObject(object, "leftOut", make_left_out(&info->left_out));
    if (b->has_start)
        cJSON_AddItemToObject(object, "start", cJSON_Duplicate(b->start.json, true));
    if (b->state == STATE_ENDED)
        cJSON_AddItemToObject(object, "end", cJSON_Duplicate(b->end.json, true));
    text = rc == ERR_NONE ? cJSON_PrintUnformatted(object) : NULL;
    cJSON_Delete(object);
    buf_release(&path);
    if (text == NULL)
        return ERR_MEMORY;
    rc = info->out.terminal ? visible_put_json(&info->sink, (struct raw_span){text, strlen(text)})
                            : sink_puts(&info->sink, text);
    cJSON_free(text);
    return rc == ERR_NONE ? sink_puts(&info->sink, "\n") : rc;
}

/* ---- the command -------------------------------------------------------------------- */

int cmd_info(const struct cmd_args *args)
{
    const struct parsed_option *output = options_find(args, OPT_OUTPUT);
    bool json = options_find(args, OPT_JSON) != NULL ||
                (output != NULL && output->number == CHOICE_INFO_OUTPUT_JSON);
    struct info info = {.build = {.root_fd = -1}};
    struct err e = {0};
    enum err_code rc;
    int status;

    out_init_for(&info.out, args);
    info.sink = out_sink(&info.out);
    rc = open_build(args, &info.build, &e);
    if (rc == ERR_NONE) {
        confine_to_store(args, info.build.root_fd, false);
        rc = read_all(&info, &e);
    }
    if (rc == ERR_NONE) {
        rc = json ? put_json(&info) : put_all(&info);
        if (rc == ERR_MEMORY)
            err_set(&e, rc, "cannot show build", info.build.id, "no memory");
    }
    if (rc != ERR_NONE && info.out.failed == 0)
        cmd_warn_err(args->command, &e);
    status = out_finish(&info.out, args->command, rc == ERR_NONE ? EXIT_FOUND : EXIT_TROUBLE);
    build_report_release(&info.report);
    close_build(&info.build);
    out_release(&info.out);
    return status;
}
