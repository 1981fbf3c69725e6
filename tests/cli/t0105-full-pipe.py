#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A command that prints faster than it can be recorded: a thread reads and redacts what comes
next. There is one at most, once it is needed, and no signal is its own. Bytes, log and status
are those of a run without it, whatever read fails."""
import os
import random
import re
import signal
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

PAT = "ghp_" + "aB3" * 12  # nobody's
MARK = "ghp_[REDACTED]"
SIZE = 2 << 20
READS = range(2, 8)  # of the exec's outcome and of the pipe, as far as it was filled
CPUS = os.sched_getaffinity(0)

# While its parent stands still, the command fills the pipe; then come the rest, and what it sees
# of its parent's threads once all of that is read. They go to stderr.
COMMAND = r"""
import fcntl, os, re, signal, struct, sys, termios, time

def wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        if time.monotonic() > until:
            sys.exit("waited too long")
        time.sleep(0.002)

def threads():
    told = []
    for task in sorted(os.listdir(f"/proc/{parent}/task"), key=int):
        with open(f"/proc/{parent}/task/{task}/status", encoding="ascii") as file:
            told.append(re.search(r"SigBlk:\s*(\w+)", file.read()).group(1))
    return " ".join(told)

def state():
    with open(f"/proc/{parent}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]

def unread():
    left = bytearray(4)
    fcntl.ioctl(1, termios.FIONREAD, left)
    return struct.unpack("i", left)[0]

parent = os.getppid()
with open(sys.argv[1], "rb") as file:
    data = file.read()
before = threads()
os.kill(parent, signal.SIGSTOP)
wait_for(lambda: state() == "T")
try:
    fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)
except OSError:
    pass
size = min(fcntl.fcntl(1, fcntl.F_GETPIPE_SZ), len(data))
while data[:size]:
    done = os.write(1, data[:size])
    data, size = data[done:], size - done
os.kill(parent, signal.SIGCONT)
while data:
    data = data[os.write(1, data):]
wait_for(lambda: unread() == 0)
os.write(2, f"before {before}\nafter {threads()}\n".encode())
"""


def make_input():
    """Lines of all lengths, a secret every few hundred bytes: some lie across two reads."""
    rng = random.Random(11)
    parts, size = [], 0
    while size < SIZE:
        line = "".join(rng.choices("abcdefg hijk", k=int(rng.expovariate(1 / 150))))
        if rng.random() < 0.6:
            line += f" {PAT} {line[:20]}"
        parts.append(line + "\n")
        size += len(line) + 1
    text = "".join(parts)
    path = bl.temp("input")
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path, text.replace(PAT, MARK).encode()


INPUT, WANT = make_input()


def flood(name, fault="", cpus=None, options=()):
    run = bl.run("--quiet", *options, "--", sys.executable, "-c", COMMAND, INPUT,
                 binary=bl.FAULT_BIN, env={"BUILDLOG_FAULT": fault}, seconds=90,
                 preexec=lambda: cpus and os.sched_setaffinity(0, cpus))
    return run, name


def intact(run, name):
    bl.equal((run.status, run.out), (0, WANT), f"{name}: status and bytes")
    log = bl.sound(run, f"{name}: the log is sound")
    bl.ok(log.bytes_of("stdout") == WANT and log.end["complete"], f"{name}: and has every line")


def threads(run, when):
    return re.search(when + r" (.*)", run.err.decode()).group(1).split()


@bl.section
def one_thread():
    if len(CPUS) < 2:
        bl.skip("the thread", "there is one processor")
        return
    run, name = flood("a full pipe")
    intact(run, name)
    bl.equal((len(threads(run, "before")), len(threads(run, "after"))), (1, 2),
             "there is one thread more once the pipe was full, none before", run.err)
    first, second = (int(mask, 16) for mask in threads(run, "after"))
    own = {number for number in signal.valid_signals()
           if number not in (signal.SIGKILL, signal.SIGSTOP) and not second >> number - 1 & 1}
    bl.equal(own, set(), "which blocks every signal")
    bl.equal(first, int(threads(run, "before")[0], 16), "and the first thread what it did before")


@bl.section
def no_thread():
    for name, fault in (("no thread to be had", "thread_create:1:EAGAIN:persist"),
                        ("nobody knows the processors", "sched_getaffinity:1:EPERM:persist")):
        run, name = flood(name, fault)
        intact(run, name)
        bl.equal(len(threads(run, "after")), 1, f"{name}: goes without")
    run, name = flood("one processor", cpus={min(CPUS)})
    intact(run, name)
    bl.equal(len(threads(run, "after")), 1, f"{name}: goes without")


@bl.section
def not_for_all():
    for options in (["--redact", "off"], ["--add-mask"], ["--forward", "raw"]):
        run, name = flood(" ".join(options), options=options)
        bl.equal((run.status, len(threads(run, "after"))), (0, 1), f"{name}: no thread", run.err)


@bl.section
def reads_fail():
    for number in READS:
        for way in ("EINTR", "EAGAIN", "short"):
            run, name = flood(f"read {number} of the pipe {way}", f"read@other:{number}:{way}")
            intact(run, name)


@bl.section
def the_pipe_breaks():
    """What was read until then is shown and logged, and the log does not say it were all."""
    broken = 0
    for number in READS:
        run, name = flood(f"read {number} EIO", f"read@other:{number}:EIO")
        log = bl.sound(run, f"{name}: the log is sound")
        # What a cut leaves of a token is no secret, and comes out as it is.
        lines = run.out[:run.out.rfind(b"\n") + 1]
        bl.ok(WANT.startswith(lines), f"{name}: what is shown is the beginning")
        bl.ok(log.bytes_of("stdout") == run.out, f"{name}: and that is in the log")
        bl.ok(log.end["complete"] == (run.out == WANT), f"{name}: which tells what is missing")
        broken += run.out != WANT
    bl.ok(broken >= 3, f"{broken} of them broke the pipe")


bl.done()
