// SPDX-License-Identifier: MIT
#include "run/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/sys.h"
#include "run/ahead.h"
#include "run/order.h"

enum { LARGE_PIPE = 1 << 20, FULL_PIPE = 64 << 10 }; /* pipe(7): capacity and its usual ceiling */

/* More than a pseudo-terminal holds: 64 KiB on the way (TTYB_DEFAULT_MEM_LIMIT of the kernel's
   tty_buffer.c) and 4 KiB to be read. FIONREAD tells of the latter only. */
enum { FULL_PTY = 128 << 10 };

/* A read of a pseudo-terminal gives so much at most (N_TTY_BUF_SIZE of the kernel's n_tty.c). So
   many at once save turns, and writes to the log; a small one is the last, because then a program
   talks and somebody waits. */
enum { PTY_READ = 4095, PTY_BATCH = 8 * PTY_READ, PTY_SMALL = 2 << 10 };

/* Of so much at once there is more to come. */
enum { PTY_FULL = PTY_BATCH / 2 };

/* And so much it takes of a write, or a little more (tty_buffer_set_limit in pty.c). When more is
   kept for it, it is offered between two reads: a batch takes far longer than who reads the
   terminal outside takes to empty it. */
enum { PTY_TAKES = 8 << 10 };

/* So many reads of a full pipe, or batches of a full terminal, are one turn at most, and no more is
   read once it takes so long: signals, the other stream and timers wait meanwhile. */
enum { AHEAD_READS = 8, BEHIND_BATCHES = 32 };
#define AHEAD_NS INT64_C(10000000)

static bool wants_last_frame(const struct stream_options *o)
{
    return o->frames == FRAMES_LAST || (o->frames == FRAMES_AUTO && o->is_pty);
}

enum err_code stream_init(struct stream *s, int read_fd, const struct stream_options *o,
                          struct err *e)
{
    bool log_passes = !o->redact;
    bool terminal_passes = o->forward == FORWARD_RAW;
    enum err_code rc;

    *s = (struct stream){.fd = read_fd, .log = o->log, .is_pty = o->is_pty, .hold = o->hold,
                         .large_pipe = o->is_pty, .stage = o->stage};
    s->terminal = o->forward == FORWARD_NONE ? NULL : o->terminal;
    splitter_init(&s->splitter, &(struct splitter_options){
                                    .log = o->log, .src = o->src, .max_line = o->max_line,
                                    .split = o->split_long, .is_terminal = o->is_pty,
                                    .last_frame = wants_last_frame(o)});
    rc = redactor_new(&s->for_log, log_passes ? NULL : o->rules, e);
    if (rc == ERR_NONE && s->terminal != NULL &&
        (log_passes != terminal_passes || (o->pass_masks && !terminal_passes)))
        rc = redactor_new(&s->for_terminal, terminal_passes ? NULL : o->rules, e);
    if (rc == ERR_NONE && s->for_terminal != NULL && o->pass_masks && !terminal_passes) {
        redactor_pass_mask_lines(s->for_terminal);
        s->passes_masks = true;
    }
    /* Only where the redactor is all that goes before the log: nothing to hide, nothing to gain. */
    if (!log_passes && s->for_terminal == NULL && s->stage == NULL && !s->is_pty &&
        redact_set_suits_thread(o->rules))
        s->ahead = o->ahead;
    if (s->is_pty && s->for_terminal == NULL && s->stage == NULL)
        s->ahead = o->ahead;
    if (rc != ERR_NONE)
        stream_release(s);
    return rc;
}

void stream_close(struct stream *s)
{
    if (s->fd >= 0)
        sys.close(s->fd);
    s->fd = -1;
}

void stream_release(struct stream *s)
{
    stream_close(s);
    redactor_free(s->for_log);
    redactor_free(s->for_terminal);
    clean_vec_release(&s->log_spans);
    clean_vec_release(&s->terminal_spans);
    splitter_release(&s->splitter);
    *s = (struct stream){.fd = -1};
}

/* The log has what is kept for it. */
static void keep_busy(struct stream *s)
{
    if (s->terminal != NULL && terminal_kept(s->terminal) > PTY_TAKES)
        terminal_flush(s->terminal);
}

static void forward(struct stream *s, const struct clean_vec *spans)
{
    for (size_t i = 0; i < spans->len; i++)
        s->marks_shown += spans->items[i].marks;
    if (s->stage == NULL)
        terminal_put(s->terminal, spans);
    else if (stage_put(s->stage, s->terminal, spans) != ERR_NONE)
        terminal_close(s->terminal, ENOMEM); /* the log has it; better nothing than a wrong half */
}

/* holding: the redactor was, behind these spans. */
static void to_log(struct stream *s, const struct clean_vec *spans, bool holding, int64_t ts_ms)
{
    splitter_feed(&s->splitter, spans, ts_ms);
    if (holding)
        splitter_expect(&s->splitter, ts_ms);
    if (s->stage == NULL)
        (void)build_log_flush(s->log);
}

/* Log first, then the terminal. ERR_MEMORY: nothing was taken. */
static enum err_code take(struct stream *s, struct raw_span in, int64_t ts_ms)
{
    enum err_code rc = redactor_feed(s->for_log, in, &s->log_spans);

    if (rc != ERR_NONE)
        return rc;
    to_log(s, &s->log_spans, redactor_holding(s->for_log), ts_ms);
    if (s->terminal == NULL)
        return ERR_NONE;
    if (s->for_terminal == NULL) {
        forward(s, &s->log_spans);
        return ERR_NONE;
    }
    rc = redactor_feed(s->for_terminal, in, &s->terminal_spans);
    if (rc == ERR_NONE)
        forward(s, &s->terminal_spans);
    else
        terminal_close(s->terminal, ENOMEM); /* the log has it; better nothing than a wrong half */
    return ERR_NONE;
}

/*
 * How much of a read both redactors may take in turn. A line that registers a value does so when
 * the log's redactor takes it; so that the value counts from the same byte on for both, such a
 * line is a piece of its own.
 */
static size_t before_next_mask(const struct stream *s, struct raw_span in)
{
    static const char anchor[] = "::add-mask::";
    const char *newline = memchr(in.ptr, '\n', in.len);
    const char *mask;
    const char *start;

    if (newline == NULL || s->mid_line)
        return newline == NULL ? in.len : (size_t)(newline - in.ptr) + 1;
    mask = memmem(in.ptr, in.len, anchor, sizeof(anchor) - 1);
    if (mask == NULL)
        return in.len;
    start = memrchr(in.ptr, '\n', (size_t)(mask - in.ptr));
    if (start != NULL)
        return (size_t)(start - in.ptr) + 1;
    return (size_t)(newline - in.ptr) + 1;
}

/* Without memory for a whole read, smaller ones may still do. Never passes a byte unseen. */
static void take_all(struct stream *s, struct raw_span in)
{
    int64_t ts_ms = clock_realtime_ms();
    size_t piece = in.len;

    while (in.len > 0) {
        struct raw_span next = {.ptr = in.ptr, .len = piece < in.len ? piece : in.len};

        if (s->passes_masks)
            next.len = before_next_mask(s, next);
        if (take(s, next, ts_ms) == ERR_NONE) {
            s->mid_line = next.ptr[next.len - 1] != '\n';
            in.ptr += next.len;
            in.len -= next.len;
        } else if (piece > 1) {
            piece /= 2;
        } else {
            s->lost = true;
            return;
        }
    }
}

void stream_take(struct stream *s, struct raw_span in)
{
    s->bytes += in.len;
    take_all(s, in);
}

/* A pipe that is found full gets larger: fewer turns for the same bytes. Best effort. */
static void enlarge(struct stream *s, size_t n)
{
    if (s->large_pipe || n < FULL_PIPE)
        return;
    s->large_pipe = true;
    (void)sys.fcntl(s->fd, F_SETPIPE_SZ, LARGE_PIPE);
}

static enum stream_turn read_failed(struct stream *s)
{
    if (errno == EAGAIN || errno == EINTR) {
        if (!stream_wants_turns(s) || errno == EINTR)
            return STREAM_IDLE;
        s->orphaned = true; /* the last look: no end of file, so someone holds the pipe */
        return STREAM_ENDED;
    }
    s->lost = !s->is_pty || errno != EIO; /* its slave is closed (pty(7), tty_ioctl(4)) */
    return STREAM_ENDED;
}

static ssize_t read_batch(struct stream *s, char *scratch, size_t most)
{
    ssize_t n = sys.read(s->fd, scratch, most);
    ssize_t total = n;

    if (most > PTY_BATCH)
        most = PTY_BATCH;
    while (s->is_pty && n >= PTY_SMALL && (size_t)total < most) {
        keep_busy(s);
        n = sys.read(s->fd, scratch + total, most - (size_t)total);
        total += n > 0 ? n : 0; /* what was wrong comes again */
    }
    return total;
}

/* How many of the last bytes are to come after what the other stream has. */
static size_t ask_on_output(const struct stream *s, struct raw_span in)
{
    return s->on_output != NULL ? s->on_output(s->ctx, in) : 0;
}

static void pass_on(struct stream *s, struct raw_span in, size_t later)
{
    if (later > 0) {
        take_all(s, (struct raw_span){.ptr = in.ptr, .len = in.len - later});
        s->other_first(s->ctx);
        in = (struct raw_span){.ptr = in.ptr + in.len - later, .len = later};
    }
    take_all(s, in);
}

/* ---- a full pipe ----------------------------------------------------------------------- */

/* Log first, then the terminal, as take(). */
static void pass_read(struct stream *s, const struct ahead_read *read)
{
    struct raw_span in = {.ptr = read->data, .len = (size_t)read->len};

    s->bytes += in.len;
    if (read->rc != ERR_NONE) {
        take_all(s, in); /* in smaller pieces, that is */
        return;
    }
    to_log(s, &read->spans, read->holding, read->ts_ms);
    s->mid_line = in.ptr[in.len - 1] != '\n';
    if (s->terminal != NULL)
        forward(s, &read->spans);
}

/* May one more read be part of this turn? Nobody is to be kept waiting by it, and the terminal not
   to have more than `most` to show. */
static bool goes_on(const struct stream *s, size_t most, int64_t since_ns)
{
    bool heard = s->terminal == NULL ||
                 (terminal_kept(s->terminal) <= most && s->terminal->sys_errno == 0);

    return heard && clock_monotonic_ns() - since_ns < AHEAD_NS;
}

/* A read behind others gave nothing: it ended, or failed with errno. */
static enum stream_turn no_more(struct stream *s, ssize_t n)
{
    return n == 0 || read_failed(s) == STREAM_ENDED ? STREAM_ENDED : STREAM_READ;
}

/* The first read is in scratch; each is passed on while the thread is at the next one. */
static enum stream_turn turn_ahead(struct stream *s, char *scratch, size_t n)
{
    struct ahead_read *reads = s->ahead->reads;
    int64_t since_ns = clock_monotonic_ns();

    reads[0].data = scratch;
    reads[1].data = s->ahead->buffer;
    reads[0].len = (ssize_t)n;
    ahead_redact(s->for_log, &reads[0]);
    for (int i = 0; i < AHEAD_READS; i++) {
        struct ahead_read *next = &reads[(i + 1) % 2];
        bool full = reads[i % 2].rc == ERR_NONE && reads[i % 2].len >= FULL_PIPE;
        bool more = i + 1 < AHEAD_READS && full && goes_on(s, 0, since_ns);

        if (more)
            ahead_begin_read(s->ahead, s->fd, s->for_log, next);
        pass_read(s, &reads[i % 2]);
        if (!more)
            break;
        ahead_end(s->ahead);
        if (next->len <= 0) {
            errno = next->sys_errno;
            return no_more(s, next->len);
        }
    }
    return STREAM_READ;
}

/* ---- a full terminal ------------------------------------------------------------------- */

struct log_job {
    struct stream *stream;
    bool holding;
    int64_t ts_ms;
};

static void write_log(void *ctx)
{
    const struct log_job *job = ctx;

    to_log(job->stream, &job->stream->log_spans, job->holding, job->ts_ms);
}

/* Log first, then the terminal, as take(): the thread writes the log while the next bytes are read
   to `next`. Returns how many those are, as read(2). */
static ssize_t pass_behind(struct stream *s, struct raw_span in, char *next)
{
    struct log_job job = {.stream = s, .ts_ms = clock_realtime_ms()};
    int sys_errno;
    ssize_t n;

    if (redactor_feed(s->for_log, in, &s->log_spans) != ERR_NONE) {
        take_all(s, in); /* in smaller pieces, that is */
        return read_batch(s, next, PTY_BATCH);
    }
    job.holding = redactor_holding(s->for_log);
    ahead_begin(s->ahead, write_log, &job);
    n = read_batch(s, next, PTY_BATCH);
    sys_errno = errno;
    ahead_end(s->ahead);
    s->mid_line = in.ptr[in.len - 1] != '\n';
    if (s->terminal != NULL)
        forward(s, &s->log_spans);
    errno = sys_errno;
    return n;
}

/* The first batch is in scratch, so is the last. Nothing is under way while somebody is asked, who
   may write to the log. */
static enum stream_turn turn_behind(struct stream *s, char *scratch, size_t len)
{
    char *const buffers[2] = {scratch, s->ahead->buffer};
    struct raw_span in = {.ptr = scratch, .len = len};
    int64_t since_ns = clock_monotonic_ns();
    size_t later = ask_on_output(s, in);

    for (int i = 1; i < BEHIND_BATCHES && later == 0 && in.len >= PTY_FULL &&
                    goes_on(s, STREAM_PTY_AHEAD, since_ns); i++) {
        ssize_t n = pass_behind(s, in, buffers[i % 2]);

        if (n <= 0)
            return no_more(s, n);
        in = (struct raw_span){.ptr = buffers[i % 2], .len = (size_t)n};
        s->bytes += in.len;
        later = ask_on_output(s, in);
    }
    if (in.ptr != scratch)
        memcpy(scratch, in.ptr, in.len); /* a turn of the other stream may want the other buffer */
    pass_on(s, (struct raw_span){.ptr = scratch, .len = in.len}, later);
    return STREAM_READ;
}

/* ---- a turn ------------------------------------------------------------------------------ */

enum stream_turn stream_turn(struct stream *s, char *scratch)
{
    bool last_look = stream_exhausted(s);
    size_t most = s->limited && !last_look && s->left < STREAM_READ_SIZE ? (size_t)s->left
                                                                         : STREAM_READ_SIZE;
    ssize_t n = read_batch(s, scratch, most);
    struct raw_span in;

    if (n < 0)
        return read_failed(s);
    if (n == 0)
        return STREAM_ENDED;
    enlarge(s, (size_t)n);
    if (!s->is_pty && n >= FULL_PIPE && s->ahead != NULL && !s->limited && ahead_ready(s->ahead))
        return turn_ahead(s, scratch, (size_t)n);
    s->bytes += (uint64_t)n;
    if (s->is_pty && n >= PTY_FULL && s->ahead != NULL && !s->limited && ahead_ready(s->ahead))
        return turn_behind(s, scratch, (size_t)n);
    in = (struct raw_span){.ptr = scratch, .len = (size_t)n};
    pass_on(s, in, ask_on_output(s, in));
    if (s->limited)
        s->left -= (uint64_t)n < s->left ? (uint64_t)n : s->left;
    if (last_look) {
        s->orphaned = true;
        return STREAM_ENDED;
    }
    return STREAM_READ;
}

void stream_limit(struct stream *s)
{
    int waiting = 0;

    if (s->fd < 0 || s->limited)
        return;
    s->limited = true;
    if (s->is_pty)
        s->left = FULL_PTY;
    else if (sys.ioctl(s->fd, FIONREAD, &waiting) == 0 && waiting > 0)
        s->left = (uint64_t)waiting;
}

bool stream_exhausted(const struct stream *s)
{
    return s->limited && s->left == 0;
}

bool stream_wants_turns(const struct stream *s)
{
    return stream_exhausted(s) || (s->limited && s->is_pty);
}

bool stream_let_go(struct stream *s)
{
    struct pollfd pipe = {.fd = s->fd, .events = POLLIN};

    if (s->stage != NULL && s->fd >= 0 && order_let_go(s->fd))
        s->orphaned = false;
    if (s->fd >= 0 && sys.poll(&pipe, 1, 0) == 1 && (pipe.revents & (POLLIN | POLLHUP)) == POLLHUP)
        s->orphaned = false;
    return !s->orphaned;
}

static struct redactor *shown_through(const struct stream *s)
{
    return s->for_terminal != NULL ? s->for_terminal : s->for_log;
}

bool stream_wants_preview(const struct stream *s)
{
    return s->fd >= 0 && s->terminal != NULL && redactor_wants_preview(shown_through(s));
}

void stream_preview(struct stream *s)
{
    struct clean_span early = redactor_preview(shown_through(s));
    struct clean_vec one = {.items = &early, .len = 1, .cap = 1, .bytes = early.len};

    if (early.len > 0)
        terminal_put(s->terminal, &one);
}

void stream_finish(struct stream *s)
{
    int64_t ts_ms = clock_realtime_ms();

    if (!s->orphaned)
        stream_close(s);
    if (redactor_finish(s->for_log, &s->log_spans) != ERR_NONE)
        s->lost = true;
    splitter_feed(&s->splitter, &s->log_spans, ts_ms);
    splitter_finish(&s->splitter);
    (void)build_log_flush(s->log);
    if (s->terminal == NULL)
        return;
    if (s->for_terminal == NULL)
        forward(s, &s->log_spans);
    else if (redactor_finish(s->for_terminal, &s->terminal_spans) == ERR_NONE)
        forward(s, &s->terminal_spans);
}
