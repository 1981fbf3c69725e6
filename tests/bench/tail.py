#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Figures of `buildlog tail -f`: how late a line is on another terminal, beside `tail -f` of
coreutils on a plain file, what an idle follower costs, and what followers cost the build.

    tests/bench/tail.py [--lines N] [--size MB] [--rounds N] [--only latency,idle,cost]

Latency: a command writes a line each millisecond, which holds the time of its writing; the time
at which it comes out of the follower's pipe is taken in another process. Rounds take turns.
Nothing here is a test.
"""
import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
BUILDLOG = os.environ.get("BUILDLOG", os.path.join(BUILD, "buildlog"))
LATENCY = os.path.join(BUILD, "tests/bench/latency")
EMIT = os.path.join(BUILD, "tests/helpers/emit")
ID = "01KDYAK3SE000000000000000A"
GOAL_MS = 20


class Build:
    """buildlog run of a command that waits to be let go."""

    def __init__(self, work, *command):
        self.store = os.path.join(work, "store")
        self.gate = os.path.join(work, "go")
        shutil.rmtree(self.store, ignore_errors=True)
        if os.path.exists(self.gate):
            os.unlink(self.gate)
        self.child = subprocess.Popen(
            [BUILDLOG, "run", "--quiet", "--dir", self.store, "--id", ID, "--", "sh", "-c",
             f"{EMIT} wait {shlex.quote(self.gate)}; exec {' '.join(map(shlex.quote, command))}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        log = os.path.join(self.store, "builds", "2026-01-02", ID + ".log")
        while not os.path.exists(log) or os.path.getsize(log) == 0:
            time.sleep(0.005)

    def follow(self, out, *words):
        child = subprocess.Popen([BUILDLOG, "tail", "--dir", self.store, "-f", "-n", "0", *words,
                                  ID], stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.DEVNULL)
        asleep(child.pid)
        return child

    def go(self):
        open(self.gate, "wb").close()

    def end(self):
        """CPU seconds of the whole build, buildlog and its command."""
        _, status, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime


def stat(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()


def switches(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)


def asleep(pid):
    """Waits until a process has not been woken for a tenth of a second, at most two seconds."""
    before, end = None, time.monotonic() + 2
    while time.monotonic() < end and (before != switches(pid) or stat(pid)[0] != "S"):
        before = switches(pid)
        time.sleep(0.1)


def latency_of(follower, start):
    """(p50, p90, p99, max) in milliseconds, of what comes out of the follower."""
    with follower.stdout as out:
        reader = subprocess.Popen([LATENCY, "read"], stdin=out, stdout=subprocess.PIPE)
    start()
    text = reader.stdout.read().split()
    reader.stdout.close()
    reader.wait()
    return [int(x) / 1e6 for x in text]


def of_buildlog(work, lines):
    build = Build(work, LATENCY, "emit", str(lines))
    follower = build.follow(subprocess.PIPE, "-o", "raw")
    result = latency_of(follower, build.go)
    build.end()
    follower.wait()
    return result


def of_coreutils(work, lines):
    path, gate = os.path.join(work, "plain"), os.path.join(work, "gate")
    for stale in (path, gate):
        if os.path.exists(stale):
            os.unlink(stale)
    with open(path, "wb") as out:
        writer = subprocess.Popen(["sh", "-c", f"{EMIT} wait {shlex.quote(gate)}; "
                                   f"exec {LATENCY} emit {lines}"], stdout=out)
    follower = subprocess.Popen(["tail", "-f", "-n", "0", f"--pid={writer.pid}", path],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    asleep(follower.pid)

    def start():
        open(gate, "wb").close()
        writer.wait()
    result = latency_of(follower, start)
    follower.wait()
    return result


def latency(work, lines, rounds):
    print(f"a line written -> seen in another process ({lines} lines, 1 a millisecond, median of "
          f"{rounds} rounds; goal: p99 below {GOAL_MS} ms)")
    results = {"buildlog tail -f": [], "tail -f of a plain file": []}
    for _ in range(rounds):
        results["buildlog tail -f"].append(of_buildlog(work, lines))
        results["tail -f of a plain file"].append(of_coreutils(work, lines))
    for name, rows in results.items():
        p50, p90, p99, most = (statistics.median(column) for column in zip(*rows))
        print(f"  {name:26}p50 {p50:7.3f} ms  p90 {p90:7.3f}  p99 {p99:7.3f}  max {most:8.3f}"
              f"{'  !' if p99 > GOAL_MS else ''}")


def idle(work, seconds):
    build = Build(work, "true")
    follower = build.follow(subprocess.DEVNULL)
    time.sleep(3)  # the looks at growing distances that come after a start
    before, woken = stat(follower.pid), switches(follower.pid)
    time.sleep(seconds)
    after = stat(follower.pid)
    ticks = sum(int(after[i]) - int(before[i]) for i in (11, 12))
    print(f"\nan idle follower in {seconds} s\n  CPU {ticks / os.sysconf('SC_CLK_TCK'):.2f} s, "
          f"woken {switches(follower.pid) - woken} times")
    build.go()
    build.end()
    follower.wait()


def cost_once(work, followers, command):
    build = Build(work, *command)
    children = [build.follow(subprocess.DEVNULL) for _ in range(followers)]
    started = time.perf_counter()
    build.go()
    cpu = build.end()
    wall = time.perf_counter() - started
    used = 0.0
    for child in children:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        used += usage.ru_utime + usage.ru_stime
    return wall, cpu, used


def cost(work, size, lines, rounds):
    """As fast as it can, where on a small machine followers take processors from the build, and a
    line each millisecond, where they have what they want: there the build's CPU time tells."""
    cases = {f"{size} MB at full speed": [EMIT, "lines", str(size * 12500), "80"],
             f"{lines} lines, 1 a millisecond": [LATENCY, "emit", str(lines)]}
    for name, command in cases.items():
        print(f"\nthe build's cost of being followed: {name} (median of {rounds})")
        results = {n: [] for n in (0, 1, 2)}
        for _ in range(rounds):
            for n, rows in results.items():
                rows.append(cost_once(work, n, command))
        base = [statistics.median(column) for column in zip(*results[0])]
        for n, rows in results.items():
            wall, cpu, used = (statistics.median(column) for column in zip(*rows))
            print(f"  {n} followers   wall {wall:6.2f} s ({wall / base[0]:.2f}x)   CPU of the build "
                  f"{cpu:6.2f} s ({cpu / base[1]:.2f}x)   of the followers {used:6.2f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=2000)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="latency,idle,cost")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="buildlog-bench-") as work:
        if "latency" in args.only:
            latency(work, args.lines, args.rounds)
        if "idle" in args.only:
            idle(work, 5)
        if "cost" in args.only:
            cost(work, args.size, args.lines, args.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
