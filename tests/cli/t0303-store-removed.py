#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The log, its folder or the whole store removed or replaced while the build runs: made anew,
with the same attempt and a gap for what went with the old file."""
import os
import shutil
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")


def removal(name, remove, quiet_end=False):
    go, go2 = bl.temp("go"), bl.temp("go")
    run = bl.start("--", EMIT, "lines", "50", "80", "wait", go, "out", b"after\n".hex(), "wait",
                   go2)
    run.read_until(b"0000000049 ")
    log = run.wait_log(lambda log: len(log.lines) == 50, "50 lines in the log")
    path, build_id = run.path, log.start["buildId"]
    remove(path, run.store)
    if not quiet_end:
        bl.wait_for(lambda: os.path.isfile(path), f"{name}: made anew within seconds")
    open(go, "wb").close()
    run.read_until(b"after\n")
    open(go2, "wb").close()
    run.finish()
    bl.equal(run.status, 0, f"{name}: the command is not disturbed", run.err)
    log = bl.sound(bl.read_log(path), f"{name}: the log is sound")
    bl.equal((log.start["buildId"], log.start.get("attempt", 1)), (build_id, 1),
             f"{name}: the same build, the same attempt")
    # What came between the removal and its discovery went with the old file as well.
    gone, kept = ((1, 51, 51, 4006), []) if quiet_end else ((1, 50, 50, 4000), ["after"])
    bl.equal([(gap["from"], gap["seq"], gap["lines"], gap["bytes"]) for gap in log.gaps],
             [gone], f"{name}: a gap for what went with the old file")
    bl.equal((log.msgs(), log.end["lines"], log.end["complete"]), (kept, 51, False),
             f"{name}: what came after is there")
    return run


@bl.section
def file_removed():
    removal("the file removed", lambda path, store: os.unlink(path))


@bl.section
def just_before_the_end():
    removal("the file removed just before the end", lambda path, store: os.unlink(path),
            quiet_end=True)


@bl.section
def day_removed():
    removal("the day's folder removed", lambda path, store: shutil.rmtree(os.path.dirname(path)))


@bl.section
def store_removed():
    removal("the store removed", lambda path, store: shutil.rmtree(store))


@bl.section
def moved_away():
    def move(path, store):
        os.rename(path, bl.temp("old"))
    removal("the file moved away", move)


@bl.section
def replaced_by_a_link():
    """Something planted in its place is not written to."""
    victim = bl.temp("victim")
    with open(victim, "wb") as file:
        file.write(b"precious\n")
    go = bl.temp("go")
    run = bl.start("--", EMIT, "lines", "50", "80", "wait", go, "out", b"after\n".hex())
    run.wait_log(lambda log: len(log.lines) == 50, "50 lines in the log")
    path = run.path
    os.unlink(path)
    os.symlink(victim, path)
    run.read_until(b"buildlog", stream="err")
    open(go, "wb").close()
    run.finish()
    bl.equal((run.status, run.out.count(b"\n")), (0, 51), "a link in its place: the command is "
             "not disturbed")
    with open(victim, "rb") as file:
        bl.equal(file.read(), b"precious\n", "what the link points to is untouched")
    bl.ok(os.path.islink(path) and b"no end" in run.err or not os.path.islink(path),
          "stderr says that the log has no end", run.err)


@bl.section
def same_name_other_file():
    """Replaced by a copy: not the locked inode any more, so made anew or taken back whole."""
    go = bl.temp("go")
    run = bl.start("--", EMIT, "lines", "50", "80", "wait", go, "out", b"after\n".hex())
    run.wait_log(lambda log: len(log.lines) == 50, "50 lines in the log")
    copy = run.path + ".copy"
    shutil.copy(run.path, copy)
    os.rename(copy, run.path)
    inode = os.stat(run.path).st_ino
    bl.wait_for(lambda: os.stat(run.path).st_size > 0 and (
        os.stat(run.path).st_ino != inode or run.path and b"gap" in open(run.path, "rb").read()
        or b'"attempt":2' in open(run.path, "rb").read()
        or open(run.path, "rb").read().count(b"startedAt") > 1), "the copy is noticed", 10)
    open(go, "wb").close()
    run.finish()
    bl.equal(run.status, 0, "replaced by a copy: the command is not disturbed")
    data = open(run.path, "rb").read()
    bl.ok(b'"msg":"after"' in data and b"endedAt" in data, "what came after is in the file that "
          "the path names", run.err)


bl.done()
