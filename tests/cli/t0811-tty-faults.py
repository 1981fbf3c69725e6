#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""At a terminal, too, every system call fails, once and for good, at every early N: the status is
the command's, or it was refused before it started, or nobody can know and that is said; the
terminal is as it was, and nothing hangs."""
import concurrent.futures
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import faults

MARK = b"started"
# With stdin elsewhere the command starts behind; what it does to its terminal brings it forward.
COMMANDS = {"the terminal": f"echo {MARK.decode()}; exit 5",
            "elsewhere": f"echo {MARK.decode()}; stty -echo </dev/tty; stty echo </dev/tty; exit 5"}
WAYS = ("EIO:x1", "EIO:persist", "EINTR:x1", "EAGAIN:x1")
MAX_N = 4
MAX_N_OF_SESSION = 40  # what is done between buildlog, the process between and the terminals
OF_SESSION = ("sendmsg", "recv", "ioctl", "lock", "poll", "waitid", "kill", "dup2")
SECONDS = 20
NEVER_FOR_GOOD = ("wait4", "waitid")  # no system never tells of a child
REFUSED = (125, 126)
UNKNOWN = b"how the command ended is not known"
# Where a terminal does not tell who is in its foreground, the command is kept in the background.
HUNG_UP = b"nobody could continue it; it is told to hang up"


def at_terminal(stdin, order, counts=None):
    """Status (None: it hung), screen, and whether the settings are as they were."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(slave)
    env = {"BUILDLOG_FAULT": order}
    if counts:
        env["BUILDLOG_COUNTS"] = counts
    process = subprocess.Popen(
        [bl.FAULT_BIN, "run", "--linger", "100ms", "--", "sh", "-c", COMMANDS[stdin]],
        stdin=subprocess.DEVNULL if stdin == "elsewhere" else slave, stdout=slave, stderr=slave,
        env=bl.environment(bl.temp("store"), **env), start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0))
    screen, deadline = b"", bl.Deadline(SECONDS)
    while not deadline.late() and (process.poll() is None or
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


def orders(stdin):
    path = bl.temp("counts")
    bl.equal(at_terminal(stdin, "", path)[0], 5, f"stdin {stdin}: the status is the command's")
    with open(path, "rb") as file:
        data = file.read()
    for index, name in enumerate(faults.calls()):
        count = struct.unpack_from("Q", data, index * faults.COUNTER_SIZE)[0]
        most = MAX_N_OF_SESSION if name in OF_SESSION else MAX_N
        for number in range(1, min(count, most) + 1):
            for way in WAYS:
                if name not in NEVER_FOR_GOOD or not way.endswith("persist"):
                    yield f"{name}:{number}:{way}"


def judge(stdin, order):
    status, screen, same = at_terminal(stdin, order)
    wrong = []
    if status is None:
        wrong.append("hangs")
    refused = MARK not in screen and status in REFUSED
    hung_up = HUNG_UP in screen and status == -signal.SIGHUP
    if status != 5 and not refused and not hung_up and UNKNOWN not in screen:
        wrong.append("neither the command's status nor refused")
    if not same:
        wrong.append("the terminal is not as it was")
    return f"{order}: {', '.join(wrong)}: {status} {bl.show(screen)}" if wrong else ""


@bl.section
def table():
    for stdin in COMMANDS:
        todo = list(orders(stdin))
        with concurrent.futures.ThreadPoolExecutor(faults.PARALLEL) as pool:
            wrong = [text for text in pool.map(lambda order: judge(stdin, order), todo) if text]
        bl.ok(len(todo) > 100, f"there is something to try: {len(todo)} faults")
        bl.equal(wrong, [], f"stdin {stdin}: every one of them is survived")


bl.done()
