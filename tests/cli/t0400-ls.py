#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog ls: order, state, selection, the shape of the table, hostile stores."""
import gzip
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Records, Store, Tap, Writer, rfc3339, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678  # 2026-01-02 03:04:05 UTC
DAY = 86400 * 1000


def ids(store, *words):
    got = store.run("ls", "-o", "json", *words)
    return [build["id"] for build in json.loads(got.stdout)]


def order_and_state(store):
    want = []
    for n, status in enumerate(("ok", "failed", "signaled", "timeout", "interrupted",
                                "exec_failed")):
        want.insert(0, store.finished(T0 + n * DAY, status=status))
    lost = ulid(T0 + 6 * DAY)
    store.put(lost, Records(lost, T0 + 6 * DAY).start())
    running = ulid(T0 + 6 * DAY + 1)
    w = Writer(store, running)
    w.write(Records(running, T0).start())
    want = [running, lost] + want
    builds = json.loads(store.run("ls", "--json").stdout)
    t.equal([b["id"] for b in builds], want, "newest first, across days")
    t.equal([b["status"] for b in builds], ["running", "lost", "exec_failed", "interrupted",
                                            "timeout", "signaled", "failed", "ok"], "states")
    for status in ("running", "lost", "ok", "failed"):
        found = json.loads(store.run("ls", "--json", "--status", status).stdout)
        t.equal([b["status"] for b in found], [status], f"--status {status}")
    t.equal(len(ids(store, "--status", "ok", "--status", "failed")), 2, "--status twice is or")
    t.equal(ids(store, "-n", "2"), want[:2], "-n")
    t.equal(ids(store, "-n", "1", "--status", "failed"), [want[6]], "-n counts what is shown")
    t.equal(ids(store, "-n", "0"), [], "-n 0")
    w.close()


def table(store):
    store.finished(T0, ["x"] * 7, start={"cmd": ["make", "it so", "-j2", "", "don't"]})
    store.finished(T0 + 1000, status="failed", exitCode=2, durationMs=62000,
                   start={"name": "nightly"})
    rows = store.run("ls").stdout.decode().splitlines()
    t.ok(rows[0].split() == ["ID", "STARTED", "TIME", "STATUS", "LINES", "COMMAND"], "headings",
         rows)
    t.equal(rows[1].split()[1:], ["2026-01-02", "03:04", "1m02s", "failed", "3", "nightly"],
            "a name stands for the command")
    t.ok(rows[2].endswith("  make 'it so' -j2 '' 'don'\\''t'"), "a command as a shell reads it",
         rows[2])


def short_ids(store):
    a = store.finished(T0, tail="ABCDEFGH12345678")
    b = store.finished(T0 + 5, tail="AAAAAAAA12345678")
    c = store.finished(T0 + 9, tail="ZZZZZZZZ99999999")
    rows = store.run("ls").stdout.decode().splitlines()[1:]
    short = [row.split()[0] for row in rows]
    t.equal(short, [c[-9:], b[-9:], a[-9:]], "ids as short as they can be told apart")
    for word, build in zip(short, (c, b, a)):
        got = json.loads(store.run("info", "--json", word).stdout)
        t.equal(got["id"], build, f"{word} names its build")
    t.equal([row.split()[0] for row in store.run("ls", "-n", "1").stdout.decode().splitlines()[1:]],
            [c[-8:]], "but at least 8 characters")


def on_a_terminal(store):
    name = "\x1b[2J\u202e\u65e5\u672c\u8a9e" * 40 + "\n\r\x9b"
    store.finished(T0, start={"name": name})
    store.finished(T0 + 1, status="failed", start={"cmd": ["x" * 500]})
    for columns in (80, 60, 40, 10, 1):
        out, status = store.on_terminal("ls", columns=columns, NO_COLOR="1")
        rows = out.decode().splitlines()
        wide = [sum(2 if ord(c) > 0x2e80 else 1 for c in row) for row in rows]
        t.ok(status == 0 and len(rows) == 3 and max(wide) <= columns, f"fits {columns} columns",
             rows)
        t.ok(b"\x1b" not in out and "\u202e" not in out.decode(), "harmless", out)
    out, _ = store.on_terminal("ls")
    t.ok(b"\x1b[31mfailed\x1b[0m" in out and b"\x1b[2J" not in out, "status in colour", out)
    for n in range(40):
        store.finished(T0 + 1000 + n)
    out, _ = store.on_terminal("ls")
    t.equal(len(out.splitlines()), 21, "a screenful on a terminal")
    t.equal(len(store.run("ls").stdout.splitlines()), 43, "all of it elsewhere")
    out, _ = store.on_terminal("ls", "-n", "30")
    t.equal(len(out.splitlines()), 31, "or as many as are asked for")


def json_members(store):
    build = store.finished(T0, start={"name": "n", "labels": {"a": "b"}}, exitCode=0)
    (got,) = json.loads(store.run("ls", "--json").stdout)
    want = {"v": 1, "id": build, "status": "ok", "startedAt": rfc3339(T0), "name": "n",
            "cmd": ["make", "-j2"], "cwd": "/src", "host": os.uname().nodename,
            "labels": {"a": "b"}, "endedAt": rfc3339(T0 + 1500), "durationMs": 1500,
            "exitCode": 0, "lines": 3, "bytes": 30, "complete": True}
    t.equal(got, want, "json members")


def compressed(store):
    build = ulid(T0)
    r = Records(build, T0)
    data = gzip.compress(r.start() + r.line("x") + r.end("failed", exitCode=1))
    store.put(build, data, ".log.gz")
    t.equal([b["status"] for b in json.loads(store.run("ls", "--json").stdout)], ["failed"],
            "a compressed log")
    store.finished(T0, status="ok")
    t.equal(len(ids(store)), 1, "a log and its compressed copy are one build")


def hostile(store):
    good = store.finished(T0)
    day = os.path.dirname(store.path(good))
    outside = os.path.join(store.top, "outside")
    with open(outside, "w", encoding="ascii") as file:
        file.write("secret\n")
    os.symlink(outside, store.path(ulid(T0 + 1)))
    os.mkfifo(store.path(ulid(T0 + 2)))
    os.mkdir(store.path(ulid(T0 + 3)))
    os.link(outside, store.path(ulid(T0 + 4)))
    os.symlink(store.top, os.path.join(store.root, "builds", "2026-01-05"))
    with open(os.path.join(store.root, "builds", "2026-01-06"), "w", encoding="ascii"):
        pass
    for name in ("x.log", good.lower() + ".log", good[:-1] + ".log", good + ".log.bak",
                 ulid(T0 + 5 * DAY) + ".log", "8" + good[1:] + ".log"):
        with open(os.path.join(day, name), "w", encoding="ascii"):
            pass
    got = store.run("ls", "--json")
    t.equal([b["id"] for b in json.loads(got.stdout)], [good], "only what is a build is listed")
    t.ok(got.returncode == 2 and got.stderr.count(b"\n") == 4 and b"and 3 more" in got.stderr,
         "planted things are complained about, in few lines", got.stderr)
    for n, why in ((1, b"symbolic link"), (2, b"not a regular file"), (4, b"several links")):
        got = store.run("tail", ulid(T0 + n))
        t.ok(got.returncode == 2 and why in got.stderr and b"secret" not in got.stdout,
             f"tail refuses: {why.decode()}", got)
    if os.geteuid() == 0:
        t.skip("unreadable", "root reads everything")
    else:
        os.chmod(store.path(good), 0)
        got = store.run("tail", good)
        t.ok(got.returncode == 2 and b"Permission denied" in got.stderr, "unreadable", got)


def no_store(store):
    got = store.run("ls")
    t.equal((got.returncode, got.stdout, got.stderr), (0, b"", b""), "no store: no builds")
    t.equal(store.run("ls", "--json").stdout, b"[]\n", "in JSON too")
    os.makedirs(store.root)
    t.equal(store.run("ls", "--json").stdout, b"[]\n", "an empty store")
    t.ok(not os.listdir(store.root), "looking makes nothing")
    got = store.run("tail")
    t.ok(got.returncode == 2 and got.stderr.count(b"\n") == 1 and b"no build" in got.stderr,
         "tail in an empty store", got)


for case in (order_and_state, table, short_ids, on_a_terminal, json_members, compressed, hostile,
             no_store):
    with Store() as fresh:
        case(fresh)
t.done()
