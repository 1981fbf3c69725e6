// SPDX-License-Identifier: MIT
/* tests/fuzz/fuzz_query.c with its corpus, and with random inputs. */
#include "fuzz/fuzz_query.c"
#include "fuzz/replay_tap.h"

int main(void)
{
    replay_corpus("tests/fuzz/corpus/query");
    replay_random(2);
    return done();
}
