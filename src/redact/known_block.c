// SPDX-License-Identifier: MIT
/*
 * Ordinary text, passed over in blocks of 64 bytes: the grams of a block, at every stride, are
 * looked up without a branch, whatever they hold. What the logical stream leaves out (line ends
 * with the indentation behind them, escape sequences: a gap) is not gathered around: at each gap
 * there are grams of its own,
 *
 *      ...text [ tail ]gap[ head ] text...
 *
 * the last one before it and the first one behind it. Between them they miss no form. Of the
 * first bytes of a form, gram + stride - 1 of them,
 *   - all lie between two gaps: a gram of the block is among them;
 *   - or a gap comes after `gram` of them or more: its tail is among them;
 *   - or all gaps come earlier: behind the last of them are stride or more, and its head is among
 *     them. (Short grams: at least four are, and a head has five. After four, the gram of the
 *     four before the gap and the one behind it is looked up as well.)
 * A tail goes over gaps as well where there is little text between two. Where a gram is there, or
 * something is out of the ordinary, known_filter.c goes on, a gram at a time.
 */
#include "redact/known_gram.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    GAPS_ROOM = 8 + 1, /* bytes read behind a gap */
    GAPS_SPARE = 2, /* more than that in a block are few */
    BLOCKS_LEN = KNOWN_LIST_BLOCKS * KNOWN_BLOCK /* bytes whose gaps are listed in one go */
};

/*
 * A set of many values has a filter that is no more in the nearest cache. But one byte often tells
 * that a gram is of no form: random letters and digits have no blanks nor points among them. What
 * is left is listed first and looked up then; words without capitals and digits, the most of it,
 * in a small table first, since few grams of random values are so.
 */
enum known_look {
    LOOK_ALL,
    LOOK_NEAR, /* in the small table first */
    LOOK_LISTED
};

/* How it is looked; constants wherever it is passed. */
struct known_step {
    uint32_t gram;
    uint32_t stride;
    enum known_look look;
};

/* One call. */
struct blocks {
    const struct known_filter *f;
    const uint8_t *data;
    size_t len;
    size_t text; /* where the last gap ended */
    uint64_t tail; /* the last bytes before it */
    uint32_t tail_len; /* as many as a gram has, if they are known */
    struct known_way way;
    uint16_t gaps[BLOCKS_LEN + GAPS_SPARE];
    const struct known_teller *teller;
    struct known_kinds kinds;
    size_t n_told; /* bytes whose kinds are told */
    struct known_grams grams;
};

/* Bit n: byte n of the block is below 0x20. */
static inline uint64_t block_controls(const uint8_t *p)
{
    uint64_t found = 0;

#ifdef __SSE2__
    const __m128i most = _mm_set1_epi8(0x1f);

#pragma GCC unroll 4
    for (unsigned i = 0; i < KNOWN_BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(v, most), most));

        found |= (uint64_t)(unsigned)mask << i;
    }
#else
    const uint64_t ones = UINT64_C(0x0101010101010101);

    for (unsigned i = 0; i < KNOWN_BLOCK; i += 8) {
        uint64_t high = gram_load(p + i) & ones * 0xe0;
        uint64_t none = ~(((high & ones * 0x7f) + ones * 0x7f) | high) & ones * 0x80;

        /* The top bits of the eight bytes, together. */
        found |= (none >> 7) * UINT64_C(0x0102040810204080) >> 56 << i;
    }
#endif
    return found;
}

/* The gram at data[at] may be of a form. */
static inline bool gram_tells(const struct blocks *b, size_t at, uint32_t gram)
{
    uint64_t v = gram_load(b->data + at);

    return __builtin_expect(gram_there(b->f, v & gram_mask(gram)), 0) &&
           (gram_controls(v) != 0 || known_gram_confirmed(b->f, b->data, b->len, 0, at));
}

/* Some gram of the block at data[at], where one is there, may be of a form. */
static bool block_tells(const struct blocks *b, size_t at, uint32_t gram, uint32_t stride)
{
    for (size_t i = 0; i < KNOWN_BLOCK; i += stride) {
        if (gram_tells(b, at + i, gram))
            return true;
    }
    return false;
}

/* Some gram of the block is there. All are looked up: no branch, and one does not wait for the
   memory of another. */
static inline __attribute__((always_inline)) bool block_there(const struct known_filter *f,
                                                              const uint8_t *p,
                                                              struct known_step step)
{
    bool any = false;

#pragma GCC unroll 16
    for (unsigned i = 0; i < KNOWN_BLOCK; i += step.stride)
        any |= gram_there(f, gram_load(p + i) & gram_mask(step.gram));
    return any;
}

/* The same with a look at the small table first, if there is one. */
static inline __attribute__((always_inline)) bool block_grams(const struct known_filter *f,
                                                              const uint8_t *p,
                                                              struct known_step step)
{
    const uint64_t *near = f->near;
    unsigned shift = f->near_shift;
    uint64_t any = 0;

    if (step.look == LOOK_ALL)
        return block_there(f, p, step);
#pragma GCC unroll 16
    for (unsigned i = 0; i < KNOWN_BLOCK; i += step.stride)
        any |= gram_near(near, shift, gram_load(p + i) & gram_mask(step.gram));
    return __builtin_expect((any & 1) != 0, 0) && block_there(f, p, step);
}

/* The grams listed that are strong. Returns the offset of the block of the first that tells
   something, or `end` if none does. */
static inline __attribute__((always_inline)) size_t grams_pass(const struct blocks *b, size_t base,
                                                               size_t end, struct known_step step)
{
    for (size_t i = 0; i < b->grams.n_strong; i++) {
        uint64_t v = gram_load(b->data + base + b->grams.strong[i]);

        gram_fetch(b->f, v & gram_mask(step.gram));
    }
    for (size_t i = 0; i < b->grams.n_strong; i++) {
        if (gram_tells(b, base + b->grams.strong[i], step.gram))
            return b->grams.strong[i] / KNOWN_BLOCK * KNOWN_BLOCK;
    }
    return end;
}

/* The same with those that are weak. */
static inline __attribute__((always_inline)) size_t weak_pass(const struct blocks *b, size_t base,
                                                              size_t end, struct known_step step)
{
    const uint64_t *near = b->f->near;
    unsigned shift = b->f->near_shift;

    for (size_t i = 0; i < b->grams.n_weak && b->grams.weak[i] < end; i++) {
        size_t at = base + b->grams.weak[i];
        uint64_t gram = gram_load(b->data + at) & gram_mask(step.gram);

        if (__builtin_expect(gram_near(near, shift, gram) & 1, 0) && gram_tells(b, at, step.gram))
            return b->grams.weak[i] / KNOWN_BLOCK * KNOWN_BLOCK;
    }
    return end;
}

/* Behind the gap that begins at `at`; `at` if there is none. */
static inline size_t gap_end(const uint8_t *data, size_t len, size_t at)
{
    const uint64_t blanks = UINT64_C(0x2020202020202020);
    size_t next = at + 1 + (data[at] == '\r' && data[at + 1] == '\n');
    uint64_t v;

    if (len - at > GAPS_ROOM + 1 && (data[at] == '\n' || data[at] == '\r')) {
        v = gram_load(data + next) ^ blanks;
        next += v != 0 ? (unsigned)__builtin_ctzll(v) / 8 : sizeof(v);
        if (data[next] > ' ')
            return next;
    }
    return known_skip_unseen(data, len, at);
}

/* Takes the text up to the gap into the tail. False: there is too little of it since the start. */
static inline __attribute__((always_inline)) bool tail_take(struct blocks *b, size_t gap,
                                                            uint32_t gram)
{
    size_t n = gap - b->text;

    if (n >= gram) {
        b->tail = gram_load(b->data + gap - gram) & gram_mask(gram);
        b->tail_len = gram;
        return true;
    }
    if (b->tail_len + n < gram)
        return false;
    if (n > 0) /* else a shift by all bits */
        b->tail = b->tail >> 8 * n | (gram_load(b->data + b->text) << 8 * (gram - n) &
                                      gram_mask(gram));
    return true;
}

/* A gram that is looked up by itself. */
static inline __attribute__((always_inline)) uint64_t look(const struct known_filter *f,
                                                           uint64_t gram, struct known_step step)
{
    if (step.look != LOOK_NEAR)
        return gram_there(f, gram);
    return gram_near(f->near, f->near_shift, gram) & 1;
}

/* The bits of the eight bytes at the offset. */
static inline uint32_t kind_bits(const uint64_t *kinds, size_t offset)
{
    uint16_t bits;

    memcpy(&bits, (const unsigned char *)kinds + offset / 8, sizeof(bits));
    return (uint32_t)le16toh(bits) >> offset % 8;
}

/* The same, with what is told of the bytes at the offset, where the gram is, first. */
static inline __attribute__((always_inline)) uint64_t look_at(const struct blocks *b,
                                                              uint64_t gram, size_t offset,
                                                              struct known_step step)
{
    uint32_t all = (1U << step.gram) - 1;

    if (step.look != LOOK_LISTED || offset >= b->n_told) /* as one before the first block is */
        return look(b->f, gram, step);
    if ((kind_bits(b->kinds.foreign, offset) & all) != 0)
        return 0;
    if ((kind_bits(b->kinds.strong, offset) & all) == 0 &&
        (gram_near(b->f->near, b->f->near_shift, gram) & 1) == 0)
        return 0;
    return gram_there(b->f, gram);
}

/* The gap before `next`, whose tail was taken: none of its grams is there. */
static inline __attribute__((always_inline)) bool gap_passes(const struct blocks *b, size_t base,
                                                             size_t gap, size_t next,
                                                             struct known_step step)
{
    const struct known_filter *f = b->f;
    uint64_t mask = gram_mask(step.gram);
    uint64_t head = gram_load(b->data + next); /* with a gap in it: nothing much */
    uint64_t over = (b->tail >> 8 | head << 8 * (step.gram - 1)) & mask;
    size_t before = gap - b->text >= step.gram ? gap - step.gram - base : SIZE_MAX;
    uint64_t any = look_at(b, b->tail, before, step) | look_at(b, head & mask, next - base, step);

    if (step.gram != GRAM_LONG)
        any |= look(f, over, step);
    return __builtin_expect(any == 0, 1) ||
           !(gram_there(f, b->tail) || gram_there(f, head & mask) ||
             (step.gram != GRAM_LONG && gram_there(f, over)));
}

/* The gaps listed. Returns the offset of the first that is not as usual, or `end`. */
static inline __attribute__((always_inline)) size_t gaps_pass(struct blocks *b, size_t base,
                                                              size_t n, size_t end,
                                                              struct known_step step)
{
    size_t looked = 0; /* controls before it are text */

    for (size_t i = 0; i < n; i++) {
        size_t at = base + b->gaps[i];
        size_t next;
        bool whole;

        if (b->gaps[i] >= end)
            break;
        if (at < b->text || at < looked)
            continue; /* of the gap before, or of the text behind it */
        next = gap_end(b->data, b->len, at);
        while (next == at && b->data[at] < ' ' && at + 1 < b->len && at < base + end)
            next = gap_end(b->data, b->len, ++at); /* text after all */
        looked = at;
        if (next == at)
            continue;
        whole = at - b->text >= step.gram;
        if (b->len - next < sizeof(uint64_t) || !tail_take(b, at, step.gram) ||
            !gap_passes(b, base, at, next, step))
            return b->gaps[i];
        b->text = next;
        if (whole) /* else the way stays behind */
            b->way = (struct known_way){.begin = at - step.gram + 1, .at = next};
    }
    return end;
}

/* Lists the gaps that begin in the block at offset `at`. */
static inline size_t gaps_list(struct blocks *b, size_t n, uint64_t controls, size_t at,
                               uint64_t *before)
{
    n = places_list(b->gaps, n, controls & ~(controls << 1 | *before), at, GAPS_SPARE);
    *before = controls >> (KNOWN_BLOCK - 1);
    return n;
}

/* Some blocks, whose kinds are told first. Returns how far they go, less if not all are as
   usual. */
static inline __attribute__((always_inline)) size_t pass_listed(struct blocks *b, size_t base,
                                                                size_t len, struct known_step step)
{
    uint64_t before = 0;
    size_t n = 0;

    size_t end;

    b->teller->kinds(b->f, b->data + base, len / KNOWN_BLOCK, &b->kinds);
    b->kinds.foreign[len / KNOWN_BLOCK] = 0; /* nothing is known of what comes behind */
    b->kinds.strong[len / KNOWN_BLOCK] = UINT64_MAX;
    b->n_told = len;
    b->teller->grams(&b->kinds, len / KNOWN_BLOCK, step.gram, &b->grams);
    end = grams_pass(b, base, len, step);
    end = weak_pass(b, base, end, step);
    for (size_t at = 0; at < len; at += KNOWN_BLOCK)
        n = gaps_list(b, n, b->kinds.controls[at / KNOWN_BLOCK], at, &before);
    return gaps_pass(b, base, n, end, step);
}

/* The same, with each gram looked up. */
static inline __attribute__((always_inline)) size_t pass_some(struct blocks *b, size_t base,
                                                              size_t len, struct known_step step)
{
    uint64_t before = 0;
    size_t n = 0;
    size_t at;

    if (step.look == LOOK_LISTED)
        return pass_listed(b, base, len, step);
    for (at = 0; at < len; at += KNOWN_BLOCK) {
        const uint8_t *p = b->data + base + at;

        if (block_grams(b->f, p, step) && block_tells(b, base + at, step.gram, step.stride))
            break;
        n = gaps_list(b, n, block_controls(p), at, &before);
    }
    return gaps_pass(b, base, n, at, step);
}

/* Returns how far to go on otherwise. */
static inline __attribute__((always_inline)) size_t pass(struct blocks *b, struct known_step step)
{
    /* Behind the last gram that lies in a block, from its end. */
    size_t rest = (KNOWN_BLOCK - step.gram) % step.stride + step.gram;
    size_t base = b->way.at;
    size_t some = KNOWN_BLOCK; /* then more: the first gap may be the last that is passed */

    while (b->len - base > KNOWN_BLOCK + sizeof(uint64_t)) {
        size_t room = (b->len - base - sizeof(uint64_t) - 1) / KNOWN_BLOCK * KNOWN_BLOCK;
        size_t len = room < some ? room : some;
        size_t done = pass_some(b, base, len, step);
        size_t whole = done / KNOWN_BLOCK * KNOWN_BLOCK;

        base += whole;
        if (whole > 0 && base - rest >= b->text)
            b->way = (struct known_way){.begin = base - rest + 1, .at = base - rest + step.stride};
        if (done < len)
            return base + KNOWN_BLOCK;
        some = some < BLOCKS_LEN ? 2 * some : BLOCKS_LEN;
    }
    return b->len;
}

static inline __attribute__((always_inline)) size_t pass_looking(struct blocks *b, uint32_t gram,
                                                                 uint32_t stride)
{
    if (b->f->near != NULL && !b->f->near_weak)
        return pass(b, (struct known_step){gram, stride, LOOK_NEAR});
    b->teller = known_teller_best(b->f);
    if (b->teller != NULL)
        return pass(b, (struct known_step){gram, stride, LOOK_LISTED});
    return pass(b, (struct known_step){gram, stride, LOOK_ALL});
}

size_t known_blocks_pass(const struct known_filter *f, const uint8_t *data, size_t len,
                         struct known_way *way)
{
    struct blocks b;
    size_t until;

    b.f = f;
    b.data = data;
    b.len = len;
    b.text = way->at;
    b.tail_len = 0;
    b.way = *way;
    if (f->gram == GRAM_LONG)
        until = pass_looking(&b, GRAM_LONG, STRIDE_LONG);
    else
        until = pass_looking(&b, GRAM_SHORT, STRIDE_SHORT);
    *way = b.way;
    return until;
}
