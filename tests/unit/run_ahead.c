// SPDX-License-Identifier: MIT
/*
 * A thread that reads and redacts what comes next. It gives what the caller would have got by
 * itself, span by span, for every split; the spans of the read before stay what they are
 * meanwhile; and a stream with it makes the same log and the same terminal as one without,
 * whatever fails: of a pipe, and of a terminal, where the thread writes the log. Nothing is shown
 * that the log does not have. `make check-tsan` runs it under ThreadSanitizer.
 */
#include "lib/storetest.h"

#include <fcntl.h>
#include <signal.h>

#include "fuzz/cook.h"
#include "run/ahead.h"
#include "run/stream.h"

enum { TEXT_SIZE = 1 << 20, RECIPE_MAX = 24, PIPE_SIZE = 1 << 20, FULL_TURN = 8,
       N_READS = TEXT_SIZE / STREAM_READ_SIZE, HELD_MAX = 16 << 10, PTY_READ = 4095,
       PTY_BATCH = 8 * PTY_READ, FULL_PTY_TURN = 32 };

static char text[TEXT_SIZE];
static char scratch[STREAM_READ_SIZE];
static uint64_t seed = 1;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

/* ---- memory and system calls that fail -------------------------------------------------- */

static int fail_spans; /* the so-manieth growth of a list of spans fails; 0: none */
static bool spans_failed;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* Lists of spans grow to a size that no buffer has: the thread's and the caller's alike. */
void *__wrap_realloc(void *old, size_t size)
{
    if (size % (16 * sizeof(struct clean_span)) == 0 && fail_spans > 0 && --fail_spans == 0) {
        spans_failed = true;
        return NULL;
    }
    return __real_realloc(old, size);
}

static struct sys_table real;
static bool as_pty; /* pipes play the master of a pseudo-terminal */
static int n_reads;
static int fail_read; /* the so-manieth read fails */
static int read_errno;
static int64_t clock_step; /* of every look at the clock, in ns */
static int64_t clock_now;

static ssize_t failing_read(int fd, void *data, size_t n)
{
    bool again = read_errno == EIO && fail_read > 0; /* as the kernel has it */

    n_reads++;
    if (n_reads == fail_read || (again && n_reads > fail_read)) {
        errno = read_errno;
        return -1;
    }
    return real.read(fd, data, as_pty && n > PTY_READ ? PTY_READ : n);
}

static ssize_t endless_read(int fd, void *data, size_t n)
{
    (void)fd;
    n_reads++;
    n = as_pty && n > PTY_READ ? PTY_READ : n;
    memcpy(data, text, n);
    return (ssize_t)n;
}

/* ---- a terminal that takes little ------------------------------------------------------------ */

static struct slow {
    int fd;     /* the terminal; -1: none, all goes as fast as it can */
    int log_fd; /* what was shown is looked for there; -1 until then */
    uint64_t shown;
    uint64_t logged; /* lines, the start record among them */
    bool early; /* a line was shown before the log had it */
} slow = {.fd = -1, .log_fd = -1};

static uint64_t newlines(const char *data, size_t n)
{
    uint64_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += data[i] == '\n';
    return count;
}

static void look_into_log(void)
{
    static char data[1 << 16];
    ssize_t n;

    if (slow.log_fd < 0)
        slow.log_fd = open(test_path, O_RDONLY | O_CLOEXEC);
    while ((n = real.read(slow.log_fd, data, sizeof(data))) > 0)
        slow.logged += newlines(data, (size_t)n);
}

/* Every other write finds no room, and the others find little. */
static ssize_t slow_write(int fd, const void *data, size_t n)
{
    size_t room;

    if (fd != slow.fd)
        return real.write(fd, data, n); /* maybe the thread's */
    room = 1 + next_random() % (12 << 10);
    if (next_random() % 2 == 0) {
        errno = EAGAIN;
        return -1;
    }
    n = n < room ? n : room;
    look_into_log();
    slow.shown += newlines(data, n);
    slow.early |= slow.shown + 1 > slow.logged;
    return real.write(fd, data, n);
}

static ssize_t slow_writev(int fd, const struct iovec *iov, int n)
{
    return fd == slow.fd ? slow_write(fd, iov[0].iov_base, iov[0].iov_len) : real.writev(fd, iov, n);
}

/* Two logs made at the same time have the same bytes. */
static int still_clock(clockid_t clock, struct timespec *now)
{
    (void)clock;
    clock_now += clock_step;
    *now = (struct timespec){.tv_sec = 1751457600 + clock_now / 1000000000,
                             .tv_nsec = clock_now % 1000000000};
    return 0;
}

static int n_created;

static int no_thread(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *ctx)
{
    (void)thread, (void)attr, (void)run, (void)ctx;
    n_created++;
    errno = EAGAIN;
    return -1;
}

static int one_cpu(pid_t pid, size_t n, cpu_set_t *set)
{
    (void)pid, (void)n;
    CPU_ZERO(set);
    CPU_SET(0, set);
    return 0;
}

static int two_cpus(pid_t pid, size_t n, cpu_set_t *set)
{
    (void)one_cpu(pid, n, set);
    CPU_SET(1, set);
    return 0;
}

static int no_cpus(pid_t pid, size_t n, cpu_set_t *set)
{
    (void)pid, (void)n, (void)set;
    errno = EINVAL;
    return -1;
}

/* ---- what is fed ------------------------------------------------------------------------ */

static struct redact_set *new_set(bool generic)
{
    struct redact_options o = {.generic = generic};
    struct redact_set *set;

    if (redact_set_new(&set, &o, NULL) != ERR_NONE ||
        redact_set_add_value(set, "A_TOKEN", "zebra-Crossing/7", 16, NULL) != ERR_NONE)
        abort();
    return set;
}

/* Lines, and among them what rules look for. */
/* It ends with what is no part of any secret: the stream's end has nothing to hand out, which a
   list would have to grow for, and smaller pieces cannot help there. */
static void make_text(const struct redact_set *set)
{
    static const char end[] = "\n\nthis is\nthe end of\nall of it\n";
    static struct cook_text soup;
    uint8_t recipe[RECIPE_MAX];
    size_t at = 0;

    while (at < sizeof(text)) {
        struct cook c = {.in = recipe, .left = 1 + next_random() % RECIPE_MAX, .text = &soup,
                         .set = set, .seed = next_random()};
        struct cook_plant plant = {0};
        size_t n;

        c.plant = &plant;
        for (size_t i = 0; i < c.left; i++)
            recipe[i] = (uint8_t)next_random();
        soup.len = 0;
        cook(&c);
        n = soup.len < sizeof(text) - at ? soup.len : sizeof(text) - at;
        memcpy(text + at, soup.data, n);
        at += n;
        for (n = next_random() % 200; n > 0 && at < sizeof(text); n--)
            text[at++] = n % 60 == 1 ? '\n' : (char)('a' + next_random() % 26);
    }
    memcpy(text + sizeof(text) - (sizeof(end) - 1), end, sizeof(end) - 1);
}

static void open_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        abort();
    (void)!fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE);
}

static size_t pipe_size(const int fds[2])
{
    int n = fcntl(fds[1], F_GETPIPE_SZ);

    return n > 0 ? (size_t)n : 4096;
}

/* ---- one read after the other ----------------------------------------------------------- */

static uint64_t mix(uint64_t h, const void *data, size_t n)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t digest(const struct clean_vec *v)
{
    uint64_t h = mix(UINT64_C(0xcbf29ce484222325), &v->bytes, sizeof(v->bytes));

    for (size_t i = 0; i < v->len; i++) {
        const struct clean_span *s = &v->items[i];
        uint64_t facts[] = {s->len, s->shown, s->marks, s->rule, s->at};

        h = mix(mix(h, facts, sizeof(facts)), s->ptr, s->len);
    }
    return h;
}

struct pair {
    struct ahead *ahead;
    struct redactor *plain;  /* fed here */
    struct redactor *beside; /* fed by the thread */
    struct clean_vec spans;
    struct ahead_read reads[2];
    uint64_t want[2];
    bool good;
};

/* The read before the last one is as it was. */
static void look_back_at(struct pair *p, size_t k)
{
    p->good &= k == 0 || digest(&p->reads[(k - 1) % 2].spans) == p->want[(k - 1) % 2];
}

static void one_read(struct pair *p, const int fds[2], size_t k, const char *data, size_t n)
{
    struct ahead_read *read = &p->reads[k % 2];

    if (write(fds[1], data, n) != (ssize_t)n ||
        redactor_feed(p->plain, (struct raw_span){data, n}, &p->spans) != ERR_NONE)
        abort();
    p->want[k % 2] = digest(&p->spans);
    ahead_begin_read(p->ahead, fds[0], p->beside, read);
    look_back_at(p, k); /* while the thread is at this one */
    ahead_end(p->ahead);
    look_back_at(p, k);
    p->good &= read->len == (ssize_t)n && read->rc == ERR_NONE &&
               read->holding == redactor_holding(p->plain) &&
               digest(&read->spans) == p->want[k % 2];
}

static void finish_pair(struct pair *p, size_t k)
{
    struct clean_vec last = {0};

    if (redactor_finish(p->plain, &p->spans) != ERR_NONE ||
        redactor_finish(p->beside, &last) != ERR_NONE)
        abort();
    look_back_at(p, k);
    p->good &= digest(&p->spans) == digest(&last) &&
               redactor_marks_total(p->plain) == redactor_marks_total(p->beside);
    clean_vec_release(&last);
    clean_vec_release(&p->spans);
    redactor_free(p->plain);
    redactor_free(p->beside);
}

/* Splits of up to `most` bytes. */
static void test_splits(struct ahead *a, struct redact_set *set, char *buffers[2], size_t most,
                        size_t total)
{
    struct pair p = {.ahead = a, .good = true};
    uint64_t marks;
    size_t k = 0;
    int fds[2];

    open_pipe(fds);
    most = most < pipe_size(fds) ? most : pipe_size(fds);
    p.reads[0].data = buffers[0];
    p.reads[1].data = buffers[1];
    if (redactor_new(&p.plain, set, NULL) != ERR_NONE ||
        redactor_new(&p.beside, set, NULL) != ERR_NONE)
        abort();
    for (size_t at = 0, n; at < total; at += n, k++) {
        n = 1 + next_random() % most;
        n = n < total - at ? n : total - at;
        one_read(&p, fds, k, text + at, n);
    }
    marks = redactor_marks_total(p.plain);
    finish_pair(&p, k);
    ok(p.good && marks > 0, "splits of up to %zu bytes: the same spans and %llu marks", most,
       (unsigned long long)marks);
    clean_vec_release(&p.reads[0].spans);
    clean_vec_release(&p.reads[1].spans);
    close(fds[0]);
    close(fds[1]);
}

static void test_same(void)
{
    static const size_t mosts[] = {1, 3, 17, 100, 700, 5000, 40000, STREAM_READ_SIZE};
    struct ahead a = {0};
    char *buffers[2] = {malloc(STREAM_READ_SIZE), malloc(STREAM_READ_SIZE)};

    sys.sched_getaffinity = two_cpus;
    ok(ahead_ready(&a) && ahead_ready(&a), "there is a thread");
    for (size_t i = 0; i < sizeof(mosts) / sizeof(mosts[0]); i++) {
        struct redact_set *set = new_set(i % 2 == 1);

        make_text(set);
        test_splits(&a, set, buffers, mosts[i], mosts[i] < 500 ? mosts[i] * 1500 : sizeof(text));
        redact_set_free(set);
    }
    ahead_release(&a);
    free(buffers[0]);
    free(buffers[1]);
    sys.sched_getaffinity = real.sched_getaffinity;
}

/* A thread, a redactor and a pipe for it. */
struct alone {
    struct ahead a;
    struct redact_set *set;
    struct redactor *r;
    struct ahead_read read;
    int fds[2];
};

static void alone_init(struct alone *t)
{
    *t = (struct alone){.set = new_set(false), .read.data = scratch};
    sys.sched_getaffinity = two_cpus;
    open_pipe(t->fds);
    if (!ahead_ready(&t->a) || redactor_new(&t->r, t->set, NULL) != ERR_NONE)
        abort();
}

/* Its thread has been released. */
static void alone_release(struct alone *t)
{
    clean_vec_release(&t->read.spans);
    redactor_free(t->r);
    redact_set_free(t->set);
    close(t->fds[0]);
    sys.sched_getaffinity = real.sched_getaffinity;
}

static void read_ahead(struct alone *t)
{
    ahead_begin_read(&t->a, t->fds[0], t->r, &t->read);
    ahead_end(&t->a);
}

static void test_nothing_to_read(void)
{
    struct alone t;

    alone_init(&t);
    read_ahead(&t);
    ok(t.read.len == -1 && t.read.sys_errno == EAGAIN, "an empty pipe: EAGAIN");
    close(t.fds[1]);
    read_ahead(&t);
    is_int(t.read.len, 0, "a closed one: its end");
    ahead_release(&t.a);
    alone_release(&t);
}

/* ---- without a thread ------------------------------------------------------------------- */

static void refused(int (*cpus)(pid_t, size_t, cpu_set_t *), int created, const char *name)
{
    struct ahead a = {0};

    n_created = 0;
    sys.thread_create = no_thread;
    sys.sched_getaffinity = cpus;
    ok(!ahead_ready(&a) && !ahead_ready(&a), "%s: there is none", name);
    is_int(n_created, created, "and that is asked for once at most");
    ahead_release(&a);
    sys.thread_create = real.thread_create;
    sys.sched_getaffinity = real.sched_getaffinity;
}

static struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool open;
    void *(*run)(void *);
    void *ctx;
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};

static void *wait_at_gate(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&gate.mutex);
    while (!gate.open)
        pthread_cond_wait(&gate.opened, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    return gate.run(gate.ctx);
}

static int late_thread(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                       void *ctx)
{
    gate.run = run;
    gate.ctx = ctx;
    return real.thread_create(thread, attr, wait_at_gate, NULL);
}

static void open_gate(void)
{
    pthread_mutex_lock(&gate.mutex);
    gate.open = true;
    pthread_cond_signal(&gate.opened);
    pthread_mutex_unlock(&gate.mutex);
}

static void test_late_thread(void)
{
    struct alone t;

    sys.thread_create = late_thread;
    alone_init(&t);
    if (write(t.fds[1], "ab\n", 3) != 3)
        abort();
    read_ahead(&t);
    ok(t.read.len == 3 && t.read.spans.bytes == 3, "a thread that does not run is not waited for");
    open_gate();
    ahead_release(&t.a);
    ok(true, "and ends");
    close(t.fds[1]);
    alone_release(&t);
    sys.thread_create = real.thread_create;
}

/* ---- a stream --------------------------------------------------------------------------- */

struct made {
    char *log;
    size_t log_len;
    char *shown;
    size_t shown_len;
    bool lost;
};

static char *slurp(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    char *data = malloc(16 << 20);

    if (file == NULL || data == NULL)
        abort();
    *len = fread(data, 1, 16 << 20, file);
    fclose(file);
    return data;
}

/* Turns until nothing is there; true at the end. What is open must not look like it. */
static bool turns(struct stream *s)
{
    enum stream_turn turn;

    do
        turn = stream_turn(s, scratch);
    while (turn == STREAM_READ);
    return turn == STREAM_ENDED;
}

static void feed_stream(struct stream *s, const int fds[2])
{
    bool ended = false;

    for (size_t at = 0; at < sizeof(text) && !ended;) {
        ssize_t n = write(fds[1], text + at, sizeof(text) - at);

        at += n > 0 ? (size_t)n : 0;
        ended = turns(s);
    }
    close(fds[1]);
    while (!ended)
        ended = turns(s);
    stream_finish(s);
}

static void open_stream(struct stream *s, int fd, struct build_log *l, struct terminal *t,
                        struct redact_set *set, struct ahead *a)
{
    struct stream_options o = {.log = l, .terminal = t, .src = SRC_STDOUT, .rules = set,
                               .redact = true, .ahead = a, .max_line = 256 << 10,
                               .is_pty = as_pty};

    if (stream_init(s, fd, &o, NULL) != ERR_NONE)
        abort();
}

/* The terminal gets what is kept for it in the end. */
static void show_rest(struct terminal *t)
{
    while (terminal_blocked(t))
        terminal_flush(t);
    if (slow.log_fd >= 0)
        close(slow.log_fd);
    slow.log_fd = -1;
    slow.shown = slow.logged = 0;
}

/* text through a stream, into a fresh log and a file. */
static struct made make(struct redact_set *set, struct ahead *a)
{
    struct build_log_options o = test_options();
    struct build_log *l;
    struct terminal t;
    struct stream s;
    struct made m = {0};
    struct err e;
    char path[PATH_MAX];
    int fds[2];
    int out;

    wipe(test_root);
    snprintf(path, sizeof(path), "%s/shown", test_base);
    out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    open_pipe(fds);
    if (out < 0 || build_log_open(&l, &o, &e) != ERR_NONE)
        abort();
    terminal_init(&t, out, false);
    open_stream(&s, fds[0], l, &t, set, a);
    n_reads = 0;
    slow.fd = slow.fd >= 0 ? out : -1;
    feed_stream(&s, fds);
    show_rest(&t);
    m.lost = s.lost;
    stream_release(&s);
    if (seal(l, &e) != ERR_NONE)
        abort();
    build_log_free(l);
    terminal_release(&t);
    close(out);
    m.log = slurp(test_path, &m.log_len);
    m.shown = slurp(path, &m.shown_len);
    return m;
}

static void made_release(struct made *m)
{
    free(m->log);
    free(m->shown);
}

static bool same(const struct made *a, const struct made *b)
{
    return a->log_len == b->log_len && memcmp(a->log, b->log, a->log_len) == 0 &&
           a->shown_len == b->shown_len && memcmp(a->shown, b->shown, a->shown_len) == 0 &&
           a->lost == b->lost;
}

/* What came out is the beginning of what was to come out, but for what was held at the cut. */
static bool begins(const struct made *whole, const struct made *m)
{
    size_t certain = m->shown_len > HELD_MAX ? m->shown_len - HELD_MAX : 0;

    return m->shown_len < whole->shown_len && memcmp(whole->shown, m->shown, certain) == 0;
}

static void test_fault(struct redact_set *set, struct ahead *a, const struct made *want, int read)
{
    static const int harmless[] = {EINTR, EAGAIN};
    struct made m;

    fail_read = read;
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        read_errno = harmless[i];
        m = make(set, a);
        ok(same(&m, want), "read %d: %s: nothing is missing", read, strerror(read_errno));
        made_release(&m);
    }
    read_errno = EIO;
    m = make(set, a);
    ok(m.lost == !as_pty && begins(want, &m),
       as_pty ? "read %d: EIO: the terminal's end" :
       "read %d: EIO: the stream ends there, and is told to be incomplete", read);
    made_release(&m);
    fail_read = 0;
}

static void test_faults(struct redact_set *set, struct ahead *a, const struct made *want)
{
    int last = as_pty ? TEXT_SIZE / PTY_READ : N_READS;

    for (int read = 1; read <= last; read += as_pty && read > 20 ? 41 : 1)
        test_fault(set, a, want, read);
}

/* Bytes wait for the terminal while the thread writes the log. */
static void test_slow(struct redact_set *set, struct ahead *a, const struct made *want)
{
    struct made m;

    slow.fd = 0;
    sys.write = slow_write;
    sys.writev = slow_writev;
    m = make(set, a);
    ok(same(&m, want), "a slow terminal gets the same");
    ok(!slow.early, "and no line before the log");
    made_release(&m);
    slow.fd = -1;
    sys.write = real.write;
    sys.writev = real.writev;
}

static void test_no_memory(struct redact_set *set, const struct made *want)
{
    int tried = 0;

    do {
        struct ahead a = {0};
        struct made m;

        spans_failed = false;
        fail_spans = ++tried;
        m = make(set, &a);
        fail_spans = 0;
        ok(same(&m, want) && a.works, "no memory for a list of spans, %d: in smaller pieces",
           tried);
        made_release(&m);
        ahead_release(&a);
    } while (spans_failed);
    ok(tried > 1, "it was short of memory %d times", tried - 1);
}

static void test_stream(bool pty)
{
    struct redact_set *set = new_set(true);
    struct ahead a = {0};
    struct made want;
    struct made got;

    as_pty = pty;
    sys.clock_gettime = still_clock;
    sys.sched_getaffinity = two_cpus;
    sys.read = failing_read;
    make_text(set);
    want = make(set, NULL);
    ok(want.shown_len > 0 && want.log_len > want.shown_len && !want.lost, "a stream without");
    got = make(set, &a);
    ok(a.works && same(&got, &want), "a stream with a thread: the same log, the same terminal");
    made_release(&got);
    test_slow(set, &a, &want);
    test_faults(set, &a, &want);
    test_no_memory(set, &want);
    ahead_release(&a);
    sys.thread_create = no_thread;
    got = make(set, &a);
    ok(a.tried && !a.works && same(&got, &want), "a stream that gets none: the same, too");
    made_release(&got);
    made_release(&want);
    ahead_release(&a);
    redact_set_free(set);
    sys = real;
    as_pty = false;
}

/* ---- how far a turn goes ---------------------------------------------------------------- */

/* Bytes of one turn of an endless pipe. out_fd: where the terminal writes to. */
static uint64_t turn_of(int out_fd, struct redact_set *set, struct stream_options o)
{
    struct build_log_options lo = test_options();
    struct build_log *l;
    struct ahead a = {0};
    struct terminal t;
    struct stream s;
    struct err e;
    uint64_t bytes;

    wipe(test_root);
    if (build_log_open(&l, &lo, &e) != ERR_NONE)
        abort();
    terminal_init(&t, out_fd, false);
    o.log = l;
    o.terminal = &t;
    o.rules = set;
    o.ahead = &a;
    o.max_line = 256 << 10;
    sys.read = endless_read;
    sys.sched_getaffinity = two_cpus;
    if (stream_init(&s, open("/dev/null", O_RDONLY | O_CLOEXEC), &o, NULL) != ERR_NONE ||
        stream_turn(&s, scratch) != STREAM_READ)
        abort();
    bytes = s.bytes;
    sys = real;
    stream_release(&s);
    terminal_release(&t);
    ahead_release(&a);
    build_log_free(l);
    return bytes / (as_pty ? PTY_BATCH : STREAM_READ_SIZE);
}

static void take_value(void *ctx, const char *value, size_t len)
{
    (void)ctx, (void)value, (void)len;
}

static void test_alone(int null_fd)
{
    struct redact_set *set = new_set(false);

    redact_set_on_mask(set, take_value, NULL);
    is_int((int64_t)turn_of(null_fd, set, (struct stream_options){.redact = true}), 1,
           "lines that register a value: no thread");
    redact_set_free(set);
    set = new_set(false);
    if (redact_set_add_rule(set, "mine", "z+[0-9]", 0, NULL, NULL) != ERR_NONE)
        abort();
    is_int((int64_t)turn_of(null_fd, set, (struct stream_options){.redact = true}), 1,
           "a rule of the user's own: no thread");
    redact_set_free(set);
    set = new_set(false);
    is_int((int64_t)turn_of(null_fd, set, (struct stream_options){.forward = FORWARD_RAW}), 1,
           "--redact off: no thread");
    is_int((int64_t)turn_of(null_fd, set, (struct stream_options){.redact = true,
                                                                   .forward = FORWARD_RAW}),
           1, "--forward raw: no thread");
    redact_set_free(set);
}

/* The terminal of the command, likewise. */
static void test_pty_turns(struct redact_set *set, int null_fd)
{
    struct stream_options o = {.redact = true, .is_pty = true};
    int fds[2];

    as_pty = true;
    sys.clock_gettime = still_clock;
    is_int((int64_t)turn_of(null_fd, set, o), FULL_PTY_TURN, "of a terminal: so many batches");
    clock_step = INT64_C(6000000);
    sys.clock_gettime = still_clock;
    is_int((int64_t)turn_of(null_fd, set, o) < FULL_PTY_TURN, 1, "fewer when they take long");
    clock_step = 0;
    open_pipe(fds);
    (void)!fcntl(fds[1], F_SETPIPE_SZ, 4096);
    sys.clock_gettime = still_clock;
    ok(turn_of(fds[1], set, o) <= STREAM_PTY_AHEAD / PTY_BATCH + 3,
       "no more for a reader that is behind than is read ahead");
    close(fds[0]);
    sys.clock_gettime = still_clock;
    is_int((int64_t)turn_of(fds[1], set, o), 2, "nor once it is gone");
    close(fds[1]);
    o.forward = FORWARD_RAW;
    sys.clock_gettime = still_clock;
    is_int((int64_t)turn_of(null_fd, set, o), 1, "--forward raw: no thread");
    as_pty = false;
}

static void test_turns(void)
{
    struct stream_options o = {.redact = true};
    struct redact_set *set = new_set(false);
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int fds[2];

    memset(text, 'x', sizeof(text));
    sys.clock_gettime = still_clock;
    is_int((int64_t)turn_of(null_fd, set, o), FULL_TURN, "a turn is so many reads");
    clock_step = INT64_C(6000000);
    sys.clock_gettime = still_clock;
    is_int((int64_t)turn_of(null_fd, set, o) < FULL_TURN, 1, "fewer when they take long");
    clock_step = 0;
    open_pipe(fds);
    sys.clock_gettime = still_clock;
    ok(turn_of(fds[1], set, o) <= 1 + PIPE_SIZE / STREAM_READ_SIZE + 1,
       "nothing is read for a reader that is behind, but what was under way");
    close(fds[0]);
    sys.clock_gettime = still_clock;
    is_int((int64_t)turn_of(fds[1], set, o), 2, "nor once it is gone");
    close(fds[1]);
    test_alone(null_fd);
    test_pty_turns(set, null_fd);
    close(null_fd);
    redact_set_free(set);
}

int main(void)
{
    real = sys;
    (void)signal(SIGPIPE, SIG_IGN);
    enter_test();
    test_same();
    test_nothing_to_read();
    refused(one_cpu, 0, "one processor");
    refused(no_cpus, 0, "nobody knows how many processors");
    refused(two_cpus, 1, "no thread to be had");
    test_late_thread();
    test_stream(false);
    test_stream(true);
    test_turns();
    return done();
}
