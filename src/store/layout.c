// SPDX-License-Identifier: MIT
#include "store/layout.h"

#include <errno.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/home.h"
#include "base/sys.h"
#include "base/ulid.h"

char *layout_rel_day(const char *id, char dst[LAYOUT_REL_SIZE])
{
    char day[UTC_DAY_SIZE];

    snprintf(dst, LAYOUT_REL_SIZE, "builds/%s", clock_utc_day(ulid_time_ms(id), day));
    return dst;
}

char *layout_rel_path(const char *id, char dst[LAYOUT_REL_SIZE])
{
    char day[UTC_DAY_SIZE];

    snprintf(dst, LAYOUT_REL_SIZE, "builds/%s/%.*s.log", clock_utc_day(ulid_time_ms(id), day),
             (int)ULID_LEN, id);
    return dst;
}

/* ---- the root ------------------------------------------------------------------------- */

/* mkdir -p. A component that cannot be made may still exist (an automounter's, say), so only
   the last one decides; what went wrong first is then the reason. */
static enum err_code make_parents(const char *root, struct err *e)
{
    char *path = strdup(root);
    int first_errno = 0;
    bool made = true;

    if (path == NULL)
        return err_set(e, ERR_MEMORY, "cannot make", root, "out of memory");
    for (char *p = path + 1; p[-1] != '\0'; p++) {
        char end = *p;

        if ((end != '/' && end != '\0') || p[-1] == '/')
            continue;
        *p = '\0';
        made = sys.mkdirat(AT_FDCWD, path, LAYOUT_DIR_MODE) == 0 || errno == EEXIST;
        if (!made && first_errno == 0)
            first_errno = errno;
        *p = end;
    }
    free(path);
    errno = first_errno;
    return made ? ERR_NONE : err_system(e, "cannot make", root);
}

enum err_code layout_open_root(const char *root, bool create, int *fd, struct err *e)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    enum err_code rc;

    *fd = sys.openat(AT_FDCWD, root, flags, 0);
    if (*fd < 0 && errno == ENOENT && create) {
        rc = make_parents(root, e);
        if (rc != ERR_NONE)
            return rc;
        *fd = sys.openat(AT_FDCWD, root, flags, 0);
    }
    if (*fd >= 0)
        return ERR_NONE;
    rc = err_system(e, "cannot open", root);
    if (errno != ENOENT)
        return rc;
    if (e != NULL)
        e->code = ERR_NOT_FOUND;
    return ERR_NOT_FOUND;
}

/* ---- below the root ------------------------------------------------------------------- */

/* What a failed open below the root means. Anything but a plain directory or file at one of
   our own names was planted there. */
static enum err_code open_error(const char *rel, struct err *e)
{
    switch (errno) {
    case ELOOP:
    case EXDEV:
        return err_set(e, ERR_REFUSED, "cannot open", rel, "a symbolic link is in the way");
    case ENOTDIR:
        return err_set(e, ERR_REFUSED, "cannot open", rel,
                       "something that is not a directory is in the way");
    case EISDIR:
        return err_set(e, ERR_REFUSED, "cannot open", rel, "a directory is in the way");
    case ENXIO:
        return err_set(e, ERR_REFUSED, "cannot open", rel, "not a regular file");
    case ENOENT:
        err_system(e, "cannot open", rel);
        if (e != NULL)
            e->code = ERR_NOT_FOUND;
        return ERR_NOT_FOUND;
    default:
        return err_system(e, "cannot open", rel);
    }
}

/* One directory of the way; dir_fd stays open. -1 and errno on failure. */
static int enter(int dir_fd, const char *name)
{
    return sys.openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* close(2) that leaves errno alone. */
static void close_quietly(int fd)
{
    int saved = errno;

    (void)sys.close(fd);
    errno = saved;
}

/* Splits off the first component of *rel into name; false when it was the last. */
static bool next_component(const char **rel, char name[LAYOUT_REL_SIZE])
{
    const char *slash = strchr(*rel, '/');
    size_t len = slash != NULL ? (size_t)(slash - *rel) : strlen(*rel);

    snprintf(name, LAYOUT_REL_SIZE, "%.*s", (int)len, *rel);
    *rel += len + (slash != NULL ? 1 : 0);
    return slash != NULL;
}

/* For kernels before 5.6 and sandboxes that forbid openat2: one component at a time. */
static int open_stepwise(int root_fd, const char *rel, int flags, mode_t mode)
{
    char name[LAYOUT_REL_SIZE];
    int dir_fd = root_fd;
    int fd;

    while (next_component(&rel, name)) {
        int deeper_fd = enter(dir_fd, name);

        if (dir_fd != root_fd)
            close_quietly(dir_fd);
        if (deeper_fd < 0)
            return -1;
        dir_fd = deeper_fd;
    }
    fd = sys.openat(dir_fd, name, flags | O_NOFOLLOW, mode);
    if (dir_fd != root_fd)
        close_quietly(dir_fd);
    return fd;
}

enum err_code layout_open(int root_fd, const char *rel, int flags, int *fd, struct err *e)
{
    mode_t mode = (flags & O_CREAT) != 0 ? LAYOUT_FILE_MODE : 0;

    flags |= O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    *fd = sys.openat2(root_fd, rel, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (*fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL))
        *fd = open_stepwise(root_fd, rel, flags, mode);
    return *fd >= 0 ? ERR_NONE : open_error(rel, e);
}

/* mkdir and, for all but the last component, step inside. dir_fd moves on. */
static enum err_code make_dir(int root_fd, int *dir_fd, const char *name, bool last,
                              const char *rel, struct err *e)
{
    int deeper_fd;

    if (sys.mkdirat(*dir_fd, name, LAYOUT_DIR_MODE) != 0 && errno != EEXIST)
        return err_system(e, "cannot make", rel);
    if (last)
        return ERR_NONE;
    deeper_fd = enter(*dir_fd, name);
    if (deeper_fd < 0)
        return open_error(rel, e);
    if (*dir_fd != root_fd)
        close_quietly(*dir_fd);
    *dir_fd = deeper_fd;
    return ERR_NONE;
}

enum err_code layout_make_dirs(int root_fd, const char *rel, struct err *e)
{
    const char *rest = rel;
    char name[LAYOUT_REL_SIZE];
    int dir_fd = root_fd;
    enum err_code rc = ERR_NONE;
    bool more = true;

    while (rc == ERR_NONE && more) {
        more = next_component(&rest, name);
        rc = make_dir(root_fd, &dir_fd, name, !more, rel, e);
    }
    if (dir_fd != root_fd)
        close_quietly(dir_fd);
    return rc;
}

/* ---- which root ----------------------------------------------------------------------- */

static const char *env_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static enum err_code out_of_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "cannot find the store", "", "out of memory");
}

/* malloc'ed "a/b" of three parts; NULL without memory. */
static char *join(const char *a, const char *b, const char *c)
{
    char *out = NULL;

    return asprintf(&out, "%s%s%s", a, b, c) >= 0 ? out : NULL;
}

/* Takes path over. Absolute, without slashes at the end. */
static enum err_code make_absolute(char *path, char **root, struct err *e)
{
    size_t len;

    if (path != NULL && path[0] != '/') {
        char *cwd = getcwd(NULL, 0);
        char *whole;

        if (cwd == NULL) {
            free(path);
            return err_system(e, "cannot find the current directory", "");
        }
        whole = join(cwd, strcmp(cwd, "/") == 0 ? "" : "/", path);
        free(cwd);
        free(path);
        path = whole;
    }
    if (path == NULL)
        return out_of_memory(e);
    for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = '\0';
    *root = path;
    return ERR_NONE;
}

static enum err_code state_root(char **root, struct err *e)
{
    const char *state = env_set("XDG_STATE_HOME");
    char *home;
    char *path;

    if (geteuid() == 0)
        return make_absolute(strdup("/var/log/buildlog"), root, e);
    /* The base directory specification: a relative value is to be ignored. */
    if (state != NULL && state[0] == '/')
        return make_absolute(join(state, "/buildlog", ""), root, e);
    home = home_dir();
    if (home == NULL)
        return err_set(e, ERR_NOT_FOUND, "cannot find the store", "", "no home directory");
    path = join(home, "/.local/state/buildlog", "");
    free(home);
    return make_absolute(path, root, e);
}

enum err_code layout_root(const char *dir, const char *configured, char **root, struct err *e)
{
    const char *logs = env_set("LOGS_DIRECTORY");

    if (dir == NULL)
        dir = env_set("BUILDLOG_DIR");
    if (dir == NULL)
        dir = configured;
    if (dir != NULL && dir[0] == '\0')
        return err_set(e, ERR_USAGE, "cannot use the store", dir, "an empty name");
    if (dir != NULL)
        return make_absolute(strdup(dir), root, e);
    if (logs != NULL && logs[0] != ':') /* systemd separates several with colons */
        return make_absolute(strndup(logs, strcspn(logs, ":")), root, e);
    return state_root(root, e);
}
