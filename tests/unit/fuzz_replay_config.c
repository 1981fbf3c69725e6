// SPDX-License-Identifier: MIT
/* tests/fuzz/fuzz_config.c with its corpus, and with random inputs. */
#include "fuzz/fuzz_config.c"
#include "fuzz/replay_tap.h"

int main(void)
{
    replay_corpus("tests/fuzz/corpus/config");
    replay_random(2);
    return done();
}
