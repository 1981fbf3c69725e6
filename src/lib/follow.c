// SPDX-License-Identifier: MIT
/*
 * The records of one build as they come, without ever waiting: what tail does between two waits,
 * behind one descriptor that poll(2) can be asked about.
 *
 * The descriptor is an epoll set of two: the watch on the log (store/follow.h), and a timer for
 * what the kernel does not tell: that a lock is free after the last close, that a removed log is
 * there again, and writes on network file systems.
 *
 * As in tail the lock is asked before the rest of the log is read, so that a free lock means that
 * the rest is all; and an end record that comes while we look is the end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "lib/handle.h"
#include "lib/pick.h"
#include "lib/record.h"
#include "lib/seek.h"
#include "store/follow.h"
#include "store/layout.h"
#include "store/log_reader.h"

enum {
    SOON_FIRST_MS = 1, /* after a close: 1, 2, 4 … ms */
    SOON_LAST_MS = 1024,
    LOOK_AGAIN_MS = 1000, /* where the kernel tells nothing */
    GONE_GRACE_MS = 3000  /* a writer looks for its log each second */
};

struct buildlog_follow {
    char *root;
    int root_fd;
    char id[ULID_SIZE];
    struct log_reader *reader;
    struct build_report report; /* the last start record; the end record if nothing followed */
    struct filter *filter;      /* passes everything */
    struct filter_run run;
    struct lib_record record;
    uint64_t last_seq; /* of the records read so far; what is not above it was seen */

    struct follow *watch;
    int epoll_fd;
    int timer_fd;
    int watch_fd; /* the member of the set; -1: none */
    int soon_ms;  /* 0, or how far away the next look is */
    bool gone;    /* the path names no file … */
    int64_t gone_ns; /* … since then */
    bool live;    /* what is read now was not there at the beginning */
    bool ended;   /* its end record came */
    bool over;    /* what is left to read is all */
};

/* ---- waking up ------------------------------------------------------------------------------ */

static void set_timer(struct buildlog_follow *f, int ms)
{
    struct itimerspec at = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}};

    (void)sys.timerfd_settime(f->timer_fd, 0, &at, NULL);
}

/* When to look again, should nothing happen. */
static void arm(struct buildlog_follow *f)
{
    int ms = f->gone || follow_polls(f->watch) ? LOOK_AGAIN_MS : 0;

    if (f->over) {
        set_timer(f, SOON_FIRST_MS); /* what is to be heard yet is the end */
        return;
    }
    if (f->soon_ms > 0 && (ms == 0 || f->soon_ms < ms))
        ms = f->soon_ms;
    set_timer(f, ms);
}

/* The file at hand is the one that is watched. */
static void watch(struct buildlog_follow *f)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (f->watch_fd >= 0)
        (void)sys.epoll_ctl(f->epoll_fd, EPOLL_CTL_DEL, f->watch_fd, NULL);
    follow_file(f->watch, log_reader_fd(f->reader));
    f->watch_fd = follow_fd(f->watch);
    if (f->watch_fd >= 0 &&
        sys.epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, f->watch_fd, &event) != 0)
        f->watch_fd = -1; /* then the timer has to do */
}

/* Whether the timer is over; it is stopped. */
static bool timer_over(struct buildlog_follow *f)
{
    uint64_t times;

    return sys.read(f->timer_fd, &times, sizeof(times)) == (ssize_t)sizeof(times);
}

static enum err_code make_wakers(struct buildlog_follow *f, struct err *e)
{
    struct epoll_event event = {.events = EPOLLIN};
    enum err_code rc = follow_new(&f->watch, e);

    if (rc != ERR_NONE)
        return rc;
    f->epoll_fd = sys.epoll_create1(EPOLL_CLOEXEC);
    if (f->epoll_fd >= 0)
        f->timer_fd = sys.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (f->timer_fd < 0 ||
        sys.epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, f->timer_fd, &event) != 0)
        return err_system(e, "cannot follow build", f->id);
    return ERR_NONE;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void keep(struct record *slot, bool *has, const struct log_item *item)
{
    if (*has)
        record_release(slot);
    *has = log_item_decode(item, slot, NULL) == ERR_NONE;
}

/* Start and end records tell where the build stands. */
static void note(struct buildlog_follow *f, const struct log_item *item)
{
    if (item->kind == RECORD_END) {
        keep(&f->report.end, &f->report.has_end, item);
        f->ended = f->live && f->report.has_end;
        return;
    }
    if (item->kind == RECORD_START)
        keep(&f->report.start, &f->report.has_start, item);
    if (f->report.has_end && item->kind != RECORD_FOREIGN) {
        record_release(&f->report.end);
        f->report.has_end = false;
        f->ended = false;
    }
}

/* The next record that there is, and that was not seen. */
static enum err_code next_there(struct buildlog_follow *f, bool *have, struct err *e)
{
    for (;;) {
        struct log_item item;
        enum err_code rc = log_reader_next(f->reader, &item, have, e);
        bool numbered;

        if (rc != ERR_NONE || !*have)
            return rc;
        note(f, &item);
        numbered = item.kind == RECORD_LINE || item.kind == RECORD_EVENT ||
                   item.kind == RECORD_GAP;
        if (!numbered || item.seq <= f->last_seq)
            continue;
        rc = filter_view(&f->run, item.text.ptr, item.text.len);
        if (rc == ERR_NONE)
            rc = lib_record_set(&f->record, f->id, &f->run.view);
        if (rc == ERR_MEMORY)
            return err_set(e, rc, "cannot read build", f->id, "no memory");
        if (rc != ERR_NONE)
            continue; /* no record after all */
        f->last_seq = item.seq;
        return ERR_NONE;
    }
}

/* ---- is it over? ---------------------------------------------------------------------------- */

static bool writer_lives(const struct buildlog_follow *f)
{
    return build_writer_lives(f->reader, f->report.has_start ? &f->report.start : NULL);
}

/* The path names another file, or none. The whole store may have been removed and made anew, so
   the way begins at its name. Whether the new one's writer lives is asked when its start record
   has been read. */
static enum err_code switch_file(struct buildlog_follow *f, struct err *e)
{
    struct log_reader *fresh;
    int root_fd;
    enum err_code rc = layout_open_root(f->root, false, &root_fd, e);

    if (rc == ERR_NONE) {
        sys.close(f->root_fd);
        f->root_fd = root_fd;
        rc = log_reader_open(&fresh, root_fd, f->id, e);
    }
    if (rc == ERR_NOT_FOUND) {
        f->gone_ns = f->gone ? f->gone_ns : clock_monotonic_ns();
        f->gone = true;
        return ERR_NONE;
    }
    if (rc != ERR_NONE)
        return rc;
    f->gone = false;
    f->soon_ms = SOON_FIRST_MS;
    build_report_release(&f->report);
    log_reader_free(f->reader);
    f->reader = fresh;
    watch(f);
    return ERR_NONE;
}

/* A writer whose log was removed has no lock until it has made it anew. */
static bool gone_for_good(const struct buildlog_follow *f)
{
    return f->gone && clock_monotonic_ns() - f->gone_ns >= GONE_GRACE_MS * INT64_C(1000000);
}

/* Something happened that reading alone does not show. */
static enum err_code look(struct buildlog_follow *f, struct err *e)
{
    bool lives = writer_lives(f);
    enum err_code rc = ERR_NONE;

    f->live = true;
    if (f->ended)
        f->over = true;
    else if (!log_reader_current(f->reader, f->root_fd))
        rc = switch_file(f, e);
    else
        f->over = !lives;
    if (rc == ERR_NONE && !lives && gone_for_good(f))
        f->over = true;
    return rc;
}

/* What happened since the last time; false: nothing. */
static enum err_code wake(struct buildlog_follow *f, bool *anything, struct err *e)
{
    unsigned events = follow_take(f->watch);
    bool timer = timer_over(f);

    *anything = events != 0 || timer || f->ended;
    if (events & (FOLLOW_CLOSED | FOLLOW_MOVED))
        f->soon_ms = SOON_FIRST_MS;
    else if (timer && f->soon_ms > 0)
        f->soon_ms = f->soon_ms < SOON_LAST_MS ? f->soon_ms * 2 : 0;
    if (timer || f->ended || (events & (FOLLOW_CLOSED | FOLLOW_MOVED)) != 0)
        return look(f, e);
    return ERR_NONE;
}

static enum err_code next(struct buildlog_follow *f, bool *have, struct err *e)
{
    bool anything = true;

    for (;;) {
        enum err_code rc = next_there(f, have, e);

        if (rc != ERR_NONE || *have || f->over)
            return rc;
        rc = wake(f, &anything, e);
        if (rc != ERR_NONE || !anything)
            return rc;
    }
}

/* ---- the handle ----------------------------------------------------------------------------- */

static enum err_code read_report(struct buildlog_follow *f, struct err *e)
{
    enum err_code rc = build_report_read(f->reader, &f->report, e);

    f->over = f->report.state != STATE_RUNNING;
    f->soon_ms = SOON_FIRST_MS; /* it may have ended since it was asked */
    return rc;
}

static enum err_code start(struct buildlog_follow *f, const struct buildlog *store,
                           const char *word, struct err *e)
{
    struct filter_spec all = {.since_ms = INT64_MIN, .until_ms = INT64_MAX};
    enum err_code rc;

    f->root = strdup(store->root);
    if (f->root == NULL)
        return err_set(e, ERR_MEMORY, "cannot follow", "", "no memory");
    rc = layout_open_root(f->root, false, &f->root_fd, e);
    if (rc == ERR_NONE)
        rc = pick_open(f->root_fd, word, f->id, &f->reader, e);
    if (rc == ERR_NONE)
        rc = filter_new(&f->filter, &all, e);
    if (rc == ERR_NONE)
        rc = make_wakers(f, e);
    if (rc != ERR_NONE)
        return rc;
    filter_run_init(&f->run, f->filter, NULL);
    watch(f); /* before the first look, so that nothing happens unseen */
    rc = read_report(f, e);
    if (rc == ERR_NONE)
        seek_behind(f->reader, f->last_seq);
    arm(f);
    return rc;
}

int buildlog_follow_open(struct buildlog_follow **out, const struct buildlog *store,
                         const char *word, uint64_t after_seq, struct buildlog_error *error)
{
    locale_t before = lib_enter();
    struct buildlog_follow *f = calloc(1, sizeof(*f));
    struct err e = {0};
    enum err_code rc;

    if (f == NULL) {
        rc = err_set(&e, ERR_MEMORY, "cannot follow", "", "no memory");
    } else {
        f->root_fd = f->epoll_fd = f->timer_fd = f->watch_fd = -1;
        f->last_seq = after_seq;
        lib_record_init(&f->record);
        rc = start(f, store, word, &e);
    }
    if (rc != ERR_NONE) {
        buildlog_follow_close(f);
        f = NULL;
    }
    *out = f;
    lib_leave(before);
    return lib_result(rc, &e, error);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        sys.close(fd);
}

void buildlog_follow_close(struct buildlog_follow *f)
{
    if (f == NULL)
        return;
    close_fd(f->epoll_fd);
    close_fd(f->timer_fd);
    close_fd(f->root_fd);
    follow_free(f->watch);
    filter_run_release(&f->run);
    filter_free(f->filter);
    build_report_release(&f->report);
    log_reader_free(f->reader);
    lib_record_release(&f->record);
    free(f->root);
    free(f);
}

const char *buildlog_follow_id(const struct buildlog_follow *f)
{
    return f->id;
}

int buildlog_follow_fd(const struct buildlog_follow *f)
{
    return f->epoll_fd;
}

int buildlog_follow_next(struct buildlog_follow *f, const struct buildlog_record **out,
                         struct buildlog_error *error)
{
    locale_t before = lib_enter();
    struct err e = {0};
    bool have = false;
    enum err_code rc = next(f, &have, &e);

    if (rc == ERR_NONE && !have)
        arm(f);
    lib_leave(before);
    *out = rc == ERR_NONE && have ? &f->record.record : NULL;
    if (rc != ERR_NONE)
        return lib_result(rc, &e, error);
    if (have)
        return BUILDLOG_OK;
    return f->over ? BUILDLOG_END : BUILDLOG_AGAIN;
}

enum buildlog_state buildlog_follow_state(const struct buildlog_follow *f)
{
    if (!f->over)
        return BUILDLOG_STATE_RUNNING;
    return f->report.has_end ? BUILDLOG_STATE_ENDED : BUILDLOG_STATE_LOST;
}
