#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Variables of the environment whose names say secret: which values are removed, where, and who is
told about those that are not."""
import json
import os
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

SECRET = "pine" + "apple-" * 2
KNOWN = "[REDACTED:known-value]"
HERE = bl.temp("here")
os.makedirs(HERE)


def redact(*words, data=b"", env=None):
    return subprocess.run([bl.BIN, "redact", *words], input=data, cwd=HERE, capture_output=True,
                          env=bl.environment(**(env or {})), check=False)


def rules(value):
    path = os.path.join(HERE, "rules.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
    return path


def listed(env, *words):
    done = redact("--list", "--json", *words, env=env)
    return {one["variable"] + (" (part)" if one["part"] else ""): one.get("reason", "removed")
            for one in json.loads(done.stdout)["variables"]}


@bl.section
def which():
    env = {"MY_TOKEN": SECRET, "my_password": SECRET, "SHORT_SECRET": "1234567",
           "PIN_SECRET": "1234567890", "HOME_KEY": "/usr/bin/env", "PLAIN": SECRET,
           "EMPTY_TOKEN": "", "DB_URL": "postgres://user:pw-of-the-db@host/db"}
    want = {"MY_TOKEN": "removed", "my_password": "removed", "DB_URL (part)": "removed",
            "SHORT_SECRET": "under 8 bytes", "PIN_SECRET": "only digits"}
    got = listed(env)
    bl.equal({name: got.get(name) for name in want}, want, "by name, and the reason")
    bl.ok("HOME_KEY" in got and got["HOME_KEY"] != "removed", "a path that exists", got)
    bl.ok("PLAIN" not in got and "EMPTY_TOKEN" not in got, "others are not", got)
    text = redact("--list", env=env).stdout
    bl.ok(b"\nSHORT_SECRET" in text and b"not removed: under 8 bytes\n" in text
          and SECRET.encode() not in text and b"1234567890" not in text and b"pw-of" not in text,
          "--list for people; never a value", text[-600:])


@bl.section
def configured():
    path = rules({"env": {"add": ["COOKIE_*"], "except": ["MY_*"]}})
    got = listed({"COOKIE_JAR": SECRET, "MY_TOKEN": SECRET, "OTHER_TOKEN": SECRET},
                 "--redact-rules", path)
    bl.equal(got, {"COOKIE_JAR": "removed", "OTHER_TOKEN": "removed"}, "env.add and env.except")


@bl.section
def said_by_run():
    env = {"A_TOKEN": SECRET, "B_TOKEN": "1234567", "C_TOKEN": "12345678901"}
    run = bl.run("-v", "--", "true", env=env)
    said = run.err.decode().splitlines()
    bl.ok("buildlog run: the value of 'B_TOKEN' is not removed: under 8 bytes" in said and
          "buildlog run: the value of 'C_TOKEN' is not removed: only digits" in said and
          not any("A_TOKEN" in line for line in said), "run -v names what is not removed", said)
    run = bl.run("--", "true", env=env)
    bl.equal((run.err, run.out), (b"", b""), "without -v, not a word")
    run = bl.run("-v", "--", "true", env={"X_URL": "https://me:pass@host/"})
    bl.ok(b"buildlog run: the password in 'X_URL' is not removed: under 8 bytes\n" in run.err,
          "a short password in a URL", run.err)


@bl.section
def removed():
    env = {"MY_TOKEN": SECRET}
    run = bl.run("--quiet", "--label", f"x={SECRET}", "--name", SECRET, "--", "echo", SECRET, env=env)
    log = bl.sound(run, "run: the log is sound")
    bl.equal((run.out.decode(), log.msgs()), (f"{KNOWN}\n", [KNOWN]), "run: the output")
    bl.equal((log.start["cmd"], log.start["name"], log.start["labels"]),
             (["echo", KNOWN], KNOWN, {"x": KNOWN}), "run: command line, name, labels")
    bl.equal(log.end["redactions"], {"known-value": 1}, "run: counted")
    bl.ok(SECRET.encode() not in log.data, "run: nowhere in the log")
    run = bl.run("--", f"/none/{SECRET}", env=env)
    bl.ok(run.status == 127 and SECRET.encode() not in run.err + run.log.data,
          "a command that is not found", run.err)
    done = redact(SECRET, env=env)
    bl.ok(done.returncode == 2 and SECRET.encode() not in done.stderr, "a message", done)
    done = subprocess.run([bl.BIN, SECRET], capture_output=True, env=bl.environment(**env),
                          check=False)
    bl.ok(done.returncode == 2 and SECRET.encode() not in done.stderr, "an unknown command", done)
    done = redact("--check", "--report", data=f"x\n  {SECRET}\n".encode(), env=env)
    bl.equal((done.returncode, done.stdout), (1, b"-:2:3: known-value\n"), "redact --check")


bl.done()
