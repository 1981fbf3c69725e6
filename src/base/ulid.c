// SPDX-License-Identifier: MIT
#include "base/ulid.h"

#include <errno.h>

#include "base/sys.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The place of each character in the alphabet, plus 1; 0: it is not in there. */
static const uint8_t places[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,
    ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14,
    ['E'] = 15, ['F'] = 16, ['G'] = 17, ['H'] = 18, ['J'] = 19, ['K'] = 20, ['M'] = 21,
    ['N'] = 22, ['P'] = 23, ['Q'] = 24, ['R'] = 25, ['S'] = 26, ['T'] = 27, ['V'] = 28,
    ['W'] = 29, ['X'] = 30, ['Y'] = 31, ['Z'] = 32,
};

enum { TIME_CHARS = 10, BITS_PER_CHAR = 5 };
#define ULID_TIME_MAX ((INT64_C(1) << 48) - 1)

static enum err_code fill_random(uint8_t *dst, size_t n, struct err *e)
{
    size_t have = 0;

    while (have < n) {
        ssize_t got = sys.getrandom(dst + have, n - have, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_system(e, "cannot get random bytes", "");
        have += (size_t)got;
    }
    return ERR_NONE;
}

/* Adds one to the big-endian number; false on wrap-around. */
static bool increment(uint8_t random[ULID_RANDOM_BYTES])
{
    for (int i = ULID_RANDOM_BYTES - 1; i >= 0; i--)
        if (++random[i] != 0)
            return true;
    return false;
}

static void encode(int64_t ms, const uint8_t random[ULID_RANDOM_BYTES], char dst[ULID_SIZE])
{
    unsigned bits = 0;
    uint32_t window = 0;
    char *out = dst + TIME_CHARS;

    for (int i = TIME_CHARS - 1; i >= 0; i--) {
        dst[i] = alphabet[ms & 31];
        ms >>= BITS_PER_CHAR;
    }
    for (int i = 0; i < ULID_RANDOM_BYTES; i++) {
        window = (window << 8) | random[i];
        for (bits += 8; bits >= BITS_PER_CHAR; bits -= BITS_PER_CHAR)
            *out++ = alphabet[(window >> (bits - BITS_PER_CHAR)) & 31];
    }
    *out = '\0';
}

enum err_code ulid_next(struct ulid_source *s, int64_t realtime_ms, char dst[ULID_SIZE],
                        struct err *e)
{
    if (realtime_ms < 0)
        realtime_ms = 0;
    if (realtime_ms > s->last_ms || s->last_ms == 0) {
        enum err_code rc = fill_random(s->random, sizeof(s->random), e);

        if (rc != ERR_NONE)
            return rc;
        s->last_ms = realtime_ms;
    } else if (!increment(s->random)) {
        s->last_ms++;
    }
    if (s->last_ms > ULID_TIME_MAX)
        s->last_ms = ULID_TIME_MAX;
    encode(s->last_ms, s->random, dst);
    return ERR_NONE;
}

bool ulid_char(char c)
{
    return places[(unsigned char)c] != 0;
}

bool ulid_valid(const char *text)
{
    if (text[0] < '0' || text[0] > '7')
        return false;
    for (int i = 0; i < ULID_LEN; i++)
        if (!ulid_char(text[i]))
            return false;
    return text[ULID_LEN] == '\0';
}

int64_t ulid_time_ms(const char *id)
{
    int64_t ms = 0;

    for (int i = 0; i < TIME_CHARS; i++)
        ms = (ms << BITS_PER_CHAR) | (places[(unsigned char)id[i]] - 1);
    return ms;
}
