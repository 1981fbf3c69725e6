# SPDX-License-Identifier: MIT
# commands.gen.h: option ids, the indices of choices, the command functions.

function upper(text)
{
    gsub(/[^A-Za-z0-9]/, "_", text)
    return toupper(text)
}

# One enum per choice option and command: CHOICE_RUN_FORWARD_REDACTED = 0, …
function put_choices(c, o,    n, i, word, prefix)
{
    prefix = "CHOICE_" upper(command[c, "name"]) "_" upper(option[o, "name"]) "_"
    n = split(option[o, "choices"], word, ",")
    printf "\nenum {"
    for (i = 1; i <= n; i++) {
        sub(/^!/, "", word[i])
        printf "%s\n    %s%s", (i > 1 ? "," : ""), prefix, upper(word[i])
    }
    printf "\n};\n"
}

END {
    if (failed)
        exit 1
    print "// SPDX-License-Identifier: MIT"
    print "/* Made from src/commands.tab. */"
    print "#ifndef COMMANDS_GEN_H\n#define COMMANDS_GEN_H\n"
    print "#include <stddef.h>\n\n#include \"cmd/cmd.h\"\n"
    printf "enum option_id {"
    for (o = 1; o <= n_options; o++)
        if (!(option[o, "name"] in seen)) {
            printf "%s\n    OPT_%s", (o > 1 ? "," : ""), upper(option[o, "name"])
            seen[option[o, "name"]] = 1
        }
    print "\n};"
    for (c = 1; c <= n_commands; c++)
        for (o = 1; o <= n_options; o++)
            if (option[o, "type"] == "choice" && has(c, o))
                put_choices(c, o)
    print "\nextern const struct command commands[];\nextern const size_t n_commands;\n"
    for (c = 1; c <= n_commands; c++)
        printf "int cmd_%s(const struct cmd_args *args) MUST_USE;\n", symbol(command[c, "name"])
    print "\n#endif"
}
