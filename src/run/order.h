// SPDX-License-Identifier: MIT
/*
 * --order exact: which of two streams was written to first.
 *
 * Two pipes do not tell. Here each stream is a pair of connected AF_UNIX sockets of type
 * SOCK_SEQPACKET, unnamed, so that nobody else can reach them: one write is one message, and
 * the kernel stamps it with the time at which it is queued (SO_TIMESTAMPNS, socket(7); AF_UNIX
 * stamps in the sender's call). The stamps put the messages of both queues in one sequence. The
 * close of the last descriptor is the end of file, as it is with a pipe, so `complete` means
 * the same. Rejected: two datagram sockets that send to one queue, told apart by their
 * addresses. It takes a name that others may send to, holds eleven messages unless the system
 * was set up otherwise (net.unix.max_dgram_qlen), and has no end of file.
 *
 * The promise: of two writes of which one had returned before the other began, the first comes
 * out first, whatever streams and processes made them. It holds while the system's clock is not
 * set back while both queues hold something; `set_back` tells whether it was.
 *
 * When a message may come out: its queue's next is older than the other queue's next; or the
 * other queue is empty and was seen empty after the message was received. Then whatever comes
 * there was queued later than our look, and the message earlier.
 *
 * Invariant: what is gathered of a queue lies in one piece, so that neighbours come out as one
 * span. Knows no event loop and no record. Called by session_order.c.
 */
#ifndef RUN_ORDER_H
#define RUN_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"

enum {
    ORDER_QUEUES = 2,
    ORDER_SEND_BUFFER = 1 << 20,   /* asked for; the kernel doubles it, socket(7) */
    ORDER_GATHER_MAX = 256 << 10,  /* bytes gathered of a queue before no more is received … */
    ORDER_MESSAGES_MAX = 4096,     /* … and messages */
    ORDER_SPAN_MAX = 256 << 10     /* bytes that come out at once */
};

struct order_message {
    size_t end;       /* offset of its end in the queue's data */
    int64_t stamp_ns; /* when it was written, since the epoch */
    uint64_t look;    /* the look that brought it */
};

struct order_queue {
    int fd;             /* ours, non-blocking; not owned; -1: nothing more comes */
    size_t message_max; /* bytes of the largest message there can be */
    char *data;
    size_t begin; /* of what has not come out yet */
    size_t end;
    struct order_message *messages;
    size_t first;
    size_t n;
    uint64_t empty_at; /* the last look that found it empty */
    int64_t newest_ns; /* the latest stamp so far */
    bool limited;      /* only `left` more bytes, or until it is found empty */
    size_t left;
    bool ended;  /* end of file, or an error */
    bool held;   /* limited, and the limit was reached before the end of file */
    bool lost;   /* an error: something may be missing */
};

struct order {
    struct order_queue queues[ORDER_QUEUES];
    uint64_t looks;
    bool set_back; /* a stamp was older than the one before it in its queue */
};

/* Two connected sockets: fds[0] is ours, fds[1] the command's, both close-on-exec. */
enum err_code order_pair(int fds[2], struct err *e) MUST_USE;

void order_init(struct order *o);

/* Queue i is read from fd, of order_pair, which stays the caller's. */
enum err_code order_add(struct order *o, int i, int fd, struct err *e) MUST_USE;
void order_release(struct order *o);

/* Receives what waits in queue i, up to a bound. */
void order_look(struct order *o, int i);

enum order_next {
    ORDER_BYTES, /* *i and *span: the next bytes, which stay until the next order_look */
    ORDER_LOOK,  /* order_look(*i) first: something older may be there */
    ORDER_EMPTY  /* nothing is gathered */
};

enum order_next order_next(struct order *o, int *i, struct raw_span *span);

/* Something is gathered that has not come out. */
bool order_pending(const struct order *o);

/* All of queue i has come out, and nothing more will. */
bool order_ended(const struct order *o, int i);

/* From now on only what is in queue i already: what cannot be there is not waited for. */
void order_limit(struct order *o, int i);

/* Queue i is given up; what is gathered of it is forgotten. */
void order_drop(struct order *o, int i);

/* Has the last holder of the other end of fd let go, without a further word? */
bool order_let_go(int fd);

/*
 * ERR_REFUSED if argv's program is known to print nothing, or to fail, where its output is a
 * socket: Node.js and what is written for it, by the program's name or its first line.
 */
enum err_code order_check_command(char *const *argv, struct err *e) MUST_USE;

#endif
