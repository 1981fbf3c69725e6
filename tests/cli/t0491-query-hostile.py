#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog query and logs that are torn, damaged, forged, compressed, written to meanwhile: every
sound record is found, whatever stands beside it, and what is left out is told."""
import gzip
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Records, Store, Tap, Writer, encode, ulid  # noqa: E402

t = Tap()
T0 = 1_767_323_045_678
WAYS = (["-k", "line"], ["-g", "l[i]ne"], ["--src", "stdout"], ["-k", "line", "-C", "1"], ["-r"],
        ["-k", "line", "-r"])


def seqs(store, *words):
    done = store.run("query", *words, "-o", "jsonl")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return [r["seq"] for r in records], done


def torn(store):
    build = ulid(T0, "A")
    r = Records(build, T0)
    data = r.start() + b"".join(r.line(f"line {n}") for n in range(1, 7)) + r.end()
    whole = [i for i, c in enumerate(data) if c == 10]
    bad = []
    for cut in range(0, len(data) + 1, 7):
        store.put(build, data[:cut])
        want = list(range(1, min(6, max(0, sum(1 for i in whole if i < cut) - 1)) + 1))
        way = WAYS[cut % len(WAYS)]
        got, done = seqs(store, build, *way)
        got = got[::-1] if "-r" in way else got
        if got != want or done.returncode != (0 if want else 1):
            bad.append((cut, way, got, want, done.stderr))
    t.equal(bad, [], "a log that ends at any byte")
    store.put(build, data[:whole[2] + 40])
    _, done = seqs(store, build, "-k", "line")
    t.equal(done.stderr, b"buildlog query: build " + build.encode() +
            b": left out: 39 bytes of an unfinished record\n", "and what is left out is told")
    t.equal(seqs(store, build, "-k", "line", "-r")[1].stderr, done.stderr, "backwards, too")
    os.unlink(store.path(build))
    writer = Writer(store, build)
    writer.write(data[:whole[2] + 40])
    _, done = seqs(store, build, "-k", "line")
    t.equal((done.returncode, done.stderr), (0, b""), "but not of a build that runs")
    writer.close()
    os.unlink(store.path(build))


def flipped(store):
    rng = random.Random(3)
    build = ulid(T0, "B")
    r = Records(build, T0)
    lines = [r.line(f"line {n} of the log") for n in range(1, 41)]
    start = r.start()
    bad = []
    for i in range(60):
        broken = sorted(rng.sample(range(40), 3))
        data = list(lines)
        for n in broken:
            line = bytearray(data[n])
            line[rng.randrange(len(line) - 1)] ^= 1 << rng.randrange(8)
            data[n] = bytes(line)
        store.put(build, start + b"".join(data) + r.end())
        got, done = seqs(store, build, *WAYS[i % len(WAYS)])
        sound = {n + 1 for n in range(40)} - {n + 1 for n in broken}
        if not sound <= set(got) or done.returncode != 0:
            bad.append((broken, got, done.stderr))
    t.equal(bad, [], "flipped bits cost no other record")
    os.unlink(store.path(build))


def forged(store):
    build = ulid(T0, "C")
    r = Records(build, T0)
    deep = b'{"kind":"line","ts":1,"seq":2,"src":"stdout","x":' + b"[" * 5000 + b"]" * 5000 + \
        b',"msg":"line"}\n'
    many = b'{"kind":"line","ts":1,"seq":2,"src":"stdout","x":[' + b"[]," * 200000 + \
        b'[]],"msg":"line"}\n'
    odd = [deep, many, b"\n", b"{}\n", b"[]\n", b"line\n", b"{line}\n", b"\0\n",
           b'{"kind":"line","ts":1e999,"seq":1,"src":"stdout","msg":"line"}\n',
           b'{"kind":"line","ts":1,"seq":99999999999999999999,"src":"stdout","msg":"line"}\n',
           b'{"kind":"line","ts":-5,"seq":1,"src":"stdout","msg":"line"}\n',
           b'{"kind":"line","ts":1,"seq":1,"src":"stdout","msg":"line \xff\xfe"}\n',
           b'{"kind":"line","ts":1,"seq":1,"src":"stdout","msg":"line \\ud800"}\n',
           b'{"kind":"line","ts":1,"seq":1,"src":"stdout","msg":"line","x":tru}\n',
           b'{"kind":"line","ts":1,"seq":1,"src":"stdout","msg":"line"} trailing}\n']
    data = r.start() + r.line("line 1")
    data += b"".join(odd) + r.line("line 2") + r.end()
    store.put(build, data)
    for way in WAYS:
        got, done = seqs(store, build, *way)
        t.ok(set(got) == {1, 2} and len(got) == 2 and done.returncode == 0,
             f"what is no record is not shown: {way}", (got, done.stderr))
        t.ok(b"damaged line" in done.stderr or "-r" in way or way == ["-r"], "and told", done.stderr)
    r = Records(build, T0)
    spelled = [
        b'{"seq":1,"ts":5,"kind":"line","src":"stdout","msg":"an\\u0020error"}\n',
        b'{ "kind": "line", "ts": 5, "seq": 2, "src": "stderr", "msg": "\\u0061n error" }\n',
        b'{"kind":"line","ts":5,"seq":3,"src":"std\\u006fut","msg":"an error","msg":"other"}\n',
        b'{"kind":"line","ts":5,"seq":4,"src":"stdout","msg":"no","x":{"msg":"an error"}}\n',
        b'{"kind":"line","ts":5,"seq":5,"src":"stdout","msg":"an error\\u0000, cut"}\n',
        b'{"kind":"line","ts":5,"seq":6,"src":"stdout","m\\u0073g":"an error"}\n',
        b'{"kind":"new","ts":5,"seq":7,"msg":"an error"}\n']
    store.put(build, r.start() + b"".join(spelled))
    t.equal(seqs(store, build, "-k", "an error")[0], [1, 2, 3, 5, 6], "any spelling of JSON")
    t.equal(seqs(store, build, "-k", "an error", "--src", "stdout")[0], [1, 3, 5, 6], "of keys, too")
    t.equal(seqs(store, build, "-k", "error\0, cut"[:5])[0], [1, 2, 3, 5, 6], "text behind a NUL")
    t.equal(seqs(store, build, "-g", "cut$")[0], [5], "is text")
    os.unlink(store.path(build))


def large(store):
    build = ulid(T0, "D")
    r = Records(build, T0)
    data = r.start()
    for n in range(12):
        data += r.line("x" * 300_000 + f" line {n}") + r.line(f"short {n}")
    data += b'{"kind":"line","msg":"' + b"line " * 2_000_000 + b'"}\n'
    data += r.line("line after") + r.end()
    store.put(build, data)
    for way in (["-k", "line"], ["-k", "line", "-r"], ["-g", "l[i]ne"]):
        got, done = seqs(store, build, *way)
        got = got[::-1] if "-r" in way else got
        t.ok(got == [*range(1, 24, 2), 25], f"long lines: {way}", (got, done.stderr))
    got, _ = seqs(store, build, "-k", "line 5", "-C", "1")
    t.equal(got, [10, 11, 12], "with context")
    text = store.run("query", build, "-k", "line after", "-o", "text").stdout
    t.equal(text, b"line after\n", "behind a line over the ceiling")
    os.unlink(store.path(build))


def compressed(store):
    build = ulid(T0, "E")
    r = Records(build, T0)
    data = r.start() + b"".join(r.line(f"line {n} " + "y" * 900) for n in range(1, 30_001)) + r.end()
    store.put(build, gzip.compress(data, 1), ".log.gz")
    plain = ulid(T0 + 1, "F")
    store.put(plain, data)
    for words in (["-k", "line 1234"], ["-k", "line 777", "-C", "2"], ["-g", "line [0-9]7 ", "-r"],
                  ["-k", "line 29", "-r", "-C", "1"], ["-r"], ["-r", "--limit", "5"],
                  ["-k", "line 9", "-r", "--limit", "3", "-B", "2", "-A", "1"], ["-c"]):
        one, other = store.run("query", build, *words, "-o", "text"), \
            store.run("query", plain, *words, "-o", "text")
        t.ok(one.stdout == other.stdout and one.returncode == other.returncode == 0,
             f"compressed or not: {words}", (len(one.stdout), len(other.stdout), one.stderr))
    store.put(build, gzip.compress(data, 1)[:-2000], ".log.gz")
    done = store.run("query", build, "-c")
    t.ok(done.returncode == 0 and 29_000 < int(done.stdout) < 30_000 and
         b"what follows a damaged place in the compressed file" in done.stderr,
         "as far as it is whole", done)
    os.unlink(store.path(build, ".log.gz"))
    os.unlink(store.path(plain))


def shown(store):
    build = ulid(T0, "G")
    r = Records(build, T0)
    data = r.start() + r.line("::error file=x::boo") + r.line("  ##[error]boo") + \
        r.line("a\x1b]0;title\x07b\rc\u202ed") + r.line("one\n::set-output name=x::y") + \
        r.line("\x1b[31m::warning::z") + r.line(" " * 70_000 + "::error::far")
    data += r.event("\x1b[2J", text="\x1b[2J") + r.end()
    store.put(build, data)
    out = store.run("query", build, "-o", "text", GITHUB_ACTIONS="true").stdout
    t.equal([line for line in out.split(b"\n") if line.lstrip().startswith((b"::", b"##["))], [],
            "nothing that a runner would obey")
    t.ok(b"\n" + b" " * 70_000 + b"\\::error::far\n" in out, "however far away it is", out[:500])
    t.ok(b"\\::error file=x::boo\n" in out and b"one^J::set-output" in out, "but shown", out)
    for form in ("text", "table", "summary"):
        out = store.run("query", build, "-o", form).stdout
        t.ok(not any(c < 32 and c != 10 for c in out) and "\u202e".encode() not in out,
             f"harmless: {form}", out)
    out, _ = store.on_terminal("query", build, "-o", "jsonl", NO_COLOR="1", PAGER="")
    t.ok(b"\x1b" not in out and "\u202e".encode() not in out, "JSON on a terminal", out)
    newer = ulid(T0, "H")
    r = Records(newer, T0)
    store.put(newer, r.start(v=9) + encode({"kind": "odd", "ts": 1, "seq": 1}) + r.line("a line"))
    done = store.run("query", newer, "-k", "line")
    t.ok(done.returncode == 0 and b"a newer version of the format" in done.stderr, "newer", done)


def planted(store):
    build = ulid(T0 + 5, "K")
    path = store.path(build)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink("/etc/passwd", path)
    done = store.run("query", "-k", "line after all")
    t.ok(done.returncode == 2 and b"symlink" in done.stderr.lower() or b"symbolic" in done.stderr,
         "a symlink is no log", done)
    os.unlink(path)


def stretched(store):
    """A log that several threads read, its lines of any length over the seams."""
    rng = random.Random(11)
    build = ulid(T0 + 9, "T")
    r = Records(build, T0)
    data, want = [r.start()], []
    for n in range(1, 901):
        size = 1_600_000 if n in (150, 600) else rng.choice((0, 5, 80, 3000, 60_000))
        hit = rng.random() < 0.2
        data.append(r.line(rng.choice("ab") * size + (" hit" if hit else "")))
        want += [n] if hit else []
    store.put(build, b"".join(data) + b"{broken hit}\n" + r.end())
    got, done = seqs(store, build, "-k", "hit")
    t.ok(got == want and done.stderr.endswith(b"left out: 1 damaged line\n"), "all of it, in order",
         done.stderr)
    t.equal(seqs(store, build, "-k", "hit", "--limit", "7")[0], want[:7], "the first ones")
    t.equal(seqs(store, build, "-g", "h[i]t$", "-r")[0], want[::-1], "backwards")
    t.equal(store.run("query", build, "-g", "[h]it$", "-c").stdout, b"%d\n" % len(want), "counted")
    broken = [fault for n in (1, 2, 4, 9) if (fault := faulty(store, build, n))]
    t.equal(broken, [], "an error while reading is told")
    os.unlink(store.path(build))


def faulty(store, build, number):
    """None if the N-th read that fails is told as it should."""
    binary = os.path.join(os.environ.get("BUILD", "build"), "buildlog-fault")
    done = subprocess.run([binary, "query", build, "-k", "hit", "-o", "jsonl"],
                          env=store.env(BUILDLOG_FAULT=f"pread:{number}:EIO:persist"),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    path = os.path.relpath(store.path(build), store.root)
    want = f"buildlog query: cannot read '{path}': Input/output error\n".encode()
    return None if (done.returncode, done.stderr) == (2, want) else (number, done.stderr)


with Store() as the_store:
    stretched(the_store)
    torn(the_store)
    flipped(the_store)
    forged(the_store)
    large(the_store)
    compressed(the_store)
    shown(the_store)
    planted(the_store)
t.done()
