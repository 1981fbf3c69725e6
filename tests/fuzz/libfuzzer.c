// SPDX-License-Identifier: MIT
/* Runs a target under libFuzzer, and under AFL++ with its driver of the same interface. */
#include <stdlib.h>

#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *reason = fuzz_one(data, len);

    if (reason == NULL)
        return 0;
    printf("# %s\n", reason);
    fuzz_explain(data, len);
    fflush(stdout);
    abort();
}
