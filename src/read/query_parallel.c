// SPDX-License-Identifier: MIT
#include "read/query_parallel.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cpus.h"
#include "base/sys.h"

enum {
    SLOTS_MAX = PARALLEL_THREADS_MAX + 2,
    BUFFER_SIZE = STRETCH_SIZE + STRETCH_TAIL_MAX + 1,
    TAIL_STEP = 16 << 10,
    HITS_MAX = 64 << 20 /* bytes; never reached: a record has some fifty bytes */
};

enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_DONE };

struct hit {
    size_t at;
    size_t len;
    int cost;
};

struct slot {
    enum slot_state state;
    char *data; /* BUFFER_SIZE */
    struct buf hits;
    uint64_t end;     /* offset behind its last line; 0: none begins in it */
    uint64_t damaged;
    bool cut;         /* not to be trusted: it ends early, or in a line that is too long */
    enum err_code rc;
    int trouble; /* errno */
};

struct pool {
    const struct filter *filter;
    const struct record *start;
    const struct log_reader *reader;
    uint64_t n_stretches;
    size_t n_slots;
    struct slot slots[SLOTS_MAX];
    pthread_mutex_t mutex; /* over what follows, and the states */
    pthread_cond_t changed;
    uint64_t next; /* stretch to be claimed */
    bool stop;
};

/* ---- one stretch, without the lock ---------------------------------------------------------- */

/*
 * Reads the stretch, the byte before it, and the rest of the line it ends in. Returns the number
 * of bytes, up to and with the last newline; 0: no whole line.
 */
static size_t read_stretch(const struct pool *pool, struct slot *slot, uint64_t from, size_t want)
{
    ssize_t got = log_reader_read_at(pool->reader, slot->data, want, from);
    size_t len = got > 0 ? (size_t)got : 0;

    slot->cut = len < want;
    while (!slot->cut && slot->data[len - 1] != '\n') {
        const char *newline;

        got = len + TAIL_STEP <= BUFFER_SIZE
                  ? log_reader_read_at(pool->reader, slot->data + len, TAIL_STEP, from + len)
                  : 0;
        slot->cut = got <= 0;
        if (slot->cut)
            break;
        newline = memchr(slot->data + len, '\n', (size_t)got);
        if (newline != NULL)
            return (size_t)(newline - slot->data) + 1;
        len += (size_t)got;
    }
    if (got < 0)
        slot->trouble = errno;
    return slot->cut ? 0 : len;
}

static void search_lines(struct filter_run *run, struct slot *slot, size_t from, size_t len)
{
    const char *end = slot->data + len;
    const char *at = slot->data + from;

    filter_run_piece(run);
    while (slot->rc == ERR_NONE && (at = filter_next(run, at, end)) != NULL) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct hit hit = {.at = (size_t)(at - slot->data), .len = (size_t)(newline - at)};
        enum err_code rc = filter_check(run, at, hit.len);

        hit.cost = rc == ERR_NONE ? run->view.cost : 0;
        if (rc == ERR_NONE)
            rc = buf_put(&slot->hits, &hit, sizeof(hit));
        slot->damaged += rc == ERR_FORMAT ? 1 : 0;
        slot->rc = rc == ERR_MEMORY ? rc : ERR_NONE;
        at = newline + 1;
    }
}

static void search_stretch(const struct pool *pool, struct filter_run *run, uint64_t k,
                           struct slot *slot)
{
    size_t before = k > 0 ? 1 : 0;
    uint64_t from = k * STRETCH_SIZE - before;
    const char *newline;
    size_t len;
    size_t begin = 0;

    slot->hits.len = 0;
    slot->end = slot->damaged = 0;
    slot->rc = ERR_NONE;
    slot->trouble = 0;
    len = read_stretch(pool, slot, from, STRETCH_SIZE + before);
    if (len == 0)
        return;
    if (before > 0) {
        newline = memchr(slot->data, '\n', len);
        begin = (size_t)(newline - slot->data) + 1;
    }
    if (begin >= STRETCH_SIZE + before || begin >= len)
        return; /* all of it belongs to a line that began earlier */
    slot->end = from + len;
    search_lines(run, slot, begin, len);
}

/* ---- workers -------------------------------------------------------------------------------- */

/* The next stretch's slot, once it is free; NULL: there is no more to do. */
static struct slot *claim(struct pool *pool, uint64_t *k)
{
    struct slot *slot = NULL;

    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        slot = &pool->slots[pool->next % pool->n_slots];
        if (pool->stop || pool->next >= pool->n_stretches)
            slot = NULL;
        if (slot == NULL || slot->state == SLOT_FREE)
            break;
        pthread_cond_wait(&pool->changed, &pool->mutex);
    }
    if (slot != NULL) {
        slot->state = SLOT_TAKEN;
        *k = pool->next++;
    }
    pthread_mutex_unlock(&pool->mutex);
    return slot;
}

static void set_state(struct pool *pool, struct slot *slot, enum slot_state state)
{
    pthread_mutex_lock(&pool->mutex);
    slot->state = state;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *arg)
{
    struct pool *pool = arg;
    struct filter_run run;
    struct slot *slot;
    uint64_t k;

    filter_run_init(&run, pool->filter, pool->start);
    while ((slot = claim(pool, &k)) != NULL) {
        search_stretch(pool, &run, k, slot);
        set_state(pool, slot, SLOT_DONE);
    }
    filter_run_release(&run);
    return NULL;
}

/* ---- the caller ----------------------------------------------------------------------------- */

static void wait_for(struct pool *pool, const struct slot *slot)
{
    pthread_mutex_lock(&pool->mutex);
    while (slot->state != SLOT_DONE)
        pthread_cond_wait(&pool->changed, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

static enum err_code hand_over(const struct slot *slot, struct parallel_taker taker)
{
    const struct hit *hits = (const struct hit *)(const void *)slot->hits.data;
    size_t n = slot->hits.len / sizeof(*hits);
    enum err_code rc = slot->rc;

    for (size_t i = 0; i < n && rc == ERR_NONE; i++)
        rc = taker.take(taker.arg, slot->data + hits[i].at, hits[i].len, hits[i].cost);
    return rc;
}

static enum err_code collect(struct pool *pool, struct parallel_taker taker, uint64_t *upto,
                             uint64_t *damaged, struct err *e)
{
    enum err_code rc = ERR_NONE;

    for (uint64_t k = 0; k < pool->n_stretches && rc == ERR_NONE; k++) {
        struct slot *slot = &pool->slots[k % pool->n_slots];

        wait_for(pool, slot);
        if (slot->trouble != 0) {
            errno = slot->trouble;
            return err_system(e, "cannot read", log_reader_path(pool->reader));
        }
        if (slot->cut)
            return ERR_NONE; /* from there on the caller goes line by line */
        rc = hand_over(slot, taker);
        *damaged += slot->damaged;
        *upto = slot->end > 0 ? slot->end : *upto;
        set_state(pool, slot, SLOT_FREE);
    }
    return rc;
}

unsigned parallel_threads(void)
{
    unsigned n = cpus_usable();

    return n > PARALLEL_THREADS_MAX ? PARALLEL_THREADS_MAX : n;
}

static bool make_slots(struct pool *pool, unsigned threads)
{
    pool->n_slots = threads + 2;
    for (size_t i = 0; i < pool->n_slots; i++) {
        buf_init(&pool->slots[i].hits, HITS_MAX);
        pool->slots[i].data = malloc(BUFFER_SIZE);
        if (pool->slots[i].data == NULL)
            return false;
    }
    return true;
}

static void free_slots(struct pool *pool)
{
    for (size_t i = 0; i < pool->n_slots; i++) {
        buf_release(&pool->slots[i].hits);
        free(pool->slots[i].data);
    }
}

static enum err_code run_pool(struct pool *pool, unsigned threads, struct parallel_taker taker,
                              uint64_t *upto, uint64_t *damaged, struct err *e)
{
    pthread_t ids[PARALLEL_THREADS_MAX];
    unsigned started = 0;
    enum err_code rc = ERR_NONE;

    while (started < threads && pthread_create(&ids[started], NULL, work, pool) == 0)
        started++;
    if (started > 0) /* else the caller does it all */
        rc = collect(pool, taker, upto, damaged, e);
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    return rc;
}

enum err_code parallel_search(const struct filter *f, const struct record *start,
                              const struct log_reader *r, struct parallel_taker taker,
                              uint64_t *upto, uint64_t *damaged, struct err *e)
{
    struct pool pool = {.filter = f, .start = start, .reader = r};
    unsigned threads = parallel_threads();
    struct stat st;
    enum err_code rc = ERR_NONE;

    *upto = *damaged = 0;
    if (threads < 2 || sys.fstat(log_reader_fd(r), &st) != 0 || st.st_size < PARALLEL_LOG_MIN)
        return ERR_NONE;
    /* A writer that is at work may cut a torn tail back: the end is read the careful way. */
    pool.n_stretches = (uint64_t)st.st_size / STRETCH_SIZE - 1;
    pthread_mutex_init(&pool.mutex, NULL);
    pthread_cond_init(&pool.changed, NULL);
    if (make_slots(&pool, threads))
        rc = run_pool(&pool, threads, taker, upto, damaged, e);
    free_slots(&pool);
    pthread_cond_destroy(&pool.changed);
    pthread_mutex_destroy(&pool.mutex);
    return rc;
}
