// SPDX-License-Identifier: MIT
#include "lib/seek.h"

#include <string.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "record/record.h"

enum {
    NEAR = 256 << 10,  /* so much is read through rather than halved */
    PIECE = 32 << 10   /* a numbered record is looked for in so much */
};

/* The first numbered record in a piece of a log that begins anywhere: where its line begins, and
   its number. */
static bool first_number(const char *data, size_t n, size_t *begin, uint64_t *seq)
{
    const char *end = data + n;
    const char *newline = memchr(data, '\n', n);

    while (newline != NULL) {
        const char *line = newline + 1;
        enum record_kind kind;
        uint64_t from;

        newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL || !record_peek(line, (size_t)(newline - line), &kind, &from, seq))
            continue;
        if (kind == RECORD_LINE || kind == RECORD_EVENT || kind == RECORD_GAP) {
            *begin = (size_t)(line - data);
            return true;
        }
    }
    return false;
}

void seek_behind(struct log_reader *r, uint64_t seq)
{
    char data[PIECE];
    uint64_t low = 0; /* a line begins here, and nothing before it is above seq */
    uint64_t high;
    struct stat st;

    if (seq == 0 || log_reader_compressed(r) || sys.fstat(log_reader_fd(r), &st) != 0)
        return;
    for (high = (uint64_t)st.st_size; high > low + NEAR;) {
        uint64_t middle = low + (high - low) / 2;
        ssize_t n = log_reader_read_at(r, data, sizeof(data), middle);
        size_t begin;
        uint64_t found;

        if (n <= 0 || !first_number(data, (size_t)n, &begin, &found))
            break;
        if (found <= seq)
            low = middle + begin;
        else
            high = middle;
    }
    log_reader_seek(r, low);
}
