// SPDX-License-Identifier: MIT
#include "cmd/config.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "cmd/nearest.h"

/* ---- keys ------------------------------------------------------------------------- */

struct key {
    const char *name;
    const char *expected; /* completes "'name' must be …" */
    bool (*take)(struct config *c, const cJSON *value);
};

/* Relative paths are refused: they would mean another store in every directory. */
static bool take_dir(struct config *c, const cJSON *value)
{
    char *copy;

    if (!cJSON_IsString(value) || value->valuestring[0] != '/')
        return false;
    copy = strdup(value->valuestring);
    if (copy == NULL)
        return false;
    free(c->dir);
    c->dir = copy;
    return true;
}

static const struct key keys[] = {
    {"dir", "an absolute path", take_dir},
};
enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };

/* ---- one file --------------------------------------------------------------------- */

static enum err_code bad_file(struct err *e, const char *path, const char *why, ...)
    PRINTF_LIKE(3, 4);

static enum err_code bad_file(struct err *e, const char *path, const char *why, ...)
{
    char text[ERR_WHY_MAX];
    va_list args;

    va_start(args, why);
    vsnprintf(text, sizeof(text), why, args);
    va_end(args);
    return err_set(e, ERR_FORMAT, "cannot use configuration", path, "%s", text);
}

/* Reads all of fd into text. The file may grow meanwhile; the ceiling holds all the same. */
static enum err_code read_all(int fd, const char *path, struct buf *text, struct err *e)
{
    enum { PIECE = 4096 };

    for (;;) {
        ssize_t n;

        if (buf_reserve(text, PIECE) != ERR_NONE)
            return bad_file(e, path, "larger than %d bytes, or out of memory", CONFIG_FILE_MAX);
        n = sys.read(fd, text->data + text->len, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_system(e, "cannot read", path);
        if (n == 0)
            return ERR_NONE;
        text->len += (size_t)n;
    }
}

/* ERR_NOT_FOUND when there is no such file. Anything but a regular file is refused: a FIFO
   would have us wait. */
static enum err_code read_file(const char *path, struct buf *text, struct err *e)
{
    int fd = sys.openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    struct stat st;
    enum err_code rc;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return ERR_NOT_FOUND;
    if (fd < 0)
        return err_system(e, "cannot open", path);
    if (sys.fstat(fd, &st) < 0)
        rc = err_system(e, "cannot read", path);
    else if (!S_ISREG(st.st_mode))
        rc = bad_file(e, path, "not a regular file");
    else
        rc = read_all(fd, path, text, e);
    sys.close(fd);
    return rc;
}

/* The end of the comment that begins at p ("//" or a slash and a star), or p. */
static char *comment_end(char *p, char *end)
{
    if (end - p < 2 || p[0] != '/')
        return p;
    if (p[1] == '/') {
        while (p < end && *p != '\n')
            p++;
        return p;
    }
    if (p[1] != '*')
        return p;
    for (char *q = p + 2; end - q >= 2; q++)
        if (q[0] == '*' && q[1] == '/')
            return q + 2;
    return p; /* never closed: the parser complains about the slash */
}

/* Blanks comments out instead of cJSON_Minify, so that lines keep their numbers. */
static void blank_comments(char *text, size_t len)
{
    char *end = text + len;
    bool in_string = false;

    for (char *p = text; p < end; p++) {
        char *over = in_string ? p : comment_end(p, end);

        for (; p < over; p++)
            if (*p != '\n')
                *p = ' ';
        if (p == end)
            return;
        if (*p == '"')
            in_string = !in_string;
        else if (*p == '\\' && in_string && p + 1 < end)
            p++;
    }
}

static size_t line_number(const char *text, const char *at)
{
    size_t line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static enum err_code take_key(struct config *c, const cJSON *item, const char *path,
                              struct err *e)
{
    char text[128];
    struct nearest near;

    nearest_init(&near, item->string);
    for (size_t i = 0; i < N_KEYS; i++) {
        nearest_offer(&near, keys[i].name);
        if (strcmp(keys[i].name, item->string) != 0)
            continue;
        return keys[i].take(c, item)
                   ? ERR_NONE
                   : bad_file(e, path, "'%s' must be %s", keys[i].name, keys[i].expected);
    }
    nearest_text(&near, "", text, sizeof(text));
    return bad_file(e, path, "unknown key '%.64s'%s%s", item->string, text[0] != '\0' ? ", " : "",
                    text);
}

static enum err_code take_text(struct config *c, struct buf *text, const char *path,
                               struct err *e)
{
    const char *stop = NULL;
    const cJSON *item;
    cJSON *json;
    enum err_code rc = ERR_NONE;

    if (memchr(text->data, '\0', text->len) != NULL)
        return bad_file(e, path, "not text: it contains a NUL byte");
    if (buf_put(text, "", 1) != ERR_NONE)
        return bad_file(e, path, "larger than %d bytes, or out of memory", CONFIG_FILE_MAX);
    blank_comments(text->data, text->len - 1);
    json = cJSON_ParseWithLengthOpts(text->data, text->len, &stop, 1);
    if (json == NULL)
        return bad_file(e, path, "line %zu: not valid JSON", line_number(text->data, stop));
    if (!cJSON_IsObject(json))
        rc = bad_file(e, path, "expected a JSON object: {\"dir\": \"/path\"}");
    else
        cJSON_ArrayForEach(item, json)
            if (rc == ERR_NONE)
                rc = take_key(c, item, path, e);
    cJSON_Delete(json);
    return rc;
}

enum err_code config_load_file(struct config *c, const char *path, struct err *e)
{
    struct buf text;
    enum err_code rc;

    buf_init(&text, CONFIG_FILE_MAX);
    rc = read_file(path, &text, e);
    if (rc == ERR_NONE)
        rc = take_text(c, &text, path, e);
    else if (rc == ERR_NOT_FOUND)
        rc = ERR_NONE;
    buf_release(&text);
    return rc;
}

/* ---- both files ------------------------------------------------------------------- */

/* The user's file, malloc'ed; NULL when there is no home directory (or no memory). */
static char *user_path(void)
{
    static const char tail[] = "buildlog/config.json";
    const char *config_home = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    const struct passwd *user;
    char *path = NULL;
    int len;

    /* The XDG specification has relative paths ignored. */
    if (config_home != NULL && config_home[0] == '/') {
        len = asprintf(&path, "%s/%s", config_home, tail);
        return len < 0 ? NULL : path;
    }
    if (home == NULL || home[0] == '\0') {
        user = getpwuid(geteuid());
        home = user != NULL ? user->pw_dir : NULL;
    }
    if (home == NULL || home[0] != '/')
        return NULL;
    len = asprintf(&path, "%s/.config/%s", home, tail);
    return len < 0 ? NULL : path;
}

enum err_code config_load(struct config *c, struct err *e)
{
    char *user = user_path();
    enum err_code rc;

    *c = (struct config){0};
    rc = config_load_file(c, CONFIG_SYSTEM_PATH, e);
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
    *c = (struct config){0};
}
