// SPDX-License-Identifier: MIT
/* store/digest, day_index, survey: a digest says what the whole log says, in every odd case; an
   index is made when it should be, never believed when it should not be, and its absence,
   damage or failure changes nothing but the time it takes. */
#include "lib/tap.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "store/day_index.h"
#include "store/layout.h"
#include "store/log_reader.h"
#include "store/select.h"
#include "store/state.h"
#include "store/survey.h"

enum { DAY_MS = 86400000, N_BUILDS = 24 };

static const int64_t T0 = INT64_C(1767312000000); /* 2026-01-02T00:00:00Z */
static struct sys_table real;
static char base[64];
static char root[80];
static int root_fd;

/* ---- a store on the disk -------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void leave(void)
{
    sys = real;
    (void)nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void fresh_store(void)
{
    if (root[0] != '\0') {
        close(root_fd);
        (void)nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    snprintf(root, sizeof(root), "%s/store", base);
    if (mkdir(root, 0750) != 0 || layout_open_root(root, false, &root_fd, NULL) != ERR_NONE)
        exit(99);
}

static void new_id(int64_t ms, char id[ULID_SIZE])
{
    struct ulid_source source = {0}; /* a fresh one: times go back and forth here */

    if (ulid_next(&source, ms, id, NULL) != ERR_NONE)
        exit(99);
}

static void put_log(const char *id, const char *end, const char *data, size_t n)
{
    char rel[LAYOUT_REL_SIZE + 8];
    char day[LAYOUT_REL_SIZE];
    int fd;

    if (layout_make_dirs(root_fd, layout_rel_day(id, day), NULL) != ERR_NONE)
        exit(99);
    snprintf(rel, sizeof(rel), "%s/%s%s", day, id, end);
    fd = openat(root_fd, rel, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n || close(fd) != 0)
        exit(99);
}

static void remove_log(const char *id)
{
    char rel[LAYOUT_REL_SIZE];

    if (unlinkat(root_fd, layout_rel_path(id, rel), 0) != 0)
        exit(99);
}

static char *whole_log(const char *id, const char *start, const char *end)
{
    char *text = NULL;

    if (asprintf(&text, "{\"kind\":\"meta\",\"buildId\":\"%s\",\"startedAt\":"
                        "\"2026-01-02T00:00:00.000Z\",\"v\":1,%s}\n"
                        "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"src\":\"stdout\",\"msg\":\"x\"}\n"
                        "{\"kind\":\"meta\",\"buildId\":\"%s\",\"endedAt\":"
                        "\"2026-01-02T00:00:01.000Z\",%s}\n", id, start, id, end) < 0)
        exit(99);
    return text;
}

static void put_build(const char *id, const char *start, const char *end)
{
    char *text = whole_log(id, start, end);

    put_log(id, ".log", text, strlen(text));
    free(text);
}

static const char plain_start[] = "\"cmd\":[\"make\",\"all\"],\"lock\":true,\"labels\":"
                                  "{\"a\":\"1\",\"b\":\"2\"}";
static const char plain_end[] = "\"status\":\"ok\",\"exitCode\":0,\"durationMs\":1500,\"lines\":1,"
                                "\"bytes\":2,\"lastSeq\":1,\"complete\":true";

/* ---- what a survey says ------------------------------------------------------------------ */

/* One line for each build, and what could not be read; malloc'ed. */
static char *survey_text(int64_t from, int64_t to, uint64_t *logs_read)
{
    struct survey *s;
    struct buf b;
    char id[ULID_SIZE];
    struct digest d;
    bool have = true;

    buf_init(&b, 1 << 20);
    if (survey_open(&s, root_fd, from, to, NULL) != ERR_NONE)
        exit(99);
    while (have) {
        struct err e;
        enum err_code rc = survey_next(s, id, &d, &have, &e);

        if (rc != ERR_NONE)
            rc = buf_printf(&b, "%s error %d\n", id, (int)rc);
        else if (have)
            rc = buf_printf(&b, "%s %s %d %d %lld %lld %lld %.*s|", id, outcome_name(d.outcome),
                            d.labels_cut, d.named, (long long)d.duration_ms, (long long)d.lines,
                            (long long)d.bytes, (int)d.title.len, d.title.ptr);
        for (size_t i = 0; rc == ERR_NONE && have && i < d.labels.len; i++)
            rc = buf_put(&b, d.labels.ptr[i] != '\0' ? d.labels.ptr + i : ";", 1);
        if (rc == ERR_NONE)
            rc = buf_put(&b, "\n", 1);
        if (rc != ERR_NONE)
            exit(99);
    }
    *logs_read = survey_logs_read(s);
    survey_free(s);
    if (buf_put(&b, "", 1) != ERR_NONE)
        exit(99);
    return b.data;
}

static bool exists(const char *rel)
{
    struct stat st;

    return fstatat(root_fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- odd logs ------------------------------------------------------------------------------ */

/* The digest of a log against what the whole of it says. */
static void same(const char *name, const char *id)
{
    struct log_reader *reader;
    struct build_report report;
    struct survey *s;
    struct digest d = {0};
    char got[ULID_SIZE] = "";
    bool have = false;
    const char *title;

    if (log_reader_open(&reader, root_fd, id, NULL) != ERR_NONE ||
        build_report_read(reader, &report, NULL) != ERR_NONE)
        exit(99);
    if (survey_open(&s, root_fd, ulid_time_ms(id), ulid_time_ms(id) + 1, NULL) != ERR_NONE ||
        survey_next(s, got, &d, &have, NULL) != ERR_NONE)
        exit(99);
    ok(have && strcmp(got, id) == 0, "%s: found", name);
    is_str(outcome_name(d.outcome), build_report_status(&report), name);
    ok(outcome_failed(d.outcome) == build_report_failed(&report), "%s: failed or not", name);
    if (report.state == STATE_ENDED) {
        int64_t ms = record_number(&report.end, "durationMs", -1);

        is_int(d.duration_ms, ms < 0 ? -1 : ms, "  durationMs");
        is_int(d.lines, record_number(&report.end, "lines", -1), "  lines");
        is_int(d.bytes, record_number(&report.end, "bytes", -1), "  bytes");
    } else {
        ok(d.duration_ms == -1 && d.lines == -1 && d.bytes == -1, "  no figures");
    }
    title = report.has_start ? record_text(&report.start, "name", "") : "";
    if (title[0] != '\0') {
        size_t len = strlen(title) < DIGEST_TITLE_MAX ? strlen(title) : DIGEST_TITLE_MAX;

        ok(d.named && d.title.len <= len && d.title.len + 3 >= len &&
               memcmp(d.title.ptr, title, d.title.len) == 0, "  name");
    } else {
        ok(!d.named, "  no name");
    }
    survey_free(s);
    build_report_release(&report);
    log_reader_free(reader);
}

struct odd {
    const char *name, *start, *end;
};

static const struct odd odds[] = {
    {"plain", plain_start, plain_end},
    {"failed", plain_start, "\"status\":\"failed\",\"exitCode\":2,\"durationMs\":0,\"lines\":0"},
    {"named", "\"name\":\"nightly \xc3\xa9\",\"cmd\":[]", plain_end},
    {"escaped name", "\"name\":\"a\\n\\u001b[2J\\\"\",\"cmd\":[\"x\"]", plain_end},
    {"no locks, and dead", "\"host\":\"nowhere\",\"pid\":1,\"lock\":false", plain_end},
    {"first name counts", "\"name\":\"a\",\"name\":\"b\"", plain_end},
    {"first status counts", plain_start, "\"status\":\"ok\",\"status\":\"failed\",\"lines\":1"},
    {"first number counts", plain_start, "\"status\":\"ok\",\"lines\":1,\"lines\":7"},
    {"absurd numbers", plain_start, "\"status\":\"ok\",\"durationMs\":-5,\"lines\":1.5,"
                                    "\"bytes\":1e400"},
    {"large numbers", plain_start, "\"status\":\"ok\",\"lines\":9007199254740991,\"bytes\":12e3"},
    {"numbers that are none", plain_start, "\"status\":\"ok\",\"lines\":\"7\",\"bytes\":null"},
    {"no command", "\"pid\":1", plain_end},
    {"command that is none", "\"cmd\":{\"a\":1}", plain_end},
    {"labels that are none", "\"labels\":[1,2]", plain_end},
    {"keys behind the end", plain_start, "\"status\":\"timeout\",\"x\":{\"status\":\"ok\"}"},
};

static void test_odd(void)
{
    char id[ULID_SIZE];
    char *text;
    int64_t ms = T0;

    fresh_store();
    for (size_t i = 0; i < sizeof(odds) / sizeof(odds[0]); i++) {
        new_id(ms += 1000, id);
        put_build(id, odds[i].start, odds[i].end);
        same(odds[i].name, id);
    }
    new_id(ms += 1000, id);
    text = whole_log(id, plain_start, plain_end);
    for (size_t n = 0, len = strlen(text); n <= len; n += n + 40 < len ? 37 : 1) {
        put_log(id, ".log", text, n);
        utimensat(root_fd, "builds", NULL, 0);
        if (n > 0) /* an empty one is newborn for a while */
            same("cut short", id);
    }
    put_log(id, ".log", "rubbish\n", 8);
    same("rubbish", id);
    free(text);
}

/* Names and commands of any length, cut between characters; labels that do not fit. */
static void test_long(void)
{
    char id[ULID_SIZE];
    char start[9000];
    uint64_t n;
    char *text;

    fresh_store();
    for (int len = 190; len < 210; len++) {
        size_t at = (size_t)snprintf(start, sizeof(start), "\"name\":\"");

        for (int i = 0; i < len; i += 2, at += 2)
            memcpy(start + at, "\xc3\xa9", 2);
        memcpy(start + at, "\"", 2);
        if (len % 2 == 1)
            memmove(start + 8 + 1, start + 8, strlen(start + 8) + 1), start[8] = 'x';
        new_id(T0 + len * 1000, id);
        put_build(id, start, plain_end);
        same("long name", id);
    }
    new_id(T0 + 500000, id);
    snprintf(start, sizeof(start), "\"cmd\":[\"%0*d\",\"end\"],\"labels\":{\"a\":\"%0*d\","
             "\"b\":\"2\"}", 4200, 0, 3000, 0);
    put_build(id, start, plain_end);
    same("a command beyond the head", id);
    text = survey_text(T0 + 500000, T0 + 500001, &n);
    ok(strstr(text, " ok 1 0 ") != NULL && strstr(text, "|b=2;") != NULL, "labels cut, and said so");
    free(text);
}

static void test_labels(void)
{
    struct digest d = {.labels = {"a=1\0b=2\0ab=", 12}};

    ok(digest_has_label(&d, "a=1") && digest_has_label(&d, "b=2") && digest_has_label(&d, "ab="),
       "labels");
    ok(!digest_has_label(&d, "a=") && !digest_has_label(&d, "a=12") && !digest_has_label(&d, "c=1"),
       "and no others");
    d.labels = (struct raw_span){NULL, 0};
    ok(!digest_has_label(&d, "a=1"), "no labels");
}

static void test_running(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char rel[LAYOUT_REL_SIZE];
    char id[ULID_SIZE];
    int fd;

    fresh_store();
    new_id(T0, id);
    put_build(id, plain_start, plain_end);
    fd = openat(root_fd, layout_rel_path(id, rel), O_RDWR);
    if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) != 0)
        exit(99);
    same("locked, with an end record", id);
    close(fd);
    same("no longer locked", id);
}

static void test_compressed(void)
{
    char id[ULID_SIZE];
    unsigned char packed[4096];
    z_stream z = {0};
    char *text;

    fresh_store();
    new_id(T0, id);
    text = whole_log(id, plain_start, plain_end);
    if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        exit(99);
    z.next_in = (unsigned char *)text;
    z.avail_in = (unsigned)strlen(text);
    z.next_out = packed;
    z.avail_out = sizeof(packed);
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        exit(99);
    put_log(id, ".log.gz", (char *)packed, z.total_out);
    deflateEnd(&z);
    same("compressed", id);
    put_build(id, plain_start, "\"status\":\"failed\",\"lines\":3");
    same("the log beside it counts", id);
    free(text);
}

/* ---- the index ------------------------------------------------------------------------------- */

static char builds[N_BUILDS][ULID_SIZE];
static const char index_rel[] = "index/2026-01-02";

static void fill(int64_t day)
{
    fresh_store();
    for (int i = 0; i < N_BUILDS; i++) {
        char end[128];

        snprintf(end, sizeof(end), "\"status\":\"%s\",\"durationMs\":%d,\"lines\":%d,\"bytes\":9",
                 i % 3 == 0 ? "failed" : "ok", 10 * i, i);
        new_id(day + i * 1000, builds[i]);
        put_build(builds[i], plain_start, end);
    }
}

static char *all(uint64_t *logs_read)
{
    return survey_text(0, INT64_MAX, logs_read);
}

static void expect(const char *want, uint64_t want_read, const char *name)
{
    uint64_t n;
    char *got = all(&n);

    is_str(got, want, name);
    is_int((int64_t)n, (int64_t)want_read, "  logs read");
    free(got);
}

static void test_index(void)
{
    uint64_t n;
    char *want;
    char *half;

    fill(T0);
    half = survey_text(T0 + 12000, INT64_MAX, &n);
    ok(n == N_BUILDS / 2 && !exists("index"), "half a day makes no index");
    want = all(&n);
    ok(n == N_BUILDS && exists(index_rel), "a day makes an index");
    expect(want, 0, "which knows all that the logs say");
    free(half);
    half = survey_text(T0 + 12000, INT64_MAX, &n);
    ok(n == 0, "and serves half a day, too");
    if (unlinkat(root_fd, index_rel, 0) != 0)
        exit(99);
    expect(want, N_BUILDS, "removed, nothing is missing");
    free(half);
    free(want);
}

static void test_changes(void)
{
    char id[ULID_SIZE];
    uint64_t n;
    char *before;
    char *now;

    fill(T0);
    free(all(&n));
    before = all(&n);
    put_build(builds[3], plain_start, "\"status\":\"timeout\",\"lines\":3,\"bytes\":9");
    remove_log(builds[5]);
    new_id(T0 + 5500, id);
    put_build(id, "\"name\":\"new\"", plain_end);
    now = all(&n);
    ok(n == 2, "what was changed and what is new is read");
    ok(strstr(now, " timeout ") != NULL && strstr(now, builds[5]) == NULL &&
           strstr(now, "new|") != NULL && strstr(before, builds[5]) != NULL,
       "and seen");
    expect(now, 2, "two are not worth another index");
    free(before);
    free(now);
}

/* Any byte of the index changed, any part of it missing: the same answers. */
static void test_damage(void)
{
    char data[65536];
    uint64_t n;
    char *want;
    ssize_t len;
    int fd;
    int wrong = 0;
    int believed = 0;

    fill(T0);
    want = all(&n);
    fd = openat(root_fd, index_rel, O_RDONLY);
    len = read(fd, data, sizeof(data));
    close(fd);
    for (ssize_t at = 0; at < len; at += at < 200 ? 1 : 41) {
        char *got;

        data[at] ^= 0x40;
        fd = openat(root_fd, index_rel, O_WRONLY | O_TRUNC);
        if (write(fd, data, (size_t)(at % 2 == 0 ? len : at)) < 0 || close(fd) != 0)
            exit(99);
        data[at] ^= 0x40;
        got = all(&n);
        wrong += strcmp(got, want) != 0;
        believed += n == 0;
        free(got);
    }
    ok(len > N_BUILDS * 96 && wrong == 0, "a damaged index changes nothing");
    ok(believed == 0, "and is not believed");
    expect(want, 0, "but made anew");
    free(want);
}

static void swap_for_link(const char *rel, const char *target)
{
    (void)unlinkat(root_fd, rel, 0);
    (void)unlinkat(root_fd, rel, AT_REMOVEDIR);
    if (symlinkat(target, root_fd, rel) != 0)
        exit(99);
}

static void test_planted(void)
{
    char outside[96];
    uint64_t n;
    char *want;

    fill(T0);
    want = all(&n);
    if (renameat(root_fd, index_rel, root_fd, "elsewhere") != 0)
        exit(99);
    swap_for_link(index_rel, "../elsewhere");
    free(all(&n));
    ok(n == N_BUILDS, "a symlink is not followed");
    expect(want, 0, "but replaced");
    ok(linkat(root_fd, index_rel, root_fd, "index/x", 0) == 0, "another link");
    expect(want, N_BUILDS, "a file with two links is not used");
    if (unlinkat(root_fd, "index/x", 0) != 0 || unlinkat(root_fd, index_rel, 0) != 0)
        exit(99);
    snprintf(outside, sizeof(outside), "%s/outside", base);
    if (mkdir(outside, 0750) != 0)
        exit(99);
    swap_for_link("index", outside);
    expect(want, N_BUILDS, "a symlink in place of the directory");
    ok(rmdir(outside) == 0, "nothing was put behind it");
    if (unlinkat(root_fd, "index", 0) != 0 || mkdirat(root_fd, "index", 0750) != 0 ||
        mkdirat(root_fd, index_rel, 0750) != 0)
        exit(99);
    expect(want, N_BUILDS, "a directory in place of the file");
    free(want);
}

static void test_foreign(void)
{
    uint64_t n;
    char *want;

    if (geteuid() != 0) {
        ok(true, "foreign owners # skip not root");
        return;
    }
    fill(T0);
    want = all(&n);
    if (fchownat(root_fd, index_rel, 65534, 65534, 0) != 0)
        exit(99);
    expect(want, N_BUILDS, "another one's index is not used");
    expect(want, 0, "but replaced");
    if (unlinkat(root_fd, index_rel, 0) != 0 || fchownat(root_fd, "builds", 65534, 65534, 0) != 0)
        exit(99);
    expect(want, N_BUILDS, "another one's store");
    ok(!exists(index_rel), "gets no index from us");
    free(want);
}

static void test_not_yet(void)
{
    uint64_t n;

    fill(clock_realtime_ms() / DAY_MS * DAY_MS);
    free(all(&n));
    ok(n == N_BUILDS && !exists("index"), "today has no index");
    fill(T0);
    for (int i = 0; i < N_BUILDS - 10; i++)
        remove_log(builds[i]);
    free(all(&n));
    ok(n == 10 && !exists("index"), "neither have a few builds");
}

/* A lost build stays one that is asked for each time: its lock may be taken again. */
static void test_unended(void)
{
    uint64_t n;

    fill(T0);
    put_log(builds[7], ".log", "", 0);
    put_log(builds[8], ".log", "{\"kind\":\"meta\"", 14);
    free(all(&n));
    free(all(&n));
    is_int((int64_t)n, 2, "what has not ended is not in the index");
}

/* ---- trouble --------------------------------------------------------------------------------- */

static int faults; /* of the call under test; from 1 on they come */

static int failing_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    (void)from_fd;
    (void)from;
    (void)to_fd;
    (void)to;
    faults++;
    errno = EIO;
    return -1;
}

static ssize_t failing_write(int fd, const void *data, size_t n)
{
    if (++faults == 1)
        return real.write(fd, data, n / 2);
    errno = faults == 2 ? EINTR : ENOSPC;
    return -1;
}

static ssize_t short_pread(int fd, void *data, size_t n, off_t at)
{
    if (++faults % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return real.pread(fd, data, n > 7 ? n / 2 : n, at);
}

static int failing_mkdirat(int fd, const char *path, mode_t mode)
{
    (void)fd;
    (void)path;
    (void)mode;
    faults++;
    errno = EROFS;
    return -1;
}

static void test_trouble(void)
{
    uint64_t n;
    char *want;

    fill(T0);
    want = all(&n);
    (void)unlinkat(root_fd, index_rel, 0);
    sys.renameat = failing_renameat;
    expect(want, N_BUILDS, "the index cannot be renamed");
    sys = real;
    ok(faults == 1 && !exists("index/.2026-01-02.new") && !exists(index_rel), "nothing is left");
    faults = 0;
    sys.write = failing_write;
    expect(want, N_BUILDS, "it cannot be written");
    sys = real;
    ok(faults == 3 && !exists("index/.2026-01-02.new") && !exists(index_rel), "nothing is left");
    (void)unlinkat(root_fd, "index", AT_REMOVEDIR);
    faults = 0;
    sys.mkdirat = failing_mkdirat;
    expect(want, N_BUILDS, "there can be none");
    sys = real;
    ok(faults == 1 && !exists("index"), "a read-only store");
    sys.pread = short_pread;
    expect(want, N_BUILDS, "short and interrupted reads");
    expect(want, 0, "of the index as well");
    sys = real;
    free(want);
}

static void test_leftover(void)
{
    static const char name[] = "index/.2026-01-02.new";
    const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    uint64_t n;
    int fd;

    fill(T0);
    if (mkdirat(root_fd, "index", 0750) != 0)
        exit(99);
    fd = openat(root_fd, name, O_WRONLY | O_CREAT, 0640);
    close(fd);
    free(all(&n));
    ok(exists(name) && !exists(index_rel), "somebody else is at it");
    utimensat(root_fd, name, old, 0);
    free(all(&n));
    ok(!exists(name), "somebody was, long ago");
    free(all(&n));
    ok(exists(index_rel), "then there is an index");
}

/* Each log is removed just before it is opened. */
static int removing_openat2(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
    if (strlen(path) == ULID_LEN + 4 && (path[ULID_LEN - 1] & 1) != 0)
        (void)unlinkat(dir_fd, path, 0);
    return real.openat2(dir_fd, path, flags, mode, resolve);
}

static int refusing_openat2(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
    if (strstr(path, builds[4]) != NULL) {
        errno = EACCES;
        return -1;
    }
    return real.openat2(dir_fd, path, flags, mode, resolve);
}

static void test_vanishing(void)
{
    uint64_t n;
    char *got;
    int left = 0;

    fill(T0);
    sys.openat2 = removing_openat2;
    got = all(&n);
    sys = real;
    for (int i = 0; i < N_BUILDS; i++)
        left += (builds[i][ULID_LEN - 1] & 1) == 0;
    for (const char *at = got; (at = strchr(at, '|')) != NULL; at++)
        left--;
    ok(left == 0 && strstr(got, "error") == NULL, "logs that vanish are passed over");
    free(got);
    fill(T0);
    sys.openat2 = refusing_openat2;
    got = all(&n);
    sys = real;
    ok(strstr(got, "error 1\n") != NULL && strstr(strstr(got, "error"), builds[0]) != NULL,
       "one that cannot be read is told, and the others follow");
    free(got);
}

static void range(int64_t from, int64_t to, int want, const char *name)
{
    uint64_t n;
    char *got = survey_text(from, to, &n);
    int found = 0;

    for (const char *at = got; (at = strchr(at, '|')) != NULL; at++)
        found++;
    is_int(found, want, name);
    free(got);
}

static void test_range(void)
{
    char id[ULID_SIZE];

    fill(T0 + DAY_MS - 12000); /* half before midnight, half behind it */
    new_id(INT64_C(281474976710655), id); /* the greatest time there is */
    put_build(id, plain_start, plain_end);
    range(0, INT64_MAX, N_BUILDS + 1, "all");
    range(T0 + DAY_MS, INT64_MAX, N_BUILDS / 2 + 1, "from midnight on");
    range(T0 + DAY_MS, T0 + 2 * DAY_MS, N_BUILDS / 2, "a day");
    range(T0, T0 + DAY_MS, N_BUILDS / 2, "the day before");
    range(T0 + DAY_MS - 1000, T0 + DAY_MS + 1000, 2, "around midnight");
    range(T0 + DAY_MS, T0 + DAY_MS + 1, 1, "a millisecond");
    range(T0 + DAY_MS + 1, T0 + DAY_MS + 1, 0, "nothing");
    range(0, T0, 0, "before");
    range(T0 + 5 * DAY_MS, INT64_MAX, 1, "beyond the year 9999");
    range(INT64_MAX, INT64_MAX, 0, "beyond everything");
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");

    real = sys;
    snprintf(base, sizeof(base), "%.40s/blsurvey.XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(base) == NULL)
        return 99;
    atexit(leave);
    test_odd();
    test_long();
    test_labels();
    test_running();
    test_compressed();
    test_index();
    test_changes();
    test_damage();
    test_planted();
    test_foreign();
    test_not_yet();
    test_unended();
    test_trouble();
    test_leftover();
    test_vanishing();
    test_range();
    return done();
}
