#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What completions/ and man/ have from src/commands.tab is what it would be if made today, a
change in the table does change it, and a table with a mistake is refused by line."""
import os
import shutil
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

GEN = os.path.join("src", "cmd", "gen")


def generate(root):
    """{path: content} of everything `make generated` makes from the tree at root."""
    to = bl.temp("generated")
    done = subprocess.run(["make", "-s", "-C", root, "generated", f"TO={to}"],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    made = {}
    for folder, _, names in os.walk(to):
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                path = os.path.relpath(os.path.join(folder, name), to)
                made[path] = file.read()
    return made


def committed(path):
    with open(os.path.join(bl.ROOT, path), encoding="utf-8") as file:
        return file.read()


made = generate(bl.ROOT)
for path in sorted(made):
    bl.ok(made[path] == committed(path), f"{path} is up to date", "run `make generated`")
bl.equal(sorted(path for path in made if path.startswith("completions")),
         ["completions/_buildlog", "completions/buildlog.bash", "completions/buildlog.fish"],
         "there is a completion for each shell")

# ---- a change shows ----------------------------------------------------------------------

copy = bl.temp("copy")
for part in ("man", "completions", GEN):
    shutil.copytree(os.path.join(bl.ROOT, part), os.path.join(copy, part))
shutil.copy(os.path.join(bl.ROOT, "Makefile"), copy)
TABLE = committed(os.path.join("src", "commands.tab"))


def table(text):
    with open(os.path.join(copy, "src", "commands.tab"), "w", encoding="utf-8") as file:
        file.write(text)


table(TABLE + "option | run,tail | --frobnicate | -F | flag | - | - | twiddle\n")
changed = generate(copy)
bl.equal(sorted(path for path in made if "frobnicate" in changed[path]),
         ["completions/_buildlog", "completions/buildlog.bash", "completions/buildlog.fish",
          "man/buildlog-run.1", "man/buildlog-tail.1"], "a new option turns up wherever it belongs")

# ---- mistakes ----------------------------------------------------------------------------


def refused(row, why):
    table(TABLE + row + "\n")
    done = subprocess.run(["awk", "-f", f"{GEN}/table.awk", "-f", f"{GEN}/tables.awk",
                           "src/commands.tab"], cwd=copy, capture_output=True, text=True,
                          check=False)
    bl.ok(done.returncode != 0 and why in done.stderr and "commands.tab" in done.stderr,
          f"refused: {row}", done.returncode, done.stderr)


LINES = TABLE.count("\n") + 1
refused("option | run | --x", f"{LINES}: an option has 8 columns, this has 3")
refused("command | x | y", f"{LINES}: a command has 5 columns, this has 3")
refused("word", f"{LINES}: neither command nor option: word")
refused("option | run | x | - | flag | - | - | h", "bad option name x")
refused("option | run | --x | -xy | flag | - | - | h", "bad option name --x -xy")
refused("option | run | --x | - | colour | V | - | h", "unknown type colour")
refused("option | run | --x | - | flag | V | - | h", "flags have no value")
refused("option | run | --x | - | text | - | - | h", "flags have no value")
refused("option | walk | --x | - | flag | - | - | h", "unknown command walk")
refused("option | run | --x | - | flag | - | shiny | h", "unknown attribute shiny")
refused("option | run | --x | - | choice | V | - | h", "choices belong to a choice")
refused("option | ls | --x | - | size | V | min=1q | h", "bad unit in bound 1q")
refused("option | ls | --x | - | number | V | min=1k | h", "bad unit in bound 1k")
bl.done()
