// SPDX-License-Identifier: MIT
/* buildlog run: options → a log and a session → the command's exit status. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/ulid.h"
#include "cmd/cmd.h"
#include "cmd/config.h"
#include "cmd/out.h"
#include "cmd/redaction.h"
#include "commands.gen.h"
#include "redact/redact.h"
#include "run/order.h"
#include "run/pty.h"
#include "run/session.h"
#include "run/signals.h"
#include "store/build_log.h"
#include "store/layout.h"

#define DEFAULT_GRACE_NS  INT64_C(10000000000)
#define DEFAULT_LINGER_NS INT64_C(5000000000)

enum {
    DEFAULT_MAX_LINE = 256 << 10,
    CMD_WORDS_MAX = 1000,      /* words of the command in the start record */
    CMD_BYTES_MAX = 128 << 10, /* and their bytes */
    TEXT_BYTES_MAX = 1 << 20,  /* one redacted text */
    HOST_MAX = 256,
    TRACE_ID_LEN = 32,
    SPAN_ID_LEN = 16
};

/* Redacted texts of the start record; each has a buffer of its own, so that spans stay. */
struct texts {
    struct buf *items;
    size_t len;
    size_t cap;
    struct redact_set *rules; /* NULL: --redact off */
};

struct run {
    const struct cmd_args *args;
    struct session_options session;
    struct build_log_options log;
    const char *dir;
    const char *id;
    bool require_log;
    bool forward_given;
    enum tty_mode tty;
    struct ptys ptys;

    bool closed[3];
    char fresh_id[ULID_SIZE];
    char parent_id[ULID_SIZE];
    char trace_id[TRACE_ID_LEN + 1];
    char span_id[SPAN_ID_LEN + 1];
    char host[HOST_MAX];
    char *root;
    char *cwd;
    struct redaction redaction;
    char *config_dir;
    struct err config_error; /* code ERR_NONE: the configuration is fine */
    struct texts texts;
    struct clean_span *words;
    struct record_label *labels;
    size_t n_labels;
    char **label_keys;
};

/* ---- options ------------------------------------------------------------------------- */

static void take_session_option(struct session_options *o, const struct parsed_option *p)
{
    switch (p->spec->id) {
    case OPT_TIMEOUT:
        o->timeout_ns = p->number;
        break;
    case OPT_IDLE_TIMEOUT:
        o->idle_timeout_ns = p->number;
        break;
    case OPT_STALL_TIMEOUT:
        o->stall_timeout_ns = p->number;
        break;
    case OPT_ON_STALL:
        o->stall_report = strcmp(p->text, "report") == 0;
        break;
    case OPT_GRACE:
        o->grace_ns = p->number;
        break;
    case OPT_LINGER:
        o->linger_ns = p->number;
        break;
    case OPT_REDACT:
        o->redact = strcmp(p->text, "on") == 0;
        break;
    case OPT_ORDER:
        o->merge = strcmp(p->text, "merge") == 0;
        o->exact = strcmp(p->text, "exact") == 0;
        break;
    case OPT_MAX_LINE:
        o->max_line = (size_t)p->number;
        break;
    case OPT_LONG_LINES:
        o->split_long = strcmp(p->text, "split") == 0;
        break;
    case OPT_FRAMES:
        o->frames = strcmp(p->text, "all") == 0 ? FRAMES_ALL : FRAMES_LAST;
        break;
    case OPT_ON_CLOSED:
        o->stop_on_closed = strcmp(p->text, "stop") == 0;
        break;
    case OPT_QUIET:
        o->quiet = true;
        break;
    case OPT_VERBOSE:
        o->verbose = true;
        break;
    case OPT_ADD_MASK:
        o->obey_masks = true;
        break;
    default:
        break;
    }
}

static enum forward_mode forward_mode(const char *text)
{
    if (strcmp(text, "raw") == 0)
        return FORWARD_RAW;
    return strcmp(text, "none") == 0 ? FORWARD_NONE : FORWARD_REDACTED;
}

static enum build_log_sync sync_mode(const char *text)
{
    if (strcmp(text, "end") == 0)
        return SYNC_END;
    return strcmp(text, "always") == 0 ? SYNC_ALWAYS : SYNC_NONE;
}

static enum tty_mode tty_mode(const char *text)
{
    if (strcmp(text, "always") == 0)
        return TTY_ALWAYS;
    return strcmp(text, "never") == 0 ? TTY_NEVER : TTY_AUTO;
}

static void take_run_option(struct run *r, const struct parsed_option *p)
{
    switch (p->spec->id) {
    case OPT_ID:
        r->id = p->text;
        break;
    case OPT_DIR:
        r->dir = p->text;
        break;
    case OPT_FORWARD:
        r->session.forward = forward_mode(p->text);
        r->forward_given = true;
        break;
    case OPT_TTY:
        r->tty = tty_mode(p->text);
        break;
    case OPT_PAYLOAD:
        r->log.payload = strcmp(p->text, "full") == 0;
        r->session.no_payload = !r->log.payload;
        break;
    case OPT_MAX_LOG:
        r->log.max_log = (uint64_t)p->number;
        break;
    case OPT_SYNC:
        r->log.sync = sync_mode(p->text);
        break;
    case OPT_REQUIRE_LOG:
        r->require_log = true;
        break;
    case OPT_LABEL:
        r->n_labels++;
        break;
    default:
        take_session_option(&r->session, p);
    }
}

static void take_options(struct run *r, const struct cmd_args *args)
{
    *r = (struct run){
        .args = args,
        .session = {.argv = args->operands,
                    .grace_ns = DEFAULT_GRACE_NS,
                    .linger_ns = DEFAULT_LINGER_NS,
                    .forward = FORWARD_REDACTED,
                    .redact = true,
                    .max_line = DEFAULT_MAX_LINE,
                    .ptys = &r->ptys,
                    .closed = r->closed},
        .log = {.payload = true},
    };
    ptys_init(&r->ptys);
    for (size_t i = 0; i < args->n_options; i++)
        take_run_option(r, &args->options[i]);
    /* The runner of GitHub Actions acts on these lines, so it has to see them. */
    if (out_obeyed())
        r->session.obey_masks = r->session.pass_masks = true;
    if (!r->session.redact && !r->forward_given)
        r->session.forward = FORWARD_RAW;
}

/* ---- the start record ---------------------------------------------------------------- */

/* text through the redactor; an empty span (left out of the record) where text is NULL. */
static enum err_code clean_text(struct texts *t, const char *text, size_t len,
                                struct clean_span *out)
{
    struct buf *b;

    if (text == NULL)
        return ERR_NONE;
    if (t->len == t->cap) {
        size_t cap = t->cap > 0 ? t->cap * 2 : 16;
        struct buf *items = realloc(t->items, cap * sizeof(*items));

        if (items == NULL)
            return ERR_MEMORY;
        t->items = items;
        t->cap = cap;
    }
    b = &t->items[t->len++];
    buf_init(b, TEXT_BYTES_MAX);
    return redact_text((struct raw_span){text, len}, t->rules, b, out);
}

static enum err_code clean_string(struct texts *t, const char *text, struct clean_span *out)
{
    return clean_text(t, text, text != NULL ? strlen(text) : 0, out);
}

static const char *option_text(const struct run *r, int id)
{
    const char *text = NULL;

    for (size_t i = 0; i < r->args->n_options; i++)
        if (r->args->options[i].spec->id == id)
            text = r->args->options[i].text;
    return text;
}

/* A key given twice counts once, with its last value. */
static bool label_repeated_later(const struct cmd_args *args, size_t at, size_t key_len)
{
    for (size_t i = at + 1; i < args->n_options; i++)
        if (args->options[i].spec->id == OPT_LABEL &&
            strncmp(args->options[i].text, args->options[at].text, key_len + 1) == 0)
            return true;
    return false;
}

/* The words of the command, as many as the record is to hold; then how many were left out. */
static enum err_code clean_command(struct run *r, struct record_start *start)
{
    char *const *argv = r->session.argv;
    size_t n = 0;
    size_t bytes = 0;
    char rest[48];

    while (argv[n] != NULL)
        n++;
    r->words = calloc((n < CMD_WORDS_MAX ? n : CMD_WORDS_MAX) + 1, sizeof(*r->words));
    if (r->words == NULL)
        return ERR_MEMORY;
    start->cmd = r->words;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(argv[i]);
        enum err_code rc;

        bytes += len;
        if (i == CMD_WORDS_MAX || bytes > CMD_BYTES_MAX) {
            snprintf(rest, sizeof(rest), "\xe2\x80\xa6[TRUNCATED: %zu more]", n - i);
            return clean_string(&r->texts, rest, &r->words[start->cmd_len++]);
        }
        rc = clean_text(&r->texts, argv[i], len, &r->words[start->cmd_len++]);
        if (rc != ERR_NONE)
            return rc;
    }
    return ERR_NONE;
}

static enum err_code clean_labels(struct run *r, struct record_start *start)
{
    size_t n = 0;

    if (r->n_labels == 0)
        return ERR_NONE;
    r->labels = calloc(r->n_labels, sizeof(*r->labels));
    r->label_keys = calloc(r->n_labels, sizeof(*r->label_keys));
    if (r->labels == NULL || r->label_keys == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < r->args->n_options; i++) {
        const struct parsed_option *p = &r->args->options[i];
        const char *equals = p->text != NULL ? strchr(p->text, '=') : NULL;

        if (p->spec->id != OPT_LABEL || equals == NULL ||
            label_repeated_later(r->args, i, (size_t)(equals - p->text)))
            continue;
        r->label_keys[n] = strndup(p->text, (size_t)(equals - p->text));
        if (r->label_keys[n] == NULL ||
            clean_string(&r->texts, equals + 1, &r->labels[n].value) != ERR_NONE)
            return ERR_MEMORY;
        r->labels[n].key = r->label_keys[n];
        n++;
    }
    start->labels = r->labels;
    start->n_labels = n;
    return ERR_NONE;
}

static bool hex_field(const char *text, size_t len, char *dst)
{
    if (strspn(text, "0123456789abcdef") != len || strspn(text, "0") == len)
        return false;
    memcpy(dst, text, len);
    dst[len] = '\0';
    return true;
}

/* TRACEPARENT: "00-TRACE-SPAN-FLAGS" (W3C Trace Context, level 1, section 3.2.2). */
static void take_trace(struct run *r, struct record_start *start)
{
    const char *text = getenv("TRACEPARENT");

    if (text == NULL || strlen(text) < 55 || strspn(text, "0123456789abcdef") != 2 ||
        memcmp(text, "ff", 2) == 0 || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
        !hex_field(text + 3, TRACE_ID_LEN, r->trace_id) ||
        !hex_field(text + 36, SPAN_ID_LEN, r->span_id))
        return;
    start->trace_id = r->trace_id;
    start->span_id = r->span_id;
}

static void take_parent(struct run *r, struct record_start *start)
{
    const char *parent = getenv("BUILDLOG_ID");

    if (parent == NULL || !ulid_valid(parent))
        return;
    memcpy(r->parent_id, parent, ULID_SIZE);
    start->parent_id = r->parent_id;
}

static const char *forward_name(enum forward_mode mode)
{
    switch (mode) {
    case FORWARD_RAW:
        return "raw";
    case FORWARD_NONE:
        return "none";
    default:
        return "redacted";
    }
}

static enum err_code describe(struct run *r)
{
    struct record_start *start = &r->log.start;
    enum err_code rc;

    *start = (struct record_start){
        .build_id = r->id,
        .version = BUILDLOG_VERSION,
        .pid = getpid(),
        .tty = ptys_any(&r->ptys),
        .columns = r->ptys.size.ws_col,
        .rows = r->ptys.size.ws_row,
        .order = r->session.merge ? "merge" : r->session.exact ? "exact" : "arrival",
        .redact = r->session.redact,
        .forward = forward_name(r->session.forward),
    };
    take_trace(r, start);
    take_parent(r, start);
    r->cwd = getcwd(NULL, 0);
    if (gethostname(r->host, sizeof(r->host) - 1) != 0)
        r->host[0] = '\0';
    rc = clean_command(r, start);
    if (rc == ERR_NONE)
        rc = clean_labels(r, start);
    if (rc == ERR_NONE)
        rc = clean_string(&r->texts, option_text(r, OPT_USER), &start->user_id);
    if (rc == ERR_NONE)
        rc = clean_string(&r->texts, option_text(r, OPT_PROJECT), &start->project_id);
    if (rc == ERR_NONE)
        rc = clean_string(&r->texts, option_text(r, OPT_REQ_ID), &start->req_id);
    if (rc == ERR_NONE)
        rc = clean_string(&r->texts, option_text(r, OPT_NAME), &start->name);
    if (rc == ERR_NONE)
        rc = clean_string(&r->texts, r->cwd, &start->cwd);
    if (rc == ERR_NONE)
        rc = clean_string(&r->texts, r->host[0] != '\0' ? r->host : NULL, &start->host);
    return rc;
}

/* ---- the run ------------------------------------------------------------------------- */

static void ignore_mask(void *ctx, const char *value, size_t len)
{
    (void)ctx, (void)value, (void)len;
}

/*
 * A configuration that cannot be used is no reason for the command not to run, but it is one not
 * to record: what it says is to be removed would stay in the log.
 */
static enum err_code configure(struct run *r, struct err *e)
{
    static const struct redact_config nothing;
    struct config config = {0};
    struct redact_config without = nothing;
    enum err_code rc = config_load(&config, &r->config_error);

    r->config_dir = config.dir;
    config.dir = NULL;
    if (rc == ERR_NONE)
        rc = redaction_make(&r->redaction, r->args, &config.redact, &r->config_error);
    config_release(&config);
    /* Whose fault was it? What the options say must hold, or nothing runs. */
    if (rc != ERR_NONE)
        rc = redaction_make(&r->redaction, r->args, &without, e);
    else
        r->config_error.code = ERR_NONE;
    r->session.rules = r->redaction.set;
    /* The command line, too, may have such a line: a mark there, nothing registered yet. */
    if (rc == ERR_NONE && r->session.obey_masks)
        redact_set_on_mask(r->redaction.set, ignore_mask, NULL);
    r->texts.rules = r->session.redact ? r->redaction.set : NULL;
    return rc;
}

/* main has put a descriptor without access (O_PATH) where 0, 1 or 2 was closed. */
static void find_closed_fds(bool closed[3])
{
    for (int fd = 0; fd < 3; fd++) {
        int flags = sys.fcntl(fd, F_GETFL, 0);

        closed[fd] = flags < 0 ? errno == EBADF : (flags & O_PATH) != 0;
    }
}

/* Without pseudo-terminals, as in some containers, the command runs with pipes. */
static void open_terminals(struct run *r)
{
    struct err e;
    char text[1024];

    if (r->session.exact) /* a terminal cannot tell when it was written to */
        r->tty = TTY_NEVER;
    if (ptys_open(&r->ptys, r->tty, r->session.argv, r->session.merge, r->closed, &e) == ERR_NONE) {
        r->session.merge = r->ptys.shared;
        ptys_rename(&r->ptys);
        return;
    }
    err_format(&e, text, sizeof(text));
    cmd_warn(r->args->command, "%s; the command gets no terminal", text);
}

static enum err_code choose_id(struct run *r, struct err *e)
{
    struct ulid_source source = {0};
    enum err_code rc;

    if (r->id != NULL)
        return ERR_NONE;
    rc = ulid_next(&source, clock_realtime_ms(), r->fresh_id, e);
    r->id = r->fresh_id;
    return rc;
}

static void warn_unlogged(const struct run *r, const struct err *e)
{
    char text[1024];

    err_format(e, text, sizeof(text));
    cmd_warn(r->args->command, "%s; the command runs on, recording is retried", text);
}

static enum err_code find_root(struct run *r, struct err *e)
{
    if (r->config_error.code == ERR_NONE)
        return layout_root(r->dir, r->config_dir, &r->root, e);
    *e = r->config_error;
    return e->code != ERR_USAGE ? e->code : ERR_FORMAT;
}

/*
 * The log, open or to be retried. False: the run is refused, and that has been said. Where
 * there is no root at all (no home directory), there is nothing to retry: a root that cannot
 * be made stands in, so that the same path through the code serves. The same where the
 * configuration cannot be used.
 */
static bool open_log(struct run *r, struct build_log **log)
{
    struct err e = {0};
    enum err_code rc = find_root(r, &e);

    if (rc == ERR_NONE) {
        r->log.root = r->root;
        r->log.id = r->id;
        rc = build_log_open(log, &r->log, &e);
    } else if (rc != ERR_USAGE && !r->require_log) {
        struct err ignored;

        warn_unlogged(r, &e);
        r->log.root = "/dev/null/buildlog";
        r->log.id = r->id;
        (void)!build_log_open(log, &r->log, &ignored);
        if (*log != NULL)
            (void)build_log_notice(*log, &ignored);
        return *log != NULL;
    }
    if (rc == ERR_NONE)
        return true;
    if (rc == ERR_REFUSED || rc == ERR_USAGE || *log == NULL || r->require_log) {
        cmd_warn_err(r->args->command, &e);
        return false;
    }
    warn_unlogged(r, &e);
    (void)build_log_notice(*log, &e); /* said just now */
    return true;
}

static int exit_code_of(const struct session_result *result)
{
    if (result->status == BUILD_TIMEOUT)
        return EXIT_TIMEOUT;
    if (result->signal == 0)
        return result->exit_code;
    signals_die(result->signal);
    return EXIT_SIGNAL_BASE + result->signal; /* PID 1 does not die of its own signals */
}

static enum err_code export_build(const struct run *r)
{
    if (setenv("BUILDLOG_ID", r->id, 1) != 0 ||
        (r->root != NULL && setenv("BUILDLOG_DIR", r->root, 1) != 0))
        return ERR_MEMORY;
    return ERR_NONE;
}

/* The command was never started: the log says so, too, as far as it can. */
static void seal_unstarted(struct build_log *log)
{
    struct record_end end = {.ended_ms = clock_realtime_ms(),
                             .status = BUILD_EXEC_FAILED,
                             .exit_code = EXIT_REFUSED,
                             .complete = true};
    struct err ignored;

    (void)!build_log_seal(log, &end, &ignored);
}

/* By name only; and only for who asks, because there are such variables everywhere. */
static void say_refused_vars(const struct run *r)
{
    for (size_t i = 0; i < r->redaction.n_vars; i++) {
        const struct redaction_var *var = &r->redaction.vars[i];

        if (var->refused != NULL)
            cmd_warn(r->args->command, "%s '%.*s' is not removed: %s",
                     var->part ? "the password in" : "the value of", (int)var->name_len,
                     var->name, var->refused);
    }
}

static int run_session(struct run *r, struct build_log *log)
{
    struct session_result result;
    struct err e;

    r->session.log = log;
    r->session.id = r->id;
    if (r->session.verbose)
        say_refused_vars(r);
    if (r->session.verbose)
        cmd_warn(r->args->command, "%s: recording to '%s'", r->id, build_log_path(log));
    if (session_run(&r->session, &result, &e) != ERR_NONE) {
        cmd_warn_err(r->args->command, &e);
        seal_unstarted(log);
        return EXIT_REFUSED;
    }
    if (r->session.verbose)
        cmd_warn(r->args->command, "%s: %s", r->id, build_status_name(result.status));
    return exit_code_of(&result);
}

static void release(struct run *r)
{
    ptys_release(&r->ptys);
    for (size_t i = 0; i < r->texts.len; i++)
        buf_release(&r->texts.items[i]);
    free(r->texts.items);
    for (size_t i = 0; r->label_keys != NULL && i < r->n_labels; i++)
        free(r->label_keys[i]);
    free(r->label_keys);
    free(r->labels);
    free(r->words);
    free(r->cwd);
    free(r->root);
    free(r->config_dir);
    redaction_release(&r->redaction);
}

int cmd_run(const struct cmd_args *args)
{
    struct run r;
    struct build_log *log = NULL;
    struct err e;
    int status = EXIT_REFUSED;

    take_options(&r, args);
    find_closed_fds(r.closed);
    if (r.session.exact && r.tty == TTY_ALWAYS) {
        cmd_warn(args->command, "--tty always and --order exact exclude each other: terminals do "
                                "not tell the order of writing");
        return EXIT_REFUSED;
    }
    if ((r.session.exact && order_check_command(args->operands, &e) != ERR_NONE) ||
        choose_id(&r, &e) != ERR_NONE) {
        cmd_warn_err(args->command, &e);
        return EXIT_REFUSED;
    }
    if (configure(&r, &e) != ERR_NONE) {
        cmd_warn_err(args->command, &e);
        release(&r);
        return EXIT_REFUSED;
    }
    open_terminals(&r);
    if (describe(&r) != ERR_NONE)
        cmd_warn(args->command, "cannot start '%s': out of memory", args->operands[0]);
    else if (!open_log(&r, &log))
        ; /* said already */
    else if (export_build(&r) != ERR_NONE)
        cmd_warn(args->command, "cannot start '%s': out of memory", args->operands[0]);
    else
        status = run_session(&r, log);
    build_log_free(log);
    release(&r);
    return status;
}
