#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Exit statuses 0 to 255 are the command's own, and the end record says so."""
import concurrent.futures
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl


def one(number):
    run = bl.run("--", bl.helper("die"), "exit", number)
    log = run.log
    end = log.end or {}
    return (number, run.status, run.out + run.err, log.errors, end.get("exitCode"),
            end.get("status"), end.get("lines"), end.get("complete"), len(log.records))


@bl.section
def all_of_them():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(one, range(256)))
    for result in results:
        number = result[0]
        bl.equal(result, (number, number, b"", [], number, "failed" if number else "ok", 0,
                          True, 2), f"exit {number}")


@bl.section
def end_record():
    run = bl.run("--", "sh", "-c", "echo x; exit 3")
    log = bl.sound(run, "the log is sound")
    end = log.end
    bl.equal((end["status"], end["exitCode"], "signal" in end, "shutdown" in end),
             ("failed", 3, False, False), "failed, with its code")
    bl.ok({"maxRssKb", "userMs", "sysMs"} <= set(end) and end["maxRssKb"] > 0,
          "with what the command used", end)
    bl.equal(log.event_names() + log.gaps, [], "an undisturbed build has no event records")
    bl.equal([record["kind"] for record in log.records], ["meta", "line", "meta"],
             "start, lines, end")


@bl.section
def long_enough():
    go = bl.temp("go")
    run = bl.start("--", bl.helper("emit"), "out", b"x\n".hex(), "wait", go)
    run.read_until(b"x\n")
    log = run.wait_log(lambda log: log.lines, "the line is in the log")
    bl.equal(log.end, None, "no end record while the command runs")
    open(go, "wb").close()
    run.finish()
    bl.sound(run, "and one after it")


bl.done()
