// SPDX-License-Identifier: MIT
/* Sixteen bytes at a time, as any compiler's vectors have them. */
#include "redact/evidence.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

const uint8_t evidence_kinds[256] = {
    ['a' ... 'z'] = KIND_LOWER, ['A' ... 'Z'] = KIND_UPPER, ['0' ... '9'] = KIND_DIGIT};
const uint8_t evidence_has[256] = {['0' ... '9'] = HAS_DIGIT,
                                   ['a' ... 'f'] = HAS_LOWER,
                                   ['g' ... 'z'] = HAS_LOWER | HAS_BEYOND_HEX,
                                   ['A' ... 'F'] = HAS_UPPER,
                                   ['G' ... 'Z'] = HAS_UPPER | HAS_BEYOND_HEX};

/* ---- byte by byte ---------------------------------------------------------------------- */

/* One more byte for the pieces; while there was no other byte the head is open: SIZE_MAX. */
static inline void piece_byte(struct evidence_sum *sum, uint8_t kind)
{
    if (kind == KIND_OTHER) {
        sum->head = sum->head == SIZE_MAX ? sum->tail : sum->head;
        sum->tail = 0;
        return;
    }
    sum->tail++;
    sum->longest = sum->tail > sum->longest ? sum->tail : sum->longest;
}

static inline void sum_byte(struct evidence_sum *sum, uint8_t byte)
{
    uint8_t kind = evidence_kinds[byte];

    sum->mix += kind != sum->last && kind != KIND_OTHER && sum->last != KIND_OTHER &&
                !(sum->last == KIND_UPPER && kind == KIND_LOWER);
    sum->digits += kind == KIND_DIGIT;
    sum->has |= evidence_has[byte];
    sum->last = kind;
    piece_byte(sum, kind);
}

/* ---- sixteen at a time ----------------------------------------------------------------- */

typedef uint8_t lanes __attribute__((vector_size(16)));
enum { LANES = sizeof(lanes), BLOCKS_MAX = UINT8_MAX /* that a lane can count */ };

/* All bits of a lane or none. */
struct kinds {
    lanes lower;
    lanes upper;
    lanes digit;
};

static inline lanes lanes_at(const uint8_t *bytes)
{
    lanes v;

    memcpy(&v, bytes, sizeof(v));
    return v;
}

static inline lanes between(lanes v, uint8_t first, uint8_t last)
{
    return (lanes)((v - first) <= ((lanes){0} + (uint8_t)(last - first)));
}

static inline struct kinds kinds_of(lanes v)
{
    return (struct kinds){between(v, 'a', 'z'), between(v, 'A', 'Z'), between(v, '0', '9')};
}

static inline bool any(lanes v)
{
    uint64_t half[2];

    memcpy(half, &v, sizeof(half));
    return (half[0] | half[1]) != 0;
}

static size_t lanes_sum(lanes v)
{
    size_t sum = 0;

    for (size_t i = 0; i < LANES; i++)
        sum += v[i];
    return sum;
}

/* A bit for each lane, the first the lowest; the lanes are all bits or none. */
static inline uint32_t lane_bits(lanes v)
{
    const uint64_t gather = UINT64_C(0x0002040810204081); /* the high bits into the highest byte */
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t half[2];

    memcpy(half, &v, sizeof(half));
    return (uint32_t)(((le64toh(half[0]) & high) * gather >> 56) |
                      ((le64toh(half[1]) & high) * gather >> 56 << 8));
}

/* Of a block: the others end pieces. */
static inline void piece_block(struct evidence_sum *sum, uint32_t others)
{
    uint32_t rest = ~others & ((1U << LANES) - 1);
    size_t before = sum->tail + (size_t)__builtin_ctz(others | 1U << LANES);
    size_t longest = before;

    if (others != 0) {
        sum->head = sum->head == SIZE_MAX ? before : sum->head;
        sum->tail = LANES - 1 - (size_t)(31 - __builtin_clz(others));
        if (sum->longest < LANES) {
            for (size_t n = 0; rest != 0; n++, longest = n > longest ? n : longest)
                rest &= rest >> 1;
        }
    } else {
        sum->tail += LANES;
    }
    sum->longest = longest > sum->longest ? longest : sum->longest;
}

/* Whole blocks behind at least one byte, at most BLOCKS_MAX; returns how many bytes they are. */
static size_t sum_blocks(struct evidence_sum *sum, const uint8_t *bytes, size_t n)
{
    size_t blocks = n / LANES < BLOCKS_MAX ? n / LANES : BLOCKS_MAX;
    lanes mix = {0};
    lanes digits = {0};
    struct kinds seen = {{0}, {0}, {0}};
    lanes beyond = {0};

    for (size_t i = 0; i < blocks * LANES; i += LANES) {
        lanes v = lanes_at(bytes + i);
        struct kinds now = kinds_of(v);
        struct kinds before = kinds_of(lanes_at(bytes + i - 1));

        mix -= (now.lower & before.digit) | (now.upper & (before.lower | before.digit)) |
               (now.digit & (before.lower | before.upper));
        digits -= now.digit;
        seen.lower |= now.lower;
        seen.upper |= now.upper;
        beyond |= between(v | 0x20, 'g', 'z');
        piece_block(sum, lane_bits(~(now.lower | now.upper | now.digit)));
    }
    sum->mix += lanes_sum(mix);
    sum->digits += lanes_sum(digits);
    sum->has |= (uint8_t)((any(digits) ? HAS_DIGIT : 0) | (any(seen.lower) ? HAS_LOWER : 0) |
                          (any(seen.upper) ? HAS_UPPER : 0) | (any(beyond) ? HAS_BEYOND_HEX : 0));
    if (blocks > 0)
        sum->last = evidence_kinds[bytes[blocks * LANES - 1]];
    return blocks * LANES;
}

void evidence_sum_up(struct evidence_sum *sum, const uint8_t *bytes, size_t n)
{
    size_t i = 1;

    *sum = (struct evidence_sum){.n = n, .head = SIZE_MAX};
    sum_byte(sum, bytes[0]);
    sum->first = sum->last;
    while (n - i >= LANES)
        i += sum_blocks(sum, bytes + i, n - i);
    for (; i < n; i++)
        sum_byte(sum, bytes[i]);
    if (sum->head == SIZE_MAX)
        sum->head = n;
}
