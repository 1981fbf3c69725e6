# SPDX-License-Identifier: MIT
#
# Reads src/commands.tab into arrays; the emitters beside this file are given to awk after it
# (awk -f table.awk -f EMITTER.awk src/commands.tab) and write in their END rule. POSIX awk.
#
#   n_commands, command[c, field]   name synopsis summary attrs
#   n_options, option[o, field]     name letter type value attrs choices help man commands
#   has(c, o)                       whether option o belongs to command c
#   attr(attrs, key)                the value of key=VALUE, 1 for a bare key, "" when absent

function fail(why)
{
    printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
    failed = 1
    exit 1
}

function attr(attrs, key,    n, i, word, at)
{
    n = split(attrs, word, " ")
    for (i = 1; i <= n; i++) {
        if (word[i] == key)
            return 1
        at = index(word[i], "=")
        if (at > 0 && substr(word[i], 1, at - 1) == key)
            return substr(word[i], at + 1)
    }
    return ""
}

function has(c, o)
{
    return option[o, "commands"] == "*" ||
           index("," option[o, "commands"] ",", "," command[c, "name"] ",") > 0
}

# A command's name as part of a C identifier.
function symbol(name)
{
    gsub(/-/, "_", name)
    return name
}

# Every word of attrs is one of known, written " a b= c ".
function check_attrs(attrs, known,    n, i, word, key)
{
    n = split(attrs, word, " ")
    for (i = 1; i <= n; i++) {
        key = word[i]
        sub(/=.*/, "=", key)
        if (index(known, " " key " ") == 0)
            fail("unknown attribute " word[i])
    }
}

function add_command()
{
    if (NF != 5)
        fail("a command has 5 columns, this has " NF)
    n_commands++
    command[n_commands, "name"] = $2
    command[n_commands, "synopsis"] = $3
    command[n_commands, "attrs"] = $4
    command[n_commands, "summary"] = $5
    known_command[$2] = 1
    check_attrs($4, " operands= usage= stop-at-operand numeric-operands complete= ")
}

function check_commands(list,    n, i, word)
{
    n = split(list, word, ",")
    for (i = 1; i <= n; i++)
        if (list != "*" && !(word[i] in known_command))
            fail("unknown command " word[i])
}

function add_option()
{
    if (NF != 8)
        fail("an option has 8 columns, this has " NF)
    if ($3 !~ /^--[a-z][a-z-]*$/ || $4 !~ /^(-[a-zA-Z])?$/)
        fail("bad option name " $3 " " $4)
    if ($5 !~ /^(flag|text|id|duration|size|number|choice|label)$/)
        fail("unknown type " $5)
    if (($5 == "flag") != ($6 == ""))
        fail("flags have no value, all others have one")
    check_commands($2)
    check_attrs($7, " choices= min= max= inf repeatable pending hint= ")
    if (($5 == "choice") != (attr($7, "choices") != ""))
        fail("choices belong to a choice")
    n_options++
    option[n_options, "commands"] = $2
    option[n_options, "name"] = substr($3, 3)
    option[n_options, "letter"] = substr($4, 2)
    option[n_options, "type"] = $5
    option[n_options, "value"] = $6
    option[n_options, "attrs"] = $7
    option[n_options, "choices"] = attr($7, "choices")
    option[n_options, "help"] = $8
    option[n_options, "man"] = ""
}

BEGIN { FS = "[ \t]*[|][ \t]*" }

/^#/ || /^[ \t]*$/ { next }

/^[ \t]/ {
    if (n_options == 0)
        fail("text without an option")
    sub(/^[ \t]+/, "")
    option[n_options, "man"] = option[n_options, "man"] $0 "\n"
    next
}

{
    sub(/[ \t]+$/, "")
    for (i = 2; i <= NF; i++)
        if ($i == "-")
            $i = ""
    if ($1 == "command")
        add_command()
    else if ($1 == "option")
        add_option()
    else
        fail("neither command nor option: " $1)
}
