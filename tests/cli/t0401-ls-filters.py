#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog ls: --since in local time over changes of the clocks, --label, -o ids and labels,
--color; what is looked at while somebody else changes the store."""
import json
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import BUILDLOG, Records, Store, Tap, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678  # 2026-01-02 03:04:05 UTC
HOUR = 3600 * 1000
DAY = 24 * HOUR
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


def ids(store, *words, **more):
    got = store.run("ls", "-o", "json", *words, **more)
    return [build["id"] for build in json.loads(got.stdout)]


def since(store):
    at = [T0, T0 + HOUR, T0 + DAY, T0 + 2 * DAY]
    want = [store.finished(ms) for ms in at][::-1]
    t.equal(ids(store, "--since", "@1767323045.678"), want, "--since the very millisecond")
    t.equal(ids(store, "--since", "@1767323045.679"), want[:3], "--since the one after")
    t.equal(ids(store, "--since", "2026-01-03"), want[:2], "--since a day")
    t.equal(ids(store, "--since", "2026-01-03T03:04:06Z"), want[:1], "--since RFC 3339")
    t.equal(ids(store, "--since", "2026-01-02 04:30", TZ=BERLIN), want[:3], "local time")
    t.equal(ids(store, "--since", "2026-01-04T04:04:05+01:00"), want[:1], "another zone")
    t.equal(ids(store, "--since", "100000 days ago"), want, "long ago")
    t.equal(ids(store, "--since", "now"), [], "now")
    t.equal(ids(store, "--since", "yesterday", "-n", "1"), [], "yesterday")
    t.equal(ids(store, "--since", "2026-01-02", "-n", "2"), want[:2], "and -n")
    for bad in ("tomorrow", "", "2026-02-30", "5x ago", "\x1b[2J"):
        got = store.run("ls", "--since", bad)
        t.ok(got.returncode == 2 and got.stdout == b"" and got.stderr.count(b"\n") == 1 and
             b"\x1b" not in got.stderr, f"--since '{bad}' is refused", got)
    t.ok(b"bad time 'tomorrow'" in store.run("ls", "--since", "tomorrow").stderr, "and says why")


def clock_change(store):
    """Berlin's 2026-03-29 has 23 hours and lies in two days of the store, its 10-25 has 25."""
    spring = 1774738800000  # 2026-03-28 23:00 UTC, midnight there
    autumn = 1792879200000  # 2026-10-24 22:00 UTC, midnight there
    before, first, last, after = [store.finished(spring + ms) for ms in
                                  (-1, 0, 23 * HOUR - 1, 23 * HOUR)]
    t.equal(ids(store, "--since", "2026-03-29", TZ=BERLIN), [after, last, first], "23 hours")
    t.equal(ids(store, "--since", "2026-03-30", TZ=BERLIN), [after], "the day after")
    t.equal(ids(store, "--since", "2026-03-28", TZ=BERLIN), [after, last, first, before],
            "the day before")
    later = [store.finished(autumn + ms) for ms in (0, 25 * HOUR - 1, 25 * HOUR)]
    t.equal(ids(store, "--since", "2026-10-25", TZ=BERLIN), later[::-1], "25 hours")
    t.equal(ids(store, "--since", "2026-10-26", TZ=BERLIN), later[2:], "and the day after")


def labels(store):
    a = store.finished(T0, start={"labels": {"branch": "main", "os": "linux"}})
    b = store.finished(T0 + 1, start={"labels": {"branch": "next", "os": "linux", "x": "a=b"}})
    c = store.finished(T0 + 2, start={"labels": {"branch": "main", "os": "mac", "é": "\"\\"}})
    d = store.finished(T0 + 3, status="failed", start={"name": "a\tb\x1b[2J"})
    t.equal(ids(store, "--label", "branch=main"), [c, a], "--label")
    t.equal(ids(store, "--label", "branch=main", "--label", "branch=next"), [c, b, a],
            "one key twice: either")
    t.equal(ids(store, "--label", "branch=main", "--label", "os=linux"), [a], "two keys: both")
    t.equal(ids(store, "--label", "x=a=b"), [b], "a value with an equals sign")
    t.equal(ids(store, "--label", "branch=mai"), [], "the whole value counts")
    t.equal(ids(store, "--label", "branch=main", "--status", "failed"), [], "and --status")
    t.equal(ids(store, "--label", "os=linux", "-n", "1"), [b], "and -n")
    got = store.run("ls", "--label", "nokey")
    t.ok(got.returncode == 2 and b"bad label" in got.stderr, "no label", got)
    rows = store.run("ls", "-o", "ids").stdout.decode().split("\n")
    t.equal([row.split("\t")[:2] for row in rows], [[d, "failed"], [c, "ok"], [b, "ok"],
                                                    [a, "ok"], [""]], "-o ids")
    t.equal(rows[0].split("\t")[2:], ["a b^[[2J"], "the third column is harmless and one")
    got = store.run("ls", "-o", "labels").stdout.decode().splitlines()
    t.equal(sorted(got), ["branch=main", "branch=next", "os=linux", "os=mac", "x=a=b",
                          "é=\"\\"], "-o labels: each once")
    big = {f"k{n}": "v" * 100 for n in range(40)}
    e = store.finished(T0 + 4, start={"labels": big})
    t.equal(ids(store, "--label", "k39=" + "v" * 100), [e], "more labels than a digest holds")
    f = ulid(T0 + 5)
    store.put(f, Records(f, T0 + 5).start(labels={"branch": "\nbad", "n": 1}))
    t.equal(store.run("ls", "-o", "labels", "-n", "1").stdout, b"", "what is no line is no label")


def colour(store):
    store.finished(T0, status="failed")
    plain = store.run("ls").stdout
    t.ok(b"\x1b" not in plain, "no colour in a pipe")
    always = store.run("ls", "--color", "always", NO_COLOR="1").stdout
    t.ok(b"\x1b[31mfailed\x1b[0m" in always, "--color always", always)
    for words, env in ((("--color", "never"), {}), (("--color=auto",), {"NO_COLOR": "1"}),
                       ((), {"TERM": "dumb"})):
        out, _ = store.on_terminal("ls", *words, **env)
        t.ok(b"\x1b" not in out and b"failed" in out, f"no colour: {words} {env}", out)
    out, _ = store.on_terminal("ls", "--color", "always", TERM="dumb")
    t.ok(b"\x1b[31m" in out, "--color says more than TERM")
    got = store.run("ls", "--color", "yes")
    t.ok(got.returncode == 2 and b"'auto', 'always' or 'never'" in got.stderr, "bad --color", got)
    out = store.run("info", "--color", "always").stdout
    t.ok(b"\x1b[31mfailed" in out, "info, too", out)


def hostile_status(store):
    store.finished(T0, status="\x1b[2Jok\n")
    for words in ((), ("-o", "ids")):
        out = store.run("ls", *words).stdout
        t.ok(b"unknown" in out and b"\x1b" not in out, f"a status that is none {words}", out)
    t.equal(ids(store, "--status", "ok"), [], "and is not ok")


def changing(store):
    """Logs and whole days come and go while ls runs: every run succeeds."""
    keep = store.finished(T0 + 3 * DAY)
    stop = threading.Event()

    def churn():
        n = 0
        while not stop.is_set():
            n += 1
            build = store.finished(T0 + n % 3 * DAY + n, ["x"] * (n % 50), status="failed")
            os.unlink(store.path(build))
            try:
                os.rmdir(os.path.dirname(store.path(build)))
            except OSError:
                pass

    worker = threading.Thread(target=churn)
    worker.start()
    bad = []
    for n in range(60):
        words = (("--json",), ("--json", "--status", "failed", "--status", "ok"))[n % 2]
        got = subprocess.run([BUILDLOG, "ls", *words], env=store.env(), capture_output=True,
                             check=False)
        if got.returncode != 0 or keep not in [b["id"] for b in json.loads(got.stdout)]:
            bad.append(got)
    stop.set()
    worker.join()
    t.equal(bad, [], "a store that changes while it is listed")


for case in (since, clock_change, labels, colour, hostile_status, changing):
    with Store() as fresh:
        case(fresh)
t.done()
