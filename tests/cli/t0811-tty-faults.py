#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""At a terminal, too, every system call fails, once and for good, at every early N: the status is
the command's, or it was refused before it started, or nobody can know and that is said; the
terminal is as it was, and nothing hangs."""
import concurrent.futures
import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import faults

MARK = b"started"
COMMAND = ["sh", "-c", f"echo {MARK.decode()}; exit 5"]
WAYS = ("EIO:x1", "EIO:persist", "EINTR:x1", "EAGAIN:x1")
MAX_N = 4
SECONDS = 20
NEVER_FOR_GOOD = ("wait4", "waitid")  # no system never tells of a child
REFUSED = (125, 126)
UNKNOWN = b"how the command ended is not known"


def at_terminal(order, counts=None):
    """Status (None: it hung), screen, and whether the settings are as they were."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(slave)
    env = {"BUILDLOG_FAULT": order}
    if counts:
        env["BUILDLOG_COUNTS"] = counts
    process = subprocess.Popen(
        [bl.FAULT_BIN, "run", "--linger", "100ms", "--", *COMMAND], stdin=slave, stdout=slave,
        stderr=slave, env=bl.environment(bl.temp("store"), **env), start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    screen, deadline = b"", time.monotonic() + SECONDS * bl.SCALE
    while time.monotonic() < deadline and (process.poll() is None or
                                           select.select([master], [], [], 0)[0]):
        if select.select([master], [], [], 0.02)[0]:
            screen += os.read(master, 65536)
    status = process.poll()
    if status is None:
        process.kill()
        process.wait()
    same = termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)
    return status, screen, same


def orders():
    path = bl.temp("counts")
    bl.equal(at_terminal("", path)[0], 5, "undisturbed, the status is the command's")
    with open(path, "rb") as file:
        data = file.read()
    for index, name in enumerate(faults.calls()):
        count = struct.unpack_from("Q", data, index * faults.COUNTER_SIZE)[0]
        for number in range(1, min(count, MAX_N) + 1):
            for way in WAYS:
                if name not in NEVER_FOR_GOOD or not way.endswith("persist"):
                    yield f"{name}:{number}:{way}"


def judge(order):
    status, screen, same = at_terminal(order)
    wrong = []
    if status is None:
        wrong.append("hangs")
    refused = MARK not in screen and status in REFUSED
    if status != 5 and not refused and UNKNOWN not in screen:
        wrong.append("neither the command's status nor refused")
    if not same:
        wrong.append("the terminal is not as it was")
    return f"{order}: {', '.join(wrong)}: {status} {bl.show(screen)}" if wrong else ""


@bl.section
def table():
    todo = list(orders())
    with concurrent.futures.ThreadPoolExecutor(faults.PARALLEL) as pool:
        wrong = [text for text in pool.map(judge, todo) if text]
    bl.ok(len(todo) > 100, f"there is something to try: {len(todo)} faults")
    bl.equal(wrong, [], "every one of them is survived")


bl.done()
