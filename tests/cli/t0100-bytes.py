#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Any bytes: the terminal gets what the bare command writes, byte for byte; the log gets the
same, as repaired UTF-8 with the original beside it, whatever the pieces it was written in."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
ESC = b"\x1b"
SHORT_CASES = {
    "nothing at all": b"",
    "one newline": b"\n",
    "only newlines": b"\n" * 50,
    "no final newline": b"first\nlast",
    "one byte": b"x",
    "NUL bytes": b"a\0b\n\0\n\0\0\0\n\0",
    "all 256 bytes": bytes(range(256)),
    "each byte a line": b"".join(bytes([i]) + b"\n" for i in range(256)),
    "CR, CRLF, CRCRLF": b"10%\r20%\r100%\nwin\r\nodd\r\r\n\r",
    "ANSI": ESC + b"[31mred" + ESC + b"[0m\n" + ESC + b"]0;title\x07" + ESC + b"[2J\x9b1m\n",
    "backslashes and quotes": b'\\ " \\" \\u0000 \\n \\\\"\n{"kind":"line"}\n',
    "UTF-8 of all lengths": "aé€😀\u2028\u2029\ufeff\ufffd\uffff\U0010ffff\n".encode(),
    "lone surrogates": b"\xed\xa0\x80 \xed\xbf\xbf \xed\xa0\xbd\xed\xb8\x80\n",
    "overlong forms": b"\xc0\x80 \xc1\xbf \xe0\x80\x80 \xe0\x9f\xbf \xf0\x80\x80\x80\n",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80 \xf5\x80\x80\x80 \xf8\x88\x80\x80\x80 \xff\xfe\n",
    "sequences cut short": b"\xe2\x82\n\xf0\x9f\x98\n\xf0\x9f\n\xc3\n\xe2\x82 x\xf0\x9f\x98y\n",
    "cut short at the end": b"x\xf0\x9f\x98",
    "stray continuations": b"\x80\xbf\x80 \xe2\x82\xac\xac\n",
    "DEL and C1": b"\x7f\xc2\x80\xc2\x9b\xc2\x9f\n",
}


def compare(data, how, name):
    run = bl.run("--", EMIT, how, data.hex()) if data else bl.run("--", "true")
    bl.equal(run.out, data, f"{name}: the terminal's bytes")
    bl.equal(run.err, b"", f"{name}: nothing on stderr")
    log = bl.sound(run, f"{name}: the log is sound")
    if not log:
        return None
    bl.equal(log.bytes_of("stdout"), data, f"{name}: the log's bytes")
    bl.equal(log.end["complete"], True, f"{name}: complete")
    return log


@bl.section
def patterns():
    for name, data in SHORT_CASES.items():
        compare(data, "out", name)


@bl.section
def pieces():
    """Byte by byte gives the same records."""
    for name in ("CR, CRLF, CRCRLF", "UTF-8 of all lengths", "sequences cut short",
                 "cut short at the end", "beyond U+10FFFF", "all 256 bytes"):
        whole = bl.run("--", EMIT, "out", SHORT_CASES[name].hex())
        bytewise = bl.run("--", EMIT, "each", SHORT_CASES[name].hex())
        bl.equal(bytewise.out, whole.out, f"{name} in single bytes: same on the terminal")
        keep = ("src", "msg", "bad", "raw", "partial", "truncated", "redacted")
        bl.equal([[line.get(key) for key in keep] for line in bytewise.log.lines],
                 [[line.get(key) for key in keep] for line in whole.log.lines],
                 f"{name} in single bytes: same records")


@bl.section
def many_sequences():
    """Every pair of a lead byte and another, and what surrounds the limits of triples."""
    edge = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xed, 0xff]
    lines = [bytes([a, b]) for a in range(0x80, 0x100) for b in range(0x100) if b != 10]
    lines += [bytes([a, b, c]) + tail for a in (0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5)
              for b in edge for c in edge for tail in (b"", b"\x80", b"z")]
    data = b"\n".join(lines) + b"\n"
    path = bl.temp("sequences")
    with open(path, "wb") as file:
        file.write(data)
    run = bl.run("--", EMIT, "file", path, 4097)
    bl.equal(run.out, data, f"{len(lines)} odd sequences: the terminal's bytes")
    log = bl.sound(run, "odd sequences: the log is sound, bad and raw right in every line")
    bl.equal(log.msgs(), [line.decode("utf-8", "replace") for line in lines],
             "odd sequences: one U+FFFD per maximal subpart")


@bl.section
def partial_lines():
    run = bl.run("--", EMIT, "out", b"a\nb".hex(), "err", b"c".hex())
    lines = {line["msg"]: line for line in run.log.lines}
    bl.ok("partial" not in lines["a"], "a line with its newline is not partial")
    bl.ok(lines["b"].get("partial") and lines["c"].get("partial"),
          "the last one of each stream without it is")
    bl.equal((lines["b"]["src"], lines["c"]["src"]), ("stdout", "stderr"), "each in its stream")
    bl.equal((run.out, run.err), (b"a\nb", b"c"), "and on its own descriptor")


@bl.section
def at_once():
    """A prompt without a newline is on the terminal while the command still runs."""
    go = bl.temp("go")
    run = bl.start("--", EMIT, "out", b"Listening on http://localhost:8080".hex(), "wait", go)
    run.read_until(b"Listening on http://localhost:8080")
    bl.ok(not bl.proc_gone(run.pid), "an unfinished line is forwarded at once")
    open(go, "wb").close()
    run.finish()
    bl.equal(run.log.msgs(), ["Listening on http://localhost:8080"], "and logged when it ends")


bl.done()
