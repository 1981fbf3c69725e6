#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the command starts with: the caller's standard input, directory, arguments, limits and
environment but for BUILDLOG_ID and BUILDLOG_DIR; no foreign descriptor."""
import os
import resource
import socket
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl


@bl.section
def standard_input():
    data = os.urandom(300_000).replace(b"\n", b"x")
    run = bl.run("--max-line", "1M", "--", "cat", data=data)
    bl.equal((run.out, run.status), (data, 0), "standard input reaches the command")
    bl.sound(run, "the log is sound")
    run = bl.run("--", "sh", "-c", "read a; echo \"got $a\"; cat", data=b"one\ntwo\n")
    bl.equal(run.out, b"got one\ntwo\n", "buildlog takes nothing of it")
    run = bl.run("--", "sh", "-c", "cat; echo rc=$?",
                 preexec=lambda: os.close(0))
    bl.ok(run.status == 0 and run.out.endswith(b"\n"), "closed at the start: runs", run.err)
    run = bl.run("--", "sh", "-c", "[ -e /proc/self/fd/0 ] || echo none",
                 preexec=lambda: os.close(0))
    bl.equal(run.out, b"none\n", "closed at the start: closed for the command")


@bl.section
def untouched_flags():
    """O_NONBLOCK is shared with the caller's descriptor and must not appear on it."""
    ours, theirs = socket.socketpair()
    go = bl.temp("go")
    read_end, write_end = os.pipe()
    run = bl.start("--", bl.helper("emit"), "out", b"x".hex(), "wait", go, stdin=read_end,
                   stdout=write_end, stderr=theirs)
    bl.wait_for(lambda: run.paths and run.log.records or None, "the command runs")
    bl.equal([os.get_blocking(fd) for fd in (read_end, write_end, theirs.fileno())],
             [True] * 3, "inherited descriptors stay blocking")
    open(go, "wb").close()
    run.finish()
    bl.equal([os.get_blocking(fd) for fd in (read_end, write_end, theirs.fileno())],
             [True] * 3, "also afterwards")
    for item in (ours, theirs):
        item.close()


@bl.section
def descriptors():
    script = "ls -l /proc/self/fd | awk 'NR>1 && $9>2 {print $9, $11}' | grep -v ' /proc/'; :"
    run = bl.run("--", "sh", "-c", script)
    bl.equal(run.out, b"", "no descriptor of buildlog's reaches the command")
    read_end, write_end = os.pipe()
    run = bl.run("--", "sh", "-c", f"echo through >&{write_end}", pass_fds=(write_end,))
    os.close(write_end)
    bl.equal(os.read(read_end, 100), b"through\n", "one of the caller's does")
    os.close(read_end)


@bl.section
def environment():
    env = {"A_VARIABLE": "value with = and \n newline"}
    run = bl.run("--", "env", "-0", env=env)
    got = set(run.out.rstrip(b"\0").split(b"\0"))
    want = set(bl.bare("env", "-0", env=env, store=run.store).out.rstrip(b"\0").split(b"\0"))
    extra = {item.split(b"=")[0] for item in got - want}
    bl.equal((want - got, extra - {b"BUILDLOG_ID", b"BUILDLOG_DIR", b"BUILDLOG_SOCKET"}),
             (set(), set()), "the environment is the caller's but for BUILDLOG_*")
    log = run.log
    bl.ok(b"BUILDLOG_ID=" + log.start["buildId"].encode() in got, "BUILDLOG_ID is the build's")
    bl.ok(b"BUILDLOG_DIR=" + run.store.encode() in got, "BUILDLOG_DIR is the store's")
    secretless = bl.run("--", "true", env={"SOME_VARIABLE": "zebra-in-the-environment"})
    bl.ok(b"zebra" not in secretless.log.data, "no environment is recorded")


@bl.section
def arguments():
    words = ["", " ", "two words", "-x", "--", "--help", "$HOME", "é\n\t", "*"]
    run = bl.run("--", "printf", "%s\\0", *words)
    bl.equal(run.out, "".join(word + "\0" for word in words).encode(), "arguments pass unchanged")
    bl.equal(run.log.start["cmd"], ["printf", "%s\\0", *words], "and are in the start record")
    run = bl.run("printf", "%s.", "--timeout", "--", "x")
    bl.equal(run.out, b"--timeout.--.x.", "option parsing stops at the first operand")
    run = bl.run("--", "printf", "%s.", b"\xff\xfe".decode("utf-8", "surrogateescape"))
    bl.equal(run.out, b"\xff\xfe.", "bytes that are no UTF-8 pass as arguments")
    bl.equal(run.log.start["cmd"][-1], "\ufffd\ufffd", "and are repaired in the record")


@bl.section
def directory_and_limits():
    folder = os.path.join(bl.TMP, "a folder")
    os.mkdir(folder)
    run = bl.run("--", "sh", "-c", "pwd; umask; ulimit -n", cwd=folder,
                 preexec=lambda: (os.umask(0o027),
                                  resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))))
    bl.equal(run.out.split(b"\n")[:3], [folder.encode(), b"0027", b"200"],
             "directory, umask and limits are the caller's")
    bl.equal(run.log.start["cwd"], folder, "cwd in the start record")
    gone = os.path.join(bl.TMP, "gone")
    os.mkdir(gone)
    run = bl.run("--", "echo", "still", cwd=gone, preexec=lambda: os.rmdir(gone))
    bl.equal((run.status, run.out), (0, b"still\n"), "a removed working directory is no reason"
             " to fail", run.err)


bl.done()
