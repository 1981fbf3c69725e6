#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The arrows between the rooms of src/ by their #include lines, each one way:
#
#   cmd -> run | lib -> read -> store -> record | redact -> text -> base
#
# run and read never meet, nor do run and lib;
#
# and two rules of the same kind: only src/redact makes a clean span out of bytes, and every
# library is included only where its room is. Prints each violation; exits 1 if there is one.
#
#   tests/check-layers.sh [DIRECTORY that contains src]
set -eu
cd "${1:-.}"

# shellcheck disable=SC2016 # the dollars are awk's
find src -name '*.[ch]' | LC_ALL=C sort | xargs awk '
BEGIN {
    below["base"] = ""
    below["text"] = "base"
    below["record"] = "text base"
    below["redact"] = "text base"
    below["store"] = "record redact text base"
    below["run"] = "store record redact text base"
    below["read"] = "store record redact text base"
    below["lib"] = "read store record text base"
    below["cmd"] = "run lib read store record redact text base"
    below["main.c"] = "cmd base"
    generated["commands.gen.h"] = "cmd main.c"
    generated["redact_rules.gen.h"] = "redact"
    generated["read_errors.gen.h"] = "read"
    library["ev.h"] = "run"
    library["cjson/cJSON.h"] = "record store read lib cmd"
    library["tre/tre.h"] = "text"
    library["xxhash.h"] = "store"
    library["zlib.h"] = "store"
}

function violation(what)
{
    printf "%s:%d: %s\n", FILENAME, FNR, what
    bad = 1
}

function listed(word, list)
{
    return index(" " list " ", " " word " ") > 0
}

FNR == 1 {
    split(FILENAME, part, "/")
    room = part[2]
    if (!(room in below))
        violation("no such room: " room)
}

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
    target = $0
    sub(/^[^"<]*["<]/, "", target)
    sub(/[">].*/, "", target)
    if ((target in library) && !listed(room, library[target]))
        violation(room " must not include " target)
    if ($0 ~ /</)
        next
    if (target in generated) {
        if (!listed(room, generated[target]))
            violation(room " must not include " target)
        next
    }
    split(target, to, "/")
    if (!(to[1] in below) || to[2] == "")
        violation("not the path of a room: " target)
    else if (to[1] != room && !listed(to[1], below[room]))
        violation(room " must not include " target)
}

# A compound literal, an initialiser or a cast. {0} and parts of another clean span are fine:
# those are copied and then made shorter.
room != "redact" {
    text = $0
    gsub(/\{ *(0|NULL)? *\}/, "", text)
    if (text ~ /\(struct clean_span\) *\{/ ||
        text ~ /struct clean_span [a-z_]+(\[[^]]*\])? *= *\{/ ||
        text ~ /\((const )?struct clean_span \*\) *[&a-z(]/)
        violation("only src/redact makes a clean span")
}

END { exit bad }
' || exit 1 # xargs has statuses of its own
