#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog query over many small logs: threads go ahead of the one that shows, and what comes out,
in which order, and what is complained about, is the same as on one processor."""
import gzip
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import BUILDLOG, Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1_767_323_045_678
N = 200
SEARCHES = (("-k", "needle"), ("-k", "needle", "-r"), ("-k", "needle", "-c"), ("-k", "nowhere"),
            ("-k", "needle", "--limit", "3"), ("-k", "needle", "-C", "1"), ("-l", "error"),
            ("-l", "warn", "-c"), ("-g", "n[e]+dle [0-9]$"), ("--src", "stderr", "-o", "summary"),
            ("--event", "stall"), ("-k", "needle", "--status", "failed"), ("--tool", "lint"),
            ("-k", "nedle", "--fuzzy", "1", "--best"), ("-k", "nedele", "--fuzzy", "1"),
            ("--since", "@1767323045.7", "-k", "needle"), ("-c",), ("-k", "needle", "-o", "json"))


def log_of(rng, n):
    """Most have nothing; the others something of each kind."""
    r = Records(ulid(T0 + n), T0 + n)
    out = r.start(**({"labels": {"tool": "lint"}} if n % 40 == 7 else {}))
    for i in range(rng.randrange(1, 30)):
        out += r.line(f"line {i}")
    if n % 20 == 3:
        out += r.line(f"needle {n}") + r.line("x.c:1: error: no such", src="stderr")
    if n % 50 == 9:
        out += r.event("stall", level="warn")
    if n % 50 == 11:
        out += b"this is no record\n"
    out += b"" if n % 50 == 12 else r.end(status="failed" if n % 3 == 0 else "ok")
    return r.build, out + (b'{"kind":"line","ts":1' if n % 50 == 13 else b"")


def fill(store):
    rng = random.Random(3)
    for n in range(N):
        build, data = log_of(rng, n)
        if n % 50 == 14:
            path = store.put(build, data)
            with gzip.open(store.path(build) + ".gz", "wb") as out:
                out.write(data)
            os.unlink(store.path(build))
        elif n == 77:
            store.put(build, data + Records(build, T0).line("x" * (2 << 20)))
        else:
            store.put(build, data)
    os.symlink("/etc/passwd", os.path.join(os.path.dirname(store.path(build)),
                                           ulid(T0 + N) + ".log"))


def search(store, cpus, words):
    done = subprocess.run([BUILDLOG, "query", *words], env=store.env(), stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=120, check=False,
                          preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    return done.returncode, done.stdout, done.stderr


with Store() as the_store:
    fill(the_store)
    all_cpus = os.sched_getaffinity(0)
    for way in SEARCHES:
        alone = search(the_store, {min(all_cpus)}, way)
        if len(all_cpus) < 2:
            t.skip(" ".join(way), "one processor")
            continue
        t.equal(search(the_store, all_cpus, way), alone, " ".join(way))
    found = search(the_store, all_cpus, ("-k", "needle", "-c"))
    t.equal(found[1], b"10\n", "and something is found")
    t.ok(b"left out" in found[2], "and complained about", found[2])
t.done()
