// SPDX-License-Identifier: MIT
/*
 * latency emit N: writes N lines, one a millisecond, each the monotonic time in nanoseconds.
 * latency read: reads such lines and prints the delays in nanoseconds: p50 p90 p99 max.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LINES = 100000 };

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int emit(long n)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    char line[32];

    for (long i = 0; i < n; i++) {
        int len = snprintf(line, sizeof(line), "%" PRId64 "\n", now_ns());

        if (write(STDOUT_FILENO, line, (size_t)len) != len)
            return 1;
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t delays[MAX_LINES];

static int report(void)
{
    char data[65536];
    size_t count = 0;
    ssize_t n;

    while ((n = read(STDIN_FILENO, data, sizeof(data) - 1)) > 0) {
        int64_t at = now_ns();

        data[n] = '\0';
        for (char *line = data; *line != '\0' && count < MAX_LINES;) {
            delays[count++] = at - strtoll(line, &line, 10);
            line += strspn(line, "\n");
        }
    }
    if (count == 0)
        return 1;
    qsort(delays, count, sizeof(delays[0]), ascending);
    printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", delays[count / 2],
           delays[count * 9 / 10], delays[count * 99 / 100], delays[count - 1]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "emit") == 0)
        return emit(strtol(argv[2], NULL, 10));
    return report();
}
