// SPDX-License-Identifier: MIT
/*
 * What the parts of a session share. session.h has the state diagram and the guarantees.
 *
 *   session.c          set-up, the loop, the state, the way of the bytes
 *   session_order.c    --order exact: two streams in the order of writing
 *   session_stall.c    a command that makes no progress
 *   session_control.c  signals in, signals out, timeouts, job control, the command's exit
 *   session_terminal.c terminals of the command's own: what is typed, foreground, sizes, stops
 *   session_report.c   messages, events, orphans, the end record
 */
#ifndef RUN_SESSION_STATE_H
#define RUN_SESSION_STATE_H

#include <ev.h>
#include <sys/resource.h>

#include "run/ahead.h"
#include "run/line_watch.h"
#include "run/mask_socket.h"
#include "run/masks.h"
#include "run/pty.h"
#include "run/relay.h"
#include "run/order.h"
#include "run/session.h"
#include "run/signals.h"
#include "run/terminal.h"
#include "run/spawn.h"
#include "run/stage.h"

enum state { SPAWN, RUNNING, STOPPING, KILLING, DRAINING, SEALING, SEALED };

enum { OUT, ERR, N_STREAMS }; /* with --order merge only OUT is open */

#define NS_PER_S 1e9
#define TICK_S 1.0            /* the log is retried and looked after this often */
#define PREVIEW_S 0.1         /* a prompt that could begin a secret is shown after this */
#define AFTER_KILL_S 1.0      /* how long the pipes may stay open once their holders got KILL */

struct channel {
    struct session *session;
    struct stream stream;
    struct terminal terminal;
    bool open; /* being read, or ended and not yet finished */
    bool wiped; /* what it has drawn ends with the wiping of a line */
    ev_io readable;
    ev_io writable;
    ev_timer preview;
};

/* A time limit that output puts off. */
struct patience {
    ev_timer timer;
    int64_t limit_ns; /* 0: none */
    int64_t since_ns; /* the last sign of progress */
    int64_t told_ns;  /* since_ns of the stall that was told of last; -1: none */
};

/* For how long one stream may be waited for while the other's bytes are at hand. */
struct wait_credit {
    int64_t left_ns;
    int64_t at_ns; /* when that was so */
};

struct session {
    const struct session_options *o;
    enum state state;
    struct ev_loop *loop;
    struct signals signals;
    struct spawn_options spawn;
    struct spawned child;
    struct channel channels[N_STREAMS];
    struct order order; /* with --order exact, as the next three */
    struct stage stage;
    ev_timer order_again; /* what no descriptor tells of */
    bool told_set_back;
    struct masks masks;
    struct mask_socket mask_socket;
    char *scratch;
    struct ahead ahead; /* at work within turns of a stream only */
    int tty_fd; /* the controlling terminal, -1 if there is none */
    bool own_group;
    bool hand_terminal; /* the terminal was handed to the command's group */
    bool in_session;    /* the command has a session and a controlling terminal of its own */
    bool held;          /* it is kept from the foreground until it wants keys */
    int stragglers_left; /* looks for what stopped too late to be continued with the others */
    char *second_scratch; /* as scratch, while that is in use for the other stream */
    bool between;       /* a turn of the one stream within one of the other */
    bool stderr_draws;  /* a screen there: the results on stdout come after it */
    const struct channel *unfinished; /* whose line the cursor stands on; NULL: at its beginning */
    struct wait_credit credit;
    struct relay relay; /* of that session */
    bool ground_due;    /* the command is on its way to the front of its terminal */
    bool group_told;    /* the last Ctrl-C was passed on to our own group, too */

    ev_io exec_result;
    ev_io signal_ready;
    ev_io input;           /* these four with in_session only */
    ev_io master_writable;
    ev_io monitor_news;
    ev_timer look_for_front;
    ev_timer tick;
    ev_timer timeout;
    struct patience idle;  /* bytes */
    struct patience stall; /* a line of a new shape */
    struct line_watch watch;
    ev_timer grace;
    ev_timer linger;
    ev_timer give_up;

    struct winsize size;   /* of the command's terminal, as the log has it */
    int64_t size_noted_ns; /* when it last changed there */

    bool reaped;
    bool stopped; /* the command is stopped: timeouts stand still */
    bool stop_passed_on;
    bool exec_failed;
    bool timed_out;
    bool interrupted;
    bool ctrl_c;   /* came while the command ran */
    bool stopping; /* a stop signal or a timeout: forwarding may be given up */
    int exec_exit_code;
    int wait_status;
    struct rusage usage;
    int64_t started_ns;
    int64_t stopped_ns; /* when the command was stopped */
    uint64_t moved[N_STREAMS]; /* at the last look of the give-up timer */
};

/* ---- session.c ----------------------------------------------------------------------- */

void session_set_state(struct session *s, enum state next);
bool session_any_open(const struct session *s);

/* Bytes wait for the reader of our stdout or stderr. */
bool session_unfinished_output(const struct session *s);

/* Seconds; stopped first if it runs. 0 fires in the next turn. */
void session_start_timer(struct session *s, ev_timer *t, double after);

void session_watch_io(struct session *s, ev_io *w, bool wanted);

/* The end of every event: watchers follow from the state, and nothing else starts them. */
void session_settle(struct session *s);

/* Reads the exec's outcome, if it is there: SPAWN → RUNNING. */
void session_take_exec_result(struct session *s);

/* The stream has ended: its last bytes, and no more of it. */
void session_end_channel(struct channel *c);

/* The reader of this stream is gone: with --on-closed stop the command is to notice. */
void session_look_at_closed(struct session *s, struct channel *c);

/* ---- session_order.c ------------------------------------------------------------------- */

void session_order_init(struct session *s);
void session_order_release(struct session *s);

/* The ends of order_pair: the stream of channel i is read from read_fd. */
enum err_code session_order_add(struct session *s, int i, int read_fd,
                                struct err *e) MUST_USE;

/* What is readable of both streams, in order, as far as the terminals take it. */
void session_order_turn(struct session *s);

/* Sees to it that what is left over gets a turn. */
void session_order_settle(struct session *s);

/* ---- session_stall.c ------------------------------------------------------------------- */

enum err_code session_stall_init(struct session *s, struct err *e) MUST_USE;
void session_stall_start(struct session *s);
void session_stall_stop(struct session *s);

/* The command was stopped for this long, which does not count. */
void session_stall_resume(struct session *s, int64_t paused_ns);

/* Bytes came, and the splitter has seen them. */
void session_note_output(struct session *s);

/* ---- session_control.c ---------------------------------------------------------------- */

void session_look_at_child(struct session *s);
void session_on_signal_ready(struct ev_loop *loop, ev_io *w, int events);
void session_on_timeout(struct ev_loop *loop, ev_timer *w, int events);
/* The time of a limit is over: a timeout event, and the command is asked to stop. */
void session_time_is_up(struct session *s, const char *which, int64_t after_ns);

/* The keys of the streams that are open; how many. */
size_t session_open_keys(const struct session *s, uint64_t keys[N_STREAMS]);
void session_on_grace(struct ev_loop *loop, ev_timer *w, int events);
void session_on_linger(struct ev_loop *loop, ev_timer *w, int events);
void session_on_give_up(struct ev_loop *loop, ev_timer *w, int events);

/* Is this process's group the terminal's foreground? */
bool session_in_foreground(int tty_fd);

/* ---- session_terminal.c: for in_session, but for session_resize_ptys ------------------------ */

/* The command has been started. */
void session_terminal_start(struct session *s);

/* Part of session_settle. */
void session_terminal_watch(struct session *s);

/* It has exited, and has not read this; what is typed from now on is not for it either. */
void session_terminal_command_gone(struct session *s, const struct monitor_report *report);

/* Both streams have ended. */
void session_terminal_drained(struct session *s);

/* The terminal outside is as it was, the monitor is gone. Once more is fine. */
void session_terminal_release(struct session *s);

/* The command was killed by a Ctrl-C that those around us have not heard of: what it ran was in
   between. To be called last. */
void session_terminal_die_together(const struct session *s);

/* The command was stopped: stops us as the terminal would have. */
void session_terminal_stopped(struct session *s, int signal);
void session_terminal_continue(struct session *s);

void session_resize_ptys(struct session *s);

/* Is the other stream to go first, on whose line the cursor stands? It may be about to wipe it. */
bool session_unfinished_first(struct session *s, const struct channel *c);

/* An event if the size of the command's terminal is another one; at most once a second. */
void session_note_size(struct session *s);

/* ---- session_report.c ------------------------------------------------------------------ */

/* One line on stderr, behind what the command wrote there. */
void session_say(struct session *s, const char *text);
void session_say_err(struct session *s, const struct err *e, const char *after);

/* What the log has to tell, once. */
void session_say_log_notice(struct session *s);

void session_put_event(struct session *s, const char *level, const char *event,
                       const struct record_field *fields, size_t n);
struct record_field session_number(const char *key, int64_t number);
struct record_field session_text(const char *key, struct clean_span text);
void session_report_exec_failure(struct session *s, const struct err *e);

void session_fill_result(const struct session *s, struct session_result *result);

/* DRAINING → SEALING → SEALED once no stream is open. */
void session_seal_if_drained(struct session *s);

#endif
