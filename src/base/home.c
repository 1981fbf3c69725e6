// SPDX-License-Identifier: MIT
#include "base/home.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PASSWD_TEXT_MAX = 16 << 10 }; /* of one entry of the database */

/* getpwuid_r, for a library must not touch what getpwuid(3) shares with its host. */
static char *from_database(void)
{
    char *text = malloc(PASSWD_TEXT_MAX);
    struct passwd user;
    struct passwd *found = NULL;
    char *home = NULL;

    if (text != NULL && getpwuid_r(geteuid(), &user, text, PASSWD_TEXT_MAX, &found) == 0 &&
        found != NULL && found->pw_dir != NULL && found->pw_dir[0] == '/')
        home = strdup(found->pw_dir);
    free(text);
    return home;
}

char *home_dir(void)
{
    const char *home = getenv("HOME");

    return home != NULL && home[0] != '\0' ? strdup(home) : from_database();
}
