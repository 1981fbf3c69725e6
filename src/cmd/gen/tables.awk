# SPDX-License-Identifier: MIT
# commands.gen.c: the tables of struct option_spec and struct command.

function upper(text)
{
    gsub(/[^A-Za-z0-9]/, "_", text)
    return toupper(text)
}

function quote(text)
{
    gsub(/\\/, "\\\\", text)
    gsub(/"/, "\\\"", text)
    return "\"" text "\""
}

# "64k", "1ms", "10s", "1024" as a C expression: awk's numbers end at 2^53.
function bound(text, type,    digits, unit)
{
    digits = text
    sub(/[a-zA-Z]+$/, "", digits)
    unit = substr(text, length(digits) + 1)
    if (digits !~ /^[0-9]+$/)
        bad("bad bound " text)
    if (unit == "" && type != "duration")
        return "UINT64_C(" digits ")"
    if (!((type, unit) in scale))
        bad("bad unit in bound " text)
    return "UINT64_C(" digits ") * " scale[type, unit]
}

function bad(why)
{
    print FILENAME ": " why > "/dev/stderr"
    failed = 1
    exit 1
}

function put_choices(o,    n, i, word, pending)
{
    n = split(option[o, "choices"], word, ",")
    printf "static const char *const choices_%d[] = {", o
    for (i = 1; i <= n; i++) {
        if (sub(/^!/, "", word[i]))
            pending = pending " | 1u << " (i - 1)
        printf "%s, ", quote(word[i])
    }
    print "NULL};"
    pending_choices[o] = pending == "" ? "0" : substr(pending, 4)
}

function put_option(o,    attrs, type)
{
    attrs = option[o, "attrs"]
    type = option[o, "type"]
    printf "    {.id = OPT_%s, .name = %s, ", upper(option[o, "name"]), quote(option[o, "name"])
    printf ".type = OPTION_%s,\n", upper(type)
    if (option[o, "letter"] != "")
        printf "     .letter = '%s',\n", option[o, "letter"]
    if (option[o, "value"] != "")
        printf "     .value_name = %s,\n", quote(option[o, "value"])
    if (option[o, "choices"] != "")
        printf "     .choices = choices_%d, .pending_choices = %s,\n", o, pending_choices[o]
    if (attr(attrs, "min") != "")
        printf "     .min = %s,\n", bound(attr(attrs, "min"), type)
    printf "     .max = %s,\n", attr(attrs, "max") != "" ? bound(attr(attrs, "max"), type) : "INT64_MAX"
    if (attr(attrs, "inf") != "")
        print "     .allow_inf = true,"
    if (attr(attrs, "repeatable") != "")
        print "     .repeatable = true,"
    if (attr(attrs, "pending") != "")
        print "     .pending = \"not supported yet\","
    printf "     .help = %s},\n", quote(option[o, "help"])
}

function put_command(c,    name, attrs, count, range)
{
    name = command[c, "name"]
    attrs = command[c, "attrs"]
    range = attr(attrs, "operands")
    if (range == "")
        range = "0-0"
    if (split(range, count, "-") != 2)
        bad("bad operands of " name)
    printf "    {.name = %s, .synopsis = %s,\n", quote(name), quote(command[c, "synopsis"])
    printf "     .summary = %s,\n", quote(command[c, "summary"])
    printf "     .main = cmd_%s, .options = options_%s,\n", symbol(name), symbol(name)
    printf "     .n_options = sizeof(options_%s) / sizeof(options_%s[0]),\n", symbol(name), symbol(name)
    printf "     .usage_status = %d,\n", attr(attrs, "usage") != "" ? attr(attrs, "usage") : 2
    if (attr(attrs, "stop-at-operand") != "")
        print "     .stop_at_operand = true,"
    if (attr(attrs, "numeric-operands") != "")
        print "     .numeric_operands = true,"
    printf "     .min_operands = %d, .max_operands = %s},\n", count[1], \
        count[2] == "" ? "-1" : count[2]
}

BEGIN {
    scale["size", "k"] = "1024"
    scale["size", "M"] = "1048576"
    scale["duration", "ms"] = "1000000"
    scale["duration", "s"] = "1000000000"
}

END {
    if (failed)
        exit 1
    print "// SPDX-License-Identifier: MIT"
    print "/* Made from src/commands.tab. */"
    print "#include \"commands.gen.h\"\n"
    for (o = 1; o <= n_options; o++)
        if (option[o, "choices"] != "")
            put_choices(o)
    for (c = 1; c <= n_commands; c++) {
        printf "\nstatic const struct option_spec options_%s[] = {\n", symbol(command[c, "name"])
        for (o = 1; o <= n_options; o++)
            if (has(c, o))
                put_option(o)
        print "};"
    }
    print "\nconst struct command commands[] = {"
    for (c = 1; c <= n_commands; c++)
        put_command(c)
    print "};"
    print "const size_t n_commands = sizeof(commands) / sizeof(commands[0]);"
}
