// SPDX-License-Identifier: MIT
/*
 * The corpus of a fuzz target once more, for make check: seeds, and every finding, made small.
 * Besides some random inputs, always the same ones, so that a machine without a fuzzer tries
 * something new with every change. Included behind the target.
 */
#ifndef TESTS_FUZZ_REPLAY_TAP_H
#define TESTS_FUZZ_REPLAY_TAP_H

#include "lib/tap.h"

#include <dirent.h>
#include <stdlib.h>

#ifndef SOUPS
#define SOUPS 400 /* random inputs */
#endif

enum { REPLAY_INPUT_MAX = 1 << 12, REPLAY_PATH_MAX = 4096, REPLAY_RANDOM_MAX = 60 };

static void replay_file(const char *directory, const char *name)
{
    static uint8_t data[REPLAY_INPUT_MAX];
    char path[REPLAY_PATH_MAX];
    FILE *file;
    size_t len;
    const char *reason;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "rb");
    if (!ok(file != NULL, "%s can be read", name))
        return;
    len = fread(data, 1, sizeof(data), file);
    fclose(file);
    reason = fuzz_one(data, len);
    if (!ok(reason == NULL, "%s: %s", name, reason != NULL ? reason : "holds"))
        fuzz_explain(data, len);
}

static void replay_corpus(const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    size_t n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        replay_file(directory, entry->d_name);
        n++;
    }
    if (dir != NULL)
        closedir(dir);
    ok(n > 0, "%s has files", directory);
}

/* head: bytes that every input begins with. */
static void replay_random(size_t head)
{
    uint8_t data[REPLAY_RANDOM_MAX];
    uint64_t seed = 1;
    const char *reason = NULL;
    size_t len = 0;

    for (int n = 0; n < SOUPS && reason == NULL; n++) {
        len = head + 1;
        for (size_t i = 0; i < sizeof(data); i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            data[i] = (uint8_t)(seed >> 56);
            len += i > head && seed >> 63 != 0;
        }
        reason = fuzz_one(data, len);
    }
    if (!ok(reason == NULL, "random inputs: %s", reason != NULL ? reason : "hold"))
        fuzz_explain(data, len);
}

#endif
