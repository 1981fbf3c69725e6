# SPDX-License-Identifier: MIT
# rules.tab -> redact_rules.gen.h: items, classes, anchors, and the search's byte and nibble
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

function string_of(text,    at, out) {
    out = ""
    for (at = 1; at <= length(text); at = next_at)
        out = out sprintf("\\%03o", byte_at(text, at))
    return "\"" out "\""
}

# ---- classes ------------------------------------------------------------------------------

function set_clear(    i) { for (i = 0; i < 256; i++) member[i] = 0 }

function set_fold(    i) {
    for (i = 65; i <= 90; i++)
        if (member[i] || member[i + 32])
            member[i] = member[i + 32] = 1
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
                    member[i] = 1
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
            member[i] = 1
    }
    end = at + 1
    if (negated)
        for (i = 0; i < 256; i++)
            member[i] = !member[i]
    member[27] = 0 # escape sequences are no content
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
        class_of[text] = n_classes
        for (i = 0; i < 256; i++)
            if (member[i])
                class_has[n_classes, i] = 1
        n_classes++
    }
    return class_of[text]
}

function byte_class(byte, fold) {
    set_clear()
    member[byte] = 1
    if (fold)
        set_fold()
    return class_id()
}

function union_class(a, b,    i) {
    set_clear()
    for (i = 0; i < 256; i++)
        member[i] = ((a, i) in class_has) || ((b, i) in class_has)
    return class_id()
}

# ---- patterns -----------------------------------------------------------------------------

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

# One piece at text[at] becomes item n_items; leaves the place after it in next_at.
function parse_piece(text, at, fold,    c, flags) {
    flags = ""
    c = substr(text, at, 2)
    if (c == "\\G" || c == "\\Q") {
        set_clear()
        if (c == "\\G")
            member[32] = member[9] = 1
        else
            member[34] = member[39] = member[92] = member[91] = member[40] = member[96] = 1
        item_min = 0
        item_max = c == "\\G" ? 64 : 8
        next_at = at + 2
    } else if (substr(text, at, 1) == "[") {
        parse_class(text, at)
        parse_count(text, next_at)
    } else {
        set_clear()
        member[byte_at(text, at)] = 1
        parse_count(text, next_at)
    }
    if (fold && substr(text, at, 1) != "[")
        set_fold()
    at = next_at
    while ((c = substr(text, at, 1)) == "~" || c == "!" || c == "$") {
        if (c == "$" && at != length(text) && substr(text, at + 1, 1) != ")")
            break
        flags = flags (c == "~" ? "|ITEM_EVIDENCE" : c == "!" ? "|ITEM_COMMIT" : "|ITEM_EXACT")
        exact = exact || c == "$"
        at++
    }
    item_class[n_items] = class_id()
    item_low[n_items] = item_min
    item_high[n_items] = item_max
    item_flags[n_items] = flags
    n_items++
    next_at = at
}

# What stands before "&", turned round: the nearest first.
function parse_left(text, fold,    at, first, i, j, t, inside) {
    inside = first = n_items
    for (at = 1; at <= length(text); at = next_at) {
        if (substr(text, at, 1) == "(") {
            inside = n_items
            at++
        }
        parse_piece(text, at, fold)
    }
    row_n_inside = n_items - inside
    j = n_items - 1
    for (i = first; i < j; i++) {
        t = item_class[i]; item_class[i] = item_class[j]; item_class[j] = t
        t = item_low[i]; item_low[i] = item_low[j]; item_low[j] = t
        t = item_high[i]; item_high[i] = item_high[j]; item_high[j] = t
        j--
    }
    row_left = first
    row_n_left = n_items - first
}

function parse_right(text, fold,    at, first, close_item, open_item, last_needed, c, i) {
    first = n_items
    open_item = row_opens == "OPENS_RIGHT" ? -1 : first
    close_item = last_needed = -1
    chains = exact = 0
    for (at = 1; at <= length(text); ) {
        c = substr(text, at, 1)
        if (c == "(") {
            open_item = n_items
            at++
        } else if (c == "@" && at == length(text)) {
            chains = 1
            return first
        } else if (c == ")") {
            close_item = n_items - 1
            at++
        } else {
            parse_piece(text, at, fold)
            if (item_low[n_items - 1] > 0)
                last_needed = n_items - 1
            at = next_at
        }
    }
    if (open_item < 0 || close_item < open_item - 1 ||
        (row_opens == "OPENS_RIGHT" && (close_item < open_item || item_low[open_item] == 0)))
        fail("pattern without a secret, or one that may be empty")
    if (row_opens == "OPENS_RIGHT")
        item_flags[open_item] = item_flags[open_item] "|ITEM_OPEN"
    if (close_item >= first)
        item_flags[close_item] = item_flags[close_item] "|ITEM_CLOSE"
    for (i = open_item; i <= close_item; i++)
        item_flags[i] = item_flags[i] "|ITEM_SECRET"
    # From here on what was read is a secret by itself.
    row_arms = "false"
    if (last_needed <= close_item && !exact && row_check == "CHECK_NONE") {
        if (last_needed < 0)
            row_arms = "true"
        for (i = last_needed < 0 ? first : last_needed; i < n_items; i++)
            item_flags[i] = item_flags[i] "|ITEM_ARM"
    }
    return first
}

# Splits the pattern at "&": left side, where the secret opens, right side.
function parse_pattern(text, fold,    amp, left) {
    amp = index(text, "&")
    row_opens = "OPENS_RIGHT"
    row_left = row_n_left = row_n_inside = 0
    if (amp) {
        left = substr(text, 1, amp - 1)
        text = substr(text, amp + 1)
        if (substr(left, 1, 1) == "(") {
            row_opens = length(left) > 1 ? "OPENS_LEFT" : "OPENS_ANCHOR"
            left = substr(left, 2)
        } else if (index(left, "(") && index(left, "(") < length(left)) {
            row_opens = "OPENS_LEFT"
        } else if (substr(left, length(left), 1) == "(") {
            row_opens = "OPENS_ANCHOR"
            left = substr(left, 1, length(left) - 1)
        }
        parse_left(left, fold)
    }
    return parse_right(text, fold)
}

function parse_guard(text,    n, part, i, key, value, slash) {
    row_mix = row_digits = row_run = 0
    row_has = "0"
    row_check = "CHECK_NONE"
    row_near = row_word = "NULL"
    row_near_max = 0
    if (text == "-")
        return
    n = split(text, part, ",")
    for (i = 1; i <= n; i++) {
        key = substr(part[i], 1, index(part[i], "=") - 1)
        value = substr(part[i], index(part[i], "=") + 1)
        if (key == "mix")
            row_mix = value + 0
        else if (key == "digits")
            row_digits = value + 0
        else if (key == "run")
            row_run = value + 0
        else if (key == "has")
            row_has = (value ~ /D/ ? "HAS_DIGIT|" : "") (value ~ /U/ ? "HAS_UPPER|" : "") \
                (value ~ /L/ ? "HAS_LOWER|" : "") (value ~ /X/ ? "HAS_BEYOND_HEX|" : "") "0"
        else if (key == "check")
            row_check = "CHECK_" toupper(value)
        else if (key == "word")
            row_word = string_of(value)
        else if (key == "near") {
            match(value, /\/[0-9]+$/)
            row_near = string_of(substr(value, 1, RSTART - 1))
            row_near_max = substr(value, RSTART + 1) + 0
        } else
            fail("unknown guard " key)
    }
}

# ---- anchors ------------------------------------------------------------------------------

# The search never finds this one; a pattern's "@" leads to it.
function add_inner_anchor() {
    anchor_text[n_anchors] = "\"\""
    anchor_sets[n_anchors] = "NULL"
    anchor_len[n_anchors] = 0
    anchor_flags[n_anchors] = "|ANCHOR_INNER"
    anchor_first[n_anchors] = n_rules
    anchor_rules[n_anchors] = 0
    n_anchors++
}

function add_anchor(text, flags,    at, n, c, classes, list) {
    n = classes = 0
    list = ""
    fold_anchor = flags ~ /i/
    for (at = 1; at <= length(text); at = next_at) {
        if (substr(text, at, 1) == "[") {
            parse_class(text, at)
            if (fold_anchor)
                set_fold()
            c = class_id()
            classes = 1
        } else {
            c = byte_class(byte_at(text, at), fold_anchor)
        }
        anchor_class[n_anchors, n++] = c
        list = list sprintf("%srule_classes[%d]", n > 1 ? ", " : "", c)
    }
    if (n < 1 || n > ANCHOR_MAX)
        fail("anchor of no or too many bytes")
    if (fold_anchor && !classes && text != tolower(text))
        fail("an anchor that ignores case is written in lower case")
    anchor_sets[n_anchors] = "NULL"
    if (classes) {
        sets[n_sets] = list
        anchor_sets[n_anchors] = "anchor_sets_" n_sets++
    }
    anchor_text[n_anchors] = classes ? "\"\"" : string_of(text)
    anchor_len[n_anchors] = n
    anchor_flags[n_anchors] = (flags ~ /i/ ? "|ANCHOR_FOLD" : "") \
        (flags ~ /w/ ? "|ANCHOR_WORD" : "") (flags ~ /s/ ? "|ANCHOR_SCHEME" : "") \
        (flags ~ /p/ ? "|ANCHOR_PEM" : "") \
        (flags ~ /b/ ? "|ANCHOR_BLOCK" : "") (flags ~ /m/ ? "|ANCHOR_MASK" : "") (flags ~ /l/ ? "|ANCHOR_LINE" : "")
    anchor_first[n_anchors] = n_rules
    anchor_rules[n_anchors] = 0
    n_anchors++
}

# All anchors that start where a token may start, so that none is cut where a shorter one
# ends: the engine moves the secret behind the longer one.
function read_anchors(file,    line, f) {
    while ((getline line < file) > 0)
        if (line !~ /^[ \t]*(#|$)/ && split(line, f, /[ \t]+/) > 5)
            known_anchor[f[5]] = 1
    close(file)
}

# How much of an anchor's text to search for: it may be found early, the rest of it is then
# the first thing that its rows want. Ends it in the rarest four bytes.
function cut_length(text, flags, guard, pattern,    k, i, weight, best, best_k, w, c) {
    if (text ~ /[][\\]/ || length(text) <= 4 || pattern ~ /&/ || guard ~ /word=/ || flags ~ /[pbmn]/)
        return length(text)
    for (k = 1; k < length(text); k++)
        if (substr(text, 1, k) in known_anchor)
            return length(text)
    best = -1
    for (k = 4; k <= length(text); k++) {
        weight = 1
        for (i = k - 3; i <= k; i++) {
            c = ord[substr(text, i, 1)]
            weight *= freq[c] + (flags ~ /i/ && c >= 97 && c <= 122 ? freq[c - 32] : 0)
        }
        c = substr(text, k, 1)
        if (c !~ /[a-z0-9]/ && (best < 0 || weight < best)) {
            best = weight
            best_k = k
        }
    }
    return best < 0 || substr(text, length(text)) !~ /[a-z0-9]/ ? length(text) : best_k
}

# Text as a pattern that stands for itself.
function literal(text,    i, c, out) {
    out = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        out = out (c ~ /[A-Za-z0-9_.:=\/<>+-]/ ? c : sprintf("\\x%02x", ord[c]))
    }
    return out
}

# ---- prints -------------------------------------------------------------------------------

# The class of the k-th byte from the anchor on (0 the nearest), over all its rows, whose items
# begin at first[r]; -1: could be anything.
function side_class(a, k, first, len,    r, i, left, all, c) {
    all = -1
    for (r = anchor_first[a]; r < anchor_first[a] + anchor_rules[a]; r++) {
        left = k
        c = -1
        for (i = first[r]; i < first[r] + len[r]; i++) {
            if (left < item_low[i]) {
                c = item_class[i]
                break
            }
            if (item_low[i] != item_high[i])
                return -1
            left -= item_low[i]
        }
        if (c < 0)
            return -1
        all = all < 0 ? c : union_class(all, c)
    }
    return all
}

function right_class(a, k) {
    return side_class(a, k, rule_first, rule_len)
}

function left_class(a, k) {
    return side_class(a, k, rule_left, rule_n_left)
}

# The class of the bytes that row r may begin with, an ESC among them: those of its first items
# up to one that needs a byte.
function row_begins(r,    i, end, k) {
    end = rule_first[r] + rule_len[r]
    set_clear()
    member[27] = 1
    for (i = rule_first[r]; i < end; i++) {
        if (item_low[i] == 0 && item_flags[i] ~ /ITEM_ARM/)
            break
        for (k = 0; k < 256; k++)
            if ((item_class[i], k) in class_has)
                member[k] = 1
        if (item_low[i] > 0)
            return class_id()
    }
    for (k = 0; k < 256; k++) # with anything: nothing is needed
        member[k] = 1
    return class_id()
}

# The same of all rows of an anchor, or of those of tiers 1 and 2 alone.
function anchor_begins(a, all,    r, c) {
    c = begins_none
    for (r = anchor_first[a]; r < anchor_first[a] + anchor_rules[a]; r++)
        if (all || rule_group[r] < 3)
            c = union_class(c, rule_begins[r])
    return c
}

# The classes once more, eight to a table: bit c % 8 of byte b says that class c has it.
function print_class_bits(    t, i, k, bits) {
    printf "const uint8_t rule_class_bits[%d][256] = {\n", int((n_classes + 7) / 8)
    for (t = 0; t * 8 < n_classes; t++) {
        printf "    {"
        for (i = 0; i < 256; i++) {
            bits = 0
            for (k = 7; k >= 0; k--)
                bits = bits * 2 + (((t * 8 + k, i) in class_has) ? 1 : 0)
            printf "%d,%s", bits, i % 32 == 31 ? "\n     " : ""
        }
        print "},"
    }
    print "};\n"
}

function class_weight(c,    i, sum) {
    if (c in weight_of)
        return weight_of[c]
    sum = 0
    for (i = 0; i < 256; i++)
        if ((c, i) in class_has)
            sum += freq[i]
    return weight_of[c] = sum
}

# Chooses the four bytes to search for: print_class[a, 0..3] and anchor_late[a]. The last
# three are always known; the less behind the anchor, the better.
function choose_print(a,    late, i, at, c, weight, best, best_late) {
    best = -1
    for (late = 0; late <= LATE_MAX; late++) {
        weight = 1
        for (i = 0; i < 4; i++) {
            at = anchor_len[a] + late - 4 + i
            c = at < 0 ? left_class(a, -1 - at) : \
                at >= anchor_len[a] ? right_class(a, at - anchor_len[a]) : anchor_class[a, at]
            if (c < 0 && i > 0)
                break
            trial[late, i] = c < 0 ? all_class : c
            weight *= class_weight(trial[late, i])
        }
        if (i < 4 && late > 0 && at >= anchor_len[a])
            break
        if (i < 4)
            continue
        if (best < 0 || weight < best / 2) {
            best = weight
            best_late = late
        }
        if (anchor_len[a] >= 3)
            break
    }
    if (best < 0) {
        best_late = 0 # what surrounds it may be anything
        for (i = 0; i < 4; i++) {
            at = anchor_len[a] - 4 + i
            trial[0, i] = at < 0 ? all_class : anchor_class[a, at]
        }
    }
    anchor_late[a] = best_late
    for (i = 0; i < 4; i++)
        print_class[a, i] = trial[best_late, i]
    if (is_broad(a) && print_class[a, 0] == all_class && anchor_len[a] + best_late == 3 && \
        anchor_flags[a] ~ /WORD/ && !has_left(a))
        print_class[a, 0] = before_token
}

# Bytes that may precede a token: none of a word, or the last one of an escape written out.
function token_border(    i) {
    set_clear()
    for (i = 0; i < 256; i++)
        member[i] = !(i == 95 || (i >= 48 && i <= 57) || (i >= 65 && i <= 90) || (i >= 97 && i <= 122))
    for (i = 48; i <= 57; i++) member[i] = 1
    for (i = 65; i <= 72; i++) member[i] = member[i + 32] = 1
    split("J K m n r t v s u l h", often, " ")
    for (i = 1; i <= 11; i++) member[ord[often[i]]] = 1
    return class_id()
}

function count_class(c,    i, n) {
    n = 0
    for (i = 0; i < 256; i++)
        n += (c, i) in class_has
    return n
}

# The chance that a byte passes the nibble masks of a bucket at position i, with class c added
# if c >= 0. Takes the halves of bytes for independent.
function nibble_chance(b, i, c,    h, x, sum, product) {
    product = 1
    for (h = 0; h < 2; h++) {
        sum = 0
        for (x = 0; x < 16; x++)
            if (nibble_n[b, i, h, x] > 0 || (c >= 0 && ((c, h, x) in class_nibble)))
                sum += half_freq[h, x]
        product *= sum
    }
    return product
}

function know_nibbles(c,    i) {
    if (c in nibbles_known)
        return
    nibbles_known[c] = 1
    for (i = 0; i < 256; i++)
        if ((c, i) in class_has) {
            class_nibble[c, 0, i % 16] = 1
            class_nibble[c, 1, int(i / 16)] = 1
        }
}

function is_broad(a) {
    return count_class(print_class[a, 1]) * count_class(print_class[a, 2]) * \
        count_class(print_class[a, 3]) > 1500 || count_class(print_class[a, 3]) > 8
}

# Adds the print to a bucket, or with n = -1 takes it out again.
function bucket_add(b, a, n,    i, h, x) {
    for (i = 0; i < 4; i++)
        for (h = 0; h < 2; h++)
            for (x = 0; x < 16; x++)
                if ((print_class[a, i], h, x) in class_nibble)
                    nibble_n[b, i, h, x] += n
}

function bucket_chance(b, a,    i, weight) {
    weight = 1
    for (i = 0; i < 4; i++)
        weight *= nibble_chance(b, i, a < 0 ? -1 : print_class[a, i])
    return weight
}

# Prints that end alike share a bucket: that keeps what they have in common rare also when
# only the halves of bytes are compared. What ends in small letters and digits has several.
function bucket_group(a,    c, i, n, small, big, two) {
    c = print_class[a, 3]
    for (i = n = small = big = two = 0; i < 256; i++)
        if ((c, i) in class_has) {
            n++
            small += (i >= 97 && i <= 122) || (i >= 48 && i <= 57)
            big += i >= 65 && i <= 90
            two += i >= 32 && i < 48
        }
    if (n == 1 && ((c, 95) in class_has))
        return 0
    if (n == 1 && ((c, 45) in class_has))
        return 1
    if (n == 1 && ((c, 46) in class_has))
        return 2
    if (small + big == 0)
        return two ? 3 : 4
    if (count_class(print_class[a, 0]) > 8)
        return 5
    if (small == 0)
        return 6
    return n == 2 && big == 1 ? 7 : 8
}

# Within the group: where the chance of a hit grows least.
function choose_bucket(a,    b, i, g, growth, best, best_b) {
    g = bucket_group(a)
    for (i = 0; i < 4; i++)
        know_nibbles(print_class[a, i])
    best = -1
    for (b = group_first[g]; b < group_first[g + 1]; b++) {
        growth = bucket_chance(b, a) - bucket_chance(b, -1)
        if (best < 0 || growth < best) {
            best = growth
            best_b = b
        }
    }
    bucket_add(best_b, a, 1)
    return best_b
}

# Prints that end alike come one after the other, and so into one bucket.
function print_order(a,    i, c, k, key) {
    key = ""
    for (i = 3; i >= 0; i--) {
        c = print_class[a, i]
        for (k = 0; k < 256 && !((c, k) in class_has); k++)
            continue
        key = key sprintf("%03d", k)
    }
    return key
}

function list_class(c,    list, k) {
    if (c in list_len)
        return
    list_len[c] = bytes_of(c, list)
    for (k = 0; k < list_len[c]; k++)
        list_byte[c, k] = list[k]
}

# How likely a byte that is in the class, but not yet in the bucket, is at position i.
function whole_growth(b, i, c,    k, sum) {
    sum = 0
    for (k = 0; k < list_len[c]; k++)
        if (whole_n[b, i, list_byte[c, k]] == 0)
            sum += freq[list_byte[c, k]]
    return sum
}

# Adds the print to a bucket of whole bytes, or with n = -1 takes it out again.
function whole_add(b, a, n,    i, k, c, byte) {
    for (i = 0; i < 4; i++) {
        c = print_class[a, i]
        for (k = 0; k < list_len[c]; k++) {
            byte = list_byte[c, k]
            if (whole_n[b, i, byte] == 0)
                whole_sum[b, i] += freq[byte]
            whole_n[b, i, byte] += n
            if (whole_n[b, i, byte] == 0)
                whole_sum[b, i] -= freq[byte]
        }
    }
}

# Rules and borders are drawn with these: how likely the print is that has one four times.
function fill_runs(    i) {
    n_runs = split("- 32 = . # * _", run_byte, " ")
    split("0.009 0.01 0.004 0.002 0.001 0.001 0.001", run_freq, " ")
    for (i = 1; i <= n_runs; i++)
        run_byte[i] = run_byte[i] == 32 ? 32 : ord[run_byte[i]]
}

function whole_run(b, r, a,    i) {
    for (i = 0; i < 4; i++)
        if (whole_n[b, i, run_byte[r]] == 0 && !((print_class[a, i], run_byte[r]) in class_has))
            return 0
    return run_freq[r]
}

# The bucket where the chance of a hit grows least when whole bytes are compared.
function choose_whole(a,    b, i, now, grown, best, best_b) {
    best = -1
    for (i = 0; i < 4; i++)
        list_class(print_class[a, i])
    for (b = 0; b < BROAD; b++) {
        now = grown = 1
        for (i = 0; i < 4; i++) {
            now *= whole_sum[b, i]
            grown *= whole_sum[b, i] + whole_growth(b, i, print_class[a, i])
        }
        for (i = 1; i <= n_runs; i++)
            grown += whole_run(b, i, a) - whole_run(b, i, -1)
        if (best < 0 || grown - now < best) {
            best = grown - now
            best_b = b
        }
    }
    whole_add(best_b, a, 1)
    return best_b
}

# Level by level, as if there were no others.
function assign_whole(    level, sweep, a) {
    for (level = 0; level < LEVELS; level++)
        for (sweep = 0; sweep < SWEEPS; sweep++)
            for (a = 0; a < n_anchors; a++) {
                if (anchor_len[a] == 0 || anchor_level[a] != level)
                    continue
                if (sweep > 0 && anchor_whole[a] < BROAD)
                    whole_add(anchor_whole[a], a, -1)
                anchor_whole[a] = is_broad(a) ? BROAD : choose_whole(a)
            }
}

# By level, so that those of the default know nothing of the others.
function assign_buckets(    a, n, i, key, order, keys, sweep) {
    n = 0
    for (a = 0; a < n_anchors; a++) {
        if (anchor_len[a] == 0)
            continue
        key = anchor_level[a] print_order(a)
        for (i = n++; i > 0 && keys[i - 1] > key; i--) {
            keys[i] = keys[i - 1]
            order[i] = order[i - 1]
        }
        keys[i] = key
        order[i] = a
    }
    for (sweep = 0; sweep < SWEEPS; sweep++)
        for (i = 0; i < n; i++) {
            a = order[i]
            if (is_broad(a)) {
                anchor_bucket[a] = BROAD
                continue
            }
            if (sweep > 0)
                bucket_add(anchor_bucket[a], a, -1)
            anchor_bucket[a] = choose_bucket(a)
        }
}

function mask_add(level, pos, byte, bucket,    key, half) {
    half = int(bucket / 8)
    key = level " " pos " " byte " " bucket
    if (bucket == BROAD && !(key in mask_seen)) {
        mask_seen[key] = 1
        byte_mask[level, pos, byte] = 1
    }
    key = level " " pos " lo " (byte % 16) " " bucket
    if (!(key in mask_seen)) {
        mask_seen[key] = 1
        nibble_mask[level, half, pos, 0, byte % 16] += 2 ^ (bucket % 8)
    }
    key = level " " pos " hi " int(byte / 16) " " bucket
    if (!(key in mask_seen)) {
        mask_seen[key] = 1
        nibble_mask[level, half, pos, 1, int(byte / 16)] += 2 ^ (bucket % 8)
    }
}

# The same for whole bytes. What has the high bit is not told apart.
function whole_mask(level, pos, byte, bucket,    half, key) {
    half = int(bucket / 8)
    if (byte >= 128)
        byte = 128
    key = level " " pos " whole " byte " " bucket
    if (key in mask_seen)
        return
    mask_seen[key] = 1
    whole_bits[level, half, pos, byte] += 2 ^ (bucket % 8)
}

function mask_anchor(a,    level, i, byte) {
    for (level = anchor_level[a]; level < LEVELS; level++) {
        for (i = 0; i < 4; i++)
            for (byte = 0; byte < 256; byte++)
                if ((print_class[a, i], byte) in class_has) {
                    mask_add(level, i, byte, anchor_bucket[a])
                    whole_mask(level, i, byte, anchor_whole[a])
                }
        if (anchor_bucket[a] < BROAD)
            hash_print(a, level)
        else
            know_ahead(a, level)
    }
}

# What may stand in the bytes behind a broad print; an escape sequence always may.
function know_ahead(a, level,    k, c, i) {
    broad_next[level, 27] = 1
    for (k = 0; k < AHEAD; k++) {
        c = right_class(a, anchor_late[a] + k)
        for (i = 0; i < 256; i++)
            if (c < 0 || ((c, i) in class_has))
                broad_next[level, i] = 1
    }
}

function bytes_of(c, list,    i, n) {
    n = 0
    for (i = 0; i < 256; i++)
        if ((c, i) in class_has)
            list[n++] = i
    return n
}

# The hash of rules.h; its factor has 20 bits, so that the product is exact.
# As rules.h has it.
function print_hash(bytes) {
    return int((bytes * 648055) % 4294967296 / 65536)
}

function hash_add(level, which, bytes,    h, key) {
    h = print_hash(bytes)
    key = level " " which " " h
    if (!(key in hash_seen)) {
        hash_seen[key] = 1
        hash_word[level, which, int(h / 32)] += 2 ^ (h % 32)
    }
}

function hash_print(a, level,    which, x, b, c, d, l, n, m, o, i, j, k, q) {
    l = bytes_of(print_class[a, 0], x)
    which = l > 4 ? "most" : "whole"
    if (l > 4)
        l = 1
    n = bytes_of(print_class[a, 1], b)
    m = bytes_of(print_class[a, 2], c)
    o = bytes_of(print_class[a, 3], d)
    for (q = 0; q < l; q++)
        for (i = 0; i < n; i++)
            for (j = 0; j < m; j++)
                for (k = 0; k < o; k++) {
                    hash_add(level, "three", b[i] + c[j] * 256 + d[k] * 65536)
                    hash_add(level, which, which == "most" ? \
                             b[i] + c[j] * 256 + d[k] * 65536 : \
                             x[q] + b[i] * 256 + c[j] * 65536 + d[k] * 16777216)
                }
}

# How often bytes occur in build output, roughly.
function fill_freq(    i, sum) {
    for (i = 0; i < 256; i++)
        freq[i] = i < 32 ? 0.0002 : i >= 127 ? 0.0005 : 0.002
    for (i = 97; i <= 122; i++) freq[i] = 0.02
    for (i = 65; i <= 90; i++) freq[i] = 0.005
    for (i = 48; i <= 57; i++) freq[i] = 0.02
    split("e t a o i n s r", often, " ")
    for (i = 1; i <= 8; i++) freq[ord[often[i]]] = 0.045
    split("l c d u m p", often, " ")
    for (i = 1; i <= 6; i++) freq[ord[often[i]]] = 0.03
    freq[32] = 0.12; freq[47] = 0.025; freq[46] = 0.025; freq[45] = 0.025; freq[95] = 0.015
    freq[58] = 0.015; freq[61] = 0.008; freq[10] = 0.013; freq[27] = 0.004
    for (i = 0; i < 256; i++) sum += freq[i]
    for (i = 0; i < 256; i++) {
        freq[i] /= sum
        half_freq[0, i % 16] += freq[i]
        half_freq[1, int(i / 16)] += freq[i]
    }
}

BEGIN {
    UNBOUNDED = 65535
    ANCHOR_MAX = 64
    LATE_MAX = 3
    split("three whole most", table_name, " ")
    LEVELS = 3
    KEYS = 8192 # ANCHOR_KEYS
    BROAD = 15
    AHEAD = 8 # FINDER_AHEAD
    split("0 1 3 4 5 6 8 10 11 15", group_first_, " ")
    for (i = 1; i <= 10; i++)
        group_first[i - 1] = group_first_[i] + 0
    SWEEPS = 3
    n_items = n_classes = n_rules = n_names = n_anchors = n_sets = n_inner = 0
    last_anchor = ""
    for (i = 1; i < 256; i++)
        ord[sprintf("%c", i)] = i
    fill_freq()
    read_anchors(ARGV[1])
    set_clear()
    for (i = 0; i < 256; i++)
        member[i] = 1
    all_class = class_id()
    before_token = token_border()
    n_groups = split("1 2 3 email phone card iban home", group_name, " ")
    for (i = 1; i <= n_groups; i++)
        group_id[group_name[i]] = i - 1
}

/^[ \t]*(#|$)/ { next }

NF < 6 { fail("six columns and a description wanted") }

{
    if (!($2 in group_id))
        fail("unknown group " $2)
    if ($5 != "@") {
        cut = cut_length($5, $3, $4, $6)
        if (cut < length($5)) {
            $6 = literal(substr($5, cut + 1)) $6
            $5 = substr($5, 1, cut)
        }
    }
    if (!($1 in name_id)) {
        about = index($0, " -- ") ? substr($0, index($0, " -- ") + 4) : ""
        if (about == "")
            fail("the first row of a rule describes it")
        gsub(/["\\]/, "\\\\&", about)
        names[n_names] = $1
        name_about[n_names] = about
        name_group[n_names] = group_id[$2]
        name_id[$1] = n_names++
    } else if (name_group[name_id[$1]] != group_id[$2])
        fail("a rule is of one group")
    if ($3 ~ /n/)
        next
    if ($5 == "@" && last_anchor !~ /^@/)
        add_inner_anchor()
    else if ($5 != "@" && $5 " " $3 != last_anchor) {
        anchor_level[n_anchors] = LEVELS
        add_anchor($5, $3)
    }
    last_anchor = $5 " " $3
    level = group_id[$2] < 2 ? 0 : group_id[$2] == 2 ? 1 : 2
    if (level < anchor_level[n_anchors - 1])
        anchor_level[n_anchors - 1] = level
    if ($3 ~ /p/)
        next
    if ($3 ~ /[bm]/) {
        rule_text[n_rules++] = sprintf("{.name = %d}", name_id[$1])
        next
    }
    parse_guard($4)
    rule_first[n_rules] = parse_pattern($6, $3 ~ /i/)
    rule_len[n_rules] = n_items - rule_first[n_rules]
    rule_left[n_rules] = row_left
    rule_n_left[n_rules] = row_n_left
    if (rule_len[n_rules] > 0)
        item_flags[n_items - 1] = item_flags[n_items - 1] "|ITEM_LAST"
    rule_begins[n_rules] = row_begins(n_rules)
    rule_group[n_rules] = $2 ~ /^[12]$/ ? $2 : 3
    if (row_opens != "OPENS_RIGHT") {
        inner_rule[n_inner] = n_rules
        inner_anchor[n_inner++] = n_anchors - 1
    }
    # An "@" leads to the inner anchor that follows its own.
    rule_text[n_rules] = sprintf("{%d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %s, %s, %s, %s, %d, %s, %s}",
                                 rule_first[n_rules], rule_len[n_rules], rule_begins[n_rules],
                                 row_left, row_n_left, row_n_inside, name_id[$1], chains ? n_anchors : 0, row_mix, row_digits,
                                 row_run, row_has, row_check, row_opens, row_arms, row_near_max,
                                 row_near, row_word)
    n_rules++
    anchor_rules[n_anchors - 1]++
}

# One byte of a class in hexadecimal, and the bits that all of them share: a letter in both
# cases has one value, too. Anything else may be anything.
function one_byte(c,    n, list) {
    n = bytes_of(c, list)
    if (n == 1)
        return sprintf("%02x ff", list[0])
    if (n == 2 && list[1] == list[0] + 32 && int(list[0] / 32) % 2 == 0)
        return sprintf("%02x df", list[0])
    return "00 00"
}

# The eight bytes up to the place, the first the lowest: of the print and what precedes it of the
# anchor. Sets entry_whole: with these all of the anchor is known.
function entry_text(a,    i, at, len, text, mask, part) {
    len = anchor_len[a] + anchor_late[a]
    text = mask = ""
    entry_whole = len <= 8
    for (i = 0; i < 8; i++) {
        at = len - 8 + i
        part = i >= 4 ? one_byte(print_class[a, i - 4]) : at >= 0 ? one_byte(anchor_class[a, at]) : "00 00"
        text = substr(part, 1, 2) text
        mask = substr(part, 4, 2) mask
        if (at >= 0 && at < anchor_len[a] && substr(part, 4, 2) == "00")
            entry_whole = 0
    }
    return "0x" text ", 0x" mask
}

function entry(a,    text, flags) {
    text = entry_text(a)
    flags = (entry_whole ? "ENTRY_WHOLE|" : "") \
        (anchor_flags[a] ~ /WORD/ && !has_left(a) ? "ENTRY_WORD|" : "") "0"
    return sprintf("{%s, %d, %d, %d, %d, %s}, ", text, a, anchor_len[a] + anchor_late[a], anchor_late[a], anchor_level[a], flags)
}

function has_left(a,    r) {
    for (r = anchor_first[a]; r < anchor_first[a] + anchor_rules[a]; r++)
        if (rule_n_left[r] > 0)
            return 1
    return 0
}

function inner_class(k,    c, i, a, r) {
    a = inner_anchor[k]
    r = inner_rule[k]
    c = anchor_class[a, 0]
    for (i = 1; i < anchor_len[a]; i++)
        c = union_class(c, anchor_class[a, i])
    for (i = rule_left[r]; i < rule_left[r] + rule_n_left[r]; i++)
        c = union_class(c, item_class[i])
    for (i = 0; i < anchor_late[a]; i++)
        c = union_class(c, right_class(a, i))
    return c
}

function print_whole(level,    half, p, i) {
    print "}, .broad_next = {"
    for (i = 0; i < 256; i++)
        printf "%d,%s", broad_next[level, i], i % 32 == 31 ? "\n     " : ""
    print "}, .whole_bytes = {"
    for (half = 0; half < 2; half++) {
        printf "    {"
        for (p = 0; p < 4; p++) {
            printf "{"
            for (i = 0; i < 128; i++)
                printf "%d,%s", whole_bits[level, half, p, i], i % 32 == 31 ? "\n      " : ""
            print "},"
        }
        print "    },"
    }
    print "}, .high_bytes = {"
    for (half = 0; half < 2; half++) {
        printf "    {"
        for (p = 0; p < 4; p++)
            printf "%d,", whole_bits[level, half, p, 128]
        print "},"
    }
}

function print_masks(    level, p, i, h, half) {
    print "const struct finder_tables finder_tables[N_LEVELS] = {"
    for (level = 0; level < LEVELS; level++) {
        print "{.bytes = {"
        for (p = 0; p < 4; p++) {
            printf "    {"
            for (i = 0; i < 256; i++)
                printf "%d,%s", byte_mask[level, p, i], i % 32 == 31 ? "\n     " : ""
            print "},"
        }
        print "}, .nibbles = {"
        for (half = 0; half < 2; half++) {
            printf "    {"
            for (p = 0; p < 4; p++) {
                printf "{"
                for (h = 0; h < 2; h++) {
                    printf "{"
                    for (i = 0; i < 16; i++)
                        printf "%d,", nibble_mask[level, half, p, h, i]
                    printf "}, "
                }
                print "},"
            }
            print "    },"
        }
        print_whole(level)
        for (h = 1; h <= 3; h++) {
            printf "}, .%s = {\n    ", table_name[h]
            for (i = 0; i < 2048; i++)
                printf "%.0fU,%s", hash_word[level, table_name[h], i], i % 8 == 7 ? "\n    " : ""
        }
        print "}},"
    }
    print "};\n"
}

function index_anchor(a,    c, d, f, i, j, q, n, m, l, k) {
    n = bytes_of(print_class[a, 1], c)
    m = bytes_of(print_class[a, 2], d)
    l = bytes_of(print_class[a, 3], f)
    for (i = 0; i < n; i++)
        for (j = 0; j < m; j++)
            for (q = 0; q < l; q++) {
                k = print_hash(c[i] + d[j] * 256 + f[q] * 65536) % KEYS
                if (!((k, a) in key_seen)) {
                    key_seen[k, a] = 1
                    key_list[k] = key_list[k] entry(a)
                    key_count[k]++
                }
            }
}

# The broad ones come last.
function print_index(    k, a, n, level, broad, n_broad) {
    for (level = 0; level < LEVELS; level++)
        for (a = 0; a < n_anchors; a++) {
            if (anchor_len[a] == 0 || anchor_level[a] != level)
                continue
            if (is_broad(a)) {
                broad = broad entry(a)
                n_broad++
            } else {
                index_anchor(a)
            }
        }
    n = 0
    printf "const uint16_t anchor_index[ANCHOR_KEYS + 1] = {"
    for (k = 0; k <= KEYS; k++) {
        printf "%d,%s", n, k % 16 == 15 ? "\n    " : ""
        n += key_count[k]
    }
    printf "};\n\nconst struct anchor_entry anchor_list[%d] = {\n    ", n + n_broad
    for (k = 0; k < KEYS; k++)
        if (key_count[k] > 0)
            printf "%s\n    ", key_list[k]
    printf "%s};\n\nconst uint16_t anchor_list_len = %d;\n\n", broad, n + n_broad
}

# Spelt-out tokens' anchors by their first byte: public prefixes, for look.c.
function print_prefixes(    a, i, n, list) {
    for (a = 1; a < n_anchors; a++)
        if (anchor_len[a] > 0 && anchor_sets[a] == "NULL" && anchor_flags[a] ~ /WORD/ && \
            anchor_flags[a] !~ /INNER|FOLD/) {
            bytes_of(anchor_class[a, 0], list)
            prefixes[list[0]] = prefixes[list[0]] a ","
            prefix_count[list[0]]++
        }
    printf "const uint16_t prefix_index[257] = {"
    for (i = n = 0; i <= 256; i++) {
        printf "%d,%s", n, i % 16 == 15 ? "\n    " : ""
        n += prefix_count[i]
    }
    printf "};\n\nconst uint16_t prefix_list[%d] = {\n    ", n + 1
    for (i = 0; i < 256; i++)
        if (prefix_count[i] > 0)
            printf "%s\n    ", prefixes[i]
    print "0};\n"
}

END {
    if (bad)
        exit 1
    set_clear()
    begins_none = class_id()
    for (a = 0; a < n_anchors; a++) {
        begins_low[a] = anchor_begins(a, 0)
        begins_all[a] = anchor_begins(a, 1)
    }
    all_inner = -1
    n_late = 0
    for (a = 0; a < n_anchors; a++) {
        anchor_late[a] = 0
        if (anchor_len[a] == 0)
            continue
        choose_print(a)
        if (anchor_late[a] == 0)
            continue
        late[n_late++] = a
        for (i = 0; i < anchor_len[a]; i++)
            all_inner = all_inner < 0 ? anchor_class[a, i] : union_class(all_inner, anchor_class[a, i])
        for (i = 0; i < anchor_late[a]; i++)
            all_inner = union_class(all_inner, right_class(a, i))
    }
    for (k = 0; k < n_inner; k++) {
        inner_union[k] = inner_class(k)
        all_inner = all_inner < 0 ? inner_union[k] : union_class(all_inner, inner_union[k])
    }
    fill_runs()
    assign_buckets()
    assign_whole()
    for (a = 0; a < n_anchors; a++)
        if (anchor_len[a] > 0)
            mask_anchor(a)

    print "/* Made from src/redact/rules.tab by rules.awk. */"
    printf "enum { N_RULES = %d, N_RULE_NAMES = %d, N_ANCHORS = %d };\n\n", n_rules, n_names, n_anchors
    print "const struct rule_name rule_names[N_RULE_NAMES] = {"
    for (i = 0; i < n_names; i++)
        printf "    {\"%s\", \"[REDACTED:%s]\", \"%s\", %d},\n", names[i], names[i], name_about[i], name_group[i]
    printf "};\n\n_Static_assert(%d <= RULE_CLASSES_MAX, \"raise RULE_CLASSES_MAX\");\n", n_classes
    printf "const uint32_t rule_classes[%d][CLASS_WORDS] = {\n", n_classes
    for (i = 0; i < n_classes; i++)
        printf "    {%s},\n", class_text[i]
    print "};\n"
    print_class_bits()
    printf "const struct rule_item rule_items[%d] = {\n", n_items + 1
    for (i = 0; i < n_items; i++)
        printf "    {%d, %d, %d, 0%s},\n", item_class[i], item_low[i], item_high[i], item_flags[i]
    print "    {0, 0, 0, 0},"
    printf "};\n\nconst struct rule rules[N_RULES] = {\n"
    for (i = 0; i < n_rules; i++)
        printf "    %s,\n", rule_text[i]
    print "};\n"
    for (i = 0; i < n_sets; i++)
        printf "static const uint32_t *const anchor_sets_%d[] = {%s};\n", i, sets[i]
    printf "\nconst struct anchor anchors[N_ANCHORS] = {\n"
    for (i = 0; i < n_anchors; i++)
        printf "    {%s, %s, %d, 0%s, %d, %d, %s, %d, %d, {%d, %d}},\n", anchor_text[i], anchor_sets[i],
               anchor_len[i], anchor_flags[i], anchor_late[i], anchor_level[i], has_left(i) ? "true" : "false", anchor_first[i], anchor_rules[i],
               begins_low[i], begins_all[i]
    print "};\n"
    printf "const struct inner_row inner_rows[%d] = {\n", n_inner + 1
    for (i = 0; i < n_inner; i++)
        printf "    {%d, %d, rule_classes[%d]},\n", inner_rule[i], inner_anchor[i], inner_union[i]
    printf "    {0, 0, NULL}};\nconst size_t inner_row_count = %d;\n\n", n_inner
    printf "const uint16_t late_anchors[%d] = {", n_late + 1
    for (i = 0; i < n_late; i++)
        printf "%d, ", late[i]
    printf "0};\nconst size_t late_anchor_count = %d;\n\n", n_late
    printf "const uint32_t inner_bytes[8] = {%s};\n\n", all_inner < 0 ? 0 : class_text[all_inner]
    print_masks()
    print_index()
    print_prefixes()
    print "const size_t rule_name_count = N_RULE_NAMES;\nconst size_t rule_count = N_RULES;"
    print "const size_t anchor_count = N_ANCHORS;"
}
