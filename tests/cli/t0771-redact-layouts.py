#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Secrets in the layouts that logs give them: settings and headers in XML, in JSON in JSON and in
URLs, the Secrets of Kubernetes in a diff or behind a prefix, private keys coloured, in JSON lines
and in forms, fields that are written with dots. Each comes out the same for every split of the
input, and a second pass changes nothing."""
import base64
import json
import os
import random
import subprocess
import sys
import urllib.parse
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

PIPE = os.path.join(bl.BUILD, "tests", "redact", "pipe")
rng = random.Random(int(os.environ.get("BUILDLOG_TEST_SEED", "1")))
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
seen = []


def pick(n, chars=ALNUM):
    return "aZ3" + "".join(rng.choice(chars) for _ in range(n - 3))


def redact(text, *options):
    return subprocess.run([bl.BIN, "redact", *options], input=text.encode(), env=bl.environment(),
                          stdout=bl.PIPE, check=True).stdout.decode()


def gives(text, want, name, *options):
    if not options:
        seen.append(text)
    bl.equal(redact(text, *options), want, name)


def is_gone(text, secrets, name, keeps=()):
    """No piece of a secret remains, and what is none does."""
    seen.append(text)
    out = redact(text)
    left = [s for s in secrets if any(s[i:i + 8] in out for i in range(max(1, len(s) - 7)))]
    bl.ok(not left and all(k in out for k in keeps), name, left, out)


def nested(text, depth):
    for _ in range(depth):
        text = json.dumps({"m": text})
    return text + "\n"


def entities(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace(">", "&gt;")


SECRET = pick(24)


@bl.section
def json_in_json():
    for name, line in {"docker": '"auth": "%s"', "NuGet": '<add key="Password" value="%s" />',
                       "sshpass": 'sshpass -p "%s" ssh h', "an option": 'x --password="%s" y',
                       "an option with a blank": 'x --token "%s" y', "gpg": 'gpg --passphrase "%s"',
                       "curl": 'curl -u "me:%s" h', "docker login": 'docker login -p "%s" h',
                       "Ansible": 'ansible_password: "%s"'}.items():
        for depth in range(1, 4):
            is_gone(nested(line % SECRET, depth), [SECRET], f"{name}, {depth} deep")


@bl.section
def xml_in_xml():
    for name, line in {
            "Maven": "<password>%s</password>", "docker": '{"auth": "%s"}',
            "NuGet": '<add key="Password" value="%s" />', "a header": '{"Authorization": "Basic %s"}',
            "a key": '{"X-Api-Key": "%s"}'}.items():
        text = entities(line % SECRET) + "\n"
        gives(text, entities(line.replace("Basic ", "")) % "[REDACTED]" + "\n", name)
    gives("{\"m\":\"\\u003cpassword\\u003e%s\\u003c/password\\u003e\"}" % SECRET,
          "{\"m\":\"\\u003cpassword\\u003e[REDACTED]\\u003c/password\\u003e\"}", "Maven in JSON of Go")
    gives("<passphrase>%s</passphrase>\n" % SECRET, "<passphrase>[REDACTED]</passphrase>\n", "Maven's key")


@bl.section
def parameters():
    for key in ("private_token", "apikey", "client_secret", "refresh_token", "password"):
        for sign in ("?", "&", "\\u0026", "&amp;"):
            gives(f"GET /x{sign}{key}={SECRET}\n", f"GET /x{sign}{key}=[REDACTED]\n", f"{sign}{key}=")
        gives(f"u=https%3A%2F%2Fh%2F%3F{key}%3D{SECRET}%26a%3Db\n",
              f"u=https%3A%2F%2Fh%2F%3F{key}%3D[REDACTED]%26a%3Db\n", f"{key} in a URL in a URL")
    for text in ("?password=required", "%3Ftoken%3Dplaceholder", "&password=${PW}", "?refresh_token=<t>"):
        gives(text, text, text)


@bl.section
def headers():
    gives("Authorization: Bearer Ab3~d=" + SECRET + "\n", "Authorization: [REDACTED]\n",
          "a bearer token with a sign that it may not have")
    gives("Authorization: Bearer " + SECRET[:8] + "\n", "Authorization: Bearer [REDACTED]\n",
          "the shortest")


@bl.section
def jenkins():
    key = "".join(rng.choice("0123456789abcdef") for _ in range(32))
    text = "Please use the following password to proceed to installation:\n\n" + key + "\n\nThis may\n"
    for prefix in ("", "+", "-", "> ", "# ", "2026-01-02T03:04:05.123456789Z ", "jenkins-1  | ", "2026-01-02T03:04:05.1Z stdout F ",
                   "Jan  2 03:04:05 host jenkins[123]: ", "INFO jenkins: ", "2026-01-02 03:04:05.123+0000 [id=24]\tINFO\tj.Main: ",
                   "Jan 02 03:04:05 ip-10-0-0-1 java[1234] INFO: ", "2026-01-02 03:04:05 INFO - "):
        is_gone("".join((prefix + line).rstrip() + "\n" for line in text.splitlines()), [key], f"behind {prefix!r}, less blanks")
        is_gone("".join(prefix + line + "\n" for line in text.splitlines()), [key], f"behind {prefix!r}")


MANIFEST = """apiVersion: v1
kind: Secret
metadata:
  name: shown-name
type: Opaque
data:
  password: %s
  other.key: "%s"
  lines: |
    %s
    %s
stringData:
  plain: '%s'
---
kind: ConfigMap
data:
  shown: shown-value
"""
VALUES = [pick(24) for _ in range(5)]


@bl.section
def kubernetes():
    text = MANIFEST % tuple(VALUES)
    lines = text.splitlines()
    keeps = ("shown-name", "shown-value")
    for prefix in ("", "+", "-", " ", "> ", "web_1  | ", "2026-01-02T03:04:05.123456789Z ",
                   "\x1b[36mweb_1  |\x1b[0m "):
        is_gone("".join(prefix + line + "\n" for line in lines), VALUES, f"behind {prefix!r}", keeps)
    is_gone("".join(" +-"[i % 3] + line + "\n" for i, line in enumerate(lines)), VALUES, "a diff", keeps)
    for depth in range(1, 4):
        is_gone(nested(text, depth)[:-2] + ',"k":"shown-too"}\n', VALUES, f"JSON, {depth} deep",
                (*keeps, '"shown-too"'))
    gives("kind: Secret\nkind: ConfigMap\ndata:\n  shown: shown-value\n",
          "kind: Secret\nkind: ConfigMap\ndata:\n  shown: shown-value\n", "another kind")


DASHES = "-" * 5


def pem(kind, headers=(), size=200):
    body = base64.b64encode(rng.randbytes(size)).decode()
    body = [body[i:i + 64] for i in range(0, len(body), 64)]
    return [f"{DASHES}BEGIN {kind}{DASHES}", *headers, *body, f"{DASHES}END {kind}{DASHES}"], body


@bl.section
def private_keys():
    key, body = pem("RSA PRIVATE KEY", ("Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,0A1B2C3D4E5F6071", ""))
    is_gone("".join(json.dumps({"log": line + "\n", "stream": "stdout"}) + "\n" for line in key), body,
            "JSON lines with an empty one", ('"stream": "stdout"}',))
    is_gone("\n".join(line[:9] + "\x1b[1m" + line[9:20] + "\x1b[0m" + line[20:] for line in key), body,
            "colours within the lines")
    is_gone("\n".join(key).replace("BEGIN", "\x1b[01;31m\x1b[KBEGIN").replace("Y-", "Y\x1b[m\x1b[K-"), body,
            "what grep found")
    for name, form in {"a URL": urllib.parse.quote, "a form": urllib.parse.quote_plus}.items():
        for kind in ("PRIVATE KEY", "PGP PRIVATE KEY BLOCK"):
            key, body = pem(kind)
            is_gone("k=" + form("\n".join(key)) + "&a=shown\n", [form(line) for line in body],
                    f"{kind} in {name}", ("&a=shown",))
    key, body = pem("EC PRIVATE KEY", size=58)
    prefix = "Jan  2 03:04:05 host prog[123]: "
    is_gone("".join(prefix + line + "\n" for line in key[:-1]) + prefix + "and on it goes, ok\n", body,
            "cut off behind a prefix of words", ("and on it goes",))
    cert = "\n".join(pem("CERTIFICATE")[0]) + "\n"
    gives(cert, cert, "a certificate")


@bl.section
def private_keys_of_short_lines():
    prefix = "2026-01-02T03:04:05.123456Z INFO  app: "
    for behind in ("", ",", '" +', "\\", '",', "\x1b[0m"):
        key, body = pem("PGP PRIVATE KEY BLOCK", ("Version: 1", ""), size=300)
        body[-1] = pick(16)
        sums = "=" + pick(4).upper()
        key[-2:] = [body[-1], sums, key[-1]]
        is_gone("".join(prefix + line + behind + "\n" for line in key) + prefix + "shown\n", [*body, sums],
                f"PGP with its checksum, prefixed, {behind!r} behind each line", ("app: shown",))
    key, body = pem("EC PRIVATE KEY")
    body = ["".join(body)[i:i + 16] for i in range(0, len("".join(body)), 16)]
    is_gone("".join(prefix + line + "\n" for line in (key[0], *body, key[-1])), body, "lines of 16 behind a prefix")
    key, body = pem("RSA PRIVATE KEY")
    is_gone("".join(prefix + line + "\n" + prefix + "\n" for line in ["  " + line for line in key]), body,
            "an empty line, but for its prefix, behind each")
    key, body = pem("RSA PRIVATE KEY", ("Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,0A1B2C3D4E5F6071", ""))
    is_gone("\r\n\r\n".join(key), body, "each line end twice")


def putty(size=200):
    body = base64.b64encode(rng.randbytes(size)).decode()
    body = [body[i:i + 64] for i in range(0, len(body), 64)]
    public = base64.b64encode(rng.randbytes(90)).decode()
    mac = "".join(rng.choice("0123456789abcdef") for _ in range(64))
    return ["PuTTY-User-Key-File-3: ssh-ed25519", "Public-Lines: 2", public[:64], public[64:],
            f"Private-Lines: {len(body)}", *body, "Private-MAC: " + mac], [*body, mac], public


@bl.section
def putty_keys():
    time = "2026-01-02T03:04:05.123456Z "
    for size in (150, 192, 197):
        key, body, public = putty(size)
        keeps = (public[:64], public[64:], "shown")
        for name, lines in {
                "CRLF in JSON": json.dumps({"k": "\r\n".join(key), "l": "shown"}),
                "JSON in JSON": nested(json.dumps({"k": "\n".join(key), "l": "shown"}), 2),
                "blanks": " ".join(key) + " shown", "commas": ",".join(key) + ",shown",
                "tabs written out": "\\t".join(key) + "\\tshown", "LF as in C": "\\x0a".join(key) + "\\x0ashown",
                "entities": "&#10;".join(key) + "&#xA;shown", "<br>": "<br>".join(key) + "<br>shown",
                "CR": "\r".join(key) + "\rshown", "strings": " ".join(f'"{line}"' for line in key) + " shown"}.items():
            is_gone(lines + "\n", body, f"PuTTY, {size} bytes, {name}", keeps)
        for behind in ("", " ", '",', '" +', "\\", "\\n\\", "\r", "\r\r", "^M", "\x1b[0m", "\x1b[K", " |",
                       *["</p>"] * (size == 192)):
            for prefix in ("", "    ", time, "+", "> ", "web_1  | ", '"'):
                is_gone("".join(prefix + line + behind + "\n" for line in [*key, "shown"]), body,
                        f"PuTTY, {size} bytes, between {prefix!r} and {behind!r}", keeps)
        is_gone("".join(json.dumps({"log": line + "\n", "stream": "stdout"}) + "\n" for line in [*key, "shown"]),
                body, f"PuTTY, {size} bytes, in lines of JSON", (*keeps, '"stream": "stdout"}'))
        is_gone("".join(time + line + "\r\n" + time + "\r\n" for line in [*key, "shown"]), body,
                f"PuTTY, {size} bytes, an empty line behind each", (*keeps, time + "\r\n"))
        for name, form in {"a URL": urllib.parse.quote, "a form": urllib.parse.quote_plus}.items():
            is_gone("k=" + form("\n".join(key)) + "&l=shown\n", [form(line) for line in body],
                    f"PuTTY, {size} bytes, in {name}", ("&l=shown",))
    gives("Private-Lines: 2\n" + pick(20) + "Private-Lines: 2\n- shown, too\n",
          "Private-Lines: 2\n[REDACTED_PEM_LINE]-Lines: 2\n- shown, too\n", "a line of a key, and the next")
    for text in ("Private-Lines: 7 means that seven lines of /usr/share/doc/putty/key follow\n",
                 "the lines behind Private-Lines: are\n/usr/local/share/doc/putty-tools/README\n",
                 "Private-Lines: 2\n[REDACTED_PEM_LINE]\n[REDACTED_PEM_LINE]\nPrivate-MAC: [REDACTED]\n",
                 "Private-Lines: 1 [REDACTED_PEM_LINE] Private-MAC: [REDACTED]\n",
                 "Private-Lines: 3\nPrivate-MAC: see /usr/share/doc/putty/README\n/usr/share/doc/putty/README\n"):
        gives(text, text, f"a key of PuTTY merely mentioned: {text!r}")


@bl.section
def dotted_fields():
    rules = bl.temp("rules")
    with open(rules, "w", encoding="utf-8") as file:
        json.dump({"fields": ["db.secret", "a.*.b"]}, file)
    for form in ("db.secret=%s", "x --db.secret %s y", "x.DB.Secret: %s", '"db.secret": "%s"',
                 '{\\"db.secret\\":\\"%s\\"}', "?db.secret=%s&c=d", '{"db":{"secret":"%s"}}'):
        gives(form % SECRET + "\n", form % "[REDACTED]" + "\n", form, "--redact-rules", rules)
    for form in ("xdb.secret=%s", "db.secrets=%s", "secret=%s", "db_x.secret=%s", "b=%s", "a.x.b=%s"):
        gives(form % SECRET + "\n", form % SECRET + "\n", f"not {form}", "--redact-rules", rules)


@bl.section
def what_is_none():
    for text in ("debug1: sk-ecdsa-sha2-nistp256-cert-v01@openssh.com,sk-ssh-ed25519-cert-v01@openssh.com\n",
                 "docker run --name mysql -p3306:3306 -p33060:33060 mysql:8\n"):
        gives(text, text, text.strip())
    gives("mysql -u me -paB3dE6gH db\n", "mysql -u me -p[REDACTED] db\n", "but a password")
    gives("mysql -u me -p81726354 db\n", "mysql -u me -p[REDACTED] db\n", "also of digits")
    gives("mysql -u me -p81726354", "mysql -u me -p[REDACTED]", "and at the end of the input")
    gives("mysql -p8172:635", "mysql -p8172:635", "but no ports there")


@bl.section
def beginnings():
    token = "ghp_" + pick(36)
    for before in ("tool -t%s", "tool -k%s -q", '["-t%s"]', "-t%s", "k=3D%s", "\\U0000000a%s", "\\U0000001b[1m%s"):
        gives(before % token + "\n", before % "ghp_[REDACTED]" + "\n", f"a token in {before!r}")
    for before in ("x-t%s", "a -ab%s", "--t%s", "a_-t%s", "\\U000000a%s", "=3d%s", "3D%s", "\\U0000gg0a%s"):
        gives(before % token + "\n", before % token + "\n", f"none in {before!r}")


@bl.section
def escapes_before():
    """What stands before the anchor of a token does not begin within an escape written out."""
    digits = "".join(rng.choice("123456789") for _ in range(10))
    telegram, facebook = digits[:8] + ":AA" + pick(33), digits + digits[:5] + "|" + pick(27)
    for secret, mark, options in ((telegram, "[REDACTED:telegram-bot]", ()),
                                  (facebook, "[REDACTED:facebook-app-token]", ()),
                                  ("some.body@example.com", "[REDACTED:email]", ("--on", "email"))):
        for before in ('{"m":"\\u0022%s"}', "a\\n%s", "a\\t%s", '"\\\\u0022%s', "x\\x22%s", "a\\U0000000a%s", "(%s)"):
            gives(before % secret + "\n", before % mark + "\n", f"{mark[10:-1]} in {before!r}", *options)
        if options:
            continue
        for before in ("a%%20%s", "k%%3D%s", "k=3D%s"):
            gives(before % secret + "\n", before % mark + "\n", f"{mark[10:-1]} in {before!r}")
    gives("a%20b@example.com\n", "[REDACTED:email]\n", "a per cent sign in an address", "--on", "email")


@bl.section
def exact_lengths():
    for prefix, n in (("cio", 32), ("4b1d", 38), ("BSA", 28)):
        token = prefix + pick(n)
        for form in ("https://h/a/%s/b", "%s+", "%s=", "k=%s/"):
            gives(form % token + "\n", form % (prefix + "[REDACTED]") + "\n", f"{prefix} in {form!r}")
        gives(token + "a/b\n", token + "a/b\n", f"{prefix}, too long")


@bl.section
def django():
    rest = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^*(-_=+)") for _ in range(50))
    for places in ((), (0,), (25,), (49,), (7, 8, 30), (1, 9, 17, 25, 33, 41)):
        key = "".join("&" if i in places else c for i, c in enumerate(rest))
        text = "<v>django-insecure-%s</v>\n"
        gives(text % entities(key), text % "[REDACTED]", f"a key with {len(places)} ampersands in XML")
    for name in ("%a#b4c5d6", "%ab%c3d4e5", "%a3b4c5d6", "%a.bcd", "%ab.cd", "%abc.d", "%abcd.", "%abcdefgh.", "%ab3-+.", "%aB3_dE%",
                 "%a%bcd", "%ab%cd", "%abc%d"):
        gives(f'<add key="Password" value="{name}" />\n', '<add key="Password" value="[REDACTED]" />\n',
              f"NuGet's {name}")
        gives(entities(f'<add key="Password" value="{name}" />') + "\n",
              entities('<add key="Password" value="[REDACTED]" />') + "\n", f"NuGet's {name} in XML")
    gives(entities('<add key="Password" value="%NAME%" />'), entities('<add key="Password" value="%NAME%" />'),
          "a reference of NuGet in XML")
    for text in ('<add key="Password" value="%NAME%" />', '<add key="Password" value="%NAME_2%" />',
                 '<add key="Password" value="%abc." />'):
        gives(text, text, text)


@bl.section
def homes():
    for path in ("/mnt/c/Users/%s/x", "/c/Users/%s", "/var/home/%s/x", "/export/home/%s"):
        gives(path % "somebody" + "\n", path % "[REDACTED]" + "\n", f"a home in {path}", "--on", "home")


@bl.section
def home_in_json():
    gives(r'{"d":"C:\\Users\\somebody\\x"}', r'{"d":"C:\\Users\\[REDACTED]\\x"}', "a home directory in JSON",
          "--on", "home")


@bl.section
def again_and_split():
    texts = seen + ["https://u:fm2_" + (pick(60) + "/") * 4 + "@h/\n", f"https://{pick(33)}/{pick(40)}@h/\n",
                    "https://" + "".join(rng.choice("0123456789abcdef") for _ in range(32)) + "-us12@h/\n"]

    def pipe(texts, *options):
        return subprocess.run([PIPE, "-0", *options], input="".join(t + "\0" for t in texts).encode(),
                              stdout=bl.PIPE, check=True).stdout.decode().split("\0")[:-1]
    once = pipe(texts)
    for options in (("-s", "1"), ("-s", "2"), ("-s", "3"), ("-s", "7"), ("-s", "64"), ("-r", "-s", "50")):
        bl.equal(pipe(texts, *options), once, f"in pieces: {' '.join(options)}")
    bl.equal(pipe(once), once, "a second pass changes nothing")


bl.done()
