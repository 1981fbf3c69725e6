// SPDX-License-Identifier: MIT
#include "run/procs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

struct proc {
    pid_t pid;
    pid_t parent;
};

void proc_list_release(struct proc_list *l)
{
    free(l->pids);
    *l = (struct proc_list){0};
}

/* False once the list is full: a bound, not an expectation. */
static bool add(struct proc_list *l, pid_t pid)
{
    if (l->pids == NULL)
        l->pids = malloc(PROCS_MAX * sizeof(*l->pids));
    if (l->pids == NULL || l->len == PROCS_MAX)
        return false;
    l->pids[l->len++] = pid;
    return true;
}

/* Reads a small file of /proc whole; its length, 0 when it cannot be read. */
static size_t read_file(const char *path, char *dst, size_t size)
{
    int fd = sys.openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t n;

    if (fd < 0)
        return 0;
    do
        n = sys.read(fd, dst, size - 1);
    while (n < 0 && errno == EINTR);
    sys.close(fd);
    if (n < 0)
        n = 0;
    dst[n] = '\0';
    return (size_t)n;
}

/* The text behind the short name in /proc/PID/stat, "" when it is gone. The name is in parentheses
   and may hold anything, but nothing behind it has a parenthesis (proc(5)). */
static const char *stat_fields(pid_t pid, char *text, size_t size)
{
    char path[32];
    const char *after;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (read_file(path, text, size) == 0)
        return "";
    after = strrchr(text, ')');
    return after != NULL ? after : "";
}

enum { STAT_MAX = 512 };

static pid_t parent_of(pid_t pid)
{
    char text[STAT_MAX];
    int parent = 0;

    return sscanf(stat_fields(pid, text, sizeof(text)), ") %*c %d", &parent) == 1 ? parent : 0;
}

bool procs_status(pid_t pid, struct proc_status *out)
{
    char text[STAT_MAX];
    char path[32];
    char state;
    int parent;
    unsigned long long user;
    unsigned long long system;
    const long ticks = sysconf(_SC_CLK_TCK);
    size_t n;

    /* Fields 3, 4, 14 and 15. */
    if (sscanf(stat_fields(pid, text, sizeof(text)),
               ") %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &state, &parent, &user,
               &system) != 4)
        return false;
    *out = (struct proc_status){.parent = parent, .state = state};
    out->cpu_ms = (int64_t)((user + system) * 1000 / (unsigned long long)(ticks > 0 ? ticks : 1));
    snprintf(path, sizeof(path), "/proc/%d/wchan", (int)pid);
    n = read_file(path, out->wait, sizeof(out->wait));
    if (n == 1 && out->wait[0] == '0') /* it runs, or we may not know */
        out->wait[0] = '\0';
    return true;
}

bool procs_stopped(pid_t pid)
{
    struct proc_status status;

    return !procs_status(pid, &status) || status.state == 'T' || status.state == 't';
}

/* The next process of an open /proc; 0 at the end. */
static pid_t next_pid(DIR *proc)
{
    struct dirent *entry;

    while ((entry = readdir(proc)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]))
            return (pid_t)strtol(entry->d_name, NULL, 10);
    return 0;
}

enum { SNAPSHOT_MAX = 65536 };

/* All processes with their parents, malloc'ed. */
static struct proc *snapshot(size_t *n)
{
    DIR *dir = opendir("/proc");
    struct proc *all = NULL;
    size_t cap = 0;
    pid_t pid;

    *n = 0;
    if (dir == NULL)
        return NULL;
    while (*n < SNAPSHOT_MAX && (pid = next_pid(dir)) != 0) {
        if (*n == cap) {
            size_t grown = cap > 0 ? cap * 2 : 256;
            struct proc *more = realloc(all, grown * sizeof(*all));

            if (more == NULL)
                break;
            all = more;
            cap = grown;
        }
        all[(*n)++] = (struct proc){.pid = pid, .parent = parent_of(pid)};
    }
    closedir(dir);
    return all;
}

void procs_descendants(pid_t root, struct proc_list *out)
{
    size_t n;
    struct proc *all = snapshot(&n);

    *out = (struct proc_list){0};
    if (!add(out, root)) {
        free(all);
        return;
    }
    /* Breadth first: each found one is looked up as a parent in its turn. */
    for (size_t found = 0; found < out->len; found++)
        for (size_t i = 0; i < n; i++)
            if (all[i].parent == out->pids[found] && all[i].pid != getpid())
                (void)add(out, all[i].pid);
    free(all);
}

void procs_signal(pid_t root, int signal)
{
    struct proc_list list;

    procs_descendants(root, &list);
    if (list.len == 0) /* no memory for the list: the command itself at least */
        sys.kill(root, signal);
    for (size_t i = 0; i < list.len; i++)
        sys.kill(list.pids[i], signal);
    proc_list_release(&list);
}

/* Pipes and sockets are told apart by their inode; terminals by theirs and by the
   file system, of which there is one for each instance of devpts. */
static uint64_t key_of(const struct stat *st)
{
    static const uint64_t is_terminal = UINT64_C(1) << 63;

    if (S_ISCHR(st->st_mode))
        return is_terminal | (uint64_t)st->st_dev << 32 | (uint64_t)st->st_ino;
    return S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode) ? (uint64_t)st->st_ino : 0;
}

uint64_t procs_hold_key(int fd)
{
    struct stat st;

    return sys.fstat(fd, &st) == 0 ? key_of(&st) : 0;
}

/* Of a link in /proc/PID/fd: "pipe:[12345]", "socket:[12345]", or "/dev/pts/7" as its process
   sees it. */
static uint64_t link_key(int dir_fd, const char *name)
{
    char target[64];
    ssize_t n = sys.readlinkat(dir_fd, name, target, sizeof(target) - 1);
    struct stat st;

    if (n <= 0)
        return 0;
    target[n] = '\0';
    if (strncmp(target, "pipe:[", 6) == 0 || strncmp(target, "socket:[", 8) == 0)
        return strtoull(strchr(target, '[') + 1, NULL, 10);
    if (target[0] == '/' && isdigit((unsigned char)target[n - 1]) &&
        strstr(target, "pts/") != NULL && sys.fstatat(dir_fd, name, &st, 0) == 0)
        return key_of(&st);
    return 0;
}

static bool among(uint64_t key, const uint64_t *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (key != 0 && keys[i] == key)
            return true;
    return false;
}

bool procs_hold(pid_t pid, const uint64_t *keys, size_t n)
{
    char path[32];
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    if (dir == NULL)
        return false;
    while (!found && (entry = readdir(dir)) != NULL)
        found = among(link_key(dirfd(dir), entry->d_name), keys, n);
    closedir(dir);
    return found;
}

void procs_holders(const uint64_t *keys, size_t n, struct proc_list *out)
{
    DIR *dir = opendir("/proc");
    pid_t pid;

    *out = (struct proc_list){0};
    if (dir == NULL)
        return;
    while ((pid = next_pid(dir)) != 0)
        if (pid != getpid() && procs_hold(pid, keys, n) && !add(out, pid))
            break;
    closedir(dir);
}

/* "[name]" */
static size_t short_name(pid_t pid, char dst[PROC_COMMAND_MAX])
{
    char path[32];
    size_t n;

    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    dst[0] = '[';
    n = read_file(path, dst + 1, PROC_COMMAND_MAX - 2);
    if (n == 0)
        return 0;
    if (dst[n] == '\n')
        n--;
    dst[n + 1] = ']';
    return n + 2;
}

size_t procs_name(pid_t pid, char state, char dst[PROC_COMMAND_MAX])
{
    /* Reading the words takes a lock that such a process may hold for as long as its disk or
       its server does not answer. */
    return state == 'D' ? short_name(pid, dst) : procs_command(pid, dst);
}

size_t procs_command(pid_t pid, char dst[PROC_COMMAND_MAX])
{
    char path[32];
    size_t n;

    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    n = read_file(path, dst, PROC_COMMAND_MAX);
    while (n > 0 && dst[n - 1] == '\0')
        n--;
    for (size_t i = 0; i < n; i++)
        if (dst[i] == '\0')
            dst[i] = ' ';
    return n > 0 ? n : short_name(pid, dst);
}

size_t procs_files(pid_t pid, struct proc_file *files, size_t max)
{
    char path[32];
    struct dirent *entry;
    size_t n = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL) {
        ssize_t len;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (n < max) {
            len = sys.readlinkat(dirfd(dir), entry->d_name, files[n].path, PROC_PATH_MAX);
            if (len < 0)
                continue;
            files[n].fd = (int)strtol(entry->d_name, NULL, 10);
            files[n].len = (size_t)len;
        }
        n++;
    }
    closedir(dir);
    return n;
}
