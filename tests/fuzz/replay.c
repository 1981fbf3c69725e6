// SPDX-License-Identifier: MIT
/*
 * Runs a target without a fuzzer.
 *
 *   replay [-v] FILE|DIRECTORY...   for each file, and says what does not hold
 *   replay -r COUNT SEED FILE       for random inputs; the first that fails is left in FILE
 *   replay                          for standard input, as AFL++ does
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/target.h"

enum { INPUT_MAX = 1 << 16, PATH_LEN_MAX = 4096, RANDOM_MAX = 60 };

static bool one(const char *name, FILE *file, bool explain)
{
    static uint8_t data[INPUT_MAX];
    size_t len = fread(data, 1, sizeof(data), file);
    const char *reason = fuzz_one(data, len);

    if (reason != NULL)
        printf("# %s: %s\n", name, reason);
    if (reason != NULL || explain)
        fuzz_explain(data, len);
    return reason == NULL;
}

static bool at_path(const char *path, bool explain)
{
    DIR *dir = opendir(path);
    FILE *file = dir == NULL ? fopen(path, "rb") : NULL;
    struct dirent *entry;
    bool good = true;

    if (dir == NULL) {
        good = file != NULL && one(path, file, explain);
        if (file != NULL)
            fclose(file);
        return good;
    }
    while ((entry = readdir(dir)) != NULL) {
        char name[PATH_LEN_MAX];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        good &= at_path(name, explain);
    }
    closedir(dir);
    return good;
}

/* Short inputs: what goes wrong goes wrong between two or three pieces. */
static bool random_inputs(unsigned long count, uint64_t seed, const char *path)
{
    uint8_t data[RANDOM_MAX];
    const char *reason = NULL;
    size_t len = 0;
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        return false;
    setvbuf(file, NULL, _IONBF, 0);
    while (count-- > 0 && reason == NULL) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        len = 5 + (seed >> 40) % (RANDOM_MAX - 5);
        for (size_t i = 0; i < len; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            data[i] = (uint8_t)(seed >> 56);
            if (i > 3 && (seed >> 50 & 3) != 0)
                data[i] &= 0x7f;
        }
        rewind(file); /* now, for those that end this program */
        if (ftruncate(fileno(file), 0) != 0 || fwrite(data, 1, len, file) != len)
            break;
        reason = fuzz_one(data, len);
    }
    fclose(file);
    if (reason == NULL)
        return true;
    printf("# %s\n", reason);
    fuzz_explain(data, len);
    return false;
}

int main(int argc, char **argv)
{
    bool explain = argc > 1 && strcmp(argv[1], "-v") == 0;
    bool good = true;

    if (argc == 5 && strcmp(argv[1], "-r") == 0)
        return random_inputs(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), argv[4]) ? 0 : 1;
    for (int i = explain ? 2 : 1; i < argc; i++)
        good &= at_path(argv[i], explain);
    if (argc == 1 && !one("standard input", stdin, false))
        abort(); /* what AFL++ takes for a finding */
    return good ? 0 : 1;
}
