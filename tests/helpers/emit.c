// SPDX-License-Identifier: MIT
/*
 * Writes what it is told to, exactly: emit OP [ARG…] [OP …]
 *
 *   out HEX, err HEX    these bytes, in one write
 *   each HEX            these bytes to stdout, one write each
 *   ones N              N one-byte writes: lines of 79 letters
 *   fill N C            N times the character C without a newline
 *   lines N LEN         N numbered lines of LEN bytes with the newline, 64 KiB a write
 *   both N              N lines on stdout and on stderr by turns, one write each
 *   file PATH N         the file's bytes, N a write
 *   make PATH           makes the file
 *   wait PATH           until the file is there (a minute at most)
 *   peak PATH           the peak memory of the parent in kB, into the file
 *   exit N
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 65536, LINE_LETTERS = 79, WAIT_STEPS = 6000, WAIT_STEP_MS = 10 };

static void put(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            exit(99);
        data += done;
        n -= (size_t)done;
    }
}

static size_t from_hex(const char *hex, char *dst)
{
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};

        dst[i] = (char)strtoul(pair, NULL, 16);
    }
    return n;
}

static void put_hex(int fd, const char *hex, bool each)
{
    char *data = malloc(strlen(hex) + 1);
    size_t n = from_hex(hex, data);

    for (size_t i = 0; each && i < n; i++)
        put(fd, data + i, 1);
    if (!each)
        put(fd, data, n);
    free(data);
}

static void put_ones(long n)
{
    for (long i = 0; i < n; i++) {
        char c = i % (LINE_LETTERS + 1) == LINE_LETTERS ? '\n' : (char)('a' + i % 26);

        put(1, &c, 1);
    }
}

static void put_fill(long n, char c)
{
    static char chunk[CHUNK];

    memset(chunk, c, sizeof(chunk));
    for (; n > 0; n -= CHUNK)
        put(1, chunk, n < CHUNK ? (size_t)n : CHUNK);
}

static void put_lines(long n, size_t len)
{
    static char chunk[CHUNK];
    size_t used = 0;

    for (long i = 0; i < n; i++) {
        char line[4096];

        memset(line, 'x', sizeof(line));
        line[snprintf(line, sizeof(line), "%010ld ", i)] = 'x';
        line[len - 1] = '\n';
        if (used + len > sizeof(chunk)) {
            put(1, chunk, used);
            used = 0;
        }
        memcpy(chunk + used, line, len);
        used += len;
    }
    put(1, chunk, used);
}

static void put_both(long n)
{
    for (long i = 0; i < n; i++) {
        char line[64];

        put(1, line, (size_t)snprintf(line, sizeof(line), "out %ld\n", i));
        put(2, line, (size_t)snprintf(line, sizeof(line), "err %ld\n", i));
    }
}

static void put_file(const char *path, size_t n)
{
    char *chunk = malloc(n);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    while ((got = read(fd, chunk, n)) > 0)
        put(1, chunk, (size_t)got);
    close(fd);
    free(chunk);
}

static void make_file(const char *path)
{
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void wait_file(const char *path)
{
    for (int i = 0; i < WAIT_STEPS && access(path, F_OK) != 0; i++)
        poll(NULL, 0, WAIT_STEP_MS);
}

static void put_peak(const char *path)
{
    char line[256], name[64];
    FILE *status, *out = fopen(path, "w");

    snprintf(name, sizeof(name), "/proc/%ld/status", (long)getppid());
    status = fopen(name, "r");
    while (status && out && fgets(line, sizeof(line), status))
        if (strncmp(line, "VmHWM:", 6) == 0)
            fprintf(out, "%ld\n", strtol(line + 6, NULL, 10));
    if (status)
        fclose(status);
    if (out)
        fclose(out);
}

/* Does the operation at argv[0] and returns how many words it took; 0: there is no such. */
static int step(char **argv)
{
    const char *op = argv[0], *a = argv[1], *b = a ? argv[2] : NULL;

    if (!a)
        return 0;
    if (strcmp(op, "out") == 0 || strcmp(op, "err") == 0)
        return put_hex(op[0] == 'o' ? 1 : 2, a, false), 2;
    if (strcmp(op, "each") == 0)
        return put_hex(1, a, true), 2;
    if (strcmp(op, "ones") == 0)
        return put_ones(atol(a)), 2;
    if (strcmp(op, "both") == 0)
        return put_both(atol(a)), 2;
    if (strcmp(op, "make") == 0)
        return make_file(a), 2;
    if (strcmp(op, "wait") == 0)
        return wait_file(a), 2;
    if (strcmp(op, "peak") == 0)
        return put_peak(a), 2;
    if (strcmp(op, "exit") == 0)
        exit(atoi(a));
    if (!b)
        return 0;
    if (strcmp(op, "fill") == 0)
        return put_fill(atol(a), b[0]), 3;
    if (strcmp(op, "lines") == 0)
        return put_lines(atol(a), (size_t)atol(b)), 3;
    if (strcmp(op, "file") == 0)
        return put_file(a, (size_t)atol(b)), 3;
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc;) {
        int words = step(argv + i);

        if (words == 0) {
            fprintf(stderr, "emit: what is '%s'?\n", argv[i]);
            return 98;
        }
        i += words;
    }
    return 0;
}
