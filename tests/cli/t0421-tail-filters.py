#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog tail with filters: the records that query finds, counted from the end, in each form,
plain and compressed; what is hidden is told."""
import gzip
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Follower, Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678
FILTERS = ([], ["--src", "stderr"], ["--src", "stdout"], ["--src", "stdout", "--src", "stderr"],
           ["-l", "error"], ["-l", "warn"], ["-l", "info"], ["-l", "trace"], ["-g", "needle"],
           ["-g", "^x.*needle", "-g", "rare$"], ["-g", "NEEDLE", "-i"], ["-g", "nothing at all"],
           ["-g", "a|b", "--src", "stderr"], ["-g", "needle", "-l", "warn"], ["--src", "merged"])


def mixed(build, seed, records=300):
    """A log of everything, sound and not; its bytes."""
    rng = random.Random(seed)
    r = Records(build, T0)
    data = [r.start()]
    for _ in range(records):
        kind = rng.random()
        src = rng.choice(("stdout", "stdout", "stderr"))
        text = rng.choice(("plain", "x needle 1", "xx rare", "x.c:1:2: error: bad", "WARN: needle",
                           "\u00e9\u0000 a", "Needle", "::error::b", "\x1b[31merror: red\x1b[0m"))
        if kind < 0.8:
            data.append(r.line(text, src))
        elif kind < 0.86:
            data.append(r.event(rng.choice(("orphan", "stall")), level=rng.choice(("warn", "info")),
                                msg=text))
        elif kind < 0.91:
            data.append(r.gap(rng.randrange(1, 4), rng.randrange(0, 3)))
        elif kind < 0.93:
            data.append(r.line(None, src, len=7))
        elif kind < 0.95:
            data.append(b'{"kind":"span","seq":1,"ts":5}\n')
        elif kind < 0.97:
            r.seq += 1
            data.append(b'{ "msg":"\\u006eeedle", "src":"%s", "seq":%d, "ts":5, "kind":"line"}\n'
                        % (src.encode(), r.seq))
        elif kind < 0.98:
            data.append(b"no record\n")
        else:
            data.append(r.end("failed", exitCode=1) + r.start(attempt=2))
    return b"".join(data) + r.end()


def like_query(store):
    wrong = []
    for seed in range(2):
        for suffix in (".log", ".log.gz"):
            build = ulid(T0 + seed * 10 + (suffix == ".log"))
            data = mixed(build, seed)
            store.put(build, gzip.compress(data) if suffix == ".log.gz" else data, suffix)
            for words in FILTERS:
                want = store.run("query", build, "-o", "jsonl", *words).stdout
                for more in (["-n", "+1"], ["-n", "100000"], ["--after-seq", "0"],
                             ["--bytes", "1G"]):
                    got = store.run("tail", build, "-o", "jsonl", *more, *words).stdout
                    if got != want:
                        wrong.append((build, suffix, words, more))
                got = store.run("tail", build, "--json", "-n", "7", *words).stdout
                if got != b"".join(want.splitlines(True)[-7:]):
                    wrong.append((build, suffix, words, "-n 7"))
    t.equal(wrong, [], "-o jsonl gives the records of query, the last of them with -n")


def forms(store):
    """Each form has the same records: pretty is query's text but for what says stderr and
    attempts, raw has its lines."""
    build = ulid(T0)
    store.put(build, mixed(build, 99))
    wrong = []
    for words in FILTERS:
        records = [json.loads(line) for line in
                   store.run("query", build, "-o", "jsonl", *words).stdout.splitlines()]
        text = store.run("query", build, "-o", "text", *words).stdout.splitlines()
        pretty = [line for line in store.run("tail", "-n", "+1", *words).stdout.splitlines()
                  if not line.startswith(b"-- attempt ")]
        want = [b"! " + line if record.get("src") == "stderr" else line
                for record, line in zip(records, text)]
        if pretty != want:
            wrong.append(("pretty", words))
        raw = store.run("tail", "-n", "+1", "-o", "raw", *words).stdout
        want = "".join(record["msg"] + "\n" for record in records
                       if record["kind"] == "line" and "msg" in record)
        if raw.decode() != want:
            wrong.append(("raw", words))
    t.equal(wrong, [], "each form has the same records")


def usage(store):
    store.finished(T0)
    for words, why in ((["-g", "("], b"'('"), (["-l", "loud"], b"'loud'"),
                       (["--src", "stdin"], b"'stdin'"), (["--bytes", "x"], b"'x'"),
                       (["--bytes", "1k", "-n", "+3"], b"'--bytes'"),
                       (["--after-seq", "-1"], b"'-1'"), (["--color", "some"], b"'some'")):
        got = store.run("tail", *words)
        t.ok(got.returncode == 2 and got.stdout == b"" and why in got.stderr
             and got.stderr.count(b"\n") == 1, f"{' '.join(words)} is refused in one line", got)
    with Store() as empty:
        for words in ([], ["-f"], [ulid(T0)], ["-f", ulid(T0)]):
            got = empty.run("tail", *words)
            t.ok(got.returncode == 2 and got.stderr.count(b"\n") == 1 and got.stdout == b"",
                 f"tail {' '.join(words)}: what does not exist is refused", got)
    got = store.run("tail", "-f", ulid(T0 + 1))
    t.ok(got.returncode == 2 and b"not in this store" in got.stderr, "an id that no build has", got)


def hidden(store):
    build = ulid(T0)
    r = Records(build, T0)
    store.put(build, r.start() + r.line("one needle") + r.gap(5, 4) + r.gap(1, 0) + r.line("two")
              + r.end())
    for words, told in ((["-g", "needle"], True), (["-o", "raw"], True), (["-l", "error"], True),
                        ([], False), (["-l", "warn"], False), (["-n", "1"], False)):
        err = store.run("tail", *words).stderr
        t.ok((b"not shown: 2 gaps, where 4 lines could not be recorded" in err) == told,
             f"{' '.join(words) or 'no filter'}: gaps are {'told' if told else 'no news'}", err)


def colour(store):
    build = ulid(T0)
    r = Records(build, T0)
    store.put(build, r.start() + r.line("\x1b[32mgreen\x1b[0m", "stderr") + r.end())
    got = store.run("tail", "--color", "always").stdout
    t.equal(got, b"\x1b[31m!\x1b[0m \x1b[32mgreen\x1b[0m\x1b[0m\n", "--color always")
    t.equal(store.run("tail", "--color", "always", NO_COLOR="1").stdout, got, "above NO_COLOR")
    t.equal(store.run("tail").stdout, b"! green\n", "--color auto, not on a terminal")
    out, _ = store.on_terminal("tail", "--color", "never")
    t.equal(out, b"! green\n", "--color never on a terminal")


def runner(store):
    """Under GITHUB_ACTIONS nothing of a log is a command."""
    build = ulid(T0)
    r = Records(build, T0)
    evil = ["::add-path::/evil", "##[error]x", "  ::warning::x", "\u00a0::debug::x", "\t##[group]",
            "\x1b[31m::error::x\x1b[0m", "\x07::error::x", "\u2028::error::x", "a\n::error::x"]
    fine = ["a::b", "# #[", ": :", "std::vector", "##{"]
    store.put(build, r.start() + b"".join(map(r.line, evil + fine)) + r.line("a\r::error::x")
              + r.end())
    out = store.run("tail", GITHUB_ACTIONS="true").stdout.decode()
    bad = [line for line in out.split("\n") if line.strip().startswith(("::", "##["))]
    t.equal(bad, [], "pretty: no line begins with a command")
    t.ok(all(f"{text}\n" in out for text in fine), "what is none is as it was", out)
    out = store.run("tail", "-o", "raw", GITHUB_ACTIONS="true").stdout.decode()
    bad = [line for line in out.replace("\r", "\n").split("\n")
           if line.replace("\x1b[31m", "").replace("\x07", "").strip().startswith(("::", "##["))]
    t.equal(bad, [], "raw: neither, and CR begins a line as well")
    out = store.run("tail", "-o", "raw", "-g", "add-path", GITHUB_ACTIONS="false").stdout
    t.equal(out, b"::add-path::/evil\n", "elsewhere raw is raw")


def live(store):
    """The same filters on what comes while we look."""
    build = ulid(T0)
    r = Records(build, T0)
    w = Writer(store, build)
    w.write(r.start() + r.line("old needle") + r.line("old"))
    followers = {("-g", "needle"): b"old needle\nneedle 1\n! needle 2\n",
                 ("--src", "stderr"): b"! needle 2\n! error: three\n",
                 ("-l", "error"): b"! error: three\n",
                 ("-g", "needle", "-n", "1", "-o", "raw"): b"old needle\nneedle 1\nneedle 2\n",
                 ("--after-seq", "3"): b"! needle 2\n! error: three\nlast\n"}
    running = [(Follower(store, "-f", *words), want) for words, want in followers.items()]
    t.ok(all([f.until(b"old needle") for f, want in running if want.startswith(b"old")]),
         "what was before comes first")
    w.write(r.line("needle 1") + r.line("needle 2", "stderr") + r.line("error: three", "stderr"))
    w.write(r.line("last") + r.end())
    w.close()
    for (f, want), words in zip(running, followers):
        t.equal(f.finish()[1], want, f"-f {' '.join(words)}")


for case in (like_query, forms, usage, hidden, colour, runner, live):
    with Store() as fresh:
        case(fresh)
t.done()
