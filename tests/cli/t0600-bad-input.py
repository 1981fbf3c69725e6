#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Everything that can be typed wrongly: one line that names who, what, the subject in quotes and
why, status 125, nothing created, the command not started."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

GOOD_ID = bl.fresh_id()


def refused(args, *words, name=None):
    store, marker = bl.temp("store"), bl.temp("marker")
    command = [] if args and args[-1] is None else ["--", "touch", marker]
    args = [arg for arg in args if arg is not None]
    run = bl.run(*args, *command, store=store)
    name = name or " ".join(bl.show(repr(arg), 40) for arg in args) or "nothing"
    lines = run.err.splitlines()
    bl.equal((run.status, run.out), (125, b""), f"{name}: 125", run.err)
    bl.ok(len(lines) == 1 and run.err.endswith(b"\n") and lines[0].startswith(b"buildlog run: "),
          f"{name}: one line", run.err)
    bl.ok(all(word.encode() in run.err for word in words), f"{name}: says {words}", run.err)
    bl.ok(not os.path.exists(store) and not os.path.exists(marker), f"{name}: nothing created")
    bl.ok(all(byte >= 32 for line in lines for byte in line), f"{name}: no control bytes")


@bl.section
def operands():
    refused([None])
    refused(["--", None])
    refused(["--label", "a=b", None])
    refused(["--timeout", None], "--timeout")


@bl.section
def ids():
    bad = ["", "x", GOOD_ID[:25], GOOD_ID + "0", "8" + GOOD_ID[1:], GOOD_ID.lower(),
           GOOD_ID[:-1] + "I", GOOD_ID[:-1] + "L", GOOD_ID[:-1] + "O", GOOD_ID[:-1] + "U",
           "../../../../../../etc/passwd", "/" + GOOD_ID[1:], GOOD_ID[:-1] + "/",
           GOOD_ID[:-1] + ".", " " + GOOD_ID[1:], GOOD_ID + "\n", "é" + GOOD_ID[2:],
           "\x1b[31m" + GOOD_ID[5:], "last", "-1"]
    for item in bad:
        refused(["--id", item])
        refused(["--id=" + item])


@bl.section
def durations():
    for option in ("--timeout", "--idle-timeout", "--grace", "--linger"):
        for item in ("", "x", "-1", "+1", "1x", "1 s", " 1", "1.5s", "s", "1s1s", "1m1h",
                     "9" * 30, "1e3", "0x10", "infinite"):
            refused([f"{option}={item}"], option, f"'{item}'"
                    if item and item.isascii() else option)
    for option in ("--timeout", "--idle-timeout", "--grace"):
        refused([f"{option}=inf"], option)


@bl.section
def numbers():
    for option, bad in (("--max-line", ("", "x", "-1", "0", "1.5k", "10M", "9" * 30, "k", "1kk")),
                        ("--max-log", ("", "x", "-1", "0", "1", "1.5M", "9" * 30, "M"))):
        for item in bad:
            refused([f"{option}={item}"], option)


@bl.section
def choices():
    for option, words in (("--forward", "redacted raw none"), ("--redact", "on off"),
                          ("--payload", "full none"), ("--order", "arrival merge"),
                          ("--long-lines", "truncate split"), ("--on-closed", "continue stop"),
                          ("--sync", "none end always")):
        for item in ("", "x", words.split()[0].upper(), words.split()[0] + " "):
            refused([f"{option}={item}"], option)
        refused([f"{option}=x"], *words.split())


@bl.section
def labels():
    for item in ("", "x", "=x", "1=x", "a b=c", "a\n=c", "é=x", "x" * 65 + "=1", "-a=b"):
        refused([f"--label={item}"], "--label")


@bl.section
def unknown_options():
    refused(["--tiemout", "5"], "'--tiemout'", "--timeout")
    refused(["--lable", "a=b"], "--label")
    refused(["--requirelog"], "--require-log")
    refused(["--idle-timeuot=5"], "--idle-timeout")
    refused(["--nothing-like-it-at-all"], "'--nothing-like-it-at-all'")
    refused(["-Z"], "-Z")
    refused(["--\x1b[31m"])
    refused(["--quiet=yes"], "--quiet")


@bl.section
def missing_values():
    for option in ("--id", "--timeout", "--label", "--max-line", "--forward", "--name"):
        refused([option, None], option)


@bl.section
def last_one_wins():
    run = bl.run("--name", "a", "--name=b", "--", "true")
    bl.equal(run.log.start.get("name"), "b", "an option given twice: the last wins")


bl.done()
