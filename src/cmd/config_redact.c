// SPDX-License-Identifier: MIT
#include "cmd/config_redact.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/nearest.h"

#define NO_FILE SIZE_MAX /* a word of the command line */

enum { INSIDE_MAX = 96, NAME_SHOWN = 32 };

/* A file being read. */
struct reading {
    struct redact_config *config;
    const struct config_place *at;
    struct err *e;
    size_t file;
    bool nested; /* a rules file names no further one */
};

static const char rules_what[] = "cannot use redaction rules";
static const char rules_example[] =
    "{\"rules\": [{\"name\": \"ours\", \"pattern\": \"K-[0-9]{8}\"}]}";

static enum err_code no_memory(const struct reading *r)
{
    return err_set(r->e, ERR_MEMORY, r->at->what, r->at->path, "out of memory");
}

/* ---- lists ------------------------------------------------------------------------- */

static void drop_word(struct redact_words *w, const char *text)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->items[i].text, text) == 0)
            free(w->items[i].text);
        else
            w->items[kept++] = w->items[i];
    }
    w->n = kept;
}

static bool add_word(struct redact_words *w, const char *text, size_t file)
{
    struct redact_word *items = reallocarray(w->items, w->n + 1, sizeof(*items));
    char *copy = strdup(text);

    if (items != NULL)
        w->items = items;
    if (items == NULL || copy == NULL) {
        free(copy);
        return false;
    }
    items[w->n].text = copy;
    items[w->n++].file = file;
    return true;
}

static void release_words(struct redact_words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->items[i].text);
    free(w->items);
}

static bool switch_word(struct redact_config *c, const char *text, bool on, size_t file)
{
    drop_word(on ? &c->off : &c->on, text);
    return add_word(on ? &c->on : &c->off, text, file);
}

enum err_code redact_config_switch(struct redact_config *c, const char *name, bool on,
                                   struct err *e)
{
    if (!switch_word(c, name, on, NO_FILE))
        return err_set(e, ERR_MEMORY, "cannot switch", name, "out of memory");
    return ERR_NONE;
}

const char *redact_config_file(const struct redact_config *c, size_t file)
{
    return file == NO_FILE ? NULL : c->files[file];
}

/* The path is copied: words and rules outlive the reading. */
static bool begin_file(struct reading *r)
{
    struct redact_config *c = r->config;
    char **files = reallocarray(c->files, c->n_files + 1, sizeof(*files));

    if (files == NULL)
        return false;
    c->files = files;
    files[c->n_files] = strdup(r->at->path);
    if (files[c->n_files] == NULL)
        return false;
    r->file = c->n_files++;
    return true;
}

/* ---- values ------------------------------------------------------------------------ */

static bool is_text(const cJSON *value)
{
    return cJSON_IsString(value) && value->valuestring[0] != '\0';
}

/* A list of words under key; put says where each goes. */
static enum err_code take_words(struct reading *r, const cJSON *list, const char *key,
                                bool (*put)(struct reading *r, const char *text))
{
    const cJSON *item;
    int n = 0;

    if (!cJSON_IsArray(list))
        return config_bad(r->e, r->at, "'%s' must be a list of texts", key);
    cJSON_ArrayForEach(item, list) {
        if (!is_text(item))
            return config_bad(r->e, r->at, "'%s': item %d must be a text that is not empty", key,
                              n + 1);
        if (++n > REDACT_WORDS_MAX)
            return config_bad(r->e, r->at, "'%s' has more than %d items", key, REDACT_WORDS_MAX);
        if (!put(r, item->valuestring))
            return no_memory(r);
    }
    return ERR_NONE;
}

static bool put_on(struct reading *r, const char *text)
{
    return switch_word(r->config, text, true, r->file);
}

static bool put_off(struct reading *r, const char *text)
{
    return switch_word(r->config, text, false, r->file);
}

static bool put_field(struct reading *r, const char *text)
{
    return add_word(&r->config->fields, text, r->file);
}

static bool put_env_add(struct reading *r, const char *text)
{
    return add_word(&r->config->env_add, text, r->file);
}

static bool put_env_except(struct reading *r, const char *text)
{
    return add_word(&r->config->env_except, text, r->file);
}

/* ---- the keys ---------------------------------------------------------------------- */

static enum err_code take_generic(struct reading *r, const cJSON *value)
{
    if (!cJSON_IsBool(value))
        return config_bad(r->e, r->at, "'generic' must be true or false");
    r->config->generic = cJSON_IsTrue(value);
    return ERR_NONE;
}

static enum err_code take_on(struct reading *r, const cJSON *value)
{
    return take_words(r, value, "on", put_on);
}

static enum err_code take_off(struct reading *r, const cJSON *value)
{
    return take_words(r, value, "off", put_off);
}

static enum err_code take_fields(struct reading *r, const cJSON *value)
{
    return take_words(r, value, "fields", put_field);
}

/* Only these: "pii" is no way to switch anything else. */
static enum err_code take_pii(struct reading *r, const cJSON *value)
{
    static const char *const groups[] = {"email", "phone", "card", "iban", "home"};
    const cJSON *item;

    cJSON_ArrayForEach(item, value) {
        size_t i = 0;

        while (i < sizeof(groups) / sizeof(groups[0]) && cJSON_IsString(item) &&
               strcmp(groups[i], item->valuestring) != 0)
            i++;
        if (cJSON_IsString(item) && i == sizeof(groups) / sizeof(groups[0]))
            return config_bad(r->e, r->at, "'pii': no group '%.*s', only 'email', 'phone', "
                              "'card', 'iban' and 'home'", NAME_SHOWN, item->valuestring);
    }
    return take_words(r, value, "pii", put_on);
}

static enum err_code take_env(struct reading *r, const cJSON *value)
{
    const cJSON *item;
    enum err_code rc = ERR_NONE;

    if (!cJSON_IsObject(value))
        return config_bad(r->e, r->at, "'env' must be an object");
    cJSON_ArrayForEach(item, value) {
        struct nearest near;

        nearest_init(&near, item->string);
        nearest_offer(&near, "add");
        nearest_offer(&near, "except");
        if (strcmp(item->string, "add") == 0)
            rc = take_words(r, item, "env.add", put_env_add);
        else if (strcmp(item->string, "except") == 0)
            rc = take_words(r, item, "env.except", put_env_except);
        else
            rc = config_unknown_key(r->e, r->at, "env: ", &near);
        if (rc != ERR_NONE)
            break;
    }
    return rc;
}

/* ---- rules ------------------------------------------------------------------------- */

static void release_rule(struct redact_user_rule *rule)
{
    free(rule->name);
    free(rule->pattern);
    free(rule->literal);
    free(rule->description);
}

static enum err_code take_rule_text(const struct reading *r, const char *where, const cJSON *item,
                                    char **dst)
{
    if (!is_text(item))
        return config_bad(r->e, r->at, "%s'%s' must be a text that is not empty", where,
                          item->string);
    free(*dst); /* a key that stands there twice */
    *dst = strdup(item->valuestring);
    return *dst != NULL ? ERR_NONE : no_memory(r);
}

static enum err_code take_rule_group(const struct reading *r, const char *where,
                                     const cJSON *item, unsigned *group)
{
    enum { GROUP_MAX = 99 };

    if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > GROUP_MAX ||
        item->valuedouble != (double)item->valueint)
        return config_bad(r->e, r->at, "%s'group' must be a whole number from 0 to %d", where,
                          GROUP_MAX);
    *group = (unsigned)item->valueint;
    return ERR_NONE;
}

static enum err_code take_rule_key(const struct reading *r, const char *where, const cJSON *item,
                                   struct redact_user_rule *rule)
{
    const struct {
        const char *name;
        char **text;
    } keys[] = {{"name", &rule->name}, {"pattern", &rule->pattern}, {"literal", &rule->literal},
                {"description", &rule->description}, {"group", NULL}};
    struct nearest near;

    nearest_init(&near, item->string);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        nearest_offer(&near, keys[i].name);
        if (strcmp(keys[i].name, item->string) == 0)
            return keys[i].text != NULL ? take_rule_text(r, where, item, keys[i].text)
                                        : take_rule_group(r, where, item, &rule->group);
    }
    return config_unknown_key(r->e, r->at, where, &near);
}

/* "rule 2 'ours': ", for messages about the number-th rule of a file. */
static void rule_place(const cJSON *object, int number, char where[INSIDE_MAX])
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(object, "name");

    if (is_text(name))
        snprintf(where, INSIDE_MAX, "rule %d '%.*s': ", number, NAME_SHOWN, name->valuestring);
    else
        snprintf(where, INSIDE_MAX, "rule %d: ", number);
}

static bool name_taken(const struct redact_config *c, const char *name)
{
    for (size_t i = 0; i < c->n_rules; i++)
        if (strcmp(c->rules[i].name, name) == 0)
            return true;
    return false;
}

/* Fills rule, which the caller releases. */
static enum err_code read_rule(const struct reading *r, const cJSON *object, int number,
                               struct redact_user_rule *rule)
{
    char where[INSIDE_MAX];
    const cJSON *item;
    enum err_code rc = ERR_NONE;

    rule_place(object, number, where);
    if (!cJSON_IsObject(object))
        return config_bad(r->e, r->at, "%smust be an object", where);
    cJSON_ArrayForEach(item, object)
        if (rc == ERR_NONE)
            rc = take_rule_key(r, where, item, rule);
    if (rc != ERR_NONE)
        return rc;
    if (rule->name == NULL || rule->pattern == NULL)
        return config_bad(r->e, r->at, "%s'%s' is missing", where,
                          rule->name == NULL ? "name" : "pattern");
    if (name_taken(r->config, rule->name))
        return config_bad(r->e, r->at, "%sthere is a rule of this name already", where);
    return ERR_NONE;
}

static enum err_code add_rule(struct reading *r, const cJSON *object, int number)
{
    struct redact_config *c = r->config;
    struct redact_user_rule *rules = reallocarray(c->rules, c->n_rules + 1, sizeof(*rules));
    struct redact_user_rule rule = {.file = r->file};
    enum err_code rc;

    if (rules == NULL)
        return no_memory(r);
    c->rules = rules;
    rc = read_rule(r, object, number, &rule);
    if (rc == ERR_NONE && c->n_rules == REDACT_USER_RULES_MAX)
        rc = config_bad(r->e, r->at, "more than %d rules", REDACT_USER_RULES_MAX);
    if (rc != ERR_NONE) {
        release_rule(&rule);
        return rc;
    }
    c->rules[c->n_rules++] = rule;
    return ERR_NONE;
}

static enum err_code take_rules(struct reading *r, const cJSON *value)
{
    const cJSON *item;
    enum err_code rc = ERR_NONE;
    int number = 0;

    if (!cJSON_IsArray(value))
        return config_bad(r->e, r->at, "'rules' must be a list of objects");
    cJSON_ArrayForEach(item, value)
        if (rc == ERR_NONE)
            rc = add_rule(r, item, ++number);
    return rc;
}

/* ---- files ------------------------------------------------------------------------- */

static enum err_code load(struct redact_config *c, const char *path, bool nested, struct err *e);

static enum err_code take_rules_file(struct reading *r, const cJSON *value)
{
    if (r->nested)
        return config_bad(r->e, r->at, "'rules_file' has no place in a rules file");
    if (!cJSON_IsString(value) || value->valuestring[0] != '/')
        return config_bad(r->e, r->at, "'rules_file' must be an absolute path");
    return load(r->config, value->valuestring, true, r->e);
}

static const struct {
    const char *name;
    enum err_code (*take)(struct reading *r, const cJSON *value);
} redact_keys[] = {
    {"generic", take_generic}, {"on", take_on},         {"off", take_off},
    {"rules", take_rules},     {"rules_file", take_rules_file}, {"fields", take_fields},
    {"env", take_env},         {"pii", take_pii},
};

static enum err_code take_redact_key(struct reading *r, const cJSON *item)
{
    struct nearest near;

    nearest_init(&near, item->string);
    for (size_t i = 0; i < sizeof(redact_keys) / sizeof(redact_keys[0]); i++) {
        nearest_offer(&near, redact_keys[i].name);
        if (strcmp(redact_keys[i].name, item->string) == 0)
            return redact_keys[i].take(r, item);
    }
    return config_unknown_key(r->e, r->at, r->nested ? "" : "redact: ", &near);
}

static enum err_code take_object(struct reading *r, const cJSON *object)
{
    const cJSON *item;
    enum err_code rc = ERR_NONE;

    if (!begin_file(r))
        return no_memory(r);
    cJSON_ArrayForEach(item, object)
        if (rc == ERR_NONE)
            rc = take_redact_key(r, item);
    return rc;
}

enum err_code redact_config_take(struct redact_config *c, const struct cJSON *object,
                                 const struct config_place *at, struct err *e)
{
    struct reading r = {.config = c, .at = at, .e = e};

    if (!cJSON_IsObject(object))
        return config_bad(e, at, "'redact' must be an object");
    return take_object(&r, object);
}

static enum err_code load(struct redact_config *c, const char *path, bool nested, struct err *e)
{
    const struct config_place at = {rules_what, path, rules_example};
    struct reading r = {.config = c, .at = &at, .e = e, .nested = nested};
    struct cJSON *json;
    enum err_code rc = config_read_json(&at, &json, e);

    if (rc == ERR_NONE)
        rc = take_object(&r, json);
    cJSON_Delete(json);
    return rc;
}

enum err_code redact_config_load_file(struct redact_config *c, const char *path, struct err *e)
{
    return load(c, path, true, e);
}

void redact_config_release(struct redact_config *c)
{
    release_words(&c->on);
    release_words(&c->off);
    release_words(&c->fields);
    release_words(&c->env_add);
    release_words(&c->env_except);
    for (size_t i = 0; i < c->n_rules; i++)
        release_rule(&c->rules[i]);
    free(c->rules);
    for (size_t i = 0; i < c->n_files; i++)
        free(c->files[i]);
    free(c->files);
    *c = (struct redact_config){0};
}

enum err_code config_unknown_key(struct err *e, const struct config_place *at, const char *inside,
                                 const struct nearest *near)
{
    char text[128];

    nearest_text(near, "", text, sizeof(text));
    return config_bad(e, at, "%sunknown key '%.64s'%s%s", inside, near->word,
                      text[0] != '\0' ? ", " : "", text);
}
