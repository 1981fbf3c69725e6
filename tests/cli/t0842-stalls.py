#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--idle-timeout, --stall-timeout, --on-stall: the stall event says what each process was at, once
for each stall, and is bounded and clean, whatever the processes call themselves."""
import json
import os
import signal
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT = bl.helper("emit")
NEVER = "/nowhere/at/all"


def stalls(log):
    return [event for event in log.events if event["event"] == "stall"]


def python(code, *options, **more):
    return bl.run(*options, "--", sys.executable, "-c", code, **more)


def patiently(limit_ms, attempt, far_enough):
    """A machine may stand still for as long as a limit, before the command has got to what it is
    to be found at: then again with a longer one. The run, and its limit in milliseconds."""
    for factor in (1, 4, 16):
        run = attempt(f"{limit_ms * factor}ms")
        if far_enough(run):
            break
    return run, limit_ms * factor


def tree(run):
    """The processes of its first stall."""
    return stalls(run.log)[0]["processes"] if stalls(run.log) else []


@bl.section
def idle():
    path = bl.temp("open")
    run, limit = patiently(
        1000, lambda limit: bl.run(
            "--idle-timeout", limit, "--", "sh", "-c",
            f'exec 3>"{path}"; echo last words; printf "Answer? "; "{EMIT}" wait {NEVER}; :'),
        lambda run: any(process["cmd"].endswith(f"emit wait {NEVER}") for process in tree(run)))
    log = bl.sound(run, "idle: the log is sound")
    bl.equal((run.status, log.end["status"], run.err), (124, "timeout", b""), "idle: 124, in silence")
    bl.equal(log.event_names(), ["stall", "timeout"], "idle: the look comes before the end")
    event = stalls(log)[0]
    bl.equal({key: event.get(key) for key in ("reason", "afterMs", "action", "last", "unfinished",
                                              "level", "component")},
             {"reason": "idle", "afterMs": limit, "action": "kill", "last": "last words",
              "unfinished": "Answer? ", "level": "error", "component": "run"}, "idle: what is said")
    shell, child = event["processes"][:2]
    bl.ok(child["ppid"] == shell["pid"] and shell["cmd"].startswith("sh -c exec 3>")
          and child["cmd"].endswith(f"emit wait {NEVER}"), "idle: the processes", event)
    bl.ok(shell["state"] in "SRD" and shell["cpuMs"] >= 0 and f"3 {path}" in child["files"]
          and child["files"][0] == "0 /dev/null", "idle: state, time, files", event)
    shown = bl.bare(bl.BIN, "show", store=run.store)
    bl.ok(f"stall: no output for {limit} ms, stopped; last line 'last words'; begun 'Answer? ' | "
          f"{shell['pid']} sh -c".encode() in shown.out and f"3 {path}".encode() in shown.out,
          "idle: show tells it", shown.out)
    found = bl.bare(bl.BIN, "errors", "-o", "json", store=run.store)
    bl.ok(json.loads(found.out)["first"]["message"] ==
          f"no output for {limit} ms after 'Answer? '",
          "idle: errors has it first", found.out)


@bl.section
def repeats_itself():
    code = ("import itertools, time\n"
            "for n in itertools.count():\n"
            " print(f'\\x1b[3{n % 8}mretry {n} in {n * 7 % 60}.{n % 10} s', flush=True)\n"
            " time.sleep(0.005)")
    run, _ = patiently(
        1500, lambda limit: python(code, "--stall-timeout", limit, "--idle-timeout", "1h"),
        lambda run: len(run.log.lines) > 10)
    log = bl.sound(run, "a loop: the log is sound")
    bl.equal((run.status, log.event_names()), (124, ["stall", "timeout"]), "a loop is no progress")
    bl.equal({event["reason"] for event in log.events}, {"stall"}, "a loop: it says so")
    bl.ok("retry" in stalls(log)[0]["last"] and len(log.lines) > 10, "a loop: its last line")


def told_to_say(words, limit):
    """It says a word each time that less than half of the limit has gone by."""
    go = [bl.temp("go") for _ in words]
    ops = [op for path, word in zip(go, words)
           for op in ("wait", path, "out", (word + "\n").encode().hex())]
    run = bl.start("--stall-timeout", f"{limit}s", "--", EMIT, *ops)
    started = time.monotonic()
    for n, (path, word) in enumerate(zip(go, words)):
        bl.wait_for(lambda: time.monotonic() - started > 0.375 * limit * (n + 1), "its time", 60)
        open(path, "wb").close()
        try:
            run.read_until(word.encode())
        except bl.Late:
            break  # a machine may stand still for as long as the limit
    return run.finish()


@bl.section
def gets_on():
    """New words, each in time, together far longer than the limit."""
    for limit in (4, 16):
        run = told_to_say(["one", "two", "three", "four"], limit)
        if not run.log.events:
            break
    bl.equal((run.status, run.log.events), (0, []), "who says something new is left alone")


@bl.section
def reported():
    go = [bl.temp("go") for _ in range(2)]
    run = bl.start("--idle-timeout", "100ms", "--on-stall", "report", "--", EMIT, "wait", go[0],
                   "out", b"on\n".hex(), "wait", go[1], "exit", "3")
    run.wait_log(lambda log: len(stalls(log)) == 1, "the first stall")
    bl.wait_for(lambda: time.time() * 1000 > stalls(bl.read_log(run.path, finished=False))[0]["ts"]
                + 500, "it stalls on")
    bl.equal(len(stalls(bl.read_log(run.path, finished=False))), 1, "a stall is told of once")
    open(go[0], "wb").close()
    run.wait_log(lambda log: len(stalls(log)) == 2, "another stall")
    open(go[1], "wb").close()
    run.finish()
    log = bl.sound(run, "reported: the log is sound")
    bl.equal((run.status, run.out, run.err, log.end["status"]), (3, b"on\n", b"", "failed"),
             "reported: the command goes on, undisturbed")
    bl.equal([(event["action"], event["level"], event.get("last")) for event in log.events],
             [("report", "warn", None), ("report", "warn", "on")], "reported: each once")


@bl.section
def stands_still():
    """Time in which the command is stopped does not count."""
    def attempt(limit):
        run = bl.start("--idle-timeout", limit, "--", "sh", "-c",
                       f'echo $$; "{EMIT}" wait {NEVER}')
        pid = int(run.read_until(bl.rx(rb"(\d+)\n")).group(1))
        if not bl.proc_gone(pid):
            os.kill(pid, signal.SIGSTOP)
        return run.finish()

    run, _ = patiently(1000, attempt,
                       lambda run: any(process["state"] == "T" for process in tree(run)))
    bl.equal(run.status, 124, "stopped by somebody else, with nobody to continue it: still the way out")
    states = {process["state"] for process in stalls(run.log)[0]["processes"]}
    bl.ok("T" in states, "and the event shows it", states)


@bl.section
def ctrl_z():
    """Under a shell's job control the clock of a stall stands still, too, and then goes on."""
    tty = bl.Pty(["bash", "--norc", "--noprofile", "-i"], env={
        "PS1": "READY$ ", "ENV": None, "HISTFILE": None, "B": bl.BIN, "REPL": bl.helper("repl")})
    tty.expect(b"READY$ ")
    tty.send(b'"$B" run --idle-timeout 4s --stall-timeout 1h -- "$REPL"\n')
    tty.expect(b"> ")
    tty.send(b"\x1a")
    tty.expect(b"READY$ ")
    resume = time.monotonic() + 4.5
    bl.wait_for(lambda: time.monotonic() > resume, "longer than the limit")
    tty.send(b"fg\n")
    tty.send(b"hello\n")
    tty.expect(b"echo: hello\r\n")
    bl.ok(True, "a stopped build is not idle")
    tty.expect(b"READY$ ", 30)
    tty.send(b"exit\n")
    tty.finish()
    log = bl.sound(tty, "idle after fg: the log is sound")
    bl.equal(log.event_names()[-2:], ["stall", "timeout"], "but it is once it has been silent so long")


@bl.section
def blocked_reader():
    """It is the reader that is idle, not the command."""
    run = bl.start("--idle-timeout", "4s", "--stall-timeout", "4s", "--", EMIT, "lines",
                   "20000", "80")
    moved = [0, time.monotonic()]

    def stuck():
        size = os.path.getsize(run.path) if run.paths else 0
        if size != moved[0]:
            moved[:] = size, time.monotonic()
        return moved[0] > 0 and time.monotonic() > moved[1] + 5

    bl.wait_for(stuck, "the command is held up for longer than the limit")
    run.finish()
    bl.equal((run.status, run.log.events), (0, []), "a reader that does not read is no stall")


@bl.section
def hostile_names():
    """A name with all that could break the line it stands in, and a secret in the words."""
    token = "".join(("gh", "p_", "A1b2C3d4E5f6G7h8I9j0" * 2))[:40]
    code = ("import ctypes, os, time\n"
            "ctypes.CDLL(None).prctl(15, b') R 1 (\\n\\x1b\\xff\"', 0, 0, 0)\n"
            f"f = open({bl.temp('odd')!r} + '\\n\\x1b[2J\\udcff', 'w')\n"
            "if os.fork() == 0: os.execv('/bin/sh', ['sh', '-c', 'read x', "
            f"'{token[:20]}' + '{token[20:]}', '\\x1b[2J\\n'])\n"
            "os.write(1, b'up\\n'); os.wait()")
    read_end, write_end = os.pipe()
    run, _ = patiently(2000, lambda limit: python(code, "--idle-timeout", limit, stdin=read_end),
                       lambda run: [process["cmd"][:3] for process in tree(run)[1:]] == ["sh "])
    os.close(read_end)
    os.close(write_end)
    log = bl.sound(run, "hostile names: the log is sound")
    processes = stalls(log)[0]["processes"]
    bl.equal([process["ppid"] == processes[0]["pid"] for process in processes[1:]], [True],
             "hostile names: the tree is read right")
    bl.ok(processes[0]["state"] in "SRD", "hostile names: and the state", processes[0])
    bl.ok(any("odd" in name and "\n\x1b[2J" in name for name in processes[0]["files"]),
          "hostile names: a file's name is escaped, not cut", processes[0])
    with open(run.path, "rb") as file:
        data = file.read()
    bl.ok(token.encode() not in data and b"ghp_[REDACTED]" in data, "a secret among the words: a mark")
    shown = bl.bare(bl.BIN, "show", store=run.store)
    bl.ok(b"\x1b" not in shown.out and b"^[[2J" in shown.out and token.encode() not in shown.out,
          "shown, it is harmless", shown.out)


@bl.section
def bounded():
    """More processes and files than an event has room for."""
    code = ("import os, resource, time\n"
            "name = os.environ['BULKY'] + '\\x01' * 150\n"
            "files = [open(name, 'w') for n in range(30)]\n"
            "for n in range(100):\n"
            " if os.fork() == 0: time.sleep(600)\n"
            "os.write(1, b'up\\n')\n"
            "time.sleep(600)")
    run, _ = patiently(
        2000, lambda limit: python(code, "--idle-timeout", limit, env={"BULKY": bl.temp("bulky")}),
        lambda run: run.out == b"up\n")
    log = bl.sound(run, "many: the log is sound")
    event = stalls(log)[0]
    with open(run.path, "rb") as file:
        longest = max(len(line) for line in file)
    bl.ok(longest < 64 << 10, "many: less than 64 KiB", longest)
    bl.equal(len(event["processes"]) + event["omitted"], 101, "many: what is left out is counted")
    first = event["processes"][0]
    bl.ok(len(first["files"]) <= 16 and len(first["files"]) + first["moreFiles"] >= 33,
          "many: files as well", first)


@bl.section
def no_payload():
    run = bl.run("--idle-timeout", "200ms", "--payload", "none", "--", EMIT, "out",
                 b"private\nmore".hex(), "wait", NEVER)
    event = stalls(bl.sound(run, "--payload none: the log is sound"))[0]
    bl.equal([key for key in ("last", "unfinished") if key in event], [],
             "--payload none: no word of the output in the event either")


@bl.section
def with_other_orders():
    for order in ("exact", "merge"):
        run, _ = patiently(
            800, lambda limit: bl.run("--order", order, "--idle-timeout", limit, "--", EMIT, "err",
                                      b"on\nhalf? ".hex(), "wait", NEVER),
            lambda run: b"half? " in run.out + run.err)
        event = stalls(bl.sound(run, f"--order {order}: the log is sound"))[0]
        bl.equal((run.status, event["last"], event["unfinished"]), (124, "on", "half? "),
                 f"--order {order}: the same")


@bl.section
def no_proc():
    """Where /proc does not answer, the event says what is known."""
    run, _ = patiently(
        800, lambda limit: bl.run("--idle-timeout", limit, "--", EMIT, "out", b"on\n".hex(), "wait",
                                  NEVER, binary=bl.FAULT_BIN,
                                  env={"BUILDLOG_FAULT": "readlinkat:1:EACCES:persist"}),
        lambda run: run.out == b"on\n")
    event = stalls(bl.sound(run, "no links: the log is sound"))[0]
    bl.ok("files" not in event["processes"][0] and event["last"] == "on", "no links: no files", event)


@bl.section
def of_others():
    """An event that bears the name but not the fields is shown as any other."""
    run = bl.run("--", "sh", "-c", "exit 1")
    with open(run.path, "rb") as file:
        start, end = file.read().splitlines(keepends=True)
    for fields in ('"x":1', '"action":"kill","afterMs":"soon"', '"action":"kill","afterMs":7,'
                   '"processes":[1,{"pid":1e300,"cmd":5,"files":[null,"x","3 a\\u001b[2J"]},[]]'):
        event = (b'{"kind":"event","ts":%d,"seq":1,"buildId":"x","level":"warn","event":"stall",%s}\n'
                 % (int(time.time() * 1000), fields.encode()))
        with open(run.path, "wb") as file:
            file.write(start + event + end.replace(b'"lastSeq":0', b'"lastSeq":1'))
        for command in ("show", "errors", "tail", "query"):
            got = bl.bare(bl.BIN, command, store=run.store)
            bl.ok(got.status in (0, 1) and b"\x1b" not in got.out and b"stall" in got.out,
                  f"{command}: a stall with {fields[:30]}", got.status, got.out, got.err)


bl.done()
