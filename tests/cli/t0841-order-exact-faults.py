#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--order exact: its own system calls fail, at every early N: the command is undisturbed or was
refused before it started, the log is sound; and a clock that is set back is told of. See tests/lib/faults.py."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import faults


@bl.section
def sockets():
    faults.prove(faults.exact(), ["socketpair", "setsockopt", "recvmsg", "fcntl"])


@bl.section
def no_stamps():
    """A system that does not stamp is noticed before the command starts."""
    run = bl.run("--order", "exact", "--", "sh", "-c", "echo ran", binary=bl.FAULT_BIN,
                 env={"BUILDLOG_FAULT": "recvmsg:1:bare:persist"})
    bl.equal((run.status, run.out), (125, b""), "no time stamps: refused")
    bl.ok(b"cannot use --order exact: this system does not say when" in run.err,
          "no time stamps: and why", run.err)


@bl.section
def set_back():
    """The system's clock is set back while the command writes."""
    run = bl.run("--order", "exact", "--", bl.helper("emit"), "both", "500",
                 binary=bl.FAULT_BIN, env={"BUILDLOG_FAULT": "recvmsg:40:aged:persist"})
    log = bl.sound(run, "a clock that is set back: the log is sound")
    bl.equal((log.event_names(), log.end["complete"], len(log.lines)),
             (["order_uncertain"], True, 1000), "a clock that is set back: said once, nothing lost")
    for name in ("out", "err"):
        src = {"out": "stdout", "err": "stderr"}[name]
        bl.equal(log.msgs(src), [f"{name} {n}" for n in range(500)], f"{src} keeps its order")


bl.done()
