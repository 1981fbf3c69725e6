#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog query: filters, formats, context, order, exit status; and that filters are ANDed,
repeated ones ORed, and every format carries the same records."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Records, Store, Tap, rfc3339, ulid  # noqa: E402

t = Tap()
DAY = 86_400_000
T0 = 1_767_323_045_678  # 2026-01-02T03:04:05.678Z


def jsonl(store, *words, **more):
    done = store.run("query", *words, "-o", "jsonl", **more)
    if done.returncode not in (0, 1):
        t.ok(False, f"query {words}", done)
    return [json.loads(line) for line in done.stdout.splitlines()]


def msgs(store, *words, **more):
    return [r.get("msg", r.get("event", r["kind"])) for r in jsonl(store, *words, **more)]


def numbers(store, *words):
    return [(r["buildId"][-1], r["seq"]) for r in jsonl(store, *words)]


def make_store(store):
    """Two builds: a failed one with everything, a day later one that passed."""
    first, second = ulid(T0, "A"), ulid(T0 + DAY, "B")
    r = Records(first, T0)
    data = r.start(labels={"branch": "main", "tool": "make"})
    data += r.line("compiling main.c")
    data += r.line("main.c:3:1: error: expected ';'", src="stderr")
    r.ms += 1000
    data += r.line("\x1b[33mwarning:\x1b[0m \"quoted\" \\ and é")
    data += r.event("stall", idleMs=5)
    data += r.event("step", level="info", component="emit", data={"tool": "cc", "session": "s1"})
    data += r.gap(3, 2)
    r.ms += 1000
    data += r.line("conection refused")
    data += r.line(None, len=7)
    data += r.line("last line")
    store.put(first, data + r.end("failed", exitCode=2))
    r = Records(second, T0 + DAY)
    data = r.start(labels={"branch": "dev", "session": "s2"})
    for n in range(1, 21):
        data += r.line(f"line {n}", src="stderr" if n % 4 == 0 else "stdout")
    store.put(second, data + r.end("ok"))
    return first, second


def filters(store, first, second):
    t.equal(msgs(store, "-k", "main.c"), ["compiling main.c", "main.c:3:1: error: expected ';'"],
            "-k is a substring")
    t.equal(msgs(store, "-k", "Main.c"), [], "of this case")
    t.equal(msgs(store, "-k", "\"quoted\" \\ and é"), ["\x1b[33mwarning:\x1b[0m \"quoted\" \\ and é"],
            "of the decoded text")
    t.equal(msgs(store, "-k", "last", "-k", "refused"), ["conection refused", "last line"],
            "several -k: any of them")
    t.equal(msgs(store, "-k", "main", "-k", "last", "--src", "stderr"),
            ["main.c:3:1: error: expected ';'"], "with another filter: both")
    t.equal(msgs(store, "-g", "^line 1[0-3]$"), ["line 10", "line 11", "line 12", "line 13"], "-g")
    t.equal(msgs(store, "-g", "LAST|REFUSED$", "-i"), ["conection refused", "last line"], "-i")
    t.equal(msgs(store, "-g", "LAST"), [], "without -i")
    t.equal(msgs(store, "--src", "stderr", "-k", "line 4"), ["line 4"], "--src")
    t.equal(msgs(store, "-l", "error"), ["main.c:3:1: error: expected ';'"], "-l")
    t.equal(msgs(store, "-l", "warn"), ["main.c:3:1: error: expected ';'",
                                        "\x1b[33mwarning:\x1b[0m \"quoted\" \\ and é", "stall",
                                        "gap"], "or worse")
    t.equal(msgs(store, "--event", "stall"), ["stall"], "--event")
    t.equal(msgs(store, "--event", "stall", "--event", "step"), ["stall", "step"], "several")
    t.equal(msgs(store, "--tool", "cc"), ["step"], "--tool of an event")
    t.equal(len(msgs(store, "--tool", "make")), 9, "--tool of a build")
    t.equal(msgs(store, "--session", "s1"), ["step"], "--session of an event")
    t.equal(len(msgs(store, "--session", "s2")), 20, "--session of a build")
    t.equal(len(msgs(store, "--status", "failed")), 9, "--status")
    t.equal(len(msgs(store, "--status", "failed", "--status", "ok")), 29, "several")
    t.equal(len(msgs(store, "--status", "running")), 0, "none")
    t.equal(len(msgs(store, "--label", "branch=dev")), 20, "--label")
    t.equal(len(msgs(store, "--label", "branch=dev", "--label", "branch=main")), 29, "of one key")
    t.equal(len(msgs(store, "--label", "branch=dev", "--label", "tool=make")), 0, "of two keys")
    t.equal(len(msgs(store)), 29, "no filter: all lines, events and gaps")
    t.equal(msgs(store, "--fuzzy", "1", "-k", "connection"), ["conection refused"], "--fuzzy")
    t.equal(msgs(store, "--fuzzy", "1", "-k", "connexion"), [], "not that far")
    t.equal(len(msgs(store, first[-4:])), 9, "one build by the end of its id")
    t.equal(len(msgs(store, "last")), 20, "last")
    t.equal(len(msgs(store, "-2")), 9, "the one before")
    t.equal(len(msgs(store, "last-failed", second, first)), 29, "each once")


def times(store):
    t.equal(len(msgs(store, "--date", "2026-01-02")), 9, "--date")
    t.equal(len(msgs(store, "--date", "2026-01-03")), 20, "the day after")
    t.equal(len(msgs(store, "--date", "2026-01-04")), 0, "no day")
    t.equal(len(msgs(store, "--date", "2026-01-02", TZ="XXX+12")), 20, "a local day")
    t.equal(len(msgs(store, "--date", "2026-01-01", TZ="XXX+12")), 9, "and the one before")
    since = rfc3339(T0 + 1000)
    t.equal(len(msgs(store, "--since", since, "--until", rfc3339(T0 + 2000))), 4,
            "--since, and up to but without --until")
    t.equal(len(msgs(store, "--since", since)), 27, "--since")
    t.equal(len(msgs(store, "--until", since)), 2, "--until")
    t.equal(len(msgs(store, "--until", since, "--since", since)), 0, "an empty range")
    t.equal(store.run("query", "--since", "soon").returncode, 2, "no time")


def order(store):
    forward = numbers(store)
    t.equal(forward[0], ("A", 1), "the oldest first")
    t.equal(numbers(store, "-r"), forward[::-1], "-r is the other way round")
    t.equal(numbers(store, "--limit", "3"), forward[:3], "--limit")
    t.equal(numbers(store, "-r", "--limit", "3"), forward[:-4:-1], "the last ones")
    t.equal(numbers(store, "--limit", "0"), [], "none")
    t.equal(numbers(store, "-k", "line", "--limit", "2"), [("A", 11), ("B", 1)], "over all logs")


def context(store):
    want = [("B", n) for n in (9, 10, 11, 12)]
    t.equal(numbers(store, "-k", "line 10", "-B", "1", "-A", "2"), want, "-B and -A")
    t.equal(numbers(store, "-k", "line 10", "-B", "1", "-A", "2", "-r"), want[::-1], "backwards")
    t.equal(numbers(store, "-g", "^line (4|6|18)$", "-C", "1"),
            [("B", n) for n in (3, 4, 5, 6, 7, 17, 18, 19)], "groups that touch")
    text = store.run("query", "-g", "^line (4|6|18)$", "-C", "1", "-o", "text").stdout
    t.equal(text.split(b"\n"), [b"line 3", b"line 4", b"line 5", b"line 6", b"line 7", b"--",
                                b"line 17", b"line 18", b"line 19", b""], "-- stands between")
    back = store.run("query", "-g", "^line (4|6|18)$", "-C", "1", "-o", "text", "-r").stdout
    t.equal(back.split(b"\n")[-2::-1], text.split(b"\n")[:-1], "backwards, too")
    t.equal(numbers(store, "-g", "^line (4|5|18)$", "--limit", "1", "-A", "2"),
            [("B", 4), ("B", 5), ("B", 6)], "the last match has its context")
    t.equal(store.run("query", "-k", "line 1", "-C", "5", "-c").stdout, b"11\n",
            "-c counts matches alone")
    t.equal(numbers(store, "-k", "last line", "-C", "100")[0], ("A", 1), "more than there is")


def formats(store):
    plain = store.run("query", "-k", "main")
    t.ok(b"2026-01-02 03:04:05.678       1  stdout  info   compiling main.c" in plain.stdout,
         "the table", plain.stdout)
    t.ok(b"error  main.c:3:1" in plain.stdout, "and its levels", plain.stdout)
    t.ok(b"make -j2" in plain.stdout, "under the build's heading", plain.stdout)
    one = store.run("query", "last", "--limit", "1").stdout
    t.equal(one, b"2026-01-03 03:04:05.678       1  stdout  info   line 1\n", "none for one build")
    as_json = store.run("query", "-k", "main", "--json")
    t.equal(json.loads(as_json.stdout), jsonl(store, "-k", "main"), "json is one array")
    t.equal(json.loads(store.run("query", "-k", "nothing", "-o", "json").stdout), [], "or empty")
    everything = store.run("query", "-2", "-o", "jsonl").stdout
    with open(store.path(ulid(T0, "A")), "rb") as file:
        t.equal(everything.splitlines(), file.read().splitlines()[1:-1], "records as they stand")
    text = store.run("query", "-2", "-o", "text").stdout.decode().split("\n")
    t.equal(text, ["compiling main.c", "main.c:3:1: error: expected ';'",
                   "warning: \"quoted\" \\ and é", "-- stall idleMs=5",
                   "-- step data={\"tool\":\"cc\",\"session\":\"s1\"}",
                   "… 2 lines missing (log_unwritable) …", "conection refused", "(7 bytes)",
                   "last line", ""], "text")
    t.equal(store.run("query", "-c").stdout, b"29\n", "-c is a bare number")
    t.equal(store.run("query", "-c", "-k", "zzz").stdout, b"0\n", "also when it is none")
    t.equal(store.run("query", "-c", "--limit", "7").stdout, b"7\n", "within the limit")
    for words in (["-k", "i"], ["--src", "stderr"], ["-l", "warn"], [], ["-g", "e$"]):
        count = int(store.run("query", *words, "-c").stdout)
        lines = {f: store.run("query", "-2", "last", *words, "-o", f).stdout for f in
                 ("text", "jsonl", "json", "summary")}
        t.equal((count, count, count),
                (lines["text"].count(b"\n"), lines["jsonl"].count(b"\n"),
                 len(json.loads(lines["json"]))), f"every format has the same records: {words}")
        t.ok(f"total    records                  {count:10}\n".encode() in lines["summary"],
             "and the summary", lines["summary"])
    summary = store.run("query", "-2", "-o", "summary").stdout.decode().split("\n")
    t.equal([line.split() for line in summary[:-3]], [
        ["total", "records", "9"], ["total", "lines", "6"], ["total", "events", "2"],
        ["total", "gaps", "1"], ["total", "lines", "missing", "2"], ["total", "errors", "1"],
        ["level", "error", "1"], ["level", "warn", "3"], ["level", "info", "5"],
        ["source", "stdout", "5"], ["source", "stderr", "1"], ["event", "stall", "1"],
        ["event", "step", "1"]], "summary")
    t.ok(summary[-3].startswith("first    2026-01-02 03:04:05.678           1  ") and
         summary[-2].startswith("last     2026-01-02 03:04:07.678          11  "), "its ends", summary)


def property_of_filters(store):
    """query(a and b) is what is in both query(a) and query(b); or is what is in either."""
    filters_ = [["-k", "line"], ["-k", "i"], ["-g", "[0-9]$"], ["--src", "stderr"], ["-l", "warn"],
                ["--until", rfc3339(T0 + DAY)], ["--event", "stall"], ["-g", "1|e"],
                ["--status", "failed"], ["--label", "branch=dev"], ["--tool", "cc"]]
    alone = [set(numbers(store, *f)) for f in filters_]
    bad = [(a, b) for i, a in enumerate(filters_) for j, b in enumerate(filters_)
           if i < j and a[0] != b[0] and set(numbers(store, *a, *b)) != alone[i] & alone[j]]
    t.equal(bad, [], "two filters: what passes both")
    bad = [(a, b) for i, a in enumerate(filters_) for j, b in enumerate(filters_)
           if i < j and a[0] == b[0] and set(numbers(store, *a, *b)) != alone[i] | alone[j]]
    t.equal(bad, [], "one twice: what passes either")


def statuses(store):
    t.equal(store.run("query", "-k", "line").returncode, 0, "0: found")
    t.equal(store.run("query", "-k", "zzz").returncode, 1, "1: nothing")
    bad = store.run("query", "-g", "a(b")
    t.equal((bad.returncode, bad.stderr), (2, b"buildlog query: bad regular expression 'a(b': "
                                              b"Missing ')' (byte 2)\n"), "2: trouble")
    t.equal(store.run("query", ulid(T0, "Z")).returncode, 2, "an id that is not there")
    t.equal(store.run("query", "--frob").returncode, 2, "an option that is not there")
    missing = store.run("query", BUILDLOG_DIR=store.top + "/nowhere")
    t.equal((missing.returncode, missing.stdout, missing.stderr), (1, b"", b""), "no store yet")
    t.equal(store.run("query", "last", BUILDLOG_DIR=store.top + "/nowhere").returncode, 2,
            "no store, but a build is named")
    t.equal(store.run("query", "-c", BUILDLOG_DIR=store.top + "/nowhere").stdout, b"0\n",
            "none is a number")


def fuzzy(store):
    build = ulid(T0 + 2 * DAY, "F")
    r = Records(build, T0 + 2 * DAY)
    data = r.start()
    for text in ("conn reset", "connexion lost", "connection lost", "conection lost", "konexion"):
        data += r.line(text)
    store.put(build, data + r.end())
    near = ["last", "-k", "connection", "--fuzzy"]
    t.equal(msgs(store, *near, "1"), ["connection lost", "conection lost"], "within one change")
    t.equal(msgs(store, *near, "2"), ["connexion lost", "connection lost", "conection lost"], "two")
    t.equal(msgs(store, *near, "2", "--best"),
            ["connection lost", "conection lost", "connexion lost"], "--best sorts them")
    t.equal(msgs(store, *near, "2", "--best", "--limit", "2"), ["connection lost", "conection lost"],
            "and --limit takes the best")
    t.equal(msgs(store, "last", "-g", "^connection l.st$", "--fuzzy", "1"),
            ["connection lost", "conection lost"], "expressions, too")
    done = store.run("query", "last", "-k", "connnectiom", "--fuzzy", "1")
    t.equal((done.returncode, done.stdout, done.stderr),
            (1, b"", b"buildlog query: nothing is near 'connnectiom': did you mean 'connection'?\n"),
            "near words are suggested")
    done = store.run("query", "last", "-k", "zzzzzzz", "--fuzzy", "1")
    t.equal((done.returncode, done.stderr), (1, b""), "if there are any")
    done = store.run("query", "--best", "-k", "x")
    t.equal((done.returncode, done.stderr), (2, b"buildlog query: cannot use '--best': it sorts what "
                                                b"--fuzzy finds\n"), "--best alone")
    done = store.run("query", "--best", "--fuzzy", "1", "-C", "1", "-k", "x")
    t.equal((done.returncode, done.stderr), (2, b"buildlog query: cannot use '--best': records that "
                                                b"are sorted have no context\n"), "with context")
    os.unlink(store.path(build))


def pager(store):
    out, status = store.on_terminal("query", "last", "--limit", "2", "-o", "text",
                                    BUILDLOG_PAGER="sed s/^/P:/", PAGER="false")
    t.equal((out.replace(b"\r", b""), status), (b"P:line 1\nP:line 2\n", 0), "a pager")
    out, status = store.on_terminal("query", "-o", "text", BUILDLOG_PAGER="head -1")
    t.equal((out.replace(b"\r", b""), status), (b"compiling main.c\n", 0), "one that has enough")
    out, status = store.on_terminal("query", "last", "-c", BUILDLOG_PAGER="false")
    t.equal((out.replace(b"\r", b""), status), (b"20\n", 0), "none for a number")
    done = store.run("query", "last", "--limit", "1", "-o", "text", BUILDLOG_PAGER="false")
    t.equal(done.stdout, b"line 1\n", "none where there is no terminal")


def terminal(store):
    out, _ = store.on_terminal("query", "-2", "-k", "quoted", columns=60, BUILDLOG_PAGER="")
    t.ok(b"2026-01-02" not in out and b"03:04:06.678" in out and b"\xc3\xa9" not in out,
         "a narrow terminal: the time of day, and cut", out)
    out, _ = store.on_terminal("query", "-2", "-l", "error", columns=120, BUILDLOG_PAGER="cat")
    t.ok(b"\x1b[31merror\x1b[0m" in out, "levels in colour", out)
    out, _ = store.on_terminal("query", "-2", "-l", "error", NO_COLOR="1",
                               PAGER="")
    t.ok(b"\x1b" not in out, "NO_COLOR", out)
    out, _ = store.on_terminal("query", "-2", "-l", "error", "--color", "always", NO_COLOR="1",
                               PAGER="")
    t.ok(b"\x1b[31m" in out, "--color always", out)
    out = store.run("query", "-2", "-k", "quoted", "-o", "text", "--color", "always").stdout
    t.ok(out.startswith(b"\x1b[33mwarning:\x1b[0m"), "the log's own colours", out)


with Store() as the_store:
    ids = make_store(the_store)
    filters(the_store, *ids)
    times(the_store)
    order(the_store)
    context(the_store)
    formats(the_store)
    property_of_filters(the_store)
    statuses(the_store)
    terminal(the_store)
    pager(the_store)
    fuzzy(the_store)
t.done()
