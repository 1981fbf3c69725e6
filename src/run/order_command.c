// SPDX-License-Identifier: MIT
/* Which commands --order exact cannot be had for. See order.h. */
#include "run/order.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"

enum { FIRST_LINE_MAX = 256 }; /* what execve(2) looks at (BINPRM_BUF_SIZE) */

/*
 * libuv, on which Node.js stands, knows a socket of this type for nothing it could write to
 * (uv_guess_handle), and console.log then drops everything without a word.
 */
static const char *const silent[] = {"node", "nodejs", "npm", "npx", "yarn", "yarnpkg",
                                     "pnpm", "pnpx",   "corepack"};

static bool is_silent(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        if (strlen(silent[i]) == len && memcmp(silent[i], name, len) == 0)
            return true;
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* The program of a first line "#!/usr/bin/env -S node --flag": the first word whose name is not
   env and that is neither an option nor an assignment. */
static bool line_is_silent(char *line)
{
    char *rest = NULL;

    for (char *word = strtok_r(line, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        const char *name = base_name(word);

        if (strcmp(name, "env") != 0 && word[0] != '-' && strchr(word, '=') == NULL)
            return is_silent(name, strlen(name));
    }
    return false;
}

static bool script_is_silent(const char *path)
{
    char line[FIRST_LINE_MAX + 1];
    /* Non-blocking: the path may name anything. */
    int fd = sys.openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    ssize_t n;

    if (fd < 0)
        return false;
    do
        n = sys.read(fd, line, FIRST_LINE_MAX);
    while (n < 0 && errno == EINTR);
    sys.close(fd);
    if (n < 2 || line[0] != '#' || line[1] != '!')
        return false;
    line[n] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return line_is_silent(line + 2);
}

static bool is_program(const char *path)
{
    struct stat st;

    return sys.fstatat(AT_FDCWD, path, &st, 0) == 0 && S_ISREG(st.st_mode) &&
           (st.st_mode & 0111) != 0;
}

/* The file that will be run, as far as one can say beforehand; false: none in sight. */
static bool find_program(const char *name, char path[PATH_MAX])
{
    const char *search = getenv("PATH");

    if (strchr(name, '/') != NULL)
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && is_program(path);
    for (; search != NULL; search++) {
        size_t len = strcspn(search, ":");
        int n = snprintf(path, PATH_MAX, "%.*s%s%s", (int)len, search, len > 0 ? "/" : "", name);

        if (n < PATH_MAX && is_program(path))
            return true;
        search += len;
        if (*search == '\0')
            return false;
    }
    return false;
}

enum err_code order_check_command(char *const *argv, struct err *e)
{
    const char *name = base_name(argv[0]);
    char path[PATH_MAX];

    if (!is_silent(name, strlen(name)) &&
        !(find_program(argv[0], path) && script_is_silent(path)))
        return ERR_NONE;
    return err_set(e, ERR_REFUSED, "cannot run", name,
                   "with --order exact its output is a socket, where Node.js prints nothing; "
                   "--order merge keeps the order, too");
}
