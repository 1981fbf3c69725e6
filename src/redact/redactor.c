// SPDX-License-Identifier: MIT
/* The push parser: anchors found in whole reads, bytes stepped over only while something lives. */
#include "redact/redact.h"

#include <stdlib.h>
#include <string.h>

#include "redact/rules.h"
#include "redact/stream.h"

enum {
    SCHEME_MAX = 21,
    ESCAPE_BEFORE_MAX = 40,
    NEAR = 8 /* bytes looked at one by one before the vector search */
};

/* ---- looking back ------------------------------------------------------------------ */

size_t stream_before(const struct redactor *r, uint64_t pos, uint8_t *dst, size_t n)
{
    size_t inside = pos > r->base ? (size_t)(pos - r->base) : 0; /* of the input, before pos */
    size_t past = pos < r->base ? (size_t)(r->base - pos) : 0;   /* of the tail, after pos */
    size_t old = r->s.tail_len - past;

    if (n <= inside) {
        memcpy(dst, r->in + (inside - n), n);
        return n;
    }
    if (n - inside < old)
        old = n - inside;
    memcpy(dst, r->s.tail + (r->s.tail_len - past - old), old);
    if (inside > 0)
        memcpy(dst + old, r->in, inside);
    return old + inside;
}

static uint8_t fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool text_is(const uint8_t *bytes, const struct anchor *a)
{
    if ((a->flags & ANCHOR_FOLD) == 0)
        return memcmp(bytes, a->text, a->len) == 0;
    for (size_t i = 0; i < a->len; i++) {
        if (fold(bytes[i]) != (uint8_t)a->text[i])
            return false;
    }
    return true;
}

/* The anchor's bytes precede s.pos. */
static bool anchor_is_here(const struct redactor *r, const struct anchor *a)
{
    uint8_t bytes[ANCHOR_MAX];
    size_t inside = (size_t)(r->s.pos - r->base);

    if (a->len == 0)
        return false;
    if (inside >= a->len)
        return text_is(r->in + (inside - a->len), a);
    return stream_before(r, r->s.pos, bytes, a->len) == a->len && text_is(bytes, a);
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

static bool ends_with(const uint8_t *b, size_t n, const char *text)
{
    size_t len = strlen(text);

    return n >= len && memcmp(b + n - len, text, len) == 0;
}

/* An escape written out ends b: \n \xHH \uHHHH \NNN. */
static bool ends_with_escape(const uint8_t *b, size_t n)
{
    size_t digits = 0;

    if (n >= 2 && b[n - 2] == '\\' && strchr("nrtbfv", b[n - 1]) != NULL)
        return true;
    while (digits < 4 && digits < n && is_hex(b[n - 1 - digits]))
        digits++;
    for (size_t i = 1; i <= digits; i++) {
        const uint8_t *before = b + n - i;

        if (n - i >= 2 && before[-2] == '\\' &&
            ((i == 4 && before[-1] == 'u') || (i == 2 && before[-1] == 'x')))
            return true;
        if (i == 3 && n > 3 && before[-1] == '\\')
            return true;
    }
    return false;
}

/* A CSI sequence ends b: ESC, also written out, or its C1 form; parameters; a final letter. */
static bool ends_with_csi(const uint8_t *b, size_t n)
{
    static const char *const written[] = {"\x1b", "\\x1b", "\\x1B", "\\u001b", "\\u001B",
                                          "\\033", "\\e", "^["};

    if (n < 2 || b[n - 1] < 0x40 || b[n - 1] > 0x7e)
        return false;
    for (n--; n > 0 && b[n - 1] >= 0x20 && b[n - 1] <= 0x3f; n--)
        continue;
    if (n > 0 && b[n - 1] == 0x9b)
        return true;
    if (n < 2 || b[n - 1] != '[')
        return false;
    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        if (ends_with(b, n - 1, written[i]))
            return true;
    }
    return false;
}

/* A token may start at pos (contract, section 5), or touches a match. */
static bool is_boundary(const struct redactor *r, uint64_t pos)
{
    uint8_t b[ESCAPE_BEFORE_MAX];
    size_t n = stream_before(r, pos, b, 1);

    if (n == 0 || !is_word(b[0]) || cover_touches(r, pos))
        return true;
    n = stream_before(r, pos, b, sizeof(b));
    if (n >= 3 && b[n - 3] == '%' && is_hex(b[n - 2]) && is_hex(b[n - 1]))
        return true;
    return ends_with_escape(b, n) || ends_with_csi(b, n);
}

/* What precedes pos can be the scheme of a URL: a letter and at least one more. */
static bool is_scheme(const struct redactor *r, uint64_t pos)
{
    uint8_t b[SCHEME_MAX];
    size_t n = stream_before(r, pos, b, sizeof(b));

    for (size_t i = 1; i <= n; i++) {
        uint8_t c = b[n - i];

        if (!is_letter(c) && !is_digit(c) && c != '+' && c != '.' && c != '-')
            return false;
        if (i >= 2 && is_letter(c))
            return true;
    }
    return false;
}

/* ---- anchors ----------------------------------------------------------------------- */

static void anchor_found(struct redactor *r, size_t i)
{
    const struct anchor *a = &anchors[i];
    uint64_t start = r->s.pos - a->len;

    if ((a->flags & ANCHOR_WORD) != 0 && !is_boundary(r, start))
        return;
    if ((a->flags & ANCHOR_SCHEME) != 0 && !is_scheme(r, start))
        return;
    if ((a->flags & ANCHOR_PEM) != 0 && !r->set->off[RULE_NAME_PRIVATE_KEY])
        pem_anchor(r, a->text[a->len - 2] == ' ');
    else
        candidates_spawn(r, i, NO_BYTE);
}

/* The last three bytes before s.pos are those of an anchor in one of these buckets. */
static void anchors_look(struct redactor *r, unsigned buckets)
{
    for (; buckets != 0; buckets &= buckets - 1) {
        for (size_t i = (size_t)__builtin_ctz(buckets); i < anchor_count; i += ANCHOR_BUCKETS) {
            if (anchor_is_here(r, &anchors[i]))
                anchor_found(r, i);
        }
    }
}

/* The buckets of the anchors that may end at s.pos. */
static unsigned buckets_here(const struct redactor *r)
{
    uint8_t b[ANCHOR_PRINT];
    size_t inside = (size_t)(r->s.pos - r->base);
    const uint8_t *last = r->in + inside - ANCHOR_PRINT;

    if (inside >= ANCHOR_PRINT)
        return finder_buckets(last[0], last[1], last[2]);
    if (stream_before(r, r->s.pos, b, ANCHOR_PRINT) < ANCHOR_PRINT)
        return 0;
    return finder_buckets(b[0], b[1], b[2]);
}

/* The next place in this input, from `from` on, where anchors may end; in_len + 1: none. */
static size_t next_place(const struct redactor *r, size_t from)
{
    size_t near = from + NEAR < r->in_len ? from + NEAR : r->in_len;
    size_t found;

    if (from < ANCHOR_PRINT) /* begins before the input: always worth a look */
        return from;
    /* Floods of anchors: the vector search costs more to begin than a few steps. */
    for (; from < near; from++) {
        if (finder_buckets(r->in[from - 3], r->in[from - 2], r->in[from - 1]) != 0)
            return from;
    }
    found = r->find(r->in, r->in_len, from);
    return found == SIZE_MAX ? r->in_len + 1 : found;
}

/* ---- stepping ---------------------------------------------------------------------- */

static uint64_t hold_limit(const struct redactor *r)
{
    uint64_t limit = r->s.pos;
    uint64_t candidates = candidates_hold(r);
    uint64_t pem = pem_hold(r);

    if (candidates < limit)
        limit = candidates;
    return pem < limit ? pem : limit;
}

/* Steps to `stop` in the input, fast where nothing lives. */
static void walk(struct redactor *r, size_t stop)
{
    uint64_t end = r->base + stop;

    while (r->s.pos < end && (r->s.n_live > 0 || pem_live(&r->s.pem))) {
        uint8_t byte = r->in[r->s.pos - r->base];
        bool decided = r->s.n_live > 0 && candidates_step(r, byte);

        if (pem_live(&r->s.pem))
            decided |= pem_step(r, byte);
        r->s.pos++;
        if (decided && r->s.n_matches > 0)
            cover_advance(r, hold_limit(r));
    }
    r->s.pos = end;
}

static void scan(struct redactor *r)
{
    size_t place = next_place(r, 1);

    for (;;) {
        unsigned buckets;

        walk(r, place <= r->in_len ? place : r->in_len);
        if (place > r->in_len)
            return;
        buckets = buckets_here(r);
        if (buckets != 0)
            anchors_look(r, buckets);
        place = next_place(r, place + 1);
    }
}

/* ---- between calls ----------------------------------------------------------------- */

/* Copies what is still held to the other buffer, so that this call's spans stay valid. */
static void keep_held(struct redactor *r)
{
    struct stream *s = &r->s;
    size_t n = (size_t)(s->pos - s->frontier);
    uint8_t *dst = r->holds[1 - s->hold];

    if (n == 0 && s->held == 0)
        return;
    for (size_t i = 0; i < n; i++)
        dst[i] = stream_byte(r, s->frontier + i);
    s->hold = 1 - s->hold;
    s->held = n;
    r->hold_used[s->hold] = n;
}

static void keep_tail(struct redactor *r)
{
    uint8_t tail[TAIL_MAX];
    size_t n = stream_before(r, r->s.pos, tail, sizeof(tail));

    memcpy(r->s.tail, tail, n);
    r->s.tail_len = n;
    explicit_bzero(tail, sizeof(tail));
}

struct saved {
    struct stream s;
    struct candidate live[CANDIDATES_MAX];
    struct match matches[MATCHES_MAX];
};

static void call_begin(struct redactor *r, struct raw_span in, struct clean_vec *out,
                       struct saved *saved)
{
    out->len = 0;
    out->bytes = 0;
    explicit_bzero(r->holds[1 - r->s.hold], r->hold_used[1 - r->s.hold]);
    r->hold_used[1 - r->s.hold] = 0;
    r->in = (const uint8_t *)in.ptr;
    r->in_len = in.len;
    r->base = r->s.pos;
    r->out = out;
    r->failed = false;
    r->counts_kept = false;
    saved->s = r->s;
    memcpy(saved->live, r->live, r->s.n_live * sizeof(r->live[0]));
    memcpy(saved->matches, r->matches, r->s.n_matches * sizeof(r->matches[0]));
}

static enum err_code call_end(struct redactor *r, const struct saved *saved)
{
    if (!r->failed) {
        keep_held(r);
        keep_tail(r);
        return ERR_NONE;
    }
    r->s = saved->s;
    memcpy(r->live, saved->live, r->s.n_live * sizeof(r->live[0]));
    memcpy(r->matches, saved->matches, r->s.n_matches * sizeof(r->matches[0]));
    if (r->counts_kept)
        memcpy(r->counts, r->counts_before, rule_name_count * sizeof(*r->counts));
    r->out->len = 0;
    r->out->bytes = 0;
    return ERR_MEMORY;
}

/* ---- what redact.h promises -------------------------------------------------------- */

enum err_code redactor_new(struct redactor **out, struct redact_set *set, struct err *e)
{
    struct redactor *r = calloc(1, sizeof(*r) + 2 * rule_name_count * sizeof(uint64_t));

    *out = r;
    if (r == NULL)
        return err_set(e, ERR_MEMORY, "cannot make a redactor", "", "out of memory");
    r->counts = (uint64_t *)(r + 1);
    r->counts_before = r->counts + rule_name_count;
    r->set = set;
    r->find = finder_best();
    pem_init(&r->s.pem);
    return ERR_NONE;
}

void redactor_free(struct redactor *r)
{
    if (r == NULL)
        return;
    explicit_bzero(r, sizeof(*r));
    free(r);
}

enum err_code redactor_feed(struct redactor *r, struct raw_span in, struct clean_vec *out)
{
    struct saved saved;

    call_begin(r, in, out, &saved);
    if (r->set == NULL)
        r->s.pos += in.len;
    else
        scan(r);
    cover_advance(r, hold_limit(r));
    return call_end(r, &saved);
}

enum err_code redactor_finish(struct redactor *r, struct clean_vec *out)
{
    struct saved saved;

    call_begin(r, (struct raw_span){NULL, 0}, out, &saved);
    candidates_finish(r);
    pem_finish(r);
    cover_advance(r, r->s.pos);
    return call_end(r, &saved);
}

/* The held bytes that may be shown early: [from, to). */
static bool previewable(const struct redactor *r, uint64_t *from, uint64_t *to)
{
    const struct stream *s = &r->s;

    /* Counted from where the candidate begins, of which a mark may have covered a part. */
    *from = s->shown > s->frontier ? s->shown : s->frontier;
    *to = hold_limit(r) + REDACT_PREVIEW_MAX;
    if (*to > s->pos)
        *to = s->pos;
    if (s->n_matches > 0 && r->matches[0].start < *to)
        *to = r->matches[0].start;
    return pem_may_show(&s->pem) && *from < *to;
}

struct clean_span redactor_preview(struct redactor *r)
{
    uint64_t from;
    uint64_t to;
    struct clean_span span = {0};

    if (!previewable(r, &from, &to))
        return span;
    span.ptr = (const char *)r->holds[r->s.hold] + (from - r->s.frontier);
    span.len = (size_t)(to - from);
    r->s.shown = to;
    return span;
}

bool redactor_wants_preview(const struct redactor *r)
{
    uint64_t from;
    uint64_t to;

    return previewable(r, &from, &to);
}

bool redactor_holding(const struct redactor *r)
{
    return r->s.held > 0 || r->s.n_matches > 0 || r->s.pem.block == PEM_ARMED;
}

uint64_t redactor_marks(const struct redactor *r, size_t rule)
{
    return r->counts[rule];
}

uint64_t redactor_marks_total(const struct redactor *r)
{
    return r->s.total;
}

static enum err_code put_spans(struct buf *b, const struct clean_vec *v)
{
    enum err_code rc = buf_reserve(b, v->bytes);

    for (size_t i = 0; i < v->len && rc == ERR_NONE; i++)
        rc = buf_put(b, v->items[i].ptr, v->items[i].len);
    return rc;
}

enum err_code redact_text(struct raw_span in, struct redact_set *set, struct buf *b,
                          struct clean_span *out)
{
    struct redactor *r;
    struct clean_vec v = {0};
    size_t before = b->len;
    enum err_code rc = redactor_new(&r, set, NULL);

    *out = (struct clean_span){0};
    if (rc == ERR_NONE)
        rc = redactor_feed(r, in, &v);
    if (rc == ERR_NONE)
        rc = put_spans(b, &v);
    if (rc == ERR_NONE)
        rc = redactor_finish(r, &v);
    if (rc == ERR_NONE)
        rc = put_spans(b, &v);
    if (rc == ERR_NONE) {
        out->len = b->len - before;
        out->ptr = out->len > 0 ? b->data + before : ""; /* empty, which is not absent */
        out->marks = (uint32_t)redactor_marks_total(r);
    } else {
        b->len = before;
    }
    clean_vec_release(&v);
    redactor_free(r);
    return rc;
}

struct clean_span clean_constant(const char *text)
{
    return (struct clean_span){.ptr = text, .len = strlen(text)};
}

void clean_vec_release(struct clean_vec *v)
{
    free(v->items);
    *v = (struct clean_vec){0};
}
