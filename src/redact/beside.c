// SPDX-License-Identifier: MIT
/*
 * The machines that run beside the rows of rules.tab: known values, the user's rules, named
 * fields. Each is told of every byte, most of them in one go; between calls each has seen all.
 */
#include "redact/beside.h"

#include <stdlib.h>
#include <string.h>

#include "redact/rules.h"
#include "redact/stream.h"

enum { RUN_MAX = 256 }; /* bytes: fewer matches in them than may wait */

/* ---- what they report ------------------------------------------------------------------ */

/* A piece that begins in another one of a known value: together they are one mark. */
static bool piece_grows(struct redactor *r, const struct known_piece *p)
{
    size_t at = r->s.n_matches;
    struct match *m;

    while (at > 0 && r->matches[at - 1].start > p->start)
        at--;
    if (at == 0)
        return false;
    m = &r->matches[at - 1];
    if (m->name != RULE_NAME_KNOWN || m->out || m->end == NO_POS || p->start >= m->end)
        return false;
    cover_grow(r, m, p->end);
    return true;
}

static void value_found(void *ctx, const struct known_match *m)
{
    struct redactor *r = ctx;

    if (r->s.mask.state == MASK_PASS)
        return;
    for (size_t i = 0; i < m->n; i++) {
        bool more = i == 0 && m->continues;

        if (more || !piece_grows(r, &m->pieces[i]))
            cover_add(r, m->pieces[i].start, m->pieces[i].end,
                      more ? "" : rule_names[RULE_NAME_KNOWN].mark, RULE_NAME_KNOWN, !more);
    }
}

static uint32_t rule_add(void *ctx, uint64_t start, uint64_t end, unsigned rule)
{
    struct redactor *r = ctx;

    if (r->s.mask.state == MASK_PASS)
        return 0;
    return cover_add(r, start, end, user_rules_mark(r->set->rules, rule),
                     (uint16_t)(rule_name_count + rule), 1);
}

static uint32_t field_add(void *ctx, uint64_t start, uint64_t end, unsigned field)
{
    struct redactor *r = ctx;

    (void)field; /* they are counted together */
    if (r->s.mask.state == MASK_PASS)
        return 0;
    return cover_add(r, start, end, MARK_TOKEN, RULE_NAME_FIELD, 1);
}

static void close_match(void *ctx, uint32_t id, uint64_t end)
{
    struct redactor *r = ctx;

    if (id != 0)
        cover_close(r, id, end);
}

/* ---- life ------------------------------------------------------------------------------ */

bool beside_init(struct redactor *r)
{
    struct match_sink to_rule = {r, rule_add, close_match};
    struct match_sink to_field = {r, field_add, close_match};

    if (r->set == NULL || (r->set->rules == NULL && r->set->fields == NULL))
        return true;
    r->own = calloc(1, sizeof(*r->own));
    if (r->own == NULL)
        return false;
    user_lines_init(&r->own->now.lines, r->set->rules, &to_rule);
    field_scan_init(&r->own->now.fields, r->set->fields, &to_field);
    return true;
}

void beside_free(struct redactor *r)
{
    if (r->own != NULL)
        explicit_bzero(r->own, sizeof(*r->own));
    free(r->own);
}

/* ---- one call -------------------------------------------------------------------------- */

/* How far known values may be told of bytes that nothing was made of yet: where a line may
   register a value, up to its end, because the value counts from there on. */
static size_t horizon(const struct redactor *r, size_t from)
{
    const uint8_t *lf;

    if (r->set->on_mask == NULL || r->pass_masks)
        return r->in_len;
    lf = memchr(r->in + from, '\n', r->in_len - from);
    return lf != NULL ? (size_t)(lf - r->in) + 1 : r->in_len;
}

/* From index `from` on: where each wants to see the bytes themselves. */
static size_t values_from(struct redactor *r, size_t from)
{
    size_t at;

    if (from >= r->in_len || known_live(&r->known))
        return from;
    at = known_next(&r->known, r->in, horizon(r, from), from);
    known_skip(&r->known, r->in, from, at);
    return at;
}

static size_t lines_from(struct redactor *r, size_t from)
{
    struct user_lines *l = &r->own->now.lines;

    return from >= r->in_len || user_lines_live(l) ? from
                                                   : user_lines_skip(l, r->in, r->in_len, from);
}

static size_t fields_from(struct redactor *r, size_t from)
{
    struct field_scan *f = &r->own->now.fields;

    return from >= r->in_len || field_scan_live(f)
               ? from
               : field_scan_skip(f, r->in, r->in_len, from, r->base + from);
}

static void find_wake(struct redactor *r)
{
    r->wake = r->values_at < r->lines_at ? r->values_at : r->lines_at;
    r->wake = r->fields_at < r->wake ? r->fields_at : r->wake;
}

void beside_begin(struct redactor *r)
{
    r->values_at = r->lines_at = r->fields_at = r->wake = SIZE_MAX;
    if (r->set == NULL)
        return;
    /* A line may register the first one within this call. */
    if (r->set->known == NULL && r->set->on_mask != NULL)
        r->failed |= known_new(&r->set->known, NULL) != ERR_NONE;
    if (r->known.known == NULL && r->set->known != NULL)
        known_scan_init(&r->known, r->set->known);
    if (r->known.known != NULL) {
        known_scan_copy(&r->known_before, &r->known);
        r->values_at = values_from(r, 0);
    }
    if (r->own != NULL) {
        r->own->before = r->own->now;
        r->lines_at = r->set->rules != NULL ? lines_from(r, 0) : SIZE_MAX;
        r->fields_at = r->set->fields != NULL ? fields_from(r, 0) : SIZE_MAX;
    }
    find_wake(r);
}

void beside_undo(struct redactor *r)
{
    if (r->known.known != NULL)
        known_scan_copy(&r->known, &r->known_before);
    if (r->own != NULL)
        r->own->now = r->own->before;
}

bool beside_step(struct redactor *r, uint8_t byte)
{
    size_t before = r->s.n_matches;
    size_t at = (size_t)(r->s.pos - r->base);

    if (r->values_at == at) {
        known_step(&r->known, byte, r->s.pos, value_found, r);
        r->values_at = values_from(r, at + 1);
    }
    if (r->lines_at == at) {
        user_lines_step(&r->own->now.lines, byte, r->s.pos);
        r->lines_at = lines_from(r, at + 1);
    }
    if (r->fields_at == at) {
        field_scan_step(&r->own->now.fields, byte, r->s.pos);
        r->fields_at = fields_from(r, at + 1);
    }
    find_wake(r);
    return r->s.n_matches != before;
}

bool beside_run(struct redactor *r, size_t stop)
{
    size_t at = (size_t)(r->s.pos - r->base);
    size_t far = at + RUN_MAX;
    size_t next = r->lines_at < r->fields_at ? r->lines_at : r->fields_at;

    stop = next < stop ? next : stop;
    if (r->values_at != at || at >= stop || !known_live(&r->known))
        return false;
    at += known_run(&r->known, r->in + at, (far < stop ? far : stop) - at, r->s.pos, value_found,
                    r);
    r->s.pos = r->base + at;
    r->values_at = values_from(r, at);
    find_wake(r);
    return true;
}

void beside_finish(struct redactor *r)
{
    if (r->known.known != NULL)
        known_finish(&r->known, value_found, r);
    if (r->own != NULL && r->set->rules != NULL)
        user_lines_finish(&r->own->now.lines, r->s.pos);
    if (r->own != NULL && r->set->fields != NULL)
        field_scan_finish(&r->own->now.fields, r->s.pos);
}

uint64_t beside_hold(const struct redactor *r)
{
    uint64_t hold = r->known.known != NULL ? known_hold(&r->known) : NO_POS;

    if (r->own != NULL && r->set->rules != NULL && user_lines_hold(&r->own->now.lines) < hold)
        hold = user_lines_hold(&r->own->now.lines);
    if (r->own != NULL && r->set->fields != NULL && field_scan_hold(&r->own->now.fields) < hold)
        hold = field_scan_hold(&r->own->now.fields);
    return hold;
}

uint64_t beside_armed(const struct redactor *r)
{
    return r->known.known != NULL ? known_armed(&r->known) : NO_POS;
}
