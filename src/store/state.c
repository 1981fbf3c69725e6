// SPDX-License-Identifier: MIT
#include "store/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/ulid.h"

#define OUR_NAME "buildlog" /* how the name of every process of ours begins */

enum {
    NEWBORN_MS = 2000, /* a log this young without a byte is about to be locked */
    START_SLACK_MS = 5000, /* the clock may have been corrected since the process began */
    EXIT_OF_TIMEOUT = 124,
    EXIT_OF_SIGNAL = 128
};

/* ---- the lock ---------------------------------------------------------------------------- */

enum lock_answer { LOCK_HELD, LOCK_FREE, LOCK_UNKNOWN };

static enum lock_answer ask_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (sys.lock(fd, F_OFD_GETLK, &lock) != 0)
        return LOCK_UNKNOWN;
    return lock.l_type == F_UNLCK ? LOCK_FREE : LOCK_HELD;
}

bool build_lock_free(int log_fd)
{
    return ask_lock(log_fd) == LOCK_FREE;
}

/* Between open(2) and the lock of the writer lie microseconds; not to be taken for a death. */
static bool newborn(int fd)
{
    struct stat st;

    if (sys.fstat(fd, &st) != 0 || st.st_size > 0)
        return false;
    return clock_realtime_ms() - ((int64_t)st.st_ctim.tv_sec * 1000) < NEWBORN_MS;
}

/* ---- without a lock ------------------------------------------------------------------------ */

static bool same_host(const struct record *start)
{
    char host[256] = "";

    (void)gethostname(host, sizeof(host) - 1);
    return strcmp(record_text(start, "host", ""), host) == 0;
}

struct process {
    uint64_t ticks; /* since boot, when it began */
    bool ours;      /* its name is that of this program */
};

/* /proc/PID/stat: the 22nd field is when the process began. The second is its name in
   parentheses and may hold anything, so counting begins behind the last one. The third is 'Z'
   once it has ended, though nobody may have asked how. */
static bool read_process(int64_t pid, struct process *p)
{
    char path[64];
    char text[1024];
    const char *at;
    const char *name;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
    fd = sys.openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    n = sys.read(fd, text, sizeof(text) - 1);
    sys.close(fd);
    text[n > 0 ? n : 0] = '\0';
    at = strrchr(text, ')');
    name = strchr(text, '(');
    if (at == NULL || name == NULL || (at[1] == ' ' && (at[2] == 'Z' || at[2] == 'X')))
        return false;
    p->ours = strncmp(name + 1, OUR_NAME, strlen(OUR_NAME)) == 0;
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return false;
    p->ticks = strtoull(at + 1, NULL, 10);
    return true;
}

static bool process_began_ms(const struct process *p, int64_t *ms)
{
    struct timespec since_boot = {0};
    long hz = sysconf(_SC_CLK_TCK);

    if (hz <= 0 || sys.clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0)
        return false;
    *ms = clock_realtime_ms() - (int64_t)since_boot.tv_sec * 1000 -
          since_boot.tv_nsec / 1000000 + (int64_t)(p->ticks * 1000 / (uint64_t)hz);
    return true;
}

static int digits(const char *text, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* The inverse of clock_rfc3339: "2026-01-02T03:04:05.678Z". */
int64_t record_time_ms(const struct record *r, const char *key)
{
    const char *text = record_text(r, key, "");
    struct tm tm = {0};
    int year, month, day, hour, minute, second, milli;

    if (strlen(text) != 24 || text[23] != 'Z')
        return -1;
    year = digits(text, 4);
    month = digits(text + 5, 2);
    day = digits(text + 8, 2);
    hour = digits(text + 11, 2);
    minute = digits(text + 14, 2);
    second = digits(text + 17, 2);
    milli = digits(text + 20, 3);
    if ((year | month | day | hour | minute | second | milli) < 0)
        return -1;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    return (int64_t)timegm(&tm) * 1000 + milli;
}

static bool find_process(const struct record *start, struct process *p)
{
    int64_t pid = record_number(start, "pid", 0);
    int64_t started = record_time_ms(start, "startedAt");
    int64_t began;

    if (pid <= 0 || !same_host(start) || !read_process(pid, p) || !process_began_ms(p, &began))
        return false;
    return started < 0 || began <= started + START_SLACK_MS;
}

static bool process_lives(const struct record *start)
{
    struct process p;

    return find_process(start, &p);
}

/* A pid may mean someone else in another container with this host's name: what is not called
   like us is taken for that. */
enum writer_process build_writer_process(const struct record *start)
{
    struct process p;

    if (start == NULL || record_number(start, "pid", 0) <= 0 || !same_host(start))
        return WRITER_UNKNOWN;
    return find_process(start, &p) && p.ours ? WRITER_LIVES : WRITER_GONE;
}

/* *by_lock: the answer is the lock's, else a guess from the start record. */
static bool writer_lives(const struct log_reader *r, const struct record *start, bool *by_lock)
{
    enum lock_answer answer = ask_lock(log_reader_fd(r));

    *by_lock = true;
    if (log_reader_compressed(r))
        return false;
    if (answer == LOCK_HELD)
        return true;
    if (start == NULL)
        return newborn(log_reader_fd(r));
    *by_lock = answer == LOCK_FREE && record_bool(start, "lock", true);
    return !*by_lock && process_lives(start);
}

bool build_writer_lives(const struct log_reader *r, const struct record *start)
{
    bool by_lock;

    return writer_lives(r, start, &by_lock);
}

/* ---- head and tail --------------------------------------------------------------------------- */

/* Puts a record into place, if it decodes. */
static void keep(struct record *slot, bool *has, const struct log_item *item)
{
    struct record record;

    if (log_item_decode(item, &record, NULL) != ERR_NONE)
        return;
    if (*has)
        record_release(slot);
    *slot = record;
    *has = true;
}

static bool take_last(void *arg, const struct log_item *item)
{
    struct build_report *b = arg;

    if (item->kind == RECORD_FOREIGN)
        return true; /* a newer version may put something behind the end */
    if (item->kind != RECORD_END)
        return false;
    keep(&b->end, &b->has_end, item);
    return !b->has_end;
}

static bool take_last_start(void *arg, const struct log_item *item)
{
    struct build_report *b = arg;
    bool found = false;
    struct record record;

    if (item->kind != RECORD_START)
        return true;
    keep(&record, &found, item);
    if (!found)
        return true;
    if (b->has_start)
        record_release(&b->start);
    b->start = record;
    b->has_start = true;
    return false;
}

/* The start record is the first record, or there is none. */
static enum err_code read_head(struct log_reader *r, struct build_report *b, struct err *e)
{
    struct log_item item;
    bool have;
    enum err_code rc = log_reader_rewind(r, e);

    if (rc == ERR_NONE)
        rc = log_reader_next(r, &item, &have, e);
    if (rc == ERR_NONE && have && item.kind == RECORD_START)
        keep(&b->start, &b->has_start, &item);
    return rc;
}

static enum err_code read_tail(struct log_reader *r, struct build_report *b, struct err *e)
{
    struct log_item item;
    bool have = true;
    enum err_code rc = ERR_NONE;

    if (!log_reader_compressed(r))
        return log_reader_backward(r, take_last, b, e);
    while (rc == ERR_NONE && have) {
        rc = log_reader_next(r, &item, &have, e);
        if (rc != ERR_NONE || !have || item.kind == RECORD_FOREIGN)
            continue;
        if (b->has_end)
            record_release(&b->end);
        b->has_end = false;
        if (item.kind == RECORD_END)
            keep(&b->end, &b->has_end, &item);
    }
    return rc;
}

enum err_code build_report_read(struct log_reader *r, struct build_report *out, struct err *e)
{
    bool lives;
    bool by_lock;
    enum err_code rc;

    *out = (struct build_report){.state = STATE_LOST};
    rc = read_head(r, out, e);
    lives = writer_lives(r, out->has_start ? &out->start : NULL, &by_lock);
    if (rc == ERR_NONE && !by_lock)
        rc = log_reader_backward(r, take_last_start, out, e);
    if (rc != ERR_NONE)
        goto fail;
    if (!by_lock)
        lives = writer_lives(r, &out->start, &by_lock);
    rc = read_tail(r, out, e);
    if (rc == ERR_NONE)
        rc = log_reader_rewind(r, e);
    if (rc != ERR_NONE)
        goto fail;
    /* Held with an end record: the next attempt is about to begin. Without locks only the
       record can tell, and a process may outlive it. */
    if (out->has_end && (!lives || !by_lock))
        out->state = STATE_ENDED;
    else
        out->state = lives ? STATE_RUNNING : STATE_LOST;
    return ERR_NONE;
fail:
    build_report_release(out);
    return rc;
}

void build_report_release(struct build_report *b)
{
    if (b->has_start)
        record_release(&b->start);
    if (b->has_end)
        record_release(&b->end);
    b->has_start = b->has_end = false;
}

const char *build_report_status(const struct build_report *b)
{
    if (b->state == STATE_RUNNING)
        return "running";
    if (b->state == STATE_LOST)
        return "lost";
    return b->has_end ? record_text(&b->end, "status", "unknown") : "unknown";
}

bool build_report_failed(const struct build_report *b)
{
    return b->state == STATE_ENDED && strcmp(build_report_status(b), "ok") != 0;
}

/* ---- exit status ----------------------------------------------------------------------------- */

int signal_number(const char *name)
{
    char text[16];

    for (int n = 1; n <= SIGRTMAX; n++)
        if (strcmp(signal_name(n, text), name) == 0)
            return n;
    return 0;
}

int build_exit_status(const struct record *end)
{
    int64_t code = record_number(end, "exitCode", -1);
    int signal = signal_number(record_text(end, "signal", ""));

    if (strcmp(record_text(end, "status", ""), "timeout") == 0)
        return EXIT_OF_TIMEOUT;
    if (signal > 0)
        return EXIT_OF_SIGNAL + signal;
    return code >= 0 && code <= 255 ? (int)code : -1;
}
