#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""5 million one-byte writes: the terminal and the log get every byte."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

COUNT = 5_000_000 if not bl.SANITIZED else 200_000


@bl.section
def single_bytes():
    run = bl.start("--", bl.helper("emit"), "ones", COUNT)
    out = bytearray()
    while data := os.read(run.process.stdout.fileno(), 1 << 20):
        out += data
    run.finish(120)
    letters = bytes(97 + i % 26 for i in range(80 * 13))
    pattern = b"".join(letters[i:i + 79] + b"\n" for i in range(0, 80 * 13, 80))
    want = (pattern * (COUNT // len(pattern) + 1))[:COUNT]
    bl.ok(bytes(out) == want, f"{COUNT} single bytes arrive on the terminal as written",
          lambda: f"{len(out)} bytes, want {len(want)}")
    log = bl.sound(run, "the log is sound")
    bl.ok(log.bytes_of("stdout") == want, "the log has every byte")
    bl.equal((log.end["bytes"], log.end["complete"], log.end["status"]), (COUNT, True, "ok"),
             "the end record counts them")


bl.done()
