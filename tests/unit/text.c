// SPDX-License-Identifier: MIT
/* text/: UTF-8, JSON escaping and back, base 64, decimal. */
#include "lib/tap.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "text/base64.h"
#include "text/decimal.h"
#include "text/json.h"
#include "text/utf8.h"

/* ---- a reference that shares nothing with the code under test ------------------------- */

/* The decoder of the WHATWG Encoding Standard, section 8.1.1, error mode "replacement". */
struct whatwg {
    unsigned needed, seen, lower, upper;
    uint32_t code;
};

enum { WHATWG_MORE = -1, WHATWG_ERROR = -2, WHATWG_ERROR_AGAIN = -3 };

static int32_t whatwg_start(struct whatwg *d, uint8_t byte)
{
    if (byte <= 0x7f)
        return byte;
    if (byte >= 0xc2 && byte <= 0xdf) {
        d->needed = 1;
        d->code = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
        if (byte == 0xe0)
            d->lower = 0xa0;
        if (byte == 0xed)
            d->upper = 0x9f;
        d->needed = 2;
        d->code = byte & 0xf;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
        if (byte == 0xf0)
            d->lower = 0x90;
        if (byte == 0xf4)
            d->upper = 0x8f;
        d->needed = 3;
        d->code = byte & 0x7;
    } else {
        return WHATWG_ERROR;
    }
    return WHATWG_MORE;
}

static int32_t whatwg_byte(struct whatwg *d, uint8_t byte)
{
    uint32_t code;

    if (d->needed == 0)
        return whatwg_start(d, byte);
    if (byte < d->lower || byte > d->upper) {
        *d = (struct whatwg){.lower = 0x80, .upper = 0xbf};
        return WHATWG_ERROR_AGAIN;
    }
    d->lower = 0x80;
    d->upper = 0xbf;
    d->code = d->code << 6 | (byte & 0x3f);
    if (++d->seen < d->needed)
        return WHATWG_MORE;
    code = d->code;
    *d = (struct whatwg){.lower = 0x80, .upper = 0xbf};
    return (int32_t)code;
}

static size_t put_utf8(char *dst, uint32_t code)
{
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned first[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = len; i-- > 1; code /= 64)
        dst[i] = (char)(0x80 + code % 64);
    dst[0] = (char)(first[len] + code);
    return len;
}

static size_t put_escaped(char *dst, uint32_t code)
{
    static const char from[] = "\b\t\n\f\r\"\\";
    static const char to[] = "btnfr\"\\";
    const char *at = code != 0 && code < 0x80 ? strchr(from, (int)code) : NULL;

    if (at != NULL)
        return (size_t)sprintf(dst, "\\%c", to[at - from]);
    if (code < 0x20 || code == 0x7f)
        return (size_t)sprintf(dst, "\\u%04x", (unsigned)code);
    return put_utf8(dst, code);
}

struct expected {
    char escaped[6 * 4096 + 64];
    size_t escaped_len;
    char repaired[3 * 4096 + 64];
    size_t repaired_len;
    uint64_t bad;
};

static void expect_code(struct expected *x, uint32_t code)
{
    x->escaped_len += put_escaped(x->escaped + x->escaped_len, code);
    x->repaired_len += put_utf8(x->repaired + x->repaired_len, code);
}

/* bad: every byte that did not end up in a code point. */
static void expect(struct expected *x, const char *src, size_t n)
{
    struct whatwg d = {.lower = 0x80, .upper = 0xbf};
    size_t pending = 0;

    x->escaped_len = x->repaired_len = 0;
    x->bad = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t code = whatwg_byte(&d, (uint8_t)src[i]);

        pending++;
        if (code == WHATWG_MORE)
            continue;
        if (code == WHATWG_ERROR_AGAIN) {
            pending--;
            i--;
        }
        if (code < 0)
            x->bad += pending;
        expect_code(x, code < 0 ? 0xfffd : (uint32_t)code);
        pending = 0;
    }
    if (pending > 0) {
        x->bad += pending;
        expect_code(x, 0xfffd);
    }
}

/* ---- memory that faults one byte beyond its end ---------------------------------------- */

enum { PAGE = 4096, ARENA = 16 * PAGE };

/* The returned pointer is the end of an arena of ARENA bytes, faulting from there on. */
static char *guarded_end(void)
{
    char *map =
        mmap(NULL, ARENA + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED || mprotect(map + ARENA, PAGE, PROT_NONE) != 0)
        abort();
    return map + ARENA;
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

/* ---- JSON -------------------------------------------------------------------------------- */

static struct expected expected;
static char *src_end;
static char *dst_end;

/* Escapes src[0..n), which ends at the guard, and decodes it back; all must be as expected. */
static bool variant_agrees(const struct json_escape_variant *v, const char *src, size_t n)
{
    char *dst = dst_end - json_escape_room(n);
    uint64_t bad = 7;
    size_t len = (size_t)(v->escape(dst, src, n, &bad) - dst);

    return len == expected.escaped_len && memcmp(dst, expected.escaped, len) == 0 &&
           bad == expected.bad + 7;
}

static bool agrees_with_reference(const char *src, size_t n)
{
    struct json_escape_variant v[JSON_ESCAPE_VARIANTS_MAX];
    size_t n_variants = json_escape_variants(v);
    bool good = true;

    expect(&expected, src, n);
    for (size_t i = 0; i < n_variants; i++)
        good = good && (!v[i].usable || variant_agrees(&v[i], src, n));
    return good &&
           variant_agrees(&(struct json_escape_variant){"chosen", json_escape, true}, src, n);
}

/* The expected escaped form plus a closing quote, placed at the guard, decoded at the guard. */
static bool decodes_to_repaired(void)
{
    size_t n = expected.escaped_len + 1;
    char *src = src_end - n;
    char *dst = dst_end - n;
    size_t used = 0;
    char *end;

    memcpy(src, expected.escaped, n - 1);
    src[n - 1] = '"';
    end = json_unescape(dst, src, n, &used);
    return end != NULL && used == n && (size_t)(end - dst) == expected.repaired_len &&
           memcmp(dst, expected.repaired, expected.repaired_len) == 0;
}

static void test_every_single_byte_at_every_place(void)
{
    bool good = true;

    for (size_t n = 1; n <= 70; n++)
        for (size_t at = 0; at < n; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                char *src = src_end - n;

                memset(src, 'a', n);
                src[at] = (char)byte;
                good = good && agrees_with_reference(src, n);
            }
    ok(good, "each byte at each place of lines of 1 to 70 bytes, up to a page's end");
    ok(agrees_with_reference(src_end, 0), "nothing");
}

static void test_pairs(void)
{
    static const char *const hard[] = {
        "\x1b",     "\r",           "\"",           "\\",
        "\x80",     "\xc3\xa9",     "\xe2\x82\xac", "\xf0\x9f\x98\x80",
        "\xe2\x82", "\xf0\x9f\x98", "\x7f"};
    enum { N = sizeof(hard) / sizeof(hard[0]) };
    bool good = true;

    for (size_t n = 8; n <= 70; n++)
        for (size_t a = 0; a + 4 < n; a++)
            for (size_t b = a; b < n; b += 1 + b % 3)
                for (size_t k = 0; k < N; k++) {
                    const char *second = hard[(k + a + b) % N];
                    size_t room = n - b < strlen(second) ? n - b : strlen(second);
                    char *src = src_end - n;

                    memset(src, 'x', n);
                    memcpy(src + a, hard[k], strlen(hard[k]));
                    memcpy(src + b, second, room);
                    good = good && agrees_with_reference(src, n);
                }
    ok(good, "two hard spots at all distances, cut by the end");
}

enum profile { PLAIN, LOG, BINARY, HIGH, UNICODE, N_PROFILES };

static char random_byte(enum profile p)
{
    uint64_t r = random_next();

    if (p == PLAIN || (p == LOG && r % 50 != 0))
        return (char)(0x20 + (r >> 8) % 0x5f);
    if (p == LOG)
        return "\x1b\r\t\"\\\n\x7f\x00"[(r >> 8) % 8];
    return p == HIGH ? (char)(0x80 | (r >> 8)) : (char)(r >> 8);
}

static void fill(char *src, size_t n, enum profile p)
{
    size_t i = 0;

    while (p == UNICODE && i + 4 <= n) {
        uint32_t code = (uint32_t)random_next() & 0x1fffff;
        char text[8];
        size_t len = 0;

        code >>= random_next() % 20;
        code = code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0x20ac : code;
        len = put_utf8(text, code);
        memcpy(src + i, text, len);
        i += len;
    }
    for (; i < n; i++)
        src[i] = random_byte(p);
}

static void test_random(void)
{
    static const char *const names[N_PROFILES] = {"plain", "log", "binary", "high", "unicode"};
    const char *scale = getenv("TEXT_ROUNDS"); /* for long runs by hand */
    long rounds = scale != NULL ? strtol(scale, NULL, 10) : 60000;

    for (enum profile p = PLAIN; p < N_PROFILES; p++) {
        bool escaped = true;
        bool back = true;

        for (long i = 0; i < rounds; i++) {
            size_t n = random_next() % (i % 64 == 0 ? 2000 : 160);
            char *src = src_end - n;

            fill(src, n, p);
            escaped = escaped && agrees_with_reference(src, n);
            back = back && decodes_to_repaired();
        }
        ok(escaped, "%ld random lines (%s): all variants equal the reference", rounds, names[p]);
        ok(back, "%ld random lines (%s): decoding gives the repaired input", rounds, names[p]);
    }
}

static void test_alignments(void)
{
    char *base = src_end - 1024;
    bool good = true;

    for (size_t shift = 0; shift < 64; shift++)
        for (size_t n = 0; n < 200; n++) {
            fill(base + shift, n, LOG);
            good = good && agrees_with_reference(base + shift, n);
        }
    ok(good, "all alignments of lines up to 200 bytes");
}

/* ---- against Python ------------------------------------------------------------------------ */

static uint32_t crc_of(uint32_t crc, const char *src, size_t n)
{
    char dst[6 * 4 + JSON_ESCAPE_SLACK + 1];
    uint64_t bad = 0;
    char *end = json_escape(dst, src, n, &bad);

    *end++ = '\n';
    return (uint32_t)crc32(crc, (const Bytef *)dst, (uInt)(end - dst));
}

/*
 * The sums were made by Python: crc32 over, for each sequence in ascending order, its
 * .decode('utf-8', 'replace'), escaped as json.h says, encoded again, plus a newline.
 */
static void test_python(void)
{
    static const uint8_t edges[] = {0x22, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                    0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                    0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    enum { E = sizeof(edges) };
    uint32_t two = 0, three = 0, four = 0;

    for (unsigned i = 0; i < 1u << 16; i++)
        two = crc_of(two, (const char[]){(char)(i >> 8), (char)i}, 2);
    for (unsigned i = 0; i < 1u << 24; i++)
        three = crc_of(three, (const char[]){(char)(i >> 16), (char)(i >> 8), (char)i}, 3);
    for (unsigned i = 0; i < E * E * E * E; i++)
        four = crc_of(four,
                      (const char[]){(char)edges[i / (E * E * E)], (char)edges[i / (E * E) % E],
                                     (char)edges[i / E % E], (char)edges[i % E]},
                      4);
    ok(two == 0x68450e60, "all 65,536 pairs as Python decodes them");
    ok(three == 0xb608beb3, "all 16,777,216 triples as Python decodes them");
    ok(four == 0x3624f33f, "390,625 quadruples of edge bytes as Python decodes them");
}

/* ---- decoding: spellings that are not ours, and hostile ones --------------------------------- */

static void decodes(const char *text, const char *want, size_t want_len)
{
    size_t n = strlen(text);
    size_t used = 0;
    char dst[64];
    char *end = json_unescape(dst, text, n, &used);

    ok(end != NULL && (size_t)(end - dst) == want_len && memcmp(dst, want, want_len) == 0,
       "decodes %s", text);
}

static void test_spellings(void)
{
    decodes("\"", "", 0);
    decodes("a\\/b\\\"\\\\\\b\\f\\n\\r\\t\"rest", "a/b\"\\\b\f\n\r\t", 10);
    decodes("\\u0000\\u0041\\u00E9\\u20ac\"", "\0A\xc3\xa9\xe2\x82\xac", 7);
    decodes("\\ud83d\\ude00\\uD83D\\uDE00\"", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 8);
    decodes("\\uffff\\udbff\\udfff\"", "\xef\xbf\xbf\xf4\x8f\xbf\xbf", 7);
    static const char *const bad[] = {"",
                                      "abc",
                                      "abcdefghijklmnopq",
                                      "\\",
                                      "\\\"",
                                      "\\x41\"",
                                      "\\u\"",
                                      "\\u004\"",
                                      "\\u004g\"",
                                      "\\ud83d\"",
                                      "\\ud83d\\\"",
                                      "\\ud83d\\u0041\"",
                                      "\\ude00\"",
                                      "\\ude00\\ud83d\"",
                                      "\\ud83d\\ud83d\"",
                                      "\x01\"",
                                      "tab\there\"",
                                      "\xff\"",
                                      "\xe2\x82\"",
                                      "\xed\xa0\x80\"",
                                      "\xc0\x80\"",
                                      "\\U0041\"",
                                      "\\u+041\"",
                                      "\\ud83d\\ude0\"",
                                      "\\ud83d\\ue000\"",
                                      NULL};
    for (size_t i = 0; bad[i] != NULL; i++) {
        char dst[64];
        size_t used;

        ok(json_unescape(dst, bad[i], strlen(bad[i]), &used) == NULL, "not a string: case %zu", i);
    }
}

/* Every beginning of a pair, up to the guard: what is cut off is not looked at. */
static void test_cut_pairs(void)
{
    static const char pair[] = "\\ud83d\\ude00";
    bool good = true;

    for (size_t n = 0; n < sizeof(pair); n++) {
        size_t used;

        memcpy(src_end - n, pair, n);
        good = good && json_unescape(dst_end - n, src_end - n, n, &used) == NULL;
    }
    ok(good, "a surrogate pair cut anywhere is no string, and nothing beyond it is read");
}

static void test_hostile_decoding(void)
{
    static const char alphabet[] = "\\\\\\u\"dD8cC0eE19fa \xe2\x82\xac\xf0\x01";
    unsigned sound = 0;

    for (int i = 0; i < 400000; i++) {
        size_t n = random_next() % 40;
        char *src = src_end - n;
        size_t used = 0;
        char *end;

        for (size_t k = 0; k < n; k++)
            src[k] = alphabet[random_next() % (sizeof(alphabet) - 1)];
        end = json_unescape(dst_end - n, src, n, &used);
        if (end == NULL)
            continue;
        sound++;
        if (used > n || src[used - 1] != '"' || end > dst_end - n + used ||
            !utf8_valid(dst_end - n, (size_t)(end - (dst_end - n)))) {
            ok(false, "random string decoded to something unsound");
            return;
        }
    }
    ok(sound > 1000, "random strings decode to UTF-8 or not at all, within their bounds");
}

/* ---- UTF-8 --------------------------------------------------------------------------------------
 */

/* By definition: the longest prefix such that what follows it could not be completed. */
static bool completable(const char *src, size_t n)
{
    struct whatwg d = {.lower = 0x80, .upper = 0xbf};
    int32_t code = WHATWG_MORE;

    for (size_t i = 0; i < n && code == WHATWG_MORE; i++)
        code = whatwg_byte(&d, (uint8_t)src[i]);
    return n > 0 && code == WHATWG_MORE;
}

static size_t naive_cut(const char *src, size_t n)
{
    for (size_t back = 3; back > 0; back--)
        if (back <= n && ((uint8_t)src[n - back] & 0xc0) == 0xc0 &&
            completable(src + n - back, back))
            return n - back;
    return n;
}

static void test_cut(void)
{
    bool good = true;

    for (unsigned i = 0; i < 1u << 24; i++) {
        char text[4] = {'a', (char)(i >> 16), (char)(i >> 8), (char)i};

        good = good && utf8_cut(text, 4) == naive_cut(text, 4);
    }
    ok(good, "utf8_cut at the end of all triples");
    is_int((int64_t)utf8_cut("", 0), 0, "utf8_cut of nothing");
    is_int((int64_t)utf8_cut("\xf0\x9f\x98", 3), 0, "utf8_cut of a beginning alone");
    is_int((int64_t)utf8_cut("\xf0\x9f\x98\x80", 4), 4, "utf8_cut of a whole sequence");
    is_int((int64_t)utf8_cut("\x98\x80\x80\x80\x80", 5), 5, "utf8_cut of stray continuations");
}

static void test_sequences(void)
{
    static const struct {
        const char *text;
        size_t len;
        bool valid;
    } cases[] = {
        {"A", 1, true},
        {"\xc3\xa9", 2, true},
        {"\xe2\x82\xac", 3, true},
        {"\xf4\x8f\xbf\xbf", 4, true},
        {"\xf4\x90\x80\x80", 1, false},
        {"\xed\xa0\x80", 1, false},
        {"\xe0\x9f\xbf", 1, false},
        {"\xf0\x8f\xbf\xbf", 1, false},
        {"\xc1\xbf", 1, false},
        {"\xf0\x9f\x98", 3, false},
        {"\xf0\x9f\x98"
         "A",
         3, false},
        {"\xe2\x82", 2, false},
        {"\xe2", 1, false},
        {"\x80", 1, false},
        {"\xff", 1, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool valid = !cases[i].valid;
        size_t len = utf8_sequence(cases[i].text, strlen(cases[i].text), &valid);

        ok(len == cases[i].len && valid == cases[i].valid, "utf8_sequence case %zu", i);
    }
}

static void test_valid(void)
{
    bool good = true;

    for (int i = 0; i < 100000; i++) {
        size_t n = random_next() % 60;
        char *src = src_end - n;

        fill(src, n, i % 2 == 0 ? UNICODE : LOG);
        if (n > 0 && i % 3 == 0)
            src[random_next() % n] = (char)random_next();
        expect(&expected, src, n);
        good = good && utf8_valid(src, n) == (expected.bad == 0);
    }
    ok(good, "utf8_valid is what has no bad byte");
}

/* ---- base 64, decimal
 * ------------------------------------------------------------------------------ */

static void base64_is(const char *text, const char *want)
{
    char dst[64];
    char *end = base64_encode(dst, text, strlen(text));

    is_bytes(dst, (size_t)(end - dst), want, strlen(want), want);
    is_int((int64_t)base64_len(strlen(text)), (int64_t)strlen(want), "and its length foretold");
}

static void test_base64(void)
{
    base64_is("", "");
    base64_is("f", "Zg==");
    base64_is("fo", "Zm8=");
    base64_is("foo", "Zm9v");
    base64_is("foob", "Zm9vYg==");
    base64_is("fooba", "Zm9vYmE=");
    base64_is("foobar", "Zm9vYmFy");
    base64_is("\xff\xfe\xfb\xf0", "//778A==");
}

static bool decimal_agrees(uint64_t value)
{
    char want[32];
    char got[DECIMAL_MAX];
    int len = snprintf(want, sizeof(want), "%" PRIu64, value);
    char *end = decimal_put(got, value);

    return end - got == len && memcmp(got, want, (size_t)len) == 0;
}

static void test_decimal(void)
{
    bool good = decimal_agrees(0) && decimal_agrees(UINT64_MAX);
    uint64_t power = 1;

    for (int i = 0; i < 20; i++, power *= 10)
        good =
            good && decimal_agrees(power) && decimal_agrees(power - 1) && decimal_agrees(power + 1);
    for (int i = 0; i < 64; i++)
        good = good && decimal_agrees(UINT64_C(1) << i) && decimal_agrees((UINT64_C(1) << i) - 1);
    for (uint64_t i = 0; i < 200000; i++)
        good = good && decimal_agrees(i) && decimal_agrees(random_next() >> i % 48);
    ok(good, "decimal as printf has it");
}

int main(void)
{
    src_end = guarded_end();
    dst_end = guarded_end();
    test_every_single_byte_at_every_place();
    test_pairs();
    test_alignments();
    test_random();
    test_python();
    test_spellings();
    test_cut_pairs();
    test_hostile_decoding();
    test_sequences();
    test_cut();
    test_valid();
    test_base64();
    test_decimal();
    munmap(src_end - ARENA, ARENA + PAGE);
    munmap(dst_end - ARENA, ARENA + PAGE);
    return done();
}
