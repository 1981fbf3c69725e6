# SPDX-License-Identifier: MIT
"""What the command line tests share: TAP, a clean environment, buildlog under test, an
independent reader of logs, pseudo-terminals and a look into /proc. Standard library only.

A test file is a document: its docstring says what it proves, its ok() lines are the proof,
its last line is done(). Nothing here sleeps to be on the safe side: wait_for() polls a
condition and fails at its deadline.
"""
import atexit
import base64
import ctypes
import ctypes.util
import datetime
import fcntl
import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
BIN = os.environ.get("BUILDLOG", os.path.join(BUILD, "buildlog"))
FAULT_BIN = os.path.join(BUILD, "buildlog-fault")
# Slow machines, sanitizers and valgrind stretch every deadline; no test measures time in
# a way that this could make it pass wrongly.
SCALE = float(os.environ.get("BUILDLOG_TEST_SCALE", "1"))
PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL
AM_ROOT = os.geteuid() == 0

with open(BIN, "rb") as _binary:
    SANITIZED = b"__asan_" in _binary.read()

TMP = tempfile.mkdtemp(prefix="buildlog-test-")
_serial = 0


def helper(name):
    """A program of tests/helpers."""
    return os.path.join(BUILD, "tests", "helpers", name)


def temp(name="d"):
    """A fresh path below the test's own directory; nothing is there yet."""
    global _serial
    _serial += 1
    return os.path.join(TMP, f"{name}{_serial}")


# ---- TAP ---------------------------------------------------------------------------------

_count = 0
_failed = 0


def show(value, limit=600):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else \
        f"{text[:limit * 2 // 3]} …({len(text)})… {text[-limit // 3:]}"


def diag(*values):
    for value in values:
        for line in show(value).splitlines() or [""]:
            print(f"#   {line}")


def ok(good, name, *details):
    """One result. The details are printed when it fails; callables are called first."""
    global _count, _failed
    _count += 1
    print(f"{'' if good else 'not '}ok {_count} - {name}")
    if not good:
        _failed += 1
        for detail in details:
            diag(detail() if callable(detail) else detail)
    sys.stdout.flush()
    return bool(good)


def equal(got, want, name, *details):
    def difference():
        text = f"got  {show(got)}\nwant {show(want)}"
        if isinstance(got, bytes) and isinstance(want, bytes) and min(len(got), len(want)) > 60:
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b),
                      min(len(got), len(want)))
            text += f"\nfirst difference at byte {at} of {len(got)} and {len(want)}: " \
                    f"{got[at:at + 40]!r} and {want[at:at + 40]!r}"
        return text
    return ok(got == want, name, difference, *details)


def skip(name, why):
    global _count
    _count += 1
    print(f"ok {_count} - {name} # skip {why}", flush=True)


def done():
    """The last line of a test file."""
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed else 0)


def section(function):
    """Decorator: runs the function now. A test that raises is one failure, not the end."""
    try:
        function()
    except Exception as error:  # noqa: BLE001 - whatever it was, it is a failure
        import traceback
        ok(False, f"{function.__name__}: {type(error).__name__}: {error}",
           traceback.format_exc())
    return function


tty_mode = "auto"  # of --tty, in sections that both_modes runs


def both_modes(function):
    """Decorator: the section with pipes, and with a terminal of the command's own."""
    global tty_mode
    for tty_mode in ("never", "auto"):
        function.__name__ += f" --tty {tty_mode}"
        section(function)
    return function


class Late(AssertionError):
    """A deadline passed."""


class Deadline:
    """Seconds, scaled, of looking: a machine that stands still between two looks, and all that is
    waited for with it, has used up no more than a moment. Ask late() first, then look once more."""

    LOOK, MOMENT = 0.25, 1.0

    def __init__(self, seconds):
        self.left, self.at = seconds * SCALE, time.monotonic()

    def late(self):
        now = time.monotonic()
        self.left -= min(now - self.at, self.MOMENT)
        self.at = now
        return self.left <= 0


def wait_for(condition, what, seconds=15):
    """Polls until condition() is true and returns its value."""
    deadline, pause = Deadline(seconds), 0.001
    while True:
        late = deadline.late()
        value = condition()
        if value:
            return value
        if late:
            raise Late(f"not within {seconds:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def wait_process(process, seconds=30):
    """The status of a subprocess.Popen that is about to end."""
    wait_for(lambda: process.poll() is not None, f"the end of {str(process.args)[:300]}", seconds)
    return process.returncode


def communicate(process, data=None, seconds=30):
    """What it wrote to its pipes, to their ends; raises Late."""
    deadline = Deadline(seconds)
    while True:
        late = deadline.late()
        try:
            return process.communicate(data, timeout=Deadline.LOOK)
        except subprocess.TimeoutExpired:
            data = None  # it is being written already
            if late:
                raise Late(f"not ended within {seconds:g} s: {str(process.args)[:300]}") from None


# ---- cleaning up -------------------------------------------------------------------------

def _own_descendants():
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            parent = proc_parent(int(name))
            if parent:
                parents.setdefault(parent, []).append(int(name))
    found, queue = [], [os.getpid()]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def _clean_up():
    for _ in range(5):  # what is killed may just have started another
        for pid in _own_descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except OSError:
            break
    subprocess.run(["chmod", "-R", "u+rwX", TMP], stderr=DEVNULL, check=False)
    shutil.rmtree(TMP, ignore_errors=True)


atexit.register(_clean_up)
# Orphans of the commands under test become our children, so that none outlives us.
_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_CHILD_SUBREAPER = 36
_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _give_up(number, _frame):
    print(f"# ended by signal {number}", flush=True)
    sys.exit(1)


signal.signal(signal.SIGTERM, _give_up)
signal.signal(signal.SIGALRM, _give_up)
signal.alarm(int(240 * SCALE))  # below the runner's limit, so that we can clean up


# ---- /proc -------------------------------------------------------------------------------

def _stat_fields(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return None


def proc_state(pid):
    """'R', 'S', 'T', 'Z' …; None when there is no such process."""
    fields = _stat_fields(pid)
    return fields[0].decode() if fields else None


def proc_parent(pid):
    fields = _stat_fields(pid)
    return int(fields[1]) if fields else None


def proc_group(pid):
    fields = _stat_fields(pid)
    return int(fields[2]) if fields else None


def proc_ticks(pid):
    """User and system time used, in clock ticks; None when it is gone."""
    fields = _stat_fields(pid)
    return int(fields[11]) + int(fields[12]) if fields else None


def proc_gone(pid):
    return proc_state(pid) in (None, "Z")


def proc_children(pid):
    return [int(name) for name in os.listdir("/proc")
            if name.isdigit() and proc_parent(int(name)) == pid]


def proc_peak_kb(pid):
    """VmHWM."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))


def process_group_alive(group):
    return any(proc_group(int(name)) == group and not proc_gone(int(name))
               for name in os.listdir("/proc") if name.isdigit())


# ---- running -----------------------------------------------------------------------------

def environment(store=None, **extra):
    """A clean one: nothing of the caller's but what programs need to start."""
    env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "TERM": "dumb",
           "HOME": os.path.join(TMP, "home"), "TMPDIR": TMP, "SHELL": "/bin/sh"}
    for name, value in os.environ.items():
        if name.startswith(("ASAN_", "UBSAN_", "LSAN_", "LLVM_")):
            env[name] = value
    if store:
        env["BUILDLOG_DIR"] = store
    for name, value in extra.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    os.makedirs(os.path.join(TMP, "home"), exist_ok=True)
    return env


class Run:
    """buildlog run …, started. Without a controlling terminal, in a session of its own."""

    def __init__(self, *args, store=None, env=None, binary=None, argv=None, stdin=DEVNULL,
                 stdout=PIPE, stderr=PIPE, cwd=None, preexec=None, pass_fds=()):
        self.store = store or temp("store")
        self.argv = list(argv) if argv else [binary or BIN, "run", *map(str, args)]
        self.out = self.err = b""
        self.status = None
        self.process = subprocess.Popen(
            self.argv, stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd,
            env=environment(self.store, **(env or {})), start_new_session=True,
            preexec_fn=preexec, pass_fds=pass_fds)
        self.pid = self.process.pid

    def send(self, number):
        os.kill(self.pid, number)

    def read_until(self, pattern, seconds=15, stream="out"):
        """Reads the stream until the bytes, or the regular expression rx(), turn up."""
        pattern = _matcher(pattern)
        fd = getattr(self.process, "stdout" if stream == "out" else "stderr").fileno()
        deadline = Deadline(seconds)
        while True:
            match = pattern.search(getattr(self, stream))
            if match:
                return match
            late = deadline.late()
            if not select.select([fd], [], [], Deadline.LOOK)[0]:
                if late:
                    raise Late(f"no {pattern.pattern!r} within {seconds} s in "
                               f"{show(getattr(self, stream))}")
            else:
                data = os.read(fd, 65536)
                if not data:
                    raise Late(f"end of file before {pattern.pattern!r} in "
                               f"{show(getattr(self, stream))}")
                setattr(self, stream, getattr(self, stream) + data)

    def finish(self, seconds=30, data=None):
        """Reads to the end and waits; returns self. status is negative for a signal."""
        out, err = communicate(self.process, data, seconds)
        self.out += out or b""
        self.err += err or b""
        self.status = self.process.returncode
        return self

    @property
    def paths(self):
        return sorted(glob.glob(os.path.join(self.store, "builds", "*", "*.log")))

    @property
    def path(self):
        paths = self.paths
        if len(paths) != 1:
            raise AssertionError(f"{len(paths)} logs where one was expected; "
                                 f"stderr: {show(self.err)}")
        return paths[0]

    @property
    def log(self):
        return read_log(self.path)

    def wait_log(self, condition, what, seconds=15):
        """Waits until the one log satisfies condition(log)."""
        def look():
            if not self.paths:
                return None
            log = read_log(self.path, finished=False)
            return log if condition(log) else None
        return wait_for(look, what, seconds)


def rx(pattern):
    """A regular expression for read_until() and expect(); plain bytes stand for themselves."""
    return re.compile(pattern)


def _matcher(pattern):
    return pattern if isinstance(pattern, re.Pattern) else re.compile(re.escape(pattern))


def start(*args, **options):
    return Run(*args, **options)


def run(*args, seconds=30, data=None, **options):
    """buildlog run ARGS to its end."""
    if data is not None:
        options["stdin"] = PIPE
    return Run(*args, **options).finish(seconds, data)


def bare(*command, data=None, seconds=30, **options):
    """The command itself, for comparison."""
    if data is not None:
        options["stdin"] = PIPE
    return Run(argv=command, **options).finish(seconds, data)


def signal_name(number):
    return signal.Signals(number).name


# ---- logs: an independent reader ---------------------------------------------------------

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
START_KEYS = ["kind", "buildId", "userId", "projectId", "startedAt", "version", "v", "attempt",
              "reqId", "traceId", "spanId", "parentId", "name", "cmd", "cwd", "host", "pid",
              "tty", "order", "redact", "forward", "lock", "labels", "columns", "rows"]
LINE_KEYS = ["kind", "ts", "seq", "src", "buildId", "msg", "level", "redacted", "truncated",
             "partial", "cont", "bad", "raw", "len", "frames"]
EVENT_KEYS = ["kind", "ts", "seq", "buildId", "level", "component", "event"]
GAP_KEYS = ["kind", "ts", "seq", "buildId", "from", "lines", "bytes", "reason"]
END_KEYS = ["kind", "buildId", "endedAt", "status", "exitCode", "signal", "durationMs", "lines",
            "bytes", "lastSeq", "complete", "redactions", "maxRssKb", "userMs", "sysMs", "hash",
            "shutdown"]
START_NEEDS = ["buildId", "startedAt", "version", "v", "cmd", "cwd", "host", "pid", "tty",
               "order", "redact", "forward", "lock"]
END_NEEDS = ["buildId", "endedAt", "status", "durationMs", "lines", "bytes", "lastSeq",
             "complete", "hash"]
STATUSES = ["ok", "failed", "signaled", "timeout", "interrupted", "exec_failed"]
TRUNCATED_MARK = "…[TRUNCATED]"
MAX_TS_STEP_BACK_FROM_START_MS = 20  # the coarse and the fine clock differ by up to a tick
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class _Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def _find_xxh3():
    for name in ("libxxhash.so.0", ctypes.util.find_library("xxhash")):
        try:
            function = ctypes.CDLL(name).XXH3_128bits
        except (OSError, AttributeError, TypeError):
            continue
        function.argtypes, function.restype = [ctypes.c_char_p, ctypes.c_size_t], _Hash128
        return function
    return None


_xxh3 = _find_xxh3()
HASH_CHECKED = _xxh3 is not None


def hash_of(data):
    value = _xxh3(data, len(data))
    return f"xxh3:{value.high:016x}{value.low:016x}"


def ulid_day(build_id):
    value = 0
    for char in build_id[:10]:
        value = value * 32 + _CROCKFORD.index(char)
    return datetime.datetime.fromtimestamp(value / 1000, datetime.timezone.utc) \
        .strftime("%Y-%m-%d")


def rfc3339_ms(text):
    moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return round(moment.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


class Attempt:
    def __init__(self, start_record, offset):
        self.start, self.offset, self.end = start_record, offset, None
        self.lines, self.gaps, self.events, self.numbered = [], [], [], []
        self.replaced = False  # begins a file made anew: what was before is gone


class Log:
    """A log as read: records, what is wrong with it in `errors`, what is left of a write
    that was cut off in `torn`."""

    def __init__(self, path, data):
        self.path, self.data = path, data
        self.errors, self.records, self.attempts, self.torn = [], [], [], b""

    @property
    def start(self):
        return self.attempts[-1].start if self.attempts else None

    @property
    def end(self):
        return self.attempts[-1].end if self.attempts else None

    def _all(self, name):
        return [record for attempt in self.attempts for record in getattr(attempt, name)]

    @property
    def lines(self):
        return self._all("lines")

    @property
    def gaps(self):
        return self._all("gaps")

    @property
    def events(self):
        return self._all("events")

    def event_names(self):
        return [record["event"] for record in self.events]

    def msgs(self, src=None):
        return [record.get("msg") for record in self.lines if src in (None, record["src"])]

    def bytes_of(self, src=None):
        """The stream as the log keeps it: exact where nothing was redacted or cut."""
        out = bytearray()
        for record in self.lines:
            if src in (None, record["src"]):
                out += line_bytes(record)
                if not (record.get("partial") or record.get("cont")):
                    out += b"\n"
        return bytes(out)


def line_bytes(record):
    if "raw" in record:
        return base64.b64decode(record["raw"], validate=True)
    return record["msg"].encode("utf-8", "surrogatepass")


def _pairs(pairs):
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError(f"key twice in {[key for key, _ in pairs]}")
    return record


def _no_constant(text):
    raise ValueError(f"{text} is not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_no_constant)


def parse_record(line):
    record = _decoder.decode(line.decode("utf-8"))
    if not isinstance(record, dict):
        raise ValueError("not an object")
    return record


class _Checker:
    """Holds the log against sections 2 and 3 of the contract."""

    def __init__(self, log):
        self.log, self.seq, self.ts, self.where = log, 0, None, ""
        self.shapes = set()
        self.build_id = os.path.basename(log.path)[:26]

    def need(self, good, message):
        if not good:
            self.log.errors.append(f"{self.where}: {message}")

    def keys(self, record, order, needed=(), free_tail=False):
        self.need(None not in record.values(), "null for an absent value")
        shape = (id(order), *record)
        if shape in self.shapes:  # millions of lines have one shape
            return
        before = len(self.log.errors)
        known = [key for key in record if key in order]
        unknown = [key for key in record if key not in order]
        self.need(known == [key for key in order if key in record],
                  f"keys not in order: {list(record)}")
        self.need(free_tail or not unknown, f"unknown keys {unknown}")
        self.need(all(key in record for key in needed),
                  f"missing {[key for key in needed if key not in record]}")
        if len(self.log.errors) == before:
            self.shapes.add(shape)

    def whole(self, record, *names):
        for name in names:
            value = record.get(name, 0)
            self.need(isinstance(value, int) and not isinstance(value, bool) and value >= 0,
                      f"{name} is {value!r}")

    def record(self, record, offset):
        kind = record.get("kind")
        self.need(record.get("buildId") == self.build_id,
                  f"buildId {record.get('buildId')!r} in a file named {self.build_id}")
        if kind == "meta" and "startedAt" in record:
            self.start(record, offset)
        elif kind == "meta" and "endedAt" in record:
            self.end(record, offset)
        elif kind in ("line", "event", "gap"):
            self.numbered(record, kind)
        else:
            self.need(False, f"kind {kind!r} is none of the contract's")

    def start(self, record, offset):
        self.keys(record, START_KEYS, START_NEEDS)
        self.need(_RFC3339.fullmatch(record.get("startedAt", "")), "startedAt")
        self.need(record.get("v") == 1, "v")
        self.need(isinstance(record.get("cmd"), list) and record["cmd"], "cmd")
        self.need(record.get("order") in ("arrival", "exact", "merge"), "order")
        self.need(record.get("redact") in ("on", "off"), "redact")
        self.need(record.get("forward") in ("redacted", "raw", "none"), "forward")
        for name in ("tty", "lock"):
            self.need(isinstance(record.get(name), bool), name)
        self.whole(record, "pid")
        attempt = Attempt(record, offset)
        number = record.get("attempt", 1)
        if self.log.attempts:
            last = self.log.attempts[-1].start.get("attempt", 1)
            self.need(number == last + 1, f"attempt {number} after {last}")
        else:
            attempt.replaced = number > 1 or None
        self.log.attempts.append(attempt)
        self.ts = None

    def numbered(self, record, kind):
        if not self.log.attempts:
            self.need(False, "a record before the start record")
            return
        attempt = self.log.attempts[-1]
        self.need(attempt.end is None, "a record after the end record")
        self.whole(record, "ts", "seq", "from", "lines", "bytes", "redacted", "truncated",
                   "bad", "len", "frames")
        first = record.get("from" if kind == "gap" else "seq", 0)
        self.need(first == self.seq + 1, f"{kind} begins at {first} after {self.seq}")
        self.need(record.get("seq", 0) >= first, f"gap from {first} to {record.get('seq')}")
        self.seq = record.get("seq", 0)
        ts = record.get("ts", 0)
        self.need(self.ts is None or ts >= self.ts, f"ts {ts} after {self.ts}")
        if self.ts is None:
            self.need(ts >= rfc3339_ms(attempt.start["startedAt"])
                      - MAX_TS_STEP_BACK_FROM_START_MS, f"ts {ts} before startedAt")
        self.ts = ts
        attempt.numbered.append(record)
        getattr(self, kind)(record, attempt)

    def line(self, record, attempt):
        attempt.lines.append(record)
        self.keys(record, LINE_KEYS, ("ts", "seq", "src"))
        merged = attempt.start["order"] == "merge"
        self.need(record.get("src") in (("merged",) if merged else ("stdout", "stderr")),
                  f"src {record.get('src')!r}")
        self.need(("msg" in record) != ("len" in record), "msg and len: exactly one is there")
        for name in ("partial", "cont"):
            self.need(record.get(name, True) is True, f"{name} is not true")
        for name in ("redacted", "truncated", "bad", "frames"):
            self.need(record.get(name, 1) > 0, f"{name} is 0")
        self.need(("raw" in record) == ("bad" in record) or "len" in record,
                  "raw and bad: both or none")
        if "msg" in record:
            self.text(record)

    def text(self, record):
        msg = record["msg"]
        self.need(isinstance(msg, str) and "\n" not in msg, "a newline in msg")
        self.need(not _SURROGATE.search(msg), "a surrogate in msg")
        self.need(msg.endswith(TRUNCATED_MARK) or "truncated" not in record,
                  "truncated without its mark")
        if "raw" in record:
            raw = base64.b64decode(record["raw"], validate=True)
            text = raw.decode("utf-8", "replace")
            self.need(text == msg or "truncated" in record and msg.startswith(text),
                      f"msg {show(msg, 80)} is not raw repaired {show(text, 80)}")
            self.need(record["bad"] == count_bad(raw), f"bad is {record['bad']}, counted "
                      f"{count_bad(raw)}")

    def event(self, record, attempt):
        attempt.events.append(record)
        self.keys(record, EVENT_KEYS, EVENT_KEYS, free_tail=True)
        self.need(list(record)[:len(EVENT_KEYS)] == EVENT_KEYS, "event's own keys come first")

    def gap(self, record, attempt):
        attempt.gaps.append(record)
        self.keys(record, GAP_KEYS, GAP_KEYS)
        self.need(record["lines"] <= record["seq"] - record["from"] + 1,
                  f"{record['lines']} lines in {record['seq'] - record['from'] + 1} numbers")

    def end(self, record, offset):
        self.keys(record, END_KEYS, END_NEEDS)
        if not self.log.attempts:
            self.need(False, "an end record without a start record")
            return
        attempt = self.log.attempts[-1]
        self.need(attempt.end is None, "two end records")
        attempt.end = record
        self.whole(record, "durationMs", "lines", "bytes", "lastSeq", "maxRssKb", "userMs",
                   "sysMs")
        self.need(_RFC3339.fullmatch(record.get("endedAt", "")), "endedAt")
        self.need(rfc3339_ms(record["endedAt"]) >= rfc3339_ms(attempt.start["startedAt"])
                  - MAX_TS_STEP_BACK_FROM_START_MS, "endedAt before startedAt")
        self.status(record)
        self.totals(record, attempt)
        self.need(re.fullmatch("xxh3:[0-9a-f]{32}", record.get("hash", "")), "hash")
        if HASH_CHECKED:
            want = hash_of(self.log.data[attempt.offset:offset])
            self.need(record.get("hash") == want, f"hash {record.get('hash')}, want {want}")

    def status(self, record):
        status = record.get("status")
        code, number = record.get("exitCode"), record.get("signal")
        self.need(status in STATUSES, f"status {status!r}")
        self.need(code is None or number is None, "exitCode and signal at once")
        self.need(status != "ok" or code == 0, f"ok with exitCode {code}")
        self.need(status != "failed" or code, f"failed with exitCode {code}")
        self.need(status != "signaled" or isinstance(number, str), "signaled without a signal")
        self.need((status == "interrupted") == (record.get("shutdown") is True),
                  "shutdown stands exactly with interrupted")

    def totals(self, record, attempt):
        gap_lines = sum(gap["lines"] for gap in attempt.gaps)
        records = len(attempt.lines)
        whole = sum(1 for line in attempt.lines if not line.get("cont"))
        self.need(record["lines"] - gap_lines in {records, whole},
                  f"lines is {record['lines']}; {records} records and {gap_lines} in gaps")
        self.need(record["lastSeq"] == self.seq, f"lastSeq {record['lastSeq']}, is {self.seq}")
        cut = any("truncated" in line for line in attempt.lines)
        self.need(not record["complete"] or not (attempt.gaps or cut),
                  "complete in spite of a gap or a truncated line")
        drawn_over = attempt.start["tty"] or any("frames" in line for line in attempt.lines)
        if not drawn_over and not any("redacted" in line for line in attempt.lines):
            total = sum(_read_length(line) for line in attempt.lines) \
                + sum(gap["bytes"] for gap in attempt.gaps)
            # A pseudo-terminal may end lines with CR LF; the CR is in bytes and in no msg.
            more = records if attempt.start["tty"] else 0
            self.need(total <= record["bytes"] <= total + more,
                      f"bytes is {record['bytes']}, counted {total}")
        marks = sum(line.get("redacted", 0) for line in attempt.lines)
        counted = sum(record.get("redactions", {}).values())
        self.need(marks <= counted, f"{marks} marks in lines, {counted} in redactions")
        self.need(attempt.gaps or "redactions" in record or marks == 0, "redactions missing")


def _read_length(line):
    """How many bytes were read for this record, newline included."""
    newline = 0 if line.get("partial") or line.get("cont") else 1
    if "len" in line:
        return line["len"] + line.get("truncated", 0) + newline
    length = len(line_bytes(line))
    if "truncated" in line:
        length += line["truncated"]
        if "raw" not in line or line_bytes(line).endswith(TRUNCATED_MARK.encode()):
            length -= len(TRUNCATED_MARK.encode())
    return length + newline


def count_bad(data):
    """Bytes that are part of no valid UTF-8 sequence."""
    return len(data) - len(data.decode("utf-8", "ignore").encode())


def read_log(path, finished=True):
    """Reads and checks. finished: whether the absence of an end record and a torn tail are
    errors."""
    with open(path, "rb") as file:
        data = file.read()
    log = Log(path, data)
    checker = _Checker(log)
    checker.where = "file"
    checker.need(ULID.fullmatch(checker.build_id), f"named {os.path.basename(path)}")
    checker.need(os.path.basename(os.path.dirname(path)) == ulid_day(checker.build_id),
                 f"{path} is not in the folder of its day")
    offset = 0
    while offset < len(data):
        newline = data.find(b"\n", offset)
        if newline < 0:
            log.torn = data[offset:]
            break
        checker.where = f"record {len(log.records) + 1} at byte {offset}"
        try:
            record = parse_record(data[offset:newline])
        except ValueError as error:
            log.errors.append(f"{checker.where}: {error}: {show(data[offset:newline], 200)}")
        else:
            log.records.append(record)
            if len(log.records) == 1 and "startedAt" not in record:
                log.errors.append("the first record is no start record")
            try:
                checker.record(record, offset)
            except (KeyError, TypeError, AttributeError) as error:
                log.errors.append(f"{checker.where}: {type(error).__name__} {error} in "
                                  f"{show(record, 200)}")
        offset = newline + 1
    if finished:
        checker.where = "file"
        checker.need(not log.torn, f"torn at its end: {show(log.torn, 200)}")
        checker.need(log.attempts and log.end, "no end record")
    return log


def sound(log, name):
    """One result: the log is what the contract says."""
    if not isinstance(log, Log):
        try:
            log = log.log
        except (AssertionError, OSError) as error:
            ok(False, name, str(error))
            return None
    ok(not log.errors, name, *log.errors[:8])
    return log


def fresh_id():
    """A valid id of now, made here, for --id."""
    value = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


def id_path(store, build_id):
    return os.path.join(store, "builds", ulid_day(build_id), build_id + ".log")


# ---- pseudo-terminals --------------------------------------------------------------------

class Pty:
    """A program at a terminal of its own: session leader, in the foreground."""

    def __init__(self, argv, store=None, env=None, rows=24, cols=80, cwd=None):
        self.store = store or temp("store")
        self.screen, self.seen = b"", 0
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.process = subprocess.Popen(
            list(map(str, argv)), stdin=slave, stdout=slave, stderr=slave, cwd=cwd,
            env=environment(self.store, **(env or {})), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.pid = self.process.pid

    paths, path, log, wait_log = Run.paths, Run.path, Run.log, Run.wait_log

    @property
    def err(self):
        return self.screen

    def _read(self, seconds):
        """None: nothing came; False: at the end of the terminal."""
        if not select.select([self.master], [], [], seconds)[0]:
            return None
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: the last one at the terminal has gone
            return False
        self.screen += data
        return bool(data)

    def expect(self, pattern, seconds=15):
        """Waits for bytes, or a regular expression rx(), after what was expected before."""
        pattern = _matcher(pattern)
        deadline = Deadline(seconds)
        while True:
            match = pattern.search(self.screen, self.seen)
            if match:
                self.seen = match.end()
                return match
            late = deadline.late()
            more = self._read(Deadline.LOOK)
            if more is False or (late and not more):
                raise Late(f"no {pattern.pattern!r} on the screen: "
                           f"{show(self.screen[self.seen:])}")

    def send(self, data):
        os.write(self.master, data)

    def typed(self, line, prompt=b"READY$ "):
        """Types at a shell, whose PS1 that is, and waits for it to be ready again; what it said."""
        at = self.seen
        self.send(line + b"\n")
        self.expect(prompt)
        return self.screen[at:self.seen]

    def foreground(self):
        return os.tcgetpgrp(self.master)

    def echo(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def finish(self, seconds=30):
        """Reads the screen to its end and waits; returns the status."""
        deadline = Deadline(seconds)
        while self._read(0.2) is not False:
            if self.process.poll() is not None and not select.select(
                    [self.master], [], [], 0)[0]:
                break
            if deadline.late():
                raise Late(f"still at the terminal after {seconds} s: "
                           f"{show(self.screen[-600:])}")
        return wait_process(self.process, seconds)

    def close(self):
        """Hangs up."""
        os.close(self.master)
