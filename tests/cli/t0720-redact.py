#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog redact as a filter, a check, a report and a list: bytes, exit codes, slow and closed
ends, files that cannot be read, and the configuration with everything that can be wrong in it."""
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

PAT = "ghp_" + "aB3" * 12  # nobody's
MARK = "ghp_[REDACTED]"
HERE = bl.temp("here")
os.makedirs(HERE)


def redact(*words, data=b"", env=None, **options):
    if "stdin" not in options:
        options["input"] = data
    return subprocess.run([bl.BIN, "redact", *map(str, words)], cwd=HERE,
                          env=bl.environment(**(env or {})),
                          **{"stdout": bl.PIPE, "stderr": bl.PIPE, "check": False, **options})


def write(name, data):
    path = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    return path


def gives(done, status, out, err, name):
    bl.equal((done.returncode, done.stdout, done.stderr.decode()), (status, out, err), name)


# ---- the filter --------------------------------------------------------------------------

@bl.section
def bytes_in_bytes_out():
    plain = bytes(range(256)) * 3000 + b"\n\x1b[31mred\x1b[0m\r\n\xff\xfe no newline"
    gives(redact(data=plain), 0, plain, "", "what holds no secret comes out as it is")
    gives(redact(data=b""), 0, b"", "", "nothing")
    gives(redact(data=f"a {PAT} b\n".encode()), 0, f"a {MARK} b\n".encode(), "", "a token")
    gives(redact(data=f"a {PAT[:9]}".encode()), 0, f"a {PAT[:9]}".encode(), "",
          "the beginning of one, then the end")


@bl.section
def files():
    write("one", f"1 {PAT}\n")
    write("two", "2\n")
    want = f"1 {MARK}\n2\nin\n1 {MARK}\n".encode()
    gives(redact("one", "two", "-", "one", data=b"in\n"), 0, want, "", "files and -, in order")
    os.mkdir(os.path.join(HERE, "folder"))
    gives(redact("none", "two", "folder", "two"), 2, b"2\n2\n",
          "buildlog redact: cannot open 'none': No such file or directory\n"
          "buildlog redact: cannot read 'folder': Is a directory\n",
          "what cannot be read: one line each, the rest is done")
    half = len(PAT) // 2
    write("left", "x " + PAT[:half])
    write("right", PAT[half:])
    gives(redact("left", "right"), 0, f"x {PAT}".encode(), "", "each file is a stream of its own")
    with open(os.path.join(HERE, "two"), "ab") as out:
        done = redact("two", stdout=out)
    gives(done, 2, None, "buildlog redact: cannot read 'two': it is the output\n",
          "its own output is not its input")


@bl.section
def as_it_comes():
    with subprocess.Popen([bl.BIN, "redact"], stdin=bl.PIPE, stdout=bl.PIPE,
                          env=bl.environment()) as child:
        child.stdin.write(f"token {PAT}".encode())
        child.stdin.flush()
        want = f"token {MARK}".encode()
        got = b""
        while len(got) < len(want):
            got += os.read(child.stdout.fileno(), 4096)
        bl.equal(got, want, "a slow input comes out as it comes, without a newline")
        child.stdin.close()
        bl.equal((child.stdout.read(), child.wait()), (b"", 0), "and nothing more at its end")


@bl.section
def terminal():
    fifo = os.path.join(HERE, "fifo")
    os.mkfifo(fifo)
    pty = bl.Pty([bl.BIN, "redact", fifo])
    sink = os.open(fifo, os.O_WRONLY)
    os.write(sink, b"Password for gh")
    pty.expect(b"Password for gh")
    bl.ok(True, "on a terminal, what may begin a token is shown after a pause")
    os.write(sink, f"{PAT[2:]} \n".encode())
    os.close(sink)
    bl.equal(pty.finish(), 0, "and the filter goes on")
    bl.ok(PAT[12:].encode() not in pty.screen and b"[REDACTED]" in pty.screen,
          "the token is not shown", pty.screen)


@bl.section
def nobody_reads():
    source, sink = os.pipe()
    os.close(source)
    done = redact(data=b"x\n", stdout=sink, preexec_fn=lambda: signal.signal(
        signal.SIGPIPE, signal.SIG_DFL))
    gives(done, -signal.SIGPIPE, None, "", "nobody reads: dies of SIGPIPE, silently")
    done = redact(data=b"x\n", stdout=sink, preexec_fn=lambda: signal.signal(
        signal.SIGPIPE, signal.SIG_IGN))
    gives(done, 128 + signal.SIGPIPE, None, "", "SIGPIPE ignored: the status a shell would see")
    os.close(sink)
    with open("/dev/full", "wb") as full:
        gives(redact(data=b"x\n", stdout=full), 2, None,
              "buildlog redact: cannot write to 'stdout': No space left on device\n",
              "a full disk is said")


@bl.section
def descriptors_that_do_not_block():
    source, sink = os.pipe()
    fcntl.fcntl(sink, fcntl.F_SETFL, os.O_NONBLOCK)
    data = b"0123456789abcde\n" * 60000
    with subprocess.Popen([bl.BIN, "redact", write("much", data)], stdout=sink,
                          env=bl.environment()) as child:
        os.close(sink)
        got = b""
        while piece := os.read(source, 65536):
            got += piece
        bl.equal((child.wait(), got == data), (0, True), "a non-blocking output is written whole")
    os.close(source)


@bl.section
def faults():
    data = b"".join(b"%d %s\n" % (n, PAT.encode() if n % 3 else b"plain") for n in range(20000))
    want = data.replace(PAT.encode(), MARK.encode())
    path = write("faults", data)

    def with_fault(fault, *words, **options):
        return subprocess.run([bl.FAULT_BIN, "redact", *words], cwd=HERE, check=False,
                              capture_output=True, env=bl.environment(BUILDLOG_FAULT=fault),
                              **options)
    for fault in ("read:1:EINTR", "read:2:EAGAIN:x3", "read:1:short:persist", "write:1:EINTR",
                  "writev:1:EINTR:x3", "writev:2:EAGAIN", "writev:1:short:x50", "fstat:1:EIO:x2"):
        done = with_fault(fault, path)
        bl.equal((done.returncode, done.stdout == want, done.stderr), (0, True, b""),
                 f"{fault}: nothing is lost")
    done = with_fault("read:2:EIO", path)
    bl.ok(done.returncode == 2 and want.startswith(done.stdout[:-40]) and done.stdout
          and done.stderr == f"buildlog redact: cannot read '{path}': Input/output error\n".encode(),
          "an input that fails in the middle: what was read has come out", done.stderr)
    done = with_fault("openat:3:EACCES", path, "two")
    gives(done, 2, b"2\n", f"buildlog redact: cannot open '{path}': Permission denied\n",
          "one that may not be read: the next one is")
    for call in ("write:1:EIO", "writev:1:EIO:x2"):
        done = with_fault(call, path, "two")
        bl.equal((done.returncode, done.stderr),
                 (2, b"buildlog redact: cannot write to 'stdout': Input/output error\n"),
                 f"{call}: the end, said once")


@bl.section
def memory():
    with subprocess.Popen([bl.BIN, "redact"], stdin=bl.PIPE, stdout=bl.DEVNULL,
                          env=bl.environment()) as child:
        block = (b"x" * 70 + b" " + PAT.encode() + b"\n") * 4000
        for _ in range(60):
            child.stdin.write(block)
        child.stdin.write(b"y" * 30_000_000)
        child.stdin.flush()
        peak = bl.proc_peak_kb(child.pid)
        child.stdin.close()
        child.wait()
        limit = 16 << 10 if not bl.SANITIZED else 1 << 20
        bl.ok(peak < limit, "memory stays bounded, whatever the input", f"{peak} kB")


# ---- check and report --------------------------------------------------------------------

@bl.section
def check():
    write("clean", "nothing here\n")
    write("dirty", f"first\n  key {PAT} and {PAT}\n{PAT}\n")
    gives(redact("--check", "clean"), 0, b"", "", "--check: nothing found")
    gives(redact("--check", "clean", "dirty"), 1, b"", "", "--check: something found")
    gives(redact("--check", "none", "dirty"), 2, b"",
          "buildlog redact: cannot open 'none': No such file or directory\n",
          "--check: trouble counts more")
    gives(redact("--check", "-v", "dirty", "clean"), 1, b"",
          "buildlog redact: 3 secrets in 'dirty': github-pat 3\n"
          "buildlog redact: 0 secrets in 'clean'\n", "--check -v")
    gives(redact("--check", "--report", "dirty"), 1,
          b"dirty:2:11: github-pat\ndirty:2:56: github-pat\ndirty:3:5: github-pat\n", "",
          "--check --report: file, line and column of what would be replaced")
    done = redact("--check", "--report", "--json", "dirty", "clean")
    found = json.loads(done.stdout)
    bl.equal((done.returncode, found[1]),
             (1, {"file": "dirty", "line": 2, "column": 56, "offset": 61, "rule": "github-pat",
                  "count": 1}), "--report --json")
    gives(redact("--check", "--report", "-o", "json", "clean"), 0, b"[]\n", "", "an empty one")
    gives(redact("--report", "dirty"), 0,
          f"first\n  key {MARK} and {MARK}\n{MARK}\n".encode(),
          "dirty:2:11: github-pat\ndirty:2:56: github-pat\ndirty:3:5: github-pat\n",
          "--report of a filter goes to standard error")


@bl.section
def places():
    """However the input comes: the same places, computed here in another way."""
    text, want = b"", []
    for number in range(3000):
        line = b"x" * (number * 7 % 90)
        if number % 5 == 0:
            want.append((number + 1, len(line) + 6))
            line += b" " + PAT.encode() + b" " + b"y" * (number % 11)
        text += line + b"\n"
    text += b"z" * 1_500_000 + b" " + PAT.encode()
    want.append((3001, 1_500_006))
    path = write("places", text)
    shell = f"head -c 4097 {path}; tail -c +4098 {path}"
    for name, words, source in (("a file", [path], None), ("a pipe", [], shell)):
        if source:
            with subprocess.Popen(["sh", "-c", source], stdout=bl.PIPE) as feed:
                done = redact("--check", "--report", "--json", stdin=feed.stdout)
        else:
            done = redact("--check", "--report", "--json", *words)
        got = [(one["line"], one["column"]) for one in json.loads(done.stdout)]
        bl.equal(got, want, f"places in {name}: {len(want)} of them")


@bl.section
def hostile_names():
    name = "a\n\x1b[31m" + PAT
    write(name, PAT)
    done = redact("--check", "--report", name)
    bl.ok(done.stdout.count(b"\n") == 1 and b"\x1b" not in done.stdout
          and PAT.encode() not in done.stdout, "a hostile name is harmless in a report", done)
    done = redact("--check", "-v", name)
    bl.ok(done.stderr.count(b"\n") == 1 and PAT.encode() not in done.stderr,
          "and in a message", done)


@bl.section
def report_that_cannot_be_written():
    with open("/dev/full", "wb") as full:
        gives(redact("--check", "--report", "dirty", stdout=full), 2, None,
              "buildlog redact: cannot write to 'stdout': No space left on device\n",
              "a report that cannot be written")


# ---- the list ----------------------------------------------------------------------------

@bl.section
def listing():
    done = redact("--list")
    bl.ok(done.returncode == 0 and re.search(rb"^github-pat +tier1 +on +\S", done.stdout, re.M)
          and not done.stderr, "--list", done)
    table = json.loads(redact("--list", "--json", "--off", "github-pat").stdout)
    rules = {rule["rule"]: rule for rule in table["rules"]}
    bl.equal((rules["github-pat"]["on"], "becomes" in rules["github-pat"]), (False, False),
             "--list --json: one that is off")
    bad = [name for name, rule in rules.items() if rule["on"] and "example" in rule and
           "REDACTED" not in rule.get("becomes", "")]
    bl.equal(bad, [], "every rule that is on finds its own example")
    bl.equal([name for name, rule in rules.items() if "example" not in rule],
             ["known-value", "add-mask", "named-field"], "and all have one that can")
    bl.equal([name for name, rule in rules.items() if not rule["description"]], [],
             "every rule says what it finds")
    gives(redact("--list", "x"), 2, b"",
          "buildlog redact: extra operand 'x': --list reads no input\n", "--list x")
    with open("/dev/full", "wb") as full:
        gives(redact("--list", stdout=full), 2, None,
              "buildlog redact: cannot write to 'stdout': No space left on device\n",
              "--list >/dev/full")


@bl.section
def switches():
    line = f"{PAT}\n".encode()
    gives(redact("--off", "github-pat", data=line), 0, line, "", "--off RULE")
    gives(redact("--off", "tier1", data=line), 0, line, "", "--off GROUP")
    gives(redact("--off", "github-pat", "--on", "github-pat", data=line), 0, f"{MARK}\n".encode(),
          "", "the later switch counts")
    gives(redact("--off", "github-pot"), 2, b"", "buildlog redact: no such rule or group "
          "'github-pot': did you mean 'github-pat'?\n", "an unknown rule: the nearest one")
    gives(redact("--on", "qqqqqqqq"), 2, b"", "buildlog redact: no such rule or group 'qqqqqqqq': "
          "'buildlog redact --list' has them all\n", "nothing near")


# ---- configuration -----------------------------------------------------------------------

CONFIG = write("config/buildlog/config.json", "{}")
WITH = {"XDG_CONFIG_HOME": os.path.join(HERE, "config")}


@bl.section
def configuration():
    line = f"{PAT}\n".encode()
    write(CONFIG, '{"redact": {"off": ["github-pat"] /* ours */ }} // end')
    gives(redact(data=line, env=WITH), 0, line, "", "the configuration switches a rule off")
    gives(redact("--on", "github-pat", data=line, env=WITH), 0, f"{MARK}\n".encode(), "",
          "an option counts more")
    rules = write("rules.json", '{"on": ["github-pat"]}')
    gives(redact("--redact-rules", rules, data=line, env=WITH), 0, f"{MARK}\n".encode(), "",
          "a rules file, too")
    write(CONFIG, json.dumps({"redact": {"rules_file": write("more.json",
                                                             '{"off": ["github-pat"]}')}}))
    gives(redact(data=line, env=WITH), 0, line, "", "rules_file")
    run = bl.run("--", "echo", PAT, env=WITH)
    bl.equal((run.status, run.out), (0, line), "run reads the same configuration")
    run = bl.run("--redact-rules", rules, "--", "echo", PAT, env=WITH)
    bl.equal((run.status, run.out), (0, f"{MARK}\n".encode()), "run --redact-rules")


@bl.section
def rules_of_ones_own():
    path = write("ours.json", """{ // as in the manual
        "rules": [{"name": "ours", "pattern": "KEY-([0-9a-f]{16})", "group": 1,
                   "literal": "KEY-", "description": "keys of our own"}],
        "fields": ["password", "db.secret"], "pii": ["email"]}""")
    data = b'k KEY-0123456789abcdef.\npassword=abc {"db":{"secret":"x y"}} joe@example.com\n'
    want = b'k KEY-[REDACTED:ours].\npassword=[REDACTED] {"db":{"secret":"[REDACTED]"}} ' \
           b'[REDACTED:email]\n'
    gives(redact("--redact-rules", path, data=data), 0, want, "", "rules, fields and pii of a file")
    run = bl.run("--quiet", "--redact-rules", path, "--", "cat", data=data)
    bl.equal((run.out, run.log.msgs()), (want, want.decode().splitlines()), "the same in run")
    bl.equal(run.log.end["redactions"].get("ours"), 1, "counted under the name of the rule")
    rules = {rule["rule"]: rule for rule in
             json.loads(redact("--list", "--json", "--redact-rules", path).stdout)["rules"]}
    bl.equal((rules["ours"]["on"], rules["ours"]["description"]), (True, "keys of our own"),
             "and in the list")


RULE = '{"rules": [{"name": "ok", "pattern": "x"}, %s]}'
WRONG = [
    ('{"genric": true}', "unknown key 'genric', did you mean 'generic'?"),
    ('{"qqqqqqqq": true}', "unknown key 'qqqqqqqq'"),
    ('{"generic": 1}', "'generic' must be true or false"),
    ('{"on": "x"}', "'on' must be a list of texts"),
    ('{"off": ["x", 1]}', "'off': item 2 must be a text that is not empty"),
    ('{"off": [""]}', "'off': item 1 must be a text that is not empty"),
    (json.dumps({"off": ["x"] * 1001}), "'off' has more than 1000 items"),
    ('{"on": ["github-pot"]}', "no rule or group 'github-pot', did you mean 'github-pat'?"),
    ('{"on": ["qqqqqqqq"]}', "no rule or group 'qqqqqqqq'"),
    ('{"fields": {}}', "'fields' must be a list of texts"),
    ('{"pii": ["e-mail"]}', "'pii': no group 'e-mail', only 'email', 'phone', 'card', 'iban' "
     "and 'home'"),
    ('{"pii": [1]}', "'pii': item 1 must be a text that is not empty"),
    ('{"env": []}', "'env' must be an object"),
    ('{"env": {"ad": []}}', "env: unknown key 'ad', did you mean 'add'?"),
    ('{"env": {"add": 1}}', "'env.add' must be a list of texts"),
    ('{"env": {"except": [2]}}', "'env.except': item 1 must be a text that is not empty"),
    ('{"rules": {}}', "'rules' must be a list of objects"),
    (RULE % "1", "rule 2: must be an object"),
    (RULE % '{"pattern": "x"}', "rule 2: 'name' is missing"),
    (RULE % '{"name": "a"}', "rule 2 'a': 'pattern' is missing"),
    (RULE % '{"name": "a", "pattern": 1}', "rule 2 'a': 'pattern' must be a text that is not "
     "empty"),
    (RULE % '{"name": "a", "pattern": "x", "group": 1.5}',
     "rule 2 'a': 'group' must be a whole number from 0 to 99"),
    (RULE % '{"name": "a", "pattern": "x", "patern": "x"}',
     "rule 2 'a': unknown key 'patern', did you mean 'pattern'?"),
    (RULE % '{"name": "ok", "pattern": "x"}',
     "rule 2 'ok': there is a rule of this name already"),
    (RULE % '{"name": "a", "pattern": "a(b"}', "rule 'a': its pattern: Missing ')' (byte 2)"),
    (RULE % '{"name": "github-pat", "pattern": "x"}',
     "rule 'github-pat': a rule of buildlog's own has this name"),
    *((RULE % json.dumps({"name": name, "pattern": "x"}),
       f"rule '{name}': a group of rules has this name")
      for name in ("tier1", "generic", "email", "pii", "own")),
    ('{"fields": ["a..b"]}', "field 'a..b': each part has 1 to 64 bytes"),
    ('{"rules_file": "/x"}', "'rules_file' has no place in a rules file"),
    ("[]", 'expected a JSON object: {"rules": [{"name": "ours", "pattern": "K-[0-9]{8}"}]}'),
    ("{\n\n1}", "line 3: not valid JSON"),
    ("{\0}", "not text: it contains a NUL byte"),
    (" " * (1 << 20) + "{}", "larger than 1048576 bytes, or out of memory"),
    (json.dumps({"rules": [{"name": f"r{i}", "pattern": "x"} for i in range(1001)]}),
     "more than 1000 rules"),
]


@bl.section
def what_can_be_wrong():
    for text, why in WRONG:
        path = write("wrong.json", text)
        want = f"buildlog redact: cannot use redaction rules '{path}': {why}\n"
        gives(redact("--redact-rules", path, data=b"x"), 2, b"", want, why)
    path = write("wrong.json", WRONG[0][0])
    done = bl.run("--redact-rules", path, "--", "echo", "x")
    bl.equal((done.status, done.out, done.err.decode()),
             (125, b"", f"buildlog run: cannot use redaction rules '{path}': {WRONG[0][1]}\n"),
             "run refuses, too")
    gives(redact("--redact-rules", "absent", data=b"x"), 2, b"",
          "buildlog redact: cannot open 'absent': no such file\n", "a rules file that is not there")
    gives(redact("--redact-rules", "folder", data=b"x"), 2, b"",
          "buildlog redact: cannot use redaction rules 'folder': not a regular file\n",
          "one that is no file")
    gives(redact("--redact-rules", write("wrong.json", "{"), data=b"x"), 2, b"",
          f"buildlog redact: cannot use redaction rules '{path}': line 1: not valid JSON\n",
          "half a file")
    for text, why in (('{"redact": 1}', "'redact' must be an object"),
                      ('{"redact": {"of": []}}', "redact: unknown key 'of', did you mean 'on' or "
                       "'off'?"),
                      ('{"redact": {"rules_file": "x"}}',
                       "'rules_file' must be an absolute path")):
        write(CONFIG, text)
        want = f"cannot use configuration '{CONFIG}': {why}"
        gives(redact(data=b"x", env=WITH), 2, b"", f"buildlog redact: {want}\n", why)
        run = bl.run("--", "echo", PAT, env=WITH)
        bl.equal((run.status, run.out, run.err.decode().split("\n")[0], run.paths),
                 (0, f"{MARK}\n".encode(), f"buildlog run: {want}; the command runs on, recording "
                  "is retried", []), "run: the command runs, redacted as by default, unlogged")
        run = bl.run("--require-log", "--", "echo", PAT, env=WITH)
        bl.equal((run.status, run.out), (125, b""), "run --require-log: refuses")
    write(CONFIG, '{"redact": {"rules_file": "/none"}}')
    gives(redact(data=b"x", env=WITH), 2, b"",
          "buildlog redact: cannot open '/none': no such file\n", "a rules_file that is not there")


bl.done()
