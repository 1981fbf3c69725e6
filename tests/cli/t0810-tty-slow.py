#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A terminal that is read slowly, or not for a while: the command waits, nothing is lost, and what
is typed still arrives."""
import os
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
LINES, WIDTH = 40000, 80
# What buildlog reads ahead, 64 KiB and a batch of 32, and what the terminal outside holds, 68 KiB
# at most.
MOST_AHEAD = 192 << 10
STILL = 0.4  # seconds without a change: blocked


def written(tty):
    """Bytes of the command that are in the log, once the command waits for its terminal."""
    seen = {"size": 0, "since": time.monotonic()}

    def waits():
        size = os.path.getsize(tty.path) if tty.paths else 0
        if size != seen["size"]:
            seen.update(size=size, since=time.monotonic())
        return size > 0 and time.monotonic() - seen["since"] > STILL
    bl.wait_for(waits, "the command blocks")
    bl.ok(not bl.proc_gone(tty.pid), "buildlog waits")
    with open(tty.path, "rb") as log:
        return WIDTH * log.read().count(b'"kind":"line"')


@bl.section
def not_read_for_a_while():
    tty = bl.Pty([bl.BIN, "run", "--", EMIT, "lines", LINES, WIDTH])
    size = written(tty)
    bl.ok(size < MOST_AHEAD, "a terminal that is not read stops the command", size)
    bl.equal(tty.finish(), 0, "and once it is read the command goes on")
    wanted = bl.bare(EMIT, "lines", str(LINES), str(WIDTH)).out
    bl.ok(tty.screen == wanted.replace(b"\n", b"\r\n"), "every byte is there, in order",
          len(tty.screen), len(wanted))
    log = bl.sound(tty, "the log is sound")
    bl.equal(len(log.lines), LINES, "and whole")


@bl.section
def stopped_while_full():
    tty = bl.Pty([bl.BIN, "run", "--", EMIT, "lines", 1 << 40, WIDTH])
    written(tty)
    tty.send(b"\x03")
    bl.equal(tty.finish(), -2, "Ctrl-C ends a command whose terminal is full")
    log = bl.sound(tty, "its log is sound")
    bl.equal(log.end["status"], "interrupted", "and says what happened")


bl.done()
