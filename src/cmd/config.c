// SPDX-License-Identifier: MIT
#include "cmd/config.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/nearest.h"
#include "lib/config_file.h"
#include "lib/where.h"

/* ---- keys ------------------------------------------------------------------------- */

enum { KEY_DIR, KEY_REDACT, N_KEYS };

static const char *const keys[N_KEYS] = {[KEY_DIR] = "dir", [KEY_REDACT] = "redact"};

/* Relative paths are refused: they would mean another store in every directory. */
static enum err_code take_dir(struct config *c, const cJSON *value, const struct config_place *at,
                              struct err *e)
{
    char *copy;

    if (!cJSON_IsString(value) || value->valuestring[0] != '/')
        return config_bad(e, at, "'dir' must be an absolute path");
    copy = strdup(value->valuestring);
    if (copy == NULL)
        return err_set(e, ERR_MEMORY, at->what, at->path, "out of memory");
    free(c->dir);
    c->dir = copy;
    return ERR_NONE;
}

static enum err_code take_key(struct config *c, const cJSON *item, const struct config_place *at,
                              struct err *e)
{
    struct nearest near;

    nearest_init(&near, item->string);
    for (size_t i = 0; i < N_KEYS; i++) {
        nearest_offer(&near, keys[i]);
        if (strcmp(keys[i], item->string) == 0)
            return i == KEY_REDACT ? redact_config_take(&c->redact, item, at, e)
                                   : take_dir(c, item, at, e);
    }
    return config_unknown_key(e, at, "", &near);
}

enum err_code config_load_file(struct config *c, const char *path, struct err *e)
{
    const struct config_place at = {"cannot use configuration", path, "{\"dir\": \"/path\"}"};
    const cJSON *item;
    cJSON *json;
    enum err_code rc = config_read_json(&at, &json, e);

    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    if (rc != ERR_NONE)
        return rc;
    cJSON_ArrayForEach(item, json)
        if (rc == ERR_NONE)
            rc = take_key(c, item, &at, e);
    cJSON_Delete(json);
    return rc;
}

/* ---- both files ------------------------------------------------------------------- */

enum err_code config_load(struct config *c, struct err *e)
{
    char *user = where_user_file();
    enum err_code rc;

    *c = (struct config){0};
    rc = config_load_file(c, WHERE_SYSTEM_FILE, e);
    if (rc == ERR_NONE && user != NULL)
        rc = config_load_file(c, user, e);
    if (rc != ERR_NONE)
        config_release(c);
    free(user);
    return rc;
}

void config_release(struct config *c)
{
    free(c->dir);
    redact_config_release(&c->redact);
    *c = (struct config){0};
}
