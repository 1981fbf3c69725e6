// SPDX-License-Identifier: MIT
/*
 * Every system call of a build's log fails: the first, the second, … the last of a scenario;
 * once and from then on; with each errno, and by writing only half. Whatever fails, the file
 * is looked at by a reader of its own: no torn record but perhaps at the very end of a log
 * without an end record, no hole in the numbers, every line there or counted, `complete` and
 * the hash true. What fails once must cost nothing at all.
 */
#include "lib/storetest.h"

enum { CALLS_MAX = 400, BURST = 300, FLUSHES = 5 };

static uint64_t fed;

static void feed(struct build_log *l, int n)
{
    for (int i = 0; i < n; i++)
        put_line(l, fed++, 80);
    (void)build_log_flush(l);
}

/* A build that says a few things. */
static enum err_code scenario(enum build_log_sync sync, bool *opened)
{
    struct build_log_options o = test_options();
    struct build_log *l;
    struct err e;
    enum err_code rc;

    o.sync = sync;
    fed = 0;
    (void)!build_log_open(&l, &o, &e);
    *opened = l != NULL;
    if (l == NULL)
        return ERR_REFUSED;
    feed(l, 5);
    build_log_tick(l);
    feed(l, BURST);
    feed(l, 1);
    build_log_tick(l);
    feed(l, BURST);
    build_log_tick(l);
    feed(l, 1);
    rc = seal(l, &e);
    build_log_free(l);
    return rc;
}

static const int errors[] = {EIO, ENOSPC, EINTR, EMFILE, ENOMEM, EACCES, FAULT_SHORT};
enum { N_ERRORS = sizeof(errors) / sizeof(errors[0]) };

/* A failure of these at the end is told although the end record is there. */
static bool tells_late(enum fault_call call)
{
    return call == FAULT_close || call == FAULT_fdatasync;
}

static const char *judge(const struct fault *f, enum err_code rc, const struct log_report *r)
{
    if (r->wrong != NULL)
        return r->wrong;
    if (r->torn && rc == ERR_NONE)
        return "torn, but sealed";
    if (r->torn && f->call != FAULT_ftruncate && f->call != FAULT_write)
        return "torn";
    if (rc == ERR_NONE && !r->has_end)
        return "no end, but sealed";
    if (rc != ERR_NONE && r->has_end && !tells_late(f->call))
        return "an end, but not sealed";
    if (r->has_end && r->next != fed)
        return "lines are missing";
    if (!f->persistent && !tells_late(f->call) && rc != ERR_NONE)
        return "a passing error left no end";
    if (!f->persistent && (!r->has_end || !r->complete))
        return "a passing error cost something";
    return NULL;
}

static bool one(const struct fault *f, enum build_log_sync sync)
{
    struct log_report r;
    enum err_code rc;
    const char *wrong;
    bool opened;

    set_fault(*f);
    rc = scenario(sync, &opened);
    set_fault((struct fault){0});
    r = log_check(test_path, 0);
    wrong = opened ? judge(f, rc, &r) : "refused";
    if (wrong != NULL)
        printf("# %s %d %s %s: %s (record %zu, code %d, gaps %d, next %llu)\n",
               fault_names[f->call], f->n, f->error == FAULT_SHORT ? "short" : strerror(f->error),
               f->persistent ? "from then on" : "once", wrong, r.at, (int)rc, r.gaps,
               (unsigned long long)r.next);
    wipe(test_root);
    return wrong == NULL;
}

static void all_of(enum fault_call call, enum build_log_sync sync, int calls)
{
    int bad = 0;
    int done_count = 0;

    for (int e = 0; e < N_ERRORS; e++) {
        /* These two mean something: a lock that another holds. */
        if (call == FAULT_lock && errors[e] == EACCES)
            continue;
        if (errors[e] == FAULT_SHORT && call != FAULT_write)
            continue;
        for (int n = 1; n <= calls; n++)
            for (int persistent = 0; persistent < 2; persistent++) {
                const struct fault f = {call, n, persistent != 0, errors[e]};

                bad += one(&f, sync) ? 0 : 1;
                done_count++;
            }
    }
    ok(bad == 0 && done_count > 0, "%s fails, sync %d: %d of %d cases bad", fault_names[call],
       (int)sync, bad, done_count);
}

/* How often the scenario makes each call when nothing fails. */
static void count_calls(enum build_log_sync sync, int counts[N_FAULTS])
{
    struct log_report r;
    bool opened;

    set_fault((struct fault){0});
    ok(scenario(sync, &opened) == ERR_NONE, "the scenario passes");
    memcpy(counts, fault_counts, sizeof(fault_counts));
    r = log_check(test_path, 0);
    ok(r.wrong == NULL && r.complete && r.next == fed && r.events == 0 && r.gaps == 0,
       "an undisturbed log is start, lines, end: %s", r.wrong != NULL ? r.wrong : "sound");
    wipe(test_root);
}

int main(void)
{
    int counts[N_FAULTS];

    enter_test();
    install_faults();
    count_calls(SYNC_ALWAYS, counts);
    is_int(counts[FAULT_fdatasync], FLUSHES + 2, "synced at the start, each flush, the end");
    for (int call = 0; call < N_FAULTS; call++) {
        ok(counts[call] > 0 || call == FAULT_pread, "%s is called", fault_names[call]);
        if (counts[call] > 0)
            all_of((enum fault_call)call, SYNC_ALWAYS, counts[call] + 2);
    }
    count_calls(SYNC_END, counts);
    is_int(counts[FAULT_fdatasync], 1, "synced at the end");
    count_calls(SYNC_NONE, counts);
    is_int(counts[FAULT_fdatasync], 0, "never synced");
    all_of(FAULT_write, SYNC_NONE, counts[FAULT_write] + 4);
    return done();
}
