#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The front door: help, version, words that are not known. Every mistake is one line on standard
error that says who, what, the word in quotes and why, with status 125 for run and 2 elsewhere;
standard output stays empty and nothing is created. Then where the store is looked for."""
import json
import os
import re
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

HOME = bl.temp("home")
os.makedirs(HOME)


def buildlog(*words, env=None, **options):
    return subprocess.run([bl.BIN, *words], stdin=subprocess.DEVNULL, cwd=HOME,
                          env=bl.environment(**{"HOME": HOME, **(env or {})}),
                          **{"capture_output": True, "check": False, **options})


def prints(words, status, pattern, name):
    done = buildlog(*words)
    bl.ok(done.returncode == status and re.search(pattern, done.stdout) and not done.stderr,
          name, done)


def mistake(words, status, said):
    """said: the whole line, without its newline."""
    done = buildlog(*words)
    bl.ok(done.returncode == status and done.stderr == said.encode() + b"\n" and not done.stdout
          and os.listdir(HOME) == [], f"{' '.join(map(repr, words))[:90]}", done)


# ---- help --------------------------------------------------------------------------------

prints(["--help"], 0, rb"^usage: buildlog COMMAND", "--help")
prints(["-h"], 0, rb"^usage: buildlog COMMAND", "-h")
prints(["help"], 0, rb"\n  tail +show ", "help lists the commands")
prints(["help", "tail"], 0, rb"^usage: buildlog tail \[options\] \[id\]\n", "help tail")
prints(["tail", "--help", "--nonsense", "a", "b"], 0, rb"^usage: buildlog tail", "tail --help")
prints(["ls", "-h"], 0, rb"--status", "ls -h")
prints(["--version"], 0, rb"^buildlog \d+\.\d+\.\d+\n$", "--version")
COMMANDS = re.findall(r"^  ([\w-]+) ", buildlog("help").stdout.decode(), re.M)
for command in COMMANDS:
    text = buildlog(command, "--help").stdout.decode()
    bl.ok(buildlog("help", command).stdout.decode() == text, f"help {command}, {command} --help")
    wide = [line for line in text.split("\n") if len(line) > 96]
    bl.equal(wide, [], f"help {command} fits a page")
bare = buildlog()
bl.ok(bare.returncode == 2 and not bare.stdout and bare.stderr.startswith(b"usage: "),
      "without a command: the overview, on standard error", bare)

# ---- words that are not known --------------------------------------------------------------

mistake(["rnu"], 2, "buildlog: unknown command 'rnu': did you mean 'run'?")
mistake(["tial"], 2, "buildlog: unknown command 'tial': did you mean 'tail'?")
mistake(["frobnicate"], 2,
        "buildlog: unknown command 'frobnicate': 'buildlog help' lists the commands")
mistake([""], 2, "buildlog: unknown command: 'buildlog help' lists the commands")
mistake(["--verison"], 2, "buildlog: unknown option '--verison': did you mean '--version'?")
mistake(["--dir", "x", "ls"], 2,
        "buildlog: unknown option '--dir': the command comes first, then its options")
mistake(["help", "tial"], 2, "buildlog help: unknown command 'tial': did you mean 'tail'?")
mistake(["help", "a", "b"], 2, "buildlog help: extra operand 'b': usage: buildlog help [command]")
mistake(["ls", "--statsu", "ok"], 2,
        "buildlog ls: unknown option '--statsu': did you mean '--status'?")
mistake(["ls", "-1"], 2, "buildlog ls: unknown option '-1': see 'buildlog help ls'")
mistake(["ls", "x"], 2, "buildlog ls: extra operand 'x': usage: buildlog ls [options]")
mistake(["ls", "--status", "okay"], 2, "buildlog ls: --status: bad value 'okay': expected 'ok', "
        "'failed', 'signaled', 'timeout', 'interrupted', 'exec_failed', 'running' or 'lost'")
mistake(["ls", "-n", "x"], 2, "buildlog ls: --limit: bad number 'x': expected digits only")
mistake(["ls", "-n"], 2, "buildlog ls: missing value of option '-n': expected N")
mistake(["ls", "--json=1"], 2, "buildlog ls: option takes no value '--json=1': write '--json'")
mistake(["info", "-o", "table"], 2,
        "buildlog info: --output: bad value 'table': expected 'text' or 'json'")
mistake(["info", "a", "b"], 2,
        "buildlog info: extra operand 'b': usage: buildlog info [options] [id]")
mistake(["tail", "--dir", ""], 2, "buildlog tail: empty value of option: --dir")
mistake(["tail", "--\033[31m\nred"], 2,
        r"buildlog tail: unknown option '--\x1b[31m\x0ared': see 'buildlog help tail'")
mistake(["tail", "--" + "x" * 4000], 2,
        f"buildlog tail: unknown option '--{'x' * 509}': see 'buildlog help tail'")

BAD_ID = "expected 26 characters of 0-9A-HJKMNP-TV-Z, the first 0-7"
for words, said in (
        ([], "missing operand: usage: buildlog run [options] [--] command [arg ...]"),
        (["--"], "missing operand: usage: buildlog run [options] [--] command [arg ...]"),
        (["--tiemout", "5"], "unknown option '--tiemout': did you mean '--timeout'?"),
        (["-x"], "unknown option '-x': see 'buildlog help run'"),
        (["-1"], "unknown option '-1': see 'buildlog help run'"),
        (["--id"], "missing value of option '--id': expected ULID"),
        (["--id", "../../etc/passwd"], f"--id: bad id '../../etc/passwd': {BAD_ID}"),
        (["--id", ""], f"--id: bad id: {BAD_ID}"),
        (["--id", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"],
         f"--id: bad id '8ZZZZZZZZZZZZZZZZZZZZZZZZZ': {BAD_ID}"),
        (["--timeout", "5x"],
         "--timeout: bad duration '5x': expected 90, 90s, 5m or 1h30m"),
        (["--timeout", "0"], "--timeout: bad duration '0': must be at least 1ms"),
        (["--linger", "-1"],
         "--linger: bad duration '-1': expected 90, 90s, 5m, 1h30m or inf"),
        (["--grace", "inf"],
         "--grace: bad duration 'inf': expected 90, 90s, 5m or 1h30m"),
        (["--max-line", "63"], "--max-line: bad size '63': must be at least 64"),
        (["--max-line", "2M"], "--max-line: bad size '2M': must be at most 1024k"),
        (["--max-log", "63k"], "--max-log: bad size '63k': must be at least 64k"),
        (["--max-log", "1Z"], "--max-log: bad size '1Z': expected 4096, 64k, 10M or 2G"),
        (["--label", "x"], "--label: bad label 'x': expected KEY=VALUE, KEY a letter or _ "
         "and up to 63 of A-Za-z0-9_.-"),
        (["--forward", "all"],
         "--forward: bad value 'all': expected 'redacted', 'raw' or 'none'"),
        (["--tty", "on"], "--tty: bad value 'on': expected 'auto', 'always' or 'never'"),
        (["--order", "exakt"],
         "--order: bad value 'exakt': expected 'arrival', 'exact' or 'merge'"),
        (["--on-stall", "panic"], "--on-stall: bad value 'panic': expected 'kill' or 'report'"),
        (["--redact-rules", "f"], "cannot open 'f': no such file"),
        (["--quiet=yes"], "option takes no value '--quiet=yes': write '--quiet'"),
        (["--name", "x" * 1025], "value too long: --name takes at most 1024 bytes")):
    command = [] if said.startswith("missing") else ["true"]
    mistake(["run", *words, *command], 125, f"buildlog run: {said}")

# ---- output that cannot be written ---------------------------------------------------------

with open("/dev/full", "wb") as full:
    done = buildlog("help", stdout=full, stderr=bl.PIPE, capture_output=False)
bl.equal((done.returncode, done.stderr),
         (2, b"buildlog help: cannot write 'stdout': No space left on device\n"), "help >/dev/full")
done = buildlog("help", stdout=None, stderr=bl.PIPE, capture_output=False,
                preexec_fn=lambda: os.close(1))
bl.equal((done.returncode, done.stderr),
         (2, b"buildlog help: cannot write 'stdout': Bad file descriptor\n"), "help >&-")
done = buildlog("nonsense", stdout=None, stderr=None, capture_output=False,
                preexec_fn=lambda: os.closerange(0, 3))
bl.equal(done.returncode, 2, "no descriptor open at all")

PROBE = ["sh", "-c", "if true <&0; then echo open; else echo closed; fi; echo to stderr >&2"]
for fd, name in ((0, "<&-"), (1, ">&-"), (2, "2>&-")):
    run = bl.Run("--", *PROBE, preexec=lambda fd=fd: os.close(fd)).finish()
    bare = bl.Run(argv=PROBE, preexec=lambda fd=fd: os.close(fd)).finish()
    bl.equal((run.status, run.out), (0, bare.out), f"run {name}: the command sees it")
    bl.sound(run.log, f"run {name}: the log is no standard descriptor")

# ---- where the store is --------------------------------------------------------------------

CONFIG = os.path.join(bl.temp("config"), "buildlog", "config.json")
os.makedirs(os.path.dirname(CONFIG))


def write_log(root):
    build_id = bl.fresh_id()
    path = bl.id_path(root, build_id)
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"kind": "meta", "buildId": build_id, "startedAt": "2026-01-02T03:04:05.678Z",
                   "version": "0", "v": 1, "cmd": ["x"], "cwd": "/", "host": "h", "pid": 1,
                   "tty": False, "order": "arrival", "redact": "on", "forward": "redacted",
                   "lock": True}, file, separators=(",", ":"))
        file.write("\n")
    return build_id


ROOTS = {name: bl.temp(name) for name in ("option", "variable", "config", "logs")}
IDS = {name: write_log(root) for name, root in ROOTS.items()}


def listed(*words, config, **env):
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write(config)
    done = buildlog("ls", "--json", *words,
                    env={"XDG_CONFIG_HOME": os.path.dirname(os.path.dirname(CONFIG)), **env})
    return [name for name, build_id in IDS.items() if build_id.encode() in done.stdout], done


def found(name, words, want, config="{}", **env):
    got, done = listed(*words, config=config, **env)
    bl.ok(got == [want] and done.returncode == 0, name, done)


DIR = '/* where */ {"dir": "%s"} // logs' % ROOTS["config"]
OPTION = ["--dir", ROOTS["option"]]
found("--dir before all others", OPTION, "option", config=DIR, BUILDLOG_DIR=ROOTS["variable"])
found("then BUILDLOG_DIR", [], "variable", config=DIR, BUILDLOG_DIR=ROOTS["variable"],
      LOGS_DIRECTORY=ROOTS["logs"])
if not os.path.exists("/etc/buildlog/config.json"):
    found("then the configuration", [], "config", config=DIR, LOGS_DIRECTORY=ROOTS["logs"])
    found("an empty BUILDLOG_DIR is none", [], "config", config=DIR, BUILDLOG_DIR="")
    found("then LOGS_DIRECTORY", [], "logs", LOGS_DIRECTORY=ROOTS["logs"] + ":/nowhere")
    for config, said in (('{"dri": "/x"}', "unknown key 'dri', did you mean 'dir'?"),
                         ('{"dir": 1}', "'dir' must be an absolute path"),
                         ('{\n"dir": }', "line 2: not valid JSON")):
        _, done = listed(config=config)
        want = f"buildlog ls: cannot use configuration '{CONFIG}': {said}\n"
        bl.equal((done.returncode, done.stdout, done.stderr.decode()), (2, b"", want),
                 f"configuration: {said}")
    found("a broken configuration that is not needed", OPTION, "option", config="{")
else:
    bl.skip("the user's configuration", "this system has one of its own")
bl.done()
