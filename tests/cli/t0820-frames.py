#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--frames last: of a progress bar the log has what can be seen in the end, the terminal has every
frame at its moment; without it a pipe is recorded byte for byte."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
BAR = b"".join(b"\r%3d%% [%-20s]" % (n, b"=" * (n // 5)) for n in range(101))


def emit(*words):
    return [EMIT, *(word.hex() if isinstance(word, bytes) else word for word in words)]


@bl.section
def last():
    run = bl.run("--frames", "last", "--", *emit("out", BAR + b"\ndone\n"))
    bl.equal(run.out, BAR + b"\ndone\n", "stdout gets every frame")
    log = bl.sound(run, "the log is sound")
    bl.equal([(r["msg"], r.get("frames")) for r in log.lines],
             [("100% [" + "=" * 20 + "]", 100), ("done", None)], "the log gets the last one")
    bl.equal(log.end["bytes"], len(run.out), "bytes are what was read")
    bl.equal((log.end["lines"], log.end["complete"]), (2, True), "nothing is missing")


@bl.section
def every():
    for options in ([], ["--frames", "all"]):
        run = bl.run(*options, "--", *emit("out", BAR + b"\r\n\x1b[2Kx\r"))
        log = bl.sound(run, f"{options}: the log is sound")
        bl.equal(log.bytes_of(), run.out, f"{options}: a pipe is recorded byte for byte")
        bl.ok(not any("frames" in r for r in log.lines), "and no frames are counted")


@bl.section
def unfinished():
    """A bar delays nothing: only its line waits for its end, in the log."""
    go = bl.temp("go")
    run = bl.start("--frames", "last", "--", *emit("out", b"10%\r", "out", b"50%\r", "wait", go,
                                                   "out", b"99%\r", "exit", "3"))
    run.read_until(b"10%\r50%\r")
    bl.ok(not bl.read_log(run.path, finished=False).lines, "the log waits")
    open(go, "wb").close()
    run.finish()
    log = bl.sound(run, "unfinished: the log is sound")
    bl.equal([(r["msg"], r["frames"], r["partial"]) for r in log.lines], [("99%", 2, True)],
             "a bar without an end is a partial line")
    bl.equal(run.out, b"10%\r50%\r99%\r", "the terminal had it all")


@bl.section
def memory():
    """A million frames in one line."""
    run = bl.run("--frames", "last", "--max-line", "64", "--", "awk",
                 'BEGIN {for (i = 0; i < 1000000; i++) printf "\\r%07d of a million frames", i}')
    log = bl.sound(run, "a million frames: the log is sound")
    bl.equal([(r["msg"], r["frames"]) for r in log.lines],
             [("0999999 of a million frames", 999999)], "a million frames are one record")
    bl.ok(os.path.getsize(run.path) < 4096, "and a small log")


@bl.section
def secrets():
    token = "".join(("ghp", "_", "0" * 35, "7"))
    run = bl.run("--frames", "last", "--", *emit("out", f"{token}\rdone, and longer\n".encode()))
    log = bl.sound(run, "secrets: the log is sound")
    bl.equal([(r["msg"], r["frames"], r["redacted"]) for r in log.lines],
             [("done, and longer", 1, 1)], "a secret in a frame that is gone is counted")
    bl.equal(sum(log.end["redactions"].values()), 1, "also at the end")
    # What the redactor saw apart must not come together when what was between is dropped.
    half = len(token) // 2
    apart = f"{token[:half]}X\b{token[half:]}\n"
    run = bl.run("--frames", "last", "--", *emit("out", apart.encode()))
    bl.ok(token.encode() not in run.log.data, "no secret is put together")


@bl.section
def payload():
    run = bl.run("--frames", "last", "--payload", "none", "--", *emit("out", b"1%\r100%\n"))
    bl.equal([(r["len"], r["frames"]) for r in run.log.lines], [(4, 1)], "--payload none")
    got = bl.run("--frames", "first", "--", "true")
    bl.ok(got.status == 125 and b"'all' or 'last'" in got.err, "another word is refused", got.err)


bl.done()
