// SPDX-License-Identifier: MIT
#include "read/stall.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MS_PER_S = 1000, SHOWN_IN_MS = 10 * MS_PER_S, FOR_MAX = 64 };

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(value) ? value->valuestring : "";
}

static int64_t number_of(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

    /* Far from where a double cannot be an integer. */
    return cJSON_IsNumber(value) && value->valuedouble > -1e15 && value->valuedouble < 1e15
               ? (int64_t)value->valuedouble
               : 0;
}

static const cJSON *processes_of(const struct record *record)
{
    return cJSON_GetObjectItemCaseSensitive(record->json, "processes");
}

bool stall_known(const struct record *record)
{
    return strcmp(record_text(record, "event", ""), "stall") == 0 &&
           record_text(record, "action", NULL) != NULL &&
           record_number(record, "afterMs", -1) >= 0;
}

bool stall_killed(const struct record *record)
{
    return strcmp(record_text(record, "action", ""), "kill") == 0;
}

/* "no output for 300 s" */
static const char *for_how_long(const struct record *record, char dst[FOR_MAX])
{
    int64_t ms = record_number(record, "afterMs", 0);
    bool idle = strcmp(record_text(record, "reason", ""), "idle") == 0;

    snprintf(dst, FOR_MAX, "%s for %" PRId64 " %s", idle ? "no output" : "nothing new",
             ms < SHOWN_IN_MS ? ms : ms / MS_PER_S, ms < SHOWN_IN_MS ? "ms" : "s");
    return dst;
}

static enum err_code put_safe(const struct sink *sink, const char *text)
{
    return visible_put(sink, (struct raw_span){text, strlen(text)},
                       (struct visible){.colour = COLOUR_STRIP});
}

/* Nothing where text is empty. */
static enum err_code put_between(const struct sink *sink, const char *before, const char *text,
                                 const char *after)
{
    enum err_code rc = ERR_NONE;

    if (text[0] == '\0')
        return ERR_NONE;
    rc = sink_puts(sink, before);
    if (rc == ERR_NONE)
        rc = put_safe(sink, text);
    return rc == ERR_NONE ? sink_puts(sink, after) : rc;
}

/* What stands on every second line of such a list says nothing. */
static bool worth_showing(const char *file)
{
    const char *path = strchr(file, ' ');

    return path != NULL && strcmp(path, " /dev/null") != 0 &&
           strncmp(path, " pipe:[", sizeof(" pipe:[") - 1) != 0;
}

static enum err_code put_files(const struct sink *sink, const cJSON *process)
{
    const cJSON *file;
    const char *before = ": ";
    enum err_code rc = ERR_NONE;

    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(process, "files"))
        if (rc == ERR_NONE && cJSON_IsString(file) && worth_showing(file->valuestring)) {
            rc = put_between(sink, before, file->valuestring, "");
            before = ", ";
        }
    if (rc == ERR_NONE && number_of(process, "moreFiles") > 0)
        rc = sink_printf(sink, "%s%" PRId64 " more", before, number_of(process, "moreFiles"));
    return rc;
}

static enum err_code put_process(const struct sink *sink, const cJSON *process)
{
    enum err_code rc = sink_printf(sink, " | %" PRId64 " ", number_of(process, "pid"));

    if (rc == ERR_NONE)
        rc = put_safe(sink, text_of(process, "cmd"));
    if (rc == ERR_NONE)
        rc = put_between(sink, " [", text_of(process, "state"), "");
    if (rc == ERR_NONE)
        rc = put_between(sink, " ", text_of(process, "wait"), "");
    if (rc == ERR_NONE)
        rc = sink_printf(sink, ", %" PRId64 " ms CPU", number_of(process, "cpuMs"));
    if (rc == ERR_NONE)
        rc = put_files(sink, process);
    return rc == ERR_NONE ? sink_puts(sink, "]") : rc;
}

enum err_code stall_put(const struct sink *sink, const struct record *record)
{
    char how_long[FOR_MAX];
    const cJSON *process;
    int64_t omitted = record_number(record, "omitted", 0);
    enum err_code rc = sink_printf(sink, "stall: %s%s", for_how_long(record, how_long),
                                   stall_killed(record) ? ", stopped" : "");

    if (rc == ERR_NONE)
        rc = put_between(sink, "; last line '", record_text(record, "last", ""), "'");
    if (rc == ERR_NONE)
        rc = put_between(sink, "; begun '", record_text(record, "unfinished", ""), "'");
    cJSON_ArrayForEach(process, processes_of(record))
        if (rc == ERR_NONE)
            rc = put_process(sink, process);
    if (rc == ERR_NONE && omitted > 0)
        rc = sink_printf(sink, " | %" PRId64 " more", omitted);
    return rc;
}

/* It waits for another process, or for what comes down a pipe. */
static bool waits_for_others(const cJSON *process)
{
    const char *wait = text_of(process, "wait");

    return strcmp(wait, "do_wait") == 0 || strstr(wait, "pipe_read") != NULL;
}

/* Whom the others wait for: the youngest that does not, else the youngest; never a zombie. The
   list has parents first. */
static const cJSON *culprit(const struct record *record)
{
    const cJSON *process;
    const cJSON *last = NULL;
    const cJSON *best = NULL;

    cJSON_ArrayForEach(process, processes_of(record)) {
        if (strcmp(text_of(process, "state"), "Z") == 0)
            continue;
        last = process;
        best = waits_for_others(process) ? best : process;
    }
    return best != NULL ? best : last;
}

void stall_message(const struct record *record, char *dst, size_t size)
{
    char how_long[FOR_MAX];
    const cJSON *process = culprit(record);
    const char *wait = process != NULL ? text_of(process, "wait") : "";
    const char *rest = record_text(record, "unfinished", "");

    for_how_long(record, how_long);
    if (rest[0] != '\0')
        snprintf(dst, size, "%s after '%.200s'", how_long, rest);
    else if (process == NULL)
        snprintf(dst, size, "%s", how_long);
    else
        snprintf(dst, size, "%s; pid %" PRId64 ", '%.200s', %s%s", how_long,
                 number_of(process, "pid"), text_of(process, "cmd"),
                 wait[0] != '\0' ? "waits in " : "runs", wait);
}
