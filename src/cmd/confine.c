// SPDX-License-Identifier: MIT
#include "cmd/confine.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/sys.h"
#include "cmd/config.h"
#include "cmd/options.h"
#include "commands.gen.h"
#include "lib/where.h"

enum { PLACES_MAX = 5 };

static void say(const struct cmd_args *args, unsigned parts)
{
    static const struct {
        unsigned part;
        const char *name;
    } names[] = {{SANDBOX_NO_NEW_PRIVS, "no_new_privs"},
                 {SANDBOX_LANDLOCK, "landlock"},
                 {SANDBOX_SECCOMP, "seccomp"}};
    char text[64] = "";

    if (options_find(args, OPT_VERBOSE) == NULL)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if ((parts & names[i].part) != 0) {
            size_t at = strlen(text);

            snprintf(text + at, sizeof(text) - at, "%s%s", at > 0 ? ", " : "", names[i].name);
        }
    cmd_warn(args->command, "sandbox: %s", text[0] != '\0' ? text : "none, the kernel has no such");
}

/* A place that is not there needs no rule. */
static void add_place(struct sandbox_place *places, size_t *n, int dir_fd, const char *path,
                      int flags)
{
    int fd = sys.openat(dir_fd, path, O_PATH | O_CLOEXEC | flags, 0);

    if (fd >= 0)
        places[(*n)++] = (struct sandbox_place){.fd = fd};
}

/* The password database will be out of reach. */
static void settle_home(void)
{
    const char *home = getenv("HOME");
    const struct passwd *user = home == NULL || home[0] == '\0' ? getpwuid(geteuid()) : NULL;

    if (user != NULL && user->pw_dir != NULL)
        (void)setenv("HOME", user->pw_dir, 1);
}

/* What is read late: the configuration, for what messages must not show. */
static void add_configuration(struct sandbox_place *places, size_t *n)
{
    char *user;

    settle_home();
    user = where_user_file();
    add_place(places, n, AT_FDCWD, WHERE_SYSTEM_FILE, 0);
    if (user != NULL)
        add_place(places, n, AT_FDCWD, user, 0);
    free(user);
}

/* The index, or where it is missing all of the store, this once. */
static void add_index(struct sandbox_place *places, size_t *n, size_t root)
{
    size_t before = *n;

    add_place(places, n, places[root].fd, "index", O_DIRECTORY | O_NOFOLLOW);
    if (*n > before)
        places[before].write = true;
    else
        places[root].write = places[root].make = true;
}

void confine_to_store(const struct cmd_args *args, int root_fd, bool index)
{
    struct sandbox_place places[PLACES_MAX];
    struct sandbox how = {.places = places};
    size_t n = 1;

    tzset(); /* reads files, once */
    places[0] = (struct sandbox_place){.fd = root_fd};
    add_place(places, &n, AT_FDCWD, "/proc", O_DIRECTORY); /* whether writers live */
    add_configuration(places, &n);
    if (index)
        add_index(places, &n, 0);
    how.n_places = n;
    say(args, sandbox_enter(&how));
    while (n > 1)
        sys.close(places[--n].fd);
}

void confine_to_reading(const struct cmd_args *args)
{
    const struct sandbox how = {.read_all = true};

    say(args, sandbox_enter(&how));
}
