#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stdout and stderr as a file, an appended file, a pipe, a socket, /dev/full, /dev/null, one
and the same, or closed at the start: the bytes are right and the status is the command's."""
import os
import socket
import sys
import threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
LINES = [EMIT, "lines", "20000", "80"]
SIZE = 1_600_000


def content(path):
    with open(path, "rb") as file:
        return file.read()


WANT = bl.bare(*LINES).out


def to_file(flags, before=b""):
    path = bl.temp("file")
    with open(path, "wb") as file:
        file.write(before)
    fd = os.open(path, os.O_WRONLY | flags)
    run = bl.run("--", *LINES, stdout=fd)
    os.close(fd)
    return run, content(path)


@bl.section
def files():
    run, data = to_file(0)
    bl.ok((run.status, data) == (0, WANT), "a file")
    run, data = to_file(os.O_APPEND, b"before\n")
    bl.ok((run.status, data) == (0, b"before\n" + WANT), "an appended file")
    path = bl.temp("shared")
    with open(path, "wb", buffering=0) as file:
        file.write(b"first\n")
        run = bl.run("--", *LINES, stdout=file)
        file.write(b"last\n")
    bl.ok(content(path) == b"first\n" + WANT + b"last\n", "a file whose offset is shared with "
          "the caller")


@bl.section
def one_file_for_both():
    path = bl.temp("both")
    with open(path, "wb") as file:
        run = bl.run("--", EMIT, "both", "5000", stdout=file, stderr=file)
    lines = content(path).splitlines()
    bl.equal((run.status, len(lines)), (0, 10_000), "2>&1 into a file: nothing overwritten")
    bl.ok([line for line in lines if line.startswith(b"out")]
          == [b"out %d" % n for n in range(5000)], "2>&1 into a file: stdout's lines in order")
    bl.ok([line for line in lines if line.startswith(b"err")]
          == [b"err %d" % n for n in range(5000)], "2>&1 into a file: stderr's lines in order")


@bl.section
def sockets():
    for kind, name in ((socket.SOCK_STREAM, "a stream socket"),):
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        parts = []

        def read(ours=ours, parts=parts):
            while data := ours.recv(65536):
                parts.append(data)
        thread = threading.Thread(target=read)
        thread.start()
        run = bl.run("--", *LINES, stdout=theirs)
        theirs.close()
        thread.join()
        bl.ok((run.status, b"".join(parts)) == (0, WANT), name)
        bl.ok(ours.getblocking(), f"{name}: the other end is as it was")
        ours.close()
    ours, theirs = socket.socketpair()
    ours.close()
    run = bl.run("--", *LINES, stdout=theirs)
    theirs.close()
    bl.equal((run.status, run.err, run.log.end["lines"]), (0, b"", 20_000), "a closed socket: "
             "forwarding stops, logging goes on")


@bl.section
def devices():
    with open("/dev/full", "wb") as full:
        run = bl.run("--", "sh", "-c", f'"{EMIT}" lines 20000 80; echo e >&2; exit 3',
                     stdout=full)
        log = bl.sound(run, "/dev/full: the log is sound")
        bl.equal((run.status, log.end["lines"], b"e\n" in run.err), (3, 20_001, True),
                 "/dev/full: the command's status, everything logged")
        run = bl.run("--", *LINES, stderr=full)
        bl.ok((run.status, run.out) == (0, WANT), "/dev/full as stderr")
    run = bl.run("--", *LINES, stdout=bl.DEVNULL)
    bl.equal((run.status, run.log.end["lines"]), (0, 20_000), "/dev/null")


@bl.section
def closed_at_start():
    for fds in ((1,), (2,), (1, 2), (0, 1, 2)):
        def close(fds=fds):
            for fd in fds:
                os.close(fd)
        run = bl.run("--", "sh", "-c", "echo o; echo e >&2; exit 3", preexec=close)
        name = f"{fds} closed at the start"
        bl.equal((run.status, run.out, run.err),
                 (3, b"" if 1 in fds else b"o\n", b"" if 2 in fds else b"e\n"), name)
        log = bl.sound(run, f"{name}: the log is sound, nothing else was written into it")
        bl.equal(sorted(log.msgs()), ["e", "o"], f"{name}: everything is logged")


@bl.section
def read_only():
    """A descriptor that cannot be written at all."""
    fd = os.open("/dev/null", os.O_RDONLY)
    run = bl.run("--", "sh", "-c", "echo o; exit 3", stdout=fd)
    os.close(fd)
    bl.equal((run.status, run.log.msgs()), (3, ["o"]), "stdout open for reading only")


@bl.section
def fifo():
    path = bl.temp("fifo")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY)
    os.set_blocking(reader, True)
    parts = []

    def read():
        while data := os.read(reader, 65536):
            parts.append(data)
    thread = threading.Thread(target=read)
    thread.start()
    run = bl.run("--", *LINES, stdout=writer)
    os.close(writer)
    thread.join()
    os.close(reader)
    bl.ok((run.status, b"".join(parts)) == (0, WANT), "a FIFO")


@bl.section
def non_blocking_already():
    """A descriptor that some other program made non-blocking: still every byte."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    parts = []

    def read():
        while data := os.read(read_end, 4096):
            parts.append(data)
    thread = threading.Thread(target=read)
    thread.start()
    run = bl.run("--", *LINES, stdout=write_end)
    bl.ok(not os.get_blocking(write_end), "a non-blocking stdout stays so")
    os.close(write_end)
    thread.join()
    os.close(read_end)
    bl.ok((run.status, b"".join(parts)) == (0, WANT), "a non-blocking pipe gets every byte")


bl.done()
