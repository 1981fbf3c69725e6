#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""At each of their system calls buildlog, the process between it and the command, and the
command's process before its exec are killed, or stand still; and the terminal goes away while one
of them stands still. Nothing hangs, nobody is left over, the terminal is as it was, the log has its
end if there was somebody to write it, and who only stood still does what it would have done."""
import concurrent.futures
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import faults

# With stdin elsewhere the command starts behind; what it does to its terminal brings it forward.
COMMANDS = {"the terminal": "echo started; exit 5",
            "elsewhere": "echo started; stty -echo </dev/tty; stty echo </dev/tty; exit 5"}
SCREEN = b"started\r\n"
SECONDS = 30
# The others get as far as they can; how far that is does not matter to the result.
STANDSTILL_S = 0.03
REFUSED = (125, 126)
FIRED_AT = 16  # in struct counter, tests/fault/fault.c


class Scene:
    def __init__(self, stdin, order):
        self.name = order.split(":")[0]
        self.master, self.slave = os.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.store, self.counts, self.screen = bl.temp("store"), bl.temp("counts"), b""
        self.process = subprocess.Popen(
            [bl.FAULT_BIN, "run", "--linger", "100ms", "--", "sh", "-c", COMMANDS[stdin]],
            stdin=subprocess.DEVNULL if stdin == "elsewhere" else self.slave, stdout=self.slave,
            stderr=self.slave, start_new_session=True,
            env=bl.environment(self.store, BUILDLOG_FAULT=order, BUILDLOG_COUNTS=self.counts),
            preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0))

    paths, path = bl.Run.paths, bl.Run.path

    def counter(self, name, at=0):
        """0 as long as it has not made its counters."""
        try:
            with open(self.counts, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            data = b""
        offset = faults.calls().index(name) * faults.COUNTER_SIZE + at
        return struct.unpack_from("Q", data, offset)[0] if len(data) >= offset + 8 else 0

    def members(self):
        """Whoever has to do with this run is known by the store in its environment."""
        found = []
        for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if os.fsencode(f"BUILDLOG_DIR={self.store}\0") in file.read():
                        found.append(pid)
            except OSError:
                pass
        return found

    def standing(self):
        """Of those the ones that a fault has stopped, not a terminal."""
        return [pid for pid in self.members()
                if bl.proc_state(pid) in ("T", "t") and is_buildlog(pid)]

    def read_while(self, condition):
        """Reads the screen as long as that holds; False: it held too long."""
        deadline = bl.Deadline(SECONDS)
        while True:
            late = deadline.late()
            if not condition():
                return True
            if late:
                return False
            self.read(0.02)

    def read(self, seconds):
        if self.master < 0:
            time.sleep(seconds)
        elif select.select([self.master], [], [], seconds)[0]:
            self.screen += os.read(self.master, 65536)

    def stand_still(self):
        """False: nobody came to the call in this run."""
        self.read_while(lambda: self.process.poll() is None and
                        not self.counter(self.name, FIRED_AT))
        if not self.counter(self.name, FIRED_AT):
            return False
        self.read_while(lambda: self.process.poll() is None and not self.standing())
        time.sleep(STANDSTILL_S)
        return True

    def go_on(self):
        for pid in self.standing():
            os.kill(pid, signal.SIGCONT)

    def hang_up(self):
        os.close(self.master)
        os.close(self.slave)
        self.master = self.slave = -1

    def end(self):
        """What is wrong by then: it hangs, or somebody is left over, or a setting."""
        wrong = []
        if not self.read_while(lambda: self.process.poll() is None):
            wrong.append("hangs")
        elif not self.read_while(self.members):
            wrong.append("somebody is left over")
        elif self.slave >= 0 and not self.read_while(
                lambda: termios.tcgetattr(self.slave) != self.before):
            wrong.append("the terminal is not as it was")
        while self.master >= 0 and select.select([self.master], [], [], 0)[0]:
            self.screen += os.read(self.master, 65536)
        for pid in self.members():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        if self.master >= 0:
            self.hang_up()
        return wrong

    def log_wrong(self):
        """Before it starts the command, buildlog dies of a hang-up like anybody."""
        started = self.counter("fork") > 0
        return bl.read_log(self.path, finished=started).errors if self.paths else []


def is_buildlog(pid):
    try:
        return os.path.samefile(f"/proc/{pid}/exe", bl.FAULT_BIN)
    except OSError:
        return False


def killed(scene):
    """Whichever of the three it was; two of them are missed by buildlog."""
    wrong, status = scene.end(), scene.process.returncode
    if status not in (5, -signal.SIGKILL) + REFUSED:
        wrong.append("neither the command's status, nor a death, nor refused")
    return wrong + (scene.log_wrong() if status == 5 else [])


def late(scene):
    if scene.stand_still():
        scene.go_on()
    wrong = scene.end()
    if scene.process.returncode != 5 or scene.screen != SCREEN:
        wrong.append("not what it would have done")
    return wrong + scene.log_wrong()


def hung_up(scene):
    if scene.stand_still():
        scene.hang_up()
        scene.go_on()
    return scene.end() + scene.log_wrong()


WAYS = {"killed": ("killed", killed), "stands still": ("stopped", late),
        "the terminal goes away meanwhile": ("stopped", hung_up)}


def orders(stdin, what):
    scene = Scene(stdin, "")
    bl.equal((scene.end(), scene.process.returncode), ([], 5), f"stdin {stdin}: undisturbed")
    return [f"{name}:{number}:{what}" for name in faults.calls()
            for number in range(1, scene.counter(name) + 1)]


def judge(stdin, way, order):
    scene = Scene(stdin, order)
    wrong = WAYS[way][1](scene)
    return f"{order}: {', '.join(wrong)}: {scene.process.returncode} {bl.show(scene.screen)}" \
        if wrong else ""


@bl.section
def table():
    for stdin in COMMANDS:
        for way, (what, _) in WAYS.items():
            todo = orders(stdin, what)
            with concurrent.futures.ThreadPoolExecutor(faults.PARALLEL) as pool:
                wrong = [text for text in pool.map(lambda o: judge(stdin, way, o), todo) if text]
            bl.ok(len(todo) > 100, f"there is something to try: {len(todo)} calls")
            bl.equal(wrong, [], f"stdin {stdin}: one {way}, at each call")


if __name__ == "__main__":
    bl.done()
