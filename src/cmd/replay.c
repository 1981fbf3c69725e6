// SPDX-License-Identifier: MIT
/*
 * buildlog replay: the output of a build again, with the time that lay between its lines.
 *
 * What is due is written, then this waits in poll(2) until the next line is due, for a signal or
 * for the end of whoever reads. Lateness (a terminal that was stopped, Ctrl-Z) is not made up for.
 * At a terminal, signals that end it are taken between two lines, so that no colour is left on.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "cmd/builds.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "commands.gen.h"
#include "read/render.h"
#include "read/runner.h"
#include "read/timeline.h"
#include "run/signals.h"

enum {
    SPEED_ONE = 1000,         /* speeds are in thousandths */
    SPEED_MAX = 1000000,      /* a thousand times as fast */
    WAIT_MAX_MS = 3600000,    /* of one call of poll */
    LATE_MAX_NS = 1000000000, /* more than this is not made up for */
    LOOK_NS = 50000000,       /* how often signals are looked for while there is much to write */
    NS_PER_MS = 1000000
};
#define GAP_MAX_MS (INT64_C(30) * 86400000) /* no pause is longer, whatever the records say */

struct replay {
    const struct command *command;
    int64_t speed;       /* in thousandths; 0: at once */
    int64_t idle_max_ns; /* -1: no limit */
    struct opened_build build;
    struct build_report report;
    struct out out;
    struct renderer renderer;
    struct runner_guard guard; /* before out, where a runner reads it */
    struct timeline timeline;
    int64_t at_ms;      /* of the record shown last, on the timeline */
    int64_t due_ns;     /* when that one was due, on the monotonic clock */
    int64_t looked_ns;
    int signal_fd;      /* -1: signals do what they always do */
    sigset_t mask_before;
    int signal;         /* came in */
    bool reader_gone;
    bool mid_line; /* what was written last did not end in a newline */
};

/* ---- options -------------------------------------------------------------------------------- */

/* "2", "0.5", "max": in thousandths, 0 for at once. */
static bool parse_speed(const char *text, int64_t *speed)
{
    size_t whole = strspn(text, "0123456789");
    const char *fraction = text[whole] == '.' ? text + whole + 1 : text + whole;
    size_t digits = strspn(fraction, "0123456789");
    int64_t unit = SPEED_ONE;

    if (strcmp(text, "max") == 0) {
        *speed = 0;
        return true;
    }
    if (whole == 0 || whole > 4 || fraction[digits] != '\0' || digits > 3 ||
        (text[whole] == '.' && digits == 0))
        return false;
    *speed = 0;
    for (size_t i = 0; i < whole; i++)
        *speed = *speed * 10 + (text[i] - '0');
    *speed *= SPEED_ONE;
    for (size_t i = 0; i < digits; i++)
        *speed += (unit /= 10) * (fraction[i] - '0');
    return *speed <= SPEED_MAX;
}

static enum err_code parse(struct replay *r, const struct cmd_args *args, struct err *e)
{
    const struct parsed_option *speed = options_find(args, OPT_SPEED);
    const struct parsed_option *idle = options_find(args, OPT_IDLE_LIMIT);

    r->command = args->command;
    r->speed = SPEED_ONE;
    r->idle_max_ns = idle != NULL ? idle->number : -1;
    if (speed != NULL && !parse_speed(speed->text, &r->speed))
        return err_set(e, ERR_USAGE, "bad value for --speed", speed->text,
                       "want a number up to 1000, such as 2 or 0.5, or max");
    return ERR_NONE;
}

/* ---- signals -------------------------------------------------------------------------------- */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Those that are not ignored wait to be read from here on; where that cannot be, they end this at
   once, as always. */
static void take_signals(struct replay *r)
{
    sigset_t set;
    struct sigaction now;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&set, ending[i]);
    r->signal_fd = sys.signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (r->signal_fd >= 0)
        sigprocmask(SIG_BLOCK, &set, &r->mask_before);
}

static void leave_signals(struct replay *r)
{
    if (r->signal_fd < 0)
        return;
    sys.close(r->signal_fd);
    r->signal_fd = -1;
    sigprocmask(SIG_SETMASK, &r->mask_before, NULL);
}

static void read_signal(struct replay *r)
{
    struct signalfd_siginfo info;

    if (sys.read(r->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        r->signal = (int)info.ssi_signo;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static bool over(const struct replay *r)
{
    return r->signal != 0 || r->reader_gone;
}

/* Up to timeout_ms, or until a signal or the end of the reader. *slept: nothing came of it. */
static enum err_code look_around(struct replay *r, int timeout_ms, bool *slept, struct err *e)
{
    struct pollfd fds[] = {{.fd = r->signal_fd, .events = POLLIN}, {.fd = r->out.fd}};
    int n = sys.poll(fds, 2, timeout_ms);

    *slept = n == 0;
    if (n < 0)
        return errno == EINTR ? ERR_NONE : err_system(e, "cannot wait", "");
    if (n > 0 && fds[0].revents != 0)
        read_signal(r);
    if (n > 0 && (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
        r->reader_gone = true;
    return ERR_NONE;
}

/* How long to wait at most now: until due_ns, and never more than the pause that is to be shown,
   whatever a clock that fails says. */
static int wait_ms(int64_t due_ns, int64_t now_ns, int64_t pause)
{
    int64_t ns = due_ns - now_ns < pause ? due_ns - now_ns : pause;
    int64_t ms = (ns + NS_PER_MS - 1) / NS_PER_MS;

    return (int)(ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS);
}

static enum err_code wait_until(struct replay *r, int64_t due_ns, int64_t pause, struct err *e)
{
    int64_t now = clock_monotonic_ns();
    enum err_code rc = now < due_ns ? out_flush(&r->out) : ERR_NONE;
    bool slept;

    if (now >= due_ns && now - r->looked_ns >= LOOK_NS)
        rc = look_around(r, 0, &slept, e);
    while (rc == ERR_NONE && now < due_ns && !over(r)) {
        int timeout_ms = wait_ms(due_ns, now, pause);

        rc = look_around(r, timeout_ms, &slept, e);
        now = slept ? now + (int64_t)timeout_ms * NS_PER_MS : clock_monotonic_ns();
        if (slept && timeout_ms < WAIT_MAX_MS)
            break;
    }
    r->looked_ns = now;
    return rc;
}

/* How long the pause before a record is to be shown for. */
static int64_t pause_ns(const struct replay *r, int64_t pause_ms)
{
    int64_t ms = pause_ms < GAP_MAX_MS ? pause_ms : GAP_MAX_MS;
    int64_t ns = ms * NS_PER_MS;

    if (r->idle_max_ns >= 0 && ns > r->idle_max_ns)
        ns = r->idle_max_ns;
    return ns / r->speed * SPEED_ONE + ns % r->speed * SPEED_ONE / r->speed;
}

static enum err_code wait_for_record(struct replay *r, int64_t at_ms, struct err *e)
{
    int64_t earliest = clock_monotonic_ns() - LATE_MAX_NS;
    int64_t pause;

    if (r->speed == 0)
        return ERR_NONE;
    pause = pause_ns(r, at_ms - r->at_ms);
    r->due_ns = (r->due_ns > earliest ? r->due_ns : earliest) + pause;
    r->at_ms = at_ms;
    return wait_until(r, r->due_ns, pause, e);
}

/* ---- the records ---------------------------------------------------------------------------- */

static enum err_code show(struct replay *r, const struct log_item *item, struct err *e)
{
    enum err_code rc;

    r->renderer.format = item->kind == RECORD_LINE ? RENDER_RAW : RENDER_PRETTY;
    rc = render_item(&r->renderer, item, e);
    if (rc == ERR_FORMAT) {
        log_reader_damaged(r->build.reader);
        rc = ERR_NONE;
    }
    if (r->out.buf.len > 0)
        r->mid_line = r->out.buf.data[r->out.buf.len - 1] != '\n';
    return rc;
}

static enum err_code play(struct replay *r, struct err *e)
{
    enum err_code rc = ERR_NONE;
    struct log_item item;
    bool have = true;

    r->due_ns = r->looked_ns = clock_monotonic_ns();
    while (rc == ERR_NONE && !over(r)) {
        int64_t at_ms;

        rc = log_reader_next(r->build.reader, &item, &have, e);
        if (rc != ERR_NONE || !have)
            break;
        at_ms = timeline_next(&r->timeline, &item);
        if (item.kind != RECORD_LINE && item.kind != RECORD_GAP)
            continue;
        rc = wait_for_record(r, at_ms, e);
        if (rc == ERR_NONE && !over(r))
            rc = show(r, &item, e);
    }
    if (rc == ERR_NONE)
        rc = runner_finish(&r->guard);
    return rc == ERR_NONE ? out_flush(&r->out) : rc;
}

static enum err_code run_replay(struct replay *r, const struct cmd_args *args, struct err *e)
{
    enum err_code rc = open_build(args, &r->build, e);

    if (rc == ERR_NONE)
        rc = build_report_read(r->build.reader, &r->report, e);
    if (rc == ERR_NONE && r->out.terminal && r->speed > 0)
        take_signals(r);
    return rc == ERR_NONE ? play(r, e) : rc;
}

static void say_how(const struct replay *r)
{
    char left_out[LEFT_OUT_TEXT];
    char outcome[OUTCOME_TEXT];
    struct log_left_out l;
    bool running = r->report.state == STATE_RUNNING;

    log_reader_left_out(r->build.reader, &l);
    if (left_out_text(&l, running, left_out)[0] != '\0')
        cmd_warn(r->command, "build %s: left out: %s", r->build.id, left_out);
    if (r->out.terminal || r->report.state != STATE_ENDED)
        cmd_warn(r->command, "build %s: %s", r->build.id, outcome_text(&r->report, outcome));
}

static int finish(struct replay *r, enum err_code rc, const struct err *e)
{
    if (r->signal != 0) {
        if (r->renderer.colour)
            (void)!sink_puts(&r->renderer.sink, "\x1b[0m");
        (void)!out_flush(&r->out);
        leave_signals(r);
        signals_die(r->signal);
        return EXIT_SIGNAL_BASE + r->signal;
    }
    if (r->reader_gone || r->out.failed != 0)
        return out_finish(&r->out, r->command, EXIT_SIGNAL_BASE + SIGPIPE);
    if (rc != ERR_NONE) {
        cmd_warn_err(r->command, e);
        return out_finish(&r->out, r->command, EXIT_TROUBLE);
    }
    if (r->out.terminal && r->mid_line)
        (void)!sink_puts(&r->renderer.sink, "\n");
    if (out_flush(&r->out) == ERR_NONE)
        say_how(r);
    return out_finish(&r->out, r->command, EXIT_FOUND);
}

int cmd_replay(const struct cmd_args *args)
{
    struct replay r = {.build = {.root_fd = -1}, .signal_fd = -1};
    struct err e = {0};
    enum err_code rc = parse(&r, args, &e);
    int status;

    out_init_for(&r.out, args);
    r.guard.sink = out_sink(&r.out);
    r.renderer.sink = out_obeyed() ? runner_sink(&r.guard) : r.guard.sink;
    r.renderer.terminal = r.out.terminal;
    r.renderer.colour = r.out.colour;
    if (rc == ERR_NONE)
        rc = run_replay(&r, args, &e);
    status = finish(&r, rc, &e);
    leave_signals(&r);
    build_report_release(&r.report);
    close_build(&r.build);
    render_release(&r.renderer);
    out_release(&r.out);
    return status;
}
