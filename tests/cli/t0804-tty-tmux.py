#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Under a real terminal emulator: what the screen shows in the end, cell by cell, is what it shows
of the bare command. Full-screen programs, pagers, shells, a resize, Ctrl-Z."""
import os
import shutil
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

if shutil.which("tmux") is None:
    bl.skip("programs under tmux", "no tmux here")
    bl.done()


class Tmux:
    """One tmux server with one window that runs a shell."""

    def __init__(self, prefix):
        self.seen, self.want = [], None
        self.store = bl.temp("store")
        self.socket = bl.temp("tmux")
        self.folder = bl.temp("folder")
        os.mkdir(self.folder)
        with open(os.path.join(self.folder, "lines"), "w", encoding="ascii") as file:
            file.write("".join(f"line {n}\n" for n in range(1, 301)))
        with open(os.path.join(self.folder, "rc"), "w", encoding="ascii") as file:
            file.write(f"PS1='READY$ '\nb() {{ {prefix} \"$@\"; }}\n")
        with open(os.path.join(self.folder, "bar"), "w", encoding="ascii") as file:
            file.write("for i in 1 2 3 4; do printf '\\r\\033[32m%d\\033[0m of 4' $i; done; echo; "
                       "echo end\n")
        self.env = bl.environment(self.store, PS1="READY$ ", ENV="", TERM="screen",
                                  HISTFILE="/dev/null", LESS="", EXINIT="", VIMINIT="set nocp")
        self.tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", self.folder,
                  "exec bash --rcfile rc --noprofile")
        self.until("READY$")

    def tmux(self, *args):
        return subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *args], check=True,
                              capture_output=True, env=self.env, cwd=self.folder).stdout.decode()

    def shown(self):
        """The screen, once it is what the bare command's was, if it ever is."""
        if self.want is None:
            self.seen.append(self.screen())
        else:
            want = self.want.pop(0)
            try:
                bl.wait_for(lambda: self.screen() == want, "the bare command's screen")
            except bl.Late:
                pass
            self.seen.append(self.screen())

    def screen(self):
        return self.tmux("capture-pane", "-p", "-e")

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def until(self, text, times=1, seconds=15):
        bl.wait_for(lambda: self.screen().count(text) >= times, f"{text!r} on the screen", seconds)

    def run(self, command):
        self.type("clear", "Enter")
        bl.wait_for(lambda: self.screen().strip() == "READY$", "an empty screen")
        self.type("-l", f"b {command}")
        self.type("Enter")

    def close(self):
        self.tmux("kill-server")


def vim(t):
    t.run("vim -n -i NONE new")
    t.until("[New")
    t.type("i", "two words", "Escape")
    t.type("-l", ":set nu")
    t.type("Enter")
    t.until("  1 ")
    t.until("All")
    t.shown()
    t.type("-l", ":wq")
    t.type("Enter")
    t.until("READY$")
    bl.wait_for(lambda: os.path.exists(os.path.join(t.folder, "new")), "the file")
    with open(os.path.join(t.folder, "new"), encoding="ascii") as file:
        t.seen.append(file.read())


def less(t):
    t.run("less lines")
    t.until("line 23")
    t.type("G")
    t.until("line 300")
    t.shown()
    t.type("g")
    t.until("line 1\n")
    t.type("-l", "/line 250")
    t.type("Enter")
    t.until("line 250")
    t.shown()
    t.type("q")
    t.until("READY$")


def more(t):
    t.run("more lines")
    t.until("--More--")
    t.shown()
    t.type("Space")
    t.until("line 46")
    t.type("q")
    t.until("READY$")


def resized(t):
    t.run("less lines")
    t.until("[7mlines")
    t.tmux("resize-window", "-x", "100", "-y", "40")
    for _ in range(10):  # less itself does not notice a new size before it waits for keys
        try:
            t.until("line 39", seconds=2)
            break
        except bl.Late:
            t.type("C-l")
    t.until("line 39")
    t.shown()
    t.type("q")
    t.until("READY$")
    t.run("sh -c 'stty size'")
    t.until("40 100")
    t.tmux("resize-window", "-x", "80", "-y", "24")


def stopped(t):
    t.run("vim -n -i NONE lines")
    t.until("Top")
    t.type("C-z")
    t.until("Stopped")
    t.type("-l", "echo a-$((1+1))")
    t.type("Enter")
    t.until("a-2\n")
    t.type("clear", "Enter")
    bl.wait_for(lambda: t.screen().strip() == "READY$", "an empty screen")
    t.type("fg", "Enter")
    t.until("Top")
    t.type("G")
    t.until("line 300")
    t.type("g", "g")
    t.until("Top")
    t.type("C-l")  # whatever vim had on its last line
    t.until("1,1")
    t.shown()
    t.type("-l", ":q!")
    t.type("Enter")
    t.until("READY$")


def inner_shell(t):
    t.run("bash --norc --noprofile -i")
    t.until("READY$", 2)
    # What it prints tells that it has the terminal: before, the shell has it, and ignores a Ctrl-Z.
    t.type("-l", "sh -c 'echo b-$((1+1)); exec sleep 600'")
    t.type("Enter")
    t.until("b-2\n")
    t.type("C-z")
    t.until("Stopped")
    t.type("jobs", "Enter")
    t.until("Stopped", 2)
    t.shown()
    t.type("exit", "Enter")  # right after `jobs`, bash does not ask again
    t.until("exit", 2)


def progress(t):
    t.run("sh bar")
    t.until("end\n")
    t.until("READY$", 2)
    t.shown()


# Raw, because of what could begin a secret no more than seven bytes are shown until that is settled,
# and a full-screen program that rests may settle nothing.
bare, recorded = Tmux(""), Tmux(f"{bl.BIN} run --forward raw --")
for play, program in ((vim, "vim"), (less, "less"), (more, "more"), (resized, "less"),
                      (stopped, "vim"), (inner_shell, "bash"), (progress, "sh")):
    if shutil.which(program) is None:
        bl.skip(play.__name__, f"no {program} here")
        continue
    bare.seen, recorded.seen = [], []
    try:
        play(bare)
        recorded.want = list(bare.seen)
        play(recorded)
        bl.equal(recorded.seen, bare.seen, f"{play.__name__}: the screen is the bare command's")
    except AssertionError as error:
        bl.ok(False, play.__name__, str(error), recorded.screen(), bare.screen())
        break  # what is typed next would go to the wrong program
bare.close()
recorded.close()
for path in sorted(bl.glob.glob(os.path.join(recorded.store, "builds", "*", "*.log"))):
    log = bl.read_log(path)
    bl.sound(log, f"the log of {log.start['cmd'][0]} is sound")
bl.done()
