#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stopped or slow reader stops the command as a plain pipe would; memory stays bounded, TERM
and --timeout still work, and once stopping the log gets everything though nobody reads."""
import os
import signal
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

EMIT, SIGNALS = bl.helper("emit"), bl.helper("signals")
FLOOD_LINES = 400_000
FLOOD = ["--", EMIT, "lines", FLOOD_LINES, "80"]
MAX_KB = 16 << 10
STILL = 0.4  # seconds without a change: blocked


def blocked(run):
    """Waits until the command has stopped making progress because nobody reads."""
    child = bl.wait_for(lambda: bl.proc_children(run.pid), "the command")[0]
    state = {"ticks": None, "since": time.monotonic()}

    def still():
        sizes = tuple(os.path.getsize(path) for path in run.paths)
        now = (sizes, bl.proc_ticks(child))
        # Who has not been given the processor, or stands still, is not blocked.
        asleep = [bl.proc_state(pid) for pid in (run.pid, child)] == ["S", "S"]
        if now != state["ticks"] or not asleep:
            state.update(ticks=now, since=time.monotonic())
        return sizes and sizes[0] > 0 and time.monotonic() - state["since"] > STILL
    bl.wait_for(still, "the command blocks", 30)
    return child


@bl.section
def back_pressure():
    run = bl.start(*FLOOD)
    child = blocked(run)
    bl.ok(not bl.proc_gone(child), "a reader that does not read stops the command")
    written = os.path.getsize(run.path)
    bl.ok(written < 10 << 20, f"it could write little: {written} bytes of log")
    before = bl.proc_ticks(run.pid)
    until = time.monotonic() + 1
    bl.wait_for(lambda: time.monotonic() > until, "a second")
    used = bl.proc_ticks(run.pid) - before
    bl.ok(used <= 10, f"buildlog waits without spinning ({used} ticks in a second)")
    if not bl.SANITIZED:
        bl.ok(bl.proc_peak_kb(run.pid) <= MAX_KB, f"memory is bounded: "
              f"{bl.proc_peak_kb(run.pid)} kB")
    total = 0
    while data := os.read(run.process.stdout.fileno(), 1 << 20):
        total += len(data)
    run.finish()
    bl.equal((total, run.status), (FLOOD_LINES * 80, 0), "read again, everything arrives")
    log = bl.read_log(run.path)
    bl.equal((log.errors, log.end["lines"], log.end["complete"]), ([], FLOOD_LINES, True),
             "and everything is logged")


@bl.section
def slow_reader():
    run = bl.start("--", EMIT, "lines", "30000", "80")
    out = bytearray()
    while data := os.read(run.process.stdout.fileno(), 100):
        out += data
    run.finish()
    bl.equal((len(out), run.status), (2_400_000, 0), "a reader by 100 bytes gets everything")
    log = bl.sound(run, "slow reader: the log is sound")
    bl.ok(log.bytes_of("stdout") == bytes(out), "slow reader: in order")


@bl.section
def term_while_blocked():
    run = bl.start("--grace", "3s", *FLOOD)
    child = blocked(run)
    run.send(signal.SIGTERM)
    bl.wait_for(lambda: bl.proc_gone(child), "TERM reaches the command while blocked")
    bl.wait_process(run.process)
    bl.equal(run.process.returncode, -signal.SIGTERM, "TERM while nobody reads ends the build")
    log = bl.sound(run, "TERM while blocked: the log is sound, with its end")
    bl.equal(log.end["status"], "interrupted", "TERM while blocked: interrupted")
    run.finish()
    seen = run.out[:run.out.rfind(b"\n") + 1]
    bl.ok(log.bytes_of("stdout").startswith(seen), "what the reader finds later is logged")


@bl.section
def last_words_while_blocked():
    """The reader is gone to sleep; the last words reach the log all the same."""
    script = f"trap 'echo last words; exit 4' TERM; \"{EMIT}\" lines {FLOOD_LINES} 80; echo unheard"
    run = bl.start("--grace", "3s", "--", "sh", "-c", script)
    blocked(run)
    run.send(signal.SIGTERM)
    bl.wait_process(run.process)
    log = bl.sound(run, "last words while blocked: the log is sound")
    bl.equal(log.msgs()[-1], "last words", "reading goes on when stopping")
    bl.equal(run.process.returncode, 4, "with the command's own status")
    run.finish()


@bl.section
def timeout_while_blocked():
    run = bl.start("--timeout", "1s", "--grace", "300ms", *FLOOD)
    bl.wait_process(run.process)
    bl.equal(run.process.returncode, 124, "--timeout while nobody reads: 124")
    bl.sound(run, "--timeout while blocked: the log is sound")
    run.finish()


@bl.section
def blocked_and_ignoring():
    script = f"trap '' TERM; \"{EMIT}\" lines {FLOOD_LINES} 80"
    run = bl.start("--timeout", "700ms", "--grace", "300ms", "--", "sh", "-c", script)
    bl.wait_process(run.process)
    bl.equal(run.process.returncode, 124, "blocked and ignoring TERM: killed, 124")
    run.finish()
    bl.sound(run, "blocked and ignoring TERM: the log is sound")


@bl.section
def one_stream_blocked():
    """Nobody reads stderr; stdout is read. What fits goes on, nothing is lost."""
    run = bl.start("--", "sh", "-c", f'"{EMIT}" lines 20000 80 >&2 & "{EMIT}" lines 20000 80; '
                   "wait")
    out = 0
    while out < 20_000 * 80:
        out += len(os.read(run.process.stdout.fileno(), 1 << 16))
    bl.ok(True, "stdout flows while stderr is blocked")
    run.finish()
    bl.equal((len(run.err), run.status), (1_600_000, 0), "and stderr arrives when it is read")
    bl.sound(run, "one stream blocked: the log is sound")


@bl.section
def stopped_terminal():
    """Ctrl-S: XOFF stops, Ctrl-Q resumes."""
    tty = bl.Pty([bl.BIN, "run", "--", EMIT, "lines", "3000", "80"])
    tty.send(b"\x13")
    tty.send(b"\x11")
    tty.expect(b"0000002999 ")
    bl.equal(tty.finish(), 0, "Ctrl-S and Ctrl-Q at a terminal")
    bl.equal(tty.screen.count(b"\r\n"), 3000, "every line on the screen")


@bl.section
def terminal_nobody_reads():
    """A terminal whose other side has stopped reading: TERM works there too."""
    tty = bl.Pty([bl.BIN, "run", "--grace", "3s", *FLOOD])
    blocked(tty)
    os.kill(tty.pid, signal.SIGTERM)
    bl.wait_process(tty.process)
    bl.equal(tty.process.returncode, -signal.SIGTERM, "a stopped terminal: TERM ends the build")
    bl.sound(tty, "a stopped terminal: the log is sound")


bl.done()
