#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog info, and the words that name a build."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678
DAY = 86400 * 1000


def text(store):
    build = store.finished(T0, status="failed", exitCode=2, complete=False,
                           redactions={"github-token": 2}, userMs=1500, sysMs=20, maxRssKb=27492,
                           start={"name": "nightly \x1b[31m\n", "cmd": ["sh", "-c", "a b"],
                                  "labels": {"ref": "main"}, "userId": "u1", "reqId": "r7",
                                  "traceId": "4bf9" * 8, "redact": "off", "forward": "none",
                                  "order": "merge"})
    got = store.run("info").stdout.decode().splitlines()
    want = {"id": build, "status": "failed (exit 2)", "name": "nightly ^[[31m^J",
            "command": "sh -c 'a b'", "directory": "/src", "host": os.uname().nodename,
            "user": "u1", "label": "ref=main", "started": "2026-01-02 03:04:05",
            "ended": "2026-01-02 03:04:07", "duration": "1.5s", "lines": "3", "bytes": "30",
            "complete": "no", "redacted": "2 github-token", "log": store.path(build),
            "hash": "xxh3:" + "0" * 32, "cpu": "1.5s user, 0.0s system",
            "memory": "26.8 MiB at most", "redaction": "off", "forwarded": "none",
            "order": "merge", "request": "r7", "trace": "4bf9" * 8}
    t.equal({line[:11].strip(): line[11:] for line in got}, want, "text")


def machine(store):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + r.line("1") + r.gap(7, 6) + r.event("orphan") + r.end("failed", exitCode=1)
    data += b"rubbish\n" + r.start(attempt=2, pid=77) + r.line("2") + r.end()
    store.put(build, data)
    got = json.loads(store.run("info", "--json").stdout)
    t.equal((got["v"], got["id"], got["status"], got["path"]),
            (1, build, "ok", store.path(build)), "json")
    t.equal(got["records"], {"attempts": 2, "lines": 2, "events": 1, "gaps": 1,
                             "missingLines": 6}, "counts")
    t.equal(got["leftOut"], {"damagedLines": 1, "unknownRecords": 0, "numberingBreaks": 0,
                             "tornBytes": 0, "newerVersion": False, "cutShort": False}, "left out")
    t.equal((got["start"]["pid"], got["end"]["lastSeq"]), (77, 10), "the last attempt's records")
    out = store.run("info").stdout.decode()
    t.ok("attempts   2\n" in out and "gaps       1, 6 lines missing\n" in out and
         "left out   1 damaged line\n" in out, "in text too", out)


def running_and_lost(store):
    build = ulid(T0)
    r = Records(build, T0)
    w = Writer(store, build)
    w.write(r.start() + r.line("x"))
    got = json.loads(store.run("info", "-o", "json").stdout)
    t.ok(got["status"] == "running" and "end" not in got, "running", got)
    out = store.run("info").stdout.decode()
    t.ok("status     running\n" in out and " so far\n" in out, "running in text", out)
    w.close()
    t.equal(json.loads(store.run("info", "--json").stdout)["status"], "lost", "lost")
    t.ok("status     lost\n" in store.run("info").stdout.decode(), "lost in text")


def words(store):
    a = store.finished(T0, tail="AAAAAAAABBBBBBBB")
    b = store.finished(T0, status="failed", exitCode=1, tail="AAAAAAAACCCCBBBB")
    c = store.finished(T0 + DAY, tail="CCCCCCCCDDDDDDDD")
    d = ulid(T0 + 2 * DAY, "EEEEEEEEFFFFFFFF")
    store.put(d, Records(d, T0).start())
    for word, build in (("last", d), ("-1", d), ("-2", c), ("-3", b), ("-4", a),
                        ("last-failed", b), ("last-passed", c), (a, a),

                        (c[:10], c), (c[:12], c), ("FFFF", d),
                        ("CBBBB", b), ("CCCCBBBB", b), (d[1:], d), (b[:19], b)):
        got = store.run("info", "--json", word)
        t.ok(got.returncode == 0 and json.loads(got.stdout)["id"] == build,
             f"'{word}' names its build", got)
    got = store.run("info", a[:-8])
    t.ok(got.returncode == 2 and got.stdout == b"" and a.encode() in got.stderr and
         b.encode() in got.stderr and c.encode() not in got.stderr and
         got.stderr.count(b"\n") == 1, "an ambiguous prefix names the candidates", got)
    got = store.run("info", "BBBB")
    t.ok(got.returncode == 2 and b"2 builds" in got.stderr, "an ambiguous suffix", got)
    for bad, why in (("FFF", b"begins or ends"), ("last-x", b"not an id"), ("-0", b"not an id"),
                     ("-5", b"only 4"), (a.lower(), b"not an id"), ("../../etc", b"not an id"),
                     (a + "A", b"not an id"), ("8" * 26, b"not an id"), ("", b"not an id"),
                     ("ILOU", b"not an id"), (ulid(T0 + 9), b"not in this store"),
                     ("\x1b[2J", b"\\x1b")):
        got = store.run("info", bad)
        t.ok(got.returncode == 2 and got.stdout == b"" and why in got.stderr and
             got.stderr.count(b"\n") == 1 and b"\x1b" not in got.stderr, f"'{bad}' is refused",
             got)
    for n in range(6):
        store.finished(T0 + 3 * DAY, tail=f"GGGGGGGG0000000{n}")
    got = store.run("info", ulid(T0 + 3 * DAY)[:10])
    t.ok(b"6 builds" in got.stderr and b", ..." in got.stderr, "many candidates", got.stderr)


def far_future(store):
    """The greatest ULID there is: its year has five digits, its day directory four of them."""
    store.finished(T0)
    build = "7" + "Z" * 25
    path = os.path.join(store.root, "builds", "0889-08-02", build + ".log")
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(Records(build, T0).start())
    for word in (build, "last", "ZZZZ", build[:12]):
        t.equal(json.loads(store.run("info", "--json", word).stdout)["id"], build,
                f"'{word}' finds it")


for case in (text, machine, running_and_lost, words, far_future):
    with Store() as fresh:
        case(fresh)
t.done()
