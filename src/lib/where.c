// SPDX-License-Identifier: MIT
#include "lib/where.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "lib/config_file.h"

static char *below(const char *dir, const char *name)
{
    char *path = NULL;

    return dir[0] == '/' && asprintf(&path, "%s/%s", dir, name) >= 0 ? path : NULL;
}

char *where_user_file(void)
{
    const char *config_home = getenv("XDG_CONFIG_HOME");
    char *home;
    char *path;

    /* The XDG specification has relative paths ignored. */
    if (config_home != NULL && config_home[0] == '/')
        return below(config_home, "buildlog/config.json");
    home = home_dir();
    path = home != NULL ? below(home, ".config/buildlog/config.json") : NULL;
    free(home);
    return path;
}

bool where_asks_files(const char *dir)
{
    const char *from_env = getenv("BUILDLOG_DIR");

    return dir == NULL && (from_env == NULL || from_env[0] == '\0');
}

/* What the file says wins over what *dir says. */
static enum err_code ask_file(const char *path, char **dir, struct err *e)
{
    const struct config_place at = {"cannot use configuration", path, "{\"dir\": \"/path\"}"};
    const cJSON *value;
    cJSON *json;
    char *copy = NULL;
    enum err_code rc = config_read_json(&at, &json, e);

    if (rc != ERR_NONE)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    value = cJSON_GetObjectItemCaseSensitive(json, "dir");
    if (value != NULL && (!cJSON_IsString(value) || value->valuestring[0] != '/'))
        rc = config_bad(e, &at, "'dir' must be an absolute path");
    else if (value != NULL && (copy = strdup(value->valuestring)) == NULL)
        rc = err_set(e, ERR_MEMORY, at.what, at.path, "out of memory");
    cJSON_Delete(json);
    if (copy != NULL) {
        free(*dir);
        *dir = copy;
    }
    return rc;
}

enum err_code where_configured(char **dir, struct err *e)
{
    char *user = where_user_file();
    enum err_code rc;

    *dir = NULL;
    rc = ask_file(WHERE_SYSTEM_FILE, dir, e);
    if (rc == ERR_NONE && user != NULL)
        rc = ask_file(user, dir, e);
    free(user);
    if (rc != ERR_NONE) {
        free(*dir);
        *dir = NULL;
    }
    return rc;
}
