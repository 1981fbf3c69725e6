// SPDX-License-Identifier: MIT
/*
 * What people type at the reading commands, for a fuzzer. The first byte of an input chooses
 * what is tried, the others make the text (pieces.h). What must hold for every input:
 *
 *   a pattern   each match contains one of the texts that the pattern is said to require, a
 *               literal is found where it stands, and groups lie within their match
 *   a filter    the cheap look passes over no line that the exact one takes
 *   a time      lies in its own day, and what a time is written as means that time again;
 *               durations, sizes and numbers stay within their bounds
 *   a word      means the one build that it names, by a naive look at all of them
 *   a command   line is parsed into what was typed, or refused in one harmless line
 */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/when.h"
#include "cmd/options.h"
#include "commands.gen.h"
#include "fuzz/harmless.h"
#include "fuzz/must.h"
#include "fuzz/pieces.h"
#include "fuzz/scratch.h"
#include "fuzz/target.h"
#include "read/filter.h"
#include "store/layout.h"
#include "store/select.h"
#include "text/regex.h"
#include "text/required.h"

/* ---- patterns --------------------------------------------------------------------------- */

enum { TEXTS = 12, TEXT_LEN = 16, SPANS = 4 };

static const char *const pattern_pieces[] = {
    "a", "b", "ab", "error", "(", ")", "(?:", "(?i)", "|", "*", "+", "?", "*?", "+?", "{2}",
    "{0,1}", "{1,}", "{,2}", "{0}", "{255}", "{", "}", "[", "]", "[^", "[ab]", "[]b]", "[[:alpha:]]",
    "[a-", "^", "$", ".", "\\", "\\.", "\\w", "\\b", "\\d", "\\<", "\\>", "\\1", "\\2", "\\Q", "\\E",
    "\\x61", "\\x{61}", "\\n", "{~1}", "{+1}", "{#1}", "()", "(a", "b)", "(ab)*", "(a|b)+", "\\",
    "[[.a.]]", "[[=a=]]", "[[:foo:]]", "(?r)", "(?-i:", "x", "A", "B"};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool contains(const char *text, size_t n, const char *want, size_t len, bool icase)
{
    for (size_t at = 0; at + len <= n; at++) {
        size_t same = 0;

        while (same < len && (icase ? lower(text[at + same]) : text[at + same]) == want[same])
            same++;
        if (same == len)
            return true;
    }
    return false;
}

static bool required_holds(const struct required *q, const char *text, size_t n, bool icase)
{
    for (size_t i = 0; i < q->n; i++) {
        if (contains(text, n, q->any[i].text, q->any[i].len, icase))
            return true;
    }
    return q->n == 0;
}

/* A text that has a chance: bytes of the pattern and a few others. */
static size_t make_text(char *dst, const struct pieces_text *pattern, uint32_t *seed)
{
    static const char others[] = "abABerox.1 \n\xff";
    size_t n;

    *seed = *seed * 1664525U + 1013904223U;
    n = (*seed >> 8) % TEXT_LEN;
    for (size_t i = 0; i < n; i++) {
        uint32_t r;

        *seed = *seed * 1664525U + 1013904223U;
        r = *seed >> 8;
        dst[i] = r % 2 == 0 && pattern->len > 0 ? pattern->data[r / 2 % pattern->len]
                                                : others[r / 2 % (sizeof(others) - 1)];
    }
    return n;
}

static const char *check_spans(const struct regex_span *spans, size_t n_spans, size_t n)
{
    if (spans[0].begin > spans[0].end || spans[0].end > n)
        return "a match lies outside its text";
    for (size_t i = 1; i < n_spans; i++) {
        if (spans[i].begin != REGEX_UNSET &&
            (spans[i].begin > spans[i].end || spans[i].begin < spans[0].begin ||
             spans[i].end > spans[0].end))
            return "a group lies outside its match";
    }
    return NULL;
}

static const char *check_search(const struct regex *r, const struct pieces_text *pattern,
                                const struct required *q, unsigned flags, uint32_t seed)
{
    size_t n_spans = (flags & REGEX_NO_GROUPS) != 0 ? 0 : regex_groups(r) + 1;
    const char *reason = NULL;

    n_spans = n_spans < SPANS ? n_spans : SPANS;
    for (int i = 0; i < TEXTS && reason == NULL; i++) {
        struct regex_span spans[SPANS];
        char text[TEXT_LEN];
        size_t n = make_text(text, pattern, &seed);
        enum err_code rc = regex_search(r, text, n, 0, spans, n_spans);

        if (rc == ERR_NONE && n_spans > 0)
            reason = check_spans(spans, n_spans, n);
        if (rc == ERR_NONE && reason == NULL &&
            !required_holds(q, text, n, (flags & REGEX_ICASE) != 0))
            reason = "a match without a text that is required";
        if ((flags & REGEX_LITERAL) != 0 && pattern->len > 0 && (flags & REGEX_ICASE) == 0 &&
            (rc == ERR_NONE) != contains(text, n, pattern->data, pattern->len, false))
            reason = "a literal is found where it is not, or not where it is";
    }
    return reason;
}

static const char *check_pattern(const struct pieces_text *pattern, unsigned bits)
{
    unsigned flags = (bits & 1 ? REGEX_ICASE : 0) | ((bits & 6) == 6 ? REGEX_LITERAL : 0) |
                     (bits & 8 ? REGEX_NO_GROUPS : 0);
    struct required q;
    struct regex *r;
    struct err e = {0};
    const char *reason;
    enum err_code rc = regex_compile(&r, pattern->data, pattern->len, flags, &e);

    if (rc != ERR_NONE)
        return rc == ERR_USAGE ? check_message(&e) : NULL;
    regex_required(pattern->data, pattern->len, flags, &q);
    /* With back references a search may take for ever, and that is documented. */
    reason = regex_backrefs(r) ? NULL : check_search(r, pattern, &q, flags, bits);
    for (size_t i = 0; i < q.n && reason == NULL; i++) {
        if (q.any[i].len == 0 || q.any[i].len > REQUIRED_TEXT_MAX)
            reason = "an empty text is required";
    }
    regex_free(r);
    return reason;
}

/* ---- filters ---------------------------------------------------------------------------- */

static const char *const filter_pieces[] = {
    "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"src\":\"stdout\",\"buildId\":"
    "\"01JZ5X3T3GABCDEFGHJKMNPQRS\",\"msg\":\"", "\"}\n", "error", "err", "\\u0065rror", "\\/",
    "a/b", "\\u001b[31m", "\\\"", "\\\\", "ERROR", "warning: ", "\n",
    "{\"kind\":\"event\",\"ts\":5,\"seq\":2,\"buildId\":\"x\",\"level\":\"error\",\"component\":"
    "\"run\",\"event\":\"signal\",\"tool\":\"make\"}\n",
    "{\"kind\":\"gap\",\"ts\":3,\"seq\":9,\"buildId\":\"x\",\"from\":4,\"lines\":6,\"bytes\":7,"
    "\"reason\":\"max_log\"}\n", "\",\"level\":\"error", "\",\"m\\u0073g\":\"", "level=warn ",
    "{\\\"level\\\":\\\"error\\\"}", "[ERROR] ", "\\n", "\\u00e9", "\xc3\xa9", "Error", "stderr",
    "\",\"src\":\"stderr", "make", "panic: ", "\\u0000", "E0412 12:00:00.1 ", "\\u0041"};

/* One word of each list at most; NULL: not asked. */
struct asked {
    const char *word;
    const char *regex;
};

static const char *check_piece(struct filter *f, const char *data, size_t n)
{
    const char *end = data + n;
    struct filter_run run;
    const char *reason = NULL;
    const char *maybe;

    filter_run_init(&run, f, NULL);
    filter_run_piece(&run);
    maybe = filter_next(&run, data, end);
    for (const char *at = data; at < end && reason == NULL;) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        bool passed = maybe == NULL || maybe > at;

        if (maybe != NULL && maybe < at) {
            reason = "a line that is none may match";
            break;
        }
        if (filter_check(&run, at, (size_t)(lf - at)) == ERR_NONE && passed)
            reason = "a line that matches is passed over";
        if (!passed)
            maybe = lf + 1 < end ? filter_next(&run, lf + 1, end) : NULL;
        at = lf + 1;
    }
    filter_run_release(&run);
    return reason;
}

static const char *check_filter(const struct pieces_text *t, unsigned bits)
{
    static const char *const words[] = {"error", "a/b", "\xc3\xa9", "\"", "\\", "A", "e", "\x1b"};
    static const char *const regexes[] = {"err(or)?", "[Ee]rror", "a.b|warn", "^E", "x*", "e$",
                                          "make|\\bpanic", "\\\\"};
    static const char *const srcs[] = {"stderr"};
    static const char *const events[] = {"signal"};
    static const char *const tools[] = {"make"};
    const struct filter_spec spec = {
        .since_ms = INT64_MIN, .until_ms = INT64_MAX,
        .words = {words + bits % 8, (bits & 8) != 0},
        .regexes = {regexes + bits / 16 % 8, (bits & 128) != 0},
        .srcs = {srcs, bits % 13 == 0}, .events = {events, bits % 11 == 0},
        .tools = {tools, bits % 7 == 0}, .icase = bits % 3 == 0,
        .level = (enum level)(bits % 5 == 0 ? LEVEL_NONE : LEVEL_NONE + bits % 7),
        .fuzzy = bits % 17 == 0 ? 1 : 0};
    const char *last = memrchr(t->data, '\n', t->len);
    const char *reason = NULL;
    struct filter *f = NULL;
    size_t n = last != NULL ? (size_t)(last - t->data) + 1 : 0;
    char *copy = malloc(n > 0 ? n : 1); /* of its exact size */

    must(copy != NULL && filter_new(&f, &spec, NULL) == ERR_NONE);
    memcpy(copy, t->data, n);
    if (n > 0)
        reason = check_piece(f, copy, n);
    filter_free(f);
    free(copy);
    return reason;
}

/* ---- times ------------------------------------------------------------------------------ */

static const char *const time_pieces[] = {
    "2026-01-02", "T03:04:05", ".678", "Z", "+02:00", "-23:59", " ", "now", "today", "yesterday",
    "2h", " ago", "-", "1h30m", "5 minutes", "@", "1767323045", ".5", "90", "s", "m", "d", "w",
    "ms", "250", "week", "weeks", "hours", "24:00", "23:59:60", "2024-02-29", "2023-02-29", "1970-01-01",
    "9999-12-31", "00:00", "T", "2011-12-30", "2026-03-29 02:30", "2026-10-25 02:30", "99999999999",
    "9223372036854775807", "64k", "10M", "2G", "iB", "B", "K", "0", "1", "+", "e", "/", "last",
    "9007199254740993", "2h30", "day", "days", "min"};

#define NOW_MS INT64_C(1767323045678)
#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define CENTURY_NS (INT64_C(100) * 366 * 24 * 3600 * 1000000000)

static void set_zone(unsigned which)
{
    static const char *const zones[] = {"UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "<+1245>-12:45",
                                        "EST5EDT,M3.2.0,M11.1.0"};
    static unsigned last = 4;

    if (last == which % 4)
        return;
    last = which % 4;
    setenv("TZ", zones[last], 1);
    tzset();
}

/* As people write it down. */
static const char *check_written(int64_t ms)
{
    char text[64];
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    int64_t again;
    size_t n;

    must(gmtime_r(&seconds, &tm) != NULL);
    if (tm.tm_year + 1900 > 9999)
        return NULL;
    n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(ms % 1000));
    return when_parse(text, NOW_MS, &again, NULL) == ERR_NONE && again == ms
               ? NULL
               : "a time written down is another";
}

static const char *check_when(const char *text)
{
    struct err e = {0};
    int64_t ms = -1;
    int64_t from;
    int64_t to;
    enum err_code rc = when_parse(text, NOW_MS, &ms, &e);
    enum err_code day = when_day(text, NOW_MS, &from, &to, NULL);

    if (rc != day)
        return "a time has no day, or a day no time";
    if (rc != ERR_NONE)
        return rc == ERR_USAGE ? check_message(&e) : "a time is no usage error";
    if (ms < 0 || to < from || to - from > DAY_MS + DAY_MS / 24)
        return "a day of no length";
    if (from < to && (ms < from || ms >= to))
        return "a time lies outside its day";
    return check_written(ms);
}

static const char *check_numbers(const char *text)
{
    char again[64];
    int64_t ns = -1;
    int64_t ns_again;
    uint64_t n = 0;
    uint64_t n_again;

    if (parse_duration(text, &ns)) {
        if (ns < 0 || ns > CENTURY_NS || strspn(text, "0123456789smhdw") != strlen(text))
            return "a duration out of bounds";
        snprintf(again, sizeof(again), "%lldms", (long long)(ns / 1000000));
        if (ns % 1000000 == 0 && (!parse_duration(again, &ns_again) || ns_again != ns))
            return "a duration in milliseconds is another";
    }
    if (parse_number(text, 1000, &n) && (n > 1000 || strspn(text, "0123456789") != strlen(text)))
        return "a number out of bounds";
    if (parse_size(text, &n)) {
        snprintf(again, sizeof(again), "%llu", (unsigned long long)n);
        if (!parse_size(again, &n_again) || n_again != n)
            return "a size in bytes is another";
    }
    return NULL;
}

static const char *check_time(const char *text, unsigned bits)
{
    const char *reason = check_numbers(text);

    set_zone(bits);
    return reason != NULL ? reason : check_when(text);
}

/* ---- words for builds ------------------------------------------------------------------- */

/* Newest first; some share beginnings or ends. */
static const char *const ids[] = {
    "01JZ5X3T3GABCDEFGHJKMNPQRS", "01JZ5X3T3GABCDEFGHJKMNPQRR", "01JZ5X3T30ZZZZZZZZZZZZPQRS",
    "01JWYNA000AAAAAAAAAAAAAAAA", "01JWYN9ZZZBBBBBBBBBBBBAAAA", "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "00000000000000000000000001"};

enum { N_IDS = sizeof(ids) / sizeof(ids[0]) };

static const char *const word_pieces[] = {
    "01JZ5X3T3G", "ABCDEFGHJKMNPQRS", "01JZ5X3T30", "PQRS", "PQRR", "AAAA", "01JW", "YN", "A000",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV", "G5FAV", "last", "-failed", "-passed", "-", "0000", "00000000",
    "1", "2", "9", "8", "I", "L", "/", "..", "builds", "last-", "ZZZZ", "01", "0", "7ZZZZZZZZZ",
    "18446744073709551616"};

static void enter(void)
{
    if (!scratch_enter())
        return;
    for (size_t i = 0; i < N_IDS; i++) {
        char rel[LAYOUT_REL_SIZE];
        int fd;

        must(layout_make_dirs(scratch_fd, layout_rel_day(ids[i], rel), NULL) == ERR_NONE);
        fd = openat(scratch_fd, layout_rel_path(ids[i], rel), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        must(fd >= 0 && close(fd) == 0);
    }
}

/* How many builds a part of an id names, and the first of them. */
static size_t naive(const char *word, const char **first)
{
    size_t len = strlen(word);
    size_t n = 0;

    for (size_t i = 0; i < N_IDS; i++) {
        bool is_prefix = strncmp(ids[i], word, len) == 0;
        bool is_suffix = len >= SELECT_SUFFIX_MIN && len <= ULID_LEN &&
                         strcmp(ids[i] + ULID_LEN - len, word) == 0;

        if ((is_prefix || is_suffix) && n++ == 0)
            *first = ids[i];
    }
    return n;
}

static const char *check_part(const char *word, enum err_code rc, const char *id)
{
    const char *want = NULL;
    size_t n = naive(word, &want);

    if (strlen(word) == ULID_LEN) /* is not looked for */
        return rc == ERR_NONE && strcmp(id, word) == 0 ? NULL : "a whole id is another";
    if (n == 1)
        return rc == ERR_NONE && strcmp(id, want) == 0 ? NULL : "a part of an id is not found";
    if (n > 1)
        return rc == ERR_REFUSED ? NULL : "an ambiguous part of an id is taken";
    return rc == ERR_NOT_FOUND ? NULL : "a part of no id is found";
}

static const char *check_word(const char *word)
{
    char id[ULID_SIZE] = "";
    struct err e = {0};
    enum err_code rc;

    enter();
    rc = select_build(scratch_fd, word, id, &e);
    if (rc != ERR_NONE && check_message(&e) != NULL)
        return check_message(&e);
    if (rc == ERR_NONE && !ulid_valid(id))
        return "a word means what is no id";
    if (strcmp(word, "last") == 0 || strcmp(word, "-1") == 0)
        return strcmp(id, ids[0]) == 0 ? NULL : "the last build is another";
    if (strncmp(word, "last", 4) == 0 || word[0] == '-' || rc == ERR_USAGE)
        return NULL;
    return check_part(word, rc, id);
}

/* ---- command lines ---------------------------------------------------------------------- */

enum { WORDS_MAX = 64 };

static const char *const option_pieces[] = {
    "\n", "--", "-", "=", "--since", "--until", "--date", "today", "2h", "--src", "stderr", "-l",
    "warn", "--event", "--status", "failed", "--label", "a=b", "-k", "-g", "(", "-i", "--fuzzy", "1",
    "-A", "-B", "-C", "5", "--limit", "-r", "-c", "-o", "json", "--json", "summary", "--dir", "/x",
    "--id", "01JZ5X3T3GABCDEFGHJKMNPQRS", "--timeout", "inf", "--max-line", "64k", "-v", "--quiet",
    "--help", "--linger", "0", "--color", "never", "--tty", "-n", "+5", "-f", "--redact-rules",
    "\n-", "\n--", "last", "-1", "--name", "--order", "exact"};

/* Splits at line ends; a word is NUL-terminated. */
static size_t split_words(struct pieces_text *t, char **words)
{
    size_t n = 0;

    words[n++] = t->data;
    for (size_t i = 0; i < t->len && n < WORDS_MAX; i++) {
        if (t->data[i] == '\n') {
            t->data[i] = '\0';
            words[n++] = t->data + i + 1;
        }
    }
    words[n] = NULL;
    return n;
}

/* Text that was typed, not beyond its end. */
static bool was_typed(const struct pieces_text *t, const char *word)
{
    return word >= t->data && word <= t->data + t->len;
}

static const char *check_args(const struct command *c, const struct pieces_text *t,
                              const struct cmd_args *args)
{
    for (size_t i = 0; i < args->n_options; i++) {
        const struct parsed_option *o = &args->options[i];
        bool flag = o->spec->type == OPTION_FLAG;

        if (o->spec < c->options || o->spec >= c->options + c->n_options ||
            flag != (o->text == NULL) || (!flag && !was_typed(t, o->text)))
            return "an option is not what was typed";
        if (o->spec->type == OPTION_NUMBER && ((uint64_t)o->number < o->spec->min ||
                                               (uint64_t)o->number > o->spec->max))
            return "a number is out of its option's bounds";
    }
    for (int i = 0; i < args->n_operands; i++) {
        if (!was_typed(t, args->operands[i]))
            return "an operand is not what was typed";
    }
    return NULL;
}

static const char *check_command(struct pieces_text *t, unsigned bits)
{
    const struct command *c = &commands[bits % n_commands];
    char *words[WORDS_MAX + 1];
    struct cmd_args args;
    struct err e = {0};
    const char *reason;
    enum err_code rc;

    (void)split_words(t, words);
    rc = options_parse(c, words, &args, &e);
    if (rc != ERR_NONE)
        return rc == ERR_USAGE ? check_message(&e) : "a command line is no usage error";
    reason = check_args(c, t, &args);
    options_release(&args);
    return reason;
}

/* ---- inputs ----------------------------------------------------------------------------- */

enum { TRY_PATTERN, TRY_FILTER, TRY_TIME, TRY_WORD, TRY_COMMAND, N_TRIES };

static void make(struct pieces_text *t, unsigned what, struct pieces_in in)
{
    static const struct {
        const char *const *list;
        size_t n;
    } lists[N_TRIES] = {{PIECES(pattern_pieces)},
                        {PIECES(filter_pieces)},
                        {PIECES(time_pieces)},
                        {PIECES(word_pieces)},
                        {PIECES(option_pieces)}};

    pieces_expand(t, in, lists[what].list, lists[what].n);
}

const char *fuzz_one(const uint8_t *data, size_t len)
{
    static struct pieces_text text;
    struct pieces_in in = {data, len};
    unsigned what = pieces_byte(&in) % N_TRIES;
    unsigned bits = pieces_byte(&in);

    if (len < 2)
        return NULL;
    make(&text, what, in);
    switch (what) {
    case TRY_PATTERN:
        return check_pattern(&text, bits);
    case TRY_FILTER:
        return check_filter(&text, bits);
    case TRY_TIME:
        return check_time(text.data, bits);
    case TRY_WORD:
        return check_word(text.data);
    default:
        return check_command(&text, bits);
    }
}

void fuzz_explain(const uint8_t *data, size_t len)
{
    static struct pieces_text text;
    struct pieces_in in = {data, len};
    unsigned what = pieces_byte(&in) % N_TRIES;

    printf("# try %u bits %02x\n", what, pieces_byte(&in));
    make(&text, what, in);
    fuzz_print("in", text.data, text.len);
}
