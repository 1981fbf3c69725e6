// SPDX-License-Identifier: MIT
/*
 * run/frames: what the tools people use print, and, with random bytes, the promises: every split
 * gives the same, nothing that can be seen goes, no two bytes come to stand side by side that did
 * not before unless a control byte parts them. The screen of the test is another program than the
 * one under test: cells, not intervals.
 */
#include "lib/tap.h"

#include <stdlib.h>

#include "run/frames.h"

enum { MAX_LINE = 4096 };

struct result {
    char kept[4 * MAX_LINE];
    size_t len;
    uint32_t dropped;
    bool followed; /* to the end of the line */
};

/* Feeds text in pieces of `size` bytes, each in a block of its own: reading past it is seen. */
static void feed(struct frames *f, const char *text, size_t len, size_t size, struct result *out)
{
    size_t at = 0;
    bool followed = true;

    out->len = 0;
    while (at < len && followed) {
        size_t n = len - at < size ? len - at : size;
        char *copy = malloc(n);
        size_t taken;

        memcpy(copy, text + at, n);
        taken = frames_feed(f, (struct clean_span){.ptr = copy, .len = n});
        followed = taken == n;
        at += taken;
        free(copy);
    }
    if (followed)
        frames_finish(f);
    out->len = frames_kept(f).len;
    memcpy(out->kept, frames_kept(f).ptr, out->len);
    memcpy(out->kept + out->len, text + at, len - at);
    out->len += len - at;
    out->dropped = frames_dropped(f);
    out->followed = followed;
}

static void once(const char *text, size_t len, size_t size, size_t max_line, struct result *out)
{
    struct frames f;

    frames_init(&f, max_line);
    feed(&f, text, len, size, out);
    frames_release(&f);
}

static bool same(const struct result *a, const struct result *b)
{
    return a->len == b->len && a->dropped == b->dropped && a->followed == b->followed &&
           memcmp(a->kept, b->kept, a->len) == 0;
}

static void show_bytes(const char *what, const char *text, size_t len)
{
    printf("#   %s: ", what);
    for (size_t i = 0; i < len; i++)
        printf(text[i] >= ' ' && text[i] < 0x7f ? "%c" : "\\x%02x", (unsigned char)text[i]);
    printf("\n");
}

/* ---- what tools print ------------------------------------------------------------------------ */

static void gives(const char *name, const char *text, uint32_t dropped, const char *want)
{
    static struct result whole, pieces;
    bool good = true;

    once(text, strlen(text), strlen(text) + 1, MAX_LINE, &whole);
    for (size_t size = 1; size <= strlen(text) && good; size++) {
        once(text, strlen(text), size, MAX_LINE, &pieces);
        good = same(&whole, &pieces);
    }
    ok(good && whole.len == strlen(want) && memcmp(whole.kept, want, whole.len) == 0 &&
           whole.dropped == dropped, "%s", name);
    if (!good || whole.len != strlen(want) || memcmp(whole.kept, want, whole.len) != 0 ||
        whole.dropped != dropped) {
        show_bytes("got", whole.kept, whole.len);
        printf("#   dropped: %u, same in pieces: %d\n", whole.dropped, good);
    }
}

#define UP "\x1b[A"
#define HALF "\xf0\x9f\x98"
#define HALVES HALF HALF HALF HALF HALF HALF HALF HALF HALF HALF HALF HALF "\xe6\xe6"
#define EL "\x1b[K"
#define EL2 "\x1b[2K"

static void test_rules(void)
{
    gives("no frames", "plain", 0, "plain");
    gives("the last one", "10%\r20%\r100%", 2, "100%");
    gives("a carriage return at the end", "99%\r100%\r", 1, "100%");
    gives("several", "99%\r\r\r100%\r\r", 1, "100%");
    gives("one at the beginning", "\r100%", 0, "100%");
    gives("a shorter one leaves the tail of a longer one", "loading\rok", 0, "loading\rok");
    gives("until a longer one comes", "loading\rok\rloaded!", 2, "loaded!");
    gives("what is between goes", "loading\rok\rno", 1, "loading\rno");
    gives("or it erases it", "loading\rok" EL, 1, "ok" EL);
    gives("before it writes", "loading\r" EL "ok", 1, "ok");
    gives("or the whole line", "loading\r" EL2 "ok", 1, "ok");
    gives("or overwrites it with blanks", "loading\r       \rok", 1, "ok");
    gives("too few blanks", "loading\r   \rok", 0, "loading\rok");
    gives("erased at the end: the last one that showed something", "99%\r100%\r" EL, 1, "100%");
    gives("also by blanks", "99%\r100%\r    \r", 1, "100%");
    gives("and what is erased, but something else is to be seen", "100%\r" EL "a\rb", 2, "b");
    gives("an empty line", "", 0, "");
    gives("nothing but moves", "\r\r" EL "\r", 0, "");
    gives("nothing but blanks", "   \r", 0, "");
    gives("without a move they stay", "\x1b[m   ", 0, "\x1b[m   ");
    gives("colours belong to their frame", "\x1b[31m10%\x1b[0m\r\x1b[32m20%\x1b[0m", 1,
          "\x1b[32m20%\x1b[0m");
    gives("colours before a move", "a\r\x1b[32m\rb", 1, "\x1b[32m\rb");
    gives("a coloured blank is to be seen", "\x1b[41m   \x1b[0m\ra", 0, "\x1b[41m   \x1b[0m\ra");
    gives("wide characters", "\xe6\x97\xa5\xe6\x9c\xac\rabcd", 1, "abcd");
    gives("and what is too narrow for them", "\xe6\x97\xa5\xe6\x9c\xac\rabc", 0,
          "\xe6\x97\xa5\xe6\x9c\xac\rabc");
    gives("a tab skips columns", "abcdefghij\r\t\tx", 0, "abcdefghij\r\t\tx");
    gives("bytes that are no character", "abc\r\xff\xff\xff", 0, "abc\r\xff\xff\xff");
    gives("half a character at the end", "abc\r\xe6\x97", 0, "abc\r\xe6\x97");
    gives("halves of characters behind each other", HALVES "\rabc", 0, HALVES "\rabc");
    gives("half a sequence at the end", "abc\r\x1b[3", 0, "abc\r\x1b[3");
    gives("another screen cannot be followed", "ab\rcd\r\x1b[?1049hx\ry", 1, "cd\r\x1b[?1049hx\ry");
    gives("nor insertions", "ab\rcd\r\x1b[2@x\rabcdef", 1, "cd\r\x1b[2@x\rabcdef");
    gives("C1", "ab\rcd\r\xc2\x9bKx\rabcdef", 1, "cd\r\xc2\x9bKx\rabcdef");
}

static void test_tools(void)
{
    gives("a spinner by backspaces", "work |\b/\b-\b\\\b|", 3, "work |\b|");
    gives("a percentage by backspaces", "  1%\b\b\b\b  2%\b\b\b\b100%", 2, "100%");
    gives("typing with a correction", "ls -k\b \bl", 0, "ls -k\bl");
    gives("apt", "\r0% [Working]\r            \rHit:1 http://deb", 1, "Hit:1 http://deb");
    gives("ninja", "\r[1/9] CC a.o" EL "\r[2/9] CC b.o" EL "\r[9/9] LINK" EL, 2, "[9/9] LINK" EL);
    gives("cargo", EL "    Building [=>   ] 1/9: a\r" EL "    Building [==>  ] 2/9: b\r" EL
          "   Compiling c v1", 2, "   Compiling c v1");
    gives("npm", "\x1b[1G" EL "\xe2\xa0\x8b\x1b[1G" EL "\xe2\xa0\x99\x1b[1G" EL "added 5 packages",
          2, "added 5 packages");
    gives("ora", "\x1b[2K\x1b[1G\x1b[36m\xe2\xa0\x8b\x1b[39m Load\x1b[2K\x1b[1G\x1b[36m\xe2\xa0\x99"
          "\x1b[39m Load\x1b[2K\x1b[1G\x1b[32m\xe2\x9c\x94\x1b[39m Done", 2,
          "\x1b[32m\xe2\x9c\x94\x1b[39m Done");
    gives("pip", "   \xe2\x94\x81\xe2\x94\x81 1/2 MB eta 1\r" EL2 "   \xe2\x94\x81\xe2\x94\x81 2/2 MB"
          "\x1b[?25h", 1, "   \xe2\x94\x81\xe2\x94\x81 2/2 MB\x1b[?25h");
    gives("curl", "\r  0  100    0\r 50  100   50\r100  100  100", 2, "100  100  100");
    gives("pytest", "t.py::a \x1b[32mPASSED\x1b[0m [50%]", 0, "t.py::a \x1b[32mPASSED\x1b[0m [50%]");
    gives("gcc", "\x1b[01m" EL "x.c:1:\x1b[m" EL " oops", 0, "\x1b[01m" EL "x.c:1:\x1b[m" EL " oops");
    gives("docker pull", "\x1b[2A" EL2 "\ra: [>  ]\r\x1b[2B\x1b[1A" EL2 "\rb: [>  ]\r\x1b[1B"
          "\x1b[2A" EL2 "\ra: [=> ]\r\x1b[2B\x1b[2A" EL2 "\ra: [==>]\r\x1b[2B", 2,
          "\x1b[1A" EL2 "\rb: [>  ]\r\x1b[1B\x1b[2A" EL2 "\ra: [==>]\r\x1b[2B");
    gives("apt's line at the foot of the screen", "\x1b" "7\x1b[24;0f[10%]\x1b" "8\x1b" "7\x1b[24;0f"
          "[20%]\x1b" "8Setting up", 1, "\x1b" "7\x1b[24;0f[20%]\x1b" "8Setting up");
}

/* ---- bounds ---------------------------------------------------------------------------- */

static void test_bounds(void)
{
    static struct result a, b;
    static char text[3 * MAX_LINE];
    struct frames f;
    size_t most = 0;

    frames_init(&f, 64);
    for (int i = 0; i < 100000; i++) {
        int n = snprintf(text, sizeof(text), "\r%5d of 99999 files done, ETA 12:00", i);

        if (frames_feed(&f, (struct clean_span){.ptr = text, .len = (size_t)n}) != (size_t)n)
            break;
        most = frames_kept(&f).len > most ? frames_kept(&f).len : most;
    }
    frames_finish(&f);
    is_bytes(frames_kept(&f).ptr, frames_kept(&f).len, "99999 of 99999 files done, ETA 12:00", 36,
             "a hundred thousand frames");
    is_int(frames_dropped(&f), 99999, "are counted");
    ok(most <= 2 * 64, "and never more than two kept");
    frames_release(&f);
    memset(text, 'x', 200);
    memcpy(text, "ab\r", 3);
    once(text, 200, 1, 64, &a);
    once(text, 200, 200, 64, &b);
    ok(same(&a, &b) && !a.followed && a.len == 197 && a.kept[0] == 'x',
       "a frame longer than a line may be ends it, in pieces of every size");
    for (size_t i = 0; i < 100; i++) /* each sticks out from under the next */
        for (size_t k = 0; k <= 100; k++)
            text[i * 101 + k] = k < 100 - i ? 'x' : '\r';
    once(text, 100 * 101, 1, MAX_LINE, &a);
    once(text, 100 * 101, 77, MAX_LINE, &b);
    ok(same(&a, &b) && !a.followed && a.dropped == 0, "too many frames that stay end it");
}

/* ---- any bytes ------------------------------------------------------------------------------- */

enum { ROWS = 64, COLS = 200, MIDDLE = ROWS / 2 };

struct screen {
    char cell[ROWS][COLS];
    int row, col, saved_row, saved_col;
    bool saved;
};

static void put_cell(struct screen *s, char c)
{
    if (s->row >= 0 && s->row < ROWS && s->col < COLS)
        s->cell[s->row][s->col] = c;
    s->col++;
}

static void blank(struct screen *s, int from)
{
    for (int col = from; s->row >= 0 && s->row < ROWS && col < COLS; col++)
        s->cell[s->row][col] = ' ';
}

static void run_sequence(struct screen *s, int a, int b, char final)
{
    int n = a > 0 ? a : 1;

    switch (final) {
    case 'A': s->row -= n; break;
    case 'B': s->row += n; break;
    case 'E': s->row += n; s->col = 0; break;
    case 'F': s->row -= n; s->col = 0; break;
    case 'C': s->col += n; break;
    case 'D': s->col = s->col > n ? s->col - n : 0; break;
    case 'G': s->col = n - 1; break;
    case 'H': s->row = n - 1; s->col = (b > 0 ? b : 1) - 1; break;
    case 'K': blank(s, a == 2 ? 0 : s->col); break;
    default: break;
    }
}

/* Runs what the alphabet below can say. */
static void run_screen(struct screen *s, const char *text, size_t len)
{
    memset(s, 0, sizeof(*s));
    memset(s->cell, ' ', sizeof(s->cell));
    s->row = MIDDLE;
    for (size_t i = 0; i < len; i++) {
        int a = 0;
        int b = 0;

        if (text[i] == '\r') {
            s->col = 0;
        } else if (text[i] == '\b') {
            s->col -= s->col > 0;
        } else if (text[i] == '\t') {
            s->col = (s->col / 8 + 1) * 8;
        } else if (text[i] != '\x1b') {
            put_cell(s, text[i]);
        } else if (text[++i] == '7') {
            s->saved = true;
            s->saved_row = s->row;
            s->saved_col = s->col;
        } else if (text[i] == '8') {
            if (s->saved) {
                s->row = s->saved_row;
                s->col = s->saved_col;
            }
            s->saved = false; /* a second time is one of the things that are not followed */
        } else {
            i += text[i + 1] == '?';
            for (i++; text[i] >= '0' && text[i] <= '9'; i++)
                a = a * 10 + text[i] - '0';
            for (i += text[i] == ';'; text[i] >= '0' && text[i] <= '9'; i++)
                b = b * 10 + text[i] - '0';
            run_sequence(s, a, b, text[i]);
        }
    }
}

static bool all_seen(const struct screen *before, const struct screen *after)
{
    for (int row = 0; row < ROWS; row++)
        for (int col = 0; col < COLS; col++)
            if (before->cell[row][col] != ' ' && before->cell[row][col] != after->cell[row][col])
                return false;
    return true;
}

/* Is `kept` what is left of `text` when bytes are left out, only before control bytes and at either
   end? at[i]: the bytes of kept so far may end with text[i]. */
static bool parted(const char *text, size_t len, const struct result *r)
{
    static bool at[8192];
    bool any = true;

    memset(at, 0, sizeof(at));
    for (size_t k = 0; k < r->len && any; k++) {
        bool jump = k == 0 || (unsigned char)r->kept[k] < ' ';
        bool before = k == 0; /* some end before text[i] */
        bool last = false;    /* one with text[i - 1] */

        any = false;
        for (size_t i = 0; i < len; i++) {
            bool was = at[i];

            at[i] = text[i] == r->kept[k] && (jump ? before : last);
            any |= at[i];
            before |= was;
            last = was;
        }
    }
    return any;
}

/* The same numbers in every run. */
static size_t random_below(size_t n)
{
    static uint64_t state = 7;

    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % n;
}

static size_t make_line(char *dst, const char *const *pieces, size_t n_pieces)
{
    size_t len = 0;

    for (size_t n = random_below(30) + 1; n > 0; n--) {
        const char *piece = pieces[random_below(n_pieces)];

        if (strcmp(piece, "#") == 0) /* a fresh letter, so that every cell says where it is from */
            for (size_t k = random_below(6) + 1; k > 0; k--)
                dst[len++] = (char)('a' + random_below(26));
        else
            len += (size_t)sprintf(dst + len, "%s", piece);
    }
    return len;
}

static const char *const row_pieces[] = {"#", "#", "#", "#", "\r", "\r", "\r", "\b", "\b", " ", "   ",
                                         EL, EL2, "\x1b[1G", "\x1b[4G", "\x1b[2D", "\x1b[3C", "\t",
                                         "\x1b[31m", "\x1b[0m", "\x1b[?25l"};
static const char *const all_pieces[] = {"#", "#", "#", "#", "\r", "\r", "\b", " ", "   ", EL, EL2,
                                         "\x1b[1G", "\x1b[5G", "\x1b[2D", "\x1b[2C", "\x1b[A",
                                         "\x1b[2A", "\x1b[B", "\x1b[2B", "\x1b[1F", "\x1b[E",
                                         "\x1b[A" EL2 "\rxy\r\x1b[B", "\x1b[A" EL2 "\rz\r\x1b[B",
                                         "\x1b" "7", "\x1b" "8", "\x1b[3;2H", "\x1b[31m", "\x1b[m"};

static void test_random(const char *name, const char *const *pieces, size_t n_pieces)
{
    enum { ROUNDS = 30000 };
    static struct result whole, split;
    static struct screen before, after;
    static char text[1024];
    int seen = 0;
    int kept_apart = 0;
    int invariant = 0;
    uint64_t dropped = 0;

    for (int round = 0; round < ROUNDS; round++) {
        size_t len = make_line(text, pieces, n_pieces);
        size_t max_line = round % 4 == 0 ? 64 : MAX_LINE;
        bool good;

        once(text, len, len + 1, max_line, &whole);
        once(text, len, random_below(5) + 1, max_line, &split);
        run_screen(&before, text, len);
        run_screen(&after, whole.kept, whole.len);
        good = all_seen(&before, &after);
        seen += good;
        invariant += same(&whole, &split);
        kept_apart += parted(text, len, &whole);
        dropped += whole.dropped;
        if (!good && seen + 3 > round) {
            show_bytes("line", text, len);
            show_bytes("kept", whole.kept, whole.len);
        }
    }
    ok(seen == ROUNDS, "%s: everything that can be seen stays (%d of %d)", name, seen, ROUNDS);
    ok(invariant == ROUNDS, "%s: the same in pieces (%d of %d)", name, invariant, ROUNDS);
    ok(kept_apart == ROUNDS, "%s: what was apart stays apart (%d of %d)", name, kept_apart, ROUNDS);
    ok(dropped > ROUNDS / 10, "%s: and frames are dropped (%d)", name, (int)dropped);
}

/* Any bytes at all: no more than that nothing goes wrong, and the same in pieces. */
static void test_garbage(void)
{
    static const char likely[] = "\x1b\x1b\x1b[[]\r\b\t0123;?KGAm78 ab\xc3\xa9\x9b\xe6\x97\a\\P\x0e";
    enum { ROUNDS = 20000 };
    static struct result whole, split;
    static char text[256];
    int good = 0;

    for (int round = 0; round < ROUNDS; round++) {
        size_t len = random_below(sizeof(text) - 1) + 1;

        for (size_t i = 0; i < len; i++)
            text[i] = random_below(20) == 0 ? (char)random_below(256)
                                            : likely[random_below(sizeof(likely))];
        once(text, len, len + 1, 64, &whole);
        once(text, len, random_below(7) + 1, 64, &split);
        good += same(&whole, &split) && parted(text, len, &whole);
    }
    is_int(good, ROUNDS, "any bytes: the same in pieces, and apart");
}

/* ---- a quick look ---------------------------------------------------------------------- */

static bool quick(const char *text, size_t len, size_t max_line, struct frames_ended *out)
{
    char *copy = malloc(len + 1);
    bool told;

    memcpy(copy, text, len);
    told = frames_end((struct clean_span){.ptr = copy, .len = len}, max_line, out);
    free(copy);
    return told;
}

static void tells(const char *name, const char *text, uint32_t dropped, const char *want)
{
    struct frames_ended e;
    bool told = quick(text, strlen(text), MAX_LINE, &e);

    ok(told && e.dropped == dropped && strcmp(text + e.left_out, want) == 0, "%s", name);
}

static const char *const colour_pieces[] = {"#", "#", " ", "\t", "\x1b[31m", "\x1b[m", "\x1b[1;38;5;9m",
                                            EL, "\x1b[0K", "\x1b[1m", "\x1b[C", "\x1b[", "\x1b",
                                            "\xc3\xa9", "\xe6", "\v", "\a", "\x1b[0;m"};
static const char *const bar_pieces[] = {"\rabcdefghijklmnop", "\r  50% [==  ]", "\r 100% [====]",
                                         "\rabcdefghijklmnopqrstuvwxyz0123456789", "\r10%", "\r",
                                         "#", " ", "  ", "\ra", "\r \xc3\xa9", "\b", "\x1b[m"};

/* Whatever it tells is what following the line gives, in pieces of any size. */
static void test_quick_random(const char *name, const char *const *pieces, size_t n_pieces)
{
    enum { ROUNDS = 60000 };
    static struct result r;
    static char text[1024];
    struct frames_ended e;
    int told = 0;
    int same_as = 0;

    for (int round = 0; round < ROUNDS; round++) {
        size_t max_line = round % 3 == 0 ? 32 : MAX_LINE;
        size_t len = make_line(text, pieces, round % 2 == 0 ? n_pieces : n_pieces / 2);

        if (!quick(text, len, max_line, &e))
            continue;
        told++;
        once(text, len, random_below(5) + 1, max_line, &r);
        same_as += r.len == len - e.left_out && r.dropped == e.dropped &&
                   memcmp(r.kept, text + e.left_out, r.len) == 0;
    }
    ok(told > ROUNDS / 40 && same_as == told, "%s: a quick look tells the same (%d of %d)", name,
       same_as, told);
}

static void test_quick(void)
{
    struct frames_ended e;

    tells("colours have no frames in them", "plain \x1b[1;31mred\x1b[0m", 0,
          "plain \x1b[1;31mred\x1b[0m");
    tells("nor has gcc", "\x1b[01m" EL "x.c:1:\x1b[m" EL, 0, "\x1b[01m" EL "x.c:1:\x1b[m" EL);
    tells("a bar is its last frame", "\r  0% [  ]\r 50% [= ]\r100% [==] done", 2,
          "100% [==] done");
    ok(!quick(EL "a", 4, 64, &e) && !quick("a\x1b[2K", 5, 64, &e) && !quick("a\x1b[D", 4, 64, &e) &&
       !quick("ab\rc", 4, 64, &e) && !quick("ab\r  ", 5, 64, &e) && !quick("a\rb\r", 4, 64, &e),
       "whatever else moves, erases or leaves something takes longer");
    test_quick_random("colours", colour_pieces, sizeof(colour_pieces) / sizeof(colour_pieces[0]));
    test_quick_random("bars", bar_pieces, sizeof(bar_pieces) / sizeof(bar_pieces[0]));
}

static void follow(struct frames *f, const char *line)
{
    (void)frames_feed(f, (struct clean_span){.ptr = line, .len = strlen(line)});
    frames_finish(f);
}

/* Whether the line before was followed, or a quick look did, is a matter of how it came. */
static void test_forgets(void)
{
    struct frames f;

    frames_init(&f, MAX_LINE);
    follow(&f, "\x1b[41mcoloured to the end");
    frames_clear(&f);
    follow(&f, " \bx");
    is_int(frames_dropped(&f), 0, "a space shows in the colours of its own line only");
    frames_release(&f);
}

int main(void)
{
    test_quick();
    test_forgets();
    test_rules();
    test_tools();
    test_bounds();
    test_random("one row", row_pieces, sizeof(row_pieces) / sizeof(row_pieces[0]));
    test_random("several rows", all_pieces, sizeof(all_pieces) / sizeof(all_pieces[0]));
    test_garbage();
    return done();
}
