#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog tail without -f: what of a log is shown, sound or not, and how."""
import base64
import gzip
import json
import os
import resource
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import BUILDLOG, Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678  # 2026-01-02


def which_lines(store):
    build = store.finished(T0, [f"line {n}" for n in range(1, 31)])
    out = store.run("tail").stdout.decode()
    t.equal(out, "".join(f"line {n}\n" for n in range(11, 31)), "the last 20 lines by default")
    for n, first in (("0", 31), ("1", 30), ("5", 26), ("30", 1), ("99", 1), ("-3", 28),
                     ("+1", 1), ("+30", 30), ("+31", 31), ("+0", 1)):
        out = store.run("tail", "-n", n, build).stdout.decode()
        want = "".join(f"line {i}\n" for i in range(first, 31))
        t.equal(out, want, f"-n {n}")
    for bad in ("x", "1x", "+", "-", "++1", "1.5", "99999999999999999999"):
        got = store.run("tail", "-n", bad)
        t.ok(got.returncode == 2 and got.stdout == b"" and got.stderr.count(b"\n") == 1,
             f"-n '{bad}' is refused in one line", got)
    err = store.run("tail").stderr.decode()
    t.equal(err, f"buildlog tail: build {build}: ok, 1.5s, 30 lines\n", "the end state on stderr")


def sources(store):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + r.line("out 1") + r.line("err 1", "stderr") + r.event("orphan", pid=7)
    data += r.gap(13, 12) + r.line("out 2") + r.gap(1, 0, "log_replaced") + r.line("err 2", "stderr")
    store.put(build, data + r.end("failed", exitCode=2))
    got = store.run("tail")
    t.equal(got.stdout.decode(), "out 1\n! err 1\n-- orphan pid=7\n"
            "… 12 lines missing (log_unwritable) …\nout 2\n"
            "… 1 record missing (log_replaced) …\n! err 2\n", "pretty")
    t.ok(b"failed (exit 2)" in got.stderr, "failed with its status", got.stderr)
    t.equal(store.run("tail", "--src", "stderr", "-n", "1").stdout.decode(), "! err 2\n",
            "--src and -n count the same lines")
    got = store.run("tail", "--src", "stdout")
    t.equal(got.stdout, b"out 1\nout 2\n", "--src: lines of that stream alone")
    t.ok(b"not shown: 2 gaps, where 12 lines could not be recorded" in got.stderr,
         "gaps that are hidden are told of", got.stderr)
    got = store.run("tail", "-o", "raw")
    t.equal(got.stdout, b"out 1\nerr 1\nout 2\nerr 2\n", "raw")
    t.ok(b"not shown: 2 gaps, where 12 lines" in got.stderr, "with raw, too", got.stderr)
    lines = store.run("tail", "-o", "jsonl").stdout
    t.equal(lines, b"".join(data.splitlines(True)[1:]), "jsonl: the records as they stand")
    t.ok(b"failed" not in store.run("tail", "-o", "raw").stderr, "no end state beside raw")


def raw_bytes(store):
    build = ulid(T0)
    r = Records(build, T0)
    bad = b"a\xffb\x00c"
    data = r.start() + r.line("a\ufffdb\x00c", bad=1, raw=base64.b64encode(bad).decode())
    data += r.line("nul \x00 and \x1b[31mred\x1b[0m \u0085 \U0001f600") + r.line("")
    data += r.line("first ", cont=True) + r.line("second") + r.line("no newline", partial=True)
    store.put(build, data + r.end())
    want = bad + b"\nnul \x00 and \x1b[31mred\x1b[0m \xc2\x85 \xf0\x9f\x98\x80\n\n" \
        b"first second\nno newline"
    t.equal(store.run("tail", "-o", "raw").stdout, want, "raw gives the exact bytes")
    want = "a\ufffdb^@c\nnul ^@ and red <U+0085> \U0001f600\n\nfirst \nsecond\nno newline\n"
    t.equal(store.run("tail").stdout.decode(), want, "pretty makes them harmless")
    # Another writer's spelling: other key order, spaces, escapes; a NUL does not end the text.
    spelled = b'{ "msg" : "\\u0061\\u0000\\ud83d\\ude00z", "src":"stdout", "seq": 1, "ts": 5, ' \
        b'"kind":"line" , "x":{"msg":"no"}}\n'
    store.put(build, r.start() + spelled)
    t.equal(store.run("tail", "-o", "raw").stdout, b"a\x00\xf0\x9f\x98\x80z\n", "any spelling")
    store.put(build, r.start() + Records(build, T0).line(None, len=80))
    t.equal(store.run("tail").stdout, b"(80 bytes)\n", "a line recorded without payload")
    t.equal(store.run("tail", "-o", "raw").stdout, b"", "raw of a line without payload")


def terminal(store):
    store.finished(T0, ["\x1b[32mgreen\x1b[0m \x1b[2J\x1b]0;x\x07\r \u202eabc \u009b2J"])
    out, _ = store.on_terminal("tail")
    t.equal(out.decode(), "\x1b[32mgreen\x1b[0m ^[[2J^[]0;x^G^M <U+202E>abc <U+009B>2J\x1b[0m\n",
            "colours pass on a terminal, nothing else does")
    out, _ = store.on_terminal("tail", NO_COLOR="1")
    t.equal(out.decode(), "green ^[[2J^[]0;x^G^M <U+202E>abc <U+009B>2J\n", "NO_COLOR")
    out, _ = store.on_terminal("tail", TERM="dumb")
    t.ok(b"\x1b" not in out, "TERM=dumb", out)
    out, _ = store.on_terminal("tail", "-o", "raw")
    t.ok(b"\x1b[2J" not in out and b"\xc2\x9b" not in out, "raw is harmless on a terminal", out)
    out, _ = store.on_terminal("tail", "-o", "jsonl")
    t.ok(b"\x1b" not in out and b"\xc2\x9b" not in out and b"\xe2\x80\xae" not in out,
         "jsonl is harmless on a terminal", out)
    t.ok(json.loads(out)["msg"].endswith("\u009b2J"), "and the same JSON", out)


def unsound(store):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + r.line("one")
    foreign = b'{"kind":"span","seq":99,"ts":1}\n'
    data += foreign + b"no json\n" + b"\n" + b"[1,2]\n" + b'{"kind":"line"\n' + r.line("two")
    r.seq += 5
    data += r.line("eight") + b'{"kind":"line","ts":1,"se'
    store.put(build, data)
    got = store.run("tail", "-n", "+1")
    t.equal(got.stdout, b"one\ntwo\neight\n", "what is sound is shown")
    err = got.stderr.decode()
    for part in ("4 damaged lines", "1 record of an unknown kind", "1 break in the numbering",
                 "25 bytes of an unfinished record", "lost"):
        t.ok(part in err, f"and told: {part}", err)
    store.put(build, r.start(v=2) + Records(build, T0).line("x", future=[1]) + r.end())
    got = store.run("tail", "-n", "+1")
    t.ok(got.stdout == b"x\n" and b"newer version" in got.stderr, "a newer version", got)


def every_cut(store):
    build = ulid(T0)
    r = Records(build, T0)
    records = [r.start(), r.line("one"), r.line("two", "stderr"), r.gap(2, 2), r.line("z\u00e9"),
               r.end()]
    shown = ["", "one\n", "! two\n", "… 2 lines missing (log_unwritable) …\n", "z\u00e9\n", ""]
    data = b"".join(records)
    wrong = []
    for cut in range(len(data) + 1):
        store.put(build, data[:cut])
        got = store.run("tail", "--exit-status")
        whole, at = 0, 0
        for record in records:
            at += len(record)
            whole += at <= cut
        status = 0 if cut == len(data) else 125
        # An empty log that was made this moment is one whose writer has not locked it yet.
        if got.stdout.decode() != "".join(shown[:whole]) or got.returncode != status:
            wrong.append((cut, got))
    t.equal(wrong, [], f"a log cut at each of {len(data) + 1} bytes shows its whole records")


def bit_flips(store):
    build = store.finished(T0, ["alpha", "beta", "gamma"])
    with open(store.path(build), "rb") as file:
        data = file.read()
    wrong = []
    for at in range(0, len(data), 3):
        store.put(build, data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1:])
        got = store.run("tail", "-n", "+1")
        if got.returncode != 0 or b"Sanitizer" in got.stderr:
            wrong.append((at, got))
        seen = sum(word in got.stdout for word in (b"alpha", b"beta", b"gamma"))
        if seen < 1:
            wrong.append((at, got))
    t.equal(wrong, [], "one flipped bit costs one record, and at most its neighbour")


def long_lines(store):
    build = ulid(T0)
    r = Records(build, T0)
    long = "x" * 300000
    data = r.start() + r.line("a") + r.line(long) + r.line("\x01" * 300000) + r.line("b")
    store.put(build, data + r.end())
    t.equal(store.run("tail", "-o", "raw").stdout,
            b"a\n" + long.encode() + b"\n" + b"\x01" * 300000 + b"\nb\n", "lines of 300,000 bytes")
    t.equal(store.run("tail", "-n", "2", "-o", "raw").stdout, b"\x01" * 300000 + b"\nb\n",
            "found from the end")


def bounded(store):
    """What a hostile log of any size may cost."""
    build = ulid(T0)
    r = Records(build, T0)
    path = store.put(build, r.start() + r.line("before"))
    with open(path, "ab") as file:
        file.write(b'{"kind":"x","v":[' + b"[]," * 2500000 + b"0]}\n")
        for _ in range(40):  # no newline for 40 MiB
            file.write(b"y" * (1 << 20))
        file.write(b"\n" + r.line("\x01" * (1 << 20)) + r.line("after"))
        file.write(b"z" * (20 << 20))

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (32 << 20, 32 << 20))

    asan = b"__asan_init" in open(BUILDLOG, "rb").read()
    for words in (["-n", "1"], ["-n", "+1"], ["-n", "+1", "-o", "jsonl"], ["-n", "+1", "-o", "raw"]):
        got = subprocess.run([BUILDLOG, "tail", *words], env=store.env(), capture_output=True,
                             preexec_fn=None if asan else limit, check=False, timeout=120)
        t.ok(got.returncode == 0 and b"after" in got.stdout,
             f"32 MiB are enough for {' '.join(words)}", (got.returncode, got.stderr[:500]))
    got = store.run("tail", "-n", "+1")
    t.ok(b"2 damaged lines" in got.stderr and got.stdout.startswith(b"before\n"),
         "lines over the ceiling count as damaged", got.stderr)


def compressed(store):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + b"".join(r.line(f"line {n}") for n in range(1, 5001))
    data += r.line("last", "stderr") + r.end("failed", exitCode=3)
    packed = gzip.compress(data)
    store.put(build, packed, ".log.gz")
    got = store.run("tail", "-n", "3", "--exit-status")
    t.equal((got.stdout, got.returncode), (b"line 4999\nline 5000\n! last\n", 3), "compressed")
    t.equal(store.run("tail", "-n", "+4998").stdout, b"line 4998\nline 4999\nline 5000\n! last\n",
            "compressed, from a line on")
    store.put(build, packed[:len(packed) // 2], ".log.gz")
    got = store.run("tail", "-n", "1")
    t.ok(got.stdout.startswith(b"line ") and b"damaged place in the compressed" in got.stderr,
         "a compressed log that is cut off", got)
    store.put(build, b"not gzip", ".log.gz")
    got = store.run("tail")
    t.ok(got.stdout == b"" and b"lost" in got.stderr, "not compressed at all", got)


def statuses(store):
    for status, more, code in (("ok", {}, 0), ("failed", {"exitCode": 7}, 7),
                               ("signaled", {"exitCode": None, "signal": "SIGTERM"}, 143),
                               ("timeout", {"exitCode": None, "signal": "SIGKILL"}, 124),
                               ("timeout", {"exitCode": 0}, 124),
                               ("interrupted", {"exitCode": 130}, 130),
                               ("exec_failed", {"exitCode": 127}, 127)):
        store.finished(T0, status=status, **more)
        got = store.run("tail", "--exit-status")
        t.equal(got.returncode, code, f"--exit-status of {status} is {code}")
        t.ok(status.encode() in got.stderr, f"{status} is said", got.stderr)
    t.equal(store.run("tail").returncode, 0, "without --exit-status it is 0")


def choice(store):
    old = store.finished(T0, ["old"])
    running = ulid(T0 + 1000)
    w = Writer(store, running)
    r = Records(running, T0 + 1000)
    w.write(r.start() + r.line("running"))
    store.finished(T0 + 2000, ["newest"])
    t.equal(store.run("tail").stdout, b"running\n", "a running build comes first")
    t.equal(store.run("tail", "last").stdout, b"newest\n", "last is the newest")
    t.equal(store.run("tail", "-2").stdout, b"running\n", "-2 is the one before")
    t.equal(store.run("tail", old).stdout, b"old\n", "a whole id")
    t.ok(b"running" in store.run("tail").stderr, "running is said")
    w.close()
    t.equal(store.run("tail").stdout, b"newest\n", "else the newest")


def to_nobody(store):
    store.finished(T0, ["x" * 1000] * 1000)
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    got = subprocess.run([BUILDLOG, "tail", "-n", "+1"], env=store.env(), stdout=write_fd,
                         stderr=subprocess.PIPE, check=False)
    os.close(write_fd)
    t.ok(got.returncode in (-13, 141) and got.stderr == b"", "a closed pipe ends it quietly", got)
    with open("/dev/full", "wb") as full:
        got = subprocess.run([BUILDLOG, "tail"], env=store.env(), stdout=full,
                             stderr=subprocess.PIPE, check=False)
    t.ok(got.returncode == 2 and b"cannot write to 'stdout'" in got.stderr, "a full disk", got)


for case in (which_lines, sources, raw_bytes, terminal, unsound, every_cut, bit_flips, long_lines,
             bounded, compressed, statuses, choice, to_nobody):
    with Store() as fresh:
        case(fresh)
t.done()
