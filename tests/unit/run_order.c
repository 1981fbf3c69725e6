// SPDX-License-Identifier: MIT
/*
 * --order exact: whatever is written while we look, and however the looks fall, what comes out
 * stands in the order of writing. A made-up kernel writes between any two receives.
 */
#include "lib/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "run/order.h"

enum { QUEUE_MAX = 20000, ID_LEN = 8, TURNS_MAX = 100000, SEEDS = 300 };

struct written {
    unsigned id;
    size_t len; /* ID_LEN and some filling; 0: an empty write */
    int64_t stamp_ns;
};

/* The made-up kernel: descriptors 1000 and 1001. */
static struct {
    struct written queue[ORDER_QUEUES][QUEUE_MAX];
    size_t head[ORDER_QUEUES], tail[ORDER_QUEUES];
    unsigned next_id, last_id;
    int64_t now_ns;
    size_t large;   /* one message in that many is large; 0: none */
    bool busy;      /* writes while it is read */
    bool closed;    /* the writer is gone */
    uint64_t random;
} kernel;

static unsigned chance(unsigned n)
{
    kernel.random = kernel.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(kernel.random >> 33) % n;
}

static void write_one(int i, size_t len)
{
    size_t *tail = &kernel.tail[i];

    kernel.now_ns += 1 + chance(500);
    kernel.queue[i][(*tail)++] = (struct written){
        .id = len > 0 ? kernel.next_id++ : 0, .len = len, .stamp_ns = kernel.now_ns};
}

static void write_some(void)
{
    for (unsigned n = chance(4); n > 0 && kernel.next_id < kernel.last_id; n--) {
        size_t len = ID_LEN + 1 + chance(40);

        if (kernel.large > 0 && chance((unsigned)kernel.large) == 0)
            len = 100000 + chance(300000);
        if (chance(20) == 0)
            write_one((int)chance(2), 0);
        write_one((int)chance(2), len);
    }
    if (kernel.next_id == kernel.last_id)
        kernel.closed = true;
}

static void put_stamp(struct msghdr *m, int64_t stamp_ns)
{
    struct timespec at = {.tv_sec = stamp_ns / 1000000000, .tv_nsec = stamp_ns % 1000000000};
    struct cmsghdr *c = CMSG_FIRSTHDR(m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SO_TIMESTAMPNS;
    c->cmsg_len = CMSG_LEN(sizeof(at));
    memcpy(CMSG_DATA(c), &at, sizeof(at));
}

static ssize_t fake_recvmsg(int fd, struct msghdr *m, int flags)
{
    int i = fd - 1000;
    const struct written *w;
    size_t n;

    (void)flags;
    if (kernel.busy)
        write_some();
    if (chance(10) == 0) {
        errno = EINTR;
        return -1;
    }
    if (kernel.head[i] == kernel.tail[i]) {
        m->msg_controllen = 0;
        errno = EAGAIN;
        return kernel.closed ? 0 : -1;
    }
    w = &kernel.queue[i][kernel.head[i]++];
    put_stamp(m, w->stamp_ns);
    n = w->len < m->msg_iov[0].iov_len ? w->len : m->msg_iov[0].iov_len;
    m->msg_flags = n < w->len ? MSG_TRUNC : 0;
    memset(m->msg_iov[0].iov_base, '.', n);
    if (n >= ID_LEN) {
        char id[ID_LEN + 1];

        snprintf(id, sizeof(id), "%08u", w->id);
        memcpy(m->msg_iov[0].iov_base, id, ID_LEN);
    }
    return (ssize_t)n;
}

static void kernel_reset(uint64_t seed, unsigned messages)
{
    memset(&kernel, 0, sizeof(kernel));
    kernel.random = seed;
    kernel.last_id = messages;
    kernel.now_ns = 1000;
}

/* ---- what comes out ----------------------------------------------------------------------- */

struct outcome {
    unsigned next_id; /* expected */
    unsigned misplaced;
    uint64_t bytes;
    size_t longest; /* span */
};

/* Ids are the only digits; a message that was cut into two spans has one in the first. */
static void check_span(struct outcome *out, struct raw_span span)
{
    for (size_t at = 0; at < span.len;) {
        if (span.ptr[at] == '.') {
            at++;
            continue;
        }
        out->misplaced += (unsigned)strtoul(span.ptr + at, NULL, 10) != out->next_id;
        out->next_id++;
        at += ID_LEN;
    }
    out->bytes += span.len;
    out->longest = span.len > out->longest ? span.len : out->longest;
}

/* As a session does it, with a chance to stop early, as behind a blocked terminal. */
static void turn(struct order *o, struct outcome *out)
{
    order_look(o, 0);
    order_look(o, 1);
    for (int looks = 0; looks < 5 && chance(30) != 0;) {
        struct raw_span span;
        int i;

        switch (order_next(o, &i, &span)) {
        case ORDER_BYTES:
            check_span(out, span);
            break;
        case ORDER_LOOK:
            order_look(o, i);
            looks++;
            break;
        case ORDER_EMPTY:
            return;
        }
    }
}

static bool open_order(struct order *o)
{
    struct err e;

    order_init(o);
    return order_add(o, 0, 1000, &e) == ERR_NONE && order_add(o, 1, 1001, &e) == ERR_NONE;
}

static struct outcome run(uint64_t seed, unsigned messages, size_t large)
{
    struct order o;
    struct outcome out = {0};
    int turns = 0;

    kernel_reset(seed, messages);
    kernel.large = large;
    kernel.busy = true;
    if (!open_order(&o))
        return out;
    while (!(order_ended(&o, 0) && order_ended(&o, 1)) && turns++ < TURNS_MAX)
        turn(&o, &out);
    out.misplaced += o.set_back || o.queues[0].lost || o.queues[1].held;
    order_release(&o);
    return out;
}

static void test_any_interleaving(void)
{
    unsigned bad = 0;
    size_t longest = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct outcome out = run(seed, 2000, seed % 3 == 0 ? 50 : 0);

        bad += out.misplaced > 0 || out.next_id != 2000;
        longest = out.longest > longest ? out.longest : longest;
    }
    is_int(bad, 0, "whatever falls between the looks: the order of writing, nothing lost");
    ok(longest > 100000 && longest <= ORDER_SPAN_MAX, "spans are joined, and bounded");
}

/* ---- single cases -------------------------------------------------------------------------- */

static void test_waits_for_the_other(void)
{
    struct order o;
    struct raw_span span;
    int i = 5;

    kernel_reset(1, 0);
    ok(open_order(&o), "two queues");
    order_look(&o, 0); /* empty, but that was before … */
    write_one(0, ID_LEN);
    write_one(1, ID_LEN);
    order_look(&o, 1);
    is_int(order_next(&o, &i, &span), ORDER_LOOK, "… what the other one brought now");
    is_int(i, 0, "so the first one is looked at again");
    order_look(&o, 0);
    is_int(order_next(&o, &i, &span), ORDER_BYTES, "then the older comes out");
    is_int(i, 0, "of the first");
    is_int(order_next(&o, &i, &span), ORDER_BYTES, "and the other one, for nothing else was there");
    is_int(i, 1, "of the second");
    is_int(order_next(&o, &i, &span), ORDER_EMPTY, "that is all");
    order_release(&o);
}

static void test_set_back(void)
{
    struct order o;
    struct raw_span span;
    int i;

    kernel_reset(1, 0);
    (void)!open_order(&o);
    write_one(0, ID_LEN);
    kernel.now_ns = 10;
    write_one(0, ID_LEN);
    order_look(&o, 0);
    order_look(&o, 1);
    ok(o.set_back, "a clock that was set back is noticed");
    ok(order_next(&o, &i, &span) == ORDER_BYTES && span.len == 2 * ID_LEN,
       "a stream keeps its own order all the same");
    order_release(&o);
}

static void test_limit(void)
{
    struct order o;
    struct raw_span span;
    int i;

    kernel_reset(1, 0);
    (void)!open_order(&o);
    write_one(0, ID_LEN);
    order_limit(&o, 0);
    order_look(&o, 0);
    ok(o.queues[0].held && !order_ended(&o, 0), "limited: somebody holds it, its rest is there");
    order_look(&o, 1);
    (void)order_next(&o, &i, &span);
    ok(order_ended(&o, 0), "then it has ended");
    order_release(&o);

    kernel_reset(1, 0);
    (void)!open_order(&o);
    kernel.closed = true;
    order_limit(&o, 0);
    order_look(&o, 0);
    ok(order_ended(&o, 0) && !o.queues[0].held, "limited, but nobody holds it: an end of file");
    order_release(&o);
}

static void test_limit_is_bounded(void)
{
    struct order o;
    struct outcome out = {0};
    int turns = 0;

    kernel_reset(3, QUEUE_MAX / 2);
    kernel.large = 2;
    kernel.busy = true;
    (void)!open_order(&o);
    order_limit(&o, 0);
    order_limit(&o, 1);
    while (!(order_ended(&o, 0) && order_ended(&o, 1)) && turns++ < TURNS_MAX)
        turn(&o, &out);
    ok(o.queues[0].held && o.queues[1].held, "limited, and it never stops writing: it is left");
    ok(out.bytes < 8 * ORDER_SEND_BUFFER && out.bytes > 0, "after a few buffers' worth");
    order_release(&o);
}

static void test_cut(void)
{
    struct order o;

    kernel_reset(1, 0);
    (void)!open_order(&o);
    write_one(0, 3 * ORDER_SEND_BUFFER);
    write_one(0, ID_LEN);
    order_look(&o, 0);
    order_look(&o, 0);
    ok(o.queues[0].lost && o.queues[0].n == 1 && !o.queues[0].ended,
       "a message larger than can be: what there is, and the loss is known");
    order_release(&o);
}

/* ---- the real kernel ------------------------------------------------------------------------- */

static void test_pair(void)
{
    int fds[2];
    struct err e;
    struct order o;
    struct raw_span span;
    int i;

    if (!ok(order_pair(fds, &e) == ERR_NONE, "a pair of sockets"))
        return;
    order_init(&o);
    ok(order_add(&o, 1, fds[0], &e) == ERR_NONE, "a queue");
    ok(write(fds[1], "a", 1) == 1 && write(fds[1], "", 0) == 0 && write(fds[1], "b", 1) == 1,
       "three writes");
    ok(!order_let_go(fds[0]), "bytes wait: not let go");
    order_look(&o, 1);
    ok(order_next(&o, &i, &span) == ORDER_BYTES && i == 1, "stamped");
    is_bytes(span.ptr, span.len, "b", 1, "what came after that look took one, without a gap");
    ok(!order_let_go(fds[0]), "held");
    close(fds[1]);
    ok(order_let_go(fds[0]), "let go");
    order_look(&o, 1);
    ok(order_ended(&o, 1) && !o.queues[1].lost, "an end of file");
    order_release(&o);
    close(fds[0]);
}

int main(void)
{
    ssize_t (*real)(int, struct msghdr *, int) = sys.recvmsg;

    sys.recvmsg = fake_recvmsg;
    test_any_interleaving();
    test_waits_for_the_other();
    test_set_back();
    test_limit();
    test_limit_is_bounded();
    test_cut();
    sys.recvmsg = real;
    test_pair();
    return done();
}
