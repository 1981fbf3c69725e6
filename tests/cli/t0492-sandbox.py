#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands that read confine themselves: they say so with -v, read the same as without, and a
kernel that has less of it is no trouble."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Records, Store, Tap, ulid  # noqa: E402

t = Tap()
T0 = 1_767_323_045_678
FAULT = os.path.join(os.environ.get("BUILD", "build"), "buildlog-fault")
PARTS = ("no_new_privs", "landlock", "seccomp")
READERS = (("ls",), ("stats",), ("verify",), ("info", "last"), ("tail", "last"), ("errors", "last"),
           ("show", "last"), ("query", "-k", "line"), ("tail", "-f", "last"))
LESS = {"prctl": (), "seccomp": ("no_new_privs", "landlock"),
        "landlock_create_ruleset": ("no_new_privs", "seccomp"),
        "landlock_add_rule": ("no_new_privs", "seccomp"),
        "landlock_restrict_self": ("no_new_privs", "seccomp")}


def fill(store, builds):
    for n in range(builds):
        r = Records(ulid(T0 + n), T0 + n)
        store.put(r.build, r.start() + b"".join(r.line(f"line {i}") for i in range(3)) + r.end())


def said(done):
    """What is in force, and what else was said."""
    lines = done.stderr.decode().splitlines()
    parts = [line.split("sandbox: ")[1] for line in lines if ": sandbox: " in line]
    return parts, [line for line in lines if ": sandbox: " not in line]


def told(store):
    """The kernel's own parts, by the first reader; all others say the same."""
    first = said(store.run("ls", "-v"))[0]
    parts = tuple(first[0].split(", ")) if first else ()
    t.ok(parts and set(parts) <= set(PARTS), "ls -v says how it is confined", first)
    for words in READERS:
        plain, verbose = store.run(*words), store.run(*words, "-v")
        name = " ".join(words)
        t.equal((verbose.returncode, verbose.stdout), (plain.returncode, plain.stdout),
                f"{name} -v says the same")
        t.equal(said(verbose), ([", ".join(parts)], plain.stderr.decode().splitlines()),
                f"{name} -v: and how it is confined")
        t.ok(b"sandbox" not in plain.stderr, f"{name} without -v does not")
    done = store.run("redact", "-v", "/dev/null")
    t.equal(said(done), ([", ".join(parts)], ["buildlog redact: 0 secrets in '/dev/null'"]),
            "redact -v, too")
    return parts


def less(store, parts):
    for call, left in LESS.items():
        want = ", ".join(p for p in parts if p in left) or "none, the kernel has no such"
        env = store.env(BUILDLOG_FAULT=f"{call}:1:ENOSYS:persist")
        for words in (("ls", "-v"), ("query", "-k", "line", "-v")):
            done = subprocess.run([FAULT, *words], env=env, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=60, check=False)
            t.equal((done.returncode, said(done), done.stdout),
                    (0, ([want], []), store.run(*words[:-1]).stdout), f"{words[0]} without {call}")


def index(store):
    """Those that keep an index can still make one, and make it anew."""
    path = os.path.join(store.root, "index", "2026-01-02")
    for way in ("the first time", "and again"):
        t.equal((store.run("ls", "--status", "ok").returncode, os.path.exists(path)), (0, True), f"an index: {way}")
        os.unlink(path)
    t.ok(store.run("verify", "last-failed") and not os.path.exists(path), "verify makes none")


def configuration(store):
    """What messages must not show is read from the configuration late, in confinement."""
    home = os.path.join(store.root, "home")
    os.makedirs(os.path.join(home, "buildlog"))
    real = os.path.join(store.root, "..", os.path.basename(store.root) + ".config")
    try:
        with open(real, "w", encoding="utf-8") as out:
            out.write('{"redact": {"rules": [{"name": "mine", "pattern": "hush[0-9]+"}]}}')
        os.symlink(real, os.path.join(home, "buildlog", "config.json"))
        done = subprocess.run([os.environ.get("BUILDLOG", "build/buildlog"), "verify", "hush123"],
                              env=store.env(XDG_CONFIG_HOME=home), capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        t.ok(b"REDACTED" in done.stderr and b"hush123" not in done.stderr, "a rule of one's own",
             done)
    finally:
        os.unlink(real)


with Store() as the_store:
    fill(the_store, 20)
    in_force = told(the_store)
    less(the_store, in_force)
    index(the_store)
    configuration(the_store)
t.done()
