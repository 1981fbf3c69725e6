#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""EMFILE: whatever number of descriptors is left, the command runs (unlogged after a line, if
need be) or buildlog says in one line that it cannot start it; it never hangs."""
import os
import resource
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl


@bl.section
def every_limit():
    bad, ran = [], 0
    for limit in range(3, 40):
        run = bl.run("--", "/bin/echo", "x", preexec=lambda n=limit: resource.setrlimit(
            resource.RLIMIT_NOFILE, (n, n)))
        if run.status == 0 and run.out == b"x\n":
            ran += 1
            logged = run.paths and not run.log.errors
            if not logged and b"buildlog" not in run.err:
                bad.append((limit, run.status, run.out, run.err, "no log and no word of it"))
        elif run.status < 125 or run.out or not run.err:
            # Below what the loader itself needs the kernel or the shell may speak.
            bad.append((limit, run.status, run.out, run.err))
    bl.equal(bad, [], "descriptor limits 3 to 39: ran, or refused with a line")
    bl.ok(ran > 10, "and from some limit on it runs", ran)


@bl.section
def injected():
    for call in ("openat", "openat2", "pipe2", "dup", "signalfd"):
        run = bl.run("--", "echo", "x", binary=bl.FAULT_BIN,
                     env={"BUILDLOG_FAULT": f"{call}:1:EMFILE:persist"})
        fine = run.status == 0 and run.out == b"x\n"
        refused = run.status == 125 and not run.out and run.err.count(b"\n") == 1
        bl.ok(fine or refused, f"{call} always EMFILE: runs, or refused with a line",
              run.status, run.out, run.err)


@bl.section
def log_comes_later():
    """EMFILE at the first tries only: the log is there in the end."""
    go = bl.temp("go")
    run = bl.start("--", bl.helper("emit"), "lines", "10", "80", "wait", go,
                   binary=bl.FAULT_BIN, env={"BUILDLOG_FAULT": "openat2:1:EMFILE:x2,"
                                             "openat:3:EMFILE:x2"})  # 1, 2: configuration
    log = run.wait_log(lambda log: len(log.lines) == 10, "the log is opened at a later try")
    open(go, "wb").close()
    run.finish()
    log = bl.sound(run, "EMFILE at first: the log is sound")
    bl.equal((log.end["complete"], len(log.lines)), (True, 10), "EMFILE at first: nothing lost")


@bl.section
def configuration_unread():
    """What it would have removed is not known then, so nothing is recorded."""
    run = bl.run("--", "echo", "x", binary=bl.FAULT_BIN, env={"BUILDLOG_FAULT": "openat:1:EMFILE"})
    bl.equal((run.status, run.out, run.err, run.paths),
             (0, b"x\n", b"buildlog run: cannot open '/etc/buildlog/config.json': Too many open "
              b"files; the command runs on, recording is retried\n", []),
             "EMFILE at the configuration: the command runs, unlogged")


bl.done()
