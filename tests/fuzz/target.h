// SPDX-License-Identifier: MIT
/* What a fuzz target is: three ways to run one stand in main.h. */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* NULL, or what does not hold for this input. */
const char *fuzz_one(const uint8_t *data, size_t len);

/* Prints what the input means. */
void fuzz_explain(const uint8_t *data, size_t len);

/* Bytes as a line of printable ones. */
static inline void fuzz_print(const char *name, const char *data, size_t len)
{
    printf("# %-4s", name);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];

        if (c == '\\')
            printf("\\\\");
        else if (c >= 0x20 && c < 0x7f)
            putchar(c);
        else if (c == '\n')
            printf("\\n");
        else
            printf("\\x%02x", c);
    }
    putchar('\n');
}

#endif
