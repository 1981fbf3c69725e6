// SPDX-License-Identifier: MIT
/* Start and end records: the two of kind "meta". */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/put.h"
#include "record/record.h"

/* ---- start ----------------------------------------------------------------------------- */

static void put_command(struct put *p, const struct record_start *r)
{
    if (r->cmd == NULL)
        return;
    put_begin(p, "cmd", '[');
    for (size_t i = 0; i < r->cmd_len; i++)
        put_element(p, r->cmd[i]);
    put_end(p, ']');
}

static void put_labels(struct put *p, const struct record_start *r)
{
    if (r->n_labels == 0)
        return;
    put_begin(p, "labels", '{');
    for (size_t i = 0; i < r->n_labels; i++)
        put_text(p, r->labels[i].key, r->labels[i].value);
    put_end(p, '}');
}

static void put_identity(struct put *p, const struct record_start *r)
{
    put_string(p, "buildId", r->build_id);
    put_text(p, "userId", r->user_id);
    put_text(p, "projectId", r->project_id);
    put_time(p, "startedAt", r->started_ms);
    put_string(p, "version", r->version);
    put_unsigned(p, "v", RECORD_VERSION);
    if (r->attempt > 1)
        put_unsigned(p, "attempt", r->attempt);
    put_text(p, "reqId", r->req_id);
    put_string(p, "traceId", r->trace_id);
    put_string(p, "spanId", r->span_id);
    put_string(p, "parentId", r->parent_id);
}

enum err_code record_put_start(struct buf *b, const struct record_start *r)
{
    struct put p = put_open(b, "meta");

    put_identity(&p, r);
    put_text(&p, "name", r->name);
    put_command(&p, r);
    put_text(&p, "cwd", r->cwd);
    put_text(&p, "host", r->host);
    put_signed(&p, "pid", r->pid);
    put_bool(&p, "tty", r->tty);
    put_string(&p, "order", r->order);
    put_string(&p, "redact", r->redact ? "on" : "off");
    put_string(&p, "forward", r->forward);
    put_bool(&p, "lock", r->lock);
    put_labels(&p, r);
    if (r->columns > 0 && r->rows > 0) {
        put_signed(&p, "columns", r->columns);
        put_signed(&p, "rows", r->rows);
    }
    return put_close(&p, SIZE_MAX);
}

/* ---- end ------------------------------------------------------------------------------- */

static const char *const status_names[] = {
    [BUILD_OK] = "ok",           [BUILD_FAILED] = "failed",
    [BUILD_SIGNALED] = "signaled", [BUILD_TIMEOUT] = "timeout",
    [BUILD_INTERRUPTED] = "interrupted", [BUILD_EXEC_FAILED] = "exec_failed",
};

const char *build_status_name(enum build_status s)
{
    return status_names[s];
}

/* What may follow the last rule: the sum of the rest, and the keys after redactions. */
#define END_RESERVE                                                          \
    ",\"(others)\":18446744073709551615},\"maxRssKb\":-9223372036854775808," \
    "\"userMs\":-9223372036854775808,\"sysMs\":-9223372036854775808,"        \
    "\"hash\":\"xxh3:0123456789abcdef0123456789abcdef\",\"shutdown\":true}\n"

/* Whether one more rule fits even if all of its name had to be escaped. */
static bool count_fits(const struct put *p, const struct record_count *c)
{
    size_t worst = 6 * strlen(c->rule) + sizeof(",\"\":18446744073709551615");

    return p->b->len - p->start + worst + sizeof(END_RESERVE) <= RECORD_END_MAX;
}

static void put_redactions(struct put *p, const struct record_end *r)
{
    uint64_t others = 0;
    bool open = false;

    for (size_t i = 0; i < r->n_redactions; i++) {
        const struct record_count *c = &r->redactions[i];

        if (c->n == 0)
            continue;
        if (!open)
            put_begin(p, "redactions", '{');
        open = true;
        if (count_fits(p, c))
            put_unsigned(p, c->rule, c->n);
        else
            others += c->n;
    }
    if (others > 0)
        put_unsigned(p, "(others)", others);
    if (open)
        put_end(p, '}');
}

static void put_outcome(struct put *p, const struct record_end *r)
{
    char name[SIGNAL_NAME_SIZE];

    put_string(p, "status", build_status_name(r->status));
    if (r->exit_code >= 0)
        put_signed(p, "exitCode", r->exit_code);
    if (r->signal > 0)
        put_string(p, "signal", signal_name(r->signal, name));
}

static void put_usage(struct put *p, const struct record_end *r)
{
    put_signed(p, "maxRssKb", r->max_rss_kb);
    put_signed(p, "userMs", r->user_ms);
    put_signed(p, "sysMs", r->sys_ms);
}

enum err_code record_put_end(struct buf *b, const struct record_end *r)
{
    struct put p = put_open(b, "meta");
    char hash[48];

    put_string(&p, "buildId", r->build_id);
    put_time(&p, "endedAt", r->ended_ms);
    put_outcome(&p, r);
    put_signed(&p, "durationMs", r->duration_ms);
    put_unsigned(&p, "lines", r->lines);
    put_unsigned(&p, "bytes", r->bytes);
    put_unsigned(&p, "lastSeq", r->last_seq);
    put_bool(&p, "complete", r->complete);
    put_redactions(&p, r);
    put_usage(&p, r);
    snprintf(hash, sizeof(hash), "xxh3:%016" PRIx64 "%016" PRIx64, r->hash_high, r->hash_low);
    put_string(&p, "hash", hash);
    if (r->shutdown)
        put_bool(&p, "shutdown", true);
    return put_close(&p, RECORD_END_MAX);
}
