#!/bin/sh
# SPDX-License-Identifier: MIT
#
# From a fresh machine to a working buildlog. Needs Debian 12 (or alike) and a shell; where
# something is missing also root, apt-get and a network. Safe to repeat: what is there is left
# alone, so that a second time needs neither root nor network.
#
#   sh packaging/fresh.sh demo    build, install into ./prefix, record a real build, show it
#   sh packaging/fresh.sh check   build and run all tests
set -eu

cd "$(dirname "$0")/.."
root=$PWD

# What a build needs, and what the tests and the demo need besides. gcc brings libc6-dev only as
# a recommendation.
build_packages='make gcc libc6-dev pkg-config
    libev-dev libcjson-dev libtre-dev zlib1g-dev libxxhash-dev'
check_packages='python3 mandoc jq asciinema xxhash procps bash zsh fish less vim tmux shellcheck lnav'

say()
{
    printf '\n==> %s\n' "$*"
}

installed()
{
    # "virtual" names such as pkg-config are satisfied by what provides them.
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installs those of the packages given that are missing.
need()
{
    missing=
    for package; do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    if [ "$(id -u)" -ne 0 ]; then
        echo "fresh.sh: cannot install$missing: not root" >&2
        exit 1
    fi
    # An image may come without package lists, or with old ones.
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y --no-install-recommends $missing
}

jobs()
{
    getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1
}

demo()
{
    # shellcheck disable=SC2086
    need $build_packages
    say 'building and installing into ./prefix'
    make -j"$(jobs)" install PREFIX="$root/prefix" DESTDIR=
    PATH=$root/prefix/bin:$PATH
    BUILDLOG_DIR=$root/build/demo-store
    export PATH BUILDLOG_DIR

    say 'recording a real build: buildlog run -- make BUILD=build/demo'
    rm -rf build/demo
    buildlog run --name demo -- make -j"$(jobs)" BUILD=build/demo
    say 'buildlog ls'
    buildlog ls
    say 'buildlog tail -n 3'
    buildlog tail -n 3
    say 'the end of the log itself'
    tail -n 3 "$(newest_log)"
    say "done; the log: $(newest_log)"
}

newest_log()
{
    find "$BUILDLOG_DIR/builds" -name '*.log' | LC_ALL=C sort | tail -n 1
}

check()
{
    # shellcheck disable=SC2086
    need $build_packages $check_packages
    say 'building and testing'
    # In a directory of its own: tests want the invariants checked, a release does not.
    make -j"$(jobs)" ASSERT=1 BUILD=build/check all
    rm -f build/check/check.totals
    make -s ASSERT=1 BUILD=build/check check && return
    # make has complained after the totals; they are to be the last line.
    cat build/check/check.totals 2>/dev/null || echo '0 passed, 1 failed'
    exit 1
}

case ${1-} in
demo | check)
    "$1"
    ;;
*)
    echo "usage: sh packaging/fresh.sh demo|check" >&2
    exit 2
    ;;
esac
