// SPDX-License-Identifier: MIT
/*
 * Where may a form begin? Every stride-th gram of the logical stream is looked up; a form whose
 * first byte lies behind the last gram that was not there cannot be ruled out when one is.
 * Most of a stream is passed over in blocks (known_block.c); here is the rest, a gram at a time.
 */
#include <string.h>

#include "redact/known_gram.h"
#include "redact/known_room.h"

enum {
    WORD_BITS = 64,
    NEAR_TIMES = 4,       /* words of the small table for each of the large one */
    NEAR_WORDS_MAX = 4096, /* it has to stay in the nearest cache */
    NEAR_WORDS_WEAK = 2048, /* enough: of random values, one gram in 500 is weak */
    BITS_PER_GRAM = 12, /* at most a quarter of the bits set: one gram in 60 is told wrongly, and
                           one in a thousand after a look at its neighbours. With less, the
                           grams of 10,000 values are in the second cache. */
    WORDS_MIN = 16,
    ESCAPE_MAX = 2 + KNOWN_ESC_PARAMS_MAX + 1
};

_Static_assert(FILTER_PRINT == GRAM_LONG + STRIDE_LONG - 1, "a form is told by its print");
_Static_assert(FILTER_PRINT >= STRIDE_SHORT - 1 + sizeof(uint64_t), "each gram is read as a word");
_Static_assert(KNOWN_FLOOR == GRAM_SHORT + STRIDE_SHORT - 1, "the shortest form has a print");

/* Goes without one if there is no memory. */
static void near_init(struct known_filter *f, size_t words)
{
    f->near_weak = words > NEAR_WORDS_MAX;
    if (f->near_weak)
        words = NEAR_WORDS_WEAK;
    f->near = known_room_new(words * sizeof(*f->near));
    f->near_words = f->near != NULL ? words : 0;
    f->near_shift = WORD_BITS - (unsigned)__builtin_ctzll(words);
}

enum err_code known_filter_init(struct known_filter *f, size_t n, size_t shortest)
{
    bool is_long = shortest >= FILTER_PRINT;
    size_t words = WORDS_MIN;

    *f = (struct known_filter){.gram = is_long ? GRAM_LONG : GRAM_SHORT,
                         .stride = is_long ? STRIDE_LONG : STRIDE_SHORT};
    while (words * WORD_BITS < n * f->stride * BITS_PER_GRAM)
        words *= 2;
    f->words = known_room_new(words * sizeof(*f->words));
    if (f->words == NULL)
        return ERR_MEMORY;
    f->n_words = words;
    f->shift = WORD_BITS - (unsigned)__builtin_ctzll(words);
    near_init(f, words * NEAR_TIMES);
    return ERR_NONE;
}

void known_filter_release(struct known_filter *f)
{
    known_room_free(f->words, f->n_words * sizeof(*f->words));
    known_room_free(f->near, f->near_words * sizeof(*f->near));
    *f = (struct known_filter){.n_words = 0};
}

bool known_filter_fits(const struct known_filter *f, size_t shortest, size_t n_more)
{
    return f->n_words > 0 && (shortest >= FILTER_PRINT || f->gram == GRAM_SHORT) &&
           (f->n_grams + n_more * f->stride) * BITS_PER_GRAM <= f->n_words * WORD_BITS;
}

void known_filter_fetch(const struct known_filter *f, const uint8_t print[FILTER_PRINT])
{
    for (uint32_t i = 0; i < f->stride; i++)
        gram_fetch(f, gram_load(print + i) & gram_mask(f->gram));
}

void known_filter_add(struct known_filter *f, const uint8_t print[FILTER_PRINT])
{
    for (uint32_t i = 0; i < f->stride; i++) {
        uint64_t hash = gram_hash(gram_load(print + i) & gram_mask(f->gram));

        f->words[gram_word(f, hash)] |= gram_bits(f, hash);
        if (f->near != NULL && (!f->near_weak || gram_is_weak(print + i, f->gram)))
            f->near[hash >> f->near_shift] |= UINT64_C(1) << (hash >> (f->near_shift - 6) & 63);
    }
    for (uint32_t i = 0; i < f->gram + f->stride - 1; i++)
        f->bytes[print[i] / WORD_BITS] |= UINT64_C(1) << print[i] % WORD_BITS;
    f->n_grams += f->stride;
}

/* ---- bytes ------------------------------------------------------------------------- */

static bool has_byte(const struct known_filter *f, unsigned byte)
{
    return (f->bytes[byte / WORD_BITS] >> byte % WORD_BITS & 1) != 0;
}

/* What it costs not to tell the bytes between the two ranges: what a log has most of, first. */
static unsigned gap_cost(struct byte_range a, struct byte_range b)
{
    static const char common[] = " .:/-\"=(,)[]'_"; /* most common first */
    unsigned cost = (unsigned)b.first - a.last - 1;

    for (const char *c = common; *c != '\0'; c++) {
        if ((uint8_t)*c > a.last && (uint8_t)*c < b.first)
            cost += UINT8_MAX + (unsigned)(common + sizeof(common) - c);
    }
    return cost;
}

/* Joins the two neighbours whose gap is worth least. Returns how many are left. */
static uint32_t join_cheapest(struct byte_range *ranges, uint32_t n)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i + 1 < n; i++) {
        if (gap_cost(ranges[i], ranges[i + 1]) < gap_cost(ranges[best], ranges[best + 1]))
            best = i;
    }
    ranges[best].last = ranges[best + 1].last;
    for (uint32_t i = best + 1; i + 1 < n; i++)
        ranges[i] = ranges[i + 1];
    return n - 1;
}

static bool in_ranges(const struct known_filter *f, uint8_t byte)
{
    for (uint32_t i = 0; i < f->n_ranges; i++) {
        if (byte >= f->ranges[i].first && byte <= f->ranges[i].last)
            return true;
    }
    return false;
}

static void ranges_fill(struct known_filter *f)
{
    struct byte_range ranges[FILTER_RANGES + 1];
    uint32_t n = 0;

    for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
        if (!has_byte(f, byte))
            continue;
        if (n > 0 && ranges[n - 1].last + 1U == byte)
            ranges[n - 1].last = (uint8_t)byte;
        else
            ranges[n++] = (struct byte_range){(uint8_t)byte, (uint8_t)byte};
        if (n > FILTER_RANGES)
            n = join_cheapest(ranges, n);
    }
    memcpy(f->ranges, ranges, n * sizeof(ranges[0]));
    f->n_ranges = n;
    if (in_ranges(f, ' ') || in_ranges(f, '.') || in_ranges(f, '/'))
        f->n_ranges = 0; /* too many of a log's words are left: to list them costs more */
}

/* A gram with a byte of no gram, or in none of the ranges, need not be looked up. */
void known_filter_added(struct known_filter *f)
{
    ranges_fill(f);
    for (unsigned byte = 0; byte < 0x80; byte++) {
        if (has_byte(f, byte))
            f->nibbles[byte & 15] |= (uint8_t)(1U << (byte >> 4));
    }
}

/* ---- search ------------------------------------------------------------------------ */

/* A gram where line ends or escape sequences are about: its bytes, one by one. */
struct gather {
    uint64_t gram;
    size_t first; /* where its first byte is */
    size_t next;  /* where the stride ends */
};

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

size_t known_skip_unseen(const uint8_t *data, size_t len, size_t at)
{
    struct known_escape escape = {0, 0};
    bool begun = false;
    unsigned indent = 0;

    for (; at < len; at++) {
        if (known_escape_takes(&escape, data[at]))
            continue;
        if (is_line_end(data[at])) {
            begun = true;
            indent = 0;
        } else if (!begun || (data[at] != ' ' && data[at] != '\t') ||
                   indent++ >= KNOWN_INDENT_MAX) {
            break;
        }
    }
    return at;
}

/* False if the input ends within the gram. */
static bool gather(const struct known_filter *f, const uint8_t *data, size_t len, size_t at,
                   struct gather *g)
{
    g->gram = 0;
    for (uint32_t n = 0; n < f->gram; n++) {
        if (at < len && data[at] < 0x20)
            at = known_skip_unseen(data, len, at);
        if (n == f->stride)
            g->next = at;
        if (at >= len)
            return false;
        if (n == 0)
            g->first = at;
        g->gram |= (uint64_t)data[at++] << 8 * n;
    }
    if (f->gram == f->stride)
        g->next = at;
    return true;
}

/*
 * The usual way of a gram over a line end: one LF in it, text up to it and after it. at is
 * where the gram's eight bytes v begin; there must be nine. False: not that simple.
 */
static inline bool join_line(const uint8_t *at, uint64_t v, uint64_t *gram)
{
    unsigned bit = (unsigned)__builtin_ctzll(gram_controls(v)) & ~7U; /* of the LF in v */
    uint64_t low = (UINT64_C(1) << bit) - 1;
    uint64_t after = gram_load(at + 1);
    uint8_t first = at[bit / 8 + 1];

    *gram = (v & low) | (after & ~low);
    return at[bit / 8] == '\n' && first != ' ' && gram_controls(after | low) == 0;
}

/* True if the byte before `at` may not be the logical one before it. */
static bool unseen_before(const uint8_t *data, size_t from, size_t at)
{
    size_t reach = at - from < ESCAPE_MAX ? at - from : ESCAPE_MAX;

    return data[at - 1] <= ' ' || memrchr(data + at - reach, KNOWN_ESC, reach) != NULL;
}

bool known_gram_confirmed(const struct known_filter *f, const uint8_t *data, size_t len,
                          size_t from, size_t at)
{
    uint64_t mask = gram_mask(f->gram);
    uint64_t after;

    if (len - at <= sizeof(after))
        return true;
    after = gram_load(data + at + 1);
    if (gram_controls(after) != 0 || gram_there(f, after & mask))
        return true;
    return at > from &&
           (unseen_before(data, from, at) || gram_there(f, gram_load(data + at - 1) & mask));
}

/* A gram at a time, up to `until`. False: at way->begin a form may begin, or the input ends. */
static inline __attribute__((always_inline)) bool find(const struct known_filter *f,
                                                       const uint8_t *data, size_t len,
                                                       size_t from, size_t until, uint32_t gram,
                                                       uint32_t stride, struct known_way *way)
{
    size_t at = way->at;

    while (at < until) {
        struct gather g;
        uint64_t v;
        bool plain;

        if (len - at <= sizeof(uint64_t))
            return false;
        v = gram_load(data + at);
        g = (struct gather){.gram = v & gram_mask(gram), .first = at, .next = at + stride};
        plain = gram_controls(v) == 0;
        if (__builtin_expect(!plain, 0)) {
            if (gram == GRAM_LONG && join_line(data + at, v, &g.gram))
                g.next++;
            else if (!gather(f, data, len, at, &g))
                return false;
        }
        if (__builtin_expect(gram_there(f, g.gram), 0) &&
            (!plain || known_gram_confirmed(f, data, len, from, at)))
            return false;
        way->begin = g.first + 1; /* forms before are ruled out */
        way->at = at = g.next;
    }
    return true;
}

size_t known_filter_find(const struct known_filter *f, const uint8_t *data, size_t len, size_t from)
{
    struct known_way way = {from, from};
    bool further = true;

    if (f->n_words == 0)
        return from;
    while (further && way.at < len) {
        size_t until = known_blocks_pass(f, data, len, &way);

        if (f->gram == GRAM_LONG)
            further = find(f, data, len, from, until, GRAM_LONG, STRIDE_LONG, &way);
        else
            further = find(f, data, len, from, until, GRAM_SHORT, STRIDE_SHORT, &way);
    }
    /* No form begins with what is left out; to ask for each byte of it would never end. */
    return way.begin < len && data[way.begin] < ' ' ? known_skip_unseen(data, len, way.begin)
                                                    : way.begin;
}
