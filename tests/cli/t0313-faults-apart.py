#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Faults that need a scene of their own: KILL and TERM that cannot be sent, a log that fails in
the middle of a long build and recovers, one whose torn tail cannot be cut back at first."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")


@bl.section
def kill_fails():
    run = bl.run("--timeout", "200ms", "--grace", "200ms", "--", EMIT, "wait", "/nowhere",
                 binary=bl.FAULT_BIN, env={"BUILDLOG_FAULT": "kill:1:EPERM"}, seconds=20)
    bl.equal(run.status, 124, "a TERM that cannot be sent: KILL after --grace all the same")
    bl.sound(run, "kill:1: the log is sound")


def middle(name, fault, lines=20_000, **env):
    run = bl.run("--", EMIT, "lines", lines, "80", binary=bl.FAULT_BIN,
                 env={"BUILDLOG_FAULT": fault, **env}, seconds=40)
    bl.equal((run.status, len(run.out)), (0, lines * 80), f"{name}: the command is not disturbed")
    log = bl.sound(run, f"{name}: the log is sound")
    bl.equal(len(log.lines) + sum(gap["lines"] for gap in log.gaps), lines,
             f"{name}: every line is there or counted")
    return run, log


@bl.section
def one_failure():
    for call in ("write", "writev"):
        for way in ("EIO", "ENOSPC", "EDQUOT", "EFBIG"):
            _, log = middle(f"{call} {way} once in the middle", f"{call}@log:3:{way}")
            bl.equal(log.gaps, [], f"{call} {way} once: nothing had to go")


@bl.section
def torn_by_a_short_write():
    """Half a record is in the file when the error comes, and cutting it back fails first."""
    for fault in ("write@log:3:short,write@log:4:EIO", "write@log:3:short,write@log:4:EIO:x3,"
                  "ftruncate:1:EIO:x2", "write@log:2:short,write@log:3:short,write@log:4:ENOSPC"):
        middle(f"torn: {fault}", fault)


@bl.section
def every_write_short():
    _, log = middle("every write short", "write@log:1:short:persist,writev@log:1:short:persist",
                    lines=3000)
    bl.equal(len(log.lines), 3000, "every write short: nothing had to go")


@bl.section
def locks_do_not_work():
    for way in ("ENOLCK", "EOPNOTSUPP"):
        run = bl.run("--", "echo", "x", binary=bl.FAULT_BIN,
                     env={"BUILDLOG_FAULT": f"lock:1:{way}:persist"})
        bl.equal((run.status, run.out, run.err), (0, b"x\n", b""), f"no locks ({way}): runs")
        log = bl.sound(run, f"no locks ({way}): the log is sound")
        bl.equal(log.start["lock"], False, f"no locks ({way}): the start record says so")


@bl.section
def no_openat2():
    """An older kernel, or a sandbox that forbids it."""
    for way in ("ENOSYS", "EPERM"):
        run = bl.run("--", "echo", "x", binary=bl.FAULT_BIN,
                     env={"BUILDLOG_FAULT": f"openat2:1:{way}:persist"})
        bl.equal((run.status, run.out, run.err), (0, b"x\n", b""), f"openat2 {way}: runs")
        bl.sound(run, f"openat2 {way}: the log is sound")
        store, victim = bl.temp("store"), bl.temp("victim")
        os.makedirs(store)
        os.makedirs(victim)
        os.symlink(victim, os.path.join(store, "builds"))
        run = bl.run("--", "echo", "x", binary=bl.FAULT_BIN, store=store,
                     env={"BUILDLOG_FAULT": f"openat2:1:{way}:persist"})
        bl.equal((run.status, os.listdir(victim)), (125, []),
                 f"openat2 {way}: a planted link is refused all the same")


@bl.section
def no_fallocate():
    run = bl.run("--", "echo", "x", binary=bl.FAULT_BIN,
                 env={"BUILDLOG_FAULT": "fallocate:1:EOPNOTSUPP:persist"})
    bl.equal((run.status, run.err), (0, b""), "a file system without fallocate: runs, silent")
    bl.sound(run, "a file system without fallocate: the log is sound")


bl.done()
