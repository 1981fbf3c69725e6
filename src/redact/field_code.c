// SPDX-License-Identifier: MIT
/* Quotes and separators around a key and its value as XML, URLs and JSON write them out. */
#include <string.h>

#include "redact/field_scan.h"

/* What a text stands for behind a key that `before` precedes. All begin with the same byte. */
struct field_code {
    const char *before;
    const char *text; /* in lower case */
    uint8_t byte;
};

static const struct field_code codes[] = {
    {"&quot;", "&quot;", '"'},     {"&#34;", "&#34;", '"'},       {"&#x22;", "&#x22;", '"'},
    {"&#39;", "&#39;", '\''},      {"&apos;", "&apos;", '\''},    {"\\u0022", "\\u0022", '"'},
    {"\\u0027", "\\u0027", '\''},  {"%22", "%22", '"'},           {"%22", "%3a", ':'},
    {"%22", "%2c", ','},           {"%22", "%7b", '{'},           {"%22", "%7d", '}'},
    {"%26", "%3d", '='},           {"%26", "%26", '&'},           {"%3f", "%3d", '='},
    {"%3f", "%26", '&'},           {"\\u0026", "\\u003d", '='},   {"\\u0026", "\\u0026", '&'},
    {"?", "\\u003d", '='},         {"?", "\\u0026", '&'}};

enum { N_CODES = sizeof(codes) / sizeof(codes[0]) };

static bool ends_with_folded(const uint8_t *b, size_t n, const char *text)
{
    size_t len = strlen(text);

    if (n < len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (field_fold(b[n - len + i]) != (uint8_t)text[i])
            return false;
    }
    return true;
}

void field_code_begin(struct field_scan *f, const uint8_t *b, size_t n)
{
    f->code = f->n_code = 0;
    for (uint8_t i = 0; i < N_CODES && f->code == 0; i++) {
        if (ends_with_folded(b, n, codes[i].before))
            f->code = (uint8_t)(i + 1);
    }
    if (f->code == 0)
        return;
    if (is_quote(codes[f->code - 1].byte))
        f->key_quote = codes[f->code - 1].byte;
    else
        f->parameter = true;
}

/* Of the codes behind this key, the one that begins with the bytes read; NULL: none does. */
static const struct field_code *fitting(const struct field_scan *f)
{
    const char *before = codes[f->code - 1].before;

    for (size_t i = f->code - 1U; i < N_CODES && strcmp(codes[i].before, before) == 0; i++) {
        size_t k = 0;

        while (k < f->n_code && field_fold(f->code_text[k]) == (uint8_t)codes[i].text[k])
            k++;
        if (k == f->n_code)
            return &codes[i];
    }
    return NULL;
}

/* They are what they are. The machine may come to rest within them. */
static void replay(struct field_scan *f)
{
    uint8_t bytes[FIELD_CODE_MAX];
    size_t n = f->n_code;

    memcpy(bytes, f->code_text, n);
    f->n_code = 0;
    for (size_t i = 0; i < n; i++)
        field_machine(f, bytes[i], f->code_at + i, false);
}

/* In what may be a placeholder the machine counts bytes as they stand. */
static bool is_literal(const struct field_scan *f)
{
    return f->state == FIELD_PENDING && f->quote == 0 &&
           (f->pending[0] == '<' || (f->pending[0] == '{' && f->n_pending > 1));
}

/* The whole text is read, up to pos: as one byte, which stands where the value begins behind it
   or ends before it. */
static void take(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    bool in_value =
        f->state == FIELD_QUOTED || f->state == FIELD_PLAIN || f->state == FIELD_PENDING;

    f->n_code = 0;
    field_machine(f, byte, in_value ? f->code_at : pos, false);
}

bool field_code_takes(struct field_scan *f, uint8_t byte, uint64_t pos)
{
    const struct field_code *fit;

    if (f->n_code == 0)
        f->code_at = pos;
    f->code_text[f->n_code++] = byte;
    fit = is_literal(f) ? NULL : fitting(f);
    if (fit == NULL && f->n_code > 1) {
        f->n_code--;
        replay(f);
        return f->code != 0 && f->state != FIELD_IDLE && field_code_takes(f, byte, pos);
    }
    if (fit == NULL) {
        f->n_code = 0;
        return false;
    }
    if (fit->text[f->n_code] == '\0')
        take(f, fit->byte, pos);
    return true;
}

void field_code_finish(struct field_scan *f)
{
    if (f->n_code > 0)
        replay(f);
}
