// SPDX-License-Identifier: MIT
/* store/log_reader, state, follow: every read short, interrupted or failing; backwards is the
   reverse of forwards; a log that changes under the reader; what stands in for a lock. */
#include "lib/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "store/follow.h"
#include "store/layout.h"
#include "store/log_reader.h"
#include "store/select.h"
#include "store/state.h"

static const char ID[] = "01KDZ3NDEKTSV4RRFFQ69G5FAV";
static struct sys_table real;
static char root[64];
static int root_fd;

/* ---- a log on the disk -------------------------------------------------------------------- */

static void put_file(const char *data, size_t n)
{
    char rel[LAYOUT_REL_SIZE];
    int fd;

    if (layout_make_dirs(root_fd, layout_rel_day(ID, rel), NULL) != ERR_NONE)
        exit(99);
    fd = openat(root_fd, layout_rel_path(ID, rel), O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n || close(fd) != 0)
        exit(99);
}

static void add(struct buf *b, const char *text)
{
    if (buf_puts(b, text) != ERR_NONE)
        exit(99);
}

static const char *started_at = "2026-01-02T03:04:05.678Z";

static void add_start(struct buf *b, const char *more)
{
    if (buf_printf(b, "{\"kind\":\"meta\",\"buildId\":\"%s\",\"startedAt\":\"%s\",\"v\":1%s}\n",
                   ID, started_at, more) != ERR_NONE)
        exit(99);
}

static void add_line(struct buf *b, int seq, size_t len)
{
    if (buf_printf(b, "{\"kind\":\"line\",\"ts\":1767323045678,\"seq\":%d,\"src\":\"stdout\","
                   "\"buildId\":\"%s\",\"msg\":\"", seq, ID) != ERR_NONE)
        exit(99);
    for (size_t i = 0; i < len; i++)
        add(b, "x");
    add(b, "\"}\n");
}

static void add_end(struct buf *b, const char *status)
{
    if (buf_printf(b, "{\"kind\":\"meta\",\"buildId\":\"%s\",\"endedAt\":"
                   "\"2026-01-02T03:04:06.678Z\",\"status\":\"%s\",\"exitCode\":0}\n", ID,
                   status) != ERR_NONE)
        exit(99);
}

static struct log_reader *open_log(void)
{
    struct log_reader *r;

    if (log_reader_open(&r, root_fd, ID, NULL) != ERR_NONE)
        exit(99);
    return r;
}

/* ---- forwards ------------------------------------------------------------------------------ */

enum { MAX_ITEMS = 4096 };

struct seen {
    uint64_t at[MAX_ITEMS];
    size_t n;
    bool torn; /* something of the torn record of test_growing came out */
};

static enum err_code read_on(struct log_reader *r, struct seen *s, struct err *e)
{
    struct log_item item;
    bool have = true;

    for (;;) {
        enum err_code rc = log_reader_next(r, &item, &have, e);

        if (rc != ERR_NONE || !have)
            return rc;
        s->torn |= memmem(item.text.ptr, item.text.len, "TORN", 4) != NULL;
        s->at[s->n++] = item.at;
    }
}

static size_t read_limit; /* bytes a read may give */
static int calls_until_fault;
static int fault_errno;
static bool fault_stays;

static ssize_t faulty_pread(int fd, void *data, size_t n, off_t at)
{
    if (calls_until_fault >= 0 && (calls_until_fault == 0 || --calls_until_fault == 0)) {
        if (!fault_stays)
            calls_until_fault = -1;
        errno = fault_errno;
        return -1;
    }
    return real.pread(fd, data, n < read_limit ? n : read_limit, at);
}

static void faults(size_t limit, int calls, int error, bool stays)
{
    sys.pread = faulty_pread;
    read_limit = limit;
    calls_until_fault = calls;
    fault_errno = error;
    fault_stays = stays;
}

static void make_mixed(struct buf *b)
{
    add_start(b, "");
    for (int seq = 1; seq <= 40; seq++) {
        add_line(b, seq, (size_t)(seq * seq * seq) % 9000);
        if (seq % 9 == 0)
            add(b, "rubbish\n");
        if (seq == 20)
            add_line(b, 1000, 300000);
    }
    add(b, "\n\n");
    add_end(b, "ok");
    add(b, "{\"kind\":\"line\",\"torn");
}

static bool same(const struct seen *a, const struct seen *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n * sizeof(a->at[0])) == 0;
}

static void test_short_reads(void)
{
    static const size_t limits[] = {1, 2, 3, 7, 100, 4096, 65536, 65537};
    static struct seen whole, part;
    struct buf b;
    struct log_reader *r = NULL;

    buf_init(&b, 64 << 20);
    make_mixed(&b);
    put_file(b.data, b.len);
    r = open_log();
    whole.n = 0;
    is_int(read_on(r, &whole, NULL), ERR_NONE, "a mixed log is read");
    is_int((int64_t)whole.n, 43, "all its records");
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        faults(limits[i], 5, EINTR, false);
        part.n = 0;
        ok(log_reader_rewind(r, NULL) == ERR_NONE && read_on(r, &part, NULL) == ERR_NONE &&
               same(&whole, &part), "%zu bytes a read, and EINTR: the same records", limits[i]);
    }
    log_reader_free(r);
    sys = real;
    buf_release(&b);
}

static void test_read_errors(void)
{
    static struct seen s;
    struct buf b;
    struct err e;
    int good = 0;
    enum { CALLS = 12 };

    buf_init(&b, 64 << 20);
    make_mixed(&b);
    put_file(b.data, b.len);
    for (int call = 1; call <= CALLS; call++) {
        struct log_reader *r = open_log();

        faults(32768, call, EIO, true);
        s.n = 0;
        good += read_on(r, &s, &e) == ERR_SYSTEM && e.sys_errno == EIO;
        faults(32768, call, EIO, false); /* once: nothing is lost by trying again */
        s.n = 0;
        good += log_reader_rewind(r, NULL) == ERR_NONE && read_on(r, &s, &e) == ERR_SYSTEM &&
                read_on(r, &s, &e) == ERR_NONE && s.n == 43;
        log_reader_free(r);
        sys = real;
    }
    is_int(good, (int64_t)2 * CALLS, "an error of each read is told, and reading can go on");
    buf_release(&b);
}

/* ---- backwards ------------------------------------------------------------------------------ */

static bool collect(void *arg, const struct log_item *item)
{
    struct seen *s = arg;

    s->at[s->n++] = item->at;
    return true;
}

static bool any_item(void *arg, const struct log_item *item)
{
    (void)arg;
    (void)item;
    return true;
}

static bool reversed(const struct seen *a, const struct seen *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->at[i] != b->at[b->n - 1 - i])
            return false;
    return true;
}

/* The same numbers in every run. */
static uint64_t random_number(void)
{
    static uint64_t state = 7;

    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return state >> 33;
}

static void random_log(struct buf *b)
{
    static const size_t lengths[] = {0, 1, 50, 1000, 65300, 65400, 65536, 131072, 400000};

    b->len = 0;
    for (int i = (int)(random_number() % 12); i >= 0; i--)
        switch (random_number() % 6) {
        case 0:
            add(b, "\n");
            break;
        case 1:
            add(b, "not a record\n");
            break;
        default:
            add_line(b, i, lengths[random_number() % 9] + random_number() % 3);
        }
    if (random_number() % 2)
        add(b, "torn");
}

static void test_backwards(void)
{
    static struct seen forth, back, tail;
    struct buf b;
    int good = 0;
    int good_tails = 0;
    int tails = 0;
    enum { ROUNDS = 300 };

    buf_init(&b, 64 << 20);
    for (int round = 0; round < ROUNDS; round++) {
        struct log_reader *r;

        random_log(&b);
        put_file(b.data, b.len);
        r = open_log();
        forth.n = back.n = 0;
        faults(random_number() % 2 ? 5000 : 1 << 20, -1, 0, false);
        good += read_on(r, &forth, NULL) == ERR_NONE &&
                log_reader_backward(r, collect, &back, NULL) == ERR_NONE &&
                reversed(&forth, &back);
        for (size_t n = 0; n <= forth.n + 1; n++, tails++) {
            size_t want = n < forth.n ? n : forth.n;

            tail.n = 0;
            good_tails += log_reader_seek_tail(r, n, any_item, NULL, NULL) == ERR_NONE &&
                          read_on(r, &tail, NULL) == ERR_NONE && tail.n == want &&
                          memcmp(tail.at, forth.at + forth.n - want,
                                 want * sizeof(tail.at[0])) == 0;
        }
        log_reader_free(r);
        sys = real;
    }
    is_int(good, ROUNDS, "backwards is the reverse of forwards");
    is_int(good_tails, tails, "the last n are the last n");
    buf_release(&b);
}

static void test_over_the_ceiling(void)
{
    static struct seen forth, back;
    struct log_left_out l;
    struct log_reader *r;
    struct buf b;

    buf_init(&b, 64 << 20);
    add_line(&b, 1, 10);
    add_line(&b, 2, LOG_LINE_MAX + 100000);
    add_line(&b, 3, 10);
    add_line(&b, 4, (size_t)3 * LOG_LINE_MAX);
    add_line(&b, 5, 10);
    put_file(b.data, b.len);
    r = open_log();
    forth.n = back.n = 0;
    is_int(read_on(r, &forth, NULL), ERR_NONE, "lines over the ceiling are passed over");
    log_reader_left_out(r, &l);
    if (!ok(forth.n == 3 && l.damaged == 2 && l.breaks == 2, "and counted"))
        printf("#   %zu records, %" PRIu64 " damaged, %" PRIu64 " breaks\n", forth.n, l.damaged,
               l.breaks);
    ok(log_reader_backward(r, collect, &back, NULL) == ERR_NONE && reversed(&forth, &back),
       "backwards too");
    log_reader_free(r);
    buf_release(&b);
}

/* ---- a log that changes -------------------------------------------------------------------- */

static int changing_fd;
static size_t keep_len;
static struct buf after;

/* The first read sees a torn record; before the second the writer cuts it back and writes. */
static ssize_t changing_pread(int fd, void *data, size_t n, off_t at)
{
    ssize_t got = real.pread(fd, data, n, at);

    if (changing_fd >= 0) {
        if (ftruncate(changing_fd, (off_t)keep_len) != 0 ||
            pwrite(changing_fd, after.data, after.len, (off_t)keep_len) != (ssize_t)after.len)
            exit(99);
        changing_fd = -1;
    }
    return got;
}

static void test_growing(void)
{
    static struct seen s;
    char rel[LAYOUT_REL_SIZE];
    struct log_left_out l;
    struct log_reader *r;
    struct buf b;
    int fd;

    buf_init(&b, 1 << 20);
    buf_init(&after, 1 << 20);
    add_line(&b, 1, 10);
    keep_len = b.len;
    add_line(&b, 2, 200); /* with what stands behind it, its first half would be a record */
    memcpy(b.data + b.len - 100, "TORN", 4);
    b.len -= 80;
    put_file(b.data, b.len);
    fd = openat(root_fd, layout_rel_path(ID, rel), O_RDWR);
    r = open_log();
    s.n = 0;
    add_line(&after, 2, 500);
    add_line(&after, 3, 5);
    changing_fd = fd;
    sys.pread = changing_pread;
    is_int(read_on(r, &s, NULL), ERR_NONE, "read while the writer cuts a torn record back");
    sys = real;
    ok(read_on(r, &s, NULL) == ERR_NONE && s.n == 3 && !s.torn,
       "the torn record is not seen, the next are");
    log_reader_left_out(r, &l);
    ok(l.damaged == 0 && l.breaks == 0 && l.torn_bytes == 0, "and nothing is out of order");
    if (pwrite(fd, "{\"kind\":", 8, (off_t)(keep_len + after.len)) != 8)
        exit(99);
    ok(read_on(r, &s, NULL) == ERR_NONE && s.n == 3, "an unfinished record waits");
    log_reader_left_out(r, &l);
    is_int((int64_t)l.torn_bytes, 8, "and is counted meanwhile");
    if (ftruncate(fd, (off_t)keep_len) != 0)
        exit(99);
    ok(read_on(r, &s, NULL) == ERR_NONE && s.n == 3, "a log that shrinks ends");
    ok(log_reader_current(r, root_fd), "the path names the open file");
    unlinkat(root_fd, rel, 0);
    ok(!log_reader_current(r, root_fd), "until it does not");
    close(fd);
    log_reader_free(r);
    buf_release(&b);
    buf_release(&after);
}

static void append(const char *data, size_t n)
{
    char rel[LAYOUT_REL_SIZE];
    int fd = openat(root_fd, layout_rel_path(ID, rel), O_WRONLY | O_APPEND);

    if (fd < 0 || write(fd, data, n) != (ssize_t)n || close(fd) != 0)
        exit(99);
}

static void test_hold(void)
{
    static struct seen s;
    struct log_left_out l;
    struct log_reader *r;
    struct buf b;
    size_t first;

    buf_init(&b, 1 << 20);
    add_line(&b, 1, 10);
    first = b.len;
    add_line(&b, 2, 10);
    put_file(b.data, first + 7);
    r = open_log();
    log_reader_hold(r);
    append(b.data + first + 7, b.len - first - 7);
    s.n = 0;
    ok(read_on(r, &s, NULL) == ERR_NONE && s.n == 1, "what is written after a hold is not read");
    log_reader_left_out(r, &l);
    is_int((int64_t)l.torn_bytes, 7, "a record that was not finished by then is torn");
    s.n = 0;
    ok(log_reader_rewind(r, NULL) == ERR_NONE && read_on(r, &s, NULL) == ERR_NONE && s.n == 1,
       "nor is it after a rewind");
    log_reader_free(r);
    buf_release(&b);
}

/* ---- state ------------------------------------------------------------------------------------ */

static int no_lock(int fd, int command, struct flock *lock)
{
    (void)fd;
    (void)command;
    (void)lock;
    errno = EOPNOTSUPP;
    return -1;
}

static void state_is(const char *more, bool ended, enum build_state want, const char *name)
{
    struct build_report report;
    struct log_reader *r;
    struct buf b;

    buf_init(&b, 1 << 20);
    add_start(&b, more);
    add_line(&b, 1, 10);
    if (ended)
        add_end(&b, "failed");
    put_file(b.data, b.len);
    r = open_log();
    if (ok(build_report_read(r, &report, NULL) == ERR_NONE, "%s: read", name)) {
        is_int(report.state, want, name);
        build_report_release(&report);
    }
    log_reader_free(r);
    buf_release(&b);
}

static void test_state(void)
{
    char host[128] = "";
    char mine[512];

    gethostname(host, sizeof(host) - 1);
    snprintf(mine, sizeof(mine), ",\"host\":\"%s\",\"pid\":%d", host, (int)getpid());
    state_is("", true, STATE_ENDED, "an end record");
    state_is("", false, STATE_LOST, "no end record, lock free");
    state_is(mine, false, STATE_LOST, "the pid counts for nothing where locks work");
    sys.lock = no_lock;
    state_is(mine, false, STATE_LOST, "no locks: the record is older than the process");
    started_at = "9998-01-02T03:04:05.678Z";
    state_is(mine, false, STATE_RUNNING, "no locks: the process is older than the record");
    state_is(mine, true, STATE_ENDED, "no locks: an end record, whatever lives");
    state_is(",\"host\":\"nowhere\",\"pid\":1", false, STATE_LOST, "no locks: another host");
    state_is(",\"pid\":0", false, STATE_LOST, "no locks: no pid");
    sys = real;
    is_int(signal_number("SIGTERM"), 15, "a signal's number");
    is_int(signal_number("SIGNONE"), 0, "no such signal");
}

/* ---- following ----------------------------------------------------------------------------------- */

static int no_inotify(int flags)
{
    (void)flags;
    errno = EMFILE;
    return -1;
}

static int no_watch(int fd, const char *path, uint32_t mask)
{
    (void)fd;
    (void)path;
    (void)mask;
    errno = ENOSPC;
    return -1;
}

static int polls;
static int asked_ms;

/* Time passes at once. */
static int timed_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    polls++;
    asked_ms = timeout_ms;
    if (polls == 1) {
        errno = EINTR;
        return -1;
    }
    return timeout_ms < 0 ? real.poll(fds, n, 0) : 0;
}

static void test_polling(void)
{
    struct log_reader *r;
    struct follow *f;
    unsigned events;

    put_file("", 0);
    r = open_log();
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            sys.inotify_init1 = no_inotify;
        else
            sys.inotify_add_watch = no_watch;
        if (follow_new(&f, NULL) != ERR_NONE)
            exit(99);
        follow_file(f, log_reader_fd(r));
        ok(follow_polls(f), "%s: it polls", i == 0 ? "no inotify" : "no watch left");
        sys.poll = timed_poll;
        polls = 0;
        ok(follow_wait(f, -1, -1, &events, NULL) == ERR_NONE &&
               events == (FOLLOW_DATA | FOLLOW_CLOSED | FOLLOW_MOVED) && asked_ms == 1000,
           "each second, and everything may have happened");
        follow_free(f);
        sys = real;
    }
    log_reader_free(r);
}

static int64_t clock_ms;
static int64_t clock_step_ms;

static int made_up_clock(clockid_t clock, struct timespec *now)
{
    (void)clock;
    clock_ms += clock_step_ms;
    *now = (struct timespec){.tv_sec = 1 + clock_ms / 1000,
                             .tv_nsec = clock_ms % 1000 * 1000000};
    return 0;
}

static int first_timeout_ms;
static nfds_t first_n;

static int noting_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    if (polls++ == 0) {
        first_timeout_ms = timeout_ms;
        first_n = n;
        return 0;
    }
    return real.poll(fds, n, timeout_ms);
}

/* One wake-up soon after the other. */
static void test_rest(int fd, struct follow *f)
{
    unsigned events;

    sys.clock_gettime = made_up_clock;
    sys.poll = noting_poll;
    clock_step_ms = 1000;
    polls = 1; /* the first is a real one */
    first_n = 0;
    for (int i = 0; i < 2; i++) {
        if (write(fd, "x", 1) != 1 || follow_wait(f, -1, -1, &events, NULL) != ERR_NONE)
            exit(99);
        clock_step_ms = 0; /* the second comes in the same millisecond */
        if (i == 0)
            polls = 0;
    }
    ok(first_n == 1 && first_timeout_ms > 0 && first_timeout_ms <= 5 && polls == 2,
       "after a write it rests some milliseconds, then asks for the next");
    clock_step_ms = 1000;
    polls = 0; /* nothing is lost where the first says that nothing has come */
    if (write(fd, "x", 1) != 1 || follow_wait(f, -1, -1, &events, NULL) != ERR_NONE)
        exit(99);
    ok(first_n == 2, "a write that comes later is seen at once");
}

static void test_watching(void)
{
    char rel[LAYOUT_REL_SIZE];
    struct log_reader *r;
    struct follow *f;
    unsigned events = 0;
    int fd;

    put_file("", 0);
    r = open_log();
    fd = openat(root_fd, layout_rel_path(ID, rel), O_WRONLY | O_APPEND);
    if (follow_new(&f, NULL) != ERR_NONE)
        exit(99);
    follow_file(f, log_reader_fd(r));
    if (follow_polls(f)) {
        ok(true, "watching # skip no inotify here");
        goto out;
    }
    if (write(fd, "x", 1) != 1)
        exit(99);
    ok(follow_wait(f, -1, -1, &events, NULL) == ERR_NONE && events == FOLLOW_DATA, "a write");
    test_rest(fd, f);
    sys.poll = real.poll;
    close(fd);
    ok(follow_wait(f, -1, -1, &events, NULL) == ERR_NONE && (events & FOLLOW_CLOSED), "a close");
    sys.poll = timed_poll;
    for (polls = 1, asked_ms = 0; asked_ms >= 0 && polls < 50;)
        if (follow_wait(f, -1, 5000, &events, NULL) != ERR_NONE || asked_ms == 5000)
            break;
    is_int(polls, 1 + 12, "after a close eleven short waits, then none");
    sys = real;
    unlinkat(root_fd, rel, 0);
    ok(follow_wait(f, -1, -1, &events, NULL) == ERR_NONE && (events & FOLLOW_MOVED), "removed");
out:
    follow_free(f);
    log_reader_free(r);
}

/* ---- selecting ------------------------------------------------------------------------------------ */

static void test_unreadable_day(void)
{
    char id[ULID_SIZE];
    struct builds *b;
    struct err e;

    put_file("", 0);
    if (symlinkat("/", root_fd, "builds/2025-05-05") != 0)
        exit(99);
    ok(builds_open(&b, root_fd, &e) == ERR_NONE, "a store with a planted day");
    ok(builds_next(b, id) && strcmp(id, ID) == 0 && !builds_next(b, id), "what is sound is listed");
    ok(builds_unreadable(b, &e) == 1 && e.code == ERR_REFUSED, "what is not is told");
    builds_free(b);
    is_int(select_build(root_fd, "last-passed", id, &e), ERR_NOT_FOUND, "nothing passed");
    unlinkat(root_fd, "builds/2025-05-05", 0);
}

static bool clean_up(void)
{
    char rel[LAYOUT_REL_SIZE];

    if (unlinkat(root_fd, layout_rel_path(ID, rel), 0) != 0 ||
        unlinkat(root_fd, layout_rel_day(ID, rel), AT_REMOVEDIR) != 0 ||
        unlinkat(root_fd, "builds", AT_REMOVEDIR) != 0)
        return false;
    close(root_fd);
    return rmdir(root) == 0;
}

int main(void)
{
    real = sys;
    snprintf(root, sizeof(root), "/tmp/buildlog-read-XXXXXX");
    if (mkdtemp(root) == NULL || layout_open_root(root, false, &root_fd, NULL) != ERR_NONE)
        return 99;
    test_short_reads();
    test_read_errors();
    test_backwards();
    test_over_the_ceiling();
    test_growing();
    test_hold();
    test_state();
    test_polling();
    test_watching();
    test_unreadable_day();
    return clean_up() ? done() : 99;
}
