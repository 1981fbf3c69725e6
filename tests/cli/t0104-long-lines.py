#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--max-line and --long-lines: a long line is cut at a character boundary and says by how
much, or is kept in several records; the terminal gets all of it either way."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
MARK = bl.TRUNCATED_MARK
MAX = 100


def record(data, *options, how="out"):
    run = bl.run("--max-line", MAX, *options, "--", EMIT, how, data.hex())
    bl.equal(run.out, data, f"{bl.show(data, 30)} {options}: the terminal has all of it")
    return bl.sound(run, f"{bl.show(data, 30)} {options}: the log is sound")


@bl.section
def at_the_limit():
    for length, dropped in ((MAX - 1, 0), (MAX, 0), (MAX + 1, 1), (MAX * 5, MAX * 4)):
        for tail in (b"\n", b""):
            log = record(b"a" * length + tail)
            line = log.lines[0]
            bl.equal(line.get("truncated", 0), dropped, f"{length} bytes{tail}: truncated")
            bl.equal(line["msg"], "a" * (length - dropped) + (MARK if dropped else ""),
                     f"{length} bytes{tail}: msg")
            bl.equal(log.end["complete"], not dropped, f"{length} bytes{tail}: complete")
            bl.equal(log.end["bytes"], length + len(tail), f"{length} bytes{tail}: bytes")
            bl.equal(line.get("partial", False), not tail, f"{length} bytes{tail}: partial")


@bl.section
def character_boundary():
    for char in ("é", "€", "😀"):
        width = len(char.encode())
        for pad in range(4):
            data = b"x" * pad + char.encode() * MAX + b"\n"
            keep = (MAX - pad) // width
            for how in ("out", "each"):
                line = record(data, how=how).lines[0]
                bl.equal(line["msg"], "x" * pad + char * keep + MARK,
                         f"{char} after {pad}: cut at a character boundary ({how})")
                bl.equal((line["truncated"], line.get("bad")),
                         (len(data) - 1 - pad - keep * width, None),
                         f"{char} after {pad}: counts ({how})")


@bl.section
def cut_with_bad_bytes():
    line = record(b"\xff" * (MAX * 2) + b"\n").lines[0]
    bl.equal((line["truncated"], line["bad"]), (MAX, MAX), "bad counts what is kept")
    bl.equal(bl.line_bytes(line)[:MAX], b"\xff" * MAX, "raw holds what is kept")


@bl.section
def next_line_is_whole():
    log = record(b"a" * 300 + b"\nshort\n" + b"b" * 300 + b"\nlast")
    bl.equal([msg[:5] for msg in log.msgs()], ["aaaaa", "short", "bbbbb", "last"],
             "a cut line does not touch its neighbours")


@bl.section
def split():
    for text in ("z" * 1000, "€" * 333, "😀é" * 150, "a" * MAX, "b" * (2 * MAX)):
        for tail in (b"\n", b""):
            data = text.encode() + tail
            log = record(data + b"" if tail else data, "--long-lines", "split")
            name = f"split {text[:3]} × {len(text)} {tail}"
            bl.equal("".join(log.msgs()), text, f"{name}: nothing lost")
            bl.ok(all(line.get("cont") for line in log.lines[:-1])
                  and "cont" not in log.lines[-1], f"{name}: cont on all but the last",
                  lambda: [line.get("cont") for line in log.lines])
            bl.ok(all(len(line["msg"].encode()) <= MAX and "bad" not in line
                      for line in log.lines), f"{name}: none over the limit, none broken")
            bl.equal(log.end["complete"], True, f"{name}: complete")
            bl.equal(log.lines[-1].get("partial", False), not tail, f"{name}: partial")


@bl.section
def defaults():
    data = b"a" * (256 * 1024) + b"\n" + b"b" * (256 * 1024 + 1) + b"\n"
    path = bl.temp("long")
    with open(path, "wb") as file:
        file.write(data)
    run = bl.run("--", EMIT, "file", path, 65536)
    log = bl.sound(run, "256 KiB: the log is sound")
    bl.equal([line.get("truncated") for line in log.lines], [None, 1], "256 KiB by default")


bl.done()
