# SPDX-License-Identifier: MIT
# Copies a page that is written by hand but for marked regions, which are made anew:
#
#   awk -v page=PAGE -f table.awk -f EMITTER.awk -f regions.awk src/commands.tab
#
# A region begins after a line that ends in "generated: PART [NAME]" and stops before one that
# ends in "end of generated"; EMITTER defines put_part(part, name), which prints what stands
# between them.

# Whether option o of command c exists in this version.
function usable(c, o)
{
    return has(c, o) && attr(option[o, "attrs"], "pending") == ""
}

# The choices of option o that are not refused, separated by sep.
function choices_of(o, sep,    n, i, word, text)
{
    n = split(option[o, "choices"], word, ",")
    for (i = 1; i <= n; i++)
        if (word[i] !~ /^!/)
            text = text (text == "" ? "" : sep) word[i]
    return text
}

function command_names(    c, text)
{
    for (c = 1; c <= n_commands; c++)
        text = text (c > 1 ? " " : "") command[c, "name"]
    return text
}

# The index of the command called name, 0 if there is none.
function find_command(name,    c)
{
    for (c = 1; c <= n_commands; c++)
        if (command[c, "name"] == name)
            return c
    return 0
}

function unknown_part(what)
{
    print page ": cannot make '" what "'" > "/dev/stderr"
    exit 1
}

END {
    if (failed)
        exit 1
    while ((getline line < page) > 0) {
        if (line ~ /end of generated$/)
            inside = 0
        if (!inside)
            print line
        if (line ~ /generated: [a-z -]+$/) {
            inside = 1
            sub(/.*generated: /, "", line)
            split(line " ", words, " ")
            put_part(words[1], words[2])
        }
    }
    if (inside)
        unknown_part("a region without an end")
}
