#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A command that a signal killed: buildlog finishes the log and dies of the same signal,
without a core file of its own."""
import os
import resource
import signal
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

FATAL = [number for number in range(1, 65) if number not in
         (signal.SIGCHLD, signal.SIGCONT, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN,
          signal.SIGTTOU, signal.SIGURG, signal.SIGWINCH, 32, 33)]


def name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


@bl.section
def every_signal():
    for number in FATAL:
        run = bl.run("--", bl.helper("die"), "signal", number)
        bl.equal((run.status, run.out, run.err), (-number, b"dying\n", b""),
                 f"{name(number)}: dies of it, silently")
        log = bl.sound(run, f"{name(number)}: the log is sound")
        end = log.end
        # Also INT: nobody pressed Ctrl-C and no process told buildlog to stop.
        bl.equal((end["status"], end.get("exitCode")), ("signaled", None),
                 f"{name(number)}: status")
        known = number < signal.SIGRTMIN
        bl.ok(end["signal"] == name(number) if known else end["signal"].startswith("SIG"),
              f"{name(number)}: named", end)


@bl.section
def a_shell_sees_it():
    shell = bl.bare("sh", "-c", f'"$0" run -- "$1" signal 15; echo $?', bl.BIN,
                    bl.helper("die"))
    bl.ok(shell.out.endswith(b"\n143\n"), "a shell sees 128+n", shell.out)


@bl.section
def no_second_core():
    """With core files allowed, only the command may leave one."""
    folder = bl.temp("cores")
    os.mkdir(folder)
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if hard == 0:
        bl.skip("no core file", "core files are forbidden here")
        return

    def allow():
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    run = bl.run("--", bl.helper("die"), "signal", int(signal.SIGABRT), cwd=folder,
                 preexec=allow)
    bl.equal(run.status, -signal.SIGABRT, "dies of ABRT")
    bl.equal(os.listdir(folder), [], "and leaves no core file")
    status = bl.bare("python3", "-c", "import os, sys; pid = os.fork() or os.execv(sys.argv[1],"
                     "sys.argv[1:]); print(os.WCOREDUMP(os.waitpid(pid, 0)[1]))",
                     bl.BIN, "run", "--", bl.helper("die"), "signal", "6", cwd=folder,
                     preexec=allow)
    bl.ok(status.out.endswith(b"False\n"), "nor says that it dumped one", status.out, status.err)


@bl.section
def pid_one():
    """As the first process of a container it cannot die of a signal: 128+n."""
    probe = bl.bare("unshare", "--user", "--map-root-user", "--pid", "--fork", "true")
    if probe.status != 0:
        bl.skip("as PID 1", "no PID namespaces here")
        return
    run = bl.bare("unshare", "--user", "--map-root-user", "--pid", "--fork", bl.BIN, "run", "--",
                  bl.helper("die"), "signal", "15")
    bl.equal(run.status, 143, "as PID 1 it exits with 128+n")
    bl.sound(run, "as PID 1 the log is sound")
    # The inner shell leaves a child behind, which PID 1 adopts and has to reap.
    script = ("sh -c '/bin/true >/dev/null 2>&1 &'; i=0; while [ $i -lt 2000 ]; do "
              "cat /proc/[0-9]*/stat 2>/dev/null | grep -q '(true)' || exit 0; i=$((i+1)); done; "
              "exit 1")
    run = bl.bare("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", bl.BIN,
                  "run", "--", "sh", "-c", script)
    bl.equal(run.status, 0, "as PID 1 it reaps what it adopts while the command runs")


bl.done()
