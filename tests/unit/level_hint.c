// SPDX-License-Identifier: MIT
/* read/level_hint: no line that level_of finds bad enough is passed over; text/starts: every way
   of searching finds the same. */
#include "lib/tap.h"

#include <stdlib.h>

#include "read/level_hint.h"
#include "read/level_word.h"
#include "text/json.h"
#include "text/starts.h"

static uint64_t seed = 5;

static unsigned below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

/* ---- texts ---------------------------------------------------------------------------------- */

struct text {
    char data[4096];
    size_t len;
};

static void put(struct text *t, const char *piece, size_t n)
{
    if (t->len + n <= sizeof(t->data)) {
        memcpy(t->data + t->len, piece, n);
        t->len += n;
    }
}

static void puts_to(struct text *t, const char *piece)
{
    put(t, piece, strlen(piece));
}

/* A word of the tables, or a beginning; sometimes with something inside that is taken out. */
static void put_claim(struct text *t)
{
    static const char *const taken_out[] = {"\x1b[0m", "\x1b[1;31m", "\x1b[K", "\b", "\x01", "\f",
                                            "\n", "\x1b]8;;x\a", "\x1b(B", "\x1b[0m\x1b[31m"};
    static const char *const others[] = {"E: ", "W: ", "E   ", "E, [2026-01-02T03", "<3>", "<13>",
                                         "E0412 12:00:00.1 ", "F0412 12:", "{\"level\":\"error\"}",
                                         "{ \"lvl\":50}", "{\t\"severity\":\"WARN\"}",
                                         "TypeError: x", "a.b.IOException", "level=", "npm ERR!"};
    size_t start = t->len;
    enum level level;
    const char *text = NULL;
    const struct level_word *word = level_word_at(below(45));

    switch (below(3)) {
    case 0:
        text = word != NULL ? word->text : NULL;
        break;
    case 1:
        text = level_beginning_at(below(45), &level);
        break;
    default:
        text = others[below(sizeof(others) / sizeof(others[0]))];
    }
    puts_to(t, text != NULL ? text : "error");
    for (size_t i = start; below(2) == 0 && i < t->len; i++)
        if (t->data[i] >= 'a' && t->data[i] <= 'z')
            t->data[i] = (char)(t->data[i] ^ 0x20);
    if (below(3) == 0 && t->len - start > 1) {
        struct text tail = {.len = 0};
        size_t at = start + 1 + below((unsigned)(t->len - start - 1));

        put(&tail, t->data + at, t->len - at);
        t->len = at;
        puts_to(t, taken_out[below(sizeof(taken_out) / sizeof(taken_out[0]))]);
        put(t, tail.data, tail.len);
    }
}

static void make_text(struct text *t)
{
    static const char *const pieces[] = {
        " ", " ", ": ", ":", "[", "]", "|", " - ", "\t", "2026-01-02T03:04:05.678Z ", "x.c:1:2: ",
        "the quick brown fox ", "no ", "0 ", "\x1b[31m", "\x1b[0m", "\r", "#12 3.456 ", "\"", "{",
        "main", "12:00:00 ", "\xc3\xa9", "[E0382]: ", " TS2304: ", "=", "-", "_", ".", "(", ")", "<",
        ">", "/", "\\", ",", "}", "E", "level=", "lvl=\"", " severity=", " Command", " package.json",
        "npm ", "Bus ", "CMake ", "--- ", "::", "##[", "*** ", " at ", "\"level\":", "\"lvl\": \"",
        "\"@l\":\"", "\"priority\":", "50", "3", "17", "\x1b[31;1m\x1b[4m", "\x1b[1;2s", "\x1b(",
        "\x1b[", "\x1b\x1b[", "\x7f", "\v", "\x1b[\"1m", "FAILED", "Error", "Exception"};

    t->len = 0;
    if (below(16) == 0)
        puts_to(t, "{\"");
    if (below(16) == 0) /* where the text is cut off */
        for (size_t n = LEVEL_HEAD_MAX - below(80); n > 0; n--)
            puts_to(t, below(9) == 0 ? " " : "x");
    for (unsigned n = 1 + below(6); n > 0; n--)
        if (below(3) == 0)
            put_claim(t);
        else
            puts_to(t, pieces[below(sizeof(pieces) / sizeof(pieces[0]))]);
}

/* ---- the property --------------------------------------------------------------------------- */

enum { ROUNDS = 150000 };

struct tally {
    unsigned dropped, bad, passed_over;
};

/* Alone, and with so much behind it that its head is passed over. */
static bool offered(const struct level_hint *h, const char *line, size_t len, size_t behind)
{
    struct line_text seen = {0};
    size_t n = len + behind;
    char *piece = malloc(n);
    const char *at;

    memcpy(piece, line, len);
    if (behind > 0)
        memset(piece + len, '\n', behind);
    at = level_hint_next(h, &seen, piece, piece + n);
    free(piece);
    return at != NULL;
}

static void compare(const struct level_hint *h, enum level least, const struct text *t,
                    struct tally *tally)
{
    static const char head[] = "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"src\":\"stdout\",\"buildId\":"
                               "\"X\",\"msg\":\"";
    char *line = malloc(sizeof(head) + json_escape_room(t->len) + 8);
    struct log_item item = {.kind = RECORD_LINE};
    uint64_t invalid = 0;
    char *end;
    bool alone, within, bad;

    memcpy(line, head, sizeof(head) - 1);
    end = json_escape(line + sizeof(head) - 1, t->data, t->len, &invalid);
    memcpy(end, "\"}", 2);
    item.text = (struct raw_span){line, (size_t)(end + 2 - line)};
    alone = offered(h, line, item.text.len, 0);
    within = offered(h, line, item.text.len, LINE_HEAD_MAX);
    /* Where bytes were repaired, the line says something else than the text. */
    bad = invalid == 0 && level_of(&item, (struct raw_span){t->data, t->len}) >= least;
    tally->bad += bad ? 1 : 0;
    tally->passed_over += within ? 0 : 1;
    if (bad && !(alone && within) && tally->dropped++ < 10)
        printf("# passed over: %.*s\n", (int)item.text.len, line);
    free(line);
}

static void test_nothing_dropped(enum level least)
{
    struct level_hint *h = malloc(sizeof(*h));
    struct tally tally = {0};
    struct text text;

    ok(level_hint_init(h, least), "a hint for %s", level_name(least));
    for (int i = 0; i < ROUNDS; i++) {
        make_text(&text);
        compare(h, least, &text, &tally);
    }
    printf("# %u bad, %u passed over\n", tally.bad, tally.passed_over);
    ok(tally.dropped == 0, "no such line is passed over");
    ok(tally.bad > ROUNDS / 100 && tally.passed_over > ROUNDS / 20, "and both happen");
    free(h);
}

static bool offers(const struct level_hint *h, const char *line)
{
    struct line_text seen = {0};

    return level_hint_next(h, &seen, line, line + strlen(line)) != NULL;
}

static void test_others(void)
{
    struct level_hint *h = malloc(sizeof(*h));

    ok(!level_hint_init(h, LEVEL_INFO), "what says nothing is info, so there is none for that");
    ok(level_hint_init(h, LEVEL_ERROR), "for errors");
    ok(offers(h, "{ \"kind\" : \"event\" }") && offers(h, "{\"kind\":\"gap\"}"), "no other records");
    ok(offers(h, "{\"kind\":\"line\",\"level\":3}"), "no levels of their own");
    ok(!offers(h, "{\"kind\":\"line\",\"msg\":\"\\u001b[32mall is well\\u001b[0m C:\\\\build\"}"),
       "colours alone are no reason");
    ok(!offers(h, "{\"kind\":\"line\",\"msg\":\"[17/99] CC src/main.o\"}"), "nor is anything here");
    free(h);
}

/* ---- starts -------------------------------------------------------------------------------- */

static void test_starts(void)
{
    struct starts t = {0};
    int wrong = 0;
    int found = 0;

    starts_add(&t, 0, (const char *const[]){"a", "bc", "d", NULL});
    starts_add(&t, 3, (const char *const[]){"xX", NULL, "\xff", "ab."});
    starts_add(&t, 7, (const char *const[]){"q", "q", "q", "q"});
    for (int i = 0; i < 20000; i++) {
        size_t n = below(200);
        char *text = malloc(n + 1);
        struct starts_walk one = {.at = text, .end = text + below((unsigned)n + 1),
                                   .room = text + n};
        struct starts_walk other = one;
        const char *got;

        for (size_t k = 0; k < n; k++)
            text[k] = "abcdxXq\xff.............................."[below(37)];
        do {
            got = starts_next(&t, &one);
            wrong += got != starts_next_portable(&t, &other) ? 1 : 0;
            found += got != NULL ? 1 : 0;
        } while (got != NULL);
        free(text);
    }
    is_int(wrong, 0, "starts are found alike");
    ok(found > 1000, "and there was something to see");
}

/* ---- heads ---------------------------------------------------------------------------------- */

/* Two heads of different lengths, now and then with one byte changed: what is taken for one ends
   in the text's quote, and holds no member but its own. */
static void test_heads(void)
{
    static const char *const heads[] = {
        "{\"kind\":\"line\",\"ts\":1767323045678,\"seq\":17,\"src\":\"stdout\",\"buildId\":\"01KDYAK3SE\","
        "\"msg\":\"",
        "{\"kind\":\"line\",\"ts\":1767323045678,\"seq\":9,\"src\":\"stderr\",\"buildId\":\"01KDYAK3SE\","
        "\"msg\":\"",
        "{\"kind\":\"line\",\"ts\":1,\"seq\":17,\"level\":\"error\",\"src\":\"stdout\",\"buildId\":\"X\","
        "\"msg\":\""};
    struct line_text one = {0};
    struct line_text other = {0};
    int wrong = 0, found = 0;

    for (int i = 0; i < 50000; i++) {
        struct text line = {.len = 0};
        unsigned which = below(3);
        size_t len = strlen(heads[which]);
        bool changed = below(4) == 0;
        const char *got;

        puts_to(&line, heads[which]);
        if (changed)
            line.data[below((unsigned)len)] = "09a\\\",:l"[below(9)];
        while (line.len < LINE_HEAD_MAX)
            put(&line, "x", 1);
        got = line_text_find(&one, line.data, line.data + line.len);
        wrong += got != line_text_find_portable(&other, line.data, line.data + line.len) ? 1 : 0;
        wrong += got != NULL && (which == 2 || got != line.data + len) ? 1 : 0;
        wrong += got == NULL && which < 2 && !changed ? 1 : 0;
        found += got != NULL ? 1 : 0;
    }
    is_int(wrong, 0, "heads of lines are told from others");
    ok(found > 20000 && line_text_find(&one, heads[0], heads[0] + 10) == NULL, "and passed over");
}

int main(void)
{
    test_heads();
    test_nothing_dropped(LEVEL_WARN);
    test_nothing_dropped(LEVEL_ERROR);
    test_nothing_dropped(LEVEL_FATAL);
    test_others();
    test_starts();
    return done();
}
