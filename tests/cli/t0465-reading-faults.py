#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ls, stats, info and verify while system calls fail: what comes out with status 0 is what comes
out undisturbed, everything else says why, nothing dies and nothing is left in the index."""
import concurrent.futures
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

BASE = bl.temp("store")
subprocess.run([bl.helper("mkstore"), BASE, "20", "1", "2", "1748736000000"], check=True)
COMMANDS = (("ls", "-o", "json"), ("ls", "--status", "failed", "-o", "ids"), ("stats", "--json"),
            ("verify",), ("info", "last-failed", "--json"))
CALLS = ("openat", "openat2", "fstat", "fstatat", "pread", "lock", "close", "mkdirat", "renameat",
         "unlinkat", "write@log", "fcntl", "clock_gettime")
WAYS = ("EIO", "EINTR", "short")


def run(words, order, store):
    env = {"BUILDLOG_FAULT": order}
    # Where /proc could not be opened the sandbox keeps the leak detector out of it, too.
    if bl.SANITIZED and order.startswith("openat"):
        env["ASAN_OPTIONS"] = "detect_leaks=0"
    return bl.bare(bl.FAULT_BIN, *words, store=store, env=env)


def judge(words, want, order):
    store = bl.temp("copy")
    shutil.copytree(BASE, store)
    try:
        got = run(words, order, store)
        if got.status not in (0, 1, 2):
            return f"status {got.status} {got.err}"
        if got.status == 0 and got.out.replace(store.encode(), b"S") != want:
            return f"status 0, but {got.out[:300]}"
        if got.status == 2 and not got.err:
            return "trouble, but not a word"
        if got.err and not got.err.startswith(b"buildlog"):
            return f"stderr: {got.err[:300]}"
        left = os.listdir(os.path.join(store, "index")) \
            if os.path.isdir(os.path.join(store, "index")) else []
        if any(name.startswith(".") for name in left) and "unlinkat" not in order:
            return f"left: {left}"
        if not left:
            return ""
        again = run(words, "", store)
        if again.status != 0 or again.out.replace(store.encode(), b"S") != want:
            return f"afterwards: {again.status} {again.out[:300]}"
        return ""
    finally:
        shutil.rmtree(store, ignore_errors=True)


def prove(words):
    undisturbed = run(words, "", BASE)
    shutil.rmtree(os.path.join(BASE, "index"), ignore_errors=True)
    want = undisturbed.out.replace(BASE.encode(), b"S")
    orders = [f"{call}:{n}:{way}:{times}" for call in CALLS for n in (1, 2, 5, 20)
              for way in WAYS for times in ("x1", "persist")
              if (way != "short" or call in ("pread", "write@log"))
              and (way, times) != ("EINTR", "persist")]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        bad = [(order, why) for order, why in
               zip(orders, pool.map(lambda order: judge(words, want, order), orders)) if why]
    bl.ok(undisturbed.status == 0 and not bad, f"{' '.join(words)}: {len(orders)} faults",
          f"{len(bad)} bad", *bad[:8])


for each in COMMANDS:
    prove(each)
bl.done()
