#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""buildlog errors knows the errors of the tools that people build with, finds the first cause in
front of what follows from it, and names file, line and column. The texts are what the tools print,
shortened."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from handmade import Records, Store, Tap, ulid  # noqa: E402

t = Tap()
T0 = 1767323045678  # 2026-01-02


def first_of(store, text, status="failed", src="stderr", **end):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start()
    for line in text.strip("\n").split("\n"):
        data += r.line(line, src)
    store.put(build, data + r.end(status, **{"exitCode": 2, **end}))
    got = store.run("errors", "-o", "json")
    if got.returncode not in (0, 1) or got.stderr:
        return {"trouble": got}, {}
    report = json.loads(got.stdout)
    return report.get("first", {}), report


def is_first(store, name, text, message, tool=None, place="", seq=None, rank="cause", **more):
    first, report = first_of(store, text, **more)
    where = first.get("file", "")
    for key in ("line", "column"):
        where += f":{first[key]}" if key in first else ""
    good = message in first.get("message", "") and place in (where, None) and first.get("rank") == rank \
        and (tool is None or first.get("tool", "") == tool) and (seq is None or first["seq"] == seq)
    t.ok(good, name, {"want": (message, tool, place, seq, rank), "got": first,
                      "all": report.get("errors")})


CASES = [
    # ---- compilers and linkers
    ("gcc", """
gcc -Wall -c main.c
main.c: In function 'main':
main.c:3:10: warning: unused variable 'y' [-Wunused-variable]
main.c:4:10: error: 'x' undeclared (first use in this function)
    4 |   return x;
      |          ^
main.c:9:1: error: expected ';' before '}' token
make: *** [Makefile:4: main.o] Error 1
""", "'x' undeclared", "cc", "main.c:4:10", 4),
    ("gcc with -Werror", """
cc -Werror -c error.c -o error.o
error.c:7:3: error: implicit declaration of function 'foo' [-Werror=implicit-function-declaration]
cc1: all warnings being treated as errors
""", "implicit declaration", "cc", "error.c:7:3", 2),
    ("a missing header", """
In file included from a.c:1:
b.h:2:10: fatal error: none.h: No such file or directory
compilation terminated.
""", "none.h: No such file", "cc", "b.h:2:10", 2),
    ("clang in colour", """
\x1b[1mmain.c:4:10: \x1b[0m\x1b[0;1;31merror: \x1b[0m\x1b[1muse of undeclared identifier 'x'\x1b[0m
  return x;
\x1b[0;1;32m         ^
\x1b[0m1 error generated.
""", "use of undeclared identifier 'x'", "cc", "main.c:4:10", 1),
    ("CRLF", "main.c:4:10: error: bad\r\nmake: *** [main.o] Error 1\r", "bad", "cc", "main.c:4:10", 1),
    ("a path with a blank", "/home/me/my src/a.c:3:1: error: expected '}'", "expected '}'", "cc",
     "/home/me/my src/a.c:3:1", 1),
    ("a drive letter", "C:\\src\\a.cpp(10): error C2065: 'x': undeclared identifier",
     "C2065: 'x': undeclared identifier", "cl", "C:\\src\\a.cpp:10", 1),
    ("undefined reference", """
/usr/bin/ld: main.o: in function `main':
main.c:(.text+0x5): undefined reference to `foo'
collect2: error: ld returned 1 exit status
make: *** [Makefile:2: app] Error 1
""", "undefined reference to `foo'", "ld", "", 2),
    ("undefined reference with debug information", """
/usr/bin/ld: main.o: in function `main':
/src/main.c:3: undefined reference to `foo'
collect2: error: ld returned 1 exit status
""", "undefined reference to `foo'", "ld", "/src/main.c:3", 2),
    ("a missing library", """
/usr/bin/ld: cannot find -lfoo: No such file or directory
collect2: error: ld returned 1 exit status
""", "cannot find -lfoo", "ld", "", 1),
    ("lld", """
ld.lld: error: undefined symbol: foo
>>> referenced by main.c
clang: error: linker command failed with exit code 1 (use -v to see invocation)
""", "undefined symbol: foo", "ld", "", 1),
    ("the linker of macOS", """
Undefined symbols for architecture arm64:
  "_foo", referenced from:
      _main in main.o
ld: symbol(s) not found for architecture arm64
clang: error: linker command failed with exit code 1 (use -v to see invocation)
""", '"_foo", referenced from:', "ld", "", 1),
    ("rustc", """
   Compiling demo v0.1.0 (/src/demo)
error[E0308]: mismatched types
 --> src/main.rs:2:18
  |
2 |     let x: i32 = "a";
  |            ---   ^^^ expected `i32`, found `&str`

error: aborting due to 1 previous error

For more information about this error, try `rustc --explain E0308`.
error: could not compile `demo` (bin "demo") due to 1 previous error
""", "mismatched types", "rustc", "src/main.rs:2:18", 2),
    ("rustc without a code", """
error: expected one of `.`, `;` or `?`, found `}`
  --> src/lib.rs:10:1
""", "expected one of", "rustc", "src/lib.rs:10:1", 1),
    ("a panic in Rust", """
running 1 test
test tests::adds ... FAILED

failures:

---- tests::adds stdout ----

thread 'tests::adds' panicked at src/lib.rs:5:9:
assertion `left == right` failed
  left: 3
 right: 4
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out
error: test failed, to rerun pass `--lib`
""", "assertion `left == right` failed", "rustc", "src/lib.rs:5:9", 8),
    ("a panic in older Rust", "thread 'main' panicked at 'boom', src/main.rs:2:5", "boom", "rustc",
     "src/main.rs:2:5", 1),
    ("cargo without a crate", """
    Updating crates.io index
error: no matching package named `nope` found
location searched: registry `crates-io`
""", "no matching package named `nope`", "cargo", "", 2),
    ("tsc", "src/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.",
     "TS2322: Type 'string'", "tsc", "src/a.ts:3:7", 1),
    ("tsc, pretty", """
\x1b[96msrc/a.ts\x1b[0m:\x1b[93m3\x1b[0m:\x1b[93m7\x1b[0m - \x1b[91merror\x1b[0m\x1b[90m TS2322: \x1b[0mType 'string' is not assignable.

Found 1 error in src/a.ts:3
""", "TS2322: Type 'string'", "tsc", "src/a.ts:3:7", 1),
    ("javac", """
src/Main.java:3: error: ';' expected
        int x = 1
                 ^
1 error
""", "';' expected", "javac", "src/Main.java:3", 1),
    ("C#", "/src/Program.cs(5,13): error CS0103: The name 'x' does not exist [/src/p.csproj]",
     "CS0103: The name 'x'", "csc", "/src/Program.cs:5:13", 1),
    ("kotlinc", "e: file:///src/Main.kt:3:5 Unresolved reference: x", "Unresolved reference", "kotlinc",
     "/src/Main.kt:3:5", 1),
    ("a sanitizer", "a.c:3:5: runtime error: signed integer overflow: 2147483647 + 1",
     "signed integer overflow", "cc", "a.c:3:5", 1),
    ("an assertion in C", "app: src/a.c:12: run: Assertion `n > 0' failed.", "Assertion `n > 0' failed",
     "cc", "src/a.c:12", 1),
    # ---- go
    ("go build", """
# example.com/app
./main.go:5:2: undefined: x
""", "undefined: x", "go", "./main.go:5:2", 2),
    ("go test", """
--- FAIL: TestAdd (0.00s)
    add_test.go:12: got 3, want 4
FAIL
FAIL\texample.com/app\t0.003s
FAIL
""", "TestAdd: got 3, want 4", "go", "add_test.go:12", 1),
    ("go test -v with a subtest", """
=== RUN   TestAdd
=== RUN   TestAdd/negative
    add_test.go:19: got -3, want -4
--- FAIL: TestAdd (0.00s)
    --- FAIL: TestAdd/negative (0.00s)
FAIL
""", "TestAdd: got -3, want -4", "go", "add_test.go:19", 4),
    ("testify", """
--- FAIL: TestAdd (0.00s)
    add_test.go:12:
        \tError Trace:\t/src/add_test.go:12
        \tError:      \tNot equal:
        \t            \texpected: 4
        \t            \tactual  : 3
FAIL
""", "Not equal:", "go", "add_test.go:12", 1),
    ("a panic in Go", """
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
runtime.gopanic(0x1)
\t/usr/local/go/src/runtime/panic.go:770 +0x132
main.main()
\t/src/main.go:7 +0x1d
exit status 2
""", "index out of range", "go", "/src/main.go:7", 1),
    # ---- python
    ("a traceback", """
Traceback (most recent call last):
  File "/src/app.py", line 10, in <module>
    main()
  File "/src/app.py", line 6, in main
    json.loads("{")
  File "/usr/lib/python3.11/json/decoder.py", line 353, in raw_decode
    obj, end = self.scan_once(s, idx)
               ^^^^^^^^^^^^^^^^^^^^^^
json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2
make: *** [Makefile:2: run] Error 1
""", "json.decoder.JSONDecodeError: Expecting", "python", "/src/app.py:6", 1),
    ("the first of two chained tracebacks", """
Traceback (most recent call last):
  File "a.py", line 2, in <module>
    open("none")
FileNotFoundError: [Errno 2] No such file or directory: 'none'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 4, in <module>
    raise RuntimeError("no configuration")
RuntimeError: no configuration
""", "FileNotFoundError", "python", "a.py:2", 1),
    ("a syntax error in Python", """
  File "a.py", line 3
    def f(:
          ^
SyntaxError: invalid syntax
""", "SyntaxError: invalid syntax", "python", "a.py:3", 4),
    ("pytest", """
=================================== FAILURES ===================================
___________________________________ test_add ___________________________________

    def test_add():
>       assert add(1, 2) == 4
E       assert 3 == 4
E        +  where 3 = add(1, 2)

tests/test_add.py:5: AssertionError
=========================== short test summary info ============================
FAILED tests/test_add.py::test_add - assert 3 == 4
============================== 1 failed in 0.05s ===============================
""", "assert 3 == 4", "pytest", "tests/test_add.py:5", 6),
    ("pytest --tb=short", """
tests/test_add.py:5: in test_add
    assert add(1, 2) == 4
E   assert 3 == 4
""", "assert 3 == 4", "pytest", "tests/test_add.py:5", 3),
    ("pytest --tb=no", "FAILED tests/test_add.py::test_add - assert 3 == 4", "assert 3 == 4", "pytest",
     "tests/test_add.py", 1, "general"),
    ("unittest", """
FAIL: test_add (tests.test_add.TestAdd)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/src/tests/test_add.py", line 7, in test_add
    self.assertEqual(add(1, 2), 4)
AssertionError: 3 != 4

----------------------------------------------------------------------
FAILED (failures=1)
""", "AssertionError: 3 != 4", "python", "/src/tests/test_add.py:7", 3),
    ("pip", """
ERROR: Could not find a version that satisfies the requirement nope==9 (from versions: none)
ERROR: No matching distribution found for nope==9
""", "Could not find a version", "pip", "", 1),
    # ---- javascript
    ("node", """
/src/a.js:3
    throw new Error("boom");
    ^

Error: boom
    at run (/src/a.js:3:11)
    at Object.<anonymous> (/src/a.js:6:1)
    at Module._compile (node:internal/modules/cjs/loader:1376:14)

Node.js v20.11.0
npm ERR! code ELIFECYCLE
npm ERR! errno 1
""", "Error: boom", "node", "/src/a.js:3", 5),
    ("a syntax error in node", """
/src/a.js:3
let x = ;
        ^

SyntaxError: Unexpected token ';'
    at wrapSafe (node:internal/modules/cjs/loader:1278:20)
""", "SyntaxError: Unexpected token", "node", "/src/a.js:3", 5),
    ("a missing module", """
node:internal/modules/cjs/loader:1147
  throw err;
  ^

Error: Cannot find module 'nope'
Require stack:
- /src/a.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1144:15)
    at Object.<anonymous> (/src/a.js:1:1)
""", "Cannot find module 'nope'", "node", "/src/a.js:1:1", 5),
    ("eslint", """
/src/a.js
   1:7   warning  'y' is assigned a value but never used  no-unused-vars
  12:5   error    'x' is not defined                      no-undef

✖ 2 problems (1 error, 1 warning)
""", "'x' is not defined", "eslint", "/src/a.js:12:5", 3),
    ("jest", """
FAIL src/add.test.js
  ● adds › two numbers

    expect(received).toBe(expected) // Object.is equality

    Expected: 4
    Received: 3

      3 | test("two numbers", () => {
    > 4 |   expect(add(1, 2)).toBe(4);
        |                     ^
      5 | });

      at Object.<anonymous> (src/add.test.js:4:21)
""", "adds › two numbers", "jest", "src/add.test.js:4:21", 2),
    ("mocha", """
  1) adds two numbers:

      AssertionError [ERR_ASSERTION]: 3 == 4
      + expected - actual

      at Context.<anonymous> (test/add.js:5:14)
      at process.processImmediate (node:internal/timers:476:21)
""", "AssertionError [ERR_ASSERTION]: 3 == 4", "node", "test/add.js:5:14", 3, "suspect"),
    ("npm without a package", """
npm error code E404
npm error 404 Not Found - GET https://registry.example.org/nope - Not found
npm error 404
npm error A complete log of this run can be found in: /root/.npm/_logs/x.log
""", "Not Found - GET", "npm", "", 1, "general"),
    ("npm without a script", "npm error Missing script: \"biuld\"", "Missing script", "npm", "", 1),
    ("yarn", """
error Couldn't find package "nope" on the "npm" registry.
info Visit https://yarnpkg.com/en/docs/cli/add for documentation about this command.
""", "Couldn't find package", "yarn", "", 1),
    ("npm only follows", """
> app@1.0.0 build
> tsc

src/a.ts(3,7): error TS2322: no
npm ERR! code ELIFECYCLE
npm ERR! errno 2
npm ERR! app@1.0.0 build: `tsc`
npm ERR! Exit status 2
""", "TS2322: no", "tsc", "src/a.ts:3:7", 4),
    # ---- java
    ("an uncaught exception in Java", """
Exception in thread "main" java.lang.IllegalStateException: no configuration
\tat java.base/java.util.Optional.orElseThrow(Optional.java:403)
\tat com.example.App.main(App.java:12)
Caused by: java.io.FileNotFoundException: app.conf
\tat com.example.Config.read(Config.java:30)
\t... 3 more
""", "java.io.FileNotFoundException: app.conf", "java", "Config.java:30", 1),
    ("maven's compiler", """
[INFO] Compiling 3 source files to /src/target/classes
[INFO] -------------------------------------------------------------
[ERROR] COMPILATION ERROR :
[INFO] -------------------------------------------------------------
[ERROR] /src/main/java/App.java:[5,9] cannot find symbol
  symbol:   variable x
[INFO] 1 error
[INFO] BUILD FAILURE
[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.11.0:compile (default-compile) on project app: Compilation failure
[ERROR] -> [Help 1]
""", "cannot find symbol", "javac", "/src/main/java/App.java:5:9", 5),
    ("surefire", """
[INFO] Running com.example.AppTest
[ERROR] Tests run: 1, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.05 s <<< FAILURE! - in com.example.AppTest
[ERROR] com.example.AppTest.adds  Time elapsed: 0.01 s  <<< FAILURE!
org.opentest4j.AssertionFailedError: expected: <4> but was: <3>
\tat org.junit.jupiter.api.AssertionUtils.fail(AssertionUtils.java:55)
\tat com.example.AppTest.adds(AppTest.java:14)
[ERROR] Failed to execute goal org.apache.maven.plugins:maven-surefire-plugin:3.2.5:test (default-test) on project app: There are test failures.
""", "expected: <4> but was: <3>", "java", "AppTest.java:14", 3),
    ("maven without a dependency", """
[ERROR] Failed to execute goal on project app: Could not resolve dependencies for project a:b:jar:1
[ERROR] -> [Help 1]
""", "Could not resolve dependencies", "maven", "", 1, "general"),
    ("gradle's script", """

FAILURE: Build failed with an exception.

* Where:
Build file '/src/build.gradle' line: 12

* What went wrong:
A problem occurred evaluating root project 'app'.
> Could not find method nope() for arguments [] on root project 'app'.

* Try:
> Run with --stacktrace option to get the stack trace.

BUILD FAILED in 1s
""", "Could not find method nope()", "gradle", "/src/build.gradle:12", 6, "general"),
    ("gradle only follows", """
> Task :compileJava FAILED
/src/App.java:5: error: cannot find symbol
        x = 1;
        ^
1 error

FAILURE: Build failed with an exception.

* What went wrong:
Execution failed for task ':compileJava'.
> Compilation failed; see the compiler error output for details.

BUILD FAILED in 2s
""", "cannot find symbol", "javac", "/src/App.java:5", 2),
    ("a test under gradle", """
AppTest > adds() FAILED
    org.opentest4j.AssertionFailedError at AppTest.java:14

1 test completed, 1 failed
""", "AssertionFailedError", "gradle", "AppTest.java:14", 1),
    # ---- make, cmake, ninja
    ("make without a rule", "make: *** No rule to make target 'foo.c', needed by 'foo.o'.  Stop.",
     "No rule to make target 'foo.c', needed by 'foo.o'.", "make", "", 1),
    ("a broken makefile", "Makefile:3: *** missing separator.  Stop.", "missing separator", "make",
     "Makefile:3", 1),
    ("nothing but make's last words", """
./build.sh
make[1]: *** [Makefile:7: all] Error 3
make: *** [Makefile:2: sub] Error 2
""", "Error 3", "make", "Makefile:7", 2, "cascade"),
    ("cmake", """
-- The C compiler identification is GNU 12.2.0
CMake Error at CMakeLists.txt:3 (find_package):
  By not providing "FindNope.cmake" in CMAKE_MODULE_PATH this project has
  asked CMake to find a package configuration file.

-- Configuring incomplete, errors occurred!
""", 'By not providing "FindNope.cmake"', "cmake", "CMakeLists.txt:3", 2),
    ("ninja", """
ninja: error: 'foo.c', needed by 'foo.o', missing and no known rule to make it
""", "'foo.c', needed by 'foo.o'", "ninja", "", 1),
    ("ninja only follows", """
[1/2] Building C object a.o
FAILED: a.o
cc -c a.c
a.c:1:1: error: unknown type name 'foo'
ninja: build stopped: subcommand failed.
""", "unknown type name", "cc", "a.c:1:1", 4),
    # ---- shells and the system
    ("a command not found, and nothing else", "./build.sh: line 3: nope: command not found",
     "nope: command not found", "shell", "./build.sh:3", 1, "suspect"),
    ("a command not found, and worse later", """
bash: line 97: bc: command not found
main.c:4:10: error: 'x' undeclared
""", "'x' undeclared", "cc", "main.c:4:10", 2),
    ("dash", "./build.sh: 3: nope: not found", "nope: not found", "shell", "./build.sh:3", 1,
     "suspect"),
    ("a syntax error in bash", "x.sh: line 3: syntax error near unexpected token `fi'",
     "syntax error near", "shell", "x.sh:3", 1),
    ("a syntax error in dash", "x.sh: 3: Syntax error: \"fi\" unexpected", "Syntax error", "shell",
     "x.sh:3", 1),
    ("the out-of-memory killer", """
g++ -c big.cpp
g++: fatal error: Killed signal terminated program cc1plus
compilation terminated.
make: *** [Makefile:2: big.o] Error 1
""", "Killed signal terminated program cc1plus", "cc", "", 2),
    ("the kernel", "[12.3] Out of memory: Killed process 77 (java) total-vm:9kB", "Killed process 77",
     "kernel", "", 1),
    ("a full disk", """
cp: error writing 'out': No space left on device
make: *** [Makefile:2: out] Error 1
""", "cp: error writing 'out': No space left on device", None, "", 1),
    ("a segmentation fault", """
x.sh: line 3:   123 Segmentation fault      (core dumped) ./app
make: *** [Makefile:2: run] Error 139
""", "Segmentation fault", "shell", "x.sh:3", 1),
    ("make sees a segmentation fault", "make: *** [Makefile:2: run] Segmentation fault (core dumped)",
     "Segmentation fault", "make", "Makefile:2", 1, "general"),
    ("a file that is not there", "cat: none: No such file or directory",
     "cat: none: No such file or directory", "", "", 1, "general"),
    ("no network", "curl: (6) Could not resolve host: example.com", "Could not resolve host", "curl",
     "", 1, "general"),
    # ---- CI systems
    ("GitHub's prefix", """
2026-01-02T03:04:05.1234567Z main.c:4:10: error: 'x' undeclared
2026-01-02T03:04:06.1234567Z ##[error]Process completed with exit code 2.
""", "'x' undeclared", "cc", "main.c:4:10", 1),
    ("docker build", """
#9 1.234 main.c:4:10: error: 'x' undeclared
#9 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2
""", "'x' undeclared", "cc", "main.c:4:10", 1),
    ("git", "fatal: repository 'https://example.com/x.git/' not found", "repository", "git", "", 1,
     "general"),
    ("TAP", "ok 1 - a\nnot ok 2 - b\nok 3 - c\n1..3", "b", "tap", "", 2),
    ("TAP of node", """
TAP version 13
not ok 1 - adds
  ---
  duration_ms: 1.5
  location: '/src/a.test.js:1:70'
  failureType: 'testCodeFailure'
  error: 'Expected values to be strictly equal'
""", "adds", "tap", "/src/a.test.js:1:70", 2),
    ("TAP of Perl", "not ok 2 - b\n#   Failed test 'b'\n#   at t/b.t line 7.", "b", "tap", "t/b.t:7", 1),
    ("python -m", "/usr/bin/python3: No module named nope", "No module named nope", "python", None, 1),
    ("python -c", """
Traceback (most recent call last):
  File "<string>", line 1, in <module>
ModuleNotFoundError: No module named 'nope'
""", "No module named 'nope'", "python", "", 1),
    ("a line that claims an error", "[myapp] starting\nERROR: the frobnicator is broken\nbye",
     "the frobnicator is broken", "", "", 2, "line"),
]


def shapes(store):
    for name, text, message, tool, place, seq, *rank in CASES:
        is_first(store, name, text, message, tool, place, seq, *(rank or ["cause"]))


def nothing(store):
    for text in ("all is well", "0 errors, 0 warnings", "Compiling error.c", "-Werror is set",
                 "ok 3 - error: handled", "checking for strerror... yes", "BUILD SUCCESSFUL in 1s",
                 "test error::tests::parse ... ok", "npm warn deprecated x@1: use y",
                 "warning: cannot open x", "[INFO] x: No such file or directory"):
        first, report = first_of(store, text, "ok", exitCode=0)
        t.ok(first == {} and report.get("errors") == [], f"no error in {text}", first)


def streams(store):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + r.line("error[E0308]: mismatched types", "stderr") + r.line("Compiling x")
    data += r.line(" --> src/main.rs:2:18", "stderr") + r.line("make: *** [x] Error 1", "stderr")
    store.put(build, data + r.end("failed", exitCode=2))
    first = json.loads(store.run("errors", "-o", "json").stdout)["first"]
    t.equal((first["file"], first["line"], first["column"], first["seq"], first["lastSeq"]),
            ("src/main.rs", 2, 18, 1, 3), "the other stream does not come between")


def ends(store):
    first, _ = first_of(store, "x.sh: line 3: nope: command not found", exitCode=127)
    t.equal(first["rank"], "cause", "exit 127: the command not found is the cause")
    first, _ = first_of(store, "working", "signaled", exitCode=None, signal="SIGKILL")
    t.ok("SIGKILL" in first.get("message", "") and "memory" in first["message"], "killed", first)
    first, _ = first_of(store, "main.c:4:10: error: x", "signaled", exitCode=None, signal="SIGSEGV")
    t.equal(first["file"], "main.c", "a signal does not outrank a cause")
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + r.line("main.c:4:10: error: x")
    data += r.event("timeout", level="error", reason="timeout", afterMs=10000)
    store.put(build, data + r.end("timeout", exitCode=None, signal="SIGTERM"))
    first = json.loads(store.run("errors", "-o", "json").stdout)["first"]
    t.ok(first["rank"] == "decisive" and "10000 ms" in first["message"] and first["seq"] == 2,
         "a timeout is why it ended, whatever was printed before", first)
    first, _ = first_of(store, "x", "timeout", exitCode=None, signal="SIGTERM")
    t.ok(first.get("rank") == "decisive", "a timeout whose event was lost", first)
    r = Records(build, T0)
    data = r.start() + r.event("exec_failed", level="error", error="cannot run 'x'", exitCode=127)
    store.put(build, data + r.end("exec_failed", exitCode=127))
    first = json.loads(store.run("errors", "-o", "json").stdout)["first"]
    t.equal((first["rank"], first["message"]), ("decisive", "cannot run 'x'"), "nothing to execute")


def attempts(store):
    build = ulid(T0)
    r = Records(build, T0)
    data = r.start() + r.line("a.c:1:1: error: first attempt") + r.end("failed", exitCode=1)
    data += r.start(attempt=2) + r.line("b.c:2:2: error: second attempt")
    store.put(build, data + r.end("failed", exitCode=1))
    report = json.loads(store.run("errors", "-o", "json").stdout)
    t.equal([e["file"] for e in report["errors"]], ["b.c"], "the last attempt counts")
    r = Records(build, T0)
    data = r.start() + r.line("error: mismatched types") + r.gap(7, 7)
    data += r.line(" --> src/main.rs:2:18")
    store.put(build, data + r.end("failed", exitCode=1))
    first = json.loads(store.run("errors", "-o", "json").stdout)["first"]
    t.ok("file" not in first and first["rank"] == "general", "nothing is put together over a gap",
         first)


for case in (shapes, nothing, streams, ends, attempts):
    with Store() as fresh:
        case(fresh)
t.done()
