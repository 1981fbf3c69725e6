// SPDX-License-Identifier: MIT
/*
 * cmd/: the option parser, suggestions, configuration files, messages.  Each case of the
 * parser is a command line and what became of it: options in order as name=text:number,
 * a bar, the operands; or the whole error line.
 */
#include "lib/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "cmd/config.h"
#include "cmd/nearest.h"
#include "cmd/options.h"
#include "commands.gen.h"
#include "lib/where.h"

static const char *const whens[] = {"auto", "always", "never", NULL};
static const char *const modes[] = {"on", "off", NULL};

static const struct option_spec specs[] = {
    {.id = 1, .name = "id", .type = OPTION_ID, .value_name = "ULID", .max = INT64_MAX},
    {.id = 2, .name = "dir", .letter = 'd', .type = OPTION_TEXT, .value_name = "DIR", .min = 1,
     .max = 8},
    {.id = 3, .name = "label", .type = OPTION_LABEL, .value_name = "K=V", .repeatable = true,
     .max = INT64_MAX},
    {.id = 4, .name = "timeout", .type = OPTION_DURATION, .value_name = "D", .min = 1000000,
     .max = INT64_MAX},
    {.id = 5, .name = "linger", .type = OPTION_DURATION, .value_name = "D", .allow_inf = true,
     .max = INT64_MAX},
    {.id = 6, .name = "max-log", .type = OPTION_SIZE, .value_name = "SIZE", .min = 65536,
     .max = INT64_MAX},
    {.id = 7, .name = "lines", .letter = 'n', .type = OPTION_TEXT, .value_name = "N", .max = 99},
    {.id = 8, .name = "limit", .type = OPTION_NUMBER, .value_name = "N", .min = 1, .max = 99},
    {.id = 9, .name = "tty", .type = OPTION_CHOICE, .value_name = "WHEN", .choices = whens,
     .pending_choices = 3, .max = INT64_MAX},
    {.id = 10, .name = "redact", .type = OPTION_CHOICE, .value_name = "WHEN", .choices = modes,
     .max = INT64_MAX},
    {.id = 11, .name = "redact-generic", .type = OPTION_FLAG, .pending = "not supported yet"},
    {.id = 12, .name = "follow", .letter = 'f', .type = OPTION_FLAG},
    {.id = 13, .name = "quiet", .letter = 'q', .type = OPTION_FLAG},
    {.id = OPT_HELP, .name = "help", .letter = 'h', .type = OPTION_FLAG},
};

static struct command run = {.name = "try",
                             .synopsis = "[options] cmd",
                             .options = specs,
                             .n_options = sizeof(specs) / sizeof(specs[0]),
                             .usage_status = 125,
                             .stop_at_operand = true,
                             .min_operands = 1,
                             .max_operands = -1};

static struct command tail = {.name = "look",
                              .synopsis = "[id]",
                              .options = specs,
                              .n_options = sizeof(specs) / sizeof(specs[0]),
                              .usage_status = 2,
                              .numeric_operands = true,
                              .max_operands = 1};

enum { WORDS_MAX = 64, OUT_MAX = 4096 };

/* A test's name on one line, whatever the text that it is made of. */
static const char *titled(const char *text)
{
    static char title[80];
    size_t n = 0;

    for (; text[n] != '\0' && n + 1 < sizeof(title); n++)
        title[n] = text[n] >= ' ' && text[n] <= '~' && text[n] != '#' ? text[n] : '?';
    title[n] = '\0';
    return title;
}

/* Splits at spaces; the word '' is the empty one. */
static void split(char *line, char *argv[WORDS_MAX])
{
    int n = 0;

    for (char *word = strtok_r(line, " ", &line); word != NULL; word = strtok_r(NULL, " ", &line))
        argv[n++] = strcmp(word, "''") == 0 ? word + 2 : word;
    argv[n] = NULL;
}

static void render(const struct cmd_args *args, struct buf *b)
{
    enum err_code rc = ERR_NONE;

    for (size_t i = 0; i < args->n_options && rc == ERR_NONE; i++) {
        const struct parsed_option *o = &args->options[i];

        rc = buf_puts(b, o->spec->name);
        if (rc == ERR_NONE && o->spec->type != OPTION_FLAG)
            rc = buf_printf(b, "=%s:%" PRId64, o->text, o->number);
        if (rc == ERR_NONE)
            rc = buf_puts(b, " ");
    }
    if (rc == ERR_NONE)
        rc = buf_puts(b, "|");
    for (int i = 0; i < args->n_operands && rc == ERR_NONE; i++)
        rc = buf_printf(b, " %s", args->operands[i]);
    if (rc != ERR_NONE || args->operands[args->n_operands] != NULL)
        abort();
}

static void parses(const struct command *c, const char *line, const char *want)
{
    char words[OUT_MAX];
    char message[OUT_MAX];
    char *argv[WORDS_MAX];
    struct cmd_args args;
    struct err e;
    struct buf got;

    buf_init(&got, OUT_MAX);
    snprintf(words, sizeof(words), "%s", line);
    split(words, argv);
    if (options_parse(c, argv, &args, &e) == ERR_NONE) {
        render(&args, &got);
    } else {
        err_format(&e, message, sizeof(message));
        if (buf_puts(&got, message) != ERR_NONE || e.code != ERR_USAGE || args.n_options != 0 ||
            args.options != NULL || args.operands != NULL)
            abort();
    }
    is_bytes(got.data, got.len, want, strlen(want), titled(line));
    options_release(&args);
    buf_release(&got);
}

static void test_shapes(void)
{
    parses(&run, "make -j4 --quiet", "| make -j4 --quiet");
    parses(&run, "-q -- -strange --quiet", "quiet | -strange --quiet");
    parses(&run, "-- --", "| --");
    parses(&run, "--dir /x sh -- --dir", "dir=/x:0 | sh -- --dir");
    parses(&run, "--dir=/x -- sh", "dir=/x:0 | sh");
    parses(&run, "--dir=a=b sh", "dir=a=b:0 | sh");
    parses(&run, "--dir --quiet sh", "dir=--quiet:0 | sh");
    parses(&run, "-qf sh", "quiet follow | sh");
    parses(&run, "-qd/x sh", "quiet dir=/x:0 | sh");
    parses(&run, "-qd /x sh", "quiet dir=/x:0 | sh");
    parses(&run, "-dq sh", "dir=q:0 | sh");
    parses(&run, "- x", "| - x");
    parses(&run, "'' x", "|  x");
    parses(&run, "-q -q -q -q -q sh", "quiet quiet quiet quiet quiet | sh");
    parses(&tail, "", "|");
    parses(&tail, "-fn 5 last", "follow lines=5:0 | last");
    parses(&tail, "-fn5 last", "follow lines=5:0 | last");
    parses(&tail, "last -f", "follow | last");
    parses(&tail, "-n +5", "lines=+5:0 |");
    parses(&tail, "-n -5", "lines=-5:0 |");
    parses(&tail, "-1", "| -1");
    parses(&tail, "-12 -f", "follow | -12");
    parses(&tail, "-f -- -f", "follow | -f");
    parses(&tail, "--lines=", "lines=:0 |");
    parses(&tail, "--lines ''", "lines=:0 |");
    parses(&tail, "-h a b c --nonsense", "help |");
    parses(&tail, "-q --help --nonsense", "help |");
    parses(&run, "--help", "help |");
}

static void test_values(void)
{
    parses(&run, "--id 01ARZ3NDEKTSV4RRFFQ69G5FAV x", "id=01ARZ3NDEKTSV4RRFFQ69G5FAV:0 | x");
    parses(&run, "--timeout 1h30m x", "timeout=1h30m:5400000000000 | x");
    parses(&run, "--timeout 1ms x", "timeout=1ms:1000000 | x");
    parses(&run, "--linger inf x", "linger=inf:-1 | x");
    parses(&run, "--linger 0 x", "linger=0:0 | x");
    parses(&run, "--max-log 64k x", "max-log=64k:65536 | x");
    parses(&run, "--limit 99 x", "limit=99:99 | x");
    parses(&run, "--tty never x", "tty=never:2 | x");
    parses(&run, "--redact off --redact on x", "redact=off:1 redact=on:0 | x");
    parses(&run, "--label a=1 --label _b.c-d= x", "label=a=1:0 label=_b.c-d=:0 | x");
    parses(&run, "--label a==b x", "label=a==b:0 | x");
}

#define BAD_ID ": expected 26 characters of 0-9A-HJKMNP-TV-Z, the first 0-7"
#define BAD_DURATION ": expected 90, 90s, 5m or 1h30m"
#define BAD_SIZE ": expected 4096, 64k, 10M or 2G"
#define BAD_LABEL ": expected KEY=VALUE, KEY a letter or _ and up to 63 of A-Za-z0-9_.-"

static void test_bad_values(void)
{
    parses(&run, "--id x y", "--id: bad id 'x'" BAD_ID);
    parses(&run, "--id= y", "--id: bad id" BAD_ID);
    parses(&run, "--id 01arz3ndektsv4rrffq69g5fav y",
           "--id: bad id '01arz3ndektsv4rrffq69g5fav'" BAD_ID);
    parses(&run, "--id 81ARZ3NDEKTSV4RRFFQ69G5FAV y",
           "--id: bad id '81ARZ3NDEKTSV4RRFFQ69G5FAV'" BAD_ID);
    parses(&run, "--id ../../../../../../etc/passw y",
           "--id: bad id '../../../../../../etc/passw'" BAD_ID);
    parses(&run, "--timeout 5x y", "--timeout: bad duration '5x'" BAD_DURATION);
    parses(&run, "--timeout '' y", "--timeout: bad duration" BAD_DURATION);
    parses(&run, "--timeout inf y", "--timeout: bad duration 'inf'" BAD_DURATION);
    parses(&run, "--timeout -5 y", "--timeout: bad duration '-5'" BAD_DURATION);
    parses(&run, "--timeout 0 y", "--timeout: bad duration '0': must be at least 1ms");
    parses(&run, "--linger soon y", "--linger: bad duration 'soon': expected 90, 90s, 5m, 1h30m or inf");
    parses(&run, "--max-log 10Q y", "--max-log: bad size '10Q'" BAD_SIZE);
    parses(&run, "--max-log 1k y", "--max-log: bad size '1k': must be at least 64k");
    parses(&run, "--limit 1x y", "--limit: bad number '1x': expected digits only");
    parses(&run, "--limit -1 y", "--limit: bad number '-1': expected digits only");
    parses(&run, "--limit 0 y", "--limit: bad number '0': must be at least 1");
    parses(&run, "--limit 100 y", "--limit: bad number '100': must be at most 99");
    parses(&run, "--limit 99999999999999999999 y",
           "--limit: bad number '99999999999999999999': expected digits only");
    parses(&run, "--tty auto y", "--tty: bad value 'auto': not supported yet, only 'never'");
    parses(&run, "--tty maybe y", "--tty: bad value 'maybe': expected 'never'");
    parses(&run, "--redact onn y", "--redact: bad value 'onn': expected 'on' or 'off'");
    parses(&run, "--redact '' y", "--redact: bad value: expected 'on' or 'off'");
    parses(&run, "--label novalue y", "--label: bad label 'novalue'" BAD_LABEL);
    parses(&run, "--label =v y", "--label: bad label '=v'" BAD_LABEL);
    parses(&run, "--label 1a=v y", "--label: bad label '1a=v'" BAD_LABEL);
    parses(&run, "--label a/b=v y", "--label: bad label 'a/b=v'" BAD_LABEL);
    parses(&run, "--dir '' y", "empty value of option: --dir");
    parses(&run, "--dir 123456789 y", "value too long: --dir takes at most 8 bytes");
    /* An option that is overridden later must be sound all the same. */
    parses(&run, "--timeout 5x --timeout 5s y", "--timeout: bad duration '5x'" BAD_DURATION);
}

static void test_bad_words(void)
{
    parses(&run, "--tiemout 5 y", "unknown option '--tiemout': did you mean '--timeout'?");
    parses(&run, "--tiemout=5 y", "unknown option '--tiemout': did you mean '--timeout'?");
    parses(&run, "-timeout 5 y", "unknown option '-timeout': did you mean '--timeout'?");
    parses(&run, "--li 5 y", "unknown option '--li': did you mean '--linger', '--lines' or '--limit'?");
    parses(&run, "--red y", "unknown option '--red': did you mean '--redact' or '--redact-generic'?");
    parses(&run, "--xyzzy y", "unknown option '--xyzzy': see 'buildlog help try'");
    parses(&run, "--= y", "unknown option '--': see 'buildlog help try'");
    parses(&run, "-x y", "unknown option '-x': see 'buildlog help try'");
    parses(&run, "-qx y", "unknown option '-x': see 'buildlog help try'");
    parses(&run, "-1 y", "unknown option '-1': see 'buildlog help try'");
    parses(&tail, "-1x", "unknown option '-1x': see 'buildlog help look'");
    parses(&run, "--quiet=1 y", "option takes no value '--quiet=1': write '--quiet'");
    parses(&run, "--redact-generic y", "cannot use option '--redact-generic': not supported yet");
    parses(&run, "--timeout", "missing value of option '--timeout': expected D");
    parses(&tail, "-fn", "missing value of option '-n': expected N");
    parses(&run, "", "missing operand: usage: buildlog try [options] cmd");
    parses(&run, "-q", "missing operand: usage: buildlog try [options] cmd");
    parses(&run, "-q --", "missing operand: usage: buildlog try [options] cmd");
    parses(&tail, "a b", "extra operand 'b': usage: buildlog look [id]");
    parses(&tail, "-1 -2", "extra operand '-2': usage: buildlog look [id]");
    parses(&run, "--qu\033et y", "unknown option '--qu\\x1bet': did you mean '--quiet'?");
}

static void test_find(void)
{
    char a[] = "--redact", b[] = "off", c[] = "on", d[] = "x";
    char *argv[] = {a, b, a, c, d, NULL};
    struct cmd_args args;
    struct err e;

    ok(options_parse(&run, argv, &args, &e) == ERR_NONE, "two of the same option");
    ok(options_find(&args, 10) == &args.options[1], "the last one counts");
    ok(options_find(&args, 2) == NULL, "one that was not given");
    options_release(&args);
}

static void test_long_words(void)
{
    static char name[3000];
    char operand[] = "x";
    char *argv[] = {name, operand, NULL};
    struct cmd_args args;
    struct err e;

    memset(name, '-', 2);
    memset(name + 2, 'n', sizeof(name) - 3);
    ok(options_parse(&run, argv, &args, &e) == ERR_USAGE, "an option of 3000 bytes");
    ok(strlen(e.subject) == ERR_SUBJECT_MAX - 1, "its name is cut in the message");
    memset(name, 'q', sizeof(name) - 1);
    name[0] = '-';
    ok(options_parse(&run, argv, &args, &e) == ERR_NONE && args.n_options == 2998,
       "2998 flags in one word");
    options_release(&args);
}

/* Every row of the real tables is sound. */
static void test_tables(void)
{
    for (size_t i = 0; i < n_commands; i++) {
        const struct command *c = &commands[i];
        bool good = c->main != NULL && c->summary[0] != '\0';

        for (size_t k = 0; k < c->n_options; k++) {
            const struct option_spec *a = &c->options[k];

            good = good && a->min <= a->max && (a->type == OPTION_FLAG) == (a->value_name == NULL);
            for (size_t m = 0; m < k; m++)
                good = good && a->id != c->options[m].id &&
                       (a->letter == 0 || a->letter != c->options[m].letter);
        }
        ok(good, "the table of %s", c->name);
    }
}

static void nearest_is(const char *word, const char *want)
{
    char text[160];
    struct nearest near;

    nearest_init(&near, word);
    for (const char *const *p = (const char *const[]){"run", "ls", "info", "tail", "stats", NULL};
         *p != NULL; p++)
        nearest_offer(&near, *p);
    is_str(nearest_text(&near, "", text, sizeof(text)), want, word);
}

static void test_nearest(void)
{
    nearest_is("rnu", "did you mean 'run'?");
    nearest_is("rum", "did you mean 'run'?");
    nearest_is("inf", "did you mean 'info'?");
    nearest_is("sl", "did you mean 'ls'?");
    nearest_is("taill", "did you mean 'tail'?");
    nearest_is("stat", "did you mean 'stats'?");
    nearest_is("", "");
    nearest_is("xyz", "");
    nearest_is("a-word-that-is-far-longer-than-any-command-could-be", "");
}

/* ---- configuration ---------------------------------------------------------------- */

static char scratch[64];

static void write_file(const char *path, const char *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) != 0)
        abort();
}

/* want: the value of dir, "-" for none, or what follows "cannot use configuration 'PATH': ". */
static void config_bytes(const char *data, size_t len, const char *want, const char *name)
{
    char path[128];
    struct config c = {0};
    struct err e;

    snprintf(path, sizeof(path), "%s/config.json", scratch);
    write_file(path, data, len);
    if (config_load_file(&c, path, &e) == ERR_NONE)
        is_str(c.dir != NULL ? c.dir : "-", want, name);
    else
        is_str(e.code == ERR_FORMAT && strcmp(e.subject, path) == 0 ? e.why : "another error",
               want, name);
    config_release(&c);
    unlink(path);
}

static void config_is(const char *text, const char *want)
{
    config_bytes(text, strlen(text), want, titled(text));
}

static void test_config(void)
{
    config_is("{}", "-");
    config_is("{\"dir\": \"/a\"}", "/a");
    config_is("\xef\xbb\xbf{\"dir\": \"/a\"}\n", "/a");
    config_is("// where\n{ /* \"dir\": 1, */ \"dir\": \"/a//b/*c*/\" } // end", "/a//b/*c*/");
    config_is("{\"dir\": \"/a\\\"//b\"}", "/a\"//b");
    config_is("{\"dir\": \"/a\", \"dir\": \"/b\"}", "/b");
    config_is("", "line 1: not valid JSON");
    config_is("{", "line 1: not valid JSON");
    config_is("{}\n{}", "line 2: not valid JSON");
    config_is("/* a\nb */\n{\"dir\": /a}", "line 3: not valid JSON");
    config_is("{} /* never closed", "line 1: not valid JSON");
    config_is("[1]", "expected a JSON object: {\"dir\": \"/path\"}");
    config_is("{\"dir\": 1}", "'dir' must be an absolute path");
    config_is("{\"dir\": null}", "'dir' must be an absolute path");
    config_is("{\"dir\": \"\"}", "'dir' must be an absolute path");
    config_is("{\"dir\": \"logs\"}", "'dir' must be an absolute path");
    config_is("{\"dri\": \"/a\"}", "unknown key 'dri', did you mean 'dir'?");
    config_is("{\"colour\": true}", "unknown key 'colour'");
    config_is("{\"\": true}", "unknown key ''");
    config_bytes("{\"dir\":\"/a\"}\0x", 14, "not text: it contains a NUL byte", "a NUL byte");
}

static ssize_t interrupted_read(int fd, void *data, size_t n)
{
    static int calls;

    if (calls++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return read(fd, data, n < 3 ? n : 3);
}

static ssize_t broken_read(int fd UNUSED, void *data UNUSED, size_t n UNUSED)
{
    errno = EIO;
    return -1;
}

static void test_config_files(void)
{
    char path[128];
    struct config c = {0};
    struct err e;
    struct sys_table saved = sys;

    snprintf(path, sizeof(path), "%s/none.json", scratch);
    ok(config_load_file(&c, path, &e) == ERR_NONE && c.dir == NULL, "a missing file is fine");
    snprintf(path, sizeof(path), "%s/none/none.json", scratch);
    ok(config_load_file(&c, path, &e) == ERR_NONE, "a missing directory is fine");
    ok(config_load_file(&c, scratch, &e) == ERR_FORMAT && strcmp(e.why, "not a regular file") == 0,
       "a directory is not");
    snprintf(path, sizeof(path), "%s/fifo", scratch);
    ok(mkfifo(path, 0600) == 0 && config_load_file(&c, path, &e) == ERR_FORMAT,
       "a FIFO is not, and does not hang");
    unlink(path);
    snprintf(path, sizeof(path), "%s/short.json", scratch);
    write_file(path, "{\"dir\":\"/a/b/c\"}", 16);
    sys.read = interrupted_read;
    ok(config_load_file(&c, path, &e) == ERR_NONE && strcmp(c.dir, "/a/b/c") == 0,
       "short and interrupted reads");
    sys.read = broken_read;
    ok(config_load_file(&c, path, &e) == ERR_SYSTEM && e.sys_errno == EIO &&
           strcmp(c.dir, "/a/b/c") == 0,
       "a read error is told, what was set stays");
    sys = saved;
    config_release(&c);
    unlink(path);
}

static void test_config_ceiling(void)
{
    size_t len = CONFIG_FILE_MAX + 1;
    char *data = malloc(len);

    if (data == NULL)
        abort();
    memset(data, ' ', len);
    config_bytes(data, len, "larger than 1048576 bytes, or out of memory", "a file of over 1 MiB");
    free(data);
}

/* The user's file is found through XDG_CONFIG_HOME, else HOME. */
static void test_config_places(void)
{
    char path[128];
    struct config c;
    struct err e;

    if (access(WHERE_SYSTEM_FILE, F_OK) == 0) {
        ok(true, "the user's file # SKIP this system has a configuration of its own");
        return;
    }
    snprintf(path, sizeof(path), "%s/buildlog", scratch);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/buildlog/config.json", scratch);
    write_file(path, "{\"dir\":\"/from/xdg\"}", 19);
    setenv("XDG_CONFIG_HOME", scratch, 1);
    ok(config_load(&c, &e) == ERR_NONE && c.dir != NULL && strcmp(c.dir, "/from/xdg") == 0,
       "XDG_CONFIG_HOME");
    config_release(&c);
    setenv("XDG_CONFIG_HOME", "relative", 1);
    setenv("HOME", scratch, 1);
    ok(config_load(&c, &e) == ERR_NONE && c.dir == NULL, "a relative XDG_CONFIG_HOME is ignored");
    config_release(&c);
    unlink(path);
    snprintf(path, sizeof(path), "%s/buildlog", scratch);
    rmdir(path);
}

/* ---- messages --------------------------------------------------------------------- */

static char said[8192];
static size_t said_len;
static int said_calls;

static ssize_t hear(int fd, const void *data, size_t n)
{
    said_calls++;
    if (said_calls == 1) {
        errno = EINTR;
        return -1;
    }
    if (fd != STDERR_FILENO || said_len + n > sizeof(said))
        abort();
    memcpy(said + said_len, data, n);
    said_len += n;
    return (ssize_t)n;
}

static void warns(const struct command *c, const char *text, const char *want)
{
    struct sys_table saved = sys;

    said_len = 0;
    said_calls = 0;
    sys.write = hear;
    errno = 0;
    cmd_warn(c, "%s", text);
    sys = saved;
    is_bytes(said, said_len, want, strlen(want), titled(text));
    ok(said_calls == 2 && errno == 0, "one write, repeated when interrupted, errno kept");
}

static void test_warn(void)
{
    static char long_text[9000];

    warns(NULL, "plain", "buildlog: plain\n");
    warns(&run, "of a command", "buildlog try: of a command\n");
    warns(NULL, "a\nb\033[31m\x7f\xc2\x9b", "buildlog: a\\x0ab\\x1b[31m\\x7f\\xc2\\x9b\n");
    /* A token, in two pieces so that no scanner takes this file for one. */
    warns(NULL, "bad label 'gh" "p_0123456789abcdefghijABCDEFGHIJ012345'",
          "buildlog: bad label 'ghp_[REDACTED]'\n");
    memset(long_text, '\n', sizeof(long_text) - 1);
    said_len = 0;
    struct sys_table saved = sys;
    sys.write = hear;
    cmd_warn(NULL, "%s", long_text);
    sys = saved;
    ok(said_len < 2048 && memchr(said, '\n', said_len) == said + said_len - 1,
       "a long message is cut and still one line");
}

int main(void)
{
    snprintf(scratch, sizeof(scratch), "/tmp/bl-options.XXXXXX");
    if (mkdtemp(scratch) == NULL)
        abort();
    test_shapes();
    test_values();
    test_bad_values();
    test_bad_words();
    test_find();
    test_long_words();
    test_tables();
    test_nearest();
    test_config();
    test_config_files();
    test_config_ceiling();
    test_config_places();
    test_warn();
    rmdir(scratch);
    return done();
}
