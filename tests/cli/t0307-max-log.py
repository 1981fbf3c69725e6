#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--max-log ends recording, never the command: the file stays below the size and closes with one
gap record that counts what came after, and an end record. --sync changes nothing one can see."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")


@bl.section
def bounded():
    for size, limit in (("64K", 64 << 10), ("200k", 200 << 10), ("1M", 1 << 20)):
        run = bl.run("--max-log", size, "--", EMIT, "lines", "30000", "80")
        bl.equal((run.status, len(run.out), run.err), (0, 2_400_000, b""),
                 f"{size}: the command is not disturbed")
        log = bl.sound(run, f"{size}: the log is sound")
        bl.ok(limit // 2 < len(log.data) <= limit, f"{size}: the file has {len(log.data)} bytes")
        bl.equal([(gap["seq"], gap["reason"]) for gap in log.gaps], [(30000, "max_log")],
                 f"{size}: one gap record")
        bl.equal((len(log.lines) + log.gaps[0]["lines"], log.end["lines"], log.end["complete"]),
                 (30000, 30000, False), f"{size}: every line is there or counted")
        bl.equal(log.records[-2]["kind"], "gap", f"{size}: the gap is the last but one")


@bl.section
def enough_room():
    run = bl.run("--max-log", "1M", "--", EMIT, "lines", "100", "80")
    log = bl.sound(run, "enough room: the log is sound")
    bl.equal((log.gaps, log.end["complete"]), ([], True), "enough room: nothing to see")


@bl.section
def disk_is_given_back():
    run = bl.run("--", EMIT, "lines", "100", "80")
    stat = os.stat(run.path)
    bl.ok(stat.st_blocks * 512 <= stat.st_size + 65536, "what was reserved on the disk is given "
          "back", stat.st_blocks * 512, stat.st_size)


@bl.section
def sync():
    for mode in ("none", "end", "always"):
        run = bl.run("--sync", mode, "--", EMIT, "lines", "100", "80")
        bl.equal((run.status, run.err), (0, b""), f"--sync {mode}: runs")
        log = bl.sound(run, f"--sync {mode}: the log is sound")
        bl.equal(len(log.lines), 100, f"--sync {mode}: every line")
    run = bl.run("--sync", "end", "--", "echo", "x", binary=bl.FAULT_BIN,
                 env={"BUILDLOG_FAULT": "fdatasync:1:EIO:persist,fsync:1:EIO:persist"})
    bl.equal((run.status, run.out), (0, b"x\n"), "--sync end that fails: the status is the "
             "command's")
    bl.ok(b"buildlog" in run.err, "--sync end that fails: stderr tells", run.err)
    run = bl.run("--sync", "none", "--", "echo", "x", binary=bl.FAULT_BIN,
                 env={"BUILDLOG_FAULT": "fdatasync:1:EIO:persist,fsync:1:EIO:persist"})
    bl.equal((run.status, run.err), (0, b""), "--sync none never asks for it")


bl.done()
