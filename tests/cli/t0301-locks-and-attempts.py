#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One writer per id: a second run with a locked id is refused and names the pid; a finished id
gets a new attempt; 64 builds at once each have their own sound log."""
import fcntl
import os
import signal
import struct
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
F_OFD_GETLK, F_OFD_SETLK = 36, 37


def lock_type(path, command=F_OFD_GETLK, kind=fcntl.F_WRLCK):
    """What fcntl answers about a write lock on the whole file."""
    fd = os.open(path, os.O_RDWR if command == F_OFD_SETLK else os.O_RDONLY)
    try:
        answer = fcntl.fcntl(fd, command, struct.pack("hhqqi4x", kind, 0, 0, 0, 0))
        return struct.unpack("hhqqi4x", answer)[0]
    finally:
        os.close(fd)


@bl.section
def twice_at_once():
    build_id, go = bl.fresh_id(), bl.temp("go")
    first = bl.start("--id", build_id, "--", EMIT, "out", b"first\n".hex(), "wait", go)
    first.read_until(b"first\n")
    bl.equal(first.path, bl.id_path(first.store, build_id), "the path of an id is known")
    marker = bl.temp("marker")
    second = bl.run("--id", build_id, "--", "touch", marker, store=first.store)
    bl.equal((second.status, second.out), (125, b""), "the same id at once: refused with 125")
    bl.ok(str(first.pid).encode() in second.err and second.err.count(b"\n") == 1,
          "one line that names the pid", second.err)
    bl.ok(not os.path.exists(marker), "its command has not started")
    bl.equal(lock_type(first.path), fcntl.F_WRLCK, "a reader can query the lock")
    open(go, "wb").close()
    first.finish()
    log = bl.sound(first, "the first is undisturbed")
    bl.equal((len(log.attempts), log.start["lock"]), (1, True), "one attempt, locked")
    bl.equal(lock_type(first.path), fcntl.F_UNLCK, "the lock goes with buildlog")


@bl.section
def locked_by_another_kind():
    """A lock that carries no start record of ours: refused all the same."""
    store, build_id = bl.temp("store"), bl.fresh_id()
    first = bl.run("--id", build_id, "--", "true", store=store)
    fd = os.open(first.path, os.O_RDWR)
    fcntl.fcntl(fd, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
    before = open(first.path, "rb").read()
    second = bl.run("--id", build_id, "--", "echo", "no", store=store)
    os.close(fd)
    bl.equal((second.status, second.out), (125, b""), "locked by someone else: 125")
    bl.equal(open(first.path, "rb").read(), before, "the file is as it was")


@bl.section
def attempts():
    build_id, store = bl.fresh_id(), bl.temp("store")
    for number, (command, status) in enumerate([("echo one; echo two; exit 1", 1),
                                                ("echo three", 0), ("kill -TERM $$", -15),
                                                (":", 0)], 1):
        run = bl.run("--id", build_id, "--", "sh", "-c", command, store=store)
        bl.equal((run.status, run.err), (status, b""), f"attempt {number}: runs as usual")
        log = bl.sound(run, f"attempt {number}: the log is sound")
        bl.equal((len(log.attempts), log.start.get("attempt", 1)), (number, number),
                 f"attempt {number}: a new start record")
    bl.equal([line["seq"] for line in log.lines], [1, 2, 3], "seq goes on over all attempts")
    bl.equal([attempt.end["status"] for attempt in log.attempts],
             ["failed", "ok", "signaled", "ok"], "each attempt has its own end")
    bl.equal([attempt.end["lines"] for attempt in log.attempts], [2, 1, 0, 0],
             "each its own counts")


@bl.section
def compressed():
    run = bl.run("--", "echo", "x")
    build_id = os.path.basename(run.path)[:26]
    bl.bare("gzip", run.path)
    again = bl.run("--id", build_id, "--", "echo", "no", store=run.store)
    bl.equal((again.status, again.out, again.err.count(b"\n")), (125, b"", 1),
             "a compressed one is refused")
    bl.equal(run.paths, [], "and no second file is made beside it")


@bl.section
def odd_tails():
    """Whatever a crash left at the end is cut back; nothing else is."""
    for tail, name in ((b"\0" * 4096, "a block of NUL"), (b'{"kind":"li', "half a record"),
                       (b'{"kind":"line","ts":1,"seq":99', "one without its newline")):
        run = bl.run("--", "sh", "-c", "echo a; echo b")
        build_id = os.path.basename(run.path)[:26]
        sound = open(run.path, "rb").read()
        cut = sound[:sound.rstrip(b"\n").rfind(b"\n") + 1]  # without the end record
        with open(run.path, "wb") as file:
            file.write(cut + tail)
        again = bl.run("--id", build_id, "--", "echo", "c", store=run.store)
        log = bl.sound(again, f"after {name}: the log is sound")
        bl.equal(log.msgs(), ["a", "b", "c"], f"after {name}: nothing sound is lost")
    run = bl.run("--", "true")
    open(run.path, "wb").close()
    again = bl.run("--id", os.path.basename(run.path)[:26], "--", "echo", "x", store=run.store)
    bl.equal((again.status, again.log.msgs()), (0, ["x"]), "an empty file is a fresh one")
    bl.sound(again, "an empty file: the log is sound")


@bl.section
def sixty_four():
    store, go, count = bl.temp("store"), bl.temp("go"), 64
    runs = [bl.start("--", EMIT, "out", f"{n}\n".encode().hex(),
                     "wait", go, "lines", 200, 80, store=store) for n in range(count)]
    for number, run in enumerate(runs):
        run.read_until(b"%d\n" % number)
    open(go, "wb").close()
    for run in runs:
        run.finish(60)
    logs = [bl.read_log(path) for path in runs[0].paths]
    bl.equal(len(logs), count, "64 builds at once: 64 logs")
    bl.equal([log.errors for log in logs if log.errors], [], "64 builds at once: all sound")
    bl.equal(sorted(int(log.msgs()[0]) for log in logs), list(range(count)), "none mixed up")
    bl.equal({(run.status, run.err) for run in runs}, {(0, b"")}, "64 builds at once: all well")


@bl.section
def same_id_race():
    """Eight at the same moment with one id: one at a time wins, the file stays sound."""
    store, build_id = bl.temp("store"), bl.fresh_id()
    runs = [bl.start("--id", build_id, "--", "echo", n, store=store) for n in range(8)]
    for run in runs:
        run.finish()
    winners = [run for run in runs if run.status == 0]
    bl.ok(winners and all(run.status in (0, 125) for run in runs), "eight at once: ran or refused",
          [run.status for run in runs])
    log = bl.sound(winners[0], "eight at once: the log is sound")
    bl.equal(len(log.attempts), len(winners), "as many attempts as winners")


@bl.section
def killed_releases():
    run = bl.start("--", EMIT, "out", b"on\n".hex(), "wait", go := bl.temp("go"))
    run.read_until(b"on\n")
    run.send(signal.SIGKILL)
    run.process.wait()
    bl.equal(lock_type(run.path), fcntl.F_UNLCK, "a killed one holds no lock, though its command "
             "lives on")
    open(go, "wb").close()
    run.finish()


bl.done()
