#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Peak memory of buildlog is at most 16 MiB whatever the input: short lines, long ones, bad
bytes, one-byte writes, a store that cannot be written, a log that was torn far back."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
MAX_KB = 16 << 10


def peak(name, *ops, options=(), env=None, binary=None):
    path = bl.temp("peak")
    run = bl.start(*options, "--", EMIT, *ops, "peak", path, stdout=bl.DEVNULL, env=env,
                   binary=binary)
    run.finish(60)
    with open(path, encoding="ascii") as file:
        kb = int(file.read())
    bl.ok(run.status == 0 and kb <= MAX_KB, f"{name}: peak {kb} kB", run.status, run.err)
    return run


def file_of(data):
    path = bl.temp("input")
    with open(path, "wb") as file:
        file.write(data)
    return path


@bl.section
def inputs():
    if bl.SANITIZED:
        bl.skip("memory", "sanitizers take their own")
        return
    peak("nothing", "out", "")
    peak("1.5 million lines", "lines", "1500000", "80")
    peak("1-byte lines", "file", file_of(b"\n" * 5_000_000), "65536")
    peak("a 50 MB line", "fill", "50000000", "x")
    peak("a 50 MB line, split", "fill", "50000000", "x", options=["--long-lines", "split"])
    peak("a 20 MB line of quotes", "fill", "20000000", '"', options=["--max-line", "1M"])
    peak("20 MB of control bytes in lines of 1 MB",
         "file", file_of((b"\x01" * 1_000_000 + b"\n") * 20), "65536",
         options=["--max-line", "1M"])
    peak("20 MB of invalid UTF-8 in lines of 1 MB",
         "file", file_of((b"\xff" * 1_000_000 + b"\n") * 20), "65536",
         options=["--max-line", "1M"])
    peak("both streams", "both", "300000")


@bl.section
def trouble():
    if bl.SANITIZED:
        bl.skip("memory in trouble", "sanitizers take their own")
        return
    run = peak("a store that never works", "lines", "1000000", "80",
               options=["--dir", "/proc/nowhere"])
    bl.ok(b"buildlog" in run.err, "a store that never works: said so")
    run = peak("a full disk", "lines", "1000000", "80", binary=bl.FAULT_BIN,
               env={"BUILDLOG_SPACE": "100000"})
    bl.sound(run, "a full disk: the log is sound")
    peak("a full disk and long lines of control bytes",
         "file", file_of((b"\x01" * 1_000_000 + b"\n") * 30), "65536",
         options=["--max-line", "1M"], binary=bl.FAULT_BIN, env={"BUILDLOG_SPACE": "100000"})
    run = peak("a full disk and empty lines", "file", file_of(b"\n" * 3_000_000), "65536",
               binary=bl.FAULT_BIN, env={"BUILDLOG_SPACE": "100000"})
    bl.equal(run.log.end["lines"], 3_000_000, "a full disk and empty lines: counted to the line")


@bl.section
def attempt_after_a_long_log():
    if bl.SANITIZED:
        bl.skip("memory of a second attempt", "sanitizers take their own")
        return
    store, build_id = bl.temp("store"), bl.fresh_id()
    bl.start("--id", build_id, "--", EMIT, "lines", "500000", "80", store=store,
             stdout=bl.DEVNULL).finish()
    path = bl.id_path(store, build_id)
    with open(path, "r+b") as file:  # lost: without its end record
        data = file.read()
        file.truncate(data[:-1].rfind(b"\n") + 1)
    result = bl.temp("peak")
    run = bl.run("--id", build_id, "--", EMIT, "peak", result, store=store)
    with open(result, encoding="ascii") as file:
        kb = int(file.read())
    bl.ok(kb <= MAX_KB, f"a second attempt of a lost 100 MB log: peak {kb} kB")
    log = bl.sound(run, "a second attempt of a lost long log: sound")
    bl.equal(log.start["attempt"], 2, "and counted as the second")


bl.done()
