#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A reader that goes away (`| head -1`) stops forwarding, not logging and not the command;
--on-closed stop lets the command meet the SIGPIPE it would have met."""
import os
import signal
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")


def pipeline(options, command, reader):
    status = bl.temp("status")
    run = bl.bare("bash", "-c", f'"$1" run {options} -- {command} | {reader}; '
                  'echo "${PIPESTATUS[0]}" >"$2"', "bash", bl.BIN, status, EMIT)
    with open(status, encoding="ascii") as file:
        run.first_status = int(file.read())
    return run


@bl.section
def head():
    run = pipeline("", "seq 300000", "head -1")
    bl.equal((run.out, run.err, run.first_status), (b"1\n", b"", 0), "run -- seq | head -1")
    log = bl.sound(run, "| head -1: the log is sound")
    bl.equal((log.end["lines"], log.end["complete"], log.end["status"]), (300_000, True, "ok"),
             "| head -1: everything is logged")


@bl.section
def stop():
    run = pipeline("--on-closed stop", "seq 100000000", "head -1")
    bl.equal((run.out, run.err), (b"1\n", b""), "--on-closed stop | head -1")
    bl.equal(run.first_status, 128 + signal.SIGPIPE, "the command met its SIGPIPE, so does "
             "buildlog")
    log = bl.sound(run, "--on-closed stop: the log is sound")
    bl.equal((log.end["status"], log.end["signal"]), ("signaled", "SIGPIPE"), "and the log says so")


@bl.section
def stop_other_stream():
    """Only the closed stream is closed: stderr goes on."""
    run = pipeline("--on-closed stop", "sh -c 'trap \"\" PIPE; while echo x; do :; done "
                   "2>/dev/null; echo still >&2; exit 3'", "head -1")
    bl.equal((run.first_status, run.err), (3, b"still\n"), "the other stream lives on")
    bl.equal(run.log.msgs("stderr"), ["still"], "and is logged")


@bl.section
def closed_at_once():
    run = pipeline("", "sh -c 'echo a; echo b >&2; echo c'", "true")
    bl.equal((run.first_status, run.err), (0, b"b\n"), "a reader that never reads")
    bl.equal(run.log.msgs("stdout"), ["a", "c"], "a reader that never reads: logged")


@bl.section
def command_status_survives():
    run = pipeline("", "sh -c 'seq 100000; exit 7'", "head -1")
    bl.equal(run.first_status, 7, "the status is the command's, not SIGPIPE's")


@bl.section
def stderr_reader_gone():
    read_end, write_end = os.pipe()
    os.close(read_end)
    run = bl.run("--", EMIT, "both", "20000", stderr=write_end)
    os.close(write_end)
    bl.equal((run.status, run.out.count(b"\n")), (0, 20_000), "stderr closed: stdout flows on")
    log = bl.sound(run, "stderr closed: the log is sound")
    bl.equal(len(log.msgs("stderr")), 20_000, "stderr closed: all of it is logged")


@bl.section
def reader_leaves_while_blocked():
    """buildlog waits for a full pipe when its reader goes."""
    run = bl.start("--", EMIT, "lines", "100000", "80")
    run.read_until(b"\n")
    run.process.stdout.close()
    run.process.stdout = open(os.devnull, "rb")
    run.finish()
    bl.equal((run.status, run.log.end["lines"]), (0, 100_000), "a reader that leaves a full pipe")


bl.done()
