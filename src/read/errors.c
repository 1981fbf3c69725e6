// SPDX-License-Identifier: MIT
/*
 * For each stream:
 *
 *   NONE  → state       a row that begins anywhere and has a ">NAME"        [apply]
 *   state → state       a row of the state: adds to what is put together    [apply]
 *   state → NONE        "!", patience at its end, a row that begins         [close_state]
 *                       something else, a gap, another attempt, the end
 *
 * Whatever was put together is kept when its state ends, so nothing found is lost.
 */
#include "read/errors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/errors_table.h"
#include "read/level.h"
#include "read/stall.h"
#include "text/plain.h"
#include "text/utf8.h"

enum {
    STREAMS = 3,
    TEXT_MAX = 4096, /* bytes of a line that are looked at */
    NOT_EXECUTABLE_STATUS = 126, /* of a shell (POSIX, 2.8.2) */
    NOT_FOUND_STATUS = 127
};

/* What one stream's lines are being put together to. */
struct assembly {
    unsigned state; /* 0: nothing goes on, and the rest means nothing */
    unsigned patience;
    bool has_error;
    bool weak_message; /* no line said it yet */
    bool weak_place;   /* none, or a library's */
    struct error_finding error;
    struct error_finding noted; /* file, line, column, message */
};

struct errors {
    struct error_finding kept[ERRORS_MAX];
    uint64_t hashes[ERRORS_MAX];
    size_t n;
    uint64_t dropped;
    struct assembly streams[STREAMS];
    uint64_t last_seq;
    bool timed_out;
};

enum err_code errors_new(struct errors **out, struct err *e)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? ERR_NONE
                        : err_set(e, ERR_MEMORY, "cannot look for errors", "", "no memory");
}

void errors_free(struct errors *f)
{
    free(f);
}

const char *error_rank_name(enum error_rank rank)
{
    static const char *const names[] = {
        [RANK_NONE] = "none",       [RANK_DROP] = "none",   [RANK_NOTE] = "none",
        [RANK_CASCADE] = "cascade", [RANK_LINE] = "line",   [RANK_GENERAL] = "general",
        [RANK_SUSPECT] = "suspect",     [RANK_CAUSE] = "cause", [RANK_DECISIVE] = "decisive",
    };

    return names[rank];
}

/* ---- keeping -------------------------------------------------------------------------------- */

/* FNV-1a. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static uint64_t hash_of(const struct error_finding *error)
{
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), error->file);

    hash = hash_text(hash, error->message);
    return hash ^ (uint64_t)error->line << 32 ^ error->column;
}

static bool same(const struct error_finding *a, const struct error_finding *b)
{
    return a->line == b->line && a->column == b->column && strcmp(a->file, b->file) == 0 &&
           strcmp(a->message, b->message) == 0;
}

static bool count_again(struct errors *f, const struct error_finding *error, uint64_t hash)
{
    for (size_t i = 0; i < f->n; i++) {
        struct error_finding *known = &f->kept[i];

        if (f->hashes[i] != hash || !same(known, error))
            continue;
        known->times++;
        known->rank = error->rank > known->rank ? error->rank : known->rank;
        return true;
    }
    return false;
}

/* Makes room by giving up the last one of a lower rank. */
static bool make_room(struct errors *f, enum error_rank rank)
{
    size_t i = f->n;

    if (f->n < ERRORS_MAX)
        return true;
    f->dropped++;
    while (i > 0 && f->kept[i - 1].rank >= rank)
        i--;
    if (i == 0)
        return false;
    memmove(&f->kept[i - 1], &f->kept[i], (f->n - i) * sizeof(f->kept[0]));
    memmove(&f->hashes[i - 1], &f->hashes[i], (f->n - i) * sizeof(f->hashes[0]));
    f->n--;
    return true;
}

static void keep(struct errors *f, const struct error_finding *error)
{
    uint64_t hash = hash_of(error);
    size_t i;

    if (count_again(f, error, hash) || !make_room(f, error->rank))
        return;
    for (i = f->n; i > 0 && f->kept[i - 1].seq > error->seq; i--) {
        f->kept[i] = f->kept[i - 1];
        f->hashes[i] = f->hashes[i - 1];
    }
    f->kept[i] = *error;
    f->kept[i].times = 1;
    f->hashes[i] = hash;
    f->n++;
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* Cut at a whole character; blanks around it and NULs are not taken. */
static void copy_text(char *dst, size_t size, struct raw_span text)
{
    size_t n = 0;

    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    if (text.len >= size)
        text.len = utf8_cut(text.ptr, size - 1);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\0')
            dst[n++] = text.ptr[i];
    dst[n] = '\0';
}

static void append_text(char *dst, size_t size, struct raw_span text)
{
    size_t n = strlen(dst);

    if (n + 3 >= size)
        return;
    memcpy(dst + n, ": ", 3);
    copy_text(dst + n + 2, size - n - 2, text);
}

/* "sh: 1: foo: not found": the number is no line of a file of the user's. */
static bool is_shell(struct raw_span file)
{
    static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh", "-bash", "/bin/sh",
                                         "/bin/bash", "/usr/bin/bash", "/usr/bin/sh"};

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (file.len == strlen(shells[i]) && memcmp(file.ptr, shells[i], file.len) == 0)
            return true;
    return false;
}

static void set_place(struct error_finding *error, const struct shape *shape)
{
    if (is_shell(shape->file) || (shape->file.len > 0 && shape->file.ptr[0] == '<'))
        return; /* "<string>" is no file either */
    copy_text(error->file, sizeof(error->file), shape->file);
    error->line = shape->line;
    error->column = shape->column;
}

/* ---- putting together ----------------------------------------------------------------------- */

static void put_down(struct errors *f, struct assembly *a)
{
    if (!a->has_error)
        return;
    if (a->error.rank == RANK_SUSPECT && a->error.file[0] == '\0')
        a->error.rank = RANK_GENERAL; /* a message that looks like an exception */
    keep(f, &a->error);
    a->has_error = false;
}

static void close_state(struct errors *f, struct assembly *a)
{
    put_down(f, a);
    a->state = 0;
}

static void enter(struct assembly *a, unsigned state)
{
    a->state = state;
    a->patience = error_states[state].patience;
}

static void note(struct assembly *a, unsigned state, const struct shape *shape)
{
    if (a->state == 0)
        a->noted = (struct error_finding){.rank = RANK_NONE};
    if (shape->file.len > 0)
        set_place(&a->noted, shape);
    if (shape->message.len > 0)
        copy_text(a->noted.message, sizeof(a->noted.message), shape->message);
    enter(a, state != 0 ? state : a->state);
}

static const char *tool_of(const struct error_row *row, struct raw_span file)
{
    const char *tool = error_tool_of(file);

    if (row->tool[0] != '@')
        return row->tool;
    return tool != NULL ? tool : "cc";
}

/* A new error at this line. */
static void begin(struct assembly *a, const struct error_row *row, const struct shape *shape,
                  struct raw_span text, uint64_t seq)
{
    struct error_finding *error = &a->error;
    bool noted = a->state != 0;

    *error = (struct error_finding){.rank = (enum error_rank)row->rank, .seq = seq,
                                    .last_seq = seq, .tool = tool_of(row, shape->file)};
    set_place(error, shape);
    if (error->file[0] == '\0' && noted) {
        memcpy(error->file, a->noted.file, sizeof(error->file));
        error->line = a->noted.line;
        if (error->column == 0)
            error->column = a->noted.column;
    }
    if (shape->file.len == 0 && shape->line > 0) { /* eslint: the file alone was noted */
        error->line = shape->line;
        error->column = shape->column;
    }
    copy_text(error->code, sizeof(error->code), shape->code);
    a->weak_message = shape->message.len == 0;
    copy_text(error->message, sizeof(error->message), a->weak_message ? text : shape->message);
    if (noted && a->noted.message[0] != '\0') {
        struct raw_span more = {a->noted.message, strlen(a->noted.message)};

        append_text(error->message, sizeof(error->message), more);
    }
    a->weak_place = error->file[0] == '\0';
    a->has_error = true;
}

static void place(struct assembly *a, const struct error_row *row, const struct shape *shape,
                  struct raw_span text)
{
    const struct error_state *state = &error_states[a->state];
    bool foreign = error_place_foreign(text);
    bool has = a->error.file[0] != '\0';

    if (has && (state->place == PLACE_NOTE || foreign ||
                (state->place == PLACE_FIRST && !a->weak_place)))
        return;
    set_place(&a->error, shape);
    a->weak_place = foreign;
    if (row->tool[0] != '\0' && row->tool[0] != '@')
        a->error.tool = row->tool;
    if (a->error.rank < state->at_least && a->error.rank >= RANK_GENERAL)
        a->error.rank = (enum error_rank)state->at_least;
}

static void say(struct assembly *a, const struct error_row *row, const struct shape *shape)
{
    struct error_finding *error = &a->error;

    if (shape->message.len == 0)
        return;
    if (row->does & DOES_APPEND)
        append_text(error->message, sizeof(error->message), shape->message);
    else if ((row->does & (DOES_RESAY | DOES_AGAIN)) || a->weak_message)
        copy_text(error->message, sizeof(error->message), shape->message);
    a->weak_message = false;
}

static void go_on(struct errors *f, struct assembly *a, const struct error_row *row,
                  const struct shape *shape, struct raw_span text, uint64_t seq)
{
    if (a->has_error) {
        if (row->does & DOES_PLACE)
            place(a, row, shape, text);
        if (row->does & (DOES_SAY | DOES_RESAY | DOES_APPEND | DOES_AGAIN))
            say(a, row, shape);
        if (row->does & DOES_AGAIN)
            a->weak_place = true;
        if (row->does & DOES_DEMOTE)
            a->error.rank = RANK_CASCADE;
        a->error.last_seq = seq;
    }
    if (row->does & DOES_END)
        close_state(f, a);
    else
        enter(a, row->next != 0 ? row->next : a->state);
}

/* A row that begins an error: alone, or with more to come. */
static void report(struct errors *f, struct assembly *a, const struct error_row *row,
                   const struct shape *shape, struct raw_span text, uint64_t seq)
{
    put_down(f, a);
    begin(a, row, shape, text, seq);
    if (row->next != 0) {
        enter(a, row->next);
        return;
    }
    put_down(f, a);
    if (row->does & DOES_END)
        close_state(f, a);
    else
        enter(a, a->state);
}

static void apply(struct errors *f, struct assembly *a, const struct error_row *row,
                  const struct shape *shape, struct raw_span text, uint64_t seq)
{
    if (row->rank == RANK_NONE)
        go_on(f, a, row, shape, text, seq);
    else if (row->rank == RANK_DROP)
        close_state(f, a);
    else if (row->rank == RANK_NOTE)
        note(a, row->next, shape);
    else
        report(f, a, row, shape, text, seq);
}

/* No pattern knows the line, but it claims to be an error. */
static void keep_line(struct errors *f, struct raw_span text, uint64_t seq)
{
    struct error_finding error = {.rank = RANK_LINE, .tool = "", .seq = seq, .last_seq = seq};

    if (level_of_text(text) < LEVEL_ERROR)
        return;
    copy_text(error.message, sizeof(error.message), text);
    if (error.message[0] != '\0')
        keep(f, &error);
}

/* "warning: cannot open x": a vague shape, and the line itself says that it is no error. */
static bool denied(const struct error_row *row, struct raw_span text)
{
    enum level level;

    if (row->rank < RANK_GENERAL || row->rank > RANK_SUSPECT)
        return false;
    level = level_of_text(text);
    return level > LEVEL_NONE && level < LEVEL_ERROR;
}

static void line(struct errors *f, struct assembly *a, struct raw_span text, uint64_t seq)
{
    struct shape shape;
    const struct error_row *row =
        a->state != 0 ? error_row_find(a->state, text, &shape) : NULL;

    if (row == NULL) {
        row = error_row_find(0, text, &shape);
        if (row != NULL && denied(row, text))
            row = NULL;
        if (row != NULL)
            close_state(f, a);
    }
    if (row != NULL) {
        apply(f, a, row, &shape, text, seq);
        return;
    }
    if (a->state != 0 && a->patience-- > 0)
        return;
    close_state(f, a);
    keep_line(f, text, seq);
}

/* ---- records -------------------------------------------------------------------------------- */

static struct assembly *stream_of(struct errors *f, const struct log_item *item)
{
    static const char on_stderr[] = "\"src\":\"stderr\"";
    static const char on_stdout[] = "\"src\":\"stdout\"";

    /* Within a text the quotes would be escaped. */
    if (memmem(item->text.ptr, item->text.len, on_stderr, sizeof(on_stderr) - 1) != NULL)
        return &f->streams[1];
    if (memmem(item->text.ptr, item->text.len, on_stdout, sizeof(on_stdout) - 1) != NULL)
        return &f->streams[0];
    return &f->streams[2];
}

static void close_all(struct errors *f)
{
    for (size_t i = 0; i < STREAMS; i++)
        close_state(f, &f->streams[i]);
}

static void decide(struct errors *f, enum error_rank rank, uint64_t seq, const char *message)
{
    struct error_finding error = {.rank = rank, .tool = "buildlog", .seq = seq, .last_seq = seq};

    copy_text(error.message, sizeof(error.message), (struct raw_span){message, strlen(message)});
    keep(f, &error);
}

static void event(struct errors *f, const struct log_item *item)
{
    struct record record;
    const char *name;
    char message[512];

    if (log_item_decode(item, &record, NULL) != ERR_NONE)
        return;
    name = record_text(&record, "event", "");
    if (strcmp(name, "exec_failed") == 0)
        decide(f, RANK_DECISIVE, item->seq,
               record_text(&record, "error", "the command could not be executed"));
    if (stall_known(&record) && stall_killed(&record)) {
        stall_message(&record, message, sizeof(message));
        decide(f, RANK_DECISIVE, item->seq, message);
        f->timed_out = true;
    } else if (strcmp(name, "timeout") == 0 && !f->timed_out) { /* a stall says more */
        snprintf(message, sizeof(message), "stopped after %" PRId64 " ms: %.64s",
                 record_number(&record, "afterMs", 0), record_text(&record, "reason", "timeout"));
        decide(f, RANK_DECISIVE, item->seq, message);
        f->timed_out = true;
    }
    record_release(&record);
}

static void begin_attempt(struct errors *f)
{
    close_all(f);
    f->n = 0;
    f->dropped = 0;
    f->timed_out = false;
}

void errors_record(struct errors *f, const struct log_item *item, struct raw_span text)
{
    char plain[TEXT_MAX];
    size_t skip;

    if (item->kind == RECORD_START)
        begin_attempt(f);
    else if (item->kind == RECORD_GAP)
        close_all(f);
    else if (item->kind == RECORD_EVENT)
        event(f, item);
    if (item->kind == RECORD_LINE && text.ptr != NULL) {
        text = plain_text(text, plain, sizeof(plain));
        skip = plain_prefix_len(text);
        line(f, stream_of(f, item), (struct raw_span){text.ptr + skip, text.len - skip}, item->seq);
    }
    if (item->seq > 0)
        f->last_seq = item->seq;
}

/* ---- the end -------------------------------------------------------------------------------- */

/* A shell's status when it does not find a command, or cannot execute it: then the last command
   that a script did not find was not survived. */
static void convict_shell(struct errors *f)
{
    for (size_t i = f->n; i > 0; i--) {
        struct error_finding *error = &f->kept[i - 1];

        if (error->rank >= RANK_GENERAL && error->rank <= RANK_SUSPECT &&
            strcmp(error->tool, "shell") == 0) {
            error->rank = RANK_CAUSE;
            return;
        }
    }
}

void errors_finish(struct errors *f, const struct build_report *report)
{
    const char *status = build_report_status(report);
    const char *signal;
    char message[96];
    int64_t code;

    close_all(f);
    if (report->state != STATE_ENDED || !report->has_end)
        return;
    code = record_number(&report->end, "exitCode", 0);
    if (code == NOT_FOUND_STATUS || code == NOT_EXECUTABLE_STATUS)
        convict_shell(f);
    signal = record_text(&report->end, "signal", "");
    if (strcmp(status, "timeout") == 0 && !f->timed_out)
        decide(f, RANK_DECISIVE, f->last_seq, "stopped because its time was up");
    if (strcmp(status, "signaled") == 0 && signal[0] != '\0') {
        snprintf(message, sizeof(message), "killed by %.32s%s", signal,
                 strcmp(signal, "SIGKILL") == 0 ? " (the system does that when memory runs out)"
                                                : "");
        decide(f, RANK_GENERAL, f->last_seq, message);
    }
}

size_t errors_count(const struct errors *f)
{
    return f->n;
}

const struct error_finding *errors_at(const struct errors *f, size_t i)
{
    return &f->kept[i];
}

uint64_t errors_dropped(const struct errors *f)
{
    return f->dropped;
}

const struct error_finding *errors_first(const struct errors *f)
{
    const struct error_finding *first = NULL;

    for (size_t i = 0; i < f->n; i++)
        if (first == NULL || f->kept[i].rank > first->rank)
            first = &f->kept[i];
    return first;
}
