#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libbuildlog follows a build through one descriptor that poll(2) is asked about: records come as
they are written, torn ones when they are whole; the end comes with the end record, when the writer
dies, and through a log that is replaced; and while nothing happens nothing is used."""
import json
import os
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import handmade
import libuser

T0 = 1_767_323_045_678
EXAMPLE = libuser.example()


class Follower:
    def __init__(self, store, *words):
        self.child = subprocess.Popen(EXAMPLE.command("follow", store.root, *words),
                                      env=EXAMPLE.env(), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.seen = b""

    def until(self, lines, seconds=20):
        """The texts, once there are so many."""
        deadline = bl.Deadline(seconds)
        fd = self.child.stdout.fileno()
        while self.seen.count(b"\n") < lines:
            late = deadline.late()
            if not select.select([fd], [], [], bl.Deadline.LOOK)[0]:
                if late:
                    break
                continue
            piece = os.read(fd, 65536)
            if not piece:
                break
            self.seen += piece
        return self.texts()

    def texts(self):
        return [record.get("msg", record["kind"])
                for record in map(json.loads, self.seen.splitlines())]

    def finish(self):
        """(texts, exit status, the last word: the state)"""
        try:
            out, err = bl.communicate(self.child)
        except bl.Late:
            self.child.kill()
            out, err = self.child.communicate()
            return self.texts(), "did not end", err
        self.seen += out
        return self.texts(), self.child.returncode, err.decode().split()[-1:]


RUNNING, LOST, ENDED = "1", "2", "3"


@bl.section
def as_it_comes():
    with handmade.Store() as store:
        build = handmade.ulid(T0, "A")
        r = handmade.Records(build, T0)
        writer = handmade.Writer(store, build)
        writer.write(r.start() + r.line("one"))
        follower = Follower(store, "last")
        late = Follower(store, build, "2")
        bl.equal(follower.until(1), ["one"], "what is there comes at once")
        data = r.line("two")
        writer.write(data[:20])
        writer.write(data[20:] + r.gap(2, 2))
        bl.equal(follower.until(3), ["one", "two", "gap"], "what is written comes when it is whole")
        ticks = bl.proc_ticks(follower.child.pid)
        bl.wait_for(lambda: bl.proc_state(follower.child.pid) == "S", "the follower sleeps")
        bl.ok(bl.proc_ticks(follower.child.pid) - ticks <= 2, "waiting takes no time")
        writer.write(r.line("three") + r.end("failed", exitCode=3))
        writer.close()
        bl.equal(follower.finish(), (["one", "two", "gap", "three"], 0, [ENDED]),
                 "the end record is the end")
        bl.equal(late.finish(), (["gap", "three"], 0, [ENDED]), "after a number: what is above it")


@bl.section
def killed():
    with handmade.Store() as store:
        build = handmade.ulid(T0, "B")
        r = handmade.Records(build, T0)
        writer = handmade.KillableWriter(store, build)
        writer.write(r.start() + r.line("one"))
        follower = Follower(store, build)
        bl.equal(follower.until(1), ["one"], "a writer that will die")
        writer.write(r.line("two") + r.line("three")[:-5])
        writer.kill()
        bl.equal(follower.finish(), (["one", "two"], 0, [LOST]), "lost, as soon as it is dead")


@bl.section
def replaced():
    with handmade.Store() as store:
        build = handmade.ulid(T0, "C")
        r = handmade.Records(build, T0)
        writer = handmade.Writer(store, build)
        writer.write(r.start() + r.line("one") + r.line("two"))
        follower = Follower(store, build)
        bl.equal(follower.until(2), ["one", "two"], "a log that will be removed")
        os.unlink(store.path(build))
        writer.close()
        again = handmade.Writer(store, build)
        gone = handmade.Records(build, T0)
        again.write(gone.start() + gone.gap(2, 2) + r.line("three"))
        bl.equal(follower.until(3), ["one", "two", "three"],
                 "what its writer goes on with elsewhere is followed, and nothing comes twice")
        again.write(r.end("ok"))
        again.close()
        bl.equal(follower.finish(), (["one", "two", "three"], 0, [ENDED]), "to its end")


@bl.section
def removed_for_good():
    with handmade.Store() as store:
        build = handmade.ulid(T0, "D")
        r = handmade.Records(build, T0)
        writer = handmade.Writer(store, build)
        writer.write(r.start() + r.line("one"))
        follower = Follower(store, build)
        bl.equal(follower.until(1), ["one"], "a log whose writer dies when it is removed")
        os.unlink(store.path(build))
        writer.close()
        bl.equal(follower.finish(), (["one"], 0, [LOST]), "lost, a moment later")


@bl.section
def really():
    """With the real writer."""
    store = bl.temp("store")
    gates = [bl.temp("gate"), bl.temp("gate")]  # one would be open still when it is read again
    for gate in gates:
        os.mkfifo(gate)
    run = bl.Run("--", "sh", "-c", "for i in 1 2 3; do echo $i; done;"
                 f"read x <{gates[0]}; echo $x; read x <{gates[1]}; echo $x; exit 5", store=store)

    def logged(text):
        bl.wait_for(lambda: run.paths and text in open(run.path, "rb").read(), "it is logged")

    logged(b'"3"')

    class Where:
        root = store
    follower = Follower(Where, "last")
    bl.equal(follower.until(3), ["1", "2", "3"], "a real build")
    with open(gates[0], "w", encoding="ascii") as file:
        file.write("four\n")
    bl.equal(follower.until(4), ["1", "2", "3", "four"], "goes on")
    os.unlink(run.path)
    with open(gates[1], "w", encoding="ascii") as file:
        file.write("five\n")
    run.finish()
    bl.equal((run.status, follower.finish()), (5, (["1", "2", "3", "four", "five"], 0, [ENDED])),
             "in another file when its log was removed, to its end")


@bl.section
def not_running():
    with handmade.Store() as store:
        done = store.finished(T0)
        bl.equal(Follower(store, done).finish(), (["one", "two", "three"], 0, [ENDED]),
                 "a build that has ended: all of it, at once")


bl.done()
