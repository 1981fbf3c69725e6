// SPDX-License-Identifier: MIT
/*
 * Bytes first. A group of filters that are ORed (all -k, all -g …) has needles if for each of
 * its members a byte string is known that every matching line holds as it stands: then a line
 * without any of them cannot match. Of several such groups the one with the longest strings is
 * looked for; the others are left to filter_check.
 *
 * JSON has many spellings. Our encoder leaves printable characters but '"', '\' and DEL as they
 * are, so needles are runs of those; a foreign line may write them as \u0041 or \/, and every
 * line with such an escape is looked at (find_odd_escape). Nothing else of the shape of a line
 * is relied on.
 */
#include "read/filter.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "read/level_hint.h"
#include "text/json.h"
#include "text/json_member.h"
#include "text/regex.h"
#include "text/required.h"

enum group { GROUP_WORDS, GROUP_REGEXES, GROUP_EVENTS, GROUP_TOOLS, GROUP_SESSIONS, N_GROUPS };

/* What a group's lines must hold one of. n 0: not known. */
struct needles {
    struct find find[FILTER_NEEDLES_MAX];
    size_t n;
    size_t shortest;
};

struct expression {
    struct regex *regex;
};

struct filter {
    struct filter_spec spec;
    struct expression *words; /* with fuzzy: as regular expressions */
    struct expression *regexes;
    struct needles needles[N_GROUPS];
    struct level_hint hint; /* where a level is asked for */
    bool has_hint;
};

/* ---- needles -------------------------------------------------------------------------------- */

/* A character that a line in our encoder's spelling holds as it is. */
static bool stands_for_itself(char c)
{
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* The longest run of such characters, at most FIND_MAX bytes of it. */
static struct raw_span longest_run(const char *text, size_t n)
{
    struct raw_span best = {text, 0};
    size_t at = 0;

    while (at < n) {
        size_t end = at;

        while (end < n && stands_for_itself(text[end]))
            end++;
        if (end - at > best.len)
            best = (struct raw_span){text + at, end - at};
        at = end + 1;
    }
    if (best.len > FIND_MAX)
        best.len = FIND_MAX;
    return best;
}

/* False: nothing is known of this member, so nothing of the group. */
static bool add_needle(struct needles *needles, const char *text, size_t n, bool icase)
{
    struct raw_span run = longest_run(text, n);

    if (run.len == 0 || needles->n == FILTER_NEEDLES_MAX ||
        !find_init(&needles->find[needles->n], run.ptr, run.len, icase)) {
        needles->n = 0;
        return false;
    }
    if (needles->n == 0 || run.len < needles->shortest)
        needles->shortest = run.len;
    needles->n++;
    return true;
}

/*
 * With n changes to a word cut into n + 1 pieces, one piece has none. The pieces are of whole
 * bytes, and so are the changes.
 */
static bool add_word(struct needles *needles, const char *word, int fuzzy)
{
    size_t len = strlen(word);
    size_t pieces = (size_t)fuzzy + 1;

    if (len < pieces)
        return needles->n = 0, false;
    for (size_t i = 0; i < pieces; i++) {
        size_t from = len * i / pieces;

        if (!add_needle(needles, word + from, len * (i + 1) / pieces - from, false))
            return false;
    }
    return true;
}

static bool add_regex(struct needles *needles, const char *pattern, bool icase)
{
    struct required required;

    regex_required(pattern, strlen(pattern), icase ? REGEX_ICASE : 0, &required);
    for (size_t i = 0; i < required.n; i++)
        if (!add_needle(needles, required.any[i].text, required.any[i].len, icase))
            return false;
    if (required.n == 0)
        needles->n = 0;
    return required.n > 0;
}

static void choose_words(struct needles *needles, const struct filter_words *words, int fuzzy)
{
    for (size_t i = 0; i < words->n; i++)
        if (!add_word(needles, words->items[i], fuzzy))
            return;
}

static void choose_needles(struct filter *f)
{
    const struct filter_spec *spec = &f->spec;

    choose_words(&f->needles[GROUP_WORDS], &spec->words, spec->fuzzy);
    choose_words(&f->needles[GROUP_EVENTS], &spec->events, 0);
    choose_words(&f->needles[GROUP_TOOLS], &spec->tools, 0);
    choose_words(&f->needles[GROUP_SESSIONS], &spec->sessions, 0);
    for (size_t i = 0; i < spec->regexes.n && spec->fuzzy == 0; i++)
        if (!add_regex(&f->needles[GROUP_REGEXES], spec->regexes.items[i], spec->icase))
            return;
}

/* ---- making --------------------------------------------------------------------------------- */

static enum err_code compile(struct expression **out, const struct filter_words *words,
                             unsigned flags, struct err *e)
{
    enum err_code rc = ERR_NONE;

    if (words->n == 0)
        return ERR_NONE;
    *out = calloc(words->n, sizeof(**out));
    if (*out == NULL)
        return err_set(e, ERR_MEMORY, "cannot make filter", "", "no memory");
    for (size_t i = 0; i < words->n && rc == ERR_NONE; i++)
        rc = regex_compile(&(*out)[i].regex, words->items[i], strlen(words->items[i]), flags, e);
    return rc;
}

enum err_code filter_new(struct filter **out, const struct filter_spec *spec, struct err *e)
{
    struct filter *f = calloc(1, sizeof(*f));
    enum err_code rc = ERR_NONE;

    *out = NULL;
    if (f == NULL)
        return err_set(e, ERR_MEMORY, "cannot make filter", "", "no memory");
    f->spec = *spec;
    if (spec->fuzzy > 0)
        rc = compile(&f->words, &spec->words, REGEX_NO_GROUPS | REGEX_LITERAL, e);
    if (rc == ERR_NONE)
        rc = compile(&f->regexes, &spec->regexes,
                     REGEX_NO_GROUPS | (spec->icase ? REGEX_ICASE : 0), e);
    if (rc != ERR_NONE) {
        filter_free(f);
        return rc;
    }
    choose_needles(f);
    f->has_hint = spec->level != LEVEL_NONE && level_hint_init(&f->hint, spec->level);
    *out = f;
    return ERR_NONE;
}

static void free_regexes(struct expression *list, size_t n)
{
    for (size_t i = 0; list != NULL && i < n; i++)
        regex_free(list[i].regex);
    free(list);
}

void filter_free(struct filter *f)
{
    if (f == NULL)
        return;
    free_regexes(f->words, f->spec.words.n);
    free_regexes(f->regexes, f->spec.regexes.n);
    free(f);
}

/* ---- one build ------------------------------------------------------------------------------ */

static bool is_one_of(struct raw_span text, const struct filter_words *words)
{
    for (size_t i = 0; i < words->n; i++)
        if (strlen(words->items[i]) == text.len &&
            memcmp(words->items[i], text.ptr, text.len) == 0)
            return true;
    return false;
}

static struct raw_span text_of(const cJSON *item)
{
    if (item == NULL || !cJSON_IsString(item))
        return (struct raw_span){"", 0};
    return (struct raw_span){item->valuestring, strlen(item->valuestring)};
}

/* A key of the record itself, or of the objects that hold what users supplied. */
static bool has_label(const struct record *r, const char *key, const struct filter_words *words)
{
    static const char *const objects[] = {NULL, "labels", "data"};

    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        const cJSON *in = objects[i] == NULL
                              ? r->json
                              : cJSON_GetObjectItemCaseSensitive(r->json, objects[i]);
        const cJSON *item = cJSON_IsObject(in) ? cJSON_GetObjectItemCaseSensitive(in, key) : NULL;

        if (cJSON_IsString(item) && is_one_of(text_of(item), words))
            return true;
    }
    return false;
}

static bool group_asked(const struct filter_run *run, enum group group)
{
    if (group == GROUP_TOOLS)
        return !run->tool_fits;
    if (group == GROUP_SESSIONS)
        return !run->session_fits;
    return true;
}

void filter_run_init(struct filter_run *run, const struct filter *f, const struct record *start)
{
    size_t longest = 0;

    *run = (struct filter_run){.filter = f};
    run->tool_fits = f->spec.tools.n == 0 ||
                     (start != NULL && has_label(start, "tool", &f->spec.tools));
    run->session_fits = f->spec.sessions.n == 0 ||
                        (start != NULL && has_label(start, "session", &f->spec.sessions));
    for (enum group g = GROUP_WORDS; g < N_GROUPS; g++) {
        const struct needles *needles = &f->needles[g];

        if (needles->n == 0 || needles->shortest <= longest || !group_asked(run, g))
            continue;
        longest = needles->shortest;
        run->needles = needles->find;
        run->n_needles = needles->n;
    }
    if (run->n_needles == 0 && f->has_hint)
        run->hint = &f->hint;
}

static void close_view(struct filter_run *run)
{
    if (run->view.decoded)
        record_release(&run->view.record);
    run->view = (struct view){0};
}

void filter_run_release(struct filter_run *run)
{
    close_view(run);
    free(run->scratch);
    *run = (struct filter_run){0};
}

bool filter_takes_all(const struct filter *f)
{
    const struct filter_spec *spec = &f->spec;

    return spec->since_ms == INT64_MIN && spec->until_ms == INT64_MAX &&
           spec->level == LEVEL_NONE && spec->srcs.n == 0 && spec->events.n == 0 &&
           spec->words.n == 0 && spec->regexes.n == 0 && spec->tools.n == 0 &&
           spec->sessions.n == 0;
}

bool filter_needs_all(const struct filter_run *run)
{
    return run->n_needles == 0 && run->hint == NULL;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

void filter_run_piece(struct filter_run *run)
{
    memset(run->next, 0, sizeof(run->next));
    run->hinted = NULL;
}

static const char *or_end(const char *place, const char *end)
{
    return place != NULL ? place : end;
}

const char *filter_next(struct filter_run *run, const char *from, const char *end)
{
    const char **odd = &run->next[run->n_needles];
    const char *first;
    const char *newline;

    if (from == end || filter_needs_all(run))
        return from < end ? from : NULL;
    if (*odd == NULL || *odd < from)
        *odd = or_end(find_odd_escape(from, end), end);
    first = *odd;
    if (run->hint != NULL) {
        if (run->hinted == NULL || run->hinted < from)
            run->hinted = or_end(level_hint_next(run->hint, &run->seen, from, end), end);
        first = run->hinted < first ? run->hinted : first;
    }
    for (size_t i = 0; i < run->n_needles; i++) {
        if (run->next[i] == NULL || run->next[i] < from)
            run->next[i] = or_end(find_next(&run->needles[i], from, end), end);
        if (run->next[i] < first)
            first = run->next[i];
    }
    if (first == end)
        return NULL;
    newline = memrchr(from, '\n', (size_t)(first - from));
    return newline != NULL ? newline + 1 : from;
}

/* ---- records -------------------------------------------------------------------------------- */

static enum err_code need_scratch(struct filter_run *run, size_t n)
{
    size_t size = n < 4096 ? 4096 : n;
    char *scratch;

    if (n <= run->scratch_size)
        return ERR_NONE;
    scratch = realloc(run->scratch, size);
    if (scratch == NULL)
        return ERR_MEMORY;
    run->scratch = scratch;
    run->scratch_size = size;
    return ERR_NONE;
}

/* The text of a decoded record whole, where cJSON would end it at U+0000. */
static void take_msg(struct filter_run *run)
{
    struct view *v = &run->view;
    const char *text = record_text(&v->record, "msg", NULL);
    struct raw_span quoted;
    const char *end = NULL;
    size_t used;

    v->has_msg = text != NULL;
    if (text == NULL)
        return;
    if (json_member_string(v->json.ptr, v->json.len, "msg", &quoted))
        end = json_unescape(run->scratch, quoted.ptr, quoted.len, &used);
    v->msg = end != NULL ? (struct raw_span){run->scratch, (size_t)(end - run->scratch)}
                         : (struct raw_span){text, strlen(text)};
}

static bool numbered(enum record_kind kind)
{
    return kind == RECORD_LINE || kind == RECORD_EVENT || kind == RECORD_GAP;
}

/* Any record, by way of cJSON. */
static enum err_code decode(struct filter_run *run, struct raw_span line)
{
    const struct log_item item = {.text = line};
    struct view *v = &run->view;
    enum err_code rc;

    close_view(run);
    v->json = line;
    rc = log_item_decode(&item, &v->record, NULL);
    if (rc != ERR_NONE)
        return rc;
    v->decoded = true;
    if (!numbered(v->record.kind))
        return ERR_NOT_FOUND;
    v->kind = v->record.kind;
    v->len = record_number(&v->record, "len", -1);
    v->from = v->record.from;
    v->seq = v->record.seq;
    v->ts_ms = v->record.ts_ms;
    v->src = v->kind == RECORD_LINE
                 ? text_of(cJSON_GetObjectItemCaseSensitive(v->record.json, "src"))
                 : (struct raw_span){"", 0};
    take_msg(run);
    return ERR_NONE;
}

/* A line in our encoder's shape. False: another way is needed. */
static bool read_line(struct filter_run *run, struct raw_span line,
                      const struct record_line_head *head)
{
    struct record_line_body body;

    if (!record_line_body(line.ptr, line.len, head, run->scratch, &body))
        return false;
    close_view(run);
    run->view = (struct view){.json = line, .kind = RECORD_LINE, .from = head->seq,
                              .seq = head->seq, .ts_ms = head->ts_ms, .src = head->src,
                              .msg = body.msg, .has_msg = body.has_msg,
                              .len = body.len};
    return true;
}

static bool looks_like_a_record(struct raw_span line)
{
    return line.len >= 2 && line.len <= LOG_LINE_MAX && line.ptr[0] == '{' &&
           line.ptr[line.len - 1] == '}';
}

enum err_code filter_view(struct filter_run *run, const char *line, size_t n)
{
    struct raw_span text = {line, n};
    struct record_line_head head;

    if (!looks_like_a_record(text))
        return ERR_FORMAT;
    if (need_scratch(run, n) != ERR_NONE)
        return ERR_MEMORY;
    if (record_line_head(line, n, &head) && read_line(run, text, &head))
        return ERR_NONE;
    return decode(run, text);
}

/* ---- the exact filter ----------------------------------------------------------------------- */

static bool in_time(const struct filter_spec *spec, int64_t ts_ms)
{
    return ts_ms >= spec->since_ms && ts_ms < spec->until_ms;
}

static bool src_fits(const struct filter_spec *spec, enum record_kind kind, struct raw_span src)
{
    return spec->srcs.n == 0 || (kind == RECORD_LINE && is_one_of(src, &spec->srcs));
}

/* A line that is refused by its head is not worth more. Labels are of builds and events. */
static bool head_fits(const struct filter_run *run, const struct record_line_head *head)
{
    const struct filter_spec *spec = &run->filter->spec;

    return in_time(spec, head->ts_ms) && src_fits(spec, RECORD_LINE, head->src) &&
           spec->events.n == 0 && run->tool_fits && run->session_fits;
}

static bool event_fits(const struct filter_run *run, const struct view *v)
{
    const struct filter_spec *spec = &run->filter->spec;
    bool event = v->kind == RECORD_EVENT;
    const cJSON *name = event ? cJSON_GetObjectItemCaseSensitive(v->record.json, "event") : NULL;

    if (spec->events.n > 0 && !(cJSON_IsString(name) && is_one_of(text_of(name), &spec->events)))
        return false;
    return (run->tool_fits || (event && has_label(&v->record, "tool", &spec->tools))) &&
           (run->session_fits || (event && has_label(&v->record, "session", &spec->sessions)));
}

/* The least cost at which one of the expressions matches; ERR_NOT_FOUND: none does. */
static enum err_code search(const struct expression *list, size_t n, struct raw_span msg,
                            int fuzzy, int *cost)
{
    enum err_code rc = ERR_NOT_FOUND;

    *cost = fuzzy + 1;
    for (size_t i = 0; i < n; i++) {
        int this = 0;
        enum err_code now = fuzzy == 0
                                ? regex_search(list[i].regex, msg.ptr, msg.len, 0, NULL, 0)
                                : regex_search_near(list[i].regex, msg.ptr, msg.len, fuzzy, &this);

        if (now == ERR_MEMORY)
            return now;
        if (now == ERR_NONE && this < *cost) {
            *cost = this;
            rc = ERR_NONE;
        }
        if (rc == ERR_NONE && *cost == 0)
            break;
    }
    return rc;
}

static bool has_word(const struct filter_words *words, struct raw_span msg)
{
    for (size_t i = 0; i < words->n; i++)
        if (memmem(msg.ptr, msg.len, words->items[i], strlen(words->items[i])) != NULL)
            return true;
    return false;
}

static enum err_code text_fits(const struct filter *f, struct view *v)
{
    const struct filter_spec *spec = &f->spec;
    enum err_code rc = ERR_NONE;
    int cost = 0;

    if (spec->words.n + spec->regexes.n > 0 && !v->has_msg)
        return ERR_NOT_FOUND;
    if (spec->words.n > 0 && spec->fuzzy > 0)
        rc = search(f->words, spec->words.n, v->msg, spec->fuzzy, &cost);
    else if (spec->words.n > 0)
        rc = has_word(&spec->words, v->msg) ? ERR_NONE : ERR_NOT_FOUND;
    v->cost = cost;
    if (rc != ERR_NONE || spec->regexes.n == 0)
        return rc;
    rc = search(f->regexes, spec->regexes.n, v->msg, spec->fuzzy, &cost);
    v->cost += cost;
    return rc;
}

enum level view_level(const struct view *v)
{
    const struct log_item item = {.text = v->json, .kind = v->kind, .from = v->from,
                                  .seq = v->seq};

    if (v->decoded) /* a large one must not be decoded twice at once */
        return level_of_record(v->kind, &v->record, v->msg);
    return level_of(&item, v->msg);
}

static enum err_code check_view(struct filter_run *run)
{
    const struct filter_spec *spec = &run->filter->spec;
    struct view *v = &run->view;
    enum err_code rc;

    if (!in_time(spec, v->ts_ms) || !src_fits(spec, v->kind, v->src) || !event_fits(run, v))
        return ERR_NOT_FOUND;
    rc = text_fits(run->filter, v);
    if (rc == ERR_NONE && spec->level != LEVEL_NONE && view_level(v) < spec->level)
        rc = ERR_NOT_FOUND;
    return rc;
}

enum err_code filter_check(struct filter_run *run, const char *line, size_t n)
{
    struct raw_span text = {line, n};
    struct record_line_head head;
    bool shaped;
    enum err_code rc;

    if (!looks_like_a_record(text))
        return ERR_FORMAT;
    shaped = record_line_head(line, n, &head);
    if (shaped && !head_fits(run, &head))
        return ERR_NOT_FOUND;
    if (!shaped && run->filter->spec.since_ms != INT64_MIN) {
        int64_t ts_ms = record_peek_ts(line, n);

        if (ts_ms >= 0 && !in_time(&run->filter->spec, ts_ms))
            return ERR_NOT_FOUND;
    }
    if (need_scratch(run, n) != ERR_NONE)
        return ERR_MEMORY;
    if (!shaped || !read_line(run, text, &head)) {
        rc = decode(run, text);
        if (rc != ERR_NONE)
            return rc;
    }
    return check_view(run);
}
