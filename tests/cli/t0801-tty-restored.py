#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""However it ends, the terminal outside is as it was, what was typed ahead is there for the next
reader, and no process, descriptor or terminal is left over."""
import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT, SIGNALS = bl.helper("emit"), bl.helper("signals")
NOWHERE = "/nowhere/at/all"
# 2,000 by `BUILDLOG_TTY_STARTS=2000`.
STARTS = int(os.environ.get("BUILDLOG_TTY_STARTS", "150"))


class Terminal:
    """A terminal that outlives what runs at it: this process holds both ends."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.settings = termios.tcgetattr(self.slave)
        self.screen = b""

    def start(self, *argv, store=None, env=None):
        self.store = store or bl.temp("store")
        self.process = subprocess.Popen(
            argv, stdin=self.slave, stdout=self.slave, stderr=self.slave,
            env=bl.environment(self.store, **(env or {})), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        return self

    def run(self, *args, **options):
        return self.start(bl.BIN, "run", *args, **options)

    expect, _read, send = bl.Pty.expect, bl.Pty._read, bl.Pty.send
    seen = 0
    paths, path, log = bl.Run.paths, bl.Run.path, bl.Run.log
    err = b""

    def raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def wait(self):
        return bl.wait_process(self.process)

    def restored(self, name):
        bl.equal(termios.tcgetattr(self.slave), self.settings, f"{name}: the terminal is as it was")

    def close(self):
        os.close(self.master)
        os.close(self.slave)


def waiting(*options):
    """buildlog with a command that waits, the terminal raw."""
    t = Terminal().run(*options, "--", EMIT, "out", b"on\n".hex(), "wait", NOWHERE)
    t.expect(b"on\r\n")
    bl.ok(t.raw(), "it is raw while the command runs")
    return t


def monitor(t):
    return bl.proc_children(t.process.pid)[0]


@bl.section
def ordinary_ends():
    for name, argv, status in (("exit 0", ["true"], 0), ("exit 3", ["sh", "-c", "exit 3"], 3),
                               ("killed", ["sh", "-c", "kill -9 $$"], -9),
                               ("not found", ["/nowhere/program"], 127),
                               ("left raw", ["stty", "raw", "-echo"], 0)):
        t = Terminal().run("--", *argv)
        bl.equal(t.wait(), status, f"{name}: the status")
        t.restored(name)
        bl.sound(t, f"{name}: the log is sound")
        t.close()


@bl.section
def keys():
    for key, status in ((b"\x03", -signal.SIGINT), (b"\x1c", -signal.SIGQUIT)):
        t = Terminal().start("sh", "-c", 'ulimit -c 0; exec "$@"', "sh", bl.BIN, "run", "--", EMIT,
                             "out", b"on\n".hex(), "wait", NOWHERE)
        t.expect(b"on\r\n")
        t.send(key)
        bl.equal(t.wait(), status, f"{key}: the status")
        t.restored(f"{key}")
        t.close()


@bl.section
def signals_to_buildlog():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        t = waiting()
        t.process.send_signal(number)
        bl.equal(t.wait(), -number, f"{number.name} to buildlog: the status")
        t.restored(number.name)
        bl.equal(bl.sound(t, f"{number.name}: the log is sound").end["status"], "interrupted",
                 f"{number.name} is an interruption")
        t.close()


@bl.section
def timeout():
    t = Terminal().run("--timeout", "200ms", "--", EMIT, "wait", NOWHERE)
    bl.equal(t.wait(), 124, "--timeout: the status")
    t.restored("--timeout")
    t.close()


@bl.section
def buildlog_killed():
    """What it cannot do itself then, the process beside the command does."""
    for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGALRM):
        if bl.SANITIZED and number == signal.SIGSEGV:
            continue
        t = Terminal().start("sh", "-c", 'ulimit -c 0; exec "$@"', "sh", bl.BIN, "run", "--",
                             SIGNALS, "-x", "1=0")
        child = int(t.expect(bl.rx(rb"ready (\d+)")).group(1))
        between = monitor(t)
        t.process.send_signal(number)
        bl.equal(t.wait(), -number, f"buildlog dies of {number.name}")
        bl.wait_for(lambda: bl.proc_gone(between), "the process between ends, too")
        t.restored(f"buildlog killed by {number.name}")
        bl.wait_for(lambda: bl.proc_gone(child), "the command hears of the hang-up")
        t.close()


@bl.section
def settings_of_somebody_else():
    """A shell that has made its own settings by then keeps them."""
    t = waiting()
    between = monitor(t)
    os.kill(between, signal.SIGSTOP)
    t.process.kill()
    t.wait()
    mine = termios.tcgetattr(t.slave)
    mine[3] |= termios.ECHO
    termios.tcsetattr(t.slave, termios.TCSANOW, mine)
    os.kill(between, signal.SIGCONT)
    bl.wait_for(lambda: bl.proc_gone(between), "the process between ends")
    bl.equal(termios.tcgetattr(t.slave), mine, "settings made since are left alone")
    t.close()


@bl.section
def monitor_killed():
    t = waiting()
    os.kill(monitor(t), signal.SIGKILL)
    t.expect(b"buildlog run: the process that watches the command was killed; how the command "
             b"ended is not known\r\n")
    bl.equal(t.wait(), -signal.SIGKILL, "the process between killed: as if the command had been")
    t.restored("the process between killed")
    bl.equal(bl.sound(t, "its log is sound").end["status"], "signaled", "and the log says so")
    t.close()


@bl.section
def monitor_killed_later():
    """The command has ended, what it left behind has not: nobody misses the process between."""
    go = bl.temp("go")
    t = Terminal().run("--linger", "inf", "--", "sh", "-c",
                       f'trap "" HUP; "{EMIT}" wait "$0" out 6c6173740a & echo on', go)
    t.expect(b"on\r\n")
    bl.wait_for(lambda: not t.raw(), "the command has ended")
    os.kill(monitor(t), signal.SIGKILL)
    before, later = bl.proc_ticks(t.process.pid), time.monotonic() + 1
    bl.wait_for(lambda: time.monotonic() > later, "a second")
    bl.ok(bl.proc_ticks(t.process.pid) - before <= 10, "buildlog waits for the rest without spinning")
    open(go, "wb").close()
    t.expect(b"last\r\n")
    bl.equal(t.wait(), 0, "the status is the command's")
    t.restored("the process between killed after the command's end")
    bl.equal(bl.sound(t, "the log is sound").msgs(), ["on", "last"], "and has all of it")
    t.close()


@bl.section
def typed_ahead():
    """Whole lines and a begun one, with one echo."""
    if os.path.exists("/proc/sys/dev/tty/legacy_tiocsti") and not bl.AM_ROOT:
        with open("/proc/sys/dev/tty/legacy_tiocsti", encoding="ascii") as file:
            if file.read().strip() == "0":
                bl.skip("typed ahead", "the system does not let it be given back")
                return
    go = bl.temp("go")
    t = Terminal().start("sh", "-c", f'"{bl.BIN}" run -- "{EMIT}" out 6f6e0a wait "$0"; read a; '
                         'read b; echo "got $a and $b"', go)
    t.expect(b"on\r\n")
    t.send(b"first\nsec")
    t.expect(b"first\r\nsec")
    open(go, "wb").close()
    bl.wait_for(lambda: termios.tcgetattr(t.slave) == t.settings, "the terminal is the shell's")
    t.send(b"ond\n")
    t.expect(b"got first and second\r\n")
    bl.equal(t.screen, b"on\r\nfirst\r\nsecond\r\ngot first and second\r\n",
             "what was typed ahead is there for the next reader")
    t.wait()
    t.close()


@bl.section
def many_times():
    """One session at one terminal: nothing gathers."""
    loop = ('i=0; while [ $i -lt $0 ]; do "$1" run -- true || exit 1; i=$((i+1)); done; '
            'echo left: $(ps -o stat= --ppid $$ | grep -c Z)')
    before = set(bl.proc_children(os.getpid()))
    t = Terminal().start("sh", "-c", loop, str(STARTS), bl.BIN)
    found = t.expect(bl.rx(rb"left: (\d+)\r\n"), 600)
    t.wait()
    t.restored(f"{STARTS} starts and stops")
    bl.equal(found.group(1), b"0", "no zombie is left")
    bl.equal(len(t.paths), STARTS, "each has its log")
    bl.equal(set(bl.proc_children(os.getpid())) - before, set(), "no process is left, dead or alive")
    t.close()


@bl.section
def descriptors():
    """The command has its three and no other, as the bare one; the process between has three."""
    look = "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> .*/\\1/p'"
    t = Terminal().run("--", "sh", "-c", look)
    t.wait()
    bl.equal(t.log.msgs(), ["0", "1", "2", "3"], "the command inherits no other (3 is ls's own)")
    t.close()
    t = waiting()
    pid = monitor(t)
    bl.wait_for(lambda: sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"],
                "the process between lets go of what it inherited")
    bl.ok(True, "the process between holds no lock and no pipe")
    t.send(b"\x03")
    t.wait()
    t.close()


@bl.section
def no_session():
    """When the process between cannot be had, nothing was started and the terminal is as it was."""
    for fault, said in (("socketpair:1:EMFILE", "cannot make a socket: Too many open files"),
                        ("fork:1:EAGAIN", "cannot start a session for the command: Resource "
                         "temporarily unavailable"),
                        ("vfork_run:1:EAGAIN", "cannot start a session for the command: Resource "
                         "temporarily unavailable")):
        t = Terminal().start(bl.FAULT_BIN, "run", "--", "echo", "hi",
                             env={"BUILDLOG_FAULT": fault})
        t.expect(f"buildlog run: {said}\r\n".encode())
        bl.equal(t.wait(), 125, f"{fault}: refused")
        t.restored(fault)
        t.close()


@bl.section
def no_terminals():
    """Where there are no pseudo-terminals, pipes do."""
    run = bl.Run("--tty=always", "--", "sh", "-c", "test -t 1 || echo pipe", binary=bl.FAULT_BIN,
                 env={"BUILDLOG_FAULT": "ioctl:1:EIO:persist"}).finish()
    bl.equal((run.status, run.out), (0, b"pipe\n"), "without pseudo-terminals a pipe does")
    bl.equal(run.err, b"buildlog run: cannot unlock the terminal of '/dev/ptmx': Input/output "
             b"error; the command gets no terminal\n", "and that is said")
    bl.equal(run.log.start["tty"], False, "also in the log")


bl.done()
