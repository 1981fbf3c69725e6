// SPDX-License-Identifier: MIT
/* record/: decoding gives back what was encoded, and hostile bytes are refused or harmless. */
#include "lib/tap.h"

#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "record/record.h"
#include "text/utf8.h"

#define ID "01ARZ3NDEKTSV4RRFFQ69G5FAV"

static uint64_t random_state = 0x853c49e6748fea9b;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

/* A copy of exactly n bytes on the heap: a sanitizer sees the first byte read beyond it. */
static char *exact_copy(const char *data, size_t n)
{
    char *copy = malloc(n > 0 ? n : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, data, n);
    return copy;
}

static enum err_code decode_exact(const char *data, size_t n, struct record *r, struct err *e)
{
    char *copy = exact_copy(data, n);
    enum err_code rc = record_decode(copy, n, r, e);

    free(copy);
    return rc;
}

/* Looks at every accessor, so that what they touch is touched. */
static bool consistent(const char *line, size_t n)
{
    char *copy = exact_copy(line, n);
    char *msg = exact_copy(line, n);
    enum record_kind kind = RECORD_FOREIGN;
    struct raw_span src = {0};
    struct record r;
    uint64_t from = 0, seq = 0;
    size_t msg_len = 0;
    bool peeked = record_peek(copy, n, &kind, &from, &seq);
    bool has_msg = record_line_msg(copy, n, msg, &msg_len, &src);
    bool good = !has_msg || (msg_len <= n && src.ptr >= copy && src.ptr + src.len < copy + n &&
                             utf8_valid(msg, msg_len));

    if (record_decode(copy, n, &r, NULL) == ERR_NONE) {
        if (peeked)
            good = good && kind == r.kind && from == r.from && seq == r.seq;
        if (has_msg)
            good = good && r.kind == RECORD_LINE &&
                   strlen(record_text(&r, "msg", "")) == strnlen(msg, msg_len) &&
                   memcmp(record_text(&r, "msg", ""), msg, strnlen(msg, msg_len)) == 0;
        good = good && r.from <= r.seq && r.ts_ms >= 0 &&
               record_number(&r, "attempt", 1) >= -(INT64_C(1) << 53);
        record_release(&r);
    }
    free(copy);
    free(msg);
    return good;
}

/* ---- sound records ------------------------------------------------------------------------- */

static struct clean_span span(const char *text)
{
    return (struct clean_span){.ptr = text, .len = strlen(text)};
}

enum { N_SAMPLES = 8 };

/* One of each shape, without its newline. */
static size_t sample(int which, char *dst, size_t size)
{
    struct clean_span cmd[] = {span("make"), span("caf\xc3\xa9\xff\n\xf0\x9f\x98\x80")};
    struct record_label labels[] = {{"branch", span("main")}};
    struct record_count counts[] = {{"pem", 1}};
    struct record_field fields[] = {{.key = "pid", .type = FIELD_NUMBER, .number = 7}};
    struct line_fields f = {.ts_ms = 1700000000000,
                            .seq = 77,
                            .truncated = which == 1 ? 9 : 0,
                            .redacted = which == 1 ? 2 : 0};
    struct line_encoder e;
    struct buf b;
    enum err_code rc = ERR_NONE;
    size_t n;

    buf_init(&b, size);
    line_encoder_init(&e, "stderr", ID, which != 2);
    switch (which) {
    case 0:
    case 1:
    case 2:
        if (buf_reserve(&b, line_encode_room(20)) != ERR_NONE)
            abort();
        b.len = (size_t)(line_encode(&e, b.data,
                                     (struct clean_span){.ptr = "a\x1b[1m\"\\\t\xe2\x82\xac\xff\0z",
                                                         .len = 13},
                                     &f) -
                         b.data);
        break;
    case 3:
        rc = record_put_event(&b, &(struct record_event){.ts_ms = 5,
                                                         .seq = 9,
                                                         .build_id = ID,
                                                         .level = "warn",
                                                         .component = "run",
                                                         .event = "orphan",
                                                         .fields = fields,
                                                         .n_fields = 1});
        break;
    case 4:
        rc = record_put_gap(&b, &(struct record_gap){.ts_ms = 5,
                                                     .seq = 9,
                                                     .build_id = ID,
                                                     .from = 3,
                                                     .lines = 6,
                                                     .bytes = 99,
                                                     .reason = "log_unwritable"});
        break;
    case 5:
    case 6:
        rc = record_put_start(
            &b,
            &(struct record_start){.build_id = ID,
                                   .cmd = cmd,
                                   .cmd_len = 2,
                                   .labels = labels,
                                   .n_labels = 1,
                                   .attempt = 3,
                                   .pid = 42,
                                   .lock = true,
                                   .started_ms = 1700000000000,
                                   .user_id = which == 5 ? span("ann") : (struct clean_span){0},
                                   .project_id = which == 5 ? span("p") : (struct clean_span){0}});
        break;
    default:
        rc = record_put_end(&b, &(struct record_end){.build_id = ID,
                                                     .status = BUILD_FAILED,
                                                     .exit_code = 2,
                                                     .redactions = counts,
                                                     .n_redactions = 1,
                                                     .complete = true,
                                                     .last_seq = 77});
    }
    if (rc != ERR_NONE || b.len < 2 || b.data[b.len - 1] != '\n')
        abort();
    n = b.len - 1;
    memcpy(dst, b.data, n);
    buf_release(&b);
    return n;
}

static void test_samples(void)
{
    static const enum record_kind kinds[N_SAMPLES] = {RECORD_LINE,  RECORD_LINE, RECORD_LINE,
                                                      RECORD_EVENT, RECORD_GAP,  RECORD_START,
                                                      RECORD_START, RECORD_END};
    char line[4096];

    for (int i = 0; i < N_SAMPLES; i++) {
        size_t n = sample(i, line, sizeof(line));
        enum record_kind kind = RECORD_FOREIGN;
        uint64_t from, seq;
        struct record r;
        struct err e;

        if (!ok(decode_exact(line, n, &r, &e) == ERR_NONE, "sample %d decodes", i))
            continue;
        is_int(r.kind, kinds[i], "its kind");
        ok(record_peek(line, n, &kind, &from, &seq) && kind == r.kind && from == r.from &&
               seq == r.seq,
           "and the peek agrees");
        ok(!record_peek(line, n - 2, &kind, &from, &seq),
           "but not to a torn one"); /* }} may end it */
        is_str(record_text(&r, "buildId", "?"), ID, "its id");
        ok(consistent(line, n), "the readers agree");
        record_release(&r);
    }
}

static void test_members(void)
{
    char line[4096];
    struct record r;
    size_t n = sample(7, line, sizeof(line));

    if (!ok(record_decode(line, n, &r, NULL) == ERR_NONE, "an end record"))
        return;
    is_int(record_number(&r, "exitCode", -1), 2, "a number");
    is_int(record_number(&r, "status", -1), -1, "not a number");
    is_int(record_number(&r, "absent", 5), 5, "no such number");
    is_str(record_text(&r, "status", "?"), "failed", "a text");
    is_str(record_text(&r, "exitCode", "?"), "?", "not a text");
    is_str(record_text(&r, "STATUS", "?"), "?", "keys are exact");
    ok(record_bool(&r, "complete", false) && record_bool(&r, "absent", true) &&
           !record_bool(&r, "status", false),
       "bools");
    record_release(&r);
    n = sample(4, line, sizeof(line));
    ok(record_decode(line, n, &r, NULL) == ERR_NONE && r.from == 3 && r.seq == 9 && r.ts_ms == 5,
       "a gap's numbers");
    record_release(&r);
}

/* ---- decode of encode is the repaired input ------------------------------------------------- */

/* Repairs by utf8_sequence, which tests/unit/text.c holds against Python and the WHATWG. */
static size_t repair(char *dst, const char *src, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n;) {
        bool valid;
        size_t k = utf8_sequence(src + i, n - i, &valid);

        memcpy(dst + len, valid ? src + i : "\xef\xbf\xbd", valid ? k : 3);
        len += valid ? k : 3;
        i += k;
    }
    return len;
}

static size_t random_msg(char *dst, size_t max)
{
    static const char *const pieces[] = {"a",
                                         "b c",
                                         "\"",
                                         "\\",
                                         "\x1b[31m",
                                         "\r",
                                         "\t",
                                         "\x7f",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "\xff",
                                         "\xe2\x82",
                                         "\xed\xa0\x80",
                                         "\\u0000",
                                         "\x01",
                                         "{}",
                                         ","};
    size_t want = random_next() % max;
    size_t n = 0;

    while (n + 8 < want) {
        const char *piece = pieces[random_next() % (sizeof(pieces) / sizeof(pieces[0]))];

        if (random_next() % 16 == 0)
            dst[n++] = '\0';
        memcpy(dst + n, piece, strlen(piece));
        n += strlen(piece);
    }
    return n;
}

static bool round_trip(const struct line_encoder *e, const char *msg, size_t n, uint64_t seq)
{
    char *dst = malloc(line_encode_room(n));
    char *want = malloc(3 * n + 1);
    char *got = malloc(line_encode_room(n));
    struct line_fields f = {.ts_ms = 1700000000000, .seq = seq};
    struct clean_span text = {.ptr = msg, .len = n};
    size_t want_len, got_len = 0, len;
    struct raw_span src;
    struct record r;
    bool good;

    if (dst == NULL || want == NULL || got == NULL)
        abort();
    len = (size_t)(line_encode(e, dst, text, &f) - dst) - 1;
    want_len = repair(want, msg, n);
    good = record_line_msg(dst, len, got, &got_len, &src) && got_len == want_len &&
           memcmp(got, want, want_len) == 0 && src.len == 6 && memcmp(src.ptr, "merged", 6) == 0;
    good = good && record_decode(dst, len, &r, NULL) == ERR_NONE;
    if (good) {
        want[want_len] = '\0'; /* what cJSON shows ends at the first NUL */
        good = r.seq == seq && strcmp(record_text(&r, "msg", "?"), want) == 0;
        good = good && (record_text(&r, "raw", NULL) == NULL) == utf8_valid(msg, n);
        record_release(&r);
    }
    free(dst);
    free(want);
    free(got);
    return good;
}

static void test_round_trip(void)
{
    struct line_encoder e;
    char msg[600];
    bool good = true;

    line_encoder_init(&e, "merged", ID, true);
    for (int i = 0; i < 50000; i++) {
        size_t n = random_msg(msg, sizeof(msg) - 8);
        char *exact = exact_copy(msg, n);

        good = good && round_trip(&e, exact, n, random_next() % (UINT64_C(1) << (1 + i % 49)) + 1);
        free(exact);
    }
    ok(good, "50,000 random lines: decoding gives the repaired input");
}

/* ---- what is refused --------------------------------------------------------------------------
 */

static void refused(const char *line, const char *why)
{
    struct record r;
    struct err e;
    char text[256];

    if (!ok(decode_exact(line, strlen(line), &r, &e) == ERR_FORMAT, "refused: %s", line))
        return;
    err_format(&e, text, sizeof(text));
    is_str(text, why, why);
    record_release(&r);
}

static void test_refused(void)
{
    static const char not_json[] = "invalid record: it is not a JSON object";
    static const char absurd[] = "invalid record: its numbers are missing or absurd";

    refused("", "invalid record: it is empty");
    refused("{", not_json);
    refused("[]", not_json);
    refused("1", not_json);
    refused("null", not_json);
    refused("{\"kind\":\"line\"", not_json);
    refused("{\"kind\":\"x\"} y", not_json);
    refused("{\"kind\":\"x\"}{}", not_json);
    refused("{\"kind\":\"\\ud800\"}", not_json);
    refused("{\"kind\":\"a\x01\"}", "invalid record: it holds control bytes");
    refused("{\"kind\":\n\"x\"}", "invalid record: it holds control bytes");
    refused("{\"kind\":\"\xff\"}", "invalid record: it is not UTF-8");
    refused("{}", "invalid record: it has no kind");
    refused("{\"kind\":1}", "invalid record: it has no kind");
    refused("{\"Kind\":\"line\"}", "invalid record: it has no kind");
    refused("{\"kind\":\"line\",\"seq\":1}", absurd);
    refused("{\"kind\":\"line\",\"ts\":1}", absurd);
    static const char *const numbers[] = {"0",
                                          "-1",
                                          "1.5",
                                          "1e300",
                                          "1e999",
                                          "-1e999",
                                          "9007199254740992",
                                          "18446744073709551616",
                                          "\"1\"",
                                          "null",
                                          "[1]",
                                          "true",
                                          NULL};
    for (size_t i = 0; numbers[i] != NULL; i++) {
        char line[128];

        snprintf(line, sizeof(line), "{\"kind\":\"event\",\"ts\":1,\"seq\":%s}", numbers[i]);
        refused(line, absurd);
    }
    refused("{\"kind\":\"line\",\"ts\":-1,\"seq\":1}", absurd);
    refused("{\"kind\":\"gap\",\"ts\":1,\"seq\":1}", absurd);
    refused("{\"kind\":\"gap\",\"ts\":1,\"seq\":1,\"from\":2}", absurd);
    refused("{\"kind\":\"gap\",\"ts\":1,\"seq\":1,\"from\":0}", absurd);
    struct record r;
    ok(decode_exact("{\"kind\":\"x\0y\"}", 14, &r, NULL) == ERR_FORMAT, "refused: a NUL");
}

static void accepted(const char *line, enum record_kind kind, uint64_t seq)
{
    struct record r;

    if (!ok(decode_exact(line, strlen(line), &r, NULL) == ERR_NONE && r.kind == kind &&
                r.seq == seq,
            "accepted: %s", line))
        return;
    record_release(&r);
    ok(consistent(line, strlen(line)), "and the readers agree");
}

static void test_accepted(void)
{
    accepted("{\"kind\":\"future\"}", RECORD_FOREIGN, 0);
    accepted("{\"kind\":\"future\",\"ts\":1,\"seq\":5}", RECORD_FOREIGN, 5);
    accepted("{\"kind\":\"meta\"}", RECORD_FOREIGN, 0);
    accepted("{\"kind\":\"meta\",\"startedAt\":1}", RECORD_FOREIGN, 0);
    accepted("{\"kind\":\"meta\",\"buildId\":\"x\",\"userId\":\"u\",\"endedAt\":\"t\"}", RECORD_END,
             0);
    accepted("{\"kind\":\"meta\",\"buildId\":\"x\",\"startedAt\":\"t\",\"endedAt\":\"t\"}",
             RECORD_START, 0);
    accepted("{\"kind\":\"meta\",\"buildId\":\"x\",\"endedAt\":\"t\",\"startedAt\":\"t\"}",
             RECORD_END, 0);
    accepted(" {\t\"seq\": 7 , \"ts\":0,\"new\":{\"a\":[1]}, \"kind\" :\"line\" }\r", RECORD_LINE,
             7);
    accepted("{\"kind\":\"line\",\"ts\":1,\"seq\":2,\"seq\":9}", RECORD_LINE, 2);
    accepted("{\"kind\":\"line\",\"ts\":1,\"seq\":9007199254740991}", RECORD_LINE,
             UINT64_C(9007199254740991));
}

static void peek_declines(const char *line, const char *name)
{
    enum record_kind kind;
    uint64_t from, seq;

    ok(!record_peek(line, strlen(line), &kind, &from, &seq), "peek declines %s", name);
}

static void msg_declines(const char *rest, const char *name)
{
    char line[256];
    char msg[256];
    size_t msg_len;
    struct raw_span src;
    int n = snprintf(line, sizeof(line),
                     "{\"kind\":\"line\",\"ts\":1,\"seq\":2,\"src\":\"stdout\",\"buildId\":\"" ID
                     "\",%s", rest);

    ok(!record_line_msg(line, (size_t)n, msg, &msg_len, &src), "record_line_msg declines %s", name);
}

static void test_declined(void)
{
    peek_declines("{\"kind\":\"line\",\"ts\":1,\"seq\":9007199254740993,\"x\":1}",
                  "a number that record_decode would round");
    peek_declines("{\"kind\":\"line\",\"ts\":1,\"seq\":18446744073709551617,\"x\":1}",
                  "a number that would wrap");
    peek_declines("{\"kind\":\"line\",\"ts\":1,\"seq\":01,\"x\":1}", "a leading zero");
    peek_declines("{\"kind\":\"line\",\"ts\":1,\"seq\":0,\"x\":1}", "seq 0");
    peek_declines("{\"kind\":\"gap\",\"ts\":1,\"seq\":2,\"buildId\":\"" ID
                  "\",\"from\":3,\"lines\":1}", "a gap that ends before it begins");
    msg_declines("\"msg\":\"a\"}}", "a second brace");
    msg_declines("\"msg\":\"a\"x}", "junk behind the text");
    msg_declines("\"msg\":\"a}", "a text without an end");
    msg_declines("\"len\":1}", "a line without a text");
}

/* ---- hostile ------------------------------------------------------------------------------------
 */

static void test_prefixes(void)
{
    char line[4096];
    bool good = true;
    bool none = true;

    for (int i = 0; i < N_SAMPLES; i++) {
        size_t n = sample(i, line, sizeof(line));

        for (size_t k = 0; k < n; k++) {
            struct record r;
            enum err_code rc = decode_exact(line, k, &r, NULL);

            none = none && rc == ERR_FORMAT;
            record_release(&r);
            good = good && consistent(line, k) && consistent(line + k, n - k);
        }
    }
    ok(none, "no prefix of a record is a record");
    ok(good, "prefixes and suffixes are harmless");
}

static void test_bit_flips(void)
{
    char line[4096];
    bool good = true;
    unsigned survived = 0;

    for (int i = 0; i < N_SAMPLES; i++) {
        size_t n = sample(i, line, sizeof(line));

        for (size_t bit = 0; bit < 8 * n; bit++) {
            struct record r;

            line[bit / 8] = (char)(line[bit / 8] ^ 1 << bit % 8);
            good = good && consistent(line, n);
            survived += decode_exact(line, n, &r, NULL) == ERR_NONE ? 1 : 0;
            record_release(&r);
            line[bit / 8] = (char)(line[bit / 8] ^ 1 << bit % 8);
        }
    }
    ok(good && survived > 0,
       "every flipped bit is harmless, and the readers agree on what is left");
}

/* Records with pieces cut out, doubled, exchanged and overwritten. */
static size_t mutate(char *line, size_t n, size_t size)
{
    size_t a = random_next() % n;
    size_t len = random_next() % (n - a < 40 ? n - a : 40);
    size_t b = random_next() % n;

    switch (random_next() % 4) {
    case 0:
        memmove(line + a, line + a + len, n - a - len);
        return n - len;
    case 1:
        if (n + len > size)
            return n;
        memmove(line + a + len, line + a, n - a);
        return n + len;
    case 2:
        memmove(line + (b + len > n ? 0 : b), line + a, len);
        return n;
    default:
        line[a] = (char)random_next();
        return n;
    }
}

static void test_mutations(void)
{
    char line[8192];
    bool good = true;

    for (int i = 0; i < 60000; i++) {
        size_t n = sample(i % N_SAMPLES, line, sizeof(line));

        for (uint64_t k = random_next() % 4; k < 4 && n > 1; k++)
            n = mutate(line, n, sizeof(line));
        good = good && consistent(line, n);
    }
    ok(good, "60,000 mutations are harmless, and the readers agree");
}

static void test_random_bytes(void)
{
    static const char alphabet[] = "{}[]\",:\\ue0123456789-+.truefalsn kindtseqmg\x00\xff\xc3\xa9";
    char line[300];
    bool good = true;

    for (int i = 0; i < 200000; i++) {
        size_t n = random_next() % sizeof(line);

        for (size_t k = 0; k < n; k++)
            line[k] =
                i % 2 == 0 ? (char)random_next() : alphabet[random_next() % (sizeof(alphabet) - 1)];
        if (n > 0 && i % 3 != 0)
            line[0] = '{';
        good = good && consistent(line, n);
    }
    ok(good, "200,000 random lines are harmless");
}

static void test_depth(void)
{
    enum { DEEP = 200000 };
    char *line = malloc(DEEP);
    struct record r;

    if (line == NULL)
        abort();
    memset(line, '[', DEEP);
    memcpy(line, "{\"kind\":", 8);
    ok(record_decode(line, DEEP, &r, NULL) == ERR_FORMAT, "a tower of brackets is refused");
    for (size_t i = 8; i + 5 <= DEEP; i += 5)
        memcpy(line + i, "{\"a\":", 5);
    ok(record_decode(line, DEEP, &r, NULL) == ERR_FORMAT, "a tower of objects is refused");
    free(line);
}

int main(void)
{
    test_samples();
    test_members();
    test_round_trip();
    test_refused();
    test_accepted();
    test_declined();
    test_prefixes();
    test_bit_flips();
    test_mutations();
    test_random_bytes();
    test_depth();
    return done();
}
