// SPDX-License-Identifier: MIT
/*
 * The whole redactor, for a fuzzer. The first bytes of an input choose what is looked for and
 * how the text is cut up, the others make the text (cook.h). What must hold for every input:
 *
 *   a  the same bytes come out and the same marks for every split, with and without previews,
 *      and when memory was short in between;
 *   b  what passes is the input at its place; what does not is stood for by a mark; the
 *      terminal sees each byte once, and of a secret at most REDACT_PREVIEW_MAX bytes;
 *   c  no more is held than what the machines document;
 *   d  a secret that is found between its delimiters alone is found amid anything;
 *   e  bytes that no rule can touch pass unchanged;
 *   f  what was redacted stays as it is, redacted again; only with FUZZ_AGAIN in the environment
 *      and without the user's own rules, because it does not hold everywhere: rules of the user
 *      see the text of marks, and where a secret stood between two machines (a key file's line
 *      that runs into "kind: Secret") the mark may make the one that gave way see its part.
 *
 * fuzz_redact returns what does not hold; LLVMFuzzerTestOneInput then dies.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/cook.h"
#include "fuzz/target.h"
#include "redact/redact.h"
#include "redact/stream.h"

enum {
    FUZZ_GENERIC = 1,
    FUZZ_PERSONAL = 2,
    FUZZ_VALUES = 4,
    FUZZ_RULES = 8,
    FUZZ_FIELDS = 16,
    FUZZ_MASKS = 32,  /* lines may register values */
    FUZZ_SHORT = 64,  /* memory is short now and then */
    FUZZ_PASS = 128,  /* lines that register values pass */
    FUZZ_OWN = FUZZ_VALUES | FUZZ_RULES | FUZZ_FIELDS | FUZZ_MASKS,
    FUZZ_SETS = 32,   /* sets that are kept, by the first five of these */
    FUZZ_HEAD = 4,    /* bytes before the text: these, seed, seed, kind */
    FUZZ_INNOCENT = 3, /* a kind: nothing that an anchor ends in */
    FUZZ_OUT_MAX = 4 * COOK_TEXT_MAX,
    FUZZ_RULE_NAMES = RULE_NAMES_MAX + USER_RULES_MAX,
    FUZZ_SEEN = 8, /* so many bytes of a secret are a leak */
    FUZZ_SINGLE_MAX = 1000, /* bytes that are fed one by one: each call takes its time; */
    FUZZ_PIECES = 64        /* of longer texts so many pieces */
};

/* What one run of a text through a redactor gave. */
struct fuzz_run {
    size_t len;
    uint64_t counts[FUZZ_RULE_NAMES];
    const char *wrong; /* NULL: nothing */
    char out[FUZZ_OUT_MAX];
};

/* Follows the positions of what comes out. */
struct fuzz_watch {
    const struct cook_text *in;
    struct fuzz_run *run;
    struct redactor *r;
    uint64_t next;    /* the position behind what passed last */
    uint64_t base;    /* of this call's input */
    const char *data; /* the call's input */
    size_t len;
    const uint8_t *held; /* what was held when the call began */
    size_t n_held;
    uint64_t marks;   /* since then */
    uint64_t spans_marks;
    bool continued;   /* a gap may go on behind a piece of a known value */
    bool shown[COOK_TEXT_MAX];
};

struct fuzz_how {
    size_t piece; /* 0: of random length */
    bool preview;
    bool short_memory;
    bool pass_masks;
    uint32_t seed;
};

/* ---- memory that fails ------------------------------------------------------------------ */

static bool memory_is_short;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_realloc(void *old, size_t size)
{
    return memory_is_short ? NULL : __real_realloc(old, size);
}

/* ---- sets ------------------------------------------------------------------------------- */

static void must(enum err_code rc)
{
    if (rc != ERR_NONE)
        abort();
}

static void add_values(struct redact_set *set)
{
    static const char *const values[] = {
        "correct-horse/battery", "s3cr3t\nsecond line of it", "abcdabcdabcd", "cdabcdabxyz",
        "aaaaaaaaaa", "p@ss w0rd&<x>\"q\"", "-----BEGIN x\nQUJDREVGR0hJ\n", "\\n\\n\\n\\nab"};
    char value[400];
    uint32_t seed = 7;

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        must(redact_set_add_value(set, NULL, values[i], strlen(values[i]), NULL));
    for (size_t i = 0; i < sizeof(value); i++) {
        seed = seed * 1664525U + 1013904223U;
        value[i] = i % 90 == 89 ? '\n' : (char)('!' + (seed >> 16) % 90);
    }
    must(redact_set_add_value(set, NULL, value, sizeof(value), NULL));
}

static struct redact_set *make_set(unsigned flags)
{
    static const char *const personal[] = {"pii"};
    struct redact_options o = {.generic = (flags & FUZZ_GENERIC) != 0,
                               .on = personal,
                               .n_on = (flags & FUZZ_PERSONAL) != 0};
    struct redact_set *set;

    must(redact_set_new(&set, &o, NULL));
    if ((flags & FUZZ_VALUES) != 0)
        add_values(set);
    if ((flags & FUZZ_RULES) != 0) {
        must(redact_set_add_rule(set, "own-id", "[A-Z]{3}-[0-9]{3,8}", 0, NULL, NULL));
        must(redact_set_add_rule(set, "own-key", "key: *([a-z0-9]{6,})", 1, NULL, NULL));
        must(redact_set_add_rule(set, "own-z", "x?z+q*", 0, "z", NULL));
        must(redact_set_add_rule(set, "own-line", "^!.*$", 0, NULL, NULL));
    }
    if ((flags & FUZZ_FIELDS) != 0) {
        must(redact_set_add_field(set, "password", NULL));
        must(redact_set_add_field(set, "db.secret", NULL));
        must(redact_set_add_field(set, "token", NULL));
    }
    return set;
}

static void add_mask(void *ctx, const char *value, size_t len)
{
    enum err_code rc = redact_set_add_value(ctx, NULL, value, len, NULL);

    (void)rc; /* too short, most of them */
}

/* Sets that lines add to are made anew for each run. */
static struct redact_set *set_for(unsigned flags)
{
    static struct redact_set *sets[FUZZ_SETS];
    struct redact_set **kept = &sets[flags % FUZZ_SETS];

    if ((flags & FUZZ_MASKS) != 0) {
        struct redact_set *set = make_set(flags);

        redact_set_on_mask(set, add_mask, set);
        return set;
    }
    if (*kept == NULL)
        *kept = make_set(flags);
    return *kept;
}

static void set_done(struct redact_set *set, unsigned flags)
{
    if ((flags & FUZZ_MASKS) != 0)
        redact_set_free(set);
}

/* ---- one run ---------------------------------------------------------------------------- */

static void wrong(struct fuzz_watch *w, const char *what)
{
    if (w->run->wrong == NULL)
        w->run->wrong = what;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* What was shown in a row of what did not pass: the beginning of a secret, or of two that
   overlap, or a word of prose. */
static void check_shown(struct fuzz_watch *w, uint64_t from, uint64_t end)
{
    bool prose = true;

    for (uint64_t i = from; i < end; i++)
        prose &= is_letter(w->in->data[i]) || w->in->data[i] == 0x1b;
    if (!prose && end - from > 2 * REDACT_PREVIEW_MAX)
        wrong(w, "more of a secret was shown than may be");
}

/* What stands before an END line's marker is part of the key above it. */
static bool ends_key(const struct fuzz_watch *w, uint64_t pos)
{
    return pos + 4 <= w->in->len && memcmp(w->in->data + pos, "----", 4) == 0;
}

/* What did not pass, [w->next, end): marks stand for it, and little of it was shown. */
static void check_gap(struct fuzz_watch *w, uint64_t end)
{
    uint64_t from = w->next;

    for (uint64_t i = w->next; i < end; i++) {
        if (!w->shown[i])
            from = i + 1;
        else if (i + 1 == end || !w->shown[i + 1])
            check_shown(w, from, i + 1);
    }
    if (end > w->next && w->marks == 0 && !w->continued && !ends_key(w, end))
        wrong(w, "bytes went without a mark");
    w->marks = 0;
}

static bool within(const char *ptr, size_t len, const void *area, size_t size)
{
    return size > 0 && ptr >= (const char *)area && ptr + len <= (const char *)area + size;
}

/* A span of the input at pos. */
static void took(struct fuzz_watch *w, const struct clean_span *s, uint64_t pos)
{
    if (pos < w->next || pos + s->len > w->in->len ||
        memcmp(w->in->data + pos, s->ptr, s->len) != 0) {
        wrong(w, "what came out is not what went in");
        return;
    }
    check_gap(w, pos);
    for (size_t i = 0; i < s->len; i++) {
        if (w->shown[pos + i] != (i < s->shown))
            wrong(w, "the terminal gets a byte twice, or never");
    }
    w->next = pos + s->len;
}

static void take_span(struct fuzz_watch *w, const struct clean_span *s)
{
    struct fuzz_run *run = w->run;

    if (s->len > FUZZ_OUT_MAX - run->len) {
        wrong(w, "too much comes out");
        return;
    }
    memcpy(run->out + run->len, s->ptr, s->len);
    run->len += s->len;
    if (within(s->ptr, s->len, w->data, w->len)) {
        took(w, s, w->base + (uint64_t)(s->ptr - w->data));
    } else if (within(s->ptr, s->len, w->held, REDACT_WINDOW)) {
        took(w, s, w->base - w->n_held + (uint64_t)((const uint8_t *)s->ptr - w->held));
    } else {
        w->marks++;
        w->spans_marks += s->marks;
        if (s->shown != 0 || (s->marks != 0 && s->at < w->next))
            wrong(w, "a mark is out of place");
    }
}

/* What may be held: the largest of what the machines document, and escape sequences that no
   candidate has seen the end of. */
static size_t hold_max(const struct redactor *r)
{
    enum { ESCAPES = 128, EARLY_HOLDS = EARLY_HOLD + ESCAPES };

    if (r->own != NULL || r->known.known != NULL)
        return USER_WINDOW + CANDIDATE_WINDOW + ESCAPES;
    return EARLY_HOLDS; /* more than the machine of keys */
}

static void look(struct fuzz_watch *w)
{
    bool wants = redactor_wants_preview(w->r);
    struct clean_span s = redactor_preview(w->r);
    uint64_t at = w->r->s.shown - s.len;

    if (wants != (s.len > 0))
        wrong(w, "a preview is wanted and not there, or the other way round");
    if (s.len == 0)
        return;
    if (at < w->r->s.frontier || at + s.len > w->r->s.pos ||
        memcmp(s.ptr, w->in->data + at, s.len) != 0) {
        wrong(w, "a preview is not what is held");
        return;
    }
    memset(w->shown + at, true, s.len);
    if (redactor_preview(w->r).len != 0)
        wrong(w, "the same preview twice");
}

static void take(struct fuzz_watch *w, const struct clean_vec *v)
{
    size_t bytes = 0;

    for (size_t i = 0; i < v->len; i++) {
        bytes += v->items[i].len;
        take_span(w, &v->items[i]);
    }
    if (bytes != v->bytes)
        wrong(w, "the bytes are not counted right");
    if (w->r->s.pos - w->r->s.frontier > hold_max(w->r))
        wrong(w, "too much is held");
}

static void feed(struct fuzz_watch *w, size_t len, const struct fuzz_how *how, bool fail)
{
    struct clean_vec v = {0};
    enum err_code rc;

    w->base = w->r->s.pos;
    w->len = len;
    w->data = NULL;
    if (len > 0) {
        char *copy = malloc(len); /* of its exact size */

        if (copy == NULL)
            abort();
        memcpy(copy, w->in->data + w->base, len);
        w->data = copy;
    }
    w->held = w->r->holds[w->r->s.hold];
    w->n_held = w->r->s.held;
    memory_is_short = fail;
    rc = redactor_feed(w->r, (struct raw_span){w->data, len}, &v);
    memory_is_short = false;
    if (rc != ERR_NONE) {
        if (!fail || w->r->s.pos != w->base || v.len != 0)
            wrong(w, "a failed call has taken something");
        w->held = w->r->holds[w->r->s.hold];
        must(redactor_feed(w->r, (struct raw_span){w->data, len}, &v));
    }
    take(w, &v);
    if (how->preview)
        look(w);
    free((void *)(uintptr_t)w->data);
    clean_vec_release(&v);
}

static void finish(struct fuzz_watch *w, bool fail)
{
    struct clean_vec v = {0};
    enum err_code rc;

    w->base = w->r->s.pos;
    w->data = NULL;
    w->len = 0;
    w->held = w->r->holds[w->r->s.hold];
    w->n_held = w->r->s.held;
    memory_is_short = fail;
    rc = redactor_finish(w->r, &v);
    memory_is_short = false;
    if (rc != ERR_NONE)
        must(redactor_finish(w->r, &v));
    take(w, &v);
    check_gap(w, w->in->len);
    if (redactor_holding(w->r))
        wrong(w, "something is held at the end");
    if (w->spans_marks > redactor_marks_total(w->r))
        wrong(w, "more marks than are counted");
    clean_vec_release(&v);
}

static void run_text(struct fuzz_run *run, struct redact_set *set, const struct cook_text *in,
                     const struct fuzz_how *how)
{
    static struct fuzz_watch w;
    uint32_t seed = how->seed;
    uint32_t few = in->len <= FUZZ_SINGLE_MAX ? 16 : (uint32_t)in->len / FUZZ_PIECES;

    memset(&w, 0, sizeof(w));
    memset(run, 0, offsetof(struct fuzz_run, out));
    w.in = in;
    w.run = run;
    must(redactor_new(&w.r, set, NULL));
    w.continued = set->known != NULL || set->on_mask != NULL;
    if (how->pass_masks)
        redactor_pass_mask_lines(w.r);
    for (size_t at = 0; at < in->len && run->wrong == NULL;) {
        size_t len;

        seed = seed * 1664525U + 1013904223U;
        len = how->piece > 0 ? how->piece : 1 + (seed >> 8) % (seed >> 31 ? few : 3000);
        len = len < in->len - at ? len : in->len - at;
        feed(&w, len, how, how->short_memory && (seed >> 16) % 4 == 0);
        at += len;
    }
    if (run->wrong == NULL)
        finish(&w, how->short_memory);
    for (size_t i = 0; i < redact_set_rules(set); i++)
        run->counts[i] = redactor_marks(w.r, i);
    redactor_free(w.r);
}

static void run_once(struct fuzz_run *run, unsigned flags, const struct cook_text *in,
                     struct fuzz_how how)
{
    struct redact_set *set = set_for(flags);

    how.pass_masks = (flags & (FUZZ_PASS | FUZZ_MASKS)) == (FUZZ_PASS | FUZZ_MASKS);
    run_text(run, set, in, &how);
    set_done(set, flags);
}

/* ---- what must hold ----------------------------------------------------------------------- */

static struct fuzz_run other; /* the run that was compared last, for fuzz_explain */

static bool same(const struct fuzz_run *a, const struct fuzz_run *b)
{
    return a->len == b->len && memcmp(a->out, b->out, a->len) == 0 &&
           memcmp(a->counts, b->counts, sizeof(a->counts)) == 0;
}

static const char *check_splits(const struct fuzz_run *whole, unsigned flags, uint32_t seed,
                                const struct cook_text *in)
{
    bool fails = (flags & FUZZ_SHORT) != 0 && (flags & FUZZ_MASKS) == 0;
    bool small = in->len <= FUZZ_SINGLE_MAX;
    const struct fuzz_how ways[] = {{.piece = small ? 1 : in->len / FUZZ_PIECES, .preview = true},
                                    {.seed = seed, .short_memory = fails},
                                    {.seed = seed + 1, .preview = true, .short_memory = fails},
                                    {.piece = small ? 1 + seed % 7 : in->len / 3, .preview = seed % 2 == 0}};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        run_once(&other, flags, in, ways[i]);
        if (other.wrong != NULL)
            return other.wrong;
        if (!same(whole, &other))
            return ways[i].short_memory ? "another split with failures gives something else"
                                        : "another split gives something else";
    }
    return NULL;
}

static size_t times_in(const char *text, size_t len, const char *part, size_t n)
{
    const char *end = text + len;
    size_t times = 0;

    while ((text = memmem(text, (size_t)(end - text), part, n)) != NULL) {
        times++;
        text++;
    }
    return times;
}

/* Of the plant's windows that stood nowhere else: whether one came out that did not when the
   plant stood alone. */
static const char *check_plant(const struct fuzz_run *whole, unsigned flags,
                               const struct cook_text *in, const struct cook_plant *plant)
{
    static struct cook_text alone;

    alone.len = plant->len;
    memcpy(alone.data, plant->data, plant->len);
    run_once(&other, flags, &alone, (struct fuzz_how){.piece = COOK_TEXT_MAX});
    for (size_t i = 0; i + FUZZ_SEEN <= plant->len; i++) {
        const char *window = plant->data + i;

        if (memmem(other.out, other.len, window, FUZZ_SEEN) == NULL &&
            memmem(whole->out, whole->len, window, FUZZ_SEEN) != NULL &&
            times_in(in->data, in->len, window, FUZZ_SEEN) == 1)
            return "a planted secret comes out";
    }
    return NULL;
}

static const char *check_again(const struct fuzz_run *whole, unsigned flags)
{
    static struct cook_text text;

    if (whole->len > COOK_TEXT_MAX)
        return NULL;
    text.len = whole->len;
    memcpy(text.data, whole->out, whole->len);
    run_once(&other, flags, &text, (struct fuzz_how){.piece = COOK_TEXT_MAX});
    if (other.wrong != NULL)
        return other.wrong;
    return other.len == whole->len && memcmp(other.out, whole->out, whole->len) == 0
               ? NULL
               : "redacted again it is something else";
}

/* No anchor ends in what is left, no key or value is written in it. */
static void make_innocent(struct cook_text *text)
{
    static const char instead[] = " .\n;\t?";

    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = (uint8_t)text->data[i];

        if (c < 0x80 && c != 0x1b)
            text->data[i] = instead[c % (sizeof(instead) - 1)];
    }
}

static bool innocent_is_wrong(const struct fuzz_run *whole, const struct cook_text *in)
{
    return whole->len != in->len || memcmp(whole->out, in->data, in->len) != 0;
}

const char *fuzz_one(const uint8_t *data, size_t len)
{
    static struct cook_text text;
    static struct cook_plant plant;
    static struct fuzz_run whole;
    struct cook c = {.text = &text, .plant = &plant};
    unsigned flags;
    const char *reason;

    if (len <= FUZZ_HEAD)
        return NULL;
    flags = data[0];
    c.in = data + FUZZ_HEAD;
    c.left = len - FUZZ_HEAD;
    c.seed = (uint32_t)(data[1] << 8 | data[2]);
    c.set = set_for(flags & ~(unsigned)FUZZ_MASKS);
    cook(&c);
    if (data[3] % 4 == FUZZ_INNOCENT)
        make_innocent(&text);
    run_once(&whole, flags, &text, (struct fuzz_how){.piece = COOK_TEXT_MAX});
    if (whole.wrong != NULL)
        return whole.wrong;
    if (data[3] % 4 == FUZZ_INNOCENT)
        return innocent_is_wrong(&whole, &text) ? "innocent text does not pass" : NULL;
    reason = check_splits(&whole, flags, c.seed, &text);
    if (reason == NULL && plant.len > 0 && (flags & FUZZ_PASS) == 0)
        reason = check_plant(&whole, flags, &text, &plant);
    if (reason == NULL && getenv("FUZZ_AGAIN") != NULL && (flags & FUZZ_OWN) == 0)
        reason = check_again(&whole, flags);
    return reason;
}

/* For a person with a finding: what the text was and what became of it. */
void fuzz_explain(const uint8_t *data, size_t len)
{
    static struct cook_text text;
    static struct cook_plant plant;
    static struct fuzz_run whole;
    struct cook c = {.text = &text, .plant = &plant};

    if (len <= FUZZ_HEAD)
        return;
    c.in = data + FUZZ_HEAD;
    c.left = len - FUZZ_HEAD;
    c.seed = (uint32_t)(data[1] << 8 | data[2]);
    c.set = set_for(data[0] & ~(unsigned)FUZZ_MASKS);
    cook(&c);
    if (data[3] % 4 == FUZZ_INNOCENT)
        make_innocent(&text);
    run_once(&whole, data[0], &text, (struct fuzz_how){.piece = COOK_TEXT_MAX});
    printf("# flags %02x seed %02x%02x kind %u, plant %zu+%zu\n", data[0], data[1], data[2],
           data[3] % 4, plant.at, plant.len);
    fuzz_print("in", text.data, text.len);
    fuzz_print("out", whole.out, whole.len);
    fuzz_print("then", other.out, other.len);
}
