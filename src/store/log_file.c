// SPDX-License-Identifier: MIT
#include "store/log_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sys.h"
#include "store/build_log.h"
#include "store/layout.h"

enum {
    OPEN_TRIES = 16, /* the path may change hands between open and lock */
    EINTR_MAX = 1000,
    CHUNK_FIRST = 16 << 10,
    CHUNK_LAST = 2 << 20
};

enum err_code log_file_init(struct log_file *f)
{
    *f = (struct log_file){.fd = -1, .chunk = CHUNK_FIRST, .hash = XXH3_createState()};
    if (f->hash == NULL)
        return ERR_MEMORY;
    log_file_restart_hash(f);
    return ERR_NONE;
}

void log_file_release(struct log_file *f)
{
    log_file_forget(f);
    XXH3_freeState(f->hash);
    f->hash = NULL;
}

void log_file_restart_hash(struct log_file *f)
{
    (void)XXH3_128bits_reset(f->hash);
}

/* ---- opening -------------------------------------------------------------------------- */

static enum err_code refuse(struct err *e, const char *what, const char *path, const char *why)
{
    return err_set(e, ERR_REFUSED, what, path, "%s", why);
}

/* Why this cannot be the log; NULL if it can. */
static const char *planted(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "not a regular file";
    if (st->st_uid != geteuid())
        return "it belongs to another user";
    return st->st_nlink > 1 ? "it has another hard link" : NULL;
}

/* Errors from the layout name the path below the root; people know the whole one. */
static enum err_code whole_path(enum err_code rc, const char *path, struct err *e)
{
    if (rc != ERR_NONE && e != NULL)
        snprintf(e->subject, sizeof(e->subject), "%s", path);
    return rc;
}

static enum err_code refuse_compressed(int root_fd, const char *rel, const char *path,
                                       struct err *e)
{
    char gz[LAYOUT_REL_SIZE + sizeof(".gz")];
    struct stat st;

    snprintf(gz, sizeof(gz), "%s.gz", rel);
    if (sys.fstatat(root_fd, gz, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return ERR_NONE;
    return refuse(e, "cannot append to", path, "the log is already compressed");
}

static enum err_code open_below(int root_fd, const struct log_place *where, int *fd,
                                struct err *e)
{
    const int flags = O_RDWR | O_CREAT | O_APPEND;
    char rel[LAYOUT_REL_SIZE];
    char day[LAYOUT_REL_SIZE];
    struct stat st;
    enum err_code rc;

    layout_rel_path(where->id, rel);
    rc = refuse_compressed(root_fd, rel, where->path, e);
    if (rc != ERR_NONE)
        return rc;
    rc = layout_open(root_fd, rel, flags, fd, e);
    if (rc == ERR_NOT_FOUND) {
        rc = layout_make_dirs(root_fd, layout_rel_day(where->id, day), e);
        if (rc == ERR_NONE)
            rc = layout_open(root_fd, rel, flags, fd, e);
    }
    /* What another user put there may not let us open it at all. */
    if (rc == ERR_SYSTEM && sys.fstatat(root_fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        planted(&st) != NULL)
        return refuse(e, "cannot use", where->path, planted(&st));
    return whole_path(rc, where->path, e);
}

static enum err_code open_somewhere(const struct log_place *where, int *fd, struct err *e)
{
    int root_fd;
    enum err_code rc = layout_open_root(where->root, true, &root_fd, e);

    if (rc != ERR_NONE)
        return rc;
    rc = open_below(root_fd, where, fd, e);
    (void)sys.close(root_fd);
    return rc;
}

/* False: somebody else holds the lock. Where locks do not work there is none: f->locked. */
static bool lock(struct log_file *f)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int rc;

    for (int tries = 0; tries < EINTR_MAX; tries++) {
        rc = sys.lock(f->fd, F_OFD_SETLK, &all);
        if (rc == 0 || errno != EINTR)
            break;
    }
    f->locked = rc == 0;
    return rc == 0 || (errno != EAGAIN && errno != EACCES);
}

static enum err_code refuse_locked(const struct log_file *f, off_t size, const char *path,
                                   struct err *e)
{
    int64_t pid = log_past_pid(f->fd, size);

    if (pid == 0)
        return refuse(e, "cannot lock", path, "in use by another process");
    return err_set(e, ERR_REFUSED, "cannot lock", path, "in use by pid %" PRId64, pid);
}

/* One try. *again: the path changed hands meanwhile. */
static enum err_code open_once(struct log_file *f, const struct log_place *where, bool *again,
                               struct err *e)
{
    struct stat st;
    enum err_code rc = open_somewhere(where, &f->fd, e);

    *again = false;
    if (rc != ERR_NONE) {
        f->fd = -1;
        return rc;
    }
    if (sys.fstat(f->fd, &st) != 0)
        return err_system(e, "cannot look at", where->path);
    if (planted(&st) != NULL)
        return refuse(e, "cannot use", where->path, planted(&st));
    if (!lock(f))
        return refuse_locked(f, st.st_size, where->path, e);
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    if (sys.fstatat(AT_FDCWD, where->path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        *again = st.st_dev != f->dev || st.st_ino != f->ino;
        f->size = st.st_size; /* as it is now that nobody else appends */
        return ERR_NONE;
    }
    *again = errno == ENOENT;
    return *again ? ERR_NONE : err_system(e, "cannot look at", where->path);
}

void log_file_forget(struct log_file *f)
{
    if (f->fd >= 0)
        (void)sys.close(f->fd);
    f->fd = -1;
    f->locked = false;
    f->torn = false;
    f->size = 0;
    f->reserved = 0;
}

enum err_code log_file_open(struct log_file *f, const struct log_place *where,
                            struct log_past *past, struct err *e)
{
    bool again = true;
    enum err_code rc = ERR_NONE;

    for (int tries = 0; rc == ERR_NONE && again && tries < OPEN_TRIES; tries++) {
        log_file_forget(f);
        rc = open_once(f, where, &again, e);
    }
    if (rc == ERR_NONE && again)
        rc = err_set(e, ERR_FORMAT, "cannot lock", where->path, "it is replaced all the time");
    if (rc == ERR_NONE)
        rc = whole_path(log_past_read(f->fd, f->size, past, e), where->path, e);
    if (rc == ERR_NONE && past->end < f->size) {
        f->size = past->end;
        f->torn = true;
        rc = whole_path(log_file_cut(f, e), where->path, e);
    }
    if (rc != ERR_NONE)
        log_file_forget(f);
    f->reserved = f->size;
    return rc;
}

bool log_file_in_place(const struct log_file *f, const char *path)
{
    struct stat st;

    if (sys.fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return st.st_dev == f->dev && st.st_ino == f->ino && st.st_size >= f->size;
    return errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != ESTALE;
}

/* ---- appending ------------------------------------------------------------------------ */

size_t log_file_write(struct log_file *f, const char *data, size_t n)
{
    size_t have = 0;

    for (int interrupted = 0; have < n;) {
        ssize_t put = sys.write(f->fd, data + have, n - have);

        if (put < 0 && errno == EINTR && ++interrupted < EINTR_MAX)
            continue;
        if (put <= 0) {
            errno = put == 0 ? EIO : errno;
            break;
        }
        have += (size_t)put;
    }
    return have;
}

void log_file_commit(struct log_file *f, const char *data, size_t n)
{
    f->size += (off_t)n;
    (void)XXH3_128bits_update(f->hash, data, n);
}

static int allocate(const struct log_file *f, off_t end)
{
    int rc = -1;

    for (int tries = 0; tries < EINTR_MAX; tries++) {
        rc = sys.fallocate(f->fd, FALLOC_FL_KEEP_SIZE, f->size, end - f->size);
        if (rc == 0 || errno != EINTR)
            break;
    }
    return rc;
}

/* Reserves up to end, generously if the disk has it. False: it is full. */
static bool reserve_to(struct log_file *f, off_t end)
{
    if (allocate(f, end + f->chunk) == 0) {
        f->reserved = end + f->chunk;
        f->chunk = f->chunk * 4 > CHUNK_LAST ? CHUNK_LAST : f->chunk * 4;
        return true;
    }
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
        if (allocate(f, end) != 0)
            return false;
        f->reserved = end;
        return true;
    }
    f->no_reserve = true; /* not supported, or not now: do without */
    return true;
}

/* The size that the process may give a file (ulimit -f): a full disk by another name. */
static off_t size_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur > INT64_MAX)
        return INT64_MAX;
    return limit.rlim_cur > 0 ? (off_t)limit.rlim_cur : 1;
}

size_t log_file_reserve(struct log_file *f, size_t n, size_t spare)
{
    const off_t used = f->size + (off_t)spare;
    off_t top;

    if (!f->reserving)
        return n;
    if (f->limit == 0)
        f->limit = size_limit();
    top = f->limit;
    errno = EFBIG;
    if (!f->no_reserve && used + (off_t)n > f->reserved && used + (off_t)n <= top &&
        !reserve_to(f, used + (off_t)n)) {
        top = f->reserved;
        errno = ENOSPC;
    }
    if (used + (off_t)n <= top)
        return n;
    return top > used ? (size_t)(top - used) : 0;
}

enum err_code log_file_cut(struct log_file *f, struct err *e)
{
    if (sys.ftruncate(f->fd, f->size) != 0)
        return err_system(e, "cannot cut back", "");
    f->torn = false;
    f->reserved = f->size; /* the cut gives back what was reserved, too: take it at once */
    if (f->reserving && !f->no_reserve && allocate(f, f->size + BUILD_LOG_RESERVE) == 0)
        f->reserved = f->size + BUILD_LOG_RESERVE;
    return ERR_NONE;
}

/* Length of the whole records among the first n bytes. */
static size_t whole_records(const char *data, size_t n)
{
    const char *newline = n > 0 ? memrchr(data, '\n', n) : NULL;

    return newline != NULL ? (size_t)(newline - data) + 1 : 0;
}

enum err_code log_file_append(struct log_file *f, const char *data, size_t n, size_t *done,
                              struct err *e)
{
    size_t may = log_file_reserve(f, n, BUILD_LOG_RESERVE);
    size_t try = may < n ? whole_records(data, may) : n;
    size_t put = 0;
    enum err_code rc;

    put = log_file_write(f, data, try); /* errno stays the reserve's when that alone says no */
    *done = put < n ? whole_records(data, put) : n;
    log_file_commit(f, data, *done);
    if (put == n)
        return ERR_NONE;
    rc = err_system(e, "cannot write", "");
    if (put > *done) {
        f->torn = true;
        (void)!log_file_cut(f, NULL); /* else it is tried again before the next append */
    }
    return rc;
}

/* ---- ending --------------------------------------------------------------------------- */

enum err_code log_file_sync(struct log_file *f, struct err *e)
{
    int rc = -1;

    for (int tries = 0; tries < EINTR_MAX; tries++) {
        rc = sys.fdatasync(f->fd);
        if (rc == 0 || errno != EINTR)
            break;
    }
    if (rc == 0 || errno == EINVAL || errno == EROFS) /* nothing there that could be synced */
        return ERR_NONE;
    return err_system(e, "cannot sync", "");
}

enum err_code log_file_close(struct log_file *f, struct err *e)
{
    enum err_code rc = ERR_NONE;

    /* Blocks beyond the end cost space, not truth: a failure here is no trouble. */
    if (f->reserved > f->size && !f->torn)
        (void)!sys.ftruncate(f->fd, f->size);
    if (sys.close(f->fd) != 0 && errno != EINTR)
        rc = err_system(e, "cannot close", "");
    f->fd = -1;
    return rc;
}

void log_file_discard_empty(const struct log_file *f, const char *path)
{
    if (f->fd >= 0 && f->size == 0 && f->locked && log_file_in_place(f, path))
        (void)!sys.unlinkat(AT_FDCWD, path, 0);
}
