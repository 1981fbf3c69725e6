#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Job control with a terminal of the command's own, under a shell and by the command itself:
the foreground inside is the foreground outside. t0211 has what both kinds of terminal share."""
import os
import shutil
import signal
import sys
import termios
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

REPL, EMIT, SIGNALS = bl.helper("repl"), bl.helper("emit"), bl.helper("signals")
CTRL_Z, CTRL_C = b"\x1a", b"\x03"
PROMPT = b"READY$ "
NOWHERE = "/nowhere/at/all"


def shell(**env):
    tty = bl.Pty(["bash", "--norc", "--noprofile", "-i"],
                 env={"PS1": PROMPT.decode(), "HISTFILE": None, "B": bl.BIN, "EMIT": EMIT,
                      "REPL": REPL, "SIGNALS": SIGNALS, "INNER": "INNER> ", **env})
    tty.expect(PROMPT)
    return tty


def leave(tty):
    tty.send(b"exit\n")
    tty.finish()


def canonical(tty):
    return bool(termios.tcgetattr(tty.master)[3] & termios.ICANON)


@bl.section
def input_from_behind():
    """In the background a command that reads is stopped, as it is without buildlog."""
    for bare in (True, False):
        tty = shell()
        tty.send(b'%scat &\n' % (b"" if bare else b'"$B" run -- '))
        tty.expect(PROMPT)
        bl.wait_for(lambda: b"Stopped" in tty.typed(b"jobs"), "stopped")
        name = "bare" if bare else "with a terminal"
        bl.ok(True, f"{name}: a background command that reads is stopped")
        tty.send(b"fg\n")
        tty.expect(b"cat\r\n")
        tty.send(b"hello\n")
        tty.expect(b"hello\r\nhello\r\n")
        tty.send(b"\x04")
        tty.expect(PROMPT)
        bl.ok(b"rc=0" in tty.typed(b"echo rc=$?"), f"{name}: fg lets it read")
        if not bare:
            bl.sound(tty, "its log is sound")
        leave(tty)


@bl.section
def output_from_behind():
    """TOSTOP holds for the command's terminal as for the one outside."""
    for bare in (True, False):
        tty = shell()
        tty.typed(b"stty tostop")
        tty.send(b'%s"$EMIT" out 6261636b0a &\n' % (b"" if bare else b'"$B" run -- '))
        tty.expect(PROMPT)
        bl.wait_for(lambda: b"Stopped" in tty.typed(b"jobs"), "stopped")
        name = "bare" if bare else "with a terminal"
        bl.ok(b"\nback" not in tty.screen, f"{name}: with tostop it is stopped before it writes",
              tty.screen)
        tty.send(b"fg\n")
        tty.expect(b"\nback\r\n")
        tty.expect(PROMPT)
        leave(tty)


@bl.section
def stopped_then_behind():
    """Ctrl-Z, bg: it goes on without the terminal, which belongs to the shell; then fg."""
    tty = shell()
    go = bl.temp("go")
    tty.send(b'"$B" run -- sh -c \'"$EMIT" out 6f6e0a wait "$0" out 6261636b0a; cat\' "%s"\n'
             % go.encode())
    tty.expect(b"\non\r\n")
    tty.send(CTRL_Z)
    tty.expect(PROMPT)
    tty.typed(b"bg")
    at = tty.seen
    open(go, "wb").close()
    tty.expect(b"back\r\n")
    bl.ok(b"back\r\r\n" not in tty.screen, "behind, the terminal outside makes the line ends")
    bl.wait_for(lambda: b"Stopped" in tty.typed(b"jobs"), "stopped as it reads")
    tty.send(b"fg\n")
    tty.expect(b"cat' ")
    tty.send(b"hello\n")
    tty.expect(b"hello\r\nhello\r\n")
    bl.ok(tty.screen.count(b"back\r", at) == 1, "its output came once")
    tty.send(b"\x04")
    tty.expect(PROMPT)
    bl.equal(bl.sound(tty, "bg and fg: the log is sound").end["status"], "ok", "and it is ok")
    leave(tty)


@bl.section
def running_to_the_front():
    """Nobody is told when a shell brings a running job to the front; it is noticed."""
    tty = shell()
    tty.send(b'"$B" run -- "$EMIT" out 6f6e0a wait %s &\n' % NOWHERE.encode())
    tty.expect(b"on\r\n")
    bl.wait_for(lambda: b"Running" in tty.typed(b"jobs"), "running")
    tty.send(b"fg\n")
    buildlog = bl.proc_children(tty.pid)[0]
    bl.wait_for(lambda: tty.foreground() == bl.proc_group(buildlog) and not canonical(tty),
                "the terminal is raw for it")
    tty.send(CTRL_C)
    tty.expect(PROMPT)
    bl.ok(b"rc=130" in tty.typed(b"echo rc=$?"), "Ctrl-C reaches it")
    bl.equal(tty.log.end["status"], "interrupted", "and it is interrupted")
    leave(tty)


@bl.section
def stopped_by_a_process():
    tty = shell()
    tty.send(b'"$B" run -- "$SIGNALS" -x 15=0\n')
    child = int(tty.expect(bl.rx(rb"ready (\d+)\r\n")).group(1))
    os.kill(child, signal.SIGSTOP)
    tty.expect(PROMPT)
    bl.ok(True, "a command that is stopped stops buildlog")
    bl.ok(b"Stopped" in tty.typed(b"jobs"), "and the shell says so")
    tty.send(b"fg\n")
    bl.wait_for(lambda: bl.proc_state(child) != "T", "resumed")
    os.kill(child, signal.SIGTERM)
    tty.expect(PROMPT)
    leave(tty)


@bl.section
def continued_by_a_process():
    """The command alone is stopped and continued: buildlog with it, whether or not there is a shell
    that could."""
    tty = bl.Pty([bl.BIN, "run", "--", REPL])
    tty.expect(b"> ")
    between = bl.proc_children(tty.pid)[0]
    child = bl.proc_children(between)[0]
    for _ in range(3):
        os.kill(child, signal.SIGSTOP)
        bl.wait_for(lambda: bl.proc_state(tty.pid) == "T", "buildlog is stopped, too")
        os.kill(child, signal.SIGCONT)
        bl.wait_for(lambda: bl.proc_state(tty.pid) != "T", "and goes on, too")
        tty.send(b"alive\n")
        tty.expect(b"echo: alive\r\n")
        bl.wait_for(lambda: bl.proc_state(between) == "S", "all that was ordered is done")
    tty.send(b"quit\n")
    bl.equal(tty.finish(), 0, "who continues the command continues buildlog")


@bl.section
def continued_before_it_is_noticed():
    """buildlog, which stands still meanwhile, hears of both at once."""
    for _ in range(10):
        tty = bl.Pty([bl.BIN, "run", "--", REPL])
        tty.expect(b"> ")
        between = bl.proc_children(tty.pid)[0]
        child = bl.proc_children(between)[0]
        os.kill(tty.pid, signal.SIGSTOP)
        bl.wait_for(lambda: bl.proc_state(tty.pid) == "T", "buildlog stands still")
        os.kill(child, signal.SIGSTOP)
        bl.wait_for(lambda: bl.proc_state(child) == "T", "the command is stopped")
        bl.wait_for(lambda: bl.proc_state(between) == "S", "the process between has told")
        os.kill(child, signal.SIGCONT)
        tty.send(b"alive\n")
        tty.expect(b"echo: alive\r\n")
        tty.send(b"quit\n")
        status = tty.finish()
    bl.equal(status, 0, "buildlog does not stop for a command that goes on")


@bl.section
def stopped_then_killed():
    """The terminal is the shell's while we are stopped, whatever happens then."""
    tty = shell()
    tty.send(b'"$B" run -- "$SIGNALS" -x 1=0; echo rc=$?\n')
    child = int(tty.expect(bl.rx(rb"ready (\d+)\r\n")).group(1))
    tty.send(CTRL_Z)
    tty.expect(PROMPT)
    buildlog = bl.proc_children(tty.pid)[0]
    os.kill(buildlog, signal.SIGKILL)
    bl.wait_for(lambda: bl.proc_gone(child), "the command hears of it")
    bl.wait_for(lambda: bl.proc_state(buildlog) is None, "and the shell, else it has a job left")
    bl.ok(b"a-2\r\n" in tty.typed(b"echo a-$((1+1))"), "killed while stopped: the shell lives on")
    leave(tty)


@bl.section
def job_control_inside():
    """An interactive shell as the command: its own jobs, its own foreground."""
    tty = bl.Pty([bl.BIN, "run", "--", "bash", "--norc", "--noprofile", "-i"],
                 env={"PS1": PROMPT.decode(), "HISTFILE": None, "REPL": REPL})
    tty.expect(PROMPT)
    tty.send(b'"$REPL"\n')
    tty.expect(b"> ")
    tty.send(CTRL_Z)
    tty.expect(PROMPT)
    bl.ok(b"Stopped" in tty.typed(b"jobs"), "Ctrl-Z stops a job of a shell inside")
    tty.send(b"fg\n")
    tty.send(b"hello\n")
    tty.expect(b"echo: hello\r\n")
    tty.send(CTRL_C)
    tty.expect(b"interrupted\r\n")
    tty.send(b"quit\n")
    tty.expect(PROMPT)
    tty.typed(b"sleep 600 &")
    bl.ok(b"Running" in tty.typed(b"jobs"), "a background job")
    bl.ok(b"no job control" not in tty.screen, "the shell has its job control")
    tty.send(b"kill %1; exit 4\n")
    bl.equal(tty.finish(), 4, "and its status")
    bl.sound(tty, "a shell inside: the log is sound")


@bl.section
def suspended_shell():
    """`suspend` of a shell inside a shell."""
    tty = shell()
    tty.send(b'PS1="$INNER" "$B" run -- bash --norc --noprofile -i\n')
    tty.expect(b"INNER> ")
    tty.send(b"suspend\n")
    tty.expect(PROMPT)
    bl.ok(b"Stopped" in tty.typed(b"jobs"), "suspend inside stops buildlog outside")
    tty.send(b"fg\n")
    tty.send(b"echo b-$((1+2))\n")
    tty.expect(b"b-3\r\n")
    tty.send(b"exit\n")
    tty.expect(PROMPT)
    leave(tty)


@bl.section
def descendants_stop():
    """Ctrl-Z stops a whole pipeline inside, fg resumes it."""
    tty = shell()
    tty.send(b'"$B" run -- sh -c \'"$SIGNALS" -f -x 2=0; :\'\n')
    child = int(tty.expect(bl.rx(rb"child ready (\d+)")).group(1))
    tty.send(CTRL_Z)
    tty.expect(PROMPT)
    bl.wait_for(lambda: bl.proc_state(child) == "T", "the grandchild is stopped")
    tty.send(b"fg\n")
    bl.wait_for(lambda: bl.proc_state(child) != "T", "and resumed")
    bl.ok(True, "Ctrl-Z and fg reach every process of the command")
    tty.send(CTRL_C)
    tty.expect(PROMPT)
    leave(tty)


@bl.section
def stop_at_top():
    """Where nobody could continue it, as at the top of a terminal, Ctrl-Z stops nothing."""
    tty = bl.Pty([bl.BIN, "run", "--", REPL])
    tty.expect(b"> ")
    tty.send(CTRL_Z)
    tty.send(b"alive\n")
    tty.expect(b"echo: alive\r\n")
    bl.ok(True, "buildlog at the top of a terminal does not hang at Ctrl-Z")
    tty.send(b"quit\n")
    bl.equal(tty.finish(), 0, "and goes on")


@bl.section
def ctrl_c_around():
    """What runs buildlog is in the foreground outside, and hears a Ctrl-C too, as without it."""
    script = "trap 'echo outer' INT; \"$@\"; echo rc=$?"
    for bare in (True, False):
        argv = [SIGNALS, "-x", "2=5"]
        if not bare:
            argv = [bl.BIN, "run", "--", bl.BIN, "run", "--", *argv]
        tty = bl.Pty(["bash", "-c", script, "sh", *argv])
        tty.expect(bl.rx(rb"ready \d+"))
        tty.send(CTRL_C)
        tty.finish()
        want = (1, True, True) if bare else (1, False, True)
        got = (tty.screen.count(b"got SIGINT"), b"outer" in tty.screen, b"rc=5" in tty.screen)
        bl.equal(got[0], want[0], "once inside")
        bl.ok(got[2], "with the command's status", tty.screen)
        if bare:
            bl.ok(got[1], "bare: the shell around hears it")
    tty = bl.Pty(["bash", "-c", script, "sh", bl.BIN, "run", "--", SIGNALS, "-x", "2=5"])
    tty.expect(bl.rx(rb"ready \d+"))
    tty.send(CTRL_C)
    tty.finish()
    bl.ok(b"outer" in tty.screen, "with buildlog: the shell around hears it, too", tty.screen)


@bl.section
def nested_ctrl_c_stops_loop():
    """A loop around a build around a build."""
    loop = 'for i in 1 2 3; do echo round $i; "$@"; done; echo after'
    tty = bl.Pty(["bash", "-c", loop, "sh", bl.BIN, "run", "--", bl.BIN, "run", "--", EMIT, "out",
                  b"on\n".hex(), "wait", NOWHERE])
    tty.expect(b"on\r\n")
    tty.send(CTRL_C)
    tty.finish()
    bl.ok(b"round 2" not in tty.screen and b"after" not in tty.screen,
          "Ctrl-C stops the loop around both", tty.screen)


@bl.section
def pager():
    """less as the command itself: keys, the screen, its end."""
    if shutil.which("less") is None:
        bl.skip("less", "no less here")
        return
    lines = os.path.join(bl.temp("folder"), "lines")
    os.mkdir(os.path.dirname(lines))
    with open(lines, "w", encoding="ascii") as file:
        file.write("".join(f"{n}\n" for n in range(1, 501)))
    for words, name in ((f'cd {os.path.dirname(lines)}; "$B" run -- less lines', "less FILE"),
                        (f'"$B" run -- sh -c "exec less <{lines}"', "less <FILE"),
                        (f'"$B" run -- sh -c "seq 500 | less"', "| less")):
        tty = shell(TERM="vt100", LESS="")
        tty.send(words.encode() + b"\n")
        tty.expect(b"22\r\n23\r\n")
        tty.expect(bl.rx(rb":|lines"))
        tty.send(b"G")
        tty.expect(b"\n500\r\n")
        tty.send(b"q")
        tty.expect(PROMPT)
        bl.equal(bl.sound(tty, f"{name}: the log is sound").end["status"], "ok", f"{name} works")
        leave(tty)


bl.done()
