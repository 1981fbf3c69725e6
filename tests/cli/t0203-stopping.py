#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TERM, INT and HUP from a process mean stop: passed on once, the last words are logged, after
--grace or at a second one what is left is killed, and the end record says interrupted."""
import os
import signal
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

SIGNALS = bl.helper("signals")
STOP = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


def ready(*options, helper_options=(), **more):
    run = bl.start(*options, "--", SIGNALS, *helper_options, **more)
    run.read_until(bl.rx(rb"ready \d+\n"))
    return run


@bl.section
def once():
    for number in STOP:
        name = number.name
        run = ready(helper_options=["-x", f"{int(number)}=7"])
        run.send(number)
        run.finish()
        bl.equal(run.status, 7, f"{name}: the command's own status")
        bl.ok(run.out.endswith(b"\ngot %s\nbye \n" % name.encode()), f"{name}: heard once",
              run.out)
        log = bl.sound(run, f"{name}: the log is sound")
        bl.equal((log.end["status"], log.end["exitCode"], log.end.get("shutdown")),
                 ("interrupted", 7, True), f"{name}: interrupted")
        bl.equal(log.msgs("stdout")[1:], [f"got {name}", "bye "], f"{name}: last words logged")
        bl.ok("signal" in log.event_names(), f"{name}: an event tells of it", log.events)
        bl.equal(run.err, b"", f"{name}: nothing on stderr")


@bl.section
def killed_by_it():
    for number in STOP:
        run = bl.start("--", bl.helper("emit"), "out", b"on\n".hex(), "wait", "/nowhere/at/all")
        run.read_until(b"on\n")
        run.send(number)
        run.finish()
        bl.equal(run.status, -number, f"{number.name}: buildlog dies of what killed the command")
        log = bl.sound(run, f"{number.name}: killed: the log is sound")
        bl.equal((log.end["status"], log.end["signal"]), ("interrupted", number.name),
                 f"{number.name}: killed: interrupted")


@bl.section
def twice():
    """The second one kills what ignores the first."""
    for number in STOP:
        run = ready("--grace", "1h")
        run.send(number)
        run.read_until(b"got " + number.name.encode())
        run.send(number)
        run.finish()
        bl.equal(run.status, -signal.SIGKILL, f"{number.name} twice: killed")
        log = bl.sound(run, f"{number.name} twice: the log is sound")
        bl.equal((log.end["status"], log.end["signal"]), ("interrupted", "SIGKILL"),
                 f"{number.name} twice: the end record")


@bl.section
def grace():
    started = time.monotonic()
    run = ready("--grace", "300ms", helper_options=["-i", 15, "-f"])
    run.read_until(b"child ready")
    child = int(run.read_until(bl.rx(rb"child ready (\d+)\n")).group(1))
    run.send(signal.SIGTERM)
    run.finish()
    bl.equal(run.status, -signal.SIGKILL, "a command that ignores TERM is killed after --grace")
    bl.ok(time.monotonic() - started >= 0.3, "but not before")
    bl.wait_for(lambda: bl.proc_gone(child), "its child goes too")
    bl.ok(True, "and its child with it")
    bl.sound(run, "grace: the log is sound")


@bl.section
def different_signals():
    """INT, then TERM: the second stop signal of any kind means now."""
    run = ready("--grace", "1h")
    run.send(signal.SIGINT)
    run.read_until(b"got SIGINT")
    run.send(signal.SIGTERM)
    run.finish()
    bl.equal(run.status, -signal.SIGKILL, "INT and then TERM: killed")


@bl.section
def quit_is_no_escalation():
    run = ready(helper_options=["-x", f"{int(signal.SIGQUIT)}=5"])
    run.send(signal.SIGQUIT)
    run.finish()
    bl.equal(run.status, 5, "QUIT is passed on")
    log = bl.sound(run, "QUIT: the log is sound")
    bl.equal(log.end["status"], "interrupted", "QUIT sent by a process: interrupted")


@bl.section
def reading_goes_on():
    """Between the signal and the end everything is read: 5 MB of last words."""
    script = "trap '\"$0\" fill 5000000 y; echo; echo end; exit 0' TERM; " \
             "\"$0\" out 6f6e0a wait /nowhere/at/all; :"
    run = bl.start("--", "sh", "-c", script, bl.helper("emit"))
    run.read_until(b"on\n")
    run.send(signal.SIGTERM)
    run.finish()
    bl.equal((run.status, len(run.out)), (0, len("on\n") + 5_000_000 + len("\nend\n")),
             "all last words arrive")
    log = bl.sound(run, "last words: the log is sound")
    bl.equal((log.msgs("stdout")[-1], log.end["bytes"]), ("end", len(run.out) + len(run.err)),
             "and are logged")


@bl.section
def whole_group():
    """The command leads a group of its own here; its children get the signal too."""
    run = ready(helper_options=["-f", "-x", "15=0"])
    run.read_until(b"child ready")
    run.send(signal.SIGTERM)
    run.finish()
    bl.equal((run.out.count(b"child got SIGTERM\n"), run.out.count(b"got SIGTERM\n")), (1, 2),
             "each heard it once", run.out)
    bl.equal(run.status, 0, "and ended by itself")


@bl.section
def buildlog_is_not_in_the_group():
    run = ready()
    child = int(run.read_until(bl.rx(rb"ready (\d+)")).group(1))
    bl.equal((bl.proc_group(child), bl.proc_group(run.pid)), (child, run.pid),
             "without a terminal the command leads a group of its own")
    bl.equal(bl.proc_parent(child), run.pid, "and is buildlog's own child")
    run.send(signal.SIGKILL)
    os.killpg(child, signal.SIGKILL)
    run.finish()


bl.done()
