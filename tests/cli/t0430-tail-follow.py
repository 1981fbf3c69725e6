#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog tail -f: follows to the end whatever end that is, and costs nothing meanwhile."""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import DEADLINE, Follower, KillableWriter, Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678


def begin(store, cls=Writer):
    build = ulid(T0)
    r = Records(build, T0)
    w = cls(store, build)
    w.write(r.start() + r.line("one"))
    return r, w


def to_the_end(store):
    for status, more, code in (("ok", {}, 0), ("failed", {"exitCode": 3}, 3),
                               ("signaled", {"exitCode": None, "signal": "SIGSEGV"}, 139)):
        r, w = begin(store)
        f = Follower(store, "-f", "--exit-status")
        t.ok(f.until(b"one\n"), "history comes first")
        w.write(r.line("two"))
        t.ok(f.until(b"two\n"), "then what is written")
        w.write(r.line("three", "stderr")[:30])
        w.write(r.line("x")[:0])
        r.seq -= 1
        w.write(r.line("three", "stderr")[30:] + r.line("four"))
        t.ok(f.until(b"! three\nfour\n"), "a record written in two pieces is one")
        w.write(r.end(status, **more))
        w.close()
        got = f.finish()
        t.equal((got[0], got[1]), (code, b"one\ntwo\n! three\nfour\n"), f"ends with {status}")
        t.ok(status.encode() in got[2], f"says {status}", got[2])
        shutil.rmtree(store.root)


def killed(store):
    r, w = begin(store, KillableWriter)
    followers = [Follower(store, "-f", "--exit-status"), Follower(store, "-f"),
                 Follower(store, "-f", "-o", "jsonl", "--exit-status")]
    t.ok(all([f.until(b"one") for f in followers]), "three at once")
    w.write(r.line("last words") + r.line("torn")[:40])
    w.kill()
    for f, code in zip(followers, (125, 0, 125)):
        status, out, err = f.finish()
        t.ok(status == code and b"last words" in out and b"lost" in err and b"torn" not in out,
             "a killed writer: lost, with its last words", (status, out, err))


def foreign_close(store):
    """Someone else opens the log for writing and closes it; the lock is still held."""
    r, w = begin(store)
    f = Follower(store, "-f", "--exit-status")
    t.ok(f.until(b"one"), "following")
    other = os.open(store.path(r.build), os.O_WRONLY)
    os.close(other)
    w.write(r.line("still here"))
    t.ok(f.until(b"still here"), "another's close does not end it")
    w.write(r.end())
    w.close()
    t.equal(f.finish()[0], 0, "and the end does")


def torn_cut_back(store):
    """The writer cuts a half-written record back and writes another in its place."""
    r, w = begin(store)
    f = Follower(store, "-f")
    t.ok(f.until(b"one"), "following")
    size = os.fstat(w.fd).st_size
    w.write(b'{"kind":"line","ts":1,"seq":2,"src":"stdout","msg":"half a rec')
    os.ftruncate(w.fd, size)
    w.write(r.line("whole") + r.end())
    w.close()
    t.equal(f.finish()[1], b"one\nwhole\n", "a torn record that is cut back was never seen")


def replaced(store):
    """The log is removed; its writer makes it anew as the contract says."""
    r, w = begin(store)
    f = Follower(store, "-f", "--exit-status")
    t.ok(f.until(b"one"), "following")
    os.unlink(store.path(r.build))
    w.write(r.line("into the void"))
    t.ok(f.until(b"into the void"), "the removed log is read as long as it is written")
    shutil.rmtree(store.root)
    w2 = Writer(store, r.build)
    again = Records(r.build, T0)
    w2.write(again.start() + again.gap(2, 2, "log_replaced"))
    w.close()
    w2.write(again.line("made anew"))
    t.ok(f.until(b"made anew\n"), "the new file is followed", f.seen)
    w2.write(again.gap(3, 3) + again.line("end") + again.end("failed", exitCode=9))
    w2.close()
    status, out, _ = f.finish()
    t.equal((status, out.decode()), (9, "one\ninto the void\nmade anew\n"
            "… 3 lines missing (log_unwritable) …\nend\n"), "nothing twice, nothing left out")


def removed(store):
    r, w = begin(store)
    f = Follower(store, "-f", "--exit-status")
    t.ok(f.until(b"one"), "following")
    os.unlink(store.path(r.build))
    w.write(r.line("two"))
    t.ok(f.until(b"two"), "removed, but its writer lives")
    w.close()
    status, out, err = f.finish()
    t.ok(status == 125 and out == b"one\ntwo\n" and b"lost" in err, "then lost", (status, out, err))


def attempts(store):
    r, w = begin(store)
    w.write(r.end("failed", exitCode=2))
    f = Follower(store, "-f", "--exit-status")  # the lock is held: another attempt begins
    t.ok(f.until(b"one"), "following")
    w.write(r.start(attempt=2) + r.line("again"))
    t.ok(f.until(b"-- attempt 2, 2026-01-02T03:04:05.678Z\nagain\n"), "the second attempt", f.seen)
    w.write(r.end())
    w.close()
    t.equal(f.finish()[0], 0, "the last attempt decides")


def finished(store):
    store.finished(T0, status="failed", exitCode=4)
    status, out, _ = Follower(store, "-f", "--exit-status").finish()
    t.equal((status, out), (4, b"one\ntwo\nthree\n"), "a finished build ends at once")
    build = ulid(T0 + 1)
    store.put(build, Records(build, T0).start())
    status, _, err = Follower(store, "-f", "--exit-status", build).finish()
    t.ok(status == 125 and b"lost" in err, "a lost one too", err)


def without_locks(store):
    """Where locks do not work, host, pid and start time tell."""
    build = ulid(T0)
    r = Records(build, T0)
    now = int(time.time() * 1000)
    r.ms = now
    writer = Writer(store, build, lock=False)
    writer.write(r.start(lock=False, pid=os.getpid()) + r.line("one"))
    f = Follower(store, "-f", "--exit-status")
    t.ok(f.until(b"one"), "following a build without a lock")
    writer.write(r.line("two"))
    t.ok(f.until(b"two"), "it runs: the pid lives")
    writer.write(r.end("failed", exitCode=5))
    writer.close()
    t.equal(f.finish()[0], 5, "and ends")
    for name, more, ms in (("a dead pid", {"pid": 2 ** 22 + 1}, now),
                           ("another host", {"pid": os.getpid(), "host": "elsewhere"}, now),
                           ("a younger process", {"pid": os.getpid()}, T0)):
        r = Records(build, ms)
        store.put(build, r.start(lock=False, **more) + r.line("one"))
        t.ok(b"lost" in store.run("tail").stderr, f"{name}: lost")


def idle(store):
    r, w = begin(store)
    f = Follower(store, "-f")
    t.ok(f.until(b"one"), "following")
    w.write(r.line("two"))
    t.ok(f.until(b"two"), "and live")
    # Asleep: the kernel counts no wake-up in eight quarters of a second one after the other.
    def switches():
        with open(f"/proc/{f.child.pid}/status", encoding="ascii") as file:
            return [line for line in file if "ctxt_switches" in line]
    before, end = switches(), time.monotonic() + DEADLINE
    still = 0
    while still < 8 and time.monotonic() < end:
        f.until(b"nothing of the kind", 0.25)
        still = still + 1 if switches() == before else 0
        before = switches()
    t.ok(still == 8, "nothing happens: not one wake-up in two seconds")
    w.write(r.end())
    w.close()
    t.equal(f.finish()[0], 0, "and it wakes up for the end")


def latency(store):
    r, w = begin(store)
    f = Follower(store, "-f")
    t.ok(f.until(b"one"), "following")
    took = []
    for n in range(200):
        at = time.monotonic()
        w.write(r.line(f"line {n}."))
        if not f.until(b"line %d.\n" % n):
            break
        took.append(time.monotonic() - at)
    w.write(r.end())
    w.close()
    f.finish()
    took.sort()
    t.ok(len(took) == 200, "every line came")
    t.ok(took[100] < 1.0, "and did not wait for a poll", took[100])
    print(f"# latency ms: p50 {took[100] * 1000:.2f}, p99 {took[197] * 1000:.2f}")


def output_closed(store):
    r, w = begin(store)
    f = Follower(store, "-f")
    t.ok(f.until(b"one"), "following")
    f.child.stdout.close()
    try:
        status = f.child.wait(DEADLINE)
    except Exception:  # pylint: disable=broad-except
        f.child.kill()
        status = f.child.wait()
    t.ok(status == 141, "nobody reads any more: it ends without waiting for a line", status)
    f.child.stderr.close()
    w.close()


for case in (to_the_end, killed, foreign_close, torn_cut_back, replaced, removed, attempts,
             finished, without_locks, idle, latency, output_closed):
    with Store() as fresh:
        case(fresh)
t.done()
