#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Figures of `buildlog query` on one large log, each a ratio against `grep -cF` (or jq) on the
same file in the same run.

    tests/bench/query.py [--size MB] [--rounds N] [--jq]

The best of the rounds with a warm page cache: machines are shared and noisy. jq takes minutes on
a large log and is only asked with --jq. Nothing here is a test.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
BUILDLOG = os.environ.get("BUILDLOG", os.path.join(BUILD, "buildlog"))
ID = "01KDYAK3SE000000000000000A"
DAY = "2026-01-02"
T0 = 1_767_323_045_678


def write_log(path, size):
    """What a compiler prints: one line in a thousand fails, one in fifty is coloured, one in ten
    has the word "tenth", one in ten came from stderr."""
    rng = random.Random(7)
    words = ("compile link object src main lib util test pass cache fetch node module define "
             "include build target static shared release debug step running checking").split()
    with open(path, "wb") as out:
        out.write(json.dumps({"kind": "meta", "buildId": ID, "startedAt": DAY + "T03:04:05.678Z",
                              "version": "0.1.0", "v": 1, "cmd": ["make"]},
                             separators=(",", ":")).encode() + b"\n")
        done, seq = 0, 0
        while done < size:
            block = []
            for _ in range(20000):
                seq += 1
                text = " ".join(rng.choices(words, k=rng.randrange(4, 14)))
                kind = rng.random()
                if kind < 0.001:
                    text = f"src/x{seq}.c:{seq % 999}: error: no needle{seq} in {text}"
                elif kind < 0.02:
                    text = f"\x1b[33mnote\x1b[0m: {text} \"{seq}\""
                elif kind < 0.12:
                    text = f"[{seq}] CC tenth/{text}.o"
                else:
                    text = f"[{seq}] CC {text}.o"
                src = "stderr" if seq % 10 == 0 else "stdout"
                text = json.dumps(text)
                block.append(f'{{"kind":"line","ts":{T0 + seq // 10},"seq":{seq},"src":"{src}",'
                             f'"buildId":"{ID}","msg":{text}}}\n')
            data = "".join(block).encode()
            out.write(data)
            done += len(data)
    return seq


def best(rounds, command, env):
    """Into a file: of what goes to /dev/null grep looks for the first match only."""
    times = []
    for _ in range(rounds):
        with tempfile.TemporaryFile() as sink:
            started = time.perf_counter()
            done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=sink,
                                  check=False)
            times.append(time.perf_counter() - started)
        if done.returncode not in (0, 1):
            sys.exit(f"{' '.join(command)}: status {done.returncode}")
    return min(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=400, metavar="MB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jq", action="store_true")
    options = parser.parse_args()
    top = tempfile.mkdtemp(prefix="buildlog-bench-")
    path = os.path.join(top, "store", "builds", DAY, ID + ".log")
    os.makedirs(os.path.dirname(path))
    env = {**os.environ, "BUILDLOG_DIR": os.path.join(top, "store"), "LC_ALL": "C"}
    try:
        last = write_log(path, options.size * 1_000_000)
        size = os.path.getsize(path)
        middle = f"@{(T0 + last // 20) / 1000:.3f}"
        grep = best(options.rounds, ["grep", "-cF", "needle77", path], env)
        print(f"{size / 1e6:.0f} MB\n{'grep -cF, few hits':36} {grep * 1000:8.0f} ms"
              f"{size / grep / 1e6:8.0f} MB/s")
        rows = [
            ("-k, few hits", 1.2, ["-k", "needle77", "-c"]),
            ("-g with a literal", 1.8, ["-g", "needle77[0-9]+ in", "-c"]),
            ("-g with a literal, -i", 1.8, ["-g", "NEEDLE77[0-9]+ in", "-i", "-c"]),
            ("-g without a literal (100 MB/s)", size / 1e8 / grep, ["-g", "[xyz]{3}[0-9]", "-c"]),
            ("--src stderr", 1.5, ["--src", "stderr", "-c"]),
            ("-l error", 1.5, ["-l", "error", "-c"]),
            ("half of the time", 1.5, ["--since", middle, "-c"]),
            ("one hit in ten, text (300 MB/s)", size / 3e8 / grep, ["-k", "tenth", "-o", "text"]),
            ("one hit in ten, jsonl", None, ["-k", "tenth", "-o", "jsonl"]),
            ("all of it, text", None, ["-o", "text"]),
            ("few hits, backwards", None, ["-k", "needle77", "-r", "-c"]),
            ("few hits with context", None, ["-k", "needle77", "-C", "3", "-o", "text"]),
            ("--fuzzy 1", None, ["-k", "neeedle77", "--fuzzy", "1", "-c"]),
        ]
        for name, goal, words in rows:
            took = best(options.rounds, [BUILDLOG, "query", "last", *words], env)
            goal_text = f"{goal:8.2f}{'  !' if took / grep > goal else ''}" if goal else "       -"
            print(f"{name:36} {took * 1000:8.0f} ms{size / took / 1e6:8.0f} MB/s"
                  f"{took / grep:8.2f} x grep   goal{goal_text}", flush=True)
        if options.jq and shutil.which("jq"):
            took = best(1, ["jq", "-c", 'select(.msg|tostring|contains("needle77"))', path], env)
            print(f"{'jq, select contains':36} {took * 1000:8.0f} ms{size / took / 1e6:8.0f} MB/s")
    finally:
        shutil.rmtree(top)


main()
