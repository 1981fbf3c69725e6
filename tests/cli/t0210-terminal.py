#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""At a real terminal: the command reads it, shares its foreground group, Ctrl-C reaches it once
and stops the loop around it, a REPL lives on, a password is asked for without echo."""
import os
import signal
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

REPL, SIGNALS, EMIT = bl.helper("repl"), bl.helper("signals"), bl.helper("emit")
CTRL_C, CTRL_D, CTRL_BACKSLASH = b"\x03", b"\x04", b"\x1c"


def at_terminal(*args, **options):
    return bl.Pty([bl.BIN, "run", "--tty", bl.tty_mode, *args], **options)


@bl.both_modes
def reads_the_terminal():
    tty = at_terminal("--", REPL)
    tty.expect(b"> ")
    tty.send(b"hello\n")
    tty.expect(b"echo: hello\r\n> ")
    tty.send(b"quit\n")
    bl.equal(tty.finish(), 0, "the command reads the terminal line by line")
    # A terminal of its own echoes what is typed, and that is output.
    want = (["> echo: hello", "> "] if bl.tty_mode == "never" else
            ["> hello", "echo: hello", "> quit"])
    log = bl.sound(tty, "the log is sound")
    bl.equal(log.msgs(), want, "and its words are logged")
    bl.equal(log.start["tty"], bl.tty_mode != "never", "the start record says what it was")


@bl.both_modes
def same_screen():
    """Byte for byte the screen of the bare command."""
    script = 'printf "one\\ntwo\\rthree\\tfour\\033[1mbold\\033[0m\\n\\n\\0end"'
    bare = bl.Pty(["sh", "-c", script])
    bare.finish()
    tty = at_terminal("--", "sh", "-c", script)
    bl.equal(tty.finish(), 0, "a script at the terminal")
    bl.equal(tty.screen, bare.screen, "the screen is the bare command's")


@bl.both_modes
def groups():
    tty = at_terminal("--", SIGNALS, "-x", "15=0")
    child = int(tty.expect(bl.rx(rb"ready (\d+)\r\n")).group(1))
    want = bl.proc_group(tty.pid) if bl.tty_mode == "never" else child
    bl.equal(bl.proc_group(child), want, "in the foreground the command stays in buildlog's group "
             "unless it has a session of its own")
    bl.equal(tty.foreground(), bl.proc_group(tty.pid), "and buildlog's is the terminal's")
    os.kill(tty.pid, signal.SIGTERM)
    tty.expect(b"got SIGTERM\r\nbye")
    bl.equal(tty.finish(), 0, "TERM from a process is passed on there too")
    bl.equal(tty.screen.count(b"SIGTERM"), 1, "once")
    bl.equal(tty.log.end["status"], "interrupted", "and is an interruption")


@bl.both_modes
def descendants():
    """Sharing the group, a signal from a process still reaches the command's children."""
    tty = at_terminal("--", SIGNALS, "-f", "-x", "15=0")
    tty.expect(bl.rx(rb"child ready \d+"))
    os.kill(tty.pid, signal.SIGTERM)
    tty.finish()
    bl.equal((tty.screen.count(b"child got SIGTERM"), tty.screen.count(b"got SIGTERM")), (1, 2),
             "the command and its child hear TERM once each", tty.screen)


@bl.both_modes
def ctrl_c_once():
    tty = at_terminal("--", SIGNALS, "-x", "2=5")
    tty.expect(bl.rx(rb"ready \d+"))
    tty.send(CTRL_C)
    bl.equal(tty.finish(), 5, "Ctrl-C: the command's own status")
    bl.equal(tty.screen.count(b"got SIGINT"), 1, "Ctrl-C reaches the command exactly once")
    log = bl.sound(tty, "Ctrl-C: the log is sound")
    bl.equal(log.end["status"], "failed", "handled by the command, it is no interruption")


@bl.both_modes
def ctrl_c_kills():
    tty = at_terminal("--", EMIT, "out", b"on\n".hex(), "wait", "/nowhere/at/all")
    tty.expect(b"on\r\n")
    tty.send(CTRL_C)
    bl.equal(tty.finish(), -signal.SIGINT, "killed by Ctrl-C: buildlog dies of INT too")
    log = bl.sound(tty, "killed by Ctrl-C: the log is sound")
    bl.equal((log.end["status"], log.end["signal"], log.end.get("shutdown")),
             ("interrupted", "SIGINT", True), "interrupted")


@bl.both_modes
def exit_130():
    tty = at_terminal("--", "sh", "-c", "trap 'exit 130' INT; "
                      f"'{EMIT}' out 6f6e0a wait /nowhere/at/all")
    tty.expect(b"on\r\n")
    tty.send(CTRL_C)
    bl.equal(tty.finish(), 130, "exit 130 is the command's own status")
    bl.equal(tty.log.end["status"], "interrupted", "and means interrupted")


@bl.both_modes
def ctrl_backslash():
    tty = at_terminal("--", SIGNALS, "-x", "3=6")
    tty.expect(bl.rx(rb"ready \d+"))
    tty.send(CTRL_BACKSLASH)
    bl.equal(tty.finish(), 6, "Ctrl-\\ is the command's to handle")
    bl.equal(tty.screen.count(b"got SIGQUIT"), 1, "and reaches it once")


@bl.both_modes
def stops_a_loop():
    loop = 'for i in 1 2 3 4 5; do echo round $i; "$0" run --tty "$2" -- "$1" out 6f6e0a ' \
           'wait /nowhere/at/all; done; echo after'
    for shell in ("sh", "bash"):
        tty = bl.Pty([shell, "-c", loop, bl.BIN, EMIT, bl.tty_mode])
        tty.expect(b"round 1\r\non\r\n")
        tty.send(CTRL_C)
        tty.finish()
        bl.ok(b"round 2" not in tty.screen and b"after" not in tty.screen,
              f"Ctrl-C stops the {shell} loop around it", tty.screen)


@bl.both_modes
def stops_make():
    folder = bl.temp("make")
    os.mkdir(folder)
    with open(os.path.join(folder, "Makefile"), "w", encoding="ascii") as file:
        file.write(f"all: a b\na:\n\t@{bl.BIN} run --tty {bl.tty_mode} -- {EMIT} out 6f6e0a "
                   "wait /nowhere/at/all\nb:\n\t@echo after\n")
    tty = bl.Pty(["make", "-k", "-C", folder])
    tty.expect(b"on\r\n")
    tty.send(CTRL_C)
    tty.finish()
    bl.ok(b"after" not in tty.screen, "Ctrl-C stops the make around it", tty.screen)


@bl.both_modes
def repl_lives_on():
    tty = at_terminal("--grace", "200ms", "--", REPL)
    tty.expect(b"> ")
    for _ in range(2):
        tty.send(CTRL_C)
        tty.expect(b"interrupted\r\n> ")
    tty.send(b"alive\n")
    tty.expect(b"echo: alive\r\n")
    tty.expect(b"> ")
    tty.send(CTRL_D)
    bl.equal(tty.finish(), 0, "Ctrl-C twice leaves a REPL alive")
    log = bl.sound(tty, "REPL: the log is sound")
    bl.equal((log.end["status"], tty.screen.count(b"interrupted")), ("ok", 2),
             "no escalation, no interruption")


@bl.both_modes
def password():
    tty = at_terminal("--", REPL, "-p")
    tty.expect(b"Password: ")
    bl.wait_for(lambda: not tty.echo(), "the echo is off")
    typed = "typed-" + "by-hand"
    tty.send(typed.encode() + b"\n")
    tty.expect(b"password of %d characters\r\n" % len(typed))
    bl.equal(tty.finish(), 0, "a command that reads a password")
    bl.ok(typed.encode() not in tty.screen, "without an echo")
    log = bl.sound(tty, "password: the log is sound")
    bl.ok(typed.encode() not in log.data, "it is not in the log")


@bl.both_modes
def hang_up():
    tty = at_terminal("--", SIGNALS, "-x", "1=0")
    child = int(tty.expect(bl.rx(rb"ready (\d+)")).group(1))
    tty.close()
    bl.wait_process(tty.process)
    bl.ok(bl.wait_for(lambda: bl.proc_gone(child), "the command ends"), "a terminal that goes "
          "away ends the command")
    bl.sound(tty, "hang-up: the log is sound")


@bl.both_modes
def typed_ahead():
    """What is typed while the command runs belongs to whoever reads next."""
    tty = bl.Pty(["sh", "-c", f'"{bl.BIN}" run --tty {bl.tty_mode} -- "{EMIT}" out 6f6e0a '
                  'wait "$0"; read a; echo "shell got $a"', go := bl.temp("go")])
    tty.expect(b"on\r\n")
    tty.send(b"ahead\n")
    open(go, "wb").close()
    tty.expect(b"shell got ahead\r\n")
    bl.ok(True, "what is typed ahead is left for the next one")
    tty.finish()


@bl.both_modes
def timeout_at_terminal():
    tty = at_terminal("--timeout", "300ms", "--", EMIT, "out", b"on\n".hex(), "wait",
                      "/nowhere/at/all")
    bl.equal(tty.finish(), 124, "--timeout at a terminal: 124")
    bl.sound(tty, "--timeout at a terminal: the log is sound")


@bl.both_modes
def settings_restored():
    """A full screen program that is killed leaves its settings; buildlog adds none itself."""
    tty = bl.Pty(["sh", "-c", f'stty -a >"$0"; "{bl.BIN}" run --tty {bl.tty_mode} -- true; '
                  'stty -a >"$1"',
                  before := bl.temp("stty"), after := bl.temp("stty")])
    tty.finish()
    with open(before, "rb") as one, open(after, "rb") as two:
        bl.equal(one.read(), two.read(), "terminal settings are untouched")


bl.done()
