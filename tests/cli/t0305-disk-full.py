#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disk full, and space coming back: the command runs on, every line is in the file or counted by
a gap record to the line, `complete` tells the truth, and the file has its end."""
import os
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")


def own_lines(run):
    return [line for line in run.err.splitlines() if line.startswith(b"buildlog")]


def counted(log, lines, size, name):
    """Lines written and lines in gaps add up."""
    bl.equal(len(log.lines) + sum(gap["lines"] for gap in log.gaps), lines,
             f"{name}: every line is there or counted")
    bl.equal((log.end["lines"], log.end["bytes"]), (lines, size), f"{name}: the end record's "
             "totals")
    bl.equal(log.end["complete"], not log.gaps, f"{name}: complete tells the truth")
    numbers = [int(msg.split()[0]) for msg in log.msgs() if msg[:1].isdigit()]
    bl.ok(numbers == sorted(set(numbers)), f"{name}: none twice, in order")


@bl.section
def full_for_good():
    """40 MB of records into 1 MB: the newest ones and the end are kept."""
    run = bl.run("--", EMIT, "lines", "200000", "80", binary=bl.FAULT_BIN,
                 env={"BUILDLOG_SPACE": str(1 << 20)}, seconds=60)
    bl.equal((run.status, len(run.out)), (0, 16_000_000), "full for good: the command runs on")
    bl.ok(own_lines(run), "full for good: stderr tells", run.err)
    log = bl.sound(run, "full for good: the log is sound, with its end")
    counted(log, 200_000, 16_000_000, "full for good")
    bl.ok(log.gaps and len(log.lines) > 1000, "full for good: what fits is kept")


@bl.section
def full_at_every_size():
    """The last byte that fits falls everywhere: start record, line, end."""
    bad = []
    for space in list(range(0, 1200, 37)) + list(range(8000, 20000, 997)):
        run = bl.run("--", EMIT, "lines", "40", "80", binary=bl.FAULT_BIN,
                     env={"BUILDLOG_SPACE": str(space)})
        if (run.status, len(run.out)) != (0, 3200):
            bad.append((space, run.status, run.err))
        elif run.paths:
            log = bl.read_log(run.path, finished=False)
            whole = log.end and not log.torn
            if log.errors or not whole and b"no end" not in run.err:
                bad.append((space, log.errors, log.torn, run.err))
            if log.end and log.end["lines"] != 40:
                bad.append((space, log.end))
    bl.equal(bad, [], "full after N bytes, for many N: sound, or said to have no end")


@bl.section
def space_comes_back():
    for lines in (1000, 300_000):
        back, go = bl.temp("back"), bl.temp("go")
        run = bl.start("--", EMIT, "lines", lines, "80", "wait", go, "out", b"after\n".hex(),
                       binary=bl.FAULT_BIN,
                       env={"BUILDLOG_SPACE": "100000", "BUILDLOG_SPACE_BACK": back})
        run.read_until(b"%010d " % (lines - 1), 60)
        run.read_until(b"buildlog", 30, "err")
        open(back, "wb").close()
        log = run.wait_log(lambda log, n=lines: log.lines and
                           log.lines[-1]["msg"].startswith(f"{n - 1:010d} "),
                           "what waited is written once there is space")
        open(go, "wb").close()
        run.finish()
        name = f"space comes back, {lines} lines"
        bl.equal((run.status, run.out.count(b"\n")), (0, lines + 1), f"{name}: the command is "
                 "not disturbed")
        log = bl.sound(run, f"{name}: the log is sound")
        counted(log, lines + 1, lines * 80 + 6, name)
        bl.ok(bool(log.gaps) == (lines > 100_000), f"{name}: 8 MiB wait in memory, what is more "
              "gives way", log.gaps)
        names = log.event_names()
        bl.ok("log_recovered" in names, f"{name}: events tell", names)
        bl.ok(len(own_lines(run)) <= 3, f"{name}: stderr is not flooded", run.err)


@bl.section
def real_file_system():
    """A small tmpfs of its own, where the system lets us have one."""
    script = """
        set -e
        mount -t tmpfs -o size=600k none "$1"
        "$2" run --dir "$1/store" -- "$3" lines 20000 80 >"$4/out" 2>"$4/err"; echo $? >"$4/rc"
        cp -r "$1/store" "$4/store"
    """
    place, result = bl.temp("mount"), bl.temp("result")
    os.mkdir(place)
    os.mkdir(result)
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script,
                           "sh", place, bl.BIN, EMIT, result], env=bl.environment(),
                          capture_output=True, timeout=60 * bl.SCALE, check=False)
    if not os.path.exists(result + "/rc"):
        bl.skip("a full tmpfs", "no mount here: " + done.stderr.decode().strip()[:60])
        return
    with open(result + "/rc", encoding="ascii") as file:
        bl.equal(file.read(), "0\n", "a full tmpfs: the command's status")
    bl.equal(os.path.getsize(result + "/out"), 1_600_000, "a full tmpfs: all output")
    with open(result + "/err", "rb") as file:
        err = file.read()
    bl.ok(err.startswith(b"buildlog"), "a full tmpfs: stderr tells", err)
    found = bl.Run.paths.fget(type("Place", (), {"store": result + "/store"}))
    log = bl.sound(bl.read_log(found[0]), "a full tmpfs: the log is sound, with its end")
    counted(log, 20_000, 1_600_000, "a full tmpfs")


bl.done()
