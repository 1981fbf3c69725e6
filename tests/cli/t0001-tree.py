#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The source tree keeps its own rules: the arrows between rooms, headers that compile alone,
functions that nobody may call, the form of every file. Each check is shown to fail on a
violation planted for it."""
import os
import re
import shutil
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

SRC = os.path.join(bl.ROOT, "src")


def sources(*ends):
    for folder, _, names in sorted(os.walk(SRC)):
        for name in sorted(names):
            if name.endswith(ends):
                yield os.path.relpath(os.path.join(folder, name), bl.ROOT)


def text_of(path):
    with open(os.path.join(bl.ROOT, path), encoding="utf-8") as file:
        return file.read()


# ---- arrows ------------------------------------------------------------------------------

def layers(folder):
    done = subprocess.run([os.path.join(bl.ROOT, "tests", "check-layers.sh"), folder],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


status, said = layers(bl.ROOT)
bl.ok(status == 0 and not said, "the arrows between the rooms run one way", said)

for path, line in (("run/x.c", '#include "read/render.h"'),
                   ("read/x.c", '#include "run/session.h"'),
                   ("base/x.c", '#include "text/utf8.h"'),
                   ("record/x.h", '#  include "redact/redact.h"'),
                   ("store/x.c", '#include "cmd/cmd.h"'),
                   ("store/x.c", '#include "commands.gen.h"'),
                   ("store/x.c", "#include <ev.h>"),
                   ("text/x.c", "#include <cjson/cJSON.h>"),
                   ("read/x.c", '#include "lib/pick.h"'),
                   ("run/x.c", '#include "lib/pick.h"'),
                   ("lib/x.c", '#include "cmd/out.h"'),
                   ("lib/x.c", '#include "redact/redact.h"'),
                   ("cmd/x.c", '#include "cmd.h"'),
                   ("new/x.c", ""),
                   ("run/x.c", "s = (struct clean_span){.ptr = p, .len = n};"),
                   ("run/x.c", "    struct clean_span s = {p, n, 0, 0};"),
                   ("store/x.c", "struct clean_span *s = (struct clean_span *)raw;")):
    tree = bl.temp("tree")
    os.makedirs(os.path.dirname(os.path.join(tree, "src", path)))
    with open(os.path.join(tree, "src", path), "w", encoding="utf-8") as file:
        file.write(f"// a\n{line}\n")
    status, said = layers(tree)
    bl.ok(status == 1 and f"src/{path}:" in said, f"seen: {path}: {line.strip() or '(no such room)'}",
          status, said)

# ---- headers -----------------------------------------------------------------------------

FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I", SRC, "-I",
         os.path.join(bl.BUILD, "gen"), "-fsyntax-only", "-x", "c"]
FLAGS += subprocess.run(["pkg-config", "--cflags", "libcjson", "libxxhash", "tre", "zlib"],
                        capture_output=True, text=True, check=True).stdout.split()


def compiles(compiler, name):
    done = subprocess.run([compiler, *FLAGS, "-"], input=f'#include "{name}"\n#include "{name}"\n',
                          capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


for compiler in ("gcc", "clang"):
    if not shutil.which(compiler):
        bl.skip(f"every header compiles alone with {compiler}", f"no {compiler}")
        continue
    bad = [(name, said) for name in sources(".h")
           for good, said in [compiles(compiler, os.path.relpath(name, "src"))] if not good]
    bl.ok(not bad, f"every header compiles alone, and twice, with {compiler}", *bad)
    bl.ok(not compiles(compiler, "cmd/none.h")[0], f"{compiler} does fail")

# ---- what nobody may call ----------------------------------------------------------------

EVERYWHERE = ("strcpy", "strcat", "strncpy", "strncat", "sprintf", "vsprintf", "gets", "strtok",
              "system", "popen", "atoi", "atol", "atof", "tmpnam", "tempnam", "mktemp", "alloca",
              "rand", "srand", "ev_signal_init", "vfork")
BELOW_CMD = ("exit", "printf", "fprintf", "vprintf", "vfprintf", "dprintf", "puts", "fputs",
             "putchar", "perror", "abort", "err", "errx", "warn", "warnx")


def code_of(text):
    """Without comments and the insides of literals; line breaks stay."""
    def blank(match):
        return "\n" * match.group().count("\n") if match.group().startswith("/") else '""'
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def calls(text, names):
    return [f"{number}: {match.group(1)}" for number, line in enumerate(code_of(text).split("\n"), 1)
            for match in re.finditer(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(", line)]


def room(path):
    return path.split(os.sep)[1]


banned = [f"{path}:{call}" for path in sources(".c", ".h") for call in calls(text_of(path), EVERYWHERE)]
bl.equal(banned, [], "no banned function is called")
loud = [f"{path}:{call}" for path in sources(".c", ".h")
        if room(path) not in ("cmd", "main.c", "ship", "serve")
        for call in calls(text_of(path), BELOW_CMD)]
bl.equal(loud, [], "the rooms below cmd neither print nor exit")
bl.equal(calls('x = strcpy (a, b);\n/* strcpy( */ y("strcpy(");\n e.exit(1); my_exit(1);\nexit(1);',
               EVERYWHERE + BELOW_CMD), ["1: strcpy", "4: exit"],
         "such calls are seen, and only those")

# ---- form --------------------------------------------------------------------------------


def faults(path, text):
    found = []
    lines = text.split("\n")
    top = lines[1] if lines[0].startswith(("#!", "#compdef")) else lines[0]
    if "SPDX-License-Identifier: MIT" not in top:
        found.append("no SPDX line at the top")
    if not text.endswith("\n") or text.endswith("\n\n"):
        found.append("does not end in one newline")
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            found.append(f"{number}: trailing space")
        if "\r" in line:
            found.append(f"{number}: carriage return")
        if path.endswith((".c", ".h")) and "\t" in line:
            found.append(f"{number}: tab")
        if path.startswith("src") and path.endswith((".c", ".h")) and len(line) > 100:
            found.append(f"{number}: {len(line)} columns")
        if path.endswith((".c", ".h")) and re.search(r"\btypedef\s+(struct|union|enum)\b", line):
            found.append(f"{number}: typedef")
    if path.endswith(".h") and not re.search(r"#ifndef \w+_H\n#define \w+_H\n", text):
        found.append("no include guard")
    return found


def committed():
    """What is not built: without git, for an unpacked release has none."""
    yield from ("Makefile", ".ci/run")
    for top in ("src", "tests", "completions", "man", "packaging"):
        for folder, _, names in os.walk(os.path.join(bl.ROOT, top)):
            for name in sorted(names):
                if "__pycache__" not in folder:
                    yield os.path.relpath(os.path.join(folder, name), bl.ROOT)


FORMED = (".c", ".h", ".py", ".sh", ".awk", ".tab", ".1", ".3", ".5", ".bash", ".fish", "_buildlog")
bad = [f"{path}: {fault}" for path in committed()
       if path.endswith(FORMED)
       for fault in faults(path, text_of(path))]
bl.equal(bad, [], "every source file has the form of the house")
bl.equal(faults("src/x.h", "// x\n\ttypedef struct {} x; \n" + "a" * 101 + "\n"),
         ["no SPDX line at the top", "2: trailing space", "2: tab", "2: typedef", "3: 101 columns",
          "no include guard"],
         "faults of form are seen")

if shutil.which("shellcheck"):
    shells = [os.path.join(bl.ROOT, path) for path in committed()
              if path.endswith((".sh", ".bash")) or path == ".ci/run"]
    done = subprocess.run(["shellcheck", *shells], capture_output=True, text=True, check=False)
    bl.ok(shells and done.returncode == 0, "shellcheck has nothing to say", done.stdout)
else:
    bl.skip("shellcheck has nothing to say", "no shellcheck")
bl.done()
