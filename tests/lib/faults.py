# SPDX-License-Identifier: MIT
"""The injection table: a small build is run once for every call of `struct sys_table`, every
N up to a bound, every way to fail, once and for good; each run is judged by the contract."""
import concurrent.futures
import os
import re
import shutil
import struct
import bl

WAYS = ["EIO", "ENOSPC", "EINTR", "EMFILE", "ENOMEM", "short"]
MAY_BE_SHORT = {"read", "pread", "write", "writev", "sendmsg", "getrandom", "readlinkat"}
MAY_BLOCK = {"read", "write", "writev", "sendmsg", "recvmsg"}  # these also get EAGAIN
TERMINAL = {"write", "writev", "sendmsg"}
OUTPUT = {"read", "recvmsg"}  # how the command's output comes in
MAX_N = 5
LINES = 60
SCRIPT = 'echo >"$1"; "$0" lines 60 80; "$0" wait "$1" err 6572726f720a exit 5'
WANT_OUT = b"".join(b"%010d " % n + b"x" * 68 + b"\n" for n in range(LINES))
WANT_ERR = b"error\n"
COUNTER_SIZE = 24
PARALLEL = 3


def calls():
    """The names of the table, in its order."""
    with open(os.path.join(bl.ROOT, "src", "base", "sys.h"), encoding="ascii") as file:
        return re.findall(r"^\s+X\([\w ]+, (\w+),", file.read(), re.M)


class Scene:
    """What is run, and what the store holds before it."""

    def __init__(self, name, options=(), before=None):
        self.name, self.options, self.before = name, list(options), before

    def run(self, orders, counts=None):
        store, marker = bl.temp("store"), bl.temp("marker")
        if self.before:
            shutil.copytree(self.before, store)
        env = {"BUILDLOG_FAULT": orders}
        if counts:
            env["BUILDLOG_COUNTS"] = counts
        run = bl.run(*self.options, "--", "sh", "-c", SCRIPT, bl.helper("emit"), marker,
                     store=store, binary=bl.FAULT_BIN, env=env, seconds=12)
        run.started = os.path.exists(marker)
        return run

    def counts(self):
        """How often an undisturbed run makes each call: all, on logs."""
        path = bl.temp("counts")
        run = self.run("", path)
        if run.status != 5 or run.out != WANT_OUT or run.err != WANT_ERR:
            raise AssertionError(f"{self.name}: undisturbed, but {run.status} {run.err}")
        with open(path, "rb") as file:
            data = file.read()
        return {name: struct.unpack_from("QQ", data, index * COUNTER_SIZE)
                for index, name in enumerate(calls())}


def fresh():
    return Scene("a fresh build")


def again():
    """The second attempt of an id whose log is there already."""
    before, build_id = bl.temp("before"), bl.fresh_id()
    bl.run("--id", build_id, "--", "sh", "-c", "echo earlier; exit 1", store=before)
    return Scene("a second attempt", ["--id", build_id, "--sync", "always"], before)


def exact():
    """With sockets for pipes."""
    return Scene("exact order", ["--order", "exact"])


def stalling():
    """With a look at the processes whenever nothing came for a millisecond."""
    return Scene("stalls", ["--idle-timeout", "1ms", "--stall-timeout", "1ms", "--on-stall", "report"])


def orders(scene, names):
    """(call, the fault's text) for everything worth trying."""
    counts = scene.counts()
    for name in names:
        everything, of_log = counts[name]
        targets = [("@log", of_log), ("@other", everything - of_log)] \
            if name in MAY_BLOCK | {"close", "fstat", "fcntl"} else [("", everything)]
        ways = [way for way in WAYS if way != "short" or name in MAY_BE_SHORT]
        ways += ["EAGAIN"] if name in MAY_BLOCK else []
        for target, count in targets:
            for number in range(1, min(count, MAX_N) + 1):
                for way in ways:
                    for times in ("x1", more_times(name, target, way)):
                        yield name, f"{name}{target}:{number}:{way}:{times}"


def more_times(name, target, way):
    """No system interrupts for ever, nor does it never tell of a child or never read a pipe."""
    endless = way in ("EINTR", "EAGAIN") or name == "wait4" \
        or (name in OUTPUT and target == "@other")
    return "x4" if endless else "persist"


def own_lines(err):
    return [line for line in err.splitlines() if line.startswith(b"buildlog")]


def others_of(err):
    return b"".join(line for line in err.splitlines(keepends=True)
                    if not line.startswith(b"buildlog"))


def judge(scene, name, order, run):
    """What is wrong with this run; '' if nothing."""
    real_failure = order.split(":")[2] not in ("EINTR", "EAGAIN", "short")
    said = own_lines(run.err)
    if not run.started:
        good = run.status in (125, 126) and not run.out and len(said) == 1
        return "" if good else f"not started: {run.status} {run.out!r} {run.err!r}"
    problems = []
    # A terminal that fails is a closed one; nobody can say then what was not forwarded.
    deaf = real_failure and "@other" in order and name in TERMINAL
    # A pipe whose reads fail has ended; the command may meet its closed end.
    torn_off = real_failure and "@other" in order and name in OUTPUT
    unknown = real_failure and name == "poll"
    if run.status != 5 and not (torn_off or unknown):
        problems.append(f"status {run.status}")
    exact = run.out == WANT_OUT and others_of(run.err) == WANT_ERR
    if not exact and not (deaf or torn_off or unknown):
        problems.append(f"terminal: {bl.show(run.out, 90)} {bl.show(run.err, 300)}")
    if not WANT_OUT.startswith(run.out):
        problems.append("stdout is no beginning of what was written")
    problems += judge_log(scene, name, run, said, deaf, torn_off or unknown)
    return "; ".join(problems)


def judge_log(scene, name, run, said, deaf, torn_off):
    if not run.paths:
        return [] if said or deaf else ["no log and no word of it"]
    log = bl.read_log(run.path, finished=False)
    # A clock that fails gives no time; what else there is to say about it is in the log.
    problems = [error for error in log.errors
                if name != "clock_gettime" or not re.search("before startedAt|durationMs", error)]
    before = b""
    if scene.before:
        path = os.path.join(scene.before, os.path.relpath(run.path, run.store))
        with open(path, "rb") as file:
            before = file.read()
        if not log.data.startswith(before):
            problems.append("the earlier attempt was touched")
    mine = log.attempts[-1] if log.attempts and len(log.data) > len(before) else None
    if not (mine and mine.end) or log.torn:
        return problems + ([] if said or deaf else ["no end and no word of it"])
    if not torn_off and mine.end["lines"] != LINES + 1:
        problems.append(f"{mine.end['lines']} lines counted of {LINES + 1}")
    if torn_off and mine.end["lines"] != LINES + 1 and mine.end["complete"]:
        problems.append("complete, but lines are missing")
    if not torn_off and mine.end.get("exitCode") != 5:
        problems.append(f"end record: {mine.end}")
    return problems


def prove(scene, names):
    """One result per call: all its faults together."""
    todo = list(orders(scene, names))

    def one(item):
        name, order = item
        try:
            return name, order, judge(scene, name, order, scene.run(order))
        except bl.Late as late:
            return name, order, f"hangs: {late}"

    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        results = list(pool.map(one, todo))
    for name in names:
        mine = [result for result in results if result[0] == name]
        bad = [f"{order}: {what}" for _, order, what in results
               if what and _ == name]
        if mine:
            bl.ok(not bad, f"{scene.name}: {len(mine)} faults in {name}",
                  f"{len(bad)} bad", *bad[:6])


def part(index, of):
    return calls()[index::of]
