#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog tail -f beside a build that runs: several at once, resumed by number, with an output
that blocks or is closed, and where inotify does not work."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl  # noqa: E402
from handmade import BUILDLOG, Follower, Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678
EMIT = bl.helper("emit")
LINES = 20000
WHOLE = b"".join(b"%010d " % n + b"x" * 68 + b"\n" for n in range(LINES))


def start(store, *ops):
    """A build that waits for `go`, does ops and fails with 9; its log is there."""
    go = os.path.join(store.top, "go")
    build = bl.start("--", EMIT, "out", b"first\n".hex(), "wait", go, *ops, "exit", "9",
                     store=store.root, stdout=bl.DEVNULL)
    build.wait_log(lambda log: log.lines, "a line in the log")
    return build, lambda: open(go, "wb").close()


def several(store):
    build, go = start(store, "lines", str(LINES), "80")
    followers = [Follower(store, "-f", "-o", "raw", "--exit-status") for _ in range(6)]
    t.ok(all([f.until(b"first\n") for f in followers]), "six terminals")
    go()
    wrong = []
    for f in followers:
        status, out, err = f.finish()
        if (status, out) != (9, b"first\n" + WHOLE):
            wrong.append((status, len(out), err))
    t.equal(wrong, [], "each has every byte, and the status")
    build.finish()


def resumed(store):
    """Ended at any place and resumed behind the last number seen: together the whole log."""
    build, go = start(store, "lines", str(LINES), "80")
    f = Follower(store, "-f", "-o", "jsonl")
    t.ok(f.until(b"first"), "following")
    go()
    seen, last, rounds = b"", 0, 0
    while rounds < 40:
        rounds += 1
        f.until(b'"seq":%d,' % (last + 700 * rounds), 0.3)
        f.child.send_signal(signal.SIGINT)
        status, out, _ = f.finish()
        out = out[:out.rfind(b"\n") + 1]
        seen += out
        if out:
            last = json.loads(out.splitlines()[-1])["seq"]
        if status == 0:
            break
        f = Follower(store, "-f", "-o", "jsonl", "--after-seq", str(last))
    build.finish()
    whole = store.run("query", "last", "-o", "jsonl").stdout
    t.ok(seen == whole and whole.count(b"\n") == LINES + 1,
         f"--after-seq goes on where the last one was ended, {rounds} times",
         (len(seen), len(whole)))


def interrupted(store):
    build, go = start(store)
    f = Follower(store, "-f", "--exit-status")
    t.ok(f.until(b"first"), "following")
    f.child.send_signal(signal.SIGINT)
    status, out, err = f.finish()
    t.equal((status, out, err), (-signal.SIGINT, b"first\n", b""), "Ctrl-C ends it, silently")
    go()
    t.equal(build.finish().status, 9, "and the build goes on")


def output_blocks(store):
    """A stopped terminal: nothing is lost, the build does not wait for it, memory is bounded."""
    build, go = start(store, "lines", "200000", "80")
    f = Follower(store, "-f", "-n", "+1", "-o", "raw", "--exit-status")
    go()
    build.finish(60)
    t.equal(build.status, 9, "the build ends while its follower is blocked")
    bl.wait_for(lambda: bl.proc_state(f.child.pid) == "S", "it sleeps")
    peak = bl.proc_peak_kb(f.child.pid)
    t.ok(bl.SANITIZED or peak < 32 << 10, f"{peak if not bl.SANITIZED else 'any'} kB at most")
    os.unlink(build.path)
    status, out, _ = f.finish()
    t.ok(status == 9 and out.count(b"\n") == 200001 and out.endswith(b"0000199999 " + b"x" * 68
                                                                    + b"\n"),
         "all of it comes when it is read, though the log is gone", (status, len(out)))


def non_blocking(store):
    """An output that someone else made non-blocking is waited for."""
    store.finished(T0, [f"{n:05} " + "y" * 500 for n in range(2000)])
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    child = subprocess.Popen([BUILDLOG, "tail", "-n", "+1"], env=store.env(), stdout=write_fd,
                             stderr=subprocess.PIPE)
    os.close(write_fd)
    bl.wait_for(lambda: bl.proc_state(child.pid) == "S", "it sleeps")
    with open(read_fd, "rb") as out:
        lines = out.read().splitlines()
    child.stderr.read()
    child.stderr.close()
    t.ok(child.wait(30) == 0 and len(lines) == 2000 and lines[-1].startswith(b"01999"),
         "a non-blocking pipe", len(lines))


def closed(store):
    """| head: the shell sees a SIGPIPE, and nothing is said."""
    build, go = start(store, "lines", "2000", "80")
    line = f"'{BUILDLOG}' tail -f -n +1; echo $? >&3"
    status = os.path.join(store.top, "status")
    with open(status, "wb") as file:
        got = subprocess.Popen(["sh", "-c", f"{{ {line}; }} 3>'{status}' | head -n 3"],
                               env=store.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL)
        go()
        out, err = got.communicate(timeout=60)
        file.flush()
    with open(status, "rb") as file:
        code = file.read()
    t.ok(out.count(b"\n") == 3 and err == b"" and code == b"141\n", "| head -n 3",
         (out[:200], err, code))
    build.finish()
    store.finished(T0 + 10 ** 11, ["x" * 1000] * 5000)
    got = subprocess.run(["sh", "-c", f"'{BUILDLOG}' tail -n +1 | head -n 1"], env=store.env(),
                         capture_output=True, check=False)
    t.ok(got.stdout == b"x" * 1000 + b"\n" and got.stderr == b"", "without -f, too", got.stderr)


class PollingFollower(Follower):
    """buildlog where a system call fails."""

    def __init__(self, store, fault, *words):
        self.child = subprocess.Popen([bl.FAULT_BIN, "tail", *words],
                                      env=store.env(BUILDLOG_FAULT=fault),
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        self.seen = b""


def without_inotify(store):
    """No instance left (fs.inotify.max_user_instances), no watch left, no inotify at all, and a
    file system whose kind cannot be asked: each second it looks."""
    for fault in ("inotify_init1:1:EMFILE:persist", "inotify_add_watch:1:ENOSPC:persist",
                  "inotify_init1:1:ENOSYS:persist", "fstatfs:1:EIO:persist"):
        name = fault.split(":persist")[0]
        build = ulid(T0)
        r = Records(build, T0)
        w = Writer(store, build)
        w.write(r.start() + r.line("one"))
        f = PollingFollower(store, fault, "-f", "--exit-status")
        t.ok(f.until(b"one\n"), f"{name}: following")
        w.write(r.line("two"))
        t.ok(f.until(b"two\n"), f"{name}: what comes is shown")
        os.unlink(store.path(build))
        w2 = Writer(store, build)
        w2.write(r.start() + r.gap(1, 0, "log_replaced") + r.line("three"))
        w.close()
        t.ok(f.until(b"three\n"), f"{name}: also in another file")
        w2.write(r.line("four") + r.end("failed", exitCode=5))
        w2.close()
        status, out, err = f.finish()
        t.ok(status == 5 and out.endswith(b"three\nfour\n"), f"{name}: and the end",
             (status, out, err))
        w = Writer(store, build)
        w.write(Records(build, T0).start())
        f = PollingFollower(store, fault, "-f", "--exit-status")
        w.close()
        status, _, err = f.finish()
        t.ok(status == 125 and b"lost" in err, f"{name}: ends with its writer", (status, err))
        os.unlink(store.path(build))


for case in (several, resumed, interrupted, output_blocks, non_blocking, closed,
             without_inotify):
    with Store() as fresh:
        case(fresh)
t.done()
