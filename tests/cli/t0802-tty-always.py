#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--tty always, as in a CI job: terminals where there is none. What comes out is what the program
wrote; nothing is lost at the end, and who holds a terminal is an orphan as with pipes."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
MANY = 20000


def always(*args, **options):
    return bl.Run("--tty", "always", *args, **options).finish()


def shell(script, *options, **more):
    return always(*options, "--", "sh", "-c", script, **more)


@bl.section
def terminals():
    run = shell("test -t 1 && test -t 2 && echo yes; test -t 0 || echo no; stty size <&1")
    bl.equal(run.out, b"yes\nno\n24 80\n", "stdout and stderr are terminals, stdin stays; lines end "
             "as the program ended them")
    log = bl.sound(run, "the log is sound")
    bl.equal((log.start["tty"], log.msgs()), (True, ["yes", "no", "24 80"]), "the log says so")
    run = shell("stty size <&2", env={"COLUMNS": "132", "LINES": "50"})
    bl.equal(run.out, b"50 132\n", "COLUMNS and LINES say how large they are")
    run = shell("stty size <&2", env={"COLUMNS": "0", "LINES": "70000"})
    bl.equal(run.out, b"24 80\n", "unless they are no sizes")
    run = shell("echo out; echo err >&2")
    bl.equal((run.out, run.err), (b"out\n", b"err\n"), "the streams stay apart")
    run = shell("echo out; echo err >&2", "--order", "merge")
    bl.equal((run.out, run.err), (b"out\nerr\n", b""), "unless they are merged")
    bl.equal([line["src"] for line in run.log.lines], ["merged"] * 2, "which is one terminal")
    run = shell("ls --color=auto /", env={"TERM": "xterm"})
    bl.ok(b"\x1b[" in run.out, "programs show colours", run.out)


@bl.section
def exact():
    run = always("--order", "exact", "--", "true")
    bl.equal((run.status, run.err), (125, b"buildlog run: --tty always and --order exact exclude each "
             b"other: terminals do not tell the order of writing\n"), "not with --order exact")


@bl.section
def closed():
    """A descriptor that was closed at the start gets none."""
    run = bl.Run(argv=["sh", "-c", f'"{bl.BIN}" run --tty always -- sh -c "test -t 1; echo \\$?" '
                       '2>&-']).finish()
    bl.equal((run.status, run.out), (0, b"0\n"), "stderr closed: stdout is a terminal all the same")


@bl.section
def endings():
    for program in (["seq", str(MANY)], ["head", "-c", "3000000", "/dev/zero"]):
        want = bl.bare(*program)
        run = always("--", *program)
        bl.equal(run.out, want.out, f"{program[0]}: every byte")
        log = bl.sound(run, f"{program[0]}: the log is sound")
        bl.equal((log.end["bytes"], log.end["complete"] or program[0] == "head"),
                 (len(want.out), True), f"{program[0]}: and all of it is counted")
    # What was written just before the end, while nobody reads.
    run = always("--", EMIT, "out", b"x".hex() * 3000 + "0a", "err", b"y".hex() * 3000 + "0a")
    bl.equal((len(run.out), len(run.err)), (3001, 3001), "the last words of both")


@bl.section
def many_ends():
    for number in range(20):
        run = always("--", "sh", "-c", "seq 2000; seq 2000 >&2")
        if (run.out, run.err) != (want := bl.bare("seq", "2000").out, want):
            bl.ok(False, f"run {number} lost something", len(run.out), len(run.err))
            return
    bl.ok(True, "the end of the output is never lost")


@bl.section
def orphans():
    go = bl.temp("go")
    run = always("--linger", "0", "--", "sh", "-c", f"'{EMIT}' wait '{go}' & seq {MANY}")
    open(go, "wb").close()
    bl.equal(run.out, bl.bare("seq", str(MANY)).out, "--linger 0: all that was written comes out")
    events = bl.sound(run, "orphan: the log is sound").events
    bl.equal([event["event"] for event in events], ["orphan"], "the holder of the terminal is named")
    bl.ok(EMIT in events[0]["cmd"], "with its command", events)
    bl.equal(run.log.end["complete"], False, "and the log is not complete")
    bl.ok(b"still holds the command's output" in run.err, "stderr says so", run.err)
    run = shell("(sleep 0.2; echo late) & echo now")
    bl.equal(run.out, b"now\nlate\n", "what comes within --linger is recorded")
    bl.equal((run.log.end["complete"], run.log.msgs()), (True, ["now", "late"]), "and complete")


@bl.section
def secrets():
    token = "ghp_" + "A" * 36
    run = shell(f"echo {token}; printf 'pem\\r\\n'", "--quiet")
    bl.equal(run.out, b"ghp_[REDACTED]\npem\r\n", "redaction is the same")
    bl.equal(run.log.msgs(), ["ghp_[REDACTED]", "pem"], "in the log, too")


@bl.section
def closed_reader():
    run = bl.Run(argv=["sh", "-c", f'"{bl.BIN}" run --tty always -- seq {MANY} | head -1']).finish()
    bl.equal(run.out, b"1\n", "| head -1 gets its line")
    bl.wait_for(lambda: run.log.end, "the build ends")
    bl.equal(len(run.log.lines), MANY, "and all is recorded")
    run = bl.Run(argv=["sh", "-c", f'"{bl.BIN}" run --tty always --on-closed stop -- yes | '
                       'head -1']).finish()
    bl.equal(run.out, b"y\n", "--on-closed stop ends the command")


bl.done()
