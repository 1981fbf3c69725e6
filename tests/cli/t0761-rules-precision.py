#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is no secret passes byte for byte: hashes, identifiers, lock files, images in base64,
minified code, command lines of compilers, words that begin like a token, references and
placeholders, prose about keys, certificates and public keys. Made up from a seed; the last
lines show that the same pipe does take out a secret put in between."""
import base64
import os
import random
import subprocess
import sys
import uuid
import zlib
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl

PIPE = os.path.join(bl.BUILD, "tests", "redact", "pipe")
SEED = int(os.environ.get("BUILDLOG_TEST_SEED", "1"))
rng = random.Random(SEED)
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
WORDS = ("build test node module task risk disk mask ask desk flask kiosk brisk whisk musk key "
         "token secret password basic author cookie session machine login "
         "proxy header access private public client server user github gitlab npm pypi docker "
         "registry cache layer commit branch merge release deploy staging production sha digest "
         "integrity resolved version package lock index chunk vendor runtime polyfill icon live "
         "pattern patch compat path data info debug warning error value config default").split()


def pick(alphabet, n):
    return "".join(rng.choice(alphabet) for _ in range(n))


def word():
    return rng.choice(WORDS)


def b64(n):
    return base64.b64encode(rng.randbytes(n)).decode()


def many(n, make):
    return "".join(make() + "\n" for _ in range(n))


def name(separator):
    return separator.join(word() for _ in range(rng.randrange(2, 9)))


def camel():
    first, *rest = name(" ").split()
    return first + "".join(w.capitalize() for w in rest)


def minified():
    """Assignments, calls and strings without a blank, as bundlers leave them."""
    out = []
    for _ in range(60):
        a, b, c = (pick("abcdefgnortexyz", rng.randrange(1, 3)) for _ in range(3))
        out.append(rng.choice((
            f"{a}.{camel()}={b}.{camel()};", f"var {a}={b}({c},{rng.randrange(9999)});",
            f"{a}.password={b}.password,{a}.token={b}.token;", f'"{name("-")}":{a}({rng.randrange(99)}),',
            f"this.{camel()}=function({a},{b}){{return {a}.pwd=={c}?{b}:null}};",
            f'{a}.setAttribute("{name("-")}","{name(" ")}");', f"case{rng.randrange(99)}:{a}=e.key;break;",
            f"{a}.exports=JSON.parse('{{\"{word()}\":\"{name('_')}\"}}');")))
    return "".join(out)


def image():
    data = zlib.compress(rng.randbytes(3000) + bytes(600) + bytes(range(256)) * 4)
    return f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}">'


def compiler():
    flags = " ".join(rng.choice(("-O2", "-g", "-Wall", "-pthread", "-pipe", "-fPIC", "-DNDEBUG",
                                 f"-I/usr/include/{word()}", f"-D{name('_').upper()}=1", "-pedantic-errors",
                                 "-print-prog-name=ld", f"-l{word()}")) for _ in range(12))
    return rng.choice((
        f"gcc {flags} -c -o build/{name('-')}.o src/{name('_')}.c",
        f"rustc --crate-name {name('_')} --edition=2021 src/lib.rs -C metadata={rng.randbytes(8).hex()} "
        f"-C extra-filename=-{rng.randbytes(8).hex()} --out-dir target/debug/deps -L dependency=deps",
        f"mysql_config --cflags: {flags}", f"docker build --secret id={name('_')},env={name('_').upper()} -t "
        f"{word()}/{name('-')}:{rng.randrange(9)}.{rng.randrange(20)} .",
        f"curl -fsSL https://example.com/{name('/')} -o {name('-')}.tgz"))


CORPORA = {
    "git hashes": lambda: many(3000, lambda: f"{rng.randbytes(20).hex()} {rng.randbytes(20).hex()[:9]} {name(' ')}"),
    "sha256 and md5": lambda: many(3000, lambda: f"{rng.randbytes(32).hex()}  {name('-')}.tar.gz "
                                                 f"md5:{rng.randbytes(16).hex()} sha256:{rng.randbytes(32).hex()}"),
    "UUIDs": lambda: many(3000, lambda: f"request {uuid.UUID(int=rng.getrandbits(128))} done"),
    "ULIDs": lambda: many(3000, lambda: f"build {pick('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 26)} ok"),
    "short ids": lambda: many(3000, lambda: f"{word()}-{pick(ALNUM + '_-', 21)} {word()}_{pick(ALNUM, 12)}"),
    "file names with hashes": lambda: many(2000, lambda: f"dist/{name('-')}.{rng.randbytes(16).hex()}.js "
                                                         f"assets/{name('-')}-{rng.randbytes(4).hex()}.css"),
    "npm lock": lambda: many(3000, lambda: f'    "node_modules/{name("-")}": {{"version": "1.{rng.randrange(99)}.0", '
                                           f'"resolved": "https://registry.example.org/{word()}/-/{name("-")}-1.0.0.tgz", '
                                           f'"integrity": "sha512-{b64(64)}"}},'),
    "go.sum": lambda: many(3000, lambda: f"github.com/{word()}/{name('-')} v1.{rng.randrange(99)}.0 h1:{b64(32)}"),
    "cargo and poetry lock": lambda: many(3000, lambda: f'name = "{name("-")}"\nchecksum = "{rng.randbytes(32).hex()}"\n'
                                                        f'    {{file = "{name("_")}-1.0.tar.gz", hash = "sha256:{rng.randbytes(32).hex()}"}},'),
    "yarn and sha1": lambda: many(2000, lambda: f'  resolved "https://registry.yarnpkg.com/{word()}/-/{word()}-1.0.0.tgz#'
                                                f'{rng.randbytes(20).hex()}"\n  integrity sha1-{b64(20)} sha384-{b64(48)}'),
    "images": lambda: many(150, image),
    "base64 in lines": lambda: base64.encodebytes(rng.randbytes(200000)).decode(),
    "minified code": lambda: many(150, minified),
    "compilers": lambda: many(1500, compiler),
    "identifiers": lambda: many(3000, lambda: f"{name('_')} {name('-')} {camel()} {name('.')} {name('_').upper()}"),
    "words with sk-": lambda: many(1500, lambda: f"{rng.choice(('task', 'risk', 'disk', 'mask', 'desk', 'flask', 'sk'))}-{name('-')}"),
}

HANDWRITTEN = r"""
Authorization: Bearer $TOKEN and authorization: Bearer ${TOKEN}, Authorization: Bearer {{ token }}
Authorization: Bearer <token> or Authorization: Basic ***, Proxy-Authorization: required
export AWS_SECRET_ACCESS_KEY=$SECRET PGPASSWORD=${PGPASSWORD} GITHUB_TOKEN=*** npm_config_registry=x
https://user:$PASSWORD@host/ https://user:${PASSWORD}@host/ https://user:***@host/ https://u:<password>@h/
https://{user}:{password}@host/ http://localhost:8080/a@b http://[::1]:3000/ ssh://git@host:22/x.git
git@github.com:owner/repo.git docker pull nginx@sha256:0123456789abcdef
//registry.example.org/:_authToken=${NPM_TOKEN}
<password>${env.PASSWORD}</password> <add key="ClearTextPassword" value="%NUGET_PASSWORD%" />
curl -u "$USER:$PASS" https://example.com; curl --user "${U}:${P}" https://example.com; curl --user-agent a:b
docker login -u me --password-stdin registry.example.com; docker login -u me -p "$PW" registry
docker run -u 1000:1000 -p 8080:80 image; sshpass -p "$PASS" ssh host; mysql -h db -u root -p"$PW" app
usage: tool [--password PASSWORD] [--token TOKEN] --api-key <key> --secret id=npmrc,src=.npmrc
gpg --batch --passphrase-fd 0 --passphrase-file key.txt; gpg --passphrase "$P"
ansible_password: "{{ vault_password }}" ansible_become_pass={{ x }}
Cookie: none; the cookie: a small file. Set-Cookie: a=b; Path=/
X-Api-Key: required header, X-Auth-Token: <token>, X-Request-Id: 0123456789abcdef0123456789abcdef
Tokens begin with ghp_, github_pat_, glpat-, sk-, sk-ant-, xoxb-, AKIA or npm_; keys with -----BEGIN.
The npm_config_user_agent and npm_package_json variables; NPM_CONFIG_LOGLEVEL; hf_hub_download, re_compile_all
vcr_cassettes_for_the_integration_tests_of_the_public_api_client_v2; rnd_number_generator; live_reload_enabled
tfp_distributions_multivariate_normal_full_covariance_with_a_long_name; aio_pika; ico-arrow-down; cu_seqlens
s.replaceAllOccurrencesOfThing(a); t1.getTheVeryLongNameOfTheMethodThatNobodyShouldHaveWritten.then(x)
wss://host:443/socket?token=required&api_key=undefined GET /login?access_token=placeholder
Password=secret; is what a connection string says, and user.password=form.password; is what code says
Please use the following password to proceed: see the documentation. machine learning login password
kubectl create secret generic my-secret --from-literal=key=value; kubeadm join --token <token>
client-certificate-data: CERT
-----BEGIN CERTIFICATE-----
BODY
-----END CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
BODY
-----END PUBLIC KEY-----
ssh-rsa BODY user@host
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI0000000000000000000000000000000000000000000 me
"""


def pipe(text, *options):
    done = subprocess.run([PIPE, "-c", *options], input=text, capture_output=True, check=True)
    return done.stdout, done.stderr.decode()


def passes(title, text):
    data = text.encode()
    out, counts = pipe(data)
    where = next((i for i, (a, b) in enumerate(zip(data, out)) if a != b), 0)
    bl.ok(out == data and not counts, f"{title}: {len(data)} bytes pass", counts,
          data[max(0, where - 60):where + 100])


for title, make in CORPORA.items():
    passes(title, make())

CERTIFICATE = base64.b64encode(b"-----BEGIN " + b"CERTIFICATE-----\n" + rng.randbytes(900)).decode()
BODY = "\n".join(pick(ALNUM + "+/", 64) for _ in range(12))
passes("prose, references and placeholders",
       HANDWRITTEN.replace("CERT\n", CERTIFICATE + "\n").replace("BODY", BODY))

# The proof that the pipe could have failed.
secret = pick(ALNUM, 36)
text = CORPORA["npm lock"]() + "x ghp" + "_" + secret + " y\n"
out, counts = pipe(text.encode())
bl.ok(secret.encode() not in out and counts == "github-pat 1\n" and
      len(out) == len(text) - 36 + len("[REDACTED]"), "a token among all that does not", counts)
key = base64.b64encode(b"-----BEGIN " + b"RSA PRIVATE KEY-----\n" + rng.randbytes(300))
out, counts = pipe(b"client-key-data: " + key + b"\n")
bl.ok(out == b"client-key-data: " + key[:14] + b"[REDACTED]\n", "nor a key in base64", out)
bl.done()
