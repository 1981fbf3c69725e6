#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Figures of `buildlog query`, each a ratio against `grep -cF` on the same file in the same run, and
against jq and lnav on a smaller one, byte for byte.

    tests/bench/query.py [--size MB] [--rounds N] [--peer-size MB] [--logs N]

The best of the rounds with a warm page cache: machines are shared and noisy. Processor time is told
too, for ours are several threads and grep is one. Peers that are not
installed are left out. Nothing here is a test.
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


WORDS = ("compile link object src main lib util test pass cache fetch node module define "
         "include build target static shared release debug step running checking").split()


def compiler(rng, seq, text):
    """One line in a thousand fails, one in fifty is coloured, one in ten has the word "tenth"."""
    kind = rng.random()
    if kind < 0.001:
        return f"src/x{seq}.c:{seq % 999}: error: no needle{seq} in {text}"
    if kind < 0.02:
        return f"\x1b[33mnote\x1b[0m: {text} \"{seq}\""
    return f"[{seq}] CC {'tenth/' if kind < 0.12 else ''}{text}.o"


def logger(rng, seq, text):
    level = rng.choices(("INFO", "DEBUG", "WARN", "ERROR"), (80, 15, 4, 1))[0]
    return f"2026-01-02 03:04:05.{seq % 1000:03} {level:5} [main] a.b.Main - {text} took {seq % 77} ms"


def coloured(rng, seq, text):
    kind = rng.random()
    if kind < 0.002:
        return f"\x1b[1m\x1b[31merror\x1b[0m\x1b[1m: cannot find {text}\x1b[0m"
    return (f"\x1b[0m\x1b[1m\x1b[32m   Compiling\x1b[0m {text} v0.{seq % 50}.1 "
            f"\x1b[36m(/src/{text.split()[0]})\x1b[0m")


def json_lines(rng, seq, text):
    level = rng.choices(("info", "debug", "warn", "error"), (80, 15, 4, 1))[0]
    return json.dumps({"level": level, "time": T0 + seq, "pid": 42, "msg": text,
                       "req": {"id": seq, "url": "/a/b"}})


def word_everywhere(rng, seq, text):
    """The words of levels in every line, as parts of options and names."""
    a = text.split()
    if rng.random() < 0.002:
        return f"src/{a[0]}.c:{seq % 999}:{seq % 80}: error: '{a[1]}' undeclared"
    return (f"gcc -Wall -Werror -Wno-error=format -O2 -fno-fatal-errors -c -o {a[0]}/errors.o "
            f"src/{a[0]}/{a[1]}_error.c # {text}")


SHAPES = (logger, coloured, json_lines, word_everywhere)


def write_log(path, size, shape=compiler, build=ID):
    """One line in ten came from stderr."""
    rng = random.Random(7)
    texts = [" ".join(rng.choices(WORDS, k=rng.randrange(4, 14))) for _ in range(20000)]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(json.dumps({"kind": "meta", "buildId": build, "startedAt": DAY + "T03:04:05.678Z",
                              "version": "0.1.0", "v": 1, "cmd": ["make"]},
                             separators=(",", ":")).encode() + b"\n")
        done, seq = 0, 0
        while done < size:
            block = []
            for text in texts[:max(1, min(20000, (size - done) // 150))]:
                seq += 1
                src = "stderr" if seq % 10 == 0 else "stdout"
                block.append(f'{{"kind":"line","ts":{T0 + seq // 10},"seq":{seq},"src":"{src}",'
                             f'"buildId":"{build}","msg":{json.dumps(shape(rng, seq, text))}}}\n')
            data = "".join(block).encode()
            out.write(data)
            done += len(data)
    return seq


def once(command, env):
    """Seconds, and seconds of processors. Into a file: of what goes to /dev/null grep looks for the
    first match only."""
    with tempfile.TemporaryFile() as sink:
        started = time.perf_counter()
        child = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=sink,
                                 stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: status {child.returncode}")
    return took, usage.ru_utime + usage.ru_stime


def best(rounds, command, env):
    runs = [once(command, env) for _ in range(rounds)]
    return min(took for took, _ in runs), min(cpu for _, cpu in runs)


class Bench:
    def __init__(self, options, top):
        self.rounds = options.rounds
        self.top = top
        self.grep_cpu = 0

    def store(self, name):
        root = os.path.join(self.top, name)
        return root, {**os.environ, "BUILDLOG_DIR": root, "LC_ALL": "C"}

    def one_log(self, name, size, shape):
        root, env = self.store(name)
        path = os.path.join(root, "builds", DAY, ID + ".log")
        last = write_log(path, size, shape)
        return path, env, os.path.getsize(path), last

    def grep(self, path, env, size, name="grep -cF, few hits"):
        took, self.grep_cpu = best(self.rounds, ["grep", "-cF", "needle77", path], env)
        print(f"{name:36} {took * 1000:8.0f} ms{size / took / 1e6:8.0f} MB/s", flush=True)
        return took

    def row(self, name, words, env, size, grep, goal=None):
        took, cpu = best(self.rounds, [BUILDLOG, "query", *words], env)
        ratio = took / grep
        goal_text = f"{goal:8.2f}{'  !' if ratio > goal else ''}" if goal else "       -"
        print(f"{name:36} {took * 1000:8.0f} ms{size / took / 1e6:8.0f} MB/s{ratio:8.2f} x grep"
              f", {cpu / self.grep_cpu:5.2f} x its processor time   goal{goal_text}", flush=True)


def large(bench, size):
    path, env, size, last = bench.one_log("large", size, compiler)
    middle = f"@{(T0 + last // 20) / 1000:.3f}"
    print(f"\none log of {size / 1e6:.0f} MB")
    grep = bench.grep(path, env, size)
    for name, goal, words in (
            ("-k, few hits", 1.2, ["-k", "needle77", "-c"]),
            ("-g with a literal", 1.5, ["-g", "needle77[0-9]+ in", "-c"]),
            ("-g with a literal, -i", 1.5, ["-g", "NEEDLE77[0-9]+ in", "-i", "-c"]),
            ("-g without a literal (100 MB/s)", size / 1e8 / grep, ["-g", "[xyz]{3}[0-9]", "-c"]),
            ("--src stderr", 1.5, ["--src", "stderr", "-c"]),
            ("-l error", 1.5, ["-l", "error", "-c"]),
            ("-l warn", 1.5, ["-l", "warn", "-c"]),
            ("half of the time", 1.5, ["--since", middle, "-c"]),
            ("one hit in ten, text (300 MB/s)", size / 3e8 / grep, ["-k", "tenth", "-o", "text"]),
            ("one hit in ten, jsonl", None, ["-k", "tenth", "-o", "jsonl"]),
            ("all of it, text", None, ["-o", "text"]),
            ("few hits, backwards", None, ["-k", "needle77", "-r", "-c"]),
            ("few hits with context", None, ["-k", "needle77", "-C", "3", "-o", "text"]),
            ("--fuzzy 1", None, ["-k", "neeedle77", "--fuzzy", "1", "-c"])):
        bench.row(name, ["last", *words], env, size, grep, goal)
    shutil.rmtree(bench.store("large")[0])


def levels(bench, size):
    """What a search by level costs depends on what the lines look like."""
    for shape in SHAPES:
        path, env, real, _ = bench.one_log("levels", size, shape)
        print(f"\n{shape.__name__}, {real / 1e6:.0f} MB")
        grep = bench.grep(path, env, real)
        for level in ("error", "warn"):
            bench.row(f"-l {level}", ["last", "-l", level, "-c"], env, real, grep, 1.5)
        shutil.rmtree(bench.store("levels")[0])


def many(bench, logs):
    """Small logs, of 200 kB each."""
    root, env = bench.store("many")
    for n in range(logs):
        build = ID[:20] + "".join("0123456789ABCDEFGHJK"[n // 20 ** k % 20] for k in (3, 2, 1, 0)) + "00"
        write_log(os.path.join(root, "builds", DAY, build + ".log"), 200_000, build=build)
    folder = os.path.join(root, "builds", DAY)
    size = sum(entry.stat().st_size for entry in os.scandir(folder))
    print(f"\n{logs} logs, {size / 1e6:.0f} MB")
    took, bench.grep_cpu = best(bench.rounds, ["grep", "-rcF", "needle77", folder], env)
    print(f"{'grep -rcF, few hits':36} {took * 1000:8.0f} ms{size / took / 1e6:8.0f} MB/s")
    for name, words in (("-k, few hits", ["-k", "needle77", "-c"]), ("-l error", ["-l", "error", "-c"]),
                        ("-g without a literal, none", ["-g", "[xyz]{3}[0-9]q", "-c"])):
        bench.row(name, words, env, size, took)
    shutil.rmtree(root)


def peers(bench, size):
    """Each its own way, byte for byte: they would take minutes on the large one."""
    path, env, size, _ = bench.one_log("peers", size, compiler)
    ours, _ = best(bench.rounds, [BUILDLOG, "query", "last", "-k", "needle77", "-c"], env)
    print(f"\npeers, {size / 1e6:.0f} MB\n{'-k, few hits':36} {ours * 1000:8.0f} ms"
          f"{size / ours / 1e6:8.0f} MB/s   goal 0.2 s for 100 MB")
    for goal, name, command in (
            (20, "jq", ["jq", "-c", 'select(.msg|tostring|contains("needle77"))', path]),
            (4, "lnav", ["lnav", "-n", "-c", ":filter-in needle77", path])):
        if not shutil.which(name):
            continue
        took, _ = best(1, command, {**env, "HOME": bench.top})
        print(f"{name:36} {took * 1000:8.0f} ms{size / took / 1e6:8.0f} MB/s{took / ours:8.0f} x ours"
              f"   goal{goal:8.0f}{'  !' if took / ours < goal else ''}", flush=True)
    shutil.rmtree(bench.store("peers")[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=400, metavar="MB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-size", type=int, default=100, metavar="MB")
    parser.add_argument("--logs", type=int, default=1000, metavar="N")
    options = parser.parse_args()
    top = tempfile.mkdtemp(prefix="buildlog-bench-")
    bench = Bench(options, top)
    try:
        large(bench, options.size * 1_000_000)
        levels(bench, options.size * 1_000_000 // 4)
        many(bench, options.logs)
        peers(bench, options.peer_size * 1_000_000)
    finally:
        shutil.rmtree(top)


main()
