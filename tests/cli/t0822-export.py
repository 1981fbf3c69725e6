#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog export: a recording that asciinema plays, a page that holds nothing but text and colours,
and the text; whatever the log holds."""
import html.parser
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
from handmade import Records, Store, Writer, ulid

T0 = 1767323045678  # 2026-01-02
NASTY = "</pre><script>alert(1)</script>&amp;\"' \x1b[2J\x1b]0;t\x07\x07\x00\u202e\x9b1m"
store = Store()


def export(*words, binary=bl.BIN, **env):
    return bl.bare(binary, "export", "--dir", store.root, *words, env=env)


def put(start=None, end=True):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start(**(start or {}))
    data += r.line("\x1b[1;31mred\x1b[0m é€😀")
    r.ms += 1250
    data += r.line("10%\r100%\x1b[K", "stderr") + r.gap(7, 7) + r.event("orphan", pid=1)
    r.ms += 1000
    data += r.line(NASTY) + r.line("prompt> ", partial=True)
    store.put(build, data + (r.end("failed", exitCode=3) if end else b""))
    return build


def cast(run):
    lines = run.out.decode().splitlines()
    return json.loads(lines[0]), [json.loads(line) for line in lines[1:]]


OUTPUT = ["\x1b[1;31mred\x1b[0m é€😀\x1b[0m\r\n", "10%\r100%\x1b[K\r\n",
          "… 7 lines missing (log_unwritable) …\r\n",
          "</pre><script>alert(1)</script>&amp;\"' ^[[2J^[]0;t^G^G^@<U+202E><U+009B>1m\r\n", "prompt> "]


@bl.section
def recordings():
    put({"name": "nightly", "cmd": ["make", "a b", "\x1b[2J"]})
    run = export()
    bl.equal((run.status, run.err), (0, b""), "exported")
    header, events = cast(run)
    bl.equal(header, {"version": 2, "width": 80, "height": 24, "timestamp": T0 // 1000,
                      "command": "make 'a b' '^[[2J'", "title": "nightly"}, "the header of version 2")
    bl.equal([event[1:] for event in events], [["o", text] for text in OUTPUT],
             "what comes out colours, and moves within its line; all else is made visible")
    bl.equal([event[0] for event in events], [0, 1.25, 1.25, 2.25, 2.25], "since the beginning")
    header, events = cast(export("-o", "asciicast-v3", "--size", "120x30"))
    bl.equal(header, {"version": 3, "term": {"cols": 120, "rows": 30}, "timestamp": T0 // 1000,
                      "command": "make 'a b' '^[[2J'", "title": "nightly"}, "the header of version 3")
    bl.equal([event[0] for event in events], [0, 1.25, 0, 1, 0, 1.5], "since the event before")
    bl.equal(events[-1][1:], ["x", "3"], "the exit status")
    put()
    bl.equal(cast(export())[0]["title"], "make -j2", "without a name the command is the title")


@bl.section
def played():
    if not shutil.which("asciinema"):
        bl.skip("asciinema plays it", "no asciinema")
        return
    put()
    path = bl.temp("cast")
    with open(path, "wb") as file:
        file.write(export().out)
    tty = bl.Pty(["asciinema", "cat", path], env={"TERM": "xterm"})
    bl.equal(tty.finish(), 0, "asciinema takes it")
    bl.ok("".join(OUTPUT).encode() in tty.screen.replace(b"\r\r\n", b"\r\n"), "and shows what was shown",
          tty.screen)


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.stack, self.unbalanced = [], "", [], False

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced = True

    def handle_data(self, data):
        self.text += data


def page_of(run):
    page = Page()
    page.feed(run.out.decode())
    page.close()
    return page


@bl.section
def pages():
    put({"name": NASTY, "cmd": [NASTY]})
    run = export("-o", "html")
    page = page_of(run)
    bl.ok(run.status == 0 and not page.unbalanced and not page.stack, "a page whose tags are in order")
    bl.ok({tag for tag, _ in page.tags} <= {"html", "head", "meta", "title", "style", "body", "h1", "p",
                                            "code", "pre", "span"}, "nothing but text", page.tags)
    bl.ok(not any(key.startswith("on") or key in ("src", "href") for _, attrs in page.tags
                  for key in attrs), "no attribute that acts")
    lines = [attrs for tag, attrs in page.tags if tag == "span" and "id" in attrs]
    bl.equal([line["id"] for line in lines], ["L1", "L2", "L9", "L11", "L12"], "lines by their numbers")
    bl.equal([line["title"] for line in lines], ["+0.000s", "+1.250s", "+1.250s", "+2.250s", "+2.250s"],
             "and times")
    bl.equal([line["class"] for line in lines], ["l", "e", "g", "l", "l"], "stderr and gaps are marked")
    bl.ok('<span class="c bo f1" style="">red</span> é€😀' in run.out.decode(), "colours")
    bl.ok(NASTY[:37] in page.text and not set(page.text) & set("\x1b\x07\x00\r\u202e\x9b"),
          "hostile text is text", page.text)
    bl.ok("^M100%\n" in page.text and "7 lines missing" in page.text, "frames, gaps")


@bl.section
def colours():
    build = ulid(T0)
    r = Records(build, T0)
    cases = [("38;5;9", "c f9", ""), ("48;5;16", "c", "background:#000000;"),
             ("38;5;255", "c", "color:#eeeeee;"), ("38;2;1;2;3", "c", "color:#010203;"),
             ("38:2::1:2:3", "c", "color:#010203;"), ("38:2:1:2:3;1", "c bo", "color:#010203;"),
             ("48:5:231", "c", "background:#ffffff;"), ("7", "c re", ""), ("7;31", "c b1", ""),
             ("4:3", "c un", ""), ("1;2;3;4;9", "c bo fa it un st", ""), ("95;104", "c f13 b12", ""),
             ("38", None, ""), ("38;5", None, ""), ("38;2;1", None, ""), ("1;22", None, ""),
             ("4:0", None, ""), ("31;39;41;49;3;23;4;24;7;27;9;29", None, ""), ("1;0", None, ""),
             (";".join(["1"] * 50), "c bo", ""), ("999999999999", None, "")]
    data = r.start()
    for code, _, _ in cases:
        data += r.line(f"\x1b[{code}mx\x1b[m")
    store.put(build, data + r.end())
    out = export("-o", "html").out.decode()
    got = re.findall(r'id="L\d+"[^>]*>(?:<span class="([^"]*)" style="([^"]*)">x</span>|x)\n', out)
    bl.equal([(name or None, style) for name, style in got], [case[1:] for case in cases], "SGR")


@bl.section
def text():
    put()
    run = export("-o", "text")
    bl.equal(run.out.decode(), "red é€😀\n^M100%\n… 7 lines missing (log_unwritable) …\n" +
             OUTPUT[3].replace("\r\n", "\n") + "prompt> ", "the text, without colours")
    bl.equal(run.err, b"", "and no more")


@bl.section
def unfinished():
    put(end=False)
    for words in ([], ["-o", "asciicast-v3"], ["-o", "html"], ["-o", "text"]):
        run = export(*words)
        bl.ok(run.status == 0 and b": lost" in run.err and b'"x"' not in run.out,
              f"{words}: a lost build is said to be lost", run.err)
    build = ulid(T0)
    writer = Writer(store, build)
    writer.write(b'{"torn')
    run = export("-o", "asciicast-v3")
    bl.ok(run.status == 0 and b": running" in run.err and len(cast(run)[1]) == 5, "one that runs", run.err)
    writer.close()
    with open(store.path(build), "ab") as file:
        file.write(b'\n\xff\xff\n{"kind":"line","ts":1,"seq":99,"src":"stdout","msg":[]}\n')
    run = export()
    bl.ok(run.status == 0 and b"damaged" in run.err, "a damaged one", run.err)
    for words in ([], ["-o", "html"], ["-o", "text"]):
        run = bl.Run(argv=["sh", "-c", '"$@" >/dev/full', "sh", bl.BIN, "export", "--dir", store.root,
                           *words]).finish()
        bl.ok(run.status == 2 and b"cannot write to 'stdout': No space left" in run.err,
              f"{words}: a full disk", run.err)


@bl.section
def refused():
    put()
    for word in ("80", "x", "0x24", "80x0", "80x", "x24", "80x24x", "-1x2", "99999x1", "80X24"):
        run = export("--size", word)
        bl.ok(run.status == 2 and run.out == b"" and b"--size" in run.err, f"--size {word} is refused",
              run.err)
    bl.equal(export("-o", "gif").status, 2, "no such format")
    bl.equal(export(ulid(T0 + 1)).status, 2, "no such build")


@bl.section
def hostile():
    """No record, however mangled, gets anything into a recording or a page that acts."""
    build = put()
    with open(store.path(build), "rb") as file:
        whole = file.read()
    seed, bad = 1, []
    for turn in range(150):
        data = bytearray(whole)
        for _ in range(turn % 7 + 1):
            seed = (seed * 6364136223846793005 + 1442695040888963407) % 2 ** 64
            data[(seed >> 33) % len(data)] = b"\x1b\x9b\x00\"\\<>&{}\n\r7u"[(seed >> 20) % 14]
        store.put(build, bytes(data))
        run = export("-o", "asciicast-v3")
        try:
            _, events = cast(run)
            if any(re.search("\x1b(?!\\[[\\d;:]*[mGCDK])|[\x00-\x07\x0e-\x1a\x7f-\x9f]", event[2])
                   for event in events):
                bad.append(("cast", bytes(data)))
        except ValueError as error:
            bad.append((str(error), run.out[:300]))
        page = page_of(export("-o", "html"))
        if page.unbalanced or page.stack or any(tag == "script" for tag, _ in page.tags):
            bad.append(("page", bytes(data)))
    bl.ok(not bad, "150 mangled logs", *bad[:3])


@bl.section
def faults():
    put()
    want = export().out
    orders = [f"{call}:{n}:{way}" for call in ("pread", "openat", "fstat", "lock", "close", "write",
              "clock_gettime", "fcntl") for n in (1, 2, 3, 5) for way in ("EIO", "EINTR", "EIO:persist")]
    bad = []
    for order in orders:
        run = export(binary=bl.FAULT_BIN, BUILDLOG_FAULT=order)
        if run.status not in (0, 2) or (run.status == 0 and run.out != want) or \
                (run.status == 2 and not run.err.startswith(b"buildlog") and "write" not in order):
            bad.append((order, run.status, run.out, run.err))
    bl.ok(not bad, f"{len(orders)} faults: all of it, or why not", *bad[:5])


store.__exit__()
bl.done()
