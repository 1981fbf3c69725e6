#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--payload, --forward, --redact and --order: what the log keeps, what the terminal gets, what
the start record says about it; and the summary line where marks went to something that is no
terminal."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
# Built here, so that no scanner takes this file's text for a live credential.
TOKEN = "gh" + "p_" + "".join("aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbCdE"[i % 36] for i in range(36))
LINE = f"token {TOKEN} end\n".encode()
MARKED = b"token gh" + b"p_[REDACTED] end\n"


def build(*options, data=LINE, stream="out"):
    run = bl.run(*options, "--", EMIT, stream, data.hex())
    return run, bl.sound(run, f"{' '.join(options) or 'defaults'}: the log is sound")


@bl.section
def redacted():
    run, log = build()
    bl.equal(run.out, MARKED, "by default the terminal gets the mark")
    bl.equal(log.msgs(), [MARKED.decode().rstrip()], "so does the log")
    bl.equal((log.lines[0].get("redacted"), sum(log.end["redactions"].values())), (1, 1),
             "counted in the line and at the end")
    bl.ok(TOKEN.encode() not in log.data, "the token is nowhere in the log")
    lines = run.err.splitlines()
    bl.ok(len(lines) == 1 and b"--forward raw" in lines[0] and b"1" in lines[0],
          "one line at the end says how many and names --forward raw", run.err)
    run, _ = build("--quiet")
    bl.equal((run.out, run.err), (MARKED, b""), "unless --quiet")


@bl.section
def at_a_terminal():
    tty = bl.Pty([bl.BIN, "run", "--", EMIT, "out", LINE.hex()])
    tty.finish()
    bl.equal(tty.screen, MARKED.replace(b"\n", b"\r\n"), "at a terminal no line is added")


@bl.section
def stderr_too():
    run, log = build(stream="err")
    bl.ok(run.err.startswith(MARKED) and TOKEN.encode() not in run.err, "stderr is redacted too",
          run.err)
    bl.equal(log.msgs("stderr"), [MARKED.decode().rstrip()], "in the log as well")


@bl.section
def forward_raw():
    run, log = build("--forward", "raw")
    bl.equal((run.out, run.err), (LINE, b""), "--forward raw: the terminal gets all")
    bl.equal(log.msgs(), [MARKED.decode().rstrip()], "--forward raw: the log does not")
    bl.equal((log.start["forward"], log.start["redact"]), ("raw", "on"), "and says so")


@bl.section
def redact_off():
    run, log = build("--redact", "off")
    bl.equal((run.out, log.msgs()), (LINE, [LINE.decode().rstrip()]), "--redact off: both get all")
    bl.equal((log.start["forward"], log.start["redact"], "redactions" in log.end),
             ("raw", "off", False), "--redact off implies --forward raw")
    run, log = build("--redact", "off", "--forward", "redacted")
    bl.equal((run.out, log.msgs()), (MARKED, [LINE.decode().rstrip()]), "unless given: the "
             "terminal marked, the log not")


@bl.section
def forward_none():
    run, log = build("--forward", "none")
    bl.equal((run.out, run.err), (b"", b""), "--forward none: silence")
    bl.equal((log.msgs(), log.start["forward"]), ([MARKED.decode().rstrip()], "none"),
             "--forward none: logged")
    run = bl.run("--forward", "none", "--", "sh", "-c", "seq 50000; echo e >&2; exit 4")
    bl.equal((run.status, run.out, run.err, run.log.end["lines"]), (4, b"", b"", 50_001),
             "--forward none: status and count")


@bl.section
def split_writes():
    """Byte by byte, and cut inside the token with a pause that ends when the log is idle."""
    run, log = build(data=LINE * 3)
    bytewise = bl.run("--", EMIT, "each", (LINE * 3).hex())
    bl.equal(bytewise.out, run.out, "in single bytes: the terminal gets the same")
    bl.equal(bytewise.log.msgs(), log.msgs(), "in single bytes: the log gets the same")


@bl.section
def command_line():
    run = bl.run("--label", f"t={TOKEN}", "--name", TOKEN, "--", "echo", TOKEN)
    log = bl.sound(run, "secrets in arguments: the log is sound")
    bl.ok(TOKEN.encode() not in log.data, "cmd, labels and name pass the redactor", log.start)
    run = bl.run("--", "no-such-" + TOKEN)
    bl.ok(TOKEN.encode() not in run.err + run.log.data, "so do messages and events", run.err)


@bl.section
def payload_none():
    run = bl.run("--payload", "none", "--", "sh", "-c", "echo hello; printf '\\377x\\n'; echo; "
                 "printf é")
    bl.equal(run.out, b"hello\n\xffx\n\n\xc3\xa9", "--payload none: the terminal gets all")
    log = bl.sound(run, "--payload none: the log is sound")
    bl.equal([line.get("len") for line in log.lines], [5, 2, 0, 2], "--payload none: lengths")
    bl.equal([key for line in log.lines for key in ("msg", "raw") if key in line], [],
             "--payload none: no content")
    bl.equal((log.end["lines"], log.end["bytes"]), (4, 12), "--payload none: totals")


@bl.section
def merge():
    run = bl.run("--order", "merge", "--", EMIT, "both", "2000")
    bl.equal(run.status, 0, "--order merge: runs")
    log = bl.sound(run, "--order merge: the log is sound")
    bl.equal(log.start["order"], "merge", "--order merge: said")
    want = [text for n in range(2000) for text in (f"out {n}", f"err {n}")]
    bl.ok(log.msgs("merged") == want, "--order merge: the order of writing, exactly")
    both = bl.bare("sh", "-c", f'"{bl.BIN}" run --order merge -- "{EMIT}" both 2000 2>&1')
    bl.equal(both.out, "".join(text + "\n" for text in want).encode(), "--order merge: on the "
             "terminal too")


@bl.section
def quiet_and_verbose():
    run = bl.run("-v", "--", "true")
    bl.equal((run.status, run.out), (0, b""), "-v: nothing on stdout")
    bl.ok(all(line.startswith(b"buildlog") for line in run.err.splitlines()), "-v: own lines only",
          run.err)


bl.done()
