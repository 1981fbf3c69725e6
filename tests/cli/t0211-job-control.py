#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Under an interactive shell: Ctrl-Z stops buildlog and the command, fg resumes both, bg and
kill work, a pager at the end of a pipeline works, a stopped build's clock stands still."""
import os
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

REPL, EMIT = bl.helper("repl"), bl.helper("emit")
CTRL_Z, CTRL_C = b"\x1a", b"\x03"
PROMPT = b"READY$ "
SHELLS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "sh": ["sh", "-i"]}


def shell(name="bash", **env):
    tty = bl.Pty(SHELLS[name], env={"PS1": PROMPT.decode(), "ENV": None, "HISTFILE": None,
                                    "B": bl.BIN, "EMIT": EMIT, "REPL": REPL, "MODE": bl.tty_mode,
                                    **env})
    tty.expect(PROMPT)
    return tty


def processes(tty):
    """buildlog and its command, once both are there; with a terminal of the command's own there
    is one process between them."""
    def look():
        for pid in bl.proc_children(tty.pid):
            path = [pid]
            while children := bl.proc_children(path[-1]):
                path.append(children[0])
            if len(path) == (2 if bl.tty_mode == "never" else 3):
                return path[0], path[-1]
        return None
    return bl.wait_for(look, "buildlog and its command")


def leave(tty):
    tty.send(b"exit\n")
    tty.finish()


@bl.both_modes
def stop_and_fg():
    for name in SHELLS:
        tty = shell(name)
        tty.send(b'"$B" run --tty $MODE -- "$REPL"\n')
        tty.expect(b"> ")
        pair = processes(tty)
        tty.send(CTRL_Z)
        tty.expect(PROMPT)
        bl.wait_for(lambda: [bl.proc_state(pid) for pid in pair] == ["T", "T"], "both stopped")
        bl.ok(True, f"{name}: Ctrl-Z stops buildlog and the command, the shell is back")
        tty.send(b"echo a-$((1+1))\n")
        tty.expect(b"a-2\r\n")
        tty.send(b"fg\n")
        bl.wait_for(lambda: all(bl.proc_state(pid) != "T" for pid in pair), "both resumed")
        tty.send(b"again\n")
        tty.expect(b"echo: again\r\n")
        tty.send(CTRL_Z)
        tty.expect(PROMPT)
        tty.send(b"fg\n")
        tty.send(b"once more\n")
        tty.expect(b"echo: once more\r\n")
        tty.send(b"quit\n")
        tty.expect(PROMPT)
        tty.send(b"echo rc=$?\n")
        tty.expect(b"rc=0\r\n")
        log = bl.sound(tty, f"{name}: fg resumes both; the log is sound")
        bl.equal(log.end["status"], "ok", f"{name}: and the build is ok")
        leave(tty)


@bl.both_modes
def interrupted_after_fg():
    tty = shell()
    tty.send(b'"$B" run --tty $MODE -- "$EMIT" out 6f6e0a wait /nowhere/at/all\n')
    tty.expect(b"\r\non\r\n")
    tty.send(CTRL_Z)
    tty.expect(PROMPT)
    tty.send(b"fg\n")
    tty.expect(b"wait /nowhere")
    pair = processes(tty)
    bl.wait_for(lambda: all(bl.proc_state(pid) == "S" for pid in pair), "both resumed")
    tty.send(CTRL_C)
    tty.expect(PROMPT)
    tty.send(b"echo rc=$?\n")
    tty.expect(b"rc=130\r\n")
    bl.equal(tty.log.end["status"], "interrupted", "Ctrl-C after fg ends it")
    leave(tty)


@bl.both_modes
def background():
    tty = shell()
    go = bl.temp("go")
    tty.send(b'"$B" run --tty $MODE -- "$EMIT" wait "%s" out 6261636b0a &\n' % go.encode())
    tty.expect(PROMPT)
    open(go, "wb").close()
    tty.expect(b"back\r\n")
    tty.send(b"wait; echo rc=$?\n")
    tty.expect(b"rc=0\r\n")
    bl.sound(tty, "in the background: the log is sound")
    leave(tty)


@bl.section
def nobody_above():
    """In the background of a terminal, where no shell is left that could continue it: what the
    terminal stops, buildlog could only wait for in vain."""
    go = bl.temp("go")
    script = ("set -m; ( sh -c 'until [ -e \"$GO\" ]; do :; done; exec \"$B\" run --tty never -- "
              "sh -c \"stty -echo </dev/tty; echo on\"' & ); echo ready; read a")
    tty = bl.Pty(["bash", "-c", script], env={"B": bl.BIN, "GO": go})
    tty.expect(b"ready\r\n")
    bl.equal(tty.foreground(), tty.pid, "the shell above has ended")
    open(go, "wb").close()
    tty.expect(b"buildlog run: the command was stopped because it is in the background of its "
               b"terminal, and nobody could continue it; it is told to hang up\r\n")
    log = tty.wait_log(lambda log: log.end, "it ends")
    bl.equal((log.errors, log.end.get("signal")), ([], "SIGHUP"),
             "as the kernel does with such groups")
    tty.send(b"\n")
    bl.equal(tty.finish(), 0, "and the terminal lives on")


@bl.both_modes
def background_then_fg():
    """Started in the background, brought to the front: Ctrl-C then reaches the command."""
    tty = shell()
    tty.send(b'"$B" run --tty $MODE -- "$EMIT" out 6f6e0a wait /nowhere/at/all &\n')
    tty.expect(b"on\r\n")
    tty.send(b"fg\n")
    tty.expect(b"wait /nowhere")
    buildlog, _ = processes(tty)
    bl.wait_for(lambda: tty.foreground() == bl.proc_group(buildlog), "in the foreground")
    tty.send(CTRL_C)
    tty.expect(PROMPT)
    bl.wait_for(lambda: bl.proc_gone(buildlog), "ended by Ctrl-C")
    log = bl.sound(tty, "bg, fg, Ctrl-C: the log is sound")
    bl.equal(log.end["status"], "interrupted", "bg, fg, Ctrl-C: interrupted")
    leave(tty)


@bl.both_modes
def pager():
    if bl.bare("sh", "-c", "command -v less").status:
        bl.skip("run -- cmd | less", "no less here")
        return
    tty = shell(TERM="vt100", LESS="")
    tty.send(b'"$B" run --tty $MODE -- seq 500 | less\n')
    tty.expect(b"1\r\n2\r\n3\r\n")
    tty.expect(b":")
    tty.send(b"G")
    tty.expect(b"\n500\r\n")
    tty.send(b"q")
    tty.expect(PROMPT)
    log = bl.sound(tty, "run -- cmd | less: the log is sound")
    bl.equal((log.end["lines"], log.end["status"]), (500, "ok"), "every line is logged")
    leave(tty)


@bl.both_modes
def pager_interrupted():
    """Ctrl-C in the pager, which it survives, ends the command before it."""
    if bl.bare("sh", "-c", "command -v less").status:
        bl.skip("Ctrl-C in less", "no less here")
        return
    tty = shell(TERM="vt100", LESS="")
    tty.send(b'"$B" run --tty $MODE -- sh -c \'seq 100; exec "$EMIT" wait /nowhere/at/all\' | less\n')
    tty.expect(b"1\r\n2\r\n3\r\n")
    tty.send(CTRL_C)
    tty.wait_log(lambda log: log.end, "the command has ended")
    bl.equal(tty.log.end["status"], "interrupted", "Ctrl-C in a pager interrupts the command")
    tty.send(b"q")
    tty.expect(PROMPT)
    leave(tty)


@bl.both_modes
def clock_stands_still():
    tty = shell()
    tty.send(b'"$B" run --tty $MODE --timeout 4s -- "$REPL"; echo rc=$?\n')
    tty.expect(b"> ")
    pair = processes(tty)
    tty.send(CTRL_Z)
    bl.wait_for(lambda: [bl.proc_state(pid) for pid in pair] == ["T", "T"], "both stopped")
    resume = time.monotonic() + 4.5
    bl.wait_for(lambda: time.monotonic() > resume, "longer than the timeout")
    tty.expect(PROMPT)
    tty.send(b"fg\n")
    tty.send(b"alive\n")
    tty.expect(b"echo: alive\r\n")
    bl.ok(True, "a stopped build does not run into its timeout")
    tty.expect(PROMPT, 30)
    log = bl.sound(tty, "timeout after fg: the log is sound")
    bl.equal(log.end["status"], "timeout", "but it does once it has run that long")
    leave(tty)


bl.done()
