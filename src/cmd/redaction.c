// SPDX-License-Identifier: MIT
#include "cmd/redaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/config.h"
#include "cmd/nearest.h"
#include "commands.gen.h"
#include "redact/secret_env.h"

/* ---- the options ------------------------------------------------------------------- */

static enum err_code take_option(struct redact_config *c, const struct parsed_option *p,
                                 struct err *e)
{
    switch (p->spec->id) {
    case OPT_REDACT_GENERIC:
    case OPT_GENERIC:
        c->generic = true;
        return ERR_NONE;
    case OPT_REDACT_RULES:
        return redact_config_load_file(c, p->text, e);
    case OPT_ON:
    case OPT_OFF:
        return redact_config_switch(c, p->text, p->spec->id == OPT_ON, e);
    default:
        return ERR_NONE;
    }
}

static enum err_code take_options(struct redact_config *c, const struct cmd_args *args,
                                  struct err *e)
{
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; args != NULL && rc == ERR_NONE && i < args->n_options; i++)
        rc = take_option(c, &args->options[i], e);
    return rc;
}

/* ---- shipped rules ----------------------------------------------------------------- */

/* No rule before this one is of its group. */
static bool first_of_group(const struct redact_set *set, size_t rule)
{
    struct redact_rule_info mine;
    struct redact_rule_info other;

    redact_set_rule_info(set, rule, &mine);
    for (size_t i = 0; i < rule; i++) {
        redact_set_rule_info(set, i, &other);
        if (strcmp(mine.group, other.group) == 0)
            return false;
    }
    return true;
}

/* "did you mean 'x'?" among the rules and groups there are, or "". */
static void near_names(const char *name, char *dst, size_t size)
{
    struct redact_set *all;
    struct redact_rule_info info;
    struct nearest near;

    dst[0] = '\0';
    if (redact_set_new(&all, NULL, NULL) != ERR_NONE)
        return;
    nearest_init(&near, name);
    for (size_t i = 0; i < redact_set_rules(all); i++) {
        redact_set_rule_info(all, i, &info);
        nearest_offer(&near, info.name);
        if (first_of_group(all, i))
            nearest_offer(&near, info.group);
    }
    nearest_text(&near, "", dst, size);
    redact_set_free(all);
}

static const struct redact_word *find_word(const struct redact_words *w, const char *text)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->items[i].text, text) == 0)
            return &w->items[i];
    return NULL;
}

/* e quotes a name that there is no rule of; says where it stands, and what is like it. */
static enum err_code unknown_name(const struct redact_config *c, struct err *e)
{
    const struct redact_word *word = find_word(&c->on, e->subject);
    const char *file;
    char name[ERR_SUBJECT_MAX];
    char near[128];

    memcpy(name, e->subject, sizeof(name));
    if (word == NULL)
        word = find_word(&c->off, name);
    near_names(name, near, sizeof(near));
    file = word != NULL ? redact_config_file(c, word->file) : NULL;
    if (file == NULL)
        return err_set(e, ERR_USAGE, "no such rule or group", name, "%s",
                       near[0] != '\0' ? near : "'buildlog redact --list' has them all");
    return err_set(e, ERR_FORMAT, "cannot use redaction rules", file,
                   "no rule or group '%.64s'%s%s", name, near[0] != '\0' ? ", " : "", near);
}

static const char **texts_of(const struct redact_words *w)
{
    const char **texts = calloc(w->n + 1, sizeof(*texts));

    for (size_t i = 0; texts != NULL && i < w->n; i++)
        texts[i] = w->items[i].text;
    return texts;
}

static enum err_code new_set(struct redact_set **out, const struct redact_config *c, struct err *e)
{
    const char **on = texts_of(&c->on);
    const char **off = texts_of(&c->off);
    const struct redact_options o = {
        .generic = c->generic, .on = on, .n_on = c->on.n, .off = off, .n_off = c->off.n};
    enum err_code rc;

    if (on == NULL || off == NULL)
        rc = err_set(e, ERR_MEMORY, "cannot make redaction rules", "", "out of memory");
    else
        rc = redact_set_new(out, &o, e);
    free(on);
    free(off);
    return rc == ERR_USAGE ? unknown_name(c, e) : rc;
}

/* ---- the user's rules and fields ---------------------------------------------------- */

/* Prefixes what is wrong with a rule or field by the file it stands in. */
static enum err_code bad_in_file(const struct redact_config *c, size_t file, const char *kind,
                                 const char *name, struct err *e)
{
    const struct err inner = *e;

    if (inner.code == ERR_MEMORY)
        return ERR_MEMORY;
    return err_set(e, ERR_FORMAT, "cannot use redaction rules", redact_config_file(c, file),
                   "%s '%.64s': %s", kind, name, inner.why);
}

static enum err_code add_own(struct redact_set *set, const struct redact_config *c, struct err *e)
{
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < c->n_rules; i++) {
        const struct redact_user_rule *rule = &c->rules[i];

        rc = redact_set_add_rule(set, rule->name, rule->pattern, rule->group, rule->literal, e);
        if (rc != ERR_NONE)
            return bad_in_file(c, rule->file, "rule", rule->name, e);
    }
    for (size_t i = 0; i < c->fields.n; i++) {
        const struct redact_word *field = &c->fields.items[i];

        rc = redact_set_add_field(set, field->text, e);
        if (rc != ERR_NONE)
            return bad_in_file(c, field->file, "field", field->text, e);
    }
    return rc;
}

/* ---- the environment --------------------------------------------------------------- */

struct taking {
    struct redaction *r;
    struct err *e;
    enum err_code rc;
};

static enum err_code note_var(struct redaction *r, const struct secret_env_value *v,
                              const char *refused, struct err *e)
{
    struct redaction_var *vars = reallocarray(r->vars, r->n_vars + 1, sizeof(*vars));

    if (vars == NULL)
        return err_set(e, ERR_MEMORY, "cannot make redaction rules", "", "out of memory");
    r->vars = vars;
    vars[r->n_vars++] = (struct redaction_var){
        .name = v->name.ptr, .name_len = v->name.len, .part = v->part, .refused = refused};
    return ERR_NONE;
}

static void take_var(void *ctx, const struct secret_env_value *v)
{
    struct taking *t = ctx;
    const char *refused = NULL;
    char name[ERR_SUBJECT_MAX];

    if (t->rc != ERR_NONE)
        return;
    snprintf(name, sizeof(name), "%.*s", (int)v->name.len, v->name.ptr);
    if (v->verdict != SECRET_ENV_TAKEN)
        refused = secret_env_why(v->verdict);
    else
        t->rc = redact_set_add_value(t->r->set, name, v->value.ptr, v->value.len, t->e);
    if (t->rc == ERR_REFUSED) {
        refused = "no value to look for";
        t->rc = ERR_NONE;
    }
    if (t->rc == ERR_NONE)
        t->rc = note_var(t->r, v, refused, t->e);
}

static enum err_code add_env(struct redaction *r, struct err *e)
{
    const char **names = texts_of(&r->config.env_add);
    const char **exceptions = texts_of(&r->config.env_except);
    const struct secret_env_config config = {.names = names,
                                             .n_names = r->config.env_add.n,
                                             .exceptions = exceptions,
                                             .n_exceptions = r->config.env_except.n};
    struct taking t = {.r = r, .e = e};

    if (names == NULL || exceptions == NULL)
        t.rc = err_set(e, ERR_MEMORY, "cannot make redaction rules", "", "out of memory");
    else
        secret_env_scan(environ, &config, take_var, &t);
    free(names);
    free(exceptions);
    return t.rc;
}

/* ---- putting it together ------------------------------------------------------------ */

/* The set of r->config. */
static enum err_code make_set(struct redaction *r, struct err *e)
{
    enum err_code rc = new_set(&r->set, &r->config, e);

    if (rc == ERR_NONE)
        rc = add_own(r->set, &r->config, e);
    return rc == ERR_NONE ? add_env(r, e) : rc;
}

enum err_code redaction_make(struct redaction *r, const struct cmd_args *args,
                             struct redact_config *config, struct err *e)
{
    enum err_code rc;

    *r = (struct redaction){.config = *config};
    *config = (struct redact_config){0};
    rc = take_options(&r->config, args, e);
    if (rc == ERR_NONE)
        rc = make_set(r, e);
    if (rc != ERR_NONE)
        redaction_release(r);
    return rc;
}

struct redact_set *redaction_for_message(void)
{
    struct config config = {0};
    struct redact_config nothing = {0};
    struct redaction r = {0};
    struct redact_set *set;
    struct err said_elsewhere;

    if (config_load(&config, &said_elsewhere) != ERR_NONE ||
        redaction_make(&r, NULL, &config.redact, &said_elsewhere) != ERR_NONE)
        (void)!redaction_make(&r, NULL, &nothing, &said_elsewhere);
    config_release(&config);
    set = r.set;
    r.set = NULL;
    redaction_release(&r);
    return set;
}

void redaction_release(struct redaction *r)
{
    redact_set_free(r->set);
    redact_config_release(&r->config);
    free(r->vars);
    *r = (struct redaction){0};
}
