#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Figures of the reading commands over many builds, each beside its goal.

    tests/bench/store.py [--builds N] [--days N] [--lines N] [--rounds N] [--dir DIR]

The store is made by tests/helpers/mkstore (below DIR, default TMPDIR) and removed at the end;
100,000 builds take some 800 MB. Every figure is the best of the rounds with a warm page cache:
machines are shared and noisy. Nothing here is a test.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
BUILDLOG = os.environ.get("BUILDLOG", os.path.join(BUILD, "buildlog"))
MKSTORE = os.path.join(BUILD, "tests/helpers/mkstore")


def once(store, words):
    """Seconds that buildlog WORDS takes."""
    started = time.perf_counter()
    done = subprocess.run([BUILDLOG, *words], env={**os.environ, "BUILDLOG_DIR": store},
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"buildlog {' '.join(words)}: status {done.returncode}")
    return time.perf_counter() - started


def figure(store, rounds, goal, name, *words, before=None):
    times = []
    for _ in range(rounds):
        if before:
            before()
        times.append(once(store, words))
    best = min(times)
    goal_text = f"{goal * 1000:8.0f} ms" if goal else "          -"
    print(f"{name:34} {best * 1000:9.1f} ms {goal_text}{'  !' if goal and best > goal else ''}",
          flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--builds", type=int, default=100000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dir")
    options = parser.parse_args()
    top = tempfile.mkdtemp(prefix="buildlog-bench-", dir=options.dir)
    store = os.path.join(top, "store")
    try:
        print(f"making {options.builds} builds over {options.days} days ...", flush=True)
        subprocess.run([MKSTORE, store, str(options.builds), str(options.days),
                        str(options.lines), str(int(time.time() * 1000))], check=True)
        ids = subprocess.run([BUILDLOG, "ls", "-o", "ids", "--dir", store], check=True,
                             stdin=subprocess.DEVNULL, capture_output=True).stdout.split(b"\n")
        middle = ids[len(ids) // 2].split(b"\t")[0].decode()

        def no_index():
            shutil.rmtree(os.path.join(store, "index"), ignore_errors=True)

        def measure(*arguments, **more):
            figure(store, options.rounds, *arguments, **more)

        print(f"{'':34} {'best':>12} {'goal':>11}")
        measure(0.02, "ls -n 20", "ls", "-n", "20")
        measure(0.02, "info last", "info", "last")
        measure(0.02, "info of a prefix (14 characters)", "info", middle[:14])
        measure(0.02, "info last-failed", "info", "last-failed")
        measure(None, "info of a suffix (8 characters)", "info", middle[-8:])
        measure(None, "ls --since yesterday", "ls", "--since", "yesterday")
        measure(2.0, "stats, no index", "stats", before=no_index)
        measure(0.3, "stats", "stats")
        measure(None, "stats --since '30 days ago'", "stats", "--since", "30 days ago")
        measure(None, "ls --status signaled", "ls", "--status", "signaled")
        measure(None, "ls of all", "ls")
        measure(None, "ls of all as JSON", "ls", "--json")
        measure(None, "verify of all", "verify")
    finally:
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
