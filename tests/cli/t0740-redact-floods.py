#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Megabytes of what is neither text nor secret (line ends, blanks, escape sequences, controls),
with known values to look for: they pass as they are. What looks at a byte again for each of the
others takes hours."""
import os
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

SIZE = 2 << 20
VALUE = b"-".join([b"only", b"known", b"here"])  # nobody's
PIECES = [b"\n", b"\r", b"\r\n", b"\n    ", b"\n\t", b"\t", b" ", b"\x1b", b"\x1b[", b"\x1b[0m",
          b"\x1b[0m\n", b"\x1b(B", b"\x1b[1;", b"\0", b"\x01", b"\x0b", b"\x01\x1b[m", b"\\", b"\\n",
          b'"', b"=", b":", b"-", b"_", b"A", b"a", b"0", b"{", b"<", b"%", b"&", b"k: ",
          b"kind: Secret\n", VALUE[:-1] + b"!"]


def redact(data, *options):
    return subprocess.run([bl.BIN, "redact", *options], input=data, stdout=bl.PIPE, check=True,
                          env=bl.environment(FLOOD_TOKEN=VALUE.decode())).stdout


@bl.section
def floods():
    for piece in PIECES:
        flood = piece * (SIZE // len(piece))
        out = redact(flood)
        bl.ok(out == flood, f"a flood of {piece} passes")


@bl.section
def behind_them():
    for piece in (b"\n", b"\n    ", b"\x1b[0m", b"\t", b"\x01", b" "):
        flood = piece * (SIZE // len(piece))
        bl.ok(redact(flood + VALUE + b"\n") == flood + b"[REDACTED:known-value]\n",
              f"a value behind a flood of {piece} is found")


bl.done()
