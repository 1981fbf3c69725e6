#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Secrets of Kubernetes whose values stand before their kind, as "kubectl get" writes them, and
those in JSON: hidden, however they are indented, prefixed or nested, while a ConfigMap of the same
shape passes. The same for every split, and a second pass changes nothing."""
import base64
import json
import os
import random
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

PIPE = os.path.join(bl.BUILD, "tests", "redact", "pipe")
rng = random.Random(int(os.environ.get("BUILDLOG_TEST_SEED", "1")))
MARK = "[REDACTED]"
PREFIXES = ("", "+", "-", " ", "> ", "web_1  | ", "2026-01-02T03:04:05.123456789Z ", "\x1b[36mweb_1  |\x1b[0m ")
seen = []


def pipe(text, *options):
    return subprocess.run([PIPE, *options], input=text.encode(), stdout=bl.PIPE, check=True).stdout.decode()


def gives(text, want, name):
    seen.append(text)
    bl.equal(pipe(text), want, name)


def passes(text, name):
    gives(text, text, name)


def pick(n):
    """Base64 of n random bytes, which nothing else takes for a secret."""
    return base64.b64encode(bytes(rng.randrange(256) for _ in range(n))).decode()


A, B, C = pick(15), pick(16), pick(40)
YAML = "apiVersion: v1\ndata:\n  password: %s\n  user.name: %s\n%skind: %s\nmetadata:\n  name: shown\ntype: Opaque\n"


def prefixed(prefix, text):
    return "".join(prefix + line + "\n" for line in text.splitlines())


@bl.section
def yaml():
    for prefix in PREFIXES:
        for extra in ("", "immutable: true\n"):
            gives(prefixed(prefix, YAML % (A, B, extra, "Secret")),
                  prefixed(prefix, YAML % (MARK, MARK, extra, "Secret")), f"behind {prefix!r} {extra!r}")
        for kind in ("ConfigMap", "Pod", "secret"):
            passes(prefixed(prefix, YAML % (A, B, "", kind)), f"a {kind} behind {prefix!r}")
    gives((YAML % (A, B, "", "Secret")).replace("\n", "\r\n"),
          (YAML % (MARK, MARK, "", "Secret")).replace("\n", "\r\n"), "CRLF")
    gives("look: " + YAML % (A, B, "", "Secret"), "look: " + YAML % (MARK, MARK, "", "Secret"),
          "something before its first line only")
    gives(YAML % (A, f'"{B}"', "", "Secret"), YAML % (MARK, f'"{MARK}"', "", "Secret"), "quotes")
    color = "".join(line.replace(": ", "\x1b[0m: \x1b[32m") + "\x1b[0m\n"
                    for line in (YAML % ("%s", "%s", "", "Secret")).splitlines())
    gives(color % (A, B), color % (MARK, MARK), "colours")
    gives("apiVersion: v1\ndata:\n  a: \"\"\n  b: %s\nkind: Secret\n" % A,
          "apiVersion: v1\ndata:\n  a: \"\"\n  b: %s\nkind: Secret\n" % MARK, "an empty value")


@bl.section
def what_is_none():
    for text in ("apiVersion: v1\ndata:\n  a: two words\n  b: %s\nkind: ConfigMap\n", "apiVersion: v2\ndata:\n  a: %s\nkind: Secret\n",
                 "apiVersion: v1\ndata:\n  a.yaml: |\n    x: y\n  b: %s\nkind: ConfigMap\n",
                 "apiVersion: v1beta1\ndata:\n  a: %s\nkind: Secret\n", "apiVersion: v1\n\ndata:\n  a: %s\nkind: Secret\n",
                 "apiVersion: v1\ndata:\n  a: abc\n  b: %s\nother: x\n", "apiVersion: v1\ndata:\n  a: a=bc\n  b: %s\nkind: Secret\n",
                 "apiVersion: v1\nspec:\n  a: %s\nkind: Secret\n", "apiVersion: v1\ndata:\n  a: %s\n kind: Secret\n",
                 "- apiVersion: v1\n  data:\n    a: %s\nkind: Secret\n", "apiVersion: v1\ndata: {}\n  a: %s\nkind: Secret\n"):
        passes(text % A, f"passes: {text!r}")
    passes("apiVersion: v1\ndata:\n  a: true\n", "hardly anything, cut off")
    gives(f"apiVersion: v1\ndata:\n  a: {A}\n  b: {B[:9]}", f"apiVersion: v1\ndata:\n  a: {MARK}\n  b: {MARK}", "cut off")


ITEM = """- apiVersion: v1
  data:
    password: %s
  kind: %s
  metadata:
    name: shown
    ownerReferences:
    - apiVersion: v1
      kind: ConfigMap
  stringData:
    x: %s
  type: Opaque
"""


@bl.section
def lists():
    text = "apiVersion: v1\nitems:\n" + 3 * ITEM + "kind: List\n"
    for prefix in PREFIXES[:6]:
        gives(prefixed(prefix, text % (A, "Secret", "a plain one", B, "ConfigMap", "shown", C, "Secret", "plain, too")),
              prefixed(prefix, text % (MARK, "Secret", MARK, B, "ConfigMap", "shown", MARK, "Secret", MARK)),
              f"a list behind {prefix!r}")


@bl.section
def bounds():
    """What is held is bounded: so much base64 is a Secret by itself."""
    big, values = pick(9000), [pick(12) for _ in range(90)]
    text = f"apiVersion: v1\ndata:\n  a: {A}\n  b: %s\n  c: %s\nkind: %s\n"
    gives(text % (big, B, "Secret"), text.replace(A, MARK) % (MARK, MARK, "Secret"), "a large value")
    gives(text % (big, B, "ConfigMap"), text.replace(A, MARK) % (MARK, MARK, "ConfigMap"), "of whatever kind")
    passes(text % (big[:4000], B, "ConfigMap"), "not so large a value")
    lines = "".join(f"  k{i}: %s\n" for i in range(90))
    gives("apiVersion: v1\ndata:\n" + lines % tuple(values) + "kind: Secret\n",
          "apiVersion: v1\ndata:\n" + lines % ((MARK,) * 90) + "kind: Secret\n", "many values")


@bl.section
def within_another():
    gives("kind: Secret\nstringData:\n  app: |\n    apiVersion: v1\n    data:\n      x: y1234\n  z: plain-one\n",
          f"kind: Secret\nstringData:\n  app: |\n    {MARK}\n    {MARK}\n      {MARK}\n  z: {MARK}\n",
          "a manifest within a value")
    text = "kind: Secret\napiVersion: v1\nmetadata:\n  name: shown\ndata:\n  a: %s\n"
    gives(text % A, text % MARK, "the kind first")
    text = ("apiVersion: v1\ndata:\n  a: %s\nkind: Secret\nmetadata:\n  annotations:\n    last-applied: |\n"
            '      {"apiVersion":"v1","kind":"Secret","metadata":{"name":"shown"},"stringData":{"p":"%s"},"type":"shown"}\n'
            "  name: shown\nstringData:\n  b: %s\n")
    gives(text % (A, "a plain one", "plain, too"), text % (MARK, MARK, MARK), "JSON in an annotation")
    gives(f"apiVersion: v1\nkind: Secret\ndata:\n  a: {A}\napiVersion: v1\ndata:\n  b: {B}\nkind: ConfigMap\n",
          f"apiVersion: v1\nkind: Secret\ndata:\n  a: {MARK}\napiVersion: v1\ndata:\n  b: {B}\nkind: ConfigMap\n",
          "a ConfigMap behind a Secret")


@bl.section
def a_prefix_on_the_first_line():
    for first in ("metadata:\n  name: shown\ndata:\n", "type: Opaque\ndata:\n", "data:\n", "  metadata:\n    a: b\n  stringData:\n  "):
        text = "2026-01-02T03:04:05Z deploying kind: Secret\n" + first + "  a: %s\n"
        gives(text % A, text % MARK, f"a prefix, then {first!r}")
    text = "d: kind: Secret\nd: data:\nd:   a: %s\n"
    gives(text % A, text % MARK, "a prefix on all of them")


def forms(value):
    return {"pretty": json.dumps(value, indent=4), "compact": json.dumps(value, separators=(",", ":")),
            "one line": json.dumps(value), "tabs": json.dumps(value, indent="\t")}


def nested(text, depth):
    for _ in range(depth):
        text = json.dumps({"m": text, "z": "shown"})
    return text + "\n"


@bl.section
def json_before():
    def manifest(a, b, kind, **more):
        return {"apiVersion": "v1", "data": {"password": a, "user.name": b, "empty": ""}, **more,
                "kind": kind, "metadata": {"name": "shown"}, "type": "Opaque"}

    for more in ({}, {"immutable": True}):
        for name, text in forms(manifest("(a)", "(b)", "Secret", **more)).items():
            for depth in range(2):
                whole = nested(text, depth)
                gives(whole.replace("(a)", A).replace("(b)", B), whole.replace("(a)", MARK).replace("(b)", MARK),
                      f"{name}, {depth} deep, {more}")
                whole = whole.replace("Secret", "ConfigMap").replace("(a)", A).replace("(b)", B)
                passes(whole, f"a ConfigMap, {name}, {depth} deep, {more}")
            if name != "tabs":
                for prefix in PREFIXES[1:]:
                    gives(prefixed(prefix, text).replace("(a)", A).replace("(b)", B),
                          prefixed(prefix, text).replace("(a)", MARK).replace("(b)", MARK), f"{name} behind {prefix!r}")
    items = [manifest("(a)", "(b)", "Secret"), manifest(C, C, "ConfigMap"), manifest("(b)", "(a)", "Secret")]
    for name, text in forms({"apiVersion": "v1", "items": items, "kind": "List"}).items():
        gives(text.replace("(a)", A).replace("(b)", B), text.replace("(a)", MARK).replace("(b)", MARK), f"a list, {name}")
    gives('{"apiVersion":"v1","data":{"a":"%s","b":"%s' % (A, B[:9]), '{"apiVersion":"v1","data":{"a":"%s","b":"%s' % (MARK, MARK),
          "cut off")
    for text in ('{"apiVersion":"v1","data":{"a":"two words","b":"%s"},"kind":"Secret"}', '{"apiVersion":"v1","data":{"a":12,"b":"%s"},"kind":"Secret"}',
                 '{"apiVersion":"v1","data":["%s"],"kind":"Secret"}', '{"apiVersion":"v1","x":{"a":"%s"},"kind":"Secret"}',
                 '{"apiVersion":"v1","data":{"a":"%s"},"x":1,"kind":"Secret"}', '{"apiVersion":"v1","data":{"a":"%s"}}'):
        passes(text % A + "\n", f"passes: {text!r}")


@bl.section
def json_behind():
    def manifest(a, b):
        return {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "shown", "x": None, "data": {"shown": "shown"}},
                "data": {"password": a}, "stringData": {"p\"q": b, "e": "", "n": None, "r": "$(REFERENCE)"},
                "type": "Opaque", "y": {"data": {"shown": "shown"}, "z": [1, {"data": {"shown": "shown"}}]}}

    value = 'plain "one"\nand\\'
    for name, text in forms(manifest(A, value)).items():
        for depth in range(2):
            gives(nested(text, depth), nested(forms(manifest(MARK, MARK))[name], depth), f"{name}, {depth} deep")
        for prefix in PREFIXES[1:] if name != "tabs" else ():
            gives(prefixed(prefix, text), prefixed(prefix, forms(manifest(MARK, MARK))[name]), f"{name} behind {prefix!r}")
    for text in ('{"kind":"Secret","metadata":{"data":{"a":"shown"}}}', '{"a":{"kind":"Secret"},"data":{"a":"shown"}}',
                 '{"kind":"Secrets","data":{"a":"shown"}}', '{"kind":"Secret","data":["shown"]}', '{"kind":"Secret","data":"shown"}',
                 '{"m":"{\\"kind\\":\\"Secret\\"","data":{"a":"shown"}}', '{"kind":"Secret","x":"data","y":{"a":"shown"}}',
                 'if "kind":"Secret" then / "data": {"a":"shown"}', '"kind":"Secret" in a sentence that goes on for quite some time, "data": {"a":"shown"}',
                 '{"kind":"Secret", "a string\nof two lines", "data":{"a":"shown"}}'):
        passes(text + "\n", f"passes: {text}")
    gives('{"kind":"Secret","n":[-1.5e+300, true, null],"data":{"a":"plain"}}',
          '{"kind":"Secret","n":[-1.5e+300, true, null],"data":{"a":"[REDACTED]"}}', "all that JSON has")
    gives('{"kind":"Secret","data":{"a":"plain', '{"kind":"Secret","data":{"a":"[REDACTED]', "cut off")


@bl.section
def again_and_split():
    def pipes(texts, *options):
        return subprocess.run([PIPE, "-0", *options], input="".join(t + "\0" for t in texts).encode(),
                              stdout=bl.PIPE, check=True).stdout.decode().split("\0")[:-1]
    once = pipes(seen)
    for options in (("-s", "1"), ("-s", "2"), ("-s", "3"), ("-s", "7"), ("-s", "64"), ("-r", "-s", "50")):
        bl.equal(pipes(seen, *options), once, f"in pieces: {' '.join(options)}")
    bl.equal(pipes(once), once, "a second pass changes nothing")


bl.done()
