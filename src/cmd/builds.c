// SPDX-License-Identifier: MIT
#include "cmd/builds.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/when.h"
#include "cmd/options.h"
#include "commands.gen.h"
#include "lib/pick.h"
#include "store/layout.h"

enum err_code open_store(const struct cmd_args *args, char **root, int *root_fd, struct err *e)
{
    const struct parsed_option *dir = options_find(args, OPT_DIR);
    enum err_code rc = cmd_root(dir != NULL ? dir->text : NULL, root, e);

    if (rc != ERR_NONE) {
        *root = NULL;
        return rc;
    }
    rc = layout_open_root(*root, false, root_fd, e);
    if (rc != ERR_NONE) {
        free(*root);
        *root = NULL;
    }
    return rc;
}

bool store_missing(enum err_code rc, const struct err *e)
{
    return rc == ERR_NOT_FOUND && e->sys_errno != 0;
}

enum err_code option_time(const struct cmd_args *args, int id, int64_t absent_ms, int64_t *ms,
                          struct err *e)
{
    const struct parsed_option *option = options_find(args, id);

    *ms = absent_ms;
    return option != NULL ? when_parse(option->text, clock_realtime_ms(), ms, e) : ERR_NONE;
}

enum err_code open_build(const struct cmd_args *args, struct opened_build *b, struct err *e)
{
    const char *word = args->n_operands > 0 ? args->operands[0] : NULL;
    enum err_code rc;

    *b = (struct opened_build){.root_fd = -1};
    rc = open_store(args, &b->root, &b->root_fd, e);
    if (rc == ERR_NONE)
        rc = pick_open(b->root_fd, word, b->id, &b->reader, e);
    if (rc != ERR_NONE)
        close_build(b);
    return rc;
}

void close_build(struct opened_build *b)
{
    log_reader_free(b->reader);
    if (b->root_fd >= 0)
        sys.close(b->root_fd);
    free(b->root);
    *b = (struct opened_build){.root_fd = -1};
}

/* ---- words ---------------------------------------------------------------------------------- */

char *duration_text(int64_t ms, char dst[DURATION_TEXT])
{
    int64_t s = ms > 0 ? ms / 1000 : 0;

    if (ms < 10000)
        snprintf(dst, DURATION_TEXT, "%" PRId64 ".%" PRId64 "s", s, ms > 0 ? ms % 1000 / 100 : 0);
    else if (s < 60)
        snprintf(dst, DURATION_TEXT, "%" PRId64 "s", s);
    else if (s < 3600)
        snprintf(dst, DURATION_TEXT, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(dst, DURATION_TEXT, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
    else
        snprintf(dst, DURATION_TEXT, "%" PRId64 "d%02" PRId64 "h", s / 86400, s / 3600 % 24);
    return dst;
}

char *local_time_text(int64_t ms, bool seconds, char dst[DURATION_TEXT])
{
    time_t when = (time_t)(ms / 1000);
    struct tm tm;

    if (localtime_r(&when, &tm) == NULL ||
        strftime(dst, DURATION_TEXT, seconds ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M", &tm) == 0)
        snprintf(dst, DURATION_TEXT, "?");
    return dst;
}

char *outcome_text(const struct build_report *report, char dst[OUTCOME_TEXT])
{
    const char *status = build_report_status(report);
    const char *signal = "";
    int64_t code = -1;

    if (report->state == STATE_ENDED && report->has_end) {
        signal = record_text(&report->end, "signal", "");
        code = record_number(&report->end, "exitCode", -1);
    }
    if (signal[0] != '\0')
        snprintf(dst, OUTCOME_TEXT, "%.32s (%.32s)", status, signal);
    else if (code > 0)
        snprintf(dst, OUTCOME_TEXT, "%.32s (exit %" PRId64 ")", status, code);
    else
        snprintf(dst, OUTCOME_TEXT, "%.32s", status);
    return dst;
}

const char *report_colour(const struct build_report *report)
{
    if (report->state == STATE_RUNNING)
        return "\x1b[36m";
    if (report->state == STATE_LOST)
        return "\x1b[35m";
    return build_report_failed(report) ? "\x1b[31m" : "\x1b[32m";
}

static size_t add_count(char dst[LEFT_OUT_TEXT], size_t at, uint64_t n, const char *one,
                        const char *many)
{
    int len;

    if (n == 0 || at >= LEFT_OUT_TEXT)
        return at;
    len = snprintf(dst + at, LEFT_OUT_TEXT - at, "%s%" PRIu64 " %s", at > 0 ? ", " : "", n,
                   n == 1 ? one : many);
    return at + (len > 0 ? (size_t)len : 0);
}

static size_t add_text(char dst[LEFT_OUT_TEXT], size_t at, const char *text)
{
    int len = 0;

    if (at < LEFT_OUT_TEXT)
        len = snprintf(dst + at, LEFT_OUT_TEXT - at, "%s%s", at > 0 ? ", " : "", text);
    return at + (len > 0 ? (size_t)len : 0);
}

char *left_out_text(const struct log_left_out *l, bool running, char dst[LEFT_OUT_TEXT])
{
    size_t at = 0;

    dst[0] = '\0';
    at = add_count(dst, at, l->damaged, "damaged line", "damaged lines");
    at = add_count(dst, at, l->foreign, "record of an unknown kind", "records of unknown kinds");
    at = add_count(dst, at, l->breaks, "break in the numbering", "breaks in the numbering");
    if (!running)
        at = add_count(dst, at, l->torn_bytes, "byte of an unfinished record",
                       "bytes of an unfinished record");
    if (l->cut)
        at = add_text(dst, at, "what follows a damaged place in the compressed file");
    if (l->newer)
        (void)add_text(dst, at, "whatever a newer version of the format means");
    return dst;
}

/* ---- the command -------------------------------------------------------------------- */

static bool needs_quotes(const char *word)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "_@%+=:,./-[]";

    return word[0] == '\0' || word[strspn(word, safe)] != '\0';
}

enum err_code put_word(const struct sink *s, const char *word, size_t len)
{
    const struct visible how = {.colour = COLOUR_VISIBLE};
    bool quoted = needs_quotes(word);
    enum err_code rc = quoted ? sink_puts(s, "'") : ERR_NONE;

    for (size_t at = 0; at < len && rc == ERR_NONE;) {
        size_t n = 0;

        while (at + n < len && word[at + n] != '\'')
            n++;
        rc = visible_put(s, (struct raw_span){word + at, n}, how);
        at += n;
        if (rc == ERR_NONE && at < len)
            rc = sink_puts(s, "'\\''");
        at += 1;
    }
    return rc == ERR_NONE && quoted ? sink_puts(s, "'") : rc;
}

enum err_code put_command(const struct sink *s, const struct record *start, size_t max)
{
    const cJSON *words = cJSON_GetObjectItemCaseSensitive(start->json, "cmd");
    const cJSON *word;
    enum err_code rc = ERR_NONE;
    size_t used = 0;

    cJSON_ArrayForEach(word, words) {
        const char *text = cJSON_IsString(word) ? word->valuestring : "";
        size_t len = strlen(text);

        if (used >= max)
            return sink_puts(s, " …");
        if (used > 0)
            rc = sink_puts(s, " ");
        if (len > max - used)
            len = max - used;
        if (rc == ERR_NONE)
            rc = put_word(s, text, len);
        if (rc != ERR_NONE)
            return rc;
        used += len + 1;
    }
    return rc;
}
