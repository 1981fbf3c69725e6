// SPDX-License-Identifier: MIT
/* text/base64: decoding undoes encoding, and takes nothing that is not well-formed. */
#include "lib/tap.h"

#include "text/base64.h"

static void test_round_trip(void)
{
    char in[67];
    char coded[128];
    char out[128];
    int good = 0;

    for (size_t n = 0; n < sizeof(in); n++) {
        for (size_t i = 0; i < n; i++)
            in[i] = (char)(i * 37 + n * 11);
        char *end = base64_encode(coded, in, n);
        char *last = base64_decode(out, coded, (size_t)(end - coded));

        good += last != NULL && (size_t)(last - out) == n && memcmp(in, out, n) == 0;
    }
    is_int(good, sizeof(in), "decode undoes encode for every length");
}

static void refused(const char *text)
{
    char out[64];

    ok(base64_decode(out, text, strlen(text)) == NULL, "refused: '%s'", text);
}

int main(void)
{
    test_round_trip();
    static const char *const bad[] = {"A", "AA", "AAA", "AAAAA", "=AAA", "A===", "AA=A", "AB==",
                                      "AAB=", "AA==AAAA", "AA A", "AA-_", "AAA\x80", "====", NULL};
    for (size_t i = 0; bad[i] != NULL; i++)
        refused(bad[i]);
    return done();
}
