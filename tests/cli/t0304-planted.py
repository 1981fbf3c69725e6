#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A symlink, FIFO, hard link, directory, socket or foreign file planted at the log's path or
above it: refused with 125 and one line before the command starts, nothing followed, nothing
blocked, nothing written."""
import os
import socket
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl


class Scene:
    def __init__(self):
        self.store, self.build_id = bl.temp("store"), bl.fresh_id()
        self.path = bl.id_path(self.store, self.build_id)
        self.day = os.path.dirname(self.path)
        self.builds = os.path.dirname(self.day)
        self.victim = bl.temp("victim")
        os.makedirs(self.victim)
        self.file = os.path.join(self.victim, "file")
        with open(self.file, "wb") as file:
            file.write(b"precious\n")

    def run(self, *options):
        self.marker = bl.temp("marker")
        return bl.run("--id", self.build_id, *options, "--", "touch", self.marker,
                      store=self.store, seconds=15)


def planted(name, plant):
    scene = Scene()
    plant(scene)
    for options in ((), ("--require-log",)):
        run = scene.run(*options)
        bl.equal((run.status, run.err.count(b"\n")), (125, 1), f"{name}: 125 and one line "
                 f"{' '.join(options)}", run.err)
        bl.ok(not os.path.exists(scene.marker), f"{name}: the command has not started")
    with open(scene.file, "rb") as file:
        bl.equal(file.read(), b"precious\n", f"{name}: nothing was written through it")
    bl.equal(os.listdir(scene.victim), ["file"], f"{name}: nothing was made beyond it")


def at_path(function):
    def plant(scene):
        os.makedirs(scene.day)
        function(scene)
    return plant


def unix_socket(scene):
    short = os.path.join(scene.day, "s")
    here = os.getcwd()
    os.chdir(scene.day)  # the whole path may be too long for a socket's address
    with socket.socket(socket.AF_UNIX) as item:
        item.bind("s")
    os.chdir(here)
    os.rename(short, scene.path)


def hard_link(scene):
    os.link(scene.file, scene.path)


@bl.section
def at_the_path():
    planted("a symlink", at_path(lambda s: os.symlink(s.file, s.path)))
    planted("a dangling symlink", at_path(lambda s: os.symlink(s.victim + "/new", s.path)))
    planted("a FIFO", at_path(lambda s: os.mkfifo(s.path)))
    planted("a hard link", at_path(hard_link))
    planted("a directory", at_path(lambda s: os.mkdir(s.path)))
    planted("a socket", at_path(unix_socket))


@bl.section
def above_it():
    planted("the day a symlink", lambda s: (os.makedirs(s.builds), os.symlink(s.victim, s.day)))
    planted("builds a symlink", lambda s: (os.makedirs(s.store), os.symlink(s.victim, s.builds)))
    planted("the day a file", lambda s: (os.makedirs(s.builds), open(s.day, "wb").close()))
    planted("builds a FIFO", lambda s: (os.makedirs(s.store), os.mkfifo(s.builds)))


@bl.section
def foreign_file():
    if not bl.AM_ROOT:
        bl.skip("a file of another user", "only root can make one")
        return

    def plant(scene):
        open(scene.path, "wb").close()
        os.chown(scene.path, 54321, 54321)
    planted("a file of another user", at_path(plant))


@bl.section
def root_may_be_a_link():
    """The root is the user's own choice."""
    target, link = bl.temp("target"), bl.temp("link")
    os.mkdir(target)
    os.symlink(target, link)
    run = bl.run("--dir", link, "--", "echo", "x", store=link)
    bl.equal((run.status, run.err), (0, b""), "a symlink at the root itself is followed")
    bl.sound(run, "a symlink at the root itself: the log is sound")


@bl.section
def without_an_id():
    """A planted `builds` is refused without --id as well."""
    scene = Scene()
    os.makedirs(scene.store)
    os.symlink(scene.victim, scene.builds)
    run = bl.run("--", "touch", marker := bl.temp("marker"), store=scene.store)
    bl.equal((run.status, os.path.exists(marker)), (125, False), "builds a symlink, fresh id: 125")


bl.done()
