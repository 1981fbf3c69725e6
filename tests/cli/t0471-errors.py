#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog errors: its forms for people and programs, what it does with hostile logs, and the
errors of tools that this machine has."""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import BUILDLOG, Records, Store, Tap, Writer, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678  # 2026-01-02


def put(store, lines, status="failed", start=None, **end):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start(**(start or {}))
    for line in lines:
        data += line(r) if callable(line) else r.line(line)
    store.put(build, data + r.end(status, **{"exitCode": 2, **end}))
    return build


def text_form(store):
    lines = [f"working {n}" for n in range(1, 31)] + ["main.c:4:10: error: 'x' undeclared",
                                                     "    4 |   return x;"]
    lines += [f"f{n}.c:{n}:1: error: number {n}" for n in range(1, 31)] + ["f1.c:1:1: error: number 1"]
    lines += [f"rest {n}" for n in range(40)] + ["make: *** [Makefile:2: all] Error 1"]
    build = put(store, lines)
    got = store.run("errors")
    out = got.stdout.decode()
    t.equal((got.returncode, got.stderr), (0, b""), "found: 0, and nothing on stderr")
    t.ok(out.startswith(f"build {build}: failed (exit 2)\n"
                        "first error: cc: main.c:4:10: 'x' undeclared\n\n"
                        "       28 working 28\n"), "the first error and what was before it", out)
    t.ok(">      31 main.c:4:10: error: 'x' undeclared\n" in out, "its own line is marked", out)
    t.ok("further errors: 30\n" in out and "f1.c:1:1: number 1 (2 times)\n" in out and
         f"… and 20 more: buildlog errors -o json {build}\n" in out,
         "the further ones, counted, bounded, with the command that shows the rest", out)
    t.ok("Makefile" not in out, "what only follows is not told", out)
    hint = re.search(r"more around it: buildlog (show .*)\n", out).group(1)
    more = store.run(*hint.split())
    t.ok(more.returncode == 0 and b"working 10\n" in more.stdout, "the command told works", more)
    t.equal(len(out.splitlines()) < 40, True, "it is short")
    out, status = store.on_terminal("errors")
    t.ok(status == 0 and b"\x1b[1;31mfirst error:\x1b[0m cc" in out, "in colour on a terminal", out)


def none(store):
    build = put(store, [f"line {n}" for n in range(1, 101)])
    got = store.run("errors")
    want = "".join(f"{n:9} line {n}\n" for n in range(86, 101))
    t.equal((got.returncode, got.stdout.decode()),
            (1, f"build {build}: failed (exit 2)\nno error recognised; the last lines:\n\n{want}"),
            "nothing recognised: said so, the last lines, exit 1")
    got = store.run("errors", "-o", "json")
    report = json.loads(got.stdout)
    t.ok(got.returncode == 1 and "first" not in report and len(report["lines"]) == 15,
         "the same in JSON", report)
    got = store.run("errors", "-o", "github")
    t.equal((got.returncode, got.stdout.decode()),
            (1, f"::error title=make -j2::failed (exit 2); no error recognised, see buildlog tail "
                f"{build}\n"), "an annotation all the same, for the build failed")
    got = store.run("errors", "-o", "junit")
    suite = ElementTree.fromstring(got.stdout)[0]
    t.ok(got.returncode == 1 and suite.get("failures") == "1" and
         "line 100" in suite[0][0].text, "and a test that failed", got.stdout)
    put(store, [], "ok", exitCode=0)
    t.equal(store.run("errors", "-o", "github").stdout, b"", "no annotation for one that passed")
    suite = ElementTree.fromstring(store.run("errors", "-o", "junit").stdout)[0]
    t.equal((suite.get("tests"), suite.get("failures"), len(suite[0])), ("1", "0", 0),
            "and a test that passed")
    t.ok(b"no line recorded" in store.run("errors").stdout, "a log without a line")


def json_form(store):
    build = put(store, ["main.c:4:10: error: 'x' undeclared"] * 3 + ["error TS18003: No inputs."])
    report = json.loads(store.run("errors", "--json").stdout)
    t.equal((report["v"], report["id"], report["status"], report["exitCode"], report["omitted"]),
            (1, build, "failed", 2, 0), "the build")
    t.equal(report["first"], {"rank": "cause", "tool": "cc", "file": "main.c", "line": 4,
                              "column": 10, "message": "'x' undeclared", "seq": 1, "lastSeq": 1,
                              "times": 3}, "an error")
    t.ok(report["errors"][0] == report["first"] and len(report["errors"]) == 2, "all of them", report)
    put(store, [f"f{n}.c:1:1: error: e" for n in range(500)])
    report = json.loads(store.run("errors", "-o", "json").stdout)
    t.equal((len(report["errors"]), report["omitted"]), (200, 300), "bounded, the rest counted")
    put(store, [f"ERROR: number {n}" for n in range(500)] + ["a.c:1:1: error: e"])
    report = json.loads(store.run("errors", "-o", "json").stdout)
    t.ok(report["first"]["file"] == "a.c" and report["omitted"] == 301 and
         report["errors"][-1] == report["first"], "worse ones take the place of others", report["first"])


HOSTILE = ["::error file=x::forged", "##[error]forged", "  ::warning::forged", "##[group]forged",
           "::set-output name=x::y", "a.c:1:1: error: x\x1b[2J\x1b]0;t\x07\u202e\u009b2J",
           "::add-mask::e.c:1:1: error: ]]><x>&amp;\ufffe\uffff\x01",
           "b.c:2:2: error: 100% \r::error::forged by CR", "c,d:e.c:3:3: error: comma",
           "x" * 300000 + ": error: far away", "a\n::error::forged by LF: error: x",
           "d.c:1:1: error: y\n::error::forged by LF"]


def hostile(store):
    put(store, HOSTILE, start={"cmd": ["make", "\n::error::forged", "\x1b[2J<&>"]})
    for form in ("text", "json", "github", "junit"):
        got = store.run("errors", "-o", form, GITHUB_ACTIONS="true")
        out = got.stdout.decode()
        t.ok(got.returncode == 0 and got.stderr == b"", f"{form}: 0", got.stderr)
        bad = [line for line in out.splitlines() if line.lstrip().startswith(("::", "##["))]
        if form == "github":
            bad = [line for line in bad if not re.fullmatch(
                r"::error (file=[^:,]+,line=\d+,col=\d+,)?title=[a-z]+::[^\r\n]*", line)]
        t.ok(not bad, f"{form}: no forged command begins a line", bad)
        t.ok(form == "json" or not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out),
             f"{form}: nothing that acts on a terminal", out)
    store_out, _ = store.on_terminal("errors", "-o", "json")
    t.ok(b"\x1b" not in store_out and b"\xc2\x9b" not in store_out, "JSON is harmless on a terminal")
    out = store.run("errors", "-o", "github").stdout.decode()
    t.ok("file=c%2Cd%3Ae.c,line=3,col=3," in out, "properties are escaped", out)
    t.ok("forged by CR" in out and "100% " not in out, "what a CR overwrote is not the message", out)
    out = store.run("errors", "-o", "junit").stdout
    tree = ElementTree.fromstring(out)
    t.ok(len(tree[0]) == int(tree[0].get("tests")), "well-formed XML, counted right", out)
    if shutil.which("xmllint"):
        done = subprocess.run(["xmllint", "--noout", "-"], input=out, capture_output=True, check=False)
        t.equal(done.returncode, 0, "xmllint agrees")
    else:
        t.skip("xmllint agrees", "no xmllint")


def escapes(store):
    put(store, ["a.c:1:2: error: 50% of %0A, done: now"])
    t.equal(store.run("errors", "-o", "github").stdout,
            b"::error file=a.c,line=1,col=2,title=cc::50%25 of %250A, done: now\n",
            "a message is escaped as GitHub asks")
    put(store, ["/ws/repo/sub/a.c:1:2: error: x", "./b.c:3:4: error: y", "/usr/include/c.h:5:6: error: z"],
        start={"cwd": "/ws/repo/sub"})
    got = [re.search("file=([^,]*)", line).group(1) for line in
           store.run("errors", "-o", "github", GITHUB_WORKSPACE="/ws/repo/").stdout.decode().splitlines()]
    t.equal(got, ["sub/a.c", "sub/b.c", "/usr/include/c.h"], "paths below the workspace")
    got = [re.search("file=([^,]*)", line).group(1) for line in
           store.run("errors", "-o", "github", GITHUB_WORKSPACE="").stdout.decode().splitlines()]
    t.equal(got, ["a.c", "b.c", "/usr/include/c.h"], "without one, below where the command ran")
    put(store, [f"f{n}.c:1:1: error: e" for n in range(50)])
    t.equal(store.run("errors", "-o", "github").stdout.count(b"\n"), 10, "no more than GitHub shows")


def kinds_of_logs(store):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + r.line("a.c:1:2: error: x") + r.line("more")
    w = Writer(store, build)
    w.write(data + b'{"kind":"line","ts":1,"se')
    got = store.run("errors")
    t.ok(got.returncode == 0 and b": running\n" in got.stdout and got.stderr == b"",
         "a build that runs", got)
    w.close()
    got = store.run("errors")
    t.ok(got.returncode == 0 and b": lost\n" in got.stdout and b"unfinished record" in got.stderr,
         "a lost one, torn at its end", got)
    os.unlink(store.path(build))
    store.put(build, gzip.compress(data + r.end("failed", exitCode=1)), ".log.gz")
    got = store.run("errors")
    t.ok(got.returncode == 0 and b"first error: cc: a.c:1:2: x\n" in got.stdout, "compressed", got)
    os.unlink(store.path(build, ".log.gz"))
    store.put(build, data + b"garbage\n" + b'{"kind":"line","ts":1,"seq":3,"msg":5}\n' + r.end())
    got = store.run("errors")
    t.ok(got.returncode == 0 and b"left out: 1 damaged line" in got.stderr, "damaged", got)
    store.put(build, r.start() + Records(build, T0).line(None, len=80) + r.end("failed", exitCode=1))
    got = store.run("errors")
    t.ok(got.returncode == 1 and b"(80 bytes)" in got.stdout, "recorded without payload", got)
    got = store.run("errors", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    t.ok(got.returncode == 2 and got.stdout == b"" and got.stderr.count(b"\n") == 1, "no such build", got)
    got = store.run("errors", "-o", "xml")
    t.equal(got.returncode, 2, "no such form")
    with open("/dev/full", "wb") as full:
        got = subprocess.run([BUILDLOG, "errors"], env=store.env(), stdout=full,
                             stderr=subprocess.PIPE, check=False)
    t.ok(got.returncode == 2 and b"cannot write" in got.stderr, "a full disk", got)


# ---- tools of this machine ---------------------------------------------------------------------


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def recorded(store, folder, *command):
    subprocess.run([BUILDLOG, "run", "--", *command], env=store.env(LC_ALL="C"), cwd=folder,
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    got = json.loads(store.run("errors", "-o", "json", "last").stdout)
    first = got.get("first", {})
    return first.get("tool"), first.get("file"), first.get("line"), first.get("message", "")


def real(store):
    work = os.path.join(store.top, "work")
    os.makedirs(work)
    write(work, "bad.c", "int main(void)\n{\n    return nope;\n}\n")
    write(work, "link.c", "int nope(void);\nint main(void) { return nope(); }\n")
    write(work, "Makefile", "all:\n\tcc -c bad.c\n")
    write(work, "bad.py", "def f():\n    return {}['key']\n\nf()\n")
    write(work, "bad.sh", "echo hi\nif true; then\n")
    for tool, command, want in (
            ("cc", ("cc", "-c", "bad.c"), ("cc", "bad.c", 3, "nope")),
            ("make", ("make",), ("cc", "bad.c", 3, "nope")),
            ("make", ("make", "none"), ("make", None, None, "No rule to make target 'none'")),
            ("cc", ("cc", "link.c"), ("ld", None, None, "undefined reference to")),
            ("python3", ("python3", "bad.py"), ("python", f"{work}/bad.py", 2, "KeyError: 'key'")),
            ("sh", ("sh", "bad.sh"), ("shell", "bad.sh", None, "")),
            ("sh", ("sh", "-c", "nope-nope"), ("shell", None, None, "nope-nope: not found")),
            ("bash", ("bash", "-c", "nope-nope"), ("shell", None, None, "nope-nope: command not found")),
            ("sh", ("sh", "-c", "kill -SEGV $$"), ("buildlog", None, None, "killed by SIGSEGV")),
            ("sh", ("no-such-command-at-all",), ("buildlog", None, None, "no-such-command-at-all"))):
        name = f"{' '.join(command)}"
        if not shutil.which(tool):
            t.skip(name, f"no {tool}")
            continue
        got = recorded(store, work, *command)
        good = got[0] == want[0] and want[3] in got[3] and (want[2] is None or got[2] == want[2]) and \
            (got[1] == want[1] or (want[1] is None and tool == "cc") or
             (want[1] and got[1] and got[1].endswith(os.path.basename(want[1]))))
        t.ok(good, name, {"got": got, "want": want})


for case in (text_form, none, json_form, hostile, escapes, kinds_of_logs, real):
    with Store() as fresh:
        case(fresh)
t.done()
