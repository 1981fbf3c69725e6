// SPDX-License-Identifier: MIT
#include "read/query_screen.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "read/query.h"
#include "read/query_parallel.h"

enum verdict { UNKNOWN, NOTHING, LOOK };

struct query_screen {
    struct query_screen_job job;
    uint8_t *verdicts; /* of whole groups under the mutex; their threads' own before */
    pthread_t threads[SCREEN_THREADS_MAX];
    unsigned n_threads;
    pthread_mutex_t mutex; /* over what follows */
    pthread_cond_t changed;
    size_t next;  /* to be claimed */
    size_t asked; /* by the caller */
    bool stop;
};

/* ---- one log -------------------------------------------------------------------------------- */

static bool small(const struct log_reader *r)
{
    struct stat st;

    return !log_reader_compressed(r) && sys.fstat(log_reader_fd(r), &st) == 0 &&
           st.st_size <= SCREEN_LOG_MAX;
}

/* Nothing that the caller would have to speak of. */
static bool sound(const struct log_reader *r, const struct record *start)
{
    struct log_left_out l;

    log_reader_left_out(r, &l);
    return l.damaged == 0 && l.foreign == 0 && l.torn_bytes == 0 && !l.newer && !l.cut &&
           (start == NULL || record_number(start, "v", RECORD_VERSION) <= RECORD_VERSION);
}

static enum verdict search(const struct query_screen *s, struct log_reader *r)
{
    struct query q = {.filter = s->job.filter, .count_only = true, .left = 1,
                      .cost = QUERY_COST_ANY};
    struct record start = {0};
    struct log_item item;
    bool have;
    bool has_start;
    enum err_code rc = log_reader_next(r, &item, &have, NULL);

    has_start = rc == ERR_NONE && have && item.kind == RECORD_START &&
                log_item_decode(&item, &start, NULL) == ERR_NONE;
    if (rc == ERR_NONE)
        rc = query_log(&q, r, has_start ? &start : NULL, NULL);
    if (rc == ERR_NONE && (q.matches > 0 || !sound(r, has_start ? &start : NULL)))
        rc = ERR_REFUSED;
    record_release(&start);
    return rc == ERR_NONE ? NOTHING : LOOK;
}

static enum verdict look_at(const struct query_screen *s, const char *id)
{
    struct log_reader *r;
    enum verdict verdict = LOOK;

    if (log_reader_open(&r, s->job.root_fd, id, NULL) != ERR_NONE)
        return LOOK;
    if (s->job.unwanted(s->job.arg, r))
        verdict = NOTHING;
    else if (small(r))
        verdict = search(s, r);
    log_reader_free(r);
    return verdict;
}

/* ---- threads -------------------------------------------------------------------------------- */

/* The first log of a group; false: there is no more to do. */
static bool claim(struct query_screen *s, size_t *first)
{
    bool more;

    pthread_mutex_lock(&s->mutex);
    while (!s->stop && s->next < s->job.n && s->next > s->asked + SCREEN_AHEAD)
        pthread_cond_wait(&s->changed, &s->mutex);
    more = !s->stop && s->next < s->job.n;
    *first = s->next;
    s->next += more ? SCREEN_GROUP : 0;
    pthread_mutex_unlock(&s->mutex);
    return more;
}

static void *work(void *arg)
{
    struct query_screen *s = arg;
    size_t first;

    while (claim(s, &first)) {
        size_t n = s->job.n - first < SCREEN_GROUP ? s->job.n - first : SCREEN_GROUP;
        enum verdict verdicts[SCREEN_GROUP];

        for (size_t i = 0; i < n; i++)
            verdicts[i] = look_at(s, s->job.ids[first + i]);
        pthread_mutex_lock(&s->mutex);
        for (size_t i = 0; i < n; i++)
            s->verdicts[first + i] = (uint8_t)verdicts[i];
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->mutex);
    }
    return NULL;
}

/* ---- the caller ----------------------------------------------------------------------------- */

struct query_screen *query_screen_new(const struct query_screen_job *job)
{
    unsigned threads = parallel_threads();
    struct query_screen *s;

    if (threads < 2 || job->n < SCREEN_WORTH)
        return NULL;
    s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->job = *job;
    s->verdicts = calloc(job->n, 1);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, NULL);
    while (s->verdicts != NULL && s->n_threads < threads && s->n_threads < SCREEN_THREADS_MAX &&
           pthread_create(&s->threads[s->n_threads], NULL, work, s) == 0)
        s->n_threads++;
    if (s->n_threads > 0)
        return s;
    query_screen_free(s);
    return NULL;
}

void query_screen_free(struct query_screen *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->mutex);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    for (unsigned i = 0; i < s->n_threads; i++)
        pthread_join(s->threads[i], NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->mutex);
    free(s->verdicts);
    free(s);
}

bool query_screen_nothing(struct query_screen *s, size_t i)
{
    enum verdict verdict;

    pthread_mutex_lock(&s->mutex);
    s->asked = i;
    if (i % SCREEN_GROUP == 0)
        pthread_cond_broadcast(&s->changed);
    while ((verdict = (enum verdict)s->verdicts[i]) == UNKNOWN)
        pthread_cond_wait(&s->changed, &s->mutex);
    pthread_mutex_unlock(&s->mutex);
    return verdict == NOTHING;
}
