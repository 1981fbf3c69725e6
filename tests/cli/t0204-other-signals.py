#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""USR1, USR2, WINCH, CONT, TSTP and QUIT sent to buildlog reach the command once; a stopped
command is stopped and resumed; what was ignored at the start stays ignored, for both."""
import os
import signal
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

SIGNALS = bl.helper("signals")


@bl.section
def passed_on():
    run = bl.start("--", SIGNALS, "-x", "15=0")
    run.read_until(bl.rx(rb"ready \d+\n"))
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGUSR1):
        run.send(number)
        run.read_until(b"got %s\n" % number.name.encode())
        run.out = run.out.replace(b"got ", b"seen ")
    run.send(signal.SIGTERM)
    run.finish()
    words = run.out.split(b"\n")[1:]
    bl.equal(words, [b"seen SIGUSR1", b"seen SIGUSR2", b"seen SIGWINCH", b"seen SIGUSR1",
                     b"got SIGTERM", b"bye ", b""], "each once, in order")
    log = bl.sound(run, "the log is sound")
    bl.equal(log.end["status"], "interrupted", "USR1 does not mean stop, TERM does")


@bl.section
def stop_and_continue():
    go = bl.temp("go")
    run = bl.start("--", bl.helper("emit"), "out", b"on\n".hex(), "wait", go, "out",
                   b"resumed\n".hex())
    run.read_until(b"on\n")
    child = bl.wait_for(lambda: bl.proc_children(run.pid), "the command")[0]
    run.send(signal.SIGTSTP)
    bl.wait_for(lambda: bl.proc_state(child) == "T", "TSTP stops the command")
    bl.ok(True, "TSTP stops the command")
    open(go, "wb").close()
    run.send(signal.SIGCONT)
    bl.wait_for(lambda: bl.proc_state(child) != "T", "CONT resumes the command")
    run.finish()
    bl.equal((run.status, run.out), (0, b"on\nresumed\n"), "CONT resumes it")
    bl.sound(run, "the log is sound")


@bl.section
def stopped_by_itself():
    """A command that stops for its own reasons stays stopped; buildlog waits and forwards."""
    run = bl.start("--", "sh", "-c", "echo on; kill -STOP $$; echo back")
    run.read_until(b"on\n")
    child = bl.wait_for(lambda: bl.proc_children(run.pid), "the command")[0]
    bl.wait_for(lambda: bl.proc_state(child) == "T", "the command has stopped")
    bl.ok(not bl.proc_gone(run.pid), "buildlog waits for a stopped command")
    os.kill(child, signal.SIGCONT)
    run.finish()
    bl.equal((run.status, run.out), (0, b"on\nback\n"), "and is there when it goes on")


@bl.section
def stopped_and_terminated():
    """A stopped command that cannot hear TERM is ended all the same."""
    run = bl.start("--grace", "1s", "--", "sh", "-c", "echo on; kill -STOP $$; echo back")
    run.read_until(b"on\n")
    child = bl.wait_for(lambda: bl.proc_children(run.pid), "the command")[0]
    bl.wait_for(lambda: bl.proc_state(child) == "T", "the command has stopped")
    run.send(signal.SIGTERM)
    run.finish()
    bl.ok(run.status in (-signal.SIGTERM, -signal.SIGKILL), "a stopped command can be ended",
          run.status)
    bl.sound(run, "stopped and terminated: the log is sound")


@bl.section
def ignored_stays_ignored():
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT,
                   signal.SIGUSR1):
        go = bl.temp("go")
        run = bl.start("--", "sh", "-c", f'grep SigIgn /proc/$PPID/status /proc/self/status; '
                       f'"{bl.helper("emit")}" wait "{go}"; echo done',
                       preexec=lambda n=number: signal.signal(n, signal.SIG_IGN))
        run.read_until(bl.rx(rb"self/status:SigIgn:\s+\w+\n"))
        masks = [int(line.split()[-1], 16) for line in run.out.splitlines()]
        bl.ok(all(mask >> (number - 1) & 1 for mask in masks),
              f"{number.name} ignored at the start: ignored by buildlog and the command",
              run.out)
        run.send(number)
        open(go, "wb").close()
        run.finish()
        bl.ok(run.status == 0 and run.out.endswith(b"done\n"), f"{number.name}: both live on")
        log = bl.sound(run, f"{number.name}: the log is sound")
        bl.equal((log.end["status"], log.events), ("ok", []), f"{number.name}: undisturbed")


@bl.section
def dispositions_restored():
    """The command starts with the caller's mask and dispositions, SIGPIPE included."""
    for caller in (signal.SIG_DFL, signal.SIG_IGN):
        def setup(caller=caller):
            signal.signal(signal.SIGPIPE, caller)
            signal.signal(signal.SIGXFSZ, caller)
            signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR2})
        wanted = bl.bare("grep", "Sig[BIC]", "/proc/self/status", preexec=setup)
        run = bl.run("--", "grep", "Sig[BIC]", "/proc/self/status", preexec=setup)
        bl.equal(run.out, wanted.out, f"signal mask and dispositions are the caller's {caller}")


@bl.section
def children_ignored():
    """A caller that ignores SIGCHLD: the kernel would throw the status away."""
    run = bl.run("--", "sh", "-c", "echo x; exit 7",
                 preexec=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    bl.equal((run.status, run.log.end.get("exitCode")), (7, 7), "SIGCHLD ignored by the caller: "
             "the status is known all the same")


@bl.section
def nohup():
    run = bl.Run(argv=["nohup", bl.BIN, "run", "--", SIGNALS, "-d", "1", "-x", "15=3"])
    run.read_until(bl.rx(rb"ready \d+\n"))
    run.send(signal.SIGHUP)
    run.send(signal.SIGTERM)
    run.finish()
    bl.equal(run.status, 3, "nohup buildlog run: HUP is not heard, TERM is")
    bl.ok(b"SIGHUP" not in run.out, "and HUP is not passed on", run.out)


bl.done()
