#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libbuildlog is installed with its header and its pkg-config file, and a program that is compiled
against them, with the shared library or the archive, gets the records that `buildlog query -o
jsonl` shows, whatever is asked. It exports what buildlog.map lists and nothing else, has no state,
and refers to nothing by which a library would end or speak for its host."""
import glob
import gzip
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import handmade
import libuser

T0 = 1_767_323_045_678  # 2026-01-02T03:04:05.678Z
DAY = 86_400_000


def lines_of(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


# ---- what is installed -------------------------------------------------------------------------

done = libuser.make("install")
bl.equal((done.returncode, done.stderr), (0, ""), "make install")
for name in ("include/buildlog.h", "lib/libbuildlog.a", "lib/libbuildlog.so",
             "lib/libbuildlog.so.0", "lib/pkgconfig/libbuildlog.pc",
             "share/man/man3/libbuildlog.3"):
    bl.ok(os.path.exists(os.path.join(libuser.TOP, "usr", name)), name)
SO = os.path.realpath(os.path.join(libuser.LIB, "libbuildlog.so"))
A = os.path.join(libuser.LIB, "libbuildlog.a")
bl.ok(any("SONAME" in line and "[libbuildlog.so.0]" in line
          for line in lines_of(["readelf", "-d", SO])), "the soname is libbuildlog.so.0")

with open(os.path.join(bl.ROOT, "src", "lib", "buildlog.map"), encoding="utf-8") as file:
    LISTED = sorted(re.findall(r"^ +(buildlog_\w+);$", file.read(), re.M))
with open(os.path.join(bl.ROOT, "src", "lib", "buildlog.h"), encoding="utf-8") as file:
    HEADER = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
DECLARED = sorted(re.findall(r"BUILDLOG_API\s[^;]*?\b(buildlog_\w+)\(", HEADER))
bl.equal(DECLARED, LISTED, "buildlog.map lists what buildlog.h declares")

dynamic = [line.split() for line in lines_of(["nm", "-D", "--defined-only", SO])]
bl.equal(sorted(name.split("@@")[0] for _, kind, name in dynamic if kind == "T"), LISTED,
         "the shared library exports that")
bl.equal([name for _, kind, name in dynamic if kind != "T" and name != "BUILDLOG_0.1"], [],
         "and nothing else")
bl.ok(all(name.endswith("@@BUILDLOG_0.1") for _, kind, name in dynamic if kind == "T"),
      "with a version", dynamic[:3])
archived = [words for words in map(str.split, lines_of(["nm", "--defined-only", A]))
            if len(words) == 3]
if bl.SANITIZED:
    bl.skip("so does the archive", "sanitizers add theirs")
    bl.skip("there are no variables", "sanitizers add theirs")
else:
    bl.equal(sorted(name for _, kind, name in archived if kind.isupper()), LISTED,
             "so does the archive")
    # The start-up files and libgcc (which asks the processor what it can do) have some.
    variables = [line.split() for line in lines_of(["objdump", "-t", SO])
                 if re.search(r"\s\.(data|bss|tdata|tbss)\s", line)]
    bl.equal(sorted({words[-1] for words in variables} -
                    {".data", ".bss", ".tdata", ".tbss", "completed.0", "__dso_handle",
                     "__TMC_END__", "__cpu_model", "__cpu_features2"}), [],
             "there are no variables")

FORBIDDEN = {"exit", "_exit", "_Exit", "abort", "__assert_fail", "quick_exit", "printf", "puts",
             "putchar", "fprintf", "vprintf", "vfprintf", "dprintf", "perror", "__printf_chk",
             "__fprintf_chk", "__vfprintf_chk", "__dprintf_chk", "fwrite", "fputs", "fputc",
             "stdout", "stderr", "signal", "sigaction", "sigprocmask", "pthread_sigmask",
             "signalfd", "raise", "kill", "alarm", "setitimer", "setlocale", "setenv", "putenv", "unsetenv", "fork", "execve",
             "pthread_create", "umask", "chdir", "atexit", "__cxa_atexit", "srand", "rand",
             "strtok", "getpwuid", "localtime", "gmtime", "ctime", "asctime"}
for what, path in (("shared library", ["-D", SO]), ("archive", [A])):
    used = {line.split()[-1].split("@")[0] for line in lines_of(["nm", "-u", *path]) if line}
    bl.ok("malloc" in used, f"nm shows what the {what} uses")
    bl.equal(sorted(used & FORBIDDEN), [], f"the {what} cannot end, print, fork, signal …")

# ---- the header --------------------------------------------------------------------------------

for compiler, *flags in (("gcc", "-std=c99"), ("clang", "-std=c99"), ("g++", "-x", "c++"),
                         ("clang++", "-x", "c++")):
    if not shutil.which(compiler):
        bl.skip(f"{compiler} takes buildlog.h", f"no {compiler}")
        continue
    language = [] if "-x" in flags else ["-x", "c"]
    done = subprocess.run([compiler, *flags, *language, "-pedantic", "-Wall", "-Wextra", "-Werror",
                           "-fsyntax-only", f"-I{libuser.TOP}/usr/include", "-"],
                          input="#include <buildlog.h>\n#include <buildlog.h>\n", text=True,
                          capture_output=True, check=False)
    if compiler == "clang++" and "C++" in done.stderr and "not" in done.stderr:
        bl.skip("clang++ takes buildlog.h", "no C++ library")
        continue
    bl.equal((done.returncode, done.stderr), (0, ""), f"{compiler} takes buildlog.h")

# ---- the manual --------------------------------------------------------------------------------

with open(os.path.join(bl.ROOT, "man", "libbuildlog.3"), encoding="utf-8") as file:
    PAGE = file.read()


def words_of(text):
    return " ".join(re.findall(r"\w+|[^\w\s]", text))


declared = {match[2]: (words_of(match[1]), words_of(match[3])) for match in re.finditer(
    r"BUILDLOG_API\s+([^;#]*?)\b(buildlog_\w+)\(([^;]*?)\)[^;()]*;", HEADER)}
shown = {}
for match in re.finditer(r'^\.Ft "(.*)"\n'
                         r'(?:\.Fn (\w+) (.*)|\.Fo (\w+)\n((?:\.Fa .*\n)+)\.Fc)$', PAGE, re.M):
    arguments = ", ".join(re.findall(r'"(.*?)"', match[3] or match[5]))
    shown[match[2] or match[4]] = (words_of(match[1]), words_of(arguments))
bl.equal(sorted(declared), LISTED, "all declarations are found")
bl.equal(shown, declared, "libbuildlog(3) declares what the header does")
constants = set(re.findall(r"\bBUILDLOG_(?:FILTER|OPTION|ERROR)_[A-Z_]+\b", HEADER))
constants -= {"BUILDLOG_ERROR_TEXT"}
bl.equal(sorted(constants - set(re.findall(r"^\.It Dv (\w+)$", PAGE, re.M))), [],
         "and names every filter, option and error")
program = re.search(r"^\.Sh EXAMPLES.*?^\.Bd [^\n]*\n(.*?)^\.Ed$", PAGE, re.M | re.S)[1]
program = program.replace("\\e", "\\")
source = bl.temp("manual") + ".c"
with open(source, "w", encoding="utf-8") as file:
    file.write(program)
done = subprocess.run([libuser.CC, "-std=c99", "-Wall", "-Wextra", "-Werror", *libuser.SANITIZE,
                       "-o", source[:-2], source, *libuser.pkg_config("--cflags", "--libs")],
                      capture_output=True, text=True, check=False)
bl.equal((done.returncode, done.stderr), (0, ""), "its example compiles")
MANUAL = libuser.Example(source[:-2])

# ---- a program ---------------------------------------------------------------------------------

bl.equal(libuser.pkg_config("--cflags", "--libs"),
         [f"-I{libuser.TOP}/usr/include", f"-L{libuser.LIB}", "-lbuildlog"], "pkg-config")
programs = []
for what, (path, said) in (("shared library", libuser.shared()), ("archive", libuser.static())):
    if bl.ok(path is not None, f"the example compiles with the {what}", said):
        programs.append(libuser.Example(path))
if len(programs) != 2:
    bl.done()
SHARED, STATIC = programs
bl.ok(any("libbuildlog.so.0" in line for line in lines_of(["readelf", "-d", SHARED.path])) and
      not any("libbuildlog" in line for line in lines_of(["readelf", "-d", STATIC.path])),
      "one of them needs the shared library")


def ask(program, *words, **more):
    done = program.run(*words, **more)
    return done.stdout, done.stderr, done.returncode


with open(os.path.join(bl.ROOT, "Makefile"), encoding="utf-8") as file:
    VERSION = re.search(r"^VERSION\s*=\s*(\S+)$", file.read(), re.M).group(1)
major, minor, patch = map(int, VERSION.split("."))
NUMBER = major * 1000000 + minor * 1000 + patch
for program in programs:
    bl.equal(ask(program, "version"), (f"{VERSION} {NUMBER} {NUMBER}\n".encode(), b"", 0),
             "the version is that of the Makefile")


def make_store(store):
    """Three builds: with everything, running over several reads of the file, and compressed."""
    first = handmade.ulid(T0, "A")
    r = handmade.Records(first, T0)
    data = r.start(labels={"branch": "main", "tool": "make"})
    data += r.line("compiling main.c")
    data += r.line("main.c:3:1: error: expected ';'", src="stderr")
    r.ms += 1000
    data += r.line("\x1b[33mwarning:\x1b[0m \"quoted\" \\ and é")
    data += r.event("stall", idleMs=5)
    data += r.event("step", level="info", component="emit", data={"tool": "cc", "session": "s1"})
    data += r.gap(3, 2)
    data += r.line("conection refused")
    data += r.line(None, len=7)
    data += r.line("nul\0and \U0001f600")
    data += r.line("last line")
    store.put(first, data + r.end("failed", exitCode=2))
    second = handmade.ulid(T0 + DAY, "B")
    r = handmade.Records(second, T0 + DAY)
    data = r.start(labels={"branch": "dev", "session": "s2"})
    for n in range(12000):
        r.ms += n % 3
        data += r.line(f"line {n}: " + "x" * (n % 97), src="stderr" if n % 7 == 0 else "stdout")
    store.put(second, data + r.end("ok"))
    # Larger than what is kept of a compressed log at once, for the way back.
    third = handmade.ulid(T0 + 2 * DAY, "C")
    r = handmade.Records(third, T0 + 2 * DAY)
    data = r.start()
    for n in range(3000):
        data += r.line(f"packed {n}: " + "y" * 7000 if n % 2 else f"line {n}")
    store.put(third, gzip.compress(data + r.end("failed", exitCode=1), 1), suffix=".log.gz")
    return first, second, third


# What is asked of both: (words of the library, words of the command).
ASKED = (
    ((), ()),
    (("reverse:1",), ("-r",)),
    (("build=last",), ("last",)),
    (("build=-2", "build=-3"), ("-2", "-3")),
    (("word=main.c",), ("-k", "main.c")),
    (("word=main.c", "src=stderr"), ("-k", "main.c", "--src", "stderr")),
    (("regex=^line 1[0-9]{3}:",), ("-g", "^line 1[0-9]{3}:")),
    (("regex=^LINE 77", "icase:1", "reverse:1"), ("-g", "^LINE 77", "-i", "-r")),
    (("regex=main.c|refused", "reverse:1", "limit:2"),
     ("-g", "main.c|refused", "-r", "--limit", "2")),
    (("word=connection", "fuzzy:1"), ("-k", "connection", "--fuzzy", "1")),
    (("level:5",), ("-l", "error")),
    (("level:4", "reverse:1"), ("-l", "warn", "-r")),
    (("event=stall", "event=step"), ("--event", "stall", "--event", "step")),
    (("tool=cc",), ("--tool", "cc")),
    (("session=s2", "limit:5"), ("--session", "s2", "--limit", "5")),
    (("status=failed",), ("--status", "failed")),
    (("status=ok", "status=lost", "word=line 5"),
     ("--status", "ok", "--status", "lost", "-k", "line 5")),
    (("label=branch=main",), ("--label", "branch=main")),
    (("label=branch=main", "label=branch=dev", "word=7"),
     ("--label", "branch=main", "--label", "branch=dev", "-k", "7")),
    (("label=branch=dev", "label=session=s1"), ("--label", "branch=dev", "--label", "session=s1")),
    ((f"since:{T0 + DAY}", f"until:{T0 + DAY + 3000}"),
     ("--since", handmade.rfc3339(T0 + DAY), "--until", handmade.rfc3339(T0 + DAY + 3000))),
    (("word=packed", "reverse:1"), ("-k", "packed", "-r")),
    (("word=packed 2", "reverse:1", "limit:7"), ("-k", "packed 2", "-r", "--limit", "7")),
    (("word=nowhere",), ("-k", "nowhere")),
    (("word=é",), ("-k", "é")),
    (("regex=and .\\. *$",), ("-g", "and .\\. *$")),
    (("regex=and ..$",), ("-g", "and ..$")),
)

with handmade.Store() as store:
    FIRST, SECOND, THIRD = make_store(store)
    for words, options in ASKED:
        want = store.run("query", *options, "-o", "jsonl")
        got = ask(SHARED, "query", store.root, *words, LANG="C.UTF-8")
        bl.ok(want.returncode in (0, 1) and (want.stdout != b"") == (want.returncode == 0) and
              got == (want.stdout, b"", 0),
              f"{' '.join(words) or 'everything'}: {want.stdout.count(10)} records, as query has them",
              want.stderr, len(got[0]), got[0][:300], got[1:], want.stdout[:300])
    for words in ((), ("reverse:1", "word=line")):
        bl.equal(ask(STATIC, "query", store.root, *words), ask(SHARED, "query", store.root, *words),
                 f"the archive says the same: {' '.join(words) or 'everything'}")

    # Behind a number, from either end.
    whole = ask(SHARED, "query", store.root, f"build={SECOND}")[0].splitlines(True)
    packed = ask(SHARED, "query", store.root, f"build={THIRD}")[0].splitlines(True)
    bl.equal((len(whole), len(packed)), (12000, 3000), "two builds have so many records")
    for after in (0, 1, 5999, 11999, 12000):
        bl.equal(ask(SHARED, "query", store.root, f"build={SECOND}", f"after_seq:{after}"),
                 (b"".join(whole[after:]), b"", 0), f"after_seq {after}")
        bl.equal(ask(SHARED, "query", store.root, f"build={SECOND}", f"after_seq:{after}",
                     "reverse:1"), (b"".join(reversed(whole[after:])), b"", 0), "and backwards")
    bl.equal(ask(SHARED, "query", store.root, f"build={THIRD}", "after_seq:1000", "reverse:1"),
             (b"".join(reversed(packed[1000:])), b"", 0), "and through a compressed log")

    def members(*words):
        got = ask(SHARED, "records", store.root, *words)
        bl.equal(got[1:], (b"", 0), f"records {' '.join(words)}"[:60])
        return got[0].decode().splitlines()

    bl.equal(members(f"build={FIRST}"), [
        f"{FIRST} 1 info 1 1 {T0} stdout - 0 0 16 compiling main.c",
        f"{FIRST} 1 error 2 2 {T0} stderr - 0 0 31 main.c:3:1: error: expected ';'",
        f"{FIRST} 1 warn 3 3 {T0 + 1000} stdout - 0 0 35 \x1b[33mwarning:\x1b[0m \"quoted\" \\ and é",
        f"{FIRST} 2 warn 4 4 {T0 + 1000} - stall 0 0 0 ",
        f"{FIRST} 2 info 5 5 {T0 + 1000} - step 0 0 0 ",
        f"{FIRST} 3 warn 6 8 {T0 + 1000} - - 2 0 0 ",
        f"{FIRST} 1 info 9 9 {T0 + 1000} stdout - 0 0 17 conection refused",
        f"{FIRST} 1 info 10 10 {T0 + 1000} stdout - 0 0 7 ",
        f"{FIRST} 1 info 11 11 {T0 + 1000} stdout - 0 0 12 nul\0and \U0001f600",
        f"{FIRST} 1 info 12 12 {T0 + 1000} stdout - 0 0 9 last line"], "each member of a record")
    bl.equal(members(f"build={FIRST}", "word=connection", "fuzzy:2"), [
        f"{FIRST} 1 info 9 9 {T0 + 1000} stdout - 0 1 17 conection refused"],
        "an approximate match has its changes")

    # The same in locales that take bytes for characters, or commas for points.
    for locale in ("C", "C.UTF-8", "de_DE.UTF-8"):
        bl.equal(ask(SHARED, "query", store.root, "regex=and ..$", LC_ALL=locale)[0],
                 ask(SHARED, "query", store.root, "word=\"quoted\"", LC_ALL="C")[0],
                 f"a byte is a character in {locale}, too")

    # ---- builds --------------------------------------------------------------------------------

    shown = ask(SHARED, "builds", store.root)
    bl.equal(shown, (
        f"{THIRD} 3 failed {T0 + 2 * DAY} 1500 3000 make -j2\n"
        f"{SECOND} 3 ok {T0 + DAY} 1500 12000 make -j2\n"
        f"{FIRST} 3 failed {T0} 1500 12 make -j2\n".encode(), b"", 0), "builds, newest first")
    bl.equal([line.split()[0] for line in shown[0].decode().splitlines()],
             [line.split()[0] for line in
              store.run("ls", "-o", "ids").stdout.decode().splitlines()],
             "as ls has them")
    bl.equal(ask(SHARED, "build", store.root, FIRST)[0].decode(),
             f"{FIRST}\n{store.path(FIRST)}\n3 failed\n"
             f"started {T0} ended {T0 + 2500} exit 2\ncwd /src none -\nlines 12 none -7\n"
             "complete 1 tty 0 none -1\nword make\nword -j2\nlabel branch=main\nlabel tool=make\n",
             "all that is known of a build")
    bl.equal(ask(SHARED, "build", store.root, "last-passed")[0].split(b"\n")[0], SECOND.encode(),
             "last-passed")
    bl.equal(ask(SHARED, "errors", store.root, FIRST)[0].decode(),
             "first cause cc main.c:3:1  2-2 1 expected ';'\n", "errors")
    bl.equal(ask(SHARED, "errors", store.root, SECOND), (b"", b"", 0), "none")
    threads = SHARED.run("threads", store.root, SECOND)
    bl.ok(threads.returncode == 0 and int(threads.stdout) > 0, "several threads at once, one store",
          threads)

    bl.equal(MANUAL.run(BUILDLOG_DIR=store.root).stdout, b"", "the manual's example: no errors")
    old = os.path.join(store.top, "old")
    shutil.copytree(os.path.join(store.root, "builds"), os.path.join(old, "builds"))
    os.unlink(os.path.join(old, os.path.relpath(store.path(THIRD, ".log.gz"), store.root)))
    bl.equal(MANUAL.run(BUILDLOG_DIR=old).stdout.decode(),
             "error: main.c:3:1: error: expected ';'\n"
             "warn: \x1b[33mwarning:\x1b[0m \"quoted\" \\ and é\nwarn: \nwarn: \n",
             "and where there are some")

    # ---- a build that writes faster than its records are taken ----------------------------------

    running = handmade.ulid(T0 + 3 * DAY, "D")
    r = handmade.Records(running, T0 + 3 * DAY)
    writer = handmade.Writer(store, running)
    writer.write(r.start() + b"".join(r.line(f"line {n} " + "x" * 1000) for n in range(2000)))
    with subprocess.Popen(SHARED.command("query", store.root, f"build={running}"),
                          env=SHARED.env(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as child:
        got = os.read(child.stdout.fileno(), 1)  # the search has begun, and soon waits for us
        writer.write(b"".join(r.line(f"later {n}") for n in range(1000)))
        got += child.stdout.read()
        bl.equal((child.wait(), got.count(b"\n")), (0, 2000), "of a running build as of now")
    bl.equal(ask(SHARED, "query", store.root, f"build={running}")[0].count(b"later"), 1000,
             "and later with what came meanwhile")
    writer.close()
    os.unlink(store.path(running))

    # ---- which store ---------------------------------------------------------------------------

    env = {"BUILDLOG_DIR": store.root}
    bl.equal(ask(SHARED, "builds", "-", **env), shown, "the default store: $BUILDLOG_DIR")
    home = bl.temp("home")
    os.makedirs(os.path.join(home, ".config", "buildlog"))
    config = os.path.join(home, ".config", "buildlog", "config.json")

    def configured(text):
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        return ask(SHARED, "builds", "-", HOME=home)

    bl.equal(configured('{"dir": "%s", // where\n "redact": {"off": ["x"]}}' % store.root), shown,
             "the configuration's dir")
    bl.equal(configured('{"dir": "store"}')[1:],
             (f"-6: cannot use configuration '{config}': 'dir' must be an absolute path\n".encode(),
              1), "which must be absolute")
    bl.equal(configured('{"dir": ')[1:],
             (f"-6: cannot use configuration '{config}': line 1: not valid JSON\n".encode(), 1),
             "and the file valid")

    # ---- errors --------------------------------------------------------------------------------

    none = os.path.join(store.top, "none")
    for words, said in (
            (("builds", none), f"-5: cannot open '{none}': No such file or directory"),
            (("build", store.root, "nothing!"),
             "-3: cannot find build 'nothing!': not an id, its beginning or end, last, "
             "last-failed, last-passed or -N"),
            (("build", store.root, handmade.ulid(T0, "X")),
             f"-5: cannot find build '{handmade.ulid(T0, 'X')}': not in this store"),
            (("query", store.root, "regex=("),
             "-3: bad regular expression '(': Missing ')' (byte 1)"),
            (("query", store.root, "label=x"), "-3: cannot ask for records 'x': want key=value"),
            (("query", store.root, "other=x"), "-3: cannot ask for records 'x': no such filter"),
            (("query", store.root, "other:1"), "-3: cannot ask for records: no such option"),
            (("query", store.root, "fuzzy:17"),
             "-3: cannot ask for records: a value that this option cannot have"),
            (("query", store.root, "build=01"),
             f"-4: cannot find build '01': it stands for 3 builds: {THIRD}, {SECOND}, {FIRST}"),
            (("errors", store.root, "-9"), "-5: cannot find build '-9': this store has only 3"),
            (("follow", store.root, "-9"), "-5: cannot find build '-9': this store has only 3")):
        bl.equal(ask(SHARED, *words), (b"", f"{said}\n".encode(), 1), f"an error: {said[:50]}")

    # What cannot be read is told, and what follows is read all the same.
    planted = handmade.ulid(T0 + DAY // 2, "D")
    os.makedirs(os.path.dirname(store.path(planted)), exist_ok=True)
    os.symlink("/etc/passwd", store.path(planted))
    for words, lines in (((), 15010), (("reverse:1",), 15010)):
        got = ask(SHARED, "query", store.root, *words)
        bl.ok(got[0].count(b"\n") == lines and got[1].count(b"\n") == 1 and
              planted.encode() in got[1] and got[1].startswith(b"-4: ") and got[2] == 1,
              f"a build that cannot be read is told {' '.join(words)}", got[1:])
    got = ask(SHARED, "builds", store.root)
    bl.ok(got[0] == shown[0] and planted.encode() in got[1] and got[2] == 1, "in lists, too", got)
    os.unlink(store.path(planted))

    # Torn, damaged, foreign: as far as it is sound.
    torn = handmade.ulid(T0 + 3 * DAY, "E")
    r = handmade.Records(torn, T0 + 3 * DAY)
    store.put(torn, r.start() + r.line("one") + b"{\"kind\":\n" + r.line("two") +
              handmade.encode({"kind": "new", "buildId": torn, "what": 1}) + r.line("three")[:-9])
    for words, texts in (((), [b'"one"', b'"two"']), (("reverse:1",), [b'"two"', b'"one"'])):
        got = ask(SHARED, "query", store.root, f"build={torn}", *words)
        size = len(r.line("three")) - 9
        bl.ok([text in line for text, line in zip(texts, got[0].splitlines())] == [True, True] and
              got[2] == 0 and got[1].decode().split()[-1] == str(size),
              f"a log without an end {' '.join(words)}", got, size)
    bl.equal(ask(SHARED, "build", store.root, torn)[0].decode().split("\n")[2], "2 lost", "is lost")
    bl.equal(ask(SHARED, "follow", store.root, torn)[1].decode(), f"{torn} state 2\n",
             "following it ends at once")

done = libuser.make("uninstall")
left = [path for path in glob.glob(os.path.join(libuser.TOP, "**"), recursive=True)
        if not os.path.isdir(path)]
bl.equal((done.returncode, left), (0, []), "make uninstall takes all of it away")
bl.done()
