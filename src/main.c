// SPDX-License-Identifier: MIT
/* argv → command → exit code; nothing else. */
#include <stdio.h>
#include <string.h>

#include "base/sys.h"
#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/nearest.h"
#include "cmd/options.h"
#include "commands.gen.h"

/*
 * Where 0, 1 or 2 is closed, something that cannot be read or written takes its number, so
 * that no file of ours lands there: every use still fails with EBADF, and for the command it
 * is closed again (close-on-exec). There is nothing to be done where even that fails.
 */
static void reserve_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (sys.fcntl(fd, F_GETFD, 0) < 0 && sys.openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0) < 0)
            return;
}

static int unknown_option(const char *word)
{
    char text[64];
    struct nearest near;
    struct err e;

    nearest_init(&near, word);
    nearest_offer(&near, "--help");
    nearest_offer(&near, "--version");
    nearest_text(&near, "", text, sizeof(text));
    err_set(&e, ERR_USAGE, "unknown option", word, "%s",
            text[0] != '\0' ? text : "the command comes first, then its options");
    cmd_warn_err(NULL, &e);
    return EXIT_TROUBLE;
}

/* `buildlog`, `buildlog --help`, `buildlog --version`, and words that begin with a dash. */
static int no_command(const char *word)
{
    if (word == NULL) {
        help_overview(stderr);
        return EXIT_TROUBLE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        help_overview(stdout);
    else if (strcmp(word, "--version") == 0)
        puts("buildlog " BUILDLOG_VERSION);
    else
        return unknown_option(word);
    return help_flush(NULL) ? EXIT_FOUND : EXIT_TROUBLE;
}

static int run_command(const struct command *c, char **argv)
{
    struct cmd_args args;
    struct err e;
    int status;

    if (options_parse(c, argv, &args, &e) != ERR_NONE) {
        cmd_warn_err(c, &e);
        return c->usage_status;
    }
    if (options_find(&args, OPT_HELP) != NULL) {
        help_command(stdout, c);
        status = help_flush(c) ? EXIT_FOUND : EXIT_TROUBLE;
    } else {
        status = c->main(&args);
    }
    options_release(&args);
    return status;
}

int main(int argc, char **argv)
{
    const struct command *c;
    struct err e;

    reserve_standard_fds();
    if (argc < 2 || argv[1][0] == '-')
        return no_command(argc < 2 ? NULL : argv[1]);
    c = command_find(argv[1], &e);
    if (c == NULL) {
        cmd_warn_err(NULL, &e);
        return EXIT_TROUBLE;
    }
    return run_command(c, argv + 2);
}
