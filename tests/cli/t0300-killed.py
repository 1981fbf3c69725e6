#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SIGKILL of buildlog at random moments: every finished line that was seen on the terminal is
in the file, no torn record stands in its middle, and the next attempt goes on from there."""
import os
import random
import select
import signal
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
ROUNDS = 30 if not bl.SANITIZED else 10
SEED = int.from_bytes(os.urandom(4), "big")


def lines_seen(run):
    return run.out[:run.out.rfind(b"\n") + 1].splitlines()


def killed(random_source, *command):
    """Reads a random number of bytes from the terminal, kills, reads what is left in the
    pipe: what a person would have seen."""
    run = bl.start("--", *command)
    wanted = random_source.choice([1, 500, 20_000, 300_000, 1_500_000])
    streams = {run.process.stdout.fileno(): "out", run.process.stderr.fileno(): "err"}
    while len(run.out) < wanted:
        for fd in select.select(list(streams), [], [])[0]:
            data = os.read(fd, random_source.choice([100, 4096, 65536]))
            setattr(run, streams[fd], getattr(run, streams[fd]) + data)
            wanted = wanted if data else 0
    run.send(signal.SIGKILL)
    return run.finish()


@bl.section
def random_moments():
    source, missing, torn, bad = random.Random(SEED), [], 0, []
    for number in range(ROUNDS):
        command = [(EMIT, "lines", "1000000", "80"), (EMIT, "both", "1000000"),
                   (EMIT, "ones", "3000000")][number % 3]
        run = killed(source, *command)
        log = bl.read_log(run.path, finished=False)
        bad += log.errors
        torn += bool(log.torn)
        for name, stream in (("stdout", run.out), ("stderr", run.err)):
            seen = stream[:stream.rfind(b"\n") + 1]
            if not log.bytes_of(name).startswith(seen):
                missing.append((number, name, len(seen), len(log.bytes_of(name))))
    bl.equal(missing, [], f"{ROUNDS} kills: every line seen is in the file (seed {SEED})")
    bl.equal(bad, [], f"{ROUNDS} kills: no torn record in the middle, no wrong number")
    bl.diag(f"{torn} of {ROUNDS} logs were torn at their end")


@bl.section
def before_it_is_seen():
    """A slow reader: nothing it has got is missing, at any pace."""
    for size in (1, 7, 79, 80, 81):
        run = bl.start("--", EMIT, "lines", "200", "80")
        for _ in range(30):
            run.out += os.read(run.process.stdout.fileno(), size)
        run.send(signal.SIGKILL)
        run.finish()
        log = bl.read_log(run.path, finished=False)
        bl.ok(log.bytes_of("stdout").startswith(b"\n".join(lines_seen(run))) and not log.errors,
              f"read by {size}: what was seen is in the file", log.errors)


@bl.section
def next_attempt():
    """A lost build is continued: its torn tail cut back, seq goes on."""
    run = killed(random.Random(SEED), EMIT, "lines", "1000000", "80")
    build_id = os.path.basename(run.path)[:26]
    before = bl.read_log(run.path, finished=False)
    with open(run.path, "ab") as file:
        file.write(b'{"kind":"line","ts":17')  # torn, whatever the kill left
    again = bl.run("--id", build_id, "--", "echo", "second", store=run.store)
    bl.equal((again.status, again.out, again.err), (0, b"second\n", b""), "a lost id runs again")
    log = bl.sound(again, "the continued log is sound")
    bl.equal((len(log.attempts), log.start.get("attempt"), log.attempts[0].end),
             (2, 2, None), "attempt 2 after one without an end")
    bl.equal(log.lines[-1]["seq"], before.lines[-1]["seq"] + 1, "seq goes on")
    bl.ok(log.data.startswith(before.data[:len(before.data) - len(before.torn)]),
          "nothing that was sound is gone")


@bl.section
def command_lives_until_it_writes():
    """The command is not taken along; what it starts has a way out."""
    run = bl.start("--", EMIT, "out", b"on\n".hex(), "wait", go := bl.temp("go"), "out",
                   b"x".hex())
    run.read_until(b"on\n")
    child = bl.wait_for(lambda: bl.proc_children(run.pid), "the command")[0]
    run.send(signal.SIGKILL)
    run.process.wait()
    open(go, "wb").close()
    bl.ok(bl.wait_for(lambda: bl.proc_gone(child), "the command meets the closed pipe"),
          "the command of a killed buildlog ends at its next write")


bl.done()
