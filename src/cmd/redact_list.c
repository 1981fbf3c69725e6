// SPDX-License-Identifier: MIT
#include "cmd/redact_list.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/out.h"

enum { EXAMPLE_MAX = 4096, NAME_COLUMN = 32, GROUP_COLUMN = 6 };

/* A rule as it is shown. */
struct shown_rule {
    struct redact_rule_info info;
    const char *description;
    char example[EXAMPLE_MAX];
    size_t example_len; /* 0: there is none */
    struct buf storage;
    struct clean_span becomes;
};

/* The user's own description, else that of the set. */
static const char *description_of(const struct redaction *r, const struct redact_rule_info *info)
{
    for (size_t i = 0; i < r->config.n_rules; i++)
        if (strcmp(r->config.rules[i].name, info->name) == 0 &&
            r->config.rules[i].description != NULL)
            return r->config.rules[i].description;
    return info->description != NULL ? info->description : "";
}

static enum err_code look_at(const struct redaction *r, size_t rule, struct shown_rule *s)
{
    redact_set_rule_info(r->set, rule, &s->info);
    s->description = description_of(r, &s->info);
    s->example_len = redact_set_rule_example(r->set, rule, s->example, sizeof(s->example));
    s->becomes = (struct clean_span){0};
    s->storage.len = 0;
    return redact_text((struct raw_span){s->example, s->example_len}, r->set, &s->storage,
                       &s->becomes);
}

/* ---- for people -------------------------------------------------------------------- */

struct text_list {
    struct sink sink;
    size_t columns; /* 0: not limited */
};

/* One line, harmless, cut to the terminal. */
static enum err_code put_line(const struct text_list *l, const char *line, size_t len)
{
    const struct visible how = {.colour = COLOUR_VISIBLE};
    enum err_code rc;

    if (l->columns > 0)
        len = visible_fit(line, len, l->columns);
    rc = visible_put(&l->sink, (struct raw_span){line, len}, how);
    return rc == ERR_NONE ? sink_puts(&l->sink, "\n") : rc;
}

static enum err_code put_columns(const struct text_list *l, const char *name, const char *group,
                                 const char *on, const char *text)
{
    char line[EXAMPLE_MAX];
    int n = snprintf(line, sizeof(line), "%-*s %-*s %-3s  %s", NAME_COLUMN, name, GROUP_COLUMN,
                     group, on, text);

    return put_line(l, line, n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

/* An example, and what becomes of it; its line ends are made visible. */
static enum err_code put_example(const struct text_list *l, const struct shown_rule *s)
{
    char line[3 * EXAMPLE_MAX];
    int n = snprintf(line, sizeof(line), "    %.*s", (int)s->example_len, s->example);

    if (s->becomes.marks > 0 && n < (int)sizeof(line))
        n += snprintf(line + n, sizeof(line) - (size_t)n, "  \xe2\x86\x92  %.*s",
                      (int)s->becomes.len, s->becomes.ptr);
    return put_line(l, line, n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static enum err_code put_text_rules(const struct text_list *l, const struct redaction *r,
                                    struct shown_rule *s)
{
    enum err_code rc = put_columns(l, "RULE", "GROUP", "ON", "WHAT");

    for (size_t i = 0; rc == ERR_NONE && i < redact_set_rules(r->set); i++) {
        rc = look_at(r, i, s);
        if (rc == ERR_NONE)
            rc = put_columns(l, s->info.name, s->info.group, s->info.on ? "on" : "off",
                             s->description);
        if (rc == ERR_NONE && s->example_len > 0)
            rc = put_example(l, s);
    }
    return rc;
}

static enum err_code put_text_vars(const struct text_list *l, const struct redaction *r)
{
    enum err_code rc = r->n_vars > 0 ? sink_puts(&l->sink, "\nVARIABLE\n") : ERR_NONE;

    for (size_t i = 0; rc == ERR_NONE && i < r->n_vars; i++) {
        const struct redaction_var *var = &r->vars[i];
        char line[EXAMPLE_MAX];
        int n = snprintf(line, sizeof(line), "%-*.*s %s%s%s", NAME_COLUMN, (int)var->name_len,
                         var->name, var->part ? "the password in it: " : "",
                         var->refused != NULL ? "not removed: " : "removed",
                         var->refused != NULL ? var->refused : "");

        rc = put_line(l, line, n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1);
    }
    return rc;
}

/* ---- for programs ------------------------------------------------------------------ */

static bool add_bytes(cJSON *object, const char *key, const char *ptr, size_t len)
{
    char *text = strndup(ptr, len);
    bool added = text != NULL && cJSON_AddStringToObject(object, key, text) != NULL;

    free(text);
    return added;
}

static cJSON *json_rule(const struct shown_rule *s)
{
    cJSON *object = cJSON_CreateObject();
    bool good = object != NULL &&
                cJSON_AddStringToObject(object, "rule", s->info.name) != NULL &&
                cJSON_AddStringToObject(object, "group", s->info.group) != NULL &&
                cJSON_AddBoolToObject(object, "on", s->info.on) != NULL &&
                cJSON_AddStringToObject(object, "description", s->description) != NULL;

    if (good && s->example_len > 0)
        good = add_bytes(object, "example", s->example, s->example_len);
    if (good && s->becomes.marks > 0)
        good = add_bytes(object, "becomes", s->becomes.ptr, s->becomes.len);
    if (good)
        return object;
    cJSON_Delete(object);
    return NULL;
}

static cJSON *json_var(const struct redaction_var *var)
{
    cJSON *object = cJSON_CreateObject();

    if (object != NULL && add_bytes(object, "variable", var->name, var->name_len) &&
        cJSON_AddBoolToObject(object, "part", var->part) != NULL &&
        cJSON_AddBoolToObject(object, "removed", var->refused == NULL) != NULL &&
        (var->refused == NULL || cJSON_AddStringToObject(object, "reason", var->refused) != NULL))
        return object;
    cJSON_Delete(object);
    return NULL;
}

/* Appends and takes over item; false when either is missing. */
static bool append(cJSON *list, cJSON *item)
{
    if (item != NULL && cJSON_AddItemToArray(list, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static cJSON *json_list(const struct redaction *r, struct shown_rule *s)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *list_of_rules = cJSON_AddArrayToObject(object, "rules");
    cJSON *vars = cJSON_AddArrayToObject(object, "variables");
    bool good = list_of_rules != NULL && vars != NULL;

    for (size_t i = 0; good && i < redact_set_rules(r->set); i++)
        good = look_at(r, i, s) == ERR_NONE && append(list_of_rules, json_rule(s));
    for (size_t i = 0; good && i < r->n_vars; i++)
        good = append(vars, json_var(&r->vars[i]));
    if (good)
        return object;
    cJSON_Delete(object);
    return NULL;
}

static enum err_code put_json(const struct sink *sink, const struct redaction *r,
                              struct shown_rule *s)
{
    cJSON *json = json_list(r, s);
    char *text = json != NULL ? cJSON_Print(json) : NULL;
    enum err_code rc = ERR_MEMORY;

    if (text != NULL)
        rc = visible_put_json(sink, (struct raw_span){text, strlen(text)});
    if (rc == ERR_NONE)
        rc = sink_puts(sink, "\n");
    cJSON_free(text);
    cJSON_Delete(json);
    return rc;
}

/* ---- the command ------------------------------------------------------------------- */

static enum err_code put_list(const struct out *out, const struct sink *sink,
                              const struct redaction *r, bool json)
{
    const struct text_list list = {.sink = *sink, .columns = out->terminal ? out->columns : 0};
    struct shown_rule *s = calloc(1, sizeof(*s));
    enum err_code rc;

    if (s == NULL)
        return ERR_MEMORY;
    buf_init(&s->storage, (size_t)2 * EXAMPLE_MAX);
    if (json)
        rc = put_json(sink, r, s);
    else
        rc = put_text_rules(&list, r, s);
    if (rc == ERR_NONE && !json)
        rc = put_text_vars(&list, r);
    buf_release(&s->storage);
    free(s);
    return rc;
}

int redact_list(const struct command *c, const struct redaction *r, bool json)
{
    struct out out;
    struct sink sink;
    int status = EXIT_FOUND;

    out_init(&out);
    sink = out_sink(&out);
    if (put_list(&out, &sink, r, json) != ERR_NONE && out.failed == 0) {
        cmd_warn(c, "cannot list rules: out of memory");
        status = EXIT_TROUBLE;
    }
    status = out_finish(&out, c, status);
    out_release(&out);
    return status;
}
