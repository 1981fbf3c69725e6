#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every row of rules.tab finds random tokens of its own shape in every context that logs have:
the secret is gone, and what comes out is to the byte what a second reading of the table
(tests/lib/rulemodel.py) makes of the text, in one piece or byte by byte."""
import os
import random
import re
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import rulemodel

PIPE = os.path.join(bl.BUILD, "tests", "redact", "pipe")
SEED = int(os.environ.get("BUILDLOG_TEST_SEED", "1"))
TRIES = 5000
CONTEXTS = {
    "alone": b"%s", "an environment": b"MY_VALUE=%s\nPATH=/bin\n", "YAML": b"  value: %s\n",
    "JSON": b'{"k": "%s", "n": 1}\n', "JSON in JSON": b'{"m":"{\\"k\\":\\"%s\\"}"}\n',
    "export": b'export FOO="%s"\n', "an option": b"tool --key %s --quiet\n",
    "an option with =": b"tool --key=%s\n", "a header": b"X-Thing: %s\r\n",
    "XML": b"<v>%s</v>\n", "a query": b"GET /a?k=%s\n", "a colour": b"a \x1b[31m%s\x1b[0m b\n",
    "a colour behind": b"a %s\x1b[0m\n", "a colour of 256": b" \x1b[38;5;208m%s\x1b[m",
    "a colour written out": b"a \\u001b[31m%s\\u001b[0m b", "lines written out": b"a\\n%s\\nb",
    "brackets": b"[%s]\n", "parentheses": b"(%s)\n", "commas": b"a,%s,b\n", "quotes": b"'%s'\n",
    "backticks": b"`%s`\n", "a log line": b"2024-05-01T10:00:00Z INFO got %s today\n",
    "a return": b"50%%\r100%%\r%s\r\n", "a per cent escape": b"a%%3D%s\n",
    "a semicolon": b"x;%s;\n"}


def unmarked(text):
    """Which of two rules that overlap gives the mark its name, and the longer of two public
    prefixes, are not what this is about."""
    return re.sub(rb"\[REDACTED:[^]]*\]", b"[REDACTED]", text)


def pipe(texts, *options):
    done = subprocess.run([PIPE, "-0", *options], input=b"".join(t + b"\0" for t in texts),
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.split(b"\0")[:-1]


RULES = rulemodel.load()
INNER = [r for r in RULES if r.anchor == "@"]


def token(rule, rng, inner=None):
    """A random token that the row's guards let through; most do at once."""
    alone = rulemodel.Model([rule] + ([inner] if inner else []), {rule.group})
    for _ in range(TRIES):
        before, secret, after = rulemodel.sample(rule, rng, inner)
        text = before + secret + after
        if b"\0" not in text and any(text[s:e].startswith(secret) or secret in text[s:e]
                                     for s, e, _ in alone.redact(text)[1]):
            return before, secret, after
    return None


def remains(secret, clean):
    """A piece of the secret is still to be seen. Very short ones may stand there anyway; the
    comparison with the model is theirs."""
    width = min(len(secret), 12)
    return width >= 4 and any(secret[i:i + width] in clean for i in range(0, len(secret) - width + 1, 4))


def coloured(before, secret, after, rng):
    cut = rng.randrange(1, len(secret))
    return before + secret[:cut] + b"\x1b[1m" + secret[cut:] + after


def cases(rule, rng):
    """(context, text, secret) for one row."""
    for inner in INNER if rule.chains else [None]:
        made = token(rule, rng, inner)
        if made is None:
            yield None, b"", b""
            continue
        whole = b"".join(made)
        for name, context in CONTEXTS.items():
            # A word that must begin in a certain way is looked at as it stands.
            if not (rule.word and any(w in name for w in ("colour", "written", "escape"))):
                yield name, context % whole, made[1]
        if len(made[1]) > 1:
            yield "a colour inside", coloured(*made, rng) + b"\n", made[1]


def check(title, groups, options):
    rng = random.Random(SEED)
    rows = [r for r in RULES if r.is_plain and r.group in groups and r.anchor != "@"]
    made = [(r, *case) for r in rows for case in cases(r, rng)]
    lame = [r.line for r, name, _, _ in made if name is None]
    bl.ok(not lame, f"{title}: every row finds tokens of its own shape", *lame[:5])
    made = [m for m in made if m[1] is not None]
    texts = [m[2] for m in made]
    model = rulemodel.Model(RULES, {"1", "2"} | groups)
    clean = pipe(texts, *options)
    left = [(m[0].name, m[1], m[2], out) for m, out in zip(made, clean) if remains(m[3], out)]
    bl.ok(not left, f"{title}: {len(texts)} texts, every secret is gone", *left[:5])
    other = [(m[0].name, m[1], m[2], out, want)
             for m, out in zip(made, clean)
             for want in [model.redact(m[2])[0]] if unmarked(out) != unmarked(want)]
    bl.ok(not other, f"{title}: and nothing else, as the model has it", *other[:5])
    for how in (("-s", "1"), ("-s", "40", "-r")):
        other = [(m[0].name, m[2], a, b) for m, a, b in zip(made, clean, pipe(texts, *options, *how))
                 if a != b]
        bl.ok(not other, f"{title}: the same in pieces ({' '.join(how)})", *other[:3])


check("tiers 1 and 2", {"1", "2"}, ())
check("tier 3", {"3"}, ("-g",))
for group in ("email", "phone", "card", "iban", "home"):
    check(group, {group}, ("-o", group))

# Tokens of every length from the least upwards end where their characters do.
rng = random.Random(SEED)
github = next(r for r in RULES if r.name == "github-pat")
for extra in (0, 1, 40, 219):
    body = bytes(rng.choice(b"abcXYZ0189") for _ in range(36 + extra))
    text = b"a " + github.anchor.encode() + body + b"-b"
    bl.equal(pipe([text])[0], b"a " + github.anchor.encode() + b"[REDACTED]-b",
             f"a token of {36 + extra} characters, to its end")
bl.done()
