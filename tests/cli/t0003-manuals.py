#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manuals are sound mdoc, every command has one, and buildlog(5) names every key and every
event of the record format."""
import glob
import os
import re
import shutil
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

PAGES = sorted(glob.glob(os.path.join(bl.ROOT, "man", "*")))


def source(name):
    with open(os.path.join(bl.ROOT, "man", name), encoding="utf-8") as file:
        return file.read()


if shutil.which("mandoc"):
    for page in PAGES:
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True,
                              text=True, check=False)
        said = [line for line in done.stdout.splitlines() if "outdated mandoc.db" not in line]
        bl.ok(done.returncode == 0 and not said, f"mandoc: {os.path.basename(page)}", *said)
    broken = bl.temp("broken")
    with open(broken, "w", encoding="utf-8") as file:
        file.write(source("buildlog.1").replace(".El\n", "", 1))
    bl.ok(subprocess.run(["mandoc", "-Tlint", "-Wwarning", broken], capture_output=True,
                         check=False).returncode != 0, "mandoc sees a list without an end")
else:
    bl.skip("mandoc has nothing to say", "no mandoc")

# ---- every command and option ------------------------------------------------------------


def help_of(*words):
    return subprocess.run([bl.BIN, *words], capture_output=True, text=True, check=True,
                          env=bl.environment()).stdout


commands = re.findall(r"^  ([\w-]+) ", help_of("help"), re.M)
bl.ok("help" in commands, "there are commands", commands)
for command in commands:
    if command == "help":
        continue
    page = source(f"buildlog-{command}.1")
    options = set(re.findall(r"(--[a-z-]+)", help_of(command, "--help").split("\n\n", 2)[2]))
    items = set(re.findall(r"^\.It (?:.* , )?Fl -([a-z-]+)", page, re.M))
    bl.equal(sorted(f"--{item}" for item in items), sorted(options),
             f"buildlog-{command}(1) has every option that --help has, and no other")
    bl.ok(f"buildlog-{command} 1" in source("buildlog.1"), f"buildlog(1) refers to {command}")

# ---- the format --------------------------------------------------------------------------

KEYS = """kind buildId userId projectId startedAt version v attempt reqId traceId spanId parentId
    name cmd cwd host pid tty order redact forward lock labels ts seq src msg redacted truncated
    partial cont bad raw len frames level component event from lines bytes reason endedAt status
    exitCode signal durationMs lastSeq complete redactions maxRssKb userMs sysMs hash
    shutdown""".split()
EVENTS = ("exec_failed signal timeout stall orphan order_uncertain mask_added mask_refused "
          "log_degraded log_recovered").split()
FORMAT = source("buildlog.5")
NAMED = set(re.findall(r"^\.It Li (\w+)$", FORMAT, re.M))
bl.equal(sorted(set(KEYS + EVENTS) - NAMED), [], "buildlog(5) explains every key and event")
bl.done()
