#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog tail: how much of the past is shown. --bytes and -n against the end of the whole
output, --after-seq and query together the whole log, plain and compressed, at any size within
32 MiB."""
import gzip
import json
import os
import resource
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import BUILDLOG, Records, Store, Tap, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678
MEMORY = 32 << 20
HISTORY_RING_MAX = 4 << 20  # src/read/history.h
SANITIZED = b"__asan_init" in open(BUILDLOG, "rb").read()


def sample(build):
    r = Records(build, T0)
    data = r.start()
    for n in range(1, 30):
        data += r.line(f"line {n} " + "\u00e9" * (n % 4), "stderr" if n % 3 == 0 else "stdout")
        if n % 7 == 0:
            data += r.gap(3, 2)
        if n % 10 == 0:
            data += r.end("failed", exitCode=1) + r.start(attempt=n // 10 + 1)
        if n == 15:
            data += r.event("orphan", pid=7) + b"damaged\n"
    return data + r.end(), r.seq


def put_both(store, data):
    """The same log plain and compressed; the ids."""
    plain, packed = ulid(T0), ulid(T0 + 1)
    store.put(plain, data)
    store.put(packed, gzip.compress(data), ".log.gz")
    return plain, packed


def last_bytes(store):
    """Whole lines from the end, no more than the bytes asked for; raw is cut at the byte."""
    data, _ = sample(ulid(T0))
    wrong = []
    for build in put_both(store, data):
        for form in ("pretty", "raw", "jsonl"):
            whole = store.run("tail", build, "-n", "+1", "-o", form).stdout
            records = whole.splitlines(True)
            for size in [*range(0, 60), 100, 333, 1000, len(whole) - 1, len(whole),
                         len(whole) + 1, 10 ** 9]:
                got = store.run("tail", build, "--bytes", str(size), "-o", form).stdout
                if form == "raw":
                    want = whole[-size:] if size else b""
                else:
                    want = b""
                    for record in reversed(records):
                        if len(record) + len(want) > size:
                            break
                        want = record + want
                    # An attempt is not shown without something of it.
                    while want.startswith(b"-- attempt"):
                        want = want.partition(b"\n")[2]
                if got != want:
                    wrong.append((build, form, size, got, want))
    t.equal(wrong, [], "--bytes gives the end of the output")
    t.equal(store.run("tail", ulid(T0), "--bytes", "1k", "-n", "2", "-o", "raw").stdout,
            "line 28 \nline 29 \u00e9\n".encode(), "--bytes and -n: both hold")
    t.equal(store.run("tail", ulid(T0 + 1), "--bytes", "5", "-n", "2", "-o", "raw").stdout,
            "29 \u00e9\n".encode()[-5:], "the other way round")


def after_seq(store):
    """What comes after a number, and query up to it, are the whole log; so are two tails."""
    data, last = sample(ulid(T0))
    wrong = []
    for build in put_both(store, data):
        whole = store.run("query", build, "-o", "jsonl").stdout.splitlines(True)
        pretty = store.run("tail", build, "-n", "+1").stdout
        for n in range(last + 3):
            head = b"".join(line for line in whole if json.loads(line)["seq"] <= n)
            rest = store.run("tail", build, "--after-seq", str(n), "-o", "jsonl").stdout
            if head + rest != b"".join(whole):
                wrong.append(("jsonl", build, n))
            rest = store.run("tail", build, "--after-seq", str(n)).stdout
            count = sum(json.loads(line)["seq"] > n for line in whole)
            tail = store.run("tail", build, "-n", str(count)).stdout
            # The attempt that begins behind n is told.
            if not pretty.endswith(rest) or not rest.endswith(tail) or \
                    len(rest.splitlines()) - len(tail.splitlines()) > 1:
                wrong.append(("pretty", build, n, rest, tail))
            rest = store.run("tail", build, "--after-seq", str(n), "-n", "3", "-o", "jsonl").stdout
            want = [line for line in whole if json.loads(line)["seq"] > n][-3:]
            if rest != b"".join(want):
                wrong.append(("-n 3", build, n))
            rest = store.run("tail", build, "--after-seq", str(n), "-n", "+3", "-o", "jsonl").stdout
            want = [line for line in whole if json.loads(line)["seq"] > n][2:]
            if rest != b"".join(want):
                wrong.append(("-n +3", build, n))
    t.equal(wrong, [], f"--after-seq n and query up to n are the whole log, n from 0 to {last + 2}")


def rings(store):
    """Around the place where what a compressed log shows no longer fits into the ring."""
    build = ulid(T0)
    r = Records(build, T0)
    size = 100_000
    count = 3 * HISTORY_RING_MAX // size
    data = r.start() + b"".join(r.line(f"{n:05} " + "x" * size) for n in range(count))
    data += r.line("short") + r.end("failed", exitCode=6)
    store.put(build, gzip.compress(data, 1), ".log.gz")
    fit = HISTORY_RING_MAX // size
    wrong = []
    for n in (1, 2, fit - 2, fit - 1, fit, fit + 1, fit + 2, count - 1, count, count + 1,
              count + 2, 10 ** 12):
        got = store.run("tail", "-n", str(n), "-o", "raw", "--exit-status")
        want = [f"{i:05} " + "x" * size for i in range(count)] + ["short"]
        if got.stdout.decode().splitlines() != want[-n:] or got.returncode != 6:
            wrong.append(n)
    t.equal(wrong, [], "-n around the size of the ring")
    whole = "".join(f"{i:05} " + "x" * size + "\n" for i in range(count)) + "short\n"
    wrong = [n for n in (3, HISTORY_RING_MAX - 9, HISTORY_RING_MAX, HISTORY_RING_MAX + 100_123)
             if store.run("tail", "--bytes", str(n), "-o", "raw").stdout.decode() != whole[-n:]]
    t.equal(wrong, [], "--bytes around it")
    huge = r.start() + r.line("a") + r.line("y" * (HISTORY_RING_MAX + 5)) + r.line("b") + r.end()
    store.put(build, gzip.compress(huge, 1), ".log.gz")
    for n, want in (("1", "b"), ("2", "y" * (HISTORY_RING_MAX + 5) + "\nb")):
        t.ok(store.run("tail", "-n", n, "-o", "raw").stdout.decode() == want + "\n",
             f"-n {n} with a line larger than the ring")


def damage_before(store):
    """Only what was left out of what is shown is told, plain or compressed."""
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + b"broken\n" + r.line("one") + b"broken\n" + r.line("two") + b"broken\n" \
        + r.line("three") + r.end()
    for build in put_both(store, data):
        for n, count in (("1", 0), ("2", 1), ("+3", 3), ("+1", 3)):
            err = store.run("tail", build, "-n", n).stderr.decode()
            told = f"{count} damaged line" in err if count else "damaged" not in err
            if n != "+3":
                t.ok(told, f"-n {n}: {count} damaged lines are told", err)
        err = store.run("tail", build, "--after-seq", "1").stderr.decode()
        t.ok("2 damaged lines" in err, "--after-seq 1: two of them", err)


def big_log(path, packed, megabytes):
    """A valid log of that size without much work: one block, its numbers replaced."""
    build = ulid(T0)
    r = Records(build, T0)
    write = zlib.compressobj(1, wbits=31) if packed else None
    with open(path, "wb") as file:
        def put(data):
            file.write(write.compress(data) if packed else data)
        put(r.start())
        seq = 0
        for _ in range(megabytes):
            block = []
            for _ in range(8000):
                seq += 1
                block.append(f'{{"kind":"line","ts":{T0},"seq":{seq},"src":"stdout","buildId":'
                             f'"{build}","msg":"compile and link object number {seq:09}"}}\n')
            put("".join(block).encode())
        r.seq = seq
        put(r.end())
        if packed:
            file.write(write.flush())
    return seq


def limit():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def bounded(store, *words):
    """Exit status, first line, number of lines and stderr of tail within MEMORY of data."""
    with open(os.path.join(store.top, "out"), "wb+") as out:
        got = subprocess.run([BUILDLOG, "tail", *words], env=store.env(), stdout=out,
                             stderr=subprocess.PIPE, check=False, timeout=120,
                             preexec_fn=None if SANITIZED else limit)
        out.seek(0)
        first, lines = out.readline(), 1
        for piece in iter(lambda: out.read(1 << 20), b""):
            lines += piece.count(b"\n")
    return got.returncode, first[:100], lines if first else 0, got.stderr


def memory(store):
    build = ulid(T0)
    path = store.put(build, b"")
    for packed in (False, True):
        os.unlink(path)
        path = store.path(build, ".log.gz" if packed else ".log")
        last = big_log(path, packed, 40)
        for words, lines in ((["-n", "250000"], 250_000), (["--bytes", "1G"], last),
                             (["--bytes", "10M", "-o", "raw"], 255_751),
                             (["-n", "250000", "-o", "jsonl"], 250_000),
                             (["-n", "100000", "-g", "number 0*[13579]"], 100_000),
                             (["--after-seq", "10"], last - 10), (["-l", "error"], 0)):
            status, first, count, err = bounded(store, *words)
            t.ok(status == 0 and count == lines and b"left out" not in err,
                 f"{'compressed' if packed else 'plain'}, {' '.join(words)}: within 32 MiB",
                 (first, count, status, err[:300]))


def hostile_memory(store):
    """Records at the ceiling, asked about, weighed and shown one after the other."""
    r = Records(ulid(T0), T0)
    ceiling = (8 << 20) - 300
    records = [r.line("x" * ceiling, "stderr"), r.line("\x01" * (ceiling // 6)),
               r.line("error: " + "y" * (ceiling - 20000), a=[{}] * 5000),
               r.event("e", msg="z" * (ceiling - 100)), r.line("last")]
    for build in put_both(store, r.start() + b"".join(records) + r.end()):
        for words, lines in ((["-n", "9"], 5), (["-n", "9", "-g", "[x-z]"], 3),
                             (["-n", "9", "-l", "error"], 1), (["--bytes", "1G"], 5),
                             (["--bytes", "1G", "-g", "[x-z]", "-o", "jsonl"], 3),
                             (["--bytes", "20M", "-o", "raw"], 4)):
            status, _, count, err = bounded(store, build, *words)
            t.ok(status == 0 and count == lines and b"left out" not in err,
                 f"records of 8 MiB, {' '.join(words)}: within 32 MiB",
                 (status, count, err[:300]))


def too_little(store):
    """With less it says so, whether the record at hand is to be counted, weighed or shown."""
    r = Records(ulid(T0), T0)
    size = 7 << 20
    told = []
    for build in put_both(store, r.start() + r.line("x" * size + "needle") + r.end()):
        for words in (["-n", "1"], ["-g", "needle"], ["--bytes", "1G"], ["-n", "+2"]):
            for megabytes in range(4, 26, 3):
                got = subprocess.run(
                    [BUILDLOG, "tail", build, "-o", "raw", *words], env=store.env(),
                    capture_output=True, check=False, preexec_fn=lambda: resource.setrlimit(
                        resource.RLIMIT_DATA, (megabytes << 20, megabytes << 20)))
                whole = got.returncode == 0 and (len(got.stdout) > size or "+2" in words)
                refused = got.returncode == 2 and b"memory" in got.stderr
                if not whole and not refused:
                    told.append((build, words, megabytes, got.returncode, len(got.stdout),
                                 got.stderr))
    t.equal(told, [], "too little memory is told, nothing is left out in silence")


for case in (last_bytes, after_seq, rings, damage_before, memory, hostile_memory,
             *([] if SANITIZED else [too_little])):
    with Store() as fresh:
        case(fresh)
t.done()
