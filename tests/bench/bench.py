#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Figures of `buildlog run` and `buildlog redact`, each a ratio against a named peer in one run on the same input.

    tests/bench/bench.py [--size MB] [--rounds N] [--logs FILE]
                         [--only throughput,redaction,filter,start,latency,order,memory]

--logs: real logs, to measure what redaction costs with them, too.

Peers that are not installed are left out and named. Nothing here is a test: machines are
shared and noisy, and a figure is a thing to look at.
"""
import argparse
import os
import random
import resource
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


# ---- inputs ----------------------------------------------------------------------------

def write_plain(path, size):
    """80-byte lines, numbered so that none repeats."""
    with open(path, "wb") as out:
        done = 0
        number = 0
        while done < size:
            block = b"".join(b"%08d %s\n" % (number + i, b"the quick brown fox jumps over the lazy "
                                             b"dog and compiles another f.c")
                             for i in range(10000))
            number += 10000
            out.write(block)
            done += len(block)


def write_ci(path, size):
    """What CI prints: timestamps, colours, progress with CR, compiler lines, UTF-8, quotes."""
    rng = random.Random(7)
    words = ["src/net/socket.c", "test_parse_header", "Downloading", "warning: unused variable",
             "[INFO]", "PASS", "ok", "node_modules/.bin/tsc", "--define", "-O2", "cache hit",
             "https://registry.example.org/pkg/-/pkg-1.2.3.tgz", "\"quoted\"", "C:\\build\\x",
             "caf\u00e9", "\u2713", "commit 3f2a9c1d7be04f5a", "0.034s", "{\"level\":30}"]
    shapes = [
        lambda: "2026-01-02T03:04:05.%07dZ " % rng.randrange(10**7) +
        " ".join(rng.choices(words, k=rng.randrange(3, 12))),
        lambda: "\x1b[32m%s\x1b[0m \x1b[1m%s\x1b[22m %s" % tuple(rng.choices(words, k=3)),
        lambda: "\r".join("%3d%% [%-20s]" % (p, "=" * (p // 5)) for p in range(0, 101, 20)),
        lambda: "gcc -Wall -O2 -c " + " ".join(rng.choices(words, k=6)),
        lambda: "    at %s (%s:%d:%d)" % (words[1], words[0], rng.randrange(999), rng.randrange(99)),
    ]
    block = "".join(rng.choice(shapes)() + "\n" for _ in range(60000)).encode()
    with open(path, "wb") as out:
        done = 0
        while done < size:
            out.write(block)
            done += len(block)


# ---- measuring -------------------------------------------------------------------------

def run_once(command):
    """(wall, cpu, peak KiB) of a shell command and all it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    child = subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    child.wait()
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def warm(work, mb):
    """Touches as much page cache as the largest output takes: on a virtual machine pages that
    were free for a while must be fetched from the host, and whoever comes first would pay."""
    subprocess.run(["sh", "-c", f"head -c {int(mb * 3)}MB /dev/zero >{work}/warm; rm {work}/warm"],
                   check=False)


def compare(work, name, peers, rounds, mb):
    """Every command once per round, in turn, so that drift hits all alike."""
    results = {peer: [] for peer, _, _ in peers}
    for _ in range(rounds + 1):
        for peer, command, clean in peers:
            warm(work, mb)
            results[peer].append(run_once(command))
            subprocess.run(["sh", "-c", clean], check=False)
    base_name = peers[0][0]
    print(f"\n{name} ({mb:.0f} MB, {rounds} rounds after a warm-up, medians)")
    print(f"  {'':24}{'wall s':>9}{'MB/s':>8}{'cpu s/GB':>10}{'wall ratio to ' + base_name:>24}")
    for peer, _, _ in peers:
        walls = [wall for wall, _ in results[peer][1:]]
        cpus = [cpu for _, cpu in results[peer][1:]]
        pairs = [mine / base for (mine, _), (base, _)
                 in zip(results[peer][1:], results[base_name][1:])]
        wall = statistics.median(walls)
        print(f"  {peer:24}{wall:9.3f}{mb / wall:8.0f}{statistics.median(cpus) / mb * 1000:10.2f}"
              f"{statistics.median(pairs):16.2f}  ({min(pairs):.2f}-{max(pairs):.2f})")


def have(program):
    return shutil.which(program) is not None


def conmon_command(work, source):
    """conmon wants an OCI runtime; this one just runs `cat` with the descriptors it is given."""
    runtime = os.path.join(work, "runtime")
    with open(runtime, "w", encoding="ascii") as out:
        out.write("#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in --pid-file) pid=$2; shift;; esac;"
                  f" shift; done\ncat {shlex.quote(source)} &\necho $! >\"$pid\"\n")
    os.chmod(runtime, 0o755)
    return (f"conmon --sync -c x -u x -r {runtime} -b {work} -p {work}/pid "
            f"-l k8s-file:{work}/conmon.log")


def log_peers(work, source):
    q = shlex.quote
    peers = []
    if have("s6-log"):
        peers.append(("s6-log t", f"cat {q(source)} | s6-log t n3 s99999999 {work}/s6", "rm -rf "
                      f"{work}/s6"))
    if have("multilog"):
        peers.append(("multilog t", f"cat {q(source)} | multilog t s16777215 n3 {work}/ml",
                      f"rm -rf {work}/ml"))
    if have("svlogd"):
        peers.append(("svlogd -tt", f"mkdir -p {work}/sv; cat {q(source)} | svlogd -tt {work}/sv",
                      f"rm -rf {work}/sv"))
    if have("conmon"):
        command = conmon_command(work, source)
        if subprocess.run(["sh", "-c", command], check=False, capture_output=True).returncode:
            print("conmon does not start here (it must be allowed to lower its oom_score_adj)")
        else:
            peers.append(("conmon k8s-file", command, f"rm -f {work}/conmon.log"))
    return peers


def missing_peers():
    names = [name for name in ("s6-log", "multilog", "svlogd", "conmon", "ts", "jq")
             if not have(name)]
    if names:
        print("not installed, so left out: " + ", ".join(names))


def slow_peers(work, source):
    q = shlex.quote
    peers = []
    if have("ts"):
        peers.append(("ts", f"cat {q(source)} | ts > {work}/ts", f"rm -f {work}/ts"))
    if have("jq"):
        peers.append(("jq -Rc", f"cat {q(source)} | jq -Rc . > {work}/jq", f"rm -f {work}/jq"))
    return peers


def throughput(work, size, rounds, baseline_binary):
    for name, writer in (("80-byte lines", write_plain), ("CI-like output", write_ci)):
        source = os.path.join(work, "input")
        writer(source, size)
        mb = os.path.getsize(source) / 1e6
        q = shlex.quote(source)
        log = f"{shlex.quote(BUILDLOG)} run --dir {work}/store --quiet"
        clean = f"rm -rf {work}/store"
        peers = [("tee", f"cat {q} | tee {work}/tee >/dev/null", f"rm -f {work}/tee"),
                 ("buildlog run", f"{log} -- cat {q} >/dev/null", clean),
                 ("buildlog run, | cat", f"{log} -- cat {q} | cat >/dev/null", clean),
                 ("buildlog --redact off", f"{log} --redact off -- cat {q} >/dev/null", clean)]
        if baseline_binary:
            peers.append(("baseline", f"{baseline_binary} run --dir {work}/store -- cat {q} "
                          ">/dev/null", clean))
        compare(work, f"throughput: {name}", peers + log_peers(work, source), rounds, mb)
        small = source + ".small"
        writer(small, size // 10)
        log_small = f"{log} -- cat {shlex.quote(small)} >/dev/null"
        compare(work, f"throughput against slow peers: {name}",
                [("buildlog run", log_small, clean)] + slow_peers(work, small),
                max(1, rounds // 2), os.path.getsize(small) / 1e6)


def redaction(work, size, rounds, logs):
    """What `run` takes longer with redaction than without."""
    made = os.path.join(work, "input")
    inputs = [("80-byte lines", write_plain, made), ("CI-like output", write_ci, made)]
    for name, writer, source in inputs + ([("real logs", None, logs)] if logs else []):
        if writer:
            writer(source, size)
        run = f"{shlex.quote(BUILDLOG)} run --dir {work}/store --quiet"
        command = f"-- cat {shlex.quote(source)} >/dev/null"
        clean = f"rm -rf {work}/store"
        compare(work, f"redaction: {name}",
                [("--redact off", f"{run} --redact off {command}", clean),
                 ("buildlog run", f"{run} {command}", clean)],
                rounds, os.path.getsize(source) / 1e6)


def filters(work, size, rounds):
    """The filter in a pipe, against one that looks at nothing."""
    for name, writer in (("80-byte lines", write_plain), ("CI-like output", write_ci)):
        source = os.path.join(work, "input")
        writer(source, size)
        q, bl = shlex.quote(source), shlex.quote(BUILDLOG)
        peers = [("cat | cat", f"cat {q} | cat >/dev/null", "true"),
                 ("cat | buildlog redact", f"cat {q} | {bl} redact >/dev/null", "true"),
                 ("buildlog redact FILE", f"{bl} redact {q} >/dev/null", "true"),
                 ("redact --check FILE", f"{bl} redact --check {q}", "true"),
                 ("redact --check --report", f"{bl} redact --check --report {q}", "true")]
        compare(work, f"filter: {name}", peers, rounds, os.path.getsize(source) / 1e6)


def start(work, count):
    """Alternating blocks of starts; a block's time over its length."""
    store = f"{work}/store"
    commands = {"env true": ["env", "true"],
                "buildlog run -- true": [BUILDLOG, "run", "--dir", store, "--", "true"]}
    times = {name: [] for name in commands}
    for _ in range(count):
        for name, argv in commands.items():
            began = time.perf_counter()
            pid = os.posix_spawnp(argv[0], argv, os.environ)
            os.waitpid(pid, 0)
            times[name].append(time.perf_counter() - began)
    base = statistics.median(times["env true"])
    print(f"\nstart-up ({count} starts each, in turn)")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"  {name:24}{median * 1e6:9.0f} us{median / base:8.2f} x env true"
              f"   (minimum {min(values) * 1e6:.0f} us)")


def latency(work, count):
    print(f"\nlatency from the command's write to the reader ({count} lines, 1 a millisecond)")
    commands = {
        "bare pipe": f"{LATENCY} emit {count} | {LATENCY} read",
        "tee": f"{LATENCY} emit {count} | tee {work}/tee | {LATENCY} read",
        "buildlog run": f"{BUILDLOG} run --dir {work}/store -- {LATENCY} emit {count} | "
                        f"{LATENCY} read",
    }
    base = None
    for name, command in commands.items():
        out = subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout.split()
        p50, p90, p99, most = (int(x) / 1000 for x in out)
        base = p50 if name == "tee" else base
        ratio = f"{p50 / base:6.2f} x tee" if base else ""
        print(f"  {name:24}p50 {p50:7.1f} us  p90 {p90:7.1f}  p99 {p99:7.1f}  max {most:8.1f}"
              f"  {ratio}")


def order(work, pairs):
    """One-line writes to stdout and stderr by turns: what a line costs, how many are misplaced."""
    store = f"{work}/order"
    base = None
    print(f"\norder: {pairs} pairs of one-line writes to stdout and stderr by turns")
    for mode in ("arrival", "exact", "merge"):
        shutil.rmtree(store, ignore_errors=True)
        wall, cpu = run_once(f"{BUILDLOG} run --dir {store} --order {mode} -- {EMIT} both {pairs}")
        told = subprocess.run([BUILDLOG, "query", "--dir", store, "-o", "text"], check=True,
                              capture_output=True, text=True).stdout.splitlines()
        want = (f"{src} {n}" for n in range(pairs) for src in ("out", "err"))
        misplaced = sum(not got.endswith(text) for got, text in zip(told, want))
        base = base or wall
        print(f"  {mode:10}{misplaced:8} of {len(told)} misplaced{wall / pairs / 2 * 1e6:8.2f} us a "
              f"line{wall / base:7.2f} x arrival{cpu:7.2f} s CPU")


def memory(work):
    """The command itself looks at its parent, which is buildlog, when all is through."""
    source = os.path.join(work, "plain")
    write_plain(source, 100 << 20)
    empty = os.path.join(work, "empty-lines")
    with open(empty, "wb") as out:
        out.write(b"\n" * (8 << 20))
    cases = {
        "one line": "echo",
        "100 MB of lines": f"cat {source}",
        "8 Mi empty lines": f"cat {empty}",
        "1 GiB without newline": "head -c 1G /dev/zero",
        "random bytes": "head -c 64M /dev/urandom",
    }
    print("\npeak memory of buildlog (resident)")
    for name, command in cases.items():
        shutil.rmtree(f"{work}/store", ignore_errors=True)
        look = f"{command}; sed -n 's/VmHWM: *//p' /proc/$PPID/status >{work}/peak"
        subprocess.run([BUILDLOG, "run", "--dir", f"{work}/store", "--", "sh", "-c", look],
                       stdout=subprocess.DEVNULL, check=True)
        with open(f"{work}/peak", encoding="ascii") as peak:
            print(f"  {name:24}{int(peak.read().split()[0]) / 1024:8.1f} MiB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=500, help="MB of input")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="throughput,redaction,filter,start,latency,order,memory")
    parser.add_argument("--logs", help="real logs")
    parser.add_argument("--baseline", help="another buildlog binary to compare with")
    args = parser.parse_args()
    only = args.only.split(",")
    for name in ("BUILDLOG_ID", "BUILDLOG_DIR"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="buildlog-bench-") as work:
        if "throughput" in only:
            missing_peers()
            throughput(work, args.size * 1000 * 1000, args.rounds, args.baseline)
        if "redaction" in only:
            redaction(work, args.size * 1000 * 1000, args.rounds, args.logs)
        if "filter" in only:
            filters(work, args.size * 1000 * 1000, args.rounds)
        if "start" in only:
            start(work, 1000)
        if "latency" in only:
            latency(work, 2000)
        if "order" in only:
            order(work, 100_000)
        if "memory" in only:
            memory(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
