#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libbuildlog while memory runs out and system calls fail: each call gives an error that says what
could not be done, or what it gives undisturbed; nothing dies, nothing hangs, nothing is left
open."""
import concurrent.futures
import gzip
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import handmade

FAULTY = os.path.join(bl.BUILD, "tests", "library", "faulty")
T0 = 1_767_323_045_678
store = handmade.Store()
bl.atexit.register(store.__exit__)
for number, name in enumerate("AB"):
    build = handmade.ulid(T0 + number * 1000, name)
    r = handmade.Records(build, T0 + number * 1000)
    data = r.start(labels={"a": "b"})
    for n in range(300):
        data += r.line(f"line {n} " + "x" * 400)
    data += r.line("main.c:3:1: error: expected ';'", src="stderr") + r.event("stall")
    data += r.gap(2, 2) + r.end("failed", exitCode=2)
    if name == "A":
        store.put(build, gzip.compress(data), suffix=".log.gz")
    else:
        store.put(build, data)

COMMANDS = (("builds",), ("build", "last"), ("query", "regex=li[mn]e 7", "level:3"),
            ("query", "reverse:1", "word=line", "status=failed"),
            ("records", "word=lime", "fuzzy:2", "label=a=b"), ("errors", "last"),
            ("follow", "last"))
CALLS = ("openat", "openat2", "fstat", "fstatat", "pread", "read", "lock", "fcntl", "inotify_init1",
         "inotify_add_watch", "epoll_create1", "epoll_ctl", "timerfd_create", "timerfd_settime")


def run(words, **env):
    done = subprocess.run([FAULTY, words[0], store.root, *words[1:]], stdin=subprocess.DEVNULL,
                          env=bl.environment(**env), capture_output=True, timeout=60 * bl.SCALE,
                          check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def complaint(words, want, env):
    """"" if all is well; what is not, else."""
    status, out, err = run(words, **env)
    errors = [line for line in err.splitlines()
              if re.fullmatch(r"-[1-6]: cannot .+|-2: no memory", line)]
    if status == 1 and errors and len(out) <= len(want[1]):
        return ""
    if status == 0 and out == want[1] and not errors:
        return ""
    return status, out[-200:], err[-300:]


def prove(words, what, environments):
    want = run(words)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bad = [(env, why) for env, why in
               zip(environments, pool.map(lambda env: complaint(words, want, env), environments))
               if why]
    bl.ok(want[0] == 0 and want[1] and not bad,
          f"{' '.join(words)}: {len(environments)} times {what}", want[0], want[2], *bad[:6])


for each in COMMANDS:
    prove(each, "no memory", [{"NOMEM": f"{n}{more}"} for n in range(1, 40) for more in ("", "+")])
    prove(each, "a failing call",
          [{"BUILDLOG_FAULT": f"{call}:{n}:{way}:{times}"} for call in CALLS for n in (1, 2, 4)
           for way, times in (("EIO", "x1"), ("EIO", "persist"), ("EINTR", "x1"), ("EMFILE", "x1"))])
bl.done()
