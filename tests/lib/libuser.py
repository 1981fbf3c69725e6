# SPDX-License-Identifier: MIT
"""libbuildlog as a program of somebody else's meets it: installed into a temporary directory, and
tests/library/example.c compiled against what lies there."""
import os
import subprocess

import bl

CC = os.environ.get("CC", "gcc")
TOP = bl.temp("installed")
PREFIX = "/usr"
LIB = os.path.join(TOP, "usr", "lib")
SANITIZE = ["-fsanitize=address,undefined"] if bl.SANITIZED else []
EXAMPLE = os.path.join(bl.ROOT, "tests", "library", "example.c")


def make(*words):
    """make, without a word from the make that may have started us."""
    return subprocess.run(
        ["make", "-s", f"BUILD={bl.BUILD}", f"DESTDIR={TOP}", f"PREFIX={PREFIX}", *words],
        cwd=bl.ROOT, capture_output=True, text=True, check=False, env=bl.environment())


def pkg_config(*words):
    env = bl.environment(PKG_CONFIG_PATH=os.path.join(LIB, "pkgconfig"),
                         PKG_CONFIG_SYSROOT_DIR=TOP)
    return subprocess.run(["pkg-config", *words, "libbuildlog"], env=env, capture_output=True,
                          text=True, check=True).stdout.split()


def compile_example(name, *libs):
    """Returns (path, what the compiler said)."""
    path = bl.temp(name)
    done = subprocess.run(
        [CC, "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-g",
         *SANITIZE, "-o", path, EXAMPLE, *libs, "-lpthread"],
        capture_output=True, text=True, check=False)
    return (path if done.returncode == 0 else None), done.stderr


def shared():
    return compile_example("shared", *pkg_config("--cflags", "--libs"))


def static():
    """The archive by its name, for where both are the linker takes the shared library."""
    libs = pkg_config("--cflags", "--libs", "--static")
    return compile_example("static", *("-l:libbuildlog.a" if word == "-lbuildlog" else word
                                       for word in libs))


class Example:
    def __init__(self, path):
        self.path = path

    def command(self, *words):
        return [self.path, *map(str, words)]

    @staticmethod
    def env(**more):
        return bl.environment(LD_LIBRARY_PATH=LIB, **more)

    def run(self, *words, **more):
        return subprocess.run(self.command(*words), env=self.env(**more), capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=120 * bl.SCALE, check=False)


def example():
    """Installs, and returns the program with the shared library."""
    done = make("install")
    path, said = shared() if done.returncode == 0 else (None, done.stderr)
    bl.ok(path is not None, "the example compiles against what is installed", said)
    if path is None:
        bl.done()
    return Example(path)
