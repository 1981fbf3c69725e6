#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog show: never longer than the budget, what matters most first, and everything that is
left out can be had by the commands that it names."""
import os
import re
import shlex
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678  # 2026-01-02
HINT = re.compile(r"(?:not shown: |bytes: )(buildlog show [^)\n]*)")


def put(store, lines, status="failed", start=None, **end):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start(**(start or {}))
    for line in lines:
        data += line(r) if callable(line) else r.line(line)
    store.put(build, data + r.end(status, **{"exitCode": 2, **end}))
    return build


def show(store, *words):
    got = store.run("show", *words)
    if got.returncode != 0 or got.stderr:
        t.ok(False, f"show {words}", got)
    return got.stdout.decode()


def numbers(out):
    return [int(n) for n in re.findall(r"^[> ] *(\d+) ", out, re.M)]


LONG = [f"compiling file number {n}" for n in range(1, 2001)] + \
    ["main.c:4:10: error: 'x' undeclared", "    4 |   return x;"] + \
    [f"cleaning up {n}" for n in range(1, 2001)] + ["make: *** [Makefile:2: all] Error 1"]


def parts(store):
    build = put(store, LONG)
    out = show(store)
    t.ok(out.startswith(f"build {build}: failed (exit 2), 1.5s, 4003 records\ncommand: make -j2\n"
                        "directory: /src\nfirst error: cc: main.c:4:10: 'x' undeclared\n\n"
                        f"… 1992 records not shown: buildlog show {build} --seq 1-1992\n"
                        "     1993 compiling"), "the head, and the first error's surroundings", out)
    t.ok(">    2001 main.c:4:10: error:" in out, "the error is marked", out)
    t.ok(out.endswith("     4003 make: *** [Makefile:2: all] Error 1\n"), "the end", out[-300:])
    t.ok(12 << 10 < len(out.encode()) <= 16 << 10, "16k by default, used well", len(out.encode()))
    t.equal(numbers(out), sorted(set(numbers(out))), "no record twice, all in order")
    put(store, LONG[:20])
    out = show(store)
    t.ok("not shown" not in out and numbers(out) == list(range(1, 21)), "all of it where it fits", out)
    t.ok("first error: none recognised\n" in out, "no error is said", out)
    put(store, [])
    t.equal(len(show(store).splitlines()), 5, "an empty build")


def budgets(store):
    logs = {
        "long": LONG,
        "long lines": ["y" * 5000 + str(n) for n in range(300)] + ["a.c:1:1: error: " + "z" * 9000] +
                      ["w" * 20000] * 3,
        "one long line": ["x" * 200000],
        "hostile": ["\x1b[2J\u202e\u009b" * 50 + "\n::error::x"] * 400 + ["\x01" * 3000 + ": error: x"],
        "wide": ["\u5b57\U0001f600" * 300] * 100,
        "gaps": [lambda r: r.line("a"), lambda r: r.gap(50, 40), lambda r: r.event("orphan", pid=7)] * 300,
    }
    long_start = {"cmd": ["make", "'" * 4000, "\u202e" * 4000], "cwd": "/\u202e" * 2000}
    for name, lines in logs.items():
        for start in ({}, long_start):
            put(store, lines, start=start)
            for budget in ("1k", "1500", "2k", "4k", "9999", "64k", "300k"):
                size = int(budget[:-1]) << 10 if budget.endswith("k") else int(budget)
                got = store.run("show", "--budget", budget)
                bad = [line for line in got.stdout.decode().splitlines()
                       if line.lstrip().startswith(("::", "##["))]
                t.ok(got.returncode == 0 and 0 < len(got.stdout) <= size and got.stderr == b"" and
                     not bad and not re.search(b"[\x00-\x08\x0b-\x1f\x7f]", got.stdout),
                     f"{name}: {'long head, ' if start else ''}{budget}", (len(got.stdout), got))


def everything_addressable(store):
    """Follows every command that is named, until nothing is left out."""
    lines = [f"line {n}" for n in range(1, 400)] + ["a.c:1:1: error: x"] + \
        ["long " + "x" * n * 100 + " end" for n in range(1, 60)] + [lambda r: r.gap(30, 30)] + \
        [f"more {n}" for n in range(300)]
    put(store, lines)
    for budget in ("1k", "4k"):
        todo, done, seen, texts = [["--budget", budget]], set(), set(), {}
        while todo and len(done) < 3000:
            words = todo.pop()
            if tuple(words) in done:
                continue
            done.add(tuple(words))
            out = show(store, *words)
            seen.update(numbers(out))
            for number, text in re.findall(r"^[> ] *(\d+) (.*)$", out, re.M):
                if "(+" not in text:
                    texts[int(number)] = text
            for command in HINT.findall(out):
                more = shlex.split(command)[2:]
                if "--budget" not in more:
                    more += ["--budget", budget]
                todo.append(more)
        want = set(range(1, 460)) | {489} | set(range(490, 790))
        t.equal(sorted(want - seen), [], f"{budget}: every record is found by the commands named")
        cut = [n for n in range(1, 59) if texts.get(400 + n) != "long " + "x" * n * 100 + " end"]
        t.equal(cut, [], f"{budget}: and every line whole")


def ranges(store):
    build = put(store, LONG)
    for words, want in ((["--seq", "7"], [7]), (["--seq", "7-9"], [7, 8, 9]),
                        (["--seq", "4002-"], [4002, 4003]), (["--seq", "4003-9999"], [4003])):
        t.equal(numbers(show(store, *words)), want, f"{words[1]}")
    out = show(store, "--seq", "1-4003", "--budget", "2k")
    got = numbers(out)
    t.ok(got == list(range(1, len(got) + 1)) and
         out.endswith(f"records not shown: buildlog show {build} --seq {len(got) + 1}-4003\n"),
         "as far as the budget goes, then where to go on", out[-200:])
    for bad in ("0", "x", "5-3", "-3", "1-x", "1--2", "", "99999999999999999999"):
        got = store.run("show", "--seq", bad)
        t.ok(got.returncode == 2 and got.stdout == b"" and got.stderr.count(b"\n") == 1,
             f"--seq '{bad}' is refused in one line", got)
    got = store.run("show", "--seq", "4004")
    t.ok(got.returncode == 2 and b"no such records in build" in got.stderr and b"4003" in got.stderr,
         "no such record", got)
    for bad in ("0", "100", "1q", "-1"):
        t.equal(store.run("show", "--budget", bad).returncode, 2, f"--budget {bad} is refused")


def others(store):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + r.line("one", "stderr") + r.gap(12, 12) + r.event("orphan", pid=7)
    w = Writer(store, build)
    w.write(data + b'{"kind":"line","ts":1,"se')
    out = show(store)
    t.ok(": running, 14 records\n" in out and "\n        1 ! one\n" in out and
         "\n       13 … 12 lines missing (log_unwritable) …\n" in out and
         "\n       14 -- orphan pid=7\n" in out, "a build that runs; gaps and events", out)
    w.close()
    out = show(store)
    t.ok(": lost, 14 records\n" in out and "left out: 25 bytes of an unfinished record\n" in out,
         "a lost one, torn at its end", out)
    put(store, LONG)
    where = os.path.join(store.top, "it's")
    os.rename(store.root, where)
    got = store.run("show", "--dir", where, "--budget", "2k")
    hint = HINT.search(got.stdout.decode())
    more = store.run(*shlex.split(hint.group(1))[1:])
    t.ok(more.returncode == 0 and numbers(more.stdout.decode())[0] == 1, "--dir is part of the commands",
         got)
    deep = os.path.join(store.top, "d" * 200, "e" * 200, "f" * 200)
    os.makedirs(os.path.dirname(deep))
    os.rename(where, deep)
    got = store.run("show", "--dir", deep, "--budget", "2k")
    t.ok(got.returncode == 2 and b"with this --dir it must be at least" in got.stderr, "too small", got)
    got = store.run("show", "--dir", deep, "--budget", "8k")
    t.ok(got.returncode == 0 and len(got.stdout) <= 8192, "large enough", got)


for case in (parts, budgets, everything_addressable, ranges, others):
    with Store() as fresh:
        case(fresh)
t.done()
