// SPDX-License-Identifier: MIT
/* store/verify: logs made by the writer itself are intact; any byte changed, any line removed,
   doubled or moved is seen; gaps, attempts, what is lost and what runs are told apart from
   damage; reads are short, interrupted and failing. */
#include "lib/storetest.h"

#include <zlib.h>

#include "store/layout.h"
#include "store/log_reader.h"
#include "store/verify.h"

enum { LOG_MAX = 1 << 20 };

static char log_data[LOG_MAX];
static size_t log_len;
static int root_fd = -1;

static void make_log(int attempts, int lines)
{
    for (int i = 0; i < attempts; i++) {
        struct build_log_options options = test_options();
        struct build_log *l;
        struct err e;

        if (build_log_open(&l, &options, &e) != ERR_NONE)
            abort();
        for (int n = 1; n <= lines; n++)
            put_line(l, (uint64_t)n, 20);
        if (seal(l, &e) != ERR_NONE)
            abort();
        build_log_free(l);
    }
}

static void load(void)
{
    int fd = open(test_path, O_RDONLY);
    ssize_t n = read(fd, log_data, LOG_MAX);

    if (n < 0)
        abort();
    log_len = (size_t)n;
    close(fd);
    if (root_fd >= 0)
        close(root_fd);
    if (layout_open_root(test_root, false, &root_fd, NULL) != ERR_NONE)
        abort();
}

static void store(const char *data, size_t n)
{
    int fd = open(test_path, O_WRONLY | O_TRUNC | O_CREAT, 0640);

    if (fd < 0 || write(fd, data, n) != (ssize_t)n || close(fd) != 0)
        abort();
}

static struct verify_result check(void)
{
    struct verify_result r;
    struct err e;

    if (verify_log(root_fd, TEST_ID, &r, &e) != ERR_NONE) {
        r.verdict = VERIFY_INTACT;
        r.problems = 999;
    }
    return r;
}

static void is_verdict(enum verify_verdict want, const char *what, const char *name)
{
    struct verify_result r = check();
    bool good = ok(r.verdict == want && (what == NULL || r.problems > 0) &&
                       (what == NULL || strstr(r.problem[0].what, what) != NULL), "%s", name);

    if (!good)
        printf("#   verdict %d, %d problems: %s\n", (int)r.verdict, (int)r.problems,
               r.problems > 0 ? r.problem[0].what : "");
}

/* Where the end record of the last attempt begins. */
static size_t last_line(void)
{
    const char *newline = memrchr(log_data, '\n', log_len - 1);

    return (size_t)(newline + 1 - log_data);
}

static void test_intact(void)
{
    struct verify_result r;

    wipe(test_root);
    make_log(1, 5);
    load();
    r = check();
    ok(r.verdict == VERIFY_INTACT && r.attempts == 1 && r.sealed == 1 && r.records == 7 &&
           r.bytes == log_len && r.gaps == 0 && r.unsealed == 0, "one attempt");
    make_log(2, 5);
    load();
    r = check();
    ok(r.verdict == VERIFY_INTACT && r.attempts == 3 && r.sealed == 3 && r.records == 21,
       "three attempts");
    wipe(test_root);
    make_log(1, 0);
    load();
    is_verdict(VERIFY_INTACT, NULL, "a build without a word");
}

/* Every byte that the hash covers, every bit of it. */
static void test_bytes(void)
{
    size_t end;
    int unseen = 0;

    wipe(test_root);
    make_log(1, 2);
    load();
    end = last_line();
    for (size_t i = 0; i < end; i++) {
        char saved = log_data[i];

        for (int bit = 0; bit < 8; bit++) {
            log_data[i] = (char)(saved ^ 1 << bit);
            store(log_data, log_len);
            unseen += check().verdict != VERIFY_DAMAGED;
        }
        log_data[i] = saved;
    }
    is_int(unseen, 0, "any bit");
    for (size_t n = 0; n < log_len; n++) {
        enum verify_verdict verdict;

        store(log_data, n);
        verdict = check().verdict;
        unseen += verdict == VERIFY_INTACT || (n > 0 && verdict == VERIFY_RUNNING);
        unseen += n > 0 && n < end && verdict == VERIFY_DAMAGED;
    }
    is_int(unseen, 0, "cut short at any byte: lost, not damaged");
}

/* Lines as a list, so that they can be left out, doubled and moved. */
static struct raw_span lines[256];
static size_t n_lines;

static void split_lines(void)
{
    const char *at = log_data;

    for (n_lines = 0; at < log_data + log_len; n_lines++) {
        const char *newline = memchr(at, '\n', (size_t)(log_data + log_len - at));

        lines[n_lines] = (struct raw_span){at, (size_t)(newline + 1 - at)};
        at = newline + 1;
    }
}

static size_t join(char *dst, size_t without, size_t twice, size_t swap)
{
    size_t at = 0;

    for (size_t i = 0; i < n_lines; i++) {
        size_t from = swap < n_lines && i == swap ? i + 1 : swap < n_lines && i == swap + 1 ? i - 1
                                                                                           : i;

        for (int times = i == without ? 0 : i == twice ? 2 : 1; times > 0; times--) {
            memcpy(dst + at, lines[from].ptr, lines[from].len);
            at += lines[from].len;
        }
    }
    return at;
}

static void test_lines(void)
{
    static char data[LOG_MAX];
    int unseen = 0;

    wipe(test_root);
    make_log(2, 4);
    load();
    split_lines();
    for (size_t i = 0; i + 1 < n_lines; i++) {
        store(data, join(data, i, SIZE_MAX, SIZE_MAX));
        unseen += check().verdict != VERIFY_DAMAGED && i != 5; /* 5: the first end record */
        store(data, join(data, SIZE_MAX, i, SIZE_MAX));
        unseen += check().verdict != VERIFY_DAMAGED;
        store(data, join(data, SIZE_MAX, SIZE_MAX, i));
        unseen += check().verdict != VERIFY_DAMAGED;
    }
    is_int(unseen, 0, "a line left out, doubled, moved");
    store(data, join(data, 5, SIZE_MAX, SIZE_MAX));
    ok(check().verdict == VERIFY_INTACT && check().unsealed == 1,
       "an attempt without an end that another one follows");
    store(data, join(data, n_lines - 1, SIZE_MAX, SIZE_MAX));
    is_verdict(VERIFY_LOST, NULL, "no end");
    store(data, join(data, 2, SIZE_MAX, SIZE_MAX));
    is_verdict(VERIFY_DAMAGED, "record 2 is missing", "a record is missing");
    store(data, join(data, 0, SIZE_MAX, SIZE_MAX));
    is_verdict(VERIFY_DAMAGED, "no start record", "the start is missing");
    store(data, join(data, 6, SIZE_MAX, SIZE_MAX));
    is_verdict(VERIFY_DAMAGED, "behind the end record", "the second start is missing");
}

/* ---- what else may stand in a log ------------------------------------------------------------- */

#define START "{\"kind\":\"meta\",\"buildId\":\"" TEST_ID "\",\"startedAt\":\"2025-01-01\",\"v\":1}\n"
#define LINE(seq) "{\"kind\":\"line\",\"ts\":1,\"seq\":" #seq ",\"src\":\"stdout\",\"buildId\":\"" \
                  TEST_ID "\",\"msg\":\"x\"}\n"
#define GAP(from, seq) "{\"kind\":\"gap\",\"ts\":1,\"seq\":" #seq ",\"buildId\":\"" TEST_ID \
                       "\",\"from\":" #from ",\"lines\":3,\"bytes\":9,\"reason\":\"x\"}\n"
#define END(last, more) "{\"kind\":\"meta\",\"buildId\":\"" TEST_ID "\",\"endedAt\":\"2025-01-01\"," \
                        "\"status\":\"ok\",\"lastSeq\":" #last more "}\n"

/* text with the right hash in place of each % of its end records. */
static void store_hashed(const char *text)
{
    static char data[LOG_MAX];
    size_t at = 0;
    size_t begin = 0;

    for (; *text != '\0'; text++) {
        XXH128_hash_t sum;
        size_t line = at;

        if (strncmp(text, "{\"kind\":\"meta\"", 14) == 0 && strstr(text, "startedAt") != NULL &&
            strstr(text, "startedAt") < strchr(text, '\n'))
            begin = at;
        if (*text != '%') {
            data[at++] = *text;
            continue;
        }
        while (line > 0 && data[line - 1] != '\n')
            line--;
        sum = XXH3_128bits(data + begin, line - begin);
        at += (size_t)snprintf(data + at, 64, "xxh3:%016llx%016llx",
                               (unsigned long long)sum.high64, (unsigned long long)sum.low64);
    }
    store(data, at);
}

#define HASH ",\"hash\":\"%\""

static void hashed(const char *text, enum verify_verdict want, const char *what, const char *name)
{
    store_hashed(text);
    is_verdict(want, what, name);
}

static void test_shapes(void)
{
    static const char foreign[] = START "{\"kind\":\"new\",\"buildId\":\"" TEST_ID "\",\"x\":1}\n"
                                  LINE(1) END(1, HASH)
                                  "{\"kind\":\"seal\",\"buildId\":\"" TEST_ID "\"}\n";
    struct verify_result r;

    hashed(START LINE(1) GAP(2, 5) LINE(6) END(6, HASH), VERIFY_INTACT, NULL, "a gap");
    r = check();
    ok(r.gaps == 1 && r.missing_lines == 3, "is counted");
    hashed(START GAP(1, 4) LINE(5) END(5, HASH), VERIFY_INTACT, NULL, "a gap at the beginning");
    hashed(START LINE(1) GAP(3, 5) END(5, HASH), VERIFY_DAMAGED, "record 2 is missing",
           "a gap that leaves something out");
    hashed(START LINE(1) LINE(2) GAP(2, 5) END(5, HASH), VERIFY_DAMAGED, "record 2 where 3",
           "a gap that overlaps");
    hashed(START LINE(1) LINE(5) END(5, HASH), VERIFY_DAMAGED, "records 2 to 4 are missing",
           "records are missing");
    hashed(START LINE(1) GAP(2, 2) END(2, ",\"complete\":true" HASH), VERIFY_DAMAGED,
           "says complete", "complete with a gap");
    hashed(START LINE(1) END(2, HASH), VERIFY_DAMAGED, "speaks of 2 records, there are 1",
           "the last number is wrong");
    hashed(START LINE(1) END(1, ""), VERIFY_DAMAGED, "no hash", "no hash");
    hashed(START LINE(1) END(1, ",\"hash\":\"md5:0\""), VERIFY_DAMAGED, "hash of attempt 1",
           "another hash");
    hashed(START LINE(1) END(1, HASH) LINE(2), VERIFY_DAMAGED, "behind the end",
           "a record behind the end");
    hashed(START LINE(1) END(1, HASH) "{\"kind\"", VERIFY_DAMAGED, "bytes behind the end",
           "bytes behind the end");
    hashed(foreign, VERIFY_INTACT, NULL, "records of unknown kinds");
    r = check();
    ok(r.foreign == 2, "are counted");
    hashed(START "{}\n" LINE(1) END(1, HASH), VERIFY_DAMAGED, "not a record", "an empty object");
    hashed(START "\n" LINE(1) END(1, HASH), VERIFY_DAMAGED, "not a JSON object", "an empty line");
    hashed(START LINE(0) END(0, HASH), VERIFY_DAMAGED, "not a record", "an absurd number");
    hashed(START "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"buildId\":\"x\"}\n" END(1, HASH),
           VERIFY_DAMAGED, "another build", "a record of another build");
    hashed(START "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"buildId\":\"" TEST_ID "\",\"msg\":"
           "\"\xff\"}\n" END(1, HASH), VERIFY_DAMAGED, "UTF-8", "not UTF-8");
    hashed(START "rubbish\n" LINE(2) LINE(3) END(3, HASH), VERIFY_DAMAGED, "not a JSON object",
           "a damaged line");
    ok(check().problems == 1 && check().problem[0].line == 2 &&
           check().problem[0].at == sizeof(START) - 1, "is told once, and where");
    hashed(LINE(1), VERIFY_DAMAGED, "no start record", "a line alone");
    hashed("rubbish", VERIFY_LOST, NULL, "not one whole line");
    hashed(START START LINE(1) END(1, HASH), VERIFY_DAMAGED, "attempt 1 follows attempt 1",
           "started twice");
    hashed("{\"kind\":\"new\",\"buildId\":\"" TEST_ID "\"}\n", VERIFY_DAMAGED, "no start record",
           "nothing that is known");
    hashed(START LINE(1) "{\"kind\":\"meta\",\"buildId\":\"" TEST_ID "\",\"startedAt\":\"x\","
           "\"attempt\":2,\"v\":9}\n" LINE(2) END(2, HASH), VERIFY_INTACT, NULL,
           "an attempt that was lost, and a newer version");
    r = check();
    ok(r.newer && r.unsealed == 1 && r.attempts == 2 && r.sealed == 1, "are told");
}

/* A line over the ceiling, and many problems. */
static void test_much(void)
{
    size_t len = LOG_LINE_MAX + 1000;
    char *data = malloc(len + 4096);
    struct verify_result r;

    if (data == NULL)
        abort();
    memcpy(data, START, sizeof(START) - 1);
    memset(data + sizeof(START) - 1, 'x', len);
    memcpy(data + sizeof(START) - 1 + len, "\n" LINE(2), sizeof("\n" LINE(2)) - 1);
    store(data, sizeof(START) - 1 + len + sizeof("\n" LINE(2)) - 1);
    r = check();
    ok(r.verdict == VERIFY_DAMAGED && r.problems == 1 && r.problem[0].line == 2 && r.records == 2 &&
           strstr(r.problem[0].what, "longer") != NULL, "a line longer than any record");
    for (size_t i = 0; i < 100; i++)
        memcpy(data + 2 * i, "x\n", 2);
    store(data, 200);
    r = check();
    ok(r.problems == 100 && r.problem[VERIFY_PROBLEMS_KEPT - 1].line == VERIFY_PROBLEMS_KEPT &&
           r.problem[VERIFY_PROBLEMS_KEPT - 1].at == 2 * (VERIFY_PROBLEMS_KEPT - 1),
       "many problems: the first are kept, all are counted");
    free(data);
}

static void test_running(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct verify_result r;
    int fd;

    hashed(START LINE(1) LINE(2) "{\"kind\":\"li", VERIFY_LOST, NULL, "lost, and torn");
    is_int((int64_t)check().torn_bytes, 11, "so much of it");
    fd = open(test_path, O_RDWR);
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0)
        abort();
    r = check();
    ok(r.verdict == VERIFY_RUNNING && r.torn_bytes == 0 && r.records == 3, "running, and torn");
    hashed(START "x\n", VERIFY_DAMAGED, "not a JSON", "running, and damaged");
    hashed("", VERIFY_RUNNING, NULL, "running, and empty");
    hashed("x", VERIFY_RUNNING, NULL, "running, in the middle of its first record");
    close(fd);
}

static void put_gz(size_t n)
{
    char path[PATH_MAX];
    gzFile gz;

    snprintf(path, sizeof(path), "%.4000s.gz", test_path);
    gz = gzopen(path, "wb");
    if (gz == NULL || gzwrite(gz, log_data, (unsigned)log_len) != (int)log_len ||
        gzclose(gz) != Z_OK)
        abort();
    if (n > 0 && truncate(path, (off_t)n) != 0)
        abort();
}

static void test_compressed(void)
{
    wipe(test_root);
    make_log(2, 500);
    load();
    put_gz(0);
    unlink(test_path);
    is_verdict(VERIFY_INTACT, NULL, "compressed");
    is_int((int64_t)check().bytes, (int64_t)log_len, "all of it");
    put_gz(1000);
    is_verdict(VERIFY_DAMAGED, "compressed stream", "compressed, and cut short");
    log_data[log_len / 2] ^= 1;
    put_gz(0);
    is_verdict(VERIFY_DAMAGED, NULL, "compressed, and damaged before that");
}

/* ---- trouble ------------------------------------------------------------------------------------ */

static ssize_t odd_pread(int fd, void *data, size_t n, off_t at)
{
    static int calls;

    if (++calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return real_sys.pread(fd, data, n > 13 ? 13 : n, at);
}

static void test_trouble(void)
{
    struct verify_result r;
    struct err e;

    wipe(test_root);
    make_log(1, 50);
    load();
    real_sys = sys;
    sys.pread = odd_pread;
    is_verdict(VERIFY_INTACT, NULL, "short and interrupted reads");
    sys = real_sys;
    install_faults();
    for (int n = 1; n <= 4; n++) {
        set_fault((struct fault){.call = FAULT_pread, .n = n, .persistent = true, .error = EIO});
        ok(verify_log(root_fd, TEST_ID, &r, &e) == ERR_SYSTEM && e.sys_errno == EIO,
           "read %d fails", n);
    }
    set_fault((struct fault){.n = 0});
    sys = real_sys;
    ok(verify_log(root_fd, "01JZ5X3T3GABCDEFGHJKMNPQRT", &r, &e) == ERR_NOT_FOUND, "no such log");
}

int main(void)
{
    enter_test();
    test_intact();
    test_bytes();
    test_lines();
    test_shapes();
    test_much();
    test_running();
    test_compressed();
    test_trouble();
    return done();
}
