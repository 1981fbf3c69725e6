// SPDX-License-Identifier: MIT
#include "redact/mask.h"

#include <stdlib.h>
#include <string.h>

#include "redact/rules.h"
#include "redact/stream.h"

void mask_begin(struct redactor *r)
{
    r->s.mask = (struct mask){.state = r->pass_masks ? MASK_PASS : MASK_VALUE};
    if (!r->pass_masks)
        return;
    r->s.n_live = 0;
    block_pass_line(r);
}

/* False: no memory for it, the call is undone. */
static bool keep(struct redactor *r, struct mask *m, uint8_t byte)
{
    if (r->mask_value == NULL)
        r->mask_value = malloc(MASK_VALUE_MAX);
    if (r->mask_value == NULL) {
        r->failed = true;
        return false;
    }
    if (m->len < MASK_VALUE_MAX)
        r->mask_value[m->len] = (char)byte;
    m->len += m->len <= MASK_VALUE_MAX;
    return true;
}

static void complete(struct redactor *r, uint64_t end)
{
    struct mask *m = &r->s.mask;

    if (m->match != 0)
        cover_close(r, m->match, end);
    if (m->state == MASK_VALUE && m->len > m->cr && m->len <= MASK_VALUE_MAX &&
        r->set->on_mask != NULL && !r->failed)
        r->set->on_mask(r->set->on_mask_ctx, r->mask_value, m->len - m->cr);
    if (r->mask_value != NULL)
        explicit_bzero(r->mask_value, m->len < MASK_VALUE_MAX ? m->len : MASK_VALUE_MAX);
    *m = (struct mask){.state = MASK_OFF};
}

bool mask_step(struct redactor *r, uint8_t byte)
{
    struct mask *m = &r->s.mask;

    if (byte == '\n') {
        complete(r, r->s.pos - m->cr);
        return true;
    }
    if (m->state == MASK_VALUE && keep(r, m, byte) && m->match == 0 && byte != '\r')
        m->match = cover_add(r, r->s.pos, NO_POS, MARK_TOKEN, RULE_NAME_MASK, 1);
    m->cr = byte == '\r';
    return false;
}

void mask_finish(struct redactor *r)
{
    if (mask_live(&r->s.mask))
        complete(r, r->s.pos - r->s.mask.cr);
}
