// SPDX-License-Identifier: MIT
/* tests/fuzz/fuzz_redact.c with its corpus, and with random inputs. */
#include "fuzz/fuzz_redact.c"
#include "fuzz/replay_tap.h"

int main(void)
{
    replay_corpus("tests/fuzz/corpus/redact");
    replay_random(FUZZ_HEAD);
    return done();
}
