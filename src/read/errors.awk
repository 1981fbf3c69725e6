# SPDX-License-Identifier: MIT
# errors.tab -> read_errors.gen.h. POSIX awk, to be run in the C locale: what it handles are bytes.

function fail(why) { printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"; bad = 1; exit 1 }

function quoted(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/"/, "\\\"", text)
    gsub(/\t/, "\\t", text)
    gsub(/\?/, "\\?", text)
    return "\"" text "\""
}

# How much a byte tells: letters that stand in every line tell little.
function weight(c) {
    if (c ~ /[ aeioutnrsl]/) return 1
    if (c ~ /[a-z]/) return 3
    if (c ~ /[A-Z0-9]/) return 4
    return 5
}

# The three bytes of a pattern's own text that tell most, in anchor[row].
function find_anchor(row, pattern,    at, c, run, i, worth, best) {
    best = 0
    run = ""
    for (at = 1; at <= length(pattern) + 1; at++) {
        c = substr(pattern, at, 1)
        if (c == "%" && substr(pattern, at + 1, 1) == "{") {
            i = index(substr(pattern, at), "}")
            run = substr(pattern, at + 2, i - 3)
            at += i - 1
            continue
        }
        if (c == "%" && substr(pattern, at + 1, 1) ~ /[<>]/) {
            at++
            continue
        }
        if (c == "%" && substr(pattern, at + 1, 1) == "%")
            at++
        else if (c == "%" || c == "") {
            for (i = 1; i <= length(run) - 2; i++) {
                worth = weight(substr(run, i, 1)) + weight(substr(run, i + 1, 1)) + \
                    weight(substr(run, i + 2, 1))
                if (worth > best) {
                    best = worth
                    anchor[row] = substr(run, i, 3)
                }
            }
            run = ""
            at++
            continue
        }
        run = run c
    }
    if (!best)
        fail("no three bytes in a row to find this pattern by")
}

function check_pattern(pattern,    text) {
    text = pattern
    gsub(/%%|%\{[^}%]+\}|%[fFlcnkimb*<>]/, "", text)
    if (text ~ /%/)
        fail("unknown part in a pattern: " text)
    if (pattern ~ /%m./)
        fail("%m is the rest of the line")
    if ((pattern ~ /%</) != (pattern ~ /%<.*%>/) || (pattern ~ /%>/ && pattern !~ /%</))
        fail("%< and %> go together")
}

BEGIN {
    split("drop note cascade line general suspect cause decisive", names, " ")
    for (i in names)
        is_rank[names[i]] = 1
    split("place say resay append again demote stay", names, " ")
    for (i in names)
        is_deed[names[i]] = 1
    for (i = 1; i < 256; i++)
        ord[sprintf("%c", i)] = i
    BUCKETS = 32
    n_entry = n_rows = n_states = n_foreign = n_suffixes = 0
}

/^[ \t]*(#|$)/ { next }

$1 == "foreign" { foreign[n_foreign++] = $0; sub(/^foreign /, "", foreign[n_foreign - 1]); next }

$1 == "suffix" && NF == 3 { suffix[n_suffixes] = $2; suffix_tool[n_suffixes++] = $3; next }

$1 == "state" && NF == 5 {
    if ($4 !~ /^(first|last|note)$/ || ($5 != "-" && !($5 in is_rank)))
        fail("bad state")
    state_name[++n_states] = $2
    state_id[$2] = n_states
    patience[n_states] = $3
    policy[n_states] = toupper($4)
    at_least[n_states] = $5 == "-" ? "NONE" : toupper($5)
    next
}

{
    bar = index($0, " | ")
    if (!bar || split(substr($0, 1, bar), word, " ") != 3)
        fail("want STATE TOOL DOES | PATTERN")
    pattern = substr($0, bar + 3)
    check_pattern(pattern)
    row_state[n_rows] = word[1]
    row_tool[n_rows] = word[2] == "-" ? "" : word[2]
    row_pattern[n_rows] = pattern
    does = word[3]
    row_end[n_rows] = sub(/!$/, "", does)
    row_next[n_rows] = ""
    if (i = index(does, ">")) {
        row_next[n_rows] = substr(does, i + 1)
        does = substr(does, 1, i - 1)
    }
    row_rank[n_rows] = "NONE"
    row_deeds[n_rows] = "0"
    n = split(does, deed, ",")
    for (i = 1; i <= n; i++) {
        if (n == 1 && deed[i] in is_rank)
            row_rank[n_rows] = toupper(deed[i])
        else if (deed[i] in is_deed)
            row_deeds[n_rows] = row_deeds[n_rows] " | DOES_" toupper(deed[i])
        else
            fail("unknown deed " deed[i])
    }
    if (word[1] == "-" && row_rank[n_rows] == "NONE")
        fail("only a state can go on")
    if (word[1] == "-")
        find_anchor(n_rows, pattern)
    line_of[n_rows++] = FNR
}

function state_number(name, row) {
    if (name == "" || name == "-")
        return 0
    if (!(name in state_id)) {
        FNR = line_of[row]
        fail("unknown state " name)
    }
    return state_id[name]
}

function put_row(r) {
    printf "    {%s, %s, RANK_%s, %s%s, %d},\n", quoted(row_pattern[r]), quoted(row_tool[r]),
        row_rank[r], row_deeds[r], row_end[r] ? " | DOES_END" : "", state_number(row_next[r], r)
    order[n_put++] = r
}

END {
    if (bad)
        exit 1
    print "/* Made from src/read/errors.tab by errors.awk. */"
    n_put = 0
    printf "const struct error_row error_rows[] = {\n"
    for (r = 0; r < n_rows; r++)
        if (state_number(row_state[r], r) == 0)
            put_row(r)
    n_entry = n_put
    for (s = 1; s <= n_states; s++) {
        first[s] = n_put
        for (r = 0; r < n_rows; r++)
            if (row_state[r] == state_name[s])
                put_row(r)
        count[s] = n_put - first[s]
        if (!count[s])
            fail("nothing goes on in state " state_name[s])
    }
    printf "};\n\nconst struct error_state error_states[] = {\n    {0, 0, 0, PLACE_NOTE, RANK_NONE},\n"
    for (s = 1; s <= n_states; s++)
        printf "    {%d, %d, %d, PLACE_%s, RANK_%s},\n", first[s], count[s], patience[s],
            policy[s], at_least[s]
    # Rows with the same anchor share a bucket; the search looks at few rows that way.
    for (i = 0; i < n_entry; i++) {
        a = anchor[order[i]]
        if (!(a in bucket_of))
            bucket_of[a] = n_anchors++ % BUCKETS
        b = bucket_of[a]
        for (p = 0; p < 3; p++)
            if (!((p, substr(a, p + 1, 1), b) in seen)) {
                seen[p, substr(a, p + 1, 1), b] = 1
                mask[p, ord[substr(a, p + 1, 1)]] += 2 ^ b
            }
    }
    printf "};\n\nconst struct error_anchor error_anchors[] = {\n"
    n_sorted = 0
    for (b = 0; b < BUCKETS; b++) {
        bucket_first[b] = n_sorted
        for (i = 0; i < n_entry; i++)
            if (bucket_of[anchor[order[i]]] == b) {
                printf "    {{0x%02x, 0x%02x, 0x%02x}, %d},\n", ord[substr(anchor[order[i]], 1, 1)],
                    ord[substr(anchor[order[i]], 2, 1)], ord[substr(anchor[order[i]], 3, 1)], i
                n_sorted++
            }
    }
    printf "};\n\nconst uint16_t error_buckets[%d] = {", BUCKETS + 1
    for (b = 0; b < BUCKETS; b++)
        printf "%d, ", bucket_first[b]
    printf "%d};\n\nconst uint32_t error_masks[3][256] = {\n", n_sorted
    for (p = 0; p < 3; p++) {
        printf "    {"
        for (i = 0; i < 256; i++) # in two halves: mawk's %%x stops at 2^31
            printf "0x%04x%04x,%s", int(mask[p, i] / 65536), mask[p, i] % 65536,
                i % 8 == 7 ? "\n     " : " "
        print "},"
    }
    printf "};\n\nconst char *const error_foreign[] = {\n"
    for (i = 0; i < n_foreign; i++)
        printf "    %s,\n", quoted(foreign[i])
    printf "    NULL,\n};\n\nconst struct error_suffix error_suffixes[] = {\n"
    for (i = 0; i < n_suffixes; i++)
        printf "    {%s, %s},\n", quoted(suffix[i]), quoted(suffix_tool[i])
    printf "    {NULL, NULL},\n};\n\nenum { N_ENTRY_ROWS = %d };\n", n_entry
}
