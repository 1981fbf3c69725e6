#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lines that register a value: ::add-mask::VALUE, with --add-mask and in GitHub Actions, where the
runner has to see them as they are. Any split of the output gives the same log and the same
forwarded bytes."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

SECRET = "pine" + "apple-" * 2
MASK = "::add-mask::"
KNOWN = "[REDACTED:known-value]"
GITHUB = {"GITHUB_ACTIONS": "true"}
TEXT = f"one {SECRET}\n{MASK}{SECRET}\ntwo {SECRET}\n"


def cat(text, *options, env=None):
    return bl.run(*options, "--", "cat", data=text.encode(), env=env)


def masks(log, name="mask_added"):
    return [event for event in log.events if event["event"] == name]


@bl.section
def not_obeyed():
    for env in (None, {"GITHUB_ACTIONS": "false"}, {"GITHUB_ACTIONS": ""}, {"CI": "true"}):
        run = cat(TEXT, env=env)
        bl.equal((run.out.decode(), run.log.events), (TEXT, []), f"{env}: a line like any other")


@bl.section
def obeyed():
    run = cat(TEXT, "--add-mask", "--quiet")
    want = f"one {SECRET}\n{MASK}[REDACTED]\ntwo {KNOWN}\n"
    bl.equal((run.out.decode(), run.err), (want, b""), "--add-mask: what is forwarded")
    log = bl.sound(run, "--add-mask: the log is sound")
    bl.equal("".join(f"{msg}\n" for msg in log.msgs()), want, "--add-mask: the log has the same")
    bl.equal([(event["level"], event["component"], event["source"]) for event in masks(log)],
             [("info", "redact", "add-mask")], "--add-mask: one event")
    bl.equal(log.end["redactions"]["add-mask"], 1, "--add-mask: counted in the end record")


@bl.section
def in_github_actions():
    run = cat(TEXT, "--quiet", env=GITHUB)
    bl.equal(run.out.decode(), f"one {SECRET}\n{MASK}{SECRET}\ntwo {KNOWN}\n",
             "GitHub Actions: the line is forwarded byte for byte")
    log = bl.sound(run, "GitHub Actions: the log is sound")
    bl.equal(log.msgs(), [f"one {SECRET}", f"{MASK}[REDACTED]", f"two {KNOWN}"],
             "GitHub Actions: the log has a mark")
    bl.equal(len(masks(log)), 1, "GitHub Actions: registered once")
    run = cat(TEXT, "--forward", "raw", env=GITHUB)
    bl.equal((run.out.decode(), run.log.msgs()[1], len(masks(run.log))),
             (TEXT, f"{MASK}[REDACTED]", 1), "GitHub Actions, --forward raw")
    run = cat(TEXT, "--forward", "none", env=GITHUB)
    bl.equal((run.out, run.log.msgs()[1], len(masks(run.log))), (b"", f"{MASK}[REDACTED]", 1),
             "GitHub Actions, --forward none")
    run = cat(TEXT, "--redact", "off", env=GITHUB)
    bl.equal((run.out.decode(), run.log.bytes_of().decode()), (TEXT, TEXT),
             "GitHub Actions, --redact off: nothing is touched")


@bl.section
def both_streams():
    script = f"echo '{MASK}{SECRET}' >&2; echo {SECRET} >&2"
    run = bl.run("--add-mask", "--quiet", "--", "sh", "-c", script)
    bl.equal(run.err.decode(), f"{MASK}[REDACTED]\n{KNOWN}\n", "standard error, too")
    run = bl.run("--add-mask", "--order", "merge", "--quiet", "--", "sh", "-c", script)
    bl.equal(run.out.decode(), f"{MASK}[REDACTED]\n{KNOWN}\n", "--order merge")


@bl.section
def command_line():
    run = bl.run("--add-mask", "--label", f"x={MASK}{SECRET}", "--quiet", "--",
                 "echo", MASK + SECRET)
    bl.equal((run.log.start["cmd"][1], run.log.start["labels"]["x"]), (f"{MASK}[REDACTED]",) * 2,
             "the command line and labels get a mark")
    bl.equal(len(masks(run.log)), 1, "but only output registers")


@bl.section
def which_lines():
    for line, count, name in ((f"{MASK}{SECRET}", 1, "without a newline at the end"),
                              (f"x {MASK}{SECRET}\n", 0, "not at the start of the line"),
                              (f"  {MASK}{SECRET}\n", 1, "indented, which the runner takes"),
                              (f"x\n{MASK}{SECRET}\r\n", 1, "CR LF"),
                              (f"{MASK}\n", 0, "no value"),
                              (f"::add-mask ::{SECRET}\n", 0, "another command")):
        run = cat(line, "--add-mask", "--quiet")
        bl.equal(len(masks(run.log)), count, name, run.out)
    run = cat(f"{MASK}{SECRET}\n{MASK}{SECRET}\r\n{MASK}{SECRET}", "--add-mask", "--quiet")
    bl.equal(len(masks(run.log)), 1, "one value, however often")


@bl.section
def decoded():
    for written, value in (("per%25cent-sign", "per%cent-sign"), ("per%2525cent", "per%25cent"),
                           ("per%0acent-lower", "per%0acent-lower"), ("value-with-%2", "value-with-%2")):
        run = cat(f"{MASK}{written}\nis {value}\n", "--add-mask", "--quiet")
        bl.equal(run.log.msgs()[1], f"is {KNOWN}", f"{written}: decoded as the runner does")
    run = cat(f"{MASK}first-line%0D%0Asecond-line\nfirst-line\nsecond-line\n", "--add-mask", "--quiet")
    bl.equal(run.log.msgs()[1:], [KNOWN, KNOWN], "the lines of a value count, too")


@bl.section
def bounds():
    text = "".join(f"{MASK}{value}\n" for value in ("short", "tiny", "x" * 65536, "x" * 7))
    log = bl.sound(cat(text, "--add-mask", "--quiet"), "bounds: the log is sound")
    bl.equal([event["reason"] for event in masks(log, "mask_refused")], ["shorter than 8 bytes"],
             "short ones: one event")
    bl.equal((len(masks(log)), log.msgs()), (1, [f"{MASK}[REDACTED]"] * 4),
             "they get their mark all the same")
    text = "".join(f"{MASK}value-{n:05}\n" for n in range(1200))
    log = bl.sound(cat(text, "--add-mask", "--quiet"), "too many: the log is sound")
    bl.equal((len(masks(log)), [event["reason"] for event in masks(log, "mask_refused")]),
             (1000, ["the build has 1000 values already"]), "1000 values, then one event")


@bl.section
def splits():
    """One byte at a time, whole lines, all at once, in GitHub Actions: the same bytes."""
    text = (f"start {SECRET}\n{MASK}{SECRET}\nthen {SECRET} and\n::add-mas\n::add-mask:x\n"
            f"x {MASK}not-a-value {SECRET}\n{MASK}another-value\nanother-value {SECRET}").encode()
    results = set()
    for size in (1, 2, 3, 7, 11, 25, 40, len(text)):
        run = bl.start("--quiet", "--", "cat", env=GITHUB, stdin=bl.PIPE)
        for at in range(0, len(text), size):
            os.write(run.process.stdin.fileno(), text[at:at + size])
            if at == 0:
                run.read_until(b"s")
        run.finish(data=b"")
        log = bl.sound(run, f"pieces of {size}: the log is sound")
        results.add((run.out, "\n".join(log.msgs())))
    bl.equal(len(results), 1, "any split: the same log and the same bytes", *results)
    for size in (1, 5, 64):
        script = "import os, sys, time\n" \
                 f"t = {text!r}\n" \
                 f"for i in range(0, len(t), {size}): os.write(1, t[i:i + {size}]); os.sched_yield()\n"
        run = bl.run("--quiet", "--", sys.executable, "-c", script, env=GITHUB)
        results.add((run.out, "\n".join(run.log.msgs())))
    bl.equal(len(results), 1, "nor does the writer's pace matter", *results)


bl.done()
