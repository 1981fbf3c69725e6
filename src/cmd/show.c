// SPDX-License-Identifier: MIT
/*
 * buildlog show: one build within a budget of bytes: how it stands, its first error with what
 * stands around it, and its end; or with --seq any records. What is left out is named with the
 * command that shows it, so that a reader with little room, a program with a model behind it for
 * example, can go on from there.
 *
 * The output is made whole in memory, never longer than the budget, and written at the end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cmd/findings.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "commands.gen.h"
#include "read/excerpt.h"
#include "text/utf8.h"

enum {
    BUDGET = 16 << 10,  /* bytes without --budget */
    BEFORE = 8,         /* records shown before the first error */
    AFTER = 40,         /* and behind it; the end of the log says more */
    LINE_SHARE = 6,     /* one line takes a sixth of the budget at most */
    LINE_MIN = 120,
    LINE_MAX = 4096,    /* unless a single record is asked for */
    COMMAND_SHARE = 10, /* the command a tenth, a directory or message as well */
    ERROR_SHARE_NUM = 3, /* the first error gets three fifths of what is left */
    ERROR_SHARE_DEN = 5,
    RECORD_MIN = 12,    /* no record's line is shorter */
    OMISSION_MAX = 120, /* a line about what was left out, but for --dir */
    OMISSIONS_MIN = 6   /* as many of them must fit */
};

struct show {
    struct findings f;
    struct buf text;   /* what will be printed; its ceiling is the budget */
    struct sink sink;
    size_t omission;   /* bytes that a line about an omission takes at most */
    struct excerpt excerpt;
    size_t limit;      /* of text, for the part at hand */
    uint64_t budget;
    uint64_t from, to; /* --seq; from 0: not given */
    uint64_t first_shown, last_shown; /* of the part at hand; last 0: none */
    bool full;         /* a record did not fit */
};

static enum err_code put_into_text(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

/* The head gets half of the budget: what is longer is cut. */
static enum err_code put_clipped(void *arg, const char *text, size_t n)
{
    struct show *s = arg;
    size_t room = s->limit > s->text.len ? s->limit - s->text.len : 0;

    s->full = s->full || n > room;
    return buf_put(&s->text, text, n < room ? n : room);
}

/* ---- omissions ------------------------------------------------------------------------------ */

static enum err_code put_omission(struct show *s, uint64_t from, uint64_t to)
{
    enum err_code rc;

    if (from > to)
        return ERR_NONE;
    rc = sink_printf(&s->sink, "… %" PRIu64 " record%s not shown: ", to - from + 1,
                     to == from ? "" : "s");
    if (rc == ERR_NONE)
        rc = put_show_hint(&s->sink, &s->f, from, to);
    return rc == ERR_NONE ? sink_puts(&s->sink, "\n") : rc;
}

/* The end of a record's line, with the command that shows all of it. */
static enum err_code put_cut(struct buf *b, const struct show *s, uint64_t seq, uint64_t dropped)
{
    struct sink sink = {put_into_text, b};
    enum err_code rc = sink_printf(&sink, "… (+%" PRIu64 " bytes: ", dropped);

    if (rc == ERR_NONE)
        rc = put_show_hint(&sink, &s->f, seq, seq);
    if (rc == ERR_NONE && s->from == seq && s->to == seq)
        rc = sink_printf(&sink, " --budget %" PRIu64 "k", ((s->budget + dropped) >> 10) + 2);
    return rc == ERR_NONE ? sink_puts(&sink, ")") : rc;
}

/* ---- records -------------------------------------------------------------------------------- */

/* The line of a record in s->excerpt.line, complete but for its newline. Of length 0: nothing. */
static enum err_code make_line(struct show *s, const struct log_item *item, struct err *e)
{
    const struct error_finding *first = s->f.first;
    bool marked = first != NULL && item->seq >= first->seq && item->seq <= first->last_seq;
    enum err_code rc = excerpt_render(&s->excerpt, item, marked ? '>' : ' ', e);

    if (rc == ERR_FORMAT) {
        s->excerpt.line.len = 0;
        return ERR_NONE;
    }
    if (rc != ERR_NONE || s->excerpt.dropped == 0 || item->seq == 0)
        return rc;
    s->excerpt.line.max += s->omission;
    return put_cut(&s->excerpt.line, s, item->seq, s->excerpt.dropped);
}

static enum err_code show_record(void *arg, const struct log_item *item, bool *more, struct err *e)
{
    struct show *s = arg;
    enum err_code rc = make_line(s, item, e);

    if (rc != ERR_NONE || s->excerpt.line.len == 0)
        return rc;
    if (s->text.len + s->excerpt.line.len + 1 > s->limit) {
        s->full = true;
        *more = false;
        return ERR_NONE;
    }
    rc = buf_put(&s->text, s->excerpt.line.data, s->excerpt.line.len);
    if (rc == ERR_NONE)
        rc = buf_put(&s->text, "\n", 1);
    if (item->seq > 0) {
        s->first_shown = s->last_shown == 0 ? item->from : s->first_shown;
        s->last_shown = item->seq;
    }
    return rc;
}

/* Shows records from … to as far as text does not grow over limit. */
static enum err_code show_part(struct show *s, uint64_t from, uint64_t to, size_t limit,
                               struct err *e)
{
    s->limit = limit;
    s->full = false;
    s->first_shown = s->last_shown = 0;
    return excerpt_walk(s->f.build.reader, from, to,
                      (struct excerpt_visitor){show_record, s}, e);
}

/* ---- the end -------------------------------------------------------------------------------- */

/* Lines of the last records; the oldest give way. */
struct tail {
    struct show *show;
    struct buf lines;
    size_t begin; /* of what is still shown */
    size_t room;
    uint64_t seqs_from; /* the number of the first record that is still shown */
};

static enum err_code keep_record(void *arg, const struct log_item *item, bool *more, struct err *e)
{
    struct tail *t = arg;
    enum err_code rc = make_line(t->show, item, e);
    const struct buf *line = &t->show->excerpt.line;

    (void)more;
    if (rc != ERR_NONE || line->len == 0)
        return rc;
    if (t->lines.len - t->begin == 0)
        t->seqs_from = item->from;
    rc = buf_put(&t->lines, line->data, line->len);
    if (rc == ERR_NONE)
        rc = buf_put(&t->lines, "\n", 1);
    while (t->lines.len - t->begin > t->room) {
        const char *start = t->lines.data + t->begin;
        const char *next = memchr(start, '\n', t->lines.len - t->begin);

        t->begin += (size_t)(next + 1 - start);
        t->seqs_from = 0; /* told by the line that comes first now */
    }
    if (t->begin > t->room) {
        buf_consume(&t->lines, t->begin);
        t->begin = 0;
    }
    return rc;
}

/* The number that a line begins with; that of the record behind a line without one. */
static uint64_t number_of_line(const char *line, const char *end)
{
    uint64_t value = 0;

    for (const char *p = line + 1; p < end && (*p == ' ' || (*p >= '0' && *p <= '9')); p++) {
        if (*p == ' ' && value > 0)
            break;
        if (*p != ' ')
            value = value * 10 + (uint64_t)(*p - '0');
    }
    return value;
}

static uint64_t first_of_tail(const struct tail *t)
{
    const char *p = t->lines.data + t->begin;
    const char *end = t->lines.data + t->lines.len;

    if (t->seqs_from > 0)
        return t->seqs_from;
    while (p < end) {
        uint64_t seq = number_of_line(p, end);

        if (seq > 0)
            return seq;
        p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
    }
    return t->show->f.last_seq + 1;
}

/* As many of the last records behind `after` as fit, with a line about those between. */
static enum err_code show_end(struct show *s, uint64_t after, struct err *e)
{
    struct tail t = {.show = s};
    uint64_t most, from;
    enum err_code rc;

    if (after >= s->f.last_seq || s->text.len + s->omission >= s->text.max)
        return put_omission(s, after + 1, s->f.last_seq);
    t.room = s->text.max - s->text.len - s->omission;
    most = t.room / RECORD_MIN + 1;
    from = s->f.last_seq > most ? s->f.last_seq - most + 1 : 1;
    from = from <= after ? after + 1 : from;
    buf_init(&t.lines, 2 * t.room + 2 * (size_t)LINE_MAX + s->excerpt.line_max + s->omission);
    rc = excerpt_walk(s->f.build.reader, from, s->f.last_seq,
                      (struct excerpt_visitor){keep_record, &t}, e);
    if (rc == ERR_NONE)
        rc = put_omission(s, after + 1, first_of_tail(&t) - 1);
    if (rc == ERR_NONE)
        rc = sink_put(&s->sink, t.lines.data + t.begin, t.lines.len - t.begin);
    buf_release(&t.lines);
    return rc;
}

/* ---- the parts ------------------------------------------------------------------------------ */

static enum err_code put_head(struct show *s)
{
    const struct build_report *b = &s->f.report;
    char outcome[OUTCOME_TEXT];
    char text[DURATION_TEXT];
    int64_t ms = b->state == STATE_ENDED ? record_number(&b->end, "durationMs", -1) : -1;
    enum err_code rc = sink_printf(&s->sink, "build %s: ", s->f.build.id);

    outcome_text(b, outcome);
    if (rc == ERR_NONE)
        rc = visible_put(&s->sink, (struct raw_span){outcome, strlen(outcome)},
                         (struct visible){.colour = COLOUR_VISIBLE});
    if (rc == ERR_NONE && ms >= 0)
        rc = sink_printf(&s->sink, ", %s", duration_text(ms, text));
    if (rc == ERR_NONE)
        rc = sink_printf(&s->sink, ", %" PRIu64 " records\n", s->f.last_seq);
    return rc;
}

static enum err_code put_what(struct show *s)
{
    const struct build_report *b = &s->f.report;
    size_t max = (size_t)(s->budget / COMMAND_SHARE);
    const char *cwd = b->has_start ? record_text(&b->start, "cwd", "") : "";
    struct raw_span shown = {cwd, strlen(cwd)};
    enum err_code rc;

    if (!b->has_start)
        return ERR_NONE;
    rc = sink_puts(&s->sink, "command: ");
    if (rc == ERR_NONE)
        rc = put_command(&s->sink, &b->start, max / 2); /* made visible it may be longer */
    if (rc == ERR_NONE)
        rc = sink_puts(&s->sink, "\n");
    if (rc != ERR_NONE || shown.len == 0 || shown.len > max / 2)
        return rc;
    rc = sink_puts(&s->sink, "directory: ");
    if (rc == ERR_NONE)
        rc = visible_put(&s->sink, shown, (struct visible){.colour = COLOUR_VISIBLE});
    return rc == ERR_NONE ? sink_puts(&s->sink, "\n") : rc;
}

static enum err_code put_left_out(struct show *s)
{
    char text[LEFT_OUT_TEXT];

    if (left_out_text(&s->f.left_out, s->f.report.state == STATE_RUNNING, text)[0] == '\0')
        return ERR_NONE;
    return sink_printf(&s->sink, "left out: %s\n", text);
}

static enum err_code put_first_error(struct show *s)
{
    enum err_code rc = sink_puts(&s->sink, "first error: ");

    if (s->f.first == NULL || s->f.first->rank <= RANK_CASCADE)
        return sink_puts(&s->sink, s->f.first == NULL ? "none recognised\n"
                                                      : "none recognised but what follows\n");
    if (rc == ERR_NONE)
        rc = put_finding(&s->sink, s->f.first, (size_t)(s->budget / COMMAND_SHARE));
    return rc == ERR_NONE ? sink_puts(&s->sink, "\n") : rc;
}

static enum err_code put_heading(struct show *s)
{
    enum err_code rc;

    s->limit = s->text.max / 2;
    s->full = false;
    s->sink = (struct sink){put_clipped, s};
    rc = put_head(s);
    if (rc == ERR_NONE && s->from == 0)
        rc = put_what(s);
    if (rc == ERR_NONE)
        rc = put_left_out(s);
    if (rc == ERR_NONE && s->from == 0)
        rc = put_first_error(s);
    s->sink = (struct sink){put_into_text, &s->text};
    if (rc != ERR_NONE || !s->full)
        return rc;
    s->text.len = utf8_cut(s->text.data, s->text.len);
    return sink_puts(&s->sink, "…\n");
}

/* All of it, if all of it fits. *done says so; text is as before if not. */
static enum err_code try_all(struct show *s, bool *done, struct err *e)
{
    size_t before = s->text.len;
    enum err_code rc = show_part(s, 1, s->f.last_seq, s->text.max, e);

    *done = rc == ERR_NONE && !s->full;
    if (!*done)
        s->text.len = before;
    return rc;
}

static enum err_code show_build(struct show *s, struct err *e)
{
    const struct error_finding *first = s->f.first;
    uint64_t from = 1;
    size_t left;
    bool done = false;
    enum err_code rc = sink_puts(&s->sink, "\n");

    if (rc == ERR_NONE)
        rc = try_all(s, &done, e);
    if (rc != ERR_NONE || done)
        return rc;
    if (first == NULL)
        return show_end(s, 0, e);
    from = first->seq > BEFORE ? first->seq - BEFORE : 1;
    rc = put_omission(s, 1, from - 1);
    left = s->text.max - s->text.len;
    left = left > 2 * s->omission ? left - 2 * s->omission : 0;
    if (rc == ERR_NONE)
        rc = show_part(s, from, first->last_seq + AFTER,
                       s->text.len + left * ERROR_SHARE_NUM / ERROR_SHARE_DEN, e);
    return rc == ERR_NONE ? show_end(s, s->last_shown > 0 ? s->last_shown : from - 1, e) : rc;
}

static enum err_code show_range(struct show *s, struct err *e)
{
    uint64_t to = s->to < s->f.last_seq ? s->to : s->f.last_seq;
    size_t limit = s->text.max - s->omission;
    enum err_code rc;

    if (s->from > s->f.last_seq)
        return err_set(e, ERR_NOT_FOUND, "no such records in build", s->f.build.id,
                       "the last one is %" PRIu64, s->f.last_seq);
    rc = show_part(s, s->from, to, limit, e);
    if (rc != ERR_NONE || !s->full)
        return rc;
    return put_omission(s, s->last_shown > 0 ? s->last_shown + 1 : s->from, to);
}

/* ---- the command ---------------------------------------------------------------------------- */

/* "A", "A-B" or "A-". */
static enum err_code parse_seq(struct show *s, const char *text, struct err *e)
{
    enum { NUMBER_TEXT = 24 };
    char number[NUMBER_TEXT];
    size_t n = strcspn(text, "-");
    bool good = n > 0 && n < sizeof(number);

    if (good) {
        memcpy(number, text, n);
        number[n] = '\0';
        good = parse_number(number, INT64_MAX, &s->from) && s->from > 0;
    }
    s->to = s->from;
    if (good && text[n] == '-')
        good = text[n + 1] == '\0' || parse_number(text + n + 1, INT64_MAX, &s->to);
    if (good && text[n] == '-' && text[n + 1] == '\0')
        s->to = INT64_MAX;
    if (!good || s->to < s->from)
        return err_set(e, ERR_USAGE, "bad value for --seq", text, "want A, A-B or A-");
    return ERR_NONE;
}

static enum err_code parse(struct show *s, const struct cmd_args *args, struct err *e)
{
    const struct parsed_option *budget = options_find(args, OPT_BUDGET);
    const struct parsed_option *seq = options_find(args, OPT_SEQ);

    s->budget = budget != NULL ? (uint64_t)budget->number : BUDGET;
    return seq != NULL ? parse_seq(s, seq->text, e) : ERR_NONE;
}

/* How long a line about an omission gets with this --dir. */
static enum err_code measure(struct show *s, struct err *e)
{
    enum { DIR_MAX = 64 << 10 };
    struct buf dir;
    struct sink sink = {put_into_text, &dir};
    enum err_code rc;

    buf_init(&dir, DIR_MAX);
    rc = put_dir_option(&sink, s->f.args);
    s->omission = OMISSION_MAX + dir.len;
    buf_release(&dir);
    if (rc == ERR_NONE && s->budget < OMISSIONS_MIN * s->omission)
        return err_set(e, ERR_USAGE, "bad value for --budget", "",
                       "with this --dir it must be at least %zu bytes",
                       OMISSIONS_MIN * s->omission);
    return rc;
}

static size_t line_max(const struct show *s)
{
    size_t share = (size_t)(s->budget / LINE_SHARE);

    if (s->from > 0 && s->from == s->to) /* as much as there is */
        return (size_t)s->budget - (OMISSIONS_MIN - 1) * s->omission;
    if (share < LINE_MIN)
        return LINE_MIN;
    return share < LINE_MAX ? share : LINE_MAX;
}

static enum err_code run_show(struct show *s, const struct cmd_args *args, struct err *e)
{
    enum err_code rc = findings_read(&s->f, args, e);

    if (rc == ERR_NONE)
        rc = measure(s, e);
    if (rc != ERR_NONE)
        return rc;
    buf_init(&s->text, (size_t)s->budget);
    excerpt_init(&s->excerpt, line_max(s));
    rc = put_heading(s);
    if (rc != ERR_NONE)
        return rc;
    return s->from > 0 ? show_range(s, e) : show_build(s, e);
}

int cmd_show(const struct cmd_args *args)
{
    struct show s = {.f = {.build = {.root_fd = -1}}};
    struct out out;
    struct sink sink;
    struct err e = {0};
    enum err_code rc = parse(&s, args, &e);
    int status;

    out_init(&out);
    sink = out_sink(&out);
    if (rc == ERR_NONE)
        rc = run_show(&s, args, &e);
    if (rc == ERR_NONE)
        rc = sink_put(&sink, s.text.data, s.text.len);
    if (rc == ERR_MEMORY && e.code == ERR_NONE)
        err_set(&e, rc, "cannot show build", s.f.build.id, "no memory");
    if (rc != ERR_NONE && out.failed == 0)
        cmd_warn_err(args->command, &e);
    status = out_finish(&out, args->command, rc == ERR_NONE ? EXIT_FOUND : EXIT_TROUBLE);
    excerpt_release(&s.excerpt);
    buf_release(&s.text);
    findings_release(&s.f);
    out_release(&out);
    return status;
}
