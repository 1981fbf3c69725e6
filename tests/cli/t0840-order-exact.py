#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--order exact: the records stand in the order of writing, across streams and processes; the end
of the output is known as with pipes; what cannot be had this way is refused or said."""
import os
import signal
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT, DOUBLEFORK = bl.helper("emit"), bl.helper("doublefork")
NEVER = "/nowhere/at/all"
PAIRS = 20_000


def exact(*args, **options):
    return bl.run("--order", "exact", *args, **options)


def python(code, *options, **more):
    return exact(*options, "--", sys.executable, "-c", code, **more)


def by_turns(count):
    return [text for n in range(count) for text in (f"out {n}", f"err {n}")]


@bl.section
def alternating():
    run = exact("--", EMIT, "both", PAIRS)
    log = bl.sound(run, "by turns: the log is sound")
    misplaced = sum(got != want for got, want in zip(log.msgs(), by_turns(PAIRS)))
    bl.equal((run.status, len(log.lines), misplaced), (0, 2 * PAIRS, 0),
             "by turns: no line misplaced")
    bl.equal((log.start["order"], log.end["complete"], log.events), ("exact", True, []),
             "by turns: said, complete, nothing else to say")
    bl.equal((run.out.splitlines()[-1], run.err.splitlines()[-1]),
             (b"out %d" % (PAIRS - 1), b"err %d" % (PAIRS - 1)), "by turns: each to its own")


@bl.section
def one_terminal():
    """Where both go to one place, its reader sees the order, too, however slow it is."""
    out = bl.bare("sh", "-c", f'"{bl.BIN}" run --order exact -- "{EMIT}" both {PAIRS} 2>&1 | '
                  "dd bs=100 2>/dev/null").out
    bl.ok(out == "".join(text + "\n" for text in by_turns(PAIRS)).encode(),
          "one place for both: the order of writing", bl.show(out))


@bl.section
def processes():
    """Each line from a process of its own; and a stream given to the other one's descriptor."""
    script = 'for i in 0 1 2 3 4 5 6 7 8 9; do "$0" out $1; "$0" err $2; "$0" out $1 >&2; done'
    run = exact("--", "sh", "-c", script, EMIT, b"o\n".hex(), b"e\n".hex())
    bl.equal([(line["src"], line["msg"]) for line in run.log.lines],
             [("stdout", "o"), ("stderr", "e"), ("stderr", "o")] * 10,
             "a process for each line: in order")


@bl.section
def pieces():
    """Lines that come in pieces stand where they were ended."""
    code = ("import os\n"
            "for fd, text in ((1, 'a'), (2, 'b'), (1, 'c\\n'), (2, ''), (2, 'd\\ne'), (1, 'f\\n'),"
            " (1, 'g')): os.write(fd, text.encode())")
    run = python(code)
    bl.equal([(line["src"], line["msg"]) for line in bl.sound(run, "pieces: sound").lines[:3]],
             [("stdout", "ac"), ("stderr", "bd"), ("stdout", "f")], "pieces: in order")
    bl.equal({line["msg"]: line.get("partial") for line in run.log.lines[3:]},
             {"g": True, "e": True}, "pieces: an empty write is no end, what has no newline is told")
    bl.equal((run.out, run.err), (b"ac\nf\ng", b"bd\ne"), "pieces: forwarded")


@bl.section
def large():
    """What fits a socket's buffer arrives whole; what does not, fails in the command."""
    run = python("import os; print(os.write(1, b'x' * 200_000) + os.write(1, b'\\n'))")
    bl.equal((run.status, run.out), (0, b"x" * 200_000 + b"\n200001\n"), "a large write: whole")
    run = python("import os\ntry: os.write(1, b'x' * 64_000_000)\n"
                 "except OSError as error: print(error.errno)")
    bl.equal((run.out, run.log.end["complete"]), (b"90\n", True), "too large a write: EMSGSIZE")
    run = exact("--", EMIT, "lines", 20000, 80)
    bl.equal((len(run.out), len(run.log.lines)), (1_600_000, 20000), "many lines in a write")


@bl.section
def other_ways_to_write():
    """writev, sendfile and splice are writes like any other."""
    source = bl.temp("source")
    with open(source, "wb") as file:
        file.write(b"from a file\n" * 5000)
    run = python("import os\nos.writev(1, [b'a', b'b\\n'])\n"
                 f"f = os.open({source!r}, 0); n = 60000; at = 0\n"
                 "while at < n: at += os.sendfile(1, f, at, n - at)\n"
                 "os.write(2, b'end\\n')")
    bl.equal((run.status, run.out == b"ab\n" + b"from a file\n" * 5000, run.err),
             (0, True, b"end\n"), "writev and sendfile", run.out[:50])
    bl.equal(run.log.msgs()[-1], "end", "writev and sendfile: in order")


@bl.section
def no_path_of_ones_own():
    run = exact("--", "sh", "-c", "echo lost >/dev/stderr; echo kept >&2")
    bl.equal(run.log.msgs()[-1:], ["kept"], "/dev/stderr cannot be opened, as the manual says")
    bl.equal(len(run.log.lines), 2, "/dev/stderr: the shell says so")


@bl.section
def marks():
    """The redactor sees a stream, not messages."""
    token = "".join(("gh", "p_", "A1b2C3d4E5f6G7h8I9j0" * 2))[:40]
    code = f"import os\nfor c in {token!r} + '\\n': os.write(1, c.encode()); os.write(2, b'.')"
    run = python(code)
    bl.equal((run.out, run.log.msgs("stdout")), (b"ghp_[REDACTED]\n", ["ghp_[REDACTED]"]),
             "a token in single bytes: a mark on both sides")
    bl.equal(run.log.msgs("stderr"), ["." * 41], "the other stream is not touched")


@bl.section
def descriptors():
    """Descriptors that the command sends along do not pile up in buildlog."""
    code = ("import array, os, socket\n"
            "def count(): return len(os.listdir(f'/proc/{os.getppid()}/fd'))\n"
            "s = socket.socket(fileno=1); before = count()\n"
            "for n in range(50): s.sendmsg([b'x\\n'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, "
            "array.array('i', [0, 2]))])\n"
            "print(count() - before)")
    run = python(code)
    bl.equal((run.status, run.out), (0, b"x\n" * 50 + b"0\n"), "descriptors sent along are closed")


@bl.section
def background():
    run = exact("--linger", "300ms", "--", "sh", "-c",
                f'"{EMIT}" wait {NEVER} & echo parent; exit 6')
    log = bl.sound(run, "a background process: sound")
    bl.equal((run.status, run.out), (6, b"parent\n"), "a background process: the command's status")
    bl.equal((log.event_names(), log.end["complete"]), (["orphan"], False), "it is named")
    bl.ok(b"emit" in run.err and "emit" in log.events[0].get("cmd", ""), "by its command", run.err)
    run = exact("--linger", "0", "--", "sh", "-c",
                f'"{EMIT}" lines 20000 80; "{EMIT}" wait {NEVER} &')
    bl.equal((len(run.out), run.log.event_names()), (1_600_000, ["orphan"]),
             "--linger 0: what was written is there")
    run = exact("--linger", "0", "--", "sh", "-c", "echo a; echo b >&2")
    bl.equal((run.log.msgs(), run.log.end["complete"], run.log.events), (["a", "b"], True, []),
             "--linger 0: with nobody left, complete")


@bl.section
def to_the_last():
    step, gone = bl.temp("step"), bl.temp("gone")
    run = bl.start("--order", "exact", "--linger", "inf", "--", DOUBLEFORK, 3, step, gone)
    bl.wait_for(lambda: not bl.proc_children(run.pid), "the command has ended")
    for number in (1, 2, 3):
        open(f"{step}.{number}", "wb").close()
        run.read_until(b"late %d\n" % number)
    run.finish()
    bl.equal((run.status, run.err, run.log.end["complete"]), (0, b"", True),
             "--linger inf: recorded to its end, which is noticed")


@bl.section
def flood():
    """Background processes that never stop writing do not keep buildlog."""
    run = exact("--linger", "300ms", "--", "sh", "-c",
                "setsid sh -c 'trap \"\" PIPE HUP; while echo flood 2>&-; do echo more >&2; done' & "
                "echo parent", seconds=30)
    bl.equal((run.status, run.log.event_names()), (0, ["orphan"]), "an endless writer is left")


@bl.section
def stopping():
    run = bl.start("--order", "exact", "--", bl.helper("signals"), "-x", "15=9")
    run.read_until(b"ready")
    run.send(signal.SIGTERM)
    run.finish()
    bl.equal((run.status, run.log.end["status"], run.log.end["complete"]), (9, "interrupted", True),
             "TERM: the last words are recorded")
    run = exact("--timeout", "300ms", "--", EMIT, "err", b"on".hex(), "wait", NEVER)
    bl.equal((run.status, run.err[:2]), (124, b"on"), "--timeout: 124")


@bl.section
def closed_reader():
    # To be stopped it must have more to say than all that is in between can hold.
    for mode, lines, want in (("continue", 20_000, 0), ("stop", 400_000, 1)):
        out = bl.temp("status")
        bl.bare("sh", "-c", f'{{ "{bl.BIN}" run --order exact --on-closed {mode} -- "{EMIT}" both '
                f'{lines}; echo $? >"{out}"; }} 2>/dev/null | head -1')
        with open(out, encoding="ascii") as file:
            bl.equal(min(1, int(file.read())), want, f"a closed reader, --on-closed {mode}")


@bl.section
def slow_reader():
    """A reader that does not read stops the command, as with pipes: memory is bounded."""
    run = bl.start("--order", "exact", "--", EMIT, "both", "30000")
    first = bl.wait_for(lambda: bl.proc_peak_kb(run.pid), "it runs")
    seen = []

    def stuck():
        seen.append(os.path.getsize(run.path) if run.paths else 0)
        return len(seen) > 20 and seen[-1] == seen[-20] > 0

    bl.wait_for(stuck, "the command is held up")
    peak = bl.proc_peak_kb(run.pid)
    run.finish(seconds=60)
    bl.ok(first and (bl.SANITIZED or peak < 16 << 10), "a reader that does not read: memory is bounded", peak)
    bl.equal((run.status, len(run.log.lines)), (0, 60_000), "and everything comes in the end")
    bl.ok(run.log.msgs() == by_turns(30_000), "in order")


def refusal(name, text="exit 0\n", want=True):
    directory = bl.temp("bin")
    os.makedirs(directory)
    path = os.path.join(directory, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, 0o755)
    for argv, env in (([path], None), ([name], {"PATH": f"{directory}:{os.environ['PATH']}"})):
        run = exact("--", *argv, env=env)
        if want:
            bl.equal((run.status, run.out, run.paths), (125, b"", []), f"{name}: refused")
            bl.ok(f"cannot run '{name}'".encode() in run.err and b"--order merge" in run.err,
                  f"{name}: and why", run.err)
        else:
            bl.equal((run.status, run.err), (0, b""), f"{name}: is not refused")


@bl.section
def refused():
    for name in ("node", "npm", "npx", "yarn", "pnpm", "corepack"):
        refusal(name, "#!/bin/sh\nexit 0\n")
    refusal("tool", "#!/usr/bin/env node\nprocess.exit(0)\n")
    refusal("tool2", "#!/usr/bin/env -S FOO=1 node --flag\nprocess.exit(0)\n")
    refusal("tool3", "#! /opt/somewhere/bin/node\nprocess.exit(0)\n")
    refusal("nodeenv", "#!/bin/sh\n# node\nexit 0\n", want=False)
    refusal("plain", "", want=False)
    refusal("blank", "#!/bin/sh", want=False)
    run = bl.run("--", "sh", "-c", "exit 0")
    bl.equal(run.status, 0, "never the default")


bl.done()
