#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a build says about itself: names, labels, TRACEPARENT, the host, nested builds and their
parents; user, project and request."""
import os
import socket
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl


@bl.section
def plain():
    run = bl.run("--", "sh", "-c", "echo $PPID")
    log = bl.sound(run, "the log is sound")
    start = log.start
    bl.equal((start["cmd"], start["cwd"], start["host"], start["pid"], start["tty"]),
             (["sh", "-c", "echo $PPID"], os.getcwd(), socket.gethostname(), int(run.out), False),
             "cmd, cwd, host, pid, tty")
    bl.equal((start["order"], start["redact"], start["forward"], start["lock"]),
             ("arrival", "on", "redacted", True), "the defaults")
    absent = {"userId", "projectId", "reqId", "traceId", "spanId", "parentId", "name", "labels",
              "attempt"}
    bl.equal(absent & set(start), set(), "absent values are left out")
    version = bl.bare(bl.BIN, "--version").out.decode()
    bl.ok(start["version"] in version, "the version", version, start["version"])


@bl.section
def names():
    run = bl.run("--user", "u é", "--project", "p", "--req-id", "r-1", "--name", "unit tests",
                 "--", "true")
    start = bl.sound(run, "names: the log is sound").start
    bl.equal([start.get(key) for key in ("userId", "projectId", "reqId", "name")],
             ["u é", "p", "r-1", "unit tests"], "user, project, request, name")


@bl.section
def labels():
    run = bl.run("--label", "a=1", "--label", "b.c-d=x=y", "--label", "empty=",
                 "--label", 'kind="q" \\ \n\x01', "--label", "a=2", "--", "true")
    start = bl.sound(run, "labels: the log is sound").start
    got = start["labels"]
    bl.equal((got["b.c-d"], got["empty"], got["kind"]), ("x=y", "", '"q" \\ \n\x01'),
             "labels keep any value")
    bl.equal(got["a"], "2", "a key given twice: once in the record, the last value")
    bl.equal(start["kind"], "meta", "a label never replaces a key of the table")


@bl.section
def hostile_text():
    nasty = b"\xff\xfe\xed\xa0\x80".decode("utf-8", "surrogateescape")
    run = bl.run("--name", nasty, "--label", "x=" + nasty, "--", "echo", nasty)
    start = bl.sound(run, "bytes that are no UTF-8 in options: the log is sound").start
    bl.equal((start["name"], start["labels"]["x"]), ("\ufffd" * 5, "\ufffd" * 5), "repaired")


@bl.section
def long_text():
    run = bl.run("--label", "x=" + "v" * 100_000, "--", "true", *["a" * 1000] * 100)
    bl.equal(run.status, 0, "a long command line runs", run.err)
    bl.sound(run, "a long command line: the log is sound")


@bl.section
def trace():
    trace_id, span_id = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    run = bl.run("--", "sh", "-c", "echo $TRACEPARENT",
                 env={"TRACEPARENT": f"00-{trace_id}-{span_id}-01"})
    start = bl.sound(run, "TRACEPARENT: the log is sound").start
    bl.equal((start.get("traceId"), start.get("spanId")), (trace_id, span_id), "TRACEPARENT is "
             "recorded")
    bl.equal(run.out.decode(), f"00-{trace_id}-{span_id}-01\n", "and passed on")
    for bad in ("", "x", f"00-{trace_id}", f"00-{'0' * 32}-{span_id}-01",
                f"00-{trace_id}-{'0' * 16}-01", f"00-{trace_id.upper()}-{span_id}-01",
                f"ff-{trace_id}-{span_id}-01", f"00-{trace_id[:-1]}g-{span_id}-01"):
        run = bl.run("--", "sh", "-c", "echo $TRACEPARENT", env={"TRACEPARENT": bad})
        bl.equal((run.status, run.err, {"traceId", "spanId"} & set(run.log.start)),
                 (0, b"", set()), f"TRACEPARENT {bad!r}: not taken, no word of it")


@bl.section
def nested():
    store = bl.temp("store")
    run = bl.run("--", bl.BIN, "run", "--", bl.BIN, "run", "--", "sh", "-c",
                 "echo $BUILDLOG_ID; exit 3", store=store)
    bl.equal((run.status, run.err), (3, b""), "nested: the status passes through")
    logs = {log.start["buildId"]: log for log in map(bl.read_log, run.paths)}
    bl.equal((len(logs), [log.errors for log in logs.values() if log.errors]), (3, []),
             "nested: three sound logs in one store")
    chain, current = [], run.out.decode().strip()
    while current:
        chain.append(current)
        current = logs[current].start.get("parentId")
    bl.equal(len(chain), 3, "nested: parentId leads to the outermost")
    bl.equal({log.msgs()[0] for log in logs.values()}, {chain[0]}, "nested: each has the line")


@bl.section
def nested_parent_malformed():
    run = bl.run("--", "true", env={"BUILDLOG_ID": "../../x"})
    bl.equal((run.status, "parentId" in run.log.start), (0, False), "a BUILDLOG_ID that is no id "
             "is not taken")


@bl.section
def relative_store_in_nested():
    folder = bl.temp("work")
    os.mkdir(folder)
    run = bl.run("--dir", "here", "--", "sh", "-c", f'cd / && "{bl.BIN}" run -- true',
                 cwd=folder)
    run.store = folder + "/here"
    bl.equal((run.status, len(run.paths)), (0, 2), "nested from another directory: the same store",
             run.err)


bl.done()
