#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog tail -f while system calls fail: what ends with the build's status has shown all of it,
everything else says why; nothing hangs, nothing dies."""
import concurrent.futures
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl  # noqa: E402
from handmade import Follower, Records, Store, Writer, ulid  # noqa: E402

CALLS = ("inotify_init1", "inotify_add_watch", "fstatfs", "poll", "read", "pread", "fstat",
         "fstatat", "lock", "close", "openat", "openat2", "fcntl", "write", "clock_gettime")
WAYS = ("EIO", "EINTR", "ENOMEM", "short")
WANT = "one\ntwo\nthree\nfour\n".encode()
STATUS = 3
LATE = 5.0  # seconds: what has not come by then is judged at the end


class FaultyFollower(Follower):
    def __init__(self, store, order):
        self.child = subprocess.Popen([bl.FAULT_BIN, "tail", "-f", "-n", "9", "--exit-status"],
                                      env=store.env(BUILDLOG_FAULT=order),
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        self.seen = b""


def play(store, order):
    """A build that prints, whose log is removed and made anew, and that fails."""
    now = int(time.time() * 1000)
    build = ulid(now)
    r = Records(build, now)
    me = {"pid": os.getpid()}
    w = Writer(store, build)
    w.write(r.start(**me) + r.line("one"))
    f = FaultyFollower(store, order)
    f.until(b"one\n", LATE)
    w.write(r.line("two"))
    f.until(b"two\n", LATE)
    os.unlink(store.path(build))
    again = Records(build, now)
    w2 = Writer(store, build)
    w2.write(again.start(**me) + again.gap(2, 2, "log_replaced") + again.line("three"))
    w.close()
    f.until(b"three\n", LATE)
    w2.write(again.line("four") + again.end("failed", exitCode=STATUS))
    w2.close()
    return f.finish()


def judge(order):
    with Store() as store:
        status, out, err = play(store, order)
    call, _, way, _ = order.split(":")
    # Only what reads, writes or waits is tried again when it is interrupted.
    harmless = way == "short" or (way == "EINTR" and call in ("read", "pread", "write", "poll"))
    if status == STATUS:
        return "" if out == WANT else f"the status, but {out}"
    if status == 125 and b"lost" in err and call == "lock" and not harmless:
        return ""  # nobody can tell
    if status == 2 and call == "write" and order.endswith("persist") and not err:
        return ""  # not even that could be written
    if status == 2 and err.startswith(b"buildlog tail: ") and err.count(b"\n") == 1 and \
            WANT.startswith(out) and not harmless:
        return ""
    return f"{status} {out} {err[:300]}"


def prove(call, pool):
    orders = [f"{call}:{n}:{way}:{times}" for n in (1, 2, 3, 7) for way in WAYS
              for times in ("x1", "persist")
              if (way != "short" or call in ("pread", "read", "write"))
              and (way, times) not in (("EINTR", "persist"), ("short", "persist"))]
    bad = [(order, why) for order, why in zip(orders, pool.map(judge, orders)) if why]
    bl.ok(not bad, f"{call}: {len(orders)} faults", f"{len(bad)} bad", *bad[:8])


with concurrent.futures.ThreadPoolExecutor(3) as workers:
    for each in CALLS:
        prove(each, workers)
bl.done()
