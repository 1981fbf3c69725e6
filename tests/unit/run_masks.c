// SPDX-License-Identifier: MIT
/*
 * Values added while a build runs: bounds, repetitions, what is decoded, and the events. The log
 * is a double here (the linker takes this function before the library's).
 */
#include "lib/tap.h"

#include <stdlib.h>

#include "redact/redact.h"
#include "run/masks.h"

static size_t n_added;
static char refused[512];

void build_log_event(struct build_log *l, struct record_event *r)
{
    (void)l;
    if (strcmp(r->event, "mask_added") == 0)
        n_added++;
    else
        snprintf(refused + strlen(refused), sizeof(refused) - strlen(refused), "[%.*s]",
                 (int)r->fields[1].text.len, r->fields[1].text.ptr);
}

static struct redact_set *set;

static void start(struct masks *m)
{
    struct err e;

    n_added = 0;
    refused[0] = '\0';
    if (redact_set_new(&set, NULL, &e) != ERR_NONE)
        exit(1);
    masks_init(m, set, NULL);
}

static void end(struct masks *m)
{
    masks_release(m);
    redact_set_free(set);
}

static const char *add(struct masks *m, size_t len, char fill)
{
    char *value = malloc(len + 1); /* exact but for one, so that reading past the end is seen */
    const char *why;

    memset(value, fill, len);
    why = masks_add(m, "redact-add", value, len);
    free(value);
    return why != NULL ? why : "";
}

static void bounds(void)
{
    struct masks m;

    start(&m);
    is_str(add(&m, 0, 'a'), "shorter than 8 bytes", "no byte");
    is_str(add(&m, MASK_MIN - 1, 'a'), "shorter than 8 bytes", "7 bytes");
    is_str(add(&m, MASK_MIN, 'a'), "", "8 bytes");
    is_str(add(&m, MASK_MAX, 'a'), "", "64 KiB");
    is_str(add(&m, MASK_MAX + 1, 'a'), "longer than 64 KiB", "and one more");
    is_str(add(&m, MASK_MIN, 'a'), "", "one that is there already");
    is_int((int64_t)m.n, 2, "counts once");
    is_int((int64_t)n_added, 2, "one event each");
    is_str(refused, "[shorter than 8 bytes][longer than 64 KiB]", "one for each reason");
    is_str(masks_add(&m, "add-mask", "[REDACTED]", 10), "a mark of a redactor, no value",
           "what a build within this one shows instead");
    end(&m);
}

static void ceilings(void)
{
    struct masks m;
    char value[16];
    size_t taken = 0;

    start(&m);
    for (int i = 0; i < MASKS_MAX + 5; i++) {
        snprintf(value, sizeof(value), "value-%05d", i);
        taken += masks_add(&m, "add-mask", value, strlen(value)) == NULL;
    }
    is_int((int64_t)taken, MASKS_MAX, "1000 values");
    is_str(refused, "[the build has 1000 values already]", "then one event");
    end(&m);

    start(&m);
    for (char c = 'a'; c < 'a' + 16; c++)
        add(&m, MASK_MAX - (size_t)(c == 'p'), c);
    is_int((int64_t)m.bytes, MASKS_BYTES_MAX - 1, "a byte less than 1 MiB");
    is_str(add(&m, MASK_MIN, 'q'), "the values of the build would exceed 1 MiB", "8 are too many");
    is_int((int64_t)m.bytes, MASKS_BYTES_MAX - 1, "and not taken");
    end(&m);
}

static void decodes(const char *line, const char *want)
{
    struct masks m;
    size_t len = strlen(line);
    char *exact = malloc(len);

    start(&m);
    memcpy(exact, line, len);
    masks_add_line(&m, exact, len);
    free(exact);
    if (m.n == 1)
        is_bytes(m.items[0].ptr, m.items[0].len, want, strlen(want), line);
    else
        ok(false, "%s: taken", line);
    end(&m);
}

int main(void)
{
    bounds();
    ceilings();
    decodes("plain value", "plain value");
    decodes("%25 %0D %0A end", "% \r \n end");
    decodes("%2525 %250A %25", "%25 %0A %");
    decodes("%0a %0d %41 lower", "%0a %0d %41 lower");
    decodes("at the end %", "at the end %");
    decodes("at the end %2", "at the end %2");
    return done();
}
