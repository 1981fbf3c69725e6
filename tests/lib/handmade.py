# SPDX-License-Identifier: MIT
"""Stores and logs made by hand, for tests of the reading commands that need no `run`."""
import datetime
import errno
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BUILDLOG = os.environ.get("BUILDLOG", "build/buildlog")
# Seconds a condition may take on a loaded machine.
DEADLINE = 60.0 * float(os.environ.get("BUILDLOG_TEST_SCALE", "1"))


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, detail=None):
        self.count += 1
        name = "".join(c if c.isprintable() and c != "#" else "?" for c in name)
        print(f"{'' if good else 'not '}ok {self.count} - {name}", flush=True)
        if not good:
            self.failed += 1
            if detail is not None:
                for line in repr(detail)[:4000].splitlines():
                    print(f"#   {line}")
        return good

    def equal(self, got, want, name):
        return self.ok(got == want, name, {"got": got, "want": want})

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # skip {why}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def ulid(ms, tail="0000000000000000"):
    head = ""
    for _ in range(10):
        head = ALPHABET[ms & 31] + head
        ms >>= 5
    return head + tail.rjust(16, "0")


def rfc3339(ms):
    when = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def encode(record):
    return (json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n").encode(
        "utf-8", "surrogateescape")


class Records:
    """The records of one build, in the shape that the writer gives them."""

    def __init__(self, build, ms):
        self.build, self.ms, self.seq = build, ms, 0

    def start(self, **more):
        record = {"kind": "meta", "buildId": self.build, "startedAt": rfc3339(self.ms),
                  "version": "0.1.0", "v": 1, "cmd": ["make", "-j2"], "cwd": "/src",
                  "host": os.uname().nodename, "pid": 1, "tty": False, "order": "arrival",
                  "redact": "on", "forward": "redacted", "lock": True}
        record.update(more)
        return encode(record)

    def line(self, msg, src="stdout", **more):
        self.seq += 1
        record = {"kind": "line", "ts": self.ms, "seq": self.seq, "src": src,
                  "buildId": self.build}
        if msg is not None:
            record["msg"] = msg
        record.update(more)
        return encode(record)

    def event(self, event, **more):
        self.seq += 1
        record = {"kind": "event", "ts": self.ms, "seq": self.seq, "buildId": self.build,
                  "level": "warn", "component": "run", "event": event}
        record.update(more)
        return encode(record)

    def gap(self, records, lines, reason="log_unwritable"):
        first = self.seq + 1
        self.seq += records
        return encode({"kind": "gap", "ts": self.ms, "seq": self.seq, "buildId": self.build,
                       "from": first, "lines": lines, "bytes": 10 * lines, "reason": reason})

    def end(self, status="ok", **more):
        record = {"kind": "meta", "buildId": self.build, "endedAt": rfc3339(self.ms + 1500),
                  "status": status, "exitCode": 0, "durationMs": 1500, "lines": self.seq,
                  "bytes": 10 * self.seq, "lastSeq": self.seq, "complete": True,
                  "redactions": {}, "hash": "xxh3:" + "0" * 32}
        record.update(more)
        return encode({k: v for k, v in record.items() if v is not None})


class Store:
    """A store below a temporary directory; `with` removes it."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="buildlog-read-")
        self.root = os.path.join(self.top, "store")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top, ignore_errors=True)

    def path(self, build, suffix=".log"):
        ms = 0
        for c in build[:10]:
            ms = ms << 5 | ALPHABET.index(c)
        day = rfc3339(ms)[:10]
        return os.path.join(self.root, "builds", day, build + suffix)

    def put(self, build, data, suffix=".log"):
        path = self.path(build, suffix)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def finished(self, ms, lines=("one", "two", "three"), tail="0000000000000000",
                 status="ok", start=None, **end):
        build = ulid(ms, tail)
        records = Records(build, ms)
        data = records.start(**(start or {}))
        for text in lines:
            data += records.line(text)
        self.put(build, data + records.end(status, **end))
        return build

    def env(self, **more):
        env = {k: v for k, v in os.environ.items()
               if k not in ("BUILDLOG_DIR", "LOGS_DIRECTORY", "NO_COLOR")}
        env.update({"BUILDLOG_DIR": self.root, "TZ": "UTC", "XDG_CONFIG_HOME": self.top, **more})
        return env

    def run(self, *words, **more):
        return subprocess.run([BUILDLOG, *words], env=self.env(**more), capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)

    def on_terminal(self, *words, columns=80, **more):
        """What the command writes to a terminal of that width, and its exit status."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, 0x5414, struct.pack("HHHH", 24, columns, 0, 0))  # TIOCSWINSZ
        env = self.env(**{"TERM": "xterm", **more})
        child = subprocess.Popen([BUILDLOG, *words], env=env, stdin=subprocess.DEVNULL,
                                 stdout=theirs, stderr=subprocess.DEVNULL)
        os.close(theirs)
        out = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError as e:
                if e.errno != errno.EIO:
                    raise
                break
            if not piece:
                break
            out += piece
        os.close(ours)
        return out.replace(b"\r\n", b"\n"), child.wait(DEADLINE)


LOCK = struct.pack("hhxxxxqqixxxx", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


class Writer:
    """Plays the writing side of one log: holds the lock as `run` does."""

    def __init__(self, store, build, lock=True):
        path = store.path(build)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
        if lock:
            fcntl.fcntl(self.fd, fcntl.F_OFD_SETLK, LOCK)

    def write(self, data):
        os.write(self.fd, data)

    def close(self):
        os.close(self.fd)


# A writer in a process of its own, to be killed: takes records in hexadecimal on its stdin.
CHILD = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
fcntl.fcntl(fd, fcntl.F_OFD_SETLK, bytes.fromhex(sys.argv[2]))
print("locked", flush=True)
for line in sys.stdin:
    os.write(fd, bytes.fromhex(line))
    print("written", flush=True)
"""


class KillableWriter:
    def __init__(self, store, build):
        path = store.path(build)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.child = subprocess.Popen([sys.executable, "-c", CHILD, path, LOCK.hex()],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout.readline() == "locked\n"

    def write(self, data):
        self.child.stdin.write(data.hex() + "\n")
        self.child.stdin.flush()
        assert self.child.stdout.readline() == "written\n"

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()


class Follower:
    """`buildlog tail …` in the background; its stdout is read with a deadline."""

    def __init__(self, store, *words, **more):
        self.child = subprocess.Popen([BUILDLOG, "tail", *words], env=store.env(**more),
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        self.seen = b""

    def until(self, text, deadline=DEADLINE):
        """Reads until the output holds text; False when the time is over or the output ends."""
        end = time.monotonic() + deadline
        fd = self.child.stdout.fileno()
        while text not in self.seen:
            ready, _, _ = select.select([fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                return False
            piece = os.read(fd, 65536)
            if not piece:
                return False
            self.seen += piece
        return True

    def finish(self):
        """(exit status, the whole stdout, stderr); the command must end by itself."""
        try:
            out, err = self.child.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            out, err = self.child.communicate()
            return "did not end", self.seen + out, err
        return self.child.returncode, self.seen + out, err

    def cpu_ticks(self):
        with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
