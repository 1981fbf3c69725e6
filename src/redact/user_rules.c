// SPDX-License-Identifier: MIT
#include "redact/user_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redact/escape.h"
#include "redact/prints.h"
#include "redact/rules.h"
#include "redact/user_pattern.h"
#include "text/regex.h"
#include "text/required.h"

enum {
    ANCHOR_MIN = 3,  /* bytes of a pattern's beginning that make an anchor by themselves */
    NO_CONTEXT = -1, /* what is held begins with the line */
    CUT = USER_WINDOW - USER_OVERLAP,
    MARK_ROOM = USER_NAME_MAX + sizeof("[REDACTED:]"),
    BUCKET_ESCAPE = PRINT_BUCKETS - 1, /* prints: an escape sequence, */
    BUCKET_SPLIT = PRINT_BUCKETS - 2,  /* a text with one behind its first byte, */
    TEXT_BUCKETS = PRINT_BUCKETS - 2   /* texts */
};

struct user_rule {
    char name[USER_NAME_MAX + 1];
    char mark[MARK_ROOM];
    struct regex *regex;
    unsigned group;
    size_t anchor_len; /* 0: not anchored */
    char anchor[USER_LITERAL_MAX + 1];
    struct required required; /* one of these stands on the line, if there are any */
};

struct user_rules {
    struct user_rule rules[USER_RULES_MAX];
    size_t count;
    bool whole; /* some rule holds every line */
    bool blind; /* some rule cannot tell that a line is of no interest */
    struct prints prints;
};

/* ---- the set ------------------------------------------------------------------------- */

enum err_code user_rules_new(struct user_rules **out, struct err *e)
{
    struct user_rules *set = calloc(1, sizeof(*set));

    *out = set;
    if (set == NULL)
        return err_set(e, ERR_MEMORY, "cannot make redaction rules", "", "out of memory");
    /* The byte before an anchor matters (\b), and a colour sequence is none. */
    prints_allow(&set->prints, BUCKET_ESCAPE, 0, ESC);
    prints_allow_any(&set->prints, BUCKET_ESCAPE, 1);
    prints_allow_any(&set->prints, BUCKET_ESCAPE, 2);
    return ERR_NONE;
}

void user_rules_free(struct user_rules *set)
{
    for (size_t i = 0; set != NULL && i < set->count; i++)
        regex_free(set->rules[i].regex);
    free(set);
}

size_t user_rules_count(const struct user_rules *set)
{
    return set->count;
}

const char *user_rules_name(const struct user_rules *set, size_t rule)
{
    return set->rules[rule].name;
}

const char *user_rules_mark(const struct user_rules *set, size_t rule)
{
    return set->rules[rule].mark;
}

const char *user_rules_anchor(const struct user_rules *set, size_t rule)
{
    return set->rules[rule].anchor_len > 0 ? set->rules[rule].anchor : NULL;
}

static const char what[] = "cannot use redaction rule";

static bool is_name(const char *name)
{
    size_t len = strlen(name);

    return len >= 1 && len <= USER_NAME_MAX &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static enum err_code check_name(const struct user_rules *set, const char *name, struct err *e)
{
    if (!is_name(name))
        return err_set(e, ERR_USAGE, what, name, "a name is 1 to %d of A-Z a-z 0-9 _ -",
                       USER_NAME_MAX);
    for (size_t i = 0; i < rule_name_count; i++) {
        if (strcmp(rule_names[i].name, name) == 0)
            return err_set(e, ERR_USAGE, what, name, "a rule of buildlog's own has this name");
    }
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->rules[i].name, name) == 0)
            return err_set(e, ERR_USAGE, what, name, "another rule has this name");
    }
    if (set->count == USER_RULES_MAX)
        return err_set(e, ERR_USAGE, what, name, "there are %d rules already", USER_RULES_MAX);
    return ERR_NONE;
}

static enum err_code check_literal(const char *name, const char *literal, struct err *e)
{
    if (literal == NULL)
        return ERR_NONE;
    if (literal[0] == '\0' || strlen(literal) > USER_LITERAL_MAX)
        return err_set(e, ERR_USAGE, what, name, "its literal must have 1 to %d bytes",
                       USER_LITERAL_MAX);
    if (strpbrk(literal, "\n\r\x1b") != NULL)
        return err_set(e, ERR_USAGE, what, name, "no line contains its literal");
    return ERR_NONE;
}

static enum err_code compile(const char *name, const char *pattern, struct regex **out,
                             struct err *e)
{
    struct err cause = {0};
    size_t backref = pattern_backref(pattern);
    enum err_code rc;

    *out = NULL;
    if (backref > 0)
        return err_set(e, ERR_USAGE, what, name,
                       "its pattern has a back reference (byte %zu): those take endless time",
                       backref);
    rc = regex_compile(out, pattern, strlen(pattern), 0, &cause);
    if (rc != ERR_NONE)
        return err_set(e, rc, what, name, "its pattern: %s", cause.why);
    return ERR_NONE;
}

/* Where a pattern that can match nothing does so. */
static bool matches_nothing(const struct regex *regex)
{
    static const char *const samples[] = {"\x01", "a", " "};

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct regex_span span;

        if (regex_search(regex, samples[i], 1, REGEX_NOT_BEGIN | REGEX_NOT_END, &span, 1) ==
                ERR_NONE &&
            span.begin == span.end)
            return true;
    }
    return false;
}

static enum err_code check_regex(const char *name, const struct regex *regex, unsigned group,
                                 struct err *e)
{
    if (regex_backrefs(regex))
        return err_set(e, ERR_USAGE, what, name, "its pattern has a back reference");
    if (matches_nothing(regex))
        return err_set(e, ERR_USAGE, what, name, "its pattern matches nothing, everywhere");
    if (group > regex_groups(regex) || group >= REGEX_GROUPS_MAX)
        return err_set(e, ERR_USAGE, what, name, "its pattern has no group %u", group);
    return ERR_NONE;
}

/* Matches begin with the anchor: the literal where the pattern begins with it. */
static void find_anchor(struct user_rule *rule, const char *pattern, const char *literal)
{
    rule->anchor_len = pattern_prefix(pattern, rule->anchor, sizeof(rule->anchor));
    if (literal != NULL && strncmp(rule->anchor, literal, strlen(literal)) == 0) {
        rule->anchor_len = strlen(literal);
        rule->anchor[rule->anchor_len] = '\0';
        return;
    }
    if (rule->anchor_len < ANCHOR_MIN)
        rule->anchor_len = 0;
    if (literal != NULL) {
        rule->required.n = 1;
        rule->required.any[0].len = strlen(literal);
        memcpy(rule->required.any[0].text, literal, strlen(literal));
    } else if (rule->anchor_len == 0) {
        regex_required(pattern, strlen(pattern), 0, &rule->required);
    }
}

/* Colour sequences may stand between the bytes of a text. */
static void allow_text(struct prints *prints, unsigned bucket, const char *text, size_t len)
{
    for (size_t at = 0; at < PRINT_LEN; at++) {
        if (at < len)
            prints_allow(prints, bucket, at, (uint8_t)text[at]);
        else
            prints_allow_any(prints, bucket, at);
    }
    prints_allow(prints, bucket, 2, ESC);
    prints_allow(prints, BUCKET_SPLIT, 0, (uint8_t)text[0]);
    prints_allow(prints, BUCKET_SPLIT, 1, ESC);
    prints_allow_any(prints, BUCKET_SPLIT, 2);
}

static void index_rule(struct user_rules *set, const struct user_rule *rule, size_t number)
{
    unsigned bucket = (unsigned)(number % TEXT_BUCKETS);
    const struct required *required = &rule->required;

    if (rule->anchor_len > 0) {
        allow_text(&set->prints, bucket, rule->anchor, rule->anchor_len);
        return;
    }
    set->whole = true;
    set->blind |= required->n == 0;
    for (size_t i = 0; i < required->n; i++)
        allow_text(&set->prints, bucket, required->any[i].text, required->any[i].len);
}

enum err_code user_rules_add(struct user_rules *set, const char *name, const char *pattern,
                             unsigned group, const char *literal, struct err *e)
{
    struct user_rule *rule;
    struct regex *regex;
    enum err_code rc = check_name(set, name, e);

    if (rc == ERR_NONE)
        rc = check_literal(name, literal, e);
    if (rc == ERR_NONE)
        rc = compile(name, pattern, &regex, e);
    if (rc != ERR_NONE)
        return rc;
    rc = check_regex(name, regex, group, e);
    if (rc != ERR_NONE) {
        regex_free(regex);
        return rc;
    }
    rule = &set->rules[set->count];
    *rule = (struct user_rule){.regex = regex, .group = group};
    snprintf(rule->name, sizeof(rule->name), "%s", name);
    snprintf(rule->mark, sizeof(rule->mark), "[REDACTED:%s]", name);
    find_anchor(rule, pattern, literal);
    index_rule(set, rule, set->count);
    set->count++;
    return ERR_NONE;
}

/* ---- deciding what is held ----------------------------------------------------------- */

static uint64_t raw_start(const struct user_lines *l, size_t at)
{
    return l->start + l->offsets[at];
}

static uint64_t raw_end(const struct user_lines *l, size_t end)
{
    return l->start + l->offsets[end - 1] + 1;
}

/* One search of a rule: what it runs on and where that lies in the text. */
struct search {
    size_t at;
    size_t before; /* 1: it begins with the byte before `at`, so that \b sees it */
    unsigned flags;
};

/* What is searched from `at` on. False: the rule cannot match there any more. */
static bool search_begin(const struct user_lines *l, const struct user_rule *rule, size_t at,
                         struct search *s)
{
    const uint8_t *text = l->text + 1;

    *s = (struct search){.at = at};
    if (rule->anchor_len > 0) {
        const uint8_t *found = memmem(text + at, l->len - at, rule->anchor, rule->anchor_len);

        if (found == NULL)
            return false;
        s->at = (size_t)(found - text);
        s->before = s->at > 0 || l->context != NO_CONTEXT ? 1 : 0;
    }
    if (s->at > 0 || l->context != NO_CONTEXT)
        s->flags = REGEX_NOT_BEGIN;
    return true;
}

/* ERR_NONE: the spans are places in the text. One may begin at SIZE_MAX, the byte before. */
static enum err_code search_run(const struct user_lines *l, const struct user_rule *rule,
                                const struct search *s, unsigned flags, struct regex_span *spans)
{
    const char *text = (const char *)l->text + 1 + s->at - s->before;
    enum err_code rc = regex_search(rule->regex, text, l->len - s->at + s->before,
                                    s->flags | flags, spans, rule->group + 1);

    for (size_t i = 0; rc == ERR_NONE && i <= rule->group; i++) {
        if (spans[i].begin == REGEX_UNSET)
            continue;
        spans[i].begin += s->at - s->before;
        spans[i].end += s->at - s->before;
    }
    return rc;
}

/* The match goes on behind the window: nothing more of its line comes out. */
static void hide_line(struct user_lines *l, size_t rule, size_t from)
{
    if (l->hiding) {
        (void)l->sink.add(l->sink.ctx, raw_start(l, from), raw_end(l, l->len), (unsigned)rule);
        return;
    }
    l->open = l->sink.add(l->sink.ctx, raw_start(l, from), POS_NONE, (unsigned)rule);
    l->hiding = true;
}

static void report(struct user_lines *l, size_t number, const struct regex_span *secret,
                   bool last)
{
    if (secret->begin == REGEX_UNSET || secret->begin >= secret->end)
        return;
    if (!last && secret->end == l->len)
        hide_line(l, number, secret->begin);
    else
        (void)l->sink.add(l->sink.ctx, raw_start(l, secret->begin), raw_end(l, secret->end),
                          (unsigned)number);
}

/* Where the next search begins; SIZE_MAX: nowhere. */
static size_t scan_once(struct user_lines *l, size_t number, size_t at, bool last)
{
    const struct user_rule *rule = &l->set->rules[number];
    struct regex_span spans[REGEX_GROUPS_MAX];
    struct search s;
    enum err_code rc;

    if (!search_begin(l, rule, at, &s))
        return SIZE_MAX;
    rc = search_run(l, rule, &s, last ? 0 : REGEX_NOT_END, spans);
    if (rc == ERR_NOT_FOUND)
        return SIZE_MAX;
    if (rc != ERR_NONE) /* no memory: rather too much than a secret */
        spans[0] = spans[rule->group] = (struct regex_span){s.at, l->len};
    if (spans[0].begin == SIZE_MAX) /* a match from the byte before: what is ours of it */
        spans[0].begin = 0;
    if (spans[rule->group].begin == SIZE_MAX && spans[rule->group].end != SIZE_MAX)
        spans[rule->group].begin = 0;
    if (!last && l->offsets[spans[0].begin < l->len ? spans[0].begin : l->len - 1] >= CUT) {
        l->resume[number] = (uint16_t)spans[0].begin;
        return SIZE_MAX;
    }
    report(l, number, &spans[rule->group], last);
    return spans[0].end > s.at ? spans[0].end : s.at + 1;
}

static bool is_wanted(struct user_lines *l, size_t number)
{
    const struct user_rule *rule = &l->set->rules[number];
    const struct required *required = &rule->required;
    uint64_t bit = UINT64_C(1) << number;

    if (required->n == 0 || (l->seen & bit) != 0)
        return true;
    for (size_t i = 0; i < required->n; i++) {
        if (memmem(l->text + 1, l->len, required->any[i].text, required->any[i].len) != NULL) {
            l->seen |= bit;
            return true;
        }
    }
    return false;
}

static void scan_rule(struct user_lines *l, size_t number, bool last)
{
    size_t at = l->resume[number];
    size_t matches = 0;

    if (!is_wanted(l, number))
        return;
    while (at < l->len) {
        l->resume[number] = (uint16_t)at;
        /* Each search may look at all that is left: this bounds their sum. */
        if (matches++ == USER_MATCHES_MAX) {
            (void)l->sink.add(l->sink.ctx, raw_start(l, at), raw_end(l, l->len),
                              (unsigned)number);
            at = l->len;
        } else {
            at = scan_once(l, number, at, last);
        }
    }
    if (at != SIZE_MAX)
        l->resume[number] = (uint16_t)l->len;
}

/* last: the line ends here. */
static void decide(struct user_lines *l, bool last)
{
    for (size_t i = 0; i < l->set->count && l->len > 0; i++)
        scan_rule(l, i, last);
}

/* ---- bytes --------------------------------------------------------------------------- */

static void forget(struct user_lines *l)
{
    explicit_bzero(l->text, l->len + 1);
    l->start = POS_NONE;
    l->len = 0;
    l->certain = false;
}

void user_lines_init(struct user_lines *l, const struct user_rules *set,
                     const struct match_sink *sink)
{
    *l = (struct user_lines){
        .set = set, .sink = *sink, .start = POS_NONE, .context = NO_CONTEXT};
}

static void set_context(struct user_lines *l, int16_t byte)
{
    l->context = byte;
    if (byte != NO_CONTEXT)
        l->text[0] = (uint8_t)byte;
}

static bool is_certain(const struct user_lines *l)
{
    return l->certain || l->set->whole;
}

static void line_end(struct user_lines *l, uint64_t pos)
{
    if (l->hiding)
        l->sink.close(l->sink.ctx, l->open, pos);
    else if (l->start != POS_NONE && is_certain(l))
        decide(l, true);
    forget(l);
    l->hiding = false;
    l->escape = ESCAPE_NONE;
    l->seen = 0;
    memset(l->resume, 0, sizeof(l->resume));
    set_context(l, NO_CONTEXT);
}

void user_lines_finish(struct user_lines *l, uint64_t pos)
{
    line_end(l, pos);
}

/* Forgets the first n bytes of text, and the raw bytes before offset. */
static void drop(struct user_lines *l, size_t n, uint16_t offset)
{
    const uint8_t *last = l->text + n; /* of those forgotten; the context if there is none */

    if (n > 0)
        set_context(l, *last);
    l->len -= (uint32_t)n;
    l->start += offset;
    memmove(l->text + 1, l->text + 1 + n, l->len);
    for (size_t i = 0; i < l->len; i++)
        l->offsets[i] = (uint16_t)(l->offsets[i + n] - offset);
}

/* The window is full. */
static void window_end(struct user_lines *l)
{
    size_t n = 0;

    if (is_certain(l))
        decide(l, false);
    if (l->hiding || !is_certain(l)) {
        if (l->len > 0)
            set_context(l, l->text[l->len]);
        forget(l);
        return;
    }
    while (n < l->len && l->offsets[n] < CUT)
        n++;
    for (size_t i = 0; i < l->set->count; i++)
        l->resume[i] = (uint16_t)(l->resume[i] > n ? l->resume[i] - n : 0);
    drop(l, n, CUT);
}

enum fit { FIT_NONE, FIT_PART, FIT_WHOLE };

/* How the text begins, compared to the anchors. */
static enum fit anchors_fit(const struct user_lines *l)
{
    enum fit fit = FIT_NONE;

    for (size_t i = 0; i < l->set->count; i++) {
        const struct user_rule *rule = &l->set->rules[i];
        size_t n = l->len < rule->anchor_len ? l->len : rule->anchor_len;

        if (memcmp(l->text + 1, rule->anchor, n) != 0)
            continue;
        if (n == rule->anchor_len)
            return FIT_WHOLE;
        fit = FIT_PART;
    }
    return fit;
}

/* What is held begins an anchor, or is not held. */
static void settle(struct user_lines *l)
{
    while (l->len > 0) {
        enum fit fit = anchors_fit(l);

        if (fit != FIT_NONE) {
            l->certain = fit == FIT_WHOLE;
            return;
        }
        drop(l, 1, l->len > 1 ? l->offsets[1] : 0);
    }
    l->start = POS_NONE;
}

/* True if the byte is part of a colour sequence. */
static bool escape_takes(struct user_lines *l, uint8_t byte)
{
    enum escape_state next = byte == ESC ? ESCAPE_BEGUN : escape_next(l->escape, byte);

    l->escape = next < ESCAPE_WHOLE ? (uint8_t)next : ESCAPE_NONE;
    return next != ESCAPE_BROKEN;
}

void user_lines_step(struct user_lines *l, uint8_t byte, uint64_t pos)
{
    if (byte == '\n' || byte == '\r') {
        line_end(l, pos);
        return;
    }
    if (!escape_takes(l, byte) && !l->hiding) {
        if (l->start == POS_NONE)
            l->start = pos;
        l->text[1 + l->len] = byte;
        l->offsets[l->len++] = (uint16_t)(pos - l->start);
        if (!is_certain(l))
            settle(l);
    }
    if (l->start != POS_NONE && pos - l->start + 1 >= USER_WINDOW)
        window_end(l);
}

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

size_t user_lines_skip(struct user_lines *l, const uint8_t *data, size_t len, size_t from)
{
    size_t at;

    if (l->set->count == 0)
        return len;
    if (l->set->blind)
        return from;
    at = prints_next(&l->set->prints, data, len, from);
    if (l->set->whole) { /* whole lines without any literal are of no interest */
        while (at > from && !is_line_end(data[at - 1]))
            at--;
        return at;
    }
    if (at > from)
        set_context(l, is_line_end(data[at - 1]) ? NO_CONTEXT : data[at - 1]);
    return at;
}
