// SPDX-License-Identifier: MIT
/* Looking back: anchors, boundaries, left sides and contexts of candidates. */
#include <string.h>

#include "redact/escape.h"
#include "redact/rules.h"
#include "redact/stream.h"

enum {
    SCHEME_MAX = 21,
    ESCAPE_BEFORE_MAX = 40,
    ESCAPED_MAX = 10, /* \UHHHHHHHH */
    CONTEXT_MAX = 400,
    NEAR_AHEAD = 128, /* bytes that are looked at ahead of need */
    WORD_MAX = 64
};

size_t stream_before(const struct redactor *r, uint64_t pos, uint8_t *dst, size_t n)
{
    size_t inside = pos > r->base ? (size_t)(pos - r->base) : 0; /* of the input, before pos */
    size_t past = pos < r->base ? (size_t)(r->base - pos) : 0;   /* of the tail, after pos */
    size_t old = r->s.tail_len > past ? r->s.tail_len - past : 0;

    if (n <= inside) {
        memcpy(dst, r->in + (inside - n), n);
        return n;
    }
    if (n - inside < old)
        old = n - inside;
    if (old > 0)
        memcpy(dst, r->s.tail + (r->s.tail_len - past - old), old);
    if (inside > 0)
        memcpy(dst + old, r->in, inside);
    return old + inside;
}

/* ---- kinds of bytes ------------------------------------------------------------------ */

static uint8_t fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_letter(uint8_t c)
{
    return fold(c) >= 'a' && fold(c) <= 'z';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (fold(c) >= 'a' && fold(c) <= 'f');
}

static bool is_word(uint8_t c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

/* ---- logical bytes ------------------------------------------------------------------- */

void look_from(struct look *l, const struct redactor *r, uint64_t pos)
{
    uint64_t tail = r->base - r->s.tail_len;

    *l = (struct look){.r = r, .pos = pos};
    l->floor = pos > LOOK_MAX && pos - LOOK_MAX > tail ? pos - LOOK_MAX : tail;
    l->plain = r->s.escape_at <= l->floor;
}

static uint8_t raw_at(const struct redactor *r, uint64_t pos)
{
    return pos >= r->base ? r->in[pos - r->base] : r->s.tail[r->s.tail_len - (r->base - pos)];
}

/* Where the sequence of an escape begins whose parameters end before pos; NO_POS: nowhere. */
static uint64_t csi_before(const struct look *l, uint64_t pos, uint64_t floor)
{
    while (pos > floor && escape_is_parameter(raw_at(l->r, pos - 1)))
        pos--;
    return pos > floor + 1 && raw_at(l->r, pos - 1) == '[' && raw_at(l->r, pos - 2) == ESC
               ? pos - 2
               : NO_POS;
}

/* Where the escape sequence begins that ends before pos; pos if there is none. What escape_next
   takes, read from its end. */
static uint64_t escape_before(const struct look *l, uint64_t pos)
{
    uint8_t final = raw_at(l->r, pos - 1);
    uint64_t floor =
        pos > ESCAPE_LONGEST && pos - ESCAPE_LONGEST > l->floor ? pos - ESCAPE_LONGEST : l->floor;
    uint8_t middle = pos > floor + 1 ? raw_at(l->r, pos - 2) : 0;
    uint64_t begin = NO_POS;

    if (final < 0x30 || final > 0x7e)
        return pos;
    if (escape_is_final(final))
        begin = csi_before(l, pos - 1, floor);
    if (begin == NO_POS && escape_next(escape_intermediate(middle), final) == ESCAPE_WHOLE)
        begin = csi_before(l, pos - 2, floor);
    if (begin == NO_POS && pos > floor + 2 && escape_is_charset(middle) &&
        escape_is_charset_final(final) && raw_at(l->r, pos - 3) == ESC)
        begin = pos - 3;
    return begin != NO_POS ? begin : pos;
}

int look_back(struct look *l)
{
    while (l->pos > l->floor) {
        uint64_t begin = l->plain ? l->pos : escape_before(l, l->pos);

        if (begin == l->pos)
            return raw_at(l->r, --l->pos);
        l->pos = begin;
    }
    return -1;
}

/* The logical bytes before pos, at most n, the oldest first; returns how many. */
static size_t logical_before(const struct redactor *r, uint64_t pos, uint8_t *dst, size_t n)
{
    struct look l;
    size_t got = 0;
    int c;

    if (r->s.escape_at + n < pos)
        return stream_before(r, pos, dst, n);
    look_from(&l, r, pos);
    while (got < n && (c = look_back(&l)) >= 0)
        dst[n - ++got] = (uint8_t)c;
    memmove(dst, dst + n - got, got);
    return got;
}

size_t look_line(const struct redactor *r, uint8_t *dst, size_t n)
{
    struct look l;
    size_t got = 0;
    int c;

    look_from(&l, r, r->s.pos);
    while (got < n && (c = look_back(&l)) >= 0 && c != '\n')
        dst[n - ++got] = (uint8_t)c;
    memmove(dst, dst + n - got, got);
    return got;
}

/* ---- boundaries ---------------------------------------------------------------------- */

static bool ends_with(const uint8_t *b, size_t n, const char *text)
{
    size_t len = strlen(text);

    return n >= len && memcmp(b + n - len, text, len) == 0;
}

/* b is what stands before so many digits of an escape written out. */
static bool begins_escape(const uint8_t *b, size_t n, size_t digits)
{
    uint8_t kind = n >= 2 && b[n - 2] == '\\' ? b[n - 1] : '\0';

    switch (digits) {
    case 2:
        return kind == 'x';
    case 3:
        return n > 0 && b[n - 1] == '\\';
    case 4:
        return kind == 'u';
    case 8:
        return kind == 'U';
    default:
        return false;
    }
}

/* An escape written out ends b: \n \xHH \uHHHH \UHHHHHHHH \NNN; a control character: ^M. */
static bool ends_with_escape(const uint8_t *b, size_t n)
{
    size_t digits = 0;

    if (n >= 2 && b[n - 2] == '^' && b[n - 1] >= '@' && b[n - 1] <= '_')
        return true;
    if (memrchr(b + (n < ESCAPED_MAX ? 0 : n - ESCAPED_MAX), '\\',
                n < ESCAPED_MAX ? n : ESCAPED_MAX) == NULL)
        return false;
    if (n >= 2 && b[n - 2] == '\\' && strchr("nrtbfv0aeE", b[n - 1]) != NULL)
        return true;
    while (digits < 8 && digits < n && is_hex(b[n - 1 - digits]))
        digits++;
    for (size_t i = 2; i <= digits; i++) {
        if (begins_escape(b, n - i, i))
            return true;
    }
    return false;
}

/* A byte of a URL ends b, %XX, also encoded again: %25XX; the same of quoted-printable: =3D. */
static bool ends_with_percent(const uint8_t *b, size_t n)
{
    if (ends_with(b, n, "=3D"))
        return true;
    if (n < 3 || !is_hex(b[n - 1]) || !is_hex(b[n - 2]))
        return false;
    for (n -= 2; n >= 3 && b[n - 1] == '5' && b[n - 2] == '2'; n -= 2)
        continue;
    return b[n - 1] == '%';
}

/* A CSI sequence ends b: ESC, also written out, or its C1 form; parameters; a final letter. Of
   a colour the ESC may be gone, as in logs of which somebody took the control characters. */
static bool ends_with_csi(const uint8_t *b, size_t n)
{
    static const char *const written[] = {
        "\x1b", "\\x1b", "\\x1B", "\\u001b", "\\u001B", "\\u{1b}", "\\u{1B}", "\\033", "\\e", "\\E",
        "^[", "#x1B", "#x1b;", "#x1B;", "#27;", "\xe2\x90\x9b"};
    uint8_t final = n > 0 ? b[n - 1] : 0;
    uint8_t digit;

    if (n < 2 || final < 0x40 || final > 0x7e)
        return false;
    digit = b[n - 2];
    for (n--; n > 0 && b[n - 1] >= 0x20 && b[n - 1] <= 0x3f; n--)
        continue;
    if (n > 0 && b[n - 1] == 0x9b)
        return true;
    if (n < 1 || b[n - 1] != '[')
        return false;
    if ((final == 'm' || final == 'K') && is_digit(digit))
        return true;
    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        if (ends_with(b, n - 1, written[i]))
            return true;
    }
    return false;
}

/* ESC, intermediate bytes and a final one, "ESC ( B" of tput sgr0, or none: "ESC 7" of tput sc. */
static bool ends_with_charset(const uint8_t *b, size_t n)
{
    if (n >= 2 && b[n - 2] == ESC && b[n - 1] >= 0x30 && b[n - 1] <= 0x7e && b[n - 1] != '[')
        return true;
    return n >= 3 && b[n - 1] >= 0x30 && b[n - 1] <= 0x7e && b[n - 2] >= 0x20 &&
           b[n - 2] <= 0x2f && b[n - 3] == ESC;
}

/* An option of one letter ends b, whose value follows without a blank: -t. */
static bool ends_with_option(const uint8_t *b, size_t n)
{
    return n >= 2 && b[n - 2] == '-' && is_letter(b[n - 1]) &&
           (n == 2 || memchr(" \t\n\r\"'`([,=", b[n - 3], 11) != NULL);
}

/* ---- anchors and left sides ---------------------------------------------------------- */

static bool takes(const struct anchor *a, size_t i, uint8_t c)
{
    if (a->sets != NULL)
        return rule_class_has(a->sets[i], c);
    return ((a->flags & ANCHOR_FOLD) != 0 ? fold(c) : c) == (uint8_t)a->text[i];
}

bool look_takes(const struct anchor *a, const uint8_t *text)
{
    if (a->sets == NULL && (a->flags & ANCHOR_FOLD) == 0)
        return text[0] == (uint8_t)a->text[0] && memcmp(text, a->text, a->len) == 0;
    for (size_t i = 0; i < a->len; i++) { /* their ends are alike, their beginnings are not */
        if (!takes(a, i, text[i]))
            return false;
    }
    return true;
}

bool look_anchor(struct look *l, const struct anchor *a)
{
    for (size_t i = a->len; i-- > 0;) {
        int c = look_back(l);

        if (c < 0 || !takes(a, i, (uint8_t)c))
            return false;
    }
    return a->len > 0;
}

/* The bytes of the item before l, at most its maximum; l is then at the first of them. */
static unsigned item_before(struct look *l, const struct rule_item *it)
{
    uint64_t floor = l->floor > l->r->base ? l->floor : l->r->base;
    unsigned n = 0;

    if (l->plain && l->pos > floor) { /* as they stand in the input */
        const uint8_t *p = l->r->in + (l->pos - l->r->base);
        size_t most = it->max < l->pos - floor ? it->max : (size_t)(l->pos - floor);

        while (n < most && rule_item_has(it, p[-1 - (ptrdiff_t)n]))
            n++;
        l->pos -= n;
        if (n < most)
            return n;
    }
    for (; n < it->max; n++) {
        struct look before = *l;
        int c = look_back(&before);

        if (c < 0 || !rule_item_has(it, (uint8_t)c))
            break;
        *l = before;
    }
    return n;
}

/* "\u0022" or "\n", "%20" or "=3D" ends b: its last bytes are none of a token behind it. */
static bool ends_with_written(const uint8_t *b, size_t n, bool percent)
{
    return ends_with_escape(b, n) || (percent && ends_with_percent(b, n));
}

/* An escape written out may reach into the n bytes of the item: they begin behind it. */
static void behind_escape(struct look *l, const struct rule_item *it, unsigned n)
{
    uint8_t b[2 * ESCAPED_MAX];
    bool percent = !rule_item_has(it, '%');
    size_t spare = n - it->min < ESCAPED_MAX ? n - it->min : ESCAPED_MAX;
    size_t known;

    if (!l->plain)
        return;
    known = stream_before(l->r, l->pos + spare, b, sizeof(b));
    for (size_t k = 0; k <= spare && k < known; k++) {
        if (!ends_with_written(b, known - spare + k, percent))
            continue;
        l->pos += k;
        return;
    }
}

bool look_left(struct look *l, const struct rule *rule, uint64_t *secret)
{
    for (size_t i = 0; i < rule->n_left; i++) {
        const struct rule_item *it = &rule_items[rule->left + i];
        unsigned n = item_before(l, it);

        if (n < it->min)
            return false;
        if (i + 1 == rule->n_left && n > it->min)
            behind_escape(l, it, n);
        if (i + 1 == rule->n_inside)
            *secret = l->pos;
    }
    return true;
}

bool look_boundary(const struct redactor *r, uint64_t pos)
{
    uint8_t copy[ESCAPE_BEFORE_MAX];
    const uint8_t *b = copy;
    size_t n = sizeof(copy);

    if (pos >= r->base + n)
        b = r->in + (pos - r->base) - n;
    else
        n = stream_before(r, pos, copy, n);
    if (n == 0 || !is_word(b[n - 1]) || cover_touches(r, pos))
        return true;
    return ends_with_percent(b, n) || ends_with_escape(b, n) || ends_with_csi(b, n) ||
           ends_with_charset(b, n) || ends_with_option(b, n);
}

/* What precedes pos can be the scheme of a URL: a letter and at least one more byte. */
static bool is_scheme(const struct redactor *r, uint64_t pos)
{
    struct look l;

    look_from(&l, r, pos);
    for (size_t i = 1; i <= SCHEME_MAX; i++) {
        int c = look_back(&l);

        if (c < 0 || (!is_letter((uint8_t)c) && !is_digit((uint8_t)c) && c != '+' && c != '.' &&
                      c != '-'))
            return false;
        if (i >= 2 && is_letter((uint8_t)c))
            return true;
    }
    return false;
}

/* False if what follows "://" at pos, which is in the input, is no user and password: its end
   comes before any "@" (RFC 3986, section 3.2). */
static bool is_userinfo(const struct redactor *r, uint64_t pos)
{
    static const uint8_t ends[256] = {
        [0 ... ESC - 1] = 1, [ESC + 1 ... ' '] = 1, ['/'] = 1, ['"'] = 1, ['\''] = 1,
        ['<'] = 1,           ['>'] = 1,             ['@'] = 2, [ESC] = 2};
    const uint8_t *p = r->in + (pos - r->base);
    const uint8_t *end = r->in + r->in_len;

    while (p < end && ends[*p] == 0)
        p++;
    return p == end || ends[*p] == 2;
}

/* Nothing but blanks stands before pos on its line. */
static bool begins_line(const struct redactor *r, uint64_t pos)
{
    struct look l;
    int c;

    look_from(&l, r, pos);
    while ((c = look_back(&l)) == ' ' || c == '\t')
        continue;
    return c == '\n' || (c < 0 && l.floor == 0);
}

bool look_around(const struct redactor *r, const struct anchor *a, uint64_t start, uint64_t end)
{
    if ((a->flags & ANCHOR_SCHEME) != 0)
        return is_userinfo(r, end) && is_scheme(r, start);
    return (a->flags & ANCHOR_LINE) == 0 || begins_line(r, start);
}

/* ---- contexts ------------------------------------------------------------------------ */

static bool equal_folded(const uint8_t *b, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (fold(b[i]) != fold((uint8_t)text[i]))
            return false;
    }
    return true;
}

/* The text's memo, if there are not more texts than memos; else it may be that of another. */
static struct near_memo *near_memo(struct redactor *r, const char *text)
{
    size_t at = (uintptr_t)text / sizeof(void *) % NEAR_MEMOS;

    for (size_t i = 0; i < NEAR_MEMOS; i++, at = (at + 1) % NEAR_MEMOS) {
        if (r->near[at].text == text || r->near[at].text == NULL)
            break;
    }
    return &r->near[at];
}

/* The index, from `at` on, of the next byte that may be a letter c of either case; `stop` if
   there is none. Eight at once: a byte is zero of which the lower case is c's. */
static size_t next_folded(const uint8_t *b, size_t at, size_t stop, uint8_t c)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);

    for (; at + sizeof(uint64_t) <= stop; at += sizeof(uint64_t)) {
        uint64_t x;

        memcpy(&x, b + at, sizeof(x));
        x = (x | ones * 0x20) ^ ones * (c | 0x20U);
        if (((x - ones) & ~x & (ones << 7)) != 0)
            break;
    }
    while (at < stop && (b[at] | 0x20) != (c | 0x20))
        at++;
    return at;
}

/* Looks on to the next place where the text ends, at most to `stop`. True if it ends there. */
static bool near_next(const struct redactor *r, struct near_memo *m, uint64_t stop)
{
    size_t len = strlen(m->text);
    uint8_t last = (uint8_t)m->text[len - 1];

    while (m->upto < stop) {
        size_t at = next_folded(r->in, (size_t)(m->upto - r->base), (size_t)(stop - r->base), last);
        uint64_t begin = r->base + at + 1 - len;

        m->upto = r->base + at;
        if (m->upto == stop)
            break;
        m->upto++;
        if (m->upto >= m->from + len && equal_folded(r->in + (begin - r->base), m->text, len))
            return true;
    }
    return false;
}

/* The same, where no escape sequence is near and all of it is in this input: each byte is
   looked at once for all anchors on the line, and some bytes ahead, up to where the text stands
   next. */
static bool has_near_plain(struct redactor *r, const struct rule *rule, size_t len,
                           uint64_t start, uint64_t floor)
{
    struct near_memo *m = near_memo(r, rule->near);
    uint64_t ahead = r->base + r->in_len - start > NEAR_AHEAD ? start + NEAR_AHEAD
                                                              : r->base + r->in_len;

    if (m->text != rule->near || floor < m->from || m->upto < floor || m->found + len > start + 1)
        *m = (struct near_memo){.text = rule->near, .from = floor, .upto = floor};
    while (m->upto < start) {
        if (!near_next(r, m, ahead))
            break;
        if (m->upto > start)
            m->upto--; /* known to be the first behind it */
        else
            m->found = m->upto - len + 1;
    }
    return m->found > floor &&
           memchr(r->in + (m->found - 1 - r->base), '\n', (size_t)(start - (m->found - 1))) == NULL;
}

static bool has_near(struct redactor *r, const struct rule *rule, uint64_t start)
{
    uint8_t b[CONTEXT_MAX];
    size_t max = rule->near_max < sizeof(b) ? rule->near_max : sizeof(b);
    size_t len = strlen(rule->near);
    size_t n = 0;
    struct look l;
    int c;

    look_from(&l, r, start);
    if (l.plain && start >= r->base + max)
        return has_near_plain(r, rule, len, start, start - max);
    /* Backwards to the line's begin. */
    while (n < max && (c = look_back(&l)) >= 0 && c != '\n') {
        b[max - ++n] = (uint8_t)c;
        if (n >= len && equal_folded(b + max - n, rule->near, len))
            return true;
    }
    return false;
}

static bool is_dashed(uint8_t c)
{
    return is_word(c) || c == '-';
}

/* The word that ends in the anchor (what the anchor has behind it does not count) begins with
   the text; escapes written out before it are none of it, nor are dashes: a line that a diff
   takes away begins with one. */
static bool has_word(const struct redactor *r, const struct rule *rule, uint64_t end)
{
    uint8_t copy[WORD_MAX];
    const uint8_t *b = copy;
    size_t n = WORD_MAX;
    size_t len = strlen(rule->word);
    size_t known;
    size_t stop;
    size_t dashes = 0; /* that the word begins with */

    if (end >= r->base + WORD_MAX && r->s.escape_at + WORD_MAX < end)
        b = r->in + (end - r->base) - n;
    else
        n = logical_before(r, end, copy, n);
    known = n;
    while (n > 0 && !is_dashed(b[n - 1]))
        n--;
    for (stop = n; stop > 0 && is_dashed(b[stop - 1]); stop--)
        continue;
    while (stop + dashes < n && b[stop + dashes] == '-')
        dashes++;
    if (rule->word[0] == '-')
        dashes = 0;
    for (size_t at = stop; at + len <= n; at++) {
        if (equal_folded(b + at, rule->word, len) &&
            (at == stop + dashes || (is_word(b[at - 1]) && look_boundary(r, end - (known - at)))))
            return true;
    }
    return false;
}

bool look_context(struct redactor *r, const struct rule *rule, uint64_t start,
                  uint64_t end)
{
    return (rule->near == NULL || has_near(r, rule, start)) &&
           (rule->word == NULL || has_word(r, rule, end));
}

/* ---- beginnings ---------------------------------------------------------------------- */

/* Logical bytes at the end of the input, the oldest first. */
struct inner {
    uint8_t bytes[INNER_MAX];
    uint64_t pos[INNER_MAX];
    size_t n; /* they stand at the end of the arrays */
};

static const uint8_t *inner_at(const struct inner *in, size_t i)
{
    return in->bytes + (INNER_MAX - in->n) + i;
}

static uint64_t inner_pos(const struct inner *in, size_t i)
{
    return i < in->n ? in->pos[INNER_MAX - in->n + i] : NO_POS;
}

static void gather(struct inner *in, const struct redactor *r)
{
    struct look l;

    in->n = 0;
    look_from(&l, r, r->s.gap != NO_POS ? r->s.gap : r->s.pos);
    while (in->n < INNER_MAX) {
        int c = look_back(&l);

        if (c < 0 || !rule_class_has(inner_bytes, (uint8_t)c) || r->s.pos - l.pos > TAIL_MAX)
            return;
        in->n++;
        in->bytes[INNER_MAX - in->n] = (uint8_t)c;
        in->pos[INNER_MAX - in->n] = l.pos;
    }
}

/* The bytes from i on are the beginning of the row, and its anchor's print is not complete. */
static bool row_begins(const struct inner *in, size_t i, const struct rule *rule,
                       const struct anchor *a)
{
    const uint8_t *p = inner_at(in, i);
    size_t n = in->n - i;
    size_t at = 0;

    for (size_t k = rule->n_inside; k-- > 0;) {
        const struct rule_item *it = &rule_items[rule->left + k];
        size_t took = 0;

        while (at < n && took < it->max && rule_item_has(it, p[at])) {
            at++;
            took++;
        }
        if (at == n)
            return true;
        if (took < it->min)
            return false;
    }
    for (size_t k = 0; k < a->len; k++, at++) {
        if (at == n)
            return true;
        if (!takes(a, k, p[at]))
            return false;
    }
    return n - at < a->late;
}

/* How long the public prefix of a token is that text begins with; 0: there is none. */
static size_t public_prefix(const struct redactor *r, const uint8_t *text, size_t n)
{
    if (n == 0)
        return 0;
    for (size_t k = prefix_index[text[0]]; k < prefix_index[text[0] + 1]; k++) {
        const struct anchor *a = &anchors[prefix_list[k]];
        const struct rule *rule = &rules[a->first];

        if (a->len <= n && rule->opens == OPENS_RIGHT && rule->n_left == 0 &&
            rule->near == NULL && !r->set->off[rule->name] && memcmp(text, a->text, a->len) == 0)
            return a->len;
    }
    return 0;
}

/* text is the public prefix of a token, all of it. */
static bool is_public_prefix(const uint8_t *text, size_t n)
{
    for (size_t k = prefix_index[text[0]]; k < prefix_index[text[0] + 1]; k++) {
        const struct anchor *a = &anchors[prefix_list[k]];

        if (a->len == n && memcmp(text, a->text, n) == 0)
            return true;
    }
    return false;
}

bool look_marked(const struct redactor *r, uint64_t start, uint64_t end)
{
    static const char open[] = "[REDACTED:";
    uint8_t text[ANCHOR_MAX];
    size_t mark = strlen(MARK_TOKEN);
    size_t n = (size_t)(end - start);

    if (stream_before(r, start, text, sizeof(open) - 1) == sizeof(open) - 1 &&
        memcmp(text, open, sizeof(open) - 1) == 0 && stream_is_mark_end(r, start, end))
        return true;
    if (n <= mark || n - mark > sizeof(text) || !stream_is_mark(r, end - mark, end, false))
        return false;
    for (size_t i = 0; i < n - mark; i++)
        text[i] = stream_byte(r, start + i);
    return is_public_prefix(text, n - mark);
}

uint64_t look_behind_prefix(const struct redactor *r, uint64_t start)
{
    struct inner in;
    struct look l;
    size_t kept;

    in.n = 0;
    look_from(&l, r, r->s.pos);
    while (l.pos > start && in.n < INNER_MAX) {
        int c = look_back(&l);

        if (c < 0)
            return start;
        in.n++;
        in.bytes[INNER_MAX - in.n] = (uint8_t)c;
        in.pos[INNER_MAX - in.n] = l.pos;
    }
    kept = l.pos == start ? public_prefix(r, inner_at(&in, 0), in.n) : 0;
    return kept == 0 ? start : kept < in.n ? inner_pos(&in, kept) : r->s.pos;
}

/* look_boundary, asked once for each place. */
static bool starts_token(const struct redactor *r, const struct inner *in, size_t i,
                         uint8_t *asked)
{
    if (asked[i] == 0)
        asked[i] = look_boundary(r, inner_pos(in, i)) ? 1 : 2;
    return asked[i] == 1;
}

/* Before i of `first`: the earliest place where a row of an inner secret begins. */
static size_t first_inner(const struct redactor *r, const struct inner *in)
{
    uint8_t asked[INNER_MAX] = {0};
    size_t first = in->n;
    uint8_t last = *inner_at(in, in->n - 1);

    for (size_t k = 0; k < inner_row_count; k++) {
        const struct inner_row *row = &inner_rows[k];
        const struct rule *rule = &rules[row->rule];
        const struct anchor *a = &anchors[row->anchor];
        size_t i = in->n;

        if (r->set->off[rule->name] || !rule_class_has(row->bytes, last))
            continue;
        while (i > 0 && rule_class_has(row->bytes, *inner_at(in, i - 1)))
            i--;
        for (; i < first; i++) {
            bool anywhere = (a->flags & ANCHOR_WORD) == 0 || rule->n_left > rule->n_inside;
            size_t kept;

            if ((!anywhere && !starts_token(r, in, i, asked)) || !row_begins(in, i, rule, a))
                continue;
            kept = public_prefix(r, inner_at(in, i), in->n - i);
            if (i + kept < first)
                first = i + kept;
        }
    }
    return first;
}

/* Bytes behind an anchor whose print is not complete. */
static size_t first_late(const struct redactor *r, const struct inner *in)
{
    size_t first = in->n;

    for (size_t k = 0; k < late_anchor_count; k++) {
        const struct anchor *a = &anchors[late_anchors[k]];

        for (size_t behind = 1; behind < a->late && behind + a->len <= in->n; behind++) {
            size_t i = in->n - behind;
            size_t at = 0;

            while (at < a->len && takes(a, at, *inner_at(in, i - a->len + at)))
                at++;
            if (at == a->len && i < first &&
                ((a->flags & ANCHOR_WORD) == 0 || look_boundary(r, inner_pos(in, i - a->len))))
                first = i;
        }
    }
    return first;
}

/* One word of letters, capitalised or not, as random strings hardly ever begin. */
static bool is_prose(const struct inner *in, size_t i)
{
    bool lower = true;
    bool upper = true;

    for (size_t k = i; k < in->n; k++) {
        uint8_t c = *inner_at(in, k);

        if (!is_letter(c))
            return false;
        upper &= c <= 'Z';
        lower &= c > 'Z' || k == i;
    }
    return lower || upper;
}

uint64_t look_inner(const struct redactor *r, bool *prose)
{
    struct inner in;
    size_t first;
    size_t late;

    *prose = false;
    gather(&in, r);
    if (in.n == 0)
        return NO_POS;
    first = first_inner(r, &in);
    late = first_late(r, &in);
    if (late < first)
        first = late;
    if (first == in.n)
        return NO_POS;
    *prose = is_prose(&in, first);
    return inner_pos(&in, first);
}
