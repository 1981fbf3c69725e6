#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What cannot be executed: 127 when there is nothing of the name, 126 otherwise, one line on
stderr, exec_failed in the log. A command's own 126 and 127 are something else."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

FOLDER = bl.temp("programs")
os.mkdir(FOLDER)


def program(name, content=b"", mode=0o755):
    path = os.path.join(FOLDER, name)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    return path


CASES = [
    ("a missing command", "no-such-command-anywhere", 127),
    ("a missing path", os.path.join(FOLDER, "missing"), 127),
    ("a path below a missing folder", os.path.join(FOLDER, "no", "x"), 127),
    ("an empty name", "", 127),
    ("a file that is not executable", program("plain", b"#!/bin/sh\necho x\n", 0o644), 126),
    ("a directory", FOLDER, 126),
    ("a path through a file", os.path.join(program("file"), "x"), 126),
    ("a missing interpreter", program("script", b"#!/no/such/interpreter\n"), 127),
    ("an interpreter that is a directory", program("dirscript", b"#!/tmp\n"), 126),
    ("a truncated binary, which is no script", program("torn", b"\x7fELF\x02\x01\x01"), 126),
    ("a name that is too long", "x" * 5000, 126),
]


@bl.section
def failures():
    for name, path, want in CASES:
        run = bl.run("--", path, "an argument")
        # ENOENT of an interpreter is "not found" to the kernel and to shells alike.
        bl.equal((run.status, run.out), (want, b""), f"{name}: {want}")
        bl.ok(run.err.startswith(b"buildlog") and run.err.count(b"\n") == 1
              and run.err.endswith(b"\n"), f"{name}: one line on stderr", run.err)
        log = bl.sound(run, f"{name}: the log is sound")
        bl.equal(log.end["status"], "exec_failed", f"{name}: status")
        bl.equal(log.event_names(), ["exec_failed"], f"{name}: an event")
        bl.equal(log.start["cmd"], [path, "an argument"], f"{name}: cmd in the start record")


@bl.section
def not_exec_failures():
    for number in (126, 127):
        run = bl.run("--", "sh", "-c", f"exit {number}")
        bl.equal((run.status, run.err), (number, b""), f"a command's own {number}: silent")
        bl.equal((run.log.end["status"], run.log.events), ("failed", []),
                 f"a command's own {number}: failed")


@bl.section
def without_interpreter_line():
    """What execvp and shells do with a script that has no #! line: sh runs it."""
    run = bl.run("--", program("no-shebang", b"echo from the script; exit 4\n"), "x")
    bl.equal((run.status, run.out), (4, b"from the script\n"), "run by sh, as shells do")


@bl.section
def path_search():
    program("only-here", b"#!/bin/sh\necho found\n")
    run = bl.run("--", "only-here", env={"PATH": "/nowhere:" + FOLDER + ":/usr/bin:/bin"})
    bl.equal((run.status, run.out), (0, b"found\n"), "found through PATH")
    run = bl.run("--", "only-here")
    bl.equal(run.status, 127, "not found without it")
    run = bl.run("--", "plain", env={"PATH": FOLDER})
    bl.equal(run.status, 126, "found, but not executable, through PATH")


@bl.section
def terminal_is_escaped():
    run = bl.run("--", "no\x1b[31msuch\ncommand")
    bl.ok(b"\x1b" not in run.err and run.err.count(b"\n") == 1,
          "a hostile name cannot drive the terminal", run.err)


bl.done()
