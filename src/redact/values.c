// SPDX-License-Identifier: MIT
/* Known values in a redactor: the scan is told of every byte, most of them in one go. */
#include <string.h>

#include "redact/rules.h"
#include "redact/stream.h"

/* How far the scan may be told of bytes that nothing was made of yet: where a line may register
   a value, up to its end, because the value counts from there on. */
static size_t horizon(const struct redactor *r, size_t from)
{
    const uint8_t *lf;

    if (r->set->on_mask == NULL || r->pass_masks)
        return r->in_len;
    lf = memchr(r->in + from, '\n', r->in_len - from);
    return lf != NULL ? (size_t)(lf - r->in) + 1 : r->in_len;
}

/* From index `from` on: where the scan wants to see the bytes themselves. */
static void look_on(struct redactor *r, size_t from)
{
    if (from < r->in_len && !known_live(&r->known)) {
        size_t at = known_next(&r->known, r->in, horizon(r, from), from);

        known_skip(&r->known, r->in, from, at);
        from = at;
    }
    r->known_at = from;
}

void values_begin(struct redactor *r)
{
    r->known_at = SIZE_MAX;
    /* A line may register the first one within this call. */
    if (r->set != NULL && r->set->known == NULL && r->set->on_mask != NULL)
        r->failed |= known_new(&r->set->known, NULL) != ERR_NONE;
    if (r->set == NULL || r->set->known == NULL)
        return;
    if (r->known.known == NULL)
        known_scan_init(&r->known, r->set->known);
    look_on(r, 0);
}

static void found(void *ctx, const struct known_match *m)
{
    struct redactor *r = ctx;

    if (r->s.mask.state == MASK_PASS)
        return;
    for (size_t i = 0; i < m->n; i++) {
        bool more = i == 0 && m->continues;

        cover_add(r, m->pieces[i].start, m->pieces[i].end,
                  more ? "" : rule_names[RULE_NAME_KNOWN].mark, RULE_NAME_KNOWN, !more);
    }
}

bool values_step(struct redactor *r, uint8_t byte)
{
    size_t before = r->s.n_matches;
    size_t at = (size_t)(r->s.pos - r->base);

    known_step(&r->known, byte, r->s.pos, found, r);
    r->known_at = at + 1;
    if (!known_live(&r->known))
        look_on(r, at + 1);
    return r->s.n_matches != before;
}

void values_finish(struct redactor *r)
{
    if (r->known.known != NULL)
        known_finish(&r->known, found, r);
}

uint64_t values_hold(const struct redactor *r)
{
    return r->known.known != NULL ? known_hold(&r->known) : NO_POS;
}

uint64_t values_armed(const struct redactor *r)
{
    return r->known.known != NULL ? known_armed(&r->known) : NO_POS;
}
