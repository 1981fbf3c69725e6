#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs test programs side by side, reads their TAP, and closes with one line of totals.

    tests/run.py [-j N] [-t SECONDS] [-v] [--totals FILE] PROGRAM...

A program that dies, times out, breaks its plan or prints no plan counts as one failure.
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time

RESULT = re.compile(r"^(not )?ok\b[ \d]*-? ?(.*?)(?:\s+#\s*(skip|todo)\b(.*))?$", re.I)
PLAN = re.compile(r"^1\.\.(\d+)")


def run_one(path, limit):
    command = [sys.executable, path] if path.endswith(".py") else [path]
    started = time.monotonic()
    # A session of its own, so that a test that hangs is ended with all it started.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as child:
        timed_out = False
        try:
            out, _ = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(child.pid, signal.SIGKILL)
            out, _ = child.communicate()
    return path, out.decode("utf-8", "replace"), child.returncode, timed_out, \
        time.monotonic() - started


def judge(path, text, status, timed_out):
    passed, skipped, failures, plan, seen = 0, 0, [], None, 0
    for line in text.splitlines():
        match = PLAN.match(line)
        if match:
            plan = int(match.group(1))
            continue
        match = RESULT.match(line)
        if not match:
            continue
        seen += 1
        if (match.group(3) or "").lower() == "skip":
            skipped += 1
        elif match.group(1):
            failures.append(match.group(2))
        else:
            passed += 1
    if timed_out:
        failures.append("(timed out)")
    elif plan is None:
        failures.append(f"(no plan; exit status {status})")
    elif plan != seen:
        failures.append(f"(planned {plan} tests, ran {seen})")
    elif status != 0 and not failures:
        failures.append(f"(exit status {status})")
    return passed, skipped, failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", type=int, default=(os.cpu_count() or 1) + 1)
    parser.add_argument("-t", type=float, default=300)
    parser.add_argument("-v", action="store_true")
    parser.add_argument("--totals", help="a file that gets the closing line, too")
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    # A shell starts what it puts in the background with these ignored, and so would every test be.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    total_passed, total_skipped, total_failed = 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        jobs = [pool.submit(run_one, path, args.t) for path in args.programs]
        for job in concurrent.futures.as_completed(jobs):
            path, text, status, timed_out, took = job.result()
            passed, skipped, failures = judge(path, text, status, timed_out)
            total_passed += passed
            total_skipped += skipped
            total_failed += len(failures)
            mark = "FAIL" if failures else "ok"
            skips = f", {skipped} skipped" if skipped else ""
            print(f"{mark:4} {os.path.basename(path):40} {passed:6} passed{skips}  {took:.1f}s",
                  flush=True)
            for name in failures:
                print(f"     not ok: {name}")
            if failures or args.v:
                sys.stdout.write("".join(f"     | {line}\n" for line in text.splitlines()
                                         if args.v or not line.startswith("ok ")))
    tail = f", {total_skipped} skipped" if total_skipped else ""
    totals = f"{total_passed} passed, {total_failed} failed{tail}"
    if args.totals:
        with open(args.totals, "w", encoding="utf-8") as file:
            file.write(totals + "\n")
    print(totals)
    return 1 if total_failed or total_passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
