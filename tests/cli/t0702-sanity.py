#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs under buildlog: a parallel make, a shell script with subshells, a find, a git
and an sh -x trace come out as they do bare, status and artefacts included."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl


def compare(name, *command, **options):
    bare = bl.bare(*command, **options)
    run = bl.run("--", *command, **options)
    bl.equal((run.status, run.out, run.err), (bare.status, bare.out, bare.err), f"{name}: as bare")
    log = bl.sound(run, f"{name}: the log is sound")
    bl.equal((log.bytes_of("stdout"), log.bytes_of("stderr")), (bare.out, bare.err),
             f"{name}: the log has both streams")


@bl.section
def programs():
    compare("find", "find", os.path.join(bl.ROOT, "src"), "-name", "*.h")
    compare("sh -x", "sh", "-xc", "for i in 1 2 3; do echo $i; (exit $i); done; exit 4")
    compare("a syntax error", "sh", "-c", "if")
    compare("grep that finds nothing", "grep", "-r", "x" * 50, os.path.join(bl.ROOT, "src"))
    compare("here documents and pipes", "bash", "-c",
            "cat <<< hello | tr a-z A-Z; seq 3 | while read n; do echo \"$n\" >&2; done")


@bl.section
def a_make():
    folder = bl.temp("make")
    os.mkdir(folder)
    with open(os.path.join(folder, "Makefile"), "w", encoding="ascii") as file:
        file.write("all: a.o\n\t@echo linked\na.o: a.c\n\tcc -Wall -c -o $@ $<\n"
                   "bad:\n\tcc -c -o bad.o missing.c\n")
    with open(os.path.join(folder, "a.c"), "w", encoding="ascii") as file:
        file.write("int main(void) { int unused; return 0; }\n")
    command = ["make", "-C", folder, "-B"]
    compare("a make with a warning", *command)
    with open(os.path.join(folder, "a.o"), "rb") as file:
        first = file.read()
    bl.bare(*command)
    with open(os.path.join(folder, "a.o"), "rb") as file:
        bl.equal(file.read(), first, "a make: the same artefact")
    compare("a make that fails", *command, "bad")


@bl.section
def environment_of_make():
    """MAKEFLAGS and the job server's descriptors pass through."""
    folder = bl.temp("make")
    os.mkdir(folder)
    with open(os.path.join(folder, "Makefile"), "w", encoding="ascii") as file:
        file.write(f"all:\n\t+@\"{bl.BIN}\" run -- $(MAKE) -s -f inner\n")
    with open(os.path.join(folder, "inner"), "w", encoding="ascii") as file:
        file.write("all: a b c\na b c:\n\t@echo $@\n")
    run = bl.bare("make", "-s", "-j3", "-C", folder)
    bl.equal((run.status, sorted(run.out.split()), run.err), (0, [b"a", b"b", b"c"], b""),
             "a make under a buildlog under a make -j keeps its job server")


bl.done()
