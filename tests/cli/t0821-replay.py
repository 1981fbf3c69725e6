#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog replay: the recorded output with the time that lay between its lines, harmless on a
terminal, to be broken off at any moment; logs of every kind; system calls that fail."""
import base64
import concurrent.futures
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
from handmade import Records, Store, Writer, ulid

T0 = 1767323045678  # 2026-01-02
HOUR = 3600 * 1000
store = Store()


def put(*parts, build=ulid(T0)):
    """parts: records, or (ms since the one before, text)."""
    r = Records(build, T0)
    data = r.start()
    for part in parts:
        if isinstance(part, tuple):
            r.ms += part[0]
            data += r.line(part[1])
        else:
            data += part(r)
    store.put(build, data + r.end("failed", exitCode=2))
    return build


def replay(*words, binary=bl.BIN, **env):
    return bl.bare(binary, "replay", "--dir", store.root, *words, env=env)


def at_terminal(*words, binary=bl.BIN, **env):
    return bl.Pty([binary, "replay", "--dir", store.root, *words], env={"TERM": "xterm", **env})


@bl.section
def bytes_as_they_were():
    bad = b"\xff\x00\x1b[2J"
    put((0, "one"), lambda r: r.line("err", "stderr"), (HOUR, "10%\r100%"), lambda r: r.gap(9, 8),
        lambda r: r.line("\ufffd\x00\x1b[2J", bad=1, raw=base64.b64encode(bad).decode()),
        lambda r: r.event("orphan", pid=1), lambda r: r.line("a", cont=True), (0, "b"),
        lambda r: r.line("end", partial=True))
    for words in (["--speed", "max"], ["--speed", "0"], ["--speed=0.000"],
                  ["--idle-limit", "0"], ["--idle-limit", "1ms"]):
        run = replay(*words)
        bl.equal(run.out, b"one\nerr\n10%\r100%\n" + "… 8 lines missing (log_unwritable) …\n".encode()
                 + bad + b"\nab\nend", f"{words}: the bytes as they were, and what is missing")
        bl.equal((run.status, run.err), (0, b""), "and nothing else")


@bl.section
def time_passes():
    put((0, "first"), (200, "second"), (200, "third"))
    for words, least in ((["--speed", "1"], .4), (["--speed", "2"], .2), ([], .4),
                         (["--idle-limit", "100ms", "--speed", "0.5"], .4)):
        before = time.monotonic()
        run = replay(*words)
        took = time.monotonic() - before
        bl.ok(run.out == b"first\nsecond\nthird\n" and took >= least, f"{words}: takes its time", took)
    put((0, "first"), (100 * 1000, "second"))
    bl.equal(replay("--speed", "1000").out, b"first\nsecond\n", "a thousand times as fast")


@bl.section
def attempts():
    """Days between two attempts are no pause."""
    build = ulid(T0)
    one, two = Records(build, T0), Records(build, T0 + 90 * 24 * HOUR)
    data = one.start() + one.line("failed") + one.end("failed", exitCode=1)
    two.seq = one.seq
    store.put(build, data + two.start(attempt=2) + two.line("passed") + two.end())
    bl.equal(replay("--speed", "1000").out, b"failed\npassed\n", "attempts follow each other")
    # Times out of order, absurd, or none at all.
    r = Records(build, T0)
    data = r.start(startedAt="never") + r.line("a", ts=5) + r.line("b", ts=1) + \
        r.line("c", ts=2 ** 53 - 1) + r.line("d", ts=0)
    store.put(build, data + r.end())
    bl.equal(replay("--idle-limit", "1ms").out, b"a\nb\nc\nd\n", "absurd times")


@bl.section
def broken_off():
    put((0, "first"), (HOUR, "second"))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        run = bl.Run(argv=[bl.BIN, "replay", "--dir", store.root])
        run.read_until(b"first\n")
        run.send(number)
        bl.equal((run.finish().status, run.err), (-number, b""), f"{bl.signal_name(number)} ends it")
    tty = at_terminal()
    tty.expect(b"first\r\n")
    tty.send(b"\x03")
    bl.equal(tty.finish(), -signal.SIGINT, "Ctrl-C ends it, and a loop around it")
    bl.ok(tty.screen.endswith(b"first\r\n^C\x1b[0m"), "no colour is left on", tty.screen)
    run = bl.Run(argv=[bl.BIN, "replay", "--dir", store.root])
    run.read_until(b"first\n")
    run.process.stdout.close()
    bl.equal(run.process.wait(20 * bl.SCALE), 128 + signal.SIGPIPE, "nobody reads any more")
    run.process.stderr.close()


@bl.section
def on_a_terminal():
    put((0, "\x1b[31mred\x1b[0m \x1b[2J\x1b]0;t\x07"), (0, "10%\r50%\r100%"), (0, "loading\rok"),
        lambda r: r.line("prompt> ", partial=True))
    tty = at_terminal("--speed", "max")
    bl.equal(tty.finish(), 0, "on a terminal")
    bl.equal(tty.screen.split(b"buildlog")[0], b"\x1b[31mred\x1b[0m ^[[2J^[]0;t^G\x1b[0m\r\n^M100%\r\n"
             b"loading^Mok\r\nprompt> \r\n", "colours pass, the last frame shows, all else is made visible")
    bl.ok(b"failed (exit 2)" in tty.screen, "and how it ended")
    tty = at_terminal("--speed", "max", NO_COLOR="1")
    tty.finish()
    bl.ok(b"\x1b" not in tty.screen, "NO_COLOR")


@bl.section
def unfinished():
    build = ulid(T0)
    r = Records(build, T0)
    writer = Writer(store, build)
    os.ftruncate(writer.fd, 0)
    writer.write(r.start() + r.line("so far") + b'{"kind":"line","ts":1')
    run = replay()
    bl.equal((run.status, run.out), (0, b"so far\n"), "a build that runs: what there is")
    bl.ok(b"running" in run.err, "is said to run", run.err)
    writer.close()
    run = replay()
    bl.equal((run.status, run.out), (0, b"so far\n"), "a lost one, torn")
    bl.ok(b"21 bytes of an unfinished record" in run.err and b": lost" in run.err, "says so", run.err)
    with open(store.path(build), "ab") as file:
        file.write(b'\nno record\n{"kind":"line","ts":1,"seq":2,"src":"stdout","msg":7}\n')
    run = replay()
    bl.ok(run.status == 0 and b"damaged line" in run.err, "a damaged one", run.err)


@bl.section
def refused():
    put((0, "x"))
    for word in ("x", "-1", "1e3", "1.", ".5", "1.2345", "1001", "99999", "inf", "1,5"):
        run = replay("--speed", word)
        bl.ok(run.status == 2 and run.out == b"" and run.err.count(b"\n") == 1 and b"--speed" in run.err,
              f"--speed {word} is refused", run.err)
    bl.equal(replay(ulid(T0 + 1)).status, 2, "a build that is not there")


@bl.section
def faults():
    put((0, "\x1b[31mfirst"), (20, "second"))
    whole = b"\x1b[31mfirst\x1b[0m\r\nsecond\r\n"
    orders = [f"{call}:{n}:{way}" for call in ("signalfd", "poll", "read", "clock_gettime", "pread",
              "openat", "ioctl", "close", "write") for n in (1, 2, 3)
              for way in ("EINTR", "EMFILE", "EIO", "EIO:persist", "short")
              if way != "short" or call in ("read", "pread", "write")]

    def one(order):
        tty = at_terminal(binary=bl.FAULT_BIN, BUILDLOG_FAULT=order)
        status = tty.finish(seconds=20)
        shown = tty.screen.split(b"buildlog replay")[0]
        if status not in (0, 2) or (status == 0 and shown != whole) or \
                (status == 2 and b"buildlog replay: " not in tty.screen and "write" not in order):
            return order, status, tty.screen
        return None

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        bad = [found for found in pool.map(one, orders) if found]
    bl.ok(not bad, f"{len(orders)} faults: all of it, or why not", *bad[:5])
    tty = at_terminal(binary=bl.FAULT_BIN, BUILDLOG_FAULT="poll:1:EIO")
    tty.finish()
    bl.ok(b"cannot wait: Input/output error" in tty.screen, "a wait that fails is said", tty.screen)


store.__exit__()
bl.done()
