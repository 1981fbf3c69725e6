// SPDX-License-Identifier: MIT
/*
 * How a log is opened and reopened: what was planted at its path or above it is refused, a
 * second writer is refused and told of the first, a finished log gets another attempt, one
 * that was cut off at any byte is continued after its torn tail is gone, and a log that
 * disappears while it is written is made anew.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/storetest.h"
#include "store/layout.h"

enum { LINE = 40 };

static uint64_t fed;

static void feed(struct build_log *l, int n)
{
    for (int i = 0; i < n; i++)
        put_line(l, fed++, LINE);
    (void)build_log_flush(l);
}

static enum err_code open_log(struct build_log **l, struct err *e)
{
    const struct build_log_options o = test_options();

    return build_log_open(l, &o, e);
}

/* A sealed log of n lines more, or what is wrong. */
static bool one_build(int n)
{
    struct build_log *l;
    struct err e;
    bool good = open_log(&l, &e) == ERR_NONE;

    if (l == NULL)
        return false;
    feed(l, n);
    good = good && seal(l, &e) == ERR_NONE;
    build_log_free(l);
    return good;
}

static void sound(const struct log_report *r, const char *name)
{
    if (!ok(r->wrong == NULL && !r->torn, "%s: sound", name))
        printf("#   record %zu: %s\n", r->at, r->wrong != NULL ? r->wrong : "torn");
}

static char *day_dir(void)
{
    static char day[4096];

    snprintf(day, sizeof(day), "%s/builds/2025-07-02", test_root);
    return day;
}

static void make_dirs(void)
{
    char builds[4096];

    snprintf(builds, sizeof(builds), "%s/builds", test_root);
    (void)mkdir(test_root, 0755);
    (void)mkdir(builds, 0755);
    (void)mkdir(day_dir(), 0755);
}

static void put_file(const char *path, const char *data, size_t n)
{
    FILE *f = fopen(path, "we");

    if (f == NULL || fwrite(data, 1, n, f) != n || fclose(f) != 0)
        abort();
}

static char *get_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "re");
    char *data = malloc(1 << 20);

    if (f == NULL || data == NULL)
        abort();
    *n = fread(data, 1, 1 << 20, f);
    fclose(f);
    return data;
}

/* ---- planted -------------------------------------------------------------------------- */

static void is_refused(const char *why, const char *name)
{
    struct build_log *l = NULL;
    struct err e = {0};
    char text[1024];

    ok(open_log(&l, &e) == ERR_REFUSED && l == NULL, "refused: %s", name);
    err_format(&e, text, sizeof(text));
    if (!ok(strstr(text, why) != NULL && strstr(text, test_path) != NULL, "says why: %s", name))
        printf("#   %s\n", text);
    build_log_free(l);
}

static void test_planted(void)
{
    char other[4096];
    struct stat st;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int socket_fd;

    snprintf(other, sizeof(other), "%s/other", test_base);
    put_file(other, "mine\n", 5);
    make_dirs();
    (void)!symlink(other, test_path);
    is_refused("symbolic link", "a symbolic link");
    unlink(test_path);
    (void)!symlink("nowhere", test_path);
    is_refused("symbolic link", "a dangling link");
    unlink(test_path);
    (void)!link(other, test_path);
    is_refused("hard link", "a hard link");
    unlink(test_path);
    (void)!mkfifo(test_path, 0644);
    is_refused("not a regular file", "a FIFO");
    unlink(test_path);
    (void)!mkdir(test_path, 0755);
    is_refused("directory", "a directory");
    rmdir(test_path);
    socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(test_path) < sizeof(address.sun_path)) {
        snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", test_path);
        ok(bind(socket_fd, (struct sockaddr *)&address, sizeof(address)) == 0, "a socket");
        is_refused("not a regular file", "a socket");
        unlink(test_path);
    }
    close(socket_fd);
    ok(stat(other, &st) == 0 && st.st_size == 5 && st.st_nlink == 1, "nothing was written to");
}

static void test_planted_above(void)
{
    char real[4096];
    char gz[4200];

    snprintf(real, sizeof(real), "%s/elsewhere", test_base);
    (void)mkdir(real, 0755);
    make_dirs();
    rmdir(day_dir());
    (void)!symlink(real, day_dir());
    is_refused("in the way", "a link as the day");
    unlink(day_dir());
    put_file(day_dir(), "", 0);
    is_refused("in the way", "a file as the day");
    unlink(day_dir());
    snprintf(gz, sizeof(gz), "%s/builds", test_root);
    rmdir(gz);
    (void)!symlink(real, gz);
    is_refused("in the way", "a link as builds");
    wipe(test_root);
    make_dirs();
    snprintf(gz, sizeof(gz), "%s.gz", test_path);
    put_file(gz, "", 0);
    is_refused("compressed", "a compressed log");
    ok(access(test_path, F_OK) != 0, "and nothing is made");
    wipe(test_root);
}

/* ---- locks and attempts --------------------------------------------------------------- */

static void test_locked(void)
{
    struct build_log *l;
    struct err e;
    char pid[64];

    fed = 0;
    ok(open_log(&l, &e) == ERR_NONE, "opened");
    snprintf(pid, sizeof(pid), "in use by pid %ld", (long)getpid());
    is_refused(pid, "locked, nothing but a start");
    feed(l, 3000); /* the start record is far from the end */
    is_refused(pid, "locked, at work");
    ok(seal(l, &e) == ERR_NONE, "the first goes on");
    build_log_free(l);
    ok(one_build(1), "free again");
    wipe(test_root);
}

static int no_locks(int fd, int command, struct flock *k)
{
    (void)fd;
    (void)command;
    (void)k;
    errno = ENOLCK;
    return -1;
}

static void test_no_locks(void)
{
    struct log_report r;
    struct sys_table plain = sys;

    fed = 0;
    sys.lock = no_locks;
    ok(one_build(3), "works without locks");
    sys = plain;
    r = log_check(test_path, 0);
    ok(r.wrong == NULL && !r.lock, "and says so");
    wipe(test_root);
}

static void test_attempts(void)
{
    struct log_report r;

    fed = 0;
    for (int i = 1; i <= 4; i++) {
        test_clock_back = i == 3 ? 5000 : 0; /* ts must not follow it */
        ok(one_build(i * 100), "attempt %d", i);
        r = log_check(test_path, 0);
        sound(&r, "attempts");
        ok(r.attempt == i && r.starts == i && r.complete && r.lock && r.seq == fed, "counted on");
    }
    wipe(test_root);
}

/* ---- torn tails ----------------------------------------------------------------------- */

/* Continues the log of n bytes; true if all that was sound is still there. */
static bool continues(const char *data, size_t n)
{
    struct log_report before;
    struct log_report after;

    put_file(test_path, data, n);
    before = log_check(test_path, 0);
    fed = before.next;
    if (!one_build(2))
        return false;
    after = log_check(test_path, 0);
    if (after.wrong != NULL || !after.has_end || !after.complete || after.next != fed ||
        after.attempt != (before.starts > 0 ? before.attempt + 1 : 1)) {
        printf("# cut at %zu: %s, record %zu, attempt %d after %d, next %llu\n", n,
               after.wrong != NULL ? after.wrong : "sound", after.at, after.attempt,
               before.attempt, (unsigned long long)after.next);
        return false;
    }
    return true;
}

static void test_torn(void)
{
    size_t n;
    char *data;
    int bad = 0;

    fed = 0;
    ok(one_build(3) && one_build(4), "a log to cut");
    data = get_file(test_path, &n);
    for (size_t cut = 0; cut <= n; cut++)
        bad += continues(data, cut) ? 0 : 1;
    ok(bad == 0, "cut off at every one of %zu bytes and continued: %d bad", n, bad);
    free(data);
    wipe(test_root);
}

/* What a crashed machine leaves. */
static void test_garbage(void)
{
    static const char *const tails[] = {"{\"kind\":\"line\"}\n", "garbage\n", "\n", "{}\n",
                                        "{\"kind\":\"line\",\"ts\":1\n{\"ki"};
    size_t n;
    size_t kept;
    char *data;
    static const size_t zeros = 200000;

    fed = 0;
    ok(one_build(3), "a log to spoil");
    data = get_file(test_path, &kept);
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        struct log_report r;

        n = kept + strlen(tails[i]);
        memcpy(data + kept, tails[i], strlen(tails[i]));
        put_file(test_path, data, n);
        fed = 3;
        ok(one_build(2), "continued");
        r = log_check(test_path, 0);
        sound(&r, "after garbage");
        ok(r.attempt == 2 && r.seq == 5, "numbers go on");
    }
    memset(data + kept, 0, zeros);
    fed = 3;
    put_file(test_path, data, kept + zeros);
    ok(one_build(2), "continued after zeros");
    ok(log_check(test_path, 0).wrong == NULL, "and sound");
    free(data);
    wipe(test_root);
}

/* ---- gone while running --------------------------------------------------------------- */

enum trick { REMOVE_STORE, MOVE_STORE, REMOVE_FILE, TRUNCATE, COPY, N_TRICKS };
static const char *const tricks[N_TRICKS] = {"store removed", "store moved", "log removed",
                                             "log truncated", "log copied over"};

static void play(enum trick t)
{
    char other[4096];
    size_t n;
    char *data;

    snprintf(other, sizeof(other), "%s/moved", test_base);
    wipe(other);
    switch (t) {
    case REMOVE_STORE:
        wipe(test_root);
        break;
    case MOVE_STORE:
        (void)!rename(test_root, other);
        break;
    case REMOVE_FILE:
        unlink(test_path);
        break;
    case TRUNCATE:
        (void)!truncate(test_path, 0);
        break;
    case COPY:
        data = get_file(test_path, &n);
        put_file(other, data, n);
        (void)!rename(other, test_path);
        free(data);
        break;
    case N_TRICKS:
        break;
    }
}

/* tick: it is noticed while running; else at the end. */
static void test_gone(enum trick t, bool tick)
{
    struct build_log *l;
    struct log_report r;
    struct err e;

    fed = 0;
    ok(open_log(&l, &e) == ERR_NONE, "%s", tricks[t]);
    feed(l, 10);
    play(t);
    for (int i = 0; i < 3; i++)
        put_line(l, fed++, LINE); /* waits, or goes to the old file */
    if (t != COPY && t != TRUNCATE)
        feed(l, 4);
    if (tick)
        build_log_tick(l);
    if (tick)
        feed(l, 5);
    ok(!tick || access(test_path, F_OK) == 0, "made anew");
    ok(seal(l, &e) == ERR_NONE, "sealed");
    build_log_free(l);
    r = log_check(test_path, 0);
    sound(&r, tricks[t]);
    ok(r.has_end && r.next == fed && r.attempt == 1, "every line accounted for");
    if (t == COPY)
        ok(r.gaps == 0 && r.starts == 2, "a copy has everything");
    else
        ok(!r.complete && r.gaps == 1 && strcmp(r.reason, "log_replaced") == 0 && r.starts == 1,
           "one gap says why");
    wipe(test_root);
}

/* Something stands in the way while the log is to be made anew. */
static void test_gone_and_planted(void)
{
    struct build_log *l;
    struct log_report r;
    struct err e;

    fed = 0;
    ok(open_log(&l, &e) == ERR_NONE, "opened");
    feed(l, 10);
    unlink(test_path);
    (void)!symlink("/dev/null", test_path);
    build_log_tick(l);
    ok(build_log_notice(l, &e) && e.code == ERR_REFUSED, "trouble");
    feed(l, 10);
    ok(build_log_flush(l), "records wait");
    build_log_tick(l);
    ok(build_log_flush(l), "and wait");
    unlink(test_path);
    build_log_tick(l);
    ok(!build_log_flush(l) && build_log_notice(l, &e) && e.code == ERR_NONE, "over");
    ok(seal(l, &e) == ERR_NONE, "sealed");
    build_log_free(l);
    r = log_check(test_path, 0);
    sound(&r, "planted while running");
    ok(r.has_end && r.next == 20 && r.lost == 10 && r.events == 2, "ten went, ten waited");
    wipe(test_root);
}

/* ---- no store at first ---------------------------------------------------------------- */

static void test_unopened(void)
{
    struct build_log *l;
    struct log_report r;
    struct err e;

    fed = 0;
    put_file(test_root, "", 0);
    ok(open_log(&l, &e) == ERR_SYSTEM && l != NULL, "a file is no store");
    feed(l, 10);
    ok(build_log_flush(l), "records wait");
    build_log_tick(l);
    ok(!build_log_notice(l, &e), "the caller told of it already");
    unlink(test_root);
    build_log_tick(l);
    ok(!build_log_flush(l), "the store can be made now");
    feed(l, 10);
    ok(seal(l, &e) == ERR_NONE, "sealed");
    build_log_free(l);
    r = log_check(test_path, 0);
    sound(&r, "a late store");
    ok(r.complete && r.next == 20 && r.seq == 22, "nothing is missing");
    wipe(test_root);

    put_file(test_root, "", 0);
    fed = 0;
    (void)!open_log(&l, &e);
    feed(l, 10);
    ok(seal(l, &e) != ERR_NONE && e.code != ERR_NONE, "never opened: no end");
    build_log_free(l);
    unlink(test_root);
}

static int no_open(int d, const char *p, int f, mode_t m, uint64_t r)
{
    (void)d;
    (void)p;
    (void)f;
    (void)m;
    (void)r;
    errno = EMFILE;
    return -1;
}

/* Lines are numbered before it is known how many there were before. */
static void test_late_attempt(int lines)
{
    struct build_log *l;
    struct log_report r;
    struct err e;
    struct sys_table plain = sys;
    bool lossy = lines > 50000;

    fed = 0;
    ok(one_build(95), "a first attempt");
    sys.openat2 = no_open;
    ok(open_log(&l, &e) == ERR_SYSTEM && e.sys_errno == EMFILE, "no descriptor left");
    feed(l, lines);
    sys = plain;
    build_log_tick(l);
    feed(l, 10);
    ok(seal(l, &e) == ERR_NONE, "sealed");
    build_log_free(l);
    r = log_check(test_path, 0);
    sound(&r, "numbered anew");
    ok(r.attempt == 2 && r.next == fed && r.complete == !lossy && r.seq == fed + 2,
       "%d lines go on where the first attempt ended", lines);
    ok(r.gaps == (lossy ? 1 : 0), "and what had to go is one gap");
    wipe(test_root);
}

/* ---- layout --------------------------------------------------------------------------- */

static int no_openat2(int d, const char *p, int f, mode_t m, uint64_t r)
{
    (void)d;
    (void)p;
    (void)f;
    (void)m;
    (void)r;
    errno = ENOSYS;
    return -1;
}

static void test_layout(void)
{
    char rel[LAYOUT_REL_SIZE];
    struct stat st;
    mode_t mask = umask(022);

    is_str(layout_rel_path(TEST_ID, rel), "builds/2025-07-02/" TEST_ID ".log", "the path");
    is_str(layout_rel_day(TEST_ID, rel), "builds/2025-07-02", "the day");
    is_str(layout_rel_path("00000000000000000000000000", rel),
           "builds/1970-01-01/00000000000000000000000000.log", "the first day");
    fed = 0;
    ok(one_build(1), "a log");
    ok(stat(test_path, &st) == 0 && (st.st_mode & 07777) == 0640, "0640");
    ok(stat(day_dir(), &st) == 0 && (st.st_mode & 07777) == 0750, "0750");
    ok(stat(test_root, &st) == 0 && (st.st_mode & 07777) == 0750, "0750 at the top");
    umask(mask);
    wipe(test_root);
}

static void is_root(const char *dir, const char *configured, const char *want, const char *name)
{
    char *root = NULL;
    struct err e;

    if (ok(layout_root(dir, configured, &root, &e) == ERR_NONE, "%s", name))
        is_str(root, want, name);
    free(root);
}

static void test_root_precedence(void)
{
    char *root;
    char here[4096 + 8];
    struct err e;
    bool is_super = geteuid() == 0;

    unsetenv("BUILDLOG_DIR");
    unsetenv("LOGS_DIRECTORY");
    unsetenv("XDG_STATE_HOME");
    setenv("HOME", "/home/x", 1);
    is_root(NULL, NULL, is_super ? "/var/log/buildlog" : "/home/x/.local/state/buildlog", "home");
    setenv("XDG_STATE_HOME", "/state", 1);
    is_root(NULL, NULL, is_super ? "/var/log/buildlog" : "/state/buildlog", "state");
    setenv("LOGS_DIRECTORY", "/logs/a:/logs/b", 1);
    is_root(NULL, NULL, "/logs/a", "systemd");
    is_root(NULL, "/conf", "/conf", "configuration over systemd");
    setenv("BUILDLOG_DIR", "/env/", 1);
    is_root(NULL, "/conf", "/env", "environment over configuration");
    is_root("/opt/x//", "/conf", "/opt/x", "option over all");
    if (getcwd(here, sizeof(here) - 8) != NULL) {
        snprintf(here + strlen(here), 8, "/rel");
        is_root("rel", NULL, here, "made absolute");
    }
    ok(layout_root("", NULL, &root, &e) == ERR_USAGE, "an empty name");
}

int main(void)
{
    enter_test();
    test_layout();
    test_root_precedence();
    for (int stepwise = 0; stepwise < 2; stepwise++) {
        test_planted();
        test_planted_above();
        sys.openat2 = no_openat2;
        ok(one_build(1), "openat2 is not needed");
        wipe(test_root);
    }
    test_locked();
    test_no_locks();
    test_attempts();
    test_torn();
    test_garbage();
    for (int t = 0; t < N_TRICKS; t++) {
        test_gone((enum trick)t, true);
        test_gone((enum trick)t, false);
    }
    test_gone_and_planted();
    test_unopened();
    test_late_attempt(50);
    test_late_attempt(100000);
    return done();
}
