// SPDX-License-Identifier: MIT
/* Evidence of many bytes at once is that of one after the other. */
#include "lib/tap.h"

#include "redact/evidence.h"

enum { BYTES_MAX = 600, ROUNDS = 200000 };

static uint64_t seed = 1;

static uint32_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

/* What the header says of it, a byte at a time. */
static void sum_plainly(struct evidence_sum *sum, const uint8_t *bytes, size_t n)
{
    *sum = (struct evidence_sum){.first = evidence_kinds[bytes[0]], .n = n, .head = n};
    for (size_t i = 0; i < n; i++) {
        uint8_t kind = evidence_kinds[bytes[i]];

        sum->mix += i > 0 && kind != sum->last && kind != KIND_OTHER && sum->last != KIND_OTHER &&
                    !(sum->last == KIND_UPPER && kind == KIND_LOWER);
        sum->digits += kind == KIND_DIGIT;
        sum->has |= evidence_has[bytes[i]];
        sum->last = kind;
        if (kind == KIND_OTHER && sum->head == n)
            sum->head = sum->tail;
        sum->tail = kind == KIND_OTHER ? 0 : sum->tail + 1;
        sum->longest = sum->tail > sum->longest ? sum->tail : sum->longest;
    }
}

static bool is_same(const struct evidence_sum *a, const struct evidence_sum *b)
{
    return a->first == b->first && a->last == b->last && a->has == b->has && a->n == b->n &&
           a->mix == b->mix && a->digits == b->digits && a->head == b->head &&
           a->tail == b->tail && a->longest == b->longest;
}

/* Of few kinds of bytes or many, other ones rare or not. */
static size_t make(uint8_t *bytes)
{
    static const char some[] = "aZ3gB9c_- ";
    size_t n = 1 + next_random() % (next_random() % 4 == 0 ? BYTES_MAX : 70);
    uint32_t kinds = 1 + next_random() % 10;
    uint32_t rare = 1 + next_random() % 40;

    for (size_t i = 0; i < n; i++)
        bytes[i] = next_random() % rare == 0 ? (uint8_t)next_random()
                                             : (uint8_t)some[next_random() % kinds];
    return n;
}

int main(void)
{
    static uint8_t bytes[BYTES_MAX];
    bool good = true;

    for (int i = 0; i < ROUNDS && good; i++) {
        size_t n = make(bytes);
        struct evidence_sum got;
        struct evidence_sum want;

        evidence_sum_up(&got, bytes, n);
        sum_plainly(&want, bytes, n);
        good = is_same(&got, &want);
    }
    ok(good, "many bytes at once");
    return done();
}
