// SPDX-License-Identifier: MIT
/*
 * The line splitter: whatever the pieces, the same lines. The log is a double here (the
 * linker takes these functions before the library's) that writes down what it is given.
 */
#include "lib/tap.h"

#include <stdlib.h>

#include "redact/redact.h"
#include "run/splitter.h"

static char seen[1 << 16];
static size_t seen_len;
static int64_t seen_ts[64];
static size_t n_seen;

void build_log_line(struct build_log *l, enum build_log_src src, int64_t ts_ms,
                    struct clean_span msg, uint64_t total_len, const struct line_fields *f)
{
    (void)l, (void)src;
    if (n_seen < 64)
        seen_ts[n_seen] = ts_ms;
    n_seen++;
    seen_len += (size_t)snprintf(seen + seen_len, sizeof(seen) - seen_len,
                                 "[%.*s|total=%d red=%u trunc=%d%s%s]", (int)msg.len, msg.ptr,
                                 (int)total_len, f->redacted, (int)f->truncated,
                                 f->partial ? " partial" : "", f->cont ? " cont" : "");
    if (f->frames > 0)
        seen_len += (size_t)snprintf(seen + seen_len, sizeof(seen) - seen_len, "{%u}", f->frames);
}

static bool at_terminal, last_frame; /* of the splitters that start() makes */

static void start(struct splitter *s, size_t max_line, bool split)
{
    seen_len = n_seen = 0;
    seen[0] = '\0';
    splitter_init(s, &(struct splitter_options){.max_line = max_line, .split = split,
                                                .is_terminal = at_terminal,
                                                .last_frame = last_frame});
}

/* Feeds text in pieces of `size` bytes through a redactor (so that marks come as they do). */
static void feed(struct splitter *s, const char *text, size_t len, size_t size)
{
    struct redact_set *rules;
    struct redactor *r;
    struct clean_vec spans = {0};
    struct err e;

    if (redact_set_new(&rules, NULL, &e) != ERR_NONE || redactor_new(&r, rules, &e) != ERR_NONE)
        exit(1);
    for (size_t at = 0; at < len; at += size) {
        size_t n = len - at < size ? len - at : size;
        char *copy = malloc(n); /* exact, so that reading past the end is seen */

        memcpy(copy, text + at, n);
        if (redactor_feed(r, (struct raw_span){copy, n}, &spans) != ERR_NONE)
            exit(1);
        splitter_feed(s, &spans, (int64_t)at + 1);
        free(copy);
    }
    if (redactor_finish(r, &spans) != ERR_NONE)
        exit(1);
    splitter_feed(s, &spans, (int64_t)len);
    splitter_finish(s);
    clean_vec_release(&spans);
    redactor_free(r);
    redact_set_free(rules);
}

static void check_all_sizes(const char *name, const char *text, size_t len, size_t max_line,
                            bool split, const char *want)
{
    bool same = true;

    for (size_t size = 1; size <= len + 1; size++) {
        struct splitter s;

        start(&s, max_line, split);
        feed(&s, text, len, size);
        splitter_release(&s);
        if (strcmp(seen, want) != 0) {
            printf("# in pieces of %zu:\n#   got  %s\n#   want %s\n", size, seen, want);
            same = false;
            break;
        }
    }
    ok(same, "%s, in pieces of every size", name);
}

static void check(const char *name, const char *text, size_t max_line, bool split,
                  const char *want)
{
    check_all_sizes(name, text, strlen(text), max_line, split, want);
}

static void test_lines(void)
{
    check("nothing", "", 10, false, "");
    check("one line", "abc\n", 10, false, "[abc|total=4 red=0 trunc=0]");
    check("empty lines", "\n\n", 10, false, "[|total=1 red=0 trunc=0][|total=1 red=0 trunc=0]");
    check("no final newline", "a\nbc", 10, false,
          "[a|total=2 red=0 trunc=0][bc|total=2 red=0 trunc=0 partial]");
    check_all_sizes("NUL is a byte like others", "a\0b\n", 4, 10, false,
                    "[a|total=4 red=0 trunc=0]"); /* %.*s of the double stops there */
}

static void test_long_lines(void)
{
    check("exactly as long as may be", "0123456789\n", 10, false,
          "[0123456789|total=11 red=0 trunc=0]");
    check("one byte more is cut", "0123456789a\nb\n", 10, false,
          "[0123456789|total=12 red=0 trunc=1][b|total=2 red=0 trunc=0]");
    check("cut at a character", "012345678\xc3\xa9z\n", 10, false,
          "[012345678|total=13 red=0 trunc=3]");
    check("cut without a newline at the end", "0123456789abc", 10, false,
          "[0123456789|total=13 red=0 trunc=3 partial]");
    check("split instead", "0123456789abcdefghijk\nx\n", 10, true,
          "[0123456789|total=10 red=0 trunc=0 cont][abcdefghij|total=10 red=0 trunc=0 cont]"
          "[k|total=2 red=0 trunc=0][x|total=2 red=0 trunc=0]");
    check("split at a character", "012345678\xc3\xa9z\n", 10, true,
          "[012345678|total=9 red=0 trunc=0 cont][\xc3\xa9z|total=4 red=0 trunc=0]");
    check("a split that fits makes one record", "0123456789\n", 10, true,
          "[0123456789|total=11 red=0 trunc=0]");
}

static void test_marks(void)
{
    char text[128];
    char want[256];

    snprintf(text, sizeof(text), "t=%s_%036d end\nplain\n", "ghp", 7);
    snprintf(want, sizeof(want), "[t=ghp_[REDACTED] end|total=%d red=1 trunc=0]"
             "[plain|total=6 red=0 trunc=0]", 21);
    check("a mark is counted in its line", text, 100, false, want);
    snprintf(text, sizeof(text), "%s_%036d\n", "ghp", 7);
    check("a mark across two records counts in the one where it begins", text, 8, true,
          "[ghp_[RED|total=8 red=1 trunc=0 cont][ACTED]|total=7 red=0 trunc=0]");
    snprintf(text, sizeof(text), "0123%s_%036d\n", ".ghp", 7);
    check("a mark behind a full record counts in the next", text, 9, true,
          "[0123.ghp_|total=9 red=0 trunc=0 cont][[REDACTED|total=9 red=1 trunc=0 cont]"
          "[]|total=2 red=0 trunc=0]");
}

static void test_times(void)
{
    struct splitter s;

    start(&s, 100, false);
    feed(&s, "((\n((\n((", 8, 2); /* reads at 1, 3, 5, 7; nothing of it is ever held */
    splitter_release(&s);
    ok(n_seen == 3 && seen_ts[0] == 1 && seen_ts[1] == 3 && seen_ts[2] == 7,
       "a line has the time of the read that brought its first byte");
    start(&s, 100, false);
    splitter_expect(&s, 5);
    feed(&s, "ab\n", 3, 3);
    splitter_release(&s);
    is_int(seen_ts[0], 5, "also when the redactor held that byte back");
}

static void test_terminal(void)
{
    check("without a terminal CR is a byte like others", "a\r\n", 10, false,
          "[a\r|total=3 red=0 trunc=0]");
    at_terminal = true;
    check("a terminal's line end is CR LF", "ab\r\n\r\nc\n", 10, false,
          "[ab|total=4 red=0 trunc=0][|total=2 red=0 trunc=0][c|total=2 red=0 trunc=0]");
    check("one CR of several", "a\r\r\nb\rc\r\n", 10, false,
          "[a\r|total=4 red=0 trunc=0][b\rc|total=5 red=0 trunc=0]");
    check("a CR at the very end stays", "a\r", 10, false, "[a\r|total=2 red=0 trunc=0 partial]");
    check("a CR alone", "\r", 10, false, "[\r|total=1 red=0 trunc=0 partial]");
    check("as long as may be, with a CR", "0123456789\r\n", 10, false,
          "[0123456789|total=12 red=0 trunc=0]");
    check("and longer", "0123456789a\r\n", 10, false, "[0123456789|total=13 red=0 trunc=1]");
    check("split, with a CR", "0123456789\r\nx\r\n", 10, true,
          "[0123456789|total=12 red=0 trunc=0][x|total=3 red=0 trunc=0]");
    check("split before a CR that stays", "0123456789\ra\r\n", 10, true,
          "[0123456789|total=10 red=0 trunc=0 cont][\ra|total=4 red=0 trunc=0]");
    at_terminal = false;
}

static void test_frames(void)
{
    char text[256];

    last_frame = true;
    check("plain lines", "abc\n\nde", 64, false,
          "[abc|total=4 red=0 trunc=0][|total=1 red=0 trunc=0][de|total=2 red=0 trunc=0 partial]");
    check("the last frame, and how many it took the place of", "10%\r20%\r100%\nx\n", 64, false,
          "[100%|total=13 red=0 trunc=0]{2}[x|total=2 red=0 trunc=0]");
    check("without a newline", "10%\r20%\r", 64, false, "[20%|total=8 red=0 trunc=0 partial]{1}");
    check("nothing to be seen is a line, too", "\r\r", 64, false, "[|total=2 red=0 trunc=0 partial]");
    snprintf(text, sizeof(text), "t=%s_%036d\rx\rplain text, long enough\n", "ghp", 7);
    check("marks count, though their frame is gone", text, 64, false,
          "[plain text, long enough|total=43 red=1 trunc=0]{2}");
    check("a frame longer than a line", "0123456789abcdefghi\rxyz\n", 10, false,
          "[0123456789|total=24 red=0 trunc=13]");
    check("behind one that it hides", "01\r0123456789abcd\n", 10, false,
          "[0123456789|total=18 red=0 trunc=4]{1}");
    check("frames that fit one by one, but not together", "0123456\rabcdefg\rABCDEFG\n", 10, false,
          "[ABCDEFG|total=24 red=0 trunc=0]{2}");
    check("that stay, and are longer together", "01234567\rabcdef\n", 10, false,
          "[01234567\ra|total=16 red=0 trunc=5]");
    check("the same, split", "01234567\rabcdef\n", 10, true,
          "[01234567\ra|total=10 red=0 trunc=0 cont][bcdef|total=6 red=0 trunc=0]");
    check("a long one, split", "01\r0123456789abcd\rx\n", 10, true,
          "[0123456789|total=13 red=0 trunc=0 cont]{1}[abcd\rx|total=7 red=0 trunc=0]");
    at_terminal = true;
    check("at a terminal", "10%\r20%\r\nab\r\n\r\n", 64, false,
          "[20%|total=9 red=0 trunc=0]{1}[ab|total=4 red=0 trunc=0][|total=2 red=0 trunc=0]");
    at_terminal = last_frame = false;
}

int main(void)
{
    test_lines();
    test_long_lines();
    test_marks();
    test_times();
    test_terminal();
    test_frames();
    return done();
}
