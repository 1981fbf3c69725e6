// SPDX-License-Identifier: MIT
/*
 * buildlog errors: what went wrong, the first cause before what followed from it. Reads the log
 * once to find it and, up to the place, once more to show what stands around it.
 *
 * Nothing that the log says begins a line of the output, so that no log can speak to GitHub's
 * runner through it.
 */
#include <inttypes.h>
#include <string.h>

#include "cmd/errors_format.h"
#include "cmd/options.h"
#include "commands.gen.h"
#include "read/excerpt.h"

enum {
    BEFORE = 3,        /* records shown before the first error */
    AFTER = 4,         /* and behind its last one */
    AROUND_MAX = 24,   /* records shown around it at most */
    LINE_SHOWN = 400,  /* bytes of a record's text */
    MESSAGE_SHOWN = 400,
    FURTHER_SHOWN = 10,
    LAST_SHOWN = 15 /* records shown where nothing is recognised */
};

/* ---- what stands around --------------------------------------------------------------------- */

struct around {
    const struct sink *sink;
    struct excerpt excerpt;
    uint64_t first, last; /* these are marked */
};

static enum err_code show_record(void *arg, const struct log_item *item, bool *more, struct err *e)
{
    struct around *a = arg;
    bool marked = item->seq >= a->first && item->seq <= a->last;
    enum err_code rc = excerpt_render(&a->excerpt, item, marked ? '>' : ' ', e);

    (void)more;
    if (rc == ERR_FORMAT || (rc == ERR_NONE && a->excerpt.line.len == 0))
        return ERR_NONE;
    if (rc == ERR_NONE)
        rc = sink_put(a->sink, a->excerpt.line.data, a->excerpt.line.len);
    if (rc == ERR_NONE && a->excerpt.dropped > 0)
        rc = sink_printf(a->sink, "… (+%" PRIu64 " bytes)", a->excerpt.dropped);
    return rc == ERR_NONE ? sink_puts(a->sink, "\n") : rc;
}

enum err_code put_around(const struct sink *s, const struct findings *f,
                         const struct error_finding *error, struct err *e)
{
    struct around a = {.sink = s, .first = error->seq, .last = error->last_seq};
    uint64_t from = error->seq > BEFORE ? error->seq - BEFORE : 1;
    uint64_t to = error->last_seq + AFTER;
    enum err_code rc;

    if (to > from + AROUND_MAX)
        to = from + AROUND_MAX;
    excerpt_init(&a.excerpt, LINE_SHOWN);
    rc = excerpt_walk(f->build.reader, from, to,
                      (struct excerpt_visitor){show_record, &a}, e);
    excerpt_release(&a.excerpt);
    return rc;
}

enum err_code put_last(const struct sink *s, const struct findings *f, struct err *e)
{
    struct around a = {.sink = s, .first = UINT64_MAX};
    uint64_t from = f->last_seq > LAST_SHOWN ? f->last_seq - LAST_SHOWN + 1 : 1;
    enum err_code rc;

    excerpt_init(&a.excerpt, LINE_SHOWN);
    rc = excerpt_walk(f->build.reader, from, f->last_seq,
                      (struct excerpt_visitor){show_record, &a}, e);
    excerpt_release(&a.excerpt);
    return rc;
}

/* ---- for people ----------------------------------------------------------------------------- */

static const char *heading(const struct error_finding *first)
{
    if (first->rank <= RANK_CASCADE)
        return "only what follows from an error was recognised";
    if (first->rank == RANK_LINE)
        return "no error of a known kind; the first line that claims one";
    return "first error";
}

static enum err_code put_first(const struct findings *f, struct out *out, struct err *e)
{
    struct sink s = out_sink(out);
    enum err_code rc = sink_puts(&s, out->colour ? "\x1b[1;31m" : "");

    if (rc == ERR_NONE)
        rc = sink_puts(&s, heading(f->first));
    if (rc == ERR_NONE)
        rc = sink_puts(&s, out->colour ? ":\x1b[0m " : ": ");
    if (rc == ERR_NONE)
        rc = put_finding(&s, f->first, MESSAGE_SHOWN);
    if (rc == ERR_NONE)
        rc = sink_puts(&s, "\n\n");
    return rc == ERR_NONE ? put_around(&s, f, f->first, e) : rc;
}

static enum err_code put_one_more(const struct sink *s, const struct error_finding *error)
{
    enum err_code rc = sink_printf(s, "%9" PRIu64 " ", error->seq);

    if (rc == ERR_NONE)
        rc = put_finding(s, error, MESSAGE_SHOWN);
    if (rc == ERR_NONE && error->times > 1)
        rc = sink_printf(s, " (%" PRIu64 " times)", error->times);
    return rc == ERR_NONE ? sink_puts(s, "\n") : rc;
}

static enum err_code put_rest_hint(const struct sink *s, const struct findings *f, uint64_t n)
{
    enum err_code rc = sink_printf(s, "… and %" PRIu64 " more: buildlog errors -o json", n);

    if (rc == ERR_NONE)
        rc = put_dir_option(s, f->args);
    return rc == ERR_NONE ? sink_printf(s, " %s\n", f->build.id) : rc;
}

static enum err_code put_further(const struct sink *s, const struct findings *f)
{
    uint64_t n = 0;
    uint64_t shown = 0;
    enum err_code rc;

    for (size_t i = 0; i < errors_count(f->errors); i++)
        n += findings_further(f, errors_at(f->errors, i)) ? 1 : 0;
    if (n == 0)
        return ERR_NONE;
    rc = sink_printf(s, "\nfurther errors: %" PRIu64 "\n", n + errors_dropped(f->errors));
    for (size_t i = 0; rc == ERR_NONE && i < errors_count(f->errors) && shown < FURTHER_SHOWN;
         i++) {
        if (!findings_further(f, errors_at(f->errors, i)))
            continue;
        rc = put_one_more(s, errors_at(f->errors, i));
        shown++;
    }
    n += errors_dropped(f->errors);
    return rc == ERR_NONE && n > shown ? put_rest_hint(s, f, n - shown) : rc;
}

static enum err_code put_more_hint(const struct sink *s, const struct findings *f)
{
    enum { MORE = 25 };
    uint64_t from = f->first->seq > MORE ? f->first->seq - MORE : 1;
    uint64_t to = f->first->last_seq + MORE < f->last_seq ? f->first->last_seq + MORE : f->last_seq;
    enum err_code rc = sink_puts(s, "\nmore around it: ");

    if (rc == ERR_NONE)
        rc = put_show_hint(s, f, from, to);
    return rc == ERR_NONE ? sink_puts(s, "\n") : rc;
}

static enum err_code put_text(const struct findings *f, struct out *out, struct err *e)
{
    struct sink s = out_sink(out);
    char outcome[OUTCOME_TEXT];
    enum err_code rc = sink_printf(&s, "build %s: ", f->build.id);

    outcome_text(&f->report, outcome);
    if (rc == ERR_NONE)
        rc = visible_put(&s, (struct raw_span){outcome, strlen(outcome)},
                         (struct visible){.colour = COLOUR_VISIBLE});
    if (rc == ERR_NONE)
        rc = sink_puts(&s, "\n");
    if (rc == ERR_NONE && f->first != NULL) {
        rc = put_first(f, out, e);
        if (rc == ERR_NONE)
            rc = put_further(&s, f);
        return rc == ERR_NONE ? put_more_hint(&s, f) : rc;
    }
    if (rc == ERR_NONE)
        rc = sink_puts(&s, f->last_seq > 0 ? "no error recognised; the last lines:\n\n"
                                           : "no error recognised, and no line recorded\n");
    return rc == ERR_NONE ? put_last(&s, f, e) : rc;
}

/* ---- the command ---------------------------------------------------------------------------- */

static enum err_code put_format(const struct findings *f, struct out *out, struct err *e)
{
    const struct parsed_option *output = options_find(f->args, OPT_OUTPUT);
    int64_t format = output != NULL ? output->number : CHOICE_ERRORS_OUTPUT_TEXT;

    if (options_find(f->args, OPT_JSON) != NULL || format == CHOICE_ERRORS_OUTPUT_JSON)
        return put_errors_json(f, out, e);
    if (format == CHOICE_ERRORS_OUTPUT_GITHUB)
        return put_errors_github(f, out, e);
    if (format == CHOICE_ERRORS_OUTPUT_JUNIT)
        return put_errors_junit(f, out, e);
    return put_text(f, out, e);
}

int cmd_errors(const struct cmd_args *args)
{
    struct findings f;
    struct out out;
    struct err e = {0};
    char left_out[LEFT_OUT_TEXT];
    enum err_code rc;
    int status;

    out_init(&out);
    rc = findings_read(&f, args, &e);
    if (rc == ERR_NONE) {
        rc = put_format(&f, &out, &e);
        if (rc == ERR_MEMORY && e.code == ERR_NONE)
            err_set(&e, rc, "cannot show errors of build", f.build.id, "no memory");
    }
    status = rc != ERR_NONE ? EXIT_TROUBLE : f.first != NULL ? EXIT_FOUND : EXIT_NOTHING;
    if (rc != ERR_NONE && out.failed == 0)
        cmd_warn_err(args->command, &e);
    status = out_finish(&out, args->command, status);
    if (rc == ERR_NONE &&
        left_out_text(&f.left_out, f.report.state == STATE_RUNNING, left_out)[0] != '\0')
        cmd_warn(args->command, "build %s: left out: %s", f.build.id, left_out);
    findings_release(&f);
    out_release(&out);
    return status;
}
