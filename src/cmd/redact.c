// SPDX-License-Identifier: MIT
/*
 * buildlog redact: a filter that removes secrets, a check that looks for them, a report of where
 * they are, and the list of what is looked for.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "cmd/cmd.h"
#include "cmd/config.h"
#include "cmd/confine.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "cmd/redact_filter.h"
#include "cmd/redact_list.h"
#include "cmd/redact_report.h"
#include "cmd/redaction.h"
#include "commands.gen.h"

enum { NAME_SHOWN_MAX = 8 << 10, SUMMARY_MAX = 1024 };

struct redact {
    const struct cmd_args *args;
    bool check;
    bool wants_report;
    bool json;
    bool verbose;
    struct redaction redaction;
    struct out report_out;
    struct report report;
    struct redact_filter filter;
    uint64_t found;
    bool trouble;
};

/* ---- names ------------------------------------------------------------------------- */

static enum err_code put_into_buf(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

/* The name without secrets and harmless, in b, NUL-terminated. */
static enum err_code shown_name(const struct redact *r, const char *name, struct buf *b)
{
    const struct sink sink = {put_into_buf, b};
    struct buf text;
    struct clean_span clean;
    enum err_code rc;

    b->len = 0;
    buf_init(&text, NAME_SHOWN_MAX);
    rc = redact_text((struct raw_span){name, strlen(name)}, r->redaction.set, &text, &clean);
    if (rc == ERR_NONE)
        rc = visible_put(&sink, (struct raw_span){clean.ptr, clean.len},
                         (struct visible){.colour = COLOUR_VISIBLE});
    if (rc == ERR_NONE)
        rc = buf_put(b, "", 1);
    buf_release(&text);
    return rc;
}

/* ---- one file ---------------------------------------------------------------------- */

/* "2 secrets in 'x': github-pat 1, sk-key 1". */
static void say_counts(const struct redact *r, const char *name)
{
    const struct redact_filter *f = &r->filter;
    char text[SUMMARY_MAX];
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < redact_set_rules(r->redaction.set) && at < sizeof(text); i++) {
        int n = 0;

        if (f->counts[i] > 0)
            n = snprintf(text + at, sizeof(text) - at, "%s%s %" PRIu64, at > 0 ? ", " : ": ",
                         redact_set_rule_name(r->redaction.set, i), f->counts[i]);
        at += n > 0 ? (size_t)n : 0;
    }
    cmd_warn(r->args->command, "%" PRIu64 " %s in '%s'%s", f->marks,
             f->marks == 1 ? "secret" : "secrets", name, text);
}

static bool stdout_gone(const struct redact *r)
{
    return r->filter.out_errno != 0 || r->report_out.failed != 0;
}

/* Reads one open file to its end. */
static void do_fd(struct redact *r, int fd, const char *name)
{
    struct err e;
    struct buf shown;
    enum err_code rc;

    buf_init(&shown, (size_t)4 * NAME_SHOWN_MAX);
    rc = shown_name(r, name, &shown);
    if (rc == ERR_NONE && r->wants_report)
        rc = report_file(&r->report, shown.data);
    if (rc != ERR_NONE)
        err_set(&e, rc, "cannot read", name, "out of memory");
    else
        rc = redact_filter_run(&r->filter, fd, name, &e);
    r->found += r->filter.marks;
    if (rc == ERR_NONE && r->verbose)
        say_counts(r, shown.data);
    if (rc != ERR_NONE && !stdout_gone(r)) {
        cmd_warn_err(r->args->command, &e);
        r->trouble = true;
    }
    buf_release(&shown);
}

static void do_file(struct redact *r, const char *name)
{
    struct err e;
    int fd;

    if (strcmp(name, "-") == 0) {
        do_fd(r, STDIN_FILENO, name);
        return;
    }
    fd = sys.openat(AT_FDCWD, name, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
    if (fd < 0) {
        (void)err_system(&e, "cannot open", name);
        cmd_warn_err(r->args->command, &e);
        r->trouble = true;
        return;
    }
    do_fd(r, fd, name);
    sys.close(fd);
}

/* ---- all of them ------------------------------------------------------------------- */

static int status_of(const struct redact *r)
{
    if (r->trouble)
        return EXIT_TROUBLE;
    return r->check && r->found > 0 ? EXIT_NOTHING : EXIT_FOUND;
}

/* Standard output failed in the filter: quietly where nobody reads any more, as cat does. */
static int end_without_stdout(const struct redact *r)
{
    struct err e;

    if (r->filter.out_errno == EPIPE)
        return EXIT_SIGNAL_BASE + SIGPIPE;
    errno = r->filter.out_errno;
    (void)err_system(&e, "cannot write to", "stdout");
    cmd_warn_err(r->args->command, &e);
    return EXIT_TROUBLE;
}

static int finish(struct redact *r)
{
    if (r->filter.out_errno != 0)
        return end_without_stdout(r);
    if (!r->wants_report)
        return status_of(r);
    if (report_end(&r->report) != ERR_NONE && r->report_out.failed == 0) {
        cmd_warn(r->args->command, "cannot report: out of memory");
        r->trouble = true;
    }
    return out_finish(&r->report_out, r->args->command, status_of(r));
}

static enum err_code begin(struct redact *r)
{
    r->filter.set = r->redaction.set;
    r->filter.discard = r->check;
    if (!r->wants_report)
        return redact_filter_init(&r->filter);
    out_init_fd(&r->report_out, r->check ? STDOUT_FILENO : STDERR_FILENO);
    if (report_init(&r->report, r->redaction.set, &r->report_out, r->json, FILTER_READ_SIZE) !=
        ERR_NONE)
        return ERR_MEMORY;
    r->filter.report = &r->report;
    return redact_filter_init(&r->filter);
}

static int filter_files(struct redact *r)
{
    int status = EXIT_TROUBLE;

    if (begin(r) == ERR_NONE) {
        confine_to_reading(r->args);
        if (r->args->n_operands == 0)
            do_file(r, "-");
        for (int i = 0; i < r->args->n_operands && !stdout_gone(r); i++)
            do_file(r, r->args->operands[i]);
        status = finish(r);
    } else {
        cmd_warn(r->args->command, "cannot start: out of memory");
    }
    redact_filter_release(&r->filter);
    if (r->wants_report) {
        report_release(&r->report);
        out_release(&r->report_out);
    }
    return status;
}

static bool take_options(struct redact *r, struct err *e)
{
    const struct parsed_option *output = options_find(r->args, OPT_OUTPUT);

    r->check = options_find(r->args, OPT_CHECK) != NULL;
    r->wants_report = options_find(r->args, OPT_REPORT) != NULL;
    r->verbose = options_find(r->args, OPT_VERBOSE) != NULL;
    r->json = options_find(r->args, OPT_JSON) != NULL ||
              (output != NULL && output->number == CHOICE_REDACT_OUTPUT_JSON);
    if (options_find(r->args, OPT_LIST) == NULL || r->args->n_operands == 0)
        return true;
    err_set(e, ERR_USAGE, "extra operand", r->args->operands[0], "--list reads no input");
    return false;
}

int cmd_redact(const struct cmd_args *args)
{
    struct redact r = {.args = args};
    struct config config = {0};
    struct err e;
    int status = EXIT_TROUBLE;

    if (!take_options(&r, &e) || config_load(&config, &e) != ERR_NONE ||
        redaction_make(&r.redaction, args, &config.redact, &e) != ERR_NONE)
        cmd_warn_err(args->command, &e);
    else if (options_find(args, OPT_LIST) != NULL)
        status = redact_list(args->command, &r.redaction, r.json);
    else
        status = filter_files(&r);
    config_release(&config);
    redaction_release(&r.redaction);
    return status;
}
