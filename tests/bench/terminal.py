#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Figures of `buildlog run` at a terminal, beside script(1) and the bare command in one run.

    tests/bench/terminal.py [--starts N] [--keys N] [--size MB] [--soak N]

Start-up to the end of `true`, from the key that is typed to its echo, and the way of bytes through
the terminal. Whoever is compared takes turns, and a ratio is the median of those of the turns, so
that it is not the machine's mood. --soak starts and stops that often at one terminal and compares
its settings. Nothing here is a test: machines are shared and noisy, and a figure is a thing to look
at.
"""
import argparse
import fcntl
import os
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

BUILD = os.environ.get("BUILD", "build")
BUILDLOG = os.environ.get("BUILDLOG", os.path.join(BUILD, "buildlog"))


class Terminal:
    """A terminal that this program plays: it holds both ends."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def start(self, argv):
        return subprocess.Popen(argv, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                start_new_session=True,
                                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def read_until(self, done):
        """Reads until done(all that was read)."""
        data = b""
        while not done(data):
            if not select.select([self.master], [], [], 20)[0]:
                raise SystemExit(f"nothing more at the terminal after {data[-200:]!r}")
            data += os.read(self.master, 1 << 16)
        return data

    def drain(self):
        while select.select([self.master], [], [], 0)[0]:
            os.read(self.master, 1 << 16)

    def close(self):
        os.close(self.master)
        os.close(self.slave)


def peers(work, command):
    """command: words for a shell, as script wants them."""
    words = command.split(" ")
    found = {"bare": words}
    if shutil.which("script"):
        found["script -q"] = ["script", "-qec", command, f"{work}/typescript"]
    found["buildlog run"] = [BUILDLOG, "run", "--dir", f"{work}/store", "--", *words]
    return found


def ratio(values, base):
    """How many times base's, turn by turn."""
    return statistics.median(value / beside for value, beside in zip(values, base))


def starts(work, count):
    """By a small shell at one terminal, in blocks, so that its own fork is all that is added."""
    block = 10
    print(f"\nstart-up and end at a terminal ({count} each, in blocks of {block}, in turn)")
    times = {}
    for _ in range(count // block):
        for name, argv in peers(work, "env true").items():
            terminal = Terminal()
            child = terminal.start(["sh", "-c", 'echo go; read x; for i in 1 2 3 4 5 6 7 8 9 10; do '
                                    '"$@"; done; echo end', "sh", *argv])
            terminal.read_until(lambda data: b"go\r\n" in data)
            began = time.perf_counter()
            os.write(terminal.master, b"\n")
            terminal.read_until(lambda data: b"end\r\n" in data)
            times.setdefault(name, []).append((time.perf_counter() - began) / block)
            child.wait()
            terminal.close()
    for name, values in times.items():
        print(f"  {name:16}{statistics.median(values) * 1e6:9.0f} us"
              f"{ratio(values, times['bare']):8.2f} x env true"
              f"   (minimum {min(values) * 1e6:.0f} us, {min(values) / min(times['bare']):.2f} x)")


def key_to_echo(argv, count):
    """Seconds from writing a key to reading its echo, one at a time."""
    terminal = Terminal()
    child = terminal.start(argv)
    terminal.read_until(lambda data: b"ready\r\n" in data)
    time.sleep(0.2)  # until all of it rests
    delays = []
    for number in range(count):
        key = b",;"[number % 2:number % 2 + 1]  # no secret begins with these
        began = time.perf_counter()
        os.write(terminal.master, key)
        terminal.read_until(lambda data, key=key: key in data)
        delays.append(time.perf_counter() - began)
        if number % 40 == 39:
            os.write(terminal.master, b"\n")
            terminal.read_until(lambda data: data.count(b"\n") >= 2)
    os.write(terminal.master, b"\x04\x04")
    child.wait()
    terminal.close()
    return delays


def keys(work, count):
    print(f"\nfrom a key to its echo ({count} keys, one at a time)")
    turns = 6
    figures, medians = {}, {}
    for _ in range(turns):
        for name, argv in peers(work, f"sh {work}/cat").items():
            delays = key_to_echo(argv, count // turns)
            figures.setdefault(name, []).extend(delays)
            medians.setdefault(name, []).append(statistics.median(delays))
    base = medians.get("script -q", medians["bare"])
    for name, values in figures.items():
        values.sort()
        print(f"  {name:16}p50 {statistics.median(values) * 1e6:7.1f} us"
              f"  p99 {values[len(values) * 99 // 100] * 1e6:8.1f}"
              f"{ratio(medians[name], base):8.2f} x script")


def through(argv):
    """MB/s. The reader does nothing but read, or it would be what is measured."""
    terminal = Terminal()
    began = time.perf_counter()
    child = terminal.start(argv)
    os.close(terminal.slave)
    total = 0
    try:
        while data := os.read(terminal.master, 1 << 16):
            total += len(data)
    except OSError:  # EIO: nobody is at the terminal any more
        pass
    wall = time.perf_counter() - began
    child.wait()
    os.close(terminal.master)
    return total / wall / 1e6


def texts():
    """What builds print, over and over: plain lines, a CI log's mixture, lines in colours."""
    plain = b"the quick brown fox jumps over the lazy dog and compiles another f.c now yes!!\n"
    coloured = b"".join(b"\x1b[32m[%3d%%]\x1b[0m Building C object \x1b[1msrc/net/f_%d.c.o\x1b[0m\n"
                        % (n // 10, n) for n in range(1000))
    mixed = b"".join(b"2026-01-02T03:04:05.%07dZ [INFO] tests/case_%d: ok\n" % (n, n)
                     + b"gcc -Wall -O2 -Isrc -c -o build/obj/file_%d.o src/file_%d.c\n" % (n, n)
                     + b"\x1b[01m\x1b[Kfile.c:%d:7:\x1b[m\x1b[K " % n
                     + b"\x1b[01;35m\x1b[Kwarning: \x1b[m\x1b[Kunused variable\n"
                     + b"\r  0% [    ]\r 50% [==  ]\r100% [====]\n"
                     + b"    at caf\xc3\xa9 (src/net/socket.js:%d:15)\n" % n for n in range(1000))
    return {"plain lines": plain, "as in CI": mixed, "in colours": coloured}


def throughput(work, size, rounds):
    for what, text in texts().items():
        print(f"\nthrough the terminal ({size} MB of text, {what}, {rounds} rounds in turn)")
        with open(f"{work}/input", "wb") as out:
            out.write(text * (size * 1000000 // len(text)))
        figures = {}
        for _ in range(rounds):
            for name, argv in peers(work, f"cat {work}/input").items():
                figures.setdefault(name, []).append(through(argv))
                shutil.rmtree(f"{work}/store", ignore_errors=True)
        base = figures.get("script -q", figures["bare"])
        for name, values in figures.items():
            print(f"  {name:16}{statistics.median(values):8.0f} MB/s"
                  f"{ratio(values, base):8.2f} x script"
                  f"   (best {max(values):.0f} MB/s, {max(values) / max(base):.2f} x)")


def soak(work, count):
    terminal = Terminal()
    before = termios.tcgetattr(terminal.slave)
    loop = 'i=0; while [ $i -lt "$0" ]; do "$@" || exit 1; i=$((i+1)); done'
    child = terminal.start(["sh", "-c", loop, str(count), BUILDLOG, "run", "--dir",
                            f"{work}/store", "--", "true"])
    began = time.perf_counter()
    while child.poll() is None:
        time.sleep(0.05)
        terminal.drain()
    same = termios.tcgetattr(terminal.slave) == before
    print(f"\n{count} starts and stops in {time.perf_counter() - began:.1f} s, status "
          f"{child.returncode}, settings {'as before' if same else 'CHANGED'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--starts", type=int, default=300)
    parser.add_argument("--keys", type=int, default=900)
    parser.add_argument("--size", type=int, default=20, help="MB of input")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--soak", type=int, default=2000)
    args = parser.parse_args()
    for name in ("BUILDLOG_ID", "BUILDLOG_DIR"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="buildlog-bench-") as work:
        with open(f"{work}/cat", "w", encoding="ascii") as script:
            script.write("echo ready\nexec cat\n")
        starts(work, args.starts)
        keys(work, args.keys)
        throughput(work, args.size, args.rounds)
        soak(work, args.soak)
    return 0


if __name__ == "__main__":
    sys.exit(main())
