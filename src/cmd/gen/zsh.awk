# SPDX-License-Identifier: MIT
# The parts of completions/_buildlog (see regions.awk).

# Text inside '…[HERE]…' of an _arguments specification.
function plain(text)
{
    gsub(/'/, "'\\''", text)
    gsub(/[][]/, "\\\\&", text)
    gsub(/:/, "\\:", text)
    return text
}

# ":message:action" for the value of option o.
function value_of(o,    hint)
{
    if (option[o, "type"] == "flag")
        return ""
    hint = attr(option[o, "attrs"], "hint")
    return ":" tolower(option[o, "value"]) ":" (hint == "dir" ? "_files -/" : hint == "file" ? "_files" : \
        hint == "label" ? "_buildlog_labels" : \
        option[o, "type"] == "choice" ? "(" choices_of(o, " ") ")" : " ")
}

function put_option(o,    once, long, text)
{
    once = attr(option[o, "attrs"], "repeatable") == ""
    long = "--" option[o, "name"] (option[o, "type"] == "flag" ? "" : "=")
    text = "[" plain(option[o, "help"]) "]" value_of(o)
    if (option[o, "letter"] == "")
        printf "            '%s%s%s'\n", (once ? "" : "*"), long, text
    else
        printf "            '(-%s --%s)'{-%s%s,%s}'%s'\n", option[o, "letter"], option[o, "name"], \
            option[o, "letter"], (option[o, "type"] == "flag" ? "" : "+"), long, text
}

# "s" where there may be several operands.
function many(c)
{
    return attr(command[c, "attrs"], "complete") == "id" && \
        attr(command[c, "attrs"], "operands") ~ /-$/ ? "s" : ""
}

function put_command(c,    o)
{
    printf "    %s)\n        specs=(\n", command[c, "name"]
    for (o = 1; o <= n_options; o++)
        if (usable(c, o))
            put_option(o)
    print "        )"
    print "        operands=" attr(command[c, "attrs"], "complete") many(c)
    print "        ;;"
}

function put_part(part, name,    c)
{
    if (part == "commands")
        for (c = 1; c <= n_commands; c++)
            printf "        '%s:%s'\n", command[c, "name"], plain(command[c, "summary"])
    else if (part == "options")
        for (c = 1; c <= n_commands; c++)
            put_command(c)
    else
        unknown_part(part)
}
