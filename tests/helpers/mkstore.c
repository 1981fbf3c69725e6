// SPDX-License-Identifier: MIT
/*
 * Fills a store with builds that never ran: mkstore ROOT BUILDS DAYS LINES END_MS
 *
 * The builds are spread evenly over the days that end at END_MS (milliseconds since 1970). All
 * is computed from the number n of a build, 0 the oldest, so that a test knows what is in there:
 * it fails if n % 10 is 3, is killed if n % 100 is 50, lasted n % 1000 ms, wrote LINES + n % 7
 * lines, is called "job-" and n % 12, and has a label shard=n % 4.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { TEXT_MAX = 1 << 20, LINES_MAX = 5000 };

static char text[TEXT_MAX];

static void make_id(char id[27], uint64_t ms, uint64_t n)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint64_t mixed = XXH3_64bits(&n, sizeof(n));

    for (int i = 9; i >= 0; i--, ms >>= 5)
        id[i] = alphabet[ms & 31];
    for (int i = 10; i < 16; i++, mixed >>= 5)
        id[i] = alphabet[mixed & 31];
    for (int i = 25; i >= 16; i--, n >>= 5) /* no two builds end alike */
        id[i] = alphabet[n & 31];
    id[26] = '\0';
}

static const char *stamp(char dst[40], uint64_t ms)
{
    time_t when = (time_t)(ms / 1000);
    struct tm tm;
    size_t len;

    gmtime_r(&when, &tm);
    len = strftime(dst, 40, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(dst + len, 40 - len, ".%03uZ", (unsigned)(ms % 1000));
    return dst;
}

static size_t compose(const char *id, uint64_t ms, uint64_t n, unsigned lines)
{
    const char *how = n % 10 == 3 ? "\"failed\",\"exitCode\":2" : "\"ok\",\"exitCode\":0";
    XXH128_hash_t sum;
    char when[40];
    int at;

    if (n % 100 == 50)
        how = "\"signaled\",\"signal\":\"SIGKILL\"";
    at = snprintf(text, TEXT_MAX,
                  "{\"kind\":\"meta\",\"buildId\":\"%s\",\"startedAt\":\"%s\",\"version\":\"0\","
                  "\"v\":1,\"name\":\"job-%u\",\"cmd\":[\"make\",\"-j4\",\"all\"],\"cwd\":\"/src\","
                  "\"host\":\"h\",\"pid\":1,\"tty\":false,\"order\":\"arrival\",\"redact\":\"on\","
                  "\"forward\":\"redacted\",\"lock\":true,\"labels\":{\"shard\":\"%u\"}}\n",
                  id, stamp(when, ms), (unsigned)(n % 12), (unsigned)(n % 4));
    for (unsigned i = 1; i <= lines; i++)
        at += snprintf(text + at, TEXT_MAX - (size_t)at,
                       "{\"kind\":\"line\",\"ts\":%llu,\"seq\":%u,\"src\":\"stdout\",\"buildId\":"
                       "\"%s\",\"msg\":\"cc -c file%u.c -o file%u.o\"}\n",
                       (unsigned long long)ms, i, id, i, i);
    sum = XXH3_128bits(text, (size_t)at);
    at += snprintf(text + at, TEXT_MAX - (size_t)at,
                   "{\"kind\":\"meta\",\"buildId\":\"%s\",\"endedAt\":\"%s\",\"status\":%s,"
                   "\"durationMs\":%u,\"lines\":%u,\"bytes\":%u,\"lastSeq\":%u,\"complete\":true,"
                   "\"maxRssKb\":2048,\"userMs\":1,\"sysMs\":1,\"hash\":\"xxh3:%016llx%016llx\"}\n",
                   id, stamp(when, ms + n % 1000), how, (unsigned)(n % 1000), lines, lines * 30,
                   lines, (unsigned long long)sum.high64, (unsigned long long)sum.low64);
    return (size_t)at;
}

static void put(const char *root, uint64_t ms, uint64_t n, unsigned lines)
{
    char path[4200];
    char when[40];
    char id[27];
    size_t len;
    int fd;

    make_id(id, ms, n);
    snprintf(path, sizeof(path), "%s/builds/%.10s", root, stamp(when, ms));
    if (mkdir(path, 0750) != 0 && errno != EEXIST) {
        perror(path);
        exit(1);
    }
    snprintf(path, sizeof(path), "%s/builds/%.10s/%s.log", root, when, id);
    len = compose(id, ms, n, lines);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    uint64_t number[4];
    uint64_t step;
    char path[4200];

    if (argc != 6)
        return 2;
    for (int i = 0; i < 4; i++)
        number[i] = strtoull(argv[2 + i], NULL, 10);
    if (number[0] == 0 || number[2] + 7 > LINES_MAX)
        return 2;
    (void)mkdir(argv[1], 0750);
    snprintf(path, sizeof(path), "%s/builds", argv[1]);
    (void)mkdir(path, 0750);
    step = number[1] * 86400000 / number[0];
    for (uint64_t n = 0; n < number[0]; n++)
        put(argv[1], number[3] - (number[0] - n) * step, n, (unsigned)(number[2] + n % 7));
    return 0;
}
