#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stdin is a pipe or a file, stdout a terminal: the command asks for keys at its terminal, as less
and ssh do, and gets them; until it asks, the terminal outside is left to those around it."""
import fcntl
import os
import shutil
import signal
import struct
import sys
import termios
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

REPL, EMIT, SIGNALS = bl.helper("repl"), bl.helper("emit"), bl.helper("signals")
CTRL_C, CTRL_Z = b"\x03", b"\x1a"
PROMPT = b"READY$ "
NOWHERE = "/nowhere/at/all"
LINES = "".join(f"line {n}\n" for n in range(1, 301))
ASK = "import getpass; print('length', len(getpass.getpass('Word: ')))"


def canonical(tty):
    return bool(termios.tcgetattr(tty.master)[3] & termios.ICANON)


def script(text, bare=False, **options):
    """A shell script at a terminal, in which $B runs a command."""
    env = {"B": "env" if bare else f"{bl.BIN} run --", "REPL": REPL, "EMIT": EMIT,
           "SIGNALS": SIGNALS, "PYTHON": sys.executable, "ASK": ASK, **options.pop("env", {})}
    return bl.Pty(["sh", "-c", text], env=env, **options)


def shell(**env):
    tty = bl.Pty(["bash", "--norc", "--noprofile", "-i"],
                 env={"PS1": PROMPT.decode(), "HISTFILE": None, "B": f"{bl.BIN} run --",
                      "PYTHON": sys.executable, "ASK": ASK, "EMIT": EMIT, "SIGNALS": SIGNALS,
                      **env})
    tty.expect(PROMPT)
    return tty


def leave(tty):
    tty.send(b"exit\n")
    tty.finish()


def same(name, text, dialogue=()):
    """Byte for byte what it is without buildlog."""
    screens = []
    for bare in (True, False):
        tty = script(text, bare=bare)
        for seen, keys in dialogue:
            tty.expect(seen)
            if not bare and keys != b"for the left\n":
                bl.wait_for(lambda: not canonical(tty), "it has asked")
            tty.send(keys)
        screens.append((tty.finish(), tty.screen))
    bl.equal(screens[1], screens[0], f"{name}: status and screen are the bare command's")
    for path in tty.paths:
        bl.sound(bl.read_log(path), f"{name}: the log is sound")


@bl.section
def as_without():
    for stdin in ("</dev/null", "</etc/passwd", "| cat | $B"):
        test = "sh -c 'for n in 0 1 2; do test -t $n && echo $n is one; done; stty -a <&1; " \
               "printf \"a\\r\\nb\\r\\n\\r\"; echo out; sleep 0.2; echo err >&2; exit 3'"
        text = f"$B {test} {stdin}" if stdin[0] == "<" else f"echo {stdin} {test}"
        same(f"what it finds with {stdin}", text)
    same("head of something endless", "yes | $B head -n 2")
    same("what comes in", "seq 3 | $B cat; $B cat </dev/null; echo x | $B wc -l")
    same("stdin that is closed", "$B sh -c 'cat <&0 2>/dev/null || echo closed' <&-")


@bl.section
def asking():
    same("a question", "echo in | $B sh -c 'printf \"name? \"; read a </dev/tty; echo got $a; cat'",
         [(b"name? ", b"foo\n")])
    same("echo off", 'echo in | $B "$PYTHON" -c "$ASK"', [(b"Word: ", b"twelve-bytes\n")])
    same("echo off, </dev/null", '$B "$PYTHON" -c "$ASK" </dev/null', [(b"Word: ", b"12345\n")])
    same("in a descendant", 'echo in | $B sh -c \'echo a; "$PYTHON" -c "$ASK"; echo b; cat\'',
         [(b"Word: ", b"123\n")])
    same("twice", 'echo in | $B sh -c \'"$PYTHON" -c "$ASK"; "$PYTHON" -c "$ASK"; cat\'',
         [(b"Word: ", b"123\n"), (b"length 3\r\nWord: ", b"12\n")])
    same("end of file", "echo in | $B sh -c 'echo on; cat </dev/tty; cat'",
         [(b"on\r\n", b"a\n"), (b"a\r\na\r\n", b"\x04")])


@bl.section
def password_not_logged():
    tty = script('echo in | $B "$PYTHON" -c "$ASK"')
    word = "typed-" + "by-hand"
    tty.expect(b"Word: ")
    bl.ok(not canonical(tty), "when it has asked, the terminal outside is raw")
    tty.send(word.encode() + b"\n")
    tty.expect(b"length 13\r\n")
    bl.equal(tty.finish(), 0, "a password prompt with a pipe for stdin")
    bl.ok(word.encode() not in tty.log.data, "the password is not in the log")


@bl.section
def typed_ahead():
    """What was typed before the question is no answer to it."""
    go = bl.temp("go")
    code = (f"import getpass, os, sys\nprint('on', flush=True)\nwhile not os.path.exists({go!r}): pass\n"
            "print('length', len(getpass.getpass('Word: ')))")
    tty = script('echo in | $B "$PYTHON" -c "$CODE"', env={"CODE": code})
    tty.expect(b"on\r\n")
    tty.send(b"ahead\n")
    tty.expect(b"ahead\r\n")
    open(go, "wb").close()
    tty.expect(b"Word: ")
    tty.send(b"123\n")
    tty.expect(b"length 3\r\n")
    bl.equal(tty.finish(), 0, "what was typed ahead is not taken for the password")


@bl.section
def asks_like_ssh():
    """readpassphrase(3) of OpenSSH catches TTIN and TTOU, tidies up, and sends it to itself again:
    after all others have been continued, perhaps."""
    text = '''
import os, signal, sys, termios
def caught(number, frame):
    seen.append(number)
def ask():
    global seen
    seen, tty = [], os.open("/dev/tty", os.O_RDWR)
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, caught)
        signal.siginterrupt(number, True)
    old = termios.tcgetattr(tty)
    new = termios.tcgetattr(tty)
    new[3] &= ~termios.ECHO
    word = b""
    try:
        termios.tcsetattr(tty, termios.TCSAFLUSH, new)
    except termios.error:
        pass
    if not seen:
        os.write(tty, b"Word: ")
        word = os.read(tty, 100)
        termios.tcsetattr(tty, termios.TCSAFLUSH, old)
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_DFL)
    if seen:
        if len(sys.argv) > 1:
            import time
            time.sleep(0.1)
        os.kill(os.getpid(), seen[0])
        return ask()
    return word
print("got", len(ask()))
'''
    for late in ("", " late"):
        tty = script(f'echo in | $B sh -c \'"$PYTHON" -c "$ASK"{late}; echo end\'',
                     env={"ASK": text})
        tty.expect(b"Word: ")
        tty.send(b"secret\n")
        tty.expect(b"got 7\r\nend\r\n")
        bl.equal(tty.finish(), 0, f"who stops itself{late} goes on")
        bl.ok(b"secret" not in tty.screen, "and nothing was echoed", tty.screen)


@bl.section
def left_alone():
    """Others at the same terminal may read it while the command does not."""
    same("a prompt on the left", '"$PYTHON" -c "$ASK" | $B sh -c "cat; echo end"',
         [(b"Word: ", b"for the left\n")])
    tty = script('echo in | $B "$EMIT" out 6f6e0a wait %s' % NOWHERE)
    tty.expect(b"on\r\n")
    bl.ok(canonical(tty) and tty.echo(), "the terminal outside is not touched")
    tty.send(b"for later\n")
    tty.expect(b"for later\r\n")
    tty.send(CTRL_C)
    tty.finish()
    bl.equal(tty.log.end["status"], "interrupted", "Ctrl-C reaches a command that is held back")
    tty = script('( echo in | $B "$EMIT" out 6f6e0a; read a; echo got $a )')
    tty.expect(b"on\r\n")
    tty.send(b"typed ahead\n")
    tty.expect(b"got typed ahead\r\n")
    bl.equal(tty.finish(), 0, "what is typed ahead is for the next one")


@bl.section
def two_at_once():
    """Jobs of a script are in the same foreground; one after the other has the terminal."""
    go = bl.temp("go")
    ask = 'sh -c \'"$PYTHON" -c "$ASK"; echo done\' </dev/null'
    tty = script(f"$B {ask} & $B {ask} & wait; echo all; stty -a >{go}.after")
    for n in range(2):
        tty.expect(b"Word: ")
        tty.send(b"12345\n")
        tty.expect(b"length 5\r\n")
    tty.expect(b"all\r\n")
    tty.finish()
    with open(f"{go}.after", encoding="ascii") as file:
        after = file.read()
    bl.ok(" icanon" in after and " echo " in after and "-opost" not in after,
          "two at once leave the terminal as it was", after)


@bl.section
def killed():
    for asked in (False, True):
        tty = script('echo in | $B "$PYTHON" -c "$CODE"; sleep 60',
                     env={"CODE": "print('on'); " + (ASK if asked else "import time; time.sleep(60)")})
        tty.expect(b"Word: " if asked else b"on\r\n")
        buildlog = next(pid for pid in bl.proc_children(tty.pid)
                        if b"buildlog" in open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")[0])
        child = bl.proc_children(bl.proc_children(buildlog)[0])[0]
        os.kill(buildlog, signal.SIGKILL)
        bl.wait_for(lambda: bl.proc_gone(child), "the command hears of it")
        bl.wait_for(lambda: canonical(tty) and tty.echo(), "the terminal is as it was")
        bl.ok(True, f"killed, asked={asked}: the terminal is restored")
        tty.process.kill()
        tty.close()


@bl.section
def jobs():
    """Ctrl-Z, fg, bg and starting in the background, before and after it has asked."""
    tty = shell()
    tty.send(b'echo in | $B "$EMIT" out 6f6e0a wait %s\n' % NOWHERE.encode())
    tty.expect(b"\non\r\n")
    tty.send(CTRL_Z)
    tty.expect(PROMPT)
    bl.ok(b"Stopped" in tty.typed(b"jobs"), "Ctrl-Z stops one that is held back")
    tty.typed(b"bg")
    bl.ok(b"Running" in tty.typed(b"jobs"), "bg lets it run")
    tty.send(b"fg\n")
    tty.expect(b"nowhere")
    bl.wait_for(lambda: tty.foreground() != tty.pid, "it is in the foreground")
    tty.send(CTRL_C)
    tty.expect(PROMPT)
    bl.ok(b"rc=130" in tty.typed(b"echo rc=$?"), "Ctrl-C after fg")
    tty.send(b'echo in | $B "$PYTHON" -c "$ASK"\n')
    tty.expect(b"\nWord: ")
    tty.send(CTRL_Z)
    tty.expect(PROMPT)
    bl.ok(b"Stopped" in tty.typed(b"jobs"), "Ctrl-Z stops one that has asked")
    tty.send(b"fg\n")
    tty.expect(b"ASK\"\r\n")
    bl.wait_for(lambda: not canonical(tty) and not tty.echo(), "it has the terminal again")
    tty.send(b"12345\n")
    tty.expect(b"length 5\r\n")
    tty.expect(PROMPT)
    tty.send(b'echo in | $B "$PYTHON" -c "$ASK" &\n')
    tty.expect(PROMPT)
    bl.wait_for(lambda: b"Stopped" in tty.typed(b"jobs"), "stopped")
    bl.ok(b"\nWord: " not in tty.screen[tty.screen.rindex(b"&\r\n"):],
          "one that asks in the background is stopped before it does")
    tty.send(b"fg\n")
    tty.expect(b"\nWord: ")
    tty.send(b"123\n")
    tty.expect(b"length 3\r\n")
    tty.expect(PROMPT)
    leave(tty)
    for path in tty.paths:
        bl.sound(bl.read_log(path), "jobs: the log is sound")


@bl.section
def pagers():
    """less reads keys from the terminal of stderr by its name, more from stderr."""
    folder = bl.temp("folder")
    os.mkdir(folder)
    path = os.path.join(folder, "lines")
    with open(path, "w", encoding="ascii") as file:
        file.write(LINES)
    for program, first, last in (("less", b"line 23", b"\nline 300"), ("more", b"line 23", b"line 46")):
        if shutil.which(program) is None:
            bl.skip(program, f"no {program} here")
            continue
        for words in (f"cat {path} | $B {program}", f"$B {program} <{path}",
                      f"cat {path} | $B sh -c '{program}; cat'"):
            if program == "more" and "sh -c" in words:
                continue  # that needs one terminal for both streams, which sh does not get here
            tty = shell(TERM="vt100", LESS="")
            tty.send(words.encode() + b"\n")
            tty.expect(first)
            bl.wait_for(lambda: not canonical(tty), "it waits for keys")
            tty.send(b"G" if program == "less" else b" ")
            tty.expect(last)
            tty.send(b"q")
            tty.expect(PROMPT)
            bl.equal(bl.sound(tty, f"{words}: the log is sound").end["status"], "ok",
                     f"{words} gets keys")
            leave(tty)
    if shutil.which("less") is None:
        return
    tty = shell(TERM="vt100", LESS="")
    tty.typed(b"cat %s | $B less &" % path.encode())
    bl.wait_for(lambda: b"Stopped" in tty.typed(b"jobs"), "stopped")
    tty.send(b"fg\n")
    tty.expect(b"less")
    bl.wait_for(lambda: not canonical(tty) and tty.foreground() != tty.pid, "it has the terminal")
    tty.send(b"G")
    tty.expect(b"\nline 300")
    tty.send(b"q")
    tty.expect(PROMPT)
    bl.ok(True, "less in the background is stopped, and works after fg")
    leave(tty)


@bl.section
def sizes():
    tty = script("echo in | $B sh -c 'stty size <&1; trap \"stty size <&1; exit\" WINCH; echo on; "
                 "while :; do sleep 0.05; done'", rows=30, cols=100)
    tty.expect(b"30 100\r\non\r\n")
    fcntl.ioctl(tty.master, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 101, 0, 0))
    tty.expect(b"31 101\r\n")
    bl.equal(tty.finish(), 0, "who is held back hears of a new size")


# Both streams have something before either is read, because buildlog is stopped meanwhile.
BOTH = """
import os, sys, termios, time
silent = termios.tcgetattr(0)
silent[3] &= ~termios.ECHO
termios.tcsetattr(0, termios.TCSANOW, silent)
def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")")[1].split()
buildlog = int(parent(os.getppid())[1])
exec(os.environ["FIRST"])
os.read(0, 10)
os.kill(buildlog, 19)
while parent(buildlog)[0] != "T":
    time.sleep(0.01)
exec(os.environ["THEN"])
os.kill(buildlog, 18)
"""


def both(first, then, want, name):
    """Ten times, because the kernel hands over what is written in its own time."""
    for _ in range(10):
        tty = script('$B "$PYTHON" -c "$BOTH"; echo end', env={"BOTH": BOTH, "FIRST": first,
                                                               "THEN": then})
        tty.expect(b"on")
        tty.send(b"\n")
        tty.finish()
        bl.sound(tty, f"{name}: the log is sound")
        if want in tty.screen:
            break
    bl.ok(want in tty.screen, name, tty.screen)


@bl.section
def order():
    both("os.write(1, b'on')",
         "os.write(1, b'one\\n'); os.write(2, b'error\\n'); os.write(1, b'> ')",
         b"one\r\nerror\r\n> ", "stdout's lines, then stderr, then the prompt")
    both("os.write(2, b'\\33[?25lon: ')", "os.write(2, b'\\33[?25h'); os.write(1, b'result\\n')",
         b"\x1b[?25hresult\r\n", "where stderr draws, its screen is gone before the result")
    both("os.write(2, b'on |')",
         "os.write(2, b'\\33[1G\\33[0K'); os.write(1, b'result\\n'); os.write(2, b'/')",
         b"on |\x1b[1G\x1b[0Kresult\r\n/", "a spinner on stderr is wiped, and drawn again below")
    both("os.write(2, b'on -')", "os.write(2, b'\\r|'); os.write(1, b'result\\n')",
         b"on -\r|result\r\n", "who has begun a line goes on first")
    both("os.write(1, b'on 50%')",
         "os.write(1, b'\\r\\33[K'); os.write(2, b'error\\n'); os.write(1, b'60%')",
         b"on 50%\r\x1b[Kerror\r\n60%", "a bar on stdout is wiped, and drawn again below")


bl.done()
