#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""1 GiB without a newline: every byte reaches the terminal, the log keeps one truncated line,
memory stays bounded."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

SIZE = 1 << 30 if not bl.SANITIZED else 1 << 26
MAX_LINE = 256 << 10
MAX_KB = 16 << 10


@bl.section
def gigabyte():
    peak = bl.temp("peak")
    run = bl.start("--", bl.helper("emit"), "fill", SIZE, "q", "peak", peak)
    total, foreign = 0, 0
    while data := os.read(run.process.stdout.fileno(), 1 << 20):
        total += len(data)
        foreign += len(data) - data.count(b"q")
    run.finish(60)
    bl.equal((total, foreign, run.err), (SIZE, 0, b""), f"{SIZE} bytes arrive, and no other")
    log = bl.sound(run, "the log is sound")
    bl.equal(len(log.lines), 1, "one line")
    line = log.lines[0]
    bl.equal(line["truncated"], SIZE - MAX_LINE, "truncated counts the rest")
    bl.equal(line["msg"], "q" * MAX_LINE + bl.TRUNCATED_MARK, "256 KiB and the mark are kept")
    bl.equal((log.end["bytes"], log.end["lines"], log.end["complete"], log.end["status"]),
             (SIZE, 1, False, "ok"), "the end record tells")
    if bl.SANITIZED:
        bl.skip("memory", "sanitizers take their own")
        return
    with open(peak, encoding="ascii") as file:
        kb = int(file.read())
    bl.ok(kb <= MAX_KB, f"peak memory {kb} kB is at most {MAX_KB}")


@bl.section
def split():
    """The same, kept whole with --long-lines split."""
    size = 50_000_000
    run = bl.start("--long-lines", "split", "--", bl.helper("emit"), "fill", size, "é"[0:1])
    total = 0
    while data := os.read(run.process.stdout.fileno(), 1 << 20):
        total += len(data)
    run.finish(60)
    bl.equal(total, size, "split: every byte on the terminal")
    log = bl.sound(run, "split: the log is sound")
    bl.equal(sum(len(bl.line_bytes(line)) for line in log.lines), size, "split: and in the log")
    bl.ok(all(line.get("cont") for line in log.lines[:-1]) and "cont" not in log.lines[-1]
          and log.lines[-1].get("partial"), "split: all but the last with cont")
    bl.equal(log.end["complete"], True, "split: complete")


bl.done()
