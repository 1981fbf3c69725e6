// SPDX-License-Identifier: MIT
/* buildlog verify: whether logs are whole and as they were written, a line for each. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "commands.gen.h"
#include "store/select.h"
#include "store/verify.h"

struct verify {
    const struct cmd_args *args;
    bool json;
    struct out out;
    struct sink sink;
    uint64_t shown;
    bool bad;     /* a log that is damaged or lost */
    bool trouble; /* one that could not be read */
};

static const struct {
    const char *name;
    const char *colour;
} verdicts[] = {
    [VERIFY_INTACT] = {"intact", "\x1b[32m"},
    [VERIFY_RUNNING] = {"running", "\x1b[36m"},
    [VERIFY_LOST] = {"lost", "\x1b[35m"},
    [VERIFY_DAMAGED] = {"damaged", "\x1b[31m"},
};

/* ---- text ----------------------------------------------------------------------------------- */

enum { NOTES_SIZE = 320 };

/* "; " between the notes. */
static void note(char dst[NOTES_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);

static void note(char dst[NOTES_SIZE], const char *format, ...)
{
    size_t at = strlen(dst);
    va_list args;

    if (at > 0 && at + 2 < NOTES_SIZE) {
        memcpy(dst + at, "; ", 3);
        at += 2;
    }
    va_start(args, format);
    vsnprintf(dst + at, NOTES_SIZE - at, format, args);
    va_end(args);
}

/* What is no damage, but worth a word. */
static void note_all(const struct verify_result *r, char dst[NOTES_SIZE])
{
    if (r->attempts > 1)
        note(dst, "%" PRIu64 " attempts", r->attempts);
    if (r->unsealed > 0)
        note(dst, "%" PRIu64 " of them without an end", r->unsealed);
    if (r->gaps > 0)
        note(dst, "%" PRIu64 " gap%s, %" PRIu64 " lines not recorded", r->gaps,
             r->gaps == 1 ? "" : "s", r->missing_lines);
    if (r->foreign > 0)
        note(dst, "%" PRIu64 " records of unknown kinds", r->foreign);
    if (r->newer)
        note(dst, "from a newer version");
}

static void explain(const struct verify_result *r, char dst[NOTES_SIZE])
{
    const struct verify_problem *p = &r->problem[0];

    dst[0] = '\0';
    if (r->verdict == VERIFY_DAMAGED)
        note(dst, "line %" PRIu64 ", byte %" PRIu64 ": %s", p->line, p->at, p->what);
    if (r->problems > 1)
        note(dst, "and %" PRIu64 " more", r->problems - 1);
    if (r->verdict == VERIFY_RUNNING)
        note(dst, "sound so far");
    if (r->verdict == VERIFY_LOST)
        note(dst, "no end record; sound as far as it goes, %" PRIu64 " records", r->records);
    if (r->torn_bytes > 0)
        note(dst, "%" PRIu64 " bytes of an unfinished record", r->torn_bytes);
    note_all(r, dst);
}

static enum err_code put_text(struct verify *v, const char *id, const struct verify_result *r)
{
    bool colour = v->out.colour;
    char notes[NOTES_SIZE];
    enum err_code rc;

    explain(r, notes);
    rc = sink_printf(&v->sink, "%s  %s%s%s", id, colour ? verdicts[r->verdict].colour : "",
                     verdicts[r->verdict].name, colour ? "\x1b[0m" : "");
    if (rc == ERR_NONE && notes[0] != '\0')
        rc = sink_printf(&v->sink, ": %s", notes);
    return rc == ERR_NONE ? sink_puts(&v->sink, "\n") : rc;
}

/* ---- json ----------------------------------------------------------------------------------- */

static cJSON *json_problems(const struct verify_result *r)
{
    cJSON *list = cJSON_CreateArray();

    for (uint64_t i = 0; i < r->problems && i < VERIFY_PROBLEMS_KEPT; i++) {
        cJSON *object = cJSON_CreateObject();

        cJSON_AddNumberToObject(object, "line", (double)r->problem[i].line);
        cJSON_AddNumberToObject(object, "at", (double)r->problem[i].at);
        cJSON_AddStringToObject(object, "what", r->problem[i].what);
        cJSON_AddItemToArray(list, object);
    }
    return list;
}

static cJSON *json_result(const char *id, const struct verify_result *r)
{
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"bytes", r->bytes},         {"records", r->records},
        {"attempts", r->attempts},   {"sealed", r->sealed},
        {"unsealed", r->unsealed},   {"gaps", r->gaps},
        {"missingLines", r->missing_lines}, {"unknownRecords", r->foreign},
        {"tornBytes", r->torn_bytes}, {"problemCount", r->problems},
    };
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "v", 1);
    cJSON_AddStringToObject(object, "id", id);
    cJSON_AddStringToObject(object, "verdict", verdicts[r->verdict].name);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        cJSON_AddNumberToObject(object, numbers[i].key, (double)numbers[i].value);
    cJSON_AddBoolToObject(object, "newerVersion", r->newer);
    cJSON_AddItemToObject(object, "problems", json_problems(r));
    return object;
}

static enum err_code put_json(struct verify *v, const char *id, const struct verify_result *r)
{
    cJSON *object = json_result(id, r);
    char *text = cJSON_PrintUnformatted(object);
    enum err_code rc;

    cJSON_Delete(object);
    if (text == NULL)
        return ERR_MEMORY;
    rc = sink_puts(&v->sink, v->shown > 0 ? ",\n" : "\n");
    if (rc == ERR_NONE)
        rc = sink_puts(&v->sink, text);
    cJSON_free(text);
    return rc;
}

/* ---- logs ----------------------------------------------------------------------------------- */

static void complain(struct verify *v, const struct err *e)
{
    v->trouble = true;
    cmd_warn_err(v->args->command, e);
}

/* named: the user asked for this very build, so it is trouble if it is not there. */
static enum err_code verify_one(struct verify *v, int root_fd, const char *id, bool named,
                                struct err *e)
{
    struct verify_result result;
    struct err trouble;
    enum err_code rc = verify_log(root_fd, id, &result, &trouble);

    if (rc == ERR_NOT_FOUND && !named)
        return ERR_NONE; /* removed meanwhile */
    if (rc != ERR_NONE) {
        complain(v, &trouble);
        return ERR_NONE;
    }
    v->bad |= result.verdict == VERIFY_DAMAGED || result.verdict == VERIFY_LOST;
    rc = v->json ? put_json(v, id, &result) : put_text(v, id, &result);
    v->shown++;
    if (rc == ERR_NONE && v->out.terminal)
        rc = out_flush(&v->out); /* the next one may take its time */
    if (rc != ERR_NONE)
        return err_set(e, rc, "cannot verify build", id, "no memory");
    return ERR_NONE;
}

static enum err_code verify_named(struct verify *v, int root_fd, struct err *e)
{
    enum err_code rc = ERR_NONE;

    for (int i = 0; i < v->args->n_operands && rc == ERR_NONE; i++) {
        char id[ULID_SIZE];
        struct err trouble;

        if (select_build(root_fd, v->args->operands[i], id, &trouble) == ERR_NONE)
            rc = verify_one(v, root_fd, id, true, e);
        else
            complain(v, &trouble);
    }
    return rc;
}

static enum err_code verify_store(struct verify *v, int root_fd, struct err *e)
{
    char id[ULID_SIZE];
    struct builds *builds;
    struct err first;
    enum err_code rc = builds_open(&builds, root_fd, e);

    if (rc != ERR_NONE)
        return rc;
    while (rc == ERR_NONE && builds_next(builds, id))
        rc = verify_one(v, root_fd, id, false, e);
    if (builds_unreadable(builds, &first) > 0)
        complain(v, &first);
    builds_free(builds);
    return rc;
}

static enum err_code run_verify(struct verify *v, struct err *e)
{
    char *root;
    int root_fd;
    enum err_code rc = open_store(v->args, &root, &root_fd, e);
    bool none = store_missing(rc, e) && v->args->n_operands == 0; /* no store: no logs */

    if (rc != ERR_NONE && !none)
        return rc;
    if (!none)
        confine_to_store(v->args, root_fd, false);
    rc = v->json ? sink_puts(&v->sink, "[") : ERR_NONE;
    if (rc == ERR_NONE && !none)
        rc = v->args->n_operands > 0 ? verify_named(v, root_fd, e) : verify_store(v, root_fd, e);
    if (!none) {
        sys.close(root_fd);
        free(root);
    }
    if (rc == ERR_NONE && v->json)
        rc = sink_puts(&v->sink, v->shown > 0 ? "\n]\n" : "]\n");
    return rc;
}

int cmd_verify(const struct cmd_args *args)
{
    const struct parsed_option *output = options_find(args, OPT_OUTPUT);
    struct verify v = {.args = args};
    struct err e = {0};
    enum err_code rc;
    int status = EXIT_FOUND;

    out_init_for(&v.out, args);
    v.sink = out_sink(&v.out);
    v.json = options_find(args, OPT_JSON) != NULL ||
             (output != NULL && output->number == CHOICE_VERIFY_OUTPUT_JSON);
    rc = run_verify(&v, &e);
    if (rc != ERR_NONE && v.out.failed == 0)
        cmd_warn_err(args->command, &e);
    if (rc != ERR_NONE || v.trouble)
        status = EXIT_TROUBLE;
    else if (v.bad)
        status = EXIT_NOTHING;
    status = out_finish(&v.out, args->command, status);
    out_release(&v.out);
    return status;
}
