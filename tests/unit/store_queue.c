// SPDX-License-Identifier: MIT
/*
 * The queue alone: what is pushed comes out byte for byte or is counted as lost, one after
 * the other, whatever is dropped, committed and renumbered in between; and without memory.
 */
#include "lib/nomem.h"
#include "lib/storetest.h"
#include "store/log_queue.h"

enum { CEILING = 8 << 20 };

/* A record of about n bytes that stands for n + seq input bytes; odd ones are lines. */
static void push(struct log_queue *q, uint64_t seq, size_t n, struct log_loss *loss)
{
    char head[128];
    int len = snprintf(head, sizeof(head), "{\"kind\":\"line\",\"ts\":%llu,\"seq\":%llu,\"x\":\"",
                       (unsigned long long)(1000 + seq), (unsigned long long)seq);
    size_t total = (size_t)len + n + 3;
    char *dst;

    if (!log_queue_fits(q, total) && log_queue_make_room(q, total, loss) != ERR_NONE) {
        log_loss_add(loss, seq, seq % 2 == 1, n + seq, (int64_t)(1000 + seq));
        return;
    }
    dst = log_queue_end(q);
    memcpy(dst, head, (size_t)len);
    memset(dst + len, 'y', n);
    memcpy(dst + len + n, "\"}\n", 3);
    log_queue_push(q, total, seq, seq % 2 == 1, n + seq);
    log_queue_trim(q, loss);
}

/* Reads the numbers of all that waits; false unless they are first, first + 1, … last. */
static bool holds(const struct log_queue *q, uint64_t first, uint64_t last)
{
    uint64_t next = first;
    size_t bytes = 0;

    if (q->records != last + 1 - first || (q->records > 0 && q->first_seq != first))
        return false;
    for (struct log_block *b = log_queue_front(q); b != NULL; b = b->next)
        for (size_t at = b->head; at < b->len;) {
            const char *rec = b->data + at;
            const char *end = memchr(rec, '\n', b->len - at);
            /* Bounded: a sanitizer measures the whole block at each strstr. */
            const char *seq = end == NULL ? NULL : memmem(rec, (size_t)(end - rec), "\"seq\":", 6);

            if (end == NULL || seq == NULL || strtoull(seq + 6, NULL, 10) != next++)
                return false;
            bytes += (size_t)(end - rec) + 1;
            at += (size_t)(end - rec) + 1;
        }
    return next == last + 1 && bytes == q->bytes;
}

static uint64_t sum(uint64_t from, uint64_t to)
{
    return from > to ? 0 : (from + to) * (to - from + 1) / 2;
}

static void test_drop_and_commit(void)
{
    struct log_queue q;
    struct log_loss loss = {0};
    uint64_t lines;
    uint64_t bytes;
    bool good = true;

    log_queue_init(&q, CEILING);
    ok(log_queue_front(&q) == NULL && log_queue_front_ts(&q) == 0, "empty");
    for (uint64_t seq = 1; seq <= 10000; seq++)
        push(&q, seq, 100, &loss);
    ok(holds(&q, 1, 10000) && loss.records == 0, "all there");
    log_queue_count(&q, &lines, &bytes);
    ok(lines == 5000 && bytes == 100 * 10000 + sum(1, 10000), "counted");
    log_queue_drop(&q, 1, &loss);
    ok(loss.records == 1 && loss.lines == 1 && loss.bytes == 101 && loss.from == 1 &&
           loss.ts_ms == 1001 && holds(&q, 2, 10000),
       "one byte is one record");
    for (uint64_t first = 2; first < 4000; first += 7) {
        struct log_block *b = log_queue_front(&q);
        const char *p = b->data + b->head;
        uint64_t left = b->len - b->head;
        size_t n = 0;
        uint64_t whole = 0;

        while (whole < 7 && n < left) {
            n = (size_t)((const char *)memchr(p + n, '\n', left - n) - p) + 1;
            whole++;
        }
        good = good && log_queue_commit(&q, n) == whole;
        first -= 7 - whole;
        good = good && holds(&q, first + 7, 10000);
    }
    ok(good, "written in pieces");
    log_queue_count(&q, &lines, &bytes);
    ok(bytes == 100 * q.records + sum(q.first_seq, 10000), "the rest counted");
    ok(log_queue_front_ts(&q) == (int64_t)(1000 + q.first_seq), "its time");
    log_queue_drop(&q, SIZE_MAX, &loss);
    ok(q.records == 0 && q.bytes == 0 && log_queue_front(&q) == NULL, "empty again");
    log_queue_release(&q);
}

static void test_ceiling(void)
{
    struct log_queue q;
    struct log_loss loss = {0};
    enum { N = 60000 };
    bool bounded = true;

    log_queue_init(&q, CEILING);
    for (uint64_t seq = 1; seq <= N; seq++) {
        push(&q, seq, seq % 1000 == 0 ? 400000 : seq % 500, &loss);
        bounded = bounded && q.bytes <= CEILING;
    }
    ok(bounded, "never above the ceiling");
    ok(loss.from == 1 && holds(&q, loss.records + 1, N), "the oldest went, the newest stayed");
    ok(q.bytes > CEILING - (1 << 20), "and not many more than had to: %zu", q.bytes);
    push(&q, N + 1, CEILING - 1000, &loss);
    ok(holds(&q, N + 1, N + 1) && loss.records == N, "one as large as the ceiling");
    log_queue_release(&q);
}

static void test_renumber(void)
{
    struct log_queue q;
    struct log_loss loss = {0};
    enum { N = 20000 };

    log_queue_init(&q, CEILING);
    for (uint64_t seq = 1; seq <= N; seq++)
        push(&q, seq, seq % 300, &loss);
    log_queue_drop(&q, 5000, &loss);
    ok(log_queue_renumber(&q, 999999990, &loss) == ERR_NONE, "renumbered");
    ok(holds(&q, 999999990 + loss.records + 1, 999999990 + N), "each by as much");
    push(&q, 999999990 + N + 1, 10, &loss);
    ok(holds(&q, 999999990 + loss.records + 1, 999999990 + N + 1), "and it goes on");
    log_queue_release(&q);
}

/* In a process of its own: address space runs out. Exit status 0: everything was counted. */
static int without_memory(void *ctx)
{
    struct log_queue q;
    struct log_loss loss = {0};
    struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
    struct rlimit before;
    enum { N = 5000 };
    uint64_t seq = 1;

    (void)ctx;
    getrlimit(RLIMIT_AS, &before);
    log_queue_init(&q, CEILING);
    none.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_AS, &none);
    for (; seq <= 10; seq++)
        push(&q, seq, 100, &loss);
    if (loss.records != 10 || loss.from != 1 || q.records != 0)
        return 1; /* not even a first block: all lost, all counted */
    setrlimit(RLIMIT_AS, &before);
    for (; seq <= N; seq++)
        push(&q, seq, 200, &loss);
    if (loss.records != 10 || !holds(&q, 11, N))
        return 2;
    setrlimit(RLIMIT_AS, &none);
    for (; seq <= 2 * N; seq++) {
        push(&q, seq, 200, &loss);
        if (!holds(&q, loss.records + 1, seq))
            return 3; /* the oldest block makes room */
    }
    push(&q, seq, 400000, &loss);
    if (loss.records != seq || q.records != 0)
        return 4; /* too large for any block: nothing waits */
    setrlimit(RLIMIT_AS, &before);
    push(&q, ++seq, 400000, &loss);
    return holds(&q, seq, seq) && loss.records == seq - 1 ? 0 : 5;
}

int main(void)
{
    test_drop_and_commit();
    test_ceiling();
    test_renumber();
    ok_alone(without_memory, NULL, "without memory");
    return done();
}
