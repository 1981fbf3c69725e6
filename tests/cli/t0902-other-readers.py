#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What buildlog(5) says about jq, grep and lnav: each command of its OTHER READERS is taken from
the page, run by a shell as it stands there, and says what it promises. lnav takes the format that
is installed, and shows every kind of record sensibly."""
import csv
import io
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import handmade

T0 = 1_767_323_045_678  # 2026-01-02T03:04:05.678Z
DAY = 86_400_000
FORMAT = os.path.join(bl.ROOT, "packaging", "buildlog.lnav.json")

with open(os.path.join(bl.ROOT, "man", "buildlog.5"), encoding="utf-8") as file:
    SECTION = re.search(r"^\.Sh OTHER READERS\n(.*?)^\.Sh ", file.read(), re.M | re.S)[1]


def commands_of(tool):
    """The commands under a heading of the section, in order, as a shell takes them."""
    part = re.search(rf"^\.Ss {tool}\n(.*?)(?=^\.Ss |\Z)", SECTION, re.M | re.S)[1]
    blocks = re.findall(r"^\.Bd [^\n]*\n(.*?)^\.Ed$", part, re.M | re.S)
    text = "".join(blocks).replace("\\e", "\\")
    return [command.strip() for command in re.split(r"^\$ ", text, flags=re.M) if command.strip()]


store = handmade.Store()
bl.atexit.register(store.__exit__)
SCRATCH = bl.temp("scratch")
HOME = bl.temp("home")
os.makedirs(SCRATCH)
os.makedirs(HOME)
BIN = bl.temp("bin")
os.makedirs(BIN)
os.symlink(bl.BIN, os.path.join(BIN, "buildlog"))
ENV = bl.environment(store.root, TZ="UTC", HOME=HOME)
ENV["PATH"] = BIN + ":" + ENV["PATH"]


def shell(command):
    done = subprocess.run(["sh", "-c", command], cwd=SCRATCH, env=ENV, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60 * bl.SCALE, check=False)
    return done.returncode, done.stdout, done.stderr


first = handmade.ulid(T0, "A")
r = handmade.Records(first, T0)
data = r.start() + r.line("compiling") + r.gap(2, 2)
data += r.line("x.o: undefined reference to `y'", src="stderr")
store.put(first, data + r.end("failed", exitCode=2, complete=False))
second = handmade.ulid(T0 + DAY, "B")
r = handmade.Records(second, T0 + DAY)
data = r.start(name="demo") + r.line("one") + r.line("two: oh", src="stderr")
r.ms += 4000
data += r.line("error: three", src="stderr", level="error")
r.ms += 10
data += r.event("stall", idleMs=5) + r.line("four")
store.put(second, data + r.end("ok"))

bl.equal([len(commands_of(tool)) for tool in ("jq", "grep", "lnav")], [5, 2, 5],
         "the commands of the manual are found")

# ---- jq ----------------------------------------------------------------------------------------

JQ = ("two: oh\nerror: three\n",
      "2026-01-03T03:04:05Z\tstdout\tone\n2026-01-03T03:04:05Z\tstderr\ttwo: oh\n"
      "2026-01-03T03:04:09Z\tstderr\terror: three\n2026-01-03T03:04:09Z\t\t\n"
      "2026-01-03T03:04:09Z\tstdout\tfour\n",
      "4000 ms before 3: error: three\n",
      f"{second} ok 0\n{first} failed 2\n",
      "false\n")
for command, want in zip(commands_of("jq"), JQ):
    if not shutil.which("jq"):
        bl.skip(command.split("\n")[0], "no jq")
        continue
    status, said, complained = shell(command)
    bl.equal((said, complained, status), (want, "", 1 if want == "false\n" else 0),
             command.split("\n")[0])
if shutil.which("jq"):
    status, said, _ = shell(commands_of("jq")[4].replace("last", first))
    bl.equal((status, said), (0, "true\n"), "a gap is something that is missing")

# ---- grep --------------------------------------------------------------------------------------

listing, counting = commands_of("grep")
bl.equal(shell(listing), (0, store.path(first) + "\n", ""), listing)
status, said, complained = shell(counting)
bl.equal((status, sorted(said.splitlines()), complained),
         (0, [store.path(first) + ":1", store.path(second) + ":0"], ""), counting)

# ---- lnav --------------------------------------------------------------------------------------

if not shutil.which("lnav"):
    bl.skip("lnav reads logs", "no lnav")
    bl.done()
install, whole, make, found, sql = commands_of("lnav")
bl.ok(install.startswith("lnav -i ") and
      install.endswith("/share/buildlog/" + os.path.basename(FORMAT)), install)
status, said, complained = shell(f"lnav -i {FORMAT}")
bl.ok(status == 0 and "installed" in said + complained and "error" not in said + complained,
      "lnav takes the format", said, complained)


def lnav(command):
    """Without its user interface; what it complains about is on standard error."""
    status, said, complained = shell(command.replace("lnav ", "lnav -n ", 1))
    bl.ok(status == 0 and not complained, command, status, complained)
    return said


LINES = [f"03:04:05.678 {second}      1 line  stdout one",
         f"03:04:05.678 {second}      2 line  stderr two: oh",
         f"03:04:09.678 {second}      3 line  stderr error: three",
         f"03:04:09.688 {second}      4 event       stall ",
         "  component: run", "  idleMs: 5",
         f"03:04:09.688 {second}      5 line  stdout four"]
said = lnav(whole).splitlines()
bl.ok(said[0].endswith('meta        ["make","-j2"] '), "the start record has the command", said[0])
bl.equal([line for line in said if line in LINES], LINES, "lines and events", said)
bl.equal([line for line in lnav(f"lnav {store.path(first)}").splitlines()
          if line.startswith("  ") or " gap " in line][-4:],
         [f"03:04:05.678 {first}      3 gap         log_unwritable ", "  from: 2", "  lines: 2",
          "  bytes: 20"], "a gap says what it stands for")

make = make.replace("--since today", "--since 2026-01-01")
bl.equal(shell(make), (0, "", ""), make)
bl.equal([line for line in lnav(found).splitlines() if " line " in line],
         [f"03:04:09.678 {second}      3 line  stderr error: three"], "what a query found")
bl.equal([line.split() for line in lnav(sql.replace("lnav -n", "lnav", 1)).splitlines()],
         [["log_opid", "src", "count(*)"], [first, "<NULL>", "1"], [second, "<NULL>", "1"],
          [second, "stderr", "1"]], "as a table")

os.makedirs(os.path.join(SCRATCH, "packed"))
packed = os.path.join(SCRATCH, "packed", os.path.basename(store.path(second)) + ".gz")
subprocess.run(f"gzip -c {store.path(second)} > {packed}", shell=True, check=True)
bl.equal([line for line in lnav(f"lnav {packed}").splitlines() if line in LINES], LINES,
         "a compressed log")

query = "SELECT log_time, log_level, log_opid, kind, seq, src, event, log_body FROM buildlog_log"
status, said, complained = shell(f"lnav -n -q -c ';{query}' -c ':write-csv-to -' "
                                 f"{store.path(second)}")
rows = list(csv.reader(io.StringIO(said)))
bl.equal(rows[3:6], [
    ["2026-01-03 03:04:05.678", "info", second, "line", "2", "stderr", "<NULL>", "two: oh"],
    ["2026-01-03 03:04:09.678", "error", second, "line", "3", "stderr", "<NULL>", "error: three"],
    ["2026-01-03 03:04:09.688", "warning", second, "event", "4", "<NULL>", "stall", "<NULL>"]],
    "time, level, build, kind, number, stream, event and text are columns", said, complained)
bl.done()
