#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The reader of logs that all other tests trust: it accepts a sound log and sees every single
departure from the contract, so that "the log is sound" means something elsewhere."""
import json
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

ID = "01KAHQ3N00ABCDEFGHJKMNPQRS"
DAY = bl.ulid_day(ID)
TS = bl.rfc3339_ms("2026-01-02T03:04:05.678Z")


def start(attempt=None):
    record = {"kind": "meta", "buildId": ID, "startedAt": "2026-01-02T03:04:05.678Z",
              "version": "0", "v": 1, "attempt": attempt, "cmd": ["x"], "cwd": "/", "host": "h",
              "pid": 1, "tty": False, "order": "arrival", "redact": "on",
              "forward": "redacted", "lock": True}
    return {key: value for key, value in record.items() if value is not None}


def line(seq, msg, **extra):
    return {"kind": "line", "ts": TS + seq, "seq": seq, "src": "stdout", "buildId": ID,
            "msg": msg, **extra}


def gap(first, last, lines, size):
    return {"kind": "gap", "ts": TS + last, "seq": last, "buildId": ID, "from": first,
            "lines": lines, "bytes": size, "reason": "r"}


def end(lines, size, last, complete=True):
    return {"kind": "meta", "buildId": ID, "endedAt": "2026-01-02T03:04:06.678Z",
            "status": "ok", "exitCode": 0, "durationMs": 1000, "lines": lines, "bytes": size,
            "lastSeq": last, "complete": complete, "hash": ""}


def encode(records, hashed=True):
    out, begin = b"", 0
    for record in records:
        if "startedAt" in record:
            begin = len(out)
        if "endedAt" in record and hashed and bl.HASH_CHECKED:
            record = {**record, "hash": bl.hash_of(out[begin:])}
        elif "endedAt" in record:
            record = {**record, "hash": "xxh3:" + "0" * 32}
        out += json.dumps(record, ensure_ascii=False).encode() + b"\n"
    return out


def read(data, name=ID, day=DAY):
    folder = os.path.join(bl.TMP, "builds", day)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name + ".log")
    with open(path, "wb") as file:
        file.write(data)
    return bl.read_log(path)


GOOD = [start(), line(1, "a"), line(2, "b\ufffd", bad=1, raw="Yv8="), gap(3, 9, 7, 70),
        line(10, "x" * 4, partial=True), end(10, 2 + 3 + 70 + 4, 10, False),
        start(attempt=2), end(0, 0, 10)]
log = read(encode(GOOD))
bl.equal(log.errors, [], "a sound log with two attempts, a gap, bad bytes")
bl.equal(log.bytes_of("stdout"), b"a\nb\xff\nxxxx", "the bytes of a stream come back")


def bad(name, records, **options):
    data = records if isinstance(records, bytes) else encode(records)
    bl.ok(read(data, **options).errors, name)


def swapped(index, **changes):
    records = list(GOOD)
    records[index] = {**records[index], **changes}
    return records


bad("a hole in seq", swapped(1, seq=2))
bad("a gap that does not begin at the next number", swapped(3, **{"from": 4}))
bad("ts goes back", swapped(4, ts=TS))
bad("a foreign buildId", swapped(1, buildId=bl.fresh_id()))
bad("lines miscounted", swapped(5, lines=11))
bad("bytes miscounted", swapped(5, bytes=80))
bad("lastSeq wrong", swapped(5, lastSeq=9))
bad("complete in spite of a gap", swapped(5, complete=True))
bad("status ok with exit 1", swapped(5, exitCode=1))
bad("shutdown without interrupted", swapped(5, shutdown=True))
bad("bad miscounted", swapped(2, bad=2))
bad("msg is not raw repaired", swapped(2, msg="b?"))
bad("a source that does not exist", swapped(1, src="stdin"))
bad("a null", swapped(1, level=None))
bad("an unknown key", swapped(1, extra=1))
bad("redacted, but no redactions", swapped(1, redacted=1))
bad("keys out of order", [start(), {**{"seq": 1}, **line(1, "a")}, end(1, 2, 1)])
bad("attempt 3 after 1", GOOD[:6] + [start(attempt=3), GOOD[7]])
bad("no end record", GOOD[:5])
bad("no start record", GOOD[1:])
bad("a record after the end", GOOD[:6] + [line(11, "z")])
bad("torn in the middle", encode(GOOD).replace(b'"msg": "a"}\n', b'"msg": "a'))
bad("torn at its end", encode(GOOD)[:-2])
bad("a raw control character", encode(GOOD).replace(b'"a"', b'"a\x01"'))
bad("invalid UTF-8", encode(GOOD).replace(b'"a"', b'"\xff"'))
bad("the wrong day", GOOD, day="2020-01-01")
if bl.HASH_CHECKED:
    bad("one byte changed", encode(GOOD).replace(b'"msg": "a"', b'"msg": "b"'))
else:
    bl.skip("one byte changed", "no libxxhash for Python")
bl.done()
