#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What could begin a secret is held at the terminal for at most 100 ms after the last byte, seven
bytes of it at most are shown before it is settled; up to there every key is echoed as it is typed,
and nothing is lost or out of order."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

# A prompt whose end could go on as a secret: digits, the beginnings of tokens, of a known value.
VALUE = "Tr0ub4dor" + "-and-3-friends"
PROMPTS = ["code 1", "code 12", "sk", "token sk-", "gh", "ghp_", "h", "AKIA",
           "eyJ", "abc Tr0u", "Bearer ", "user:", "https://", "-----BEGIN "]
READ = ("import os, sys\n"
        "os.write(1, sys.argv[1].encode())\nline = os.read(0, 100)\n"
        "os.write(1, b'got ' + line)\n")


def played(argv, prompt, keys, seen=1000):
    """One key after the other, each of the first ones once the echo of the one before is there."""
    tty = bl.Pty([*argv, sys.executable, "-c", READ, prompt], env={"MY_TOKEN": VALUE})
    tty.expect(bl.rx(bl.re.escape(prompt[:7].encode())))
    for n, key in enumerate(keys):
        tty.send(bytes([key]))
        if n < seen:
            tty.expect(bytes([key]) if key != 10 else b"\r\n")
    tty.finish()
    return tty


@bl.section
def typed_at_held_prompts():
    for prompt in PROMPTS:
        bare = played(["env"], prompt, b"z y\n")
        tty = played([bl.BIN, "run", "--"], prompt, b"z y\n")
        bl.equal(tty.screen, bare.screen, f"{prompt!r}: prompt, echo and answer are the bare ones")
        bl.sound(tty, f"{prompt!r}: the log is sound")


@bl.section
def digits_typed():
    """Keys that could themselves go on: what is behind the seventh waits for what settles it."""
    for prompt, keys, seen in (("PIN: ", b"123456789012\n", 7), ("PIN: ", b"sk-12\n", 9),
                               ("PIN: ", b"hhhh\n", 9), ("PIN: ", b"12345678 9\n", 7),
                               ("enter 1234567", b"89x y\n", 0)):
        bare = played(["env"], prompt, keys, seen)
        tty = played([bl.BIN, "run", "--"], prompt, keys, seen)
        bl.equal(tty.screen, bare.screen, f"{prompt!r}, {keys}: echoed, in order")
        bl.equal(tty.log.msgs()[0], prompt + keys.decode().strip(), "and recorded")


@bl.section
def secret_typed():
    """A known value that is typed and echoed: at most seven bytes of it are to be seen."""
    tty = bl.Pty([bl.BIN, "run", "--", sys.executable, "-c", READ, "now: "],
                 env={"MY_TOKEN": VALUE})
    tty.expect(b"now: ")
    for key in VALUE.encode():
        tty.send(bytes([key]))
        if key == VALUE.encode()[0]:
            tty.expect(VALUE[:1].encode())
    tty.send(b"\n")
    tty.finish()
    log = bl.sound(tty, "a secret that is typed: the log is sound")
    bl.ok(VALUE.encode() not in tty.screen and VALUE[:8].encode() not in tty.screen,
          "its first seven bytes at most are shown", tty.screen)
    bl.ok(VALUE[:1] + "[REDACTED" not in log.msgs()[0] and "[REDACTED" in log.msgs()[0],
          "the log has the mark alone", log.msgs())


bl.done()
