#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog verify: logs that run wrote are intact, damage is told with its place, a gap and a
build that runs are no damage, a lost build is told as such; exit codes, words, JSON. (Every kind
of damage is met in tests/unit/verify.c.)"""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl


def verify(store, *words, **env):
    return bl.bare(bl.BIN, "verify", *words, store=store, env=env)


def edit(path, change):
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(change(data))


@bl.section
def intact():
    ran = bl.run("--", "sh", "-c", "echo one; echo two >&2; printf '\\377\\0x'")
    name = os.path.basename(ran.path)[:26]
    got = verify(ran.store)
    bl.equal((got.status, got.out, got.err), (0, f"{name}  intact\n".encode(), b""), "what run wrote")
    again = bl.run("--id", name, "--", "false", store=ran.store)
    bl.equal(again.status, 1, "another attempt")
    got = verify(ran.store, "last")
    bl.equal((got.status, got.out), (0, f"{name}  intact: 2 attempts\n".encode()), "is intact, too")
    other = bl.run("--max-log", "64k", "--", "seq", "1", "20000", store=ran.store)
    bl.equal(other.status, 0, "a log that was too long")
    got = verify(ran.store, "-1", "-2")
    bl.ok(got.status == 0 and got.out.count(b"intact") == 2 and b"1 gap, " in got.out and
          b"lines not recorded" in got.out, "a gap is no damage", got.out)
    told = json.loads(verify(ran.store, "-o", "json").out)
    bl.equal([(one["v"], one["id"], one["verdict"], one["attempts"], one["gaps"], one["problems"])
              for one in told][1], (1, name, "intact", 2, 0, []), "in JSON")
    bl.ok(told[0]["gaps"] == 1 and told[0]["missingLines"] > 10000, "gaps in JSON", told[0])


@bl.section
def damaged():
    ran = bl.run("--", "seq", "1", "9")
    name = os.path.basename(ran.path)[:26]
    with open(ran.path, "rb") as file:
        whole = file.read()
    at = whole.index(b'"msg":"5"')
    line = whole.count(b"\n", 0, at) + 1
    begin = whole.rindex(b"\n", 0, at) + 1
    edit(ran.path, lambda data: data[:at] + b'"msg":"6"' + data[at + 9:])
    got = verify(ran.store, name)
    bl.ok(got.status == 1 and b"damaged" in got.out and b"hash of attempt 1" in got.out and
          not got.err, "another digit", got.out)
    edit(ran.path, lambda data: whole[:at] + b"\0" * 9 + whole[at + 9:])
    got = verify(ran.store)
    bl.equal((got.status, got.out),
             (1, f"{name}  damaged: line {line}, byte {begin}: not a JSON object; and 1 more\n"
              .encode()), "the place")
    told = json.loads(verify(ran.store, "--json").out)[0]
    bl.equal((told["verdict"], told["problemCount"], told["problems"][0]),
             ("damaged", 2, {"line": line, "at": begin, "what": "not a JSON object"}), "in JSON")
    got = verify(ran.store, "--color", "always")
    bl.ok(b"\x1b[31mdamaged\x1b[0m" in got.out, "in colour", got.out)
    edit(ran.path, lambda data: whole[:begin] + whole[whole.index(b"\n", at) + 1:])
    bl.ok(b"record 5 is missing" in verify(ran.store).out, "a line is missing")
    edit(ran.path, lambda data: whole + b"torn")
    bl.ok(b"bytes behind the end record" in verify(ran.store).out, "something behind the end")
    edit(ran.path, lambda data: whole)
    bl.equal(verify(ran.store).status, 0, "as it was, it is intact")


@bl.section
def running_and_lost():
    ran = bl.start("--", "sh", "-c", "echo one; kill -STOP $$; echo two")
    log = ran.wait_log(lambda log: len(log.records) >= 2, "a line")
    name = os.path.basename(log.path)[:26]
    got = verify(ran.store)
    bl.equal((got.status, got.out), (0, f"{name}  running: sound so far\n".encode()), "running")
    ran.send(signal.SIGKILL)
    ran.finish()
    got = verify(ran.store)
    bl.equal((got.status, got.out), (1, f"{name}  lost: no end record; sound as far as it goes, "
                                     f"{len(log.records)} records\n".encode()), "lost")
    edit(log.path, lambda data: data + b'{"kind":"line","ts')
    got = verify(ran.store)
    bl.ok(got.status == 1 and b"18 bytes of an unfinished record" in got.out, "lost and torn",
          got.out)
    told = json.loads(verify(ran.store, "--json").out)[0]
    bl.equal((told["verdict"], told["tornBytes"], told["problems"]), ("lost", 18, []), "in JSON")


@bl.section
def trouble():
    store = bl.temp("store")
    got = verify(store)
    bl.equal((got.status, got.out, got.err), (0, b"", b""), "no store: no logs")
    bl.equal(verify(store, "--json").out, b"[]\n", "in JSON")
    bl.equal(verify(store, "last").status, 2, "but a build that is named is not there")
    ran = bl.run("--", "echo", "x", store=store)
    name = os.path.basename(ran.path)[:26]
    for words, why in (((bl.fresh_id(),), b"not in this store"), (("nope",), b"not an id"),
                       (("-7",), b"only 1"), (("--since", "x"), b"unknown option")):
        got = verify(store, *words)
        bl.ok(got.status == 2 and not got.out and why in got.err and got.err.count(b"\n") == 1,
              f"verify {words}", got.out, got.err)
    got = verify(store, bl.fresh_id(), name)
    bl.ok(got.status == 2 and got.out == f"{name}  intact\n".encode(), "the others are verified",
          got.out)
    os.symlink("/etc/passwd", bl.id_path(store, bl.fresh_id()))
    got = verify(store)
    bl.ok(got.status == 2 and b"symbolic link" in got.err and b"intact" in got.out,
          "a symlink is trouble", got.err)
    if bl.AM_ROOT:
        bl.skip("unreadable", "root reads everything")
    else:
        os.chmod(bl.id_path(store, name), 0)
        got = verify(store, name)
        bl.ok(got.status == 2 and b"Permission denied" in got.err, "unreadable", got.err)


bl.done()
