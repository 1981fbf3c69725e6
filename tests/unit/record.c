// SPDX-License-Identifier: MIT
/* record/: what the encoders write, to the byte, and that it never outgrows its bounds. */
#include "lib/tap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "record/record.h"

#define ID "01ARZ3NDEKTSV4RRFFQ69G5FAV"

static struct clean_span span(const char *text)
{
    return (struct clean_span){.ptr = text, .len = text != NULL ? strlen(text) : 0};
}

/* ---- line ------------------------------------------------------------------------------- */

static char *line_of(const struct line_encoder *e, const char *msg, size_t n,
                     const struct line_fields *f)
{
    char *dst = malloc(line_encode_room(n) + 1);
    char *end;

    if (dst == NULL)
        abort();
    end = line_encode(e, dst, (struct clean_span){.ptr = msg, .len = n}, f);
    *end = '\0';
    return dst;
}

static void line_is(bool payload, const char *msg, size_t n, struct line_fields f, const char *want)
{
    struct line_encoder e;
    char *got;

    line_encoder_init(&e, "stdout", ID, payload);
    f.ts_ms = 1700000000000;
    f.seq = 1;
    got = line_of(&e, msg, n, &f);
    is_str(got, want, want);
    free(got);
}

#define LINE(rest)                                                                           \
    "{\"kind\":\"line\",\"ts\":1700000000000,\"seq\":1,\"src\":\"stdout\",\"buildId\":\"" ID \
    "\"" rest "}\n"

static void test_lines(void)
{
    struct line_fields none = {0};
    struct line_fields all = {.redacted = 2, .truncated = 1048576, .partial = true, .cont = true};
    struct line_fields frames = {.frames = UINT32_MAX};

    line_is(true, "", 0, none, LINE(",\"msg\":\"\""));
    line_is(true, "hello \"world\"\r", 14, none, LINE(",\"msg\":\"hello \\\"world\\\"\\r\""));
    line_is(true, "a\0b\x1b[1m", 7, none, LINE(",\"msg\":\"a\\u0000b\\u001b[1m\""));
    line_is(true, "ab\xff\xe2\x82", 5, none,
            LINE(",\"msg\":\"ab\xef\xbf\xbd\xef\xbf\xbd\",\"bad\":3,\"raw\":\"YWL/4oI=\""));
    line_is(true, "x", 1, all,
            LINE(",\"msg\":\"x\xe2\x80\xa6[TRUNCATED]\",\"redacted\":2,\"truncated\":1048576,"
                 "\"partial\":true,\"cont\":true"));
    line_is(
        true, "\x80", 1, all,
        LINE(",\"msg\":\"\xef\xbf\xbd\xe2\x80\xa6[TRUNCATED]\",\"redacted\":2,"
             "\"truncated\":1048576,\"partial\":true,\"cont\":true,\"bad\":1,\"raw\":\"gA==\""));
    line_is(true, "100%", 4, frames, LINE(",\"msg\":\"100%\",\"frames\":4294967295"));
    line_is(false, "100%", 4, frames, LINE(",\"len\":4,\"frames\":4294967295"));
    line_is(false, "secret\xff", 7, none, LINE(",\"len\":7"));
    line_is(false, "secret", 6, all,
            LINE(",\"redacted\":2,\"truncated\":1048576,\"partial\":true,\"cont\":true,\"len\":6"));
}

/* A buffer of exactly line_encode_room(n) bytes: the sanitizers and valgrind see a byte more. */
static void test_line_room(void)
{
    static const unsigned char worst[] = {0x00, 0x01, 0x80, 0xff, 0xe2, 0x7f, 0xf0};
    struct line_fields f = {.ts_ms = INT64_MAX,
                            .seq = UINT64_MAX,
                            .redacted = UINT32_MAX,
                            .truncated = UINT64_MAX,
                            .partial = true,
                            .cont = true,
                            .frames = UINT32_MAX};
    struct line_encoder e;
    bool good = true;

    line_encoder_init(&e, "sixteen-letters!", ID, true);
    for (size_t n = 0; n < 300; n++)
        for (size_t k = 0; k < sizeof(worst); k++) {
            char *msg = malloc(n + 1);
            char *dst = malloc(line_encode_room(n));

            if (msg == NULL || dst == NULL)
                abort();
            memset(msg, worst[k], n);
            if (n > 0)
                msg[n / 2] = (char)0xff;
            size_t len =
                (size_t)(line_encode(&e, dst, (struct clean_span){.ptr = msg, .len = n}, &f) - dst);
            good = good && len <= line_encode_room(n);
            free(msg);
            free(dst);
        }
    ok(good, "the worst lines fit their room");
}

/* ---- the other records ---------------------------------------------------------------------- */

static void buffer_is(struct buf *b, const char *want, const char *name)
{
    is_bytes(b->data, b->len, want, strlen(want), name);
    b->len = 0;
}

static void test_start(void)
{
    struct clean_span cmd[] = {span("make"), span("-j\"2\""), span("\xff")};
    struct record_label labels[] = {{"branch", span("main")}, {"a\"b", span("")}};
    struct record_start r = {.build_id = ID,
                             .user_id = span("ann"),
                             .project_id = span("demo"),
                             .started_ms = 1700000000123,
                             .version = "0.1.0",
                             .attempt = 2,
                             .req_id = span("r-1"),
                             .trace_id = "0123456789abcdef0123456789abcdef",
                             .span_id = "0123456789abcdef",
                             .parent_id = ID,
                             .name = span("nightly"),
                             .cmd = cmd,
                             .cmd_len = 3,
                             .cwd = span("/src"),
                             .host = span("h"),
                             .pid = 42,
                             .tty = false,
                             .order = "arrival",
                             .redact = true,
                             .forward = "redacted",
                             .lock = true,
                             .labels = labels,
                             .n_labels = 2};
    struct record_start least = {.build_id = ID, .attempt = 1, .cmd = cmd, .pid = 1, .tty = true};
    struct buf b;

    buf_init(&b, 1 << 20);
    ok(record_put_start(&b, &r) == ERR_NONE, "start");
    buffer_is(
        &b,
        "{\"kind\":\"meta\",\"buildId\":\"" ID "\",\"userId\":\"ann\",\"projectId\":\"demo\","
        "\"startedAt\":\"2023-11-14T22:13:20.123Z\",\"version\":\"0.1.0\",\"v\":1,\"attempt\":2,"
        "\"reqId\":\"r-1\",\"traceId\":\"0123456789abcdef0123456789abcdef\","
        "\"spanId\":\"0123456789abcdef\",\"parentId\":\"" ID "\",\"name\":\"nightly\","
        "\"cmd\":[\"make\",\"-j\\\"2\\\"\",\"\xef\xbf\xbd\"],\"cwd\":\"/src\",\"host\":\"h\","
        "\"pid\":42,\"tty\":false,\"order\":\"arrival\",\"redact\":\"on\",\"forward\":\"redacted\","
        "\"lock\":true,\"labels\":{\"branch\":\"main\",\"a\\\"b\":\"\"}}\n",
        "a start record with everything");
    ok(record_put_start(&b, &least) == ERR_NONE, "start");
    buffer_is(&b,
              "{\"kind\":\"meta\",\"buildId\":\"" ID
              "\",\"startedAt\":\"1970-01-01T00:00:00.000Z\","
              "\"v\":1,\"cmd\":[],\"pid\":1,\"tty\":true,\"redact\":\"off\",\"lock\":false}\n",
              "a start record with nothing that can be left out");
    buf_release(&b);
}

static void test_event(void)
{
    struct record_field fields[] = {{.key = "pid", .type = FIELD_NUMBER, .number = -7},
                                    {.key = "command", .type = FIELD_TEXT, .text = span("a\tb")},
                                    {.key = "left out", .type = FIELD_TEXT, .text = span(NULL)},
                                    {.key = "core", .type = FIELD_BOOL, .number = 1},
                                    {.key = "least", .type = FIELD_NUMBER, .number = INT64_MIN}};
    struct record_event r = {.ts_ms = 5,
                             .seq = 9,
                             .build_id = ID,
                             .level = "warn",
                             .component = "run",
                             .event = "orphan",
                             .fields = fields,
                             .n_fields = 5};
    struct buf b;

    buf_init(&b, 1 << 20);
    ok(record_put_event(&b, &r) == ERR_NONE, "event");
    buffer_is(&b,
              "{\"kind\":\"event\",\"ts\":5,\"seq\":9,\"buildId\":\"" ID "\",\"level\":\"warn\","
              "\"component\":\"run\",\"event\":\"orphan\",\"pid\":-7,\"command\":\"a\\tb\","
              "\"core\":true,\"least\":-9223372036854775808}\n",
              "an event record");
    buf_release(&b);
}

static void test_nested(void)
{
    const struct record_field words[] = {{.type = FIELD_TEXT, .text = span("a\"")},
                                         {.type = FIELD_NUMBER, .number = 3}};
    const struct record_field members[] = {
        {.key = "n", .type = FIELD_NUMBER, .number = 1},
        {.key = "words", .type = FIELD_LIST, .items = words, .n_items = 2},
        {.key = "none", .type = FIELD_LIST}};
    const struct record_field objects[] = {
        {.type = FIELD_OBJECT, .items = members, .n_items = 3}, {.type = FIELD_OBJECT}};
    const struct record_field fields[] = {
        {.key = "list", .type = FIELD_LIST, .items = objects, .n_items = 2},
        {.key = "last", .type = FIELD_BOOL}};
    struct record_event r = {.ts_ms = 5, .seq = 9, .build_id = ID, .level = "warn",
                             .component = "run", .event = "stall", .fields = fields, .n_fields = 2};
    struct buf b;

    buf_init(&b, 1 << 20);
    ok(record_put_event(&b, &r) == ERR_NONE, "nested fields");
    buffer_is(&b,
              "{\"kind\":\"event\",\"ts\":5,\"seq\":9,\"buildId\":\"" ID "\",\"level\":\"warn\","
              "\"component\":\"run\",\"event\":\"stall\",\"list\":[{\"n\":1,"
              "\"words\":[\"a\\\"\",3],\"none\":[]},{}],\"last\":false}\n",
              "lists and objects in an event");
    buf_release(&b);
}

static void test_gap(void)
{
    struct record_gap r = {.ts_ms = 5,
                           .seq = 9,
                           .build_id = ID,
                           .from = 3,
                           .lines = 6,
                           .bytes = 99,
                           .reason = "log_unwritable"};
    struct buf b;

    buf_init(&b, RECORD_GAP_MAX);
    ok(record_put_gap(&b, &r) == ERR_NONE, "gap");
    buffer_is(&b,
              "{\"kind\":\"gap\",\"ts\":5,\"seq\":9,\"buildId\":\"" ID "\",\"from\":3,\"lines\":6,"
              "\"bytes\":99,\"reason\":\"log_unwritable\"}\n",
              "a gap record");
    r = (struct record_gap){.ts_ms = INT64_MIN,
                            .seq = UINT64_MAX,
                            .build_id = ID,
                            .from = UINT64_MAX,
                            .lines = UINT64_MAX,
                            .bytes = UINT64_MAX,
                            .reason = "a reason of forty letters and no escapes"};
    ok(record_put_gap(&b, &r) == ERR_NONE, "the largest numbers fit a buffer of RECORD_GAP_MAX");
    b.len = 0;
    char absurd[RECORD_GAP_MAX];
    memset(absurd, 'x', sizeof(absurd) - 1);
    absurd[sizeof(absurd) - 1] = '\0';
    r.reason = absurd;
    buf_release(&b);
    buf_init(&b, 1 << 20);
    ok(record_put_gap(&b, &r) == ERR_MEMORY && b.len == 0,
       "a reason that breaks the bound is refused");
    buf_release(&b);
}

static void test_end(void)
{
    struct record_count counts[] = {{"aws", 3}, {"never", 0}, {"pem", 1}};
    struct record_end r = {.build_id = ID,
                           .ended_ms = 1700000000123,
                           .status = BUILD_INTERRUPTED,
                           .exit_code = -1,
                           .signal = SIGTERM,
                           .duration_ms = 1234,
                           .lines = 10,
                           .bytes = 800,
                           .last_seq = 11,
                           .complete = true,
                           .redactions = counts,
                           .n_redactions = 3,
                           .max_rss_kb = 4096,
                           .user_ms = 7,
                           .sys_ms = 8,
                           .hash_high = 0xabc,
                           .hash_low = UINT64_MAX,
                           .shutdown = true};
    struct record_end least = {
        .build_id = ID, .status = BUILD_OK, .redactions = counts + 1, .n_redactions = 1};
    struct buf b;

    buf_init(&b, RECORD_END_MAX);
    ok(record_put_end(&b, &r) == ERR_NONE, "end");
    buffer_is(&b,
              "{\"kind\":\"meta\",\"buildId\":\"" ID "\",\"endedAt\":\"2023-11-14T22:13:20.123Z\","
              "\"status\":\"interrupted\",\"signal\":\"SIGTERM\",\"durationMs\":1234,\"lines\":10,"
              "\"bytes\":800,\"lastSeq\":11,\"complete\":true,\"redactions\":{\"aws\":3,\"pem\":1},"
              "\"maxRssKb\":4096,\"userMs\":7,\"sysMs\":8,"
              "\"hash\":\"xxh3:0000000000000abcffffffffffffffff\",\"shutdown\":true}\n",
              "an end record after a signal");
    ok(record_put_end(&b, &least) == ERR_NONE, "end");
    buffer_is(&b,
              "{\"kind\":\"meta\",\"buildId\":\"" ID "\",\"endedAt\":\"1970-01-01T00:00:00.000Z\","
              "\"status\":\"ok\",\"exitCode\":0,\"durationMs\":0,\"lines\":0,\"bytes\":0,"
              "\"lastSeq\":0,\"complete\":false,\"maxRssKb\":0,\"userMs\":0,\"sysMs\":0,"
              "\"hash\":\"xxh3:00000000000000000000000000000000\"}\n",
              "an end record with nothing to tell");
    buf_release(&b);
}

/* More rules than fit: nothing is lost from the sum, and the bound holds. */
static void end_of_many_rules(size_t n_rules, size_t name_len)
{
    struct record_count *counts = calloc(n_rules, sizeof(*counts));
    char *name = malloc(name_len + 1);
    struct record_end r = {.build_id = ID,
                           .ended_ms = INT64_C(253402300799999),
                           .status = BUILD_EXEC_FAILED,
                           .exit_code = INT32_MAX,
                           .signal = SIGVTALRM,
                           .duration_ms = INT64_MIN,
                           .lines = UINT64_MAX,
                           .bytes = UINT64_MAX,
                           .last_seq = UINT64_MAX,
                           .redactions = counts,
                           .n_redactions = n_rules,
                           .max_rss_kb = INT64_MIN,
                           .user_ms = INT64_MIN,
                           .sys_ms = INT64_MIN,
                           .hash_low = UINT64_MAX,
                           .hash_high = UINT64_MAX,
                           .shutdown = true};
    struct buf b;
    double sum = 0;

    if (counts == NULL || name == NULL)
        abort();
    memset(name, name_len % 2 == 0 ? 'r' : '\x01', name_len);
    name[name_len] = '\0';
    for (size_t i = 0; i < n_rules; i++)
        counts[i] = (struct record_count){name, 1000 + i};
    buf_init(&b, RECORD_END_MAX);
    bool good = record_put_end(&b, &r) == ERR_NONE;
    cJSON *json = good ? cJSON_ParseWithLength(b.data, b.len) : NULL;
    for (cJSON *at = cJSON_GetObjectItemCaseSensitive(json, "redactions")->child; at != NULL;
         at = at->next)
        sum += at->valuedouble;
    double want = (double)n_rules * 1000 + (double)n_rules * (double)(n_rules - 1) / 2;
    ok(good && sum == want, "%zu rules with names of %zu bytes in RECORD_END_MAX", n_rules,
       name_len);
    cJSON_Delete(json);
    buf_release(&b);
    free(counts);
    free(name);
}

static void test_end_bound(void)
{
    static const size_t n_rules[] = {1, 10, 50, 100, 600, 5000};
    static const size_t lens[] = {1, 2, 20, 21, 300, 301, 5000, 5001};

    for (size_t i = 0; i < sizeof(n_rules) / sizeof(n_rules[0]); i++)
        for (size_t k = 0; k < sizeof(lens) / sizeof(lens[0]); k++)
            end_of_many_rules(n_rules[i], lens[k]);
}

/* For every ceiling: the whole record or nothing, and what was there stays. */
static void test_all_or_nothing(void)
{
    struct clean_span cmd = span("a command with \x1b[31mcolours\x1b[0m");
    struct record_label label = {"k", span("v")};
    struct record_start r = {
        .build_id = ID, .cmd = &cmd, .cmd_len = 1, .labels = &label, .n_labels = 1};
    struct buf whole;
    bool good = true;
    size_t refused = 0;

    buf_init(&whole, 1 << 20);
    good = record_put_start(&whole, &r) == ERR_NONE;
    for (size_t max = 4; max <= whole.len + 5; max++) {
        struct buf b;

        buf_init(&b, max);
        if (buf_puts(&b, "xyz") != ERR_NONE)
            abort();
        if (record_put_start(&b, &r) == ERR_NONE) {
            good = good && max >= whole.len + 3 && b.len == whole.len + 3 &&
                   memcmp(b.data + 3, whole.data, whole.len) == 0;
        } else {
            refused++;
            good = good && max < whole.len + 3 && b.len == 3 && memcmp(b.data, "xyz", 3) == 0;
        }
        buf_release(&b);
    }
    ok(good && refused == whole.len - 1,
       "a record is written whole or not at all, at every ceiling");
    buf_release(&whole);
}

/* Long text goes through in pieces; the pieces must not show. */
static void test_pieces(void)
{
    char text[2000];
    bool good = true;

    for (size_t shift = 0; shift < 4; shift++) {
        struct buf b;
        size_t n = 0;
        struct clean_span cmd = {.ptr = text};
        struct record_start r = {.build_id = ID, .cmd = &cmd, .cmd_len = 1};

        for (; n < shift; n++)
            text[n] = 'a';
        for (; n + 4 <= sizeof(text); n += 4)
            memcpy(text + n, "\xf0\x9f\x98\x80", 4);
        cmd.len = n;
        buf_init(&b, 1 << 20);
        good =
            good && record_put_start(&b, &r) == ERR_NONE && memmem(b.data, b.len, text, n) != NULL;
        buf_release(&b);
    }
    ok(good, "characters across the pieces of a long text stay whole");
}

static void test_names(void)
{
    char name[SIGNAL_NAME_SIZE];

    is_str(signal_name(SIGTERM, name), "SIGTERM", "SIGTERM");
    is_str(signal_name(SIGKILL, name), "SIGKILL", "SIGKILL");
    is_str(signal_name(SIGSYS, name), "SIGSYS", "SIGSYS");
    is_str(signal_name(34, name), "SIG34", "a real-time signal");
    is_str(signal_name(64, name), "SIG64", "the last one");
    is_str(signal_name(0, name), "SIG0", "none");
    is_str(signal_name(INT32_MIN, name), "SIG-2147483648", "nonsense fits too");
    is_str(build_status_name(BUILD_EXEC_FAILED), "exec_failed", "exec_failed");
    is_str(build_status_name(BUILD_SIGNALED), "signaled", "signaled");
}

int main(void)
{
    test_lines();
    test_line_room();
    test_start();
    test_event();
    test_nested();
    test_gap();
    test_end();
    test_end_bound();
    test_all_or_nothing();
    test_pieces();
    test_names();
    return done();
}
