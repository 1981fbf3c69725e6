// SPDX-License-Identifier: MIT
/*
 * A disk of so many bytes, which an ordinary user can have as well: write(2) and
 * fallocate(2) take from it, ftruncate(2) gives back. It runs full while a build writes, at
 * every distance from its beginning, with and without a file system that reserves; space
 * comes back or does not; every line is in the file or counted, and the end fits whenever
 * there was ever room to reserve it.
 */
#include "lib/storetest.h"

enum { LINE = 80, BIG = 3000 };

static off_t disk_free;      /* bytes */
static off_t disk_allocated; /* of the file, also beyond its end */
static bool disk_reserves;   /* fallocate works */
static struct sys_table plain;

static off_t take(off_t end)
{
    off_t more = end - disk_allocated;

    if (more > disk_free)
        more = disk_free;
    if (more > 0) {
        disk_free -= more;
        disk_allocated += more;
    }
    return disk_allocated;
}

static ssize_t disk_write(int fd, const void *data, size_t n)
{
    struct stat st;
    off_t room;

    if (plain.fstat(fd, &st) != 0)
        return -1;
    room = take(st.st_size + (off_t)n) - st.st_size;
    if (room <= 0) {
        errno = ENOSPC;
        return -1;
    }
    return plain.write(fd, data, room < (off_t)n ? (size_t)room : n);
}

static int disk_fallocate(int fd, int mode, off_t at, off_t n)
{
    (void)fd;
    if (mode != FALLOC_FL_KEEP_SIZE || !disk_reserves) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (at + n - disk_allocated > disk_free) {
        errno = ENOSPC;
        return -1;
    }
    (void)take(at + n);
    return 0;
}

static int disk_ftruncate(int fd, off_t size)
{
    int rc = plain.ftruncate(fd, size);

    if (rc == 0 && disk_allocated > size) {
        disk_free += disk_allocated - size;
        disk_allocated = size;
    }
    return rc;
}

static void use_disk(off_t size, bool reserves)
{
    disk_free = size;
    disk_allocated = 0;
    disk_reserves = reserves;
    sys.write = disk_write;
    sys.fallocate = disk_fallocate;
    sys.ftruncate = disk_ftruncate;
}

static uint64_t fed;
static uint64_t fed_bytes;

static void feed(struct build_log *l, int n, size_t len)
{
    for (int i = 0; i < n; i++) {
        put_line(l, fed++, len);
        fed_bytes += len + 1;
    }
    (void)build_log_flush(l);
}

static struct build_log *start(void)
{
    struct build_log_options o = test_options();
    struct build_log *l;
    struct err e;

    fed = 0;
    fed_bytes = 0;
    (void)!build_log_open(&l, &o, &e);
    return l;
}

/* A disk of size bytes, never any more. Returns what is wrong. */
static const char *run_full(off_t size, bool reserves, struct log_report *r)
{
    struct build_log *l;
    struct err e;
    enum err_code rc;

    use_disk(size, reserves);
    l = start();
    if (l == NULL)
        return "no log";
    for (int turn = 0; turn < 20; turn++) {
        feed(l, 7, LINE);
        if (turn % 5 == 4)
            build_log_tick(l);
    }
    rc = seal(l, &e);
    build_log_free(l);
    *r = log_check(test_path, 0);
    wipe(test_root);
    if (r->wrong != NULL)
        return r->wrong;
    if ((rc == ERR_NONE) != r->has_end)
        return "seal says otherwise";
    if (rc != ERR_NONE && e.code != ERR_SYSTEM)
        return "no reason";
    if (r->torn)
        return "torn";
    if (r->has_end && (r->next != fed || r->lines != fed || r->complete != (r->lost == 0)))
        return "not all lines accounted for";
    return NULL;
}

static void test_full(bool reserves)
{
    enum { FIRST_TURN = 2200, LAST = 40000, STEP = 131 };
    int bad = 0;
    int ends = 0;
    int all = 0;
    int losses = 0;

    for (off_t size = 0; size < LAST; size += STEP) {
        struct log_report r = {0};
        const char *wrong = run_full(size, reserves, &r);

        all++;
        ends += r.has_end ? 1 : 0;
        losses += r.has_end && r.lost > 0 ? 1 : 0;
        /* Once there was room for the start, a gap and the end, there is one. Where nothing
           can be reserved, the file is full to the last byte. */
        if (wrong == NULL && reserves && size >= FIRST_TURN && !r.has_end)
            wrong = "no end";
        if (wrong != NULL)
            printf("# disk of %ld: %s (record %zu of %zu bytes)\n", (long)size, wrong, r.at,
                   r.size);
        bad += wrong != NULL ? 1 : 0;
    }
    ok(bad == 0 && ends > 0 && ends < all && (losses > 0) == reserves,
       "a full disk, %s: %d of %d bad, %d ends, %d with losses", reserves ? "reserved" : "bare",
       bad, all, ends, losses);
}

/* Full for a while: what waited is written, and nothing is lost below the ceiling. */
static void test_comes_back(bool reserves)
{
    struct build_log *l;
    struct log_report r;
    struct err e;

    use_disk(20000, reserves);
    l = start();
    feed(l, 1000, LINE);
    ok(build_log_flush(l), "records wait");
    ok(build_log_notice(l, &e) && e.code == ERR_SYSTEM && e.sys_errno == ENOSPC,
       "stderr is told of the full disk");
    is_str(e.subject, test_path, "and of which file");
    build_log_tick(l);
    ok(!build_log_notice(l, &e), "but not every second");
    disk_free += 1 << 20;
    ok(build_log_flush(l), "a flush does not try again");
    build_log_tick(l);
    ok(!build_log_flush(l), "the next tick does");
    ok(build_log_notice(l, &e) && e.code == ERR_NONE, "stderr is told of the recovery");
    ok(!build_log_notice(l, &e), "once");
    feed(l, 10, LINE);
    ok(build_log_intact(l) && seal(l, &e) == ERR_NONE, "nothing was lost");
    build_log_free(l);
    r = log_check(test_path, 0);
    ok(r.wrong == NULL && r.complete && r.next == 1010 && r.events == 2, "the log says so, %s: %s",
       reserves ? "reserved" : "bare", r.wrong != NULL ? r.wrong : "sound");
    ok(disk_allocated == (off_t)r.size, "the reserve is given back");
    wipe(test_root);
}

/* More than the ceiling: the oldest give way, are counted, and the memory is bounded. */
static void test_ceiling(void)
{
    struct build_log *l;
    struct log_report r;
    struct err e;

    use_disk(100000, true);
    l = start();
    feed(l, 10000, BIG); /* 30 MB */
    ok(!build_log_intact(l), "something gave way");
    disk_free += 64 << 20;
    build_log_tick(l);
    ok(!build_log_flush(l), "written again");
    feed(l, 10, LINE);
    ok(seal(l, &e) == ERR_NONE, "sealed");
    build_log_free(l);
    r = log_check(test_path, 0);
    ok(r.wrong == NULL && r.has_end && !r.complete && r.gaps == 1 && r.next == fed,
       "one gap counts to the line: %s", r.wrong != NULL ? r.wrong : "sound");
    is_str(r.reason, "log_unwritable", "its reason");
    is_int((int64_t)r.lost_bytes, (int64_t)r.lost * (BIG + 1), "and counts to the byte");
    ok(fed - r.lost > (7 << 20) / (BIG + 200), "what the ceiling holds was kept");
    ok(r.size < (BUILD_LOG_CEILING + 300000), "and not more");
    wipe(test_root);
}

/* Full to the end with more waiting than fits: the newest lines are the ones that stay. */
static void test_gives_way(bool reserves)
{
    struct build_log *l;
    struct log_report r;
    struct err e;

    use_disk(20000, reserves);
    l = start();
    feed(l, 5000, LINE);
    disk_free += 10000; /* some comes back between the last try and the end */
    ok(seal(l, &e) == ERR_NONE, "an end on a full disk, %s", reserves ? "reserved" : "bare");
    build_log_free(l);
    r = log_check(test_path, 0);
    ok(r.wrong == NULL && r.has_end && !r.complete && r.next == fed && r.lost > 0 && r.gaps == 1,
       "one gap, the rest, the end: %s", r.wrong != NULL ? r.wrong : "sound");
    ok(r.size > 30000 - 2000, "little room is left unused: %zu", r.size);
    wipe(test_root);
}

static void test_lone_end(void)
{
    struct build_log *l;
    struct log_report r;
    struct err e;

    use_disk(1 << 20, true);
    l = start();
    feed(l, 1, LINE);
    disk_free = 0; /* another takes everything that is not reserved */
    feed(l, 20000, LINE);
    build_log_tick(l);
    ok(seal(l, &e) == ERR_NONE, "the reserve holds the end");
    build_log_free(l);
    r = log_check(test_path, 0);
    ok(r.wrong == NULL && r.has_end && r.next == fed && r.lost > 0, "and what fits: %s",
       r.wrong != NULL ? r.wrong : "sound");
    wipe(test_root);
}

/* The limit that the user sets. */
static void test_max_log(uint64_t limit)
{
    struct build_log_options o = test_options();
    struct build_log *l;
    struct log_report r;
    struct err e;
    enum { N = 20000 };

    sys = plain;
    o.max_log = limit;
    fed = 0;
    ok(build_log_open(&l, &o, &e) == ERR_NONE, "opens");
    for (int i = 0; i < N / 10; i++)
        feed(l, 10, LINE);
    build_log_tick(l);
    ok(!build_log_notice(l, &e), "no trouble, but a choice");
    ok(!build_log_intact(l) && seal(l, &e) == ERR_NONE, "sealed beyond --max-log");
    build_log_free(l);
    r = log_check(test_path, 0);
    ok(r.wrong == NULL && r.has_end && !r.complete && r.gaps == 1 && r.next == N,
       "one gap counts on: %s", r.wrong != NULL ? r.wrong : "sound");
    is_str(r.reason, "max_log", "its reason");
    ok(r.size <= limit && r.size > limit - 6000, "%zu bytes of %llu", r.size,
       (unsigned long long)limit);
    wipe(test_root);
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

/* How long the file is already turns out after lines were taken in. */
static void test_max_log_late(void)
{
    enum { LIMIT = 64 << 10 };
    struct build_log_options o = test_options();
    struct build_log *l;
    struct log_report r;
    struct err e;

    sys = plain;
    l = start();
    feed(l, 200, LINE);
    ok(seal(l, &e) == ERR_NONE, "a first attempt");
    build_log_free(l);
    sys.openat2 = no_open;
    o.max_log = LIMIT;
    ok(build_log_open(&l, &o, &e) == ERR_SYSTEM, "not opened");
    feed(l, 200, LINE);
    sys = plain;
    build_log_tick(l);
    feed(l, 10, LINE);
    ok(seal(l, &e) == ERR_NONE, "sealed");
    build_log_free(l);
    r = log_check(test_path, 0);
    ok(r.wrong == NULL && r.has_end && !r.complete && r.next == fed && r.size <= LIMIT,
       "the limit holds for what waited: %s, %zu bytes", r.wrong != NULL ? r.wrong : "sound",
       r.size);
    wipe(test_root);
}

/* Not even an end fits: what fits is kept. */
static void test_no_end(void)
{
    struct build_log *l;
    struct log_report r;
    struct err e;
    uint64_t before;

    use_disk(20000, false);
    l = start();
    feed(l, 500, LINE);
    before = log_check(test_path, 0).next;
    disk_free = 300; /* a line, but not a gap and an end */
    ok(seal(l, &e) == ERR_SYSTEM && e.sys_errno == ENOSPC, "no room for an end");
    build_log_free(l);
    r = log_check(test_path, 0);
    ok(r.wrong == NULL && !r.torn && !r.has_end && r.next > before, "but for some lines");
    wipe(test_root);
}

int main(void)
{
    plain = sys;
    enter_test();
    test_full(true);
    test_full(false);
    test_comes_back(true);
    test_comes_back(false);
    test_ceiling();
    test_gives_way(true);
    test_gives_way(false);
    test_lone_end();
    test_no_end();
    test_max_log_late();
    test_max_log(64 << 10);
    test_max_log(1 << 20);
    return done();
}
