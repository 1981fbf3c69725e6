// SPDX-License-Identifier: MIT
#include "cmd/redaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/config.h"
#include "cmd/nearest.h"
#include "commands.gen.h"

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

/* ---- putting it together ------------------------------------------------------------ */

static enum err_code make_set(struct redact_set **out, const struct redact_config *c, struct err *e)
{
    enum err_code rc;

    *out = NULL;
    rc = new_set(out, c, e);
    if (rc == ERR_NONE)
        rc = add_own(*out, c, e);
    if (rc != ERR_NONE) {
        redact_set_free(*out);
        *out = NULL;
    }
    return rc;
}

enum err_code redaction_make(struct redaction *r, const struct cmd_args *args,
                             struct redact_config *config, struct err *e)
{
    enum err_code rc;

    *r = (struct redaction){.config = *config};
    *config = (struct redact_config){0};
    rc = take_options(&r->config, args, e);
    if (rc == ERR_NONE)
        rc = make_set(&r->set, &r->config, e);
    if (rc != ERR_NONE)
        redaction_release(r);
    return rc;
}

enum err_code redaction_another(const struct redaction *r, struct redact_set **out, struct err *e)
{
    return make_set(out, &r->config, e);
}

struct redact_set *redaction_for_message(void)
{
    struct config config = {0};
    struct redact_set *set = NULL;
    struct err said_elsewhere;

    if (config_load(&config, &said_elsewhere) != ERR_NONE ||
        make_set(&set, &config.redact, &said_elsewhere) != ERR_NONE) {
        static const struct redact_config nothing;

        (void)!make_set(&set, &nothing, &said_elsewhere);
    }
    config_release(&config);
    return set;
}

void redaction_release(struct redaction *r)
{
    redact_set_free(r->set);
    redact_config_release(&r->config);
    free(r->vars);
    *r = (struct redaction){0};
}
