// SPDX-License-Identifier: MIT
#include "run/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/sys.h"

#define NS_PER_S 1000000000

/* ---- one message -------------------------------------------------------------------------- */

enum received { GOT_MESSAGE, GOT_CUT, GOT_NOTHING, GOT_END, GOT_ERROR };

/*
 * One message. The end of file is a message without a stamp: an empty one has one. There is room
 * for the stamp alone, so that descriptors which the command sends along are not installed here
 * (unix(7): they are closed when the buffer is too small).
 */
static enum received receive(int fd, char *data, size_t room, size_t *len, int64_t *stamp_ns)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = data, .iov_len = room};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
    const struct cmsghdr *stamp;
    struct timespec at;
    ssize_t n;

    do
        n = sys.recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? GOT_NOTHING : GOT_ERROR;
    *len = (size_t)n;
    stamp = CMSG_FIRSTHDR(&m);
    if (stamp == NULL || stamp->cmsg_type != SO_TIMESTAMPNS)
        return n == 0 ? GOT_END : GOT_ERROR;
    memcpy(&at, CMSG_DATA(stamp), sizeof(at));
    *stamp_ns = (int64_t)at.tv_sec * NS_PER_S + at.tv_nsec;
    return (m.msg_flags & MSG_TRUNC) != 0 ? GOT_CUT : GOT_MESSAGE;
}

/* ---- sockets --------------------------------------------------------------------------- */

/*
 * A write larger than the send buffer fails, so it is made as large as we may: by force as root,
 * else up to net.core.wmem_max. A failure leaves what there is.
 */
static void enlarge(int fd)
{
    const int size = ORDER_SEND_BUFFER;

    if (sys.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
        (void)sys.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* A sandbox or another system behind the same calls may not stamp; better to know before. */
static enum err_code probe(const int fds[2], struct err *e)
{
    char byte = 0;
    size_t len;
    int64_t stamp_ns;

    if (sys.write(fds[1], &byte, sizeof(byte)) == (ssize_t)sizeof(byte) &&
        receive(fds[0], &byte, sizeof(byte), &len, &stamp_ns) == GOT_MESSAGE)
        return ERR_NONE;
    return err_set(e, ERR_REFUSED, "cannot use --order exact", "",
                   "this system does not say when a message was written");
}

enum err_code order_pair(int fds[2], struct err *e)
{
    const int on = 1;
    enum err_code rc;

    if (sys.socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return err_system(e, "cannot make a socket pair", "");
    enlarge(fds[1]);
    /* Before the first write: only those that find it switched on are stamped. Each end has a
       description of its own, so ours alone does not block. */
    if (sys.setsockopt(fds[0], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == 0 &&
        sys.fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
        rc = probe(fds, e);
    else
        rc = err_system(e, "cannot set up a socket pair", "");
    if (rc == ERR_NONE)
        return rc;
    sys.close(fds[0]);
    sys.close(fds[1]);
    return rc;
}

void order_init(struct order *o)
{
    *o = (struct order){0};
    for (int i = 0; i < ORDER_QUEUES; i++)
        o->queues[i] = (struct order_queue){.fd = -1, .ended = true};
}

enum err_code order_add(struct order *o, int i, int fd, struct err *e)
{
    struct order_queue *q = &o->queues[i];

    /* The other end's buffer, doubled, is what we asked for or less; its default may be more
       than that only where an administrator wants it so. */
    q->message_max = 2 * ORDER_SEND_BUFFER;
    q->data = malloc(ORDER_GATHER_MAX + q->message_max);
    q->messages = malloc(ORDER_MESSAGES_MAX * sizeof(*q->messages));
    if (q->data == NULL || q->messages == NULL)
        return err_set(e, ERR_MEMORY, "cannot start", "", "out of memory");
    q->fd = fd;
    q->ended = false;
    return ERR_NONE;
}

void order_release(struct order *o)
{
    for (int i = 0; i < ORDER_QUEUES; i++) {
        free(o->queues[i].data);
        free(o->queues[i].messages);
    }
    order_init(o);
}

/* ---- receiving -------------------------------------------------------------------------- */

/* Moves what has not come out yet to the front. There is little of it when this is called. */
static void compact(struct order_queue *q)
{
    if (q->begin == 0 && q->first == 0)
        return;
    memmove(q->data, q->data + q->begin, q->end - q->begin);
    memmove(q->messages, q->messages + q->first, (q->n - q->first) * sizeof(*q->messages));
    q->n -= q->first;
    for (size_t k = 0; k < q->n; k++)
        q->messages[k].end -= q->begin;
    q->end -= q->begin;
    q->begin = q->first = 0;
}

static void note(struct order *o, struct order_queue *q, size_t len, int64_t stamp_ns)
{
    if (stamp_ns < q->newest_ns)
        o->set_back = true;
    q->newest_ns = stamp_ns;
    q->end += len;
    if (q->limited)
        q->left -= len < q->left ? len : q->left;
    if (len > 0)
        q->messages[q->n++] =
            (struct order_message){.end = q->end, .stamp_ns = stamp_ns, .look = o->looks};
}

/* One message more; false: there is none, now or ever. */
static bool receive_next(struct order *o, struct order_queue *q)
{
    /* After the limit one more look, which tells the end of file from a holder. */
    bool last = q->limited && q->left == 0;
    size_t len;
    int64_t stamp_ns;
    enum received got = receive(q->fd, q->data + q->end, q->message_max, &len, &stamp_ns);

    switch (got) {
    case GOT_MESSAGE:
    case GOT_CUT: /* the command made its buffer larger than we did */
        q->lost = q->lost || got == GOT_CUT;
        note(o, q, len, stamp_ns);
        q->ended = q->held = last;
        return !last;
    case GOT_NOTHING:
        q->empty_at = o->looks;
        q->ended = q->held = q->limited;
        return false;
    case GOT_ERROR:
        q->lost = true;
        break;
    case GOT_END:
        break;
    }
    q->ended = true;
    return false;
}

void order_look(struct order *o, int i)
{
    struct order_queue *q = &o->queues[i];

    o->looks++;
    if (q->ended)
        return;
    compact(q);
    /* Counted, because empty messages add nothing to either bound. */
    for (int k = 0; k < ORDER_MESSAGES_MAX && q->n < ORDER_MESSAGES_MAX &&
                    q->end < ORDER_GATHER_MAX; k++)
        if (!receive_next(o, q))
            return;
}

/* ---- the sequence ------------------------------------------------------------------------ */

static bool holds(const struct order_queue *q)
{
    return q->first < q->n;
}

/* Nothing older than message m can come from the empty queue `other`. */
static bool ruled_out(const struct order_queue *other, const struct order_message *m)
{
    return other->ended || other->empty_at > m->look;
}

/* The next message of q comes before anything of `other`. */
static bool goes_first(const struct order_queue *q, const struct order_queue *other,
                       bool first_of_equals)
{
    const struct order_message *m = &q->messages[q->first];
    const struct order_message *rival = &other->messages[other->first];

    if (!holds(other))
        return ruled_out(other, m);
    return m->stamp_ns < rival->stamp_ns || (first_of_equals && m->stamp_ns == rival->stamp_ns);
}

/* What q has before anything of `other`, up to ORDER_SPAN_MAX: the rest of a message that is cut
   is still the oldest. */
static struct raw_span take_first(struct order_queue *q, const struct order_queue *other,
                                  bool first_of_equals)
{
    const size_t from = q->begin;

    while (holds(q) && goes_first(q, other, first_of_equals)) {
        if (q->messages[q->first].end - from > ORDER_SPAN_MAX) {
            q->begin = from + ORDER_SPAN_MAX;
            break;
        }
        q->begin = q->messages[q->first++].end;
    }
    return (struct raw_span){q->data + from, q->begin - from};
}

enum order_next order_next(struct order *o, int *i, struct raw_span *span)
{
    for (int at = 0; at < ORDER_QUEUES; at++) {
        struct order_queue *q = &o->queues[at];
        const struct order_queue *other = &o->queues[1 - at];

        *span = take_first(q, other, at == 0);
        if (span->len > 0) {
            *i = at;
            return ORDER_BYTES;
        }
    }
    for (int at = 0; at < ORDER_QUEUES; at++)
        if (holds(&o->queues[at])) {
            *i = 1 - at;
            return ORDER_LOOK;
        }
    return ORDER_EMPTY;
}

bool order_pending(const struct order *o)
{
    return holds(&o->queues[0]) || holds(&o->queues[1]);
}

bool order_ended(const struct order *o, int i)
{
    return o->queues[i].ended && !holds(&o->queues[i]);
}

void order_limit(struct order *o, int i)
{
    struct order_queue *q = &o->queues[i];

    if (q->limited)
        return;
    q->limited = true;
    q->left = q->message_max; /* no more than a send buffer's worth can be waiting */
}

void order_drop(struct order *o, int i)
{
    struct order_queue *q = &o->queues[i];

    q->ended = true;
    q->first = q->n;
    q->begin = q->end;
}

bool order_let_go(int fd)
{
    char byte;
    size_t len;
    int64_t stamp_ns;

    return receive(fd, &byte, sizeof(byte), &len, &stamp_ns) == GOT_END;
}
