# SPDX-License-Identifier: MIT
# The parts of completions/buildlog.fish (see regions.awk).

function quote(text)
{
    gsub(/\\/, "\\\\", text)
    gsub(/'/, "\\'", text)
    return "'" text "'"
}

# What follows the name: -x with choices, -r with files, -x alone, nothing for a flag.
function value_of(o,    hint)
{
    if (option[o, "type"] == "flag")
        return ""
    hint = attr(option[o, "attrs"], "hint")
    if (hint == "dir")
        return " -x -a '(__fish_complete_directories)'"
    if (hint == "file")
        return " -r"
    if (hint == "label")
        return " -x -a '(__buildlog_ask labels)'"
    return option[o, "type"] == "choice" ? " -x -a " quote(choices_of(o, " ")) : " -x"
}

function put_option(c, o)
{
    printf "complete -c buildlog -n '__buildlog_at %s' -l %s%s%s -d %s\n", command[c, "name"], \
        option[o, "name"], (option[o, "letter"] != "" ? " -s " option[o, "letter"] : ""), \
        value_of(o), quote(option[o, "help"])
}

# The options of run that take a value, for __buildlog_at.
function put_valued(    c, o, seen)
{
    printf "    set -l valued"
    for (c = 1; c <= n_commands; c++)
        for (o = 1; o <= n_options; o++)
            if (usable(c, o) && option[o, "type"] != "flag" && \
                attr(command[c, "attrs"], "complete") == "command")
                printf " --%s%s", option[o, "name"], \
                    (option[o, "letter"] != "" ? " -" option[o, "letter"] : "")
    print ""
}

function put_part(part, name,    c, o)
{
    if (part == "valued") {
        put_valued()
    } else if (part == "commands") {
        for (c = 1; c <= n_commands; c++)
            printf "complete -c buildlog -n __buildlog_first -a %s -d %s\n", \
                command[c, "name"], quote(command[c, "summary"])
    } else if (part == "options") {
        for (c = 1; c <= n_commands; c++)
            for (o = 1; o <= n_options; o++)
                if (usable(c, o))
                    put_option(c, o)
    } else if (part == "operands") {
        for (c = 1; c <= n_commands; c++)
            if (attr(command[c, "attrs"], "complete") == "id")
                printf "complete -c buildlog -n '__buildlog_at %s' -k -a " \
                    "'last last-failed last-passed (__buildlog_ids)'\n", command[c, "name"]
            else if (attr(command[c, "attrs"], "complete") == "file")
                printf "complete -c buildlog -n '__buildlog_at %s' -F\n", command[c, "name"]
            else if (attr(command[c, "attrs"], "complete") == "topic")
                printf "complete -c buildlog -n '__buildlog_at %s' -a %s\n", \
                    command[c, "name"], quote(command_names())
    } else {
        unknown_part(part)
    }
}
