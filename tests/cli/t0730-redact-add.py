#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Values added while a build runs: buildlog redact-add and the socket behind it. Who may speak,
what is taken and what refused, clients that talk nonsense, too much, or not at all."""
import os
import socket
import stat
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

ADD = f'"{bl.BIN}" redact-add'
SECRET = "pine" + "apple-" * 2  # what a command would learn while it runs
RUNTIME = bl.temp("runtime")
os.makedirs(RUNTIME, 0o700)
IN_RUNTIME = {"XDG_RUNTIME_DIR": RUNTIME}


def sh(script, *options, env=None, **more):
    return bl.run(*options, "--", "sh", "-c", script, env={**IN_RUNTIME, **(env or {})}, **more)


def masks(log, name="mask_added"):
    return [event for event in log.events if event["event"] == name]


class Held:
    """A build that runs until it is told to end, and a socket's path."""

    def __init__(self, env=None, **options):
        self.run = bl.start("--", "sh", "-c", 'echo "$BUILDLOG_SOCKET"; read line; cat',
                            env={**IN_RUNTIME, **(env or {})}, stdin=bl.PIPE, **options)
        self.path = self.run.read_until(bl.rx(rb"(.*)\n")).group(1).decode()
        bl.wait_for(lambda: os.path.exists(self.path), "a socket")

    def connect(self):
        def tried():
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                client.connect(self.path)
                client.settimeout(15 * bl.SCALE)
                return client
            except ConnectionRefusedError:
                client.close()
                return None
        return bl.wait_for(tried, "a listener")

    def end(self, say=b""):
        self.run.finish(data=b"\n" + say)
        return self.run


def say(client, value):
    client.send(value)
    return client.recv(256)


# ---- the command -------------------------------------------------------------------------

@bl.section
def added():
    run = sh(f"echo before; printf '{SECRET}\\n' | {ADD} && echo {SECRET}; "
             f"printf '%s' {SECRET} | {ADD} && echo again")
    log = bl.sound(run, "redact-add: the log is sound")
    bl.equal(run.status, 0, "redact-add succeeds", run.err)
    added = masks(log)
    bl.equal([(event["level"], event["component"], event["source"]) for event in added],
             [("info", "redact", "redact-add")], "one event, also when a value comes twice")
    bl.ok(log.data.count(b"mask_added") == 1 and SECRET not in str(added),
          "without the value")
    bl.equal(log.msgs(), ["before", "[REDACTED:known-value]", "again"], "the value is removed")
    bl.equal(run.out, b"before\n[REDACTED:known-value]\nagain\n", "from what is forwarded, too")
    bl.ok(SECRET.encode() not in log.data.split(b"\n", 1)[1], "nothing of it is in the log")


@bl.section
def lines():
    run = sh(f"printf 'first-value\\r\\n\\nsecond-value' | {ADD} --lines")
    bl.equal((run.status, len(masks(run.log))), (0, 2), "--lines: a value each, empty ones not")
    run = sh(f"printf 'first-value\\nx\\nthird-value\\n' | {ADD} --lines")
    bl.equal((run.status, run.err, len(masks(run.log))),
             (2, b"buildlog redact-add: the build refused a value: shorter than 8 bytes\n", 1),
             "--lines ends at the first one that is refused")
    run = sh(f"printf 'first\\nsecond-line\\n\\n' | {ADD}")
    bl.equal((run.status, len(masks(run.log))), (0, 1), "without it, lines are one value")


@bl.section
def refusals():
    for script, why in (
            (f"printf 1234567 | {ADD}", "the build refused a value: shorter than 8 bytes"),
            (f"head -c 65537 /dev/zero | tr '\\0' a | {ADD}",
             "the build refused a value: longer than 64 KiB"),
            (f"head -c 1000000 /dev/zero | {ADD}",
             "the build refused a value: longer than 64 KiB"),
            (f"head -c 5000000 /dev/zero | {ADD}",
             "cannot add a value: there is more than a build takes"),
            (f"{ADD} </dev/null", "cannot add a value: standard input has none"),
            (f"echo | {ADD}", "cannot add a value: standard input has none"),
            (f"echo | {ADD} --lines", "cannot add a value: standard input has none"),
            (f"{ADD} </", "cannot read 'standard input': Is a directory"),
            (f"echo 12345678 | BUILDLOG_SOCKET= {ADD}",
             "cannot add a value: no build around this (BUILDLOG_SOCKET is not set)"),
            (f"echo 12345678 | BUILDLOG_SOCKET=/none {ADD}",
             "cannot reach the build at '/none': No such file or directory"),
            (f"echo 12345678 | BUILDLOG_SOCKET={'/x' * 60} {ADD}",
             "cannot add a value: BUILDLOG_SOCKET is no path of a socket")):
        run = sh(script)
        bl.equal((run.status, run.err.decode()), (2, f"buildlog redact-add: {why}\n"), why)
        bl.sound(run, "and the log is sound")
    run = sh(f"head -c 65536 /dev/zero | tr '\\0' a | {ADD}")
    bl.equal((run.status, run.err), (0, b""), "64 KiB are not too long")
    run = sh(f"for i in 1 2 3; do printf %s $i | {ADD}; done; head -c 70000 /dev/zero | {ADD}")
    bl.equal([event["reason"] for event in masks(run.log, "mask_refused")],
             ["shorter than 8 bytes", "longer than 64 KiB"], "one event for each reason")


@bl.section
def at_once():
    """The first thing that a command does: the socket may not be there yet."""
    done = [bl.run("--", bl.BIN, "redact-add", env=IN_RUNTIME, data=b"a fast one\n")
            for _ in range(20)]
    bl.equal({(run.status, run.err) for run in done}, {(0, b"")}, "a command that is fast")


# ---- the socket --------------------------------------------------------------------------

@bl.section
def where():
    held = Held()
    folder = os.stat(os.path.dirname(held.path))
    bl.equal(held.path, f"{RUNTIME}/buildlog/{os.path.basename(held.run.path)[:26]}",
             "in XDG_RUNTIME_DIR/buildlog, named by the id")
    bl.equal(stat.S_IMODE(folder.st_mode), 0o700, "in a directory for the user alone")
    held.end()
    bl.equal(os.listdir(f"{RUNTIME}/buildlog"), [], "and gone at the end")
    for env, name in (({"XDG_RUNTIME_DIR": None}, "no XDG_RUNTIME_DIR"),
                      ({"XDG_RUNTIME_DIR": "/nowhere"}, "one that is not there"),
                      ({"XDG_RUNTIME_DIR": "relative"}, "a relative one"),
                      ({"XDG_RUNTIME_DIR": RUNTIME + "/" + "x" * 90}, "a long one")):
        if env["XDG_RUNTIME_DIR"] and "xx" in env["XDG_RUNTIME_DIR"]:
            os.makedirs(env["XDG_RUNTIME_DIR"])
        held = Held(env=env)
        folder = os.path.dirname(held.path)
        bl.ok(folder.startswith(bl.TMP) and stat.S_IMODE(os.stat(folder).st_mode) == 0o700,
              f"{name}: in a directory of its own in TMPDIR", held.path)
        held.end()
        bl.ok(not os.path.exists(folder), f"{name}: gone at the end")


@bl.section
def planted():
    for kind in ("link", "open", "file"):
        runtime, victim = bl.temp("runtime"), bl.temp("victim")
        os.makedirs(runtime)
        os.makedirs(victim, 0o700)
        target = os.path.join(runtime, "buildlog")
        if kind == "link":
            os.symlink(victim, target)
        elif kind == "open":
            os.mkdir(target)
            os.chmod(target, 0o777)
        else:
            open(target, "wb").close()
        run = bl.run("--", "sh", "-c", "echo $BUILDLOG_SOCKET", env={"XDG_RUNTIME_DIR": runtime})
        bl.ok(run.out.decode().startswith(bl.TMP + "/buildlog-") and not os.listdir(victim)
              and run.err == b"", f"planted ({kind}): not used", run.out, run.err)


@bl.section
def nowhere():
    env = {"XDG_RUNTIME_DIR": None, "TMPDIR": "/nowhere",
           "BUILDLOG_FAULT": "mkdirat:1:EROFS:persist", "BUILDLOG_SOCKET": "/outer"}
    script = "echo ${BUILDLOG_SOCKET-none}"
    run = bl.run("-v", "--", "sh", "-c", script, env=env, binary=bl.FAULT_BIN)
    bl.equal((run.status, run.out), (0, b"none\n"), "no place for a socket: not set, and it runs")
    bl.ok(b"buildlog run: cannot make a socket for values: no directory of our own in "
          b"XDG_RUNTIME_DIR, TMPDIR, /dev/shm or /tmp; redact-add will not work\n" in run.err,
          "-v says so", run.err)
    for call in ("socket", "bind", "listen"):
        env = {**IN_RUNTIME, "BUILDLOG_FAULT": f"{call}:1:EACCES"}
        run = bl.run("-v", "--", "echo", "x", env=env, binary=bl.FAULT_BIN)
        bl.ok(run.status == 0 and run.out == b"x\n" and
              b"buildlog run: cannot make a socket for values '" in run.err and
              b"': Permission denied; redact-add will not work\n" in run.err, f"no {call}",
              run.err)
        run = bl.run("--", "echo", "x", env=env, binary=bl.FAULT_BIN)
        bl.equal((run.status, run.out, run.err), (0, b"x\n", b""), f"no {call}: no word of it")
    bl.equal(os.listdir(f"{RUNTIME}/buildlog"), [], "nothing is left behind")


@bl.section
def left_behind():
    held = Held()
    build_id = os.path.basename(held.run.path)[:26]
    held.run.process.kill()
    held.run.finish()
    bl.ok(os.path.exists(held.path), "a killed one leaves its socket behind")
    run = sh(f"echo {SECRET} | {ADD}", "--id", build_id, store=held.run.store)
    bl.equal((run.status, run.err), (0, b""), "the next attempt takes its place")
    bl.ok(not os.path.exists(held.path), "and removes it")


@bl.section
def nested():
    inner = f'echo {SECRET} | {ADD}; echo $BUILDLOG_SOCKET'
    run = sh(f"echo $BUILDLOG_SOCKET; '{bl.BIN}' run -- sh -c '{inner}'")
    outer_path, inner_path = run.out.decode().split()
    counts = sorted(len(masks(bl.read_log(path))) for path in run.paths)
    bl.ok(outer_path != inner_path and counts == [0, 1], "a nested build has a socket of its own",
          run.out, counts)


# ---- clients -----------------------------------------------------------------------------

@bl.section
def garbage():
    held = Held()
    client = held.connect()
    bl.equal(say(client, b"\0" * 20), b"+", "any bytes are a value")
    bl.equal(say(client, b"x"), b"-shorter than 8 bytes", "a short one")
    bl.equal(say(client, b"x" * 65537), b"-longer than 64 KiB", "a long one")
    bl.equal(say(client, b"x" * 150000), b"-longer than 64 KiB", "a longer one")
    bl.equal(say(client, b"x" * 65536), b"+", "the longest one")
    other = held.connect()
    other.send(b"")
    bl.equal(other.recv(10), b"", "an empty message ends the connection")
    bl.equal(say(client, b"still alive"), b"+", "of that client alone")
    bl.equal(len(masks(bl.sound(held.end(), "garbage: the log is sound"))), 3, "three were taken")


@bl.section
def too_many():
    held = Held()
    client = held.connect()
    answers = [say(client, b"value-%05d" % n) for n in range(1200)]
    bl.equal((answers.count(b"+"), answers[1000]), (1000, b"-the build has 1000 values already"),
             "1000 values")
    bl.equal(say(client, b"value-00000"), b"+", "one of them again")
    log = bl.sound(held.end(), "too many: the log is sound")
    bl.equal((len(masks(log)), len(masks(log, "mask_refused"))), (1000, 1), "and one event more")


@bl.section
def too_much():
    held = Held()
    client = held.connect()
    answers = [say(client, b"%05d" % n + b"x" * 60000) for n in range(20)]
    bl.equal((answers.count(b"+"), answers[17]),
             (17, b"-the values of the build would exceed 1 MiB"), "1 MiB of values")
    log = bl.sound(held.end(), "too much: the log is sound")
    bl.equal((len(masks(log)), len(masks(log, "mask_refused"))), (17, 1), "and one event more")


def _closed(client):
    client.setblocking(False)
    try:
        return client.recv(10) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@bl.section
def silent_and_deaf():
    held = Held()
    silent = [held.connect() for _ in range(100)]
    client = held.connect()
    bl.equal(say(client, b"a value of many"), b"+", "a hundred silent clients do not keep others out")
    gone = sum(1 for one in silent if _closed(one))
    bl.ok(gone >= 69, "the ones that were silent longest are dropped", gone)
    deaf = held.connect()
    deaf.setblocking(False)
    sent = 0
    try:
        while sent < 100000:
            deaf.send(b"deaf-%07d" % sent)
            sent += 1
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        pass
    bl.equal(say(held.connect(), b"another value"), b"+", "nor does one that never listens")
    run = held.end(b"last words\n")
    bl.equal((run.status, run.out.endswith(b"last words\n")), (0, True),
             "clients that hang do not keep a build from ending")
    bl.sound(run, "silent and deaf: the log is sound")


@bl.section
def side_by_side():
    script = "; ".join(f"(seq -f 'client-{n}-%05.0f' 20 | {ADD} --lines || echo bad) &"
                       for n in range(12)).replace("&;", "&") + " wait"
    run = sh(script)
    bl.equal((run.status, run.out, len(masks(run.log))), (0, b"", 240), "twelve clients at once",
             run.err)


@bl.section
def faults():
    for fault, good in (("accept4:1:EMFILE", True), ("accept4:1:EINTR", True),
                        ("recv:1:EINTR", True), ("recv:1:EIO", False),
                        ("getsockopt:1:EIO", False)):
        held = Held(env={"BUILDLOG_FAULT": fault}, binary=bl.FAULT_BIN)
        client = held.connect()
        try:
            answer = say(client, b"some value")
        except OSError:
            answer = b""
        bl.equal(answer == b"+", good, f"{fault}: {'taken' if good else 'not taken'}", answer)
        bl.equal(say(held.connect(), b"next value"), b"+", f"{fault}: the next one is")
        bl.sound(held.end(), f"{fault}: the log is sound")
    for fault, why in (("socket:1:EMFILE", "cannot add a value: Too many open files"),
                       ("sendmsg:1:EIO", "cannot add a value, the build does not answer: "
                        "Input/output error"),
                       ("recv:1:EIO", "cannot add a value, the build does not answer: "
                        "Input/output error"),
                       ("connect:1:EAGAIN", ""), ("connect:1:EINTR", ""), ("recv:1:EINTR", ""),
                       ("sendmsg:1:EINTR", ""), ("read:1:EINTR", ""), ("read:1:EAGAIN", "")):
        run = sh(f"echo 12345678 | BUILDLOG_FAULT={fault} '{bl.FAULT_BIN}' redact-add")
        want = f"buildlog redact-add: {why}\n" if why else ""
        bl.equal((run.status, run.err.decode()), (2 if why else 0, want), f"redact-add: {fault}")


@bl.section
def another_user():
    if not bl.AM_ROOT:
        bl.skip("another user is refused", "only root can be somebody else")
        return
    held = Held(env={"XDG_RUNTIME_DIR": None, "TMPDIR": "/tmp"})
    held.connect().close()
    os.chmod(os.path.dirname(held.path), 0o711)
    os.chmod(held.path, 0o777)
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            client.connect(held.path)
            theirs.send(client.recv(200) + b"|" + client.recv(200) + b"|")
        finally:
            os._exit(0)
    theirs.close()
    os.waitpid(child, 0)
    bl.equal(ours.recv(400), b"-only the user of the build and root may add values||",
             "another user is refused")
    bl.equal(masks(held.end().log), [], "and nothing was added")


bl.done()
