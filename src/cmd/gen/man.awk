# SPDX-License-Identifier: MIT
# The parts of manuals: "commands", "synopsis NAME" and "options NAME" (see regions.awk).

# "-n N" or "--timeout DURATION" in mdoc, without a request in front.
function flags(o, form,    words, value)
{
    words = form == "long" ? "-" option[o, "name"] : option[o, "letter"]
    value = value_words(o)
    return "Fl " words (value == "" ? "" : " " value)
}

# The value: "Ar n", or "Cm on | off" without the choices that are refused.
function value_words(o,    word)
{
    if (option[o, "type"] == "flag")
        return ""
    if (option[o, "type"] != "choice")
        return "Ar " tolower(option[o, "value"])
    if (split(option[o, "choices"], word, ",") > 4)
        return "Ar " tolower(option[o, "value"])
    return "Cm " choices_of(o, " | ")
}

# "[--] command [arg ...]" as mdoc lines; "[options]" is spelt out before it.
function put_operands(text,    inner)
{
    sub(/^\[options\] */, "", text)
    while (text != "") {
        if (match(text, /^\[[^]]*\]/)) {
            inner = substr(text, 2, RLENGTH - 2)
            print inner == "--" ? ".Op Fl -" : ".Op Ar " inner
        } else {
            match(text, /^[^ ]+/)
            print ".Ar " substr(text, 1, RLENGTH)
        }
        text = substr(text, RLENGTH + 1)
        sub(/^ +/, "", text)
    }
}

function put_synopsis(c,    o)
{
    print ".Nm buildlog " command[c, "name"]
    for (o = 1; o <= n_options; o++)
        if (usable(c, o) && option[o, "name"] != "help")
            print ".Op " flags(o, option[o, "letter"] != "" ? "short" : "long")
    put_operands(command[c, "synopsis"])
}

function put_options(c,    o)
{
    print ".Bl -tag -width Ds"
    for (o = 1; o <= n_options; o++) {
        if (!usable(c, o))
            continue
        printf ".It %s%s\n", (option[o, "letter"] != "" ? flags(o, "short") " , " : ""), \
            flags(o, "long")
        printf "%s", option[o, "man"] != "" ? option[o, "man"] : option[o, "help"] "\n"
    }
    print ".El"
}

function put_commands(    c)
{
    print ".Bl -tag -width Ds"
    for (c = 1; c <= n_commands; c++) {
        print ".It Cm " command[c, "name"]
        print toupper(substr(command[c, "summary"], 1, 1)) substr(command[c, "summary"], 2) \
            (command[c, "name"] == "help" ? "." : ", see")
        if (command[c, "name"] != "help")
            print ".Xr buildlog-" command[c, "name"] " 1 ."
    }
    print ".El"
}

function put_part(part, name,    c)
{
    c = find_command(name)
    if (part == "commands")
        put_commands()
    else if (part == "synopsis" && c > 0)
        put_synopsis(c)
    else if (part == "options" && c > 0)
        put_options(c)
    else
        unknown_part(part " " name)
}
