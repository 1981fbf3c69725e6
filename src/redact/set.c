// SPDX-License-Identifier: MIT
#include "redact/set.h"

#include <stdlib.h>
#include <string.h>

#include "redact/known.h"

static const char *const group_names[N_GROUPS] = {"tier1", "tier2", "generic", "email",
                                                  "phone", "card",  "iban",    "home"};

/* "own": what redact --list calls the user's rules. */
static bool is_group(const char *word)
{
    for (size_t i = 0; i < N_GROUPS; i++) {
        if (strcmp(group_names[i], word) == 0)
            return true;
    }
    return strcmp(word, "pii") == 0 || strcmp(word, "own") == 0;
}

static bool is_of(const struct rule_name *rule, const char *word)
{
    return strcmp(rule->name, word) == 0 || strcmp(group_names[rule->group], word) == 0 ||
           (strcmp(word, "pii") == 0 && rule->group > GROUP_TIER3);
}

/* A name is a rule's, a group's, or "pii" for all groups of personal data. */
static enum err_code switch_names(struct redact_set *set, const char *const *names, size_t n,
                                  bool off, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        bool known = false;

        for (size_t rule = 0; rule < rule_name_count; rule++) {
            if (is_of(&rule_names[rule], names[i])) {
                set->off[rule] = off;
                known = true;
            }
        }
        if (!known)
            return err_set(e, ERR_USAGE, "cannot switch", names[i],
                           "no redaction rule or group has this name");
    }
    return ERR_NONE;
}

static void find_level(struct redact_set *set)
{
    set->level = 0;
    for (size_t rule = 0; rule < rule_name_count; rule++) {
        uint8_t level = rule_names[rule].group < GROUP_TIER3    ? 0
                        : rule_names[rule].group == GROUP_TIER3 ? 1
                                                                : 2;

        if (!set->off[rule] && level > set->level)
            set->level = level;
    }
}

enum err_code redact_set_new(struct redact_set **out, const struct redact_options *o,
                             struct err *e)
{
    static const struct redact_options none;
    struct redact_set *set = calloc(1, sizeof(*set));
    enum err_code rc;

    *out = NULL;
    if (set == NULL)
        return err_set(e, ERR_MEMORY, "cannot make redaction rules", "", "out of memory");
    if (o == NULL)
        o = &none;
    for (size_t rule = 0; rule < rule_name_count; rule++)
        set->off[rule] = rule_names[rule].group > (o->generic ? GROUP_TIER3 : GROUP_TIER2);
    set->off[RULE_NAME_MASK] = true; /* redact_set_on_mask switches it on */
    rc = switch_names(set, o->on, o->n_on, false, e);
    if (rc == ERR_NONE)
        rc = switch_names(set, o->off, o->n_off, true, e);
    find_level(set);
    if (rc == ERR_NONE)
        *out = set;
    else
        redact_set_free(set);
    return rc;
}

void redact_set_on_mask(struct redact_set *set, redact_mask_fn *fn, void *ctx)
{
    set->on_mask = fn;
    set->on_mask_ctx = ctx;
    set->off[RULE_NAME_MASK] = fn == NULL;
}

bool redact_set_suits_thread(const struct redact_set *set)
{
    return set->on_mask == NULL && set->rules == NULL;
}

void redact_set_rule_info(const struct redact_set *set, size_t rule, struct redact_rule_info *info)
{
    const struct rule_name *r = &rule_names[rule];

    if (rule >= rule_name_count) {
        *info = (struct redact_rule_info){.name = redact_set_rule_name(set, rule),
                                          .group = "own",
                                          .description = "A rule of your own",
                                          .on = true};
        return;
    }
    *info = (struct redact_rule_info){.name = r->name,
                                      .group = group_names[r->group],
                                      .description = r->description,
                                      .on = !set->off[rule]};
}

enum err_code redact_set_add_value(struct redact_set *set, const char *name, const char *value,
                                   size_t len, struct err *e)
{
    enum err_code rc = ERR_NONE;

    (void)name; /* marks and counts go by the rule */
    if (set->known == NULL)
        rc = known_new(&set->known, e);
    return rc == ERR_NONE ? known_add(set->known, value, len, 0, e) : rc;
}

enum err_code redact_set_add_rule(struct redact_set *set, const char *name, const char *pattern,
                                  unsigned group, const char *literal, struct err *e)
{
    enum err_code rc = ERR_NONE;

    if (is_group(name))
        return err_set(e, ERR_USAGE, "cannot use redaction rule", name,
                       "a group of rules has this name");
    if (set->rules == NULL)
        rc = user_rules_new(&set->rules, e);
    return rc == ERR_NONE ? user_rules_add(set->rules, name, pattern, group, literal, e) : rc;
}

enum err_code redact_set_add_field(struct redact_set *set, const char *path, struct err *e)
{
    enum err_code rc = ERR_NONE;

    if (set->fields == NULL)
        rc = fields_new(&set->fields, e);
    return rc == ERR_NONE ? fields_add(set->fields, path, e) : rc;
}

void redact_set_free(struct redact_set *set)
{
    if (set == NULL)
        return;
    known_free(set->known);
    user_rules_free(set->rules);
    fields_free(set->fields);
    free(set);
}

size_t redact_set_rules(const struct redact_set *set)
{
    return rule_name_count + (set->rules != NULL ? user_rules_count(set->rules) : 0);
}

const char *redact_set_rule_name(const struct redact_set *set, size_t rule)
{
    return rule < rule_name_count ? rule_names[rule].name
                                  : user_rules_name(set->rules, rule - rule_name_count);
}
