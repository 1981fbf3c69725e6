// SPDX-License-Identifier: MIT
/* read/filter: the cheap filter passes over no line that the exact one takes, however the line
   is spelled; and what the exact one takes, it takes by what the record says. */
#include "lib/tap.h"

#include <stdlib.h>

#include "read/filter.h"

static uint64_t seed = 99;

static unsigned below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static const char *one_of(const char *const *list, size_t n)
{
    return list[below((unsigned)n)];
}

#define ONE_OF(list) one_of(list, sizeof(list) / sizeof((list)[0]))

/* ---- lines of any spelling ------------------------------------------------------------------ */

struct text {
    char data[2048];
    size_t len;
};

static void put(struct text *t, const char *piece)
{
    size_t n = strlen(piece);

    if (t->len + n < sizeof(t->data)) {
        memcpy(t->data + t->len, piece, n);
        t->len += n;
    }
}

/* Characters of the words looked for, in all the ways that JSON has, and a little noise. */
static void put_msg(struct text *t)
{
    static const char *const pieces[] = {
        "error", "err", "or", "e", "\\u0065rr", "er\\u0072or", "erro\\u0072", "a/b", "a\\/b", "/",
        "\\/", "\\\"", "\\\\", "\\u005c", "\\u0022", "\\n", "\\u000a", "\\u001b[0m", "\\t", " ",
        "\xc3\xa9", "\\u00e9", "\\u00E9", "\x7f", "\\u007f", "\\u007F", "\\\\u0065", "ERROR",
        "Err\\u004fR", "\\ud83d\\ude00", "\\u0000", "a", "b", "x", "1", "42"};

    for (unsigned n = below(8); n > 0; n--)
        put(t, ONE_OF(pieces));
}

static void put_line(struct text *t)
{
    static const char *const keys[] = {"\"msg\":\"", "\"msg\" : \"", "\"m\\u0073g\":\"",
                                       "\"xmsg\":\""};
    static const char *const tails[] = {"", ",\"level\":\"error\"", ",\"redacted\":1",
                                        ",\"x\":{\"msg\":\"error\"}", ",\"msg\":\"error\"",
                                        ",\"raw\":\"YQ==\"", " ", ",\"y\":[1,\"error\"]", "#"};
    static const char *const heads[] = {
        "{\"kind\":\"line\",\"ts\":1000,\"seq\":1,\"src\":\"stdout\",\"buildId\":\"X\",",
        "{\"kind\":\"line\",\"ts\":2000,\"seq\":1,\"src\":\"stderr\",\"buildId\":\"X\",",
        "{ \"kind\":\"line\",\"ts\":1000,\"seq\":1,\"src\":\"stderr\",\"buildId\":\"X\",",
        "{\"seq\":1,\"kind\":\"line\",\"ts\":1000,\"src\":\"std\\u0065rr\",\"buildId\":\"X\",",
        "{\"kind\":\"event\",\"ts\":1000,\"seq\":1,\"buildId\":\"X\",\"event\":\"error\",",
        "{\"kind\":\"event\",\"ts\":3000,\"seq\":1,\"buildId\":\"X\",\"event\":\"\\u0065rror\",",
        "{\"kind\":\"event\",\"ts\":1,\"seq\":1,\"data\":{\"tool\":\"a\\/b\"},\"event\":\"b\",",
        "{\"kind\":\"gap\",\"ts\":2000,\"seq\":3,\"from\":1,\"buildId\":\"X\",",
        "{\"kind\":\"meta\",\"buildId\":\"X\",\"startedAt\":\"error\",",
        "{\"kind\":\"new\",\"ts\":1000,\"seq\":1,"};

    t->len = 0;
    put(t, ONE_OF(heads));
    put(t, ONE_OF(keys));
    put_msg(t);
    put(t, "\"");
    put(t, ONE_OF(tails));
    put(t, "}\n");
}

/* ---- filters -------------------------------------------------------------------------------- */

static const char *const some_words[] = {"error", "err", "or", "a/b", "/", "\"", "\\", "\n", " ",
                                         "\xc3\xa9", "\x7f", "\xc3", "e\"", "xerror\"error1", "a"};
static const char *const some_regexes[] = {
    "error", "err(or|x)", "e.*r", "a/b|\"", "^e", "[0-9]+", "\\\\", "(err)+", "x?error", "\xa9",
    "ERR", "er{2}or", ""};
static const char *const some_srcs[] = {"stdout", "stderr"};
static const char *const some_events[] = {"error", "b"};
static const char *const some_tools[] = {"a/b", "x"};

/* Room for what the lists of a spec point to. */
struct lists {
    const char *items[5][2];
};

static struct filter_words some(struct lists *lists, size_t which, const char *const *of, size_t n)
{
    struct filter_words list = {lists->items[which], below(3)};

    for (size_t i = 0; i < list.n; i++)
        lists->items[which][i] = one_of(of, n);
    return list;
}

#define SOME(which, of) some(lists, which, of, sizeof(of) / sizeof((of)[0]))

static struct filter_spec random_spec(struct lists *lists)
{
    struct filter_spec spec = {.since_ms = INT64_MIN, .until_ms = INT64_MAX,
                               .icase = below(2) == 0};

    if (below(4) == 0)
        spec.since_ms = 1500;
    if (below(4) == 0)
        spec.until_ms = 2500;
    if (below(2) == 0)
        spec.words = SOME(0, some_words);
    if (below(2) == 0)
        spec.regexes = SOME(1, some_regexes);
    if (below(4) == 0)
        spec.srcs = SOME(2, some_srcs);
    if (below(6) == 0)
        spec.events = SOME(3, some_events);
    if (below(6) == 0)
        spec.tools = SOME(4, some_tools);
    if (below(5) == 0)
        spec.fuzzy = 1 + (int)below(2);
    if (below(4) == 0)
        spec.level = (enum level)(LEVEL_INFO + (int)below(4));
    return spec;
}

/* ---- the property --------------------------------------------------------------------------- */

enum { ROUNDS = 4000, LINES = 40 };

struct piece {
    char *data;
    size_t len;
    size_t starts[LINES + 1];
};

static void make_piece(struct piece *p)
{
    struct text line;

    p->len = 0;
    for (size_t i = 0; i < LINES; i++) {
        put_line(&line);
        p->data = realloc(p->data, p->len + line.len);
        memcpy(p->data + p->len, line.data, line.len);
        p->starts[i] = p->len;
        p->len += line.len;
    }
    p->starts[LINES] = p->len;
}

struct tally {
    unsigned dropped, passed_over, taken;
};

static void compare(const struct filter_spec *spec, const struct piece *p, struct tally *t)
{
    struct filter_run run, exact;
    struct filter *f = NULL;
    const char *end = p->data + p->len;
    const char *next;

    if (filter_new(&f, spec, NULL) != ERR_NONE)
        return;
    filter_run_init(&run, f, NULL);
    filter_run_init(&exact, f, NULL);
    filter_run_piece(&run);
    next = filter_next(&run, p->data, end);
    for (size_t i = 0; i < LINES; i++) {
        const char *line = p->data + p->starts[i];
        size_t n = p->starts[i + 1] - p->starts[i] - 1;
        bool offered = next == line;
        bool wanted = filter_check(&exact, line, n) == ERR_NONE;

        t->taken += wanted ? 1 : 0;
        t->passed_over += offered ? 0 : 1;
        if (wanted && !offered && t->dropped++ < 5)
            printf("# passed over: %.*s\n", (int)n, line);
        if (offered)
            next = filter_next(&run, line + n + 1, end);
    }
    filter_run_release(&run);
    filter_run_release(&exact);
    filter_free(f);
}

static void test_nothing_dropped(void)
{
    struct piece piece = {0};
    struct tally t = {0};

    for (int i = 0; i < ROUNDS; i++) {
        struct lists lists;
        struct filter_spec spec = random_spec(&lists);

        make_piece(&piece);
        compare(&spec, &piece, &t);
    }
    free(piece.data);
    printf("# %u taken, %u passed over\n", t.taken, t.passed_over);
    ok(t.dropped == 0, "no line that matches is passed over");
    ok(t.taken > ROUNDS && t.passed_over > ROUNDS, "and both happen");
}

/* ---- the exact filter against plain cJSON ---------------------------------------------------- */

static bool same_text(struct raw_span a, struct raw_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Both ways of reading a line say the same: with a blank in front it takes the long one. */
static void test_two_ways(void)
{
    struct filter_spec spec = {.since_ms = INT64_MIN, .until_ms = INT64_MAX};
    struct filter_run fast, slow;
    struct filter *f;
    struct text line;
    int differ = 0;
    int same = 0;

    if (filter_new(&f, &spec, NULL) != ERR_NONE)
        return;
    filter_run_init(&fast, f, NULL);
    filter_run_init(&slow, f, NULL);
    for (int i = 0; i < 40000; i++) {
        char other[sizeof(line.data) + 1];
        enum err_code a, b;

        put_line(&line);
        other[0] = '{';
        other[1] = ' ';
        memcpy(other + 2, line.data + 1, line.len - 1);
        a = filter_check(&fast, line.data, line.len - 1);
        b = filter_check(&slow, other, line.len);
        if (a != b || (a == ERR_NONE && !same_text(fast.view.msg, slow.view.msg)))
            differ++;
        same += a == ERR_NONE ? 1 : 0;
    }
    is_int(differ, 0, "the fast way reads what the long one reads");
    ok(same > 10000, "and there was something to see");
    filter_run_release(&fast);
    filter_run_release(&slow);
    filter_free(f);
}

/* ---- bytes that are no log ------------------------------------------------------------------- */

static void test_damage(void)
{
    const char *const words[] = {"err"};
    struct filter_spec spec = {.since_ms = 5, .until_ms = INT64_MAX, .words = {words, 1}};
    struct filter_run run;
    struct filter *f;
    struct text line;
    unsigned answers[16] = {0};

    if (filter_new(&f, &spec, NULL) != ERR_NONE)
        return;
    filter_run_init(&run, f, NULL);
    for (int i = 0; i < 30000; i++) {
        size_t n;
        char *copy;

        put_line(&line);
        line.data[below((unsigned)line.len)] ^= (char)(1 << below(8));
        n = below(2) == 0 ? line.len - 1 : below((unsigned)line.len);
        copy = malloc(n + 1); /* exactly as long, for the sanitizer */
        memcpy(copy, line.data, n);
        answers[filter_check(&run, copy, n) & 15]++;
        filter_run_piece(&run);
        (void)filter_next(&run, copy, copy + n);
        free(copy);
    }
    printf("# %u damaged, %u taken\n", answers[ERR_FORMAT], answers[ERR_NONE]);
    ok(answers[ERR_FORMAT] > 1000 && answers[ERR_NONE] > 100, "bits flip, lines end early");
    filter_run_release(&run);
    filter_free(f);
}

int main(void)
{
    test_nothing_dropped();
    test_two_ways();
    test_damage();
    return done();
}
