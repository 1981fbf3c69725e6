#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Floods: both streams hammered at once, carriage returns, ANSI, millions of empty lines. The
terminal's bytes are the command's, the log has every line once and in the stream's order."""
import os
import sys
import threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")


def collect(run):
    """Both streams at the same time, as two readers would."""
    parts = {"stdout": bytearray(), "stderr": bytearray()}

    def read(name):
        fd = getattr(run.process, name).fileno()
        while data := os.read(fd, 1 << 18):
            parts[name] += data

    threads = [threading.Thread(target=read, args=(name,)) for name in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.process.wait()
    return bytes(parts["stdout"]), bytes(parts["stderr"])


def flood(data, name, size=65536):
    path = bl.temp("flood")
    with open(path, "wb") as file:
        file.write(data)
    run = bl.start("--", EMIT, "file", path, size)
    out, err = collect(run)
    bl.ok(out == data, f"{name}: the terminal's bytes", lambda: f"{len(out)} of {len(data)}")
    bl.equal(err, b"", f"{name}: nothing else")
    log = bl.sound(run, f"{name}: the log is sound")
    bl.ok(log.bytes_of("stdout") == data, f"{name}: the log's bytes")
    os.unlink(path)
    return log


@bl.section
def two_streams():
    count = 150_000
    run = bl.start("--", EMIT, "both", count)
    out, err = collect(run)
    bl.ok(out == b"".join(b"out %d\n" % i for i in range(count)), "stdout as written")
    bl.ok(err == b"".join(b"err %d\n" % i for i in range(count)), "stderr as written")
    log = bl.sound(run, "two streams: the log is sound")
    bl.ok(log.msgs("stdout") == [f"out {i}" for i in range(count)], "stdout's lines in order")
    bl.ok(log.msgs("stderr") == [f"err {i}" for i in range(count)], "stderr's lines in order")
    bl.equal(log.end["lines"], 2 * count, "each counted once")


@bl.section
def two_writers():
    """Two processes at once, each hammering one stream."""
    run = bl.start("--", "sh", "-c", f"'{EMIT}' lines 200000 80 & '{EMIT}' ones 400000 >&2; wait")
    out, err = collect(run)
    bl.equal((len(out), len(err)), (16_000_000, 400_000), "two writers: all bytes")
    log = bl.sound(run, "two writers: the log is sound")
    bl.ok(log.bytes_of("stdout") == out and log.bytes_of("stderr") == err,
          "two writers: the log has what the terminal got")


@bl.section
def carriage_returns():
    flood(b"".join(b"\r%3d%% [%-50s]" % (i % 101, b"#" * (i % 50)) for i in range(3000))
          + b"\n", "a progress bar of 180 KB in one line")
    flood(b"".join(b"fetch %d\rfetch %d done\r\n" % (i, i) for i in range(100_000)),
          "CR in 100,000 lines")
    flood(b"\r" * 200_000 + b"\n" + b"\r\r\n" * 100_000, "bare CR")


@bl.section
def ansi():
    flood(b"".join(b"\x1b[38;5;%dm%06d\x1b[0m \x1b[1mbold\x1b[22m\x1b[K\n" % (i % 256, i)
                   for i in range(100_000)), "colours")
    flood((b"\x1b" * 999 + b"\n") * 2000, "2 MB of escapes")


@bl.section
def empty_lines():
    log = flood(b"\n" * 500_000, "500,000 empty lines")
    bl.equal(log.end["lines"], 500_000, "500,000 empty lines: counted")


@bl.section
def nothing_but_bad_bytes():
    flood((b"\xff" * 1000 + b"\n") * 3000, "3 MB of invalid UTF-8")


bl.done()
