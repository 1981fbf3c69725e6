#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ls, info, tail and the others while logs grow, are compressed, emptied and removed under them:
what stands still is always there, what runs is never lost, nothing dies."""
import gzip
import json
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import BUILDLOG, Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678
ROUNDS = 25


class Restless(threading.Thread):
    """One step after the other until stop(); the test waits for `steps`, not for time."""

    def __init__(self, step):
        super().__init__(daemon=True)
        self.step, self.over, self.steps, self.trouble = step, threading.Event(), 0, None

    def run(self):
        try:
            while not self.over.is_set():
                self.step(self.steps)
                self.steps += 1
        except Exception as trouble:  # pylint: disable=broad-except
            self.trouble = trouble

    def stop(self):
        self.over.set()
        self.join()
        t.ok(self.trouble is None and self.steps > 0, f"{self.steps} changes meanwhile",
             self.trouble)


def outrun(store):
    """A build that writes faster than the reader takes: a search has an end all the same."""
    build = ulid(T0)
    r = Records(build, T0)
    w = Writer(store, build)
    w.write(r.start() + b"".join(r.line(f"line {n} " + "x" * 1000) for n in range(2000)))
    with subprocess.Popen([BUILDLOG, "query", build, "-o", "jsonl"],
                          env=store.env(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as query:
        got = os.read(query.stdout.fileno(), 1)  # now it reads, and soon waits for us
        w.write(b"".join(r.line(f"later {n}") for n in range(1000)))
        got += query.stdout.read()
        t.equal((query.wait(), got.count(b"\n"), got.count(b"later")), (0, 2000, 0),
                "what comes after a search has begun is for the next one")
    got = store.run("query", build, "--count")
    t.equal(got.stdout, b"3000\n", "which finds it")
    w.close()


def growing(store):
    """A build that writes all the time, with a torn record at the end most of it."""
    build = ulid(T0)
    r = Records(build, T0)
    w = Writer(store, build)
    w.write(r.start())

    def step(n):
        record = r.line(f"line {n} " + "x" * (n % 3000))
        w.write(record[:n % len(record)])
        w.write(record[n % len(record):])
    other = Restless(step)
    other.start()
    wrong, last = [], 0
    for _ in range(ROUNDS):
        got = store.run("info", "--json")
        try:
            info = json.loads(got.stdout)
            good = info["status"] == "running" and info["records"]["lines"] >= last and \
                info["leftOut"]["damagedLines"] == 0 and info["leftOut"]["numberingBreaks"] == 0
            last = info["records"]["lines"]
        except (ValueError, KeyError):
            good = False
        if not good or got.returncode != 0 or got.stderr:
            wrong.append(got)
        got = store.run("ls", "--json")
        if got.returncode != 0 or got.stderr or \
                [one["status"] for one in json.loads(got.stdout)] != ["running"]:
            wrong.append(got)
        got = store.run("tail", "-n", "3")
        if got.returncode != 0 or b"left out" in got.stderr or \
                got.stdout.count(b"\n") < min(3, last):
            wrong.append(got)
        numbers = [json.loads(line)["seq"] for line in
                   store.run("tail", "--json", "--bytes", "20k").stdout.splitlines()]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False:
            wrong.append(numbers)
    other.stop()
    w.write(r.end("failed", exitCode=2))
    w.close()
    t.equal(wrong[:3], [], "a log that grows: running, whole records, in order")
    t.equal(json.loads(store.run("info", "--json").stdout)["status"], "failed", "then its end")


def churning(store):
    """Logs that come, are emptied, compressed and removed beside two that stand still."""
    still = [store.finished(T0 - 1000, ["still"]), store.finished(T0 + 10 ** 9, ["still"])]
    packed = gzip.compress(Records(still[0], T0).start() + b"not a record\n")

    def step(n):
        build = ulid(T0 + n % 7)
        path = store.path(build)
        for turn in range(4):
            if (n + turn) % 4 == 0:
                store.finished(T0 + n % 7, [f"line {i}" for i in range(n % 50)])
            elif (n + turn) % 4 == 1 and os.path.exists(path):
                os.truncate(path, os.path.getsize(path) * (n % 5) // 5)
            elif (n + turn) % 4 == 2:
                store.put(build, packed[:n % len(packed)], ".log.gz")
            else:
                for name in (path, path + ".gz"):
                    if os.path.exists(name):
                        os.unlink(name)
    other = Restless(step)
    other.start()
    wrong = []
    for n in range(ROUNDS):
        for words in (("ls", "--json"), ("info", "--json", ulid(T0 + n % 7)), ("stats", "--json"),
                      ("tail", ulid(T0 + n % 7), "-n", str(n)), ("show", ulid(T0 + n % 7)),
                      ("query", "-k", "still", "-o", "jsonl"), ("errors", ulid(T0 + n % 7)),
                      ("tail", ulid(T0 + n % 7), "--bytes", "1k", "-o", "jsonl")):
            got = store.run(*words)
            if got.returncode not in (0, 1, 2) or b"anitizer" in got.stderr or \
                    (got.returncode == 2) != (got.stderr.count(b"cannot") > 0):
                wrong.append((words, got))
            if words[0] == "ls" and not all(build.encode() in got.stdout for build in still):
                wrong.append((words, got))
            if words[0] == "query" and got.stdout.count(b'"msg":"still"') != len(still):
                wrong.append((words, got))
            if "jsonl" in words:
                for line in got.stdout.splitlines():
                    json.loads(line)
    other.stop()
    t.equal(wrong[:5], [], f"{len(wrong)} of {8 * ROUNDS} commands in a store that does not hold "
            "still are wrong")


for case in (outrun, growing, churning):
    with Store() as fresh:
        case(fresh)
t.done()
