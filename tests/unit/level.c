// SPDX-License-Identifier: MIT
/* read/level: every shape that claims a level is seen, no word in prose is taken for one, and
   whatever the bytes are nothing is read beyond them. */
#include "lib/tap.h"

#include <stdlib.h>

#include "read/level.h"
#include "read/level_word.h"

struct sample {
    enum level level;
    const char *text;
};

static const struct sample samples[] = {
    /* compilers */
    {LEVEL_ERROR, "src/main.c:12:5: error: 'x' undeclared (first use in this function)"},
    {LEVEL_WARN, "src/main.c:12:5: warning: unused variable 'x' [-Wunused-variable]"},
    {LEVEL_INFO, "src/main.c:12:5: note: each undeclared identifier is reported only once"},
    {LEVEL_FATAL, "src/main.c:1:10: fatal error: none.h: No such file or directory"},
    {LEVEL_ERROR, "error[E0382]: borrow of moved value: `x`"},
    {LEVEL_WARN, "warning[E0133]: use of unsafe"},
    {LEVEL_ERROR, "error: could not compile `demo` (bin \"demo\") due to 1 previous error"},
    {LEVEL_ERROR, "src/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'."},
    {LEVEL_ERROR, "src/a.ts:3:7 - error TS2322: Type 'string' is not assignable."},
    {LEVEL_ERROR, "a.cpp(10): error C2065: 'x': undeclared identifier"},
    {LEVEL_WARN, "Program.cs(5,13): warning CS0168: The variable 'e' is declared but never used"},
    {LEVEL_ERROR, "Main.java:3: error: ';' expected"},
    {LEVEL_ERROR, "/usr/bin/ld: main.o: error: undefined"},
    {LEVEL_ERROR, "clang: error: linker command failed with exit code 1 (use -v to see it)"},
    {LEVEL_ERROR, "\x1b[1mx.c:1:2: \x1b[0m\x1b[0;1;31merror: \x1b[0m\x1b[1mexpected ';'\x1b[0m"},
    {LEVEL_ERROR, "\x1b[01m\x1b[Kx.c:1:2:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[Kbad"},
    /* annotations */
    {LEVEL_ERROR, "##[error]Process completed with exit code 1."},
    {LEVEL_WARN, "##[warning]Node.js 16 actions are deprecated."},
    {LEVEL_ERROR, "::error file=app.js,line=1::Missing semicolon"},
    {LEVEL_WARN, "::warning::careful"},
    {LEVEL_INFO, "::notice title=x::y"},
    {LEVEL_DEBUG, "::debug::y"},
    {LEVEL_ERROR, "2026-01-02T03:04:05.1234567Z ##[error]Process completed with exit code 2."},
    /* log lines */
    {LEVEL_ERROR, "ERROR: something broke"},
    {LEVEL_ERROR, "ERROR something broke"},
    {LEVEL_ERROR, "[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin"},
    {LEVEL_INFO, "[INFO] BUILD FAILURE"},
    {LEVEL_WARN, "[ WARN ] slow"},
    {LEVEL_WARN, "WARN: x"},
    {LEVEL_WARN, "WARNING:root:careful"},
    {LEVEL_ERROR, "2026-01-02 03:04:05,678 ERROR [main] com.example.App - no"},
    {LEVEL_ERROR, "2026-01-02 03:04:05,678 - app.module - ERROR - no"},
    {LEVEL_WARN, "03:04:05.678 [main] WARN  c.e.App - slow"},
    {LEVEL_DEBUG, "03:04:05.678 [main] DEBUG c.e.App - x"},
    {LEVEL_TRACE, "[TRACE] entering"},
    {LEVEL_INFO, "2026/01/02 03:04:05 INFO starting addr=:80"},
    {LEVEL_ERROR, "[2026-01-02 03:04:05] production.ERROR: x {\"exception\":1}"},
    {LEVEL_ERROR, "2026/01/02 03:04:05 [error] 12#0: *1 open() failed"},
    {LEVEL_ERROR, "[Thu Jan 01 00:00:00.1 2026] [core:error] [pid 7] (13)Permission denied"},
    {LEVEL_FATAL, "2026/01/02 03:04:05 [emerg] bind() to 0.0.0.0:80 failed"},
    {LEVEL_ERROR, "Jan  2 03:04:05 host kernel: error: x"},
    {LEVEL_ERROR, "web-1  | 2026-01-02 ERROR x"},
    {LEVEL_ERROR, "E0412 03:04:05.678901   123 file.cc:12] no"},
    {LEVEL_INFO, "I0412 03:04:05.678901   123 file.cc:12] yes"},
    {LEVEL_FATAL, "F0412 03:04:05.678901   123 file.cc:12] Check failed"},
    {LEVEL_ERROR, "E, [2026-01-02T03:04:05.678901 #123] ERROR -- : no"},
    {LEVEL_ERROR, "<3>no"},
    {LEVEL_FATAL, "<0>no"},
    {LEVEL_DEBUG, "<15>1 2026-01-02T03:04:05Z host app - - - x"},
    {LEVEL_WARN, "12:00:00 WRN slow module=x"},
    {LEVEL_ERROR, "level=error msg=\"no\""},
    {LEVEL_ERROR, "time=\"2026-01-02T03:04:05Z\" level=error msg=\"no\""},
    {LEVEL_WARN, "time=2026-01-02T03:04:05Z level=WARN msg=\"ERROR: no\""},
    {LEVEL_ERROR, "t=2026 lvl=eror msg=x"},
    {LEVEL_FATAL, "severity=\"CRITICAL\" x"},
    {LEVEL_INFO, "level=info msg=done error=nil"},
    {LEVEL_ERROR, "fail: Microsoft.AspNetCore.Server.Kestrel[0]"},
    {LEVEL_DEBUG, "dbug: Microsoft.Hosting[1]"},
    /* JSON lines */
    {LEVEL_ERROR, "{\"level\":50,\"time\":1,\"msg\":\"x\"}"},
    {LEVEL_TRACE, "{\"name\":\"a\",\"hostname\":\"b\",\"pid\":1,\"level\":10,\"msg\":\"x\"}"},
    {LEVEL_WARN, "{\"level\":40,\"msg\":\"ERROR: x\"}"},
    {LEVEL_FATAL, "{\"msg\":\"\\\"level\\\":10\",\"level\":60}"},
    {LEVEL_ERROR, "{\"level\":\"error\",\"ts\":1.5,\"caller\":\"a.go:1\",\"msg\":\"x\"}"},
    {LEVEL_ERROR, "{\"time\":\"x\",\"level\":\"ERROR\",\"msg\":\"x\"}"},
    {LEVEL_WARN, "{ \"msg\" : { \"level\" : \"error\" }, \"level\" : \"warning\" }"},
    {LEVEL_FATAL, "{\"severity\":\"EMERGENCY\",\"message\":\"x\"}"},
    {LEVEL_ERROR, "{\"severityNumber\":17}"},
    {LEVEL_ERROR, "{\"version\":\"1.1\",\"short_message\":\"x\",\"level\":3}"},
    {LEVEL_FATAL, "{\"PRIORITY\":\"2\",\"MESSAGE\":\"x\"}"},
    {LEVEL_ERROR, "{\"levelno\":40}"},
    {LEVEL_INFO, "{\"@timestamp\":\"x\",\"log.level\":\"INFO\"}"},
    {LEVEL_NONE, "{\"level\":3,\"monster\":\"orc\"}"},
    {LEVEL_NONE, "{\"msg\":\"ERROR: x\"}"},
    {LEVEL_NONE, "{\"level\":\"upper\"}"},
    {LEVEL_NONE, "{\"a\":\"level\"}"},
    {LEVEL_NONE, "{\"level\":"},
    {LEVEL_NONE, "{\"level"},
    {LEVEL_NONE, "{\"x\\"},
    /* other well-known shapes */
    {LEVEL_ERROR, "Traceback (most recent call last):"},
    {LEVEL_ERROR, "ValueError: bad"},
    {LEVEL_ERROR, "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"},
    {LEVEL_ERROR, "java.lang.NullPointerException"},
    {LEVEL_ERROR, "Exception in thread \"main\" java.lang.RuntimeException: x"},
    {LEVEL_ERROR, "Caused by: java.io.IOException: x"},
    {LEVEL_FATAL, "panic: runtime error: index out of range [5] with length 3"},
    {LEVEL_FATAL, "fatal: not a git repository (or any of the parent directories): .git"},
    {LEVEL_FATAL, "Segmentation fault (core dumped)"},
    {LEVEL_ERROR, "FAILED tests/test_a.py::test_b - assert 1 == 2"},
    {LEVEL_ERROR, "test a::b ... FAILED"},
    {LEVEL_ERROR, "> Task :compileJava FAILED"},
    {LEVEL_ERROR, "[  FAILED  ] Suite.Case (1 ms)"},
    {LEVEL_ERROR, "--- FAIL: TestX (0.00s)"},
    {LEVEL_ERROR, "FAIL\texample.com/x\t0.01s"},
    {LEVEL_ERROR, "BUILD FAILED"},
    {LEVEL_ERROR, "not ok 3 - adds"},
    {LEVEL_ERROR, "E       assert 1 == 2"},
    {LEVEL_ERROR, "CMake Error at CMakeLists.txt:3 (find_package):"},
    {LEVEL_WARN, "CMake Deprecation Warning at CMakeLists.txt:1:"},
    {LEVEL_ERROR, "npm ERR! code ELIFECYCLE"},
    {LEVEL_ERROR, "npm error code E404"},
    {LEVEL_WARN, "npm WARN deprecated x@1"},
    {LEVEL_ERROR, "error Command failed with exit code 1."},
    {LEVEL_WARN, "warning \"a > b@1\" has unmet peer dependency"},
    {LEVEL_ERROR, "E: Unable to locate package x"},
    {LEVEL_ERROR, "Error response from daemon: no such image"},
    {LEVEL_ERROR, "Error: Cannot find module 'x'"},
    {LEVEL_ERROR, "10%\r50%\r\x1b[Kerror: disk full\r"},
    {LEVEL_ERROR, "ERROR\r"},
    /* prose, names, counts */
    {LEVEL_NONE, ""},
    {LEVEL_NONE, "   "},
    {LEVEL_NONE, "0 errors, 0 warnings"},
    {LEVEL_NONE, "0 error(s)"},
    {LEVEL_NONE, "no error: all good"},
    {LEVEL_NONE, "compiled without error"},
    {LEVEL_NONE, "error-prone: 2.3.1"},
    {LEVEL_NONE, "using error-prone"},
    {LEVEL_NONE, "gcc -Werror -Wall -c error.c -o error.o"},
    {LEVEL_NONE, "compiling error.c"},
    {LEVEL_NONE, "src/error: is a directory"},
    {LEVEL_NONE, "checking for error_at_line... yes"},
    {LEVEL_NONE, "error: 0"},
    {LEVEL_NONE, "  error: null"},
    {LEVEL_NONE, "Failed: 0, passed: 12"},
    {LEVEL_NONE, "FAILED: 0"},
    {LEVEL_NONE, "ERRORS=0"},
    {LEVEL_NONE, "the error handling was improved"},
    {LEVEL_NONE, "error handling was improved"},
    {LEVEL_NONE, "std::error::Error"},
    {LEVEL_NONE, "Error::new(x)"},
    {LEVEL_NONE, "log level: DEBUG"},
    {LEVEL_NONE, "set level to INFO"},
    {LEVEL_NONE, "building the DEBUG configuration"},
    {LEVEL_NONE, "test error::tests::parse ... ok"},
    {LEVEL_INFO, "ok 3 - ERROR: is it handled?"},
    {LEVEL_NONE, "https://example.com/error/404"},
    {LEVEL_NONE, "void error(const char *);"},
    {LEVEL_NONE, "Compiling thiserror v1.0"},
    {LEVEL_NONE, "terror: x"},
    {LEVEL_NONE, "x[error]"},
    {LEVEL_NONE, "E04 x"},
    {LEVEL_NONE, "<b>bold</b>"},
    {LEVEL_NONE, "<999999999999999999>"},
    {LEVEL_NONE, "if error: return"},
    {LEVEL_NONE, "{ error: x"},
    {LEVEL_NONE, "     * @throws EmptyStackException"},
};
enum { N_SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static void test_samples(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct raw_span text = {samples[i].text, strlen(samples[i].text)};
        enum level got = level_of_text(text);

        if (!ok(got == samples[i].level, "%s line %zu", level_name(samples[i].level), i))
            printf("#   %s: got %s\n", samples[i].text, level_name(got));
    }
}

static void test_names(void)
{
    static const char *const names[] = {
        "trace", "trce",  "trc",   "finer",   "finest",    "silly",  "debug",    "dbug",
        "dbg",   "fine",  "verbose", "vrb",   "config",    "info",   "inf",      "information",
        "notice", "note", "success", "default", "http",    "warn",   "warning",  "wrn",
        "error", "err",   "eror",  "severe",  "fail",      "fatal",  "fatl",     "ftl",
        "critical", "crit", "alert", "emerg", "emergency", "panic",  "pnc",      "dpanic"};
    enum level last = LEVEL_TRACE;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        enum level level = level_parse(names[i]);

        ok(level >= last, "%s is a level", names[i]);
        last = level;
    }
    is_int(level_parse("WaRnInG"), LEVEL_WARN, "any case");
    is_int(level_parse("failed"), LEVEL_NONE, "not every word is a level's name");
    is_int(level_parse("warningx"), LEVEL_NONE, "nothing behind it");
    is_int(level_parse("warnin"), LEVEL_NONE, "nothing missing");
    is_int(level_parse(""), LEVEL_NONE, "the empty word");
    for (int level = LEVEL_TRACE; level <= LEVEL_FATAL; level++)
        is_int(level_parse(level_name((enum level)level)), level, "a level's own name");
}

static enum level item_level(enum record_kind kind, const char *record, const char *msg)
{
    struct log_item item = {.text = {record, strlen(record)}, .kind = kind, .from = 1, .seq = 1};

    return level_of(&item, (struct raw_span){msg, strlen(msg)});
}

static void test_records(void)
{
#define HEAD "{\"kind\":\"line\",\"ts\":1,\"seq\":1,\"src\":\"stdout\",\"buildId\":\"X\",\"msg\":"
#define EVENT "{\"kind\":\"event\",\"ts\":1,\"seq\":1,\"buildId\":\"X\""
    is_int(item_level(RECORD_LINE, HEAD "\"x\"}", "x"), LEVEL_INFO, "a plain line is info");
    is_int(item_level(RECORD_LINE, HEAD "\"ERROR: x\"}", "ERROR: x"), LEVEL_ERROR, "by its text");
    is_int(item_level(RECORD_LINE, HEAD "\"ERROR: x\",\"level\":\"debug\"}", "ERROR: x"), LEVEL_DEBUG,
           "the record's own level comes first");
    is_int(item_level(RECORD_LINE, HEAD "\"WARN: x\",\"level\":\"odd\"}", "WARN: x"), LEVEL_WARN,
           "unless it is none");
    is_int(item_level(RECORD_LINE, HEAD "\"{\\\"level\\\":\\\"fatal\\\"}\"}",
                      "{\"level\":\"fatal\"}"), LEVEL_FATAL, "a key within the text is not the record's");
    is_int(item_level(RECORD_EVENT, EVENT ",\"level\":\"error\",\"event\":\"x\"}", ""), LEVEL_ERROR,
           "an event's own level");
    is_int(item_level(RECORD_EVENT, EVENT ",\"event\":\"timeout\"}", ""), LEVEL_ERROR,
           "an event's level by its name");
    is_int(item_level(RECORD_EVENT, EVENT ",\"event\":\"tool_call\"}", ""), LEVEL_INFO,
           "any other event");
    is_int(item_level(RECORD_EVENT, "{", ""), LEVEL_INFO, "an event that is none");
    is_int(item_level(RECORD_GAP, "{}", ""), LEVEL_WARN, "a gap");
    is_int(item_level(RECORD_START, "{}", "ERROR: x"), LEVEL_NONE, "a start record");
    is_int(item_level(RECORD_END, "{}", "ERROR: x"), LEVEL_NONE, "an end record");
}

/* The same numbers in every run. */
static size_t random_below(size_t n)
{
    static uint64_t state = 5;

    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % n;
}

/* Pieces of samples in buffers of exactly their size: a sanitizer sees any step over the end. */
static void test_pieces(void)
{
    enum { ROUNDS = 40000 };
    static const char spice[] = "\x1b[]\\\"{}:=<>|\r\x9b\0E";
    int sound = 0;

    for (int round = 0; round < ROUNDS; round++) {
        const char *sample = samples[random_below(N_SAMPLES)].text;
        size_t n = random_below(strlen(sample) + 1);
        char *text = malloc(n > 0 ? n : 1);
        enum level level;

        if (text == NULL)
            exit(99);
        memcpy(text, sample, n);
        for (size_t i = random_below(3); i > 0 && n > 0; i--)
            text[random_below(n)] = spice[random_below(sizeof(spice) - 1)];
        level = level_of_text((struct raw_span){text, n});
        sound += level >= LEVEL_NONE && level <= LEVEL_FATAL;
        free(text);
    }
    is_int(sound, ROUNDS, "pieces of lines have levels, too");
}

int main(void)
{
    test_samples();
    test_names();
    test_records();
    test_pieces();
    return done();
}
