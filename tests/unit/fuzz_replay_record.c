// SPDX-License-Identifier: MIT
/* tests/fuzz/fuzz_record.c with its corpus, and with random inputs. */
#include "fuzz/fuzz_record.c"
#include "fuzz/replay_tap.h"

int main(void)
{
    replay_corpus("tests/fuzz/corpus/record");
    replay_random(2);
    return done();
}
