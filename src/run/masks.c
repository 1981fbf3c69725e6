// SPDX-License-Identifier: MIT
#include "run/masks.h"

#include <stdlib.h>
#include <string.h>

void masks_init(struct masks *m, struct redact_set *set, struct build_log *log)
{
    *m = (struct masks){.set = set, .log = log};
}

void masks_release(struct masks *m)
{
    for (size_t i = 0; i < m->n; i++) {
        explicit_bzero(m->items[i].ptr, m->items[i].len);
        free(m->items[i].ptr);
    }
    free(m->items);
    *m = (struct masks){0};
}

/* ---- events ------------------------------------------------------------------------ */

static void put_event(struct masks *m, const char *level, const char *event, const char *source,
                      const char *reason)
{
    const struct record_field fields[] = {
        {.key = "source", .type = FIELD_TEXT, .text = clean_constant(source)},
        {.key = "reason", .type = FIELD_TEXT, .text = clean_constant(reason != NULL ? reason : "")},
    };
    struct record_event r = {.level = level, .component = "redact", .event = event,
                             .fields = fields, .n_fields = reason != NULL ? 2 : 1};

    build_log_event(m->log, &r);
}

/* ---- bounds ------------------------------------------------------------------------ */

enum verdict { TAKEN, TOO_SHORT, TOO_LONG, TOO_MANY, TOO_MUCH, A_MARK, NOT_TAKEN, N_VERDICTS };

static const char *const reasons[N_VERDICTS] = {
    [TAKEN] = NULL,
    [TOO_SHORT] = "shorter than 8 bytes",
    [TOO_LONG] = "longer than 64 KiB",
    [TOO_MANY] = "the build has 1000 values already",
    [TOO_MUCH] = "the values of the build would exceed 1 MiB",
    [A_MARK] = "a mark of a redactor, no value",
    [NOT_TAKEN] = "no value to look for, or no memory for it",
};

static enum verdict within_bounds(const struct masks *m, size_t len)
{
    if (len < MASK_MIN)
        return TOO_SHORT;
    if (len > MASK_MAX)
        return TOO_LONG;
    if (m->n == MASKS_MAX)
        return TOO_MANY;
    return m->bytes + len > MASKS_BYTES_MAX ? TOO_MUCH : TAKEN;
}

/* What a build within this one printed in place of a value. */
static bool is_mark(const char *value, size_t len)
{
    static const char mark[] = "[REDACTED";

    return len >= sizeof(mark) - 1 && memcmp(value, mark, sizeof(mark) - 1) == 0;
}

static bool known(const struct masks *m, const char *value, size_t len)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->items[i].len == len && memcmp(m->items[i].ptr, value, len) == 0)
            return true;
    return false;
}

static enum verdict take(struct masks *m, const char *value, size_t len)
{
    struct mask_value *items = reallocarray(m->items, m->n + 1, sizeof(*items));
    char *copy = malloc(len);

    if (items != NULL)
        m->items = items;
    if (items == NULL || copy == NULL ||
        redact_set_add_value(m->set, NULL, value, len, NULL) != ERR_NONE) {
        free(copy);
        return NOT_TAKEN;
    }
    memcpy(copy, value, len);
    items[m->n].ptr = copy;
    items[m->n++].len = len;
    m->bytes += len;
    return TAKEN;
}

const char *masks_add(struct masks *m, const char *source, const char *value, size_t len)
{
    enum verdict verdict;

    if (known(m, value, len))
        return NULL;
    verdict = is_mark(value, len) ? A_MARK : within_bounds(m, len);
    if (verdict == TAKEN)
        verdict = take(m, value, len);
    if (verdict == TAKEN)
        put_event(m, "info", "mask_added", source, NULL);
    else if ((m->refused & 1u << verdict) == 0)
        put_event(m, "warn", "mask_refused", source, reasons[verdict]);
    m->refused |= verdict != TAKEN ? 1u << verdict : 0;
    return reasons[verdict];
}

/* ---- ::add-mask:: ------------------------------------------------------------------ */

static char decoded(const char *code)
{
    static const struct {
        char code[4];
        char byte;
    } codes[] = {{"%25", '%'}, {"%0D", '\r'}, {"%0A", '\n'}};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (memcmp(codes[i].code, code, 3) == 0)
            return codes[i].byte;
    return '\0';
}

void masks_add_line(void *ctx, const char *value, size_t len)
{
    char *plain = malloc(len + 1);
    size_t n = 0;

    if (plain == NULL) {
        (void)masks_add(ctx, "add-mask", value, len); /* most have nothing to decode */
        return;
    }
    for (size_t at = 0; at < len; at++) {
        char byte = len - at >= 3 ? decoded(value + at) : '\0';

        plain[n++] = byte != '\0' ? byte : value[at];
        at += byte != '\0' ? 2 : 0;
    }
    (void)masks_add(ctx, "add-mask", plain, n);
    explicit_bzero(plain, n);
    free(plain);
}
