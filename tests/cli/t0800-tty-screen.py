#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The screen of a command with terminals of its own is, byte for byte, the bare command's: colours,
progress bars, sizes, settings, what is typed at it. Both streams, each told apart in the log."""
import fcntl
import os
import shutil
import struct
import sys
import termios
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

REPL = bl.helper("repl")
CTRL_C, CTRL_D = b"\x03", b"\x04"


def played(argv, dialogue=(), **options):
    """The terminal after the dialogue: what to wait for, what to type then; its status."""
    tty = bl.Pty(argv, **options)
    for seen, typed in dialogue:
        tty.expect(seen)
        tty.send(typed)
    tty.status = tty.finish()
    return tty


def same(name, argv, dialogue=(), **options):
    bare = played(argv, dialogue, **options)
    tty = played([bl.BIN, "run", "--", *argv], dialogue, **options)
    bl.equal(tty.screen, bare.screen, f"{name}: the screen is the bare command's")
    bl.equal(tty.status, bare.status, f"{name}: so is the status")
    return bl.sound(tty, f"{name}: the log is sound")


def have(program):
    return shutil.which(program) is not None


def shell(name, script, dialogue=(), **options):
    return same(name, ["sh", "-c", script], dialogue, **options)


@bl.section
def programs():
    folder = bl.temp("folder")
    os.makedirs(os.path.join(folder, "sub"))
    log = same("ls --color=auto", ["ls", "--color=auto", folder], env={"TERM": "xterm"})
    bl.ok(any("\x1b[" in msg for msg in log.msgs()), "ls shows colours to a terminal", log.msgs())
    log = shell("a progress bar", 'for i in 1 2 3 4 5; do printf "\\r%3d%% done" $((i*20)); done; '
                'echo')
    bl.equal(log.msgs(), ["100% done"], "a progress bar is one line, as it was last")
    shell("what a terminal is asked", "stty -a; tty >/dev/null && echo yes; stty size")
    # Each is on the screen before the next is written: together they might change places.
    shell("stdout and stderr, apart", "echo out; read a; echo err >&2; read a; echo out",
          [(b"out\r\n", b"\n"), (b"\r\nerr\r\n", b"\n")])
    shell("a terminal on all three", "for n in 0 1 2; do test -t $n && echo $n is one; done")
    log = same("no newline at the end", ["printf", "a\\nb"])
    bl.equal([line.get("partial") for line in log.lines], [None, True], "it is marked partial")
    shell("tabs, bells and NULs", "printf 'a\\tb\\007\\000c\\n'")


@bl.section
def streams():
    tty = played([bl.BIN, "run", "--", "sh", "-c", "echo out; echo err >&2"])
    bl.equal(sorted((line["src"], line["msg"]) for line in tty.log.lines),
             [("stderr", "err"), ("stdout", "out")], "each stream has a terminal of its own")


@bl.section
def coloured_make():
    if not have("make"):
        bl.skip("make -j with colours", "no make here")
        return
    folder = bl.temp("make")
    os.mkdir(folder)
    with open(os.path.join(folder, "Makefile"), "w", encoding="ascii") as file:
        file.write("all: a b c\na b c:\n\t@test -t 1 && printf '\\033[32m%s\\033[0m\\n' done\n")
    same("make -j with colours", ["make", "-j3", "-C", folder])


@bl.section
def typing():
    log = same("a REPL", [REPL], [(b"> ", b"hello\n"), (b"hello\r\n> ", CTRL_C),
                                  (b"interrupted\r\n> ", b"x\x7fyz\n"), (b"yz\r\n> ", CTRL_D)])
    bl.equal(log.end["status"], "ok", "a Ctrl-C that is handled is no interruption")
    shell("line editing", "printf '? '; read a; echo got $a", [(b"? ", b"one two\x17three\n")])
    shell("end of file", "printf '? '; cat; echo end", [(b"? ", b"a\n"),
                                                       (b"a\r\na\r\n", CTRL_D)])
    shell("quoted keys", "printf '? '; read a; printf %s \"$a\" | od -c",
          [(b"? ", b"a\x16\x03b\n")])
    shell("echo off", "stty -echo; printf 'Word: '; read a; stty echo; echo; echo ${#a}",
          [(b"Word: ", b"secret-word\n")])
    shell("raw", "stty raw -echo; printf go; dd bs=1 count=3 2>/dev/null | od -c; stty sane",
          [(b"go", b"\x03\x1a\r")])
    emit = [bl.helper("emit"), "out", b"on".hex(), "wait", "/nowhere/at/all"]
    same("killed by Ctrl-C", emit, [(b"on", CTRL_C)])
    shell("killed by Ctrl-\\", "ulimit -c 0; exec " + " ".join(emit), [(b"on", b"\x1c")])


@bl.section
def python():
    """A Ctrl-C in the middle of things, and one at the prompt."""
    tty = bl.Pty([bl.BIN, "run", "--", sys.executable, "-q", "-i", "-c",
                  "import os, sys; sys.ps1 = f'{os.getpid()} READY> '"],
                 env={"TERM": "dumb"})
    pid = int(tty.expect(bl.rx(rb"(\d+) READY> ")).group(1))
    tty.send(b"import time; print('slee' + 'ping', flush=True); [time.sleep(0.01) for _ in range(60000)]\n")
    tty.expect(b"sleeping\r\n")
    for _ in range(2):
        # Python itself does not notice a SIGINT between its prompt and its waiting for keys.
        bl.wait_for(lambda: bl.proc_state(pid) == "S", "Python sleeps")
        tty.send(CTRL_C)
        # The prompt is on stdout, the other on stderr: either may come first. Both must be there:
        # what is typed while readline takes over the terminal is gone.
        tty.expect(bl.rx(rb"(?s)KeyboardInterrupt.*READY> |READY> .*KeyboardInterrupt"))
    tty.send(b"print(6 * 7)\n")
    tty.expect(b"42\r\n")
    tty.send(b"exit(3)\n")
    bl.equal(tty.finish(), 3, "a Python REPL survives Ctrl-C and is left by exit()")
    bl.equal(bl.sound(tty, "python: the log is sound").end["status"], "failed", "with its status")


@bl.section
def password():
    """As ssh asks: at /dev/tty, with the echo off."""
    typed = "typed-" + "by-hand"
    log = same("a password prompt", [REPL, "-p"], [(b"Password: ", typed.encode() + b"\n")])
    bl.ok(typed.encode() not in log.data, "the password is not in the log")


def resize(tty, rows, cols):
    fcntl.ioctl(tty.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


SIZES = ("trap 'echo changed; stty size; stty size <&2; go=1' WINCH; stty size; stty size <&2; "
         "echo ready; while [ -z \"$go\" ]; do sleep 0.05; done")


@bl.section
def resized():
    tty = bl.Pty([bl.BIN, "run", "--", "sh", "-c", SIZES], rows=30, cols=100)
    tty.expect(b"30 100\r\n30 100\r\nready\r\n")
    resize(tty, 50, 132)
    tty.expect(b"changed\r\n50 132\r\n50 132\r\n")
    bl.equal(tty.finish(), 0, "a resize reaches both terminals, then the command")
    bl.equal(tty.screen.count(b"changed"), 1, "it hears of it once")
    if have("tput"):
        same("tput", ["sh", "-c", "tput cols; tput lines"], env={"TERM": "xterm"}, rows=31,
             cols=101)


@bl.section
def resized_without_session():
    tty = bl.Pty(["sh", "-c", f'"{bl.BIN}" run -- sh -c "$1" </dev/null', "sh",
                  SIZES.replace("stty size;", "stty size <&1;")], rows=30, cols=100)
    tty.expect(b"30 100\r\n30 100\r\nready\r\n")
    resize(tty, 50, 132)
    tty.expect(b"50 132\r\n50 132\r\n")
    bl.equal(tty.finish(), 0, "also where stdin is no terminal")


@bl.section
def only_some():
    """stdin, stdout and stderr that are no terminals stay what they are."""
    test = "for n in 0 1 2; do test -t $n && echo $n >&9; done"
    seen = bl.temp("seen")
    for redirect, want in (("</dev/null", "1\n2\n"), ("2>/dev/null", "0\n1\n"),
                           (">/dev/null", "0\n2\n"), ("| cat", "0\n2\n"),
                           ("2>&1 | cat", "0\n"), ("</dev/null 2>&1 | cat", "")):
        tty = played(["sh", "-c", f'"{bl.BIN}" run -- sh -c "$0" 9>"$1" {redirect}', test, seen])
        with open(seen, encoding="ascii") as file:
            bl.equal(file.read(), want, f"terminals with {redirect}")
        bl.equal(tty.log.start["tty"], want not in ("0\n", ""),
                 f"the start record says so with {redirect}")


@bl.section
def nested():
    inner = [bl.BIN, "run", "--", REPL]
    tty = bl.Pty([bl.BIN, "run", "--", *inner])
    tty.expect(b"> ")
    tty.send(CTRL_C)
    tty.expect(b"interrupted\r\n> ")
    tty.send(b"quit\n")
    bl.equal(tty.finish(), 0, "a build inside a build")
    bl.equal(tty.screen, b"> ^Cinterrupted\r\n> quit\r\n", "looks like the command alone")
    bl.equal(len(tty.paths), 2, "and has a log of its own")
    for path in tty.paths:
        bl.sound(bl.read_log(path), "nested: the log is sound")


@bl.section
def keys_from_stderr():
    """more(1) and others read keys there, having switched the line discipline off there."""
    reader = ("import sys, termios\nold = termios.tcgetattr(2)\nnew = termios.tcgetattr(2)\n"
              "new[3] &= ~(termios.ICANON | termios.ECHO)\ntermios.tcsetattr(2, 0, new)\n"
              "import os\nos.write(1, b'key? ')\nkey = os.read(2, 1)\n"
              "try:\n    os.write(1, b'got ' + key + b'\\n')\n    os.read(2, 1)\nexcept KeyboardInterrupt:\n    os.write(1, b'stopped\\n')\n"
              "termios.tcsetattr(2, 0, old)\n")
    tty = bl.Pty([bl.BIN, "run", "--", sys.executable, "-c", reader])
    tty.expect(b"key? ")
    tty.send(b"q")
    tty.expect(b"got q\r\n")
    tty.send(CTRL_C)
    tty.expect(b"stopped\r\n")
    bl.equal(tty.finish(), 0, "keys are found at stderr, Ctrl-C too")


bl.done()
