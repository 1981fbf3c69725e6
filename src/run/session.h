// SPDX-License-Identifier: MIT
/*
 * One command under supervision, from its start to the end of its log.
 *
 *   SPAWN ──exec ok──▶ RUNNING ──stop, timeout──▶ STOPPING ──grace, again──▶ KILLING
 *     │                   │                          │                          │
 *     │ exec failed       │ command exits            │ command exits            │ command exits
 *     └──────────────────▶└───────────▶ DRAINING ◀───┴──────────────────────────┘
 *                                          │ both pipes ended, or linger over
 *                                          ▼
 *                                       SEALING ──end record written or given up──▶ SEALED
 *                                                                                     │
 *                                        loop ends when the terminal side is empty ◀──┘
 *
 *   SPAWN    → RUNNING   [session_take_exec_result] the errno pipe ended
 *   SPAWN    → STOPPING  [begin_stop] TERM, INT, HUP or a timeout before the exec
 *   SPAWN    → DRAINING  [on_child_exit] exec failed, the child is gone
 *   RUNNING  → STOPPING  [begin_stop]
 *   STOPPING → KILLING   [kill_rest]         grace over, or a second stop signal
 *   RUNNING, STOPPING, KILLING → DRAINING [on_child_exit]
 *   DRAINING → SEALING   [session_seal_if_drained] no stream is open any more
 *   SEALING  → SEALED    [seal]
 *
 * Guarantees, asserted by session_check at the end of every event:
 *   SPAWN             the command's process exists and is not reaped; the errno pipe is open
 *   RUNNING … KILLING the command is not reaped
 *   DRAINING          the command is reaped; at least one stream is open
 *   SEALING, SEALED   no stream is open; after SEALED nothing more is logged
 *   STOPPING          the grace timer runs;  KILLING: KILL was sent
 *
 * Events change the state, actions never do; session_set_state is the one setter. Nothing in the
 * loop sleeps or waits: the log is written as files are, all else is readiness and timers.
 */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "record/record.h"
#include "run/pty.h"
#include "run/stream.h"
#include "store/build_log.h"

#define SESSION_FOREVER (-1)

struct session_options {
    char *const *argv;     /* the command, NULL-terminated */
    const char *id;        /* of the build */
    struct build_log *log; /* not owned; sealed when session_run returns ERR_NONE */
    int64_t timeout_ns;      /* 0: none */
    int64_t idle_timeout_ns; /* 0: none; without output */
    int64_t stall_timeout_ns; /* 0: none; without a line of a new shape */
    bool stall_report; /* these two only write down how things stand */
    bool no_payload;   /* what lines say is not recorded, in events either */
    int64_t grace_ns;
    int64_t linger_ns; /* SESSION_FOREVER: until the last holder of the pipes is gone */
    enum forward_mode forward;
    struct redact_set *rules; /* not owned; also for what buildlog itself says */
    bool redact;              /* the log */
    bool merge; /* one pipe for both streams */
    struct ptys *ptys; /* not owned, but emptied: terminals to use in place of pipes */
    bool exact; /* sockets for both, and the order of writing */
    size_t max_line;
    bool split_long;
    enum frame_mode frames;
    bool stop_on_closed; /* a closed terminal side closes the command's pipe */
    bool obey_masks;   /* "::add-mask::VALUE" lines of the command register VALUE */
    bool pass_masks;   /* and reach the terminal side as they are */
    bool quiet;
    bool verbose;
    const bool *closed; /* which of descriptors 0, 1, 2 were closed at the start */
};

struct session_result {
    enum build_status status;
    int exit_code; /* the command's own, -1 if a signal ended it */
    int signal;    /* 0, or what killed it */
};

/*
 * Runs the command to its end. An error means that the command was never started (nothing of
 * it happened, the log is not sealed). Its own messages go to stderr as they arise, through
 * the same terminal as the command's output, so that they can never block.
 */
enum err_code session_run(const struct session_options *o, struct session_result *result,
                          struct err *e) MUST_USE;

#endif
