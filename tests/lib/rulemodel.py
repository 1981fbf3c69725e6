# SPDX-License-Identifier: MIT
"""A second reading of src/redact/rules.tab: a parser and a plain matcher of whole texts, slow
and without a stream, a window or tables. Tests hold the redactor against it, and make random
tokens of a rule's own pattern.

    rules = load()                    # every row, in order
    Model(rules, {"1", "2"}).redact(data) -> (bytes, [(start, end, name)])
    sample(rule, rng)                 -> (before, secret, after): a text that the row finds
"""
import math
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = os.path.join(ROOT, "src", "redact", "rules.tab")
UNBOUNDED = 65535
SPACE = frozenset((9, 10, 11, 12, 13, 32))
CONTROL = frozenset((*range(32), 127))
ALL = frozenset(range(256))
WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
DASHED = WORD | {ord("-")}
CSI = re.compile(rb"\x1b\[[\x20-\x3f]*[\x40-\x7e]")
WRITTEN_CSI = re.compile(rb"(?:(?:\x1b|\\x1[bB]|\\u001[bB]|\\u\{1[bB]\}|\\033|\\[eE]|\^\[|#x1B|#x1[bB];|#27;|"
                         rb"\xe2\x90\x9b)\[[\x20-\x3f]*[\x40-\x7e]|\[[\x20-\x3f]*[0-9][mK])$")
WRITTEN_ESCAPE = re.compile(rb"(?:\\[nrtbfv0aeE]|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[0-7]{3}|\^[@-_]|"
                            rb"\\U[0-9a-fA-F]{8}|%(?:25)*[0-9a-fA-F]{2}|=3D|\x1b[0-Z\\-~])$")
OPTION = re.compile(rb"(?<![^ \t\n\r\"'`(\[,=])-[A-Za-z]\Z")
MARK = re.compile(rb"\[REDACTED(?::[A-Za-z0-9_.-]{1,64})?\]")


class Item:
    """One piece: how many bytes of which kind."""

    def __init__(self, members, low, high):
        self.members, self.low, self.high = frozenset(members), low, high
        self.evidence = self.commit = self.exact = False
        body = b"".join(b"\\x%02x" % b for b in sorted(self.members)) or b"^\\x00-\\xff"
        count = b"{0,}" if high == UNBOUNDED else b"{0,%d}" % high
        self.run = re.compile(b"[" + body + b"]" + count)

    def take(self, data, at):
        """Where the piece ends, or -1."""
        end = self.run.match(data, at).end()
        if end - at < self.low or (self.exact and end < len(data) and data[end] in self.members):
            return -1
        return end

    def take_left(self, data, at):
        """The same leftwards; the piece ends at `at`."""
        start = at
        while start > 0 and at - start < self.high and data[start - 1] in self.members:
            start -= 1
        return start if at - start >= self.low else -1


def fold(members):
    return {m for b in members for m in (b, *bytes([b]).swapcase())}


def byte_at(text, at):
    if text[at] != "\\":
        return ord(text[at]), at + 1
    if text[at + 1] == "x":
        return int(text[at + 2:at + 4], 16), at + 4
    return ord(text[at + 1]), at + 2


def class_at(text, at):
    at += 1
    negated = text[at] == "^"
    at += negated
    members = set()
    while text[at] != "]":
        if text[at:at + 2] in ("\\s", "\\C"):
            members |= SPACE if text[at + 1] == "s" else CONTROL
            at += 2
            continue
        low, at = byte_at(text, at)
        high = low
        if text[at] == "-" and text[at + 1] != "]":
            high, at = byte_at(text, at + 1)
        if high < low:
            raise ValueError("range runs backwards in " + text)
        members |= set(range(low, high + 1))
    return ALL - members if negated else members, at + 1


def count_at(text, at):
    if text[at:at + 1] == "*":
        return 0, UNBOUNDED, at + 1
    if text[at:at + 1] != "{":
        return 1, 1, at
    end = text.index("}", at)
    low, comma, high = text[at + 1:end].partition(",")
    return int(low), (int(high) if high else UNBOUNDED) if comma else int(low), end + 1


def parse_anchor(text, ignore_case):
    sets, at = [], 0
    while at < len(text):
        if text[at] == "[":
            members, at = class_at(text, at)
        else:
            byte, at = byte_at(text, at)
            members = {byte}
        sets.append(fold(members) if ignore_case else members)
    return sets


class Rule:
    def __init__(self, line):
        row, _, about = line.partition(" -- ")
        columns = row.split()
        if len(columns) != 6:
            raise ValueError("not a row: " + line)
        self.line, self.about = line, about.strip()
        self.name, self.group, self.flags, guard, self.anchor, self.pattern = columns
        if self.flags.strip("iwslpbmn") not in ("", "-"):
            raise ValueError("unknown flag: " + line)
        self.mix = self.digits = self.run = 0
        self.has, self.near, self.word, self.check = "", None, None, None
        for part in () if guard == "-" else guard.split(","):
            self.parse_guard(*part.split("=", 1))
        self.left, self.items = [], []
        self.open = self.close = None  # item numbers, -1 for the anchor; open may be in left
        self.chains = self.open_left = False
        self.plain = None
        self.sets = [] if self.anchor == "@" else parse_anchor(self.anchor, "i" in self.flags)
        # What no pattern says is the business of pem.c, block.c and mask.c.
        self.is_plain = self.pattern != "-"
        if self.is_plain:
            self.parse(self.pattern)
            if not self.chains and (self.open is None or self.close is None):
                raise ValueError("no secret: " + line)
            evidence = any(i.evidence for i in self.items + self.left)
            if evidence != bool(self.mix or self.digits or self.run):
                raise ValueError("~ and evidence go together: " + line)
        if self.is_plain and self.sets:
            self.search = re.compile(b"(?=" + b"".join(
                b"[" + b"".join(b"\\x%02x" % b for b in sorted(s)) + b"]" if len(s) > 1 else
                re.escape(bytes(s)) for s in self.sets) + b")")
            # Most anchors are plain text, which bytes.find() is quicker at.
            folded = [{chr(b).lower() for b in s} if "i" in self.flags else {chr(b) for b in s}
                      for s in self.sets]
            self.plain = "".join(map("".join, folded)).encode("latin-1") \
                if all(len(s) == 1 for s in folded) else None

    def parse_guard(self, key, value):
        if key in ("mix", "digits", "run"):
            setattr(self, key, int(value))
        elif key == "has" and not value.strip("DULX"):
            self.has = value
        elif key == "near":
            text, _, far = value.rpartition("/")
            self.near = bytes(min(s) for s in parse_anchor(text, False)).lower(), int(far)
            if self.near[1] > 400:
                raise ValueError("too far: " + self.line)
        elif key == "word":
            self.word = value.encode().lower()
        elif key == "check" and value in ("luhn", "iban", "entropy"):
            self.check = value
        else:
            raise ValueError("unknown guard: " + self.line)

    def parse(self, text):
        at, ignore_case, anchor_seen = 0, "i" in self.flags, False
        while at < len(text):
            char = text[at]
            if char == "(":
                self.open = len(self.items)
                at += 1
            elif char == ")":
                self.close = len(self.items) - 1
                at += 1
            elif char == "&":
                # What came so far stands before the anchor.
                anchor_seen = True
                self.left, self.items = self.items, []
                if self.open is not None:
                    self.open_left = True
                at += 1
            elif char == "@" and at == len(text) - 1:
                self.chains = True
                at += 1
            elif char == "~":
                self.items[-1].evidence = True
                at += 1
            elif char == "!":
                self.items[-1].commit = True
                at += 1
            elif char == "$":
                self.items[-1].exact = True
                at += 1
            else:
                at = self.parse_item(text, at, ignore_case)
        if anchor_seen and self.close is None:
            raise ValueError("secret does not end: " + self.line)

    def parse_item(self, text, at, ignore_case):
        if text[at:at + 2] == "\\G":
            self.items.append(Item(b" \t", 0, 64))
            return at + 2
        if text[at:at + 2] == "\\Q":
            self.items.append(Item(b"\"'\\[(`", 0, 8))
            return at + 2
        if text[at] == "[":
            members, at = class_at(text, at)
        else:
            byte, at = byte_at(text, at)
            members = fold({byte}) if ignore_case else {byte}
        low, high, at = count_at(text, at)
        self.items.append(Item(members, low, high))
        return at


def load(path=TABLE):
    with open(path, encoding="utf-8") as table:
        return [Rule(line.rstrip("\n")) for line in table
                if line.strip() and not line.startswith("#")]


# ---- guards ------------------------------------------------------------------------------

def kind(byte):
    if 97 <= byte <= 122:
        return "L"
    if 65 <= byte <= 90:
        return "U"
    return "D" if 48 <= byte <= 57 else ""


def evidence(data):
    """(mix, digits, run) as the table's head explains them."""
    mix = digits = run = longest = 0
    last = ""
    for byte in data:
        now = kind(byte)
        if now and last and now != last and last + now != "UL":
            mix += 1
        digits += now == "D"
        run = run + 1 if now else 0
        longest = max(longest, run)
        last = now
    return mix, digits, longest


def has_kinds(data, kinds):
    seen = {kind(b) for b in data} | {"X" for b in data if chr(b).lower() in "ghijklmnopqrstuvwxyz"}
    return all(k in seen for k in kinds)


def entropy(data):
    return -sum(data.count(b) / len(data) * math.log2(data.count(b) / len(data))
                for b in set(data)) if data else 0.0


def luhn(data):
    digits = [b - 48 for b in data if 48 <= b <= 57]
    total = sum(d if i % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2)
                for i, d in enumerate(reversed(digits)))
    return 13 <= len(digits) <= 19 and total % 10 == 0


def iban(data):
    text = data.replace(b" ", b"").decode("latin-1")
    if not 15 <= len(text) <= 34 or not text.isalnum() or not text.isascii():
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


STOP_WORDS = re.compile(rb"example|sample|change_?me|placeholder|your|xxxx|dummy|fake|redacted|"
                        rb"password|secret|localhost|undefined|disabled|enabled|required|optional|"
                        rb"default|none|null|true|false|test|000000|123456|abcdef|token|config|"
                        rb"provider|function|string|value|getenv|environ|process|request|response|"
                        rb"service|manager|module|package", re.I)


def looks_random(data):
    """What check=entropy asks (src/redact/check.c)."""
    if not re.search(rb"[0-9]", data) or not re.search(rb"[A-Za-z]", data):
        return False
    floor = 3 if re.fullmatch(rb"[0-9A-Fa-f-]+", data) or len(data) < 24 else 3.5
    return len(data) <= 256 and not STOP_WORDS.search(data) and entropy(data) >= floor


def check(rule, secret):
    return {"luhn": luhn, "iban": iban, "entropy": looks_random}.get(rule.check, bool)(secret)


# ---- matching ----------------------------------------------------------------------------

class Model:
    def __init__(self, rules, groups):
        self.anchors, self.inner = [], {}
        last = [] # the rows of one anchor that go on with the inner ones
        for rule in rules:
            if not rule.is_plain or (rule.group not in groups and rule.anchor != "@"):
                continue
            if rule.anchor == "@":
                for outer in last:
                    self.inner.setdefault(id(outer), []).append(rule)
                continue
            if not self.anchors or (self.anchors[-1][0].anchor, self.anchors[-1][0].flags) != \
                    (rule.anchor, rule.flags):
                self.anchors.append([])
            self.anchors[-1].append(rule)
            if rule.chains:
                last = [*(r for r in last if r.anchor == rule.anchor), rule]
        self.order = {id(r): i for i, r in enumerate(rules)}

    def redact(self, data):
        """The clean bytes and the secrets: (start, end, name), merged, in data's offsets."""
        self.load(data)
        self.touched = set()
        while True:
            merged = self.merged()
            # A token may also begin where a secret ends or within one.
            touched = {at for start, end, _ in merged for at in range(start + 1, end + 1)}
            if touched == self.touched:
                break
            self.touched = touched
        out, at, spans = [], 0, []
        for start, end, rule in merged:
            first, last = self.places[start], self.places[end - 1] + 1
            out += [data[at:first], b"[REDACTED:%s]" % rule.name.encode() if rule.open_left
                    else b"[REDACTED]"]
            at = last
            spans.append((first, last, rule.name))
        return b"".join(out) + data[at:], spans

    def merged(self):
        """The secrets, those that overlap made one: [start, end, rule of the first]."""
        found = self.moved([match for rows in self.anchors for match in self.anchor(rows)])
        found.sort(key=lambda m: (m[0], m[2]))
        merged = []
        for start, end, _, rule, _, _ in found:
            if merged and start < merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end, rule])
        return merged

    def load(self, data):
        self.whole, self.places, plain, at = data, [], [], 0
        for csi in CSI.finditer(data):
            plain.append(data[at:csi.start()])
            self.places.extend(range(at, csi.start()))
            at = csi.end()
        plain.append(data[at:])
        self.places.extend(range(at, len(data)))
        self.data = b"".join(plain)
        self.lower = self.data.lower()

    def moved(self, found):
        """A secret begins behind the longest anchor that begins where its own does."""
        longest = {}
        for match in found:
            if not match[3].open_left and match[0] == match[5]:
                longest[match[4]] = max(longest.get(match[4], 0), match[5])
        return [(max(m[0], longest.get(m[4], 0)) if m[0] == m[5] and not m[3].open_left
                 else m[0], *m[1:]) for m in found]

    def places_of(self, rule):
        if rule.plain:
            data = self.lower if "i" in rule.flags else self.data
            at = data.find(rule.plain)
            while at >= 0:
                yield at
                at = data.find(rule.plain, at + 1)
        else:
            for hit in rule.search.finditer(self.data):
                yield hit.start()

    def anchor(self, rows):
        for at in self.places_of(rows[0]):
            end = at + len(rows[0].sets)
            if "s" in rows[0].flags and not self.is_scheme(at):
                continue
            if "w" in rows[0].flags and not any(r.left for r in rows) and not self.is_boundary(at):
                continue
            for rule in rows:
                if self.guarded(rule, at, end):
                    yield from self.match(rule, at, end)

    def is_boundary(self, at):
        if at == 0 or self.data[at - 1] not in WORD or at in self.touched:
            return True
        place = self.places[at]
        if place > self.places[at - 1] + 1:
            return True
        before = self.whole[max(0, place - 40):place]
        return bool(WRITTEN_ESCAPE.search(before) or WRITTEN_CSI.search(before) or
                    OPTION.search(before))

    def behind_escape(self, item, first, stop):
        """Where the bytes [first, stop) of an item begin if an escape written out reaches into them."""
        for at in range(first, min(stop - item.low, first + 10) + 1):
            found = WRITTEN_ESCAPE.search(self.whole[max(0, self.places[at] - 20):self.places[at]])
            if found and (found[0][0] not in b"%=" or ord("%") not in item.members):
                return at
        return first

    def is_scheme(self, at):
        return re.search(rb"[A-Za-z][A-Za-z0-9+.-]{1,20}\Z", self.data[max(0, at - 21):at])

    def guarded(self, rule, at, end):
        if rule.near:
            text, far = rule.near
            line = self.lower[max(0, at - far):at]
            if text not in line[line.rfind(b"\n") + 1:]:
                return False
        if rule.word:
            while end > 0 and self.data[end - 1] not in DASHED:
                end -= 1 # what the anchor has behind the word does not count
            start = end
            while start > 0 and self.data[start - 1] in DASHED:
                start -= 1
            word = self.lower[start:end]
            return word.startswith(rule.word) or word.lstrip(b"-").startswith(rule.word)
        return True

    def match(self, rule, at, end):
        start = first = at
        secret_start = None
        for number in range(len(rule.left) - 1, -1, -1):
            stop = first
            first = rule.left[number].take_left(self.data, first)
            if first < 0:
                return
            if number == 0 and stop - first > rule.left[number].low:
                first = self.behind_escape(rule.left[number], first, stop)
            if rule.open_left and rule.open == number:
                secret_start = first
        if rule.open_left and rule.open == len(rule.left):
            secret_start = at
        if rule.left and "w" in rule.flags and not self.is_boundary(first):
            return
        yield from self.walk(rule, rule, start, end, end, secret_start)

    def walk(self, rule, first, anchor, anchor_end, pos, secret_start):
        secret_end = None
        strong = not any(i.evidence for i in rule.items)
        for number, item in enumerate(rule.items):
            if rule.open == number and not rule.open_left:
                secret_start = pos
            end = item.take(self.data, pos)
            if end < 0:
                return
            if item.evidence:
                mix, digits, run = evidence(self.data[pos:end])
                strong = (rule.mix and mix >= rule.mix) or \
                    (rule.digits and digits >= rule.digits) or (rule.run and run >= rule.run)
            pos = end
            if rule.close == number:
                secret_end = pos
        if rule.chains:
            yield from self.chain(first, anchor, anchor_end, pos)
            return
        if rule.close == -1:
            secret_end = anchor_end
        secret = self.data[secret_start:secret_end]
        behind = self.data[max(secret_start, anchor_end):secret_end]
        if strong and secret and has_kinds(behind, rule.has) and check(rule, secret) and \
                not MARK.fullmatch(secret):
            yield (secret_start, secret_end, self.order[id(rule)], rule, anchor, anchor_end)

    def chain(self, first, anchor, anchor_end, pos):
        rows = self.inner[id(first)]
        committed = [r for r in rows if self.commits(r, pos)]
        for rule in committed or rows:
            yield from self.walk(rule, first, anchor, anchor_end, pos, None)

    def commits(self, rule, pos):
        for item in rule.items:
            end = item.take(self.data, pos)
            if end < 0:
                return False
            if item.commit:
                return end > pos
            pos = end
        return False


# ---- random tokens -----------------------------------------------------------------------

def draw(item, rng, more):
    """A run that the piece takes; printable, for it is to stand in any context."""
    count = item.low + (rng.randint(0, min(more, item.high - item.low)) if not item.exact else 0)
    members = sorted(b for b in item.members if 33 <= b < 127) or sorted(item.members)
    return bytes(rng.choice(members) for _ in range(count))


def sample(rule, rng, chained=None):
    """What stands before the secret, the secret, what stands after it: shaped like the row,
    whose guards may still refuse it."""
    parts = [draw(i, rng, 0) for i in rule.left]
    parts.append(bytes(rng.choice(sorted(s)) for s in rule.sets))
    first = len(parts)
    parts += [draw(i, rng, 2) for i in rule.items]
    context = b""
    if rule.near:
        context = rule.near[0] + b" "
    if rule.word:
        context = rule.word + b"-"
    if "s" in rule.flags:
        context = b"https"
    if rule.chains:
        before, secret, after = sample(chained, rng)
        return context + b"".join(parts) + before, secret, after
    start = rule.open if rule.open_left else first + rule.open
    end = first + rule.close + 1
    return context + b"".join(parts[:start]), b"".join(parts[start:end]), b"".join(parts[end:])
