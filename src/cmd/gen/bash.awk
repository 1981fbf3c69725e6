# SPDX-License-Identifier: MIT
# The parts of completions/buildlog.bash (see regions.awk).

# The arguments of compgen that offer the values of option o; "" when there is nothing to offer.
function source_of(o,    hint)
{
    hint = attr(option[o, "attrs"], "hint")
    if (hint == "dir")
        return "-d"
    if (hint == "file")
        return "-f"
    if (hint == "label")
        return "labels"
    return option[o, "type"] == "choice" ? "-W '" choices_of(o, " ") "'" : ""
}

function put_command(c,    o, words, valued)
{
    for (o = 1; o <= n_options; o++) {
        if (!usable(c, o))
            continue
        words = words " --" option[o, "name"]
        if (option[o, "letter"] != "")
            words = words " -" option[o, "letter"]
        if (option[o, "type"] != "flag")
            valued = valued " --" option[o, "name"] \
                (option[o, "letter"] != "" ? " -" option[o, "letter"] : "")
    }
    printf "    %s)\n", command[c, "name"]
    printf "        options='%s'\n", substr(words, 2)
    printf "        valued='%s '\n", valued
    printf "        operands='%s'\n", attr(command[c, "attrs"], "complete")
    print "        ;;"
}

function put_values(c,    o, name)
{
    name = command[c, "name"]
    for (o = 1; o <= n_options; o++)
        if (usable(c, o) && source_of(o) != "")
            printf "    %s:--%s%s) source=(%s) ;;\n", name, option[o, "name"], \
                (option[o, "letter"] != "" ? " | " name ":-" option[o, "letter"] : ""), source_of(o)
}

function put_part(part, name,    c)
{
    if (part == "names")
        print "    local names='" command_names() "'"
    else if (part == "options")
        for (c = 1; c <= n_commands; c++)
            put_command(c)
    else if (part == "values")
        for (c = 1; c <= n_commands; c++)
            put_values(c)
    else
        unknown_part(part)
}
