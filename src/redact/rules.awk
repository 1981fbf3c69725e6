# SPDX-License-Identifier: MIT
# rules.tab -> redact_rules.gen.h: items, classes, anchors and the search's byte and nibble
# masks. POSIX awk; numbers of more than one bit are sums, for it has no bit operators.

function fail(why) { printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"; bad = 1; exit 1 }

function hex(text,    i, value) {
    value = 0
    for (i = 1; i <= length(text); i++)
        value = value * 16 + index("0123456789abcdef", tolower(substr(text, i, 1))) - 1
    return value
}

# One byte of `text` at `at`, escapes undone; leaves the place after it in `next_at`.
function byte_at(text, at,    c) {
    c = substr(text, at, 1)
    next_at = at + 1
    if (c != "\\")
        return ord[c]
    c = substr(text, at + 1, 1)
    next_at = at + 2
    if (c != "x")
        return ord[c]
    next_at = at + 4
    return hex(substr(text, at + 2, 2))
}

function set_clear(    i) { for (i = 0; i < 256; i++) member[i] = 0 }

function set_add(byte) { member[byte] = 1 }

function set_add_folded(byte) {
    set_add(byte)
    if (fold && byte >= 65 && byte <= 90)
        set_add(byte + 32)
    if (fold && byte >= 97 && byte <= 122)
        set_add(byte - 32)
}

# A class at text[at] == "[": fills member, leaves the place after it in next_at.
function parse_class(text, at,    negated, from, to, i, end, c) {
    set_clear()
    at++
    negated = substr(text, at, 1) == "^"
    at += negated
    while (substr(text, at, 1) != "]") {
        if (at > length(text))
            fail("class without end")
        c = substr(text, at, 2)
        if (c == "\\s" || c == "\\C") {
            for (i = 0; i < 256; i++)
                if (c == "\\s" ? (i == 32 || (i >= 9 && i <= 13)) : (i < 32 || i == 127))
                    set_add(i)
            at += 2
            continue
        }
        from = to = byte_at(text, at)
        at = next_at
        if (substr(text, at, 1) == "-" && substr(text, at + 1, 1) != "]") {
            to = byte_at(text, at + 1)
            at = next_at
        }
        for (i = from; i <= to; i++)
            set_add(i)
    }
    end = at + 1
    if (negated)
        for (i = 0; i < 256; i++)
            member[i] = !member[i]
    next_at = end
}

# The number of the class in member.
function class_id(    i, w, b, value, text) {
    text = ""
    for (w = 0; w < 8; w++) {
        value = 0
        for (b = 31; b >= 0; b--)
            value = value * 2 + member[w * 32 + b]
        # two halves: mawk's %x stops at 2^31
        text = text sprintf("%s0x%04x%04x", w ? ", " : "", int(value / 65536), value % 65536)
    }
    if (!(text in class_of)) {
        class_text[n_classes] = text
        class_of[text] = n_classes++
    }
    return class_of[text]
}

function parse_count(text, at,    end, body, comma) {
    item_min = item_max = 1
    next_at = at
    if (substr(text, at, 1) == "*") {
        item_min = 0
        item_max = UNBOUNDED
        next_at = at + 1
    } else if (substr(text, at, 1) == "{") {
        end = index(substr(text, at), "}") + at - 1
        body = substr(text, at + 1, end - at - 1)
        comma = index(body, ",")
        item_min = item_max = body + 0
        if (comma) {
            item_min = substr(body, 1, comma - 1) + 0
            item_max = comma == length(body) ? UNBOUNDED : substr(body, comma + 1) + 0
        }
        next_at = end + 1
    }
}

function parse_pattern(text,    at, first, close_item, open_item, last_needed, c, i, flags) {
    first = n_items
    open_item = close_item = last_needed = -1
    at = 1
    chains = 0
    while (at <= length(text)) {
        c = substr(text, at, 1)
        if (c == "(") {
            open_item = n_items
            at++
            continue
        }
        if (c == "@" && at == length(text)) {
            chains = 1
            return first
        }
        if (c == ")") {
            close_item = n_items - 1
            at++
            continue
        }
        set_clear()
        flags = ""
        if (substr(text, at, 2) == "\\G") {
            set_add(32)
            set_add(9)
            item_min = 0
            item_max = 64
            flags = "|ITEM_GAP"
            next_at = at + 2
        } else if (substr(text, at, 2) == "\\Q") {
            set_add(34); set_add(39); set_add(92); set_add(91); set_add(40); set_add(96)
            item_min = 0
            item_max = 8
            next_at = at + 2
        } else {
            if (c == "[")
                parse_class(text, at)
            else
                set_add_folded(byte_at(text, at))
            parse_count(text, next_at)
        }
        at = next_at
        while ((c = substr(text, at, 1)) == "~" || c == "!") {
            flags = flags (c == "~" ? "|ITEM_EVIDENCE" : "|ITEM_COMMIT")
            at++
        }
        if (item_min > 0)
            last_needed = n_items
        item_class[n_items] = class_id()
        item_low[n_items] = item_min
        item_high[n_items] = item_max
        item_flags[n_items] = flags
        n_items++
    }
    if (open_item < 0 || close_item < open_item || item_low[open_item] == 0)
        fail("pattern without a secret, or one that may be empty")
    item_flags[open_item] = item_flags[open_item] "|ITEM_OPEN"
    item_flags[close_item] = item_flags[close_item] "|ITEM_CLOSE"
    # From here on what was read is a secret by itself.
    if (last_needed <= close_item)
        for (i = last_needed; i < n_items; i++)
            item_flags[i] = item_flags[i] "|ITEM_ARM"
    return first
}

function mask_add(pos, byte, bucket,    key) {
    key = pos " " byte " " bucket
    if (!(key in byte_seen)) {
        byte_seen[key] = 1
        byte_mask[pos, byte] += 2 ^ bucket
    }
    key = pos " lo " (byte % 16) " " bucket
    if (!(key in byte_seen)) {
        byte_seen[key] = 1
        nibble_mask[pos, 0, byte % 16] += 2 ^ bucket
    }
    key = pos " hi " int(byte / 16) " " bucket
    if (!(key in byte_seen)) {
        byte_seen[key] = 1
        nibble_mask[pos, 1, int(byte / 16)] += 2 ^ bucket
    }
}

# The search never finds this one; a pattern's "@" leads to it.
function add_inner_anchor() {
    anchor_text[n_anchors] = ""
    anchor_len[n_anchors] = 0
    anchor_flags[n_anchors] = "|ANCHOR_INNER"
    anchor_first[n_anchors] = n_rules
    anchor_rules[n_anchors] = 0
    n_anchors++
}

function add_anchor(text, flags,    at, n, i, byte, bytes) {
    n = 0
    for (at = 1; at <= length(text); at = next_at)
        bytes[n++] = byte_at(text, at)
    if (n < 3 || n > ANCHOR_MAX)
        fail("anchor of fewer than 3 or too many bytes")
    anchor_text[n_anchors] = ""
    for (i = 0; i < n; i++)
        anchor_text[n_anchors] = anchor_text[n_anchors] sprintf("\\%03o", bytes[i])
    anchor_len[n_anchors] = n
    for (i = 0; i < 3; i++) {
        byte = bytes[n - 3 + i]
        mask_add(i, byte, n_anchors % 8)
        if (flags ~ /i/ && byte >= 97 && byte <= 122)
            mask_add(i, byte - 32, n_anchors % 8)
    }
    if (flags ~ /i/ && text != tolower(text))
        fail("an anchor that ignores case is written in lower case")
    anchor_flags[n_anchors] = (flags ~ /i/ ? "|ANCHOR_FOLD" : "") \
        (flags ~ /w/ ? "|ANCHOR_WORD" : "") (flags ~ /s/ ? "|ANCHOR_SCHEME" : "") \
        (flags ~ /p/ ? "|ANCHOR_PEM" : "")
    anchor_first[n_anchors] = n_rules
    anchor_rules[n_anchors] = 0
    n_anchors++
}

BEGIN {
    UNBOUNDED = 65535
    ANCHOR_MAX = 32
    n_items = n_classes = n_rules = n_names = n_anchors = 0
    last_anchor = ""
    for (i = 1; i < 256; i++)
        ord[sprintf("%c", i)] = i
}

/^[ \t]*(#|$)/ { next }

NF != 5 { fail("five columns wanted") }

{
    if (!($1 in name_id)) {
        names[n_names] = $1
        name_id[$1] = n_names++
    }
    if ($2 == "@" && last_anchor !~ /^@/)
        add_inner_anchor()
    else if ($2 != "@" && $2 " " $3 != last_anchor)
        add_anchor($2, $3)
    last_anchor = $2 " " $3
    if ($3 ~ /p/)
        next
    fold = $3 ~ /i/
    split($4 == "-" ? "0,0,0" : $4, ev, ",")
    rule_first[n_rules] = parse_pattern($5)
    item_flags[n_items - 1] = item_flags[n_items - 1] "|ITEM_LAST"
    # An "@" leads to the inner anchor that follows its own.
    rule_text[n_rules] = sprintf("{%d, %d, %d, %d, %d, %d, %d}", rule_first[n_rules],
                                 n_items - rule_first[n_rules], name_id[$1],
                                 chains ? n_anchors : 0, ev[1], ev[2], ev[3])
    n_rules++
    anchor_rules[n_anchors - 1]++
}

END {
    if (bad)
        exit 1
    print "/* Made from src/redact/rules.tab by rules.awk. */"
    printf "enum { N_RULES = %d, N_RULE_NAMES = %d, N_ANCHORS = %d };\n\n", n_rules, n_names, n_anchors
    print "const char *const rule_names[N_RULE_NAMES] = {"
    for (i = 0; i < n_names; i++)
        printf "    \"%s\",\n", names[i]
    printf "};\n\nconst uint32_t rule_classes[%d][8] = {\n", n_classes
    for (i = 0; i < n_classes; i++)
        printf "    {%s},\n", class_text[i]
    printf "};\n\nconst struct rule_item rule_items[%d] = {\n", n_items
    for (i = 0; i < n_items; i++)
        printf "    {rule_classes[%d], %d, %d, 0%s},\n", item_class[i], item_low[i], item_high[i], item_flags[i]
    printf "};\n\nconst struct rule rules[N_RULES] = {\n"
    for (i = 0; i < n_rules; i++)
        printf "    %s,\n", rule_text[i]
    printf "};\n\nconst struct anchor anchors[N_ANCHORS] = {\n"
    for (i = 0; i < n_anchors; i++)
        printf "    {\"%s\", %d, 0%s, %d, %d},\n", anchor_text[i], anchor_len[i], anchor_flags[i],
               anchor_first[i], anchor_rules[i]
    printf "};\n\nconst uint8_t anchor_bytes[3][256] = {\n"
    for (p = 0; p < 3; p++) {
        printf "    {"
        for (i = 0; i < 256; i++)
            printf "%d,%s", byte_mask[p, i], i % 32 == 31 ? "\n     " : ""
        print "},"
    }
    printf "};\n\nconst uint8_t anchor_nibbles[3][2][16] = {\n"
    for (p = 0; p < 3; p++) {
        printf "    {"
        for (h = 0; h < 2; h++) {
            printf "{"
            for (i = 0; i < 16; i++)
                printf "%d,", nibble_mask[p, h, i]
            printf "}, "
        }
        print "},"
    }
    print "};\n\nconst size_t rule_name_count = N_RULE_NAMES;\nconst size_t anchor_count = N_ANCHORS;"
}
