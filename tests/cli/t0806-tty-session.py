#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the log and the environment know of the command's terminal: its size, with every change of
it, for a recording; its name, for gpg-agent."""
import fcntl
import json
import os
import struct
import sys
import termios
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl


def resize(tty, rows, cols):
    fcntl.ioctl(tty.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def cast(tty, *words):
    run = bl.bare(bl.BIN, "export", "--dir", tty.store, *words)
    bl.equal(run.status, 0, "exported")
    lines = run.out.decode().splitlines()
    return json.loads(lines[0]), [json.loads(line) for line in lines[1:]]


def sizes(log):
    return [(event["columns"], event["rows"]) for event in log.events if event["event"] == "resize"]


@bl.section
def start_record():
    tty = bl.Pty([bl.BIN, "run", "--", "echo", "wide"], rows=43, cols=132)
    bl.equal(tty.finish(), 0, "a wide terminal")
    bl.equal(list(tty.log.start)[-2:], ["columns", "rows"], "the size comes last")
    bl.equal((tty.log.start["columns"], tty.log.start["rows"]), (132, 43), "as it was")
    bl.equal(tty.log.events, [], "an undisturbed build has no event")
    header, events = cast(tty)
    bl.equal((header["width"], header["height"]), (132, 43), "a recording has the size")
    bl.equal(cast(tty, "-o", "asciicast-v3")[0]["term"], {"cols": 132, "rows": 43},
             "one of version 3, too")
    bl.equal(cast(tty, "--size", "90x20")[0]["width"], 90, "--size says otherwise")
    run = bl.run("--", "true")
    bl.ok("columns" not in run.log.start, "without a terminal there is no size", run.log.start)
    run = bl.run("--tty=always", "--", "true", env={"COLUMNS": "111", "LINES": "33"})
    bl.equal((run.log.start["columns"], run.log.start["rows"]), (111, 33), "--tty always")
    tty = bl.Pty([bl.BIN, "run", "--", "true"], rows=0, cols=0)
    tty.finish()
    bl.ok("columns" not in tty.log.start, "a terminal that has none", tty.log.start)


@bl.section
def changes():
    script = ("echo on; read a; echo first; read a; echo second; read a; echo third; "
              "read a")
    tty = bl.Pty([bl.BIN, "run", "--", "sh", "-c", script], rows=24, cols=80)
    tty.expect(b"on\r\n")
    started = time.monotonic()
    resize(tty, 30, 100)
    tty.wait_log(lambda log: sizes(log) == [(100, 30)], "the first change")
    tty.send(b"\n")
    tty.expect(b"first\r\n")
    for columns in range(101, 141):  # as a window is dragged
        resize(tty, 31, columns)
    tty.wait_log(lambda log: sizes(log)[-1:] == [(140, 31)], "the last change")
    tty.send(b"\n\n\n")
    tty.finish()
    log = bl.sound(tty, "resized: the log is sound")
    bl.ok(len(sizes(log)) <= 2 + time.monotonic() - started, "no more than one event a second",
          sizes(log))
    bl.equal({(event["level"], event["component"]) for event in log.events}, {("info", "run")},
             "they are news, not warnings")
    for output in ("asciicast", "asciicast-v3"):
        events = cast(tty, "-o", output)[1]
        changed = [event[2] for event in events if event[1] == "r"]
        bl.equal((changed[0], changed[-1]), ("100x30", "140x31"), f"{output} has the changes")
        first = next(n for n, event in enumerate(events) if event[1] == "r")
        bl.ok(any("on" in event[2] for event in events[:first]), "where they were", events)
    bl.ok(all(event[1] != "r" for event in cast(tty, "--size", "80x24")[1]),
          "with --size there is one size")


@bl.section
def hostile():
    """What a record says is not believed where no terminal is so large."""
    tty = bl.Pty([bl.BIN, "run", "--", "echo", "on"], rows=20, cols=70)
    tty.finish()
    sound = tty.log.data
    for columns, rows in ((0, 24), (-1, 24), (80, 10001), (1.5, 24), ("80", 24), (1 << 60, 24)):
        size = b'"columns":%s,"rows":%s' % (json.dumps(columns).encode(), json.dumps(rows).encode())
        with open(tty.path, "wb") as file:
            file.write(sound.replace(b'"columns":70,"rows":20', size))
        header = cast(tty)[0]
        bl.equal((header["width"], header["height"]), (80, 24), f"not {columns}x{rows}")


@bl.section
def gpg():
    show = 'test "$GPG_TTY" = "$(tty)" && echo same; echo "is $GPG_TTY"'
    tty = bl.Pty(["sh", "-c", f'GPG_TTY=$(tty) "{bl.BIN}" run -- sh -c "$0"', show])
    tty.finish()
    bl.ok(b"same\r\n" in tty.screen, "GPG_TTY names the command's terminal", tty.screen)
    for value in ("/dev/null", "/nowhere/at/all", ""):
        tty = bl.Pty([bl.BIN, "run", "--", "sh", "-c", show], env={"GPG_TTY": value})
        tty.finish()
        bl.ok(b"is " + value.encode() + b"\r\n" in tty.screen, f"'{value}' stays", tty.screen)
    tty = bl.Pty(["sh", "-c", f'GPG_TTY=$(tty) "{bl.BIN}" run --tty never -- sh -c "$0"', show])
    tty.finish()
    bl.ok(b"same\r\n" in tty.screen, "and stays where the command keeps the terminal", tty.screen)


bl.done()
