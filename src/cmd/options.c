// SPDX-License-Identifier: MIT
#include "cmd/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/ulid.h"
#include "cmd/nearest.h"
#include "commands.gen.h"

enum { SUGGESTION_SIZE = 160, LABEL_KEY_MAX = 64 };

/* ---- values ----------------------------------------------------------------------- */

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool valid_label(const char *text)
{
    size_t n = 0;

    while (letter(text[n]) ||
           (n > 0 && ((text[n] >= '0' && text[n] <= '9') || text[n] == '.' || text[n] == '-')))
        n++;
    return n > 0 && n <= LABEL_KEY_MAX && text[n] == '=';
}

/* Every refused value reads "bad duration '5x': why (--timeout)". */
static enum err_code bad_value(const struct option_spec *spec, const char *kind,
                               const char *text, const char *why, struct err *e)
{
    char what[ERR_WHAT_MAX];

    snprintf(what, sizeof(what), "--%s: bad %s", spec->name, kind);
    return err_set(e, ERR_USAGE, what, text, "%s", why);
}

/* A bound as the user would type it. */
static const char *bound_text(const struct option_spec *spec, uint64_t bound, char dst[32])
{
    static const uint64_t ms = 1000000, second = 1000000000;

    if (spec->type == OPTION_DURATION && bound % second == 0)
        snprintf(dst, 32, "%" PRIu64 "s", bound / second);
    else if (spec->type == OPTION_DURATION)
        snprintf(dst, 32, "%" PRIu64 "ms", bound / ms);
    else if (spec->type == OPTION_SIZE && bound >= 1024 && bound % 1024 == 0)
        snprintf(dst, 32, "%" PRIu64 "k", bound / 1024);
    else
        snprintf(dst, 32, "%" PRIu64, bound);
    return dst;
}

static enum err_code check_bounds(const struct option_spec *spec, const char *kind,
                                  const char *text, uint64_t value, struct err *e)
{
    char why[64];
    char bound[32];

    if (value >= spec->min && value <= spec->max)
        return ERR_NONE;
    if (value < spec->min)
        snprintf(why, sizeof(why), "must be at least %s", bound_text(spec, spec->min, bound));
    else
        snprintf(why, sizeof(why), "must be at most %s", bound_text(spec, spec->max, bound));
    return bad_value(spec, kind, text, why, e);
}

static enum err_code parse_text(const struct option_spec *spec, const char *text, struct err *e)
{
    size_t len = strlen(text);

    if (len < spec->min)
        return err_set(e, ERR_USAGE, "empty value of option", "", "--%s", spec->name);
    if (len > spec->max)
        return err_set(e, ERR_USAGE, "value too long", "", "--%s takes at most %" PRIu64 " bytes",
                       spec->name, spec->max);
    return ERR_NONE;
}

static enum err_code parse_length(const struct option_spec *spec, const char *text,
                                  int64_t *number, struct err *e)
{
    if (spec->allow_inf && strcmp(text, "inf") == 0) {
        *number = -1;
        return ERR_NONE;
    }
    if (!parse_duration(text, number))
        return bad_value(spec, "duration", text,
                         spec->allow_inf ? "expected 90, 90s, 5m, 1h30m or inf"
                                         : "expected 90, 90s, 5m or 1h30m",
                         e);
    return check_bounds(spec, "duration", text, (uint64_t)*number, e);
}

static enum err_code parse_count(const struct option_spec *spec, const char *text,
                                 int64_t *number, struct err *e)
{
    bool size = spec->type == OPTION_SIZE;
    const char *kind = size ? "size" : "number";
    uint64_t value = 0;

    if (size ? !parse_size(text, &value) : !parse_number(text, INT64_MAX, &value))
        return bad_value(spec, kind, text,
                         size ? "expected 4096, 64k, 10M or 2G" : "expected digits only", e);
    *number = (int64_t)value;
    return check_bounds(spec, kind, text, value, e);
}

static bool pending_choice(const struct option_spec *spec, size_t i)
{
    return (spec->pending_choices >> i & 1) != 0;
}

/* "a, b or c", without what is not supported yet. */
static void list_choices(const struct option_spec *spec, char *dst, size_t size)
{
    const char *open[16];
    size_t n = 0;
    size_t at = 0;

    for (size_t i = 0; spec->choices[i] != NULL && n < 16; i++)
        if (!pending_choice(spec, i))
            open[n++] = spec->choices[i];
    dst[0] = '\0';
    for (size_t i = 0; i < n && at < size; i++) {
        const char *before = i == 0 ? "" : i + 1 == n ? " or " : ", ";
        int len = snprintf(dst + at, size - at, "%s'%s'", before, open[i]);

        at += len > 0 ? (size_t)len : 0;
    }
}

static enum err_code parse_choice(const struct option_spec *spec, const char *text,
                                  int64_t *number, struct err *e)
{
    char list[SUGGESTION_SIZE];
    char why[SUGGESTION_SIZE + 32];

    list_choices(spec, list, sizeof(list));
    for (size_t i = 0; spec->choices[i] != NULL; i++) {
        if (strcmp(spec->choices[i], text) != 0)
            continue;
        *number = (int64_t)i;
        if (!pending_choice(spec, i))
            return ERR_NONE;
        snprintf(why, sizeof(why), "not supported yet, only %s", list);
        return bad_value(spec, "value", text, why, e);
    }
    snprintf(why, sizeof(why), "expected %s", list);
    return bad_value(spec, "value", text, why, e);
}

static enum err_code parse_value(struct parsed_option *o, struct err *e)
{
    const struct option_spec *spec = o->spec;

    switch (spec->type) {
    case OPTION_FLAG:
        return ERR_NONE;
    case OPTION_TEXT:
        return parse_text(spec, o->text, e);
    case OPTION_ID:
        return ulid_valid(o->text)
                   ? ERR_NONE
                   : bad_value(spec, "id", o->text,
                               "expected 26 characters of 0-9A-HJKMNP-TV-Z, the first 0-7", e);
    case OPTION_DURATION:
        return parse_length(spec, o->text, &o->number, e);
    case OPTION_SIZE:
    case OPTION_NUMBER:
        return parse_count(spec, o->text, &o->number, e);
    case OPTION_CHOICE:
        return parse_choice(spec, o->text, &o->number, e);
    case OPTION_LABEL:
        return valid_label(o->text)
                   ? ERR_NONE
                   : bad_value(spec, "label", o->text,
                               "expected KEY=VALUE, KEY a letter or _ and up to 63 of A-Za-z0-9_.-",
                               e);
    }
    return err_set(e, ERR_USAGE, "unknown option type", spec->name, "table out of date");
}

/* ---- names ------------------------------------------------------------------------ */

/* The position in the words of the command line. */
struct cursor {
    const struct command *command;
    char **next; /* the word to come; *next is NULL at the end */
    struct cmd_args *args;
    struct err *e;
};

static const struct option_spec *find_name(const struct command *c, const char *name, size_t len)
{
    for (size_t i = 0; i < c->n_options; i++)
        if (strncmp(c->options[i].name, name, len) == 0 && c->options[i].name[len] == '\0')
            return &c->options[i];
    return NULL;
}

static const struct option_spec *find_letter(const struct command *c, char wanted)
{
    for (size_t i = 0; i < c->n_options; i++)
        if (c->options[i].letter == wanted)
            return &c->options[i];
    return NULL;
}

/* word: as typed, for the message; name: what to look for among the long names. */
static enum err_code unknown_option(struct cursor *at, const char *word, const char *name)
{
    char text[SUGGESTION_SIZE];
    struct nearest near;

    nearest_init(&near, name);
    for (size_t i = 0; i < at->command->n_options; i++)
        nearest_offer(&near, at->command->options[i].name);
    nearest_text(&near, "--", text, sizeof(text));
    if (text[0] == '\0')
        snprintf(text, sizeof(text), "see 'buildlog help %s'", at->command->name);
    return err_set(at->e, ERR_USAGE, "unknown option", word, "%s", text);
}

static enum err_code no_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "cannot read the command line", "", "out of memory");
}

/* Room for one more option; NULL when out of memory. The array has the size of the next
   power of two, so that it needs no member of its own. */
static struct parsed_option *add_option(struct cmd_args *args)
{
    size_t n = args->n_options;
    struct parsed_option *grown;

    if ((n & (n - 1)) == 0) {
        grown = realloc(args->options, (n == 0 ? 1 : 2 * n) * sizeof(grown[0]));
        if (grown == NULL)
            return NULL;
        args->options = grown;
    }
    args->n_options++;
    return &args->options[n];
}

/* Takes option spec; text is its value as far as it stood in the same word, else NULL. */
static enum err_code take_option(struct cursor *at, const struct option_spec *spec,
                                 const char *word, const char *text)
{
    struct parsed_option *o;

    if (spec->pending != NULL)
        return err_set(at->e, ERR_USAGE, "cannot use option", word, "%s", spec->pending);
    if (spec->type != OPTION_FLAG && text == NULL) {
        text = *at->next;
        if (text == NULL)
            return err_set(at->e, ERR_USAGE, "missing value of option", word, "expected %s",
                           spec->value_name);
        at->next++;
    }
    o = add_option(at->args);
    if (o == NULL)
        return no_memory(at->e);
    *o = (struct parsed_option){.spec = spec, .text = text};
    return parse_value(o, at->e);
}

static enum err_code take_long(struct cursor *at, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const struct option_spec *spec = find_name(at->command, name, len);
    char typed[ERR_SUBJECT_MAX] = ""; /* without "=value" */

    memcpy(typed, word, len + 2 < sizeof(typed) ? len + 2 : sizeof(typed) - 1);
    if (spec == NULL)
        return unknown_option(at, typed, typed + 2);
    if (spec->type == OPTION_FLAG && name[len] == '=')
        return err_set(at->e, ERR_USAGE, "option takes no value", word, "write '--%s'",
                       spec->name);
    return take_option(at, spec, typed, name[len] == '=' ? name + len + 1 : NULL);
}

/* A word of letters: flags, and at most one option with a value at its end. */
static enum err_code take_letters(struct cursor *at, const char *word)
{
    for (const char *p = word + 1; *p != '\0'; p++) {
        const struct option_spec *spec = find_letter(at->command, *p);
        char typed[] = {'-', *p, '\0'};
        bool flag = spec != NULL && spec->type == OPTION_FLAG;
        enum err_code rc;

        if (spec == NULL)
            return unknown_option(at, p == word + 1 ? word : typed, word + 1);
        rc = take_option(at, spec, typed, flag || p[1] == '\0' ? NULL : p + 1);
        if (rc != ERR_NONE || !flag)
            return rc;
    }
    return ERR_NONE;
}

/* ---- words ------------------------------------------------------------------------ */

static bool is_operand(const struct command *c, const char *word)
{
    if (word[0] != '-' || word[1] == '\0')
        return true;
    return c->numeric_operands && strspn(word + 1, "0123456789") == strlen(word + 1) &&
           find_letter(c, word[1]) == NULL;
}

static bool asks_help(const struct cmd_args *args)
{
    return args->n_options > 0 && args->options[args->n_options - 1].spec->id == OPT_HELP;
}

static enum err_code check_operands(const struct cmd_args *args, struct err *e)
{
    const struct command *c = args->command;

    if (args->n_operands < c->min_operands)
        return err_set(e, ERR_USAGE, "missing operand", "", "usage: buildlog %s %s", c->name,
                       c->synopsis);
    if (c->max_operands >= 0 && args->n_operands > c->max_operands)
        return err_set(e, ERR_USAGE, "extra operand", args->operands[c->max_operands],
                       "usage: buildlog %s %s", c->name, c->synopsis);
    return ERR_NONE;
}

static enum err_code parse_words(struct cursor *at)
{
    const struct command *c = at->command;
    struct cmd_args *args = at->args;
    bool options_over = false;

    while (*at->next != NULL) {
        const char *word = *at->next++;
        enum err_code rc;

        if (!options_over && strcmp(word, "--") == 0) {
            options_over = true;
            continue;
        }
        if (options_over || is_operand(c, word)) {
            args->operands[args->n_operands++] = at->next[-1];
            options_over = options_over || c->stop_at_operand;
            continue;
        }
        rc = word[1] == '-' ? take_long(at, word) : take_letters(at, word);
        if (rc != ERR_NONE)
            return rc;
        if (asks_help(args))
            return ERR_NONE;
    }
    return check_operands(args, at->e);
}

enum err_code options_parse(const struct command *c, char **argv, struct cmd_args *args,
                            struct err *e)
{
    struct cursor at = {.command = c, .next = argv, .args = args, .e = e};
    size_t n_words = 0;
    enum err_code rc;

    while (argv[n_words] != NULL)
        n_words++;
    *args = (struct cmd_args){.command = c};
    args->operands = calloc(n_words + 1, sizeof(args->operands[0]));
    if (args->operands == NULL)
        rc = no_memory(e);
    else
        rc = parse_words(&at);
    if (rc != ERR_NONE)
        options_release(args);
    else if (asks_help(args)) {
        args->options[0] = args->options[args->n_options - 1];
        args->n_options = 1;
    }
    return rc;
}

void options_release(struct cmd_args *args)
{
    free(args->options);
    free(args->operands);
    *args = (struct cmd_args){.command = args->command};
}

const struct parsed_option *options_find(const struct cmd_args *args, int id)
{
    for (size_t i = args->n_options; i > 0; i--)
        if (args->options[i - 1].spec->id == id)
            return &args->options[i - 1];
    return NULL;
}
