#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog stats: figures against a plain reckoning, selection, the form of the output, stores
that are empty, hostile or partly unreadable."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678
DAY = 86400 * 1000


def stats(store, *words):
    got = store.run("stats", "--json", *words)
    return json.loads(got.stdout)


def quantile(values, percent):
    values = sorted(values)
    return values[max(0, -(-len(values) * percent // 100) - 1)]


def figures(store):
    times, lines = [], []
    for n in range(53):
        times.append(n * n * 137 % 100000)
        lines.append(n % 7)
        status = ("ok", "failed", "ok", "timeout", "ok")[n % 5]
        store.finished(T0 + n * DAY // 10, ["x"] * lines[-1], status=status,
                       durationMs=times[-1], start={"name": f"job{n % 3}"})
    lost = ulid(T0 + 5)
    store.put(lost, Records(lost, T0).start(name="job0"))
    running = ulid(T0 + 1)
    w = Writer(store, running)
    w.write(Records(running, T0 + 1).start(name="job1"))
    got = stats(store)
    t.equal({key: got[key] for key in ("v", "builds", "ended", "failed", "failureRate",
                                       "unreadable")},
            {"v": 1, "builds": 55, "ended": 53, "failed": 21, "failureRate": 0.3962,
             "unreadable": 0}, "counts")
    t.equal({k: v for k, v in got["outcomes"].items() if v},
            {"ok": 32, "failed": 11, "timeout": 10, "running": 1, "lost": 1}, "outcomes")
    for key, values in (("durationMs", times), ("lines", lines)):
        t.equal(got[key], {"values": 53, "min": min(values), "p50": quantile(values, 50),
                           "p95": quantile(values, 95), "p99": quantile(values, 99),
                           "max": max(values), "mean": round(sum(values) / 53),
                           "sampled": False}, f"quantiles of {key}")
    t.equal([b["durationMs"] for b in got["slowest"]], sorted(times)[::-1][:5], "the slowest")
    t.equal({n["name"]: n["builds"] for n in got["names"]}, {"job0": 19, "job1": 19, "job2": 17},
            "names")
    one = stats(store, "--name", "job2")
    t.equal((one["builds"], one["failed"], [n["name"] for n in one["names"]]),
            (17, sum(n % 5 in (1, 3) for n in range(53) if n % 3 == 2), ["job2"]), "--name")
    recent = stats(store, "--since", "2026-01-05")
    t.ok(0 < recent["builds"] < 53 and recent["since"] == "2026-01-05T00:00:00.000Z", "--since",
         recent)
    t.equal(stats(store, "--name", "job")["builds"], 0, "the whole name counts")
    w.close()
    text = store.run("stats").stdout.decode()
    t.ok("failure rate" in text and "39.6%" in text and "P95" in text and "SLOWEST" in text and
         "CHANGES" in text and "█" not in text, "text", text)


def commands(store):
    for n in range(4):
        store.finished(T0 + n, status=("ok", "failed")[n % 2], durationMs=5,
                       start={"cmd": ["make", "a\x1b[2J", "b"]})
    store.finished(T0 + 9, start={"cmd": ["x" * 5000]})
    got = stats(store)
    t.equal([(n["name"], n["builds"], n["failed"], n["changes"]) for n in got["names"]],
            [("make a\x1b[2J b", 4, 2, 3), ("x" * 200, 1, 0, 0)], "commands stand for names")
    t.equal(stats(store, "--name", "make a\x1b[2J b")["builds"], 4, "and can be asked for")
    t.equal(stats(store, "--name", "x" * 5000)["builds"], 1,
            "by what counts of them")
    out = store.run("stats").stdout
    t.ok(b"\x1b" not in out and b"^[[2J" in out, "and are harmless", out)
    for columns in (80, 40, 7):
        out, status = store.on_terminal("stats", columns=columns, LANG="C")
        rows = out.decode().splitlines()
        t.ok(status == 0 and max(map(len, rows)) <= columns and "\x1b" not in out.decode(),
             f"fits {columns} columns", rows)
    out, _ = store.on_terminal("stats", LC_ALL="C")
    t.ok("< 1s                   4  #####".encode() in out and b"< 10s " in out, "a histogram", out)
    out, _ = store.on_terminal("stats", LC_ALL="C.UTF-8")
    t.ok("█".encode() in out, "with blocks where they can be shown", out)
    out, _ = store.on_terminal("stats", "--json")
    t.ok(b"\x1b" not in out and json.loads(out)["builds"] == 5, "JSON on a terminal", out)


def empty(store):
    got = store.run("stats")
    t.equal((got.returncode, got.stderr), (0, b""), "no store")
    t.equal(got.stdout.split(), [b"builds", b"0"], "no builds")
    os.makedirs(os.path.join(store.root, "builds", "2026-01-02"))
    got = stats(store)
    t.equal((got["builds"], got["failureRate"], got["durationMs"], got["slowest"], got["names"]),
            (0, 0, {"values": 0}, [], []), "an empty store")
    for words in (("--since", "x"), ("extra",), ("--name",), ("-o", "table")):
        got = store.run("stats", *words)
        t.ok(got.returncode == 2 and got.stdout == b"" and got.stderr.count(b"\n") == 1,
             f"refused: {words}", got)


def unreadable(store):
    good = store.finished(T0)
    outside = os.path.join(store.top, "outside")
    with open(outside, "wb") as file:
        file.write(open(store.path(good), "rb").read())
    for n in range(1, 6):
        os.symlink(outside, store.path(ulid(T0 + n)))
    os.symlink(store.top, os.path.join(store.root, "builds", "2026-01-05"))
    got = store.run("stats", "--json")
    t.equal((json.loads(got.stdout)["builds"], json.loads(got.stdout)["unreadable"]), (1, 6),
            "what cannot be read is counted")
    t.ok(got.returncode == 2 and got.stderr.count(b"\n") == 4 and b"and 3 more" in got.stderr,
         "and told in few lines", got.stderr)


for case in (figures, commands, empty, unreadable):
    with Store() as fresh:
        case(fresh)
t.done()
