#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No log is no reason to fail: with a store that cannot be made, opened or written the command
runs unlogged after one line on stderr; with --require-log it does not start, 125. A store that
becomes usable is used."""
import os
import resource
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")


def file_in_the_way():
    path = bl.temp("file")
    open(path, "wb").close()
    return path + "/store"


def unwritable():
    path = bl.temp("readonly")
    os.mkdir(path, 0o555)
    return path + "/store"


PLACES = [("below a regular file", file_in_the_way(), {}),
          ("in /proc", "/proc/buildlog-store", {}),
          ("with a name that is too long", "/tmp/" + "x" * 300, {})]
if not bl.AM_ROOT:
    PLACES.append(("in a read-only folder", unwritable(), {}))


@bl.section
def runs_unlogged():
    for name, place, env in PLACES:
        run = bl.run("--dir", place, "--", "sh", "-c", "echo out; echo err >&2; exit 9", env=env)
        own = [line for line in run.err.splitlines() if line.startswith(b"buildlog")]
        bl.equal((run.status, run.out), (9, b"out\n"), f"{name}: the command runs")
        bl.equal(len(own), 1, f"{name}: one line on stderr", run.err)
        bl.equal([line for line in run.err.splitlines() if line not in own], [b"err"],
                 f"{name}: the command's stderr passes")
        bl.ok(b"'" in own[0] and b": " in own[0], f"{name}: with the subject and why", own)


@bl.section
def required():
    for name, place, env in PLACES:
        marker = bl.temp("marker")
        run = bl.run("--dir", place, "--require-log", "--", "touch", marker, env=env)
        bl.equal((run.status, run.err.count(b"\n")), (125, 1), f"{name}: --require-log: 125 and "
                 "one line", run.err)
        bl.ok(not os.path.exists(marker), f"{name}: --require-log: the command has not started")
    run = bl.run("--require-log", "--", "echo", "x")
    bl.equal((run.status, run.out, run.err), (0, b"x\n", b""), "--require-log with a good store")
    bl.sound(run, "--require-log with a good store: logged")


@bl.section
def becomes_usable():
    """Retried: records wait, and nothing of them is lost."""
    place, go = file_in_the_way(), bl.temp("go")
    run = bl.start("--dir", place, "--", EMIT, "lines", "100", "80", "wait", go, "out",
                   b"after\n".hex(), store=place)
    run.read_until(b"0000000099 ")
    os.unlink(os.path.dirname(place))
    os.mkdir(os.path.dirname(place))
    log = run.wait_log(lambda log: len(log.lines) == 100, "what waited is written")
    open(go, "wb").close()
    run.finish()
    log = bl.sound(run, "a store that becomes usable: the log is sound")
    bl.equal((log.end["lines"], len(log.lines), log.gaps, log.end["complete"]),
             (101, 101, [], True), "and has every line")


@bl.section
def no_home():
    run = bl.run("--", "echo", "x", env={"HOME": None, "BUILDLOG_DIR": None,
                                         "XDG_STATE_HOME": bl.temp("state")})
    bl.equal((run.status, run.out, run.err), (0, b"x\n", b""), "no HOME: no matter")
    if bl.AM_ROOT:
        def strange_user():
            os.setgroups([])
            os.setgid(54321)
            os.setuid(54321)
        run = bl.run("--", "echo", "x", env={"HOME": None, "BUILDLOG_DIR": None}, cwd="/",
                     preexec=strange_user)
        bl.equal((run.status, run.out, run.err.count(b"\n")), (0, b"x\n", 1),
                 "a user without a home: unlogged after one line", run.err)
    else:
        bl.skip("a user without a home", "only root can be another user")


@bl.section
def file_size_limit():
    """RLIMIT_FSIZE: no SIGXFSZ for buildlog, trouble for the log, none for the command."""
    run = bl.run("--", EMIT, "lines", "5000", "80",
                 preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)))
    bl.equal((run.status, len(run.out)), (0, 400_000), "the command is not disturbed", run.err)
    bl.ok(b"buildlog" in run.err, "stderr tells", run.err)
    log = bl.read_log(run.path, finished=False)
    bl.ok(not log.errors and (log.end or b"end" in run.err), "sound as far as it goes, or said "
          "to have no end", log.errors, run.err)
    if log.end:
        bl.equal((log.end["lines"], log.end["complete"]), (5000, False), "the loss is counted")


@bl.section
def trouble_on_a_closed_stderr():
    run = bl.run("--dir", file_in_the_way(), "--", "sh", "-c", "echo out; exit 4",
                 preexec=lambda: os.close(2))
    bl.equal((run.status, run.out), (4, b"out\n"), "with stderr closed as well")


bl.done()
