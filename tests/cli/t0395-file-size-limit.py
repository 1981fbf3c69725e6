#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ulimit -f: a log that reaches the limit is a full disk, never the end of the build. The
command keeps its status and its output, the log has an end within the limit and counts what
is missing; and the command itself meets the limit and its signal as it would without us."""
import os
import resource
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl  # noqa: E402

LIMIT = 100 * 1024
N = 20000


def limited():
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))


@bl.section
def the_log():
    done = bl.run("sh", "-c", f"seq 1 {N}; exit 3", preexec=limited)
    bl.equal(done.status, 3, "the status is the command's")
    bl.equal(done.out, b"".join(b"%d\n" % i for i in range(1, N + 1)), "so is the output")
    bl.ok(done.err.count(b"\n") <= 2 and b"File too large" in done.err, "one word on stderr",
          done.err)
    log = bl.sound(done, "the log is sound")
    bl.equal(log.end["complete"], False, "not complete")
    bl.equal(log.end["lines"], N, "every line counted")
    bl.equal(len(log.lines) + sum(gap["lines"] for gap in log.gaps), N, "there or in a gap")
    bl.ok(len(log.data) <= LIMIT, "within the limit", len(log.data))
    bl.equal(log.lines[-1]["msg"], str(N), "the last words are there")


@bl.section
def the_command():
    target = bl.temp("big")
    done = bl.run("sh", "-c", f"exec head -c {3 * LIMIT} /dev/zero >{target}", preexec=limited)
    bl.equal(done.status, -signal.SIGXFSZ, "the command dies of the signal, and so do we")
    log = bl.sound(done, "its log")
    bl.equal((log.end["status"], log.end["signal"]), ("signaled", "SIGXFSZ"), "says so")


bl.done()
