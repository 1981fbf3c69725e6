// SPDX-License-Identifier: MIT
#include "cmd/tail_show.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/options.h"
#include "commands.gen.h"

enum { LARGE = 1 << 20 }; /* a line whose memory is given back once it was shown */

/* ---- options -------------------------------------------------------------------------------- */

/* What all occurrences of an option say. */
static struct filter_words words_of(struct tail_show *s, const struct cmd_args *args, int id)
{
    struct filter_words list = {s->words + s->n_words, 0};

    for (size_t i = 0; i < args->n_options; i++)
        if (args->options[i].spec->id == id) {
            s->words[s->n_words++] = args->options[i].text;
            list.n++;
        }
    return list;
}

static enum err_code init_filter(struct tail_show *s, const struct cmd_args *args, struct err *e)
{
    const struct parsed_option *level = options_find(args, OPT_LEVEL);
    enum err_code rc;

    s->words = calloc(args->n_options + 1, sizeof(*s->words));
    if (s->words == NULL)
        return err_set(e, ERR_MEMORY, "cannot make filter", "", "no memory");
    s->spec = (struct filter_spec){.since_ms = INT64_MIN, .until_ms = INT64_MAX};
    s->spec.srcs = words_of(s, args, OPT_SRC);
    s->spec.regexes = words_of(s, args, OPT_GREP);
    s->spec.level = level != NULL ? level_parse(level->text) : LEVEL_NONE;
    s->spec.icase = options_find(args, OPT_IGNORE_CASE) != NULL;
    if (s->spec.srcs.n + s->spec.regexes.n == 0 && s->spec.level == LEVEL_NONE)
        return ERR_NONE;
    rc = filter_new(&s->filter, &s->spec, e);
    if (rc == ERR_NONE)
        filter_run_init(&s->run, s->filter, NULL);
    return rc;
}

static enum render_format format_of(const struct cmd_args *args)
{
    static const enum render_format formats[] = {[CHOICE_TAIL_OUTPUT_PRETTY] = RENDER_PRETTY,
                                                 [CHOICE_TAIL_OUTPUT_RAW] = RENDER_RAW,
                                                 [CHOICE_TAIL_OUTPUT_JSONL] = RENDER_JSONL};
    const struct parsed_option *output = options_find(args, OPT_OUTPUT);

    if (options_find(args, OPT_JSON) != NULL)
        return RENDER_JSONL;
    return output != NULL ? formats[output->number] : RENDER_PRETTY;
}

/* Passes on what is behind the bytes that are cut. */
static enum err_code put_behind_cut(void *arg, const char *text, size_t n)
{
    struct tail_show *s = arg;
    struct sink out = out_obeyed() ? runner_sink(&s->guard) : s->guard.sink;
    size_t skip = s->cut < n ? (size_t)s->cut : n;

    s->cut -= skip;
    return n > skip ? sink_put(&out, text + skip, n - skip) : ERR_NONE;
}

static enum err_code put_on_scale(void *arg, const char *text UNUSED, size_t n)
{
    struct tail_show *s = arg;

    s->weight += n;
    return ERR_NONE;
}

enum err_code tail_show_init(struct tail_show *s, struct out *o, const struct cmd_args *args,
                             struct err *e)
{
    *s = (struct tail_show){.guard = {.sink = out_sink(o)}};
    s->renderer = (struct renderer){.sink = {put_behind_cut, s}, .format = format_of(args),
                                    .terminal = o->terminal, .colour = o->colour};
    s->scale = s->renderer;
    s->scale.sink = (struct sink){put_on_scale, s};
    return init_filter(s, args, e);
}

enum err_code tail_show_end(struct tail_show *s)
{
    return runner_finish(&s->guard);
}

void tail_show_release(struct tail_show *s)
{
    if (s->filter != NULL)
        filter_run_release(&s->run);
    filter_free(s->filter);
    render_release(&s->renderer);
    render_release(&s->scale);
    free(s->words);
}

/* ---- one record ----------------------------------------------------------------------------- */

static bool is_numbered(const struct log_item *item)
{
    return item->kind == RECORD_LINE || item->kind == RECORD_EVENT || item->kind == RECORD_GAP;
}

/* What a large line took, before the next step takes as much again. */
static void give_back(struct tail_show *s, const struct log_item *item)
{
    if (item->text.len < LARGE)
        return;
    if (s->filter != NULL) {
        filter_run_release(&s->run);
        filter_run_init(&s->run, s->filter, NULL);
    }
    render_release(&s->renderer);
    render_release(&s->scale);
}

static bool passes(struct tail_show *s, const struct log_item *item)
{
    const char *line = item->text.ptr;
    enum err_code rc = ERR_NOT_FOUND;

    if (s->filter == NULL)
        return true;
    filter_run_piece(&s->run);
    if (filter_next(&s->run, line, line + item->text.len) != NULL)
        rc = filter_check(&s->run, line, item->text.len);
    if (rc == ERR_MEMORY)
        s->trouble = rc;
    s->damaged = rc == ERR_FORMAT;
    give_back(s, item);
    return rc == ERR_NONE;
}

bool tail_show_wants(struct tail_show *s, const struct log_item *item)
{
    s->damaged = false;
    if (!is_numbered(item) || (s->renderer.format == RENDER_RAW && item->kind != RECORD_LINE))
        return false;
    return passes(s, item);
}

uint64_t tail_show_weigh(struct tail_show *s, const struct log_item *item)
{
    s->weight = 0;
    if (render_item(&s->scale, item, NULL) == ERR_MEMORY)
        s->trouble = ERR_MEMORY;
    give_back(s, item);
    return s->weight;
}

/* A gap that no filter asked for is still one. */
static void note_hidden(struct tail_show *s, const struct log_item *item)
{
    struct record record;
    int64_t lines;

    if (item->kind != RECORD_GAP || log_item_decode(item, &record, NULL) != ERR_NONE)
        return;
    lines = record_number(&record, "lines", 0);
    s->gaps++;
    s->missing += lines > 0 ? (uint64_t)lines : 0;
    record_release(&record);
}

enum err_code tail_show_put(struct tail_show *s, const struct log_item *item, struct err *e)
{
    bool wanted = tail_show_wants(s, item);
    enum err_code rc;

    if (s->trouble != ERR_NONE)
        return err_set(e, s->trouble, "cannot show record", "", "no memory");
    if (s->damaged)
        return ERR_FORMAT;
    if (!wanted && item->kind != RECORD_START) {
        note_hidden(s, item);
        return ERR_NONE;
    }
    rc = render_item(&s->renderer, item, e);
    give_back(s, item);
    return rc == ERR_MEMORY ? err_set(e, rc, "cannot show record", "", "no memory") : rc;
}
