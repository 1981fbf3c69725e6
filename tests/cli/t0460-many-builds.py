#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ten thousand builds over a hundred days: what is listed and reckoned is right, and no more
directories and logs are opened than the question needs. Not by the clock, which a busy machine
would make a liar of, but by counting system calls. (`make bench-store` has the times.)"""
import json
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import faults

BUILDS, DAYS, LINES = 10000, 100, 3
END = 1748736000000  # 2025-06-01T00:00:00Z
STORE = bl.temp("store")
subprocess.run([bl.helper("mkstore"), STORE, str(BUILDS), str(DAYS), str(LINES), str(END)],
               check=True)
CALLS = faults.calls()


def counted(*words):
    """(what came out, how often each system call was made)"""
    path = bl.temp("counts")
    done = bl.bare(bl.FAULT_BIN, *words, store=STORE, env={"BUILDLOG_COUNTS": path})
    with open(path, "rb") as file:
        data = file.read()
    bl.ok(done.status == 0 and not done.err, f"{' '.join(words)[:60]}", done.status, done.err)
    return done.out, {name: struct.unpack_from("Q", data, index * faults.COUNTER_SIZE)[0]
                      for index, name in enumerate(CALLS)}


def few(made, limit, what):
    opened = made["openat2"] + made["openat"]
    bl.ok(opened <= limit, f"{what}: {opened} opened, at most {limit}")


out, made = counted("ls", "-o", "ids")
ROWS = [row.split("\t") for row in out.decode().splitlines()]
IDS = [row[0] for row in ROWS]  # the newest first: n = BUILDS - 1 …
bl.equal((len(IDS), IDS == sorted(IDS, reverse=True)), (BUILDS, True), "all of them, newest first")
bl.equal(ROWS[BUILDS - 1 - 3][1:], ["failed", "job-3"], "each as it is")

# ---- one build ---------------------------------------------------------------------------

out, made = counted("ls", "-n", "20", "--json")
bl.equal([one["id"] for one in json.loads(out)], IDS[:20], "the newest 20")
few(made, 40, "ls -n 20")
for word, want, limit in (("last", IDS[0], 16), ("-100", IDS[99], 16), (IDS[5000][:10], None, 8),
                          (IDS[5000][:14], IDS[5000], 8), (IDS[5000][:25], IDS[5000], 8),
                          ("last-failed", None, 64), ("last-passed", None, 64)):
    out, made = counted("info", "--json", word)
    got = json.loads(out)
    bl.ok(got["id"] == (want or got["id"]) and
          got["status"] == ("failed" if word == "last-failed" else got["status"]),
          f"{word} names its build", got)
    few(made, limit, f"info {word}")
out, made = counted("info", "--json", IDS[7777][-8:])
bl.equal(json.loads(out)["id"], IDS[7777], "an end of an id")
few(made, DAYS + 20, "looks at names alone")
bl.ok(made["pread"] < 20, "and into no other log", made["pread"])
out, made = counted("ls", "--since", "2025-05-31T00:00:00Z", "--json")
bl.equal([one["id"] for one in json.loads(out)], IDS[:100], "a day")
few(made, 120, "ls --since")

# ---- all of them -------------------------------------------------------------------------

bl.ok(not os.path.exists(os.path.join(STORE, "index")), "none of that made an index")
first, made = counted("stats", "--json")
got = json.loads(first)
bl.equal((got["builds"], got["failed"], got["outcomes"]["failed"], got["outcomes"]["signaled"]),
         (BUILDS, 1100, 1000, 100), "counts")
bl.equal([got["durationMs"][key] for key in ("min", "p50", "p95", "p99", "max", "mean")],
         [0, 499, 949, 989, 999, 500], "durations")
lines = sorted(LINES + n % 7 for n in range(BUILDS))
bl.equal([got["lines"][key] for key in ("p50", "p99", "max")],
         [lines[BUILDS // 2 - 1], lines[BUILDS * 99 // 100 - 1], lines[-1]], "lines")
bl.equal({name["name"]: name["builds"] for name in got["names"]},
         {f"job-{n}": sum(m % 12 == n for m in range(BUILDS)) for n in range(12)}, "names")
bl.ok(made["openat2"] > BUILDS, "for which every log was looked into", made["openat2"])
bl.equal(len(os.listdir(os.path.join(STORE, "index"))), DAYS, "once: there is an index now")
second, made = counted("stats", "--json")
bl.equal(second, first, "which gives the same figures")
few(made, 5 * DAYS, "without a look into any log")
out, made = counted("ls", "--status", "signaled", "-o", "ids")
bl.equal([row.split("\t")[0] for row in out.decode().splitlines()],
         [IDS[BUILDS - 1 - n] for n in range(BUILDS) if n % 100 == 50][::-1], "ls --status")
few(made, 5 * DAYS + 120, "opens those that it shows")
out, made = counted("ls", "--label", "shard=3", "-n", "5", "--json")
bl.equal([one["labels"] for one in json.loads(out)], [{"shard": "3"}] * 5, "ls --label")
few(made, 40, "with -n")

# ---- changes -----------------------------------------------------------------------------

gone = IDS[::97]
for build in gone:
    os.unlink(bl.id_path(STORE, build))
shutil.rmtree(os.path.dirname(bl.id_path(STORE, IDS[-1])))
left = [build for build in IDS if os.path.exists(bl.id_path(STORE, build))]
out, made = counted("stats", "--json")
bl.equal(json.loads(out)["builds"], len(left), "what was removed does not count")
shutil.rmtree(os.path.join(STORE, "index"))
again, made = counted("stats", "--json")
bl.equal(again, out, "neither with an index nor without")
done = bl.bare(bl.BIN, "verify", "-1", "-50", IDS[1234], store=STORE)
bl.equal((done.status, done.out.count(b"  intact\n")), (0, 3), "they are intact")
done = bl.bare(bl.BIN, "ls", "-o", "ids", store=STORE)
bl.equal([row.split("\t")[0] for row in done.out.decode().splitlines()], left, "what is left")
bl.done()
