// SPDX-License-Identifier: MIT
/* read/render: no spelling of a record, and nothing that is none, gets anything on a terminal
   that could act on it, and what is refused has put nothing out. */
#include "lib/tap.h"

#include <stdlib.h>

#include "base/buf.h"
#include "read/render.h"

static enum err_code put(void *arg, const char *text, size_t n)
{
    return buf_put(arg, text, n);
}

static const char *const records[] = {
    "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"src\":\"stderr\",\"buildId\":\"X\",\"msg\":\"a\\u001b[31m"
    "b\\u001b[2J\\u0000\\u202e\\ud83d\\ude00\xc2\x9b\",\"bad\":1,\"raw\":\"/w==\"}",
    "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"src\":\"stdout\",\"buildId\":\"X\",\"msg\":\"plain\"}",
    "{ \"ts\":2, \"msg\" : \"x\\ny\", \"src\" : \"stdout\",\"seq\":1, \"kind\":\"line\",\"partial\":true}",
    "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"src\":\"stdout\",\"buildId\":\"X\",\"len\":80}",
    "{\"kind\":\"gap\",\"ts\":1,\"seq\":9,\"buildId\":\"X\",\"from\":1,\"lines\":7,\"bytes\":3,"
    "\"reason\":\"\x1b[2J\"}",
    "{\"kind\":\"event\",\"ts\":1,\"seq\":1,\"buildId\":\"X\",\"level\":\"warn\",\"component\":\"run\","
    "\"event\":\"or\\u001bphan\",\"pid\":7,\"k\\u0007\":{\"a\":[1,\"\\u009b\"]}}",
    "{\"kind\":\"meta\",\"buildId\":\"X\",\"startedAt\":\"\\u001b]0;\",\"v\":1,\"attempt\":2}",
    "{\"kind\":\"meta\",\"buildId\":\"X\",\"endedAt\":\"\",\"status\":\"ok\"}",
    "{\"kind\":\"new\",\"seq\":1}",
};
enum { N_RECORDS = sizeof(records) / sizeof(records[0]) };

/* The same numbers in every run. */
static size_t random_below(size_t n)
{
    static uint64_t state = 3;

    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % n;
}

/* Only SGR may begin with ESC, nothing else below a space but TAB and LF, no C1, no bidi. */
static bool harmless(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++) {
        unsigned char c = (unsigned char)b->data[i];
        size_t end = i + 2;

        if (c == 0x1b) {
            while (end < b->len && strchr("0123456789;:", b->data[end]) != NULL)
                end++;
            if (i + 2 >= b->len || b->data[i + 1] != '[' || end >= b->len || b->data[end] != 'm')
                return false;
        } else if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f) {
            return false;
        }
    }
    return b->len == 0 ||
           (memmem(b->data, b->len, "\xc2\x9b", 2) == NULL &&
            memmem(b->data, b->len, "\xe2\x80\xae", 3) == NULL);
}

static enum err_code render(const char *text, size_t n, enum render_format format, struct buf *b)
{
    struct renderer r = {.sink = {put, b}, .format = format, .terminal = true, .colour = true};
    struct log_item item = {.text = {text, n}, .kind = RECORD_LINE, .from = 1, .seq = 1};
    struct record record;
    enum err_code rc;

    if (log_item_decode(&item, &record, NULL) == ERR_NONE) {
        item.kind = record.kind;
        record_release(&record);
    }
    rc = render_item(&r, &item, NULL);
    render_release(&r);
    return rc;
}

static void is_rendered(size_t which, enum render_format format, const char *want)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    ok(render(records[which], strlen(records[which]), format, &b) == ERR_NONE, "record %zu: sound",
       which);
    ok(buf_put(&b, "", 1) == ERR_NONE && strcmp(b.data, want) == 0, "record %zu in format %d",
       which, (int)format);
    buf_release(&b);
}

static void test_mutations(void)
{
    enum { ROUNDS = 60000 };
    static const char spice[] = "\x1b[2J\"\\{}:,u\x9b\xc2\n\x07";
    int good = 0;

    for (int round = 0; round < ROUNDS; round++) {
        const char *record = records[random_below(N_RECORDS)];
        size_t n = strlen(record);
        char *text = malloc(n);
        struct buf b;
        enum err_code rc;

        if (text == NULL)
            exit(99);
        memcpy(text, record, n);
        for (size_t i = random_below(4); i > 0; i--)
            text[random_below(n)] = spice[random_below(sizeof(spice) - 1)];
        n -= random_below(4) == 0 ? random_below(n) : 0;
        buf_init(&b, 1 << 16);
        rc = render(text, n, (enum render_format)(round % 3), &b);
        good += harmless(&b) && (rc == ERR_NONE || (rc == ERR_FORMAT && b.len == 0));
        buf_release(&b);
        free(text);
    }
    is_int(good, ROUNDS, "mutated records come out harmless, or not at all");
}

int main(void)
{
    is_rendered(0, RENDER_PRETTY,
                "\x1b[31m!\x1b[0m a\x1b[31mb^[[2J^@<U+202E>\xf0\x9f\x98\x80<U+009B>\x1b[0m\n");
    is_rendered(0, RENDER_RAW, "\xef\xbf\xbd\n");
    is_rendered(1, RENDER_PRETTY, "plain\n");
    is_rendered(1, RENDER_RAW, "plain\n");
    is_rendered(2, RENDER_RAW, "x\ny");
    is_rendered(3, RENDER_PRETTY, "(80 bytes)\n");
    is_rendered(3, RENDER_RAW, "");
    is_rendered(5, RENDER_PRETTY, "-- or^[phan pid=7 k^G={\"a\":[1,\"<U+009B>\"]}\n");
    is_rendered(6, RENDER_PRETTY, "-- attempt 2, ^[]0;\n");
    is_rendered(6, RENDER_RAW, "");
    is_rendered(7, RENDER_JSONL, "");
    test_mutations();
    return done();
}
