#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Background processes that keep the pipes: waited for --linger, then named in an orphan event
and on stderr; --linger inf records them to their end; what was written before is never lost."""
import os
import re
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT, DOUBLEFORK = bl.helper("emit"), bl.helper("doublefork")
NEVER = "/nowhere/at/all"


def orphan_of(log):
    return next(event for event in log.events if event["event"] == "orphan")


@bl.section
def named():
    pid_file = bl.temp("pid")
    run = bl.run("--linger", "300ms", "--", "sh", "-c",
                 f'"{EMIT}" wait {NEVER} & echo $! >"{pid_file}"; '
                 'until [ "$(cat /proc/$!/comm)" = emit ]; do :; done; echo parent; exit 6')
    with open(pid_file, encoding="ascii") as file:
        pid = int(file.read())
    bl.equal((run.status, run.out), (6, b"parent\n"), "the command's status, its output")
    bl.ok(not bl.proc_gone(pid), "the background process is left alone")
    bl.ok(str(pid).encode() in run.err and b"emit" in run.err and run.err.startswith(b"buildlog"),
          "stderr names its pid and command", run.err)
    log = bl.sound(run, "the log is sound")
    event = orphan_of(log)
    bl.ok(event.get("pid") == pid and "emit" in str(event), "so does the event", event)
    bl.equal((log.end["status"], log.end["complete"]), ("failed", False),
             "not complete: the pipes did not end")


@bl.section
def linger_zero():
    took = []
    while len(took) < 5 and (not took or took[-1] > 4):  # a machine may stand still
        started = time.monotonic()
        run = bl.run("--linger", "0", "--", "sh", "-c", f'"{EMIT}" wait {NEVER} & echo parent')
        took.append(time.monotonic() - started)
    bl.ok(took[-1] <= 4, "--linger 0 does not wait", took)
    bl.equal((run.status, run.out), (0, b"parent\n"), "but what was written is there")
    log = bl.sound(run, "--linger 0: the log is sound")
    bl.equal((log.msgs(), log.event_names()), (["parent"], ["orphan"]), "and logged")


@bl.section
def drained():
    """What is in the pipe when the command exits is read, however much it is."""
    run = bl.run("--linger", "0", "--", "sh", "-c",
                 f'"{EMIT}" lines 20000 80; "{EMIT}" wait {NEVER} &')
    bl.equal(len(run.out), 20000 * 80, "the pipes are drained first")
    bl.equal(run.log.end["lines"], 20000, "into the log as well")


@bl.section
def ends_within_linger():
    """The background process ends in time: no orphan, everything recorded."""
    go = bl.temp("go")
    run = bl.start("--linger", "1h", "--", "sh", "-c",
                   f'"{EMIT}" wait "{go}" out {b"late".hex()} & echo parent')
    run.read_until(b"parent\n")
    child = bl.wait_for(lambda: not bl.proc_children(run.pid) or None, "the shell has ended")
    open(go, "wb").close()
    run.finish()
    bl.ok(child, "buildlog waits for the pipes, not only for the command")
    bl.equal((run.status, run.out, run.err), (0, b"parent\nlate", b""), "its words arrive")
    log = bl.sound(run, "in time: the log is sound")
    bl.equal((log.msgs(), log.end["complete"], log.events), (["parent", "late"], True, []),
             "complete, no orphan")


@bl.section
def no_waiting_for_nothing():
    """A background process with its own output does not hold buildlog up."""
    run = bl.run("--linger", "1h", "--", "sh", "-c",
                 f'"{EMIT}" wait {NEVER} >/dev/null 2>&1 & echo parent')
    bl.equal((run.status, run.err, run.log.events), (0, b"", []),
             "no pipe held: no orphan and no waiting")


@bl.section
def double_fork():
    step, gone = bl.temp("step"), bl.temp("gone")
    run = bl.start("--linger", "inf", "--", DOUBLEFORK, 3, step, gone)
    bl.wait_for(lambda: not bl.proc_children(run.pid), "the command has ended")
    for number in (1, 2, 3):
        open(f"{step}.{number}", "wb").close()
        run.read_until(b"late %d\n" % number)
    run.finish()
    bl.equal((run.status, run.err), (0, b""), "--linger inf records a daemon to its end")
    log = bl.sound(run, "--linger inf: the log is sound")
    bl.equal((log.msgs(), log.end["complete"]), (["late 1", "late 2", "late 3"], True),
             "every line")


@bl.section
def further_output_fails():
    step, gone = bl.temp("step"), bl.temp("gone")
    run = bl.run("--linger", "0", "--", DOUBLEFORK, 1, step, gone)
    bl.ok(re.search(rb"fail", run.err), "stderr says that further output will fail", run.err)
    bl.equal(run.status, 0, "the status is the command's")
    open(f"{step}.1", "wb").close()
    bl.wait_for(lambda: os.path.exists(gone), "the daemon's write fails")
    bl.ok(True, "and so it is")


@bl.section
def forking_past_us():
    """The holder forks and exits while buildlog looks for it: found all the same."""
    odd = []
    for _ in range(30):
        run = bl.run("--linger", "0", "--", DOUBLEFORK, 1, bl.temp("step"), bl.temp("gone"))
        # The one in the middle may still hold it, too, at that moment: then both are named.
        if set(run.log.event_names()) != {"orphan"} or b"doublefork" not in run.err:
            odd.append((run.err, run.log.events))
    bl.equal(odd, [], "30 double forks: each orphan is named")


@bl.section
def cannot_be_named():
    """A holder that /proc does not show (another user's, say) is told of without a name."""
    run = bl.run("--linger", "0", "--", DOUBLEFORK, 1, bl.temp("step"), bl.temp("gone"),
                 binary=bl.FAULT_BIN, env={"BUILDLOG_FAULT": "readlinkat:1:EACCES:persist"})
    bl.ok(run.err.startswith(b"buildlog") and b"fail" in run.err, "one that cannot be named: "
          "stderr tells", run.err)
    bl.equal(bl.sound(run, "one that cannot be named: the log is sound").event_names(),
             ["orphan"], "one that cannot be named: an event")


@bl.section
def keeps_writing():
    """A double fork that never stops writing does not keep buildlog for ever."""
    run = bl.run("--linger", "500ms", "--", "sh", "-c",
                 "setsid sh -c 'trap \"\" PIPE HUP; echo >\"$0\"; while echo flood; do :; done' "
                 '"$0" & until [ -e "$0" ]; do :; done; echo parent', bl.temp("started"))
    bl.equal(run.status, 0, "an endless writer: buildlog returns after --linger")
    log = bl.sound(run, "an endless writer: the log is sound")
    bl.ok("flood" in log.msgs() and log.bytes_of("stdout").startswith(run.out[:1000]),
          "what came until then is recorded")
    bl.equal(log.event_names(), ["orphan"], "an endless writer is named")


@bl.section
def term_ends_lingering():
    """A stop signal while lingering does not wait for the orphan."""
    run = bl.start("--linger", "inf", "--grace", "300ms", "--", "sh", "-c",
                   f'"{EMIT}" wait {NEVER} & echo parent; exit 3')
    run.read_until(b"parent\n")
    bl.wait_for(lambda: not bl.proc_children(run.pid), "the shell has ended")
    run.send(15)
    run.finish()
    bl.ok(run.status in (3, -15), "TERM while lingering: ends", run.status)
    log = bl.sound(run, "TERM while lingering: the log is sound")
    bl.equal(log.end.get("exitCode"), 3, "with the command's own code")


bl.done()
