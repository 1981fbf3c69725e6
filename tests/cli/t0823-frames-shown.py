#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Carriage returns, colours and cursor movement where logs are read: on a terminal the last frame
of a line and its colours, everywhere else all of it, and nothing that acts."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Records, Store, Tap, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678  # 2026-01-02
LINES = ["\x1b[32m10%\x1b[0m\r\x1b[32m100%\x1b[0m", "loading\rok", "abc\r",
         "\x1b[01m\x1b[Kx.c:1:\x1b[m\x1b[K oops", "\x1b[2A\x1b[2Kup\x1b[5G"]
GREEN = "\x1b[32m100%\x1b[0m\x1b[0m"


def case(store):
    build = ulid(T0)
    r = Records(build, T0)
    store.put(build, r.start() + b"".join(map(r.line, LINES)) + r.line("100%", frames=41) + r.end())
    want = [f"^M{GREEN}", "loading^Mok", "abc^M", "\x1b[01mx.c:1:\x1b[m oops\x1b[0m",
            "^[[2Aup^[[5G", "100%"]
    out, status = store.on_terminal("tail")
    t.equal((status, out.decode().splitlines()), (0, want), "tail on a terminal")
    out, _ = store.on_terminal("tail", "-o", "raw")
    t.equal(out.decode().splitlines(), want, "and raw")
    out, _ = store.on_terminal("query", "-o", "text", "--color", "always", BUILDLOG_PAGER="cat")
    t.equal(out.decode().splitlines(), want, "query -o text on a terminal")
    plain = ["10%^M100%", "loading^Mok", "abc^M", "x.c:1: oops", "^[[2Aup^[[5G", "100%"]
    t.equal(store.run("tail").stdout.decode().splitlines(), plain, "tail elsewhere: every frame")
    t.equal(store.run("query", "-o", "text").stdout.decode().splitlines(), plain, "and query")
    t.equal(store.run("tail", "-o", "raw").stdout.decode(), "".join(f"{line}\n" for line in LINES) +
            "100%\n", "raw elsewhere: the bytes")
    shown = store.run("show").stdout.decode()
    for number, text in enumerate(["^M100%", "loading^Mok", "abc", "x.c:1: oops"], 1):
        t.ok(f" {number} {text}\n" in shown, f"show: line {number}", shown)
    got = store.run("query", "-k", "100%", "-c")
    t.equal(got.stdout, b"2\n", "a record with frames is found like any other")
    t.equal(store.run("verify").returncode, 1, "verify reads it (the hash is made up)")


def runner(store):
    """What a runner of GitHub Actions obeys does not come out of a log."""
    texts = ["::error::x", " \t::warning::", "##[group]", "#", "##", "#[x", ":", ": :", "a::b", "",
             "\x1b[31m::error::", "\x1b[1;32m\x1b[0m ##[x", "\u00a0::x", "10%\r::stop", "x##[y"]
    build = ulid(T0)
    r = Records(build, T0)
    parts = r.line(":", cont=True) + r.line(":debug::") + r.line("#", partial=True)
    store.put(build, r.start() + b"".join(map(r.line, texts)) + parts + r.end())
    for words, plain in ((["export", "-o", "text"], True), (["replay", "--speed", "max"], False)):
        before = store.run(*words).stdout.decode()
        after = store.run(*words, GITHUB_ACTIONS="true").stdout.decode()
        marked = [text for text in after.replace("\r", "\n").split("\n") if "\\" in text]
        t.equal([text.split("\\")[1] for text in marked],
                ["::error::x", "::warning::", "##[group]", "::error::", "##[x", "::x"] +
                ([] if plain else ["::stop"]) + ["::debug::"], f"{words[0]}: commands are marked")
        t.equal(after.replace("\\", ""), before, "and nothing else")


with Store() as fresh:
    case(fresh)
with Store() as fresh:
    runner(fresh)
t.done()
