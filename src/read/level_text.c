// SPDX-License-Identifier: MIT
/*
 * The level of a line of text. First the beginnings that say it all, then word by word: most words
 * cost one table look (level_word_find), and only one that names a level has its surroundings
 * looked at.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "read/level_word.h"
#include "text/plain.h"

enum {
    HEAD_MAX = 512, /* of a line's text is looked at: what claims a level does so early */
    BOX_MAX = 160   /* brackets count up to here */
};

/* ---- beginnings ----------------------------------------------------------------------------- */

static const struct beginning {
    const char *text;
    enum level level;
} beginnings[] = {
    {"##[error]", LEVEL_ERROR},
    {"##[warning]", LEVEL_WARN},
    {"##[notice]", LEVEL_INFO},
    {"##[debug]", LEVEL_DEBUG},
    {"::error ", LEVEL_ERROR},
    {"::error::", LEVEL_ERROR},
    {"::warning ", LEVEL_WARN},
    {"::warning::", LEVEL_WARN},
    {"::notice ", LEVEL_INFO},
    {"::notice::", LEVEL_INFO},
    {"::debug::", LEVEL_DEBUG},
    {"Traceback (most recent call last)", LEVEL_ERROR},
    {"Exception in thread ", LEVEL_ERROR},
    {"Caused by: ", LEVEL_ERROR},
    {"Segmentation fault", LEVEL_FATAL},
    {"Bus error", LEVEL_FATAL},
    {"Aborted (core dumped)", LEVEL_FATAL},
    {"goroutine 1 [running]", LEVEL_FATAL},
    {"CMake Error", LEVEL_ERROR},
    {"CMake Warning", LEVEL_WARN},
    {"CMake Deprecation Warning", LEVEL_WARN},
    {"make: *** ", LEVEL_ERROR},
    {"ninja: build stopped", LEVEL_ERROR},
    {"* What went wrong", LEVEL_ERROR},
    {"npm ERR!", LEVEL_ERROR},
    {"npm error", LEVEL_ERROR},
    {"npm warn ", LEVEL_WARN},
    {"npm WARN ", LEVEL_WARN},
    {"not ok ", LEVEL_ERROR},
    {"--- FAIL: ", LEVEL_ERROR},
    {"FAIL\t", LEVEL_ERROR},
    {"FAILED ", LEVEL_ERROR},
    {"E   ", LEVEL_ERROR},
    {"E: ", LEVEL_ERROR},
    {"W: ", LEVEL_WARN},
    {"Error response from ", LEVEL_ERROR},
    {"Error while ", LEVEL_ERROR},
    {"Error in ", LEVEL_ERROR},
    {"ERROR! ", LEVEL_ERROR},
    {"\xe2\x9c\x96 ", LEVEL_ERROR}, /* U+2716, eslint and others */
    {"\xe2\x9c\x97 ", LEVEL_ERROR}, /* U+2717 */
};

const char *level_beginning_at(size_t i, enum level *level)
{
    if (i >= sizeof(beginnings) / sizeof(beginnings[0]))
        return NULL;
    *level = beginnings[i].level;
    return beginnings[i].text;
}

static bool begins(struct raw_span text, const char *with)
{
    size_t n = strlen(with);

    return text.len >= n && memcmp(text.ptr, with, n) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "<3>": the priority of sd-daemon(3) and syslog, the level in its lower three bits. */
static enum level by_priority(struct raw_span text)
{
    static const enum level levels[8] = {LEVEL_FATAL, LEVEL_FATAL, LEVEL_FATAL, LEVEL_ERROR,
                                         LEVEL_WARN,  LEVEL_INFO,  LEVEL_INFO,  LEVEL_DEBUG};
    unsigned value = 0;
    size_t i = 1;

    while (i < text.len && i < 4 && is_digit(text.ptr[i]))
        value = value * 10 + (unsigned)(text.ptr[i++] - '0');
    return i > 1 && i < text.len && text.ptr[i] == '>' ? levels[value & 7] : LEVEL_NONE;
}

/* "E0412 12:00:00.123": glog and klog. "E, [2026-01-02T…": Ruby's Logger. */
static enum level by_letter(struct raw_span text)
{
    static const char letters[] = "DIWEF";
    static const enum level levels[] = {LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR,
                                        LEVEL_FATAL};
    const char *letter = memchr(letters, text.ptr[0], sizeof(letters) - 1);
    const char *p = text.ptr;

    if (letter == NULL || text.len < 9)
        return LEVEL_NONE;
    if (!(is_digit(p[1]) && is_digit(p[2]) && is_digit(p[3]) && is_digit(p[4]) && p[5] == ' ' &&
          is_digit(p[6]) && is_digit(p[7]) && p[8] == ':') &&
        !(p[1] == ',' && p[2] == ' ' && p[3] == '[' && is_digit(p[4])))
        return LEVEL_NONE;
    return levels[letter - letters];
}

/* yarn's first version: "error Command failed", "warning package.json: No license field". */
static enum level by_bare_word(struct raw_span text)
{
    size_t n = begins(text, "error ") ? 6 : begins(text, "warning ") ? 8 : 0;

    if (n == 0 || n >= text.len)
        return LEVEL_NONE;
    if (!isupper((unsigned char)text.ptr[n]) && text.ptr[n] != '"' &&
        !(n == 8 && begins((struct raw_span){text.ptr + n, text.len - n}, "package.json")))
        return LEVEL_NONE;
    return n == 6 ? LEVEL_ERROR : LEVEL_WARN;
}

static enum level by_beginning(struct raw_span text)
{
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (beginnings[i].text[0] == text.ptr[0] && begins(text, beginnings[i].text))
            return beginnings[i].level;
    if (text.ptr[0] == '<')
        return by_priority(text);
    if (text.ptr[0] == 'e' || text.ptr[0] == 'w')
        return by_bare_word(text);
    if (begins(text, "ok ") && text.len > 3 && is_digit(text.ptr[3]))
        return LEVEL_INFO; /* TAP: what follows is a test's name */
    return by_letter(text);
}

/* ---- words ---------------------------------------------------------------------------------- */

/* A word of the line, and what came before it. */
struct place {
    struct raw_span text;
    size_t from, end; /* the word */
    size_t last_from, last_end; /* the word before it */
    unsigned prose;   /* words of nothing but letters since the last separator */
};

static char at(const struct place *p, size_t i)
{
    return i < p->text.len ? p->text.ptr[i] : '\0';
}

static char before(const struct place *p)
{
    return p->from > 0 ? p->text.ptr[p->from - 1] : ' ';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\0';
}

static bool span_in(struct raw_span word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strlen(*list) == word.len && strncasecmp(*list, word.ptr, word.len) == 0)
            return true;
    return false;
}

/* "no error", "0 errors:", "log level: DEBUG", "on error: retry". */
static bool turned_round(const struct place *p)
{
    static const char *const list[] = {"no", "0", "zero", "without", "if", "on", "any", "level",
                                       "not", NULL};
    struct raw_span last = {p->text.ptr + p->last_from, p->last_end - p->last_from};

    if (p->last_end == 0 || p->from - p->last_end > 2 ||
        (p->from - p->last_end == 2 && at(p, p->last_end) != ':'))
        return false;
    return span_in(last, list);
}

/* What follows the colon says that there was none: "error: 0", "errors: none", "error: null,". */
static bool empty_value(const struct place *p, size_t i)
{
    static const char *const list[] = {"0",  "none", "null", "nil", "false", "true",
                                       "no", "yes",  "{}",   "[]",  NULL};
    size_t end;

    while (i < p->text.len && is_blank(p->text.ptr[i]))
        i++;
    end = i;
    while (end < p->text.len && strchr(" \t,;}", p->text.ptr[end]) == NULL)
        end++;
    if (end < p->text.len && p->text.ptr[end] == '}' && end == i + 1)
        end++;
    return i < end && (end == p->text.len || p->text.ptr[end] == ',') &&
           span_in((struct raw_span){p->text.ptr + i, end - i}, list);
}

static bool in_capitals(const struct place *p)
{
    for (size_t i = p->from; i < p->end; i++)
        if (islower((unsigned char)p->text.ptr[i]))
            return false;
    return true;
}

/* "[error]", "[ WARN ]", "[core:error]", "|ERROR|", "<Error>". */
static bool boxed(const struct place *p)
{
    size_t open = p->from;
    size_t close = p->end;
    char left, right;

    while (open > 0 && p->text.ptr[open - 1] == ' ' && p->from - open < 4)
        open--;
    while (close < p->text.len && p->text.ptr[close] == ' ' && close - p->end < 4)
        close++;
    left = open > 0 ? p->text.ptr[open - 1] : '\0';
    right = at(p, close);
    if (open > BOX_MAX)
        return false;
    if (right == ']' && (left == ':' || left == '['))
        return left == ':' || open < 2 || !isalnum((unsigned char)p->text.ptr[open - 2]);
    return ((left == '|' && right == '|') || (left == '(' && right == ')') ||
            (left == '<' && right == '>')) &&
           in_capitals(p);
}

/* " TS2304:", "[E0382]:", " C2143:": a compiler's number between word and colon. The offset of
   the colon, 0: there is none. */
static size_t behind_number(const struct place *p)
{
    size_t i = p->end;
    size_t digits = 0;
    bool box = at(p, i) == '[';

    if (!box && at(p, i) != ' ')
        return 0;
    for (i++; isupper((unsigned char)at(p, i)) || (box && (isalnum((unsigned char)at(p, i)) ||
              strchr("_-:", at(p, i)) != NULL) && at(p, i) != '\0'); i++)
        digits += is_digit(at(p, i)) ? 1 : 0;
    for (; is_digit(at(p, i)); i++)
        digits++;
    if (box && at(p, i++) != ']')
        return 0;
    return (box || digits > 1) && at(p, i) == ':' ? i : 0;
}

/* "error: x", "x.c:1:2: error: y", "error[E0382]: x". */
static bool before_colon(const struct place *p)
{
    size_t colon = at(p, p->end) == ':' ? p->end : behind_number(p);
    char prior = before(p);
    char next = at(p, colon + 1);

    if (colon == 0 || (!is_blank(prior) && strchr("])>:.", prior) == NULL))
        return false;
    if ((prior == '.' && !in_capitals(p)) || next == ':' || next == '/')
        return false;
    if (!is_blank(next) && !in_capitals(p) && !isdigit((unsigned char)next) && colon == p->end)
        return false;
    return !turned_round(p) && !empty_value(p, colon + 1);
}

/* In capitals, alone, in what is no sentence: "2026-01-02 12:00:00 ERROR x", "app - WARN - y". */
static bool alone(const struct place *p, enum level level)
{
    char next = at(p, p->end);

    return in_capitals(p) && (is_blank(before(p)) || before(p) == '|') &&
           (is_blank(next) || next == '|') && p->prose <= (level >= LEVEL_WARN ? 1U : 0U) &&
           !turned_round(p);
}

static bool ends(const struct place *p)
{
    return p->end == p->text.len && in_capitals(p) && is_blank(before(p)) && !turned_round(p);
}

/* "level=error", "severity=\"WARN\"". */
static enum level by_field(const struct place *p)
{
    static const char *const names[] = {"level", "lvl", "severity", "loglevel", NULL};
    size_t from = p->end + 1;
    size_t end;
    const struct level_word *word;

    if (at(p, p->end) != '=' || !is_blank(before(p)) ||
        !span_in((struct raw_span){p->text.ptr + p->from, p->end - p->from}, names))
        return LEVEL_NONE;
    from += at(p, from) == '"' ? 1 : 0;
    for (end = from; isalpha((unsigned char)at(p, end)); end++)
        ;
    word = level_word_find(p->text.ptr + from, end - from);
    return word != NULL && (word->flags & WORD_NO_VALUE) == 0 ? (enum level)word->level
                                                              : LEVEL_NONE;
}

/* "TypeError: x", "java.lang.IllegalStateException", "socket.timeout" is none. */
static bool exception(const struct place *p)
{
    static const char *const ends_in[] = {"Error", "Exception"};
    size_t n = p->end - p->from;
    char next = at(p, p->end);

    if (!isupper((unsigned char)p->text.ptr[p->from]) ||
        !(is_blank(before(p)) || before(p) == '.') || p->prose > 0)
        return false;
    if (!(next == ':' && is_blank(at(p, p->end + 1))) &&
        !(next == '\0' && (p->last_end == 0 || before(p) == '.')))
        return false;
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(ends_in[i]);

        if (n > len && memcmp(p->text.ptr + p->end - len, ends_in[i], len) == 0)
            return true;
    }
    return false;
}

/* "fatal error: x.h: No such file": gcc's word for an error that ends the compilation. */
static bool fatal_before(const struct place *p)
{
    return p->last_end > p->last_from && p->from - p->last_end == 1 &&
           span_in((struct raw_span){p->text.ptr + p->last_from, p->last_end - p->last_from},
                   (const char *const[]){"fatal", NULL});
}

static enum level word_level(const struct place *p)
{
    size_t n = p->end - p->from;
    const struct level_word *word = level_word_find(p->text.ptr + p->from, n);
    enum level level;

    if (word != NULL) {
        level = (enum level)word->level;
        if (((word->flags & WORD_COLON) != 0 && before_colon(p)) ||
            ((word->flags & WORD_BOXED) != 0 && boxed(p)) ||
            ((word->flags & WORD_ALONE) != 0 && alone(p, level)) ||
            ((word->flags & WORD_ENDS) != 0 && ends(p)))
            return level == LEVEL_ERROR && fatal_before(p) ? LEVEL_FATAL : level;
        return LEVEL_NONE;
    }
    if (at(p, p->end) == '=')
        return by_field(p);
    return n > 5 && (p->text.ptr[p->end - 1] == 'r' || p->text.ptr[p->end - 1] == 'n') &&
                   exception(p)
               ? LEVEL_ERROR
               : LEVEL_NONE;
}

/* 1: part of a word; 2: a separator, behind which no sentence goes on. */
static const uint8_t classes[256] = {
    ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['_'] = 1,
    [':'] = 2,         ['|'] = 2,         [']'] = 2,         [')'] = 2,
    ['>'] = 2,         ['-'] = 2,
};

static bool all_letters(struct raw_span text, size_t from, size_t end)
{
    for (; from < end; from++)
        if (!isalpha((unsigned char)text.ptr[from]))
            return false;
    return true;
}

static enum level by_word(struct raw_span text)
{
    struct place p = {.text = text};

    for (size_t i = 0; i < text.len;) {
        uint8_t class = classes[(unsigned char)text.ptr[i]];
        enum level level;

        if (class != 1) {
            p.prose = class == 2 ? 0 : p.prose;
            i++;
            continue;
        }
        p.from = i;
        while (i < text.len && classes[(unsigned char)text.ptr[i]] == 1)
            i++;
        p.end = i;
        level = word_level(&p);
        if (level != LEVEL_NONE)
            return level;
        p.prose += is_blank(before(&p)) && is_blank(at(&p, i)) && all_letters(text, p.from, i);
        p.last_from = p.from;
        p.last_end = p.end;
    }
    return LEVEL_NONE;
}

/* ---- the line ------------------------------------------------------------------------------- */

static struct raw_span skip(struct raw_span text, size_t n)
{
    return (struct raw_span){text.ptr + n, text.len - n};
}

static struct raw_span skip_blanks(struct raw_span text)
{
    while (text.len > 0 && is_blank(text.ptr[0]))
        text = skip(text, 1);
    return text;
}

enum level level_of_text(struct raw_span msg)
{
    char head[HEAD_MAX];
    struct raw_span text = msg;
    enum level level;

    if (msg.len > 0 && msg.ptr[0] == '{' && msg.len > 1 && strchr("\" \t", msg.ptr[1]) != NULL)
        return level_of_json(msg);
    text = plain_text(text, head, sizeof(head));
    text = skip(text, plain_prefix_len(text));
    text = skip_blanks(text);
    if (text.len == 0)
        return LEVEL_NONE;
    if (text.ptr[0] == '{' && text.len > 1 && text.ptr[1] == '"')
        return level_of_json(text);
    level = by_beginning(text);
    if (level != LEVEL_NONE)
        return level;
    return by_word(text);
}
