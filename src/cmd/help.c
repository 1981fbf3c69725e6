// SPDX-License-Identifier: MIT
#include "cmd/help.h"

#include <string.h>

#include "cmd/nearest.h"
#include "commands.gen.h"

enum { NAME_COLUMN = 30, NAME_MAX_LEN = 96, SUGGESTION_SIZE = 160 };

void help_overview(FILE *to)
{
    fputs("usage: buildlog COMMAND [options] ...\n\n"
          "Records the output of any command, secrets removed, one file per build.\n\n",
          to);
    for (size_t i = 0; i < n_commands; i++)
        fprintf(to, "  %-11s %s\n", commands[i].name, commands[i].summary);
    fputs("\n'buildlog help COMMAND' explains a command; manuals: buildlog(1), buildlog(5),\n"
          "and buildlog-COMMAND(1) for each command.\n",
          to);
}

static void add(char *dst, size_t size, const char *text)
{
    size_t at = strlen(dst);

    snprintf(dst + at, size - at, "%s", text);
}

/* " a|b|c", the choices that can be used, or " VALUE". */
static void add_value(const struct option_spec *o, char *dst, size_t size)
{
    const char *before = " ";

    if (o->choices == NULL) {
        add(dst, size, before);
        add(dst, size, o->value_name);
        return;
    }
    for (size_t i = 0; o->choices[i] != NULL; i++) {
        if ((o->pending_choices >> i & 1) != 0)
            continue;
        add(dst, size, before);
        add(dst, size, o->choices[i]);
        before = "|";
    }
}

static void print_option(FILE *to, const struct option_spec *o)
{
    char name[NAME_MAX_LEN] = "    ";

    if (o->letter != 0)
        snprintf(name, sizeof(name), "-%c, ", o->letter);
    add(name, sizeof(name), "--");
    add(name, sizeof(name), o->name);
    if (o->type != OPTION_FLAG)
        add_value(o, name, sizeof(name));
    if (strlen(name) > NAME_COLUMN)
        fprintf(to, "  %s\n  %-*s %s\n", name, NAME_COLUMN, "", o->help);
    else
        fprintf(to, "  %-*s %s\n", NAME_COLUMN, name, o->help);
}

void help_command(FILE *to, const struct command *c)
{
    fprintf(to, "usage: buildlog %s %s\n\n%s\n\n", c->name, c->synopsis, c->summary);
    for (size_t i = 0; i < c->n_options; i++)
        if (c->options[i].pending == NULL)
            print_option(to, &c->options[i]);
}

const struct command *command_find(const char *name, struct err *e)
{
    char text[SUGGESTION_SIZE];
    struct nearest near;

    nearest_init(&near, name);
    for (size_t i = 0; i < n_commands; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
        nearest_offer(&near, commands[i].name);
    }
    nearest_text(&near, "", text, sizeof(text));
    err_set(e, ERR_USAGE, "unknown command", name, "%s",
            text[0] != '\0' ? text : "'buildlog help' lists the commands");
    return NULL;
}

bool help_flush(const struct command *c)
{
    struct err e;

    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return true;
    err_system(&e, "cannot write", "stdout");
    cmd_warn_err(c, &e);
    return false;
}

int cmd_help(const struct cmd_args *args)
{
    struct err e;
    const struct command *topic = NULL;

    if (args->n_operands > 0) {
        topic = command_find(args->operands[0], &e);
        if (topic == NULL) {
            cmd_warn_err(args->command, &e);
            return EXIT_TROUBLE;
        }
        help_command(stdout, topic);
    } else {
        help_overview(stdout);
    }
    return help_flush(args->command) ? EXIT_FOUND : EXIT_TROUBLE;
}
