#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Completion as a person meets it, in bash, zsh and fish: subcommands, options, the values of
options, ids, and behind run the words of the command that is to be recorded."""
import os
import re
import shlex
import shutil
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

COMPLETIONS = os.path.join(bl.ROOT, "completions")
HERE = bl.temp("here")
os.makedirs(os.path.join(HERE, "folder"))
with open(os.path.join(HERE, "file.txt"), "w", encoding="utf-8"):
    pass
BINARIES = bl.temp("bin")
os.makedirs(BINARIES)
os.symlink(bl.BIN, os.path.join(BINARIES, "buildlog"))
ENV = bl.environment(PATH=BINARIES + ":" + os.environ["PATH"])

STATES = "exec_failed failed interrupted lost ok running signaled timeout".split()
# The words before the cursor, and what is offered; None: not in this shell.
CASES = [
    ("buildlog ta", ["tail"]),
    ("buildlog run --time", ["--timeout"]),
    ("buildlog run --redact-r", ["--redact-rules"]),
    ("buildlog redact --li", ["--list"]),
    ("buildlog redact fi", ["file.txt"]),
    ("buildlog redact --redact-rules fi", ["file.txt"]),
    ("buildlog run --forward ", ["none", "raw", "redacted"]),
    ("buildlog run --tty ", ["always", "auto", "never"]),
    ("buildlog run -q --dir f", ["folder"]),
    ("buildlog run buildl", ["buildlog"]),
    ("buildlog run -q -- buildl", ["buildlog"]),
    ("buildlog run --timeout 5 buildl", ["buildlog"]),
    ("buildlog ls --status ", STATES),
    ("buildlog ls -o ", ["ids", "json", "labels", "table"]),
    ("buildlog info -o ", ["json", "text"]),
    ("buildlog tail last-", ["last-failed", "last-passed"]),
    ("buildlog tail --src std", ["stderr", "stdout"]),
    ("buildlog help ta", ["tail"]),
    ("buildlog nosuch ", []),
]


def words_of(text):
    return sorted({word.rstrip("/") for word in text.split("\n") if word})


def bash(line):
    script = (f". {shlex.quote(COMPLETIONS)}/buildlog.bash\n"
              f"COMP_WORDS=({line}{' ' * (not line.endswith(' '))}"
              f"{chr(39) * 2 * line.endswith(' ')})\n"
              "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_buildlog\nprintf '%s\\n' \"${COMPREPLY[@]}\"")
    return subprocess.run(["bash", "--norc", "-c", script], cwd=HERE, env=ENV, text=True,
                          capture_output=True, check=False)


def fish(line):
    script = f"source {shlex.quote(COMPLETIONS)}/buildlog.fish; complete -C {shlex.quote(line)}"
    return subprocess.run(["fish", "-c", script], cwd=HERE, env=ENV, text=True,
                          capture_output=True, check=False)


def offers(name, ask, cases):
    for line, want in cases:
        done = ask(line)
        got = words_of("\n".join(part.split("\t")[0] for part in done.stdout.split("\n")))
        bl.ok(got == want and not done.stderr, f"{name}: {line}|", got, done.stderr)


# ---- ids and labels from the store ---------------------------------------------------------

STORE = bl.temp("store")
MARKER = bl.temp("marker")
HOSTILE = f"x=$(touch {MARKER})`touch {MARKER}`;*"
IDS = ["01KDZ3NDEKTSV4RRFFQ69G5FAV", "01KDZ3NDEKTSV4RRFFQ69G5FAW"]
for build, label in zip(IDS, ("branch=main", "branch=a b")):
    bl.run("--id", build, "--label", label, "--label", HOSTILE, "--name", f"$(touch {MARKER}): a",
           "--", "true", store=STORE)
FROM_STORE = [
    (f"buildlog info --dir {STORE} 01KDZ", IDS),
    (f"buildlog tail --dir {STORE} {IDS[1]}", IDS[1:]),
    (f"buildlog verify --dir {STORE} last 01", IDS),
    (f"buildlog tail --dir {STORE} ", sorted(IDS + ["last", "last-failed", "last-passed"])),
    (f"buildlog tail --dir {STORE} nosuch", []),
    ("buildlog tail --dir /nonexistent 01", []),
    (f"buildlog ls --dir {STORE} --label ", sorted(["branch=main", "branch=a b", HOSTILE])),
    (f"buildlog run --dir {STORE} --label bra", ["branch=a b", "branch=main"]),
]

if shutil.which("bash"):
    offers("bash", bash, FROM_STORE)
    offers("bash", bash, [(f"buildlog ls --dir = {STORE} --label branch = m", ["main"]),
                          (f"buildlog ls --dir {STORE} --label = branch =", ["a b", "main"]),
                          (f"buildlog ls --label x --dir {STORE} -o id", ["ids"])])
    offers("bash", bash, CASES)
    offers("bash", bash, [("buildlog run --forward = r", ["raw", "redacted"]),
                          ("buildlog run --forward =", ["none", "raw", "redacted"]),
                          ("buildlog run --dir = /x cat fi", ["file.txt"]),
                          ("buildlog run cat --help fi", ["file.txt"])])
else:
    bl.skip("bash", "no bash")

if shutil.which("fish"):
    offers("fish", fish, FROM_STORE)
    offers("fish", fish, [(f"buildlog tail --dir={STORE} {IDS[0]}", IDS[:1])])
    done = fish(f"buildlog info --dir {STORE} {IDS[0]}")
    bl.equal(done.stdout, f"{IDS[0]}\tok  $(touch {MARKER}): a\n", "fish says what a build is")
    offers("fish", fish, CASES)
    offers("fish", fish, [("buildlog run --forward=n", ["--forward=none"]),
                          ("buildlog run -q -- cat fi", ["file.txt"]),
                          ("buildlog run -q -- buildlog ls --jso", ["--json"])])
else:
    bl.skip("fish", "no fish")

# zsh completes only where somebody types; a key prints what the line has become.
if shutil.which("zsh"):
    SHELL = bl.Pty(["zsh", "-f", "-i"], env={"PATH": ENV["PATH"]}, cwd=HERE, cols=200)
    SHELL.send(f"fpath=({shlex.quote(COMPLETIONS)} $fpath); autoload -Uz compinit; compinit -u -D; "
               "unsetopt beep; show() { print -rn -- \"<$BUFFER>\" }; zle -N show; "
               "bindkey '^X^P' show; print REA''DY\r".encode())
    SHELL.expect(b"READY\r\n")
    bl.wait_for(lambda: not SHELL.echo(), "a prompt")
    for typed, want in (("buildlog ta", "buildlog tail "),
                        ("buildlog run --time", "buildlog run --timeout="),
                        ("buildlog run --forward no", "buildlog run --forward none "),
                        ("buildlog run -q buildl", "buildlog run -q buildlog "),
                        ("buildlog run -q -- buildl", "buildlog run -q -- buildlog "),
                        ("buildlog run buildlog run buildlog in",
                         "buildlog run buildlog run buildlog info "),
                        ("buildlog run cat fi", "buildlog run cat file.txt "),
                        ("buildlog run --dir fo", "buildlog run --dir folder/"),
                        ("buildlog ls --status=time", "buildlog ls --status=timeout "),
                        ("buildlog tail last-f", "buildlog tail last-failed "),
                        (f"buildlog tail --dir {STORE} {IDS[1][:-1]}W",
                         f"buildlog tail --dir {STORE} {IDS[1]} "),
                        (f"buildlog info --dir={STORE} 01K",
                         f"buildlog info --dir={STORE} {IDS[0][:-1]}"),
                        (f"buildlog verify --dir {STORE} last {IDS[0]}",
                         f"buildlog verify --dir {STORE} last {IDS[0]} "),
                        (f"buildlog ls --dir {STORE} --label branch=m",
                         f"buildlog ls --dir {STORE} --label branch=main "),
                        ("buildlog help in", "buildlog help info ")):
        SHELL.send(typed.encode() + b"\t\x18\x10\x15")
        got = SHELL.expect(re.compile(rb"<(buildlog [^>]*)>")).group(1).decode()
        bl.equal(got, want, f"zsh: {typed}|")
    SHELL.send(b"exit\r")
    SHELL.finish()
else:
    bl.skip("zsh", "no zsh")
bl.ok(not os.path.exists(MARKER), "nothing that the store says is executed")
bl.done()
