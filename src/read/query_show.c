// SPDX-License-Identifier: MIT
#include "read/query_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/utf8.h"

enum {
    LOOK_MAX = 64 << 10,         /* bytes of a text that is only looked at, or cut */
    TEXT_MAX = 8 * LOOK_MAX,     /* the same made visible */
    DATE_LEN = 11,               /* "2026-01-02 " */
    DATE_FROM_COLUMNS = 100,     /* narrower terminals see the time of day only */
    MINUTE_MS = 60000
};

static enum err_code put_into_buf(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

void query_show_init(struct query_show *s)
{
    buf_init(&s->text, TEXT_MAX);
    s->minute = INT64_MIN;
    s->first.ts_ms = INT64_MAX;
    s->last.ts_ms = INT64_MIN;
    s->renderer = (struct renderer){.format = RENDER_PRETTY};
}

void query_show_release(struct query_show *s)
{
    buf_release(&s->text);
    render_release(&s->renderer);
}

void query_show_build(struct query_show *s, const char *id, const char *heading)
{
    s->id = id;
    s->heading = heading;
    s->headed = false;
}

/* ---- text ----------------------------------------------------------------------------------- */

static struct log_item as_item(const struct view *v)
{
    return (struct log_item){.text = v->json, .kind = v->kind, .from = v->from, .seq = v->seq};
}

/* What a line record says, to `to`, without its end. */
static enum err_code put_line_text(const struct query_show *s, const struct sink *to,
                                   const struct view *v, bool colour, size_t at_most)
{
    struct visible how = {.colour = colour ? COLOUR_PASS : COLOUR_STRIP,
                          .last_frame = s->terminal};
    struct raw_span msg = v->msg;

    if (!v->has_msg)
        return sink_printf(to, "(%" PRId64 " bytes)", v->len > 0 ? v->len : 0);
    if (msg.len > at_most)
        msg.len = utf8_cut(msg.ptr, at_most);
    return visible_put(to, msg, how);
}

/* The beginning of what a record says into s->text, for those who look at it: all of it unless
   it is very long. */
static enum err_code make_text(struct query_show *s, const struct view *v, bool colour)
{
    struct sink into = {put_into_buf, &s->text};
    struct log_item item = as_item(v);
    enum err_code rc;

    s->text.len = 0;
    if (v->kind == RECORD_LINE)
        return put_line_text(s, &into, v, colour, LOOK_MAX);
    s->renderer.sink = into;
    rc = render_item(&s->renderer, &item, NULL);
    if (rc == ERR_NONE && s->text.len > 0 && s->text.data[s->text.len - 1] == '\n')
        s->text.len--;
    return rc == ERR_MEMORY && s->text.len > 0 ? ERR_NONE : rc;
}

/* All of it, and the end of the line. */
static enum err_code put_whole(struct query_show *s, const struct view *v, bool colour)
{
    struct log_item item = as_item(v);
    enum err_code rc;

    if (v->kind != RECORD_LINE) {
        s->renderer.sink = s->sink;
        return render_item(&s->renderer, &item, NULL);
    }
    rc = put_line_text(s, &s->sink, v, colour, SIZE_MAX);
    return rc == ERR_NONE ? sink_put(&s->sink, "\n", 1) : rc;
}

/* Between groups of records with context. */
static enum err_code put_apart(const struct query_show *s, struct query_shown how)
{
    return how.apart && s->any ? sink_puts(&s->sink, "--\n") : ERR_NONE;
}

/* A line that is plain text through and through needs no buffer. */
static bool is_plain(struct raw_span text)
{
    unsigned char odd = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        odd |= (unsigned char)((c < 0x20) | (c >= 0x7f));
    }
    return odd == 0;
}

static enum err_code put_text(struct query_show *s, const struct view *v)
{
    enum err_code rc;

    if (v->kind != RECORD_LINE || !v->has_msg || !is_plain(v->msg))
        return put_whole(s, v, s->colour);
    rc = sink_put(&s->sink, v->msg.ptr, v->msg.len);
    return rc == ERR_NONE ? sink_put(&s->sink, "\n", 1) : rc;
}

/* ---- the table ------------------------------------------------------------------------------ */

/* "2026-01-02 03:04:05.678", local. localtime(3) is asked once a minute. */
static void put_time(struct query_show *s, int64_t ts_ms, char dst[48])
{
    int64_t minute = ts_ms / MINUTE_MS;
    int ms = (int)(ts_ms % MINUTE_MS);
    struct tm tm;
    time_t when = (time_t)(minute * (MINUTE_MS / 1000));

    if (minute != s->minute) {
        if (localtime_r(&when, &tm) == NULL ||
            strftime(s->clock, sizeof(s->clock), "%Y-%m-%d %H:%M", &tm) == 0)
            snprintf(s->clock, sizeof(s->clock), "%-16s", "?");
        s->minute = minute;
    }
    snprintf(dst, 48, "%s:%02d.%03d", s->clock, ms / 1000, ms % 1000);
}

static const char *kind_name(const struct view *v)
{
    return v->kind == RECORD_EVENT ? "event" : "gap";
}

static const char *level_colour(enum level level)
{
    if (level >= LEVEL_ERROR)
        return "\x1b[31m";
    return level == LEVEL_WARN ? "\x1b[33m" : "";
}

/* What stands before the text, in plain ASCII but for the source, which is cut to its column. */
static int make_head(struct query_show *s, const struct view *v, enum level level, char dst[160])
{
    char clock[48];
    bool date = s->columns == 0 || s->columns >= DATE_FROM_COLUMNS;
    const char *colour = s->colour ? level_colour(level) : "";
    char src[7];
    size_t n = 0;

    put_time(s, v->ts_ms, clock);
    for (; n < v->src.len && n < sizeof(src) - 1; n++)
        src[n] = v->src.ptr[n] > 0x20 && v->src.ptr[n] < 0x7f ? v->src.ptr[n] : '?';
    src[n] = '\0';
    return snprintf(dst, 160, "%s  %6" PRIu64 "  %-6s  %s%-5s%s  ",
                    clock + (date || strlen(clock) <= DATE_LEN ? 0 : DATE_LEN), v->seq,
                    n > 0 ? src : kind_name(v), colour, level_name(level),
                    colour[0] != '\0' ? "\x1b[0m" : "");
}

static size_t visible_head_len(int head_len, const struct query_show *s, enum level level)
{
    const char *colour = s->colour ? level_colour(level) : "";

    return (size_t)head_len - strlen(colour) - (colour[0] != '\0' ? 4 : 0);
}

static enum err_code put_heading(struct query_show *s)
{
    enum err_code rc = ERR_NONE;

    if (!s->headings || s->headed)
        return ERR_NONE;
    s->headed = true;
    if (s->any)
        rc = sink_put(&s->sink, "\n", 1);
    if (rc == ERR_NONE)
        rc = sink_printf(&s->sink, s->colour ? "\x1b[1m%s\x1b[0m" : "%s", s->id);
    if (rc == ERR_NONE && s->heading[0] != '\0') {
        size_t left = s->columns > ULID_LEN + 2 ? s->columns - ULID_LEN - 2 : 0;
        size_t n = strlen(s->heading);

        rc = sink_puts(&s->sink, "  ");
        if (s->columns > 0)
            n = visible_fit(s->heading, n, left);
        if (rc == ERR_NONE)
            rc = sink_put(&s->sink, s->heading, n);
    }
    return rc == ERR_NONE ? sink_put(&s->sink, "\n", 1) : rc;
}

static enum err_code put_row(struct query_show *s, const struct view *v)
{
    enum level level = view_level(v);
    char head[160];
    int head_len = make_head(s, v, level, head);
    size_t used = visible_head_len(head_len, s, level);
    enum err_code rc = sink_put(&s->sink, head, (size_t)head_len);
    size_t n;

    if (rc != ERR_NONE || s->columns == 0)
        return rc == ERR_NONE ? put_whole(s, v, s->colour) : rc;
    rc = make_text(s, v, false);
    n = visible_fit(s->text.data, s->text.len, s->columns > used ? s->columns - used : 0);
    if (rc == ERR_NONE)
        rc = sink_put(&s->sink, s->text.data, n);
    return rc == ERR_NONE ? sink_put(&s->sink, "\n", 1) : rc;
}

/* ---- json ----------------------------------------------------------------------------------- */

static enum err_code put_json(const struct query_show *s, const struct view *v)
{
    enum err_code rc = ERR_NONE;

    if (s->format == QUERY_JSON)
        rc = sink_puts(&s->sink, s->any ? ",\n" : "[\n");
    if (rc == ERR_NONE)
        rc = s->terminal ? visible_put_json(&s->sink, v->json)
                         : sink_put(&s->sink, v->json.ptr, v->json.len);
    return rc == ERR_NONE && s->format == QUERY_JSONL ? sink_put(&s->sink, "\n", 1) : rc;
}

/* ---- summary -------------------------------------------------------------------------------- */

static void tally(struct query_tallies *t, const char *name, size_t n)
{
    char text[QUERY_NAME_SIZE] = "";

    if (n >= sizeof(text))
        n = sizeof(text) - 1;
    for (size_t i = 0; i < n; i++)
        text[i] = name[i] > 0x20 && name[i] < 0x7f ? name[i] : '?';
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->of[i].name, text) == 0) {
            t->of[i].n++;
            return;
        }
    if (t->n == QUERY_NAMES_MAX) {
        t->others++;
        return;
    }
    memcpy(t->of[t->n].name, text, sizeof(text));
    t->of[t->n++].n = 1;
}

static struct query_place place_of(const struct query_show *s, const struct view *v)
{
    struct query_place place = {.ts_ms = v->ts_ms, .seq = v->seq};

    snprintf(place.id, sizeof(place.id), "%s", s->id);
    return place;
}

static void count(struct query_show *s, const struct view *v)
{
    s->records++;
    s->levels[view_level(v)]++;
    if (v->kind == RECORD_LINE) {
        s->lines++;
        tally(&s->srcs, v->src.ptr, v->src.len);
    } else if (v->kind == RECORD_EVENT) {
        const char *name = record_text(&v->record, "event", "");

        s->events++;
        tally(&s->event_names, name, strlen(name));
    } else {
        int64_t lines = record_number(&v->record, "lines", 0);

        s->gaps++;
        s->missing += lines > 0 ? (uint64_t)lines : 0;
    }
    if (v->ts_ms < s->first.ts_ms)
        s->first = place_of(s, v);
    if (v->ts_ms >= s->last.ts_ms)
        s->last = place_of(s, v);
}

static int more_first(const void *a, const void *b)
{
    const struct query_tally *x = a;
    const struct query_tally *y = b;

    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return strcmp(x->name, y->name);
}

static enum err_code put_tallies(const struct query_show *s, const char *what,
                                 struct query_tallies *t)
{
    enum err_code rc = ERR_NONE;

    qsort(t->of, t->n, sizeof(t->of[0]), more_first);
    for (size_t i = 0; i < t->n && rc == ERR_NONE; i++)
        rc = sink_printf(&s->sink, "%-8s %-24s %10" PRIu64 "\n", what, t->of[i].name, t->of[i].n);
    if (rc == ERR_NONE && t->others > 0)
        rc = sink_printf(&s->sink, "%-8s %-24s %10" PRIu64 "\n", what, "(others)", t->others);
    return rc;
}

static enum err_code put_levels(const struct query_show *s)
{
    enum err_code rc = ERR_NONE;

    for (int level = LEVEL_FATAL; level >= LEVEL_NONE && rc == ERR_NONE; level--)
        if (s->levels[level] > 0)
            rc = sink_printf(&s->sink, "%-8s %-24s %10" PRIu64 "\n", "level",
                             level_name((enum level)level), s->levels[level]);
    return rc;
}

static enum err_code put_place(struct query_show *s, const char *what, const struct query_place *p)
{
    char clock[48];

    put_time(s, p->ts_ms, clock);
    return sink_printf(&s->sink, "%-8s %-24s %10" PRIu64 "  %s\n", what, clock, p->seq, p->id);
}

static enum err_code put_totals(const struct query_show *s)
{
    const struct {
        const char *what;
        uint64_t n;
    } totals[] = {{"records", s->records}, {"lines", s->lines}, {"events", s->events},
                  {"gaps", s->gaps}, {"lines missing", s->missing},
                  {"errors", s->levels[LEVEL_ERROR] + s->levels[LEVEL_FATAL]}};
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]) && rc == ERR_NONE; i++)
        rc = sink_printf(&s->sink, "%-8s %-24s %10" PRIu64 "\n", "total", totals[i].what,
                         totals[i].n);
    return rc;
}

static enum err_code put_summary(struct query_show *s)
{
    enum err_code rc = put_totals(s);

    if (rc == ERR_NONE)
        rc = put_levels(s);
    if (rc == ERR_NONE)
        rc = put_tallies(s, "source", &s->srcs);
    if (rc == ERR_NONE)
        rc = put_tallies(s, "event", &s->event_names);
    if (rc == ERR_NONE && s->records > 0)
        rc = put_place(s, "first", &s->first);
    if (rc == ERR_NONE && s->records > 0)
        rc = put_place(s, "last", &s->last);
    return rc;
}

/* ---- all of them ---------------------------------------------------------------------------- */

enum err_code query_show_record(struct query_show *s, const struct view *v,
                                struct query_shown how)
{
    enum err_code rc = ERR_NONE;

    switch (s->format) {
    case QUERY_TABLE:
        rc = s->headings && !s->headed ? put_heading(s) : put_apart(s, how);
        if (rc == ERR_NONE)
            rc = put_row(s, v);
        break;
    case QUERY_TEXT:
        rc = put_apart(s, how);
        if (rc == ERR_NONE)
            rc = put_text(s, v);
        break;
    case QUERY_SUMMARY:
        count(s, v);
        break;
    case QUERY_JSON:
    case QUERY_JSONL:
    default:
        rc = put_json(s, v);
    }
    s->any = true;
    return rc;
}

enum err_code query_show_end(struct query_show *s)
{
    if (s->format == QUERY_SUMMARY)
        return put_summary(s);
    if (s->format == QUERY_JSON)
        return sink_puts(&s->sink, s->any ? "\n]\n" : "[]\n");
    return ERR_NONE;
}
