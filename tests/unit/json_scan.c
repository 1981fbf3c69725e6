// SPDX-License-Identifier: MIT
/* text/json_scan: what is one JSON object and what is not, members where they stand, and that it
   never says yes where record_decode says no. */
#include "lib/tap.h"

#include <stdlib.h>

#include "base/buf.h"
#include "record/record.h"
#include "text/json_scan.h"
#include "text/utf8.h"

static struct raw_span span(const char *text)
{
    return (struct raw_span){text, strlen(text)};
}

static void test_sound(void)
{
    static const char *const good[] = {
        "{}", " { } ", "{\"\":0}", "{\"a\":1,\"a\":2}", "{\"a\":-0.5e+10}", "{\"a\":1E5}",
        "{\"a\":true,\"b\":false,\"c\":null}", "{\"a\":[]}", "{\"a\":[[],{},[{}]]}",
        "{\"a\":{\"b\":{\"c\":[1,2,{\"d\":\"}]\"}]}}}", "{\"a\":\"\\u00e9\\ud83d\\ude00\\n\\/\"}",
        "{\"a\" : [ 1 , 2 ] , \"b\" : \"x\" }\t", "{\"a\":\"\xc3\xa9\"}", NULL};
    static const char *const bad[] = {
        "", " ", "[]", "1", "\"a\"", "{", "}", "{]", "{}}", "{}{}", "{} x", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}", "{'a':1}", "{\"a\":01}", "{\"a\":+1}",
        "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":0x1}", "{\"a\":tru}",
        "{\"a\":truex}", "{\"a\":NaN}", "{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":[1}", "{\"a\":{]}",
        "{\"a\":[}]}", "{\"a\":\"x}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\t\"}",
        "{\"a\":\"\\\"}", "{\"a\":1\"b\":2}", "{\"a\":{\"b\"}}", "{\"a\":{1:2}}", NULL};

    for (size_t i = 0; good[i] != NULL; i++)
        ok(json_scan_object(span(good[i]), NULL, NULL), "sound: case %zu", i);
    for (size_t i = 0; bad[i] != NULL; i++)
        ok(!json_scan_object(span(bad[i]), NULL, NULL), "not sound: case %zu", i);
}

/* {"a":[[[…]]]} */
static bool nested(size_t depth, char open, char close)
{
    char *text = malloc(5 * depth + 16);
    size_t at = 5;
    bool good;

    if (text == NULL)
        abort();
    memcpy(text, "{\"a\":", 5);
    for (size_t i = 0; i < depth; i++) {
        text[at++] = open;
        if (open == '{' && i + 1 < depth) {
            memcpy(text + at, "\"\":", 3);
            at += 3;
        }
    }
    for (size_t i = 0; i < depth; i++)
        text[at++] = close;
    text[at++] = '}';
    good = json_scan_object((struct raw_span){text, at}, NULL, NULL);
    free(text);
    return good;
}

static void test_depth(void)
{
    for (size_t depth = 1; depth <= 200; depth += 7)
        if (!nested(depth, '[', ']') || !nested(depth, '{', '}'))
            ok(false, "depth %zu", depth);
    ok(nested(JSON_DEPTH_MAX, '[', ']'), "as deep as is allowed");
    ok(nested(JSON_DEPTH_MAX, '{', '}'), "objects, too");
    ok(!nested(JSON_DEPTH_MAX + 1, '[', ']'), "not deeper");
    ok(!nested(100000, '[', ']'), "not by far");
}

static void list(void *arg, struct raw_span key, struct raw_span value)
{
    struct buf *b = arg;

    if (buf_printf(b, "%.*s=%.*s;", (int)key.len, key.ptr, (int)value.len, value.ptr) != ERR_NONE)
        abort();
}

static void test_members(void)
{
    struct buf b;
    int64_t n = 0;

    buf_init(&b, 4096);
    ok(json_scan_object(span("{\"a\":1, \"b\\\"c\" : \"x,}\" ,\"d\":{\"e\":[1,2]}, \"f\":[ ] }"), list,
                        &b),
       "members");
    if (buf_put(&b, "", 1) != ERR_NONE)
        abort();
    is_str(b.data, "a=1;b\\\"c=\"x,}\";d={\"e\":[1,2]};f=[ ];", "as they are spelt");
    buf_release(&b);
    ok(json_integer(span("0"), &n) && n == 0, "0");
    ok(json_integer(span("-12"), &n) && n == -12, "-12");
    ok(json_integer(span("999999999999999"), &n) && n == INT64_C(999999999999999), "15 digits");
    ok(!json_integer(span("1000000000000000"), &n) && !json_integer(span("1.0"), &n) &&
           !json_integer(span(""), &n) && !json_integer(span("-"), &n) &&
           !json_integer(span("\"1\""), &n) && !json_integer(span("1e3"), &n),
       "no whole numbers");
    ok(json_is(span("abc"), "abc") && !json_is(span("ab"), "abc") && !json_is(span("abc"), "ab"),
       "json_is");
}

/* Every byte of a record replaced by every other: what is sound here is so for cJSON. */
static void test_against_decode(void)
{
    static const char record[] =
        "{\"kind\":\"line\",\"ts\":17,\"seq\":3,\"src\":\"stdout\",\"msg\":\"\\u00e9\\n\","
        "\"x\":[1.5e3,{\"y\":null}],\"z\":true}";
    char text[sizeof(record)];
    size_t len = sizeof(record) - 1;
    int wrong = 0;
    int sound = 0;

    for (size_t i = 0; i < len; i++)
        for (int c = 0; c < 256; c++) {
            struct record r;

            memcpy(text, record, sizeof(record));
            text[i] = (char)c;
            if (c == '\n' || !json_scan_object((struct raw_span){text, len}, NULL, NULL) ||
                !utf8_valid(text, len))
                continue;
            sound++;
            /* Another key or kind is no record, but JSON all the same. */
            if (record_decode(text, len, &r, NULL) == ERR_NONE)
                record_release(&r);
            else if (memcmp(text, "{\"kind\":\"line\",\"ts\":17,\"seq\":3,", 32) == 0)
                wrong++;
        }
    is_int(wrong, 0, "sound only what decodes");
    ok(sound > 1000, "and much is sound: %d", sound);
}

int main(void)
{
    test_sound();
    test_depth();
    test_members();
    test_against_decode();
    return done();
}
