#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where a log lies: the root's precedence, the folder of the id's own UTC day, modes less the
umask; ids are fresh, ascending and unlike each other."""
import os
import stat
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@bl.section
def modes():
    for umask, directory, file in ((0o022, 0o750, 0o640), (0, 0o750, 0o640),
                                   (0o077, 0o700, 0o600)):
        run = bl.run("--", "true", preexec=lambda m=umask: os.umask(m))
        day = os.path.dirname(run.path)
        bl.equal([mode(path) for path in (run.store, os.path.dirname(day), day, run.path)],
                 [directory] * 3 + [file], f"modes with umask {umask:03o}")


@bl.section
def precedence():
    names = ["dir", "env", "logs", "state", "home"]
    places = {name: bl.temp(name) for name in names}
    settings = [("dir", {}), ("env", {}), ("logs", {"BUILDLOG_DIR": None}),
                ("state", {"BUILDLOG_DIR": None, "LOGS_DIRECTORY": None})]
    base = {"BUILDLOG_DIR": places["env"], "LOGS_DIRECTORY": places["logs"] + ":/elsewhere",
            "XDG_STATE_HOME": places["state"]}
    for name, changes in settings:
        if name == "state" and bl.AM_ROOT:
            bl.skip("XDG_STATE_HOME", "root's store is /var/log/buildlog")
            continue
        options = ["--dir", places["dir"]] if name == "dir" else []
        run = bl.run(*options, "--", "sh", "-c", "echo $BUILDLOG_DIR", env={**base, **changes})
        want = places[name] + ("/buildlog" if name == "state" else "")
        bl.equal(run.out.decode().rstrip(), want, f"the root from {name}")
        run.store = want
        bl.sound(run, f"the root from {name}: the log is there")


@bl.section
def made_absolute():
    folder = os.path.join(bl.TMP, "work")
    os.mkdir(folder)
    run = bl.run("--dir", "relative", "--", "sh", "-c", "cd /; echo $BUILDLOG_DIR", cwd=folder)
    bl.equal(run.out.decode(), folder + "/relative\n", "a relative root is exported absolute")
    run = bl.run("--", "true", env={"BUILDLOG_DIR": "also/relative"}, cwd=folder)
    bl.ok(os.path.isdir(folder + "/also/relative/builds"), "BUILDLOG_DIR may be relative", run.err)
    run = bl.run("--", "true", env={"BUILDLOG_DIR": "", "LOGS_DIRECTORY": folder + "/logs"})
    bl.ok(os.path.isdir(folder + "/logs/builds"), "an empty BUILDLOG_DIR is none", run.err)


@bl.section
def ids():
    store = bl.temp("store")
    seen = []
    for _ in range(30):
        run = bl.run("--", "sh", "-c", "echo $BUILDLOG_ID", store=store)
        seen.append(run.out.decode().strip())
    bl.ok(all(bl.ULID.fullmatch(item) for item in seen), "ids are ULIDs", seen[:3])
    bl.equal(len(set(seen)), 30, "each a new one")
    bl.equal([item[:10] for item in seen], sorted(item[:10] for item in seen), "in time's order")
    bl.equal(sorted(os.path.basename(path)[:26] for path in run.paths), sorted(seen),
             "the file is named by the id")


@bl.section
def chosen_ids():
    for build_id in ("00000000000000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
                     "01ARZ3NDEKTSV4RRFFQ69G5FAV"):
        try:
            want = bl.ulid_day(build_id)
        except (ValueError, OverflowError):
            want = None  # beyond the year 9999
        run = bl.run("--id", build_id, "--", "echo", "x")
        if want:
            bl.equal((run.status, os.path.basename(os.path.dirname(run.path))), (0, want),
                     f"{build_id}: in the folder of its own day")
        else:
            bl.ok(run.status in (0, 125), f"{build_id}: beyond year 9999", run.err)


@bl.section
def other_time_zone():
    run = bl.run("--", "true", env={"TZ": "Pacific/Kiritimati"})
    bl.sound(run, "the day is UTC's, whatever the time zone")


@bl.section
def nothing_else():
    """One file per build, nothing left beside it."""
    run = bl.run("--", "sh", "-c", "echo x; kill -9 $$")
    found = [os.path.join(top, name) for top, _, files in os.walk(run.store) for name in files]
    bl.equal(found, [run.path], "one file, nothing beside it")


bl.done()
