#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of what errors look like: a mistake in it is refused by line, and gawk and mawk make
the same of it."""
import os
import shutil
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

READ = os.path.join(bl.ROOT, "src", "read")
with open(os.path.join(READ, "errors.tab"), encoding="utf-8") as file:
    TABLE = file.read()


def make(text, awk="awk"):
    path = bl.temp("errors.tab")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    done = subprocess.run([awk, "-f", os.path.join(READ, "errors.awk"), path], capture_output=True,
                          check=False, env={**os.environ, "LC_ALL": "C"})
    return done.returncode, done.stdout, done.stderr.decode()


status, made, said = make(TABLE)
bl.ok(status == 0 and not said, "the table is sound", said)
for awk in ("gawk", "mawk", "original-awk", "busybox"):
    if awk != "busybox" and shutil.which(awk):
        bl.ok(make(TABLE, awk)[1] == made, f"{awk} makes the same of it")

LINES = TABLE.count("\n") + 1


def refused(row, why):
    code, _, text = make(TABLE + row + "\n")
    bl.ok(code != 0 and f":{LINES}: {why}" in text, f"refused: {row}", code, text)


refused("- cc cause", "want STATE TOOL DOES | PATTERN")
refused("- cc | abc", "want STATE TOOL DOES | PATTERN")
refused("- cc frobnicate | abc", "unknown deed frobnicate")
refused("- cc place | abc", "only a state can go on")
refused("- cc cause | ab%*c", "no three bytes in a row")
refused("- cc cause | abc %q", "unknown part in a pattern")
refused("- cc cause | abc %m d", "%m is the rest of the line")
refused("- cc cause | abc %<d", "%< and %> go together")
refused("- cc cause | abc d%>", "%< and %> go together")
refused("- cc cause>nowhere | abc", "unknown state nowhere")
refused("nowhere cc place | abc", "unknown state nowhere")
refused("state x 1 middle cause", "bad state")
refused("state x 1 first awful", "bad state")
code, _, text = make(TABLE + "state alone 1 first cause\n")
bl.ok(code != 0 and "nothing goes on in state alone" in text, "refused: a state without a row", text)
bl.done()
