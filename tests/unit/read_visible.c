// SPDX-License-Identifier: MIT
/* read/visible: hostile text made harmless, JSON for a terminal, columns. */
#include "lib/tap.h"

#include "base/buf.h"
#include "read/visible.h"
#include "text/utf8.h"

static enum err_code put(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

static void shows(const char *in, size_t n, struct visible how, const char *want,
                  const char *name)
{
    struct buf b;
    struct sink sink = {put, &b};
    char title[64];

    snprintf(title, sizeof(title), "%.*s", (int)strcspn(name, "\n\x1b"), name);
    buf_init(&b, 1 << 20);
    ok(visible_put(&sink, (struct raw_span){in, n}, how) == ERR_NONE, "%s: no error", title);
    is_bytes(b.data, b.len, want, strlen(want), title);
    buf_release(&b);
}

#define STRIP ((struct visible){.colour = COLOUR_STRIP, .lf = true})
#define PASS ((struct visible){.colour = COLOUR_PASS, .lf = true})
#define NAMES ((struct visible){.colour = COLOUR_VISIBLE})
#define SHOWS(in, how, want) shows(in, sizeof(in) - 1, how, want, want)

static void test_text(void)
{
    SHOWS("plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 text\ttab\n", STRIP,
          "plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 text\ttab\n");
    SHOWS("a\rb\x07\x08\x7f\0z", STRIP, "a^Mb^G^H^?^@z");
    SHOWS("two\nlines", NAMES, "two^Jlines");
    SHOWS("x\xc2\x9b" "2Jy", STRIP, "x<U+009B>2Jy");
    SHOWS("\x9b" "2J", STRIP, "\xef\xbf\xbd" "2J");
    SHOWS("a\xe2\x80\xae" "b\xe2\x81\xa6" "c\xd8\x9c", STRIP, "a<U+202E>b<U+2066>c<U+061C>");
    SHOWS("bad \xe2\x82 utf \xff", STRIP, "bad \xef\xbf\xbd utf \xef\xbf\xbd");
    SHOWS("\xf3\xa0\x81\x81", STRIP, "<U+E0041>");
}

static void test_escapes(void)
{
    SHOWS("\x1b[31mred\x1b[0m", STRIP, "red");
    SHOWS("\x1b[31mred", PASS, "\x1b[31mred\x1b[0m");
    SHOWS("\x1b[38:2::1:2:3mx", PASS, "\x1b[38:2::1:2:3mx\x1b[0m");
    SHOWS("\x1b[mx", PASS, "\x1b[mx\x1b[0m");
    SHOWS("\x1b[31mred", NAMES, "^[[31mred");
    SHOWS("\x1b[2J\x1b[H", PASS, "^[[2J^[[H");
    SHOWS("\x1b[>4;2m", PASS, "^[[>4;2m");
    SHOWS("\x1b[?25l", PASS, "^[[?25l");
    SHOWS("\x1b]0;title\x07", PASS, "^[]0;title^G");
    SHOWS("\x1b]8;;http://x\x1b\\", PASS, "^[]8;;http://x^[\\");
    SHOWS("\x1bP1$q\x1b\\", PASS, "^[P1$q^[\\");
    SHOWS("\x1b", PASS, "^[");
    SHOWS("\x1b[", PASS, "^[[");
    SHOWS("\x1b[31", PASS, "^[[31");
    SHOWS("\x1b\x1b[0m[31m", STRIP, "^[[31m");
    SHOWS("\xc2\x1b[0m\x9b", STRIP, "\xef\xbf\xbd\xef\xbf\xbd");
}

#define LAST ((struct visible){.colour = COLOUR_PASS, .lf = true, .last_frame = true})
#define MOVES ((struct visible){.colour = COLOUR_PASS, .lf = true, .moves = true})

static void test_frames(void)
{
    SHOWS("10%\r50%\r100%", LAST, "^M100%");
    SHOWS("10%\r50%\r100%", STRIP, "10%^M50%^M100%");
    SHOWS("loading\rok", LAST, "loading^Mok");
    SHOWS("loading\rok\x1b[K", LAST, "^Mok");
    SHOWS("loading\r\x1b[Kok", LAST, "^Mok");
    SHOWS("99%\r100%\r", LAST, "^M100%^M");
    SHOWS("99%\r100%\r    ", LAST, "^M100%^M    ");
    SHOWS("abc\r", LAST, "abc^M");
    SHOWS("abc\b\b\rabcd", LAST, "abc^H^H^Mabcd");
    SHOWS("\x1b[31m1%\r\x1b[32m2%\x1b[0m", LAST, "^M\x1b[32m2%\x1b[0m\x1b[0m");
    SHOWS("a\tb\rabcdefghijkl", LAST, "a\tb^Mabcdefghijkl");
    SHOWS("\x1b[01m\x1b[Kx.c:\x1b[m\x1b[K oops", PASS, "\x1b[01mx.c:\x1b[m oops\x1b[0m");
    SHOWS("\x1b[01;31m\x1b[Kx\x1b[m\x1b[K\x1b[2K", STRIP, "x");
    SHOWS("\x1b[K", NAMES, "^[[K");
    SHOWS("\x1b[3X\x1b[?25l", PASS, "^[[3X^[[?25l");
    SHOWS("a\rb\b\x1b[2Kc\x1b[5Gd\x1b[A\x1b[2J\a", MOVES, "a\rb\b\x1b[2Kc\x1b[5Gd^[[A^[[2J^G");
}

/* Whatever comes in, what comes out cannot act on a terminal. */
static bool harmless(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (((unsigned char)b->data[i] < 0x20 && b->data[i] != '\t' && b->data[i] != '\n') ||
            b->data[i] == 0x7f)
            return false;
    return utf8_valid(b->data, b->len) && memmem(b->data, b->len, "\xc2\x9b", 2) == NULL &&
           memmem(b->data, b->len, "\xe2\x80\xae", 3) == NULL;
}

/* The same numbers in every run. */
static size_t random_below(size_t n)
{
    static uint64_t state = 1;

    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % n;
}

static void test_random(void)
{
    static const char *const pieces[] = {"\x1b", "[", "31", ";", "m", "\x9b", "\xc2", "\xe2\x80",
                                         "\xae", "]", "\x07", "a", "\n", "\xf0\x9f", "\0", "2J"};
    int good = 0;
    enum { ROUNDS = 20000 };

    for (int round = 0; round < ROUNDS; round++) {
        char in[64];
        size_t n = 0;
        struct buf b;
        struct sink sink = {put, &b};

        for (size_t i = random_below(12) + 1; i > 0; i--) {
            const char *piece = pieces[random_below(16)];

            memcpy(in + n, piece, strlen(piece) + (piece[0] == '\0'));
            n += strlen(piece) + (piece[0] == '\0');
        }
        buf_init(&b, 4096);
        if (visible_put(&sink, (struct raw_span){in, n}, STRIP) == ERR_NONE && harmless(&b))
            good++;
        buf_release(&b);
    }
    is_int(good, ROUNDS, "random hostile text comes out harmless");
}

static void test_json(void)
{
    static const char in[] = "{\"a\":\"x\xc2\x9b\xe2\x80\xae\x1b\x7f\xc3\xa9\xf3\xa0\x81\x81\xff\"}";
    struct buf b;
    struct sink sink = {put, &b};

    buf_init(&b, 4096);
    ok(visible_put_json(&sink, (struct raw_span){in, sizeof(in) - 1}) == ERR_NONE, "json");
    ok(buf_put(&b, "", 1) == ERR_NONE, "json ends");
    is_str(b.data, "{\"a\":\"x\\u009b\\u202e\\u001b\\u007f\xc3\xa9\\udb40\\udc41\\ufffd\"}",
           "json for a terminal spells what could act on it");
    buf_release(&b);
}

static void test_columns(void)
{
    is_int((int64_t)visible_columns("abc", 3), 3, "ASCII is one column a byte");
    is_int((int64_t)visible_columns("e\xcc\x81", 3), 1, "a combining mark takes none");
    is_int((int64_t)visible_columns("\xe6\x97\xa5\xe6\x9c\xac", 6), 4, "wide characters take two");
    is_int((int64_t)visible_fit("\xe6\x97\xa5\xe6\x9c\xac", 6, 3), 3, "half a character never fits");
    is_int((int64_t)visible_fit("abc", 3, 2), 2, "fit cuts");
}

int main(void)
{
    test_text();
    test_escapes();
    test_frames();
    test_random();
    test_json();
    test_columns();
    return done();
}
