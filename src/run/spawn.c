// SPDX-License-Identifier: MIT
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

enum { NOT_FOUND = 127, CANNOT_EXEC = 126 };

static const char shell_path[] = "/bin/sh";
static const char default_path[] = "/bin:/usr/bin"; /* as execvp(3) without PATH */

/*
 * Everything execvp(3) would allocate is made before the fork, because the child may only make
 * async-signal-safe calls: the paths to try, and the words for a script without a first line.
 */
struct plan {
    char **paths; /* NULL-terminated, each malloc'ed */
    char **script; /* {"/bin/sh", PATH, argv[1] …}; PATH filled in by the child */
};

enum step { STEP_SETUP = 1, STEP_EXEC };

struct failure {
    int step;
    int sys_errno;
};

static void plan_release(struct plan *p)
{
    for (size_t i = 0; p->paths != NULL && p->paths[i] != NULL; i++)
        free(p->paths[i]);
    free(p->paths);
    free(p->script);
}

static char *join(const char *dir, size_t dir_len, const char *name)
{
    size_t name_len = strlen(name);
    char *path = malloc(dir_len + name_len + 3);

    if (path == NULL)
        return NULL;
    if (dir_len == 0) /* an empty entry of PATH is the current directory */
        path[dir_len++] = '.';
    else
        memcpy(path, dir, dir_len);
    path[dir_len] = '/';
    memcpy(path + dir_len + 1, name, name_len + 1);
    return path;
}

/* One candidate per entry of PATH. */
static bool plan_search(struct plan *p, const char *name)
{
    const char *search = getenv("PATH");
    size_t n = 2;
    size_t at = 0;

    if (search == NULL)
        search = default_path;
    for (const char *c = search; *c != '\0'; c++)
        n += *c == ':';
    p->paths = calloc(n, sizeof(*p->paths));
    if (p->paths == NULL)
        return false;
    for (;;) {
        size_t len = strcspn(search, ":");

        p->paths[at] = join(search, len, name);
        if (p->paths[at++] == NULL)
            return false;
        if (search[len] == '\0')
            return true;
        search += len + 1;
    }
}

static bool plan_make(struct plan *p, char *const *argv)
{
    size_t argc = 0;

    *p = (struct plan){0};
    do
        argc++;
    while (argv[argc] != NULL);
    p->script = calloc(argc + 2, sizeof(*p->script));
    if (p->script == NULL)
        return false;
    p->script[0] = (char *)(uintptr_t)shell_path;
    for (size_t i = 1; i < argc; i++)
        p->script[i + 1] = argv[i];
    if (strchr(argv[0], '/') == NULL && argv[0][0] != '\0')
        return plan_search(p, argv[0]);
    p->paths = calloc(2, sizeof(*p->paths));
    if (p->paths == NULL)
        return false;
    p->paths[0] = strdup(argv[0]);
    return p->paths[0] != NULL;
}

/* ---- in the child ------------------------------------------------------------------- */

enum { SCRIPT_LOOK = 128 };

/* A file the kernel does not know is a script, unless it begins as a program does or there is a
   NUL in its first line: then it is a damaged or a foreign one (POSIX lets the shell refuse what
   is no text file). */
static bool looks_like_script(const char *path)
{
    char start[SCRIPT_LOOK];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, start, sizeof(start)) : 0;

    if (n >= 4 && memcmp(start, "\177ELF", 4) == 0)
        return false;
    for (ssize_t i = 0; i < n && start[i] != '\n'; i++)
        if (start[i] == '\0')
            return false;
    return true;
}

static void exec_one(const struct plan *p, char *path, char *const *argv)
{
    execve(path, argv, environ);
    if (errno != ENOEXEC)
        return;
    if (!looks_like_script(path)) {
        errno = ENOEXEC;
        return;
    }
    p->script[1] = path;
    execve(shell_path, p->script, environ);
}

/* Tries every candidate as execvp(3) does; returns the errno that says most. */
static int exec_first(const struct plan *p, char *const *argv)
{
    int worst = ENOENT;

    if (p->paths[1] == NULL) {
        exec_one(p, p->paths[0], argv);
        return errno;
    }
    for (size_t i = 0; p->paths[i] != NULL; i++) {
        exec_one(p, p->paths[i], argv);
        switch (errno) {
        case EACCES:
            worst = EACCES; /* found, but perhaps a later one can be run */
            break;
        case ENOENT:
        case ENOTDIR:
        case ESTALE:
        case ENODEV:
        case ETIMEDOUT:
            break;
        default:
            return errno;
        }
    }
    return worst;
}

static void report(int fd, enum step step, int sys_errno)
{
    struct failure f = {.step = (int)step, .sys_errno = sys_errno};

    (void)!write(fd, &f, sizeof(f)); /* less than PIPE_BUF: all or nothing */
    _exit(NOT_FOUND);
}

/* What the child needs to become the command. */
struct becoming {
    const struct spawn_options *o;
    const struct plan *plan;
    int errno_fd;
};

static bool place_fds(const struct spawn_options *o)
{
    return (!o->session || o->keep_stdin || sys.dup2(o->stdout_fd, STDIN_FILENO) >= 0) &&
           sys.dup2(o->stdout_fd, STDOUT_FILENO) >= 0 &&
           sys.dup2(o->stderr_fd, STDERR_FILENO) >= 0;
}

static void become(const void *ctx)
{
    const struct becoming *b = ctx;

    if (!place_fds(b->o))
        report(b->errno_fd, STEP_SETUP, errno);
    if (b->o->close_stdin)
        close(STDIN_FILENO);
    signals_restore(b->o->signals);
    report(b->errno_fd, STEP_EXEC, exec_first(b->plan, b->o->argv));
}

static _Noreturn void child(const struct becoming *b)
{
    if (b->o->own_group && setpgid(0, 0) != 0)
        report(b->errno_fd, STEP_SETUP, errno);
    become(b);
    _exit(NOT_FOUND);
}

/* ---- in the parent ------------------------------------------------------------------ */

static enum err_code start_in_session(const struct becoming *b, struct spawned *out,
                                      struct err *e)
{
    const struct monitor_options o = {.tty_fd = b->o->stdout_fd,
                                      .outside_fd = b->o->outside_fd,
                                      .foreground = b->o->foreground,
                                      .become = become,
                                      .ctx = b};

    return monitor_start(&out->monitor, &o, &out->pid, e);
}

static enum err_code start_beside_us(const struct becoming *b, struct spawned *out,
                                     struct err *e)
{
    out->pid = sys.fork();
    if (out->pid == 0)
        child(b);
    if (out->pid < 0)
        return err_system(e, "cannot start a process for", b->o->argv[0]);
    if (b->o->own_group)
        (void)setpgid(out->pid, out->pid); /* whoever is first; fails after the exec */
    return ERR_NONE;
}

static enum err_code start_child(const struct spawn_options *o, const struct plan *p,
                                 struct spawned *out, struct err *e)
{
    struct becoming b = {.o = o, .plan = p};
    enum err_code rc;
    int fds[2];

    if (sys.pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_system(e, "cannot make a pipe", "");
    b.errno_fd = fds[1];
    rc = o->session ? start_in_session(&b, out, e) : start_beside_us(&b, out, e);
    sys.close(fds[1]);
    if (rc != ERR_NONE)
        sys.close(fds[0]);
    else
        out->errno_fd = fds[0];
    return rc;
}

enum err_code spawn_start(const struct spawn_options *o, struct spawned *out, struct err *e)
{
    struct plan p;
    enum err_code rc;

    if (plan_make(&p, o->argv))
        rc = start_child(o, &p, out, e);
    else
        rc = err_set(e, ERR_MEMORY, "cannot start", o->argv[0], "out of memory");
    plan_release(&p);
    return rc;
}

/* ENOENT from a file that is there: the interpreter of its first line is missing. */
static bool interpreter_missing(const struct spawn_options *o)
{
    struct plan p;
    struct stat st;
    bool found = false;

    if (plan_make(&p, o->argv))
        for (size_t i = 0; !found && p.paths[i] != NULL; i++)
            found = sys.fstatat(AT_FDCWD, p.paths[i], &st, 0) == 0 && S_ISREG(st.st_mode) &&
                    (st.st_mode & 0111) != 0;
    plan_release(&p);
    return found;
}

static int explain(const struct spawn_options *o, const struct failure *f, struct err *e)
{
    if (f->step == STEP_EXEC && f->sys_errno == ENOENT) {
        if (interpreter_missing(o)) {
            err_set(e, ERR_NOT_FOUND, "cannot run", o->argv[0],
                    "the interpreter on its first line is missing");
            return NOT_FOUND; /* as every shell says */
        }
        err_set(e, ERR_NOT_FOUND, "cannot run", o->argv[0],
                strchr(o->argv[0], '/') != NULL ? "no such file" : "command not found");
        return NOT_FOUND;
    }
    errno = f->sys_errno;
    err_system(e, "cannot run", o->argv[0]);
    return CANNOT_EXEC;
}

enum spawn_outcome spawn_result(const struct spawn_options *o, int errno_fd, int *exit_code,
                                struct err *e)
{
    struct failure f;
    ssize_t n;

    do
        n = sys.read(errno_fd, &f, sizeof(f));
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return SPAWN_PENDING;
    if (n != (ssize_t)sizeof(f))
        return SPAWN_STARTED;
    *exit_code = explain(o, &f, e);
    return SPAWN_FAILED;
}
