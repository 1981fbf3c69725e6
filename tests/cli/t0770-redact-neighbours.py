#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What may stand before, within and behind a token without hiding it: escapes in every spelling
that logs have, colours whose ESC somebody took away, URLs encoded again, lines of a diff."""
import os
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

TOKEN = b"ghp_" + b"aB3" * 12  # nobody's
MARK = b"ghp_[REDACTED]"


def redact(data, *options):
    return subprocess.run([bl.BIN, "redact", *options], input=data, env=bl.environment(),
                          stdout=bl.PIPE, check=True).stdout


def gives(data, want, name):
    bl.equal(redact(data), want, name)


@bl.section
def before_a_token():
    for name, before in {
            "Rust": rb"w\u{1b}[0m", "bash": rb"w\E[0m", "XML": b"w&#x1b;[0m", "XML, decimal": b"w&#27;[1;31m",
            "pytest": b"w#x1B[31m", "a picture of ESC": "w\u241b[31m".encode(), "no ESC": b"w[0m",
            "no ESC, more numbers": b"w[38;5;196m", "erase, no ESC": b"w[0K"}.items():
        gives(before + TOKEN + b"\n", before + MARK + b"\n", "a colour written out: " + name)
    for name, before in {"in a URL in a URL": b"u%253D", "once more": b"u%25253d", "cat -v": b"w^M",
                         "NUL": rb"w\0", "BEL": rb"w\a", "tput sc": b"w\x1b7"}.items():
        gives(before + TOKEN + b"\n", before + MARK + b"\n", "what precedes: " + name)
    for before in (b"w[m", b"w[00", b"w%2", b"w%5253D", b"wM"):
        gives(before + TOKEN + b"\n", before + TOKEN + b"\n", f"within a word: {before}")


@bl.section
def lines_taken_away():
    for head in (b"X-Api-Key: ", b"Cookie: sid="):
        secret = b"aB3dE6gH9kLmN0pQrS"
        gives(b"-" + head + secret + b"\n", b"-" + head + b"[REDACTED]\n", f"-{head.decode()}")


@bl.section
def colours_within():
    # The search looks at what stands behind a short anchor; what stands behind a colour is
    # no more than a part of that.
    secret = b"0a1b2c3d4e5f6071" * 2
    for at in range(len(secret) + 1):
        text = b"x SK" + secret[:at] + b"\x1b[1;31m" + secret[at:] + b" y\n"
        out = redact(text)
        bl.ok(out.replace(b"\x1b[1;31m", b"") == b"x SK[REDACTED] y\n", f"a colour behind byte {at}", out)


bl.done()
