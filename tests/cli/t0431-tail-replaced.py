#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog tail -f while its log is removed, emptied, replaced, compressed, out of reach: it goes
on behind the last number seen, nothing twice, nothing left out, and knows a dead writer."""
import gzip
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl  # noqa: E402
from handmade import Follower, Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678
EMIT = bl.helper("emit")


class RunStore(Store):
    """The store of a build that really runs, and steps it takes one at a time."""

    def begin(self, *ops):
        self.marks = [os.path.join(self.top, f"go{i}") for i in range(4)]
        words = []
        for mark, op in zip(self.marks, ops):
            words += [*op, "wait", mark]
        self.build = bl.start("--", EMIT, *words, "out", b"end\n".hex(), "exit", "3",
                              store=self.root)
        self.step = 0

    def go(self):
        open(self.marks[self.step], "wb").close()
        self.step += 1

    def out(self, text):
        return ["out", text.encode().hex()]


def live(store, name, disturb, mend=None):
    """A build that prints, is disturbed, prints again, and what its follower saw."""
    store.begin(store.out("one\ntwo\n"), store.out("three\n"), store.out("four\n"))
    store.build.read_until(b"two\n")
    f = Follower(store, "-f", "-n", "+1", "--exit-status")
    t.ok(f.until(b"two\n"), f"{name}: following", f.seen)
    path = store.build.path
    disturb(path)
    if mend:
        store.go()
        store.build.read_until(b"three\n")
        # The writer finds out within a second, and fails to make it anew.
        store.build.read_until(b"buildlog", stream="err")
        t.ok(f.child.poll() is None, f"{name}: it waits for a writer that lives")
        mend(path)
    bl.wait_for(lambda: os.path.isfile(path) and os.path.getsize(path) > 0, "made anew")
    if not mend:
        store.go()
    t.ok(f.until(b"three\n"), f"{name}: followed into the new file", f.seen)
    store.go()
    t.ok(f.until(b"four\n"), f"{name}: and on", f.seen)
    store.go()
    status, out, err = f.finish()
    text = [line for line in out.decode().splitlines()
            if not line.startswith(("…", "-- log_"))]
    t.equal((status, text), (3, ["one", "two", "three", "four", "end"]),
            f"{name}: each line once, and the end")
    t.ok(b"lost" not in err, f"{name}: not lost", err)
    store.build.finish()


def blocked_place(path):
    top = path.rsplit("/builds/", 1)[0]
    shutil.rmtree(top)
    open(top, "wb").close()


def free_place(path):
    os.unlink(path.rsplit("/builds/", 1)[0])


def real_runs(_):
    for name, disturb, mend in (
            ("removed", os.unlink, None), ("emptied", lambda path: os.truncate(path, 0), None),
            ("moved away", lambda path: os.rename(path, path + ".old"), None),
            ("the store removed", lambda path: shutil.rmtree(path.rsplit("/builds/", 1)[0]), None),
            ("out of reach for a while", blocked_place, free_place)):
        with RunStore() as store:
            live(store, name, disturb, mend)


def killed_without_log(_):
    """The log is gone, and then its writer is: lost."""
    with RunStore() as store:
        store.begin(store.out("one\n"))
        store.build.read_until(b"one\n")
        f = Follower(store, "-f", "--exit-status")
        t.ok(f.until(b"one\n"), "following")
        blocked_place(store.build.path)
        store.build.read_until(b"buildlog", stream="err")
        t.ok(f.child.poll() is None, "no log, no lock, but a writer")
        store.build.send(signal.SIGKILL)
        status, out, err = f.finish()  # a zombie as long as nobody asked for its status
        t.ok(status == 125 and out == b"one\n" and b"lost" in err, "a writer killed meanwhile: lost",
             (status, out, err))
        store.go()


def just_before_the_end(_):
    with RunStore() as store:
        store.begin(store.out("one\n"))
        store.build.read_until(b"one\n")
        f = Follower(store, "-f", "--exit-status")
        t.ok(f.until(b"one\n"), "following")
        f.child.send_signal(signal.SIGSTOP)
        os.unlink(store.build.path)
        store.go()
        store.build.finish()
        f.child.send_signal(signal.SIGCONT)
        status, out, err = f.finish()
        t.ok(status == 3 and out.startswith(b"one\n") and b"lost" not in err,
             "removed just before the end: the end is found in the new file", (status, out, err))


def begin(store, build=None, **more):
    build = build or ulid(T0)
    r = Records(build, T0)
    w = Writer(store, build)
    w.write(r.start(**more) + r.line("one"))
    return r, w


def compressed_meanwhile(store):
    """What was not read of the log is read from the compressed one."""
    r, w = begin(store)
    f = Follower(store, "-f", "--exit-status", "-o", "jsonl")
    pretty = Follower(store, "-f")
    t.ok(f.until(b'"one"') and pretty.until(b"one"), "following")
    w.write(r.line("two"))
    t.ok(f.until(b'"two"') and pretty.until(b"two"), "live")
    with open(store.path(r.build), "rb") as file:
        before = file.read()
    rest = r.line("three") + r.gap(2, 2) + r.line("four") + r.end("failed", exitCode=1)
    rest += r.start(attempt=2) + r.line("five") + r.end("failed", exitCode=7)
    store.put(r.build, gzip.compress(before + rest), ".log.gz")
    os.unlink(store.path(r.build))
    w.close()
    status, out, err = f.finish()
    want = before + rest
    want = b"".join(line for line in want.splitlines(True) if b'"kind":"meta"' not in line)
    t.equal((status, out), (7, want), "compressed: gone on with at the right number")
    t.ok(b"left out" not in err, "and nothing was left out", err)
    _, out, _ = pretty.finish()
    t.equal(out.decode(), "one\ntwo\nthree\n… 2 lines missing (log_unwritable) …\nfour\n"
            "-- attempt 2, 2026-01-02T03:04:05.678Z\nfive\n", "the attempt is told once")


def compressed_and_lost(store):
    r, w = begin(store)
    f = Follower(store, "-f", "--exit-status")
    t.ok(f.until(b"one"), "following")
    store.put(r.build, gzip.compress(r.start() + Records(r.build, T0).line("one")
                                     + r.line("two")), ".log.gz")
    os.unlink(store.path(r.build))
    w.close()
    status, out, err = f.finish()
    t.ok(status == 125 and out == b"one\ntwo\n" and b"lost" in err, "compressed without an end",
         (status, out, err))


def attempts_once(store):
    """The file is made anew in the second attempt: it is told once."""
    build = ulid(T0)
    r = Records(build, T0)
    store.put(build, r.start() + r.line("zero") + r.end("failed", exitCode=1))
    w = Writer(store, build)
    w.write(r.start(attempt=2, pid=77) + r.line("one"))
    f = Follower(store, "-f", "-n", "+1")
    t.ok(f.until(b"one"), "following")
    os.unlink(store.path(build))
    w2 = Writer(store, build)
    again = Records(build, T0)
    w2.write(again.start(attempt=2, pid=77) + again.gap(2, 2, "log_replaced") + again.line("two")
             + again.end())
    w.close()
    w2.close()
    t.equal(f.finish()[1].decode(), "zero\n-- attempt 2, 2026-01-02T03:04:05.678Z\none\ntwo\n",
            "made anew in the second attempt")


def another_build(store):
    """Someone removed the log and another build took the id: its numbers are its own."""
    r, w = begin(store)
    w.write(b"".join(r.line(f"old {n}") for n in range(50)))
    f = Follower(store, "-f", "--exit-status")
    t.ok(f.until(b"old 49\n"), "following")
    os.unlink(store.path(r.build))
    w2 = Writer(store, r.build)
    new = Records(r.build, T0 + 5000)
    w2.write(new.start(pid=4711) + new.line("new 1") + new.line("new 2") + new.end("failed",
                                                                               exitCode=8))
    w2.close()
    w.close()
    status, out, _ = f.finish()
    t.ok(status == 8 and out.endswith(b"old 49\nnew 1\nnew 2\n"), "another build with this id",
         (status, out[-100:]))


def elsewhere(store):
    """Of a writer on another host nothing is known: its log has some seconds to come back."""
    r, w = begin(store, host="elsewhere")
    f = Follower(store, "-f", "--exit-status")
    t.ok(f.until(b"one"), "following")
    os.unlink(store.path(r.build))
    w.close()
    t.ok(not f.until(b"never", 0.5) and f.child.poll() is None, "not lost at once")
    status, _, err = f.finish()
    t.ok(status == 125 and b"lost" in err, "but then", (status, err))


def damage_is_told_once(store):
    r, w = begin(store)
    w.write(b"broken\n" + r.line("two"))
    f = Follower(store, "-f", "-n", "+1")
    t.ok(f.until(b"two"), "following")
    with open(store.path(r.build), "rb") as file:
        before = file.read()
    store.put(r.build, gzip.compress(before + b"broken too\n" + r.line("three") + r.end()),
              ".log.gz")
    os.unlink(store.path(r.build))
    w.close()
    _, out, err = f.finish()
    t.ok(out == b"one\ntwo\nthree\n" and b"left out: 2 damaged lines\n" in err,
         "what is damaged counts once", (out, err))


for case in (real_runs, killed_without_log, just_before_the_end, compressed_meanwhile,
             compressed_and_lost, attempts_once, another_build, elsewhere, damage_is_told_once):
    with Store() as fresh:
        case(fresh)
t.done()
