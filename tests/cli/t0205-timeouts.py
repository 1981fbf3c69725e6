#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--timeout and --idle-timeout: 124, a timeout event, TERM first and KILL after --grace; output
resets the idle clock."""
import os
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT, SIGNALS = bl.helper("emit"), bl.helper("signals")
NEVER = "/nowhere/at/all"


def timed(*args, **options):
    started = time.monotonic()
    run = bl.run(*args, **options)
    return run, time.monotonic() - started


def spoken(before, limit_ms, *args):
    """With a limit, after `before`, that lets the command say its first word: on a machine that
    stands still for so long, with a longer one. The run, its time, and the limit in seconds."""
    for factor in (1, 4, 16, 64):
        run, took = timed(*before, f"{limit_ms * factor}ms", *args)
        if run.out or run.err:
            break
    return run, took, limit_ms * factor / 1000


@bl.section
def timeout():
    run, took, limit = spoken(["--timeout"], 300, "--", EMIT, "out", b"on\n".hex(), "wait", NEVER)
    bl.equal((run.status, run.out), (124, b"on\n"), "--timeout: 124")
    bl.ok(took >= limit, "not before its time", took)
    log = bl.sound(run, "--timeout: the log is sound")
    bl.equal((log.end["status"], log.end.get("signal"), log.end["complete"]),
             ("timeout", "SIGTERM", True), "the end record: timeout, the command's own signal")
    bl.equal(log.event_names(), ["timeout"], "an event")
    bl.ok("shutdown" not in log.end, "no shutdown")


@bl.section
def last_words():
    run, _, _ = spoken(["--timeout"], 300, "--", SIGNALS, "-x", "15=9")
    bl.equal(run.status, 124, "124 also when the command exits by itself after TERM")
    bl.equal((run.log.end["status"], run.log.end["exitCode"]), ("timeout", 9),
             "its own code is in the log")
    # The SIGCONT behind the SIGTERM may have come, too, before it looked.
    words = [msg for msg in run.log.msgs()[1:] if msg != "got SIGCONT"]
    bl.equal(words, ["got SIGTERM", "bye "], "its last words are logged")


@bl.section
def grace():
    run, took, limit = spoken(["--grace", "300ms", "--timeout"], 200, "--", SIGNALS, "-i", "15",
                              "-f")
    bl.equal(run.status, 124, "one that ignores TERM: 124")
    bl.ok(took >= limit + 0.3, "killed after timeout and grace", took)
    log = bl.sound(run, "grace: the log is sound")
    bl.equal((log.end["status"], log.end["signal"]), ("timeout", "SIGKILL"), "by KILL")
    children = bl._own_descendants()
    bl.wait_for(lambda: all(bl.proc_gone(pid) for pid in children), "the end of its group")
    bl.ok(True, "nothing of its group is left")


@bl.section
def whole_seconds():
    """Timeout, grace and buildlog's own clock fire in one turn: several times, at once."""
    runs = [bl.start("--timeout", "1s", "--grace", "1s", "--", "sh", "-c",
                     "trap '' TERM; exec sleep 1000") for _ in range(8)]
    bl.equal([(run.finish().status, run.err) for run in runs], [(124, b"")] * 8,
             "timers that fire together: 124")
    bl.equal([run.log.errors for run in runs], [[]] * 8, "timers that fire together: sound logs")


@bl.section
def idle():
    run, took = timed("--idle-timeout", "400ms", "--", EMIT, "out", b"on\n".hex(), "wait",
                      NEVER)
    bl.equal((run.status, run.log.end["status"]), (124, "timeout"), "--idle-timeout: 124")
    bl.ok(took >= 0.4, "after the silence", took)


@bl.section
def idle_is_reset():
    """Ten words, each within the idle time, together far longer than it."""
    go = [bl.temp("go") for _ in range(10)]
    ops = [word for path in go for word in ("out", b".".hex(), "wait", path)]
    run = bl.start("--idle-timeout", "5s", "--", EMIT, *ops)
    started = time.monotonic()
    for number, path in enumerate(go, 1):
        run.read_until(bl.rx(rb"\.{%d}" % number))
        due = started + 0.6 * number
        bl.wait_for(lambda due=due: time.monotonic() >= due, "the next word's time")
        open(path, "wb").close()
    run.finish()
    bl.equal((run.status, run.out, run.log.end["status"]), (0, b"." * 10, "ok"),
             "output of any stream, newline or not, resets the idle clock")


@bl.section
def idle_stderr():
    run, _, _ = spoken(["--timeout", "1h", "--idle-timeout"], 300, "--", EMIT, "err", b"e".hex(),
                       "wait", NEVER)
    bl.equal((run.status, run.err[:1]), (124, b"e"), "both together: the first one counts")


@bl.section
def in_time():
    run, took = timed("--timeout", "1h", "--idle-timeout", "1h", "--", "true")
    bl.equal((run.status, run.err, run.log.events), (0, b"", []), "in time: nothing to see")
    bl.ok(took < 3600, "and nothing to wait for", took)


@bl.section
def timeout_while_stopped():
    """Without a terminal of its own a stopped command does not outlive the timeout."""
    run, _ = timed("--timeout", "300ms", "--grace", "500ms", "--", "sh", "-c",
                   "kill -STOP $$; echo back")
    bl.ok(run.status == 124, "a stopped command is ended by the timeout", run.status, run.err)


bl.done()
