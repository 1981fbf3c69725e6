// SPDX-License-Identifier: MIT
#include "run/ahead.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "base/sys.h"
#include "run/stream.h"

/* ---- the work -------------------------------------------------------------------------- */

void ahead_redact(struct redactor *r, struct ahead_read *read)
{
    struct raw_span in = {.ptr = read->data, .len = (size_t)read->len};

    read->ts_ms = clock_realtime_ms();
    read->rc = redactor_feed(r, in, &read->spans);
    read->holding = redactor_holding(r);
}

static void read_and_redact(void *ctx)
{
    struct ahead *a = ctx;
    struct ahead_read *read = a->read;

    read->len = sys.read(a->fd, read->data, STREAM_READ_SIZE);
    read->sys_errno = errno;
    if (read->len > 0)
        ahead_redact(a->redactor, read);
}

static void *run(void *arg)
{
    struct ahead *a = arg;

    pthread_mutex_lock(&a->mutex);
    for (;;) {
        while (a->state != AHEAD_READY && a->state != AHEAD_ENDED)
            pthread_cond_wait(&a->changed, &a->mutex);
        if (a->state == AHEAD_ENDED)
            break;
        a->state = AHEAD_RUNNING;
        pthread_mutex_unlock(&a->mutex);
        a->job(a->ctx);
        pthread_mutex_lock(&a->mutex);
        a->state = AHEAD_DONE;
        pthread_cond_signal(&a->changed);
    }
    pthread_mutex_unlock(&a->mutex);
    return NULL;
}

/* ---- the thread ------------------------------------------------------------------------ */

/* All signals are the first thread's: a new one inherits the mask. */
static bool start_thread(struct ahead *a, const pthread_attr_t *attr)
{
    sigset_t all;
    sigset_t before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = sys.thread_create(&a->thread, attr, run, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

static bool start(struct ahead *a)
{
    pthread_attr_t attr;
    bool started;

    a->buffer = malloc(STREAM_READ_SIZE);
    if (a->buffer == NULL || pthread_attr_init(&attr) != 0)
        return false;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->changed, NULL);
    started = pthread_attr_setstacksize(&attr, REDACT_STACK) == 0 && start_thread(a, &attr);
    pthread_attr_destroy(&attr);
    return started;
}

bool ahead_ready(struct ahead *a)
{
    if (!a->tried) {
        a->tried = true;
        a->works = cpus_usable() > 1 && start(a);
    }
    return a->works;
}

static void set_state(struct ahead *a, enum ahead_state state)
{
    pthread_mutex_lock(&a->mutex);
    a->state = state;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->mutex);
}

void ahead_release(struct ahead *a)
{
    if (a->works) {
        set_state(a, AHEAD_ENDED);
        pthread_join(a->thread, NULL);
        pthread_cond_destroy(&a->changed);
        pthread_mutex_destroy(&a->mutex);
    }
    free(a->buffer);
    clean_vec_release(&a->reads[0].spans);
    clean_vec_release(&a->reads[1].spans);
    *a = (struct ahead){0};
}

/* ---- the caller ------------------------------------------------------------------------ */

void ahead_begin(struct ahead *a, ahead_job *job, void *ctx)
{
    a->job = job;
    a->ctx = ctx;
    set_state(a, AHEAD_READY);
}

void ahead_begin_read(struct ahead *a, int fd, struct redactor *r, struct ahead_read *read)
{
    a->fd = fd;
    a->redactor = r;
    a->read = read;
    ahead_begin(a, read_and_redact, a);
}

void ahead_end(struct ahead *a)
{
    bool mine;

    pthread_mutex_lock(&a->mutex);
    mine = a->state == AHEAD_READY;
    while (!mine && a->state != AHEAD_DONE)
        pthread_cond_wait(&a->changed, &a->mutex);
    a->state = AHEAD_IDLE;
    pthread_mutex_unlock(&a->mutex);
    if (mine)
        a->job(a->ctx);
}
